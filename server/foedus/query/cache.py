"""Answers kept in memory, in front of whatever answers queries.

A dataset never changes under its version, so an answer to a query stays right as long as that version is served. Kept
are whole answers under the version, the query's text, its graphs and its format; never those of queries that say
something else each time (see ``scan``), of an engine whose data may change, or errors. The number of bytes is bounded,
and what was asked for longest ago goes first.
"""

import threading
from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import asdict, dataclass, field
from time import monotonic

from foedus.errors import AnswerTooLarge, BadQuery, Busy, Cancelled, FoedusError, NotAcceptable, QueryTooSlow
from foedus.query import formats
from foedus.query.dataset import Description
from foedus.query.kept import Kept
from foedus.query.limits import MIB
from foedus.query.pool import Answer, Asker, Request
from foedus.query.waiting import Signal, Wait, happens

SIZE = 64 * MIB
"""Bytes that a cache holds where nothing else is said."""

_LOOK = 0.1
"""Seconds between two looks at whether the asker has left."""
_LONG = 60.0
"""Seconds between two looks where nobody can leave."""
_PATIENCE = 0.1
"""Seconds that an asker waits for the answer to another one's identical query.

Longer would let whoever has queued many queries hold up everybody who asks one of the same.
"""
_SHARED = (AnswerTooLarge, BadQuery, NotAcceptable, QueryTooSlow)
"""Errors that are the query's fault, and so the same for all who wait for its answer."""


@dataclass(frozen=True)
class Statistics:
    """What a cache holds now (*entries*, *bytes* of the *size* that it may), and what it did since it was made.

    *hits* are answers given from memory, *shared* those that an identical query of the same moment brought, *misses*
    those that were asked for, *uncacheable* the queries that are never kept, *evictions* the answers that were dropped
    for lack of room.
    """

    hits: int = 0
    shared: int = 0
    misses: int = 0
    uncacheable: int = 0
    evictions: int = 0
    entries: int = 0
    bytes: int = 0
    size: int = 0


@dataclass(eq=False)
class _Flight:
    """A query that is being asked: by whom, and what came of it once it is *done*."""

    asker: Hashable
    done: Signal = field(default_factory=Signal)
    answer: Answer | None = None
    error: FoedusError | None = None


class Cache(Asker):
    """An Asker that answers from memory what *asker* has answered before; ``ask`` may be called from any thread."""

    def __init__(self, asker: Asker, size: int = SIZE) -> None:
        """A cache of *size* bytes; 0 keeps nothing and only joins identical queries of the same moment."""
        self.asker = asker
        self.limits = asker.limits
        self.kept = Kept(size)
        self._lock = threading.Lock()
        self._flights: dict[Hashable, _Flight] = {}
        self._seats = threading.BoundedSemaphore(self.limits.followers)
        self._seen: Counter[str] = Counter()

    @property
    def dataset(self) -> Description:
        """That of what it stands before."""
        return self.asker.dataset

    async def asking(self, request: Request, cancelled: Callable[[], bool] | None = None) -> Answer:
        """The answer to *request* from memory, else from the asker behind; the same errors."""
        started = monotonic()
        key = self._key(request)
        if key is None:
            self._count("uncacheable")
            return await self.asker.asking(request, cancelled)
        asker = (request.client, request.reserved)
        answer, flight, leads = self._join(key, key, asker)
        if flight and not leads:
            # Who waits here may hold a thread of the server, and the queue in front of the workers knows nothing of it.
            if not self._seats.acquire(blocking=False):
                self._count("misses")
                return await self.asker.asking(request, cancelled)
            try:
                if flight.asker != asker and not await happens(flight.done, monotonic() + _PATIENCE):
                    answer, flight, leads = self._join(key, (key, asker), asker)
                if flight and not leads:
                    answer = await self._follow(flight, request, cancelled)
            finally:
                self._seats.release()
        if flight and leads:
            return await self._lead(key, flight, request, cancelled)
        if answer is None:
            self._count("misses")
            return await self.asker.asking(request, cancelled)
        took = (monotonic() - started) * 1000
        return Answer(answer.body, answer.media_type, answer.kind, took, 0.0, answer.rows)

    def statistics(self) -> Statistics:
        """What it holds now, and what it did since it was made."""
        with self._lock:
            return Statistics(**self._seen, **asdict(self.kept.filling()))

    def _key(self, request: Request) -> Hashable | None:
        """What an answer is kept under; None for a query whose answers are not kept. Raises what asking would."""
        seen = request.scanned(self.limits)
        dataset = self.dataset
        if seen.kind is None or seen.volatile or dataset.changes or request.dry:
            return None
        choice = formats.choose(seen.kind, request.accept, request.form)
        graphs = (request.default_graphs, request.named_graphs)
        return (dataset.sha256, request.text, graphs, choice.content_type)

    def _join(self, key: Hashable, place: Hashable, asker: Hashable) -> tuple[Answer | None, _Flight | None, bool]:
        """The answer kept under *key*; else the flight at *place*, and whether it was opened just now."""
        with self._lock:
            if (kept := self.kept.find(key)) is not None:
                self._seen["hits"] += 1
                return kept, None, False
            if place in self._flights:
                return None, self._flights[place], False
            self._flights[place] = flight = _Flight(asker)
            self._seen["misses"] += 1
            return None, flight, True

    async def _lead(
        self, key: Hashable, flight: _Flight, request: Request, cancelled: Callable[[], bool] | None
    ) -> Answer:
        """Ask, for this asker and for all who wait for the same."""
        try:
            flight.answer = await self.asker.asking(request, cancelled)
            self._keep(key, request, flight.answer)
            return flight.answer
        except _SHARED as error:
            flight.error = error
            raise
        finally:
            with self._lock:
                for place in [place for place in (key, (key, flight.asker)) if self._flights.get(place) is flight]:
                    del self._flights[place]
            flight.done.happen()

    async def _follow(self, flight: _Flight, request: Request, cancelled: Callable[[], bool] | None) -> Answer | None:
        """What came of *flight*; None if its asker was sent away or left, which says nothing about the query."""
        while not flight.done.happened:
            await Wait(flight.done, monotonic() + (_LOOK if cancelled else _LONG))
            if cancelled and cancelled() and not flight.done.happened:
                raise Cancelled("The asker left while the query ran.")
        if flight.error:
            error = flight.error
            raise type(error)(error.message, error.remedy, error.line, error.column)
        if flight.answer:
            self._count("shared")
        return flight.answer

    def _keep(self, key: Hashable, request: Request, answer: Answer) -> None:
        """Keep *answer* if it is small enough and of the version that *key* names."""
        # A text in another script than Latin takes up to four bytes a character.
        size = len(answer.body) + 4 * len(request.text)
        if self.kept.fits(size) and self._key_now(request) == key:
            self.kept.put(key, answer, size)

    def _key_now(self, request: Request) -> Hashable | None:
        """The key again: another one, or None, if the dataset was replaced while the query ran."""
        try:
            return self._key(request)
        except Busy:
            return None

    def _count(self, event: str) -> None:
        with self._lock:
            self._seen[event] += 1
