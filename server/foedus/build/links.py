"""Turn the link tables (SSSOM, reviewed tables of mappings) into triples."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from pyoxigraph import Literal, NamedNode, Triple

from foedus import names, sssom
from foedus.build.findings import Count, Finding
from foedus.build.reading import Content, Source, subjects

_SOURCE = names.ONTOLOGY + "Source"
_TYPE = names.PREFIXES["rdf"] + "type"
_LABELS = {names.PREFIXES["rdfs"] + "label", *(names.PREFIXES["skos"] + f"{kind}Label" for kind in ("pref", "alt"))}
_EXACT = names.PREFIXES["skos"] + "exactMatch"


@dataclass(frozen=True)
class Links:
    """The triples of all tables, what is wrong with their rows, and how many rows there are."""

    triples: tuple[Triple, ...]
    findings: tuple[Finding, ...]
    counts: tuple[Count, ...]


def read(content: Content) -> Links:
    """The links of *content*: one triple a row; what is the same thing is an exact match as well.

    In each vocabulary a thing is the same as one other at most, so that whoever comes from there finds one thing here.
    """
    if content.links is None:
        return Links((), (), ())
    # What an unreadable file describes is not known: then no subject counts as described nowhere.
    described = None if content.findings else _Described(content)
    triples: dict[Triple, None] = {}
    findings: list[Finding] = []
    pairs: dict[tuple[str, str], str] = {}
    partners: dict[tuple[str, str], tuple[str, str]] = {}
    number = 0
    for source in content.links:
        table = sssom.read(source.text)
        findings += (_finding(source, fault) for fault in table.faults)
        for row in table.rows:
            number += 1
            faults = list(row.faults)
            faults += described.faults(row) if described else ()
            pair = (row.get("subject_id"), row.get("object_id"))
            if pair in pairs:
                is_same = pairs[pair] == row.get("predicate_id")
                told = "The same link is given twice." if is_same else f"The two are linked by {pairs[pair]} already."
                faults.append(_fault(row, told, "Keep one."))
            elif row.is_identity:
                faults += _rivals(row, partners, f"{source.name}:{row.line}")
            pairs.setdefault(pair, row.get("predicate_id"))
            findings += (_finding(source, fault) for fault in faults)
            if not faults:
                triples |= dict.fromkeys(_triples(row, table))
    return Links(tuple(triples), tuple(findings), (Count("links", number),))


def cited(content: Content) -> frozenset[str]:
    """The IRIs of the sources in which rows of the link tables say that they were seen."""
    tables = [sssom.read(source.text) for source in content.links or ()]
    found = (sssom.expand(row.get("mapping_source"), table.prefixes) for table in tables for row in table.rows)
    return frozenset(iri for iri in found if iri)


class _Described:
    """What the data describe: every subject, its names, and which of them are sources."""

    def __init__(self, content: Content) -> None:
        self.subjects: set[str] = set()
        self.sources: set[str] = set()
        self.labels: dict[str, set[str]] = defaultdict(set)
        for document in content.data:
            self.subjects.update(subjects(document.triples))
            for triple in document.triples:
                if not isinstance(triple.subject, NamedNode):
                    continue
                if triple.predicate.value in _LABELS and isinstance(triple.object, Literal):
                    self.labels[triple.subject.value].add(triple.object.value)
                elif triple.predicate.value == _TYPE and isinstance(triple.object, NamedNode):
                    self.sources |= {triple.subject.value} if triple.object.value == _SOURCE else set()

    def faults(self, row: sssom.Row) -> Iterator[sssom.Fault]:
        """What of *row* does not fit what the data say."""
        subject, label, source = (row.get(column) for column in ("subject_id", "subject_label", "mapping_source"))
        iri = sssom.expand(subject)
        if iri and iri not in self.subjects:
            yield _fault(row, f"{subject} is described nowhere.", "Give a thing of data/.")
        elif iri and label and label not in self.labels[iri]:
            yield _fault(row, f"{subject} is not called “{label}”.", "Give its label, or look which thing is meant.")
        cited = sssom.expand(source)
        if cited and cited not in self.sources:
            yield _fault(row, f"{source} is no foedus:Source.", "Say in mapping_source where the link was seen.")


def _rivals(row: sssom.Row, partners: dict[tuple[str, str], tuple[str, str]], place: str) -> Iterator[sssom.Fault]:
    """Whether another row gives the subject another partner in the same vocabulary, or the object another one here."""
    subject, other = row.get("subject_id"), row.get("object_id")
    remedy = "Keep the one that means the same; relate the other by broadMatch, narrowMatch or closeMatch."
    for one, partner in ((subject, other), (other, subject)):
        first = partners.setdefault((one, partner.partition(":")[0]), (partner, place))
        if first[0] != partner:
            yield _fault(row, f"{one} is the same as {first[0]} ({first[1]}) and as {partner}.", remedy)


def _triples(row: sssom.Row, table: sssom.Table) -> Iterator[Triple]:
    named = (sssom.expand(row.get(column), table.prefixes) or "" for column in sssom.REQUIRED[:3])
    subject, predicate, other = (NamedNode(iri) for iri in named)
    yield Triple(subject, predicate, other)
    if row.get("predicate_id") == sssom.SAME_AS:
        yield Triple(subject, NamedNode(_EXACT), other)


def _fault(row: sssom.Row, message: str, remedy: str) -> sssom.Fault:
    return sssom.Fault(row.line, row.get("subject_id"), message, remedy)


def _finding(source: Source, fault: sssom.Fault) -> Finding:
    return Finding(source.name, fault.line, fault.subject, fault.message, fault.remedy)
