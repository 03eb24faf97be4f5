"""What neither a shape nor a rule can see: files, prefixes, literals, references, sources, questions."""

import contextlib
import datetime
import difflib
import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from itertools import permutations

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, QuerySolutions, Store, Triple

from foedus import files, names, questions
from foedus.build import dates, links
from foedus.build.findings import Count, Finding, Known
from foedus.build.reading import Content, Document, Source
from foedus.build.rules import sparql_faults, unknown_terms, without_comments
from foedus.errors import CannotRead


@dataclass(frozen=True)
class _Assignment:
    """A code of *state* that is valid for certain on all days from *first* to *last*, if any."""

    document: Document
    node: NamedNode
    state: str
    first: datetime.date
    last: datetime.date


@dataclass(frozen=True)
class Checked:
    """What one check found, and what it looked at."""

    findings: tuple[Finding, ...]
    counts: tuple[Count, ...]


_XSD = names.PREFIXES["xsd"]
_STRINGS = (_XSD + "string", names.PREFIXES["rdf"] + "langString")
_WELL_FORMED = {
    _XSD + "integer": re.compile(r"-?\d+"),
    _XSD + "boolean": re.compile(r"true|false"),
    _XSD + "date": re.compile(r"\d{4}-\d{2}-\d{2}"),
    _XSD + "dateTime": re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})"),
    _XSD + "anyURI": re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^\s<>\"{}|^`\\]*"),
}
"""Every datatype that the content may use, with what its literals look like."""

_EXAMPLES = {
    "integer": "200",
    "boolean": "true",
    "date": "1999-04-02, a day of the calendar without a time zone",
    "dateTime": "2022-09-13T09:00:00+04:00, with the local offset",
    "anyURI": "https://example.org/page",
}

_PREFIX = re.compile(r"^[ \t]*(?:@prefix|prefix)\s+([^\s:]*):\s*<([^>\s]*)>", re.IGNORECASE | re.MULTILINE)
_TAG = re.compile(r"(?<!\\)[\"']@([A-Za-z]+(?:-[A-Za-z0-9]+)*)")

_READ = re.compile(
    r"ontology/[^/]+\.ttl|ontology/rules/[^/]+\.rq|ontology/w3id\.htaccess|shapes/[^/]+\.ttl"
    r"|data/.+\.ttl|data/crosswalk\.csv|data/queries/[^/]+\.rq|data/links/[^/]+\.sssom\.tsv|.+\.md"
)
_KINDS = (
    "Rename it or take it away: what is read is .ttl in ontology/, shapes/ and below data/, .rq in ontology/rules/ "
    "and data/queries/, .sssom.tsv in data/links/."
)

_TYPE = NamedNode(names.PREFIXES["rdf"] + "type")
_LABEL = NamedNode(names.PREFIXES["rdfs"] + "label")
_CLASS = NamedNode(names.PREFIXES["owl"] + "Class")
_SOURCE = NamedNode(names.ONTOLOGY + "Source")
_CITING = tuple(NamedNode(names.ONTOLOGY + local) for local in ("source", "reportedIn", "derivedFrom"))
_CODE, _SCHEME, _OF_STATE, _VALID_FROM, _VALID_UNTIL = (
    NamedNode(names.ONTOLOGY + local) for local in ("code", "codeScheme", "ofState", "validFrom", "validUntil")
)
_OF_CODES = frozenset((_CODE, _SCHEME, _OF_STATE, _VALID_FROM, _VALID_UNTIL))
_GENERATED = "data/generated/"
_MADE_BY = r"^# Made by the command foedus \w"
# After the prefixes, which the canonical layout puts first.
_MADE_FIRST = re.compile(r"(?:@prefix[^\n]*\n|\n)*" + _MADE_BY.removeprefix("^"))
_AS_OF = NamedNode(names.ONTOLOGY + "asOf")
DATASET = NamedNode(names.ID + "foedus-dataset")


def literals(content: Content) -> Checked:
    """Every literal comes back from a store with the very text it was written with, and is of an allowed datatype."""
    store = _Store()
    findings = []
    number = 0
    for document in content.documents:
        for triple in document.triples:
            if isinstance(triple.object, Literal):
                number += 1
                fault = _literal_fault(triple.object, store)
                if fault:
                    line = document.line_of(triple.subject, triple.object.value)
                    findings.append(Finding(document.name, line, _shown(triple.subject), *fault))
        for match in _TAG.finditer(document.text):
            if match[1] != match[1].lower():
                line = document.text.count("\n", 0, match.start()) + 1
                message = f"The language tag @{match[1]} would come back as @{match[1].lower()}."
                findings.append(Finding(document.name, line, "", message, f"Write @{match[1].lower()}."))
    return Checked(tuple(findings), (Count("literals", number),))


