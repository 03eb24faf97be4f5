"""The SPARQL Protocol at /sparql, /health, and what an error looks like."""

import hashlib
import http.client
import json
import re
import socket
import time
from html import escape
from urllib.parse import quote, urlencode

import pytest

from foedus import errors
from foedus.errors import Busy, FoedusError
from foedus.query.dataset import Description
from foedus.query.limits import MIB, Limits
from foedus.query.pool import Pool
from foedus.web import create_app

from .front import serving

FORM = "application/x-www-form-urlencoded"
DIRECT = "application/sparql-query"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
ASK = "ASK { <https://w3id.org/foedus/id/n1> ?p ?o }"
NUMBERS = "SELECT ?n { ?s foedus:number ?n } ORDER BY ?n LIMIT 3"
ENDLESS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
GRAPH = "https://w3id.org/foedus/graph/"


@pytest.fixture(scope="module")
def small_pool(tmp_path_factory):
    """A pool over 5,000 numbers in one graph and one in another."""
    folder = tmp_path_factory.mktemp("numbers")
    integer = "http://www.w3.org/2001/XMLSchema#integer"
    number = "<https://w3id.org/foedus/id/n{0}> <https://w3id.org/foedus/ontology#number> "
    text = "".join(f'{number.format(n)}"{n}"^^<{integer}> <{GRAPH}asserted> .\n' for n in range(5_000))
    text += f'{number.format(1)}"-1"^^<{integer}> <{GRAPH}inferred> .\n'
    (folder / "dataset.nq").write_text(text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    manifest = {"foedus": "0.1.0", "asOf": "2026-11-22", "dataset": {"sha256": digest, "quads": 5_001}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with Pool(folder, Limits(workers=2, time_limit=0.7, memory=192 * MIB, answer=MIB // 4)) as running:
        yield running


@pytest.fixture(scope="module")
def web(small_pool):
    return create_app(small_pool).test_client()


@pytest.fixture(scope="module")
def address(small_pool):
    with serving(create_app(small_pool)) as (port, _):
        yield "127.0.0.1", port


def ask(web, query, **more):
    return web.get("/sparql", query_string={"query": query}, **more)


# ── the three ways to send a query ──


def test_a_query_by_get(web):
    answer = ask(web, ASK)
    assert answer.status_code == 200
    assert answer.json["boolean"] is True


@pytest.mark.parametrize("content_type", [FORM, FORM + "; charset=UTF-8", FORM.upper(), FORM + '; charset="utf-8"'])
def test_a_query_by_form(web, content_type):
    answer = web.post("/sparql", data=urlencode({"query": ASK}), content_type=content_type)
    assert answer.json["boolean"] is True


@pytest.mark.parametrize("content_type", [DIRECT, DIRECT + ";charset=utf-8", "Application/SPARQL-Query"])
def test_a_query_as_the_body(web, content_type):
    assert web.post("/sparql", data=ASK, content_type=content_type).json["boolean"] is True


@pytest.mark.parametrize("graph", [GRAPH + "inferred", "https://example.org/none"])
def test_graphs_come_from_the_address_or_the_form(web, graph):
    query = "SELECT * { ?s ?p ?o }"
    chosen = {"default-graph-uri": graph, "format": "csv"}
    answers = [
        web.get("/sparql", query_string={"query": query, **chosen}),
        web.post("/sparql", data={"query": query, **chosen}),
        web.post("/sparql", query_string=chosen, data=query, content_type=DIRECT),
    ]
    assert [answer.data.count(b"\r\n") for answer in answers] == [2 if graph.endswith("inferred") else 1] * 3


def test_graphs_may_be_several(web):
    query = {"query": "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", "format": "csv"}
    graphs = [("default-graph-uri", GRAPH + name) for name in ("asserted", "inferred")]
    assert web.get("/sparql?" + urlencode([*query.items(), *graphs])).data == b"n\r\n5001\r\n"


@pytest.mark.parametrize(("word", "number"), [("on", 5001), ("off", 5000)])
def test_reasoning_off_leaves_out_what_rules_conclude(web, word, number):
    query = {"query": "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", "format": "csv", "reasoning": word}
    answers = [web.get("/sparql", query_string=query), web.post("/sparql", data=query)]
    assert {answer.data for answer in answers} == {f"n\r\n{number}\r\n".encode()}
    named = {**query, "query": "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }"}
    assert web.get("/sparql", query_string=named).data == f"n\r\n{number}\r\n".encode()


@pytest.mark.parametrize("more", [{"reasoning": "no"}, {"reasoning": "off", "default-graph-uri": GRAPH + "inferred"}])
def test_reasoning_is_on_or_off_and_chooses_no_graphs_that_are_chosen_otherwise(web, more):
    assert web.get("/sparql", query_string={"query": ASK, **more}).status_code == 400


# ── answers ──


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, "application/sparql-results+json"),
        ("*/*", "application/sparql-results+json"),
        ("text/csv", "text/csv; charset=utf-8; header=present"),
        ("text/tab-separated-values", "text/tab-separated-values; charset=utf-8"),
        ("application/sparql-results+xml", "application/sparql-results+xml"),
        ("application/json", "application/json"),
    ],
)
def test_rows_are_labelled_as_asked(web, accept, content_type):
    answer = ask(web, NUMBERS, headers={"Accept": accept} if accept else {})
    assert answer.headers["Content-Type"] == content_type
    assert "Accept" in answer.headers["Vary"]


def test_a_browser_gets_no_xml_by_accident(web):
    assert "xml" not in ask(web, NUMBERS, headers={"Accept": BROWSER}).headers["Content-Type"]


def test_a_browser_gets_the_query_page_with_the_answer(web):
    answer = ask(web, "SELECT ?n { id:n4242 foedus:number ?n }", headers={"Accept": BROWSER})
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "4242" in answer.text
    assert "<textarea" in answer.text


@pytest.mark.parametrize(
    ("form", "content_type"),
    [
        ("ttl", "text/turtle; charset=utf-8"),
        ("nt", "application/n-triples"),
        ("jsonld", "application/ld+json"),
        ("rdf", "application/rdf+xml"),
        ("trig", "application/trig"),
        ("nq", "application/n-quads"),
    ],
)
def test_triples_come_as_the_format_parameter_says(web, form, content_type):
    answer = web.get("/sparql", query_string={"query": "DESCRIBE id:n1", "format": form})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, content_type)
    assert b"n1" in answer.data


