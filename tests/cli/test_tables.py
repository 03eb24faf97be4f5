"""``foedus export`` and ``foedus compare`` as a shell sees them."""

import json
import subprocess
from functools import partial

import pytest


@pytest.fixture(scope="module")
def run(foedus, tmp_path_factory):
    """Runs ``foedus`` in a folder of its own."""
    return partial(foedus, cwd=tmp_path_factory.mktemp("work"))


@pytest.fixture(scope="module")
def exported(run, tmp_path_factory):
    """The folder of an export made by the command."""
    out = tmp_path_factory.mktemp("export") / "tables"
    done = run("export", "--out", out)
    assert (done.returncode, done.stdout) == (0, f"{out}\n"), done.stderr
    return out


def test_export_writes_tables_dumps_and_checksums(exported):
    files = {path.name for path in exported.iterdir()}
    assert {
        "dyad-year.csv",
        "dyad-year.parquet",
        "codebook.md",
        "foedus.trig",
        "foedus-reasoner.owl",
        "SHA256SUMS",
    } <= files
    summed = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=exported)
    assert summed.returncode == 0


@pytest.mark.parametrize("table", ["alliance-member", "dyad-year", "directed-dyad-year"])
def test_the_record_agrees_with_its_own_tables(run, exported, table):
    done = run("compare", exported / f"{table}.csv", "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["differences"]) == (0, []), done.stderr
    assert found["agreements"] > 200


def test_a_difference_is_told_and_exits_with_1(run, exported, tmp_path):
    """Greece and Turkey were bound by the treaty since 18 February 1952, and the United States since 24 August 1949."""
    file = tmp_path / "theirs.csv"
    file.write_text(
        "version4id,ccode,mem_st_year,mem_st_month,mem_st_day,mem_end_year,mem_end_month,mem_end_day\n"
        "1,350,1952,2,18,,,\n1,640,1952,2,20,,,\n1,2,1949,8,24,,,\n"
    )
    done = run("compare", file, "--same", "1=nato", "--csv")
    lines = done.stdout.splitlines()
    assert done.returncode == 1
    assert lines[0] == "what,body,state1,state2,year,last_year,there,here,size,unit"
    assert "begin,nato,turkey,,,,1952-02-20,1952-02-18,2,days" in lines
    assert not any(",greece," in line or "begin,nato,united-states" in line for line in lines)
    assert "only here,nato,canada" in done.stdout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("compare", "nowhere.csv"), 3, "nowhere.csv cannot be read"),
        (("compare", "x.csv", "--json", "--csv"), 2, "exclude each other"),
        (("compare", "x.csv", "--same", "nato"), 2, "not of the form"),
        (("export", "--out", "/"), 2, "no export"),
    ],
)
def test_what_is_wrong_is_told_with_its_exit_code(run, words, code, said):
    done = run(*words)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
