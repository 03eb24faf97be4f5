"""Turn the link tables (SSSOM, a reviewed table of mappings) into triples."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pyoxigraph import NamedNode, Triple

from foedus import names
from foedus.build.findings import Count, Finding
from foedus.build.reading import Content, Source

COLUMNS = ("subject_id", "predicate_id", "object_id", "mapping_justification")
"""The columns that the SSSOM specification requires of every table."""

PREDICATES = frozenset(
    f"skos:{name}" for name in ("exactMatch", "closeMatch", "broadMatch", "narrowMatch", "relatedMatch")
)

_ITEM = re.compile(r"Q[1-9]\d*")


@dataclass(frozen=True)
class Links:
    """The triples of all tables, what is wrong with their rows, and how many rows there are."""

    triples: tuple[Triple, ...]
    findings: tuple[Finding, ...]
    counts: tuple[Count, ...]


@dataclass(frozen=True)
class _Row:
    line: int
    cells: dict[str, str]


def read(content: Content) -> Links:
    """The links of *content*: one triple a row, subject and object named by CURIEs of our prefix table."""
    if content.links is None:
        return Links((), (), ())
    # What an unreadable file describes is not known: then no subject counts as described nowhere.
    subjects = (
        None
        if content.findings
        else {
            triple.subject.value
            for document in content.data
            for triple in document.triples
            if isinstance(triple.subject, NamedNode)
        }
    )
    triples: dict[Triple, None] = {}
    findings: list[Finding] = []
    number = 0
    for source in content.links:
        rows, faults = _rows(source)
        findings += faults
        for row in rows:
            number += 1
            wrong = list(_faults(source, row, subjects))
            findings += wrong
            if not wrong:
                subject, predicate, object_ = (names.expand(row.cells[column]) or "" for column in COLUMNS[:3])
                triple = Triple(NamedNode(subject), NamedNode(predicate), NamedNode(object_))
                if triple in triples:
                    findings.append(_finding(source, row, "The same link is given twice.", "Keep one."))
                triples[triple] = None
    return Links(tuple(triples), tuple(findings), (Count("links", number),))


def _rows(source: Source) -> tuple[list[_Row], list[Finding]]:
    """The rows below the header, each with its line; the lines before it that begin with ``#`` are metadata."""
    lines = [(number, line) for number, line in enumerate(source.text.splitlines(), start=1) if line.strip()]
    table = [(number, line.split("\t")) for number, line in lines if not line.startswith("#")]
    if not table:
        return [], [Finding(source.name, None, "", "The table has no header.", f"Begin it with {', '.join(COLUMNS)}.")]
    at, header = table[0]
    missing = [column for column in COLUMNS if column not in header]
    if missing:
        message = f"The header lacks {', '.join(missing)}."
        return [], [Finding(source.name, at, "", message, "Name the columns as SSSOM does, separated by tabs.")]
    rows, findings = [], []
    for number, cells in table[1:]:
        if len(cells) == len(header):
            rows.append(_Row(number, dict(zip(header, (cell.strip() for cell in cells), strict=True))))
        else:
            message = f"The row has {len(cells)} cells, the header {len(header)}."
            findings.append(Finding(source.name, number, "", message, "Separate the cells by single tabs."))
    return rows, findings


def _faults(source: Source, row: _Row, subjects: set[str] | None) -> Iterator[Finding]:
    subject, predicate, object_, justification = (row.cells[column] for column in COLUMNS)
    if subjects is not None and names.expand(subject) not in subjects:
        yield _finding(source, row, f"{subject or 'The empty subject'} is described nowhere.", "Give a thing of data/.")
    if predicate not in PREDICATES:
        yield _finding(source, row, f"“{predicate}” is no kind of link.", f"Use {', '.join(sorted(PREDICATES))}.")
    prefix, _, local = object_.partition(":")
    if names.expand(object_) is None or (prefix == "wd" and not _ITEM.fullmatch(local)):
        yield _finding(source, row, f"“{object_}” names nothing.", "Give an item as wd:Q318693.")
    if not justification.startswith("semapv:"):
        remedy = "Give a term such as semapv:ManualMappingCuration."
        yield _finding(source, row, "The row does not say how the link was justified.", remedy)


def _finding(source: Source, row: _Row, message: str, remedy: str) -> Finding:
    return Finding(source.name, row.line, row.cells["subject_id"], message, remedy)
