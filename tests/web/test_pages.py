"""The pages and the data behind them, over the shipped content and a real pool."""

import csv
import io
import re
import warnings
from html.parser import HTMLParser
from urllib.parse import quote, urljoin, urlsplit
from zlib import crc32

import pytest
import rdflib
from rdflib.compare import isomorphic

from foedus import names, questions
from foedus.query.limits import Limits
from foedus.query.pool import Pool, Request
from foedus.web import create_app

HTML = {"Accept": "text/html"}
REQUEST = "collective-security-treaty-article-4-armenia-2022-09-13"
RDF = {"ttl": "turtle", "jsonld": "json-ld", "nt": "nt", "rdf": "xml"}


def parsed(data, form):
    """*data* as a graph; rdflib's own JSON-LD reader warns of a class of rdflib's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return rdflib.Graph().parse(data=data, format=form)


class Page(HTMLParser):
    """What a test looks at in a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.links, self.ids, self.open, self.headings = [], [], set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.append((tag, given))
        self.open.append(tag)
        if "id" in given:
            assert given["id"] not in self.ids, f"the id {given['id']} is there twice"
            self.ids.add(given["id"])
        for name in ("href", "src", "action"):
            if given.get(name):
                self.links.append(given[name])
        if tag == "h1":
            self.headings.append("")

    def handle_data(self, data):
        if self.open and self.open[-1] == "h1":
            self.headings[-1] += data.strip()

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass


def get(client, address, **headers):
    return client.get(address, headers={**HTML, **headers}, buffered=True)


PAGES = {
    "/": "Who was allied with whom, and what came of it?",
    "/search?q=armenia": "Search for “armenia”",
    "/queries": "Questions",
    "/queries/members-on": "Who was a member of an alliance on a day, and how sure is the record?",
    "/sparql": "SPARQL",
    "/query": "SPARQL",
    "/why": "Why?",
    "/why?s=id:uzbekistan&p=a&o=foedus:FormerMemberState": "Why: Uzbekistan is a former member state",
    "/ontology": "Ontology",
    "/ontology/Request": "request",
    "/ontology/requestedBy": "requested by",
    "/ontology/obligationKinds": "obligation kinds",
    "/ontology/defence": "defence",
    "/shape/Request": "request",
    "/shape/request-under": "request-under",
    "/graph/asserted": "Asserted",
    "/.well-known/void": "What there is of what",
    "/page/armenia": "Armenia",
    "/page/csto": "Collective Security Treaty Organization",
    "/page/collective-security-treaty": "Collective Security Treaty",
    "/page/collective-security-treaty-article-4": "Article 4 of the Collective Security Treaty",
    "/page/collective-security-treaty-article-4-version-2010": (
        "Article 4 of the Collective Security Treaty, wording of the 2010 protocol"
    ),
    f"/page/{REQUEST}": "Armenia's request to the CSTO of 13 September 2022",
    "/page/armenia-azerbaijan-2022-09": "Armenian-Azerbaijani border clashes of September 2022",
    "/page/armenia-azerbaijan-ceasefire-2022-09-13": "Ceasefire of 13 September 2022 between Armenia and Azerbaijan",
    "/page/csto-establishment-2002-05-14": (
        "The parties to the Collective Security Treaty decide to become an organisation"
    ),
    "/page/foedus-dataset": "Foedus: military alliances, their members, and what was asked of them",
}


@pytest.mark.parametrize("address", PAGES)
def test_every_kind_of_page_has_its_one_heading(client, address):
    """200, one h1 that names the page, a skip link that leads to the main part."""
    answer = get(client, address)
    assert answer.status_code == 200
    page = Page(answer.text)
    assert page.headings == [PAGES[address]]
    assert "#main" in page.links and "main" in page.ids


@pytest.mark.parametrize("address", [*PAGES, "/page/no-such-thing", "/static/app.css"])
def test_every_answer_has_the_strict_policy(client, address):
    """Nothing foreign is loaded, nothing inline is run, no type is guessed."""
    answer = get(client, address)
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("address", PAGES)
def test_no_page_needs_a_script_or_anybody_else(client, address):
    """No script, no inline style, no foreign resource; links out are http(s) and give no handle back."""
    page = Page(get(client, address).text)
    for tag, attrs in page.tags:
        assert tag not in ("script", "style", "iframe") or attrs == {"type": "application/ld+json"}
        assert not [name for name in attrs if name == "style" or name.startswith("on")]
        if tag in ("link", "img") and attrs.get("rel") in (None, "stylesheet", "icon"):
            assert (attrs.get("href") or attrs.get("src")).startswith("/")
        if tag == "a" and not attrs["href"].startswith(("/", "#", "?")) and not attrs["href"].startswith(names.BASE):
            assert attrs["href"].startswith(("http://", "https://"))
            assert "noopener" in attrs["rel"]


