"""What a page shows of one thing: its names, facts, tables, what refers to it, and where all that is from.

Nothing here knows the vocabulary beyond names, comments and sources. The tables of a page come from the query files in
``queries/panels``: each says for which class it is, and a new one needs no change here.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from urllib.parse import urlencode

from foedus import dates, names, questions
from foedus.query import results
from foedus.query.results import Term
from foedus.query.why import shown as shown_term
from foedus.questions import Question
from foedus.web import asking
from foedus.web.asking import Library, Row, is_true

_RDF, _RDFS, _SKOS, _OWL = (names.PREFIXES[prefix] for prefix in ("rdf", "rdfs", "skos", "owl"))
_DCTERMS = names.PREFIXES["dcterms"]
_FOEDUS = names.ONTOLOGY

_ANY_URI = names.PREFIXES["xsd"] + "anyURI"
_TYPE = _RDF + "type"
_SOURCE = _FOEDUS + "source"
_STATED_IN = _FOEDUS + "statedIn"
_NAMES = {
    _RDFS + "label": "Name",
    _SKOS + "prefLabel": "Name",
    _SKOS + "altLabel": "Also",
    _SKOS + "hiddenLabel": "Also found as",
    _DCTERMS + "title": "Title",
}
_LEAD = (_SKOS + "definition", _FOEDUS + "statement", _FOEDUS + "summary", _DCTERMS + "description", _RDFS + "comment")
_MATCHES = tuple(f"{_SKOS}{how}Match" for how in ("exact", "close", "broad", "narrow", "related"))
_ELSEWHERE = (_OWL + "sameAs", _RDFS + "seeAlso", *_MATCHES)

_SPACES = (names.ID, names.ONTOLOGY, names.SHAPE, names.GRAPH, names.BASE + "queries/")
_ADDRESSES = (names.ENDPOINT, names.DESCRIPTION, names.BASE + "download", names.ONTOLOGY.replace("#", "/"))
_EVERYTHING = _RDFS + "Resource"
_PROPERTY = _RDF + "Property"
_KINDS_OF_PROPERTY = {_OWL + kind for kind in ("ObjectProperty", "DatatypeProperty", "AnnotationProperty")}

_KINDS = (
    ("Classes", {_OWL + "Class"}),
    ("Properties between things", {_OWL + "ObjectProperty"}),
    ("Properties with a date, number or text", {_OWL + "DatatypeProperty"}),
    ("Closed lists and their values", {_SKOS + "ConceptScheme", _SKOS + "Concept"}),
    ("Annotations", {_OWL + "AnnotationProperty"}),
)

LISTED = 12
"""Things that refer to a thing, shown of each property."""

ROWS = 200
"""Rows shown of a panel."""


@dataclass(frozen=True)
class Citation:
    """What is shown of a source beside its title."""

    publisher: str = ""
    published: str = ""
    url: str = ""
    language: str = ""
    reading: str = ""


@dataclass(frozen=True)
class Shown:
    """A term as a page shows it; *kind* is ``link``, ``outside``, ``text``, ``date`` or ``code``.

    Where the fact that it stands in is *inferred*, *why* is the address of its proof.
    """

    kind: str
    text: str
    href: str = ""
    language: str = ""
    name: str = ""
    inferred: bool = False
    citation: Citation | None = None
    why: str = ""


@dataclass(frozen=True)
class Fact:
    """A property and its values."""

    property: Shown
    hint: str
    values: tuple[Shown, ...]


@dataclass(frozen=True)
class Group:
    title: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class Column:
    """A column of a table; *wording*, where given, is what its links say: a ``?variable`` of the row, or one word."""

    key: str
    head: str
    wording: str = ""


@dataclass(frozen=True)
class Grid:
    """A table: *heads* are shown, *keys* are the variables; *total* counts rows beyond those shown.

    *room* is what each column needs: ``prose`` for sentences, ``wide`` for long names, or nothing.
    """

    keys: tuple[str, ...]
    heads: tuple[str, ...]
    room: tuple[str, ...]
    rows: tuple[tuple[tuple[Shown, ...], ...], ...]
    total: int


@dataclass(frozen=True)
class Panel:
    """A table about the thing, made by one query file."""

    slug: str
    title: str
    note: str
    inferred: str
    dated: bool
    grid: Grid
    text: str


@dataclass(frozen=True)
class Reference:
    """The things that refer to the thing by one property and are in no panel; *total* counts them all."""

    property: Shown
    things: tuple[Shown, ...]
    total: int
    query: str


@dataclass(frozen=True)
class Thing:
    """All that the page of one thing shows."""

    iri: str
    name: str
    label: Shown
    types: tuple[Shown, ...]
    names: tuple[tuple[str, tuple[Shown, ...]], ...]
    lead: tuple[Shown, ...]
    groups: tuple[Group, ...]
    panels: tuple[Panel, ...]
    references: tuple[Reference, ...]
    sources: tuple[Shown, ...]
    files: tuple[str, ...]
    elsewhere: tuple[Fact, ...]
    ask: tuple[tuple[str, str], ...]
    dated: bool


@dataclass(frozen=True)
class _PanelFile:
    slug: str
    classes: frozenset[str]
    title: str
    note: str
    inferred: str
    columns: tuple[Column, ...]
    text: str

    @property
    def dated(self) -> bool:
        """Whether the panel's rows depend on a day."""
        return "VALUES (?thing ?day)" in self.text


