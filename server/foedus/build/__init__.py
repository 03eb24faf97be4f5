"""Compile the content into one dataset: read, reason, validate, check, describe, write."""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pyoxigraph import Triple

from foedus import files, names, questions
from foedus.build import about, checks, dates, layout, links, reading, rulebook, rules, shapes, writing
from foedus.build.findings import Count, Finding, Report
from foedus.build.writing import Manifest
from foedus.errors import CannotRead, DataHasFindings

__all__ = ["Manifest", "build", "check", "is_current"]

Progress = Callable[[str, int, int], None]
"""Told, before each step, its name, how many steps are done, and how many there are."""

_STEPS = 6
_CHECKED = (*reading.FORMATS, ".rq")
"""The endings of files that a check takes wherever they lie; a link table is checked where it belongs."""
_VALUE = re.compile(r'"[^"]*"|\bid:[a-z0-9-]+')
"""A literal or a thing, as findings write them."""


def build(out: Path, data: Sequence[Path] = (), progress: Progress | None = None, root: Path = files.ROOT) -> Manifest:
    """Make the dataset in *out* from the content under *root*, with *data* in place of its ``data/``.

    DataHasFindings, with its report, where anything is found; CannotRead where a folder is missing or *out* cannot be
    written. In each case a former dataset stays as it was.
    """
    tell = progress or _silent
    writing.prepare(out)
    tell("Reading", 0, _STEPS)
    content = reading.read(root, data)
    made = _compile(content, tell)
    _raise_for(made)
    tell("Writing", _STEPS - 1, _STEPS)
    manifest = writing.write(made.graphs, made.rulebook, made.as_of, _inputs(content), out)
    tell("Done", _STEPS, _STEPS)
    return manifest


def check(paths: Sequence[Path] = (), consistency: bool = False, root: Path = files.ROOT) -> Report:
    """Everything that is wrong with the content under *root*, and how much was looked at.

    With *paths*, files or folders, only what is wrong in them is reported; one that lies outside the content is read
    beside it. With *consistency*, HermiT reasons over ontology and data. CannotRead where a path is missing.
    """
    for path in paths:
        known = (*_CHECKED, ".tsv") if _within(path, root) else _CHECKED
        if path.is_file() and path.suffix not in known:
            raise _unchecked(path)
    outside = [path for path in paths if not _within(path, root)]
    content = reading.read(root, extra=outside)
    made = _compile(content, _silent)
    findings, counts = list(made.findings), list(made.counts)
    findings += layout.findings(content)
    if consistency and made.graphs:
        from foedus.build.consistency import check_consistency  # owlready2 takes a second to load

        seen = check_consistency(
            triple for graph in (names.ONTOLOGY_GRAPH, names.ASSERTED, names.INFERRED) for triple in made.graphs[graph]
        )
        findings += seen.findings
        counts += seen.counts
    report = Report.of(findings, counts)
    if not paths:
        return report
    chosen = tuple(each for each in report.findings if _lies_in(each, paths, content))
    if not made.graphs:
        # Where the unreadable files are others, they are why nothing more can be said of these.
        return Report(chosen or content.findings, report.counts)
    looked_at = [source.path for source in content.sources]
    for path in paths:
        if not any(_is_in(each, path) for each in looked_at):
            raise _unchecked(path)
    return Report(chosen, report.counts)


def is_current(out: Path, root: Path = files.ROOT) -> bool:
    """Whether *out* holds a dataset made from the content under *root* as it is now, by this version of the code."""
    made_from = writing.inputs_of(out)
    return made_from is not None and made_from == writing.hash_of(_inputs(reading.read(root)))


@dataclass(frozen=True)
class _Made:
    """The graphs of a dataset, as far as they could be made, what is wrong, and what was looked at."""

    graphs: dict[str, tuple[Triple, ...]]
    as_of: str
    findings: tuple[Finding, ...]
    counts: tuple[Count, ...]
    rulebook: str = ""


