"""What a statement costs in memory, whatever the number of workers, and after they have worked."""

import contextlib
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from foedus.query.limits import Limits
from foedus.query.pool import Pool, Request

MOST = 450
"""Bytes a statement, each page that processes share counted once."""
COUNT = 150_000
SCAN = "SELECT (COUNT(DISTINCT ?s) AS ?n) { ?s ?p ?o }"


def statements(count: int) -> str:
    """Things with eight statements each, in two graphs that share none."""
    lines = []
    for number in range(count // 8):
        thing = f"<https://w3id.org/foedus/id/membership-of-state-{number:06}-in-an-alliance>"
        for nth in range(8):
            name = f"<https://w3id.org/foedus/ontology#property{nth}>"
            value = f'"{number % 1000} of {nth}"' if nth % 2 else f"<https://w3id.org/foedus/id/state-{number % 200}>"
            lines.append(f"{thing} {name} {value} <https://w3id.org/foedus/graph/{nth % 2}> .\n")
    return "".join(lines)


def held() -> int:
    """Bytes of this process's descendants, each shared page counted once."""
    found, wanted = 0, [Path("/proc/self")]
    while wanted:
        folder = wanted.pop()
        with contextlib.suppress(OSError):
            for task in (folder / "task").iterdir():
                wanted += [Path("/proc") / each for each in (task / "children").read_text().split()]
            if folder != Path("/proc/self"):
                said = re.search(r"^Pss:\s+(\d+) kB", (folder / "smaps_rollup").read_text(), re.M)
                found += int(said[1]) * 1024 if said else 0
    return found


def idle(pool: Pool, patience: float = 60.0) -> None:
    """Wait until all workers are there."""
    until = time.monotonic() + patience
    while pool.statistics().idle < pool.limits.workers and time.monotonic() < until:
        time.sleep(0.05)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A file of one thing, and one of many."""
    folder = tmp_path_factory.mktemp("memory")
    for name, count in (("few", 8), ("many", COUNT)):
        (folder / f"{name}.nq").write_text(statements(count))
    return folder


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="the kernel does not say who shares what")
@pytest.mark.parametrize("workers", [2, 12])
def test_a_statement_costs_little_however_many_workers_there_are(files, workers):
    empty = held()
    with Pool((files / "few.nq",), Limits(workers=workers)) as pool:
        idle(pool)
        alone = held() - empty
    with Pool((files / "many.nq",), Limits(workers=workers)) as pool:
        idle(pool)
        assert (held() - empty - alone) / COUNT < MOST
        with ThreadPoolExecutor(workers) as askers:
            answers = set(askers.map(lambda _: pool.ask(Request(SCAN, form="csv")).body, range(4 * workers)))
        assert answers == {f"n\r\n{COUNT // 8}\r\n".encode()}
        # What the workers copied goes while they rest.
        until = time.monotonic() + 60
        while (held() - empty - alone) / COUNT > MOST and time.monotonic() < until:
            time.sleep(0.2)
        assert (held() - empty - alone) / COUNT < MOST
        assert pool.ask(Request(SCAN, form="csv")).body in answers
        assert pool.statistics().killed["lost"] == 0
