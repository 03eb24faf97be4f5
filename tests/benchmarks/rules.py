"""What the rules take as the record grows: ``python tests/benchmarks/rules.py --sizes 1000,10000,100000``.

A made-up history of that many memberships is dated and reasoned over by the shipped rules, each size in a process of
its own. Printed are the facts and conclusions, the rounds until nothing new followed, seconds of CPU, peak memory, and
microseconds for each fact and conclusion: where the rules take time in proportion to both, that figure stays the same
from line to line. Goals: 100,000 memberships in less than 300 s and 6 GiB. With --by-rule, the seconds of each rule.

The history: two hundred states, and alliance after alliance with a treaty of its own. Twenty states, two of them in no
other alliance, sign it and are bound, twelve of them by one act on one day, eight by acts of their own, some of these
known by month or year. Five leave, one of them in an unknown month; four return, so that twenty states have twenty-four
memberships; one is suspended, and one source attests all who are left. The treaty has an article with a pledge of
defence, which one of the two invokes after an incident with the other; the request is answered, the fighting goes on
for a year, and two ceasefires end it. Each fifth alliance is dissolved. No state, treaty or date in it means a real
one. An event is held against every spell of its states: these two have few, as states do, and so the events grow in
number and not each in what it is held against.
"""

import argparse
import datetime
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from pyoxigraph import Literal, NamedNode, Triple

from foedus import files, names
from foedus.build import dates, reading, rules

STATES = 200
MEMBERSHIPS = 24
"""Memberships of each alliance."""
MOST_SECONDS, MOST_GIB = 300, 6.0
"""The goals for the largest size."""

_TYPE = NamedNode(names.expand("rdf:type"))
_LABEL = NamedNode(names.expand("rdfs:label"))
_DATE = NamedNode(names.expand("xsd:date"))


@dataclass(frozen=True)
class Reasoned:
    """What one run of the rules over a history of *memberships* came to; *by_rule* maps rules to seconds of CPU."""

    memberships: int
    facts: int
    conclusions: int
    rounds: int
    seconds: float
    gib: float
    by_rule: dict[str, float]

    @property
    def microseconds(self) -> float:
        """Microseconds of CPU for each fact and conclusion."""
        return self.seconds / (self.facts + self.conclusions) * 1e6


