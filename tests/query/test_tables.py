"""The researchers' tables: which years count, what 1, 0 and empty mean, and that they say what the questions say."""

import csv
import io
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foedus.errors import AnswerTooLarge
from foedus.query import record as records
from foedus.query import results
from foedus.query.answering import answer
from foedus.query.codebook import COLUMNS, RULES, codebook
from foedus.query.record import FAR, KINDS, Body, Covered, Span
from foedus.query.tables import NAMES, Table, Tables

from .histories import HORIZON, day, party, record, span, wording

PLEDGES = ("defense", "neutrality", "nonaggression", "offense", "consultation")
ALWAYS = Covered(1, FAR, "complete")


def rows(table: Table) -> list[dict[str, object]]:
    return [dict(zip([column.name for column in table.columns], row, strict=True)) for row in table.rows]


def dyads(*spells, name="dyad-year", **more) -> list[dict[str, object]]:
    return rows(Tables(record(*spells, **more)).table(name))


def both(held: Span) -> tuple[records.Spell, records.Spell]:
    return party("alba", "pact", held), party("borea", "pact", held)


@pytest.mark.parametrize("name", ["dyad-year", "directed-dyad-year"])
def test_the_first_columns_are_the_promised_ones(name):
    assert tuple(column.name for column in COLUMNS[name])[:8] == ("ccode1", "ccode2", "year", *PLEDGES)


@pytest.mark.parametrize(
    ("begin", "end", "expected"),
    [
        ("1960-12-31", "1962-01-01", [1960, 1961]),
        ("1960-12-31", "1962-01-02", [1960, 1961, 1962]),
        ("1960-01-01", "1960-01-02", [1960]),
        ("1961-01-01", "1961-01-01", []),
    ],
)
def test_a_year_counts_by_one_day_of_it(begin, end, expected):
    """An end is the first day without the pledge."""
    made = dyads(*both(span(begin, end)), wordings=(wording("defense", span("1950-01-01", "1990-01-01")),))
    assert [row["year"] for row in made if row["defense"] == 1] == expected
    assert [row["year"] for row in made] == expected


def test_a_year_in_which_the_two_were_bound_on_different_days_does_not_count():
    made = dyads(
        party("alba", "pact", span("1960-01-01", "1960-06-01")),
        party("borea", "pact", span("1960-06-01", "1962-01-01")),
    )
    assert made == []


def test_the_last_year_runs_to_the_datasets_day():
    made = dyads(*both(span("1999-01-01", attested="2000-01-02")))
    assert [row["year"] for row in made] == [1999, 2000]
    future = span("2000-07-01", "2010-01-01")
    assert dyads(*both(future)) == []


def test_an_uncertain_beginning_is_possible_before_it_is_certain():
    held = span("1960-05-01", "1970-01-01", begun="1962-05-01")
    made = dyads(*both(held), wordings=(wording("defense", span("1950-01-01", "1990-01-01")),))
    sure = {row["year"]: (row["certainty"], row["defense"], row["defense_possible"]) for row in made}
    assert sure[1961] == ("possible", None, 1)
    assert sure[1962] == ("certain", 1, 1)


def test_an_open_bond_is_presumed_after_the_last_day_attested():
    made = dyads(
        *both(span("1960-01-01", attested="1965-03-01")),
        wordings=(wording("defense", span("1950-01-01", "1999-01-01")),),
    )
    read = {row["year"]: (row["certainty"], row["defense"], row["defense_presumed"]) for row in made}
    assert read[1965] == ("certain", 1, 1)
    assert read[1966] == ("presumed", None, 1)


def test_a_tie_is_as_sure_as_the_less_sure_bond():
    """One bond is open and no longer attested, the other certain: presumed."""
    made = dyads(
        party("alba", "pact", span("1960-01-01", attested="1965-01-01")),
        party("borea", "pact", span("1960-01-01", "1980-01-01")),
    )
    assert {row["year"]: row["certainty"] for row in made}[1970] == "presumed"
    assert max(row["year"] for row in made) == 1979


def test_nought_is_said_only_where_all_pledges_are_covered():
    tie, pledge = both(span("1960-01-01", "1962-01-01")), (wording("defense", span("1960-01-01", "1990-01-01")),)
    (silent, *_), (said, *_) = dyads(*tie, wordings=pledge), dyads(*tie, wordings=pledge, covered={"pact": ALWAYS})
    assert [silent[kind] for kind in PLEDGES] == [1, None, None, None, None]
    assert [said[kind] for kind in PLEDGES] == [1, 0, 0, 0, 0]


def test_nought_is_not_said_of_a_year_that_is_covered_in_part():
    half = Covered(day("1960-01-01"), day("1961-07-01"), "complete")
    made = dyads(*both(span("1960-01-01", "1962-01-01")), covered={"pact": half})
    assert {row["year"]: row["offense"] for row in made} == {1960: 0, 1961: None}


