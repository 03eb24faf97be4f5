"""What a dataset says of itself is recounted here by rdflib, which shares no code with the build, and has its shape."""

import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from pyshacl import validate
from rdflib import RDF, VOID, Graph, Literal, Namespace, URIRef

from foedus import files, names
from foedus.query import tables

EXT = Namespace(names.PREFIXES["void-ext"])
DCAT = Namespace(names.PREFIXES["dcat"])
SD = Namespace(names.PREFIXES["sd"])
FOEDUS = Namespace(names.ONTOLOGY)
HERE = URIRef(names.ID + "foedus-dataset")
LINE = re.compile(r"(.*) <([^>]*)> \.")
SHAPES = Path(__file__).with_name("description-shapes.ttl")


@pytest.fixture(scope="module")
def served(dataset) -> dict[str, Graph]:
    """The graphs of the shipped dataset as rdflib reads them."""
    lines = defaultdict(list)
    for line in (dataset / "dataset.nq").read_text().splitlines():
        triple, graph = LINE.fullmatch(line).groups()
        lines[graph].append(f"{triple} .")
    return {graph: Graph().parse(data="\n".join(triples), format="nt") for graph, triples in lines.items()}


@pytest.fixture(scope="module")
def about(served) -> Graph:
    """The graph in which the dataset describes itself."""
    return served[names.ABOUT]


@pytest.fixture(scope="module")
def described(served) -> Graph:
    """What is described: the statements of all other graphs, each once."""
    union = Graph()
    for iri, graph in served.items():
        if iri != names.ABOUT:
            union += graph
    return union


@pytest.fixture(scope="module")
def classes(described) -> dict:
    """The classes of each thing that is described."""
    found = defaultdict(set)
    for thing, each in described.subject_objects(RDF.type):
        if isinstance(each, URIRef):
            found[thing].add(each)
    return found


def number(about, node, what):
    """The one number that *node* says of *what*."""
    (found,) = about.objects(node, what)
    return int(found)


def test_the_dataset_counts_its_statements_and_things(about, described, classes):
    assert number(about, HERE, VOID.triples) == len(described) > 50_000
    assert number(about, HERE, VOID.distinctSubjects) == len(set(described.subjects()))
    assert number(about, HERE, VOID.distinctObjects) == len(set(described.objects()))
    assert number(about, HERE, VOID.classes) == len(set().union(*classes.values()))
    assert number(about, HERE, VOID.properties) == len(set(described.predicates()))


def test_there_is_one_partition_for_each_class_with_its_instances(about, classes):
    said = {about.value(each, VOID["class"]): number(about, each, VOID.entities) for each in partitions(about)}
    assert said == Counter(each for found in classes.values() for each in found)
    assert len(list(partitions(about))) == len(said)


def test_there_is_one_partition_for_each_property_with_its_statements(about, described):
    triples, subjects, objects = Counter(), defaultdict(set), defaultdict(set)
    for subject, property_, value in described:
        triples[property_] += 1
        subjects[property_].add(subject)
        objects[property_].add(value)
    counted = {each: (triples[each], len(subjects[each]), len(objects[each])) for each in triples}
    asked = (VOID.triples, VOID.distinctSubjects, VOID.distinctObjects)
    nodes = list(about.objects(HERE, VOID.propertyPartition))
    said = {about.value(each, VOID.property): tuple(number(about, each, what) for what in asked) for each in nodes}
    assert said == counted
    assert len(nodes) == len(said)


def partitions(about):
    return about.objects(HERE, VOID.classPartition)


