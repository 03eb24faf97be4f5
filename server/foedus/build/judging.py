"""Hold documents of strangers against the shapes, beside the shipped content: their references resolve, and no more.

What the rules conclude from content and documents together is looked at too. The shipped content is the ground on which
documents stand, and is not judged itself; how it is laid out and filed is nothing that strangers need to care about.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, Store, Triple, serialize
from rdflib import BNode, Graph, URIRef
from rdflib import Literal as RdflibLiteral
from rdflib.namespace import OWL, RDF, SH
from rdflib.term import Node

from foedus import names
from foedus.build import checks, dates, links, reading, rules, shapes
from foedus.build.findings import Count, Finding, Report, not_said
from foedus.build.reading import Content, Document
from foedus.build.shapes import Violation
from foedus.errors import DataHasFindings

_Term = NamedNode | BlankNode | Literal

_TYPE = NamedNode(str(RDF.type))
_CLASS = NamedNode(str(OWL.Class))

BEYOND = names.BASE + "validate#beyond"
"""The constraint component of what was found by a check that is no shape; the page /validate explains it there."""


@dataclass(frozen=True)
class Ground:
    """The shipped content, made ready for any number of documents."""

    content: Content
    rules: tuple[rules.Rule, ...]
    linked: tuple[Triple, ...]
    dated: tuple[Triple, ...]
    as_of: str


@dataclass(frozen=True)
class Judgement:
    """What is wrong with documents, and of which violation of a shape each finding speaks, where it is one's."""

    report: Report
    results: Mapping[Finding, Violation] = field(default_factory=dict)
    shapes: tuple[Triple, ...] = ()

    @property
    def conforms(self) -> bool:
        """Whether nothing was found."""
        return not self.report.findings

    def json(self) -> str:
        """The report for programs, as ``foedus check --json`` has it, and whether the documents conform."""
        return json.dumps({"conforms": self.conforms, **json.loads(self.report.json())}, ensure_ascii=False, indent=2)

    def turtle(self) -> str:
        """The report in the words of SHACL: a result for each finding."""
        return _Told(self).turtle()


def ground(root: Path, known_sound: Callable[[Content], bool] = lambda _: False) -> Ground:
    """The content under *root* as the ground of documents.

    DataHasFindings where files of it cannot be read, or its rules or shapes are faulty; shapes are not examined where
    they are *known_sound*.
    """
    content = reading.read(root)
    found, unread = rules.read(content)
    linked = links.read(content)
    dated = dates.derive(content)
    as_of, undated = checks.as_of(content)
    faults = [*content.findings, *unread, *undated]
    if not faults and not known_sound(content):
        faults += shapes.check_shapes(reading.triples(content.shapes), reading.triples(content.ontology))
    if faults:
        report = Report.of(faults, ())
        raise DataHasFindings("The shipped content has faults, so nothing can be held against it.", "", report)
    _rehearse(content)
    return Ground(content, found, linked.triples, dated.triples, as_of)


def _rehearse(content: Content) -> None:
    """Hold one thing of each class against the shapes, so that nothing is imported where no file can be opened."""
    ontology = reading.triples(content.ontology)
    kinds = [each.subject for each in ontology if each.predicate == _TYPE and each.object == _CLASS]
    things = [Triple(NamedNode(f"{names.ID}x-{number}"), _TYPE, kind) for number, kind in enumerate(kinds)]
    shapes.validate(things, reading.triples(content.shapes), ontology, known_sound=True)
    Judgement(Report((), ())).turtle()


def judge(on: Ground, documents: Sequence[Document]) -> Judgement:
    """Everything that is wrong with *documents*, which stand *on* the shipped content and may refer to each other."""
    # The first that describes a thing is where it is looked for: what documents say of Russia, they answer for.
    content = replace(on.content, data=(*documents, *on.content.data))
    own = replace(on.content, data=tuple(documents), shapes=())
    within = frozenset(document.name for document in documents)
    dated = dates.derive(own)
    asserted, ontology, shaping = (reading.triples(each) for each in (content.data, content.ontology, content.shapes))
    store = rules.store_of(
        {
            # Rules conclude about named things; that a thing lacks a name is a finding of the shapes.
            names.ASSERTED: [each for each in asserted if not _is_nameless(each)],
            names.ONTOLOGY_GRAPH: ontology,
            names.SHAPES: shaping,
            names.LINKS: on.linked,
            names.INFERRED: (*on.dated, *dated.triples),
        }
    )
    concluded = rules.run(on.rules, store)
    inferred = (*on.dated, *dated.triples, *concluded.triples)
    places = {**reading.places(content, concluded.triples), **_nameless(documents)}
    valid = shapes.validate(
        (*asserted, *inferred),
        shaping,
        ontology,
        places,
        {node for node, (file, _) in places.items() if file in within},
        lambda query: bool(store.query(query, default_graph=shapes.ABOUT)),
        known_sound=True,
    )
    findings = [
        *dated.findings,
        *concluded.findings,
        *dates.misplaced(own, on.as_of),
        # Of how a language is written in the text, nothing is left in the statements.
        *(each for each in checks.literals(replace(own, ontology=())).findings if each.node),
        *checks.codes(content).findings,
        *checks.references(content, inferred).findings,
        *checks.sources(content).findings,
    ]
    findings = [each for each in findings if each.file in within or each.file.startswith("ontology/rules/")]
    findings += _idle(documents, valid.counts)
    broken = [each for each in not_said(valid.findings, findings) if each.file in within]
    blamed = _blamed(broken, on.rules, store, concluded.triples)
    report = replace(Report.of((*findings, *blamed), ()), counts=_looked_at(documents, valid.counts))
    context = (
        Count("data files", len(on.content.data)),
        Count("statements in data", sum(len(each.triples) for each in on.content.data)),
        Count("ontology files", len(content.ontology)),
        Count("shape files", len(content.shapes)),
        Count("rules", len(on.rules)),
        Count("conclusions", len(concluded.triples)),
    )
    results = {told: valid.results[found] for told, found in blamed.items() if found in valid.results}
    return Judgement(replace(report, context=context), results, shaping)


