"""Hold what Wikidata states of an alliance or a state itself against the record: since when, after whom, its names."""

import unicodedata
from collections.abc import Iterator

from foedus.link.comparison import Comparison, joined, precision
from foedus.link.findings import (
    AGREES,
    CONTRADICTED,
    DIFFERS,
    MISSING_HERE,
    MISSING_THERE,
    OUT_OF_SCOPE,
    Finding,
)
from foedus.link.here import GROUPING, ORIGIN, STATE, Day, Linked, Names
from foedus.link.wikidata import (
    ALL_LANGUAGES,
    DISSOLVED,
    FOLLOWED_BY,
    FOLLOWS,
    INCEPTION,
    INSTANCE_OF,
    LABELS,
    REPLACED_BY,
    REPLACES,
    UNKNOWN,
    Item,
    Statement,
    Time,
)
from foedus.query import record as recording

MILITARY_ALLIANCE = "Q1127126"

_BEFORE, _AFTER = (REPLACES, FOLLOWS), (REPLACED_BY, FOLLOWED_BY)


def dates(compared: Comparison, item: Item, linked: Linked) -> Iterator[Finding]:
    """When a state, an alliance or a grouping begins and ends."""
    if linked.kind:
        yield from _founded(compared, item, linked)
        yield from _dissolved(compared, item, linked)


def _founded(compared: Comparison, item: Item, linked: Linked) -> Iterator[Finding]:
    """An inception agrees with any day on which the record can be said to have the thing begin.

    Wikidata does not say how an inception is counted: from the signature of a treaty, from its entry into force, or
    from a decision to found the organisation.
    """
    every = [each for each in compared.here.foundings.get(linked.name, ()) if each.first <= compared.day]
    ours = [each for each in every if each.how != ORIGIN]
    shown = ", ".join(f"{each.date} ({each.how})" for each in ours)
    # What a correction would say: the day on which it was founded or came into force, not that of a signature.
    fact = next((each.act for how in ("decided", "in force") for each in ours if each.how == how), "")
    judged = [(each, _inception(compared, linked, each.time, every)) for each in _stated(item, INCEPTION)]
    if any(verdict == AGREES for _, (verdict, _, _) in judged):
        fact = ""
    if not judged and ours and INCEPTION in item.whole:
        yield compared.find(MISSING_THERE, "founded", item.qid, here=shown, fact=fact)
    for statement, (verdict, days, note) in judged:
        if ours or verdict == MISSING_HERE:
            there = statement.time.text if statement.time else ""
            told = {"there": there, "here": shown, "days": days, "note": note, "fact": fact}
            yield compared.find(verdict, "founded", item.qid, statement, **told)


def _inception(compared: Comparison, linked: Linked, time: Time | None, every: list[Day]) -> tuple[str, int, str]:
    """Verdict, days and note on an inception: against the nearest of our days that is no mere origin."""
    if time is None or time == UNKNOWN:
        return MISSING_THERE, 0, "It is said not to be known." if time else "It is said to have none."
    gaps = [(recording.gap((time.first, time.last), (each.first, each.last)), each) for each in every]
    counted = [(gap, each) for gap, each in gaps if each.how != ORIGIN]
    if not counted:
        return MISSING_HERE, 0, precision(time)
    days, nearest = min(counted, key=lambda found: abs(found[0]))
    if not days:
        others = ", ".join(each.how for gap, each in counted if gap)
        how = f"Counted as {nearest.how}." if len({each.how for _, each in counted}) > 1 else ""
        return AGREES, 0, joined(precision(time), how, f"The others: {others}." if how and others else "")
    origin = next((each.treaty for gap, each in gaps if not gap), "")
    note = f"On that day id:{origin} was signed, on which it is based." if origin else ""
    begins = [spell.span.begin_latest for spell in compared.here.every_spell(linked.name)]
    if begins and time.first > min(begins):
        return CONTRADICTED, days, joined(precision(time), "States were members before.", note)
    if linked.kind == STATE:
        note = "A state's beginning is counted in several ways; here it is independence, as a list of states has it."
    return DIFFERS, days, joined(precision(time), note)


def _dissolved(compared: Comparison, item: Item, linked: Linked) -> Iterator[Finding]:
    """The end of an alliance is that of its last membership, the end of a state what lists of states have."""
    known, ends, here, fact = _ends(compared, linked)
    statements = [each for each in _stated(item, DISSOLVED) if each.time] if known else []
    if known and not statements and DISSOLVED in item.whole:
        verdict, note = (MISSING_THERE, "") if ends else (AGREES, "It goes on in both.")
        yield compared.find(verdict, "dissolved", item.qid, here=here, fact=fact, note=note)
    for statement in statements:
        time, days = statement.time or UNKNOWN, 0
        note = precision(time) if time != UNKNOWN else ""
        if not ends:
            verdict, note = CONTRADICTED, joined(note, "It goes on here.")
        elif time == UNKNOWN:
            verdict = MISSING_THERE
        else:
            days = min((recording.gap((time.first, time.last), end) for end in ends), key=abs)
            verdict = DIFFERS if days else AGREES
        told = {"there": time.text, "here": here, "days": days, "note": note, "fact": fact}
        yield compared.find(verdict, "dissolved", item.qid, statement, **told)


