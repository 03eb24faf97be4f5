"""The article's claims, held against its text and against what the record demands of a claim."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from rdflib import RDF, RDFS, Graph, Literal, URIRef

from foedus import names

ROOT = Path(__file__).parents[2]
REPORT = ROOT / "data" / "reports" / "merkur-2022-09-16.ttl"
SEED = ROOT.parent / "shared" / "seed"
ARTICLE = URIRef(names.ID + "merkur-2022-09-16")
INFERRED = ("membership-", "binding-", "signatory-", "interruption-")
RUN = 6

TIED = {
    "membershipTopic",
    "ceasefireTopic",
    "deathsTopic",
    "requestTopic",
    "invocationTopic",
    "decisionTopic",
    "foundingTopic",
    "deploymentTopic",
}

# A word of the line where each claim stands, typed from the article.
KEYWORDS = {
    "c01": "2022-09-16T21",
    "c02": "escalate",
    "c03": "fighting",
    "c04": "blame",
    "c05": "200",
    "c06": "ally",
    "c07": "unable",
    "c08": "mediate",
    "c09": "arranged",
    "c10": "broken",
    "c11": "ongoing",
    "c12": "observed",
    "c13": "unclear",
    "c14": "demanding",
    "c15": "Pashinyan",
    "c16": "Organization",
    "c17": "NATO",
    "c18": "2002",
    "c19": "Kazakhstan",
    "c20": "invoked",
    "c21": "regarded",
    "c22": "met",
    "c23": "troops",
    "c24": "dwindling",
    "c25": "retreat",
    "c26": "risk",
    "c27": "nightmare",
    "c28": "overwhelmed",
    "c29": "find",
    "c30": "Canadian",
    "c31": "reveal",
    "c32": "Demyanchuk",
    "c33": "Armenia",
    "c34": "Belarus",
    "c35": "Kazakhstan",
    "c36": "Kyrgyzstan",
    "c37": "Russia",
    "c38": "Tajikistan",
    "c39": "Azerbaijan",
    "c40": "Georgia",
    "c41": "Uzbekistan",
    "c42": "OKVS",
    "c43": "skirmishes",
    "c44": "mediate",
    "c45": "urgent",
    "c46": "ceasefire",
    "c47": "Soviet",
    "c48": "kilometer",
    "c49": "again",
    "c50": "flared",
    "c51": "guards",
    "c52": "injured",
    "c53": "greater",
    "c54": "States",
    "c55": "EU",
    "c56": "Price",
    "c57": "Peskov",
    "c58": "Putin",
    "c59": "reluctant",
    "c60": "Kazakhstan",
}

# Who speaks, where it is not the article itself.
SPEAKERS = {
    "c05": set(),
    "c09": {"russia"},
    "c11": {"armenia", "azerbaijan"},
    "c15": {"newsweek"},
    "c27": {"mark-mackinnon"},
    "c28": {"mark-mackinnon"},
    "c29": {"mark-mackinnon"},
    "c44": {"russia"},
    "c45": {"russia"},
    "c46": {"kyrgyzstan"},
    "c51": set(),
    "c52": set(),
    "c54": {"united-states"},
    "c55": {"european-union"},
    "c56": {"ned-price"},
    "c57": {"dmitry-peskov"},
    "c58": {"dmitry-peskov"},
}


@pytest.fixture(scope="module")
def report() -> Graph:
    """The file of the article's claims."""
    return Graph().parse(REPORT)


@pytest.fixture(scope="module")
def record() -> Graph:
    """All files of the data folder in one graph."""
    graph = Graph()
    for file in sorted((ROOT / "data").rglob("*.ttl")):
        graph.parse(file)
    return graph


@pytest.fixture(scope="module")
def seed() -> Path:
    """The text of the article, which is not ours to ship."""
    files = sorted(SEED.glob("*.txt"))
    if not files:
        pytest.skip(f"the article's text is not in {SEED}")
    return files[0]


def term(local: str) -> URIRef:
    return URIRef(names.ONTOLOGY + local)


def claim(number: str) -> URIRef:
    return URIRef(f"{ARTICLE}-{number}")


