"""The same request again is answered with the same bytes, before anything of it is read.

The head of a request, with no body behind it, decides what is answered as long as the dataset is the same. So the whole
head is the key: nothing has to be known of what in it matters. Only what a proxy says of the address that was asked
counts or not by who sends it, and is never kept. Kept is what anybody may keep (``Cache-Control:
public``), no longer than that says, from the second time on that it is asked for, and in the room of the cache of
answers. Each such request is numbered, counted and written down like any other.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from wsgiref.types import WSGIEnvironment

from foedus.errors import FoedusError
from foedus.query.dataset import Description
from foedus.query.kept import Kept
from foedus.query.pool import Asker
from foedus.web import headers
from foedus.web.connections import Made, http_date
from foedus.web.visit import PLACED
from foedus.web.watching import Register, Served

LONGEST_HEAD = 8 << 10
"""Bytes of a request's head that is remembered: as many as are read at once."""

_SEEN = 4096
"""Heads of which is remembered that they came."""

_HEADERS = 1 << 10
"""Bytes that the head of an answer takes, about."""

_OF_PROXIES = ("HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PROTO")
"""What in the environment of a request changes the addresses in its answer, if it comes from a trusted proxy."""

_TIMING = "Server-Timing"
_MADE_ANEW = frozenset(("Date", _TIMING, "X-Request-Id"))
"""Headers that are of one request only."""


@dataclass(frozen=True)
class _Kept:
    """An answer: its first line and headers, its body, until when it is right, and what is noted of it."""

    dataset: Description
    until: float
    head: bytes
    is_timed: bool
    body: bytes
    served: Served


class Express:
    """Keeps answers of *asker* in the room that is *kept* for them; may be called from any thread."""

    def __init__(self, asker: Asker, kept: Kept, register: Register) -> None:
        self.asker = asker
        self.kept = kept
        self.register = register
        self._seen: set[int] = set()

    def answer(self, head: bytes) -> Made | None:
        """The answer to the request *head*; None where it has to be made."""
        kept: _Kept | None = self.kept.find(head)
        if kept is None:
            return None
        began = time.perf_counter()
        if kept.dataset is not self.version() or time.monotonic() > kept.until:
            self.kept.drop(head)
            return None
        number = self.register.number()
        self.register.counts.repeat()
        for each in kept.served.asked:
            self.register.counts.query("answered", each.kind, each.rows)
        seconds = time.perf_counter() - began
        timing = f"{_TIMING}: wait;dur=0.000, total;dur={1000 * seconds:.3f}\r\n" if kept.is_timed else ""
        own = f"Date: {http_date()}\r\n{timing}X-Request-Id: {number}\r\n\r\n"
        self.register.enter(number, kept.served, seconds)
        return Made(kept.head + own.encode("latin-1"), kept.body)

    def version(self) -> Description | None:
        """What is answered from now; None where that may change, or is just being loaded."""
        try:
            about = self.asker.dataset
        except FoedusError:
            return None
        return None if about.changes else about

    def keep(
        self,
        head: bytes,
        version: Description | None,
        environ: WSGIEnvironment,
        status: str,
        said: Iterable[tuple[str, str]],
        body: bytes,
    ) -> None:
        """Keep the answer to the request *head*, if anybody may: *version* is that of before it was made."""
        told = dict(said)
        if version is None or told.get("Cache-Control") != headers.LASTING or status[:3] not in ("200", "304"):
            return
        if PLACED in environ and any(name in environ for name in _OF_PROXIES):
            return
        size = 2 * len(head) + len(body) + _HEADERS
        if len(head) > LONGEST_HEAD or not self.kept.fits(size) or not self._came_before(head):
            return
        lines = "".join(f"{name}: {value}\r\n" for name, value in said if name not in _MADE_ANEW)
        kept = _Kept(
            version,
            time.monotonic() + headers.MAX_AGE,
            f"HTTP/1.1 {status}\r\n{lines}".encode("latin-1"),
            _TIMING in told,
            body,
            Served.of(environ, int(status[:3]), len(body)),
        )
        if self.version() is version:
            self.kept.put(head, kept, size)

    def _came_before(self, head: bytes) -> bool:
        """Whether *head* came already, as far as is remembered."""
        mark = hash(head)
        if mark in self._seen:
            return True
        if len(self._seen) >= _SEEN:
            self._seen.clear()
        self._seen.add(mark)
        return False
