"""The shipped content as tests meet it: built once, answered by a real pool, shown by a real app."""

import os
import subprocess
import sys

import pytest

from foedus.build import build
from foedus.query.limits import Limits
from foedus.query.pool import Pool
from foedus.web import create_app


def pytest_configure(config):
    config.addinivalue_line("markers", "browser: drives headless Chromium; skipped where there is none")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Where ``FOEDUS_NOTHING_SKIPPED`` is set, as in CI, a test that is skipped for a missing part has failed.

    The reference files beside the repository are not a part that can be installed.
    """
    report = yield
    if report.skipped and os.environ.get("FOEDUS_NOTHING_SKIPPED") and not hasattr(report, "wasxfail"):
        reason = str(report.longrepr[2])
        if "shared" not in reason:
            report.outcome, report.longrepr = "failed", f"{reason} (and FOEDUS_NOTHING_SKIPPED is set)"
    return report


@pytest.fixture(scope="session")
def dataset(tmp_path_factory):
    """The folder of a dataset built from the shipped content."""
    out = tmp_path_factory.mktemp("dataset")
    build(out)
    return out


@pytest.fixture(scope="session")
def foedus(dataset):
    """Runs ``foedus`` over the built dataset, in the folder *cwd*; never lets a traceback pass."""

    def call(*words, cwd=None):
        environment = {**os.environ, "FOEDUS_HOME": str(dataset)}
        command = [sys.executable, "-m", "foedus", *map(str, words)]
        done = subprocess.run(command, capture_output=True, env=environment, cwd=cwd, text=True)
        assert "Traceback" not in done.stderr
        return done

    return call


@pytest.fixture(scope="session")
def pool(dataset):
    """Two workers that answer from the dataset."""
    with Pool(dataset, Limits.chosen(workers=2)) as running:
        yield running


@pytest.fixture(scope="session")
def app(pool):
    """The web side in front of the pool."""
    return create_app(pool)


@pytest.fixture
def client(app):
    """A client of the web side that follows no redirect by itself."""
    return app.test_client()
