"""The threads that serve: few compute at once, clients have turns, and who sleeps keeps nobody out."""

import http.client
import select
import socket
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass

import pytest

from foedus.query import waiting
from foedus.query.waiting import Signal
from foedus.web import create_app
from foedus.web.coding import decoded, encode
from foedus.web.connections import Made
from foedus.web.crew import AT_ONCE, Crew, Floor, Queues, Turn
from foedus.web.desk import client, networks
from foedus.web.loop import Loop

from .front import eventually, serving


class Job:
    """A task of *client*'s that calls *what*."""

    def __init__(self, client, what):
        self.client = client
        self.service = what


@pytest.fixture
def crew():
    """Makes crews, and ends them."""
    made = []

    def make(threads):
        made.append(Crew(threads))
        return made[-1]

    yield make
    for each in made:
        each.leave()


def sleep_until(signal):
    waiting.Wait(signal, time.monotonic() + 60).sleep()


# ── whose turn it is ──


def all_of(queues, may=lambda _: True):
    taken = []
    while (next_one := queues.take(may)) is not None:
        taken.append(next_one[1])
    return taken


def queues_of(*names):
    queues = Queues()
    for each in names:
        queues.put(each[0], each)
    return queues


def test_clients_have_turns_one_after_the_other():
    assert all_of(queues_of("a1", "a2", "a3", "b1", "c1", "c2")) == ["a1", "b1", "c1", "a2", "c2", "a3"]


def test_who_may_not_is_passed_over_and_keeps_what_it_waits_with():
    queues = queues_of("a1", "b1", "a2", "b2")
    assert all_of(queues, lambda client: client != "a") == ["b1", "b2"]
    assert all_of(queues) == ["a1", "a2"]
    assert queues.take(lambda _: True) is None


def test_who_comes_again_at_once_is_behind_the_others():
    queues = queues_of("a1", "b1")
    assert queues.take(lambda _: True) == ("a", "a1")
    queues.put("a", "a2")
    assert all_of(queues) == ["b1", "a2"]


# ── the floor ──


def test_few_are_on_the_floor_at_once():
    floor, lock, here, most = Floor(3), threading.Lock(), Counter(), []

    def compute(client):
        floor.come(client)
        with lock:
            here["all"] += 1
            most.append(here["all"])
        with lock:
            here["all"] -= 1
        floor.leave(client)

    with ThreadPoolExecutor(20) as threads:
        list(threads.map(compute, [str(number % 3) for number in range(600)]))
    assert max(most) <= 3
    assert len(most) == 600


def test_the_next_on_the_floor_is_of_another_client(crew):
    """Behind a client with many tasks, that of the next one is the second."""
    floor, order = Floor(1), []
    floor.come("at work")

    def compute(client):
        floor.come(client)
        order.append(client)
        floor.leave(client)

    threads = []
    for each in ("many", "many", "many", "one"):
        threads.append(threading.Thread(target=compute, args=(each,)))
        threads[-1].start()
        eventually(lambda: sum(map(len, floor._queues._queues.values())) == len(threads))
    floor.leave("at work")
    for each in threads:
        each.join()
    assert order == ["many", "one", "many", "many"]


def test_who_comes_again_goes_before_its_clients_new_ones():
    floor, order = Floor(1), []
    floor.come("at work")

    def compute(name, again):
        floor.come("one", again)
        order.append(name)
        floor.leave("one")

    threads = []
    for each in (("new", False), ("newer", False), ("again", True)):
        threads.append(threading.Thread(target=compute, args=each))
        threads[-1].start()
        eventually(lambda: sum(map(len, floor._queues._queues.values())) == len(threads))
    floor.leave("at work")
    for each in threads:
        each.join()
    assert order == ["again", "new", "newer"]


def test_nobody_waits_for_the_floor_for_ever():
    """Where that is waited for by who is on it; and afterwards as many are on it as before."""
    floor = Floor(1, patience=0.05)
    floor.come("a")
    floor.come("b")
    floor.leave("a")
    assert not floor._free
    floor.leave("b")
    assert floor._free == 1


def test_nobody_waits_for_its_own_client_for_ever():
    """Where two threads of one client wait for a third of it, while another client comes and goes."""
    floor, third_came, enough = Floor(3, patience=0.1), threading.Event(), threading.Event()

    def wait_for_the_third():
        floor.come("a")
        third_came.wait(20)
        floor.leave("a")

    def third():
        floor.come("a")
        third_came.set()
        floor.leave("a")

    def another():
        while not enough.is_set():
            floor.come("b")
            floor.leave("b")
            time.sleep(0.01)

    threads = [threading.Thread(target=each) for each in (wait_for_the_third, wait_for_the_third, another)]
    for each in threads:
        each.start()
    eventually(lambda: floor._here["a"] == 2)
    threads.append(threading.Thread(target=third))
    threads[-1].start()
    assert third_came.wait(20)
    enough.set()
    for each in threads:
        each.join()
    assert (floor._free, not floor._here, floor._moved_of) == (3, True, {})


