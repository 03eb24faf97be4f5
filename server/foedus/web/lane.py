"""The fast lane: what programs ask by GET is answered within the server's loop, without a thread of its own.

To wake a thread for a request, and the loop for its answer, costs more than all that is done for both. So such requests
are carried on by the loop, as many at once as there are. How headers are read is not decided here: those of a request
that waitress has read are remembered as it read them, and only a request with the very same ones behind its first line
takes the lane. Whatever is wrong with one, and what is for people, is handed over to a thread, which goes on from it.
"""

import re
import time
from collections.abc import Callable, Coroutine
from typing import Any
from wsgiref.types import WSGIEnvironment

from foedus.query.kept import Kept
from foedus.query.pool import Asker
from foedus.query.waiting import Step
from foedus.web import visit
from foedus.web.connections import IDENT, Handed, Headers, Made, first_lines
from foedus.web.endpoint import Endpoint, status_line
from foedus.web.express import LONGEST_HEAD, Express
from foedus.web.watching import Register, Served

_FIRST = re.compile(rb"GET (/sparql|/queries/[a-z0-9-]+\.[a-z]+)(?:\?([!\"$-~]*))? HTTP/1\.1")
_ROOM = 1 << 20
"""Bytes for the headers that are remembered."""
_EACH = 2 << 10
"""Bytes that what is remembered of a request takes beside its headers, about."""
_OF_ONE_REQUEST = frozenset(("wsgi.input", "waitress.client_disconnected"))


class Lane(Express):
    """An express that has answers made, too, by *endpoint*."""

    def __init__(self, endpoint: Endpoint, asker: Asker, kept: Kept, register: Register) -> None:
        super().__init__(asker, kept, register)
        self.endpoint = endpoint
        self._known = Kept(_ROOM)

    def learn(self, head: bytes, environ: WSGIEnvironment) -> None:
        """Remember how waitress has read *head*, a request of HTTP/1.1 that ends with its headers."""
        headers = head[head.find(b"\r\n") :]
        if len(head) <= LONGEST_HEAD and self._known.find(headers) is None:
            template = {name: value for name, value in environ.items() if name not in _OF_ONE_REQUEST}
            self._known.put(headers, template, 2 * len(headers) + _EACH)

    def asking(
        self, head: bytes, address: tuple[str, int], gone: Callable[[], bool]
    ) -> Coroutine[Step, None, Made | Handed] | None:
        """What makes the answer to the request *head* of the client at *address*; None where it takes no fast lane.

        *gone* tells whether the client has left.
        """
        end = head.find(b"\r\n")
        first = _FIRST.fullmatch(head, 0, end)
        template = self._known.find(head[end:]) if first else None
        if first is None or template is None:
            return None
        path, query = first[1].decode("ascii"), (first[2] or b"").decode("ascii")
        environ = {
            **template,
            "REQUEST_METHOD": "GET",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_URI": head[4 : end - len(b" HTTP/1.1")].decode("ascii"),
            "REMOTE_ADDR": address[0],
            "REMOTE_HOST": address[0],
            "REMOTE_PORT": str(address[1]),
            "waitress.client_disconnected": gone,
        }
        return self._made(head, environ)

    async def _made(self, head: bytes, environ: dict[str, Any]) -> Made | Handed:
        began = time.perf_counter()
        number = self.register.number()
        environ[visit.REQUEST_ID], environ[visit.BEGAN] = number, began
        self.register.counts.begin()
        visit.begin(environ)
        version = self.version()
        reply = await self.endpoint.reply(environ)
        if reply is None:
            self.register.counts.pass_on()
            return Handed({name: value for name, value in environ.items() if name.startswith("foedus.")})
        status = status_line(reply)
        headers: Headers = [*reply.headers, ("X-Request-Id", number), ("Server", IDENT)]
        self.keep(head, version, environ, status, headers, reply.body)
        served = Served.of(environ, reply.status, len(reply.body))
        self.register.enter(number, served, time.perf_counter() - began)
        return Made(first_lines(status, headers), reply.body)
