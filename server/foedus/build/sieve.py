"""Tell which nodes conform to the shapes for certain, so that a full validator need only look at the others.

A full validator takes milliseconds for a node, and nearly every node conforms. The sieve knows the components of SHACL
that our shapes use, and lets a node pass only where it is certain that no result would be reported. Whatever it does
not know (another component, a literal written in an unusual way, a query of another form) it leaves to the validator.
"""

import datetime
import re
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from functools import cached_property
from typing import TypeVar

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, Store, Triple

from foedus import names

Term = NamedNode | BlankNode | Literal | Triple
"""What stands at the ends of a statement."""

_SH = names.PREFIXES["sh"]
_RDF = names.PREFIXES["rdf"]
_RDFS = names.PREFIXES["rdfs"]
_XSD = names.PREFIXES["xsd"]


def _sh(local: str) -> NamedNode:
    return NamedNode(_SH + local)


_TYPE, _FIRST, _REST, _NIL = (NamedNode(_RDF + local) for local in ("type", "first", "rest", "nil"))
_SUBCLASS = NamedNode(_RDFS + "subClassOf")
_CLASSES = (NamedNode(_RDFS + "Class"), NamedNode(names.PREFIXES["owl"] + "Class"))
_PATH, _DEACTIVATED, _FLAGS = _sh("path"), _sh("deactivated"), _sh("flags")
_PREFIXES, _DECLARE, _PREFIX, _NAMESPACE, _SELECT = map(_sh, ("prefixes", "declare", "prefix", "namespace", "select"))

TARGETS = tuple(map(_sh, ("targetClass", "targetNode", "targetSubjectsOf", "targetObjectsOf")))
"""The predicates by which a shape says which nodes it is about."""

# What stands on a shape and constrains nothing by itself.
_SILENT = frozenset(
    (
        *TARGETS,
        *map(_sh, ("path", "message", "name", "description", "severity", "order", "group", "flags", "deactivated")),
        *map(_sh, ("qualifiedMinCount", "qualifiedMaxCount", "ignoredProperties")),
    )
)

_STRINGS = frozenset((_XSD + "string", _RDF + "langString"))
# Python takes no number of thousands of digits.
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,999}")
# Spellings of which every processor knows that they are well typed, if the day is one of the calendar.
_CERTAIN = {
    _XSD + "integer": _WHOLE,
    _XSD + "boolean": re.compile(r"true|false"),
    _XSD + "date": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    _XSD + "dateTime": re.compile(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3])(:[0-5][0-9]){2}(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9])"
    ),
    _XSD + "anyURI": re.compile(r"[A-Za-z]+:[^\s<>\"{}|^`\\]+"),
}
_CALENDAR = frozenset((_XSD + "date", _XSD + "dateTime"))
_QUERY = re.compile(r"\s*SELECT\s+(?:DISTINCT\s+)?(?:[?$]\w+\s*)+(?:WHERE\s*)?(\{.*\})\s*", re.DOTALL | re.IGNORECASE)
_BEYOND = re.compile(r"\bSELECT\b|\bSERVICE\b|[?$](?:PATH|shapesGraph|currentShape)\b|#", re.IGNORECASE)
_THIS = re.compile(r"[?$]this\b")
_MOST_DEPTH = 40

_Any = TypeVar("_Any")
_Check = Callable[[Term, Collection[Term]], bool]
"""Whether a focus node and its value nodes meet one component of a shape."""
_Step = Callable[[Term], Collection[Term]]
"""The nodes that a path leads to."""


class _Unsure(Exception):
    """The sieve cannot tell; the message says of what."""


