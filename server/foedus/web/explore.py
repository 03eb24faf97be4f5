"""Ways in: home, search, the stored questions and their answers, and the page for queries of one's own."""

import difflib
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence

from flask import Blueprint, Response, make_response, render_template, request

from foedus import names, questions
from foedus.errors import FoedusError, NoSuchThing, NotAcceptable, WrongUsage
from foedus.query import codebook, formats, items, results
from foedus.query.answering import ASSERTED_ONLY, answer, reasons
from foedus.query.pool import Answer, Request
from foedus.query.resolve import resolver
from foedus.questions import Question
from foedus.web import asking, describe, downloads, endpoint, handout, headers
from foedus.web.describe import Column, Grid, Naming
from foedus.web.shelf import shelf

bp = Blueprint("explore", __name__)

STARTER = "\n".join(
    [f"PREFIX {prefix}: <{names.PREFIXES[prefix]}>" for prefix in ("foedus", "id", "rdfs")]
    + ["", "SELECT ?act ?label ?date WHERE {", "  ?act foedus:ofState id:uzbekistan ;"]
    + ["    rdfs:label ?label ;", "    foedus:occurred ?date .", "}", "ORDER BY ?date", ""]
)
"""What the empty query page shows."""

ROWS = 250
"""Rows of an answer that a page shows; files hold them all."""

LISTED = 100
"""Rows of each table on the page of sources."""

DUMPS = ("ttl", "nt", "jsonld", "rdf")
"""The formats in which the page for downloads offers each graph."""


@bp.get("/")
def home() -> str:
    """What this is, how much there is of it, and one question with its answer."""
    headers.require_page("Data: /download, /sparql, /data/csto.ttl.")
    stored = shelf().questions
    figures = shelf().library.rows("figures")[0]
    quads = shelf().library.pool.dataset.quads
    example = stored.get(shelf().home_example) or next(iter(stored.values()), None)
    return render_template(
        "home.html",
        # A statement counts in each graph that says it, here as at /health; the query counts it once.
        figures={name: figures[name].value for name in figures} | ({} if quads is None else {"triples": quads}),
        alliances=_choices(names.ONTOLOGY + "Alliance"),
        groups=_by_keyword(stored),
        example=example,
        values=dict(example.example) if example else {},
        given=_said(example, dict(example.example)) if example else {},
        answer=_example_answer(example) if example else None,
    )


@bp.get("/search")
def search() -> str:
    """Things by name, old name or code."""
    headers.require_page("Programs search by /sparql.")
    words = unicodedata.normalize("NFC", " ".join(request.args.get("q", "").split()))[:200]
    rows = shelf().library.rows("search", [asking.words(words.lower())]) if words else ()
    naming = Naming(shelf().library).learn(row["thing"] for row in rows)
    kinds = _kinds(naming, [row["thing"].value for row in rows]) if rows else {}
    found = [(naming.show(row["thing"]), row["matched"].value, kinds.get(row["thing"].value, [])) for row in rows]
    return render_template("search.html", words=words, found=found)


@bp.get("/queries")
def catalogue() -> str:
    """The stored questions, grouped."""
    headers.require_page("Each question also answers in CSV, TSV, JSON and Turtle: /queries/<slug>.csv.")
    return render_template("queries.html", groups=_by_keyword(shelf().questions))


@bp.get("/download")
def download() -> str:
    """Everything in one file, each graph whole, in every format, with sizes and checksums; licence and version."""
    headers.require_page("The graphs are at /graph/<name>?format=ttl.")
    rows = [row for row in shelf().library.rows("graphs") if row["graph"].value.startswith(names.GRAPH)]
    naming = Naming(shelf().library).learn(row["graph"] for row in rows)
    shown = [(naming.show(row["graph"]), int(row["triples"].value)) for row in rows]
    files = [next(each for each in formats.FORMATS if each.name == form) for form in DUMPS]
    total = sum(size for _, size in shown)
    tables = codebook.TITLES if downloads.has_tables() else {}
    whole = [(each, _syntax(each.name)) for each in downloads.dumps()]
    return render_template("download.html", graphs=shown, total=total, files=files, tables=tables, whole=whole)


@bp.get("/download/<name>")
def file(name: str) -> Response:
    """The dataset whole, the checksums, one of the researchers' tables, or their codebook."""
    return downloads.send(name)


@bp.get("/sources")
def sources() -> str:
    """Every source with what was taken from it, and the facts that rest on little; 404 over data without either."""
    headers.require_page("Programs take /queries/sources.csv and /queries/single-source.csv.")
    listed, _ = _answer(_question("sources"), {}, most=LISTED)
    weak, _ = _answer(_question("single-source"), {}, most=LISTED)
    kinds = _choices(names.ONTOLOGY + "SourceKind")
    return render_template("sources.html", listed=listed, weak=weak, kinds=kinds, files=handout.ANSWERS, rows=LISTED)


