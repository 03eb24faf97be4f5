"""How to cite, in every format, and the sources behind an answer: read back by programs that read such files."""

import itertools
import json
import re
from pathlib import Path
from unicodedata import normalize
from urllib.parse import urlencode

import bibtexparser
import pytest
import rispy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pylatexenc.latex2text import LatexNodes2Text

from foedus import __version__, names, questions
from foedus.query import results
from foedus.web import citations
from foedus.web.citations import Entry

QUESTIONS = questions.catalogue()
TYPES = {"article", "article-newspaper", "dataset", "entry", "treaty", "webpage"}
TEXTS = {"id", "type", "title", "container-title", "publisher", "version", "language", "URL", "note"}
HOSTILE = [
    "Fish & Chips: 100 % of $5, #1_a ^b~c <d> |e|",
    "A } that ends, { that begins, } } and \\ behind",
    'author = {Mallory}, } @article{x, title = "y',
    "A title\nER  - \nTY  - BOOK\r\nAU  - Mallory",
    "@comment{ @string{ \\input{/etc/passwd} \\write18{ls}",
    "Łódź, Müller-Straße, Čapek, Ñandú, Ærø, œuvre, ı",
    "Договор о коллективной безопасности", "بيان", "声明",
    "<script>alert(1)</script>",
    "\u202ereversed\u0000\u200b\u2028lines",
    "and and and",
    "",
]  # fmt: skip


def entries_of(text):
    """The entries that a reader of BibTeX finds, and nothing else in the file."""
    found = bibtexparser.parse_string(text)
    assert not found.failed_blocks
    assert len(found.blocks) == len(found.entries)
    return [{field.key: field.value for field in entry.fields} for entry in found.entries]


def unlatexed(value):
    """What LaTeX prints for *value*; its reader lacks five commands."""
    for command, plain in (("braceleft", r"\{"), ("braceright", r"\}"), ("less", "<"), ("greater", ">"), ("bar", "|")):
        value = value.replace(f"\\text{command}{{}}", plain)
    return normalize("NFC", LatexNodes2Text(keep_comments=True).latex_to_text(value)).replace("ˆ", "^")


def shown(value):
    """*value* as an entry has it: on one line, without what nobody sees."""
    return " ".join("".join(each if each.isprintable() else " " for each in value).split())


def check_csl(items):
    """By csl-data.json, as far as we use it."""
    for item in items:
        assert item["type"] in TYPES and item["id"]
        assert item.keys() <= TEXTS | {"author", "issued"}
        assert all(isinstance(item[name], str) and item[name] for name in TEXTS & item.keys())
        assert all(author.keys() == {"literal"} for author in item.get("author", []))
        if issued := item.get("issued"):
            assert issued.keys() <= {"date-parts", "circa", "literal"}
            assert all(1 <= len(parts) <= 3 for parts in issued.get("date-parts", []))


# ── the whole, a thing, an answer ──


def test_the_dataset_is_cited_with_version_and_hash(client, pool):
    text = client.get("/cite?format=txt").text
    assert text.startswith("The Foedus maintainers (2026-11-22). Foedus: military alliances")
    assert f"Version {__version__}. Dataset {pool.dataset.sha256[:12]}, as of 22 November 2026. CC BY 4.0." in text
    assert text.endswith(f" {names.ID}foedus-dataset\n")


def test_the_citation_file_says_the_same(client):
    """Author, title, version and day, as tools that read CITATION.cff find them."""
    said = (Path(__file__).parents[2] / "CITATION.cff").read_text()
    (item,) = json.loads(client.get("/cite?format=csl").data)
    assert f'- name: "{item["author"][0]["literal"]}"' in said
    assert f'title: "{item["title"]}"' in said
    assert f'version: "{item["version"]}"' in said
    assert 'date-released: "{}-{}-{}"'.format(*item["issued"]["date-parts"][0]) in said
    assert "license: CC-BY-4.0" in said


