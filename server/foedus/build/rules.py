"""Run the rules, one SPARQL CONSTRUCT a file, stratum by stratum until nothing new follows."""

import difflib
import io
import re
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, QueryTriples, RdfFormat, Store, Triple, parse

from foedus import names, questions
from foedus.build import firing, rulebook
from foedus.build.findings import Count, Finding
from foedus.build.reading import Content, Source

MOST_ROUNDS = 100
MOST_NEW = 1_000_000
MOST_PER_FACT = 10
"""Limits that only rules without an end reach: rounds of one stratum; conclusions of any build and of a large one."""

_ASSERTED, _INFERRED = NamedNode(names.ASSERTED), NamedNode(names.INFERRED)
_COMMENT_OR_STRING = re.compile(
    r"""<[^<>"{}|^`\\\s]*>|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|(?P<comment>\#[^\n]*)""", re.VERBOSE
)
_TERM = re.compile(rf"(?<![\w.\-])foedus:(?P<local>\w+)|<{re.escape(names.ONTOLOGY)}(?P<iri>\w+)>")
_TEMPLATE = re.compile(r"\bCONSTRUCT\s*\{[^{}]*\}", re.IGNORECASE)
_VARIABLE = re.compile(r"[?$](\w+)")
_NAMELESS = re.compile(rb"(?:^|^\S+ \S+ )(?:_:|<<)")
"""Where a line of N-Triples is about a blank node or a statement."""
_AT = re.compile(r"error at (\d+):(\d+): (.*)", re.DOTALL)


@dataclass(frozen=True)
class Rule:
    """One rule: *name* is its file's, *sentence* says what it concludes, *text* is its CONSTRUCT query.

    *conditions* say in words what each NOT EXISTS and OPTIONAL of the text finds to be missing, in their order.
    """

    name: str
    file: str
    sentence: str
    stratum: int
    text: str
    conditions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Conclusions:
    """What the rules conclude, what keeps them from it, and how much each rule added."""

    statements: tuple[bytes, ...]
    """The conclusions in the order in which they came, each a line of N-Triples: half the memory of a triple."""
    findings: tuple[Finding, ...]
    by_rule: tuple[Count, ...]
    seconds: tuple[tuple[str, float], ...]
    """Seconds of CPU that each rule took."""
    rounds: int
    """How often the rules of a stratum were gone through, over all strata."""
    runs: int = 0
    """How often rules ran: one that nothing new can concern is passed over."""

    @cached_property
    def triples(self) -> tuple[Triple, ...]:
        """The conclusions as triples, in the same order."""
        return tuple(quad.triple for quad in parse(b"\n".join(self.statements), RdfFormat.N_TRIPLES, lenient=True))


def read(content: Content) -> tuple[tuple[Rule, ...], list[Finding]]:
    """The rules of *content* in the order they run, and what is wrong with their files."""
    rules, findings = [], []
    for source in content.rules:
        faults = [*_head_faults(source), *sparql_faults(source, ("CONSTRUCT",)), *unknown_terms(source, content)]
        faults += _unbound(source)
        findings += faults
        if not faults:
            lines = questions.head(source.text)[0]
            head = {line.key: line.value for line in lines}
            conditions = tuple(line.value for line in lines if line.key == "condition")
            made = Rule(source.path.stem, source.name, head["rule"], int(head["stratum"]), source.text, conditions)
            rules.append(made)
    return tuple(sorted(rules, key=lambda rule: (rule.stratum, rule.name))), findings


def run(rules: Iterable[Rule], store: Store) -> Conclusions:
    """Add what *rules* conclude from all graphs of *store* to its graph of inferences.

    Each stratum runs until a round adds nothing; the next one then builds on it. In a round after the first, a rule
    runs only if what came since it ran last can make a difference to it. A rule that does not come to an end,
    or concludes what is no statement about named things, is a finding and ends the run.
    """
    ordered = sorted(rules, key=lambda rule: (rule.stratum, rule.name))
    concluded: list[bytes] = []
    by_rule = dict.fromkeys((rule.name for rule in ordered), 0)
    known = _stated(store)
    seconds = dict.fromkeys(by_rule, 0.0)
    most = max(MOST_NEW, MOST_PER_FACT * len(known))
    rounds = runs = 0
    for stratum in sorted({rule.stratum for rule in ordered}):
        here = [rule for rule in ordered if rule.stratum == stratum]
        needs = {rule.name: rulebook.needs(rule) for rule in here}
        news, marks = firing.News(), dict[str, dict[bytes, int]]()
        for round_ in range(MOST_ROUNDS + 1):
            rounds += 1
            latest = ""
            for rule in here:
                begun = time.process_time()
                need, mark, now = needs[rule.name], marks.get(rule.name), news.mark()
                marks[rule.name] = now
                if need and mark is not None and not need.touched(news, mark, store):
                    seconds[rule.name] += time.process_time() - begun
                    continue
                runs += 1
                try:
                    new = _new(rule, store, known, most - len(concluded))
                    if new and round_ == MOST_ROUNDS:
                        raise _Stopped(f"After {MOST_ROUNDS} rounds the rule still concludes something new.")
                except _Stopped as stopped:
                    finding = Finding(rule.file, None, "", str(stopped), "Let it conclude from what it cannot add to.")
                    taken = tuple(seconds.items())
                    return Conclusions(tuple(concluded), (finding,), _counted(by_rule), taken, rounds, runs)
                store.load(b"\n".join(new), RdfFormat.N_TRIPLES, to_graph=_INFERRED, lenient=True)
                known.update(new)
                news.add(new)
                concluded += new
                by_rule[rule.name] += len(new)
                seconds[rule.name] += time.process_time() - begun
                latest = rule.name if new else latest
            if not latest:
                break
    return Conclusions(tuple(concluded), (), _counted(by_rule), tuple(seconds.items()), rounds, runs)


