"""Triple Pattern Fragments: every statement is found by its pattern and by following the links, and nothing else."""

import json
from urllib.parse import quote, urlencode

import pytest
from pyoxigraph import DefaultGraph, RdfFormat, parse
from rdflib import Graph

from foedus import names
from foedus.query import results
from foedus.query.cache import Cache
from foedus.web import create_app

HYDRA = "http://www.w3.org/ns/hydra/core#"
VOID = names.PREFIXES["void"]


def asked(client, form="ttl", **given):
    answer = client.get(f"/fragments?{urlencode({**given, 'format': form})}")
    assert answer.status_code == 200, answer.text
    return answer.text


def read(client, **given):
    """The statements of a page, without what is said of it, and the address of the next one."""
    quads = list(parse(asked(client, "trig", **given).encode(), RdfFormat.TRIG))
    data = {quad.triple for quad in quads if isinstance(quad.graph_name, DefaultGraph)}
    said = {quad.predicate.value: quad.object.value for quad in quads if quad.triple not in data}
    assert {quad.graph_name.value.rpartition("#")[2] for quad in quads if quad.triple not in data} == {"metadata"}
    return data, int(said[HYDRA + "totalItems"]), said.get(HYDRA + "next")


@pytest.mark.parametrize(
    "given",
    [
        {"subject": "id:csto"},
        {"predicate": f"{names.ONTOLOGY}occurred"},
        {"object": '"Armenia"@en'},
        {"object": "id:armenia", "predicate": "foedus:ofState"},
        {"subject": "id:armenia", "predicate": "foedus:iso3", "object": '"ARM"'},
        {"predicate": "foedus:asOf", "object": f'"2022-09-16"^^{names.PREFIXES["xsd"]}date'},
        {"predicate": "foedus:asOf", "object": '"2022-09-16"^^xsd:date'},
        {"subject": "?anything", "predicate": "foedus:iso3", "object": "?x"},
        {"subject": "?x", "predicate": "?p", "object": "?x"},
        {"subject": "?s", "predicate": "owl:equivalentClass", "object": "?s"},
        {"predicate": "foedus:ofState"},
        {"subject": "id:nobody"},
    ],
)
def test_a_pattern_finds_what_a_query_finds(client, pool, given):
    """Over all pages, each statement once; the number is told on each."""
    terms = [given.get(place, f"?{place}") for place in ("subject", "predicate", "object")]
    pattern = " ".join(f"<{names.expand(term)}>" if names.expand(term) else term for term in terms).replace(
        f"^^{names.PREFIXES['xsd']}date", "^^xsd:date"
    )
    text = f"{names.prologue()}SELECT (COUNT(*) AS ?n) {{ {pattern} }}"
    (counted,) = results.select(pool, text)
    found, page = set(), 1
    while True:
        data, total, following = read(client, **given, page=page)
        assert total == int(counted["n"].value)
        assert not found & data
        found |= data
        if following is None:
            break
        page += 1
        assert following.endswith(f"page={page}")
    assert len(found) == total


def mapped(graph):
    """The form in *graph*: the dataset that it searches, its template, and what its variables stand for."""
    rows = graph.query(
        f"""PREFIX hydra: <{HYDRA}>
        SELECT ?dataset ?template ?variable ?property {{
          ?dataset hydra:search ?form ; <{VOID}subset> ?fragment .
          ?form hydra:template ?template ; hydra:mapping [ hydra:variable ?variable ; hydra:property ?property ]
        }}"""
    )
    return {(str(d), str(t), str(v), str(p).rpartition("#")[2]) for d, t, v, p in rows}


@pytest.mark.parametrize(
    ("given", "searched", "template"),
    [
        ({"subject": "id:csto"}, "/fragments#dataset", "/fragments{?subject,predicate,object}"),
        (
            {"subject": "id:csto", "reasoning": "off"},
            "/fragments?reasoning=off#dataset",
            "/fragments?reasoning=off{&subject,predicate,object}",
        ),
    ],
)
def test_a_client_learns_from_any_page_how_to_ask_for_any_pattern(client, given, searched, template):
    """What is asserted alone is a dataset of its own, so that who begins there stays there."""
    graph = Graph().parse(data=asked(client, **given), format="turtle")
    home = "http://localhost"
    assert mapped(graph) == {
        (home + searched, home + template, each, each) for each in ("subject", "predicate", "object")
    }


FORMATS = {
    "trig": ("application/trig", RdfFormat.TRIG),
    "nq": ("application/n-quads", RdfFormat.N_QUADS),
    "jsonld": ("application/ld+json", RdfFormat.JSON_LD),
    "ttl": ("text/turtle; charset=utf-8", RdfFormat.TURTLE),
    "nt": ("application/n-triples", RdfFormat.N_TRIPLES),
}


