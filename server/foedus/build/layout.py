"""Lay hand-written Turtle out in its one canonical form, with turtlefmt: comments and order stay."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from pyoxigraph import CanonicalizationAlgorithm, Dataset, Quad

from foedus import files
from foedus.build.findings import Finding, Report
from foedus.build.reading import Content, parsed, read_text, syntax_fault
from foedus.errors import CannotRead, DataHasFindings

_FOLDERS = ("ontology", "shapes", "data")


def check(paths: Sequence[Path] = ()) -> list[Path]:
    """The Turtle files among *paths*, or of the whole content, that ``format_files`` would change.

    DataHasFindings where files are malformed.
    """
    return [path for path, _ in _changes(paths)]


def format_files(paths: Sequence[Path] = ()) -> list[Path]:
    """Lay *paths*, or the whole content, out and say which files changed; each changes whole or not at all.

    DataHasFindings where files are malformed: these stay as they are, and all others are laid out.
    """
    changed = []
    for path, text in _changes(paths):
        files.write(path, text)
        changed.append(path)
    return changed


def laid_out(text: str) -> str:
    """*text*, well-formed Turtle, in its canonical form."""
    [made] = _laid_out({Path("generated.ttl"): text}).values()
    return made


def findings(content: Content, within: Container[str] | None = None) -> list[Finding]:
    """A finding for each Turtle file of *content*, of the names *within* if given, that is not in canonical form."""
    documents = {
        document.path: document
        for document in content.documents
        if document.path.suffix == ".ttl" and (within is None or document.name in within)
    }
    laid_out = _laid_out({path: document.text for path, document in documents.items()})
    remedy = "Run: foedus format"
    return [
        Finding(documents[path].name, _first_difference(documents[path].text, text), "", "Not laid out.", remedy)
        for path, text in laid_out.items()
        if text != documents[path].text
    ]


def _changes(paths: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    """Each file that is not in canonical form, with the text it should have; what is malformed is raised at the end."""
    texts: dict[Path, str] = {}
    wrong: list[Finding] = []
    for path in _turtle_files(paths):
        text, finding = read_text(path, files.shown(path))
        if text is not None:
            try:
                parsed(text)
                texts[path] = text
            except SyntaxError as error:
                finding = syntax_fault(files.shown(path), error)
        wrong += [finding] if finding else []
    for path, text in _laid_out(texts).items():
        if text != texts[path]:
            yield path, text
    if wrong:
        report = Report.of(wrong, ())
        raise DataHasFindings(report.text(), "Malformed files stay as they are; the others were looked at.", report)


def _turtle_files(paths: Sequence[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths or [files.ROOT / folder for folder in _FOLDERS]:
        if path.is_dir():
            found += sorted(path.rglob("*.ttl"))
        elif path.is_file():
            found.append(path)
        else:
            raise CannotRead(f"There is no {files.shown(path)}.", "Give Turtle files, or folders that hold them.")
    if not found:
        raise CannotRead("There is no Turtle file to lay out.", "Give Turtle files, or folders that hold them.")
    return list(dict.fromkeys(found))


def _laid_out(texts: Mapping[Path, str]) -> dict[Path, str]:
    """The canonical text of each of *texts*, well-formed Turtle all."""
    with tempfile.TemporaryDirectory(prefix="foedus-format-") as folder:
        copies = {path: Path(folder, f"{number}.ttl") for number, path in enumerate(texts)}
        for path, copy in copies.items():
            copy.write_text(texts[path], encoding="utf-8", newline="")
        _run(copies.values())
        made = {path: copy.read_text(encoding="utf-8") for path, copy in copies.items()}
    for path, text in made.items():
        if text != texts[path] and _meaning(text) != _meaning(texts[path]):
            raise CannotRead(
                f"Laying out {files.shown(path)} would change what it says.", "Lay it out by hand; it stays as it is."
            )
    return made


def _run(copies: Iterable[Path]) -> None:
    """Lay each of *copies* out in place."""
    every = [str(copy) for copy in copies]
    if not every:
        return
    done = subprocess.run([_program(), *every], capture_output=True, text=True, check=False)
    if done.returncode:
        reason = done.stderr.partition("\n")[0].removeprefix("Error: ")
        raise CannotRead(f"turtlefmt failed: {reason}.", "Write the statement in another way, and tell us.")


def _program() -> str:
    """The turtlefmt of this Python environment, or else of the system."""
    beside = Path(sys.executable).with_name("turtlefmt")
    found = str(beside) if beside.is_file() else shutil.which("turtlefmt")
    if not found:
        raise CannotRead("The program turtlefmt is missing.", "pip install turtlefmt")
    return found


def _meaning(text: str) -> set[str]:
    dataset = Dataset(Quad(*triple) for triple in parsed(text)[0])
    dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    return {str(quad) for quad in dataset}


def _first_difference(left: str, right: str) -> int:
    pairs = zip(left.split("\n"), right.split("\n"), strict=False)
    return next((number for number, (a, b) in enumerate(pairs, start=1) if a != b), left.count("\n") + 1)
