"""What follows for events from a history, worked out a second time, in plain Python and by looking at days.

Like the oracle of spells, on which it builds, it shares nothing with the rules. Between two days on which a date begins
or ceases to be possible nothing changes, so that these days, and those beside them, stand for all. Of each day it is
known whether a spell or a wording held on it for certain, perhaps or not; then

* an event fell within a spell that held for certain on each day that may be the event's, and may have where the spell
  may have held on one of them;
* what needs several things at once is certain where all held for certain on each such day, and possible where all may
  have held on one and the same;
* a conflict-year lasted from a day to a day: whatever these were, one day of it must be one on which all held;
* two spells met for certain if they did so whatever the days of the acts were that began and ended them.
"""

import datetime
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import oracle
from oracle import DAY, History, Spell, first_day, last_day

FAR = datetime.date(2100, 1, 1)
"""A day after all others: the end of what has none."""


@dataclass(frozen=True)
class Wording:
    """A wording of the article of *treaty*, valid from *effect* until the next of the same treaty replaces it."""

    name: str
    treaty: str
    effect: str
    replaces: str = ""
    kinds: tuple[str, ...] = ()
    obliges: tuple[str, ...] = ()


@dataclass(frozen=True)
class Incident:
    """Something in which *participants* took part and *attacked* were attacked, begun on the EDTF date *began*."""

    name: str
    participants: tuple[str, ...]
    attacked: tuple[str, ...]
    began: str


@dataclass(frozen=True)
class ConflictYear:
    """A year of fighting, with the parties of each side and those that helped it; *ended* is empty where it went on."""

    name: str
    year: int
    side_a: tuple[str, ...]
    helps_a: tuple[str, ...]
    side_b: tuple[str, ...]
    helps_b: tuple[str, ...]
    began: str
    ended: str = ""


@dataclass(frozen=True)
class Request:
    """What *by* asked for *on* a day, empty where no day is recorded, by the article of *treaty*."""

    name: str
    treaty: str
    by: tuple[str, ...]
    on: str
    asks: tuple[str, ...] = ()
    behind: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reply:
    """A Decision on *request* or an Outcome of it, with what it *gives*."""

    name: str
    kind: str
    request: str
    on: str
    gives: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ceasefire:
    """A ceasefire in *incident*, in effect from *effect*, held until *held*; *verdicts* is what claims say of it."""

    name: str
    incident: str
    effect: str
    parties: tuple[str, ...]
    held: str = ""
    verdicts: tuple[str, ...] = ()


@dataclass(frozen=True)
class World:
    """A history with events; *based_on* are pairs of alliance and treaty, *succeeds* pairs of alliances."""

    history: History
    today: str
    based_on: tuple[tuple[str, str], ...] = ()
    succeeds: tuple[tuple[str, str], ...] = ()
    wordings: tuple[Wording, ...] = ()
    incidents: tuple[Incident, ...] = ()
    years: tuple[ConflictYear, ...] = ()
    requests: tuple[Request, ...] = ()
    replies: tuple[Reply, ...] = ()
    ceasefires: tuple[Ceasefire, ...] = ()


Told = tuple[str, str, str]
"""A conclusion: what it is about, the property, the value."""


def follows(world: World) -> set[Told]:
    """Everything that follows for the events of *world*, and for its spells from one another."""
    spells = list(oracle.spells(world.history).values())
    days = _Days(world, spells)
    return {
        *_within(world, spells, days),
        *_obliged(world, spells, days),
        *_answers(world),
        *_fights(world, spells, days),
        *_ceasefires(world),
        *_meetings(world, spells),
        *_returns(world, spells),
    }


Days = int
"""A set of days, each a bit by its place among the representative ones."""


