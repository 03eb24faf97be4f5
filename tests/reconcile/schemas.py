"""JSON Schemas for what the Reconciliation Service API 0.2 exchanges, written after its text and its own schemas.

They hold what those require, and more: no field beyond those of the text, scores within 100, features with both their
fields, settings told by their type. The specification: https://reconciliation-api.github.io/specs/0.2/.
"""

from typing import Any

from jsonschema import Draft202012Validator

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NAME: Schema = {"type": "string", "minLength": 1}
ADDRESS: Schema = {"type": "string", "pattern": "^https?://[^ ]+$"}


def thing(required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    """An object with these fields and no others."""
    return {
        "type": "object",
        "properties": required | (optional or {}),
        "required": list(required),
        "additionalProperties": False,
    }


def several(items: Schema, **more: object) -> Schema:
    return {"type": "array", "items": items} | more


def by_key(values: Schema) -> Schema:
    return {"type": "object", "additionalProperties": values}


TYPE = thing({"id": NAME, "name": NAME})
SUGGESTED_TYPE = thing({"id": NAME, "name": NAME}, {"description": TEXT, "broader": several(TYPE)})
PROPERTY = thing({"id": NAME, "name": NAME}, {"description": TEXT})

_WITH_ID = {"type": "string", "pattern": r"^https?://[^ ]*\{\{id\}\}"}
_SUGGEST = thing(
    {"service_url": ADDRESS, "service_path": TEXT},
    {"flyout_service_url": ADDRESS, "flyout_service_path": {"type": "string", "pattern": r"\$\{id\}"}},
)


def _setting(kind: str, default: Schema, **more: Schema) -> Schema:
    return thing({"type": {"const": kind}, "name": NAME, "label": NAME} | more, {"default": default, "help_text": TEXT})


_SETTING = {
    "oneOf": [
        _setting("number", {"type": "number"}),
        _setting("text", TEXT),
        _setting("checkbox", {"type": "boolean"}),
        _setting("select", TEXT, choices=several(thing({"value": TEXT, "name": TEXT}))),
    ]
}

MANIFEST = thing(
    {
        "versions": several(TEXT, contains={"const": "0.2"}),
        "name": NAME,
        "identifierSpace": ADDRESS,
        "schemaSpace": ADDRESS,
    },
    {
        "defaultTypes": several(SUGGESTED_TYPE, uniqueItems=True),
        "documentation": ADDRESS,
        "logo": ADDRESS,
        "serviceVersion": TEXT,
        "view": thing({"url": _WITH_ID}),
        "feature_view": thing({"url": _WITH_ID}),
        "preview": thing({"url": _WITH_ID, "width": {"type": "integer"}, "height": {"type": "integer"}}),
        "suggest": thing({}, {"entity": _SUGGEST, "property": _SUGGEST, "type": _SUGGEST}),
        "extend": thing(
            {},
            {
                "propose_properties": thing({"service_url": ADDRESS, "service_path": TEXT}),
                "property_settings": several(_SETTING),
            },
        ),
        "batchSize": {"type": "integer", "minimum": 1},
    },
)

CANDIDATE = thing(
    {
        "id": NAME,
        "name": NAME,
        "type": several(TYPE),
        "score": {"type": "number", "minimum": 0, "maximum": 100},
        "match": {"type": "boolean"},
    },
    {
        "description": TEXT,
        "features": several(thing({"id": NAME, "value": {"type": ["boolean", "number"]}})),
    },
)
RESULT = thing({"result": several(CANDIDATE)})
RESULTS = by_key(RESULT)

SUGGESTED_ENTITIES = thing(
    {"result": several(thing({"id": NAME, "name": NAME}, {"description": TEXT, "notable": several(TYPE)}))}
)
SUGGESTED_TYPES = thing({"result": several(SUGGESTED_TYPE)})
SUGGESTED_PROPERTIES = thing({"result": several(PROPERTY)})
FLYOUT = thing({"id": NAME, "html": NAME})

PROPOSED = thing({"type": NAME, "properties": several(PROPERTY)}, {"limit": {"type": "integer", "minimum": 1}})
_CELL = {
    "oneOf": [
        thing({"id": NAME, "name": NAME}, {"description": TEXT}),
        thing({"str": TEXT}),
        thing({"float": {"type": "number"}}),
        thing({"int": {"type": "integer"}}),
        thing({"date": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)?$"}}),
    ]
}
EXTENDED = thing(
    {
        "meta": several(thing({"id": NAME, "name": NAME}, {"type": TYPE, "service": ADDRESS})),
        "rows": by_key(by_key(several(_CELL))),
    }
)


def faults(content: object, schema: Schema) -> list[str]:
    """What in *content* is not of the *schema*."""
    Draft202012Validator.check_schema(schema)
    found = Draft202012Validator(schema).iter_errors(content)
    return [f"{error.json_path}: {error.message}" for error in found]
