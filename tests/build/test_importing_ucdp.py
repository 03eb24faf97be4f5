"""Armed conflicts, made from small tables whose every answer is typed by hand."""

import csv
import io

import pytest
from pyoxigraph import Literal, RdfFormat, parse

from foedus import files, names
from foedus.build.importing import ucdp
from foedus.errors import CannotRead, WrongUsage

STATES = """@prefix foedus: <https://w3id.org/foedus/ontology#> .
@prefix id: <https://w3id.org/foedus/id/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
"""
CODES = (
    ("union", "Gleditsch–Ward", "36", "1922-12-30", "1991-12-25"),
    ("moscovy", "Gleditsch–Ward", "36", "1991-12-26", ""),
    ("ruritania", "Gleditsch–Ward", "40", "1816-01-01", ""),
    ("west", "Gleditsch–Ward", "26", "1949-09-21", ""),
    ("east", "Gleditsch–Ward", "27", "1949-10-05", "1990-10-02"),
    ("islet", "COW", "95", "1970-06-04", ""),
    ("ruritania", "COW", "40", "1934-08-15", ""),
)
COLUMNS = """
    conflict_id location side_a side_a_2nd side_b incompatibility year intensity_level type_of_conflict start_date
    start_prec start_date2 start_prec2 ep_end ep_end_date gwno_a gwno_a_2nd gwno_b gwno_b_2nd region version
"""
PUBLISHED = COLUMNS.split()


@pytest.fixture
def numbers(tmp_path):
    """A generated file of states with their numbers."""
    text = STATES
    for place, (state, scheme, code, first, last) in enumerate(CODES):
        until = f' ; foedus:validUntil "{last}"' if last else ""
        text += f'id:{state} a foedus:State ; rdfs:label "{state.title()}"@en , "{state}"@fr .\n' if place != 6 else ""
        text += (
            f'id:code-{place} a foedus:CodeAssignment ; foedus:ofState id:{state} ; foedus:codeScheme "{scheme}" ; '
            f'foedus:code "{code}" ; foedus:validFrom "{first}"{until} .\n'
        )
    path = tmp_path / "states.ttl"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def make(tmp_path, numbers):
    """Make the conflicts of rows in the columns that UCDP publishes; a row gives what is unlike an interstate war."""

    def run(*rows: dict[str, str], columns: list[str] = PUBLISHED) -> ucdp.Made:
        usual = {
            "conflict_id": "7",
            "year": "1961",
            "intensity_level": "2",
            "type_of_conflict": "2",
            "start_date": "1961-03-04",
            "start_date2": "1961-03-05",
            "start_prec2": "1",
            "ep_end": "0",
            "gwno_a": "40",
            "gwno_b": "26",
        }
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(usual | row for row in rows)
        path = tmp_path / "ucdp-prio-acd-261.csv"
        path.write_text(text.getvalue(), encoding="utf-8")
        return ucdp.make(path, numbers, ucdp.version_of(path))

    return run


def said(made: ucdp.Made) -> dict[tuple[str, str], list[str]]:
    """The values of each property of each thing, as local names and strings."""
    found: dict[tuple[str, str], list[str]] = {}
    for triple in parse(made.text.encode(), format=RdfFormat.TURTLE):
        value = triple.object.value
        shown = value if isinstance(triple.object, Literal) else value.rsplit("/", 1)[-1].rsplit("#", 1)[-1]
        key = (triple.subject.value.removeprefix(names.ID), names.curie(triple.predicate.value).removeprefix("foedus:"))
        found.setdefault(key, []).append(shown)
    return {key: sorted(values) for key, values in found.items()}


def test_a_row_is_a_year_of_a_conflict(make):
    made = make({"ep_end": "1", "ep_end_date": "1961-04-01", "gwno_a_2nd": "36", "gwno_b_2nd": "27"})
    about = said(made)
    year = "ucdp-conflict-7-1961"
    assert about[year, "rdf:type"] == ["ConflictYear"]
    assert about[year, "ofConflict"] == ["ucdp-conflict-7"]
    assert about[year, "year"] == ["1961"]
    assert about[year, "conflictType"] == ["interstate"]
    assert about[year, "intensity"] == ["war"]
    assert about[year, "sideA"] == ["ruritania"]
    assert about[year, "supportsSideA"] == ["union"]
    assert about[year, "sideB"] == ["west"]
    assert about[year, "supportsSideB"] == ["east"]
    assert about[year, "began"] == ["1961-03-05"]
    assert about[year, "ended"] == ["1961-04-01"]
    assert about[year, "source"] == ["ucdp-acd-26-1"]
    assert about[year, "rdfs:label"] == ["Ruritania – West, 1961, conflict 7 of UCDP"]
    assert about["ucdp-conflict-7", "rdf:type"] == ["ArmedConflict"]
    assert about["ucdp-conflict-7", "rdfs:label"] == ["Ruritania – West, conflict 7 of UCDP"]
    assert made.unmapped == ()


