"""The command as a shell sees it: what it prints where, and the code it exits with."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def run(dataset):
    """Runs ``foedus`` over the built dataset; never lets a traceback pass."""

    def call(*words: str, stdin: bytes | None = None, home=dataset):
        environment = {**os.environ, "FOEDUS_HOME": str(home)}
        done = subprocess.run(
            [sys.executable, "-m", "foedus", *map(str, words)], input=stdin, capture_output=True, env=environment
        )
        assert b"Traceback" not in done.stderr or "--debug" in words
        return done

    return call


@contextmanager
def serving(home, *words: str):
    """A running ``foedus serve`` on a free port, and that port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "foedus", "serve", "--port", "0", "--workers", "2", *map(str, words)],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "FOEDUS_HOME": str(home)},
    )
    try:
        said = process.stderr.readline()
        port = re.search(r":(\d+)/$", said.strip())
        assert port, said + process.stderr.read()
        yield process, int(port[1])
    finally:
        process.terminate()
        process.wait(10)
        process.stderr.close()


def get(port: int, path: str, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    try:
        return answer.status, answer.read()
    finally:
        connection.close()


def test_alone_it_prints_help(run):
    """No command at all is no error: it shows what there is."""
    alone, helped = run(), run("--help")
    assert alone.returncode == 0
    assert alone.stdout == helped.stdout
    assert b"members-on" in alone.stdout


@pytest.mark.parametrize("words", [["nonsense"], ["ask"], ["serve", "--port", "x"], ["build", "--nope"]])
def test_wrong_usage_exits_with_2(run, words):
    done = run(*words)
    assert done.returncode == 2
    assert done.stdout == b""


CST_AND_CSTO = [
    ("members-on", "alliance=csto", "2000-01-01", ""),
    ("members-on", "alliance=csto", "2003-01-01", ""),
    ("members-on", "alliance=csto", "2010-06-12", "ARM BLR KAZ KGZ RUS TJK UZB"),
    ("members-on", "alliance=csto", "2022-09-13", "ARM BLR KAZ KGZ RUS TJK"),
    ("bound-on", "treaty=collective-security-treaty", "1999-04-20", "ARM AZE BLR GEO KAZ KGZ RUS TJK UZB"),
    ("bound-on", "treaty=collective-security-treaty", "1999-04-21", "ARM BLR KAZ KGZ RUS TJK"),
]


@pytest.mark.parametrize(("slug", "of", "day", "states"), CST_AND_CSTO)
def test_ask_gives_the_worked_answers(run, slug, of, day, states):
    """Who was in, certainly, on the days of which the answer is known."""
    done = run("ask", slug, of, f"date={day}", "--csv")
    rows = [line.split(",") for line in done.stdout.decode().splitlines()[1:]]
    assert done.returncode == 0
    assert sorted(row[2] for row in rows if row[3] == "certain") == states.split()
    assert all(row[3] == "certain" for row in rows)


@pytest.mark.parametrize("form", ["--csv", "--tsv", "--json"])
def test_ask_prints_data_and_nothing_else(run, form):
    """Scripts can read what is printed; remarks go to stderr."""
    done = run("ask", "members-on", "alliance=csto", "date=2022-09-13", form)
    text = done.stdout.decode()
    count = len(json.loads(text)["results"]["bindings"]) if form == "--json" else len(text.splitlines()) - 1
    assert (done.returncode, count) == (0, 6)


NAMES_OF_AZERBAIJAN = (
    *("AZE", "AZ", "Azerbaijan", "azerbaijan", "id:azerbaijan", "https://w3id.org/foedus/id/azerbaijan"),
    *("wd:Q227", "Q227", "https://www.wikidata.org/wiki/Q227"),
)


def test_ask_takes_codes_and_names(run):
    """A state may be given by a code, a name, its address here or its item in Wikidata."""
    answers = {run("ask", "history-of", f"state={name}").stdout for name in NAMES_OF_AZERBAIJAN}
    assert len(answers) == 1
    assert b"signatory" in answers.pop()


def test_ask_takes_sparql_a_file_and_standard_input(run, tmp_path):
    """The same text by three ways gives the same answer."""
    text = "SELECT ?a WHERE { ?a a foedus:Alliance }"
    file = tmp_path / "alliances.rq"
    file.write_text(text)
    answers = {run("ask", text).stdout, run("ask", file).stdout, run("ask", "-", stdin=text.encode()).stdout}
    assert len(answers) == 1
    assert b"id:csto" in answers.pop()


def test_ask_without_reasoning_sees_what_files_state_alone(run, tmp_path):
    file = tmp_path / "members.rq"
    file.write_text("SELECT (COUNT(*) AS ?n) { ?m a foedus:Membership }")
    for words in (
        ["--reasoning", "off", file],
        ["members-on", "alliance=csto", "date=2022-09-13", "--reasoning", "off"],
    ):
        with_rules = run("ask", *(word for word in words if word not in ("--reasoning", "off")), "--csv").stdout
        without = run("ask", *words, "--csv").stdout
        assert len(with_rules) > len(without)
        assert without.splitlines()[1:] in ([b"0"], [])


def test_ask_takes_and_gives_items_of_wikidata(run):
    """As the server does, also of a query of one's own; without rows there is nothing to put them beside."""
    done = run("ask", "members-on", "alliance=wd:Q318693", "date=2022-09-13", "--wikidata", "--csv")
    lines = done.stdout.decode().splitlines()
    assert lines[0].endswith(",membership,state_wikidata,membership_wikidata")
    assert ",http://www.wikidata.org/entity/Q399," in lines[1]
    assert b"wd:Q399" in run("ask", "SELECT ?s { BIND(id:armenia AS ?s) }", "--wikidata").stdout
    done = run("ask", "ASK {}", "--wikidata")
    assert (done.returncode, done.stdout) == (2, b"")


def test_ask_takes_a_question_file_with_its_values(run, tmp_path):
    """A question that is not stored yet can be tried as it will be asked."""
    from foedus import files

    file = tmp_path / "mine.rq"
    shutil.copy(files.QUERIES / "members-on.rq", file)
    done = run("ask", file, "alliance=csto", "date=2010-06-12", "--csv")
    assert done.stdout.count(b",certain,") == 7


def test_ask_prints_triples_as_turtle(run):
    done = run("ask", "CONSTRUCT WHERE { id:csto a ?type }", "--ttl")
    assert b"id:csto a " in done.stdout


def test_ask_prints_rows_as_turtle_too(run):
    """A table in the W3C's result-set vocabulary, for tools that read only RDF."""
    from rdflib import Graph, Namespace

    rs = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/result-set#")
    graph = Graph().parse(data=run("ask", "unanswered", "asOf=2022-09-16", "--ttl").stdout, format="turtle")
    assert len(set(graph.objects(None, rs.solution))) == 6


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["members-of"], 2, "members-on"),
        (["members-on", "aliance=csto", "date=2022-09-13"], 2, "alliance"),
        (["members-on", "alliance=csto", "date=13.9.2022"], 2, "YYYY-MM-DD"),
        (["members-on", "alliance=csto", "date=2022-02-30"], 2, "YYYY-MM-DD"),
        (["members-on", "alliance=cstoo", "date=2022-09-13"], 2, "csto"),
        (["history-of", "state=Armenja"], 2, "armenia"),
        (["members-on", "alliance=csto"], 2, "date"),
        (["members-on", "csto"], 2, "name=value"),
        (["members-on", "alliance=csto", "alliance=csto", "date=2022-09-13"], 2, "twice"),
        (["CONSTRUCT WHERE { ?s ?p ?o }", "--csv"], 2, "ttl"),
        (["SELECT ?a WHERE { ?a ?b }"], 3, "line 1"),
        (["SELECT * WHERE { SERVICE <http://127.0.0.1/> {} }"], 3, "SERVICE"),
        (["DELETE WHERE { ?s ?p ?o }"], 3, "update"),
        (["/no/such/file.rq"], 3, "/no/such/file.rq"),
        ([__file__], 2, "not a query file"),
        (["/tmp"], 2, "not a query file"),
        (["unanswered", "--csv", "--json"], 2, "one of: csv, json"),
    ],
)
def test_a_wrong_question_is_told_in_two_lines(run, words, code, says):
    """What is wrong and what to do about it, with the documented code."""
    done = run("ask", *words)
    said = done.stderr.decode()
    assert done.returncode == code
    assert says in said
    assert len(said.strip().splitlines()) <= 2
    assert done.stdout == b""


