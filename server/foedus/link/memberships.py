"""Hold statements of membership against the memberships of the record: who, since when, until when."""

import datetime
from collections.abc import Iterable, Iterator

from foedus.link.comparison import Comparison, joined, precision
from foedus.link.findings import (
    AGREES,
    CONTRADICTED,
    DIFFERS,
    MISSING_HERE,
    MISSING_THERE,
    OTHER_ITEM,
    OUT_OF_SCOPE,
    Finding,
)
from foedus.link.here import ALLIANCE, STATE, Linked, holds
from foedus.link.wikidata import MEMBER_OF, PROPERTIES, UNKNOWN, Item, Statement
from foedus.query import record as recording
from foedus.query.record import FAR, Spell


class Memberships:
    """The comparison of one reading; *used* are the memberships here that it states."""

    def __init__(self, compared: Comparison) -> None:
        self.compared = compared
        self.here, self.day = compared.here, compared.day
        self.used: set[str] = set()
        self.stated = {
            (each.item, each.target)
            for item in compared.reading.items
            for each in item.statements
            if each.property == MEMBER_OF
        }

    def of_item(self, item: Item) -> Iterator[Finding]:
        """The verdicts on all that is stated of *item*."""
        for statement in item.statements:
            if statement.property == MEMBER_OF or statement.property not in PROPERTIES:
                yield from self.statement(statement)

    def statement(self, statement: Statement) -> list[Finding]:
        """The verdicts on *statement*: one, or those on its begin and its end."""

        def one(verdict: str, note: str, here: str = "", spell: str = "") -> list[Finding]:
            item = statement.item
            return [
                self.compared.find(
                    verdict, "membership", item, statement, member=True, note=note, here=here, fact=spell
                )
            ]

        state, alliance = (self.here.linked.get(qid) for qid in (statement.item, statement.target))
        reason = self.out_of_scope(statement, state, alliance)
        if reason or alliance is None:
            return one(OUT_OF_SCOPE, joined(reason, self.too_early(statement)))
        if state is None:
            return one(MISSING_HERE, f"{statement.item} is linked to nothing here.")
        members = self.here.spells.get(alliance.name, {}).get(state.name, [])
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
        return list(self.dates(statement, spell))

    @staticmethod
    def out_of_scope(statement: Statement, state: Linked | None, alliance: Linked | None) -> str:
        """Why *statement* is not to be compared; nothing if it is."""
        if statement.property != MEMBER_OF:
            return f"{statement.property} is no statement of membership."
        if statement.rank == "deprecated":
            return "The rank is deprecated: Wikidata itself does not hold it to be true."
        if alliance is None:
            return f"{statement.target or 'The value'} is linked to nothing here."
        if alliance.kind != ALLIANCE or not alliance.exact:
            return f"id:{alliance.name} is no alliance of the record."
        if state is not None and state.kind != STATE:
            return f"id:{state.name} is no state."
        return ""

    def too_early(self, statement: Statement) -> str:
        """Whether Wikidata has the membership begin before that of which it is one."""
        founded = self.compared.inception(statement.target)
        if founded and statement.begin and statement.begin.last < founded.first and statement.begin.precision:
            return f"It begins in {statement.begin.text}, before {statement.target} itself ({founded.text})."
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

    def dates(self, statement: Statement, spell: Spell) -> Iterator[Finding]:
        """The verdicts on begin and end of *statement*, which means *spell*."""

        def one(verdict: str, what: str, there: str, here: str, days: int = 0, note: str = "") -> Finding:
            told = {"there": there, "here": here, "days": days, "note": note, "fact": spell.name}
            return self.compared.find(verdict, what, statement.item, statement, member=True, **told)

        over = spell.span.end_latest <= self.day
        goes_on = over and self.here.goes_on(spell.body, self.day)
        if statement.truthy and goes_on:
            # A truthy statement has no time, so that only one of an alliance that went on without the state misleads.
            note = "Shown as a current member. Truthy statements hide qualifiers: look whether an end is given."
            yield one(CONTRADICTED, "end", "", spell.until, note=note)
            return
        if statement.truthy:
            yield one(AGREES, "membership", "", _both(spell), note="The statement tells no time.")
            return
        if statement.begin is None or statement.begin == UNKNOWN:
            yield one(MISSING_THERE, "begin", statement.begin.text if statement.begin else "", spell.since)
        else:
            ours = (spell.span.begin_earliest, spell.span.begin_latest)
            gap = recording.gap((statement.begin.first, statement.begin.last), ours)
            note = joined(precision(statement.begin), self.too_early(statement))
            yield one(DIFFERS if gap else AGREES, "begin", statement.begin.text, spell.since, gap, note)
        if statement.end is None and over:
            note = "Shown as a current member." if goes_on else ""
            yield one(CONTRADICTED if goes_on else MISSING_THERE, "end", "", spell.until, note=note)
        elif statement.end is None:
            yield one(
                AGREES, "end", "", "", note="No end in either." if spell.span.end_latest == FAR else "Not over yet."
            )
        elif statement.end == UNKNOWN:
            yield one(MISSING_THERE if over else CONTRADICTED, "end", UNKNOWN.text, spell.until)
        elif spell.span.end_latest == FAR:
            yield one(CONTRADICTED, "end", statement.end.text, "", note="No end is known here.")
        else:
            # An end there is the last day of membership or the first without: either is right.
            ours = (spell.span.end_certain - 1, spell.span.end_latest)
            gap = recording.gap((statement.end.first, statement.end.last), ours)
            note = precision(statement.end)
            yield one(DIFFERS if gap else AGREES, "end", statement.end.text, spell.until, gap, note)

    def left_out(self) -> Iterator[Finding]:
        """The memberships here that the reading should state and does not."""
        reading = self.compared.reading
        alliances = {each.target for item in reading.items for each in item.statements}
        whole = {item.qid for item in reading.items if MEMBER_OF in item.whole}
        for body, members in self.here.spells.items():
            target = self.here.items.get(body)
            if target is None or (reading.answer and target not in alliances):
                continue
            goes_on = self.here.goes_on(body, self.day)
            for state, spells in members.items():
                item = self.here.items.get(state, "")
                if not item or not (item in whole or reading.answer):
                    continue
                for spell in spells:
                    begun = spell.span.begin_latest <= self.day
                    expected = begun and (holds(spell, self.day) or not goes_on) if reading.answer else begun
                    if expected and spell.name not in self.used:
                        yield self.compared.find(
                            MISSING_THERE,
                            "membership",
                            item,
                            target=target,
                            member=True,
                            here=_both(spell),
                            note="" if item in whole else "Perhaps only the query left it out.",
                            truthy=item not in whole,
                            fact=spell.name,
                        )


def _both(spell: Spell) -> str:
    return f"{spell.since}/{spell.until or '..'}"
