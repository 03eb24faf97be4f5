"""Hold the data against the shapes, and the shapes against SHACL and the ontology."""

import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cache
from importlib.resources import files as resources

import pyshacl
import pyshacl.errors
from pyoxigraph import BlankNode, DefaultGraph, NamedNode, Triple
from pyoxigraph import Literal as OxLiteral
from rdflib import BNode, Graph, Literal, URIRef
from rdflib.collection import Collection
from rdflib.namespace import DCAT, DCTERMS, OWL, PROV, RDF, RDFS, SH, SKOS, XSD, DefinedNamespace
from rdflib.plugins.sparql import prepareQuery
from rdflib.term import Node

from foedus import files, names
from foedus.build.findings import Count, Finding, Known
from foedus.build.reading import Places, graph, parsed, rdflib_term
from foedus.build.sieve import Index, Sieve, Term

ABOUT: list[NamedNode | BlankNode | DefaultGraph] = [
    NamedNode(graph) for graph in (names.ASSERTED, names.INFERRED, names.ONTOLOGY_GRAPH)
]
"""The graphs that the shapes are about."""

# Vocabularies that a misspelt term can be held against; PROV and DCAT are used by the dataset's own description.
_VOCABULARIES: tuple[type[DefinedNamespace], ...] = (RDF, RDFS, OWL, SKOS, DCTERMS, DCAT, PROV)

# Shapes within shapes: the shapes of shapes go deeper over ours than the 15 that pyshacl allows unasked.
_DEPTH = 40

# The one spelling of each value of each type, and what is wrong with any other.
_SPELLINGS = {
    str(XSD.integer): (r"0|-?[1-9][0-9]*", "is written without plus sign and leading zeros"),
    str(XSD.boolean): (r"true|false", "is written true or false"),
    str(XSD.date): (r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "is written without time zone"),
    str(XSD.dateTime): (
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-](?!00:00)[0-9]{2}:[0-9]{2})",
        "is written with its offset, Z for none, and without parts of a second",
    ),
    str(XSD.anyURI): (r"\S+", "is written without spaces"),
}
_TYPES = "xsd:integer, xsd:boolean, xsd:date, xsd:dateTime, xsd:anyURI, or text"

_NOT_VALIDATED = "Until then the data are not held against the shapes."
_QUERIES = (SH.select, SH.ask)
_COMPARISONS = (SH.lessThan, SH.lessThanOrEquals)
_TYPE = NamedNode(str(RDF.type))
_TARGETS = (SH.targetClass, SH.targetNode, SH.targetSubjectsOf, SH.targetObjectsOf)
_SHAPE_LISTS = (SH["or"], SH["and"], SH.xone)
_SHAPE_LINKS = (SH.property, SH.node, SH["not"], SH.qualifiedValueShape)
_MALFORMED = (
    pyshacl.errors.ShapeLoadError,
    pyshacl.errors.ConstraintLoadError,
    pyshacl.errors.ReportableRuntimeError,
    pyshacl.errors.RuleLoadError,
)


@dataclass(frozen=True)
class Violation:
    """One validation result: *focus* breaks the *component* of *shape*, both IRIs of SHACL's own report."""

    focus: Node
    path: str
    value: Node | None
    shape: Node
    component: str
    message: str


@dataclass(frozen=True)
class Validation:
    """What is wrong with data and shapes, whether the data were held against the shapes, and how much was looked at."""

    findings: tuple[Finding, ...]
    counts: tuple[Count, ...]
    shapes_are_sound: bool
    results: Mapping[Finding, Violation] = field(default_factory=dict)
    """Of which violation a finding speaks, for those that a shape made."""


