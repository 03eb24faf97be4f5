"""What ``foedus export`` writes: whole, checkable, the same each time, and never half of it."""

import hashlib
import io

import pytest
from pyarrow import parquet
from pyoxigraph import RdfFormat, parse

from foedus import names
from foedus.errors import CannotRead, FoedusError, WrongUsage
from foedus.query import export as exporting
from foedus.query.codebook import COLUMNS
from foedus.query.record import read
from foedus.query.tables import NAMES, Tables

TABLES = {f"{name}.{form}" for name in NAMES for form in ("csv", "parquet")}


@pytest.fixture(scope="module")
def exported(pool, tmp_path_factory):
    """The folder of an export of the shipped record."""
    out = tmp_path_factory.mktemp("exports") / "export"
    exporting.export(pool, out)
    return out


def test_everything_is_there(exported):
    assert {path.name for path in exported.iterdir()} == {*TABLES, *names.DUMPS, "codebook.md", "SHA256SUMS"}


def test_every_file_has_its_checksum(exported):
    lines = (exported / "SHA256SUMS").read_text().splitlines()
    sums = dict(reversed(line.split("  ")) for line in lines)
    assert sums.keys() == {path.name for path in exported.iterdir()} - {"SHA256SUMS"}
    assert all(hashlib.sha256((exported / name).read_bytes()).hexdigest() == digest for name, digest in sums.items())


def test_the_same_record_gives_the_same_bytes(pool, exported, former):
    """Also in place of a former export, of which nothing stays."""
    exporting.export(pool, former)
    assert (former / "SHA256SUMS").read_bytes() == (exported / "SHA256SUMS").read_bytes()
    assert [path.name for path in former.parent.iterdir()] == ["export"]


def test_every_dump_has_every_statement(exported):
    quads = list(parse(path=exported / "foedus.nq", format=RdfFormat.N_QUADS))
    for form, syntax in (("trig", RdfFormat.TRIG), ("jsonld", RdfFormat.JSON_LD)):
        dumped = list(parse(path=exported / f"foedus.{form}", format=syntax))
        assert len(set(dumped)) == len(quads), form
        assert {quad.graph_name for quad in dumped} == {quad.graph_name for quad in quads}
    triples = list(parse(path=exported / "foedus.ttl", format=RdfFormat.TURTLE))
    assert len(triples) == len({quad.triple for quad in quads})


@pytest.mark.parametrize("name", NAMES)
def test_parquet_holds_what_csv_holds(pool, name):
    """The same rows, with integers and days as such, and what each column means."""
    table = Tables(read(pool)).table(name)
    found = parquet.read_table(io.BytesIO(exporting.parquet(table)))
    assert found.column_names == [column.name for column in table.columns]
    columns = found.to_pydict()
    assert [
        tuple(None if (v := columns[c][n]) is None else str(v) for c in columns) for n in range(found.num_rows)
    ] == [tuple(None if value is None else str(value) for value in row) for row in table.rows]
    for column in COLUMNS[name]:
        field = found.schema.field(column.name)
        assert field.metadata[b"description"].decode() == column.meaning
        assert {"integer": "int32", "text": "string", "date": "date32[day]"}[column.type] == str(field.type)


@pytest.fixture
def former(tmp_path):
    """A folder that holds a former export."""
    out = tmp_path / "export"
    out.mkdir()
    (out / "SHA256SUMS").write_text("former\n")
    return out


@pytest.mark.parametrize(
    "trouble", [FoedusError("Trouble."), OSError(28, "No space left on device"), KeyboardInterrupt()]
)
def test_an_export_that_fails_leaves_the_former_one(pool, former, trouble):
    def fail(_):
        raise trouble

    with pytest.raises(CannotRead if isinstance(trouble, OSError) else type(trouble)):
        exporting.export(pool, former, reasoner=fail)
    assert [path.name for path in former.iterdir()] == ["SHA256SUMS"]
    assert (former / "SHA256SUMS").read_text() == "former\n"
    assert [path.name for path in former.parent.iterdir()] == ["export"]


def test_the_file_for_reasoners_is_written_and_summed(pool, former):
    exporting.export(pool, former, reasoner=lambda path: path.write_text("<rdf:RDF/>"))
    assert (former / "foedus-reasoner.owl").is_file()
    assert "foedus-reasoner.owl" in (former / "SHA256SUMS").read_text()


def test_a_folder_with_other_files_is_left_alone(pool, tmp_path):
    (tmp_path / "thesis.tex").write_text("…")
    with pytest.raises(WrongUsage, match="no export"):
        exporting.export(pool, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_place_that_cannot_be_written_is_told(pool, tmp_path):
    (tmp_path / "file").write_text("…")
    with pytest.raises(CannotRead, match="cannot be written"):
        exporting.export(pool, tmp_path / "file" / "export")
