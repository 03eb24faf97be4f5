"""An answer as a person reads it in a terminal."""

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
    lines = [found.columns, *(tuple(shown(term) for term in row) for row in found.rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(found.columns))]
    lines.insert(1, tuple("─" * width for width in widths))
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