@pytest.mark.parametrize(
    "query", ["subject=id:armenia", "predicate=rdfs:label&page=2", 'object="Armenia"@en', "predicate=sh:property"]
)
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_says_the_same(client, name, query):
    """With graphs, what is said of the page is in one of its own."""
    address = f"/fragments?{query}"
    content_type, syntax = FORMATS[name]
    answer = client.get(address, headers={"Accept": content_type})
    assert (answer.status_code, answer.content_type) == (200, content_type)
    quads = list(parse(answer.data, syntax))
    trig = list(parse(client.get(address, headers={"Accept": "application/trig"}).data, RdfFormat.TRIG))

    assert {each.triple for each in quads} == {each.triple for each in trig}
    asked_for = f"http://localhost{quote(address, safe='/?=&:@')}"
    data = [each for each in trig if isinstance(each.graph_name, DefaultGraph)]
    graphs = {each.graph_name.value for each in quads if not isinstance(each.graph_name, DefaultGraph)}
    assert graphs == (set() if name in ("ttl", "nt") else {f"{asked_for}#metadata"})
    assert data
    if graphs:
        assert sum(isinstance(each.graph_name, DefaultGraph) for each in quads) == len(data)


def links(client, address):
    """What is said of pages and fragments there: by subject and predicate, addresses without the host, and numbers."""
    answer = client.get(address, headers={"Accept": "application/n-quads"})
    found = {}
    for quad in parse(answer.data, RdfFormat.N_QUADS):
        if not isinstance(quad.graph_name, DefaultGraph):
            key = (quad.subject.value.removeprefix("http://localhost"), quad.predicate.value.rpartition("/")[2])
            found.setdefault(key, set()).add(quad.object.value.removeprefix("http://localhost"))
    return found


def test_a_page_is_called_what_it_was_asked_by_and_leads_to_its_neighbours(client):
    first = links(client, "/fragments?predicate=foedus:ofState")
    whole, total = "/fragments?predicate=foedus:ofState", first["/fragments?predicate=foedus:ofState", "void#triples"]
    pages = -(-int(*total) // 100)
    assert first[whole, "core#next"] == {f"{whole}&page=2"}
    assert first[whole, "core#last"] == {f"{whole}&page={pages}"}
    assert (whole, "core#previous") not in first
    asked_by = "/fragments?page=2&predicate=foedus:ofState"
    second = links(client, asked_by)
    assert second[f"{asked_by}#metadata", "primaryTopic"] == {asked_by}
    assert second["/fragments#dataset", "void#subset"] == {whole}
    assert second[whole, "void#subset"] == {asked_by}
    assert second[whole, "void#triples"] == second[asked_by, "core#totalItems"] == total
    assert second[asked_by, "core#itemsPerPage"] == {"100"}
    assert second[asked_by, "core#first"] == second[asked_by, "core#previous"] == {whole}
    assert second[asked_by, "core#next"] == {f"{whole}&page=3"}
    last = links(client, f"{whole}&page={pages}")
    assert (f"{whole}&page={pages}", "core#next") not in last
    assert client.get(f"{whole}&page={pages + 1}").status_code == 404


@pytest.mark.parametrize("raw", ["object=%", 'object="%zz"', 'object="{}[]|^`"', "object=%22\u00e9%22", "a&page=1"])
def test_an_odd_address_does_no_harm_to_what_is_said_of_it(client, raw):
    answer = client.get(f"/fragments?{raw}", headers={"Accept": "application/trig"})
    if answer.status_code == 200:
        assert [quad for quad in parse(answer.data, RdfFormat.TRIG) if quad.predicate.value == HYDRA + "itemsPerPage"]
    else:
        assert answer.content_type == "application/problem+json"


def test_without_conclusions_only_what_files_state_matches(client):
    """The pages that follow are without them, too."""
    concluded = {"predicate": "rdf:type", "object": "foedus:Membership"}
    assert read(client, **concluded)[1] > 0
    assert read(client, **concluded, reasoning="off")[:2] == (set(), 0)
    assert "reasoning=off" in read(client, predicate="rdf:type", reasoning="off")[2]
    assert client.get("/fragments?reasoning=perhaps").status_code == 400


def test_what_stands_in_two_graphs_is_one_statement(own):
    assert read(own, subject="http://example.org/both")[1] == 1
    both = {"subject": "http://example.org/both", "predicate": "http://example.org/in", "object": '"both"'}
    data, total, _ = read(own, **both)
    assert (len(data), total) == (1, 1)


def test_a_nameless_node_is_followed_from_one_fragment_to_the_next(own):
    """It has a name that a client can ask by."""
    ((_, _, knows),), _, _ = read(own, predicate="http://example.org/knows")
    about, total, _ = read(own, subject=knows.value)
    assert ({triple.predicate.value for triple in about}, total) == (
        {"http://example.org/named", "http://example.org/near"},
        2,
    )
    ((subject, _, near),), _, _ = read(own, subject=knows.value, predicate="http://example.org/near")
    assert subject == knows != near
    assert read(own, object=near.value)[0] == read(own, subject=knows.value, object=near.value)[0]
    assert read(own, subject=near.value, object='"nobody"')[1] == 0
    assert read(own, subject="?x", object=knows.value)[1] == 1
    for nowhere in ({"predicate": knows.value}, {"subject": knows.value + "0"}):
        assert read(own, **nowhere) == (set(), 0, None)


def test_a_page_for_people_shows_nameless_nodes_as_elsewhere(own):
    answer = own.get("/fragments?predicate=http://example.org/near", headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert "genid" not in answer.text


@pytest.mark.parametrize(
    "given",
    [
        {"subject": '"Armenia"@en'},
        {"predicate": '"Armenia"@en'},
        {"subject": "mailto:somebody@example.org"},
        {"object": '"1"^^tag:example.org,2026:kind'},
        {"subject": "?x", "predicate": "foedus:iso3", "object": "?x"},
    ],
)
def test_what_nothing_matches_is_an_empty_fragment(client, given):
    """A client that joins asks for such patterns as a matter of course."""
    assert read(client, **given) == (set(), 0, None)


def test_a_client_that_reads_page_after_page_has_the_statements_ordered_and_counted_once(pool):
    """One query brings ten pages into order, another counts; both are kept as long as the dataset is the same."""
    cache = Cache(pool)
    client = create_app(cache).test_client()
    before = cache.statistics()
    for page in range(1, 11):
        asked(client, predicate="foedus:ofState", page=page)
    after = cache.statistics()
    assert (after.misses - before.misses, after.hits - before.hits) == (2, 18)
    asked(client, subject="id:armenia", predicate="foedus:iso3")
    assert cache.statistics().misses - after.misses == 1


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, "application/trig"),
        ("*/*", "application/trig"),
        ("application/trig", "application/trig"),
        ("text/turtle;q=0.9,application/trig;q=0.1", "text/turtle; charset=utf-8"),
        ("application/n-quads,application/trig;q=0.95,application/ld+json;q=0.9", "application/n-quads"),
        ("application/json", "application/json"),
        ("text/html,*/*;q=0.8", "text/html; charset=utf-8"),
    ],
)
def test_the_format_is_the_one_that_is_accepted(client, accept, content_type):
    answer = client.get("/fragments?subject=id:csto", headers={"Accept": accept} if accept else {})
    assert (answer.status_code, answer.content_type) == (200, content_type)
    assert {"Accept", "Accept-Encoding"} <= set(answer.headers["Vary"].split(", "))


