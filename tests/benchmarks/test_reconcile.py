"""The benchmark of reconciliation asks ten different names at a time, and prints what it measured."""

import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import reconcile  # noqa: E402


def test_no_name_comes_twice_in_its_batches():
    texts = [query["query"] for batch in reconcile.batches(250, {"type": "State"}) for query in batch.values()]
    assert len(set(texts)) == len(texts) == 2500


def test_it_prints_a_line_for_each_way_of_asking(dataset):
    shown = subprocess.run(
        [sys.executable, str(HERE / "reconcile.py"), "--batches", "3"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "FOEDUS_HOME": str(dataset)},
    ).stdout
    assert [re.split(r"\s{2,}", line)[0] for line in shown.splitlines()[2:]] == list(reconcile.WAYS)
