"""Who may hold a worker, and who waits: fair between addresses, bounded, and never closed to the pages.

Two kinds of askers come: *open* ones with a query of their own, and *reserved* ones, which are pages, stored questions
and health. Some places are kept for the reserved; one address holds no more than its share of either. Whoever waits
because of its own share stands in nobody's way: the next place goes to the asker whose address holds the fewest.
"""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from foedus.errors import Busy, Cancelled, FoedusError, OverShare
from foedus.query.limits import Limits
from foedus.query.waiting import Signal, happens

Place = TypeVar("Place")
Key = TypeVar("Key")


@dataclass(frozen=True)
class Counts:
    """What became of the askers of one kind since the start, each number a count of queries."""

    asked: int = 0
    """All that came."""
    waited: int = 0
    """Those for which no worker was free at once."""
    busy: int = 0
    """Sent away because the queue was full, the wait too long, or the processes restarted (503)."""
    over_share: int = 0
    """Sent away because their address held or queued its share already (429)."""
    left: int = 0
    """Gone before a worker was free."""


@dataclass(eq=False)
class Held(Generic[Place]):
    """A place in somebody's hands; *waited* is the seconds that it was waited for, 0 where it was free at once."""

    place: Place
    client: str | None
    reserved: bool
    waited: float = 0.0


@dataclass(eq=False)
class _Waiting(Generic[Place]):
    """An asker in a queue; *called* when it was given a place, or an error, and left."""

    client: str | None
    reserved: bool
    came: float
    called: Signal = field(default_factory=Signal)
    given: Held[Place] | None = None
    error: FoedusError | None = None


