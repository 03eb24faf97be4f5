"""Hold the data against the shapes, and the shapes against SHACL and the ontology."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache
from importlib.resources import files as resources

import pyshacl
import pyshacl.errors
from rdflib import BNode, Graph, Literal, URIRef
from rdflib.collection import Collection
from rdflib.namespace import DCAT, DCTERMS, OWL, PROV, RDF, RDFS, SH, SKOS, XSD, DefinedNamespace
from rdflib.plugins.sparql import prepareQuery
from rdflib.term import Node

from foedus import files, names
from foedus.build.findings import Count, Finding
from foedus.build.reading import Places

# Vocabularies that a misspelt term can be held against; PROV and DCAT are used by the dataset's own description.
_VOCABULARIES: tuple[type[DefinedNamespace], ...] = (RDF, RDFS, OWL, SKOS, DCTERMS, DCAT, PROV)

# Shapes within shapes: the shapes of shapes go deeper over ours than the 15 that pyshacl allows unasked.
_DEPTH = 40

# The one spelling of each value of each type, and what is wrong with any other.
_SPELLINGS = {
    XSD.integer: (r"0|-?[1-9][0-9]*", "is written without plus sign and leading zeros"),
    XSD.boolean: (r"true|false", "is written true or false"),
    XSD.date: (r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "is written without time zone"),
    XSD.dateTime: (
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-](?!00:00)[0-9]{2}:[0-9]{2})",
        "is written with its offset, Z for none, and without parts of a second",
    ),
    XSD.anyURI: (r"\S+", "is written without spaces"),
    XSD.string: (r"(?s:.*)", ""),
    RDF.langString: (r"(?s:.*)", ""),
}
_TYPES = "xsd:integer, xsd:boolean, xsd:date, xsd:dateTime, xsd:anyURI, or text"

_NOT_VALIDATED = "Until then the data are not held against the shapes."
_QUERIES = (SH.select, SH.ask)
_COMPARISONS = (SH.lessThan, SH.lessThanOrEquals)
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


def validate(data: Graph, shapes: Graph, ontology: Graph, places: Places | None = None) -> list[Finding]:
    """Everything that is wrong with *data* by *shapes* and *ontology*, and with *shapes* themselves.

    *data* holds what was asserted and, after reasoning, what was inferred. *places* says where each subject is
    described, so that a finding names its file; without it, the finding names the file of the shape.

    Where the shapes have faults of their own, the data are not held against them: what a faulty shape found would
    mislead, and each finding about a shape says so.
    """
    places = places or {}
    faulty = check_shapes(shapes, ontology, places)
    findings = [replace(each, remedy=f"{each.remedy} {_NOT_VALIDATED}") for each in faulty]
    findings += _undefined_terms(data, ontology, places)
    findings += _untyped(data, ontology, places)
    findings += _not_canonical(data, places)
    if faulty:
        return _ordered(findings)
    for count in counts(data, shapes, ontology):
        if not count.number:
            findings.append(
                Finding("shapes/", None, "", f"The validation looked at no {count.what}.", "Check what was read.")
            )
    try:
        found = violations(data, shapes, ontology)
    except _MALFORMED as error:
        findings.append(
            Finding("shapes/", None, "", f"The shapes cannot be loaded: {_one_line(error)}", "Correct the shape.")
        )
        return _ordered(findings)
    described = sorted({str(node) for node in data.subjects(RDF.type) if str(node).startswith(names.ID)})
    findings += [_finding(each, shapes, places, described) for each in found]
    return _ordered(findings)


def were_validated(findings: Iterable[Finding]) -> bool:
    """Whether the data were held against the shapes for *findings*, the answer of ``validate``."""
    return not any(each.remedy.endswith(_NOT_VALIDATED) for each in findings)


def counts(data: Graph, shapes: Graph, ontology: Graph) -> list[Count]:
    """How many shapes there are, and how many nodes of *data* and *ontology* they look at."""
    return [
        Count("shapes", len(_shapes(shapes))),
        Count("focus nodes", len(_focus_nodes(data + ontology, shapes))),
    ]


def violations(data: Graph, shapes: Graph, ontology: Graph) -> list[Violation]:
    """The validation results of pyshacl over *data* with *ontology*, whose subclasses the targets follow.

    pyshacl stops with a TypeError where a date is ill-typed and something is to be compared with it. Everything else
    is then validated without the comparisons, and each value that cannot be compared is a result of its own.
    """
    everything = data + ontology
    try:
        return list(_results(everything, shapes))
    except TypeError:
        calm = Graph()
        for triple in shapes:
            if triple[1] not in _COMPARISONS:
                calm.add(triple)
        return [*_results(everything, calm), *_incomparable(everything, shapes)]


def check_shapes(shapes: Graph, ontology: Graph, places: Places | None = None) -> list[Finding]:
    """What is wrong with the shapes: misspelt terms, malformed shapes, shapes that never apply."""
    places = places or {}
    findings = [*_misspelt(shapes, places), *_unknown_to_ontology(shapes, ontology, places)]
    findings += [*_never_applied(shapes, places), *_without_message(shapes, places), *_bad_sparql(shapes, places)]
    findings += _missing(shapes, places)
    findings += _malformed(shapes, places)
    return findings


def file_of(shape: Node, shapes: Graph) -> str:
    """The file that declares *shape*: the one whose name its own, in kebab case, begins with.

    A shape without a name of its own lies where the named shape lies that uses it.
    """
    name = _kebab(str(_named(shape, shapes)).removeprefix(names.SHAPE))
    stems = [path.stem for path in files.SHAPES.glob("*.ttl")]
    fitting = [stem for stem in stems if name == stem or name.startswith(stem + "-")]
    return f"shapes/{max(fitting, key=len)}.ttl" if fitting else "shapes/"


# --- the data -----------------------------------------------------------------------------------------------------


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


def _finding(violation: Violation, shapes: Graph, places: Places, described: list[str]) -> Finding:
    source = file_of(violation.shape, shapes)
    file, line = places.get(str(violation.focus), (source, None))
    remedy = f"See {source}."
    value = str(violation.value)
    if isinstance(violation.value, URIRef) and value.startswith(names.ID) and value not in described:
        near = get_close_matches(value, described, n=1, cutoff=0.6)
        meant = f" Did you mean {names.curie(near[0])}?" if near else ""
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


def _undefined_terms(data: Graph, ontology: Graph, places: Places) -> Iterator[Finding]:
    """A finding for each class and property in *data* that its vocabulary does not define."""
    defined = {str(term) for term in ontology.subjects(RDF.type) if str(term).startswith(names.ONTOLOGY)}
    used = {(subject, predicate, "property") for subject, predicate in data.subject_predicates()}
    used |= {(subject, kind, "class") for subject, kind in data.subject_objects(RDF.type)}
    for subject, term, sort in used:
        known = defined if str(term).startswith(names.ONTOLOGY) else _vocabulary(str(term))
        if known is None or str(term) in known:
            continue
        file, line = places.get(str(subject), ("data/", None))
        vocabulary = "ontology" if known is defined else "vocabulary"
        yield Finding(
            file,
            line,
            _shown(subject),
            f"{names.curie(str(term))} is no {sort} that its {vocabulary} defines.",
            _nearest(str(term), known),
        )


def _untyped(data: Graph, ontology: Graph, places: Places) -> Iterator[Finding]:
    """A finding for each subject of *data* that no shape can look at, because it is of no class of the ontology's."""
    classes = set(ontology.subjects(RDF.type, OWL.Class)) | {DCAT.Dataset}
    ours = {subject for subject in data.subjects() if isinstance(subject, BNode) or str(subject).startswith(names.ID)}
    for subject in ours:
        if classes.isdisjoint(data.objects(subject, RDF.type)):
            file, line = places.get(str(subject), ("data/", None))
            yield Finding(
                file,
                line,
                _shown(subject),
                f"{_shown(subject)} is of no class of the ontology.",
                "Say what it is: a foedus:State, a foedus:Source…",
            )


