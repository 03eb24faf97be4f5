"""An audit as a table, as Markdown, as JSON, and as corrections in QuickStatements."""

import dataclasses
import json
import re

from foedus.link.auditing import Audit
from foedus.link.findings import AGREES, NOT_READ, OUT_OF_SCOPE, Finding, counts
from foedus.query import table

_HEADS = ("verdict", "what", "item", "state", "in", "alliance", "there", "here", "days", "references", "note")
_MARKS = re.compile(r"[\\`\[\]<>|]")
"""What of a stranger's text could be a link, a tag, code or a column."""


def _shown(audit: Audit) -> list[Finding]:
    """The findings, without those that would hide the others.

    These are what is out of scope because nothing here is linked to it, labels that agree, and items that could not be
    read, which are told apart.
    """
    return [
        each
        for each in audit.findings
        if (each.verdict != OUT_OF_SCOPE or each.alliance or each.what == "item")
        and (each.verdict, each.what) != (AGREES, "label")
        and each.verdict != NOT_READ
    ]


def _cells(each: Finding) -> tuple[str, ...]:
    days = f"{each.days:+}" if each.days else ""
    pair = (each.item, each.state, each.target, each.alliance)
    what = f"{each.what} {each.language}" if each.language else each.what
    references = "" if each.references is None else str(each.references)
    return (each.verdict, what, *pair, each.there, each.here, days, references, each.note)


def _summary(audit: Audit) -> str:
    told = ", ".join(f"{number} {verdict}" for verdict, number in counts(audit.findings).items()) or "Nothing compared"
    partial = " (partial: not everything could be read)" if audit.troubles else ""
    number = sum(each.verdict != NOT_READ for each in audit.findings) - len(_shown(audit))
    hidden = f" Not shown: {number}, which are labels that agree, and what nothing here is linked to; --json has them."
    return f"{told}{partial}.{hidden if number else ''}"


def text(audit: Audit) -> str:
    """Aligned columns, and a line that counts the verdicts."""
    lines = [_HEADS, *map(_cells, _shown(audit))]
    if len(lines) == 1:
        return _summary(audit)
    return "\n".join([table.aligned(lines), "", _summary(audit)])


def markdown(audit: Audit) -> str:
    """A table in which items and things are links."""
    rows = [f"| {' | '.join(_HEADS)} |", f"|{'---|' * len(_HEADS)}"]
    for each in _shown(audit):
        cells = [_MARKS.sub(r"\\\g<0>", cell) for cell in _cells(each)]
        for place in (2, 4):
            cells[place] = f"[{cells[place]}](https://www.wikidata.org/wiki/{cells[place]})" if cells[place] else ""
        rows.append(f"| {' | '.join(cells)} |")
    troubles = [f"- {each.file}: {each.place or 'the file'}: {each.message}" for each in audit.troubles]
    files = ", ".join(f"`{file}`" for file in audit.files)
    return "\n".join(["# Wikidata and the record", "", f"{files}: {_summary(audit)}", "", *troubles, "", *rows])


def as_json(audit: Audit) -> str:
    """Everything, what is out of scope included."""
    told = {
        "files": audit.files,
        "partial": bool(audit.troubles),
        "counts": counts(audit.findings),
        "findings": [dataclasses.asdict(each) for each in audit.findings],
        "unreadable": [dataclasses.asdict(each) for each in audit.troubles],
        "proposals": [dataclasses.asdict(each) for each in audit.proposals],
    }
    return json.dumps(told, indent=2, ensure_ascii=False)


def quickstatements(audit: Audit) -> str:
    """One line for each proposed qualifier, with its reference; the reason is the comment of the edit."""
    return "\n".join(f"{each.line} /* {each.reason} */" for each in audit.proposals)
