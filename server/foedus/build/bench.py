"""Judge documents for the web side, each in a process of its own, beside content that is made ready once.

Started by ``foedus.web.checking`` as ``python -m foedus.build.bench FD``: its end of the control channel. Each packet
there brings a document, a file for the report, and a channel to say on how it went; when the asker closes that, the
process at work is ended. Single-threaded, like the parent of the query workers. It ends when the control channel is
closed, and by itself after a minute without work, so that the memory of what was made ready is free again.
"""

import json
import os
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from foedus import files
from foedus.build import apart, judging, strangers
from foedus.build.judging import Ground
from foedus.errors import Busy, DataHasFindings, FoedusError

COST = apart.Cost()
"""What one document may cost."""

IDLE = 60.0
"""Seconds without work after which this process ends."""

NICE = 5
"""By how much the queries of others go first."""

_LARGEST_PACKET = 1 << 12


@dataclass(frozen=True)
class _Job:
    """A process at work: its id, the channel of who asked, and until when it may go on."""

    pid: int
    channel: socket.socket
    until: float


def main(control_handle: int) -> None:
    """Serve the control channel until it is closed, or nothing comes any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICE)
    with socket.socket(fileno=control_handle) as control:
        control.set_inheritable(False)
        _Bench(control, _ready()).serve()


def _ready() -> Ground | FoedusError:
    """The shipped content, made ready, or why it is not."""
    try:
        return judging.ground(files.ROOT)
    except DataHasFindings as error:
        return FoedusError(error.message, "Run “foedus check” on the server.")
    except FoedusError as error:
        return error


class _Bench:
    """Begins and ends the processes that judge."""

    def __init__(self, control: socket.socket, ground: Ground | FoedusError) -> None:
        self.control = control
        self.ground = ground
        self.jobs: dict[int, _Job] = {}
        """Each process at work, by its descriptor."""

    def serve(self) -> None:
        """Begin, wait, tell, until the control channel is closed or this has been idle for long."""
        listening = True
        try:
            while listening or self.jobs:
                poll = select.poll()
                for handle, job in self.jobs.items():
                    poll.register(handle, select.POLLIN)
                    # Nothing is ever sent to us on it: what comes is its end.
                    poll.register(job.channel, select.POLLIN)
                if listening:
                    poll.register(self.control, select.POLLIN)
                ready = {handle for handle, _ in poll.poll(1000 * self.patience())}
                if not ready and not self.jobs:
                    # What was sent before this is still heard; who sends from now on is told.
                    self.control.shutdown(socket.SHUT_RD)
                if self.control.fileno() in ready:
                    listening = self.hear()
                self.attend(ready)
        finally:
            for job in self.jobs.values():
                os.kill(job.pid, signal.SIGKILL)

    def patience(self) -> float:
        """Seconds until something is due, though nobody says anything."""
        if not self.jobs:
            return IDLE
        return max(0.0, min(job.until for job in self.jobs.values()) - time.monotonic())

    def attend(self, ready: set[int]) -> None:
        """See to the processes that ended, whose asker left, or whose time is over."""
        for handle, job in list(self.jobs.items()):
            has_ended, is_late = handle in ready, time.monotonic() >= job.until
            if not has_ended and (is_late or job.channel.fileno() in ready):
                os.kill(job.pid, signal.SIGKILL)
            elif not has_ended:
                continue
            self.end(handle, job, is_late and not has_ended)

    def hear(self) -> bool:
        """Take what the other side sends; False where it has gone."""
        try:
            packet, handles, _, _ = socket.recv_fds(self.control, _LARGEST_PACKET, 3)
        except ConnectionError:
            return False
        if not packet:
            return False
        channel, document, report = handles
        try:
            self.begin(json.loads(packet), socket.socket(fileno=channel), document, report)
        finally:
            os.close(document)
            os.close(report)
        return True

    def begin(self, asked: dict[str, Any], channel: socket.socket, document: int, report: int) -> None:
        """Begin a process for what is *asked*, or say why not."""
        if isinstance(self.ground, FoedusError):
            _tell(channel, self.ground)
            return
        ground = self.ground
        try:
            pid = apart.begin(lambda: _judged(ground, document, asked), COST, report, (document,))
        except OSError as error:
            reason = f"No process that checks can be started: {error.strerror}."
            _tell(channel, Busy(reason, "Try again in a few seconds."))
            return
        self.jobs[os.pidfd_open(pid)] = _Job(pid, channel, time.monotonic() + COST.patience)

    def end(self, handle: int, job: _Job, too_slow: bool) -> None:
        """Reap a process, and say how it went."""
        _, status = os.waitpid(job.pid, 0)
        os.close(handle)
        del self.jobs[handle]
        _tell(job.channel, apart.ended(status, COST, too_slow), apart.was_refused(status))


def _judged(ground: Ground, document: int, asked: dict[str, Any]) -> str:
    """The report on the *document* in the form that was *asked* for; in the process at work."""
    content = os.pread(document, os.fstat(document).st_size, 0)
    read = strangers.read(content, strangers.SYNTAXES[asked["syntax"]], "document", strangers.Allowance())
    judgement = judging.judge(ground, (read,))
    return judgement.turtle() if asked["form"] == "ttl" else judgement.json()


def _tell(channel: socket.socket, error: FoedusError | None, was_refused: bool = False) -> None:
    """Say how it went: that the report is there, that an error is in its place, or *error*; then close."""
    said = {"refused": was_refused} if error is None else error.as_message()
    with channel, suppress(OSError):
        channel.send(json.dumps(said).encode())


if __name__ == "__main__":
    main(int(sys.argv[1]))
