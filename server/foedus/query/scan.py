"""Look a query's text over before the engine parses it: its kind, its nesting, and what it must not contain.

One linear pass over tokens that knows strings, comments and IRIs. It is no parser: what it lets through may still be
malformed, and the engine, in its worker, says so. Its two refusals are a courtesy with clear words; the barriers that
hold for certain are the worker's own (its stack, its memory, and that it can open no socket).
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from foedus.errors import BadQuery, ReadOnly, TooLarge
from foedus.query.formats import Kind
from foedus.query.limits import Limits

UPDATES = frozenset({"INSERT", "DELETE", "LOAD", "CLEAR", "DROP", "CREATE", "ADD", "MOVE", "COPY", "WITH"})

VOLATILE = frozenset({"NOW", "RAND", "UUID", "STRUUID", "BNODE"})
"""The functions that give something else each time."""

_KINDS: dict[str, Kind] = {"SELECT": "select", "ASK": "ask", "CONSTRUCT": "graph", "DESCRIBE": "graph"}

# Alternatives are tried in order, each where the last token ended, and whatever one has run over is its token: a
# string that does not end takes its line, a long one the rest. So no text, however hostile, is read over and over.
_TOKEN = re.compile(
    r"""
      (?P<space>    \s+ | \#[^\r\n]* )
    | (?P<string>   \"{3}(?:[^"\\]|\\.|"(?!""))*+(?:\"{3})? | '{3}(?:[^'\\]|\\.|'(?!''))*+(?:'{3})?
                  | "(?:[^"\\\r\n]|\\[^\r\n])*+"? | '(?:[^'\\\r\n]|\\[^\r\n])*+'? )
    | (?P<iri>      <(?:[^<>"{}|^`\\\x00-\x20]|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8})*+> )
    | (?P<variable> [?$]\w+ )
    | (?P<language> @[A-Za-z]+(?:-[A-Za-z0-9]+)*+ )
    | (?P<name>     (?=[\w.\-:\\])(?P<run>(?:[\w.\-]|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8})*+)
                    (?P<local>:(?:[\w\-.:%]|\\[_~.\-!$&'()*+,;=/?\#@%])*+)?+ )
    | (?P<open>     [({\[] | <<\(? )
    | (?P<close>    [)}\]] | \)?>> )
    | (?P<other>    . )
    """,
    re.VERBOSE | re.DOTALL,
)
_BEGINS = re.compile("|".join(_KINDS), re.IGNORECASE)
_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")
_SERVICE = re.compile(r"\bSERVICE\b", re.IGNORECASE)
_VOLATILE = re.compile(rf"\b(?:{'|'.join(sorted(VOLATILE))})\b", re.IGNORECASE)


@dataclass(frozen=True)
class Scan:
    """What a query's text shows at a glance; *kind* is None where no query form was found.

    *volatile* says that the answer may be another one each time: a function of ``VOLATILE`` is called. Without
    *has_clauses* the text does not choose its graphs, and there is nothing for `clauses` to find; without *has_star*
    there is nothing for `star`.
    """

    kind: Kind | None
    depth: int
    volatile: bool
    has_clauses: bool
    has_star: bool


def scan(text: str, limits: Limits) -> Scan:
    """Look *text* over.

    Raises TooLarge beyond the text limit, BadQuery for nesting beyond the depth limit, for ``SERVICE`` and for an
    update's text.
    """
    return _scan(text, limits.text, limits.depth)


@lru_cache(maxsize=128)
def _scan(text: str, longest: int, deepest: int) -> Scan:
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > longest:
        raise TooLarge(
            f"The query text has {size:,} bytes; the limit is {longest:,}.",
            "Ask in several queries, or take the whole dataset from /download.",
        )
    seen = _Seen(text, deepest)
    for match in _TOKEN.finditer(text):
        if match.lastgroup != "space" and match[0]:
            seen.token(match)
    if seen.doubtful and (hidden := _SERVICE.search(unescaped(text))):
        raise _no_service(text, hidden.start())
    # Where the text may hide a word from the tokens, any mention counts: at worst an answer is not kept.
    hides = seen.doubtful or "\\" in text
    plain = unescaped(text) if hides else ""
    volatile = seen.volatile or bool(_VOLATILE.search(plain))
    return Scan(seen.kind, seen.deepest, volatile, seen.has_clauses or "FROM" in plain.upper(), seen.has_star)


class _Seen:
    """What the tokens so far have shown."""

    def __init__(self, text: str, most: int) -> None:
        self.text = text
        self.most = most
        """The brackets that may be open at once."""
        self.kind: Kind | None = None
        self.deepest = 0
        self.doubtful = False
        self.volatile = False
        self.has_clauses = False
        self.has_star = False
        self.open: list[str] = []
        self.before = ""
        """What the last token was: a group of the pattern, or "number"."""
        self.keyword = ""
        """The last word that was no prefixed name."""
        self.service: int | None = None
        """Where ``service:…`` was just read: with a ``{`` behind it the engine takes it for the keyword."""

    def token(self, match: re.Match[str]) -> None:
        group, token, start = match.lastgroup or "", match[0], match.start()
        if self.service is not None and token == "{" and self.keyword not in ("GRAPH", "FROM", "NAMED"):
            raise _no_service(self.text, self.service)
        self.service = None
        if group == "open":
            self.nest([token], start)
        elif group == "close":
            del self.open[-1:]
        elif group == "iri" and "(" in token and _VOLATILE.search(token):
            # What looks like an IRI may be a less-than sign and a call.
            self.volatile = True
        elif token == "*" and self.before == "word" and self.keyword in ("SELECT", "DISTINCT", "REDUCED"):
            self.has_star = True
        if group == "iri" and self.before in ("variable", "close", "string", "number", "name"):
            self.perhaps_less_than(token, start)
        elif group == "name":
            group = self.name(match)
        self.before = group

    def nest(self, brackets: list[str], start: int) -> None:
        self.open += brackets
        self.deepest = max(self.deepest, len(self.open))
        if self.deepest > self.most:
            line, column = position(self.text, start)
            raise BadQuery(
                f"The query is nested more than {self.most} levels deep (line {line}, column {column}).",
                f"Flatten it: at most {self.most} brackets may be open at once.",
                line,
                column,
            )

    def perhaps_less_than(self, token: str, start: int) -> None:
        """Behind an operand and in round brackets, *token* may be a less-than sign with what follows, not an IRI.

        Then brackets in it count, and a quote or a number sign in it begins a string or a comment for the engine.
        """
        if self.open[-1:] != ["("]:
            return
        hides = "#" in token or "'" in token
        self.doubtful = self.doubtful or hides
        unclosed = token.count("(") - (0 if hides else token.count(")"))
        self.nest(["("] * unclosed, start)

    def name(self, match: re.Match[str]) -> str:
        """Take in a run of letters: keywords, a number or a prefixed name; the group that it counts as."""
        run, start = unescaped(match["run"]), match.start()
        words = [word.upper() for word in re.split(r"[.\-]", run)]
        # The engine reads the keyword also where letters or a colon stand next to it.
        self.has_clauses = self.has_clauses or any("FROM" in word for word in words)
        if match["local"] is not None:
            if words[-1] == "SERVICE":
                self.service = start
            return "name"
        if "SERVICE" in words:
            raise _no_service(self.text, start)
        self.volatile = self.volatile or not VOLATILE.isdisjoint(words)
        for word in words:
            if self.kind is None and word in _KINDS:
                self.kind = _KINDS[word]
            elif self.kind is None and word in UPDATES:
                line, column = position(self.text, start)
                raise BadQuery(
                    f"“{match[0]}” (line {line}, column {column}) begins an update; only queries are answered here.",
                    "Write SELECT, ASK, CONSTRUCT or DESCRIBE.",
                    line,
                    column,
                )
        self.keyword = words[-1]
        return "number" if run.lstrip(".-")[:1].isdigit() else "word"


def star(text: str) -> tuple[int, list[str]] | None:
    """Where the ``*`` of an outermost ``SELECT *`` stands, and the variables of *text* in the order of their first use.

    None where the outermost query names its columns or has none. The variables may include some out of scope.
    """
    before, at = "", None
    variables: dict[str, None] = {}
    for match in _TOKEN.finditer(text):
        group, token = match.lastgroup, match[0]
        if group == "space":
            continue
        if group == "variable":
            variables[token[1:]] = None
        if at is None:
            word = token.upper() if group == "name" else ""
            if before != "SELECT":
                if word in _KINDS and word != "SELECT":
                    return None
                before = word
            elif token == "*":
                at = match.start()
            elif word not in ("DISTINCT", "REDUCED"):
                return None
    return None if at is None else (at, list(variables))


@dataclass(frozen=True)
class Clauses:
    """The graphs that a query names by ``FROM`` and ``FROM NAMED``, as it writes them; *prologue* explains how."""

    prologue: str
    default: tuple[str, ...]
    named: tuple[str, ...]


def clauses(text: str) -> Clauses:
    """The dataset clauses of *text*; none of them where it writes one in a way that is not understood here.

    Like the engine, this needs no space behind a keyword: ``FROMNAMEDx:y`` is ``FROM NAMED x:y``, unless there is a
    prefix ``NAMEDx``.
    """
    read = _Dataset()
    for match in _TOKEN.finditer(text):
        if match.lastgroup != "space" and match[0]:
            read.token(match)
    if read.is_strange:
        return Clauses("", (), ())
    return Clauses(text[: read.start], tuple(read.found["FROM"]), tuple(read.found["NAMED"]))


class _Dataset:
    """What the tokens so far say of the graphs."""

    def __init__(self) -> None:
        self.found: dict[str, list[str]] = {"FROM": [], "NAMED": []}
        self.is_strange = False
        self.start = 0
        self.kind = ""
        self.prefixes: set[str] = set()
        self.before = ""
        self.depth = 0
        self.expected = ""
        """``FROM`` or ``NAMED`` where a graph must come next."""

    def token(self, match: re.Match[str]) -> None:
        group, token = match.lastgroup, match[0]
        if not self.kind:
            token = self.prologue(match) if group == "name" else ""
        self.before = match[0].upper()
        if group in ("open", "close"):
            self.depth += 1 if group == "open" else -1
        elif self.depth == 0 and group == "iri":
            self.graph(token)
        elif self.depth == 0 and group == "name" and token:
            self.name(token)

    def prologue(self, match: re.Match[str]) -> str:
        """What a word before the query's own keyword, or that keyword itself, leaves to be read."""
        token = match[0]
        if self.before == "PREFIX":
            self.prefixes.add(token.partition(":")[0])
        elif begins := _BEGINS.match(token):
            self.start, self.kind = match.start(), begins[0].upper()
            return token[begins.end() :]
        elif token[:6].upper() == "PREFIX":
            self.prefixes.add(token[6:].partition(":")[0])
        return ""

    def name(self, token: str) -> None:
        is_described = self.kind == "DESCRIBE" and self.is_known(token)
        if not self.expected and not is_described and token[:4].upper() == "FROM":
            self.expected, token = "FROM", token[4:]
        if self.expected == "FROM" and not self.is_known(token) and token[:5].upper() == "NAMED":
            self.expected, token = "NAMED", token[5:]
        if ":" in token:
            self.graph(token)
        elif token and self.expected:
            self.is_strange = True

    def is_known(self, token: str) -> bool:
        """Whether *token* is a name with a prefix of the text's own."""
        prefix, colon, _ = token.partition(":")
        return bool(colon) and prefix in self.prefixes

    def graph(self, token: str) -> None:
        if self.expected:
            self.found[self.expected].append(token)
            self.expected = ""


_NAMES = re.compile(r"[:?$][\w.%\-]*")
"""Local names and variables, in which the letters of a keyword are none."""


def chooses_graphs(text: str) -> bool | None:
    """Whether *text* has a dataset clause (``FROM``); None where only the engine can tell."""
    if "FROM" not in _NAMES.sub(":", text).upper():
        return False
    begun, chooses = False, False
    brackets: list[str] = []
    for match in _TOKEN.finditer(text):
        group, token = match.lastgroup, match[0]
        if group == "open":
            brackets.append(token)
        elif group == "close":
            del brackets[-1:]
        elif group == "iri" and brackets[-1:] == ["("] and not {"(", ")", "'", "#"}.isdisjoint(token):
            # Perhaps a less-than sign with what follows: `_Seen.perhaps_less_than`.
            return None
        elif group == "name" and not brackets:
            word = token.upper()
            begun = begun or word in _KINDS
            if word == "FROM":
                chooses = True
            elif word.startswith("FROM"):
                # A name with such a prefix, or the keyword with a name at once behind it.
                return None
    return chooses if begun and not brackets else None


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
