"""What a proof takes: ``python tests/benchmarks/proofs.py``, of 1,500 conclusions by chance, or of ``--sample 0``, all.

The shipped content is built, or ``--dataset DIR`` opened, and conclusions drawn by a seed are explained one by one, as
``/why`` and ``foedus why`` do, five proofs each. The engine answers in this process, so that its CPU time is counted
with that of our own part. Printed are milliseconds of CPU: median, 95 of 100, the slowest and what that was. Goal: a
proof in under 50 ms at the shipped size, for 95 of 100.
"""

import argparse
import io
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pyoxigraph import Literal, NamedNode

from foedus import names
from foedus.build import build
from foedus.errors import AnswerTooLarge
from foedus.query import store, why
from foedus.query.dataset import Description
from foedus.query.limits import Limits
from foedus.query.pool import Answer, Asker, Request
from foedus.query.results import Term
from foedus.query.scan import scan
from foedus.query.why import Statement

GOAL = 50.0
"""Milliseconds in which a proof is to be had."""
SAMPLE = 1500


class Local(Asker):
    """Answers queries in this process, without a worker."""

    def __init__(self, folder: Path) -> None:
        self.limits = Limits.chosen()
        self.loaded, self.description = store.open_source(folder)
        # A worker does so once, at the first query with “from” in one of its texts, and takes 0.2 s for it.
        self.loaded.unite()

    @property
    def dataset(self) -> Description:
        return self.description

    async def asking(self, request: Request, cancelled: Callable[[], bool] | None = None) -> Answer:
        body = io.BytesIO()
        seen = scan(request.text, self.limits)
        written = store.answer(self.loaded, request, body, seen.has_clauses, seen.has_star)
        return Answer(body.getvalue(), written.content_type, written.kind, 0.0)

    def conclusions(self) -> list[Statement]:
        """What rules conclude, in a fixed order."""
        inferred = NamedNode(names.INFERRED)
        quads = self.loaded.store.quads_for_pattern(None, None, None, inferred)
        found = [Statement(term(each.subject), term(each.predicate), term(each.object)) for each in quads]
        return sorted(found, key=str)


def term(value: NamedNode | Literal) -> Term:
    if isinstance(value, NamedNode):
        return Term("iri", value.value)
    plain = value.language or value.datatype.value == names.PREFIXES["xsd"] + "string"
    return Term("literal", value.value, None if plain else value.datatype.value, value.language)


@dataclass(frozen=True)
class Times:
    """Milliseconds of CPU that the proofs of each of some statements took, the slowest last."""

    of: tuple[tuple[float, Statement], ...]

    @property
    def median(self) -> float:
        return statistics.median(each for each, _ in self.of)

    @property
    def p95(self) -> float:
        """The time within which 95 of 100 were had."""
        return self.of[-(-len(self.of) * 95 // 100) - 1][0]

    def within(self, milliseconds: float) -> float:
        """The share that was had in less than *milliseconds*."""
        return sum(each < milliseconds for each, _ in self.of) / len(self.of)

    @property
    def slowest(self) -> float:
        return self.of[-1][0]


def measured(asker: Local, statements: Sequence[Statement]) -> Times:
    """Explain each of *statements*."""
    found = []
    for each in statements:
        begun = time.process_time()
        try:
            why.explain(asker, each)
        except AnswerTooLarge as refused:
            print(f"refused: {each}: {refused}")
        found.append(((time.process_time() - begun) * 1000, each))
    return Times(tuple(sorted(found, key=lambda pair: pair[0])))


def chosen(statements: Sequence[Statement], number: int, seed: int) -> Sequence[Statement]:
    """*number* of *statements* by chance, all for 0."""
    return random.Random(seed).sample(statements, min(number, len(statements))) if number else statements


@contextmanager
def opened(folder: Path | None) -> Iterator[Local]:
    """The dataset in *folder*, or one that is built for now."""
    if folder:
        yield Local(folder)
        return
    with tempfile.TemporaryDirectory() as made:
        build(Path(made))
        yield Local(Path(made))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--sample", type=int, default=SAMPLE, help=f"how many conclusions, 0 for all (default {SAMPLE})"
    )
    parser.add_argument("--seed", type=int, default=1, help="which of them (default 1)")
    parser.add_argument("--dataset", type=Path, help="the folder of a built dataset")
    given = parser.parse_args()
    with opened(given.dataset) as asker:
        every = asker.conclusions()
        times = measured(asker, chosen(every, given.sample, given.seed))
    print("conclusions  explained  median ms  95 of 100  slowest")
    print(f"{len(every):11,} {len(times.of):10,} {times.median:10.1f} {times.p95:10.1f} {times.slowest:8.1f}")
    print(f"the slowest: {times.of[-1][1]}")
    print(f"{times.within(GOAL):.1%} in less than {GOAL:g} ms: {'met' if times.p95 < GOAL else 'MISSED'} by 95 of 100")


if __name__ == "__main__":
    main()
