"""Another SPARQL endpoint behind our limits and errors: our own server, and listeners that misbehave."""

import re
import socket
import threading
import time
from contextlib import contextmanager, suppress

import pytest
from waitress.server import create_server

from foedus.errors import AnswerTooLarge, BadQuery, Busy, Cancelled, EngineFailed, QueryTooSlow, WrongUsage
from foedus.query.engine import Engine
from foedus.query.limits import Limits
from foedus.query.pool import Request

ALLIANCES = "SELECT ?a WHERE { ?a a foedus:Alliance } ORDER BY ?a"


@pytest.fixture(scope="module")
def address(app):
    """A running server of ours, as the other engine."""
    server = create_server(app, host="127.0.0.1", port=0, threads=4)
    thread = threading.Thread(target=server.run)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}/sparql"
    # Closing is the dispatcher's own work: asked for from here, it would pull the sockets from under it.
    server.trigger.pull_trigger(server.close)
    thread.join()


def read_request(line: socket.socket) -> None:
    """Read one whole request: a line closed over unread bytes would be reset, and what was sent on it lost."""
    received = b""
    while piece := line.recv(1 << 16):
        received += piece
        head, _, body = received.partition(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        if length and len(body) >= int(length[1]):
            return


@contextmanager
def listener(reply: bytes | None):
    """An address whose server reads one request and says *reply*, or nothing at all and keeps the line open."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        open_lines = []

        def serve():
            while True:
                try:
                    line, _ = listening.accept()
                except OSError:
                    return
                open_lines.append(line)
                read_request(line)
                if reply is not None:
                    # Who asked may have had enough of it.
                    with suppress(ConnectionError):
                        line.sendall(reply)
                    line.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/sparql"
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()
            for line in open_lines:
                line.close()


def eventually(holds, seconds=30.0):
    """Wait until *holds*, failing after *seconds*."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.01)


def answer(head: str, body: str) -> bytes:
    return f"HTTP/1.1 {head}\r\nContent-Length: {len(body.encode())}\r\n\r\n{body}".encode()


def unopened(url: str, **limits) -> Engine:
    return Engine(url, Limits(workers=1, **limits))


def test_it_answers_what_the_pool_answers(address, pool):
    """Rows, truth values and triples come back in the same formats with the same content."""
    with Engine(address, Limits(workers=2)) as engine:
        for text in (ALLIANCES, "ASK { id:csto a foedus:Alliance }", "CONSTRUCT WHERE { id:csto a ?o }"):
            for form in (None, "nt" if text.startswith("CONSTRUCT") else "csv"):
                theirs, ours = engine.ask(Request(text, form=form)), pool.ask(Request(text, form=form))
                assert (theirs.body, theirs.media_type, theirs.kind) == (ours.body, ours.media_type, ours.kind)


def test_it_knows_the_as_of_date_of_what_it_asks(address, pool):
    """The dataset's day comes from the other engine's data."""
    with Engine(address, Limits(workers=1)) as engine:
        assert engine.dataset.as_of == pool.dataset.as_of


def test_graphs_are_passed_on(address):
    """The protocol's graphs select among the other engine's."""
    with Engine(address, Limits(workers=1)) as engine:
        request = Request(ALLIANCES, form="csv", default_graphs=("https://w3id.org/foedus/graph/links",))
        assert engine.ask(request).body.split() == [b"a"]


def test_a_malformed_query_is_the_askers_fault(address):
    with Engine(address, Limits(workers=1)) as engine, pytest.raises(BadQuery, match="refused"):
        engine.ask(Request("SELECT ?a WHERE { ?a ?b }"))


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (answer("500 Internal Server Error", "boom"), "boom"),
        (answer("200 OK\r\nContent-Type: text/html", "<p>Welcome"), "text/html"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/sparql-results+json\r\nContent-Length: 900\r\n\r\n{",
            "not answer",
        ),
        (b"SSH-2.0-OpenSSH\r\n", "not answer"),
        (answer("302 Found\r\nLocation: http://127.0.0.1:1/", ""), "302"),
    ],
    ids=["error", "web page", "cut short", "another protocol", "redirect"],
)
def test_what_is_no_whole_answer_is_refused(reply, words):
    """A page, a redirect, an error and an answer that is cut short are never passed on as answers."""
    with listener(reply) as url:
        engine = unopened(url)
        with pytest.raises(EngineFailed, match=words):
            engine.ask(Request("ASK {}"))
        engine.close()


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("400 Bad Request", BadQuery),
        ("408 Request Timeout", QueryTooSlow),
        ("429 Too Many Requests", Busy),
        ("503 Service Unavailable", Busy),
        ("504 Gateway Timeout", QueryTooSlow),
    ],
)
def test_why_an_engine_gives_no_answer_is_passed_on(status, error):
    """Whose fault it is, and whether to come again, is the same for who asks us as for us."""
    with listener(answer(status, "words of its own")) as url:
        engine = unopened(url)
        with pytest.raises(error):
            engine.ask(Request("ASK {}"))
        engine.close()


def test_nobody_there():
    with socket.create_server(("127.0.0.1", 0)) as gone:
        url = f"http://127.0.0.1:{gone.getsockname()[1]}/sparql"
    with pytest.raises(EngineFailed, match="not answer"), unopened(url):
        pass


def test_silence_ends_with_the_time_limit():
    with listener(None) as url:
        engine = unopened(url, time_limit=0.3)
        with pytest.raises(QueryTooSlow):
            engine.ask(Request("ASK {}"))
        engine.close()


def test_silence_is_too_slow_whoever_notices_it_first():
    """The line's own deadline may come before that of the asker, who is held up here until it has."""
    with listener(None) as url:
        engine = unopened(url, time_limit=0.3)

        def held_up() -> bool:
            eventually(lambda: engine._gate.idle)
            return False

        with pytest.raises(QueryTooSlow):
            engine.ask(Request("ASK {}"), cancelled=held_up)
        engine.close()


def test_an_asker_that_leaves_frees_the_place():
    """The only place is free again, twice, although the query that held it never ends."""
    with listener(None) as url:
        engine = unopened(url)
        for _ in range(2):
            with pytest.raises(Cancelled):
                engine.ask(Request("ASK {}"), cancelled=lambda: True)
            eventually(lambda: engine._gate.idle)
        engine.close()


def test_an_endless_answer_is_cut_off():
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/sparql-results+json\r\nContent-Length: 3000000\r\n\r\n"
    with listener(head + b" " * 3_000_000) as url:
        engine = unopened(url, answer=1 << 20)
        with pytest.raises(AnswerTooLarge):
            engine.ask(Request("ASK {}"))
        engine.close()


@pytest.mark.parametrize(
    "url", ["ftp://a/", "nonsense", "http://", "http://a:port/", "http://me:secret@a/", "file:///etc"]
)
def test_an_address_that_is_none(url):
    with pytest.raises(WrongUsage):
        Engine(url)
