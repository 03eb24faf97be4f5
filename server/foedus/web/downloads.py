"""The dataset whole and the researchers' tables as files, read or made when first asked for and kept as they go out.

The build made the dumps. A table takes a second of computing and megabytes of memory, which is spent once for a version
of the dataset, by one request at a time. Kept is each file in each coding: less than a megabyte of all tables together
at the shipped size, and five of the dumps, which are 37 plain.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from flask import Response, current_app, request

from foedus import names
from foedus.errors import Busy, DatasetRefused, FoedusError, NoSuchThing
from foedus.query import dataset, export, record, waiting
from foedus.query.codebook import codebook
from foedus.query.dataset import Dump
from foedus.query.pool import Asker
from foedus.query.tables import NAMES, Table, Tables
from foedus.web import asking, coding, headers
from foedus.web.shelf import shelf

MOST_CELLS = 250_000
"""Pairs of states and years in tables that are made here; more than that, ``foedus export`` makes."""

PATIENCE = 20.0
"""Seconds that a request waits while another one has files made."""

LICENCE = "https://creativecommons.org/licenses/by/4.0/"
"""That of the data that are built; other data say themselves."""

MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8; header=present",
    "parquet": "application/vnd.apache.parquet",
    "md": "text/markdown; charset=utf-8",
    "nq": "application/n-quads",
    "trig": "application/trig; charset=utf-8",
    "ttl": "text/turtle; charset=utf-8",
    "jsonld": "application/ld+json",
    names.CHECKSUMS: "text/plain; charset=utf-8",
}
TABLES = (*(f"{name}.{form}" for name in NAMES for form in ("csv", "parquet")), export.CODEBOOK)


@dataclass(frozen=True)
class _File:
    """A file in each coding that it goes out in."""

    media_type: str
    tag: str
    bodies: dict[str, bytes]

    @classmethod
    def of(cls, name: str, content: bytes) -> "_File":
        media_type = MEDIA_TYPES[name.rpartition(".")[2]]
        is_coded = coding.shrinks(media_type.partition(";")[0])
        codings = [each for each in coding.CODINGS if (each != coding.IDENTITY) == is_coded]
        # Not in turns: this is made once, and others wait for it.
        bodies = {each: coding.encode(content, each, in_turns=False) for each in codings}
        return cls(media_type, headers.tag_of(content), bodies)

    def body(self, wanted: str) -> bytes:
        return self.bodies[wanted] if wanted in self.bodies else coding.decoded(*next(iter(self.bodies.items())))


class Press:
    """What makes the files of one app, those of one form at a time, and keeps them."""

    def __init__(self) -> None:
        self._making = threading.Lock()
        self._kept: dict[tuple[str, str], dict[str, _File] | FoedusError] = {}

    def file(self, asker: Asker, name: str) -> _File:
        """The file called *name*, one of `offered`; an error once made is kept as well, as it would come again."""
        key = (asker.dataset.sha256, name.rpartition(".")[2])
        if key not in self._kept:
            if not waiting.acquired(self._making, PATIENCE):
                raise Busy("These files are being made for somebody else.", "Try again in a minute.")
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
    whole = {each.name: each for each in dataset.dumps(asker.dataset)}
    if form == names.CHECKSUMS:
        sums = export.summed({each.name: each.sha256 for each in whole.values()})
        return {form: _File.of(form, sums.encode())}
    if dump := next((each for name, each in whole.items() if name.endswith(f".{form}")), None):
        try:
            return {dump.name: _File.of(dump.name, dataset.dumped(asker.dataset, dump))}
        except DatasetRefused as error:
            # Where the dataset lies on this machine is nobody's business.
            raise Busy(
                f"{dump.name} is not what it was when the server started: it was built anew since, or damaged.",
                "Take the graphs one by one from /download, or wait for the server to be started again.",
            ) from error
    # What goes wrong here and may go well next time, such as a full queue, is raised and not kept.
    found = Tables(record.read(asker), MOST_CELLS)
    write: Callable[[Table], bytes] = export.parquet if form == "parquet" else Table.csv
    try:
        return {f"{name}.{form}": _File.of(f"{name}.{form}", write(found.table(name))) for name in NAMES}
    except FoedusError as error:
        return error


def dumps() -> tuple[Dump, ...]:
    """The files that hold all of what is being served; none for data that were not built."""
    return dataset.dumps(shelf().library.pool.dataset)


def has_tables() -> bool:
    """Whether there are tables of what is being served: it has alliances, and stays what it is."""
    library = shelf().library
    return not library.pool.dataset.changes and bool(
        library.rows("instances", [asking.iri(names.ONTOLOGY + "Alliance")])
    )


def offered() -> tuple[str, ...]:
    """The names of all files."""
    whole = tuple(each.name for each in dumps())
    return (*whole, *((names.CHECKSUMS,) if whole else ()), *(TABLES if has_tables() else ()))


def send(name: str) -> Response:
    """The file called *name*, or a 304; NoSuchThing, naming all, for any other name."""
    known = offered()
    if name not in known:
        remedy = f"The files are: {', '.join(known)}." if known else "All there is stands at /download."
        raise NoSuchThing(f"There is no file “{name[:80]}” to download.", remedy)
    press: Press = current_app.extensions.setdefault("foedus-press", Press())
    file = press.file(shelf().library.pool, name)
    accepted = request.headers.get("Accept-Encoding")
    wanted = coding.chosen(accepted, file.media_type.partition(";")[0], coding.SMALLEST)
    response = Response(file.body(wanted), content_type=file.media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = headers.LASTING
    _say_version(response)
    response.set_etag(coding.tag(file.tag, wanted))
    if wanted != coding.IDENTITY:
        response.headers["Content-Encoding"] = wanted
    response.make_conditional(request)
    return response


def _say_version(response: Response) -> None:
    """Which dataset *response* is of, and its licence, for who keeps the file."""
    about = shelf().library.pool.dataset
    if about.version:
        said = {"version": about.version, "as-of": about.as_of or "", "sha256": about.sha256}
        response.headers["Foedus-Dataset"] = ", ".join(f'{name}="{value}"' for name, value in said.items())
        response.headers.add("Link", f'<{LICENCE}>; rel="license"')
