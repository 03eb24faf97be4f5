"""Namespaces, prefixes, and the way between an IRI, a CURIE and a local path."""

import re

ONTOLOGY = "https://w3id.org/foedus/ontology#"
ID = "https://w3id.org/foedus/id/"
SHAPE = "https://w3id.org/foedus/shape/"
GRAPH = "https://w3id.org/foedus/graph/"
BASE = "https://w3id.org/foedus/"

ASSERTED = GRAPH + "asserted"
INFERRED = GRAPH + "inferred"
ONTOLOGY_GRAPH = GRAPH + "ontology"
SHAPES = GRAPH + "shapes"
ABOUT = GRAPH + "about"
LINKS = GRAPH + "links"
GRAPHS = (ASSERTED, INFERRED, ONTOLOGY_GRAPH, SHAPES, ABOUT, LINKS)
STATED = tuple(each for each in GRAPHS if each != INFERRED)
"""The graphs of what files state: all but that of what rules conclude."""

ENDPOINT = BASE + "sparql"
DESCRIPTION = BASE + ".well-known/void"
"""Where the dataset describes itself; the parts of the description are named below it, after a ``#``."""

DUMPS = ("foedus.nq", "foedus.trig", "foedus.ttl", "foedus.jsonld")
"""The files of the whole dataset, beside a built one, in an export and at ``/download/<name>``.

The first is the canonical one, whose SHA-256 identifies the dataset. The Turtle file has no graphs: the statements of
all of them, each once.
"""

CHECKSUMS = "SHA256SUMS"
"""The file with the checksums of the files beside it."""

# The one prefix table: files, queries, answers and pages all use it, and no other.
PREFIXES = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcterms": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "foedus": ONTOLOGY,
    "geonames": "https://sws.geonames.org/",
    "id": ID,
    "org": "http://www.w3.org/ns/org#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "prov": "http://www.w3.org/ns/prov#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "schema": "https://schema.org/",
    "sd": "http://www.w3.org/ns/sparql-service-description#",
    "sh": "http://www.w3.org/ns/shacl#",
    "shape": SHAPE,
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "time": "http://www.w3.org/2006/time#",
    "ucdp": "https://ucdp.uu.se/conflict/",
    "vann": "http://purl.org/vocab/vann/",
    "void": "http://rdfs.org/ns/void#",
    "void-ext": "http://ldf.fi/void-ext#",
    "wd": "http://www.wikidata.org/entity/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}

_LOCAL_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.\-]*[A-Za-z0-9_\-])?\Z")
_NO_IRI_CHARACTER = re.compile(r"[\x00-\x20<>\"{}|^`\\]")


def curie(iri: str) -> str:
    """The shortest name of *iri*: ``id:csto`` where a prefix fits, else ``<iri>``."""
    for prefix, namespace in PREFIXES.items():
        if iri.startswith(namespace) and _LOCAL_NAME.match(iri[len(namespace) :]):
            return f"{prefix}:{iri[len(namespace) :]}"
    return f"<{iri}>"


def expand(name: str) -> str | None:
    """The IRI that *name*, a CURIE or an IRI with or without ``<>``, stands for; None if it is neither."""
    bare = name[1:-1] if name.startswith("<") and name.endswith(">") else name
    if is_iri(bare):
        return bare
    prefix, colon, local = name.partition(":")
    # The identifiers of GeoNames end in a slash.
    if colon and prefix in PREFIXES and _LOCAL_NAME.match(local.removesuffix("/")):
        return PREFIXES[prefix] + local
    return None


def is_iri(text: str) -> bool:
    """Whether *text* is an absolute http(s) or urn IRI that is safe between ``<`` and ``>``."""
    return text.startswith(("http://", "https://", "urn:")) and not _NO_IRI_CHARACTER.search(text)


def path(iri: str) -> str | None:
    """The path on our own server that shows *iri*, or None for an IRI that is not ours.

    ``…/ontology#Term`` is shown at ``/ontology/Term``; everything else at its own path.
    """
    if iri.startswith(ONTOLOGY):
        return "/ontology/" + iri[len(ONTOLOGY) :]
    if iri.startswith(BASE):
        return "/" + iri[len(BASE) :]
    return None


def prologue() -> str:
    """The prefix table as SPARQL ``PREFIX`` lines."""
    return "".join(f"PREFIX {prefix}: <{namespace}>\n" for prefix, namespace in PREFIXES.items())
