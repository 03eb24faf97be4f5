"""Performance figures, as anyone can get them: ``make bench``.

Prints, for this machine: how long the shipped data take to build (goal: under 15 s on two cores), how soon a server
with a built dataset answers, and how many answers a second it gives to one client over HTTP; beside it rdflib's own
query engine, in process and without HTTP, over the same statements. Each figure is the median of several runs. With
``--json`` the same as JSON.
"""

import argparse
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

FOEDUS = [sys.executable, "-m", "foedus"]
QUESTION = "/queries/members-on.json?" + urllib.parse.urlencode({"alliance": "csto", "date": "2022-09-13"})
LOOK_UP = """PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX id: <https://w3id.org/foedus/id/>
SELECT ?label WHERE { id:csto rdfs:label ?label } ORDER BY ?label"""


@dataclass(frozen=True)
class Figure:
    """One line of the table; *ratio* is how many times faster than the peer, where there is one."""

    what: str
    value: float
    unit: str
    goal: str = ""
    ratio: float | None = None


def seconds(work: Callable[[], object]) -> float:
    """How long *work* takes, in seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def per_second(work: Callable[[], object], duration: float) -> float:
    """How often *work* can be done in a second, tried for *duration* seconds after one round to warm up."""
    work()
    count, start = 0, time.perf_counter()
    while (passed := time.perf_counter() - start) < duration:
        work()
        count += 1
    return count / passed


@contextmanager
def server(home: Path) -> Iterator[tuple[int, float]]:
    """A running ``foedus serve`` over the dataset in *home*: its port, and the seconds until its first answer."""
    start = time.perf_counter()
    environment = {**os.environ, "FOEDUS_HOME": str(home)}
    process = subprocess.Popen([*FOEDUS, "serve", "--port", "0"], stderr=subprocess.PIPE, text=True, env=environment)
    try:
        port = next(int(found[1]) for line in process.stderr if (found := re.search(r":(\d+)/$", line.strip())))
        connection = http.client.HTTPConnection("127.0.0.1", port)
        get(connection, QUESTION)
        yield port, time.perf_counter() - start
        connection.close()
    finally:
        process.terminate()
        process.wait()
        process.stderr.close()


def get(connection: http.client.HTTPConnection, path: str) -> bytes:
    """The body at *path*; anything but a 200 stops the benchmark."""
    connection.request("GET", path, headers={"Accept": "application/sparql-results+json"})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise SystemExit(f"{path} answered {answer.status}: {body[:300]!r}")
    return body


def measure(runs: int, duration: float) -> list[Figure]:
    """Every figure of the table."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        build = [*FOEDUS, "build", "--out", str(home)]
        building = statistics.median(
            seconds(lambda: subprocess.run(build, check=True, capture_output=True)) for _ in range(runs)
        )
        text = (home / "dataset.nq").read_bytes()
        starts = []
        for _ in range(runs):
            with server(home) as (port, started):
                starts.append(started)
        with server(home) as (port, _):
            connection = http.client.HTTPConnection("127.0.0.1", port)
            asked = per_second(lambda: get(connection, QUESTION), duration)
            looked = per_second(
                lambda: get(connection, "/sparql?" + urllib.parse.urlencode({"query": LOOK_UP})), duration
            )
            connection.close()
        peer = RdflibPeer(text)
        peer_asked = per_second(peer.members_on, duration)
        peer_looked = per_second(peer.look_up, duration)
    return [
        Figure(f"build of the shipped data ({text.count(10)} statements)", building, "s", "< 15 s"),
        Figure(
            "start of a server with a built dataset, to its first answer", statistics.median(starts), "s", "< 1.5 s"
        ),
        Figure("members-on over HTTP, one client", asked, "/s", ratio=asked / peer_asked),
        Figure("members-on by rdflib, in process", peer_asked, "/s"),
        Figure("look-up of a label over HTTP, one client", looked, "/s", ratio=looked / peer_looked),
        Figure("look-up of a label by rdflib, in process", peer_looked, "/s"),
    ]


class RdflibPeer:
    """rdflib's own store and query engine over the same statements."""

    def __init__(self, nquads: bytes) -> None:
        import rdflib

        from foedus import questions

        self.dataset = rdflib.Dataset(default_union=True)
        self.dataset.parse(data=nquads.decode(), format="nquads")
        self.question = questions.bind(
            questions.get("members-on"),
            {"alliance": "csto", "date": "2022-09-13"},
            lambda value, _: f"https://w3id.org/foedus/id/{value}",
        )

    def members_on(self) -> list[object]:
        return list(self.dataset.query(self.question))

    def look_up(self) -> list[object]:
        return list(self.dataset.query(LOOK_UP))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3, help="runs of each start and build (default 3)")
    parser.add_argument("--seconds", type=float, default=3.0, help="seconds for each throughput figure (default 3)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    chosen = parser.parse_args()
    figures = measure(chosen.runs, chosen.seconds)
    if chosen.json:
        print(json.dumps([asdict(figure) for figure in figures], indent=2))
        return
    for figure in figures:
        notes = [f"goal {figure.goal}"] if figure.goal else []
        notes += [f"{figure.ratio:.1f} times rdflib"] if figure.ratio else []
        print(f"{figure.value:>10.2f} {figure.unit:<3} {figure.what}{'  (' + ', '.join(notes) + ')' if notes else ''}")


if __name__ == "__main__":
    main()
