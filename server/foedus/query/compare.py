"""A table that a researcher has, in the columns of COW or of ATOP, against the tables of this record.

Where the record is silent or unsure nothing differs: that is counted apart. A range of days differs from another by the
days between them, and by none where they overlap.
"""

import csv
import datetime
import io
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from foedus.errors import CannotRead, NoSuchThing
from foedus.query import table
from foedus.query.record import COW, FAR, KINDS, Record, Span, gap, new_year, year_of
from foedus.query.tables import Table, Tables

LIKENESS = 0.5
"""Part of the days of membership in either that an alliance of the file and one of ours share to be taken as one.

Where one of its members in the file was never in ours, they are not taken as one whatever they share.
"""

_SYNONYMS = {
    "defense": "defense",
    "defence": "defense",
    "neutrality": "neutrality",
    "neutral": "neutrality",
    "nonaggression": "nonaggression",
    "nonagg": "nonaggression",
    "offense": "offense",
    "offence": "offense",
    "consultation": "consultation",
    "consul": "consultation",
    "entente": "consultation",
}
_PAIRS = (("ccode1", "ccode2"), ("statea", "stateb"), ("mem1", "mem2"))
_ALLIANCES = ("alliance", "version4id", "version3id", "atopid", "cowid")
_NO_NUMBER = "Rows without a {name} are left out."
_MISSING = {"", "na", "nan", ".", "-9", "-99", "-999", "null", "none"}
_EXPECTED = (
    "Members: an id (alliance, version4id or atopid), ccode, mem_st_year, mem_st_month, mem_st_day and mem_end_…; or "
    "atopid, member, yrent, moent, dayent, yrexit, moexit, dayexit. "
    "Pairs by year: ccode1, ccode2 (or stateA, stateB, or mem1, mem2), year and any of defense, neutrality, "
    "nonaggression, offense, consultation (or neutral, nonagg, consul, entente; also after atop_ or cow_)."
)


@dataclass(frozen=True)
class Difference:
    """One thing in which the two differ: by *size* days (positive: later there), or in *size* years in a row.

    *what* is ``begin``, ``end``, ``only there``, ``only here``, or a kind of pledge, which is there (1), is not (0) or
    has no row, from *year* to *last_year*.
    """

    what: str
    body: str
    state1: str
    state2: str
    year: int | None
    last_year: int | None
    there: str
    here: str
    size: int
    unit: str


@dataclass(frozen=True)
class Match:
    """An alliance of the file, and the one of ours that it was taken for; *likeness* is the part of days shared."""

    there: str
    here: str
    likeness: float


@dataclass
class Comparison:
    """What was compared and with which outcome."""

    file: str
    form: str
    rows: int
    agreements: int = 0
    unsure: int = 0
    silent: int = 0
    unknown: list[str] = field(default_factory=list)
    matches: list[Match] = field(default_factory=list)
    unmatched: list[str] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)

    def text(self) -> str:
        """It all for a person in a terminal."""
        lines = [
            f"{self.file}: {self.rows} rows, read as {self.form}.",
            f"{self.agreements} agree, {len(self.differences)} differ. "
            f"Of {self.unsure} the record is not sure, on {self.silent} it is silent.",
        ]
        lines += [f"{each.there} is {each.here}, {each.likeness:.0%} of the days shared." for each in self.matches]
        lines += [
            f"{each} is taken for no alliance here: none has all of its members and shares half of the days. "
            f"Say which one it is: --same {each}=NAME"
            for each in self.unmatched
        ]
        lines += self.unknown
        if self.differences:
            lines += ["", table.aligned([_HEADS, *map(_cells, self.differences)])]
        return "\n".join(lines)

    def json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, indent=2)

    def csv(self) -> str:
        """The differences, one a row."""
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows([_HEADS, *map(_cells, self.differences)])
        return text.getvalue()


_HEADS = tuple(Difference.__dataclass_fields__)


def _cells(difference: Difference) -> tuple[str, ...]:
    return tuple("" if value is None else str(value) for value in asdict(difference).values())


