"""What strangers send is read without trust: nothing is fetched, and what is too much or not allowed is told."""

import pytest

from foedus.build import strangers
from foedus.build.strangers import SYNTAXES, Allowance
from foedus.errors import BadDocument, TooLarge

RDF = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="http://example.org/">'
FACT = {
    "ttl": "@prefix e: <http://example.org/> .\n\ne:a e:b e:c .",
    "nt": "# a comment\n\n<http://example.org/a> <http://example.org/b> <http://example.org/c> .",
    "nq": "\n\n<http://example.org/a> <http://example.org/b> <http://example.org/c> <http://example.org/g> .",
    "trig": "\nPREFIX e: <http://example.org/>\ne:a e:b e:c . e:g { e:a e:b e:c }",
    "rdf": f'{RDF}\n\n<rdf:Description rdf:about="http://example.org/a"><e:b rdf:resource="http://example.org/c"/>'
    "</rdf:Description></rdf:RDF>",
    "jsonld": '{"@context": {"b": {"@id": "http://example.org/b", "@type": "@id"}},\n'
    ' "@graph": [{"@id": "http://example.org/z", "b": {"@id": "http://example.org/a"}},\n'
    '  {"@id": "http://example.org/a", "b": "http://example.org/c"}]}',
}


def read(text: str | bytes, syntax: str = "ttl", allowed: Allowance | None = None):
    content = text if isinstance(text, bytes) else text.encode()
    return strangers.read(content, SYNTAXES[syntax], "document", allowed or Allowance())


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_every_syntax_is_read_and_says_on_which_line_a_description_begins(syntax):
    document = read(FACT[syntax], syntax)
    assert ("http://example.org/a", "http://example.org/c") in {
        (each.subject.value, each.object.value) for each in document.triples
    }
    assert document.lines["http://example.org/a"] == 3


@pytest.mark.parametrize(
    ("syntax", "text", "said", "line"),
    [
        ("ttl", "<http://example.org/a> <http://example.org/b>\n  .", "cannot be read as RDF", 2),
        ("ttl", "<a> <b> <c> .", "No scheme", 1),
        ("ttl", "@prefix e: <http://example.org/> .\n<<( e:a e:b e:c )>> e:b e:c .", "RDF 1.2", 2),
        ("ttl", "@prefix e: <http://example.org/> . e:a e:b e:c {| e:d e:e |} .", "RDF 1.2", None),
        ("ttl", b"<http://example.org/a> <http://example.org/b>\n '\xff' .", "not UTF-8", 2),
        ("ttl", b"\xff\xfea\x00", "UTF-16", 1),
        ("ttl", "e:a \0", "NUL", 1),
        ("jsonld", '{"@id":\n "x" 3}', "cannot be read as RDF", 2),
        ("jsonld", '{"@id": "http://example.org/a",\n "@type": "Thing"}', "“Thing” is relative", None),
        (
            "jsonld",
            '{"@context":\n "http://127.0.0.1:9/c", "a": 1}',
            "<http://127.0.0.1:9/c>, which is never fetched",
            2,
        ),
        ("jsonld", '{"\\u0040context": [{}, "file:///etc/passwd"]}', "<file:///etc/passwd>", 1),
        ("jsonld", '{"@context": {"@version": 1.1, "@import": "http://127.0.0.1:9/c"}}', "never fetched", 1),
        ("jsonld", '{"@context": {"t": {"@id": "e:t", "@context": "//h/c"}}}', "<//h/c>", 1),
        ("jsonld", '{"@context": {}, "@context": "http://127.0.0.1:9/c"}', "never fetched", 1),
        ("jsonld", '{"@context": {"a": "b:x", "b": {"@id": "a:x"}}, "a": 1}', "made of itself: “", None),
        ("jsonld", '{"@context": {"a": "b:x", "b": "c:x", "c": "b:y"}, "a": 1}\n{}', "is no JSON (Extra data)", 2),
        ("rdf", f'<!DOCTYPE a [<!ENTITY b "c">]>{RDF}<e:A e:l="&b;"/></rdf:RDF>', "DOCTYPE", 1),
        ("rdf", f'\n<!doctype a SYSTEM "file:///etc/passwd">{RDF}</rdf:RDF>', "DOCTYPE", 2),
        ("rdf", f'<?xml version="1.0"?>\n<!\tDOCTYPE a>{RDF}</rdf:RDF>', "DOCTYPE", 2),
        ("rdf", f'<?xml version="1.0" encoding="ISO-8859-1"?>{RDF}</rdf:RDF>', "ISO-8859-1", 1),
        ("rdf", f'{RDF}<e:A rdf:about="x"/></rdf:RDF>', "No scheme", None),
        ("rdf", f"{RDF}<e:A></e:B></rdf:RDF>", "cannot be read as RDF", None),
    ],
)
def test_what_is_malformed_or_asks_for_more_than_itself_is_refused(syntax, text, said, line):
    with pytest.raises(BadDocument, match=r".") as refused:
        read(text, syntax)
    assert said in refused.value.message
    assert refused.value.line == line
    assert refused.value.remedy


DEEP = 100_000


