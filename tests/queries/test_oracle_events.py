"""On random worlds of states, treaties, fighting and requests the rules conclude what the oracle of events does.

The worlds are chance's, always the same ones. Where the two differ, the world is made smaller for as long as they still
do, and shown.
"""

import itertools
import os
import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import NamedNode, Store

from foedus import names, questions

sys.path.insert(0, str(Path(__file__).parent))

import oracle
import oracle_events
from oracle import Act, Attestation, Dissolution, History
from oracle_events import Ceasefire, ConflictYear, Incident, Reply, Request, Told, Wording, World
from test_oracle import Conclude, reasoner, turtle

WORLDS = int(os.environ.get("FOEDUS_HISTORIES", "1000"))
"""How many worlds are made; BATCH of them are one run of the rules."""
BATCH = 500
CONCLUDED = (
    *("fellWithin", "mayHaveFallenWithin", "appliedVersion", "obliged", "possiblyObliged", "answer"),
    *("betweenAllies", "possiblyBetweenAllies", "boundToBothSides", "possiblyBoundToBothSides"),
    *("supersededBy", "daysHeld", "agreedVerdict", "returnedAfter", "continues"),
    *("withoutMembershipIn", "possiblyWithoutMembershipIn", "withoutBindingBy", "possiblyWithoutBindingBy"),
)
KINDS = ("militaryAssistance", "consultations", "observerMission")
STATES = ("a", "b", "c")


def some(chance: random.Random, items: tuple[str, ...], least: int = 1) -> tuple[str, ...]:
    return tuple(sorted(chance.sample(items, chance.randint(least, len(items)))))


def date(chance: random.Random, years: tuple[int, ...], exactly: float = 0.5) -> str:
    """An EDTF date within *years*; as often as *exactly* says, a day."""
    year = chance.choice(years)
    day = f"{year}-{chance.choice(['01-01', '03-01', '06-15', '12-31'])}"
    if chance.random() < exactly:
        return day
    other = f"{chance.choice(years)}-{chance.choice(['02-28', '07-01', '10-31'])}"
    return chance.choice([str(year), f"{year}-06", f"[{min(day, other)}..{max(day, other)}]"])


def made(chance: random.Random) -> World:
    """A world of three states under two treaties, most of them bound by both early on."""
    kinds = (
        ["Accession", "EntryIntoForce"] * 3 + ["Withdrawal", "Expiry", "Termination"] * 2 + ["Readmission", "Freeze"]
    )
    acts = [Act("act-0", ("EntryIntoForce",), some(chance, STATES, 2), some(chance, ("t", "u")), date(chance, (1900,)))]
    for number in range(1, chance.randint(2, 7)):
        kind = chance.choice(kinds)
        years = (1900, 1901) if kind in oracle.BEGINNING else (1901, 1902, 1903)
        acts.append(Act(f"act-{number}", (kind,), some(chance, STATES), some(chance, ("t", "u")), date(chance, years)))
    told = [Attestation("roll", STATES, ("t", "u", "m", "n"), f"190{chance.randint(1, 4)}-06-30")][
        chance.randrange(2) :
    ]
    gone = [Dissolution("end", "m", date(chance, (1902, 1903)))][chance.choice((0, 1, 1)) :]
    alliances = (("m", "t"), ("n", "u"))
    history = History(STATES, ("t", "u"), alliances, (), tuple(acts), tuple(told), tuple(gone))
    later = (1901, 1902, 1903)
    wordings = [
        Wording("t-1", "t", date(chance, (1900, 1901)), "", ("defence",)),
        Wording("u-1", "u", date(chance, (1900,))),
    ]
    if chance.random() < 0.5:
        obliges = some(chance, STATES) if chance.random() < 0.3 else ()
        wordings.append(Wording("t-2", "t", date(chance, (1902, 1903)), "t-1", ("consultation",), obliges))
    if chance.random() < 0.7:
        wordings[1] = replace(wordings[1], kinds=("defence",))
    incidents = tuple(
        Incident(f"fight-{n}", some(chance, STATES), some(chance, STATES, 0)[:1], date(chance, later)) for n in range(2)
    )
    return World(
        history,
        chance.choice(("1904-06-20", "1906-12-31")),
        (("n", "t"),) if chance.random() < 0.7 else (),
        (("n", "m"),) if chance.random() < 0.5 else (),
        tuple(wordings),
        incidents,
        tuple(_conflict_year(chance, n) for n in range(2)),
        tuple(_requests(chance)),
        tuple(
            Reply(
                f"reply-{n}",
                chance.choice(("Decision", "Outcome")),
                f"plea-{chance.randrange(2)}",
                date(chance, (1904, 1905)),
                some(chance, KINDS, 0)[:2],
            )
            for n in range(chance.randrange(4))
        ),
        tuple(
            Ceasefire(
                f"truce-{n}",
                f"fight-{chance.randrange(2)}",
                date(chance, later, 0.8),
                some(chance, STATES),
                date(chance, later, 0.8) if chance.random() < 0.5 else "",
                tuple(chance.choice(("held", "broken")) for _ in range(chance.randrange(3))),
            )
            for n in range(chance.randrange(4))
        ),
    )


