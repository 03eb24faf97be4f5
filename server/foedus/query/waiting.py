"""Waiting, told apart from how it is done: who asks is a coroutine, which a thread or a loop carries on.

A thread that carries one on sleeps while it waits (`run`). A loop, which serves many at once, goes on with the others,
and comes back once what is awaited has happened. A coroutine may be carried on too soon, and looks for itself.
"""

import select
import threading
import time
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar

Result = TypeVar("Result")

LOOK = 0.2
"""Seconds between two looks at whether an asker has left."""


class Signal:
    """Something that happens once, in whichever thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: list[Callable[[], object]] = []
        self.happened = False

    def happen(self) -> None:
        """Let it happen, and call all who are to be told."""
        with self._lock:
            self.happened = True
            calls, self._calls = self._calls, []
        for call in calls:
            call()

    def tell(self, call: Callable[[], object]) -> None:
        """Let *call* be called when it happens, in the thread where it does; at once where it has happened."""
        with self._lock:
            if not self.happened:
                self._calls.append(call)
                return
        call()

    def wait(self, seconds: float) -> None:
        """Sleep until it happens, no longer than so many *seconds*."""
        asleep = threading.Lock()
        asleep.acquire()
        self.tell(asleep.release)
        if not asleep.acquire(timeout=max(0.0, seconds)):
            with self._lock:
                self._calls = [each for each in self._calls if each != asleep.release]


@dataclass(frozen=True, eq=False)
class Wait:
    """To be awaited: that *what* happens, or that *until* has come, on the clock ``time.monotonic``.

    *what* is a signal, or the number of an open file that something can be read from.
    """

    what: Signal | int
    until: float

    def __await__(self) -> Generator["Step", None, None]:
        yield self

    def sleep(self) -> None:
        """Wait for it in this thread."""
        with asleep():
            seconds = self.until - time.monotonic()
            if isinstance(self.what, Signal):
                self.what.wait(seconds)
            elif seconds > 0:
                poll = select.poll()
                poll.register(self.what, select.POLLIN)
                poll.poll(1000 * seconds)


class Elsewhere:
    """To be awaited before what takes long by itself: from then on, a thread of its own carries the coroutine on."""

    def __await__(self) -> Generator["Step", None, None]:
        yield self

    def sleep(self) -> None:
        """This is that thread."""


Step = Wait | Elsewhere
"""What a coroutine of ours may await."""

ELSEWHERE = Elsewhere()


def next_look(until: float, cancelled: Callable[[], bool] | None) -> float:
    """When to look again at *cancelled*, where there is one: not later than *until*."""
    return min(until, time.monotonic() + LOOK) if cancelled else until


async def happens(signal: Signal, until: float, cancelled: Callable[[], bool] | None = None) -> bool:
    """Wait for *signal* until *until*, or until *cancelled* is true; whether it happened."""
    while not signal.happened and time.monotonic() < until and not (cancelled and cancelled()):
        await Wait(signal, next_look(until, cancelled))
    return signal.happened


class Turn(Protocol):
    """That of a thread which computes in turn with others."""

    def come(self, again: bool) -> None:
        """Wait for it; *again* where this thread goes on with what it had begun."""

    def leave(self) -> None:
        """Let others have theirs."""


_HERE = threading.local()


@contextmanager
def in_turn(turn: Turn) -> Iterator[None]:
    """In the context, which begins when it is its *turn*, this thread computes in turn with others."""
    turn.come(again=False)
    _HERE.turn = turn
    try:
        yield
    finally:
        _HERE.turn = None
        turn.leave()


@contextmanager
def asleep() -> Iterator[None]:
    """In the context, this thread only waits for something, and others have their turns; its own one ends it.

    So whoever comes out of it with a lock waits for others while holding it: these must be asleep where they wait for
    that lock.
    """
    turn: Turn | None = getattr(_HERE, "turn", None)
    if turn is None:
        yield
        return
    _HERE.turn = None
    turn.leave()
    try:
        yield
    finally:
        turn.come(again=True)
        _HERE.turn = turn


def give_way() -> None:
    """Let others have their turns before this thread, which computes for long, goes on."""
    with asleep():
        pass


def acquired(lock: threading.Lock, seconds: float) -> bool:
    """Whether this thread has got *lock* within so many *seconds*, in which others have their turns."""
    with asleep():
        return lock.acquire(timeout=seconds)


class WouldBlock(Exception):
    """A thread that carries many coroutines on was about to sleep for one of them."""


@contextmanager
def not_here() -> Iterator[None]:
    """In the context, this thread carries many coroutines on, and `run` refuses to sleep in it."""
    _HERE.is_loop = True
    try:
        yield
    finally:
        _HERE.is_loop = False


def run(asking: Coroutine[Step, None, Result]) -> Result:
    """Carry *asking* on to its end in this thread, and return what it does, or raise what it raises.

    Raises WouldBlock in the thread of a loop, before *asking* has begun.
    """
    try:
        if getattr(_HERE, "is_loop", False):
            raise WouldBlock
        while True:
            asking.send(None).sleep()
    except StopIteration as end:
        result: Result = end.value
        return result
    finally:
        asking.close()
