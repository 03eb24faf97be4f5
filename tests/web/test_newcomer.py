"""What a newcomer types: addresses that nearly fit, parameters that do nothing, formats by ``Accept``."""

import re

import pytest

CSV = "text/csv; charset=utf-8; header=present"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
MEMBERS = "/queries/members-on"
VALUES = "alliance=csto&date=2010-06-12"
GRAPHS = ("about", "asserted", "inferred", "links", "ontology", "shapes")


def number(text):
    return int(text.replace(",", ""))


# ── /download ──


def test_the_download_page_leads_to_every_graph_in_four_formats(client):
    page = client.get("/download").text
    for graph in GRAPHS:
        for form, media_type in (
            ("ttl", "text/turtle"),
            ("nt", "application/n-triples"),
            ("jsonld", "application/ld+json"),
            ("rdf", "application/rdf+xml"),
        ):
            address = f"/graph/{graph}?format={form}"
            assert f'href="{address}"' in page
            assert client.head(address).mimetype == media_type


def test_the_download_page_names_sizes_licence_version_and_checksum(client, pool):
    page = client.get("/download").text
    sizes = [number(each) for each in re.findall(r"</th><td>([0-9,]+)</td>", page)]
    assert len(sizes) == len(GRAPHS) + 1
    assert sum(sizes[:-1]) == sizes[-1] == pool.dataset.quads
    assert "CC BY 4.0" in page and pool.dataset.sha256 in page and "Foedus 0" in page


def test_every_page_leads_to_the_downloads(client):
    assert all('href="/download"' in client.get(path).text for path in ("/", "/page/csto", MEMBERS))


def test_home_counts_the_statements_that_health_does(client):
    home = client.get("/").text
    shown = re.search(r"<dt>statements[^<]*</dt><dd>([0-9,]+)</dd>", home)
    assert number(shown[1]) == client.get("/health").json["quads"]


# ── parameters of a question ──


@pytest.mark.parametrize("end", ["", ".csv"])
@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("alliance=nato", "alliance"),
        ("alliance=csto", "alliance"),
        ("lang=de", "lang"),
        ("for=armenia", "for"),
        ("format=csv&format=json", "format"),
    ],
)
def test_a_parameter_that_would_do_nothing_is_refused(client, end, more, said):
    answer = client.get(f"{MEMBERS}{end}?{VALUES}&{more}", headers={"Accept": "application/problem+json, text/html"})
    assert answer.status_code == 400
    assert f"“{said}”" in answer.text


def test_without_reasoning_a_file_holds_what_is_asserted_alone(client):
    """No membership is typed in by hand, so that nobody is a member before rules conclude it."""
    with_rules, without = (client.get(f"{MEMBERS}.csv?{VALUES}&reasoning={word}") for word in ("on", "off"))
    assert with_rules.data == client.get(f"{MEMBERS}.csv?{VALUES}").data
    assert without.status_code == 200
    assert (with_rules.data.count(b"\r\n") > 5, without.data.count(b"\r\n")) == (True, 1)
    assert client.get(f"{MEMBERS}?{VALUES}&reasoning=off", headers={"Accept": "text/csv"}).data == without.data
    assert client.get(f"{MEMBERS}.csv?{VALUES}&reasoning=off&format=csv").data == without.data


@pytest.mark.parametrize(
    ("pattern", "stated"),
    [
        ("foedus:defence rdfs:label 'defence'@en", True),
        ("id:armenia skos:exactMatch wd:Q399", True),
        ("id:csto foedus:statedIn 'data/alliances/csto.ttl'", True),
        ("id:membership-csto-armenia-1 foedus:status 'member'", False),
        ("id:armenia a foedus:MemberState", False),
    ],
)
def test_without_reasoning_everything_that_files_state_is_there(client, pattern, stated):
    """Words of the ontology, links and places of facts are stated; spells and roles follow."""
    for text in (f"ASK {{ {pattern} }}", f"ASK {{ GRAPH ?g {{ {pattern} }} }}"):
        asked = ({"query": text, "format": "csv", "reasoning": word} for word in ("on", "off"))
        answers = [client.get("/sparql", query_string=each).text.strip() for each in asked]
        assert answers == ["true", "true" if stated else "false"]


