"""What the endpoint says of itself is so: each format works, each feature holds, the graphs and counts are the store's.

Over the shipped dataset and over files of one's own.
"""

import pyoxigraph as ox
import pytest

SD, VOID = "http://www.w3.org/ns/sparql-service-description#", "http://rdfs.org/ns/void#"
FORMATS = "http://www.w3.org/ns/formats/"
NS = f"PREFIX sd: <{SD}> PREFIX void: <{VOID}> PREFIX dcterms: <http://purl.org/dc/terms/>"
ACCEPTED = {
    "SPARQL_Results_JSON": "application/sparql-results+json",
    "SPARQL_Results_XML": "application/sparql-results+xml",
    "SPARQL_Results_CSV": "text/csv",
    "SPARQL_Results_TSV": "text/tab-separated-values",
    "Turtle": "text/turtle",
    "N-Triples": "application/n-triples",
    "N-Quads": "application/n-quads",
    "TriG": "application/trig",
    "RDF_XML": "application/rdf+xml",
    "JSON-LD": "application/ld+json",
}
RDF = {
    "text/turtle": ox.RdfFormat.TURTLE,
    "application/n-triples": ox.RdfFormat.N_TRIPLES,
    "application/n-quads": ox.RdfFormat.N_QUADS,
    "application/trig": ox.RdfFormat.TRIG,
    "application/rdf+xml": ox.RdfFormat.RDF_XML,
    "application/ld+json": ox.RdfFormat.JSON_LD,
}
RESULTS = {
    "application/sparql-results+json": ox.QueryResultsFormat.JSON,
    "application/sparql-results+xml": ox.QueryResultsFormat.XML,
    "text/tab-separated-values": ox.QueryResultsFormat.TSV,
}


@pytest.fixture(params=["shipped", "own"])
def web(request):
    """A client of the app over the shipped dataset, and one over files of one's own."""
    return request.getfixturevalue("client" if request.param == "shipped" else "own")


def rows(web, query):
    answer = web.get("/sparql", query_string={"query": query, "format": "json"})
    assert answer.status_code == 200, answer.text
    return [{name: each["value"] for name, each in row.items()} for row in answer.json["results"]["bindings"]]


def said(web, pattern, accept="text/turtle"):
    """The bindings of *pattern* in the service description, as strings."""
    answer = web.get("/sparql", headers={"Accept": accept})
    assert answer.status_code == 200
    store = ox.Store()
    for each in ox.parse(answer.data, format=RDF[accept]):
        store.add(ox.Quad(each.subject, each.predicate, each.object))
    found = store.query(f"{NS} SELECT * {{ {pattern} }}")
    names = [each.value for each in found.variables]
    return [{name: row[name].value for name in names} for row in found]


@pytest.mark.parametrize("accept", RDF)
def test_the_description_is_the_same_in_every_format(web, accept):
    assert len(said(web, "?service a sd:Service ; sd:endpoint ?endpoint ; sd:resultFormat ?format", accept)) == 10


def test_each_format_that_is_named_works_and_no_other_is_offered(web):
    named = {row["format"].removeprefix(FORMATS) for row in said(web, "[] sd:resultFormat ?format")}
    assert named == set(ACCEPTED)
    for accept in (ACCEPTED[name] for name in named):
        is_graph = accept in RDF
        query = "CONSTRUCT { ?s ?p ?o } { ?s ?p ?o } LIMIT 5" if is_graph else "SELECT ?s { ?s ?p ?o } LIMIT 5"
        answer = web.get("/sparql", query_string={"query": query}, headers={"Accept": accept})
        assert (answer.status_code, answer.mimetype) == (200, accept)
        if is_graph:
            assert len(list(ox.parse(answer.data, format=RDF[accept]))) == 5
        elif accept == "text/csv":
            assert answer.data.count(b"\r\n") == 6
        else:
            assert len(list(ox.parse_query_results(answer.data, RESULTS[accept]))) == 5


def test_the_graphs_and_their_sizes_are_the_stores(web):
    held = {row["g"]: row["n"] for row in rows(web, "SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g")}
    described = said(web, "[] sd:namedGraph [ sd:name ?g ; sd:graph [ void:triples ?n ] ]")
    assert {row["g"]: row["n"] for row in described} == held
    assert len(described) == len(held) >= 3
    everything = said(web, "[] sd:defaultGraph [ void:triples ?n ]")
    assert everything == rows(web, "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }")


def test_the_default_graph_holds_all_named_graphs_each_triple_once(web):
    missing = "ASK { GRAPH ?g { ?s ?p ?o } FILTER NOT EXISTS { ?s ?p ?o } }"
    assert web.get("/sparql", query_string={"query": missing}).json["boolean"] is False
    once = "SELECT (COUNT(*) AS ?n) { { SELECT DISTINCT ?s ?p ?o { ?s ?p ?o } } }"
    assert rows(web, once) == rows(web, "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }")


