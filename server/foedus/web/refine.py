"""The JSON of the Reconciliation Service API 0.2: its queries read, its answers written.

The specification: https://www.w3.org/community/reports/reconciliation/CG-FINAL-specs-0.2-20230410/. What is not of its
shape is refused whole, with words that say which query is meant.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

from foedus import __version__, names
from foedus.errors import TooLarge, WrongUsage
from foedus.query.extending import Property, Settings, Value
from foedus.query.matching import STRICT, Candidate, Query, Wish
from foedus.query.things import Kind, Thing, Things

VERSIONS = ("0.1", "0.2")
SUGGESTED = ("entity", "property", "type")
"""What suggestions there are of."""
DEFAULT_KINDS = ("State", "Alliance", "Treaty")

BATCH = 50
"""Queries in one batch, at most."""
LONGEST = 1000
"""Characters of a name or value, at most."""
MOST_LIMIT = 100
"""Candidates for one query, at most; who asks for more gets these."""
MOST_PROPERTIES = 20
"""Properties of one query, or of one extension, at most."""
MOST_VALUES = 50
"""Values of one property of a query, at most."""
MOST_IDS = 1000
"""Things of one extension, at most."""

PREVIEW = (420, 320)
"""Width and height of a preview."""

_FIELDS = frozenset(("query", "type", "limit", "properties", "type_strict"))
_SHORT = 200
"""Characters of a description."""


def manifest(home: str, lists: Sequence[str]) -> dict[str, Any]:
    """What the service is and can do; *home* is how the addresses of our server begin, *lists* the lists of codes."""
    service = f"{home}/reconcile"

    def suggest(what: str) -> dict[str, str]:
        return {
            "service_url": service,
            "service_path": f"/suggest/{what}",
            "flyout_service_url": service,
            "flyout_service_path": f"/flyout/{what}?id=${{id}}",
        }

    width, height = PREVIEW
    return {
        "versions": VERSIONS,
        "name": "Foedus: states, alliances and treaties",
        "identifierSpace": names.ID,
        "schemaSpace": names.ONTOLOGY,
        "documentation": service,
        "serviceVersion": __version__,
        "logo": f"{home}/static/icon.svg",
        "view": {"url": f"{home}/id/{{{{id}}}}"},
        "feature_view": {"url": f"{service}#feature-{{{{id}}}}"},
        "preview": {"url": f"{service}/preview?id={{{{id}}}}", "width": width, "height": height},
        "suggest": {what: suggest(what) for what in SUGGESTED},
        "extend": {
            "propose_properties": {"service_url": service, "service_path": "/properties"},
            "property_settings": [
                {
                    "type": "text",
                    "name": "on",
                    "label": "On the day",
                    "default": "",
                    "help_text": "Memberships and codes then: 1999-03-12, 1999-03, 1999. Empty: ever; codes of today.",
                },
                {
                    "type": "text",
                    "name": "language",
                    "label": "Language",
                    "default": "",
                    "help_text": "Names in that language: en, fr, es, ar, ru, zh. Empty: in all.",
                },
                {
                    "type": "select",
                    "name": "list",
                    "label": "List of codes",
                    "default": "",
                    "help_text": "Codes of that list, alone. Empty: of all, behind the names of their lists.",
                    "choices": [{"value": each, "name": each or "all"} for each in ("", *lists)],
                },
            ],
        },
        "batchSize": BATCH,
    }


def batch(text: str) -> dict[str, Query]:
    """The queries in *text*, a batch in JSON; TooLarge for too many, WrongUsage for another shape."""
    content = _parsed(text, "queries")
    if not isinstance(content, dict):
        _wrong("The batch is no object", 'Send {"q0": {"query": "Germany"}}.')
    if len(content) > BATCH:
        raise TooLarge(f"There are {len(content)} queries in the batch.", f"Send at most {BATCH} at once.")
    return {key: query(each, f"Query “{key[:40]}”") for key, each in content.items()}


def single(text: str) -> Query:
    """The query in *text*: one in JSON, or the name itself."""
    if text.lstrip().startswith("{"):
        return query(_parsed(text, "query"), "The query")
    return query({"query": text}, "The query")


def query(content: object, what: str) -> Query:
    """The query *content*, which errors call *what*."""
    if not isinstance(content, dict):
        _wrong(f"{what} is no object", 'Write it as {"query": "Germany"}.')
    if unknown := content.keys() - _FIELDS:
        _wrong(f"{what} has a field “{min(unknown)[:40]}”", f"The fields are: {', '.join(sorted(_FIELDS))}.")
    if "query" in content and not isinstance(content["query"], str):
        _wrong(f"The “query” of {_lower(what)} is no text", "Write the name as a string.")
    name = _text(content.get("query", ""), what)
    wishes = _wishes(content.get("properties", []), what)
    # A cell of spaces is no mistake of whoever sends a column, and would cost the others of a batch their answers.
    if "query" not in content and not wishes:
        _wrong(f"{what} has neither “query” nor “properties”", "Give a name, or what the thing has.")
    strict = content.get("type_strict", "any")
    if strict not in STRICT:
        _wrong(f"The “type_strict” of {_lower(what)} is none", f"It is one of: {', '.join(STRICT)}.")
    limit = content.get("limit", Query.limit)
    if isinstance(limit, bool) or not isinstance(limit, int | float) or limit < 1 or limit != int(limit):
        _wrong(f"The “limit” of {_lower(what)} is no positive integer", "Write it as 5.")
    return Query(name, _kinds(content.get("type", []), what), strict, wishes, min(int(limit), MOST_LIMIT))


def extension(text: str) -> tuple[list[str], list[tuple[str, Settings]]]:
    """The ids in *text*, a data extension query in JSON, and the properties with their settings."""
    content = _parsed(text, "extend")
    ids, properties = (content.get(each) if isinstance(content, dict) else None for each in ("ids", "properties"))
    if not isinstance(ids, list) or not isinstance(properties, list) or not all(isinstance(each, str) for each in ids):
        _wrong(
            "The extension has no “ids” or “properties”", 'Send {"ids": ["germany"], "properties": [{"id": "iso3"}]}.'
        )
    if len(ids) > MOST_IDS or len(properties) > MOST_PROPERTIES:
        raise TooLarge("The extension is too large.", f"Ask for {MOST_PROPERTIES} properties of {MOST_IDS} things.")
    wanted = []
    for each in properties:
        if not isinstance(each, dict) or not isinstance(each.get("id"), str):
            _wrong("A property of the extension has no “id”", 'Write it as {"id": "iso3"}.')
        settings = each.get("settings") or {}
        if not isinstance(settings, dict) or not all(isinstance(value, str) for value in settings.values()):
            _wrong("The “settings” of a property are no texts", 'Write them as {"on": "1999-03-12"}.')
        wanted.append((_text(each["id"], "A property"), Settings.read(settings)))
    return [_text(each, "An id") for each in ids], wanted


def result(candidates: Iterable[Candidate], things: Things) -> dict[str, Any]:
    """The answer to one query."""
    return {
        "result": [
            {
                "id": each.thing.name,
                "name": each.thing.label,
                "description": description(each.thing, things),
                "type": types(each.thing, things),
                "score": each.score,
                "features": [{"id": name, "value": value} for name, value in each.features.items()],
                "match": each.certain,
            }
            for each in candidates
        ]
    }


def extended(
    ids: Sequence[str], properties: Sequence[Property], values: Sequence[Mapping[str, Sequence[Value]]], things: Things
) -> dict[str, Any]:
    """The answer to an extension: the *values* of each of *properties*, by the local name of the thing."""
    meta: list[dict[str, Any]] = []
    for each in properties:
        kind = things.kinds.get(each.kind)
        meta.append({"id": each.name, "name": each.label} | ({"type": _named(kind)} if kind else {}))
    rows: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for given in ids:
        thing = things.thing(given)
        found = [known.get(thing.name, ()) if thing else () for known in values]
        rows[given] = {each.name: [_cell(value) for value in of] for each, of in zip(properties, found, strict=True)}
    return {"meta": meta, "rows": rows}


def types(thing: Thing, things: Things) -> list[dict[str, str]]:
    """The classes of *thing*, the widest of those that are said of it first."""
    return [_named(things.kinds[each]) for each in thing.kinds if each in things.kinds]


def description(thing: Thing, things: Things) -> str:
    """What *thing* is, in a few words."""
    kind = next((things.kinds[each].label for each in thing.kinds if each in things.kinds), "thing")
    said = ", ".join((kind, *((f"ISO {thing.iso3}",) if thing.iso3 else ())))
    return f"{said}: {cut(thing.description)}" if thing.description else said


def entity(thing: Thing, things: Things) -> dict[str, Any]:
    """*thing* as it is suggested."""
    about = {"id": thing.name, "name": thing.label, "description": description(thing, things)}
    return about | {"notable": types(thing, things)}


def kind(each: Kind, things: Things) -> dict[str, Any]:
    """A type as it is suggested."""
    broader = [_named(things.kinds[name]) for name in each.broader if name in things.kinds]
    return _named(each) | {"description": cut(each.description)} | ({"broader": broader} if broader else {})


def property(each: Property) -> dict[str, str]:
    """A property as it is suggested."""
    return {"id": each.name, "name": each.label, "description": cut(each.description)}


def _named(each: Kind) -> dict[str, str]:
    return {"id": each.name, "name": each.label}


def _cell(value: Value) -> dict[str, Any]:
    match value.form:
        case "thing":
            return {"id": value.text, "name": value.label}
        case "integer":
            return {"int": int(value.text)}
        case "number":
            return {"float": float(value.text)}
        case "day":
            return {"date": f"{value.text}T00:00:00Z"}
        case _:
            return {"str": value.text}


def _kinds(content: object, what: str) -> tuple[str, ...]:
    """The types of a query: one, or several; each its id, or an object with it."""
    several = content if isinstance(content, list) else [content]
    given = [each.get("id") if isinstance(each, dict) else each for each in several]
    ids = [each for each in given if isinstance(each, str)]
    if len(ids) < len(given) or len(ids) > MOST_PROPERTIES:
        _wrong(f"The “type” of {_lower(what)} is none", "Write it as “State”, or as a list of such.")
    return tuple(_text(each, what) for each in ids if each)


def _wishes(content: object, what: str) -> tuple[Wish, ...]:
    if not isinstance(content, list) or len(content) > MOST_PROPERTIES:
        _wrong(f"The “properties” of {_lower(what)} are no list of {MOST_PROPERTIES} at most", f"{_EXAMPLE}.")
    wishes = []
    for each in content:
        if not isinstance(each, dict) or not isinstance(each.get("pid"), str) or "v" not in each:
            _wrong(f"A property of {_lower(what)} lacks “pid” or “v”", f"{_EXAMPLE}.")
        given = each["v"] if isinstance(each["v"], list) else [each["v"]]
        if len(given) > MOST_VALUES:
            _wrong(f"A property of {_lower(what)} has {len(given)} values", f"Give at most {MOST_VALUES}.")
        wishes.append(Wish(_text(each["pid"], what), tuple(_value(value, what) for value in given)))
    return tuple(each for each in wishes if any(value.strip() for value in each.values))


_EXAMPLE = 'Write them as [{"pid": "memberOf", "v": {"id": "nato"}}, {"pid": "on", "v": "1999-03-12"}]'


def _value(content: object, what: str) -> str:
    if isinstance(content, dict):
        content = content.get("id")
        if isinstance(content, str):
            return _text(content, what)
    elif isinstance(content, str):
        return _text(content, what)
    elif isinstance(content, bool):
        return "true" if content else "false"
    elif isinstance(content, int | float):
        return str(int(content)) if content == int(content) else str(content)
    _wrong(
        f"A value of a property of {_lower(what)} is neither a text, a number, a truth value nor a thing",
        f"{_EXAMPLE}.",
    )


def _text(content: str, what: str) -> str:
    if len(content) > LONGEST:
        raise TooLarge(f"{what} has a text of {len(content)} characters.", f"Send at most {LONGEST}.")
    if any("\ud800" <= each <= "\udfff" for each in content):
        _wrong(f"{what} has half a character", "Write characters beyond the first plane as pairs.")
    return content


def _parsed(text: str, parameter: str) -> Any:
    """*text* as JSON, however it is nested or long; WrongUsage for none."""
    try:
        return json.loads(text, parse_constant=_no_number, parse_float=_number)
    except json.JSONDecodeError as error:
        raise WrongUsage(f"“{parameter}” is no JSON: {error.msg}.", "Send JSON.", error.lineno, error.colno) from error
    except (ValueError, RecursionError) as error:
        raise WrongUsage(f"“{parameter}” is no JSON that can be read here.", "Send plain JSON.") from error


def _number(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(text)
    return value


def _no_number(text: str) -> NoReturn:
    raise ValueError(text)


def _wrong(what: str, remedy: str) -> NoReturn:
    raise WrongUsage(f"{what}.", remedy)


def _lower(what: str) -> str:
    return what[0].lower() + what[1:]


def cut(text: str) -> str:
    """The beginning of *text*, of ``_SHORT`` characters at most."""
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 1].rsplit(' ', 1)[0]}…"
