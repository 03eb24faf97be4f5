"""What is proposed as a link: for which reasons, how surely, and that nobody takes a proposal for a reviewed link."""

import copy
import json
from functools import partial
from pathlib import Path

import pytest

from foedus import files, names, sssom
from foedus.link import endpoint, inventory, proposing, reading

from .items import claim, dated, entity, time
from .server import serving
from .test_endpoint import answering, asking

SHARED = Path(__file__).parents[3] / "shared"
ANSWER = SHARED / "datasets" / "wikidata_military-alliances_2020-10-28.csv"
GERMANY = SHARED / "wikidata" / "Q183_Germany.json"

MALI, NIGER, BURKINA_FASO, MILITARY_ALLIANCE, TREATY, COUNTRY = "Q912", "Q1032", "Q965", "Q1127126", "Q131569", "Q6256"

needs_files = pytest.mark.skipif(not ANSWER.exists(), reason="the files in ../shared are not there")


@pytest.fixture(scope="module")
def every(pool):
    return inventory.things(pool)


@pytest.fixture(scope="module")
def nothing_linked(here):
    """The record as if nothing in it were linked."""
    found = copy.copy(here)
    found.linked, found.items = {}, {}
    return found


@pytest.fixture
def proposed(here, every, tmp_path):
    """Proposes links to what it is given: items, or the text of a file and its name."""

    def call(*given, name="entities.json", record=here):
        path = tmp_path / name
        text = given[0] if isinstance(given[0], str) else json.dumps({"entities": {each["id"]: each for each in given}})
        path.write_text(text)
        return proposing.propose([reading.read(path)], record, every)

    return call


def item(number, label="", *, language="en", aliases=(), kinds=(), members_of=(), codes=None, founded=None):
    """An item of nobody's, with a QID that is far from being given."""
    claims = {
        "P31": [claim(kind) for kind in kinds],
        "P463": [claim(target) for target in members_of],
        "P571": [dated("P571", time(founded))] if founded else [],
    }
    for name, code in (codes or {}).items():
        claims[name] = [{"rank": "normal", "mainsnak": {"snaktype": "value", "datavalue": {"value": code}}}]
    labels = {language: {"language": language, "value": label}} if label else {}
    other = {language: [{"language": language, "value": alias} for alias in aliases]} if aliases else {}
    return entity(f"Q99900{number:04}") | {"claims": claims, "labels": labels, "aliases": other}


def told(found, *columns):
    return [tuple(getattr(each, column) for column in columns or ("thing", "item")) for each in found.candidates]


@needs_files
def test_of_the_answer_of_2020_every_item_finds_its_thing(here, nothing_linked, every):
    """Had none been linked, the surest candidate of each would be the reviewed link; one treaty has its pact's name."""
    found = proposing.propose([reading.read(ANSWER)], nothing_linked, every)
    best = {}
    for each in found.candidates:
        best.setdefault(each.thing, each.item)
    right = {each.name: qid for qid, each in here.linked.items() if each.exact}
    assert {thing: qid for thing, qid in best.items() if right.get(thing) != qid} == {"warsaw-treaty": "Q41644"}
    assert len(best) == 34


@needs_files
def test_of_the_answer_of_2020_both_denmarks_stand_side_by_side(nothing_linked, every):
    found = proposing.propose([reading.read(ANSWER)], nothing_linked, every)
    both = [(each.item, each.confidence, each.rivals) for each in found.candidates if each.thing == "denmark"]
    assert both == [
        ("Q35", 0.6, ("id:denmark as wd:Q756617 (0.4)",)),
        ("Q756617", 0.4, ("id:denmark as wd:Q35 (0.6)",)),
    ]


@needs_files
def test_germany_is_known_by_its_names_and_codes(nothing_linked, every):
    (found,) = proposing.propose([reading.read(GERMANY)], nothing_linked, every).candidates
    assert (found.thing, found.confidence, found.justification) == ("germany", 0.95, "semapv:CompositeMatching")
    assert found.reasons == (
        "same label (ar, en, es, fr, ru, zh): “Germany”",
        "same ISO 3166-1 alpha-2 code: DE",
        "same ISO 3166-1 alpha-3 code: DEU",
        "it is a sovereign state",
    )


@needs_files
def test_of_what_is_linked_nothing_is_proposed(here, every):
    """All alliances and countries of the three files are linked; an author is nothing here."""
    paths = (ANSWER, GERMANY, SHARED / "wikidata" / "Q42.ttl")
    found = proposing.propose([reading.read(path) for path in paths], here, every)
    assert found.candidates == ()
    assert [(each.thing, each.item) for each in found.doubts] == [("csto", "Q318693")]
    assert "Organisation”, here “Collective Security Treaty Organization”" in found.doubts[0].message


