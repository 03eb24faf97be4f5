"""One real server, a corpus of attacks from one address, and a small query from another that never waits for them.

Each file of ``corpus`` is one attack. Its keys:

    about        what it does, in one sentence
    query        the text of a query, sent as the body of a POST; or
    body, type   another body with its media type; or
    method, path a request without a body; or
    raw          every byte of the request (characters below 256), to see what the server makes of it
    accept       an Accept header
    status       the status that it gets
    meets        the limit that stops it: "time", "memory" or "answer"; the message must say so
    reveals      what a 200 may hold: "head" means no row
    stays        instead of a status: the server waits for more without an answer, until the client closes
    repeat       open and close are repeated *times*; ``@n@`` in them is the number of the repetition. With a table
                 in place of status, each number of times has a status of its own

Each is sent once, as often at once as there are workers, and four times as often, and every time gets its one status.
Only of four times as many that last until a limit stops them, some are not reached within the time that they may wait:
each gets its status or 429, and as many as may run at once get theirs.

Each file of ``documents`` is an attack on /validate, with the same keys. It is sent once, and then as often at once as
there are workers: one at least gets its status, and whoever comes while the address has a document checked, 429.

There are two servers, so that it is certain which limit an attack meets first: one has little time and much memory, the
other much time and little memory. What meets no limit is sent to the latter.
"""

import http.client
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
import tomllib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from foedus.build import apart
from foedus.query import worker
from foedus.query.limits import Limits

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.toml"))
DOCUMENTS = sorted((Path(__file__).parent / "documents").glob("*.toml"))
WORKERS = 6
AT_ONCE = (1, WORKERS, 4 * WORKERS)
RUN = Limits(workers=WORKERS).share_of_open
"""Queries of one address that may run at once."""
SERVERS = {
    "hasty": ("--time-limit", "0.4", "--memory-limit", "1G", "--answer-limit", "100M"),
    "narrow": ("--time-limit", "60", "--memory-limit", "32M", "--answer-limit", "1M"),
}
TOLD = {"time": b"took longer than", "memory": b"MiB of memory", "answer": b"answer is larger than"}
ATTACKER, VISITOR = "127.0.0.2", "127.0.0.3"
DIRECT = "application/sparql-query"
ENDLESS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
HEALTH = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
METRICS = b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
MIB = 1 << 20
PATIENT = apart.Cost().patience + 15
"""Seconds that a client waits: longer than anything may take."""


# ── the server ──


def numbers() -> str:
    """2,000 numbers, each with the next, and 60 persons who all know each other."""
    ours, thing = "https://w3id.org/foedus/ontology#", "https://w3id.org/foedus/id/"
    integer = "http://www.w3.org/2001/XMLSchema#integer"
    lines = [f'<{thing}n{n}> <{ours}number> "{n}"^^<{integer}> .' for n in range(2_000)]
    lines += [f"<{thing}n{n}> <{ours}next> <{thing}n{n + 1}> ." for n in range(2_000)]
    lines += [f"<{thing}p{a}> <{ours}knows> <{thing}p{b}> ." for a in range(60) for b in range(60)]
    return "\n".join(lines)


@contextmanager
def serving(data: Path, *words: str):
    """A server as a user starts it, and its port."""
    command = [sys.executable, "-m", "foedus", "serve", "--port", "0", "--data", str(data), *words]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr
        for line in process.stderr:
            if found := re.search(r"http://127\.0\.0\.1:(\d+)/", line):
                break
        else:
            raise AssertionError("the server did not start")
        threading.Thread(target=process.stderr.read, daemon=True).start()
        yield process, int(found[1])
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stderr.close()


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    file = tmp_path_factory.mktemp("attacked") / "numbers.nt"
    file.write_text(numbers())
    return file


@dataclass(frozen=True)
class Attacked:
    """A server: its process, its port, and the bytes of memory that all its processes held before any attack."""

    process: subprocess.Popen[str]
    port: int
    memory: int


@contextmanager
def attacked(data: Path, kind: str):
    """A server of one of the ``SERVERS``, once it has answered."""
    with serving(data, "--workers", str(WORKERS), "--cache-size", "8M", *SERVERS[kind]) as (process, port):
        eventually(lambda: len(tree(process.pid)) == WORKERS + 2)
        assert [small_query(port, each)[0] for each in range(100)] == 100 * [200]
        yield Attacked(process, port, memory(process.pid))


