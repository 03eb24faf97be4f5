"""Figures and goals as a table for people and as JSON for programs."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from load import Summary

OURS, CACHED, PROXIED, EMPTY = "foedus", "foedus, cached", "nginx", "empty"
PEERS = ("oxigraph", "virtuoso", "rdflib-endpoint")
LARGE = 5_000
"""Bytes from which the goals count an answer as large."""
STORED, TINY = "stored questions and answers of 5 KB and more", "tiny queries"


@dataclass(frozen=True)
class Point:
    """One workload on one engine with so many clients."""

    engine: str
    workload: str
    summary: Summary


@dataclass(frozen=True)
class Figure:
    """A figure that is no rate: *value* is None where none came about, *goal* is in words, *met* None without one."""

    what: str
    value: float | None
    unit: str
    goal: str = ""
    met: bool | None = None


@dataclass(frozen=True)
class Verdict:
    """A ratio that the project set itself a goal for."""

    of: str
    to: str
    ratio: float
    goal: float

    @property
    def met(self) -> bool:
        return self.ratio >= self.goal


@dataclass
class Run:
    """All that was measured on one dataset; *same*: by engine and workload, how many answers equal ours, of how many.

    *reasons* tells by engine and workload of each answer that does not, whose it is and what became of it.
    *classes* gives each workload's class: "stored", "tiny" or "other".
    """

    dataset: str
    triples: int
    classes: dict[str, str]
    points: list[Point] = field(default_factory=list)
    same: dict[str, dict[str, tuple[int, int]]] = field(default_factory=dict)
    reasons: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    figures: list[Figure] = field(default_factory=list)

    def rate(self, engine: str, workload: str, clients: int) -> float | None:
        found = self.point(engine, workload, clients)
        return found.per_second if found and found.answers else None

    def point(self, engine: str, workload: str, clients: int) -> Summary | None:
        return next(
            (
                each.summary
                for each in self.points
                if (each.engine, each.workload, each.summary.clients) == (engine, workload, clients)
            ),
            None,
        )

    def kind(self, workload: str, clients: int) -> str:
        """The class of answers, by which the goals are set, that *workload* gives."""
        if self.classes[workload] == "tiny":
            return TINY
        first = self.point(OURS, workload, clients)
        is_large = first is not None and first.mean_bytes >= LARGE
        return STORED if self.classes[workload] == "stored" or is_large else "others"

    def verdicts(self, workload: str, clients: int, empty: dict[int, float]) -> list[Verdict]:
        """Every ratio of one line that has a goal, and those to Oxigraph for whatever has none (goal 0)."""
        kind = self.kind(workload, clients)
        large, tiny = kind == STORED, kind == TINY
        goals = {
            OURS: {
                "oxigraph": 1.0 if large else 0.0,
                "virtuoso": 2.0 if large else 0.0,
                "rdflib-endpoint": 20.0,
            },
            CACHED: {"oxigraph": 3.0 if large else 0.0},
            PROXIED: {"oxigraph": 1.0},
        }
        if tiny:
            goals[OURS][EMPTY], goals[CACHED][EMPTY] = 0.5, 0.85
        found = []
        for engine, wanted in goals.items():
            rate = self.rate(engine, workload, clients)
            for peer, goal in wanted.items():
                other = empty.get(clients) if peer == EMPTY else self.rate(peer, workload, clients)
                if rate and other:
                    found.append(Verdict(engine, peer, rate / other, goal))
        return found


def as_json(runs: Sequence[Run], figures: Sequence[Figure], empty: dict[int, float], notes: Sequence[str]) -> Any:
    """Everything, as JSON can hold it."""
    return {
        "notes": list(notes),
        "figures": [asdict(each) for each in figures],
        "emptyResponsesPerSecond": empty,
        "datasets": [
            {
                "dataset": run.dataset,
                "triples": run.triples,
                "figures": [asdict(each) for each in run.figures],
                "sameAnswers": run.same,
                "differences": run.reasons,
                "goals": [asdict(each) for each in goals(run, empty)],
                "rates": [
                    {"engine": each.engine, "workload": each.workload, **asdict(each.summary)} for each in run.points
                ],
                "ratios": [
                    {"workload": workload, "clients": clients, **asdict(verdict), "met": verdict.met}
                    for workload, clients in lines(run)
                    for verdict in run.verdicts(workload, clients, empty)
                ],
            }
            for run in runs
        ],
    }


def lines(run: Run) -> list[tuple[str, int]]:
    """The workloads and numbers of clients that were measured, in order."""
    return list(dict.fromkeys((each.workload, each.summary.clients) for each in run.points))


def as_text(runs: Sequence[Run], figures: Sequence[Figure], empty: dict[int, float], notes: Sequence[str]) -> str:
    """Everything, to be read in a terminal; the rates in *empty* themselves only where there are no *runs* yet."""
    parts = [*notes, "", *_figures(figures)]
    if empty and not runs:
        shown = ", ".join(f"{rate:,.0f}/s with {clients}" for clients, rate in empty.items())
        parts.append(f"Empty responses of the chosen web server, by clients: {shown}")
    for run in runs:
        parts += ["", f"── {run.dataset}: {run.triples:,} triples ──", *_figures(run.figures), *_same(run), ""]
        parts += _table(run, empty)
        parts += ["", *_goals(run, empty), *_generator(run)]
    return "\n".join(parts)


def _figures(figures: Iterable[Figure]) -> list[str]:
    return [
        f"{'–' if each.value is None else format(each.value, ',.2f'):>14} {each.unit:<16} {each.what}"
        + (f"  [goal {each.goal}{_mark(each.met)}]" if each.goal else "")
        for each in figures
    ]


def _mark(met: bool | None) -> str:
    return "" if met is None else ": met" if met else ": missed"


def _same(run: Run) -> list[str]:
    found = []
    for engine, by_workload in run.same.items():
        reasons = run.reasons.get(engine, {})
        differing = [
            f"{name} ({same} of {asked} the same: {', '.join(dict.fromkeys(reasons.get(name, ['not said'])))})"
            for name, (same, asked) in by_workload.items()
            if same < asked
        ]
        asked = sum(number for _, number in by_workload.values())
        said = f"differ from ours in {', '.join(differing)}" if differing else f"equal ours in all {asked} questions"
        found.append(f"Answers of {engine} {said}.")
    return found


@dataclass(frozen=True)
class Held:
    """One goal over all lines of the answers that it is set for: how many of them met it, and the least ratio."""

    answers: str
    of: str
    to: str
    goal: float
    met: int
    lines: int
    least: float


def goals(run: Run, empty: dict[int, float]) -> list[Held]:
    """Every goal that was measured, by class of answers."""
    found: dict[tuple[str, str, str, float], list[Verdict]] = {}
    for workload, clients in lines(run):
        for verdict in run.verdicts(workload, clients, empty):
            if verdict.goal:
                kind = run.kind(workload, clients)
                found.setdefault((kind, verdict.of, verdict.to, verdict.goal), []).append(verdict)
    return [
        Held(*key, sum(each.met for each in verdicts), len(verdicts), min(each.ratio for each in verdicts))
        for key, verdicts in sorted(found.items())
    ]


def _goals(run: Run, empty: dict[int, float]) -> list[str]:
    return [
        f"{'met' if each.met == each.lines else 'MISSED':>6}  {each.answers}: {each.of} ≥ {each.goal:g}×{each.to}"
        f" in {each.met} of {each.lines} lines, the least {each.least:.2f}×"
        for each in goals(run, empty)
    ]


def _generator(run: Run) -> list[str]:
    """How much of the time the load generator computed, by engine: the most of all lines."""
    most: dict[str, float] = {}
    for each in run.points:
        most[each.engine] = max(most.get(each.engine, 0.0), each.summary.busy)
    shown = ", ".join(f"{engine} {busy:.0%}" for engine, busy in most.items())
    return [f"The load generator computed at most this part of the time, of one core: {shown}."] if most else []


def _table(run: Run, empty: dict[int, float]) -> list[str]:
    engines = list(dict.fromkeys(each.engine for each in run.points))
    rows = [
        ["workload", "bytes", "clients", "p50 ms", "p95", "p99", *(f"{each} /s" for each in engines), "ratios (goal)"]
    ]
    for workload, clients in lines(run):
        own = run.point(OURS, workload, clients)
        shown = [f"{own.mean_bytes:,.0f}", str(clients)] if own else ["", str(clients)]
        shown += [_milliseconds(each) for each in ((own.p50, own.p95, own.p99) if own else (None, None, None))]
        for engine in engines:
            summary = run.point(engine, workload, clients)
            failed = sum(summary.errors.values()) if summary else 0
            shown.append(
                "–" if summary is None else f"{summary.per_second:,.0f}" + (f" ({failed} failed)" if failed else "")
            )
        shown.append("  ".join(_verdict(each) for each in run.verdicts(workload, clients, empty)))
        rows.append([workload, *shown])
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if place in (0, len(row) - 1) else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _milliseconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _verdict(verdict: Verdict) -> str:
    who = "" if verdict.of == OURS else f"{verdict.of}: "
    goal = f" ({verdict.goal:g} {'met' if verdict.met else 'MISSED'})" if verdict.goal else ""
    return f"{who}{verdict.ratio:.2f}×{verdict.to}{goal}"
