"""The W3C SPARQL 1.1 suite: read its manifests, ask each test's query as a worker does, compare the answers.

Answers are compared term by term, blank nodes up to renaming. Where that fails, numbers and truth values count as
equal that have the same datatype and value, since the suite itself writes decimals in two ways
(https://github.com/w3c/rdf-tests/issues/58); not so where a test is about a format.

Two ways of asking: *directly*, the text looked over and answered by the worker's function from a store that holds the
test's own dataset; and through a *pool* of real workers that serves every data file of the suite as a named graph,
with the test's dataset chosen by the protocol's parameters.
"""

import csv
import io
import json
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest

from foedus.errors import BadQuery, FoedusError
from foedus.query import scan
from foedus.query import store as engine
from foedus.query.limits import Limits
from foedus.query.pool import Pool, Request

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SUITE = ROOT.parent / "shared" / "conformance" / "sparql11"
README = ROOT / "server" / "README.md"
KNOWN_FAILURES = HERE / "known_failures.toml"

FOLDERS = (
    *("aggregates", "bind", "bindings", "cast", "construct", "csv-tsv-res", "delete-insert", "exists", "functions"),
    *("grouping", "json-res", "negation", "project-expression", "property-path", "subquery", "syntax-fed"),
    "syntax-query",
)
"""The folders that hold tests of queries and results; those of entailment and the protocols test something else."""
UPDATE_FOLDERS = (
    *("add", "basic-update", "clear", "copy", "delete", "delete-data", "delete-insert", "delete-where", "drop"),
    *("move", "syntax-update-1", "syntax-update-2", "update-silent"),
)

# The suite's address while it was made. Some expected results hold IRIs that were relative to it.
BASE = "http://www.w3.org/2009/sparql/docs/tests/data-sparql11/"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
MF = "http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#"
RS = "http://www.w3.org/2001/sw/DataAccess/tests/result-set#"
QT = "http://www.w3.org/2001/sw/DataAccess/tests/test-query#"
EVALUATION = ("QueryEvaluationTest", "CSVResultFormatTest")
SYNTAX = ("PositiveSyntaxTest11", "NegativeSyntaxTest11")

LIMITS = Limits(workers=2)
RESULTS = {".srx": ox.QueryResultsFormat.XML, ".srj": ox.QueryResultsFormat.JSON, ".tsv": ox.QueryResultsFormat.TSV}

Term = ox.NamedNode | ox.BlankNode | ox.Literal
Row = dict[str, Term]


@dataclass(frozen=True)
class Case:
    """One test: *name* is its folder and its name in the manifest; *data* and *graphs* are its dataset."""

    name: str
    kind: str
    query: Path
    data: tuple[Path, ...] = ()
    graphs: tuple[Path, ...] = ()
    result: Path | None = None

    @property
    def folder(self) -> str:
        return self.name.partition("/")[0]

    @property
    def text(self) -> str:
        return self.query.read_text(encoding="utf-8")


@dataclass
class Rows:
    """A SELECT answer; *ordered* says whether the order of the rows counts."""

    variables: list[str]
    rows: list[Row]
    ordered: bool = False


# ── the suite's files ──


def iri(path: Path) -> str:
    """The IRI that a file of the suite goes by."""
    return BASE + path.relative_to(SUITE).as_posix()


def statements(path: Path) -> Iterator[ox.Triple]:
    for each in ox.parse(path=str(path), base_iri=iri(path), rename_blank_nodes=True):
        yield ox.Triple(each.subject, each.predicate, each.object)


def cases(folder: str) -> list[Case]:
    """The tests of *folder* in the order of its manifest."""
    manifest = SUITE / folder / "manifest.ttl"
    about: dict[Any, dict[str, list[Any]]] = {}
    for each in statements(manifest):
        about.setdefault(each.subject, {}).setdefault(each.predicate.value, []).append(each.object)

    def paths(node: Any, key: str) -> tuple[Path, ...]:
        return tuple(SUITE / each.value.removeprefix(BASE) for each in about.get(node, {}).get(key, []))

    found = []
    at = next(each[MF + "entries"][0] for each in about.values() if MF + "entries" in each)
    while at.value != RDF + "nil":
        test, at = about[at][RDF + "first"][0], about[at][RDF + "rest"][0]
        action = about[test][MF + "action"][0]
        kind = about[test][RDF + "type"][0].value.removeprefix(MF)
        name = f"{folder}/{test.value.rpartition('#')[2]}"
        if kind in EVALUATION:
            found.append(
                Case(
                    name,
                    kind,
                    paths(action, QT + "query")[0],
                    paths(action, QT + "data"),
                    paths(action, QT + "graphData"),
                    paths(test, MF + "result")[0],
                )
            )
        elif kind in SYNTAX:
            found.append(Case(name, kind, paths(test, MF + "action")[0]))
    return found


