"""The pool: whole answers, one clear error per query that costs too much, and nothing left behind."""

import contextlib
import fcntl
import http.server
import json
import os
import resource
import signal
import subprocess
import sys
import termios
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from foedus.errors import (
    AnswerTooLarge,
    BadQuery,
    Busy,
    Cancelled,
    CannotRead,
    DatasetRefused,
    DatasetTooLarge,
    NotAcceptable,
    QueryTooSlow,
    WrongUsage,
)
from foedus.query import memory, results, scan, waiting
from foedus.query.limits import MIB, Limits
from foedus.query.pool import Pool, Request

SMALL = Limits(workers=2, time_limit=1.0, memory=192 * MIB, answer=MIB)
LONG = Limits(workers=2, time_limit=60.0)
ENDLESS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
ASSERTED, INFERRED = (f"https://w3id.org/foedus/graph/{name}" for name in ("asserted", "inferred"))
DOUBLING = (
    'SELECT ?v30 { BIND("0123456789012345678901234567890123456789" AS ?v0) '
    + " ".join(f"BIND(CONCAT(?v{n}, ?v{n}) AS ?v{n + 1})" for n in range(30))
    + " }"
)


def ask(pool, text, **more) -> bytes:
    return pool.ask(Request(text, **more)).body


def count(pool, pattern, froms="", **more) -> int:
    answer = pool.ask(Request(f"SELECT (COUNT(*) AS ?n) {froms} {{ {pattern} }}", **more))
    return int(next(iter(results.table(answer)))["n"].value)


def is_well(pool) -> bool:
    return results.truth(pool.ask(Request("ASK {}", form="json")))


def eventually(holds, seconds=60.0):
    """Wait until *holds*, failing after *seconds*."""
    until = time.monotonic() + seconds
    while not (value := holds()):
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.01)
    return value


