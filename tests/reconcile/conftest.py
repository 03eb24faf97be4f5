"""The matcher over the shipped data."""

import pytest

from foedus.query import matching


@pytest.fixture(scope="session")
def matcher(pool):
    return matching.matcher(pool)
