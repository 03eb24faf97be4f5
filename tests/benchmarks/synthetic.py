"""A made-up history in our vocabulary, of any size and the same for the same seed, with the shape of the shipped data.

Two hundred states, and alliance after alliance until there are statements enough: each with its treaty, protocols and
charter, the acts of its states, the spells that follow from them with their four bounds, requests for assistance with
decisions and outcomes, incidents with parts, ceasefires, and claims reported in sources. What a build would conclude
(types by subclass, spells, bounds of dates) is there too, in the graph of conclusions. No state, treaty or date in it
means a real one.
"""

import datetime
import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ONTOLOGY = "https://w3id.org/foedus/ontology#"
ID = "https://w3id.org/foedus/id/"
GRAPH = "https://w3id.org/foedus/graph/"
RDF_TYPE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
XSD = "http://www.w3.org/2001/XMLSchema#"

STATES = 200
SOURCES = 400
OPEN_UNTIL = datetime.date(2020, 1, 1)
"""The day after the last on which a source attests the open spells."""

SUPERCLASSES = {
    "State": "Agent",
    "Organisation": "Agent",
    "Alliance": "Organisation",
    "Treaty": "LegalText",
    "Membership": "Spell",
    "TreatyBinding": "Spell",
    "LegalAct": "Event",
    "Signature": "LegalAct",
    "BeginningAct": "LegalAct",
    "EndingAct": "LegalAct",
    "EntryIntoForce": "BeginningAct",
    "Withdrawal": "EndingAct",
    "Incident": "Event",
    "Ceasefire": "Event",
    "Request": "Event",
    "Decision": "Event",
    "Outcome": "Event",
    "CasualtyClaim": "Claim",
}

Statement = tuple[str, str, str, str]
"""Subject, predicate and object as N-Triples writes them, and the last part of the graph's name."""


@dataclass(frozen=True)
class Written:
    """A history in files: *nquads* with its graphs, *ntriples* without, *count* statements, each in one graph."""

    nquads: Path
    ntriples: Path
    count: int
    sha256: str


def write(folder: Path, least: int, seed: int = 1) -> Written:
    """Write a history of at least *least* statements to *folder*; *sha256* is that of the N-Quads."""
    nquads, ntriples = folder / "synthetic.nq", folder / "synthetic.nt"
    digest, count = hashlib.sha256(), 0
    with nquads.open("w") as quads, ntriples.open("w") as triples:
        for subject, predicate, object_, graph in statements(least, seed):
            triple = f"{subject} {predicate} {object_}"
            line = f"{triple} <{GRAPH}{graph}> .\n"
            digest.update(line.encode())
            quads.write(line)
            triples.write(triple + " .\n")
            count += 1
    return Written(nquads, ntriples, count, digest.hexdigest())


def statements(least: int, seed: int = 1) -> Iterator[Statement]:
    """At least *least* statements, all different; the last alliance begun is told to its end."""
    history = _History(random.Random(seed))
    yield from (
        (f"<{ONTOLOGY}{narrow}>", f"<{RDFS}subClassOf>", f"<{ONTOLOGY}{wide}>", "ontology")
        for narrow, wide in SUPERCLASSES.items()
    )
    count = len(SUPERCLASSES)
    for batch in history.batches():
        yield from batch
        count += len(batch)
        if count >= least:
            return


@dataclass(frozen=True)
class _Date:
    """A date as a source has it, with the first and last day that it may mean."""

    edtf: str
    earliest: datetime.date
    latest: datetime.date


