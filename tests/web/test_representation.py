"""What an answer says of itself: tags and 304, how long it may be kept, methods, and what other sites may do."""

import http.client
import re
import threading
from dataclasses import dataclass, field, replace

import pytest
from werkzeug.exceptions import MethodNotAllowed

from foedus.query.cache import Cache
from foedus.query.dataset import Description
from foedus.query.limits import Limits
from foedus.query.pool import Answer
from foedus.web import create_app

MANY = "SELECT * { ?s ?p ?o }"
ASK = "ASK {}"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def ask(client, query, method="GET", headers=None, **more):
    return client.open("/sparql", method=method, query_string={"query": query, **more}, headers=headers or {})


def vary(answer):
    return {each.strip() for each in answer.headers.get("Vary", "").split(",")}


@dataclass
class Counting:
    """An asker that counts what it is asked, and answers everything alike."""

    limits: Limits = field(default_factory=Limits)
    dataset: Description = field(default_factory=lambda: Description("one", 1, "2026-11-22", None))
    asked: list = field(default_factory=list)

    async def asking(self, request, cancelled=None):
        self.asked.append(request.text)
        return Answer(b"true" * 1000, "application/sparql-results+json", "ask", 1.0)


@pytest.fixture
def behind():
    return Counting()


@pytest.fixture
def counted(behind):
    return create_app(behind).test_client()


@pytest.fixture(scope="module")
def kept(own_pool):
    """As it is served: the engine writes what no ORDER BY orders in another order each time."""
    return create_app(Cache(own_pool)).test_client()


# ── tags ──


