"""What a disposable process gives up before it looks at what strangers send: files, memory, and a life of its own."""

import ctypes
import os
import resource
import signal
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1
_NICENESS = 5


def confine(parent: int, keep: Collection[int], memory: int, file_size: int, seconds: int | None = None) -> None:
    """Bind this process, a fork of the process *parent*, to its parent's life and to limits, for good.

    It keeps the open files *keep*, beside the standard ones, and can open no other, nor any socket; it may take
    *memory* bytes of address space beyond what it has, write *file_size* bytes to a file, and compute for *seconds*.
    Where there are fewer cores than work, it yields to the process that answers everybody.
    """
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        # The parent died between the fork and the line above.
        os._exit(0)
    for each in (signal.SIGTERM, signal.SIGCHLD, signal.SIGHUP):
        signal.signal(each, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Writing past RLIMIT_FSIZE then fails with EFBIG and can be told, instead of ending the process.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    os.nice(_NICENESS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    space = pages * resource.getpagesize() + memory
    # Where memory runs out all the same, the kernel takes this process and nobody else.
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    after = 3
    for file in sorted(keep):
        os.closerange(after, file)
        after = file + 1
    os.closerange(after, os.sysconf("SC_OPEN_MAX"))
    resource.setrlimit(resource.RLIMIT_AS, (space, space))
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))
    if seconds is not None:
        # At the first of the two the kernel sends SIGXCPU, which tells why.
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
