"""Performance figures, as anyone can get them: ``make bench``.

Ours, the Oxigraph server, rdflib-endpoint and Virtuoso are started on this machine, on loopback, with the same triples:
the shipped dataset, and a synthetic history of the same shape with a million. Their answers are compared as multisets
of terms; then each workload is asked of each of them in turn, from 1, 8 and 64 kept-open connections, by a load
generator that is a process of its own. Beside the rates stand the ratios that the project set itself as goals. Also
measured: how long the shipped data take to build, cold start, memory with shared pages counted once, the small query
during an attack, what our web server makes of an empty response, and nginx with the shipped cache configuration.

Needs: nothing but the tests' environment for ours. Oxigraph and rdflib-endpoint are installed into ``.venv/bench``
from ``tests/benchmarks/requirements.lock`` when first needed. Virtuoso (Debian: virtuoso-opensource) and nginx (Debian:
nginx-light) are measured where they are installed; a line says so where they are not. With a million triples all of
them together take some 5 GB of memory and 1 GB of the temporary folder.

The load generator shares the machine with what it measures, so rates compare engines on one machine and promise
nothing for another. --quick, the default, takes some five minutes: a quarter of a second for a figure, rdflib-endpoint
with the shipped data only. --full takes the median of three rounds of two seconds, and rdflib-endpoint with a million
triples too. A figure whose answers would take too long in all is left out ("–").
"""

import argparse
import contextlib
import http.client
import json
import os
import signal
import statistics
import subprocess
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import engines
import report
import synthetic
import workloads
from engines import Data, Engine, Running
from load import Summary
from report import Figure, Point, Run
from workloads import Workload

CLIENTS = (1, 8, 64)
PATIENCE = 20.0
"""Seconds that one answer may take when answers are compared."""
REST = 3.0
"""Seconds without work before memory is looked at."""
SOURCES = tuple(f"127.0.0.{number}" for number in range(1, 9))
"""Addresses that the clients have: what one address may ask at once is limited, and is not what is measured."""
COMPARED = 6
"""Questions of a workload whose answers are compared, and which warm the engine up."""


@dataclass(frozen=True)
class Chosen:
    """What the command line chose: *rounds* of *seconds* for each rate, *runs* of each build and cold start."""

    full: bool
    seconds: float
    rounds: int
    runs: int
    triples: int
    only: frozenset[str]

    @property
    def longest(self) -> float:
        """Seconds that a figure may need for slow answers; one that needs more is left out."""
        return 20.0 if self.full else 1.0

    def takes(self, name: str, among: Sequence[str]) -> bool:
        """Whether *name* is to be measured: --only chooses among those of its kind, if it names any."""
        wanted = self.only & set(among)
        return not wanted or name in wanted


def main() -> None:
    chosen, file = _arguments()
    # Ended from outside, it still stops what it started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with engines.scratch_folder() as folder:
        figures, shipped = build(folder, chosen)
        notes = [f"{name} is left out: {why}." for name, why in _missing(chosen)]
        runs, empty = [], {}
        if chosen.takes(report.EMPTY, ENGINES):
            try:
                empty = empty_responses(shipped, chosen)
            except SystemExit as error:
                notes.append(f"Empty responses are left out: {error}.")
        print(report.as_text([], figures, empty, notes), flush=True)
        for data in datasets(folder, shipped, chosen):
            runs.append(measure(data, chosen))
            print(report.as_text(runs[-1:], [], empty, []), flush=True)
            if file:
                file.write_text(json.dumps(report.as_json(runs, figures, empty, notes), indent=2) + "\n")


ENGINES = (report.OURS, report.CACHED, report.PROXIED, report.EMPTY, *report.PEERS)
DATASETS = ("shipped", "synthetic")
WORKLOADS = (
    "ask", "look-up", "thing", "members-on", "history-of", "claims-of", "as-of", "join", "path", "aggregate"
)  # fmt: skip