class _Days:
    """The representative days of a world, and on which of them its spells and wordings held."""

    def __init__(self, world: World, spells: Iterable[Spell]) -> None:
        self.world = world
        found = {datetime.date(year.year, month, day) for year in world.years for month, day in ((1, 1), (12, 31))}
        bounds = [day for spell in spells for day in _bounds(spell)]
        dates = [wording.effect for wording in world.wordings] + [incident.began for incident in world.incidents]
        dates += [request.on for request in world.requests] + [reply.on for reply in world.replies]
        dates += [date for year in world.years for date in (year.began, year.ended)]
        bounds += [end for date in dates if date for end in (first_day(date), last_day(date))]
        found |= {day + step for day in bounds for step in (-DAY, DAY * 0, DAY)}
        self.all = sorted(found)
        self.known: dict[tuple[str, str], Days] = {}

    def those(self, holds: Callable[[datetime.date], bool]) -> Days:
        return sum(1 << place for place, day in enumerate(self.all) if holds(day))

    def between(self, first: datetime.date, last: datetime.date) -> Days:
        return self.those(lambda day: first <= day <= last)

    def certain(self, thing: Spell | Wording) -> Days:
        if isinstance(thing, Spell):
            return self.once("certain", thing, lambda day: thing.certainty(day) == "certain")
        gone = [first_day(each.effect) for each in self.newer(thing)]
        return self.once("certain", thing, lambda day: last_day(thing.effect) <= day and all(day < end for end in gone))

    def possible(self, thing: Spell | Wording) -> Days:
        if isinstance(thing, Spell):
            return self.once("possible", thing, lambda day: thing.certainty(day) != "")
        gone = [last_day(each.effect) for each in self.newer(thing)]
        return self.once(
            "possible", thing, lambda day: first_day(thing.effect) <= day and all(day < end for end in gone)
        )

    def once(self, how: str, thing: Spell | Wording, holds: Callable[[datetime.date], bool]) -> Days:
        if (how, thing.name) not in self.known:
            self.known[how, thing.name] = self.those(holds)
        return self.known[how, thing.name]

    def newer(self, wording: Wording) -> list[Wording]:
        return [each for each in self.world.wordings if each.replaces == wording.name]


def _bounds(spell: Spell) -> Iterator[datetime.date]:
    yield from (spell.begin_earliest, spell.begin_latest, spell.end_earliest)
    if spell.end_latest:
        yield spell.end_latest


def _asked(world: World, request: Request) -> tuple[datetime.date, datetime.date] | None:
    """The first and the last day that may be the request's; None where nothing tells."""
    if request.on:
        return first_day(request.on), last_day(request.on)
    began = [first_day(each.began) for each in world.incidents if each.name in request.behind]
    decided = [last_day(each.on) for each in world.replies if each.kind == "Decision" and each.request == request.name]
    return (max(began), min(decided)) if began and decided else None


def _within(world: World, spells: list[Spell], days: _Days) -> Iterator[Told]:
    events: list[tuple[str, tuple[str, ...], tuple[datetime.date, datetime.date] | None]] = [
        (each.name, each.participants + each.attacked, (first_day(each.began), last_day(each.began)))
        for each in world.incidents
    ]
    for request in world.requests:
        events.append((request.name, request.by, _asked(world, request)))
        events += [
            (each.name, request.by, (first_day(each.on), last_day(each.on)))
            for each in world.replies
            if each.kind == "Decision" and each.request == request.name
        ]
    for name, states, span in events:
        if span is None:
            continue
        when = days.between(*span)
        for spell in spells:
            if spell.kind in ("Membership", "TreatyBinding") and spell.state in states:
                if not when & ~days.certain(spell):
                    yield name, "fellWithin", spell.name
                elif when & days.possible(spell):
                    yield name, "mayHaveFallenWithin", spell.name


def _obliged(world: World, spells: list[Spell], days: _Days) -> Iterator[Told]:
    for request in world.requests:
        span = _asked(world, request)
        if span is None:
            continue
        when = days.between(*span)
        attacked = {state for each in world.incidents if each.name in request.behind for state in each.attacked}
        certain, possible = set(), set()
        for wording in world.wordings:
            if wording.treaty != request.treaty or when & ~days.certain(wording):
                continue
            yield request.name, "appliedVersion", wording.name
            for spell in spells:
                if spell.kind != "TreatyBinding" or spell.body != request.treaty or not wording.kinds:
                    continue
                if spell.state in {*request.by, *attacked} or not _pledges(wording, spell.state):
                    continue
                if not when & ~days.certain(spell):
                    certain.add(spell.state)
                elif when & days.possible(spell):
                    possible.add(spell.state)
        yield from ((request.name, "obliged", state) for state in certain)
        yield from ((request.name, "possiblyObliged", state) for state in possible - certain)