@dataclass
class Naming:
    """The names and citations of everything on one page, fetched together."""

    library: Library
    labels: dict[str, tuple[Term, ...]] = field(default_factory=dict)
    citations: dict[str, Citation] = field(default_factory=dict)

    def learn(self, terms: Iterable[Term]) -> "Naming":
        """Fetch what is not yet known about the IRIs among *terms*, lists of IRIs in one literal included."""
        new = {each for term in terms for each in results.iris(term)} - self.labels.keys()
        safe = sorted(each for each in new if names.is_iri(each))
        self.labels |= dict.fromkeys(new, ()) | self.library.labels(safe)
        for start in range(0, len(safe), 500):
            for row in self.library.rows("sources", *([asking.iri(each)] for each in safe[start : start + 500])):
                self.citations.setdefault(
                    row["thing"].value,
                    Citation(*(_text(row, key) for key in ("publisher", "published", "url", "language", "reading"))),
                )
        return self

    def show(self, term: Term, inferred: bool = False, nested: Mapping[str, list[Row]] | None = None) -> Shown:
        """*term* under its name, linked to its page here or, if it is someone else's, to its own address."""
        if term.kind == "blank":
            return Shown("code", _turtle(term, nested or {}), inferred=inferred)
        if term.kind != "iri":
            if term.datatype == _ANY_URI and _is_web(term.value):
                return Shown("outside", term.value, term.value, inferred=inferred)
            kind = "date" if not term.language and dates.is_date(term.value) else "text"
            return Shown(kind, term.value, language=term.language or "", inferred=inferred)
        labels = self.labels.get(term.value, ())
        name = names.curie(term.value)
        text, language = (dates.in_title(labels[0].value), labels[0].language or "") if labels else (_bare(name), "")
        here = page(term.value)
        if here:
            return Shown("link", text, here, language, name, inferred, self.citations.get(term.value))
        if _is_web(term.value):
            return Shown("outside", text, term.value, language, name.strip("<>"), inferred)
        return Shown("text", text, "", language, name, inferred)

    def show_all(self, term: Term) -> tuple[Shown, ...]:
        """*term*, or each of the things that it lists."""
        if term.kind == "literal" and not term.value:
            return ()
        if term.kind == "literal" and (listed := results.iris(term)):
            return tuple(self.show(Term("iri", each)) for each in listed)
        return (self.show(term),)


