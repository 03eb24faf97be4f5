"""Connections that no client can hold against the others: waitress with deadlines, and less work per request.

waitress reads every connection in one loop and hands whole requests to threads, so that a slow writer costs a file
descriptor and a slow reader the memory of its answer, never a thread. What is added here: a request must be whole, an
answer taken, a silent connection closed within a time; a full house makes room by closing whoever does nothing; an
answer leaves in one packet, from the thread that made it, without waking the loop; and what a shortcut takes is
answered by the loop itself.
"""

import errno
import logging
import re
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from contextvars import copy_context
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache
from heapq import heappop, heappush
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol
from wsgiref.types import WSGIEnvironment

from waitress.adjustments import Adjustments
from waitress.channel import ClientDisconnected, HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, WSGITask
from waitress.utilities import BadRequest

from foedus.query import waiting
from foedus.query.lazily import kept
from foedus.query.waiting import Step, Wait
from foedus.web.crew import Crew
from foedus.web.loop import Loop

Headers = list[tuple[str, str]]

_COMERS = 32
"""Connections that are taken in one turn of the loop, at most."""
_NOT_MANY = 16
"""Connections of one address that are closed for others only while they do nothing, as long as there are others."""
_FRESH = 2.0
"""Seconds from its beginning in which a connection does something, even if that cannot be seen yet."""
_JUST_COME, _AT_WORK, _UNTAKEN, _IDLE = range(4)
"""What a connection is, the most dispensable last."""
_SOON, _LATE, _NEVER = range(3)
"""When an address has to lose a connection: before others, after them, or not for one more."""
_NOTHING_LEFT = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_WASTE = 16 << 10
"""Bytes of a body in pieces, after which more than half of them have to be content."""
_NO_LIMIT = 1 << 40
"""More bytes than any answer has: a limit of waitress that is not to take effect."""
_FORWARDED = re.compile(rb"\r\nX-Forwarded-For:([^\r]*)", re.IGNORECASE)
_MOST_BEHIND = 8 << 10
"""Bytes that may come behind a request before it is answered; no more are read."""


@dataclass(frozen=True)
class Patience:
    """How long, and for how many, the server waits."""

    connections: int = 1000
    """Connections kept open at once; the next one takes the place of one that does nothing."""
    receive: float = 20.0
    """Seconds from a request's first byte to its last."""
    silent: float = 75.0
    """Seconds that a connection may be open with nothing asked."""
    taking: float = 60.0
    """Seconds that a reader has for an answer of any size, and …"""
    slowest: int = 16 << 10
    """… the bytes per second that it must take of a larger one."""
    untaken: int = 16 << 20
    """Bytes of answers not yet taken at which a connection's next request is not served."""
    untaken_in_all: int = 512 << 20
    """Bytes of answers not yet taken by all readers together; above it, whoever holds most is cut off."""
    look: float = 1.0
    """Seconds between two looks at all this."""


class Made(NamedTuple):
    """An answer as it goes out: its first lines, and its body."""

    head: bytes
    body: bytes


@dataclass(frozen=True)
class Handed:
    """No answer yet: the app has to make it, with what is *carried* in the environment of the request."""

    carried: dict[str, Any]


class Shortcut(Protocol):
    """What may answer a request, whose head are all its bytes, in place of the app."""

    def answer(self, head: bytes) -> Made | None:
        """The answer to *head*, from those that came before; None where it has to be made."""

    def asking(
        self, head: bytes, address: tuple[str, int], gone: Callable[[], bool]
    ) -> Coroutine[Step, None, Made | Handed] | None:
        """What makes the answer to *head* for a client at *address*, within the loop; None where only the app can.

        *gone* tells whether the client has left.
        """

    def learn(self, head: bytes, environ: WSGIEnvironment) -> None:
        """Take note of how *head* was read."""

    def version(self) -> Any:
        """What answers are made from now."""

    def keep(
        self, head: bytes, version: Any, environ: WSGIEnvironment, status: str, said: Headers, body: bytes
    ) -> None:
        """Take note of an answer that was made from *version*."""


IDENT = "foedus"
"""What the server calls itself."""


def http_date() -> str:
    """The date and time of day as HTTP writes them."""
    return _date_of(int(time.time()))


@lru_cache(maxsize=1)
def _date_of(second: int) -> str:
    return formatdate(second, usegmt=True)