def test_a_client_that_has_the_answer_is_told_so_before_anybody_is_asked(counted, behind):
    first = ask(counted, ASK)
    again = ask(counted, ASK, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert len(behind.asked) == 1
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Cache-Control"] == first.headers["Cache-Control"]
    assert vary(again) == vary(first) == {"Accept", "Accept-Encoding"}
    assert "Content-Encoding" not in again.headers


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("coding", ["gzip", "zstd", "identity"])
@pytest.mark.parametrize("form", ["W/{}", "{}", '"other", {}', '{}, "other"'])
def test_a_tag_is_known_in_every_form(counted, behind, method, coding, form):
    tag = ask(counted, ASK, headers={"Accept-Encoding": coding}).headers["ETag"]
    headers = {"Accept-Encoding": coding, "If-None-Match": form.format(tag)}
    assert ask(counted, ASK, method, headers).status_code == 304
    assert len(behind.asked) == 1


def test_tags_are_strong_and_differ_by_everything_that_makes_an_answer(counted, behind):
    def tags(**more):
        return [
            ask(counted, query, headers={"Accept-Encoding": coding, "Accept": accept}, **more).headers["ETag"]
            for query in (ASK, ASK + " ")
            for coding in ("gzip", "zstd", "identity")
            for accept in ("application/sparql-results+json", "application/json", "text/csv")
        ]

    found = tags() + tags(**{"default-graph-uri": "urn:a"}) + tags(**{"named-graph-uri": "urn:a"})
    behind.dataset = replace(behind.dataset, sha256="two")
    found += tags()
    assert len(set(found)) == len(found) == 72
    assert all(re.fullmatch(r'"[0-9a-f]{32}(-gzip|-zstd)?"', each) for each in found)


def test_the_tag_is_the_same_in_every_process_and_for_every_spelling_of_a_wish(counted, behind):
    tag = ask(counted, ASK).headers["ETag"]
    other = create_app(Counting()).test_client()
    assert ask(other, ASK).headers["ETag"] == tag
    assert ask(other, ASK, headers={"Accept": "*/*"}).headers["ETag"] == tag
    assert ask(other, ASK, format="json").headers["ETag"] == tag


@pytest.mark.parametrize(
    "header",
    ['"other"', "*", '"', "", '"0123456789abcdef0123456789abcdef"'],
    ids=["other", "any", "cut", "empty", "made up"],
)
def test_what_the_client_does_not_have_is_asked(counted, behind, header):
    assert ask(counted, ASK, headers={"If-None-Match": header}).status_code in (200, 304)
    assert len(behind.asked) == 1


def test_a_tag_of_a_coding_that_the_client_no_longer_takes_is_no_match(counted, behind):
    tag = ask(counted, ASK, headers={"Accept-Encoding": "gzip"}).headers["ETag"]
    assert ask(counted, ASK, headers={"If-None-Match": tag}).status_code == 200


def test_a_tag_of_another_version_is_no_match(counted, behind):
    tag = ask(counted, ASK).headers["ETag"]
    behind.dataset = replace(behind.dataset, sha256="two")
    assert ask(counted, ASK, headers={"If-None-Match": tag}).status_code == 200


def test_a_tag_excuses_no_error(own):
    tag = ask(own, ASK).headers["ETag"]
    assert ask(own, "ASK {", headers={"If-None-Match": tag}).status_code == 400
    assert ask(own, "ASK {", headers={"If-None-Match": "*"}).status_code == 400
    assert ask(own, ASK, headers={"If-None-Match": tag, "Accept": "image/png"}).status_code == 406


def test_the_service_description_has_a_tag_too(counted, behind):
    first = counted.get("/sparql")
    assert counted.get("/sparql", headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    assert len(behind.asked) == 1


# ── how long ──


def test_an_answer_may_be_kept_by_anybody_for_a_while(own):
    assert ask(own, MANY).headers["Cache-Control"] == "public, max-age=300"
    assert own.get("/sparql").headers["Cache-Control"] == "public, max-age=300"


@pytest.mark.parametrize("call", ["NOW()", "RAND()", "UUID()", "STRUUID()", "BNODE()"])
@pytest.mark.parametrize("accept", ["*/*", BROWSER])
def test_an_answer_that_differs_each_time_is_kept_by_nobody(own, call, accept):
    answer = ask(own, f"SELECT ({call} AS ?x) {{}}", headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert "ETag" not in answer.headers
    assert (
        ask(own, f"SELECT ({call} AS ?x) {{}}").data != ask(own, f"SELECT ({call} AS ?x) {{}}").data or call == "NOW()"
    )


def test_an_engine_whose_data_may_change_gives_nothing_to_keep(counted, behind):
    behind.dataset = replace(behind.dataset, changes=True)
    answer = ask(counted, ASK)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "ETag" not in answer.headers


def test_errors_and_posted_answers_are_not_to_be_kept(own):
    assert ask(own, "ASK {").headers["Cache-Control"] == "no-store"
    posted = own.post("/sparql", data={"query": ASK})
    assert "ETag" not in posted.headers
    assert "Cache-Control" not in posted.headers


def test_health_is_asked_of_a_worker_each_time_though_answers_are_kept(behind):
    client = create_app(Cache(behind)).test_client()
    for _ in range(2):
        assert client.get("/health").status_code == 200
        assert ask(client, ASK).status_code == 200
    assert sorted(behind.asked.count(each) for each in set(behind.asked)) == [1, 2]
    assert behind.asked.count(ASK) == 1


# ── bodies ──


@pytest.mark.parametrize(("coding", "status"), [("gzip", 415), ("zstd", 415), ("identity", 200), (" Identity", 200)])
def test_a_body_in_a_coding_is_not_taken(own, coding, status):
    headers = {"Content-Type": "application/sparql-query", "Content-Encoding": coding}
    assert own.post("/sparql", data=ASK, headers=headers).status_code == status


# ── methods ──


@pytest.mark.parametrize("query", [MANY, ASK, "DESCRIBE <http://example.org/first>", "ASK {", None])
@pytest.mark.parametrize("accept", ["*/*", BROWSER, "image/png", "text/turtle"])
@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_head_says_what_get_says_and_sends_nothing(kept, query, accept, coding):
    asked = {"query": query} if query else {}
    headers = {"Accept": accept, "Accept-Encoding": coding}
    got = kept.get("/sparql", query_string=asked, headers=headers)
    headed = kept.head("/sparql", query_string=asked, headers=headers)
    assert headed.data == b""
    assert headed.status_code == got.status_code
    for name in ("Content-Type", "Content-Encoding", "Vary", "ETag", "Cache-Control", "Access-Control-Allow-Origin"):
        if not (name == "ETag" and "html" in got.headers["Content-Type"]):
            assert headed.headers.get(name) == got.headers.get(name), name
    if coding == "identity" and "html" not in got.headers["Content-Type"]:
        assert headed.headers["Content-Length"] == got.headers["Content-Length"]


def routes(client):
    """Each route as an address, with the methods that it takes."""
    found = {}
    for rule in client.application.url_map.iter_rules():
        address = re.sub(r"<(?:path:)?filename>", "app.css", rule.rule)
        found.setdefault(re.sub(r"<[^>]+>", "x", address), set()).update(rule.methods)
    return found


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "POST"])
def test_a_wrong_method_is_told_the_right_ones_on_every_route(own, method):
    for address, methods in routes(own).items():
        if method not in methods:
            answer = own.open(address, method=method)
            assert answer.status_code == MethodNotAllowed.code, address
            assert set(answer.headers["Allow"].split(", ")) == methods, address
            assert "Accept-Encoding" in vary(answer)


def test_every_route_answers_a_browser_that_asks_for_another_site(own):
    for address, methods in routes(own).items():
        answer = own.options(address, headers={"Origin": "https://example.org", "Access-Control-Request-Method": "GET"})
        assert (answer.status_code, answer.data) == (204, b""), address
        assert set(answer.headers["Allow"].split(", ")) == methods
        if address == "/metrics":
            assert "Access-Control-Allow-Origin" not in answer.headers
            continue
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Access-Control-Allow-Methods"] == answer.headers["Allow"]
        assert {"Accept", "Content-Type", "If-None-Match"} <= set(
            answer.headers["Access-Control-Allow-Headers"].split(", ")
        )
        assert int(answer.headers["Access-Control-Max-Age"]) > 0
        assert "Access-Control-Allow-Credentials" not in answer.headers


def test_another_site_may_read_answers_and_errors_and_their_headers(own):
    for answer in (ask(own, ASK), ask(own, "ASK {"), own.get("/id/nothing"), own.delete("/sparql")):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert {"ETag", "Retry-After", "Content-Encoding"} <= set(
            answer.headers["Access-Control-Expose-Headers"].split(", ")
        )
        assert "Origin" not in vary(answer)


# ── Vary ──


@pytest.mark.parametrize(
    ("path", "accept", "status"),
    [
        ("/id/csto", "text/turtle", 303),
        ("/id/csto", BROWSER, 303),
        ("/id/csto", "image/png", 406),
        ("/id/nothing", "text/turtle", 404),
        ("/id/nothing", BROWSER, 404),
        ("/ontology", "text/turtle", 200),
        ("/ontology", BROWSER, 200),
        ("/ontology", "image/png", 406),
        ("/graph/asserted", "text/turtle", 200),
        ("/sparql", "text/turtle", 200),
        ("/sparql", BROWSER, 200),
        ("/sparql", "text/csv", 406),
        ("/sparql?query=ASK%20%7B%7D", "text/csv", 200),
        ("/sparql?query=ASK%20%7B", "text/csv", 400),
        ("/sparql?query=ASK%20%7B", BROWSER, 400),
        ("/nowhere", "application/json", 404),
    ],
)
def test_what_is_negotiated_says_by_what(client, path, accept, status):
    answer = client.get(path, headers={"Accept": accept})
    assert answer.status_code == status
    assert {"Accept", "Accept-Encoding"} <= vary(answer)


# ── over a real connection ──


def test_several_accept_headers_and_a_304_over_a_connection(own_pool):
    from waitress.server import create_server

    server = create_server(create_app(own_pool), host="127.0.0.1", port=0)
    enough = threading.Event()

    def run() -> None:
        while not enough.is_set():
            server.asyncore.loop(timeout=0.02, map=server._map, count=1)

    thread = threading.Thread(target=run)
    thread.start()
    connection = http.client.HTTPConnection(server.effective_host, int(server.effective_port), timeout=20)

    def get(*headers):
        connection.putrequest("GET", "/sparql?query=ASK%7B%7D")
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer, answer.read()

    try:
        first, body = get(("Accept", "text/csv;q=0.1"), ("Accept", "application/sparql-results+xml;q=0.2"))
        assert first.headers["Content-Type"] == "application/sparql-results+xml"
        assert b"true" in body
        again, nothing = get(("Accept", "application/sparql-results+xml"), ("If-None-Match", first.headers["ETag"]))
        assert (again.status, nothing) == (304, b"")
    finally:
        connection.close()
        enough.set()
        thread.join()
        server.task_dispatcher.shutdown()
        server.asyncore.close_all(server._map)


def test_a_format_that_nobody_offers_is_refused_before_the_query_runs():
    """It is only looked over, for what is wrong with it matters more."""

    class Noting(Counting):
        async def asking(self, request, cancelled=None):
            assert request.dry
            return await super().asking(request, cancelled)

    web = create_app(noting := Noting()).test_client()
    assert ask(web, MANY, headers={"Accept": "image/png"}).status_code == 406
    assert noting.asked == [MANY]


def test_an_endless_query_in_a_format_that_nobody_offers_takes_no_time(own_pool):
    web = create_app(own_pool).test_client()
    endless = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?n2 ?o }"
    killed = own_pool.statistics().killed
    assert ask(web, endless, format="pdf").status_code == 406
    assert own_pool.statistics().killed == killed
    assert ask(web, "SELECT (COUNT(*) AS ?n) {", format="pdf").status_code == 400