def test_the_words_of_the_other_file_mean_the_same(make):
    numbered = make({"type_of_conflict": "4", "intensity_level": "1", "gwno_b": "", "gwno_b_2nd": "26"})
    worded = make(
        {
            "conflict_id": "7.0",
            "year": "1961.0",
            "type_of_conflict": "II",
            "intensity_level": "1.0",
            "start_prec2": "1.0",
            "ep_end": "0.0",
            "gwno_a": "40.0",
            "gwno_b": "",
            "gwno_b_2nd": "26.0",
        },
        columns=list(reversed(PUBLISHED)),
    )
    assert worded.text == numbered.text
    assert said(worded)["ucdp-conflict-7-1961", "rdfs:label"] == [
        "Ruritania – non-state opponents, 1961, conflict 7 of UCDP"
    ]


def test_several_numbers_in_a_cell_are_as_good_as_several_rows(make):
    one = make({"gwno_a": "40, 36", "gwno_b_2nd": "27,26"})
    rows = [{"gwno_a": a, "gwno_b_2nd": b} for a in ("40", "36") for b in ("27", "26")]
    assert make(*rows).text == one.text
    assert said(one)["ucdp-conflict-7-1961", "sideA"] == ["ruritania", "union"]


@pytest.mark.parametrize(
    ("precision", "began"),
    [("1", "1961-03-05"), ("2", "1961-03-05~"), ("3", "1961"), ("5", "1961"), ("6", "1961~"), ("7", "1961~")],
)
def test_the_begin_is_as_precise_as_the_data_set_has_it(make, precision, began):
    assert said(make({"start_prec2": precision}))["ucdp-conflict-7-1961", "began"] == [began]


@pytest.mark.parametrize("kind", ["1", "3", "extrasystemic", "intrastate"])
def test_conflicts_with_states_on_one_side_only_are_left_out_and_counted(make, kind):
    made = make({}, {"conflict_id": "8", "type_of_conflict": kind, "gwno_b": ""})
    assert made.counts == {"armed conflicts": 1, "conflict-years": 1, "rows left out, of other types": 1}


@pytest.mark.parametrize(
    ("row", "state"),
    [
        ({"year": "1991", "start_date2": "1991-03-01"}, "union"),
        ({"year": "1991", "start_date2": "1991-12-28"}, "moscovy"),
        ({"year": "1991", "start_date2": "1990-12-28"}, "union"),
        ({"year": "1992", "start_date2": "1991-03-01"}, "moscovy"),
        ({"year": "1922", "start_date2": "1922"}, "union"),
    ],
)
def test_a_number_is_the_state_that_had_it_while_the_episode_lasted(make, row, state):
    if row["start_date2"] == "1922":
        row = row | {"start_date2": "1922-12-31", "start_prec2": "5"}
    about = said(make({"start_date": "1920-01-01", "gwno_b": "", "gwno_b_2nd": "36"} | row))
    assert about[f"ucdp-conflict-7-{row['year']}", "supportsSideB"] == [state]


def test_a_number_that_only_the_other_list_has_is_taken_from_there(make):
    about = said(make({"gwno_a_2nd": "95", "year": "1980", "start_date2": "1980-01-05"}))
    assert about["ucdp-conflict-7-1980", "supportsSideA"] == ["islet"]


def test_a_party_that_is_no_state_is_told_and_the_rest_is_kept(make):
    made = make({"gwno_b": "751"}, {"conflict_id": "8", "gwno_b": "27", "year": "1991", "start_date2": "1991-01-01"})
    assert made.unmapped == (
        "line 2, conflict 7, 1961, gwno_b: 751 is no state’s number",
        "line 3, conflict 8, 1991, gwno_b: 27 is no state’s number in 1991",
    )
    assert "# - line 2, conflict 7, 1961, gwno_b: 751 is no state’s number\n" in made.text
    assert said(made)["ucdp-conflict-7-1961", "sideA"] == ["ruritania"]
    assert said(made)["ucdp-conflict-7-1961", "unmappedParty"] == ["751"]
    assert said(made)["ucdp-conflict-8-1991", "unmappedParty"] == ["27"]
    assert said(made)["ucdp-conflict-7", "rdfs:label"] == [
        "Ruritania – a party that is no state here, conflict 7 of UCDP"
    ]


