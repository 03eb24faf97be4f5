"""A stranger's RDF against our shapes: a page with a form, and the report in the words of SHACL, as JSON, as a page.

Nothing of the document is read here; what is looked at is how it was sent. What is asked of it is the build's affair.
"""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import PurePath
from typing import Any, cast
from urllib.parse import parse_qsl

from flask import Blueprint, Flask, Response, current_app, make_response, render_template, request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

from foedus.errors import BadDocument, FoedusError, NotAcceptable, TooLarge, WrongBodyType, WrongUsage
from foedus.query import formats
from foedus.web import headers, turns
from foedus.web.checking import Bench, Form
from foedus.web.problems import RETRY_AFTER
from foedus.web.shelf import shelf

bp = Blueprint("validate", __name__)

LARGEST = 512 << 10
"""Bytes of a document."""

SHOWN = 64 << 10
"""Bytes of a document that the page gives back, to be mended there."""

ROWS = 250
"""Findings that the page shows."""

SYNTAXES = {each.name: each for each in formats.FORMATS if each.name in ("ttl", "nt", "nq", "trig", "rdf", "jsonld")}
"""What a document may be written in."""

FORMS = {"ttl": ("text/turtle",), "json": ("application/json",), "html": headers.PAGE}
"""The formats of a report, and the names that clients have for them; a program without a wish gets the first."""

_MEDIA_TYPES = {
    media_type: name
    for name, each in SYNTAXES.items()
    for media_type in each.media_types
    if media_type not in ("application/json", "application/xml", "text/xml", "text/plain")
}
_ENDINGS = {**{name: name for name in SYNTAXES}, "owl": "rdf", "xml": "rdf", "json": "jsonld"}
_MULTIPART, _URLENCODED = "multipart/form-data", "application/x-www-form-urlencoded"
_FIELDS = ("document", "file", "syntax", "format")
# What a form adds to a document: its other fields, and in the worst case two characters for each of the document's.
_AROUND = 16 << 10

EXAMPLE = """\
@prefix foedus: <https://w3id.org/foedus/ontology#> .
@prefix id: <https://w3id.org/foedus/id/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .

id:an-example a foedus:Source ;
    rdfs:label "a letter that nobody wrote"@en ;
    foedus:publisher "Nobody" ;
    foedus:sourceKind foedus:newsReport ;
    foedus:reading foedus:readWhole ;
    foedus:language "en" .

id:an-example-announcement a foedus:Announcement ;
    rdfs:label "an announcement that nobody made"@en ;
    foedus:ofState id:icland ;
    foedus:occurred "5 May 1951" ;
    foedus:source id:an-example .
"""
"""What the form holds at first: a state that is misspelt, and a date that is none."""


@dataclass(frozen=True)
class Sent:
    """A document as it came, its syntax, and the format of the report that the form asks for, if one does."""

    content: bytes
    syntax: str
    form: str | None = None


def register(app: Flask, bench: Bench) -> None:
    """Check documents at /validate of *app* by *bench*."""
    app.extensions["foedus-bench"] = bench
    app.register_blueprint(bp)


@bp.get("/validate")
def page() -> Response:
    """The form, a worked example, and what is looked at."""
    headers.require_page("POST a document, in RDF, to this address.")
    _refuse_others(request.args)
    return make_response(_rendered(text=EXAMPLE))


@bp.post("/validate")
def check() -> Response:
    """The report on the document that was sent."""
    _refuse_others(request.args)
    named = request.args.get("format")
    form = _form(named)
    sent = None
    try:
        sent = _sent()
        form = _form(named or sent.form)
        return _told(sent, form)
    except FoedusError as error:
        if form != "html":
            raise
        # Whoever filled the form in does not do so twice.
        text = _shown(sent.content) if sent else None
        answer = make_response(_rendered(text, sent.syntax if sent else None, problem=error), error.status)
        if error.status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
            answer.headers["Retry-After"] = str(RETRY_AFTER)
        return _fleeting(answer)


def _told(sent: Sent, form: str) -> Response:
    bench = cast(Bench, current_app.extensions["foedus-bench"])
    wanted: Form = "ttl" if form == "ttl" else "json"
    left = request.environ.get("waitress.client_disconnected")
    report = bench.judge(sent.content, sent.syntax, wanted, turns.asker(), left)
    if form == "html":
        text = _shown(sent.content)
        return _fleeting(make_response(_rendered(text, sent.syntax, report=json.loads(report))))
    content_type = "application/json" if form == "json" else "text/turtle; charset=utf-8"
    return _fleeting(Response(report, content_type=content_type))


def _rendered(
    text: str | None,
    syntax: str | None = None,
    report: Mapping[str, Any] | None = None,
    problem: FoedusError | None = None,
) -> str:
    return render_template(
        "validate.html",
        text=text,
        syntax=syntax or "ttl",
        report=report,
        problem=problem,
        syntaxes=SYNTAXES,
        rows=ROWS,
        largest=LARGEST,
        address=f"{shelf().home()}/validate",
    )


def _shown(content: bytes) -> str | None:
    """The document for the form; None where it is long, or no text."""
    try:
        return content.decode() if len(content) <= SHOWN else None
    except UnicodeDecodeError:
        return None