def _conflict_year(chance: random.Random, number: int) -> ConflictYear:
    year = chance.choice((1901, 1902, 1903))
    shuffled = chance.sample(STATES, 3)
    side_a, side_b = tuple(shuffled[:1]), tuple(shuffled[1 : chance.randint(2, 3)])
    helps = tuple(shuffled[2:]) if len(side_b) == 1 and chance.random() < 0.4 else ()
    began = date(chance, (year,) if chance.random() < 0.5 else (year - 1, year))
    ended = date(chance, chance.choice(((year,), (year + 1,)))) if chance.random() < 0.4 else ""
    if ended and oracle.last_day(ended) < oracle.first_day(began):
        ended = ""
    return ConflictYear(
        f"year-{number}",
        year,
        side_a,
        *((helps, side_b, ()) if chance.random() < 0.5 else ((), side_b, helps)),
        began,
        ended,
    )


def _requests(chance: random.Random) -> Iterator[Request]:
    for number in range(2):
        on = date(chance, (1901, 1902)) if chance.random() < 0.85 else ""
        behind = tuple(f"fight-{n}" for n in range(2) if chance.random() < 0.4)
        yield Request(
            f"plea-{number}", chance.choice("tu"), some(chance, STATES)[:2], on, some(chance, KINDS, 0)[:2], behind
        )