def test_head_has_the_headers_of_get_and_no_body(web):
    got, headed = ask(web, NUMBERS), web.head("/sparql", query_string={"query": NUMBERS})
    assert headed.status_code == 200
    assert headed.data == b""
    for name in ("Content-Type", "Content-Length", "Vary"):
        assert headed.headers[name] == got.headers[name]


def test_any_site_may_ask(web):
    preflight = web.options("/sparql", headers={"Origin": "https://example.org"})
    assert preflight.status_code == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    assert "Content-Type" in preflight.headers["Access-Control-Allow-Headers"]
    assert preflight.headers["Allow"] == "GET, HEAD, POST, OPTIONS"
    for answer in (ask(web, ASK), ask(web, "ASK {"), web.delete("/sparql")):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


# ── without a query ──


@pytest.mark.parametrize("accept", [None, "*/*", "text/turtle", "application/rdf+xml", "application/ld+json"])
def test_without_a_query_the_endpoint_describes_itself(web, accept):
    answer = web.get("/sparql", headers={"Accept": accept} if accept else {})
    assert answer.status_code == 200
    assert b"sparql-service-description#" in answer.data
    assert b"graph/inferred" in answer.data or b"graph:inferred" in answer.data


def test_a_description_that_no_one_accepts_is_refused(web):
    answer = web.get("/sparql", headers={"Accept": "text/csv"})
    assert answer.status_code == 406
    assert "text/turtle" in answer.json["remedy"]


# ── refusals ──