def _compile(content: reading.Content, tell: Progress) -> _Made:
    """Everything that follows from *content*; without graphs where files of it cannot be read."""
    stored, asked = checks.stored_questions(content)
    ruled, unread = rules.read(content)
    explained, unexplained = rulebook.write(ruled, _triples(content.data), _triples(content.ontology))
    linked = links.read(content)
    findings = [*content.findings, *asked.findings, *unread, *unexplained, *linked.findings, *checks.strays(content)]
    counts = [*content.counts, *linked.counts]
    if content.findings:
        # What an unreadable file would have said is missing everywhere: more findings would only mislead.
        return _Made({}, "", tuple(findings), tuple(count for count in counts if count.number))

    tell("Reading dates", 1, _STEPS)
    dated = dates.derive(content)
    findings += dated.findings

    tell("Reasoning", 2, _STEPS)
    asserted = _triples(content.data)
    store = rules.store_of(
        {
            names.ASSERTED: asserted,
            names.ONTOLOGY_GRAPH: _triples(content.ontology),
            names.SHAPES: _triples(content.shapes),
            names.LINKS: linked.triples,
            names.INFERRED: dated.triples,
        }
    )
    concluded = rules.run(ruled, store)
    findings += concluded.findings
    inferred = (*dated.triples, *concluded.triples)
    counts += [*dated.counts, Count("conclusions", len(concluded.triples))]

    tell("Validating", 3, _STEPS)
    valid = shapes.validate(
        (*asserted, *inferred), _triples(content.shapes), _triples(content.ontology), content.places
    )
    counts += valid.counts

    tell("Checking", 4, _STEPS)
    as_of, undated = checks.as_of(content)
    findings += undated
    if as_of:
        findings += dates.misplaced(content, as_of)
    for checked in (
        checks.literals(content),
        checks.prefixes(content),
        checks.subjects(content),
        checks.references(content, inferred),
        checks.sources(content),
    ):
        findings += checked.findings
        counts += checked.counts
    findings = [*findings, *_not_said(valid.findings, findings)]
    return _Made(_graphs(content, inferred, linked.triples, stored), as_of, tuple(findings), tuple(counts), explained)


def _not_said(findings: Sequence[Finding], already: Sequence[Finding]) -> list[Finding]:
    """Those of *findings* that are not about a value of a node about which *already* has one, on its own line."""
    said = {(each.file, each.node, value) for each in already for value in _VALUE.findall(each.message)[:1]}
    return [
        each
        for each in findings
        if not any((each.file, each.node, value) in said for value in _VALUE.findall(each.message))
    ]


def _graphs(
    content: reading.Content,
    inferred: tuple[Triple, ...],
    linked: tuple[Triple, ...],
    stored: tuple[questions.Question, ...],
) -> dict[str, tuple[Triple, ...]]:
    """The named graphs of the dataset."""
    graphs = {
        names.ASSERTED: _triples(content.data),
        names.ONTOLOGY_GRAPH: _triples(content.ontology),
        names.SHAPES: _triples(content.shapes),
        names.LINKS: linked,
        names.INFERRED: inferred,
    }
    graphs[names.ABOUT] = about.describe(content, stored, graphs)
    return graphs


def _raise_for(made: _Made) -> None:
    report = Report.of(made.findings, made.counts)
    if report.findings:
        number = len(report.findings)
        things = "one finding" if number == 1 else f"{number} findings"
        raise DataHasFindings(f"Nothing was built: there {'is' if number == 1 else 'are'} {things}.", "", report)


def _triples(documents: Sequence[reading.Document]) -> tuple[Triple, ...]:
    return tuple(dict.fromkeys(triple for document in documents for triple in document.triples))


def _inputs(content: reading.Content) -> dict[str, str]:
    """The checksum of each file that the dataset is made of, the code that makes it included."""
    package = Path(__file__).parents[1]
    code = {path.relative_to(package.parent).as_posix(): path for path in sorted(package.glob("build/*.py"))}
    hashes = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in code.items()}
    hashes |= {source.name: hashlib.sha256(source.text.encode()).hexdigest() for source in content.sources}
    return hashes


def _unchecked(path: Path) -> CannotRead:
    return CannotRead(
        f"{files.shown(path)} is no part of what is checked.",
        "Give Turtle files, rules, questions or link tables, or a folder that holds them.",
    )


def _within(path: Path, root: Path) -> bool:
    return path.resolve().is_relative_to(root.resolve()) and path.exists()


def _lies_in(finding: Finding, paths: Sequence[Path], content: reading.Content) -> bool:
    """Whether the file of *finding* is one of *paths* or in one of them."""
    where = {source.name: source.path for source in content.sources}.get(finding.file, content.root / finding.file)
    # An unreadable file is no source; outside the content, its name is relative to the folder of what was given.
    return any(
        _is_in(where, path) or (not _within(path, content.root) and _is_in(path.resolve().parent / finding.file, path))
        for path in paths
    )


def _is_in(path: Path, place: Path) -> bool:
    """Whether *path* is *place* or lies in it."""
    return path.resolve().is_relative_to(place.resolve())


def _silent(step: str, done: int, total: int) -> None:
    """Tell nobody."""
