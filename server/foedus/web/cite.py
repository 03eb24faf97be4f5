"""How to cite: the dataset, one thing or one answer of it, and the sources behind an answer."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import Blueprint, Response, render_template, request

from foedus import dates, names, questions
from foedus.errors import NoSuchThing, NotAcceptable, WrongUsage
from foedus.query import formats, results, waiting
from foedus.query.answering import answering_stored
from foedus.query.resolve import resolver
from foedus.query.results import Term
from foedus.questions import Question
from foedus.web import asking, behind, citations, handout, headers
from foedus.web.behind import Behind
from foedus.web.citations import FORMS, Entry, Form
from foedus.web.describe import Naming, Shown, page
from foedus.web.shelf import shelf

bp = Blueprint("cite", __name__)

PATH = "/cite"

LONGEST = 2000
"""Characters of an address whose sources are asked for."""

SHOWN_FACTS = 3
"""Facts that the page shows of each for which a source is cited."""

_HASH = 12
_QUESTION = re.compile(rf"(?:.*/)?queries/([a-z0-9-]+)(?:\.(?:{'|'.join(handout.ANSWERS)}))?/?")
_THING = re.compile(r"(?:.*/)?(?:id|page|data)/([^/]+?)(?:\.(?:ttl|jsonld|nt|rdf|json|csv))?")


@dataclass(frozen=True)
class Cited:
    """A source as the page shows it: its entry, its own page, and for what it is cited."""

    entry: Entry
    shown: Shown
    facts: tuple[Shown, ...]
    others: int


@bp.app_context_processor
def _at_hand() -> dict[str, object]:
    """What the pages of things and questions need to say how they are cited."""
    return {"cite_whole": _cite_whole, "cite_thing": _cite_thing, "cite_question": _cite_question}


@bp.get(PATH)
def cite() -> Response:
    """An entry for the whole, ``?thing=`` or ``?question=``; with ``?for=``, one for each source behind that."""
    given = _given()
    form = _form(given.pop("format", None))
    if "for" in given:
        wanted = given.pop("for")
        _require_nothing(given)
        return _sources(wanted, form)
    if "question" in given:
        asked = _question(given.pop("question"))
        entry, about = _of_question(asked, given), _address(asked, given)
    elif "thing" in given:
        iri = _thing(given.pop("thing"))
        _require_nothing(given)
        entry, about = _of_thing(iri), page(iri)
    else:
        _require_nothing(given)
        entry, about = _work(), ""
    if form:
        return _sent([entry], form, entry.key)
    address = {name: value for name, value in request.args.items() if name != "format"}
    shown = render_template(
        "cite.html",
        entry=entry,
        about=about,
        text=citations.text(entry),
        written=[(each, citations.write([entry], each.name)) for each in FORMS[1:]],
        links=[(each, f"{PATH}?{urlencode({**address, 'format': each.name})}") for each in FORMS],
        behind=_behind(about),
    )
    return _vary(Response(shown))


def _sources(wanted: str, form: Form | None) -> Response:
    """The sources behind what the address or name *wanted* means."""
    library = shelf().library
    target = _target(wanted)
    if isinstance(target, str):
        found, title, about = behind.of_thing(library, target), _label(target), page(target)
        key = f"sources-{_key(target)}"
    else:
        asked, values = target
        answer = waiting.run(answering_stored(library.pool, asked, values, "json"))
        found = behind.of_answer(library, results.table(answer), _things(asked, values))
        title = _asked(asked, values)
        about = _address(asked, values)
        key = f"sources-{asked.slug}"
    entries = _entries(found)
    if form:
        return _sent([entries[each.source] for each in found], form, key)
    ordered = sorted(found, key=lambda each: (-len(each.facts), entries[each.source].title.lower()))
    links = [(each, f"{PATH}?{urlencode({'for': wanted, 'format': each.name})}") for each in FORMS]
    cited = _shown(ordered, entries)
    return _vary(Response(render_template("cited.html", title=title, about=about, links=links, cited=cited)))


def _shown(found: list[Behind], entries: Mapping[str, Entry]) -> list[Cited]:
    first = {each.source: [fact for fact in each.facts if fact != each.source][:SHOWN_FACTS] for each in found}
    naming = Naming(shelf().library)
    naming.learn(Term("iri", iri) for source, facts in first.items() for iri in (source, *facts))
    return [
        Cited(
            entries[each.source],
            naming.show(Term("iri", each.source)),
            tuple(naming.show(Term("iri", fact)) for fact in first[each.source]),
            sum(fact != each.source for fact in each.facts) - len(first[each.source]),
        )
        for each in found
    ]


# ── what is asked for ──


def _given() -> dict[str, str]:
    """The parameters, each given once."""
    found: dict[str, str] = {}
    for name, value in request.args.items(multi=True):
        if name in found:
            raise WrongUsage(f"The parameter “{name[:60]}” is given twice.", "Give it once.")
        found[name] = value
    if sum(name in found for name in ("for", "thing", "question")) > 1:
        raise WrongUsage("One of “for”, “thing” and “question” is cited at a time.", "Leave the others out.")
    return found


def _require_nothing(given: Mapping[str, str]) -> None:
    if given:
        raise WrongUsage(
            f"{PATH} takes no parameter “{next(iter(given))[:60]}” here.",
            f"Write {PATH}?thing=csto, {PATH}?question=members-on&alliance=csto&date=2022-09-13, or {PATH}?for=…",
        )


def _form(named: str | None) -> Form | None:
    """The format that ``?format=`` names or else ``Accept`` prefers; None for a page."""
    if named:
        wanted = named.strip().lower().removeprefix(".")
        if wanted in ("html", "text/html"):
            return None
        for each in FORMS:
            if wanted in (each.name, *each.others, *each.media_types):
                return each
        raise NotAcceptable(f"There is no format “{named[:40]}” of a citation.", f"Choose from: {_offered()}.")
    offers: list[tuple[str, Form | None]] = [(media_type, None) for media_type in headers.PAGE]
    offers += [(media_type, each) for each in FORMS for media_type in each.media_types]
    chosen = formats.negotiate(request.headers.get("Accept"), offers)
    if chosen is None:
        raise NotAcceptable("None of the formats that you accept fits.", f"Accept one of: {_offered()}.")
    return chosen[1]


def _offered() -> str:
    return ", ".join(["html", *(f"{each.name} ({each.media_types[0]})" for each in FORMS)])


def _target(wanted: str) -> tuple[Question, dict[str, str]] | str:
    """The question with its values, or the IRI of the thing, that an address or a name means."""
    text = wanted.strip()
    if not text:
        raise WrongUsage("“for” is empty.", f"Write {PATH}?for=csto, or the address of an answer, percent-encoded.")
    if len(text) > LONGEST:
        raise WrongUsage(f"“for” is longer than {LONGEST:,} characters.", "Give the address of one answer.")
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise WrongUsage(f"“{text[:80]}” is no address.", "Give that of an answer here.") from error
    path = parts.path.partition("?")[0]
    slug = match[1] if (match := _QUESTION.fullmatch(path)) else path
    if match or (slug in shelf().questions and (parts.query or not _is_known(names.ID + slug))):
        given = handout.given(parse_qsl(parts.query, keep_blank_values=True, errors="replace"))
        asked = _question(slug)
        return asked, {name: value for name, value in given.items() if name not in handout.OFFERED}
    if parts.path.endswith("/sparql"):
        raise WrongUsage("Sources are found for stored questions and for things.", "Give the address of one of them.")
    return _thing(match[1] if (match := _THING.fullmatch(path)) else text)


def _question(slug: str) -> Question:
    if slug not in shelf().questions:
        raise NoSuchThing(f"There is no question “{slug[:80]}”.", "All are listed at /queries.")
    return shelf().questions[slug]


def _thing(name: str) -> str:
    """The IRI of ours that *name*, a local name, a CURIE or an IRI, means."""
    iri = names.expand(name.strip()) or names.ID + name.strip()
    if not _is_known(iri):
        raise NoSuchThing(f"There is no “{name[:80]}” here.", "Try the search: /search?q=…")
    return iri


def _is_known(iri: str) -> bool:
    return names.is_iri(iri) and iri in shelf().names


# ── entries ──


def _work() -> Entry:
    """The dataset as a whole; of data of one's own, only which they are is known."""
    about = shelf().library.pool.dataset
    rows = shelf().library.rows("work", [asking.iri(f"{names.ID}foedus-dataset")]) if about.version else ()
    authors = tuple(dict.fromkeys(row["author"].value for row in rows if "author" in row))
    if not rows:
        # Of another engine nobody knows which data it answers from.
        mark = "" if about.changes else about.sha256[:_HASH]
        note = f"Dataset {mark}" if mark else ""
        return Entry(f"data-{mark}".rstrip("-"), "whole", "RDF data served by Foedus", note=note)
    as_of = f", as of {dates.in_words(about.as_of)}" if about.as_of else ""
    return Entry(
        key=f"foedus-{about.sha256[:_HASH]}",
        kind="whole",
        title=rows[0]["title"].value,
        authors=authors,
        date=about.as_of or "",
        url=f"{names.ID}foedus-dataset",
        version=about.version or "",
        note=f"Dataset {about.sha256[:_HASH]}{as_of}. CC BY 4.0",
    )


