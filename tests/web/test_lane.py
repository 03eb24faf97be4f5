"""The fast lane: what takes it is answered as in a thread, without one; the loop waits for nobody."""

import json
import os
import re
import socket
import threading
import time
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foedus.errors import Cancelled, QueryTooSlow
from foedus.query.cache import Cache
from foedus.query.dataset import Description
from foedus.query.kept import Kept
from foedus.query.limits import MIB, Limits
from foedus.query.pool import Answer, Asker
from foedus.query.waiting import ELSEWHERE, Signal, Wait
from foedus.web import Settings, create_app, lane_of
from foedus.web.connections import Connection
from foedus.web.headers import Reply
from foedus.web.lane import Lane
from foedus.web.loop import Loop
from foedus.web.metrics import Metrics
from foedus.web.watching import Journal, Register

from .front import eventually, serving
from .test_express import received, sent

ASK = "/sparql?query=ASK%20%7B%7D"
SLOW = "/sparql?query=ASK%20%7B%20%23slow%0A%7D"
FAILING = "/sparql?query=ASK%20%7B%20%23failing%0A%7D"
LARGE = "/sparql?query=ASK%20%7B%20%23large%0A%7D"
LOOP = "loop"


@dataclass(eq=False)
class Behind:
    """An asker that notes in which thread it was asked what; *slow* queries wait for *go*, or until who asked left."""

    limits: Limits = field(default_factory=Limits)
    dataset: Description = field(default_factory=lambda: Description("one", 1, "2026-11-22", None))
    go: Signal = field(default_factory=Signal)
    asked: list = field(default_factory=list)
    left: Signal = field(default_factory=Signal)

    ask = Asker.ask

    async def asking(self, request, cancelled=None):
        self.asked.append((re.search(r"#(\w+)|$", request.text)[1], where()))
        if "#failing" in request.text:
            raise QueryTooSlow("It takes too long.", "Ask for less.")
        while "#slow" in request.text and not self.go.happened:
            await Wait(self.go, time.monotonic() + 0.05)
            if cancelled and cancelled():
                self.left.happen()
                raise Cancelled("left")
        size = 100_000 if "#large" in request.text else 400
        return Answer(b'{"boolean": true}'.ljust(size), "application/sparql-results+json", "ask", 1.0, rows=1)


def where():
    """In whose thread this is."""
    return "thread" if threading.current_thread().name.startswith("foedus-") else LOOP


@pytest.fixture
def behind():
    return Behind()


@pytest.fixture
def app(behind):
    return create_app(behind)


@pytest.fixture
def port(app):
    with serving(app, threads=4, shortcut=lane_of(app)) as (number, _):
        yield number


@contextmanager
def connected(port):
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        yield client


@pytest.fixture
def client(port, behind):
    """A connection to a server that knows our headers."""
    with connected(port) as connection:
        got(connection)
        behind.asked.clear()
        yield connection


def got(client, *asked, **more):
    client.sendall(sent(*asked, **more))
    return received(client, more.get("method", "GET"))


def running(app):
    """Requests that are being answered, but for that which asks."""
    return int(re.search(r"^foedus_requests_running (\d+)$", app.test_client().get("/metrics").text, re.M)[1]) - 1


# ── what takes it ──


def test_headers_that_were_read_before_take_the_lane(port, behind):
    with connected(port) as client:
        first = got(client)
        assert behind.asked == [(None, "thread")]
        second, third = got(client), got(client, "/queries/disagreements.json")
    assert [each for _, each in behind.asked[-2:]] == [LOOP, LOOP]
    assert first[0] == second[0] == 200
    assert first[2] == second[2]
    assert set(first[1]) == set(second[1]) == set(third[1]) - {"Content-Disposition"}


