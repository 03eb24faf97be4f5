"""What machines find by themselves: the description, the editor's questions, links, JSON-LD, markup, map and rules."""

import json
import re
import warnings
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from urllib.parse import quote, urlsplit

import pytest
import rdflib
from rdflib import DCAT, RDF, VOID, Graph, URIRef
from rdflib.compare import isomorphic

from foedus import names, questions
from foedus.query import tables
from foedus.web import desk, jsonld, machines

SD = rdflib.Namespace(names.PREFIXES["sd"])
FOEDUS = rdflib.Namespace(names.ONTOLOGY)
FORMATS = {
    "text/turtle": "turtle",
    "application/ld+json": "json-ld",
    "application/n-triples": "nt",
    "application/rdf+xml": "xml",
}
HTML = {"Accept": "text/html"}
DATASET = URIRef(names.ID + "foedus-dataset")


def parsed(data, form):
    """*data* as a graph; rdflib's own JSON-LD reader warns of a class of rdflib's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return Graph().parse(data=data, format=form)


def described(web, path, accept="text/turtle", **headers):
    answer = web.get(path, headers={"Accept": accept, **headers})
    assert (answer.status_code, answer.mimetype) == (200, accept)
    return parsed(answer.data, FORMATS[accept])


# ── the editor of the SIB (sib-swiss/sparql-editor): what it asks at its start, in its words, with its parameter ──

PREFIXES = """PREFIX sh: <http://www.w3.org/ns/shacl#>
SELECT DISTINCT ?prefix ?namespace
WHERE { [] sh:namespace ?namespace ; sh:prefix ?prefix }
ORDER BY ?prefix"""

EXAMPLES = """PREFIX sh: <http://www.w3.org/ns/shacl#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
SELECT DISTINCT ?sq ?comment ?query
WHERE {
  ?sq a sh:SPARQLExecutable ; rdfs:comment ?comment ; sh:select|sh:ask|sh:construct|sh:describe ?query .
} ORDER BY ?sq"""

CLASSES_BEFORE = """PREFIX up: <http://purl.uniprot.org/core/>
PREFIX void: <http://rdfs.org/ns/void#>
PREFIX void-ext: <http://ldf.fi/void-ext#>
SELECT DISTINCT ?subjectClass ?prop ?objectClass ?objectDatatype
WHERE {
  {
    ?cp void:class ?subjectClass ; void:propertyPartition ?pp .
    ?pp void:property ?prop .
    OPTIONAL {
      { ?pp void:classPartition [ void:class ?objectClass ] . }
      UNION
      { ?pp void-ext:datatypePartition [ void-ext:datatype ?objectDatatype ] . }
    }
  } UNION {
    ?ls void:subjectsTarget [ void:class ?subjectClass ] ;
      void:linkPredicate ?prop ;
      void:objectsTarget [ void:class ?objectClass ] .
  }
}"""

CLASSES = """PREFIX owl: <http://www.w3.org/2002/07/owl#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX sh:<http://www.w3.org/ns/shacl#>
PREFIX sd:<http://www.w3.org/ns/sparql-service-description#>
PREFIX void:<http://rdfs.org/ns/void#>
PREFIX void-ext:<http://ldf.fi/void-ext#>
SELECT DISTINCT ?graph ?graphLabel ?subjectClass ?prop ?objectClass ?objectDatatype
?triples ?subjectClassLabel ?objectClassLabel ?subjectClassComment ?objectClassComment ?propLabel ?propComment
WHERE {
  {
    OPTIONAL {
      ?graph sd:graph ?graphDesc .
      OPTIONAL { ?graph rdfs:label ?graphLabel }
      ?graphDesc void:classPartition ?cp .
    }
    ?cp void:class ?subjectClass ; void:propertyPartition ?pp .
    OPTIONAL { ?subjectClass rdfs:label ?subjectClassLabel }
    OPTIONAL { ?subjectClass rdfs:comment ?subjectClassComment }
    ?pp void:property ?prop .
    OPTIONAL { ?pp void:triples ?triples }
    OPTIONAL { ?prop rdfs:label ?propLabel }
    OPTIONAL { ?prop rdfs:comment ?propComment }
    OPTIONAL {
      {
        ?pp void:classPartition [ void:class ?objectClass ] .
        OPTIONAL { ?objectClass rdfs:label ?objectClassLabel }
        OPTIONAL { ?objectClass rdfs:comment ?objectClassComment }
      } UNION {
        ?pp void-ext:datatypePartition [ void-ext:datatype ?objectDatatype ] .
      }
    }
  } UNION {
    ?linkset void:subjectsTarget [ void:class ?subjectClass ] ;
      void:linkPredicate ?prop ;
      void:objectsTarget [ void:class ?objectClass ] .
  }
} ORDER BY ?subjectClass ?objectClass ?objectDatatype ?graph ?triples"""

FALLBACKS = ("SELECT DISTINCT ?cls WHERE { [] a ?cls . }", "SELECT DISTINCT ?pred WHERE { [] ?pred [] . }")


def asked(client, query):
    """The rows that the editor, on another site, gets to *query*: a simple request, without a preflight."""
    answer = client.get(
        f"/sparql?ac=1&query={quote(query, safe='')}",
        headers={"Accept": "application/sparql-results+json", "Origin": "https://sib-swiss.github.io"},
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.mimetype == "application/sparql-results+json"
    return [{name: each["value"] for name, each in row.items()} for row in answer.json["results"]["bindings"]]


def test_the_editor_finds_every_prefix(client):
    found = {row["prefix"]: row["namespace"] for row in asked(client, PREFIXES)}
    assert {prefix: found.get(prefix) for prefix in names.PREFIXES} == names.PREFIXES


def test_the_editor_finds_every_question_and_each_can_be_run(client):
    found = {row["sq"]: row for row in asked(client, EXAMPLES)}
    stored = questions.catalogue()
    assert set(found) == {f"{names.BASE}queries/{slug}" for slug in stored}
    for slug, question in stored.items():
        row = found[f"{names.BASE}queries/{slug}"]
        assert row["comment"] == question.question
        answer = client.post("/sparql", data={"query": row["query"]}, headers={"Accept": "text/csv"})
        assert answer.status_code == 200


@pytest.mark.parametrize("query", [CLASSES_BEFORE, CLASSES])
def test_the_editor_learns_which_properties_a_class_has_and_where_they_lead(client, query):
    rows = asked(client, query)
    found = {(row["subjectClass"], row["prop"], row.get("objectClass", row.get("objectDatatype"))) for row in rows}
    xsd = names.PREFIXES["xsd"]
    for subject, property_, value in (
        ("Membership", "ofState", names.ONTOLOGY + "State"),
        ("Membership", "ofAlliance", names.ONTOLOGY + "Alliance"),
        ("State", "iso3", xsd + "string"),
        ("Source", "url", xsd + "anyURI"),
    ):
        assert (names.ONTOLOGY + subject, names.ONTOLOGY + property_, value) in found
    if query == CLASSES:
        labelled = {row["subjectClass"]: row.get("subjectClassLabel") for row in rows}
        assert labelled[names.ONTOLOGY + "Membership"] == "membership"
        assert all(int(row["triples"]) > 0 for row in rows)


@pytest.mark.parametrize("query", FALLBACKS)
def test_the_editors_other_questions_are_answered_too(client, query):
    assert len(asked(client, query)) > 20


def test_the_editors_mark_changes_nothing_and_other_parameters_are_still_refused(client):
    plain, marked = (client.get(f"/sparql?{mark}query=ASK%7B%7D", headers={"Accept": "*/*"}) for mark in ("", "ac=1&"))
    assert plain.data == marked.data
    assert client.get("/sparql?query=ASK%7B%7D&ad=1").status_code == 400


# ── the description ──


@pytest.mark.parametrize("path", ["/sparql", "/.well-known/void"])
@pytest.mark.parametrize("accept", FORMATS)
def test_the_description_comes_in_every_format(client, path, accept):
    graph = described(client, path, accept)
    assert (DATASET, RDF.type, VOID.Dataset) in graph
    assert (URIRef("http://localhost/sparql"), RDF.type, SD.Service) in graph


def test_endpoint_and_well_known_say_the_same(client):
    assert isomorphic(described(client, "/sparql"), described(client, "/.well-known/void"))


def test_the_description_holds_statistics_files_prefixes_and_questions(client, pool):
    graph = described(client, "/.well-known/void")
    assert len(list(graph.objects(DATASET, VOID.classPartition))) > 50
    assert len(list(graph.subjects(RDF.type, rdflib.SH.SPARQLExecutable))) == len(questions.catalogue())
    assert len(list(graph.objects(None, rdflib.SH.declare))) == len(names.PREFIXES)
    assert not list(graph.triples((None, FOEDUS.statedIn, None)))
    everything = graph.value(URIRef("http://localhost/sparql#union"), VOID.triples)
    assert int(everything) == pool.dataset.quads
    sizes = [int(graph.value(URIRef(each), VOID.triples)) for each in names.GRAPHS]
    assert sum(sizes) == pool.dataset.quads


def test_the_store_says_of_the_endpoint_what_the_endpoint_says(client, dataset):
    """Nothing that the graph about says of the service is not said of it where it is asked, but for the address."""
    query = "CONSTRUCT { ?s ?p ?o } { GRAPH <%s> { ?s ?p ?o FILTER(STRSTARTS(STR(?s), '%s')) } }"
    answer = client.get("/sparql", query_string={"query": query % (names.ABOUT, names.ENDPOINT), "format": "nt"})
    stored = answer.text.replace(names.ENDPOINT, "http://localhost/sparql").replace(
        f"<{names.DESCRIPTION}>", "<http://localhost/.well-known/void>"
    )
    live = described(client, "/sparql")
    assert len(stored.splitlines()) > 30
    assert [each for each in parsed(stored, "nt") if each not in live] == []


@pytest.mark.parametrize("host", ["localhost", "data.example.org", "DATA.example.org:8080", "[::1]:8000"])
def test_the_addresses_are_those_by_which_the_server_was_reached(client, host):
    """Names stay what they are."""
    graph = described(client, "/sparql", Host=host)
    here = f"http://{host.lower()}"
    (service,) = graph.subjects(RDF.type, SD.Service)
    assert service == graph.value(service, SD.endpoint) == URIRef(f"{here}/sparql")
    assert graph.value(service, DCAT.endpointURL) == URIRef(f"{here}/sparql")
    assert graph.value(service, DCAT.endpointDescription) == URIRef(f"{here}/.well-known/void")
    assert graph.value(DATASET, VOID.sparqlEndpoint) == URIRef(f"{here}/sparql")
    assert graph.value(DATASET, DCAT.landingPage) == URIRef(f"{here}/")
    assert graph.value(DATASET, VOID.uriSpace) == rdflib.Literal(names.BASE)
    assert all(str(each).startswith(f"{here}/download/") for each in graph.objects(None, DCAT.downloadURL))


@pytest.mark.parametrize("host", ['x"><script>', "a b", "a/b", "a@b", "<x>", "é", "x" * 300])
def test_a_host_that_is_none_is_not_repeated(client, host):
    answer = client.get("/sparql", headers={"Accept": "text/turtle"}, environ_overrides={"HTTP_HOST": host})
    assert answer.status_code == 200
    assert host not in answer.text
    assert f"<{names.ENDPOINT}>" in answer.text


def test_scheme_and_host_behind_a_proxy_are_what_the_proxy_says_if_it_is_trusted():
    told = {
        "REMOTE_ADDR": "10.0.0.1",
        "HTTP_HOST": "inside:8000",
        "HTTP_X_FORWARDED_PROTO": "https",
        "HTTP_X_FORWARDED_HOST": "foedus.example",
        "wsgi.url_scheme": "http",
    }
    assert desk.home(told, desk.networks(["10.0.0.0/8"])) == "https://foedus.example"
    assert desk.home(told, desk.networks(["192.168.0.1"])) == "http://inside:8000"
    assert desk.home(told, ()) == "http://inside:8000"
    odd = told | {"HTTP_X_FORWARDED_PROTO": "javascript"}
    assert desk.home(odd, desk.networks(["10.0.0.1"])) == names.BASE.rstrip("/")


def test_every_address_in_the_description_answers_with_what_it_says(client):
    """Each file has the media type that its distribution has, and the tables and dumps are all there."""
    graph = described(client, "/.well-known/void")
    files = {}
    for each in graph.subjects(RDF.type, DCAT.Distribution):
        if address := graph.value(each, DCAT.downloadURL):
            files[str(address)] = str(graph.value(each, DCAT.mediaType))
        assert (
            client.head(urlsplit(graph.value(each, DCAT.accessURL)).path, headers={"Accept": "*/*"}).status_code == 200
        )
    for address, media_type in files.items():
        answer = client.head(urlsplit(address).path)
        assert answer.status_code == 200
        assert media_type.endswith(f"/media-types/{answer.mimetype}")
    offered = {*names.DUMPS, *(f"{table}.{form}" for table in tables.NAMES for form in ("csv", "parquet"))}
    assert {address.rpartition("/")[2] for address in files} == offered
    assert {urlsplit(each).path for each in graph.objects(DATASET, VOID.dataDump)} == {
        f"/download/{name}" for name in names.DUMPS
    }


def test_the_description_is_not_sent_twice(client):
    for path in ("/sparql", "/.well-known/void"):
        first = client.get(path, headers={"Accept": "text/turtle"})
        again = client.get(path, headers={"Accept": "text/turtle", "If-None-Match": first.headers["ETag"]})
        assert again.status_code == 304
        other = {"Accept": "text/turtle", "If-None-Match": first.headers["ETag"], "Host": "other.example"}
        assert client.get(path, headers=other).status_code == 200


def test_data_of_ones_own_are_described_by_what_they_are(own):
    graph = described(own, "/.well-known/void")
    assert (DATASET, None, None) not in graph
    assert len(list(graph.subjects(RDF.type, SD.NamedGraph))) == 3
    page = own.get("/.well-known/void", headers=HTML)
    assert page.status_code == 200
    assert "do not count themselves" in page.text


def test_the_description_as_a_page_has_a_place_for_each_class(client):
    page = client.get("/.well-known/void", headers=HTML)
    graph = described(client, "/.well-known/void")
    parts = {str(each).partition("#")[2] for each in graph.objects(DATASET, VOID.classPartition)}
    assert parts == set(re.findall(r'<details id="([^"]+)"', page.text))
    assert 'href="/ontology/Membership"' in page.text


# ── links ──


class Links(HTMLParser):
    """The ``<link>`` elements of a page, but those for browsers."""

    def __init__(self, text):
        super().__init__()
        self.found = set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "link" and given["rel"] not in ("stylesheet", "icon", "canonical", "alternate"):
            self.found.add((given["rel"], given["href"], given.get("type", "")))


LINK = re.compile(r'<([^>]*)>; rel="([^"]*)"(?:; type="([^"]*)")?$')
PAGES = [
    "/",
    "/download",
    "/queries",
    "/sources",
    "/page/csto",
    "/page/membership-csto-armenia-1",
    "/ontology",
    "/ontology/Alliance",
    "/shape/Request",
    "/graph/asserted",
    "/queries/members-on",
    "/queries/members-on?alliance=nato&date=1999-03-12",
    "/.well-known/void",
]
DATA = [
    "/data/csto.ttl",
    "/data/csto.csv",
    "/ontology/Alliance?format=ttl",
    "/download/alliance.csv",
    "/download/foedus.ttl",
]


def links(answer):
    found = [LINK.fullmatch(each).groups() for each in answer.headers.getlist("Link")]
    assert len(found) == len(set(found))
    return {(rel, href, type_ or "") for href, rel, type_ in found}


@pytest.mark.parametrize("address", PAGES)
def test_the_links_in_a_page_are_those_of_its_head(client, address):
    answer = client.get(address, headers=HTML)
    assert answer.status_code == 200
    assert links(answer) == Links(answer.text).found
    relations = {rel for rel, _, _ in links(answer)}
    assert {"license", "author", "type"} <= relations


@pytest.mark.parametrize("address", [*PAGES, *DATA])
def test_every_link_leads_to_what_it_says(client, address):
    """What is of a media type is sent as that; a name leads back to the page."""
    answer = client.get(address, headers={"Accept": "text/html, */*;q=0.5"})
    for rel, href, media_type in links(answer):
        if rel in ("type", "license"):
            assert href.startswith(("https://", "http://"))
            continue
        at = href.replace(names.BASE, "/").replace("ontology#", "ontology/") if rel == "cite-as" else href
        assert at.startswith("/")
        led = client.get(at, headers={"Accept": media_type or "text/html, */*;q=0.5"}, follow_redirects=True)
        assert led.status_code == 200, at
        assert not media_type or led.mimetype == media_type
        if rel == "cite-as" and answer.mimetype == "text/html" and address not in ("/", "/download"):
            assert led.data == answer.data


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("/page/csto", {"cite-as", "describedby", "item", "license", "type", "author", "collection"}),
        ("/", {"cite-as", "describedby", "item", "license", "type", "author"}),
        ("/download", {"cite-as", "describedby", "item", "license", "type", "author"}),
        ("/data/csto.ttl", {"cite-as", "describes", "license", "author"}),
        ("/data/csto.csv", {"cite-as", "collection", "license", "author"}),
        ("/download/foedus.nq", {"cite-as", "collection", "describedby", "license", "author"}),
        ("/download/alliance.csv", {"collection", "describedby", "license", "author"}),
    ],
)
def test_the_kinds_of_links(client, address, expected):
    answer = client.get(address, headers={"Accept": "text/html, */*;q=0.5"})
    assert {rel for rel, _, _ in links(answer)} == expected
    assert {rel for rel, _, _ in links(client.head(address, headers={"Accept": "text/html, */*;q=0.5"}))} == expected


def test_the_page_says_what_kind_of_thing_it_shows(client):
    kinds = {href for rel, href, _ in links(client.get("/page/csto", headers=HTML)) if rel == "type"}
    assert kinds == {"https://schema.org/AboutPage", names.ONTOLOGY + "Alliance"}


@pytest.mark.parametrize(
    "address", ["/page/armena", "/queries/members-on?alliance=nowhere&date=2022-09-13", "/nowhere"]
)
def test_an_error_leads_nowhere_by_links(client, address):
    answer = client.get(address, headers=HTML)
    assert answer.status_code in (400, 404)
    assert not answer.headers.getlist("Link")
    assert not Links(answer.text).found


def test_links_do_not_grow_with_the_address(client):
    """Each would repeat what was asked."""
    answer = client.get("/queries/claims-of?source=merkur-2022-09-16" + "%20" * 3000, headers=HTML)
    assert answer.status_code < 500
    assert sum(map(len, answer.headers.getlist("Link"))) < 10_000


def test_neither_licence_nor_author_is_put_on_other_peoples_data(own):
    for path in ("/", "/download"):
        assert not {"license", "author", "cite-as"} & {rel for rel, _, _ in links(own.get(path, headers=HTML))}


def test_answers_of_the_endpoint_have_no_links(client):
    for path in ("/sparql?query=ASK%7B%7D", "/queries/members-on.csv?alliance=csto&date=2022-09-13"):
        assert "Link" not in client.get(path, headers={"Accept": "*/*"}).headers


# ── JSON-LD ──

THINGS = [
    "csto",
    "armenia",
    "nato",
    "merkur-2022-09-16-c05",
    "membership-csto-uzbekistan-1",
    "armenia-azerbaijan-ceasefire-2022-09-13",
    "merkur-2022-09-16",
    "foedus-dataset",
    "collective-security-treaty-article-4-version-2010",
]


@pytest.mark.parametrize("name", THINGS)
def test_readable_json_ld_says_what_the_other_formats_say(client, name):
    here = parsed(client.get(f"/data/{name}.jsonld").data, "json-ld")
    assert isomorphic(here, parsed(client.get(f"/data/{name}.nt").data, "nt"))


@pytest.mark.parametrize("name", THINGS)
def test_the_context_in_a_document_is_part_of_the_published_one(client, name):
    """With that one in its place, the document says the same; it holds no more of it than it needs."""
    document = client.get(f"/data/{name}.jsonld").json
    published = client.get("/context.jsonld").json["@context"]
    inline = document["@context"]
    assert inline.items() <= published.items()
    assert len(inline) < len(published)
    whole = parsed(json.dumps(document | {"@context": published}), "json-ld")
    assert isomorphic(whole, parsed(json.dumps(document), "json-ld"))


def test_json_ld_reads_like_json(client):
    """A name for each property, names by language, days and numbers as they are, things by their short names."""
    alliance = client.get("/data/csto.jsonld").json["@graph"][0]
    assert alliance["@id"] == "id:csto"
    assert "Alliance" in alliance["@type"]
    assert alliance["label"]["ru"] == "Организация Договора о коллективной безопасности"
    assert alliance["constitutedBy"] == "id:csto-charter"
    spell = client.get("/data/membership-csto-armenia-1.jsonld").json["@graph"][0]
    assert (spell["ofState"], spell["beginEarliest"], spell["spellNumber"]) == ("id:armenia", "2003-09-18", 1)


def test_a_document_too_large_for_that_goes_out_as_the_engine_wrote_it(client, monkeypatch):
    monkeypatch.setattr(jsonld, "LARGEST", 1000)
    answer = client.get("/data/csto.jsonld")
    assert isinstance(answer.json, list)
    assert isomorphic(parsed(answer.data, "json-ld"), parsed(client.get("/data/csto.nt").data, "nt"))


def test_odd_values_are_written_so_that_they_stay_what_they_are():
    """What does not fit its name is spelt out: no text becomes a thing or a day, and no number loses its form."""
    iri, xsd = names.ONTOLOGY, names.PREFIXES["xsd"]
    context = jsonld.Context(
        terms={
            "thing": {"@id": "foedus:thing", "@type": "@id"},
            "day": {"@id": "foedus:day", "@type": "xsd:date"},
            "text": {"@id": "foedus:text", "@container": "@language"},
            "plain": "foedus:plain",
        },
        words={iri + each: each for each in ("thing", "day", "text", "plain")},
        kinds={iri + "thing": "id", iri + "day": xsd + "date", iri + "text": "language", iri + "plain": ""},
    )
    values = [
        {"@id": names.ID + "csto"},
        {"@id": "_:b0"},
        {"@id": "urn:x:y"},
        {"@value": "id:csto"},
        {"@value": "2022-09-13"},
        {"@value": "2022-09-13", "@type": xsd + "date"},
        {"@value": "deux", "@language": "fr"},
        {"@value": "two", "@language": "en"},
        {"@value": "second", "@language": "en"},
        *({"@value": each, "@type": xsd + "integer"} for each in ("5", "-7", "007", "99999999999999999999", "0")),
        *({"@value": each, "@type": xsd + "boolean"} for each in ("true", "1")),
        {"@value": "1.50", "@type": xsd + "decimal"},
        {"@value": "x", "@type": "http://example.org/type"},
    ]
    expanded = json.dumps(
        [{"@id": names.ID + "odd", iri + each: values} for each in ("thing", "day", "text", "plain", "unknown")]
    ).encode()
    compacted = context.compact(expanded, names.ID + "odd")
    assert isomorphic(parsed(compacted, "json-ld"), parsed(expanded, "json-ld"))
    assert json.loads(compacted)["@graph"][0]["text"] == {"en": ["second", "two"], "fr": "deux"}


def test_the_context_is_json_ld_and_names_every_term_once(client):
    answer = client.get("/context.jsonld")
    assert answer.mimetype == "application/ld+json"
    context = answer.json["@context"]
    defined = [each if isinstance(each, str) else each["@id"] for each in context.values()]
    assert len(defined) == len(set(defined))
    assert context["foedus"] == names.ONTOLOGY
    assert context["ofState"] == {"@id": "foedus:ofState", "@type": "@id"}
    assert context["statement"] == {"@id": "foedus:statement", "@container": "@language"}
    assert context["State"] == "foedus:State"


def test_a_context_without_an_ontology_has_the_prefixes(own):
    context = own.get("/context.jsonld").json["@context"]
    assert names.PREFIXES.items() <= context.items()
    assert "State" not in context


# ── schema.org ──


@pytest.mark.parametrize("path", ["/", "/download"])
def test_pages_of_the_dataset_are_marked_up_for_search_engines(client, path):
    text = client.get(path, headers={**HTML, "Host": "data.example.org"}).text
    (script,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', text, re.S)
    markup = json.loads(script)
    assert (markup["@type"], markup["@id"]) == ("Dataset", str(DATASET))
    assert markup["license"] == "https://creativecommons.org/licenses/by/4.0/"
    assert {"name", "description", "url", "version", "creator"} <= markup.keys()
    for each in markup["distribution"]:
        assert each["contentUrl"].startswith("http://data.example.org/download/")
        assert client.head(urlsplit(each["contentUrl"]).path).mimetype == each["encodingFormat"]


def test_data_of_ones_own_are_not_marked_up_as_ours(own):
    assert "<script" not in own.get("/", headers=HTML).text


# ── the map of the site ──

SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def locations(answer):
    assert (answer.status_code, answer.mimetype) == (200, "application/xml")
    return [each.text for each in ET.fromstring(answer.data).iter(f"{SITEMAP}loc")]


def test_the_map_names_every_page_once_under_the_servers_own_address(client, pool):
    found = locations(client.get("/sitemap.xml", headers={"Host": "data.example.org"}))
    assert len(found) == len(set(found)) > 4000
    assert all(each.startswith("http://data.example.org/") for each in found)
    paths = {urlsplit(each).path for each in found}
    assert {"/", "/queries", "/sources", "/ontology", "/download", "/page/csto", "/ontology/State"} <= paths
    assert {f"/queries/{slug}" for slug in questions.catalogue()} <= paths
    assert not [each for each in paths if each.startswith(("/sparql", "/why", "/data", "/download/"))]


def test_a_map_that_would_be_too_long_is_several(client, monkeypatch):
    whole = locations(client.get("/sitemap.xml"))
    monkeypatch.setattr(machines, "IN_A_MAP", 1000)
    index = client.get("/sitemap.xml")
    assert ET.fromstring(index.data).tag == f"{SITEMAP}sitemapindex"
    maps = locations(index)
    assert len(maps) == -(-len(whole) // 1000)
    parts = [locations(client.get(urlsplit(each).path)) for each in maps]
    assert [len(each) for each in parts[:-1]] == [1000] * (len(maps) - 1)
    assert [each for part in parts for each in part] == whole
    for beyond in (0, len(maps) + 1):
        assert client.get(f"/sitemap-{beyond}.xml").status_code == 404


def test_there_is_no_part_of_a_map_that_is_one(client):
    assert client.get("/sitemap-1.xml").status_code == 404


def test_crawlers_are_asked_to_leave_alone_what_costs_a_query(client):
    answer = client.get("/robots.txt", headers={"Host": "data.example.org"})
    assert answer.mimetype == "text/plain"
    rules = [line.partition(": ")[2] for line in answer.text.splitlines() if line.startswith("Disallow")]

    def refused(path):
        return any(re.match(re.escape(rule).replace(r"\*", ".*"), path) for rule in rules)

    for path in (
        "/sparql",
        "/sparql?query=x",
        "/why?s=x",
        "/search?q=x",
        "/page/csto?on=1999-01-01",
        "/graph/links?format=ttl",
    ):
        assert refused(path)
    for path in locations(client.get("/sitemap.xml")):
        assert not refused(urlsplit(path).path)
    assert not refused("/data/csto.jsonld") and not refused("/download/foedus.nq")
    assert "Sitemap: http://data.example.org/sitemap.xml" in answer.text