def first_lines(status: str, headers: Headers, version: str = "1.1") -> bytes:
    """The first lines of an answer: its status, all *headers*, the date, and the empty line behind them.

    Raises ValueError for a header of more than one line.
    """
    said = [f"HTTP/{version} {status}", *(f"{name}: {value}" for name, value in headers), f"Date: {http_date()}"]
    head = "\r\n".join(said)
    if head.count("\n") != len(said) - 1 or head.count("\r") != len(said) - 1:
        raise ValueError("a header of the answer has more than one line")
    return (head + "\r\n\r\n").encode("latin-1")


class _Answer(WSGITask):  # type: ignore[misc]
    """An answer of the app: gathered, then sent at once."""

    channel: "Connection"
    status: str
    response_headers: Headers
    complete: bool

    def execute(self) -> None:
        server, environ = self.channel.server, self.get_environment()
        shortcut = server.shortcut if self.is_like_its_head() else None
        version = None
        if shortcut:
            shortcut.learn(self.request.head, environ)
            version = shortcut.version()
        environ.update(self.request.carried)
        self.pieces: list[bytes] = []
        iterable = server.application(environ, self.start_response)
        try:
            self.pieces.extend(iterable)
        finally:
            if hasattr(iterable, "close"):
                iterable.close()
        body = self.pieces[0] if len(self.pieces) == 1 else b"".join(self.pieces)
        if server.draining:
            self.close_on_finish = True
        head = self.head(body)
        # Where HTTP forbids a body there is none, whatever the app says.
        body = b"" if self.request.command == "HEAD" or not self.has_body else body
        if shortcut and not self.close_on_finish:
            shortcut.keep(self.request.head, version, environ, self.status, self.response_headers, body)
        # The request's objects know each other through it, and would outlive the answer until they are collected.
        environ.clear()
        self.channel.is_answered = True
        self.channel.put(head, body)

    def finish(self) -> None:
        """Everything is sent."""

    def start_response(
        self, status: str, headers: list[tuple[str, str]], error: Any = None
    ) -> Callable[[bytes], object]:
        if self.complete and not error:
            raise AssertionError("start_response was called twice")
        self.complete, self.status, self.response_headers = True, status, headers
        return self.pieces.append

    def head(self, body: bytes) -> bytes:
        """First line and headers, those that are the server's own last; decides whether the connection goes on."""
        if not self.complete:
            raise RuntimeError("the app did not call start_response")
        self.response_headers = [*self.response_headers, ("Server", self.channel.server.adj.ident)]
        if self.has_body and not any(name.lower() == "content-length" for name, _ in self.response_headers):
            self.response_headers.append(("Content-Length", str(len(body))))
        if self.is_last():
            self.close_on_finish = True
        own = []
        if self.close_on_finish or self.version == "1.0":
            own.append(("Connection", "close" if self.close_on_finish else "Keep-Alive"))
        self.wrote_header = True
        return first_lines(self.status, [*self.response_headers, *own], self.version)

    def is_last(self) -> bool:
        """Whether the client wants the connection closed after the answer."""
        wish = str(self.request.headers.get("CONNECTION", "")).lower()
        return wish == "close" or (self.version == "1.0" and wish != "keep-alive")

    def is_like_its_head(self) -> bool:
        """Whether the same head again would be the same request, on a connection that goes on."""
        request = self.request
        return bool(
            request.command in ("GET", "HEAD")
            and self.version == "1.1"
            and not self.is_last()
            and request.body_rcv is None
        )


class _Refusal(ErrorTask):  # type: ignore[misc]
    """An answer to what is no proper request."""

    channel: "Connection"

    def finish(self) -> None:
        super().finish()
        self.channel.send_what_fits()