def test_names_class_and_day_make_a_candidate(proposed):
    found = proposed(item(1, "Alliance of Sahel States", kinds=[MILITARY_ALLIANCE], founded="2023-09-16"))
    assert told(found, "thing", "item", "confidence", "justification") == [
        ("aes", "Q999000001", 0.81, "semapv:CompositeMatching")
    ]
    assert found.candidates[0].reasons == (
        "same label (en): “Alliance of Sahel States”",
        "both begin on 2023-09-16",
        "it is a military alliance",
    )


def test_a_year_is_less_than_a_day(proposed):
    year = item(1, "Alliance of Sahel States")
    year["claims"]["P571"] = [dated("P571", time("2023-01-01", precision=9))]
    (found,) = proposed(year).candidates
    assert (found.confidence, found.reasons[1]) == (0.68, "both begin in 2023")


@pytest.mark.parametrize(
    ("given", "confidence", "reason"),
    [
        ({"label": "Alliance of Sahel States"}, 0.6, "same label (en): “Alliance of Sahel States”"),
        ({"label": "alliance des Etats du Sahel", "language": "fr"}, 0.6, "same label (fr)"),
        ({"label": "Alliance of Sahel States", "language": "mul"}, 0.6, "same label (mul)"),
        ({"label": "AES"}, 0.4, "same name (en): “AES”"),
        ({"label": "Sahel pact", "aliases": ["Alliance of Sahel States"]}, 0.4, "same name (en)"),
        ({"label": "Alliance of Sahel States", "language": "de"}, 0.3, "same name, in other languages"),
    ],
)
def test_the_weight_of_a_name(proposed, given, confidence, reason):
    """A label counts more than another name, and that more than a name in another language."""
    (found,) = proposed(item(1, **given)).candidates
    assert (found.thing, found.confidence, found.justification) == ("aes", confidence, "semapv:LexicalMatching")
    assert found.reasons[0].startswith(reason)


def test_members_in_common_make_a_candidate_without_a_name(proposed):
    """An item that is only named as what three states are members of."""
    rows = "".join(f"Q999000001,{qid}\n" for qid in (MALI, NIGER, BURKINA_FASO))
    found = proposed(f"alliance,country\n{rows}", name="answer.csv")
    assert told(found, "thing", "item", "confidence", "justification", "reasons") == [
        ("aes", "Q999000001", 0.6, "semapv:StructuralMatching", ("3 of 3 members are the same",))
    ]


def test_two_members_of_many_are_no_reason(proposed):
    """Mali and Niger, with five states that are no members: less than half in common."""
    rows = "".join(f"Q999000001,{qid}\n" for qid in (MALI, NIGER, "Q30", "Q142", "Q159", "Q148", "Q38"))
    assert proposed(f"alliance,country\n{rows}", name="answer.csv").candidates == ()


@pytest.mark.parametrize(
    ("given", "confidence", "justification"),
    [
        ({"codes": {"P298": "NAM"}}, 0.9, "semapv:MappingChaining"),
        ({"codes": {"P1566": "3355338"}}, 0.9, "semapv:MappingChaining"),
        ({"label": "Namibia", "codes": {"P297": "NA"}}, 0.95, "semapv:CompositeMatching"),
        ({"label": "Namibia"}, 0.6, "semapv:LexicalMatching"),
        ({"label": "Namibia", "codes": {"P298": "NRU"}}, 0.3, "semapv:LexicalMatching"),
    ],
    ids=["ISO", "GeoNames", "name and ISO", "name", "name and a wrong code"],
)
def test_a_code_makes_a_candidate(here, proposed, given, confidence, justification):
    """Namibia, were it not linked; another state's code is held against a name."""
    bare = copy.copy(here)
    bare.items = {name: qid for name, qid in here.items.items() if name != "namibia"}
    found = [each for each in proposed(item(1, **given), record=bare).candidates if each.thing == "namibia"]
    assert [(each.confidence, each.justification) for each in found] == [(confidence, justification)]


def test_an_item_of_another_class_is_half_as_sure_and_only_near(proposed):
    (found,) = proposed(item(1, "Alliance of Sahel States", kinds=[COUNTRY])).candidates
    assert (found.confidence, found.against) == (0.3, ("it is a country, here a Alliance",))
    (row,) = sssom.read(proposing.Proposals((found,), (), ()).table()).rows
    assert row.get("predicate_id") == "skos:closeMatch"


def test_an_item_that_begins_in_another_year_is_less_sure(proposed):
    (found,) = proposed(item(1, "Alliance of Sahel States", founded="1960-01-01")).candidates
    assert found.confidence == 0.3
    assert found.against[0].startswith("it begins in 1960-01-01, ")


