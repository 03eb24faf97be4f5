"""The ontology keeps the house style, and a term that does not gets a message that says what it lacks."""

import re
from pathlib import Path

import pytest

from foedus import files
from foedus.build import reading, shapes
from foedus.build.sieve import Index, Sieve

INVALID = sorted((Path(__file__).parent / "invalid").glob("*.ttl"))


@pytest.fixture(scope="module")
def style():
    return read(files.SHAPES / "house-style.ttl")


@pytest.fixture(scope="module")
def ontology():
    return read(*files.ONTOLOGY.glob("*.ttl"))


def read(*paths: Path):
    return tuple(triple for path in paths for triple in reading.parsed(path.read_text(encoding="utf-8"))[0])


def test_the_ontology_keeps_the_house_style(style, ontology):
    assert len(Sieve(Index(ontology), Index(style)).focus_nodes()) > 200
    assert shapes.violations((), style, ontology) == []


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_a_term_against_the_house_style_gets_the_message_that_it_expects(path, style, ontology):
    (expected,) = re.findall(r'^# expects: shapes/house-style.ttl, "(.*)"$', path.read_text(), re.MULTILINE)
    messages = {each.message for each in shapes.violations(read(path), style, ontology)}
    assert len(messages) == 1
    assert expected in messages.pop()
