"""Read the content: Turtle files with the lines of their subjects, and the other files as text."""

import logging
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import rdflib
from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, Triple, parse

from foedus import names
from foedus.build.findings import Count, Finding
from foedus.errors import CannotRead

# What is ill-typed is a finding, and needs no warning besides.
logging.getLogger("rdflib.term").setLevel(logging.ERROR)

Places = Mapping[str, tuple[str, int | None]]
"""Where a named thing is described first: IRI to file and line."""

FORMATS = {
    ".ttl": RdfFormat.TURTLE,
    ".nt": RdfFormat.N_TRIPLES,
    ".n3": RdfFormat.N3,
    ".nq": RdfFormat.N_QUADS,
    ".trig": RdfFormat.TRIG,
    ".rdf": RdfFormat.RDF_XML,
    ".owl": RdfFormat.RDF_XML,
    ".xml": RdfFormat.RDF_XML,
    ".jsonld": RdfFormat.JSON_LD,
}

_GROUNDS = tuple(NamedNode(names.ONTOLOGY + local) for local in ("begunBy", "between", "disputes"))
"""What leads from a thing that rules conclude to the fact or claim from which it follows."""

_SUBJECT = re.compile(r"^(?:<([^>\s]*)>|([A-Za-z][\w.\-]*|):([^\s;,#]*))(?=\s|$)", re.MULTILINE)
_AT = re.compile(r"^Parser error at .*?line \d+(?: column \d+| between columns \d+ and \d+)?: ")
_BOMS = {
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
    b"\xef\xbb\xbf": "UTF-8 with a byte order mark",
}


@dataclass(frozen=True)
class Source:
    """A file of the content: its path on this machine, its name as shown to people, and its text."""

    path: Path
    name: str
    text: str

    def line(self, pattern: str) -> int | None:
        """The line of the first match of the regular expression *pattern*."""
        match = re.search(pattern, self.text, re.MULTILINE)
        return self.text.count("\n", 0, match.start()) + 1 if match else None


@dataclass(frozen=True)
class Document(Source):
    """An RDF file and its triples, their literals exactly as written, their blank nodes apart from any other file's."""

    triples: tuple[Triple, ...] = ()
    prefixes: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def lines(self) -> Mapping[str, int]:
        """The line on which each subject's description begins, as far as the text tells."""
        found: dict[str, int] = {}
        for subject, line in self.find_lines():
            found.setdefault(subject, line)
        return found

    def find_lines(self) -> Iterator[tuple[str, int]]:
        """Each subject that begins a line, with that line."""
        line, counted = 1, 0
        for match in _SUBJECT.finditer(self.text):
            line += self.text.count("\n", counted, match.start())
            counted = match.start()
            iri, prefix, local = match.groups()
            yield (iri if iri is not None else self.prefixes.get(prefix, "") + local), line

    def line_of(self, subject: object, mention: str = "") -> int | None:
        """The line in the description of *subject* that mentions *mention*, or else the description's first line."""
        first = self.lines.get(subject.value) if isinstance(subject, NamedNode) else None
        if first is None or not mention:
            return first
        starts = sorted(self.lines.values())
        after = bisect_right(starts, first)
        text = self.text.split("\n")
        last = starts[after] - 1 if after < len(starts) else len(text)
        return next((number for number in range(first, last + 1) if mention in text[number - 1]), first)


@dataclass(frozen=True)
class Content:
    """Everything that a dataset is made of, as read; *findings* tell what could not be."""

    root: Path
    ontology: tuple[Document, ...]
    shapes: tuple[Document, ...]
    data: tuple[Document, ...]
    rules: tuple[Source, ...]
    questions: tuple[Source, ...]
    links: tuple[Source, ...] | None
    findings: tuple[Finding, ...]

    @property
    def lacks_ontology(self) -> bool:
        """Whether a file of the ontology could not be read."""
        return any(finding.file.startswith("ontology/") for finding in self.findings)

    @property
    def documents(self) -> tuple[Document, ...]:
        return self.ontology + self.shapes + self.data

    @property
    def sources(self) -> tuple[Source, ...]:
        """Every file, whatever it holds, by name."""
        every = (*self.documents, *self.rules, *self.questions, *(self.links or ()))
        return tuple(sorted(every, key=lambda source: source.name))

    @property
    def counts(self) -> tuple[Count, ...]:
        counted = (
            Count("ontology files", len(self.ontology)),
            Count("shape files", len(self.shapes)),
            Count("data files", len(self.data)),
            Count("statements in data", sum(len(document.triples) for document in self.data)),
            Count("rules", len(self.rules)),
            Count("questions", len(self.questions)),
        )
        return counted if self.links is None else (*counted, Count("link tables", len(self.links)))

    @cached_property
    def terms(self) -> frozenset[str]:
        """The local names of the terms that the ontology's files describe."""
        return frozenset(
            triple.subject.value.removeprefix(names.ONTOLOGY)
            for document in self.ontology
            for triple in document.triples
            if isinstance(triple.subject, NamedNode) and triple.subject.value.startswith(names.ONTOLOGY)
        )

    @cached_property
    def places(self) -> Places:
        """Where each subject is described: a thing in its data file, a term in its ontology file."""
        found: dict[str, tuple[str, int | None]] = {}
        for document in self.documents:
            for subject in dict.fromkeys(subjects(document.triples)):
                found.setdefault(subject, (document.name, document.lines.get(subject)))
        return found


