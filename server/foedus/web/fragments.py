"""Triple Pattern Fragments: the statements that match one pattern, page by page, for clients that do the joining.

https://linkeddatafragments.org/specification/triple-pattern-fragments/: the controls and the counts stand in a graph of
their own where the format has graphs, and beside the statements where it has none. Two things are otherwise: a pattern
that nothing matches is answered with an empty fragment and 200, since clients take a 404 for a broken source; and a
page that is not there with the same error as any address of ours.

Nameless nodes get names in the files (RDF 1.1 Concepts §3.5), under which patterns find them as long as the server
runs: a client could not join what two fragments say of one otherwise, and would lose answers without a word. A triple
that is itself part of a statement cannot be written in RDF 1.1: such statements are counted, and shown on the page, and
left out of the files.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlencode

from flask import Blueprint, Response, render_template, request

from foedus import names
from foedus.errors import AnswerTooLarge, NoSuchThing, NotAcceptable, WrongUsage
from foedus.query import formats, results
from foedus.query.answering import ASSERTED_ONLY, reasons
from foedus.query.formats import Format
from foedus.query.pool import Request
from foedus.query.results import Table, Term
from foedus.query.resultset import written
from foedus.web import endpoint, handout, headers
from foedus.web.describe import Naming
from foedus.web.shelf import shelf

bp = Blueprint("fragments", __name__)

PATH = "/fragments"

ON_A_PAGE = 100
"""Statements on one page."""

PLACES = ("subject", "predicate", "object")

FORMS = tuple(formats.named(name, "graph") for name in ("trig", "nq", "jsonld", "ttl", "nt"))
"""The formats of a fragment; the first is for who accepts anything."""

_AT_ONCE = 10 * ON_A_PAGE
"""Statements that one query brings into order: whoever reads page after page has it done once for ten."""
_NAMELESS = 20_000
"""Statements with nameless nodes among which those with one of them are looked for."""
_GENID = "/.well-known/genid/"
_LONGEST = 4000
"""Characters of a term in a pattern."""

_HTML = "text/html; charset=utf-8"
_VARIABLES = ("s", "p", "o")
_VARIABLE = re.compile(r"\?\w+")
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|^`\\]+")
_LITERAL = re.compile(r'"(.*)"(?:@([a-zA-Z]{1,8}(?:-[a-zA-Z0-9]{1,8})*)|\^\^(.+))?', re.DOTALL)
_PAGE = re.compile(r"[1-9][0-9]{0,8}")
_LONE_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_PAGE_GIVEN = re.compile(rb"page(?:=|\Z)")
_QUERY_CHARACTERS = "%!$&'()*+,;=:@/?"

_FOAF, _RDF, _VOID, _XSD = (names.PREFIXES[each] for each in ("foaf", "rdf", "void", "xsd"))
_HYDRA = "http://www.w3.org/ns/hydra/core#"

Triple = tuple[Term, Term, Term]


@dataclass(frozen=True)
class Pattern:
    """What is asked for: what stands *given* at each place, the *terms* that this fixes, the rest as *variables*.

    Places with the same variable hold the same term. Without *reasoning* only what is asserted matches.
    """

    given: Mapping[str, str]
    terms: tuple[Term | None, ...]
    variables: tuple[str, ...]
    reasoning: bool

    @property
    def open(self) -> tuple[str, ...]:
        """The variables that a query has to bind, each once; no query can name a nameless node."""
        pairs = zip(self.terms, self.variables, strict=True)
        return tuple(dict.fromkeys(variable for term, variable in pairs if term is None or term.kind == "blank"))

    @property
    def nameless(self) -> Mapping[str, Term]:
        """The nameless nodes that variables have to stand for."""
        pairs = zip(self.terms, self.variables, strict=True)
        return {variable: term for term, variable in pairs if term and term.kind == "blank"}

    @property
    def possible(self) -> bool:
        """Whether a statement can be so: in RDF a literal is an object only, and a property has a name."""
        subject, predicate, _ = self.terms
        return (not subject or subject.kind != "literal") and (not predicate or predicate.kind == "iri")

    def __str__(self) -> str:
        """The pattern in SPARQL."""
        pairs = zip(self.terms, self.variables, strict=True)
        places = (written(term) if term and term.kind != "blank" else f"?{variable}" for term, variable in pairs)
        return " ".join((*places, *(f"FILTER(isBlank(?{variable}))" for variable in self.nameless)))

    def fits(self, row: Mapping[str, Term]) -> bool:
        """Whether the solution *row* has the nameless nodes that it should."""
        return all(row[variable] == node for variable, node in self.nameless.items())

    def statement(self, row: Mapping[str, Term]) -> tuple[Term, ...]:
        """The statement that the solution *row* makes of it."""
        return tuple(term or row[variable] for term, variable in zip(self.terms, self.variables, strict=True))


@dataclass(frozen=True)
class Fragment:
    """One page of the statements that match a pattern; *total* there are."""

    total: int
    page: int
    rows: tuple[tuple[Term, ...], ...]

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // ON_A_PAGE))


@bp.get(PATH)
def fragments() -> Response:
    """The statements that match ``?subject=&predicate=&object=``, each given or left open."""
    given = handout.given(request.args.items(multi=True))
    form, content_type = _form(given.pop("format", None))
    page, reasoning = given.pop("page", "1"), reasons(given.pop("reasoning", None))
    if wrong := [name for name in given if name not in PLACES]:
        raise WrongUsage(f"A pattern has no “{wrong[0][:60]}”.", f"Write {PATH}?subject=…&predicate=…&object=….")
    if not _PAGE.fullmatch(page):
        raise WrongUsage(f"“{page[:20]}” is no page.", "Give a number from 1 on.")
    pattern = _pattern(given, reasoning)
    found = _fragment(pattern, int(page))
    if form is None:
        naming = Naming(shelf().library).learn(term for row in found.rows for term in row)
        shown = [tuple(naming.show(term) for term in row) for row in found.rows]
        links = {each: _address(each) for each in (found.page - 1, found.page + 1) if 1 <= each <= found.pages}
        asked = {**given, **({"page": page} if page != "1" else {}), **({} if reasoning else {"reasoning": "off"})}
        files = {each.name: f"{PATH}?{urlencode(asked | {'format': each.name}, safe=':/')}" for each in FORMS}
        content = render_template(
            "fragments.html", found=found, rows=shown, pattern=pattern, links=links, places=PLACES, files=files
        )
        response = Response(content, content_type=content_type)
    else:
        response = Response(_rdf(found, reasoning, form), content_type=content_type)
    response.vary.add("Accept")
    return headers.fleeting(response) if endpoint.asker().dataset.changes else response


def _form(named: str | None) -> tuple[Format | None, str]:
    """The format that ``?format=`` names or else ``Accept`` prefers, None for a page; and the ``Content-Type``."""
    listed = ", ".join(f"{each.media_type} (format={each.name})" for each in FORMS)
    if named is not None:
        if named.strip().lower() == "html":
            return None, _HTML
        form = formats.named(named[:60], "graph")
        if form not in FORMS:
            raise NotAcceptable(f"There is no {form.title} of a fragment.", f"Choose from: html, {listed}.")
        return form, form.content_type()
    offers: list[tuple[str, Format | None]] = [(each, form) for form in FORMS for each in form.media_types]
    offers += [(media_type, None) for media_type in headers.PAGE]
    registered = frozenset((*(form.media_type for form in FORMS), *headers.PAGE))
    chosen = formats.negotiate(request.headers.get("Accept"), offers, registered)
    if chosen is None:
        raise NotAcceptable("None of the formats that you accept fits.", f"Accept text/html or one of: {listed}.")
    media_type, best = chosen
    return best, best.content_type(media_type) if best else _HTML


def _pattern(given: Mapping[str, str], reasoning: bool) -> Pattern:
    """The pattern that *given* holds by place; WrongUsage where something is neither a term nor a variable."""
    terms, variables, called = [], [], dict[str, str]()
    for place, variable in zip(PLACES, _VARIABLES, strict=True):
        text = given.get(place, "").strip()
        terms.append(_term(place, text))
        # What a variable is called by its asker never enters a query.
        variables.append(called.setdefault(text, variable) if text.startswith("?") else variable)
    return Pattern(given, tuple(terms), tuple(variables), reasoning)


def _term(place: str, text: str) -> Term | None:
    """What *text* fixes at *place*; None where it leaves it open, as a variable does."""
    if not text or _VARIABLE.fullmatch(text):
        return None
    if len(text) > _LONGEST:
        raise WrongUsage(
            f"The {place} is longer than {_LONGEST:,} characters.", "Leave it open, and look through the pages."
        )
    if match := _LITERAL.fullmatch(text):
        datatype = _iri(match[3]) if match[3] else None
        if match[3] and datatype is None:
            raise WrongUsage(f"“{match[3][:80]}” is no datatype.", 'Write "2022-09-13"^^xsd:date.')
        return Term("literal", match[1], datatype, match[2])
    iri = _iri(text)
    if iri is None:
        raise WrongUsage(
            f"The {place} “{text[:80]}” is no term.",
            'Give an IRI, a CURIE such as id:csto, a literal such as "Armenia"@en, or ?x for anything.',
        )
    if iri.startswith(given_here := shelf().home() + _GENID):
        return Term("blank", unquote(iri.removeprefix(given_here)))
    return Term("iri", iri)


def _iri(text: str) -> str | None:
    """The IRI that *text* writes, of any scheme, for data that are not ours; None if it writes none."""
    bare = text[1:-1] if text.startswith("<") and text.endswith(">") else text
    return names.expand(text) or (bare if _IRI.fullmatch(bare) else None)


def _fragment(pattern: Pattern, page: int) -> Fragment:
    """Page *page* of what matches *pattern*, in one order always; NoSuchThing if there is no such page."""
    first = (page - 1) * ON_A_PAGE
    window = first - first % _AT_ONCE
    rows: tuple[tuple[Term, ...], ...] = ()
    if not pattern.possible:
        total = 0
    elif not pattern.open:
        total = min(_count(pattern), 1)
        rows = (pattern.statement({}),) * total
    elif pattern.nameless:
        variables = " ".join(f"?{each}" for each in pattern.open)
        text = f"SELECT {variables} WHERE {{ {pattern} }} ORDER BY {variables} LIMIT {_NAMELESS + 1}"
        among = _select(pattern, text)
        if len(among.rows) > _NAMELESS:
            raise AnswerTooLarge(
                f"More than {_NAMELESS:,} statements have a nameless node there.", "Fix the predicate, too."
            )
        every = [pattern.statement(row) for row in among if pattern.fits(row)]
        total, rows = len(every), tuple(every[first : first + ON_A_PAGE])
    else:
        # A page far out is brought into order only if it is there.
        total = _count(pattern) if window else _AT_ONCE
        if first < total:
            variables = " ".join(f"?{each}" for each in pattern.open)
            slice_ = f"LIMIT {_AT_ONCE} OFFSET {window}"
            found = _select(pattern, f"SELECT {variables} WHERE {{ {pattern} }} ORDER BY {variables} {slice_}")
            if not window:
                total = len(found.rows) if len(found.rows) < _AT_ONCE else _count(pattern)
            wanted = Table(found.columns, found.rows[first - window : first - window + ON_A_PAGE])
            rows = tuple(pattern.statement(row) for row in wanted)
    made = Fragment(total, page, rows)
    if page > made.pages:
        raise NoSuchThing(f"There is no page {page:,} of it.", f"It has {made.pages:,}.")
    return made


def _count(pattern: Pattern) -> int:
    (counted,) = _select(pattern, f"SELECT (COUNT(*) AS ?n) WHERE {{ {pattern} }}")
    return int(counted["n"].value)


def _select(pattern: Pattern, text: str) -> Table:
    """The answer to *text*, on the client's own account; the pool keeps it as long as the dataset is the same."""
    default, named = (None, None) if pattern.reasoning else ASSERTED_ONLY
    answer = endpoint.asker().ask(Request(text, form="json", default_graphs=default, named_graphs=named))
    return results.table(answer)