def validate(
    data: Iterable[Triple],
    shapes: Iterable[Triple],
    ontology: Iterable[Triple],
    places: Places | None = None,
    only: Container[str] | None = None,
    ask: Callable[[str], bool] | None = None,
    known_sound: bool = False,
) -> Validation:
    """Everything that is wrong with *data* by *shapes* and *ontology*, and with *shapes* themselves.

    *data* holds what was asserted and, after reasoning, what was inferred. *places* says where each subject is
    described, so that a finding names its file; without it, the finding names the file of the shape. With *only*,
    IRIs, the other named nodes of *data* are there to be referred to, and are not looked at themselves.

    *ask* answers ASK queries over *data* and *ontology*, where a store holds them. Shapes that are *known_sound* are
    not examined again.

    Where the shapes have faults of their own, the data are not held against them: what a faulty shape found would
    mislead, and each finding about a shape says so.
    """
    places = places or {}
    stated, asked, terms = tuple(dict.fromkeys(data)), tuple(shapes), tuple(ontology)
    shapes_graph, ontology_graph = graph(asked), graph(terms)
    faulty = [] if known_sound else check_shapes(asked, terms, places)
    findings = [replace(each, remedy=f"{each.remedy} {_NOT_VALIDATED}") for each in faulty]
    own = stated if only is None else tuple(triple for triple in stated if _is_among(triple.subject, only))
    findings += _undefined_terms(own, ontology_graph, places)
    findings += _untyped(own, ontology_graph, places)
    findings += _not_canonical(own, places)
    counted = [Count("shapes", len(_shapes(shapes_graph)))]
    if faulty:
        return Validation(_ordered(findings), tuple(counted), False)
    sieve = Sieve(Index((*stated, *terms)), Index(asked), ask)
    focus = sieve.focus_nodes()
    if only is not None:
        # Blank nodes of the ontology are nobody's business here.
        nameless = {node for each in own for node in (each.subject, each.object) if isinstance(node, BlankNode)}
        focus = {node for node in focus if node in nameless or (isinstance(node, NamedNode) and node.value in only)}
    counted.append(Count("focus nodes", len(focus)))
    if only is None:
        findings += [
            Finding("shapes/", None, "", f"The validation looked at no {count.what}.", "Check what was read.")
            for count in counted
            if not count.number
        ]
    try:
        found = _violations(sieve, focus)
    except _MALFORMED as error:
        findings.append(
            Finding("shapes/", None, "", f"The shapes cannot be loaded: {_one_line(error)}", "Correct the shape.")
        )
        return Validation(_ordered(findings), tuple(counted), True)
    if found:
        described = Known(node.value.removeprefix(names.ID) for node in _things(stated))
        told = {_finding(each, shapes_graph, places, described): each for each in found}
        return Validation(_ordered((*findings, *told)), tuple(counted), True, told)
    return Validation(_ordered(findings), tuple(counted), True)


def violations(data: Iterable[Triple], shapes: Iterable[Triple], ontology: Iterable[Triple]) -> list[Violation]:
    """The validation results for *data* with *ontology*, whose subclasses the targets follow.

    The sieve lets pass what conforms for certain, and pyshacl has the word on the rest.
    """
    return _violations(Sieve(Index((*data, *ontology)), Index(shapes)))


def every_violation(data: Graph, shapes: Graph) -> list[Violation]:
    """The validation results of pyshacl over all of *data*, which holds the ontology too: what the sieve is held to.

    pyshacl stops with a TypeError where a date is ill-typed and something is to be compared with it. Everything else
    is then validated without the comparisons, and each value that cannot be compared is a result of its own.
    """
    try:
        return list(_results(data, shapes))
    except TypeError:
        calm = _without(_COMPARISONS, shapes)
        return [*_results(data, calm), *_incomparable(data, shapes)]


def check_shapes(triples: Iterable[Triple], ontology: Iterable[Triple], places: Places | None = None) -> list[Finding]:
    """What is wrong with the shapes in *triples*: misspelt terms, malformed shapes, shapes that never apply."""
    places, triples = places or {}, tuple(triples)
    shapes = graph(triples)
    findings = [*_misspelt(shapes, places), *_unknown_to_ontology(shapes, graph(ontology), places)]
    findings += [*_never_applied(shapes, places), *_without_message(shapes, places), *_bad_sparql(shapes, places)]
    findings += _missing(shapes, places)
    findings += _malformed(triples, shapes, places)
    return findings