class _History:
    """The teller; all chance is drawn from *chance*, in the order of the telling."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.told: list[Statement] = []

    def batches(self) -> Iterator[list[Statement]]:
        """The states and sources, then one alliance after the other, without end."""
        for number in range(STATES):
            self.thing(state(number), "State", f"State {number}")
            self.say(state(number), "iso3", _text(_code(number)))
            self.say(state(number), "source", self.a_source())
        for number in range(SOURCES):
            self.thing(_source(number), "Source", f"Source {number}")
            self.say(_source(number), "published", _text(self.date(1990, 2019).edtf))
            self.say(_source(number), "language", _text("en"))
        number = 0
        while True:
            self.alliance(number)
            yield self.told
            self.told = []
            number += 1

    # ── words ──

    def say(self, subject: str, name: str, object_: str, graph: str = "asserted") -> None:
        self.told.append((f"<{ID}{subject}>", f"<{ONTOLOGY}{name}>", object_, graph))

    def thing(self, name: str, kind: str, label: str, graph: str = "asserted") -> None:
        """A thing with its class, all wider classes as conclusions, and its label."""
        subject = f"<{ID}{name}>"
        self.told.append((subject, RDF_TYPE, f"<{ONTOLOGY}{kind}>", graph))
        while kind in SUPERCLASSES:
            kind = SUPERCLASSES[kind]
            self.told.append((subject, RDF_TYPE, f"<{ONTOLOGY}{kind}>", "inferred"))
        self.told.append((subject, f"<{RDFS}label>", f"{_text(label)}@en", graph))

    def dated(self, subject: str, name: str, bounds: str, date: _Date) -> None:
        """A date in the words of its source, and its bounds as conclusions."""
        self.say(subject, name, _text(date.edtf))
        self.say(subject, f"{bounds}Earliest", _day(date.earliest), "inferred")
        self.say(subject, f"{bounds}Latest", _day(date.latest), "inferred")

    def date(self, first: int, last: int) -> _Date:
        """A day from *first* to *last*, both years; one in eight known to lie within some months only."""
        earliest = datetime.date(first, 1, 1) + datetime.timedelta(self.chance.randrange((last - first + 1) * 365))
        if self.chance.randrange(8):
            return _Date(earliest.isoformat(), earliest, earliest)
        latest = earliest + datetime.timedelta(self.chance.randint(20, 400))
        return _Date(f"[{earliest}..{latest}]", earliest, latest)

    def a_source(self) -> str:
        return _iri(_source(self.chance.randrange(SOURCES)))

    # ── what happens ──

    def alliance(self, number: int) -> None:
        name, treaty = alliance(number), f"treaty-{number:05}"
        self.thing(treaty, "Treaty", f"Treaty {number}")
        self.say(treaty, "source", self.a_source())
        self.thing(name, "Alliance", f"Alliance {number}")
        self.say(name, "constitutedBy", _iri(treaty))
        self.say(name, "source", self.a_source())
        before = treaty
        for protocol in range(self.chance.randrange(4)):
            text = f"{treaty}-protocol-{protocol + 1}"
            self.thing(text, "Treaty", f"Protocol {protocol + 1} to Treaty {number}")
            self.say(text, self.chance.choice(("amends", "extends")), _iri(before))
            self.say(text, "source", self.a_source())
            before = text
        founded = self.date(1860, 1995)
        members = self.chance.sample(range(STATES), self.chance.choice((2, 2, 3, 6, 8, 12, 16, 30)))
        for member in members:
            self.membership(name, treaty, member, founded)
        for incident in range(self.chance.randrange(4)):
            self.incident(f"{name}-incident-{incident + 1}", treaty, members, founded.latest.year)

    def membership(self, name: str, treaty: str, member: int, founded: _Date) -> None:
        """One or, seldom, two terms of a state: acts, binding and membership."""
        first = founded.earliest.year
        for term in range(1 if self.chance.randrange(10) else 2):
            who = f"{state(member)}-{term + 1}"
            begin = founded if term == 0 and self.chance.randrange(4) else self.date(first + 4, first + 12)
            signed, entered = f"{treaty}-signature-{who}", f"{treaty}-entry-into-force-{who}"
            self.act(signed, "Signature", treaty, member)
            self.dated(signed, "occurred", "occurred", self.date(begin.earliest.year - 2, begin.earliest.year - 1))
            self.act(entered, "EntryIntoForce", treaty, member)
            self.dated(entered, "takesEffect", "takesEffect", begin)
            end = self.date(begin.latest.year + 1, begin.latest.year + 30) if self.chance.randrange(3) else None
            left = f"{treaty}-withdrawal-{who}"
            if end:
                self.act(left, "Withdrawal", treaty, member)
                self.dated(left, "takesEffect", "takesEffect", end)
                first = end.latest.year
            for spell, kind, status, body in (
                (f"binding-{treaty}-{who}", "TreatyBinding", "party", ("ofTreaty", treaty)),
                (f"membership-{name}-{who}", "Membership", "member", ("ofAlliance", name)),
            ):
                self.thing(spell, kind, f"State {member}, {status} from {begin.edtf}", "inferred")
                self.say(spell, "ofState", _iri(state(member)), "inferred")
                self.say(spell, body[0], _iri(body[1]), "inferred")
                self.say(spell, "status", _text(status), "inferred")
                self.say(spell, "spellNumber", f'"{term + 1}"^^<{XSD}integer>', "inferred")
                self.say(spell, "begunBy", _iri(entered), "inferred")
                self.say(spell, "from", _text(begin.edtf), "inferred")
                self.say(spell, "beginEarliest", _day(begin.earliest), "inferred")
                self.say(spell, "beginLatest", _day(begin.latest), "inferred")
                if end:
                    self.say(spell, "endedBy", _iri(left), "inferred")
                    self.say(spell, "until", _text(end.edtf), "inferred")
                    self.say(spell, "endLatest", _day(end.latest), "inferred")
                self.say(spell, "endEarliest", _day(end.earliest if end else OPEN_UNTIL), "inferred")
            if end is None:
                return

    def act(self, name: str, kind: str, treaty: str, member: int) -> None:
        self.thing(name, kind, f"{kind} of State {member}")
        self.say(name, "ofState", _iri(state(member)))
        self.say(name, "ofTreaty", _iri(treaty))
        self.say(name, "source", self.a_source())

    def incident(self, name: str, treaty: str, members: list[int], year: int) -> None:
        """An incident with parts, claims about it, a ceasefire, and the request that it triggered."""
        began = self.date(year + 1, year + 24)
        part, whole = name, ""
        for depth in range(self.chance.randint(1, 4)):
            part = f"{name}-part-{depth}" if depth else name
            self.thing(part, "Incident", f"Incident {part}")
            self.dated(part, "began", "began", began)
            self.say(part, "source", self.a_source())
            for member in self.chance.sample(members, 2):
                self.say(part, "participant", _iri(state(member)))
            if whole:
                self.say(part, "partOf", _iri(whole))
            whole = part
        for number in range(self.chance.randrange(6)):
            claim = f"{name}-claim-{number + 1}"
            least = self.chance.randrange(500)
            self.thing(claim, "CasualtyClaim", f"Claim {number + 1} about {name}")
            self.say(claim, "about", _iri(name))
            self.say(claim, "claimant", _iri(state(self.chance.choice(members))))
            self.say(claim, "reportedIn", self.a_source())
            self.say(claim, "paragraph", f'"{number + 1}"^^<{XSD}integer>')
            self.say(claim, "statement", f"{_text(f'At least {least} people were killed.')}@en")
            self.say(claim, "assessment", f"<{ONTOLOGY}{self.chance.choice(('supported', 'imprecise', 'unsourced'))}>")
            self.say(claim, "minCount", f'"{least}"^^<{XSD}integer>')
        ceasefire = f"{name}-ceasefire"
        self.thing(ceasefire, "Ceasefire", f"Ceasefire after {name}")
        self.say(ceasefire, "onIncident", _iri(name))
        self.say(ceasefire, "source", self.a_source())
        self.request(f"{name}-request", treaty, members, name, began)

    def request(self, name: str, treaty: str, members: list[int], incident: str, asked: _Date) -> None:
        self.thing(name, "Request", f"Request after {incident}")
        self.say(name, "requestedBy", _iri(state(self.chance.choice(members))))
        self.say(name, "underTreaty", _iri(treaty))
        self.say(name, "triggeredBy", _iri(incident))
        self.say(name, "asksFor", f"<{ONTOLOGY}militaryAssistance>")
        self.dated(name, "requestedOn", "requested", asked)
        self.say(name, "source", self.a_source())
        for kind, link in (("Decision", "decisionOn"), ("Outcome", "outcomeOf")):
            if self.chance.randrange(3):
                told = f"{name}-{kind.lower()}"
                self.thing(told, kind, f"{kind} on {name}")
                self.say(told, link, _iri(name))
                self.say(told, "source", self.a_source())


def state(number: int) -> str:
    """The local name of a state."""
    return f"state-{number:03}"


def alliance(number: int) -> str:
    """The local name of an alliance."""
    return f"alliance-{number:05}"


def _source(number: int) -> str:
    return f"source-{number:03}"


def _code(number: int) -> str:
    return "".join(chr(ord("A") + number // power % 26) for power in (676, 26, 1))


def _iri(name: str) -> str:
    return f"<{ID}{name}>"


def _text(value: str) -> str:
    return f'"{value}"'


def _day(date: datetime.date) -> str:
    return f'"{date.isoformat()}"^^<{XSD}date>'
