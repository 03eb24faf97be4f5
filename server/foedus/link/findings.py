"""What can be said of a statement in Wikidata, or of one that is missing there: verdicts, and what each is about."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

AGREES, DIFFERS, CONTRADICTED = "agrees", "differs", "contradicted"
MISSING_THERE, MISSING_HERE = "missing there", "missing here"
OTHER_ITEM, MOVED, NOT_READ, OUT_OF_SCOPE = "other item", "moved", "not read", "out of scope"

VERDICTS = (
    CONTRADICTED,
    DIFFERS,
    OTHER_ITEM,
    MISSING_THERE,
    MISSING_HERE,
    MOVED,
    NOT_READ,
    AGREES,
    OUT_OF_SCOPE,
)
"""What most needs a look first."""

QUIET = frozenset({AGREES, OUT_OF_SCOPE, NOT_READ})
"""The verdicts that ask nobody for a look: what was not read is told as a trouble of the reading."""

MEMBERSHIPS, DATES, SUCCESSORS, CLASSES, LABELS = ASPECTS = ("memberships", "dates", "successors", "classes", "labels")
"""What is compared."""


@dataclass(frozen=True)
class Finding:
    """One verdict on one thing that is said of an item.

    *what* is membership, begin or end of one, founded, dissolved, predecessor, successor, class, label (of a
    *language*) or the item as such. *item* and *target* are QIDs, *state* and *alliance* local names here, empty where
    nothing is linked; *there* and *here* are dates in EDTF, labels or things, *days* by how many the date there is
    later. *rank* and *references* (None: not told) are those of the statement, which stands in *file* at *place*;
    *fact* is the membership or the act here.
    """

    verdict: str
    what: str
    item: str
    target: str = ""
    state: str = ""
    alliance: str = ""
    there: str = ""
    here: str = ""
    days: int = 0
    note: str = ""
    language: str = ""
    rank: str = ""
    references: int | None = None
    truthy: bool = False
    fact: str = ""
    file: str = ""
    place: str = ""


def counts(findings: Iterable[Finding]) -> Mapping[str, int]:
    """How many there are of each verdict, of those that occur."""
    found = [each.verdict for each in findings]
    return {verdict: found.count(verdict) for verdict in VERDICTS if verdict in found}
