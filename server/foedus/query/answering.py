"""Answer a stored question, or SPARQL text, from a pool."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from foedus import names, questions
from foedus.errors import WrongUsage
from foedus.query import items, results, rows, waiting
from foedus.query.pool import Answer, Asker, Request
from foedus.query.resolve import is_settled, resolver
from foedus.query.scan import Scan, scan
from foedus.query.waiting import ELSEWHERE
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
        stored = questions.get(question.strip())
        return waiting.run(answering_stored(asker, stored, values, form, reasoning, wikidata))
    if values:
        raise WrongUsage(
            f"SPARQL text takes no values (given: {', '.join(values)}).",
            "Write them into the text, or ask a stored question by its name.",
        )
    return waiting.run(_answered(asker, question, scan(question, asker.limits), form, reasoning, wikidata))


async def answering_stored(
    asker: Asker,
    question: Question,
    values: Mapping[str, str],
    form: str | None = None,
    reasoning: bool = True,
    wikidata: str | None = None,
) -> Answer:
    """Answer the stored *question* for *values*, as `answer` does, and wait as ``waiting`` knows it.

    Raises WrongUsage, with near matches, for a value that does not fit.
    """
    day = questions.day_of(question, values)
    named = [each for each in question.parameters if each.type != questions.DATE and values.get(each.name)]
    if wikidata or not all(is_settled(asker, values[each.name], each.type, day) for each in named):
        await ELSEWHERE
    text = questions.bind(question, values, resolver(asker), bare=True)
    known: tuple[str, ...] = ()
    if wikidata and dict(question.example) != values:
        # So that who asks for one year after the other gets the same columns, also for a year without an answer.
        with suppress(WrongUsage):
            example = await answering_stored(asker, question, dict(question.example), "json")
            known = items.columns(results.table(example))
    # No value changes what the text shows at a glance.
    return await _answered(asker, text, scan(question.bare, asker.limits), form, reasoning, wikidata, known)


async def _answered(
    asker: Asker,
    text: str,
    seen: Scan,
    form: str | None,
    reasoning: bool,
    wikidata: str | None,
    known: tuple[str, ...] = (),
) -> Answer:
    """The answer to *text*, of which *seen* is known; rows, too, can be had in Turtle where that is asked for by name.

    *known* are columns that hold things whether or not this answer has any.
    """
    default_graphs, named_graphs = (None, None) if reasoning else ASSERTED_ONLY
    request = Request(text, form=form, default_graphs=default_graphs, named_graphs=named_graphs, seen=seen)
    is_select = seen.kind == "select"
    if wikidata and not is_select:
        raise WrongUsage("Wikidata's items are told beside the rows of a SELECT, and this has none.", "Leave them out.")
    if not wikidata and not (form == "ttl" and is_select):
        return await asker.asking(request)
    found = await asker.asking(replace(request, form="json"))
    await ELSEWHERE
    table = results.table(found)
    if wikidata:
        held = {*known, *items.columns(table)}
        table = items.beside(asker, table, wanted=wikidata, of=tuple(each for each in table.columns if each in held))
    body, media_type = rows.write(table, form or "json")
    return replace(found, body=body, media_type=media_type)
