"""A worker: a forked, disposable process that answers one query after the other and can do nothing else."""

import errno
import gc
import os
import resource
import select
import socket
from typing import Any

from foedus import files
from foedus.confinement import confine
from foedus.errors import AnswerTooLarge, FoedusError
from foedus.query import memory, wire
from foedus.query import store as engine
from foedus.query.limits import MIB, Limits
from foedus.query.pool import Request


def run(loaded: engine.Loaded, limits: Limits, parent: int, channel: socket.socket, body: int) -> None:
    """Answer what *channel* asks, into the file *body*, until the other side of *channel* has gone.

    Called in the forked child of the process *parent*; ends the process.
    """
    try:
        _give_up_rights(limits, parent, (channel.fileno(), body))
        reader = wire.Reader(channel)
        while True:
            if (received := reader.read()) is None:
                continue
            message, _ = received
            written = _Body(body, min(wire.SMALL, limits.answer))
            answered = _answer(loaded, limits, message, written)
            # A worker that has grown much hands its memory back by ending; the parent forks a fresh one.
            answered["leaves"] = answered.get("leaves", False) or _peak() > _START["peak"] + limits.memory // 4
            wire.send(channel, answered, b"".join(written.held))
            if answered["leaves"]:
                break
            _rest(channel)
    except (MemoryError, KeyboardInterrupt):
        os.abort()
    except OSError:
        pass
    finally:
        os._exit(0)


def _rest(channel: socket.socket) -> None:
    """Wait for the next message; after a second without one, take no more where this process has touched much memory.

    The engine counts references in the very memory that it reads, so that what a query reads is copied for its worker.
    While there is work, that saves doing it again. At rest the copies go with their worker, and all workers together
    take little more than one. What was sent before is still answered; who sends now is told, and asks another worker.
    """
    if memory.touched() <= _START["touched"] + _SPARE or select.select([channel], [], [], _REST)[0]:
        return
    channel.shutdown(socket.SHUT_RD)


_SPARE = 4 * MIB
"""Bytes that a worker may have of its own at rest, beyond what Python takes to begin."""
_REST = 1.0
_START = {"peak": 0, "touched": 0}


def _peak() -> int:
    """The most memory, in bytes, that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _give_up_rights(limits: Limits, parent: int, keep: tuple[int, int]) -> None:
    """Bind this process to its parent's life and to its limits, and leave it no file but its two."""
    gc.disable()
    confine(parent, keep, limits.memory, limits.answer)
    _START.update(peak=_peak(), touched=memory.touched())


class _Body:
    """An answer: *held* while it is small, and from then on in the file *handle*, whose size the kernel limits."""

    def __init__(self, handle: int, small: int) -> None:
        self.handle = handle
        self.small = small
        self.held: list[bytes] = []
        self.size = 0

    @property
    def in_file(self) -> int:
        """The bytes of the answer that are in the file: all, or none."""
        return self.size if self.size > self.small else 0

    def write(self, data: bytes) -> int:
        before = self.size
        self.size += len(data)
        if self.size <= self.small:
            self.held.append(data)
            return len(data)
        if before <= self.small:
            os.ftruncate(self.handle, 0)
            os.lseek(self.handle, 0, os.SEEK_SET)
            files.put(self.handle, b"".join(self.held))
            self.held.clear()
        files.put(self.handle, data)
        return len(data)

    def drop(self) -> None:
        """Forget what was written."""
        if self.in_file:
            os.ftruncate(self.handle, 0)
        self.held.clear()

    def flush(self) -> None:
        """Nothing is held back."""


def _answer(loaded: engine.Loaded, limits: Limits, message: dict[str, Any], body: _Body) -> dict[str, Any]:
    """The header of the answer to *message*, which is in *body* then, or of its refusal."""
    try:
        done = engine.answer(loaded, _request(message), body, message["clauses"], message["star"])
        return {"kind": done.kind, "type": done.content_type, "rows": done.rows, "file": body.in_file}
    except FoedusError as error:
        body.drop()
        return error.as_message()
    except OSError as error:
        if error.errno != errno.EFBIG:
            raise
        body.drop()
        return AnswerTooLarge(
            f"The answer is larger than {limits.answer // MIB or limits.answer / MIB:.3g} MiB.",
            "Add a LIMIT, or take the whole dataset from /download.",
        ).as_message()
    except MemoryError:
        raise
    except BaseException as error:
        body.drop()
        # A panic of the engine arrives as a BaseException of its own; the process is not trusted afterwards.
        failed = FoedusError(f"The engine failed on this query ({type(error).__name__}).", "Write it another way.")
        return {**failed.as_message(), "leaves": True}


def _request(message: dict[str, Any]) -> Request:
    default, named = message["default_graphs"], message["named_graphs"]
    return Request(
        text=message["text"],
        accept=message["accept"],
        form=message["form"],
        default_graphs=None if default is None else tuple(default),
        named_graphs=None if named is None else tuple(named),
        dry=message["dry"],
    )
