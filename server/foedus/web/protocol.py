"""The SPARQL 1.1 Protocol, queries only: what a request asks, and the reply to it. Knows nothing of any framework.

Nothing is streamed: an answer is whole, with its Content-Length, before its first byte goes out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl

from werkzeug.http import parse_options_header

from foedus.errors import AddressTooLong, BadQuery, FoedusError, NotAcceptable, TooLarge, WrongBodyType, WrongUsage
from foedus.query import formats, scan
from foedus.query.answering import ASSERTED_ONLY, reasons
from foedus.query.pool import Asker, Request
from foedus.query.waiting import ELSEWHERE
from foedus.web import coding, headers, selfdescription
from foedus.web.headers import Reply

LONGEST_ADDRESS = 32 << 10
"""Bytes of a request's address; a longer query goes by POST."""

_QUICK = 3 << 10
"""Bytes of address and ``Accept`` that are understood in a millisecond or two, however they are made."""

_FORM = "application/x-www-form-urlencoded"
_DIRECT = "application/sparql-query"
_UPDATE = "application/sparql-update"

Pairs = tuple[tuple[str, str], ...]

_FORMATS = ("format", "output", "results")
"""The parameters that name a format. SPARQLWrapper sends all three, with one value; the first one counts."""

_MARK = "ac"
"""What SIB's editor of SPARQL adds to its own queries, so that they are not counted; it asks for nothing."""

_KNOWN = frozenset(("query", "default-graph-uri", "named-graph-uri", "reasoning", "update", _MARK, *_FORMATS))


@dataclass(frozen=True)
class Call:
    """A request to the endpoint: what of it matters here, each header as it came, None where it did not."""

    method: str
    query_string: str
    accept: str | None = None
    accept_encoding: str | None = None
    if_none_match: str | None = None
    content_type: str = ""
    content_encoding: str = "identity"
    content_length: int = 0
    read: Callable[[], bytes] = bytes


async def answer(call: Call, asker: Asker, home: Callable[[], str]) -> Reply | None:
    """The reply to *call*, or a FoedusError; None where a person is to be shown the page for queries.

    *home* says how the addresses of this server begin.
    """
    coding.require(call.accept_encoding)
    if len(call.query_string) + len(call.accept or "") > _QUICK:
        await ELSEWHERE
    if call.method == "POST":
        return await _acceptable(call, _posted(call, asker), asker)
    pairs = _in_address(call.query_string)
    form = _form(pairs)
    if not form and _likes_pages(call.accept):
        return None
    texts = _values(pairs, "query")
    if not texts:
        return await _description(call, form, asker, home())
    return await _acceptable(call, _asked(call, pairs, texts), asker)


async def _acceptable(call: Call, asked: Request, asker: Asker) -> Reply:
    try:
        return await _answered(call, asked, asker)
    except NotAcceptable:
        await _refuse_malformed(asked, asker)
        raise


async def _refuse_malformed(asked: Request, asker: Asker) -> None:
    """BadQuery if the text is wrong, which matters more than the format of an answer that it cannot have.

    Only a worker parses; it does so within the limits of every query, and carries nothing out.
    """
    try:
        await asker.asking(Request(asked.text, dry=True))
    except BadQuery:
        raise
    except FoedusError:
        return


async def _answered(call: Call, asked: Request, asker: Asker) -> Reply:
    """The reply to *asked*; where the client has it already, nobody is asked."""
    if call.method == "POST":
        return await headers.reply(await asker.asking(asked), None, None, call.accept_encoding)
    served = asker.dataset
    tag = headers.entity_tag(asked, served, asker.limits)
    if tag and (unchanged := headers.unchanged(tag, call.accept_encoding, call.if_none_match)):
        return unchanged
    found = await asker.asking(asked)
    # Not where the dataset was replaced while the query ran.
    if not tag or asker.dataset != served:
        return await headers.reply(found, headers.FLEETING, None, call.accept_encoding)
    return await headers.reply(found, headers.LASTING, tag, call.accept_encoding)


