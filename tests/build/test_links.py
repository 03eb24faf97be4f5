"""The link tables: what each row must say, and that one thing is the same as one other in each vocabulary."""

import json

import pytest
from pyoxigraph import NamedNode

from foedus import names
from foedus.build import links, reading
from foedus.build.findings import Finding

from .test_findings import found, only

TABLE = "data/links/wikidata.sssom.tsv"
CARTHAGE = {
    "subject": "id:carthage",
    "predicate": "skos:exactMatch",
    "object": "wd:Q6343",
    "justification": "semapv:ManualMappingCuration",
    "author": "Polybius",
    "date": "2026-11-22",
    "confidence": "0.9",
}


def row(**cells):
    """A row of the world's table on line 8, sound but for *cells*."""
    return "\t".join((CARTHAGE | cells).values()) + "\n"


def with_columns(world, *columns):
    """The world's table with more columns, empty in its first row."""
    path = world / TABLE
    lines = path.read_text().splitlines()
    lines[5] += "".join(f"\t{column}" for column in columns)
    lines[6] += "\t" * len(columns)
    path.write_text("\n".join(lines) + "\n")


def triples(world):
    return {
        tuple(names.curie(each.value) for each in (triple.subject, triple.predicate, triple.object))
        for triple in links.read(reading.read(world)).triples
    }


def test_a_sound_row_is_a_triple(world, add):
    add(TABLE, row())
    assert found(world) == []
    assert ("id:carthage", "skos:exactMatch", "wd:Q6343") in triples(world)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"subject": "id:cartage"}, "described nowhere"),
        ({"subject": "carthage"}, "names nothing"),
        ({"predicate": "rdfs:seeAlso"}, "no kind of link"),
        ({"object": "wd:6343"}, "“wd:6343” names nothing"),
        ({"object": "dbr:Carthage"}, "prefix of “dbr:Carthage” is not in the table's curie_map"),
        ({"justification": ""}, "how the link was justified"),
        ({"justification": "semapv:Guessing"}, "how the link was justified"),
        ({"author": ""}, "who made the link"),
        ({"date": ""}, "“” is no day"),
        ({"date": "2026-02-30"}, "“2026-02-30” is no day"),
        ({"date": "22 November 2026"}, "is no day"),
        ({"confidence": "1.01"}, "“1.01” is no confidence"),
        ({"confidence": "-0.5"}, "is no confidence"),
        ({"confidence": "high"}, "is no confidence"),
        ({"justification": "semapv:LexicalMatching"}, "who reviewed what was not made by hand"),
        ({"predicate": "owl:sameAs"}, "why the two are the same thing"),
        ({"subject": "id:rome"}, "id:rome is the same as wd:Q220 (data/links/wikidata.sssom.tsv:7) and as wd:Q6343"),
        ({"object": "wd:Q220"}, "wd:Q220 is the same as id:rome (data/links/wikidata.sssom.tsv:7) and as id:carthage"),
        ({"subject": "id:rome", "object": "wd:Q220"}, "given twice"),
        ({"subject": "id:rome", "object": "wd:Q220", "predicate": "skos:closeMatch"}, "linked by skos:exactMatch"),
    ],
)
def test_a_faulty_row_is_told_with_its_line(world, add, cells, words):
    add(TABLE, row(**cells))
    told = only(world)
    assert told.startswith(f"{TABLE}:8 ")
    assert words in told


def test_a_faulty_row_is_no_link(world, add):
    add(TABLE, row(confidence="2"))
    assert triples(world) == {("id:rome", "skos:exactMatch", "wd:Q220")}


def test_a_row_with_too_few_cells_is_told(world, add):
    add(TABLE, "id:carthage\tskos:exactMatch\twd:Q6343\n")
    assert "The row has 3 cells, the header 7." in only(world)


def test_every_finding_says_what_to_do(world, add):
    add(TABLE, "".join(row(**{cell: "?"}) for cell in CARTHAGE))
    told: list[Finding] = list(links.read(reading.read(world)).findings)
    assert len(told) >= 7
    assert all(each.remedy for each in told)


def test_one_thing_may_be_the_same_in_two_vocabularies(world, add):
    """A state is one item of Wikidata and one country of GeoNames."""
    path = world / "data" / "links" / "geonames.sssom.tsv"
    text = (world / TABLE).read_text().replace("wd:Q220", "geonames:3169070/")
    path.write_text(text.replace("wd: http://www.wikidata.org/entity/", "geonames: https://sws.geonames.org/"))
    assert found(world) == []
    geonames = names.PREFIXES["geonames"] + "3169070/"
    assert ("id:rome", "skos:exactMatch", f"<{geonames}>") in triples(world)


def test_two_tables_may_not_name_one_item_for_two_things(world, add):
    path = world / "data" / "links" / "more.sssom.tsv"
    path.write_text((world / TABLE).read_text().replace("id:rome", "id:carthage"))
    assert "wd:Q220 is the same as id:carthage (data/links/more.sssom.tsv:7) and as id:rome" in only(world)


