"""Read a file that came from Wikidata: entities as JSON or RDF, or an answer of its query service as CSV."""

import csv
import io
from collections import defaultdict
from pathlib import Path

from foedus.errors import CannotRead
from foedus.link import entities, graphs
from foedus.link.wikidata import MEMBER_OF, Item, Reading, Statement, Trouble, named_day, plain, qid_of

_LARGEST = 1 << 28
"""Bytes of a file; what is more is given in several."""


def read(path: Path) -> Reading:
    """What a file holds, told by its name. What cannot be read is told, never raised."""
    try:
        return _read(path)
    except OSError as error:
        trouble = Trouble(
            str(path), "", f"{error.strerror or error}.", "Check that it exists and that you may read it."
        )
    except UnicodeDecodeError as error:
        trouble = Trouble(str(path), f"byte {error.start}", "This is not UTF-8 text.", "Save it as UTF-8.")
    except RecursionError:
        trouble = Trouble(str(path), "", "The JSON is nested too deeply.", "Fetch it again.")
    except csv.Error as error:
        trouble = Trouble(str(path), "", f"The CSV is malformed: {error}.", "Fetch the answer again.")
    except CannotRead as error:
        trouble = Trouble(str(path), f"line {error.line}" if error.line else "", error.message, error.remedy)
    return Reading(str(path), (), (trouble,), None, False)


def _read(path: Path) -> Reading:
    if path.stat().st_size > _LARGEST:
        raise CannotRead(f"The file is larger than {_LARGEST >> 20} MiB.", "Give the linked items, in several files.")
    readers = {".json": entities.read, ".ttl": graphs.read, ".nt": graphs.read, ".csv": _answer}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise CannotRead(f"“{path.name}” has none of the endings {', '.join(readers)}.", "Name it after its format.")
    text = path.read_bytes().decode("utf-8-sig")
    if not text.strip():
        raise CannotRead("The file is empty.", "Fetch it again.")
    if text.lstrip()[:15].lower().startswith(("<!doctype", "<html")):
        raise CannotRead("This is an HTML page.", "Fetch the data, such as Special:EntityData/Q183.json.")
    return reader(path, text)


def _answer(path: Path, text: str) -> Reading:
    """An answer of the query service with the columns *alliance* and *country*; *memberOf* is the property.

    Labels, in *allianceLabel* and *countryLabel*, are taken to be English.
    """
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=False))
    heads = {name.strip(): place for place, name in enumerate(rows[0])}
    missing = [name for name in ("alliance", "country") if name not in heads]
    if missing:
        raise CannotRead(f"The columns {' and '.join(missing)} are missing.", "Name them alliance and country.", line=1)
    troubles: list[Trouble] = []
    statements: dict[str, list[Statement]] = defaultdict(list)
    labels: dict[str, dict[str, str]] = defaultdict(dict)
    for number, row in enumerate(rows[1:], start=2):
        if not row:
            continue
        place = f"line {number}"
        if len(row) != len(rows[0]):
            message = f"The row has {len(row)} cells, the header {len(rows[0])}."
            troubles.append(Trouble(str(path), place, message, "Fetch the answer again: it may break off here."))
            continue
        target, item = (qid_of(row[heads[name]].strip()) for name in ("alliance", "country"))
        if not target or not item:
            wrong = row[heads["country" if target else "alliance"]]
            troubles.append(Trouble(str(path), place, f"“{plain(wrong)}” is no item.", "Give it as its IRI or QID."))
            continue
        for qid, name in ((target, "allianceLabel"), (item, "countryLabel")):
            labels[qid] |= {"en": plain(row[heads[name]])} if name in heads else {}
        named = plain(row[heads["memberOf"]].rpartition("/")[2]) if "memberOf" in heads else MEMBER_OF
        statements[item].append(Statement(item, named, target, place, rank="best", truthy=True))
    items = tuple(Item(qid, tuple(statements.get(qid, ())), labels=told) for qid, told in labels.items())
    return Reading(str(path), items, tuple(troubles), named_day(path), True)
