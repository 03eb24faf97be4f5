"""Find the thing that a parameter's value means: an IRI, a CURIE, a local name, a code or a name in any language.

A code may stand alone (``ARM``, ``371``) or behind the name of its list (``COW 371``, ``gw:371``, ``ISO 051``). It
means who had it on the day that is asked about; without a day, or where nobody had it then, who has it today, or else
who had it last. Alone, it is first a code of the lists that researchers use (ISO
3166-1, the numbers of COW and Gleditsch–Ward), and only then one of the others, such as the abbreviations of COW.

The names of a class's instances are fetched whole and compared here, so that no text of an asker ever enters a query.
"""

import re
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from foedus import names
from foedus.errors import WrongUsage
from foedus.query import results, waiting
from foedus.query.lazily import kept
from foedus.query.likeness import Likeness, folded
from foedus.query.pool import Asker
from foedus.questions import Resolve

# The class stands in each part, and codes before the states: engines put together what the parts give without looking
# at what they are joined with, and the names of everything there is take seconds where there is much.
_NAMES = """
SELECT DISTINCT ?thing ?property ?name ?scheme ?from ?until {{
  {{ ?thing rdf:type/rdfs:subClassOf* <{type}> ; ?property ?name .
    FILTER(?property IN ({properties})) }}
  UNION {{ ?assignment foedus:code ?name ; foedus:ofState ?thing .
    OPTIONAL {{ ?assignment foedus:codeScheme ?scheme }}
    OPTIONAL {{ ?assignment foedus:validFrom ?from }}
    OPTIONAL {{ ?assignment foedus:validUntil ?until }}
    FILTER EXISTS {{ ?thing rdf:type/rdfs:subClassOf* <{type}> }} }}
  UNION {{ ?thing rdf:type/rdfs:subClassOf* <{type}> . BIND("" AS ?name) }}
}}
ORDER BY ?thing ?property ?name
"""
_HOW = {
    "skos:exactMatch": "match",
    "foedus:iso3": "iso3",
    "rdfs:label": "label",
    "skos:prefLabel": "label",
    "skos:altLabel": "other",
    "skos:hiddenLabel": "other",
    "skos:broadMatch": "akin",
    "skos:closeMatch": "akin",
    "skos:narrowMatch": "akin",
    "skos:relatedMatch": "akin",
}
# What a name is decides first: an ISO code that is also somebody's other name means the state with the code.
_ORDER = ("itself", "match", "iso3", "code", "label", "other")
AKIN = "akin"
"""How an item of Wikidata is akin to a thing of ours but not quite the same: nothing is resolved by it."""
COMMON_LISTS = ("ISO 3166-1 alpha-2", "ISO 3166-1 alpha-3", "ISO 3166-1 numeric", "COW", "Gleditsch–Ward")
"""Not the abbreviations of COW, which differ from the codes of ISO just enough to be taken for them."""
_OTHER_LIST_NAMES = {"m49": "ISO 3166-1 numeric"}
_ITEM = re.compile(r"(?:https?://www\.wikidata\.org/(?:wiki|entity)/|wd:)?(Q[1-9][0-9]*)")
_MAKING = threading.Lock()
_SETTLED = 4096
_LONGEST = 100
"""How many values are remembered for a class, and how long they may be."""
_PATIENCE = 1.0
"""Seconds that an asker waits for an index that another one has begun to make; then it makes its own."""
_LISTED = re.compile(r"(.*\w)[\s:#.]+(\w{1,3})|([^\W\d_]+)(\d{1,3})")
_WORD = re.compile(r"[^\W_]+")
_WHOLE = re.compile(r"(?a)^([0-9]+)\.0+$")
_NO_NAME = frozenset({"code", "no", "nr", "number"})
_INDEXES: WeakKeyDictionary[Asker, dict[tuple[str, str], "Index"]] = WeakKeyDictionary()


@dataclass(frozen=True)
class Code:
    """A code that the list *scheme* gives or gave to the thing *iri*, from the day *first*, empty where none is known.

    *last* is the last day, empty while it has it.
    """

    scheme: str
    code: str
    iri: str
    first: str
    last: str

    def held(self, day: str) -> bool:
        """Whether the thing had the code on *day*."""
        return self.first <= day and (not self.last or day <= self.last)


