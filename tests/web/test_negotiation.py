"""Which representation comes back: every way in which ``Accept``, ``format`` and ``Accept-Encoding`` can say it."""

import gzip

import pytest
import zstandard

SELECT = "SELECT ?o { ?s <http://example.org/in> ?o }"
ASK = "ASK {}"
CONSTRUCT = "CONSTRUCT WHERE { ?s <http://example.org/in> ?o }"
DESCRIBE = "DESCRIBE <http://example.org/first>"
QUERIES = {"rows": SELECT, "truth": ASK, "triples": CONSTRUCT, "description": DESCRIBE}

SRJ, SRX = "application/sparql-results+json", "application/sparql-results+xml"
CSV, TSV = "text/csv; charset=utf-8; header=present", "text/tab-separated-values; charset=utf-8"
PLAIN = "text/plain; charset=utf-8"
TTL, NT, NQ, TRIG = "text/turtle; charset=utf-8", "application/n-triples", "application/n-quads", "application/trig"
RDF, LD = "application/rdf+xml", "application/ld+json"
JSON, XML = "application/json", "application/xml"
CHROME = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
    "application/signed-exchange;v=b3;q=0.7"
)
NO = None
"""406."""

# name: kind, Accept (several headers as a list), ?format=, Content-Type
CASES = {
    # ── no wish, or any ──
    "rows without a header are JSON": ("rows", None, None, SRJ),
    "a truth value without a header is JSON": ("truth", None, None, SRJ),
    "triples without a header are Turtle": ("triples", None, None, TTL),
    "a description without a header is Turtle": ("description", None, None, TTL),
    "an empty header is none": ("rows", "", None, SRJ),
    "a header of commas is none": ("triples", ", ,", None, TTL),
    "anything: rows": ("rows", "*/*", None, SRJ),
    "anything: truth": ("truth", "*/*", None, SRJ),
    "anything: triples": ("triples", "*/*", None, TTL),
    # ── each format by its registered name ──
    "rows as JSON": ("rows", SRJ, None, SRJ),
    "rows as XML": ("rows", SRX, None, SRX),
    "rows as CSV": ("rows", "text/csv", None, CSV),
    "rows as TSV": ("rows", "text/tab-separated-values", None, TSV),
    "truth as JSON": ("truth", SRJ, None, SRJ),
    "truth as XML": ("truth", SRX, None, SRX),
    "truth as CSV, an extension": ("truth", "text/csv", None, CSV),
    "truth as TSV, an extension": ("truth", "text/tab-separated-values", None, TSV),
    "triples as Turtle": ("triples", "text/turtle", None, TTL),
    "triples as N-Triples": ("triples", NT, None, NT),
    "triples as N-Quads": ("triples", NQ, None, NQ),
    "triples as TriG": ("triples", TRIG, None, TRIG),
    "triples as RDF/XML": ("triples", RDF, None, RDF),
    "triples as JSON-LD": ("triples", LD, None, LD),
    "a description as JSON-LD": ("description", LD, None, LD),
    "a description as N-Triples": ("description", NT, None, NT),
    # ── other names ──
    "plain JSON is JSON rows under its name": ("rows", JSON, None, JSON),
    "plain XML is XML rows under its name": ("rows", XML, None, XML),
    "text XML is XML rows under its name": ("rows", "text/xml", None, "text/xml; charset=utf-8"),
    "plain text is TSV rows": ("rows", "text/plain", None, PLAIN),
    "plain JSON of a truth value": ("truth", JSON, None, JSON),
    "plain JSON of triples is JSON-LD": ("triples", JSON, None, JSON),
    "plain XML of triples is RDF/XML": ("triples", XML, None, XML),
    "plain text of triples is N-Triples": ("triples", "text/plain", None, PLAIN),
    "Turtle by its old name": ("triples", "application/x-turtle", None, "application/x-turtle; charset=utf-8"),
    "N-Quads by its old name": ("triples", "text/x-nquads", None, "text/x-nquads; charset=utf-8"),
    # ── spelling ──
    "names in capitals": ("rows", "TEXT/CSV", None, CSV),
    "spaces around everything": ("rows", "  text/csv ; q = 1 ", None, CSV),
    "a tab is a space": ("rows", "text/csv\t;\tq=1", None, CSV),
    "Q in capitals": ("rows", f"text/csv;Q=0.1, {SRX};q=0.2", None, SRX),
    "three decimals": ("rows", f"text/csv;q=0.999, {SRX};q=0.998", None, CSV),
    "a quality without its nought, as Java writes": ("rows", f"text/csv;q=.2, {SRX};q=.1", None, CSV),
    "a quality above one is malformed": ("rows", f"text/csv;q=2, {SRX};q=0.1", None, SRX),
    "a negative quality is malformed": ("rows", f"text/csv;q=-1, {SRX};q=0.1", None, SRX),
    "a quality in words is malformed": ("rows", f"text/csv;q=high, {SRX};q=0.1", None, SRX),
    "no number is malformed": ("rows", f"text/csv;q=nan, {SRX};q=0.1", None, SRX),
    "an exponent is malformed": ("rows", f"text/csv;q=1e-9, {SRX};q=0.1", None, SRX),
    "a type without its half is malformed": ("rows", "text, text/csv;q=0.1", None, CSV),
    "a wildcard before a type is malformed": ("rows", "*/csv, text/csv;q=0.1", None, CSV),
    "a lone star is malformed": ("rows", "*, text/csv;q=0.1", None, CSV),
    "a header that is malformed as a whole is none": ("rows", "nonsense", None, SRJ),
    # ── qualities ──
    "the higher quality wins": ("rows", f"text/csv;q=0.4, {SRX};q=0.5", None, SRX),
    "and where it comes first": ("rows", f"{SRX};q=0.5, text/csv;q=0.4", None, SRX),
    "no quality is one": ("rows", f"text/csv;q=0.9, {SRX}", None, SRX),
    "equals by our order": ("rows", f"text/csv, {SRX}, {SRJ}", None, SRJ),
    "equal tables by our order": ("rows", "text/tab-separated-values, text/csv", None, CSV),
    "equal triples by our order": ("triples", f"{RDF}, {NT}, text/turtle", None, TTL),
    "what is not offered is passed over": ("rows", "image/png, text/csv;q=0.1", None, CSV),
    "a graph's format is passed over for rows": ("rows", "text/turtle, text/csv;q=0.1", None, CSV),
    "a table's format is passed over for triples": ("triples", f"text/csv, {NT};q=0.1", None, NT),
    "the least quality is enough": ("rows", "text/csv;q=0.001", None, CSV),
    # ── quality 0 ──
    "refused, with anything else": ("rows", f"{SRJ};q=0, */*", None, SRX),
    "three nought decimals refuse": ("rows", f"{SRJ};q=0.000, */*", None, SRX),
    "refusing one leaves nothing else": ("rows", "text/csv;q=0", None, NO),
    "refusing all": ("rows", "*/*;q=0", None, NO),
    "refusing all but one": ("rows", "*/*;q=0, text/csv", None, CSV),
    "refusing a type but one of it": ("rows", "text/*;q=0, text/csv", None, CSV),
    "refusing one of a type": ("rows", "text/csv;q=0, text/*", None, TSV),
    "refusing a type": ("triples", "text/*;q=0, */*;q=0.1", None, LD),
    "refusing Turtle leaves the next": ("triples", "text/turtle;q=0, */*", None, LD),
    "refusing every name of a format": ("rows", f"{SRJ};q=0, application/json;q=0, application/*", None, SRX),
    # ── specificity ──
    "the name decides over its type": ("rows", "text/*;q=0.9, text/csv;q=0.1", None, TSV),
    "the type decides over anything": ("rows", "*/*;q=0.9, application/*;q=0.1", None, CSV),
    "the name decides over anything": ("rows", f"*/*;q=0.5, {SRJ};q=0.1", None, SRX),
    "named beats anything at equal quality": ("rows", "*/*, text/csv", None, CSV),
    "named beats its type at equal quality": ("rows", "text/*, text/tab-separated-values", None, TSV),
    "anything beats what is liked less": ("rows", "*/*, text/csv;q=0.9", None, SRJ),
    "a parameter decides over the name": (
        "rows",
        f"text/csv;q=0.9, text/csv;header=present;q=0.1, {SRX};q=0.5",
        None,
        SRX,
    ),
    "a charset decides over the name": (
        "triples",
        f"text/turtle, text/turtle;charset=utf-8;q=0.1, {NT};q=0.5",
        None,
        NT,
    ),
    # ── wildcards ──
    "any application type: rows": ("rows", "application/*", None, SRJ),
    "any application type: triples": ("triples", "application/*", None, LD),
    "any text type: rows": ("rows", "text/*", None, CSV),
    "any text type: triples": ("triples", "text/*", None, TTL),
    "any text type: truth": ("truth", "text/*", None, CSV),
    "any picture: rows": ("rows", "image/*", None, NO),
    "any picture: triples": ("triples", "image/*", None, NO),
    # ── parameters ──
    "our charset": ("rows", "text/csv;charset=utf-8", None, CSV),
    "our charset in capitals and quotes": ("triples", 'text/turtle;charset="UTF-8"', None, TTL),
    "another charset": ("rows", "text/csv;charset=utf-16", None, NO),
    "another charset, and something else": ("triples", f"text/turtle;charset=iso-8859-1, {NT};q=0.1", None, NT),
    "with a header line": ("rows", "text/csv;header=present", None, CSV),
    "without a header line": ("rows", "text/csv;header=absent", None, NO),
    "a profile is taken along": ("triples", f"{LD};profile=http://www.w3.org/ns/json-ld#compacted", None, LD),
    "a comma in quotes ends nothing": ("triples", f'{LD};profile="a, b";q=0.1, {NT};q=0.2', None, NT),
    "a semicolon in quotes ends nothing": ("triples", f'{LD};profile="a;q=0", {NT};q=0.2', None, LD),
    "a quote that does not end": ("triples", f'{NT}, {LD};profile="a, b', None, LD),
    # ── several headers ──
    "two headers are one list": ("rows", ["image/png", "text/csv"], None, CSV),
    "qualities count across headers": ("rows", ["text/csv;q=0.1", f"{SRX};q=0.2"], None, SRX),
    "a refusal in another header": ("rows", ["*/*", f"{SRJ};q=0"], None, SRX),
    # ── clients as they are ──
    "Jena": ("rows", f"{SRJ}, {SRX};q=0.9, text/csv;q=0.5, application/json;q=0.2, */*;q=0.1", None, SRJ),
    "RDFLib, for rows": ("rows", f"{SRX}, {RDF}, */*;q=0.1", None, SRX),
    "RDFLib, for triples": ("triples", f"{SRX}, {RDF}, */*;q=0.1", None, RDF),
    "YASQE": ("rows", f"{SRJ},*/*;q=0.9", None, SRJ),
    "Java without a choice": ("rows", "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", "json", SRJ),
    "curl": ("triples", "*/*", None, TTL),
    # ── nothing fits ──
    "rows as Turtle": ("rows", "text/turtle", None, NO),
    "triples as CSV": ("triples", "text/csv", None, NO),
    "triples as result JSON": ("triples", SRJ, None, NO),
    "truth as JSON-LD": ("truth", LD, None, NO),
    "a description as a picture": ("description", "image/png", None, NO),
    # ── ?format= ──
    "format goes before the header": ("rows", "text/csv", "json", SRJ),
    "format goes before a header that fits nothing": ("rows", "image/png", "csv", CSV),
    "format goes before a browser's header": ("rows", CHROME, "json", SRJ),
    "format by its media type": ("rows", None, "text/csv", CSV),
    "format in capitals": ("rows", None, "CSV", CSV),
    "format as an extension": ("rows", None, ".tsv", TSV),
    "format by a short name": ("rows", None, "srx", SRX),
    "format of triples": ("triples", None, "nt", NT),
    "format by a long name": ("triples", None, "turtle", TTL),
    "format json of triples": ("triples", None, "json", LD),
    "format xml of triples": ("triples", None, "xml", RDF),
    "format of a truth value": ("truth", None, "xml", SRX),
    "an empty format is none": ("rows", "text/csv", "", CSV),
    "an unknown format": ("rows", "*/*", "pdf", NO),
    "a format of triples for rows": ("rows", "*/*", "ttl", NO),
    "a format of rows for triples": ("triples", "*/*", "csv", NO),
}


