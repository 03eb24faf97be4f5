"""Pages and data of single things: what an IRI of ours leads to."""

import difflib
from dataclasses import replace

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from foedus import __version__, dates, names
from foedus.errors import NoSuchThing, NotAcceptable, WrongUsage
from foedus.query import formats
from foedus.query.formats import Format
from foedus.query.pool import Answer
from foedus.web import asking, describe, headers, jsonld, signposting
from foedus.web.shelf import shelf

bp = Blueprint("entities", __name__)

DATA = ("ttl", "jsonld", "nt", "rdf", "json", "csv")
"""The formats of one thing's data, the preferred one first; the last two are tables of statements."""

_HTML = "text/html"


@bp.get("/id/<name>")
def thing(name: str) -> AnyResponse:
    """The thing itself cannot be sent: 303 to its page or its data, whichever the asker likes better."""
    return _see_other(name, [(_HTML, f"/page/{name}"), *_data_offers(name)])


@bp.get("/data/<name>")
def data_by_accept(name: str) -> AnyResponse:
    """Data without an extension: 303 to the format that the asker likes best, or to the page for who wants that."""
    return _see_other(name, [*_data_offers(name), (_HTML, f"/page/{name}")])


def _data_offers(name: str) -> list[tuple[str, str]]:
    """The addresses of the data about *name*, by media type."""
    return [(media_type, f"/data/{name}.{form}") for form in DATA for media_type in _format(form).media_types]


def _see_other(name: str, offers: list[tuple[str, str]]) -> AnyResponse:
    """303 to the one of *offers* that the asker likes best."""
    if not _is_known(names.ID + name):
        raise _no_such(names.ID + name)
    chosen = formats.negotiate(request.headers.get("Accept"), offers)
    if chosen is None:
        raise NotAcceptable(
            "None of the formats that you accept fits.", f"Accept text/html or one of: {', '.join(DATA)}."
        )
    answer = redirect(chosen[1], code=303)
    answer.vary.add("Accept")
    return answer


@bp.get("/page/<name>")
def page(name: str) -> Response:
    """Everything known about one thing, for readers."""
    if not _is_known(names.ID + name):
        raise _no_such(names.ID + name)
    headers.require_page(f"Its data: {', '.join(f'/data/{name}.{form}' for form in DATA)}.")
    return _page(names.ID + name)


@bp.get("/data/<name>.<ext>")
def data(name: str, ext: str) -> Response:
    """Everything known about one thing, for programs."""
    if ext not in DATA:
        raise NoSuchThing(
            f"There is no format “.{ext}” of {name}.", f"Take one of: {', '.join(f'.{each}' for each in DATA)}."
        )
    if not _is_known(names.ID + name):
        raise _no_such(names.ID + name)
    here = asking.iri(names.ID + name)
    is_table = "graph" not in _format(ext).kinds
    library = shelf().library
    answer = library.table("facts", ext, [here]) if is_table else library.graph("describe", ext, [here])
    if ext == "jsonld":
        answer = replace(answer, body=jsonld.context(library).compact(answer.body, names.ID + name))
    return _send(answer, f"{name}.{ext}")


@bp.get("/ontology/<name>")
def term(name: str) -> AnyResponse:
    """One term of the ontology: what it means, what it is bound to, how it is used; or, by its number, the version."""
    if name == __version__:
        return redirect("/ontology", code=303)
    return _page_or_rdf(names.ONTOLOGY + name)


@bp.get("/shape/<name>")
def shape(name: str) -> Response:
    """One shape: what a well-formed description looks like."""
    return _page_or_rdf(names.SHAPE + name)


@bp.get("/graph/<name>")
def graph(name: str) -> Response:
    """One named graph: what it is, or all that it says."""
    iri = names.GRAPH + name
    if iri not in {row["graph"].value for row in shelf().library.rows("graphs")}:
        raise _no_such(iri)
    form = wanted()
    return _vary(
        _send(shelf().library.graph("graph", form.name, graphs=(iri,)), f"{name}{form.extension}")
        if form
        else _page(iri)
    )