@pytest.mark.parametrize("address", PAGES)
def test_tables_are_captioned_and_their_heads_scoped(client, address):
    """A screen reader can say what a table is and which head a cell is under."""
    page = Page(get(client, address).text)
    count = {tag: sum(1 for each, _ in page.tags if each == tag) for tag in ("table", "caption")}
    assert count["table"] == count["caption"]
    assert all("scope" in attrs for tag, attrs in page.tags if tag == "th")


@pytest.mark.parametrize(
    ("accept", "where"),
    [
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "/page/csto"),
        ("*/*", "/page/csto"),
        ("text/turtle", "/data/csto.ttl"),
        ("application/ld+json", "/data/csto.jsonld"),
        ("application/n-triples", "/data/csto.nt"),
        ("application/rdf+xml;q=0.9, text/html;q=0.2", "/data/csto.rdf"),
        ("text/csv", "/data/csto.csv"),
        ("application/sparql-results+json", "/data/csto.json"),
    ],
)
def test_a_thing_leads_to_what_is_accepted(client, accept, where):
    """303 to the page or the data, and caches are told why."""
    answer = client.get("/id/csto", headers={"Accept": accept})
    assert (answer.status_code, answer.headers["Location"]) == (303, where)
    assert "Accept" in answer.headers["Vary"]


def test_a_thing_in_no_accepted_format_is_refused(client):
    assert client.get("/id/csto", headers={"Accept": "image/png"}).status_code == 406


@pytest.mark.parametrize("name", ["csto", "armenia", REQUEST, "merkur-2022-09-16-c05", "membership-csto-armenia-1"])
def test_every_format_of_the_data_states_the_same(client, name):
    """The RDF formats hold equal graphs; the two tables hold each statement with the thing in it."""
    graphs = {}
    for ext, form in RDF.items():
        answer = client.get(f"/data/{name}.{ext}")
        assert answer.status_code == 200
        graphs[ext] = parsed(answer.data, form)
    assert len(graphs["nt"]) > 5
    assert all(isomorphic(graph, graphs["nt"]) for graph in graphs.values())
    here = rdflib.URIRef(names.ID + name)
    stated = {(str(s), str(p), str(o)) for s, p, o in graphs["nt"] if here in (s, o)}
    rows = csv.DictReader(io.StringIO(client.get(f"/data/{name}.csv").text))
    assert {(row["subject"], row["property"], row["value"]) for row in rows} == stated
    bindings = client.get(f"/data/{name}.json").json["results"]["bindings"]
    assert {tuple(row[key]["value"] for key in ("subject", "property", "value")) for row in bindings} == stated


def test_the_data_name_their_sources(client):
    """Whoever takes the data of an act also gets the address of each source."""
    graph = rdflib.Graph().parse(data=client.get("/data/csto-establishment-2002-05-14.ttl").data)
    act = rdflib.URIRef(names.ID + "csto-establishment-2002-05-14")
    sources = list(graph.objects(act, rdflib.URIRef(names.ONTOLOGY + "source")))
    assert sources
    assert all((source, rdflib.URIRef(names.ONTOLOGY + "reading"), None) in graph for source in sources)


@pytest.mark.parametrize(
    ("address", "near"),
    [
        ("/page/armena", "/page/armenia"),
        ("/id/armena", "/page/armenia"),
        ("/data/armena.ttl", "/page/armenia"),
        ("/ontology/Requst", "/ontology/Request"),
        ("/shape/Requst", "/shape/Request"),
        ("/graph/assert", "/graph/asserted"),
        ("/queries/member-on", "/queries/members-on"),
        ("/queries/member-on.csv", "/queries/members-on"),
    ],
)
def test_an_unknown_name_is_404_with_near_matches(client, address, near):
    """The page links to what was meant; the problem document names it."""
    answer = get(client, address)
    assert answer.status_code == 404
    assert near in Page(answer.text).links
    assert f">{near.rpartition('/')[2]}</a>" in answer.text, "by its name, not by its address"
    problem = client.get(address, headers={"Accept": "application/problem+json"})
    assert problem.status_code == 404
    assert near.rpartition("/")[2] in problem.json["remedy"]