def test_each_class_has_its_properties_with_the_classes_and_datatypes_of_their_values(about, described, classes):
    triples, values = Counter(), Counter()
    for subject, property_, value in described:
        for each in classes.get(subject, ()):
            triples[each, property_] += 1
            if isinstance(value, Literal):
                plain = names.PREFIXES["xsd"] + "string"
                tagged = RDF.langString if value.language else None
                values[each, property_, tagged or value.datatype or URIRef(plain)] += 1
            else:
                values.update((each, property_, kind) for kind in classes.get(value, ()))
    said_triples, said_values = Counter(), Counter()
    for partition in partitions(about):
        of_class = about.value(partition, VOID["class"])
        for within in about.objects(partition, VOID.propertyPartition):
            of_property = about.value(within, VOID.property)
            said_triples[of_class, of_property] += number(about, within, VOID.triples)
            for each in about.objects(within, VOID.classPartition):
                said_values[of_class, of_property, about.value(each, VOID["class"])] += number(
                    about, each, VOID.triples
                )
            for each in about.objects(within, EXT.datatypePartition):
                said_values[of_class, of_property, about.value(each, EXT.datatype)] += number(about, each, VOID.triples)
    assert said_triples == triples
    assert said_values == values
    assert (FOEDUS.Signature, FOEDUS.ofState, FOEDUS.State) in values


def test_the_graphs_are_parts_with_their_sizes_and_the_description_is_none(about, served):
    parts = {each for each in about.objects(HERE, VOID.subset) if (each, RDF.type, SD.Graph) in about}
    assert parts == {URIRef(each) for each in names.GRAPHS} - {URIRef(names.ABOUT)}
    for each in parts:
        assert number(about, each, VOID.triples) == len(served[str(each)])
    assert (URIRef(names.ABOUT), RDF.type, VOID.DatasetDescription) in about


def test_each_set_of_links_is_of_one_kind_to_one_dataset(about, served):
    links = served[names.LINKS]
    total = 0
    for each in about.subjects(RDF.type, VOID.Linkset):
        space = str(about.value(about.value(each, VOID.objectsTarget), VOID.uriSpace))
        predicate = about.value(each, VOID.linkPredicate)
        counted = sum(1 for value in links.objects(None, predicate) if str(value).startswith(space))
        assert number(about, each, VOID.triples) == counted > 0
        assert about.value(each, VOID.subjectsTarget) == HERE
        total += counted
    assert total == len(links)


def test_every_vocabulary_of_a_property_is_named(about, described):
    """A client may take it that a dataset has no property of a vocabulary that it does not name."""
    named = tuple(str(each) for each in about.objects(HERE, VOID.vocabulary))
    assert [each for each in set(described.predicates()) if not str(each).startswith(named)] == []


def test_statements_lie_in_the_space_of_names_that_is_given(about, described):
    """A client may take it that there is no statement whose subject and value both have names outside of it.

    But for what makes the terms of others that we use known to reasoners.
    """
    (space,) = map(str, about.objects(HERE, VOID.uriSpace))
    outside = {
        property_
        for subject, property_, value in described
        if isinstance(subject, URIRef) and not str(subject).startswith(space)
        if isinstance(value, URIRef) and not str(value).startswith(space)
    }
    assert outside <= {RDF.type}


def test_every_table_and_dump_is_a_distribution(about):
    addresses = {str(each).rpartition("/")[2] for each in about.objects(None, DCAT.downloadURL)}
    assert addresses == {*names.DUMPS, *(f"{each}.{form}" for each in tables.NAMES for form in ("csv", "parquet"))}


def test_the_description_has_the_shape_that_we_ask_for(served, about):
    """Ours for the dataset, and those of VoID's and DCAT's terms that stand beside this file."""
    told = Graph()
    told += about
    told += served[names.ASSERTED].cbd(HERE)
    shapes = Graph().parse(files.SHAPES / "dataset.ttl").parse(SHAPES)
    conforms, _, text = validate(told, shacl_graph=shapes, advanced=False)
    assert conforms, text


def test_a_description_that_lacks_what_is_asked_for_is_found_out(served, about):
    """The shapes look at something: each of these, taken away, is missed."""
    shapes = Graph().parse(SHAPES)
    for what in (VOID.triples, DCAT.endpointURL, DCAT.mediaType, SD.resultFormat, VOID.linkPredicate, VOID.entities):
        told = Graph()
        told += about
        told.remove((None, what, None))
        assert not validate(told, shacl_graph=shapes, advanced=False)[0], what
