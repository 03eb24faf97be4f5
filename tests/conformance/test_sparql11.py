"""The endpoint against the W3C SPARQL 1.1 suite: every test of queries, results and syntax; updates are refused."""

from pathlib import Path

import pytest

from foedus.errors import BadQuery

if not (Path(__file__).parents[3] / "shared" / "conformance" / "sparql11").is_dir():
    pytest.skip(
        "the W3C suite is not there: put sparql/sparql11 of https://github.com/w3c/rdf-tests at "
        "../shared/conformance/sparql11",
        allow_module_level=True,
    )


def test_a_query_is_answered_as_the_suite_says(case, direct):
    assert direct[case.name] is None


def test_349_tests_are_run_and_337_pass(direct):
    assert len(direct) == 349
    assert sum(why is None for why in direct.values()) >= 337


def test_the_workers_of_a_pool_pass_and_fail_the_same_tests(direct, pooled):
    assert {name for name, why in pooled.items() if why} == {name for name, why in direct.items() if why}


def test_every_known_failure_is_a_test_of_the_suite(suite, direct):
    assert suite.known_failures().keys() <= direct.keys()


def test_every_update_of_the_suite_is_refused(suite):
    updates = [path for folder in suite.UPDATE_FOLDERS for path in sorted((suite.SUITE / folder).glob("*.ru"))]
    assert len(updates) == 148
    for path in updates:
        with pytest.raises(BadQuery):
            suite.ask_of(suite.ox.Store(), path.read_text(encoding="utf-8"), "json")


def test_the_published_table_is_that_of_this_run(suite, direct, request):
    table = suite.as_table(direct)
    if request.config.getoption("publish", default=False):
        suite.publish(table)
    assert suite.published() == table, "run: python -m pytest tests/conformance --publish"
