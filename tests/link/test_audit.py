"""What an audit says of statements made up for the purpose: one fact of Wikidata's data model in each test."""

import datetime
import json

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from foedus.link import auditing, findings, reading, telling, wikidata

from .items import CSTO, GERMANY, NATO, OF_MEMBERSHIP, UZBEKISTAN, claim, dated, entity, time, told

PREFIXES = """
@prefix wd: <http://www.wikidata.org/entity/> . @prefix s: <http://www.wikidata.org/entity/statement/> .
@prefix v: <http://www.wikidata.org/value/> . @prefix wdt: <http://www.wikidata.org/prop/direct/> .
@prefix p: <http://www.wikidata.org/prop/> . @prefix ps: <http://www.wikidata.org/prop/statement/> .
@prefix pq: <http://www.wikidata.org/prop/qualifier/> . @prefix pqv: <http://www.wikidata.org/prop/qualifier/value/> .
@prefix wdno: <http://www.wikidata.org/prop/novalue/> . @prefix wikibase: <http://wikiba.se/ontology#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""


def turtle(qualifiers, rank="NormalRank", nodes=""):
    return f"""{PREFIXES}
wd:Q183 a wikibase:Item ; wdt:P463 wd:Q7184 ; p:P463 s:q183-C88D81D7-2AE4-4091-81B5-8FFA4903F733 .
s:q183-C88D81D7-2AE4-4091-81B5-8FFA4903F733 wikibase:rank wikibase:{rank} ; ps:P463 wd:Q7184 {qualifiers} .
{nodes}"""


def of_nato(audit, *columns):
    found = [each for each in audit.findings if each.alliance == "nato" and each.what in OF_MEMBERSHIP]
    return [tuple(getattr(each, column) for column in columns) for each in found]


@pytest.mark.parametrize("old", [True, False], ids=["numeric-id and eleven digits", "id and four digits"])
def test_both_serialisations_say_the_same(audited, old):
    """Germany deposited its accession on 6 May 1955; an item that says 9 May is three days late."""
    found = audited(entity(GERMANY, claim(NATO, time("1955-05-09", old=old), old=old)))
    assert of_nato(found, "verdict", "what", "there", "here", "days") == [
        ("differs", "begin", "1955-05-09", "1955-05-06", 3),
        ("agrees", "end", "", "", 0),
    ]


@pytest.mark.parametrize(
    ("there", "precision", "verdict", "days"),
    [
        ("1955-05-06", 11, "agrees", 0),
        ("1955-05-00", 10, "agrees", 0),
        ("1955-01-01", 9, "agrees", 0),
        ("1955-00-00", 9, "agrees", 0),
        ("1950-00-00", 8, "agrees", 0),
        ("2000-00-00", 7, "agrees", 0),
        ("1955-06-00", 10, "differs", 26),
        ("1954-01-01", 9, "differs", -126),
        ("1955-01-01", 11, "differs", -125),
    ],
)
def test_a_date_is_compared_to_its_precision(audited, there, precision, verdict, days):
    found = audited(entity(GERMANY, claim(NATO, time(there, precision))))
    assert ("begin", verdict, days) in of_nato(found, "what", "verdict", "days")


def test_a_day_of_the_julian_calendar_is_turned_into_ours(audited):
    """23 April 1955 by the Julian calendar is 6 May by the Gregorian one."""
    found = audited(entity(GERMANY, claim(NATO, time("1955-04-23", calendar="Q1985786"))))
    assert ("agrees", "begin", "1955-05-06") in of_nato(found, "verdict", "what", "there")


def test_a_deprecated_statement_is_not_compared(audited):
    """What Wikidata itself holds to be wrong contradicts nobody, and states nothing."""
    found = audited(entity(GERMANY, claim(NATO, time("1949-01-01"), rank="deprecated")))
    assert of_nato(found, "verdict", "what") == [("missing there", "membership"), ("out of scope", "membership")]


def test_a_lower_case_id_of_a_statement_is_the_same(audited):
    found = audited(entity(GERMANY, claim(NATO, guid="q183$C88D81D7-2AE4-4091-81B5-8FFA4903F733")))
    graph = audited(turtle(""), "entity.ttl")
    assert (
        set(of_nato(found, "place")) == set(of_nato(graph, "place")) == {("Q183$C88D81D7-2AE4-4091-81B5-8FFA4903F733",)}
    )


@pytest.mark.parametrize(
    ("end", "verdict"),
    [
        (None, "contradicted"),
        (time("2012-12-18"), "agrees"),
        (time("2012-12-19"), "agrees"),
        (time("2014-01-01"), "differs"),
    ],
    ids=["none", "the last day", "the first day without", "later"],
)
def test_an_end_is_compared(audited, end, verdict):
    """Uzbekistan left the organisation between 28 June and 19 December 2012, and the others went on."""
    found = audited(entity(UZBEKISTAN, claim(CSTO, time("2006-06-23"), end, guid="Q265$1")))
    assert (verdict, "end") in told(found, "verdict", "what")


@pytest.mark.parametrize(("snak", "verdict"), [("somevalue", "contradicted"), ("novalue", "agrees")])
def test_an_end_without_a_value(audited, snak, verdict):
    """An unknown end is an end, “no value” says that there is none; Germany is a member of NATO."""
    found = audited(entity(GERMANY, claim(NATO, time("1955-05-06"), {"snaktype": snak})))
    assert (verdict, "end") in of_nato(found, "verdict", "what")


def test_a_statement_without_dates_lacks_them(audited):
    found = audited(entity(GERMANY, claim(NATO)))
    assert of_nato(found, "verdict", "what", "here")[0] == ("missing there", "begin", "1955-05-06")


def test_a_membership_that_an_item_does_not_state_is_missing_there(audited):
    """Kazakhstan's item with all its statements, none of them on the organisation."""
    found = audited(entity("Q232"))
    assert told(found, "verdict", "what", "alliance") == [("missing there", "membership", "csto")]
    assert [each.line.split("\t")[:5] for each in found.proposals] == [
        ["Q232", "P463", "Q318693", "P580", "+2003-09-18T00:00:00Z/11"]
    ]


