"""What every comparison of a reading with the record needs: both sides, the day, and findings on either."""

from collections.abc import Mapping, Sequence
from typing import Any

from foedus.link.findings import Finding
from foedus.link.here import STATE, Here, Linked
from foedus.link.wikidata import DAY, INCEPTION, MONTH, YEAR, Reading, Statement, Time


class Comparison:
    """One reading against the record as of *day*; *readings* are all that were read together."""

    def __init__(self, reading: Reading, here: Here, day: int, readings: Sequence[Reading]) -> None:
        self.reading, self.here, self.day = reading, here, day
        self.items = {item.qid: item for each in readings for item in each.items}

    def find(self, verdict: str, what: str, item: str, statement: Statement | None = None, **told: Any) -> Finding:
        """A finding on *item*, and on its *statement* where it is about one."""
        target = statement.target if statement else told.pop("target", "")
        one, other = self.here.linked.get(item), self.here.linked.get(target)
        of_state = told.pop("member", False) or (one is not None and one.kind == STATE)
        if statement:
            told |= {"rank": statement.rank, "references": statement.references, "truthy": statement.truthy}
            told["place"] = statement.place
        return Finding(
            verdict,
            what,
            item,
            target,
            state=_name(one) if of_state else "",
            alliance=_name(other) if of_state else _name(one),
            file=self.reading.file,
            **told,
        )

    def inception(self, qid: str) -> Time | None:
        """The first time that Wikidata itself gives for the beginning of an item, if the item was read."""
        item = self.items.get(qid)
        times = [
            each.time
            for each in (item.statements if item else ())
            if each.property == INCEPTION and each.rank != "deprecated" and each.time and each.time.precision
        ]
        return min(times, key=lambda time: time.first, default=None)


def _name(linked: Linked | None) -> str:
    return linked.name if linked else ""


_PRECISIONS: Mapping[int, str] = {MONTH: "To the month.", YEAR: "To the year."}


def precision(time: Time) -> str:
    """How precise *time* is, where it is no day."""
    return "" if time.precision >= DAY else _PRECISIONS.get(time.precision, f"To the precision {time.precision}.")


def joined(*notes: str) -> str:
    """*notes* as one; empty ones say nothing."""
    return " ".join(filter(None, notes))
