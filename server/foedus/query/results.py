"""Rows of an answer as values: what pages, tables and the resolver read."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from foedus import names
from foedus.query.pool import Answer, Asker, Request


@dataclass(frozen=True)
class Term:
    """An RDF term of an answer; *value* is an IRI, a blank node's label, a lexical form, or a triple term's text."""

    kind: Literal["iri", "blank", "literal", "triple"]
    value: str
    datatype: str | None = None
    language: str | None = None


@dataclass(frozen=True)
class Table:
    """The answer to a SELECT: each row has one term, or None where unbound, per column."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Term | None, ...], ...]

    def __iter__(self) -> Iterator[dict[str, Term]]:
        """Each row as a mapping that holds the bound columns only."""
        for row in self.rows:
            yield {column: term for column, term in zip(self.columns, row, strict=True) if term is not None}


def select(asker: Asker, text: str, reserved: bool = False) -> Table:
    """The answer to the SELECT query *text*, by a worker kept for our own queries where it is *reserved*."""
    return table(asker.ask(Request(text, form="json", reserved=reserved)))


def table(answer: Answer) -> Table:
    """The rows in *answer*, which is a SELECT's in JSON."""
    content = json.loads(answer.body)
    columns = tuple(content["head"]["vars"])
    rows = tuple(
        tuple(_term(binding[column]) if column in binding else None for column in columns)
        for binding in content["results"]["bindings"]
    )
    return Table(columns, rows)


def iris(term: Term | None) -> tuple[str, ...]:
    """The IRI that *term* is, or those of ours that it lists as one text, separated by spaces."""
    if term is None or (term.kind != "iri" and (term.kind != "literal" or term.language)):
        return ()
    if term.kind == "iri":
        return (term.value,)
    parts = tuple(term.value.split(" ")) if term.value.startswith(names.BASE) else ()
    return parts if all(part.startswith(names.BASE) and names.is_iri(part) for part in parts) else ()


def truth(answer: Answer) -> bool:
    """What *answer*, an ASK's in JSON, says."""
    return bool(json.loads(answer.body)["boolean"])


def _term(value: dict[str, Any]) -> Term:
    match value["type"]:
        case "uri":
            return Term("iri", value["value"])
        case "bnode":
            return Term("blank", value["value"])
        case "triple":
            parts = (_term(value["value"][part]).value for part in ("subject", "predicate", "object"))
            return Term("triple", " ".join(parts))
        case _:
            return Term("literal", value["value"], value.get("datatype"), value.get("xml:lang"))
