"""Listen on an address and hand requests to the app, until a signal says stop."""

import errno
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from flask import Flask
from waitress.server import create_server

from foedus.errors import CannotServe

THREADS = 32
"""Requests handled at once; each waits for a worker, so there may be many more than cores."""

LARGEST_BODY = 1 << 20
"""Bytes of a request body that are read at all; the protocol refuses far shorter ones in its own words."""


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


def run(app: Flask, listening: socket.socket, ready: Callable[[], None]) -> None:
    """Serve *app* on *listening* until SIGTERM, or raise KeyboardInterrupt on Ctrl-C; *ready* is called first.

    Requests that arrive while *ready* runs wait in the socket's backlog.
    """
    server = create_server(
        app,
        sockets=[listening],
        threads=THREADS,
        ident="foedus",
        max_request_body_size=LARGEST_BODY,
        max_request_header_size=64 << 10,
        # Lets waitress notice that a client has gone while its request is still being answered.
        channel_request_lookahead=1,
        clear_untrusted_proxy_headers=True,
    )
    received: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        raise SystemExit

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, stop)
    ready()
    try:
        # waitress returns quietly on SystemExit and KeyboardInterrupt alike.
        server.run()
    finally:
        server.close()
    if signal.SIGINT in received:
        raise KeyboardInterrupt
