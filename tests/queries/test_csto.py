"""The parties of the Collective Security Treaty and the members of its organisation, day by day.

Typed by hand from the sources of the acts: the first day and the last of each stage, and the days on which an act that
binds nobody was done. Six are the states that have stayed.
"""

import pytest

from foedus import names
from foedus.query import results
from foedus.query.answering import answer

SIX = {"armenia", "belarus", "kazakhstan", "kyrgyzstan", "russia", "tajikistan"}
LEFT_IN_1999 = {"azerbaijan", "georgia", "uzbekistan"}
UNDATED = {"azerbaijan", "belarus", "georgia"}
UZBEKISTAN = {"uzbekistan"}

# Day, certainly bound, possibly bound, certainly members, possibly members, and what the day shows.
DAYS = [
    ("1994-04-19", set(), set(), set(), set(), "signed by all, in force for nobody"),
    ("1994-04-20", (SIX | LEFT_IN_1999) - UNDATED, UNDATED, set(), set(), "in force; three days of entry unknown"),
    ("1999-04-02", SIX | LEFT_IN_1999, set(), set(), set(), "refusing to extend is not leaving"),
    ("1999-04-20", SIX | LEFT_IN_1999, set(), set(), set(), "the last day of the first term"),
    ("1999-04-21", SIX, set(), set(), set(), "the term has ended for three"),
    ("1999-12-01", SIX, set(), set(), set(), "bound by effect, before the extension was in force"),
    ("2002-05-14", SIX, set(), set(), set(), "the organisation is decided upon"),
    ("2002-10-07", SIX, set(), set(), set(), "the charter is signed"),
    ("2003-09-17", SIX, set(), set(), set(), "the charter is not yet in force"),
    ("2003-09-18", SIX, set(), SIX, set(), "the charter is in force"),
    ("2006-06-22", SIX, set(), SIX, set(), "the day before Uzbekistan's return is announced"),
    ("2006-06-23", SIX, UZBEKISTAN, SIX, UZBEKISTAN, "announced is not ratified"),
    ("2006-08-16", SIX, UZBEKISTAN, SIX, UZBEKISTAN, "nor is signed"),
    ("2008-03-27", SIX, UZBEKISTAN, SIX, UZBEKISTAN, "the day before the last ratification"),
    ("2008-03-28", SIX | UZBEKISTAN, set(), SIX | UZBEKISTAN, set(), "the second spell is certain"),
    ("2010-06-12", SIX | UZBEKISTAN, set(), SIX | UZBEKISTAN, set(), "Kyrgyzstan asks"),
    ("2012-06-27", SIX | UZBEKISTAN, set(), SIX | UZBEKISTAN, set(), "the day before the note is confirmed"),
    ("2012-06-28", SIX, UZBEKISTAN, SIX, UZBEKISTAN, "the note, without a decision"),
    ("2012-12-18", SIX, UZBEKISTAN, SIX, UZBEKISTAN, "the day before the decision"),
    ("2012-12-19", SIX, set(), SIX, set(), "the decision"),
    ("2022-01-05", SIX, set(), SIX, set(), "Kazakhstan asks"),
    ("2022-09-13", SIX, set(), SIX, set(), "Armenia asks; Azerbaijan is bound by nothing"),
]


@pytest.mark.parametrize(("day", "bound", "perhaps_bound", "members", "perhaps_members", "why"), DAYS)
def test_who_was_bound_and_who_a_member(pool, day, bound, perhaps_bound, members, perhaps_members, why):
    assert by_certainty(pool, "bound-on", day, treaty="collective-security-treaty") == {
        "certain": bound,
        "possible": perhaps_bound,
        "presumed": set(),
    }, why
    assert by_certainty(pool, "members-on", day, alliance="csto") == {
        "certain": members,
        "possible": perhaps_members,
        "presumed": set(),
    }, why


def test_after_the_last_attestation_nobody_is_certainly_a_member_and_the_six_are_presumed_to_be(pool):
    assert by_certainty(pool, "members-on", "2030-01-01", alliance="csto") == {
        "certain": set(),
        "possible": set(),
        "presumed": SIX,
    }


@pytest.mark.parametrize(
    ("article", "day", "version"),
    [
        ("4", "armenia-2022-09-13", "2010"),
        ("4", "kazakhstan-2022-01-05", "2010"),
        ("2", "armenia-2021-05-14", "2010"),
    ],
)
def test_the_wording_that_applied(pool, article, day, version):
    request = f"{names.ID}collective-security-treaty-article-{article}-{day}"
    rows = list(results.select(pool, f"SELECT ?v WHERE {{ <{request}> <{names.ONTOLOGY}appliedVersion> ?v }}"))
    assert [row["v"].value for row in rows] == [
        f"{names.ID}collective-security-treaty-article-{article}-version-{version}"
    ]


def by_certainty(pool, slug: str, day: str, **body: str) -> dict[str, set[str]]:
    """The states that the question *slug* answers for *day*, by how sure the record is."""
    table = results.table(answer(pool, slug, {**body, "date": day}, form="json"))
    found: dict[str, set[str]] = {"certain": set(), "possible": set(), "presumed": set()}
    for row in table.rows:
        cells = {name: term.value for name, term in zip(table.columns, row, strict=True) if term}
        found[cells["certainty"]].add(cells["state"].removeprefix(names.ID))
    return found
