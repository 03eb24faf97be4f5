"""What the audit finds in files that really came from Wikidata, written down beforehand from their content."""

from pathlib import Path

import pytest

from foedus.link import auditing, reading

from .items import OF_MEMBERSHIP, told

SHARED = Path(__file__).parents[3] / "shared"
ANSWER = SHARED / "datasets" / "wikidata_military-alliances_2020-10-28.csv"
ENTITY = SHARED / "wikidata" / "Q183_Germany.json"
GRAPH = SHARED / "wikidata" / "Q183_P463_DERIVED.ttl"

pytestmark = pytest.mark.skipif(not ANSWER.exists(), reason="the files in ../shared are not there")


@pytest.fixture(scope="module")
def answer(here):
    return auditing.audit([reading.read(ANSWER)], here)


@pytest.fixture(scope="module")
def germany(here):
    return auditing.audit([reading.read(ENTITY)], here)


def test_the_answer_of_2020_shows_uzbekistan_as_a_member(answer):
    """It left in 2012; of the 42 rows no other contradicts the record."""
    found = [each for each in answer.findings if each.verdict == "contradicted"]
    assert [(each.item, each.alliance, each.here) for each in found] == [("Q265", "csto", "[2012-06-27..2012-12-18]")]


def test_the_answer_of_2020_has_denmark_twice(answer):
    found = [each for each in answer.findings if each.state == "denmark" and each.what == "membership"]
    assert [(each.verdict, each.item) for each in found] == [("other item", "Q756617"), ("agrees", "Q35")]
    assert "member there too" in found[0].note


def test_the_answer_of_2020_lacks_half_of_two_alliances(answer):
    """Its filter by class lost three of six members of the one, and twelve of thirty of the other."""
    lacking = [each.state for each in answer.findings if (each.verdict, each.alliance) == ("missing there", "csto")]
    assert lacking == ["armenia", "belarus", "russia"]
    nato = [each.state for each in answer.findings if (each.verdict, each.alliance) == ("missing there", "nato")]
    assert nato == [
        *("albania", "belgium", "czechia", "estonia", "greece", "hungary", "iceland", "lithuania", "luxembourg"),
        *("north-macedonia", "slovenia", "spain"),
    ]


def test_the_answer_of_2020_finds_the_netherlands_at_its_item(answer):
    """The membership stands at Q55, not at Q29999, which the country-codes list gives."""
    found = [each for each in answer.findings if (each.state, each.alliance) == ("netherlands", "nato")]
    assert [(each.verdict, each.item) for each in found] == [("agrees", "Q55")]


def test_a_row_through_another_property_is_out_of_scope(answer):
    """France and a currency, by “named after”."""
    (found,) = [each for each in answer.findings if each.target == "Q43482"]
    assert (found.verdict, found.note) == ("out of scope", "P138 is no statement of membership.")


def test_nothing_is_proposed_from_an_answer_without_qualifiers(answer):
    assert answer.proposals == ()


def test_germany_is_three_days_late_in_nato(germany):
    found = [each for each in germany.findings if (each.alliance, each.what) == ("nato", "begin")]
    assert [(each.verdict, each.there, each.here, each.days) for each in found] == [
        ("differs", "1955-05-09", "1955-05-06", 3)
    ]


def test_years_of_the_western_european_union_are_no_days(germany):
    """The end agrees to the year; the begin is in another year, 126 days off whatever day of 1954 is meant."""
    found = [each for each in germany.findings if each.alliance == "weu"]
    assert [(each.what, each.verdict, each.there, each.days, each.note) for each in found] == [
        ("begin", "differs", "1954", -126, "To the year."),
        ("end", "agrees", "2011", 0, "To the year."),
    ]


def test_the_european_union_is_out_of_scope(germany):
    """The record has the Union's mutual defence, not membership of the Union."""
    (found,) = [each for each in germany.findings if each.target == "Q458"]
    assert (found.verdict, found.note) == ("out of scope", "id:european-union is no alliance of the record.")


