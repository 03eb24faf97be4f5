"""Dates are strings of a closed list of forms; each means a first and a last day."""

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foedus.build import build, check, dates

with warnings.catch_warnings():
    # edtf builds its grammar on import in ways that newer releases of pyparsing warn about.
    warnings.simplefilter("ignore")
    from edtf import parse_edtf


@pytest.mark.parametrize(
    ("text", "earliest", "latest"),
    [
        ("1999-04-02", "1999-04-02", "1999-04-02"),
        ("1999-04", "1999-04-01", "1999-04-30"),
        ("2008-02", "2008-02-01", "2008-02-29"),
        ("1999", "1999-01-01", "1999-12-31"),
        ("1994?", "1994-01-01", "1994-12-31"),
        ("1994-04~", "1994-04-01", "1994-04-30"),
        ("1999-04-02?", "1999-04-02", "1999-04-02"),
        ("[2006-06-23..2008-03-28]", "2006-06-23", "2008-03-28"),
        ("[2006-06..2008]", "2006-06-01", "2008-12-31"),
        ("1999/2000-02", "1999-01-01", "2000-02-29"),
        ("1999-04/..", "1999-04-01", None),
    ],
)
def test_a_date_of_the_closed_list_has_strict_bounds(text, earliest, latest):
    found = dates.bounds(text)
    assert found.earliest.isoformat() == earliest
    assert (found.latest and found.latest.isoformat()) == latest


@pytest.mark.parametrize(
    "text",
    [
        *("", " 1999", "1999 ", "1999-4-2", "99", "199X", "1999-04-02T10:00", "1999%", "1999-21", "-0044", "Y12345"),
        *("../1999", "1999/", "/1999", "1999/open", "[1999]", "[1999,2000]", "{1999..2000}", "[..1999]", "1999-13"),
        *("1999-02-29", "0000", "2000/1999", "[2000..1999]", "1999?/2000", "20.4.1999", "1999–2000", "１９９９"),
    ],
)
def test_anything_else_is_no_date(text):
    with pytest.raises(ValueError, match=r"."):
        dates.bounds(text)


@given(st.dates(), st.dates())
def test_two_days_bound_what_lies_between_them(one, other):
    first, last = sorted((one, other))
    assert dates.bounds(f"[{first}..{last}]") == dates.bounds(f"{first}/{last}") == dates.Bounds(first, last)


@given(st.dates(), st.sampled_from([4, 7, 10]), st.sampled_from(["", "?", "~"]))
def test_the_bounds_of_one_date_are_those_of_the_reference_implementation(day, length, doubt):
    """The library edtf takes milliseconds for each date, too long for a build."""
    text = day.isoformat()[:length]
    reference = parse_edtf(text)
    found = dates.bounds(text + doubt)
    assert found.earliest.timetuple()[:3] == reference.lower_strict()[:3]
    assert found.latest is not None
    assert found.latest.timetuple()[:3] == reference.upper_strict()[:3]


def test_the_bounds_that_the_ontology_declares_are_inferred(world, tmp_path):
    build(tmp_path / "out", root=world)
    dataset = (tmp_path / "out" / "dataset.nq").read_text()
    date = "<http://www.w3.org/2001/XMLSchema#date> <https://w3id.org/foedus/graph/inferred> ."
    assert f'occurredEarliest> "1999-04-01"^^{date}' in dataset
    assert f'occurredLatest> "1999-04-30"^^{date}' in dataset
    assert "1999-01-01" not in dataset  # of a date for which no bounds are declared


@pytest.mark.parametrize(
    "text",
    [
        "id:x a foedus:State ; rdfs:label 'X'@en ; foedus:occurred 'spring 1999' .",
        "id:x a foedus:State ; rdfs:label 'X'@en ; foedus:published '1999/' .",
        "id:x a foedus:State ; rdfs:label 'X'@en ; foedus:occurred '1999-04-02'^^xsd:date .",
        "id:x a foedus:State ; rdfs:label 'X'@en ; foedus:occurred id:rome .",
        "id:x a foedus:ValueClaim ; foedus:aspect foedus:occurred ; foedus:value 'spring' .",
    ],
)
def test_a_date_that_is_none_is_told_with_the_forms(world, add, text):
    add("data/more.ttl", f"\n{text}\n")
    told = [each for each in check(root=world).findings if "is not a date here" in each.message]
    assert [(each.file, each.line, each.node) for each in told] == [("data/more.ttl", 12, "id:x")]
    assert dates.FORMS in told[0].remedy


def test_a_date_that_is_none_is_told_of_a_thing_whose_name_ends_in_a_day(world, add):
    add("data/more.ttl", "\nid:x-1999-04-02 a foedus:State ; rdfs:label 'X'@en ; foedus:occurred '2 April 1999' .\n")
    told = [each for each in check(root=world).findings if each.node == "id:x-1999-04-02"]
    assert ["is not a date here" in each.message for each in told] == [True]
