"""The report on the links: what of each class is linked, how, since when, and what is linked twice."""

import json

import pytest

from foedus import sssom
from foedus.link import inventory, reporting
from foedus.link.inventory import Thing

HEAD = (
    "# mapping_set_id: https://example.org/set\n# license: https://example.org/licence\n# curie_map:\n"
    "#   id: https://w3id.org/foedus/id/\n#   wd: http://www.wikidata.org/entity/\n"
    "#   geonames: https://sws.geonames.org/\n"
    "subject_id\tpredicate_id\tobject_id\tmapping_justification\tauthor_label\tmapping_date\tconfidence\n"
)


def table(*rows):
    """A table of *rows*: subject, kind of link, object, and more if it is not usual."""
    usual = ("semapv:ManualMappingCuration", "Polybius", "2026-11-22", "0.9")
    lines = (
        "\t".join([f"id:{one}", f"skos:{link}Match", other, *more, *usual[len(more) :]])
        for one, link, other, *more in rows
    )
    return sssom.read(HEAD + "\n".join(lines) + "\n")


def world(**kinds):
    return {name: Thing(name, kind) for kind, some in kinds.items() for name in some}


EVERY = world(State=["rome", "carthage", "gaul"], Treaty=["ebro"])


def test_each_class_is_told_as_linked_near_and_not_linked():
    found = reporting.report(EVERY, {"a.tsv": table(("rome", "exact", "wd:Q1"), ("gaul", "broad", "wd:Q2"))})
    assert [
        (each.vocabulary, each.kind, each.things, each.same, each.near, each.missing) for each in found.coverage
    ] == [
        ("Wikidata", "State", 3, 1, 1, ("carthage",)),
        ("Wikidata", "Treaty", 1, 0, 0, ("ebro",)),
    ]


def test_a_thing_that_is_the_same_as_one_and_near_another_counts_once():
    found = reporting.report(EVERY, {"a.tsv": table(("rome", "exact", "wd:Q1"), ("rome", "broad", "wd:Q2"))})
    assert (found.coverage[0].same, found.coverage[0].near) == (1, 0)
    assert found.twice == {"id:rome": ("id:rome skos:exactMatch wd:Q1", "id:rome skos:broadMatch wd:Q2")}


def test_links_into_two_vocabularies_are_not_twice():
    tables = {"a.tsv": table(("rome", "exact", "wd:Q1")), "b.tsv": table(("rome", "exact", "geonames:1/"))}
    found = reporting.report(EVERY, tables)
    assert found.twice == {}
    assert [(each.vocabulary, each.kind) for each in found.coverage] == [
        *(("Wikidata", "State"), ("Wikidata", "Treaty"), ("GeoNames", "State")),
    ]


def test_an_item_that_two_things_claim_is_told():
    found = reporting.report(EVERY, {"a.tsv": table(("rome", "exact", "wd:Q1"), ("gaul", "close", "wd:Q1"))})
    assert found.claimed == {"wd:Q1": ("id:rome skos:exactMatch wd:Q1", "id:gaul skos:closeMatch wd:Q1")}


def test_rows_are_counted_by_justification_confidence_and_day():
    """Days from the oldest on, the rest from the most frequent on."""
    chained = ("semapv:ManualMappingCuration", "Livy", "2025-01-01", "0.5")
    rows = table(("rome", "exact", "wd:Q1"), ("gaul", "exact", "wd:Q2"), ("carthage", "exact", "wd:Q3", *chained))
    counted = reporting.report(EVERY, {"a.tsv": rows}).counted["a.tsv"]
    assert counted["confidence"] == {"0.9": 2, "0.5": 1}
    assert list(counted["mapping_date"].items()) == [("2025-01-01", 1), ("2026-11-22", 2)]
    assert counted["author_label"] == {"Polybius": 2, "Livy": 1}
    assert counted["mapping_source"] == {"(none)": 3}


def test_a_row_that_is_not_sound_is_told_with_its_line():
    found = reporting.report(EVERY, {"a.tsv": table(("rome", "exact", "wd:Q1"), ("gaul", "exact", "wd:2"))})
    assert found.faults == ("a.tsv:9: “wd:2” names nothing.",)


def test_without_tables_everything_is_not_linked():
    found = reporting.report(EVERY, {})
    assert [(each.kind, each.same, len(each.missing)) for each in found.coverage] == [("State", 0, 3), ("Treaty", 0, 1)]
    assert "State, not linked to Wikidata:\n  carthage, gaul, rome" in reporting.text(found)


@pytest.fixture(scope="module")
def shipped(pool):
    return reporting.report(inventory.things(pool), reporting.shipped())


def test_the_shipped_links_cover_every_state_of_today(shipped):
    """What is not linked has vanished, or is in dispute."""
    (states,) = [each for each in shipped.coverage if (each.vocabulary, each.kind) == ("Wikidata", "State")]
    assert states.things == states.same + states.near + len(states.missing)
    assert {"north-yemen", "two-sicilies", "tibet"} <= set(states.missing)
    assert not {"namibia", "kosovo", "soviet-union", "czechia"} & set(states.missing)


def test_of_the_shipped_links_only_two_kingdoms_stand_beside_their_states(shipped):
    assert sorted(shipped.twice) == ["id:denmark", "id:netherlands"]
    assert (shipped.claimed, shipped.faults) == ({}, ())


def test_the_report_says_the_same_in_every_form(shipped):
    told = json.loads(shipped.json())
    assert told["links"] == dict(shipped.links)
    assert len(told["coverage"]) == len(shipped.coverage)
    for form in (reporting.text(shipped), reporting.markdown(shipped)):
        for each in shipped.coverage:
            assert f"{each.kind}, not linked to {each.vocabulary}" in form or not each.missing
        assert "id:denmark skos:broadMatch wd:Q756617" in form


def test_the_command_reports_and_ends_with_0(foedus):
    for words, begin in (([], "vocabulary"), (["--markdown"], "# Links"), (["--json"], "{")):
        done = foedus("link", "report", *words)
        assert (done.returncode, done.stdout[: len(begin)]) == (0, begin)
    assert foedus("link", "report", "--json", "--markdown").returncode == 2
