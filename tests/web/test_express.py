"""The same request again gets the same answer from memory: only what anybody may keep, and only while it is right."""

import io
import json
import re
import socket
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pytest

from foedus.query.cache import Cache
from foedus.query.dataset import Description
from foedus.query.limits import MIB, Limits
from foedus.query.pool import Answer
from foedus.web import Settings, create_app, headers, lane_of
from foedus.web.desk import networks
from foedus.web.watching import Journal

from .front import serving

ASK = "/sparql?query=ASK%20%7B%7D"


@dataclass(eq=False)
class Behind:
    """An asker that counts what it is asked, and answers everything alike."""

    limits: Limits = field(default_factory=Limits)
    dataset: Description = field(default_factory=lambda: Description("one", 1, "2026-11-22", None))
    size: int = 4000
    asked: int = 0

    async def asking(self, request, cancelled=None):
        self.asked += 1
        return Answer(b"x" * self.size, "application/sparql-results+json", "select", 1.0, rows=3)


@pytest.fixture
def behind():
    return Behind()


@pytest.fixture
def stream():
    return io.StringIO()


@pytest.fixture
def app(behind, stream):
    return create_app(Cache(behind, MIB), Settings(journal=Journal(stream)))


@contextmanager
def connected(app):
    """A connection to our server in front of *app*."""
    with (
        serving(app, threads=4, shortcut=lane_of(app)) as (port, _),
        socket.create_connection(("127.0.0.1", port), timeout=20) as client,
    ):
        yield client


@pytest.fixture
def client(app):
    with connected(app) as connection:
        yield connection


def sent(path=ASK, *more, method="GET", version="1.1"):
    return "\r\n".join((f"{method} {path} HTTP/{version}", "Host: localhost", *more, "", "")).encode()


def more(client):
    """What comes next; fails at the end of the connection."""
    piece = client.recv(1 << 16)
    assert piece, "the server closed the connection"
    return piece


def received(client, method="GET"):
    """Status, headers and body of the next answer."""
    content = b""
    while (end := content.find(b"\r\n\r\n")) < 0:
        content += more(client)
    first, *lines = content[:end].decode().split("\r\n")
    told = dict(line.split(": ", 1) for line in lines)
    status = int(first.split()[1])
    size = 0 if method == "HEAD" or status == 304 else int(told["Content-Length"])
    while len(content) < end + 4 + size:
        content += more(client)
    assert len(content) == end + 4 + size
    return status, told, content[end + 4 :]


def got(client, *given, method="GET"):
    client.sendall(sent(*given, method=method))
    return received(client, method)


def repeated(app):
    """How many requests were answered from memory."""
    text = app.test_client().get("/metrics").text
    return int(text.split("\nfoedus_requests_repeated_total ")[1].split()[0])


def until_repeated(app, client, *given, method="GET"):
    """All answers to the same request, until one came from memory: the thread of the former may still be at work."""
    before = repeated(app)
    answers = []
    while repeated(app) == before:
        assert len(answers) < 1000
        answers.append(got(client, *given, method=method))
    return answers


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("coding", ["identity", "gzip", "zstd"])
def test_in_the_end_nothing_is_made_anew(app, client, method, coding):
    """All is the same but what is of one request only."""
    first, *others = until_repeated(app, client, ASK, f"Accept-Encoding: {coding}", method=method)
    assert len(others) >= 2
    own = {"Date", "Server-Timing", "X-Request-Id"}
    for status, told, body in others:
        assert (status, body) == (first[0], first[2])
        assert set(told) == set(first[1])
        assert {told[name] for name in set(told) - own} == {first[1][name] for name in set(told) - own}
    assert len({each[1]["X-Request-Id"] for each in (first, *others)}) == len(others) + 1


def test_a_client_that_has_the_answer_is_told_so_from_memory(app, client):
    tag = got(client)[1]["ETag"]
    answers = until_repeated(app, client, ASK, f"If-None-Match: {tag}")
    assert {(status, told["ETag"], body) for status, told, body in answers} == {(304, tag, b"")}


def test_another_head_is_another_request(app, client):
    for accept in ("text/csv", "text/tab-separated-values", "application/json"):
        got(client, ASK, f"Accept: {accept}")
    assert repeated(app) == 0


def test_what_a_proxy_says_of_the_address_counts_from_that_proxy_alone(behind):
    """The same bytes, from two addresses in turn: whoever asked first decides nothing for the other."""
    trusted, other = "127.0.0.2", "127.0.0.3"
    app = create_app(Cache(behind, MIB), Settings(proxies=networks([trusted])))
    asked = ("/robots.txt", "X-Forwarded-Host: behind.example", "X-Forwarded-Proto: https")
    with serving(app, threads=4, shortcut=lane_of(app)) as (port, _):
        for each in (other, trusted) * 4:
            with socket.create_connection(("127.0.0.1", port), timeout=20, source_address=(each, 0)) as client:
                told = got(client, *asked)[2]
            assert (b"https://behind.example/sitemap.xml" in told) == (each == trusted)
            assert (b"http://localhost/sitemap.xml" in told) == (each == other)
    assert repeated(app) == 0


