"""A load generator for HTTP/1.1: so many kept-open connections, each asking again as soon as it has its answer.

Run as a program of its own, so that it shares no interpreter with what it measures: it reads one JSON object from its
standard input (*host*, *port*, *requests*: each the whole text of a request; *clients*, *seconds*, *warm*, and
*sources*, the addresses to ask from in turn) and writes a ``Summary`` as JSON to its standard output. One thread on
epoll and as little work per answer as whole answers allow, so that the server, not this program, is what is measured.
It stops after *seconds*, or after ``MOST`` answers.
"""

import json
import math
import select
import socket
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

MOST = 400_000
"""Answers after which a run ends, whatever its time."""

_ATTEMPTS = 5
"""Times in a row that a connection may be refused or broken before the run gives up."""


@dataclass(frozen=True)
class Summary:
    """What a run showed: whole answers of status 200 per second, their latencies in milliseconds, and the others.

    *errors* counts answers by status, and broken connections as "broken". Percentiles are None without answers.
    """

    clients: int
    seconds: float
    answers: int
    per_second: float
    mean_bytes: float
    p50: float | None
    p95: float | None
    p99: float | None
    errors: dict[str, int]
    busy: float = 0.0
    """The part of the time that the load generator itself computed: near 1, its own speed is what was measured."""


def percentile(ordered: Sequence[float], percent: float) -> float | None:
    """The nearest-rank percentile of *ordered*, sorted values: the least that *percent* of them do not exceed."""
    if not ordered:
        return None
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]


def summary(
    clients: int, seconds: float, latencies: Sequence[float], size: int, errors: dict[str, int], busy: float = 0.0
) -> Summary:
    """The summary of *latencies*, in seconds, of answers that had *size* bytes in all."""
    ordered = sorted(each * 1000 for each in latencies)
    return Summary(
        clients=clients,
        seconds=seconds,
        answers=len(ordered),
        per_second=len(ordered) / seconds,
        mean_bytes=size / len(ordered) if ordered else 0.0,
        p50=percentile(ordered, 50),
        p95=percentile(ordered, 95),
        p99=percentile(ordered, 99),
        errors=dict(errors),
        busy=busy,
    )


@dataclass(frozen=True)
class Whole:
    """A whole answer at the beginning of what was received: its status, bytes of its body, and if it is the last."""

    status: int
    body: int
    last: bool


def whole(received: bytes) -> Whole | None:
    """The answer in *received*, or None while some of it is missing."""
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = received[:end].lower()
    status, start = int(head[9:12]), end + 4
    last = b"\r\nconnection: close" in head
    at = head.find(b"\r\ncontent-length:")
    if at >= 0:
        size = int(head[at + 17 :].split(b"\r\n", 1)[0])
        return Whole(status, size, last) if len(received) >= start + size else None
    if b"\r\ntransfer-encoding: chunked" in head:
        size = _chunked(received, start) if received.endswith(b"\r\n\r\n") else None
        return None if size is None else Whole(status, size, last)
    if status in (204, 304):
        return Whole(status, 0, last)
    raise ValueError(f"an answer that does not say its length: {head[:200]!r}")


def _chunked(received: bytes, at: int) -> int | None:
    """Bytes of the chunked body that begins at *at*; None while it is not whole."""
    size = 0
    while (line := received.find(b"\r\n", at)) >= 0:
        length = int(received[at:line].split(b";", 1)[0], 16)
        if length == 0:
            return size
        size += length
        at = line + 2 + length + 2
    return None


class Client:
    """One kept-open connection and the answer that it waits for."""

    def __init__(self, address: tuple[str, int], source: str, requests: Sequence[bytes], first: int) -> None:
        self.address = address
        self.source = source
        self.requests = requests
        self.next = first
        self.received = b""
        self.asked_at = 0.0
        self.failed = 0
        self.connect()

    def connect(self) -> None:
        self.socket = socket.create_connection(self.address, timeout=10, source_address=(self.source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self) -> None:
        self.asked_at = time.perf_counter()
        self.socket.sendall(self.requests[self.next])
        self.next = (self.next + 1) % len(self.requests)

    def renew(self, poll: select.epoll) -> None:
        """A new connection in place of a broken or finished one, and the next question on it."""
        poll.unregister(self.socket.fileno())
        self.socket.close()
        self.received = b""
        self.connect()
        poll.register(self.socket.fileno(), select.EPOLLIN)
        self.ask()


def run(
    host: str,
    port: int,
    requests: Sequence[bytes],
    clients: int,
    seconds: float,
    warm: float,
    sources: Sequence[str] = ("127.0.0.1",),
) -> Summary:
    """Ask *requests* in turn from *clients* connections for *seconds*, after *warm* seconds that do not count."""
    poll = select.epoll()
    asking = [
        Client((host, port), sources[number % len(sources)], requests, number * len(requests) // clients)
        for number in range(clients)
    ]
    by_handle = {each.socket.fileno(): each for each in asking}
    latencies: list[float] = []
    errors: Counter[str] = Counter()
    size = 0
    computed, started = time.process_time(), time.perf_counter()
    begin = started + warm
    finish = begin + seconds
    for each in asking:
        poll.register(each.socket.fileno(), select.EPOLLIN)
        each.ask()
    while (now := time.perf_counter()) < finish and len(latencies) < MOST:
        for handle, _ in poll.poll(finish - now):
            client = by_handle[handle]
            try:
                piece = client.socket.recv(1 << 18)
                client.received = client.received + piece if client.received else piece
                answer = whole(client.received)
                if answer is None and piece:
                    continue
                if answer is None:
                    raise ConnectionError("closed before the answer was whole")
                now = time.perf_counter()
                if now >= begin:
                    if answer.status == 200:
                        latencies.append(now - client.asked_at)
                        size += answer.body
                    else:
                        errors[str(answer.status)] += 1
                client.received = b""
                client.failed = 0
                if not answer.last:
                    client.ask()
                    continue
            except OSError:
                errors["broken"] += 1
                client.failed += 1
                if client.failed > _ATTEMPTS:
                    raise
            del by_handle[handle]
            client.renew(poll)
            by_handle[client.socket.fileno()] = client
    ended = time.perf_counter()
    busy = (time.process_time() - computed) / max(ended - started, 1e-9)
    for each in asking:
        each.socket.close()
    return summary(clients, max(ended - begin, 1e-9), latencies, size, errors, busy)


def main() -> None:
    wanted = json.load(sys.stdin)
    wanted["requests"] = [each.encode() for each in wanted["requests"]]
    json.dump(asdict(run(**wanted)), sys.stdout)


if __name__ == "__main__":
    main()
