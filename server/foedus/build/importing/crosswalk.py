"""The table written by hand that says which codes are which state's: ``data/crosswalk.csv``."""

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from foedus.build.importing import tables

COLUMNS = (
    "state",
    "label",
    "article",
    "iso3",
    "cow",
    "gw",
    "divided_by",
    "other_names",
    "spellings",
    "ended",
    "comment",
)

_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_NUMBER = re.compile(r"(\d{1,3})(?::(\d{4}-\d{2}-\d{2})?/(\d{4}-\d{2}-\d{2})?)?")
_ENDED = re.compile(r"(\d{4}(?:-\d{2}(?:-\d{2})?)?) ([a-z0-9-]+)")

FIRST, LAST = "0000-00-00", "9999-99-99"
"""Bounds of a number that is a state's own: before and after every day."""


@dataclass(frozen=True)
class Share:
    """The days on which a number is a state's, first and last included, as YYYY-MM-DD."""

    number: str
    first: str = FIRST
    last: str = LAST

    @property
    def whole(self) -> bool:
        """Whether no other state has the number at another time."""
        return self.first == FIRST and self.last == LAST


@dataclass(frozen=True)
class State:
    """One row: a state, its names, its current ISO code if it has one, and its shares of the numbers of both lists.

    *divided_by* names the sources for the days on which a number passes from one state of this record to another.
    *ended* is the date and the source of its end where no list tells it; *comment* is printed with the state.
    """

    name: str
    label: str
    article: str
    iso3: str
    cow: tuple[Share, ...]
    gw: tuple[Share, ...]
    divided_by: tuple[str, ...]
    other_names: tuple[str, ...]
    spellings: tuple[str, ...]
    ended: tuple[str, str] | None
    comment: str

    @property
    def called(self) -> str:
        """The name as it stands inside an English sentence."""
        return f"{self.article} {self.label}".strip()


@dataclass(frozen=True)
class Crosswalk:
    """All states, in the order of the file."""

    states: tuple[State, ...]

    def holder(self, scheme: str, number: str, day: str) -> State | None:
        """The state that has *number* of the list *scheme* (``cow`` or ``gw``) on *day*, YYYY-MM-DD."""
        for state in self.states:
            shares: tuple[Share, ...] = getattr(state, scheme)
            if any(share.number == number and share.first <= day <= share.last for share in shares):
                return state
        return None


def read(path: Path) -> Crosswalk:
    """The table in *path*; CannotRead, naming the lines, where it is malformed or says one thing of two states."""
    table = tables.read(path, *((column,) for column in COLUMNS))
    states, wrong = [], []
    seen: dict[tuple[str, str], int] = {}
    for row in table.rows:
        try:
            state = _state(row)
        except tables.BadRow as error:
            wrong.append((row.line, str(error)))
            continue
        states.append(state)
        for kind, key in (("state", state.name), ("label", state.label), ("iso3", state.iso3)):
            if key and seen.setdefault((kind, key), row.line) != row.line:
                wrong.append((row.line, f"{key} stands in line {seen[kind, key]} already"))
    for scheme in ("cow", "gw"):
        held: dict[str, list[tuple[str, str, str]]] = {}
        for state in states:
            for share in getattr(state, scheme):
                held.setdefault(share.number, []).append((share.first, share.last, state.name))
        for number, shares in held.items():
            shares.sort()
            for (_, last, one), (first, _, other) in pairwise(shares):
                if first <= last:
                    line = next(row.line for row in table.rows if row["state"] == other)
                    wrong.append((line, f"the {scheme} number {number} is {one}’s on the same days"))
    if wrong:
        raise tables.refused(table.name, wrong)
    return Crosswalk(tuple(states))


def _state(row: tables.Row) -> State:
    if not _NAME.fullmatch(row["state"]):
        raise tables.BadRow(f"“{row['state']}” is no local name such as united-states")
    if not row["label"]:
        raise tables.BadRow("the label is missing")
    if row["iso3"] and not re.fullmatch("[A-Z]{3}", row["iso3"]):
        raise tables.BadRow(f"“{row['iso3']}” is no ISO alpha-3 code")
    ended = _ENDED.fullmatch(row["ended"])
    if row["ended"] and not ended:
        raise tables.BadRow(f"“{row['ended']}” is no date and source, such as 1991 icow-colonial-history-1-1")
    return State(
        name=row["state"],
        label=row["label"],
        article=row["article"],
        iso3=row["iso3"],
        cow=_shares(row["cow"]),
        gw=_shares(row["gw"]),
        divided_by=tuple(row["divided_by"].split()),
        other_names=tuple(filter(None, row["other_names"].split("|"))),
        spellings=tuple(filter(None, row["spellings"].split("|"))),
        ended=(ended[1], ended[2]) if ended else None,
        comment=row["comment"],
    )


def _shares(text: str) -> tuple[Share, ...]:
    shares = []
    for part in text.split():
        match = _NUMBER.fullmatch(part)
        if not match or (match[2] and match[3] and match[3] < match[2]):
            raise tables.BadRow(f"“{part}” is no number such as 365 or 365:1922-12-30/1991-12-25")
        shares.append(Share(match[1], match[2] or FIRST, match[3] or LAST))
    return tuple(shares)
