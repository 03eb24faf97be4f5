"""Rows as RDF, in the result-set vocabulary of the SPARQL working groups, for who wants an answer in Turtle."""

from foedus import names
from foedus.query.results import Table, Term

_VOCABULARY = "http://www.w3.org/2001/sw/DataAccess/tests/result-set#"
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def as_turtle(table: Table) -> str:
    """*table* in Turtle: one solution a row, one binding a value; what is unbound is left out."""
    variables = " , ".join(f'"{column}"' for column in table.columns)
    lines = [f"@prefix rs: <{_VOCABULARY}> .", "", "[] a rs:ResultSet ;", f"    rs:resultVariable {variables}"]
    for number, row in enumerate(table, start=1):
        bindings = " , ".join(f'[ rs:variable "{column}" ; rs:value {written(row[column])} ]' for column in row)
        lines[-1] += " ;"
        lines.append(f"    rs:solution [ rs:index {number}" + (f" ; rs:binding {bindings} ]" if bindings else " ]"))
    return "\n".join(lines) + " .\n"


def written(term: Term) -> str:
    """*term* in the syntax of Turtle."""
    if term.kind == "iri":
        return f"<{term.value}>"
    if term.kind == "blank":
        return f"_:{term.value}"
    text = f'"{term.value.translate(_ESCAPES)}"'
    if term.language:
        return f"{text}@{term.language}"
    return text if term.datatype in (None, names.PREFIXES["xsd"] + "string") else f"{text}^^<{term.datatype}>"
