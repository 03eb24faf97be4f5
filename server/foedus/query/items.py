"""Wikidata's items beside columns of things: what a table of theirs is joined by.

Which item a thing is, the reviewed links of ``data/links`` say, by ``skos:exactMatch`` and ``owl:sameAs``; a thing
without a link has none.
"""

from collections.abc import Mapping

from foedus import names
from foedus.errors import WrongUsage
from foedus.query import results
from foedus.query.pool import Asker
from foedus.query.results import Table, Term

SUFFIX = "_wikidata"
"""What the name of the column with the items ends in."""

WAYS = ("iri", "qid")
"""How an item is written: as its IRI, which joins with an answer of their query service, or as ``Q318693``."""

_ENTITY = names.PREFIXES["wd"]
_LINKS = f"""{names.prologue()}
SELECT DISTINCT ?thing ?item WHERE {{
  VALUES ?how {{ skos:exactMatch owl:sameAs }}
  ?thing ?how ?item .
  FILTER(STRSTARTS(STR(?item), "{_ENTITY}Q"))
}}
ORDER BY ?thing ?item
"""


def way(value: str | None) -> str | None:
    """How the parameter ``wikidata`` with *value* wants items to be written; None where it is absent."""
    if value not in (None, "", *WAYS):
        raise WrongUsage(f"“{value[:40]}” is no value of “wikidata”.", "Give iri or qid, or the bare name for IRIs.")
    return (value or WAYS[0]) if value is not None else None


def columns(table: Table) -> tuple[str, ...]:
    """The columns of *table* that hold things of ours."""
    return tuple(
        column
        for place, column in enumerate(table.columns)
        if any(each.startswith(names.ID) for row in table.rows for each in results.iris(row[place]))
    )


def beside(asker: Asker, table: Table, wanted: str, of: tuple[str, ...]) -> Table:
    """*table* and, behind its last column, one with items for each of the columns *of*, written as *wanted*."""
    links: dict[str, list[str]] = {}
    for row in results.select(asker, _LINKS):
        links.setdefault(row["thing"].value, []).append(row["item"].value)
    places = [table.columns.index(column) for column in of]
    return Table(
        (*table.columns, *(column + SUFFIX for column in of)),
        tuple((*row, *(_item(row[place], links, wanted) for place in places)) for row in table.rows),
    )


def _item(term: Term | None, links: Mapping[str, list[str]], wanted: str) -> Term | None:
    """The item of *term*; of one that lists things, and of a thing with several, all in one text."""
    found = [item for iri in results.iris(term) for item in links.get(iri, ())]
    if not found:
        return None
    if wanted == "iri" and len(found) == 1 and term and term.kind == "iri":
        return Term("iri", found[0])
    return Term("literal", " ".join(each if wanted == "iri" else each.removeprefix(_ENTITY) for each in found))
