"""Waiting without saying how: a thread sleeps, and whoever carries many on must not."""

import os
import threading
import time

import pytest

from foedus.query.waiting import ELSEWHERE, Signal, Wait, WouldBlock, not_here, run

LONG = 20.0


def later(seconds=LONG):
    return time.monotonic() + seconds


async def awaited(*waits):
    for each in waits:
        await each
    return len(waits)


def test_a_signal_tells_all_who_wait_for_it_once():
    signal, told = Signal(), []
    signal.tell(lambda: told.append("before"))
    assert (signal.happened, told) == (False, [])
    signal.happen()
    signal.happen()
    signal.tell(lambda: told.append("after"))
    assert (signal.happened, told) == (True, ["before", "after"])


def test_a_thread_sleeps_until_the_signal():
    signal = Signal()
    threading.Timer(0.02, signal.happen).start()
    run(awaited(Wait(signal, later())))
    assert signal.happened


def test_a_thread_sleeps_until_a_file_can_be_read():
    reading, writing = os.pipe()
    threading.Timer(0.02, os.write, (writing, b"x")).start()
    run(awaited(Wait(reading, later())))
    assert os.read(reading, 1) == b"x"
    os.close(reading)
    os.close(writing)


def test_nobody_sleeps_beyond_the_time_and_nothing_is_left_behind():
    signal = Signal()
    began = time.monotonic()
    assert run(awaited(Wait(signal, later(0.01)), Wait(signal, began))) == 2
    assert LONG > time.monotonic() - began >= 0.01
    assert not signal.happened
    assert not signal._calls


def test_what_is_to_go_on_elsewhere_goes_on_at_once_in_a_thread_of_its_own():
    assert run(awaited(ELSEWHERE, ELSEWHERE)) == 2


def test_an_error_ends_it():
    async def fails():
        await ELSEWHERE
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        run(fails())


def test_a_thread_that_carries_many_on_sleeps_for_none_of_them():
    with not_here(), pytest.raises(WouldBlock):
        run(awaited())
    assert run(awaited()) == 0


def test_other_threads_may_sleep_meanwhile():
    found = []
    with not_here():
        other = threading.Thread(target=lambda: found.append(run(awaited(ELSEWHERE))))
        other.start()
        other.join()
    assert found == [1]
