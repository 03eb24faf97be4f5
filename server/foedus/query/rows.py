"""Rows in the formats of answers, as the engine writes them, for rows that it did not make."""

import csv
import io
import json

from foedus import names
from foedus.query import formats
from foedus.query.results import Table, Term
from foedus.query.resultset import as_turtle, written

_BARE = frozenset(names.PREFIXES["xsd"] + local for local in ("boolean", "integer", "decimal"))
"""Literals that TSV writes without quotes."""


def write(table: Table, form: str) -> tuple[bytes, str]:
    """*table* in the format called *form*, and the ``Content-Type`` of that."""
    if form == "ttl":
        return as_turtle(table).encode(), "text/turtle; charset=utf-8"
    return _WRITERS[form](table).encode(), formats.named(form, "select").content_type()


def _csv(table: Table) -> str:
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\r\n")
    lines.writerow(table.columns)
    lines.writerows(["" if term is None else _plain(term) for term in row] for row in table.rows)
    return text.getvalue()


def _tsv(table: Table) -> str:
    lines = ["\t".join(f"?{column}" for column in table.columns)]
    lines += ["\t".join("" if term is None else _quoted(term) for term in row) for row in table.rows]
    return "".join(f"{line}\n" for line in lines)


def _json(table: Table) -> str:
    rows = [{column: _said(term) for column, term in row.items()} for row in table]
    content = {"head": {"vars": table.columns}, "results": {"bindings": rows}}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _plain(term: Term) -> str:
    return f"_:{term.value}" if term.kind == "blank" else term.value


def _quoted(term: Term) -> str:
    return term.value if term.kind == "literal" and term.datatype in _BARE else written(term)


def _said(term: Term) -> dict[str, str]:
    said = {"type": {"iri": "uri", "blank": "bnode"}.get(term.kind, "literal"), "value": term.value}
    if term.language:
        said["xml:lang"] = term.language
    elif term.datatype:
        said["datatype"] = term.datatype
    return said


_WRITERS = {"csv": _csv, "tsv": _tsv, "json": _json}
