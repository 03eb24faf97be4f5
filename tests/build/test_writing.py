"""A dataset is written whole or not at all, and the same content makes the same bytes."""

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from pyoxigraph import Quad, RdfFormat, Store, parse

from foedus import names
from foedus.build import build, is_current
from foedus.errors import CannotRead


def sound(out) -> dict:
    """The manifest in *out*, after holding the dataset against it as a reader does."""
    folder = (out / "current").resolve()
    content = (folder / "dataset.nq").read_bytes()
    manifest = json.loads((folder / "manifest.json").read_text())
    assert hashlib.sha256(content).hexdigest() == manifest["dataset"]["sha256"]
    assert len(content) == manifest["dataset"]["bytes"]
    assert content.count(b"\n") == manifest["dataset"]["quads"]
    return manifest


def everything(out) -> dict[str, bytes]:
    files = ("dataset.nq", "manifest.json", *(f"current/{name}" for name in names.DUMPS[1:]))
    return {name: (out / name).read_bytes() for name in files}


def test_the_dataset_is_what_its_manifest_says(world, tmp_path):
    manifest = build(tmp_path / "out", root=world)
    written = sound(tmp_path / "out")
    assert json.loads(manifest.json()) == written
    assert written["asOf"] == "2026-11-22"
    assert set(written["graphs"]) == set(names.GRAPHS)
    assert all(written["graphs"].values())
    assert sum(written["graphs"].values()) == written["dataset"]["quads"] == manifest.quads
    states = (world / "data" / "states.ttl").read_bytes()
    assert written["inputs"]["data/states.ttl"] == hashlib.sha256(states).hexdigest()


def test_the_same_content_makes_the_same_bytes_wherever_it_lies(world, tmp_path, builder):
    """Neither the time, nor a path, nor the order in which Python hashes things gets into the dataset."""
    build(tmp_path / "one", root=world)
    elsewhere = tmp_path / "else" / "where"
    shutil.copytree(world, elsewhere)
    for seed in ("1", "2"):
        out = tmp_path / f"seed-{seed}"
        environment = os.environ | {"PYTHONHASHSEED": seed, "TZ": "Pacific/Kiritimati"}
        subprocess.run([*builder, elsewhere, out], check=True, env=environment)
        assert everything(out) == everything(tmp_path / "one")


def test_what_the_files_say_is_what_the_dataset_says(world, tmp_path):
    build(tmp_path / "out", root=world)
    asserted = {
        Quad(quad.subject, quad.predicate, quad.object)
        for quad in parse(path=tmp_path / "out" / "dataset.nq", format=RdfFormat.N_QUADS)
        if quad.graph_name.value == names.ASSERTED
    }
    read = {quad for path in (world / "data").rglob("*.ttl") for quad in parse(path=path, format=RdfFormat.TURTLE)}
    assert asserted == read


def test_the_dataset_describes_itself(world, tmp_path):
    build(tmp_path / "out", root=world)
    store = Store()
    store.load(path=tmp_path / "out" / "dataset.nq", format=RdfFormat.N_QUADS)

    def ask(pattern: str) -> bool:
        return bool(store.query(f"{names.prologue()}ASK {{ GRAPH <{names.ABOUT}> {{ {pattern} }} }}"))

    assert ask('id:rome foedus:statedIn "data/states.ttl"')
    assert ask('?question a sh:SPARQLSelectExecutable ; rdfs:comment "Which states are there?"@en ; sh:select ?text')
    assert ask("?any sh:declare [ sh:prefix 'foedus' ; sh:namespace ?namespace ]")
    assert ask("id:foedus-dataset void:classPartition [ void:class foedus:State ; void:entities 2 ]")
    assert ask("id:foedus-dataset void:propertyPartition [ void:property foedus:signed ; void:triples 1 ]")
    assert not store.query(f"ASK {{ GRAPH <{names.ABOUT}> {{ ?s ?p ?o FILTER(ISBLANK(?s) || ISBLANK(?o)) }} }}")


def test_a_dataset_is_current_until_the_content_changes(world, add, tmp_path):
    out = tmp_path / "out"
    assert not is_current(out, world)
    build(out, root=world)
    assert is_current(out, world)
    add("data/states.ttl", "# A remark.\n")
    assert not is_current(out, world)
    build(out, root=world)
    assert is_current(out, world)
    (out / "manifest.json").unlink()
    assert not is_current(out, world)