def all_cases() -> list[Case]:
    return [case for folder in FOLDERS for case in cases(folder)]


# ── asking ──

Ask = Callable[[Case, str, str], bytes]
"""The bytes of the answer to a case's text in a format, from the case's dataset."""


def ask_directly(case: Case, text: str, form: str) -> bytes:
    """As a worker answers, without the process around it."""
    store = ox.Store()
    for path in case.data:
        store.extend(ox.Quad(*each) for each in statements(path))
    for path in case.graphs:
        store.extend(ox.Quad(*each, ox.NamedNode(iri(path))) for each in statements(path))
    return ask_of(store, text, form)


def ask_of(store: ox.Store, text: str, form: str) -> bytes:
    """The answer to *text* from *store*: the look at the text, then what a worker does."""
    scan.scan(text, LIMITS)
    body = io.BytesIO()
    engine.answer(engine.Loaded(store), Request(text, form=form), body)
    return body.getvalue()


def every_data_file() -> bytes:
    """N-Quads of the data of all tests, each file in a graph of its own."""
    found = dict.fromkeys(path for case in all_cases() for path in (*case.data, *case.graphs))
    quads = (ox.Quad(*each, ox.NamedNode(iri(path))) for path in found for each in statements(path))
    return ox.serialize(quads, format=ox.RdfFormat.N_QUADS) or b""


def asker_of(pool: Pool) -> Ask:
    """Ask *pool*, which serves ``every_data_file``."""

    def ask(case: Case, text: str, form: str) -> bytes:
        graphs: dict[str, tuple[str, ...]] = {}
        if not re.search(r"\bFROM\b", text):
            graphs["default_graphs"] = tuple(iri(path) for path in case.data)
            graphs["named_graphs"] = tuple(iri(path) for path in case.graphs)
        return pool.ask(Request(text, form=form, **graphs)).body

    return ask


# ── one test ──


def failure(case: Case, ask: Ask) -> str | None:
    """Why *case* fails, None if it passes."""
    if case.kind in EVALUATION:
        return evaluation_failure(case, ask)
    if case.folder == "syntax-fed":
        return federation_failure(case)
    try:
        ask(case, based(case), "")
    except BadQuery as error:
        refused: BadQuery | None = error
    else:
        refused = None
    if case.kind == "PositiveSyntaxTest11":
        # The grammar knows no functions by name; that we say which one we lack is no verdict on the syntax.
        lacking = refused is not None and refused.message.startswith("There is no function")
        return f"refused: {refused.message}" if refused and not lacking else None
    if refused is None:
        return "taken, though it is malformed"
    return malformed_update_failure(case) if case.query.suffix == ".ru" else None


def federation_failure(case: Case) -> str | None:
    """SERVICE must be refused before the engine, and the engine's parser alone must know it.

    No row is taken of the answer, and no IRI in the texts is one of a server, so nothing is asked of anybody.
    """
    try:
        scan.scan(case.text, LIMITS)
    except BadQuery as error:
        if "SERVICE" not in error.message:
            return f"refused for another reason than SERVICE: {error.message}"
    else:
        return "SERVICE was let through"
    try:
        ox.Store().query(case.text, base_iri="urn:nobody:")
    except SyntaxError as error:
        return f"the parser does not take it: {error.msg}"
    return None


def malformed_update_failure(case: Case) -> str | None:
    """A malformed update: beside our refusal of every update, the engine's parser must not take it either."""
    try:
        ox.Store().update(case.text)
    except SyntaxError:
        return None
    return "taken by the parser of updates, though it is malformed"


def based(case: Case) -> str:
    """The text, with its file's IRI as base where it is used as one."""
    return f"BASE <{iri(case.query)}>\n{case.text}" if case.kind in EVALUATION else case.text


def evaluation_failure(case: Case, ask: Ask) -> str | None:
    assert case.result is not None
    expected = read_expected(case.result)
    try:
        answers = [(form, ask(case, based(case), form)) for form in forms(case)]
    except FoedusError as error:
        return f"refused: {error.message}"
    for form, body in answers:
        told = compare(case, form, body, expected)
        if told:
            return f"{form}: {told}"
    return None


def forms(case: Case) -> tuple[str, ...]:
    """The formats to ask for: that of the expected result, and the default one, written by code of its own."""
    suffix = case.result.suffix if case.result else ""
    if suffix == ".csv":
        return ("csv",)
    if re.search(r"\bCONSTRUCT\b", case.text, re.IGNORECASE):
        return ("nt", "ttl", "rdf")
    return ("tsv", "json") if suffix == ".tsv" else ("json", "xml")


