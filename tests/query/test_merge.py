"""Several graphs as the default graph are one graph: a triple that two of them hold counts once."""

import io
import json

import pyoxigraph as ox
import pytest

from foedus.errors import BadQuery
from foedus.query import scan
from foedus.query import store as engine
from foedus.query.pool import Request

G = "http://example.org/graph/"
TRIG = f"""
PREFIX : <http://example.org/>
<{G}a> {{ :both :p 1 . :first :p 2 . }}
<{G}b> {{ :both :p 1 . :second :p 3 . }}
<{G}c> {{ :third :p 4 . _:x :p _:x . }}
"""
COUNT = "(COUNT(*) AS ?n)"


@pytest.fixture
def store():
    made = ox.Store()
    made.load(TRIG.encode(), format=ox.RdfFormat.TRIG)
    return made


def asked(store, text, default=None, named=None):
    body = io.BytesIO()
    graphs = [None if each is None else tuple(G + name for name in each) for each in (default, named)]
    request = Request(text, form="json", default_graphs=graphs[0], named_graphs=graphs[1])
    engine.answer(engine.Loaded(store), request, body)
    found = json.loads(body.getvalue())
    return found["boolean"] if "boolean" in found else [int(row["n"]["value"]) for row in found["results"]["bindings"]]


FROM = {
    "a shared triple": (f"SELECT {COUNT} FROM <{G}a> FROM <{G}b> {{ ?s ?p ?o }}", 3),
    "nothing shared": (f"SELECT {COUNT} FROM <{G}a> FROM <{G}c> {{ ?s ?p ?o }}", 4),
    "the same graph twice": (f"SELECT {COUNT} FROM <{G}a> FROM <{G}a> {{ ?s ?p ?o }}", 2),
    "one graph": (f"SELECT {COUNT} FROM <{G}a> {{ ?s ?p ?o }}", 2),
    "all": (f"SELECT {COUNT} FROM <{G}a> FROM <{G}b> FROM <{G}c> {{ ?s ?p ?o }}", 5),
    "one that is not there": (f"SELECT {COUNT} FROM <{G}a> FROM <{G}b> FROM <{G}none> {{ ?s ?p ?o }}", 3),
    "by a prefix": (f"PREFIX g: <{G}> SELECT {COUNT} FROM g:a FROM g:b {{ ?s ?p ?o }}", 3),
    "by an empty prefix": (f"prefix : <{G}> select {COUNT} from :a from :b {{ ?s ?p ?o }}", 3),
    "by a base": (f"BASE <{G}> SELECT {COUNT} FROM <a> FROM <b> {{ ?s ?p ?o }}", 3),
    "without spaces": (f"SELECT{COUNT}FROM<{G}a>FROM<{G}b>{{?s ?p ?o}}", 3),
    "keywords without spaces": (
        f"PREFIX g: <{G}> SELECT {COUNT} FROMg:a FROMg:b FROMNAMEDg:c FROMNAMED<{G}b>{{ GRAPH ?g {{ ?s ?p ?o }} }}",
        4,
    ),
    "nothing behind which a space is needed": (
        f"PREFIX g:<{G}>SELECTDISTINCT{COUNT}fromg:a FrOm<{G}b>fromNamed<{G}c>{{?s ?p ?o}}",
        3,
    ),
    "prefixes that look like keywords": (
        f"PREFIX NAMED: <{G}> PREFIX FROMx: <urn:> PREFIX x: <{G}> SELECT {COUNT} FROM NAMED:a FROMx:b {{ ?s ?p ?o }}",
        3,
    ),
    "a prefix that only looks declared": (
        f"PREFIX : <{G}> SELECT {COUNT} FROM:a FROM:b FROM NAMED:c {{ ?s ?p ?o . GRAPH ?g {{ ?t ?q ?r }} }}",
        6,
    ),
    "with comments": (f"SELECT {COUNT} #FROM <x>\nFROM #y\n <{G}a> FROM <{G}b> WHERE {{ ?s ?p ?o }}", 3),
    "named graphs beside them": (
        f"SELECT {COUNT} FROM <{G}a> FROM <{G}b> FROM NAMED <{G}c> {{ ?s ?p ?o . GRAPH ?g {{ ?t ?q ?r }} }}",
        6,
    ),
    "no named graph beside them": (f"SELECT {COUNT} FROM <{G}a> FROM <{G}b> {{ GRAPH ?g {{ ?s ?p ?o }} }}", 0),
    "in a subquery": (f"SELECT ?n FROM <{G}a> FROM <{G}b> {{ SELECT {COUNT} {{ ?s ?p ?o }} }}", 3),
    "the clause as a string": (f'SELECT {COUNT} FROM <{G}a> {{ ?s ?p ?o FILTER(?o != " FROM <{G}b> ") }}', 2),
}