def compare(path: Path, record: Record, same: Mapping[str, str] | None = None) -> Comparison:
    """The table in *path* against *record*; *same* says which of its alliances is which of ours.

    Raises CannotRead for a file that is no such table, with the line where one is at fault, and NoSuchThing for an
    alliance or treaty in *same* that is not here.
    """
    for name in (same or {}).values():
        if name not in record.bodies:
            raise NoSuchThing(f"There is no alliance or treaty “{name}”.", "All are in alliance.csv: foedus export")
    heads, rows = _read(path)
    pair = next((each for each in _PAIRS if set(each) <= heads.keys()), None)
    kinds = {kind: place for name, place in heads.items() if (kind := _SYNONYMS.get(re.sub(r"^(atop|cow)_", "", name)))}
    if pair and "year" in heads and kinds:
        return _Pairs(path, record, rows, heads, pair, kinds).comparison()
    identity = next((each for each in _ALLIANCES if each in heads), None)
    if identity and {"ccode", "mem_st_year"} <= heads.keys():
        columns = _Dates("ccode", "mem_st_year mem_st_month mem_st_day", "mem_end_year mem_end_month mem_end_day")
    elif identity and {"member", "yrent"} <= heads.keys():
        columns = _Dates("member", "yrent moent dayent", "yrexit moexit dayexit")
    else:
        raise CannotRead(f"{path} has no columns that can be compared: {', '.join(heads) or 'it is empty'}.", _EXPECTED)
    return _Members(path, record, rows, heads, identity, columns, same or {}).comparison()


class _Line(NamedTuple):
    number: int
    cells: list[str]


class _Dates(NamedTuple):
    """The columns of a member table: of the state, and of year, month and day of both ends, by spaces."""

    state: str
    begin: str
    end: str


