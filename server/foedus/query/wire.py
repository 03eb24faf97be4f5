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


def receive(channel: socket.socket) -> tuple[dict[str, Any], bytes] | None:
    """The next message and its content, waiting for them; None when the other side has gone.

    Nothing may be sent behind a message before it is answered.
    """
    received = b""
    wanted = start = _LENGTHS.size
    end = 0
    while len(received) < wanted:
        try:
            piece = channel.recv(_PIECE)
        except ConnectionError:
            return None
        if not piece:
            return None
        received = received + piece if received else piece
        if not end and len(received) >= start:
            said, content = _LENGTHS.unpack_from(received)
            end = start + said
            wanted = end + content
    return dict(json.loads(received[start:end].decode())), received[end:wanted]


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
