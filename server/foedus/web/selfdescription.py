"""What the endpoint and the dataset say of themselves, with the addresses of the server that was asked.

Names stay what they are everywhere; an address of this server begins with how the client reached it. A description
is asked for with a stand-in, so that it is made once for all of those.
"""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from foedus.query.pool import Answer, Asker, Request
from foedus.web import headers

_TEXT = Path(__file__).parent / "queries" / "service-description.rq"
_STAND_IN = b"http://here.invalid/"


async def describe(asker: Asker, accept: str | None, form: str | None, home: str) -> Answer:
    """The description of all that *asker* answers from, on a server whose addresses begin with *home* and a slash.

    In the format called *form*, else in the one that the header *accept* likes best.
    """
    found = await asker.asking(_request(accept, form))
    return replace(found, body=found.body.replace(_STAND_IN, home.encode() + b"/"))


def tag(asker: Asker, accept: str | None, form: str | None, home: str) -> str | None:
    """What identifies that description, known before it is asked for; None where it is never the same."""
    found = headers.entity_tag(_request(accept, form), asker.dataset, asker.limits)
    return headers.tag_of(f"{found} {home}".encode()) if found else None


def _request(accept: str | None, form: str | None) -> Request:
    return Request(_text(), accept, form, reserved=True)


@lru_cache(maxsize=1)
def _text() -> str:
    return _TEXT.read_text(encoding="utf-8")
