"""What a parameter's value means, and how an answer reads in a terminal."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from foedus import names
from foedus.errors import NoSuchThing, WrongUsage
from foedus.query import answering
from foedus.query.limits import Limits
from foedus.query.pool import Pool, Request
from foedus.query.resolve import resolver
from foedus.query.table import as_table

ALLIANCE, STATE = names.ONTOLOGY + "Alliance", names.ONTOLOGY + "State"


@pytest.mark.parametrize(
    ("value", "type_", "local"),
    [
        ("csto", ALLIANCE, "csto"),
        ("CSTO", ALLIANCE, "csto"),
        ("id:csto", ALLIANCE, "csto"),
        (names.ID + "csto", ALLIANCE, "csto"),
        (f"<{names.ID}csto>", ALLIANCE, "csto"),
        ("wd:Q318693", ALLIANCE, "csto"),
        ("http://www.wikidata.org/entity/Q318693", ALLIANCE, "csto"),
        ("collective  security treaty organization", ALLIANCE, "csto"),
        ("ARM", STATE, "armenia"),
        ("arm", STATE, "armenia"),
        ("Հայաստան", STATE, "armenia"),
        ("russian federation", STATE, "russia"),
        ("GEO", STATE, "georgia"),
        ("am", STATE, "armenia"),
        ("ISO AM", STATE, "armenia"),
        ("FIPS AM", STATE, "russia"),
        ("gg", STATE, "georgia"),
        ("M49 051", STATE, "armenia"),
        ("ISO 3166-1 numeric 051", STATE, "armenia"),
        ("ISO 51", STATE, "armenia"),
        ("COW 51", STATE, "georgia"),
        ("365", STATE, "russia"),
        ("COW 365", STATE, "russia"),
        ("cow:365", STATE, "russia"),
        ("COW365", STATE, "russia"),
        ("GW 365", STATE, "russia"),
        ("Gleditsch-Ward number 365", STATE, "russia"),
        ("364", STATE, "russia"),
        ("643", STATE, "russia"),
        ("365.0", STATE, "russia"),
        ("GW 643", STATE, "soviet-union"),
        ("99", STATE, "georgia"),
        ("gw", STATE, "georgia"),
        ("ussr", STATE, "soviet-union"),
        ("soviet  union", STATE, "soviet-union"),
        ("cote d'ivoire", STATE, "ivory-coast"),
        ("Cote D`Ivoire", STATE, "ivory-coast"),
    ],
)
def test_a_thing_is_found_by_whatever_it_is_called(small_pool, value, type_, local):
    assert resolver(small_pool)(value, type_) == names.ID + local


@pytest.mark.parametrize(
    ("value", "day", "local"),
    [
        ("365", "1970-01-01", "soviet-union"),
        ("COW 365", "1991-12-25", "soviet-union"),
        ("gw:365", "1970-01-01", "soviet-union"),
        ("365", "1991-12-26", "russia"),
        ("365", "1900-01-01", "soviet-union"),
        ("COW 365", "1900-01-01", "russia"),
        ("ISO 643", "1970-01-01", "russia"),
        ("RUS", "1970-01-01", "russia"),
        ("AM", "1970-01-01", "armenia"),
        ("COW 51", "1970-01-01", "georgia"),
    ],
)
def test_a_code_means_who_had_it_on_the_day_if_anybody_did(small_pool, value, day, local):
    """The second list does not say since when the Soviet Union had its number; codes of ISO here have no days."""
    assert resolver(small_pool)(value, STATE, day) == names.ID + local


def test_a_number_with_a_day_stays_unsure_where_a_list_without_days_has_it_too(small_pool):
    for day in ("1970-01-01", "2000-01-01"):
        with pytest.raises(WrongUsage, match="may mean several things"):
            resolver(small_pool)("51", STATE, day)


def test_the_first_askers_share_one_index(small_dataset):
    with Pool(small_dataset, Limits(workers=4)) as pool, ThreadPoolExecutor(8) as askers:
        found = set(askers.map(lambda _: resolver(pool)("ARM", STATE), range(8)))
        asked = pool.statistics().open.asked + pool.statistics().reserved.asked
    assert (found, asked) == ({names.ID + "armenia"}, 1)


@pytest.mark.parametrize(("value", "near"), [("Armania", "armenia (Armenia)"), ("rusia", "russia (Russia)")])
def test_a_misspelling_is_answered_with_what_is_near(small_pool, value, near):
    with pytest.raises(WrongUsage, match="There is no State") as refused:
        resolver(small_pool)(value, STATE)
    assert near in refused.value.remedy


@pytest.mark.parametrize(
    ("value", "remedy"),
    [
        ("51", "Choose one of: ISO 3166-1 numeric 051 (Armenia), COW 51 (Georgia)."),
        ("051", "Choose one of: ISO 3166-1 numeric 051 (Armenia), COW 51 (Georgia)."),
        ("98", "Choose one of: Gleditsch–Ward 98 (Armenia), COW 98 (Georgia)."),
    ],
)
def test_a_number_that_two_lists_give_to_different_states_is_answered_with_both(small_pool, value, remedy):
    with pytest.raises(WrongUsage, match="may mean several things") as refused:
        resolver(small_pool)(value, STATE)
    assert refused.value.remedy == remedy


@pytest.mark.parametrize("value", ["COW 999", "ISO 365", "MARC 365", "365 COW", "number 365", "COW 3655"])
def test_a_code_that_its_list_does_not_have_means_nothing(small_pool, value):
    with pytest.raises(WrongUsage, match="There is no State"):
        resolver(small_pool)(value, STATE)


def test_a_thing_of_another_class_is_none(small_pool):
    with pytest.raises(WrongUsage, match="There is no State “csto”"):
        resolver(small_pool)("csto", STATE)


def test_a_name_of_two_things_is_answered_with_both(small_pool):
    with pytest.raises(WrongUsage, match="several things") as refused:
        resolver(small_pool)("the league", ALLIANCE)
    assert "blue-league (Blue League), red-league (Red League)" in refused.value.remedy


@pytest.mark.parametrize("value", ['"', "'} #", "<x>", "\\", "a\nb", "?x", "x> } DROP ALL #", "\u0000", "é" * 10_000])
def test_no_value_can_change_the_query(small_pool, value):
    with pytest.raises(WrongUsage, match="There is no State"):
        resolver(small_pool)(value, STATE)


def test_a_class_without_instances_says_so(small_pool):
    with pytest.raises(WrongUsage, match="holds none"):
        resolver(small_pool)("x", names.ONTOLOGY + "Treaty")


def test_sparql_text_takes_no_values(small_pool):
    with pytest.raises(WrongUsage, match="takes no values"):
        answering.answer(small_pool, "ASK {}", {"x": "y"})


def test_an_unknown_question_is_told(small_pool):
    with pytest.raises(NoSuchThing, match="no question"):
        answering.answer(small_pool, "who-is-it", {})


def test_rows_read_as_an_aligned_table(small_pool):
    answer = small_pool.ask(Request("SELECT ?s ?c { ?s foedus:iso3 ?c } ORDER BY ?c LIMIT 2"))
    assert as_table(answer) == "s           c\n──────────  ───\nid:armenia  ARM\nid:georgia  GEO"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ASK {}", "yes"),
        ("ASK { <urn:x> ?p ?o }", "no"),
        ("SELECT * { <urn:x> ?p ?o }", "Nothing found."),
    ],
)
def test_other_answers_read_plainly(small_pool, text, shown):
    assert as_table(small_pool.ask(Request(text))) == shown


def test_triples_read_as_turtle(small_pool):
    shown = as_table(small_pool.ask(Request("CONSTRUCT WHERE { id:csto ?p ?o }")))
    assert "id:csto a foedus:Alliance" in shown
