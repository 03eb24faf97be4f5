"""Answer a stored question, or SPARQL text, from a pool."""

import re
from collections.abc import Callable, Mapping
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
    return _answered(asker, _request(question, None, form, reasoning), None)


def answer_question(
    asker: Asker,
    slug: str,
    values: Mapping[str, str],
    accept: str | None = None,
    form: str | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Answer:
    """Answer the stored question *slug* for *values*, in the format that *form* or the header *accept* chooses.

    Raises NoSuchThing for an unknown question and WrongUsage for a value that does not fit, both with near matches.
    """
    return answer_stored(asker, questions.get(slug), values, accept, form, cancelled)


def answer_stored(
    asker: Asker,
    question: Question,
    values: Mapping[str, str],
    accept: str | None = None,
    form: str | None = None,
    cancelled: Callable[[], bool] | None = None,
    reasoning: bool = True,
) -> Answer:
    """As ``answer_question``, with the question itself at hand; without *reasoning*, from what is asserted alone."""
    text = questions.bind(question, values, resolver(asker))
    return _answered(asker, _request(text, accept, form, reasoning), cancelled)


def _request(text: str, accept: str | None, form: str | None, reasoning: bool) -> Request:
    default_graphs, named_graphs = (None, None) if reasoning else ASSERTED_ONLY
    return Request(text, accept, form, default_graphs=default_graphs, named_graphs=named_graphs)


def _answered(asker: Asker, request: Request, cancelled: Callable[[], bool] | None) -> Answer:
    """The answer to *request*; rows, too, can be had in Turtle where that is asked for by its name."""
    if request.form != "ttl" or scan(request.text, asker.limits).kind != "select":
        return asker.ask(request, cancelled)
    found = asker.ask(replace(request, form="json"), cancelled)
    return replace(found, body=as_turtle(table(found)).encode(), media_type="text/turtle; charset=utf-8")