@pytest.mark.parametrize("name", ["%3Cscript%3E", "a%22%3E%3Cb%3E", "x%0Ay", "..%2F..%2Fetc", "é"])
def test_a_hostile_name_is_404_and_escaped(client, name):
    for path in ("/page/", "/id/", "/ontology/", "/shape/", "/graph/"):
        answer = get(client, path + name)
        assert answer.status_code == 404
        assert "<script>" not in answer.text and "<b>" not in answer.text


HOSTILE = '"><script>alert(1)</script>\\" } DROP ALL #'


@pytest.mark.parametrize(
    "address",
    [
        "/search?q=" + quote(HOSTILE),
        "/queries/members-on?date=2022-09-13&alliance=" + quote(HOSTILE),
        "/queries/members-on?alliance=csto&date=" + quote(HOSTILE),
        "/queries/members-on?alliance=csto&date=2022-09-13&" + quote(HOSTILE) + "=1",
        "/page/csto?on=" + quote(HOSTILE),
        "/sparql?query=" + quote(f'SELECT ("{HOSTILE[2:27]}" AS ?x) {{}}'),
        "/sparql?query=" + quote(HOSTILE),
        "/ontology?format=" + quote(HOSTILE),
    ],
)
def test_hostile_text_comes_back_as_text(client, address):
    """Whatever a query string holds is escaped, and never a server error."""
    answer = get(client, address)
    assert answer.status_code < 500
    assert "<script" not in answer.text.lower()


def test_a_javascript_address_never_becomes_a_link(client):
    """An IRI may be javascript:, and a literal may hold markup; both are shown as text."""
    query = 'SELECT ?x ?y { BIND(IRI("javascript:alert(1)") AS ?x) BIND("<img src=x onerror=alert(1)>" AS ?y) }'
    page = Page(get(client, "/sparql?query=" + quote(query)).text)
    assert not [link for link in page.links if link.lower().startswith("javascript")]
    assert "img" not in [tag for tag, _ in page.tags]


def test_inferred_facts_are_marked_in_words(client):
    """A spell is concluded by rules, so each of its facts says so; an asserted fact does not."""
    assert ">inferred<" in get(client, "/page/membership-csto-armenia-1").text
    state = get(client, "/page/armenia").text
    assert re.search(r"ever member of.*?>inferred<", state, re.S)
    code = get(client, "/page/code-cow-armenia").text
    facts = code[code.index("<h2>Facts</h2>") : code.index("</section>", code.index("<h2>Facts</h2>"))]
    assert ">inferred<" not in facts


def test_sources_are_shown_with_publisher_date_and_address(client):
    page = get(client, "/page/csto-suspension-uzbekistan-2012-12-19").text
    sources = page[page.index("<h2>Sources</h2>") :]
    assert re.search(r"TASS.*?<time.*?rel=\"noopener external\">read it", sources, re.S)


def test_names_in_other_languages_say_which(client):
    """A screen reader pronounces what it is told the language of."""
    assert (
        '<span lang="ru" dir="auto">Организация Договора о коллективной безопасности</span>'
        in get(client, "/page/csto").text
    )


def test_members_are_shown_for_the_day_asked(client):
    """The certainty of each spell is that of the day in the address."""
    then = get(client, "/page/csto?on=2022-09-13").text
    assert then.count('data-word="certain"') == 6
    assert get(client, "/page/csto?on=2003-01-01").text.count('data-word="certain"') == 0


@pytest.mark.parametrize("name", ["date", "asOf"])
def test_a_page_takes_the_day_under_the_names_that_questions_use(client, name):
    assert get(client, f"/page/csto?{name}=2022-09-13").text == get(client, "/page/csto?on=2022-09-13").text


@pytest.mark.parametrize("day", ["2022-02-30", "yesterday", "2022"])
def test_a_day_that_is_none_is_refused(client, day):
    assert get(client, f"/page/csto?on={day}").status_code == 400


def test_the_request_tells_its_story(client):
    """Decision before outcome, what was given, and the way to who was obliged."""
    text = get(client, f"/page/{REQUEST}").text
    assert text.index("decides to send a mission") < text.index("The mission of the CSTO arrives")
    assert f"/queries/obliged-by?invocation={REQUEST}" in Page(text).links


