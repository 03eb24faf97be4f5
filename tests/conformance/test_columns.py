"""The columns of ``SELECT *``, and functions that nobody has, as a worker treats them."""

import io

import pyoxigraph as ox
import pytest

from foedus.errors import BadQuery
from foedus.query import store as engine
from foedus.query.pool import Request


def header(text: str) -> str:
    """The first line of the answer in CSV from one triple."""
    store, body = ox.Store(), io.BytesIO()
    one = ox.NamedNode("http://example.org/one")
    store.add(ox.Quad(one, one, one))
    engine.answer(engine.Loaded(store), Request(text, form="csv"), body)
    return body.getvalue().decode().splitlines()[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT * { ?s ?p ?o }", "s,p,o"),
        ("SELECT*{?s ?p ?o}", "s,p,o"),
        ("select distinct * { ?s ?p ?o }", "s,p,o"),
        ("PREFIX select: <http://example.org/> SELECT REDUCED * { $s ?p $o }", "s,p,o"),
        ("# SELECT ?a\nSELECT # ?a\n* { ?s ?p ?o } # ?a", "s,p,o"),
        ("SELECT * { ?z ?y ?x FILTER(?x != '?b ?a') } LIMIT 1", "z,y,x"),
        ("SELECT * { ?s ?p ?o { SELECT ?o (1 AS ?a) { ?hidden ?s ?o } } }", "s,p,o,a"),
        ("SELECT * { { SELECT * { ?s ?p ?o } } BIND(1 AS ?a) }", "s,p,o,a"),
        ("SELECT * { ?s ?p ?o } VALUES ?a { 1 }", "s,p,o,a"),
        ("SELECT ?p ?s { ?s ?p ?o }", "p,s"),
        ("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", "n"),
        ("SELECT ?s { { SELECT * { ?s ?p ?o } } }", "s"),
        ("SELECT * {}", ""),
    ],
)
def test_columns_of_select_star_come_in_the_order_of_the_text(text, expected):
    assert header(text) == expected


def test_a_malformed_text_is_told_where_it_was_written():
    with pytest.raises(BadQuery) as caught:
        header("SELECT * {\n ?z ?y ?x ; ; oops }")
    assert caught.value.line == 2


def test_an_unknown_function_is_the_askers_mistake():
    with pytest.raises(BadQuery, match=r"no function <http://example\.org/f>"):
        header("SELECT (<http://example.org/f>(1) AS ?x) {}")
