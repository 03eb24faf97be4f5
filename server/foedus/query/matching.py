"""Which things a text may mean, how likely each, and whether that is certain: what reconciliation asks.

The names, codes and identifiers are those by which values of parameters are resolved (`resolve`), of all things that
have names of their own (`things`). No text of an asker ever enters a query. The score of a candidate, of 100, is

- 100 for what the text means as it stands: identifier, code, name. Of several such things, those that it means by a
  lesser kind of name get 4 less for each. Who had a code once, while another has it today, gets 75; the thing to which
  an item of Wikidata is only akin, 80;
- 97 for a name of the same words in another order, or with other articles and prepositions;
- 92 times the likeness of the names (`likeness`) for what is near.

What was asked for beside the name lowers it: to a half where the candidate does not have it, by a tenth where it only
may. Of equal candidates a state of today goes first. *Certain* is a candidate of 97 or more that has all that was asked
for, and is the only thing of the kinds asked for that the text means as it stands or by its words, by whichever list.
NA, which also stands for what is missing, is never certain.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from foedus.query.extending import BODIES, Extension, Property
from foedus.query.likeness import folded
from foedus.query.pool import Asker
from foedus.query.resolve import AKIN
from foedus.query.things import Days, Thing, Things, local, read

ON = Property("on", "on the day", "The day, month or year on which memberships and codes are asked for.")
"""Asked for beside others, and never a value of anything."""

MISSING = frozenset(("na",))
"""What stands in a column where nothing is known, and is a code besides: Namibia's."""

STRICT = ("any", "all", "should")

SURE = 97.0
"""The least score of a candidate that is certain."""

_STEP = 4.0
_FORMER = 75.0
_KIN = 80.0
_NEAR = 92.0
_LACKING, _PERHAPS = 0.5, 0.9

_JUDGED = 50
"""Candidates, the best by their names, that are held against what else is asked for, at least."""


@dataclass(frozen=True)
class Wish:
    """What a thing is to have: a property, by name, and values of which one will do.

    The property ``on`` is the day on which others are asked for.
    """

    property: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Query:
    """A text, the kinds of thing that it may mean, and what else the thing is to have.

    *strict* says whether a candidate is to be of any of *kinds*, of all, or is only better of one. Without a *text*,
    every thing that has what is wished for is a candidate, and without a wish none.
    """

    text: str = ""
    kinds: tuple[str, ...] = ()
    strict: str = "any"
    wishes: tuple[Wish, ...] = ()
    limit: int = 10


@dataclass(frozen=True)
class Candidate:
    """A thing with its score, of 100, whether it is certain, and what the score was made of."""

    thing: Thing
    score: float
    certain: bool
    features: Mapping[str, float | bool]


@dataclass
class _Found:
    """A thing on the way to a candidate."""

    thing: Thing
    score: float
    features: dict[str, float | bool]


