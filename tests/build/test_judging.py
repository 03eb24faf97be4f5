"""Documents of strangers are held against the shapes beside the shipped content, which is not judged itself."""

import json

import pytest
from pyoxigraph import NamedNode, RdfFormat, parse

from foedus import files, names
from foedus.build import apart, check, judging, strangers
from foedus.build.shapes import _asset
from foedus.errors import AnswerTooLarge, BadDocument, CheckTooSlow, TooLarge, WrongUsage

SH = names.PREFIXES["sh"]
SOURCE = """
id:a-letter a foedus:Source ;
    rdfs:label "a letter to the editor"@en ;
    foedus:publisher "The Gazette" ;
    foedus:sourceKind foedus:newsReport ;
    foedus:reading foedus:readWhole ;
    foedus:language "en" .
"""
ACT = """
id:a-telegram a foedus:Announcement ;
    rdfs:label "a telegram"@en ;
    foedus:ofState id:russia ;
    foedus:occurred "1992-05-15" ;
    foedus:source id:a-letter .
"""


@pytest.fixture(scope="module")
def ground():
    return judging.ground(files.ROOT, lambda _: True)


@pytest.fixture(scope="module")
def judge(ground):
    """Judges Turtle under our prefixes; the findings' messages, or with *whole* the judgement."""

    def judged(text, whole=False, prefixes=names.PREFIXES):
        head = " ".join(f"@prefix {prefix}: <{iri}> ." for prefix, iri in prefixes.items())
        document = strangers.read((head + text).encode(), RdfFormat.TURTLE, "document", strangers.Allowance())
        found = judging.judge(ground, [document])
        return found if whole else [(each.line, each.node, each.message) for each in found.report.findings]

    return judged


def test_a_sound_document_conforms_and_its_references_to_the_record_resolve(judge):
    found = judge(SOURCE + ACT, whole=True)
    assert found.report.findings == ()
    assert {each.what: each.number for each in found.report.counts}["statements in data"] == 11
    assert {each.what for each in found.report.context} >= {"data files", "conclusions"}


def test_how_it_is_laid_out_what_its_prefixes_are_called_and_blank_lines_are_no_findings(judge):
    text = (SOURCE + ACT).replace("foedus:", "f:").replace("\n", " ").replace("id:", "i:")
    assert judge(text, prefixes={"f": names.ONTOLOGY, "i": names.ID, "rdfs": names.PREFIXES["rdfs"]}) == []


@pytest.mark.parametrize(
    ("text", "line", "node", "said"),
    [
        (ACT.replace("russia", "rusia"), 4, "id:a-telegram", "refers to id:rusia, which is described nowhere"),
        (ACT.replace("1992-05-15", "15 May"), 5, "id:a-telegram", "is not a date here"),
        (ACT.replace("Announcement", "Anouncement"), 2, "id:a-telegram", "foedus:Anouncement is no class"),
        (ACT.replace("occurred", "ocurred"), 2, "id:a-telegram", "foedus:ocurred is no property"),
        (ACT.replace("foedus:source id:a-letter", "foedus:source id:csto"), 6, "id:a-telegram", "is no foedus:Source"),
        (ACT.replace("@en", ""), 2, "id:a-telegram", "with a language tag"),
        ("\n_:b a foedus:State .", 2, "a blank node", "is no blank node"),
        ('\nid:russia rdfs:label "Rusland"@en .', 2, "id:russia", "at most one in each language"),
        ("\nid:a-letter foedus:publisher 'x' .", 2, "id:a-letter", "is of no class of the ontology"),
    ],
)
def test_each_fault_is_told_with_its_line_its_thing_and_what_to_do(judge, text, line, node, said):
    found = judge(text if "a-letter foedus" in text or "a-letter" not in text else SOURCE.replace("\n", " ") + text)
    assert [(line, node)] == [(each[0], each[1]) for each in found if said in each[2]]


def test_what_the_record_says_itself_is_not_judged(judge):
    assert judge("\nid:russia foedus:iso3 'RU' .") != []
    assert {node for _, node, _ in judge("\nid:russia foedus:iso3 'RU' .")} == {"id:russia"}


def test_shapes_imports_and_scripts_in_a_document_are_data_like_any_other(judge):
    text = (
        SOURCE
        + ACT
        + """
shape:Mine a sh:NodeShape ; sh:targetClass foedus:State ; sh:property [ sh:path rdfs:label ; sh:maxCount 0 ] ;
    sh:sparql [ sh:select "SELECT $this { SERVICE <http://127.0.0.1:9/> { ?a ?b ?c } }" ] ;
    sh:js [ sh:jsLibrary [ sh:jsLibraryURL "http://127.0.0.1:9/x.js" ] ; sh:jsFunctionName "f" ] .
<http://example.org/o> a owl:Ontology ; owl:imports <http://127.0.0.1:9/> ; sh:shapesGraph <http://127.0.0.1:9/> .
foedus:ocurred a owl:DatatypeProperty . foedus:Announcement rdfs:subClassOf foedus:Treaty .
id:a-telegram foedus:ocurred "1992" .
"""
    )
    said = [message for _, _, message in judge(text)]
    assert any("foedus:ocurred is no property that its ontology defines" in each for each in said)
    assert not any("rdfs:label is given more often" in each for each in said)


