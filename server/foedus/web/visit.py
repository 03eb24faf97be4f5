"""The request that this thread answers, and what is known of it, whoever in the web side asks."""

from contextvars import ContextVar, Token
from wsgiref.types import WSGIEnvironment

REQUEST_ID = "foedus.request_id"
"""Where the environment of a request holds its number; the client finds it in the header ``X-Request-Id``."""

BEGAN = "foedus.began"
"""Where it holds the moment, by ``time.perf_counter``, at which the server began to answer it."""

ASKED = "foedus.asked"
"""Where it holds what was asked and answered for it: a list of ``watching.Asked``."""

PLACED = "foedus.placed"
"""Where it says that the answer has addresses of this server in it, as the request reached it."""

_NOW: ContextVar[WSGIEnvironment | None] = ContextVar("visit", default=None)


def begin(environ: WSGIEnvironment) -> Token[WSGIEnvironment | None]:
    """This thread answers the request of *environ*, until ``end`` is called with what is returned."""
    return _NOW.set(environ)


def end(token: Token[WSGIEnvironment | None]) -> None:
    """That request is answered."""
    _NOW.reset(token)


def environ() -> WSGIEnvironment | None:
    """The environment of the request that this thread answers; None where it answers none."""
    return _NOW.get()