def children(pid: int) -> list[int]:
    """The process ids of the living children of *pid*."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(parent) == pid and state != "Z":
                found.append(int(entry.name))
    return found


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


# ── answers ──


def test_a_select_answers_in_the_order_of_its_columns(small_pool):
    body = ask(small_pool, "SELECT ?o ?s { ?s foedus:number ?o } ORDER BY ?o LIMIT 2", form="csv")
    assert body == b"o,s\r\n0,https://w3id.org/foedus/id/n0\r\n1,https://w3id.org/foedus/id/n1\r\n"


@pytest.mark.parametrize("form", ["json", "xml", "csv", "tsv"])
def test_rows_and_truths_come_in_every_format_of_rows(small_pool, form):
    assert b"armenia" in ask(small_pool, "SELECT * { VALUES ?s { id:armenia } ?s ?p ?o }", form=form)
    assert b"true" in ask(small_pool, "ASK {}", form=form)


@pytest.mark.parametrize("form", ["ttl", "nt", "nq", "trig", "rdf", "jsonld"])
def test_triples_come_in_every_rdf_format(small_pool, form):
    body = ask(small_pool, "CONSTRUCT { id:armenia foedus:iso3 ?c } WHERE { id:armenia foedus:iso3 ?c }", form=form)
    assert b"ARM" in body


def test_turtle_uses_our_prefixes(small_pool):
    body = ask(small_pool, "DESCRIBE <https://w3id.org/foedus/id/armenia>")
    assert b"id:armenia a foedus:State" in body
    assert "Հայաստան".encode() in body


def test_relative_iris_are_ours(small_pool):
    assert json.loads(ask(small_pool, "ASK { <id/armenia> ?p ?o }"))["boolean"] is True


def test_the_answer_says_what_it_is(small_pool):
    answer = small_pool.ask(Request("SELECT * {}", accept="text/csv"))
    assert (answer.kind, answer.media_type) == ("select", "text/csv; charset=utf-8; header=present")
    assert answer.milliseconds > 0


def test_a_format_that_does_not_fit_is_refused(small_pool):
    with pytest.raises(NotAcceptable):
        ask(small_pool, "SELECT * {}", accept="text/turtle")


# ── graphs ──


def test_the_default_graph_is_the_union_and_holds_each_triple_once(small_pool):
    assert count(small_pool, "id:armenia foedus:iso3 ?code") == 1
    assert count(small_pool, "GRAPH ?g { id:armenia foedus:iso3 ?code }") == 2


def test_from_chooses_among_our_graphs(small_pool):
    assert count(small_pool, "?s ?p ?o", f"FROM <{INFERRED}>") == 1
    assert count(small_pool, "GRAPH ?g { ?s ?p ?o }", f"FROM NAMED <{INFERRED}>") == 1
    assert count(small_pool, "?s ?p ?o", f"FROM NAMED <{INFERRED}>") == 0


def test_the_protocols_graphs_override_from(small_pool):
    assert count(small_pool, "?s ?p ?o", f"FROM <{ASSERTED}>", default_graphs=(INFERRED,)) == 1
    assert count(small_pool, "GRAPH ?g { ?s ?p ?o }", named_graphs=(INFERRED,)) == 1
    assert count(small_pool, "?s ?p ?o", named_graphs=(INFERRED,)) == 0
    ontology = "https://w3id.org/foedus/graph/ontology"
    assert count(small_pool, "?s ?p ?o", default_graphs=(INFERRED, ontology)) == 2


@pytest.mark.parametrize("graph", ["https://example.org/none", "urn:none", "http://127.0.0.1:9/data.ttl"])
def test_any_other_graph_is_empty(small_pool, graph):
    assert count(small_pool, "?s ?p ?o", f"FROM <{graph}>") == 0
    assert count(small_pool, "?s ?p ?o", default_graphs=(graph,)) == 0


def test_a_file_is_no_graph(small_pool, small_dataset):
    assert count(small_pool, "?s ?p ?o", f"FROM <{(small_dataset / 'dataset.nq').as_uri()}>") == 0


def test_a_graph_that_is_no_iri_is_refused(small_pool):
    with pytest.raises(BadQuery, match="is not an IRI"):
        ask(small_pool, "ASK {}", default_graphs=("not an iri",))


# ── queries that are not right ──


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [("SELECT * { ?s ?p", 1, 17), ("SELECT *\n{ ?s ?p ?o ", 2, 12), ("", 1, 1), ("ASK { ?s nix:p ?o }", 1, 15)],
)
def test_a_malformed_query_is_told_where(small_pool, text, line, column):
    with pytest.raises(BadQuery) as refused:
        ask(small_pool, text)
    assert (refused.value.line, refused.value.column) == (line, column)
    assert f"line {line}, column {column}" in refused.value.message


@pytest.mark.parametrize("depth", [101, 1_000, 10_000, 30_000])
@pytest.mark.parametrize(("opening", "closing"), [("{", "}"), ("FILTER(", ")"), ("OPTIONAL{", "}"), ("[:p ", "]")])
def test_deep_nesting_is_refused_and_the_pool_lives(small_pool, depth, opening, closing):
    depth = min(depth, 60_000 // len(opening + closing))
    with pytest.raises(BadQuery, match="100 levels"):
        ask(small_pool, "ASK {" + opening * depth + closing * depth + "}")
    assert is_well(small_pool)


def test_nesting_without_brackets_does_no_harm(small_pool):
    """Chains recurse in the engine's parser too: each is answered, refused or stopped, and the pool lives."""
    chains = [
        "ASK { FILTER(" + "!" * 60_000 + "true) }",
        "SELECT (" + "1+" * 30_000 + "1 AS ?x) {}",
        "ASK {" + " UNION ".join(["{}"] * 6_000) + "}",
        "ASK { ?s " + "/".join(["id:p"] * 12_000) + " ?o }",
    ]
    for text in chains:
        with contextlib.suppress(BadQuery, QueryTooSlow, AnswerTooLarge):
            ask(small_pool, text)
        assert is_well(small_pool)


def test_service_never_reaches_a_server(small_pool):
    """Neither in the open nor silently, nor past the look at the text: the worker cannot open a socket."""
    reached = []

    class Listener(http.server.BaseHTTPRequestHandler):
        def handle(self):
            reached.append(self.client_address)

    with http.server.HTTPServer(("127.0.0.1", 0), Listener) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        address = f"http://127.0.0.1:{server.server_address[1]}/"
        for text in (f"ASK {{ SERVICE <{address}> {{}} }}", f"ASK {{ SERVICE SILENT <{address}> {{ ?s ?p ?o }} }}"):
            with pytest.raises(BadQuery, match="SERVICE"):
                ask(small_pool, text)
        unseen = Request(f"ASK {{ SERVICE <{address}> {{ ?s ?p ?o }} }}")
        held = waiting.run(small_pool._hand(unseen, scan.scan("ASK {}", small_pool.limits), None))
        header, _ = waiting.run(small_pool._hear(held.place, None))
        small_pool._give_back(held, fit=True)
        server.shutdown()
        thread.join()
    assert header["error"] == "BadQuery"
    assert reached == []


