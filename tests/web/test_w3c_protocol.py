"""The W3C SPARQL 1.1 protocol suite by behaviour: its 20 tests of queries pass, its 14 of updates are refused.

Each is named as in the suite (https://github.com/w3c/rdf-tests/tree/main/sparql/sparql11/protocol), and served are
graphs under the suite's names.
"""

from urllib.parse import quote

import pytest

from foedus.query.limits import MIB, Limits
from foedus.query.pool import Pool
from foedus.web import create_app

BASE = "http://kasei.us/2009/09/sparql/data/data"
DATA = [f"{BASE}{number}.rdf" for number in range(4)]
FORM, DIRECT = "application/x-www-form-urlencoded", "application/sparql-query"
UPDATE = "application/sparql-update"
ROWS = {"application/sparql-results+json", "application/sparql-results+xml", "text/csv", "text/tab-separated-values"}
TRUTH = {"application/sparql-results+json", "application/sparql-results+xml"}
TRIPLES = {"text/turtle", "application/rdf+xml", "application/n-triples", "application/ld+json"}


def graphs(**chosen):
    return "&".join(f"{kind}-graph-uri={quote(DATA[n], safe='')}" for kind, each in chosen.items() for n in each)


def typed(number):
    return f"<{DATA[number]}> a ?type"


DEFAULTS = f"ASK {{ {typed(1)} . {typed(2)} . }}"
NAMED = f"ASK {{ GRAPH ?g1 {{ {typed(1)} }} GRAPH ?g2 {{ {typed(2)} }} }}"
FULL = f"ASK {{ {typed(3)} GRAPH ?g1 {{ {typed(1)} }} GRAPH ?g2 {{ {typed(2)} }} }}"
MULTIPLE = f"ASK FROM <{DATA[3]}> {{ GRAPH ?g1 {{ {typed(1)} }} GRAPH ?g2 {{ {typed(2)} }} }}"
OVERRIDDEN = f"ASK FROM <{DATA[1]}> {{ <{DATA[1]}> ?p ?o }}"