def test_an_incomplete_roll_of_pledges_covers_nothing():
    made = dyads(*both(span("1960-01-01", "1961-01-01")), covered={"pact": Covered(1, FAR, "sampled")})
    assert made[0]["defense"] is None


def test_a_second_treaty_that_is_not_covered_takes_the_nought_back():
    other = (
        party("alba", "accord", span("1960-01-01", "1961-01-01")),
        party("borea", "accord", span("1960-01-01", "1961-01-01")),
    )
    made = dyads(*both(span("1960-01-01", "1962-01-01")), *other, covered={"pact": ALWAYS})
    assert {row["year"]: (row["offense"], row["treaties"]) for row in made} == {
        1960: (None, "accord pact"),
        1961: (0, "pact"),
    }


def test_what_is_only_possible_is_no_nought():
    unsure = wording("neutrality", span("1960-06-01", "1990-01-01", begun="1970-01-01"))
    made = dyads(*both(span("1960-01-01", "1961-01-01")), wordings=(unsure,), covered={"pact": ALWAYS})
    assert (made[0]["neutrality"], made[0]["neutrality_possible"]) == (None, 1)


def test_a_one_sided_pledge_has_a_direction():
    pledge = (wording("defense", span("1960-01-01", "1990-01-01"), "borea"),)
    tie = both(span("1960-01-01", "1961-01-01"))
    directed = dyads(*tie, name="directed-dyad-year", wordings=pledge, covered={"pact": ALWAYS})
    assert {(row["state1"], row["state2"]): row["defense"] for row in directed} == {
        ("alba", "borea"): 0,
        ("borea", "alba"): 1,
    }
    assert dyads(*tie, wordings=pledge, covered={"pact": ALWAYS})[0]["defense"] == 1


def test_a_state_has_the_number_of_the_year():
    made = dyads(*both(span("1989-01-01", "1992-01-01")))
    assert {row["year"]: row["ccode2"] for row in made} == {1989: 902, 1990: 903, 1991: 903}


def test_a_state_without_a_number_has_an_empty_cell_and_stands_last():
    made = dyads(
        party("alba", "pact", span("1960-01-01", "1961-01-01")),
        party("doria", "pact", span("1960-01-01", "1961-01-01")),
    )
    assert [(row["ccode1"], row["ccode2"], row["state2"]) for row in made] == [(901, None, "doria")]
    assert made[0]["gwcode1"] == 911


def test_an_interruption_marks_its_years_and_ends_nothing():
    league = Body("league", "League", "pact", (), None)
    pause = party("borea", "league", span("1962-03-01", "1963-02-01"), kind="suspended")
    made = dyads(*both(span("1960-01-01", "1966-01-01")), pause, bodies=(league,))
    assert [row["year"] for row in made if row["interrupted"]] == [1962, 1963]
    assert [row["year"] for row in made] == [1960, 1961, 1962, 1963, 1964, 1965]


def test_what_one_party_suspended_concerns_its_own_tie_alone():
    held = span("1960-01-01", "1963-01-01")
    pause = replace(party("borea", "pact", span("1961-03-01", "1962-01-01"), kind="suspended"), by=frozenset({"alba"}))
    made = dyads(*both(held), party("cimmeria", "pact", held), pause)
    interrupted = {(row["state1"], row["state2"]) for row in made if row["interrupted"]}
    assert interrupted == {("alba", "borea")}
    assert len({(row["state1"], row["state2"]) for row in made}) == 3


def test_two_spells_of_one_state_are_no_pair():
    twice = (
        party("alba", "pact", span("1960-01-01", "1965-01-01")),
        party("alba", "pact", span("1964-01-01", "1970-01-01"), number=2),
    )
    assert dyads(*twice) == []


def test_signatories_are_not_tied():
    assert (
        dyads(
            *(party(state, "pact", span("1960-01-01", "1965-01-01"), kind="signatory") for state in ("alba", "borea"))
        )
        == []
    )


def test_a_state_year_counts_alliances_treaties_and_allies():
    held = span("1960-01-01", "1961-01-01")
    league = Body("league", "League", "pact", (), None)
    spells = (*both(held), party("cimmeria", "pact", held), party("alba", "league", held, kind="member"))
    made = dyads(*spells, name="state-year", wordings=(wording("defense", held),), bodies=(league,))
    alba = next(row for row in made if row["state"] == "alba")
    assert (alba["alliances"], alba["treaties"], alba["allies"], alba["defense"]) == (1, 1, 2, 1)
    assert (alba["alliance_list"], alba["treaty_list"]) == ("league", "pact")


