"""Rows are counted from the bytes of an answer, in every format, whatever the values hold and wherever a piece ends."""

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foedus.query import tally

FORMATS = {
    "json": ox.QueryResultsFormat.JSON,
    "xml": ox.QueryResultsFormat.XML,
    "csv": ox.QueryResultsFormat.CSV,
    "tsv": ox.QueryResultsFormat.TSV,
}
STORE = ox.Store()
NASTY = ['"', "\\", '\\"', "},{", '},{"', "}},{", "{},{}", "[]}}", "\n", "\r\n", ",", "<result>", "a\t", "é", ""]
values = st.lists(st.sampled_from(NASTY), max_size=4).map("".join)
rows = st.lists(st.tuples(st.none() | values, st.none() | values), max_size=12)


def term(value: str | None) -> str:
    return "UNDEF" if value is None else str(ox.Literal(value))


def written(table, form: str) -> bytes:
    lines = " ".join(f"({term(one)} {term(other)})" for one, other in table)
    found = STORE.query(f"SELECT ?one ?other {{ VALUES (?one ?other) {{ {lines} }} }}")
    return found.serialize(format=FORMATS[form])


def counted(pieces, form: str) -> int:
    counts = tally.of(form)
    for piece in pieces:
        counts.add(piece)
    return counts.rows()


@pytest.mark.parametrize("form", FORMATS)
@given(table=rows)
@settings(max_examples=60, deadline=None)
def test_a_whole_answer_has_as_many_rows_as_were_written(form, table):
    assert counted([written(table, form)], form) == len(table)


@pytest.mark.parametrize("form", FORMATS)
@given(table=rows, size=st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_it_does_not_matter_where_pieces_end(form, table, size):
    whole = written(table, form)
    pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
    assert counted(pieces, form) == len(table)


@pytest.mark.parametrize("form", FORMATS)
@given(table=rows.filter(bool))
@settings(max_examples=20, deadline=None)
def test_long_answers_are_counted_piece_by_piece(form, table):
    """Beyond the size that is looked at as a whole, what was taken in is not kept."""
    many = table * (tally.WHOLE // 30 // len(table) + 1)
    whole = written(many, form)
    assert counted([whole[at : at + 1000] for at in range(0, len(whole), 1000)], form) == len(many)


@pytest.mark.parametrize("form", FORMATS)
def test_triples_as_values_are_one_row(form):
    triple = '<<( <urn:a> <urn:b> <<( <urn:a> <urn:b> "},{" )>> )>>'
    found = STORE.query(f"SELECT ?t ?u {{ VALUES (?t ?u) {{ ({triple} UNDEF) (UNDEF {triple}) (UNDEF UNDEF) }} }}")
    assert counted([found.serialize(format=FORMATS[form])], form) == 3