@pytest.mark.parametrize(
    ("syntax", "text"),
    [
        ("ttl", "<urn:a> <urn:b> " + "[ <urn:b> " * DEEP + "]" * DEEP + " ."),
        ("ttl", "<urn:a> <urn:b> " + "(" * DEEP + ")" * DEEP + " ."),
        ("ttl", '<urn:a> <urn:b> "[" , \'(\' , """[[[ " """ , ' + "(" * 101 + ")" * 101 + " ."),
        ("ttl", "# '\n<urn:a#'> <urn:b> " + "(" * 101 + ")" * 101 + " . #'"),
        ("trig", "<urn:a> " + "{" * DEEP),
        ("jsonld", '{"http://e/p": ' * DEEP + "1" + "}" * DEEP),
        ("jsonld", '{"a": "\\"", "b":' + "[" * DEEP + "]" * DEEP + "}"),
        ("rdf", RDF + "<e:A><e:p>" * DEEP + "</e:p></e:A>" * DEEP + "</rdf:RDF>"),
        ("rdf", RDF + "<!-- ' --><e:A e:l='\">'><e:p>" * 101 + "</e:p></e:A>" * 101 + "</rdf:RDF>"),
    ],
)
def test_what_is_nested_deeply_is_refused_before_it_is_parsed(syntax, text):
    with pytest.raises(BadDocument, match="more than 100 levels"):
        read(text, syntax, Allowance(size=1 << 30))


@pytest.mark.parametrize(
    ("syntax", "text"),
    [
        ("ttl", "<urn:a> <urn:b> " + ", ".join(["( [] )"] * 500) + " ."),
        ("ttl", "<urn:a> <urn:b> '" + "[" * 200 + '\' , """' + '{" ' * 200 + '""" .'),
        ("jsonld", '{"http://e/p": ["' + "[" * 200 + '"]}'),
        ("rdf", RDF + "<e:A/>" * 200 + "<e:B e:l='" + "&lt;" * 200 + "'/></rdf:RDF>"),
    ],
)
def test_what_stands_side_by_side_or_in_texts_is_not_nested(syntax, text):
    assert read(text, syntax).triples


@pytest.mark.parametrize(
    "made_of",
    [
        lambda other: f'"{other}:x"',
        lambda other: f'{{"@id": "{other}:x"}}',
        lambda other: f'{{"@id": "urn:x", "@type": "{other}"}}',
        lambda other: f'{{"@reverse": "{other}:x"}}',
    ],
)
def test_terms_made_of_terms_are_a_hundred_in_a_row_at_most(made_of):
    """The parser recurses along them, from wherever it begins: it would meet its end by chance."""

    def chain(links: int) -> str:
        terms = [*(f'"t{n}": {made_of(f"t{n + 1}")}' for n in range(links - 1)), f'"t{links - 1}": "urn:t:"']
        return f"{{{', '.join(terms)}}}"

    def document(context: str) -> str:
        return f'{{"@context": {context}, "@id": "urn:a", "http://e/p": 1}}'

    assert read(document(chain(100)), "jsonld").triples
    of_a_term = f'[{{}}, {{"t": {{"@id": "urn:t", "@context": {chain(101)}}}}}]'
    for context in (chain(101), chain(9_000), of_a_term):
        with pytest.raises(BadDocument, match="more than 100 in a row"):
            read(document(context), "jsonld")


@pytest.mark.parametrize(
    "context",
    [
        '{"ex": "http://example.org/", "http": "ex:http", "p": "ex:p"}',
        '{"p": "http://e/p", "schema": "https://schema.org/", "https": {"@id": "schema:https"}}',
        '[{"ex": "http://e/"}, {"@vocab": "ex:", "ex": {"@id": "http://e/", "@type": "@vocab", "@prefix": true}}]',
        '[null, {"p": "http://e/p", "@type": {"@container": "@set"}, "d": {"@id": "x:d", "@type": "x:t"}, "x": "e:"}]',
        '{"p": {"@id": "http://e/p"}, "q": null, "id": "@id", "self": "http://e/self"}',
    ],
)
def test_contexts_may_say_what_the_standard_allows(context):
    assert read(f'{{"@context": {context}, "@id": "http://e/s", "p": "v"}}', "jsonld").triples


@pytest.mark.parametrize("context", ['"http://\\ud800"', '{"\\ud800": "b", "b": "\\ud800"}'])
def test_half_a_character_is_told_of_as_such(context):
    with pytest.raises(BadDocument) as refused:
        read(f'{{"@context": {context}, "a": 1}}', "jsonld")
    assert refused.value.message.encode()


def test_limits_on_bytes_and_statements():
    fact = FACT["nt"]
    assert read(fact, "nt", Allowance(size=len(fact), statements=1)).triples
    with pytest.raises(TooLarge, match="bytes; the limit is"):
        read(fact, "nt", Allowance(size=len(fact) - 1))
    with pytest.raises(TooLarge, match="more than 1 statements"):
        read(fact + "\n" + fact.replace("/c", "/d"), "nt", Allowance(statements=1))


def test_a_text_that_never_ends_is_read_once():
    """Half a megabyte of quotes takes no time that grows with its square: the parser finds the fault."""
    for text in ('"""' + '\\"""' * 130_000, "'" * 500_001, "<" * 500_000, "<!--" * 130_000):
        for syntax in ("ttl", "jsonld", "rdf"):
            with pytest.raises(BadDocument, match=r"."):
                read(text, syntax)