def page(iri: str) -> str:
    """The address of our page about *iri*, or nothing if we have none."""
    path = names.path(iri) or ""
    if iri in (names.ONTOLOGY, names.ONTOLOGY.rstrip("#")):
        return "/ontology"
    if iri == names.BASE or iri.startswith(_ADDRESSES):
        return path
    if not iri.startswith(_SPACES) or iri in _SPACES:
        return ""
    return "/page/" + path.removeprefix("/id/") if path.startswith("/id/") else path


def query_address(text: str, form: str = "", graphs: Sequence[str] = ()) -> str:
    """The address of the answer of the query *text*: a page, or a file in the format called *form*."""
    pairs = [
        ("query", text),
        *(("default-graph-uri", graph) for graph in graphs),
        *([("format", form)] if form else []),
    ]
    return "/sparql?" + urlencode(pairs)


def why_address(subject: str, property_: str, value: Term) -> str:
    """The address of the proofs of a statement; none where a nameless node is in it."""
    if value.kind not in ("iri", "literal"):
        return ""
    terms = (Term("iri", subject), Term("iri", property_), value)
    return "/why?" + urlencode(dict(zip("spo", map(shown_term, terms), strict=True)), safe=":")


def find_thing(library: Library, iri: str, day: str, stored: Mapping[str, Question]) -> Thing | None:
    """Everything known about *iri*, with the state of affairs on *day*; None if nothing is said of it."""
    sheet = _Sheet(library, iri, day)
    return sheet.thing(stored) if sheet.outgoing else None


@dataclass(frozen=True)
class VocabularyTerm:
    """A term of the ontology and the terms directly below it."""

    term: Shown
    definition: str
    below: "tuple[VocabularyTerm, ...]"


def vocabulary(library: Library) -> tuple[tuple[str, tuple[VocabularyTerm, ...]], ...]:
    """The terms of the ontology as trees, by the kind of term; each once, below the first of the terms above it."""
    rows = library.rows("terms")
    naming = Naming(library).learn(row["term"] for row in rows)
    made = []
    for title, kinds in _KINDS:
        ours: dict[str, Row] = {}
        for row in rows:
            if row["kind"].value in kinds:
                ours.setdefault(row["term"].value, row)
        children: dict[str, list[Row]] = {}
        for row in ours.values():
            above = _text(row, "above")
            children.setdefault(above if above in ours else "", []).append(row)
        made.append((title, _branches("", children, naming)))
    return tuple((title, trees) for title, trees in made if trees)


def _branches(above: str, children: Mapping[str, list[Row]], naming: Naming) -> tuple[VocabularyTerm, ...]:
    branches = [
        VocabularyTerm(
            naming.show(row["term"]), _text(row, "definition"), _branches(row["term"].value, children, naming)
        )
        for row in children.get(above, ())
    ]
    return tuple(sorted(branches, key=lambda branch: branch.term.text.lower()))


def grid(naming: Naming, columns: Sequence[Column], rows: Sequence[Row], limit: int) -> Grid:
    """The first *limit* of *rows* as a table with *columns*, those left out that have no value in any row."""
    used = [column for column in columns if any(_text(row, column.key) for row in rows)]
    naming.learn(row[column.key] for row in rows[:limit] for column in used if column.key in row)
    cells = tuple(tuple(_cell(naming, column, row) for column in used) for row in rows[:limit])
    return Grid(
        tuple(column.key for column in used),
        tuple(column.head for column in used),
        tuple(_room(column, [row[place] for row in cells]) for place, column in enumerate(used)),
        cells,
        len(rows),
    )


def _room(column: Column, cells: Sequence[tuple[Shown, ...]]) -> str:
    """What *column* needs: names may wrap, sentences are set like text, and lists and ranges of days take two lines."""
    shown = [each for cell in cells for each in cell]
    longest = max((len(each.text) for each in shown if not each.citation), default=0)
    if longest > 60 and (column.wording or any(each.kind == "text" for each in shown)):
        return "prose"
    return "wide" if longest >= 24 or any(len(cell) > 1 for cell in cells) else ""


