"""The threads that make pages, and whose turn it is: no client is served at the cost of the others.

Threads of one process compute one at a time, however many there are, and the loop that serves everybody waits with
them. So only a few compute at once: the others sleep, or wait for their turn. Clients have turns one after the other:
whoever sends a thousand requests waits for a thousand turns of its own, and the next client for one of them.
"""

import logging
import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from foedus.query import waiting

AT_ONCE = 3
"""Threads that compute at once; one fewer for one client."""

Waiting = TypeVar("Waiting")

Client = str | None
"""The address of whoever asked, as far as it is known."""


class Task(Protocol):
    """What a thread is to do."""

    @property
    def client(self) -> Client:
        """Who asked for it."""

    def service(self) -> None:
        """Do it."""


class Queues(Generic[Waiting]):
    """What waits, in a queue for each client; the clients have turns one after the other. For one thread at a time."""

    def __init__(self) -> None:
        self._queues: OrderedDict[Client, deque[Waiting]] = OrderedDict()

    def put(self, client: Client, what: Waiting, first: bool = False) -> None:
        """Let *what* wait behind all else of *client*'s, or before it."""
        queue = self._queues.setdefault(client, deque())
        queue.appendleft(what) if first else queue.append(what)

    def drop(self, client: Client, what: Waiting) -> bool:
        """Let *what* wait no more; whether it did."""
        queue = self._queues.get(client)
        if queue is None or what not in queue:
            return False
        queue.remove(what)
        if not queue:
            del self._queues[client]
        return True

    def take(self, may: Callable[[Client], bool]) -> tuple[Client, Waiting] | None:
        """The client whose turn it is, among those that *may*, and what it waited with first; None if nobody's."""
        for client, queue in self._queues.items():
            if may(client):
                what = queue.popleft()
                if queue:
                    self._queues.move_to_end(client)
                else:
                    del self._queues[client]
                return client, what
        return None


class Floor:
    """Where so many threads compute *at_once*, of one client one fewer; may be used from any thread.

    Those on the floor may wait for one that is to come, which ought not to be. So where nobody has come or left for
    *patience* seconds, or nobody of a client that has as many there as it may, one more comes all the same.
    """

    def __init__(self, at_once: int, patience: float = 10.0) -> None:
        self.patience = patience
        self._free = at_once
        self._most = max(1, at_once - 1)
        self._here: Counter[Client] = Counter()
        self._moved = 0.0
        self._moved_of: dict[Client, float] = {}
        self._lock = threading.Lock()
        self._queues: Queues[threading.Lock] = Queues()

    def come(self, client: Client, again: bool = False) -> None:
        """Wait for a turn of *client*'s; then this thread is on the floor.

        One that comes *again*, with what others may need, goes before its client's new ones.
        """
        with self._lock:
            if self._free > 0 and self._may_come(client):
                self._enter(client)
                return
            called = threading.Lock()
            called.acquire()
            self._queues.put(client, called, first=again)
            left = self.patience
        while not called.acquire(timeout=left):
            with self._lock:
                moved = self._moved if self._may_come(client) else self._moved_of[client]
                left = moved + self.patience - time.monotonic()
                if left <= 0:
                    if self._queues.drop(client, called):
                        self._enter(client)
                    return

    def leave(self, client: Client) -> None:
        """This thread of *client*'s, which is on the floor, lets the next one on."""
        with self._lock:
            self._free += 1
            self._moved = self._moved_of[client] = time.monotonic()
            self._here[client] -= 1
            if not self._here[client]:
                del self._here[client], self._moved_of[client]
            if self._free > 0 and (following := self._queues.take(self._may_come)):
                self._enter(following[0])
                following[1].release()

    # ── with the lock held ──

    def _may_come(self, client: Client) -> bool:
        return self._here[client] < self._most

    def _enter(self, client: Client) -> None:
        self._free -= 1
        self._moved = self._moved_of[client] = time.monotonic()
        self._here[client] += 1


class Turn(waiting.Turn):
    """The turns of a thread that serves *client*."""

    def __init__(self, floor: Floor, client: Client) -> None:
        self.floor = floor
        self.client = client

    def come(self, again: bool) -> None:
        self.floor.come(self.client, again)

    def leave(self) -> None:
        self.floor.leave(self.client)


class Crew:
    """So many *threads*, each of which does one thing after the other. A quarter of them is never with one client."""

    def __init__(self, threads: int) -> None:
        self._most = threads - threads // 4
        self._floor = Floor(AT_ONCE)
        self._change = threading.Condition()
        self._tasks: Queues[Task] = Queues()
        self._busy: Counter[Client] = Counter()
        self._over = False
        for number in range(threads):
            threading.Thread(target=self._work, name=f"foedus-{number}", daemon=True).start()

    def add_task(self, task: Task) -> None:
        """Let a thread do *task* when it is its client's turn."""
        client = task.client
        with self._change:
            self._tasks.put(client, task)
            self._change.notify()

    def leave(self) -> None:
        """Let each thread end, once there is nothing left for it to do."""
        with self._change:
            self._over = True
            self._change.notify_all()

    def _work(self) -> None:
        """Do one thing after the other; the life of a thread."""
        while (taken := self._take()) is not None:
            client, task = taken
            try:
                with waiting.in_turn(Turn(self._floor, client)):
                    task.service()
            except Exception:
                logging.getLogger("foedus").exception("A request failed.")
            with self._change:
                self._busy[client] -= 1
                if not self._busy[client]:
                    del self._busy[client]
            # A thread that waits keeps no connection alive.
            del taken, task

    def _take(self) -> tuple[Client, Task] | None:
        """What is next to be done, and for whom; None where that is nothing, and never will be."""
        with self._change:
            while (taken := self._tasks.take(self._may_have_one_more)) is None:
                if self._over:
                    return None
                self._change.wait()
            self._busy[taken[0]] += 1
            return taken

    def _may_have_one_more(self, client: Client) -> bool:
        return self._busy[client] < self._most
