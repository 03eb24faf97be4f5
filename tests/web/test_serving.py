"""The server over real connections: whom it waits for, what it refuses, how it ends; and what it tells of itself."""

import contextlib
import hashlib
import http.client
import io
import json
import os
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from flask import Flask

from foedus.query import waiting
from foedus.query.cache import Cache
from foedus.query.limits import MIB, Limits
from foedus.query.pool import Pool
from foedus.query.waiting import Signal
from foedus.web import Settings, create_app, lane_of
from foedus.web.connections import Connection, Server
from foedus.web.watching import Journal

from . import front

ASK = "/sparql?query=" + quote("ASK { <https://w3id.org/foedus/id/n1> ?p ?o }")
LARGE = "/sparql?format=csv&query=" + quote("SELECT * { ?s ?p ?o . ?t ?q 7 }")
LARGER = "/sparql?format=csv&query=" + quote("SELECT * { ?s ?p ?o . ?t ?q ?u FILTER(?u < 60) }")
ENDLESS = "/sparql?query=" + quote("SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }")
SECONDS_LONG = "/sparql?query=" + quote("SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f FILTER(STR(?a) < STR(?f)) }")


@pytest.fixture(scope="module")
def numbers(tmp_path_factory):
    """The folder of a dataset of 3,000 statements."""
    folder = tmp_path_factory.mktemp("numbers")
    line = '<https://w3id.org/foedus/id/n{0}> <https://w3id.org/foedus/ontology#number> "{0}"^^<{1}> .\n'
    text = "".join(line.format(n, "http://www.w3.org/2001/XMLSchema#integer") for n in range(3_000))
    (folder / "dataset.nq").write_text(text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    manifest = {"foedus": "0.1.0", "asOf": "2026-11-22", "dataset": {"sha256": digest, "quads": 3_000}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture(scope="module")
def one_worker(numbers):
    """A pool in which whoever asks next must wait until the one before is done."""
    with Pool(numbers, Limits(workers=1, time_limit=15, queue_wait=10, answer=100 * MIB)) as running:
        yield running


@pytest.fixture(scope="module")
def app(one_worker):
    return create_app(one_worker)


@pytest.fixture(scope="module")
def port(app):
    with serving(app) as (where, _):
        yield where


def serving(app, **limits):
    """Our server in front of *app*, as ``foedus serve`` has it."""
    return front.serving(app, shortcut=lane_of(app) if isinstance(app, Flask) else None, **limits)


@contextmanager
def connected(port, sent=b""):
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(sent)
        yield client


def request(path, *headers, method="GET"):
    return "\r\n".join((f"{method} {path} HTTP/1.1", "Host: localhost", *headers, "", "")).encode()


def get(port, path, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with contextlib.closing(connection):
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def metric(port, sample):
    """The value of a sample of /metrics."""
    _, _, text = get(port, "/metrics")
    return next((float(line.split()[-1]) for line in text.decode().splitlines() if line.startswith(sample + " ")), 0.0)


def eventually(holds, seconds):
    """Whether *holds* becomes true within *seconds*."""
    until = time.monotonic() + seconds
    while not (held := holds()) and time.monotonic() < until:
        time.sleep(0.02)
    return held


def computes(pool):
    """Whether every worker of *pool* is there and has a query."""
    now = pool.statistics()
    return now.workers == pool.limits.workers and now.idle == 0


def everything(client):
    """What the server sends until it closes the connection."""
    pieces = []
    with contextlib.suppress(ConnectionError):
        while piece := client.recv(1 << 16):
            pieces.append(piece)
    return b"".join(pieces)


# ── clients that leave, read slowly, write slowly, do nothing ──


@pytest.mark.parametrize("fast", [False, True], ids=["in a thread", "on the fast lane"])
@pytest.mark.parametrize("read_ahead", [0, 1, 40], ids=["alone", "one behind it", "many behind it"])
def test_a_client_that_leaves_frees_its_worker_within_a_second(port, one_worker, read_ahead, fast):
    """Also one that has sent more requests, which the server has not read yet.

    One of three must do: a machine that is busy with something else may keep us waiting, but not each time.
    """

    def leave() -> float:
        assert get(port, ASK)[0] == 200
        endless = request(ENDLESS) if fast else request(ENDLESS, f"X-New: {time.monotonic()}")
        if fast:
            with connected(port, request(ASK)) as client:
                client.recv(1)
        with connected(port, endless + read_ahead * request(ASK, "X-Filler: " + 2000 * "x")):
            assert eventually(lambda: computes(one_worker), 30)
            before = one_worker.statistics().killed["left"]
        left = time.monotonic()
        assert eventually(lambda: one_worker.statistics().killed["left"] > before, 10)
        return time.monotonic() - left

    assert any(leave() < 1 for _ in range(3))
    assert get(port, ASK)[0] == 200


def test_slow_readers_hold_no_worker_and_no_thread(app, one_worker):
    """More readers of a large answer than there are threads leave the only worker free."""
    with serving(app, threads=3) as (port, server), contextlib.ExitStack() as held:
        for _ in range(6):
            client = held.enter_context(connected(port))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.sendall(request(LARGER))
            client.recv(1)
        assert sum(each.total_outbufs_len for each in server.active_channels.values()) > MIB
        assert get(port, ASK)[0] == 200
        assert eventually(lambda: one_worker.statistics().idle == 1, 30)


def test_slow_writers_hold_no_worker_and_no_thread(app, one_worker):
    """Requests without their last byte, of head or of body, are many; the next client does not notice."""
    body = request("/sparql", "Content-Type: application/sparql-query", "Content-Length: 9", method="POST") + b"ASK"
    with serving(app, threads=2) as (port, _), contextlib.ExitStack() as held:
        for sent in 20 * [request(ASK)[:-1], body]:
            held.enter_context(connected(port, sent))
        assert get(port, ASK)[0] == 200
        assert eventually(lambda: one_worker.statistics().idle == 1, 30)


@pytest.mark.parametrize("sent", [b"", b"GET /", request(ASK)[:-2]], ids=["nothing", "a word", "nearly all"])
def test_a_client_has_a_limited_time_to_send_a_request(app, sent):
    with serving(app, receive=0.3, silent=0.3) as (port, _), connected(port, sent) as client:
        assert everything(client) == b""


def test_a_byte_now_and_then_buys_no_time(app):
    """The time for a request counts from its first byte."""
    with (
        serving(app, receive=0.5) as (port, _),
        connected(port, b"GET / HTTP/1.1\r\nX: ") as client,
        pytest.raises(ConnectionError),
    ):
        for _ in range(200):
            client.sendall(b"x")
            time.sleep(0.02)


def test_a_reader_that_takes_nothing_is_cut_off(app):
    with serving(app, taking=0.3, slowest=MIB << 10) as (port, server), connected(port) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(request(LARGER))
        client.recv(1)
        assert eventually(lambda: not server.active_channels, 30)


def test_answers_that_nobody_takes_do_not_pile_up(app):
    """Whoever asks for more without taking what it has is cut off, and so is who holds most when all hold much."""
    with serving(app, untaken=MIB) as (port, server), connected(port) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(2 * request(LARGER))
        client.recv(1)
        assert eventually(lambda: not server.active_channels, 30)
    with serving(app, untaken_in_all=4 * MIB) as (port, server), contextlib.ExitStack() as held:
        for _ in range(3):
            client = held.enter_context(connected(port))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.sendall(request(LARGER))
        assert eventually(lambda: len(server.active_channels) < 3, 30)
        assert get(port, ASK)[0] == 200


def slow_until(go):
    """An app that answers with nothing, at once; but /slow when *go* has happened."""

    def answer(environ, start):
        if environ["PATH_INFO"] == "/slow":
            waiting.Wait(go, time.monotonic() + 60).sleep()
        start("200 OK", [("Content-Length", "0")])
        return []

    return answer


def test_a_full_house_makes_room(app):
    """Idle connections of one address give way, the oldest first; nobody is refused."""
    with serving(app, connections=10) as (port, server), contextlib.ExitStack() as held:
        clients = [held.enter_context(connected(port)) for _ in range(40)]
        assert get(port, ASK)[0] == 200
        assert eventually(lambda: len(server.active_channels) <= 10, 30)
        assert everything(clients[0]) == b""
        clients[-1].sendall(request(ASK))
        assert clients[-1].recv(15) == b"HTTP/1.1 200 OK"


def test_a_full_house_of_busy_connections_of_one_address_costs_no_other_its_own():
    """The newest of the many go, though they are busy; a visitor's stay, idle or not."""
    go = Signal()
    with serving(slow_until(go), connections=30, threads=4) as (port, server), contextlib.ExitStack() as held:

        def from_address(address):
            return held.enter_context(socket.create_connection(("127.0.0.1", port), 30, source_address=(address, 0)))

        early, many = from_address("127.0.0.3"), [from_address("127.0.0.2") for _ in range(28)]
        for each in many:
            each.sendall(request("/slow"))
        assert eventually(lambda: sum(bool(each.requests) for each in server.active_channels.values()) == 28, 30)
        visitors = [early, *(from_address("127.0.0.3") for _ in range(5))]
        for each in visitors:
            each.sendall(request("/quick"))
            assert each.recv(15) == b"HTTP/1.1 200 OK"
        assert eventually(lambda: len(server.active_channels) == 30, 30)
        assert eventually(lambda: [each for each in many if everything_now(each) == b""] == many[-4:], 30)
        go.happen()


def test_a_full_house_of_busy_connections_of_many_addresses_takes_newcomers_in():
    """Busy ones of whoever has the most go, and not whoever has only just come."""
    go = Signal()
    with serving(slow_until(go), connections=8, threads=40) as (port, server), contextlib.ExitStack() as held:

        def from_address(last):
            return held.enter_context(
                socket.create_connection(("127.0.0.1", port), 30, source_address=(f"127.0.0.{last}", 0))
            )

        busy = [from_address(last) for last in (2, 2, 3, 3, 4, 4, 5, 5)]
        for each in busy:
            each.sendall(request("/slow"))
        assert eventually(lambda: sum(bool(each.requests) for each in server.active_channels.values()) == 8, 30)
        for last in range(10, 14):
            newcomer = from_address(last)
            assert eventually(lambda: len(server.active_channels) == 8, 30)
            newcomer.sendall(request("/quick"))
            assert newcomer.recv(15) == b"HTTP/1.1 200 OK"
            newcomer.sendall(request("/slow"))
            assert eventually(lambda: all(each.requests for each in server.active_channels.values()), 30)
        left = Counter(each.address for each in server.active_channels.values())
        assert set(left.values()) == {1}
        # From now on nobody has more than the next one would.
        assert from_address(14).recv(1) == b""
        go.happen()


def test_those_who_come_in_numbers_and_ask_nothing_close_none_at_work_behind_their_address():
    go = Signal()
    with serving(slow_until(go), connections=40, threads=40) as (port, server), contextlib.ExitStack() as held:
        busy = [held.enter_context(connected(port, request("/slow"))) for _ in range(10)]
        assert eventually(lambda: sum(bool(each.requests) for each in server.active_channels.values()) == 10, 30)
        silent = [held.enter_context(connected(port)) for _ in range(50)]
        assert eventually(lambda: sum(everything_now(each) == b"" for each in silent) == 20, 30)
        assert [everything_now(each) for each in busy] == [None] * 10
        # Of those that ask nothing, the last to come are given the time.
        assert [everything_now(each) for each in silent[-16:]] == [None] * 16
        go.happen()


def test_of_equals_in_a_full_house_the_one_that_is_silent_longest_goes(app):
    with serving(app, connections=6) as (port, server), contextlib.ExitStack() as held:
        clients = []
        for last in range(2, 12):
            clients.append(
                held.enter_context(
                    socket.create_connection(("127.0.0.1", port), 30, source_address=(f"127.0.0.{last}", 0))
                )
            )
            clients[-1].sendall(request(ASK))
            assert clients[-1].recv(1 << 16).startswith(b"HTTP/1.1 200 OK")
            assert eventually(lambda: len(server.active_channels) == min(6, len(clients)), 30)
        assert eventually(lambda: [everything_now(each) for each in clients] == [b""] * 4 + [None] * 6, 30)


def test_only_the_loop_closes_connections(monkeypatch):
    """Not a thread that tells a client to go on which has left just now."""
    closers, clients = Counter(), []
    close, tell = Connection.handle_close, Connection.send_continue

    def tell_who_leaves(connection):
        clients.pop().close()
        tell(connection)

    def note(connection):
        closers[threading.current_thread().name.startswith("foedus-")] += 1
        close(connection)

    monkeypatch.setattr(Connection, "handle_close", note)
    monkeypatch.setattr(Connection, "send_continue", tell_who_leaves)

    with serving(slow_until(Signal())) as (port, server):
        for _ in range(50):
            clients.append(socket.create_connection(("127.0.0.1", port), 20))
            # What is closed so is reset, and nothing can be sent to it.
            clients[-1].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            clients[-1].sendall(request("/") + request("/", "Expect: 100-continue", "Content-Length: 5", method="POST"))
            assert eventually(lambda: not clients and not server.active_channels, 30)
    assert set(closers) == {False}


@pytest.mark.parametrize(("method", "length", "status"), [("GET", "", 200), ("POST", "Content-Length: 0\r\n", 415)])
def test_who_has_sent_all_is_not_told_to_go_on(app, method, length, status):
    with serving(app) as (port, _), connected(port) as client:
        client.sendall(f"{method} {ASK} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n{length}\r\n".encode())
        assert client.recv(13) == b"HTTP/1.1 %d " % status


def test_what_is_refused_is_not_asked_for(app):
    for head in ("Content-Length: 99999999", "Content-Length: 5\r\nTransfer-Encoding: chunked"):
        with serving(app) as (port, _), connected(port) as client:
            client.sendall(f"POST {ASK} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n{head}\r\n\r\n".encode())
            assert client.recv(10) == b"HTTP/1.1 4"


def everything_now(client):
    """What there is to be read; None where there is nothing yet, and the connection is open."""
    client.setblocking(False)
    try:
        return client.recv(1 << 16)
    except BlockingIOError:
        return None
    except ConnectionError:
        return b""


@contextmanager
def no_file_left():
    """This process can open no further file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with Path(os.devnull).open() as probe:
        lowest = probe.fileno()
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_without_a_file_left_an_idle_client_makes_room_and_the_server_rests_meanwhile(app, monkeypatch):
    tried = []
    accept = Server.accept
    monkeypatch.setattr(Server, "accept", lambda server: tried.append(server) or accept(server))
    with serving(app, look=0.3) as (port, server), connected(port) as idle, socket.socket() as late:
        # The second time finds nobody.
        assert eventually(lambda: len(tried) == 2 and len(server.active_channels) == 1, 30)
        tried.clear()
        with no_file_left():
            late.connect(("127.0.0.1", port))
            late.sendall(request(ASK))
            assert late.recv(15) == b"HTTP/1.1 200 OK"
            assert everything(idle) == b""
        # Once in vain, and at the next look, for this one and whoever else may have come.
        assert len(tried) == 3


def test_without_a_file_left_and_nobody_idle_the_next_client_waits(app, monkeypatch):
    tried = []
    accept = Server.accept
    monkeypatch.setattr(Server, "accept", lambda server: tried.append(server) or accept(server))
    with serving(app, look=0.1) as (port, _), socket.socket() as late:
        with no_file_left():
            late.connect(("127.0.0.1", port))
            late.sendall(request(ASK))
            assert eventually(lambda: len(tried) >= 4, 30)
        assert late.recv(15) == b"HTTP/1.1 200 OK"
        # At each look, and not thousands of times between two.
        assert len(tried) <= 40


@pytest.mark.parametrize("at_once", [1, 2, 5])
def test_a_request_is_noticed_though_the_server_looks_once_a_minute(at_once):
    """However the end of an answer and the loop's next turn coincide: the loop never sleeps on a connection unwatched.

    The client waits less than the loop would sleep, so a single request overlooked fails.
    """

    def empty(_, start):
        start("200 OK", [("Content-Length", "0")])
        # The loop looks at the connection while its answer is on its way out.
        server.wake()
        return []

    with serving(empty, threads=4, look=60) as (port, server), connected(port) as client:
        for _ in range(1_000):
            client.sendall(at_once * request("/"))
            answered = b""
            while answered.count(b"\r\n\r\n") < at_once:
                answered += (piece := client.recv(1 << 16))
                assert piece
            assert answered.count(b"HTTP/1.1 200 OK") == at_once


# ── HTTP, proper and hostile ──


def test_a_connection_is_kept_open(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    with contextlib.closing(connection):
        for _ in range(3):
            connection.request("GET", ASK)
            answer = connection.getresponse()
            assert (answer.status, json.loads(answer.read())["boolean"]) == (200, True)
            used = connection.sock
            assert used is not None
        connection.request("GET", ASK)
        assert connection.sock is used
        connection.getresponse().read()


def test_pipelined_requests_are_answered_in_order(port):
    """Requests sent at once get their answers one after the other, errors among them."""
    paths = [ASK, "/nowhere", ASK, "/health", LARGE, "/nowhere", ASK]
    sent = b"".join(map(request, paths)) + request(ASK, "Connection: close")
    with connected(port, sent) as client:
        statuses = re.findall(rb"HTTP/1\.1 (\d+) ", everything(client))
    assert [int(each) for each in statuses] == [200, 404, 200, 200, 200, 404, 200, 200]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (request("/", "X: " + 70_000 * "x"), 431),
        (request("/" + 70_000 * "x"), 431),
        (request("/", *(f"X-{n}: {n}" for n in range(9_000))), 431),
        (request(ASK, "Content-Length: 5", "Transfer-Encoding: chunked") + b"0\r\n\r\n", 400),
        (request("/sparql", "Content-Length: 5", "Content-Length: 6", method="POST") + b"ASK{}", 400),
        (request("/sparql", "Content-Length: +5", method="POST") + b"ASK{}", 400),
        (request("/sparql", "Content-Length: -5", method="POST"), 400),
        (request("/sparql", "Transfer-Encoding: gzip, chunked", method="POST"), 501),
        (request("/sparql", "Transfer-Encoding: xchunked", method="POST"), 501),
        (b"POST /sparql HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (request("/", "Host: elsewhere"), 400),
        (request("/sparql", "Transfer-Encoding : chunked", method="POST") + b"0\r\n\r\n", 400),
        (request("/sparql", "Transfer-Encoding: chunked", method="POST") + b"zz\r\nASK\r\n0\r\n\r\n", 400),
        (request("/sparql", "Transfer-Encoding: chunked", method="POST") + 4_000 * b"1\r\n#\r\n", 400),
        (b"GET / HTTP/1.1\nHost: a\nX: 1\n\n", 400),
        (b"GET / HTTP/1.1\r\n X: 1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX\x00Y: 1\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (request("/sparql", "Content-Length: 999999999", method="POST"), 413),
    ],
    ids=str,
)
def test_hostile_requests_are_refused(port, sent, status):
    """With their status, and the connection is closed: nothing after them is taken for a request."""
    with connected(port) as client:
        with contextlib.suppress(ConnectionError):
            client.sendall(sent + request("/health"))
        answered = everything(client)
    if answered:
        assert int(answered.split()[1]) == status
        assert len(re.findall(rb"HTTP/1\.[01] \d{3} ", answered)) == 1
    assert get(port, ASK)[0] == 200


# ── the end ──


@contextmanager
def process(numbers, *words):
    """``foedus serve`` over the numbers, its port, and the lines of its stderr, which it ends with."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "foedus", "serve", "--port", "0", "--data", numbers / "dataset.nq", *words]
    with subprocess.Popen([*map(str, command)], stderr=subprocess.PIPE, env=environment, text=True) as running:
        try:
            assert running.stderr is not None
            first = running.stderr.readline()
            yield running, int(re.search(r":(\d+)/", first)[1])
        finally:
            running.kill()


def test_a_request_under_way_is_finished_before_the_end(numbers):
    """SIGTERM: nobody else is let in, the answer under way arrives whole, and no process stays."""
    with process(numbers, "--workers", "1", "--time-limit", "120") as (running, port), contextlib.ExitStack() as held:
        client = held.enter_context(connected(port, request(SECONDS_LONG)))
        another = held.enter_context(connected(port, request("/metrics")))
        assert another.recv(15) == b"HTTP/1.1 200 OK"
        assert eventually(lambda: metric(port, 'foedus_workers{state="idle"}') == 0, 30)
        children = subprocess.run(["pgrep", "-P", str(running.pid)], capture_output=True, text=True).stdout.split()
        assert children
        running.send_signal(signal.SIGTERM)
        everything(another)
        assert eventually(lambda: _refused(port), 30)
        answered = everything(client)
        assert running.wait(120) == 0
        assert not any(Path(f"/proc/{child}").exists() for child in children)
    head, _, body = answered.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert b"Connection: close" in head
    assert json.loads(body)["results"]["bindings"]


def _refused(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except (ConnectionRefusedError, ConnectionResetError):
        # Reset: it closed while it was being asked.
        return True
    return False


@pytest.mark.parametrize(
    ("signals", "code"), [([signal.SIGTERM, signal.SIGTERM], 0), ([signal.SIGINT], 130), ([signal.SIGTERM, 2], 130)]
)
def test_who_insists_need_not_wait(numbers, signals, code):
    """A second SIGTERM, or Ctrl-C, ends the server though a query of a minute runs."""
    with process(numbers, "--time-limit", "60") as (running, port), connected(port, request(ENDLESS)):
        assert eventually(lambda: metric(port, 'foedus_workers{state="idle"}') < metric(port, WORKERS), 30)
        for each in signals:
            running.send_signal(each)
            # Two signals of a kind that come before the first was seen are one.
            assert eventually(lambda: _refused(port), 30)
        assert running.wait(30) == code


WORKERS = 'foedus_workers{state="alive"}'


# ── what the server tells of itself ──


def test_metrics_have_the_form_that_prometheus_reads(app):
    """Each family has its type before its samples, and no sample comes twice."""
    web = app.test_client()
    web.get(ASK)
    answer = web.get("/metrics")
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert "no-store" in answer.headers["Cache-Control"]
    kinds, samples = {}, set()
    for line in answer.text.splitlines():
        if kind := re.fullmatch(r"# TYPE (\w+) (counter|gauge|histogram)", line):
            kinds[kind[1]] = kind[2]
        elif not line.startswith("# HELP "):
            sample = re.fullmatch(r'(\w+)(\{\w+="[^"\\]*"(?:,\w+="[^"\\]*")*\})? ([0-9.e+-]+)', line)
            assert sample, line
            family = re.sub(r"_(bucket|sum|count)$", "", sample[1])
            assert sample[1] in kinds or kinds[family] == "histogram"
            assert (sample[1], sample[2]) not in samples
            samples.add((sample[1], sample[2]))
    assert {"counter", "gauge", "histogram"} == set(kinds.values())


def test_requests_are_counted_by_route_method_and_status(one_worker):
    web = create_app(one_worker).test_client()
    for path in (ASK, ASK, "/sparql?query=ASK", "/nowhere", "/page/none", "/health"):
        web.get(path)
    size = len(web.post("/sparql", data={"query": "ASK {}"}).data)
    text = web.get("/metrics").text
    assert 'foedus_requests_total{route="sparql",method="GET",status="200"} 2\n' in text
    assert 'foedus_requests_total{route="sparql",method="GET",status="400"} 1\n' in text
    assert 'foedus_requests_total{route="sparql",method="POST",status="200"} 1\n' in text
    assert 'foedus_requests_total{route="other",method="GET",status="404"} 1\n' in text
    assert 'foedus_request_seconds_count{route="sparql"} 4\n' in text
    assert 'foedus_request_seconds_bucket{route="sparql",le="+Inf"} 4\n' in text
    assert 'foedus_queries_total{outcome="bad-query"} 1\n' in text
    assert int(re.search(r'foedus_response_bytes_total\{route="sparql"\} (\d+)', text)[1]) > 3 * size
    assert "foedus_requests_running 1\n" in text


def test_the_histogram_counts_every_request_once(one_worker):
    web = create_app(one_worker).test_client()
    for _ in range(7):
        web.get(ASK)
    counts = [int(n) for n in re.findall(r'_bucket\{route="sparql",le="[^"]+"\} (\d+)', web.get("/metrics").text)]
    assert counts == sorted(counts)
    assert counts[-1] == 7


def test_metrics_say_where_the_pool_stands(numbers):
    """Workers, queue, the version of the dataset, and what was killed why."""
    with Pool(numbers, Limits(workers=1, time_limit=0.3, queue_wait=5)) as pool:
        web = create_app(pool).test_client()
        assert web.get(ENDLESS).status_code == 504
        assert eventually(lambda: pool.statistics().idle == 1, 30)
        text = web.get("/metrics").text
    assert 'foedus_workers_killed_total{reason="time"} 1\n' in text
    assert 'foedus_workers{state="alive"} 1\n' in text
    assert 'foedus_workers{state="idle"} 1\n' in text
    assert "foedus_queue_length 0\n" in text
    assert 'foedus_queries_total{outcome="query-too-slow"} 1\n' in text
    assert f'foedus_dataset_info{{sha256="{pool_version(numbers)}",as_of="2026-11-22"}} 1\n' in text
    assert "foedus_dataset_quads 3000\n" in text


def test_metrics_count_what_the_cache_gave(one_worker):
    """A hit asks no worker, and both are told apart."""
    web = create_app(Cache(one_worker, MIB)).test_client()
    for _ in range(3):
        web.get(ASK)
    text = web.get("/metrics").text
    assert 'foedus_cache_queries_total{event="hit"} 2\n' in text
    assert 'foedus_cache_queries_total{event="miss"} 1\n' in text
    assert "foedus_cache_answers 1\n" in text
    assert f"foedus_cache_size_bytes {MIB}\n" in text
    assert 'foedus_workers{state="alive"} 1\n' in text


def test_metrics_count_rows_and_triples(one_worker):
    """By kind, also where the answer was kept; an ASK's is one row."""
    web = create_app(Cache(one_worker, MIB)).test_client()
    rows = "SELECT * { ?s ?p ?o FILTER(?o < 10) }"
    for query in (rows, rows, "CONSTRUCT WHERE { ?s ?p 7 }", "ASK {}", "SELECT * { ?s ?p -1 }"):
        assert web.get("/sparql", query_string={"query": query}).status_code == 200
    text = web.get("/metrics").text
    assert 'foedus_rows_total{kind="select"} 20\n' in text
    assert 'foedus_rows_total{kind="graph"} 1\n' in text
    assert 'foedus_rows_total{kind="ask"} 1\n' in text


def pool_version(folder):
    return json.loads((folder / "manifest.json").read_text())["dataset"]["sha256"]


def test_addresses_make_no_new_series(app):
    """However many addresses are made up, they are one route; and none of them is told."""
    web = app.test_client()
    for n in range(50):
        web.get(f"/made-up-{n}?secret={n}")
        web.open(ASK, method=f"M{n}")
    text = web.get("/metrics").text
    assert "made-up" not in text and "secret" not in text and "M1" not in text
    assert "127.0.0.1" not in text


def test_health_is_ready_only_when_a_worker_answers(numbers):
    """Not while all are busy with others' queries, and again when one is free."""
    left = threading.Event()
    with Pool(numbers, Limits(workers=1, time_limit=120, queue_wait=0.2)) as pool:
        web = create_app(pool).test_client()
        assert web.get("/health").json["status"] == "ok"
        asker = {"waitress.client_disconnected": left.is_set}
        busy = threading.Thread(target=lambda: create_app(pool).test_client().get(ENDLESS, environ_base=asker))
        busy.start()
        assert eventually(lambda: computes(pool), 30)
        answer = web.get("/health")
        assert (answer.status_code, answer.json["status"]) == (503, "unavailable")
        assert int(answer.headers["Retry-After"]) > 0
        left.set()
        busy.join()
        assert eventually(lambda: web.get("/health").status_code == 200, 30)


def test_health_outlives_its_processes(numbers):
    """503 while all of them are gone, 200 when they have been started again."""
    with Pool(numbers, Limits(workers=2, queue_wait=0.2)) as pool:
        web = create_app(pool).test_client()
        pool._parent.kill()
        pool._parent.wait()
        assert web.get("/metrics").status_code == 200
        assert eventually(lambda: web.get("/health").status_code == 200, 30)
        assert "foedus_pool_restarts_total 1\n" in web.get("/metrics").text


# ── the journal ──


def journal_of(pool, paths, **options):
    """What is written down while *paths* are asked for."""
    stream = io.StringIO()
    web = create_app(pool, Settings(journal=Journal(stream, **options))).test_client()
    answers = [web.get(path) for path in paths]
    return [json.loads(line) for line in stream.getvalue().splitlines()], answers


def test_many_threads_write_one_journal(tmp_path):
    file = tmp_path / "log"
    with file.open("w") as stream, ThreadPoolExecutor(8) as threads:
        journal = Journal(stream)
        for done in [threads.submit(journal.write, number=number) for number in range(2000)]:
            done.result()
    assert sorted(json.loads(line)["number"] for line in file.read_text().splitlines()) == list(range(2000))


def test_a_line_for_each_request(one_worker):
    lines, answers = journal_of(one_worker, [ASK, "/sparql?query=ASK", "/page/none?private=1"])
    assert [line["status"] for line in lines] == [200, 400, 404]
    assert [line["route"] for line in lines] == ["sparql", "sparql", "page"]
    assert [line["request"] for line in lines] == [answer.headers["X-Request-Id"] for answer in answers]
    assert len({line["request"] for line in lines}) == 3
    assert lines[0]["bytes"] == len(answers[0].data)
    assert lines[0]["ms"] > 0
    assert {"time", "method"} < set(lines[0])


def test_what_was_asked_stays_private(one_worker):
    """Equal queries have equal hashes; text, address and client are in no line."""
    lines, _ = journal_of(one_worker, [ASK, ASK, "/page/n1?who=127.0.0.1"])
    assert lines[0]["query"] == lines[1]["query"]
    written = json.dumps(lines)
    assert "n1" not in written and "ASK" not in written and "127.0.0.1" not in written


def test_the_text_of_queries_is_written_where_it_is_wanted(one_worker):
    lines, _ = journal_of(one_worker, [ASK], with_queries=True)
    assert lines[0]["text"] == "ASK { <https://w3id.org/foedus/id/n1> ?p ?o }"


def test_serve_writes_its_journal_where_no_terminal_is(numbers):
    """Every line after the first is JSON; with --log off there is none, with --log-queries the text too."""
    for words, texts in (((), [None]), (("--log", "off"), []), (("--log-queries",), ["ASK {}"])):
        with process(numbers, "--workers", "2", *words) as (running, port):
            assert get(port, "/sparql?query=ASK%20%7B%7D")[0] == 200
            running.send_signal(signal.SIGTERM)
            lines = [json.loads(line) for line in running.stderr]
        assert [line.get("text") for line in lines] == texts


def test_a_fault_of_ours_can_be_found_by_its_number(numbers, one_worker):
    """The client's number of the request is in the journal, beside the traceback that the client does not see."""
    program = (
        "import sys; from foedus.web import Settings, create_app; from foedus.web.watching import Journal\n"
        "from foedus.query.pool import Pool; from pathlib import Path\n"
        "journal = Journal(); journal.take_over_logging()\n"
        f"with Pool(Path({str(numbers)!r})) as pool:\n"
        "    app = create_app(pool, Settings(journal=journal))\n"
        "    app.add_url_rule('/broken', view_func=lambda: 1 / 0)\n"
        "    print(app.test_client().get('/broken').headers['X-Request-Id'])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    fault, line = map(json.loads, done.stderr.splitlines())
    assert fault["request"] == line["request"] == done.stdout.strip()
    assert "ZeroDivisionError" in fault["traceback"]
    assert (fault["level"], line["status"]) == ("error", 500)