def file_of(shape: Node, shapes: Graph) -> str:
    """The file that declares *shape*: the one whose name its own, in kebab case, begins with.

    A shape without a name of its own lies where the named shape lies that uses it.
    """
    name = _kebab(str(named_shape(shape, shapes)).removeprefix(names.SHAPE))
    fitting = [stem for stem in _stems() if name == stem or name.startswith(stem + "-")]
    return f"shapes/{max(fitting, key=len)}.ttl" if fitting else "shapes/"


@cache
def _stems() -> tuple[str, ...]:
    """The names of the files of shapes, without their ending; looked up once."""
    return tuple(path.stem for path in files.SHAPES.glob("*.ttl"))


# --- the data -----------------------------------------------------------------------------------------------------


def _is_among(node: Term, named: Container[str]) -> bool:
    """Whether *node* is among the *named* ones, or has no name."""
    return not isinstance(node, NamedNode) or node.value in named


def _violations(sieve: Sieve, only: Container[Term] | None = None) -> list[Violation]:
    """What pyshacl finds about the nodes that *sieve* holds back, of *only* if given."""
    suspects = sieve.suspects(only)
    if not suspects:
        return []
    aimed = _without(_TARGETS, graph(sieve.shapes.triples))
    for shape, nodes in suspects.items():
        for node in nodes:
            aimed.add((rdflib_term(shape), SH.targetNode, rdflib_term(node)))
    return every_violation(graph(sieve.data.triples), aimed)


def _without(predicates: Container[Node], shapes: Graph) -> Graph:
    """*shapes* without the statements that have one of *predicates*."""
    rest = Graph()
    for triple in shapes:
        if triple[1] not in predicates:
            rest.add(triple)
    return rest


def _results(data: Graph, shapes: Graph) -> Iterator[Violation]:
    _, report, _ = pyshacl.validate(
        data, shacl_graph=shapes, inference="none", advanced=False, inplace=True, max_validation_depth=_DEPTH
    )
    if not isinstance(report, Graph):
        raise pyshacl.errors.ReportableRuntimeError(str(report))
    for result in report.objects(None, SH.result):
        focus = report.value(result, SH.focusNode)
        shape = report.value(result, SH.sourceShape)
        assert focus is not None and shape is not None  # SHACL requires both of every result
        constraint = report.value(result, SH.sourceConstraint)
        message = (
            (constraint and shapes.value(constraint, SH.message))
            or shapes.value(shape, SH.message)
            or report.value(result, SH.resultMessage)
        )
        path = shapes.value(shape, SH.path)
        yield Violation(
            focus,
            "" if path is None else _path(path, shapes),
            report.value(result, SH.value),
            shape,
            str(report.value(result, SH.sourceConstraintComponent)),
            str(message),
        )


def _incomparable(data: Graph, shapes: Graph) -> Iterator[Violation]:
    """A result for each ill-typed date that a comparison would have met."""
    compared = {
        term: (shape, component)
        for component in _COMPARISONS
        for shape, other in shapes.subject_objects(component)
        for term in (other, shapes.value(shape, SH.path))
    }
    for focus, predicate, value in sorted(data, key=str):
        if predicate in compared and isinstance(value, Literal) and value.ill_typed:
            shape, component = compared[predicate]
            kind = str(component).removeprefix(str(SH))
            yield Violation(
                focus,
                names.curie(str(predicate)),
                value,
                shape,
                f"{SH}{kind[0].upper()}{kind[1:]}ConstraintComponent",
                "A date that is to be compared is a day of the calendar, as in 1999-04-02.",
            )


def _finding(violation: Violation, shapes: Graph, places: Places, described: Known) -> Finding:
    source = file_of(violation.shape, shapes)
    file, line = places.get(str(violation.focus), (source, None))
    remedy = f"See {source}."
    value = violation.value
    if isinstance(value, URIRef) and value.startswith(names.ID):
        local = value.removeprefix(names.ID)
        near = described.nearest(local)
        if near != local:
            meant = f" Did you mean id:{near}?" if near else ""
            remedy = f"{names.curie(value)} is described nowhere.{meant} {remedy}"
    return Finding(file, line, _shown(violation.focus), f"{violation.message}{_detail(violation)}", remedy)