def prefixes(content: Content) -> Checked:
    """Every file binds a prefix as the one table of prefixes does."""
    findings = []
    number = 0
    for source in content.sources:
        text = source.text if isinstance(source, Document) else without_comments(source.text)
        for match in _PREFIX.finditer(text):
            number += 1
            prefix, namespace = match.groups()
            expected = names.PREFIXES.get(prefix)
            if namespace != expected:
                line = text.count("\n", 0, match.start()) + 1
                usual = next((known for known, iri in names.PREFIXES.items() if iri == namespace), None)
                if expected:
                    remedy = f"Write {prefix}: <{expected}>."
                elif usual:
                    remedy = f"Write {usual}: for this namespace, as everywhere else."
                else:
                    remedy = "Use a prefix of the table in server/foedus/names.py, or add this one there."
                message = f"The prefix {prefix}: is bound to <{namespace}>."
                findings.append(Finding(source.name, line, "", message, remedy))
    return Checked(tuple(findings), (Count("prefix declarations", number),))


def subjects(content: Content) -> Checked:
    """Every thing is a named node, described in one data file."""
    findings = []
    described: dict[NamedNode, list[Document]] = {}
    for document in content.data:
        for subject in dict.fromkeys(triple.subject for triple in document.triples):
            if isinstance(subject, NamedNode):
                described.setdefault(subject, []).append(document)
                continue
            message = "The file uses a blank node; nobody could cite it."
            line = document.line(r"^[^\"#]*(\[|_:\w)")
            findings.append(Finding(document.name, line, "", message, "Give the thing a name, such as id:csto."))
    for subject, documents in described.items():
        for document in documents if len(documents) > 1 else ():
            others = " and ".join(other.name for other in documents if other is not document)
            message = f"This is also described in {others}."
            remedy = "Describe it in one file only."
            if any(is_generated(other.name) for other in documents):
                remedy = (
                    "Leave it to the generated file, and say what you know of it by hand about a thing of another name."
                )
            findings.append(Finding(document.name, document.line_of(subject), _shown(subject), message, remedy))
    return Checked(tuple(findings), (Count("things described", len(described)),))


def is_generated(name: str) -> bool:
    """Whether the data file *name* is of those that a command writes."""
    return name.startswith(_GENERATED)


def generated(content: Content) -> tuple[Finding, ...]:
    """A finding for each file of ``data/generated/`` that no command says it made, and for each other that one did."""
    findings = []
    for document in content.data:
        line = document.line(_MADE_BY)
        if is_generated(document.name) and not _MADE_FIRST.match(document.text):
            message = "The file lies among the generated ones, and its first comment names no command that made it."
            remedy = "Make it with foedus import, or move what is written by hand out of data/generated/."
            findings.append(Finding(document.name, 1, "", message, remedy))
        elif not is_generated(document.name) and line:
            message = "The file says that a command made it, and lies among those written by hand."
            remedy = "Write it to data/generated/, or drop the comment and care for it by hand."
            findings.append(Finding(document.name, line, "", message, remedy))
    return tuple(findings)


def codes(content: Content) -> Checked:
    """No code of one scheme stands for two states on one day."""
    given: dict[tuple[str, str], list[_Assignment]] = {}
    number = 0
    for document in content.data:
        about: dict[NamedNode, dict[NamedNode, list[object]]] = {}
        for triple in document.triples:
            if triple.predicate in _OF_CODES and isinstance(triple.subject, NamedNode):
                about.setdefault(triple.subject, {}).setdefault(triple.predicate, []).append(triple.object)
        for node, values in about.items():
            code, scheme, state = (values.get(predicate, []) for predicate in (_CODE, _SCHEME, _OF_STATE))
            if not code or not scheme or not state:
                continue
            number += 1
            since, until = _date(values.get(_VALID_FROM)), _date(values.get(_VALID_UNTIL))
            first = since.latest or since.earliest if since else datetime.date.min
            last = until.earliest if until else datetime.date.max
            assignment = _Assignment(document, node, _shown(state[0]), first, last)
            given.setdefault((_lexical(scheme[0]), _lexical(code[0])), []).append(assignment)
    findings = [
        Finding(
            one.document.name,
            one.document.line_of(one.node),
            _shown(one.node),
            f"{scheme} {code} is given to {one.state}, and on the same days to {other.state} by {_shown(other.node)}.",
            "Correct the code, or say by foedus:validFrom and foedus:validUntil when it changed hands.",
        )
        for (scheme, code), assignments in given.items()
        for one, other in permutations(assignments, 2)
        if one.state != other.state and one.first <= other.last and other.first <= one.last
    ]
    return Checked(tuple(findings), (Count("codes", number),) if number else ())