def test_a_page_without_reasoning_and_an_unknown_word_are_refused(client):
    page = client.get(f"{MEMBERS}?{VALUES}&reasoning=off", headers={"Accept": "text/html"})
    word = client.get(f"{MEMBERS}.csv?{VALUES}&reasoning=none", headers={"Accept": "application/problem+json"})
    assert (page.status_code, word.status_code) == (400, 400)
    assert "Ask for a file" in page.text
    assert "Give on or off" in word.text


@pytest.mark.parametrize("form", ["csv", "tsv", "json", "ttl"])
def test_format_chooses_as_the_extension_does(client, form):
    chosen = client.get(f"{MEMBERS}?{VALUES}&format={form}")
    file = client.get(f"{MEMBERS}.{form}?{VALUES}")
    assert chosen.status_code == file.status_code == 200
    assert (chosen.data, chosen.content_type) == (file.data, file.content_type)
    assert client.get(f"{MEMBERS}.{form}?{VALUES}&format={form}").data == file.data


def test_format_html_is_the_page_whatever_is_accepted(client):
    answer = client.get(f"{MEMBERS}?{VALUES}&format=html", headers={"Accept": "text/csv"})
    assert (answer.status_code, answer.mimetype) == (200, "text/html")


def test_two_formats_that_contradict_each_other_are_refused(client):
    assert client.get(f"{MEMBERS}.csv?{VALUES}&format=json").status_code == 400


def test_a_format_that_is_not_there_is_refused_with_those_that_are(client):
    answer = client.get(f"{MEMBERS}?{VALUES}&format=pdf")
    assert answer.status_code == 406
    assert "csv" in answer.json["remedy"]


# ── Accept ──


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, "text/html; charset=utf-8"),
        ("*/*", "text/html; charset=utf-8"),
        (BROWSER, "text/html; charset=utf-8"),
        ("text/csv", CSV),
        ("text/csv, text/html;q=0.5", CSV),
        ("text/html, text/csv;q=0.5", "text/html; charset=utf-8"),
        ("text/tab-separated-values", "text/tab-separated-values; charset=utf-8"),
        ("application/json", "application/json"),
        ("application/sparql-results+json", "application/sparql-results+json"),
        ("text/turtle", "text/turtle; charset=utf-8"),
    ],
)
def test_a_question_answers_in_what_is_accepted(client, accept, content_type):
    answer = client.get(f"{MEMBERS}?{VALUES}", headers={"Accept": accept} if accept else {})
    assert (answer.status_code, answer.content_type) == (200, content_type)
    assert "Accept" in answer.vary
    if content_type == CSV:
        assert answer.data == client.get(f"{MEMBERS}.csv?{VALUES}").data


def test_a_question_in_no_accepted_format_lists_the_offers(client):
    answer = client.get(f"{MEMBERS}?{VALUES}", headers={"Accept": "image/png"})
    assert answer.status_code == 406
    assert all(each in answer.json["remedy"] for each in ("text/html", "text/csv", "text/turtle"))


@pytest.mark.parametrize("path", ["/", "/queries", "/page/csto", "/search?q=csto", "/download", "/query"])
def test_a_page_is_not_sent_to_who_accepts_none(client, path):
    refused = client.get(path, headers={"Accept": "text/turtle"})
    assert refused.status_code == 406
    assert "text/html" in refused.json["remedy"]
    for accept in ("*/*", BROWSER, "text/*"):
        shown = client.get(path, headers={"Accept": accept})
        assert (shown.status_code, shown.mimetype) == (200, "text/html")
        assert "Accept" in shown.vary


def test_a_thing_that_is_not_there_is_404_whatever_is_accepted(client):
    assert client.get("/page/no-such-thing", headers={"Accept": "text/turtle"}).status_code == 404


@pytest.mark.parametrize("accept", ["text/html", "image/png"])
@pytest.mark.parametrize("query", ["ASK {", "SELECT ?x WHERE { ?x ?y }"])
def test_a_malformed_query_is_400_whatever_is_accepted(client, accept, query):
    answer = client.post("/sparql", data={"query": query}, headers={"Accept": accept})
    assert answer.status_code == 400
    assert accept != "text/html" or answer.mimetype == "text/html"