class Index:
    """Statements by subject and predicate, and backwards, each once."""

    def __init__(self, triples: Iterable[Triple]) -> None:
        self.triples = tuple(dict.fromkeys(triples))
        self.out: dict[Term, dict[NamedNode, list[Term]]] = {}
        self._into: dict[NamedNode, dict[Term, list[Term]]] = {}
        self._kinds: dict[Term, frozenset[Term]] = {}
        for triple in self.triples:
            self.out.setdefault(triple.subject, {}).setdefault(triple.predicate, []).append(triple.object)

    def objects(self, subject: Term, predicate: NamedNode) -> list[Term]:
        found = self.out.get(subject)
        return [] if found is None else found.get(predicate, [])

    def subjects(self, predicate: NamedNode, value: Term) -> list[Term]:
        return self.by_object(predicate).get(value, [])

    def by_object(self, predicate: NamedNode) -> Mapping[Term, list[Term]]:
        """The objects of *predicate*, each with its subjects."""
        if predicate not in self._into:
            found: dict[Term, list[Term]] = {}
            for subject, described in self.out.items():
                for value in described.get(predicate, ()):
                    found.setdefault(value, []).append(subject)
            self._into[predicate] = found
        return self._into[predicate]

    def kinds(self, node: Term) -> Iterator[Term]:
        """The classes of *node*, and those above them."""
        for kind in self.objects(node, _TYPE):
            yield from self._above(kind)

    def instances(self, kind: Term) -> Iterator[Term]:
        """The nodes of the class *kind* and of those below it."""
        for below in _reached([kind], lambda each: self.subjects(_SUBCLASS, each)):
            yield from self.subjects(_TYPE, below)

    def members(self, head: Term) -> list[Term]:
        """The members of the list that begins at *head*."""
        found: list[Term] = []
        seen: set[Term] = set()
        while head != _NIL:
            first, rest = self.objects(head, _FIRST), self.objects(head, _REST)
            if len(first) != 1 or len(rest) != 1 or head in seen:
                raise _Unsure("a malformed list")
            seen.add(head)
            found += first
            head = rest[0]
        return found

    @cached_property
    def store(self) -> Store:
        """The statements for queries, in the default graph."""
        store = Store()
        store.bulk_extend(Quad(each.subject, each.predicate, each.object) for each in self.triples)
        return store

    def _above(self, kind: Term) -> frozenset[Term]:
        if kind not in self._kinds:
            self._kinds[kind] = frozenset(_reached([kind], lambda each: self.objects(each, _SUBCLASS)))
        return self._kinds[kind]


class Sieve:
    """Holds the nodes of *data* against *shapes*."""

    def __init__(self, data: Index, shapes: Index, ask: Callable[[str], bool] | None = None) -> None:
        """*ask* answers an ASK query over *data*, where somebody has a store of it already."""
        self.data = data
        self.shapes = shapes
        self.ask = ask or (lambda query: bool(data.store.query(query)))
        self._compiled: dict[Term, _Shape] = {}

    def focus_nodes(self) -> set[Term]:
        """Every node that a shape is about."""
        return {node for _, nodes in self._targets() for node in nodes}

    def suspects(self, only: Container[Term] | None = None) -> dict[Term, list[Term]]:
        """The shapes with the nodes, of *only* if given, that they are about and that may not conform."""
        found: dict[Term, list[Term]] = {}
        for shape, nodes in self._targets():
            suspicious = [
                node for node in nodes if (only is None or node in only) and not self.surely_conforms(shape, node)
            ]
            if suspicious:
                found[shape] = suspicious
        return found

    def surely_conforms(self, shape: Term, node: Term) -> bool:
        """Whether *node* conforms to *shape* for certain."""
        try:
            return self._conforms(shape, node, 0)
        except _Unsure:
            return False

    def _targets(self) -> Iterator[tuple[Term, dict[Term, None]]]:
        for shape, described in self.shapes.out.items():
            found: dict[Term, None] = {}
            by_class, by_node, by_subject, by_object = (described.get(target, ()) for target in TARGETS)
            kinds = list(by_class)
            if any(kind in _CLASSES for kind in described.get(_TYPE, ())):
                kinds.append(shape)
            for kind in kinds:
                found.update(dict.fromkeys(self.data.instances(kind)))
            found.update(dict.fromkeys(by_node))
            for predicate in by_subject:
                found.update(
                    dict.fromkeys(node for node, predicates in self.data.out.items() if predicate in predicates)
                )
            for predicate in by_object:
                if isinstance(predicate, NamedNode):
                    found.update(dict.fromkeys(self.data.by_object(predicate)))
            if found:
                yield shape, found

    def _conforms(self, shape: Term, node: Term, depth: int) -> bool:
        if depth > _MOST_DEPTH:
            raise _Unsure("shapes that lead to one another")
        if shape not in self._compiled:
            self._compiled[shape] = _Shape(self, shape)
        return self._compiled[shape].conforms(node, depth)


