"""What programs ask for, queries and answers to stored questions, is answered before the app hears of it.

The app gets the rest, which is shown to people: pages, and what is wrong with a request.
"""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import cast
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Blueprint, Flask, Response, current_app, request
from flask.typing import ResponseReturnValue
from werkzeug.wsgi import get_input_stream

from foedus.query import waiting
from foedus.query.pool import Asker
from foedus.questions import Question
from foedus.web import handout, protocol
from foedus.web.desk import Desk
from foedus.web.headers import Reply
from foedus.web.protocol import Call

bp = Blueprint("endpoint", __name__)

PATH = "/sparql"

QUERY_PAGE = "explore.query_page"
"""The view that shows a query, and its answer if there is one, to people."""

_FAULT = "foedus.fault"
"""Where the environment of a request holds what is wrong with it, if it is known before the app hears of it."""
_STATUS = {each: f"{each.value} {each.phrase}" for each in (HTTPStatus.OK, HTTPStatus.NOT_MODIFIED)}


class Endpoint:
    """Stands before the WSGI app *app*; answers queries from *open_desk*, *questions* from *reserved_desk*."""

    def __init__(
        self, app: WSGIApplication, open_desk: Desk, reserved_desk: Asker, questions: Mapping[str, Question]
    ) -> None:
        self.app = app
        self.open_desk = open_desk
        self.home = open_desk.home
        self.reserved_desk = reserved_desk
        self.questions = questions

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer what programs ask; let the app answer anything else."""
        reply = None if _FAULT in environ else waiting.run(self.reply(environ))
        if reply is None:
            return self.app(environ, start_response)
        start_response(status_line(reply), reply.headers)
        return [reply.body] if reply.body and environ["REQUEST_METHOD"] != "HEAD" else []

    async def reply(self, environ: WSGIEnvironment) -> Reply | None:
        """What programs are answered; None where the app has to answer, and *environ* may then hold what is wrong."""
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if method not in ("GET", "HEAD", "POST") or not (path == PATH or path.startswith(handout.FOLDER)):
            return None
        try:
            if path == PATH:
                return await protocol.answer(_call(method, environ), self.open_desk, self.home)
            return await handout.answer(_call(method, environ), path, self.reserved_desk, self.questions)
        except Exception as error:
            # Of this, too, the app knows how to tell people and programs.
            environ[_FAULT] = error
            return None


def status_line(reply: Reply) -> str:
    """The status of *reply* in a number and words."""
    return _STATUS[HTTPStatus(reply.status)]


def register(app: Flask, open_desk: Desk, reserved_desk: Asker, questions: Mapping[str, Question]) -> Endpoint:
    """Answer queries and stored *questions* before *app* does."""
    app.extensions["foedus"] = open_desk
    app.before_request(_raise_fault)
    app.register_blueprint(bp)
    endpoint = Endpoint(app.wsgi_app, open_desk, reserved_desk, questions)
    app.wsgi_app = endpoint  # type: ignore[method-assign]
    return endpoint


def asker() -> Asker:
    """What answers clients' own queries."""
    return cast(Asker, current_app.extensions["foedus"])


def _raise_fault() -> None:
    if fault := request.environ.get(_FAULT):
        raise fault


@bp.route(PATH, methods=["GET", "POST"])
def for_people() -> Response:
    """What is left of the requests to the endpoint: the page for queries."""
    page = current_app.make_response(cast(ResponseReturnValue, current_app.view_functions[QUERY_PAGE]()))
    page.vary.add("Accept")
    return page


def _call(method: str, environ: WSGIEnvironment) -> Call:
    get = environ.get
    if method != "POST":
        return Call(
            method,
            environ["QUERY_STRING"],
            get("HTTP_ACCEPT"),
            get("HTTP_ACCEPT_ENCODING"),
            get("HTTP_IF_NONE_MATCH"),
        )
    length = get("CONTENT_LENGTH") or "0"
    return Call(
        method,
        environ["QUERY_STRING"],
        get("HTTP_ACCEPT"),
        get("HTTP_ACCEPT_ENCODING"),
        content_type=get("CONTENT_TYPE", ""),
        content_encoding=get("HTTP_CONTENT_ENCODING", "identity"),
        content_length=int(length) if length.isdigit() else 0,
        read=lambda: get_input_stream(environ).read(),
    )