def blamed(findings: Iterable[Finding], rules: Sequence[Rule], store: Store) -> Iterator[Finding]:
    """*findings* on what *store* holds; each on a node of which only rules say what is wrong names them in its remedy.

    Those are the rules that conclude a value or a property of which the finding speaks, or, of a node that no file
    describes, anything.
    """
    concluded: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    described: set[str] = set()
    wanted = tuple(findings)
    for rule in rules if wanted else ():
        answer = store.query(rule.text, use_default_graph_as_union=True)
        for triple in answer if isinstance(answer, QueryTriples) else ():
            quads = store.quads_for_pattern(triple.subject, triple.predicate, triple.object, None)
            if all(quad.graph_name == _INFERRED for quad in quads) and isinstance(triple.subject, NamedNode):
                value = triple.object.value if isinstance(triple.object, NamedNode | Literal) else ""
                node = names.curie(triple.subject.value)
                concluded[node] |= {(rule.file, names.curie(value)), (rule.file, names.curie(triple.predicate.value))}
                if any(store.quads_for_pattern(triple.subject, None, None, _ASSERTED)):
                    described.add(node)
    for each in wanted:
        about = concluded[each.node]
        at_fault = {file for file, said in about if each.node not in described or said in each.message}
        files = ", ".join(sorted(at_fault))
        yield replace(each, remedy=f"{each.remedy} Concluded by {files}.") if files else each


def sparql_faults(source: Source, forms: tuple[str, ...]) -> Iterator[Finding]:
    """What keeps the query of *source* from being read, or from being of one of *forms*."""
    bare = without_comments(source.text)
    service = re.search(r"\bSERVICE\b", bare, re.IGNORECASE)
    if service:
        line = bare.count("\n", 0, service.start()) + 1
        yield Finding(source.name, line, "", "SERVICE is not allowed.", "Ask only the dataset itself.")
        return
    try:
        Store().query(source.text)
    except SyntaxError as error:
        at = _AT.match(str(error))
        message = f"The query cannot be read: {_shortened(at[3] if at else str(error))}"
        message += f" (column {at[2]})." if at else "."
        yield Finding(source.name, int(at[1]) if at else None, "", message, "Correct the SPARQL there or just before.")
        return
    form = form_of(source.text)
    if form not in forms:
        wanted = " or ".join(forms)
        yield Finding(source.name, None, "", f"This is a query of the form {form}.", f"Write {wanted}.")


def form_of(text: str) -> str:
    """The form of the SPARQL query *text*: its first word after the prologue, in capitals."""
    found = re.search(r"\b(SELECT|CONSTRUCT|ASK|DESCRIBE)\b", without_comments(text), re.IGNORECASE)
    return found[1].upper() if found else ""


def unknown_terms(source: Source, content: Content) -> Iterator[Finding]:
    """A finding for each ``foedus:`` term of the query of *source* that the ontology of *content* does not define.

    None where a file of the ontology could not be read: nobody knows what it defines.
    """
    if content.lacks_ontology:
        return
    defined = content.terms
    bare = without_comments(source.text)
    seen = set()
    for match in _TERM.finditer(bare):
        local = match["local"] or match["iri"]
        if local in defined or local in seen:
            continue
        seen.add(local)
        near = difflib.get_close_matches(local, defined, n=1)
        remedy = f"Did you mean foedus:{near[0]}?" if near else "Define it in ontology/foedus.ttl first."
        line = bare.count("\n", 0, match.start()) + 1
        yield Finding(source.name, line, f"foedus:{local}", f"The ontology defines no foedus:{local}.", remedy)