class _Request(HTTPRequestParser):  # type: ignore[misc]
    """A request as it comes in; one that two readers could read in two ways is refused (RFC 9112, 3.2 and 6.1)."""

    head = b""
    """All the bytes of it, up to its body."""
    completed: bool
    carried: Mapping[str, Any] = MappingProxyType({})
    """What its environment is to hold besides."""

    def received(self, data: bytes) -> int:
        consumed = int(super().received(data))
        if self.completed:
            # There is nothing more to be sent: it is answered, or refused.
            self.expect_continue = False
        if self.chunked and not self.completed and self.body_bytes_received > max(_WASTE, 2 * len(self.body_rcv)):
            # Each piece takes its time, in the loop, however small it is.
            self.error, self.completed = BadRequest("The pieces of the body are too small"), True
        return consumed

    def parse_header(self, header_plus: bytes) -> None:
        try:
            super().parse_header(header_plus)
        except ValueError as error:
            # As of an address with half of an IPv6 host.
            raise ParsingError("Bad URI") from error
        self.head = header_plus
        if self.chunked and "CONTENT_LENGTH" in self.headers:
            raise ParsingError("Content-Length and Transfer-Encoding exclude each other")
        if self.version != "1.1" and "TRANSFER_ENCODING" in self.headers:
            raise ParsingError("Transfer-Encoding is of HTTP/1.1")
        if self.version == "1.1" and ("HOST" not in self.headers or "," in self.headers["HOST"]):
            raise ParsingError("HTTP/1.1 has one header Host")


