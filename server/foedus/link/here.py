"""The record's side of a comparison with Wikidata: what is linked, since when it is, after whom, and by what names."""

import datetime
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from foedus import names
from foedus.query import record as recording
from foedus.query.pool import Asker
from foedus.query.record import FAR, Record, Row, Spell

STATE, ALLIANCE, GROUPING = "State", "Alliance", "Grouping"

ORIGIN = "origin"
"""How the day of a treaty is counted on which an alliance is based without being constituted by it."""

_QUERIES = Path(__file__).parent / "queries"
_WIKIDATA = names.PREFIXES["wd"]
_EXACT = names.PREFIXES["skos"] + "exactMatch"
_PRIMARY = {kind: place for place, kind in enumerate(("treatyText", "officialRecord", "officialStatement"))}


@dataclass(frozen=True)
class Linked:
    """What an item is linked to: *exact* where it is the same thing, *kind* a class of ours or nothing."""

    name: str
    exact: bool
    kind: str


@dataclass(frozen=True)
class Day:
    """A day on which a thing can be said to begin or to end, as *how* counts.

    That is decided, signed, in force, independent, origin, or ended. *first* and *last* are the days between which the
    *act* lies, *address* is that of a source of it, or nothing.
    """

    how: str
    act: str
    treaty: str
    date: str
    first: int
    last: int
    address: str


@dataclass
class Names:
    """What a thing is called in one language: its *label*, and its *others*."""

    label: str = ""
    others: list[str] = field(default_factory=list)


class Here:
    """The record: links, memberships by alliance and state, beginnings, successors, names, and addresses of sources."""

    def __init__(self, asker: Asker) -> None:
        self.record: Record = recording.read(asker)
        self.linked: dict[str, Linked] = {}
        self.items: dict[str, str] = {}
        for row in recording.rows(asker, _QUERIES / "links.rq"):
            self._link(row)
        self.spells: dict[str, dict[str, list[Spell]]] = {}
        for spell in self.record.spells:
            if spell.kind == "member":
                self.spells.setdefault(spell.body, {}).setdefault(spell.state, []).append(spell)
        self.addresses: dict[tuple[str, str], str] = {}
        for row in _best(recording.rows(asker, _QUERIES / "sources.rq")):
            self.addresses.setdefault((recording.local(row["spell"]), row["side"]), row["url"])
        self.foundings = _days(recording.rows(asker, _QUERIES / "foundings.rq"))
        self.endings = _days(recording.rows(asker, _QUERIES / "endings.rq"))
        self.successions: dict[tuple[str, str], bool] = {}
        self.succession_addresses: dict[tuple[str, str], str] = {}
        for row in _best(recording.rows(asker, _QUERIES / "successions.rq")):
            pair = recording.local(row["successor"]), recording.local(row["predecessor"])
            self.successions[pair] = row["stands"] == "true"
            self.succession_addresses.setdefault(pair, row.get("url", ""))
        self.names: dict[str, dict[str, Names]] = defaultdict(lambda: defaultdict(Names))
        for row in recording.rows(asker, _QUERIES / "labels.rq"):
            named = self.names[recording.local(row["thing"])][row["language"]]
            if row["as"] == "label" and not named.label:
                named.label = row["text"]
            else:
                named.others.append(row["text"])

    def _link(self, row: Row) -> None:
        qid, name = row["item"].removeprefix(_WIKIDATA), recording.local(row["thing"])
        exact, kind = row["link"] == _EXACT, recording.local(row.get("class", ""))
        if exact or qid not in self.linked:
            self.linked[qid] = Linked(name, exact, kind)
        if exact:
            self.items[name] = qid

    def items_of(self, kind: str) -> tuple[str, ...]:
        """The items that are the same as a thing of *kind*."""
        return tuple(qid for qid, linked in self.linked.items() if linked.exact and linked.kind == kind)

    def every_spell(self, alliance: str) -> list[Spell]:
        """All memberships of *alliance*."""
        return [spell for spells in self.spells.get(alliance, {}).values() for spell in spells]

    def goes_on(self, alliance: str, day: int) -> bool:
        """Whether *alliance* may have had any member on *day*."""
        return any(holds(spell, day) for spell in self.every_spell(alliance))

    def last_spell(self, alliance: str) -> Spell | None:
        """The membership with which *alliance* ended; None where it goes on, or has none."""
        last = max(
            self.every_spell(alliance), key=lambda spell: (spell.span.end_latest, spell.span.end_certain), default=None
        )
        return None if last is None or last.span.end_latest == FAR else last

    def languages(self, kind: str) -> frozenset[str]:
        """The languages in which most linked things of *kind* have a name here."""
        things = [linked.name for linked in self.linked.values() if linked.exact and linked.kind == kind]
        used = Counter(language for name in things for language in self.names.get(name, ()))
        return frozenset(language for language, number in used.items() if 2 * number > len(things))

    def every_language(self) -> tuple[str, ...]:
        """All languages in which anything linked has a name here."""
        return tuple(sorted({language for named in self.names.values() for language in named if language}))


def holds(spell: Spell, day: int) -> bool:
    """Whether *spell* is not known to be over, or not to have begun, on *day*."""
    return spell.span.begin_earliest <= day < spell.span.end_latest


def _best(rows: Iterable[Row]) -> list[Row]:
    """*rows* with a *kind* of source, the closest to the fact first."""
    return sorted(rows, key=lambda row: _PRIMARY.get(recording.local(row.get("kind", "")), len(_PRIMARY)))


def _days(rows: Iterable[Row]) -> Mapping[str, tuple[Day, ...]]:
    """The days of each thing: the first of each way of counting, and all that lists of states have."""
    found: dict[str, dict[str, Day]] = defaultdict(dict)
    for row in _best(rows):
        first, last = (datetime.date.fromisoformat(row[name]).toordinal() for name in ("first", "last"))
        act, treaty, url = recording.local(row["act"]), recording.local(row.get("treaty", "")), row.get("url", "")
        thing = found[recording.local(row["thing"])]
        key = act if row["how"] in {"independent", "ended"} else row["how"]
        if key not in thing or (first, last) < (thing[key].first, thing[key].last):
            thing[key] = Day(row["how"], act, treaty, row["date"], first, last, url)
    return {
        name: tuple(sorted(each.values(), key=lambda each: (each.first, each.last))) for name, each in found.items()
    }