def test_one_client_never_has_all_of_the_floor():
    floor, came = Floor(3, patience=600), []
    floor.come("many")
    floor.come("many")

    def come():
        floor.come("many")
        came.append(1)

    third = threading.Thread(target=come)
    third.start()
    eventually(lambda: floor._queues._queues)
    floor.come("another")
    assert not came
    # Not even the place of the other one.
    floor.leave("another")
    assert not came
    floor.leave("many")
    third.join()
    assert came


def test_who_waits_long_comes_in_turn_as_long_as_there_are_turns():
    """Far more wait than are done within the time after which a floor counts as stuck."""
    floor, lock, here, most = Floor(2, patience=0.2), threading.Lock(), [], []

    def compute(number):
        client = str(number % 3)
        floor.come(client)
        with lock:
            here.append(number)
            most.append(len(here))
        time.sleep(0.02)
        with lock:
            here.remove(number)
        floor.leave(client)

    with ThreadPoolExecutor(60) as threads:
        list(threads.map(compute, range(60)))
    assert max(most) == 2


def test_a_large_body_is_coded_in_turn_with_others():
    """Another client has turns while it is, and comes on as soon as one piece is done."""
    floor, order, body = Floor(1), [], bytes(range(256)) * (16 << 10)

    def work(name, what):
        with waiting.in_turn(Turn(floor, name)):
            what()
            order.append(name)

    for each in ("gzip", "zstd"):
        order.clear()
        begun = Signal()
        large = threading.Thread(
            target=work,
            args=(
                "large",
                lambda each=each, begun=begun: (begun.happen(), sleep_until_queued(floor), encode(body, each)),
            ),
        )
        large.start()
        sleep_until(begun)
        work("small", lambda: None)
        large.join()
        assert order == ["small", "large"]
        assert decoded(each, encode(body, each)) == body
        assert encode(body, each) == encode(body, each)


def sleep_until_queued(floor):
    """On the floor: until somebody waits for it."""
    eventually(lambda: floor._queues._queues)


# ── the crew ──


def test_tasks_are_done_in_turns_of_their_clients(crew):
    """One thread, busy at first; then each client in turn."""
    one, begun, go, done = crew(1), Signal(), Signal(), []
    one.add_task(Job("a", lambda: (begun.happen(), sleep_until(go))))
    sleep_until(begun)
    for name in ("a1", "a2", "a3", "b1", "b2"):
        one.add_task(Job(name[0], lambda name=name: done.append(name)))
    go.happen()
    eventually(lambda: len(done) == 5)
    assert done == ["a1", "b1", "a2", "b2", "a3"]


def test_one_client_never_has_all_threads(crew):
    four, go, begun, done = crew(4), Signal(), [], []
    for _ in range(20):
        four.add_task(Job("many", lambda: (begun.append(1), sleep_until(go))))
    eventually(lambda: len(begun) == 3)
    four.add_task(Job("another", lambda: done.append(1)))
    eventually(lambda: done)
    assert len(begun) == 3
    go.happen()
    eventually(lambda: len(begun) == 20)


def test_who_sleeps_lets_others_compute(crew):
    """Far more sleep than may compute at once, and another still does."""
    many, go, asleep, back = crew(40), Signal(), [], []
    for _ in range(20):
        many.add_task(Job("a", lambda: (asleep.append(1), sleep_until(go), back.append(1))))
    eventually(lambda: len(asleep) == 20)
    done = []
    many.add_task(Job("a", lambda: done.append(1)))
    eventually(lambda: done)
    go.happen()
    eventually(lambda: len(back) == 20)


def test_few_compute_at_once_however_many_threads(crew):
    many, lock, here, most, done = crew(30), threading.Lock(), Counter(), [], []

    def compute():
        for _ in range(5):
            with lock:
                here["all"] += 1
                most.append(here["all"])
            sum(range(2_000))
            with lock:
                here["all"] -= 1
            waiting.Wait(Signal(), 0.0).sleep()
        done.append(1)

    for number in range(100):
        many.add_task(Job(str(number % 7), compute))
    eventually(lambda: len(done) == 100)
    assert max(most) <= AT_ONCE


def test_a_lock_that_is_waited_for_asleep_stops_nobody(crew):
    """More threads want it than may compute, and whoever has it sleeps with it."""
    many, lock, done = crew(20), threading.Lock(), []

    def make():
        with waiting.asleep():
            lock.acquire()
        try:
            waiting.Wait(Signal(), 0.0).sleep()
            done.append(1)
        finally:
            lock.release()

    for number in range(60):
        many.add_task(Job(str(number % 4), make))
    eventually(lambda: len(done) == 60)


def test_a_task_that_fails_takes_no_thread_and_no_turn_along(crew, caplog):
    two, done = crew(2), []

    def fail():
        raise OSError("as it happens")

    for _ in range(10):
        two.add_task(Job("a", fail))
    two.add_task(Job("a", lambda: done.append(1)))
    eventually(lambda: done)
    eventually(lambda: caplog.text.count("A request failed.") == 10)