# ── limits ──


def test_a_slow_query_is_stopped_and_the_next_one_answered(small_pool):
    with pytest.raises(QueryTooSlow, match="1 s"):
        ask(small_pool, ENDLESS)
    assert is_well(small_pool)


def test_as_many_slow_queries_as_workers_delay_nobody_for_longer_than_the_limit(small_pool):
    with ThreadPoolExecutor(4) as threads:
        slow = [threads.submit(ask, small_pool, ENDLESS) for _ in range(2)]
        quick = [threads.submit(is_well, small_pool) for _ in range(2)]
        assert all(each.result() for each in quick)
        assert all(isinstance(each.exception(), QueryTooSlow) for each in slow)


def test_a_query_that_bloats_is_stopped(small_dataset):
    with Pool(small_dataset, Limits(workers=2, time_limit=60.0, memory=192 * MIB)) as pool:
        with pytest.raises(AnswerTooLarge, match=r"192 MiB of memory.*\n.*/download"):
            ask(pool, DOUBLING)
        assert is_well(pool)
        assert pool.statistics().killed["memory"] == 1


@pytest.mark.parametrize(("text", "form"), [("SELECT * { ?s ?p ?o }", "json"), ("CONSTRUCT WHERE { ?s ?p ?o }", "nt")])
def test_a_large_answer_is_refused_whole(small_pool, text, form):
    with pytest.raises(AnswerTooLarge, match=r"larger than 1 MiB.*\n.*/download"):
        ask(small_pool, text, form=form)
    assert is_well(small_pool)


def test_an_answer_just_within_the_limit_is_whole(small_pool):
    body = ask(small_pool, "SELECT ?s { ?s foedus:number ?o }", form="csv")
    assert len(body.splitlines()) == 20_001


@pytest.mark.parametrize(
    "wrong",
    [
        {"workers": 0},
        {"workers": 1_000_000},
        {"time_limit": 0.0},
        {"time_limit": float("inf")},
        {"time_limit": float("nan")},
        {"memory": -1},
        {"memory": 1 << 50},
        {"answer": 0},
        {"depth": 0},
    ],
)
def test_limits_that_make_no_sense_are_refused(wrong):
    with pytest.raises(WrongUsage, match="cannot be"):
        Limits(**wrong)


def test_the_queue_is_bounded(small_dataset):
    with (
        Pool(small_dataset, Limits(workers=1, time_limit=1.0, queue=1, queue_wait=0.2)) as pool,
        ThreadPoolExecutor(8) as threads,
    ):
        asked = [threads.submit(ask, pool, ENDLESS) for _ in range(8)]
        kinds = [type(each.exception()) for each in asked]
        assert sorted({kind.__name__ for kind in kinds}) == ["Busy", "QueryTooSlow"]
        # The short wait of this pool is not meant for the worker that replaces the last one killed.
        eventually(lambda: pool.statistics().idle)
        assert is_well(pool)


def test_an_asker_that_leaves_frees_its_worker(small_dataset):
    left = threading.Event()
    with (
        Pool(small_dataset, Limits(workers=1, time_limit=60.0)) as pool,
        ThreadPoolExecutor(1) as threads,
    ):
        asked = threads.submit(pool.ask, Request(ENDLESS), left.is_set)
        left.set()
        assert isinstance(asked.exception(), Cancelled)
        assert is_well(pool)


def test_many_askers_get_their_own_answers(small_pool):
    def number(n: int) -> int:
        return count(small_pool, f"?s foedus:number ?n FILTER(?n < {n})")

    with ThreadPoolExecutor(16) as threads:
        assert list(threads.map(number, range(100))) == list(range(100))


# ── life and death ──


def workers_of(pool) -> list[int]:
    return sorted(pool._workers)


@pytest.fixture
def own(small_dataset):
    """A pool of its own for a test that does it harm."""
    with Pool(small_dataset, SMALL) as running:
        eventually(lambda: len(workers_of(running)) == 2)
        yield running


def test_a_killed_idle_worker_is_replaced(own):
    victim = workers_of(own)[0]
    os.kill(victim, signal.SIGKILL)
    eventually(lambda: len(workers_of(own)) == 2 and victim not in workers_of(own))
    assert is_well(own)


