"""The import commands as a shell sees them: what they write, what they tell, and that a fault changes nothing."""

import os
import subprocess
import sys

import pytest

STATES = (
    "@prefix foedus: <https://w3id.org/foedus/ontology#> .\n@prefix id: <https://w3id.org/foedus/id/> .\n"
    "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n"
    'id:ruritania a foedus:State ; rdfs:label "Ruritania"@en .\n'
    'id:code a foedus:CodeAssignment ; foedus:ofState id:ruritania ; foedus:codeScheme "COW" ; foedus:code "40" .\n'
)
HEAD = (
    "conflict_id,year,gwno_a,gwno_a_2nd,gwno_b,gwno_b_2nd,intensity_level,type_of_conflict,start_date,start_date2,"
    "start_prec2,ep_end,ep_end_date\n"
)
ROW = "7,1961,40,,26,,2,interstate,1961-03-04,1961-03-05,1,0,\n"


@pytest.fixture
def run(tmp_path):
    """Runs ``foedus`` in an empty folder with a table of one conflict; never lets a traceback pass."""
    (tmp_path / "states.ttl").write_text(STATES)
    (tmp_path / "acd-251.csv").write_text(HEAD + ROW)

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "foedus", *words],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "FOEDUS_HOME": str(tmp_path / "home")},
        )
        assert "Traceback" not in done.stderr
        return done

    return call


def test_a_row_without_a_state_is_told_and_the_rest_is_written(run, tmp_path):
    done = run("import", "ucdp", "acd-251.csv", "--states", "states.ttl", "--out", "out/ucdp.ttl")
    assert (done.returncode, done.stdout) == (1, "out/ucdp.ttl\n")
    assert done.stderr == (
        "1 armed conflicts, 1 conflict-years, 0 rows left out, of other types.\n"
        "line 2, conflict 7, 1961, gwno_b: 26 is no state’s number\n"
        "1 found no state.\n"
    )
    assert "foedus:sideA id:ruritania" in (tmp_path / "out" / "ucdp.ttl").read_text()


def test_rows_that_all_find_their_states_end_with_0(run, tmp_path):
    (tmp_path / "acd-251.csv").write_text(HEAD + ROW.replace(",26,", ",,"))
    assert run("import", "ucdp", "acd-251.csv", "--states", "states.ttl", "--out", "ucdp.ttl").returncode == 0
    assert run("format", "--check", str(tmp_path / "ucdp.ttl")).returncode == 0


def test_a_malformed_row_leaves_the_former_file_as_it_was(run, tmp_path):
    (tmp_path / "ucdp.ttl").write_text("# as it was\n")
    (tmp_path / "acd-251.csv").write_text(HEAD + ROW + ROW.replace("1961,40", "soon,40"))
    done = run("import", "ucdp", "acd-251.csv", "--states", "states.ttl", "--out", "ucdp.ttl")
    assert done.returncode == 3
    assert "acd-251.csv, line 3: “soon” is no whole number in year." in done.stderr
    assert (tmp_path / "ucdp.ttl").read_text() == "# as it was\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["acd-251.csv", "states.ttl", "ucdp.ttl"]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["import", "ucdp", "none-251.csv", "--states", "states.ttl"], 3, "There is no file none-251.csv."),
        (["import", "ucdp", "acd-251.csv", "--states", "none.ttl"], 3, "none.ttl: The file cannot be read"),
        (["import", "ucdp", "states.ttl"], 2, "Give it, as in --version 25.1."),
        (["import", "ucdp"], 2, "Missing argument"),
        (["import", "states"], 2, "Missing option '--country-codes'"),
        (["import", "nothing"], 2, "No such command 'nothing'"),
        (["import", "ucdp", "states.ttl", "--version", "x", "--states", "states.ttl"], 3, "has no column conflict_id"),
    ],
)
def test_wrong_usage_and_missing_files_are_told(run, words, code, told):
    done = run(*words)
    assert (done.returncode, done.stdout) == (code, "")
    assert told in done.stderr


@pytest.mark.parametrize(
    "words", [["import"], ["import", "-h"], ["import", "states", "-h"], ["import", "ucdp", "--help"]]
)
def test_help_shows_examples(run, words):
    done = run(*words)
    assert done.returncode == 0
    assert "Examples:\n    foedus import" in done.stdout
