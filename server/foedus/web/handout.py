"""Answers to stored questions as files, at /queries/<slug>.<ext>: the short way, which the app does not see.

Whatever is not plainly the address of such a file, and whatever is wrong with one, is left to the app.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from urllib.parse import parse_qsl

from foedus import questions
from foedus.errors import WrongUsage
from foedus.query import items
from foedus.query.answering import answering_stored, reasons
from foedus.query.pool import Asker
from foedus.query.waiting import ELSEWHERE
from foedus.questions import Question
from foedus.web import coding, headers
from foedus.web.headers import Reply
from foedus.web.protocol import Call

FOLDER = "/queries/"

ANSWERS = ("csv", "tsv", "json", "ttl")
"""The formats of an answer to a stored question."""

OFFERED = ("format", "reasoning", "wikidata")
"""Of the reserved parameters, those that do something already."""


async def answer(call: Call, path: str, asker: Asker, stored: Mapping[str, Question]) -> Reply | None:
    """The file at *path*, or a FoedusError; None where the app has to look at the request."""
    slug, _, form = path.removeprefix(FOLDER).rpartition(".")
    if slug not in stored or form not in ANSWERS or call.method == "POST" or not call.query_string.isascii():
        return None
    values = given(_pairs(call.query_string))
    if "format" in values:
        return None
    coding.require(call.accept_encoding)
    reasoning, wikidata = reasons(values.pop("reasoning", None)), items.way(values.pop("wikidata", None))
    found = await answering_stored(asker, stored[slug], values, form, reasoning, wikidata)
    if len(found.body) > headers.QUICK:
        await ELSEWHERE
    lasts = not asker.dataset.changes
    tag = headers.tag_of(found.body) if lasts else None
    unchanged = headers.unchanged(tag, call.accept_encoding, call.if_none_match) if tag else None
    lasting = headers.LASTING if lasts else headers.FLEETING
    reply = unchanged or await headers.reply(found, lasting, tag, call.accept_encoding)
    return Reply(reply.status, [*reply.headers, ("Content-Disposition", disposition(slug, form))], reply.body)


def given(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The values in an address, by parameter; WrongUsage for one given twice, or reserved and not offered here."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    for name, values in found.items():
        if len(values) > 1:
            shown = "”, “".join(values)
            raise WrongUsage(f"The parameter “{name}” is given {len(values)} times: “{shown}”.", "Give it once.")
        if name in questions.RESERVED and name not in OFFERED:
            remedy = (
                "The sources behind an answer are at /cite?for=<its address>." if name == "for" else "Leave it out."
            )
            raise WrongUsage(f"The parameter “{name}” is reserved and not offered here.", remedy)
    return {name: values[0] for name, values in found.items()}


def disposition(slug: str, form: str) -> str:
    """What a browser calls the file, if somebody keeps it."""
    return f'inline; filename="{slug}.{form}"'


@lru_cache(maxsize=128)
def _pairs(query_string: str) -> tuple[tuple[str, str], ...]:
    return tuple(parse_qsl(query_string, keep_blank_values=True, errors="replace"))
