"""What the processes say to each other: small JSON messages, counted on a stream, one by one on the control channel."""

import json
import socket
import struct
from typing import Any

SMALL = 64 << 10
"""Bytes of an answer that may travel with its message; a larger one stays in the worker's file."""

_LENGTHS = struct.Struct(">II")
_PIECE = SMALL + (4 << 10)
_LARGEST_CONTROL = 1 << 16


def send(channel: socket.socket, message: dict[str, Any], content: bytes = b"") -> None:
    """Send *message* and the bytes of *content*, with the lengths of both before them."""
    said = json.dumps(message).encode()
    channel.sendall(_LENGTHS.pack(len(said), len(content)) + said + content)


class Reader:
    """Reads the messages of *channel*, each with its content. Nothing may be sent behind one before it is answered."""

    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel
        self._received = b""
        self._wanted = self._start = _LENGTHS.size
        self._end = 0

    def read(self, flags: int = 0) -> tuple[dict[str, Any], bytes] | None:
        """Read once, with *flags* as of ``recv``: the next message and its content, None while some of it is missing.

        Raises ConnectionError when the other side has gone, BlockingIOError where *flags* say not to wait.
        """
        piece = self.channel.recv(_PIECE, flags)
        if not piece:
            raise ConnectionError("the other side has gone")
        received = self._received = self._received + piece if self._received else piece
        if not self._end and len(received) >= self._start:
            said, content = _LENGTHS.unpack_from(received)
            self._end = self._start + said
            self._wanted = self._end + content
        if len(received) < self._wanted:
            return None
        message, content = dict(json.loads(received[self._start : self._end])), received[self._end : self._wanted]
        self._received, self._wanted, self._end = b"", self._start, 0
        return message, content


def tell(control: socket.socket, message: dict[str, Any], handles: tuple[int, ...] = ()) -> None:
    """Send *message*, with open files if any, as one packet of the control channel."""
    socket.send_fds(control, [json.dumps(message).encode()], list(handles))


def hear(control: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """The next packet of the control channel and the open files in it; None when the other side has gone."""
    try:
        content, handles, _, _ = socket.recv_fds(control, _LARGEST_CONTROL, 2)
    except ConnectionError:
        return None
    return (dict(json.loads(content)), handles) if content else None
