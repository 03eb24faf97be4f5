"""What the record says of spells, wordings and codes, in days: the rows that the researchers' tables are made of."""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from foedus import names
from foedus.errors import CannotRead
from foedus.query import results
from foedus.query.pool import Asker

FAR = datetime.date.max.toordinal()
"""The day, as all days here an ordinal of the Gregorian calendar, at which an interval ends that has no known end."""

KINDS = ("defense", "neutrality", "nonaggression", "offense", "consultation")
"""The kinds of pledge under the names and in the order that researchers use."""

READINGS = ("certain", "presumed", "possible")
"""How sure the record is, the strictest first: what holds by one reading holds by those after it."""

COW, GLEDITSCH_WARD = "COW", "Gleditsch–Ward"

Row = dict[str, str]
"""A row of an answer: texts by the names of the columns that are bound."""

_QUERIES = Path(__file__).parent / "queries"
_KIND_OF = dict(zip(("defence", "neutrality", "nonAggression", "offence", "consultation"), KINDS, strict=True))


class Span(NamedTuple):
    """An interval with uncertain ends, each end the first day on which it no longer holds.

    It holds certainly from *begin_latest* to *end_certain*, presumably to *end_presumed* (later for one that is open:
    no end is known, and none is attested for so late a day), possibly from *begin_earliest* to *end_latest*.
    """

    begin_earliest: int
    begin_latest: int
    end_certain: int
    end_presumed: int
    end_latest: int

    @classmethod
    def of(cls, begin_earliest: int, begin_latest: int, end_earliest: int | None, end_latest: int | None) -> "Span":
        """A span by its four bounds; without *end_latest* it is open, without *end_earliest* too it never ends."""
        certain = FAR if end_earliest is None else end_earliest
        return cls(
            begin_earliest,
            begin_latest,
            certain,
            FAR if end_latest is None else certain,
            FAR if end_latest is None else end_latest,
        )

    def meet(self, other: "Span") -> "Span":
        """When both hold: as sure as the less sure of the two."""
        return Span(
            max(self[0], other[0]),
            max(self[1], other[1]),
            min(self[2], other[2]),
            min(self[3], other[3]),
            min(self[4], other[4]),
        )

    def days(self, reading: str, horizon: int = FAR) -> tuple[int, int]:
        """The days before *horizon* on which it holds by *reading*, half-open; none where the second is not later."""
        if reading == "possible":
            return self.begin_earliest, min(self.end_latest, horizon)
        return self.begin_latest, min(self.end_certain if reading == "certain" else self.end_presumed, horizon)

    def years(self, reading: str, horizon: int = FAR) -> range:
        """The years in which it holds on one day at least, by *reading* and before *horizon*."""
        return years(*self.days(reading, horizon))


def years(first: int, end: int) -> range:
    """The years that have a day from *first* to before *end*."""
    return range(year_of(first), year_of(end - 1) + 1) if first < end else range(0)


@cache
def year_of(day: int) -> int:
    return datetime.date.fromordinal(day).year


@cache
def new_year(year: int) -> int:
    """The first day of *year*."""
    return datetime.date(year, 1, 1).toordinal()


@dataclass(frozen=True)
class Spell:
    """A time as a member, party or signatory of *body*, or of frozen or suspended participation in it.

    *kind* is one of those five words, *since* and *until* are dates in EDTF as pages show them, *state* and *body*
    local names, *name* that of the spell. *by* are the states that declared a freeze or suspension, where states did:
    it concerns the ties alone of which each of them is a side.
    """

    name: str
    kind: str
    state: str
    body: str
    number: int
    span: Span
    since: str
    until: str
    by: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Wording:
    """A pledge of *kind* in *treaty*, and the only states that it obliges, where it does not oblige all parties."""

    treaty: str
    kind: str
    span: Span
    obliged: frozenset[str] | None


@dataclass(frozen=True)
class Body:
    """An alliance or treaty: *constitution* and *origins* are treaties of an alliance; *signed* is a treaty's day."""

    name: str
    label: str
    constitution: str
    origins: tuple[str, ...]
    signed: int | None

    @property
    def treaties(self) -> tuple[str, ...]:
        """All treaties of an alliance, that which constitutes it first."""
        return (self.constitution, *self.origins) if self.constitution else self.origins


@dataclass(frozen=True)
class Covered:
    """The days, half-open, for which the record speaks, and how complete it is: ``complete``, or a lesser word."""

    first: int
    end: int
    completeness: str


class Code(NamedTuple):
    """A number that a state has in a list of states, from *first* to before *end*."""

    first: int
    end: int
    code: str


@dataclass(frozen=True)
class Record:
    """All of it; *horizon* is the day after the last that the record speaks of."""

    horizon: int
    spells: tuple[Spell, ...]
    wordings: tuple[Wording, ...]
    bodies: Mapping[str, Body]
    memberships_covered: Mapping[str, Covered]
    pledges_covered: Mapping[str, Covered]
    labels: Mapping[str, str]
    codes: Mapping[tuple[str, str], Sequence[Code]]

    def code(self, scheme: str, state: str, year: int) -> str:
        """The number of *state* in a list on the last day of *year* on which it has any there; nothing without one."""
        first, end = new_year(year), new_year(year + 1)
        valid = [each for each in self.codes.get((scheme, state), ()) if each.first < end and first < each.end]
        return max(valid, key=lambda each: (min(each.end, end), each.first)).code if valid else ""

    @property
    def alliances(self) -> tuple[Body, ...]:
        return tuple(each for each in self.bodies.values() if each.constitution)