def references(content: Content, inferred: Iterable[Triple]) -> Checked:
    """Every thing that is referred to is described by hand, or by a rule, which gives what it describes a label."""
    described = {triple.subject for document in content.documents for triple in document.triples}
    described |= {triple.subject for triple in inferred if triple.predicate == _LABEL}
    things = (term.value for term in described if isinstance(term, NamedNode) and term.value.startswith(names.ID))
    known = Known(thing.removeprefix(names.ID) for thing in things)
    findings = []
    number = 0
    for document in content.data:
        for triple in document.triples:
            target = triple.object
            if not isinstance(target, NamedNode) or not target.value.startswith(names.ID):
                continue
            number += 1
            if target not in described:
                shown = names.curie(target.value)
                near = known.nearest(target.value.removeprefix(names.ID))
                remedy = f"Did you mean id:{near}?" if near else "Describe it in data/."
                predicate = names.curie(triple.predicate.value)
                findings.append(
                    Finding(
                        document.name,
                        document.line_of(triple.subject, shown),
                        _shown(triple.subject),
                        f"{predicate} refers to {shown}, which is described nowhere.",
                        remedy,
                    )
                )
    return Checked(tuple(findings), (Count("references", number),))


def sources(content: Content) -> Checked:
    """Every citation leads to a source, and every source is cited."""
    listed: dict[NamedNode, Document] = {}
    described = set()
    for document in content.data:
        for triple in document.triples:
            described.add(triple.subject)
            if triple.predicate == _TYPE and triple.object == _SOURCE and isinstance(triple.subject, NamedNode):
                listed[triple.subject] = document
    findings = []
    cited = {NamedNode(iri) for iri in links.cited(content)}
    for document in content.data:
        for triple in document.triples:
            if isinstance(triple.object, NamedNode) and triple.subject != triple.object:
                cited.add(triple.object)
            if triple.predicate in _CITING and triple.object not in listed and triple.object in described:
                shown = _shown(triple.object)
                line = document.line_of(triple.subject, shown)
                message = f"{names.curie(triple.predicate.value)} gives {shown}, which is no foedus:Source."
                findings.append(Finding(document.name, line, _shown(triple.subject), message, "Cite a source."))
    for source, document in listed.items():
        if source not in cited:
            message = "Nothing in the data cites this source."
            remedy = "Cite it with foedus:source, or take it out."
            findings.append(Finding(document.name, document.line_of(source), _shown(source), message, remedy))
    return Checked(tuple(findings), (Count("sources", len(listed)),))


def stored_questions(
    content: Content, within: Container[str] | None = None
) -> tuple[tuple[questions.Question, ...], Checked]:
    """The stored questions, of the files *within* if given, that are sound, and what is wrong with the others."""
    classes = _classes(content)
    good, findings = [], []
    for source in content.questions:
        if within is not None and source.name not in within:
            continue
        faults = [*_question_faults(source), *unknown_terms(source, content)]
        if not content.lacks_ontology:
            faults += _parameter_faults(source, classes)
        findings += faults
        if not faults:
            good.append(questions.read(source.path))
    return tuple(good), Checked(tuple(findings), ())


def strays(content: Content) -> tuple[Finding, ...]:
    """A finding for each file of the content that nothing reads, hidden ones and editors' backups (``x~``) left out."""
    root = content.root
    every = sorted(path for folder in ("ontology", "shapes", "data") for path in (root / folder).rglob("*"))
    return tuple(
        Finding(name, None, "", "Nothing reads this file.", _KINDS)
        for path in every
        if path.is_file()
        and not path.name.startswith(".")
        and not path.name.endswith("~")
        and not _READ.fullmatch(name := path.relative_to(root).as_posix())
    )


def as_of(content: Content) -> tuple[str, tuple[Finding, ...]]:
    """The day that the dataset speaks of, as the data give it."""
    days = [
        triple.object.value
        for document in content.data
        for triple in document.triples
        if triple.subject == DATASET and triple.predicate == _AS_OF and isinstance(triple.object, Literal)
    ]
    if len(days) == 1 and _is_day(days[0]):
        return days[0], ()
    message = f"The dataset has {len(days)} as-of dates; it needs one day."
    remedy = 'Write foedus:asOf "YYYY-MM-DD"^^xsd:date, as data/dataset.ttl does.'
    place = content.places.get(DATASET.value, ("data/dataset.ttl", None))
    return "", (Finding(*place, names.curie(DATASET.value), message, remedy),)


