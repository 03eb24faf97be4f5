"""Who gets a worker: shares of addresses, places kept for pages, a bounded queue, and whose turn it is."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed

import pytest

from foedus.errors import Busy, Cancelled, OverShare
from foedus.query.gate import Gate
from foedus.query.limits import Limits
from foedus.query.waiting import run

EIGHT = Limits(workers=8, queue=4, queue_wait=0.05)
ONE, TWO, THREE = "192.0.2.1", "192.0.2.2", "192.0.2.3"


def gate(limits=EIGHT):
    made = Gate(limits)
    for number in range(limits.workers):
        made.add(number)
    return made


def take(gate, client=None, reserved=False, cancelled=None):
    return run(gate.take(client, reserved, cancelled))


def waiting(gate, number):
    until = time.monotonic() + 10
    while gate.waiting != number:
        assert time.monotonic() < until
        time.sleep(0.001)


@pytest.mark.parametrize(
    ("workers", "kept", "share", "of_open"),
    [(1, 0, 1, 1), (2, 1, 2, 1), (3, 1, 2, 1), (4, 2, 2, 1), (8, 2, 4, 3), (16, 2, 8, 7), (64, 2, 32, 31)],
)
def test_shares_by_the_number_of_workers(workers, kept, share, of_open):
    limits = Limits(workers=workers)
    assert (limits.kept, limits.share, limits.share_of_open) == (kept, share, of_open)


@pytest.mark.parametrize("workers", range(3, 40))
def test_one_address_never_holds_all_that_queries_may_have(workers):
    limits = Limits(workers=workers)
    assert limits.share_of_open < workers - limits.kept


def test_a_server_has_a_thread_for_whoever_is_sent_away():
    assert Limits().askers > Limits().workers + Limits().longest_queue


def test_one_address_holds_no_more_than_its_share():
    full = gate()
    for _ in range(3):
        take(full, ONE)
    with pytest.raises(OverShare, match="3 of its queries"):
        take(full, ONE)
    assert take(full, TWO).waited == 0


def test_one_address_holds_half_of_the_workers_whatever_it_asks():
    full = gate()
    for reserved in (False, False, False, True):
        take(full, ONE, reserved)
    with pytest.raises(OverShare):
        take(full, ONE, reserved=True)
    assert take(full, TWO, reserved=True).waited == 0


def test_two_places_are_kept_for_pages():
    full = gate()
    for number in range(6):
        take(full, f"192.0.2.{number}")
    with pytest.raises(Busy):
        take(full, ONE)
    assert take(full, ONE, reserved=True).waited == 0
    assert take(full, ONE, reserved=True).waited == 0


def test_pages_use_the_other_places_too():
    full = gate()
    for number in range(8):
        take(full, f"192.0.2.{number}", reserved=True)
    assert full.idle == []


def test_we_ourselves_have_no_share():
    full = gate()
    assert {take(full, None, reserved=True).place for _ in range(8)} == set(range(8))


def test_who_waits_for_its_own_queries_is_in_nobodys_way():
    limits = Limits(workers=8, queue=8, queue_wait=20.0)
    full = gate(limits)
    mine = [take(full, ONE) for _ in range(3)]
    with ThreadPoolExecutor(4) as threads:
        queued = [threads.submit(take, full, ONE) for _ in range(4)]
        waiting(full, 4)
        other = take(full, TWO)
        assert (other.waited, full.counts(reserved=False).waited) == (0, 4)
        full.give(other, back=True)
        with pytest.raises(OverShare, match="4 more may wait"):
            take(full, ONE)
        for each in mine:
            full.give(each, back=True)
        for each in queued:
            assert each.result().waited > 0
            full.give(each.result(), back=True)
    assert full.counts(reserved=False).over_share == 1


def test_the_next_place_goes_to_the_address_that_holds_the_fewest():
    full = gate(Limits(workers=8, queue=8, queue_wait=20.0))
    ours = [take(full, None) for _ in range(4)]
    take(full, ONE)
    take(full, TWO)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(take, full, ONE)
        waiting(full, 1)
        second = threads.submit(take, full, THREE)
        waiting(full, 2)
        full.give(ours[0], back=True)
        assert second.result().waited > 0
        assert not first.done()
        full.give(ours[1], back=True)
        first.result()


def test_the_queue_is_bounded_and_has_room_for_pages():
    limits = Limits(workers=1, queue=2, queue_wait=20.0)
    full = gate(limits)
    held = take(full, None)
    with ThreadPoolExecutor(3) as threads:
        queued = [threads.submit(take, full, f"192.0.2.{number}") for number in range(2)]
        waiting(full, 2)
        with pytest.raises(Busy, match="2 queries are waiting"):
            take(full, THREE)
        queued.append(threads.submit(take, full, THREE, True))
        waiting(full, 3)
        full.give(held, back=True)
        for each in queued:
            full.give(each.result(), back=True)


def test_who_leaves_the_queue_is_forgotten():
    full = gate(Limits(workers=1, queue_wait=20.0))
    held, left = take(full, ONE), threading.Event()
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(take, full, TWO, False, left.is_set)
        waiting(full, 1)
        left.set()
        assert isinstance(asked.exception(), Cancelled)
    full.give(held, back=True)
    assert (full.waiting, full.idle, full.counts(reserved=False).left) == (0, [0], 1)


def test_nothing_is_remembered_of_an_address_that_holds_nothing():
    full = gate()
    for number in range(100):
        full.give(take(full, f"192.0.2.{number}"), back=True)
    assert not full._held and not full._held_open and not full._queued


class Counting(Gate):
    """A gate that counts how often it asks whether somebody may take a place."""

    looks = 0

    def _may_take(self, client, reserved):
        self.looks += 1
        return super()._may_take(client, reserved)


def test_a_place_is_handed_out_without_a_look_at_each_that_waits():
    full = Counting(Limits(workers=1, queue=64, queue_wait=20.0))
    full.add(0)
    held = take(full, ONE)
    with ThreadPoolExecutor(40) as threads:
        asked = [threads.submit(take, full, TWO if number % 2 else ONE) for number in range(40)]
        waiting(full, 40)
        full.looks = 0
        full.give(held, back=True)
        assert full.looks == 2
        for each in as_completed(asked):
            full.give(each.result(), back=True)
    assert (full.waiting, full.idle) == (0, [0])


def test_who_waits_at_a_gate_that_closes_is_sent_away_and_gets_no_place():
    full = gate(Limits(workers=1, queue_wait=20.0))
    held, reason = take(full, ONE), Busy("Closing.", "Wait.")
    with ThreadPoolExecutor(2) as threads:
        asked = [threads.submit(take, full, client) for client in (TWO, THREE)]
        waiting(full, 2)
        full.close(reason)
        full.close(reason)
        full.give(held, back=True)
        assert [each.exception() for each in asked] == [reason, reason]
    assert (full.waiting, full.idle, full.counts(reserved=False).busy) == (0, [0], 2)


@pytest.mark.parametrize("replaced_first", [True, False])
def test_a_lost_place_counts_as_held_until_it_is_replaced(replaced_first):
    """Else an address whose queries kill their workers would soon have had all of them."""
    full = gate()
    held = [take(full, ONE) for _ in range(3)]
    if replaced_first:
        full.add(8)
    full.give(held[0], back=False)
    if not replaced_first:
        with pytest.raises(OverShare):
            take(full, ONE)
        full.add(8)
    take(full, ONE)
    with pytest.raises(OverShare):
        take(full, ONE)
    assert len(full.idle) == 5


def test_a_closed_gate_sends_everybody_away():
    full = gate(Limits(workers=1, queue_wait=20.0))
    take(full)
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(take, full)
        waiting(full, 1)
        full.close(Busy("closed"))
        assert str(asked.exception()) == "closed"
    with pytest.raises(Busy, match="closed"):
        take(full)
    full.open()
    full.add(1)
    assert take(full).place == 1


@pytest.mark.parametrize("was_given", [False, True], ids=["still in the queue", "with a place in its hand"])
def test_who_is_carried_on_no_more_takes_no_place_along(was_given):
    one = gate(Limits(workers=1))
    held = take(one)
    asking = one.take(TWO, False, None)
    asking.send(None)
    assert one.waiting == 1
    if was_given:
        one.give(held, back=True)
    asking.close()
    assert one.waiting == 0
    if not was_given:
        one.give(held, back=True)
    assert take(one, ONE).waited == 0
