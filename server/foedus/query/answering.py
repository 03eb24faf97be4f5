"""Answer a stored question, or SPARQL text, from a pool."""

import re
from collections.abc import Mapping
from dataclasses import replace

from foedus import names, questions
from foedus.errors import WrongUsage
from foedus.query.pool import Answer, Asker, Request
from foedus.query.resolve import resolver
from foedus.query.results import table
from foedus.query.resultset import as_turtle
from foedus.query.scan import scan
from foedus.questions import Question

ASSERTED_ONLY = ((names.ASSERTED,), ())
"""The default graphs and the named graphs of a query to which nothing that rules conclude is shown."""

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def reasons(value: str | None) -> bool:
    """Whether the parameter ``reasoning`` with *value*, None where it is absent, asks for conclusions, too."""
    if value not in (None, "on", "off"):
        raise WrongUsage(f"“{value}” is no value of “reasoning”.", "Give on or off.")
    return value != "off"


def answer(
    asker: Asker, question: str, values: Mapping[str, str], form: str | None = None, reasoning: bool = True
) -> Answer:
    """Answer *question*: the slug of a stored question, which takes *values*, or SPARQL text, which takes none.

    Without *reasoning*, from what is asserted alone.
    """
    if _SLUG.fullmatch(question.strip()):
        return answer_stored(asker, questions.get(question.strip()), values, form=form, reasoning=reasoning)
    if values:
        raise WrongUsage(
            f"SPARQL text takes no values (given: {', '.join(values)}).",
            "Write them into the text, or ask a stored question by its name.",
        )
    return _answered(asker, question, form, reasoning)


def answer_stored(
    asker: Asker, question: Question, values: Mapping[str, str], form: str | None = None, reasoning: bool = True
) -> Answer:
    """Answer the stored *question* for *values*; without *reasoning*, from what is asserted alone.

    Raises WrongUsage, with near matches, for a value that does not fit.
    """
    return _answered(asker, questions.bind(question, values, resolver(asker)), form, reasoning)


def _answered(asker: Asker, text: str, form: str | None, reasoning: bool) -> Answer:
    """The answer to *text*; rows, too, can be had in Turtle where that is asked for by its name."""
    default_graphs, named_graphs = (None, None) if reasoning else ASSERTED_ONLY
    request = Request(text, form=form, default_graphs=default_graphs, named_graphs=named_graphs)
    if form != "ttl" or scan(text, asker.limits).kind != "select":
        return asker.ask(request)
    found = asker.ask(replace(request, form="json"))
    return replace(found, body=as_turtle(table(found)).encode(), media_type="text/turtle; charset=utf-8")
