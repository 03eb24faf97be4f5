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
from foedus.query.pool import Asker, Request

FAR = datetime.date.max.toordinal()
"""The day, as all days here an ordinal of the Gregorian calendar, at which an interval ends that has no known end."""

KINDS = ("defense", "neutrality", "nonaggression", "offense", "consultation")
"""The kinds of pledge under the names and in the order that researchers use."""

READINGS = ("certain", "presumed", "possible")
"""How sure the record is, the strictest first: what holds by one reading holds by those after it."""

COW, GLEDITSCH_WARD = "COW", "Gleditsch–Ward"

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
    local names, *name* that of the spell.
    """

    name: str
    kind: str
    state: str
    body: str
    number: int
    span: Span
    since: str
    until: str


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
    for row in _rows(asker, "codes"):
        until = row.get("until")
        assigned = Code(_day(row.get("from", "0001-01-01")), _day(until) + 1 if until else FAR, row["code"])
        codes[row["scheme"], _local(row["state"])].append(assigned)
    labels: dict[str, str] = {}
    for row in _rows(asker, "states"):
        labels.setdefault(_local(row["state"]), row["label"])
    bodies = _bodies(_rows(asker, "bodies"))
    covered = _rows(asker, "coverage")
    return Record(
        horizon=_day(as_of) + 1,
        spells=_spells(_rows(asker, "spells")),
        wordings=_wordings(_rows(asker, "wordings")),
        bodies=bodies,
        memberships_covered=_covered(covered, "membershipFacts"),
        pledges_covered=_of_treaties(_covered(covered, "obligationFacts"), bodies),
        labels=labels,
        codes=codes,
    )


_Row = dict[str, str]


def _rows(asker: Asker, name: str) -> list[_Row]:
    """The answers of a query beside this module, as texts; what is unbound is absent."""
    text = (_QUERIES / f"{name}.rq").read_text(encoding="utf-8")
    table = results.table(asker.ask(Request(text, form="json", reserved=True)))
    return [{name: term.value for name, term in row.items()} for row in table]


def _spells(rows: Iterable[_Row]) -> tuple[Spell, ...]:
    found = list(rows)
    body_of = {row["spell"]: row["body"] for row in found if "body" in row}
    return tuple(
        Spell(
            name=_local(row["spell"]),
            kind=row["kind"],
            state=_local(row["state"]),
            body=_local(row.get("body") or body_of.get(row["interrupted"], "")),
            number=int(row["number"]),
            span=_span(row),
            since=row.get("from", ""),
            until=row.get("until", ""),
        )
        for row in found
    )


def _wordings(rows: Iterable[_Row]) -> tuple[Wording, ...]:
    obliged: dict[tuple[str, str, str, Span], set[str]] = defaultdict(set)
    for row in rows:
        kind = _KIND_OF.get(_local(row["kind"]))
        if kind:
            states = obliged[row["wording"], _local(row["treaty"]), kind, _span(row)]
            states.update([_local(row["obliged"])] if "obliged" in row else ())
    # Several wordings of one treaty that pledge the same for the same days are one pledge.
    pledges = {(key[1], key[2], key[3], frozenset(states) or None): None for key, states in obliged.items()}
    return tuple(Wording(treaty, kind, span, states) for treaty, kind, span, states in pledges)


def _bodies(rows: Iterable[_Row]) -> dict[str, Body]:
    by_body: dict[str, list[_Row]] = defaultdict(list)
    for row in rows:
        by_body[_local(row["body"])].append(row)
    return {
        name: Body(
            name=name,
            label=found[0]["label"],
            constitution=_local(found[0].get("constitution", "")),
            origins=tuple(dict.fromkeys(_local(row["origin"]) for row in found if "origin" in row)),
            signed=_day(found[0]["signed"]) if "signed" in found[0] else None,
        )
        for name, found in by_body.items()
    }


def _covered(rows: Iterable[_Row], facts: str) -> dict[str, Covered]:
    return {
        _local(row["body"]): Covered(_day(row["first"]), _day(row["last"]) + 1, _local(row["completeness"]))
        for row in rows
        if _local(row["facts"]) == facts
    }


def _of_treaties(covered: Mapping[str, Covered], bodies: Mapping[str, Body]) -> dict[str, Covered]:
    """*covered* by treaty: what is said of an alliance holds of the treaty that constitutes it."""
    return {bodies[name].constitution or name: each for name, each in covered.items() if name in bodies}


def _span(row: _Row) -> Span:
    ends = (_day(row[name]) if name in row else None for name in ("endEarliest", "endLatest"))
    return Span.of(_day(row["beginEarliest"]), _day(row["beginLatest"]), *ends)


def _day(text: str) -> int:
    try:
        return datetime.date.fromisoformat(text).toordinal()
    except ValueError as error:
        raise CannotRead(f"“{text}” is no day, where the tables need one.", "Build the dataset with foedus.") from error


def _local(iri: str) -> str:
    return iri.removeprefix(names.ID).removeprefix(names.ONTOLOGY)