def read(root: Path, data: Sequence[Path] = (), extra: Sequence[Path] = ()) -> Content:
    """The content under *root*; *data*, files or folders of any RDF syntax, takes the place of ``data/``.

    *extra*, RDF or question files, is read beside them. CannotRead where a folder or a named file is missing; what is
    wrong inside a file is a finding. With *data*, links are those of the given folders.
    """
    findings: list[Finding] = []
    rdf = _Reader(findings)
    own = data or (root / "data",)
    # A name is never absolute, so that the same content makes the same dataset wherever it lies.
    base = None if data else root
    files = [(path, name) for given in own for path, name in rdf_files(given, base)]
    files += [(path, name) for given in extra if given.suffix != ".rq" for path, name in rdf_files(given, None)]
    asked = [(path, _name(path, root)) for path in _in(root / "data" / "queries", "*.rq")]
    asked += [(path, path.name) for path in extra if path.suffix == ".rq"]
    links = [path for given in own for path in sorted(given.glob("links/*.sssom.tsv"))]
    return Content(
        root=root,
        ontology=rdf.documents((path, _name(path, root)) for path in _in(root / "ontology", "*.ttl")),
        shapes=rdf.documents((path, _name(path, root)) for path in _in(root / "shapes", "*.ttl")),
        data=rdf.documents(told_apart(files)),
        rules=rdf.texts((path, _name(path, root)) for path in _in(root / "ontology" / "rules", "*.rq")),
        questions=rdf.texts(asked),
        links=None if data and not links else rdf.texts((path, _name(path, base)) for path in links),
        findings=tuple(findings),
    )


def told_apart(files: Iterable[tuple[Path, str]]) -> Iterator[tuple[Path, str]]:
    """*files*, each once, with a number after the name where two have the same."""
    numbers: dict[str, int] = {}
    for path, name in {path.resolve(): (path, name) for path, name in files}.values():
        numbers[name] = numbers.get(name, 0) + 1
        yield path, name if numbers[name] == 1 else f"{name} ({numbers[name]})"


def rdf_files(given: Path, base: Path | None) -> list[tuple[Path, str]]:
    """The RDF files that *given* is or holds, in order, each with its name relative to *base* or to *given* itself.

    A file given by name is taken whatever it is called; unknown endings are read as Turtle.
    """
    if given.is_file():
        return [(given, _name(given, base))]
    if base is None and not given.exists():
        raise CannotRead(f"There is no {given}.", "Check the path.")
    suffixes = (".ttl",) if base else tuple(FORMATS)
    every = [path for path in _in(given, "**/*") if path.suffix in suffixes and path.is_file()]
    return [(path, _name(path, base or given.resolve().parent)) for path in every]


def graph(triples: Iterable[Triple]) -> rdflib.Graph:
    """*triples* for rdflib, each literal with the very text that was read."""
    made = rdflib.Graph()
    for triple in triples:
        made.add((rdflib_term(triple.subject), rdflib_term(triple.predicate), rdflib_term(triple.object)))
    return made


def rdflib_term(read: object) -> rdflib.term.Node:
    """The term that was *read*, for rdflib."""
    if isinstance(read, NamedNode):
        return rdflib.URIRef(read.value)
    if isinstance(read, BlankNode):
        return rdflib.BNode(read.value)
    if not isinstance(read, Literal):
        raise CannotRead(f"{read} is no term of RDF 1.1.", "Write the statement as a node of its own.")
    if read.language:
        return rdflib.Literal(read.value, lang=read.language)
    kind = read.datatype.value
    plain = kind == names.PREFIXES["xsd"] + "string"
    return rdflib.Literal(read.value, datatype=None if plain else rdflib.URIRef(kind), normalize=False)