def without_comments(text: str) -> str:
    """The SPARQL *text* with its comments and the insides of its strings blank, lines kept."""

    def blank(match: re.Match[str]) -> str:
        return match[0] if match[0].startswith("<") else " " * len(match[0])

    return _COMMENT_OR_STRING.sub(blank, text)


class _Stopped(Exception):
    """A rule that cannot go on; the message says why."""


class _Lines(io.BytesIO):
    """Takes statements as the engine writes them; *found* are the lines that *known* does not hold, each once.

    To write more than *room* of these, or one about a blank node, stops the rule.
    """

    def __init__(self, known: Set[bytes], room: int) -> None:
        super().__init__()
        self.known, self.room = known, room
        self.found: set[bytes] = set()
        self._begun = b""

    def write(self, chunk: Any, /) -> int:
        *lines, self._begun = (self._begun + bytes(chunk)).split(b"\n")
        for line in set(lines) - self.known:
            if (b"_:" in line or b"<<" in line) and _NAMELESS.search(line):
                raise _Stopped("The rule concludes something about a blank node. Make an IRI with IRI(CONCAT(…)).")
            self.found.add(line)
        if len(self.found) > self.room:
            raise _Stopped(f"With {self.room} statements more, this rule still has no end.")
        return len(chunk)


def _stated(store: Store) -> set[bytes]:
    """What any graph of *store* holds, as lines of N-Triples."""
    stated: set[bytes] = set()
    for graph in (DefaultGraph(), *store.named_graphs()):
        stated.update((store.dump(format=RdfFormat.N_TRIPLES, from_graph=graph) or b"").splitlines())
    return stated


def _new(rule: Rule, store: Store, known: Set[bytes], room: int) -> list[bytes]:
    """What *rule* concludes now and is in no graph yet, in a fixed order."""
    result = store.query(rule.text, use_default_graph_as_union=True)
    if not isinstance(result, QueryTriples):
        raise _Stopped("A rule is a CONSTRUCT query.")
    lines = _Lines(known, room)
    result.serialize(lines, RdfFormat.N_TRIPLES)
    return sorted(lines.found)


def _unbound(source: Source) -> Iterator[Finding]:
    """A finding for each variable of the template of the rule *source* that its WHERE does not mention.

    SPARQL leaves out every statement with such a variable, so that the rule would silently conclude nothing.
    """
    bare = without_comments(source.text)
    template = _TEMPLATE.search(bare)
    if template is None:
        return
    bound = set(_VARIABLE.findall(bare[template.end() :]))
    seen = set(bound)
    for match in _VARIABLE.finditer(bare, template.start(), template.end()):
        name = match[1]
        if name in seen:
            continue
        seen.add(name)
        near = difflib.get_close_matches(name, bound, n=1)
        remedy = f"Did you mean ?{near[0]}?" if near else "Bind it in the WHERE."
        line = bare.count("\n", 0, match.start()) + 1
        yield Finding(source.name, line, f"?{name}", f"The WHERE never binds ?{name} of the CONSTRUCT.", remedy)


def _head_faults(source: Source) -> Iterator[Finding]:
    lines, malformed = questions.head(source.text)
    for number in malformed:
        message = "This head line is not of the form “#+ key: value”."
        yield Finding(source.name, number, "", message, "Write “#+ rule: One sentence.”.")
    for line in lines:
        if line.key not in ("rule", "stratum", "condition"):
            message = f"A rule has no head key “{line.key}”."
            yield Finding(source.name, line.line, "", message, "The keys are rule, stratum and condition.")
    for key, example in (("rule", "One sentence."), ("stratum", "1")):
        given = [line for line in lines if line.key == key]
        if len(given) != 1:
            message = f"The head has {len(given)} lines “#+ {key}:”; it needs one."
            yield Finding(source.name, 1, "", message, f"Write “#+ {key}: {example}” at the top.")
        elif key == "stratum" and not re.fullmatch(r"[1-9]\d?", given[0].value):
            message = f"“{given[0].value}” is no stratum."
            yield Finding(source.name, given[0].line, "", message, "Give a whole number from 1.")


def _shortened(message: str) -> str:
    """The engine's *message* on one line, without its long list of character ranges."""
    line = " ".join(message.split())
    return line if len(line) <= 160 else line[:160].rsplit(" ", 1)[0] + "…"


def _counted(by_rule: dict[str, int]) -> tuple[Count, ...]:
    return tuple(Count(name, number) for name, number in by_rule.items())


def store_of(graphs: Mapping[str, Iterable[Triple]]) -> Store:
    """A store that holds each graph's triples under the graph's IRI."""
    store = Store()
    for iri, triples in graphs.items():
        name = NamedNode(iri) if iri else DefaultGraph()
        store.extend(Quad(each.subject, each.predicate, each.object, name) for each in triples)
    return store
