"""No dead ends: every name of ours in the dataset is shown somewhere, and every link of every page leads somewhere.

Pages are very many and much alike, so of each class twenty are read, chosen by a hash of their names, and all of
smaller classes; ``FOEDUS_CRAWL=all`` reads every page there is. Each link in these counts once. Where it leads to is
asked for, except that pages and data of single things and terms are looked up among what there is, which is what the
server does with them; of proofs, queries and answers with values, which cost a query each, twenty of each kind are
asked for, chosen likewise, or two hundred.
"""

import os
import re
from collections import defaultdict
from html import unescape
from urllib.parse import parse_qsl, unquote, urlsplit
from zlib import crc32

import pytest

from foedus import names, questions
from foedus.query import results
from foedus.web import describe, entities, handout

MANY = 20
EVERY = os.environ.get("FOEDUS_CRAWL") == "all"
HTML = {"Accept": "text/html, */*;q=0.5"}
LINK = re.compile(r'\s(?:href|src|action)="([^"]*)"')
ID = re.compile(r'\sid="([^"]*)"')
FORMATS = ("ttl", "jsonld", "nt", "rdf")


def chosen(some, many=MANY):
    """As *many* of *some* as are asked for, always the same ones."""
    return sorted(set(some), key=lambda each: (crc32(each.encode()), each))[:many]


@pytest.fixture(scope="module")
def visitor(app):
    return app.test_client()


@pytest.fixture(scope="module")
def described(pool):
    """Each name of ours of which something is said, with its classes."""
    ours = f"FILTER(STRSTARTS(STR(?s), '{names.BASE}'))"
    query = f"SELECT DISTINCT ?s ?class {{ ?s ?p ?o OPTIONAL {{ ?s a ?class }} {ours} }}"
    found = defaultdict(set)
    for row in results.select(pool, query):
        found[row["s"].value].add(row["class"].value if "class" in row else "")
    return found


@pytest.fixture(scope="module")
def mentioned(pool):
    """Each name of ours that stands anywhere in the dataset."""
    places = " UNION ".join(
        f"{{ SELECT DISTINCT ?{x} {{ ?s ?p ?o FILTER(isIRI(?{x}) && STRSTARTS(STR(?{x}), '{names.BASE}')) }} }}"
        for x in "spo"
    )
    rows = results.select(pool, f"SELECT ?s ?p ?o {{ {places} }}")
    return {term.value for row in rows for term in row.values()}


@pytest.fixture(scope="module")
def pages(visitor, described):
    """The text of each page that is read, by its address."""
    by_class = defaultdict(list)
    for iri, classes in described.items():
        if page := describe.page(iri).partition("#")[0]:
            for each in classes:
                by_class[each].append(page)
    listed = re.findall(r"<loc>http://localhost(/[^<]*)</loc>", visitor.get("/sitemap.xml").text)
    single = [each for each in listed if each.count("/") == 1 or each.startswith("/queries/")]
    wanted = {
        *single,
        *(page for some in by_class.values() for page in (some if EVERY else chosen(some))),
        "/search?q=armenia",
        "/why",
        "/sparql",
    }
    assert len(wanted) > 1000
    read = {}
    for address in sorted(wanted):
        answer = visitor.get(address, headers={"Accept": "text/html"})
        assert answer.status_code == 200, address
        read[address] = answer.text
        _ALIVE[address] = True
    return read


@pytest.fixture(scope="module")
def links(pages):
    """Each link of the pages, as an absolute path with what follows, and a page that it stands on."""
    found = {}
    for address, text in pages.items():
        path = urlsplit(address).path
        for link in set(LINK.findall(text)):
            led = unescape(link)
            if led.startswith(names.BASE):
                led = names.path(led)
            found.setdefault(led if led.startswith(("/", "http")) else f"{path}{led}", address)
    assert len(found) > 10_000
    return found


_ALIVE: dict[str, bool] = {}
"""What was asked for already, and whether it answered."""


def _asked(visitor, address):
    if address not in _ALIVE:
        _ALIVE[address] = visitor.get(address, headers=HTML, follow_redirects=True).status_code == 200
    return _ALIVE[address]


def test_every_name_in_the_dataset_is_shown_somewhere(visitor, mentioned, described):
    """A thing leads to its page; terms, shapes, graphs, questions, the endpoint and the files are at their paths."""
    assert len(mentioned) > 8000
    here = {describe.page(iri) for iri in described}
    dead = []
    for iri in mentioned:
        path = describe.page(iri).partition("#")[0]
        if path.startswith("/page/"):
            answer = visitor.head("/id/" + path.removeprefix("/page/"), headers=HTML)
            alive = (answer.status_code, answer.headers.get("Location")) == (303, path)
        elif path.startswith(("/ontology/", "/shape/")):
            alive = path in here or _asked(visitor, path)
        else:
            alive = bool(path) and _asked(visitor, path)
        if not alive:
            dead.append(iri)
    assert dead == []


def test_the_map_of_the_site_names_every_page_of_a_thing(visitor, described):
    listed = set(re.findall(r"<loc>http://localhost(/[^<]*)</loc>", visitor.get("/sitemap.xml").text))
    own = ("/page/", "/ontology/", "/shape/", "/graph/", "/queries/")
    assert {
        page for iri in described if (page := describe.page(iri)).startswith(own) and page[-5:] != "0.1.0"
    } <= listed


def test_every_link_out_is_of_the_web(links):
    assert [each for each in links if not each.startswith(("/", "https://", "http://"))] == []


def test_every_place_in_a_page_is_there(pages, links):
    """A link to a part of a page that was read finds that part; names that have a ``#`` in them are no such links."""
    ids = {}
    for link in links:
        address, _, place = link.partition("#")
        if place and address in pages and address not in ("/.well-known/void", "/sparql"):
            ids.setdefault(address, set(ID.findall(pages[address])))
            assert place in ids[address], link


def test_no_link_of_a_page_is_a_dead_end(visitor, links, described):
    here = {describe.page(iri) for iri in described}
    dead, costly, stored = [], defaultdict(list), questions.catalogue()
    for link in links:
        if link.startswith("http"):
            continue
        address = link.partition("#")[0]
        path, asked = unquote(urlsplit(address).path), urlsplit(address).query
        folder, _, name = path[1:].partition("/")
        stem, _, form = name.rpartition(".")
        if folder == "page" and not asked:
            alive = path in here
        elif folder == "data":
            alive = f"/page/{stem}" in here and form in entities.DATA
        elif folder in ("ontology", "shape", "graph") and name:
            alive = path in here and (not asked or asked.removeprefix("format=") in FORMATS)
        elif asked:
            alive = folder != "queries" or _fits(stored, name, asked)
            costly[f"/{folder}"].append(address)
        else:
            alive = _asked(visitor, address)
        if not alive:
            dead.append((links[link], link))
    assert dead == []
    assert {"/why", "/sparql", "/queries"} <= costly.keys()
    for some in costly.values():
        for address in chosen(some, 10 * MANY if EVERY else MANY):
            if not _asked(visitor, address):
                dead.append((next(page for link, page in links.items() if link.startswith(address)), address))
    assert dead == []


def _fits(known, name, asked):
    """Whether the question called *name* among *known*, or the file of its answer, has the parameters *asked*."""
    slug, _, form = name.partition(".")
    given = {each for each, _ in parse_qsl(asked, keep_blank_values=True)}
    taken = {each.name for each in known[slug].parameters} | set(handout.OFFERED) if slug in known else set()
    return slug in known and form in ("", *handout.ANSWERS) and given <= taken