def _of_thing(iri: str) -> Entry:
    return _part(_key(iri), _label(iri), iri)


def _of_question(asked: Question, given: Mapping[str, str]) -> Entry:
    """WrongUsage for values that do not fit."""
    key = "-".join((asked.slug, *map(_key, _values(asked, given).values())))
    return _part(key, _asked(asked, given), names.BASE.rstrip("/") + _address(asked, given))


def _part(key: str, title: str, url: str) -> Entry:
    work = _work()
    return Entry(
        key=f"foedus-{key}-{work.key.rpartition('-')[2]}",
        kind="part",
        title=title,
        authors=work.authors,
        date=work.date,
        url=url,
        version=work.version,
        container=work.title,
        note=work.note,
    )


def _values(asked: Question, given: Mapping[str, str]) -> dict[str, str]:
    """*given* as the parameters of *asked* have it, things by their local names, in order."""
    resolve = resolver(shelf().library.pool)
    questions.bind(asked, given, resolve)
    day = questions.day_of(asked, given)
    found = {}
    for each in asked.parameters:
        if value := given.get(each.name, "").strip():
            found[each.name] = (
                value if each.type == questions.DATE else resolve(value, each.type, day).removeprefix(names.ID)
            )
    return found


def _address(asked: Question, given: Mapping[str, str]) -> str:
    """The path of the answer to *asked* for the values *given*, always the same for the same."""
    values = _values(asked, given)
    return f"/queries/{asked.slug}" + (f"?{urlencode(values)}" if values else "")


