"""Which format an ``Accept`` header or ``format=`` chooses."""

import pytest

from foedus.errors import NotAcceptable
from foedus.query import formats

CHROME = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
    "application/signed-exchange;v=b3;q=0.7"
)
FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
SAFARI = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
JAVA = "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"
YASQE = "application/sparql-results+json,*/*;q=0.9"
JENA = (
    "application/sparql-results+json, application/sparql-results+xml;q=0.9, text/tab-separated-values;q=0.7, "
    "text/csv;q=0.5, application/json;q=0.2, application/xml;q=0.2, */*;q=0.1"
)
RDFLIB = "application/sparql-results+xml, application/rdf+xml, */*;q=0.1"

SRJ, SRX = "application/sparql-results+json", "application/sparql-results+xml"
CSV, TSV = "text/csv; charset=utf-8; header=present", "text/tab-separated-values; charset=utf-8"
TTL = "text/turtle; charset=utf-8"

ROWS = [
    (None, SRJ),
    ("", SRJ),
    (" , ,", SRJ),
    ("*/*", SRJ),
    ("application/*", SRJ),
    ("text/*", CSV),
    (SRJ, SRJ),
    (SRX, SRX),
    ("application/json", "application/json"),
    ("application/xml", "application/xml"),
    ("text/xml", "text/xml; charset=utf-8"),
    ("text/csv", CSV),
    ("text/tab-separated-values", TSV),
    ("text/plain", "text/plain; charset=utf-8"),
    ("TEXT/CSV", CSV),
    ("text/csv;charset=utf-8", CSV),
    ("text/csv; q=1.0", CSV),
    ("text/csv;q=0.5, " + SRX, SRX),
    ("text/csv;q=0.5, application/sparql-results+xml;q=0.4", CSV),
    ("image/png, text/plain;q=.1", "text/plain; charset=utf-8"),
    (SRJ + ";q=0, */*", SRX),
    (SRJ + ";q=0, application/json;q=0, application/*", SRX),
    ("*/*;q=0.1, text/csv", CSV),
    ("*/*, text/csv", CSV),
    ("text/*;q=0.9, text/csv;q=0.1", TSV),
    ("text/csv, text/tab-separated-values", CSV),
    ("text/tab-separated-values, text/csv", CSV),
    (f"{SRX}, {SRJ}", SRJ),
    ("nonsense, text/csv", CSV),
    ("text/csv;q=high, application/sparql-results+xml;q=0.2", SRX),
    ("text/csv;q=2, application/sparql-results+xml;q=0.2", SRX),
    (CHROME, SRJ),
    (FIREFOX, SRJ),
    (JAVA, SRJ),
    (YASQE, SRJ),
    (JENA, SRJ),
    (RDFLIB, SRX),
]
TRIPLES = [
    (None, TTL),
    ("*/*", TTL),
    ("text/turtle", TTL),
    ("application/x-turtle", "application/x-turtle; charset=utf-8"),
    ("application/n-triples", "application/n-triples"),
    ("application/n-quads", "application/n-quads"),
    ("application/trig", "application/trig"),
    ("application/rdf+xml", "application/rdf+xml"),
    ("application/ld+json", "application/ld+json"),
    ("application/json", "application/json"),
    ("application/xml", "application/xml"),
    ("text/plain", "text/plain; charset=utf-8"),
    ("application/rdf+xml, text/turtle", TTL),
    ("application/rdf+xml, text/turtle;q=0.9", "application/rdf+xml"),
    ("text/turtle;q=0, application/n-triples;q=0.1", "application/n-triples"),
    ("application/ld+json;profile=http://www.w3.org/ns/json-ld#compacted", "application/ld+json"),
    (SAFARI, TTL),
    (RDFLIB, "application/rdf+xml"),
]


@pytest.mark.parametrize(("accept", "content_type"), ROWS)
def test_rows_come_as_the_header_likes_best(accept, content_type):
    assert formats.choose("select", accept).content_type == content_type


@pytest.mark.parametrize(("accept", "content_type"), TRIPLES)
def test_triples_come_as_the_header_likes_best(accept, content_type):
    assert formats.choose("graph", accept).content_type == content_type


@pytest.mark.parametrize(
    ("kind", "accept"),
    [
        ("select", "text/turtle"),
        ("select", "image/png"),
        ("select", "text/html"),
        ("select", "*/*;q=0"),
        ("select", "text/csv;q=0"),
        ("ask", "application/ld+json"),
        ("graph", "text/turtle;q=0, text/*"),
        ("graph", "text/csv"),
        ("graph", SRJ),
    ],
)
def test_a_header_that_nothing_fits_is_told_what_there_is(kind, accept):
    with pytest.raises(NotAcceptable) as refused:
        formats.choose(kind, accept)
    assert all(each.media_type in refused.value.remedy for each in formats.offered(kind))


@pytest.mark.parametrize(
    ("kind", "name", "chosen"),
    [
        ("select", "json", "json"),
        ("select", "srj", "json"),
        ("select", "CSV", "csv"),
        ("select", ".tsv", "tsv"),
        ("select", "xml", "xml"),
        ("select", "text/csv", "csv"),
        ("ask", "csv", "csv"),
        ("graph", "ttl", "ttl"),
        ("graph", "turtle", "ttl"),
        ("graph", "json", "jsonld"),
        ("graph", "xml", "rdf"),
        ("graph", "nt", "nt"),
        ("graph", "nq", "nq"),
        ("graph", "trig", "trig"),
    ],
)
def test_a_named_format_goes_before_the_header(kind, name, chosen):
    assert formats.choose(kind, "image/png", name).format.name == chosen


@pytest.mark.parametrize(("kind", "name"), [("select", "ttl"), ("graph", "csv"), ("ask", "pdf")])
def test_an_unknown_format_name_is_told_what_there_is(kind, name):
    with pytest.raises(NotAcceptable, match="format=json" if kind != "graph" else "format=ttl"):
        formats.choose(kind, None, name)


def test_no_two_formats_of_a_kind_share_a_name_or_a_media_type():
    for kind in ("select", "ask", "graph"):
        said = [s for each in formats.offered(kind) for s in (each.name, *each.others, *each.media_types)]
        assert len(said) == len(set(said))
