"""Who may have this server work for long, and who waits: what takes seconds here is done for few at once.

The pool has a gate of its own (``foedus.query.gate``). This one is for what no worker of it does: it bounds how many
threads of this process such work may hold, and how many of these one address.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

from flask import current_app, request

from foedus.errors import Busy, Cancelled, OverShare
from foedus.query import waiting
from foedus.query.waiting import Signal, happens
from foedus.web import desk
from foedus.web.crew import Queues
from foedus.web.desk import Network

PROXIES = "foedus-proxies"
"""Where an app's extensions hold the proxies that say who asks."""


def asker() -> str | None:
    """The address of the client that is answered now."""
    environ, proxies = request.environ, cast(tuple[Network, ...], current_app.extensions[PROXIES])
    return desk.client(environ.get("REMOTE_ADDR"), environ.get("HTTP_X_FORWARDED_FOR"), proxies)


@dataclass(frozen=True)
class Rules:
    """How many may be at work and wait for that, in all and of one address, and for how many seconds.

    *what* is what each of them has done, in the plural.
    """

    what: str
    at_once: int
    waiting: int
    share: int
    patience: float


class Turns:
    """Takes turns by *rules*, for any number of threads."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.here: list[str | None] = []
        """The clients of all that are at work or wait."""
        self._at_work = 0
        self._lock = threading.Lock()
        self._queues: Queues[Signal] = Queues()

    @contextmanager
    def turn(self, client: str | None, cancelled: Callable[[], bool] | None = None) -> Iterator[None]:
        """Wait for a turn of *client*'s, None being nobody in particular, and have it.

        OverShare where the client's others are the reason that there is none, else Busy; Cancelled once *cancelled*.
        """
        self._come(client, cancelled)
        try:
            yield
        finally:
            with self._lock:
                self._leave(client)

    def _come(self, client: str | None, cancelled: Callable[[], bool] | None) -> None:
        rules, until = self.rules, time.monotonic() + self.rules.patience
        called = Signal()
        with self._lock:
            if client is not None and self.here.count(client) >= rules.share:
                raise OverShare(
                    f"Your address has its share: {rules.share} {rules.what} at once.",
                    "Send the next one after the answer to this one.",
                )
            if len(self.here) >= rules.at_once + rules.waiting:
                raise Busy(f"{rules.waiting} {rules.what} are waiting already.", "Try again in a few seconds.")
            self.here.append(client)
            self._queues.put(client, called)
            self._call()
        try:
            with waiting.asleep():
                came = waiting.run(happens(called, until, cancelled))
            if not came and cancelled and cancelled():
                raise Cancelled("The asker left while waiting.")
            if not came:
                raise Busy(
                    f"The {rules.what} of others have not ended within {rules.patience:g} s.",
                    "Try again in a few seconds.",
                )
        except BaseException:
            with self._lock:
                if self._queues.drop(client, called):
                    self.here.remove(client)
                else:
                    # It was this one's turn after all.
                    self._leave(client)
            raise

    # ── with the lock held ──

    def _call(self) -> None:
        """Let those have their turn for whom there is room, the clients one after the other."""
        while self._at_work < self.rules.at_once and (following := self._queues.take(lambda _: True)):
            self._at_work += 1
            following[1].happen()

    def _leave(self, client: str | None) -> None:
        self._at_work -= 1
        self.here.remove(client)
        self._call()