def send(client, kind, accept, form, method="GET"):
    query = {"query": QUERIES[kind], **({} if form is None else {"format": form})}
    headers = [("Accept", each) for each in (accept if isinstance(accept, list) else [accept]) if each is not None]
    if method == "POST":
        return client.post("/sparql", data=query, headers=headers)
    return client.open("/sparql", method=method, query_string=query, headers=headers)


def test_a_hundred_cases_and_more():
    assert len(CASES) >= 100


@pytest.mark.parametrize(("kind", "accept", "form", "content_type"), CASES.values(), ids=CASES.keys())
def test_the_representation_is_the_one_asked_for(own, kind, accept, form, content_type):
    answer = send(own, kind, accept, form)
    assert {"Accept", "Accept-Encoding"} <= {each.strip() for each in answer.headers["Vary"].split(",")}
    if content_type is NO:
        assert answer.status_code == 406
        offered = ("text/turtle", "application/ld+json") if kind in ("triples", "description") else (SRJ, "text/csv")
        assert all(each in answer.text for each in offered)
    else:
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, content_type)


@pytest.mark.parametrize("case", list(CASES)[::9])
def test_a_posted_query_is_answered_in_the_same_form(own, case):
    kind, accept, form, content_type = CASES[case]
    answer = send(own, kind, accept, form, "POST")
    assert answer.headers["Content-Type"] == content_type if content_type else answer.status_code == 406