class _Shape:
    """One shape, ready to be asked often."""

    def __init__(self, sieve: Sieve, shape: Term) -> None:
        self.sieve = sieve
        self.data, self.shapes = sieve.data, sieve.shapes
        self.described = sieve.shapes.out.get(shape, {})
        self.depth = 0
        self.unsure = ""
        self.path: _Step | None = None
        self.checks: list[_Check] = []
        try:
            if not self.described:
                raise _Unsure("a shape that is nowhere")
            if any(_lexical(value) != "false" for value in self.described.get(_DEACTIVATED, ())):
                raise _Unsure("a deactivated shape")
            paths = self.described.get(_PATH)
            if paths:
                self.path = self._step(_one(paths))
            self.checks = [
                check for predicate, values in self.described.items() for check in self._of(predicate, values)
            ]
        except _Unsure as unsure:
            self.unsure = str(unsure)

    def conforms(self, node: Term, depth: int) -> bool:
        if self.unsure:
            raise _Unsure(self.unsure)
        values = self.path(node) if self.path else (node,)
        before, self.depth = self.depth, depth
        try:
            return all(check(node, values) for check in self.checks)
        finally:
            self.depth = before

    def _holds(self, shape: Term, node: Term) -> bool:
        return self.sieve._conforms(shape, node, self.depth + 1)

    def _of(self, predicate: NamedNode, values: list[Term]) -> Iterator[_Check]:
        """The checks of one component, with all *values* that the shape gives for its parameter."""
        if not predicate.value.startswith(_SH) or predicate in _SILENT:
            return
        make = _COMPONENTS.get(predicate.value.removeprefix(_SH))
        if make is None:
            raise _Unsure(f"the component {predicate}")
        for value in values:
            yield make(self, value)

    # --- paths --------------------------------------------------------------------------------------------------------

    def _step(self, path: Term) -> _Step:
        if isinstance(path, NamedNode):
            return lambda node: self.data.objects(node, path)
        described = self.shapes.out.get(path, {})
        if _FIRST in described:
            steps = [self._step(each) for each in self.shapes.members(path)]
            return lambda node: _through(steps, node)
        kind, values = _one(list(described.items()))
        inner = _one(values)
        if kind == _sh("alternativePath"):
            branches = [self._step(each) for each in self.shapes.members(inner)]
            return lambda node: list(dict.fromkeys(each for branch in branches for each in branch(node)))
        if kind == _sh("inversePath") and isinstance(inner, NamedNode):
            return lambda node: self.data.subjects(inner, node)
        step = self._step(inner)
        if kind == _sh("zeroOrMorePath"):
            return lambda node: _reached([node], step)
        if kind == _sh("oneOrMorePath"):
            return lambda node: _reached(step(node), step)
        raise _Unsure("a path")

    # --- components ---------------------------------------------------------------------------------------------------

    def _class(self, value: Term) -> _Check:
        return lambda _, values: all(
            not isinstance(each, Literal) and any(kind == value for kind in self.data.kinds(each)) for each in values
        )

    def _datatype(self, value: Term) -> _Check:
        wanted = _iri(value)
        if wanted not in _STRINGS and wanted not in _CERTAIN:
            raise _Unsure("a datatype")
        return lambda _, values: all(_is_of(each, wanted) for each in values)

    def _node_kind(self, value: Term) -> _Check:
        kinds = {"IRI": NamedNode, "BlankNode": BlankNode, "Literal": Literal}
        wanted = _iri(value).removeprefix(_SH)
        allowed = tuple(kind for name, kind in kinds.items() if name in re.split(r"Or(?=[A-Z])", wanted))
        if not allowed:
            raise _Unsure("a kind of node")
        return lambda _, values: all(isinstance(each, allowed) for each in values)

    def _min_count(self, value: Term) -> _Check:
        least = _number(value)
        return lambda _, values: len(values) >= least

    def _max_count(self, value: Term) -> _Check:
        most = _number(value)
        return lambda _, values: len(values) <= most

    def _min_inclusive(self, value: Term) -> _Check:
        least = _number(value)
        return lambda _, values: all(_number(each) >= least for each in values)

    def _max_inclusive(self, value: Term) -> _Check:
        most = _number(value)
        return lambda _, values: all(_number(each) <= most for each in values)

    def _pattern(self, value: Term) -> _Check:
        flags = "".join(_lexical(each) for each in self.described.get(_FLAGS, ()))
        if set(flags) - set("ims"):
            raise _Unsure("a flag")
        # pyshacl takes no notice of s, by which a dot would be a line's end as well; what it would refuse, this does.
        pattern = re.compile(_lexical(value), (re.I if "i" in flags else 0) | (re.M if "m" in flags else 0))

        def check(_: Term, values: Collection[Term]) -> bool:
            return all(not isinstance(each, BlankNode) and bool(pattern.search(_lexical(each))) for each in values)

        return check

    def _language_in(self, value: Term) -> _Check:
        ranges = {_lexical(each).lower() for each in self.shapes.members(value)}
        if "*" in ranges:
            raise _Unsure("any language")
        return lambda _, values: all(
            isinstance(each, Literal)
            and each.language is not None
            and (each.language.lower() in ranges or each.language.lower().split("-")[0] in ranges)
            for each in values
        )

    def _unique_lang(self, value: Term) -> _Check:
        if _lexical(value) != "true":
            raise _Unsure("languages that may come again")

        def check(_: Term, values: Collection[Term]) -> bool:
            tags = [each.language.lower() for each in values if isinstance(each, Literal) and each.language]
            return len(tags) == len(set(tags))

        return check

    def _equals(self, value: Term) -> _Check:
        other = NamedNode(_iri(value))
        return lambda node, values: set(values) == set(self.data.objects(node, other))

    def _disjoint(self, value: Term) -> _Check:
        other = NamedNode(_iri(value))
        return lambda node, values: set(values).isdisjoint(self.data.objects(node, other))

    def _less_than(self, value: Term) -> _Check:
        other = NamedNode(_iri(value))
        return lambda node, values: all(
            _compared(each, than) < 0 for each in values for than in self.data.objects(node, other)
        )

    def _less_than_or_equals(self, value: Term) -> _Check:
        other = NamedNode(_iri(value))
        return lambda node, values: all(
            _compared(each, than) <= 0 for each in values for than in self.data.objects(node, other)
        )

    def _not(self, value: Term) -> _Check:
        return lambda _, values: not any(self._holds(value, each) for each in values)

    def _and(self, value: Term) -> _Check:
        parts = self.shapes.members(value)
        return lambda _, values: all(self._holds(part, each) for each in values for part in parts)

    def _or(self, value: Term) -> _Check:
        parts = self.shapes.members(value)
        return lambda _, values: all(any(self._holds(part, each) for part in parts) for each in values)

    def _xone(self, value: Term) -> _Check:
        parts = self.shapes.members(value)
        return lambda _, values: all(sum(self._holds(part, each) for part in parts) == 1 for each in values)

    def _node(self, value: Term) -> _Check:
        return lambda _, values: all(self._holds(value, each) for each in values)

    def _qualified(self, value: Term) -> _Check:
        least = [_number(each) for each in self.described.get(_sh("qualifiedMinCount"), ())]
        most = [_number(each) for each in self.described.get(_sh("qualifiedMaxCount"), ())]

        def check(_: Term, values: Collection[Term]) -> bool:
            number = sum(self._holds(value, each) for each in values)
            return all(number >= each for each in least) and all(number <= each for each in most)

        return check

    def _closed(self, value: Term) -> _Check:
        if _lexical(value) != "true" or _sh("ignoredProperties") in self.described:
            raise _Unsure("a shape that is closed in part")
        allowed = {
            path for shape in self.described.get(_sh("property"), ()) for path in self.shapes.objects(shape, _PATH)
        }
        return lambda _, values: all(allowed.issuperset(self.data.out.get(each, ())) for each in values)

    def _has_value(self, value: Term) -> _Check:
        return lambda _, values: value in values

    def _in(self, value: Term) -> _Check:
        allowed = set(self.shapes.members(value))
        return lambda _, values: allowed.issuperset(values)

    def _sparql(self, value: Term) -> _Check:
        described = self.shapes.out.get(value, {})
        text = _lexical(_one(described.get(_SELECT, [])))
        query = _QUERY.fullmatch(text)
        if query is None or _BEYOND.search(query[1]) or _DEACTIVATED in described or self.path:
            raise _Unsure("a query")
        declared = [
            f"PREFIX {_lexical(_one(self.shapes.objects(each, _PREFIX)))}: "
            f"<{_lexical(_one(self.shapes.objects(each, _NAMESPACE)))}>\n"
            for table in described.get(_PREFIXES, ())
            for each in self.shapes.objects(table, _DECLARE)
        ]
        before, *after = _THIS.split("".join(declared) + "ASK " + query[1])

        def check(node: Term, _: Collection[Term]) -> bool:
            if not isinstance(node, NamedNode):
                raise _Unsure("a query about no named node")
            try:
                # SHACL binds $this before the query is read: the name stands wherever the variable stood.
                return not self.sieve.ask(str(node).join((before, *after)))
            except SyntaxError as error:
                raise _Unsure("a malformed query") from error

        return check