TWO = f"query={quote(ASK)}&query={quote(ASK)}"
REFUSED = {
    "malformed": (lambda web: ask(web, "ASK {"), 400),
    "empty": (lambda web: web.post("/sparql", data={"query": ""}), 400),
    "deeply nested": (lambda web: ask(web, "ASK " + "{" * 5_000), 400),
    "SERVICE": (lambda web: ask(web, "ASK { SERVICE <http://127.0.0.1:1/> {} }"), 400),
    "update text as a query": (lambda web: ask(web, "DROP ALL"), 400),
    "two queries": (lambda web: web.get("/sparql?" + TWO), 400),
    "two queries in a form": (lambda web: web.post("/sparql", data=TWO, content_type=FORM), 400),
    "one in the address, one as the body": (
        lambda web: web.post("/sparql", query_string={"query": ASK}, data=ASK, content_type=DIRECT),
        400,
    ),
    "post without a query": (lambda web: web.post("/sparql", data="x=y", content_type=FORM), 400),
    "post of nothing": (lambda web: web.post("/sparql", data=b"", content_type=DIRECT), 400),
    "address not UTF-8": (lambda web: web.get("/sparql?query=ASK%20%7B%7D%20%23%FF"), 400),
    "form not UTF-8": (lambda web: web.post("/sparql", data=b"query=%FF", content_type=FORM), 400),
    "body not UTF-8": (lambda web: web.post("/sparql", data="ASK {} # é".encode("latin-1"), content_type=DIRECT), 400),
    "body in UTF-16": (lambda web: web.post("/sparql", data=ASK.encode("utf-16"), content_type=DIRECT), 400),
    "graph that is no IRI": (
        lambda web: web.get("/sparql", query_string={"query": ASK, "default-graph-uri": "a b"}),
        400,
    ),
    "update by form": (lambda web: web.post("/sparql", data={"update": "DROP ALL"}), 403),
    "update by address": (lambda web: web.get("/sparql?update=DROP%20ALL"), 403),
    "update as the body": (
        lambda web: web.post("/sparql", data="DROP ALL", content_type="application/sparql-update"),
        403,
    ),
    "put": (lambda web: web.put("/sparql", data=ASK), 405),
    "delete": (lambda web: web.delete("/sparql"), 405),
    "patch": (lambda web: web.patch("/sparql"), 405),
    "no such format": (lambda web: web.get("/sparql", query_string={"query": ASK, "format": "pdf"}), 406),
    "nothing acceptable": (lambda web: ask(web, ASK, headers={"Accept": "image/png"}), 406),
    "text too long": (lambda web: web.post("/sparql", data={"query": ASK + "#" * 70_000}), 413),
    "body too long": (lambda web: web.post("/sparql", data=b"#" * 1_000_000, content_type=DIRECT), 413),
    "address too long": (lambda web: web.get("/sparql?query=" + "a" * 40_000), 414),
    "plain text": (lambda web: web.post("/sparql", data=ASK, content_type="text/plain"), 415),
    "no type": (lambda web: web.post("/sparql", data=ASK), 415),
    "form in UTF-16": (lambda web: web.post("/sparql", data=ASK, content_type=DIRECT + "; charset=utf-16"), 415),
    "slow": (lambda web: ask(web, ENDLESS), 504),
    "large": (lambda web: ask(web, "SELECT * { ?s ?p ?o }"), 507),
}


@pytest.mark.parametrize(("send", "status"), REFUSED.values(), ids=REFUSED.keys())
def test_each_refusal_has_its_status_and_a_remedy(web, send, status):
    answer = send(web)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert problem["remedy"]
    kind = problem["type"].removeprefix("https://w3id.org/foedus")
    if status == 405:
        assert kind == "about:blank"
    else:
        told = web.get(kind)
        assert told.status_code == 200
        assert f"<h1>{problem['title']}</h1>" in told.text
        assert f"status is {status};" in told.text
    assert "Traceback" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_every_kind_of_error_has_a_page(web):
    """With its title, when it happens, and how a command ends; one page leads to all."""
    kinds = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, FoedusError)]
    everything = web.get("/problem").text
    pages = re.findall(r'href="(/problem/[^"]+)">([^<]+)</a>', everything)
    assert sorted(title for _, title in pages) == sorted(escape(each.title, quote=False) for each in kinds)
    for address, _ in pages:
        page = web.get(address).text
        (kind,) = [each for each in kinds if f"<h1>{each.title}</h1>" in page]
        assert f'<p class="lead">{escape(kind.when).replace("&#x27;", "&#39;")}</p>' in page
        assert f"exit code {kind.exit_code}." in page
        assert ("Over HTTP" in page) == ("status" in vars(kind))


def test_there_is_no_page_on_an_error_that_there_is_not(web):
    assert web.get("/problem/bad-weather").status_code == 404


def test_a_malformed_query_is_told_its_line_and_column(web):
    problem = ask(web, "ASK {\n  ?s ?p ?o").json
    assert (problem["line"], problem["column"]) == (2, 11)


def test_a_wrong_method_is_told_the_right_ones(web):
    allowed = {method.strip() for method in web.put("/sparql").headers["Allow"].split(",")}
    assert allowed == {"GET", "HEAD", "POST", "OPTIONS"}


