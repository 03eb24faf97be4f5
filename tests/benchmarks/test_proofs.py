"""The benchmark of proofs explains what the rules conclude, the same conclusions each time. No time is asserted."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import proofs as benchmark

from foedus.query import why


@pytest.fixture(scope="module")
def asker(dataset):
    return benchmark.Local(dataset)


def test_the_conclusions_are_those_of_the_dataset_and_the_same_seed_draws_the_same(asker):
    every = asker.conclusions()
    assert len(every) > 10_000
    assert benchmark.chosen(every, 20, 1) == benchmark.chosen(every, 20, 1) != benchmark.chosen(every, 20, 2)
    assert len(set(benchmark.chosen(every, 20, 1))) == 20
    assert benchmark.chosen(every, 0, 1) == every


def test_what_is_measured_is_the_explanation_that_the_pool_gives(asker, pool):
    statement = why.read_statement("id:uzbekistan", "a", "foedus:FormerMemberState")
    assert why.explain(asker, statement) == why.explain(pool, statement)


def test_the_times_come_with_what_took_them_the_slowest_last(asker):
    times = benchmark.measured(asker, benchmark.chosen(asker.conclusions(), 20, 1))
    assert [each for each, _ in times.of] == sorted(each for each, _ in times.of)
    assert times.median <= times.p95 <= times.slowest
    assert benchmark.Times(tuple((float(n), times.of[0][1]) for n in range(1, 101))).p95 == 95.0
    assert benchmark.Times(tuple((float(n), times.of[0][1]) for n in range(1, 101))).within(50.0) == 0.49
