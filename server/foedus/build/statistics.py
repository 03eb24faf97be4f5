"""How much of what there is: VoID statistics, with partitions of classes by property as editors of SPARQL read them.

Within each class stands each property of its instances, and within that the classes and datatypes of its values. The
dataset that is counted is what all graphs hold but the one in which the counts stand.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from foedus import names

DATASET = NamedNode(names.ID + "foedus-dataset")


def term(curie: str) -> NamedNode:
    """The term called *curie*, with a prefix of ours."""
    prefix, _, local = curie.partition(":")
    return NamedNode(names.PREFIXES[prefix] + local)


def part(local: str) -> NamedNode:
    """The part of the description called *local*."""
    return NamedNode(f"{names.DESCRIPTION}#{local}")


def whole(number: int) -> Literal:
    """*number* as the dataset writes numbers."""
    return Literal(str(number), datatype=_INTEGER)


_TYPE, _LABEL, _INTEGER = term("rdf:type"), term("rdfs:label"), term("xsd:integer")
_DATASET_CLASS, _TRIPLES, _ENTITIES = term("void:Dataset"), term("void:triples"), term("void:entities")
_CLASS, _PROPERTY, _DATATYPE = term("void:class"), term("void:property"), term("void-ext:datatype")
_CLASS_PARTITION, _PROPERTY_PARTITION = term("void:classPartition"), term("void:propertyPartition")
_DATATYPE_PARTITION = term("void-ext:datatypePartition")
_SUBJECTS, _OBJECTS = term("void:distinctSubjects"), term("void:distinctObjects")

_Node = NamedNode | BlankNode
_Values = Mapping[tuple[NamedNode, NamedNode, NamedNode], int]
"""Statements by the class of their subject, their property, and the class or datatype of their value."""


def figures(graphs: Mapping[str, Iterable[Triple]]) -> Iterator[Triple]:
    """VoID's statistics of the dataset whose graphs, but for the one about it, are *graphs*."""
    every = {triple for triples in graphs.values() for triple in triples}
    by_property: defaultdict[NamedNode, list[Triple]] = defaultdict(list)
    classes_of: defaultdict[_Node, list[NamedNode]] = defaultdict(list)
    for triple in every:
        by_property[triple.predicate].append(triple)
    for triple in by_property[_TYPE]:
        if isinstance(triple.object, NamedNode):
            classes_of[_node(triple.subject)].append(triple.object)
    instances = Counter(each for classes in classes_of.values() for each in classes)
    yield Triple(DATASET, _TRIPLES, whole(len(every)))
    yield Triple(DATASET, _SUBJECTS, whole(len({triple.subject for triple in every})))
    yield Triple(DATASET, _OBJECTS, whole(len({triple.object for triple in every})))
    yield Triple(DATASET, term("void:classes"), whole(len(instances)))
    yield Triple(DATASET, term("void:properties"), whole(len(by_property)))
    for space in sorted({_namespace(each) for each in by_property}):
        # Clients take a property of any other vocabulary to be used nowhere.
        yield Triple(DATASET, term("void:vocabulary"), NamedNode(space))
    for each, number in instances.items():
        node = part(f"class-{_kebab(each)}")
        yield from _partition(DATASET, _CLASS_PARTITION, node, _CLASS, each)
        yield Triple(node, _TYPE, _DATASET_CLASS)
        yield Triple(node, _LABEL, Literal(f"Instances of {names.curie(each.value)}", language="en"))
        yield Triple(node, _ENTITIES, whole(number))
    for each, triples in by_property.items():
        node = part(f"property-{_kebab(each)}")
        yield from _partition(DATASET, _PROPERTY_PARTITION, node, _PROPERTY, each)
        yield Triple(node, _TYPE, _DATASET_CLASS)
        yield Triple(node, _LABEL, Literal(f"Statements with {names.curie(each.value)}", language="en"))
        yield Triple(node, _TRIPLES, whole(len(triples)))
        yield Triple(node, _SUBJECTS, whole(len({triple.subject for triple in triples})))
        yield Triple(node, _OBJECTS, whole(len({triple.object for triple in triples})))
    yield from _within_classes(every, classes_of)
    for iri, held in graphs.items():
        yield Triple(NamedNode(iri), _TRIPLES, whole(len(set(held))))


