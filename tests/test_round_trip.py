"""What the files say is what the endpoint returns, term by term."""

from pathlib import Path

import pytest
from pyoxigraph import CanonicalizationAlgorithm, Dataset, Quad, RdfFormat, parse

from foedus import names

ROOT = Path(__file__).parents[1]
FOLDERS = {names.ASSERTED: "data", names.ONTOLOGY_GRAPH: "ontology", names.SHAPES: "shapes"}


def canonical(triples) -> set[str]:
    """The triples as lines in which equal graphs have equal blank nodes."""
    dataset = Dataset(Quad(t.subject, t.predicate, t.object) for t in triples)
    dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    return {str(quad) for quad in dataset}


def read(folder: str):
    for path in sorted((ROOT / folder).rglob("*.ttl")):
        # A parser alone does not touch literals; only a store would.
        yield from parse(path=path, format=RdfFormat.TURTLE, rename_blank_nodes=True)


@pytest.mark.parametrize("graph", FOLDERS, ids=lambda iri: iri.rpartition("/")[2])
def test_the_endpoint_returns_what_was_read(client, graph):
    """Every term of the sources comes back from /sparql with the same lexical form, datatype and language."""
    answer = client.get(
        "/sparql",
        query_string={"query": "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }", "default-graph-uri": graph},
        headers={"Accept": "application/n-triples"},
    )
    assert answer.status_code == 200
    returned = canonical(parse(answer.data, format=RdfFormat.N_TRIPLES))
    expected = canonical(read(FOLDERS[graph]))
    assert len(expected) > 100
    assert returned == expected
