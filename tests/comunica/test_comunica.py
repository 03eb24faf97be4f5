"""Comunica, which knows nothing of us, joins a running server with another one that speaks of Wikidata's items."""

import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from foedus import questions
from foedus.query import results

HERE = Path(__file__).parent
INSTALLED = HERE.parents[1] / ".venv" / "comunica"
PREFIXES = """PREFIX foedus: <https://w3id.org/foedus/ontology#>
PREFIX id: <https://w3id.org/foedus/id/>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX sh: <http://www.w3.org/ns/shacl#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
PREFIX wdt: <http://www.wikidata.org/prop/direct/>
"""

pytestmark = pytest.mark.skipif(
    not (shutil.which("node") and shutil.which("npm")), reason="Comunica needs node and npm (apt install nodejs npm)"
)


@pytest.fixture(scope="module")
def comunica():
    """The folder that holds Comunica, as locked; installed where it is not yet, checked by hash."""
    locked = (HERE / "package-lock.json").read_bytes()
    done = INSTALLED / "installed-lock.json"
    if not done.is_file() or done.read_bytes() != locked:
        INSTALLED.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, INSTALLED / name)
        words = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
        ran = subprocess.run(words, cwd=INSTALLED, capture_output=True, text=True)
        if ran.returncode:
            pytest.skip(f"Comunica could not be installed: {ran.stderr.strip()[-500:]}")
        done.write_bytes(locked)
    return INSTALLED


@contextmanager
def serving(*words, **environment):
    """The address of a running ``foedus serve``."""
    process = subprocess.Popen(
        [sys.executable, "-m", "foedus", "serve", "--port", "0", "--workers", "2", "--log", "off", *map(str, words)],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    try:
        said = ""
        while not (found := re.search(r"Foedus is at (http://\S+)/$", said.rstrip())):
            said = process.stderr.readline()
            assert said, "the server ended"
        yield found[1]
    finally:
        process.terminate()
        process.wait(20)
        process.stderr.close()


@pytest.fixture(scope="module")
def ours(dataset):
    """The endpoint over the shipped dataset."""
    with serving(FOEDUS_HOME=str(dataset)) as address:
        yield f"{address}/sparql"


@pytest.fixture(scope="module")
def linked(pool):
    """The items of states that were ever in the CSTO, by state; and the item of the CSTO itself."""
    query = """SELECT DISTINCT ?thing ?item {
      { ?thing foedus:everMemberOf id:csto } UNION { BIND(id:csto AS ?thing) }
      ?thing skos:exactMatch ?item FILTER(STRSTARTS(STR(?item), "http://www.wikidata.org/entity/Q"))
    }"""
    found = {row["thing"].value.rpartition("/")[2]: row["item"].value for row in results.select(pool, query)}
    assert len(found) >= 7
    return found


@pytest.fixture(scope="module")
def theirs(linked, tmp_path_factory):
    """An endpoint over statements in the form of Wikidata's: Uzbekistan is no member there, and somebody else is."""
    csto = linked["csto"]
    members = [item for state, item in linked.items() if state not in ("csto", "uzbekistan")]
    strangers = ["http://example.org/not-in-the-record"]
    lines = [f"<{item}> <http://www.wikidata.org/prop/direct/P463> <{csto}> ." for item in (*members, *strangers)]
    lines += [
        f'<{item}> <http://www.w3.org/2000/01/rdf-schema#label> "{item.rpartition("/")[2]} there"@und .'
        for item in (*members, *strangers)
    ]
    file = tmp_path_factory.mktemp("wikidata") / "items.ttl"
    file.write_text("\n".join(lines) + "\n")
    with serving("--data", file) as address:
        yield f"{address}/sparql"


@pytest.fixture(scope="module")
def ask(comunica):
    """What Comunica answers from the addresses that it is given, and from nothing else."""

    def call(query, *sources):
        done = subprocess.run(
            ["node", str(HERE / "ask.mjs"), str(comunica)],
            input=json.dumps({"query": PREFIXES + query, "sources": sources}),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout)

    return call


def test_a_federated_query_joins_the_record_with_another_endpoint(ask, ours, theirs, linked):
    """Membership and links are ours, the statements of the items are theirs; only what both know is an answer."""
    rows = ask(
        """SELECT ?state ?item ?name {
          ?membership foedus:ofAlliance id:csto ; foedus:ofState ?state .
          ?state skos:exactMatch ?item .
          id:csto skos:exactMatch ?alliance .
          ?item wdt:P463 ?alliance ; rdfs:label ?name .
          FILTER(LANG(?name) = "und")
        }""",
        ours,
        theirs,
    )
    expected = {(state, item) for state, item in linked.items() if state not in ("csto", "uzbekistan")}
    assert {(row["state"].rpartition("/")[2], row["item"]) for row in rows} == expected
    assert all(row["name"] == f"{row['item'].rpartition('/')[2]} there" for row in rows)


def test_neither_endpoint_knows_the_answer_alone(ask, ours, theirs):
    query = "SELECT ?state { ?state skos:exactMatch ?item . ?item wdt:P463 ?alliance }"
    assert ask(query, ours) == ask(query, theirs) == []
    assert len(ask(query, ours, theirs)) >= 6


@pytest.mark.parametrize(
    "pattern",
    ["?question a sh:SPARQLExecutable", "?question a sh:SPARQLExecutable ; sh:select|sh:ask|sh:construct ?text"],
)
def test_what_stands_in_the_description_alone_is_found_too(ask, ours, theirs, pattern):
    """The statistics leave the description out; a client that trusts them must not take it that it is not there."""
    assert len(ask(f"SELECT ?question {{ {pattern} }}", ours, theirs)) == len(questions.catalogue())


def test_names_of_others_on_both_sides_of_a_statement_are_found(ask, ours, theirs):
    """The space of names that the description gives leaves such statements out."""
    assert ask("SELECT ?x { skos:altLabel a ?x }", ours, theirs)


def test_the_lock_file_holds_hashes_and_no_addresses():
    """Each package has a hash; no line says where to download it."""
    packages = json.loads((HERE / "package-lock.json").read_text())["packages"]
    locked = {name: each for name, each in packages.items() if name}
    assert len(locked) > 100
    assert [name for name, each in locked.items() if "integrity" not in each] == []
    assert '"resolved"' not in (HERE / "package-lock.json").read_text()


@pytest.mark.parametrize(
    "query",
    [
        "SELECT ?iso { ?m foedus:ofAlliance id:csto ; foedus:ofState ?state . ?state foedus:iso3 ?iso } ORDER BY ?iso",
        "SELECT (COUNT(*) AS ?n) { ?m a foedus:Membership ; foedus:ofState ?state }",
        "SELECT ?x { id:armenia rdfs:label ?name . ?name ?p ?x }",
        'SELECT ?x { ?x foedus:iso3 "nobody" }',
        "SELECT (COUNT(*) AS ?n) { ?shape a sh:NodeShape ; sh:property [ sh:path ?path ] }",
    ],
)
def test_it_finds_its_way_through_our_fragments(ask, ours, query):
    """By the controls alone: it asks for one pattern after the other, page by page, and joins what it gets."""
    assert ask(query, ours.replace("/sparql", "/fragments")) == ask(query, ours)


def test_fragments_of_what_is_asserted_hold_nothing_else(ask, ours):
    query = "SELECT ?x { ?x a foedus:Membership ; foedus:ofAlliance id:csto ; foedus:ofState id:uzbekistan }"
    assert ask(query, ours.replace("/sparql", "/fragments"))
    assert ask(query, ours.replace("/sparql", "/fragments?reasoning=off")) == []
