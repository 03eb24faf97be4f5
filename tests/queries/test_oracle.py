"""On random histories the rules conclude what the oracle does: two engines written apart, from the same definitions.

Hypothesis tells the histories, always the same ones; hundreds of them, each with states and treaties of its own, go
into one run of the rules. Where the two differ, the history is made smaller for as long as they still do, and shown.
"""

import datetime
import os
import random
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pyoxigraph
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyoxigraph import NamedNode, Store

from foedus import files, names, questions
from foedus.build import dates, reading, rules

sys.path.insert(0, str(Path(__file__).parent))

import oracle
from oracle import Act, Attestation, Dissolution, History

HISTORIES = int(os.environ.get("FOEDUS_HISTORIES", "2000"))
"""How many histories are told; BATCH of them are one run of the rules."""
BATCH = 500
YEARS = ("1900", "1901", "1902", "1903")
KINDS = (
    *(("EntryIntoForce",), ("Accession",), ("Readmission",), ("Withdrawal",), ("Termination",)) * 2,
    *(("Expiry",), ("Denunciation",), ("Suspension",), ("Freeze",), ("Signature",), ("Suspension", "EndingAct")),
    *(("Ratification",), ("RefusalToExtend",), ("Announcement",), ("Notification",)),
)
PREFIXES = "".join(f"@prefix {each}: <{names.PREFIXES[each]}> .\n" for each in ("foedus", "id", "rdfs", "xsd"))


# ── histories ──

DAYS = st.sampled_from([f"{year}-{day}" for year in YEARS for day in ("01-01", "02-28", "03-01", "06-15", "12-31")])
MONTHS = st.sampled_from([f"{year}-{month}" for year in YEARS for month in ("01", "02", "06", "12")])
PARTS = st.one_of(DAYS, DAYS, MONTHS, st.sampled_from(YEARS))
SINGLE = st.builds("{}{}".format, PARTS, st.sampled_from(["", "", "", "?", "~"]))


def _range(pair: tuple[str, str], form: str) -> str:
    start, end = sorted(pair, key=oracle.first_day)
    return form.format(start, end)


RANGES = st.builds(_range, st.tuples(PARTS, PARTS), st.sampled_from(["[{}..{}]", "{}/{}"]))
DATES = st.one_of(SINGLE, SINGLE, SINGLE, RANGES)
OPEN = st.builds("{}/..".format, PARTS)


