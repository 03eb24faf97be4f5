"""What a check reports: findings, and how many things it looked at."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass


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
    """Everything that the checks found, by file and line, and everything that they looked at."""

    findings: tuple[Finding, ...]
    counts: tuple[Count, ...]

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
        looked_at = ", ".join(f"{count.number} {count.what}" for count in self.counts)
        number = len(self.findings)
        total = "Nothing found" if not number else "1 finding" if number == 1 else f"{number} findings"
        lines.append(f"{total}. Looked at: {looked_at}." if looked_at else f"{total}.")
        return "\n".join(lines)

    def json(self) -> str:
        """The report for programs: ``findings``, a list of objects, and ``counts``, one object from what to number."""
        content = {
            "findings": [asdict(each) for each in self.findings],
            "counts": {count.what: count.number for count in self.counts},
        }
        return json.dumps(content, ensure_ascii=False, indent=2)
