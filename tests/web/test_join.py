"""The README's way to join an answer with Wikidata, tried on what really came from there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from foedus.query.limits import MIB, Limits
from foedus.query.pool import Pool
from foedus.web import create_app

from .front import serving

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
ANSWER = SHARED / "datasets" / "wikidata_military-alliances_2020-10-28.csv"
GERMANY = SHARED / "wikidata" / "Q183_P463_DERIVED.ttl"

pytestmark = pytest.mark.skipif(not ANSWER.exists(), reason="the files in ../shared are not there")


@pytest.fixture(scope="module")
def printed(app):
    """What each of the two examples prints, with our server and another one in the place of Wikidata's."""
    blocks = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(), re.S | re.M)
    here, there = (each for each in blocks if "state_wikidata" in each)
    with (
        Pool((GERMANY,), Limits(workers=2, memory=256 * MIB)) as theirs,
        serving(app) as (our_port, _),
        serving(create_app(theirs)) as (their_port, _),
    ):
        code = f"{here}\nprint('=====')\n{there}"
        for told, ours in (
            ("http://127.0.0.1:8000", f"http://127.0.0.1:{our_port}"),
            ("https://query.wikidata.org", f"http://127.0.0.1:{their_port}"),
            ("alliances_2020-10-28.csv", str(ANSWER)),
        ):
            assert told in code
            code = code.replace(told, ours)
        shown = "'display.width', 200, 'display.max_columns', 9, 'display.max_rows', 99"
        code = f"import pandas\npandas.set_option({shown})\n{code}"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split("=====")


def test_the_table_of_2020_lacks_twelve_members_and_has_denmark_twice(printed):
    lines = [line for line in printed[0].splitlines() if line.endswith(("left_only", "right_only"))]
    assert sorted(line.split()[1] for line in lines if line.endswith("left_only")) == [
        *("Albania", "Belgium", "Czechia", "Estonia", "Greece", "Hungary", "Iceland", "Lithuania", "Luxembourg"),
        *("North", "Slovenia", "Spain"),
    ]
    (other,) = (line for line in lines if line.endswith("right_only"))
    assert "http://www.wikidata.org/entity/Q756617" in other


def test_the_items_are_the_values_of_a_query_at_their_end(printed):
    """Of Germany, whose membership is dated there three days late."""
    (line,) = (line for line in printed[1].splitlines() if "Germany" in line)
    assert line.split()[-2:] == ["1955-05-06", "1955-05-09T00:00:00Z"]
