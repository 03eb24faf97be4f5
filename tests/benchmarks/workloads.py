"""What is asked: the same questions in SPARQL for every engine, about whatever things the loaded statements hold."""

import json
import random
import re
import urllib.parse
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from engines import with_query

from foedus import questions
from foedus.names import ID, PREFIXES

ACCEPT = "application/sparql-results+json"
VARIANTS = 24
"""Different questions of one workload, at most; they are asked in turn."""

_KINDS = ("State", "Alliance", "Treaty", "Request", "Incident", "Source")
_TYPED = re.compile(r"<[^>]*/foedus/id/([^>]*)> <[^>]*#type> <[^>]*ontology#(" + "|".join(_KINDS) + r")> ")
_REPORTED = re.compile(r"[^>]*> <[^>]*ontology#reportedIn> <[^>]*/foedus/id/([^>]*)> ")
DAYS = ("1999-04-20", "2012-12-19", "2022-09-13", "1975-07-01", "2004-03-29", "1994-05-01")


@dataclass
class World:
    """The local names of the things that a dataset tells of, by class; *reporting* are sources of claims."""

    things: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in _KINDS})
    reporting: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, lines: Iterable[str]) -> "World":
        """The world of these N-Triples or N-Quads lines."""
        world = cls()
        for line in lines:
            if "#type>" in line and (found := _TYPED.match(line)):
                world.things[found[2]].append(found[1])
            elif "#reportedIn>" in line and (found := _REPORTED.match(line)):
                world.reporting[found[1]] += 1
        world.things = {kind: sorted(set(names)) for kind, names in world.things.items()}
        return world

    def some(self, kind: str, most: int = VARIANTS) -> list[str]:
        """Up to *most* things of a class, always the same ones."""
        names = self.things[kind]
        return names if len(names) <= most else random.Random(kind).sample(names, most)


@dataclass(frozen=True)
class Question:
    """One question: its SPARQL text and, where it is a stored one, its address on our server."""

    text: str
    stored: str | None = None

    def target(self, path: str, stored: bool) -> str:
        """What to GET from an engine whose protocol address is *path*; *stored* where it knows our questions."""
        if stored and self.stored:
            return self.stored
        return with_query(path, self.text)


@dataclass(frozen=True)
class Workload:
    """Questions that are alike; *tiny* where an answer is so small that the server's own cost is what is measured."""

    name: str
    what: str
    questions: tuple[Question, ...]
    tiny: bool = False


def workloads(world: World) -> list[Workload]:
    """Every workload that *world* has something for."""
    states, alliances = world.some("State"), world.some("Alliance")
    things = [name for kind in _KINDS for name in world.some(kind, 4)]
    pairs = [(alliance, day) for alliance in alliances for day in DAYS][:VARIANTS]
    busiest = [name for name, _ in sorted(world.reporting.items(), key=lambda each: (-each[1], each[0]))[:4]]
    made = [
        Workload("ask", "ASK {}, what a protocol costs at the least", _asked(["ASK {}"]), tiny=True),
        Workload("look-up", "the label of a thing", _asked(_LABEL % name for name in things), tiny=True),
        Workload("thing", "all statements about a thing", _asked(_ABOUT % name for name in things)),
        Workload("members-on", "stored question", tuple(_stored("members-on", alliance=a, date=d) for a, d in pairs)),
        Workload("history-of", "stored question", tuple(_stored("history-of", state=name) for name in states)),
        Workload("claims-of", "stored question", tuple(_stored("claims-of", source=name) for name in busiest)),
        Workload("as-of", "members of every alliance on a day, counted", _asked(_AS_OF % (d, d) for d in DAYS)),
        Workload("join", "the allies of a state, over all time", _asked(_ALLIES % name for name in states)),
        Workload("path", "what a treaty's protocols change, and kinds by subclass", _asked(_paths(world))),
        Workload("aggregate", "things counted by class", _asked([_BY_CLASS])),
    ]
    return [each for each in made if each.questions]


