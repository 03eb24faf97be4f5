"""What every answer says beside its content: run nothing foreign, guess nothing, keep it while it is right.

Answers of the endpoint get all that at once, in `reply`; those of the app pass the hooks that `register` puts there.
"""

import hashlib
from dataclasses import dataclass

from flask import Flask, Response, request
from werkzeug.http import parse_etags

from foedus import __version__
from foedus.errors import NotAcceptable
from foedus.query import formats, scan
from foedus.query.dataset import Description
from foedus.query.limits import Limits
from foedus.query.pool import Answer, Request
from foedus.query.waiting import ELSEWHERE
from foedus.web import coding

MAX_AGE = 300
"""Seconds for which an answer may be used without asking again: a new version of the dataset is seen that soon."""

LASTING = f"public, max-age={MAX_AGE}"
FLEETING = "no-store"
"""The two values of ``Cache-Control``: the same for everybody as long as the dataset is, and not to be kept at all."""

QUICK = 16 << 10
"""Bytes that are coded, or hashed, in less than a millisecond."""

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
_PROTECTION = (
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
)
_CLIENT_HEADERS = "Accept, Accept-Encoding, Content-Type, If-None-Match"
_SHOWN_HEADERS = "Allow, Content-Disposition, Content-Encoding, Content-Length, ETag, Foedus-Dataset, Link, Retry-After"
_SHARING = (("Access-Control-Allow-Origin", "*"), ("Access-Control-Expose-Headers", _SHOWN_HEADERS))
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_PRIVATE = frozenset({"/metrics"})
"""Addresses that are not for the scripts of other sites."""


@dataclass(frozen=True)
class Reply:
    """An answer of HTTP: its status, all its headers, its body."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes = b""


async def reply(answer: Answer, cache_control: str | None, tag: str | None, accept_encoding: str | None) -> Reply:
    """*answer* as a 200, in the coding that *accept_encoding* likes best, under *tag* if it is to be kept."""
    body = answer.body
    wanted = coding.chosen(accept_encoding, answer.media_type.partition(";")[0], len(body))
    headers = [("Content-Type", answer.media_type)]
    if wanted != coding.IDENTITY and body:
        if len(body) > QUICK:
            await ELSEWHERE
        body = coding.encode(body, wanted)
        headers.append(("Content-Encoding", wanted))
    headers.append(("Content-Length", str(len(body))))
    headers.append(("Server-Timing", f"wait;dur={answer.waited:.3f}, total;dur={answer.milliseconds:.3f}"))
    if cache_control:
        headers.append(("Cache-Control", cache_control))
    if tag:
        headers.append(("ETag", f'"{coding.tag(tag, wanted if answer.body else coding.IDENTITY)}"'))
    return Reply(200, [*headers, *_ALWAYS], body)


def unchanged(tag: str, accept_encoding: str | None, if_none_match: str | None) -> Reply | None:
    """A 304 if *if_none_match* names the answer of *tag* in a coding that the client takes."""
    if not if_none_match:
        return None
    known = parse_etags(if_none_match)
    for each in coding.acceptable(accept_encoding):
        # ``*`` would match what may turn out to be no answer at all.
        if not known.star_tag and known.contains_weak(coding.tag(tag, each)):
            return not_modified(f'"{coding.tag(tag, each)}"')
    return None


def not_modified(tag: str) -> Reply:
    """The 304 for who has the answer under the quoted *tag*."""
    return Reply(304, [("ETag", tag), ("Cache-Control", LASTING), *_ALWAYS])


_ALWAYS = (("Vary", "Accept, Accept-Encoding"), *_PROTECTION, *_SHARING)


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


def tag_of(body: bytes) -> str:
    """What identifies an answer with this *body*, where nothing does beforehand."""
    return hashlib.sha256(body).hexdigest()[:32]


def fleeting(response: Response) -> Response:
    """*response*, not to be kept by anybody."""
    response.headers["Cache-Control"] = FLEETING
    return response


def _refuse_unknown_codings() -> None:
    coding.require(request.headers.get("Accept-Encoding"))


def _represent(response: Response) -> Response:
    """The answer in the coding that the client likes best, under its own strong tag; 304 for who has it already."""
    headers, environ = response.headers, request.environ
    # Parsed and written again, the value would take more time than all the rest.
    vary = headers.get("Vary", "")
    wanted_vary = ("Accept", "Accept-Encoding") if response.mimetype == "text/html" else ("Accept-Encoding",)
    said = {each.strip() for each in vary.split(",")}
    headers["Vary"] = ", ".join([*filter(None, [vary]), *(each for each in wanted_vary if each not in said)])
    status = response.status_code
    if status in (204, 206, 304) or "Content-Encoding" in headers:
        return response
    kept = request.method in ("GET", "HEAD") and status == 200 and FLEETING not in headers.get("Cache-Control", "")
    body = _body(response)
    if kept and "ETag" not in headers:
        headers["ETag"] = f'"{tag_of(body)}"'
    if kept and "Cache-Control" not in headers:
        headers["Cache-Control"] = LASTING
    wanted = coding.chosen(environ.get("HTTP_ACCEPT_ENCODING"), response.mimetype or "", len(body))
    if wanted != coding.IDENTITY and body:
        of_answer, is_weak = response.get_etag()
        if of_answer is not None:
            response.set_etag(coding.tag(of_answer, wanted), bool(is_weak))
        headers["Content-Encoding"] = wanted
        headers.pop("Accept-Ranges", None)
    if kept and ("HTTP_IF_NONE_MATCH" in environ or "HTTP_IF_MODIFIED_SINCE" in environ):
        response.make_conditional(request)
    if response.status_code != 304 and "Content-Encoding" in headers:
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
    for name, value in _PROTECTION:
        response.headers.setdefault(name, value)
    return response


def _let_other_sites_read(response: Response) -> Response:
    """Public, read-only and without credentials: any page may ask, and is told so beforehand where it asks that."""
    is_preflight = False
    if "Allow" in response.headers:
        allowed = ", ".join(each for each in _METHODS if each in response.allow)
        response.headers["Allow"] = allowed
        is_preflight = request.method == "OPTIONS"
    if is_preflight:
        response.status_code = 204
        for name in ("Content-Type", "Content-Length"):
            response.headers.pop(name, None)
    if request.path in _PRIVATE:
        return response
    for name, value in _SHARING:
        response.headers[name] = value
    if is_preflight:
        response.headers["Access-Control-Allow-Methods"] = allowed
        response.headers["Access-Control-Allow-Headers"] = _CLIENT_HEADERS
        response.headers["Access-Control-Max-Age"] = "86400"
    return response