class Connection(HTTPChannel):  # type: ignore[misc]
    """One client's connection."""

    task_class = _Answer
    error_task_class = _Refusal
    parser_class = _Request
    server: "Server"
    will_close: bool

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.receiving_since: float | None = None
        self.taking_until: float | None = None
        self.unread = False
        self.task: _Task | None = None
        self.behind = b""
        self.is_answered = False
        self.server.loop.stir(self)

    @kept
    def address(self) -> str:
        """Where it comes from: the client, or the proxy of many."""
        return str(self.server.who(self.addr[0], None))

    @property
    def client(self) -> str | None:
        """Whose the request is that is answered next."""
        forwarded = self.requests[0].headers.get("X_FORWARDED_FOR") if self.requests else None
        return self.server.who(self.addr[0], forwarded)

    def check_client_disconnected(self) -> bool:
        """Whether the client has closed its side, even where requests of it are still unread."""
        if not self.connected:
            return True
        look = select.poll()
        try:
            look.register(self.socket, select.POLLRDHUP)
        except (OSError, TypeError, ValueError):
            # It was closed just now.
            return True
        return bool(look.poll(0))

    def readable(self) -> bool:
        """Whether the loop, about to sleep, is to wait for requests; asked by the loop alone."""
        # The thread that serves changes what this depends on, and looks at ``unread`` afterwards; here it is set before
        # anything is looked at. So either the change is seen here, or its author sees that it must wake the loop.
        self.unread = True
        reads = not self.server.draining and len(self.behind) < _MOST_BEHIND and bool(super().readable())
        self.unread = not reads
        return reads

    def writable(self) -> bool:
        # While a request is answered, its thread sends; the loop, told to, would spin until it has done so.
        is_served = self.requests or self.task
        return bool(self.will_close or self.close_when_flushed or (self.total_outbufs_len and not is_served))

    def received(self, data: bytes) -> bool:
        if self.task or self.behind or (self.requests and self.is_answered):
            # It waits until the answer before is made, and its thread has left: so answers keep the order of requests.
            self.behind += data
            self.go_on()
            return True
        if self.took_shortcut(data):
            return True
        done = bool(super().received(data))
        if self.request is None:
            self.receiving_since = None
        elif self.receiving_since is None:
            self.receiving_since = time.time()
        return done

    def took_shortcut(self, data: bytes) -> bool:
        """Whether *data* is a request that is answered here, or will be; asked by the loop alone."""
        shortcut = self.server.shortcut
        if shortcut is None or self.server.draining or not self.connected:
            return False
        if self.will_close or self.close_when_flushed:
            return False
        if self.request is not None or self.requests or self.total_outbufs_len:
            return False
        if (made := shortcut.answer(data)) is not None:
            self.send_made(made)
            return True
        if (asking := shortcut.asking(data, self.addr, self.check_client_disconnected)) is None:
            return False
        self.task = _Task(self, data, asking)
        self.task.step()
        return True

    def send_made(self, made: Made) -> None:
        """Send an answer that the app had no part in."""
        head = made.head
        if self.server.draining:
            head = head[:-2] + b"Connection: close\r\n\r\n"
            self.close_when_flushed = True
        try:
            self.put(head, made.body)
        except ClientDisconnected:
            self.will_close = True
        if self.total_outbufs_len > self.server.patience.untaken // 16:
            self.server.make_readers_leave()

    def end_task(self, head: bytes, what: Made | Handed) -> None:
        """The task of the request *head* came to *what*; from whichever thread."""
        if isinstance(what, Made):
            self.send_made(what)
        else:
            self.request = _Request(self.adj)
            self.request.carried = what.carried
            super().received(head)
        self.task = None
        self.server.loop.stir(self)

    def go_on(self) -> None:
        """Read what came behind a request that is answered now; called by the loop."""
        if not self.connected:
            self.behind = b""
        elif self.behind and not (self.task or self.requests):
            data, self.behind = self.behind, b""
            self.received(data)

    def handle_close(self) -> None:
        super().handle_close()
        if self.task:
            # It sees that its client has left.
            self.server.loop.carry_on(self.task)

    def del_channel(self, map: Any = None) -> None:
        if self._fileno is not None:
            self.server.loop.forget(self._fileno)
        super().del_channel(map)

    def send_continue(self) -> None:
        """Say that the rest of a request may come; in the loop, or in the thread that has answered the one before."""
        self.request.expect_continue = False
        with self.outbuf_lock:
            if self.connected:
                self.sent_continue = True
                self.write_soon(b"HTTP/1.1 100 Continue\r\n\r\n")
                # Only the loop closes a connection.
                self._flush_exception(self._flush_some, do_close=False)

    def put(self, head: bytes, body: bytes) -> None:
        """Send *head* and *body*: now what the client's side takes, the rest by the loop."""
        sent = 0
        with self.outbuf_lock:
            if not self.connected:
                raise ClientDisconnected
            if not self.total_outbufs_len:
                try:
                    sent = self.socket.sendmsg((head, body) if body else (head,))
                except BlockingIOError:
                    pass
                except OSError:
                    # A client that leaves is no event.
                    self.will_close = True
                    raise ClientDisconnected from None
                self.last_activity = time.time()
        if sent < len(head):
            self.write_soon(head[sent:])
        self.write_soon(body[max(0, sent - len(head)) :])

    def service(self) -> None:
        """Serve one request, unless its client does not take the answers to the former ones."""
        if self.total_outbufs_len > self.server.patience.untaken:
            self.drop()
            return
        self.server.here.connection = self
        self.is_answered = False
        try:
            super().service()
        finally:
            self.server.here.connection = None
        if self.total_outbufs_len > self.server.patience.untaken // 16:
            self.server.make_readers_leave()

    def send_what_fits(self) -> None:
        """Send what the client's side takes now; the loop sends the rest."""
        with self.outbuf_lock:
            self._flush_exception(self._flush_some, do_close=False)

    def needs_the_loop(self) -> bool:
        """Whether there is anything to do for this connection that its thread has not done."""
        return bool(
            self.unread
            or self.behind
            or self.total_outbufs_len
            or self.will_close
            or self.close_when_flushed
            or self.server.draining
        )

    def is_doing_nothing(self) -> bool:
        """Whether no request of it is being answered and no answer is on its way."""
        return not (self.requests or self.task or self.behind or self.total_outbufs_len or self.will_close)

    def how_dispensable(self) -> tuple[int, float]:
        """The larger, the sooner it is closed where there are too many."""
        if self.total_outbufs_len and not (self.requests or self.task):
            return _UNTAKEN, self.creation_time
        if not self.is_doing_nothing():
            return _AT_WORK, self.creation_time
        if time.time() < self.creation_time + _FRESH:
            return _JUST_COME, -self.creation_time
        return _IDLE, -self.last_activity

    def is_too_slow(self, now: float) -> bool:
        """Whether the client had its time: to send a request, to take an answer, or to want anything."""
        patience = self.server.patience
        if self.total_outbufs_len == 0 or self.requests or self.task:
            self.taking_until = None
        elif self.taking_until is None:
            self.taking_until = now + patience.taking + self.total_outbufs_len / patience.slowest
        if self.taking_until is not None:
            return now > self.taking_until
        if self.receiving_since is not None:
            return now > self.receiving_since + patience.receive
        return self.is_doing_nothing() and now > self.last_activity + patience.silent

    def drop(self) -> None:
        """Close it, whatever is under way; from any thread."""
        with self.requests_lock:
            for each in self.requests[1:]:
                each.close()
            del self.requests[1:]
        self.doom()
        self.server.wake()

    def doom(self) -> None:
        """Let the loop close it in its next turn, whether or not its client takes anything."""
        self.will_close = True
        self.server.doomed.append(self)


