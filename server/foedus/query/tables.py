"""The tables that researchers use, by alliance, spell and year, computed on demand from the record and never stored.

A year counts if what is asked held on one day of it at least. Ties between two states grow with the square of an
alliance's parties, so that only what a table needs is computed, and no more than ``MOST_CELLS`` pairs and years.
"""

import csv
import datetime
import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from foedus import names
from foedus.errors import AnswerTooLarge
from foedus.query.codebook import COLUMNS, TITLES, Column
from foedus.query.record import (
    COW,
    FAR,
    GLEDITSCH_WARD,
    KINDS,
    READINGS,
    Body,
    Record,
    Span,
    Spell,
    Wording,
    new_year,
    year_of,
    years,
)

Value = int | str | None
Row = tuple[Value, ...]

MOST_CELLS = 1_000_000
"""Pairs of states and years that are held in memory for one set of tables, at some 600 bytes each, unless told else."""

_BIT = {kind: 1 << place for place, kind in enumerate(KINDS)}
_LAST_CODE = 1 << 30


@dataclass(frozen=True)
class Table:
    """One table: *rows* are in its order, and a cell that is None is empty."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]

    def csv(self) -> bytes:
        """The table as CSV (RFC 4180, in UTF-8, a line feed after each row); equal tables are equal bytes."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([column.name for column in self.columns])
        writer.writerows(self.rows)
        return text.getvalue().encode()


@dataclass(slots=True)
class _Cell:
    """What ties two states, *a* and *b*, in one year.

    *given* and *taken* hold, by reading, the kinds of pledge of *a* to *b* and of *b* to *a*, as bits.
    """

    sure: int = len(READINGS)
    given: list[int] = field(default_factory=lambda: [0, 0, 0])
    taken: list[int] = field(default_factory=lambda: [0, 0, 0])
    silent: bool = False
    interrupted: bool = False
    treaties: set[str] = field(default_factory=set)


class Tables:
    """All tables of a record, each computed when it is first asked for, of at most *most* pairs of states and years."""

    def __init__(self, record: Record, most: int = MOST_CELLS) -> None:
        self.record = record
        self.most = most
        self._made: dict[str, Table] = {}
        self._cells: dict[tuple[str, str], dict[int, _Cell]] | None = None

    def table(self, name: str) -> Table:
        """The table called *name*, one of ``NAMES``."""
        if name not in self._made:
            self._made[name] = Table(name, TITLES[name], COLUMNS[name], tuple(_ROWS[name](self)))
        return self._made[name]

    def cells(self) -> Mapping[tuple[str, str], Mapping[int, _Cell]]:
        """Whatever ties two states, by both names in alphabetical order, and by year."""
        if self._cells is None:
            self._cells = _Ties(self.record, self.most).cells
        return self._cells

    def code(self, state: str, year: int) -> int | None:
        """The Correlates of War number of *state* in *year*."""
        return _number(self.record.code(COW, state, year))

    def gleditsch_ward(self, state: str, year: int) -> int | None:
        return _number(self.record.code(GLEDITSCH_WARD, state, year))

    def label(self, state: str) -> str:
        return self.record.labels.get(state, state)