@bp.get("/ontology")
def ontology() -> Response:
    """All terms, grouped; or the whole ontology as RDF."""
    form = wanted()
    if form:
        answer = shelf().library.graph("graph", form.name, graphs=(names.ONTOLOGY_GRAPH,))
        return _vary(_send(answer, f"foedus{form.extension}"))
    return _vary(Response(render_template("ontology.html", vocabulary=describe.vocabulary(shelf().library))))


@bp.get("/id/")
@bp.get("/shape/")
@bp.get("/graph/")
def space() -> AnyResponse:
    """What our names begin with names nothing: 303 to where things, or graphs and the shapes in one, are found."""
    return redirect("/" if request.path == "/id/" else "/download", code=303)


def wanted() -> Format | None:
    """The RDF format that the asker wants, by ``?format=`` or ``Accept``; None for a page."""
    name = request.args.get("format")
    if name == "html":
        return None
    if name:
        return formats.named(name, "graph")
    offers: list[tuple[str, Format | None]] = [(_HTML, None)]
    offers += [(media_type, each) for each in formats.offered("graph") for media_type in each.media_types]
    chosen = formats.negotiate(request.headers.get("Accept"), offers)
    if chosen is None:
        raise NotAcceptable(
            "None of the formats that you accept fits.", "Accept text/html, text/turtle or application/ld+json."
        )
    return chosen[1]


def _page_or_rdf(iri: str) -> Response:
    if not _is_known(iri):
        raise _no_such(iri)
    form = wanted()
    if form is None:
        return _vary(_page(iri))
    answer = shelf().library.graph("describe-term", form.name, [asking.iri(iri)])
    return _vary(_send(answer, f"{iri.rpartition('/')[2].rpartition('#')[2]}{form.extension}"))


def _page(iri: str) -> Response:
    # ``date`` and ``asOf`` are what the questions call it.
    name = next((each for each in ("on", "date", "asOf") if each in request.args), "on")
    day = request.args.get(name) or shelf().as_of
    if not dates.is_day(day):
        raise WrongUsage(f"{name}: “{day}” is no date.", "Write a real day as YYYY-MM-DD.")
    found = describe.find_thing(shelf().library, iri, day, shelf().questions) if names.is_iri(iri) else None
    if found is None:
        raise _no_such(iri)
    size = {row["graph"].value: row["triples"].value for row in shelf().library.rows("graphs")}.get(iri)
    signposting.kinds(kind for each in found.types if (kind := names.expand(each.name)))
    return Response(render_template("thing.html", thing=found, day=day, data=DATA, size=size))


def _is_known(iri: str) -> bool:
    return names.is_iri(iri) and iri in shelf().names


def _no_such(iri: str) -> NoSuchThing:
    """The error for an unknown *iri*, with the known names that look like it."""
    namespace = next(each for each in (names.ID, names.ONTOLOGY, names.SHAPE, names.GRAPH) if iri.startswith(each))
    local = iri.removeprefix(namespace)
    known = [each.removeprefix(namespace) for each in shelf().names if each.startswith(namespace)]
    by_lower = {each.lower(): each for each in known}
    near = difflib.get_close_matches(local.lower(), by_lower, n=5, cutoff=0.6)
    near += [each for each in by_lower if local.lower() in each and each not in near][: 5 - len(near)]
    offered = tuple(by_lower[each] for each in near)
    remedy = f"Did you mean {' or '.join(offered)}?" if offered else "Search for it by name: /search?q=…"
    if namespace == names.GRAPH:
        graphs = (row["graph"].value for row in shelf().library.rows("graphs"))
        there = [each.removeprefix(namespace) for each in graphs if each.startswith(namespace)]
        offered = tuple(dict.fromkeys((*offered, *there)))
        remedy = f"The graphs are: {', '.join(there)}." if there else "There is none of ours in these data."
    kind = {names.ID: "thing", names.ONTOLOGY: "term", names.SHAPE: "shape", names.GRAPH: "graph"}[namespace]
    return NoSuchThing(f"There is no {kind} “{local}”.", remedy, near=tuple(namespace + each for each in offered))


def _format(name: str) -> Format:
    return next(each for each in formats.FORMATS if each.name == name)


def _send(answer: Answer, filename: str) -> Response:
    response = Response(answer.body, content_type=answer.media_type)
    response.headers["Content-Disposition"] = f'inline; filename="{filename}"'
    return response


def _vary(response: Response) -> Response:
    response.vary.add("Accept")
    return response