@pytest.mark.parametrize(
    "asked",
    [
        (ASK,),
        (ASK + "&format=csv",),
        (ASK, "Accept: text/csv"),
        (ASK, "Accept: image/png"),
        (ASK, "Accept: text/html"),
        (ASK, "Accept-Encoding: gzip"),
        (LARGE, "Accept-Encoding: zstd"),
        (ASK, "X-Forwarded-For: 192.0.2.7", "X-Forwarded-Host: other.example"),
        ("/sparql",),
        ("/sparql", "Accept: text/html"),
        ("/sparql?query=ASK%20%7B",),
        ("/sparql?query=%FF",),
        ("/sparql?update=CLEAR%20ALL",),
        ("/sparql?unknown=1",),
        (FAILING,),
        ("/queries/disagreements.csv",),
        ("/queries/members-on.json",),
        ("/queries/members-on.json?alliance=a&alliance=b",),
        ("/queries/nothing.json",),
        ("/queries/disagreements.pdf",),
    ],
    ids=" ".join,
)
def test_an_answer_is_the_same_on_the_lane_and_off_it(app, client, behind, asked):
    one, other = got(client, *asked), got(client, *asked)
    own = {"Date", "Server-Timing", "X-Request-Id"}
    assert one[0] == other[0]
    numbers = {each[1]["X-Request-Id"] for each in (one, other)}
    assert len(numbers) == 2
    told = [re.sub("|".join(numbers), "…", each[2].decode("latin-1")) for each in (one, other)]
    assert told[0] == told[1]
    assert set(one[1]) == set(other[1])
    assert {name: one[1][name] for name in set(one[1]) - own} == {name: other[1][name] for name in set(one[1]) - own}
    eventually(lambda: running(app) == 0)


def test_who_has_the_answer_is_told_so_on_the_lane(client, behind):
    tag = got(client)[1]["ETag"]
    both = [got(client, ASK, f"If-None-Match: {tag}") for _ in range(2)]
    assert [(status, told["ETag"], body) for status, told, body in both] == [(304, tag, b"")] * 2


@pytest.mark.parametrize(
    "request_",
    [
        sent(ASK, method="HEAD"),
        sent(ASK, "X-New: 1"),
        sent(ASK, "Connection: close"),
        sent(ASK, version="1.0"),
        sent("http://localhost" + ASK),
        sent("/%73parql?query=ASK%20%7B%7D"),
        sent("//sparql?query=ASK%20%7B%7D"),
        sent(ASK + "#fragment"),
        b"\r\n" + sent(ASK),
        sent(ASK).replace(b"GET ", b"GET  "),
        sent("/sparql?query=" + "ASK%20%7B%7D" + "%20" * 3000),
    ],
    ids=lambda request_: request_[:40].decode(),
)
def test_whatever_is_not_plainly_such_a_request_takes_a_thread(client, behind, request_):
    client.sendall(request_)
    with suppress(AssertionError):
        received(client, "HEAD" if request_.startswith(b"HEAD") else "GET")
    assert LOOP not in {each for _, each in behind.asked}


def test_what_posts_a_body_takes_a_thread(client, behind):
    content = b"ASK {}"
    client.sendall(
        sent("/sparql", "Content-Type: application/sparql-query", f"Content-Length: {len(content)}", method="POST")
        + content
    )
    assert received(client)[0] == 200
    assert {each for _, each in behind.asked} == {"thread"}


_NAME = st.text("abcdefghijklmnopqrstuvwxyz-_", min_size=1, max_size=12).filter(
    lambda name: name not in ("connection", "content-length", "transfer-encoding", "expect", "host", "upgrade")
)
_VALUE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20)


@pytest.fixture(scope="module")
def environments():
    """A server that notes the environment of each request: those from a thread, and those from the lane."""
    seen = {"thread": [], LOOP: []}

    def note(environ):
        seen[where()].append({name: value for name, value in environ.items() if not name.startswith("foedus.")})

    class Noting:
        async def reply(self, environ):
            note(environ)
            return Reply(200, [("Content-Length", "0")])

    def app(environ, start_response):
        note(environ)
        start_response("200 OK", [("Content-Length", "0")])
        return []

    lane = Lane(Noting(), Behind(), Kept(0), Register(Metrics()))
    with serving(app, threads=2, shortcut=lane) as (port, _), connected(port) as client:
        yield client, seen


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(_NAME, _VALUE), max_size=6), st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E)))
def test_the_lane_reads_a_request_as_waitress_does(environments, headers, query):
    client, seen = environments
    query = query.replace("#", "")
    for each in seen.values():
        each.clear()
    asked = sent(f"/sparql?{query}", *(f"{name}: {value}" for name, value in headers))
    # An empty line before it, and it is no plain request.
    client.sendall(b"\r\n" + asked)
    assert received(client)[0] == 200
    client.sendall(asked)
    assert received(client)[0] == 200
    own = {"wsgi.input", "waitress.client_disconnected"}
    lane, thread = ({k: v for k, v in each[0].items() if k not in own} for each in (seen[LOOP], seen["thread"]))
    assert lane == thread


