"""The facts of the record, held against dates that were typed by hand from the sources."""

from collections import Counter
from pathlib import Path

import pytest
from rdflib import OWL, RDF, BNode, Graph, Literal, URIRef

from foedus import names

DATA = Path(__file__).parents[2] / "data"
FILES = sorted(DATA.rglob("*.ttl"))
SIX = frozenset({"armenia", "belarus", "kazakhstan", "kyrgyzstan", "russia", "tajikistan"})
INFERRED = ("membership-", "binding-", "signatory-", "interruption-")

CST = "collective-security-treaty"
CHARTER = "csto-charter"
EXTENSION = "cst-extension-protocol-1999"
AMENDMENTS = "cst-amending-protocol-2010"


@pytest.fixture(scope="module")
def data() -> Graph:
    """All files of the data folder in one graph."""
    graph = Graph()
    for file in FILES:
        graph.parse(file)
    return graph


def term(local: str) -> URIRef:
    return URIRef(names.ONTOLOGY + local)


def thing(local: str) -> URIRef:
    return URIRef(names.ID + local)


def acts(data: Graph, kind: str, treaty: str, date: str = "occurred") -> dict[str, str]:
    """The date of each state's act of one kind under one treaty, by the state's local name."""
    return {
        str(data.value(act, term("ofState"))).removeprefix(names.ID): str(data.value(act, term(date)))
        for act in data.subjects(RDF.type, term(kind))
        if (act, term("ofTreaty"), thing(treaty)) in data and (act, term("ofState"), None) in data
    }


def test_nine_states_signed_the_collective_security_treaty(data: Graph) -> None:
    assert acts(data, "Signature", CST) == {
        "armenia": "1992-05-15",
        "kazakhstan": "1992-05-15",
        "kyrgyzstan": "1992-05-15",
        "russia": "1992-05-15",
        "tajikistan": "1992-05-15",
        "uzbekistan": "1992-05-15",
        "azerbaijan": "1993-09-24",
        "georgia": "1993-12-09",
        "belarus": "1993-12-31",
    }


def test_the_day_of_entry_into_force_is_known_for_the_six_first_signatories_only(data: Graph) -> None:
    later = "[1994-04-20..1999-04-02]"
    assert acts(data, "EntryIntoForce", CST, "takesEffect") == {
        "armenia": "1994-04-20",
        "kazakhstan": "1994-04-20",
        "kyrgyzstan": "1994-04-20",
        "russia": "1994-04-20",
        "tajikistan": "1994-04-20",
        "uzbekistan": "1994-04-20",
        "azerbaijan": later,
        "belarus": later,
        "georgia": later,
    }


def test_kazakhstan_ratified_the_collective_security_treaty_in_1992(data: Graph) -> None:
    assert acts(data, "Ratification", CST)["kazakhstan"] == "1992-12-23"


def test_six_states_signed_the_extension_and_three_did_not(data: Graph) -> None:
    assert acts(data, "Signature", EXTENSION) == dict.fromkeys(SIX, "1999-04-02")
    assert acts(data, "RefusalToExtend", CST) == dict.fromkeys(("azerbaijan", "georgia", "uzbekistan"), "1999-04-02")


def test_the_treaty_lapsed_for_three_states_with_the_last_day_of_its_first_term(data: Graph) -> None:
    three = ("azerbaijan", "georgia", "uzbekistan")
    assert acts(data, "Expiry", CST) == dict.fromkeys(three, "1999-04-20")
    assert acts(data, "Expiry", CST, "takesEffect") == dict.fromkeys(three, "1999-04-21")


def test_the_extension_took_effect_before_it_entered_into_force(data: Graph) -> None:
    act = thing(f"{EXTENSION}-entry-into-force")
    assert data.value(act, term("takesEffect")) == Literal("1999-04-21")
    assert data.value(act, term("enteredIntoForce")) == Literal("2000-03-22")


def test_the_wording_of_articles_2_and_4_changed_on_19_december_2012(data: Graph) -> None:
    act = thing(f"{AMENDMENTS}-entry-into-force")
    assert data.value(act, term("occurred")) == Literal("2012-12-19")
    assert set(data.subjects(term("introducedBy"), act)) == {
        thing(f"{CST}-article-2-version-2010"),
        thing(f"{CST}-article-4-version-2010"),
    }


def test_six_states_signed_the_charter_and_are_bound_by_it_a_year_later(data: Graph) -> None:
    assert acts(data, "Signature", CHARTER) == dict.fromkeys(SIX, "2002-10-07")
    assert acts(data, "EntryIntoForce", CHARTER, "takesEffect") == dict.fromkeys(SIX, "2003-09-18")


def test_the_organisation_was_decided_on_14_may_2002(data: Graph) -> None:
    act = thing("csto-establishment-2002-05-14")
    assert data.value(act, term("establishes")) == thing("csto")
    assert data.value(act, term("occurred")) == Literal("2002-05-14")


def test_every_step_of_uzbekistans_return_and_second_departure_is_an_act(data: Graph) -> None:
    steps = {
        "csto-announcement-uzbekistan-2006-06-23": ("Announcement", "2006-06-23"),
        "csto-signature-uzbekistan-2006-08-16": ("Signature", "2006-08-16"),
        "csto-ratification-uzbekistan-2006-11-21": ("Ratification", "2006-11-21"),
        "csto-ratification-uzbekistan-2006-12-01": ("Ratification", "2006-12-01"),
        "csto-ratification-uzbekistan-2006-12": ("Ratification", "2006-12"),
        "csto-ratification-uzbekistan-2008-03-28": ("Ratification", "2008-03-28"),
        "csto-notification-uzbekistan-2012-06-28": ("Notification", "2012-06-28"),
        "csto-suspension-uzbekistan-2012-12-19": ("Suspension", "2012-12-19"),
    }
    found = {
        act: (kind, str(data.value(thing(act), term("occurred"))))
        for act, (kind, _) in steps.items()
        if (thing(act), RDF.type, term(kind)) in data
    }
    assert found == steps


