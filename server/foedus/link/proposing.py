"""Propose links to Wikidata: items that may be things of the record, each with reasons and a confidence, for review.

How sure a candidate is follows from its reasons alone, by the weights below, so that the same input gives the same
answer: each reason leaves a share of doubt, the shares are multiplied, and what speaks against it halves the rest.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from foedus import __version__, names, sssom
from foedus.link.here import Here
from foedus.link.inventory import CODES, Thing
from foedus.link.wikidata import (
    ALL_LANGUAGES,
    DISSOLVED,
    INCEPTION,
    INSTANCE_OF,
    MEMBER_OF,
    UNKNOWN,
    Item,
    Reading,
    Time,
    Trouble,
)
from foedus.query import record as recording
from foedus.query.likeness import folded

LABELS_SAME, LABEL_SAME, NAME_SAME, NAME_ELSEWHERE = 0.7, 0.6, 0.4, 0.3
CODE_SAME, DAY_SAME, YEAR_SAME, ALL_MEMBERS_SAME, CLASS_FITS = 0.9, 0.4, 0.2, 0.6, 0.2
"""How much of the doubt each reason takes away."""
LEAST, MOST = 0.3, 0.95
"""What is less sure is not proposed; a program is never surer."""

_CLASSES = {
    "Q1127126": ("military alliance", {"Alliance", "Grouping", "Treaty"}),
    "Q245065": ("intergovernmental organisation", {"Alliance", "Grouping", "Organisation", "Organ"}),
    "Q131569": ("treaty", {"Treaty"}),
    "Q625298": ("peace treaty", {"Treaty"}),
    "Q3624078": ("sovereign state", {"State"}),
    "Q6256": ("country", {"State"}),
    "Q350604": ("armed conflict", {"Incident"}),
}
"""Classes of Wikidata of which it is known what here can be one."""
_YEAR = 366

COLUMNS = (
    *("subject_id", "subject_label", "predicate_id", "object_id", "object_label", "mapping_justification"),
    *(
        "author_label",
        "reviewer_label",
        "mapping_date",
        "mapping_tool",
        "mapping_tool_version",
        "confidence",
        "comment",
    ),
)


@dataclass(frozen=True)
class Candidate:
    """An item that may be a *thing*: why, what speaks against it, how sure that makes it, and how it was found.

    *rivals* are the other candidates for the same thing, or of the same item, with their confidence.
    """

    thing: str
    kind: str
    label: str
    item: str
    item_label: str
    confidence: float
    justification: str
    reasons: tuple[str, ...]
    against: tuple[str, ...]
    rivals: tuple[str, ...] = ()


@dataclass(frozen=True)
class Doubt:
    """What of a linked *item* does not fit the *thing* that it is linked to."""

    thing: str
    item: str
    message: str


@dataclass(frozen=True)
class Proposals:
    """The candidates, side by side where they exclude each other, the doubts, and what could not be read."""

    candidates: tuple[Candidate, ...]
    doubts: tuple[Doubt, ...]
    troubles: tuple[Trouble, ...]

    def table(self) -> str:
        """The candidates as an SSSOM table without author, reviewer and day: whoever reviews a row fills them in."""
        metadata = {
            "mapping_set_id": names.BASE + "links/proposed",
            "mapping_set_title": "Proposed by foedus link propose, and reviewed by nobody",
            "license": "https://creativecommons.org/publicdomain/zero/1.0/",
        }
        return sssom.write(metadata, ("id", "semapv", "skos", "wd"), COLUMNS, map(_row, self.candidates))

    def json(self) -> str:
        """Everything, with reasons one by one."""
        told = {
            "partial": bool(self.troubles),
            "candidates": [asdict(each) for each in self.candidates],
            "doubts": [asdict(each) for each in self.doubts],
            "unreadable": [asdict(each) for each in self.troubles],
        }
        return json.dumps(told, indent=2, ensure_ascii=False)


def unlinked(every: Mapping[str, Thing], here: Here) -> tuple[Thing, ...]:
    """The things of which no item is known to be the same; without armed conflicts, whose names an import made up."""
    return tuple(thing for name, thing in every.items() if name not in here.items and thing.kind != "ArmedConflict")


def names_of(some: Iterable[Thing]) -> tuple[tuple[str, str], ...]:
    """What *some* things are called, each name with its language."""
    called = ((text, language) for thing in some for language, texts in thing.names.items() for text in texts)
    return tuple(sorted({pair for pair in called if pair[1]}))


def propose(readings: Sequence[Reading], here: Here, every: Mapping[str, Thing]) -> Proposals:
    """Candidates among the items of *readings* for what is not linked yet, and doubts about what is."""
    items = _items(readings)
    finder = _Finder(items, here, every)
    candidates = [each for item in items.values() for each in finder.candidates(item)]
    doubts = [each for item in items.values() for each in finder.doubts(item)]
    troubles = tuple(trouble for reading in readings for trouble in reading.troubles)
    return Proposals(_side_by_side(candidates), tuple(doubts), troubles)


def _items(readings: Iterable[Reading]) -> dict[str, Item]:
    """Every item of *readings* and every one that they name a member of, the fullest reading of each, by QID."""
    found: dict[str, Item] = {}
    for item in (item for reading in readings for item in reading.items):
        if item.qid not in found or len(item.statements) > len(found[item.qid].statements):
            found[item.qid] = item
    for item in list(found.values()):
        for statement in item.statements:
            if statement.property == MEMBER_OF and statement.target:
                found.setdefault(statement.target, Item(statement.target))
    return dict(sorted(found.items(), key=lambda each: int(each[0][1:])))


@dataclass(frozen=True)
class _Reason:
    """One reason: its words, the weight that it has, and whether it is a name, a code, or what else is known."""

    words: str
    weight: float
    kind: str


class _Finder:
    """Finds what here an item may be."""

    def __init__(self, items: Mapping[str, Item], here: Here, every: Mapping[str, Thing]) -> None:
        self.here, self.every = here, every
        self.free = {thing.name for thing in unlinked(every, here)}
        self.by_name: dict[str, set[str]] = defaultdict(set)
        self.by_code: dict[tuple[str, str], set[str]] = defaultdict(set)
        for thing in every.values():
            for text in (text for texts in thing.names.values() for text in texts):
                self.by_name[folded(text)].add(thing.name)
            for scheme, code in thing.codes.items():
                self.by_code[scheme, code].add(thing.name)
        # Who is tied to whom by membership, in terms of items: alliances to members, and members to alliances.
        self.here_tied: dict[str, set[str]] = defaultdict(set)
        for alliance, members in here.spells.items():
            for state in members:
                for one, other in ((alliance, state), (state, alliance)):
                    self.here_tied[one] |= {here.items[other]} if other in here.items else set()
        self.there_tied: dict[str, set[str]] = defaultdict(set)
        for item in items.values():
            for statement in item.statements:
                if statement.property == MEMBER_OF and statement.rank != "deprecated":
                    self.there_tied[item.qid].add(statement.target)
                    self.there_tied[statement.target].add(item.qid)
        self.by_tie: dict[str, set[str]] = defaultdict(set)
        for name, tied in self.here_tied.items():
            for qid in tied:
                self.by_tie[qid].add(name)

    def candidates(self, item: Item) -> Iterator[Candidate]:
        """What here *item* may be, of what is linked to no other; nothing for an item that is linked or is no more."""
        linked = self.here.linked.get(item.qid)
        if item.gone or item.redirect or item.unread or (linked and linked.exact):
            return
        found = {name for text in _texts(item) for name in self.by_name.get(folded(text), ())}
        found |= {name for key in _codes(item) for name in self.by_code.get(key, ())}
        found |= {name for qid in self.there_tied.get(item.qid, ()) for name in self.by_tie.get(qid, ())}
        for name in sorted(found & self.free - ({linked.name} if linked else set())):
            yield from self._judged(item, self.every[name])

    def _judged(self, item: Item, thing: Thing) -> Iterator[Candidate]:
        reasons = [
            *_names(item, thing),
            *_same_codes(item, thing),
            *self._members(item, thing),
            *self._dates(item, thing),
        ]
        if not any(each.kind != "date" for each in reasons):
            return
        against = [*self._against(item, thing)]
        fitting = _fitting(item, thing)
        reasons += [_Reason(f"it is a {fitting}", CLASS_FITS, "class")] if fitting else []
        doubt = 1.0
        for reason in reasons:
            doubt *= 1 - reason.weight
        confidence = round(min((1 - doubt) / 2 ** len(against), MOST), 2)
        if confidence >= LEAST:
            told = tuple(each.words for each in reasons)
            kinds = {each.kind for each in reasons}
            yield Candidate(
                thing.name, thing.kind, thing.label, item.qid, item.label, confidence, _how(kinds), told, tuple(against)
            )

    def _members(self, item: Item, thing: Thing) -> Iterator[_Reason]:
        ours, theirs = self.here_tied.get(thing.name, set()), self.there_tied.get(item.qid, set())
        theirs = {qid for qid in theirs if qid in self.by_tie}
        shared = len(ours & theirs)
        if shared >= 2 and 2 * shared >= len(ours | theirs):
            what = "alliances" if thing.kind == "State" else "members"
            weight = ALL_MEMBERS_SAME * shared / len(ours | theirs)
            yield _Reason(f"{shared} of {len(ours | theirs)} {what} are the same", weight, "members")

    def _dates(self, item: Item, thing: Thing) -> Iterator[_Reason]:
        for what, there, here in self._pairs(item, thing):
            near = [each for each in here if not recording.gap((there.first, there.last), each)]
            if any(last == first and there.last == there.first for first, last in near):
                yield _Reason(f"both {what} on {there.text}", DAY_SAME, "date")
            elif near:
                yield _Reason(f"both {what} in {there.text[:4]}", YEAR_SAME, "date")

    def _pairs(self, item: Item, thing: Thing) -> Iterator[tuple[str, Time, list[tuple[int, int]]]]:
        """The begin and the end of *item*, each with the days here that it can be compared with."""
        begun = [(each.first, each.last) for each in self.here.foundings.get(thing.name, ())]
        last = self.here.last_spell(thing.name) if thing.kind == "Alliance" else None
        over = [(last.span.end_certain - 1, last.span.end_latest)] if last else []
        for what, name, here in (("begin", INCEPTION, begun), ("end", DISSOLVED, over)):
            for each in item.statements:
                is_told = each.property == name and each.rank != "deprecated" and each.time not in (None, UNKNOWN)
                if is_told and each.time and here:
                    yield what, each.time, here

    def _against(self, item: Item, thing: Thing) -> Iterator[str]:
        yield from _other_kind_or_code(item, thing)
        # The begin of a state is counted in too many ways to speak against it.
        for what, there, here in self._pairs(item, thing) if thing.kind != "State" else ():
            gaps = [abs(recording.gap((there.first, there.last), each)) for each in here]
            if min(gaps) > _YEAR:
                yield f"it {what}s in {there.text}, {min(gaps)} days off"

    def doubts(self, item: Item) -> Iterator[Doubt]:
        """What of *item* does not fit the thing that it is linked to as the same."""
        linked = self.here.linked.get(item.qid)
        if linked is None or not linked.exact or linked.name not in self.every or item.unread:
            return
        thing = self.every[linked.name]
        if item.gone or item.redirect:
            told = f"It redirects to {item.redirect}." if item.redirect else "It is deleted, or never was."
            yield Doubt(thing.name, item.qid, told)
            return
        common = {language for language in item.labels if language in thing.names}
        if common and not any(self._is_called(item, thing)):
            shown = item.labels[min(common, key=lambda language: (language != "en", language))]
            yield Doubt(thing.name, item.qid, f"It is called “{shown}”, here “{thing.label}”.")
        for told in _other_kind_or_code(item, thing):
            yield Doubt(thing.name, item.qid, f"{told[0].upper()}{told[1:]}.")

    @staticmethod
    def _is_called(item: Item, thing: Thing) -> Iterator[bool]:
        ours = {folded(text) for texts in thing.names.values() for text in texts}
        return (folded(text) in ours for text in _texts(item))


def _texts(item: Item) -> Iterator[str]:
    """The labels and aliases of *item* in all languages."""
    yield from item.labels.values()
    yield from (text for texts in item.aliases.values() for text in texts)


def _codes(item: Item) -> Iterator[tuple[str, str]]:
    return ((CODES[name], code) for name, codes in sorted(item.codes.items()) for code in codes)


def _classes(item: Item) -> list[str]:
    return [each.target for each in item.statements if each.property == INSTANCE_OF and each.rank != "deprecated"]


def _other_kind_or_code(item: Item, thing: Thing) -> Iterator[str]:
    """What *item* is of that *thing* cannot be."""
    stated = [_CLASSES[each] for each in _classes(item) if each in _CLASSES]
    if stated and not _fitting(item, thing):
        yield f"it is a {' and a '.join(name for name, _ in stated)}, here a {thing.kind}"
    for scheme, code in _codes(item):
        if thing.codes.get(scheme, code) != code:
            yield f"its {scheme} code is {code}, here {thing.codes[scheme]}"


def _fitting(item: Item, thing: Thing) -> str:
    """The class of *item* that *thing* can be one of; nothing where none is known to be."""
    known = (_CLASSES[each] for each in _classes(item) if each in _CLASSES)
    return next((name for name, kinds in known if thing.kind in kinds), "")


def _names(item: Item, thing: Thing) -> Iterator[_Reason]:
    """The strongest reason that their names give."""
    labels = [
        language
        for language, text in item.labels.items()
        if folded(text) == folded(thing.labels.get(_ours(language), ""))
    ]
    others = [
        (language, text)
        for language, texts in _by_language(item).items()
        for text in texts
        if folded(text) in map(folded, thing.names.get(_ours(language), ()))
    ]
    if labels:
        languages = ", ".join(sorted(labels))
        weight = LABELS_SAME if len(labels) > 1 else LABEL_SAME
        yield _Reason(f"same label ({languages}): “{item.labels[min(labels, key=_english_first)]}”", weight, "name")
    elif others:
        language, text = min(others, key=lambda each: (_english_first(each[0]), each[1]))
        yield _Reason(f"same name ({language}): “{text}”", NAME_SAME, "name")
    else:
        ours = {folded(text) for texts in thing.names.values() for text in texts}
        same = sorted(text for text in _texts(item) if folded(text) in ours)
        if same:
            yield _Reason(f"same name, in other languages: “{same[0]}”", NAME_ELSEWHERE, "name")


def _english_first(language: str) -> tuple[bool, str]:
    return language != "en", language


def _ours(language: str) -> str:
    """The language here with which *language* is compared: English for what holds in all languages."""
    return "en" if language == ALL_LANGUAGES else language


def _by_language(item: Item) -> dict[str, list[str]]:
    found = {language: [text] for language, text in item.labels.items()}
    for language, texts in item.aliases.items():
        found.setdefault(language, []).extend(texts)
    return found


def _same_codes(item: Item, thing: Thing) -> Iterator[_Reason]:
    for scheme, code in _codes(item):
        if thing.codes.get(scheme) == code:
            yield _Reason(f"same {scheme} code: {code}", CODE_SAME, "code")


def _how(kinds: set[str]) -> str:
    """The justification of SSSOM that says how a candidate with reasons of these *kinds* was found."""
    alone = {"name": "LexicalMatching", "code": "MappingChaining", "members": "StructuralMatching"}
    return f"semapv:{alone[next(iter(kinds))] if len(kinds) == 1 else 'CompositeMatching'}"


def _side_by_side(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """*candidates* with their rivals, and rivals next to each other, the surest first."""
    every = list(candidates)
    of_thing: dict[str, list[Candidate]] = defaultdict(list)
    of_item: dict[str, list[Candidate]] = defaultdict(list)
    for each in every:
        of_thing[each.thing].append(each)
        of_item[each.item].append(each)
    told = []
    for each in every:
        rivals = [other for other in (*of_thing[each.thing], *of_item[each.item]) if other is not each]
        rivals.sort(key=lambda other: (-other.confidence, other.thing, other.item))
        shown = tuple(f"id:{other.thing} as wd:{other.item} ({other.confidence})" for other in rivals)
        group = min(other.thing for other in of_item[each.item])
        place = (group, each.thing, -each.confidence, int(each.item[1:]))
        told.append((place, Candidate(**{**vars(each), "rivals": shown})))
    return tuple(each for _, each in sorted(told, key=lambda pair: pair[0]))


def _row(each: Candidate) -> sssom.Row:
    sentences = [("Because: ", each.reasons), ("Against: ", each.against), ("Rivals: ", each.rivals)]
    cells = {
        "subject_id": f"id:{each.thing}",
        "subject_label": each.label,
        "predicate_id": "skos:closeMatch" if each.against else "skos:exactMatch",
        "object_id": f"wd:{each.item}",
        "object_label": each.item_label,
        "mapping_justification": each.justification,
        "mapping_tool": "foedus link propose",
        "mapping_tool_version": __version__,
        "confidence": str(each.confidence),
        "comment": " ".join(f"{head}{'; '.join(told)}." for head, told in sentences if told),
    }
    return sssom.Row(0, cells, ())