def _not_canonical(data: Graph, places: Places) -> Iterator[Finding]:
    """A finding for each literal of ours that the store would respell, or whose type is none that we use.

    No shape can say this: pyshacl matches a pattern against the value, where "04" and "4" are the same.
    """
    for subject, predicate, value in data:
        if not isinstance(value, Literal) or value.datatype is None or not str(subject).startswith(names.ID):
            continue
        if value.datatype in _SPELLINGS and (value.ill_typed or re.fullmatch(_SPELLINGS[value.datatype][0], value)):
            continue
        file, line = places.get(str(subject), ("data/", None))
        _, advice = _SPELLINGS.get(value.datatype, ("", f"is of no type that is used here: {_TYPES}"))
        message = f"{names.curie(str(predicate))} {_shown(value)} {advice}."
        yield Finding(file, line, _shown(subject), message, "See shapes/everything.ttl.")


# --- the shapes ---------------------------------------------------------------------------------------------------


def _misspelt(shapes: Graph, places: Places) -> Iterator[Finding]:
    known = {str(term) for term in _shipped("shacl.ttl").subjects()}
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


def _malformed(shapes: Graph, places: Places) -> Iterator[Finding]:
    """What the shapes of shapes, a part of the SHACL recommendation, find.

    They follow every link between shapes. Named shapes are looked at anyway, so the links between them are left out:
    that takes a quarter of the time.
    """
    named = {shape for shape in _shapes(shapes) if isinstance(shape, URIRef)}
    apart = Graph()
    for subject, predicate, value in shapes:
        if predicate not in _SHAPE_LINKS or value not in named:
            apart.add((subject, predicate, value))
    for each in _results(apart, _shipped("shacl-shacl.ttl")):
        shown = "" if each.value is None else f" ({_shown(each.value)})"
        yield _about(each.focus, shapes, places, f"The shape is malformed: {each.message}{shown}", "Correct the shape.")