@pytest.mark.parametrize(
    ("act", "effect"),
    [
        ("csto-readmission-uzbekistan", "[2006-06-23..2008-03-28]"),
        ("csto-suspension-uzbekistan-2012-12-19", "[2012-06-28..2012-12-19]"),
    ],
)
def test_uzbekistan_came_and_went_for_treaty_and_organisation_alike(data: Graph, act: str, effect: str) -> None:
    assert data.value(thing(act), term("takesEffect")) == Literal(effect)
    assert set(data.objects(thing(act), term("ofTreaty"))) == {thing(CST), thing(CHARTER)}


def test_a_suspension_is_an_end_only_where_the_organisation_made_it_one(data: Graph) -> None:
    interruptions = {act for kind in ("Suspension", "Freeze") for act in data.subjects(RDF.type, term(kind))}
    ends = {act for act in interruptions if (act, RDF.type, term("EndingAct")) in data}
    assert ends == {thing("csto-suspension-uzbekistan-2012-12-19")}
    assert thing("csto-freeze-armenia-2024-02-22") in interruptions


@pytest.mark.parametrize(
    ("request_", "version", "asked"),
    [
        (f"{CST}-request-kyrgyzstan-2010-06-12", None, "militaryAssistance"),
        (f"{CST}-article-2-armenia-2021-05-14", f"{CST}-article-2", "consultations"),
        (f"{CST}-article-4-kazakhstan-2022-01-05", f"{CST}-article-4", "militaryAssistance"),
        (f"{CST}-article-4-armenia-2022-09-13", f"{CST}-article-4", "militaryAssistance"),
    ],
)
def test_each_request_says_what_was_asked_for_and_by_which_article(
    data: Graph, request_: str, version: str | None, asked: str
) -> None:
    assert data.value(thing(request_), term("asksFor")) == term(asked)
    assert data.value(thing(request_), term("invokes")) == (thing(version) if version else None)


def test_nobody_answered_armenias_request_of_2022_with_troops(data: Graph) -> None:
    asked = thing(f"{CST}-article-4-armenia-2022-09-13")
    answers = [*data.subjects(term("decisionOn"), asked), *data.subjects(term("outcomeOf"), asked)]
    assert answers
    assert {kind for answer in answers for kind in data.objects(answer, term("provides"))} == {term("observerMission")}


def test_another_sources_date_is_kept_as_that_sources_claim(data: Graph) -> None:
    claims = {
        (str(data.value(claim, term("about"))).removeprefix(names.ID), str(data.value(claim, term("value"))))
        for claim in data.subjects(RDF.type, term("ValueClaim"))
    }
    assert claims >= {
        (f"{CST}-signature-belarus", "1994-01-03"),
        (f"{CST}-signature-belarus", "1992-05-15"),
        (f"{CST}-expiry-uzbekistan", "1998"),
        ("csto-signature-uzbekistan-2006-08-16", "2006-08-17"),
        ("csto-suspension-uzbekistan-2012-12-19", "2012-06-28"),
        ("csto-suspension-uzbekistan-2012-12-19", "2011"),
    }


def test_every_node_has_a_name(data: Graph) -> None:
    assert not [node for triple in data for node in triple if isinstance(node, BNode)]


def test_each_thing_is_described_in_one_file_only() -> None:
    files = Counter(subject for file in FILES for subject in set(Graph().parse(file).subjects()))
    assert files
    assert [str(subject) for subject, number in files.items() if number > 1] == []


def test_whatever_is_referred_to_is_described_unless_rules_infer_it(data: Graph) -> None:
    described = set(data.subjects())
    dangling = {
        str(value).removeprefix(names.ID)
        for value in data.objects()
        if isinstance(value, URIRef) and value.startswith(names.ID) and value not in described
    }
    assert sorted(name for name in dangling if not name.startswith(INFERRED)) == []


@pytest.mark.parametrize("folder", ["treaties", "alliances", "incidents"])
def test_a_file_is_named_after_what_it_describes(folder: str) -> None:
    """After its thing, or what the names of its things begin with; protocols are named after their treaty."""
    files = sorted((DATA / folder).glob("*.ttl"))
    assert files
    for file in files:
        stem = file.stem.removesuffix("-protocols")
        described = {str(subject).removeprefix(names.ID) for subject in Graph().parse(file).subjects(RDF.type, None)}
        assert any(name.startswith(stem) for name in described), file.name


def test_what_uzbekistan_ratified_in_2006_is_the_protocol_on_its_return(data: Graph) -> None:
    protocol = thing("csto-restoration-protocol-2006")
    assert set(data.objects(protocol, term("supplements"))) == {thing(CHARTER)}
    for day in ("2006-11-21", "2006-12-01", "2006-12"):
        act = thing(f"csto-ratification-uzbekistan-{day}")
        assert set(data.objects(act, term("ofTreaty"))) == {protocol}


def test_what_can_have_one_value_only_has_no_two(data: Graph) -> None:
    """A reasoner not told that two things differ would take two values for one thing, and find nothing wrong."""
    single = set(Graph().parse(DATA.parent / "ontology" / "dl.ttl").subjects(RDF.type, OWL.FunctionalProperty))
    assert len(single) > 15
    assert [
        (subject, each)
        for each in single
        for subject in set(data.subjects(each))
        if len(set(data.objects(subject, each))) > 1
    ] == []
