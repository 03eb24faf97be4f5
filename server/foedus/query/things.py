"""The things that have names of their own, of all kinds, with what they are called: fetched whole."""

import datetime
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from foedus import names
from foedus.errors import AnswerTooLarge, NoSuchThing, WrongUsage
from foedus.query import record, resolve, results
from foedus.query.lazily import kept
from foedus.query.pool import Asker
from foedus.query.record import Span, Spell
from foedus.query.resolve import Code, Index

ROOTS = ("Agent", "LegalText", "Incident", "Ceasefire", "Request", "Source")
"""The classes whose instances are found by name."""

MOST = 100_000
"""Things beyond which none are fetched: their names would take gigabytes of this process."""

_COUNT = """
SELECT (COUNT(DISTINCT ?thing) AS ?count) WHERE {{
  VALUES ?root {{ {roots} }}
  ?thing rdf:type/rdfs:subClassOf* ?root .
}}
"""
_CLASSES = """
SELECT ?class ?label ?comment ?broader WHERE {
  ?class a owl:Class ; rdfs:label ?label .
  FILTER(LANG(?label) IN ("", "en") && STRSTARTS(STR(?class), STR(foedus:)))
  OPTIONAL { ?class skos:definition|rdfs:comment ?comment . FILTER(LANG(?comment) IN ("", "en")) }
  OPTIONAL { ?class rdfs:subClassOf ?broader . FILTER(STRSTARTS(STR(?broader), STR(foedus:))) }
}
ORDER BY ?class ?label ?comment ?broader
"""
_KINDS = """
SELECT DISTINCT ?thing ?class ?stated ?comment WHERE {{
  ?thing rdf:type/rdfs:subClassOf* foedus:{root} ; a ?class .
  FILTER(STRSTARTS(STR(?thing), STR(id:)) && STRSTARTS(STR(?class), STR(foedus:)))
  BIND(EXISTS {{ GRAPH <{asserted}> {{ ?thing a ?class }} }} AS ?stated)
  OPTIONAL {{ ?thing rdfs:comment ?comment . FILTER(LANG(?comment) IN ("", "en")) }}
}}
ORDER BY ?thing ?class ?comment
"""
_DAY = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?(?:T[0-9:.]+(?:Z|[+-][0-9:]+)?)?")


@dataclass(frozen=True)
class Kind:
    """A class: its local name, what it is called, what it is, and the classes next above it."""

    name: str
    label: str
    description: str
    broader: tuple[str, ...]


@dataclass(frozen=True)
class Thing:
    """What can be meant, by its local name.

    *kinds* are the classes that are stated of it, *all_kinds* those above them and those that rules conclude, too.
    *iso3* is the code that a state of today has.
    """

    name: str
    label: str
    description: str
    kinds: tuple[str, ...]
    all_kinds: frozenset[str]
    iso3: str

    @property
    def iri(self) -> str:
        return names.ID + self.name


@dataclass(frozen=True)
class Days:
    """The days from *first* to before *end*, as ordinals: a day, a month or a year."""

    first: int
    end: int

    @classmethod
    def read(cls, text: str) -> "Days | None":
        """The days that *text*, YYYY, YYYY-MM or YYYY-MM-DD with or without a time, names; None for anything else."""
        match = _DAY.fullmatch(text.strip())
        if not match:
            return None
        year, month, day = (int(part) if part else None for part in match.groups())
        try:
            first = datetime.date(year or 0, month or 1, day or 1)
            if day:
                return cls(first.toordinal(), first.toordinal() + 1)
            then = (first.year, first.month + 1) if month and month < 12 else (first.year + 1, 1)
            return cls(first.toordinal(), datetime.date(*then, 1).toordinal())
        except ValueError:
            return None

    def within(self, span: Span) -> float:
        """How surely *span* holds on one of the days: 1 certainly or presumably, 0.5 possibly, 0 not."""
        for reading, sure in (("presumed", 1.0), ("possible", 0.5)):
            first, end = span.days(reading)
            if max(first, self.first) < min(end, self.end):
                return sure
        return 0.0

    def hold(self, code: Code) -> bool:
        """Whether *code* was valid on one of the days."""
        try:
            first = datetime.date.fromisoformat(code.first).toordinal() if code.first else 0
            last = datetime.date.fromisoformat(code.last).toordinal() if code.last else record.FAR
        except ValueError:
            return False
        return max(first, self.first) < min(last + 1, self.end)


