"""Compile the content into one dataset: read, reason, validate, check, describe, write."""

import contextlib
import gc
import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from pyoxigraph import Triple

from foedus import files, names
from foedus.build import (
    about,
    apart,
    checks,
    dates,
    judging,
    layout,
    links,
    reading,
    rulebook,
    rules,
    shapes,
    strangers,
    writing,
)
from foedus.build.findings import Count, Finding, Report, not_said
from foedus.build.writing import Manifest
from foedus.errors import BadDocument, CannotRead, DataHasFindings

__all__ = ["Manifest", "build", "check", "is_current"]

Progress = Callable[[str, int, int], None]
"""Told, before each step, its name, how many steps are done, and how many there are."""

_STEPS = 6
_CHECKED = (*reading.FORMATS, ".rq")
"""The endings of files that a check takes wherever they lie; a link table is checked where it belongs."""
_EXAMINED = re.compile(r"(?:shapes|ontology)/[^/]+\.ttl|foedus/build/(?:shapes|sieve)\.py")
"""The files on which it depends whether the shapes are sound."""


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Keep Python from looking for garbage: hundreds of thousands of terms are kept to the end, and to look through
    them again and again takes a sixth of the time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@_undisturbed()
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


@_undisturbed()
def check(paths: Sequence[Path] = (), consistency: bool = False, root: Path = files.ROOT) -> Report:
    """Everything that is wrong with the content under *root*, and how much was looked at.

    With *paths*, files or folders, only what is wrong in them is reported; one that lies outside the content is read
    beside it. Where they hold data, questions or link tables, everything else is read as their context, and only what
    they describe is held against the shapes. With *consistency*, HermiT and Pellet reason over ontology and data.
    CannotRead where a path is missing.

    RDF that lies outside the content, and is checked alone, is a stranger's: see ``judging``, ``strangers`` and
    ``apart`` for what is asked of it, what is read, and what it may cost.
    """
    for path in paths:
        known = (*_CHECKED, ".tsv") if _within(path, root) else _CHECKED
        if path.is_file() and path.suffix not in known:
            raise _unchecked(path)
    outside = [path for path in paths if not _within(path, root)]
    if outside and len(outside) == len(paths) and not consistency and all(each.suffix != ".rq" for each in outside):
        return _judged(outside, root)
    content = reading.read(root, extra=outside)
    within = None if consistency else _focus(content, paths)
    made = _compile(content, _silent, within)
    findings, counts = list(made.findings), list(made.counts)
    findings += layout.findings(content, within)
    if consistency and made.graphs:
        from foedus.build.consistency import check_consistency  # owlready2 takes a second to load

        graphs = (made.graphs[graph] for graph in (names.ONTOLOGY_GRAPH, names.ASSERTED, names.INFERRED))
        seen = check_consistency(chain.from_iterable(graphs), reading.places(content, made.graphs[names.INFERRED]))
        findings += seen.findings
        counts += seen.counts
    report = Report.of(findings, counts)
    if not paths:
        return report
    chosen = tuple(each for each in report.findings if _lies_in(each, paths, content))
    if made.obstacles:
        # Where the files at fault are others, they are why nothing more can be said of these.
        return Report(chosen or made.obstacles, report.counts)
    looked_at = [source.path for source in content.sources]
    for path in paths:
        if not any(_is_in(each, path) for each in looked_at):
            raise _unchecked(path)
    if within is None:
        return Report(chosen, report.counts)
    return Report(chosen, *_divided(content, within, report.counts))


def _judged(paths: Sequence[Path], root: Path) -> Report:
    """What is wrong with strangers' files, *paths* or in them."""
    given = list(reading.told_apart(each for path in paths for each in reading.rdf_files(path, None)))
    if not given:
        raise _unchecked(paths[0])
    texts = [(name, strangers.syntax_of(path), strangers.content_of(path, strangers.AT_HOME)) for path, name in given]
    ground, obstacles = None, Report((), ())
    try:
        ground = judging.ground(root, _shapes_are_as_built)
    except DataHasFindings as error:
        # Where the files at fault are ours, they are why nothing more can be said of these.
        obstacles = error.report if isinstance(error.report, Report) else obstacles

    def judge() -> str:
        read, faults = [], []
        for name, syntax, content in texts:
            try:
                read.append(strangers.read(content, syntax, name, strangers.AT_HOME))
            except BadDocument as fault:
                faults.append(Finding(name, fault.line, "", fault.message, fault.remedy))
        judged = Report((), ()) if faults else obstacles
        if ground and read:
            judged = judging.judge(ground, read).report
        return replace(judged, findings=(*faults, *judged.findings)).json()

    return Report.of_json(apart.run(judge, apart.AT_HOME))


def is_current(out: Path, root: Path = files.ROOT) -> bool:
    """Whether *out* holds a dataset made from the content under *root* as it is now, by this version of the code."""
    return writing.inputs_of(out) == _inputs(reading.read(root))


@dataclass(frozen=True)
class _Made:
    """The graphs of a dataset, as far as they could be made, what is wrong, and what was looked at."""

    graphs: dict[str, tuple[Triple, ...]]
    as_of: str
    findings: tuple[Finding, ...]
    counts: tuple[Count, ...]
    obstacles: tuple[Finding, ...]
    """What kept the data from being looked at: unreadable files, faulty shapes."""
    rulebook: str = ""