def _some(names_: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    """One of *names_*, or several: a joint act."""
    one = st.sampled_from(names_).map(lambda name: (name,))
    return st.one_of(one, one, one, st.just(names_))


@st.composite
def histories(draw: st.DrawFn) -> History:
    """A history of one or two states under one or two treaties and a protocol, its names not yet those of a world."""
    states = draw(st.sampled_from([("a",), ("a", "b")]))
    treaties = draw(st.sampled_from([("t",), ("t", "u"), ("t", "p")]))
    alliances = draw(st.sampled_from([(), (("m", "t"),), (("m", "t"),), (("m", "t"), ("n", "t"))]))
    acts = []
    for number in range(draw(st.integers(1, 8))):
        kinds = draw(st.sampled_from(KINDS))
        effect = draw(DATES)
        occurred = draw(st.one_of(DATES, OPEN)) if "Signature" not in kinds else draw(DATES)
        acts.append(
            Act(f"act-{number}", kinds, draw(_some(states)), draw(_some(treaties)), *_when(draw, occurred, effect))
        )
    bodies = (*treaties, *(alliance for alliance, _ in alliances))
    told = draw(st.lists(st.tuples(_some(states), _some(bodies), DAYS), max_size=3))
    attestations = tuple(Attestation(f"told-{number}", *each) for number, each in enumerate(told))
    dissolved = draw(st.sampled_from([(), (), *((alliance,) for alliance, _ in alliances)]))
    dissolutions = tuple(Dissolution(f"end-of-{alliance}", alliance, draw(DATES)) for alliance in dissolved)
    protocols = tuple(treaty for treaty in treaties if treaty == "p")
    return History(states, treaties, alliances, protocols, tuple(acts), attestations, dissolutions)


def _when(draw: st.DrawFn, occurred: str, effect: str) -> tuple[str, str]:
    """The date of an act and that of its effect, one of which may be all that is known."""
    if occurred.endswith("/..") or draw(st.booleans()):
        return occurred, effect
    return effect, ""


def told(number: int) -> list[History]:
    """The first *number* histories that hypothesis tells, always the same."""
    found: list[History] = []

    @settings(max_examples=number, derandomize=True, database=None, deadline=None, suppress_health_check=HealthCheck)
    @given(histories())
    def tell(history: History) -> None:
        found.append(history)

    tell()
    return found


def named(history: History, prefix: str) -> History:
    """*history* with *prefix* before every name."""

    def each(names_: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(prefix + name for name in names_)

    return History(
        each(history.states),
        each(history.treaties),
        tuple((prefix + alliance, prefix + treaty) for alliance, treaty in history.alliances),
        each(history.protocols),
        tuple(
            replace(act, name=prefix + act.name, states=each(act.states), treaties=each(act.treaties))
            for act in history.acts
        ),
        tuple(
            replace(one, name=prefix + one.name, states=each(one.states), bodies=each(one.bodies))
            for one in history.attestations
        ),
        tuple(replace(one, name=prefix + one.name, alliance=prefix + one.alliance) for one in history.dissolutions),
    )


def turtle(history: History) -> str:
    """*history* in Turtle, a statement or more on each line, in an order that means nothing."""

    def ids(names_: tuple[str, ...]) -> str:
        return " , ".join(f"id:{name}" for name in names_)

    lines = [f'id:{state} a foedus:State ; rdfs:label "{state}"@en .' for state in history.states]
    for treaty in history.treaties:
        amends = f" ; foedus:amends id:{history.treaties[0]}" if treaty in history.protocols else ""
        lines.append(f'id:{treaty} a foedus:Treaty ; rdfs:label "{treaty}"@en{amends} .')
    for alliance, treaty in history.alliances:
        lines.append(
            f'id:{alliance} a foedus:Alliance ; rdfs:label "{alliance}"@en ; foedus:constitutedBy id:{treaty} .'
        )
    for act in history.acts:
        effect = f' ; foedus:takesEffect "{act.effect}"' if act.effect else ""
        lines.append(
            f"id:{act.name} a {' , '.join(f'foedus:{kind}' for kind in act.kinds)} ; "
            f"foedus:ofState {ids(act.states)} ; "
            f'foedus:ofTreaty {ids(act.treaties)} ; foedus:occurred "{act.occurred}"{effect} .'
        )
    for each in history.attestations:
        lines.append(
            f"id:{each.name} a foedus:Attestation ; foedus:ofState {ids(each.states)} ; "
            f'foedus:attests {ids(each.bodies)} ; foedus:asOf "{each.day}"^^xsd:date .'
        )
    for gone in history.dissolutions:
        lines.append(
            f"id:{gone.name} a foedus:Dissolution ; foedus:dissolves id:{gone.alliance} ; "
            f'foedus:takesEffect "{gone.effect}" .'
        )
    return "\n".join(lines) + "\n"


# ── what the rules make of them ──

Conclude = Callable[..., Store]


@pytest.fixture(scope="module")
def conclude() -> Conclude:
    return reasoner()


def reasoner() -> Conclude:
    """Run the shipped rules over the world in some Turtle texts, each a file; give everything as a store."""
    shipped = reading.read(files.ROOT)
    rulebook, findings = rules.read(shipped)
    assert findings == []

    def run(*texts: str) -> Store:
        data = tuple(
            reading.Document(
                Path(f"world-{number}.ttl"),
                f"world-{number}.ttl",
                text,
                tuple(quad.triple for quad in pyoxigraph.parse(PREFIXES + text, pyoxigraph.RdfFormat.TURTLE)),
            )
            for number, text in enumerate(texts)
        )
        derived = dates.derive(replace(shipped, data=data))
        assert derived.findings == ()
        store = rules.store_of(
            {
                names.ASSERTED: [triple for document in data for triple in document.triples],
                names.ONTOLOGY_GRAPH: [triple for document in shipped.ontology for triple in document.triples],
                names.INFERRED: derived.triples,
            }
        )
        assert rules.run(rulebook, store).findings == ()
        return store

    return run


SHOWN = {
    "spellNumber": lambda spell: {str(spell.number)},
    "ofState": lambda spell: {spell.state},
    "begunBy": lambda spell: {spell.begun_by},
    "endedBy": lambda spell: {spell.ended_by} - {""},
    "beginEarliest": lambda spell: {str(spell.begin_earliest)},
    "beginLatest": lambda spell: {str(spell.begin_latest)},
    "endEarliest": lambda spell: {str(spell.end_earliest)},
    "endLatest": lambda spell: {str(spell.end_latest)} if spell.end_latest else set(),
    "lastAttestedBy": lambda spell: set(spell.attested_by),
    "interrupts": lambda spell: {spell.interrupts} - {""},
    "status": lambda spell: {spell.status},
    "from": lambda spell: {spell.shown_from},
    "until": lambda spell: {spell.shown_until} - {""},
}
"""What is compared of a spell, by property: its values as the oracle has them."""

Described = dict[str, dict[str, set[str]]]


def concluded(store: Store) -> Described:
    """Every spell in *store*, with the values of what is compared."""
    found: Described = {}
    for quad in store.quads_for_pattern(None, NamedNode(names.expand("rdf:type")), NamedNode(names.ONTOLOGY + "Spell")):
        spell = quad.subject.value.removeprefix(names.ID)
        found[spell] = {name: set() for name in SHOWN}
        for name in SHOWN:
            for value in store.quads_for_pattern(quad.subject, NamedNode(names.ONTOLOGY + name), None):
                found[spell][name].add(value.object.value.removeprefix(names.ID))
    return found


def expected(history: History) -> Described:
    """Every spell of *history* by the oracle, with the same."""
    return {
        name: {key: values(spell) for key, values in SHOWN.items()} for name, spell in oracle.spells(history).items()
    }


def differences(ours: Described, theirs: Described) -> list[str]:
    """Where the rules, *ours*, and the oracle, *theirs*, say different things of a spell."""
    found = [f"{name}: only the rules have it" for name in sorted(ours.keys() - theirs.keys())]
    found += [f"{name}: only the oracle has it" for name in sorted(theirs.keys() - ours.keys())]
    for name in sorted(ours.keys() & theirs.keys()):
        found += [
            f"{name}: foedus:{key} is {sorted(ours[name][key])} by the rules, {sorted(theirs[name][key])} by the oracle"
            for key in SHOWN
            if ours[name][key] != theirs[name][key]
        ]
    return found


def smaller(history: History) -> Iterator[History]:
    """Histories that say a little less than *history*."""
    for field in ("acts", "attestations", "dissolutions"):
        items = getattr(history, field)
        for index in range(len(items)):
            yield replace(history, **{field: items[:index] + items[index + 1 :]})
    for index, act in enumerate(history.acts):
        simpler = [replace(act, occurred=act.effect, effect="")] if act.effect else []
        simpler += [replace(act, states=(each,)) for each in act.states if len(act.states) > 1]
        simpler += [replace(act, treaties=(each,)) for each in act.treaties if len(act.treaties) > 1]
        for each in simpler:
            yield replace(history, acts=(*history.acts[:index], each, *history.acts[index + 1 :]))


def smallest(history: History, fails: Callable[[History], bool]) -> History:
    """*history* made smaller for as long as it still *fails*."""
    while following := next((each for each in smaller(history) if fails(each)), None):
        history = following
    return history


@pytest.mark.parametrize("batch", range(-(-HISTORIES // BATCH)))
def test_the_rules_conclude_the_spells_that_the_oracle_does(conclude, many, batch):
    chosen = many[batch * BATCH : (batch + 1) * BATCH]
    worlds = [named(history, f"h{number}-") for number, history in enumerate(chosen)]
    ours = concluded(conclude("".join(turtle(world) for world in worlds)))
    theirs = {name: spell for world in worlds for name, spell in expected(world).items()}
    wrong = {told.partition(":")[0].partition("-h")[2].partition("-")[0] for told in differences(ours, theirs)}
    if wrong:

        def fails(history: History) -> bool:
            return bool(differences(concluded(conclude(turtle(history))), expected(history)))

        least = smallest(chosen[int(min(wrong))], fails)
        told = differences(concluded(conclude(turtle(least))), expected(least))
        pytest.fail(f"{len(wrong)} of {len(chosen)} histories. The smallest:\n{turtle(least)}\n" + "\n".join(told))


@pytest.fixture(scope="module")
def many() -> list[History]:
    return told(HISTORIES)


def asked(store: Store, slug: str, body: str, day: str) -> set[tuple[str, str, str, str]]:
    """The answer to members-on or bound-on: state, certainty, status and the spell."""
    question = questions.get(slug)
    values = {question.parameters[0].name: body, "date": day}
    text = questions.bind(question, values, lambda value, *_: names.ID + value)
    spell = {"members-on": "membership", "bound-on": "binding"}[slug]
    return {
        tuple(row[name].value.removeprefix(names.ID) for name in ("state", "certainty", "status", spell))
        for row in store.query(text, use_default_graph_as_union=True)
    }


def test_the_questions_answer_for_any_day_as_the_oracle_does(conclude, many):
    """The days are chance's, around the dates of the acts: the bounds themselves, and the days beside them."""
    chance = random.Random(5)
    worlds = [named(history, f"h{number}-") for number, history in enumerate(many[:BATCH])]
    store = conclude("".join(turtle(world) for world in worlds))
    seen = set()
    for world in worlds:
        bounds = [
            bound
            for spell in oracle.spells(world).values()
            for bound in (spell.begin_earliest, spell.begin_latest, spell.end_earliest, spell.end_latest)
            if bound
        ]
        for _ in range(2):
            day = chance.choice([*bounds, datetime.date(1901, 7, 1)]) + datetime.timedelta(chance.choice([-1, 0, 0, 1]))
            for slug, kind, bodies in (
                ("bound-on", "TreatyBinding", world.treaties),
                ("members-on", "Membership", [alliance for alliance, _ in world.alliances]),
            ):
                for body in bodies:
                    right = oracle.on(world, body, kind, day)
                    assert asked(store, slug, body, str(day)) == right, f"{slug} {body} {day}\n{turtle(world)}"
                    seen |= {(certainty, status) for _, certainty, status, _ in right}
    words = {(each, status) for each in ("certain", "possible", "presumed") for status in ("party", "member")}
    assert seen >= words | {("certain", "frozen"), ("certain", "suspended")}


# ── what must make no difference ──


def everything(store: Store) -> set[str]:
    """Every statement that was derived or concluded."""
    return {str(quad.triple) for quad in store.quads_for_pattern(None, None, None, NamedNode(names.INFERRED))}


def test_the_order_of_statements_and_their_division_into_files_change_nothing(conclude, many):
    lines = [line for n, history in enumerate(many[:60]) for line in turtle(named(history, f"h{n}-")).splitlines()]
    once = everything(conclude("\n".join(lines)))
    shuffled = random.Random(6).sample(lines, len(lines))
    parts = ["\n".join(shuffled[start::5]) for start in range(5)]
    assert everything(conclude(*parts)) == everything(conclude(*reversed(parts))) == once


def test_an_unrelated_history_changes_no_conclusion_about_others(conclude, many):
    one, other = (turtle(named(history, prefix)) for history, prefix in zip(many[-2:], ("one-", "other-"), strict=True))
    source = 'id:chronicle a foedus:Source ; rdfs:label "Chronicle"@en .\n'
    apart = everything(conclude(one)) | everything(conclude(other)) | everything(conclude(source))
    assert everything(conclude(one + other + source)) == apart


def test_renaming_a_state_renames_its_conclusions_and_changes_no_other(conclude, many):
    for history in many[-5:]:
        text = turtle(named(history, "x-"))
        before, after = everything(conclude(text)), everything(conclude(renamed(text)))
        assert {renamed(statement) for statement in before} == after
        assert {each for each in before if "x-a" not in renamed_parts(each)} <= after


def renamed(text: str) -> str:
    """*text* with another name for the state a."""
    return re.sub(r"\bx-a\b(?!ct)", "x-zeta", text)


def renamed_parts(statement: str) -> set[str]:
    """The names of things in *statement* that renaming changes."""
    return set(re.findall(r"\bx-a\b(?!ct)", statement))


def exact(chance: random.Random) -> History:
    """A history of one state, every date a day of its own or shared."""
    kinds = [(kind,) for kind in ("Accession", "Readmission", "Withdrawal", "Expiry")]
    days = [str(datetime.date(1900, 1, 1) + datetime.timedelta(chance.randrange(12))) for _ in range(10)]
    acts = [Act(f"act-{n}", chance.choice(kinds), ("a",), ("t",), day) for n, day in enumerate(days)]
    return History(("a",), ("t",), (("m", "t"),), (), tuple(acts))


def test_where_every_day_is_known_a_state_is_bound_as_if_a_switch_were_turned(conclude):
    """A second definition, of days alone: an act that ends turns off, one that begins then turns on."""
    chance = random.Random(7)
    worlds = [named(exact(chance), f"h{number}-") for number in range(300)]
    found = concluded(conclude("".join(turtle(world) for world in worlds)))
    for number, world in enumerate(worlds):
        spells = [found[name] for name in found if name.startswith(f"binding-h{number}-")]
        bound = False
        for day in (str(datetime.date(1900, 1, 1) + datetime.timedelta(each)) for each in range(14)):
            today = {kind for act in world.acts if act.occurred == day for kind in act.kinds}
            bound = bool(today & oracle.BEGINNING) or (bound and not today & oracle.ENDING)
            held = [
                each
                for each in spells
                if min(each["beginEarliest"]) <= day and not any(end <= day for end in each["endLatest"])
            ]
            assert len(held) == bound, f"{day}\n{turtle(world)}"
