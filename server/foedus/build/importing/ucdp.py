"""Make armed conflicts from the UCDP/PRIO Armed Conflict Dataset: those in which states stand on both sides.

The columns and their meaning are those of the data set's codebook; read are the file that UCDP publishes, with several
numbers in one cell and numbers for the types, and the one of the package peacesciencer, with a row for each combination
of parties and words for the types.
"""

import datetime
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pyoxigraph import Literal, NamedNode

from foedus import names
from foedus.build.importing import tables, turtle
from foedus.build.importing.turtle import Thing, string
from foedus.build.reading import parsed, read_text
from foedus.errors import CannotRead, WrongUsage

_TYPES = {
    "2": "interstate",
    "interstate": "interstate",
    "4": "internationalisedIntrastate",
    "ii": "internationalisedIntrastate",
    "internationalized intrastate": "internationalisedIntrastate",
    "internationalised intrastate": "internationalisedIntrastate",
}
_LEFT_OUT = ("1", "extrasystemic", "3", "intrastate")
_INTENSITIES = {"1": "minorConflict", "minor": "minorConflict", "2": "war", "war": "war"}
_SIDES = {
    "sideA": "gwno_a",
    "supportsSideA": "gwno_a_2nd",
    "sideB": "gwno_b",
    "supportsSideB": "gwno_b_2nd",
}
_VERSION = re.compile(r"(?<![0-9])v?(\d\d)[._]?(\d)(?![0-9])")
_EXACT, _ABOUT, _OF_A_YEAR = ("1",), ("2",), ("3", "4", "5")
"""Precisions of a date: known to the day, a day about which it was, and less. The codebook's scale runs from 1 to 7,
and the two coarsest leave the year in doubt."""


@dataclass(frozen=True)
class Number:
    """The days, YYYY-MM-DD, on which *state* had a number; *last* is 9999 while it has it."""

    state: str
    first: str
    last: str


@dataclass(frozen=True)
class Numbering:
    """Whose a number was, by each of *lists* in turn: Gleditsch and Ward, whose numbers UCDP uses, and COW.

    The two share their numbers, but for Serbia since 2006, which UCDP numbers as COW does, and the microstates, which
    COW alone has here.
    """

    lists: tuple[Mapping[str, tuple[Number, ...]], ...]
    labels: Mapping[str, str]

    def holder(self, number: str, first: datetime.date, last: datetime.date) -> str:
        """The state that had *number* on a day between *first* and *last*, the earlier of two; BadRow if none had."""
        for assigned in self.lists:
            held = assigned.get(number, ())
            found = [each for each in held if each.first <= last.isoformat() and first.isoformat() <= each.last]
            if found:
                return min(found, key=lambda each: each.first).state
        if any(number in assigned for assigned in self.lists):
            raise tables.BadRow(f"{number} is no state’s number in {first.year}")
        raise tables.BadRow(f"{number} is no state’s number")


@dataclass
class Year:
    """A conflict in one year: the line where it stands first, and what its rows say.

    *unmapped* are the numbers of its parties that were no state's then.
    """

    line: int
    conflict: str
    year: int
    type: str
    intensity: str
    began: str
    ended: str
    started: str
    states: dict[str, dict[str, None]] = field(default_factory=lambda: {side: {} for side in _SIDES})
    unmapped: dict[str, None] = field(default_factory=dict)


@dataclass
class Made:
    """The text of the generated file, counts of what it holds, and the parties that found no state."""

    text: str
    counts: dict[str, int]
    unmapped: tuple[str, ...]


def version_of(path: Path) -> str:
    """The version that the file's name tells, such as 25.1; WrongUsage if it tells none."""
    match = _VERSION.search(path.stem)
    if not match:
        raise WrongUsage(f"The name {path.name} does not tell the version.", "Give it, as in --version 25.1.")
    return f"{match[1]}.{match[2]}"


def numbering(path: Path) -> Numbering:
    """The numbers of states in the generated Turtle file *path*."""
    text, finding = read_text(path, path.name)
    if text is None:
        message = finding.message if finding else ""
        raise CannotRead(f"{path.name}: {message}", "Make it first: foedus import states.")
    about: dict[str, dict[str, str]] = {}
    for triple in parsed(text)[0]:
        if isinstance(triple.subject, NamedNode) and isinstance(triple.object, NamedNode | Literal):
            if isinstance(triple.object, Literal) and triple.object.language not in (None, "en"):
                continue
            local = triple.predicate.value.rsplit("#", 1)[-1].rsplit("/", 1)[-1]
            about.setdefault(triple.subject.value.removeprefix(names.ID), {})[local] = triple.object.value
    by_scheme: dict[str, dict[str, tuple[Number, ...]]] = {"Gleditsch–Ward": {}, "COW": {}}
    for thing in about.values():
        numbers = by_scheme.get(thing.get("codeScheme", ""))
        # A number that the list of states could give to nobody is a finding there, and nobody's here.
        if numbers is not None and "ofState" in thing:
            state = thing["ofState"].removeprefix(names.ID)
            held = Number(state, thing.get("validFrom", ""), thing.get("validUntil", "9999"))
            numbers[thing["code"]] = (*numbers.get(thing["code"], ()), held)
    labels = {name: thing["label"] for name, thing in about.items() if "label" in thing}
    return Numbering(tuple(by_scheme.values()), labels)