@dataclass
class Index:
    """The instances of one class by what they are called, folded; *labels* holds one name to show per IRI."""

    things: dict[str, dict[str, set[str]]] = field(default_factory=lambda: {how: {} for how in (*_ORDER, AKIN)})
    codes: dict[str, list[Code]] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    settled: dict[tuple[str, str | None], str] = field(default_factory=dict)
    """What values that were asked for meant, on a day."""

    def settle(self, value: str, day: str | None, iri: str) -> str:
        """Remember that *value* means *iri* on *day*, and return that."""
        if len(self.settled) >= _SETTLED:
            self.settled.clear()
        if len(value) <= _LONGEST:
            self.settled[value, day] = iri
        return iri

    def add(self, how: str, name: str, iri: str) -> None:
        self.things[how].setdefault(folded(name), set()).add(iri)

    def merge(self, other: "Index") -> None:
        """Take in what *other* knows of other things."""
        for how, found in other.things.items():
            for name, iris in found.items():
                self.things[how].setdefault(name, set()).update(iris)
        for code, given in other.codes.items():
            self.codes.setdefault(code, []).extend(given)
        self.labels |= other.labels

    def meanings(self, value: str, day: str | None = None) -> Iterator[tuple[str, set[str]]]:
        """What *value* means as it stands, by each kind of name that it may be, the best one first; a code on *day*."""
        iri = _wikidata(value.strip()) or names.expand(value.strip())
        for how in (*_ORDER, AKIN):
            wanted = iri if iri and how in ("itself", "match", AKIN) else value
            holders = {each.iri for each in holders_of(self.assigned(value), day)} if how == "code" else set()
            if found := holders or self.things[how].get(folded(wanted), set()):
                yield how, found

    def assigned(self, value: str) -> list[Code]:
        """The assignments of *value*, a code alone or behind the name of its list, whenever they were valid."""
        given = self.codes.get(_plain(value), [])
        listed = None if given else _LISTED.fullmatch(value.strip())
        if listed:
            scheme, code = (part for part in listed.groups() if part)
            given = [each for each in self.codes.get(_plain(code), []) if is_named(each.scheme, scheme)]
        return given

    @kept
    def likeness(self) -> Likeness:
        """The names, for finding those that are like a text."""
        names_of: dict[str, set[str]] = {}
        for how in ("itself", "iso3", "label", "other"):
            for name, iris in self.things[how].items():
                if not name.startswith(("http", "id:", "foedus:")):
                    names_of.setdefault(name, set()).update(iris)
        return Likeness(names_of)


def resolver(asker: Asker) -> Resolve:
    """A function from a value, the IRI of a class and perhaps a day to the IRI of the instance that the value means.

    It raises WrongUsage, with near matches, for a value that means nothing, and with all candidates for one that means
    several things.
    """

    def resolve(value: str, type_iri: str, day: str | None = None) -> str:
        index = index_of(asker, type_iri)
        if (settled := index.settled.get((value, day))) is not None:
            return settled
        for how, found in index.meanings(value, day):
            if how == AKIN:
                break
            if len(found) == 1:
                return index.settle(value, day, next(iter(found)))
            holders = holders_of(index.assigned(value), day) if how == "code" else []
            shown = _as_coded(index, holders) if holders else _shown(index, sorted(found))
            raise WrongUsage(f"“{value}” may mean several things.", f"Choose one of: {shown}.")
        class_name = type_iri.removeprefix(names.ONTOLOGY)
        near = _near(index, value)
        some = near or sorted(index.labels)[:3]
        remedy = f"{'Did you mean' if near else 'There are, for example:'} {_shown(index, some)}{'?' if near else '.'}"
        raise WrongUsage(f"There is no {class_name} “{value}”.", remedy if some else "The dataset holds none at all.")

    return resolve


def holders_of(given: Iterable[Code], day: str | None = None) -> list[Code]:
    """Those of the assignments *given* of one code that it can mean where nothing else is said.

    Those of the common lists, if there are any; of them those who had the code on *day* by a list that tells days, and
    whoever has it by one that tells none. Without a day, or where nobody had it then, those who have the code today, by
    whichever list; only where nobody does, those who had it last in their list.
    """
    given = list(given)
    given = [each for each in given if each.scheme in COMMON_LISTS] or given
    dated = {each.scheme for each in given if each.first or each.last}
    if day and any(each.scheme in dated and each.held(day) for each in given):
        return [each for each in given if each.held(day)]
    today = [each for each in given if not each.last]
    if today:
        return today
    latest = {each.scheme: max(other.last for other in given if other.scheme == each.scheme) for each in given}
    return [each for each in given if each.last == latest[each.scheme]]


