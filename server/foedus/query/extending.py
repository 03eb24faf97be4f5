"""What is recorded of things, property by property: values for the columns of somebody's table.

Most properties are those of the ontology. A few are made for tables: names, codes, the item in Wikidata, and the
alliances and treaties of a state, on a day if one is given. In a query stand only IRIs that the data have themselves.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from foedus import names
from foedus.errors import WrongUsage
from foedus.query import resolve, results
from foedus.query.lazily import kept
from foedus.query.likeness import folded
from foedus.query.results import Term
from foedus.query.things import Days, Thing, Things, local, with_broader

MOST_VALUES = 200
"""Values of one property of one thing that are given."""

_TOGETHER = 250
"""Things that one query asks about: its text may not be long without end."""

BODIES = {"memberOf": ("member", "Alliance"), "partyTo": ("party", "Treaty")}
"""Properties for a place in a body: what such a spell is called, and the kind of body."""

_VALUES = """
SELECT DISTINCT ?thing ?value ?label WHERE {{
  VALUES ?thing {{ {things} }}
  ?thing {path} ?value .
  OPTIONAL {{ ?value rdfs:label ?label . FILTER(LANG(?label) IN ("", "en")) }}
}}
ORDER BY ?thing ?value ?label
"""
_PROPERTIES = """
SELECT ?property ?label ?comment ?range WHERE {
  VALUES ?kind { owl:ObjectProperty owl:DatatypeProperty }
  ?property a ?kind ; rdfs:label ?label .
  FILTER(LANG(?label) IN ("", "en") && STRSTARTS(STR(?property), STR(foedus:)))
  OPTIONAL { ?property skos:definition|rdfs:comment ?comment . FILTER(LANG(?comment) IN ("", "en")) }
  OPTIONAL { ?property rdfs:range ?range }
}
ORDER BY ?property ?label ?comment ?range
"""
_USED = """
SELECT DISTINCT ?class ?property WHERE {
  ?property a ?kind . VALUES ?kind { owl:ObjectProperty owl:DatatypeProperty }
  ?thing ?property ?value ; a ?class .
  FILTER(STRSTARTS(STR(?class), STR(foedus:)) && STRSTARTS(STR(?property), STR(foedus:)))
}
ORDER BY ?class ?property
"""
_XSD = names.PREFIXES["xsd"]
_ITEMS = names.PREFIXES["wd"]
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")


@dataclass(frozen=True)
class Property:
    """What is recorded of things: *name* is its local name; *kind* the class of its values, empty for texts."""

    name: str
    label: str
    description: str
    kind: str = ""


@dataclass(frozen=True)
class Value:
    """One value: of a ``thing`` *text* is the local name and *label* its name; else *text* is the lexical form."""

    form: Literal["thing", "text", "integer", "number", "day"]
    text: str
    label: str = ""


@dataclass(frozen=True)
class Settings:
    """How to give values: on which days, in which language, of which list of codes. Empty is any, or today's code."""

    on: Days | None = None
    language: str = ""
    list: str = ""

    @classmethod
    def read(cls, given: Mapping[str, str]) -> "Settings":
        """WrongUsage for a setting that is not there or a value that is none."""
        unknown = given.keys() - {"on", "language", "list"}
        if unknown:
            raise WrongUsage(f"There is no setting “{min(unknown)[:80]}”.", "Choose from: on, language, list.")
        on, language = given.get("on", "").strip(), given.get("language", "").strip()
        days = Days.read(on) if on else None
        if on and days is None:
            raise WrongUsage(f"“{on[:80]}” is no day.", "Write on as 1999-03-12, 1999-03 or 1999.")
        if language and not _LANGUAGE.fullmatch(language):
            raise WrongUsage(f"“{language[:80]}” is no language.", "Write it as a tag: en, fr, zh.")
        return cls(days, language.lower(), given.get("list", "").strip())


OF_ANY = (
    Property("name", "name", "What it is called; in one language, if that is set."),
    Property("otherName", "other name", "Other, former and official names; in one language, if that is set."),
    Property("wikidata", "Wikidata item", "The number of the same thing in Wikidata, such as Q183."),
)
OF_STATES = (
    Property("code", "code", "Codes and numbers in lists of states: of one list and on a day, if they are set."),
    Property(
        "memberOf",
        "member of",
        "The alliances of which a state is or was a member; on a day, if one is set.",
        "Alliance",
    ),
    Property(
        "partyTo", "party to", "The treaties to which a state is or was a party; on a day, if one is set.", "Treaty"
    ),
)
_MADE = {each.name: each for each in (*OF_ANY, *OF_STATES)}
_PATHS = {"name": "rdfs:label", "otherName": "skos:altLabel", "wikidata": "skos:exactMatch"}


