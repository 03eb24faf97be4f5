"""The SPARQL 1.1 Protocol at /sparql, queries only, and /health.

Nothing is streamed: an answer is whole, with its Content-Length, before its first byte goes out.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import cast
from urllib.parse import parse_qsl

from flask import Blueprint, Flask, Response, current_app, json, request
from flask.typing import ResponseReturnValue
from werkzeug.http import parse_options_header

from foedus.errors import AddressTooLong, BadQuery, FoedusError, NotAcceptable, TooLarge, WrongBodyType, WrongUsage
from foedus.query import formats, scan
from foedus.query.pool import Answer, Asker, Request
from foedus.web import headers
from foedus.web.problems import RETRY_AFTER

bp = Blueprint("protocol", __name__)

PATH = "/sparql"
LONGEST_ADDRESS = 32 << 10
"""Bytes of a request's address; a longer query goes by POST."""

QUERY_PAGE = "explore.query_page"
"""The view that shows a query, and its answer if there is one, to people."""

_FORM = "application/x-www-form-urlencoded"
_DIRECT = "application/sparql-query"
_UPDATE = "application/sparql-update"
_DESCRIPTION = Path(__file__).parent / "queries" / "service-description.rq"

Pairs = list[tuple[str, str]]

_FORMATS = ("format", "output", "results")
"""The parameters that name a format. SPARQLWrapper sends all three, with one value; the first one counts."""

_KNOWN = ("query", "default-graph-uri", "named-graph-uri", *_FORMATS)


def register(app: Flask, asker: Asker) -> None:
    """Answer at /sparql and /health of *app* from *asker*."""
    app.extensions["foedus"] = asker
    app.register_blueprint(bp)


@bp.get(PATH)
def query_by_get() -> Response:
    """A query in the address; without one, the service description or, for a browser, the query page."""
    if len(request.query_string) > LONGEST_ADDRESS:
        raise AddressTooLong(
            f"The address has {len(request.query_string):,} bytes; the limit is {LONGEST_ADDRESS:,}.",
            f"Send the query by POST, as {_FORM} or {_DIRECT}.",
        )
    pairs = _pairs(request.query_string)
    _no_update(pairs)
    _no_others(pairs)
    if not _form(pairs) and _is_for_people():
        page = current_app.make_response(cast(ResponseReturnValue, current_app.view_functions[QUERY_PAGE]()))
        page.vary.add("Accept")
        return page
    if not _values(pairs, "query"):
        return _service_description(pairs)
    return _answer(_asked(pairs, _query(_values(pairs, "query"))))


@bp.post(PATH)
def query_by_post() -> Response:
    """A query in a form, or as the body itself."""
    body_type, options = parse_options_header(request.headers.get("Content-Type", "").lower())
    if body_type == _UPDATE:
        scan.refuse_updates()
    if body_type not in (_FORM, _DIRECT):
        raise WrongBodyType(f"A body of type “{body_type or 'unknown'}” is not taken.", f"Send {_FORM} or {_DIRECT}.")
    if options.get("charset", "utf-8").lower() not in ("utf-8", "utf8", "us-ascii"):
        raise WrongBodyType(f"The charset {options['charset']} is not taken.", "Send UTF-8.")
    coding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if coding != "identity":
        raise WrongBodyType(f"A body in the coding “{coding}” is not taken.", "Send it as it is.")
    body = _body()
    pairs = _pairs(request.query_string)
    if body_type == _FORM:
        pairs += _pairs(body)
    _no_update(pairs)
    _no_others(pairs)
    texts = _values(pairs, "query") + ([_decoded(body)] if body_type == _DIRECT else [])
    return _answer(_asked(pairs, _query(texts)))


@bp.get("/health")
def health() -> Response:
    """Ready only when a worker has just answered; says which version of the dataset is served."""
    asker = pool()
    try:
        # An answer that is another one each time comes from a worker and not from memory.
        asker.ask(Request("SELECT (NOW() AS ?now) {}", reserved=True))
        about = asker.dataset
        content = {"status": "ok", "dataset": about.sha256, "asOf": about.as_of, "quads": about.quads}
        response = Response(json.dumps(content), 200, content_type="application/json")
    except FoedusError as error:
        content = {"status": "unavailable", "detail": error.message}
        response = Response(json.dumps(content), 503, content_type="application/json")
        response.headers["Retry-After"] = str(RETRY_AFTER)
    response.headers["Cache-Control"] = "no-store"
    return response


def respond(answer: Answer) -> Response:
    """*answer* over HTTP, with the milliseconds that it waited for a worker and that it took in all."""
    response = Response(answer.body, content_type=answer.media_type)
    response.headers["Content-Length"] = str(len(answer.body))
    response.headers["Server-Timing"] = f"wait;dur={answer.waited:.3f}, total;dur={answer.milliseconds:.3f}"
    response.vary.add("Accept")
    return response