def history(memberships: int) -> Iterator[Triple]:
    """The facts of a history with *memberships*, or the few more that make the last alliance whole."""
    for number in range(STATES):
        yield from _thing(f"state-{number}", "State", f"State {number}")
    yield from _thing("chronicle", "Source", "Chronicle")
    yield Triple(_id("foedus-dataset"), _term("asOf"), Literal("2026-11-22", datatype=_DATE))
    for number in range(-(-memberships // MEMBERSHIPS)):
        yield from _alliance(number)


def _alliance(number: int) -> Iterator[Triple]:
    treaty, alliance = f"treaty-{number}", f"alliance-{number}"
    states = [f"state-of-{number}-{each}" for each in range(2)]
    states += [f"state-{(number * 7 + each * 9) % STATES}" for each in range(18)]
    year = 1900 + number % 80
    yield from _thing(treaty, "Treaty", f"Treaty {number}")
    yield from _thing(alliance, "Alliance", f"Alliance {number}")
    yield _link(alliance, "constitutedBy", treaty)
    for state in states[:2]:
        yield from _thing(state, "State", state)
    yield from _act(treaty, "signature", "Signature", states, f"{year}-02-03")
    yield from _act(treaty, "entry-into-force", "EntryIntoForce", states[:12], f"{year + 1}-04-05")
    for at, state in enumerate(states[12:]):
        day = (f"{year + 1}-06-07", f"{year + 1}-06", f"{year + 2}", f"[{year + 2}-01-02..{year + 3}-04]")[at % 4]
        yield from _act(treaty, f"accession-{state}", "Accession", [state], day)
    for at, state in enumerate(states[5:10]):
        yield from _act(treaty, f"withdrawal-{state}", "Withdrawal", [state], f"{year + 5 + at}-09{'-01' * (at > 0)}")
    for at, state in enumerate(states[5:9]):
        yield from _act(treaty, f"readmission-{state}", "Readmission", [state], f"{year + 12 + at}-01-01")
    yield from _act(treaty, f"suspension-{states[0]}", "Suspension", [states[0]], f"{year + 8}-08")
    attestation = f"attestation-{number}"
    yield _is_a(attestation, "Attestation")
    yield _link(attestation, "attests", alliance)
    yield Triple(_id(attestation), _term("asOf"), Literal(str(datetime.date(year + 30, 12, 31)), datatype=_DATE))
    for state in states[:9] + states[10:]:
        yield _link(attestation, "ofState", state)
    if number % 5 == 0:
        yield _is_a(f"{alliance}-dissolution", "Dissolution")
        yield _link(f"{alliance}-dissolution", "dissolves", alliance)
        yield _date(f"{alliance}-dissolution", "takesEffect", f"{year + 31}-01-01")
    yield from _events(number, treaty, states, year + 4)


def _events(number: int, treaty: str, states: list[str], year: int) -> Iterator[Triple]:
    """What happens to members in *year*: an incident, a request with its answer, fighting and ceasefires."""
    article, wording, incident, plea = f"{treaty}-article", f"{treaty}-wording", f"incident-{number}", f"plea-{number}"
    yield from _thing(article, "Article", article)
    yield _link(article, "articleOf", treaty)
    yield from _thing(wording, "ArticleVersion", wording)
    yield _link(wording, "versionOf", article)
    yield _link(wording, "introducedBy", f"{treaty}-entry-into-force")
    yield Triple(_id(wording), _term("hasObligation"), _term("defence"))
    yield from _thing(incident, "Incident", incident)
    yield from (_link(incident, "participant", state) for state in states[:2])
    yield _date(incident, "began", f"{year}-05")
    yield from _thing(plea, "ArticleInvocation", plea)
    yield _link(plea, "invokes", article)
    yield _link(plea, "requestedBy", states[0])
    yield _link(plea, "triggeredBy", incident)
    yield Triple(_id(plea), _term("asksFor"), _term("militaryAssistance"))
    yield _date(plea, "requestedOn", f"{year}-06-01")
    yield _is_a(f"{plea}-decision", "Decision")
    yield _link(f"{plea}-decision", "decisionOn", plea)
    yield _date(f"{plea}-decision", "occurred", f"{year}-06-02")
    yield Triple(_id(f"{plea}-decision"), _term("provides"), _term("consultations"))
    fighting = f"conflict-{number}"
    yield _is_a(fighting, "ConflictYear")
    yield Triple(_id(fighting), _term("year"), Literal(year))
    yield _link(fighting, "sideA", states[0])
    yield _link(fighting, "sideB", states[1])
    yield _date(fighting, "began", f"{year}")
    for day in (1, 2):
        truce = f"{incident}-ceasefire-{day}"
        yield _is_a(truce, "Ceasefire")
        yield _link(truce, "onIncident", incident)
        yield from (_link(truce, "ceasefireParty", state) for state in states[:2])
        yield _date(truce, "takesEffect", f"{year}-07-0{day}")
        yield _date(truce, "heldUntil", f"{year}-07-0{day}")


def _date(thing: str, property_: str, date: str) -> Triple:
    return Triple(_id(thing), _term(property_), Literal(date))


def _act(treaty: str, name: str, kind: str, states: list[str], day: str) -> Iterator[Triple]:
    act = f"{treaty}-{name}"
    yield from _thing(act, kind, act)
    yield from (_link(act, "ofState", state) for state in states)
    yield _link(act, "ofTreaty", treaty)
    yield _link(act, "source", "chronicle")
    yield _date(act, "occurred", day)
    if kind != "Signature":
        yield _date(act, "takesEffect", day)


def _thing(name: str, kind: str, label: str) -> Iterator[Triple]:
    yield _is_a(name, kind)
    yield Triple(_id(name), _LABEL, Literal(label, language="en"))


def _is_a(name: str, kind: str) -> Triple:
    return Triple(_id(name), _TYPE, _term(kind))


def _link(subject: str, predicate: str, object_: str) -> Triple:
    return Triple(_id(subject), _term(predicate), _id(object_))


def _id(name: str) -> NamedNode:
    return NamedNode(names.ID + name)


def _term(name: str) -> NamedNode:
    return NamedNode(names.ONTOLOGY + name)


def reason(memberships: int) -> Reasoned:
    """Date a history of *memberships* and run the shipped rules over it, in this process."""
    shipped = reading.read(files.ROOT)
    rulebook, findings = rules.read(shipped)
    told = reading.Document(Path("history.ttl"), "history.ttl", "", tuple(history(memberships)))
    begun = time.process_time()
    derived = dates.derive(replace(shipped, data=(told,)))
    store = rules.store_of(
        {
            names.ASSERTED: told.triples,
            names.ONTOLOGY_GRAPH: [triple for document in shipped.ontology for triple in document.triples],
            names.INFERRED: derived.triples,
        }
    )
    concluded = rules.run(rulebook, store)
    seconds = time.process_time() - begun
    if found := (*findings, *derived.findings, *concluded.findings):
        raise SystemExit(f"The rules stopped: {found[0].message}")
    return Reasoned(
        sum(1 for _ in store.quads_for_pattern(None, _TYPE, _term("Membership"))),
        len(told.triples) + len(derived.triples),
        len(concluded.statements),
        concluded.rounds,
        seconds,
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        dict(concluded.seconds),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1000,10000,100000", help="numbers of memberships, separated by commas")
    parser.add_argument("--by-rule", action="store_true", help="the seconds that each rule took, for the largest size")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(vars(reason(given.one))))
        return
    print("memberships      facts  conclusions  rounds   CPU s    GiB  µs each  to the line before")
    former = None
    for size in given.sizes.split(","):
        command = [sys.executable, __file__, "--one", size]
        told = subprocess.run(command, check=True, capture_output=True, text=True)
        now = Reasoned(**json.loads(told.stdout))
        ratio = f"{now.microseconds / former.microseconds:.2f}" if former else "–"
        print(
            f"{now.memberships:11,} {now.facts:10,} {now.conclusions:12,} {now.rounds:7} {now.seconds:7.1f} "
            f"{now.gib:6.2f} {now.microseconds:8.1f}  {ratio}",
            flush=True,
        )
        former = now
    if former and former.memberships >= 100_000:
        met = former.seconds < MOST_SECONDS and former.gib < MOST_GIB
        print(f"{'met' if met else 'MISSED'}: 100,000 memberships in less than {MOST_SECONDS} s and {MOST_GIB:g} GiB")
    if former and given.by_rule:
        for name, seconds in sorted(former.by_rule.items(), key=lambda item: -item[1]):
            print(f"{seconds:8.2f} s  {name}")


if __name__ == "__main__":
    main()