def test_other_data_take_the_place_of_the_shipped_data(world, tmp_path):
    mine = tmp_path / "mine"
    shutil.copytree(world / "data", mine)
    (mine / "states.ttl").write_text((mine / "states.ttl").read_text().replace("carthage", "gaul"))
    build(tmp_path / "out", [mine], root=world)
    dataset = (tmp_path / "out" / "dataset.nq").read_text()
    assert "id/gaul" in dataset
    assert "carthage" not in dataset
    assert '"mine/states.ttl"' in dataset
    assert not is_current(tmp_path / "out", world)


def test_a_failed_build_leaves_the_former_dataset(world, add, tmp_path):
    out = tmp_path / "out"
    build(out, root=world)
    before = everything(out)
    add("data/states.ttl", "id:x a foedus:State .\n")
    with pytest.raises(Exception, match="finding"):
        build(out, root=world)
    assert everything(out) == before


def test_a_killed_build_leaves_a_whole_dataset_and_the_next_one_cleans_up(world, add, tmp_path):
    """Killed at many moments, most of them while it writes."""
    out = tmp_path / "out"
    build(out, root=world)
    code = (
        "import sys, os\n"
        "from pathlib import Path\n"
        "from foedus import build\n"
        "def tell(step, done, total):\n"
        "    if step == 'Writing':\n"
        "        print('writing', flush=True)\n"
        "build.build(Path(sys.argv[2]), root=Path(sys.argv[1]), progress=tell)\n"
    )
    rest = random.Random(20220913)
    killed = 0
    for number in range(12):
        add("data/states.ttl", f"# Remark {number}.\n")
        process = subprocess.Popen([sys.executable, "-c", code, world, out], stdout=subprocess.PIPE)
        process.stdout.readline()
        time.sleep(rest.uniform(0, 0.02))
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        process.stdout.close()
        sound(out)
    assert killed
    build(out, root=world)
    assert is_current(out, world)
    assert len(list((out / "versions").iterdir())) <= 2
    left = {path.name for path in out.iterdir()}
    assert left == {".lock", "current", "dataset.nq", "manifest.json", "rules.json", "versions"}


@pytest.mark.parametrize("size", [0, 1, 4096, 20_000])
def test_a_full_disk_leaves_the_former_dataset(world, add, tmp_path, builder, size):
    """No file may grow beyond *size*: writing fails as it does where no room is left."""
    out = tmp_path / "out"
    build(out, root=world)
    before = everything(out)
    add("data/states.ttl", "# A remark.\n")
    limited = (
        "import resource, runpy, sys; sys.argv = sys.argv[1:]; "
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size})); runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-c", limited, builder[1], world, out], capture_output=True, text=True, check=False
    )
    assert done.returncode == 3, done.stderr
    assert "cannot be written" in done.stderr
    assert "--out" in done.stderr
    assert "Traceback" not in done.stderr
    assert everything(out) == before
    build(out, root=world)
    sound(out)


def test_two_builds_at_once_both_succeed(world, tmp_path, builder):
    out = tmp_path / "out"
    running = [subprocess.Popen([*builder, world, out]) for _ in range(2)]
    assert [process.wait(60) for process in running] == [0, 0]
    sound(out)
    assert is_current(out, world)


def test_a_damaged_dataset_is_put_right(world, tmp_path):
    out = tmp_path / "out"
    build(out, root=world)
    before = everything(out)
    (out / "current" / "dataset.nq").write_text("damage")
    build(out, root=world)
    assert everything(out) == before
    sound(out)


def test_the_former_version_stays_for_whoever_is_reading_it(world, add, tmp_path):
    out = tmp_path / "out"
    build(out, root=world)
    reading = (out / "current").resolve()
    add("data/states.ttl", "# A remark.\n")
    build(out, root=world)
    assert (reading / "dataset.nq").is_file()
    assert (out / "current").resolve() != reading


@pytest.mark.parametrize("place", ["file", "proc"])
def test_where_nothing_can_be_written_the_message_says_so_at_once(world, tmp_path, place):
    (tmp_path / "file").write_text("")
    out = tmp_path / "file" / "out" if place == "file" else "/proc/foedus"
    with pytest.raises(CannotRead, match="cannot be written") as raised:
        build(type(tmp_path)(out), root=world)
    assert "--out" in raised.value.remedy


@pytest.fixture
def nobody():
    """The rights of an ordinary user, for the superuser may write everywhere."""
    mine = os.geteuid()
    if mine == 0:
        os.seteuid(65534)
    yield
    os.seteuid(mine)


@pytest.fixture
def read_only_folder():
    """A folder that everybody may read and nobody may write; outside pytest's own, which only its owner may enter."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o555)
    yield folder
    shutil.rmtree(folder)


def test_a_read_only_folder_is_told(world, read_only_folder, nobody):
    with pytest.raises(CannotRead, match="Permission denied"):
        build(read_only_folder, root=world)