class _Ties:
    """Every pair of states that a treaty bound together, or may have, with the years in which it did."""

    def __init__(self, record: Record, most: int) -> None:
        """AnswerTooLarge where these are more than *most* pairs and years."""
        self.horizon = record.horizon
        self.covered = {
            treaty: each for treaty, each in record.pledges_covered.items() if each.completeness == "complete"
        }
        self.pauses = _pauses(record)
        self.pledges: dict[str, dict[tuple[Span, frozenset[str] | None], int]] = defaultdict(lambda: defaultdict(int))
        for wording in record.wordings:
            self.pledges[wording.treaty][wording.span, wording.obliged] |= _BIT[wording.kind]
        self.cells: dict[tuple[str, str], dict[int, _Cell]] = defaultdict(dict)
        parties: dict[str, list[Spell]] = defaultdict(list)
        for spell in record.spells:
            if spell.kind == "party":
                parties[spell.body].append(spell)
        count = 0
        for treaty, bound in sorted(parties.items()):
            for one, other in combinations(sorted(bound, key=lambda each: each.state), 2):
                tie = one.span.meet(other.span)
                if one.state != other.state and tie.years("possible", self.horizon):
                    count += self.bind(treaty, one.state, other.state, tie)
                if count > most:
                    raise AnswerTooLarge(
                        f"The ties between states are more than {most:,} pairs and years.",
                        "Ask the question defence-dyads for a day, or run: foedus export",
                    )

    def bind(self, treaty: str, a: str, b: str, tie: Span) -> int:
        """Note that *treaty* ties *a* and *b* during *tie*; how many years are new."""
        cells = self.cells[a, b]
        before = len(cells)
        first, end = tie.days("possible", self.horizon)
        covered = self.covered.get(treaty)
        for year in years(first, end):
            cell = cells.setdefault(year, _Cell())
            cell.treaties.add(treaty)
            from_, until = max(first, new_year(year)), min(end, new_year(year + 1))
            cell.silent |= covered is None or not covered.first <= from_ <= until <= covered.end
        for sure, reading in enumerate(READINGS):
            for year in tie.years(reading, self.horizon):
                cells[year].sure = min(cells[year].sure, sure)
        for pause in (*self.pauses[treaty, a], *self.pauses[treaty, b]):
            for year in tie.meet(pause.span).years("possible", self.horizon) if pause.by <= {a, b} else ():
                cells[year].interrupted = True
        for (span, obliged), kinds in self.pledges[treaty].items():
            held = tie.meet(span)
            gives, takes = (kinds if obliged is None or state in obliged else 0 for state in (a, b))
            for sure, reading in enumerate(READINGS):
                for year in held.years(reading, self.horizon):
                    cells[year].given[sure] |= gives
                    cells[year].taken[sure] |= takes
        return len(cells) - before


def _pauses(record: Record) -> dict[tuple[str, str], list[Spell]]:
    """The frozen and suspended participations of states, by treaty: those in an alliance hold for all its treaties."""
    found: dict[tuple[str, str], list[Spell]] = defaultdict(list)
    for spell in record.spells:
        if spell.kind in ("frozen", "suspended"):
            body = record.bodies.get(spell.body)
            for treaty in (body.treaties if body else ()) or (spell.body,):
                found[treaty, spell.state].append(spell)
    return found


def _number(code: str) -> int | None:
    return int(code) if code.isascii() and code.isdigit() else None


def _pledge(kinds: Sequence[int], reading: int, kind: str, silent: bool) -> int | None:
    """1 where a pledge of *kind* held by *reading*, 0 where none can have, nothing where the record cannot say."""
    if kinds[reading] & _BIT[kind]:
        return 1
    return None if silent or kinds[-1] & _BIT[kind] else 0


def _pledges(kinds: Sequence[int], silent: bool) -> tuple[Iterator[int | None], Iterator[int | None]]:
    """The cells of the five kinds by the strict reading, and by the two others."""
    strict = (_pledge(kinds, 0, kind, silent) for kind in KINDS)
    return strict, (_pledge(kinds, reading, kind, silent) for reading in (1, 2) for kind in KINDS)


def _date(day: int | None) -> str | None:
    return None if day is None or day == FAR else datetime.date.fromordinal(day).isoformat()


def _joined(listed: Iterable[str]) -> str | None:
    return " ".join(sorted(listed)) or None


def _order(code: int | None, state: str) -> tuple[int, str]:
    return (_LAST_CODE if code is None else code, state)


def _dyads(tables: Tables, directed: bool) -> list[Row]:
    """The rows of both tables of pairs; of the undirected one the state with the lower number comes first."""
    found = []
    for (a, b), cells in tables.cells().items():
        for year, cell in cells.items():
            one, other = ((tables.code(each, year), each) for each in (a, b))
            if directed:
                found.append(_dyad(tables, one, other, year, cell, cell.given))
                found.append(_dyad(tables, other, one, year, cell, cell.taken))
            else:
                either = [given | taken for given, taken in zip(cell.given, cell.taken, strict=True)]
                low, high = sorted((one, other), key=lambda each: _order(*each))
                found.append(_dyad(tables, low, high, year, cell, either))
    return [row for _, row in sorted(found, key=lambda each: each[0])]