def _detail(violation: Violation) -> str:
    component = violation.component.removeprefix(str(SH))
    if component in ("MinCountConstraintComponent", "QualifiedMinCountConstraintComponent"):
        return f" ({violation.path} is missing)"
    if component in ("MaxCountConstraintComponent", "UniqueLangConstraintComponent"):
        return f" ({violation.path} is given more often)"
    if violation.value is None or violation.value == violation.focus:
        return ""
    return f" ({violation.path} is {_shown(violation.value)})" if violation.path else f" ({_shown(violation.value)})"


def _undefined_terms(data: Iterable[Triple], ontology: Graph, places: Places) -> Iterator[Finding]:
    """A finding for each class and property in *data* that its vocabulary does not define."""
    defined = {str(term) for term in ontology.subjects(RDF.type) if str(term).startswith(names.ONTOLOGY)}
    meant: dict[str, str] = {}
    used = {(triple.subject, triple.predicate.value, "property") for triple in data}
    used |= {(each.subject, str(rdflib_term(each.object)), "class") for each in data if each.predicate == _TYPE}
    for subject, iri, sort in used:
        known = defined if iri.startswith(names.ONTOLOGY) else _vocabulary(iri)
        if known is None or iri in known:
            continue
        file, line = _place(subject, places)
        vocabulary = "ontology" if known is defined else "vocabulary"
        if iri not in meant:
            meant[iri] = _nearest(iri, known)
        message = f"{names.curie(iri)} is no {sort} that its {vocabulary} defines."
        yield Finding(file, line, _shown(rdflib_term(subject)), message, meant[iri])


def _untyped(data: Iterable[Triple], ontology: Graph, places: Places) -> Iterator[Finding]:
    """A finding for each subject of *data* that no shape can look at, because it is of no class of the ontology's."""
    classes = {str(kind) for kind in ontology.subjects(RDF.type, OWL.Class)} | {str(DCAT.Dataset)}
    typed = {
        triple.subject
        for triple in data
        if triple.predicate == _TYPE and isinstance(triple.object, NamedNode) and triple.object.value in classes
    }
    for subject in dict.fromkeys(triple.subject for triple in data):
        if subject not in typed and (not isinstance(subject, NamedNode) or subject.value.startswith(names.ID)):
            shown = _shown(rdflib_term(subject))
            message = f"{shown} is of no class of the ontology."
            file, line = _place(subject, places)
            yield Finding(file, line, shown, message, "Say what it is: a foedus:State, a foedus:Source…")


def _not_canonical(data: Iterable[Triple], places: Places) -> Iterator[Finding]:
    """A finding for each literal of ours that the store would respell, or whose type is none that we use.

    No shape can say this: pyshacl matches a pattern against the value, where "04" and "4" are the same.
    """
    for triple in data:
        value = triple.object
        if not isinstance(value, OxLiteral) or value.language or not isinstance(triple.subject, NamedNode):
            continue
        kind = value.datatype.value
        if not triple.subject.value.startswith(names.ID) or kind == str(XSD.string):
            continue
        shown = rdflib_term(value)
        spelling, advice = _SPELLINGS.get(kind, ("", f"is of no type that is used here: {_TYPES}"))
        if kind in _SPELLINGS and (re.fullmatch(spelling, value.value) or _is_ill_typed(shown)):
            continue
        file, line = _place(triple.subject, places)
        message = f"{names.curie(triple.predicate.value)} {_shown(shown)} {advice}."
        yield Finding(file, line, _shown(rdflib_term(triple.subject)), message, "See shapes/everything.ttl.")


def _is_ill_typed(node: Node) -> bool:
    return isinstance(node, Literal) and bool(node.ill_typed)


def _things(data: Iterable[Triple]) -> Iterator[NamedNode]:
    """The things of ours that *data* say the class of."""
    for triple in data:
        thing = triple.subject
        if triple.predicate == _TYPE and isinstance(thing, NamedNode) and thing.value.startswith(names.ID):
            yield thing


