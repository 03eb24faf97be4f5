"""Describe the dataset inside itself: files, prefixes, stored questions, figures."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from pyoxigraph import Literal, NamedNode, Triple

from foedus import __version__, names, questions
from foedus.build.reading import Content, subjects
from foedus.build.rules import form_of

DATASET = NamedNode(names.ID + "foedus-dataset")

GRAPHS = {
    names.ASSERTED: ("Asserted", "What the files of data/ say, exactly as written."),
    names.INFERRED: ("Inferred", "What the rules and the reading of dates conclude."),
    names.ONTOLOGY_GRAPH: ("Ontology", "The classes and properties, and the closed lists."),
    names.SHAPES: ("Shapes", "What a well-formed description looks like."),
    names.ABOUT: ("About", "The description of the dataset: files, prefixes, stored questions, figures."),
    names.LINKS: ("Links", "Links to the same things elsewhere."),
}

_EXECUTABLES = {
    "SELECT": ("SPARQLSelectExecutable", "select"),
    "ASK": ("SPARQLAskExecutable", "ask"),
    "CONSTRUCT": ("SPARQLConstructExecutable", "construct"),
}


def describe(
    content: Content, stored: Iterable[questions.Question], graphs: Mapping[str, tuple[Triple, ...]]
) -> tuple[Triple, ...]:
    """The graph about the dataset whose other *graphs* these are, without what one of them says already.

    Where no triple is in two graphs, serving their union needs no second copy of each.
    """
    made = (*_stated_in(content), *_prefixes(), *_questions(stored), *_figures(graphs))
    said = set().union(*graphs.values())
    return tuple(each for each in dict.fromkeys(made) if each not in said)


def _term(curie: str) -> NamedNode:
    prefix, _, local = curie.partition(":")
    return NamedNode(names.PREFIXES[prefix] + local)


def _whole(number: int) -> Literal:
    return Literal(str(number), datatype=_term("xsd:integer"))


_TYPE, _LABEL, _COMMENT = _term("rdf:type"), _term("rdfs:label"), _term("rdfs:comment")


def _stated_in(content: Content) -> Iterator[Triple]:
    for document in content.documents:
        for subject in dict.fromkeys(subjects(document.triples)):
            yield Triple(NamedNode(subject), _term("foedus:statedIn"), Literal(document.name))


def _prefixes() -> Iterator[Triple]:
    """The prefix table, declared on the ontology as editors of SPARQL look for it."""
    ontology = NamedNode(names.ONTOLOGY.rstrip("#"))
    for prefix, namespace in names.PREFIXES.items():
        declaration = NamedNode(f"{names.ID}prefix-{prefix}")
        yield Triple(ontology, _term("sh:declare"), declaration)
        yield Triple(declaration, _TYPE, _term("sh:PrefixDeclaration"))
        yield Triple(declaration, _LABEL, Literal(f"Prefix {prefix}:", language="en"))
        yield Triple(declaration, _term("sh:prefix"), Literal(prefix))
        yield Triple(declaration, _term("sh:namespace"), Literal(namespace, datatype=_term("xsd:anyURI")))


def _questions(stored: Iterable[questions.Question]) -> Iterator[Triple]:
    """Each stored question as an executable, named by the address of its page."""
    for question in stored:
        node = NamedNode(f"{names.BASE}queries/{question.slug}")
        kind, property_ = _EXECUTABLES[form_of(question.text)]
        yield Triple(node, _TYPE, _term("sh:SPARQLExecutable"))
        yield Triple(node, _TYPE, _term(f"sh:{kind}"))
        yield Triple(node, _LABEL, Literal(question.slug))
        yield Triple(node, _COMMENT, Literal(question.question, language="en"))
        yield Triple(node, _term(f"sh:{property_}"), Literal(question.text))
        for keyword in question.keywords:
            yield Triple(node, _term("schema:keywords"), Literal(keyword, language="en"))


def _figures(graphs: Mapping[str, tuple[Triple, ...]]) -> Iterator[Triple]:
    """VoID and DCAT: how much there is of what, over all graphs but this one."""
    every = set().union(*graphs.values())
    predicates = Counter(triple.predicate for triple in every)
    classes = Counter(t.object for t in every if t.predicate == _TYPE and isinstance(t.object, NamedNode))
    yield Triple(DATASET, _TYPE, _term("void:Dataset"))
    yield Triple(DATASET, _TYPE, _term("dcat:Dataset"))
    yield Triple(DATASET, _term("dcat:version"), Literal(__version__))
    yield Triple(DATASET, _term("dcat:landingPage"), NamedNode(names.BASE))
    yield Triple(DATASET, _term("void:sparqlEndpoint"), NamedNode(names.BASE + "sparql"))
    yield Triple(DATASET, _term("void:uriSpace"), Literal(names.ID))
    yield Triple(DATASET, _term("void:vocabulary"), NamedNode(names.ONTOLOGY))
    yield Triple(DATASET, _term("void:triples"), _whole(len(every)))
    yield Triple(DATASET, _term("void:distinctSubjects"), _whole(len({triple.subject for triple in every})))
    yield Triple(DATASET, _term("void:distinctObjects"), _whole(len({triple.object for triple in every})))
    yield Triple(DATASET, _term("void:classes"), _whole(len(classes)))
    yield Triple(DATASET, _term("void:properties"), _whole(len(predicates)))
    for term, number in classes.items():
        yield from _partition("class", term, "Instances of", "void:entities", number)
    for predicate, number in predicates.items():
        yield from _partition("property", predicate, "Statements with", "void:triples", number)
    for iri, (label, comment) in GRAPHS.items():
        graph = NamedNode(iri)
        yield Triple(DATASET, _term("void:subset"), graph)
        yield Triple(graph, _TYPE, _term("void:Dataset"))
        yield Triple(graph, _LABEL, Literal(label, language="en"))
        yield Triple(graph, _COMMENT, Literal(comment, language="en"))
        if iri in graphs:
            yield Triple(graph, _term("void:triples"), _whole(len(set(graphs[iri]))))


def _partition(kind: str, term: NamedNode, wording: str, counted: str, number: int) -> Iterator[Triple]:
    """VoID's partition of the dataset by *term*, a class or a property as *kind* says, with its *number*."""
    node = NamedNode(f"{DATASET.value}-{kind}-{_kebab(term)}")
    yield Triple(DATASET, _term(f"void:{kind}Partition"), node)
    yield Triple(node, _TYPE, _term("void:Dataset"))
    yield Triple(node, _LABEL, Literal(f"{wording} {names.curie(term.value)}", language="en"))
    yield Triple(node, _term(f"void:{kind}"), term)
    yield Triple(node, _term(counted), _whole(number))


def _kebab(term: NamedNode) -> str:
    """A local name for *term*: its CURIE in kebab case."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", names.curie(term.value))
    return re.sub(r"[^a-z0-9]+", "-", spaced.lower()).strip("-")
