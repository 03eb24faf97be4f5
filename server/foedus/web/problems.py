"""Errors as answers: HTML page, problem+json or plain text, by what was asked for; and a page on every kind of them."""

import json
import re
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from flask import Flask, Response, current_app, render_template, request
from jinja2 import TemplateNotFound
from werkzeug.exceptions import HTTPException

from foedus import names
from foedus.errors import FoedusError, NoSuchThing
from foedus.query import formats

RETRY_AFTER = 2
"""Seconds after which a client that was sent away may come again."""

_OFFERS = (
    ("application/problem+json", "json"),
    ("application/json", "json"),
    ("text/html", "html"),
    ("application/xhtml+xml", "html"),
    ("text/plain", "text"),
)


@dataclass(frozen=True)
class Problem:
    """What happened, to what, and what to do; *kind* is the error's name in kebab-case, *near* what may be meant."""

    kind: str
    title: str
    status: int
    detail: str
    remedy: str
    line: int | None = None
    column: int | None = None
    near: tuple[str, ...] = ()


def register(app: Flask) -> None:
    """Let every error of *app* be answered here, and told of at the address that it has for its type."""
    app.register_error_handler(FoedusError, _foedus_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _failure)
    app.add_url_rule("/problem", "problems", _told)
    app.add_url_rule("/problem/<kind>", "problem", _told)


def answer(problem: Problem) -> Response:
    """*problem* in the form that the client accepts best; problem+json where it accepts none of them."""
    chosen = formats.negotiate(request.headers.get("Accept"), _OFFERS)
    media_type, form = chosen or _OFFERS[0]
    if form == "html":
        try:
            response = Response(
                render_template("problem.html", problem=problem), content_type="text/html; charset=utf-8"
            )
        except TemplateNotFound:
            form = "text"
    if form == "text":
        text = f"{problem.title}: {problem.detail}\n{problem.remedy}".rstrip() + "\n"
        response = Response(text, content_type="text/plain; charset=utf-8")
    elif form == "json":
        response = Response(json.dumps(_members(problem), ensure_ascii=False), content_type=media_type)
    response.status_code = problem.status
    response.headers["Cache-Control"] = "no-store"
    response.vary.add("Accept")
    if problem.status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
        response.headers["Retry-After"] = str(RETRY_AFTER)
    return response


def of(error: FoedusError) -> Problem:
    """*error* as a problem; one that is no client's doing is a 500."""
    near = error.near if isinstance(error, NoSuchThing) else ()
    return Problem(
        _kind(type(error)), error.title, error.status, error.message, error.remedy, error.line, error.column, near
    )


def _kind(error: type[FoedusError]) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", error.__name__).lower()


_ERRORS: tuple[type[FoedusError], ...] = (FoedusError, *FoedusError.__subclasses__())
_KINDS = {_kind(each): each for each in _ERRORS}
_OF_HTTP = "about:blank"
"""The type of a problem that its status tells all about (RFC 9457, 4.2.1)."""


def _told(kind: str | None = None) -> str:
    """The page on the errors of *kind*, or on all kinds."""
    if kind is not None and kind not in _KINDS:
        raise NoSuchThing(f"There is no error called {kind}.", "See /problem for those that there are.")
    return render_template("problems.html", kinds=_KINDS, kind=kind, told=_has_status)


def _has_status(error: type[FoedusError]) -> bool:
    """Whether *error* is told over HTTP, as far as can be foreseen."""
    return "status" in vars(error)


def _members(problem: Problem) -> dict[str, str | int]:
    """The members of RFC 9457, and ours: remedy, line and column, left out where there is nothing to say."""
    members: dict[str, str | int | None] = {
        "type": f"{names.BASE}problem/{problem.kind}" if problem.kind in _KINDS else _OF_HTTP,
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "remedy": problem.remedy,
        "line": problem.line,
        "column": problem.column,
    }
    return {name: value for name, value in members.items() if value}


def _foedus_error(error: FoedusError) -> Response:
    response = answer(of(error))
    _forget_way_of(error)
    return response


def _forget_way_of(error: BaseException) -> None:
    """Let go of the calls that *error*, and what caused it, came through.

    They know the request and the request knows the error, so that its body would stay in memory until the garbage
    collector looks at old objects, which may be hundreds of requests later.
    """
    each: BaseException | None = error
    while each:
        each.__traceback__ = None
        each = each.__cause__ or each.__context__


def _http_error(error: HTTPException) -> Response:
    """An error of the web framework: an address that leads nowhere, a method that is not taken."""
    status = HTTPStatus(error.code or 500)
    _forget_way_of(error)
    if status < HTTPStatus.BAD_REQUEST:
        return Response(error.get_body(), status, error.get_headers())
    if status == HTTPStatus.NOT_FOUND and (address := _without_slash()):
        return Response(status=HTTPStatus.PERMANENT_REDIRECT, headers={"Location": address})
    detail, remedy = {
        HTTPStatus.NOT_FOUND: (f"There is nothing at {request.path}.", "Start at the home page: /"),
        HTTPStatus.METHOD_NOT_ALLOWED: (f"{request.path} does not take {request.method}.", "See the Allow header."),
    }.get(status, (error.description or status.description, ""))
    response = answer(Problem(status.phrase.lower().replace(" ", "-"), status.phrase, status, detail, remedy))
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def _without_slash() -> str | None:
    """The address of this request without the slash at its end, where that one is an address of ours."""
    path = request.path.rstrip("/")
    if not path or path == request.path:
        return None
    try:
        current_app.url_map.bind_to_environ(request.environ).match(path, request.method)
    except HTTPException:
        return None
    query = request.query_string.decode("latin-1")
    return quote(path) + (f"?{query}" if query else "")


def _failure(error: Exception) -> Response:
    """A fault of ours: logged in full, told without its insides."""
    current_app.logger.error("%s %s failed", request.method, request.path, exc_info=error)
    return answer(of(FoedusError("The server failed on this request.", "Please report it.")))
