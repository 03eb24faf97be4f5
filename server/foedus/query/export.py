"""Everything for who works without the server: tables, codebook, dumps and checksums, in one folder at once."""

import datetime
import hashlib
import io
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from foedus import names
from foedus.errors import CannotRead, WrongUsage
from foedus.query import dataset, record, tables
from foedus.query.codebook import Column, codebook
from foedus.query.pool import Asker
from foedus.query.tables import Table, Tables

CODEBOOK = "codebook.md"
REASONER = "foedus-reasoner.owl"

Progress = Callable[[str, int, int], None]


def export(
    asker: Asker,
    out: Path,
    reasoner: Callable[[Path], object] | None = None,
    progress: Progress | None = None,
) -> tuple[str, ...]:
    """Write everything about the dataset that *asker* answers from into *out*.

    *reasoner* writes the file for description-logic reasoners. A former export in *out* is replaced as a whole, at the
    end; where anything fails it stays. Returns the names of the files. Raises WrongUsage where *out* holds anything
    that is no export, CannotRead where it cannot be written.
    """
    steps = len(tables.NAMES) + 2
    tell = progress or (lambda *_: None)
    with _replacing(out) as folder:
        tell("reading", 0, steps)
        if reasoner is not None:
            reasoner(folder / REASONER)
        made = Tables(record.read(asker))
        for done, name in enumerate(tables.NAMES, start=1):
            tell(name, done, steps)
            table = made.table(name)
            (folder / f"{name}.csv").write_bytes(table.csv())
            (folder / f"{name}.parquet").write_bytes(parquet(table))
        (folder / CODEBOOK).write_bytes(codebook(asker.dataset.as_of or ""))
        tell("dumps", len(tables.NAMES) + 1, steps)
        for each in dataset.dumps(asker.dataset):
            (folder / each.name).write_bytes(dataset.dumped(asker.dataset, each))
        sums = _checksums(folder)
        (folder / names.CHECKSUMS).write_text(summed(sums))
        tell("writing", steps, steps)
    return (*sums, names.CHECKSUMS)


def summed(sums: Mapping[str, str]) -> str:
    """The SHA-256 of each file by its name, as ``sha256sum --check`` reads them."""
    return "".join(f"{digest}  {name}\n" for name, digest in sums.items())


def parquet(table: Table) -> bytes:
    """*table* as Parquet, with the meaning of each column as its metadata; equal tables are equal bytes."""
    import pyarrow
    from pyarrow.parquet import write_table

    types = {"integer": pyarrow.int32(), "text": pyarrow.string(), "date": pyarrow.date32()}
    fields = [
        pyarrow.field(each.name, types[each.type], metadata={"description": each.meaning}) for each in table.columns
    ]
    columns = [
        pyarrow.array([_typed(row[place], column) for row in table.rows], types[column.type])
        for place, column in enumerate(table.columns)
    ]
    schema = pyarrow.schema(fields, metadata={"title": table.title})
    written = io.BytesIO()
    write_table(pyarrow.Table.from_arrays(columns, schema=schema), written, compression="zstd")
    return written.getvalue()


def _typed(value: tables.Value, column: Column) -> Any:
    return datetime.date.fromisoformat(str(value)) if value is not None and column.type == "date" else value


def _checksums(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


@contextmanager
def _replacing(out: Path) -> Iterator[Path]:
    """A new folder to write into, which takes the place of *out* at the end, or vanishes if anything fails."""
    if out.exists() and not (out.is_dir() and ((out / names.CHECKSUMS).is_file() or not any(out.iterdir()))):
        raise WrongUsage(
            f"{out} holds something that is no export.", "Choose an empty or new folder, or one of a former export."
        )
    target = out.resolve()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise _unwritable(out, error) from error
    try:
        yield new
        _settle(new)
        _swap(new, target)
    except OSError as error:
        raise _unwritable(out, error) from error
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _settle(folder: Path) -> None:
    """Have everything in *folder* on the disk, readable like any file of the user's."""
    mask = os.umask(0)
    os.umask(mask)
    folder.chmod(0o777 & ~mask)
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())


def _swap(new: Path, target: Path) -> None:
    """Put *new* in the place of *target*; where that fails, the former folder is back in its place."""
    if not target.exists():
        new.rename(target)
        return
    former = new.with_name(new.name + "-former")
    target.rename(former)
    try:
        new.rename(target)
    except OSError:
        former.rename(target)
        raise
    shutil.rmtree(former)


def _unwritable(out: Path, error: OSError) -> CannotRead:
    return CannotRead(
        f"The export cannot be written into {out}: {error.strerror or error}.",
        "Make room or choose a folder that you may write, with --out DIR.",
    )
