"""What the server counts, at /metrics in the text format of Prometheus: numbers only, of nobody in particular."""

import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from flask import Blueprint, Flask, Response, current_app

from foedus import __version__
from foedus.errors import FoedusError
from foedus.query import cache, formats, pool
from foedus.query.cache import Cache
from foedus.query.pool import Asker, Pool

PATH = "/metrics"
TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8"

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0)
"""Upper bounds of the histogram of seconds."""

ROUTES = frozenset(
    (
        *("sparql", "id", "page", "data", "ontology", "shape", "graph", "queries", "why", "validate", "download"),
        *("cite", "fragments", "reconcile", "health", "metrics", "static", ".well-known"),
    )
)
"""The first steps of our addresses; with ``home`` and ``other`` all the routes that are told apart."""

METHODS = frozenset(("GET", "HEAD", "POST", "OPTIONS"))

bp = Blueprint("metrics", __name__)

_Labels = tuple[tuple[str, str], ...]


def route_of(path: str) -> str:
    """The route class of an address: never more than a closed list, so that no client can make them many."""
    first = path[1:].partition("/")[0]
    return first if first in ROUTES else "other" if first else "home"


class Metrics:
    """The counts of one app since it was made; its methods may be called from any thread."""

    def __init__(self) -> None:
        self.started = time.time()
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._bytes: Counter[str] = Counter()
        self._seconds: dict[str, float] = {}
        self._buckets: dict[str, list[int]] = {}
        self._queries: Counter[str] = Counter()
        self._rows: Counter[str] = Counter()
        self._repeated = 0
        self._running = 0

    def begin(self) -> None:
        """A request has come."""
        with self._lock:
            self._running += 1

    def pass_on(self) -> None:
        """A request that has come will come again, in a thread."""
        with self._lock:
            self._running -= 1

    def end(self, route: str, method: str, status: int, seconds: float, size: int) -> None:
        """It was answered with *status* and *size* bytes."""
        with self._lock:
            self._running -= 1
            self._requests[route, method if method in METHODS else "other", status] += 1
            self._bytes[route] += size
            buckets = self._buckets.get(route)
            if buckets is None:
                buckets = self._buckets[route] = [0] * (len(BOUNDS) + 1)
                self._seconds[route] = 0.0
            buckets[bisect_left(BOUNDS, seconds)] += 1
            self._seconds[route] += seconds

    def query(self, outcome: str, kind: formats.Kind | None = None, rows: int = 0) -> None:
        """A query of a client, or of a page, had this *outcome*: ``answered``, or the name of an error.

        Its answer, if it had one, was of *kind* and had so many *rows*, which are triples where it is a graph.
        """
        with self._lock:
            self._queries[outcome] += 1
            if kind:
                self._rows[kind] += rows

    def repeat(self) -> None:
        """A request is answered with the same bytes as the one before."""
        with self._lock:
            self._running += 1
            self._repeated += 1

    def lines(self) -> Iterator[str]:
        """The counts of requests and queries, in the text format."""
        with self._lock:
            requests, sizes, queries = dict(self._requests), dict(self._bytes), dict(self._queries)
            rows, repeated = dict(self._rows), self._repeated
            buckets = {route: list(counts) for route, counts in self._buckets.items()}
            seconds, running = dict(self._seconds), self._running
        yield from _family(
            "foedus_requests_total",
            "counter",
            "Requests answered, by route class, method and status.",
            {
                (("route", route), ("method", method), ("status", str(status))): count
                for (route, method, status), count in requests.items()
            },
        )
        name = "foedus_request_seconds"
        yield from _head(name, "histogram", "Seconds from a whole request to its whole answer.")
        for route, counts in sorted(buckets.items()):
            so_far = 0
            for bound, count in zip((*map(str, BOUNDS), "+Inf"), counts, strict=True):
                so_far += count
                yield _sample(f"{name}_bucket", (("route", route), ("le", bound)), so_far)
            yield _sample(f"{name}_sum", (("route", route),), seconds[route])
            yield _sample(f"{name}_count", (("route", route),), so_far)
        yield from _family(
            "foedus_response_bytes_total",
            "counter",
            "Bytes of answers' bodies.",
            {(("route", route),): size for route, size in sizes.items()},
        )
        yield from _family(
            "foedus_queries_total",
            "counter",
            "Queries of clients and pages, by what became of them.",
            {(("outcome", outcome),): count for outcome, count in queries.items()},
        )
        yield from _family(
            "foedus_rows_total",
            "counter",
            "Rows of answers, by kind of query; of a graph its triples.",
            {(("kind", kind),): count for kind, count in rows.items()},
        )
        yield from _family(
            "foedus_requests_repeated_total",
            "counter",
            "Requests answered from memory, because the same one came before.",
            {(): repeated},
        )
        yield from _family("foedus_requests_running", "gauge", "Requests being answered now.", {(): running})
        yield from _family(
            "foedus_start_time_seconds", "gauge", "When the server started, in Unix time.", {(): self.started}
        )