def test_a_good_query_posted_for_a_page_is_still_not_acceptable(client):
    assert client.post("/sparql", data={"query": "ASK {}"}, headers={"Accept": "text/html"}).status_code == 406


# ── addresses that nearly fit ──


@pytest.mark.parametrize("path", ["/ontology", "/queries", "/sparql", "/page/csto", "/data/csto.ttl", MEMBERS])
def test_a_slash_too_many_is_led_to_the_address_without(client, path):
    answer = client.get(f"{path}/?a=b%20c")
    assert (answer.status_code, answer.headers["Location"]) == (308, f"{path}?a=b%20c")


@pytest.mark.parametrize("path", ["/nowhere/", "//example.org/", "/nowhere/at/all/"])
def test_a_slash_after_what_is_no_address_leads_nowhere_else(client, path):
    answer = client.get("/", environ_overrides={"PATH_INFO": path})
    assert answer.status_code in (308, 404)
    assert answer.headers.get("Location", "http://localhost/").startswith("http://localhost/")


@pytest.mark.parametrize(
    ("accept", "where"),
    [
        (None, "/data/csto.ttl"),
        ("*/*", "/data/csto.ttl"),
        ("text/csv", "/data/csto.csv"),
        ("application/ld+json", "/data/csto.jsonld"),
        (BROWSER, "/page/csto"),
    ],
)
def test_data_without_an_extension_lead_to_what_is_accepted(client, accept, where):
    answer = client.get("/data/csto", headers={"Accept": accept} if accept else {})
    assert (answer.status_code, answer.headers["Location"]) == (303, where)
    assert "Accept" in answer.vary


def test_data_of_nothing_are_404(client):
    assert client.get("/data/no-such-thing").status_code == 404


def test_an_unknown_graph_is_told_all_that_there_are(client):
    answer = client.get("/graph/foo")
    assert answer.status_code == 404
    assert all(each in answer.json["remedy"] for each in GRAPHS)
    page = client.get("/graph/foo", headers={"Accept": BROWSER}).text
    assert all(f'href="/graph/{each}"' in page for each in GRAPHS)


# ── parameters of the endpoint ──


@pytest.mark.parametrize("accept", ["*/*", BROWSER])
@pytest.mark.parametrize("address", ["/sparql?quary=1", "/sparql?query=ASK{}&limit=1", "/sparql?Query=ASK{}"])
def test_an_unknown_parameter_of_the_endpoint_is_refused_with_those_known(client, accept, address):
    answer = client.get(address, headers={"Accept": accept})
    assert answer.status_code == 400
    assert all(each in answer.text for each in ("query", "default-graph-uri", "named-graph-uri", "format"))


def test_an_unknown_parameter_in_a_form_is_refused(client):
    assert client.post("/sparql", data={"query": "ASK {}", "limit": "1"}).status_code == 400


def test_the_three_names_of_a_format_that_sparqlwrapper_sends_are_one(client):
    answer = client.get("/sparql?query=ASK{}&format=json&output=json&results=json", headers={"Accept": "*/*"})
    assert answer.mimetype == "application/sparql-results+json"
    assert client.get("/sparql?query=ASK{}&output=csv").content_type == CSV


@pytest.mark.parametrize("path", ["/", "/download"])
def test_our_licence_is_not_put_on_other_peoples_data(client, own, path):
    """The shipped data say under which licence they are; of data of one's own the pages do not know."""
    assert "CC BY 4.0" in client.get(path, headers={"Accept": "text/html"}).text
    assert "CC BY 4.0" not in own.get(path, headers={"Accept": "text/html"}).text


def test_a_number_means_who_had_it_on_the_day_that_is_asked_about(client):
    """Also in what a citation takes for the address of the answer; without a day it means who has it today."""
    then = client.get("/queries/timeline.csv?state=365&date=1970-01-01").text
    assert "Soviet Union" in then and "Russia," not in then
    assert "Soviet Union" not in client.get("/queries/timeline.csv?state=365").text
    assert "state=soviet-union" in client.get("/cite?question=timeline&state=365&date=1970-01-01&format=bib").text
