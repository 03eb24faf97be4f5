"""The record's side of an audit, and audits of what a test writes."""

import json

import pytest

from foedus.link import auditing, reading
from foedus.link.here import Here


@pytest.fixture(scope="session")
def here(pool):
    """The shipped record, read once."""
    return Here(pool)


@pytest.fixture
def audited(here, tmp_path):
    """Audits what it is given as a file: text, or anything else as JSON."""

    def call(content, name="entity.json", on=None):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return auditing.audit([reading.read(path)], here, on)

    return call
