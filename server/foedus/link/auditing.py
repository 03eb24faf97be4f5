"""Hold what was read of Wikidata against the record: memberships, dates, successors, classes and labels."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from foedus.link import corrections, things
from foedus.link.comparison import Comparison
from foedus.link.corrections import Proposal
from foedus.link.findings import (
    ASPECTS,
    CLASSES,
    DATES,
    LABELS,
    MEMBERSHIPS,
    MOVED,
    NOT_READ,
    OUT_OF_SCOPE,
    QUIET,
    SUCCESSORS,
    VERDICTS,
    Finding,
)
from foedus.link.here import Here, Linked
from foedus.link.memberships import Memberships
from foedus.link.wikidata import Item, Reading, Trouble

_OF_THINGS = {
    DATES: things.dates,
    SUCCESSORS: things.successions,
    CLASSES: things.classes,
    LABELS: things.labels,
}


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
        return tuple(each for each in self.findings if each.verdict not in QUIET)


def audit(readings: Sequence[Reading], here: Here, on: int | None = None, aspects: Collection[str] = ASPECTS) -> Audit:
    """Compare all *readings*, each as of the day *on*, else of its own, else of the last that the record speaks of."""
    findings: list[Finding] = []
    for reading in readings:
        day = on or reading.day or here.record.horizon - 1
        findings += _compare(Comparison(reading, here, day, readings), aspects)
    findings.sort(
        key=lambda each: (
            VERDICTS.index(each.verdict),
            each.alliance,
            each.state,
            each.item,
            each.target,
            each.language,
        )
    )
    troubles = tuple(trouble for reading in readings for trouble in reading.troubles)
    proposals = tuple(dict.fromkeys(corrections.propose(findings, here)))
    return Audit(tuple(each.file for each in readings), tuple(findings), troubles, proposals)


def _compare(compared: Comparison, aspects: Collection[str]) -> list[Finding]:
    found: list[Finding] = []
    memberships = Memberships(compared)
    for item in compared.reading.items:
        linked = compared.here.linked.get(item.qid)
        if item.unread:
            found.append(compared.find(NOT_READ, "item", item.qid))
            continue
        if item.gone or item.redirect:
            found.append(_moved(compared, item, linked))
            continue
        if MEMBERSHIPS in aspects:
            found += memberships.of_item(item)
        if linked and linked.exact:
            for aspect, compare in _OF_THINGS.items():
                found += compare(compared, item, linked) if aspect in aspects else ()
        if linked is None and not any(each.item == item.qid and each.verdict != OUT_OF_SCOPE for each in found):
            found.append(compared.find(OUT_OF_SCOPE, "item", item.qid, note="The item is linked to nothing here."))
    return [*found, *(memberships.left_out() if MEMBERSHIPS in aspects else ())]


def _moved(compared: Comparison, item: Item, linked: Linked | None) -> Finding:
    told = f"redirects to {item.redirect}" if item.redirect else "is deleted, or never was"
    note = f"The item {told}." + (f" The link of id:{linked.name} needs a look." if linked else "")
    return compared.find(MOVED if linked or item.gone else OUT_OF_SCOPE, "item", item.qid, note=note)