class Gate(Generic[Place]):
    """The free places, the askers that hold one and those that wait; its methods may be called from any thread."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.idle: list[Place] = []
        self._lock = threading.Lock()
        self._closed: FoedusError | None = None
        self._queues: dict[tuple[str | None, bool], deque[_Waiting[Place]]] = {}
        self._out = 0
        self._reserved = 0
        self._owed: deque[Held[Place]] = deque()
        self._replaced = 0
        self._held: Counter[str] = Counter()
        self._held_open: Counter[str] = Counter()
        self._queued: Counter[str | None] = Counter()
        self._counts: dict[bool, Counter[str]] = {False: Counter(), True: Counter()}

    # ── places ──

    def add(self, place: Place) -> None:
        """A new free place; where it is in place of a lost one, whoever lost that is freed of it."""
        with self._lock:
            if len(self.idle) + self._out + len(self._owed) >= self.limits.workers:
                if self._owed:
                    self._release(self._owed.popleft())
                else:
                    self._replaced += 1
            self.idle.append(place)
            self._hand_out()

    def discard(self, place: Place) -> bool:
        """Take *place* out if it is free; whether it was."""
        with self._lock:
            if place not in self.idle:
                return False
            self.idle.remove(place)
            return True

    def close(self, reason: FoedusError) -> None:
        """Send away all that wait, and all that come, with *reason*."""
        with self._lock:
            self._closed = reason
            for each in [each for queue in self._queues.values() for each in queue]:
                self._leave(each)
                each.error = reason
                each.called.happen()

    def open(self) -> None:
        """Let askers in."""
        with self._lock:
            self._closed = None

    # ── askers ──

    async def take(self, client: str | None, reserved: bool, cancelled: Callable[[], bool] | None) -> Held[Place]:
        """A place for *client*, None being ourselves, who has no share.

        Raises Busy if the queue is full, the wait is too long or the gate is closed; OverShare where the client's own
        queries are the reason; Cancelled once *cancelled* is true, looked at five times a second.
        """
        counts = self._counts[reserved]
        with self._lock:
            counts["asked"] += 1
            if self._closed:
                counts["busy"] += 1
                raise self._closed
            if self._may_take(client, reserved):
                return self._hold(client, reserved)
            counts["waited"] += 1
            me = self._queue(client, reserved)
        try:
            await happens(me.called, me.came + self.limits.queue_wait, cancelled)
        except BaseException:
            self._give_up(me)
            raise
        with self._lock:
            if me.given:
                me.given.waited = time.monotonic() - me.came
                return me.given
            if me.error:
                counts["busy"] += 1
                raise me.error
            self._leave(me)
            if cancelled and cancelled():
                counts["left"] += 1
                raise Cancelled("The asker left while waiting for a worker.")
            if self._has_its_share(client, reserved):
                counts["over_share"] += 1
                raise self._over_share()
            counts["busy"] += 1
            raise Busy(f"No worker became free within {self.limits.queue_wait:g} s.", "Try again in a few seconds.")

    def give(self, held: Held[Place], back: bool) -> None:
        """End a hold. With *back*, its place is free again; otherwise it is lost, and counts as held until replaced.

        So whoever has its workers killed, one after the other, waits for the new ones itself.
        """
        with self._lock:
            self._out -= 1
            if back:
                self.idle.append(held.place)
                self._release(held)
            elif self._replaced:
                self._replaced -= 1
                self._release(held)
            else:
                self._owed.append(held)
            self._hand_out()

    def counts(self, reserved: bool) -> Counts:
        """What became of the askers of one kind."""
        with self._lock:
            return Counts(**self._counts[reserved])

    @property
    def waiting(self) -> int:
        """Askers that wait now."""
        return self._queued.total()

    # ── with the lock held ──

    def _may_take(self, client: str | None, reserved: bool) -> bool:
        """Whether there is a place that this asker may have."""
        kept = 0 if reserved else max(0, self.limits.kept - self._reserved)
        return len(self.idle) > kept and not self._has_its_share(client, reserved)

    def _has_its_share(self, client: str | None, reserved: bool) -> bool:
        if client is None:
            return False
        if not reserved and self._held_open[client] >= self.limits.share_of_open:
            return True
        return self._held[client] >= self.limits.share

    def _release(self, held: Held[Place]) -> None:
        self._reserved -= held.reserved
        if held.client is not None:
            _lessen(self._held, held.client)
            if not held.reserved:
                _lessen(self._held_open, held.client)

    def _hold(self, client: str | None, reserved: bool) -> Held[Place]:
        self._out += 1
        self._reserved += reserved
        if client is not None:
            self._held[client] += 1
            if not reserved:
                self._held_open[client] += 1
        return Held(self.idle.pop(), client, reserved)

    def _queue(self, client: str | None, reserved: bool) -> _Waiting[Place]:
        counts = self._counts[reserved]
        if client is not None and self._queued[client] >= self.limits.share_of_queue:
            counts["over_share"] += 1
            raise self._over_share()
        waiting = self.waiting
        # A queue full of open askers still has room for reserved ones.
        if waiting >= (self.limits.longest_queue if reserved else self.limits.queue):
            counts["busy"] += 1
            raise Busy(f"{waiting} queries are waiting already.", "Try again in a few seconds.")
        me: _Waiting[Place] = _Waiting(client, reserved, time.monotonic())
        self._queues.setdefault((client, reserved), deque()).append(me)
        self._queued[client] += 1
        return me

    def _leave(self, me: _Waiting[Place]) -> None:
        """Take *me* out of its queue."""
        queue = self._queues[me.client, me.reserved]
        queue.remove(me)
        if not queue:
            del self._queues[me.client, me.reserved]
        _lessen(self._queued, me.client)

    def _hand_out(self) -> None:
        """Give free places to those that wait, first to whose address holds the fewest, then to who came first."""
        while self.idle and (able := [queue[0] for asker, queue in self._queues.items() if self._may_take(*asker)]):
            # A lookup in a Counter adds nothing to it; None holds nothing.
            first = min(able, key=lambda each: (self._held[each.client] if each.client is not None else 0, each.came))
            self._leave(first)
            first.given = self._hold(first.client, first.reserved)
            first.called.happen()

    def _over_share(self) -> OverShare:
        run, wait = self.limits.share_of_open, self.limits.share_of_queue
        return OverShare(
            f"Your address has its share: {run} of its queries may run at once, and {wait} more may wait.",
            "Wait for your other queries, and send fewer at once.",
        )

    # ── without the lock ──

    def _give_up(self, me: _Waiting[Place]) -> None:
        """End the wait of an asker that is carried on no more."""
        with self._lock:
            if not (me.given or me.error):
                self._leave(me)
        if me.given:
            self.give(me.given, back=True)


def _lessen(counter: Counter[Key], key: Key) -> None:
    """Count *key* down, and forget it at nothing: there are more addresses than memory."""
    counter[key] -= 1
    if counter[key] <= 0:
        del counter[key]