# ── no request ends the loop ──


@pytest.mark.parametrize("address", ["http://[", "http://[::1/sparql", "http://a]b/", "//[", "http://[x]/"])
@pytest.mark.parametrize(
    "before", [SLOW, "/robots.txt", None], ids=["behind one on the lane", "behind a page", "alone"]
)
def test_an_address_that_is_none_harms_its_client_alone(port, client, behind, before, address):
    if before:
        client.sendall(sent(before))
    if before == SLOW:
        eventually(lambda: behind.asked)
    client.sendall(f"GET {address} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    behind.go.happen()
    with suppress(OSError):
        while client.recv(1 << 16):
            client.shutdown(socket.SHUT_WR)
    with connected(port) as other:
        assert got(other)[0] == 200


@pytest.mark.parametrize("place", ["end_task", "put_off"])
def test_a_fault_within_the_loop_harms_its_client_alone(app, port, client, behind, monkeypatch, caplog, place):
    def faulty(*_):
        raise ZeroDivisionError("secret")

    owner = Connection if place == "end_task" else Loop
    with monkeypatch.context() as patched:
        patched.setattr(owner, place, faulty)
        client.sendall(sent(SLOW if place == "put_off" else ASK))
        assert client.recv(1) == b""
    with connected(port) as other:
        assert got(other)[0] == 200
    assert "secret" in caplog.text


def test_a_journal_that_cannot_be_written_keeps_nobody_waiting(behind):
    """A pipe that nobody reads is full at some time; whoever reads it again is told how many lines there are not."""
    reading, writing = os.pipe()
    with suppress(BrokenPipeError), os.fdopen(writing, "w") as stream:
        app = create_app(behind, Settings(journal=Journal(stream)))
        with serving(app, threads=2, shortcut=lane_of(app)) as (port, _), connected(port) as client:
            for _ in range(600):
                assert got(client)[0] == 200
            taken = os.read(reading, 1 << 20)
            assert taken.count(b"\n") < 600
            assert got(client)[0] == 200
            told = json.loads(os.read(reading, 1 << 20).splitlines()[-1])
            assert told["lost"] == 600 - taken.count(b"\n")
            os.close(reading)
            for _ in range(3):
                assert got(client)[0] == 200


def test_nothing_has_happened_to_who_gets_the_number_of_another():
    """A worker's socket is closed while others are attended to, and a new connection gets its number."""

    class File:
        accepting = False

        def __init__(self, end, does=lambda: None):
            self.end, self._fileno, self.does = end, end.fileno(), does

        def readable(self):
            return True

        def writable(self):
            return False

        def handle_read_event(self):
            self.end.recv(1)
            self.does()

    class Task:
        carried = 0

        def step(self):
            Task.carried += 1

    files = {}
    loop = Loop(files, lambda: None)
    (a, b), (worker, other) = socket.socketpair(), socket.socketpair()
    late, task = [], Task()

    def close_worker():
        loop.carry_on(task)
        worker.close()
        late.extend(socket.socketpair())
        stranger = File(late[0], lambda: pytest.fail("nothing was sent to it"))
        assert stranger._fileno == number
        files[number] = stranger
        loop.stir(stranger)

    number = worker.fileno()
    first = files[a.fileno()] = File(a, close_worker)
    loop.stir(first)
    loop.turn(0)
    loop.put_off(task, Wait(number, time.monotonic() + 20))
    for each in (b, other):
        each.send(b"x")
    loop.turn(0)
    loop.turn(0)
    assert Task.carried == 1
    loop.close()
    for each in (a, b, other, *late):
        each.close()


# ── the loop waits for nobody ──


def test_while_one_waits_the_others_are_answered(port, client, behind):
    client.sendall(sent(SLOW))
    eventually(lambda: ("slow", LOOP) in behind.asked)
    with connected(port) as other:
        assert got(other)[0] == 200
    behind.go.happen()
    assert received(client)[0] == 200


def test_those_who_wait_hold_no_thread(app, behind):
    """Fifty wait, and there is one thread, which is free."""
    with serving(app, threads=1, shortcut=lane_of(app)) as (port, _), connected(port) as client:
        got(client)
        many = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(50)]
        for each in many:
            each.sendall(sent(SLOW))
        eventually(lambda: Counter(behind.asked)["slow", LOOP] == 50)
        assert got(client, "/robots.txt")[0] == 200
        behind.go.happen()
        for each in many:
            assert received(each)[0] == 200
            each.close()