def _address(page: int | None = None) -> str:
    """The address that is asked for, to the letter where it can stand in RDF; or that of another page of the same."""
    asked = request.query_string
    if page is not None:
        kept = [each for each in asked.split(b"&") if each and not _PAGE_GIVEN.match(each)]
        asked = b"&".join([*kept, b"page=%d" % page] if page > 1 else kept)
    return PATH + ("?" if asked else "") + quote(_LONE_PERCENT.sub(b"%25", asked), safe=_QUERY_CHARACTERS)


def _rdf(found: Fragment, reasoning: bool, form: Format) -> str:
    home = shelf().home()
    here = home + _address()
    data = [(_named(s, home), p, _named(o, home)) for s, p, o in found.rows if "triple" not in (s.kind, o.kind)]
    about = f"{here}#metadata"
    controls = list(_controls(found, reasoning, home, here, about))
    if form.name == "jsonld":
        return json.dumps([*_nodes(data), {"@id": about, "@graph": _nodes(controls)}], ensure_ascii=False)
    # One statement a line, nothing shortened, is N-Triples and Turtle at once.
    lines = [_line(triple) for triple in data]
    if form.name == "trig":
        lines += [f"<{about}> {{", *map(_line, controls), "}"]
    else:
        lines += [_line(triple, f" <{about}>" if form.name == "nq" else "") for triple in controls]
    return "".join(f"{line}\n" for line in lines)


