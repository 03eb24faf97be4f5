"""Explain a statement: the proofs of it, from the rules that conclude it down to what files state, with their sources.

Nothing is stored when the rules run. A conclusion is matched against the template of each rule; the rule's WHERE, as
``foedus/build/rulebook.py`` took it apart, is asked with the conclusion in it, and what it matches are the premises.
So an explanation is found by running the rule again, on the whole dataset, and cannot differ from it.
"""

import difflib
import hashlib
import heapq
import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from foedus import names
from foedus.errors import AnswerTooLarge, DatasetRefused, NoSuchThing, WrongUsage
from foedus.query import results
from foedus.query.dataset import Description
from foedus.query.pool import Asker
from foedus.query.results import Term

PROOFS = 5
"""Proofs that are given where nobody asks for more or fewer."""
MOST_PROOFS = 50
"""Proofs that one may ask for."""
MOST_STATEMENTS = 3000
"""Statements that the proofs of one statement may rest on, all alternatives together."""
MOST_NODES = 20_000
"""Statements in all proofs that are given together, written out as trees, each as often as it is used."""
MOST_DEPTH = 60
"""Rules one above the other, and longest way in between, that are followed."""
MOST_WORK = 50_000
"""Combinations of alternatives that are weighed."""
LONGEST_TERM = 2000
"""Characters of a term that is given from outside."""

DATES = "dates"
"""The name of the step that reads dates, which is no rule file."""

_GROUP_ROWS = 200
_TEXT = 40_000
_XSD_STRING = names.PREFIXES["xsd"] + "string"
_STATED = frozenset(names.STATED)
_LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"(?:@([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)|\^\^(\S+))?\Z', re.DOTALL)
_ESCAPES = {"t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f", '"': '"', "'": "'", "\\": "\\"}
_WRITTEN = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}

Element = Mapping[str, Any]
Binding = Mapping[str, Term]
_Owner = TypeVar("_Owner")
_Use = tuple[Binding, "tuple[Statement, ...]", tuple[str, ...]]
"""One use of a rule: what its variables are, the premises, and the conditions in words."""


@dataclass(frozen=True)
class Statement:
    """A triple."""

    subject: Term
    property: Term
    value: Term

    def __iter__(self) -> Iterator[Term]:
        return iter((self.subject, self.property, self.value))

    def __str__(self) -> str:
        return " ".join(shown(each) for each in self)


@dataclass(frozen=True)
class Rule:
    """A rule as the rulebook holds it; *template* and *where* are its parts, *certain* the variables always bound."""

    name: str
    file: str
    sentence: str
    template: tuple[tuple[str, str, str], ...]
    where: tuple[Element, ...]
    certain: frozenset[str]
    text: str


@dataclass(frozen=True)
class Rulebook:
    """The rules of a dataset, and how its dates were read: bounds by text, and where each property's bounds go."""

    rules: tuple[Rule, ...]
    bounded: Mapping[str, tuple[str | None, str | None]]
    readings: Mapping[str, tuple[str, str | None]]


@dataclass(frozen=True)
class Step:
    """One use of a rule: from *premises*, where *conditions* hold, it concludes *conclusion*."""

    conclusion: Statement
    rule: str
    file: str
    sentence: str
    premises: tuple[Statement, ...]
    conditions: tuple[str, ...]


@dataclass(frozen=True)
class Proof:
    """Why a statement holds: by a rule from *premises*, or, with no *rule*, as *files* state it after *sources*."""

    conclusion: Statement
    rule: str = ""
    file: str = ""
    sentence: str = ""
    premises: "tuple[Proof, ...]" = ()
    conditions: tuple[str, ...] = ()
    graph: str = ""
    files: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    size: int = 1

    def as_json(self) -> dict[str, Any]:
        """The proof as plain values; a tree, each premise written out wherever it is used."""
        made: dict[str, Any] = {"triple": [_json(each) for each in self.conclusion]}
        if self.rule:
            made |= {"rule": self.rule, "file": self.file, "sentence": self.sentence}
            made |= {"conditions": list(self.conditions), "premises": [each.as_json() for each in self.premises]}
        else:
            made |= {"graph": self.graph, "files": list(self.files), "sources": list(self.sources)}
        return made


@dataclass(frozen=True)
class Explanation:
    """The *proofs* of *statement*, shortest first; *more* where there are others beyond the number asked for."""

    statement: Statement
    proofs: tuple[Proof, ...]
    more: bool

    def json(self) -> str:
        content = {
            "triple": [_json(each) for each in self.statement],
            "proofs": [{"statements": proof.size, **proof.as_json()} for proof in self.proofs],
            "more": self.more,
        }
        return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def rulebook(dataset: Description) -> Rulebook:
    """The rules of *dataset*; NoSuchThing where it has none, DatasetRefused where they are not its manifest's."""
    if dataset.rules is None:
        raise NoSuchThing("These data came without rules: nothing in them is concluded.", "Serve a built dataset.")
    return _rulebook(dataset.rules, dataset.rules_sha256)


