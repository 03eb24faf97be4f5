"""What may be served: a dataset that matches its manifest, or readable RDF files."""

import hashlib
import json

import pyoxigraph as ox
import pytest

from foedus.errors import CannotRead, DatasetRefused
from foedus.query import dataset as datasets
from foedus.query import store
from foedus.query.pool import Request

TRIPLE = "<urn:a> <urn:b> <urn:c> ."
FILES = {
    "x.ttl": TRIPLE,
    "x.nt": TRIPLE,
    "x.nq": "<urn:a> <urn:b> <urn:c> <urn:g> .",
    "x.trig": "<urn:g> { <urn:a> <urn:b> <urn:c> }",
    "x.n3": TRIPLE,
    "x.jsonld": '{"@id": "urn:a", "urn:b": {"@id": "urn:c"}}',
    "x.rdf": '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:u="urn:">'
    '<rdf:Description rdf:about="urn:a"><u:b rdf:resource="urn:c"/></rdf:Description></rdf:RDF>',
}


class Bytes:
    """A sink that keeps what it gets."""

    def __init__(self):
        self.content = b""

    def write(self, data: bytes) -> int:
        self.content += data
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""


def answer(loaded, text) -> str:
    body = Bytes()
    store.answer(loaded, Request(text, form="csv"), body)
    return body.content.decode()


def test_a_sound_dataset_is_described(small_dataset):
    with datasets.opened(small_dataset) as (_, described):
        pass
    lines = (small_dataset / "dataset.nq").read_text().count("\n")
    assert (described.as_of, described.quads, len(described.sha256)) == ("2026-11-22", lines, 64)


def copied(dataset, tmp_path):
    for name in ("dataset.nq", "manifest.json"):
        (tmp_path / name).write_bytes((dataset / name).read_bytes())
    return tmp_path


@pytest.mark.parametrize("missing", ["dataset.nq", "manifest.json"])
def test_a_dataset_without_either_file_is_refused(small_dataset, tmp_path, missing):
    (copied(small_dataset, tmp_path) / missing).unlink()
    with pytest.raises(DatasetRefused, match=f"{missing} cannot be read") as refused:
        store.open_source(tmp_path)
    assert refused.value.remedy == "Run: foedus build"


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-1],
        lambda text: text + "\n",
        lambda text: text.replace("9", "8", 1),
        lambda text: text.replace("<", "", 1),
    ],
)
def test_a_dataset_that_was_changed_is_refused(small_dataset, tmp_path, change):
    file = copied(small_dataset, tmp_path) / "dataset.nq"
    file.write_text(change(file.read_text()))
    with pytest.raises(DatasetRefused, match="checksums differ"):
        store.open_source(tmp_path)


def test_a_malformed_dataset_is_refused_though_its_checksum_is_right(small_dataset, tmp_path):
    content = b"<urn:a> <urn:b> .\n"
    manifest = json.loads((copied(small_dataset, tmp_path) / "manifest.json").read_text())
    manifest["dataset"]["sha256"] = hashlib.sha256(content).hexdigest()
    (tmp_path / "dataset.nq").write_bytes(content)
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DatasetRefused, match=r"dataset\.nq is malformed"):
        store.open_source(tmp_path)


@pytest.mark.parametrize("manifest", ["", "{", "[]", "{}", '{"dataset": 3}', json.dumps({"dataset": {"sha256": "x"}})])
def test_a_manifest_that_is_none_is_refused(small_dataset, tmp_path, manifest):
    (copied(small_dataset, tmp_path) / "manifest.json").write_text(manifest)
    with pytest.raises(DatasetRefused, match=r"manifest\.json"):
        store.open_source(tmp_path)


@pytest.mark.parametrize("name", FILES)
def test_every_rdf_syntax_is_served(tmp_path, name):
    (tmp_path / name).write_text(FILES[name])
    loaded, described = store.open_source((tmp_path / name,))
    assert answer(loaded, "SELECT * { ?s <urn:b> ?o }") == "s,o\r\nurn:a,urn:c\r\n"
    assert described.quads == 1


def test_files_with_graphs_keep_them(tmp_path):
    (tmp_path / "x.trig").write_text(FILES["x.trig"])
    loaded, _ = store.open_source((tmp_path,))
    assert answer(loaded, "SELECT ?g { GRAPH ?g { ?s ?p ?o } }") == "g\r\nurn:g\r\n"


def test_blank_nodes_of_two_files_stay_apart(tmp_path):
    for name in ("one.ttl", "two.ttl"):
        (tmp_path / name).write_text("_:x <urn:b> <urn:c> .")
    loaded, _ = store.open_source((tmp_path,))
    assert answer(loaded, "SELECT (COUNT(?s) AS ?n) { ?s <urn:b> ?o }") == "n\r\n2\r\n"


ALL, NAMED = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }"
APART = "<urn:g> { <urn:a> <urn:b> 1 } <urn:h> { <urn:a> <urn:b> 2 , 3 }"
SHARED = {
    "two graphs": {"x.trig": "<urn:g> { <urn:a> <urn:b> 1 , 2 } <urn:h> { <urn:a> <urn:b> 2 , 3 }"},
    "a graph and a file without": {"x.trig": APART, "y.ttl": "<urn:a> <urn:b> 3 ."},
    "a graph in two files": {"x.trig": APART, "y.trig": APART},
}


def opened(tmp_path, files):
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    return store.open_source((tmp_path,))[0]


