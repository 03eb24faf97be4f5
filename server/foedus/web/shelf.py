"""What every page needs at hand: the answers of the pool, the stored questions, and what the dataset says of itself."""

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import cast

from flask import current_app

from foedus.questions import Question
from foedus.web.asking import Library


@dataclass(frozen=True)
class Shelf:
    """One per app, in ``app.extensions["foedus-shelf"]``; *home* says how the addresses of this server begin."""

    library: Library
    questions: Mapping[str, Question]
    home_example: str
    home: Callable[[], str]
    _names: list[tuple[object, frozenset[str]]] = field(default_factory=list, repr=False)
    """The rows that were read last, and the names in them: to gather these takes longer than to make a small page."""

    @property
    def names(self) -> frozenset[str]:
        """The IRIs of ours of which something is said."""
        rows = self.library.rows("names")
        for read, found in self._names:
            if read is rows:
                return found
        found = frozenset(row["thing"].value for row in rows)
        self._names[:] = [(rows, found)]
        return found

    @property
    def as_of(self) -> str:
        """The day to which pages without a day of their own answer: the dataset's, never today where it has one."""
        return self.library.pool.dataset.as_of or datetime.date.today().isoformat()


def shelf() -> Shelf:
    """The shelf of the app that answers now."""
    return cast(Shelf, current_app.extensions["foedus-shelf"])