def test_a_member_that_the_record_excludes_is_contradicted(audited):
    """Austria was never in NATO, whose members the record has all."""
    found = audited(entity("Q40", claim(NATO, guid="Q40$1")))
    assert ("contradicted", "membership", "nato") in told(found, "verdict", "what", "alliance")
    assert found.proposals == ()


def test_the_kingdom_is_another_item(audited):
    """NATO membership of the Netherlands is looked for at Q55; at Q29999 it is not missing, but elsewhere."""
    found = audited(entity("Q29999", claim(NATO, guid="Q29999$1")))
    assert told(found, "verdict", "item", "state", "alliance") == [("other item", "Q29999", "netherlands", "nato")]


def test_a_graph_says_what_json_says(audited):
    value = 'v:1 wikibase:timeValue "1955-05-09T00:00:00Z"^^xsd:dateTime ; wikibase:timePrecision 11 .'
    given = '; pq:P580 "1955-05-09T00:00:00Z"^^xsd:dateTime ; pqv:P580 v:1'
    graph = audited(turtle(given, nodes=value), "entity.ttl")
    tree = audited(entity(GERMANY, claim(NATO, time("1955-05-09"))))
    columns = ("verdict", "what", "alliance", "there", "here", "days", "place")
    assert told(graph, *columns) == told(tree, *columns)


def test_a_whole_year_in_a_graph_without_its_value_node_is_no_day(audited):
    """A simple value has lost its precision: 1 January stands for the year."""
    found = audited(turtle('; pq:P580 "1955-01-01T00:00:00Z"^^xsd:dateTime'), "entity.ttl")
    assert ("agrees", "begin", "1955") in of_nato(found, "verdict", "what", "there")


def test_a_deprecated_rank_in_a_graph(audited):
    found = audited(turtle("", rank="DeprecatedRank"), "entity.ttl")
    assert ("out of scope", "membership") in of_nato(found, "verdict", "what")


def test_truthy_statements_tell_no_time(audited):
    """No date of theirs is missing, and what they lack may be among the other statements."""
    found = audited(f"{PREFIXES} wd:Q183 wdt:P463 wd:Q7184 .", "truthy.ttl")
    assert told(found, "verdict", "what", "note") == [("agrees", "membership", "The statement tells no time.")]
    assert found.proposals == ()


def test_a_truthy_member_that_has_left_is_contradicted(audited):
    found = audited(f"{PREFIXES} wd:Q265 wdt:P463 wd:Q318693 .", "truthy.ttl")
    assert told(found, "verdict", "what", "state") == [("contradicted", "end", "uzbekistan")]