def test_text_that_is_not_utf_8(run):
    done = run("ask", "-", stdin="SELECT * { ?s ?p 'é' }".encode("latin-1"))
    assert done.returncode == 3
    assert b"UTF-8" in done.stderr


def test_a_reader_that_leaves_early_is_no_error(run, dataset):
    """``| head -1`` ends quietly."""
    command = f"{sys.executable} -m foedus ask 'SELECT * {{ ?s ?p ?o }}' | head -1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, env={**os.environ, "FOEDUS_HOME": str(dataset)}
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_traceback_only_with_debug(run):
    assert b"Traceback" in run("--debug", "ask", "SELECT").stderr


def test_a_damaged_dataset_is_refused(run, dataset, tmp_path):
    """A dataset that is not the one its manifest describes is never served."""
    home = tmp_path / "home"
    shutil.copytree(dataset, home, symlinks=False)
    with (home / "dataset.nq").open("a") as file:
        file.write("<urn:a> <urn:b> <urn:c> .\n")
    done = run("ask", "unanswered", home=home)
    assert done.returncode == 3
    assert b"foedus build" in done.stderr


def test_build_prints_where_the_dataset_is(run, tmp_path):
    out = tmp_path / "out"
    done = run("build", "--out", out)
    assert (done.returncode, done.stdout.decode()) == (0, f"{out}\n")
    assert json.loads((out / "manifest.json").read_text())["dataset"]["quads"] > 5000