def _compile(content: reading.Content, tell: Progress, within: frozenset[str] | None = None) -> _Made:
    """Everything that follows from *content*; without graphs where files of it cannot be read.

    With *within*, names of files, only what they describe is held against the shapes, and shapes with which the current
    dataset was built are not examined again.
    """
    stored, asked = checks.stored_questions(content, within)
    ruled, unread = rules.read(content)
    asserted, ontology, shaping = (reading.triples(each) for each in (content.data, content.ontology, content.shapes))
    explained, unexplained = rulebook.write(ruled, asserted, ontology)
    linked = links.read(content)
    findings = [
        *content.findings,
        *asked.findings,
        *unread,
        *unexplained,
        *linked.findings,
        *checks.strays(content),
        *checks.generated(content),
    ]
    counts = [*content.counts, *linked.counts]
    if content.findings:
        # What an unreadable file would have said is missing everywhere: more findings would only mislead.
        return _Made({}, "", tuple(findings), tuple(count for count in counts if count.number), content.findings)

    tell("Reading dates", 1, _STEPS)
    dated = dates.derive(content)
    findings += dated.findings

    tell("Reasoning", 2, _STEPS)
    graphs = {
        names.ASSERTED: asserted,
        names.ONTOLOGY_GRAPH: ontology,
        names.SHAPES: shaping,
        names.LINKS: linked.triples,
        names.INFERRED: dated.triples,
    }
    store = rules.store_of(graphs)
    concluded = rules.run(ruled, store)
    findings += concluded.findings
    inferred = (*dated.triples, *concluded.triples)
    counts += [*dated.counts, Count("conclusions", len(concluded.triples))]

    tell("Validating", 3, _STEPS)
    places = reading.places(content, concluded.triples)
    only = None if within is None else {node for node, (file, _) in places.items() if file in within}
    valid = shapes.validate(
        (*asserted, *inferred),
        shaping,
        ontology,
        places,
        only,
        lambda query: bool(store.query(query, default_graph=shapes.ABOUT)),
        within is not None and _shapes_are_as_built(content),
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
        checks.codes(content),
        checks.references(content, inferred),
        checks.sources(content),
    ):
        findings += checked.findings
        counts += checked.counts
    findings = [*findings, *rules.blamed(not_said(valid.findings, findings), ruled, store)]
    if within is None:
        graphs[names.INFERRED] = inferred
        graphs[names.ABOUT] = about.describe(content, stored, graphs)
    else:
        graphs = {}
    obstacles = () if valid.shapes_are_sound else valid.findings
    return _Made(graphs, as_of, tuple(findings), tuple(counts), obstacles, explained)


def _focus(content: reading.Content, paths: Sequence[Path]) -> frozenset[str] | None:
    """The names of the files of *content* that *paths* hold; None where everything must be looked at for their sake."""
    chosen = [source for source in content.sources if any(_is_in(source.path, path) for path in paths)]
    alone = {source.name for source in (*content.data, *content.questions, *(content.links or ()))}
    found = frozenset(source.name for source in chosen)
    return found if found and found <= alone else None


def _divided(
    content: reading.Content, within: frozenset[str], counts: tuple[Count, ...]
) -> tuple[tuple[Count, ...], tuple[Count, ...]]:
    """How much of *content* was looked at, the files *within* alone, and how much was read as their context."""
    own = [document for document in content.data if document.name in within]
    others = [document for document in content.data if document.name not in within]
    questions_ = sum(source.name in within for source in content.questions)
    tables = sum(source.name in within for source in content.links or ())
    looked_at = (
        Count("data files", len(own)),
        Count("statements in data", sum(len(document.triples) for document in own)),
        *(count for count in counts if own and count.what in ("shapes", "focus nodes")),
        Count("questions", questions_),
        Count("link tables", tables),
    )
    context = (
        Count("data files", len(others)),
        Count("statements in data", sum(len(document.triples) for document in others)),
        *(count for count in counts if count.what in ("ontology files", "shape files", "rules", "conclusions")),
    )
    return tuple(count for count in looked_at if count.number), context


def _raise_for(made: _Made) -> None:
    report = Report.of(made.findings, made.counts)
    if report.findings:
        number = len(report.findings)
        things = "one finding" if number == 1 else f"{number} findings"
        raise DataHasFindings(f"Nothing was built: there {'is' if number == 1 else 'are'} {things}.", "", report)


def _shapes_are_as_built(content: reading.Content) -> bool:
    """Whether the current dataset was built with the shapes and the ontology of *content*: a build examines them."""
    built = writing.inputs_of(files.home()) or {}
    former, now = (
        {name: checksum for name, checksum in inputs.items() if _EXAMINED.fullmatch(name)}
        for inputs in (built, _inputs(content))
    )
    return former == now


def _inputs(content: reading.Content) -> dict[str, str]:
    """The checksum of each file that the dataset is made of, the code that makes it included."""
    package = Path(__file__).parents[1]
    code = {path.relative_to(package.parent).as_posix(): path for path in (*package.glob("build/*.py"), about.SERVICE)}
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