@lru_cache(maxsize=4)
def _rulebook(file: str, sha256: str | None) -> Rulebook:
    try:
        content = Path(file).read_bytes()
    except OSError as error:
        raise DatasetRefused(f"The rulebook of the dataset cannot be read ({error.strerror}).", "Restart.") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise DatasetRefused("The rulebook is not the one that the manifest describes.", "Run: foedus build")
    return read_rulebook(content.decode())


def read_rulebook(text: str) -> Rulebook:
    """The rulebook in *text*, as the build writes it."""
    content = json.loads(text)
    return Rulebook(
        tuple(
            Rule(
                each["name"],
                each["file"],
                each["sentence"],
                tuple((s, p, o) for s, p, o in each["template"]),
                tuple(each["where"]),
                frozenset(each["certain"]),
                each["text"],
            )
            for each in content["rules"]
        ),
        {iri: (earliest, latest) for iri, (earliest, latest) in content["dates"]["properties"].items()},
        {text: (earliest, latest) for text, (earliest, latest) in content["dates"]["readings"].items()},
    )


def explain(asker: Asker, statement: Statement, proofs: int = PROOFS) -> Explanation:
    """The shortest *proofs* of *statement*, from what *asker* answers.

    A proof ends at what files state, though rules may conclude that as well; of *statement* itself both kinds are
    given. NoSuchThing, with what is recorded instead, where it does not hold; AnswerTooLarge beyond the limits above.
    """
    if not 1 <= proofs <= MOST_PROOFS:
        raise WrongUsage(f"{proofs} proofs cannot be given.", f"Ask for 1 to {MOST_PROOFS}.")
    book = rulebook(asker.dataset)
    finder = Finder(asker, book)
    if not finder.graphs([statement])[statement]:
        raise _not_said(asker, statement)
    return _Weighing(_explore(finder, statement), statement, proofs).explanation(finder)


def read_term(text: str, what: str = "A term") -> Term:
    """The term that *text* writes: an IRI, a CURIE, ``a``, the local name of a thing, or a literal in quotes.

    WrongUsage for anything else; what comes out can stand in a query without changing it.
    """
    given = text.strip()
    if len(given) > LONGEST_TERM:
        raise WrongUsage(f"{what} has {len(given)} characters.", f"Give at most {LONGEST_TERM}.")
    if given == "a":
        return Term("iri", names.PREFIXES["rdf"] + "type")
    if literal := _LITERAL.match(given):
        value = _unescaped(literal[1], what)
        datatype = names.expand(literal[3]) if literal[3] else None
        if literal[3] and datatype is None:
            raise WrongUsage(f"{what}: “{literal[3]}” is no datatype.", 'Write for example "1"^^xsd:integer.')
        return Term("literal", value, None if datatype == _XSD_STRING else datatype, literal[2])
    expanded = names.expand(given)
    if expanded is None and re.fullmatch(r"[A-Za-z0-9][\w.-]*", given):
        expanded = names.ID + given
    if expanded is None:
        raise WrongUsage(
            f"{what}: “{given[:100]}” is no term.", 'Write id:csto, foedus:endedBy, a full IRI, or "text"@en.'
        )
    return Term("iri", expanded)


def read_statement(subject: str, property_: str, value: str) -> Statement:
    """The statement of the three terms; WrongUsage where one is no term or cannot stand in its place."""
    made = Statement(
        read_term(subject, "The subject"), read_term(property_, "The property"), read_term(value, "The object")
    )
    for each, what in ((made.subject, "subject"), (made.property, "property")):
        if each.kind != "iri":
            raise WrongUsage(f"A literal is no {what}.", "Write a CURIE such as id:csto, or a full IRI.")
    return made


def written(term: Term) -> str:
    """*term* as a query holds it; ValueError for what is no safe IRI and no literal."""
    if term.kind == "iri" and names.is_iri(term.value):
        return f"<{term.value}>"
    if term.kind != "literal":
        raise ValueError(f"not a term: {term}")
    text = '"' + "".join(_WRITTEN.get(each, each) for each in term.value) + '"'
    if term.language:
        return f"{text}@{term.language}"
    if term.datatype:
        if not names.is_iri(term.datatype):
            raise ValueError(f"not a datatype: {term.datatype!r}")
        return f"{text}^^<{term.datatype}>"
    return text


