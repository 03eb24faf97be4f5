"""Find the thing that a parameter's value means: an IRI, a CURIE, a local name, a code or a name in any language.

A code may stand alone (``ARM``, ``371``) or behind the name of its list (``COW 371``, ``gw:371``, ``ISO 051``). It
means who has it today, or else who had it last.

The names of a class's instances are fetched whole and compared here, so that no text of an asker ever enters a query.
"""

import difflib
import re
import threading
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from foedus import names
from foedus.errors import WrongUsage
from foedus.query import results
from foedus.query.pool import Asker

# The class stands in each part, and codes before the states: engines put together what the parts give without looking
# at what they are joined with, and the names of everything there is take seconds where there is much.
_NAMES = """
SELECT DISTINCT ?thing ?property ?name ?scheme ?until {{
  {{ ?thing rdf:type/rdfs:subClassOf* <{type}> ; ?property ?name .
    FILTER(?property IN ({properties})) }}
  UNION {{ ?assignment foedus:code ?name ; foedus:ofState ?thing .
    OPTIONAL {{ ?assignment foedus:codeScheme ?scheme }}
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
}
# What a name is decides first: an ISO code that is also somebody's other name means the state with the code.
_ORDER = ("itself", "match", "iso3", "code", "label", "other")
_ITEM = re.compile(r"(?:https?://www\.wikidata\.org/(?:wiki|entity)/|wd:)?(Q[1-9][0-9]*)")
_MAKING = threading.Lock()
_PATIENCE = 1.0
"""Seconds that an asker waits for an index that another one has begun to make; then it makes its own."""
_LISTED = re.compile(r"(.*\w)[\s:#.]+(\w{1,3})|([^\W\d_]+)(\d{1,3})")
_WORD = re.compile(r"[^\W_]+")
_NO_NAME = frozenset({"code", "no", "nr", "number"})
# Apostrophes, hyphens and dashes that people type one for the other.
_ALIKE = str.maketrans(
    dict.fromkeys("\u2019\u2018\u02bc`\u00b4", "'") | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014", "-")
)
_INDEXES: WeakKeyDictionary[Asker, dict[tuple[str, str], "_Index"]] = WeakKeyDictionary()


@dataclass(frozen=True)
class _Code:
    """A code that the list *scheme* gives or gave to the thing *iri*; *last* is its last day, empty while it has it."""

    scheme: str
    code: str
    iri: str
    last: str


@dataclass
class _Index:
    """The instances of one class by what they are called, folded; *labels* holds one name to show per IRI."""

    things: dict[str, dict[str, set[str]]] = field(default_factory=lambda: {how: {} for how in _ORDER})
    codes: dict[str, list[_Code]] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)

    def add(self, how: str, name: str, iri: str) -> None:
        self.things[how].setdefault(folded(name), set()).add(iri)


def resolver(asker: Asker) -> Callable[[str, str], str]:
    """A function from a value and the IRI of a class to the IRI of the instance that the value means.

    It raises WrongUsage, with near matches, for a value that means nothing, and with all candidates for one that means
    several things.
    """

    def resolve(value: str, type_iri: str) -> str:
        index = _index(asker, type_iri)
        class_name = type_iri.removeprefix(names.ONTOLOGY)
        iri = _wikidata(value.strip()) or names.expand(value.strip())
        for how in _ORDER:
            wanted = iri if iri and how in ("itself", "match") else value
            holders = _holders(index, value) if how == "code" else []
            found = {each.iri for each in holders} or index.things[how].get(folded(wanted), set())
            if len(found) == 1:
                return next(iter(found))
            if found:
                shown = _as_coded(index, holders) if holders else _shown(index, sorted(found))
                raise WrongUsage(f"“{value}” may mean several things.", f"Choose one of: {shown}.")
        near = _near(index, value)
        some = near or sorted(index.labels)[:3]
        remedy = f"{'Did you mean' if near else 'There are, for example:'} {_shown(index, some)}{'?' if near else '.'}"
        raise WrongUsage(f"There is no {class_name} “{value}”.", remedy if some else "The dataset holds none at all.")

    return resolve


def _holders(index: _Index, value: str) -> list[_Code]:
    """The assignments that *value*, a code alone or behind the name of its list, can mean.

    Those who have the code today, by whichever list; only where nobody does, those who had it last in their list.
    """
    given = index.codes.get(_plain(value), [])
    listed = None if given else _LISTED.fullmatch(value.strip())
    if listed:
        scheme, code = (part for part in listed.groups() if part)
        given = [each for each in index.codes.get(_plain(code), []) if _is_named(each.scheme, scheme)]
    today = [each for each in given if not each.last]
    if today:
        return today
    latest = {each.scheme: max(other.last for other in given if other.scheme == each.scheme) for each in given}
    return [each for each in given if each.last == latest[each.scheme]]


def _plain(code: str) -> str:
    """*code* folded, a number without zeros before it: ISO's 051 is also written 51."""
    bare = folded(code)
    return str(int(bare)) if bare.isdecimal() else bare