def _pledges(wording: Wording, state: str) -> bool:
    return not wording.obliges or state in wording.obliges


def _answers(world: World) -> Iterator[Told]:
    today = datetime.date.fromisoformat(world.today)
    for request in world.requests:
        given = {
            kind
            for reply in world.replies
            if reply.request == request.name and last_day(reply.on) <= today
            for kind in reply.gives
        }
        span = _asked(world, request)
        if given & set(request.asks):
            yield request.name, "answer", "answered"
        elif given:
            yield request.name, "answer", "answeredOtherwise"
        elif span and span[0] <= today:
            yield request.name, "answer", "unanswered"


def _fights(world: World, spells: list[Spell], days: _Days) -> Iterator[Told]:
    """Between allies and bound to both sides: of incidents by their one day, of conflict-years by any of theirs."""
    for incident in world.incidents:
        when = days.between(first_day(incident.began), last_day(incident.began))
        # Whatever the day was, it must be one of those on which all held.
        worlds = [1 << place for place in range(len(days.all)) if when >> place & 1]
        pairs = list(itertools.permutations(incident.participants, 2))
        yield from _of_fight(incident.name, pairs, worlds, world, spells, days)
    for year in world.years:
        pairs = list(itertools.product(year.side_a + year.helps_a, year.side_b + year.helps_b))
        pairs = [(one, other) for one, other in pairs if one != other]
        yield from _of_fight(year.name, pairs, list(_courses(year, days)), world, spells, days)


def _courses(year: ConflictYear, days: _Days) -> Iterator[Days]:
    """The days of the conflict-year by each course that the fighting may have taken."""
    new_year, last = datetime.date(year.year, 1, 1), datetime.date(year.year, 12, 31)
    begins = [day for day in days.all if first_day(year.began) <= day <= last_day(year.began)]
    ends = [day for day in days.all if year.ended and first_day(year.ended) <= day <= last_day(year.ended)] or [last]
    for begin, end in itertools.product(begins, ends):
        if begin <= end:
            yield days.between(max(begin, new_year), min(end, last))


def _of_fight(
    name: str, pairs: list[tuple[str, str]], worlds: list[Days], world: World, spells: list[Spell], days: _Days
) -> Iterator[Told]:
    """What follows of fighting between each two of *pairs*, *worlds* being the days that it may have had."""
    for property_, values in (
        ("etweenAllies", _allied(world, spells, pairs)),
        ("oundToBothSides", _bound_to_both(world, spells, pairs)),
    ):
        certain, possible = set(), set()
        for value, things in values:
            surely = perhaps = -1
            for thing in things:
                surely &= days.certain(thing)
                perhaps &= days.possible(thing)
            if all(each & surely for each in worlds):
                certain.add(value)
            if any(each & perhaps for each in worlds):
                possible.add(value)
        yield from ((name, f"b{property_}", value) for value in certain)
        yield from ((name, f"possiblyB{property_}", value) for value in possible - certain)


Needed = Iterator[tuple[str, tuple[Spell | Wording, ...]]]
"""What would be concluded, and all that must hold at once for it."""


def _allied(world: World, spells: list[Spell], pairs: list[tuple[str, str]]) -> Needed:
    for one, other in pairs:
        for a, b in itertools.product(_held(spells, "Membership", one), _held(spells, "Membership", other)):
            if a.body == b.body:
                yield a.body, (a, b)


def _bound_to_both(world: World, spells: list[Spell], pairs: list[tuple[str, str]]) -> Needed:
    for one, other in pairs:
        for state in set(world.history.states) - {one, other}:
            own = _held(spells, "TreatyBinding", state)
            to_one, to_other = (
                [
                    (a, c, wording)
                    for a, c in itertools.product(_held(spells, "TreatyBinding", side), own)
                    for wording in world.wordings
                    if a.body == c.body == wording.treaty and "defence" in wording.kinds and _pledges(wording, state)
                ]
                for side in (one, other)
            )
            yield from ((state, (*first, *second)) for first, second in itertools.product(to_one, to_other))


def _held(spells: list[Spell], kind: str, state: str) -> list[Spell]:
    return [each for each in spells if each.kind == kind and each.state == state]


