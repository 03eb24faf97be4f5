"""Why a statement holds, or why something is not so: proofs as a page, as JSON, and in Turtle with PROV-O's terms."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from flask import Blueprint, Response, make_response, render_template, request
from flask.sansio.blueprints import BlueprintSetupState

from foedus import names
from foedus.errors import FoedusError, NotAcceptable, WrongUsage
from foedus.query import formats, proofs, whynot
from foedus.query import why as reasons
from foedus.query.results import Term
from foedus.query.why import Explanation, Proof, Statement
from foedus.query.whynot import Refusal
from foedus.web import describe, handout, headers
from foedus.web.describe import Naming, Shown
from foedus.web.shelf import shelf

bp = Blueprint("why", __name__)

FORMS = {"html": headers.PAGE, "json": ("application/json",), "ttl": ("text/turtle",)}
"""The formats of an explanation, and the names that clients have for them."""

_STATEMENT = ("s", "p", "o")
_OTHERS = ("proofs", "format")


@dataclass(frozen=True)
class Node:
    """A statement of a proof as the page shows it.

    *repeats* says, where it was shown before or follows by the same step as another one, where that is.
    """

    statement: tuple[Shown, Shown, Shown]
    rule: str = ""
    file: str = ""
    sentence: str = ""
    conditions: tuple[str, ...] = ()
    premises: "tuple[Node, ...]" = ()
    graph: str = ""
    files: tuple[str, ...] = ()
    sources: tuple[Shown, ...] = ()
    repeats: str = ""
    number: int = 0


@bp.record
def _read_rules(state: BlueprintSetupState) -> None:
    """Read the rules when the server starts: a later build may have removed their file when somebody asks."""
    with contextlib.suppress(FoedusError):
        reasons.rulebook(state.app.extensions["foedus-shelf"].library.pool.dataset)


@bp.get("/why")
def why() -> Response:
    """The proofs of ``?s=&p=&o=``; with ``?not=``, why something is not so; without either, what can be asked."""
    given = handout.given(request.args.items(multi=True))
    form = _form(given.pop("format", None))
    if "not" in given:
        return _why_not(given, form)
    wrong = [name for name in given if name not in (*_STATEMENT, *_OTHERS)]
    if wrong:
        raise WrongUsage(f"/why takes no parameter “{wrong[0][:60]}”.", "Write /why?s=…&p=…&o=…, or /why?not=….")
    asked = [given.get(name, "").strip() for name in _STATEMENT]
    if not any(asked) and form == "html":
        return _vary(make_response(render_template("why.html", asked=asked, questions=whynot.QUESTIONS)))
    if not all(asked):
        missing = ", ".join(name for name, value in zip(_STATEMENT, asked, strict=True) if not value)
        raise WrongUsage(f"A statement has three terms; missing: {missing}.", "Write /why?s=…&p=…&o=….")
    statement = reasons.read_statement(*asked)
    found = reasons.explain(shelf().library.pool, statement, _number(given.get("proofs")))
    if form == "json":
        return _sent(found.json(), "application/json")
    if form == "ttl":
        return _sent(proofs.as_turtle(found), "text/turtle; charset=utf-8")
    shown = _trees(found)
    query = {name: value for name, value in given.items() if name in (*_STATEMENT, "proofs")}
    return _vary(
        make_response(render_template("why.html", asked=asked, found=found, trees=shown, query=query, top=shown[0]))
    )


def _why_not(given: dict[str, str], form: str) -> Response:
    question = given.pop("not")
    if form == "ttl":
        raise NotAcceptable("Why something is not so is told as a page or as JSON.", "Ask for html or json.")
    refusal = whynot.why_not(shelf().library.pool, question, given)
    if form == "json":
        return _sent(refusal.json(), "application/json")
    query = {"not": question, **given}
    return _vary(make_response(render_template("why.html", refusal=refusal, recorded=_recorded(refusal), query=query)))


def _number(text: str | None) -> int:
    if text is None:
        return reasons.PROOFS
    if not text.isascii() or not text.isdigit() or len(text) > 3:
        raise WrongUsage(f"proofs: “{text[:20]}” is no number.", f"Give 1 to {reasons.MOST_PROOFS}.")
    return int(text)


def _form(named: str | None) -> str:
    """The format that ``?format=`` names or else ``Accept`` prefers."""
    if named:
        for form, media_types in FORMS.items():
            if named.strip().lower().removeprefix(".") in (form, *media_types, *{"ttl": ("turtle",)}.get(form, ())):
                return form
        raise NotAcceptable(f"There is no format “{named[:40]}” of a proof.", f"Choose from: {', '.join(FORMS)}.")
    offers = [(media_type, form) for form, media_types in FORMS.items() for media_type in media_types]
    chosen = formats.negotiate(request.headers.get("Accept"), offers)
    if chosen is None:
        raise NotAcceptable("None of the formats that you accept fits.", "Accept text/html or application/json.")
    return chosen[1]


def _trees(found: Explanation) -> tuple[Node, ...]:
    every = {id(each): each for proof in found.proofs for each in _parts(proof)}.values()
    terms = {term for each in every for term in each.conclusion}
    terms |= {Term("iri", source) for each in every for source in each.sources}
    naming = Naming(shelf().library).learn(sorted(terms, key=lambda term: term.value))
    return tuple(_Growing(naming).node(proof) for proof in found.proofs)


def _parts(proof: Proof) -> Iterator[Proof]:
    """*proof* and what is below it; shared parts as often as they are used, which the limits of a proof bound."""
    yield proof
    for each in proof.premises:
        yield from _parts(each)


class _Growing:
    """Makes the nodes of one tree, each statement and each use of a rule in full the first time only."""

    def __init__(self, naming: Naming) -> None:
        self.naming = naming
        self.numbers: dict[object, int] = {}
        self.count = 0

    def node(self, proof: Proof) -> Node:
        statement = _said(self.naming, proof.conclusion)
        step = (proof.rule, tuple(each.conclusion for each in proof.premises), proof.conditions)
        if proof.conclusion in self.numbers:
            return Node(statement, repeats=f"shown above, at {self.numbers[proof.conclusion]}")
        self.count += 1
        number = self.numbers[proof.conclusion] = self.count
        if proof.rule and step in self.numbers:
            return Node(statement, repeats=f"by the same step as {self.numbers[step]}", number=number)
        if not proof.rule:
            sources = tuple(self.naming.show(Term("iri", each)) for each in proof.sources)
            graph = proof.graph.removeprefix(names.GRAPH)
            return Node(statement, graph=graph, files=proof.files, sources=sources, number=number)
        if proof.rule != reasons.DATES:
            self.numbers[step] = number
        below = tuple(map(self.node, proof.premises))
        return Node(statement, proof.rule, proof.file, proof.sentence, proof.conditions, below, number=number)


def _recorded(refusal: Refusal) -> list[tuple[str, list[tuple[tuple[Shown, ...], str]]]]:
    """What is recorded, each statement with the address of its own explanation."""
    statements = [each for _, some in refusal.recorded for each in some]
    naming = Naming(shelf().library).learn(term for each in statements for term in each)
    return [(sentence, [(_said(naming, each), _address(each)) for each in some]) for sentence, some in refusal.recorded]


def _said(naming: Naming, statement: Statement) -> tuple[Shown, Shown, Shown]:
    """The terms of *statement* under their names."""
    subject, property_, value = map(naming.show, statement)
    return subject, Shown("text", "is a") if property_.name == "rdf:type" else property_, value


def _address(statement: Statement) -> str:
    return describe.why_address(statement.subject.value, statement.property.value, statement.value)


def _sent(text: str, content_type: str) -> Response:
    return _vary(Response(text, content_type=content_type))


def _vary(response: Response) -> Response:
    response.vary.add("Accept")
    return response
