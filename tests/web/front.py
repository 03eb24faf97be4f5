"""Our server in front of an app, on a thread of the test's own process; and to wait for what comes true there."""

import socket
import threading
import time
from contextlib import contextmanager

from foedus.web.connections import Patience, Server


@contextmanager
def serving(app, threads=12, shortcut=None, who=None, **patience):
    """The port of our server in front of *app*, with its *shortcut* if it is to take one, and the server.

    *who* tells clients apart, where it is not their addresses alone.
    """
    with socket.create_server(("127.0.0.1", 0)) as listening:
        kept = Patience(**{"look": 0.05, **patience})
        server = Server(app, listening, threads, 64 << 10, 1 << 20, kept, shortcut, **({"who": who} if who else {}))
        enough = threading.Event()

        def loop():
            while not enough.is_set():
                server.step()

        thread = threading.Thread(target=loop)
        thread.start()
        try:
            yield listening.getsockname()[1], server
        finally:
            enough.set()
            server.wake()
            thread.join()
            server.close()


def eventually(holds):
    """Wait until *holds* is true; fails if that takes twenty seconds."""
    until = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.002)
