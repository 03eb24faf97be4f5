"""The benchmark measures what it says: its history, its load generator and its comparison. No time is asserted."""

import http.server
import json
import re
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pyoxigraph as ox
import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import engines  # noqa: E402
import load  # noqa: E402
import report  # noqa: E402
import run as benchmark  # noqa: E402
import synthetic  # noqa: E402
import workloads  # noqa: E402

SIZE = 20_000
PREFIXES = "PREFIX foedus: <https://w3id.org/foedus/ontology#> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> "


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """A small synthetic history."""
    return synthetic.write(tmp_path_factory.mktemp("history"), SIZE)


@pytest.fixture(scope="module")
def store(history):
    """The history, loaded without its graphs."""
    loaded = ox.Store()
    loaded.bulk_load(history.ntriples.read_bytes(), format=ox.RdfFormat.N_TRIPLES)
    return loaded


def count(store: ox.Store, pattern: str) -> int:
    """How many solutions *pattern* has."""
    return int(next(iter(store.query(f"{PREFIXES} SELECT (COUNT(*) AS ?n) {{ {pattern} }}")))["n"].value)


# ── the synthetic history ──


def test_the_same_seed_makes_the_same_history(history, tmp_path):
    assert synthetic.write(tmp_path, SIZE).sha256 == history.sha256


def test_another_seed_makes_another_history(history, tmp_path):
    assert synthetic.write(tmp_path, SIZE, seed=2).sha256 != history.sha256


def test_a_longer_history_begins_like_a_shorter_one():
    short = list(synthetic.statements(5_000))
    assert list(synthetic.statements(10_000))[: len(short)] == short


def test_every_statement_is_well_formed_and_different(history, store):
    assert len(store) == history.count >= SIZE
    assert history.ntriples.read_text().count("\n") == history.nquads.read_text().count("\n") == history.count


def test_every_spell_has_three_bounds_and_an_act_that_began_it(store):
    spells = count(store, "?spell a foedus:Spell")
    whole = "?spell a foedus:Spell ; foedus:beginEarliest ?a ; foedus:beginLatest ?b ; foedus:endEarliest ?c ; "
    assert count(store, whole + "foedus:begunBy/foedus:takesEffectEarliest ?a ; foedus:status ?d") == spells > 500


def test_some_spells_are_open_and_some_dates_uncertain(store):
    open_ones = count(store, "?spell a foedus:Membership FILTER NOT EXISTS { ?spell foedus:endLatest ?end }")
    uncertain = count(store, "?spell foedus:beginEarliest ?a ; foedus:beginLatest ?b FILTER(?a < ?b)")
    assert 0 < open_ones < count(store, "?spell a foedus:Membership")
    assert 0 < uncertain < count(store, "?spell a foedus:Spell")


def test_no_spell_ends_before_it_begins(store):
    assert count(store, "?spell foedus:beginLatest ?begin ; foedus:endEarliest ?end FILTER(?end < ?begin)") == 0


def test_every_term_of_the_history_is_one_of_the_vocabulary(history):
    used = set(re.findall(r"foedus/ontology#(\w+)>", history.ntriples.read_text()))
    files = [*(HERE.parents[1] / "ontology").glob("*.ttl")]
    known = set(re.findall(r"foedus:(\w+)", "".join(file.read_text() for file in files)))
    assert used - known == set()


def test_the_history_has_something_for_every_workload(history, store):
    with history.ntriples.open() as lines:
        asked = workloads.workloads(workloads.World.of(lines))
    answered = {}
    for workload in asked:
        results = [store.query(question.text) for question in workload.questions]
        answered[workload.name] = any(isinstance(each, ox.QueryBoolean) or any(each) for each in results)
    assert len(answered) == 10 and all(answered.values()), answered


# ── the load generator ──


@pytest.mark.parametrize(
    ("percent", "expected"), [(50, 5), (95, 10), (99, 10), (10, 1), (11, 2), (100, 10)]
)  # fmt: skip
def test_a_percentile_is_the_least_value_that_so_many_do_not_exceed(percent, expected):
    assert load.percentile(range(1, 11), percent) == expected