def _read(path: Path) -> tuple[dict[str, int], list[_Line]]:
    """The places of the columns by their names in lower case, and the rows."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CannotRead(f"{path} cannot be read: {error.strerror}.", "Give a CSV file.") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # As COW publishes its files.
        text = content.decode("latin-1")
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True)
    try:
        lines = [_Line(reader.line_num, cells) for cells in reader if cells]
    except csv.Error as error:
        raise CannotRead(f"{path}:{reader.line_num}: this is no CSV: {error}.", "Save the table as CSV.") from error
    heads = {name.strip().lower(): place for place, name in enumerate(lines[0].cells)} if lines else {}
    for line in lines[1:]:
        if len(line.cells) != len(lines[0].cells):
            message = f"{path}:{line.number}: {len(line.cells)} cells, where the head has {len(lines[0].cells)}."
            raise CannotRead(message, "Give each row as many cells.", line=line.number)
    return heads, lines[1:]


class _Reader:
    """What both kinds of table need: cells as numbers, and numbers of states as states."""

    def __init__(self, path: Path, record: Record, lines: Sequence[_Line], heads: Mapping[str, int]) -> None:
        self.path = path
        self.record = record
        self.lines = lines
        self.heads = heads
        self.unknown: dict[str, None] = {}
        self.found: dict[tuple[str, int, int], str] = {}
        self.holders: dict[str, list[tuple[int, int, str]]] = defaultdict(list)
        for (scheme, state), codes in record.codes.items():
            for code in codes if scheme == COW else ():
                self.holders[code.code.lstrip("0")].append((code.first, code.end, state))

    def number(self, line: _Line, place: int) -> int | None:
        """The integer in a cell; None for one that is missing."""
        text = line.cells[place].strip()
        if text.lower() in _MISSING:
            return None
        try:
            value = float(text)
            if value != int(value):
                raise ValueError
        except (ValueError, OverflowError) as error:
            name = next(name for name, each in self.heads.items() if each == place)
            message = f"{self.path}:{line.number}: {name} is “{text}”, which is no whole number."
            raise CannotRead(message, "Correct it, or leave the cell empty.", line=line.number) from error
        return int(value)

    def year(self, line: _Line, name: str) -> int:
        value = self.number(line, self.heads[name])
        if value is None or not 1 <= value < datetime.MAXYEAR:
            shown = "empty" if value is None else value
            raise CannotRead(f"{self.path}:{line.number}: {name} is {shown}.", "Give a year.", line=line.number)
        return value

    def find_state(self, line: _Line, name: str, first: int, end: int) -> str | None:
        """Whose the number in a cell was for most days from *first* to before *end*, else nearest to them in time.

        None, and told, for a number that is nobody's, or where there is none.
        """
        code = self.number(line, self.heads[name])
        held = self.holders.get(str(code), ())
        if not held:
            self.unknown[
                _NO_NUMBER.format(name=name) if code is None else f"{code} is the number of no state here."
            ] = None
            return None
        key = (str(code), first, end)
        if key not in self.found:
            # The days shared are negative, and nearer to nought, for a time that is not far off.
            self.found[key] = max(held, key=lambda each: min(each[1], end) - max(each[0], first))[2]
        return self.found[key]


class _Pairs(_Reader):
    """Pairs of states by year."""

    def __init__(
        self,
        path: Path,
        record: Record,
        lines: Sequence[_Line],
        heads: Mapping[str, int],
        pair: tuple[str, str],
        kinds: Mapping[str, int],
    ) -> None:
        super().__init__(path, record, lines, heads)
        self.pair = pair
        self.kinds = kinds
        self.numbers: set[tuple[frozenset[object], int]] = set()
        """The pairs of numbers with the years for which the file has them."""

    def comparison(self) -> Comparison:
        there = self.there()
        directed = self.pair[0] == "statea" or any((b, a, year) in there for a, b, year in there)
        if not directed:
            there = {(*sorted((a, b)), year): kinds for (a, b, year), kinds in there.items()}  # type: ignore[misc]
        form = "directed pairs by year" if directed else "pairs by year"
        made = Comparison(str(self.path), form, len(self.lines), unknown=list(self.unknown))
        here = _by_pair(Tables(self.record).table("directed-dyad-year" if directed else "dyad-year"), directed)
        ours = {key[:2] for key in here}
        for key, kinds in sorted(there.items()):
            for kind, value in kinds.items():
                if key in here:
                    self.judge(made, key, kind, value, here[key])
                elif key[:2] not in ours:
                    made.silent += 1
                elif value:
                    made.differences.append(_differs(key, kind, "1", ""))
                else:
                    made.agreements += 1
        pairs, all_years = {key[:2] for key in there}, {key[2] for key in there}
        for key, row in sorted(here.items()):
            # A state that has no number in a year cannot be in the file, nor can two under one number be told apart.
            pair = frozenset((row["ccode1"], row["ccode2"]))
            numbered = None not in pair and (pair, key[2]) not in self.numbers
            if numbered and key[:2] in pairs and key not in there and min(all_years) <= key[2] <= max(all_years):
                certain = [kind for kind in KINDS if kind in self.kinds and row[kind] == 1]
                made.differences += [_differs(key, kind, "", "1") for kind in certain]
        made.differences = _in_runs(made.differences)
        return made

    def there(self) -> dict[tuple[str, str, int], dict[str, int]]:
        """The kinds of pledge in the file by both states and the year; of rows that say the same twice, any."""
        found: dict[tuple[str, str, int], dict[str, int]] = {}
        for line in self.lines:
            year = self.year(line, "year")
            one, other = (self.find_state(line, name, new_year(year), new_year(year + 1)) for name in self.pair)
            if one and other and one != other:
                self.numbers.add((frozenset(self.number(line, self.heads[name]) for name in self.pair), year))
                kinds = found.setdefault((one, other, year), {})
                for kind, place in self.kinds.items():
                    value = self.number(line, place)
                    if value is not None:
                        kinds[kind] = max(kinds.get(kind, 0), int(value > 0))
        return found

    @staticmethod
    def judge(made: Comparison, key: tuple[str, str, int], kind: str, value: int, row: Mapping[str, object]) -> None:
        """Count one cell of the file, or tell the difference."""
        certain, possible = row[kind], row[f"{kind}_possible"]
        if certain is None:
            # Nothing is recorded, or there is something of which the record is not sure.
            made.silent += possible is None
            made.unsure += possible is not None
        elif certain == value:
            made.agreements += 1
        else:
            made.differences.append(_differs(key, kind, str(value), str(certain)))


def _by_pair(table: Table, directed: bool) -> dict[tuple[str, str, int], dict[str, object]]:
    heads = [column.name for column in table.columns]
    found: dict[tuple[str, str, int], dict[str, object]] = {}
    for cells in table.rows:
        row: dict[str, object] = dict(zip(heads, cells, strict=True))
        one, other = str(row["state1"]), str(row["state2"])
        first, second = (one, other) if directed else sorted((one, other))
        found[first, second, int(str(row["year"]))] = row
    return found


def _differs(key: tuple[str, str, int], kind: str, there: str, here: str) -> Difference:
    return Difference(kind, "", key[0], key[1], key[2], key[2], there, here, 1, "years")


def _in_runs(differences: Iterable[Difference]) -> list[Difference]:
    """*differences* of single years, those that are alike year after year as one; by pair, then kind, then year."""
    runs: list[Difference] = []
    for each in sorted(differences, key=lambda each: (each.state1, each.state2, each.what, each.year)):
        before = runs[-1] if runs else None
        if (
            before
            and before.last_year is not None
            and replace(before, year=each.year, last_year=before.last_year + 1, size=1) == each
        ):
            runs[-1] = replace(before, last_year=each.year, size=before.size + 1)
        else:
            runs.append(each)
    return runs


class _Time(NamedTuple):
    """A time of membership in the file: the ranges of its first day and of the day after its last; None where open.

    One whose beginning is not given may have begun on any day before its end, from the first of all.
    """

    begin: tuple[int, int]
    end: tuple[int, int] | None

    def days(self, horizon: int) -> tuple[int, int]:
        """The days of it before *horizon*, half-open, that are known of."""
        return self.begin[0] if self.begin[0] > 1 else self.begin[1], self.end[1] if self.end else horizon


class _Members(_Reader):
    """Members of alliances with their dates."""

    def __init__(
        self,
        path: Path,
        record: Record,
        lines: Sequence[_Line],
        heads: Mapping[str, int],
        identity: str,
        columns: _Dates,
        same: Mapping[str, str],
    ) -> None:
        super().__init__(path, record, lines, heads)
        self.identity = identity
        self.columns = columns
        self.same = same
        self.last = 0

    def comparison(self) -> Comparison:
        made = Comparison(str(self.path), "members", len(self.lines))
        there = self.there(made)
        here: dict[str, dict[str, list[Span]]] = defaultdict(lambda: defaultdict(list))
        for spell in self.record.spells:
            if spell.kind in ("member", "party"):
                here[spell.body][spell.state].append(spell.span)
        for alliance, members in there.items():
            body = self.same.get(alliance) or (alliance if alliance in here else None)
            possible = [
                name for name, ours in here.items() if name == body or (not body and members.keys() <= ours.keys())
            ]
            likeness = {name: self.likeness(members, here[name]) for name in possible}
            if body is None and likeness:
                # Of an alliance and its treaty with the same members, the alliance.
                best = max(
                    likeness, key=lambda name: (likeness[name], bool(self.record.bodies[name].constitution), name)
                )
                body = best if likeness[best] >= LIKENESS else None
            if body is None:
                made.unmatched.append(alliance)
                made.silent += sum(map(len, members.values()))
                continue
            made.matches.append(Match(alliance, body, round(likeness.get(body, 0.0), 3)))
            for state in sorted(members.keys() | here[body].keys()):
                self.judge(made, body, state, members.get(state, []), here[body].get(state, []))
        return made

    def there(self, made: Comparison) -> dict[str, dict[str, list[_Time]]]:
        """The times in the file by alliance and state, those without a gap joined; what finds no state is told."""
        found: dict[str, dict[str, list[_Time]]] = defaultdict(lambda: defaultdict(list))
        rows = []
        for line in self.lines:
            kind = line.cells[self.heads["kind"]] if "kind" in self.heads else "member"
            begin, end = (self.range(line, each.split()) for each in (self.columns.begin, self.columns.end))
            self.last = max(self.last, *(year_of(each[1]) for each in (begin, end) if each), 0)
            if kind in ("member", "party"):
                rows.append((line, begin, (end[0] + 1, end[1] + 1) if end else None))
            else:
                made.silent += 1
        for line, known, told in rows:
            begin = known or (1, (told[1] if told else self.horizon) - 1)
            # So our own table says that one without a last day is over, in a year that is not known.
            is_over = "standing" in self.heads and line.cells[self.heads["standing"]] == "ended"
            end = told or ((begin[0] + 1, self.horizon) if is_over else None)
            state = self.find_state(line, self.columns.state, known[0] if known else begin[1], begin[1] + 1)
            if state:
                found[line.cells[self.heads[self.identity]].strip()][state].append(_Time(begin, end))
        made.unknown += self.unknown
        return {
            alliance: {state: _joined(times) for state, times in members.items()} for alliance, members in found.items()
        }

    def range(self, line: _Line, names: Sequence[str]) -> tuple[int, int] | None:
        """The first and last day that year, month and day may stand for; None without a year, as of an open end."""
        year, month, day = (self.number(line, self.heads[name]) if name in self.heads else None for name in names)
        if not year:
            return None
        try:
            if month and day:
                exact = datetime.date(year, month, day).toordinal()
                return exact, exact
            first = datetime.date(year, month or 1, 1)
            after = datetime.date(year + 1, 1, 1) if not month or month == 12 else datetime.date(year, month + 1, 1)
        except (ValueError, OverflowError) as error:
            written = "-".join(str(each) for each in (year, month, day))
            message = f"{self.path}:{line.number}: {written} is no date."
            raise CannotRead(message, "Correct it, or leave month and day empty.", line=line.number) from error
        return first.toordinal(), after.toordinal() - 1

    @property
    def horizon(self) -> int:
        """The day after the last year that the file speaks of."""
        return new_year(self.last + 1)

    def likeness(self, there: Mapping[str, list[_Time]], here: Mapping[str, list[Span]]) -> float:
        """The part of all days of membership, in either, that is in both."""
        shared = every = 0
        for state in there.keys() | here.keys():
            theirs = [time.days(self.horizon) for time in there.get(state, ())]
            ours = [(span.begin_latest, min(span.end_latest, self.horizon)) for span in here.get(state, ())]
            both = sum(max(0, min(a[1], b[1]) - max(a[0], b[0])) for a in theirs for b in ours)
            shared += both
            every += sum(max(0, end - first) for first, end in (*theirs, *ours)) - both
        return shared / every if every else 0.0

    def judge(self, made: Comparison, body: str, state: str, there: Sequence[_Time], here: Sequence[Span]) -> None:
        """Compare the times of one state in one alliance, each with the one here that it shares most days with."""
        left = list(here)
        for time in there:
            first, end = time.days(self.horizon)
            shared = {span: min(span.end_latest, end) - max(span.begin_latest, first) for span in left}
            span = max(shared, key=lambda each: shared[each], default=None)
            if span is None:
                shown = f"{_shown(time.begin)}–{_shown(time.end, last=True)}"
                made.differences.append(_apart("only there", body, state, shown, "", end - first))
                continue
            left.remove(span)
            ours = (span.begin_earliest, span.begin_latest)
            self.count(made, "begin", body, state, gap(time.begin, ours), _shown(time.begin), _shown(ours))
            self.judge_end(made, body, state, time, span)
        for span in left:
            days = min(span.end_certain, self.horizon) - span.begin_latest
            if days > 0:
                ends = None if span.end_latest == FAR else (span.end_certain, span.end_latest)
                shown = f"{_shown((span.begin_earliest, span.begin_latest))}–{_shown(ends, last=True)}"
                made.differences.append(_apart("only here", body, state, "", shown, days))

    def judge_end(self, made: Comparison, body: str, state: str, time: _Time, span: Span) -> None:
        is_open = span.end_latest == FAR
        here = "" if is_open else _shown((span.end_certain, span.end_latest), last=True)
        there = _shown(time.end, last=True)
        if time.end is None and (is_open or span.end_certain >= self.horizon):
            made.agreements += 1
        elif time.end is None:
            # Open in the file: it is later by the days to the end of what the file speaks of, at least.
            later = max(0, self.horizon - span.end_latest)
            if later:
                made.differences.append(_apart("end", body, state, there, here, later))
            else:
                made.unsure += 1
        elif is_open and time.end[1] >= span.end_certain:
            made.unsure += 1
        else:
            last = time.end[1] if is_open else span.end_latest
            ours = (span.end_certain, max(span.end_certain, last))
            self.count(made, "end", body, state, gap(time.end, ours), there, here)

    @staticmethod
    def count(made: Comparison, what: str, body: str, state: str, days: int, there: str, here: str) -> None:
        if days:
            made.differences.append(_apart(what, body, state, there, here, days))
        else:
            made.agreements += 1


def _apart(what: str, body: str, state: str, there: str, here: str, days: int) -> Difference:
    return Difference(what, body, state, "", None, None, there, here, days, "days")


def _joined(times: Iterable[_Time]) -> list[_Time]:
    """*times* in order, one that begins where another ended being its continuation: under a new number, for example."""
    joined: list[_Time] = []
    for time in sorted(times, key=lambda each: each.days(FAR)):
        before = joined[-1] if joined else None
        if before is None or (before.end is not None and time.days(FAR)[0] > before.end[1]):
            joined.append(time)
        else:
            ends = None if before.end is None or time.end is None else max(before.end, time.end)
            joined[-1] = _Time(before.begin, ends)
    return joined


def _shown(days: tuple[int, int] | None, last: bool = False) -> str:
    """A day or a range of days; of an end, where *last*, the day before: the last on which it held."""
    if days is None:
        return ""
    one, other = (datetime.date.fromordinal(day - last).isoformat() for day in days)
    return one if one == other else f"[{one}..{other}]"