def test_a_build_with_findings_keeps_the_former_dataset(run, tmp_path, dataset):
    """Exit code 1, every finding with its file, and the old dataset as it was."""
    home, bad = tmp_path / "home", tmp_path / "bad.ttl"
    shutil.copytree(dataset, home, symlinks=True)
    before = (home / "dataset.nq").read_bytes()
    bad.write_text("<urn:a> <urn:b> .\n")
    done = run("build", "--out", home, "--data", bad)
    assert done.returncode == 1
    assert b"bad.ttl:1" in done.stderr
    assert (home / "dataset.nq").read_bytes() == before


@pytest.mark.parametrize("out", ["/proc/foedus", "/dev/null/foedus"])
def test_a_folder_that_cannot_be_written(run, out):
    done = run("build", "--out", out)
    assert done.returncode == 3
    assert out.encode() in done.stderr
    assert len(done.stderr.splitlines()) <= 2


def test_check_reports_as_json(run):
    report = json.loads(run("check", "--json").stdout)
    assert report["findings"] == []
    assert report["counts"] and all(report["counts"].values())


def test_check_of_a_file_with_a_fault(run, tmp_path):
    """Exit code 1 and one line per finding with file, line and remedy."""
    bad = tmp_path / "bad.ttl"
    bad.write_bytes('@prefix id: <https://w3id.org/foedus/id/> .\nid:a id:b "é" .'.encode("latin-1"))
    done = run("check", bad)
    assert done.returncode == 1
    assert b"bad.ttl:2" in done.stdout
    assert b"UTF-8" in done.stdout


def test_check_of_nothing(run):
    done = run("check", "/no/such/file.ttl")
    assert done.returncode == 3
    assert b"/no/such/file.ttl" in done.stderr


def test_format_says_what_would_change(run, tmp_path):
    """With --check nothing is written; without, the file is laid out and means the same."""
    file = tmp_path / "a.ttl"
    loose = "@prefix id: <https://w3id.org/foedus/id/> .\nid:a   id:b\n id:c   . # why\n"
    file.write_text(loose)
    assert run("format", "--check", file).returncode == 1
    assert file.read_text() == loose
    assert run("format", file).returncode == 0
    assert "# why" in file.read_text()
    assert run("format", "--check", file).returncode == 0


def test_serve_answers_and_stops_when_told(dataset):
    """One line says where it is; SIGTERM ends it with 0 and leaves no process."""
    with serving(dataset) as (process, port):
        status, body = get(port, "/queries/members-on.json?alliance=csto&date=2022-09-13")
        assert status == 200
        assert len(json.loads(body)["results"]["bindings"]) == 6
        assert json.loads(get(port, "/health")[1])
        children = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()
        assert children
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert not any(Path(f"/proc/{child}").exists() for child in children)


