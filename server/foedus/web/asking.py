"""Ask the pool with the queries that lie beside this package, and read what it answers."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from foedus import names
from foedus.query import results
from foedus.query.dataset import Description
from foedus.query.pool import Answer, Asker, Request
from foedus.query.results import Term

QUERIES = Path(__file__).parent / "queries"

_VALUES = re.compile(r"^(\s*)VALUES \(([^)]*)\) \{ \(.*\) \}$", re.M)
_NOT_PLAIN = re.compile(r"[\x00-\x1f\x7f\"\\]")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_READ = 256
"""Answers that are kept as rows; the bytes of all of them are kept in front of the pool."""


Row = Mapping[str, Term]
"""One answer; a variable that has no value is absent."""


class Library:
    """The answers of a pool, those read last as rows: one stays right until another version of the data is served."""

    def __init__(self, pool: Asker) -> None:
        self.pool = pool
        self._select = lru_cache(maxsize=_READ)(self._ask_rows)

    def rows(self, name: str, *values: Sequence[str]) -> tuple[Row, ...]:
        """The answers of the query file *name*, its ``VALUES`` line holding *values*, terms in SPARQL syntax."""
        return self.select(fill(_text(name), values))

    def select(self, text: str) -> tuple[Row, ...]:
        """The answers of a SELECT query."""
        return self._select(text, self.pool.dataset)

    def graph(self, name: str, form: str, *values: Sequence[str], graphs: tuple[str, ...] | None = None) -> Answer:
        """What the CONSTRUCT query file *name* makes, written in the format called *form*."""
        return self._ask(fill(_text(name), values), form, graphs)

    def table(self, name: str, form: str, *values: Sequence[str]) -> Answer:
        """The answers of the SELECT query file *name*, written in the format called *form*."""
        return self._ask(fill(_text(name), values), form)

    def labels(self, iris: Iterable[str]) -> dict[str, tuple[Term, ...]]:
        """The names of *iris*, English first; what has none is absent."""
        wanted = sorted({iri for iri in iris if names.is_iri(iri)})
        found: dict[str, list[Term]] = {}
        for start in range(0, len(wanted), 500):
            for row in self.rows("labels", *([iri(each)] for each in wanted[start : start + 500])):
                found.setdefault(row["thing"].value, []).append(row["label"])
        return {each: tuple(sorted(labels, key=_english_first)) for each, labels in found.items()}

    def _ask(self, text: str, form: str, graphs: tuple[str, ...] | None = None) -> Answer:
        return self.pool.ask(Request(text, form=form, default_graphs=graphs))

    def _ask_rows(self, text: str, _dataset: Description) -> tuple[Row, ...]:
        return tuple(results.select(self.pool, text))


def fill(text: str, rows: Iterable[Sequence[str]]) -> str:
    """*text* with *rows* in place of the worked example in each ``VALUES (…) { (…) }`` line.

    The terms come from `iri`, `day` and `words` below, which let nothing through that could end them.
    """
    filled = " ".join(f"({' '.join(row)})" for row in rows)
    return _VALUES.sub(lambda line: f"{line[1]}VALUES ({line[2]}) {{ {filled} }}", text) if filled else text


def iri(value: str) -> str:
    """*value* as SPARQL writes it; ValueError for what is no safe absolute IRI."""
    if not names.is_iri(value):
        raise ValueError(f"not an IRI: {value!r}")
    return f"<{value}>"


def day(value: str) -> str:
    """*value*, ``YYYY-MM-DD``, as a SPARQL literal; ValueError for anything else."""
    if not _DAY.fullmatch(value):
        raise ValueError(f"not a day: {value!r}")
    return f'"{value}"^^<{names.PREFIXES["xsd"]}date>'


def is_true(term: Term | None) -> bool:
    """Whether *term* is the truth value true."""
    return term is not None and term.kind == "literal" and term.value in ("true", "1")


def words(value: str) -> str:
    """*value* as a plain SPARQL literal, quotes, backslashes and control characters turned into spaces."""
    return '"' + _NOT_PLAIN.sub(" ", value) + '"'


@lru_cache(maxsize=128)
def _text(name: str) -> str:
    return (QUERIES / f"{name}.rq").read_text(encoding="utf-8")


def _english_first(label: Term) -> tuple[bool, str, str]:
    language = label.language or ""
    return (not language.startswith("en"), language, label.value)