def test_a_member_that_has_left_was_one_on_an_earlier_day(audited):
    """On 1 January 2010 Uzbekistan was a member."""
    day = datetime.date(2010, 1, 1).toordinal()
    found = audited(f"{PREFIXES} wd:Q265 wdt:P463 wd:Q318693 .", "truthy.ttl", on=day)
    assert told(found, "verdict") == [("agrees",)]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ({"entities": {"Q183": {"id": "Q142", "type": "item", "claims": []}}}, "a.json"),
        ({"id": "Q142", "claims": {}, "redirects": {"from": "Q183", "to": "Q142"}}, "a.json"),
        (f"{PREFIXES} wd:Q183 owl:sameAs wd:Q142 .", "a.ttl"),
    ],
    ids=["another key", "named", "in a graph"],
)
def test_a_redirect_is_told(audited, content, name):
    """The link of Germany would point at an item that has become another."""
    found = audited(content, name)
    assert ("moved", "Q183", "The item redirects to Q142. The link of id:germany needs a look.") in told(
        found, "verdict", "item", "note"
    )


def test_a_deleted_item_is_told(audited):
    found = audited({"entities": {"Q183": {"id": "Q183", "missing": ""}}})
    assert told(found, "verdict", "item") == [("moved", "Q183")]
    assert "deleted" in found.findings[0].note


def test_an_unknown_item_is_told_and_is_no_finding(audited):
    found = audited(entity("Q42", claim("Q857679", guid="Q42$1")))
    assert {each.verdict for each in found.findings} == {findings.OUT_OF_SCOPE}
    assert any(each.what == "item" and "linked to nothing" in each.note for each in found.findings)


@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        ("", "a.json", "empty"),
        ("<!DOCTYPE html><title>429</title>", "a.json", "HTML"),
        ('{"id": "Q183", "claims": {"P463": [', "a.json", "breaks off"),
        ("[" * 100_000, "a.json", "nested|breaks off"),
        ({"error": {"code": "no-such-entity", "id": "Q183", "info": "Not found"}}, "a.json", "Not found"),
        ({"id": "Q183", "claims": 1}, "a.json", "no claims"),
        ([1], "a.json", "no entity"),
        ({"id": "P31"}, "a.json", "no id of an item"),
        (entity(GERMANY, {"id": "x"}), "a.json", "form"),
        (entity(GERMANY, claim(NATO, time("1955-13-45"))), "a.json", "no date"),
        (entity(GERMANY, claim(NATO, time("1955-05-06", precision=99))), "a.json", "no time"),
        (turtle("").partition("wikibase:rank")[0], "a.ttl", "breaks off"),
        (f"{PREFIXES} wd:Q183 p:P463 s:q183-1 .", "a.ttl", "not whole"),
        ("state,alliance\n", "a.csv", "country"),
        ("alliance,country\nQ7184,Q183\nQ71", "a.csv", "1 cells"),
        ("alliance,country\nQ7184,Germany\n", "a.csv", "no item"),
        ("{}", "a.xml", "endings"),
    ],
)
def test_what_cannot_be_read_is_told(audited, content, name, says):
    """Each fault is told once with its file, and raises nothing."""
    found = audited(content, name)
    (trouble,) = found.troubles
    assert trouble.file.endswith(name) and trouble.remedy
    assert any(each in trouble.message for each in says.split("|")), trouble.message
    assert json.loads(telling.as_json(found))["partial"] is True


def test_one_bad_line_of_a_dump_leaves_the_others(audited):
    """A dump has an entity a line; the second breaks off."""
    good = json.dumps(entity(GERMANY, claim(NATO, time("1955-05-06"))))
    found = audited(f"[\n{good},\n{good[:60]}\n", "dump.json")
    assert [each.place for each in found.troubles] == ["line 3"]
    assert ("agrees", "begin") in of_nato(found, "verdict", "what")


def test_one_bad_statement_leaves_the_others_and_nothing_counts_as_missing(audited):
    found = audited(entity(GERMANY, {"id": "x"}, claim(NATO, time("1955-05-06"))))
    assert len(found.troubles) == 1
    assert ("missing there",) not in told(found, "verdict")


def test_a_part_of_an_item_is_not_taken_for_the_whole(audited):
    """A piece of a dump that has one of an item's 776 statements."""
    about = """<http://www.wikidata.org/wiki/Special:EntityData/Q183> <http://schema.org/about> wd:Q183 ;
    wikibase:statements "776"^^xsd:integer ."""
    found = audited(turtle("", nodes=about), "piece.ttl")
    assert [each.message for each in found.troubles] == ["1 of the item's 776 statements are here."]
    assert {alliance for _, alliance in told(found, "verdict", "alliance")} == {"nato"}


