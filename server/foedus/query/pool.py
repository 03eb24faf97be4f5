"""The pool of worker processes: ask it a query and get a whole answer, or one clear error.

The pool's own process never parses SPARQL with the engine. It starts ``parent``, which loads the dataset and forks the
workers; each worker is one socket for requests and one unlinked file for the answer's bytes. A worker that is over its
time is killed, one that is over its memory or its stack dies of it; ``parent`` replaces it, and nobody else notices.
"""

import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from foedus import errors
from foedus.errors import AnswerTooLarge, BadQuery, Busy, Cancelled, CannotServe, FoedusError, QueryTooSlow
from foedus.query import formats, scan, wire
from foedus.query.dataset import Description
from foedus.query.limits import MIB, Limits

_LOOK = 0.1
"""Seconds between two looks at whether the asker has left."""
_VERDICT = 2.0
"""Seconds to wait for the word on what a worker died of."""
_LONGEST_PAUSE = 30.0
"""Seconds between two starts of a parent that keeps failing, at most."""


@dataclass(frozen=True)
class Request:
    """A query: its text, and how to write the answer (*form*, a format's name, goes before an *accept* header).

    *default_graphs* and *named_graphs*, where not None, are the protocol's parameters and override the text's ``FROM``.
    """

    text: str
    accept: str | None = None
    form: str | None = None
    default_graphs: tuple[str, ...] | None = None
    named_graphs: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Answer:
    """A whole answer: its bytes, the ``Content-Type`` that they have, what kind it is, and how long it took."""

    body: bytes
    media_type: str
    kind: formats.Kind
    milliseconds: float


class Asker(Protocol):
    """Whatever answers queries; ``Pool`` does."""

    limits: Limits

    @property
    def dataset(self) -> Description:
        """What it answers from."""

    def ask(self, request: Request, cancelled: Callable[[], bool] | None = None) -> Answer:
        """The whole answer, or a FoedusError."""


class _Worker:
    """The pool's end of one worker; *cause* is the signal that ended it once *gone* is set."""

    def __init__(self, pid: int, channel: socket.socket, body: int) -> None:
        self.pid = pid
        self.channel = channel
        self.body = body
        self.gone = threading.Event()
        self.cause = 0

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


