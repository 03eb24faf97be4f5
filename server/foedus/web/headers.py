"""What every answer says beside its content: run nothing foreign, guess nothing, keep it while it is right.

Every answer passes here last: it gets its ``ETag``, its coding, ``Vary``, what other sites may do with it, and becomes
a 304 where the client has it already.
"""

import hashlib

from flask import Flask, Response, request

from foedus import __version__
from foedus.errors import NotAcceptable
from foedus.query import formats, scan
from foedus.query.dataset import Description
from foedus.query.limits import Limits
from foedus.query.pool import Request
from foedus.web import coding

MAX_AGE = 300
"""Seconds for which an answer may be used without asking again: a new version of the dataset is seen that soon."""

PAGE = ("text/html", "application/xhtml+xml")
"""The names under which clients accept a page."""

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_CLIENT_HEADERS = "Accept, Accept-Encoding, Content-Type, If-None-Match"
_SHOWN_HEADERS = "Allow, Content-Disposition, Content-Encoding, Content-Length, ETag, Link, Retry-After"
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_PRIVATE = frozenset({"/metrics"})
"""Addresses that are not for the scripts of other sites."""


def register(app: Flask) -> None:
    """Put the headers on every answer of *app*."""
    app.before_request(_refuse_unknown_codings)
    # The one registered last runs first.
    app.after_request(_let_other_sites_read)
    app.after_request(_protect)
    app.after_request(_represent)


def require_page(instead: str) -> None:
    """NotAcceptable, saying what there is *instead*, for a client that takes no page, where there is nothing else."""
    if formats.negotiate(request.headers.get("Accept"), [(each, None) for each in PAGE]) is None:
        raise NotAcceptable("This is a page, in HTML, which you do not accept.", f"Accept text/html. {instead}")


def lasts(text: str, dataset: Description, limits: Limits) -> bool:
    """Whether the query *text* has the same answer as long as *dataset* is served; raises what ``scan`` does."""
    seen = scan.scan(text, limits)
    return not seen.volatile and not dataset.changes


def entity_tag(asked: Request, dataset: Description, limits: Limits) -> str | None:
    """What identifies the answer to *asked* from *dataset*, known before it is asked; None if it is never the same.

    It is made of the versions of dataset and program, the query, its graphs and its format. Raises what asking would
    for a text or a format that is refused at once.
    """
    kind = scan.scan(asked.text, limits).kind
    if kind is None or not lasts(asked.text, dataset, limits):
        return None
    written = formats.choose(kind, asked.accept, asked.form).content_type
    parts = (dataset.sha256, __version__, asked.text, asked.default_graphs, asked.named_graphs, written)
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def known_to_client(tag: str) -> Response | None:
    """A 304 if the client of this request has the answer of *tag* already, in a coding that it takes."""
    for each in coding.acceptable(request.headers.get("Accept-Encoding")):
        # ``*`` would match what may turn out to be no answer at all.
        if not request.if_none_match.star_tag and request.if_none_match.contains_weak(coding.tag(tag, each)):
            response = lasting(Response(status=304), coding.tag(tag, each))
            response.vary.add("Accept")
            return response
    return None


def lasting(response: Response, tag: str) -> Response:
    """*response*, to be kept under *tag*."""
    response.set_etag(tag)
    response.headers["Cache-Control"] = f"public, max-age={MAX_AGE}"
    return response


def fleeting(response: Response) -> Response:
    """*response*, not to be kept by anybody."""
    response.headers["Cache-Control"] = "no-store"
    return response


def _refuse_unknown_codings() -> None:
    coding.require(request.headers.get("Accept-Encoding"))


def _represent(response: Response) -> Response:
    """The answer in the coding that the client likes best, under its own strong tag; 304 for who has it already."""
    response.vary.add("Accept-Encoding")
    if response.mimetype == "text/html":
        response.vary.add("Accept")
    if response.status_code in (204, 206, 304) or "Content-Encoding" in response.headers:
        return response
    kept = request.method in ("GET", "HEAD") and response.status_code == 200
    kept = kept and "no-store" not in response.headers.get("Cache-Control", "")
    body = _body(response)
    if kept and "ETag" not in response.headers:
        response.add_etag()
    if kept:
        response.headers.setdefault("Cache-Control", f"public, max-age={MAX_AGE}")
    wanted = coding.chosen(request.headers.get("Accept-Encoding"), response.mimetype or "", len(body))
    if wanted != coding.IDENTITY and body:
        of_answer, is_weak = response.get_etag()
        if of_answer is not None:
            response.set_etag(coding.tag(of_answer, wanted), bool(is_weak))
        response.headers["Content-Encoding"] = wanted
        response.headers.pop("Accept-Ranges", None)
    if kept:
        response.make_conditional(request)
    if response.status_code != 304 and "Content-Encoding" in response.headers:
        response.set_data(coding.encode(body, wanted))
    return response


def _body(response: Response) -> bytes:
    """All of the body, also where it is a file that is still to be read."""
    was_file, response.direct_passthrough = response.direct_passthrough, False
    body = response.get_data()
    if was_file:
        response.close()
    return body


def _protect(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    return response


def _let_other_sites_read(response: Response) -> Response:
    """Public, read-only and without credentials: any page may ask, and is told so beforehand where it asks that."""
    allowed = ", ".join(each for each in _METHODS if each in response.allow)
    if allowed:
        response.headers["Allow"] = allowed
    is_preflight = request.method == "OPTIONS" and bool(allowed)
    if is_preflight:
        response.status_code = 204
        for name in ("Content-Type", "Content-Length"):
            response.headers.pop(name, None)
    if request.path in _PRIVATE:
        return response
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Expose-Headers"] = _SHOWN_HEADERS
    if is_preflight:
        response.headers["Access-Control-Allow-Methods"] = allowed
        response.headers["Access-Control-Allow-Headers"] = _CLIENT_HEADERS
        response.headers["Access-Control-Max-Age"] = "86400"
    return response