class _Task:
    """The request *head* of *connection*, which *asking* answers: in the loop, or from some point on in a thread."""

    def __init__(self, connection: Connection, head: bytes, asking: Coroutine[Step, None, Made | Handed]) -> None:
        self.connection = connection
        self.head = head
        self.asking = asking
        self.context = copy_context()

    @property
    def client(self) -> str | None:
        """Whose the request is."""
        forwarded = ", ".join(each.decode("latin-1").strip() for each in _FORWARDED.findall(self.head)) or None
        return self.connection.server.who(self.connection.addr[0], forwarded)

    def step(self) -> None:
        """Carry it on until it waits; called in the loop's thread."""
        server = self.connection.server
        try:
            awaited = self.context.run(self._next)
            if isinstance(awaited, Made | Handed):
                self.connection.end_task(self.head, awaited)
            elif isinstance(awaited, Wait):
                server.loop.put_off(self, awaited)
            else:
                server.add_task(self)
        except Exception:
            self.fail()

    def _next(self) -> Step | Made | Handed:
        try:
            return self.asking.send(None)
        except StopIteration as end:
            made: Made | Handed = end.value
            return made

    def service(self) -> None:
        """Carry it on to its end, in a thread of its own."""
        try:
            self.connection.end_task(self.head, self.context.run(waiting.run, self.asking))
        except Exception:
            self.fail()

    def fail(self) -> None:
        """After a fault of ours, let go of all that it holds."""
        logging.getLogger("foedus").exception("A request failed.")
        self.asking.close()
        self.connection.task = None
        self.connection.drop()


def _turn_to_lose(some: list[tuple[int, float, Connection]]) -> tuple[int, int, int, float]:
    """When an address with *some* connections, the one that goes first last, is to lose one: the less, the sooner."""
    (kind, since, _), are_several = some[-1], len(some) > 1
    when = _LATE if are_several or kind == _JUST_COME else _NEVER
    if len(some) > _NOT_MANY or kind == _IDLE or (kind == _JUST_COME and are_several):
        when = _SOON
    return when, -len(some), -kind, -since