def _cell(naming: Naming, column: Column, row: Row) -> tuple[Shown, ...]:
    if column.key not in row:
        return ()
    shown = naming.show_all(row[column.key])
    variable = column.wording.startswith("?")
    wording = _text(row, column.wording[1:]) if variable else column.wording
    return tuple(replace(each, text=wording, name=each.text) if wording else each for each in shown)


class _Sheet:
    """What the dataset says of one thing, on the way to becoming a page."""

    def __init__(self, library: Library, iri: str, day: str) -> None:
        self.library = library
        self.iri = iri
        self.day = day
        self.here = asking.iri(iri)
        self.outgoing: dict[str, list[Row]] = {}
        for row in library.rows("outgoing", [self.here]):
            self.outgoing.setdefault(row["property"].value, []).append(row)
        self.types = library.rows("types", [self.here])
        self.nested = self._nested()
        known = [row[key] for rows in self.outgoing.values() for row in rows for key in ("property", "value")]
        known += [row[key] for rows in self.nested.values() for row in rows for key in ("property", "value")]
        self.naming = Naming(library).learn([Term("iri", iri), *known, *(row["class"] for row in self.types)])

    def thing(self, stored: Mapping[str, Question]) -> Thing:
        stated = {row["class"].value for row in self.types}
        above = {each: _above(self.library, each) for each in stated}
        classes = _with_general(stated.union(*above.values()))
        general = {
            broad for each, broads in above.items() for broad in broads if each not in _above(self.library, broad)
        }
        chosen = [each for each in _panel_files() if each.classes & classes]
        panels = tuple(panel for each in chosen if (panel := self._panel(each)))
        direct = [row for row in self.types if row["class"].value not in general]
        return Thing(
            iri=self.iri,
            name=names.curie(self.iri),
            label=self.naming.show(Term("iri", self.iri)),
            types=tuple(self._shown(_TYPE, row["class"], row) for row in direct),
            names=tuple((word, values) for each, word in _NAMES.items() if (values := self._values(each))),
            lead=tuple(value for each in _LEAD for value in self._values(each)),
            groups=self._groups(),
            panels=panels,
            references=self._references(panels),
            sources=self._values(_SOURCE),
            files=tuple(value.text for value in self._values(_STATED_IN)),
            elsewhere=self._facts(_ELSEWHERE),
            ask=self._questions(stored, classes),
            dated=any(each.dated for each in chosen),
        )

    def _nested(self) -> dict[str, list[Row]]:
        """The statements of the nameless nodes that the thing is described with, by node."""
        found: dict[str, list[Row]] = {}
        if any(row["value"].kind == "blank" for rows in self.outgoing.values() for row in rows):
            for row in self.library.rows("nested", [self.here]):
                found.setdefault(row["node"].value, []).append(row)
        return found

    def _values(self, property_: str, inferred: bool | None = None) -> tuple[Shown, ...]:
        """The values of *property_*; only those that are (not) *inferred*, where that is asked."""
        rows = [row for row in self.outgoing.get(property_, ()) if inferred in (None, is_true(row["inferred"]))]
        shown = [self._shown(property_, row["value"], row) for row in rows]
        return tuple(sorted(shown, key=lambda value: (_language_order(value.language), value.text.lower())))

    def _shown(self, property_: str, value: Term, row: Row) -> Shown:
        """*value* of *property_*, with the way to its proof where *row* says that it is inferred."""
        inferred = is_true(row["inferred"])
        shown = self.naming.show(value, inferred, self.nested)
        return replace(shown, why=why_address(self.iri, property_, value)) if inferred else shown

    def _referring(self, property_: str, row: Row) -> Shown:
        """What says by *property_*, as *row* has it, something of the thing."""
        other = row["other"]
        shown = self.naming.show(other, is_true(row["inferred"]))
        if not shown.inferred or other.kind != "iri":
            return shown
        return replace(shown, why=why_address(other.value, property_, Term("iri", self.iri)))

    def _facts(self, properties: Iterable[str], inferred: bool | None = None) -> tuple[Fact, ...]:
        made = []
        for each in properties:
            if values := self._values(each, inferred):
                definition = _properties(self.library).get(each, {}).get("definition")
                made.append(Fact(self.naming.show(Term("iri", each)), definition.value if definition else "", values))
        return tuple(sorted(made, key=lambda fact: fact.property.text.lower()))

    def _groups(self) -> tuple[Group, ...]:
        """The facts that have no place of their own on the page: given ones, given dates, and what rules conclude."""
        placed = {_TYPE, _SOURCE, _STATED_IN, *_NAMES, *_LEAD, *_ELSEWHERE}
        rest = [each for each in self.outgoing if each not in placed]
        dated = [each for each in rest if is_true(_properties(self.library).get(each, {}).get("dated"))]
        groups = (
            Group("Facts", self._facts([each for each in rest if each not in dated], inferred=False)),
            Group("Dates", self._facts(dated, inferred=False)),
            Group("Concluded by rules", self._facts(rest, inferred=True)),
        )
        return tuple(group for group in groups if group.facts)

    def _panel(self, file: _PanelFile) -> Panel | None:
        text = asking.fill(file.text, [[self.here, asking.day(self.day)] if file.dated else [self.here]])
        rows = self.library.select(text)
        if not rows:
            return None
        table = grid(self.naming, file.columns, rows, ROWS)
        if "total" in rows[0]:
            table = replace(table, total=int(rows[0]["total"].value))
        return Panel(file.slug, file.title, file.note, file.inferred, file.dated, table, text)

    def _references(self, panels: Iterable[Panel]) -> tuple[Reference, ...]:
        """What refers to the thing and is not in a panel already, property by property."""
        seen = {shown.href for panel in panels for row in panel.grid.rows for cell in row for shown in cell}
        found: dict[str, list[Row]] = {}
        for row in self.library.rows("incoming", [self.here]):
            found.setdefault(row["property"].value, []).append(row)
        counts = {
            row["property"].value: int(row["count"].value) for row in self.library.rows("incoming-counts", [self.here])
        }
        unseen = {each: [row for row in rows if page(row["other"].value) not in seen] for each, rows in found.items()}
        first = {each: rows[:LISTED] for each, rows in unseen.items() if rows}
        self.naming.learn(Term("iri", each) for each in first)
        self.naming.learn(row["other"] for rows in first.values() for row in rows)
        made = [
            Reference(
                property=self.naming.show(Term("iri", each)),
                things=tuple(self._referring(each, row) for row in rows),
                total=counts.get(each, len(rows)),
                query=f"SELECT ?thing WHERE {{\n  ?thing <{each}> {self.here} .\n}}\nORDER BY ?thing\n",
            )
            for each, rows in first.items()
        ]
        return tuple(sorted(made, key=lambda reference: reference.property.text.lower()))

    def _questions(self, stored: Mapping[str, Question], classes: set[str]) -> tuple[tuple[str, str], ...]:
        """The stored questions that the thing alone answers, as (question, address); days are the page's own.

        First come those that cannot be asked without the thing and the day, last those that it only narrows.
        """
        found = []
        for question in stored.values():
            place = next((each for each in question.parameters if each.type in classes), None)
            if place is None:
                continue
            values = {place.name: self.iri.removeprefix(names.ID)}
            days = [each for each in question.parameters if each.type == questions.DATE and each.required]
            values |= {each.name: self.day for each in days}
            if any(each.required and each.name not in values for each in question.parameters):
                continue
            order = (not place.required, -len(values))
            found.append((order, (question.question, f"/queries/{question.slug}?{urlencode(values)}")))
        return tuple(shown for _, shown in sorted(found, key=lambda each: each[0]))


