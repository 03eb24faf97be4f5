"""Look a query's text over before the engine parses it: its kind, its nesting, and what it must not contain.

One linear pass over tokens that knows strings, comments and IRIs. It is no parser: what it lets through may still be
malformed, and the engine, in its worker, says so. Its two refusals are a courtesy with clear words; the barriers that
hold for certain are the worker's own (its stack, its memory, and that it can open no socket).
"""

import re
from dataclasses import dataclass

from foedus.errors import BadQuery, ReadOnly, TooLarge
from foedus.query.formats import Kind
from foedus.query.limits import Limits

UPDATES = frozenset({"INSERT", "DELETE", "LOAD", "CLEAR", "DROP", "CREATE", "ADD", "MOVE", "COPY", "WITH"})

_KINDS: dict[str, Kind] = {"SELECT": "select", "ASK": "ask", "CONSTRUCT": "graph", "DESCRIBE": "graph"}

# Alternatives are tried in order, each anchored at the place where the last token ended, and none can match in two
# ways: the pass is linear.
_TOKEN = re.compile(
    r'''
      (?P<space>    [\s]+ | \#[^\r\n]* )
    | (?P<string>   """(?:[^"\\]|\\.|"(?!""))*+""" | \'\'\'(?:[^'\\]|\\.|'(?!''))*+\'\'\'
                  | "(?:[^"\\\r\n]|\\.)*+"  | '(?:[^'\\\r\n]|\\.)*+' )
    | (?P<iri>      <[^<>"{}|^`\\\x00-\x20]*+(?:\\u[0-9A-Fa-f]{4}[^<>"{}|^`\\\x00-\x20]*+)*+> )
    | (?P<variable> [?$]\w+ )
    | (?P<language> @[A-Za-z]+(?:-[A-Za-z0-9]+)*+ )
    | (?P<prefixed> [\w\-.]*+:(?:[\w\-.:%]|\\[_~.\-!$&'()*+,;=/?\#@%])*+ )
    | (?P<word>     (?:[^\W\d]|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8})(?:\w|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8})*+ )
    | (?P<open>     [({\[] | <<(?:\()? )
    | (?P<close>    [)}\]] | (?:\))?>> )
    | (?P<other>    . )
    ''',
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")
_SERVICE = re.compile(r"\bSERVICE\b", re.IGNORECASE)


@dataclass(frozen=True)
class Scan:
    """What a query's text shows at a glance.

    *kind* is None where no query form was found; *names_graphs* says whether it has a ``FROM`` of its own.
    """

    kind: Kind | None
    depth: int
    names_graphs: bool


def scan(text: str, limits: Limits) -> Scan:
    """Look *text* over.

    Raises TooLarge beyond the text limit, BadQuery for nesting beyond the depth limit, for ``SERVICE`` and for an
    update's text.
    """
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > limits.text:
        raise TooLarge(
            f"The query text has {size:,} bytes; the limit is {limits.text:,}.",
            "Ask in several queries, or take the whole dataset from /download.",
        )
    kind: Kind | None = None
    depth = deepest = 0
    names_graphs = doubtful = False
    before = ""
    for match in _TOKEN.finditer(text):
        group, token = match.lastgroup, match[0]
        if group == "space":
            continue
        if group == "open":
            depth += 1
            if depth > limits.depth:
                line, column = position(text, match.start())
                raise BadQuery(
                    f"The query is nested more than {limits.depth} levels deep (line {line}, column {column}).",
                    f"Flatten it: at most {limits.depth} brackets may be open at once.",
                    line,
                    column,
                )
            deepest = max(deepest, depth)
        elif group == "close":
            depth = max(0, depth - 1)
        elif group == "iri" and before in ("variable", "close", "string", "number"):
            # After an operand this may be a less-than sign with what follows: then brackets in it count, and a quote
            # or a number sign begins a string or a comment that this pass reads otherwise than the engine.
            depth += max(0, token.count("(") - token.count(")"))
            doubtful = doubtful or "#" in token or "'" in token
        elif group == "word":
            keyword = unescaped(token).upper()
            if keyword == "SERVICE":
                raise _no_service(text, match.start())
            names_graphs = names_graphs or keyword == "FROM"
            if kind is None and keyword in _KINDS:
                kind = _KINDS[keyword]
            elif kind is None and keyword in UPDATES:
                line, column = position(text, match.start())
                raise BadQuery(
                    f"“{token}” (line {line}, column {column}) begins an update; this endpoint answers queries only.",
                    "Write SELECT, ASK, CONSTRUCT or DESCRIBE.",
                    line,
                    column,
                )
        before = "number" if group == "other" and token.isdigit() else group or ""
    if doubtful and (hidden := _SERVICE.search(unescaped(text))):
        raise _no_service(text, hidden.start())
    return Scan(kind, deepest, names_graphs)


def refuse_updates() -> None:
    """Raise ReadOnly: for a request that is an update by its parameter or its media type."""
    raise ReadOnly("This endpoint is read-only: updates are not carried out.", "Send a query in the parameter “query”.")


def unescaped(text: str) -> str:
    r"""*text* with its ``\uXXXX`` and ``\UXXXXXXXX`` written out, those beyond Unicode left as they are."""

    def character(match: re.Match[str]) -> str:
        code = int(match[1] or match[2], 16)
        return chr(code) if code < 0x110000 else match[0]

    return _ESCAPE.sub(character, text)


def position(text: str, offset: int) -> tuple[int, int]:
    """Line and column, both counted from 1, of the character at *offset*."""
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def _no_service(text: str, offset: int) -> BadQuery:
    line, column = position(text, offset)
    return BadQuery(
        f"SERVICE is not allowed: this endpoint asks no other server (line {line}, column {column}).",
        "Ask each endpoint on its own and join the answers.",
        line,
        column,
    )