def _place(subject: Term, places: Places) -> tuple[str, int | None]:
    return places.get(subject.value if isinstance(subject, NamedNode | BlankNode) else "", ("data/", None))


# --- the shapes ---------------------------------------------------------------------------------------------------


def _misspelt(shapes: Graph, places: Places) -> Iterator[Finding]:
    known = {str(term) for term in _vocabulary_of_shacl().subjects()}
    for subject, predicate, value in shapes:
        for term in (predicate, value):
            if isinstance(term, URIRef) and term.startswith(str(SH)) and str(term) not in known:
                message = f"{names.curie(term)} is not a term of SHACL."
                yield _about(subject, shapes, places, message, _nearest(term, known))


def _unknown_to_ontology(shapes: Graph, ontology: Graph, places: Places) -> Iterator[Finding]:
    defined = {str(term) for term in ontology.subjects(RDF.type) if str(term).startswith(names.ONTOLOGY)}
    for subject, predicate, value in shapes:
        terms = [str(value)] if isinstance(value, URIRef) and value.startswith(names.ONTOLOGY) else []
        if predicate in _QUERIES:
            terms = [names.ONTOLOGY + local for local in re.findall(r"\bfoedus:(\w+)", str(value))]
        for term in terms:
            if term not in defined:
                message = f"{names.curie(term)} is not a term of the ontology."
                yield _about(subject, shapes, places, message, _nearest(term, defined))


def _missing(shapes: Graph, places: Places) -> Iterator[Finding]:
    """A finding for each shape that another one refers to and no file declares."""
    declared = {str(shape) for shape in _shapes(shapes) if isinstance(shape, URIRef)}
    for link in _SHAPE_LINKS:
        for subject, shape in shapes.subject_objects(link):
            if isinstance(shape, URIRef) and str(shape) not in declared:
                message = f"{names.curie(shape)} is no shape that is declared."
                yield _about(subject, shapes, places, message, _nearest(str(shape), declared))


def _never_applied(shapes: Graph, places: Places) -> Iterator[Finding]:
    used = {value for link in _SHAPE_LINKS for value in shapes.objects(None, link)}
    for link in _SHAPE_LISTS:
        used |= {shape for head in shapes.objects(None, link) for shape in Collection(shapes, head)}
    for shape in _shapes(shapes) - used:
        if not any((shape, target, None) in shapes for target in _TARGETS):
            message = "No shape and no target leads to this shape."
            yield _about(shape, shapes, places, message, "Give it a sh:targetClass.")


def _without_message(shapes: Graph, places: Places) -> Iterator[Finding]:
    """A finding for each named property shape whose results would speak SHACL instead of English."""
    for shape in set(shapes.subjects(RDF.type, SH.PropertyShape)):
        if isinstance(shape, URIRef) and not any(
            isinstance(message, Literal) and message.language == "en" for message in shapes.objects(shape, SH.message)
        ):
            yield _about(shape, shapes, places, "A shape says in English what it asks for.", "Give it a sh:message.")


def _bad_sparql(shapes: Graph, places: Places) -> Iterator[Finding]:
    """A finding for each query of a shape that no parser takes; pyshacl would stop at it without naming the shape."""
    for predicate in _QUERIES:
        for constraint, text in shapes.subject_objects(predicate):
            try:
                prepareQuery(names.prologue() + str(text))
            except Exception as error:  # rdflib raises whatever its parser meets: ParseException, KeyError, …
                message = f"The query of the shape cannot be read: {_reason(error)}"
                yield _about(constraint, shapes, places, message, f"Correct the SPARQL of {names.curie(predicate)}.")


def _malformed(triples: Iterable[Triple], shapes: Graph, places: Places) -> Iterator[Finding]:
    """What the shapes of shapes, a part of the SHACL recommendation, find in *shapes*, which *triples* describe.

    They follow every link between shapes. Named shapes are looked at anyway, so the links between them are left out.
    """
    named = {str(shape) for shape in _shapes(shapes) if isinstance(shape, URIRef)}
    links = {str(link) for link in _SHAPE_LINKS}
    apart = (
        each
        for each in triples
        if not (each.predicate.value in links and isinstance(each.object, NamedNode) and each.object.value in named)
    )
    for found in _violations(Sieve(Index(apart), _shapes_of_shapes())):
        shown = "" if found.value is None else f" ({_shown(found.value)})"
        yield _about(
            found.focus, shapes, places, f"The shape is malformed: {found.message}{shown}", "Correct the shape."
        )