@pytest.fixture(scope="module")
def hasty(data):
    """The server whose queries have little time."""
    with attacked(data, "hasty") as server:
        yield server


@pytest.fixture(scope="module")
def narrow(data):
    """The server whose queries have much time, and little memory."""
    with attacked(data, "narrow") as server:
        yield server


@pytest.fixture(scope="module")
def checking(data):
    """A server for documents alone: what checks them stays for a minute after the last."""
    with attacked(data, "narrow") as server:
        yield server


@pytest.fixture(scope="module")
def listener():
    """A port of this machine, and who came there: nobody may."""
    came = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def listen() -> None:
            with suppress(OSError):
                while True:
                    connection, who = listening.accept()
                    came.append(who)
                    connection.close()

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        yield listening.getsockname()[1], came
        listening.shutdown(socket.SHUT_RDWR)
    thread.join()


def tree(pid: int) -> list[int]:
    """*pid* and all that descend from it and live."""
    parents = {}
    for each in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            state, parent = (each / "stat").read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                parents.setdefault(int(parent), []).append(int(each.name))
    found = [pid]
    for each in found:
        found += parents.get(each, [])
    return found


def memory(pid: int) -> int:
    """Bytes of the whole tree, what is shared counted once."""
    total = 0
    for each in tree(pid):
        with suppress(OSError):
            total += memory_of(each)
    return total


def memory_of(pid: int) -> int:
    """Bytes of one process, of what it shares its part."""
    return 1024 * int(re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)[1])


def eventually(holds, seconds=30.0):
    """Wait until *holds*, failing after *seconds*."""
    until = time.monotonic() + seconds
    while not (value := holds()):
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.02)
    return value


# ── attacks ──


def repeated(text: str, repeat: dict, times: int) -> str:
    """*text* with ``@open@`` and ``@close@`` written out."""

    def pieces(piece: str) -> str:
        if "@n" not in piece:
            return piece * times
        return "".join(piece.replace("@n@", str(n)).replace("@n+1@", str(n + 1)) for n in range(times))

    return text.replace("@open@", pieces(repeat["open"])).replace("@close@", pieces(repeat["close"]))


def requests(attack: dict, listener: int) -> list[tuple[bytes, list[int]]]:
    """Every request of *attack*, as bytes, with the statuses that are heard: one, or none."""
    repeat = attack.get("repeat", {"open": "", "close": "", "times": 0})
    levels = repeat.get("status") or {str(repeat["times"]): attack.get("status")}
    assert ("stays" in attack) == (None in levels.values())
    made = []
    for times, status in levels.items():
        filled = {
            key: repeated(value, repeat, int(times)).replace("@listener@", str(listener))
            for key, value in attack.items()
            if isinstance(value, str)
        }
        made.append((request(filled), [] if status is None else [status]))
    return made


def several(message: bytes, number: int) -> list[bytes]:
    """*number* requests like *message*, each with a query of its own where it is one: none gets another's answer."""
    return [message.replace(b"@each@", b"%04d" % each) for each in range(number)]


def sent_at_once(port: int, message: bytes, number: int, stays: bool = False) -> list[bytes]:
    """What the server says to *number* requests like *message*."""
    # Of a long one there are not to be many.
    start, rest = message[:MIB], message[MIB:]
    with ThreadPoolExecutor(number) as threads:
        return list(threads.map(lambda each: sent(port, each, stays, rest), several(start, number)))


def request(attack: dict[str, str]) -> bytes:
    if "raw" in attack:
        return attack["raw"].encode("latin-1")
    text = attack.get("query")
    body = f"#@each@\n{text}".encode() if text is not None else attack.get("body", "").encode("latin-1")
    head = [f"{attack.get('method', 'POST')} {attack.get('path', '/sparql')} HTTP/1.1", "Host: x", "Connection: close"]
    if body:
        head += [
            f"Content-Type: {attack.get('type', DIRECT)}",
            f"Content-Length: {len(body.replace(b'@each@', b'0000'))}",
        ]
    head += [f"Accept: {attack.get('accept', 'application/json;q=0.9, */*;q=0.8')}"]
    return "\r\n".join([*head, "", ""]).encode() + body


