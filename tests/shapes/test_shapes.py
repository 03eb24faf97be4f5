"""Every rule of every shape meets a file that breaks it, and the shapes themselves are held against SHACL."""

import re
from itertools import zip_longest
from pathlib import Path

import pytest
import rdflib
from pyoxigraph import Triple
from rdflib import RDF, SH, Graph, URIRef

from foedus import files
from foedus.build import reading
from foedus.build import shapes as shacl
from foedus.build.findings import Finding
from foedus.build.sieve import Index, Sieve

HERE = Path(__file__).parent
WORLD = HERE / "valid" / "world.ttl"
INVALID = sorted((HERE / "invalid").glob("*.ttl"))
VALID = sorted((HERE / "valid").glob("*.ttl"))
EXPECTS = re.compile(r'^# expects: (\S+), "(.*)"$', re.MULTILINE)
# Things that share what must be unique: a state's code, the days of a membership.
TOGETHER = dict.fromkeys(("spell", "membership", "treaty-binding", "signatory-spell", "interruption"), "spells")
TOGETHER |= dict.fromkeys(("state", "member-state", "former-member-state"), "states")
# What ends the League, and what its council does.
TOGETHER |= dict.fromkeys(("dissolution", "decision", "request", "article-invocation"), "acts")
# The ways in which a shape refers to other shapes; what these find is reported by the shapes that they lead to.
LINKS = {SH.property}


Triples = tuple[Triple, ...]


def parse(text: str) -> Triples:
    return reading.parsed(text)[0]


