"""/validate: a stranger's RDF against our shapes, by body or by form; the report in three formats; what is refused."""

import io
import json
import os
import re
import resource
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from html import unescape
from pathlib import Path

import pytest
from pyoxigraph import RdfFormat, parse

from foedus.build import strangers
from foedus.errors import Busy, OverShare
from foedus.query import formats
from foedus.web import bench_of, checking, validate

HTML, JSON, TTL = ({"Accept": each} for each in ("text/html", "application/json", "text/turtle"))
TURTLE = "text/turtle"
SOUND = """
@prefix foedus: <https://w3id.org/foedus/ontology#> .
@prefix id: <https://w3id.org/foedus/id/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .

id:a-letter a foedus:Source ;
    rdfs:label "a letter to the editor"@en ;
    foedus:publisher "The Gazette" ;
    foedus:sourceKind foedus:newsReport ;
    foedus:reading foedus:readWhole ;
    foedus:language "en" .

id:a-telegram a foedus:Announcement ;
    rdfs:label "a telegram"@en ;
    foedus:ofState id:russia ;
    foedus:occurred "1992-05-15" ;
    foedus:source id:a-letter .
"""
PART = '--b\r\nContent-Disposition: form-data; name="document"\r\n\r\nx\r\n'


def post(client, body, media_type=TURTLE, accept=JSON, **named):
    return client.post("/validate", data=body, headers={"Content-Type": media_type, **accept}, **named)


def test_the_page_has_a_form_an_example_and_says_what_is_looked_at(client):
    page = client.get("/validate", headers=HTML)
    assert page.status_code == 200
    for part in ('enctype="multipart/form-data"', 'name="document"', 'type="file"', 'id="beyond"', "524,288 bytes"):
        assert part in page.text
    assert 'href="/validate"' in client.get("/ontology", headers=HTML).text
    assert client.get("/validate", headers=TTL).status_code == 406


def test_the_example_has_the_two_faults_that_the_page_tells_of(client):
    page = client.get("/validate", headers=HTML).text
    text = unescape(re.search(r"<textarea[^>]*>\n(.*?)</textarea>", page, re.DOTALL)[1])
    first, second = json.loads(post(client, text).text)["findings"]
    assert (first["line"], first["remedy"]) == (14, "Did you mean id:iceland?")
    assert (second["line"], "is not a date here" in second["message"]) == (15, True)


def test_what_is_sound_conforms_in_every_format(client):
    answer = post(client, SOUND)
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert json.loads(answer.text)["conforms"] is True
    assert json.loads(answer.text)["findings"] == []
    answer = post(client, SOUND, accept=TTL)
    assert (answer.status_code, answer.content_type) == (200, "text/turtle; charset=utf-8")
    assert "sh:conforms true" in answer.text
    assert list(parse(answer.text, format=RdfFormat.TURTLE))
    page = post(client, SOUND, accept=HTML)
    assert (page.status_code, page.headers["Cache-Control"]) == (200, "no-store")
    assert "It conforms" in page.text


@pytest.mark.parametrize("way", ["textarea", "urlencoded", "file", "body"])
def test_a_finding_is_told_however_the_document_comes(client, way):
    text = SOUND.replace("id:russia", "id:rusia")
    if way == "body":
        page = post(client, text, accept=HTML)
    elif way == "file":
        fields = {"document": "", "file": (io.BytesIO(text.encode()), "x.TTL"), "syntax": "rdf", "format": "html"}
        page = client.post("/validate", data=fields, content_type="multipart/form-data", headers=HTML)
    else:
        fields = {"document": text.replace("\n", "\r\n"), "syntax": "ttl", "format": "html"}
        media_type = "multipart/form-data" if way == "textarea" else "application/x-www-form-urlencoded"
        page = client.post("/validate", data=fields, content_type=media_type, headers=HTML)
    assert page.status_code == 200
    row = "<tr><td>15</td><td><code>id:a-telegram</code></td>"
    assert row in page.text
    assert "Did you mean id:russia?" in page.text
    assert "id:rusia ;" in page.text  # the document is there to be mended