class Matcher:
    """Finds among *things*; its methods may be called from any thread."""

    def __init__(self, things: Things) -> None:
        self.things = things
        self.extension = Extension(things)

    def match(self, query: Query) -> list[Candidate]:
        """The candidates, the best first; WrongUsage for a kind or a property that is not there."""
        kinds = tuple(self.things.kind(each).name for each in query.kinds)
        wishes = [Wish(self.property(each.property).name, each.values) for each in query.wishes]
        on = _days(wishes)
        is_named = bool(query.text.strip())
        if not is_named and not wishes:
            return []
        scores, meant = self._scores(query.text, on) if is_named else (dict.fromkeys(self.things.by_name, 100.0), set())
        found = []
        for name, score in scores.items():
            thing = self.things.by_name.get(name)
            fits = thing is not None and _fits(thing, kinds, query.strict)
            if thing is None or not (fits or query.strict == "should"):
                continue
            features: dict[str, float | bool] = {}
            if is_named:
                features = {"likeness": round(score / 100, 4), "exact": name in meant}
            if kinds:
                features["type"] = fits
            if not fits:
                meant.discard(name)
            found.append(_Found(thing, score if fits else _PERHAPS * score, features))
        found.sort(key=_best)
        meant &= {each.thing.name for each in found}
        for wish in wishes:
            self._judge(found[: max(_JUDGED, 2 * query.limit)] if is_named else found, wish, on)
        if not is_named:
            found = [each for each in found if each.score >= 100 * _PERHAPS]
            meant = {each.thing.name for each in found}
        found.sort(key=_best)
        sure = meant if len(meant) == 1 and folded(query.text) not in MISSING else set()
        return [
            Candidate(each.thing, round(each.score, 2), each.score >= SURE and each.thing.name in sure, each.features)
            for each in found[: query.limit]
        ]

    def property(self, name: str) -> Property:
        """What a thing can be asked to have under *name*; WrongUsage for nothing."""
        return ON if name == ON.name else self.extension.property(name)

    def beginning(self, prefix: str, kinds: Sequence[str] = ()) -> list[Thing]:
        """The things with a name that begins with *prefix*, the shortest names first; then those with one like it."""
        wanted = folded(prefix)
        scores, _ = self._scores(prefix, None)
        for how in ("itself", "iso3", "label", "other"):
            for name, iris in self.things.index.things[how].items():
                if name.startswith(wanted):
                    for iri in iris:
                        scores[local(iri)] = max(scores.get(local(iri), 0.0), _NEAR + len(wanted) / len(name))
        asked = {self.things.kind(each).name for each in kinds}
        known = ((self.things.by_name.get(name), score) for name, score in scores.items())
        found = [_Found(each, score, {}) for each, score in known if each and (not asked or asked & each.all_kinds)]
        return [each.thing for each in sorted(found, key=_best)]

    def _scores(self, text: str, on: Days | None) -> tuple[dict[str, float], set[str]]:
        """The score of each thing that *text* may mean, and those that it means as it stands or by its words."""
        index = self.things.index
        scores: dict[str, float] = {}
        meant: set[str] = set()

        def learn(iris: Iterable[str], score: float) -> set[str]:
            named = {local(iri) for iri in iris}
            for each in named:
                scores[each] = max(scores.get(each, 0.0), score)
            return named

        assigned = index.assigned(text)
        held = {each.iri for each in assigned if on is None or on.hold(each)}
        step = 0
        for how, iris in index.meanings(text):
            if how == AKIN:
                learn(iris, _KIN)
                continue
            before = len(meant)
            meant |= learn((held if how == "code" and on else iris) or iris, 100 - _STEP * step)
            step += len(meant) > before
        learn((each.iri for each in assigned), _FORMER)
        meant |= {local(iri) for iri in held}
        meant |= learn(index.likeness.same(text), SURE)
        for iri, alike in index.likeness.near(text).items():
            learn([iri], _NEAR * alike)
        return scores, meant

    def _judge(self, found: Sequence[_Found], wish: Wish, on: Days | None) -> None:
        """Hold all of *found* against *wish*."""
        granted = self._granted([each.thing for each in found], wish, on)
        for each in found:
            sure = granted.get(each.thing.name, 0.0)
            each.features[wish.property] = sure
            each.score *= 1.0 if sure == 1 else _PERHAPS if sure else _LACKING

    def _granted(self, of: Sequence[Thing], wish: Wish, on: Days | None) -> Mapping[str, float]:
        """How surely each has what is wished for, by name: 1, 0.5 for perhaps, 0 where it is absent."""
        index = self.things.index
        if wish.property == ON.name:
            # A day that cannot be read makes nothing certain, and nobody worse than another.
            return dict.fromkeys((each.name for each in of), 1.0 if on else 0.5)
        if wish.property in BODIES:
            kind, of_kind = BODIES[wish.property]
            wanted = {body for each in wish.values for body in self.things.meant(each, of_kind)}
            bodies = {each.name: self.things.bodies(each.name, kind, on) for each in of}
            return {name: max((sure.get(each, 0.0) for each in wanted), default=0.0) for name, sure in bodies.items()}
        if wish.property == "code":
            codes = (code for each in wish.values for code in index.assigned(each) if on is None or on.hold(code))
            return dict.fromkeys((local(code.iri) for code in codes), 1.0)
        if wish.property == "wikidata":
            meanings = (iris for each in wish.values for how, iris in index.meanings(each) if how == "match")
            return {local(iri): 1.0 for iris in meanings for iri in iris}
        wanted = {folded(each) for each in wish.values}
        texts = self.extension.texts(of, self.extension.property(wish.property))
        return {name: 1.0 for name, known in texts.items() if wanted & known}


def matcher(asker: Asker) -> Matcher:
    """One over what *asker* answers from now; raises what ``things.read`` does."""
    return Matcher(read(asker))


def _days(wishes: Iterable[Wish]) -> Days | None:
    """The days that the wish ``on`` names; None without one that can be read."""
    found = (Days.read(value) for each in wishes if each.property == "on" for value in each.values)
    return next(found, None)


def _fits(thing: Thing, kinds: tuple[str, ...], strict: str) -> bool:
    test = all if strict == "all" else any
    return not kinds or test(each in thing.all_kinds for each in kinds)


def _best(found: _Found) -> tuple[float, bool, int, str]:
    """Sorts the best first: by score, states of today before others, then shorter names."""
    return -found.score, not found.thing.iso3, len(found.thing.label), found.thing.name