def test_who_never_was_in_turn_sleeps_as_ever():
    with waiting.asleep():
        pass


@pytest.mark.parametrize(
    "path", ["/reconcile/suggest/property?prefix=a", "/reconcile/properties?type=State", "/page/armenia", "/why"]
)
def test_what_is_made_when_first_wanted_stops_nobody_who_wants_it_too(pool, path):
    """More ask at once than may compute, of an app that has made nothing yet."""

    def ask(_):
        asking = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        with closing(asking):
            asking.request("GET", path, headers={"Accept": "*/*"})
            return asking.getresponse().status

    with serving(create_app(pool), threads=20) as (port, server), ThreadPoolExecutor(12) as threads:
        server.task_dispatcher._floor.patience = 600
        assert set(threads.map(ask, range(12))) <= {200, 429}


# ── over connections ──


def test_a_flood_from_one_address_keeps_no_other_waiting():
    """Its requests hold threads and sleep; those of another one are answered meanwhile, also behind a trusted proxy."""
    go, begun = Signal(), []

    def app(environ, start_response):
        begun.append(environ["PATH_INFO"])
        if environ["PATH_INFO"] == "/slow":
            sleep_until(go)
        start_response("200 OK", [("Content-Length", "0")])
        return []

    asked = []

    def who(remote, forwarded):
        asked.append((remote, forwarded))
        return client(remote, forwarded, networks(["127.0.0.4"]))

    def ask(port, path, source, more=""):
        line = socket.create_connection(("127.0.0.1", port), source_address=(source, 0))
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n{more}\r\n".encode())
        return line

    with serving(app, threads=8, who=who) as (port, _):
        lines = [ask(port, "/slow", "127.0.0.2") for _ in range(40)]
        eventually(lambda: len(begun) == 6)
        lines.append(ask(port, "/quick", "127.0.0.3"))
        assert lines[-1].recv(15) == b"HTTP/1.1 200 OK"
        # Behind the proxy is one client that floods as well, and one that does not.
        lines += [ask(port, "/slow", "127.0.0.4", "X-Forwarded-For: 192.0.2.1\r\n") for _ in range(40)]
        eventually(lambda: len(begun) == 9)
        go.happen()
        eventually(lambda: len(begun) == 81)
        for each in lines[:40]:
            assert each.recv(15) == b"HTTP/1.1 200 OK"
        for each in lines:
            each.close()
    assert ("127.0.0.4", "192.0.2.1") in asked
    assert ("127.0.0.2", None) in asked


@dataclass
class Open:
    """A connection, as far as the loop looks at it."""

    address: str
    last_activity: float


def test_the_loop_attends_to_addresses_in_turns():
    """What is no client's comes first; then of each address the connection that was heard least recently."""
    files = {1: object(), 2: Open("a", 3.0), 3: Open("a", 1.0), 4: Open("a", 2.0), 5: Open("b", 9.0), 6: Open("c", 4.0)}
    loop = Loop(files, lambda: None)
    try:
        happened = [(number, select.EPOLLIN) for number in (2, 3, 4, 5, 1, 6, 7)]
        assert [number for number, _ in loop._in_turns(happened)] == [1, 7, 3, 5, 6, 4, 2]
    finally:
        loop.close()


def test_whom_the_loop_has_no_time_for_is_attended_to_in_the_next_turn(monkeypatch):
    """One connection a turn, and each of many is answered."""

    def empty(_, start_response):
        start_response("200 OK", [("Content-Length", "0")])
        return []

    monkeypatch.setattr("foedus.web.loop._LONG", 0.0)
    with serving(empty) as (port, _), ExitStack() as held:
        lines = [held.enter_context(socket.create_connection(("127.0.0.1", port), 30)) for _ in range(100)]
        for _ in range(5):
            for each in lines:
                each.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            for each in lines:
                assert each.recv(1 << 10).startswith(b"HTTP/1.1 200 OK")


class Beginning:
    """A shortcut whose answers are begun in the loop and ended in a thread."""

    def answer(self, head):
        return None

    def asking(self, head, address, gone):
        async def made():
            await waiting.ELSEWHERE
            return Made(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"")

        return made()


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ("", None),
        ("X-Forwarded-For: 192.0.2.1\r\n", "192.0.2.1"),
        ("x-forwarded-for:192.0.2.1\r\nAccept: */*\r\nX-FORWARDED-FOR: 192.0.2.2\r\n", "192.0.2.1, 192.0.2.2"),
        ("X-Forwarded-Forth: 192.0.2.1\r\n", None),
    ],
)
def test_what_goes_on_in_a_thread_is_its_clients(headers, told):
    asked = []
    with (
        serving(None, shortcut=Beginning(), who=lambda *who: asked.append(who)) as (port, _),
        socket.create_connection(("127.0.0.1", port)) as line,
    ):
        line.sendall(f"GET / HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode())
        assert line.recv(15) == b"HTTP/1.1 200 OK"
    assert asked == [("127.0.0.1", told)]