def prefixed(thing: Any, prefix: str) -> Any:
    """*thing*, a world or a part of one, with *prefix* before the name of whatever it names."""
    plain = {
        "kind",
        "kinds",
        "occurred",
        "effect",
        "on",
        "began",
        "ended",
        "held",
        "day",
        "today",
        "verdicts",
        "asks",
        "gives",
    }

    def each(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(each(item) for item in value)
        if isinstance(value, str):
            return prefix + value if value else value
        return prefixed(value, prefix) if is_dataclass(value) else value

    return replace(thing, **{f.name: each(getattr(thing, f.name)) for f in fields(thing) if f.name not in plain})


def written(world: World) -> str:
    """*world* in Turtle."""

    def links(property_: str, values: tuple[str, ...], prefix: str = "id") -> str:
        return f" ; foedus:{property_} {' , '.join(f'{prefix}:{value}' for value in values)}" if values else ""

    lines = [turtle(world.history)]
    lines += [f"id:{alliance} foedus:basedOn id:{treaty} ." for alliance, treaty in world.based_on]
    lines += [f"id:{alliance} foedus:succeeds id:{former} ." for alliance, former in world.succeeds]
    for each in world.wordings:
        lines.append(f"id:{each.treaty}-article a foedus:Article ; foedus:articleOf id:{each.treaty} .")
        lines.append(f'id:{each.name}-act a foedus:EntryIntoForce ; foedus:takesEffect "{each.effect}" .')
        replaces = links("replaces", (each.replaces,) if each.replaces else ())
        kinds, obliged = links("hasObligation", each.kinds, "foedus"), links("obliges", each.obliges)
        lines.append(
            f"id:{each.name} a foedus:ArticleVersion ; foedus:versionOf id:{each.treaty}-article ; "
            f"foedus:introducedBy id:{each.name}-act{replaces}{kinds}{obliged} ."
        )
    for fight in world.incidents:
        parts = links("participant", fight.participants) + links("attackedState", fight.attacked)
        lines.append(f'id:{fight.name} a foedus:Incident ; foedus:began "{fight.began}"{parts} .')
    for year in world.years:
        sides = links("sideA", year.side_a) + links("supportsSideA", year.helps_a)
        sides += links("sideB", year.side_b) + links("supportsSideB", year.helps_b)
        ended = f' ; foedus:ended "{year.ended}"' if year.ended else ""
        lines.append(
            f"id:{year.name} a foedus:ConflictYear ; foedus:year {year.year} ; "
            f'foedus:began "{year.began}"{ended}{sides} .'
        )
    for plea in world.requests:
        asked = (
            links("requestedBy", plea.by) + links("asksFor", plea.asks, "foedus") + links("triggeredBy", plea.behind)
        )
        on = f' ; foedus:requestedOn "{plea.on}"' if plea.on else ""
        lines.append(
            f"id:{plea.name} a foedus:ArticleInvocation ; foedus:invokes id:{plea.treaty}-article{on}{asked} ."
        )
    for reply in world.replies:
        link = {"Decision": "decisionOn", "Outcome": "outcomeOf"}[reply.kind]
        given = links("provides", reply.gives, "foedus")
        lines.append(
            f"id:{reply.name} a foedus:{reply.kind} ; foedus:{link} id:{reply.request} ; "
            f'foedus:occurred "{reply.on}"{given} .'
        )
    for truce in world.ceasefires:
        held = f' ; foedus:heldUntil "{truce.held}"' if truce.held else ""
        lines.append(
            f"id:{truce.name} a foedus:Ceasefire ; foedus:onIncident id:{truce.incident} ; "
            f'foedus:takesEffect "{truce.effect}"{held}{links("ceasefireParty", truce.parties)} .'
        )
        for n, verdict in enumerate(truce.verdicts):
            lines.append(
                f"id:{truce.name}-claim-{n} a foedus:CeasefireStatusClaim ; foedus:about id:{truce.name} ; "
                f"foedus:verdict foedus:{verdict} ."
            )
    return "\n".join(lines) + "\n"


def dataset(*worlds: World) -> str:
    """*worlds*, all of the same day, as one text."""
    day = f'id:foedus-dataset foedus:asOf "{worlds[0].today}"^^xsd:date .\n'
    return day + "".join(map(written, worlds))


def concluded(store: Store) -> set[Told]:
    """What *store* says with the properties that are compared."""
    return {
        (
            quad.subject.value.removeprefix(names.ID),
            name,
            quad.object.value.removeprefix(names.ID).removeprefix(names.ONTOLOGY),
        )
        for name in CONCLUDED
        for quad in store.quads_for_pattern(None, NamedNode(names.ONTOLOGY + name), None, None)
    }


def smaller(world: World) -> Iterator[World]:
    """Worlds that say a little less than *world*."""
    for name in ("years", "ceasefires", "replies", "requests", "incidents", "wordings", "based_on", "succeeds"):
        items = getattr(world, name)
        yield from (replace(world, **{name: items[:n] + items[n + 1 :]}) for n in range(len(items)))
    for name in ("acts", "attestations", "dissolutions"):
        items = getattr(world.history, name)
        yield from (
            replace(world, history=replace(world.history, **{name: items[:n] + items[n + 1 :]}))
            for n in range(len(items))
        )


def smallest(world: World, fails: Callable[[World], bool]) -> World:
    while following := next((each for each in smaller(world) if fails(each)), None):
        world = following
    return world


@pytest.fixture(scope="module")
def conclude() -> Conclude:
    return reasoner()


@pytest.fixture(scope="module")
def worlds() -> list[World]:
    """All worlds, those of a batch with the same day of the data set."""
    chance = random.Random(8)
    found = [made(chance) for _ in range(WORLDS)]
    return [replace(world, today=found[n - n % BATCH].today) for n, world in enumerate(found)]


@pytest.mark.parametrize("batch", range(-(-WORLDS // BATCH)))
def test_the_rules_conclude_for_events_what_the_oracle_does(conclude, worlds, batch):
    chosen = [prefixed(world, f"w{n}-") for n, world in enumerate(worlds) if n // BATCH == batch]
    ours = concluded(conclude(dataset(*chosen)))
    theirs = {told for world in chosen for told in oracle_events.follows(world)}
    assert set(CONCLUDED) == {property_ for _, property_, _ in theirs}
    if ours != theirs:
        counted = Counter(property_ for _, property_, _ in ours ^ theirs)
        number = min(
            int(found) - batch * BATCH for told in ours ^ theirs for found in re.findall(r"\bw(\d+)-", told[0])[:1]
        )

        def differs(world: World) -> bool:
            return concluded(conclude(dataset(world))) != oracle_events.follows(world)

        least = smallest(worlds[batch * BATCH + number], differs)
        rules, right = concluded(conclude(dataset(least))), oracle_events.follows(least)
        pytest.fail(
            f"{counted}. The smallest:\n{dataset(least)}\nOnly the rules: {sorted(rules - right)}\n"
            f"Only the oracle: {sorted(right - rules)}"
        )


def answers(store: Store, slug: str, columns: tuple[str, ...], **values: str) -> set[tuple[str, ...]]:
    """The rows of a stored question, with empty texts for unbound cells."""
    text = questions.bind(questions.get(slug), values, lambda value, *_: names.ID + value)
    return {
        tuple(row[name].value.removeprefix(names.ID) if row[name] else "" for name in columns)
        for row in store.query(text, use_default_graph_as_union=True)
    }


@pytest.fixture(scope="module")
def some_worlds(worlds) -> list[World]:
    return [prefixed(world, f"w{n}-") for n, world in enumerate(worlds[:150])]


@pytest.fixture(scope="module")
def store(conclude, some_worlds) -> Store:
    return conclude(dataset(*some_worlds))


def test_the_question_of_returns_answers_as_the_oracle_does(store, some_worlds):
    spells = [spell for world in some_worlds for spell in oracle.spells(world.history).values()]
    by_number = {(each.kind, each.body, each.state, each.number): each for each in spells}
    right = set()
    for (kind, body, state, number), latter in by_number.items():
        former = by_number.get((kind, body, state, number - 1))
        if kind in ("Membership", "TreatyBinding") and former:
            right.add((state, body, former.shown_until, latter.shown_from))
    assert len(right) > 20
    assert answers(store, "left-and-returned", ("state", "body", "left", "returned")) == right


def test_the_question_of_treaty_without_membership_answers_for_any_day_as_the_oracle_does(store, some_worlds):
    """Each state, treaty and pair of words in which the record is not equally sure of bond and membership."""
    chance = random.Random(9)
    seen = set()
    for world in some_worlds:
        spells = list(oracle.spells(world.history).values())
        day = oracle.first_day(date(chance, (1900, 1901, 1902, 1903)))
        alliance = chance.choice(world.history.alliances)[0]
        right = set()
        for body, treaty in (*world.history.alliances, *world.based_on):
            for state in world.history.states if body == alliance else ():
                words = [
                    {each.certainty(day) for each in spells if (each.kind, each.body, each.state) == (kind, of, state)}
                    - {""}
                    or {""}
                    for kind, of in (("TreatyBinding", treaty), ("Membership", alliance))
                ]
                right |= {(state, treaty, *both) for both in itertools.product(*words) if both[0] != both[1]}
        columns = ("state", "treaty", "bound", "member")
        found = answers(store, "treaty-without-membership", columns, alliance=alliance, date=str(day))
        assert found == right, f"{alliance} {day}\n{written(world)}"
        seen |= {row[2:] for row in right}
    assert seen >= {("certain", ""), ("", "certain"), ("possible", "certain")}