# name: method, query string, body, content type, statuses, media types, truth value
QUERIES = {
    "query_get": ("GET", "query=" + quote("ASK {}"), None, None, 200, TRUTH, True),
    "query_post_form": ("POST", graphs(default=[0]), "query=" + quote("ASK {}"), FORM, 200, TRUTH, True),
    "query_post_direct": ("POST", graphs(default=[0]), "ASK {}", DIRECT, 200, TRUTH, True),
    "query_dataset_default_graphs_get": (
        *("GET", f"query={quote(DEFAULTS)}&{graphs(default=[1, 2])}", None, None, 200, TRUTH, True),
    ),
    "query_dataset_default_graphs_post": ("POST", graphs(default=[1, 2]), DEFAULTS, DIRECT, 200, TRUTH, True),
    "query_dataset_named_graphs_get": (
        *("GET", f"query={quote(NAMED)}&{graphs(named=[1, 2])}", None, None, 200, TRUTH, True),
    ),
    "query_dataset_named_graphs_post": ("POST", graphs(named=[1, 2]), NAMED, DIRECT, 200, TRUTH, True),
    "query_dataset_full": ("POST", graphs(default=[3], named=[1, 2]), FULL, DIRECT, 200, TRUTH, True),
    "query_multiple_dataset": ("POST", graphs(default=[2]), OVERRIDDEN, DIRECT, 200, TRUTH, False),
    "query_content_type_select": (*("POST", "", "query=" + quote("SELECT (1 AS ?value) {}"), FORM, 200, ROWS, None),),
    "query_content_type_ask": ("POST", "", "query=" + quote("ASK {}"), FORM, 200, TRUTH, True),
    "query_content_type_describe": (
        *("POST", "", "query=" + quote("DESCRIBE <http://example.org/>"), FORM, 200, TRIPLES, None),
    ),
    "query_content_type_construct": (
        *("POST", "", "query=" + quote("CONSTRUCT { <s> <p> 1 } WHERE {}"), FORM, 200, TRIPLES, None),
    ),
    "bad_query_method": ("PUT", "query=" + quote("ASK {}"), None, None, 405, None, None),
    "bad_multiple_queries": (
        *("GET", f"query={quote('ASK {}')}&query={quote('SELECT * {}')}", None, None, 400, None, None),
    ),
    "bad_query_wrong_media_type": ("POST", "", "ASK {}", "text/plain", 415, None, None),
    "bad_query_missing_form_type": ("POST", "", "query=" + quote("ASK {}"), None, 415, None, None),
    "bad_query_missing_direct_type": ("POST", "", "ASK {}", None, 415, None, None),
    "bad_query_non_utf8": ("POST", "", "ASK {}".encode("utf-16"), DIRECT + "; charset=UTF-16", 415, None, None),
    "bad_query_syntax": ("GET", "query=" + quote("ASK {"), None, None, 400, None, None),
}
USING = f"using-graph-uri={quote(DATA[1], safe='')}&using-named-graph-uri={quote(DATA[2], safe='')}"
UPDATES = {
    "update_dataset_default_graph": ("POST", USING, "CLEAR ALL", UPDATE),
    "update_dataset_default_graphs": ("POST", USING, "INSERT { <s> <p> ?o } WHERE { ?o a ?t }", UPDATE),
    "update_dataset_named_graphs": ("POST", USING, "INSERT { <s> <p> ?o } WHERE { GRAPH ?g { ?o a ?t } }", UPDATE),
    "update_dataset_full": ("POST", "", "update=" + quote("DROP ALL") + "&" + USING, FORM),
    "update_post_form": ("POST", "", "update=" + quote("CLEAR ALL"), FORM),
    "update_post_direct": ("POST", "", "CLEAR ALL", UPDATE),
    "update_base_uri": ("POST", "", "INSERT DATA { <s> <p> <o> }", UPDATE),
    "bad_update_get": ("GET", "update=" + quote("CLEAR ALL"), None, None),
    "bad_multiple_updates": ("POST", "", f"update={quote('CLEAR NAMED')}&update={quote('CLEAR DEFAULT')}", FORM),
    "bad_update_non_utf8": ("POST", "", "CLEAR ALL".encode("utf-16"), UPDATE + "; charset=UTF-16"),
    "bad_update_syntax": ("POST", "", "update=" + quote("CLEAR XYZ"), FORM),
    "bad_update_dataset_conflict": ("POST", USING, "WITH <g> DELETE { ?s ?p ?o } WHERE { ?s ?p ?o }", UPDATE),
}
NO_UPDATE = {
    "bad_update_wrong_media_type": ("POST", "", "CLEAR ALL", "text/plain"),
    "bad_update_missing_form_type": ("POST", "", "update=" + quote("CLEAR ALL"), None),
}
"""Without their media type these are no updates yet, only bodies of a type that is not taken."""


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    """A client in front of the suite's graphs: each says of itself that it is a document."""
    file = tmp_path_factory.mktemp("suite") / "data.nq"
    rdf, foaf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type", "http://xmlns.com/foaf/0.1/Document"
    file.write_text("".join(f"<{each}> <{rdf}> <{foaf}> <{each}> .\n" for each in DATA))
    with Pool((file,), Limits(workers=1, memory=256 * MIB)) as pool:
        yield create_app(pool).test_client()


def send(client, method, query_string, body, content_type):
    headers = {"Content-Type": content_type} if content_type else {}
    return client.open("/sparql", method=method, query_string=query_string, data=body, headers=headers)


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_of_the_suite(suite, name):
    method, query_string, body, content_type, status, media_types, truth = QUERIES[name]
    answer = send(suite, method, query_string, body, content_type)
    assert answer.status_code == status, answer.text
    if media_types:
        assert answer.mimetype in media_types
    if truth is not None:
        assert answer.json["boolean"] is truth


def test_graphs_of_the_request_override_those_of_the_text(suite):
    answer = send(suite, "POST", graphs(named=[1, 2]), MULTIPLE, DIRECT)
    assert answer.json["boolean"] is True


@pytest.mark.parametrize("name", UPDATES)
def test_an_update_of_the_suite_is_forbidden(suite, name):
    answer = send(suite, *UPDATES[name])
    assert answer.status_code == 403
    assert "read-only" in answer.text


@pytest.mark.parametrize("name", NO_UPDATE)
def test_an_update_without_its_type_is_not_taken(suite, name):
    assert send(suite, *NO_UPDATE[name]).status_code == 415


def test_all_of_the_suite_is_here(suite):
    assert (len(QUERIES), len(UPDATES) + len(NO_UPDATE)) == (20, 14)
    unchanged = send(suite, "GET", "query=" + quote("SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }"), None, None)
    assert unchanged.json["results"]["bindings"][0]["n"]["value"] == "4"
