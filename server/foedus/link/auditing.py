"""Hold statements of membership in Wikidata against the memberships of the record."""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from foedus import names
from foedus.link.wikidata import DAY, MEMBER_OF, UNKNOWN, YEAR, Item, Reading, Statement, Time, Trouble
from foedus.query import record as recording
from foedus.query.pool import Asker
from foedus.query.record import FAR, Record, Spell

AGREES, DIFFERS, CONTRADICTED = "agrees", "differs", "contradicted"
MISSING_THERE, MISSING_HERE = "missing there", "missing here"
OTHER_ITEM, MOVED, OUT_OF_SCOPE = "other item", "moved", "out of scope"
VERDICTS = (CONTRADICTED, DIFFERS, OTHER_ITEM, MISSING_THERE, MISSING_HERE, MOVED, AGREES, OUT_OF_SCOPE)
"""What can be said of a statement, what most needs a look first; the last two are no findings."""

_QUERIES = Path(__file__).parent / "queries"
_WIKIDATA = names.PREFIXES["wd"]
_EXACT = names.PREFIXES["skos"] + "exactMatch"
_PRIMARY = ("treatyText", "officialRecord", "officialStatement")


@dataclass(frozen=True)
class Finding:
    """One verdict on one aspect (*what*: membership, begin or end) of a statement, or of one that is not there.

    *item* and *target* are QIDs, *state* and *alliance* local names here, empty where nothing is linked; *there* and
    *here* are dates in EDTF, *days* by how many the one there is later, *spell* the membership here.
    """

    verdict: str
    what: str
    item: str
    target: str
    state: str
    alliance: str
    there: str
    here: str
    days: int
    note: str
    file: str
    place: str
    spell: str = ""
    truthy: bool = False


@dataclass(frozen=True)
class Proposal:
    """A correction for a person to review, as one line of QuickStatements, and why."""

    line: str
    reason: str


@dataclass(frozen=True)
class Audit:
    """All that was found; *troubles* are what could not be read, without which the findings are partial."""

    files: tuple[str, ...]
    findings: tuple[Finding, ...]
    troubles: tuple[Trouble, ...]
    proposals: tuple[Proposal, ...]

    @property
    def differences(self) -> tuple[Finding, ...]:
        """The findings that a person should look at."""
        return tuple(each for each in self.findings if each.verdict not in {AGREES, OUT_OF_SCOPE})


@dataclass(frozen=True)
class _Linked:
    """What an item is linked to: *exact* where it is the same thing, *kind* State, Alliance or neither."""

    name: str
    exact: bool
    kind: str


class Here:
    """The record's side: links, memberships by alliance and state, and the addresses of their sources."""

    def __init__(self, asker: Asker) -> None:
        self.record: Record = recording.read(asker)
        self.linked: dict[str, _Linked] = {}
        self.items: dict[str, str] = {}
        for row in recording.rows(asker, _QUERIES / "links.rq"):
            qid, name = row["item"].removeprefix(_WIKIDATA), recording.local(row["thing"])
            exact, kind = row["link"] == _EXACT, recording.local(row.get("class", ""))
            if exact or qid not in self.linked:
                self.linked[qid] = _Linked(name, exact, kind)
            if exact:
                self.items[name] = qid
        self.spells: dict[str, dict[str, list[Spell]]] = defaultdict(lambda: defaultdict(list))
        for spell in self.record.spells:
            if spell.kind == "member":
                self.spells[spell.body][spell.state].append(spell)
        self.addresses: dict[tuple[str, str], str] = {}
        rank = {kind: place for place, kind in enumerate(_PRIMARY)}
        rows = recording.rows(asker, _QUERIES / "sources.rq")
        for row in sorted(rows, key=lambda row: rank.get(recording.local(row["kind"]), len(rank))):
            self.addresses.setdefault((recording.local(row["spell"]), row["side"]), row["url"])

    def goes_on(self, alliance: str, day: int) -> bool:
        """Whether *alliance* may have had any member on *day*."""
        return any(_holds(spell, day) for spells in self.spells[alliance].values() for spell in spells)


