"""What an endpoint answers: our own server with data of Wikidata's shape, and small servers that misbehave."""

import contextlib
import http.server
import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.parse
from email.utils import formatdate

import pytest
import rdflib

from foedus.errors import WrongUsage
from foedus.link import auditing, endpoint, findings

from .items import told
from .server import serving

WIKIDATA = """
@prefix wd: <http://www.wikidata.org/entity/> . @prefix s: <http://www.wikidata.org/entity/statement/> .
@prefix v: <http://www.wikidata.org/value/> . @prefix r: <http://www.wikidata.org/reference/> .
@prefix p: <http://www.wikidata.org/prop/> . @prefix ps: <http://www.wikidata.org/prop/statement/> .
@prefix psv: <http://www.wikidata.org/prop/statement/value/> .
@prefix pq: <http://www.wikidata.org/prop/qualifier/> . @prefix pqv: <http://www.wikidata.org/prop/qualifier/value/> .
@prefix wikibase: <http://wikiba.se/ontology#> . @prefix prov: <http://www.w3.org/ns/prov#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .

wd:Q183 rdfs:label "Germany"@en , "Tyskland"@sv , "Almania"@es ; skos:altLabel "Alemania"@es ;
  p:P463 s:q183-1 , s:Q183-2 , s:Q183-3 .
wd:Q265 rdfs:label "Uzbekistan"@en ; p:P463 s:Q265-1 .
wd:Q232 rdfs:label "Kazakhstan"@en ; p:P463 s:Q232-1 .
wd:Q756617 rdfs:label "Kingdom of Denmark"@en ; p:P463 s:Q756617-1 .
wd:Q999999999 rdfs:label "Ruritania"@en ; p:P463 s:Q999999999-1 .
wd:Q184 owl:sameAs wd:Q183 .
wd:Q458 rdfs:label "European Union"@en ; p:P571 s:Q458-1 .
wd:Q7184 rdfs:label "NATO"@en ; skos:altLabel "North Atlantic Treaty Organization"@en ; p:P571 s:Q7184-1 .

s:q183-1 wikibase:rank wikibase:NormalRank ; ps:P463 wd:Q7184 ; prov:wasDerivedFrom r:1 , r:2 ;
  pq:P580 "1955-05-09T00:00:00Z"^^xsd:dateTime ; pqv:P580 v:1 .
s:Q183-2 wikibase:rank wikibase:NormalRank ; ps:P463 wd:Q189946 ; pqv:P580 v:2 ; pqv:P582 v:3 .
s:Q183-3 wikibase:rank wikibase:NormalRank ; ps:P463 wd:Q458 ; pqv:P580 v:4 .
s:Q265-1 wikibase:rank wikibase:NormalRank ; ps:P463 wd:Q318693 ; pq:P582 [] .
s:Q232-1 wikibase:rank wikibase:DeprecatedRank ; ps:P463 wd:Q318693 .
s:Q756617-1 wikibase:rank wikibase:PreferredRank ; ps:P463 wd:Q7184 .
s:Q999999999-1 wikibase:rank wikibase:NormalRank ; ps:P463 wd:Q7184 .
s:Q458-1 wikibase:rank wikibase:NormalRank ; ps:P571 "1993-11-01T00:00:00Z"^^xsd:dateTime ; psv:P571 v:5 .
s:Q7184-1 wikibase:rank wikibase:NormalRank ; ps:P571 "1949-04-04T00:00:00Z"^^xsd:dateTime ; psv:P571 v:6 .

v:1 wikibase:timeValue "1955-05-09T00:00:00Z"^^xsd:dateTime ; wikibase:timePrecision 11 .
v:2 wikibase:timeValue "1955-01-01T00:00:00Z"^^xsd:dateTime ; wikibase:timePrecision 9 .
v:3 wikibase:timeValue "2011-01-01T00:00:00Z"^^xsd:dateTime ; wikibase:timePrecision 9 .
v:4 wikibase:timeValue "1957-03-25T00:00:00Z"^^xsd:dateTime ; wikibase:timePrecision 11 .
v:5 wikibase:timeValue "1993-11-01T00:00:00Z"^^xsd:dateTime ; wikibase:timePrecision 11 .
v:6 wikibase:timeValue "1949-04-04T00:00:00Z"^^xsd:dateTime ; wikibase:timePrecision 11 .
"""

