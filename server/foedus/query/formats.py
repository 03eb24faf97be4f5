"""The formats of answers, in one table, and which of them an ``Accept`` header or a ``format`` parameter chooses."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from foedus.errors import NotAcceptable

Kind = Literal["select", "ask", "graph"]
"""What a query answers with: rows, one truth value, or triples."""

T = TypeVar("T")


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
            ((specificity, quality) for pattern, quality in ranges if (specificity := _fits(pattern, media_type))),
            default=(0, 0.0),
        )
        if registered is not None and specificity < 3 and media_type not in registered:
            continue
        if quality > 0 and (quality, specificity) > best:
            best, chosen = (quality, specificity), (media_type, behind)
    return chosen


def accepted(accept: str | None) -> list[tuple[str, float]]:
    """The media ranges of an ``Accept`` header with their qualities; a range that is malformed is left out.

    Browsers list ``application/xml`` beside ``text/html`` for historical reasons, and do not mean it.
    """
    ranges = [parsed for part in (accept or "").split(",") if (parsed := _range(part))]
    if any(pattern in ("text/html", "application/xhtml+xml") for pattern, _ in ranges):
        ranges = [(pattern, quality) for pattern, quality in ranges if pattern not in ("application/xml", "text/xml")]
    return ranges


def _range(part: str) -> tuple[str, float] | None:
    pattern, *parameters = (piece.strip().lower() for piece in part.split(";"))
    main, slash, sub = pattern.partition("/")
    if not (main and slash and sub) or (main == "*" and sub != "*"):
        return None
    quality = 1.0
    for parameter in parameters:
        name, _, value = (piece.strip() for piece in parameter.partition("="))
        if name == "q":
            try:
                quality = float(value)
            except ValueError:
                return None
            if not 0 <= quality <= 1:
                return None
    return pattern, quality


def _fits(pattern: str, media_type: str) -> int:
    """How closely *pattern* names *media_type*: 3 exactly, 2 by its type, 1 by ``*/*``, 0 not at all."""
    if pattern == media_type:
        return 3
    if pattern == media_type.partition("/")[0] + "/*":
        return 2
    return 1 if pattern == "*/*" else 0


def _list(formats: Iterable[Format]) -> str:
    return ", ".join(f"{each.media_type} (format={each.name})" for each in formats)