@pytest.mark.parametrize(
    ("page", "panel"),
    [
        ("nato", "requests-received"),
        ("north-atlantic-treaty", "treaty-requests"),
        ("north-atlantic-treaty-article-5", "article-invocations"),
    ],
)
def test_an_invocation_that_no_state_asked_for_stands_with_the_others(client, page, panel):
    """NATO's council invoked Article 5 in 2001 by itself."""
    text = get(client, f"/page/{page}").text
    section = text[text.index(f'<section id="{panel}">') :]
    assert "/page/north-atlantic-treaty-article-5-united-states-2001-09-12" in section[: section.index("</section>")]


def test_articles_stand_in_the_order_of_their_numbers(client):
    text = get(client, "/page/north-atlantic-treaty").text
    links = Page(text[text.index('id="treaty-articles"') :]).links
    places = [links.index(f"/page/north-atlantic-treaty-article-{number}") for number in (1, 4, 5, 6, 8, 9, 10, 11)]
    assert places == sorted(places)


def test_the_name_of_a_spell_says_its_unsure_days_in_words(client):
    heading = Page(get(client, "/page/membership-csto-uzbekistan-1").text).headings[0]
    assert "between 23\xa0June\xa02006 and 28\xa0March\xa02008 to between 27" in heading
    assert ".." not in heading


def test_the_front_page_leads_to_every_alliance(client, pool):
    found = (
        pool.ask(Request("SELECT ?s WHERE { ?s a/rdfs:subClassOf* foedus:Alliance }", form="csv")).body.decode().split()
    )
    links = Page(get(client, "/").text).links
    assert len(found) > 20
    for iri in found[1:]:
        assert iri.replace(names.ID, "/page/") in links


@pytest.mark.parametrize(
    ("page", "first"), [("csto", "members-on?alliance=csto"), ("georgia", "history-of?state=georgia")]
)
def test_a_page_offers_first_what_is_asked_most_closely_of_its_thing(client, page, first):
    text = get(client, f"/page/{page}").text
    assert Page(text[text.index('class="further"') :]).links[0].startswith(f"/queries/{first}")


def test_what_refers_to_a_thing_is_counted_and_can_all_be_asked_for(client):
    """The link says how many there are, and leads to as many."""
    page = get(client, "/ontology/LegalAct").text
    match = re.search(r'href="(/sparql\?query=[^"]+)">all (\d+)</a>', page)
    address, total = match[1].replace("&amp;", "&"), int(match[2])
    answer = client.get(address + "&format=json")
    assert len(answer.json["results"]["bindings"]) == total


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("armenia", "/page/armenia"),
        ("ARMENIA", "/page/armenia"),
        ("ОДКБ", "/page/csto"),
        ("okvs", "/page/csto"),
        ("Tashkent Treaty", "/page/collective-security-treaty"),
        ("UZB", "/page/uzbekistan"),
        ("371", "/page/armenia"),
        ("NATO", "/page/nato"),
        ("USSR", "/page/soviet-union"),
    ],
)
def test_search_knows_names_old_names_and_codes(client, words, found):
    """The thing meant is the first found."""
    text = get(client, "/search?q=" + quote(words)).text
    assert Page(text[text.index('class="found"') :]).links[0] == found


def test_search_puts_what_is_named_after_another_thing_last(client):
    """Spells and statements of coverage bear the names of alliances and states."""
    text = get(client, "/search?q=Collective%20Security").text
    kinds = [kind.strip() for kind in re.findall(r'<span class="eyebrow">([^<]*)</span></li>', text)]
    aside = [kind in ("coverage", "membership", "treaty binding", "signatory spell", "interruption") for kind in kinds]
    assert any(aside) and aside == sorted(aside)


def test_search_says_when_nothing_is_found(client):
    assert "Nothing bears this name" in get(client, "/search?q=atlantis").text


@pytest.mark.parametrize("slug", sorted(questions.catalogue()))
def test_every_question_answers_its_worked_example_in_every_form(client, slug):
    """The page is filled in, and the files say what the page says."""
    page = get(client, f"/queries/{slug}")
    assert page.status_code == 200
    values = dict(questions.get(slug).example)

    def file(ext: str):
        return client.get(f"/queries/{slug}.{ext}", query_string=values)

    rows = list(csv.DictReader(io.StringIO(file("csv").text)))
    bindings = file("json").json["results"]["bindings"]
    assert len(bindings) == len(rows)
    assert f"<span>{len(rows)} row{'' if len(rows) == 1 else 's'}</span>" in page.text
    assert len(file("tsv").text.splitlines()) == len(rows) + 1
    graph = rdflib.Graph().parse(data=file("ttl").data, format="turtle")
    solution = rdflib.URIRef("http://www.w3.org/2001/sw/DataAccess/tests/result-set#solution")
    assert len(list(graph.objects(None, solution))) == len(rows)