def test_a_correction_names_statement_qualifier_and_source(audited):
    """QuickStatements: item, property, value, then pairs of qualifier and of reference, separated by tabs."""
    weu = claim("Q189946", time("1955-05-06"), time("2011-06-30"), guid="Q183$2")
    union = claim("Q458", guid="Q183$3")
    found = audited(entity(GERMANY, claim(NATO, time("1955-05-09")), weu, union))
    added, removed = found.proposals
    parts = added.line.split("\t")
    assert parts[:6] == ["Q183", "P463", "Q7184", "P580", "+1955-05-06T00:00:00Z/11", "S854"]
    assert parts[6].startswith('"http') and parts[6].endswith('"') and len(parts) == 7
    assert removed.line.split("\t") == ["REMOVE_QUAL", *parts[:4], "+1955-05-09T00:00:00Z/11"]
    assert added.reason == "begin: https://w3id.org/foedus/id/membership-nato-germany-1" and not added.by_hand


def test_nothing_is_proposed_where_the_statement_would_not_be_clear(audited):
    """QuickStatements finds a statement by its value: of two with one value it would take the first."""
    twice = [claim(NATO, time(day), guid=f"Q183${day}") for day in ("1955-05-09", "1990-10-03")]
    found = audited(entity(GERMANY, *twice))
    assert [each for each in found.proposals if "Q7184" in each.line] == []


def test_an_uncertain_day_is_proposed_only_as_far_as_it_is_known(audited):
    """The end of Uzbekistan's membership lies in 2012; its begin, from 2006 to 2008, has no time of Wikidata's."""
    found = audited(entity(UZBEKISTAN, claim(CSTO, guid="Q265$1")))
    assert [each.line.split("\t")[3:5] for each in found.proposals] == [["P582", "+2012-00-00T00:00:00Z/9"]]


def test_markdown_links_the_items(audited):
    shown = telling.markdown(audited(entity(GERMANY, claim(NATO, time("1955-05-09")))))
    assert "| differs | begin | [Q183](https://www.wikidata.org/wiki/Q183) | germany |" in shown


def test_what_the_table_leaves_out_is_counted(audited):
    labels = {"en": {"language": "en", "value": "Germany"}}
    found = audited(entity(GERMANY, claim(NATO, time("1955-05-06")), labels=labels))
    assert ("agrees", "label") in {(each.verdict, each.what) for each in found.findings}
    assert " Not shown: 1," in telling.text(found)
    assert "Not shown" not in telling.text(audited(entity(GERMANY, claim(NATO, time("1955-05-06")))))


@pytest.mark.parametrize("text", ["-0044-03-15T00:00:00Z", "+99999-01-01T00:00:00Z", "1955"])
def test_a_time_outside_our_calendar_is_refused(text):
    with pytest.raises(wikidata.CannotRead):
        wikidata.time_of(text, 11)


@pytest.mark.parametrize("content", [entity(GERMANY, {"id": "\x1b[31m\ud800"}), {"error": {"info": "\x1b]0;\u202e"}}])
def test_what_a_file_says_commands_no_terminal(audited, content):
    """Escapes, reversals and lone surrogates of a stranger are shown as replaced."""
    (trouble,) = audited(content).troubles
    assert (trouble.place + trouble.message).isprintable()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=strategies.data())
def test_no_file_raises_however_it_is_broken(here, tmp_path, data):
    """Entity, graph and answer with a piece cut out, doubled or replaced: read in part or refused, always told."""
    item = entity(GERMANY, claim(NATO, time("1955-05-09"), time("1990-01-01", 9)))
    item["claims"] |= {"P571": [dated("P571", time("1949-05-23"), references=1)], "P155": [claim("Q41304")]}
    item["labels"], item["aliases"] = ({"en": each} for each in ({"value": "Germany"}, [{"value": "FRG"}]))
    tree = json.dumps(item)
    value = 'v:1 wikibase:timeValue "1955-05-09T00:00:00Z"^^xsd:dateTime ; wikibase:timePrecision 11 .'
    whole = {
        "a.json": tree,
        "a.ttl": turtle("; pqv:P580 v:1", nodes=value),
        "a.csv": "alliance,country,memberOf\nQ7184,Q183,P463\nQ7184,Q35,P463\n",
    }
    name = data.draw(strategies.sampled_from(sorted(whole)))
    text = whole[name]
    first, second = sorted(data.draw(strategies.integers(0, len(text))) for _ in range(2))
    middle = data.draw(strategies.sampled_from(["", text[first:second] * 2, "null", "[]", '"', "1e999", "{}", "\x00"]))
    path = tmp_path / name
    path.write_text(text[:first] + middle + text[second:])
    found = auditing.audit([reading.read(path)], here)
    for form in (telling.text, telling.markdown, telling.as_json, telling.quickstatements):
        form(found).encode()