def sent(port: int, message: bytes, stays: bool = False, rest: bytes = b"") -> bytes:
    """All that the server says to *message* and *rest* from the attacker's address until it closes the connection.

    With *stays* the client closes its side as soon as it has sent all.
    """
    heard = []
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENT, source_address=(ATTACKER, 0)) as connection:
        # A server that has heard enough says so and closes, while we are still sending.
        with suppress(ConnectionError):
            connection.sendall(several(message, 1)[0])
            connection.sendall(rest)
        if stays:
            connection.shutdown(socket.SHUT_WR)
        with suppress(ConnectionError):
            while piece := connection.recv(1 << 16):
                heard.append(piece)
    return b"".join(heard)


def answers(heard: bytes) -> list[int]:
    """The statuses in *heard*, in their order."""
    return [int(each) for each in re.findall(rb"HTTP/1\.[01] (\d{3})", heard)]


# ── the visitor ──


def small_query(port: int, number: int) -> tuple[int, float]:
    """The status of a query that nobody has asked before, and the milliseconds that it waited for a worker."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENT, source_address=(VISITOR, 0))
    try:
        text = f"SELECT ?n {{ id:n{number % 2_000} foedus:number ?n }} # {number} {time.monotonic_ns()}"
        connection.request("POST", "/sparql", text, {"Content-Type": DIRECT, "Accept": "text/csv"})
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status != 200 or body == f"n\r\n{number % 2_000}\r\n".encode(), body
        waited = re.search(r"wait;dur=([0-9.]+)", answer.headers.get("Server-Timing", ""))
        return answer.status, float(waited[1]) if waited else -1.0
    finally:
        connection.close()


@contextmanager
def visitor(port: int):
    """Somebody at another address who asks one small query after the other; yields what came of each."""
    seen: list[tuple[int, float]] = []
    enough = threading.Event()

    def ask() -> None:
        while not enough.is_set():
            seen.append(small_query(port, len(seen)))
            enough.wait(0.03)

    with ThreadPoolExecutor(1) as thread:
        asking = thread.submit(ask)
        try:
            eventually(lambda: seen or asking.done())
            yield seen
            before = len(seen)
            eventually(lambda: len(seen) > before or asking.done())
        finally:
            enough.set()
        asking.result()


def assert_untroubled(seen: list[tuple[int, float]]) -> None:
    """Every small query was answered, and none of them waited for a worker."""
    assert seen
    assert Counter(seen) == {(200, 0.0): len(seen)}


# ── the tests ──


def attack_of(file: Path) -> dict:
    return tomllib.loads(file.read_text())


def server_for(attack: dict) -> str:
    """The server on which it is certain what stops *attack*, or that nothing does."""
    return "hasty" if attack.get("meets") == "time" else "narrow"


@pytest.mark.parametrize(
    "file", sorted(CORPUS, key=lambda file: server_for(attack_of(file))), ids=lambda file: file.stem
)
def test_an_attack_gets_its_status_and_troubles_nobody(request, listener, file):
    """At each concurrency; the memory returns, the processes are as many as before."""
    attack = attack_of(file)
    server, told = request.getfixturevalue(server_for(attack)), TOLD.get(attack.get("meets", ""), b"")
    with visitor(server.port) as seen:
        for at_once in AT_ONCE:
            for message, expected in requests(attack, listener[0]):
                heard = sent_at_once(server.port, message, at_once, "stays" in attack)
                came = Counter((*answers(each), told in each) for each in heard)
                if told and at_once > WORKERS:
                    assert came.keys() <= {(*expected, True), (429, False)}, (at_once, came)
                    assert came[*expected, True] >= RUN
                else:
                    assert came == {(*expected, True): at_once}, (at_once, len(message))
                if attack.get("reveals") == "head":
                    assert all(b'"bindings":[]' in each.replace(b" ", b"") for each in heard)
    assert_untroubled(seen)
    assert listener[1] == []
    assert_as_it_was(server)


def assert_as_it_was(server: Attacked) -> None:
    """All processes are there, and together they hold what they held before the first attack, and what they may keep.

    A worker keeps up to ``worker._SPARE`` of memory of its own while it rests; 48 MiB are for the web process, which
    the first large requests widen once and for all.
    """
    assert server.process.poll() is None
    eventually(lambda: len(tree(server.process.pid)) == WORKERS + 2)
    eventually(lambda: memory(server.process.pid) < server.memory + 48 * MIB + WORKERS * worker._SPARE)


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.stem)
def test_a_document_gets_its_status_and_troubles_nobody(checking, listener, file):
    """The web process takes no memory for it; nothing is fetched; a query of somebody else never waits."""
    attack = attack_of(file)
    ((message, (status,)),) = requests(attack, listener[0])
    begun = memory_of(checking.process.pid)
    with visitor(checking.port) as seen:
        heard = sent(checking.port, message)
        assert answers(heard) == [status], heard[:2000]
        assert not attack.get("meets") or b"took longer than" in heard
        if not attack.get("meets"):
            came = Counter(each for heard in sent_at_once(checking.port, message, WORKERS) for each in answers(heard))
            assert came.keys() <= {status, 429}
            assert came[status]
    assert_untroubled(seen)
    assert listener[1] == []
    # The workers, their parent and the server, and beside them what checks, without any that is at work.
    eventually(lambda: len(tree(checking.process.pid)) <= WORKERS + 3)
    eventually(lambda: memory_of(checking.process.pid) < begun + 48 * MIB)


def test_a_kill_of_the_server_ends_what_checks_documents(data):
    """Also while it is at work."""
    message = next(each for each in DOCUMENTS if each.stem == "acts-without-end")
    with serving(data, "--workers", "2") as (process, port):
        with ThreadPoolExecutor(1) as threads:
            asked = threads.submit(sent, port, requests(attack_of(message), 0)[0][0])
            everyone = eventually(lambda: len(found := tree(process.pid)) == 6 and found)
            os.kill(process.pid, signal.SIGKILL)
            assert answers(asked.result()) == []
        eventually(lambda: not any(alive(each) for each in everyone))


def test_every_limit_and_every_way_to_meet_it_is_attacked():
    """The corpus has what it is to have; a kind of attack cannot be lost unnoticed."""
    kinds = Counter(file.stem.split("-")[0] for file in CORPUS)
    least = {"nesting": 16, "doubling": 4, "cross": 9, "path": 3, "regex": 3, "service": 4, "load": 3, "from": 4}
    least |= {"values": 2, "in": 2, "ten": 4, "invalid": 3, "headers": 2, "form": 2, "smuggling": 14, "chain": 8}
    assert not Counter(least) - kinds
    sent_to_be_checked = Counter(file.stem.split("-")[0] for file in DOCUMENTS)
    least = {"entities": 3, "doctype": 2, "context": 6, "shapes": 3, "nesting": 5, "form": 3, "imports": 1}
    assert not Counter(least) - sent_to_be_checked
    assert Counter(attack_of(file).get("meets") for file in CORPUS).keys() == {None, *TOLD}


def test_a_thousand_clients_that_leave_take_nothing_with_them(narrow):
    """Each sends a query that would run for a minute, and closes."""
    messages = several(request({"query": ENDLESS}), 1_000)

    def leave(message: bytes) -> None:
        with socket.create_connection(
            ("127.0.0.1", narrow.port), timeout=PATIENT, source_address=(ATTACKER, 0)
        ) as connection:
            connection.sendall(message)

    with visitor(narrow.port) as seen, ThreadPoolExecutor(20) as threads:
        list(threads.map(leave, messages))
        # Until the last departure is noticed, the address is over its own share, and rightly told so.
        eventually(lambda: answers(sent(narrow.port, request({"query": "ASK {}"}))) == [200])
    assert_untroubled(seen)
    assert_as_it_was(narrow)


def test_who_floods_with_queries_still_sees_pages(hasty):
    """Pages, stored questions and health have workers kept for them, and a visitor is not held up by the flood."""
    with ThreadPoolExecutor(2 * WORKERS) as threads:
        flood = [threads.submit(sent, hasty.port, each) for each in several(request({"query": ENDLESS}), 2 * WORKERS)]
        with visitor(hasty.port) as seen:
            assert answers(sent(hasty.port, HEALTH)) == [200]
        assert_untroubled(seen)
        assert [answers(each.result()) for each in flood] == 2 * WORKERS * [[504]]


@pytest.mark.parametrize("alike", [True, False])
def test_two_hundred_endless_queries_at_once_leave_a_thread_for_the_visitor(hasty, alike):
    """From one address, all the same or each another: more than the server has threads."""
    messages = several(request({"query": ENDLESS}), 200)
    with ThreadPoolExecutor(200) as threads, visitor(hasty.port) as seen:
        flood = [threads.submit(sent, hasty.port, messages[0] if alike else each) for each in messages]
        came = Counter(status for each in flood for status in answers(each.result()))
    assert_untroubled(seen)
    assert came.keys() == {504, 429}
    assert came.total() == 200


def test_a_flood_of_pages_keeps_no_visitor_waiting(narrow):
    """Requests are numbered when their turn comes: that of a visitor, who asks last, is not behind all of the flood's.

    In one flood of three at the latest: the machine may hold up this process, and not the server, while it asks.
    """

    def page(number: int) -> bytes:
        return f"GET /page/n{number} HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\n\r\n".encode()

    def turn(asking: socket.socket) -> int:
        heard = b""
        while not (number := re.search(rb"X-Request-Id: [0-9a-f]+-([0-9a-f]+)\r\n", heard)):
            heard += asking.recv(1 << 16)
        return int(number[1], 16)

    def is_fair(first: int) -> bool:
        with ExitStack() as held:

            def connected(address: str) -> socket.socket:
                return held.enter_context(
                    socket.create_connection(("127.0.0.1", narrow.port), timeout=PATIENT, source_address=(address, 0))
                )

            flood, visit = [connected(ATTACKER) for _ in range(400)], connected(VISITOR)
            for number, each in enumerate(flood, first):
                each.sendall(page(number))
            visit.sendall(page(1_999 - first))
            turn_of_visitor = turn(visit)
            return sum(turn(each) < turn_of_visitor for each in flood) < len(flood) * 3 // 4

    assert any(is_fair(first) for first in (0, 400, 800))


def test_a_proxy_says_who_asks_only_where_it_is_trusted(data):
    """Two visitors behind one trusted proxy have a share each; behind another one, one together."""

    def waits(port: int, slow: int, quick: int) -> bool:
        """Whether the query of *quick* waited for the endless one of *slow*; a proxy speaks for both."""

        def behind(number: int, query: str) -> bytes:
            marked = f"X-Forwarded-For: 198.51.100.{number}\r\nAccept:".encode()
            return request({"query": query}).replace(b"Accept:", marked, 1)

        with ThreadPoolExecutor(1) as threads:
            endless = threads.submit(sent, port, behind(slow, ENDLESS))
            eventually(lambda: b'foedus_workers{state="idle"} 3' in sent(port, METRICS))
            heard = sent(port, behind(quick, f"ASK {{}} # {quick}"))
            assert answers(heard) == [200]
            assert answers(endless.result()) == [504]
        return b"wait;dur=0.0" not in heard

    # At four workers a share is one.
    words = ("--workers", "4", "--time-limit", "2")
    with serving(data, *words, "--trusted-proxy", ATTACKER) as (_, port):
        eventually(lambda: b'foedus_workers{state="idle"} 4' in sent(port, METRICS))
        assert waits(port, 1, 1)
        assert not waits(port, 1, 2)
    with serving(data, *words) as (_, port):
        eventually(lambda: b'foedus_workers{state="idle"} 4' in sent(port, METRICS))
        assert waits(port, 1, 2)


@pytest.mark.parametrize("victim", ["server", "parent"])
def test_a_kill_leaves_no_process_and_no_socket(data, tmp_path, victim):
    """Not even while queries run; what the server's folder for temporary files held is as it was."""
    place = tmp_path / "temporary"
    place.mkdir()
    os.environ["TMPDIR"] = str(place)
    try:
        with serving(data, "--workers", "3", "--time-limit", "60") as (process, port):
            everyone = eventually(lambda: len(found := tree(process.pid)) == 5 and found)
            with ThreadPoolExecutor(1) as threads:
                asked = threads.submit(sent, port, request({"query": ENDLESS}))
                workers = [each for each in everyone if each not in (process.pid, tree(process.pid)[1])]
                eventually(lambda: any(is_computing(each) for each in workers))
                os.kill(process.pid if victim == "server" else everyone[1], signal.SIGKILL)
                heard = answers(asked.result())
            gone = everyone if victim == "server" else everyone[1:]
            eventually(lambda: not any(alive(each) for each in gone))
            if victim == "server":
                assert heard == []
                with pytest.raises(ConnectionRefusedError):
                    socket.create_connection(("127.0.0.1", port))
            else:
                assert heard == [503]
                eventually(lambda: small_query(port, 1)[0] == 200)
            assert list(place.iterdir()) == []
    finally:
        del os.environ["TMPDIR"]


