"""Derive the first and last possible day of every date that is written as an EDTF string of the closed list."""

import calendar
import contextlib
import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from pyoxigraph import Literal, NamedNode, Triple

from foedus import names
from foedus.build.findings import Count, Finding
from foedus.build.reading import Content, Document

FORMS = "1999-04-02, 1999-04 or 1999, each with ? or ~ after it; [1999-04..2000-03-22]; 1999-04-02/2000; 1999-04-02/.."

_DAY = r"(?!0000)[0-9]{4}(?:-(?:0[1-9]|1[0-2])(?:-[0-9]{2})?)?"
_ONE = re.compile(rf"({_DAY})[?~]?")
_TWO = re.compile(rf"\[({_DAY})\.\.({_DAY})\]|({_DAY})/({_DAY})")
_OPEN = re.compile(rf"({_DAY})/\.\.")

_NAMED_DAY = re.compile(r"-([0-9]{4}-[0-9]{2}-[0-9]{2})$")

_MAY_COME = tuple(NamedNode(names.ONTOLOGY + local) for local in ("takesEffect", "validFrom", "validUntil"))
_XSD_DATE = NamedNode(names.PREFIXES["xsd"] + "date")
_TYPE = NamedNode(names.PREFIXES["rdf"] + "type")
_SUBPROPERTY = NamedNode(names.PREFIXES["rdfs"] + "subPropertyOf")
_EDTF_DATE = NamedNode(names.ONTOLOGY + "edtfDate")
_EARLIEST = NamedNode(names.ONTOLOGY + "earliestBound")
_LATEST = NamedNode(names.ONTOLOGY + "latestBound")
_ASPECT = NamedNode(names.ONTOLOGY + "aspect")
_VALUE = NamedNode(names.ONTOLOGY + "value")


@dataclass(frozen=True)
class Bounds:
    """The first and the last day that a date may mean; *latest* is None for an open end."""

    earliest: datetime.date
    latest: datetime.date | None


@dataclass(frozen=True)
class Derived:
    """The bounds of all dates as triples, what is wrong with dates, and how many there are."""

    triples: tuple[Triple, ...]
    findings: tuple[Finding, ...]
    counts: tuple[Count, ...]


def bounds(text: str) -> Bounds:
    """The strict bounds of *text*; ValueError, saying why, where it is not of the closed list of forms.

    ``?`` and ``~`` mark doubt about the source's date and do not widen it.
    """
    if match := _ONE.fullmatch(text):
        return Bounds(_first_day(match[1]), _last_day(match[1]))
    if match := _OPEN.fullmatch(text):
        return Bounds(_first_day(match[1]), None)
    if match := _TWO.fullmatch(text):
        start, end = (part for part in match.groups() if part)
        between = Bounds(_first_day(start), _last_day(end))
        if between.latest is not None and _first_day(end) < between.earliest:
            raise ValueError("it ends before it begins")
        return between
    raise ValueError("it is of no form that a date may have")


def derive(content: Content) -> Derived:
    """The bounds that the ontology asks for, of every EDTF date in the data.

    The ontology says which properties hold EDTF strings (subproperties of ``foedus:edtfDate``) and which properties
    their bounds go to (``foedus:earliestBound``, ``foedus:latestBound``).
    """
    properties, bound_by = _declared(content.ontology)
    triples: list[Triple] = []
    findings: list[Finding] = []
    number = 0
    for document in content.data:
        for triple in _dates(document, properties):
            number += 1
            try:
                found = bounds(_text(triple))
            except ValueError as error:
                findings.append(_finding(document, triple, str(error)))
                continue
            for target, day in zip(bound_by.get(triple.predicate, ()), (found.earliest, found.latest), strict=False):
                if target is not None and day is not None:
                    triples.append(Triple(triple.subject, target, Literal(day.isoformat(), datatype=_XSD_DATE)))
    return Derived(tuple(triples), tuple(findings), (Count("dates", number),))