@pytest.mark.parametrize(("text", "said"), [("", "makes no statement"), ("<urn:a> <urn:b> 1 .", "No shape looks at")])
def test_a_document_in_which_nothing_can_be_looked_at_is_told_so(judge, text, said):
    assert [said in message for _, _, message in judge(text)] == [True]


def test_the_report_is_one_of_shacl(judge):
    """By the shapes that SHACL has for shapes there is none for reports; its text says what each result has."""
    found = judge(SOURCE.replace("foedus:language", "foedus:langage") + ACT.replace("russia", "rusia"), whole=True)
    triples = [quad.triple for quad in parse(found.turtle(), format=RdfFormat.TURTLE)]
    known = {quad.subject for quad in parse(_asset("shacl.ttl"), format=RdfFormat.TURTLE)}
    assert {each.predicate for each in triples} - known == {NamedNode(names.PREFIXES["rdf"] + "type")}
    results = [each.subject for each in triples if each.object == NamedNode(SH + "ValidationResult")]
    assert len(results) == len(found.report.findings) == 3
    for one in results:
        said = [each.predicate.value.removeprefix(SH) for each in triples if each.subject == one]
        for required in ("focusNode", "resultSeverity", "sourceConstraintComponent", "resultMessage"):
            assert said.count(required) == 1
    assert {each.object.value for each in triples if each.predicate.value == SH + "resultPath"} == {
        names.ONTOLOGY + "language"
    }
    assert [each.object.value for each in triples if each.predicate.value == SH + "conforms"] == ["false"]


def test_numbers_that_no_processor_can_count_with_are_told(judge):
    huge = "9" * 5_000
    found = judge(SOURCE + f"\nid:a-claim a foedus:CasualtyClaim ; foedus:minCount {huge} ; foedus:maxCount {huge} .")
    assert found


def test_a_check_on_the_command_line_says_the_same_and_keeps_the_files_apart(judge, tmp_path):
    head = "".join(f"@prefix {prefix}: <{iri}> .\n" for prefix, iri in names.PREFIXES.items())
    for name, text in (("one.ttl", SOURCE), ("two.ttl", ACT.replace("russia", "rusia")), ("three.ttl", "x")):
        (tmp_path / name).write_text(head + text)
    found = check([tmp_path / name for name in ("one.ttl", "two.ttl", "three.ttl")])
    first = len(names.PREFIXES)
    assert {(each.file, each.line) for each in found.findings} == {("two.ttl", first + 4), ("three.ttl", first + 1)}
    assert json.loads(found.json())["counts"]["data files"] == 2
    assert [each.message for each in check([tmp_path]).findings] == [each.message for each in found.findings]


def test_a_file_that_is_too_large_is_not_even_opened(tmp_path):
    with (tmp_path / "large.nt").open("wb") as large:
        large.truncate(strangers.AT_HOME.size + 1)
    with pytest.raises(TooLarge, match="the limit is"):
        check([tmp_path / "large.nt"])


# ── apart ──


SMALL = apart.Cost(patience=20.0, seconds=1, memory=64 << 20, report=1 << 20)


TOO_DEEP = "<urn:a> <urn:b> " + "<<( <urn:a> <urn:b> " * 100_000 + "<urn:c>" + " )>>" * 100_000 + " ."
"""What ends the process that parses it."""


def forever() -> str:
    while True:
        pass


def at_once(error: BaseException) -> str:
    raise error


@pytest.mark.parametrize(
    ("work", "error"),
    [
        (forever, CheckTooSlow),
        (lambda: "x" * (256 << 20), AnswerTooLarge),
        (lambda: "x" * (2 << 20), AnswerTooLarge),
        (lambda: at_once(WrongUsage("no", "else")), WrongUsage),
        (lambda: at_once(MemoryError()), AnswerTooLarge),
        (lambda: str(list(parse(TOO_DEEP, format=RdfFormat.TURTLE))), BadDocument),
    ],
)
def test_what_takes_too_much_ends_alone_and_says_why(work, error):
    with pytest.raises(error, match=r"."):
        apart.run(work, SMALL)


def test_a_process_apart_opens_no_file_and_no_socket():
    def opened() -> str:
        import socket
        from pathlib import Path

        said = []
        for each in (lambda: Path("/etc/passwd").read_text(), socket.socket):
            try:
                each()
            except OSError as error:
                said.append(error.strerror)
        return ", ".join(said)

    assert apart.run(opened, SMALL) == "Too many open files, Too many open files"


def test_a_wait_that_is_too_long_ends_it_too():
    import time

    with pytest.raises(CheckTooSlow):
        apart.run(lambda: str(time.sleep(60)), apart.Cost(patience=0.2))
