"""What every page tells the browser: run nothing foreign, guess nothing, and keep the answer while it is right."""

from flask import Flask, Response, request

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


def register(app: Flask) -> None:
    """Put the headers on every answer of *app*."""
    app.after_request(_protect)
    app.after_request(_make_conditional)


def _protect(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    return response


def _make_conditional(response: Response) -> Response:
    """A strong ``ETag`` by content, and 304 for who has it already."""
    if request.method in ("GET", "HEAD") and response.status_code == 200 and not response.direct_passthrough:
        if "ETag" not in response.headers and "no-store" not in response.headers.get("Cache-Control", ""):
            response.add_etag()
        if "ETag" in response.headers:
            response.make_conditional(request)
    return response
