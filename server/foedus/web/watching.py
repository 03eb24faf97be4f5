"""Watch requests: count each, give it a number that its client sees too, and write it down if that is wanted.

What a person asked is theirs: the journal holds a hash of a query, by which equal ones are recognised, and its text
only where the operator asked for it. It never holds an address of a client.
"""

import hashlib
import itertools
import json
import logging
import secrets
import select
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self, TextIO
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from foedus.errors import FoedusError
from foedus.query import formats
from foedus.query.dataset import Description
from foedus.query.pool import Answer, Asker, Request
from foedus.web import metrics, problems, visit
from foedus.web.metrics import Metrics
from foedus.web.visit import ASKED, BEGAN, REQUEST_ID


class Journal:
    """Writes one JSON object a line, for each request, and for each failure of ours, to *stream*.

    Nobody waits for it: while *stream* takes nothing, as a pipe that nobody reads, lines are lost, and the next one
    that is written says how many.
    """

    def __init__(self, stream: TextIO | None = None, with_queries: bool = False) -> None:
        self.stream = stream or sys.stderr
        self.with_queries = with_queries
        self.lost = 0
        self._lock = threading.Lock()
        self._room: select.poll | None = select.poll()
        try:
            self._room.register(self.stream.fileno(), select.POLLOUT)
        except (OSError, ValueError):
            # What is no file of the system's takes everything.
            self._room = None

    def write(self, **members: Any) -> None:
        """A line of *members*, after the time; what is None is left out."""
        told: dict[str, Any] = {"time": datetime.now(UTC).isoformat(timespec="milliseconds")}
        told |= {name: value for name, value in members.items() if value is not None}
        with self._lock:
            if self.lost:
                told["lost"] = self.lost
            self.lost = 0 if self._took(json.dumps(told, ensure_ascii=False) + "\n") else self.lost + 1

    def _took(self, line: str) -> bool:
        if self._room and not self._room.poll(0):
            return False
        try:
            self.stream.write(line)
            self.stream.flush()
        except (OSError, ValueError):
            # A full disk, or a reader that has gone, is no reason to answer nobody.
            return False
        return True

    def take_over_logging(self) -> None:
        """Let what libraries and we ourselves log become lines of this journal."""
        handler = _ToJournal(self)
        handler.setLevel(logging.WARNING)
        logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


class _ToJournal(logging.Handler):
    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self.journal = journal

    def emit(self, record: logging.LogRecord) -> None:
        number = (visit.environ() or {}).get(REQUEST_ID)
        trace = logging.Formatter().formatException(record.exc_info) if record.exc_info else None
        self.journal.write(level=record.levelname.lower(), request=number, message=record.getMessage(), traceback=trace)


class Watched(Asker):
    """An asker that counts what becomes of queries, and notes with the request what was asked for it."""

    def __init__(self, asker: Asker, counts: Metrics) -> None:
        self.asker = asker
        self.limits = asker.limits
        self.counts = counts

    @property
    def dataset(self) -> Description:
        """What is answered from."""
        return self.asker.dataset

    async def asking(self, asked: Request, cancelled: Callable[[], bool] | None = None) -> Answer:
        """What the asker behind answers."""
        environ = visit.environ()
        try:
            answer = await self.asker.asking(asked, cancelled)
        except FoedusError as error:
            if environ is not None:
                environ.setdefault(ASKED, []).append(Asked(asked.text))
            self.counts.query(problems.of(error).kind)
            raise
        if environ is not None:
            environ.setdefault(ASKED, []).append(Asked(asked.text, answer.kind, answer.rows or 0))
        self.counts.query("answered", answer.kind, answer.rows or 0)
        return answer


class Watch:
    """Stands before a WSGI app: every request goes through it, and so does what the app answers."""

    def __init__(self, app: WSGIApplication, register: "Register") -> None:
        self.app = app
        self.register = register

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as the app does, with one header more."""
        # What was begun on the fast lane keeps its number and its time.
        began = environ.setdefault(BEGAN, time.perf_counter())
        number = environ.get(REQUEST_ID) or self.register.number()
        environ[REQUEST_ID] = number
        status, size = 500, 0

        def start(line: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            nonlocal status, size
            status = int(line[:3])
            size = next((int(value) for name, value in headers if name == "Content-Length"), 0)
            return start_response(line, [*headers, ("X-Request-Id", number)], *error)

        self.register.counts.begin()
        token = visit.begin(environ)
        try:
            return self.app(environ, start)
        finally:
            visit.end(token)
            sent = 0 if environ["REQUEST_METHOD"] == "HEAD" else size
            self.register.enter(number, Served.of(environ, status, sent), time.perf_counter() - began)


@dataclass(frozen=True)
class Asked:
    """A query that was put for a request, and the kind and rows of its answer, if it had one."""

    text: str
    kind: formats.Kind | None = None
    rows: int = 0


@dataclass(frozen=True)
class Served:
    """What is noted of a request and its answer; *size* are the bytes of the body that was sent."""

    method: str
    route: str
    status: int
    size: int
    asked: tuple[Asked, ...]

    @classmethod
    def of(cls, environ: WSGIEnvironment, status: int, size: int) -> Self:
        """What is noted of the request of *environ*, answered with *status* and *size* bytes."""
        route, asked = metrics.route_of(environ["PATH_INFO"]), tuple(environ.get(ASKED, ()))
        return cls(environ["REQUEST_METHOD"], route, status, size, asked)


class Register:
    """Where each request gets its number, and is entered when it was answered: counted, and written down."""

    def __init__(self, counts: Metrics, journal: Journal | None = None) -> None:
        self.counts = counts
        self.journal = journal
        # Numbers are unique, also between starts, and say nothing about how many requests there were before.
        self._prefix = secrets.token_hex(6)
        self._number = itertools.count(1)

    def number(self) -> str:
        """The next request's."""
        return f"{self._prefix}-{next(self._number):x}"

    def enter(self, number: str, what: Served, seconds: float) -> None:
        """The request *number* was answered with *what*, after *seconds*."""
        self.counts.end(what.route, what.method, what.status, seconds, what.size)
        if self.journal:
            asked = what.asked[-1].text if what.asked else None
            self.journal.write(
                request=number,
                method=what.method if what.method in metrics.METHODS else "other",
                route=what.route,
                status=what.status,
                ms=round(1000 * seconds, 1),
                bytes=what.size,
                query=_hash(asked) if asked is not None and what.route in ("sparql", "queries") else None,
                text=asked if self.journal.with_queries else None,
            )


def _hash(text: str) -> str:
    """Sixteen hexadecimal digits by which equal queries are recognised."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