@pytest.mark.parametrize("kind", QUERIES)
def test_a_browser_gets_a_page(own, kind):
    answer = send(own, kind, CHROME, None)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert {"Accept", "Accept-Encoding"} <= {each.strip() for each in answer.headers["Vary"].split(",")}


# ── content codings ──

MANY = "SELECT * { ?s ?p ?o }"
FEW = ASK

CODINGS = {
    "no header": (MANY, None, None),
    "an empty header": (MANY, "", None),
    "gzip": (MANY, "gzip", "gzip"),
    "gzip by its old name": (MANY, "x-gzip", "gzip"),
    "zstd": (MANY, "zstd", "zstd"),
    "in capitals": (MANY, "GZIP", "gzip"),
    "both": (MANY, "gzip, zstd", "zstd"),
    "as browsers say": (MANY, "gzip, deflate, br, zstd", "zstd"),
    "the higher quality": (MANY, "gzip;q=1.0, zstd;q=0.5", "gzip"),
    "zstd refused": (MANY, "gzip, zstd;q=0", "gzip"),
    "both refused": (MANY, "gzip;q=0, zstd;q=0", None),
    "only what we do not speak": (MANY, "br, deflate", None),
    "identity liked better": (MANY, "gzip;q=0.5, identity", None),
    "identity liked as well": (MANY, "gzip, identity", "gzip"),
    "identity liked less": (MANY, "gzip;q=0.5, identity;q=0.1", "gzip"),
    "anything": (MANY, "*", "gzip"),
    "anything but gzip": (MANY, "*, gzip;q=0", "zstd"),
    "anything but identity": (MANY, "*, identity;q=0", "gzip"),
    "malformed": (MANY, "gzip;q=much, zstd;q=0.1", "zstd"),
    "a small body stays as it is": (FEW, "gzip, zstd", None),
    "a small body where it must not": (FEW, "gzip, identity;q=0", "gzip"),
    "a small body where anything else is refused": (FEW, "zstd, *;q=0", "zstd"),
}
DECODERS = {None: lambda body: body, "gzip": gzip.decompress, "zstd": zstandard.decompress}