@dataclass
class Things:
    """Those of one version of the data, by local name, and the index of all that they are called."""

    asker: Asker
    index: Index
    kinds: Mapping[str, Kind]
    by_name: Mapping[str, Thing]

    def kind(self, name: str) -> Kind:
        """The class called *name*: its local name, CURIE or IRI; WrongUsage, with those in use, for no class."""
        local = (names.expand(name) or name).removeprefix(names.ONTOLOGY)
        if local not in self.kinds:
            raise WrongUsage(f"There is no type “{name[:80]}”.", f"Choose from: {', '.join(self.kinds_in_use)}.")
        return self.kinds[local]

    def thing(self, name: str) -> Thing | None:
        """The thing called *name*, its local name, CURIE or IRI; None where there is none."""
        return self.by_name.get(local(names.expand(name) or name))

    @kept
    def kinds_in_use(self) -> tuple[str, ...]:
        """The classes that have instances here, by name."""
        return tuple(sorted({kind for each in self.by_name.values() for kind in each.all_kinds}))

    def is_a(self, name: str, kind: str) -> bool:
        """Whether there is a thing called *name* that is an instance of *kind*."""
        return name in self.by_name and kind in self.by_name[name].all_kinds

    def meant(self, text: str, kind: str) -> set[str]:
        """The things of *kind* that *text* means: as it stands by its best kind of name, or by the same words."""
        for _, iris in self.index.meanings(text):
            if found := {each for each in map(local, iris) if self.is_a(each, kind)}:
                return found
        return {each for each in map(local, self.index.likeness.same(text)) if self.is_a(each, kind)}

    def bodies(self, state: str, kind: str, on: Days | None) -> dict[str, float]:
        """The alliances of which *state* is a ``member``, or the treaties to which it is a ``party`` (*kind*).

        On one of the days *on*, or ever; with how sure that is: 1, or 0.5 where it is only possible.
        """
        found: dict[str, float] = {}
        for each in self._spells.get(state, ()):
            sure = 1.0 if on is None else on.within(each.span)
            if each.kind == kind and sure:
                found[each.body] = max(found.get(each.body, 0.0), sure)
        return found

    @kept
    def _spells(self) -> Mapping[str, Sequence[Spell]]:
        found: dict[str, list[Spell]] = defaultdict(list)
        for each in record.read(self.asker).spells:
            found[each.state].append(each)
        return found


def local(iri: str) -> str:
    """The local name of a thing."""
    return iri.removeprefix(names.ID)


def read(asker: Asker) -> Things:
    """Those of what *asker* answers from; NoSuchThing over data without any, AnswerTooLarge over too many."""
    roots = " ".join(f"foedus:{root}" for root in ROOTS)
    ((count,),) = results.select(asker, _COUNT.format(roots=roots), reserved=True).rows
    number = int(count.value) if count else 0
    if not number:
        raise NoSuchThing("The data that are served hold nothing to reconcile with.", "Serve the shipped data.")
    if number > MOST:
        raise AnswerTooLarge(f"There are {number} things to reconcile with, more than {MOST}.", "Ask by SPARQL.")
    kinds = _kinds(asker)
    index = Index()
    kinds_of: dict[str, dict[str, bool]] = defaultdict(dict)
    comments: dict[str, str] = {}
    for root in ROOTS:
        index.merge(resolve.fetched(asker, names.ONTOLOGY + root))
        for row in results.select(asker, _KINDS.format(root=root, asserted=names.ASSERTED), reserved=True):
            name = local(row["thing"].value)
            kinds_of[name][row["class"].value.removeprefix(names.ONTOLOGY)] = row["stated"].value in ("true", "1")
            if "comment" in row:
                comments.setdefault(name, row["comment"].value)
    iso3 = {local(iri): code.upper() for code, iris in index.things["iso3"].items() for iri in iris}
    by_name = {
        name: Thing(
            name,
            index.labels.get(names.ID + name) or name,
            comments.get(name, ""),
            tuple(kind for kind, is_stated in own.items() if is_stated) or tuple(own),
            with_broader(own, kinds),
            iso3.get(name, ""),
        )
        for name, own in sorted(kinds_of.items())
    }
    return Things(asker, index, kinds, by_name)


def _kinds(asker: Asker) -> dict[str, Kind]:
    found: dict[str, Kind] = {}
    for row in results.select(asker, _CLASSES, reserved=True):
        name = row["class"].value.removeprefix(names.ONTOLOGY)
        known = found.get(name) or Kind(name, row["label"].value, row["comment"].value if "comment" in row else "", ())
        broader = known.broader
        if "broader" in row:
            broader = tuple(dict.fromkeys((*broader, row["broader"].value.removeprefix(names.ONTOLOGY))))
        found[name] = Kind(name, known.label, known.description, broader)
    return found


def with_broader(own: Iterable[str], kinds: Mapping[str, Kind]) -> frozenset[str]:
    """The classes *own* and all above them."""
    found: set[str] = set()
    left = list(own)
    while left:
        each = left.pop()
        if each not in found:
            found.add(each)
            left += kinds[each].broader if each in kinds else ()
    return frozenset(found)