def read(asker: Asker) -> Record:
    """The record as *asker* has it; CannotRead where a bound is no day."""
    as_of = asker.dataset.as_of or datetime.date.today().isoformat()
    codes: dict[tuple[str, str], list[Code]] = defaultdict(list)
    for row in rows(asker, _QUERIES / "codes.rq"):
        until = row.get("until")
        assigned = Code(_day(row.get("from", "0001-01-01")), _day(until) + 1 if until else FAR, row["code"])
        codes[row["scheme"], local(row["state"])].append(assigned)
    labels: dict[str, str] = {}
    for row in rows(asker, _QUERIES / "states.rq"):
        labels.setdefault(local(row["state"]), row["label"])
    bodies = _bodies(rows(asker, _QUERIES / "bodies.rq"))
    covered = rows(asker, _QUERIES / "coverage.rq")
    return Record(
        horizon=_day(as_of) + 1,
        spells=_spells(rows(asker, _QUERIES / "spells.rq")),
        wordings=_wordings(rows(asker, _QUERIES / "wordings.rq")),
        bodies=bodies,
        memberships_covered=_covered(covered, "membershipFacts"),
        pledges_covered=_of_treaties(_covered(covered, "obligationFacts"), bodies),
        labels=labels,
        codes=codes,
    )


def rows(asker: Asker, file: Path) -> list[Row]:
    """The answers of the query in *file*, as texts; what is unbound is absent."""
    found = results.select(asker, file.read_text(encoding="utf-8"), reserved=True)
    return [{name: term.value for name, term in row.items()} for row in found]


def local(iri: str) -> str:
    """The local name of *iri* where it is ours."""
    return iri.removeprefix(names.ID).removeprefix(names.ONTOLOGY)


def gap(there: tuple[int, int], here: tuple[int, int]) -> int:
    """Days from the range *here* to the range *there*, positive where that is later, 0 where they overlap."""
    return max(0, there[0] - here[1]) - max(0, here[0] - there[1])


def _spells(rows: Iterable[Row]) -> tuple[Spell, ...]:
    found = list(rows)
    body_of = {row["spell"]: row["body"] for row in found if "body" in row}
    declared: dict[str, set[str]] = defaultdict(set)
    for row in found:
        declared[row["spell"]].update([local(row["by"])] if "by" in row else ())
    once = {(row["spell"], row.get("body")): row for row in found}
    return tuple(
        Spell(
            name=local(row["spell"]),
            kind=row["kind"],
            state=local(row["state"]),
            body=local(row.get("body") or body_of.get(row["interrupted"], "")),
            number=int(row["number"]),
            span=_span(row),
            since=row.get("from", ""),
            until=row.get("until", ""),
            by=frozenset(declared[row["spell"]]),
        )
        for row in once.values()
    )


def _wordings(rows: Iterable[Row]) -> tuple[Wording, ...]:
    obliged: dict[tuple[str, str, str, Span], set[str]] = defaultdict(set)
    for row in rows:
        kind = _KIND_OF.get(local(row["kind"]))
        if kind:
            states = obliged[row["wording"], local(row["treaty"]), kind, _span(row)]
            states.update([local(row["obliged"])] if "obliged" in row else ())
    # Several wordings of one treaty that pledge the same for the same days are one pledge.
    pledges = {(key[1], key[2], key[3], frozenset(states) or None): None for key, states in obliged.items()}
    return tuple(Wording(treaty, kind, span, states) for treaty, kind, span, states in pledges)


def _bodies(rows: Iterable[Row]) -> dict[str, Body]:
    by_body: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_body[local(row["body"])].append(row)
    return {
        name: Body(
            name=name,
            label=found[0]["label"],
            constitution=local(found[0].get("constitution", "")),
            origins=tuple(dict.fromkeys(local(row["origin"]) for row in found if "origin" in row)),
            signed=_day(found[0]["signed"]) if "signed" in found[0] else None,
        )
        for name, found in by_body.items()
    }


def _covered(rows: Iterable[Row], facts: str) -> dict[str, Covered]:
    return {
        local(row["body"]): Covered(_day(row["first"]), _day(row["last"]) + 1, local(row["completeness"]))
        for row in rows
        if local(row["facts"]) == facts
    }


def _of_treaties(covered: Mapping[str, Covered], bodies: Mapping[str, Body]) -> dict[str, Covered]:
    """*covered* by treaty: what is said of an alliance holds of the treaty that constitutes it."""
    return {bodies[name].constitution or name: each for name, each in covered.items() if name in bodies}


def _span(row: Row) -> Span:
    ends = (_day(row[name]) if name in row else None for name in ("endEarliest", "endLatest"))
    return Span.of(_day(row["beginEarliest"]), _day(row["beginLatest"]), *ends)


def _day(text: str) -> int:
    try:
        return datetime.date.fromisoformat(text).toordinal()
    except ValueError as error:
        raise CannotRead(f"“{text}” is no day, where the tables need one.", "Build the dataset with foedus.") from error
