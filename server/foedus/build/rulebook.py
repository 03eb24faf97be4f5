"""Take the rules apart, so that what they conclude can be explained without running the build again.

Each rule's WHERE becomes a tree of *elements*, in JSON: statements that must be there (their terms written out),
values, filters, what must not be there, optional parts, alternatives and subqueries. ``foedus/query/why.py`` writes
queries from it that find the premises of a conclusion. The same file holds how the date step read each date.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pyoxigraph import Literal, NamedNode, Triple

from foedus import names
from foedus.build import dates
from foedus.build.findings import Finding
from foedus.build.firing import Needs

if TYPE_CHECKING:
    from foedus.build.rules import Rule

Element = dict[str, Any]
"""One part of a group; the key says its kind: ``triples``, ``values``, ``bind``, ``filter``, ``absent``, ``exists``,
``optional``, ``union``, ``group`` or ``select``."""

_TOKEN = re.compile(
    r"""(?P<skip>\s+|\#[^\n]*)
    |(?P<iri><[^<>"{}|^`\\\s]*>)
    |(?P<string>(?:\"\"\"(?:\"{0,2}(?:[^"\\]|\\.))*\"\"\"|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')(?:@[A-Za-z]+(?:-[A-Za-z0-9]+)*)?)
    |(?P<variable>[?$]\w+)
    |(?P<number>[+-]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?)
    |(?P<name>[A-Za-z][\w-]*:(?:[\w.-]*[\w-])?|:(?:[\w.-]*[\w-])?)
    |(?P<word>[A-Za-z_]\w*)
    |(?P<mark>&&|\|\||!=|<=|>=|\^\^|[{}()\[\],;.=<>!+\-*/|^])""",
    re.VERBOSE | re.DOTALL,
)
_PREFIX = re.compile(r"\bPREFIX\s+([A-Za-z][\w-]*)?:\s*<([^<>]*)>", re.IGNORECASE)
_STARTS = ("FILTER", "OPTIONAL", "BIND", "VALUES", "MINUS", "GRAPH", "SERVICE")
_XSD = names.PREFIXES["xsd"]
_EARLIEST = names.ONTOLOGY + "earliestBound"
_LATEST = names.ONTOLOGY + "latestBound"


class _Unsupported(Exception):
    """A form that cannot be taken apart; the message says which, *remedy* what to do."""

    def __init__(self, message: str, remedy: str = "Write the rule without it, or as two rules.") -> None:
        super().__init__(message)
        self.remedy = remedy


@dataclass(frozen=True)
class _Token:
    """A piece of a query; *apart* says whether space stands before it, which the engine's parser minds here and there:
    it reads ``CONCAT(…)``, and not always ``CONCAT (…)``."""

    kind: str
    text: str
    apart: bool = True

    @property
    def upper(self) -> str:
        return self.text.upper() if self.kind == "word" else self.text


def write(rules: "Sequence[Rule]", data: Iterable[Triple], ontology: Iterable[Triple]) -> tuple[str, list[Finding]]:
    """The rulebook of *rules* and of the dates in *data* as JSON, and the rules that cannot be taken apart."""
    made, findings = [], []
    for rule in rules:
        try:
            made.append(taken_apart(rule))
        except _Unsupported as reason:
            message = f"What this rule concludes could not be explained: {reason}."
            findings.append(Finding(rule.file, None, "", message, reason.remedy))
    content = {"rules": made, "dates": _dates(data, ontology)}
    return json.dumps(content, ensure_ascii=False, sort_keys=True, indent=1) + "\n", findings


def taken_apart(rule: "Rule") -> dict[str, Any]:
    """*rule* as the rulebook holds it."""
    reader = _Reader(rule.text)
    template, where = reader.construct()
    _say(where, rule.conditions)
    scope = _variables_of(where)
    _rename(where, scope, reader)
    return {
        "name": rule.name,
        "file": rule.file,
        "sentence": rule.sentence,
        "stratum": rule.stratum,
        "template": template,
        "where": where,
        "certain": sorted(_certain(where)),
        "text": rule.text,
    }


def needs(rule: "Rule") -> Needs | None:
    """What *rule* needs of statements to conclude something; None where it cannot be taken apart."""
    try:
        return Needs(_Reader(rule.text).construct()[1])
    except _Unsupported:
        return None


def _say(where: Sequence[Element], conditions: Sequence[str]) -> None:
    """Give each part of *where* that is true of what is missing its sentence of *conditions*."""
    parts = list(_of_what_is_missing(where))
    if len(parts) != len(conditions):
        raise _Unsupported(
            f"it has {len(parts)} NOT EXISTS, MINUS and OPTIONAL, and {len(conditions)} lines “#+ condition:”",
            "Say of each, in their order, what is missing where it holds: “#+ condition: no other act ends ?spell”.",
        )
    bound = _variables_within(where)
    for part, sentence in zip(parts, conditions, strict=True):
        if unknown := [each for each in _variables_in(sentence) if each not in bound]:
            raise _Unsupported(
                f"the condition “{sentence}” speaks of {unknown[0]}", "Name variables that the WHERE binds elsewhere."
            )
        part["words"] = sentence


def _of_what_is_missing(elements: Sequence[Element]) -> Iterator[Element]:
    """Each NOT EXISTS, MINUS and OPTIONAL of *elements*, in the order of the text, none of another's inside."""
    for each in elements:
        if "absent" in each or "optional" in each:
            yield each
        for group in _groups(each):
            yield from _of_what_is_missing(group)


def _variables_within(elements: Sequence[Element]) -> set[str]:
    """The variables that *elements* bind anywhere, also in what is only looked for and in subqueries."""
    found = _variables_of(elements)
    for each in elements:
        for group in _groups(each):
            found |= _variables_within(group)
    return found


def _groups(element: Element) -> Iterator[Sequence[Element]]:
    """The groups of elements that *element* holds."""
    yield from (element[key] for key in ("exists", "group", "optional", "select") if key in element)
    yield from element.get("union", ())


def _dates(data: Iterable[Triple], ontology: Iterable[Triple]) -> dict[str, Any]:
    """The properties that hold dates, with where their bounds go, and what each date in *data* was read as."""
    bounded: dict[str, list[str | None]] = {}
    for triple in ontology:
        place = {_EARLIEST: 0, _LATEST: 1}.get(triple.predicate.value)
        if place is not None and isinstance(triple.subject, NamedNode) and isinstance(triple.object, NamedNode):
            bounded.setdefault(triple.subject.value, [None, None])[place] = triple.object.value
    readings: dict[str, list[str | None]] = {}
    for triple in data:
        if triple.predicate.value in bounded and isinstance(triple.object, Literal):
            try:
                found = dates.bounds(triple.object.value)
            except ValueError:
                continue  # a finding of the date step
            latest = found.latest.isoformat() if found.latest else None
            readings[triple.object.value] = [found.earliest.isoformat(), latest]
    return {"properties": bounded, "readings": readings}


@dataclass
class _Reader:
    """Reads one CONSTRUCT query, which the engine has found well-formed, from left to right."""

    text: str
    at: int = 0
    made: int = 0
    tokens: list[_Token] = field(default_factory=list)
    prefixes: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.prefixes = dict(_PREFIX.findall(self.text))
        place, end = 0, -1
        while place < len(self.text):
            match = _TOKEN.match(self.text, place)
            if match is None:
                raise _Unsupported(f"“{self.text[place : place + 10]}” is not known here")
            if match.lastgroup and match.lastgroup != "skip":
                self.tokens.append(_Token(match.lastgroup, match[0], apart=place != end))
                end = match.end()
            place = match.end()

    def construct(self) -> tuple[list[list[str]], list[Element]]:
        while self.tokens[self.at].upper != "CONSTRUCT":
            self.at += 1
        self.at += 1
        self.expect("{")
        template: list[list[str]] = []
        while self.peek().text != "}":
            if self.peek().text == ".":
                self.at += 1
            else:
                template += [triple for each in self.triples() for triple in each.get("triples", [])]
        self.at += 1
        if self.peek().upper != "WHERE":
            raise _Unsupported("a CONSTRUCT without WHERE { … }, or with FROM")
        self.at += 1
        where = self.group()
        if self.at < len(self.tokens):
            raise _Unsupported(f"“{self.peek().text}” after the WHERE")
        return template, where

    def peek(self) -> _Token:
        return self.tokens[self.at] if self.at < len(self.tokens) else _Token("end", "")

    def next(self) -> _Token:
        token = self.peek()
        self.at += 1
        return token

    def expect(self, text: str) -> None:
        token = self.next()
        if token.upper != text:
            raise _Unsupported(f"“{token.text}” where {text} is expected")

    def fresh(self, letter: str) -> str:
        self.made += 1
        return f"?_{letter}{self.made}"

    def group(self) -> list[Element]:
        self.expect("{")
        if self.peek().upper == "SELECT":
            selected = self.select()
            self.expect("}")
            return [selected]
        elements: list[Element] = []
        while self.peek().text != "}":
            token = self.peek()
            if token.text == ".":
                self.at += 1
            elif token.text == "{":
                elements.append(self.alternatives())
            elif token.upper in _STARTS:
                elements.append(self.keyword())
            else:
                elements += self.triples()
        self.at += 1
        return elements

    def alternatives(self) -> Element:
        groups = [self.group()]
        while self.peek().upper == "UNION":
            self.at += 1
            groups.append(self.group())
        if len(groups) > 1:
            return {"union": groups, "variable": self.fresh("u")}
        return groups[0][0] if len(groups[0]) == 1 and "select" in groups[0][0] else {"group": groups[0]}

    def keyword(self) -> Element:
        word = self.next().upper
        if word == "OPTIONAL":
            return {"optional": self.group()}
        if word == "MINUS":
            text = self.balanced()
            return {"absent": f"MINUS {text}"}
        if word == "BIND":
            text = self.balanced()
            variable = re.search(r"\bAS\s+([?$]\w+)\s*\)$", text, re.IGNORECASE)
            if variable is None:
                raise _Unsupported("a BIND without AS")
            return {"bind": f"BIND {text}", "variable": "?" + variable[1][1:]}
        if word == "VALUES":
            head = self.balanced() if self.peek().text == "(" else self.written()
            return {"values": f"VALUES {head} {self.balanced()}", "variables": _variables_in(head)}
        if word == "FILTER":
            return self.filter()
        raise _Unsupported(f"{word}")

    def filter(self) -> Element:
        token = self.peek()
        if token.upper == "EXISTS":
            self.at += 1
            return {"exists": self.group()}
        if token.upper == "NOT" or (token.text == "!" and self.tokens[self.at + 1].upper == "EXISTS"):
            self.at += 1
            self.expect("EXISTS")
            text = self.balanced()
            return {"absent": f"FILTER NOT EXISTS {text}"}
        if token.text == "(":
            return {"filter": f"FILTER {self.balanced()}"}
        return {"filter": f"FILTER({self.written()}{self.balanced()})"}

    def select(self) -> Element:
        self.expect("SELECT")
        if self.peek().upper in ("DISTINCT", "REDUCED"):
            self.at += 1
        plain: list[str] = []
        aggregates: list[dict[str, str]] = []
        while self.peek().upper != "WHERE" and self.peek().text != "{":
            token = self.next()
            if token.kind == "variable":
                plain.append("?" + token.text[1:])
            elif token.text == "(":
                aggregates.append(self.aggregate())
            else:
                raise _Unsupported(f"SELECT {token.text} in a subquery")
        if self.peek().upper == "WHERE":
            self.at += 1
        group = self.group()
        keys: list[str] = []
        if self.peek().upper == "GROUP":
            self.at += 1
            self.expect("BY")
            while self.peek().kind == "variable":
                keys.append("?" + self.next().text[1:])
        if self.peek().text != "}":
            raise _Unsupported(f"{self.peek().upper} in a subquery")
        if aggregates and set(plain) - set(keys):
            raise _Unsupported("a subquery that gives out what it does not group by")
        return {"select": group, "keys": keys or plain, "plain": plain, "aggregates": aggregates}

    def aggregate(self) -> dict[str, str]:
        function = self.next().upper
        self.expect("(")
        distinct = self.peek().upper == "DISTINCT"
        self.at += distinct
        of = self.next()
        self.expect(")")
        self.expect("AS")
        named = self.next()
        self.expect(")")
        if of.kind != "variable" and of.text != "*":
            raise _Unsupported(f"{function} of something other than a variable")
        of_text = "?" + of.text[1:] if of.kind == "variable" else "*"
        return {
            "function": function,
            "of": of_text,
            "text": f"({function}({'DISTINCT ' if distinct else ''}{of_text}) AS ?{named.text[1:]})",
            "as": "?" + named.text[1:],
        }

    def balanced(self) -> str:
        """The text from the bracket that opens here to the one that closes it, names written out."""
        depth = 0
        words: list[str] = []
        while True:
            token = self.peek()
            if token.kind == "end":
                raise _Unsupported("brackets that do not close")
            depth += (token.text in ("(", "{")) - (token.text in (")", "}"))
            words.append(f"{' ' if token.apart and words else ''}{self.written()}")
            if depth == 0:
                return "".join(words)

    def written(self) -> str:
        """The next token as any query may hold it: prefixed names written out."""
        token = self.next()
        if token.kind == "name":
            return self.expanded(token.text)
        return "?" + token.text[1:] if token.kind == "variable" else token.text

    def expanded(self, name: str) -> str:
        prefix, _, local = name.partition(":")
        if prefix not in self.prefixes:
            raise _Unsupported(f"the prefix {prefix}:")
        return f"<{self.prefixes[prefix]}{local}>"

    def term(self) -> str:
        """The next term, as N-Triples write it, or a variable."""
        token = self.next()
        if token.kind == "variable":
            return "?" + token.text[1:]
        if token.kind in ("iri", "name"):
            return token.text if token.kind == "iri" else self.expanded(token.text)
        if token.kind == "number":
            kind = "integer" if re.fullmatch(r"[+-]?\d+", token.text) else "decimal"
            if "e" in token.text.lower():
                kind = "double"
            return f'"{token.text}"^^<{_XSD}{kind}>'
        if token.kind == "word" and token.text in ("true", "false"):
            return f'"{token.text}"^^<{_XSD}boolean>'
        if token.kind == "string" and not token.text.startswith(('"""', "'")):
            if self.peek().text == "^^":
                self.at += 1
                return f"{token.text}^^{self.written()}"
            return token.text
        raise _Unsupported(f"“{token.text}” as part of a statement")

    def triples(self) -> list[Element]:
        """The statements about one subject, with a choice for each alternative of a path."""
        subject = self.term()
        made: list[list[str]] = []
        choices: list[Element] = []
        while True:
            path = self.path()
            while True:
                made += self.steps(subject, path, self.term(), choices)
                if self.peek().text != ",":
                    break
                self.at += 1
            while self.peek().text == ";":
                self.at += 1
            if self.peek().text in (".", "}", "{") or self.peek().upper in _STARTS or self.peek().kind == "end":
                return [*choices, {"triples": made}]

    def path(self) -> list[list[tuple[str, bool]]]:
        """The steps of a path, each as its alternatives: a property and whether it is walked backwards."""
        steps = [self.step()]
        while self.peek().text == "/":
            self.at += 1
            steps.append(self.step())
        if self.peek().text == "|" or (len(steps) > 1 and any(len(step) > 1 for step in steps)):
            raise _Unsupported("a path that mixes / and |")
        if self.peek().text in ("*", "+"):
            raise _Unsupported("a path of any length")
        return steps

    def step(self) -> list[tuple[str, bool]]:
        found = [self.one_step()]
        while self.peek().text == "|":
            self.at += 1
            found.append(self.one_step())
        if len(found) > 1 and any(backwards for _, backwards in found):
            raise _Unsupported("a path with ^ among alternatives")
        return found

    def one_step(self) -> tuple[str, bool]:
        backwards = self.peek().text == "^"
        self.at += backwards
        if self.peek().kind == "word" and self.peek().text == "a":
            self.at += 1
            return f"<{names.PREFIXES['rdf']}type>", backwards
        if self.peek().kind not in ("iri", "name", "variable"):
            raise _Unsupported(f"“{self.peek().text}” in a path")
        return self.term(), backwards

    def steps(
        self, subject: str, path: list[list[tuple[str, bool]]], value: str, choices: list[Element]
    ) -> list[list[str]]:
        made = []
        for number, alternatives in enumerate(path):
            end = value if number == len(path) - 1 else self.fresh("s")
            property_, backwards = alternatives[0]
            if len(alternatives) > 1:
                options = [each for each, _ in alternatives]
                property_ = self.fresh("p")
                choices.append({"values": f"VALUES {property_} {{ {' '.join(options)} }}", "variables": [property_]})
            made.append([end, property_, subject] if backwards else [subject, property_, end])
            subject = end
        return made


def _variables_in(text: str) -> list[str]:
    return list(dict.fromkeys(re.findall(r"\?\w+", text)))


def _variables_of(elements: Sequence[Element], optional: bool = True) -> set[str]:
    """The variables that *elements* may bind outside of what is only looked for; not those of OPTIONAL unless asked."""
    found: set[str] = set()
    for each in elements:
        found |= {term for triple in each.get("triples", ()) for term in triple if term.startswith("?")}
        found |= set(each.get("variables", ()))
        found |= {each["variable"]} if "bind" in each else set()
        found |= {*each["plain"], *(made["as"] for made in each["aggregates"])} if "select" in each else set()
        if "group" in each:
            found |= _variables_of(each["group"], optional)
        if "optional" in each and optional:
            found |= _variables_of(each["optional"], optional)
        for group in each.get("union", ()):
            found |= _variables_of(group, optional)
    return found


def _certain(elements: Sequence[Element]) -> set[str]:
    """The variables that every solution of *elements* binds by a statement, a list of values or a group's key."""
    found: set[str] = set()
    for each in elements:
        found |= {term for triple in each.get("triples", ()) for term in triple if term.startswith("?")}
        found |= set(each.get("variables", ())) if "UNDEF" not in each.get("values", "") else set()
        found |= set(each.get("plain", ()))
        if "group" in each:
            found |= _certain(each["group"])
        if "union" in each:
            found |= set.intersection(*(_certain(group) for group in each["union"]))
    computed = {each["variable"] for each in elements if "bind" in each}
    return found - computed


def _rename(elements: Sequence[Element], scope: set[str], reader: _Reader) -> None:
    """Give the variables that only an EXISTS knows names of their own: its statements will stand among the others."""
    for each in elements:
        if "exists" in each:
            own = _variables_of(each["exists"]) - scope
            mark = reader.fresh("e")
            _replace(each["exists"], {name: f"{mark}_{name[1:]}" for name in own})
            _rename(each["exists"], scope | _variables_of(each["exists"]), reader)
        for inner in (each.get("group"), each.get("optional"), *each.get("union", ())):
            if inner is not None:
                _rename(inner, scope | _variables_of(inner), reader)
        if "select" in each:
            _rename(each["select"], _variables_of(each["select"]), reader)


def _replace(value: Any, new: dict[str, str]) -> Any:
    """*value*, a part of a tree, with variables renamed; lists and elements are changed in place."""
    if isinstance(value, str):
        return re.sub(r"\?\w+", lambda match: new.get(match[0], match[0]), value)
    if isinstance(value, list):
        value[:] = [_replace(each, new) for each in value]
    elif isinstance(value, dict):
        value.update({key: _replace(each, new) for key, each in value.items()})
    return value