def _arguments() -> tuple[Chosen, Path | None]:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--quick", action="store_true", help="a quarter of a second for each figure (the default)")
    length.add_argument("--full", action="store_true", help="three rounds of two seconds, every engine on everything")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        choices=[*ENGINES, *DATASETS, *WORKLOADS],
        metavar="NAME",
        help="an engine, dataset or workload; may be repeated. One of: " + ", ".join((*ENGINES, *DATASETS, *WORKLOADS)),
    )
    parser.add_argument("--triples", type=int, default=1_000_000, help="size of the synthetic history")
    parser.add_argument("--seconds", type=float, help="seconds for each figure, in place of the default")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON too")
    given = parser.parse_args()
    seconds = given.seconds or (2.0 if given.full else 0.25)
    rounds, runs = (3, 5) if given.full else (1, 1)
    return Chosen(given.full, seconds, rounds, runs, given.triples, frozenset(given.only)), given.json


def _missing(chosen: Chosen) -> list[tuple[str, str]]:
    others = (engines.Oxigraph(), engines.Virtuoso(), engines.RdflibEndpoint(), engines.Nginx())
    return [(each.name, why) for each in others if chosen.takes(each.name, ENGINES) and (why := each.missing())]


# ── what is loaded ──


def build(folder: Path, chosen: Chosen) -> tuple[list[Figure], Data]:
    """The shipped data, built; how long that took, and how soon a server with them answers."""
    home = folder / "home"
    command = [sys.executable, "-m", "foedus", "build", "--out", str(home)]
    times = []
    for _ in range(chosen.runs):
        begun = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - begun)
    data = _data("shipped", home / "dataset.nq", folder / "shipped.nt", home)
    starts = []
    for _ in range(chosen.runs + 1):
        with engines.scratch_folder() as scratch, engines.Foedus().start(data, scratch) as running:
            starts.append(running.started)
    built, started = statistics.median(times), statistics.median(starts)
    return [
        Figure("build of the shipped data", built, "s", "< 15 s", built < 15),
        Figure("cold start from a built dataset to the first answer", started, "s", "< 1.5 s", started < 1.5),
    ], data


def datasets(folder: Path, shipped: Data, chosen: Chosen) -> Iterator[Data]:
    """The datasets that are to be measured."""
    if chosen.takes("shipped", DATASETS):
        yield shipped
    if chosen.takes("synthetic", DATASETS):
        written = synthetic.write(folder, chosen.triples)
        yield Data("synthetic", written.nquads, written.ntriples, written.count)


def _data(name: str, nquads: Path, ntriples: Path, home: Path) -> Data:
    return Data(name, nquads, ntriples, workloads.triples(nquads, ntriples), home)


# ── what is measured ──


def empty_responses(data: Data, chosen: Chosen) -> dict[int, float]:
    """Empty responses a second of the web server that ours chose, by number of clients."""
    _say("empty responses")
    with engines.scratch_folder() as scratch, engines.EmptyResponse().start(data, scratch) as running:
        return {each: _median(running, ["/"], each, chosen.seconds, chosen.rounds).per_second for each in CLIENTS}


def measure(data: Data, chosen: Chosen) -> Run:
    """Every engine on *data*: all running at once, asked in turn, so that what disturbs one disturbs all."""
    with data.ntriples.open(encoding="utf-8") as lines:
        world = workloads.World.of(lines)
    asked = [each for each in workloads.workloads(world) if chosen.takes(each.name, WORKLOADS)]
    run = Run(data.name, data.count, {each.name: _class(each) for each in asked})
    with contextlib.ExitStack() as stack:
        running = _started(data, chosen, stack)
        before = {name: each.memory() for name, each in running.items()}
        slow = _compare(run, running, asked)
        for workload in asked:
            _say(f"{workload.name} on the {data.name} data")
            for clients in CLIENTS:
                for name, each in running.items():
                    # Long enough for each client to be answered twice, if the cores can be shared evenly.
                    wanted = 2 * clients * slow[name, workload.name] / (os.cpu_count() or 1)
                    if wanted <= chosen.longest:
                        targets = [question.target(each.path, each.stored) for question in workload.questions]
                        summary = _median(each, targets, clients, max(wanted, chosen.seconds), chosen.rounds)
                        run.points.append(Point(name, workload.name, summary))
                        each.settle()
        # Memory that is given back at rest is not held.
        time.sleep(REST)
        for name, each in running.items():
            if name != report.PROXIED:
                run.figures += _memory(run, name, each, before[name])
        if report.OURS in running and not data.home:
            run.figures.append(_attacked(running[report.OURS], chosen))
    return run