@pytest.mark.parametrize("address", ["", "thing=csto", "question=members-on&alliance=csto&date=2022-09-13"])
def test_every_format_says_the_same(client, pool, address):
    """As its readers read it."""
    text, bib, ris, csl = (client.get(f"/cite?{address}&format={form}") for form in ("txt", "bib", "ris", "csl"))
    (bibtex,) = entries_of(bib.text)
    (research,) = rispy.loads(ris.text)
    (item,) = json.loads(csl.data)
    check_csl([item])
    version = pool.dataset.sha256[:12]
    assert unlatexed(bibtex["title"].strip("{}")) == research["title"] == item["title"]
    assert item["title"] in text.text
    assert bibtex["author"].strip("{}") == research["authors"][0] == item["author"][0]["literal"]
    assert bibtex["url"] == research["urls"][0] == item["URL"]
    assert (bibtex["year"], bibtex["month"]) == ("2026", "nov")
    assert (research["year"], research["date"]) == ("2026", "2026/11/22/")
    assert item["issued"] == {"date-parts": [[2026, 11, 22]]}
    assert bibtex["version"] == research["edition"] == item["version"] == __version__
    assert version in bibtex["note"] and version in research["notes"][0] and version in item["note"]


def test_an_answer_is_cited_with_its_values_whatever_they_were_called(client):
    """By the same words, key and address, and with the day in words."""
    given = ("alliance=csto&date=2022-09-13", "date=2022-09-13&alliance=wd:Q318693")
    one, other = (client.get(f"/cite?question=members-on&{each}&format=csl").data for each in given)
    assert one == other
    (item,) = json.loads(one)
    assert item["title"].endswith("(alliance: Collective Security Treaty Organization; date: 13 September 2022)")
    assert item["URL"] == f"{names.BASE}queries/members-on?alliance=csto&date=2022-09-13"
    assert item["container-title"].startswith("Foedus: ")


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("application/x-bibtex", "application/x-bibtex; charset=utf-8"),
        ("application/x-research-info-systems", "application/x-research-info-systems; charset=utf-8"),
        ("application/vnd.citationstyles.csl+json", "application/vnd.citationstyles.csl+json"),
        ("application/json", "application/vnd.citationstyles.csl+json"),
        ("text/plain", "text/plain; charset=utf-8"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html; charset=utf-8"),
        ("*/*", "text/html; charset=utf-8"),
    ],
)
@pytest.mark.parametrize("address", ["/cite", "/cite?thing=csto", "/cite?for=csto"])
def test_the_format_is_the_one_that_is_accepted(client, address, accept, content_type):
    answer = client.get(address, headers={"Accept": accept})
    assert (answer.status_code, answer.content_type) == (200, content_type)
    assert "Accept" in answer.headers["Vary"]


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("thing=csta", 404),
        ("question=members-in", 404),
        ("question=members-on", 400),
        ("question=members-on&alliance=csto&date=2022-02-30", 400),
        ("question=members-on&alliance=csto&date=2022-09-13&colour=red", 400),
        ("format=docx", 406),
        ("colour=red", 400),
        ("thing=csto&thing=nato", 400),
        ("thing=csto&for=nato", 400),
        ("for=", 400),
        ("for=" + "x" * 3000, 400),
        ("for=nowhere", 404),
        ("for=http%3A%2F%2F%5B", 400),
        ("for=/queries/members-on%3Falliance%3Dcsto", 400),
        ("for=/queries/nothing", 404),
        ("for=/sparql%3Fquery%3DASK%7B%7D", 400),
        ("for=%00%FF%3Cscript%3E", 404),
        ("thing=%3Cscript%3E", 404),
    ],
)
def test_what_cannot_be_cited_is_told(client, address, status):
    answer = client.get(f"/cite?{address}", headers={"Accept": "text/html"})
    assert answer.status_code == status
    assert "<script>" not in answer.text


def test_nothing_fits_is_told_with_what_there_is(client):
    answer = client.get("/cite", headers={"Accept": "image/png"})
    assert answer.status_code == 406
    assert "application/x-bibtex" in answer.text


def test_data_of_ones_own_are_cited_by_their_checksum(own, own_pool):
    """Nothing is made up: no author, no title, no licence."""
    (item,) = json.loads(own.get("/cite?format=csl").data)
    assert item == {
        "id": f"data-{own_pool.dataset.sha256[:12]}",
        "type": "dataset",
        "title": "RDF data served by Foedus",
        "note": f"Dataset {own_pool.dataset.sha256[:12]}",
    }


