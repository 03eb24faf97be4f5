"""The formats of answers, in one table, and which of them an ``Accept`` header or a ``format`` parameter chooses."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeVar

from foedus.errors import NotAcceptable

Kind = Literal["select", "ask", "graph"]
"""What a query answers with: rows, one truth value, or triples."""

T = TypeVar("T")

NAMED = 5
"""How specific a media range is that names a type in full; with a parameter of ours, more."""


@dataclass(frozen=True)
class Format:
    """One way to write an answer.

    *name* is what ``?format=`` and file extensions say; *others* are further spellings of it; *media_types* begins
    with the registered one, and an answer is labelled with the one that the client asked for.
    """

    name: str
    title: str
    media_types: tuple[str, ...]
    kinds: tuple[Kind, ...]
    others: tuple[str, ...] = ()
    charset: bool = False
    parameters: str = ""

    @property
    def media_type(self) -> str:
        """The registered media type, without parameters."""
        return self.media_types[0]

    @property
    def extension(self) -> str:
        """The end of a file's name, with its dot."""
        return f".{self.name}"

    def content_type(self, media_type: str | None = None) -> str:
        """The ``Content-Type`` of an answer; text formats name their charset."""
        chosen = media_type or self.media_type
        charset = "; charset=utf-8" if self.charset or chosen.startswith("text/") else ""
        return chosen + charset + (self.parameters if chosen == self.media_type else "")


_ROWS: tuple[Kind, ...] = ("select", "ask")
_TRIPLES: tuple[Kind, ...] = ("graph",)

# The order is the order of preference where the client has none. CSV and TSV of an ASK answer are an extension:
# the one word "true" or "false".
FORMATS = (
    Format("json", "JSON", ("application/sparql-results+json", "application/json"), _ROWS, ("srj",)),
    Format("xml", "XML", ("application/sparql-results+xml", "application/xml", "text/xml"), _ROWS, ("srx",)),
    Format("csv", "CSV", ("text/csv",), _ROWS, (), True, "; header=present"),
    Format("tsv", "TSV", ("text/tab-separated-values", "text/plain"), _ROWS, ("txt",), True),
    Format("ttl", "Turtle", ("text/turtle", "application/turtle", "application/x-turtle"), _TRIPLES, ("turtle",), True),
    Format("jsonld", "JSON-LD", ("application/ld+json", "application/json"), _TRIPLES, ("json", "json-ld")),
    Format("nt", "N-Triples", ("application/n-triples", "text/plain"), _TRIPLES, ("ntriples", "n-triples", "txt")),
    Format("rdf", "RDF/XML", ("application/rdf+xml", "application/xml", "text/xml"), _TRIPLES, ("xml", "rdfxml")),
    Format("nq", "N-Quads", ("application/n-quads", "text/x-nquads"), _TRIPLES, ("nquads", "n-quads")),
    Format("trig", "TriG", ("application/trig", "application/x-trig"), _TRIPLES, ()),
)


@dataclass(frozen=True)
class Choice:
    """A format, and the ``Content-Type`` that its answer gets."""

    format: Format
    content_type: str


def offered(kind: Kind) -> tuple[Format, ...]:
    """The formats that an answer of *kind* can have, the preferred one first."""
    return tuple(each for each in FORMATS if kind in each.kinds)


def named(name: str, kind: Kind) -> Format:
    """The format of *kind* called *name*: its name, another spelling, its extension or a media type of it."""
    wanted = name.strip().lower().removeprefix(".")
    for each in offered(kind):
        if wanted in (each.name, *each.others, *each.media_types):
            return each
    raise NotAcceptable(f"There is no format “{name}” for this answer.", f"Choose from: {_list(offered(kind))}.")


@lru_cache(maxsize=256)
def choose(kind: Kind, accept: str | None = None, name: str | None = None) -> Choice:
    """How to write an answer of *kind*: as *name* says, else as the ``Accept`` header *accept* does.

    Raises NotAcceptable, listing what is offered, where nothing fits.
    """
    if name:
        by_name = named(name, kind)
        return Choice(by_name, by_name.content_type())
    offers = [(media_type, each) for each in offered(kind) for media_type in each.media_types]
    chosen = negotiate(accept, offers, frozenset(each.media_type for each in offered(kind)))
    if chosen is None:
        raise NotAcceptable(
            "None of the formats that you accept fits this answer.", f"Accept one of: {_list(offered(kind))}."
        )
    media_type, best = chosen
    return Choice(best, best.content_type(media_type))


