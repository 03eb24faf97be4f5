"""Triple Pattern Fragments: the statements that match one pattern, page by page, for clients that do the joining.

https://linkeddatafragments.org/specification/triple-pattern-fragments/: the controls and the counts stand in a graph of
their own in TriG, and beside the statements in Turtle. A nameless node has a name within its page only, and no pattern
finds it.
"""

import re
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import Blueprint, Response, render_template, request

from foedus import names
from foedus.errors import NoSuchThing, NotAcceptable, WrongUsage
from foedus.query import formats, results
from foedus.query.results import Term
from foedus.query.resultset import written
from foedus.web import endpoint, handout, headers
from foedus.web.describe import Naming
from foedus.web.shelf import shelf

bp = Blueprint("fragments", __name__)

PATH = "/fragments"

ON_A_PAGE = 100
"""Statements on one page."""

PLACES = ("subject", "predicate", "object")
FORMS = {"trig": ("application/trig",), "ttl": ("text/turtle",)}

_LONGEST = 4000
"""Characters of a term in a pattern."""

_VARIABLES = ("s", "p", "o")
_LITERAL = re.compile(r'"(.*)"(?:@([a-zA-Z]{1,8}(?:-[a-zA-Z0-9]{1,8})*)|\^\^<?([^<>"]*)>?)?', re.DOTALL)
_PAGE = re.compile(r"[1-9][0-9]{0,8}")
_HYDRA = "http://www.w3.org/ns/hydra/core#"


@dataclass(frozen=True)
class Fragment:
    """One page of the statements that match a pattern: *total* there are; *terms* has what the pattern fixes."""

    terms: tuple[Term | None, ...]
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
    form = _form(given.pop("format", None))
    page = given.pop("page", "1")
    if wrong := [name for name in given if name not in PLACES]:
        raise WrongUsage(f"A pattern has no “{wrong[0][:60]}”.", f"Write {PATH}?subject=…&predicate=…&object=….")
    if not _PAGE.fullmatch(page):
        raise WrongUsage(f"“{page[:20]}” is no page.", "Give a number from 1 on.")
    found = _fragment(tuple(_term(place, given.get(place, "")) for place in PLACES), int(page))
    if found.page > found.pages:
        raise NoSuchThing(f"There is no page {found.page:,} of it.", f"It has {found.pages:,}.")
    pattern = {place: given[place] for place in PLACES if given.get(place)}
    if form is None:
        naming = Naming(shelf().library).learn(term for row in found.rows for term in row)
        shown = [tuple(naming.show(term) for term in row) for row in found.rows]
        links = {each: _address(pattern, each) for each in (found.page - 1, found.page + 1) if 1 <= each <= found.pages}
        text = render_template("fragments.html", found=found, rows=shown, given=given, links=links, places=PLACES)
        response = Response(text)
    else:
        response = Response(_rdf(found, pattern, form), content_type=f"{FORMS[form][0]}; charset=utf-8")
    response.vary.add("Accept")
    return response


def _form(named: str | None) -> str | None:
    """The format that ``?format=`` names or else ``Accept`` prefers; None for a page."""
    if named is not None:
        wanted = named.strip().lower().removeprefix(".")
        if wanted in ("html", *FORMS):
            return None if wanted == "html" else wanted
        raise NotAcceptable(
            f"There is no format “{named[:40]}” of a fragment.", f"Choose from: html, {', '.join(FORMS)}."
        )
    offers: list[tuple[str, str | None]] = [(media_type, None) for media_type in headers.PAGE]
    offers += [(media_type, form) for form, media_types in FORMS.items() for media_type in media_types]
    chosen = formats.negotiate(request.headers.get("Accept"), offers)
    if chosen is None:
        raise NotAcceptable("None of the formats that you accept fits.", "Accept application/trig or text/turtle.")
    return chosen[1]


