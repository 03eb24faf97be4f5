"""Each trap that was seen in real data of Wikidata, by its name."""

import re

import pytest

from .items import CSTO, GERMANY, NATO, claim, dated, entity, time, told

DAY = r"\+\d{4}-\d\d-\d\dT00:00:00Z/(?:9|10|11)"
VALUE = rf'(?:Q[1-9]\d*|{DAY}|"[^"|\t]+")'
LINE = re.compile(
    rf"(?:Q[1-9]\d*\tP[1-9]\d*\t{VALUE}(?:\tP[1-9]\d*\t{VALUE})*\tS854\t{VALUE}"
    rf"|REMOVE_QUAL\tQ[1-9]\d*\tP[1-9]\d*\t{VALUE}\tP[1-9]\d*\t{VALUE})"
)
"""What the parser of QuickStatements 3 takes for a statement with its source, and for a qualifier to be taken away."""


def test_the_netherlands_are_q55_and_not_q29999(audited):
    """The list of country codes has the kingdom; the memberships stand at the country."""
    kingdom = entity("Q29999", claim(NATO, guid="Q29999$1"))
    country = entity("Q55", claim(NATO, time("1949-08-24"), guid="Q55$1"))
    found = audited([kingdom, country])
    rows = [each for each in told(found, "verdict", "what", "item", "state", "alliance") if each[4] == "nato"]
    assert rows == [
        ("other item", "membership", "Q29999", "netherlands", "nato"),
        ("agrees", "begin", "Q55", "netherlands", "nato"),
        ("agrees", "end", "Q55", "netherlands", "nato"),
    ]


def test_denmark_is_q35_and_not_q756617(audited):
    found = audited([entity(qid, claim(NATO, time("1949-08-24"), guid=f"{qid}$1")) for qid in ("Q35", "Q756617")])
    twice = [each for each in found.findings if each.item == "Q756617" and each.alliance == "nato"]
    assert [each.note for each in twice] == ["id:denmark is Q35, which is a member there too."]


def test_a_member_by_truthy_statement_only_may_have_left(audited):
    """Uzbekistan, in an answer of 2020, and Azerbaijan, which was bound by the treaty and never in the organisation."""
    found = audited(f"alliance,country\n{CSTO},Q265\n{CSTO},Q227\n", "answer_2020-10-28.csv")
    rows = [each for each in told(found, "verdict", "what", "state") if each[0] == "contradicted"]
    assert rows == [("contradicted", "membership", "azerbaijan"), ("contradicted", "end", "uzbekistan")]


def test_georgia_was_never_in_the_organisation(audited):
    """It was bound by the treaty until 1999, three years before the organisation was founded."""
    found = audited(entity("Q230", claim(CSTO, time("1994-04-20"), time("1999-04-20"), guid="Q230$1")))
    (given,) = [each for each in found.findings if (each.what, each.alliance) == ("membership", "csto")]
    assert (given.verdict, found.proposals) == ("contradicted", ()) and "Never a member here" in given.note


def test_year_precision_is_no_day(audited):
    """1 January 2011 to the year is some day of 2011, and the membership ended on one."""
    weu = claim("Q189946", time("1954-01-01", 9), time("2011-01-01", 9), guid="Q183$1")
    found = audited(entity(GERMANY, weu))
    rows = [each for each in told(found, "what", "verdict", "days", "alliance") if each[3] == "weu"]
    assert rows == [("begin", "differs", -126, "weu"), ("end", "agrees", 0, "weu")]


def test_ids_of_statements_in_lower_case_are_one_item_s(audited):
    found = audited(entity(GERMANY, claim(NATO, guid="q183$A"), claim("Q189946", guid="Q183$B")))
    assert {"Q183$A", "Q183$B"} <= {each.place for each in found.findings}


def test_json_of_2014_has_numbers_for_items_and_eleven_digits_for_years(audited):
    old = entity(GERMANY, claim(NATO, time("1955-05-06", old=True), old=True), aliases=[], labels=[])
    old["claims"]["P571"] = [dated("P571", time("1949-09-00", 10, old=True))]
    found = audited(old)
    assert ("agrees", "begin", "1955-05-06") in told(found, "verdict", "what", "there")
    assert told(found, "verdict", "there", what=["founded"]) == [("agrees", "1949-09")]


def test_an_alliance_by_another_property_is_none(audited):
    """“polla”, a currency, which is named after France."""
    head = "alliance,allianceLabel,country,countryLabel,memberOf\n"
    found = audited(f"{head}Q43482,polla,Q142,France,http://www.wikidata.org/prop/direct/P138\n", "answer.csv")
    (given,) = [each for each in found.findings if each.target == "Q43482"]
    assert (given.verdict, given.note) == ("out of scope", "P138 is no statement of membership.")


@pytest.mark.parametrize(
    ("qid", "name"), [("Q15978258", "five-eyes"), ("Q485207", "shanghai-cooperation-organisation")]
)
def test_groupings_under_military_alliance_are_none(audited, qid, name):
    """Neither their class nor their members make them alliances of the record."""
    grouping = entity(qid)
    grouping["claims"]["P31"] = [claim("Q1127126", guid=f"{qid}$1")]
    found = audited([grouping, entity("Q408", claim(qid, guid="Q408$1"))])
    assert told(found, "verdict", "alliance", what=["class"]) == [("contradicted", name)]
    (given,) = [each for each in found.findings if each.target == qid]
    assert (given.verdict, given.note) == ("out of scope", f"id:{name} is no alliance of the record.")


def test_a_union_that_did_not_exist_had_no_members(audited):
    """The European Union since 1957: out of scope, and told to be before the Union's own inception."""
    union = entity("Q458")
    union["claims"]["P571"] = [dated("P571", time("1993-11-01"))]
    found = audited([entity(GERMANY, claim("Q458", time("1957-03-25"), guid="Q183$9")), union])
    (given,) = [each for each in found.findings if each.target == "Q458"]
    assert given.verdict == "out of scope" and "It begins in 1957-03-25, before Q458 itself (1993-11-01)." in given.note


def test_every_proposed_line_is_one_that_the_tool_reads(audited):
    """Missing members, wrong days, wrong ends and missing dates of alliances, all at once."""
    items = [entity(qid) for qid in ("Q399", "Q31", "Q36", NATO, CSTO, "Q41644", "Q277252", "Q189946")]
    wrong = entity(GERMANY, claim(NATO, time("1955-05-09"), time("1990-01-01"), guid="Q183$1"))
    left = entity("Q265", claim(CSTO, time("2008-01-01"), guid="Q265$1"))
    proposals = audited([*items, wrong, left]).proposals
    assert len(proposals) > 15 and {"P571", "P576", "P463"} <= {each.line.split("\t")[1] for each in proposals}
    assert [each.line for each in proposals if not LINE.fullmatch(each.line)] == []
    assert not any(mark in each.reason for each in proposals for mark in ("*/", "|", "\t", "\n"))


def test_too_large_a_file_is_refused(audited, monkeypatch):
    monkeypatch.setattr("foedus.link.reading._LARGEST", 10)
    (trouble,) = audited(entity(GERMANY)).troubles
    assert "larger than" in trouble.message