def negotiate(
    accept: str | None, offers: Sequence[tuple[str, T]], registered: frozenset[str] | None = None
) -> tuple[str, T] | None:
    """The offer, a media type with anything behind it, that *accept* likes best; None if it likes none.

    By RFC 9110 §12.5.1: the most specific range decides an offer's quality, and quality 0 refuses it. Between equals
    an offer that is named beats one under a wildcard, then the order of *offers* decides. No header, or an empty one,
    takes the first. Where *registered* is given, a wildcard takes these only: other names must be asked for.
    """
    ranges = accepted(accept)
    if not ranges:
        return offers[0] if offers else None
    best: tuple[float, int] = (0.0, 0)
    chosen: tuple[str, T] | None = None
    for media_type, behind in offers:
        specificity, quality = max(
            (
                (specificity + special, quality)
                for pattern, quality, special in ranges
                if (specificity := _fits(pattern, media_type))
            ),
            default=(0, 0.0),
        )
        if registered is not None and specificity < NAMED and media_type not in registered:
            continue
        if quality > 0 and (quality, specificity) > best:
            best, chosen = (quality, specificity), (media_type, behind)
    return chosen


def accepted(accept: str | None) -> list[tuple[str, float, bool]]:
    """The media ranges of an ``Accept`` header, each with its quality and whether parameters make it more specific.

    A range that is malformed is left out, and one for a charset or a header line other than ours fits nothing. Browsers
    list ``application/xml`` beside ``text/html`` for historical reasons, and do not mean it.
    """
    ranges = [parsed for part in _MEMBER.findall(accept or "") if (parsed := _range(part))]
    if any(pattern in ("text/html", "application/xhtml+xml") for pattern, _, _ in ranges):
        ranges = [each for each in ranges if each[0] not in ("application/xml", "text/xml")]
    return ranges


def quality(parameters: Iterable[str]) -> float | None:
    """The quality, from 0 to 1, that the last of *parameters* called ``q`` gives; 1 without one, None if malformed."""
    found = 1.0
    for parameter in parameters:
        name, _, value = (piece.strip() for piece in parameter.partition("="))
        if name.lower() == "q":
            if not _QUALITY.fullmatch(value) or float(value) > 1:
                return None
            found = float(value)
    return found


_MEMBER = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*+"?)++')
_PARAMETER = re.compile(r'(?:[^;"]|"(?:[^"\\]|\\.)*+"?)++')
# RFC 9110 wants a digit before the point; Java leaves it out.
_QUALITY = re.compile(r"[01]?\.[0-9]+|[01]\.?")
_OURS = {"charset": "utf-8", "header": "present"}
_NOTHING = ("", 1.0, False)


def _range(part: str) -> tuple[str, float, bool] | None:
    pattern, *parameters = (piece.strip().lower() for piece in _PARAMETER.findall(part))
    main, slash, sub = pattern.partition("/")
    said = quality(parameters)
    if not (main and slash and sub) or (main == "*" and sub != "*") or said is None:
        return None
    special = False
    for parameter in parameters:
        name, _, value = (piece.strip(' \t"') for piece in parameter.partition("="))
        if name in _OURS:
            if value != _OURS[name]:
                return _NOTHING
            special = True
    return pattern, said, special


def _fits(pattern: str, media_type: str) -> int:
    """How closely *pattern* names *media_type*: ``NAMED`` exactly, less by its type or by ``*/*``, 0 not at all."""
    if pattern == media_type:
        return NAMED
    if pattern == media_type.partition("/")[0] + "/*":
        return 3
    return 1 if pattern == "*/*" else 0


def _list(formats: Iterable[Format]) -> str:
    return ", ".join(f"{each.media_type} (format={each.name})" for each in formats)
