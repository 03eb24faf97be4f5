"""Answers from another SPARQL 1.1 endpoint, behind the same limits and errors as our own pool.

Data that outgrow one machine live in an engine made for that; pages, questions, protocol and limits stay ours. The
standard protocol is all that is asked of it: a form POST with ``query``, and an ``Accept`` of one media type.
"""

import hashlib
import http.client
import socket
import threading
import time
import urllib.parse
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from types import TracebackType
from typing import Self

from foedus import names
from foedus.errors import AnswerTooLarge, BadQuery, Busy, Cancelled, EngineFailed, QueryTooSlow, WrongUsage
from foedus.query import formats, results
from foedus.query.dataset import Description
from foedus.query.gate import Gate
from foedus.query.limits import MIB, Limits
from foedus.query.pool import Answer, Asker, Request
from foedus.query.waiting import Signal, happens

_PIECE = 1 << 16
_GREETING = "SELECT ?asOf WHERE { OPTIONAL { id:foedus-dataset foedus:asOf ?asOf } } LIMIT 1"


class Engine(Asker):
    """A context manager that asks the SPARQL endpoint at *url*; ``ask`` may be called from any number of threads.

    What it answers from can change under its name, so its version is that of the moment it was opened.
    """

    def __init__(self, url: str, limits: Limits | None = None) -> None:
        """Raises WrongUsage for a *url* that is not http or https, or that holds a password."""
        self.limits = limits or Limits()
        self.url = url
        parts = urllib.parse.urlsplit(url)
        try:
            self._port = parts.port
        except ValueError:
            self._port = -1
        if parts.scheme not in {"http", "https"} or not parts.hostname or self._port == -1:
            raise WrongUsage(f"“{url}” is not the address of an endpoint.", "Write http://host:port/path or https://…")
        if parts.username is not None:
            raise WrongUsage(
                "The engine's address holds a user name.", "Leave it out; put a proxy that adds it between."
            )
        self._host = parts.hostname
        self._secure = parts.scheme == "https"
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._description: Description | None = None
        self._gate: Gate[int] = Gate(self.limits)
        for number in range(self.limits.workers):
            self._gate.add(number)
        self._threads = ThreadPoolExecutor(self.limits.workers, thread_name_prefix="foedus-engine")

    def __enter__(self) -> Self:
        """Ask it once; EngineFailed, BadQuery or QueryTooSlow if it does not answer as an endpoint does."""
        try:
            days = [row["asOf"].value for row in results.select(self, _GREETING) if "asOf" in row]
        except BaseException:
            self.close()
            raise
        opened = hashlib.sha256(f"{self.url} {time.time()}".encode()).hexdigest()
        self._description = Description(opened, None, as_of=days[0] if days else None, version=None, changes=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the last requests run out and take no more."""
        self._threads.shutdown()

    @property
    def dataset(self) -> Description:
        """What the endpoint held when it was opened."""
        if self._description is None:
            raise Busy("The engine was not opened.", "Use it as a context manager.")
        return self._description

    async def asking(self, request: Request, cancelled: Callable[[], bool] | None = None) -> Answer:
        """The whole answer of the endpoint to *request*, or the FoedusError that says why not.

        Once *cancelled* is true, the connection is closed.
        """
        started = time.monotonic()
        seen = request.scanned(self.limits)
        if seen.kind is None:
            raise BadQuery("The text is not a query.", "Write SELECT, ASK, CONSTRUCT or DESCRIBE.")
        choice = formats.choose(seen.kind, request.accept, request.form)
        held = await self._gate.take(request.client, request.reserved, cancelled)
        connection, given_up = self._connection(), threading.Event()
        exchange = self._threads.submit(self._exchange, connection, given_up, request, choice.format.media_type)
        exchange.add_done_callback(lambda _: self._gate.give(held, back=True))
        try:
            await self._watch(exchange, cancelled)
            body = exchange.result()
        finally:
            # Stops an exchange that is still under way: it sees the event, or is woken from its socket.
            given_up.set()
            _wake(connection)
        took = time.monotonic() - started
        return Answer(body, choice.content_type, seen.kind, 1000 * took, 1000 * held.waited)

    def _connection(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        return kind(self._host, self._port, timeout=self.limits.time_limit)

    async def _watch(self, exchange: Future[bytes], cancelled: Callable[[], bool] | None) -> None:
        """Wait for *exchange* within the time limit and while the asker is there."""
        until, done = time.monotonic() + self.limits.time_limit, Signal()
        exchange.add_done_callback(lambda _: done.happen())
        if await happens(done, until, cancelled):
            return
        if time.monotonic() >= until:
            raise self._too_slow()
        raise Cancelled("The asker left while the query ran.")

    def _too_slow(self) -> QueryTooSlow:
        return QueryTooSlow(
            f"The query took longer than {self.limits.time_limit:g} s and was given up.", "Narrow it or add a LIMIT."
        )

    def _exchange(
        self, connection: http.client.HTTPConnection, given_up: threading.Event, request: Request, media_type: str
    ) -> bytes:
        """The body of a 200 answer; EngineFailed, BadQuery, AnswerTooLarge, Busy or QueryTooSlow otherwise.

        Closes *connection*.
        """
        # Our prefixes hold for every query, as in our own pool; on one line, so that the engine's line numbers fit.
        prologue = names.prologue().replace("\n", " ")
        fields = [("query", f"BASE <{names.BASE}> {prologue}{request.text}")]
        fields += [("default-graph-uri", graph) for graph in request.default_graphs or ()]
        fields += [("named-graph-uri", graph) for graph in request.named_graphs or ()]
        headers = {
            "Accept": media_type,
            "Content-Type": "application/x-www-form-urlencoded",
            "User-Agent": "foedus (+https://w3id.org/foedus/)",
        }
        try:
            connection.connect()
            if given_up.is_set():
                raise Cancelled("The asker left before the engine was asked.")
            connection.request("POST", self._path, urllib.parse.urlencode(fields), headers)
            answer = connection.getresponse()
            body = self._read(answer)
        except TimeoutError as error:
            # The line's own deadline, the same limit, may be noticed before that of whoever watches.
            raise self._too_slow() from error
        except (OSError, http.client.HTTPException) as error:
            raise EngineFailed(
                f"The engine at {self.url} does not answer: {error or type(error).__name__}.", "Is it running?"
            ) from error
        finally:
            connection.close()
        if answer.status in (408, 504):
            raise QueryTooSlow("The engine gave the query up, which took too long for it.", "Narrow it or add a LIMIT.")
        if answer.status in (429, 503):
            raise Busy(f"The engine is busy: {_first_line(body)}", "Try again in a few seconds.")
        if 400 <= answer.status < 500:
            raise BadQuery(f"The engine refused the query ({answer.status}): {_first_line(body)}", "Correct the query.")
        if answer.status != 200:
            raise EngineFailed(f"The engine failed ({answer.status}): {_first_line(body)}", "Look at the engine's log.")
        given = (answer.headers.get_content_type() or "").lower()
        if given != media_type:
            raise EngineFailed(
                f"The engine answered with {given} where {media_type} was asked for.", "Is it a SPARQL 1.1 endpoint?"
            )
        return body

    def _read(self, answer: http.client.HTTPResponse) -> bytes:
        pieces, size = [], 0
        while piece := answer.read(_PIECE):
            size += len(piece)
            if size > self.limits.answer:
                raise AnswerTooLarge(f"The answer is larger than {self.limits.answer // MIB} MiB.", "Add a LIMIT.")
            pieces.append(piece)
        if answer.length:
            raise http.client.IncompleteRead(b"", answer.length)
        return b"".join(pieces)


def _wake(connection: http.client.HTTPConnection) -> None:
    """End what another thread waits for on *connection*."""
    if connection.sock is not None:
        # Closed already is what was wanted.
        with suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)


def _first_line(body: bytes) -> str:
    text = body[:500].decode("utf-8", "replace").strip()
    return text.splitlines()[0] if text else "it says nothing more."
