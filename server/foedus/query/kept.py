"""Things kept in memory up to a number of bytes; whatever was wanted longest ago goes first."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

_LARGEST = 8
"""A thing is kept if it fills at most one part in so many of the room: no single one pushes all others out."""
_OVERHEAD = 512
"""Bytes that a thing takes beside its own."""


@dataclass(frozen=True)
class Filling:
    """How full it is: *entries* and *bytes* of the *size*; *evictions* are the things dropped for lack of room."""

    entries: int
    bytes: int
    size: int
    evictions: int


class Kept:
    """Room for *size* bytes; its methods may be called from any thread."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._lock = threading.Lock()
        self._things: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._bytes = 0
        self._evictions = 0

    def find(self, key: Hashable) -> Any | None:
        """What is kept under *key*, which is then wanted most recently; None for nothing."""
        with self._lock:
            found = self._things.get(key)
            if found is None:
                return None
            self._things.move_to_end(key)
            return found[0]

    def fits(self, size: int) -> bool:
        """Whether a thing of *size* bytes would be kept."""
        return size + _OVERHEAD <= self.size // _LARGEST

    def put(self, key: Hashable, thing: Any, size: int) -> None:
        """Keep *thing*, of *size* bytes with its key, unless it is too large for the room."""
        if not self.fits(size):
            return
        with self._lock:
            self._remove(key)
            self._things[key] = (thing, size + _OVERHEAD)
            self._bytes += size + _OVERHEAD
            while self._bytes > self.size:
                self._bytes -= self._things.popitem(last=False)[1][1]
                self._evictions += 1

    def drop(self, key: Hashable) -> None:
        """Forget what is kept under *key*."""
        with self._lock:
            self._remove(key)

    def filling(self) -> Filling:
        """How full it is now."""
        with self._lock:
            return Filling(len(self._things), self._bytes, self.size, self._evictions)

    def _remove(self, key: Hashable) -> None:
        before = self._things.pop(key, None)
        if before:
            self._bytes -= before[1]