def linksets(links: Iterable[Triple]) -> Iterator[Triple]:
    """The sets of *links* to other datasets: one for each namespace that is linked to, and each kind of link."""
    sets: defaultdict[tuple[str, NamedNode], set[Triple]] = defaultdict(set)
    for triple in links:
        if isinstance(triple.object, NamedNode):
            sets[_namespace(triple.object), triple.predicate].add(triple)
    for (space, predicate), triples in sets.items():
        name = _words(space.partition("://")[2])
        node, target = part(f"links-{name}-{_kebab(predicate)}"), part(f"linked-{name}")
        yield Triple(DATASET, term("void:subset"), node)
        yield Triple(node, _TYPE, term("void:Linkset"))
        yield Triple(node, _LABEL, Literal(f"Links to {space} by {names.curie(predicate.value)}", language="en"))
        yield Triple(node, term("void:subjectsTarget"), DATASET)
        yield Triple(node, term("void:linkPredicate"), predicate)
        yield Triple(node, term("void:objectsTarget"), target)
        yield Triple(node, _TRIPLES, whole(len(triples)))
        yield Triple(target, _TYPE, _DATASET_CLASS)
        yield Triple(target, _LABEL, Literal(f"What is named under {space}", language="en"))
        yield Triple(target, term("void:uriSpace"), Literal(space))


def _within_classes(every: Iterable[Triple], classes_of: Mapping[_Node, list[NamedNode]]) -> Iterator[Triple]:
    """The properties of each class, and the classes and datatypes of their values."""
    properties: Counter[tuple[NamedNode, NamedNode]] = Counter()
    classes: Counter[tuple[NamedNode, NamedNode, NamedNode]] = Counter()
    datatypes: Counter[tuple[NamedNode, NamedNode, NamedNode]] = Counter()
    for triple in every:
        value = triple.object
        for each in classes_of.get(_node(triple.subject), ()):
            properties[each, triple.predicate] += 1
            if isinstance(value, Literal):
                datatypes[each, triple.predicate, value.datatype] += 1
            else:
                for of_value in classes_of.get(_node(value), ()):
                    classes[each, triple.predicate, of_value] += 1
    for (each, predicate), number in properties.items():
        node = _property_within(each, predicate)
        yield from _partition(part(f"class-{_kebab(each)}"), _PROPERTY_PARTITION, node, _PROPERTY, predicate)
        yield Triple(node, _TRIPLES, whole(number))
    yield from _values(classes, "class", _CLASS_PARTITION, _CLASS)
    yield from _values(datatypes, "datatype", _DATATYPE_PARTITION, _DATATYPE)


def _values(counted: _Values, kind: str, partition: NamedNode, says: NamedNode) -> Iterator[Triple]:
    for (each, predicate, of_value), number in counted.items():
        above = _property_within(each, predicate)
        node = NamedNode(f"{above.value}-{kind}-{_kebab(of_value)}")
        yield from _partition(above, partition, node, says, of_value)
        yield Triple(node, _TRIPLES, whole(number))


def _partition(
    above: NamedNode, partition: NamedNode, node: NamedNode, says: NamedNode, what: NamedNode
) -> Iterator[Triple]:
    """That *node* is the *partition* of *above* of which it *says* that it is of *what*."""
    yield Triple(above, partition, node)
    yield Triple(node, says, what)


def _property_within(each: NamedNode, predicate: NamedNode) -> NamedNode:
    return part(f"class-{_kebab(each)}-property-{_kebab(predicate)}")


def _node(each: object) -> _Node:
    assert isinstance(each, NamedNode | BlankNode)
    return each


def _namespace(each: NamedNode) -> str:
    """The part of its IRI that *each* shares with the other terms of its vocabulary.

    What GeoNames names ends in a slash of its own.
    """
    bare = each.value.removesuffix("/")
    return each.value[: max(bare.rfind("#"), bare.rfind("/")) + 1]


def _kebab(each: NamedNode) -> str:
    """A local name for *each*: its CURIE in kebab case."""
    return _words(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", names.curie(each.value)))


def _words(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
