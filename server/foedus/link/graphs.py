"""Entities of Wikidata as RDF: statement nodes with rank, qualifiers, time values and references, or truthy triples.

The form is that of the RDF dump, of which the data of query services are a part:
https://www.mediawiki.org/wiki/Wikibase/Indexing/RDF_Dump_Format.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyoxigraph

from foedus.errors import CannotRead
from foedus.link.wikidata import (
    DAY,
    END,
    IDENTIFIERS,
    LABELS,
    PROPERTIES,
    START,
    TIMES,
    UNKNOWN,
    YEAR,
    Item,
    Reading,
    Statement,
    Time,
    Trouble,
    day_of,
    named_day,
    plain,
    qid_of,
    spanned,
    statement_id,
    time_of,
)

_PROP = "http://www.wikidata.org/prop/"
_WIKIBASE = "http://wikiba.se/ontology#"
_RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
_ALIAS = "http://www.w3.org/2004/02/skos/core#altLabel"
_SAME = "http://www.w3.org/2002/07/owl#sameAs"
_ABOUT = "http://schema.org/about"
_MODIFIED = "http://schema.org/dateModified"
_DERIVED = "http://www.w3.org/ns/prov#wasDerivedFrom"

_About = Mapping[str, list[Any]]
_Triples = Mapping[str, _About]


class Graph:
    """Triples by subject and predicate, and the items that they describe."""

    def __init__(self, triples: Iterable[tuple[Any, Any, Any]]) -> None:
        self._triples: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
        for subject, predicate, value in triples:
            values = self._triples[str(getattr(subject, "value", subject))][predicate.value]
            if hasattr(value, "value") and value not in values[-1:]:
                values.append(value)
        self._declared = dict(self._counts())

    @property
    def day(self) -> int | None:
        """The day on which the last of its entities was changed."""
        days = (day_of(each.value) for about in self._triples.values() for each in about.get(_MODIFIED, ()))
        return max((day for day in days if day), default=None)

    def items(self, file: str, troubles: list[Trouble]) -> Iterator[Item]:
        """Each item that something is said of; what of it cannot be read is added to *troubles*."""
        for iri, about in list(self._triples.items()):
            qid, types = qid_of(iri), {value.value for value in about.get(_RDF_TYPE, ())}
            told = (_SAME, _LABEL, _MODIFIED, *_predicates("", "direct/"))
            if qid and (_WIKIBASE + "Item" in types or not about.keys().isdisjoint(told)):
                yield self._item(file, qid, iri, about, troubles)

    def _item(self, file: str, qid: str, iri: str, about: _About, troubles: list[Trouble]) -> Item:
        heirs = [qid_of(each.value) for each in about.get(_SAME, ())]
        if any(heirs):
            return Item(qid, redirect=next(filter(None, heirs)))
        declared = self._declared.get(iri, 0)
        given = sum(len(set(map(str, values))) for name, values in about.items() if _is_statement(name))
        everything = given >= declared > 0
        statements: list[Statement] = []
        whole: set[str] = set()
        for name in PROPERTIES:
            nodes = list(dict.fromkeys(each.value for each in about.get(_PROP + name, ())))
            found = list(self._statements(file, qid, name, nodes, troubles))
            statements += found or _truthy(qid, name, about.get(f"{_PROP}direct/{name}", ()))
            if len(found) == len(nodes) and (everything or (nodes and given >= declared)):
                whole.add(name)
        if given < declared:
            message = f"{given} of the item's {declared} statements are here."
            troubles.append(Trouble(file, qid, message, "What is missing there is not told for it."))
        labels, aliases = _texts(about.get(_LABEL, ())), _texts(about.get(_ALIAS, ()))
        if everything:
            whole.add(LABELS)
        only = {language: found[0] for language, found in labels.items()}
        codes = {
            name: tuple(dict.fromkeys(plain(each.value) for each in about.get(f"{_PROP}direct/{name}", ())))
            for name in IDENTIFIERS
            if f"{_PROP}direct/{name}" in about
        }
        return Item(qid, tuple(statements), frozenset(whole), only, aliases, codes)

    def _statements(
        self, file: str, qid: str, name: str, nodes: Iterable[str], troubles: list[Trouble]
    ) -> Iterator[Statement]:
        for node in nodes:
            place = statement_id(node.rpartition("/")[2])
            try:
                yield self._statement(qid, name, place, self._triples.get(node, {}))
            except (ValueError, LookupError):
                troubles.append(Trouble(file, f"{qid}, {place}", "The statement is not whole.", "Fetch it again."))
            except CannotRead as error:
                troubles.append(Trouble(file, f"{qid}, {place}", error.message, error.remedy))

    def _statement(self, qid: str, name: str, place: str, about: _About) -> Statement:
        values = about.get(f"{_PROP}statement/{name}", ())
        is_time = name in TIMES
        ranks = sorted(each.value.removeprefix(_WIKIBASE) for each in about[_WIKIBASE + "rank"])
        return Statement(
            item=qid,
            property=name,
            target="" if is_time else next((qid_of(each.value) for each in values), ""),
            place=place,
            time=self._times(f"statement/{{}}{name}", about) if is_time else None,
            rank=plain(ranks[0].removesuffix("Rank").lower()),
            begin=self._times(f"qualifier/{{}}{START}", about),
            end=self._times(f"qualifier/{{}}{END}", about),
            references=len({each.value for each in about.get(_DERIVED, ())}),
        )

    def _times(self, predicate: str, about: _About) -> Time | None:
        """The times under *predicate*, in which braces stand for the way to a value's node."""
        times = []
        nodes = [self._triples.get(each.value, {}) for each in about.get(_PROP + predicate.format("value/"), ())]
        for node in nodes:
            precision = int(node[_WIKIBASE + "timePrecision"][0].value)
            times.append(time_of(_signed(node[_WIKIBASE + "timeValue"][0].value), precision))
        for value in about.get(_PROP + predicate.format(""), ()):
            if not isinstance(value, pyoxigraph.Literal):
                times.append(UNKNOWN)
            elif not nodes:
                times.append(_simple(value.value))
        return spanned(times)

    def _counts(self) -> Iterator[tuple[str, int]]:
        """How many statements items have, as far as the graph says of them or of their documents."""
        for subject, about in self._triples.items():
            for number in about.get(_WIKIBASE + "statements", ()):
                for iri in (subject, *(each.value for each in about.get(_ABOUT, ()))):
                    yield iri, int(number.value) if number.value.isdecimal() else 0