def _question_faults(source: Source) -> Iterator[Finding]:
    """What the reader of questions finds, and, where that is nothing, what the engine finds."""
    told = False
    for fault in questions.faults(source.path):
        told = True
        yield _of_error(source, fault)
    for finding in sparql_faults(source, ("SELECT", "CONSTRUCT", "ASK")):
        told = True
        yield finding
    if told:
        return
    question = questions.read(source.path)
    result = Store().query(question.text)
    if isinstance(result, QuerySolutions):
        answered = [variable.value for variable in result.variables]
        declared = [column.name for column in question.columns]
        if answered != declared:
            message = f"The columns are {', '.join(answered)}; declared are {', '.join(declared)}."
            yield Finding(source.name, None, "", message, "Declare one “#+ column:” per variable, in order.")


def _classes(content: Content) -> frozenset[str]:
    """The classes that the ontology declares, as CURIEs."""
    return frozenset(
        names.curie(triple.subject.value)
        for document in content.ontology
        for triple in document.triples
        if triple.predicate == _TYPE and triple.object == _CLASS and isinstance(triple.subject, NamedNode)
    )


def _parameter_faults(source: Source, classes: frozenset[str]) -> Iterator[Finding]:
    """A finding for each parameter whose type is in the ontology's namespace but no class of it."""
    for line in questions.head(source.text)[0]:
        parts = [part.strip() for part in line.value.split("|")]
        if line.key != "parameter" or len(parts) < 2:
            continue
        iri = names.expand(parts[1])
        kind = names.curie(iri) if iri else ""
        if not kind.startswith("foedus:") or kind in classes:
            continue
        near = difflib.get_close_matches(kind, sorted(classes), n=1)
        remedy = f"Did you mean {near[0]}?" if near else "Use xsd:date or a class such as foedus:Alliance."
        yield Finding(source.name, line.line, kind, f"{kind}, the type of “{parts[0]}”, is no class.", remedy)


def _of_error(source: Source, fault: CannotRead) -> Finding:
    message = fault.message.removeprefix(f"{files.shown(source.path)}:{fault.line}: ")
    return Finding(source.name, fault.line, "", message, fault.remedy)


class _Store:
    """Tells what a store makes of a literal."""

    def __init__(self) -> None:
        self.known: dict[Literal, Literal] = {}
        self.node = NamedNode(names.ID + "a")

    def returned(self, literal: Literal) -> Literal:
        if literal not in self.known:
            store = Store()
            store.add(Quad(self.node, self.node, literal))
            kept = next(iter(store)).object
            self.known[literal] = kept if isinstance(kept, Literal) else literal
        return self.known[literal]


def _literal_fault(literal: Literal, store: _Store) -> tuple[str, str] | None:
    """Message and remedy for what is wrong with *literal*."""
    kind = literal.datatype.value
    if kind in _STRINGS:
        return None
    short = names.curie(kind)
    given = f'"{literal.value}"^^{short}'
    returned = store.returned(literal)
    if returned != literal:
        canonical = f'"{returned.value}"^^{names.curie(returned.datatype.value)}'
        return f"{given} would come back as {canonical}.", f"Write {canonical}."
    if kind not in _WELL_FORMED:
        return f"{given} has a datatype that is not used here.", f"Use {', '.join(map(names.curie, _WELL_FORMED))}."
    if not _WELL_FORMED[kind].fullmatch(literal.value) or (
        kind in (_XSD + "date", _XSD + "dateTime") and not _is_day(literal.value[:10])
    ):
        return f"{given} is not well formed.", f"Write it as {_EXAMPLES[kind.removeprefix(_XSD)]}."
    return None


def _date(values: list[object] | None) -> dates.Bounds | None:
    """The one date among *values*; None where there is none, or what another check finds to be no date."""
    with contextlib.suppress(ValueError):
        return dates.bounds(_lexical(values[0])) if values else None
    return None


def _lexical(term: object) -> str:
    return term.value if isinstance(term, Literal) else ""


def _is_day(text: str) -> bool:
    try:
        return datetime.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _shown(term: object) -> str:
    """*term* as a CURIE; empty for a blank node."""
    return "" if isinstance(term, BlankNode) or not isinstance(term, NamedNode) else names.curie(term.value)
