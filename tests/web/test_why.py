"""The page of proofs, its JSON and its Turtle, and the way there from every inferred fact."""

import json
import re
from html import unescape
from urllib.parse import quote, urlencode

import pytest
from pyoxigraph import RdfFormat, parse

HTML = {"Accept": "text/html"}
FORMER = "/why?s=id:uzbekistan&p=a&o=foedus:FormerMemberState"
NOT = "/why?not=membership&state=UZB&alliance=csto&date=2013-01-01"


def links_to_proofs(text: str) -> list[str]:
    return [unescape(each) for each in re.findall(r'<a class="inferred" href="([^"]*)"', text)]


def test_a_proof_is_a_page_with_rules_files_and_sources(client):
    page = client.get(FORMER, headers=HTML)
    assert (page.status_code, page.headers["Vary"].count("Accept")) == (200, 2)
    assert "<h1>Why: Uzbekistan is a former member state</h1>" in page.text
    assert "A state one of whose memberships has been ended is or was a former member state." in page.text
    assert "<code>ontology/rules/former-member-state.rq</code>" in page.text
    assert "<code>data/alliances/csto.ttl</code>" in page.text
    assert 'href="/page/csto-suspension-uzbekistan-2012-12-19"' in page.text


@pytest.mark.parametrize("asked", ["format=json", "accept"])
def test_a_proof_is_there_as_json(client, asked):
    headers = {"Accept": "application/json"} if asked == "accept" else HTML
    answer = client.get(FORMER + ("" if asked == "accept" else f"&{asked}"), headers=headers)
    assert answer.content_type == "application/json"
    assert json.loads(answer.text)["proofs"][0]["rule"] == "former-member-state"


@pytest.mark.parametrize("accept", ["text/turtle", "text/turtle;q=0.9, text/html;q=0.5"])
def test_a_proof_is_there_in_turtle(client, accept):
    answer = client.get(FORMER, headers={"Accept": accept})
    assert answer.content_type.startswith("text/turtle")
    assert len(list(parse(answer.text, format=RdfFormat.TURTLE))) > 100


def test_why_not_is_a_page_and_json_and_each_fact_in_it_leads_to_its_proof(client):
    page = client.get(NOT, headers=HTML)
    assert page.status_code == 200
    assert "<h1>Why was Uzbekistan not a member of" in page.text
    assert "on 1 January 2013?</h1>" in page.text and "It had ended" in page.text
    proofs = [unescape(each) for each in re.findall(r'<a href="(/why[^"]*)">why\?</a>', page.text)]
    assert len(proofs) > 5
    assert {client.get(each, headers=HTML).status_code for each in proofs} == {200}
    assert json.loads(client.get(NOT + "&format=json").text)["holds"] == "no"


def test_every_inferred_fact_on_a_page_leads_to_its_proof(client):
    """On the pages of a membership, a state, a request, a disagreement's fact and a source."""
    for name in (
        "membership-csto-armenia-1",
        "interruption-csto-armenia-1",
        "collective-security-treaty-article-4-armenia-2022-09-13",
        "uzbekistan",
    ):
        text = client.get(f"/page/{name}", headers=HTML).text
        found = links_to_proofs(text)
        assert found, name
        bare = text.count('<span class="inferred"')
        assert bare == len(re.findall(r'class="under">[^<]*(?:<b>[^<]*</b>)?[^<]*<span class="inferred"', text)), name
        for address in found[:12]:
            assert client.get(address, headers=HTML).status_code == 200, address


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("s=id:uzbekstan&p=a&o=foedus:State", 404, "uzbekistan"),
        ("s=id:uzbekistan&p=a&o=foedus:Alliance", 404, "FormerMemberState"),
        ("s=id:uzbekistan&p=a", 400, "missing: o"),
        ("s=id:uzbekistan&p=a&o=foedus:State&proofs=0", 400, "1 to 50"),
        ("s=id:uzbekistan&p=a&o=foedus:State&proofs=many", 400, "no number"),
        ("s=id:uzbekistan&p=a&o=foedus:State&s=id:csto", 400, "given 2 times"),
        ("s=id:uzbekistan&p=a&o=foedus:State&x=y", 400, "takes no parameter"),
        ("s=id:uzbekistan&p=a&o=foedus:State&format=xml", 406, "Choose from: html, json, ttl."),
        ("not=weather", 400, "Choose from: membership, answered."),
        ("not=membership&state=UZB&alliance=csto&date=2013-02-30", 400, "no date"),
        ("not=membership&state=UZB&alliance=csto&date=2013-01-01&format=ttl", 406, "page or as JSON"),
    ],
)
def test_what_cannot_be_answered_says_why(client, query, status, said):
    answer = client.get(f"/why?{query}", headers=HTML)
    assert answer.status_code == status
    assert said in unescape(answer.text)


@pytest.mark.parametrize(
    "value",
    [
        "> } DROP ALL #",
        '"x" . ?s ?p ?o }',
        "<http://example.org/> UNION { ?s ?p ?o }",
        "<script>alert(1)</script>",
        "javascript:alert(1)",
        "\x00",
        "?s",
        "_:b",
        "x" * 5000,
        '"' + "\\" * 999,
        '"\\u0000"',
    ],
)
@pytest.mark.parametrize("place", ["s", "p", "o"])
def test_hostile_terms_are_refused_in_words_and_come_back_as_text(client, value, place):
    terms = {"s": "id:csto", "p": "a", "o": "foedus:Alliance", place: value}
    answer = client.get("/why?" + urlencode(terms), headers=HTML)
    assert answer.status_code == 400
    assert "<script" not in answer.text
    assert "Traceback" not in answer.text


def test_a_hostile_literal_is_asked_for_as_a_literal(client):
    """It is a term like any other, which the record does not hold."""
    literal = quote('"\\" } UNION { ?s ?p ?o } #"@en')
    assert client.get(f"/why?s=id:csto&p=rdfs:label&o={literal}", headers=HTML).status_code == 404


def test_data_of_ones_own_have_no_proofs(own):
    answer = own.get("/why?s=http://example.org/both&p=http://example.org/in&o=%22both%22", headers=HTML)
    assert answer.status_code == 404
    assert "came without rules" in answer.text
