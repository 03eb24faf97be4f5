"""The shipped content as tests meet it: built once, answered by a real pool, shown by a real app."""

import pytest

from foedus.build import build
from foedus.query.limits import Limits
from foedus.query.pool import Pool
from foedus.web import create_app


def pytest_configure(config):
    config.addinivalue_line("markers", "browser: drives headless Chromium; skipped where there is none")


@pytest.fixture(scope="session")
def dataset(tmp_path_factory):
    """The folder of a dataset built from the shipped content."""
    out = tmp_path_factory.mktemp("dataset")
    build(out)
    return out


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
