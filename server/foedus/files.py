"""Where the content lies, in a checkout or an installed wheel, where a dataset is kept, and how files are replaced."""

import os
import shutil
import tempfile
from pathlib import Path

from foedus import __version__

_HERE = Path(__file__).parent
_INSTALLED = _HERE / "_content"

ROOT = _INSTALLED if _INSTALLED.is_dir() else _HERE.parents[1]
ONTOLOGY = ROOT / "ontology"
SHAPES = ROOT / "shapes"
DATA = ROOT / "data"
QUERIES = DATA / "queries"
LINKS = DATA / "links"


def home() -> Path:
    """The folder a dataset is built into by default.

    ``$FOEDUS_HOME`` if it is set; ``.foedus`` in a checkout; the user's cache folder for an installed wheel.
    """
    chosen = os.environ.get("FOEDUS_HOME")
    if chosen:
        return Path(chosen)
    if ROOT == _INSTALLED:
        cache = os.environ.get("XDG_CACHE_HOME")
        return (Path(cache) if cache else Path.home() / ".cache") / "foedus" / __version__
    return ROOT / ".foedus"


def shown(path: Path) -> str:
    """*path* as a person would name it: relative to the content root where it lies inside."""
    resolved = path.resolve()
    return resolved.relative_to(ROOT.resolve()).as_posix() if resolved.is_relative_to(ROOT.resolve()) else str(path)


def put(handle: int, content: bytes) -> None:
    """Write all of *content* to the open file *handle*."""
    left = memoryview(content)
    while left:
        left = left[os.write(handle, left) :]


def write(path: Path, text: str) -> None:
    """Give *path* the content *text* in one step: a reader sees the old file or the new one.

    A file that is there keeps its permissions, and a link stays a link.
    """
    target = path.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    new = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, new)
        else:
            new.chmod(0o644)
        new.replace(target)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
