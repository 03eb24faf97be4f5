"""Describe the dataset inside itself: files, prefixes, stored questions, statistics, endpoint, downloads."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from pyoxigraph import Literal, NamedNode, Triple

from foedus import __version__, names, questions
from foedus.build import statistics
from foedus.build.reading import Content, parsed, subjects
from foedus.build.rules import form_of
from foedus.build.statistics import DATASET, part, term

SERVICE = Path(__file__).with_name("service.ttl")
"""What no count decides: publisher, endpoint, catalogue."""

GRAPHS = {
    names.ASSERTED: ("Asserted", "What the files of data/ say, exactly as written."),
    names.INFERRED: ("Inferred", "What the rules and the reading of dates conclude."),
    names.ONTOLOGY_GRAPH: ("Ontology", "The classes and properties, and the closed lists."),
    names.SHAPES: ("Shapes", "What a well-formed description looks like."),
    names.ABOUT: (
        "About",
        "The description of the dataset, no part of it: files, prefixes, stored questions, statistics, endpoint.",
    ),
    names.LINKS: ("Links", "Links to the same things elsewhere."),
}

_EXECUTABLES = {
    "SELECT": ("SPARQLSelectExecutable", "select"),
    "ASK": ("SPARQLAskExecutable", "ask"),
    "CONSTRUCT": ("SPARQLConstructExecutable", "construct"),
}

_MEDIA_TYPES = {
    "csv": "text/csv",
    "jsonld": "application/ld+json",
    "nq": "application/n-quads",
    "parquet": "application/vnd.apache.parquet",
    "trig": "application/trig",
    "ttl": "text/turtle",
}

_TABLES = ("alliance", "alliance-member", "state-year", "dyad-year", "directed-dyad-year")
"""The tables that are made of data with alliances."""

_TYPE, _LABEL, _COMMENT, _TITLE = map(term, ("rdf:type", "rdfs:label", "rdfs:comment", "dcterms:title"))
_LICENCE = term("dcterms:license")


def describe(
    content: Content, stored: Iterable[questions.Question], graphs: Mapping[str, tuple[Triple, ...]]
) -> tuple[Triple, ...]:
    """The graph about the dataset whose other *graphs* these are, without what one of them says already.

    Where no triple is in two graphs, serving their union needs no second copy of each.
    """
    said = set().union(*graphs.values())
    made = (
        *_stated_in(content),
        *_prefixes(),
        *_questions(stored),
        *_parts(),
        *parsed(SERVICE.read_text(encoding="utf-8"))[0],
        *_files(said),
        *statistics.figures(graphs),
        *statistics.linksets(graphs.get(names.LINKS, ())),
    )
    return tuple(each for each in dict.fromkeys(made) if each not in said)


def _stated_in(content: Content) -> Iterator[Triple]:
    for document in content.documents:
        for subject in dict.fromkeys(subjects(document.triples)):
            yield Triple(NamedNode(subject), term("foedus:statedIn"), Literal(document.name))


def _prefixes() -> Iterator[Triple]:
    """The prefix table, declared on the ontology as editors of SPARQL look for it."""
    ontology = NamedNode(names.ONTOLOGY.rstrip("#"))
    for prefix, namespace in names.PREFIXES.items():
        declaration = NamedNode(f"{names.ID}prefix-{prefix}")
        yield Triple(ontology, term("sh:declare"), declaration)
        yield Triple(declaration, _TYPE, term("sh:PrefixDeclaration"))
        yield Triple(declaration, _LABEL, Literal(f"Prefix {prefix}:", language="en"))
        yield Triple(declaration, term("sh:prefix"), Literal(prefix))
        yield Triple(declaration, term("sh:namespace"), Literal(namespace, datatype=term("xsd:anyURI")))


def _questions(stored: Iterable[questions.Question]) -> Iterator[Triple]:
    """Each stored question as an executable, named by the address of its page."""
    for question in stored:
        node = NamedNode(f"{names.BASE}queries/{question.slug}")
        kind, property_ = _EXECUTABLES[form_of(question.text)]
        yield Triple(node, _TYPE, term("sh:SPARQLExecutable"))
        yield Triple(node, _TYPE, term(f"sh:{kind}"))
        yield Triple(node, _LABEL, Literal(question.slug))
        yield Triple(node, _COMMENT, Literal(question.question, language="en"))
        yield Triple(node, term(f"sh:{property_}"), Literal(question.text))
        yield Triple(node, term("schema:target"), NamedNode(names.ENDPOINT))
        for keyword in question.keywords:
            yield Triple(node, term("schema:keywords"), Literal(keyword, language="en"))


def _parts() -> Iterator[Triple]:
    """The version, and the named graphs: all but the one about the others are parts of the dataset."""
    yield Triple(DATASET, term("dcat:version"), Literal(__version__))
    for iri, (label, comment) in GRAPHS.items():
        # The endpoint's own description calls the entry the same.
        graph, entry = NamedNode(iri), NamedNode(f"{names.ENDPOINT}#named-{quote(iri, safe='')}")
        yield Triple(graph, _LABEL, Literal(label, language="en"))
        yield Triple(graph, _COMMENT, Literal(comment, language="en"))
        yield Triple(graph, _TYPE, term("sd:Graph"))
        yield Triple(NamedNode(f"{names.ENDPOINT}#dataset"), term("sd:namedGraph"), entry)
        yield Triple(entry, _TYPE, term("sd:NamedGraph"))
        yield Triple(entry, _LABEL, Literal(label, language="en"))
        yield Triple(entry, term("sd:name"), graph)
        yield Triple(entry, term("sd:graph"), graph)
        if iri == names.ABOUT:
            yield Triple(graph, _TYPE, term("void:DatasetDescription"))
            yield Triple(graph, term("foaf:primaryTopic"), DATASET)
        else:
            yield Triple(graph, _TYPE, term("void:Dataset"))
            yield Triple(DATASET, term("void:subset"), graph)


def _files(said: set[Triple]) -> Iterator[Triple]:
    """The files that hold all of the dataset, and the tables made of it, under the licence that it has by *said*.

    Their checksums stand where they are handed out: a file cannot hold its own.
    """
    licences = [triple.object for triple in said if (triple.subject, triple.predicate) == (DATASET, _LICENCE)]
    files = {name: f"The whole dataset, {name}" for name in names.DUMPS}
    if any(triple.predicate == _TYPE and triple.object == term("foedus:Alliance") for triple in said):
        files |= {f"{name}.{form}": f"Table {name}, {form}" for name in _TABLES for form in ("csv", "parquet")}
    for name, title in files.items():
        node, address = part(f"file-{name.replace('.', '-')}"), NamedNode(f"{names.BASE}download/{name}")
        media_type = _MEDIA_TYPES[name.rpartition(".")[2]]
        yield Triple(DATASET, term("dcat:distribution"), node)
        yield Triple(node, _TYPE, term("dcat:Distribution"))
        yield Triple(node, _LABEL, Literal(title, language="en"))
        yield Triple(node, _TITLE, Literal(title, language="en"))
        yield Triple(node, term("dcat:accessURL"), NamedNode(f"{names.BASE}download"))
        yield Triple(node, term("dcat:downloadURL"), address)
        yield Triple(
            node, term("dcat:mediaType"), NamedNode(f"https://www.iana.org/assignments/media-types/{media_type}")
        )
        for licence in licences:
            yield Triple(node, _LICENCE, licence)
        if name in names.DUMPS:
            yield Triple(DATASET, term("void:dataDump"), address)
