"""An answer as a person reads it in a terminal."""

from collections.abc import Sequence

from foedus import names
from foedus.query import results
from foedus.query.pool import Answer


def as_table(answer: Answer) -> str:
    """*answer* as text: aligned columns for rows, yes or no for an ASK, the triples as they came."""
    if answer.kind == "graph":
        return answer.body.decode().rstrip("\n")
    if answer.kind == "ask":
        return "yes" if results.truth(answer) else "no"
    found = results.table(answer)
    if not found.rows:
        return "Nothing found."
    return aligned([found.columns, *([shown(term) for term in row] for row in found.rows)])


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """*rows* in columns, the first of them underlined as their heads."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [rows[0], ["─" * width for width in widths], *rows[1:]]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def shown(term: results.Term | None) -> str:
    """*term* on one line: a CURIE where a prefix fits, a literal without its datatype, nothing for unbound."""
    if term is None:
        return ""
    if term.kind == "iri":
        return names.curie(term.value)
    return " ".join(term.value.split()) if term.kind != "blank" else f"_:{term.value}"