def _asked(texts: Iterable[str]) -> tuple[Question, ...]:
    return tuple(Question(_prefixes(text) + text) for text in texts)


def _prefixes(text: str) -> str:
    """The declarations of the prefixes that *text* uses, as one would write them."""
    used = (name for name in PREFIXES if re.search(rf"\b{name}:", text))
    return "".join(f"PREFIX {name}: <{PREFIXES[name]}>\n" for name in used)


def _paths(world: World) -> Iterable[str]:
    return (text for name in world.some("Treaty", 12) for text in (_CHANGES % name, _EVENTS % name))


def _stored(slug: str, **values: str) -> Question:
    text = questions.bind(questions.get(slug), values, lambda value, *_: ID + value)
    plain = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#+")).lstrip()
    return Question(plain, f"/queries/{slug}.json?{urllib.parse.urlencode(values)}")


_LABEL = "SELECT ?label WHERE { id:%s rdfs:label ?label }"
_ABOUT = "SELECT ?property ?value WHERE { id:%s ?property ?value }"
_AS_OF = """SELECT ?alliance (COUNT(DISTINCT ?state) AS ?members) WHERE {
  ?membership foedus:ofAlliance ?alliance ; foedus:ofState ?state ;
    foedus:beginLatest ?begin ; foedus:endEarliest ?end .
  FILTER(?begin <= "%s"^^xsd:date && "%s"^^xsd:date < ?end)
} GROUP BY ?alliance"""
_ALLIES = """SELECT DISTINCT ?alliance ?ally ?label WHERE {
  ?own foedus:ofState id:%s ; foedus:ofAlliance ?alliance ; foedus:beginLatest ?begin ; foedus:endEarliest ?end .
  ?other foedus:ofAlliance ?alliance ; foedus:ofState ?ally ;
    foedus:beginLatest ?otherBegin ; foedus:endEarliest ?otherEnd .
  FILTER(?begin < ?otherEnd && ?otherBegin < ?end && ?own != ?other)
  ?ally rdfs:label ?label
}"""
_CHANGES = "SELECT DISTINCT ?text WHERE { ?text (foedus:amends|foedus:extends)+ id:%s }"
_EVENTS = """SELECT DISTINCT ?act ?kind WHERE {
  ?act foedus:ofTreaty id:%s ; a ?kind . ?kind rdfs:subClassOf+ foedus:LegalAct
}"""
_BY_CLASS = "SELECT ?class (COUNT(DISTINCT ?thing) AS ?things) WHERE { ?thing a ?class } GROUP BY ?class"


Row = tuple[tuple[str, tuple[str, ...]], ...]
"""The bound variables of one solution, sorted, each with its canonical term."""


def canonical(body: bytes) -> Counter[Row] | bool:
    """An answer in SPARQL 1.1 JSON as a multiset of rows of canonical terms, or as a truth value.

    Plain literals and ``xsd:string`` are the same, language tags have no case, and blank nodes are all alike.
    """
    content = json.loads(body)
    if "boolean" in content:
        return bool(content["boolean"])
    return Counter(
        tuple(sorted((variable, _term(term)) for variable, term in binding.items()))
        for binding in content["results"]["bindings"]
    )


def _term(term: dict[str, str]) -> tuple[str, ...]:
    if term["type"] == "bnode":
        return ("blank",)
    if term["type"] == "uri":
        return ("iri", term["value"])
    datatype = term.get("datatype", "").removesuffix("http://www.w3.org/2001/XMLSchema#string")
    return ("literal", term["value"], datatype, term.get("xml:lang", "").lower())


def triples(nquads: Path, ntriples: Path) -> int:
    """Write the triples of *nquads*, each once whatever its graphs, to *ntriples*; how many there are."""
    found = set()
    for line in nquads.read_text(encoding="utf-8").splitlines():
        triple, _, _ = line.removesuffix(" .").rpartition(" <")
        found.add(triple + " .\n")
    ntriples.write_text("".join(sorted(found)), encoding="utf-8")
    return len(found)