def test_a_worker_that_died_unnoticed_costs_no_answer(own):
    """Each worker is killed and asked in the same breath; the askers notice nothing."""
    for pid in workers_of(own):
        os.kill(pid, signal.SIGKILL)
        eventually(lambda pid=pid: not is_running(pid))
        assert is_well(own)


def has_unread_query(pool) -> int | None:
    """The process id of a worker that was sent a query and has not read it."""
    unread = bytearray(4)
    for pid, each in list(pool._workers.items()):
        fcntl.ioctl(each.channel, termios.TIOCOUTQ, unread)
        if any(unread):
            return pid
    return None


def computes(pool) -> int | None:
    """The process id of a worker that has spent more on queries than a new one does on its start: 50 ms."""
    for pid in workers_of(pool):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            ticks = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11])
            if ticks > 0.05 * os.sysconf("SC_CLK_TCK"):
                return pid
    return None


def test_a_query_whose_worker_is_killed_from_outside_is_put_to_another(small_dataset):
    """The workers stand still while it is sent, so that one of them has it for certain when it is killed."""
    with Pool(small_dataset, LONG) as pool, ThreadPoolExecutor(1) as threads:
        workers = eventually(lambda: len(found := workers_of(pool)) == 2 and found)
        for pid in workers:
            os.kill(pid, signal.SIGSTOP)
        asked = threads.submit(count, pool, "?s foedus:number ?n FILTER(?n < 100)")
        victim = eventually(lambda: has_unread_query(pool))
        os.kill(victim, signal.SIGKILL)
        for pid in set(workers) - {victim}:
            os.kill(pid, signal.SIGCONT)
        assert asked.result() == 100
        assert (pool.statistics().retried, pool.statistics().killed["lost"]) == (1, 1)


def test_a_query_whose_worker_is_killed_twice_is_not_said_to_be_too_large(small_dataset):
    with Pool(small_dataset, LONG) as pool, ThreadPoolExecutor(1) as threads:
        asked = threads.submit(ask, pool, ENDLESS)
        os.kill(eventually(lambda: computes(pool)), signal.SIGKILL)
        eventually(lambda: pool.statistics().retried)
        os.kill(eventually(lambda: computes(pool)), signal.SIGKILL)
        assert isinstance(asked.exception(), Busy)
        assert is_well(pool)
        assert pool.statistics().killed == {"time": 0, "memory": 0, "stack": 0, "left": 0, "lost": 2}


def test_a_killed_parent_is_replaced_and_its_workers_are_gone(own):
    parent, before = own._parent.pid, workers_of(own)
    assert parent > 1
    os.kill(parent, signal.SIGKILL)
    eventually(lambda: not any(map(is_running, [parent, *before])))

    def answers() -> bool:
        try:
            return is_well(own)
        except Busy:
            return False

    eventually(answers)
    assert not set(workers_of(own)) & set(before)


def test_closing_leaves_no_process(small_dataset):
    with Pool(small_dataset, SMALL) as pool:
        assert is_well(pool)
        everyone = [pool._parent.pid, *workers_of(pool)]
        assert all(map(is_running, everyone))
    assert not any(map(is_running, everyone))


def test_closing_ends_a_running_query(small_dataset):
    with ThreadPoolExecutor(1) as threads:
        with Pool(small_dataset, Limits(workers=1, time_limit=60.0)) as pool:
            asked = threads.submit(ask, pool, ENDLESS)
            eventually(lambda: not pool._gate.idle)
        assert isinstance(asked.exception(), Busy)


def test_a_killed_server_leaves_no_process(small_dataset):
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom foedus.query.limits import Limits\n"
        "from foedus.query.pool import Pool, Request\n"
        f"with Pool(Path({str(small_dataset)!r}), Limits(workers=2)) as pool:\n"
        "    pool.ask(Request('ASK {}'))\n    print('ready', flush=True)\n    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout and server.stdout.readline() == "ready\n"
        parent = children(server.pid)
        workers = eventually(lambda: len(found := children(parent[0])) == 2 and found)
        server.kill()
    assert len(parent) == 1
    eventually(lambda: not any(map(is_running, [*parent, *workers])))


