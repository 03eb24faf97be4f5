"""Read RDF that anybody may have written: nothing is fetched, opened or run for it, and there is never too much."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import islice
from pathlib import Path
from typing import Any

from pyoxigraph import NamedNode, Quad, RdfFormat, Triple, parse

from foedus.build.reading import Document, encoding_fault, syntax_fault
from foedus.errors import BadDocument, TooLarge

KIB, MIB = 1 << 10, 1 << 20


@dataclass(frozen=True)
class Allowance:
    """How much a document may hold."""

    size: int = 512 * KIB
    """Bytes of its text."""
    statements: int = 10_000
    """Statements, as often as they are made."""
    depth: int = 100
    """Brackets, or elements of XML, that are open at once; terms of a context that are made of each other."""


AT_HOME = Allowance(size=16 * MIB, statements=200_000)
"""What is allowed where whoever checks a document does so on a machine of their own."""

SYNTAXES = {
    "ttl": RdfFormat.TURTLE,
    "nt": RdfFormat.N_TRIPLES,
    "nq": RdfFormat.N_QUADS,
    "trig": RdfFormat.TRIG,
    "rdf": RdfFormat.RDF_XML,
    "jsonld": RdfFormat.JSON_LD,
}
"""What is read, by the ending of a file's name."""

_ENDINGS = {**SYNTAXES, "owl": RdfFormat.RDF_XML, "xml": RdfFormat.RDF_XML, "json": RdfFormat.JSON_LD}

_NOWHERE = "x-nowhere:///"
"""The base of documents whose parser would silently leave out what has a relative address."""

# One token of Turtle and its kin; a string that is not closed ends with the text, so that no character is read twice.
_TURTLE = re.compile(
    r'''"""(?:[^"\\]|\\.|"(?!""))*+(?:"""|\Z)|\'\'\'(?:[^'\\]|\\.|'(?!''))*+(?:\'\'\'|\Z)'''
    r"""|"(?:[^"\\\n\r]|\\.)*+"?|'(?:[^'\\\n\r]|\\.)*+'?|\#[^\n\r]*+|(?P<beyond><<)|<[^<>"{}|^`\s]*+>?"""
    r"""|\\.|(?P<open>[\[({])|(?P<close>[\])}])""",
    re.DOTALL,
)
_JSON = re.compile(r'"(?:[^"\\]|\\.)*+"?|(?P<open>[\[{])|(?P<close>[\]}])', re.DOTALL)
_EXPANDED = ("@id", "@type", "@reverse", "@index")
"""What of the definition of a term may name other terms (JSON-LD 1.1 API, Create Term Definition)."""
_OF_CONTEXTS = frozenset(
    ("@base", "@direction", "@import", "@language", "@propagate", "@protected", "@type", "@version", "@vocab")
)
"""Members of a context that are no terms (JSON-LD 1.1, Context Definitions)."""
_XML = re.compile(
    r"<!--.*?(?:-->|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)|<\?.*?(?:\?>|\Z)"
    r"""|(?P<close></)|<(?=[^\s/!?<>])(?:"[^"]*+"?|'[^']*+'?|[^"'>/]|/(?!>))*+(?:(?P<empty>/>)|(?P<open>>?))""",
    re.DOTALL,
)
_DECLARED = re.compile(r"<!\s*(DOCTYPE|ENTITY)\b", re.IGNORECASE)
_ENCODING = re.compile(r"""\A\s*<\?xml[^>]*?\bencoding\s*=\s*["']([^"']*)["']""")
_RELATIVE = re.compile(rf"{re.escape(_NOWHERE)}+")
# Where a subject's description begins, in syntaxes where it need not stand at the beginning of a line.
_SUBJECTS = {
    RdfFormat.RDF_XML: re.compile(r"""\brdf:about\s*=\s*["']([^"']*)["']"""),
    # What holds nothing but its name is a mention.
    RdfFormat.JSON_LD: re.compile(r'(?:\{\s*"@id"\s*:\s*"[^"]*"\s*\})|"@id"\s*:\s*"([^"\\]*)"'),
}