def test_what_one_item_may_be_stands_side_by_side(proposed):
    """The treaty and the alliance of Rio have a name in common; of the two the class decides."""
    found = proposed(item(1, "TIAR", language="es"))
    assert told(found, "thing", "confidence", "rivals") == [
        ("rio-pact", 0.4, ("id:rio-treaty as wd:Q999000001 (0.4)",)),
        ("rio-treaty", 0.4, ("id:rio-pact as wd:Q999000001 (0.4)",)),
    ]
    assert told(proposed(item(1, "TIAR", language="es", kinds=[TREATY])), "thing", "confidence") == [
        ("rio-treaty", 0.52)
    ]


def test_what_may_be_one_thing_stands_side_by_side(proposed):
    found = proposed(item(2, "AES"), item(1, "Alliance of Sahel States"))
    assert told(found, "thing", "item", "rivals") == [
        ("aes", "Q999000001", ("id:aes as wd:Q999000002 (0.4)",)),
        ("aes", "Q999000002", ("id:aes as wd:Q999000001 (0.6)",)),
    ]


def test_a_linked_item_is_not_proposed_for_another_thing(proposed):
    """Q7184 is NATO, whatever else it is called; the kingdom is known to be wider than Denmark."""
    renamed = item(1, "Alliance of Sahel States") | {"id": "Q7184"}
    kingdom = item(2, "Denmark") | {"id": "Q756617"}
    assert proposed(renamed, kingdom).candidates == ()


def test_what_is_gone_is_not_proposed(proposed):
    found = proposed({"id": "Q999000001", "missing": ""})
    assert (found.candidates, found.doubts) == ((), ())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"label": "Ruritania"}, "It is called “Ruritania”, here “Armenia”."),
        ({"label": "Armenia", "kinds": [TREATY]}, "It is a treaty, here a State."),
        ({"label": "Armenia", "codes": {"P298": "AZE"}}, "Its ISO 3166-1 alpha-3 code is AZE, here ARM."),
        ({"label": "Armenia", "codes": {"P1566": "587116"}}, "Its GeoNames code is 587116, here 174982."),
    ],
)
def test_a_linked_item_that_does_not_fit_is_doubted(proposed, given, message):
    found = proposed(item(1, **given) | {"id": "Q399"})
    assert [(each.thing, each.item, each.message) for each in found.doubts] == [("armenia", "Q399", message)]


def test_a_linked_item_that_moved_is_doubted(proposed):
    moved = json.dumps(
        {"entities": {"Q399": {"id": "Q227", "redirects": {"from": "Q399", "to": "Q227"}, "claims": {}}}}
    )
    assert [each.message for each in proposed(moved).doubts if each.item == "Q399"] == ["It redirects to Q227."]
    assert [each.message for each in proposed({"id": "Q399", "missing": ""}).doubts] == ["It is deleted, or never was."]


def test_a_linked_item_that_fits_is_not_doubted(proposed):
    found = proposed(
        item(1, "Armenien", language="de", aliases=["Armenia"], kinds=["Q3624078", COUNTRY]) | {"id": "Q399"}
    )
    assert found.doubts == ()


def test_the_order_of_files_does_not_matter(here, every, tmp_path):
    paths = []
    for number, label in enumerate(("AES", "Alliance of Sahel States", "Quad"), start=1):
        paths.append(tmp_path / f"{number}.json")
        paths[-1].write_text(json.dumps(item(number, label)))
    one, other = (
        proposing.propose([reading.read(path) for path in order], here, every) for order in (paths, paths[::-1])
    )
    assert one.candidates
    assert (one.table(), one.json()) == (other.table(), other.json())


def test_a_proposed_row_is_a_finding_until_it_is_reviewed(proposed):
    """The table is SSSOM but for what a reviewer has to say: who, and on which day."""
    text = proposed(item(1, "Alliance of Sahel States", kinds=[MILITARY_ALLIANCE])).table()
    table = sssom.read(text)
    (row,) = table.rows
    assert table.faults == ()
    assert [each.message for each in row.faults] == ["“” is no day.", "The row does not say who made the link."]
    assert row.get("comment") == "Because: same label (en): “Alliance of Sahel States”; it is a military alliance."
    head, cells = (line.split("\t") for line in text.splitlines()[-2:])
    for column, value in (("author_label", "A program"), ("mapping_date", "2026-11-22")):
        cells[head.index(column)] = value
    unreviewed = "\n".join([*text.splitlines()[:-2], "\t".join(head), "\t".join(cells)])
    assert [each.message for each in sssom.read(unreviewed).rows[0].faults] == [
        "The row does not say who reviewed what was not made by hand."
    ]
    cells[head.index("reviewer_label")] = "A person"
    reviewed = "\n".join([*text.splitlines()[:-2], "\t".join(head), "\t".join(cells)])
    assert sssom.read(reviewed).rows[0].faults == ()


