"""What machines look for by themselves: the description of the dataset, the context, the map of the site, its rules."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Flask, Response, current_app, render_template, url_for

from foedus import __version__, names
from foedus.errors import NoSuchThing
from foedus.query import waiting
from foedus.web import describe, downloads, entities, headers, jsonld, selfdescription
from foedus.web.describe import Naming, Shown
from foedus.web.shelf import shelf

bp = Blueprint("machines", __name__)

IN_A_MAP = 50_000
"""Addresses that one map of the site may have, by https://www.sitemaps.org/protocol.html."""

_PAGES = ("explore.home", "explore.catalogue", "entities.ontology", "explore.download", "machines.description")
_OWN_PAGES = ("explore.sources", "cite.cite")
"""Pages that data of one's own do not have."""

_SPACES = ("/page/", "/ontology/", "/shape/", "/graph/", "/queries/")
"""Where the pages of single things are."""

_SITEMAP = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<{0} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{1}</{0}>\n'
)
_ROBOTS = """\
# Pages, and data at their own addresses, are for everybody. What costs a query of your making is not for crawlers:
# take /download, where everything is. The pattern leaves out every address with parameters.
User-agent: *
Disallow: /*?
Disallow: /sparql
Disallow: /why
Disallow: /search
Disallow: /fragments
Disallow: /reconcile
Disallow: /validate
Disallow: /health
Disallow: /metrics

Sitemap: {home}/sitemap.xml
"""


@dataclass(frozen=True)
class Property:
    """A property of things of one class, and the number of statements with it about them."""

    shown: Shown
    statements: int


@dataclass(frozen=True)
class Class:
    """A class with the number of its instances; *anchor* is its name within the description."""

    shown: Shown
    anchor: str
    things: int
    properties: tuple[Property, ...]


def register(app: Flask) -> None:
    """Answer what machines look for, and have `markup` at hand for templates."""
    app.register_blueprint(bp)
    app.context_processor(lambda: {"markup": markup})


@bp.get("/.well-known/void")
def description() -> Response:
    """What there is, how much of it, and how to ask for it: VoID, DCAT and service description; or a page of it."""
    form = entities.wanted()
    library = shelf().library
    if form is None:
        classes = _classes()
        ours = [each for each in classes if each.shown.name.startswith("foedus:")]
        others = [each for each in classes if each not in ours]
        page = render_template("void.html", ours=ours, others=others, forms=("ttl", "jsonld", "nt", "rdf"))
        return _vary(Response(page))
    asked = (library.pool, None, form.name, shelf().home())
    tag, answer = selfdescription.tag(*asked), waiting.run(selfdescription.describe(*asked))
    response = Response(answer.body, content_type=answer.media_type)
    if tag is None:
        return headers.fleeting(_vary(response))
    response.set_etag(tag)
    return _vary(response)


@bp.get("/context.jsonld")
def context() -> Response:
    """The JSON-LD context that the documents under /data are written with."""
    return Response(jsonld.context(shelf().library).document(), content_type=jsonld.MEDIA_TYPE)


@bp.get("/sitemap.xml")
def sitemap() -> Response:
    """Every page; where they are more than one map may have, the maps."""
    pages = _pages()
    if len(pages) <= IN_A_MAP:
        return _map("urlset", "url", pages)
    return _map("sitemapindex", "sitemap", [f"/sitemap-{part}.xml" for part in _parts(pages)])


@bp.get("/sitemap-<part>.xml")
def part_of_sitemap(part: str) -> Response:
    """One of the maps that /sitemap.xml names."""
    pages = _pages()
    parts = _parts(pages) if len(pages) > IN_A_MAP else ()
    if part not in parts:
        raise NoSuchThing(f"There is no map “{part[:20]}” of this site.", "All pages are found from /sitemap.xml.")
    first = parts.index(part) * IN_A_MAP
    return _map("urlset", "url", pages[first : first + IN_A_MAP])


@bp.get("/robots.txt")
def robots() -> Response:
    """What crawlers are asked to leave alone."""
    return Response(_ROBOTS.format(home=shelf().home()), content_type="text/plain; charset=utf-8")


def markup() -> Mapping[str, Any] | None:
    """The dataset in the words of schema.org, for search engines; None for data that do not say what they are."""
    rows = shelf().library.rows("dataset")
    if not rows or not shelf().library.pool.dataset.version:
        return None
    said = {name: term.value for name, term in rows[0].items()}
    home = shelf().home()
    files = [*(each.name for each in downloads.dumps()), *(each for each in downloads.offered() if _is_table(each))]
    about: dict[str, Any] = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "@id": names.ID + "foedus-dataset",
        "name": said["title"],
        "description": said.get("description", ""),
        "url": f"{home}/",
        "version": __version__,
        "license": said["licence"],
        "isAccessibleForFree": True,
        "distribution": [
            {
                "@type": "DataDownload",
                "name": each,
                "contentUrl": f"{home}/download/{each}",
                "encodingFormat": downloads.MEDIA_TYPES[each.rpartition(".")[2]].partition(";")[0],
            }
            for each in files
        ],
    }
    if "publisher" in said:
        about["creator"] = {"@type": "Organization", "name": said["publisher"], "url": f"{home}/"}
    return {name: value for name, value in about.items() if value}


def _is_table(name: str) -> bool:
    return name.endswith((".csv", ".parquet"))


def _classes() -> tuple[Class, ...]:
    rows = shelf().library.rows("classes")
    naming = Naming(shelf().library).learn(row[key] for row in rows for key in ("class", "property"))
    made = []
    for _, group in groupby(rows, key=lambda row: row["class"].value):
        of_class = list(group)
        first = of_class[0]
        properties = tuple(Property(naming.show(row["property"]), int(row["statements"].value)) for row in of_class)
        anchor = first["part"].value.partition("#")[2]
        made.append(Class(naming.show(first["class"]), anchor, int(first["things"].value), properties))
    return tuple(made)


def _pages() -> list[str]:
    """The path of every page that is worth a visit without parameters, each once."""
    views = (*_PAGES, *(_OWN_PAGES if shelf().library.pool.dataset.version else ()))
    found = [url_for(each) for each in views if each in current_app.view_functions]
    found += sorted(page for iri in shelf().names if (page := describe.page(iri)).startswith(_SPACES))
    return list(dict.fromkeys(found))


def _parts(pages: Sequence[str]) -> tuple[str, ...]:
    """The names of the maps that *pages* need."""
    return tuple(str(number) for number in range(1, -(-len(pages) // IN_A_MAP) + 1))


def _map(root: str, entry: str, paths: Iterable[str]) -> Response:
    home = shelf().home()
    lines = (f"<{entry}><loc>{escape(home + quote(path, safe='/%'))}</loc></{entry}>\n" for path in paths)
    return Response(_SITEMAP.format(root, "".join(lines)), content_type="application/xml; charset=utf-8")


def _vary(response: Response) -> Response:
    response.vary.add("Accept")
    return response