def test_a_number_of_nobody_is_named_once_a_year_in_the_order_of_numbers(make):
    made = make({"gwno_b": "751", "gwno_b_2nd": "95, 9"}, {"gwno_b": "9"})
    assert made.text.count('foedus:unmappedParty "9" , "95" , "751" ;') == 1


def test_a_number_that_the_list_of_states_gives_to_nobody_is_nobodys(make, numbers):
    text = 'id:code-of-nobody a foedus:CodeAssignment ; foedus:codeScheme "COW" ; foedus:code "99" .\n'
    numbers.write_text(numbers.read_text(encoding="utf-8") + text, encoding="utf-8")
    assert make({"gwno_b": "99"}).unmapped == ("line 2, conflict 7, 1961, gwno_b: 99 is no state’s number",)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"type_of_conflict": "9"}, "“9” is no type of conflict"),
        ({"intensity_level": "3"}, "“3” is no intensity"),
        ({"year": "soon"}, "“soon” is no whole number in year"),
        ({"year": "61"}, "61 is no year of this data set"),
        ({"conflict_id": "7b"}, "“7b” is no whole number in conflict_id"),
        ({"gwno_b_2nd": "26, x"}, "“x” is no whole number in gwno_b_2nd"),
        ({"start_date2": "05.03.1961"}, "“05.03.1961” is no day such as 2022-09-18"),
        ({"start_date2": "1961-02-30"}, "“1961-02-30” is no day such as 2022-09-18"),
        ({"start_date2": "1962-03-05"}, "the episode from 1962-03-05 to later does not fit the year 1961"),
        ({"ep_end": "1", "ep_end_date": "1962-01-01"}, "to 1962-01-01 does not fit the year 1961"),
    ],
)
def test_a_malformed_row_is_told_by_line(make, row, told):
    with pytest.raises(CannotRead) as refused:
        make({}, row)
    assert f"ucdp-prio-acd-261.csv, line 3: {told}" in refused.value.message or told in refused.value.message
    assert "Nothing was written" in refused.value.remedy


def test_rows_that_contradict_each_other_are_told(make):
    with pytest.raises(CannotRead, match="line 3: conflict 7 in 1961 has intensity minorConflict, but war in line 2"):
        make({}, {"intensity_level": "1"})


def test_many_faults_are_told_in_part_and_counted(make):
    with pytest.raises(CannotRead, match=r"(?s)line 21: .*\n5 more lines are wrong\."):
        make(*({"year": "soon"} for _ in range(25)))


def test_a_missing_column_is_told(make):
    with pytest.raises(CannotRead, match="has no column gwno_b_2nd"):
        make({}, columns=[column for column in PUBLISHED if column != "gwno_b_2nd"])


@pytest.mark.parametrize(
    ("name", "version"),
    [("ucdp-prio-acd-251.csv", "25.1"), ("UcdpPrioConflict_v26_1.csv", "26.1"), ("acd_v25.1_x.csv", "25.1")],
)
def test_the_name_of_the_file_tells_the_version(tmp_path, name, version):
    assert ucdp.version_of(tmp_path / name) == version


def test_a_name_without_a_version_asks_for_it(tmp_path):
    with pytest.raises(WrongUsage, match="does not tell the version"):
        ucdp.version_of(tmp_path / "conflicts.csv")


SHARED = files.ROOT.parent / "shared" / "datasets" / "ucdp_prio_acd_v25.1_peacesciencer.csv"


@pytest.mark.skipif(not SHARED.is_file(), reason="the published data set is not at hand")
def test_the_shipped_file_is_made_of_the_published_data_set():
    made = ucdp.make(SHARED, files.DATA / "generated" / "states.ttl", "25.1")
    assert made.text == (files.DATA / "generated" / "ucdp.ttl").read_text(encoding="utf-8")
    assert made.counts == {"armed conflicts": 133, "conflict-years": 631, "rows left out, of other types": 2129}
    assert len(made.unmapped) == 8
