"""What takes this process seconds is done for few at once, and one address holds no more than its share."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from foedus.errors import Busy, Cancelled, OverShare
from foedus.web import reconcile
from foedus.web.turns import Rules, Turns

from .front import eventually


def turns(**changed):
    return Turns(Rules(**({"what": "jobs", "at_once": 1, "waiting": 2, "share": 2, "patience": 20.0} | changed)))


def test_so_many_at_once_and_the_next_one_after_them():
    most, now, lock = 0, 0, threading.Lock()
    few = turns(at_once=2, waiting=30, share=40)

    def work(_):
        nonlocal most, now
        with few.turn("a"):
            with lock:
                now += 1
                most = max(most, now)
            time.sleep(0.01)
            with lock:
                now -= 1

    with ThreadPoolExecutor(20) as threads:
        list(threads.map(work, range(20)))
    assert (most, few.here) == (2, [])


def test_who_has_its_share_and_who_finds_the_house_full_is_sent_away_at_once():
    few = turns()
    with ExitStack() as held, ThreadPoolExecutor(2) as threads:
        held.enter_context(few.turn("a"))
        enough = threading.Event()

        def wait(client):
            with few.turn(client, enough.is_set):
                pass

        waiting = [threads.submit(wait, each) for each in ("a", "b")]
        eventually(lambda: len(few.here) == 3)
        with pytest.raises(OverShare, match="2 jobs at once"), few.turn("a"):
            pass
        with pytest.raises(Busy, match="waiting already"), few.turn("c"):
            pass
        enough.set()
        assert [type(each.exception(20)) for each in waiting] == [Cancelled, Cancelled]
    assert few.here == []


def test_clients_have_turns_one_after_the_other():
    few, done = turns(waiting=9, share=9), []

    def work(client):
        with few.turn(client):
            done.append(client)

    threads = []
    with few.turn("at work"):
        for client in ("a", "a", "a", "b", "c"):
            threads.append(threading.Thread(target=work, args=(client,)))
            threads[-1].start()
            eventually(lambda: len(few.here) == 1 + len(threads))
    for each in threads:
        each.join()
    assert done == ["a", "b", "c", "a", "a"]


def test_who_waits_too_long_is_told_and_whoever_fails_gives_its_turn_back():
    few = turns(patience=0.05)
    with few.turn("a"), pytest.raises(Busy, match="have not ended"), few.turn("b"):
        pass
    with pytest.raises(ZeroDivisionError), few.turn("a"):
        raise ZeroDivisionError
    with few.turn("a"):
        assert few.here == ["a"]


def test_batches_to_reconcile_take_turns(app, client):
    assert client.get("/reconcile?query=Russia").status_code == 200
    of = app.extensions["foedus-matchers"].turns
    with ExitStack() as held, ThreadPoolExecutor(3) as threads:
        held.enter_context(of.turn("127.0.0.1"))
        waiting = [
            threads.submit(lambda: app.test_client().get("/reconcile?query=Russia").status_code)
            for _ in range(reconcile.RULES.share - 1)
        ]
        eventually(lambda: len(of.here) == reconcile.RULES.share)
        assert client.get("/reconcile?query=Russia").status_code == 429
        elsewhere = {"REMOTE_ADDR": "192.0.2.1"}
        assert client.get("/reconcile/suggest/entity?prefix=ru", environ_base=elsewhere).status_code == 200
        held.close()
        assert [each.result(20) for each in waiting] == [200, 200, 200]