@bp.get("/queries/<slug>")
def question(slug: str) -> Response:
    """One question: its form, its text, and the answer for the values in the address; or only that, as a file."""
    asked = _question(slug)
    given = _given()
    wanted = _wanted()
    wikidata = _wikidata()
    if wanted is not None:
        return _file(asked, given, *wanted)
    if not _reasoning():
        raise WrongUsage("Pages always show what follows, too.", "Ask for a file, such as .csv, with reasoning=off.")
    values = given or dict(asked.example)
    problem = None
    found = None
    try:
        found = _answer(asked, values, wikidata=wikidata)
    except (WrongUsage, NoSuchThing) as error:
        problem = error
    page = render_template(
        "question.html",
        question=asked,
        values=values,
        is_example=not given,
        said=_said(asked, values),
        answer=found,
        problem=problem,
        text=_text(asked, values) if problem is None else asked.bare,
        choices={each.name: _choices(each.type) for each in asked.parameters if each.type != questions.DATE},
        date_type=questions.DATE,
        items={"wikidata": wikidata} if wikidata else {},
        item_columns=[each for each in found[0].keys if each.endswith(items.SUFFIX)] if found else (),
        files=handout.ANSWERS,
        rows=ROWS,
    )
    response = make_response(page, 400 if problem and given else 200)
    response.vary.add("Accept")
    return response


@bp.get("/queries/<slug>.<ext>")
def answer_file(slug: str, ext: str) -> Response:
    """The answer to one question as a file."""
    asked = _question(slug)
    if ext not in handout.ANSWERS:
        raise NoSuchThing(
            f"There is no format “.{ext}” of an answer.", f"Take one of: {', '.join(f'.{e}' for e in handout.ANSWERS)}."
        )
    given = _given()
    named = request.args.get("format")
    if named and _named(named) != ext:
        raise WrongUsage(f"The address says “.{ext}”, and “format” says “{named}”.", "Leave “format” out.")
    return _file(asked, given, ext)


@bp.get("/query")
def query_page() -> Response:
    """A query of one's own: the text area, and the answer or what is wrong. Also what /sparql shows to a browser."""
    headers.require_page("Programs ask at /sparql.")
    text = request.args.get("query", "")
    graphs = tuple(request.args.getlist("default-graph-uri")) or (None if _reasoning() else ASSERTED_ONLY[0])
    found = table = triples = truth = problem = None
    try:
        if text.strip():
            found, table, triples, truth = _own_answer(text, graphs)
    except FoedusError as error:
        problem = error
    page = render_template(
        "query.html",
        text=text,
        starter=STARTER,
        graphs=graphs or (),
        answer=found,
        table=table,
        triples=triples,
        truth=truth,
        problem=problem,
        groups=_by_keyword(shelf().questions),
        files=formats.offered(found.kind) if found else (),
        rows=ROWS,
    )
    if problem:
        return headers.fleeting(make_response(page, problem.status))
    asked = endpoint.asker()
    lasts = not text.strip() or headers.lasts(text, asked.dataset, asked.limits)
    return make_response(page) if lasts else headers.fleeting(make_response(page))


def _syntax(name: str) -> str:
    """What the syntax of the file called *name* is called."""
    return next(each.title for each in formats.FORMATS if name.endswith(each.extension))


def _own_answer(text: str, graphs: tuple[str, ...] | None) -> tuple[Answer, Grid | None, str | None, bool | None]:
    """The answer to *text*, and it as a table, as Turtle, or as a truth value."""
    named_graphs = () if graphs else None
    try:
        found = endpoint.asker().ask(Request(text, form="json", default_graphs=graphs, named_graphs=named_graphs))
    except NotAcceptable:
        found = endpoint.asker().ask(Request(text, form="ttl", default_graphs=graphs, named_graphs=named_graphs))
    if found.kind == "ask":
        return found, None, None, results.truth(found)
    if found.kind == "graph":
        return found, None, found.body.decode("utf-8"), None
    rows = results.table(found)
    columns = [Column(name, name) for name in rows.columns]
    return found, describe.grid(Naming(shelf().library), columns, tuple(rows), ROWS), None, None


def _question(slug: str) -> Question:
    """The question stored as *slug*; NoSuchThing, with links to those with a name like it."""
    stored = shelf().questions
    if slug in stored:
        return stored[slug]
    near = difflib.get_close_matches(slug, stored, n=5, cutoff=0.5)
    remedy = f"Did you mean {' or '.join(near)}?" if near else "All are listed at /queries."
    raise NoSuchThing(
        f"There is no question “{slug}”.", remedy, near=tuple(f"{names.BASE}queries/{each}" for each in near)
    )


def _given() -> dict[str, str]:
    """The values in the address, by parameter; WrongUsage for one given twice, or reserved for what is to come."""
    given = handout.given(request.args.items(multi=True))
    return {name: value for name, value in given.items() if name not in handout.OFFERED}


def _wikidata() -> str | None:
    """How Wikidata's items are to be written beside things; None where nobody asks for them."""
    return items.way(request.args.get("wikidata"))


def _reasoning() -> bool:
    """Whether the address asks for conclusions, too."""
    return reasons(request.args.get("reasoning"))


