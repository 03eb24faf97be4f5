"""What follows from a history of legal acts, worked out a second time, in plain Python and by walking through time.

It is written from the definitions and shares nothing with the rules or with the build's reading of dates. A state is
bound from the first day of effect of an act that begins a bond to the first day of effect of the act that ends it; a
date may mean any day between its first and its last, and a spell keeps these as its four bounds. Where the order of two
acts is not known, they are taken in the order of their first possible days (then of their names), and

* an act ends the bond that it can come after, and none that has an end already;
* a state is bound again by an act that cannot come before the earliest end of the former bond;
* a membership ends with whatever can come first, the end of the bond or that of the alliance;
* an interruption is of the first spell in which it can fall, and ends with the first readmission to the same treaty, or
  with the spell;
* a signature counts where the state cannot have been bound on its first possible day.

Any end lies after the first possible day of what it ends. An open spell is held to have lasted until its last
attestation, or for the day after which it has certainly begun.
"""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

DAY = datetime.timedelta(days=1)

BEGINNING = frozenset({"EntryIntoForce", "Accession", "Readmission"})
ENDING = frozenset({"Expiry", "Termination", "Withdrawal", "Denunciation", "EndingAct"})
INTERRUPTING = {"Suspension": "suspended", "Freeze": "frozen"}


@dataclass(frozen=True)
class Act:
    """A legal act of *kinds*, done on the EDTF date *occurred*, with effect on *effect* or else on that date."""

    name: str
    kinds: tuple[str, ...]
    states: tuple[str, ...]
    treaties: tuple[str, ...]
    occurred: str
    effect: str = ""


@dataclass(frozen=True)
class Attestation:
    """A source says that on *day* (YYYY-MM-DD) *states* belonged to *bodies*."""

    name: str
    states: tuple[str, ...]
    bodies: tuple[str, ...]
    day: str


@dataclass(frozen=True)
class Dissolution:
    """The end of *alliance*, whose first day without it is *effect*."""

    name: str
    alliance: str
    effect: str


@dataclass(frozen=True)
class History:
    """Acts of states under treaties; *alliances* are pairs of an alliance and the treaty that constitutes it, and
    *protocols* are the treaties that change another one.
    """

    states: tuple[str, ...]
    treaties: tuple[str, ...]
    alliances: tuple[tuple[str, str], ...] = ()
    protocols: tuple[str, ...] = ()
    acts: tuple[Act, ...] = ()
    attestations: tuple[Attestation, ...] = ()
    dissolutions: tuple[Dissolution, ...] = ()


@dataclass(frozen=True)
class Spell:
    """A period of *state* in *body*, half-open, with the four bounds of its days; no *end_latest* while it is open."""

    name: str
    kind: str
    state: str
    body: str
    number: int
    begun_by: str
    begin_earliest: datetime.date
    begin_latest: datetime.date
    end_earliest: datetime.date
    end_latest: datetime.date | None
    ended_by: str
    attested_by: tuple[str, ...]
    status: str
    shown_from: str
    interrupts: str = ""

    @property
    def shown_until(self) -> str:
        """The last day, or the first and the last that it may be; empty while the spell is open."""
        if self.end_latest is None:
            return ""
        first, last = self.end_earliest - DAY, self.end_latest - DAY
        return str(first) if first == last else f"[{first}..{last}]"

    def certainty(self, day: datetime.date) -> str:
        """How sure it is that the spell held on *day*: certain, presumed, possible, or empty where it is excluded."""
        if day < self.begin_earliest or (self.end_latest is not None and day >= self.end_latest):
            return ""
        if day < self.begin_latest:
            return "possible"
        if day < self.end_earliest:
            return "certain"
        return "presumed" if self.end_latest is None else "possible"


@cache
def first_day(text: str) -> datetime.date:
    """The first day that the EDTF date *text* may mean."""
    return _calendar(_ends(text)[0])[0]


@cache
def last_day(text: str) -> datetime.date:
    """The last day that the EDTF date *text*, which is not open, may mean."""
    return _calendar(_ends(text)[1])[1]


def _ends(text: str) -> tuple[str, str]:
    bare = text.strip("[]").rstrip("?~")
    for separator in ("..", "/"):
        if separator in bare:
            start, _, end = bare.partition(separator)
            return start, end
    return bare, bare


