"""The links that are shipped: that each says who made it, and that what is easily confused is not."""

import csv
from pathlib import Path

import pytest

from foedus import files, names, sssom
from foedus.errors import WrongUsage
from foedus.query import results
from foedus.query.resolve import resolver

SHARED = Path(__file__).parents[3] / "shared"
CODES = SHARED / "datasets" / "country-codes.csv"
TABLES = sorted(files.LINKS.glob("*.sssom.tsv"))

needs_codes = pytest.mark.skipif(not CODES.exists(), reason="the files in ../shared are not there")


def rows(name):
    return sssom.read((files.LINKS / f"{name}.sssom.tsv").read_text(encoding="utf-8")).rows


def links_of(subject, name="wikidata"):
    """What *subject* is linked to, by the kind of link."""
    found = {}
    for row in rows(name):
        if row.get("subject_id") == subject:
            found.setdefault(row.get("predicate_id"), []).append(row.get("object_id"))
    return found


def states():
    """The states of the crosswalk, with their ISO codes."""
    with (files.DATA / "crosswalk.csv").open(encoding="utf-8", newline="") as file:
        return {f"id:{row['state']}": row["iso3"] for row in csv.DictReader(file)}


def coded():
    with CODES.open(encoding="utf-8", newline="") as file:
        return {row["ISO3166-1-Alpha-3"]: row for row in csv.DictReader(file)}


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.name)
def test_every_row_keeps_the_standard_and_says_who_and_when(path):
    table = sssom.read(path.read_text(encoding="utf-8"))
    assert table.rows
    assert table.faults == ()
    assert [row.faults for row in table.rows if row.faults] == []


def test_there_are_tables_for_three_authorities():
    assert [path.name.partition(".")[0] for path in TABLES] == ["geonames", "ucdp", "wikidata"]


def test_the_netherlands_are_the_country_and_lie_in_the_kingdom():
    """Q55 has the memberships; Q29999 is what the country-codes list gives for the ISO code."""
    assert links_of("id:netherlands") == {"skos:exactMatch": ["wd:Q55"], "skos:broadMatch": ["wd:Q29999"]}


def test_denmark_is_the_country_and_lies_in_the_kingdom():
    """The answer of the query service of 2020 has both in NATO."""
    assert links_of("id:denmark") == {"skos:exactMatch": ["wd:Q35"], "skos:broadMatch": ["wd:Q756617"]}


def test_a_treaty_is_not_its_organisation():
    assert links_of("id:north-atlantic-treaty") == {"skos:exactMatch": ["wd:Q877399"]}
    assert links_of("id:nato") == {"skos:exactMatch": ["wd:Q7184"]}


def test_the_holy_see_is_not_its_city():
    assert links_of("id:holy-see") == {"skos:closeMatch": ["wd:Q237"]}
    assert links_of("id:holy-see", "geonames") == {"skos:closeMatch": ["geonames:3164670/"]}


def test_nothing_is_held_to_be_one_thing_with_an_item():
    """An item of Wikidata is a state, its land and its history in one; no row deserves owl:sameAs."""
    assert [
        row for path in TABLES for row in rows(path.name.partition(".")[0]) if row.get("predicate_id") == "owl:sameAs"
    ] == []


def test_every_link_without_a_source_says_so():
    """Four items were seen where nothing can be cited; of each, the comment tells where."""
    unsourced = [row for row in rows("wikidata") if not row.get("mapping_source")]
    assert [row.get("subject_id") for row in unsourced] == [
        *("id:aukus", "id:balkan-pact-1954", "id:cento", "id:mecca-agreement-2026")
    ]
    assert all("cannot be cited" in row.get("comment") and float(row.get("confidence")) <= 0.9 for row in unsourced)


def test_every_state_with_an_iso_code_is_linked_to_both():
    isos = {state for state, iso in states().items() if iso}
    assert isos <= {row.get("subject_id") for row in rows("wikidata")}
    assert isos == {row.get("subject_id") for row in rows("geonames")}