def shown(term: Term) -> str:
    """*term* as Turtle shows it, shortened by our prefixes."""
    if term.kind == "iri":
        return "a" if term.value == names.PREFIXES["rdf"] + "type" else names.curie(term.value)
    text = '"' + "".join(_WRITTEN.get(each, each) for each in term.value) + '"'
    if term.language:
        return f"{text}@{term.language}"
    return f"{text}^^{names.curie(term.datatype)}" if term.datatype else text


class Finder:
    """Finds in one dataset where statements stand and which steps conclude them, many at a time."""

    def __init__(self, asker: Asker, book: Rulebook) -> None:
        self.asker = asker
        self.book = book
        self.known: dict[Statement, frozenset[str]] = {}
        self.uses: dict[tuple[str, tuple[str, ...], tuple[Term, ...]], list[_Use]] = {}
        self.by_property: dict[str, list[tuple[Rule, int]]] = {}
        for rule in book.rules:
            for place, (_, property_, _) in enumerate(rule.template):
                key = "" if property_.startswith("?") else property_
                self.by_property.setdefault(key, []).append((rule, place))
        self.targets: dict[str, list[tuple[str, int]]] = {}
        for iri, bounds in book.bounded.items():
            for side, target in enumerate(bounds):
                if target is not None:
                    self.targets.setdefault(target, []).append((iri, side))

    def graphs(self, statements: Sequence[Statement]) -> dict[Statement, frozenset[str]]:
        """The named graphs that hold each of *statements*, each asked for once."""
        found: dict[Statement, set[str]] = {each: set() for each in statements if each not in self.known}
        rows = [(each, [written(term) for term in each]) for each in found]
        body = "GRAPH ?_g { ?_s ?_p ?_o }"
        for owner, row in self._answers(("?_s", "?_p", "?_o"), rows, body):
            found[owner].add(row["_g"].value)
        self.known |= {each: frozenset(graphs) for each, graphs in found.items()}
        return {each: self.known[each] for each in statements}

    def steps(self, statements: Iterable[Statement]) -> dict[Statement, tuple[Step, ...]]:
        """Every step that concludes each of *statements*, those with the same premises once."""
        found: dict[Statement, dict[tuple[str, frozenset[Statement]], Step]] = {each: {} for each in statements}
        candidates: list[tuple[Statement, Rule, int, dict[str, Term], tuple[Statement, ...]]] = []
        for statement in found:
            key = written(statement.property)
            for rule, place in (*self.by_property.get(key, ()), *self.by_property.get("", ())):
                bound = _unified(rule.template[place], statement)
                if bound is not None and (needed := _needed(rule, bound)) is not None:
                    candidates.append((statement, rule, place, bound, needed))
        # Most rules that could conclude a statement by its form are ruled out by the kind of thing that it is about.
        holds = self.graphs(list(dict.fromkeys(each for candidate in candidates for each in candidate[4])))
        ruled = [candidate[:4] for candidate in candidates if all(holds[each] for each in candidate[4])]
        for statement, step in self._concluded(ruled):
            found[statement].setdefault((step.rule, frozenset(step.premises)), step)
        for step in self._readings(found):
            found[step.conclusion].setdefault((step.rule, frozenset(step.premises)), step)
        return {each: tuple(steps.values()) for each, steps in found.items()}

    def origins(self, statements: Iterable[Statement]) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
        """The files and the sources of the subjects of *statements*."""
        subjects = {each.subject.value: each.subject for each in statements if names.is_iri(each.subject.value)}
        found: dict[str, tuple[set[str], set[str]]] = {each: (set(), set()) for each in subjects}
        body = (
            f"{{ ?_s <{names.ONTOLOGY}statedIn> ?_file }} UNION {{ ?_s <{names.ONTOLOGY}source> ?_source }} UNION "
            f"{{ ?_s <{names.ONTOLOGY}reportedIn> ?_source }}"
        )
        rows = [(iri, [written(term)]) for iri, term in subjects.items()]
        for owner, row in self._answers(("?_s",), rows, body):
            for key, into in (("_file", found[owner][0]), ("_source", found[owner][1])):
                if key in row:
                    into.add(row[key].value)
        return {each: (tuple(sorted(files)), tuple(sorted(sources))) for each, (files, sources) in found.items()}

    def _concluded(
        self, candidates: Sequence[tuple[Statement, Rule, int, dict[str, Term]]]
    ) -> Iterator[tuple[Statement, Step]]:
        """The uses of rules that conclude the statements of *candidates*, each with a rule, the place of its template
        that may conclude it, and what the variables there are then.

        Where a rule concludes several statements about one thing, its uses are looked up by that thing, once for all.
        """
        new: dict[tuple[str, tuple[str, ...]], tuple[Rule, dict[tuple[Term, ...], None]]] = {}
        keys = []
        for _, rule, place, bound in candidates:
            subject = rule.template[place][0]
            shared = subject in bound and sum(each[0] == subject for each in rule.template) > 1
            known = (subject,) if shared else tuple(bound)
            values = tuple(bound[each] for each in known)
            keys.append((rule.name, known, values))
            if (rule.name, known, values) not in self.uses:
                new.setdefault((rule.name, known), (rule, {}))[1][values] = None
        for (name, known), (rule, wanted) in new.items():
            self.uses |= {(name, known, values): [] for values in wanted}
            for values, use in self._uses(rule, known, list(wanted)):
                self.uses[name, known, values].append(use)
        for key, (statement, rule, place, _) in zip(keys, candidates, strict=True):
            triple = rule.template[place]
            for binding, premises, conditions in self.uses[key]:
                whole = all(term in binding for term in triple if term.startswith("?"))
                if whole and _instance(triple, binding) == statement:
                    yield statement, Step(statement, rule.name, rule.file, rule.sentence, premises, conditions)

    def _uses(
        self, rule: Rule, known: Sequence[str], wanted: Sequence[tuple[Term, ...]]
    ) -> Iterator[tuple[tuple[Term, ...], _Use]]:
        """The uses of *rule* in which the variables *known* have one of the values *wanted*, with these."""
        alias = {each: each if each in rule.certain else f"?_k_{each[1:]}" for each in known}
        usable = rule.certain | set(known)
        # One use of a rule concludes its whole template, so all of that is in the dataset: it leads there fastest.
        hints = [
            [alias.get(term, term) for term in triple]
            for triple in rule.template
            if all(term in usable for term in triple if term.startswith("?"))
        ]
        hint = " ".join(f"{' '.join(triple)} ." for triple in hints)
        tests = [f"FILTER(sameTerm({each}, {alias[each]}))" for each in known if alias[each] != each]
        head = tuple(alias[each] for each in known)

        def body(values: str) -> str:
            return " ".join((hint, _group(rule.where, _Restriction(values, hint, hints, head)), *tests))

        for owner, row in self._answers(head, [(each, list(map(written, each))) for each in wanted], body):
            binding = {f"?{name}": term for name, term in row.items()}
            premises: list[Statement] = []
            conditions: list[str] = []
            self._gather(rule.where, binding, premises, conditions)
            yield owner, (binding, tuple(dict.fromkeys(premises)), tuple(dict.fromkeys(conditions)))

    def _gather(
        self, elements: Sequence[Element], binding: Binding, premises: list[Statement], conditions: list[str]
    ) -> None:
        """Add what *elements* rest on, where they bind their variables by *binding*."""
        for each in elements:
            if "triples" in each:
                premises += [_instance(triple, binding) for triple in each["triples"]]
            elif "filter" in each:
                conditions.append(_in_words(each["filter"].removeprefix("FILTER"), binding))
            elif "absent" in each:
                conditions.append(_filled(each["words"], binding))
            elif "exists" in each:
                self._gather(each["exists"], binding, premises, conditions)
            elif "group" in each:
                self._gather(each["group"], binding, premises, conditions)
            elif "union" in each:
                self._gather(each["union"][int(binding[each["variable"]].value)], binding, premises, conditions)
            elif "optional" in each:
                parts = [triple for part in each["optional"] for triple in part.get("triples", ())]
                if parts and all(term in binding for triple in parts for term in triple if term.startswith("?")):
                    self._gather(each["optional"], binding, premises, conditions)
                elif parts:
                    conditions.append(_filled(each["words"], binding))
            elif "select" in each:
                self._gather_group(each, binding, premises, conditions)

    def _gather_group(
        self, element: Element, binding: Binding, premises: list[Statement], conditions: list[str]
    ) -> None:
        """Add what the subquery *element* rests on: one row that gives the least or the greatest; of what is counted
        or put together, every row."""
        found_keys = [each for each in element["keys"] if each in binding]
        keys = [each for each in found_keys if each in _matched(element)]
        values = f"VALUES ({' '.join(keys)}) {{ ({' '.join(written(binding[each]) for each in keys)}) }}"
        computed = [each for each in found_keys if each not in keys]
        tests = " ".join(f"FILTER(sameTerm({each}, {written(binding[each])}))" for each in computed)
        inner = f"{_group(element['select'], None)} {tests}"
        for made in element["aggregates"] or [None]:
            single = made is None or made["function"] in ("MIN", "MAX", "SAMPLE")
            test = f"FILTER(sameTerm({made['of']}, {written(binding[made['as']])}))" if made and single else ""
            text = f"SELECT DISTINCT * WHERE {{ {values if keys else ''} {inner} {test} }}"
            rows = self._select(f"{text} LIMIT {_GROUP_ROWS + 1}")
            if len(rows) > _GROUP_ROWS and not single:
                raise AnswerTooLarge(
                    f"A rule counts more than {_GROUP_ROWS} statements at once.", "Ask with a query: foedus ask."
                )
            found: list[tuple[list[Statement], list[str]]] = []
            for row in rows:
                here: tuple[list[Statement], list[str]] = ([], [])
                inside = {f"?{name}": term for name, term in row.items()}
                self._gather(element["select"], inside, *here)
                found.append(here)
            found.sort(key=lambda each: [str(premise) for premise in each[0]])
            for some_premises, some_conditions in found[:1] if single else found:
                premises += some_premises
                conditions += some_conditions
            if made is not None:
                words = {"MIN": "the least", "MAX": "the greatest", "COUNT": "the number"}
                conditions.append(
                    f"{_in_words(made['as'], binding)} is {words.get(made['function'], made['function'])} of all "
                    f"{made['of']} with: {_in_words('{ ' + _plain(element['select']) + ' }', binding)}"
                )

    def _readings(self, statements: Iterable[Statement]) -> Iterator[Step]:
        """The steps by which the build read dates."""
        rows = [
            ((each, iri, side), [written(each.subject), f"<{iri}>"])
            for each in statements
            for iri, side in self.targets.get(each.property.value, ())
            if each.value.kind == "literal"
        ]
        for (statement, iri, side), row in self._answers(("?_s", "?_p"), rows, "?_s ?_p ?_text ."):
            reading = self.book.readings.get(row["_text"].value)
            if reading is None or reading[side] != statement.value.value:
                continue
            bound = ("earliestBound", "latestBound")[side]
            word = ("earliest", "latest")[side]
            date = row["_text"].value
            until = f" to {reading[1]}" if reading[1] else " or later"
            span = reading[0] if reading[0] == reading[1] else reading[0] + until
            yield Step(
                statement,
                DATES,
                "",
                f"The date “{date}” was read as {span}; the {word} day that it may mean is {reading[side]}.",
                (
                    Statement(statement.subject, Term("iri", iri), row["_text"]),
                    Statement(Term("iri", iri), Term("iri", names.ONTOLOGY + bound), statement.property),
                ),
                (),
            )

    def _answers(
        self, variables: Sequence[str], rows: Sequence[tuple[_Owner, list[str]]], body: str | Callable[[str], str]
    ) -> Iterator[tuple[_Owner, Binding]]:
        """The solutions of *body* with *variables* bound to each of *rows*, with the owner of the row."""
        start = 0
        while start < len(rows):
            end, size = start, 0
            while end < len(rows) and (end == start or size < _TEXT // 3):
                size += sum(map(len, rows[end][1])) + 12
                end += 1
            lines = " ".join(f"({number} {' '.join(rows[number][1])})" for number in range(start, end))
            values = f"VALUES (?_n {' '.join(variables)}) {{ {lines} }}"
            asked = body if isinstance(body, str) else body(values)
            for row in self._select(f"SELECT DISTINCT * WHERE {{ {values} {asked} }}"):
                yield rows[int(row["_n"].value)][0], row
            start = end

    def _select(self, text: str) -> list[dict[str, Term]]:
        return list(results.select(self.asker, text, reserved=True))


@dataclass(frozen=True)
class _Restriction:
    """What is known before a subquery runs: *values* and, in *hints*, the rule's other conclusions."""

    values: str
    hint: str
    hints: Sequence[Sequence[str]]
    head: Sequence[str]

    def of(self, keys: Sequence[str]) -> str:
        """A subquery that gives the values that *keys* can have at all, each once; nothing where none is known."""
        known = {*self.head, *(term for triple in self.hints for term in triple)}
        chosen = [each for each in keys if each in known]
        if not chosen:
            return ""
        return f"{{ SELECT DISTINCT {' '.join(chosen)} WHERE {{ {self.values} {self.hint} }} }}"


def _group(elements: Sequence[Element], restriction: _Restriction | None, lift: bool = True) -> str:
    """*elements* as SPARQL; with *lift*, what an EXISTS looks for is matched, so that it is known what was found."""
    parts, last = [], []
    for each in elements:
        if "triples" in each:
            parts.append(" ".join(f"{' '.join(triple)} ." for triple in each["triples"]))
        elif "exists" in each:
            inner = _group(each["exists"], None, lift)
            last.append(inner if lift else f"FILTER EXISTS {{ {inner} }}")
        elif "group" in each:
            parts.append(f"{{ {_group(each['group'], None, lift)} }}")
        elif "optional" in each:
            parts.append(f"OPTIONAL {{ {_group(each['optional'], None, lift)} }}")
        elif "union" in each:
            parts.append(
                " UNION ".join(
                    f"{{ {_group(group, None, lift)} BIND({number} AS {each['variable']}) }}"
                    for number, group in enumerate(each["union"])
                )
            )
        elif "select" in each:
            given = " ".join((*each["plain"], *(made["text"] for made in each["aggregates"])))
            inner = _group(each["select"], None, lift=False)
            keys = f" GROUP BY {' '.join(each['keys'])}" if each["aggregates"] and each["keys"] else ""
            known = restriction.of(_matched(each)) if restriction else ""
            parts.append(f"{{ SELECT {given} WHERE {{ {known} {inner} }}{keys} }}")
        else:
            parts.append(next(each[key] for key in ("values", "bind", "filter", "absent") if key in each))
    return " ".join((*parts, *last))


def _matched(subquery: Element) -> list[str]:
    """The keys of *subquery* to which none of its BINDs gives the value, so that VALUES can give it beforehand."""
    computed = {each["variable"] for each in subquery["select"] if "bind" in each}
    return [each for each in subquery["keys"] if each not in computed]


def _plain(elements: Sequence[Element]) -> str:
    """The statements of *elements*, for reading."""
    return " . ".join(" ".join(triple) for each in elements for triple in each.get("triples", ()))


def _unified(pattern: Sequence[str], statement: Statement) -> dict[str, Term] | None:
    """The variables of *pattern* where it is *statement*; None where it cannot be."""
    bound: dict[str, Term] = {}
    for place, term in zip(pattern, statement, strict=True):
        if not place.startswith("?"):
            if place != written(term):
                return None
        elif bound.setdefault(place, term) != term:
            return None
    return bound


def _needed(rule: Rule, bound: Mapping[str, Term]) -> tuple[Statement, ...] | None:
    """What *rule* concludes and needs besides, as far as *bound* says it whole; None where no statement can be so."""
    found = []
    for triple in (*rule.template, *(triple for each in rule.where for triple in each.get("triples", ()))):
        if any(term in bound for term in triple) and all(term in bound for term in triple if term.startswith("?")):
            made = _instance(triple, bound)
            if made.subject.kind != "iri":
                return None
            found.append(made)
    return tuple(found)


def _instance(triple: Sequence[str], binding: Binding) -> Statement:
    subject, property_, value = (binding[term] if term.startswith("?") else _constant(term) for term in triple)
    return Statement(subject, property_, value)


@lru_cache(maxsize=4096)
def _constant(text: str) -> Term:
    return Term("iri", text[1:-1]) if text.startswith("<") else read_term(text)


def _filled(sentence: str, binding: Binding) -> str:
    """A rule's *sentence* with the values that its variables have: names shortened, literals bare."""

    def value(match: re.Match[str]) -> str:
        term = binding.get(match[0])
        return match[0] if term is None else shown(term) if term.kind == "iri" else term.value

    return re.sub(r"\?\w+", value, sentence)


def _in_words(text: str, binding: Binding) -> str:
    """A piece of a rule with the values that its variables have, names shortened, on one line."""

    def value(match: re.Match[str]) -> str:
        term = binding.get(match[0])
        if term is None:
            return match[0]
        return shown(term) if term.kind == "iri" or term.language else f'"{term.value}"'

    filled = re.sub(r"\?\w+", value, text)
    short = re.sub(r"<(https?://[^<>\s]*)>", lambda match: names.curie(match[1]), filled)
    line = " ".join(short.split())
    if line[:1] + line[-1:] in ("()", "{}"):
        line = line[1:-1].strip()
    return line


@dataclass
class _Explored:
    """What the proofs of a statement may be made of."""

    steps: dict[Statement, tuple[Step, ...]] = field(default_factory=dict)
    graphs: dict[Statement, frozenset[str]] = field(default_factory=dict)


def _explore(finder: Finder, root: Statement) -> _Explored:
    """Every step below *root*, level by level, down to what files state."""
    explored = _Explored()
    level = [root]
    for _ in range(MOST_DEPTH):
        explored.graphs |= finder.graphs(level)
        concluded = [each for each in level if each == root or not explored.graphs[each] & _STATED]
        found = finder.steps(concluded)
        explored.steps |= found
        premises = dict.fromkeys(each for steps in found.values() for step in steps for each in step.premises)
        level = [each for each in premises if each not in explored.graphs]
        if not level:
            return explored
        if len(explored.graphs) + len(level) > MOST_STATEMENTS:
            raise AnswerTooLarge(
                f"The proofs rest on more than {MOST_STATEMENTS} statements.", "Ask about one of its premises."
            )
    raise AnswerTooLarge(f"The proofs are deeper than {MOST_DEPTH} steps.", "Ask about one of its premises.")


@dataclass(order=True, frozen=True)
class _Tree:
    """A proof while it is weighed: the number of its statements, and a text that puts equal ones in a fixed order."""

    size: int
    order: str
    conclusion: Statement = field(compare=False)
    step: Step | None = field(compare=False)
    below: "tuple[_Tree, ...]" = field(compare=False)


class _Weighing:
    """Puts steps together to the smallest trees. No statement stands above itself: a proof that goes in a circle is
    none. The best trees of a statement do not depend on what stands above it, except in a circle with it."""

    def __init__(self, explored: _Explored, root: Statement, proofs: int) -> None:
        self.explored = explored
        self.root = root
        self.proofs = proofs
        self.work = 0
        self.circle = _circles(explored.steps)
        self.known: dict[tuple[Statement, frozenset[Statement]], tuple[_Tree, ...]] = {}
        self.made: dict[int, Proof] = {}

    def explanation(self, finder: Finder) -> Explanation:
        trees = self.trees(self.root, frozenset())
        if trees and trees[0].size > MOST_NODES:
            raise AnswerTooLarge(f"A proof has more than {MOST_NODES} statements.", "Ask about one of its premises.")
        sizes = itertools.accumulate(each.size for each in trees[: self.proofs])
        chosen = [tree for tree, size in zip(trees, sizes, strict=False) if size <= MOST_NODES]
        leaves = {each.conclusion for tree in chosen for each in _leaves(tree)}
        origins = finder.origins(leaves)
        return Explanation(
            self.root, tuple(self.proof(tree, origins) for tree in chosen), more=len(trees) > len(chosen)
        )

    def proof(self, tree: _Tree, origins: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]) -> Proof:
        """The proof that *tree* stands for; what is used twice is the same object."""
        if id(tree) not in self.made:
            self.made[id(tree)] = self._proof(tree, origins)
        return self.made[id(tree)]

    def _proof(self, tree: _Tree, origins: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]) -> Proof:
        step = tree.step
        if step is None:
            graph = min(self.explored.graphs[tree.conclusion] & _STATED)
            files, sources = origins.get(tree.conclusion.subject.value, ((), ()))
            return Proof(tree.conclusion, graph=graph, files=files, sources=sources)
        below = tuple(self.proof(each, origins) for each in tree.below)
        return Proof(tree.conclusion, step.rule, step.file, step.sentence, below, step.conditions, size=tree.size)

    def trees(self, statement: Statement, above: frozenset[Statement]) -> tuple[_Tree, ...]:
        """The smallest trees that conclude *statement* without one of *above*, one more than are asked for."""
        key = (statement, above)
        if key not in self.known:
            inside = above | {statement}
            found: list[_Tree] = []
            if self.explored.graphs[statement] & _STATED:
                found.append(_Tree(1, "", statement, None, ()))
            for step in self.explored.steps.get(statement, ()):
                if not inside & set(step.premises):
                    found += self.combined(step, inside)
            found.sort()
            self.known[key] = tuple(found[: self.proofs + 1])
        return self.known[key]

    def combined(self, step: Step, above: frozenset[Statement]) -> Iterator[_Tree]:
        """The smallest trees that end in *step*."""
        choices = [self.trees(each, above & self.circle.get(each, frozenset())) for each in step.premises]
        if not all(choices):
            return
        queue = [(sum(each[0].size for each in choices), (0,) * len(choices))]
        seen = {queue[0][1]}
        given = 0
        while queue and given <= self.proofs:
            self.work += 1
            if self.work > MOST_WORK:
                raise AnswerTooLarge(f"There are more than {MOST_WORK} ways to put proofs together.", "Ask for fewer.")
            size, places = heapq.heappop(queue)
            below = tuple(choice[place] for choice, place in zip(choices, places, strict=True))
            order = f"{step.rule} {' '.join(sorted(map(str, step.premises)))} {' '.join(each.order for each in below)}"
            yield _Tree(size + 1, hashlib.sha256(order.encode()).hexdigest(), step.conclusion, step, below)
            given += 1
            for number, choice in enumerate(choices):
                if places[number] + 1 < len(choice):
                    after = (*places[:number], places[number] + 1, *places[number + 1 :])
                    if after not in seen:
                        seen.add(after)
                        more = choice[places[number] + 1].size - choice[places[number]].size
                        heapq.heappush(queue, (size + more, after))