def compare(case: Case, form: str, body: bytes, expected: Any) -> str | None:
    if form == "csv":
        # The specification of CSV demands CRLF.
        got, wanted = csv_table(body.decode()), csv_table(expected)
        return None if got == wanted and b"\r\n" in body else f"got {got}, expected {wanted}"
    if form in ("nt", "ttl", "rdf"):
        formats = {"nt": ox.RdfFormat.N_TRIPLES, "ttl": ox.RdfFormat.TURTLE, "rdf": ox.RdfFormat.RDF_XML}
        got = list(ox.parse(body, format=formats[form]))
        triples = [ox.Quad(each.subject, each.predicate, each.object) for each in got]
        return None if canonical(triples) == canonical(expected) else f"got {triples}"
    got = read_json(body) if form == "json" else read_results(body, ".tsv" if form == "tsv" else ".srx")
    if isinstance(expected, bool) or isinstance(got, bool):
        return None if got == expected else f"got {got}, expected {expected}"
    return rows_difference(case, got, expected)


def rows_difference(case: Case, got: Rows, expected: Rows) -> str | None:
    named = case.result is not None and case.result.suffix in (".srj", ".tsv")
    if named and got.variables != expected.variables:
        return f"columns {got.variables}, expected {expected.variables}"
    if set(got.variables) != set(expected.variables):
        return f"variables {got.variables}, expected {expected.variables}"
    ordered = expected.ordered or bool(re.search(r"\bORDER\s+BY\b[^}]*\Z", case.text, re.IGNORECASE))
    if canonical(as_quads(got.rows, ordered)) == canonical(as_quads(expected.rows, ordered)):
        return None
    if not named:
        values = [[by_value(row) for row in each.rows] for each in (got, expected)]
        if canonical(as_quads(values[0], ordered)) == canonical(as_quads(values[1], ordered)):
            return None
    return f"got {got.rows}, expected {expected.rows}"


XSD = "http://www.w3.org/2001/XMLSchema#"
VALUES: dict[str, Callable[[str], object]] = {
    XSD + "boolean": lambda text: {"1": "true", "0": "false"}.get(text, text),
    XSD + "integer": int,
    XSD + "decimal": lambda text: Decimal(text).normalize(),
    XSD + "double": float,
    XSD + "float": float,
}


def by_value(row: Row) -> Row:
    """*row* with each number and truth value written in one way; its datatype still counts."""
    return {name: _by_value(term) for name, term in row.items()}


def _by_value(term: Term) -> Term:
    if not isinstance(term, ox.Literal) or term.datatype.value not in VALUES:
        return term
    try:
        return ox.Literal(str(VALUES[term.datatype.value](term.value)), datatype=term.datatype)
    except (ValueError, ArithmeticError):
        return term


def as_quads(rows: list[Row], ordered: bool) -> list[ox.Quad]:
    """*rows* as triples, so that a renaming of blank nodes is found by canonicalisation."""
    keyed = [tuple(sorted(row.items(), key=lambda pair: pair[0])) for row in rows]
    numbered: Iterable[tuple[Any, object]]
    numbered = ((row, number) for number, row in enumerate(keyed)) if ordered else Counter(keyed).items()
    quads = []
    for row, number in numbered:
        node = ox.BlankNode()
        quads.append(ox.Quad(node, ox.NamedNode(MF + "number"), ox.Literal(str(number))))
        quads += [ox.Quad(node, ox.NamedNode(f"{MF}variable-{name}"), term) for name, term in row]
    return quads


def canonical(quads: Iterable[ox.Quad]) -> ox.Dataset:
    found = ox.Dataset(quads)
    found.canonicalize(ox.CanonicalizationAlgorithm.UNSTABLE)
    return found


# ── results ──


def read_expected(path: Path) -> Any:
    """What *path* says is the answer: Rows, a bool, triples as quads, or the text of a CSV file."""
    if path.suffix == ".csv":
        return path.read_text(encoding="utf-8")
    if path.suffix in RESULTS:
        return read_results(path.read_bytes(), path.suffix)
    triples = list(statements(path))
    if any(each.object == ox.NamedNode(RS + "ResultSet") for each in triples):
        return read_result_set(triples)
    return [ox.Quad(*each) for each in triples]