def number(node: URIRef) -> str:
    return str(node).removeprefix(f"{ARTICLE}-")


def lines(seed: Path) -> list[str]:
    """The non-empty lines of the text: paragraph n is the n-th of them."""
    return [line for line in seed.read_text("utf-8").split("\n") if line.strip()]


def paragraph(report: Graph, node: URIRef) -> int:
    return int(str(report.value(node, term("paragraph"))))


def runs(text: str) -> Iterator[tuple[str, ...]]:
    """Every run of six words of *text*, without case and punctuation."""
    words = re.findall(r"[^\W_]+", text.lower())
    return zip(*(words[start:] for start in range(RUN)), strict=False)


def test_the_sixty_claims_are_there_and_no_other() -> None:
    """A side's own words stand beside the claim that reports them; C61 is a warning and no claim."""
    found = {number(node) for node in Graph().parse(REPORT).subjects(unique=True)}
    beside = {name for name in found if "-" in name}
    assert found - beside == {f"c{n:02}" for n in range(1, 61)}
    assert beside == {
        "c04-armenia",
        "c04-azerbaijan",
        "c11-armenia",
        "c11-azerbaijan",
        "c49-kyrgyzstan",
        "c49-tajikistan",
    }


@pytest.mark.parametrize("number", sorted(KEYWORDS))
def test_a_claim_says_whose_it_is_and_who_reports_it(report: Graph, number: str) -> None:
    node = claim(number)
    speakers = {str(speaker).removeprefix(names.ID) for speaker in report.objects(node, term("claimant"))}
    assert speakers == SPEAKERS.get(number, {"merkur"})
    assert ((node, term("unattributed"), Literal(True)) in report) == (not speakers)
    assert set(report.objects(node, term("reporter"))) == {URIRef(names.ID + "teresa-toth")}
    assert set(report.objects(node, term("reportedIn"))) == {ARTICLE}


@pytest.mark.parametrize(
    "wanted", ["statement", "statedOn", "paragraph", "topic", "assessment", "reporter", "reportedIn", "about"]
)
def test_every_claim_has_exactly_what_a_claim_needs(report: Graph, wanted: str) -> None:
    counts = {number(node): len(set(report.objects(node, term(wanted)))) for node in report.subjects(unique=True)}
    assert len(counts) == 66
    assert {name for name, count in counts.items() if count == 0 or (wanted != "about" and count > 1)} == set()


@pytest.mark.parametrize("kind", ["Assessment", "ClaimTopic"])
def test_topics_and_assessments_are_of_the_closed_lists(report: Graph, kind: str) -> None:
    listed = set(Graph().parse(ROOT / "ontology" / "schemes.ttl").subjects(RDF.type, term(kind)))
    used = set(report.objects(None, term({"Assessment": "assessment", "ClaimTopic": "topic"}[kind])))
    assert used and used <= listed


def test_a_claim_on_what_the_record_covers_is_tied_to_it(report: Graph) -> None:
    """Membership, ceasefires, deaths and the like link to nodes, and never to words."""
    tied = {node for topic in TIED for node in report.subjects(term("topic"), term(topic))}
    assert len(tied) == 22
    for node in tied:
        held = [*report.objects(node, term("supportedBy")), *report.objects(node, term("correctedBy"))]
        assert held and all(isinstance(one, URIRef) for one in held), node


def test_what_is_contradicted_or_left_out_is_corrected(report: Graph) -> None:
    for word in ("contradicted", "incomplete", "imprecise"):
        for node in report.subjects(term("assessment"), term(word)):
            assert (node, term("correctedBy"), None) in report, node


def test_no_reference_of_the_report_dangles(report: Graph, record: Graph) -> None:
    """What rules conclude is known by its name; everything else is described in a file."""
    described = set(record.subjects(RDF.type))
    named = {one for one in report.objects() if isinstance(one, URIRef) and one.startswith(names.ID)}
    spells = {one for one in named - described if one.removeprefix(names.ID).startswith(INFERRED)}
    assert named - described == spells
    assert len(spells) == 10