def test_a_members_dates_are_given_as_far_as_they_are_known():
    held = span("1960-05-01", "1964-02-10", begun="1960-09-01", ended="1964-02-20")
    made = dyads(party("alba", "league", held, kind="member"), name="alliance-member")[0]
    assert [made[f"mem_st_{part}"] for part in ("year", "month", "day")] == [1960, None, None]
    assert [made[f"mem_end_{part}"] for part in ("year", "month", "day")] == [1964, 2, None]
    assert made["standing"] == "ended"


def test_the_last_day_of_a_membership_is_the_day_before_its_end():
    made = dyads(party("alba", "league", span("1960-05-01", "1961-01-01"), kind="member"), name="alliance-member")[0]
    assert [made[f"mem_end_{part}"] for part in ("year", "month", "day")] == [1960, 12, 31]


def test_an_alliance_lasts_from_its_first_member_to_its_last():
    league = Body("league", "League", "pact", (), day("1959-04-04"))
    spells = (
        party("alba", "league", span("1960-01-01", "1970-01-01"), kind="member"),
        party("borea", "league", span("1962-01-01", attested="1980-01-01"), kind="member"),
    )
    made = dyads(*spells, name="alliance", bodies=(league,))[0]
    assert (made["begin_earliest"], made["end_earliest"], made["end_latest"]) == ("1960-01-01", "1980-01-01", None)
    assert (made["states"], made["members"], made["members_presumed"]) == (2, 0, 1)


def test_too_many_ties_are_refused():
    with pytest.raises(AnswerTooLarge, match="more than 5 pairs"):
        Tables(record(*both(span("1960-01-01", "1970-01-01"))), most=5).table("dyad-year")


FIRST, LAST = day("1990-11-01"), day("1994-03-01")
DAYS = st.integers(FIRST, LAST)


@st.composite
def spans(draw):
    """Spells and wordings as rules make them: begun before it can end, open or not."""
    begin, begun, end, ended = sorted(draw(st.lists(DAYS, min_size=4, max_size=4)))
    return Span.of(begin, begun, max(end, begun + 1), None if draw(st.booleans()) else max(ended, begun + 1))


def oracle(tie: tuple[Span, ...], reading: str) -> set[int]:
    """The years with a day on which every one of *tie* holds, day by day, by the definitions of certainty."""

    def holds(each: Span, on: int) -> bool:
        certain = each.begin_latest <= on < each.end_certain
        presumed = each.end_latest == FAR and each.begin_latest <= on
        possible = each.begin_earliest <= on < each.end_latest
        return {"certain": certain, "presumed": certain or presumed, "possible": possible}[reading]

    every = range(FIRST, min(LAST + 400, HORIZON))
    return {date.fromordinal(on).year for on in every if all(holds(each, on) for each in tie)}


@settings(max_examples=60, deadline=None)
@given(spans(), spans(), spans())
def test_the_years_are_those_that_are_counted_day_by_day(one, other, text):
    made = dyads(party("alba", "pact", one), party("borea", "pact", other), wordings=(wording("defense", text),))
    until = date.fromordinal(LAST + 400).year
    for reading, column in (("certain", "defense"), ("presumed", "defense_presumed"), ("possible", "defense_possible")):
        found = {row["year"] for row in made if row[column] == 1 and row["year"] < until}
        assert found == {year for year in oracle((one, other, text), reading) if year < until}
    assert {row["year"] for row in made if row["year"] < until} == {
        year for year in oracle((one, other), "possible") if year < until
    }


@pytest.fixture(scope="module")
def shipped(pool) -> Tables:
    return Tables(records.read(pool))


@pytest.mark.parametrize("on", ["1949-08-24", "1955-06-05", "1991-06-30", "1999-04-20", "2010-06-12", "2022-09-13"])
def test_the_tables_say_what_the_question_on_pairs_says(pool, shipped, on):
    """Whatever ties two states on a day is in the table of its year, no less sure."""
    found = {(row["state1"], row["state2"], row["year"]): row for row in rows(shipped.table("directed-dyad-year"))}
    asked = results.table(answer(pool, "defence-dyads", {"date": on}, form="json"))
    columns = {"certain": "defense", "presumed": "defense_presumed", "possible": "defense_possible"}
    for row in asked:
        pair = tuple(row[side].value.removeprefix("https://w3id.org/foedus/id/") for side in ("obliged", "protected"))
        assert found[(*pair, int(on[:4]))][columns[row["certainty"].value]] == 1
    assert asked.rows


@pytest.mark.parametrize("name", NAMES)
def test_a_stricter_reading_is_included_in_a_looser_one(shipped, name):
    names = {column.name for column in COLUMNS[name]}
    for row in rows(shipped.table(name)):
        for kind in KINDS if "defense_possible" in names else ():
            read = [row[kind], row[f"{kind}_presumed"], row[f"{kind}_possible"]]
            assert read in ([1, 1, 1], [None, 1, 1], [None, None, 1], [0, 0, 0], [None, None, None]), row


