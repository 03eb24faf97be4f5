"""The list of names on which reconciliation is measured is drawn by its script, and large enough."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from . import draw

COUNTRY_CODES = Path(__file__).parents[3] / "shared" / "datasets" / "country-codes.csv"


@pytest.fixture(scope="module")
def names():
    with draw.NAMES.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.skipif(not COUNTRY_CODES.exists(), reason="the files in ../shared are not there")
def test_the_list_is_what_the_script_draws(names):
    assert names == draw.draw(COUNTRY_CODES)


def test_the_list_has_six_hundred_names_a_third_of_them_held_out(names):
    parts = Counter(row["part"] for row in names)
    assert len(names) >= 600
    assert set(parts) == {draw.TUNED, draw.HELD_OUT}
    assert 0.3 < parts[draw.HELD_OUT] / len(names) < 0.37


def test_each_text_means_one_state_of_the_crosswalk(names):
    with draw.CROSSWALK.open(encoding="utf-8", newline="") as file:
        states = {row["state"] for row in csv.DictReader(file)}
    assert {row["state"] for row in names} <= states
    assert len({row["text"] for row in names}) == len(names)


def test_each_kind_of_text_is_in_both_parts(names):
    kinds = {part: {row["kind"] for row in names if row["part"] == part} for part in (draw.TUNED, draw.HELD_OUT)}
    assert kinds[draw.TUNED] == kinds[draw.HELD_OUT]
    assert len(kinds[draw.TUNED]) == 17
