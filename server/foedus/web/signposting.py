"""Where a machine goes from here: typed links after FAIR Signposting, in the headers of pages and files and in pages.

https://signposting.org/FAIR/ says what each kind of link means. Addresses are relative to the server's own, names are
not. The endpoint and the answers that do not come from the app have none.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from flask import Flask, Response, g, request

from foedus import names
from foedus.web import downloads, handout
from foedus.web.shelf import shelf

_View = Callable[[Mapping[str, str], bool], "tuple[Signpost, ...]"]
"""Makes the links of a page, or of the same as data, from the parts of its address."""

MAINTAINERS = "/.well-known/void#maintainers"
_PAGE = "https://schema.org/AboutPage"
_RDF = {
    "ttl": "text/turtle",
    "jsonld": "application/ld+json",
    "nt": "application/n-triples",
    "rdf": "application/rdf+xml",
}
_TABLES = {"csv": "text/csv", "json": "application/sparql-results+json"}
_ANSWERS = {**_TABLES, "tsv": "text/tab-separated-values", "ttl": "text/turtle"}

_LONGEST = 2000
"""Bytes of parameters with which links are made: each repeats them."""


@dataclass(frozen=True)
class Signpost:
    """A link to *href* by the relation *rel*, to what has the media type *type* where that is known."""

    rel: str
    href: str
    type: str = ""

    def header(self) -> str:
        """The link as the header ``Link`` has it."""
        return f'<{self.href}>; rel="{self.rel}"' + (f'; type="{self.type}"' if self.type else "")


def register(app: Flask) -> None:
    """Put the links on what *app* answers, and at hand for its templates."""
    app.context_processor(lambda: {"signposts": signposts})
    app.after_request(_add)


def kinds(iris: Iterable[str]) -> None:
    """What is shown is of the kinds *iris*."""
    g.kinds = tuple(iris)


def signposts(is_page: bool = True) -> tuple[Signpost, ...]:
    """The links of what is answered now: a page, or the same as data."""
    found = _BY_VIEW.get(request.endpoint or "")
    return (*found(request.view_args or {}, is_page), *_origin()) if found else ()


def _add(response: Response) -> Response:
    if response.status_code == 200 and request.method in ("GET", "HEAD"):
        said = response.headers.getlist("Link")
        for each in signposts(response.mimetype == "text/html"):
            if not any(f'rel="{each.rel}"' in other and f"<{each.href}>" in other for other in said):
                response.headers.add("Link", each.header())
    return response


def _origin() -> tuple[Signpost, ...]:
    """Licence and author of our own data; of data of one's own we know neither."""
    if not shelf().library.pool.dataset.version:
        return ()
    return Signpost("license", downloads.LICENCE), Signpost("author", MAINTAINERS)


def _dataset(_: Mapping[str, str], __: bool) -> tuple[Signpost, ...]:
    """The page of the dataset."""
    described = tuple(Signpost("describedby", f"/.well-known/void?format={form}", _RDF[form]) for form in _RDF)
    files = tuple(Signpost("item", f"/download/{each.name}", _of(each.name)) for each in downloads.dumps())
    named = (Signpost("cite-as", names.ID + "foedus-dataset"),) if files else ()
    types = tuple(Signpost("type", each) for each in (_PAGE, "https://schema.org/Dataset"))
    return (*named, *described, *files, *types)


def _file(args: Mapping[str, str], _: bool) -> tuple[Signpost, ...]:
    """A file of the dataset."""
    described = Signpost("describedby", "/.well-known/void?format=ttl", _RDF["ttl"])
    named = (Signpost("cite-as", names.ID + "foedus-dataset"),) if args["name"] in names.DUMPS else ()
    return (*named, Signpost("collection", "/download"), described)


def _thing(args: Mapping[str, str], _: bool) -> tuple[Signpost, ...]:
    """The page of a thing."""
    at = f"/data/{quote(args['name'])}"
    return (
        Signpost("cite-as", names.ID + quote(args["name"])),
        *(Signpost("describedby", f"{at}.{form}", media_type) for form, media_type in _RDF.items()),
        *(Signpost("item", f"{at}.{form}", media_type) for form, media_type in _TABLES.items()),
        *_kinds(),
        Signpost("collection", "/"),
    )


def _data(args: Mapping[str, str], _: bool) -> tuple[Signpost, ...]:
    """The data of a thing: what describes it in RDF, and tables of that."""
    name = quote(args["name"])
    relation = "describes" if args["ext"] in _RDF else "collection"
    return Signpost("cite-as", names.ID + name), Signpost(relation, f"/page/{name}")


def _term(space: str) -> _View:
    """The page of a term, shape or graph whose names begin with *space*, or the same in RDF."""

    def links(args: Mapping[str, str], is_page: bool) -> tuple[Signpost, ...]:
        named, here = Signpost("cite-as", space + quote(args.get("name", ""))), quote(request.path)
        if not is_page:
            return named, Signpost("describes", here)
        described = (Signpost("describedby", f"{here}?format={form}", media_type) for form, media_type in _RDF.items())
        return (named, *described, *_kinds(), Signpost("collection", "/"))

    return links


def _question(args: Mapping[str, str], is_page: bool) -> tuple[Signpost, ...]:
    """The page of a question, with its answer."""
    if len(request.query_string) > _LONGEST:
        return ()
    given = [(name, value) for name, value in request.args.items() if name not in ("format", "reasoning")]
    example = shelf().questions[args["slug"]].example if is_page else ()
    at = f"/queries/{quote(args['slug'])}"
    own = [each for each in given if each[0] not in handout.OFFERED]
    named, values = (f"?{urlencode(each)}" if each else "" for each in (own, given or example))
    files = (Signpost("item", f"{at}.{form}{values}", media_type) for form, media_type in _ANSWERS.items())
    return (
        Signpost("cite-as", names.BASE.rstrip("/") + at + named),
        *((*files, Signpost("type", _PAGE)) if is_page else ()),
        Signpost("collection", "/queries"),
    )


def _description(_: Mapping[str, str], is_page: bool) -> tuple[Signpost, ...]:
    """What the dataset says of itself."""
    if not is_page:
        return (Signpost("describes", names.ID + "foedus-dataset"),)
    described = (Signpost("describedby", f"/.well-known/void?format={form}", _RDF[form]) for form in _RDF)
    return (*described, Signpost("type", _PAGE), Signpost("collection", "/"))


def _listed(_: Mapping[str, str], __: bool) -> tuple[Signpost, ...]:
    """A page that leads to others."""
    return Signpost("type", "https://schema.org/CollectionPage"), Signpost("collection", "/")


def _kinds() -> tuple[Signpost, ...]:
    return tuple(Signpost("type", each) for each in (_PAGE, *g.get("kinds", ())))


def _of(name: str) -> str:
    """The media type of the file called *name*."""
    return downloads.MEDIA_TYPES[name.rpartition(".")[2]].partition(";")[0]


_BY_VIEW: dict[str, _View] = {
    "explore.home": _dataset,
    "explore.download": _dataset,
    "explore.file": _file,
    "explore.catalogue": _listed,
    "explore.sources": _listed,
    "explore.question": _question,
    "machines.description": _description,
    "entities.page": _thing,
    "entities.data": _data,
    "entities.term": _term(names.ONTOLOGY),
    "entities.ontology": _term(names.ONTOLOGY.rstrip("#")),
    "entities.shape": _term(names.SHAPE),
    "entities.graph": _term(names.GRAPH),
}
