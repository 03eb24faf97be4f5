"""The pool of worker processes: ask it a query and get a whole answer, or one clear error.

The pool's own process never parses SPARQL with the engine. It starts ``parent``, which loads the dataset and forks the
workers; each worker is one socket for requests and one unlinked file for the answer's bytes. A worker that is over its
time is killed, one that is over its memory or its stack dies of it; ``parent`` replaces it, and nobody else notices.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from foedus import errors
from foedus.errors import (
    AnswerTooLarge,
    BadQuery,
    Busy,
    Cancelled,
    CannotServe,
    FoedusError,
    QueryTooSlow,
)
from foedus.query import formats, memory, scan, waiting, wire
from foedus.query.dataset import Description
from foedus.query.gate import Counts, Gate, Held
from foedus.query.limits import MIB, Limits
from foedus.query.waiting import ELSEWHERE, Signal, Wait, happens, next_look

_VERDICT = 20.0
"""Seconds to wait for the word on what a worker died of, which the parent gives as soon as it gets to run."""
_LONGEST_PAUSE = 30.0
"""Seconds between two starts of a parent that keeps failing, at most."""
KILLED = ("time", "memory", "stack", "left", "lost")
"""Why a worker may end under a query."""


@dataclass(frozen=True)
class Request:
    """A query: its text, and how to write the answer (*form*, a format's name, goes before an *accept* header).

    *default_graphs* and *named_graphs*, where not None, are the protocol's parameters and override the text's ``FROM``.
    *client* is the address that asks, None for ourselves; what is *reserved* (pages, stored questions, health) may use
    the workers that are kept for it. What is *dry* is only looked over by the engine: its answer is empty. *seen* is
    what the text shows at a glance, where that is known already.
    """

    text: str
    accept: str | None = None
    form: str | None = None
    default_graphs: tuple[str, ...] | None = None
    named_graphs: tuple[str, ...] | None = None
    client: str | None = None
    reserved: bool = False
    dry: bool = False
    seen: scan.Scan | None = field(default=None, compare=False, repr=False)

    def scanned(self, limits: Limits) -> scan.Scan:
        """What its text shows at a glance; raises what ``scan`` does."""
        return self.seen or scan.scan(self.text, limits)

    def message(self, seen: scan.Scan) -> dict[str, Any]:
        """What a worker needs of it, and of what was *seen* in its text."""
        return {
            "text": self.text,
            "accept": self.accept,
            "form": self.form,
            "default_graphs": self.default_graphs,
            "named_graphs": self.named_graphs,
            "clauses": seen.has_clauses,
            "star": seen.has_star,
            "dry": self.dry,
        }


@dataclass(frozen=True)
class Answer:
    """A whole answer: its bytes, the ``Content-Type`` that they have, what kind it is, and how long it took.

    *waited* is the part of *milliseconds* that went by before a worker was free: 0 where one was at once. *rows* are
    the rows or triples in it, None where nobody counted.
    """

    body: bytes
    media_type: str
    kind: formats.Kind
    milliseconds: float
    waited: float = 0.0
    rows: int | None = None


@dataclass(frozen=True)
class Statistics:
    """Where a pool stands now (*workers*, *idle*, *waiting*), and what became of all that it was asked.

    *killed* counts the workers that ended under a query, by reason: ``time``, ``memory``, ``stack``, ``left`` (the
    asker had gone), ``lost`` (killed from outside, or by a fault).
    """

    workers: int
    idle: int
    waiting: int
    restarts: int
    retried: int
    open: Counts
    reserved: Counts
    killed: Mapping[str, int]


class Asker(Protocol):
    """Whatever answers queries; ``Pool`` does."""

    limits: Limits

    @property
    def dataset(self) -> Description:
        """What it answers from."""

    async def asking(self, request: Request, cancelled: Callable[[], bool] | None = None) -> Answer:
        """The whole answer, or a FoedusError; waits as ``waiting`` knows it.

        *cancelled* is looked at five times a second, and whenever it is carried on; once it is true, the query is
        given up and Cancelled is raised.
        """

    def ask(self, request: Request, cancelled: Callable[[], bool] | None = None) -> Answer:
        """The whole answer, or a FoedusError; this thread waits for it."""
        return waiting.run(self.asking(request, cancelled))


class _Worker:
    """The pool's end of one worker; *cause* is the signal that ended it once *gone* is set.

    *starved* says that the kernel was out of memory when it ended; *condemned* that it ended because we said so.
    """

    def __init__(self, pid: int, channel: socket.socket, body: int) -> None:
        self.pid = pid
        self.channel = channel
        self.body = body
        self.reader = wire.Reader(channel)
        self.gone = Signal()
        self.cause = 0
        self.starved = False
        self.condemned = False

    def take_body(self, size: int) -> bytes:
        """The answer's bytes; the file's memory is freed."""
        pieces, at = [], 0
        while at < size and (piece := os.pread(self.body, size - at, at)):
            pieces.append(piece)
            at += len(piece)
        os.ftruncate(self.body, 0)
        return b"".join(pieces)

    def close(self) -> None:
        self.channel.close()
        os.close(self.body)


class Pool(Asker):
    """A context manager around the worker processes; ``ask`` may be called from any number of threads."""

    def __init__(self, source: Path | tuple[Path, ...], limits: Limits | None = None) -> None:
        self.source = source
        self.limits = limits or Limits()
        self._change = threading.Condition()
        self._gate: Gate[_Worker] = Gate(self.limits)
        self._gate.close(_restarting())
        self._workers: dict[int, _Worker] = {}
        self._killed = Counter(dict.fromkeys(KILLED, 0))
        self._restarts = 0
        self._retried = 0
        self._starved = _out_of_memory()
        self._description: Description | None = None
        self._failure: FoedusError | None = None
        self._closing = False
        self._control: socket.socket | None = None
        self._parent: subprocess.Popen[bytes] | None = None
        self._keeper = threading.Thread(target=self._keep, name="foedus-pool", daemon=True)

    def start(self) -> None:
        """Begin to load, which another process does; nobody need wait for it yet."""
        if not self._keeper.is_alive():
            self._keeper.start()

    def __enter__(self) -> Self:
        """Start, and wait until a worker is there; DatasetRefused, CannotRead or CannotServe if none will be."""
        self.start()
        with self._change:
            self._change.wait_for(lambda: self._workers or self._failure)
            failure = self._failure
        if failure:
            self.close()
            raise failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End every process of the pool; askers that still wait get Busy."""
        with self._change:
            self._closing = True
            self._gate.close(_restarting())
            if self._control:
                self._control.shutdown(socket.SHUT_RDWR)
            self._change.notify_all()
        self._keeper.join()

    @property
    def dataset(self) -> Description:
        """What is served. Changes only when the pool restarts on a dataset that was built anew."""
        if self._description is None:
            raise _restarting()
        return self._description

    async def asking(self, request: Request, cancelled: Callable[[], bool] | None = None) -> Answer:
        """Answer *request* wholly, or raise the FoedusError that says why not.

        Once *cancelled* is true, the worker is freed. A query whose worker is killed from outside is put to another
        one, once.
        """
        started = time.monotonic()
        seen = request.scanned(self.limits)
        if seen.kind and not request.dry:
            # Before any work is done: a format that does not fit.
            formats.choose(seen.kind, request.accept, request.form)
        waited = 0.0
        for is_last in (False, True):
            held = await self._hand(request, seen, cancelled)
            waited += held.waited
            worker, fit = held.place, False
            try:
                heard = await self._hear(worker, cancelled)
                if heard is None:
                    if (error := await self._obituary(worker)) or is_last:
                        raise error or Busy("The process that answered was killed.", "Try again in a few seconds.")
                    with self._change:
                        self._retried += 1
                    continue
                header, body = heard
                fit = not header["leaves"]
                if "error" in header:
                    raise errors.of_message(header)
                if header["file"]:
                    await ELSEWHERE
                    body = worker.take_body(header["file"])
            finally:
                self._give_back(held, fit)
            took = time.monotonic() - started
            return Answer(body, header["type"], header["kind"], 1000 * took, 1000 * waited, header["rows"])
        raise AssertionError("the second of two tries returns or raises")

    def statistics(self) -> Statistics:
        """Where the pool stands now, and what it did since it was made."""
        with self._change:
            return Statistics(
                workers=len(self._workers),
                idle=len(self._gate.idle),
                waiting=self._gate.waiting,
                restarts=self._restarts,
                retried=self._retried,
                open=self._gate.counts(reserved=False),
                reserved=self._gate.counts(reserved=True),
                killed=dict(self._killed),
            )

    # ── one worker ──

    def _give_back(self, held: Held[_Worker], fit: bool) -> None:
        worker = held.place
        with self._change:
            fit = fit and not self._closing and self._workers.get(worker.pid) is worker
            self._gate.give(held, back=fit)
        if not fit:
            worker.close()

    async def _hand(self, request: Request, seen: scan.Scan, cancelled: Callable[[], bool] | None) -> Held[_Worker]:
        """A worker that *request* was sent to; one that died while it was idle is passed over."""
        message = request.message(seen)
        while True:
            held = await self._gate.take(request.client, request.reserved, cancelled)
            try:
                wire.send(held.place.channel, message)
            except ConnectionError:
                self._give_back(held, fit=False)
            else:
                return held

    async def _hear(self, worker: _Worker, cancelled: Callable[[], bool] | None) -> tuple[dict[str, Any], bytes] | None:
        """What *worker* answers within the time limit, None where it ended; kills it when the time is over."""
        until = time.monotonic() + self.limits.time_limit
        handle = worker.channel.fileno()
        while True:
            await Wait(handle, next_look(until, cancelled))
            try:
                while (heard := worker.reader.read(socket.MSG_DONTWAIT)) is None:
                    pass
            except BlockingIOError:
                # Nothing, or not all of it, is there yet.
                pass
            except ConnectionError:
                return None
            else:
                return heard
            if time.monotonic() >= until:
                self._kill(worker, "time")
                raise QueryTooSlow(
                    f"The query took longer than {self.limits.time_limit:g} s and was stopped.",
                    "Narrow it or add a LIMIT, or take the whole dataset from /download.",
                )
            if cancelled and cancelled():
                self._kill(worker, "left")
                raise Cancelled("The asker left while the query ran.")

    async def _obituary(self, worker: _Worker) -> FoedusError | None:
        """Why *worker* died under a query; None where the query is not to blame, as far as can be told."""
        await happens(worker.gone, time.monotonic() + _VERDICT)
        if worker.cause == signal.SIGSEGV:
            self._count("stack")
            return BadQuery("The query is nested too deeply for the engine.", "Flatten it, or ask in several queries.")
        # A memory limit ends in an abort; a kill is the kernel's, out of memory, or somebody else's.
        if worker.cause == signal.SIGABRT or (worker.cause == signal.SIGKILL and worker.starved):
            self._count("memory")
            return AnswerTooLarge(
                f"The query needed more than {self.limits.memory // MIB} MiB of memory and was stopped.",
                "Narrow it or add a LIMIT, or take the whole dataset from /download.",
            )
        self._count("lost")
        return None

    def _count(self, reason: str) -> None:
        with self._change:
            self._killed[reason] += 1

    def _kill(self, worker: _Worker, reason: str) -> None:
        with self._change:
            self._killed[reason] += 1
            if self._control and self._workers.get(worker.pid) is worker:
                worker.condemned = True
                try:
                    wire.tell(self._control, {"kill": worker.pid})
                except OSError:
                    # The parent is gone, and its workers with it.
                    return

    # ── the parent ──

    def _keep(self) -> None:
        """Start the parent, listen to it until it ends, start it again; the life of the keeper's thread."""
        pause = 0.0
        while True:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with ours:
                with theirs:
                    self._parent = self._start(theirs)
                if self._parent:
                    with self._change:
                        self._control = ours
                        if self._closing:
                            ours.shutdown(socket.SHUT_RDWR)
                    self._listen(ours)
                with self._change:
                    self._control = None
            if self._parent:
                _end(self._parent)
            with self._change:
                was_well = self._description is not None
                self._forget_workers()
                self._restarts += was_well
                if not was_well and self._failure is None:
                    self._failure = _why_not_started(self._parent)
                # A parent that was well is replaced at once; one that keeps failing, ever more slowly.
                pause = 0.0 if was_well else min(_LONGEST_PAUSE, 2 * pause or 0.5)
                if self._change.wait_for(lambda: self._closing, pause):
                    return

    def _start(self, theirs: socket.socket) -> subprocess.Popen[bytes] | None:
        arguments = [str(theirs.fileno()), str(self.limits.stack)]
        try:
            return subprocess.Popen(
                [sys.executable, "-P", "-m", "foedus.query.parent", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env=memory.environment(),
                # A Ctrl-C at the terminal is for this process, which then ends the others in order.
                process_group=0,
            )
        except OSError:
            return None

    def _listen(self, control: socket.socket) -> None:
        """Tell the parent what to serve, and keep the list of workers by what it says."""
        source = [str(path) for path in self.source] if isinstance(self.source, tuple) else str(self.source)
        try:
            wire.tell(control, {"source": source, "limits": asdict(self.limits)})
        except OSError:
            return
        while (heard := wire.hear(control)) is not None:
            message, handles = heard
            with self._change:
                if "worker" in message:
                    worker = _Worker(message["worker"], socket.socket(fileno=handles[0]), handles[1])
                    self._workers[worker.pid] = worker
                    self._gate.add(worker)
                    self._failure = None
                    if not self._closing:
                        self._gate.open()
                elif "gone" in message:
                    self._mourn(message["gone"], message["signal"])
                elif "dataset" in message:
                    self._description = Description(**message["dataset"])
                elif "error" in message:
                    self._failure = errors.of_message(message)
                    self._gate.close(Busy(self._failure.message, "Try again in a few seconds."))
                self._change.notify_all()

    def _mourn(self, pid: int, cause: int) -> None:
        """Strike a dead worker off; one that was asked something is closed by the thread that asked."""
        worker = self._workers.pop(pid)
        worker.cause = cause
        if cause == signal.SIGKILL and not worker.condemned:
            before, self._starved = self._starved, _out_of_memory()
            worker.starved = self._starved > before
        worker.gone.happen()
        if self._gate.discard(worker):
            worker.close()

    def _forget_workers(self) -> None:
        """After the parent's end: its workers died with it."""
        self._description = None
        self._gate.close(_restarting())
        for pid in list(self._workers):
            self._mourn(pid, 0)
        self._change.notify_all()


def _end(parent: subprocess.Popen[bytes]) -> None:
    """Reap the parent, which ends by itself when its control channel is closed."""
    try:
        parent.wait(5)
    except subprocess.TimeoutExpired:
        parent.kill()
        parent.wait()


def _out_of_memory() -> int:
    """How often the kernel killed a process because memory was out; 0 where it does not say."""
    try:
        lines = Path("/proc/vmstat").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)


def _why_not_started(parent: subprocess.Popen[bytes] | None) -> FoedusError:
    """What a parent that ended without a word died of: while it loads, an abort or a kill is for want of memory."""
    if parent and parent.returncode in (-signal.SIGABRT, -signal.SIGKILL):
        return memory.does_not_fit()
    return CannotServe("The query processes do not start.", "Free some memory and try again.")


def _restarting() -> Busy:
    return Busy("The query processes are restarting.", "Try again in a few seconds.")
