"""What one query may cost, and how many may run: one validated, frozen set of numbers."""

import math
import os
import re
from dataclasses import dataclass, field, fields

from foedus.errors import WrongUsage

KIB, MIB, GIB, TIB = 1 << 10, 1 << 20, 1 << 30, 1 << 40

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMG])(?:i?B)?", re.IGNORECASE)
_UNITS = {"K": KIB, "M": MIB, "G": GIB}

_BOUNDS: dict[str, tuple[float, float]] = {
    "workers": (1, 1024),
    "time_limit": (0.001, 86_400.0),
    "memory": (16 * MIB, TIB),
    "answer": (KIB, 64 * GIB),
    "text": (1, GIB),
    "depth": (1, 10_000),
    "queue": (0, 10_000),
    "queue_wait": (0.001, 3_600.0),
    "stack": (MIB, TIB),
}


def default_workers() -> int:
    """Eight, and at least four per core: many idle clients must not make a small query wait."""
    return max(8, 4 * (os.cpu_count() or 1))


@dataclass(frozen=True)
class Limits:
    """Every limit of the asking side; raises WrongUsage for a value that makes no sense."""

    workers: int = field(default_factory=default_workers)
    """Processes that answer queries, each one query at a time."""
    time_limit: float = 20.0
    """Seconds from handing a query to a worker until its whole answer is there; then the worker is killed (504)."""
    memory: int = GIB
    """Bytes of address space that a worker may take beyond what it began with (507)."""
    answer: int = 100 * MIB
    """Bytes of a serialised answer (507)."""
    text: int = 64 * KIB
    """Bytes of a query's text in UTF-8 (413)."""
    depth: int = 100
    """Levels of nested brackets in a query's text (400)."""
    queue: int = 128
    """Askers that may wait for a free worker; the next one is sent away (503)."""
    queue_wait: float = 5.0
    """Seconds that an asker waits for a free worker (503, or 429 where its own queries are the reason)."""
    stack: int = 256 * MIB
    """Bytes of stack of a worker: the engine's parser recurses, and a text of *text* bytes must not exhaust it."""

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            least, most = _BOUNDS[each.name]
            if not least <= value <= most:
                sized = each.name in ("memory", "answer", "stack")
                shown, low, high = (shown_size(n) if sized else f"{n:g}" for n in (value, least, most))
                raise WrongUsage(
                    f"The {_WORDS.get(each.name, each.name.replace('_', ' '))} cannot be {shown}.",
                    f"Give a value from {low} to {high}.",
                )

    @property
    def kept(self) -> int:
        """Workers that only pages, stored questions and health may take: two where there are four or more."""
        return min(2, self.workers // 2)

    @property
    def share(self) -> int:
        """Workers that one address may hold: half of them, but one for each kind of asker where there are two."""
        return max(min(2, self.workers), self.workers // 2)

    @property
    def share_of_open(self) -> int:
        """Workers that one address may hold with queries of its own: one fewer, so that it still sees pages."""
        return max(1, self.share - 1)

    @property
    def share_of_queue(self) -> int:
        """Askers of one address that may wait; the next one is sent away (429)."""
        return max(1, self.queue // 2)

    @property
    def longest_queue(self) -> int:
        """Askers that may wait, those counted for which places in the queue are kept."""
        return self.queue + max(1, self.queue // 8)

    @property
    def followers(self) -> int:
        """Askers that may wait for the answer to somebody's identical query in place of a worker."""
        return max(1, self.queue // 8)

    @property
    def askers(self) -> int:
        """Threads that a server needs so that none is ever lacking because others wait or compute."""
        return self.workers + self.longest_queue + self.followers + 8

    @classmethod
    def chosen(
        cls,
        time_limit: float | None = None,
        workers: int | None = None,
        memory: int | None = None,
        answer: int | None = None,
    ) -> "Limits":
        """The defaults, with what the user chose in their place."""
        return cls(
            time_limit=cls.time_limit if time_limit is None else time_limit,
            workers=default_workers() if workers is None else workers,
            memory=cls.memory if memory is None else memory,
            answer=cls.answer if answer is None else answer,
        )


_WORDS = {"workers": "number of workers", "memory": "memory limit", "answer": "answer limit"}


def size(text: str) -> int:
    """The bytes that *text* means, such as ``512M`` or ``1.5 GiB``; WrongUsage for anything else.

    K, M and G are powers of 1024, as everywhere in this program. A unit is required: nobody should have to guess it.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise WrongUsage(f"“{text}” is not a size.", "Give a number with its unit, such as 512M or 2G.")
    return math.floor(float(match[1]) * _UNITS[match[2].upper()])


def shown_size(size_in_bytes: float) -> str:
    """*size_in_bytes* in the largest unit in which it is at least one."""
    for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if abs(size_in_bytes) >= unit:
            return f"{size_in_bytes / unit:.4g} {name}"
    return f"{size_in_bytes:g} bytes"