def test_a_strangers_label_does_not_break_the_table(proposed):
    """A tab, a line end and what commands a terminal are one line of plain text in the table."""
    found = proposed(item(1, "Alliance\tof Sahel\nStates\x1b[2J", aliases=["AES"]))
    table = sssom.read(found.table())
    assert (len(table.rows), table.faults) == (1, ())
    assert "\x1b" not in found.table()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The address of a real server with an alliance of Wikidata's shape, and with something of another name."""
    file = tmp_path_factory.mktemp("wikidata") / "items.ttl"
    file.write_text("""
        @prefix wd: <http://www.wikidata.org/entity/> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
        @prefix skos: <http://www.w3.org/2004/02/skos/core#> . @prefix wdt: <http://www.wikidata.org/prop/direct/> .
        @prefix p: <http://www.wikidata.org/prop/> . @prefix ps: <http://www.wikidata.org/prop/statement/> .
        @prefix s: <http://www.wikidata.org/entity/statement/> . @prefix wikibase: <http://wikiba.se/ontology#> .
        wd:Q999000001 p:P31 s:Q999000001-1 .
        s:Q999000001-1 ps:P31 wd:Q1127126 ; wikibase:rank wikibase:NormalRank .
        wd:Q999000003 rdfs:label "Tibet"@en ; wdt:P298 "TIB" ; wdt:P1566 "1" .
        wd:Q999000001 rdfs:label "Sahel pact"@en ; skos:altLabel "Alliance of Sahel States"@en .
        wd:Q999000002 rdfs:label "Ruritania"@en .
        wd:P999 rdfs:label "Alliance of Sahel States"@en .
    """)
    with serving(file) as address:
        yield address


def test_a_server_is_asked_for_what_has_a_name_of_ours(here, every, served, tmp_path):
    """An item by its alias, with its class, one with its codes, and no property of that name."""
    wanted = proposing.names_of(proposing.unlinked(every, here))
    assert ("Alliance of Sahel States", "en") in wanted and ("Armenia", "en") not in wanted
    readings = endpoint.called(asking(served, tmp_path), wanted, ["en"])
    found = proposing.propose(readings, here, every)
    assert found.troubles == ()
    assert told(found, "thing", "item", "item_label", "confidence") == [
        ("aes", "Q999000001", "Sahel pact", 0.52),
        ("tibet", "Q999000003", "Tibet", 0.6),
    ]
    assert [each.codes for each in readings[0].items if each.codes] == [{"P298": ("TIB",), "P1566": ("1",)}]


@pytest.mark.parametrize(
    "answer",
    [(500, {}, b"no"), (429, {"Retry-After": "9999"}, b""), (200, {}, b"<html></html>"), (200, {}, b'{"head": {')],
    ids=["error", "too many", "page", "cut"],
)
def test_a_server_that_does_not_answer_is_told(here, every, tmp_path, answer):
    with answering(answer) as (url, asked):
        readings = endpoint.called(asking(url, tmp_path), [("AES", "en"), *[(str(n), "en") for n in range(99)]], ["en"])
    found = proposing.propose(readings, here, every)
    assert found.candidates == ()
    assert [(each.file, each.place) for each in found.troubles] == [(url, "100 of 100 names")]
    assert len(asked) == 1


@pytest.fixture
def run(foedus, tmp_path):
    """Runs the command in a folder of its own."""
    return partial(foedus, "link", "propose", cwd=tmp_path)


def test_the_command_prints_a_table_and_writes_no_link(run, tmp_path):
    before = {path: path.read_bytes() for path in files.LINKS.iterdir()}
    (tmp_path / "item.json").write_text(json.dumps(item(1, "Alliance of Sahel States")))
    done = run("item.json")
    assert done.returncode == 0
    assert done.stderr.endswith("1 proposed. Nothing was linked.\n")
    (row,) = sssom.read(done.stdout).rows
    assert sssom.expand(row.get("object_id")) == names.PREFIXES["wd"] + "Q999000001"
    assert {path: path.read_bytes() for path in files.LINKS.iterdir()} == before


def test_a_doubt_is_1_and_something_unreadable_3(run, tmp_path):
    """What can be read is proposed, and the answer says that it is partial."""
    (tmp_path / "item.json").write_text(json.dumps(item(1, "AES")))
    (tmp_path / "doubted.json").write_text(json.dumps(item(2, "Ruritania") | {"id": "Q399"}))
    (tmp_path / "bad.json").write_text('{"id": "Q183", "cl')
    done = run("doubted.json")
    assert done.returncode == 1
    assert "wd:Q399, linked to id:armenia: It is called “Ruritania”, here “Armenia”." in done.stderr
    done = run("item.json", "bad.json", "none.ttl", "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["partial"]) == (3, True)
    assert [each["thing"] for each in found["candidates"]] == ["aes"]
    assert "bad.json: line 1: The JSON" in done.stderr and "none.ttl: No such file" in done.stderr