def test_the_form_offers_the_instances_and_a_calendar(client):
    """A class is a choice of its things, a date an input of type date; what was given stays given."""
    tags = Page(get(client, "/queries/members-on?alliance=csto&date=2012-12-18").text).tags
    assert ("select", {"id": "p-alliance", "name": "alliance", "required": None}) in tags
    assert ("option", {"value": "csto", "selected": None}) in tags
    date = next(attrs for tag, attrs in tags if attrs.get("id") == "p-date")
    assert (date["type"], date["value"]) == ("date", "2012-12-18")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ("alliance=cst0&date=2022-09-13", "csto"),
        ("alliance=csto&date=13.9.2022", "YYYY-MM-DD"),
        ("aliance=csto&date=2022-09-13", "alliance"),
        ("date=2022-09-13", "alliance=csto"),
    ],
)
def test_a_value_that_does_not_fit_is_400_with_a_remedy(client, values, said):
    """On the page beside the form, and in the problem document of a file."""
    page = get(client, f"/queries/members-on?{values}")
    assert page.status_code == 400
    problem = page.text[page.text.index('role="alert"') :]
    assert said in problem[: problem.index("</div>")]
    file = client.get(f"/queries/members-on.csv?{values}", headers={"Accept": "application/problem+json"})
    assert file.status_code == 400
    assert said in file.json["detail"] + file.json["remedy"]


@pytest.mark.parametrize("value", ["csto", "id:csto", "CSTO", "wd:Q318693", names.ID + "csto"])
def test_a_parameter_takes_every_name_of_a_thing(client, value):
    expected = client.get("/queries/members-on.csv?alliance=csto&date=2022-09-13").data
    assert client.get(f"/queries/members-on.csv?date=2022-09-13&alliance={quote(value)}").data == expected


@pytest.mark.parametrize("address", ["/ontology", "/ontology/Request", "/shape/request-under", "/graph/links"])
@pytest.mark.parametrize("form", RDF)
def test_documentation_comes_as_rdf_too(client, address, form):
    """By ?format= and by Accept the same statements."""
    by_name = client.get(f"{address}?format={form}")
    by_type = client.get(address, headers={"Accept": by_name.mimetype})
    assert by_name.status_code == by_type.status_code == 200
    graphs = [parsed(answer.data, RDF[form]) for answer in (by_name, by_type)]
    assert len(graphs[0]) > 3
    assert isomorphic(*graphs)


def test_the_page_of_sources_shows_what_rests_on_little_and_everyone_who_speaks(client):
    text = client.get("/sources", headers=HTML).text
    assert "The Limited Times" in text
    assert "no primary source" in text
    assert f"/queries/sources?of={quote(names.ONTOLOGY + 'treatyText', safe=':/')}" in Page(text).links
    for address in ("/queries/single-source.csv", "/queries/sources.csv"):
        assert address in text
        assert client.get(address).status_code == 200


def test_a_graph_is_downloaded_whole(client, pool):
    """The size that the page shows is the number of statements sent."""
    graph = rdflib.Graph().parse(data=client.get("/graph/inferred?format=nt").data, format="nt")
    assert f"{len(graph):,} statements" in get(client, "/graph/inferred").text


def test_the_query_page_shows_each_kind_of_answer(client):
    """Rows as a table with links, a truth value as a word, triples as Turtle, an error beside the text."""
    rows = get(
        client,
        "/sparql?query="
        + quote("SELECT ?s WHERE { ?s a foedus:Alliance }".replace("foedus:Alliance", f"<{names.ONTOLOGY}Alliance>")),
    )
    assert "/page/csto" in Page(rows.text).links
    assert '<p class="truth">Yes</p>' in get(client, "/sparql?query=ASK%20%7B%7D").text
    triples = get(client, "/sparql?query=" + quote(f"DESCRIBE <{names.ID}csto>"))
    assert triples.status_code == 200 and "Alliance" in triples.text
    wrong = get(client, "/sparql?query=" + quote("SELECT *\nWHERE { ?s ?p }"))
    assert wrong.status_code == 400 and 'role="alert"' in wrong.text
    assert "SELECT *\nWHERE { ?s ?p }" in wrong.text


def test_a_page_is_not_sent_twice(client):
    """The second time, with the first one's tag, there is nothing new."""
    first = get(client, "/page/csto")
    assert get(client, "/page/csto", **{"If-None-Match": first.headers["ETag"]}).status_code == 304


