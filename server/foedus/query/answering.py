"""Answer a stored question, or SPARQL text, from a pool."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from foedus import names, questions
from foedus.errors import WrongUsage
from foedus.query import items, results, rows
from foedus.query.pool import Answer, Asker, Request
from foedus.query.resolve import resolver
from foedus.query.scan import scan
from foedus.questions import Question

ASSERTED_ONLY = (names.STATED, names.STATED)
"""The default graphs and the named graphs of a query to which nothing that rules conclude is shown."""

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def reasons(value: str | None) -> bool:
    """Whether the parameter ``reasoning`` with *value*, None where it is absent, asks for conclusions, too."""
    if value not in (None, "on", "off"):
        raise WrongUsage(f"“{value}” is no value of “reasoning”.", "Give on or off.")
    return value != "off"


def answer(
    asker: Asker,
    question: str,
    values: Mapping[str, str],
    form: str | None = None,
    reasoning: bool = True,
    wikidata: str | None = None,
) -> Answer:
    """Answer *question*: the slug of a stored question, which takes *values*, or SPARQL text, which takes none.

    Without *reasoning*, from what is asserted alone. With *wikidata*, one of ``items.WAYS``, columns of things have one
    with Wikidata's items beside them.
    """
    if _SLUG.fullmatch(question.strip()):
        return answer_stored(asker, questions.get(question.strip()), values, form, reasoning, wikidata)
    if values:
        raise WrongUsage(
            f"SPARQL text takes no values (given: {', '.join(values)}).",
            "Write them into the text, or ask a stored question by its name.",
        )
    return _answered(asker, question, form, reasoning, wikidata)


def answer_stored(
    asker: Asker,
    question: Question,
    values: Mapping[str, str],
    form: str | None = None,
    reasoning: bool = True,
    wikidata: str | None = None,
) -> Answer:
    """Answer the stored *question* for *values*, as `answer` does.

    Raises WrongUsage, with near matches, for a value that does not fit.
    """
    text = questions.bind(question, values, resolver(asker))
    known: tuple[str, ...] = ()
    if wikidata and dict(question.example) != values:
        # So that who asks for one year after the other gets the same columns, also for a year without an answer.
        with suppress(WrongUsage):
            example = answer_stored(asker, question, dict(question.example), "json")
            known = items.columns(results.table(example))
    return _answered(asker, text, form, reasoning, wikidata, known)


def _answered(
    asker: Asker, text: str, form: str | None, reasoning: bool, wikidata: str | None, known: tuple[str, ...] = ()
) -> Answer:
    """The answer to *text*; rows, too, can be had in Turtle where that is asked for by its name.

    *known* are columns that hold things whether or not this answer has any.
    """
    default_graphs, named_graphs = (None, None) if reasoning else ASSERTED_ONLY
    request = Request(text, form=form, default_graphs=default_graphs, named_graphs=named_graphs)
    is_select = scan(text, asker.limits).kind == "select"
    if wikidata and not is_select:
        raise WrongUsage("Wikidata's items are told beside the rows of a SELECT, and this has none.", "Leave them out.")
    if not wikidata and not (form == "ttl" and is_select):
        return asker.ask(request)
    found = asker.ask(replace(request, form="json"))
    table = results.table(found)
    if wikidata:
        held = {*known, *items.columns(table)}
        table = items.beside(asker, table, wanted=wikidata, of=tuple(each for each in table.columns if each in held))
    body, media_type = rows.write(table, form or "json")
    return replace(found, body=body, media_type=media_type)