@pytest.mark.parametrize(("size", "hits"), [("1M", 1), ("0", None), (None, 1)])
def test_serve_keeps_answers_in_as_much_memory_as_it_is_given(dataset, size, hits):
    with serving(dataset, *(["--cache-size", size] if size else [])) as (_, port):
        answers = [get(port, "/sparql?query=ASK%7B%7D") for _ in range(2)]
        assert answers[0] == answers[1]
        counted = re.search(r'foedus_cache_queries_total\{[^}]*"hits?"\} (\d+)', get(port, "/metrics")[1].decode())
        assert (int(counted[1]) if counted else None) == hits


def test_serve_is_interrupted_with_130(dataset):
    with serving(dataset) as (process, _):
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130


def test_serve_other_data(dataset, tmp_path):
    """Any RDF is served as it is, without our shapes and rules."""
    (tmp_path / "a.ttl").write_text("<urn:a> <urn:b> 'c' .")
    (tmp_path / "b.nq").write_text('<urn:a> <urn:b> "d" <urn:g> .\n')
    with serving(dataset, "--data", tmp_path / "a.ttl", "--data", tmp_path / "b.nq") as (_, port):
        _, body = get(
            port,
            "/sparql?query=SELECT%20%3Fo%20%7B%3Curn:a%3E%20%3Curn:b%3E%20%3Fo%7D%20ORDER%20BY%20%3Fo",
            Accept="text/csv",
        )
    assert body.split() == [b"o", b"c", b"d"]


def test_serve_from_another_engine(dataset):
    """Pages and questions in front of another SPARQL endpoint: here a second server of ours."""
    with (
        serving(dataset) as (_, behind),
        serving(dataset, "--engine", f"http://127.0.0.1:{behind}/sparql") as (_, port),
    ):
        path = "/queries/members-on.csv?alliance=csto&date=2022-09-13"
        assert get(port, path) == get(behind, path)
        assert get(port, "/page/csto", Accept="text/html")[0] == 200


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--time-limit", "0"], 2, "time limit"),
        (["--time-limit", "nan"], 2, "time limit"),
        (["--workers", "0"], 2, "workers"),
        (["--workers", "1000000"], 2, "from 1 to 1024"),
        (["--time-limit", "-1"], 2, "time limit"),
        (["--time-limit", "1e9"], 2, "from 0.001 to 86400"),
        (["--memory-limit", "512"], 2, "with its unit, such as 512M"),
        (["--memory-limit", "1K"], 2, "memory limit cannot be 1 KiB"),
        (["--memory-limit", "lots"], 2, "lots"),
        (["--answer-limit", "-5M"], 2, "-5M"),
        (["--answer-limit", "0M"], 2, "answer limit"),
        (["--cache-size", "64"], 2, "with its unit, such as 512M"),
        (["--cache-size", "-1"], 2, "-1"),
        (["--trusted-proxy", "proxy.example.org"], 2, "proxy.example.org"),
        (["--host", "256.0.0.1"], 3, "256.0.0.1"),
        (["--data", "/no/such.ttl"], 3, "/no/such.ttl"),
        (["--engine", "nonsense"], 2, "nonsense"),
        (["--engine", "http://127.0.0.1:1/sparql"], 3, "127.0.0.1:1"),
        (["--engine", "http://a/", "--data", "b.ttl"], 2, "exclude"),
    ],
)
def test_what_cannot_be_served_is_told(run, words, code, says):
    done = run("serve", "--port", "0", *words)
    assert done.returncode == code
    assert says in done.stderr.decode()
    assert len(done.stderr.splitlines()) <= 2


def test_serve_malformed_data(run, tmp_path):
    bad = tmp_path / "bad.ttl"
    bad.write_text("<urn:a> <urn:b> <urn:c> .\n<urn:a> <urn:b> .\n")
    done = run("serve", "--port", "0", "--data", bad)
    assert done.returncode == 3
    assert b"bad.ttl:2" in done.stderr


def test_serve_on_a_port_in_use(run):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("serve", "--port", port)
    assert done.returncode == 3
    assert f"Port {port}".encode() in done.stderr
    assert len(done.stderr.splitlines()) <= 2
