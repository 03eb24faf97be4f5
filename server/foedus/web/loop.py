"""One thread for all connections, and for whatever coroutines wait for (``waiting``): whoever has something goes on.

waitress looks at every connection before each time that it waits, however many do nothing. Here a connection is looked
at only when something has happened to it, and the kernel keeps in mind what each one waits for.
"""

import select
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from itertools import zip_longest
from typing import Any, Protocol

from waitress import wasyncore

from foedus.query import waiting
from foedus.query.waiting import Wait

_FEW = 16
"""Files that are attended to in the order in which the kernel tells of them."""
_LONG = 0.02
"""Seconds after which connections to attend to are left to the next turn."""
_LATE = 0.05
"""Seconds by which a coroutine may be carried on later than it asked for."""


class Task(Protocol):
    """Something that is carried on until it waits, again and again."""

    def step(self) -> None:
        """Carry it on; called in the loop's thread."""


class Loop:
    """Watches the *files* of waitress, by number, and carries tasks on; *wake* ends its sleep, from any thread."""

    def __init__(self, files: dict[int, Any], wake: Callable[[], None]) -> None:
        self.files = files
        self.wake = wake
        self.thread = 0
        self._poll = select.epoll()
        self._watched: dict[int, int] = {}
        self._stirred: deque[Any] = deque()
        self._waiting: dict[Task, Wait] = {}
        self._by_file: dict[int, Task] = {}
        self._ready: deque[tuple[Task, Wait]] = deque()
        self._next_look = 0.0

    # ── from any thread ──

    def stir(self, file: Any) -> None:
        """Look at *file*, one of the files, again: what it waits for may be something else now."""
        self._stirred.append(file)
        self._wake_from_elsewhere()

    def _resume(self, task: Task, awaited: Wait) -> None:
        self._ready.append((task, awaited))
        self._wake_from_elsewhere()

    def _wake_from_elsewhere(self) -> None:
        if threading.get_ident() != self.thread:
            self.wake()

    # ── from its own ──

    def put_off(self, task: Task, awaited: Wait) -> None:
        """Carry *task* on once what it awaits has happened."""
        self._waiting[task] = awaited
        if isinstance(awaited.what, int):
            self._by_file[awaited.what] = task
            self._poll.register(awaited.what, select.EPOLLIN)
        else:
            awaited.what.tell(partial(self._resume, task, awaited))

    def carry_on(self, task: Task) -> None:
        """Carry *task* on, whether or not what it awaits has happened; nothing if it awaits nothing."""
        awaited = self._waiting.pop(task, None)
        if awaited is None:
            return
        if isinstance(awaited.what, int):
            del self._by_file[awaited.what]
            self._poll.unregister(awaited.what)
        task.step()

    def forget(self, number: int) -> None:
        """The file with that *number* is about to be closed."""
        if self._watched.pop(number, None):
            self._poll.unregister(number)

    def turn(self, seconds: float) -> None:
        """Let everybody go on who can, after a sleep of so many *seconds* at most where nobody can."""
        self.thread = threading.get_ident()
        with waiting.not_here():
            self._turn(seconds)

    def _turn(self, seconds: float) -> None:
        self._look_again()
        while self._ready:
            task, awaited = self._ready.popleft()
            if self._waiting.get(task) is awaited:
                self.carry_on(task)
        if self._stirred:
            # What has just ended may have more to do.
            seconds = 0.0
        elif self._waiting:
            seconds = min(seconds, _LATE)
        self._attend(self._poll.poll(seconds))
        now = time.monotonic()
        if self._waiting and now >= self._next_look:
            self._next_look = now + _LATE
            for each in [task for task, awaited in self._waiting.items() if awaited.until <= now]:
                self.carry_on(each)

    def _look_again(self) -> None:
        while self._stirred:
            file = self._stirred.popleft()
            self._touch(file, getattr(file, "go_on", None))

    def _touch(self, file: Any, go_on: Callable[[], object] | None) -> None:
        """Let *file* go on, and the kernel know what it waits for then."""
        try:
            if go_on:
                go_on()
            self._look_at(file)
        except Exception:
            # As waitress does it: what is wrong with one file is logged, and closes that one.
            file.handle_error()

    def _attend(self, happened: list[tuple[int, int]]) -> None:
        """Let those go on to whose files something *happened*; where that takes long, the last of them next time."""
        if len(happened) > _FEW:
            happened = self._in_turns(happened)
        until = time.monotonic() + _LONG
        # Who comes first may close the file of another, and a new one get its number, to which nothing has happened.
        meant = [(number, self._by_file.get(number), self.files.get(number)) for number, _ in happened]
        for (_, events), (number, task, file) in zip(happened, meant, strict=True):
            if task is not None:
                if self._by_file.get(number) is task:
                    self.carry_on(task)
            elif file is not None and self.files.get(number) is file:
                self._touch(file, partial(wasyncore.readwrite, file, events))
                if time.monotonic() > until:
                    # The kernel tells of the others again.
                    break

    def _in_turns(self, happened: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """*happened*, what is no client's first; then one connection of each client's address after the other.

        Of an address, the connection comes first that was heard least recently.
        """
        ours: list[tuple[int, int]] = []
        theirs: dict[str, list[tuple[float, int, int]]] = {}
        for number, events in happened:
            file = None if number in self._by_file else self.files.get(number)
            address: str | None = getattr(file, "address", None)
            if address is None:
                ours.append((number, events))
            else:
                theirs.setdefault(address, []).append((file.last_activity, number, events))  # type: ignore[union-attr]
        turns = zip_longest(*(sorted(each) for each in theirs.values()))
        return ours + [each[1:] for turn in turns for each in turn if each]

    def close(self) -> None:
        """Watch nothing more."""
        self._poll.close()

    def _look_at(self, file: Any) -> None:
        """Let the kernel know what *file* waits for now."""
        number = file._fileno
        if number is None:
            return
        wanted = select.EPOLLIN if file.readable() else 0
        if not file.accepting and file.writable():
            wanted |= select.EPOLLOUT
        before = self._watched.get(number, 0)
        if wanted == before:
            return
        if not before:
            self._poll.register(number, wanted)
        elif wanted:
            self._poll.modify(number, wanted)
        else:
            self._poll.unregister(number)
        self._watched[number] = wanted