@cache
def _shapes_of_shapes() -> Index:
    return Index(parsed(_asset("shacl-shacl.ttl"))[0])


def _asset(name: str) -> str:
    """The text of a file of the SHACL recommendation that pyshacl ships."""
    return resources(pyshacl).joinpath("assets", name).read_text(encoding="utf-8")


@cache
def _vocabulary_of_shacl() -> Graph:
    return graph(parsed(_asset("shacl.ttl"))[0])


def _about(shape: Node, shapes: Graph, places: Places, message: str, remedy: str) -> Finding:
    named = named_shape(shape, shapes)
    file, line = places.get(str(named), (file_of(named, shapes), None))
    return Finding(file, line, _shown(named), message, remedy)


def _shapes(shapes: Graph) -> set[Node]:
    return {*shapes.subjects(RDF.type, SH.NodeShape), *shapes.subjects(RDF.type, SH.PropertyShape)}


def named_shape(node: Node, shapes: Graph) -> Node:
    """The named shape that *node*, a blank node of the shapes, is a part of; *node* itself where it has a name."""
    seen: set[Node] = set()
    while isinstance(node, BNode) and node not in seen:
        seen.add(node)
        node = next(shapes.subjects(None, node), node)
    return node


# --- words --------------------------------------------------------------------------------------------------------


def _path(path: Node, shapes: Graph) -> str:
    """The property path *path* as SPARQL would write it, but with ``or`` between alternatives."""
    if isinstance(path, URIRef):
        return names.curie(path)
    if (path, RDF.first, None) in shapes:
        return "/".join(_path(step, shapes) for step in Collection(shapes, path))
    alternatives = shapes.value(path, SH.alternativePath)
    if alternatives is not None:
        return " or ".join(_path(step, shapes) for step in Collection(shapes, alternatives))
    for kind, before, after in ((SH.inversePath, "^", ""), (SH.oneOrMorePath, "", "+"), (SH.zeroOrMorePath, "", "*")):
        step = shapes.value(path, kind)
        if step is not None:
            return f"{before}{_path(step, shapes)}{after}"
    return "its path"


def _shown(node: Node) -> str:
    if isinstance(node, URIRef):
        return names.curie(node)
    if isinstance(node, Literal):
        suffix = f"@{node.language}" if node.language else f"^^{names.curie(node.datatype)}" if node.datatype else ""
        return f'"{node}"{suffix}'
    return "a blank node"


def _vocabulary(term: str) -> set[str] | None:
    """Every term of the well-known vocabulary that *term* lies in; None where it lies in none."""
    for vocabulary in _VOCABULARIES:
        if term.startswith(str(vocabulary)):
            return _terms_of(vocabulary)
    return None


@cache
def _terms_of(vocabulary: type[DefinedNamespace]) -> set[str]:
    # rdflib keeps the names that Python cannot spell apart.
    return {str(term) for term in dir(vocabulary)} | {f"{vocabulary}{name}" for name in vocabulary._extras}


def _nearest(term: str, known: Iterable[str]) -> str:
    near = get_close_matches(term, list(known), n=1, cutoff=0.6)
    return f"Did you mean {names.curie(near[0])}?" if near else "Use a term of the vocabulary."


def _kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()


def _reason(error: Exception) -> str:
    """What the parser stopped at; its line and column count from the prologue and would mislead."""
    return re.sub(r",?\s*\(at char \d+\)|,?\s*\(line:\d+, col:\d+\)", "", _one_line(error))


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def _ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Each finding once, by file, line and node."""
    return tuple(
        sorted(set(findings), key=lambda each: (each.file, each.line or 0, each.node, each.message, each.remedy))
    )