def misplaced(content: Content, as_of: str) -> tuple[Finding, ...]:
    """A finding for each date that begins after *as_of*, the day YYYY-MM-DD that the dataset speaks of, or that
    contradicts the day which the name of its thing ends in.

    An act may take effect, and a wording be valid, on a day to come: those dates may be later.
    """
    properties, _ = _declared(content.ontology)
    last = datetime.date.fromisoformat(as_of)
    findings: list[Finding] = []
    for document in content.data:
        known: dict[NamedNode, list[tuple[Triple, Bounds]]] = {}
        for triple in document.triples:
            if triple.predicate in properties and isinstance(triple.subject, NamedNode):
                with contextlib.suppress(ValueError):
                    found = bounds(_text(triple))
                    known.setdefault(triple.subject, []).append((triple, found))
        for subject, given in known.items():
            for triple, found in given:
                if found.earliest > last and triple.predicate not in _MAY_COME:
                    message = f"{_given(triple)} is after {as_of}, the day that the dataset speaks of."
                    remedy = "Correct the date, or foedus:asOf in data/dataset.ttl."
                    findings.append(_about(document, triple, message, remedy))
            match = _NAMED_DAY.search(subject.value)
            if match and not any(_allows(found, match[1]) for _, found in given):
                triple = given[0][0]
                message = f"{_given(triple)} does not fit the name, which ends in {match[1]}."
                findings.append(_about(document, triple, message, "Correct the date or the name."))
    return tuple(findings)


def _allows(found: Bounds, day: str) -> bool:
    return found.earliest.isoformat() <= day and (found.latest is None or day <= found.latest.isoformat())


def _given(triple: Triple) -> str:
    return f'{names.curie(triple.predicate.value)} "{_text(triple)}"'


def _about(document: Document, triple: Triple, message: str, remedy: str) -> Finding:
    line = document.line_of(triple.subject, _text(triple))
    subject = names.curie(triple.subject.value) if isinstance(triple.subject, NamedNode) else ""
    return Finding(document.name, line, subject, message, remedy)


def _first_day(part: str) -> datetime.date:
    return _days(part)[0]


def _last_day(part: str) -> datetime.date:
    return _days(part)[1]


@cache
def _days(part: str) -> tuple[datetime.date, datetime.date]:
    """The first and the last day of a year, month or day, as ISO 8601-2 has them."""
    year, month, day = (int(number) for number in (*part.split("-"), "0", "0")[:3])
    try:
        first = datetime.date(year, month or 1, day or 1)
    except ValueError as error:
        raise ValueError(f"{part} is not in the calendar") from error
    last_month = month or 12
    return first, datetime.date(year, last_month, day or calendar.monthrange(year, last_month)[1])


_Targets = tuple[NamedNode | None, NamedNode | None]


def _declared(ontology: tuple[Document, ...]) -> tuple[frozenset[NamedNode], dict[NamedNode, _Targets]]:
    """The properties that hold EDTF strings, and where the bounds of each go."""
    properties: set[NamedNode] = set()
    earliest: dict[NamedNode, NamedNode] = {}
    latest: dict[NamedNode, NamedNode] = {}
    for document in ontology:
        for triple in document.triples:
            if not isinstance(triple.subject, NamedNode) or not isinstance(triple.object, NamedNode):
                continue
            if triple.predicate == _SUBPROPERTY and triple.object == _EDTF_DATE:
                properties.add(triple.subject)
            elif triple.predicate == _EARLIEST:
                earliest[triple.subject] = triple.object
            elif triple.predicate == _LATEST:
                latest[triple.subject] = triple.object
    bounded = {each: (earliest.get(each), latest.get(each)) for each in earliest.keys() | latest.keys()}
    return frozenset(properties | bounded.keys()), bounded


def _dates(document: Document, properties: frozenset[NamedNode]) -> Iterator[Triple]:
    """The statements of *document* that give a date, and the values that a claim gives for a property of dates."""
    of_dates = {
        triple.subject for triple in document.triples if triple.predicate == _ASPECT and triple.object in properties
    }
    for triple in document.triples:
        if triple.predicate in properties or (triple.predicate == _VALUE and triple.subject in of_dates):
            yield triple


def _text(triple: Triple) -> str:
    if not isinstance(triple.object, Literal):
        raise ValueError("it is a node where a string is wanted")
    if triple.object.datatype.value != names.PREFIXES["xsd"] + "string":
        raise ValueError("a date is a plain string, without datatype or language")
    return triple.object.value


def _finding(document: Document, triple: Triple, reason: str) -> Finding:
    given = triple.object.value if isinstance(triple.object, Literal | NamedNode) else "a blank node"
    subject = names.curie(triple.subject.value) if isinstance(triple.subject, NamedNode) else ""
    predicate = names.curie(triple.predicate.value)
    line = document.line_of(triple.subject, given)
    message = f'{predicate} "{given}" is not a date here: {reason}.'
    return Finding(document.name, line, subject, message, f"Write one of the forms {FORMS}.")