def _started(data: Data, chosen: Chosen, stack: contextlib.ExitStack) -> dict[str, Running]:
    """Every engine that is to be had, loaded and running; ours first: the others' answers are compared with its."""
    made: list[Engine] = [engines.Foedus(*engines.without_cache(), name=report.OURS)]
    if engines.without_cache():
        made.append(engines.Foedus(name=report.CACHED))
    made += [engines.Oxigraph(), engines.Virtuoso()]
    if data.home or chosen.full or "rdflib-endpoint" in chosen.only:
        made.append(engines.RdflibEndpoint())
    running: dict[str, Running] = {}
    for engine in made:
        if chosen.takes(engine.name, ENGINES) and not engine.missing():
            _start(engine, data, stack, running)
    ours = running.get(report.CACHED) or running.get(report.OURS)
    if ours and chosen.takes(report.PROXIED, ENGINES) and not engines.Nginx(ours).missing():
        _start(engines.Nginx(ours), data, stack, running)
    return running


def _start(engine: Engine, data: Data, stack: contextlib.ExitStack, running: dict[str, Running]) -> None:
    _say(f"{engine.name} loads the {data.name} data")
    scratch = stack.enter_context(engines.scratch_folder())
    try:
        running[engine.name] = stack.enter_context(engine.start(data, scratch))
    except SystemExit as error:
        _say(f"{engine.name} is left out: {error}")


def _class(workload: Workload) -> str:
    return "tiny" if workload.tiny else "stored" if workload.questions[0].stored else "other"


def _compare(run: Run, running: dict[str, Running], asked: Sequence[Workload]) -> dict[tuple[str, str], float]:
    """Hold every engine's answers to those of the first; the seconds that one answer took, by engine and workload."""
    slow = {}
    for workload in asked:
        first = None
        for name, each in running.items():
            answers, slow[name, workload.name] = _answers(each, workload)
            if first is None:
                first = answers
                continue
            reasons = [why for pair in zip(first, answers, strict=True) if (why := _difference(*pair))]
            run.same.setdefault(name, {})[workload.name] = (len(answers) - len(reasons), len(answers))
            if reasons:
                run.reasons.setdefault(name, {})[workload.name] = reasons
    return slow


def _memory(run: Run, name: str, running: Running, before: int) -> list[Figure]:
    used = running.memory()
    # The goal is meant for data, not for what an interpreter takes without any.
    has_goal = name in (report.OURS, report.CACHED) and run.triples >= 100_000
    after = f"{name}: memory at rest after all workloads ({used / 2**20:,.0f} MiB)"
    return [
        Figure(f"{name}: from its start to its first answer, loading included", running.started, "s"),
        Figure(f"{name}: memory when started", before / run.triples, "bytes a triple"),
        Figure(after, used / run.triples, "bytes a triple", "≤ 450", used / run.triples <= 450)
        if has_goal
        else Figure(after, used / run.triples, "bytes a triple"),
    ]


