"""Triple Pattern Fragments: every statement is found by its pattern and by following the links, and nothing else."""

from urllib.parse import urlencode

import pytest
from pyoxigraph import DefaultGraph, RdfFormat, parse
from rdflib import Graph

from foedus import names
from foedus.query import results

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
        {"subject": "id:nobody"},
    ],
)
def test_a_pattern_finds_what_a_query_finds(client, pool, given):
    """Over all pages, each statement once; the number is told on each."""
    terms = [given.get(place, "?").strip() for place in ("subject", "predicate", "object")]
    pattern = " ".join(
        f"?{name}" if term.startswith("?") else f"<{names.expand(term)}>" if names.expand(term) else term
        for name, term in zip("spo", terms, strict=True)
    ).replace(f"^^{names.PREFIXES['xsd']}date", "^^xsd:date")
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


def test_a_client_learns_from_any_page_how_to_ask_for_any_pattern(client):
    graph = Graph().parse(data=asked(client, subject="id:csto"), format="turtle")
    rows = graph.query(
        f"""PREFIX hydra: <{HYDRA}>
        SELECT ?template ?variable ?property {{
          ?dataset hydra:search ?form ; <{VOID}subset> ?fragment .
          ?form hydra:template ?template ; hydra:mapping [ hydra:variable ?variable ; hydra:property ?property ]
        }}"""
    )
    assert {(str(t), str(v), str(p).rpartition("#")[2]) for t, v, p in rows} == {
        ("http://localhost/fragments{?subject,predicate,object}", each, each)
        for each in ("subject", "predicate", "object")
    }


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("application/trig", "application/trig; charset=utf-8"),
        ("text/turtle;q=0.9,application/trig;q=0.1", "text/turtle; charset=utf-8"),
        ("text/html,*/*;q=0.8", "text/html; charset=utf-8"),
    ],
)
def test_the_format_is_the_one_that_is_accepted(client, accept, content_type):
    answer = client.get("/fragments?subject=id:csto", headers={"Accept": accept})
    assert (answer.status_code, answer.content_type) == (200, content_type)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("subject=csto", 400),
        ('subject="csto"', 400),
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
        ("format=docx", 406),
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
    html = client.get("/fragments?predicate=foedus:iso3").text
    assert 'href="/fragments?predicate=foedus%3Aiso3&amp;page=2" rel="next"' in html
    assert "<script" not in client.get('/fragments?object="<script>"').text.replace('type="application/ld+json"', "")