def _term(place: str, value: str) -> Term | None:
    """What *value* fixes at *place*; None where it leaves it open, as a variable does."""
    text = value.strip()
    if not text or text.startswith("?"):
        return None
    if len(text) > _LONGEST:
        raise WrongUsage(
            f"The {place} is longer than {_LONGEST:,} characters.", "Leave it open, and look through the pages."
        )
    if place == "object" and (match := _LITERAL.fullmatch(text)):
        datatype = names.expand(match[3]) if match[3] else None
        if match[3] and datatype is None:
            raise WrongUsage(f"“{match[3][:80]}” is no datatype.", 'Write "2022-09-13"^^xsd:date.')
        return Term("literal", match[1], datatype, match[2])
    iri = names.expand(text)
    if iri is None:
        raise WrongUsage(
            f"The {place} “{text[:80]}” is no term.",
            'Give an IRI, a CURIE such as id:csto, a "literal" as object, or ?x for anything.',
        )
    return Term("iri", iri)


def _fragment(terms: tuple[Term | None, ...], page: int) -> Fragment:
    """Page *page* of what matches *terms*, asked for on the client's own account, in one order always."""
    asker = endpoint.asker()
    open_ = [variable for term, variable in zip(terms, _VARIABLES, strict=True) if term is None]
    pattern = " ".join(written(term) if term else f"?{each}" for term, each in zip(terms, _VARIABLES, strict=True))
    (counted,) = results.select(asker, f"SELECT (COUNT(*) AS ?n) WHERE {{ {pattern} }}")
    total = int(counted["n"].value)
    if not total or (page - 1) * ON_A_PAGE >= total:
        return Fragment(terms, total, page, ())
    if not open_:
        return Fragment(terms, total, page, (tuple(term for term in terms if term),))
    variables = " ".join(f"?{each}" for each in open_)
    slice_ = f"LIMIT {ON_A_PAGE} OFFSET {(page - 1) * ON_A_PAGE}"
    rows = results.select(asker, f"SELECT {variables} WHERE {{ {pattern} }} ORDER BY {variables} {slice_}")
    made = tuple(tuple(term or row[variable] for term, variable in zip(terms, _VARIABLES, strict=True)) for row in rows)
    return Fragment(terms, total, page, made)


def _address(pattern: dict[str, str], page: int) -> str:
    asked = pattern | ({"page": str(page)} if page > 1 else {})
    return PATH + (f"?{urlencode(asked)}" if asked else "")


def _rdf(found: Fragment, pattern: dict[str, str], form: str) -> str:
    home = shelf().home()
    here, whole = (home + _address(pattern, each) for each in (found.page, 1))
    said = _controls(found, home, here, whole, pattern)
    if form == "trig":
        said = f"<{here}#metadata> {{\n<{here}#metadata> foaf:primaryTopic <{here}> .\n{said}}}\n"
    prefixes = {"hydra": _HYDRA} | {each: names.PREFIXES[each] for each in ("foaf", "rdf", "void", "xsd")}
    head = "".join(f"@prefix {prefix}: <{namespace}> .\n" for prefix, namespace in prefixes.items())
    return head + "".join(f"{' '.join(map(written, row))} .\n" for row in found.rows) + said


def _controls(found: Fragment, home: str, here: str, whole: str, pattern: dict[str, str]) -> str:
    """How many there are, where the other pages are, and how any other pattern is asked for."""
    dataset = f"<{home}{PATH}#dataset>"
    mappings = " ,\n    ".join(f'[ hydra:variable "{place}" ; hydra:property rdf:{place} ]' for place in PLACES)
    lines = [
        f"{dataset} a void:Dataset , hydra:Collection ; void:subset <{whole}> ; hydra:search [",
        f'  hydra:template "{home}{PATH}{{?{",".join(PLACES)}}}" ;',
        "  hydra:variableRepresentation hydra:ExplicitRepresentation ;",
        f"  hydra:mapping {mappings} ] .",
        *([f"<{whole}> void:subset <{here}> ."] if whole != here else []),
        f"<{here}> a hydra:PartialCollectionView ; void:triples {found.total} ; hydra:totalItems {found.total} ;",
        f"  hydra:itemsPerPage {ON_A_PAGE} ; hydra:first <{whole}>"
        + (f" ; hydra:previous <{home}{_address(pattern, found.page - 1)}>" if found.page > 1 else "")
        + (f" ; hydra:next <{home}{_address(pattern, found.page + 1)}>" if found.page < found.pages else "")
        + " .",
    ]
    return "".join(f"{line}\n" for line in lines)