def test_graphs_apart_are_united_without_a_copy(tmp_path):
    loaded = opened(tmp_path, {"x.trig": APART, "y.ttl": "<urn:a> <urn:b> 4 ."})
    assert loaded.union and len(loaded.store) == 4
    assert answer(loaded, ALL) == "n\r\n4\r\n" and answer(loaded, NAMED) == "n\r\n3\r\n"


def test_a_query_in_doubt_makes_the_copy_once(tmp_path):
    """Whether this one has a FROM only the engine can tell; a second one finds the first one's copy and makes none."""
    loaded = opened(tmp_path, {"x.trig": APART})
    doubtful = "SELECT (COUNT(*) AS ?n) { VALUES (?s) { (<urn:a#>) (<urn:a>) } ?s ?p ?o FILTER(?o != 'from') }"
    assert answer(loaded, doubtful) == "n\r\n3\r\n" and not loaded.union
    loaded.store.add(ox.Quad(*[ox.NamedNode("urn:a")] * 3, ox.NamedNode("urn:h")))
    assert answer(loaded, doubtful) == "n\r\n3\r\n"


def test_the_shipped_graphs_share_no_triple(dataset):
    """So no copy is made of them."""
    assert store.open_source(dataset)[0].union


@pytest.mark.parametrize("files", SHARED.values(), ids=SHARED.keys())
def test_a_triple_in_two_graphs_counts_once(tmp_path, files):
    loaded = opened(tmp_path, files)
    assert answer(loaded, ALL) == "n\r\n3\r\n"


CHOOSING = {
    "FROM <urn:g>": 1,
    "FROM NAMED <urn:g>": 0,
    "from<urn:g>": 1,
    "FROM:g": 1,
    "FROMNAMED:g": 0,
    "FROM #x\n<urn:g>": 1,
    "FROM <urn:none>": 0,
    "": 3,
    "#FROM <urn:g>\n": 3,
}


@pytest.mark.parametrize("clause", CHOOSING)
@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ("SELECT (COUNT(*) AS ?n) ", "{ ?s ?p ?o }"),
        ("SELECT (COUNT(*) AS ?n)", "WHERE { ?s ?p ?o FILTER(?p != <urn:from>) }"),
        ("SELECT (COUNT(*) AS ?n)", "{ ?s ?p ?o FILTER(?s<?p#)\n||?s != ?p) }"),
        ("SELECT (COUNT(?from) AS ?n)", "{ ?s ?p ?from } HAVING(COUNT(?from) >= 0)"),
        ("SELECT (COUNT(*) AS ?n)", '{ ?s ?p ?o FILTER(?s != "FROM <urn:h>") }'),
    ],
)
def test_a_query_that_chooses_its_graphs_gets_those_and_others_all(tmp_path, clause, begin, end):
    loaded = opened(tmp_path, {"x.trig": APART})
    for _ in range(2):
        assert answer(loaded, f"PREFIX : <urn:> {begin} {clause} {end}") == f"n\r\n{CHOOSING[clause]}\r\n"


@pytest.mark.parametrize(
    ("text", "triples"),
    [
        ("PREFIX from: <urn:> DESCRIBE from:a", 3),
        ("PREFIX from: <urn:> DESCRIBE from:a FROM <urn:g>", 1),
        ("PREFIX from: <urn:> DESCRIBE <urn:a> from:g", 3),
        ("PREFIX : <urn:> DESCRIBE <urn:a> from:g", 1),
        ("CONSTRUCT FROM <urn:h> WHERE { ?s ?p ?o }", 2),
        ("CONSTRUCT { ?s ?p ?o } FROM <urn:h> WHERE { ?s ?p ?o }", 2),
        ("PREFIX from: <urn:> CONSTRUCT { ?s from:b ?o } WHERE { ?s from:b ?o }", 3),
    ],
)
def test_graphs_chosen_for_triples(tmp_path, text, triples):
    loaded, body = opened(tmp_path, {"x.trig": APART}), Bytes()
    store.answer(loaded, Request(text, form="nt"), body)
    assert body.content.count(b"\n") == triples


def test_the_version_of_files_follows_their_content(tmp_path):
    file = tmp_path / "x.ttl"
    file.write_text(TRIPLE)
    first = store.open_source((file,))[1].sha256
    assert store.open_source((file,))[1].sha256 == first
    file.write_text(TRIPLE + "\n")
    assert store.open_source((file,))[1].sha256 != first


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("bad.ttl", b"<urn:a> <urn:b> <urn:c> .\n\n<urn:a> nix:b 1 .", r"bad\.ttl:3"),
        ("bad.nq", b"<urn:a> <urn:b> <urn:c> .\n<urn:a>", r"bad\.nq"),
        ("latin.ttl", '<urn:a> <urn:b> "Köln" .'.encode("latin-1"), r"latin\.ttl"),
        ("wide.ttl", '<urn:a> <urn:b> "Köln" .'.encode("utf-16"), r"wide\.ttl"),
        ("bad.rdf", b"<rdf:RDF", r"bad\.rdf"),
        ("bad.jsonld", b"{", r"bad\.jsonld"),
        ("notes.txt", b"hello", "by its name"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CannotRead, match=message) as refused:
        store.open_source((tmp_path / name,))
    assert refused.value.remedy
    assert "\n" not in refused.value.message


def test_a_missing_file_and_an_empty_folder_are_told(tmp_path):
    with pytest.raises(CannotRead, match="There is no"):
        store.open_source((tmp_path / "x.ttl",))
    with pytest.raises(CannotRead, match="holds no RDF file"):
        store.open_source((tmp_path,))