def test_the_default_graph_is_called_the_union_of_the_named_ones_where_it_is(client, own):
    """A triple in no named graph, as files of one's own may have, makes it more than that."""
    more = "ASK { ?s ?p ?o FILTER NOT EXISTS { GRAPH ?g { ?s ?p ?o } } }"
    for web, is_more in ((client, False), (own, True)):
        assert web.get("/sparql", query_string={"query": more}).json["boolean"] is is_more
        features = {row["feature"].removeprefix(SD) for row in said(web, "[] sd:feature ?feature")}
        assert features == (set() if is_more else {"UnionDefaultGraph"})


def test_no_language_is_named_but_that_of_queries(web):
    languages = {row["language"].removeprefix(SD) for row in said(web, "[] sd:supportedLanguage ?language")}
    assert languages == {"SPARQL11Query"}


def test_the_regime_is_simple_entailment(own):
    """Nothing is concluded while a query runs."""
    assert said(own, "[] sd:defaultEntailmentRegime ?regime")[0]["regime"].endswith("/Simple")
    query = "ASK { <http://example.org/first> a ?type }"
    assert own.get("/sparql", query_string={"query": query}).json["boolean"] is False


# ── what it says of DESCRIBE ──


def described(own, query):
    answer = own.get("/sparql", query_string={"query": query, "format": "nt"})
    assert answer.status_code == 200
    return list(ox.parse(answer.data, format=ox.RdfFormat.N_TRIPLES))


def test_describe_gives_a_concise_bounded_description(own):
    """The resource's own triples, and those of the blank nodes behind them; nothing that points at it."""
    found = described(own, "DESCRIBE <http://example.org/first>")
    assert sorted(each.predicate.value.rpartition("/")[2] for each in found) == [
        "in",
        "knows",
        "named",
        "named",
        "near",
    ]
    assert {each.object.value for each in found if each.predicate.value.endswith("named")} == {"nobody", "no one"}


def test_describe_gives_each_triple_once_though_two_graphs_hold_it(own):
    assert len(described(own, "DESCRIBE <http://example.org/both>")) == 1
    chosen = "FROM <http://example.org/graph/one> FROM <http://example.org/graph/two>"
    assert len(described(own, f"DESCRIBE <http://example.org/both> {chosen}")) == 1


def test_describe_keeps_to_the_graph_that_was_chosen(own):
    assert described(own, "DESCRIBE <http://example.org/first> FROM <http://example.org/graph/two>") == []


def test_describe_of_what_is_not_there_is_empty(own):
    assert described(own, "DESCRIBE <http://example.org/nothing>") == []


def test_describe_of_a_pattern_describes_each_answer(own):
    found = described(own, 'DESCRIBE ?s { ?s <http://example.org/in> "two" }')
    assert [each.subject.value for each in found] == ["http://example.org/second"]


def test_the_description_says_what_describe_gives(own):
    text = said(own, "[] dcterms:description ?text")[0]["text"]
    assert "concise bounded description" in text
    assert "blank node" in text


# ── order and names over the protocol ──


@pytest.mark.parametrize(
    ("query", "columns"),
    [
        ("SELECT * { ?z <http://example.org/in> ?a }", ["z", "a"]),
        ("SELECT * { ?s ?p ?o } LIMIT 1", ["s", "p", "o"]),
        ("SELECT DISTINCT * { ?z <http://example.org/in> ?a . ?z ?m ?b }", ["z", "a", "m", "b"]),
        ("SELECT ?o ?s { ?s ?p ?o } LIMIT 1", ["o", "s"]),
    ],
)
def test_columns_come_as_the_query_writes_them(own, query, columns):
    def get(form):
        return own.get("/sparql", query_string={"query": query, "format": form})

    assert get("json").json["head"]["vars"] == columns
    assert get("csv").text.partition("\r\n")[0].split(",") == columns
    assert get("tsv").text.partition("\n")[0].split("\t") == [f"?{each}" for each in columns]
    assert [get("xml").text.index(f'<variable name="{each}"') for each in columns] == sorted(
        get("xml").text.index(f'<variable name="{each}"') for each in columns
    )


@pytest.mark.parametrize("form", ["ttl", "trig", "rdf"])
def test_graph_answers_use_our_prefixes(client, form):
    answer = client.get("/sparql", query_string={"query": "DESCRIBE id:csto", "format": form})
    assert "foedus:" in answer.text
    if form != "rdf":
        assert "id:csto" in answer.text