def _line(triple: Triple, graph: str = "") -> str:
    return f"{' '.join(map(written, triple))}{graph} ."


def _named(term: Term, home: str) -> Term:
    return Term("iri", f"{home}{_GENID}{quote(term.value, safe='')}") if term.kind == "blank" else term


def _nodes(triples: list[Triple]) -> list[dict[str, object]]:
    """*triples* as expanded JSON-LD."""
    nodes: dict[str, dict[str, list[object]]] = {}
    for subject, predicate, object_ in triples:
        nodes.setdefault(subject.value, {}).setdefault(predicate.value, []).append(_value(object_))
    return [{"@id": name, **said} for name, said in nodes.items()]


def _value(term: Term) -> dict[str, str]:
    if term.kind != "literal":
        return {"@id": term.value}
    value = {"@value": term.value}
    if term.language:
        return {**value, "@language": term.language}
    return {**value, "@type": term.datatype} if term.datatype else value


def _controls(found: Fragment, reasoning: bool, home: str, here: str, about: str) -> Iterator[Triple]:
    """How many there are, where the other pages are, and how any other pattern is asked for."""
    base = home + PATH + ("" if reasoning else "?reasoning=off")
    template = f"{base}{{{'?' if reasoning else '&'}{','.join(PLACES)}}}"
    whole = home + _address(1) if "page" in request.args else here
    dataset, search = f"{base}#dataset", f"{base}#search"

    def say(subject: str, predicate: str, *objects: str | Term) -> Iterator[Triple]:
        for each in objects:
            term = Term("iri", each) if isinstance(each, str) else each
            yield Term("iri", subject), Term("iri", predicate), term

    yield from say(about, f"{_FOAF}primaryTopic", here)
    yield from say(dataset, f"{_RDF}type", f"{_VOID}Dataset", f"{_HYDRA}Collection")
    yield from say(dataset, f"{_VOID}subset", whole)
    yield from say(dataset, f"{_HYDRA}search", search)
    yield from say(search, f"{_HYDRA}template", Term("literal", template))
    yield from say(search, f"{_HYDRA}variableRepresentation", f"{_HYDRA}ExplicitRepresentation")
    for place in PLACES:
        mapping = f"{base}#{place}"
        yield from say(search, f"{_HYDRA}mapping", mapping)
        yield from say(mapping, f"{_HYDRA}variable", Term("literal", place))
        yield from say(mapping, f"{_HYDRA}property", _RDF + place)
    total = Term("literal", str(found.total), f"{_XSD}integer")
    for each in dict.fromkeys((whole, here)):
        yield from say(each, f"{_VOID}triples", total)
        yield from say(each, f"{_HYDRA}totalItems", total)
    if whole != here:
        yield from say(whole, f"{_VOID}subset", here)
    yield from say(here, f"{_RDF}type", f"{_HYDRA}PartialCollectionView")
    yield from say(here, f"{_HYDRA}itemsPerPage", Term("literal", str(ON_A_PAGE), f"{_XSD}integer"))
    yield from say(here, f"{_HYDRA}first", whole)
    yield from say(here, f"{_HYDRA}last", home + _address(found.pages) if found.pages > 1 else whole)
    if found.page > 1:
        yield from say(here, f"{_HYDRA}previous", home + _address(found.page - 1))
    if found.page < found.pages:
        yield from say(here, f"{_HYDRA}next", home + _address(found.page + 1))
