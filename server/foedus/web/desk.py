"""Where requests are handed to the pool: who asks, for a page or with a query of one's own, and whether they left."""

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any
from wsgiref.types import WSGIEnvironment

from foedus import names
from foedus.errors import WrongUsage
from foedus.query.dataset import Description
from foedus.query.pool import Answer, Asker, Request
from foedus.web import visit

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")


class Desk(Asker):
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

    async def asking(self, asked: Request, cancelled: Callable[[], bool] | None = None) -> Answer:
        """What the pool answers, on behalf of the client of the request that is being answered."""
        environ = visit.environ()
        if environ is not None:
            # Not ``replace``, which takes longer than all the rest here.
            asked = Request(
                asked.text,
                asked.accept,
                asked.form,
                asked.default_graphs,
                asked.named_graphs,
                self._client(environ),
                asked.reserved or self.reserved,
                asked.dry,
                asked.seen,
            )
            # Not every server can tell whether the client has closed its connection.
            cancelled = cancelled or environ.get("waitress.client_disconnected")
        return await self.pool.asking(asked, cancelled)

    def home(self) -> str:
        """How the addresses of this server begin, without a slash, for the client of the request that is answered."""
        environ = visit.environ()
        if environ is None:
            return home({}, self.proxies)
        environ[visit.PLACED] = True
        return home(environ, self.proxies)

    def _client(self, environ: WSGIEnvironment) -> str | None:
        """The client's address, an IPv6 one as its /64: every host has a whole one to itself."""
        return client(environ.get("REMOTE_ADDR"), environ.get("HTTP_X_FORWARDED_FOR"), self.proxies)


def client(remote: str | None, forwarded: str | None, proxies: tuple[Network, ...]) -> str | None:
    """Who asks: *remote*, or the last address in *forwarded* that is no proxy, where *remote* is one of *proxies*.

    None where there is no address, as on a Unix socket. What a client itself wrote into the header never counts: the
    proxy adds the address that it sees behind it.
    """
    return _behind(remote, forwarded, proxies) if proxies and forwarded else _direct(remote)


@lru_cache(maxsize=4096)
def _direct(remote: str | None) -> str | None:
    return _behind(remote, None, ())


def _behind(remote: str | None, forwarded: str | None, proxies: tuple[Network, ...]) -> str | None:
    address = _address(remote)
    for each in reversed((forwarded or "").split(",")):
        if address is None or not any(address in proxy for proxy in proxies) or (behind := _address(each)) is None:
            break
        address = behind
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))
    return str(address) if address else remote or None


def home(environ: Mapping[str, Any], proxies: tuple[Network, ...]) -> str:
    """Scheme and host of the request of *environ*, without a slash; those that one of *proxies* names come first.

    Where the request names no host, or something else in its place, it is where w3id.org leads to us.
    """
    scheme, host = environ.get("wsgi.url_scheme", "http"), environ.get("HTTP_HOST", "")
    address = _address(environ.get("REMOTE_ADDR"))
    if address and any(address in proxy for proxy in proxies):
        scheme = environ.get("HTTP_X_FORWARDED_PROTO", scheme)
        host = environ.get("HTTP_X_FORWARDED_HOST", host)
    if scheme not in ("http", "https") or not _HOST.fullmatch(host):
        return names.BASE.rstrip("/")
    return f"{scheme}://{host.lower()}"


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
