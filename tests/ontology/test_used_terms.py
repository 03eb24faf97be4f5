"""A term that nothing uses is a promise that nobody keeps: each is in a question, a shape or the data.

A value of a closed list is used where its list is asked for or offered; what the ontology says with a term of its own,
such as the bounds of a date property, counts as a datum.
"""

import re

from rdflib import OWL, RDF, RDFS, Graph, URIRef

from foedus import files, names

KINDS = (OWL.Class, OWL.ObjectProperty, OWL.DatatypeProperty, OWL.AnnotationProperty, OWL.NamedIndividual)
USED = re.compile(r"\bfoedus:([A-Za-z][A-Za-z0-9]*)")


def test_every_term_is_used_by_a_question_a_shape_or_a_datum() -> None:
    ontology = Graph()
    for path in files.ONTOLOGY.glob("*.ttl"):
        ontology.parse(path)
    ours = {
        term
        for kind in KINDS
        for term in ontology.subjects(RDF.type, kind)
        if isinstance(term, URIRef) and term.startswith(names.ONTOLOGY)
    }
    used = set(ontology.predicates()) | set(ontology.objects(None, RDFS.subPropertyOf))
    for folder, pattern in ((files.QUERIES, "*.rq"), (files.SHAPES, "*.ttl"), (files.DATA, "**/*.ttl")):
        for path in folder.glob(pattern):
            used.update(URIRef(names.ONTOLOGY + name) for name in USED.findall(path.read_text(encoding="utf-8")))
    offered = {value for value in ours if used & set(ontology.objects(value, RDF.type))}
    assert len(ours) > 200
    assert sorted(ours - used - offered) == []