def _leaves(tree: _Tree) -> Iterator[_Tree]:
    if tree.step is None:
        yield tree
    for each in tree.below:
        yield from _leaves(each)


def _circles(steps: Mapping[Statement, tuple[Step, ...]]) -> dict[Statement, frozenset[Statement]]:
    """The statements that each statement is in a circle with, itself included (Tarjan's algorithm, without
    recursion); those in none are absent."""
    below = {each: list(dict.fromkeys(p for step in found for p in step.premises)) for each, found in steps.items()}
    number: dict[Statement, int] = {}
    low: dict[Statement, int] = {}
    path: list[Statement] = []
    on_path: set[Statement] = set()
    found: dict[Statement, frozenset[Statement]] = {}
    for start, first in below.items():
        if start in number:
            continue
        work = [(start, iter(first))]
        number[start] = low[start] = len(number)
        path.append(start)
        on_path.add(start)
        while work:
            here, rest = work[-1]
            for each in rest:
                if each not in number:
                    number[each] = low[each] = len(number)
                    path.append(each)
                    on_path.add(each)
                    work.append((each, iter(below.get(each, ()))))
                    break
                if each in on_path:
                    low[here] = min(low[here], number[each])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[here])
                if low[here] == number[here]:
                    members = set()
                    while here not in members:
                        members.add(path.pop())
                    on_path -= members
                    if len(members) > 1:
                        found |= dict.fromkeys(members, frozenset(members))
    return found


