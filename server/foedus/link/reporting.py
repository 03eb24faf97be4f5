"""Report how complete and how fresh the links are: what of each class is linked, how, by whom and since when."""

import json
import textwrap
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from foedus import files, sssom
from foedus.link.inventory import KINDS, Thing
from foedus.query.table import aligned

_NAMES = {"wd": "Wikidata", "geonames": "GeoNames", "ucdp": "UCDP"}
_FACETS = ("predicate_id", "mapping_justification", "confidence", "mapping_date", "author_label", "mapping_source")
"""The columns by whose values rows are counted."""
_SHOWN = 100
"""Names of things not linked that a terminal is shown."""


@dataclass(frozen=True)
class Coverage:
    """Of the things of one class, how many are the same as something in *vocabulary*, are near it, or neither."""

    vocabulary: str
    kind: str
    things: int
    same: int
    near: int
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """*counted* has the rows of each table by the values of some columns; *faults* are rows that are not sound.

    *twice* are the things with several links into one vocabulary, *claimed* what several things are linked to, each
    with all of its links.
    """

    links: Mapping[str, int]
    coverage: tuple[Coverage, ...]
    counted: Mapping[str, Mapping[str, Mapping[str, int]]]
    twice: Mapping[str, tuple[str, ...]]
    claimed: Mapping[str, tuple[str, ...]]
    faults: tuple[str, ...]

    def json(self) -> str:
        return json.dumps(asdict(self), indent=2, ensure_ascii=False)


def read(folder: Path) -> Mapping[str, sssom.Table]:
    """The tables in *folder*, by the names of their files."""
    paths = sorted(folder.glob("*.sssom.tsv"))
    return {path.name: sssom.read(path.read_text(encoding="utf-8")) for path in paths}


def report(every: Mapping[str, Thing], tables: Mapping[str, sssom.Table]) -> Report:
    """What *tables* link of *every* thing."""
    rows = [row for table in tables.values() for row in table.rows]
    by_subject: dict[tuple[str, str], list[sssom.Row]] = defaultdict(list)
    by_object: dict[str, list[sssom.Row]] = defaultdict(list)
    for row in rows:
        by_subject[row.get("subject_id"), _vocabulary(row)].append(row)
        by_object[row.get("object_id")].append(row)
    return Report(
        {name: len(table.rows) for name, table in tables.items()},
        tuple(_coverage(every, rows)),
        {name: {facet: _counted(table, facet) for facet in _FACETS} for name, table in tables.items()},
        {pair[0]: _shown(found) for pair, found in sorted(by_subject.items()) if len(found) > 1},
        {name: _shown(found) for name, found in sorted(by_object.items()) if len(found) > 1},
        tuple(_faults(tables)),
    )


def _vocabulary(row: sssom.Row) -> str:
    prefix = row.get("object_id").partition(":")[0]
    return _NAMES.get(prefix, prefix)


def _shown(rows: Iterable[sssom.Row]) -> tuple[str, ...]:
    return tuple(f"{row.get('subject_id')} {row.get('predicate_id')} {row.get('object_id')}" for row in rows)


def _counted(table: sssom.Table, facet: str) -> Mapping[str, int]:
    """How many rows have each value: days from the oldest on, other values from the most frequent on."""
    found = Counter(row.get(facet) or "(none)" for row in table.rows)
    is_day = facet == "mapping_date"
    return dict(sorted(found.items(), key=lambda each: (0 if is_day else -each[1], each[0])))


def _coverage(every: Mapping[str, Thing], rows: Iterable[sssom.Row]) -> Iterator[Coverage]:
    """Every class for Wikidata; for another vocabulary those of which something is linked to it."""
    same: dict[str, set[str]] = defaultdict(set)
    near: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        (same if row.is_identity else near)[_vocabulary(row)].add(row.get("subject_id").removeprefix("id:"))
    kinds: dict[str, list[str]] = defaultdict(list)
    for name, thing in every.items():
        kinds[thing.kind].append(name)
    wikidata = _NAMES["wd"]
    for vocabulary in sorted({wikidata, *same, *near}, key=lambda name: (name != wikidata, name)):
        for kind in KINDS:
            things = sorted(kinds[kind])
            exact = [name for name in things if name in same[vocabulary]]
            close = [name for name in things if name in near[vocabulary] - same[vocabulary]]
            if exact or close or (things and vocabulary == wikidata):
                missing = tuple(name for name in things if name not in {*exact, *close})
                yield Coverage(vocabulary, kind, len(things), len(exact), len(close), missing)


def _faults(tables: Mapping[str, sssom.Table]) -> Iterator[str]:
    for name, table in tables.items():
        for fault in (*table.faults, *(fault for row in table.rows for fault in row.faults)):
            yield f"{name}{f':{fault.line}' if fault.line else ''}: {fault.message}"


_HEADS = ("vocabulary", "class", "things", "same", "near", "not linked")


def _cells(found: Report) -> list[Sequence[str]]:
    return [
        (each.vocabulary, each.kind, *map(str, (each.things, each.same, each.near, len(each.missing))))
        for each in found.coverage
    ]


def text(found: Report) -> str:
    """For a terminal: how much is linked, what is not, how it was linked, and what needs a look."""
    lines = [aligned([_HEADS, *_cells(found)])] if found.coverage else ["Nothing is linked."]
    for each in found.coverage:
        if each.missing:
            lines += ["", f"{each.kind}, not linked to {each.vocabulary}:", _wrapped(_some(each.missing))]
    for name, facets in found.counted.items():
        lines += ["", f"{name}: {found.links[name]} links"]
        for facet, values in facets.items():
            lines.append(_wrapped(f"{facet}: " + ", ".join(f"{value} {number}" for value, number in values.items())))
    for head, told in _lists(found):
        lines += ["", f"{head}:", *(f"  {each}" for each in told)]
    return "\n".join(lines)


def markdown(found: Report) -> str:
    """The same as tables and lists."""
    rows = [f"| {' | '.join(_HEADS)} |", f"|{'---|' * len(_HEADS)}"]
    rows += [f"| {' | '.join(cells)} |" for cells in _cells(found)]
    lines = ["# Links", "", *rows]
    for each in found.coverage:
        if each.missing:
            lines += ["", f"**{each.kind}, not linked to {each.vocabulary}**: {', '.join(each.missing)}"]
    for name, facets in found.counted.items():
        lines += ["", f"## {name}", "", "| column | value | links |", "|---|---|---|"]
        for facet, values in facets.items():
            lines += [f"| {facet} | {value} | {number} |" for value, number in values.items()]
    for head, told in _lists(found):
        lines += ["", f"## {head}", "", *(f"- {each}" for each in told)]
    return "\n".join(lines)


def _lists(found: Report) -> Iterator[tuple[str, list[str]]]:
    """What a person should look at: each thing linked twice, each claimed by two, and faults."""
    for head, told in (("Linked twice", found.twice), ("Claimed by several", found.claimed)):
        if told:
            yield head, ["; ".join(links) for links in told.values()]
    if found.faults:
        yield "Not sound", list(found.faults)


def _some(named: Sequence[str]) -> str:
    more = f" and {len(named) - _SHOWN} more (--json and --markdown have all)" if len(named) > _SHOWN else ""
    return ", ".join(named[:_SHOWN]) + more


def _wrapped(line: str) -> str:
    return textwrap.fill(line, 100, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)


def shipped() -> Mapping[str, sssom.Table]:
    """The tables of the content."""
    return read(files.LINKS)
