"""A term that nothing uses is a promise that nobody keeps: each is in a question, a shape or the data."""

import re

from rdflib import OWL, RDF, Graph

from foedus import files, names

KINDS = (OWL.Class, OWL.ObjectProperty, OWL.DatatypeProperty, OWL.AnnotationProperty, OWL.NamedIndividual)
USED = re.compile(r"\bfoedus:([A-Za-z][A-Za-z0-9]*)")


def test_every_term_is_used_by_a_question_a_shape_or_a_datum() -> None:
    ontology = Graph()
    for path in files.ONTOLOGY.glob("*.ttl"):
        ontology.parse(path)
    terms = {str(term) for kind in KINDS for term in ontology.subjects(RDF.type, kind)}
    ours = {term.removeprefix(names.ONTOLOGY) for term in terms if term.startswith(names.ONTOLOGY)}
    used: set[str] = set()
    for folder, pattern in ((files.QUERIES, "*.rq"), (files.SHAPES, "*.ttl"), (files.DATA, "**/*.ttl")):
        for path in folder.glob(pattern):
            used.update(USED.findall(path.read_text(encoding="utf-8")))
    assert len(ours) > 200
    assert sorted(ours - used) == []