def read(path: Path, text: str) -> Reading:
    """The entities in Turtle or N-Triples; of a property without statement nodes, the truthy statements."""
    form = pyoxigraph.RdfFormat.N_TRIPLES if path.suffix.lower() == ".nt" else pyoxigraph.RdfFormat.TURTLE
    try:
        quads = pyoxigraph.parse(input=text.encode(), format=form, base_iri="http://www.wikidata.org/")
        graph = Graph((each.subject, each.predicate, each.object) for each in quads)
    except SyntaxError as error:
        # What stands before the fault may lack its qualifiers: nothing of it is used.
        where = f"line {error.lineno}" if error.lineno else ""
        raise CannotRead(f"The RDF is malformed or breaks off ({where or error.msg}).", "Fetch it again.") from error
    troubles: list[Trouble] = []
    items = tuple(graph.items(str(path), troubles))
    return Reading(str(path), items, tuple(troubles), named_day(path) or graph.day, False)


def _predicates(*ways: str) -> Iterator[str]:
    return (_PROP + way + name for way in ways for name in PROPERTIES)


def _is_statement(predicate: str) -> bool:
    return re.fullmatch(re.escape(_PROP) + r"P\d+", predicate) is not None


def _truthy(qid: str, name: str, values: Iterable[Any]) -> list[Statement]:
    found: list[Statement] = []
    for value in dict.fromkeys(values):
        target, time = qid_of(value.value), None
        if name in TIMES and isinstance(value, pyoxigraph.Literal):
            try:
                target, time = "", _simple(value.value)
            except CannotRead:
                continue
        if target or time:
            found.append(Statement(qid, name, target, qid, time=time, rank="best", truthy=True))
    return found


def _simple(text: str) -> Time:
    """A time without its node has no precision, and a whole year is written as its first day."""
    return time_of(_signed(text), YEAR if "-01-01T" in text else DAY)


def _signed(text: str) -> str:
    return text if text[:1] in "+-" else f"+{text}"


def _texts(values: Iterable[Any]) -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for value in values:
        language = getattr(value, "language", None)
        if language:
            found[language][plain(value.value)] = None
    return {language: tuple(texts) for language, texts in found.items()}
