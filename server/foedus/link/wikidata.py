"""What files say that came from Wikidata: entities as JSON or RDF, and answers of its query service as CSV.

The forms are those of the Wikibase JSON and RDF dump formats. Only *member of* (P463) with *start time* (P580) and *end
time* (P582) is read.
"""

import csv
import datetime
import io
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyoxigraph

from foedus.errors import CannotRead

MEMBER_OF, START, END = "P463", "P580", "P582"

DAY, MONTH, YEAR = 11, 10, 9
"""Precisions of a time; each lower one is ten times as coarse as a year."""

_ITEM = re.compile(r"[Qq]([1-9]\d{0,9})\Z")
_TIME = re.compile(r"([+-]?)(\d{1,16})-(\d\d)-(\d\d)T\d\d:\d\d:\d\dZ\Z")
_DATE_IN_NAME = re.compile(r"(?<!\d)(\d{4}-\d\d-\d\d)(?!\d)")
_JULIAN = "http://www.wikidata.org/entity/Q1985786"
_ENTITY = "http://www.wikidata.org/entity/"
_PROP = "http://www.wikidata.org/prop/"
_WIKIBASE = "http://wikiba.se/ontology#"
_RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
_SAME = "http://www.w3.org/2002/07/owl#sameAs"
_ABOUT = "http://schema.org/about"
_MODIFIED = "http://schema.org/dateModified"


@dataclass(frozen=True)
class Time:
    """A time as far as it is known: its first and last day, as ordinals of the Gregorian calendar, and in writing."""

    first: int
    last: int
    text: str
    precision: int


UNKNOWN = Time(1, datetime.date.max.toordinal(), "unknown", 0)
"""The value of a time that is there and not known."""


@dataclass(frozen=True)
class Statement:
    """*item* is a member of *target*, both by their QIDs; *place* says where in its file it stands.

    A *truthy* one is without rank, time and references: it says nothing about when.
    """

    item: str
    target: str
    property: str
    rank: str
    begin: Time | None
    end: Time | None
    truthy: bool
    place: str


@dataclass(frozen=True)
class Item:
    """An item of a file; *whole* where every statement of membership of it is there; *redirect* names its heir."""

    qid: str
    label: str
    statements: tuple[Statement, ...]
    whole: bool
    redirect: str = ""
    gone: bool = False


@dataclass(frozen=True)
class Trouble:
    """What of a file could not be read, where, and what to do; the rest of the file was read."""

    file: str
    place: str
    message: str
    remedy: str


@dataclass(frozen=True)
class Reading:
    """What was read from a file; *day* is the day whose state it shows, None where it does not say.

    An *answer* is a list of statements that some query chose; what is not in it may still be in Wikidata.
    """

    file: str
    items: tuple[Item, ...]
    troubles: tuple[Trouble, ...]
    day: int | None
    answer: bool


def read(path: Path) -> Reading:
    """The memberships in a file; what it holds is told by its name. What cannot be read is told, never raised."""
    try:
        return _read(path)
    except OSError as error:
        trouble = Trouble(
            str(path), "", f"{error.strerror or error}.", "Check that it exists and that you may read it."
        )
    except UnicodeDecodeError as error:
        trouble = Trouble(str(path), f"byte {error.start}", "This is not UTF-8 text.", "Save it as UTF-8.")
    except RecursionError:
        trouble = Trouble(str(path), "", "The JSON is nested too deeply.", "Fetch it again.")
    except csv.Error as error:
        trouble = Trouble(str(path), "", f"The CSV is malformed: {error}.", "Fetch the answer again.")
    except CannotRead as error:
        trouble = Trouble(str(path), f"line {error.line}" if error.line else "", error.message, error.remedy)
    return Reading(str(path), (), (trouble,), None, False)