def test_a_worker_can_open_no_file_and_hears_of_no_other(own):
    eventually(lambda: len(own._gate.idle) == 2)
    for pid in workers_of(own):
        file = Path(f"/proc/{pid}/limits")
        limits = eventually(lambda file=file: "Max open files            0 " in (said := file.read_text()) and said)
        assert "Max core file size        0                    0" in limits
        handles = [str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir()]
        assert sum(each.startswith("socket:") for each in handles) == 1
        assert len(handles) == 5


def test_a_worker_yields_to_who_answers_everybody(own):
    mine = os.getpriority(os.PRIO_PROCESS, 0)
    eventually(lambda: {os.getpriority(os.PRIO_PROCESS, each) for each in workers_of(own)} == {min(mine + 5, 19)})


def test_workers_are_told_to_keep_freed_memory_at_hand(monkeypatch, small_dataset):
    monkeypatch.setenv("GLIBC_TUNABLES", "")
    with Pool(small_dataset, SMALL) as pool:
        environment = Path(f"/proc/{pool._parent.pid}/environ").read_text().split("\0")
    assert "GLIBC_TUNABLES=glibc.malloc.tcache_count=512" in environment
    assert os.environ["GLIBC_TUNABLES"] == ""


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("glibc.malloc.tcache_count=9", "glibc.malloc.tcache_count=9"),
        ("glibc.malloc.mxfast=64", "glibc.malloc.mxfast=64:glibc.malloc.tcache_count=512"),
    ],
)
def test_what_the_administrator_told_the_c_library_stays(monkeypatch, given, told):
    monkeypatch.setenv("GLIBC_TUNABLES", given)
    assert memory.environment()["GLIBC_TUNABLES"] == told


# ── what cannot be served ──


def test_a_missing_dataset_is_refused_with_a_remedy(tmp_path):
    with pytest.raises(DatasetRefused, match="foedus build"), Pool(tmp_path, SMALL):
        pass


def test_a_malformed_file_is_told_with_its_line(tmp_path):
    (tmp_path / "bad.ttl").write_text("<urn:a> <urn:b> <urn:c> .\n<urn:a> <urn:b> .\n")
    with pytest.raises(CannotRead, match=r"bad\.ttl:2") as refused, Pool((tmp_path / "bad.ttl",), SMALL):
        pass
    assert refused.value.line == 2


def test_a_dataset_larger_than_memory_is_refused_before_it_is_read(tmp_path):
    """A file of a pebibyte that takes no room on the disk."""
    huge = tmp_path / "huge.nt"
    with huge.open("wb") as file:
        for size in (1 << 50, 1 << 43, 1 << 40):
            with contextlib.suppress(OSError):
                file.truncate(size)
                break
    with (
        pytest.raises(DatasetTooLarge, match=r"needs twice that at least; .* of memory are free"),
        Pool((huge,), SMALL),
    ):
        pass


def test_a_dataset_that_outgrows_memory_while_it_loads_is_refused(tmp_path):
    """The process that loads it may take little: it ends, the others do not."""
    integer = "http://www.w3.org/2001/XMLSchema#integer"
    (tmp_path / "large.nt").write_text(
        "".join(f'<https://example.org/{n}> <https://example.org/p> "{n}"^^<{integer}> .\n' for n in range(400_000))
    )
    code = (
        "import resource\nfrom pathlib import Path\nfrom foedus.query.limits import Limits\n"
        "from foedus.query.pool import Pool\nresource.setrlimit(resource.RLIMIT_AS, (250 << 20, 250 << 20))\n"
        f"with Pool((Path({str(tmp_path / 'large.nt')!r}),), Limits(workers=1)) as pool:\n    pass\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "DatasetTooLarge: The dataset does not fit into the memory that is free." in done.stderr


def test_where_no_worker_can_be_started_askers_are_told_and_the_pool_recovers(own):
    """The parent may open no more files for a while, and its workers are killed."""
    parent = own._parent.pid
    before = resource.prlimit(parent, resource.RLIMIT_NOFILE)
    resource.prlimit(parent, resource.RLIMIT_NOFILE, (4, before[1]))
    for pid in workers_of(own):
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: not workers_of(own))
    eventually(lambda: own._failure)
    with pytest.raises(Busy, match="No process that answers can be started: Too many open files"):
        is_well(own)
    assert own._parent.pid == parent
    resource.prlimit(parent, resource.RLIMIT_NOFILE, before)
    eventually(lambda: len(workers_of(own)) == 2)
    assert is_well(own)
