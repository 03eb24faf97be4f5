"""Read a CSV file whose columns are found by name, with the number of the line on which each row begins."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from foedus import files
from foedus.build.reading import read_text
from foedus.errors import CannotRead

MOST_SHOWN = 20
"""How many faults of one file are told at once; the others are counted."""


@dataclass(frozen=True)
class Row:
    """One row: the number of the line on which it ends (of a row without line breaks, its line), and its values."""

    line: int
    values: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.values[column]


@dataclass(frozen=True)
class Table:
    """A CSV file: *name* as shown to people, the columns as they stand, and the rows."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


class BadRow(ValueError):
    """What is wrong with one row, in words."""


def read(path: Path, *wanted: Sequence[str]) -> Table:
    """The table in *path*; of each group of *wanted* column names the first that is there is required.

    Values are stripped; columns may stand in any order, and others may stand beside them. CannotRead where the file is
    missing, is no UTF-8 text, is empty, lacks a column or has a row with too few or too many values.
    """
    if not path.is_file():
        raise CannotRead(f"There is no file {files.shown(path)}.", "Give the CSV file of the data set.")
    name = path.name
    # Spreadsheets write a byte order mark, which says nothing of the content.
    text, finding = read_text(path, name)
    if finding and path.read_bytes().startswith(b"\xef\xbb\xbf"):
        try:
            text, finding = path.read_bytes().decode("utf-8-sig"), None
        except UnicodeDecodeError:
            text = None
    if text is None or finding:
        message = finding.message if finding else "it is no UTF-8 text."
        raise CannotRead(f"{name}: {message}", "Save the file as UTF-8.")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = tuple(column.strip() for column in next(reader, ()))
        lacking = [group for group in wanted if not any(column in columns for column in group)]
        if lacking:
            shown = "; ".join(" or ".join(group) for group in lacking)
            raise CannotRead(f"{name} has no column {shown}.", f"Its columns are: {', '.join(columns) or 'none'}.")
        rows, wrong = [], []
        for values in reader:
            if not any(value.strip() for value in values):
                continue
            if len(values) != len(columns):
                wrong.append((reader.line_num, f"{len(values)} values for {len(columns)} columns"))
            rows.append(Row(reader.line_num, dict(zip(columns, (value.strip() for value in values), strict=False))))
    except csv.Error as error:
        raise CannotRead(f"{name}, line {reader.line_num}: {error}.", "Correct the quoting of the line.") from error
    if wrong:
        raise refused(name, wrong)
    if not rows:
        raise CannotRead(f"{name} holds no rows.", "Give the whole file.")
    return Table(name, columns, tuple(rows))


def refused(name: str, wrong: Sequence[tuple[int, str]]) -> CannotRead:
    """The error for a file whose rows are malformed: each line with its reason. Nothing is written then."""
    told = [f"{name}, line {line}: {reason}." for line, reason in wrong[:MOST_SHOWN]]
    if len(wrong) > MOST_SHOWN:
        told.append(f"{len(wrong) - MOST_SHOWN} more lines are wrong.")
    return CannotRead("\n".join(told), "Nothing was written. Correct the lines, or get the file anew.")