@cache
def _shipped(name: str) -> Graph:
    """A file of the SHACL recommendation that pyshacl ships: its vocabulary, or its shapes of shapes."""
    return Graph().parse(data=resources(pyshacl).joinpath("assets", name).read_bytes(), format="turtle")


def _about(shape: Node, shapes: Graph, places: Places, message: str, remedy: str) -> Finding:
    named = _named(shape, shapes)
    file, line = places.get(str(named), (file_of(named, shapes), None))
    return Finding(file, line, _shown(named), message, remedy)


def _shapes(shapes: Graph) -> set[Node]:
    return {*shapes.subjects(RDF.type, SH.NodeShape), *shapes.subjects(RDF.type, SH.PropertyShape)}


def _focus_nodes(data: Graph, shapes: Graph) -> set[Node]:
    found: set[Node] = set(shapes.objects(None, SH.targetNode))
    for target in set(shapes.objects(None, SH.targetClass)):
        for kind in data.transitive_subjects(RDFS.subClassOf, target):
            found.update(data.subjects(RDF.type, kind))
    for target in set(shapes.objects(None, SH.targetSubjectsOf)):
        found.update(data.subjects(_term(target)))
    for target in set(shapes.objects(None, SH.targetObjectsOf)):
        found.update(data.objects(None, _term(target)))
    return found


def _named(node: Node, shapes: Graph) -> Node:
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


def _term(node: Node) -> URIRef:
    return URIRef(str(node))


def _ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Each finding once, by file, line and node."""
    return sorted(set(findings), key=lambda each: (each.file, each.line or 0, each.node, each.message, each.remedy))
