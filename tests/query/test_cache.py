"""The answers that are kept: which, for how long, how many, and that they need no worker."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import pytest

from foedus.errors import BadQuery, Busy, Cancelled, NotAcceptable, QueryTooSlow
from foedus.query.cache import Cache
from foedus.query.dataset import Description
from foedus.query.limits import Limits
from foedus.query.pool import Answer, Pool, Request
from foedus.query.scan import scan

A, B = "SELECT ?a {}", "SELECT ?b {}"


@dataclass
class Counting:
    """An asker of which every answer is its number, as long as *length* says; *gate* holds answers up."""

    length: int = 10
    limits: Limits = field(default_factory=Limits)
    dataset: Description = field(default_factory=lambda: Description("one", 1, None, None))
    error: Exception | None = None
    gate: threading.Event = field(default_factory=threading.Event)
    asked: Counter = field(default_factory=Counter)

    def __post_init__(self):
        self.gate.set()
        self.entered = threading.Semaphore(0)

    async def asking(self, request, cancelled=None):
        self.asked[request.text] += 1
        number = self.asked.total()
        self.entered.release()
        while not self.gate.wait(0.01):
            if cancelled and cancelled():
                raise Cancelled("left")
        if self.error:
            raise self.error
        return Answer(str(number).encode().ljust(self.length), "text/csv", "select", 1.0)


@pytest.fixture
def behind():
    return Counting()


@pytest.fixture
def cache(behind):
    return Cache(behind, 1 << 20)


# ── what is kept ──


def test_the_same_query_is_asked_once(cache, behind):
    first, second = cache.ask(Request(A)), cache.ask(Request(A))
    assert first.body == second.body
    assert behind.asked[A] == 1


@pytest.mark.parametrize(
    "other",
    [
        Request(B),
        Request(A + " "),
        Request(A, form="csv"),
        Request(A, accept="application/json"),
        Request(A, default_graphs=("urn:g",)),
        Request(A, default_graphs=()),
        Request(A, named_graphs=("urn:g",)),
        Request(A, default_graphs=("urn:g", "urn:h")),
        Request(A, default_graphs=("urn:h", "urn:g")),
    ],
)
def test_another_query_graph_or_format_is_another_answer(cache, behind, other):
    answers = [cache.ask(each).body for each in (Request(A), other, Request(A), other)]
    assert answers[:2] == answers[2:]
    assert len(set(answers)) == 2
    assert behind.asked.total() == 2


@pytest.mark.parametrize(
    "same",
    [
        Request(A, accept="*/*"),
        Request(A, accept="application/sparql-results+json"),
        Request(A, form="json"),
        Request(A, client="192.0.2.1"),
        Request(A, reserved=True),
    ],
)
def test_the_same_format_by_another_header_and_another_asker_share_an_answer(cache, behind, same):
    cache.ask(Request(A))
    cache.ask(same)
    assert behind.asked.total() == 1


def test_a_new_version_of_the_dataset_is_asked_anew(cache, behind):
    before = cache.ask(Request(A)).body
    behind.dataset = replace(behind.dataset, sha256="two")
    assert cache.ask(Request(A)).body != before


def test_an_answer_that_came_while_the_dataset_was_replaced_is_not_kept(cache, behind):
    behind.gate.clear()
    with ThreadPoolExecutor() as threads:
        asked = threads.submit(cache.ask, Request(A))
        behind.entered.acquire()
        old, behind.dataset = behind.dataset, replace(behind.dataset, sha256="two")
        behind.gate.set()
        asked.result()
    behind.dataset = old
    cache.ask(Request(A))
    assert behind.asked[A] == 2


VOLATILE = [
    "SELECT (NOW() AS ?x) {}",
    "SELECT (now ( ) AS ?x) {}",
    "SELECT (RAND() AS ?x) {}",
    "SELECT (UUID() AS ?x) {}",
    "SELECT (STRUUID() AS ?x) {}",
    "SELECT (BNODE() AS ?x) {}",
    'SELECT (BNODE("a") AS ?x) {}',
    "SELECT (bNoDe() AS ?x) {}",
    "SELECT * { ?s ?p ?o FILTER(?o>NOW()) }",
    "SELECT * { ?s ?p ?o FILTER(?o<NOW()&&?p>1) }",
    'SELECT * { ?s ?p ?o FILTER("a"@en<STR(NOW())&&?p>1) }',
    "SELECT * { ?s ?p ?o } ORDER BY RAND()",
    "SELECT (1+RAND() AS ?x) {}",
    "SELECT (-RAND() AS ?x) {}",
    "SELECT (NOW#comment\n() AS ?x) {}",
    r"SELECT (\u004EOW() AS ?x) {}",
    r"SELECT (N\u004FW() AS ?x) {}",
    "CONSTRUCT { ?x a ?y } { BIND(UUID() AS ?x) }",
    "SELECT * { { SELECT (RAND() AS ?x) {} } }",
]
LASTING = [
    "SELECT ?now { ?now ?rand ?uuid }",
    "SELECT $NOW {}",
    'SELECT ("NOW()" AS ?x) {}',
    "SELECT ('''RAND()''' AS ?x) {}",
    "SELECT * { ?s <http://example.org/NOW> ?o }",
    "SELECT * { ?s ex:NOW ?o }",
    "SELECT * { ?s now:x ?o }",
    "SELECT * { _:BNODE ?p ?o }",
    "SELECT * {} # NOW()",
    "SELECT (ISBLANK(?x) AS ?y) {}",
]


@pytest.mark.parametrize("text", VOLATILE)
def test_an_answer_that_differs_each_time_is_never_kept(cache, behind, text):
    cache.ask(Request(text))
    cache.ask(Request(text))
    assert behind.asked[text] == 2
    assert cache.statistics().uncacheable == 2
    assert cache.statistics().entries == 0


@pytest.mark.parametrize("text", LASTING)
def test_the_name_of_such_a_function_elsewhere_keeps_no_answer_out(text):
    assert not scan(text, Limits()).volatile


def test_the_answers_of_an_engine_whose_data_may_change_are_not_kept(cache, behind):
    behind.dataset = replace(behind.dataset, changes=True)
    cache.ask(Request(A))
    cache.ask(Request(A))
    assert behind.asked[A] == 2


def test_errors_are_not_kept(cache, behind):
    behind.error = QueryTooSlow("slow")
    for _ in range(2):
        with pytest.raises(QueryTooSlow):
            cache.ask(Request(A))
    assert behind.asked[A] == 2


def test_what_is_refused_at_once_is_asked_of_nobody(cache, behind):
    with pytest.raises(NotAcceptable):
        cache.ask(Request(A, accept="image/png"))
    with pytest.raises(BadQuery):
        cache.ask(Request("ASK { SERVICE <urn:x> {} }"))
    assert behind.asked.total() == 0


# ── how much is kept ──


def test_what_was_used_longest_ago_goes_first():
    behind = Counting(length=1000)
    cache = Cache(behind, 16_000)
    texts = [f"SELECT ?v{n:04} {{}}" for n in range(20)]
    for text in texts[:5]:
        cache.ask(Request(text))
    cache.ask(Request(texts[0]))
    for text in texts[5:]:
        cache.ask(Request(text))
        cache.ask(Request(texts[0]))
    assert behind.asked[texts[0]] == 1
    cache.ask(Request(texts[1]))
    assert behind.asked[texts[1]] == 2
    seen = cache.statistics()
    assert seen.evictions == 20 - seen.entries + 1
    assert 0 < seen.bytes <= seen.size == 16_000


def test_an_answer_larger_than_an_eighth_of_the_cache_is_not_kept():
    for length, asked in ((1000, 1), (2000, 2)):
        behind = Counting(length=length)
        cache = Cache(behind, 8 * 1600)
        cache.ask(Request(A))
        cache.ask(Request(A))
        assert behind.asked[A] == asked


def test_a_cache_without_room_keeps_nothing(behind):
    cache = Cache(behind, 0)
    cache.ask(Request(A))
    cache.ask(Request(A))
    assert behind.asked[A] == 2
    assert cache.statistics().bytes == 0


def test_statistics_say_what_happened(cache):
    for text in (A, A, B, A):
        cache.ask(Request(text))
    seen = cache.statistics()
    assert (seen.hits, seen.misses, seen.entries, seen.evictions) == (2, 2, 2, 0)
    assert seen.bytes > 20


# ── identical queries at the same moment ──


def ask_at_once(cache, behind, requests, meanwhile=lambda: None):
    """The outcome of each of *requests*, the first of which is under way before the others come."""
    behind.gate.clear()

    def outcome(request):
        try:
            return cache.ask(request).body
        except Exception as error:
            return type(error)

    with ThreadPoolExecutor(len(requests)) as threads:
        first = threads.submit(outcome, requests[0])
        behind.entered.acquire()
        others = [threads.submit(outcome, each) for each in requests[1:]]
        meanwhile()
        behind.gate.set()
        return [each.result() for each in [first, *others]]


def test_identical_queries_at_the_same_moment_are_asked_once(cache, behind):
    answers = ask_at_once(cache, behind, [Request(A)] * 8)
    assert len(set(answers)) == 1
    assert behind.asked[A] == 1
    seen = cache.statistics()
    assert seen.misses == 1
    assert seen.hits + seen.shared == 7


def test_an_error_that_is_the_querys_fault_is_shared(cache, behind):
    behind.error = QueryTooSlow("slow")
    # The gate opens only when all wait for the one that asks.
    outcomes = ask_at_once(cache, behind, [Request(A)] * 4, lambda: waits_for(lambda: len(threading.enumerate()) > 4))
    assert set(outcomes) == {QueryTooSlow}


def waits_for(condition):
    until = threading.Event()
    for _ in range(200):
        if condition():
            break
        until.wait(0.01)
    until.wait(0.05)


def test_an_asker_that_leaves_leaves_the_others_their_answer(cache, behind):
    gone = threading.Event()
    behind.gate.clear()
    with ThreadPoolExecutor() as threads:
        leaver = threads.submit(cache.ask, Request(A), gone.is_set)
        behind.entered.acquire()
        stayer = threads.submit(cache.ask, Request(A))
        gone.set()
        with pytest.raises(Cancelled):
            leaver.result()
        behind.gate.set()
        assert stayer.result().body


def test_one_who_waits_for_anothers_answer_may_leave(cache, behind):
    behind.gate.clear()
    with ThreadPoolExecutor() as threads:
        asks = threads.submit(cache.ask, Request(A))
        behind.entered.acquire()
        waits = threads.submit(cache.ask, Request(A), lambda: True)
        with pytest.raises(Cancelled):
            waits.result()
        behind.gate.set()
        assert asks.result().body
    assert behind.asked[A] == 1


def test_one_who_was_sent_away_sends_nobody_else_away(cache, behind):
    behind.error = Busy("full")
    outcomes = ask_at_once(cache, behind, [Request(A, client=each) for each in ("a", "b")])
    assert outcomes == [Busy, Busy]
    assert behind.asked[A] == 2


def test_nobody_waits_long_for_another_addresses_query(cache, behind):
    """Who has queued a slow query holds up no other address that asks the same."""
    behind.gate.clear()
    with ThreadPoolExecutor() as threads:
        one = threads.submit(cache.ask, Request(A, client="a"))
        behind.entered.acquire()
        other = threads.submit(cache.ask, Request(A, client="b"))
        assert behind.entered.acquire(timeout=10), "the second one asked for itself"
        behind.gate.set()
        assert one.result().body != other.result().body
    assert behind.asked[A] == 2
    cache.ask(Request(A))
    assert behind.asked[A] == 2


# ── in front of real workers ──


def test_a_kept_answer_needs_no_worker(small_dataset):
    with Pool(small_dataset, Limits(workers=1, time_limit=30.0, queue_wait=20.0)) as pool:
        cache = Cache(pool)
        query = Request("SELECT ?o { id:csto rdfs:label ?o }")
        first = cache.ask(query)
        gone = threading.Event()
        with ThreadPoolExecutor() as threads:
            endless = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
            busy = threads.submit(cache.ask, Request(endless), gone.is_set)
            again = cache.ask(query)
            gone.set()
            with pytest.raises(Cancelled):
                busy.result()
    assert again.body == first.body
    assert b"Collective Security" in again.body
    assert (again.media_type, again.kind) == (first.media_type, first.kind)