def test_a_member_of_the_list_is_held_against_its_entry_and_a_later_list_of_another(report: Graph) -> None:
    for number, state in zip(
        range(33, 39), ["armenia", "belarus", "kazakhstan", "kyrgyzstan", "russia", "tajikistan"], strict=True
    ):
        node = claim(f"c{number}")
        assert report.value(node, term("about")) == URIRef(f"{names.ID}membership-csto-{state}-1")
        assert set(report.objects(node, term("supportedBy"))) == {
            URIRef(f"{names.ID}csto-charter-entry-into-force-{state}"),
            URIRef(f"{names.ID}attestation-csto-2024-05-08"),
        }


def test_more_than_200_is_at_least_201_and_has_no_upper_bound(report: Graph) -> None:
    assert report.value(claim("c05"), term("minCount")) == Literal(201)
    assert report.value(claim("c05"), term("maxCount")) is None


def test_the_two_ceasefires_are_two(report: Graph) -> None:
    """Broken is Russia's of the 13th; held is the one of the 14th."""
    found = {
        str(report.value(claim(number), term("about"))).removeprefix(names.ID): report.value(
            claim(number), term("verdict")
        )
        for number in ("c10", "c12")
    }
    assert found == {
        "armenia-azerbaijan-ceasefire-2022-09-13": term("broken"),
        "armenia-azerbaijan-ceasefire-2022-09-14": term("held"),
    }


@pytest.mark.parametrize("number", ["c04", "c11", "c49"])
def test_two_sides_that_blame_each_other_are_two_claims(report: Graph, number: str) -> None:
    sides = [node for node in report.subjects(RDF.type, term("ResponsibilityClaim")) if str(claim(number)) in node]
    one, other = sides
    assert report.value(one, term("claimant")) == report.value(other, term("blames"))
    assert report.value(other, term("claimant")) == report.value(one, term("blames"))


def test_the_text_is_the_one_whose_checksum_the_source_gives(record: Graph, seed: Path) -> None:
    assert str(record.value(ARTICLE, term("sha256"))) == hashlib.sha256(seed.read_bytes()).hexdigest()


@pytest.mark.parametrize(("number", "keyword"), sorted(KEYWORDS.items()))
def test_a_claim_stands_in_the_paragraph_that_it_names(report: Graph, seed: Path, number: str, keyword: str) -> None:
    assert re.search(rf"\b{re.escape(keyword)}", lines(seed)[paragraph(report, claim(number)) - 1])


def test_what_a_side_says_stands_where_the_report_of_it_stands(report: Graph) -> None:
    for node in report.subjects(RDF.type, term("ResponsibilityClaim")):
        assert paragraph(report, node) == paragraph(report, claim(number(node).partition("-")[0]))


def test_the_claims_are_in_the_order_of_the_article() -> None:
    numbers = [int(found) for found in re.findall(r"foedus:paragraph (\d+)", REPORT.read_text("utf-8"))]
    assert len(numbers) == 66
    assert numbers == sorted(numbers)


def test_no_sentence_of_the_article_is_copied(record: Graph, seed: Path) -> None:
    """No text of ours shares six words in a row with the article; the titles of sources are not our words."""
    theirs = set(runs(seed.read_text("utf-8")))
    titles = {(source, RDFS.label) for source in record.subjects(RDF.type, term("Source"))}
    prose = [
        text
        for subject, predicate, text in record
        if isinstance(text, Literal) and text.language == "en" and (subject, predicate) not in titles
    ]
    assert len(prose) > 200
    assert [str(text) for text in prose if theirs.intersection(runs(text))] == []


def test_no_claim_is_supported_by_the_article_itself(report: Graph, record: Graph) -> None:
    """What bears a claim out was read elsewhere: no source of it is the page that makes the claim."""
    own = {ARTICLE, URIRef(f"{ARTICLE}-original")}
    links = list(report.subject_objects(term("supportedBy")))
    assert len(links) > 30
    for node, support in links:
        read = {*record.objects(support, term("source")), *record.objects(support, term("reportedIn"))}
        assert support not in own and read - own, (node, support)