def _things(asked: Question, given: Mapping[str, str]) -> list[str]:
    """The IRIs of the things that *asked* is asked for."""
    values = _values(asked, given)
    kinds = {each.name: each.type for each in asked.parameters}
    return [names.expand(each) or names.ID + each for name, each in values.items() if kinds[name] != questions.DATE]


def _asked(asked: Question, given: Mapping[str, str]) -> str:
    """The words of *asked*, with the values that it was asked for."""
    values = _values(asked, given)
    iris = {name: names.expand(value) or names.ID + value for name, value in values.items()}
    labels = shelf().library.labels(iri for iri in iris.values() if names.is_iri(iri))
    said = {name: labels[iri][0].value if iri in labels else values[name] for name, iri in iris.items()}
    shown = "; ".join(f"{name}: {dates.in_words(value)}" for name, value in said.items())
    return f"{asked.question} ({shown})" if shown else asked.question


def _label(iri: str) -> str:
    labels = shelf().library.labels([iri]).get(iri, ())
    return labels[0].value if labels else names.curie(iri)


def _key(text: str) -> str:
    """*text*, a name or an IRI, as the key of an entry: letters, digits and hyphens."""
    local = text.removeprefix(names.ID).removeprefix(names.BASE)
    return re.sub(r"[^a-zA-Z0-9]+", "-", local).strip("-")[:80]


