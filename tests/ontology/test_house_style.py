"""The ontology keeps the house style, and a term that does not gets a message that says what it lacks."""

import re
from pathlib import Path

import pytest
from rdflib import Graph

from foedus import files
from foedus.build import shapes

INVALID = sorted((Path(__file__).parent / "invalid").glob("*.ttl"))


@pytest.fixture(scope="module")
def style() -> Graph:
    return Graph().parse(files.SHAPES / "house-style.ttl")


@pytest.fixture(scope="module")
def ontology() -> Graph:
    whole = Graph()
    for path in files.ONTOLOGY.glob("*.ttl"):
        whole.parse(path)
    return whole


def test_the_ontology_keeps_the_house_style(style, ontology):
    looked_at = {count.what: count.number for count in shapes.counts(Graph(), style, ontology)}
    assert looked_at["focus nodes"] > 200
    assert shapes.violations(Graph(), style, ontology) == []


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_a_term_against_the_house_style_gets_the_message_that_it_expects(path, style, ontology):
    (expected,) = re.findall(r'^# expects: shapes/house-style.ttl, "(.*)"$', path.read_text(), re.MULTILINE)
    messages = {each.message for each in shapes.violations(Graph().parse(path), style, ontology)}
    assert len(messages) == 1
    assert expected in messages.pop()
