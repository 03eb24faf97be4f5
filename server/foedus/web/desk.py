"""Where requests are handed to the pool: who asks, for a page or with a query of one's own, and whether they left."""

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache

from flask import has_request_context, request

from foedus.errors import WrongUsage
from foedus.query.dataset import Description
from foedus.query.pool import Answer, Asker, Request
from foedus.web import protocol

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Desk:
    """An asker that adds to each request who its client is, and ends it when that client leaves.

    One that is *reserved* serves pages, stored questions and health; the other one, queries of a client's own.
    """

    def __init__(self, pool: Asker, reserved: bool, proxies: tuple[Network, ...] = ()) -> None:
        self.pool = pool
        self.limits = pool.limits
        self.reserved = reserved
        self.proxies = proxies

    @property
    def dataset(self) -> Description:
        """What the pool answers from."""
        return self.pool.dataset

    def ask(self, asked: Request, cancelled: Callable[[], bool] | None = None) -> Answer:
        """What the pool answers, on behalf of the client of the request that is being answered."""
        if has_request_context():
            asked = replace(asked, client=self._client(), reserved=asked.reserved or self.reserved)
            cancelled = cancelled or protocol.client_left()
        return self.pool.ask(asked, cancelled)

    def _client(self) -> str | None:
        """The client's address, an IPv6 one as its /64: every host has a whole one to itself."""
        if not self.proxies:
            return _direct(request.remote_addr)
        return client(request.remote_addr, request.headers.get("X-Forwarded-For"), self.proxies)


def client(remote: str | None, forwarded: str | None, proxies: tuple[Network, ...]) -> str | None:
    """Who asks: *remote*, or the last address in *forwarded* that is no proxy, where *remote* is one of *proxies*.

    None where there is no address, as on a Unix socket. What a client itself wrote into the header never counts: the
    proxy adds the address that it sees behind it.
    """
    address = _address(remote)
    for each in reversed((forwarded or "").split(",")):
        if address is None or not any(address in proxy for proxy in proxies) or (behind := _address(each)) is None:
            break
        address = behind
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))
    return str(address) if address else remote or None


@lru_cache(maxsize=4096)
def _direct(remote: str | None) -> str | None:
    return client(remote, None, ())


def _address(text: str | None) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address((text or "").strip().strip("[]").partition("%")[0])
    except ValueError:
        return None
    return (isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped) or address


def networks(addresses: Sequence[str]) -> tuple[Network, ...]:
    """The addresses and networks that *addresses* name; WrongUsage for one that is neither."""
    try:
        return tuple(ipaddress.ip_network(each, strict=False) for each in addresses)
    except ValueError as error:
        raise WrongUsage(
            f"{str(error)[:1].upper()}{str(error)[1:]}.", "Give a trusted proxy's IP address, such as 127.0.0.1."
        ) from error