def make(path: Path, states: Path, version: str) -> Made:
    """The conflicts in *path* with states on both sides, in the numbers of the file *states*.

    CannotRead, with the lines, where rows are malformed. A party whose number is no state's in that year is on no side
    of its conflict-year, which names the number instead; the result tells it too.
    """
    known = numbering(states)
    wanted = ["conflict_id", "year", *_SIDES.values(), "intensity_level", "type_of_conflict", "start_date"]
    wanted += ["start_date2", "start_prec2", "ep_end", "ep_end_date"]
    table = tables.read(path, *((column,) for column in wanted))
    years: dict[tuple[str, int], Year] = {}
    wrong: list[tuple[int, str]] = []
    unmapped: dict[str, None] = {}
    left_out = 0
    for row in table.rows:
        try:
            read = _row(row)
            if read is None:
                left_out += 1
                continue
            year = years.setdefault((read.conflict, read.year), read)
            _same(year, read)
            unmapped |= dict.fromkeys(f"line {row.line}, {told}" for told in _parties(row, year, known))
        except tables.BadRow as error:
            wrong.append((row.line, str(error)))
    if wrong:
        raise tables.refused(table.name, wrong)
    ordered = sorted(years.values(), key=lambda year: (int(year.conflict), year.year))
    source = f"ucdp-acd-{version.replace('.', '-')}"
    things = list(_things(ordered, source, known.labels))
    head = _head(path.name, version, tuple(unmapped), left_out)
    counts = {
        "armed conflicts": len({year.conflict for year in ordered}),
        "conflict-years": len(ordered),
        "rows left out, of other types": left_out,
    }
    return Made(turtle.document(head, things), counts, tuple(unmapped))


def _head(name: str, version: str, unmapped: tuple[str, ...], left_out: int) -> str:
    lines = [
        "Made by the command foedus import ucdp; do not edit. Change the importer, or get a newer release.",
        f"From: {name}.",
        f"UCDP/PRIO Armed Conflict Dataset, version {version}, CC BY 4.0: Gleditsch, Wallensteen, Eriksson,",
        "Sollenberg and Strand 2002; Uppsala Conflict Data Program and Peace Research Institute Oslo.",
        "Taken are the conflicts with states on both sides: interstate, and internationalised within a state.",
        f"{left_out} rows of other types were left out.",
        "The begin of an episode is the day by which it had the deaths that make it a conflict, as precise as the data",
        "set has it: a day; a day about which it was, marked ~; or the year.",
    ]
    if unmapped:
        lines += ["Parties that are no states of this record, and stand below as foedus:unmappedParty:"]
        lines += [f"- {each}" for each in unmapped]
    return "\n".join(lines)


def _row(row: tables.Row) -> Year | None:
    """What *row* says of its conflict and year, parties aside; None for a type with states on one side only."""
    kind = _word(row["type_of_conflict"])
    if kind in _LEFT_OUT:
        return None
    if kind not in _TYPES:
        raise tables.BadRow(f"“{row['type_of_conflict']}” is no type of conflict")
    intensity = _word(row["intensity_level"])
    if intensity not in _INTENSITIES:
        raise tables.BadRow(f"“{row['intensity_level']}” is no intensity")
    year = int(_whole(row["year"], "year"))
    if not 1900 <= year <= 2100:
        raise tables.BadRow(f"{year} is no year of this data set")
    began = _dated(_date(row["start_date2"]), _word(row["start_prec2"]))
    ended = _date(row["ep_end_date"]) if _word(row["ep_end"]) == "1" and row["ep_end_date"] else ""
    if began[:4] > str(year) or (ended and not ended.startswith(str(year))):
        raise tables.BadRow(f"the episode from {began} to {ended or 'later'} does not fit the year {year}")
    return Year(
        line=row.line,
        conflict=_whole(row["conflict_id"], "conflict_id"),
        year=year,
        type=_TYPES[kind],
        intensity=_INTENSITIES[intensity],
        began=began,
        ended=ended,
        started=_date(row["start_date"])[:4],
    )


