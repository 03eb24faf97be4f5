"""Entities in Wikidata's JSON: one, those of an answer under ``entities``, or a dump with one a line; old form and new.

In the form of 2014 an item is given by its number alone, a year has eleven digits, and what is empty is a list. The
form of today: https://doc.wikimedia.org/Wikibase/master/php/docs_topics_json.html.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from foedus.errors import CannotRead
from foedus.link.wikidata import (
    END,
    IDENTIFIERS,
    LABELS,
    PROPERTIES,
    START,
    TIMES,
    UNKNOWN,
    Item,
    Reading,
    Statement,
    Time,
    Trouble,
    day_of,
    named_day,
    plain,
    qid_of,
    spanned,
    statement_id,
    time_of,
)

_JULIAN = "http://www.wikidata.org/entity/Q1985786"

_Told = Callable[..., None]
"""Takes the place and the words of a trouble, and what to do about it."""


def read(path: Path, text: str) -> Reading:
    """The entities of *text*; what of it cannot be read is told in the reading."""
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
            items.append(Item(asked, gone=True))
        else:
            if asked != found:
                items.append(Item(asked, redirect=found))
            items += _items(found, entity, trouble)
        modified = day_of(str(entity.get("modified", "")))
        days += [modified] if modified else []
    return Reading(str(path), tuple(items), tuple(troubles), named_day(path) or max(days, default=None), False)


def _documents(text: str, trouble: _Told) -> Iterator[tuple[str, str, object]]:
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


def _items(qid: str, entity: Mapping[str, Any], trouble: _Told) -> Iterator[Item]:
    """The item of an entity; none where it has nothing that could be one's statements."""
    claims = entity.get("claims") or {}
    if not isinstance(claims, dict) or not all(isinstance(claims.get(each, []), list) for each in PROPERTIES):
        trouble(qid, "The entity has no claims that can be read.")
        return
    statements: list[Statement] = []
    whole = set(PROPERTIES) if entity.get("claims") in ({}, []) or claims else set()
    for name in PROPERTIES:
        for claim in claims.get(name, []):
            place = qid
            try:
                place = f"{qid}, {statement_id(str(claim.get('id', '')))}"
                statements.append(_statement(qid, name, claim))
                continue
            except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
                trouble(qid, f"A statement of {name} has not the form that Wikibase gives.", "Compare it by hand.")
            except CannotRead as error:
                trouble(place, error.message, "Compare it by hand.")
            whole.discard(name)
    labels, aliases = _texts(entity.get("labels")), entity.get("aliases")
    whole |= {LABELS} if labels else set()
    others = {
        language: tuple(text for each in found for text in _texts({language: each}).values())
        for language, found in (aliases.items() if isinstance(aliases, dict) else ())
        if isinstance(found, list)
    }
    codes = {name: tuple(_codes(claims.get(name))) for name in IDENTIFIERS if claims.get(name)}
    yield Item(qid, tuple(statements), frozenset(whole), labels, others, codes)


def _texts(told: object) -> dict[str, str]:
    """What of *told* are texts, by language."""
    return {
        language: plain(text["value"])
        for language, text in (told.items() if isinstance(told, dict) else ())
        if isinstance(text, dict) and isinstance(text.get("value"), str)
    }


def _codes(claims: object) -> Iterator[str]:
    """The texts that *claims* have as values; a claim of another form has none."""
    for claim in claims if isinstance(claims, list) else ():
        value: Any = claim
        for key in ("mainsnak", "datavalue", "value"):
            value = value.get(key) if isinstance(value, dict) else None
        if isinstance(value, str) and claim.get("rank") != "deprecated":
            yield plain(value)


def _statement(qid: str, name: str, claim: Mapping[str, Any]) -> Statement:
    main = claim["mainsnak"]
    target, time = "", None
    if name in TIMES:
        time = _times([main])
    elif main["snaktype"] == "value":
        value = main["datavalue"]["value"]
        target = qid_of(value["id"] if "id" in value else f"Q{value['numeric-id']}")
    qualifiers = claim.get("qualifiers") or {}
    begin, end = (_times(qualifiers.get(each, [])) for each in (START, END))
    return Statement(
        item=qid,
        property=name,
        target=target,
        place=statement_id(str(claim.get("id", ""))),
        time=time,
        rank=plain(claim.get("rank", "normal")),
        begin=begin,
        end=end,
        references=len(claim.get("references") or ()),
    )


def _times(snaks: list[Mapping[str, Any]]) -> Time | None:
    """The time of a value or a qualifier; of several values, all that they span."""
    times = []
    for snak in snaks:
        if snak["snaktype"] == "somevalue":
            times.append(UNKNOWN)
        elif snak["snaktype"] == "value":
            value = snak["datavalue"]["value"]
            times.append(time_of(value["time"], int(value["precision"]), value.get("calendarmodel") == _JULIAN))
    return spanned(times)
