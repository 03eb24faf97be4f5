"""The engine's side: load a dataset into memory, and write the answer to one query. Plain functions, no process."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, compress, count
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import pyoxigraph as ox

from foedus import names
from foedus.errors import BadQuery, CannotRead
from foedus.query import dataset, formats, scan, tally
from foedus.query.dataset import Description
from foedus.query.pool import Request

_RDF = {
    ".ttl": ox.RdfFormat.TURTLE,
    ".nt": ox.RdfFormat.N_TRIPLES,
    ".nq": ox.RdfFormat.N_QUADS,
    ".trig": ox.RdfFormat.TRIG,
    ".rdf": ox.RdfFormat.RDF_XML,
    ".owl": ox.RdfFormat.RDF_XML,
    ".xml": ox.RdfFormat.RDF_XML,
    ".jsonld": ox.RdfFormat.JSON_LD,
    ".n3": ox.RdfFormat.N3,
}
_RESULTS = {
    "json": ox.QueryResultsFormat.JSON,
    "xml": ox.QueryResultsFormat.XML,
    "csv": ox.QueryResultsFormat.CSV,
    "tsv": ox.QueryResultsFormat.TSV,
}
_UNITE = "INSERT { ?s ?p ?o } WHERE { GRAPH ?g { ?s ?p ?o } }"
_OVERLAP = (
    "ASK { GRAPH ?g { ?s ?p ?o } GRAPH ?h { ?s ?p ?o } FILTER(?g != ?h) }",
    "ASK { ?s ?p ?o GRAPH ?g { ?s ?p ?o } }",
)


class Sink(Protocol):
    """Where an answer's bytes go."""

    def write(self, data: bytes, /) -> int: ...


@dataclass
class Loaded:
    """A store and its default graph: the engine's union of all graphs where *union*, else what *store* has in it.

    The engine's union counts a triple once for each graph that holds it, so that it serves only where no two graphs
    share one; elsewhere the default graph is filled with a copy of every triple. The copy takes some 280 bytes a triple
    and makes queries slower, since each step then meets every triple twice (CPU time of the union by that of the copy,
    a million triples: look-ups 0.9, ``members-on`` 0.95, joins 0.74, counts on a day 0.63, and nothing above 1.06).
    """

    store: ox.Store
    union: bool = False

    @classmethod
    def of(cls, store: ox.Store) -> "Loaded":
        """*store* with the union of all its graphs as its default graph, each triple once."""
        loaded = cls(store, union=not any(bool(store.query(each)) for each in _OVERLAP))
        if not loaded.union:
            loaded.unite()
        return loaded

    def unite(self) -> None:
        """Fill the default graph with the triples of all graphs."""
        self.store.update(_UNITE)
        self.union = False


@dataclass(frozen=True)
class Written:
    """What was written: the kind of answer, its ``Content-Type``, and its rows or triples; an ASK's is one row."""

    kind: formats.Kind
    content_type: str
    rows: int


def open_source(source: Path | tuple[Path, ...]) -> tuple[Loaded, Description]:
    """The content of a built dataset (a folder), or of RDF files (a tuple of them and of folders that hold them).

    Raises DatasetRefused or CannotRead.
    """
    store = ox.Store()
    if isinstance(source, tuple):
        description = _load_files(store, source)
    else:
        with dataset.opened(source) as (content, description):
            _load(store, content, ox.RdfFormat.N_QUADS)
    return Loaded.of(store), description


def _load_files(store: ox.Store, paths: tuple[Path, ...]) -> Description:
    digest = hashlib.sha256()
    for path in dataset.rdf_files(paths):
        try:
            with path.open("rb") as file:
                content = dataset.Hashed(file)
                _load(store, content, _RDF[path.suffix.lower()], base_iri=path.resolve().as_uri())
                digest.update(content.digest())
        except SyntaxError as error:
            line = error.lineno
            where = f"{path}:{line}" if line else str(path)
            raise CannotRead(f"{where}: {_first_line(error.msg)}", "Mend the file.", line=line) from error
        except OSError as error:
            raise CannotRead(f"{path} cannot be read: {error.strerror or error}.", "Give a readable file.") from error
    return Description(sha256=digest.hexdigest(), quads=len(store), as_of=None, version=None)


def _load(store: ox.Store, content: dataset.Hashed, syntax: ox.RdfFormat, base_iri: str | None = None) -> None:
    """Load *content* piece by piece; its blank nodes are made different from those of other files.

    ``bulk_load`` takes half of the time, on two cores, and nearly twice the memory while it loads.
    """
    store.load(content, format=syntax, base_iri=base_iri)  # type: ignore[arg-type]


def _first_line(message: str) -> str:
    return message.splitlines()[0] if message else "it is not well-formed"


