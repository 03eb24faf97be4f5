"""Answer a stored question, or SPARQL text, from a pool."""

import re
from collections.abc import Callable, Mapping

from foedus import questions
from foedus.errors import WrongUsage
from foedus.query.pool import Answer, Asker, Request
from foedus.query.resolve import resolver

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def answer(asker: Asker, question: str, values: Mapping[str, str], form: str | None = None) -> Answer:
    """Answer *question*: the slug of a stored question, which takes *values*, or SPARQL text, which takes none."""
    if _SLUG.fullmatch(question.strip()):
        return answer_question(asker, question.strip(), values, form=form)
    if values:
        raise WrongUsage(
            f"SPARQL text takes no values (given: {', '.join(values)}).",
            "Write them into the text, or ask a stored question by its name.",
        )
    return asker.ask(Request(question, form=form))


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
    text = questions.bind(questions.get(slug), values, resolver(asker))
    return asker.ask(Request(text, accept, form), cancelled)
