"""The engine's side: load a dataset into memory, and write the answer to one query. Plain functions, no process."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import pyoxigraph as ox

from foedus import names
from foedus.errors import BadQuery, CannotRead
from foedus.query import dataset, formats, scan
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
# The default graph holds the union, each triple once: the engine's own union counts a triple once per graph.
_UNITE = "INSERT { ?s ?p ?o } WHERE { GRAPH ?g { ?s ?p ?o } }"


class Sink(Protocol):
    """Where an answer's bytes go."""

    def write(self, data: bytes, /) -> int: ...


@dataclass(frozen=True)
class Written:
    """What was written: the kind of answer and its ``Content-Type``."""

    kind: formats.Kind
    content_type: str


def open_source(source: Path | tuple[Path, ...]) -> tuple[ox.Store, Description]:
    """The store of a built dataset (a folder), or of RDF files (a tuple of them and of folders that hold them).

    Raises DatasetRefused or CannotRead.
    """
    store = ox.Store()
    if isinstance(source, tuple):
        description = _load_files(store, source)
    else:
        content, description = dataset.read(source)
        store.bulk_load(content, format=ox.RdfFormat.N_QUADS)
    store.update(_UNITE)
    return store, description


def _load_files(store: ox.Store, paths: tuple[Path, ...]) -> Description:
    digest = hashlib.sha256()
    for path in dataset.rdf_files(paths):
        try:
            content = path.read_bytes()
            digest.update(hashlib.sha256(content).digest())
            quads = ox.parse(
                content,
                format=_RDF[path.suffix.lower()],
                base_iri=path.resolve().as_uri(),
                rename_blank_nodes=True,
            )
            store.extend(_as_quads(quads))
        except SyntaxError as error:
            line = error.lineno
            where = f"{path}:{line}" if line else str(path)
            raise CannotRead(f"{where}: {_first_line(error.msg)}", "Mend the file.", line=line) from error
        except OSError as error:
            raise CannotRead(f"{path} cannot be read: {error.strerror or error}.", "Give a readable file.") from error
    return Description(sha256=digest.hexdigest(), quads=len(store), as_of=None, version=None)


def _as_quads(statements: Iterable[Any]) -> Iterable[ox.Quad]:
    for each in statements:
        yield each if isinstance(each, ox.Quad) else ox.Quad(each.subject, each.predicate, each.object)


def _first_line(message: str) -> str:
    return message.splitlines()[0] if message else "it is not well-formed"


def answer(store: ox.Store, request: Request, sink: Sink) -> Written:
    """Carry *request* out and write the whole answer to *sink*.

    Raises BadQuery, with line and column, for a text that the engine does not take, NotAcceptable where no format
    fits, and whatever *sink* raises.
    """
    default, named = _graphs(request)
    with _merged(store, default) as graphs:
        result = _carry_out(store, request.text, graphs, named)
        kind: formats.Kind = (
            "select"
            if isinstance(result, ox.QuerySolutions)
            else "ask"
            if isinstance(result, ox.QueryBoolean)
            else "graph"
        )
        choice = formats.choose(kind, request.accept, request.form)
        if isinstance(result, ox.QueryTriples):
            ox.serialize(result, sink, _RDF[choice.format.extension], prefixes=names.PREFIXES)  # type: ignore[arg-type]
        else:
            result.serialize(sink, _RESULTS[choice.format.name])  # type: ignore[arg-type]
    return Written(kind, choice.content_type)


_Graphs = tuple[ox.NamedNode, ...] | None
"""Graphs that were chosen; None where nobody chose."""


def _carry_out(
    store: ox.Store, text: str, default: _Graphs, named: _Graphs
) -> ox.QuerySolutions | ox.QueryBoolean | ox.QueryTriples:
    try:
        return store.query(
            with_columns(text),
            base_iri=names.BASE,
            prefixes=names.PREFIXES,
            default_graph=None if default is None else list(default),
            named_graphs=None if named is None else list(named),
        )
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


def _graphs(request: Request) -> tuple[_Graphs, _Graphs]:
    """The graphs that *request* chooses for the default graph and as named ones.

    Those of the text only where there are several for the default graph, which the engine then has to be helped with.
    """
    if request.default_graphs is not None or request.named_graphs is not None:
        chosen = (request.default_graphs or (), request.named_graphs or ())
        return tuple(_node(iri) for iri in dict.fromkeys(chosen[0])), tuple(_node(iri) for iri in chosen[1])
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
def _merged(store: ox.Store, graphs: _Graphs) -> Iterator[_Graphs]:
    """One graph in place of several that share a triple: the engine counts such a triple once per graph.

    While it is there, it is seen by nobody: who chooses a default graph chooses the named ones too.
    """
    if graphs is None or not _share_a_triple(store, graphs):
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