@pytest.mark.parametrize(
    ("pair", "first"),
    [
        (("united-states", "canada"), 1949),
        (("greece", "turkey"), 1952),
        (("united-states", "germany"), 1955),
        (("poland", "united-states"), 1999),
        (("finland", "sweden"), 2024),
    ],
)
def test_nato_ties_two_states_from_the_year_in_which_the_later_one_was_bound(shipped, pair, first):
    """From memberships.csv: founders 1949-08-24, Greece and Turkey 1952, Germany 1955, Poland 1999, Sweden 2024."""
    found = [
        row["year"]
        for row in rows(shipped.table("dyad-year"))
        if {row["state1"], row["state2"]} == set(pair) and "north-atlantic-treaty" in str(row["treaties"]).split()
    ]
    assert min(found) == first


def test_nato_pledges_no_neutrality_and_no_offence(shipped):
    """Its pledges are covered completely, so that this is said and not left open."""
    row = next(r for r in rows(shipped.table("dyad-year")) if (r["ccode1"], r["ccode2"], r["year"]) == (2, 20, 1960))
    assert [row[kind] for kind in PLEDGES] == [1, 0, 1, 0, 1]


@pytest.mark.parametrize(
    ("pair", "year", "pledges"),
    [
        # Mexico and Peru: the Rio Treaty alone. Bulgaria and Poland: the Warsaw Treaty alone.
        (("mexico", "peru"), 1970, [1, 0, 1, 0, 1]),
        (("bulgaria", "poland"), 1970, [1, 0, 1, 0, 1]),
        (("south-korea", "united-states"), 1970, [1, 0, 1, 0, 1]),
        # By the Collective Security Treaty, until the protocol that is read in part only is in force.
        (("belarus", "kazakhstan"), 2001, [1, 0, 1, 0, 1]),
        (("belarus", "kazakhstan"), 2015, [1, None, 1, None, 1]),
        (("north-korea", "soviet-union"), 1970, [1, 0, 1, 0, 1]),
    ],
)
def test_where_the_pledges_are_covered_completely_there_are_zeros(shipped, pair, year, pledges):
    dyads = rows(shipped.table("dyad-year"))
    found = [row for row in dyads if {row["state1"], row["state2"]} == set(pair) and row["year"] == year]
    assert [[row[kind] for kind in PLEDGES] for row in found] == [pledges]


def test_a_number_that_passes_on_is_of_both_states_in_that_year_alone(shipped):
    """What the codebook warns of who joins tables by numbers."""
    states = [(row["ccode"], row["year"], row["state"]) for row in rows(shipped.table("state-year")) if row["ccode"]]
    held = Counter(each[:2] for each in states)
    assert sorted(each for each in states if held[each[:2]] > 1) == [
        (365, 1991, "russia"),
        (365, 1991, "soviet-union"),
    ]


def test_germany_changes_its_number_in_1990(shipped):
    with_france = {
        row["year"]: row["ccode2"]
        for row in rows(shipped.table("dyad-year"))
        if (row["state1"], row["state2"]) == ("france", "germany")
    }
    assert (with_france[1989], with_france[1990], with_france[1991]) == (260, 255, 255)


@pytest.mark.parametrize("name", NAMES)
def test_no_row_is_there_twice(shipped, name):
    keys = {
        "alliance": ("alliance",),
        "alliance-member": ("iri", "alliance"),
        "state-year": ("state", "year"),
    }.get(name, ("state1", "state2", "year"))
    found = [tuple(row[key] for key in keys) for row in rows(shipped.table(name))]
    assert len(found) == len(set(found)) > 20


def test_each_pair_is_there_in_both_directions(shipped):
    assert len(shipped.table("directed-dyad-year").rows) == 2 * len(shipped.table("dyad-year").rows)


@pytest.mark.parametrize("name", NAMES)
def test_csv_reads_back_as_it_was(shipped, name):
    table = shipped.table(name)
    head, *read = csv.reader(io.StringIO(table.csv().decode(), newline=""))
    assert head == [column.name for column in table.columns]
    assert read == [["" if value is None else str(value) for value in row] for row in table.rows]


def test_the_codebook_describes_every_column_and_rule():
    text = codebook("2026-11-22").decode()
    for name, columns in COLUMNS.items():
        part = text.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        assert [line.split("`")[1] for line in part.splitlines() if line.startswith("| `")] == [c.name for c in columns]
    assert all(rule in text for rule in RULES)


def test_the_data_guide_names_every_column():
    guide = (Path(__file__).parents[2] / "data" / "README.md").read_text().partition("## The tables")[2]
    groups = ("_presumed", "_possible", "begin_", "end_")
    plain = {c.name for columns in COLUMNS.values() for c in columns if not any(each in c.name for each in groups)}
    assert {name for name in plain if f"`{name}`" not in guide} == set()