def _holds(spell: Spell, day: int) -> bool:
    """Whether *spell* is not known to be over, or not to have begun, on *day*."""
    return spell.span.begin_earliest <= day < spell.span.end_latest


def audit(readings: Sequence[Reading], here: Here, on: int | None = None) -> Audit:
    """Compare all *readings*, each as of the day *on*, else of its own, else of the last that the record speaks of."""
    findings: list[Finding] = []
    for reading in readings:
        findings += _File(reading, here, on or reading.day or here.record.horizon - 1).findings()
    findings.sort(key=lambda each: (VERDICTS.index(each.verdict), each.alliance, each.state, each.item, each.target))
    troubles = tuple(trouble for reading in readings for trouble in reading.troubles)
    return Audit(tuple(each.file for each in readings), tuple(findings), troubles, tuple(_proposals(findings, here)))


class _File:
    """The comparison of one file."""

    def __init__(self, reading: Reading, here: Here, day: int) -> None:
        self.reading, self.here, self.day = reading, here, day
        self.used: set[str] = set()
        self.stated = {
            (each.item, each.target) for item in reading.items for each in item.statements if each.property == MEMBER_OF
        }

    def findings(self) -> list[Finding]:
        found: list[Finding] = []
        for item in self.reading.items:
            linked = self.here.linked.get(item.qid)
            if item.gone or item.redirect:
                found += self.moved(item, linked)
                continue
            for statement in item.statements:
                found += self.statement(statement)
            if linked is None and not any(each.verdict != OUT_OF_SCOPE for each in found if each.item == item.qid):
                note = "The item is linked to nothing here."
                found.append(self.of(item.qid, "", OUT_OF_SCOPE, "item", note=note))
        return found + list(self.left_out())

    def of(
        self,
        item: str,
        target: str,
        verdict: str,
        what: str,
        place: str = "",
        there: str = "",
        here: str = "",
        days: int = 0,
        note: str = "",
        spell: str = "",
        truthy: bool = False,
    ) -> Finding:
        nothing = _Linked("", False, "")
        state, alliance = (self.here.linked.get(qid, nothing).name for qid in (item, target))
        file = self.reading.file
        return Finding(
            verdict, what, item, target, state, alliance, there, here, days, note, file, place, spell, truthy
        )

    def moved(self, item: Item, linked: _Linked | None) -> list[Finding]:
        told = f"redirects to {item.redirect}" if item.redirect else "is deleted, or never was"
        note = f"The item {told}." + (f" The link of id:{linked.name} needs a look." if linked else "")
        return [self.of(item.qid, "", MOVED if linked or item.gone else OUT_OF_SCOPE, "item", note=note)]

    def statement(self, statement: Statement) -> list[Finding]:
        """The verdicts on *statement*: one, or those on its begin and its end."""

        def one(verdict: str, note: str, here: str = "", spell: str = "") -> list[Finding]:
            pair, truthy = (statement.item, statement.target), statement.truthy
            found = self.of(*pair, verdict, "membership", statement.place, note=note, truthy=truthy)
            return [replace(found, here=here, spell=spell)]

        state, alliance = (self.here.linked.get(qid) for qid in (statement.item, statement.target))
        reason = self.out_of_scope(statement, state, alliance)
        if reason or alliance is None:
            return one(OUT_OF_SCOPE, reason)
        if state is None:
            return one(MISSING_HERE, f"{statement.item} is linked to nothing here.")
        members = self.here.spells[alliance.name][state.name]
        if not state.exact:
            proper = self.here.items.get(state.name, "")
            self.used |= {spell.name for spell in members}
            twice = (proper, statement.target) in self.stated
            note = f"id:{state.name} is {proper or 'no item'}" + (", which is a member there too." if twice else ".")
            return one(OTHER_ITEM, note)
        spell = self.spell_of(statement, members)
        if spell is None:
            return one(*self.nothing_here(statement, alliance.name))
        self.used.add(spell.name)
        if spell.span.begin_earliest > self.day:
            return one(CONTRADICTED, "The membership here begins after the day of the file.", spell.since, spell.name)
        return self.dates(statement, spell)

    @staticmethod
    def out_of_scope(statement: Statement, state: _Linked | None, alliance: _Linked | None) -> str:
        """Why *statement* is not to be compared; nothing if it is."""
        if statement.property != MEMBER_OF:
            return f"{statement.property} is no statement of membership."
        if statement.rank == "deprecated":
            return "The rank is deprecated: Wikidata itself does not hold it to be true."
        if alliance is None:
            return f"{statement.target or 'The value'} is linked to nothing here."
        if alliance.kind != "Alliance" or not alliance.exact:
            return f"id:{alliance.name} is no alliance of the record."
        if state is not None and state.kind != "State":
            return f"id:{state.name} is no state."
        return ""

    def nothing_here(self, statement: Statement, alliance: str) -> tuple[str, str]:
        covered = self.here.record.memberships_covered.get(alliance)
        begin = max(statement.begin.first, covered.first) if statement.begin and covered else None
        if covered and covered.completeness == "complete" and (begin is None or begin < covered.end):
            days = (datetime.date.fromordinal(each).isoformat() for each in (covered.first, covered.end - 1))
            return CONTRADICTED, f"Never a member here; the record is complete from {' to '.join(days)}."
        return MISSING_HERE, "No membership here; the record does not claim to be complete."

    def spell_of(self, statement: Statement, spells: Iterable[Spell]) -> Spell | None:
        """The membership that *statement* means: of those not yet met, that which shares most days."""
        if statement.begin is None and statement.end is None:
            first, end = self.day, self.day + 1
        else:
            first = statement.begin.first if statement.begin else 1
            end = statement.end.last if statement.end else self.day + 1

        def likeness(spell: Spell) -> tuple[bool, int, int]:
            shared = min(end, spell.span.end_latest) - max(first, spell.span.begin_earliest)
            return spell.name not in self.used, shared, spell.number

        return max(spells, key=likeness, default=None)

    def dates(self, statement: Statement, spell: Spell) -> list[Finding]:
        found: list[Finding] = []

        def add(verdict: str, what: str, there: str, here: str, days: int = 0, note: str = "") -> None:
            place, truthy = statement.place, statement.truthy
            pair = statement.item, statement.target
            found.append(self.of(*pair, verdict, what, place, there, here, days, note, spell.name, truthy))

        over = spell.span.end_latest <= self.day
        if statement.truthy:
            # A truthy statement has no time, so that only one of an alliance that went on without the state misleads.
            if over and self.here.goes_on(spell.body, self.day):
                note = "Shown as a current member. Truthy statements hide qualifiers: look whether an end is given."
                add(CONTRADICTED, "end", "", spell.until, note=note)
            else:
                add(AGREES, "membership", "", _both(spell), note="The statement tells no time.")
            return found
        if statement.begin is None:
            add(MISSING_THERE, "begin", "", spell.since)
        elif statement.begin == UNKNOWN:
            add(MISSING_THERE, "begin", UNKNOWN.text, spell.since)
        else:
            ours = (spell.span.begin_earliest, spell.span.begin_latest)
            gap = recording.gap((statement.begin.first, statement.begin.last), ours)
            add(
                DIFFERS if gap else AGREES, "begin", statement.begin.text, spell.since, gap, _precision(statement.begin)
            )
        if statement.end is None and over:
            goes_on = self.here.goes_on(spell.body, self.day)
            note = "Shown as a current member." if goes_on else ""
            add(CONTRADICTED if goes_on else MISSING_THERE, "end", "", spell.until, note=note)
        elif statement.end is None:
            add(AGREES, "end", "", "", note="No end in either." if spell.span.end_latest == FAR else "Not over yet.")
        elif statement.end == UNKNOWN:
            add(MISSING_THERE if over else CONTRADICTED, "end", UNKNOWN.text, spell.until)
        elif spell.span.end_latest == FAR:
            add(CONTRADICTED, "end", statement.end.text, "", note="No end is known here.")
        else:
            # An end there is the last day of membership or the first without: either is right.
            ours = (spell.span.end_certain - 1, spell.span.end_latest)
            gap = recording.gap((statement.end.first, statement.end.last), ours)
            add(DIFFERS if gap else AGREES, "end", statement.end.text, spell.until, gap, _precision(statement.end))
        return found

    def left_out(self) -> Iterable[Finding]:
        """The memberships here that the file should state and does not."""
        alliances = {each.target for item in self.reading.items for each in item.statements}
        for body, members in self.here.spells.items():
            target = self.here.items.get(body)
            if target is None or (self.reading.answer and target not in alliances):
                continue
            goes_on = self.here.goes_on(body, self.day)
            for state, spells in members.items():
                item = self.here.items.get(state)
                whole = any(each.qid == item and each.whole for each in self.reading.items)
                for spell in spells:
                    begun = spell.span.begin_latest <= self.day
                    expected = begun and (_holds(spell, self.day) or not goes_on) if self.reading.answer else begun
                    if item and expected and spell.name not in self.used and (whole or self.reading.answer):
                        note = "" if whole else "Perhaps only the query left it out."
                        found = self.of(item, target, MISSING_THERE, "membership", here=_both(spell), note=note)
                        yield replace(found, spell=spell.name, truthy=not whole)