def test_a_state_that_was_more_than_the_country_of_today_is_near_it_only():
    """Of these the record has one state where the list of today's countries has its last part."""
    near = {row.get("subject_id") for row in rows("geonames") if row.get("predicate_id") == "skos:closeMatch"}
    assert near == {
        f"id:{each}" for each in ("germany", "holy-see", "italy", "russia", "tanzania", "turkey", "vietnam")
    }


@needs_codes
def test_identifiers_are_those_of_the_country_codes_list():
    """But for the Netherlands, whose item there is the kingdom, and Namibia, which has none there."""
    isos, codes = states(), coded()
    for row in rows("geonames"):
        assert row.get("object_id") == f"geonames:{codes[isos[row.get('subject_id')]]['Geoname ID']}/"
    listed = [row for row in rows("wikidata") if row.get("mapping_source") == "id:country-codes"]
    assert len(listed) == 197
    for row in listed:
        item = codes[isos[row.get("subject_id")]]["wikidata_id"].rpartition("/")[2]
        assert row.get("object_id") == f"wd:{item}"


@needs_codes
def test_items_of_the_answer_of_2020_are_called_as_they_are_there():
    path = SHARED / "datasets" / "wikidata_military-alliances_2020-10-28.csv"
    with path.open(encoding="utf-8", newline="") as file:
        answer = list(csv.DictReader(file))
    named = {row[kind].rpartition("/")[2]: row[f"{kind}Label"] for row in answer for kind in ("alliance", "country")}
    linked = {row.get("object_id").removeprefix("wd:"): row.get("object_label") for row in rows("wikidata")}
    assert {item: label for item, label in named.items() if linked.get(item) != label} == {"Q43482": "polla"}


def test_every_conflict_is_linked_to_its_page():
    conflicts = (files.DATA / "generated" / "ucdp.ttl").read_text(encoding="utf-8").count(" a foedus:ArmedConflict ;")
    found = rows("ucdp")
    assert len(found) == conflicts
    assert all(row.get("subject_id").removeprefix("id:ucdp-conflict-") == row.get("object_id")[5:] for row in found)


@pytest.mark.parametrize(
    "name",
    ["wd:Q399", "Q399", "geonames:174982/", "https://sws.geonames.org/174982/", "http://www.wikidata.org/entity/Q399"],
)
def test_a_state_is_found_by_its_identifiers_elsewhere(pool, name):
    assert resolver(pool)(name, names.ONTOLOGY + "State") == names.ID + "armenia"


@pytest.mark.parametrize("name", ["wd:Q29999", "wd:Q756617", "geonames:2921044/"])
def test_a_near_thing_is_not_taken_for_the_state(pool, name):
    """The kingdoms, and the Germany of today."""
    with pytest.raises(WrongUsage, match="There is no State"):
        resolver(pool)(name, names.ONTOLOGY + "State")


def test_a_page_leads_to_every_authority(client):
    text = client.get("/page/armenia").text
    for address in ("http://www.wikidata.org/entity/Q399", "https://sws.geonames.org/174982/"):
        assert f'href="{address}"' in text
    assert ">https://sws.geonames.org/174982/</a>" in text
    assert 'href="https://ucdp.uu.se/conflict/13324"' in client.get("/page/ucdp-conflict-13324").text


def test_the_dataset_tells_of_one_set_of_links_for_each_vocabulary_and_kind(pool):
    """Not of one for each country, though the identifiers of GeoNames end in slashes."""
    query = """SELECT ?space ?how ?number WHERE {
      ?set a void:Linkset ; void:objectsTarget [ void:uriSpace ?space ] ; void:linkPredicate ?how ; void:triples ?number
    }"""
    told = {
        (row["space"].value, names.curie(row["how"].value)): int(row["number"].value)
        for row in results.select(pool, query)
    }
    counted = {}
    for path in TABLES:
        for row in rows(path.name.partition(".")[0]):
            pair = names.PREFIXES[row.get("object_id").partition(":")[0]], row.get("predicate_id")
            counted[pair] = counted.get(pair, 0) + 1
    assert told == counted