def _attacked(running: Running, chosen: Chosen) -> Figure:
    """The small query of one client while 32 others, at another address, ask the heavy queries of the attack corpus."""
    small = engines.with_query(running.path, SMALL)
    heavy = [engines.with_query(running.path, text) for text in heavy_queries()]
    seconds = max(2.0, chosen.seconds)
    with ThreadPoolExecutor(1) as attack:
        attacking = attack.submit(_load, running, heavy, 32, seconds + 1.0, ["127.0.0.1"])
        time.sleep(0.5)
        suffered = _load(running, [small], 1, seconds, sources=["127.0.0.2"])
        attacking.result()
    running.settle()
    late = suffered.p99 if suffered.p99 is not None and not suffered.errors else float("inf")
    return Figure(
        f"small query's p99 while another address asks {len(heavy)} heavy queries over 32 connections",
        late,
        "ms",
        "≤ 250",
        late <= 250,
    )


def heavy_queries() -> list[str]:
    """The queries of the attack corpus that end for want of time or memory, those that are written out."""
    found = []
    for file in sorted(engines.CORPUS.glob("*.toml")):
        attack = tomllib.loads(file.read_text())
        status = attack.get("status")
        statuses = status if isinstance(status, list) else [status]
        if "query" in attack and "repeat" not in attack and not {504, 507}.isdisjoint(statuses):
            found.append(attack["query"])
    return found


SMALL = (
    "PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> "
    "SELECT ?label WHERE { <https://w3id.org/foedus/id/state-001> rdfs:label ?label }"
)


Found = Counter[workloads.Row] | bool | str
"""An answer, or why there is none."""


def _difference(ours: Found, theirs: Found) -> str:
    """Why two answers are not known to be the same, "" where they are."""
    if isinstance(ours, str):
        return f"ours {ours}"
    if isinstance(theirs, str):
        return f"theirs {theirs}"
    if ours == theirs:
        return ""
    if isinstance(ours, bool) or isinstance(theirs, bool):
        return f"ours {ours}, theirs {theirs}"
    only, other = ours - theirs, theirs - ours
    return f"{only.total()} rows only in ours, {other.total()} only in theirs, such as {next(iter(only or other))}"


def _answers(running: Running, workload: Workload) -> tuple[list[Found], float]:
    """The answers to the first questions, for one that failed the reason, and the seconds that the middle one took."""
    found: list[Found] = []
    times = []
    for question in workload.questions[:COMPARED]:
        target = question.target(running.path, running.stored)
        begun = time.perf_counter()
        try:
            status, body = running.get(target, workloads.ACCEPT, timeout=PATIENCE)
            found.append(workloads.canonical(body) if status == 200 else f"refused with {status}")
        except TimeoutError:
            found.append(f"took longer than {PATIENCE:g} s")
        except (OSError, ValueError, http.client.HTTPException) as error:
            found.append(f"no sound answer ({type(error).__name__})")
        times.append(time.perf_counter() - begun)
    return found, statistics.median(times)


def _median(running: Running, targets: Sequence[str], clients: int, seconds: float, rounds: int) -> Summary:
    """Of so many *rounds*, the one with the middle rate."""
    done = [_load(running, targets, clients, seconds) for _ in range(rounds)]
    return sorted(done, key=lambda each: each.per_second)[rounds // 2]


def _load(
    running: Running, targets: Sequence[str], clients: int, seconds: float, sources: Sequence[str] = SOURCES
) -> Summary:
    """*targets* asked in turn by the load generator."""
    head = f" HTTP/1.1\r\nHost: 127.0.0.1:{running.port}\r\nAccept: {workloads.ACCEPT}\r\n\r\n"
    wanted = {
        "host": "127.0.0.1",
        "port": running.port,
        "requests": [f"GET {target}{head}" for target in targets],
        "clients": clients,
        "seconds": seconds,
        "warm": min(0.2, seconds / 4),
        "sources": list(sources),
    }
    done = subprocess.run(
        [sys.executable, "-I", str(engines.HERE / "load.py")], input=json.dumps(wanted), capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"the load generator failed: {done.stderr.strip().splitlines()[-1]}")
    return Summary(**json.loads(done.stdout))


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