def test_a_full_folder_for_temporary_files_changes_nothing(data):
    """No byte can be written to a file: a long body is refused, a long answer given, in the usual words."""
    with serving(data, "--workers", "2", "--answer-limit", "20M") as (process, port):
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, 0))
        everything = request({"query": "SELECT * { ?a ?b ?c . ?d foedus:knows ?f } LIMIT 20000", "accept": "text/csv"})
        heard = sent(port, everything)
        assert answers(heard) == [200]
        assert len(heard) > 2 * MIB
        assert answers(sent(port, request({"query": "ASK {} #" + 700_000 * "x"}))) == [413]
        assert small_query(port, 1)[0] == 200


def test_where_no_worker_can_be_started_the_server_stays_up_and_recovers(data):
    """The process that starts them may not, for a while, and those there are end: 503, pages go on, then 200 again."""
    # Root may start as many processes as it likes, but a worker needs files too.
    lacking = (resource.RLIMIT_NPROC, 0) if os.geteuid() else (resource.RLIMIT_NOFILE, 4)
    with serving(data, "--workers", "2") as (process, port):
        _, parent, *workers = eventually(lambda: len(found := tree(process.pid)) == 4 and found)
        before = resource.prlimit(parent, lacking[0])
        resource.prlimit(parent, lacking[0], (lacking[1], before[1]))
        for each in workers:
            os.kill(each, signal.SIGKILL)
        heard = eventually(lambda: b"can be started" in (said := sent(port, request({"query": "ASK {}"}))) and said)
        assert answers(heard) == [503]
        assert b"Retry-After" in heard
        health, metrics = (sent(port, each) for each in (HEALTH, METRICS))
        assert (answers(health), answers(metrics)) == ([503], [200])
        assert b'foedus_workers{state="alive"} 0' in metrics
        assert tree(process.pid) == [process.pid, parent]
        resource.prlimit(parent, lacking[0], before)
        eventually(lambda: small_query(port, 1)[0] == 200)
        assert answers(sent(port, HEALTH)) == [200]


@pytest.mark.parametrize("room", ["none", "a little"])
def test_a_dataset_larger_than_memory_is_refused_by_the_server(tmp_path, room):
    """Before it is read where its size tells, else when it outgrows the memory that there is: two lines, and code 4."""
    file, space = tmp_path / "large.nt", resource.RLIM_INFINITY
    if room == "none":
        with file.open("wb") as large:
            # Takes no room on the disk; how large a file may be depends on the file system.
            for size in (1 << 50, 1 << 43, 1 << 40):
                with suppress(OSError):
                    large.truncate(size)
                    break
    else:
        file.write_text("".join(f'<urn:s{n}> <urn:p> "{n:0100}" .\n' for n in range(700_000)))
        space = 300 * MIB
    command = [sys.executable, "-m", "foedus", "serve", "--port", "0", "--workers", "1", "--data", str(file)]
    limit = ["prlimit", f"--as={space}"] if space > 0 else []
    done = subprocess.run([*limit, *command], capture_output=True, text=True, timeout=120)
    assert done.returncode == 4
    assert "memory" in done.stderr.splitlines()[0]
    assert "--engine URL" in done.stderr.splitlines()[1]
    assert len(done.stderr.splitlines()) == 2


def alive(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


def is_computing(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "R"
    return False