def _is_named(scheme: str, text: str) -> bool:
    """Whether *text* names the list *scheme*: by some of its words, or by their initials."""
    words = _WORD.findall(folded(scheme))
    given = [word for word in _WORD.findall(folded(text)) if word not in _NO_NAME]
    return bool(given) and (set(given) <= set(words) or "".join(given) == "".join(word[0] for word in words))


def _wikidata(value: str) -> str | None:
    """The IRI of the Wikidata item that *value* names as people write it: by its number, or the address of its page."""
    match = _ITEM.fullmatch(value)
    return names.PREFIXES["wd"] + match[1] if match else None


def folded(name: str) -> str:
    """*name* without regard to case, accents, kinds of apostrophe and dash, and repeated spaces."""
    letters = unicodedata.normalize("NFKD", name.translate(_ALIKE).casefold())
    return " ".join("".join(each for each in letters if not unicodedata.combining(each)).split())


def _index(asker: Asker, type_iri: str) -> _Index:
    """The index of a class, made once per version of the dataset."""
    version = asker.dataset.sha256
    known = _INDEXES.setdefault(asker, {})
    if (type_iri, version) in known:
        return known[type_iri, version]
    is_ours = _MAKING.acquire(timeout=_PATIENCE)
    try:
        if (type_iri, version) not in known:
            known[type_iri, version] = _made(asker, type_iri)
        return known[type_iri, version]
    finally:
        if is_ours:
            _MAKING.release()


def _made(asker: Asker, type_iri: str) -> _Index:
    index = _Index()
    for row in results.select(asker, _NAMES.format(type=type_iri, properties=", ".join(_HOW))):
        iri, name = row["thing"].value, row["name"]
        if "property" in row:
            how = _HOW[names.curie(row["property"].value)]
            index.add(how, name.value, iri)
            if how == "label" and (name.language or "en") == "en":
                index.labels[iri] = index.labels.get(iri) or name.value
        elif name.value:
            scheme, last = (row[each].value if each in row else "" for each in ("scheme", "until"))
            index.codes.setdefault(_plain(name.value), []).append(_Code(scheme, name.value, iri, last))
        else:
            for each in (iri, names.curie(iri), iri.removeprefix(names.ID).removeprefix(names.ONTOLOGY)):
                index.add("itself", each, iri)
            index.labels.setdefault(iri, "")
    return index


def _near(index: _Index, value: str) -> list[str]:
    """Up to three things with a name like *value*."""
    names_of: dict[str, set[str]] = {}
    for how in ("itself", "iso3", "label", "other"):
        for name, iris in index.things[how].items():
            names_of.setdefault(name.removeprefix(folded(names.ID)), set()).update(iris)
    close = difflib.get_close_matches(folded(value), names_of, n=6, cutoff=0.6)
    return list(dict.fromkeys(iri for name in close for iri in sorted(names_of[name])))[:3]


def _as_coded(index: _Index, holders: Iterable[_Code]) -> str:
    """Each code behind the name of its list, with whom it means."""
    shown = (f"{each.scheme} {each.code} ({index.labels.get(each.iri) or each.iri})" for each in holders)
    return ", ".join(dict.fromkeys(shown))


def _shown(index: _Index, iris: Iterable[str]) -> str:
    """Each thing as one would type it, with its name."""
    return ", ".join(
        (iri.removeprefix(names.ID) if iri.startswith(names.ID) else names.curie(iri))
        + (f" ({index.labels[iri]})" if index.labels.get(iri) else "")
        for iri in iris
    )
