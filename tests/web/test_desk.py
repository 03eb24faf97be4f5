"""Who asks: addresses, proxies that are trusted and others, and what a client over its share is told."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from foedus.errors import WrongUsage
from foedus.query.limits import Limits
from foedus.query.pool import Pool
from foedus.web import create_app
from foedus.web.desk import client, networks

ENDLESS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
NEAR, FAR = "127.0.0.1", "198.51.100.7"


@pytest.mark.parametrize(
    ("remote", "forwarded", "proxies", "who"),
    [
        (FAR, None, (), FAR),
        (None, None, (), None),
        ("", None, (), None),
        ("not-an-address", None, (), "not-an-address"),
        ("2001:db8:1:2:3:4:5:6", None, (), "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", None, (), "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", None, (), "2001:db8:1:3::/64"),
        ("::ffff:198.51.100.7", None, (), FAR),
        ("fe80::1%eth0", None, (), "fe80::/64"),
        # Nobody is trusted, or somebody else.
        (NEAR, FAR, (), NEAR),
        (NEAR, FAR, ("192.0.2.1",), NEAR),
        # The proxy is, and says who asked it.
        (NEAR, FAR, (NEAR,), FAR),
        (NEAR, f"203.0.113.9, {FAR}", (NEAR,), FAR),
        (NEAR, "[2001:db8::1]", (NEAR,), "2001:db8::/64"),
        ("::1", FAR, ("::1",), FAR),
        ("10.1.2.3", FAR, ("10.0.0.0/8",), FAR),
        # One proxy behind another.
        (NEAR, f"203.0.113.9, {FAR}, 10.0.0.1", (NEAR, "10.0.0.1"), FAR),
        # What makes no sense counts for nothing.
        (NEAR, "unknown", (NEAR,), NEAR),
        (NEAR, "", (NEAR,), NEAR),
        (NEAR, None, (NEAR,), NEAR),
        (NEAR, f"{FAR}, unknown", (NEAR,), NEAR),
    ],
)
def test_who_asks(remote, forwarded, proxies, who):
    assert client(remote, forwarded, networks(proxies)) == who


@pytest.mark.parametrize("wrong", ["proxy", "10.0.0.0/99", "", "1.2.3"])
def test_a_proxy_that_is_no_address_is_told(wrong):
    with pytest.raises(WrongUsage, match=r"IP address, such as 127\.0\.0\.1"):
        networks([wrong])


def test_a_client_over_its_share_gets_429_and_when_to_come_again(own_pool):
    limits = Limits(workers=4, time_limit=20.0, queue_wait=0.1)
    left = threading.Event()
    with Pool(own_pool.source, limits) as pool, ThreadPoolExecutor(1) as threads:
        web = create_app(pool).test_client()
        # The short wait of this pool is not meant for workers that are still being started.
        while pool.statistics().idle < limits.workers:
            left.wait(0.01)

        def ask(query: str, address: str, **more):
            return web.get("/sparql", query_string={"query": query}, environ_base={"REMOTE_ADDR": address, **more})

        first = threads.submit(ask, ENDLESS, FAR, **{"waitress.client_disconnected": left.is_set})
        while pool.statistics().open.asked == 0:
            left.wait(0.01)
        refused = ask("ASK { ?s ?p 1 }", FAR)
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) > 0
        assert "share" in refused.json["detail"]
        assert ask("ASK { ?s ?p 2 }", NEAR).status_code == 200
        assert web.get("/health", environ_base={"REMOTE_ADDR": FAR}).status_code == 200
        left.set()
        assert first.result().status_code == 499
        seen = pool.statistics()
        assert (seen.open.over_share, seen.killed["left"], seen.open.waited) == (1, 1, 1)
        assert seen.reserved.asked > 0