def register(app: Flask, metrics: Metrics, asker: Asker) -> None:
    """Answer at /metrics of *app* with *metrics* and what *asker* says of itself."""
    app.extensions["foedus-metrics"] = lambda: text(metrics, asker)
    app.register_blueprint(bp)


@bp.get(PATH)
def show() -> Response:
    """The counts of now; asks no worker, so that it answers when none can."""
    write: Callable[[], str] = current_app.extensions["foedus-metrics"]
    response = Response(write(), content_type=TEXT_FORMAT)
    response.headers["Cache-Control"] = "no-store"
    return response


def text(metrics: Metrics, asker: Asker) -> str:
    """Everything that there is to count, in the text format."""
    lines = [*metrics.lines(), *_about(asker)]
    behind: Asker | None = asker
    while behind is not None:
        if isinstance(behind, Pool):
            lines += _of_the_pool(behind.statistics())
        if isinstance(behind, Cache):
            lines += _of_the_cache(behind.statistics())
        behind = getattr(behind, "asker", None)
    return "\n".join(lines) + "\n"


def _about(asker: Asker) -> Iterator[str]:
    labels: _Labels = (("version", __version__),)
    yield from _family("foedus_info", "gauge", "The version of Foedus.", {labels: 1})
    try:
        about = asker.dataset
    except FoedusError:
        # The query processes are restarting: nothing is served.
        return
    labels = (("sha256", about.sha256), ("as_of", str(about.as_of or "")))
    yield from _family("foedus_dataset_info", "gauge", "The version of the dataset that is served.", {labels: 1})
    if about.quads is not None:
        yield from _family("foedus_dataset_quads", "gauge", "Statements in the dataset.", {(): about.quads})


def _of_the_cache(now: cache.Statistics) -> Iterator[str]:
    """What the memory of answers says of itself."""
    yield from _family(
        "foedus_cache_queries_total",
        "counter",
        "Queries that came to the cache, by what it did with them.",
        {
            (("event", event),): count
            for event, count in (
                ("hit", now.hits),
                ("shared", now.shared),
                ("miss", now.misses),
                ("uncacheable", now.uncacheable),
            )
        },
    )
    yield from _family("foedus_cache_evictions_total", "counter", "Answers dropped for room.", {(): now.evictions})
    yield from _family("foedus_cache_answers", "gauge", "Answers that the cache holds.", {(): now.entries})
    yield from _family("foedus_cache_bytes", "gauge", "Bytes that the cache holds.", {(): now.bytes})
    yield from _family("foedus_cache_size_bytes", "gauge", "Bytes that the cache may hold.", {(): now.size})


def _of_the_pool(now: pool.Statistics) -> Iterator[str]:
    """What the pool of processes says of itself."""
    workers: dict[_Labels, float] = {(("state", "alive"),): now.workers, (("state", "idle"),): now.idle}
    yield from _family("foedus_workers", "gauge", "Worker processes that live, and of them the idle.", workers)
    yield from _family("foedus_queue_length", "gauge", "Queries that wait for a worker now.", {(): now.waiting})
    yield from _family(
        "foedus_workers_killed_total",
        "counter",
        "Workers that ended under a query, by reason.",
        {(("reason", reason),): count for reason, count in now.killed.items()},
    )
    yield from _family("foedus_pool_restarts_total", "counter", "Restarts of all query processes.", {(): now.restarts})
    yield from _family(
        "foedus_askers_total",
        "counter",
        "Queries that came to the pool, by kind (open: of a client's own) and what became of them there.",
        {
            (("kind", kind), ("event", event)): count
            for kind, counts in (("open", now.open), ("reserved", now.reserved))
            for event, count in asdict(counts).items()
        },
    )


def _family(name: str, kind: str, words: str, samples: Mapping[_Labels, float]) -> Iterator[str]:
    yield from _head(name, kind, words)
    for labels, value in sorted(samples.items()):
        yield _sample(name, labels, value)


def _head(name: str, kind: str, words: str) -> Iterator[str]:
    yield f"# HELP {name} {words}"
    yield f"# TYPE {name} {kind}"


def _sample(name: str, labels: _Labels, value: Any) -> str:
    told = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels)
    return f"{name}{{{told}}} {value}" if told else f"{name} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