def client_left() -> Callable[[], bool] | None:
    """A function that says whether the client of this request has closed its connection, if the server can tell."""
    return cast("Callable[[], bool] | None", request.environ.get("waitress.client_disconnected"))


def pool() -> Asker:
    """What answers clients' own queries."""
    return cast(Asker, current_app.extensions["foedus"])


def _answer(asked: Request) -> Response:
    """The answer to *asked*; where the client has it already, nobody is asked."""
    try:
        return _acceptable_answer(asked)
    except NotAcceptable:
        _refuse_malformed(asked)
        raise


def _refuse_malformed(asked: Request) -> None:
    """BadQuery if the text is wrong, which matters more than the format of an answer that it cannot have.

    Only a worker parses: it answers in a format of its own choice, and within the limits of every query.
    """
    try:
        pool().ask(replace(asked, accept=None, form=None), client_left())
    except BadQuery:
        raise
    except FoedusError:
        return


def _acceptable_answer(asked: Request) -> Response:
    if request.method == "POST":
        return respond(pool().ask(asked, client_left()))
    served = pool().dataset
    tag = headers.entity_tag(asked, served, pool().limits)
    if tag and (unchanged := headers.known_to_client(tag)):
        return unchanged
    response = respond(pool().ask(asked, client_left()))
    # Not where the dataset was replaced while the query ran.
    return headers.lasting(response, tag) if tag and pool().dataset == served else headers.fleeting(response)


def _asked(pairs: Pairs, text: str) -> Request:
    default_graphs, named_graphs = _values(pairs, "default-graph-uri"), _values(pairs, "named-graph-uri")
    chooses = bool(default_graphs or named_graphs)
    return Request(
        text=text,
        accept=request.headers.get("Accept"),
        form=_form(pairs),
        default_graphs=tuple(default_graphs) if chooses else None,
        named_graphs=tuple(named_graphs) if chooses else None,
    )


def _form(pairs: Pairs) -> str | None:
    return next((value for name in _FORMATS for value in _values(pairs, name) if value), None)


def _query(texts: list[str]) -> str:
    if len(texts) != 1:
        raise BadQuery(
            f"The request holds {len(texts)} queries." if texts else "The request holds no query.",
            "Send exactly one, in the parameter “query”.",
        )
    return texts[0]


def _no_update(pairs: Pairs) -> None:
    if _values(pairs, "update"):
        scan.refuse_updates()


def _no_others(pairs: Pairs) -> None:
    """WrongUsage for a parameter that nobody would read."""
    for name, _ in pairs:
        if name not in _KNOWN:
            raise WrongUsage(
                f"There is no parameter “{name[:200]}”.",
                "The parameters are query, default-graph-uri, named-graph-uri and format.",
            )


def _service_description(pairs: Pairs) -> Response:
    try:
        accept = request.headers.get("Accept")
        return _answer(Request(_DESCRIPTION.read_text(), accept, _form(pairs), reserved=True))
    except NotAcceptable as error:
        offered = ", ".join(each.media_type for each in formats.offered("graph"))
        raise NotAcceptable(
            "Without a query this address describes itself in RDF, which you do not accept.",
            f"Add “query=…”, or accept one of: {offered}.",
        ) from error


def _is_for_people() -> bool:
    """Whether the client likes HTML better than any format of data, and there is a page to show."""
    return QUERY_PAGE in current_app.view_functions and _likes_pages(request.headers.get("Accept"))


@lru_cache(maxsize=256)
def _likes_pages(accept: str | None) -> bool:
    data = [(media_type, False) for each in formats.FORMATS for media_type in each.media_types]
    chosen = formats.negotiate(accept, [*data, ("text/html", True)])
    return bool(chosen and chosen[1])


def _body() -> bytes:
    """The request's body; TooLarge beyond what a query at its limit can need, percent-encoded."""
    most = 3 * pool().limits.text + LONGEST_ADDRESS
    if (request.content_length or 0) > most:
        raise TooLarge(
            f"The body has {request.content_length:,} bytes; the limit is {most:,}.", "Ask for less at once."
        )
    return request.get_data()


def _pairs(content: bytes) -> Pairs:
    """The names and values of an encoded form."""
    try:
        return parse_qsl(content.decode("ascii"), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError as error:
        raise _not_utf8() from error


def _decoded(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _not_utf8() from error


def _not_utf8() -> BadQuery:
    return BadQuery("The request is not UTF-8.", "Encode the query's text as UTF-8, and in forms percent-encode it.")


def _values(pairs: Pairs, name: str) -> list[str]:
    return [value for key, value in pairs if key == name]
