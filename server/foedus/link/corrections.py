"""Corrections of Wikidata in the language of QuickStatements, each with our source, for a person to review and submit.

The form is that of version 1 (https://www.wikidata.org/wiki/Help:QuickStatements), as the parser of QuickStatements 3
reads it (https://github.com/WikiMovimentoBrasil/quickstatements3): item, property and value, then pairs of qualifier
(``P580``) or reference (``S854``, the address of a source) and value, separated by tabs; a comment ``/* … */`` at the
end is the summary of the edit. A statement that is there with this value is not made again, but gets the qualifiers
and references. A qualifier is taken away by a line of its own that begins with ``REMOVE_QUAL``, which version 2 passes
over. No ``S813`` (retrieved) is given, because the record does not say when a source was read, and no label, because
labels have no references.
"""

import datetime
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from foedus import names
from foedus.link.findings import CONTRADICTED, DIFFERS, MISSING_THERE, OUT_OF_SCOPE, Finding
from foedus.link.here import ALLIANCE, Here
from foedus.link.wikidata import DISSOLVED, END, INCEPTION, MEMBER_OF, REPLACED_BY, REPLACES, START
from foedus.query.record import FAR, Spell

_QUALIFIERS = {"begin": START, "end": END}
_DAY = re.compile(r"\d{4}-\d\d-\d\d\Z")
_BREAKS = re.compile(r'["|\s]|/\*|\*/')
"""What would end a value, a column or a line before its time."""


@dataclass(frozen=True)
class Proposal:
    """A correction for a person to review: one line of QuickStatements, why, and what is left to do *by_hand*."""

    line: str
    reason: str
    by_hand: str = ""


def propose(findings: Iterable[Finding], here: Here) -> Iterator[Proposal]:
    """Corrections of whole statements, each with its source; none where it would not be clear which one is meant."""
    spells = {spell.name: spell for spell in here.record.spells}
    places: dict[tuple[str, str], set[str]] = defaultdict(set)
    wanted: list[Finding] = []
    for each in findings:
        if each.verdict != OUT_OF_SCOPE:
            places[each.item, each.target].add(each.place)
        if each.fact and not each.truthy and each.verdict in {DIFFERS, MISSING_THERE, CONTRADICTED}:
            wanted.append(each)
    for each in wanted:
        if each.what in {"membership", *_QUALIFIERS}:
            # QuickStatements finds a statement by its value: of two with the same it would take the first.
            if len(places[each.item, each.target]) == 1:
                yield from _of_membership(each, spells[each.fact], here)
        elif each.what in {"founded", "dissolved"}:
            yield from _of_date(each, spells, here)
        else:
            pair = each.fact.partition(" ")
            address = here.succession_addresses.get((pair[0], pair[2]), "")
            name = REPLACES if each.what == "predecessor" else REPLACED_BY
            yield from _line(each, name, each.target, address, f"{each.what}: {_shown(each.here)}")


def _of_membership(each: Finding, spell: Spell, here: Here) -> Iterator[Proposal]:
    for side in _QUALIFIERS if each.what == "membership" else (each.what,):
        value, address = _side(spell, side), here.addresses.get((spell.name, side), "")
        statement = f"{each.target}\t{_QUALIFIERS[side]}\t{value}"
        proposed = list(_line(each, MEMBER_OF, statement if value else "", address, f"{side}: {_shown(spell.name)}"))
        yield from proposed
        if proposed and _DAY.match(each.there):
            parts = ("REMOVE_QUAL", each.item, MEMBER_OF, each.target, _QUALIFIERS[side], f"+{each.there}T00:00:00Z/11")
            yield Proposal("\t".join(parts), f"{side}, other value: {_shown(spell.name)}")


def _of_date(each: Finding, spells: dict[str, Spell], here: Here) -> Iterator[Proposal]:
    """Inception and end of an alliance; when a state began is not for us to say."""
    linked = here.linked[each.item]
    if linked.kind != ALLIANCE:
        return
    if each.what == "dissolved":
        value, address, name = _side(spells[each.fact], "end"), here.addresses.get((each.fact, "end"), ""), DISSOLVED
    else:
        founding = next(found for found in here.foundings[linked.name] if found.act == each.fact)
        value, address, name = _time(founding.first, founding.last), founding.address, INCEPTION
    yield from _line(each, name, value, address, f"{each.what}: {_shown(each.fact)}")


def _line(each: Finding, name: str, value: str, address: str, reason: str) -> Iterator[Proposal]:
    if value and address and not _BREAKS.search(address):
        line = "\t".join((each.item, name, value, "S854", f'"{address}"'))
        stays = each.there and not (each.what in _QUALIFIERS and _DAY.match(each.there))
        yield Proposal(line, reason, f"{each.item}, {each.what}: {each.there} is still there." if stays else "")


def _shown(name: str) -> str:
    return names.ID + name


def _side(spell: Spell, side: str) -> str:
    """The begin or the last day of *spell* as a time of Wikidata; nothing where it has none."""
    span = spell.span
    if side == "begin":
        return _time(span.begin_earliest, span.begin_latest)
    return _time(span.end_certain - 1, span.end_latest - 1)


def _time(first: int, last: int) -> str:
    """A time of Wikidata that lies between two days, no more precise than it is known; nothing where it has no form."""
    if last >= FAR - 1:
        return ""
    one, other = datetime.date.fromordinal(first), datetime.date.fromordinal(last)
    if one == other:
        return f"+{one.isoformat()}T00:00:00Z/11"
    if (one.year, one.month) == (other.year, other.month):
        return f"+{one.isoformat()[:7]}-00T00:00:00Z/10"
    return f"+{one.year:04}-00-00T00:00:00Z/9" if one.year == other.year else ""