def test_the_form_can_ask_for_another_format(client):
    fields = {"document": "", "file": (io.BytesIO(b"<urn:a> <urn:b> <urn:c> ."), "a.nt"), "format": "ttl"}
    answer = client.post("/validate", data=fields, content_type="multipart/form-data", headers=HTML)
    assert answer.content_type.startswith("text/turtle")


@pytest.mark.parametrize(
    ("body", "media_type", "status", "said"),
    [
        ("<urn:a>\n <urn:b> .", TURTLE, 400, '"line": 2'),
        ("", TURTLE, 400, "holds no document"),
        ("x", "", 415, "“unknown”"),
        ("x", "text/plain", 415, "text/turtle"),
        ("x", "application/json", 415, "application/ld+json"),
        ("x", "text/turtle; charset=utf-16", 415, "Send UTF-8"),
        (b"<urn:a> <urn:b> '\xff' .", TURTLE, 400, "not UTF-8"),
        ("x" * (validate.LARGEST + 1), TURTLE, 413, "524,288"),
        ("document=%ff", "application/x-www-form-urlencoded", 400, "not UTF-8"),
        ("document=x&shapes=y", "application/x-www-form-urlencoded", 400, "no field “shapes”"),
        ("document=x&syntax=n3", "application/x-www-form-urlencoded", 400, "no syntax “n3”"),
        ("&".join(["a=b"] * 40), "application/x-www-form-urlencoded", 400, "too many fields"),
        ("x", "multipart/form-data", 400, "malformed"),
        ("x", "multipart/form-data; boundary=b", 400, "malformed"),
        (PART.replace("x", "") + "--b--", "multipart/form-data; boundary=b", 400, "no document"),
        (PART * 40, "multipart/form-data; boundary=b", 413, "many"),
    ],
)
def test_what_cannot_be_checked_is_refused_with_words_and_status(client, body, media_type, status, said):
    answer = post(client, body, media_type)
    assert (answer.status_code, answer.content_type) == (status, "application/json"), answer.text
    assert said in answer.text
    page = post(client, body, media_type, accept=HTML)
    assert (page.status_code, page.mimetype) == (status, "text/html")
    assert 'role="alert"' in page.text


def test_parameters_formats_codings_and_methods(client):
    assert post(client, SOUND, query_string={"shapes": "x"}).status_code == 400
    assert post(client, SOUND, query_string={"format": "xml"}).status_code == 406
    assert post(client, SOUND, accept={"Accept": "image/png"}).status_code == 406
    coded = client.post("/validate", data=b"x", headers={"Content-Type": TURTLE, "Content-Encoding": "gzip", **JSON})
    assert coded.status_code == 415
    assert client.put("/validate", headers=JSON).status_code == 405


def test_the_limits_that_are_told_are_those_that_hold():
    assert strangers.Allowance().size == validate.LARGEST
    assert {each.name for each in formats.offered("graph")} >= set(strangers.SYNTAXES) == set(validate.SYNTAXES)


# ── the bench ──


@pytest.fixture
def bench():
    with checking.Bench() as running:
        yield running


def children(name: str) -> set[int]:
    """The processes that this one started to run the module *name*, without those that ended."""
    found = set()
    for each in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            state, parent = (each / "stat").read_text().rpartition(")")[2].split()[:2]
            if name in (each / "cmdline").read_text() and int(parent) == os.getpid() and state != "Z":
                found.add(int(each.name))
    return found


def eventually(holds, seconds=60.0):
    until = time.monotonic() + seconds
    while not (value := holds()):
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.05)
    return value


def test_a_bench_is_started_by_the_first_document_and_ends_with_the_last_word(bench):
    before = children("foedus.build.bench")
    assert json.loads(bench.judge(SOUND.encode(), "ttl", "json", None))["conforms"] is True
    mine = children("foedus.build.bench") - before
    assert len(mine) == 1
    assert json.loads(bench.judge(SOUND.encode(), "ttl", "json", None))["conforms"] is True
    assert children("foedus.build.bench") - before == mine
    # One that was killed is replaced for the next document.
    os.kill(*mine, signal.SIGKILL)
    eventually(lambda: not mine & children("foedus.build.bench"))
    assert json.loads(bench.judge(SOUND.encode(), "ttl", "json", None))["conforms"] is True
    bench.close()
    eventually(lambda: children("foedus.build.bench") <= before)