def _same(year: Year, other: Year) -> None:
    """BadRow if two rows of one conflict and year differ in more than the parties."""
    for name in ("type", "intensity", "began", "ended"):
        if getattr(year, name) != getattr(other, name):
            what = f"{name} {getattr(other, name) or 'none'}, but {getattr(year, name) or 'none'} in line {year.line}"
            raise tables.BadRow(f"conflict {year.conflict} in {year.year} has {what}")


def _parties(row: tables.Row, year: Year, known: Numbering) -> Iterator[str]:
    """Add the states of *row* to *year*; what is yielded tells the numbers that are no state's."""
    # A number can change hands within the year: whose it was while the episode lasted decides.
    first = max(datetime.date(year.year, 1, 1), _first(year.began))
    last = datetime.date.fromisoformat(year.ended) if year.ended else datetime.date(year.year, 12, 31)
    for side, column in _SIDES.items():
        for cell in re.split(r"[,;]\s*", row[column]):
            if not cell or cell == "-9":
                continue
            number = _whole(cell, column)
            try:
                year.states[side][known.holder(number, first, max(first, last))] = None
            except tables.BadRow as error:
                year.unmapped[number] = None
                yield f"conflict {year.conflict}, {year.year}, {column}: {error}"


def _first(date: str) -> datetime.date:
    """The first day that *date*, an EDTF day or year, may mean."""
    bare = date.rstrip("~")
    return datetime.date.fromisoformat(bare if len(bare) == 10 else f"{bare}-01-01")


def _word(text: str) -> str:
    """*text* in small letters, and 1.0 as 1."""
    return re.sub(r"^(\d+)\.0$", r"\1", text.strip().lower())


def _whole(text: str, column: str) -> str:
    match = re.fullmatch(r"(\d+)(?:\.0)?", text.strip())
    if not match:
        raise tables.BadRow(f"“{text}” is no whole number in {column}")
    return str(int(match[1]))


def _date(text: str) -> str:
    try:
        return datetime.date.fromisoformat(text[:10]).isoformat()
    except ValueError as error:
        raise tables.BadRow(f"“{text}” is no day such as 2022-09-18") from error


def _dated(day: str, precision: str) -> str:
    """*day* as an EDTF string no more precise than the data set has it."""
    if precision in _EXACT:
        return day
    if precision in _ABOUT:
        return f"{day}~"
    return day[:4] if precision in _OF_A_YEAR else f"{day[:4]}~"


def _things(years: list[Year], source: str, labels: Mapping[str, str]) -> Iterator[Thing]:
    by_conflict: dict[str, list[Year]] = {}
    for year in years:
        by_conflict.setdefault(year.conflict, []).append(year)
    for conflict, its in by_conflict.items():
        words = f"{_sides(its, labels)}, conflict {conflict} of UCDP"
        thing = Thing(f"ucdp-conflict-{conflict}", "ArmedConflict")
        thing.add("rdfs:label", string(_capital(words), "en"))
        yield thing.add("foedus:source", f"id:{source}")
        for year in its:
            yield _year(year, source, labels)


def _year(year: Year, source: str, labels: Mapping[str, str]) -> Thing:
    thing = Thing(f"ucdp-conflict-{year.conflict}-{year.year}", "ConflictYear")
    words = f"{_sides([year], labels)}, {year.year}, conflict {year.conflict} of UCDP"
    thing.add("rdfs:label", string(_capital(words), "en"))
    thing.add("foedus:ofConflict", f"id:ucdp-conflict-{year.conflict}")
    thing.add("foedus:year", str(year.year))
    thing.add("foedus:conflictType", f"foedus:{year.type}")
    thing.add("foedus:intensity", f"foedus:{year.intensity}")
    for side, states in year.states.items():
        thing.add(f"foedus:{side}", *(f"id:{state}" for state in sorted(states)))
    thing.add("foedus:unmappedParty", *(string(number) for number in sorted(year.unmapped, key=int)))
    thing.add("foedus:began", string(year.began))
    if year.ended:
        thing.add("foedus:ended", string(year.ended))
    return thing.add("foedus:source", f"id:{source}")


def _sides(years: list[Year], labels: Mapping[str, str]) -> str:
    """Who stands against whom: three states of a side by name, more of them as others."""
    shown: list[str] = []
    for side in ("sideA", "sideB"):
        states = list(dict.fromkeys(labels[state] for year in years for state in sorted(year.states[side])))
        if not states:
            rebels = shown and years[0].type == "internationalisedIntrastate"
            shown.append("non-state opponents" if rebels else "a party that is no state here")
        elif len(states) <= 3:
            shown.append(" and ".join(filter(None, (", ".join(states[:-1]), states[-1]))))
        else:
            shown.append(f"{', '.join(states[:3])} and {len(states) - 3} others")
    return " – ".join(shown)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
