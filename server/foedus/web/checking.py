"""Have documents judged by processes of the build side, a few at once: this process reads nothing of them.

The bench (``foedus.build.bench``) is started when the first document comes, and ends when none has come for a minute:
ready, it holds some 200 MB, which nobody pays for who asks for no check. It ends as well when this process does.
"""

import json
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from importlib.util import find_spec
from types import TracebackType
from typing import Any, Literal, Self

from foedus import files
from foedus.errors import Busy, Cancelled, NotOffered, of_message
from foedus.query import waiting, wire
from foedus.query.waiting import LOOK
from foedus.web.turns import Rules, Turns

RULES = Rules("documents", at_once=2, waiting=4, share=1, patience=5.0)
"""How many documents are judged at once, and who waits."""

LONGEST = 120.0
"""Seconds after which a bench that says nothing is given up; it keeps time itself, and is ready long before."""

Form = Literal["json", "ttl"]

_NEEDED = ("rdflib", "pyshacl")


class Bench:
    """Takes documents from any number of threads; to be closed, or left to end with this process."""

    def __init__(self) -> None:
        self.turns = Turns(RULES)
        self._starting = threading.Lock()
        self._control: socket.socket | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the processes, and what they are at."""
        with self._starting:
            if self._control:
                # It may have ended by itself.
                with suppress(OSError):
                    self._control.shutdown(socket.SHUT_RDWR)

    def judge(
        self, document: bytes, syntax: str, form: Form, client: str | None, cancelled: Callable[[], bool] | None = None
    ) -> bytes:
        """The report on *document* in *form*, or the FoedusError that says why there is none.

        Of one *client*, None being nobody in particular, one document at a time is taken.
        """
        missing = [name for name in _NEEDED if find_spec(name) is None]
        if missing:
            raise NotOffered(
                f"This server cannot check documents: {' and '.join(missing)} is not installed.",
                f"Its operator can install it: pip install {' '.join(missing)}",
            )
        with self.turns.turn(client, cancelled):
            for _ in range(2):
                # A bench that ends for want of work may do so just now; the next one is asked then.
                if (report := self._asked(document, syntax, form, cancelled)) is not None:
                    return report
        raise Busy("The process that checks has ended.", "Try again in a few seconds.")

    def _asked(self, document: bytes, syntax: str, form: Form, cancelled: Callable[[], bool] | None) -> bytes | None:
        """What the bench reports; None where it ends without a word."""
        with ExitStack() as opened:
            try:
                given, report = _file("foedus-document", opened), _file("foedus-report", opened)
                ours, theirs = _channel(opened)
            except OSError as error:
                raise _no_process() from error
            files.put(given, document)
            self._send({"syntax": syntax, "form": form}, (theirs.fileno(), given, report))
            theirs.close()
            with waiting.asleep():
                said = _hear(ours, cancelled)
            if said is None:
                return None
            if "error" in said:
                raise of_message(said)
            content = os.pread(report, os.fstat(report).st_size, 0)
            if said["refused"]:
                raise of_message(json.loads(content))
            return content

    def _send(self, message: dict[str, Any], handles: tuple[int, ...]) -> None:
        """Hand *message* and its files to the bench, which is started if there is none."""
        with self._starting:
            if self._control:
                try:
                    wire.tell(self._control, message, handles)
                except OSError:
                    self._control = None
                else:
                    return
            self._control = self._start()
            wire.tell(self._control, message, handles)

    def _start(self) -> socket.socket:
        with ExitStack() as opened:
            try:
                ours, theirs = _channel(opened)
                process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "foedus.build.bench", str(theirs.fileno())],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    pass_fds=(theirs.fileno(),),
                    # A Ctrl-C at the terminal is for this process, which then ends the others in order.
                    process_group=0,
                )
            except OSError as error:
                raise _no_process() from error
            theirs.close()
            opened.pop_all()
        threading.Thread(target=_bury, args=(process, ours), name="foedus-bench", daemon=True).start()
        return ours


def _file(name: str, opened: ExitStack) -> int:
    """A new file in memory, among what is *opened*."""
    handle = os.memfd_create(name)
    opened.callback(os.close, handle)
    return handle


def _channel(opened: ExitStack) -> tuple[socket.socket, socket.socket]:
    """Two ends for packets, both among what is *opened*."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    return opened.enter_context(ours), opened.enter_context(theirs)


def _no_process() -> Busy:
    return Busy("No process that checks can be started.", "Try again in a few seconds.")


def _bury(process: subprocess.Popen[bytes], control: socket.socket) -> None:
    """Wait for the end of *process*; the life of a thread."""
    process.wait()
    control.close()


def _hear(channel: socket.socket, cancelled: Callable[[], bool] | None) -> dict[str, Any] | None:
    """What is said on *channel*; None where it is closed without a word."""
    until = time.monotonic() + LONGEST
    listening = select.poll()
    listening.register(channel, select.POLLIN)
    while (left := until - time.monotonic()) > 0:
        if listening.poll(1000 * (min(left, LOOK) if cancelled else left)):
            heard = wire.hear(channel)
            return heard[0] if heard else None
        if cancelled and cancelled():
            raise Cancelled("The asker left while the document was checked.")
    raise Busy("The process that checks does not answer.", "Try again in a few seconds.")