def test_what_takes_long_by_itself_goes_on_in_a_thread(app, behind):
    class Counting(Behind):
        async def asking(self, request, cancelled=None):
            before = where()
            await ELSEWHERE
            self.asked.append((before, where()))
            return await super().asking(request, cancelled)

    app = create_app(behind := Counting())
    with serving(app, threads=2, shortcut=lane_of(app)) as (port, _), connected(port) as client:
        assert [got(client)[0] for _ in range(2)] == [200, 200]
    assert (LOOP, "thread") in behind.asked


def test_a_client_that_leaves_is_noticed_at_once(app, client, behind):
    client.sendall(sent(SLOW))
    eventually(lambda: behind.asked)
    client.close()
    eventually(lambda: behind.left.happened)
    eventually(lambda: running(app) == 0)


def test_a_client_that_leaves_behind_much_more_is_noticed_too(client, behind):
    client.sendall(sent(SLOW))
    eventually(lambda: behind.asked)
    client.sendall(sent() * 2000)
    client.close()
    eventually(lambda: behind.left.happened)


def test_requests_behind_one_another_are_answered_in_order(client, behind):
    client.sendall(sent(SLOW))
    eventually(lambda: behind.asked)
    client.sendall(sent("/robots.txt") + sent(ASK + "&format=csv"))
    time.sleep(0.05)
    assert len(behind.asked) == 1
    behind.go.happen()
    content = b""
    while content.count(b"HTTP/1.1 200 OK") < 3:
        piece = client.recv(1 << 16)
        assert piece
        content += piece
    _, first, second, third = content.split(b"HTTP/1.1 200 OK")
    assert b"boolean" in first
    assert b"text/plain" in second
    assert b"boolean" in third


def test_what_fails_is_asked_once_and_told_by_the_app(app, client, behind):
    status, _, body = got(client, FAILING)
    assert status == 504
    assert b"It takes too long." in body
    assert behind.asked == [("failing", LOOP)]
    counted = app.test_client().get("/metrics").text
    assert 'foedus_queries_total{outcome="query-too-slow"} 1' in counted
    assert 'foedus_requests_total{route="sparql",method="GET",status="504"} 1' in counted


def test_the_same_query_of_two_is_asked_once(behind):
    """Also where one of them asks on the lane, and the other in a thread."""
    app = create_app(Cache(behind, MIB))
    with serving(app, threads=4, shortcut=lane_of(app)) as (port, _), connected(port) as one, connected(port) as other:
        got(one)
        one.sendall(sent(SLOW))
        eventually(lambda: ("slow", LOOP) in behind.asked)
        other.sendall(sent(SLOW, "X-Other: 1"))
        time.sleep(0.05)
        behind.go.happen()
        assert received(one)[2] == received(other)[2]
    assert Counter(name for name, _ in behind.asked)["slow"] == 1


def test_at_the_end_those_who_wait_are_answered(app, behind):
    with serving(app, threads=2, shortcut=lane_of(app)) as (port, server), connected(port) as client:
        got(client)
        client.sendall(sent(SLOW))
        eventually(lambda: ("slow", LOOP) in behind.asked)
        server.draining = True
        behind.go.happen()
        status, told, _ = received(client)
        assert (status, told["Connection"]) == (200, "close")
        assert client.recv(1) == b""


def test_a_fault_of_ours_on_the_lane_is_told_without_its_insides(app, client, behind, monkeypatch, caplog):
    async def faulty(request, cancelled=None):
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(behind, "asking", faulty)
    status, _, body = got(client)
    assert status == 500
    assert b"secret" not in body
    assert "secret" in caplog.text
