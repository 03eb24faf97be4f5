"""The parent of the workers: loads the dataset once, forks workers, replaces those that end. Single-threaded.

Started by ``pool`` as ``python -m foedus.query.parent FD STACK``: its end of the control channel, and the bytes of
stack to restart itself with. The first packet that it hears says what to load and the limits. It ends, and its workers
with it, when the channel is closed.
"""

import gc
import os
import resource
import select
import signal
import socket
import sys
from contextlib import ExitStack
from pathlib import Path

from foedus.errors import CannotServe, FoedusError
from foedus.query import dataset, memory, wire, worker
from foedus.query import store as engine
from foedus.query.limits import Limits
from foedus.query.pool import Request

_PAUSE = 500
"""Milliseconds before a fork that failed is tried again."""


def main(control_handle: int) -> None:
    """Serve the control channel until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    control = socket.socket(fileno=control_handle)
    control.set_inheritable(False)
    heard = wire.hear(control)
    if heard is None:
        return
    wanted = heard[0]
    limits = Limits(**wanted["limits"])
    given = wanted["source"]
    source = tuple(Path(each) for each in given) if isinstance(given, list) else Path(given)
    try:
        memory.refuse_what_cannot_fit(
            dataset.rdf_files(source) if isinstance(source, tuple) else [source / dataset.DATASET]
        )
        with memory.no_more_than_is_free():
            loaded, description = engine.open_source(source)
        _warm_up(loaded)
    except FoedusError as error:
        wire.tell(control, error.as_message())
        return
    except MemoryError:
        wire.tell(control, memory.does_not_fit().as_message())
        return
    except OSError as error:
        failed = CannotServe(f"The dataset cannot be loaded: {error}.", "Free some memory.")
        wire.tell(control, failed.as_message())
        return
    wire.tell(control, {"dataset": description.as_json()})
    gc.collect()
    gc.freeze()
    Parent(control, loaded, limits).serve()


def _warm_up(loaded: engine.Loaded) -> None:
    """Answer once in every kind, so that nothing is imported for the first time where no file can be opened."""

    class Nowhere:
        def write(self, data: bytes) -> int:
            return len(data)

        def flush(self) -> None:
            """Nothing is held."""

    for text in ("ASK {}", "SELECT * { VALUES ?x { 1 } }", "CONSTRUCT { ?x ?x ?x } { VALUES ?x { <urn:x> } }"):
        engine.answer(loaded, Request(text), Nowhere())
    for text in ("ASK {", "SELECT (NOW() AS ?n) (RAND() AS ?r) { FILTER(REGEX('a', 'b') }"):
        try:
            engine.answer(loaded, Request(text), Nowhere())
        except FoedusError as error:
            error.as_message()


class Parent:
    """Keeps the number of workers at its limit."""

    def __init__(self, control: socket.socket, loaded: engine.Loaded, limits: Limits) -> None:
        self.control = control
        self.loaded = loaded
        self.limits = limits
        self.alive: dict[int, int] = {}
        """Each living worker's process id with its process descriptor."""

    def serve(self) -> None:
        """Fork, wait, replace, until the control channel is closed."""
        poll = select.poll()
        poll.register(self.control, select.POLLIN)
        try:
            while True:
                lacks = False
                while len(self.alive) < self.limits.workers and not lacks:
                    try:
                        poll.register(self.fork(), select.POLLIN)
                    except ConnectionError:
                        raise
                    except OSError as error:
                        lacks = True
                        self.complain(error)
                ready = {handle for handle, _ in poll.poll(_PAUSE if lacks else None)}
                for pid, handle in list(self.alive.items()):
                    if handle in ready:
                        poll.unregister(handle)
                        self.bury(pid, handle)
                if self.control.fileno() in ready:
                    heard = wire.hear(self.control)
                    if heard is None:
                        return
                    self.kill(heard[0]["kill"])
        except (BrokenPipeError, ConnectionError):
            return
        finally:
            for pid in list(self.alive):
                self.kill(pid)

    def fork(self) -> int:
        """Fork a worker, hand its two files to the other side, and return its process descriptor."""
        with ExitStack() as opened:
            ours, theirs = map(opened.enter_context, socket.socketpair())
            body = os.memfd_create("foedus-answer")
            opened.callback(os.close, body)
            parent = os.getpid()
            pid = os.fork()
            if pid == 0:
                worker.run(self.loaded, self.limits, parent, ours, body)
            try:
                handle = os.pidfd_open(pid)
            except OSError:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                raise
            self.alive[pid] = handle
            wire.tell(self.control, {"worker": pid}, (theirs.fileno(), body))
            return handle

    def complain(self, error: OSError) -> None:
        """Say that no worker can be started, if none is there."""
        if not self.alive:
            reason = f"No process that answers can be started: {error.strerror}."
            failed = CannotServe(reason, "Free some memory, or end other processes.")
            wire.tell(self.control, failed.as_message())

    def bury(self, pid: int, handle: int) -> None:
        """Reap a worker that ended and say by which signal, 0 for none."""
        _, status = os.waitpid(pid, 0)
        os.close(handle)
        del self.alive[pid]
        wire.tell(self.control, {"gone": pid, "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0})

    def kill(self, pid: int) -> None:
        """Kill a worker, if it is still one of ours: only this process reaps, so its id cannot be another's."""
        if pid in self.alive:
            os.kill(pid, signal.SIGKILL)


def with_a_large_stack(arguments: list[str]) -> None:
    """Start this program anew with the stack limit of the workers.

    The kernel lays the memory of a process out by the limit that holds when the program starts.
    """
    wanted = int(arguments[2])
    _, most = resource.getrlimit(resource.RLIMIT_STACK)
    if most != resource.RLIM_INFINITY:
        wanted = min(wanted, most)
    resource.setrlimit(resource.RLIMIT_STACK, (wanted, most))
    os.execv(sys.executable, [sys.executable, "-P", "-m", "foedus.query.parent", arguments[1]])


if __name__ == "__main__":
    if len(sys.argv) > 2:
        with_a_large_stack(sys.argv)
    main(int(sys.argv[1]))
