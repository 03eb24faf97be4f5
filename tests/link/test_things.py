"""What an audit says of an item's own dates, of what it follows, of its class and of its names."""

import copy
import datetime
import json

import pytest

from foedus.link import auditing, reading, telling
from foedus.link.here import Linked

from .items import CSTO, GERMANY, NATO, claim, dated, entity, time, told

WARSAW_PACT, SEATO, WEU, FIVE_EYES, KAZAKHSTAN = "Q41644", "Q277252", "Q189946", "Q15978258", "Q232"
THINGS = ("founded", "dissolved", "predecessor", "successor", "class")
NONE, SOME = {"snaktype": "novalue"}, {"snaktype": "somevalue"}


def thing(qid, labels=None, aliases=None, **claims):
    """An entity with *claims* by property; nothing is told of its names where there are no *labels*."""
    named = {language: {"language": language, "value": text} for language, text in (labels or {}).items()}
    others = {language: [{"language": language, "value": text}] for language, text in (aliases or {}).items()}
    return {"id": qid, "type": "item", "labels": named, "aliases": others, "claims": claims}


def founded(*values, **more):
    return [dated("P571", each, **more) for each in values]


@pytest.mark.parametrize(
    ("qid", "there", "verdict", "days", "note"),
    [
        (NATO, time("1949-04-04"), "agrees", 0, "Counted as signed. The others: in force."),
        (NATO, time("1949-08-24"), "agrees", 0, "Counted as in force. The others: signed."),
        (NATO, time("1949-00-00", 9), "agrees", 0, "To the year. Counted as signed."),
        (NATO, time("1949-04-00", 10), "agrees", 0, "To the month. Counted as signed. The others: in force."),
        (NATO, time("1949-04-07"), "differs", 3, ""),
        (NATO, time("1952-02-18"), "contradicted", 908, "States were members before."),
        (CSTO, time("2002-05-14"), "agrees", 0, "Counted as decided. The others: signed, in force."),
        (
            CSTO,
            time("1992-05-15"),
            "differs",
            -3651,
            "On that day id:collective-security-treaty was signed, on which it is based.",
        ),
        (KAZAKHSTAN, time("1991-12-16"), "agrees", 0, ""),
    ],
)
def test_an_inception_agrees_with_any_day_that_counts(audited, qid, there, verdict, days, note):
    """Decision, signature and entry into force are all used in Wikidata; another treaty's day is not one of them."""
    found = audited(thing(qid, P571=founded(there, references=2)))
    ((*rest, given),) = told(found, "verdict", "days", "references", "note", what=["founded"])
    assert (rest, given) == ([verdict, days, 2], note)


@pytest.mark.parametrize("claims", [{}, {"P571": founded(SOME)}, {"P571": founded(NONE)}], ids=["none", "some", "no"])
def test_an_inception_that_is_not_there(audited, claims):
    """One that is unknown or said not to be lacks a day too; the day of entry into force is proposed."""
    found = audited(thing(NATO, **claims))
    assert told(found, "verdict", "here", what=["founded"]) == [
        ("missing there", "1949-04-04 (signed), 1949-08-24 (in force)")
    ]
    (line,) = [each.line.split("\t") for each in found.proposals if "P571" in each.line]
    assert line[:4] == ["Q7184", "P571", "+1949-08-24T00:00:00Z/11", "S854"]


def test_a_deprecated_inception_counts_for_nothing(audited):
    found = audited(thing(NATO, P571=founded(time("1949-04-04"), rank="deprecated")))
    assert told(found, "verdict", what=["founded"]) == [("missing there",)]


def test_every_inception_is_compared(audited):
    """Two values with their ranks, as Wikidata has them where people disagree."""
    claims = [*founded(time("1949-04-04"), rank="preferred"), *founded(time("1950-01-01"))]
    found = audited(thing(NATO, P571=claims))
    assert told(found, "verdict", "rank", what=["founded"]) == [
        ("contradicted", "normal"),
        ("agrees", "preferred"),
    ]
    assert [each for each in found.proposals if "P571" in each.line] == []


def test_what_was_not_yet_is_not_missing(audited):
    """In 1948 NATO was neither founded nor could it lack a date; in 1960 the Warsaw Pact had no end."""
    day = datetime.date(1948, 1, 1).toordinal()
    assert told(audited(thing(NATO), on=day), "verdict", what=["founded"]) == []
    day = datetime.date(1960, 1, 1).toordinal()
    assert told(audited(thing(WARSAW_PACT), on=day), "verdict", what=["dissolved"]) == [("agrees",)]


def test_the_beginning_of_a_state_is_not_for_us_to_correct(audited):
    """Germany's differs, and nothing is proposed."""
    found = audited(thing(GERMANY, P571=founded(time("1871-01-18"))))
    assert told(found, "verdict", what=["founded"]) == [("differs",)]
    assert [each for each in found.proposals if "P571" in each.line] == []


