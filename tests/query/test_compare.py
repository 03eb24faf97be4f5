"""Tables of invented states in the columns of COW and of ATOP, against a record: what agrees and what differs."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from foedus.errors import CannotRead, NoSuchThing
from foedus.query.compare import Comparison, compare
from foedus.query.record import COW, FAR, Body, Code, Covered

from .histories import day, party, record, span, wording

LEAGUE = Body("league", "League", "pact", (), None)
HELD = span("1950-04-01", "1970-01-01")
BY_MEMBER = (
    "version4id,ccode,state_name,all_st_year,mem_st_month,mem_st_day,mem_st_year,mem_end_month,mem_end_day,mem_end_year"
)

OURS = record(
    party("alba", "league", HELD, kind="member"),
    party("borea", "league", span("1950-04-01", attested="1980-01-01"), kind="member"),
    party(
        "cimmeria", "league", span("1955-01-01", "1965-07-01", begun="1955-03-01", ended="1965-08-01"), kind="member"
    ),
    party("alba", "pact", HELD),
    party("borea", "pact", HELD),
    party("cimmeria", "accord", span("1990-01-01", "1995-01-01")),
    wordings=(wording("defense", HELD), wording("consultation", span("1960-01-01", "1970-01-01", begun="1963-01-01"))),
    covered={"pact": Covered(1, FAR, "complete")},
    bodies=(LEAGUE,),
)


def compared(tmp_path: Path, text: str, **same: str) -> Comparison:
    file = tmp_path / "theirs.csv"
    file.write_text(text)
    return compare(file, OURS, same)


def members(*rows: str) -> str:
    return "\n".join((BY_MEMBER, *rows)) + "\n"


def told(found: Comparison) -> list[tuple[str, str, int]]:
    return [(each.what, each.state1, each.size) for each in found.differences]


COW_MEMBERS = members(
    "77,901,Alba,1950,4,1,1950,12,31,1969",
    "77,902,Borea,1950,4,1,1950,10,2,1990",
    "77,903,Borea,1950,10,3,1990,,,",
    "77,904,Cimmeria,1950,2,1,1955,7,1,1965",
    "78,904,Cimmeria,1990,1,1,1990,12,31,1994",
    "79,901,Alba,1800,1,1,1801,1,1,1805",
    "79,902,Borea,1800,1,1,1801,1,1,1805",
    "79,904,Cimmeria,1800,1,1,1801,1,1,1805",
    "79,999,Nowhere,1800,1,1,1801,1,1,1805",
    "79,903,Borea,1800,1,1,1806,1,1,1807",
)


def test_ten_rows_in_the_columns_of_cow_that_agree(tmp_path):
    """Two numbers of one state, one after the other, are one membership; a day within a range agrees with it."""
    found = compared(tmp_path, COW_MEMBERS)
    assert found.differences == []
    assert found.form == "members"
    assert [(each.there, each.here) for each in found.matches] == [("77", "league"), ("78", "accord")]
    assert found.unmatched == ["79"]
    assert found.unknown == ["999 is the number of no state here."]
    assert found.agreements == 8


@pytest.mark.parametrize(
    ("was", "is_now", "expected"),
    [
        ("4,1,1950,12,31,1969", "4,11,1950,12,31,1969", ("begin", "alba", 10)),
        ("4,1,1950,12,31,1969", "3,31,1950,12,31,1969", ("begin", "alba", -1)),
        ("4,1,1950,12,31,1969", "4,1,1950,1,31,1970", ("end", "alba", 31)),
        ("4,1,1950,12,31,1969", "4,1,1950,12,30,1969", ("end", "alba", -1)),
        ("4,1,1950,12,31,1969", "4,1,1950,,,", ("end", "alba", 9131)),
        ("2,1,1955,7,1,1965", "3,2,1955,7,1,1965", ("begin", "cimmeria", 1)),
        ("2,1,1955,7,1,1965", "2,1,1955,6,29,1965", ("end", "cimmeria", -1)),
    ],
)
def test_a_date_differs_by_days_from_the_range_that_is_known(tmp_path, was, is_now, expected):
    """The file speaks of 1994 at last: an open end is later than 31 December 1969 by 9,131 days at least."""
    assert COW_MEMBERS.count(was) == 1
    assert told(compared(tmp_path, COW_MEMBERS.replace(was, is_now))) == [expected]


@pytest.mark.parametrize("agreeing", ["4,,1950,12,31,1969", ",,1950,,,1969", "4,1,1950,12,,1969"])
def test_a_date_without_day_or_month_differs_only_outside_of_it(tmp_path, agreeing):
    assert told(compared(tmp_path, COW_MEMBERS.replace("4,1,1950,12,31,1969", agreeing))) == []


def test_a_member_that_only_one_has_differs_by_its_days(tmp_path):
    without = members("77,901,Alba,1950,4,1,1950,12,31,1969", "77,904,Cimmeria,1950,2,1,1955,7,1,1965")
    assert told(compared(tmp_path, without)) == [("only here", "borea", 7215)]
    doubled = COW_MEMBERS + "77,901,Alba,1950,1,1,1980,1,10,1980\n"
    assert told(compared(tmp_path, doubled)) == [("only there", "alba", 10)]


def test_an_end_after_the_last_day_attested_is_no_difference(tmp_path):
    ended = COW_MEMBERS.replace("77,903,Borea,1950,10,3,1990,,,", "77,903,Borea,1950,10,3,1990,12,31,1992")
    found = compared(tmp_path, ended)
    assert found.differences == [] and found.unsure == 1


def test_an_end_before_the_last_day_attested_is_a_difference(tmp_path):
    ended = members("77,901,Alba,1950,4,1,1950,12,31,1969", "77,902,Borea,1950,4,1,1950,12,31,1978")
    found = [each for each in compared(tmp_path, ended).differences if each.state1 == "borea"]
    assert [(each.what, each.size, each.here) for each in found] == [("end", -365, "")]


def test_it_can_be_said_which_alliance_is_meant(tmp_path):
    found = compared(tmp_path, members("78,901,Alba,1950,4,1,1990,12,31,1994"), **{"78": "league"})
    assert [(each.there, each.here) for each in found.matches] == [("78", "league")]
    assert ("begin", "alba", 14610) in told(found)


@pytest.mark.parametrize(
    ("rows", "here"),
    [
        (["77,901,Alba,1950,4,1,1950,12,31,1969"], ["pact"]),
        (["77,901,Alba,1950,4,1,1950,12,30,1969"], []),
        (["77,901,Alba,1950,4,1,1950,12,31,1969", "77,902,Borea,1950,4,1,1950,12,31,1969"], ["pact"]),
        (["78,904,Cimmeria,1990,1,1,1990,12,31,1994"], ["accord"]),
        (["78,904,Cimmeria,1990,1,1,1990,12,31,1994", "78,901,Alba,1990,1,1,1994,12,30,1994"], []),
    ],
)
def test_an_alliance_is_guessed_by_half_of_the_days_and_never_against_a_member(tmp_path, rows, here):
    """A day less than half of the pact is too little; Alba was never in the accord that has most of the other days."""
    found = compared(tmp_path, members(*rows))
    assert [each.here for each in found.matches] == here
    assert found.unmatched == ([] if here else [rows[0][:2]])
    assert ("--same" in found.text()) is not bool(here)
    named = compared(tmp_path, members(*rows), **{rows[0][:2]: "accord"})
    assert [each.here for each in named.matches] == ["accord"]


def test_an_alliance_that_is_not_here_cannot_be_meant(tmp_path):
    with pytest.raises(NoSuchThing, match="leagu"):
        compared(tmp_path, COW_MEMBERS, **{"77": "leagu"})


ATOP_MEMBERS = """atopid,member,yrent,moent,dayent,yrexit,moexit,dayexit,ineffect,defense
5010,901,1950,4,1,1969,12,31,1,1
5010,902,1950,4,1,0,0,0,1,1
5010,904,1955,2,1,1965,7,20,1,1
5020,904,1990,1,1,1994,12,31,1,0
5030,901,1801,1,1,1805,1,1,1,0
5030,902,1801,1,1,1805,1,1,1,0
5030,903,1801,1,1,1805,1,1,1,0
5030,904,1801,1,1,1805,1,1,1,0
5030,905,1801,1,1,1805,1,1,1,0
5010,904,1975,0,0,1975,0,0,1,0
"""


def test_ten_rows_in_the_columns_of_atop(tmp_path):
    """An exit in the year nought is none; month and day nought are unknown."""
    assert told(compared(tmp_path, ATOP_MEMBERS)) == [("only there", "cimmeria", 365)]


COW_DYADS = """ccode1,state_name1,ccode2,state_name2,year,defense,neutrality,nonaggression,entente
901,Alba,902,Borea,1949,0,0,0,0
901,Alba,902,Borea,1950,1,0,0,0
901,Alba,902,Borea,1951,1,0,0,0
901,Alba,902,Borea,1952,1,0,0,0
901,Alba,902,Borea,1960,1,0,0,1
901,Alba,902,Borea,1961,1,0,0,0
901,Alba,902,Borea,1969,1,0,0,1
901,Alba,902,Borea,1970,0,0,0,0
901,Alba,904,Cimmeria,1960,1,0,0,0
901,Alba,999,Nowhere,1960,1,0,0,0
"""


def gaps(found: Comparison) -> list[tuple[str, int | None]]:
    return [(each.what, each.year) for each in found.differences if each.there]


def test_ten_rows_of_pairs_by_year_that_agree(tmp_path):
    """A year without a row here is without a pledge for a pair that has rows; a pair without any is not covered."""
    found = compared(tmp_path, COW_DYADS)
    assert found.form == "pairs by year"
    assert gaps(found) == []
    # Consultation is only possible here from 1960 to 1962.
    assert (found.unsure, found.silent) == (2, 4)
    assert found.unknown == ["999 is the number of no state here."]


@pytest.mark.parametrize(
    ("was", "is_now", "expected"),
    [
        ("1950,1,0,0,0", "1950,0,0,0,0", ("defense", 1950)),
        ("1950,1,0,0,0", "1950,1,1,0,0", ("neutrality", 1950)),
        ("1949,0,0,0,0", "1949,1,0,0,0", ("defense", 1949)),
        ("1970,0,0,0,0", "1970,0,0,0,1", ("consultation", 1970)),
        ("1969,1,0,0,1", "1969,1,0,0,0", ("consultation", 1969)),
    ],
)
def test_a_pledge_that_one_has_and_the_other_has_not_differs(tmp_path, was, is_now, expected):
    assert gaps(compared(tmp_path, COW_DYADS.replace(was, is_now))) == [expected]


def test_a_year_that_the_file_leaves_out_is_a_difference(tmp_path):
    found = compared(tmp_path, COW_DYADS)
    missing = [each for each in found.differences if not each.there and each.what == "defense"]
    assert [(each.year, each.last_year, each.size) for each in missing] == [(1953, 1959, 7), (1962, 1968, 7)]
    assert all((each.here, each.unit) == ("1", "years") for each in found.differences)


@pytest.mark.parametrize(
    "heads", ["stateA,stateB,year,atop_defense,atop_consul", "ccode1,ccode2,year,defense,consultation"]
)
def test_pairs_in_both_directions_are_read_as_directed(tmp_path, heads):
    found = compared(tmp_path, f"{heads}\n901,902,1955,1,0\n902,901,1955,0,0\n")
    assert found.form == "directed pairs by year"
    assert [(each.what, each.state1, each.state2, each.there, each.here) for each in found.differences] == [
        ("defense", "borea", "alba", "0", "1")
    ]


def test_the_order_of_two_states_does_not_matter_where_there_is_no_direction(tmp_path):
    assert compared(tmp_path, "mem1,mem2,year,defense\n902,901,1955,1\n").differences == []


def test_a_row_without_a_number_of_a_state_is_left_out_and_told(tmp_path):
    found = compared(tmp_path, "ccode1,ccode2,year,defense\n901,,1955,1\n901,902,1955,1\n")
    assert (found.agreements, found.unknown) == (1, ["Rows without a ccode2 are left out."])


def test_a_membership_without_a_beginning_may_have_begun_on_any_day(tmp_path):
    found = compared(tmp_path, COW_MEMBERS.replace("4,1,1950,12,31,1969", ",,,12,31,1969"))
    assert (found.differences, found.agreements) == ([], 8)


SUCCEEDED = day("1991-12-26")
ONE_NUMBER = replace(
    record(
        party("alba", "pact", span("1980-01-01", "1995-01-01")),
        party("borea", "pact", span("1980-01-01", "1991-12-26")),
        party("cimmeria", "pact", span("1991-12-26", "1995-01-01")),
        wordings=(wording("defense", HELD), wording("defense", span("1980-01-01", "1995-01-01"))),
    ),
    codes={
        (COW, "alba"): [Code(1, FAR, "901")],
        (COW, "borea"): [Code(1, SUCCEEDED, "902")],
        (COW, "cimmeria"): [Code(SUCCEEDED, FAR, "902")],
    },
)
"""Two states that had one number, one after the other."""


def test_members_under_one_number_are_told_apart_by_their_days(tmp_path):
    file = tmp_path / "theirs.csv"
    file.write_text(
        members(
            "pact,901,Alba,1980,1,1,1980,12,31,1994",
            "pact,902,Borea,1980,1,1,1980,12,25,1991",
            "pact,902,Cimmeria,1980,12,26,1991,12,31,1994",
        )
    )
    found = compare(file, ONE_NUMBER)
    assert (found.differences, found.agreements) == ([], 6)


def test_pairs_under_one_number_in_one_year_are_no_difference(tmp_path):
    rows = [f"901,902,{year},1" for year in range(1980, 1995)]
    file = tmp_path / "theirs.csv"
    file.write_text("\n".join(("ccode1,ccode2,year,defense", *rows)) + "\n")
    assert compare(file, ONE_NUMBER).differences == []
    file.write_text("\n".join(("ccode1,ccode2,year,defense", *(row for row in rows if "1992" not in row))) + "\n")
    assert [(each.what, each.year) for each in compare(file, ONE_NUMBER).differences] == [("defense", 1992)]


def test_an_end_in_a_year_not_known_is_no_open_one(tmp_path):
    """Our own table says so in a column of its own, since the columns of COW cannot."""
    file = tmp_path / "ours.csv"
    file.write_text(
        "alliance,ccode,mem_st_year,mem_end_year,standing\nleague,904,1955,,ended\nleague,901,1950,1969,ended\n"
    )
    ends = [each for each in compare(file, OURS).differences if each.what == "end"]
    assert ends == []
    file.write_text(file.read_text().replace("1955,,ended", "1955,,certain"))
    ends = [each.state1 for each in compare(file, OURS).differences if each.what == "end"]
    assert ends == ["cimmeria"]


@pytest.mark.parametrize("missing", ["", "NA", ".", "-9"])
def test_a_missing_cell_is_not_compared(tmp_path, missing):
    found = compared(tmp_path, f"ccode1,ccode2,year,defense,offense\n901,902,1955,{missing},0\n")
    assert (found.differences, found.agreements) == ([], 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is empty"),
        ("country,year,gdp\nAlba,1955,3\n", "country, year, gdp"),
        ("ccode1,ccode2,year,defense\n901,902,1955\n", ":2: 3 cells, where the head has 4"),
        ("ccode1,ccode2,year,defense\n901,902,1955,yes\n", ":2: defense is “yes”"),
        ("ccode1,ccode2,year,defense\n901,902,,1\n", ":2: year is empty"),
        ("ccode1,ccode2,year,defense\n901,902,99999,1\n", ":2: year is 99999"),
        ("ccode1,ccode2,year,defense\n901,902,1e400,1\n", "no whole number"),
        (members("77,901,Alba,1950,2,30,1950,,,"), ":2: 1950-2-30 is no date"),
        (members("77,901,Alba,1950,13,1,1950,,,"), "is no date"),
        ('ccode1,ccode2,year,defense\n901,902,1955,"1\n', "no CSV"),
    ],
)
def test_what_cannot_be_compared_is_told_with_its_line(tmp_path, text, said):
    with pytest.raises(CannotRead) as caught:
        compared(tmp_path, text)
    assert said in caught.value.message
    assert caught.value.remedy


def test_other_tables_are_told_the_columns_expected(tmp_path):
    with pytest.raises(CannotRead) as caught:
        compared(tmp_path, "a,b\n1,2\n")
    assert all(name in caught.value.remedy for name in ("mem_st_year", "atopid", "ccode1", "stateA", "entente"))


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters_and_latin_1_are_read(tmp_path, delimiter):
    file = tmp_path / "theirs.csv"
    text = COW_MEMBERS.replace("Alba", "Albá").replace(",", delimiter)
    file.write_bytes(text.encode("latin-1"))
    assert compare(file, OURS).differences == []


def test_the_report_says_the_same_as_text_json_and_csv(tmp_path):
    found = compared(tmp_path, COW_MEMBERS.replace("4,1,1950,12,31,1969", "4,11,1950,12,31,1969"))
    assert "7 agree, 1 differ" in found.text()
    assert "77 is league" in found.text()
    content = json.loads(found.json())
    assert (content["agreements"], len(content["differences"])) == (7, 1)
    (row,) = csv.DictReader(io.StringIO(found.csv()))
    assert row == {name: "" if value is None else str(value) for name, value in content["differences"][0].items()}
    assert (row["there"], row["here"], row["size"], row["unit"]) == ("1950-04-11", "1950-04-01", "10", "days")
