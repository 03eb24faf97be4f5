"""Where the content lies, in a checkout or inside an installed wheel, and where a built dataset is kept."""

import os
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