def _named(name: str) -> str:
    """The format of an answer called *name*, or “html”; NotAcceptable for any other."""
    known = [each for each in formats.FORMATS if each.name in handout.ANSWERS]
    wanted = name.strip().lower().removeprefix(".")
    for each in known:
        if wanted in (each.name, *each.others, *each.media_types):
            return each.name
    if wanted in ("html", "text/html"):
        return "html"
    raise NotAcceptable(
        f"There is no format “{name}” of an answer.", f"Choose from: html, {', '.join(handout.ANSWERS)}."
    )


def _wanted() -> tuple[str, str | None] | None:
    """The format of an answer that is wanted, and its label, by ``?format=`` or ``Accept``; None for a page."""
    named = request.args.get("format")
    if named:
        form = _named(named)
        return None if form == "html" else (form, None)
    known = [next(each for each in formats.FORMATS if each.name == form) for form in handout.ANSWERS]
    offers: list[tuple[str, str | None]] = [(media_type, None) for media_type in headers.PAGE]
    offers += [(media_type, each.name) for each in known for media_type in each.media_types]
    chosen = formats.negotiate(request.headers.get("Accept"), offers)
    if chosen is None:
        offered = ", ".join(f"{each.media_type} (.{each.name})" for each in known)
        raise NotAcceptable("None of the formats that you accept fits.", f"Accept one of: text/html, {offered}.")
    media_type, name = chosen
    return (name, media_type) if name else None


def _file(asked: Question, values: Mapping[str, str], form: str, media_type: str | None = None) -> Response:
    """The answer to *asked* for *values* as a file, labelled *media_type* where the asker calls the format so."""
    found = answer(shelf().library.pool, asked.slug, values, form, _reasoning(), _wikidata())
    known = next(each for each in formats.FORMATS if each.name == form)
    label = known.content_type(media_type) if media_type else found.media_type
    response = Response(found.body, content_type=label)
    response.headers["Content-Disposition"] = handout.disposition(asked.slug, form)
    response.vary.add("Accept")
    return response


def _text(asked: Question, values: Mapping[str, str]) -> str:
    """The SPARQL text that answers, with *values* in it."""
    return questions.bind(asked, values, resolver(shelf().library.pool), bare=True)


def _by_keyword(stored: Mapping[str, Question]) -> dict[str, list[Question]]:
    """The questions under few heads: each time the keyword that most of those left share."""
    left = list(stored.values())
    groups: dict[str, list[Question]] = {}
    while left:
        shared = Counter(word for each in left for word in each.keywords or ("other",))
        word = min(shared, key=lambda each: (-shared[each], _lateness(each, left), each))
        groups[word] = [each for each in left if word in (each.keywords or ("other",))]
        left = [each for each in left if each not in groups[word]]
    return groups


def _lateness(word: str, asked: Sequence[Question]) -> int:
    """How far behind *word* stands among the keywords of those of *asked* that have it."""
    return sum(each.keywords.index(word) for each in asked if word in each.keywords)


def _answer(
    asked: Question,
    values: Mapping[str, str],
    columns: int | None = None,
    most: int = ROWS,
    wikidata: str | None = None,
) -> tuple[Grid, Answer]:
    """The answer as a table for readers; a ``label`` column says again what the link before it says."""
    found = answer(shelf().library.pool, asked.slug, values, "json", wikidata=wikidata)
    rows = results.table(found)
    shown = [Column(each.name, each.name) for each in asked.columns[:columns] if each.name != "label"]
    shown += [Column(each, each) for each in rows.columns if each.endswith(items.SUFFIX)]
    return describe.grid(Naming(shelf().library), shown, tuple(rows), most), found


def _example_answer(asked: Question) -> tuple[Grid, Answer] | None:
    """The first columns of the answer to the worked example; None over data that do not hold what it is about."""
    try:
        return _answer(asked, dict(asked.example), columns=5)
    except WrongUsage:
        return None


def _said(asked: Question, values: Mapping[str, str]) -> dict[str, str]:
    """The values given, under the names that a reader knows them by."""
    iris = {name: names.expand(value) or names.ID + value for name, value in values.items()}
    labels = shelf().library.labels(iri for iri in iris.values() if names.is_iri(iri))
    return {name: labels[iri][0].value if iri in labels else values[name] for name, iri in iris.items()}


def _choices(class_iri: str) -> list[tuple[str, str]]:
    """The instances of a class as (local name, label), by label."""
    iris = [row["thing"].value for row in shelf().library.rows("instances", [asking.iri(class_iri)])]
    labels = shelf().library.labels(iris)
    found = [(iri.removeprefix(names.ID), labels[iri][0].value if iri in labels else iri) for iri in iris]
    return sorted(found, key=lambda choice: choice[1].lower())


def _kinds(naming: Naming, iris: Sequence[str]) -> dict[str, list[describe.Shown]]:
    """The narrowest classes of each of *iris*."""
    rows = shelf().library.rows("kinds", *([asking.iri(each)] for each in iris))
    naming.learn(row["class"] for row in rows)
    kinds: dict[str, list[describe.Shown]] = {}
    for row in rows:
        kinds.setdefault(row["thing"].value, []).append(naming.show(row["class"]))
    return kinds
