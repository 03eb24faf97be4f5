"""Formatting changes the layout of hand-written Turtle and nothing else."""

import stat

import pytest

from foedus.build import check, layout
from foedus.errors import CannotRead, DataHasFindings

UGLY = '@prefix b: <http://b/> .\n@prefix a: <http://a/> .\n# A remark.\na:x   a:y "z"   ;\n a:q 1 .\n'
NEAT = '@prefix a: <http://a/> .\n@prefix b: <http://b/> .\n\n# A remark.\na:x a:y "z" ;\n    a:q 1 .\n'


def test_a_file_is_laid_out_with_its_comments(tmp_path):
    path = tmp_path / "a.ttl"
    path.write_text(UGLY)
    assert layout.check([path]) == [path]
    assert path.read_text() == UGLY
    assert layout.format_files([path]) == [path]
    assert path.read_text() == NEAT
    assert layout.format_files([path]) == []


def test_a_folder_stands_for_its_turtle_files(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.ttl").write_text(UGLY)
    (tmp_path / "b.ttl").write_text(NEAT)
    assert layout.check([tmp_path]) == [tmp_path / "in" / "a.ttl"]


def test_a_malformed_file_stays_and_the_others_are_laid_out(tmp_path):
    (tmp_path / "a.ttl").write_bytes(b"nonsense <")
    (tmp_path / "b.ttl").write_bytes(UGLY.encode("utf-16"))
    (tmp_path / "c.ttl").write_text(UGLY)
    with pytest.raises(DataHasFindings) as raised:
        layout.format_files([tmp_path])
    assert "a.ttl:1: " in str(raised.value)
    assert "UTF-16" in str(raised.value)
    assert (tmp_path / "a.ttl").read_bytes() == b"nonsense <"
    assert (tmp_path / "b.ttl").read_bytes() == UGLY.encode("utf-16")
    assert (tmp_path / "c.ttl").read_text() == NEAT


def test_permissions_and_links_stay(tmp_path):
    path = tmp_path / "a.ttl"
    path.write_text(UGLY)
    path.chmod(0o640)
    (tmp_path / "link.ttl").symlink_to(path)
    layout.format_files([tmp_path / "link.ttl"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert (tmp_path / "link.ttl").is_symlink()
    assert path.read_text() == NEAT
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.ttl", "link.ttl"]


def test_a_path_that_is_not_there_is_told(tmp_path):
    with pytest.raises(CannotRead, match="There is no"):
        layout.check([tmp_path / "nowhere"])
    with pytest.raises(CannotRead, match="no Turtle file"):
        layout.check([tmp_path])


def test_a_file_that_is_not_laid_out_is_a_finding_of_the_check(world):
    layout.format_files([world])
    assert check(root=world).findings == ()
    path = world / "data" / "states.ttl"
    path.write_text(path.read_text().replace("id:rome a ", "id:rome   a "))
    (finding,) = check(root=world).findings
    assert (finding.file, finding.remedy) == ("data/states.ttl", "Run: foedus format")
    assert "id:rome" in path.read_text().splitlines()[finding.line - 1]