def answer(loaded: Loaded, request: Request, sink: Sink, has_clauses: bool = True, has_star: bool = True) -> Written:
    """Carry *request* out on *loaded* and write the whole answer to *sink*.

    *has_clauses* and *has_star* are what ``scan`` saw in the text, True where nobody looked. Raises BadQuery, with line
    and column, for a text that the engine does not take, NotAcceptable where no format fits, and whatever *sink*
    raises.
    """
    if request.dry:
        return _looked_over(request)
    default, named = _graphs(request, has_clauses)
    chooses = default is not None or named is not None or (has_clauses and _chooses_graphs(loaded, request.text))
    with _merged(loaded.store, default) if default and not loaded.union else nullcontext(default) as graphs:
        result = _carry_out(loaded, request.text, graphs, named, chooses, has_star)
        return _written(result, request, sink)


def _looked_over(request: Request) -> Written:
    """Nothing written, if the engine takes the text of *request*."""
    result = _carry_out(_NOTHING, request.text, None, None, chooses=True, has_star=False)
    kind: formats.Kind = (
        "select" if isinstance(result, ox.QuerySolutions) else "ask" if isinstance(result, ox.QueryBoolean) else "graph"
    )
    return Written(kind, "", 0)


def _written(result: "_Result", request: Request, sink: Sink) -> Written:
    """Write *result* to *sink*, in the format that *request* chooses."""
    if isinstance(result, ox.QuerySolutions):
        choice = formats.choose("select", request.accept, request.form)
        counting = _Counting(sink, tally.of(choice.format.name))
        result.serialize(counting, _RESULTS[choice.format.name])  # type: ignore[arg-type]
        return Written("select", choice.content_type, counting.tally.rows())
    if isinstance(result, ox.QueryBoolean):
        choice = formats.choose("ask", request.accept, request.form)
        result.serialize(sink, _RESULTS[choice.format.name])  # type: ignore[arg-type]
        return Written("ask", choice.content_type, 1)
    choice = formats.choose("graph", request.accept, request.form)
    # A number is drawn for each triple, and none of them is false.
    numbers = count(1)
    triples = compress(result, numbers)
    ox.serialize(triples, sink, _RDF[choice.format.extension], prefixes=names.PREFIXES)  # type: ignore[arg-type]
    return Written("graph", choice.content_type, next(numbers) - 1)


class _Counting:
    """A sink that shows a tally what it passes on."""

    def __init__(self, sink: Sink, counts: tally.Tally) -> None:
        self.sink = sink
        self.tally = counts

    def write(self, data: bytes) -> int:
        self.tally.add(data)
        return self.sink.write(data)

    def flush(self) -> None:
        """Nothing is held back."""


_Result = ox.QuerySolutions | ox.QueryBoolean | ox.QueryTriples


_Graphs = tuple[ox.NamedNode, ...] | None
"""Graphs that were chosen; None where nobody chose."""


def _carry_out(loaded: Loaded, text: str, default: _Graphs, named: _Graphs, chooses: bool, has_star: bool) -> _Result:
    def carried_out(prefixes: dict[str, str] | None) -> _Result:
        return loaded.store.query(
            with_columns(text) if has_star else text,
            base_iri=names.BASE,
            prefixes=prefixes,
            default_graph=None if default is None else list(default),
            named_graphs=None if named is None else list(named),
            use_default_graph_as_union=loaded.union and not chooses,
        )

    try:
        if "prefix" in text.lower():
            # It may declare all that it uses: to read ours takes the engine a good part of the time of a small query.
            with suppress(SyntaxError):
                return carried_out(None)
        return carried_out(names.PREFIXES)
    except SyntaxError as error:
        raise malformed(error.msg) from error
    except OSError as error:
        raise BadQuery(f"The query asks for something outside the dataset: {error}.", "Leave SERVICE out.") from error
    except ValueError as error:
        raise BadQuery(f"The engine does not take this query: {_first_line(str(error))}.", "Simplify it.") from error
    except RuntimeError as error:
        if (function := _FUNCTION.match(str(error))) is None:
            raise
        raise BadQuery(f"There is no function {function[1]}.", "Use the functions of SPARQL 1.1 and XPath.") from error


def _chooses_graphs(loaded: Loaded, text: str) -> bool:
    """Whether *text* chooses its graphs itself, which the engine forgets where it is told to unite them.

    Where that is in doubt, *loaded* is united for good, and both ways give the same.
    """
    chooses = scan.chooses_graphs(text)
    if chooses is None and loaded.union:
        loaded.unite()
    return chooses is not False


