"""Which fighting counts as fighting between allies, each case in the smallest world that can show it."""

import pytest
from pyoxigraph import RdfFormat, Store

from foedus import files, names

PREFIXES = "".join(f"@prefix {prefix}: <{names.PREFIXES[prefix]}> .\n" for prefix in ("foedus", "id", "rdfs", "xsd"))


def member(state: str, begin: tuple[str, str], end: tuple[str, str], number: int = 1) -> str:
    """A membership of the league with its four bounds; an end without a latest day is open."""
    bounds = zip(("beginEarliest", "beginLatest", "endEarliest", "endLatest"), (*begin, *end), strict=True)
    told = " ; ".join(f'foedus:{name} "{day}"^^xsd:date' for name, day in bounds if day)
    return f"id:m-{state}-{number} foedus:ofState id:{state} ; foedus:ofAlliance id:league ; {told} .\n"


def fighting(year: int, begun: str, ended: str = "", sides: str = "foedus:sideA id:elis ; foedus:sideB id:pisa") -> str:
    """A conflict-year whose episode began on the day *begun*."""
    bounds = (f'foedus:ended{bound} "{ended}"^^xsd:date' for bound in ("Earliest", "Latest"))
    end = f' ; foedus:ended "{ended}" ; {" ; ".join(bounds)}' if ended else ""
    return (
        f'id:war-{year} a foedus:ConflictYear ; rdfs:label "War"@en ; foedus:year {year} ; {sides} ; '
        f'foedus:began "{begun}" ; foedus:beganEarliest "{begun}"^^xsd:date ; '
        f'foedus:beganLatest "{begun}"^^xsd:date{end} .\n'
    )


def clash(first: str, last: str) -> str:
    """An incident of which it is known that it began between two days."""
    return (
        'id:clash a foedus:Incident ; rdfs:label "Clash"@en ; foedus:participant id:elis , id:pisa ; '
        f'foedus:began "[{first}..{last}]" ; foedus:beganEarliest "{first}"^^xsd:date ; '
        f'foedus:beganLatest "{last}"^^xsd:date .\n'
    )


def answer(turtle: str) -> list[tuple[str, ...]]:
    """Incident, both states and certainty of each row."""
    store = Store()
    store.load(input=(PREFIXES + turtle).encode(), format=RdfFormat.TURTLE)
    rows = store.query((files.QUERIES / "allies-in-conflict.rq").read_text(encoding="utf-8"))
    columns = ("incident", "stateA", "stateB", "certainty")
    return [tuple(row[column].value.removeprefix(names.ID) for column in columns) for row in rows]


ELIS = member("elis", ("1950-01-01", "1950-01-01"), ("1960-07-01", "1960-07-01"))
PISA = member("pisa", ("1955-03-01", "1955-03-01"), ("2001-01-01", ""))


@pytest.mark.parametrize(
    ("war", "certainty"),
    [
        (fighting(1956, "1956-05-02"), "certain"),
        (fighting(1954, "1954-05-02"), None),
        (fighting(1955, "1954-05-02"), "certain"),
        (fighting(1955, "1955-02-01", "1955-02-28"), None),
        (fighting(1955, "1955-02-01", "1955-03-01"), "certain"),
        (fighting(1954, "1954-02-01", "1956-03-01"), None),
        (fighting(1955, "1954-02-01", "1956-03-01"), "certain"),
        (fighting(1960, "1956-01-01"), "certain"),
        (fighting(1960, "1960-07-01"), None),
        (fighting(1961, "1956-01-01"), None),
    ],
)
def test_a_conflict_year_counts_if_both_were_members_on_one_day_of_it(war, certainty):
    found = [(f"war-{war[7:11]}", "elis", "pisa", certainty)] if certainty else []
    assert answer(ELIS + PISA + war) == found