def _properties(library: Library) -> dict[str, Row]:
    """What is known of each property, by its IRI."""
    return {row["property"].value: row for row in library.rows("properties")}


def _above(library: Library, class_iri: str) -> set[str]:
    """Every class that *class_iri* is a kind of."""
    steps: dict[str, list[str]] = {}
    for row in library.rows("broader"):
        steps.setdefault(row["class"].value, []).append(row["above"].value)
    found: set[str] = set()
    left = [class_iri]
    while left:
        new = set(steps.get(left.pop(), ())) - found
        found |= new
        left += new
    return found


@cache
def _panel_files() -> tuple[_PanelFile, ...]:
    found = []
    for path in sorted((asking.QUERIES / "panels").glob("*.rq")):
        text = path.read_text(encoding="utf-8")
        lines, _ = questions.head(text)
        keys = ("title", "class", "note", "inferred", "column")
        values = {key: [line.value for line in lines if line.key == key] for key in keys}
        found.append(
            _PanelFile(
                slug=path.stem.partition("-")[2],
                classes=frozenset(iri for name in values["class"] if (iri := names.expand(name))),
                title=values["title"][0],
                note=" ".join(values["note"]),
                inferred=" ".join(values["inferred"]),
                columns=tuple(Column(*(part.strip() for part in value.split("|"))) for value in values["column"]),
                text=questions.without_head(text),
            )
        )
    return tuple(found)


