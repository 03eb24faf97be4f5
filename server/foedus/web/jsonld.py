"""Readable JSON-LD: names in place of addresses, by a context made of the ontology and of the shapes of values.

The context is published at ``/context.jsonld``, and each document holds what it needs of it rather than a link to it:
so nobody needs the network, or trust in it, to know what a document says, and it says the same when the context has
changed since.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from foedus import names
from foedus.web.asking import Library, Row

MEDIA_TYPE = "application/ld+json"

LARGEST = 4 << 20
"""Bytes that are made readable: it takes many times their memory, here and not in a worker."""

_RDF, _XSD, _OWL = (names.PREFIXES[each] for each in ("rdf", "xsd", "owl"))
_TYPE, _TEXT = _RDF + "type", _RDF + "langString"
_NODES = _OWL + "ObjectProperty"
_OTHERS = {
    **dict.fromkeys(("rdfs:label", "rdfs:comment", "skos:altLabel", "skos:hiddenLabel"), "language"),
    **dict.fromkeys(("skos:definition", "skos:scopeNote", "skos:example", "dcterms:title"), "language"),
    **dict.fromkeys(("rdfs:subClassOf", "rdfs:subPropertyOf", "rdfs:seeAlso", "dcterms:license", "owl:sameAs"), "id"),
    **{f"skos:{each}Match": "id" for each in ("exact", "close", "broad", "narrow", "related")},
}
"""Terms of others that have a name of one word here, and what their values are."""

_WHOLE = re.compile(r"-?[1-9][0-9]{0,14}|0")
_PLAIN = tuple(_XSD + each for each in ("string", "integer", "boolean"))
"""Datatypes that JSON has words for."""

_FIRST = ("@id", "@type", "label")

Value = Any
"""What JSON can hold."""


@dataclass(frozen=True)
class Context:
    """The *terms*, each with its definition; by IRI, their *words*, and the *kinds* of values that go under these.

    A kind is ``id`` for things, ``language`` for texts by their language, the IRI of a datatype, or nothing.
    """

    terms: Mapping[str, Value]
    words: Mapping[str, str]
    kinds: Mapping[str, str]

    def document(self) -> bytes:
        """The whole context, as it is published."""
        return _written({"@context": {**names.PREFIXES, **self.terms}})

    def compact(self, expanded: bytes, first: str) -> bytes:
        """The document *expanded*, as the engine writes it, with names in place of IRIs; *first* is told of first.

        One that is larger than `LARGEST` stays as it is.
        """
        if len(expanded) > LARGEST:
            return expanded
        nodes: dict[str, dict[str, list[Value]]] = {}
        for each in json.loads(expanded):
            node = nodes.setdefault(each["@id"], {})
            for key, values in each.items():
                if key != "@id":
                    node.setdefault(key, []).extend(values)
        order = sorted(nodes, key=lambda iri: (iri != first, iri))
        made = [{"@id": _short(iri), **self._properties(nodes[iri])} for iri in order]
        used = set(_words(made))
        terms = {name: definition for name, definition in self.terms.items() if name in used}
        used.update(_words(terms))
        prefixes = {prefix: namespace for prefix, namespace in names.PREFIXES.items() if prefix in used}
        return _written({"@context": {**prefixes, **terms}, "@graph": made})

    def _properties(self, node: Mapping[str, list[Value]]) -> dict[str, Value]:
        """The types and properties of *node*, under their names."""
        said: dict[str, list[Value]] = {}
        texts: dict[str, dict[str, list[Value]]] = {}
        for iri, values in node.items():
            if iri == _TYPE:
                said["@type"] = [self.words.get(each["@id"]) or _short(each["@id"]) for each in values]
                continue
            name, kind = self.words.get(iri), self.kinds.get(iri, "")
            for value in values:
                if name and kind == "language" and "@language" in value:
                    texts.setdefault(name, {}).setdefault(value["@language"], []).append(value["@value"])
                else:
                    # A map of languages takes nothing else.
                    key = name if name and kind != "language" else _short(iri)
                    said.setdefault(key, []).append(_value(value, kind))
        for name, by_language in texts.items():
            said[name] = [{language: _one(sorted(each)) for language, each in sorted(by_language.items())}]
        order = sorted(said, key=lambda key: (_FIRST.index(key) if key in _FIRST else len(_FIRST), key))
        return {key: _one(sorted(said[key], key=_order)) for key in order}


def context(library: Library) -> Context:
    """The context for what *library* answers from: terms of the ontology that is served, and some of others."""
    rows = library.rows("context")
    return _made(tuple((row["term"].value, _text(row, "kind"), _text(row, "datatype")) for row in rows))


@lru_cache(maxsize=2)
def _made(rows: tuple[tuple[str, str, str], ...]) -> Context:
    """The context for terms of which *rows* give IRI, kind and datatype, any of the last two empty."""
    sorts: dict[str, set[str]] = {}
    datatypes: dict[str, set[str]] = {}
    for iri, sort, datatype in rows:
        sorts.setdefault(iri, set()).add(sort)
        datatypes.setdefault(iri, set()).add(datatype)
    named = {names.expand(name) or name: name.partition(":")[2] for name in _OTHERS}
    kinds = {names.expand(name) or name: kind for name, kind in _OTHERS.items()}
    taken = {*names.PREFIXES, *named.values()}
    for iri in sorted(sorts):
        name = iri.removeprefix(names.ONTOLOGY)
        if iri.startswith(names.ONTOLOGY) and any(sorts[iri]) and name not in taken:
            named[iri] = name
            said = datatypes[iri] - {""}
            one = said.pop() if len(said) == 1 else ""
            kinds[iri] = "id" if _NODES in sorts[iri] else "language" if one == _TEXT else "" if one in _PLAIN else one
    terms = {name: _definition(names.curie(iri), kinds[iri]) for iri, name in named.items()}
    return Context(terms, named, kinds)


def _definition(curie: str, kind: str) -> Value:
    if kind == "id":
        return {"@id": curie, "@type": "@id"}
    if kind == "language":
        return {"@id": curie, "@container": "@language"}
    return {"@id": curie, "@type": names.curie(kind)} if kind else curie


def _value(value: Mapping[str, Value], kind: str) -> Value:
    """*value* as it is written under a name for values of *kind*."""
    if "@id" in value:
        return _short(value["@id"]) if kind == "id" else {"@id": _short(value["@id"])}
    said, datatype = value["@value"], value.get("@type", "")
    # Under a name for things or days, a number or a bare text would be taken for one.
    is_plain = kind in ("", "language")
    if is_plain and datatype in _PLAIN:
        said, datatype = _native(said, datatype)
    if "@language" in value or (datatype and datatype != kind) or (not datatype and not is_plain):
        return {"@value": said, **{key: _short(value[key]) for key in ("@type", "@language") if key in value}}
    return said


def _native(said: Value, datatype: str) -> tuple[Value, str]:
    """A number or truth value in JSON's own words, and the datatype that is still to be said of it."""
    if datatype == _XSD + "integer" and _WHOLE.fullmatch(str(said)):
        return int(said), ""
    if datatype == _XSD + "boolean" and said in ("true", "false"):
        return said == "true", ""
    return said, datatype


def _words(value: Value) -> Iterator[str]:
    """Each name in *value*, whole, and what stands before its colon: what a context may have to explain."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _words(key)
            yield from _words(inner)
    elif isinstance(value, list):
        for each in value:
            yield from _words(each)
    elif isinstance(value, str):
        yield value
        yield value.partition(":")[0]


def _short(iri: str) -> str:
    name = names.curie(iri)
    return iri if name.startswith("<") else name


def _one(values: list[Value]) -> Value:
    return values[0] if len(values) == 1 else values


def _order(value: Value) -> str:
    return json.dumps(value, sort_keys=True)


def _written(content: Value) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


def _text(row: Row, key: str) -> str:
    return row[key].value if key in row else ""
