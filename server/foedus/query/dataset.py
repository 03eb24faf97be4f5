"""Read a built dataset and hold it to its manifest; name the RDF files to serve in its place."""

import functools
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from foedus import files, names
from foedus.errors import CannotRead, DatasetRefused

DATASET = "dataset.nq"
MANIFEST = "manifest.json"
RULES = "rules.json"
REBUILD = "Run: foedus build"

SUFFIXES = (".ttl", ".nt", ".nq", ".trig", ".rdf", ".owl", ".xml", ".jsonld", ".n3")
"""The ends of names of the RDF files that can be served."""


@dataclass(frozen=True)
class Description:
    """What is being served: *sha256* identifies its version; *as_of* is the day it speaks of, where it says so.

    *quads* is None where nobody counted: another engine's data. These may also change under their version: *changes*.
    *rules* is the file of the rules that the data follow from, with its checksum; None for data that have none.
    *folder* is where its dumps lie, None where there are none.
    """

    sha256: str
    quads: int | None
    as_of: str | None
    version: str | None
    changes: bool = False
    rules: str | None = None
    rules_sha256: str | None = None
    folder: str | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Dump:
    """A file that holds the whole dataset, of so many *bytes*."""

    name: str
    bytes: int
    sha256: str


class Hashed:
    """A file that is read once, piece by piece, and what was read of it as a SHA-256."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most *size*, or all that are left."""
        piece = self._file.read(size)
        self._hash.update(piece)
        return piece

    def digest(self) -> bytes:
        """That of the whole file; what is left of it is read."""
        while self.read(1 << 20):
            pass
        return self._hash.digest()


@contextmanager
def opened(folder: Path) -> Iterator[tuple[Hashed, Description]]:
    """The N-Quads in *folder*, to be read here, and what its manifest says of them.

    Raises DatasetRefused if either file is missing or unreadable; at the end, if the checksum is another, or with it if
    they were malformed. The bytes that were checked are the bytes that were read, and memory never holds them all.
    """
    # Both are links through one that a build swaps: followed once, so that they are of one build.
    built = (folder / MANIFEST).resolve().parent
    manifest = _manifest(folder, built)
    try:
        expected = manifest["dataset"]["sha256"]
        description = Description(
            sha256=str(expected),
            quads=int(manifest["dataset"]["quads"]),
            as_of=manifest.get("asOf"),
            version=manifest.get("foedus"),
            rules=str(built / RULES) if "rulesSha256" in manifest else None,
            rules_sha256=manifest.get("rulesSha256"),
            folder=str(built) if "dumps" in manifest else None,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _refused(folder, f"{MANIFEST} lacks the dataset's checksum or size") from error
    malformed: SyntaxError | None = None
    try:
        with (built / DATASET).open("rb") as file:
            content = Hashed(file)
            try:
                yield content, description
            except SyntaxError as error:
                malformed = error
            found = content.digest().hex()
    except OSError as error:
        raise _refused(folder, f"{DATASET} cannot be read ({error.strerror})") from error
    if found != expected:
        raise _refused(folder, f"{DATASET} is not the one that {MANIFEST} describes: the checksums differ")
    if malformed:
        raise _refused(folder, f"{DATASET} is malformed") from malformed


@functools.lru_cache(maxsize=4)
def dumps(about: Description) -> tuple[Dump, ...]:
    """The files that hold the whole dataset *about*, those of ``names.DUMPS``; none for data that were not built.

    DatasetRefused where the manifest does not tell of them.
    """
    if about.folder is None:
        return ()
    folder = Path(about.folder)
    manifest = _manifest(folder, folder)
    try:
        told = manifest["dumps"]
        return tuple(Dump(name, int(told[name]["bytes"]), str(told[name]["sha256"])) for name in names.DUMPS)
    except (KeyError, TypeError, ValueError) as error:
        raise _refused(folder, f"{MANIFEST} lacks the checksum of a dump") from error


def dumped(about: Description, dump: Dump) -> bytes:
    """The content of *dump*; DatasetRefused where it is not there any more, or is another one."""
    if about.folder is None:
        raise DatasetRefused("These data are not handed out whole.", "Ask for them graph by graph.")
    folder = Path(about.folder)
    try:
        content = (folder / (DATASET if dump.name == names.DUMPS[0] else dump.name)).read_bytes()
    except OSError as error:
        raise _refused(folder, f"{dump.name} cannot be read ({error.strerror})") from error
    if hashlib.sha256(content).hexdigest() != dump.sha256:
        raise _refused(folder, f"{dump.name} is not the one that {MANIFEST} describes: the checksums differ")
    return content


def _manifest(folder: Path, built: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((built / MANIFEST).read_text(encoding="utf-8"))
    except OSError as error:
        raise _refused(folder, f"{MANIFEST} cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise _refused(folder, f"{MANIFEST} is not JSON") from error
    if not isinstance(manifest, dict):
        raise _refused(folder, f"{MANIFEST} is not a JSON object")
    return manifest


def _refused(folder: Path, reason: str) -> DatasetRefused:
    return DatasetRefused(f"There is no sound dataset in {files.shown(folder)}: {reason}.", REBUILD)


def rdf_files(paths: tuple[Path, ...]) -> list[Path]:
    """The RDF files that *paths*, files and folders, stand for; CannotRead for a path that gives none."""
    found = []
    for path in paths:
        if path.is_dir():
            inside = sorted(each for each in path.rglob("*") if each.suffix.lower() in SUFFIXES and each.is_file())
            if not inside:
                raise CannotRead(
                    f"The folder {path} holds no RDF file.", f"Give files ending in {', '.join(SUFFIXES)}."
                )
            found += inside
        elif not path.exists():
            raise CannotRead(f"There is no {path}.", "Give an RDF file or a folder of them.")
        elif path.suffix.lower() not in SUFFIXES:
            raise CannotRead(f"{path} does not say what it is by its name.", f"End it in one of {', '.join(SUFFIXES)}.")
        else:
            found.append(path)
    return found