class Pool:
    """A context manager around the worker processes; ``ask`` may be called from any number of threads."""

    def __init__(self, source: Path | tuple[Path, ...], limits: Limits | None = None) -> None:
        self.source = source
        self.limits = limits or Limits()
        self._change = threading.Condition()
        self._idle: list[_Worker] = []
        self._workers: dict[int, _Worker] = {}
        self._waiting: deque[object] = deque()
        self._description: Description | None = None
        self._failure: FoedusError | None = None
        self._closing = False
        self._control: socket.socket | None = None
        self._parent: subprocess.Popen[bytes] | None = None
        self._keeper = threading.Thread(target=self._keep, name="foedus-pool", daemon=True)

    def __enter__(self) -> Self:
        """Start, and wait until a worker is there; DatasetRefused, CannotRead or CannotServe if none will be."""
        self._keeper.start()
        with self._change:
            self._change.wait_for(lambda: self._idle or self._failure)
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

    def ask(self, request: Request, cancelled: Callable[[], bool] | None = None) -> Answer:
        """Answer *request* wholly, or raise the FoedusError that says why not.

        *cancelled* is looked at ten times a second while the answer is waited for; once it is true, the worker is
        freed and Cancelled is raised.
        """
        started = time.monotonic()
        seen = scan.scan(request.text, self.limits)
        if seen.kind:
            # Before any work is done: a format that does not fit.
            formats.choose(seen.kind, request.accept, request.form)
        worker = self._hand(asdict(request), cancelled)
        fit = False
        try:
            header = self._hear(worker, cancelled)
            fit = not header["leaves"]
            if "error" in header:
                raise _as_error(header)
            body = worker.take_body(int(header["bytes"]))
        finally:
            self._give_back(worker, fit)
        return Answer(body, str(header["type"]), header["kind"], (time.monotonic() - started) * 1000)

    # ── one worker ──

    def _take(self, cancelled: Callable[[], bool] | None) -> _Worker:
        """A free worker; Busy if none is free in time, too many wait, or the pool restarts."""
        until = time.monotonic() + self.limits.queue_wait
        me = object()
        with self._change:
            if not self._idle and len(self._waiting) >= self.limits.queue:
                raise Busy(f"{len(self._waiting)} queries are waiting already.", "Try again in a few seconds.")
            self._waiting.append(me)
            try:
                while True:
                    if self._closing or self._description is None:
                        raise _restarting()
                    if self._idle and self._waiting[0] is me:
                        return self._idle.pop()
                    left = until - time.monotonic()
                    if left <= 0:
                        raise Busy(
                            f"No worker became free within {self.limits.queue_wait:g} s.", "Try again in a few seconds."
                        )
                    if cancelled and cancelled():
                        raise Cancelled("The asker left while waiting for a worker.")
                    self._change.wait(min(left, _LOOK) if cancelled else left)
            finally:
                self._waiting.remove(me)
                self._change.notify_all()

    def _give_back(self, worker: _Worker, fit: bool) -> None:
        with self._change:
            if fit and not self._closing and self._workers.get(worker.pid) is worker:
                self._idle.append(worker)
                self._change.notify_all()
                return
        worker.close()

    def _hand(self, message: dict[str, Any], cancelled: Callable[[], bool] | None) -> _Worker:
        """A worker that *message* was sent to; one that died while it was idle is passed over."""
        while True:
            worker = self._take(cancelled)
            try:
                wire.send(worker.channel, message)
            except ConnectionError:
                self._give_back(worker, fit=False)
            else:
                return worker

    def _hear(self, worker: _Worker, cancelled: Callable[[], bool] | None) -> dict[str, Any]:
        """What *worker* answers within the time limit; kills it when that is over."""
        until = time.monotonic() + self.limits.time_limit
        poll = select.poll()
        poll.register(worker.channel, select.POLLIN)
        while True:
            left = until - time.monotonic()
            if left <= 0:
                self._kill(worker)
                raise QueryTooSlow(
                    f"The query took longer than {self.limits.time_limit:g} s and was stopped.",
                    "Narrow it or add a LIMIT, or take the whole dataset from /download.",
                )
            if cancelled and cancelled():
                self._kill(worker)
                raise Cancelled("The asker left while the query ran.")
            if poll.poll(1000 * (min(left, _LOOK) if cancelled else left)):
                break
        header = wire.receive(worker.channel)
        if header is None:
            raise self._obituary(worker)
        return header

    def _obituary(self, worker: _Worker) -> FoedusError:
        """Why *worker* died under a query."""
        worker.gone.wait(_VERDICT)
        if worker.cause == signal.SIGSEGV:
            return BadQuery("The query is nested too deeply for the engine.", "Flatten it, or ask in several queries.")
        if worker.cause in (signal.SIGABRT, signal.SIGKILL):
            return AnswerTooLarge(
                f"The query needed more than {self.limits.memory // MIB} MiB of memory and was stopped.",
                "Narrow it or add a LIMIT, or take the whole dataset from /download.",
            )
        return _restarting()

    def _kill(self, worker: _Worker) -> None:
        with self._change:
            if self._control and self._workers.get(worker.pid) is worker:
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
                if not was_well and self._failure is None:
                    self._failure = CannotServe("The query processes do not start.", "Free some memory and try again.")
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
                    self._idle.append(worker)
                elif "gone" in message:
                    self._mourn(message["gone"], message["signal"])
                elif "dataset" in message:
                    self._description = Description(**message["dataset"])
                    self._failure = None
                elif "error" in message:
                    self._failure = _as_error(message)
                self._change.notify_all()

    def _mourn(self, pid: int, cause: int) -> None:
        """Strike a dead worker off; one that was asked something is closed by the thread that asked."""
        worker = self._workers.pop(pid)
        worker.cause = cause
        worker.gone.set()
        if worker in self._idle:
            self._idle.remove(worker)
            worker.close()

    def _forget_workers(self) -> None:
        """After the parent's end: its workers died with it."""
        self._description = None
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


def _restarting() -> Busy:
    return Busy("The query processes are restarting.", "Try again in a few seconds.")


def _as_error(message: dict[str, Any]) -> FoedusError:
    """The error that a worker or the parent put into a message."""
    kind = getattr(errors, str(message["error"]))
    error: FoedusError = kind(message["message"], message["remedy"], message["line"], message["column"])
    return error
