"""Whether a rule can conclude anything new from what has been concluded since it ran last.

A rule concludes something new only where a new statement stands for one of its patterns. So each new statement is held
against each pattern with its property: its subject and its object must have all that the rule asks of them besides.
Where that cannot be told, the rule runs: to run one in vain is waste, and to leave one out would be wrong.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, Store, Triple, parse

_Pattern = tuple[str, frozenset[str] | None, str, tuple[str, ...]]
"""Subject, the properties that may stand between, None for any, object, and what the object can be, none for any."""
_Mark = dict[bytes, int]
_Told = dict[tuple[int, str, bytes], bool]
"""Whether a term can stand for a variable of a group, by the group's number."""
_NEGATION = re.compile(r"\bNOT\s+EXISTS\b|!\s*EXISTS\b|\bMINUS\b|\bOPTIONAL\b", re.IGNORECASE)
_OF_IRIS = re.compile(r"VALUES\s+\S+\s*\{(?:\s*<[^<>\s]+>)*\s*\}")
_IRI = re.compile(r"<([^<>\s]+)>")


@dataclass
class News:
    """The conclusions of a stratum, lines of N-Triples, in the order in which they came, by property."""

    by_property: defaultdict[bytes, list[bytes]] = field(default_factory=lambda: defaultdict(list))

    def add(self, lines: Iterable[bytes]) -> None:
        for line in lines:
            self.by_property[line.split(b" ", 2)[1]].append(line)

    def mark(self) -> _Mark:
        """How far the news have come."""
        return {property_: len(lines) for property_, lines in self.by_property.items()}

    def since(self, mark: _Mark) -> Iterator[tuple[str, Sequence[bytes]]]:
        """What has come after *mark*, property by property."""
        for property_, lines in self.by_property.items():
            if len(lines) > mark.get(property_, 0):
                yield property_[1:-1].decode(), lines[mark.get(property_, 0) :]


class Needs:
    """What the WHERE of a rule, as the rulebook has it, needs of statements."""

    def __init__(self, where: Sequence[dict[str, Any]]) -> None:
        self.groups = list(_groups(where, ()))
        self.anyway = set(_negated_twice(where))
        """Properties of which a new statement may undo what keeps the rule from concluding."""

    def touched(self, news: News, mark: _Mark, store: Store) -> bool:
        """Whether something that came after *mark* may make the rule conclude something new."""
        told: _Told = {}
        for property_, lines in news.since(mark):
            if property_ in self.anyway:
                return True
            for number, (own, required) in enumerate(self.groups):
                for pattern in own:
                    if pattern[1] is not None and property_ not in pattern[1]:
                        continue
                    if _stand(lines, pattern, number, required, store, told):
                        return True
        return False


def _groups(
    elements: Sequence[dict[str, Any]], outer: tuple[_Pattern, ...]
) -> Iterator[tuple[list[_Pattern], tuple[_Pattern, ...]]]:
    """The patterns of each group, with all patterns that hold wherever the group does."""
    own = _own(elements)
    required = (*outer, *own)
    # Two EXISTS may use one name for two things, so that what the one finds says nothing about the inside of the other.
    yield own, (*required, *(pattern for each in elements for pattern in _own(each.get("exists", ()))))
    for each in elements:
        for key in ("exists", "group", "optional"):
            if key in each:
                yield from _groups(each[key], required)
        for group in each.get("union", ()):
            yield from _groups(group, required)
        if "select" in each:
            # Its variables are its own, though they may be called like those outside.
            yield from _groups(each["select"], ())


def _own(elements: Sequence[dict[str, Any]]) -> list[_Pattern]:
    """The patterns of the group of *elements* itself."""
    listed = {each["variables"][0]: each["values"] for each in elements if len(each.get("variables", ())) == 1}
    triples = [triple for each in elements for triple in each.get("triples", ())]
    return [(s, _properties(p, listed), o, _objects(o, listed)) for s, p, o in triples]


def _properties(term: str, listed: dict[str, str]) -> frozenset[str] | None:
    """The properties that *term* of a pattern can be, by the VALUES that are *listed* for it where it is a variable."""
    if term.startswith("<"):
        return frozenset((term[1:-1],))
    values = listed.get(term, "UNDEF")
    return None if "UNDEF" in values or '"' in values else frozenset(_IRI.findall(values))


def _objects(term: str, listed: dict[str, str]) -> tuple[str, ...]:
    """What *term* of a pattern can be: itself, or the IRIs that are *listed* for it; none where it can be anything."""
    if not term.startswith("?"):
        return (term,)
    values = listed.get(term, "")
    return tuple(f"<{each}>" for each in _IRI.findall(values)) if _OF_IRIS.fullmatch(values) else ()


def _negated_twice(elements: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The properties and classes in the inner one of two nested NOT EXISTS, MINUS or OPTIONAL, and in expressions."""
    for each in elements:
        if "absent" in each and len(found := list(_NEGATION.finditer(each["absent"]))) > 1:
            yield from _IRI.findall(each["absent"], found[1].start())
        texts = (each.get("filter", ""), each.get("bind", ""))
        yield from (iri for text in texts if "EXISTS" in text.upper() for iri in _IRI.findall(text))
        for group in (
            *(each[key] for key in ("exists", "group", "optional", "select") if key in each),
            *each.get("union", ()),
        ):
            yield from _negated_twice(group)


def _stand(
    lines: Sequence[bytes], pattern: _Pattern, number: int, required: tuple[_Pattern, ...], store: Store, told: _Told
) -> bool:
    """Whether one of *lines*, of a property that *pattern* can have, can stand for it: its subject and its object have
    what is *required* of them in the group *number*. What is found out of a term goes to *told*."""
    subject, _, value, values = pattern
    start = f"{subject} ".encode() if not subject.startswith("?") else b""
    ends = tuple(f" {each} .".encode() for each in values) or b""
    for line in lines:
        if not line.startswith(start) or not line.endswith(ends):
            continue
        first, _, rest = line.split(b" ", 2)
        for variable, term in ((subject, first), (value, rest[:-2])):
            if not variable.startswith("?"):
                continue
            key = (number, variable, term)
            if key not in told:
                told[key] = _has(variable, term, line, required, store)
            if not told[key]:
                break
        else:
            return True
    return False


def _has(variable: str, written: bytes, line: bytes, required: tuple[_Pattern, ...], store: Store) -> bool:
    """Whether the term *written*, an end of *line*, can be *variable*: it has a statement for each of *required*."""
    named = written.startswith(b"<")
    term = NamedNode(written[1:-1].decode()) if named else next(parse(line, RdfFormat.N_TRIPLES)).object
    for s, p, o, values in required:
        if p is None or variable not in (s, o):
            continue
        if s == variable and not isinstance(term, NamedNode):
            return False
        ends: Sequence[NamedNode | Literal | BlankNode | Triple | None] = [term]
        subject = None
        if s == variable and isinstance(term, NamedNode):
            subject = term
            ends = [NamedNode(each[1:-1]) for each in values if each.startswith("<")] or [None]
        looks = (store.quads_for_pattern(subject, NamedNode(each), end, None) for each in p for end in ends)
        if not any(next(look, None) for look in looks):
            return False
    return True