class _Reader:
    """Reads files one by one, and writes down what is wrong with each."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings

    def documents(self, files: Iterable[tuple[Path, str]]) -> tuple[Document, ...]:
        return tuple(document for path, name in files if (document := self._document(path, name)))

    def texts(self, files: Iterable[tuple[Path, str]]) -> tuple[Source, ...]:
        read = ((path, name, self._text(path, name)) for path, name in files)
        return tuple(Source(path, name, text) for path, name, text in read if text is not None)

    def _document(self, path: Path, name: str) -> Document | None:
        text = self._text(path, name)
        if text is None:
            return None
        try:
            triples, prefixes = parsed(text, FORMATS.get(path.suffix, RdfFormat.TURTLE))
        except SyntaxError as error:
            self.findings.append(syntax_fault(name, error))
            return None
        beyond = next((each for each in triples if isinstance(each.object, Triple)), None)
        if beyond is not None:
            message = f"{names.curie(beyond.predicate.value)} has a statement for its value, which is RDF 1.2."
            self.findings.append(Finding(name, None, "", message, "Write the statement as a node of its own."))
            return None
        return Document(path, name, text, triples, prefixes)

    def _text(self, path: Path, name: str) -> str | None:
        text, finding = read_text(path, name)
        if finding:
            self.findings.append(finding)
        return text


def read_text(path: Path, name: str) -> tuple[str | None, Finding | None]:
    """The text of the file *path*, or the finding, under *name*, that tells why it is no plain UTF-8 text."""
    try:
        content = path.read_bytes()
    except OSError as error:
        message = f"The file cannot be read: {error.strerror}."
        return None, Finding(name, None, "", message, "Make the file readable, or take it away.")
    fault = encoding_fault(content)
    if fault:
        return None, Finding(name, fault[0], "", fault[1], "Save the file as UTF-8 without a byte order mark.")
    return content.decode(), None


def parsed(text: str, syntax: RdfFormat = RdfFormat.TURTLE) -> tuple[tuple[Triple, ...], Mapping[str, str]]:
    """The triples of *text* and the prefixes it declares; SyntaxError, with a line, where it is malformed."""
    quads = parse(text.encode(), format=syntax, rename_blank_nodes=True)
    triples = tuple(Triple(quad.subject, quad.predicate, quad.object) for quad in quads)
    return triples, quads.prefixes


def syntax_fault(name: str, error: SyntaxError) -> Finding:
    """The finding for what the parser says of the file *name*."""
    message = f"This cannot be read as RDF: {_AT.sub('', error.args[0])}."
    return Finding(name, error.lineno, "", message, "Correct the line, or the one before it.")


def encoding_fault(content: bytes) -> tuple[int, str] | None:
    """The line and the words for what keeps *content* from being plain UTF-8 text."""
    for mark, encoding in _BOMS.items():
        if content.startswith(mark):
            return 1, f"The file is {encoding}, not plain UTF-8."
    zero = content.find(b"\x00")
    if zero >= 0:
        return content.count(b"\n", 0, zero) + 1, "The file holds a NUL byte; it is not plain UTF-8 text."
    try:
        content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return line, f"The byte {content[error.start]:#04x} is not UTF-8; the file may be Latin-1 or Windows-1252."
    return None


def _in(folder: Path, pattern: str) -> list[Path]:
    if not folder.exists():
        raise CannotRead(f"There is no {folder}.", "Check the path; a checkout has ontology/, shapes/ and data/.")
    if not folder.is_dir():
        raise CannotRead(f"{folder} is no folder.", "Give the folder that holds the files.")
    return sorted(folder.glob(pattern))


def _name(path: Path, base: Path | None) -> str:
    """*path* relative to *base*; without one, its last part."""
    whole = path.resolve()
    if base and whole.is_relative_to(base.resolve()):
        return whole.relative_to(base.resolve()).as_posix()
    return whole.name


def subjects(triples: Iterable[Triple]) -> Iterator[str]:
    """The IRIs of the named subjects of *triples*, each as often as it occurs."""
    return (triple.subject.value for triple in triples if isinstance(triple.subject, NamedNode))


def triples(documents: Iterable[Document]) -> tuple[Triple, ...]:
    """The triples of all *documents*, each once."""
    return tuple(dict.fromkeys(triple for document in documents for triple in document.triples))


def places(content: Content, concluded: Iterable[Triple]) -> Places:
    """Where each thing is described; for one that rules conclude, where that stands from which it follows."""
    found = dict(content.places)
    grounded = [triple for triple in concluded if triple.predicate in _GROUNDS]
    for ground in _GROUNDS:
        for triple in grounded:
            if triple.predicate == ground and isinstance(triple.object, NamedNode):
                place = content.places.get(triple.object.value)
                if place and isinstance(triple.subject, NamedNode):
                    found.setdefault(triple.subject.value, place)
    return found