@pytest.mark.parametrize("address", ["thing=csto", "thing=foedus:Membership", "question=unanswered", "thing=id:csto"])
def test_the_page_of_a_citation_leads_only_to_what_is_there(client, address):
    """Terms have no sources behind them, and no link to any."""
    html = client.get(f"/cite?{address}").text.partition("<main")[2]
    links = {each.replace("&amp;", "&") for each in re.findall(r'href="(/[^"]+)"', html)}
    assert any("for=" in each for each in links) == ("foedus:" not in address)
    assert [link for link in links if client.get(link, follow_redirects=True).status_code != 200] == []


# ── on pages ──


@pytest.mark.parametrize(
    "page", ["/page/csto", "/page/armenia", "/ontology/Membership", "/shape/request-under", "/graph/about"]
)
def test_a_page_ends_with_its_citation(client, page):
    """The text, and links to each format that lead somewhere."""
    html = client.get(page).text
    cited = html.partition('<h2 id="cite">Cite</h2>')[2]
    assert "The Foedus maintainers (2026-11-22)." in cited
    links = [each.replace("&amp;", "&") for each in re.findall(r'href="(/cite\?[^"]+)"', cited)]
    assert len(links) >= 4
    for link in links:
        assert client.get(link).status_code == 200, link


@pytest.mark.parametrize("slug", QUESTIONS)
def test_the_page_of_an_answer_ends_with_its_citation(client, slug):
    given = urlencode(dict(QUESTIONS[slug].example))
    html = client.get(f"/queries/{slug}?{given}", headers={"Accept": "text/html"}).text
    cited = html.partition('<h2 id="cite">Cite</h2>')[2]
    links = [each.replace("&amp;", "&") for each in re.findall(r'href="(/cite\?[^"]+)"', cited)]
    found = client.get(next(each for each in links if "format=bib" in each)).text
    (entry,) = entries_of(found)
    assert entry["url"].startswith(f"{names.BASE}queries/{slug}")
    behind = client.get(next(each for each in links if "for=" in each), headers={"Accept": "text/html"})
    assert behind.status_code == 200


@pytest.mark.parametrize("page", ["/", "/download"])
def test_the_front_page_and_the_downloads_end_with_the_citation_of_the_whole(client, page):
    cited = client.get(page).text.partition('<h2 id="cite">Cite</h2>')[2]
    assert "The Foedus maintainers (2026-11-22). Foedus: military alliances" in cited
    assert all(f'href="/cite?format={form.name}"' in cited for form in citations.FORMS)


def test_every_page_leads_to_the_citation_of_the_whole(client):
    assert all('<a href="/cite">Cite</a>' in client.get(page).text for page in ("/", "/queries", "/download", "/cite"))


# ── the sources behind an answer ──


def behind(client, wanted, form="csl"):
    answer = client.get("/cite", query_string={"for": wanted, "format": form})
    assert answer.status_code == 200, answer.text
    return json.loads(answer.data) if form == "csl" else answer.text


def keys(items):
    return {item["id"] for item in items}


def sources(pool, pattern):
    text = f"{names.prologue()}SELECT DISTINCT ?source {{ {pattern} }}"
    return {row["source"].value.removeprefix(names.ID) for row in results.select(pool, text)}


def test_behind_members_are_the_sources_of_the_acts_that_made_them_so(client, pool):
    """Those that the question after the sources of memberships names, and no list of codes."""
    found = behind(client, "/queries/members-on?alliance=csto&date=2022-09-13")
    acts = """?m a foedus:Membership ; foedus:ofAlliance id:csto ; foedus:ofState ?state .
      ?m foedus:begunBy|foedus:endedBy|foedus:lastAttestedBy ?act . ?act foedus:source ?source .
      FILTER(?state != id:uzbekistan)"""
    assert keys(found) == sources(pool, acts)
    assert "country-codes" not in keys(found)
    check_csl(found)


def test_behind_claims_are_where_they_are_reported(client):
    assert keys(behind(client, "claims-of?source=merkur-2022-09-16")) == {"merkur-2022-09-16"}


def test_behind_a_row_of_a_state_and_a_body_are_their_spells(client, pool):
    """Uzbekistan left the treaty and returned to it: no spell is named in the row, and all its acts count."""
    found = keys(behind(client, "/queries/left-and-returned"))
    acts = """?spell foedus:ofState id:uzbekistan ; foedus:ofTreaty id:collective-security-treaty ;
      foedus:begunBy|foedus:endedBy ?act . ?act foedus:source ?source"""
    assert sources(pool, acts) <= found