def _ends(compared: Comparison, linked: Linked) -> tuple[bool, list[tuple[int, int]], str, str]:
    """Whether the end is known here, the ranges of days in which it may lie, how they are shown, and the fact.

    As with the end of a membership, the last day and the first without are both right.
    """
    if linked.kind == STATE:
        days = [each for each in compared.here.endings.get(linked.name, ()) if each.first <= compared.day]
        return True, [(each.first, each.last + 1) for each in days], ", ".join(each.date for each in days), ""
    last = compared.here.last_spell(linked.name)
    known = bool(compared.here.every_spell(linked.name))
    if last is None or last.span.end_latest > compared.day:
        return known, [], "", ""
    return known, [(last.span.end_certain - 1, last.span.end_latest)], last.until, last.name


def successions(compared: Comparison, item: Item, linked: Linked) -> Iterator[Finding]:
    """What it replaces or follows, and what replaces or follows it."""
    here = compared.here
    for properties, what in ((_BEFORE, "predecessor"), (_AFTER, "successor")):
        for statement in (each for name in properties for each in _stated(item, name) if each.target):
            other = here.linked.get(statement.target)
            if other is None or not other.exact:
                verdict, note = OUT_OF_SCOPE, f"{statement.target} is linked to nothing here."
            else:
                pair = (linked.name, other.name) if what == "predecessor" else (other.name, linked.name)
                verdict, note = _succession(pair, here.successions)
            name = other.name if other else ""
            told = {"there": statement.target, "note": joined(f"By {statement.property}.", note)}
            yield compared.find(verdict, what, item.qid, statement, here=name if verdict == AGREES else "", **told)
    for (successor, predecessor), stands in here.successions.items():
        if linked.name in (successor, predecessor) and not stands:
            yield from _succession_left_out(compared, item, linked, successor, predecessor)


def _succession(pair: tuple[str, str], known: dict[tuple[str, str], bool]) -> tuple[str, str]:
    if pair in known:
        return AGREES, ""
    return (CONTRADICTED, "The other way round here.") if pair[::-1] in known else (MISSING_HERE, "")


def _succession_left_out(
    compared: Comparison, item: Item, linked: Linked, successor: str, predecessor: str
) -> Iterator[Finding]:
    """A succession of the record that neither item states; told of the successor if both were read."""
    one, other = (compared.here.items.get(name, "") for name in (successor, predecessor))
    is_successor = linked.name == successor
    target, properties = (other, _BEFORE) if is_successor else (one, _AFTER)
    if not target or not item.whole.issuperset(properties):
        return
    stated = [
        (each.target if each.property in _AFTER else each.item, each.item if each.property in _AFTER else each.target)
        for qid in (one, other)
        if qid in compared.items
        for name in (*_BEFORE, *_AFTER)
        for each in _stated(compared.items[qid], name)
    ]
    if (one, other) in stated or (not is_successor and one in compared.items):
        return
    what, name = ("predecessor", predecessor) if is_successor else ("successor", successor)
    yield compared.find(MISSING_THERE, what, item.qid, target=target, here=name, fact=f"{successor} {predecessor}")


def classes(compared: Comparison, item: Item, linked: Linked) -> Iterator[Finding]:
    """That a grouping without a pledge of assistance is no military alliance."""
    for statement in _stated(item, INSTANCE_OF):
        if statement.target == MILITARY_ALLIANCE and linked.kind == GROUPING:
            note = "A grouping here, whose members pledge each other no assistance."
            yield compared.find(CONTRADICTED, "class", item.qid, statement, there="military alliance", note=note)


def labels(compared: Comparison, item: Item, linked: Linked) -> Iterator[Finding]:
    """Its names by language: those in which it, or most of its kind, has one here."""
    ours = compared.here.names.get(linked.name, {})
    for language in sorted({*ours, *compared.here.languages(linked.kind)} - {""}):
        named = ours.get(language, Names())
        label = item.labels.get(language) or item.labels.get(ALL_LANGUAGES, "")
        others = (*item.aliases.get(language, ()), *item.aliases.get(ALL_LANGUAGES, ()))
        here = named.label or ", ".join(named.others)
        if label and here:
            verdict, note = _label(named, label, others)
        elif here and LABELS in item.whole:
            verdict, note = MISSING_THERE, ""
        elif label:
            verdict, note = MISSING_HERE, ""
        else:
            continue
        yield compared.find(verdict, "label", item.qid, language=language, there=label, here=here, note=note)


def _label(ours: Names, label: str, others: tuple[str, ...]) -> tuple[str, str]:
    if _folded(label) == _folded(ours.label):
        return AGREES, ""
    if _folded(label) in map(_folded, ours.others):
        return AGREES, "Another name here."
    if ours.label and _folded(ours.label) in map(_folded, others):
        return AGREES, "Another name there."
    return DIFFERS, ""


def _folded(name: str) -> str:
    """*name* for comparison: without differences of case, of composition and of space."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _stated(item: Item, name: str) -> list[Statement]:
    """What Wikidata holds to be true of the property *name*."""
    return [each for each in item.statements if each.property == name and each.rank != "deprecated"]