def _not_said(asker: Asker, statement: Statement) -> NoSuchThing:
    """The error for a *statement* that does not hold, with what is recorded in its place."""
    subject, property_ = written(statement.subject), written(statement.property)
    text = f"SELECT DISTINCT ?p ?o WHERE {{ {subject} ?p ?o FILTER(!isBlank(?o)) }} ORDER BY ?p ?o LIMIT 500"
    rows = list(results.select(asker, text, reserved=True))
    if not rows:
        near = _near(asker, statement.subject.value)
        remedy = f"Did you mean {' or '.join(names.curie(each) for each in near)}?" if near else "Search by its name."
        return NoSuchThing(f"The record says nothing of {shown(statement.subject)}.", remedy, near)
    values = [row["o"] for row in rows if written(row["p"]) == property_]
    if values:
        said = ", ".join(shown(each) for each in values[:5]) + (" …" if len(values) > 5 else "")
        remedy = f"With this property it says: {said}."
    else:
        properties = list(dict.fromkeys(shown(row["p"]) for row in rows))
        remedy = f"It has these properties: {', '.join(properties[:20])}."
    near = tuple(each.value for each in values if each.kind == "iri")[:5] or (statement.subject.value,)
    return NoSuchThing(f"The record does not say: {statement}.", remedy, near)


