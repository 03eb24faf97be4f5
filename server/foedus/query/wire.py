"""What the processes say to each other: small JSON messages, counted on a stream, one by one on the control channel."""

import json
import socket
import struct
from typing import Any

_LENGTH = struct.Struct(">I")
_LARGEST_CONTROL = 1 << 16


def send(channel: socket.socket, message: dict[str, Any]) -> None:
    """Send *message* with its length before it."""
    content = json.dumps(message).encode()
    channel.sendall(_LENGTH.pack(len(content)) + content)


def receive(channel: socket.socket) -> dict[str, Any] | None:
    """The next message, waiting for it; None when the other side has gone."""
    length = _exactly(channel, _LENGTH.size)
    content = length and _exactly(channel, _LENGTH.unpack(length)[0])
    return dict(json.loads(content)) if content else None


def _exactly(channel: socket.socket, size: int) -> bytes | None:
    received = b""
    while len(received) < size:
        try:
            piece = channel.recv(size - len(received))
        except ConnectionError:
            return None
        if not piece:
            return None
        received += piece
    return received


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