class Extension:
    """The properties and values of *things*; its methods may be called from any thread."""

    def __init__(self, things: Things) -> None:
        self.things = things

    def property(self, name: str) -> Property:
        """The property called *name*, its local name, CURIE or IRI; WrongUsage where there is none."""
        found = self.properties.get((names.expand(name) or name).removeprefix(names.ONTOLOGY))
        if found is None:
            raise WrongUsage(f"There is no property “{name[:80]}”.", f"Some are: {', '.join(_MADE)}, iso3.")
        return found

    @kept
    def properties(self) -> Mapping[str, Property]:
        """All, by local name; those made for tables first."""
        found = dict(_MADE)
        for row in results.select(self.things.asker, _PROPERTIES, reserved=True):
            name = row["property"].value.removeprefix(names.ONTOLOGY)
            comment = row["comment"].value if "comment" in row else ""
            kind = row["range"].value.removeprefix(names.ONTOLOGY) if "range" in row else ""
            found.setdefault(
                name, Property(name, row["label"].value, comment, kind if kind in self.things.kinds else "")
            )
        return found

    def of_kind(self, kind: str) -> list[Property]:
        """The properties that things of *kind* have, those made for tables first."""
        made = (*OF_ANY, *(OF_STATES if kind in ("State", "MemberState", "FormerMemberState") else ()))
        used = {
            name
            for each, found in self._used.items()
            if kind in with_broader([each], self.things.kinds)
            for name in found
        }
        return [*made, *(each for name, each in self.properties.items() if name in used and name not in _MADE)]

    def values(self, of: Sequence[Thing], property: Property, settings: Settings) -> dict[str, list[Value]]:
        """The values of *property*, by the local name of each thing that has any, ``MOST_VALUES`` of each at most."""
        found: dict[str, list[Value]] = defaultdict(list)
        for name, value in self._all_values(of, property, settings):
            if value not in found[name] and len(found[name]) < MOST_VALUES:
                found[name].append(value)
        return found

    def texts(self, of: Sequence[Thing], property: Property) -> dict[str, set[str]]:
        """All by which values of *property* are known, folded, by the local name of the thing that has them.

        A value's text and, where it is a thing, its name and IRI.
        """
        found: dict[str, set[str]] = {}
        for name, values in self.values(of, property, Settings()).items():
            texts = {folded(text) for value in values for text in (value.text, value.label) if text}
            found[name] = texts | {folded(names.ID + value.text) for value in values if value.form == "thing"}
        return found

    def _all_values(self, of: Sequence[Thing], property: Property, settings: Settings) -> Iterator[tuple[str, Value]]:
        if property.name in BODIES:
            for each in of:
                for body in sorted(self.things.bodies(each.name, BODIES[property.name][0], settings.on)):
                    yield each.name, self._thing(body)
        elif property.name == "code":
            for each in of:
                yield from ((each.name, Value("text", code)) for code in self._codes_of(each, settings))
        elif property.name in _PATHS:
            for name, term, _ in self._rows(of, _PATHS[property.name]):
                if property.name != "wikidata" and _is_in(settings.language, term.language):
                    yield name, Value("text", term.value)
                elif term.value.startswith(_ITEMS):
                    yield name, Value("text", term.value.removeprefix(_ITEMS))
        else:
            for name, term, label in self._rows(of, f"<{names.ONTOLOGY}{property.name}>"):
                yield name, self._value(term, label)

    def _codes_of(self, thing: Thing, settings: Settings) -> Iterator[str]:
        """Those valid on the days that are set, or today; of the list that is set, or of all, with the list's name."""
        lists = self._lists(settings.list) if settings.list else set()
        for code in self._codes.get(thing.iri, ()):
            is_valid = settings.on.hold(code) if settings.on else not code.last
            if is_valid and not settings.list:
                yield f"{code.scheme} {code.code}"
            elif is_valid and code.scheme in lists:
                yield code.code

    def _lists(self, named: str) -> set[str]:
        """The lists that *named* may mean: the one of which it is the whole name, or all of which it is a part."""
        whole = {each for each in self._schemes if resolve.is_named_whole(each, named)}
        return whole or {each for each in self._schemes if resolve.is_named(each, named)}

    def _rows(self, of: Sequence[Thing], path: str) -> Iterator[tuple[str, Term, str]]:
        for start in range(0, len(of), _TOGETHER):
            things = " ".join(f"<{each.iri}>" for each in of[start : start + _TOGETHER])
            text = _VALUES.format(things=things, path=path)
            for row in results.select(self.things.asker, text, reserved=True):
                yield local(row["thing"].value), row["value"], row["label"].value if "label" in row else ""

    def _value(self, term: Term, label: str) -> Value:
        if term.kind == "iri":
            name = local(term.value)
            return self._thing(name) if name in self.things.by_name else Value("text", label or names.curie(term.value))
        if term.datatype == _XSD + "integer":
            return Value("integer", term.value)
        if term.datatype in (_XSD + "decimal", _XSD + "double", _XSD + "float"):
            return Value("number", term.value)
        return Value("day" if term.datatype == _XSD + "date" else "text", term.value)

    def _thing(self, name: str) -> Value:
        known = self.things.by_name.get(name)
        return Value("thing", name, known.label) if known else Value("text", name)

    @kept
    def _schemes(self) -> frozenset[str]:
        return frozenset(code.scheme for given in self.things.index.codes.values() for code in given)

    @kept
    def _codes(self) -> Mapping[str, Sequence[resolve.Code]]:
        found: dict[str, list[resolve.Code]] = defaultdict(list)
        for given in self.things.index.codes.values():
            for each in given:
                found[each.iri].append(each)
        return {iri: sorted(codes, key=lambda each: (each.scheme, each.first)) for iri, codes in found.items()}

    @kept
    def _used(self) -> Mapping[str, Iterable[str]]:
        """The properties that instances of each class have."""
        found: dict[str, list[str]] = defaultdict(list)
        for row in results.select(self.things.asker, _USED, reserved=True):
            used = row["property"].value.removeprefix(names.ONTOLOGY)
            found[row["class"].value.removeprefix(names.ONTOLOGY)].append(used)
        return found


def _is_in(wanted: str, language: str | None) -> bool:
    """Whether a text of *language* is in the language *wanted*, of whichever region; any is, if that is empty."""
    return not wanted or (language or "").lower().partition("-")[0] == wanted.partition("-")[0]