def _near(asker: Asker, iri: str) -> tuple[str, ...]:
    """Up to five subjects of the record with a name like that of *iri*; codes have the names of their states."""
    codes = f"<{names.ONTOLOGY}CodeAssignment>"
    text = f"SELECT DISTINCT ?s WHERE {{ ?s a ?type FILTER(isIRI(?s)) FILTER NOT EXISTS {{ ?s a {codes} }} }}"
    known = [row["s"].value for row in results.select(asker, text, reserved=True)]
    by_name = {each.rpartition("/")[2].rpartition("#")[2].lower(): each for each in known}
    local = iri.rpartition("/")[2].rpartition("#")[2].lower()
    close = difflib.get_close_matches(local, by_name, n=5, cutoff=0.6)
    return tuple(by_name[each] for each in close)


def _unescaped(text: str, what: str) -> str:
    def one(match: re.Match[str]) -> str:
        if match[1] in _ESCAPES:
            return _ESCAPES[match[1]]
        if match[1][0] in "uU" and len(match[1]) > 1 and int(match[1][1:], 16) < 0x110000:
            return chr(int(match[1][1:], 16))
        raise WrongUsage(f"{what}: “{match[0]}” means nothing in a literal.", "Write a backslash as two.")

    value = re.sub(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)", one, text, flags=re.DOTALL)
    if any(0xD800 <= ord(each) < 0xE000 or ord(each) == 0 for each in value):
        raise WrongUsage(f"{what} holds a character that no text may hold.", "Leave it out.")
    return value


def _json(term: Term) -> dict[str, str]:
    """*term* as SPARQL's JSON writes it."""
    made = {"type": "uri" if term.kind == "iri" else term.kind, "value": term.value}
    if term.datatype:
        made["datatype"] = term.datatype
    if term.language:
        made["xml:lang"] = term.language
    return made
