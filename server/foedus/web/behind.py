"""The sources behind an answer: those that what it names rests on.

A row of an answer names things, and each counts with the sources that it cites itself. What rules concluded (a spell,
an interruption, a disagreement) cites none: the acts, attestations and claims that it was concluded from do. A row that
names nothing of the kind, but a state and a treaty or alliance, be it that which was asked for, counts with the spells
of the one in the other; and a source that was asked for counts itself. Behind a single thing are likewise its own
sources and those of whatever says something of it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from foedus import names
from foedus.errors import AnswerTooLarge
from foedus.query import results
from foedus.query.results import Table
from foedus.web import asking
from foedus.web.asking import Library

MOST_THINGS = 5000
"""Things whose sources are looked for at once."""

_AT_ONCE = 500
_DEEPEST = 3
"""Steps from an interruption over its spell to the acts of that."""


@dataclass(frozen=True)
class Behind:
    """A source, and the facts and claims of the answer for which it is cited."""

    source: str
    facts: tuple[str, ...]


def of_answer(library: Library, table: Table, asked_for: Iterable[str]) -> tuple[Behind, ...]:
    """The sources behind the rows of *table*; AnswerTooLarge where they name too many things.

    *asked_for* are the IRIs of the things that the question was asked for.
    """
    rows = [_things(row[place] for place in range(len(table.columns))) for row in table.rows]
    return _sources(library, rows, frozenset(asked_for) if rows else frozenset())


def of_thing(library: Library, iri: str) -> tuple[Behind, ...]:
    """The sources behind the thing *iri*; a source is its own, and alone."""
    if any(row["source"].value == iri for row in library.rows("cited", [asking.iri(iri)])):
        return (Behind(iri, (iri,)),)
    mentions = [row["fact"].value for row in library.rows("mentions", [asking.iri(iri)])]
    return _sources(library, [{iri}, *({each} for each in mentions)])


def _sources(library: Library, rows: Sequence[set[str]], asked_for: frozenset[str] = frozenset()) -> tuple[Behind, ...]:
    facts = set().union(*rows)
    _require_few(facts)
    grounds = _pairs(library, "grounds", facts, "thing", "ground")
    concluded = {thing for thing, _ in grounds}
    facts |= _spells(library, [row | asked_for for row in rows if not row & concluded])
    facts |= {fact for fact, source in _pairs(library, "cited", asked_for, "fact", "source") if fact == source}
    new = facts
    for _ in range(_DEEPEST):
        new = {ground for _, ground in _pairs(library, "grounds", new, "thing", "ground")} - facts
        facts |= new
    _require_few(facts)
    found: dict[str, list[str]] = {}
    for fact, source in _pairs(library, "cited", facts, "fact", "source"):
        found.setdefault(source, []).append(fact)
    return tuple(Behind(source, tuple(found[source])) for source in sorted(found))


def _spells(library: Library, rows: Sequence[set[str]]) -> set[str]:
    """The spells of any state in any body that one of *rows* names together."""
    together: dict[str, set[str]] = {}
    for things in rows:
        for each in things if len(things) > 1 else ():
            together.setdefault(each, set()).update(things)
    found = set()
    ordered = sorted(together)
    for start in range(0, len(ordered), _AT_ONCE):
        for row in library.rows("spells", *([asking.iri(each)] for each in ordered[start : start + _AT_ONCE])):
            if row["body"].value in together[row["state"].value]:
                found.add(row["spell"].value)
    return found


def _pairs(library: Library, name: str, things: Iterable[str], first: str, second: str) -> list[tuple[str, str]]:
    """The answers of the query file *name* for *things*, as pairs of IRIs."""
    ordered = sorted(things)
    found = []
    for start in range(0, len(ordered), _AT_ONCE):
        rows = library.rows(name, *([asking.iri(each)] for each in ordered[start : start + _AT_ONCE]))
        found += [(row[first].value, row[second].value) for row in rows]
    return found


def _things(terms: Iterable[results.Term | None]) -> set[str]:
    """The things of ours among *terms*."""
    return {each for term in terms for each in results.iris(term) if each.startswith(names.ID) and names.is_iri(each)}


def _require_few(things: set[str]) -> None:
    if len(things) > MOST_THINGS:
        raise AnswerTooLarge(
            f"The answer rests on more than {MOST_THINGS:,} things, too many to look up who says so.",
            "Ask for less: one state, one alliance, one day.",
        )