@pytest.mark.parametrize(
    ("qid", "there", "verdict", "days"),
    [
        (WARSAW_PACT, time("1991-07-01"), "agrees", 0),
        (WARSAW_PACT, time("1991-06-30"), "agrees", 0),
        (WARSAW_PACT, time("1991-02-25"), "differs", -125),
        (WARSAW_PACT, SOME, "missing there", 0),
        (SEATO, time("1977-00-00", 9), "agrees", 0),
        (NATO, time("2019-11-07"), "contradicted", 0),
        (NATO, SOME, "contradicted", 0),
    ],
)
def test_an_end_is_that_of_the_last_membership(audited, qid, there, verdict, days):
    found = audited(thing(qid, P576=[dated("P576", there)]))
    assert told(found, "verdict", "days", what=["dissolved"]) == [(verdict, days)]


@pytest.mark.parametrize(
    ("qid", "there", "verdict", "days"),
    [
        ("Q16957", time("1990-10-03"), "agrees", 0),
        ("Q16957", time("1990-10-02"), "agrees", 0),
        ("Q15180", time("1991-12-26"), "agrees", 0),
        ("Q33946", time("1989-11-17"), "differs", -1140),
        (GERMANY, time("1945-05-08"), "contradicted", 0),
    ],
    ids=["first day without", "last day", "a year here", "earlier", "still stands"],
)
def test_the_end_of_a_state_is_that_of_the_lists(audited, qid, there, verdict, days):
    """East Germany, the Soviet Union, Czechoslovakia; nothing is proposed."""
    found = audited(thing(qid, P576=[dated("P576", there)]))
    assert told(found, "verdict", "days", what=["dissolved"]) == [(verdict, days)]
    assert [each for each in found.proposals if "P576" in each.line] == []


def test_an_end_that_is_not_there(audited):
    """The Warsaw Pact lacks one, and gets a proposal; NATO goes on in both."""
    found = audited(thing(WARSAW_PACT))
    assert told(found, "verdict", "here", what=["dissolved"]) == [("missing there", "1991-06-30")]
    (line,) = [each.line.split("\t") for each in found.proposals if "P576" in each.line]
    assert line[:4] == ["Q41644", "P576", "+1991-06-30T00:00:00Z/11", "S854"]
    assert told(audited(thing(NATO)), "verdict", what=["dissolved"]) == [("agrees",)]


@pytest.fixture
def linked(here):
    """The record with a link of the Western Union, for which no item was verified, to an item that nobody has."""
    made_up = copy.copy(here)
    made_up.linked = {**here.linked, "Q999999999": Linked("western-union", True, "Alliance")}
    made_up.items = {**here.items, "western-union": "Q999999999"}
    return made_up


@pytest.mark.parametrize(
    ("properties", "verdict"),
    [
        ({"P1365": "Q999999999"}, "agrees"),
        ({"P155": "Q999999999"}, "agrees"),
        ({"P1366": "Q999999999"}, "contradicted"),
        ({"P156": "Q999999999"}, "contradicted"),
        ({"P1365": NATO}, "missing here"),
        ({}, "missing there"),
    ],
)
def test_what_takes_the_place_of_what(linked, tmp_path, properties, verdict):
    """Western European Union took the place of the Western Union: it replaces or follows it, not the other way."""
    file = tmp_path / "weu.json"
    claims = {name: [claim(target, guid=f"Q189946${name}")] for name, target in properties.items()}
    file.write_text(json.dumps(thing(WEU, **claims)))
    found = auditing.audit([reading.read(file)], linked)
    assert (verdict,) in told(found, "verdict", what=["predecessor", "successor"])
    lines = [each.line.split("\t")[:4] for each in found.proposals if "P1365" in each.line]
    assert lines == ([] if verdict == "agrees" else [["Q189946", "P1365", "Q999999999", "S854"]])


def test_a_grouping_is_no_military_alliance(audited):
    """Five Eyes under “military alliance”: the record has no pledge of its members."""
    found = audited(thing(FIVE_EYES, P31=[claim("Q1127126", guid="Q15978258$1")]))
    assert told(found, "verdict", "alliance", what=["class"]) == [("contradicted", "five-eyes")]
    assert told(audited(thing(NATO, P31=[claim("Q1127126", guid="Q7184$1")])), "verdict", what=["class"]) == []