@pytest.mark.parametrize("left", range(8))
def test_without_a_file_left_the_asker_is_told_and_none_leaks(bench, left):
    """Two files and a channel for a document, a channel to the bench, its start: each may be the one too many."""
    open_before = len(list(Path("/proc/self/fd").iterdir()))
    with files_left(left), pytest.raises(Busy, match="can be started"):
        bench.judge(SOUND.encode(), "ttl", "json", None)
    assert len(list(Path("/proc/self/fd").iterdir())) == open_before


@contextmanager
def files_left(number):
    """This process can open so many files more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as held:
        probes = [held.enter_context(Path(os.devnull).open()) for _ in range(number + 1)]
        limit = probes[-1].fileno()
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_an_address_has_one_document_at_a_time_and_an_asker_that_leaves_frees_its_place(bench):
    left = threading.Event()
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(bench.judge, SLOW.encode(), "ttl", "json", "192.0.2.1", left.is_set)
        eventually(lambda: bench.turns.here)
        with pytest.raises(OverShare):
            bench.judge(SOUND.encode(), "ttl", "json", "192.0.2.1")
        assert json.loads(bench.judge(SOUND.encode(), "ttl", "json", "192.0.2.2"))["conforms"] is True
        left.set()
        assert "left" in str(first.exception(30))
    assert json.loads(bench.judge(SOUND.encode(), "ttl", "json", "192.0.2.1"))["conforms"] is True


SLOW = SOUND + "".join(
    f'id:act-{n}-{kind} a foedus:{kind} ; rdfs:label "x"@en ; foedus:ofState id:russia ; foedus:source id:a-letter ;'
    f' foedus:ofTreaty id:csto-charter ; foedus:takesEffect "19{n % 90 + 10}-0{m}-{n % 28 + 1:02}" .\n'
    for n in range(600)
    for m, kind in ((1, "Accession"), (6, "Withdrawal"))
)
"""Six hundred times in and out of one treaty: rules that compare each act with each take minutes."""


def test_a_check_that_takes_too_long_is_stopped(client):
    answer = post(client, SLOW)
    assert (answer.status_code, json.loads(answer.text)["title"]) == (504, "The check took too long")


def test_nothing_in_a_document_makes_the_server_fetch_anything(client):
    came = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def listen():
            with suppress(OSError):
                while True:
                    came.append(listening.accept())

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        home = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        data = (
            f"{SOUND} <{home}o> a <http://www.w3.org/2002/07/owl#Ontology> ;"
            f" <http://www.w3.org/2002/07/owl#imports> <{home}i> ;"
            f" <http://www.w3.org/ns/shacl#shapesGraph> <{home}s> ."
            f' id:a-letter foedus:url "{home}u"^^<http://www.w3.org/2001/XMLSchema#anyURI> .'
        )
        assert post(client, data).status_code == 200
        for context in (f'"{home}c"', f'[{{}}, "{home}c"]', f'{{"@version": 1.1, "@import": "{home}c"}}'):
            answer = post(client, f'{{"@context": {context}, "@id": "urn:a"}}', "application/ld+json")
            assert (answer.status_code, f"<{home}c>" in answer.text) == (400, True)
        rdf = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>'
        answer = post(client, f'<!DOCTYPE a SYSTEM "{home}d">{rdf}', "application/rdf+xml")
        assert (answer.status_code, "DOCTYPE" in answer.text) == (400, True)
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
    thread.join()
    assert came == []


def test_an_installation_without_the_libraries_says_so(client, app, monkeypatch):
    monkeypatch.setattr(checking, "_NEEDED", ("rdflib", "no_such_library"))
    answer = post(client, SOUND)
    assert (answer.status_code, "no_such_library is not installed" in answer.text) == (501, True)
    assert bench_of(app).turns.here == []