def _form(named: str | None) -> str:
    """The format that *named* says, or else ``Accept`` prefers."""
    if named:
        for form, media_types in FORMS.items():
            if named.strip().lower().removeprefix(".") in (form, *media_types, *{"ttl": ("turtle",)}.get(form, ())):
                return form
        raise NotAcceptable(f"There is no format “{named[:40]}” of a report.", f"Choose from: {', '.join(FORMS)}.")
    offers = [(media_type, form) for form, media_types in FORMS.items() for media_type in media_types]
    chosen = formats.negotiate(request.headers.get("Accept"), offers)
    if chosen is None:
        raise NotAcceptable(
            "None of the formats that you accept fits a report.",
            f"Accept one of: {', '.join(each for each, _ in offers)}.",
        )
    return chosen[1]


def _refuse_others(given: Mapping[str, str]) -> None:
    for name in given:
        if name != "format":
            raise WrongUsage(f"/validate takes no parameter “{name[:60]}”.", "The one in the address is “format”.")


def _sent() -> Sent:
    """The document of this request, as its body or in a form."""
    media_type, options = parse_options_header(request.headers.get("Content-Type", "").lower())
    coding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if coding != "identity":
        raise WrongBodyType(f"A body in the coding “{coding[:40]}” is not taken.", "Send it as it is.")
    if options.get("charset", "utf-8") not in ("utf-8", "utf8", "us-ascii"):
        raise WrongBodyType(f"The charset {options['charset'][:40]} is not taken.", "Send UTF-8.")
    if media_type in _MEDIA_TYPES:
        _refuse_size(request.content_length or 0, LARGEST)
        return _document(request.get_data(cache=False), _MEDIA_TYPES[media_type])
    if media_type == _URLENCODED:
        _refuse_size(request.content_length or 0, 3 * LARGEST + _AROUND)
        return _of_fields(_urlencoded(request.get_data(cache=False)), None)
    if media_type == _MULTIPART:
        _refuse_size(request.content_length or 0, LARGEST + _AROUND)
        return _of_fields(*_multipart())
    offered = ", ".join(each.media_type for each in SYNTAXES.values())
    raise WrongBodyType(
        f"A body of type “{media_type[:60] or 'unknown'}” is not taken.", f"Send one of: {offered}; or a form."
    )


def _document(content: bytes, syntax: str, form: str | None = None) -> Sent:
    _refuse_size(len(content), LARGEST)
    if not content.strip():
        raise BadDocument(
            "The request holds no document.", "Send it as the body, or in the field “document” or “file”."
        )
    return Sent(content, syntax, form)


def _of_fields(fields: Mapping[str, str], file: tuple[str, bytes] | None) -> Sent:
    """The document in a form: what is written there, or else the file."""
    for name in fields:
        if name not in _FIELDS:
            raise WrongUsage(f"There is no field “{name[:60]}”.", f"The fields are: {', '.join(_FIELDS)}.")
    written = fields.get("document", "").encode()
    chosen = fields.get("syntax", "")
    if chosen and chosen not in SYNTAXES:
        raise WrongUsage(f"There is no syntax “{chosen[:40]}”.", f"Choose from: {', '.join(SYNTAXES)}.")
    if file and file[1]:
        ending = PurePath(file[0]).suffix.removeprefix(".").lower()
        return _document(file[1], _ENDINGS.get(ending, chosen or "ttl"), fields.get("format"))
    return _document(written, chosen or "ttl", fields.get("format"))


def _urlencoded(body: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=16))
    except UnicodeDecodeError as error:
        raise BadDocument("The form is not UTF-8.", "Percent-encode the document’s UTF-8.") from error
    except ValueError as error:
        raise WrongUsage("The form has too many fields.", f"The fields are: {', '.join(_FIELDS)}.") from error


def _in_memory(*_: object, **__: object) -> io.BytesIO:
    return io.BytesIO()


def _multipart() -> tuple[dict[str, str], tuple[str, bytes] | None]:
    """The fields of the form, and the name and content of the file in it; nothing is written to a temporary file."""
    body = request.get_data(cache=False)
    parser = FormDataParser(
        stream_factory=_in_memory, max_form_memory_size=LARGEST + _AROUND, max_form_parts=16, silent=False
    )
    _, options = parse_options_header(request.headers["Content-Type"])
    try:
        _, fields, files = parser.parse(io.BytesIO(body), _MULTIPART, len(body), options)
    except RequestEntityTooLarge as error:
        raise TooLarge("The form is too large, or has too many fields.", f"The limit is {LARGEST:,} bytes.") from error
    except ValueError as error:
        raise BadDocument("The form is malformed.", "Send multipart/form-data with its boundary.") from error
    given = fields.to_dict()
    # What was no UTF-8 has become the mark for it, of which the body itself may hold some.
    if any("\ufffd" in value for value in given.values()) and "\ufffd".encode() not in body:
        raise BadDocument("The form is not UTF-8.", "Save the document as UTF-8.")
    wrong = [name for name in files if name != "file"]
    if wrong:
        raise WrongUsage(f"There is no field “{wrong[0][:60]}” for a file.", "Send it in the field “file”.")
    file = files.get("file")
    return given, (file.filename or "", file.stream.read()) if file else None


def _refuse_size(size: int, most: int) -> None:
    if size > most:
        raise TooLarge(f"The document has {size:,} bytes; the limit is {LARGEST:,}.", "Check it in parts.")


def _fleeting(response: Response) -> Response:
    response.vary.add("Accept")
    return headers.fleeting(response)