def _ceasefires(world: World) -> Iterator[Told]:
    for each in world.ceasefires:
        later = [
            other
            for other in world.ceasefires
            if other.incident == each.incident
            and set(each.parties) <= set(other.parties)
            and first_day(other.effect) > last_day(each.effect)
        ]
        soonest = min((first_day(other.effect) for other in later), default=None)
        for other in later:
            if first_day(other.effect) == soonest:
                yield each.name, "supersededBy", other.name
        if len(each.effect) == len(each.held) == len("1900-01-01"):
            days = (first_day(each.held) - first_day(each.effect)).days + 1
            if days > 0:
                yield each.name, "daysHeld", str(days)
        if len(set(each.verdicts)) == 1:
            yield each.name, "agreedVerdict", each.verdicts[0]


def _meetings(world: World, spells: list[Spell]) -> Iterator[Told]:
    constituted = [(alliance, treaty) for alliance, treaty in world.history.alliances]
    for alliance, treaty in (*constituted, *world.based_on):
        for binding in spells:
            if (binding.kind, binding.body) == ("TreatyBinding", treaty):
                others = [each for each in spells if (each.body, each.state) == (alliance, binding.state)]
                yield from _unmet(binding, others, "WithoutMembershipIn", alliance)
    for alliance, treaty in world.based_on:
        for membership in spells:
            if membership.body == alliance:
                others = [
                    each
                    for each in spells
                    if (each.kind, each.body, each.state) == ("TreatyBinding", treaty, membership.state)
                ]
                yield from _unmet(membership, others, "WithoutBindingBy", treaty)


def _unmet(spell: Spell, others: list[Spell], property_: str, value: str) -> Iterator[Told]:
    met = [set(_met(spell, other)) for other in others]
    if not any(True in each for each in met):
        yield spell.name, property_[0].lower() + property_[1:], value
    elif not any(each == {True} for each in met):
        yield spell.name, f"possibly{property_}", value


def _met(one: Spell, other: Spell) -> Iterator[bool]:
    """Whether two spells had a day in common, for the least and the greatest that the days of their acts may have been.

    No other days tell more: two spells miss each other first where one begins as late and the other ends as early as
    can be, each having lasted a day.
    """
    choices: dict[str, set[datetime.date]] = {}
    for spell in (one, other):
        last = spell.end_latest or FAR
        begins = {spell.begin_earliest, spell.begin_latest, min(spell.begin_latest, last - DAY)}
        ends = {spell.end_earliest, last, max(spell.end_earliest, spell.begin_earliest + DAY)}
        choices.setdefault(spell.begun_by, set()).update(begins)
        choices.setdefault(_end(spell), set()).update(ends)
    for chosen in itertools.product(*choices.values()):
        day = dict(zip(choices, chosen, strict=True))
        if all(day[spell.begun_by] < day[_end(spell)] for spell in (one, other)):
            yield day[one.begun_by] < day[_end(other)] and day[other.begun_by] < day[_end(one)]


def _end(spell: Spell) -> str:
    return spell.ended_by or f"open end of {spell.name}"


def _returns(world: World, spells: list[Spell]) -> Iterator[Told]:
    for former, latter in itertools.product(spells, spells):
        if former.state != latter.state or latter.kind not in ("Membership", "TreatyBinding"):
            continue
        if (former.kind, former.body) == (latter.kind, latter.body):
            if former.ended_by and latter.number == former.number + 1:
                yield latter.name, "returnedAfter", former.name
        elif (former.kind, latter.kind) == ("TreatyBinding", "Membership"):
            left, back = former.end_latest, latter.begin_earliest
            if (latter.body, former.body) in world.based_on and latter.number == 1 and left and left < back:
                between = [
                    each
                    for each in spells
                    if (each.kind, each.body, each.state) == ("TreatyBinding", former.body, former.state)
                    and left <= each.begin_earliest < back
                ]
                if not between:
                    yield latter.name, "returnedAfter", former.name
        if (latter.body, former.body) in world.succeeds and former.kind == latter.kind == "Membership":
            joined, begin = former.begin_latest, latter.begin_latest
            if joined <= begin <= former.end_earliest and joined < latter.end_earliest:
                yield latter.name, "continues", former.name