_COMPONENTS: Mapping[str, Callable[[_Shape, Term], _Check]] = {
    "class": _Shape._class,
    "datatype": _Shape._datatype,
    "nodeKind": _Shape._node_kind,
    "minCount": _Shape._min_count,
    "maxCount": _Shape._max_count,
    "minInclusive": _Shape._min_inclusive,
    "maxInclusive": _Shape._max_inclusive,
    "pattern": _Shape._pattern,
    "languageIn": _Shape._language_in,
    "uniqueLang": _Shape._unique_lang,
    "equals": _Shape._equals,
    "disjoint": _Shape._disjoint,
    "lessThan": _Shape._less_than,
    "lessThanOrEquals": _Shape._less_than_or_equals,
    "not": _Shape._not,
    "and": _Shape._and,
    "or": _Shape._or,
    "xone": _Shape._xone,
    "node": _Shape._node,
    "property": _Shape._node,
    "qualifiedValueShape": _Shape._qualified,
    "closed": _Shape._closed,
    "hasValue": _Shape._has_value,
    "in": _Shape._in,
    "sparql": _Shape._sparql,
}


def _reached(starts: Iterable[Term], step: _Step) -> list[Term]:
    """*starts* and all that repeated steps lead to."""
    found = dict.fromkeys(starts)
    waiting = list(found)
    while waiting:
        for each in step(waiting.pop()):
            if each not in found:
                found[each] = None
                waiting.append(each)
    return list(found)