def test_a_near_thing_stands_beside_the_same_one(world, add):
    """As the kingdom stands beside the country: only one of the two is an exact match."""
    add(TABLE, row(subject="id:rome", predicate="skos:broadMatch"))
    assert found(world) == []


def test_the_same_thing_is_an_exact_match_too(world, add):
    """Whoever looks for exact matches finds what is linked by owl:sameAs."""
    with_columns(world, "comment")
    add(TABLE, row(predicate="owl:sameAs").rstrip("\n") + "\tA person, who is one in every sense.\n")
    assert found(world) == []
    assert {each[1] for each in triples(world) if each[0] == "id:carthage"} == {"owl:sameAs", "skos:exactMatch"}


def test_a_reviewed_row_that_a_program_made_is_sound(world, add):
    with_columns(world, "reviewer_label")
    add(TABLE, row(justification="semapv:LexicalMatching").rstrip("\n") + "\tFabius Pictor\n")
    assert found(world) == []


def test_a_label_that_the_subject_does_not_have_is_told(world, add):
    with_columns(world, "subject_label")
    add(TABLE, row().rstrip("\n") + "\tNew Carthage\n")
    assert "id:carthage is not called “New Carthage”." in only(world)


def test_a_source_is_cited_by_the_rows_that_were_seen_in_it(world, add):
    add("data/sources.ttl", 'id:atlas a foedus:Source ; rdfs:label "Atlas"@en .\n')
    with_columns(world, "mapping_source")
    assert "Nothing in the data cites this source." in only(world)
    add(TABLE, row().rstrip("\n") + "\tid:atlas\n")
    assert found(world) == []


def test_a_source_that_is_none_is_told(world, add):
    with_columns(world, "mapping_source")
    add(TABLE, row().rstrip("\n") + "\tid:rome\n")
    assert "id:rome is no foedus:Source." in only(world)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("\tpredicate_id\t", "\t", "The header lacks predicate_id."),
        ("predicate_id\t", "predicate_id\tpredicate\t", "SSSOM has no column predicate."),
        ("\tmapping_date\t", "\t", "The header lacks mapping_date."),
        ("\tauthor_label\t", "\t", "no column for who made the mappings"),
        ("\tauthor_label\t", "\tauthor_label\tauthor_label\t", "A column is there twice."),
    ],
)
def test_a_header_that_is_not_that_of_the_standard_is_told(world, old, new, words):
    path = world / TABLE
    path.write_text(path.read_text().replace(old, new))
    (told,) = [each for each in found(world) if each.startswith(TABLE)]
    assert told.startswith(f"{TABLE}:6 ")
    assert words in told


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("# license: https://creativecommons.org/licenses/by/4.0/\n", "does not say its license"),
        ("# mapping_set_id: https://w3id.org/foedus/links/wikidata\n", "does not say its mapping_set_id"),
        ("#   wd: http://www.wikidata.org/entity/\n", "The prefix of “wd:Q220” is not in the table's curie_map."),
    ],
)
def test_a_table_without_what_the_standard_asks_for_is_told(world, line, words):
    path = world / TABLE
    text = path.read_text()
    assert line in text
    path.write_text(text.replace(line, ""))
    assert words in only(world)


def test_a_prefix_that_means_something_else_here_is_told(world):
    path = world / TABLE
    path.write_text(path.read_text().replace("http://www.wikidata.org/entity/", "http://www.wikidata.org/wiki/"))
    assert "The prefix wd is http://www.wikidata.org/wiki/ in this table." in only(world)


def test_a_table_may_say_once_what_holds_for_all_its_rows(world):
    """The standard lets a table's metadata stand for a column that it does not have."""
    path = world / TABLE
    text = path.read_text().replace("\tmapping_date", "").replace("\t2026-11-22", "")
    for day in ("2026-11-22", '"2026-11-22"', "'2026-11-22'"):
        path.write_text(f"# mapping_date: {day}\n{text}")
        assert found(world) == []


@pytest.mark.parametrize("text", ["Links: many", "Links #1", "- links", "{links}", '"links', "'links"])
def test_metadata_that_yaml_would_read_otherwise_is_told(world, text):
    """Tools of the standard read the metadata as YAML; in quotes all of it is text."""
    path = world / TABLE
    table = path.read_text()
    path.write_text(f"# mapping_set_title: {text}\n{table}")
    assert "What the table says of its mapping_set_title is no YAML." in only(world)
    path.write_text(f"# mapping_set_title: {json.dumps(text)}\n{table}")
    assert found(world) == []


def test_an_empty_table_is_told(world):
    (world / TABLE).write_text("")
    assert any("The table has no header." in told for told in found(world))


def test_the_links_are_triples_of_named_nodes(world):
    (triple,) = links.read(reading.read(world)).triples
    assert all(isinstance(each, NamedNode) for each in (triple.subject, triple.predicate, triple.object))