def read_result_set(triples: list[ox.Triple]) -> Rows:
    """A SELECT answer described in RDF."""
    about: dict[Any, dict[str, list[Any]]] = {}
    for each in triples:
        about.setdefault(each.subject, {}).setdefault(each.predicate.value, []).append(each.object)
    root = next(each for each in about.values() if RS + "resultVariable" in each)
    solutions = [about[each] for each in root.get(RS + "solution", [])]
    ordered = any(RS + "index" in each for each in solutions)
    if ordered:
        solutions.sort(key=lambda each: int(each[RS + "index"][0].value))
    bindings = [[about[each] for each in solution.get(RS + "binding", [])] for solution in solutions]
    rows = [{each[RS + "variable"][0].value: each[RS + "value"][0] for each in row} for row in bindings]
    return Rows([each.value for each in root[RS + "resultVariable"]], rows, ordered)


def read_results(content: bytes, suffix: str) -> Rows | bool:
    results = ox.parse_query_results(content, RESULTS[suffix])
    if isinstance(results, ox.QueryBoolean):
        return bool(results)
    variables = [each.value for each in results.variables]
    rows = [{name: term for name in variables if (term := row[name]) is not None} for row in results]
    return Rows(variables, rows)


def read_json(content: bytes) -> Rows | bool:
    """An answer in JSON, read by the specification and not by the engine that wrote it."""
    answer = json.loads(content)
    if "boolean" in answer:
        return bool(answer["boolean"])
    rows = [{name: json_term(term) for name, term in row.items()} for row in answer["results"]["bindings"]]
    return Rows(answer["head"]["vars"], rows)


def json_term(term: dict[str, str]) -> Term:
    if term["type"] == "uri":
        return ox.NamedNode(term["value"])
    if term["type"] == "bnode":
        return ox.BlankNode(term["value"])
    if "xml:lang" in term:
        return ox.Literal(term["value"], language=term["xml:lang"])
    return ox.Literal(term["value"], datatype=ox.NamedNode(term["datatype"]) if "datatype" in term else None)


def csv_table(text: str) -> tuple[list[str], list[list[str]]]:
    """The header, and the rows in any order with blank nodes named by where they first occur."""
    header, *rows = csv.reader(io.StringIO(text))
    blank: dict[str, str] = {}
    return header, [
        [blank.setdefault(cell, f"_:{len(blank)}") if cell.startswith("_:") else cell for cell in row]
        for row in sorted(rows, key=lambda row: ["" if cell.startswith("_:") else cell for cell in row])
    ]


# ── the published table ──

BEGIN, END = "<!-- conformance: begin -->", "<!-- conformance: end -->"


def known_failures() -> dict[str, dict[str, str]]:
    """Each test that is known to fail, by name, with its *cause* and the *issue* upstream."""
    return {each["name"]: each for each in tomllib.loads(KNOWN_FAILURES.read_text(encoding="utf-8"))["failure"]}


def as_table(outcomes: dict[str, str | None]) -> str:
    """The figures per folder in Markdown."""
    tests = Counter(name.partition("/")[0] for name in outcomes)
    failed = Counter(name.partition("/")[0] for name, why in outcomes.items() if why)
    lines = ["| Folder | Tests | Passed | Failed |", "|---|--:|--:|--:|"]
    for folder in FOLDERS:
        lines.append(f"| {folder} | {tests[folder]} | {tests[folder] - failed[folder]} | {failed[folder]} |")
    count, lost = tests.total(), failed.total()
    return "\n".join([*lines, f"| **all** | **{count}** | **{count - lost}** | **{lost}** |"])


def published() -> str:
    """The table in the README."""
    return README.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0].strip()


def publish(table: str) -> None:
    """Put *table* into the README."""
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    README.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")


# ── pytest ──


def pytest_addoption(parser):
    parser.addoption("--publish", action="store_true", help="write the table of the W3C suite into server/README.md")


def pytest_generate_tests(metafunc):
    if "case" not in metafunc.fixturenames:
        return
    known = known_failures()
    metafunc.parametrize(
        "case",
        [
            pytest.param(
                case,
                id=case.name,
                marks=[pytest.mark.xfail(reason=known[case.name]["cause"], strict=True)] if case.name in known else [],
            )
            for case in all_cases()
        ],
    )


@pytest.fixture(scope="session")
def suite():
    """This module: what the tests of this folder share."""
    return sys.modules[__name__]


@pytest.fixture(scope="session")
def direct():
    """What came of each test, asked directly."""
    return {case.name: failure(case, ask_directly) for case in all_cases()}


@pytest.fixture(scope="session")
def pooled(tmp_path_factory):
    """What came of each test, asked of a pool."""
    data = tmp_path_factory.mktemp("suite") / "all.nq"
    data.write_bytes(every_data_file())
    with Pool((data,), LIMITS) as pool:
        return {case.name: failure(case, asker_of(pool)) for case in all_cases()}