def test_scripts_and_caches_are_served_as_elsewhere(client):
    address = "/fragments?subject=id:csto"
    answer = client.get(address)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    again = client.get(address, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    head = client.head(address)
    assert (head.status_code, head.data, head.headers["ETag"]) == (200, b"", answer.headers["ETag"])
    assert client.post(address).status_code == 405
    for wrong in ("/fragments?subject=csto", f"{address}&page=99"):
        answer = client.get(wrong, headers={"Accept": "application/trig"})
        assert answer.content_type == "application/problem+json"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert json.loads(answer.data)["status"] == answer.status_code


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("subject=csto", 400),
        ("predicate=%3Chttp://x%3E%20%3Fo%20.%20%3Fs%20%3Fp", 400),
        ('object="x"^^y', 400),
        ('object="x"@en%7D', 400),
        ("object=" + "x" * 5000, 400),
        ("graph=id:x", 400),
        ("subject=id:csto&subject=id:nato", 400),
        ("page=0", 400),
        ("page=-1", 400),
        ("page=9999999999", 400),
        ("subject=id:csto&page=99", 404),
        ("subject=%3F", 400),
        ("subject=%3Fa%20%3Fb", 400),
        ("format=docx", 406),
        ("format=rdf", 406),
        ("subject=_:b0", 400),
    ],
)
def test_what_is_no_pattern_is_told(client, query, status):
    assert client.get(f"/fragments?{query}").status_code == status


@pytest.mark.parametrize("text", ['" } ?s ?p ?o . { "', "\\", '\\" }', "line\nbreak", "'", '""', "\u0000", "\u202e"])
def test_no_literal_ends_its_place(client, text):
    """It matches nothing, rather than everything."""
    assert read(client, object=f'"{text}"')[:2] == (set(), 0)
    assert client.get("/fragments?" + urlencode({"object": f'"{text}"@en'})).status_code == 200


def test_the_page_leads_on(client):
    def page(address):
        return client.get(address, headers={"Accept": "text/html"}).text

    html = page("/fragments?predicate=foedus:iso3&reasoning=off")
    assert 'href="/fragments?predicate=foedus:iso3&amp;reasoning=off&amp;page=2" rel="next"' in html
    assert 'href="/fragments?predicate=foedus:iso3&amp;reasoning=off&amp;format=trig"' in html
    assert '<input type="hidden" name="reasoning" value="off">' in html
    assert 'href="/page/armenia"' in html
    assert "<script" not in page('/fragments?object="<script>"').replace('type="application/ld+json"', "")