def _through(steps: Iterable[_Step], node: Term) -> list[Term]:
    """What the *steps* lead to from *node*, one after the other."""
    nodes = [node]
    for step in steps:
        nodes = list(dict.fromkeys(each for before in nodes for each in step(before)))
    return nodes


def _one(values: list[_Any]) -> _Any:
    if len(values) != 1:
        raise _Unsure("a parameter that is not given once")
    return values[0]


def _iri(term: Term) -> str:
    if not isinstance(term, NamedNode):
        raise _Unsure("a parameter that is no IRI")
    return term.value


def _lexical(term: Term) -> str:
    if isinstance(term, Literal | NamedNode):
        return term.value
    raise _Unsure("a node without a text")


def _number(term: Term) -> int:
    if isinstance(term, Literal) and term.datatype.value == _XSD + "integer" and _WHOLE.fullmatch(term.value):
        return int(term.value)
    raise _Unsure("a number")


def _is_of(term: Term, datatype: str) -> bool:
    """Whether *term* is a literal of *datatype*, and well typed."""
    if not isinstance(term, Literal) or term.datatype.value != datatype:
        return False
    if datatype in _STRINGS:
        return True
    if not _CERTAIN[datatype].fullmatch(term.value) or (datatype in _CALENDAR and not _is_day(term.value[:10])):
        raise _Unsure("a literal")
    return True


def _is_day(text: str) -> bool:
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _compared(one: Term, other: Term) -> int:
    """Below, at or above zero as *one* is less than, equal to or greater than *other*."""
    if not isinstance(one, Literal) or not isinstance(other, Literal) or one.datatype != other.datatype:
        raise _Unsure("two nodes that cannot be compared")
    kind = one.datatype.value
    if kind not in (_XSD + "date", _XSD + "integer") or not (_is_of(one, kind) and _is_of(other, kind)):
        raise _Unsure("two literals")
    if kind.endswith("date"):
        return (one.value > other.value) - (one.value < other.value)
    return int(one.value) - int(other.value)