def syntax_of(path: Path) -> RdfFormat:
    """The syntax that the ending of a file's name stands for; Turtle for any other."""
    return _ENDINGS.get(path.suffix.removeprefix(".").lower(), RdfFormat.TURTLE)


def content_of(path: Path, allowed: Allowance) -> bytes:
    """What is in the file *path*; TooLarge, before it is read, where it is longer than is *allowed*."""
    _refuse_size(path.stat().st_size, allowed)
    return path.read_bytes()


def read(content: bytes, syntax: RdfFormat, name: str, allowed: Allowance) -> Document:
    """The document *content*, under *name*.

    TooLarge where it holds more than is *allowed*; BadDocument, with line and column where they are known, where it is
    malformed, or asks for what no document gets: entities, contexts from elsewhere, statements about statements.
    """
    _refuse_size(len(content), allowed)
    if fault := encoding_fault(content):
        raise BadDocument(fault[1], "Save it as UTF-8 without a byte order mark.", fault[0])
    text = content.decode()
    base = None
    if syntax == RdfFormat.RDF_XML:
        _refuse_declarations(text)
        _refuse_depth(text, _XML, allowed.depth)
    elif syntax == RdfFormat.JSON_LD:
        _refuse_depth(text, _JSON, allowed.depth)
        _refuse_contexts(text, allowed.depth)
        base = _NOWHERE
    else:
        _refuse_depth(text, _TURTLE, allowed.depth)
    try:
        quads = parse(content, format=syntax, base_iri=base, rename_blank_nodes=True)
        triples = tuple(_triples(quads, allowed.statements, base is not None))
        prefixes = quads.prefixes
    except SyntaxError as error:
        said = syntax_fault(name, error)
        raise BadDocument(said.message, said.remedy, error.lineno, error.offset) from error
    return _Written(Path(name), name, text, triples, prefixes, syntax)


@dataclass(frozen=True)
class _Written(Document):
    """A document in any syntax."""

    syntax: RdfFormat = RdfFormat.TURTLE

    def find_lines(self) -> Iterator[tuple[str, int]]:
        """Each subject with a line that its description begins on, as far as the text tells."""
        pattern = _SUBJECTS.get(self.syntax)
        if pattern is None:
            yield from super().find_lines()
            return
        line, counted = 1, 0
        for match in pattern.finditer(self.text):
            line += self.text.count("\n", counted, match.start())
            counted = match.start()
            prefix, colon, local = (match[1] or "").partition(":")
            yield (self.prefixes[prefix] + local if colon and prefix in self.prefixes else match[1] or ""), line


def _triples(quads: Iterator[Quad], most: int, may_be_relative: bool) -> Iterator[Triple]:
    """The statements of *quads*, whatever graph they are in."""
    for number, quad in enumerate(islice(quads, most + 1)):
        if number == most:
            raise TooLarge(f"The document makes more than {most:,} statements, the limit.", "Check it in parts.")
        if isinstance(quad.object, Triple):
            raise _beyond(None)
        for term in (quad.subject, quad.predicate, quad.object) if may_be_relative else ():
            if isinstance(term, NamedNode) and term.value.startswith(_NOWHERE):
                raise BadDocument(
                    f"The address “{_RELATIVE.sub('', term.value)[:200]}” is relative, and nothing says to what.",
                    "Write it in full, or give an @base in the @context.",
                )
        yield Triple(quad.subject, quad.predicate, quad.object)


def _refuse_size(size: int, allowed: Allowance) -> None:
    if size > allowed.size:
        raise TooLarge(f"The document has {size:,} bytes; the limit is {allowed.size:,}.", "Check it in parts.")


def _refuse_depth(text: str, tokens: re.Pattern[str], most: int) -> None:
    """BadDocument where more than *most* brackets are open at once, or where a statement is spoken about."""
    depth = 0
    for match in tokens.finditer(text):
        kind = match.lastgroup
        if kind == "open":
            depth += 1
            if depth > most:
                raise BadDocument(
                    f"The document is nested more than {most} levels deep.",
                    "Give what is nested names of its own.",
                    *_place(text, match.start()),
                )
        elif kind == "close":
            depth -= 1
        elif kind == "beyond":
            raise _beyond(_place(text, match.start()))