def _dyad(
    tables: Tables, one: tuple[int | None, str], other: tuple[int | None, str], year: int, cell: _Cell, kinds: list[int]
) -> tuple[tuple[object, ...], Row]:
    strict, looser = _pledges(kinds, cell.silent)
    row = (
        one[0],
        other[0],
        year,
        *strict,
        one[1],
        other[1],
        tables.label(one[1]),
        tables.label(other[1]),
        tables.gleditsch_ward(one[1], year),
        tables.gleditsch_ward(other[1], year),
        READINGS[cell.sure],
        *looser,
        int(cell.interrupted),
        _joined(cell.treaties),
    )
    return (_order(*one), _order(*other), year), row


@dataclass
class _StateYear:
    """What a state was in one year; sets by reading, the widest last."""

    alliances: tuple[set[str], ...] = field(default_factory=lambda: (set(), set(), set()))
    treaties: tuple[set[str], ...] = field(default_factory=lambda: (set(), set(), set()))
    allies: tuple[set[str], ...] = field(default_factory=lambda: (set(), set(), set()))
    kinds: list[int] = field(default_factory=lambda: [0, 0, 0])
    silent: bool = False
    tied: bool = False
    interrupted: bool = False


def _state_years(tables: Tables) -> list[Row]:
    record = tables.record
    found: dict[tuple[str, int], _StateYear] = defaultdict(_StateYear)
    for spell in record.spells:
        if spell.kind in ("frozen", "suspended"):
            for year in spell.span.years("possible", record.horizon):
                found[spell.state, year].interrupted = True
        for sure, reading in enumerate(READINGS):
            for year in spell.span.years(reading, record.horizon) if spell.kind in ("member", "party") else ():
                each = found[spell.state, year]
                (each.alliances if spell.kind == "member" else each.treaties)[sure].add(spell.body)
    for (a, b), cells in tables.cells().items():
        for year, cell in cells.items():
            for state, ally, kinds in ((a, b, cell.given), (b, a, cell.taken)):
                each = found[state, year]
                each.tied = True
                each.silent |= cell.silent
                for sure in range(len(READINGS)):
                    each.kinds[sure] |= kinds[sure]
                    if (cell.given[sure] | cell.taken[sure]) & _BIT["defense"]:
                        each.allies[sure].add(ally)
    rows = []
    for (state, year), each in found.items():
        strict, looser = _pledges(each.kinds, each.silent or not each.tied)
        code = tables.code(state, year)
        row: Row = (
            code,
            year,
            *strict,
            state,
            tables.label(state),
            tables.gleditsch_ward(state, year),
            *(len(each.alliances[sure]) for sure in range(3)),
            *(len(each.treaties[sure]) for sure in range(3)),
            *(len(each.allies[sure]) for sure in range(3)),
            *looser,
            int(each.interrupted),
            _joined(each.alliances[-1]),
            _joined(each.treaties[-1]),
        )
        rows.append(((_order(code, state), year), row))
    return [row for _, row in sorted(rows, key=lambda each: each[0])]


def _members(tables: Tables) -> list[Row]:
    record = tables.record
    rows = []
    for spell in record.spells:
        span = spell.span
        body = record.bodies.get(spell.body)
        alliance = spell.body if body and body.constitution else None
        first_year = year_of(span.begin_latest)
        last = min(span.end_latest, record.horizon) - 1
        held = range(first_year, max(first_year, year_of(last)) + 1)
        codes = dict.fromkeys(code for year in held if (code := tables.code(spell.state, year)) is not None)
        end = None if span.end_latest == FAR else span.end_latest
        row: Row = (
            spell.body,
            body.label if body else spell.body,
            tables.code(spell.state, first_year),
            spell.state,
            tables.label(spell.state),
            *_parts(span.begin_earliest, span.begin_latest),
            *(_parts(span.end_certain - 1, end - 1) if end is not None else (None, None, None)),
            "alliance" if alliance else "treaty",
            spell.kind,
            spell.number,
            _date(span.begin_earliest),
            _date(span.begin_latest),
            _date(span.end_certain),
            _date(end),
            spell.since or None,
            spell.until or None,
            _standing(span, record.horizon - 1),
            " ".join(map(str, codes)) or None,
            tables.gleditsch_ward(spell.state, first_year),
            names.ID + spell.name,
        )
        rows.append(((spell.body, spell.state, span.begin_earliest, spell.kind, spell.name), row))
    return [row for _, row in sorted(rows, key=lambda each: each[0])]


