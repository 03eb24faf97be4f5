"""Do one thing in a process of its own, which may die of it: what strangers send is read there and nowhere else."""

import errno
import gc
import json
import os
import select
import signal
from collections.abc import Callable, Collection
from dataclasses import dataclass

from foedus import files
from foedus.confinement import confine
from foedus.errors import AnswerTooLarge, BadDocument, CheckTooSlow, FoedusError, of_message

MIB = 1 << 20

_DONE, _REFUSED, _FAILED, _TOO_LONG = range(4)


@dataclass(frozen=True)
class Cost:
    """What one check may take."""

    patience: float = 45.0
    """Seconds from its beginning to its end."""
    seconds: int = 15
    """Seconds of computing."""
    memory: int = 512 * MIB
    """Bytes of memory, beyond what was prepared."""
    report: int = 16 * MIB
    """Bytes of the report."""


AT_HOME = Cost(patience=900.0, seconds=600, memory=2048 * MIB, report=512 * MIB)
"""What a check may take on a machine of one's own."""


def run(work: Callable[[], str], cost: Cost) -> str:
    """What *work* gives, or the FoedusError that it raises; CheckTooSlow, AnswerTooLarge or BadDocument where it ends.

    For a process of one thread.
    """
    report = os.memfd_create("foedus-report")
    try:
        pid = begin(work, cost, report)
        handle = os.pidfd_open(pid)
        try:
            too_slow = not select.select([handle], [], [], cost.patience)[0]
            if too_slow:
                os.kill(pid, signal.SIGKILL)
            _, status = os.waitpid(pid, 0)
        except BaseException:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise
        finally:
            os.close(handle)
        if error := ended(status, cost, too_slow):
            raise error
        text = os.pread(report, os.fstat(report).st_size, 0).decode()
        if was_refused(status):
            raise of_message(json.loads(text))
        return text
    finally:
        os.close(report)


def begin(work: Callable[[], str], cost: Cost, report: int, keep: Collection[int] = ()) -> int:
    """Fork a process that writes what *work* gives to the file *report*, and has no other open but *keep*; its id.

    It ends with 0, or, where *work* raised a FoedusError, with 1 and that as a message in its place.
    """
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    code = _FAILED
    try:
        # What was prepared is not looked through for garbage; what is made here may be much.
        gc.freeze()
        gc.enable()
        confine(parent, (report, *keep), cost.memory, cost.report, cost.seconds)
        try:
            _write(report, work())
            code = _DONE
        except FoedusError as error:
            _write(report, json.dumps(error.as_message()))
            code = _REFUSED
    except MemoryError:
        os.abort()
    except OSError as error:
        if error.errno == errno.EFBIG:
            code = _TOO_LONG
    finally:
        os._exit(code)


def was_refused(status: int) -> bool:
    """Whether the process that ended with *status* left an error as a message."""
    return os.waitstatus_to_exitcode(status) == _REFUSED


def ended(status: int, cost: Cost, too_slow: bool) -> FoedusError | None:
    """Why a process that ended with *status* left no report; None where it did, or an error in its place."""
    code = os.waitstatus_to_exitcode(status)
    if too_slow or code == -signal.SIGXCPU:
        return CheckTooSlow(
            f"The check took longer than {cost.seconds} s and was stopped.",
            "Send less at once, or run “foedus check FILE” on a machine of your own.",
        )
    if code == -signal.SIGSEGV:
        return BadDocument("The document is nested too deeply to be read.", "Write it in a simpler way.")
    if code in (-signal.SIGABRT, -signal.SIGKILL):
        return AnswerTooLarge(
            f"The check needed more than {cost.memory // MIB} MiB of memory and was stopped.", "Send less at once."
        )
    if code == _TOO_LONG:
        return AnswerTooLarge(f"The report is longer than {cost.report // MIB} MiB.", "Send less at once.")
    if code in (_DONE, _REFUSED):
        return None
    return FoedusError("The check failed on this document.", "Please report it, with the document.")


def _write(file: int, text: str) -> None:
    os.ftruncate(file, 0)
    files.put(file, text.encode("utf-8", "surrogatepass"))
