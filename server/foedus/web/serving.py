"""Listen on an address and hand requests to the app, until a signal says stop."""

import ctypes
import errno
import resource
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from types import FrameType
from wsgiref.types import WSGIApplication

from foedus.errors import CannotServe
from foedus.query.limits import Limits
from foedus.web.connections import Patience, Server, Shortcut
from foedus.web.desk import Network, client

LARGEST_HEAD = 64 << 10
"""Bytes of a request's first line and headers together."""

LARGEST_BODY = 1 << 20
"""Bytes of a request body that are read at all; the protocol refuses far shorter ones in its own words."""

OTHER_FILES = 64
"""Open files beyond the connections and two for each worker: the logs, what is being read."""

_ARENA_MAX = -8
"""``M_ARENA_MAX`` of ``malloc.h``."""

TO_TAKE = 5.0
"""Seconds that a reader has, at the end, for an answer that was just made."""


@contextmanager
def listen(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that listens on *host* and *port* (0 takes a free one); raises CannotServe in plain words."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise CannotServe(f"{host} is not an address of this machine.", "Try --host 127.0.0.1.") from error
    with socket.socket(family, kind, protocol) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(address)
            listening.listen(1024)
        except OSError as error:
            raise _cannot_listen(error, host, port) from error
        yield listening


def _cannot_listen(error: OSError, host: str, port: int) -> CannotServe:
    if error.errno == errno.EADDRINUSE:
        return CannotServe(
            f"Port {port} on {host} is in use.", f"Stop what uses it, or choose another: --port {port + 1}."
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return CannotServe(f"Port {port} needs more rights than you have.", "Choose one above 1023: --port 8000.")
    return CannotServe(f"Cannot listen on {host} port {port}: {error.strerror}.", "Try --host 127.0.0.1.")


def run(
    app: WSGIApplication,
    listening: socket.socket,
    ready: Callable[[], None],
    limits: Limits | None = None,
    patience: Patience | None = None,
    shortcut: Shortcut | None = None,
    proxies: tuple[Network, ...] = (),
) -> None:
    """Serve *app* on *listening* until SIGTERM, or raise KeyboardInterrupt on Ctrl-C; *ready* is called first.

    Where there is a *shortcut*, it is asked before *app*, and is told what that answers. Of requests that come through
    one of *proxies*, these say who asks.

    Requests that arrive while *ready* runs wait in the socket's backlog. SIGTERM lets what is under way end, within the
    time that a query may take; a second one, or Ctrl-C, does not.
    """
    chosen = limits or Limits()
    _share_freed_memory()
    server = Server(
        app,
        listening,
        # So many that one is always left, however many askers wait.
        threads=chosen.askers,
        largest_head=LARGEST_HEAD,
        largest_body=LARGEST_BODY,
        patience=_affordable(patience or Patience(), OTHER_FILES + 2 * chosen.workers),
        shortcut=shortcut,
        who=partial(client, proxies=proxies),
    )
    received: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        server.wake()

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, stop)
    ready()
    try:
        while not received:
            server.step()
        until = time.monotonic() + chosen.queue_wait + chosen.time_limit + TO_TAKE
        while received == [signal.SIGTERM] and time.monotonic() < until:
            if server.drain(0.5):
                break
    finally:
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, signal.SIG_IGN)
        server.close()
    if signal.SIGINT in received:
        raise KeyboardInterrupt


def _share_freed_memory() -> None:
    """Keep what glibc's ``malloc`` frees in one place, for all threads.

    Each thread would keep its own, and the server seem to grow by what every one of them once needed. Only one of them
    runs at a time, so none waits for the others.
    """
    if allocator := getattr(ctypes.CDLL(None), "mallopt", None):
        allocator(_ARENA_MAX, 1)


def _affordable(patience: Patience, others: int) -> Patience:
    """*patience*, with no more connections than this process may have files open beside *others*."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = patience.connections + others
    if soft < wanted:
        soft = min(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return replace(patience, connections=min(patience.connections, max(16, soft - others)))