def test_behind_a_proxy_what_has_no_address_of_the_server_in_it_is_kept(app, client):
    said = ("X-Forwarded-Host: behind.example", "X-Forwarded-Proto: https")
    assert {each[0] for each in until_repeated(app, client, ASK, *said)} == {200}


def test_what_changes_each_time_is_made_each_time(app, client, behind):
    for _ in range(4):
        assert got(client, "/sparql?query=SELECT%20(NOW()%20AS%20%3Fn)%20%7B%7D")[1]["Cache-Control"] == "no-store"
    assert (repeated(app), behind.asked) == (0, 4)


def test_refusals_are_made_each_time(app, client):
    assert {got(client, "/sparql?query=ASK%20%7B")[0] for _ in range(3)} <= {200, 400}
    assert {got(client, "/nowhere")[0] for _ in range(3)} == {404}
    assert {got(client, ASK, "Accept: image/png")[0] for _ in range(3)} == {406}


def test_no_answer_outlives_its_dataset(app, client, behind):
    before = until_repeated(app, client)[-1]
    behind.dataset = replace(behind.dataset, sha256="two")
    behind.size = 5000
    after = [got(client) for _ in range(3)]
    assert before[1]["ETag"] not in {each[1]["ETag"] for each in after}
    assert {len(each[2]) for each in after} == {5000}


def test_data_that_may_change_are_asked_each_time(app, client, behind):
    until_repeated(app, client)
    behind.dataset = replace(behind.dataset, changes=True)
    asked = behind.asked
    assert [got(client)[1]["Cache-Control"] for _ in range(4)] == ["no-store"] * 4
    assert behind.asked == asked + 4


def test_an_answer_is_kept_no_longer_than_it_says(app, client, monkeypatch):
    monkeypatch.setattr(headers, "MAX_AGE", -1)
    for _ in range(4):
        got(client)
    assert repeated(app) == 0


def test_large_answers_are_not_kept(app, client, behind):
    behind.size = MIB // 8
    for _ in range(4):
        assert len(got(client)[2]) == behind.size
    assert repeated(app) == 0


def test_there_is_no_memory_without_a_cache(behind):
    app = create_app(behind)
    with connected(app) as client:
        for _ in range(4):
            got(client)
    assert behind.asked == 4


def test_pipelined_requests_are_answered_in_order(app, client):
    """Those that came before and others, in one packet and in pieces."""
    until_repeated(app, client)
    client.sendall(sent() + sent("/nowhere") + sent())
    answers = b""
    while answers.count(b"X-Request-Id") < 3 or len(answers) < 8000:
        answers += more(client)
    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"200", b"404", b"200"]
    whole = sent()
    client.sendall(whole[:20])
    client.sendall(whole[20:])
    assert received(client)[0] == 200


def test_the_end_of_a_connection_is_heeded_from_memory_too(app, client):
    """Who asks for it, or speaks HTTP/1.0, is never answered from memory."""
    for version, more in (("1.0", ()), ("1.1", ("Connection: close",))):
        for _ in range(3):
            with connected(app) as once:
                once.sendall(sent(ASK, *more, version=version))
                assert received(once)[1]["Connection"] == "close"
                assert once.recv(1) == b""
    assert repeated(app) == 0


def test_each_is_numbered_counted_and_written_down(app, client, stream):
    answers = until_repeated(app, client)
    number = len(answers)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    lines = [line for line in lines if line["route"] == "sparql"]
    assert [line["request"] for line in lines] == [each[1]["X-Request-Id"] for each in answers]
    assert len({tuple(line[name] for name in ("method", "status", "bytes", "query")) for line in lines}) == 1
    text = app.test_client().get("/metrics").text
    assert f'foedus_requests_total{{route="sparql",method="GET",status="200"}} {number}\n' in text
    assert f'foedus_response_bytes_total{{route="sparql"}} {4000 * number}\n' in text
    assert f'foedus_queries_total{{outcome="answered"}} {number}\n' in text
    assert f'foedus_rows_total{{kind="select"}} {3 * number}\n' in text
    assert "foedus_requests_running 1\n" in text


def test_a_reader_that_takes_nothing_gets_the_rest_later(app, behind, client):
    """More than the client's side takes at once, many times over."""
    behind.size = 100_000
    until_repeated(app, client)
    with connected(app) as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for _ in range(5):
            assert len(got(slow)[2]) == behind.size
