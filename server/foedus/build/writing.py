"""Write the dataset, canonical and all at once: whoever reads it sees the former one or the new one, never less.

A dataset lies in a folder of its own, ``versions/<version>/``, with itself in the other syntaxes that it is handed out
in. The link ``current`` names the one to read; ``dataset.nq``, ``rules.json`` and ``manifest.json`` lead through it.
Renaming ``current`` is the one moment at which a build happens.
"""

import contextlib
import fcntl
import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pyoxigraph import CanonicalizationAlgorithm, Dataset, NamedNode, Quad, RdfFormat, Triple, serialize

from foedus import __version__, names
from foedus.build import dumps
from foedus.errors import CannotRead

DATASET = "dataset.nq"
MANIFEST = "manifest.json"
RULES = "rules.json"
CURRENT = "current"
VERSIONS = "versions"
_LOCK = ".lock"
_PARTIAL = ".partial"
_NEXT = ".next"


@dataclass(frozen=True)
class Manifest:
    """What a dataset is: its checksum and size, the statements of each graph, and the files it was made of.

    *dumps* has the size and the checksum of each file that it is handed out as; *rules_sha256* is the checksum of the
    rulebook beside it.
    """

    version: str
    as_of: str
    sha256: str
    quads: int
    bytes: int
    graphs: Mapping[str, int]
    inputs: Mapping[str, str]
    inputs_sha256: str
    rules_sha256: str
    dumps: Mapping[str, tuple[int, str]]

    def json(self) -> str:
        """The manifest as its file holds it; equal manifests are equal bytes."""
        content = {
            "foedus": self.version,
            "asOf": self.as_of,
            "dataset": {"sha256": self.sha256, "quads": self.quads, "bytes": self.bytes},
            "dumps": {name: {"bytes": size, "sha256": digest} for name, (size, digest) in self.dumps.items()},
            "graphs": dict(self.graphs),
            "inputs": dict(self.inputs),
            "inputsSha256": self.inputs_sha256,
            "rulesSha256": self.rules_sha256,
        }
        return json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def canonical(graphs: Mapping[str, Iterable[Triple]]) -> tuple[bytes, dict[str, int]]:
    """*graphs* as canonical N-Quads (RDFC-1.0, lines sorted), and how many statements each graph has."""
    dataset = Dataset()
    for iri, triples in graphs.items():
        name = NamedNode(iri)
        for triple in triples:
            dataset.add(Quad(triple.subject, triple.predicate, triple.object, name))
    dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    written = io.BytesIO()
    serialize(dataset, written, format=RdfFormat.N_QUADS)
    lines = sorted(written.getvalue().splitlines(keepends=True))
    numbers = {iri: sum(1 for _ in dataset.quads_for_graph_name(NamedNode(iri))) for iri in sorted(graphs)}
    return b"".join(lines), numbers


def hash_of(inputs: Mapping[str, str]) -> str:
    """One checksum for all *inputs*, checksums of files by name, and for the version of the code."""
    lines = [f"foedus {__version__}\n", *(f"{inputs[name]}  {name}\n" for name in sorted(inputs))]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _sum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def prepare(out: Path) -> None:
    """Make the folder *out* where need be; CannotRead, before any work is done, where nothing can be written there."""
    with _telling(out), _alone(out):
        pass


def write(
    graphs: Mapping[str, Iterable[Triple]], rulebook: str, as_of: str, inputs: Mapping[str, str], out: Path
) -> Manifest:
    """Make *graphs*, with the *rulebook* that explains them, the dataset in *out*, in place of a former one.

    CannotRead where the folder cannot be written or the disk is full; the former dataset then stays.
    """
    content, numbers = canonical(graphs)
    sha256 = _sum(content)
    dumped = dumps.dumps(content, sha256, as_of)
    manifest = Manifest(
        version=__version__,
        as_of=as_of,
        sha256=sha256,
        quads=sum(numbers.values()),
        bytes=len(content),
        graphs=numbers,
        inputs=dict(sorted(inputs.items())),
        inputs_sha256=hash_of(inputs),
        rules_sha256=_sum(rulebook.encode()),
        dumps={name: (len(each), _sum(each)) for name, each in ((names.DUMPS[0], content), *dumped.items())},
    )
    with _telling(out), _alone(out):
        said = {DATASET: content, RULES: rulebook.encode(), MANIFEST: manifest.json().encode()}
        _replace(out, {**said, **dumped}, led_to=said)
    return manifest


def inputs_of(out: Path) -> Mapping[str, str] | None:
    """The checksums of the inputs of the dataset in *out*, by name; None where there is no dataset of this version."""
    try:
        manifest = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
        found = {str(name): str(checksum) for name, checksum in manifest["inputs"].items()}
        files = (DATASET, *(f"{CURRENT}/{name}" for name in names.DUMPS[1:]))
        made_so = all((out / name).is_file() for name in files) and manifest["inputsSha256"] == hash_of(found)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return found if made_so else None


def _replace(out: Path, contents: Mapping[str, bytes], led_to: Iterable[str]) -> None:
    """Put a version with *contents* in place, links in *out* leading to some; called by one process at a time."""
    versions = out / VERSIONS
    versions.mkdir(exist_ok=True)
    former = (out / CURRENT).resolve().name if (out / CURRENT).is_symlink() else ""
    _remove(versions, keep={former})
    version = hashlib.sha256(b"".join(contents[name] for name in sorted(contents))).hexdigest()[:16]
    if version != former or not _holds(versions / version, contents):
        partial = versions / _PARTIAL
        partial.mkdir()
        for name, content in contents.items():
            with (partial / name).open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        _sync(partial)
        if version == former:
            # Somebody damaged the current files: they are put right one by one, since a folder cannot be swapped.
            for name in contents:
                (partial / name).replace(versions / version / name)
        else:
            partial.rename(versions / version)
        _sync(versions)
    for name in led_to:
        _link(out, name, f"{CURRENT}/{name}")
    _link(out, CURRENT, f"{VERSIONS}/{version}")
    _sync(out)
    # The former version stays until the next build: somebody may be between reading its two files.
    _remove(versions, keep={former, version})


def _holds(folder: Path, contents: Mapping[str, bytes]) -> bool:
    try:
        return all((folder / name).read_bytes() == content for name, content in contents.items())
    except OSError:
        return False


def _link(out: Path, name: str, target: str) -> None:
    """Make ``out/name`` a link to *target* in one step."""
    if (out / name).is_symlink() and (out / name).readlink() == Path(target):
        return
    new = out / f"{_NEXT}-{name}"
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(out / name)


def _remove(versions: Path, keep: set[str]) -> None:
    for folder in versions.iterdir():
        if folder.name not in keep:
            shutil.rmtree(folder)


def _sync(folder: Path) -> None:
    """Have the names in *folder* on the disk, so that a power cut does not undo a rename."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Wait until no other build writes into *out*, and keep others waiting; a killed build's lock ends with it."""
    out.mkdir(parents=True, exist_ok=True)
    with (out / _LOCK).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _telling(out: Path) -> Iterator[None]:
    """Turn what the operating system refuses into one clear message."""
    try:
        yield
    except OSError as error:
        message = f"The dataset cannot be written into {out}: {error.strerror}."
        raise CannotRead(message, "Make room or choose a folder that you may write, with --out DIR.") from error
