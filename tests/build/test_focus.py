"""A check of single files says of them what a check of everything says, and says what it did not look at."""

import re
import shutil
from pathlib import Path

import pytest

from foedus import files
from foedus.build import build, check

SHAPES = Path(__file__).parents[1] / "shapes"
EXPECTS = re.compile(r"^# expects: shapes/(\S+)\.ttl", re.MULTILINE)


def test_a_check_of_one_file_tells_what_it_looked_at_and_what_it_only_read(world):
    report = check([world / "data" / "states.ttl"], root=world)
    looked_at = {count.what: count.number for count in report.counts}
    context = {count.what: count.number for count in report.context}
    assert (looked_at["data files"], looked_at["focus nodes"]) == (1, 2)
    assert (context["data files"], context["rules"]) == (3, 1)
    assert "Read as context, and not looked at: 3 data files" in report.text()
    assert '"context"' in report.json()


def test_a_check_of_everything_leaves_nothing_out(world):
    assert check(root=world).context == ()
    assert "Read as context" not in check([world / "ontology"], root=world).text()


def test_a_check_of_one_file_is_silent_on_the_others(world, add):
    add("data/more.ttl", "\nid:gaul a foedus:State .\n")
    assert [each.file for each in check([world / "data" / "states.ttl"], root=world).findings] == []
    assert {each.node for each in check([world / "data" / "more.ttl"], root=world).findings} >= {"id:gaul"}


def test_a_faulty_shape_is_told_where_it_keeps_a_file_from_being_looked_at(world, add):
    add("shapes/more.ttl", "\nshape:More a sh:NodeShape ; sh:targetClass foedus:State ; sh:minCunt 1 .\n")
    (finding,) = (each for each in check([world / "data" / "states.ttl"], root=world).findings if each.node)
    assert (finding.file, finding.node) == ("shapes/more.ttl", "shape:More")


def test_shapes_are_examined_again_where_the_dataset_was_built_with_others(world, add, tmp_path, monkeypatch):
    monkeypatch.setenv("FOEDUS_HOME", str(tmp_path / "home"))
    build(tmp_path / "home", root=world)
    states = [world / "data" / "states.ttl"]
    assert check(states, root=world).findings == ()
    add("shapes/state.ttl", "\nshape:More a sh:NodeShape ; sh:targetClass foedus:Stat .\n")
    assert any("foedus:Stat is not a term" in each.message for each in check(states, root=world).findings)


@pytest.fixture(scope="module")
def faults(tmp_path_factory) -> Path:
    """The ontology and the shapes that are shipped, and data with one failing example for each sort of thing."""
    root = tmp_path_factory.mktemp("faults")
    for folder in ("ontology", "shapes"):
        shutil.copytree(files.ROOT / folder, root / folder)
    (root / "data" / "queries").mkdir(parents=True)
    (root / "data" / "links").mkdir()
    shutil.copy(SHAPES / "valid" / "world.ttl", root / "data")
    one_of_each = {}
    for path in sorted((SHAPES / "invalid").glob("*.ttl")):
        text = path.read_text(encoding="utf-8")
        one_of_each[EXPECTS.search(text)[1]] = (path, text.replace("id:broken", f"id:{path.stem}-broken"))
    for path, text in one_of_each.values():
        (root / "data" / path.name).write_text(text, encoding="utf-8")
    return root


def test_what_is_found_in_a_file_alone_is_what_is_found_there_among_all(faults):
    among_all = {}
    for finding in check(root=faults).findings:
        among_all.setdefault(finding.file, set()).add(finding)
    examples = sorted(path for path in (faults / "data").glob("*.ttl") if path.name != "world.ttl")
    assert len(examples) > 30
    for path in examples[::5]:
        alone = set(check([path], root=faults).findings)
        assert alone == among_all[f"data/{path.name}"], path.name