def _posted(call: Call, asker: Asker) -> Request:
    """What is asked by a form, or by the body itself."""
    body_type, options = parse_options_header(call.content_type.lower())
    if body_type == _UPDATE:
        scan.refuse_updates()
    if body_type not in (_FORM, _DIRECT):
        raise WrongBodyType(f"A body of type “{body_type or 'unknown'}” is not taken.", f"Send {_FORM} or {_DIRECT}.")
    if options.get("charset", "utf-8").lower() not in ("utf-8", "utf8", "us-ascii"):
        raise WrongBodyType(f"The charset {options['charset']} is not taken.", "Send UTF-8.")
    content_coding = call.content_encoding.strip().lower()
    if content_coding != "identity":
        raise WrongBodyType(f"A body in the coding “{content_coding}” is not taken.", "Send it as it is.")
    # What a query at its limit can need, percent-encoded.
    most = 3 * asker.limits.text + LONGEST_ADDRESS
    if call.content_length > most:
        raise TooLarge(f"The body has {call.content_length:,} bytes; the limit is {most:,}.", "Ask for less at once.")
    body = call.read()
    pairs = _pairs(call.query_string)
    if body_type == _FORM:
        pairs += _pairs(_decoded(body, "ascii"))
    _refuse_others(pairs)
    texts = _values(pairs, "query")
    return _asked(call, pairs, [*texts, _decoded(body, "utf-8")] if body_type == _DIRECT else texts)


@lru_cache(maxsize=128)
def _in_address(query_string: str) -> Pairs:
    """The parameters in an address, if all of them are known and no update is among them."""
    if len(query_string) > LONGEST_ADDRESS:
        raise AddressTooLong(
            f"The address has {len(query_string):,} bytes; the limit is {LONGEST_ADDRESS:,}.",
            f"Send the query by POST, as {_FORM} or {_DIRECT}.",
        )
    pairs = _pairs(query_string)
    _refuse_others(pairs)
    return pairs


def _refuse_others(pairs: Pairs) -> None:
    """ReadOnly for an update, WrongUsage for a parameter that nobody would read."""
    if any(name == "update" for name, _ in pairs):
        scan.refuse_updates()
    for name, _ in pairs:
        if name not in _KNOWN:
            raise WrongUsage(
                f"There is no parameter “{name[:200]}”.",
                "The parameters are query, default-graph-uri, named-graph-uri, reasoning and format.",
            )


def _asked(call: Call, pairs: Pairs, texts: list[str]) -> Request:
    if len(texts) != 1:
        raise BadQuery(
            f"The request holds {len(texts)} queries." if texts else "The request holds no query.",
            "Send exactly one, in the parameter “query”.",
        )
    default_graphs, named_graphs = _values(pairs, "default-graph-uri"), _values(pairs, "named-graph-uri")
    chooses = bool(default_graphs or named_graphs)
    graphs = (tuple(default_graphs), tuple(named_graphs)) if chooses else (None, None)
    if not all(map(reasons, _values(pairs, "reasoning"))):
        if chooses:
            raise WrongUsage("The request chooses its graphs twice.", "Leave “reasoning” out, or the graphs.")
        graphs = ASSERTED_ONLY
    return Request(texts[0], call.accept, _form(pairs), default_graphs=graphs[0], named_graphs=graphs[1])


def _form(pairs: Pairs) -> str | None:
    return next((value for name in _FORMATS for value in _values(pairs, name) if value), None)


async def _description(call: Call, form: str | None, asker: Asker, home: str) -> Reply:
    try:
        tag = selfdescription.tag(asker, call.accept, form, home)
        if tag and (unchanged := headers.unchanged(tag, call.accept_encoding, call.if_none_match)):
            return unchanged
        found = await selfdescription.describe(asker, call.accept, form, home)
    except NotAcceptable as error:
        offered = ", ".join(each.media_type for each in formats.offered("graph"))
        raise NotAcceptable(
            "Without a query this address describes itself in RDF, which you do not accept.",
            f"Add “query=…”, or accept one of: {offered}.",
        ) from error
    return await headers.reply(found, headers.LASTING if tag else headers.FLEETING, tag, call.accept_encoding)


@lru_cache(maxsize=256)
def _likes_pages(accept: str | None) -> bool:
    """Whether the client likes HTML better than any format of data."""
    data = [(media_type, False) for each in formats.FORMATS for media_type in each.media_types]
    chosen = formats.negotiate(accept, [*data, ("text/html", True)])
    return bool(chosen and chosen[1])


def _pairs(content: str) -> Pairs:
    """The names and values of an encoded form."""
    try:
        if not content.isascii():
            raise _not_utf8()
        return tuple(parse_qsl(content, keep_blank_values=True, errors="strict"))
    except UnicodeDecodeError as error:
        raise _not_utf8() from error


def _decoded(body: bytes, charset: str) -> str:
    try:
        return body.decode(charset)
    except UnicodeDecodeError as error:
        raise _not_utf8() from error


def _not_utf8() -> BadQuery:
    return BadQuery("The request is not UTF-8.", "Encode the query's text as UTF-8, and in forms percent-encode it.")


def _values(pairs: Pairs, name: str) -> list[str]:
    return [value for key, value in pairs if key == name]