ASKED = ("Q183", "Q184", "Q232", "Q265", "Q30", "Q458", "Q7184", "Q756617")


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The address of ``foedus serve --data`` with data of Wikidata's shape."""
    file = tmp_path_factory.mktemp("wikidata") / "members.ttl"
    file.write_text(WIKIDATA)
    with serving(file) as address:
        yield address


@contextlib.contextmanager
def answering(*answers):
    """A server that gives *answers* (status, headers, body) one after the other, the last again and again.

    One that can be called makes an answer of the query. Yields the address, and what was asked: headers and query.
    """
    left, asked = list(answers), []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            asked.append((dict(self.headers), form["query"][0]))
            answer = left.pop(0) if len(left) > 1 else left[0]
            status, headers, body = answer(asked[-1][1]) if callable(answer) else answer
            if status is None:
                released.wait(20)
                return
            self.send_response(status)
            for name, value in {
                "Content-Length": str(len(body) if isinstance(body, bytes) else 1 << 20),
                **headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            for piece in [body] if isinstance(body, bytes) else body:
                with contextlib.suppress(OSError):
                    self.wfile.write(piece)

        def log_message(self, *_):
            pass

    released = threading.Event()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", asked
        finally:
            released.set()
            server.shutdown()


def good(*labelled):
    """An answer that holds English labels of items and nothing else."""
    rows = [
        {
            "s": {"type": "uri", "value": f"http://www.wikidata.org/entity/{qid}"},
            "p": {"type": "uri", "value": "http://www.w3.org/2000/01/rdf-schema#label"},
            "o": {"type": "literal", "value": "A", "xml:lang": "en"},
        }
        for qid in labelled
    ]
    return 200, {}, json.dumps({"head": {"vars": ["s", "p", "o"]}, "results": {"bindings": rows}}).encode()


def asking(url, cache, **more):
    return endpoint.Asking(url, cache, **{"wait": lambda _: None, **more})


@pytest.mark.parametrize(("at_once", "page"), [(1, 1), (20, 1000)], ids=["one by one", "together"])
def test_a_real_server_is_asked_for_statements(here, served, tmp_path, at_once, page):
    """Ranks, precisions, references, an unknown end, and a member that is linked to nothing, all come through."""
    reading = endpoint.read(
        asking(served, tmp_path, at_once=at_once, page=page), ASKED, here.every_language(), ["Q7184"]
    )
    found = auditing.audit([reading], here)
    assert found.troubles == ()
    rows = told(found, "verdict", "what", "item", "alliance", "there", "days", "references")
    assert [each for each in rows if each[2] == "Q183" and each[0] != "missing there"] == [
        ("differs", "begin", "Q183", "nato", "1955-05-09", 3, 2),
        ("agrees", "end", "Q183", "nato", "", 0, 2),
        ("agrees", "begin", "Q183", "weu", "1955", 0, 0),
        ("agrees", "end", "Q183", "weu", "2011", 0, 0),
    ]
    assert ("missing there", "end", "Q265", "csto", "unknown", 0, 0) in rows
    assert ("missing there", "membership", "Q232", "csto", "", 0, None) in rows
    assert ("other item", "membership", "Q756617", "nato", "", 0, 0) in rows
    assert ("missing here", "membership", "Q999999999", "nato", "", 0, 0) in rows


def test_a_real_server_is_asked_for_dates_labels_redirects_and_what_is_gone(here, served, tmp_path):
    """The statement of membership of the Union begins before the Union; Q30 has no triple at all."""
    found = auditing.audit([endpoint.read(asking(served, tmp_path), ASKED, here.every_language())], here)
    rows = {(each.verdict, each.what, each.item, each.language): each for each in found.findings}
    assert "Counted as signed." in rows["agrees", "founded", "Q7184", ""].note
    assert rows["agrees", "label", "Q7184", "en"].note == "Another name here."
    assert rows["agrees", "label", "Q183", "es"].note == "Another name there."
    assert rows["missing there", "label", "Q183", "fr"].here == "Allemagne"
    assert "redirects to Q183" in rows["moved", "item", "Q184", ""].note
    assert "deleted, or never was" in rows["moved", "item", "Q30", ""].note
    assert "before Q458 itself (1993-11-01)" in rows["out of scope", "membership", "Q183", ""].note


def test_another_engine_gives_the_same(here, served, tmp_path):
    """What is asked is SPARQL 1.1 that rdflib understands as our own engine does."""
    graph = rdflib.Graph().parse(data=WIKIDATA, format="turtle")

    def answer(query):
        return 200, {}, graph.query(query).serialize(format="json")

    with answering(answer) as (url, _):
        theirs = endpoint.read(asking(url, tmp_path), ASKED, here.every_language(), ["Q7184"])
    ours = endpoint.read(asking(served, tmp_path), ASKED, here.every_language(), ["Q7184"])

    def plain(reading):
        found = {}
        for item in reading.items:
            statements = frozenset(item.statements)
            found[item.qid] = (statements, item.labels, item.aliases, item.whole, item.redirect, item.gone)
        return found

    assert plain(theirs) == plain(ours) and theirs.troubles == ours.troubles == ()


def test_terms_as_virtuoso_writes_them(tmp_path):
    """Blank nodes under labels that are none, and typed literals under a type of their own."""
    item, node = "http://www.wikidata.org/entity/Q265", "http://www.wikidata.org/entity/statement/Q265-1"
    told_of = [
        (item, "http://www.wikidata.org/prop/P463", {"type": "uri", "value": node}),
        (node, "http://wikiba.se/ontology#rank", {"type": "uri", "value": "http://wikiba.se/ontology#NormalRank"}),
        (
            node,
            "http://www.wikidata.org/prop/qualifier/P580",
            {"type": "typed-literal", "value": "2006-06-23T00:00:00Z"},
        ),
        (node, "http://www.wikidata.org/prop/qualifier/P582", {"type": "bnode", "value": "nodeID://b10001"}),
    ]
    rows = [{"s": {"type": "uri", "value": s}, "p": {"type": "uri", "value": p}, "o": o} for s, p, o in told_of]
    with answering((200, {}, json.dumps({"results": {"bindings": rows}}).encode())) as (url, _):
        found = endpoint.read(asking(url, tmp_path), ["Q265"], ["en"])
    (statement,) = found.items[0].statements
    assert (statement.begin.text, statement.end.text) == ("2006-06-23", "unknown")


def test_it_says_who_asks_and_asks_once_a_day(tmp_path):
    """The address in the user agent is one at which somebody can read what asks."""
    with answering(good("Q183")) as (url, asked):
        for fresh, times in ((False, 1), (False, 1), (True, 2)):
            found = endpoint.read(asking(url, tmp_path, fresh=fresh), ["Q183"], ["en"])
            assert (len(asked), [item.label for item in found.items]) == (times, ["A"])
    assert re.match(r"Foedus/\S+ \(https://w3id.org/foedus/;", asked[0][0]["User-Agent"])
    assert asked[0][0]["Accept"] == "application/sparql-results+json"


def test_old_and_broken_answers_in_the_cache_are_none(tmp_path):
    """An answer of the day before yesterday goes when a new one is kept."""
    with answering(good("Q183")) as (url, asked):
        endpoint.read(asking(url, tmp_path), ["Q183"], ["en"])
        (kept,) = tmp_path.iterdir()
        kept.write_text("{")
        endpoint.read(asking(url, tmp_path), ["Q183"], ["en"])
        assert len(asked) == 2
        old = time.time() - 2 * endpoint.KEPT
        os.utime(kept, (old, old))
        endpoint.read(asking(url, tmp_path), ["Q142"], ["en"])
        assert len(asked) == 3 and [each.name for each in tmp_path.iterdir()] != [kept.name]
        assert len(list(tmp_path.iterdir())) == 1


def test_without_a_cache_that_can_be_written_it_still_answers(tmp_path):
    (tmp_path / "file").write_text("")
    with answering(good("Q183")) as (url, _):
        found = endpoint.read(asking(url, tmp_path / "file" / "cache"), ["Q183"], ["en"])
    assert [item.qid for item in found.items] == ["Q183"] and found.troubles == ()


@pytest.mark.parametrize(
    ("status", "said", "least", "most"),
    [
        (429, "7", 7, 7),
        (503, "7", 7, 7),
        (429, formatdate(usegmt=True), 0, 0),
        (429, "soon", 60, 60),
        (429, None, 60, 60),
        (503, None, 2, 2),
    ],
)
def test_it_waits_as_long_as_it_is_told(tmp_path, status, said, least, most):
    """Seconds, or a day and time; without either a minute after 429, else ever longer."""
    waits = []
    with answering((status, {"Retry-After": said} if said else {}, b""), good("Q183")) as (url, _):
        found = endpoint.read(asking(url, tmp_path, wait=waits.append), ["Q183"], ["en"])
    assert len(waits) == 1 and least <= waits[0] <= most
    assert (found.troubles, found.items[0].label) == ((), "A")


@pytest.mark.parametrize(
    ("answer", "says", "goes_on"),
    [
        ((503, {}, b""), "503", False),
        ((429, {"Retry-After": "86400"}, b""), "no question for 86400 s", False),
        ((400, {}, b"bad"), "400", False),
        ((302, {"Location": "http://127.0.0.1:9/"}, b""), "302", False),
        ((200, {"Content-Length": "100"}, b"{}"), "breaks off", True),
        ((200, {}, b"<!DOCTYPE html>busy"), "HTML", True),
        ((200, {}, good("Q142")[2][:-10]), "breaks off", True),
        ((200, {}, good("Q142")[2] + b"java.util.concurrent.TimeoutException"), "breaks off", True),
        ((200, {}, b""), "breaks off", True),
        ((200, {}, b"[" * 100_000), "SPARQL JSON", True),
        ((200, {}, b'{"head": {}, "boolean": true}'), "rows", True),
        ((200, {}, b'{"head": {"vars": ["x"]}, "results": {"bindings": [{}]}}'), "rows", True),
        ((200, {}, b'{"head": {"vars": ["s", "p", "o"]}, "results": {"bindings": [1]}}'), "rows", True),
        ((200, {}, good("no item")[2]), "SPARQL JSON", True),
    ],
)
def test_an_answer_that_does_not_come_leaves_the_others(here, tmp_path, answer, says, goes_on):
    """Its item is unread, neither gone nor lacking anything; the others are asked for while that makes sense."""
    with answering(good("Q183"), *[answer] * (1 if goes_on else 4), good("Q30")) as (url, _):
        reading = endpoint.read(asking(url, tmp_path, at_once=1), ["Q183", "Q142", "Q30"], ["en"])
    assert says in reading.troubles[0].message and reading.troubles[0].place == "Q142"
    assert [(item.qid, item.unread) for item in reading.items] == [
        ("Q183", False),
        ("Q142", True),
        ("Q30", not goes_on),
    ]
    found = auditing.audit([reading], here)
    assert {each.verdict for each in found.findings if each.item == "Q142"} == {findings.NOT_READ}
    assert len([each for each in tmp_path.iterdir() if each.suffix == ".json"]) == 1 + goes_on


@pytest.mark.parametrize("slow", [(500, {}, b"TimeoutException"), (504, {}, b"")])
def test_an_endpoint_that_is_too_slow_is_asked_for_fewer(tmp_path, slow):
    """Of four items at once it answers two, and two."""
    with answering(slow, good("Q1", "Q2"), good("Q3", "Q4")) as (url, asked):
        found = endpoint.read(asking(url, tmp_path), ["Q1", "Q2", "Q3", "Q4"], ["en"])
    assert found.troubles == () and [item.label for item in found.items] == ["A"] * 4
    assert "wd:Q1 wd:Q2 }" in asked[1][1] and "wd:Q3" not in asked[1][1]


def test_an_endpoint_with_other_data_is_told(tmp_path):
    """It answers, and knows none of the items: they are not all deleted."""
    with answering(good()) as (url, _):
        found = endpoint.read(asking(url, tmp_path), ["Q183", "Q142"], ["en"])
    assert [(item.unread, item.gone) for item in found.items] == [(True, False)] * 2
    assert "knows none" in found.troubles[0].message and found.troubles[0].place == "Q183, Q142"


def test_an_endpoint_that_answers_nothing_is_asked_no_more(tmp_path):
    """Eight questions in vain are enough for two hundred items."""
    with answering((500, {}, b"")) as (url, asked):
        found = endpoint.read(asking(url, tmp_path), [f"Q{number}" for number in range(1, 201)], ["en"])
    assert len(asked) == 8 and all(item.unread for item in found.items) and len(found.items) == 200
    assert "asked no more" in found.troubles[-1].message


def test_an_endpoint_that_hangs_is_left(tmp_path):
    with answering((None, {}, b"")) as (url, _):
        found = endpoint.read(asking(url, tmp_path, limit=0.2), ["Q183"], ["en"])
    assert "No whole answer came within 0.2 s." in found.troubles[0].message and found.items[0].unread


def test_an_endpoint_that_trickles_is_left(tmp_path):
    """A byte now and then keeps it from being silent, and does not keep it from being slow."""

    def trickle():
        for _ in range(100):
            time.sleep(0.05)
            yield b" "

    with answering((200, {}, trickle())) as (url, _):
        found = endpoint.read(asking(url, tmp_path, limit=0.3), ["Q183"], ["en"])
    assert "No whole answer came within 0.3 s." in found.troubles[0].message


@pytest.mark.parametrize("alliances", [["Q7184"], []], ids=["with members", "without"])
def test_nobody_there_is_told_once(tmp_path, alliances):
    """Of a hundred items in five questions none is read, and the second question is not put."""
    qids = [f"Q{number}" for number in range(1, 101)]
    found = endpoint.read(asking("http://127.0.0.1:9/", tmp_path), qids, ["en"], alliances)
    assert "cannot be asked" in found.troubles[0].message and len(found.troubles) == 2
    assert len(found.items) == 100 and all(item.unread for item in found.items)


def test_an_endpoint_that_wants_no_question_is_not_asked_another(tmp_path):
    """Told to wait for a day when it was asked for members, it is not asked for items."""
    with answering((429, {"Retry-After": "86400"}, b"")) as (url, asked):
        found = endpoint.read(asking(url, tmp_path), ["Q183"], ["en"], ["Q7184"])
    assert len(asked) == 1 and found.items[0].unread


def test_an_answer_that_may_have_been_cut_is_asked_for_in_parts(tmp_path):
    """An engine that gives no more than a thousand rows does not say so; a round number of them is not believed."""
    qids = [f"Q{number}" for number in range(1, 1001)]
    with answering(good(*qids), good("Q1"), good("Q2")) as (url, asked):
        found = endpoint.read(asking(url, tmp_path), ["Q1", "Q2"], ["en"])
    assert len(asked) == 3 and [item.qid for item in found.items] == ["Q1", "Q2"] and found.troubles == ()
    with answering(good(*qids)) as (url, _):
        found = endpoint.read(asking(url, tmp_path), ["Q1"], ["en"])
    assert found.items[0].unread and "1000 rows" in found.troubles[0].message


@pytest.mark.parametrize("url", ["", "query", "file:///etc/passwd", "ftp://host/", "http://", "http://me:pw@host/"])
def test_what_is_no_address_of_an_endpoint_is_refused(url):
    with pytest.raises(WrongUsage):
        endpoint.Asking(url)


def test_a_server_that_goes_on_for_ever_is_stopped(tmp_path, monkeypatch):
    """Every page of members is full, and every answer is larger than may be."""
    rows = [{"item": {"type": "uri", "value": f"http://www.wikidata.org/entity/Q{number}"}} for number in range(1, 4)]
    page = 200, {}, json.dumps({"head": {"vars": ["item"]}, "results": {"bindings": rows}}).encode()
    monkeypatch.setattr(endpoint, "_MOST", 9)
    with answering(page) as (url, asked):
        endpoint.read(asking(url, tmp_path, page=3), [], ["en"], ["Q7184"])
        assert len([query for _, query in asked if "OFFSET" in query]) == 3
    monkeypatch.setattr(endpoint, "_LARGEST", 100)
    with answering(good("Q183")) as (url, _):
        found = endpoint.read(asking(url, tmp_path, fresh=True), ["Q183"], ["en"])
    assert "larger than" in found.troubles[0].message


def test_the_command_asks_an_endpoint(served, dataset, tmp_path):
    """Whole, with findings: 1; one that cannot be reached: 3, and every item is told as unread."""
    environment = {**os.environ, "FOEDUS_HOME": str(dataset), "XDG_CACHE_HOME": str(tmp_path)}

    def run(*words):
        command = [sys.executable, "-m", "foedus", "link", "audit", *words, "--json"]
        return subprocess.run(command, capture_output=True, env=environment, text=True)

    done = run("--endpoint", served, "--only", "memberships")
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["partial"], answer["counts"]["differs"]) == (1, False, 1)
    assert done.stderr.splitlines()[-1].startswith(f"Asking {served} for ")
    assert list((tmp_path / "foedus" / "wikidata").iterdir())
    done = run("--endpoint", "http://127.0.0.1:9/", "--cache", str(tmp_path / "empty"))
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["partial"]) == (3, True)
    assert set(answer["counts"]) == {"not read"} and "cannot be asked" in done.stderr
    with answering((429, {"Retry-After": "0"}, b""), (404, {}, b"")) as (url, _):
        done = run("--endpoint", url, "--cache", str(tmp_path / "empty"))
    assert done.returncode == 3 and "Waiting for 0 s, as the endpoint wants." in done.stderr