@pytest.mark.parametrize("query", [ENDLESS, "SELECT * { ?s ?p ?o }"])
def test_a_query_that_would_fail_again_is_not_asked_to_come_again(web, query):
    assert "Retry-After" not in ask(web, query).headers


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, "application/problem+json"),
        ("*/*", "application/problem+json"),
        ("application/json", "application/json"),
        ("text/plain", "text/plain; charset=utf-8"),
        ("image/png", "application/problem+json"),
        ("application/sparql-results+json", "application/problem+json"),
    ],
)
def test_an_error_comes_in_the_form_asked_for(web, accept, content_type):
    answer = web.delete("/sparql", headers={"Accept": accept} if accept else {})
    assert (answer.status_code, answer.headers["Content-Type"]) == (405, content_type)


def test_an_error_for_a_browser_is_readable(web):
    answer = web.get("/no-such-address", headers={"Accept": BROWSER})
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] in ("text/html; charset=utf-8", "text/plain; charset=utf-8")
    assert "/no-such-address" in answer.text


# ── health ──


class Closed:
    """A pool that has no worker."""

    limits = Limits(workers=1)

    @property
    def dataset(self):
        raise Busy("The query processes are restarting.")

    async def asking(self, request, cancelled=None):
        raise Busy("The query processes are restarting.", "Try again.")


def test_health_names_the_version_that_is_served(web, small_pool):
    answer = web.get("/health")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json == {
        "status": "ok",
        "dataset": small_pool.dataset.sha256,
        "asOf": "2026-11-22",
        "quads": 5_001,
    }


def test_without_a_worker_the_server_is_not_healthy_and_asks_to_come_again():
    closed = create_app(Closed()).test_client()
    assert closed.get("/health").status_code == 503
    answer = ask(closed, ASK)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert int(closed.get("/health").headers["Retry-After"]) > 0


def test_a_fault_of_ours_is_told_without_its_insides(monkeypatch, caplog):
    class Faulty(Closed):
        dataset = Description("none", 0, None, None)

        async def asking(self, request, cancelled=None):
            raise ZeroDivisionError("secret")

    answer = ask(create_app(Faulty()).test_client(), ASK)
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "secret" in caplog.text


# ── over a real connection ──


def fetch(address, method, path, body=None, headers=None):
    connection = http.client.HTTPConnection(*address, timeout=20)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def test_a_whole_answer_with_its_length_over_a_connection(address):
    answer, body = fetch(address, "GET", "/sparql?format=csv&query=" + quote(NUMBERS))
    assert (answer.status, body) == (200, b"n\r\n-1\r\n0\r\n1\r\n")
    assert answer.headers["Content-Length"] == str(len(body))
    assert "Transfer-Encoding" not in answer.headers


def test_head_over_a_connection_sends_no_body(address):
    answer, body = fetch(address, "HEAD", "/sparql?query=" + quote(ASK))
    assert (answer.status, body) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 0


def test_a_form_over_a_connection(address):
    answer, body = fetch(address, "POST", "/sparql", urlencode({"query": ASK}), {"Content-Type": FORM})
    assert (answer.status, json.loads(body)["boolean"]) == (200, True)


def test_an_error_over_a_connection_is_an_error_and_whole(address):
    answer, body = fetch(address, "GET", "/sparql?query=" + quote("SELECT * { ?s ?p ?o }"))
    assert answer.status == 507
    assert json.loads(body)["status"] == 507


def test_small_queries_are_answered_beside_slow_ones(address):
    with socket.create_connection(address) as slow:
        slow.sendall(b"GET /sparql?query=" + quote(ENDLESS).encode() + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        answer, _ = fetch(address, "GET", "/sparql?query=" + quote(ASK))
        assert answer.status == 200
        assert slow.recv(12) == b"HTTP/1.1 504"


def test_a_client_that_leaves_frees_its_worker(small_pool):
    """With a time limit of a minute and one worker, the next query is answered at once."""
    limits = Limits(workers=1, time_limit=60.0, queue_wait=20.0)
    with Pool(small_pool.source, limits) as pool, serving(create_app(pool)) as (port, _):
        address = ("127.0.0.1", port)
        with socket.create_connection(address) as leaver:
            leaver.sendall(b"GET /sparql?query=" + quote(ENDLESS).encode() + b" HTTP/1.1\r\nHost: x\r\n\r\n")
            until = time.monotonic() + 10
            while pool._gate.idle and time.monotonic() < until:
                time.sleep(0.01)
            assert not pool._gate.idle
        answer, _ = fetch(address, "GET", "/sparql?query=" + quote(ASK))
    assert answer.status == 200