@pytest.mark.parametrize(("query", "header", "coding"), CODINGS.values(), ids=CODINGS.keys())
def test_the_body_is_coded_as_the_client_likes_best(own, query, header, coding):
    plain = own.get("/sparql", query_string={"query": query})
    headers = {} if header is None else {"Accept-Encoding": header}
    answer = own.get("/sparql", query_string={"query": query}, headers=headers)
    assert answer.status_code == 200
    assert answer.headers.get("Content-Encoding") == coding
    assert answer.headers["Content-Type"] == plain.headers["Content-Type"]
    assert answer.headers["Content-Length"] == str(len(answer.data))
    assert sorted(DECODERS[coding](answer.data)) == sorted(plain.data)


@pytest.mark.parametrize("header", ["identity;q=0", "*;q=0", "br, identity;q=0", "gzip;q=0, zstd;q=0, identity;q=0"])
@pytest.mark.parametrize("path", ["/sparql?query=ASK{}", "/", "/health"])
def test_who_accepts_no_coding_of_ours_is_told_which_there_are(own, header, path):
    answer = own.get(path, headers={"Accept-Encoding": header})
    assert answer.status_code == 406
    assert all(each in answer.json["remedy"] for each in ("gzip", "zstd", "identity"))


def test_pages_data_and_styles_are_coded_too(client):
    for path in ("/", "/data/csto.ttl", "/static/app.css", "/queries/members-on.csv?alliance=csto&date=2022-09-13"):
        answer = client.get(path, headers={"Accept-Encoding": "gzip"})
        plain = client.get(path)
        if len(plain.data) >= 1024:
            assert answer.headers["Content-Encoding"] == "gzip", path
            assert gzip.decompress(answer.data) == plain.data
        assert "Accept-Encoding" in answer.headers["Vary"]


def test_a_page_that_is_kept_coded_is_recognised(client):
    for coding in ("gzip", "zstd", "identity"):
        first = client.get("/", headers={"Accept-Encoding": coding})
        again = client.get("/", headers={"Accept-Encoding": coding, "If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