class Server(TcpWSGIServer):  # type: ignore[misc]
    """Listens on one socket, until ``drain`` has let what is under way come to its end."""

    channel_class = Connection
    draining = False

    def __init__(
        self,
        app: Callable[..., Any],
        listening: socket.socket,
        threads: int,
        largest_head: int,
        largest_body: int,
        patience: Patience,
        shortcut: Shortcut | None = None,
        who: Callable[[str, str | None], str | None] = lambda remote, forwarded: remote,
    ) -> None:
        """*who* says which client it is that asks from an address, and for whom, by its X-Forwarded-For."""
        self.patience = patience
        self.who = who
        self.shortcut = shortcut
        self.here = threading.local()
        self.doomed: deque[Connection] = deque()
        self.next_look = 0.0
        self.out_of_files = False
        where = (listening.family, listening.type, listening.proto, listening.getsockname())
        told = Adjustments(
            sockets=[listening],
            threads=threads,
            ident=IDENT,
            max_request_header_size=largest_head,
            max_request_body_size=largest_body,
            # Whose X-Forwarded-For counts is decided in ``desk``, whatever the server.
            clear_untrusted_proxy_headers=False,
            # One request may be read ahead, so that a connection stays watched while its request is answered.
            channel_request_lookahead=1,
            # ``make_room`` sees to it that this is never reached.
            connection_limit=_NO_LIMIT,
            # Time is kept in ``step``.
            cleanup_interval=_NO_LIMIT,
            # No thread ever waits for a reader, and no file is written.
            outbuf_high_watermark=_NO_LIMIT,
            outbuf_overflow=_NO_LIMIT,
            inbuf_overflow=_NO_LIMIT,
            # A client that leaves is no event.
            log_socket_errors=False,
        )
        # Nothing is sent before the answer is whole. As an argument, this would be a warning.
        told.send_bytes = _NO_LIMIT
        # Of a queue, the pool tells its askers.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        files: dict[int, Any] = {}
        self.loop = Loop(files, self.wake)
        super().__init__(
            app, files, _sock=listening, dispatcher=Crew(threads), adj=told, sockinfo=where, bind_socket=False
        )
        for each in list(files.values()):
            self.loop.stir(each)

    def pull_trigger(self) -> None:
        """Wake the loop, if the connection that this thread serves has need of it."""
        connection: Connection | None = getattr(self.here, "connection", None)
        if connection is None:
            self.wake()
        elif connection.needs_the_loop():
            self.loop.stir(connection)

    def wake(self) -> None:
        """Wake the loop; may be called from a signal handler."""
        self.trigger.pull_trigger()

    def handle_accept(self) -> None:
        """Take those who have come, but not too many in one turn; in a full house, in the place of others."""
        before = len(self.active_channels)
        for number in range(_COMERS):
            super().handle_accept()
            if len(self.active_channels) == before + number:
                break
        in_vain = self.out_of_files and len(self.active_channels) == before
        self.make_room(_COMERS if in_vain else len(self.active_channels) - self.patience.connections)

    def accept(self) -> Any:
        """A new connection and its address; None where there is none, or no file left for it.

        Then whoever comes waits in the socket's backlog until the next look.
        """
        try:
            return super().accept()
        except OSError as error:
            if error.errno in _NOTHING_LEFT:
                self.out_of_files = True
                return None
            raise

    def readable(self) -> bool:
        """Whether new connections are to be taken."""
        return not self.out_of_files and bool(super().readable())

    def make_room(self, wanted: int) -> None:
        """Close so many connections, each of the address that has the most by then, while there are any to close.

        Of an address, those that do nothing come first, the ones silent longest; then those whose answers are not
        taken, then the newest others, and at last those that have only just come and may be about to ask.
        """
        if wanted <= 0:
            return
        theirs: dict[str, list[tuple[int, float, Connection]]] = {}
        for each in self.active_channels.values():
            if not each.will_close:
                theirs.setdefault(each.address, []).append((*each.how_dispensable(), each))
        turns: list[tuple[int, int, int, float, str]] = []
        for address, some in theirs.items():
            some.sort(key=lambda each: each[:2])
            # The newest first; of an address from which so many come, the others are not about to ask.
            come = sum(kind == _JUST_COME for kind, _, _ in some)
            some.extend((_IDLE, since, each) for _, since, each in some[_NOT_MANY:come])
            del some[_NOT_MANY:come]
            heappush(turns, (*_turn_to_lose(some), address))
        for _ in range(wanted):
            if not turns or turns[0][0] == _NEVER:
                return
            address = heappop(turns)[-1]
            # Not closed at once: a new connection could get its number, and events that were meant for it.
            theirs[address].pop()[2].doom()
            if theirs[address]:
                heappush(turns, (*_turn_to_lose(theirs[address]), address))

    def make_readers_leave(self) -> None:
        """Cut off the readers that leave the most untaken, while all together leave too much."""
        waiting = sorted(self.active_channels.copy().values(), key=lambda each: each.total_outbufs_len)
        untaken = sum(each.total_outbufs_len for each in waiting)
        while waiting and untaken > self.patience.untaken_in_all:
            most = waiting.pop()
            untaken -= most.total_outbufs_len
            most.drop()

    def close(self) -> None:
        """Close everything, taken or not."""
        for each in list(self.active_channels.values()):
            each.handle_close()
        self.task_dispatcher.leave()
        self.trigger.close()
        self.socket.close()
        self.loop.close()

    def step(self) -> None:
        """One turn of the loop, at most as long as the time between two looks."""
        now = time.time()
        if now >= self.next_look:
            self.next_look = now + self.patience.look
            self.doomed.extend(each for each in self.active_channels.values() if each.is_too_slow(now))
            if self.out_of_files:
                self.out_of_files = False
                self.loop.stir(self)
        while self.doomed:
            self.doomed.popleft().handle_close()
        self.loop.turn(self.patience.look)

    def drain(self, seconds: float) -> bool:
        """Accept and read nothing more; True once every answer under way is made and taken, False after *seconds*."""
        until = time.monotonic() + seconds
        if not self.draining:
            self.draining = True
            self.accepting = False
            self.loop.forget(self._fileno)
            self.del_channel()
            self.socket.close()
            for each in self.active_channels.values():
                self.loop.stir(each)
        while time.monotonic() < until:
            for each in list(self.active_channels.values()):
                if each.is_doing_nothing():
                    each.handle_close()
            if not self.active_channels:
                return True
            self.loop.turn(0.05)
        return False