@pytest.mark.parametrize(("text", "count"), FROM.values(), ids=FROM.keys())
def test_graphs_of_the_text_are_merged(store, text, count):
    assert asked(store, text) == [count]


@pytest.mark.parametrize(
    ("default", "named", "text", "count"),
    [
        (["a", "b"], None, f"SELECT {COUNT} {{ ?s ?p ?o }}", 3),
        (["a", "b"], None, f"SELECT {COUNT} FROM <{G}c> {{ ?s ?p ?o }}", 3),
        (["a", "b", "a"], ["c"], f"SELECT {COUNT} {{ ?s ?p ?o }}", 3),
        (["a", "b"], ["a", "b"], f"SELECT {COUNT} {{ GRAPH ?g {{ ?s ?p ?o }} }}", 4),
        (["a", "b"], None, f"SELECT {COUNT} {{ GRAPH ?g {{ ?s ?p ?o }} }}", 0),
        ([], ["a"], f"SELECT {COUNT} {{ ?s ?p ?o }}", 0),
    ],
)
def test_graphs_of_the_protocol_are_merged(store, default, named, text, count):
    assert asked(store, text, default, named) == [count]


def test_triples_are_given_once(store):
    body = io.BytesIO()
    text = f"CONSTRUCT FROM <{G}a> FROM <{G}b> WHERE {{ ?s ?p ?o }}"
    engine.answer(engine.Loaded(store), Request(text, form="nt"), body)
    assert body.getvalue().count(b"\n") == 3


def test_the_merge_leaves_nothing_behind(store):
    before = set(store)
    for _ in range(3):
        assert asked(store, FROM["a shared triple"][0]) == [3]
    assert set(store) == before
    assert len(list(store.named_graphs())) == 3
    with pytest.raises(BadQuery):
        asked(store, f"SELECT (urn() AS ?n) FROM <{G}a> FROM <{G}b> {{}}")
    assert set(store) == before


def test_a_malformed_query_with_several_graphs_is_told_its_place(store):
    with pytest.raises(BadQuery) as refused:
        asked(store, f"SELECT * FROM <{G}a>\nFROM <{G}b> {{ ?s ?p")
    assert refused.value.line == 2
    with pytest.raises(BadQuery):
        asked(store, "SELECT * FROM g:a FROM g:b { ?s ?p ?o }")


@pytest.mark.parametrize(
    ("text", "default", "named"),
    [
        ("ASKFROM<urn:a>FROM<urn:b>{}", ("<urn:a>", "<urn:b>"), ()),
        ("PREFIXx:<urn:>ASKFROMx:a FROMNAMEDx:b {}", ("x:a",), ("x:b",)),
        ("PREFIX x: <urn:> DESCRIBEx:FROM FROMx:a FROMx:b", ("x:a", "x:b"), ()),
        ("PREFIX FROM: <urn:> DESCRIBE FROM:a FROM FROM:b FROM <urn:c>", ("FROM:b", "<urn:c>"), ()),
        ("PREFIX select: <urn:> SELECT * FROM select:a FROM select:b {}", ("select:a", "select:b"), ()),
        ("CONSTRUCT { ?s ?p ?o } FROM <urn:a> FROM <urn:b> WHERE { ?s ?p ?o }", ("<urn:a>", "<urn:b>"), ()),
    ],
)
def test_clauses_are_read_as_the_engine_reads_them(text, default, named):
    seen = scan.clauses(text)
    assert (seen.default, seen.named) == (default, named)
    engine.answer(engine.Loaded(ox.Store()), Request(text), io.BytesIO())


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * { ?s ?p ?o }",
        "PREFIX FROM: <urn:x> ASK { FROM:a ?p ?o }",
        "SELECT * FROM NAMED <urn:a> {}",
        "SELECT * FROMNAMED<urn:a> {}",
        "ASK { ?FROM ?p <urn:a> }",
        "SELECT * FROM nonsense FROM <urn:b> FROM <urn:c> {}",
        "PREFIX FROM: <urn:x> DESCRIBE FROM:a FROM:b",
    ],
)
def test_what_names_no_default_graph_or_is_not_understood_is_left_to_the_engine(text):
    assert scan.clauses(text).default == ()
