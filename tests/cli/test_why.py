"""``foedus why`` as a shell sees it."""

import json
from functools import partial

import pytest
from pyoxigraph import RdfFormat, parse


@pytest.fixture(scope="module")
def why(foedus):
    return partial(foedus, "why")


FORMER = ("uzbekistan", "a", "foedus:FormerMemberState")


def test_a_proof_is_a_tree_with_rules_files_and_sources(why):
    shown = why(*FORMER)
    assert shown.returncode == 0
    lines = shown.stdout.splitlines()
    assert lines[0] == "id:uzbekistan a foedus:FormerMemberState"
    assert lines[2].startswith("Proof 1 of 1 (")
    assert "[former-member-state]" in lines[4]
    assert "stated in data/alliances/csto.ttl; source: id:" in shown.stdout
    assert lines.count(next(line for line in lines if "a foedus:Readmission" in line)) == 1


def test_a_proof_is_there_as_json_and_as_turtle(why):
    assert json.loads(why(*FORMER, "--json").stdout)["proofs"][0]["rule"] == "former-member-state"
    assert len(list(parse(why(*FORMER, "--ttl").stdout, format=RdfFormat.TURTLE))) > 100


def test_why_not_names_the_nearest_condition_that_fails(why):
    shown = why("--not", "membership", "state=UZB", "alliance=csto", "date=2013-01-01")
    assert shown.returncode == 0
    assert "It had ended" in shown.stdout.splitlines()[1]
    told = json.loads(why("--not", "membership", "state=UZB", "alliance=csto", "date=2013-01-01", "--json").stdout)
    assert told["holds"] == "no"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("uzbekstan", "a", "foedus:State"), "Did you mean id:uzbekistan"),
        (("Uzbekistan", "a", "foedus:FormerMemberState"), "Did you mean id:uzbekistan"),
        (("uzbekistan", "a", "foedus:Alliance"), "The record does not say"),
        (("uzbekistan", "a"), "A statement has three terms, not 2."),
        ((), "A statement has three terms, not 0."),
        ((*FORMER, "--json", "--ttl"), "exclude each other"),
        ((*FORMER, "--proofs", "0"), "Ask for 1 to 50."),
        (("--not", "weather"), "Choose from: membership, answered."),
        (("--not", "membership", "state=russia"), "takes: state, alliance, date"),
        (("x y", "a", "b"), "is no term"),
    ],
)
def test_wrong_usage_is_told(why, words, said):
    shown = why(*words)
    assert shown.returncode == 2
    assert said in shown.stderr
    assert shown.stdout == ""
