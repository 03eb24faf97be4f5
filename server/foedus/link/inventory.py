"""Everything of the record that may be linked to something elsewhere: its class, its names and its identifiers."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from foedus import names
from foedus.query import record as recording
from foedus.query.pool import Asker

CODES = {"P297": "ISO 3166-1 alpha-2", "P298": "ISO 3166-1 alpha-3", "P1566": "GeoNames"}
"""Properties of Wikidata whose values are identifiers that things here have too, by what these are called here."""

KINDS = ("State", "Alliance", "Grouping", "Treaty", "Organ", "Organisation", "Person", "Incident", "ArmedConflict")
"""The classes that are looked at."""
_QUERY = Path(__file__).parent / "queries" / "inventory.rq"


@dataclass
class Thing:
    """A thing here: its local name, its class, its labels and all its names by language, and its identifiers."""

    name: str
    kind: str
    labels: dict[str, str] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    codes: dict[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Its English label, or another one."""
        return self.labels.get("en") or next(iter(self.labels.values()), "")


def things(asker: Asker) -> Mapping[str, Thing]:
    """All that may be linked, by local name; what is of several classes counts as the first of those looked at."""
    found: dict[str, Thing] = {}
    for row in recording.rows(asker, _QUERY):
        name, kind = recording.local(row["thing"]), recording.local(row["class"])
        thing = found.setdefault(name, Thing(name, kind))
        thing.kind = min(thing.kind, kind, key=KINDS.index)
        if row["as"] in CODES.values():
            thing.codes[row["as"]] = row["text"].removeprefix(names.PREFIXES["geonames"]).rstrip("/")
            continue
        if row["as"] == "label":
            thing.labels.setdefault(row["language"], row["text"])
        if row["text"] not in thing.names[row["language"]]:
            thing.names[row["language"]].append(row["text"])
    return found