@pytest.mark.parametrize(
    ("labels", "aliases", "verdict", "note"),
    [
        ({"en": "North Atlantic  treaty organization"}, {}, "agrees", ""),
        ({"en": "NATO"}, {}, "agrees", "Another name here."),
        ({"en": "The Alliance"}, {"en": "North Atlantic Treaty Organization"}, "agrees", "Another name there."),
        ({"en": "The Alliance"}, {"de": "North Atlantic Treaty Organization"}, "differs", ""),
        ({"mul": "NATO"}, {}, "agrees", "Another name here."),
        ({"sv": "Nato"}, {}, "missing there", ""),
    ],
)
def test_names_are_compared_by_language(audited, labels, aliases, verdict, note):
    """Without differences of case and space; a label for all languages counts where a language has none of its own."""
    found = audited(thing(NATO, labels, aliases))
    given = [each for each in found.findings if (each.what, each.language) == ("label", "en")]
    assert [(each.verdict, each.note) for each in given] == [(verdict, note)]


def test_names_are_compared_in_the_languages_of_the_record(audited):
    """Germany has names here in the languages of the United Nations, as most states do; not in German."""
    found = audited(thing(GERMANY, {"de": "Deutschland", "en": "Germany"}))
    given = [(each.language, each.verdict) for each in found.findings if each.what == "label"]
    lacking = [(language, "missing there") for language in ("ar", "es", "fr", "ru", "zh")]
    assert sorted(given) == sorted([("en", "agrees"), *lacking])
    assert not any("\tL" in each.line for each in found.proposals)


def test_a_name_that_the_record_lacks(here, tmp_path):
    """Without its French name here, what is there is missing here."""
    without = copy.copy(here)
    without.names = {**here.names, "germany": {"en": here.names["germany"]["en"]}}
    file = tmp_path / "germany.json"
    file.write_text(json.dumps(thing(GERMANY, {"en": "Germany", "fr": "Allemagne"})))
    found = auditing.audit([reading.read(file)], without)
    given = {each.language: each.verdict for each in found.findings if each.what == "label"}
    assert given == {"en": "agrees", "fr": "missing here"}


def test_names_that_agree_do_not_fill_the_table(audited):
    """They are counted, and in the JSON."""
    found = audited(thing(NATO, {"en": "NATO"}))
    assert "label en" not in telling.text(found) and '"label"' in telling.as_json(found)


def test_a_name_there_marks_nothing_up(audited):
    """Neither a link nor a tag of a stranger's comes out of the Markdown, nor a column too many."""
    found = audited(thing(NATO, {"en": "[a](javascript:b) <img src=c> `d` | e"}))
    (row,) = [line for line in telling.markdown(found).splitlines() if "label en" in line]
    assert "\\[a\\](javascript:b) \\<img src=c\\> \\`d\\` \\| e" in row


def test_only_what_is_asked_for_is_compared(here, tmp_path):
    file = tmp_path / "nato.json"
    file.write_text(json.dumps(thing(NATO, {"en": "Alliance"})))
    for aspect, what in (("dates", {"founded", "dissolved"}), ("labels", {"label"}), ("memberships", set())):
        found = auditing.audit([reading.read(file)], here, aspects=[aspect])
        assert {each.what for each in found.findings if each.verdict != "out of scope"} == what


def test_a_membership_that_begins_before_what_it_is_of(audited):
    """The European Union since 1957, though Wikidata itself has it begin in 1993."""
    union = thing("Q458", P571=founded(time("1993-11-01")))
    found = audited([entity(GERMANY, claim("Q458", time("1957-03-25"), guid="Q183$9")), union])
    (given,) = [each for each in found.findings if each.target == "Q458"]
    assert given.verdict == "out of scope" and "It begins in 1957-03-25, before Q458 itself (1993-11-01)." in given.note


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (thing(NATO, P571=founded(time("1949-04-04"))), "a.json"),
        (
            """@prefix wd: <http://www.wikidata.org/entity/> . @prefix wdt: <http://www.wikidata.org/prop/direct/> .
            wd:Q7184 wdt:P571 "1949-04-04T00:00:00Z"^^<http://www.w3.org/2001/XMLSchema#dateTime> .""",
            "truthy.ttl",
        ),
        (
            """@prefix wd: <http://www.wikidata.org/entity/> . @prefix s: <http://www.wikidata.org/entity/statement/> .
            @prefix v: <http://www.wikidata.org/value/> . @prefix wikibase: <http://wikiba.se/ontology#> .
            wd:Q7184 <http://www.wikidata.org/prop/P571> s:q7184-1 .
            s:q7184-1 wikibase:rank wikibase:NormalRank ; <http://www.wikidata.org/prop/statement/value/P571> v:1 .
            v:1 wikibase:timeValue "1949-04-04T00:00:00Z" ; wikibase:timePrecision 11 .""",
            "full.ttl",
        ),
    ],
    ids=["JSON", "truthy triples", "statement nodes"],
)
def test_dates_come_from_every_form(audited, content, name):
    assert told(audited(content, name), "verdict", "there", what=["founded"]) == [("agrees", "1949-04-04")]