def test_members_at_different_times_of_a_year_are_no_allies():
    after = member("pisa", ("1960-07-01", "1960-07-01"), ("1970-01-01", "1970-01-01"))
    assert answer(ELIS + after + fighting(1960, "1960-01-01")) == []


@pytest.mark.parametrize(("year", "certainty"), [(1999, "certain"), (2003, "presumed")])
def test_beyond_the_last_attestation_membership_is_presumed(year, certainty):
    open_ = member("elis", ("1950-01-01", "1950-01-01"), ("2001-01-01", ""))
    assert answer(open_ + PISA + fighting(year, f"{year}-01-01")) == [(f"war-{year}", "elis", "pisa", certainty)]


def test_a_membership_of_uncertain_begin_makes_it_possible():
    unsure = member("elis", ("1950-01-01", "1958-12-31"), ("1970-01-01", "1970-01-01"))
    assert answer(unsure + PISA + fighting(1956, "1956-01-01")) == [("war-1956", "elis", "pisa", "possible")]


def test_a_membership_that_is_certain_on_no_day_makes_it_possible():
    unsure = member("elis", ("1950-01-01", "1956-10-31"), ("1956-06-15", "1957-10-31"))
    assert answer(unsure + PISA + fighting(1956, "1956-01-01")) == [("war-1956", "elis", "pisa", "possible")]


def test_of_two_memberships_the_surer_one_counts():
    unsure = member("elis", ("1950-01-01", "1958-12-31"), ("1970-01-01", "1970-01-01"), number=2)
    assert answer(ELIS + unsure + PISA + fighting(1956, "1956-01-01")) == [("war-1956", "elis", "pisa", "certain")]


@pytest.mark.parametrize(
    ("sides", "found"),
    [
        ("foedus:sideA id:pisa ; foedus:supportsSideB id:elis", True),
        ("foedus:supportsSideA id:elis ; foedus:supportsSideB id:pisa", True),
        ("foedus:sideA id:elis , id:pisa ; foedus:sideB id:arcadia", False),
        ("foedus:sideA id:elis ; foedus:supportsSideA id:pisa", False),
        ("foedus:sideA id:elis ; foedus:supportsSideB id:elis", False),
    ],
)
def test_helping_with_troops_is_standing_on_a_side(sides, found):
    rows = answer(ELIS + PISA + fighting(1956, "1956-01-01", sides=sides))
    assert rows == ([("war-1956", "elis", "pisa", "certain")] if found else [])


@pytest.mark.parametrize(
    ("first", "last", "certainty"),
    [
        ("1956-01-01", "1956-01-02", "certain"),
        ("1955-02-28", "1955-03-01", "possible"),
        ("1955-02-27", "1955-02-28", None),
        ("1960-06-30", "1960-07-01", "possible"),
    ],
)
def test_an_incident_counts_by_every_day_on_which_it_may_have_begun(first, last, certainty):
    found = [("clash", "elis", "pisa", certainty)] if certainty else []
    assert answer(ELIS + PISA + clash(first, last)) == found


def test_a_clash_within_a_longer_incident_of_the_same_states_is_not_listed_beside_it():
    whole = clash("1956-01-01", "1956-01-01")
    part = whole.replace("id:clash", "id:part").replace(" .\n", " ; foedus:partOf id:clash .\n")
    assert [row[0] for row in answer(ELIS + PISA + whole + part)] == ["clash"]


@pytest.mark.parametrize(
    ("ended", "certainty"), [("1960-06-30", "certain"), ("1960-07-01", "possible"), ("", "possible")]
)
def test_fighting_of_which_only_the_year_is_known_is_certain_where_it_was_over_before_one_left(ended, certainty):
    """Elis left on the first of July: what may have begun in autumn was perhaps no fighting between allies."""
    war = fighting(1960, "1960-01-01", ended).replace('beganLatest "1960-01-01"', 'beganLatest "1960-12-31"')
    assert answer(ELIS + PISA + war) == [("war-1960", "elis", "pisa", certainty)]