def test_no_answers_have_no_percentile():
    assert load.percentile([], 50) is None


def test_a_summary_counts_and_orders():
    found = load.summary(8, 2.0, [0.003, 0.001, 0.002, 0.010], 400, {"503": 2})
    assert (found.answers, found.per_second, found.mean_bytes) == (4, 2.0, 100.0)
    assert (found.p50, found.p99, found.errors) == (2.0, 10.0, {"503": 2})


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\n\r\n\r\n\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", load.Whole(200, 3, False)),
        (b"HTTP/1.1 503 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", load.Whole(503, 0, True)),
        (b"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n", load.Whole(204, 0, False)),
        (CHUNKED, load.Whole(200, 7, False)),
    ],
    ids=["length", "refusal", "empty", "chunked"],
)
def test_an_answer_is_whole_when_its_last_byte_is_there(received, expected):
    assert load.whole(received) == expected
    assert all(load.whole(received[:size]) is None for size in range(len(received)))


class _Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        status = 503 if self.path == "/busy" else 200
        self.send_response(status)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_):
        """Nothing is logged."""


def test_the_load_generator_counts_answers_and_refusals_apart():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Server) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        wanted = {
            "host": "127.0.0.1",
            "port": server.server_port,
            "requests": [f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n" for path in ("/", "/busy")],
            "clients": 4,
            "seconds": 0.3,
            "warm": 0.0,
        }
        done = subprocess.run(
            [sys.executable, "-I", str(HERE / "load.py")],
            input=json.dumps(wanted).encode(),
            capture_output=True,
            check=True,
        )
        server.shutdown()
    found = load.Summary(**json.loads(done.stdout))
    assert found.answers > 4 and found.mean_bytes == 5 and set(found.errors) == {"503"}
    assert abs(found.answers - found.errors["503"]) <= 4


# ── the comparison ──


def answer(*bindings: dict) -> bytes:
    """An answer in SPARQL JSON."""
    return json.dumps({"head": {"vars": ["x"]}, "results": {"bindings": list(bindings)}}).encode()


def literal(value: str, **more: str) -> dict:
    return {"x": {"type": "literal", "value": value, **more}}


STRING = "http://www.w3.org/2001/XMLSchema#string"


def test_order_and_ways_of_writing_make_no_difference():
    typed = {"x": {"type": "typed-literal", "value": "a", "datatype": STRING}}
    ours = answer(literal("a"), literal("b", **{"xml:lang": "en-GB"}), {})
    theirs = answer({}, literal("b", **{"xml:lang": "en-gb"}), typed)
    assert workloads.canonical(ours) == workloads.canonical(theirs)


@pytest.mark.parametrize(
    "other",
    [
        answer(literal("a"), literal("a")),
        answer(literal("b")),
        answer({"x": {"type": "uri", "value": "a"}}),
        answer({}),
    ],
    ids=["a row more", "another value", "another kind of term", "unbound"],
)
def test_different_answers_are_different(other):
    assert workloads.canonical(other) != workloads.canonical(answer(literal("a")))


def test_a_truth_value_is_no_table():
    assert workloads.canonical(b'{"head": {}, "boolean": true}') is True


def test_each_triple_is_loaded_once_whatever_its_graphs(tmp_path):
    quads, triples = tmp_path / "a.nq", tmp_path / "a.nt"
    stated = ('<urn:a> <urn:b> " <c" <urn:g>', '<urn:a> <urn:b> " <c" <urn:h>', "<urn:a> <urn:b> <urn:d> <urn:g>")
    quads.write_text("".join(f"{each} .\n" for each in stated))
    assert workloads.triples(quads, triples) == 2
    assert Counter(triples.read_text().splitlines()) == {'<urn:a> <urn:b> " <c" .': 1, "<urn:a> <urn:b> <urn:d> .": 1}


# ── the report ──


def run_with(**rates: float) -> report.Run:
    """A run of one stored question with these rates by engine."""
    run = report.Run("shipped", 1, {"members-on": "stored"})
    for engine, rate in rates.items():
        summary = load.Summary(8, 1.0, 100, rate, 9000.0, 1.0, 1.0, 1.0, {})
        run.points.append(report.Point(engine, "members-on", summary))
    return run


def test_a_stored_question_is_held_to_its_goals():
    found = run_with(foedus=1000, oxigraph=800, virtuoso=600).verdicts("members-on", 8, {})
    assert [(each.to, each.ratio, each.met) for each in found] == [
        ("oxigraph", 1.25, True),
        ("virtuoso", pytest.approx(1.667, abs=0.001), False),
    ]


def test_the_table_says_what_was_missed():
    shown = report.as_text([run_with(foedus=1000, virtuoso=600)], [], {}, [])
    assert "1.67×virtuoso (2 MISSED)" in shown


def test_a_tiny_query_stands_beside_the_empty_response():
    run = run_with(foedus=1000)
    run.classes["members-on"] = "tiny"
    assert "0.40×empty (0.5 MISSED)" in report.as_text([run], [], {8: 2500.0}, [])


def test_goals_are_summed_up_by_class_of_answers():
    run = run_with(foedus=1000, oxigraph=800, virtuoso=600)
    run.classes |= {"ask": "tiny"}
    run.points += [report.Point("foedus", "ask", load.Summary(8, 1.0, 100, 900, 20.0, 1.0, 1.0, 1.0, {}, 0.25))]
    found = {(each.answers, each.to): (each.met, each.lines, each.least) for each in report.goals(run, {8: 1000.0})}
    assert found == {
        (report.STORED, "oxigraph"): (1, 1, 1.25),
        (report.STORED, "virtuoso"): (0, 1, pytest.approx(1.667, abs=0.001)),
        (report.TINY, "empty"): (1, 1, 0.9),
    }
    shown = report.as_text([run], [], {8: 1000.0}, [])
    assert "MISSED  stored questions and answers of 5 KB and more: foedus ≥ 2×virtuoso in 0 of 1 lines" in shown
    assert "foedus 25%" in shown


def test_an_answer_that_differs_is_told_with_its_cause():
    one, two = (workloads.canonical(answer(*each)) for each in ([literal("a")], [literal("b"), literal("a")]))
    assert benchmark._difference(one, one) == ""
    assert benchmark._difference(one, "refused with 504") == "theirs refused with 504"
    assert benchmark._difference("took longer than 20 s", one) == "ours took longer than 20 s"
    assert benchmark._difference(one, two).startswith("0 rows only in ours, 1 only in theirs, such as")
    run = run_with(foedus=1)
    run.same, run.reasons = {"virtuoso": {"join": (4, 6)}}, {"virtuoso": {"join": ["theirs refused with 500"] * 2}}
    assert "differ from ours in join (4 of 6 the same: theirs refused with 500)." in report.as_text([run], [], {}, [])


def test_the_attacker_asks_what_is_known_to_be_heavy():
    assert len(benchmark.heavy_queries()) >= 15


def test_figures_survive_json():
    figure = report.Figure("cold start", None, "s", "< 1.5 s", False)
    text = json.dumps(report.as_json([run_with(foedus=1000)], [figure], {8: 2000.0}, []), allow_nan=False)
    assert json.loads(text)["datasets"][0]["rates"][0]["per_second"] == 1000


def test_the_shipped_proxy_configuration_is_the_one_that_is_measured():
    """What the benchmark replaces in it, addresses and the folder of the cache, is there."""
    text = engines.NGINX.read_text()
    assert all(each in text for each in ("listen 80;", "listen [::]:80;", "127.0.0.1:8000;", "/var/cache/nginx/foedus"))


def test_the_reference_app_answers_with_nothing(tmp_path):
    none = engines.Data("none", tmp_path, tmp_path, 0)
    with engines.EmptyResponse().start(none, tmp_path) as running:
        assert running.get("/", "*/*") == (200, b"")
