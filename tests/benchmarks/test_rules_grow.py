"""As the record grows, the rules conclude the same of each membership, in as many rounds. No time is asserted."""

import sys
from pathlib import Path

import pytest

from foedus.build import rules as running

sys.path.insert(0, str(Path(__file__).parent))

import rules as benchmark


@pytest.fixture(scope="module")
def reasoned():
    """The benchmark's figures for three sizes."""
    return [benchmark.reason(benchmark.MEMBERSHIPS * alliances) for alliances in (5, 10, 20)]


def test_the_history_has_the_memberships_that_were_asked_for(reasoned):
    assert [each.memberships for each in reasoned] == [120, 240, 480]


def test_each_further_membership_makes_as_many_facts_and_conclusions(reasoned):
    one, two, four = reasoned
    assert two.facts - one.facts == (four.facts - two.facts) / 2
    assert two.conclusions - one.conclusions == pytest.approx((four.conclusions - two.conclusions) / 2, rel=0.02)


def test_the_rounds_are_the_same_at_every_size(reasoned):
    assert len({each.rounds for each in reasoned}) == 1


def test_a_large_record_may_conclude_more_than_a_small_one(monkeypatch):
    """What stops a rule without an end grows with the facts."""
    monkeypatch.setattr(running, "MOST_NEW", 100)
    assert benchmark.reason(240).conclusions > 100


def test_the_same_history_is_told_each_time():
    assert list(benchmark.history(100)) == list(benchmark.history(100))