def test_every_statement_of_the_item_is_judged(germany):
    """The item has 47 statements of membership."""
    of_membership = [each for each in germany.findings if each.what in OF_MEMBERSHIP and each.place]
    assert len({each.place for each in of_membership}) == 47
    assert germany.troubles == ()


def test_references_are_counted(germany):
    """Those of the three statements that people would first look at; two of the 47 have none."""
    numbers = {each.alliance: each.references for each in germany.findings if each.what == "begin"}
    assert numbers == {"nato": 3, "weu": 3}
    without = {each.place for each in germany.findings if each.what in OF_MEMBERSHIP and each.references == 0}
    assert len(without) == 2


def test_germany_gets_three_lines(germany):
    """Two begins with their sources, one of which replaces a day; the year 1954 is left to a person."""
    lines = [each.line.split("\t")[:6] for each in germany.proposals]
    assert lines == [
        ["Q183", "P463", "Q7184", "P580", "+1955-05-06T00:00:00Z/11", "S854"],
        ["REMOVE_QUAL", "Q183", "P463", "Q7184", "P580", "+1955-05-09T00:00:00Z/11"],
        ["Q183", "P463", "Q189946", "P580", "+1955-05-06T00:00:00Z/11", "S854"],
    ]
    assert [each.by_hand for each in germany.proposals] == ["", "", "Q183, begin: 1954 is still there."]


def test_germany_begins_in_1871_there(germany):
    """A list of states has it independent in 1618 and in 1949; the nearest day of these is later by 78 years."""
    (found,) = [each for each in germany.findings if each.what == "founded"]
    assert (found.verdict, found.there, found.days) == ("differs", "1871-01-18", -28715)
    assert found.here == "1618-07 (independent), 1949-09 (independent)" and "several ways" in found.note


def test_germany_follows_an_item_that_is_linked_to_nothing(germany):
    """The Holy Roman Empire, by “follows”."""
    (found,) = [each for each in germany.findings if each.target == "Q12548"]
    assert (found.verdict, found.what) == ("out of scope", "predecessor")
    assert found.note == "By P155. Q12548 is linked to nothing here."


def test_germany_has_the_same_names_in_six_languages(germany):
    found = [(each.language, each.verdict) for each in germany.findings if each.what == "label"]
    assert found == [(language, "agrees") for language in ("ar", "en", "es", "fr", "ru", "zh")]


def test_the_answer_of_2020_spells_one_alliance_otherwise(answer):
    """Organisation and Organization; the names of states and of the other alliances agree but for capitals."""
    found = [each for each in answer.findings if each.what == "label"]
    assert [(each.alliance, each.verdict) for each in found if each.verdict != "agrees"] == [("csto", "differs")]
    assert ("anzus", "agrees") in [(each.alliance, each.verdict) for each in found]


def test_five_eyes_are_no_military_alliance(answer):
    """The answer has its four members among those of military alliances; the record has it as a grouping."""
    found = [each for each in answer.findings if each.alliance == "five-eyes" and each.what == "membership"]
    assert [each.state for each in found] == ["australia", "canada", "new-zealand", "united-kingdom"]
    assert {each.note for each in found} == {"id:five-eyes is no alliance of the record."}


def test_the_graph_of_the_item_gives_the_same(germany, here):
    graph = auditing.audit([reading.read(GRAPH)], here)
    columns = ("verdict", "what", "alliance", "there", "here", "days", "references", "place")
    assert told(graph, *columns) == told(germany, *columns)
    assert [each.line for each in graph.proposals] == [each.line for each in germany.proposals]


def test_a_foreign_item_and_a_piece_of_a_dump(here):
    """An author is linked to nothing; Belgium is there without its 776 statements, and none counts as missing."""
    readings = [reading.read(SHARED / "wikidata" / name) for name in ("Q42.ttl", "wdqs_small_dump_chunk.ttl")]
    found = auditing.audit(readings, here)
    assert found.differences == ()
    assert {each.place for each in found.troubles} >= {"Q31"}