def _graphs(request: Request, has_clauses: bool) -> tuple[_Graphs, _Graphs]:
    """The graphs that *request* chooses for the default graph and as named ones.

    Those of the text only where there are several for the default graph, which the engine then has to be helped with.
    """
    if request.default_graphs is not None or request.named_graphs is not None:
        chosen = (request.default_graphs or (), request.named_graphs or ())
        return tuple(_node(iri) for iri in dict.fromkeys(chosen[0])), tuple(_node(iri) for iri in chosen[1])
    if not has_clauses:
        return None, None
    said = scan.clauses(request.text)
    if len(said.default) < 2:
        return None, None
    # The engine itself makes IRIs of what is written, by the text's own BASE and PREFIX.
    written = (*said.default, *said.named)
    question = " ".join(f"({each} AS ?g{number})" for number, each in enumerate(written))
    try:
        rows: Any = _EMPTY.query(f"{said.prologue}SELECT {question} {{}}", base_iri=names.BASE, prefixes=names.PREFIXES)
    except SyntaxError:
        # The text is malformed, and the engine will say where.
        return None, None
    iris = tuple(next(iter(rows)))
    return tuple(dict.fromkeys(iris[: len(said.default)])), iris[len(said.default) :]


_MERGED = ox.NamedNode(f"urn:uuid:{uuid4()}")


@contextmanager
def _merged(store: ox.Store, graphs: tuple[ox.NamedNode, ...]) -> Iterator[tuple[ox.NamedNode, ...]]:
    """One graph in place of several that share a triple: the engine counts such a triple once per graph.

    While it is there, it is seen by nobody: who chooses a default graph chooses the named ones too.
    """
    if not _share_a_triple(store, graphs):
        yield graphs
        return
    try:
        for each in graphs:
            store.update(f"ADD SILENT {each} TO {_MERGED}")
        yield (_MERGED,)
    finally:
        store.remove_graph(_MERGED)


@lru_cache(maxsize=16)
def _share_a_triple(store: ox.Store, graphs: tuple[ox.NamedNode, ...]) -> bool:
    """Whether two of *graphs* have a triple in common; remembered, since a store does not change."""
    pairs = (f"GRAPH {one} {{ ?s ?p ?o }} GRAPH {other} {{ ?s ?p ?o }}" for one, other in combinations(graphs, 2))
    return any(bool(store.query(f"ASK {{ {each} }}")) for each in pairs)


_EMPTY = ox.Store()
_NOTHING = Loaded(_EMPTY)


def with_columns(text: str) -> str:
    """*text* with the columns of an outermost ``SELECT *`` written out in the order in which *text* uses them first.

    The engine returns them by alphabet. Raises what the engine does for a text that it does not take.
    """
    found = scan.star(text)
    if found is None or found[1] == sorted(found[1]):
        return text
    at = found[0]
    result = _EMPTY.query(text, base_iri=names.BASE, prefixes=names.PREFIXES)
    columns = [each.value for each in result.variables] if isinstance(result, ox.QuerySolutions) else []
    if not columns:
        return text
    rank = {name: number for number, name in enumerate(found[1])}
    columns.sort(key=lambda name: rank.get(name, len(rank)))
    return f"{text[:at]} {' '.join(f'?{name}' for name in columns)} {text[at + 1 :]}"


def _node(iri: str) -> ox.NamedNode:
    try:
        return ox.NamedNode(iri)
    except ValueError as error:
        raise BadQuery(f"“{iri}” is not an IRI of a graph.", "Give absolute IRIs as graphs.") from error


_FUNCTION = re.compile(r"The custom function (<.*>) is not supported")
_AT = re.compile(r"error at (\d+):(\d+): expected (.*)", re.DOTALL)
_NO_ADVICE = ("SERVICE", "LATERAL")
_EXPECTED = re.compile(r'"(?:[^"\\]|\\.)*"|[A-Za-z][A-Za-z_ ]+[A-Za-z]')


def malformed(message: str) -> BadQuery:
    """The engine's message about a malformed query, in a reader's words, with its line and column."""
    match = _AT.match(message)
    if match is None:
        return BadQuery(f"The query is malformed: {_first_line(message)}.", "Correct it.")
    line, column = int(match[1]), int(match[2])
    # Character classes such as ['0'..='9'] are the grammar's, not a reader's.
    plain = re.sub(r"\[(?:[^\[\]'\"]|'(?:[^'\\]|\\.[^']*)')*\]", " ", match[3], flags=re.DOTALL)
    plain = plain.removeprefix("one of ")
    expected = list(dict.fromkeys(_EXPECTED.findall(plain)))
    said = [each for each in expected if " " in each and each[0] != '"']
    where = f"The query is malformed at line {line}, column {column}"
    if said:
        return BadQuery(
            f"{where}: {said[0][0].lower() + said[0][1:]}.", "Correct it there or just before.", line, column
        )
    # What the engine would take but this endpoint refuses, or what is the engine's own, is no advice.
    advice = [each for each in (given.strip('"').replace('\\"', '"') for given in expected) if each not in _NO_ADVICE]
    shown = ", ".join(advice[:12])
    wanted = f"One of these may stand there: {shown}." if shown else "Correct it there or just before."
    return BadQuery(f"{where}.", wanted, line, column)