def read(*paths: Path) -> Triples:
    return tuple(triple for path in paths for triple in parse(path.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def shapes() -> Triples:
    """The shapes of the data; those of the ontology have tests of their own."""
    return read(*(path for path in files.SHAPES.glob("*.ttl") if path.stem != "house-style"))


@pytest.fixture(scope="module")
def shape_graph(shapes: Triples) -> Graph:
    return reading.graph(shapes)


@pytest.fixture(scope="module")
def ontology() -> Triples:
    return read(*files.ONTOLOGY.glob("*.ttl"))


@pytest.fixture(scope="module")
def batches() -> list[dict[str, Triples]]:
    """The invalid files, one for each sort of thing at a time.

    They do not disturb one another, and to validate them together takes a tenth of the time.
    """
    sorts: dict[str, list[Path]] = {}
    for path in INVALID:
        stem = Path(EXPECTS.search(path.read_text(encoding="utf-8"))[1]).stem
        sorts.setdefault(TOGETHER.get(stem, stem), []).append(path)
    return [{path.name: renamed(path) for path in batch if path} for batch in zip_longest(*sorts.values())]


@pytest.fixture(scope="module")
def found(batches: list[dict[str, Triples]], shapes: Triples, ontology: Triples) -> dict[str, list[shacl.Violation]]:
    """What each invalid file, read together with the world, is found to break."""
    found: dict[str, list[shacl.Violation]] = {path.name: [] for path in INVALID}
    for faults in batches:
        for violation in shacl.violations(together(faults), shapes, ontology):
            for name, fault in faults.items():
                if any(reading.rdflib_term(triple.subject) == violation.focus for triple in fault):
                    found[name].append(violation)
    return found


def together(faults: dict[str, Triples]) -> Triples:
    return (*read(WORLD), *(triple for fault in faults.values() for triple in fault))


def renamed(path: Path) -> Triples:
    """The triples of *path*, where what is broken has a name that no other file uses."""
    own = path.read_text(encoding="utf-8").replace("id:broken", f"id:{path.stem}-broken")
    return parse(own)


def expected(path: Path) -> set[tuple[str, str]]:
    """The shape files and parts of messages that *path* says it must get."""
    return set(EXPECTS.findall(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_a_valid_file_has_no_findings(path: Path, shapes: Triples, ontology: Triples) -> None:
    assert shacl.violations(read(WORLD, path), shapes, ontology) == []


def test_the_sieve_lets_every_valid_file_pass(shapes: Triples, ontology: Triples) -> None:
    """Nothing is left to pyshacl: it knows every component that our shapes use."""
    assert Sieve(Index((*read(*VALID), *ontology)), Index(shapes)).suspects() == {}


def test_the_sieve_holds_back_all_that_pyshacl_finds(
    batches: list[dict[str, Triples]], shapes: Triples, shape_graph: Graph, ontology: Triples
) -> None:
    """What is found through the sieve is what pyshacl finds alone, result by result, in a part of the files."""
    looked_at = 0
    for faults in batches[:: max(1, len(batches) // 4)]:
        data = together(faults)
        alone = shacl.every_violation(reading.graph((*data, *ontology)), shape_graph)
        looked_at += len(alone)
        assert set(shacl.violations(data, shapes, ontology)) == set(alone)
    assert looked_at > 40


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_an_invalid_file_gets_the_findings_that_it_expects_and_no_others(
    path: Path, shape_graph: Graph, found: dict[str, list[shacl.Violation]]
) -> None:
    got = {(shacl.file_of(each.shape, shape_graph), each.message) for each in found[path.name]}
    wanted = expected(path)
    assert wanted
    assert {want for want in wanted if not any(want[0] == file and want[1] in text for file, text in got)} == set()
    assert {
        (file, text) for file, text in got if not any(file == want[0] and want[1] in text for want in wanted)
    } == set()


def test_every_rule_of_every_shape_is_broken_by_an_invalid_file(
    shape_graph: Graph, found: dict[str, list[shacl.Violation]]
) -> None:
    """A rule is a shape with a name and one of its constraint components."""
    components = {
        parameter: component
        for component, parameters in _components().items()
        for parameter in parameters
        if parameter not in LINKS
    }
    rules = {
        (shape, components[predicate])
        for kind in (SH.NodeShape, SH.PropertyShape)
        for shape in shape_graph.subjects(RDF.type, kind)
        for predicate in shape_graph.predicates(shape)
        if predicate in components
    }
    broken = {(each.shape, URIRef(each.component)) for each_file in found.values() for each in each_file}
    assert len(rules) > 200
    assert sorted(rules - broken) == []


def _components() -> dict[URIRef, set[URIRef]]:
    """The constraint components of SHACL and the parameters that each of them needs."""
    vocabulary = shacl._vocabulary_of_shacl()
    needed: dict[URIRef, set[URIRef]] = {}
    for component, parameter in vocabulary.subject_objects(SH.parameter):
        if (parameter, SH.optional, None) not in vocabulary:
            needed.setdefault(component, set()).update(vocabulary.objects(parameter, SH.path))
    for qualified in (SH.QualifiedMinCountConstraintComponent, SH.QualifiedMaxCountConstraintComponent):
        needed[qualified].discard(SH.qualifiedValueShape)
    return needed


def test_the_shapes_are_well_formed(shapes: Triples, ontology: Triples) -> None:
    assert shacl.check_shapes(shapes, ontology) == []


def test_the_name_of_a_shape_tells_its_file(shape_graph: Graph) -> None:
    for path in files.SHAPES.glob("*.ttl"):
        for shape in reading.graph(read(path)).subjects(RDF.type, None):
            if isinstance(shape, URIRef):
                assert shacl.file_of(shape, shape_graph) == f"shapes/{path.name}", shape


def test_every_datatype_property_of_the_ontology_has_its_values_checked(ontology: Triples) -> None:
    """A new property for dates, days, counts or codes belongs into a list of shapes/everything.ttl."""
    listed = set(reading.graph(read(files.SHAPES / "everything.ttl")).objects())
    terms = reading.graph(ontology)
    properties = set(terms.subjects(RDF.type, rdflib.OWL.DatatypeProperty))
    assert properties
    assert (
        sorted(each for each in properties - listed if not list(terms.subjects(rdflib.RDFS.subPropertyOf, each))) == []
    )


PREFIXES = """
@prefix foedus: <https://w3id.org/foedus/ontology#> .
@prefix id: <https://w3id.org/foedus/id/> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix shape: <https://w3id.org/foedus/shape/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""


def about_shape(turtle: str, ontology: Triples) -> list[Finding]:
    return shacl.check_shapes(parse(PREFIXES + turtle), ontology)


@pytest.mark.parametrize(
    ("turtle", "message", "remedy"),
    [
        (
            "shape:Membership a sh:NodeShape ; sh:targetClass foedus:Membership ; sh:property shape:membership-x ."
            ' shape:membership-x a sh:PropertyShape ; sh:path foedus:ofState ; sh:minCunt 1 ; sh:message "x"@en .',
            "sh:minCunt is not a term of SHACL.",
            "Did you mean sh:minCount?",
        ),
        (
            "shape:Membership a sh:NodeShape ; sh:targetClass foedus:Memberschip .",
            "foedus:Memberschip is not a term of the ontology.",
            "Did you mean foedus:Membership?",
        ),
        (
            "shape:membership-x a sh:PropertyShape ; sh:targetSubjectsOf foedus:ofState ;"
            ' sh:path foedus:ofStat ; sh:message "x"@en .',
            "foedus:ofStat is not a term of the ontology.",
            "Did you mean foedus:ofState?",
        ),
        (
            "shape:Membership a sh:NodeShape .",
            "No shape and no target leads to this shape.",
            "Give it a sh:targetClass.",
        ),
        (
            "shape:Membership a sh:NodeShape ; sh:targetClass foedus:Membership ;"
            " sh:property shape:membership-of-nobody .",
            "shape:membership-of-nobody is no shape that is declared.",
            "Did you mean shape:Membership?",
        ),
        (
            "shape:membership-x a sh:PropertyShape ; sh:targetClass foedus:Membership ; sh:path foedus:ofState .",
            "A shape says in English what it asks for.",
            "Give it a sh:message.",
        ),
        (
            "shape:Membership a sh:NodeShape ;"
            ' sh:targetClass foedus:Membership ; sh:sparql [ sh:select "SELEKT $this" ] .',
            "The query of the shape cannot be read",
            "Correct the SPARQL of sh:select.",
        ),
        (
            "shape:Membership a sh:NodeShape ;"
            " sh:targetClass foedus:Membership ;"
            ' sh:sparql [ sh:select "SELECT $this WHERE { $this foedus:ofStat ?x }" ] .',
            "foedus:ofStat is not a term of the ontology.",
            "Did you mean foedus:ofState?",
        ),
        (
            "shape:membership-x a sh:PropertyShape ;"
            ' sh:targetClass foedus:Membership ; sh:path foedus:ofState ; sh:minCount "one" ; sh:message "x"@en .',
            "The shape is malformed",
            "Correct the shape.",
        ),
    ],
)
def test_a_mistake_in_a_shape_is_a_finding_with_a_remedy(
    turtle: str, message: str, remedy: str, ontology: Triples
) -> None:
    findings = about_shape(turtle, ontology)
    assert [each for each in findings if message in each.message and each.remedy == remedy], findings
    assert {each.file for each in findings} == {"shapes/membership.ttl"}


@pytest.fixture(scope="module")
def few_shapes() -> Triples:
    """Enough to find something with, and quickly."""
    return read(*(files.SHAPES / f"{name}.ttl" for name in ("everything", "organ", "incident")))


def broken_world(turtle: str) -> Triples:
    return read(WORLD) + parse(PREFIXES + turtle)


def test_a_finding_names_the_file_of_the_node_and_the_file_of_the_shape(few_shapes: Triples, ontology: Triples) -> None:
    data = broken_world('id:broken a foedus:Organ ; rdfs:label "broken"@en .')
    places = {"https://w3id.org/foedus/id/broken": ("data/broken.ttl", 7)}
    assert shacl.validate(data, few_shapes, ontology, places).findings == (
        Finding(
            "data/broken.ttl",
            7,
            "id:broken",
            "An organ is the organ of exactly one organisation. (foedus:organOf is missing)",
            "See shapes/organ.ttl.",
        ),
    )


def test_a_link_to_something_that_is_described_nowhere_gets_the_nearest_name(
    few_shapes: Triples, ontology: Triples
) -> None:
    data = broken_world('id:broken a foedus:Organ ; rdfs:label "broken"@en ; foedus:organOf id:leage .')
    (finding,) = shacl.validate(data, few_shapes, ontology).findings
    assert finding.remedy == "id:leage is described nowhere. Did you mean id:league? See shapes/organ.ttl."


@pytest.mark.parametrize(
    ("turtle", "message", "remedy"),
    [
        ("id:stoa foedus:organof id:league .", "foedus:organof is no property that its ontology", "foedus:organOf?"),
        ("id:stoa a foedus:Organisaton .", "foedus:Organisaton is no class that its ontology", "foedus:Organisation?"),
        ('id:stoa rdfs:lable "Stoa"@en .', "rdfs:lable is no property that its vocabulary", "rdfs:label?"),
        ('id:chronicle-c02 foedus:minCount "04"^^xsd:integer .', "is written without plus sign", "everything.ttl"),
        ('id:stoa foedus:unattributed "1"^^xsd:boolean .', "is written true or false", "everything.ttl"),
        ('id:chronicle-c02 foedus:asOf "0300-05-02Z"^^xsd:date .', "is written without time zone", "everything.ttl"),
        (
            'id:border-war-truce foedus:effectiveAt "0300-05-03T18:00:00+00:00"^^xsd:dateTime .',
            "is written with its offset, Z for none",
            "everything.ttl",
        ),
        ('id:stoa foedus:value "1.5"^^xsd:decimal .', "is of no type that is used here", "everything.ttl"),
        ("id:academy foedus:actsFor id:league .", "id:academy is of no class", "Say what it is"),
    ],
)
def test_what_no_shape_can_say_is_a_finding_too(
    turtle: str, message: str, remedy: str, few_shapes: Triples, ontology: Triples
) -> None:
    findings = shacl.validate(broken_world(turtle), few_shapes, ontology).findings
    assert [each for each in findings if message in each.message and remedy in each.remedy], findings


def test_a_day_that_is_none_is_a_finding_where_it_cannot_be_compared(few_shapes: Triples, ontology: Triples) -> None:
    """pyshacl alone stops with a TypeError here."""
    data = broken_world('id:border-war foedus:beganEarliest "0300-05-32"^^xsd:date .')
    messages = {each.message for each in shacl.validate(data, few_shapes, ontology).findings}
    assert any(text.startswith("A date that is to be compared is a day of the calendar") for text in messages)
    assert any(text.startswith("A day is a date of the calendar") for text in messages)


def test_looking_at_nothing_is_a_finding(ontology: Triples) -> None:
    messages = {each.message for each in shacl.validate((), (), ontology).findings}
    assert messages >= {"The validation looked at no shapes.", "The validation looked at no focus nodes."}


def test_what_was_looked_at_is_counted(shapes: Triples, ontology: Triples) -> None:
    counts = {each.what: each.number for each in shacl.validate(read(WORLD), shapes, ontology).counts}
    assert counts["shapes"] > 200
    assert counts["focus nodes"] >= 40