def _calendar(part: str) -> tuple[datetime.date, datetime.date]:
    year, *rest = (int(number) for number in part.split("-"))
    if not rest:
        return datetime.date(year, 1, 1), datetime.date(year, 12, 31)
    month = rest[0]
    if len(rest) == 1:
        following = datetime.date(year + month // 12, month % 12 + 1, 1)
        return datetime.date(year, month, 1), following - DAY
    day = datetime.date(year, month, rest[1])
    return day, day


def spells(history: History) -> dict[str, Spell]:
    """Every spell that follows from *history*, by its name."""
    return {spell.name: spell for spell in _spells(history)}


def _spells(history: History) -> Iterator[Spell]:
    for treaty in history.treaties:
        bodies = [alliance for alliance, constituting in history.alliances if constituting == treaty]
        for state in history.states:
            bound = _bindings(history, state, treaty)
            yield from bound
            if treaty not in history.protocols:
                yield from _signatories(history, state, treaty, bound)
            for alliance in bodies:
                members = _memberships(history, alliance, bound)
                yield from members
                yield from _interruptions(history, state, treaty, alliance, members)
            if not bodies:
                yield from _interruptions(history, state, treaty, treaty, bound)


def on(history: History, body: str, kind: str, day: datetime.date) -> set[tuple[str, str, str, str]]:
    """Which states had a spell of *kind* in *body* on *day*: state, certainty, status and the spell's name."""
    every = spells(history).values()
    found = set()
    for spell in every:
        if spell.body == body and spell.kind == kind and spell.certainty(day):
            pauses = {each.status for each in every if each.interrupts == spell.name and each.certainty(day)}
            for status in pauses or {spell.status}:
                found.add((spell.state, spell.certainty(day), status, spell.name))
    return found


def _effect(act: Act) -> str:
    return act.effect or act.occurred


def _in_order(history: History, state: str, treaty: str, kinds: Sequence[str] | frozenset[str]) -> list[Act]:
    """The acts of one of *kinds* that are of *state* under *treaty*, by first possible day of effect, then by name."""
    chosen = [
        act
        for act in history.acts
        if state in act.states and treaty in act.treaties and any(kind in kinds for kind in act.kinds)
    ]
    return sorted(chosen, key=lambda act: (first_day(_effect(act)), act.name))


def _attested(history: History, state: str, bodies: Sequence[str], since: datetime.date) -> tuple[list[str], str]:
    """The latest attestations of *state* in one of *bodies* since that day, and their day; none and "" without any."""
    told = [
        each
        for each in history.attestations
        if state in each.states and set(bodies) & set(each.bodies) and datetime.date.fromisoformat(each.day) >= since
    ]
    latest = max((each.day for each in told), default="")
    return sorted(each.name for each in told if each.day == latest), latest


def _dated(history: History, begin: Act, end: Act | Dissolution | None, bodies: Sequence[str], state: str) -> dict:
    """The bounds of a spell between two acts, *bodies* being those in which an attestation speaks of it."""
    begun = _effect(begin)
    ended = _effect(end) if isinstance(end, Act) else end.effect if end else ""
    witnesses, attested = ([], "") if end else _attested(history, state, bodies, last_day(begun))
    if end:
        end_earliest = max(first_day(ended), first_day(begun) + DAY)
    else:
        end_earliest = (datetime.date.fromisoformat(attested) if attested else last_day(begun)) + DAY
    return {
        "begun_by": begin.name,
        "begin_earliest": first_day(begun),
        "begin_latest": last_day(begun),
        "end_earliest": end_earliest,
        "end_latest": last_day(ended) if end else None,
        "ended_by": end.name if end else "",
        "attested_by": tuple(witnesses),
        "shown_from": begun,
    }


def _bindings(history: History, state: str, treaty: str) -> list[Spell]:
    begins = _in_order(history, state, treaty, BEGINNING)
    ends = _in_order(history, state, treaty, ENDING)
    bodies = [treaty, *(alliance for alliance, constituting in history.alliances if constituting == treaty)]
    found: list[Spell] = []
    free = datetime.date.min
    while begin := next((act for act in begins if first_day(_effect(act)) >= free), None):
        end = next((act for act in ends if last_day(_effect(act)) > first_day(_effect(begin))), None)
        number = len(found) + 1
        found.append(
            Spell(
                name=f"binding-{treaty}-{state}-{number}",
                kind="TreatyBinding",
                state=state,
                body=treaty,
                number=number,
                status="party",
                **_dated(history, begin, end, bodies, state),
            )
        )
        if end is None:
            break
        ends.remove(end)
        free = found[-1].end_earliest
    return found


def _memberships(history: History, alliance: str, bound: Sequence[Spell]) -> Iterator[Spell]:
    acts = {act.name: act for act in history.acts}
    gone = next((each for each in history.dissolutions if each.alliance == alliance), None)
    made = []
    for binding in bound:
        if gone and last_day(gone.effect) <= binding.begin_earliest:
            continue
        end: Act | Dissolution | None = acts.get(binding.ended_by)
        if gone and (not isinstance(end, Act) or first_day(gone.effect) < first_day(_effect(end))):
            end = gone
        made.append(
            Spell(
                name=f"membership-{alliance}-{binding.state}-{binding.number}",
                kind="Membership",
                state=binding.state,
                body=alliance,
                number=binding.number,
                status="member",
                **_dated(history, acts[binding.begun_by], end, [alliance], binding.state),
            )
        )
    return made


def _interruptions(
    history: History, state: str, treaty: str, body: str, interrupted: Sequence[Spell]
) -> Iterator[Spell]:
    pauses = [
        act
        for act in _in_order(history, state, treaty, tuple(INTERRUPTING))
        if not any(kind in ENDING for kind in act.kinds)
    ]
    returns = _in_order(history, state, treaty, ("Readmission",))
    for number, act in enumerate(pauses, 1):
        first, last = first_day(_effect(act)), last_day(_effect(act))
        spell = next(
            (
                each
                for each in interrupted
                if each.begin_earliest <= last and (each.end_latest is None or each.end_latest > first)
            ),
            None,
        )
        if spell is None:
            continue
        lift = next((each for each in returns if first_day(_effect(each)) > first), None)
        if lift and (spell.end_latest is None or first_day(_effect(lift)) < spell.end_earliest):
            ended_by, end_earliest, end_latest = lift.name, first_day(_effect(lift)), last_day(_effect(lift))
        elif spell.end_latest is not None:
            ended_by, end_earliest, end_latest = spell.ended_by, max(spell.end_earliest, first + DAY), spell.end_latest
        else:
            ended_by, end_earliest, end_latest = "", last + DAY, None
        yield Spell(
            name=f"interruption-{body}-{state}-{number}",
            kind="Interruption",
            state=state,
            body="",
            number=number,
            begun_by=act.name,
            begin_earliest=first,
            begin_latest=last,
            end_earliest=end_earliest,
            end_latest=end_latest,
            ended_by=ended_by,
            attested_by=(),
            status=next(INTERRUPTING[kind] for kind in act.kinds if kind in INTERRUPTING),
            shown_from=_effect(act),
            interrupts=spell.name,
        )


def _signatories(history: History, state: str, treaty: str, bound: Sequence[Spell]) -> Iterator[Spell]:
    acts = [act for act in history.acts if "Signature" in act.kinds and state in act.states and treaty in act.treaties]
    numbers = set()
    for act in sorted(acts, key=lambda act: (first_day(act.occurred), act.name)):
        first, last = first_day(act.occurred), last_day(act.occurred)
        if any(each.begin_earliest <= first and (each.end_latest is None or first < each.end_latest) for each in bound):
            continue
        number = 1 + max((each.number for each in bound if each.end_latest and each.end_latest <= first), default=0)
        if number in numbers:
            continue
        numbers.add(number)
        following = next((each for each in bound if each.begin_earliest > first), None)
        yield Spell(
            name=f"signatory-{treaty}-{state}-{number}",
            kind="SignatorySpell",
            state=state,
            body=treaty,
            number=number,
            begun_by=act.name,
            begin_earliest=first,
            begin_latest=last,
            end_earliest=following.begin_earliest if following else last + DAY,
            end_latest=following.begin_latest if following else None,
            ended_by=following.begun_by if following else "",
            attested_by=(),
            status="signatory",
            shown_from=act.occurred,
        )