def _plain(code: str) -> str:
    """*code* folded, a number without zeros before or behind it: 051 is also written 51, and by pandas 51.0."""
    bare = folded(code)
    bare = _WHOLE.sub(r"\1", bare)
    return str(int(bare)) if bare.isdecimal() else bare


def is_named(scheme: str, text: str) -> bool:
    """Whether *text* names the list *scheme*: by some of its words, or by their initials."""
    words = _WORD.findall(folded(scheme))
    given = _named(text)
    if "".join(given) in _OTHER_LIST_NAMES:
        return scheme == _OTHER_LIST_NAMES["".join(given)]
    return bool(given) and (set(given) <= set(words) or "".join(given) == "".join(word[0] for word in words))


def is_named_whole(scheme: str, text: str) -> bool:
    """Whether *text* names the list *scheme* by all of its words: COW, but not COW abbreviation, is named by “COW”."""
    return set(_named(text)) == set(_WORD.findall(folded(scheme)))


def _named(text: str) -> list[str]:
    return [word for word in _WORD.findall(folded(text)) if word not in _NO_NAME]


def _wikidata(value: str) -> str | None:
    """The IRI of the Wikidata item that *value* names as people write it: by its number, or the address of its page."""
    match = _ITEM.fullmatch(value)
    return names.PREFIXES["wd"] + match[1] if match else None


def is_settled(asker: Asker, value: str, type_iri: str, day: str | None = None) -> bool:
    """Whether it is known from before what *value* means, so that nobody has to wait for it."""
    index = _INDEXES.get(asker, {}).get((type_iri, asker.dataset.sha256))
    return index is not None and (value.strip(), day) in index.settled


def index_of(asker: Asker, type_iri: str) -> Index:
    """The index of a class, made once per version of the dataset."""
    version = asker.dataset.sha256
    known = _INDEXES.setdefault(asker, {})
    if (type_iri, version) in known:
        return known[type_iri, version]
    is_ours = waiting.acquired(_MAKING, _PATIENCE)
    try:
        if (type_iri, version) not in known:
            known[type_iri, version] = fetched(asker, type_iri)
        return known[type_iri, version]
    finally:
        if is_ours:
            _MAKING.release()


def fetched(asker: Asker, type_iri: str) -> Index:
    """The index of a class, made now."""
    index = Index()
    for row in results.select(asker, _NAMES.format(type=type_iri, properties=", ".join(_HOW))):
        iri, name = row["thing"].value, row["name"]
        if "property" in row:
            how = _HOW[names.curie(row["property"].value)]
            index.add(how, name.value, iri)
            if how == "label" and (name.language or "en") == "en":
                index.labels[iri] = index.labels.get(iri) or name.value
        elif name.value:
            scheme, first, last = (row[each].value if each in row else "" for each in ("scheme", "from", "until"))
            index.codes.setdefault(_plain(name.value), []).append(Code(scheme, name.value, iri, first, last))
        else:
            for each in (iri, names.curie(iri), iri.removeprefix(names.ID).removeprefix(names.ONTOLOGY)):
                index.add("itself", each, iri)
            index.labels.setdefault(iri, "")
    return index


def _near(index: Index, value: str) -> list[str]:
    """Up to three things with a name like *value*."""
    near = index.likeness.near(value)
    return sorted(near, key=lambda iri: (-near[iri], iri))[:3]


def _as_coded(index: Index, holders: Iterable[Code]) -> str:
    """Each code behind the name of its list, with whom it means."""
    shown = (f"{each.scheme} {each.code} ({index.labels.get(each.iri) or each.iri})" for each in holders)
    return ", ".join(dict.fromkeys(shown))


def _shown(index: Index, iris: Iterable[str]) -> str:
    """Each thing as one would type it, with its name."""
    return ", ".join(
        (iri.removeprefix(names.ID) if iri.startswith(names.ID) else names.curie(iri))
        + (f" ({index.labels[iri]})" if index.labels.get(iri) else "")
        for iri in iris
    )
