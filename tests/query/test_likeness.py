"""How alike names are, and what of a spelling counts for nothing."""

import pytest

from foedus.query.likeness import Likeness, folded, words


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("CÔTE  D’IVOIRE", "cote d'ivoire"),
        ("Guinea–Bissau", "guinea-bissau"),
        ("Йемен", "иемен"),
        ("Łódź, Tromsø, Çeşme, Bakı", "lodz, tromso, cesme, baki"),
        ("أفغانستان", "افغانستان"),
        ("ＵＳＳＲ", "ussr"),
    ],
)
def test_case_accents_and_kinds_of_dash_count_for_nothing(name, same):
    assert folded(name) == same


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Korea (the Republic of)", ("korea", "republic")),
        ("la République de l'Ouganda", ("republique", "ouganda")),
        ("St. Lucia", ("saint", "lucia")),
        ("Trinidad & Tobago", ("trinidad", "tobago")),
        ("S. Korea", ("south", "korea")),
        ("Germany, E.", ("germany", "east")),
        ("São Tomé e Príncipe", ("sao", "tome", "principe")),
        ("U.S.", ("u", "s")),
        ("The", ("the",)),
        ("…", ()),
    ],
)
def test_articles_and_prepositions_count_only_where_there_is_nothing_else(name, parts):
    assert words(name) == parts


@pytest.fixture(scope="module")
def likeness():
    return Likeness(
        {
            "republic of korea": {"south"},
            "people's republic of korea": {"north"},
            "niger": {"niger"},
            "nigeria": {"nigeria"},
        }
    )


def test_the_order_of_words_counts_for_nothing(likeness):
    assert likeness.same("Korea, Republic of") == {"south"}
    assert likeness.same("Korea") == set()


def test_two_letters_swapped_are_one_slip(likeness):
    assert likeness.near("Nigre") == pytest.approx({"niger": 0.8})
    assert likeness.near("Nigeira")["nigeria"] == pytest.approx(1 - 1 / 7)


def test_a_name_within_a_longer_one_is_like_it(likeness):
    near = likeness.near("Korea")
    assert near["south"] > near["north"] >= 0.6


@pytest.mark.parametrize("text", ["", "…", "\u0000", "x" * 100_000, "ب" * 300])
def test_what_is_like_nothing_is_near_nothing(likeness, text):
    assert likeness.near(text) == {}
