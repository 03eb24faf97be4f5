"""RDF files of one's own as ``--data`` serves them, and a client of the app in front of them."""

import pytest

from foedus.query.limits import MIB, Limits
from foedus.query.pool import Pool
from foedus.web import create_app

ONE, TWO, THREE = (f"http://example.org/graph/{name}" for name in ("one", "two", "three"))
TRIG = f"""
PREFIX : <http://example.org/>
:alone :in "the default graph" .
<{ONE}> {{ :both :in "both" . :first :in "one" ; :knows [ :named "nobody" ; :near [ :named "no one" ] ] . }}
<{TWO}> {{ :both :in "both" . :second :in "two" . }}
<{THREE}> {{ :third :in "three" ; :number {", ".join(str(n) for n in range(400))} . }}
"""


@pytest.fixture(scope="session")
def own_pool(tmp_path_factory):
    """Two workers over a file of one's own: a default graph, and three named ones of which two share a triple."""
    file = tmp_path_factory.mktemp("own") / "own.trig"
    file.write_text(TRIG)
    with Pool((file,), Limits(workers=2, memory=256 * MIB)) as running:
        yield running


@pytest.fixture(scope="session")
def own(own_pool):
    """A client of the web side in front of ``own_pool``."""
    return create_app(own_pool).test_client()
