"""What a check reports: findings, and how many things it looked at."""

import difflib
import heapq
import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, where it is, and what to do about it.

    ``file`` is the path as shown to people, ``line`` counts from 1 and is None where the parser does not know it;
    ``node`` is a CURIE, or empty where the finding is about a whole file.
    """

    file: str
    line: int | None
    node: str
    message: str
    remedy: str


@dataclass(frozen=True)
class Count:
    """How many things of one sort a check looked at; zero is itself a finding."""

    what: str
    number: int


@dataclass(frozen=True)
class Report:
    """Everything that the checks found, by file and line, and everything that they looked at.

    ``context`` is what was only read, because what was looked at refers to it.
    """

    findings: tuple[Finding, ...]
    counts: tuple[Count, ...]
    context: tuple[Count, ...] = ()

    @classmethod
    def of(cls, findings: Iterable[Finding], counts: Iterable[Count]) -> "Report":
        """The report of *findings*, each once and in order, and of *counts*; a check that saw nothing is a finding."""
        looked_at = tuple(counts)
        idle = [
            Finding("", None, "", f"A check looked at no {count.what}.", "Check what was read: a folder may be empty.")
            for count in looked_at
            if not count.number
        ]
        ordered = sorted({*findings, *idle}, key=lambda each: (each.file, each.line or 0, each.node, each.message))
        return cls(tuple(ordered), looked_at)

    def text(self) -> str:
        """The report for people: two lines a finding, then one line that says what was looked at."""
        lines = []
        for each in self.findings:
            where = f"{each.file}:{each.line}" if each.line else each.file
            lines.append(": ".join(part for part in (where, each.node, each.message) if part))
            lines.append(f"    {each.remedy}")
        number = len(self.findings)
        total = "Nothing found" if not number else "1 finding" if number == 1 else f"{number} findings"
        lines.append(f"{total}. Looked at: {_listed(self.counts)}." if self.counts else f"{total}.")
        if self.context:
            lines.append(f"Read as context, and not looked at: {_listed(self.context)}.")
        return "\n".join(lines)

    def json(self) -> str:
        """The report for programs: ``findings``, a list of objects, and ``counts``, one object from what to number;
        ``context``, of the same form, where something was only read.
        """
        content: dict[str, object] = {
            "findings": [asdict(each) for each in self.findings],
            "counts": {count.what: count.number for count in self.counts},
        }
        if self.context:
            content["context"] = {count.what: count.number for count in self.context}
        return json.dumps(content, ensure_ascii=False, indent=2)

    @classmethod
    def of_json(cls, text: str) -> "Report":
        """The report of which ``json`` gave *text*."""
        content = json.loads(text)
        counts, context = (
            tuple(Count(what, number) for what, number in part.items())
            for part in (content["counts"], content.get("context", {}))
        )
        return cls(tuple(Finding(**each) for each in content["findings"]), counts, context)


def _listed(counts: Iterable[Count]) -> str:
    return ", ".join(f"{count.number} {count.what}" for count in counts)


def not_said(findings: Iterable[Finding], already: Iterable[Finding]) -> list[Finding]:
    """Those of *findings* that are not about a value of a node about which *already* has one, on its own line, nor
    about a node that is described nowhere: whatever refers to it is told that.
    """
    told = tuple(already)
    said = {(each.file, each.node, value) for each in told for value in _VALUE.findall(each.message)[:1]}
    nowhere = {found[1] for each in told if (found := _NOWHERE.search(each.message))}
    return [
        each
        for each in findings
        if each.node not in nowhere
        and not any((each.file, each.node, value) in said for value in _VALUE.findall(each.message))
    ]


# A literal or a thing, as findings write them, and what a finding says of a thing that nothing describes.
_VALUE = re.compile(r'"[^"]*"|\bid:[a-z0-9-]+')
_NOWHERE = re.compile(r" refers to (id:\S+), which is described nowhere\.")


class Known:
    """Names among which the one that was meant is looked for; *many* of them take no longer than a few."""

    def __init__(self, many: Iterable[str]) -> None:
        self.names = sorted(set(many))
        self._asked = {name: name for name in self.names}

    def nearest(self, name: str) -> str:
        """The known name that is most like *name*, or an empty text where none is like it."""
        if name not in self._asked:
            parts = _parts(name)
            shared = Counter(number for part in parts for number in self._by_part.get(part, ()))
            alike = heapq.nlargest(_LIKELY, shared, key=lambda at: shared[at] / (len(parts) + len(self.names[at])))
            likely = [self.names[at] for at in alike]
            self._asked[name] = next(iter(difflib.get_close_matches(name, likely, n=1)), "")
        return self._asked[name]

    @cached_property
    def _by_part(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for number, name in enumerate(self.names):
            for part in _parts(name):
                found.setdefault(part, []).append(number)
        return found


# How many names, those that share most with the one asked for, are compared with it letter by letter.
_LIKELY = 30


def _parts(name: str) -> set[str]:
    """All that stands in *name* in three letters running, its ends included."""
    padded = f"  {name} "
    return {padded[at : at + 3] for at in range(len(padded) - 2)}
