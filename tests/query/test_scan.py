"""What is seen in a query's text before the engine parses it."""

import time

import pytest

from foedus.errors import BadQuery, TooLarge
from foedus.query.limits import Limits
from foedus.query.scan import scan

LIMITS = Limits()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("SELECT * {}", "select"),
        ("prefix select: <urn:ask> ask {}", "ask"),
        ("# SELECT\nCONSTRUCT {} WHERE {}", "graph"),
        ("BASE <urn:select> DESCRIBE <x>", "graph"),
        ("", None),
        ("hello", None),
    ],
)
def test_the_form_of_a_query_is_its_first_keyword(text, kind):
    assert scan(text, LIMITS).kind == kind


@pytest.mark.parametrize(
    "text",
    [
        "ASK { SERVICE <http://x/> {} }",
        "ASK { service silent <http://x/> {} }",
        "ASK {{}SERVICE<http://x/>{}}",
        "ASK { SERVICE ?x {} }",
        r"ASK { \u0053ERVICE <http://x/> {} }",
        "ASK { # x\n SERVICE <http://x/> {} }",
        'ASK { ?s ?p "\\"" . SERVICE <http://x/> {} }',
        "ASK { ?s ?p 'it' . SERVICE <http://x/> {} #' }\n}",
        "ASK {FILTER(?a<1#>'''\n) SERVICE <http://x/> {} #'''\n}",
        "ASK {FILTER(?a<1)SERVICE:x{}FILTER(?b>1)}",
        "ASK { ?s ?p 1.SERVICE<http://x/>{} }",
        "ASK { ?s ?p ?x.SERVICE<http://x/>{} }",
        "ASK { ?s ?p 1.service:x {} }",
        "PREFIX s: <urn:s> ASK { ?s s:SERVICE ?o . SERVICE s:x {} }",
    ],
)
def test_service_is_refused_however_it_is_written(text):
    with pytest.raises(BadQuery, match="SERVICE is not allowed"):
        scan(text, LIMITS)


@pytest.mark.parametrize(
    "text",
    [
        'ASK { ?s ?p "SERVICE <http://x/> {}" }',
        "ASK { ?s ?p '''a ' SERVICE ''' }",
        "ASK { # SERVICE <http://x/>\n }",
        "ASK { ?s <http://x/SERVICE> ?o }",
        "ASK { ?service ?p $SERVICE }",
        "PREFIX service: <urn:x> ASK { ?s service:service service:x }",
        "PREFIX service: <urn:x> ASK { GRAPH service:x { ?s ?p ?o } }",
        'ASK { ?s ?p "x"@service }',
        "ASK { ?s <http://x/#a> 'SERVICE' }",
    ],
)
def test_the_word_service_elsewhere_is_no_matter(text):
    assert scan(text, LIMITS).kind == "ask"


@pytest.mark.parametrize(
    "keyword", ["INSERT", "delete", "LOAD", "CLEAR", "DROP", "CREATE", "ADD", "MOVE", "COPY", "WITH"]
)
def test_the_text_of_an_update_is_refused(keyword):
    with pytest.raises(BadQuery, match="begins an update"):
        scan(f"PREFIX x: <urn:x>\n{keyword} DATA {{ <a> <b> <c> }}", LIMITS)


@pytest.mark.parametrize("opening", ["{", "(", "[", "<<(", "{ (", "!("])
def test_nesting_is_counted_over_all_brackets(opening):
    assert scan("ASK " + opening * 50, LIMITS).depth >= 50
    with pytest.raises(BadQuery, match="100 levels") as refused:
        scan("ASK\n" + opening * 101, LIMITS)
    assert refused.value.line == 2


def test_brackets_in_strings_comments_and_iris_are_no_nesting():
    text = 'ASK { ?s <urn:((((((> "((((((((" } # ((((((((((((((((('
    assert scan(text, Limits(depth=2)).depth == 1


def test_brackets_behind_a_less_than_sign_are_nesting():
    text = "ASK { FILTER(" + "?a<((((1&&?c>" * 30 + "1"
    with pytest.raises(BadQuery, match="levels deep"):
        scan(text, LIMITS)


def test_a_text_is_measured_in_bytes():
    with pytest.raises(TooLarge, match="65,540 bytes"):
        scan("é" * 32_770, LIMITS)


def test_many_shallow_brackets_pass():
    assert scan("ASK {" + "{}" * 30_000 + "}", LIMITS).depth == 2


HOSTILE = {
    "quotes": "'" * 65_000,
    "backslashes in an open string": '"""' + "\\" * 65_000,
    "long strings that never end": "\\'''\n" * 13_000,
    "strings that never end": '\\"' * 32_000,
    "IRIs that never end": "<a " * 21_000,
    "dots": "a." * 32_000,
    "minus signs": "-" * 65_000,
    "subtags": "@a" + "-a" * 32_000,
    "colons": "a:" * 32_000,
    "escapes": "\\u0041" * 10_000,
    "number signs": "#" * 65_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_texts_are_read_once(text):
    """Twice the text takes about twice the time, far from four times: nothing is read over and over."""
    half, whole = (min(timed(piece) for _ in range(5)) for piece in (text[: len(text) // 2], text))
    assert whole < 3 * half + 0.01


def timed(text: str) -> float:
    started = time.process_time()
    assert scan(text, LIMITS).kind is None
    return time.process_time() - started


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM <urn:a> {}",
        "SELECT * from named <urn:a> {}",
        "ASKFROM<urn:a>{}",
        "ASK FROM:a {}",
        r"ASK \u0046ROM <urn:a> {}",
        "SELECT ?x FROM<urn:a>{}",
        "CONSTRUCT {} FROM <urn:a> {}",
        "ASK { FILTER(?a <b'c>) } # FROM",
    ],
)
def test_a_text_that_may_choose_its_graphs_is_seen(text):
    assert scan(text, Limits()).has_clauses


@pytest.mark.parametrize("text", ["ASK {}", "SELECT ?from { ?s foedus:from ?from }", 'ASK { ?s ?p "FROM" } # FROM'])
def test_a_text_that_cannot_choose_its_graphs_is_known(text):
    assert not scan(text, Limits()).has_clauses


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("SELECT * {}", True),
        ("SELECT*{}", True),
        ("select distinct * {}", True),
        ("SELECT REDUCED # all\n * {}", True),
        ("SELECT ?x { { SELECT * {} } }", True),
        ("SELECT (COUNT(*) AS ?n) {}", False),
        ("ASK { ?s rdf:type/rdfs:subClassOf* ?c }", False),
        ("SELECT (?a * ?b AS ?c) {}", False),
    ],
)
def test_a_star_in_place_of_columns_is_seen(text, has):
    assert scan(text, Limits()).has_star is has
