"""The published table and the list of known failures agree; this needs no suite."""

from collections import Counter


def test_the_table_counts_the_listed_failures(suite):
    listed = Counter(name.partition("/")[0] for name in suite.known_failures())
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in suite.published().splitlines()[2:]]
    assert {folder: int(failed) for folder, _, _, failed in rows[:-1] if failed != "0"} == dict(listed)
    for folder, tests, passed, failed in rows[:-1]:
        assert int(tests) == int(passed) + int(failed), folder


def test_every_known_failure_names_its_cause_and_an_issue(suite):
    for name, known in suite.known_failures().items():
        assert known["cause"].endswith("."), name
        assert known["issue"].startswith("https://github.com/"), name