def _read(path: Path) -> Reading:
    readers = {".json": _entities, ".ttl": _graph, ".nt": _graph, ".csv": _answer}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise CannotRead(f"“{path.name}” has none of the endings {', '.join(readers)}.", "Name it after its format.")
    text = path.read_bytes().decode("utf-8-sig")
    if not text.strip():
        raise CannotRead("The file is empty.", "Fetch it again.")
    if text.lstrip()[:15].lower().startswith(("<!doctype", "<html")):
        raise CannotRead("This is an HTML page.", "Fetch the data, such as Special:EntityData/Q183.json.")
    return reader(path, text)


def _named_day(path: Path) -> int | None:
    """The day that the name of a file gives, as of ``…_2020-10-28.csv``."""
    found = _DATE_IN_NAME.search(path.name)
    return _day(found[1]) if found else None


def _day(text: str) -> int | None:
    try:
        return datetime.date.fromisoformat(text[:10]).toordinal()
    except ValueError:
        return None


def qid_of(text: object) -> str:
    """The QID in *text*, an id or the IRI of an entity, with a capital Q; nothing where it is neither."""
    found = _ITEM.match(str(text).removeprefix(_ENTITY).removeprefix("https://www.wikidata.org/entity/"))
    return f"Q{found[1]}" if found else ""