def test_what_was_asked_for_counts_where_a_row_concludes_nothing(client, pool):
    """Who claimed the membership is the source that was asked for; what the record says of it are the spells."""
    found = keys(behind(client, "/queries/membership-claims?alliance=csto&source=wikidata-query-2020-10-28"))
    acts = """?spell foedus:ofAlliance id:csto ; foedus:ofState id:kazakhstan ; foedus:begunBy ?act .
      ?act foedus:source ?source"""
    assert {"wikidata-query-2020-10-28"} | sources(pool, acts) <= found


def test_behind_a_disagreement_are_both_sides(client, pool):
    found = keys(behind(client, "/queries/disagreements"))
    assert (
        sources(pool, "?d a foedus:Disagreement ; foedus:sourceA|foedus:sourceB ?source . ?source a foedus:Source")
        <= found
    )


def test_behind_a_thing_are_its_sources_and_those_of_what_speaks_of_it(client, pool):
    found = keys(behind(client, "armenia-azerbaijan-ceasefire-2022-09-13"))
    own = sources(pool, "id:armenia-azerbaijan-ceasefire-2022-09-13 foedus:source ?source")
    said = sources(pool, "?claim foedus:about id:armenia-azerbaijan-ceasefire-2022-09-13 ; foedus:reportedIn ?source")
    assert own and own | said <= found


def test_behind_a_source_is_itself(client):
    assert keys(behind(client, "merkur-2022-09-16")) == {"merkur-2022-09-16"}


@pytest.mark.parametrize(
    "wanted",
    [
        "csto",
        "id:csto",
        f"{names.ID}csto",
        "/page/csto",
        "/id/csto",
        "/data/csto.ttl",
        "http://127.0.0.1:8000/page/csto?on=2022-09-13",
    ],
)
def test_a_thing_is_meant_by_any_of_its_addresses(client, wanted):
    assert behind(client, wanted) == behind(client, "csto")


@pytest.mark.parametrize(
    "wanted",
    [
        "members-on?alliance=csto&date=2022-09-13",
        "/queries/members-on.csv?alliance=wd:Q318693&date=2022-09-13&wikidata",
        "https://example.org/queries/members-on.json?date=2022-09-13&alliance=id:csto&reasoning=on",
    ],
)
def test_an_answer_is_meant_by_any_of_its_addresses(client, wanted):
    assert behind(client, wanted) == behind(client, "/queries/members-on?alliance=csto&date=2022-09-13")


@pytest.mark.parametrize("slug", QUESTIONS)
def test_the_sources_behind_every_worked_example_can_be_read(client, slug):
    """In each format, the same ones; and only answers about the record itself have none."""
    wanted = f"/queries/{slug}?{urlencode(dict(QUESTIONS[slug].example))}"
    found = behind(client, wanted)
    check_csl(found)
    assert [item["id"] for item in found] == sorted(set(keys(found)))
    bibtex, research = entries_of(behind(client, wanted, "bib")), rispy.loads(behind(client, wanted, "ris"))
    assert len(found) == len(bibtex) == len(research) == behind(client, wanted, "txt").count("\n")
    assert [item["title"] for item in found] == [each["title"] for each in research]
    assert found or slug in {"coverage", "no-defence-pledge"}


def test_an_entry_has_publisher_date_address_and_how_much_was_read(client):
    (item,) = behind(client, "merkur-2022-09-16")
    assert item["title"] == "CSTO: Conflicts within Russia's alliance reveal Moscow's weakness"
    assert item["author"] == [{"literal": "Teresa Toth"}]
    outlet = item["container-title"], item.get("publisher")
    assert (outlet, item["type"], item["language"]) == (("The Limited Times", None), "article-newspaper", "en")
    assert item["issued"] == {"date-parts": [[2022, 9, 16]]}
    assert item["URL"].startswith("https://newsrnd.com/news/2022-09-16-csto--conflicts")
    assert item["note"].startswith("Read whole. After: Merkur's article")


def test_a_source_in_another_language_stands_under_its_own_title(client):
    (item,) = behind(client, "zaki-1180")
    assert (item["title"], item["language"]) == ("Договор о коллективной безопасности", "ru")
    assert (
        item["note"] == "Read in excerpt. In English: Collective Security Treaty, text in a Russian collection of laws"
    )
    assert "[ru]" in behind(client, "zaki-1180", "txt")


