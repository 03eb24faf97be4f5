"""Content codings: which one an ``Accept-Encoding`` header chooses, and what has a body in it."""

import gzip
import zlib
from collections.abc import Callable
from functools import lru_cache
from typing import Protocol

import zstandard

from foedus.errors import NotAcceptable
from foedus.query import formats
from foedus.query.waiting import give_way

SMALLEST = 1024
"""Bytes of a body from which on it is compressed: below, the client gains nothing."""

IDENTITY = "identity"
_GZIP_LEVEL = 5
_ZSTD_LEVEL = 3

_PIECE = 1 << 20
"""Bytes that are coded in one go."""


class _Encoder(Protocol):
    """What codes one body, piece by piece."""

    def compress(self, data: memoryview, /) -> bytes: ...

    def flush(self) -> bytes: ...


_ENCODERS: dict[str, Callable[[int], _Encoder]] = {
    "zstd": lambda size: zstandard.ZstdCompressor(_ZSTD_LEVEL).compressobj(size),
    # In the format of gzip, without the time of day, so that the same answer has the same bytes.
    "gzip": lambda size: zlib.compressobj(_GZIP_LEVEL, wbits=16 + zlib.MAX_WBITS),
}
_DECODERS: dict[str, Callable[[bytes], bytes]] = {"zstd": zstandard.decompress, "gzip": gzip.decompress}
CODINGS = (*_ENCODERS, IDENTITY)
"""All that is spoken, the preferred one first."""

_ALIASES = {"x-gzip": "gzip"}
# A client that takes anything may know zstd by name only.
_UNDER_WILDCARD = ("gzip", "zstd", IDENTITY)
_INCOMPRESSIBLE = ("image/", "font/", "audio/", "video/")
_COMPRESSED = frozenset(
    {
        "application/zip",
        "application/gzip",
        "application/zstd",
        "application/octet-stream",
        "application/vnd.apache.parquet",
    }
)


@lru_cache(maxsize=256)
def acceptable(header: str | None) -> tuple[str, ...]:
    """The codings of ours that *header* takes, the best first, by RFC 9110 §12.5.3.

    Not to be coded at all is acceptable unless *header* says otherwise, but liked least where it is not named. A member
    that is malformed is left out.
    """
    if header is None:
        return (IDENTITY,)
    said: dict[str, float] = {}
    for part in header.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        quality = formats.quality(parameters)
        if name and quality is not None:
            said[_ALIASES.get(name, name)] = quality

    def liking(coding: str) -> tuple[float, bool, int]:
        if coding in said:
            return said[coding], True, -CODINGS.index(coding)
        default = 0.0001 if coding == IDENTITY else 0.0
        return said.get("*", default), False, -_UNDER_WILDCARD.index(coding)

    return tuple(sorted((each for each in CODINGS if liking(each)[0] > 0), key=liking, reverse=True))


def require(header: str | None) -> tuple[str, ...]:
    """What ``acceptable`` says, or NotAcceptable where that is nothing."""
    found = acceptable(header)
    if not found:
        raise NotAcceptable(
            "None of the content codings that you accept is spoken here.", f"Accept one of: {', '.join(CODINGS)}."
        )
    return found


def chosen(header: str | None, media_type: str, size: int) -> str:
    """The coding in which a body of *media_type* with *size* bytes goes out."""
    found = acceptable(header) or (IDENTITY,)
    if IDENTITY in found and (size < SMALLEST or not shrinks(media_type)):
        return IDENTITY
    return found[0]


def encode(body: bytes, coding: str, in_turns: bool = True) -> bytes:
    """*body* in *coding*; while that takes long, others have their turns, but where *in_turns* is false."""
    if coding == IDENTITY:
        return body
    encoder, whole, coded = _ENCODERS[coding](len(body)), memoryview(body), []
    for at in range(0, len(body), _PIECE):
        if at and in_turns:
            give_way()
        coded.append(encoder.compress(whole[at : at + _PIECE]))
    return b"".join([*coded, encoder.flush()])


def decoded(coding: str, body: bytes) -> bytes:
    """What ``encode`` made *body* of."""
    return body if coding == IDENTITY else _DECODERS[coding](body)


def tag(of_answer: str, coding: str) -> str:
    """The entity tag of an answer in *coding*, from that of the answer: each coding is a representation of its own."""
    return of_answer if coding == IDENTITY else f"{of_answer}-{coding}"


def shrinks(media_type: str) -> bool:
    """Whether what has *media_type* is worth coding."""
    if media_type == "image/svg+xml":
        return True
    return not media_type.startswith(_INCOMPRESSIBLE) and media_type not in _COMPRESSED