def _entries(found: tuple[Behind, ...]) -> dict[str, Entry]:
    """An entry for each source, by its IRI."""
    library = shelf().library
    rows: list[asking.Row] = []
    sources = [each.source for each in found]
    for start in range(0, len(sources), 500):
        rows += library.rows("bibliography", *([asking.iri(each)] for each in sources[start : start + 500]))
    told: dict[str, list[asking.Row]] = {each: [] for each in sources}
    for row in rows:
        told[row["source"].value].append(row)
    return {source: _source(source, some) for source, some in told.items()}


def _source(iri: str, rows: list[asking.Row]) -> Entry:
    """The entry of a source, under its title in its own language, from the *rows* about it."""

    def every(name: str) -> tuple[Term, ...]:
        return tuple(dict.fromkeys(row[name] for row in rows if name in row))

    def one(name: str) -> str:
        return next((each.value for each in every(name)), "")

    language = one("language")
    titles = sorted(every("title"), key=lambda each: (each.language != language, each.language != "en", each.value))
    reading = one("reading")
    notes = [f"{reading[0].upper()}{reading[1:]}"] if reading else []
    notes += [f"After: {each.value}" for each in every("original")]
    if titles and titles[0].language == language != "en":
        notes += [f"In English: {each.value}" for each in titles if each.language == "en"][:1]
    return Entry(
        key=_key(iri),
        kind=one("kind").removeprefix(names.ONTOLOGY),
        title=titles[0].value if titles else names.curie(iri),
        authors=tuple(each.value for each in every("author")),
        publisher=one("publisher"),
        date=one("published"),
        url=one("url"),
        language=language,
        note=". ".join(notes),
    )


# ── at the end of pages ──


def _cite_whole() -> tuple[str, list[tuple[Form, str]], str]:
    """The citation of the dataset and the addresses of its formats."""
    return _block(_work(), {}, "")


def _cite_thing(iri: str) -> tuple[str, list[tuple[Form, str]], str]:
    """The citation of the thing *iri*, the addresses of its formats, and that of the sources behind it."""
    local = iri.removeprefix(names.ID) if iri.startswith(names.ID) else names.curie(iri).strip("<>")
    return _block(_of_thing(iri), {"thing": local}, page(iri))


def _cite_question(asked: Question, given: Mapping[str, str]) -> tuple[str, list[tuple[Form, str]], str]:
    """The same of the answer to *asked* for the values *given*, which fit."""
    address = {"question": asked.slug, **_values(asked, given)}
    return _block(_of_question(asked, given), address, _address(asked, given))


def _block(entry: Entry, address: Mapping[str, str], about: str) -> tuple[str, list[tuple[Form, str]], str]:
    links = [(each, f"{PATH}?{urlencode({**address, 'format': each.name})}") for each in FORMS]
    return citations.text(entry), links, _behind(about)


def _behind(about: str) -> str:
    """Where the sources behind the page at *about* are; nowhere for terms, shapes and graphs, which have none."""
    return f"{PATH}?{urlencode({'for': about})}" if about.startswith(("/page/", "/queries/")) else ""


def _sent(entries: list[Entry], form: Form, name: str) -> Response:
    charset = "" if form.name == "csl" else "; charset=utf-8"
    response = Response(citations.write(entries, form.name), content_type=form.media_types[0] + charset)
    response.headers["Content-Disposition"] = f'inline; filename="{name}.{form.ending}"'
    return _vary(response)


def _vary(response: Response) -> Response:
    response.vary.add("Accept")
    return response