def _both(spell: Spell) -> str:
    return f"{spell.since}/{spell.until or '..'}"


def _precision(time: Time) -> str:
    if time.precision >= DAY:
        return ""
    return "To the year." if time.precision == YEAR else f"To the precision {time.precision}."


def _proposals(findings: Iterable[Finding], here: Here) -> Iterable[Proposal]:
    """Corrections to whole statements, each with its source; none where one could not tell which statement is meant."""
    spells = {spell.name: spell for spell in here.record.spells}
    places: dict[tuple[str, str], set[str]] = defaultdict(set)
    wanted: list[Finding] = []
    for each in findings:
        if each.verdict != OUT_OF_SCOPE:
            places[each.item, each.target].add(each.place)
        if each.spell and not each.truthy and each.verdict in {DIFFERS, MISSING_THERE, CONTRADICTED}:
            wanted.append(each)
    for each in wanted:
        spell = spells[each.spell]
        sides = ("begin", "end") if each.what == "membership" else (each.what,)
        if len(places[each.item, each.target]) > 1:
            continue
        for side in sides:
            value, address = _value(spell, side), here.addresses.get((spell.name, side))
            if value and address and '"' not in address:
                qualifier = "P580" if side == "begin" else "P582"
                parts = (each.item, MEMBER_OF, each.target, qualifier, value, "S854", f'"{address}"')
                now = f"; remove {each.there} by hand" if each.there else ""
                reason = f"{side} of {names.curie(names.ID + spell.name)}{now}"
                yield Proposal("\t".join(parts), reason)


def _value(spell: Spell, side: str) -> str:
    """The begin or the last day of *spell* as a time of Wikidata, no more precise than it is known; else nothing."""
    span = spell.span
    first, last = (
        (span.begin_earliest, span.begin_latest) if side == "begin" else (span.end_certain - 1, span.end_latest - 1)
    )
    if last >= FAR - 1:
        return ""
    one, other = datetime.date.fromordinal(first), datetime.date.fromordinal(last)
    if one == other:
        return f"+{one.isoformat()}T00:00:00Z/11"
    if (one.year, one.month) == (other.year, other.month):
        return f"+{one.isoformat()[:7]}-00T00:00:00Z/10"
    return f"+{one.year:04}-00-00T00:00:00Z/9" if one.year == other.year else ""


def counts(findings: Iterable[Finding]) -> Mapping[str, int]:
    """How many there are of each verdict, of those that occur."""
    found = [each.verdict for each in findings]
    return {verdict: found.count(verdict) for verdict in VERDICTS if verdict in found}