def _with_general(classes: set[str]) -> set[str]:
    """*classes* with what holds of everything, so that a panel can be for any thing, or for any property."""
    return classes | {_EVERYTHING} | ({_PROPERTY} if classes & _KINDS_OF_PROPERTY else set())


def _text(row: Row, key: str) -> str:
    return row[key].value if key in row else ""


def _is_web(address: str) -> bool:
    """Whether *address* may become a link: an IRI may well be ``javascript:``."""
    return address.startswith(("http://", "https://")) and names.is_iri(address)


def _bare(name: str) -> str:
    """The local part of one of our names; a known term of others in words: ``skos:exactMatch`` is “exact match”."""
    prefix, _, local = name.partition(":")
    if prefix in ("id", "shape", "foedus"):
        return local
    known = prefix in names.PREFIXES and prefix not in ("ucdp", "wd") and local
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", local).lower() if known else name


def _language_order(language: str) -> tuple[bool, str]:
    return (bool(language) and not language.startswith("en"), language)


def _turtle(node: Term, nested: Mapping[str, list[Row]], depth: int = 0) -> str:
    """A nameless node in the syntax of Turtle: ``[ sh:alternativePath ( foedus:underTreaty foedus:invokes ) ]``."""
    rows = nested.get(node.value, [])
    if not rows or depth > 20:
        return "[ … ]"
    values = {row["property"].value: row["value"] for row in rows}
    if _RDF + "first" in values:
        items: list[str] = []
        at = node
        while at.kind != "iri" and len(items) < 100:
            link = {row["property"].value: row["value"] for row in nested.get(at.value, [])}
            if _RDF + "first" not in link:
                break
            items.append(_turtle_term(link[_RDF + "first"], nested, depth))
            at = link.get(_RDF + "rest", Term("iri", _RDF + "nil"))
        return f"( {' '.join(items)} )"
    parts = [f"{names.curie(row['property'].value)} {_turtle_term(row['value'], nested, depth)}" for row in rows]
    return f"[ {' ; '.join(parts)} ]"


def _turtle_term(term: Term, nested: Mapping[str, list[Row]], depth: int) -> str:
    if term.kind == "blank":
        return _turtle(term, nested, depth + 1)
    return names.curie(term.value) if term.kind == "iri" else f"“{term.value}”"