def test_the_page_says_for_what_each_source_is_cited_and_how_they_were_found(client):
    page = client.get("/cite", query_string={"for": "/queries/members-on?alliance=csto&date=2022-09-13"}).text
    page = page.replace("\u00a0", " ")
    assert "How they were found" in page
    assert "Cited for <a " in page
    assert "alliance: Collective Security Treaty Organization; date: 13 September 2022" in page


def test_an_answer_without_rows_has_no_sources_and_says_so(client):
    wanted = "/queries/members-on?alliance=csto&date=1950-01-01"
    assert behind(client, wanted) == []
    assert "Nothing that it names cites a source" in client.get("/cite", query_string={"for": wanted}).text


def test_too_many_things_are_refused(client, monkeypatch):
    monkeypatch.setattr("foedus.web.behind.MOST_THINGS", 10)
    answer = client.get("/cite?for=russia&format=bib")
    assert answer.status_code == 507
    assert "Ask for less" in answer.text


# ── hostile titles ──


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_title_leaves_its_field(hostile):
    """Nor any other value: one entry before, one after, and the value as it was."""
    plain = Entry("plain", "", "Plain")
    entry = Entry(
        "key", "newsReport", f"T {hostile}", (f"A {hostile}",), f"P {hostile}", "2022-09-16", note=f"N {hostile}"
    )
    some = [plain, entry, plain]
    bibtex = entries_of(citations.write([plain, entry], "bib"))
    assert [set(each) for each in bibtex] == [{"title"}, {"author", "title", "howpublished", "year", "month", "note"}]
    assert unlatexed(bibtex[1]["title"][1:-1]) == normalize("NFC", shown(f"T {hostile}"))
    research = rispy.loads(citations.write(some, "ris"))
    assert [each["title"] for each in research] == ["Plain", shown(f"T {hostile}"), "Plain"]
    assert research[1]["authors"] == [shown(f"A {hostile}")]
    items = json.loads(citations.write(some, "csl"))
    check_csl(items)
    assert items[1]["title"] == shown(f"T {hostile}")
    assert citations.write(some, "txt").count("\n") == 3


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.text(), min_size=4, max_size=4), st.text())
def test_no_text_whatever_leaves_its_field(texts, url):
    title, author, publisher, note = texts
    entry = Entry(
        "key", "", f"x{title}", (f"x{author}",), f"x{publisher}", "2022", f"https://example.org/{url}", note=f"x{note}"
    )
    bibtex = entries_of(citations.write([entry, entry], "bib").replace("{key", "{other", 1))
    assert [set(each) for each in bibtex] == [{"author", "title", "howpublished", "year", "url", "note"}] * 2
    research = rispy.loads(citations.write([entry, entry], "ris"))
    assert [len(each["authors"]) for each in research] == [1, 1]
    lines = citations.write([entry], "ris").split("\r\n")
    assert all(re.match(r"[A-Z][A-Z0-9]  - ", line) for line in lines if line)
    assert "\n" not in "".join(lines)
    assert citations.write([entry], "bib").count("\n") == 8


@pytest.mark.parametrize(
    ("date", "year", "issued"),
    [
        ("2022-09-16", "2022", {"date-parts": [[2022, 9, 16]]}),
        ("2022-09", "2022", {"date-parts": [[2022, 9]]}),
        ("2022-09~", "2022", {"date-parts": [[2022, 9]], "circa": True}),
        ("1999?", "1999", {"date-parts": [[1999]], "circa": True}),
        ("[2022-09-14..2022-09-16]", "2022", {"literal": "[2022-09-14..2022-09-16]"}),
        ("2022-09-14/..", "2022", {"literal": "2022-09-14/.."}),
        ("", "", None),
    ],
)
def test_a_date_is_as_exact_as_the_source_has_it(date, year, issued):
    entry = Entry("key", "", "Title", date=date)
    (item,) = json.loads(citations.write([entry], "csl"))
    assert item.get("issued") == issued
    (bibtex,) = entries_of(citations.write([entry], "bib"))
    assert bibtex.get("year", "") == year
    assert ("n.d." in citations.text(entry)) == (not date)


def test_keys_differ(client):
    found = [item["id"] for item in behind(client, "/queries/sources?of=")]
    assert len(found) > 500
    assert not [key for key, some in itertools.groupby(sorted(map(str.lower, found))) if len(list(some)) > 1]