def _nameless(documents: Sequence[Document]) -> dict[str, tuple[str, int | None]]:
    """Where blank nodes are described: in which document, and the first line of one, as near as its text tells."""
    return {
        triple.subject.value: (document.name, line)
        for document in documents
        for line in [document.line(r"^[^\"#]*(\[|_:\w)")]
        for triple in document.triples
        if isinstance(triple.subject, BlankNode)
    }


def _is_nameless(triple: Triple) -> bool:
    return isinstance(triple.subject, BlankNode) or isinstance(triple.object, BlankNode)


def _blamed(
    findings: Sequence[Finding], ruled: Sequence[rules.Rule], store: Store, concluded: Sequence[Triple]
) -> dict[Finding, Finding]:
    """*findings*, each by itself with the rules in its remedy that it is due to; to find them takes half a second."""
    subjects = {triple.subject for triple in concluded}
    due = [each for each in findings if _named(each.node) in subjects]
    told = dict(zip(rules.blamed(due, ruled, store), due, strict=True)) if due else {}
    return told | {each: each for each in findings if each not in due}


def _looked_at(documents: Sequence[Document], counts: Sequence[Count]) -> tuple[Count, ...]:
    return (
        Count("data files", len(documents)),
        Count("statements in data", sum(len(each.triples) for each in documents)),
        *(each for each in counts if each.what in ("shapes", "focus nodes")),
    )


def _idle(documents: Sequence[Document], counts: Sequence[Count]) -> list[Finding]:
    """A finding for each document that says nothing, or else where no shape looks at anything in any of them."""
    empty = [each for each in documents if not each.triples]
    if empty:
        message, remedy = "The document makes no statement.", "JSON-LD without a @context says nothing; else, add some."
    elif not next((each.number for each in counts if each.what == "focus nodes"), 0):
        empty = list(documents)
        message = "No shape looks at anything in the document: it describes nothing of a class of the ontology."
        remedy = "Say what it is about: a foedus:State, a foedus:Treaty, a foedus:Source…"
    return [Finding(each.name, None, "", message, remedy) for each in empty]


class _Told:
    """Makes a report in RDF."""

    def __init__(self, judgement: Judgement) -> None:
        self.judgement = judgement
        self.shapes = reading.graph(judgement.shapes)
        self.statements: list[Triple] = []

    def turtle(self) -> str:
        report = BlankNode()
        truth = Literal(self.judgement.conforms)
        self.say(report, RDF.type, _sh("ValidationReport"))
        self.say(report, SH.conforms, truth)
        results = [(BlankNode(), each) for each in self.judgement.report.findings]
        for result, _ in results:
            self.say(report, SH.result, result)
        for result, finding in results:
            self.tell(result, finding)
        text = serialize(
            self.statements, format=RdfFormat.TURTLE, prefixes={"sh": str(SH), "shape": names.SHAPE, "id": names.ID}
        )
        assert text is not None  # without an output it is returned
        return text.decode()

    def tell(self, result: BlankNode, finding: Finding) -> None:
        violation = self.judgement.results.get(finding)
        where = f" (line {finding.line})" if finding.line else ""
        self.say(result, RDF.type, _sh("ValidationResult"))
        self.say(result, SH.resultSeverity, _sh("Violation"))
        self.say(result, SH.resultMessage, Literal(f"{finding.message} {finding.remedy}{where}", language="en"))
        if violation is None:
            self.say(result, SH.focusNode, _named(finding.node))
            self.say(result, SH.sourceConstraintComponent, NamedNode(BEYOND))
            return
        self.say(result, SH.focusNode, _term(violation.focus))
        self.say(result, SH.sourceConstraintComponent, NamedNode(violation.component))
        self.say(result, SH.sourceShape, _term(shapes.named_shape(violation.shape, self.shapes)))
        if violation.value is not None:
            self.say(result, SH.value, _term(violation.value))
        path = self.shapes.value(violation.shape, SH.path)
        if path is not None:
            self.say(result, SH.resultPath, _term(path))
            self.copy(path, self.shapes)

    def copy(self, node: Node, source: Graph) -> None:
        """Say what *source* says of *node*, a path, where it has no name."""
        if isinstance(node, BNode):
            for predicate, value in source.predicate_objects(node):
                self.say(_term(node), predicate, _term(value))
                self.copy(value, source)

    def say(
        self, subject: NamedNode | BlankNode | Literal, predicate: Node, value: NamedNode | BlankNode | Literal
    ) -> None:
        assert not isinstance(subject, Literal)
        self.statements.append(Triple(subject, NamedNode(str(predicate)), value))


def _sh(local: str) -> NamedNode:
    return NamedNode(f"{SH}{local}")


def _named(shown: str) -> NamedNode | BlankNode:
    """The node that a finding calls *shown*; one without a name is any."""
    iri = names.expand(shown) or shown.removeprefix("<").removesuffix(">")
    try:
        return NamedNode(iri)
    except ValueError:
        return BlankNode()


def _term(node: Node) -> _Term:
    """A term of rdflib's, for the engine."""
    if isinstance(node, URIRef):
        return NamedNode(str(node))
    if isinstance(node, RdflibLiteral):
        if node.language:
            return Literal(str(node), language=node.language)
        return Literal(str(node), datatype=NamedNode(str(node.datatype))) if node.datatype else Literal(str(node))
    return BlankNode(str(node))
