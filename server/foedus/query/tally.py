"""Count the rows of an answer while its bytes go by: the engine writes rows, and does not say how many.

In each format there are bytes that stand once for each row and, outside of strings, nowhere else. Nothing is parsed.
"""

from collections.abc import Callable
from functools import cache
from typing import Protocol

WHOLE = 64 << 10
"""Bytes of an answer up to which it is looked at as a whole, which is faster."""

_EMPTY = b"[]}}"
"""How the engine's JSON of no rows ends."""


class Tally(Protocol):
    """Counts the rows of one answer."""

    def add(self, piece: bytes) -> None:
        """Take in the next bytes of the answer."""

    def rows(self) -> int:
        """The rows of the answer, once it is whole."""


def of(form: str) -> Tally:
    """What counts the rows of a SELECT's answer that the engine writes in the format called *form*."""
    return _TALLIES[form]()


class _Marks:
    """Counts *mark*, which no value can hold; *others* are those that do not stand for rows."""

    def __init__(self, mark: bytes, others: int = 0) -> None:
        self.mark = mark
        self.found = -others
        self.rest = b""

    def add(self, piece: bytes) -> None:
        piece = self.rest + piece
        self.found += piece.count(self.mark)
        # Shorter than the mark, so that none is counted twice.
        self.rest = piece[-len(self.mark) + 1 :] if len(self.mark) > 1 else b""

    def rows(self) -> int:
        return self.found


class _Unquoted:
    """Counts *mark* outside of double quotes, all bytes but those of *structure* left out.

    Where *escapes*, a backslash takes the meaning from the byte behind it.
    """

    def __init__(self, mark: bytes, structure: bytes, others: int, escapes: bool) -> None:
        self.marks = _Marks(mark, others)
        self.escapes = escapes
        self.rest = b""
        self.is_open = False
        self.flesh = _flesh(structure)

    def add(self, piece: bytes) -> None:
        piece = self.rest + piece
        self.rest = b""
        if self.escapes and b"\\" in piece:
            # An escape that the end of the piece cuts through is left to the next one.
            whole = piece.rstrip(b"\\")
            piece, self.rest = whole, piece[len(whole) :]
            piece = piece.replace(b"\\\\", b"").replace(b'\\"', b"")
        bones = piece.translate(None, self.flesh)
        parts = (b'"' + bones if self.is_open else bones).split(b'"')
        self.is_open = len(parts) % 2 == 0
        self.marks.add(b"".join(parts[::2]))

    def rows(self) -> int:
        return self.marks.rows()


@cache
def _flesh(structure: bytes) -> bytes:
    """All bytes that are neither of *structure* nor double quotes."""
    return bytes(each for each in range(256) if each not in structure + b'"')


class _Json:
    """Counts what separates rows: ``},{`` before the name of a variable, or before the end of an empty row."""

    def __init__(self) -> None:
        self.held: list[bytes] = []
        self.size = 0
        self.end = b""
        self.separators = _Unquoted(b"},{", b"{},:[]", 0, escapes=True)

    def add(self, piece: bytes) -> None:
        self.size += len(piece)
        self.end = (self.end + piece[-len(_EMPTY) :])[-len(_EMPTY) :]
        self.held.append(piece)
        if self.size > WHOLE:
            self._look_closely()

    def rows(self) -> int:
        if self.end == _EMPTY:
            return 0
        if self.held:
            whole = b"".join(self.held)
            rows = whole.count(b"},{")
            # A quote that no backslash escapes opens the name of a variable, or closes a string; then a value ends.
            if rows == whole.count(b'},{"') and b'},{"}' not in whole and b'},{",' not in whole:
                return rows + 1
            self._look_closely()
        return self.separators.rows() + 1

    def _look_closely(self) -> None:
        for each in self.held:
            self.separators.add(each)
        self.held.clear()


_TALLIES: dict[str, Callable[[], Tally]] = {
    "json": _Json,
    "xml": lambda: _Marks(b"<result>"),
    "csv": lambda: _Unquoted(b"\n", b"\n", 1, escapes=False),
    "tsv": lambda: _Marks(b"\n", 1),
}
