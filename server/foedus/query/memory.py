"""How much memory is free, and loading within it: a dataset that does not fit is refused before the machine swaps."""

import os
import resource
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from foedus.errors import DatasetTooLarge
from foedus.query.limits import shown_size

_KEPT = "glibc.malloc.tcache_count"
_REMEDY = "Free some memory, serve less data, or use an engine that keeps its data on disk: --engine URL."


def free() -> int | None:
    """Bytes that can be taken without swapping: what the kernel deems available, and the control group leaves."""
    known = [amount for amount in (_available(), _left_in_group()) if amount is not None]
    return min(known) if known else None


def does_not_fit() -> DatasetTooLarge:
    """The error for a dataset that was found too large while it was loaded."""
    return DatasetTooLarge("The dataset does not fit into the memory that is free.", _REMEDY)


def refuse_what_cannot_fit(files: Iterable[Path]) -> None:
    """Raise DatasetTooLarge where *files* cannot fit: a store takes about twice their text, where it is N-Quads."""
    size = 0
    for each in files:
        # What cannot be read is told by who reads it.
        with suppress(OSError):
            size += each.stat().st_size
    most = free()
    if most is not None and 2 * size > most:
        raise DatasetTooLarge(
            f"The dataset has {shown_size(size)} and needs twice that at least; {shown_size(most)} of memory are free.",
            _REMEDY,
        )


@contextmanager
def no_more_than_is_free() -> Iterator[None]:
    """Let this process take no more address space than there is free memory; what asks for more fails or aborts."""
    most = free()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = [] if most is None else [_taken() + most]
    limit += [each for each in (soft, hard) if each != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min(limit, default=resource.RLIM_INFINITY), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def environment() -> dict[str, str]:
    """That of a process whose C library is to keep more freed pieces at hand, for what it allocates next.

    The engine makes a plan of some thousand small pieces for each query and drops it again. glibc keeps seven of a size
    by itself and looks for the others in its heap; with room for a few hundred, queries take up to a third of their
    time less. What the administrator has set stays, and another C library takes no notice.
    """
    given = os.environ.get("GLIBC_TUNABLES", "")
    if _KEPT in given:
        return dict(os.environ)
    return {**os.environ, "GLIBC_TUNABLES": ":".join(filter(None, (given, f"{_KEPT}=512")))}


def touched() -> int:
    """Bytes of all pages that the kernel ever gave to this process or copied for it."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt * resource.getpagesize()


def _taken() -> int:
    """Bytes of address space of this process."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def _available() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)


def _left_in_group() -> int | None:
    """What the control group (version 2) of this process may still take; None without a limit."""
    try:
        groups = Path("/proc/self/cgroup").read_text().splitlines()
        name = next(line[3:] for line in groups if line.startswith("0::"))
        folder = Path("/sys/fs/cgroup") / name.lstrip("/")
        return int((folder / "memory.max").read_text()) - int((folder / "memory.current").read_text())
    except (OSError, StopIteration, ValueError):
        return None