def _parts(earliest: int, latest: int) -> tuple[int | None, int | None, int | None]:
    """Year, month and day of a date that lies somewhere from *earliest* to *latest*, as far as they are one."""
    one, other = (datetime.date.fromordinal(each) for each in (earliest, latest))
    year = one.year if one.year == other.year else None
    month = one.month if year and one.month == other.month else None
    return year, month, one.day if month and one.day == other.day else None


def _standing(span: Span, day: int) -> str:
    """How sure it is that *span* holds on *day*, or that it does no more or not yet."""
    if day < span.begin_earliest:
        return "not yet"
    if span.end_latest <= day:
        return "ended"
    return next(each for each in READINGS if span.days(each)[0] <= day < span.days(each)[1])


def _alliances(tables: Tables) -> list[Row]:
    record = tables.record
    memberships: dict[str, list[Spell]] = defaultdict(list)
    for spell in record.spells:
        if spell.kind == "member":
            memberships[spell.body].append(spell)
    return [_alliance(tables, each, memberships[each.name]) for each in sorted(record.alliances, key=_name_of)]


def _name_of(body: Body) -> str:
    return body.name


def _alliance(tables: Tables, alliance: Body, memberships: Sequence[Spell]) -> Row:
    record = tables.record
    spans = [each.span for each in memberships]
    signed = record.bodies[alliance.constitution].signed if alliance.constitution in record.bodies else None
    kinds = [0, 0, 0]
    for wording in record.wordings:
        if wording.treaty in alliance.treaties:
            for sure in _readings_of(wording, record.horizon):
                kinds[sure] |= _BIT[wording.kind]
    silent = any(
        treaty not in record.pledges_covered or record.pledges_covered[treaty].completeness != "complete"
        for treaty in alliance.treaties
    )
    covered = record.memberships_covered.get(alliance.name)
    open_now = any(span.end_latest == FAR for span in spans)
    return (
        alliance.name,
        alliance.label,
        *_pledges(kinds, silent)[0],
        alliance.constitution,
        " ".join(alliance.origins) or None,
        _date(signed),
        _date(min((span.begin_earliest for span in spans), default=None)),
        _date(min((span.begin_latest for span in spans), default=None)),
        _date(max((span.end_certain for span in spans), default=None)),
        None if open_now else _date(max((span.end_latest for span in spans), default=None)),
        len({each.state for each in memberships}),
        *(
            len({each.state for each in memberships if _holds(each.span, reading, record.horizon - 1)})
            for reading in READINGS
        ),
        _date(covered.first) if covered else None,
        _date(covered.end - 1) if covered else None,
        covered.completeness if covered else None,
        names.ID + alliance.name,
    )


def _readings_of(wording: Wording, horizon: int) -> Iterator[int]:
    """The readings by which *wording* was ever in force."""
    for sure, reading in enumerate(READINGS):
        if wording.span.years(reading, horizon):
            yield sure


def _holds(span: Span, reading: str, day: int) -> bool:
    first, end = span.days(reading)
    return first <= day < end


_ROWS: dict[str, Callable[[Tables], list[Row]]] = {
    "alliance": _alliances,
    "alliance-member": _members,
    "state-year": _state_years,
    "dyad-year": lambda tables: _dyads(tables, directed=False),
    "directed-dyad-year": lambda tables: _dyads(tables, directed=True),
}

NAMES = tuple(_ROWS)
"""The tables that there are."""