def _refuse_declarations(text: str) -> None:
    """BadDocument for a DOCTYPE or an entity, wherever it stands, and for an encoding other than UTF-8."""
    if found := _DECLARED.search(text):
        raise BadDocument(
            f"The document has a {found[1].upper()}, which is not read: entities can stand for anything.",
            "Take it out, and write names and texts in full.",
            *_place(text, found.start()),
        )
    if (found := _ENCODING.match(text)) and found[1].lower() not in ("utf-8", "utf8", "us-ascii"):
        raise BadDocument(f"The document says that it is {found[1][:40]}.", "Save it as UTF-8.", 1)


def _refuse_contexts(text: str, most: int) -> None:
    """BadDocument for what is no JSON, a context that lies elsewhere, or one with terms that are no addresses.

    These are made of themselves, or of a chain of terms, each made of the next, of more than *most*.
    """
    try:
        # Numbers are kept as text: Python refuses some that JSON allows.
        content = json.loads(text, object_pairs_hook=_Pairs, parse_int=str, parse_float=str)
    except json.JSONDecodeError as error:
        raise BadDocument(
            f"This cannot be read as RDF: it is no JSON ({error.msg}).",
            "Correct the line, or the one before it.",
            error.lineno,
            error.colno,
        ) from error
    for context in _contexts(content):
        if isinstance(context, _Pairs):
            _refuse_chains(context, most)
        elif isinstance(context, str):
            at = text.find(json.dumps(context, ensure_ascii=False))
            raise BadDocument(
                f"The document leaves its context to <{_shown(context)}>, which is never fetched.",
                "Write the context itself into the document, or send another syntax.",
                *(_place(text, at) if at >= 0 else ()),
            )


class _Pairs(list[tuple[str, Any]]):
    """The members of a JSON object, each as often as it is there; told apart from a list."""


def _contexts(content: object) -> Iterator[object]:
    """Each context in *content*, JSON: its members, or the address that it is to be fetched from."""
    if isinstance(content, _Pairs):
        for name, value in content:
            if name == "@context":
                yield from value if isinstance(value, list) and not isinstance(value, _Pairs) else [value]
            elif name == "@import":
                yield value
            yield from _contexts(value)
    elif isinstance(content, list):
        for each in content:
            yield from _contexts(each)


def _refuse_chains(context: _Pairs, most: int) -> None:
    """BadDocument where a term of *context* is made of one that is made of another, and so on, *most* times.

    The parser recurses along such chains, from terms in an order of its own: what it makes of a long one is chance.
    """
    terms = {name for name, _ in context} - _OF_CONTEXTS
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for name, value in context:
        members = value if isinstance(value, _Pairs) else [("@id", value)]
        named = [name, *(each for key, each in members if key in _EXPANDED and isinstance(each, str))]
        if name in terms:
            sorter.add(name, *(terms & {part for each in named for part in _parts(each)} - {name}))
    try:
        sorter.prepare()
    except CycleError as error:
        raise BadDocument(
            f"The context has a term made of itself: {' of '.join(f'“{_shown(each)}”' for each in error.args[1][:4])}.",
            "Write the address of one of them in full.",
        ) from error
    levels = 0
    while ready := sorter.get_ready():
        levels += 1
        if levels > most:
            raise BadDocument(
                f"The context has terms made of terms, more than {most} in a row, such as “{_shown(min(ready))}”.",
                "Write the addresses of the terms in full.",
            )
        sorter.done(*ready)


def _parts(name: str) -> tuple[str, ...]:
    """The terms that *name* may be made of: itself and, unless it is an address, its prefix (IRI Expansion)."""
    prefix, _, rest = name.partition(":")
    return (name,) if rest.startswith("//") else (name, prefix)


def _shown(text: str) -> str:
    """The beginning of *text*, in which there may be half a character, escaped."""
    return text[:200].encode("utf-8", "replace").decode()


def _beyond(place: tuple[int, int] | None) -> BadDocument:
    return BadDocument(
        "A statement is made about a statement, which is RDF 1.2.", "Give it a node of its own.", *(place or ())
    )


def _place(text: str, at: int) -> tuple[int, int]:
    """The line and the column of the character *at* of *text*, from 1."""
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