def test_a_content_page_is_small(client):
    """Style sheet and page together stay under 60 KB for the CSTO."""
    style, page = (len(get(client, address).data) for address in ("/static/app.css", "/page/csto"))
    assert style < 13_000
    assert style + page < 60_000


@pytest.mark.parametrize(
    "address",
    [
        "/sources",
        "/search?q=a",
        "/queries/sources?of=",
        "/queries/single-source?alliance=",
        "/queries/disagreements",
        "/page/united-states",
        "/page/russia",
        "/page/north-atlantic-treaty",
        "/page/ucdp-acd-25-1",
        "/page/country-codes",
        "/page/gleditsch-ward-2017",
        "/ontology",
    ],
)
def test_no_page_is_heavy(client, address):
    """Long lists are cut on pages, and whole in files."""
    answer = get(client, address)
    assert answer.status_code == 200
    assert len(answer.data) < 300_000


def test_pages_work_over_data_of_ones_own(tmp_path):
    """With other RDF in place of ours, and so without our things, classes and examples, the ways in are still there."""
    (tmp_path / "own.ttl").write_text(
        "<https://w3id.org/foedus/id/rome> a <http://example.org/City> ;"
        ' <http://www.w3.org/2000/01/rdf-schema#label> "Rome"@en ; <http://example.org/y> [ a <urn:x> ] .'
    )
    with Pool((tmp_path / "own.ttl",), Limits.chosen(workers=1)) as pool:
        client = create_app(pool).test_client()
        for address in ("/", "/search?q=rome", "/page/rome", "/ontology", "/queries", "/queries/members-on", "/sparql"):
            assert get(client, address).status_code == 200, address
        assert Page(get(client, "/page/rome").text).headings == ["Rome"]
        assert get(client, "/page/csto").status_code == 404


def every_address(pool):
    """The pages of all things, terms and shapes that are described, by the classes that they are of."""
    query = f'SELECT DISTINCT ?s ?class WHERE {{ ?s a ?class FILTER (STRSTARTS(STR(?s), "{names.BASE}")) }} ORDER BY ?s'
    found = csv.reader(io.StringIO(pool.ask(Request(query, form="csv")).body.decode()))
    pages = {}
    for iri, of in list(found)[1:]:
        if iri.startswith((names.ID, names.ONTOLOGY, names.SHAPE)):
            pages.setdefault(of, []).append(names.path(iri).replace("/id/", "/page/"))
    return pages


def test_every_link_on_every_page_leads_somewhere(client, pool):
    """Ten things of each class have their pages, and all that these link to is on this server.

    Of the thousands of links to proofs, each of another statement, one in forty is followed: that every conclusion has
    a proof is tested elsewhere.
    """
    pages = every_address(pool)
    there = {address for addresses in pages.values() for address in addresses}
    assert len(there) > 5000
    some = {address for addresses in pages.values() for address in addresses[:: len(addresses) // 10 + 1]}
    known = {}

    def leads(address):
        path = address.partition("?")[0]
        if path.startswith("/data/"):
            return f"/page/{path.removeprefix('/data/').partition('.')[0]}" in there
        if path in there or address in there:
            return True
        if path == "/why" and crc32(address.encode()) % 40:
            return True
        if address not in known:
            known[address] = get(client, address).status_code
        return known[address] in (200, 303)

    dead = []
    for address in [*PAGES, *sorted(some)]:
        answer = get(client, address)
        if answer.status_code != 200:
            dead.append((address, "itself", answer.status_code))
            continue
        for link in set(Page(answer.text).links):
            target = urljoin("http://localhost" + address, link)
            parts = urlsplit(target)
            if parts.netloc != "localhost" or parts.path == "/sparql":
                continue
            to = parts.path + (f"?{parts.query}" if parts.query else "")
            if not leads(to):
                dead.append((address, to, known.get(to)))
    assert dead == []


def test_a_file_without_its_parameters_is_no_answer(client):
    """A script that forgets a parameter is told so; it never gets the answer to the worked example."""
    forgot = client.get("/queries/members-on.csv", headers={"Accept": "application/problem+json"})
    assert forgot.status_code == 400
    assert "alliance" in forgot.json["detail"]


def test_a_file_without_optional_parameters_is_the_default_answer(client):
    """What is not given is left open, as on the command line."""
    rows = list(csv.DictReader(io.StringIO(client.get("/queries/unanswered.csv").data.decode())))
    assert {row["day"] for row in rows} == {"2026-11-22"}