def time_of(text: str, precision: int, julian: bool = False) -> Time:
    """A time of Wikidata, its year of any length; CannotRead where it is no time of our calendar."""
    found = _TIME.match(text)
    if not found or found[1] == "-" or not 0 <= precision <= 14:
        raise CannotRead(f"“{plain(text)}” is no time of the common era.", "Compare it by hand.")
    year, month, day = (int(part) for part in found.groups()[1:])
    try:
        if precision >= DAY:
            exact = datetime.date(year, month, day).toordinal()
            # Between the calendars lie ten days in 1582, and one more from March of 1700, 1800 and 1900 on.
            century = (year - (month < 3)) // 100
            exact += century - century // 4 - 2 if julian else 0
            return Time(exact, exact, datetime.date.fromordinal(exact).isoformat(), DAY)
        if precision == MONTH:
            first = datetime.date(year, month, 1)
            after = datetime.date(year + month // 12, month % 12 + 1, 1)
            return Time(first.toordinal(), after.toordinal() - 1, first.isoformat()[:7], precision)
        years = 10 ** (YEAR - precision)
        # A decade begins with its round year; a century and all that is longer ends with it.
        begin = year // years * years if years <= 10 else (year - 1) // years * years + 1
        first, after = datetime.date(max(begin, 1), 1, 1), datetime.date(begin + years, 1, 1)
    except (ValueError, OverflowError) as error:
        raise CannotRead(f"“{text}” is no date to the precision {precision}.", "Compare it by hand.") from error
    shown = f"{year:04}" if years == 1 else f"[{begin:04}..{begin + years - 1:04}]"
    return Time(first.toordinal(), after.toordinal() - 1, shown, precision)


def _entities(path: Path, text: str) -> Reading:
    """Entities as JSON: one, those of an answer under ``entities``, or a dump with one a line; old form and new."""
    troubles: list[Trouble] = []
    items: list[Item] = []
    days: list[int] = []

    def trouble(place: str, message: str, remedy: str = "Fetch it again.") -> None:
        troubles.append(Trouble(str(path), plain(place), message, remedy))

    for place, key, entity in _documents(text, trouble):
        if not isinstance(entity, dict):
            trouble(place or key, "This is no entity.")
            continue
        found = qid_of(entity.get("id", entity.get("title", key)))
        asked = qid_of(key) or found
        redirects = entity.get("redirects")
        if isinstance(redirects, dict) and qid_of(redirects.get("from")):
            asked, found = qid_of(redirects["from"]), qid_of(redirects.get("to")) or found
        if not asked:
            trouble(place or key, "The entity has no id of an item.", "Give items, such as Q183.")
        elif "missing" in entity:
            items.append(Item(asked, "", (), False, gone=True))
        else:
            if asked != found:
                items.append(Item(asked, "", (), False, redirect=found))
            item = _entity(found, entity, lambda where, message: trouble(where, message, "Compare it by hand."))
            if item is None:
                trouble(found, "The entity has no claims that can be read.")
            else:
                items.append(item)
        modified = _day(str(entity.get("modified", "")))
        days += [modified] if modified else []
    return Reading(str(path), tuple(items), tuple(troubles), _named_day(path) or max(days, default=None), False)


def _documents(text: str, trouble: Any) -> Iterator[tuple[str, str, object]]:
    """Each entity of a JSON text, with its line in a dump and the key that it stands under."""
    try:
        document = json.loads(text)
    except ValueError as error:
        lines = text.splitlines()
        if len(lines) < 2 or not any(line.rstrip().rstrip(",").endswith("}") and line[:1] == "{" for line in lines):
            where = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
            trouble(where, "The JSON is malformed or breaks off.")
            return
        for number, line in enumerate(lines, start=1):
            bare = line.strip().rstrip(",")
            if bare not in {"", "[", "]"}:
                try:
                    yield f"line {number}", "", json.loads(bare)
                except ValueError:
                    trouble(f"line {number}", "The JSON is malformed or breaks off.")
        return
    if isinstance(document, dict) and isinstance(document.get("error"), dict):
        error_told = document["error"]
        told = plain(error_told.get("info", error_told.get("code"))).rstrip(".")
        trouble(plain(error_told.get("id", "")), f"Wikidata answered: {told}.")
    elif isinstance(document, dict) and isinstance(document.get("entities"), dict):
        yield from (("", key, entity) for key, entity in document["entities"].items())
    elif isinstance(document, list):
        yield from ((f"entry {number}", "", entity) for number, entity in enumerate(document, start=1))
    else:
        yield "", "", document


def _entity(qid: str, entity: Mapping[str, Any], trouble: Any) -> Item | None:
    claims = entity.get("claims")
    claims = {} if claims == [] else claims
    if not isinstance(claims, dict) or not isinstance(claims.get(MEMBER_OF, []), list):
        return None
    statements = []
    for claim in claims.get(MEMBER_OF, []):
        try:
            name = statement_id(str(claim.get("id", "")))
            statements.append(_claim(qid, name, claim))
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
            trouble(qid, "A statement has not the form that Wikibase gives.")
        except CannotRead as error:
            trouble(f"{qid}, {name}", error.message)
    labels = entity.get("labels")
    label = labels.get("en") if isinstance(labels, dict) else None
    told = str(label.get("value", "")) if isinstance(label, dict) else ""
    return Item(qid, told, tuple(statements), len(statements) == len(claims.get(MEMBER_OF, [])))


def _claim(qid: str, name: str, claim: Mapping[str, Any]) -> Statement:
    main = claim["mainsnak"]
    target = ""
    if main["snaktype"] == "value":
        value = main["datavalue"]["value"]
        target = qid_of(value["id"] if "id" in value else f"Q{value['numeric-id']}")
    qualifiers = claim.get("qualifiers") or {}
    begin, end = (_qualifier(qualifiers.get(each, [])) for each in (START, END))
    return Statement(qid, target, MEMBER_OF, str(claim.get("rank", "normal")), begin, end, False, name)


def _qualifier(snaks: list[Mapping[str, Any]]) -> Time | None:
    """The time of a qualifier; of several values, all that they span."""
    times = []
    for snak in snaks:
        if snak["snaktype"] == "somevalue":
            times.append(UNKNOWN)
        elif snak["snaktype"] == "value":
            value = snak["datavalue"]["value"]
            times.append(time_of(value["time"], int(value["precision"]), value.get("calendarmodel") == _JULIAN))
    return _spanned(times)


def _spanned(times: Iterable[Time]) -> Time | None:
    found = sorted(set(times), key=lambda each: (each.first, each.last))
    if len(found) < 2:
        return found[0] if found else None
    text = f"{{{', '.join(each.text for each in found)}}}"
    return Time(found[0].first, max(each.last for each in found), text, min(each.precision for each in found))


def statement_id(text: str) -> str:
    """The id of a statement as Wikibase writes it today: ``q183-C88D…`` and ``q183$C88D…`` are ``Q183$C88D…``."""
    found = re.match(r"[Qq]([1-9]\d*)[$-](.+)\Z", text)
    return f"Q{found[1]}${plain(found[2])}" if found else plain(text)


def plain(text: object) -> str:
    """*text* of a stranger's as one short line that no terminal obeys and that every encoding of Unicode can write."""
    return "".join(each if each.isprintable() else "�" for each in str(text))[:200]


_Triples = dict[str, dict[str, list[Any]]]


def _graph(path: Path, text: str) -> Reading:
    """Entities as RDF; of an item without full statements of membership, the truthy ones."""
    form = pyoxigraph.RdfFormat.N_TRIPLES if path.suffix.lower() == ".nt" else pyoxigraph.RdfFormat.TURTLE
    triples: _Triples = defaultdict(lambda: defaultdict(list))
    troubles: list[Trouble] = []
    try:
        for each in pyoxigraph.parse(input=text.encode(), format=form, base_iri="http://www.wikidata.org/"):
            values = triples[str(getattr(each.subject, "value", each.subject))][each.predicate.value]
            if hasattr(each.object, "value") and each.object not in values[-1:]:
                values.append(each.object)
    except SyntaxError as error:
        # What stands before the fault may lack its qualifiers: nothing of it is used.
        where = f"line {error.lineno}" if error.lineno else ""
        raise CannotRead(f"The RDF is malformed or breaks off ({where or error.msg}).", "Fetch it again.") from error
    items = [_item_of(path, iri, about, triples, troubles) for iri, about in triples.items() if _is_item(iri, about)]
    modified = (_day(value.value) for about in triples.values() if _ABOUT in about for value in about[_MODIFIED])
    day = _named_day(path) or max((each for each in modified if each), default=None)
    return Reading(str(path), tuple(items), tuple(troubles), day, False)


def _is_item(iri: str, about: Mapping[str, list[Any]]) -> bool:
    types = {value.value for value in about.get(_RDF_TYPE, ())}
    told = _PROP + MEMBER_OF in about or _PROP + "direct/" + MEMBER_OF in about or _SAME in about
    return bool(qid_of(iri)) and (told or _WIKIBASE + "Item" in types)


def _item_of(path: Path, iri: str, about: Mapping[str, list[Any]], triples: _Triples, troubles: list[Trouble]) -> Item:
    qid = qid_of(iri)
    label = next((each.value for each in about.get(_LABEL, ()) if getattr(each, "language", None) == "en"), "")
    heirs = [qid_of(each.value) for each in about.get(_SAME, ())]
    if heirs:
        return Item(qid, label, (), False, redirect=heirs[0])
    statements = []
    nodes = list(dict.fromkeys(each.value for each in about.get(_PROP + MEMBER_OF, ())))
    for node in nodes:
        name = statement_id(node.rpartition("/")[2])
        try:
            statements.append(_node(qid, name, triples.get(node, {}), triples))
        except (ValueError, LookupError):
            troubles.append(Trouble(str(path), f"{qid}, {name}", "The statement is not whole.", "Fetch it again."))
        except CannotRead as error:
            troubles.append(Trouble(str(path), f"{qid}, {name}", error.message, error.remedy))
    declared = _declared(iri, triples)
    given = sum(len(set(map(str, values))) for name, values in about.items() if _is_statement(name))
    whole = bool(nodes) and len(statements) == len(nodes) and given >= declared
    if not nodes:
        targets = dict.fromkeys(qid_of(each.value) for each in about.get(_PROP + "direct/" + MEMBER_OF, ()))
        statements = [Statement(qid, each, MEMBER_OF, "best", None, None, True, qid) for each in targets if each]
    if given < declared:
        message = f"{given} of the item's {declared} statements are here."
        troubles.append(Trouble(str(path), qid, message, "What is missing there is not told for it."))
    return Item(qid, label, tuple(statements), whole)


def _is_statement(predicate: str) -> bool:
    return re.fullmatch(re.escape(_PROP) + r"P\d+", predicate) is not None


def _declared(iri: str, triples: _Triples) -> int:
    """How many statements the item has, as far as the file says."""
    for about in triples.values():
        if any(each.value == iri for each in about.get(_ABOUT, ())) and _WIKIBASE + "statements" in about:
            number = about[_WIKIBASE + "statements"][0].value
            return int(number) if number.isdecimal() else 0
    return 0


def _node(qid: str, name: str, about: Mapping[str, list[Any]], triples: _Triples) -> Statement:
    value = about[_PROP + "statement/" + MEMBER_OF][0] if _PROP + "statement/" + MEMBER_OF in about else None
    ranks = {each.value.removeprefix(_WIKIBASE) for each in about[_WIKIBASE + "rank"]}
    rank = next(iter(ranks)).removesuffix("Rank").lower()
    begin, end = (_times(each, about, triples) for each in (START, END))
    return Statement(qid, qid_of(value.value) if value else "", MEMBER_OF, rank, begin, end, False, name)


def _times(name: str, about: Mapping[str, list[Any]], triples: _Triples) -> Time | None:
    times = []
    values = [triples.get(each.value, {}) for each in about.get(_PROP + "qualifier/value/" + name, ())]
    for value in values:
        precision = int(value[_WIKIBASE + "timePrecision"][0].value)
        times.append(time_of(_signed(value[_WIKIBASE + "timeValue"][0].value), precision))
    for plain in about.get(_PROP + "qualifier/" + name, ()):
        if not isinstance(plain, pyoxigraph.Literal):
            times.append(UNKNOWN)
        elif not values:
            # Without its value node a time has no precision, and a whole year is written as its first day.
            times.append(time_of(_signed(plain.value), YEAR if plain.value[-15:-10] == "01-01" else DAY))
    return _spanned(times)


def _signed(text: str) -> str:
    return text if text[:1] in "+-" else f"+{text}"


def _answer(path: Path, text: str) -> Reading:
    """An answer of the query service with the columns *alliance* and *country*; *memberOf* is the property."""
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=False))
    heads = {name.strip(): place for place, name in enumerate(rows[0])}
    missing = [name for name in ("alliance", "country") if name not in heads]
    if missing:
        raise CannotRead(f"The columns {' and '.join(missing)} are missing.", "Name them alliance and country.", line=1)
    troubles: list[Trouble] = []
    statements: dict[str, list[Statement]] = defaultdict(list)
    labels: dict[str, str] = {}
    for number, row in enumerate(rows[1:], start=2):
        if not row:
            continue
        place = f"line {number}"
        if len(row) != len(rows[0]):
            message = f"The row has {len(row)} cells, the header {len(rows[0])}."
            troubles.append(Trouble(str(path), place, message, "Fetch the answer again: it may break off here."))
            continue
        target, item = (qid_of(row[heads[name]].strip()) for name in ("alliance", "country"))
        if not target or not item:
            wrong = row[heads["country" if target else "alliance"]]
            troubles.append(Trouble(str(path), place, f"“{plain(wrong)}” is no item.", "Give it as its IRI or QID."))
            continue
        named = plain(row[heads["memberOf"]].rpartition("/")[2]) if "memberOf" in heads else MEMBER_OF
        labels.setdefault(item, row[heads["countryLabel"]] if "countryLabel" in heads else "")
        statements[item].append(Statement(item, target, named, "best", None, None, True, place))
    items = tuple(Item(qid, labels[qid], tuple(found), False) for qid, found in statements.items())
    return Reading(str(path), items, tuple(troubles), _named_day(path), True)
