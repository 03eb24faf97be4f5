"""``foedus link audit`` as a shell sees it."""

import json
from functools import partial

import pytest

LEFT = "alliance,country\nhttp://www.wikidata.org/entity/Q318693,http://www.wikidata.org/entity/Q265\n"
ALL = ("Q399", "Q184", "Q232", "Q813", "Q159", "Q863")


@pytest.fixture
def run(foedus, tmp_path):
    """Runs the command in a folder of its own."""
    return partial(foedus, "link", "audit", cwd=tmp_path)


def test_without_findings_the_code_is_0(run, tmp_path):
    """The six members of the organisation in 2024; the summary is the last line."""
    rows = "".join(f"Q318693,{qid}\n" for qid in ALL)
    (tmp_path / "answer_2024-01-01.csv").write_text(f"alliance,country\n{rows}")
    done = run("answer_2024-01-01.csv")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("6 agrees.\n")


def test_a_finding_is_1_and_something_unreadable_3(run, tmp_path):
    """Of two files the one that can be read is compared, and the answer says that it is partial."""
    (tmp_path / "good.csv").write_text(LEFT)
    (tmp_path / "bad.json").write_text('{"id": "Q183", "cl')
    assert run("good.csv").returncode == 1
    done = run("good.csv", "bad.json", "none.ttl", "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["partial"], found["counts"]["contradicted"]) == (3, True, 1)
    assert "bad.json: line 1: The JSON" in done.stderr and "none.ttl: No such file" in done.stderr
    alone = run("none.ttl")
    assert (alone.returncode, alone.stdout) == (3, "")


def test_forms_exclude_each_other_and_a_day_is_a_day(run, tmp_path):
    (tmp_path / "good.csv").write_text(LEFT)
    assert run("good.csv", "--json", "--markdown").returncode == 2
    assert run("good.csv", "--on", "2020").returncode == 2
    assert run("good.csv", "--only", "everything").returncode == 2
    assert run("--endpoint", "Q183.json").returncode == 2
