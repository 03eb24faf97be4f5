"""The researchers' tables as files, made when they are first asked for and kept as they go out, coded.

A table takes a second of computing and megabytes of memory, which is spent once for a version of the dataset, by one
request at a time; what is kept of all tables together is less than a megabyte at the shipped size.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from flask import Response, current_app, request

from foedus import names
from foedus.errors import Busy, FoedusError, NoSuchThing
from foedus.query import export, record
from foedus.query.codebook import codebook
from foedus.query.pool import Asker
from foedus.query.tables import NAMES, Table, Tables
from foedus.web import asking, coding, headers
from foedus.web.shelf import shelf

MOST_CELLS = 250_000
"""Pairs of states and years in tables that are made here; more than that, ``foedus export`` makes."""

PATIENCE = 20.0
"""Seconds that a request waits while another one has the tables made."""

MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8; header=present",
    "parquet": "application/vnd.apache.parquet",
    "md": "text/markdown; charset=utf-8",
}
FILES = (*(f"{name}.{form}" for name in NAMES for form in ("csv", "parquet")), export.CODEBOOK)


@dataclass(frozen=True)
class _File:
    """A file in each coding that it goes out in."""

    media_type: str
    tag: str
    bodies: dict[str, bytes]

    @classmethod
    def of(cls, name: str, content: bytes) -> "_File":
        media_type = MEDIA_TYPES[name.rpartition(".")[2]]
        is_text = media_type.startswith("text/")
        codings = [each for each in coding.CODINGS if each != coding.IDENTITY] if is_text else [coding.IDENTITY]
        return cls(media_type, headers.tag_of(content), {each: coding.encode(content, each) for each in codings})

    def body(self, wanted: str) -> bytes:
        return self.bodies[wanted] if wanted in self.bodies else coding.decoded(*next(iter(self.bodies.items())))


class Press:
    """What makes the files of one app, one form of all tables at a time, and keeps them."""

    def __init__(self) -> None:
        self._making = threading.Lock()
        self._kept: dict[tuple[str, str], dict[str, _File] | FoedusError] = {}

    def file(self, asker: Asker, name: str) -> _File:
        """The file called *name*, one of ``FILES``; an error once made is kept as well, as it would come again."""
        key = (asker.dataset.sha256, name.rpartition(".")[2])
        if key not in self._kept:
            if not self._making.acquire(timeout=PATIENCE):
                raise Busy("The tables are being made for somebody else.", "Try again in a minute.")
            try:
                if key not in self._kept:
                    self._kept = {each: made for each, made in self._kept.items() if each[0] == key[0]}
                    self._kept[key] = _made(asker, key[1])
            finally:
                self._making.release()
        found = self._kept[key]
        if isinstance(found, FoedusError):
            raise type(found)(found.message, found.remedy)
        return found[name]


def _made(asker: Asker, form: str) -> dict[str, _File] | FoedusError:
    if form == "md":
        return {export.CODEBOOK: _File.of(export.CODEBOOK, codebook(asker.dataset.as_of or ""))}
    # What goes wrong here and may go well next time, such as a full queue, is raised and not kept.
    found = Tables(record.read(asker), MOST_CELLS)
    write: Callable[[Table], bytes] = export.parquet if form == "parquet" else Table.csv
    try:
        return {f"{name}.{form}": _File.of(f"{name}.{form}", write(found.table(name))) for name in NAMES}
    except FoedusError as error:
        return error


def offered() -> bool:
    """Whether there are tables of what is being served: it has alliances, and stays what it is."""
    library = shelf().library
    return not library.pool.dataset.changes and bool(
        library.rows("instances", [asking.iri(names.ONTOLOGY + "Alliance")])
    )


def send(name: str) -> Response:
    """The file called *name*, or a 304; NoSuchThing, naming all, for any other name."""
    if name not in FILES or not offered():
        remedy = f"The files are: {', '.join(FILES)}." if offered() else "All there is stands at /download."
        raise NoSuchThing(f"There is no file “{name}” to download.", remedy)
    press: Press = current_app.extensions.setdefault("foedus-press", Press())
    file = press.file(shelf().library.pool, name)
    accepted = request.headers.get("Accept-Encoding")
    wanted = coding.chosen(accepted, file.media_type.partition(";")[0], coding.SMALLEST)
    response = Response(file.body(wanted), content_type=file.media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = headers.LASTING
    response.set_etag(coding.tag(file.tag, wanted))
    if wanted != coding.IDENTITY:
        response.headers["Content-Encoding"] = wanted
    response.make_conditional(request)
    return response
