"""The matcher over the shipped data, and a client of the app over data of another kind."""

import pytest

from foedus.query import matching
from foedus.query.limits import MIB, Limits
from foedus.query.pool import Pool
from foedus.web import create_app


@pytest.fixture(scope="session")
def matcher(pool):
    return matching.matcher(pool)


@pytest.fixture
def elsewhere(tmp_path):
    file = tmp_path / "ships.ttl"
    file.write_text('<http://example.org/argo> <http://example.org/name> "Argo" .')
    with Pool((file,), Limits(workers=2, memory=256 * MIB)) as running:
        yield create_app(running).test_client()
