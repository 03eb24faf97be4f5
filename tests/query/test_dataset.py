"""What may be served: a dataset that matches its manifest, or readable RDF files."""

import json

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
    _, described = datasets.read(small_dataset)
    assert (described.as_of, described.quads, len(described.sha256)) == ("2026-11-22", 20_022, 64)


def copied(dataset, tmp_path):
    for name in ("dataset.nq", "manifest.json"):
        (tmp_path / name).write_bytes((dataset / name).read_bytes())
    return tmp_path


@pytest.mark.parametrize("missing", ["dataset.nq", "manifest.json"])
def test_a_dataset_without_either_file_is_refused(small_dataset, tmp_path, missing):
    (copied(small_dataset, tmp_path) / missing).unlink()
    with pytest.raises(DatasetRefused, match=f"{missing} cannot be read") as refused:
        datasets.read(tmp_path)
    assert refused.value.remedy == "Run: foedus build"


@pytest.mark.parametrize(
    "change", [lambda text: text[:-1], lambda text: text + "\n", lambda text: text.replace("9", "8", 1)]
)
def test_a_dataset_that_was_changed_is_refused(small_dataset, tmp_path, change):
    file = copied(small_dataset, tmp_path) / "dataset.nq"
    file.write_text(change(file.read_text()))
    with pytest.raises(DatasetRefused, match="checksums differ"):
        datasets.read(tmp_path)


@pytest.mark.parametrize("manifest", ["", "{", "[]", "{}", '{"dataset": 3}', json.dumps({"dataset": {"sha256": "x"}})])
def test_a_manifest_that_is_none_is_refused(small_dataset, tmp_path, manifest):
    (copied(small_dataset, tmp_path) / "manifest.json").write_text(manifest)
    with pytest.raises(DatasetRefused, match=r"manifest\.json"):
        datasets.read(tmp_path)


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
