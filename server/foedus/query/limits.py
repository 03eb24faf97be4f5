"""What one query may cost, and how many may run: one validated, frozen set of numbers."""

import os
from dataclasses import dataclass, field, fields

from foedus.errors import WrongUsage

MIB = 1 << 20


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
    memory: int = 1024 * MIB
    """Bytes of address space that a worker may take beyond what it began with (507)."""
    answer: int = 100 * MIB
    """Bytes of a serialised answer (507)."""
    text: int = 64 << 10
    """Bytes of a query's text in UTF-8 (413)."""
    depth: int = 100
    """Levels of nested brackets in a query's text (400)."""
    queue: int = 64
    """Askers that may wait for a free worker; the next one is sent away (503)."""
    queue_wait: float = 5.0
    """Seconds that an asker waits for a free worker (503)."""
    stack: int = 256 * MIB
    """Bytes of stack of a worker: the engine's parser recurses, and a text of *text* bytes must not exhaust it."""

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            least = 0 if each.name == "queue" else 1 if isinstance(value, int) else 0.001
            if not least <= value < float("inf"):
                raise WrongUsage(
                    f"{each.name.replace('_', ' ')} cannot be {value}.", f"Give a number not below {least}."
                )

    @classmethod
    def chosen(cls, time_limit: float | None = None, workers: int | None = None) -> "Limits":
        """The defaults, with what the user chose in their place."""
        return cls(
            time_limit=cls.time_limit if time_limit is None else time_limit,
            workers=default_workers() if workers is None else workers,
        )
