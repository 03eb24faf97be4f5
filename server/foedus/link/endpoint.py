"""Ask a SPARQL endpoint that has Wikidata's data for items: politely, a few at a time, and once a day.

What is asked is standard SPARQL 1.1, so that any engine with the data can answer. The manners are those that the public
service wants: one request after the other, a user agent that says who asks
(https://meta.wikimedia.org/wiki/User-Agent_policy), and after 429 a wait of ``Retry-After``, or else of a minute
(https://www.mediawiki.org/wiki/Wikidata_Query_Service/User_Manual).
"""

import datetime
import email.utils
import hashlib
import http.client
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyoxigraph

from foedus import __version__, files
from foedus.errors import CannotRead, WrongUsage
from foedus.link import graphs
from foedus.link.wikidata import (
    ALL_LANGUAGES,
    LABELS,
    PROPERTIES,
    TIMES,
    Item,
    Reading,
    Trouble,
    plain,
    qid_of,
)

PUBLIC = "https://query.wikidata.org/sparql"
"""The public query service of Wikidata."""

USER_AGENT = f"Foedus/{__version__} (https://w3id.org/foedus/; comparison of records of alliances)"
"""Who asks: the program, and where to read about it."""

KEPT = 24 * 3600
"""Seconds for which an answer is kept and taken for today's."""

AT_ONCE = 20
"""Items asked for in one query."""

_PAGE = 1000
_NAMES_AT_ONCE = 50
_TRIES = 4
_PATIENCE = 8
_MOST = 20 * _PAGE
_CUT = 1000
"""Engines with a limit of rows cut an answer there without a word; such limits are round numbers."""

_MINUTE = 60
_LONGEST_WAIT = 300
_LARGEST = 1 << 26
_PIECE = 1 << 16
_QUERIES = Path(__file__).parent / "queries"
_SLOW = frozenset({500, 504, 408})
"""What services answer to a query that they give up: a shorter one may do."""


class _TooMuch(CannotRead):
    """The endpoint takes too long or answers too much: fewer items may be answered."""


class _NoMore(CannotRead):
    """The endpoint cannot be reached, or wants no more questions for now."""


def cache_folder() -> Path:
    """The folder for answers: ``foedus/wikidata`` in the user's cache."""
    chosen = os.environ.get("XDG_CACHE_HOME")
    return (Path(chosen) if chosen else Path.home() / ".cache") / "foedus" / "wikidata"


@dataclass(frozen=True)
class Asking:
    """Where to ask and how: answers are kept in *cache*, and not taken from it if *fresh*.

    A try ends after *limit* seconds; items are asked for *at_once*, members a *page* at a time.
    """

    url: str = PUBLIC
    cache: Path = field(default_factory=cache_folder)
    fresh: bool = False
    limit: float = 70
    at_once: int = AT_ONCE
    page: int = _PAGE
    wait: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        """Raises WrongUsage for what is no address of an endpoint."""
        try:
            parts = urllib.parse.urlsplit(self.url)
            known = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        except ValueError:
            known = False
        if not known or parts.username is not None or not self.url.isascii() or not self.url.isprintable():
            raise WrongUsage(f"“{self.url}” is not the address of an endpoint.", "Write https://host/path.")


def read(asking: Asking, qids: Sequence[str], languages: Sequence[str], alliances: Sequence[str] = ()) -> Reading:
    """The items *qids* and all that are stated to be members of *alliances*, each whole, with labels in *languages*.

    Where an answer does not come, its items are told as unread, and what came is kept. An endpoint that is too slow
    for several items is asked for fewer; one that cannot be reached, or wants no more questions, is asked no more.
    """
    items: list[Item] = []
    troubles: list[Trouble] = []

    def give_up(unread: Sequence[str], error: CannotRead) -> None:
        shown = ", ".join(unread[:5]) + (f" and {len(unread) - 5} more" if len(unread) > 5 else "")
        troubles.append(Trouble(asking.url, shown, error.message, error.remedy))
        items.extend(Item(qid, unread=True) for qid in unread)

    every, failed = list(qids), 0
    try:
        every = list(dict.fromkeys([*qids, *_members(asking, alliances)]))
    except CannotRead as error:
        troubles.append(Trouble(asking.url, "members", error.message, error.remedy))
        if isinstance(error, _NoMore):
            give_up(every, error)
            every = []
    left = [every[start : start + asking.at_once] for start in range(0, len(every), asking.at_once)]
    while left:
        asked = left.pop(0)
        try:
            items += _read(asking, asked, languages, troubles)
            failed = 0
            continue
        except _TooMuch as error:
            failed += 1
            if len(asked) > 1 and failed < _PATIENCE:
                left[:0] = [asked[: len(asked) // 2], asked[len(asked) // 2 :]]
            else:
                give_up(asked, error)
        except _NoMore as error:
            failed = _PATIENCE
            give_up(asked, error)
        except CannotRead as error:
            failed += 1
            give_up(asked, error)
        if failed >= _PATIENCE and left:
            give_up([qid for more in left for qid in more], CannotRead("It was asked no more.", "Ask again later."))
            left = []
    if items and all(item.gone for item in items):
        items.clear()
        give_up(every, CannotRead("It knows none of these items.", "Ask an endpoint with the data of Wikidata."))
    return Reading(asking.url, tuple(items), tuple(troubles), datetime.date.today().toordinal(), False)


def called(asking: Asking, texts: Sequence[tuple[str, str]], languages: Sequence[str]) -> list[Reading]:
    """All items with one of *texts*, each with its language, as a label or alias; labels are read in *languages*.

    Once a question is not answered, no further one is put, and what came is kept.
    """
    found: list[str] = []
    missed: list[Reading] = []
    text = (_QUERIES / "named.rq").read_text(encoding="utf-8")
    for start in range(0, len(texts), _NAMES_AT_ONCE):
        some = texts[start : start + _NAMES_AT_ONCE]
        values = " ".join(str(pyoxigraph.Literal(name, language=language)) for name, language in some)
        try:
            found += [qid_of(row.value) for (row,) in _asked(asking, text.replace('"NATO"@en', values), "item")]
        except CannotRead as error:
            place = f"{len(texts) - start} of {len(texts)} names"
            missed = [Reading(asking.url, (), (Trouble(asking.url, place, error.message, error.remedy),), None, False)]
            break
    return [*missed, read(asking, tuple(dict.fromkeys(filter(None, found))), languages)]


def _members(asking: Asking, targets: Sequence[str]) -> tuple[str, ...]:
    """The QIDs of all that are stated to be members of *targets*."""
    found: list[str] = []
    text = (_QUERIES / "members.rq").read_text(encoding="utf-8").replace("wd:Q7184", _items(targets))
    while targets and len(found) < _MOST:
        page = _asked(asking, text.replace("LIMIT 1000\nOFFSET 0", f"LIMIT {asking.page}\nOFFSET {len(found)}"), "item")
        found += [qid_of(row.value) for (row,) in page]
        if len(page) < asking.page:
            break
    return tuple(dict.fromkeys(filter(None, found)))


def _read(asking: Asking, qids: Sequence[str], languages: Sequence[str], troubles: list[Trouble]) -> Iterator[Item]:
    claims = " ".join(f"p:{name}" for name in PROPERTIES)
    values = " ".join(f"ps:{name}" for name in PROPERTIES)
    nodes = " ".join(f"psv:{name}" for name in TIMES)
    tags = ", ".join(f'"{language}"' for language in (*languages, ALL_LANGUAGES))
    text = (_QUERIES / "items.rq").read_text(encoding="utf-8")
    for old, new in (("wd:Q183", _items(qids)), ("psv:P463", nodes), ("ps:P463", values), ("p:P463", claims)):
        text = text.replace(old, new)
    rows = _asked(asking, text.replace('"en"', tags), "s", "p", "o")
    if rows and len(rows) % _CUT == 0:
        raise _TooMuch(f"The answer has {len(rows)} rows, as if it were cut there.", "Compare these by hand.")
    graph = graphs.Graph(rows)
    found = {item.qid: item for item in graph.items(asking.url, troubles)}
    spoiled = {trouble.place.partition(",")[0] for trouble in troubles}
    for qid in qids:
        item = found.get(qid)
        if item is None:
            yield Item(qid, gone=True)
        elif item.redirect:
            yield item
        else:
            yield replace(item, whole=item.whole if qid in spoiled else frozenset({*PROPERTIES, LABELS}))


def _items(qids: Sequence[str]) -> str:
    return " ".join(f"wd:{qid}" for qid in map(qid_of, qids) if qid)


def _asked(asking: Asking, query: str, *columns: str) -> list[tuple[Any, ...]]:
    """The rows of the answer to *query*, from the cache if they are of today.

    CannotRead if there is no whole answer with these *columns*, each of them bound.
    """
    name = hashlib.sha256(f"{asking.url}\n{query}".encode()).hexdigest()
    kept = asking.cache / f"{name}.json"
    if not asking.fresh:
        # A kept answer that is too old, cannot be read or is not whole is none.
        with suppress(OSError, CannotRead):
            if time.time() - kept.stat().st_mtime < KEPT:
                return _rows(kept.read_bytes(), columns)
    body = _fetched(asking, query)
    rows = _rows(body, columns)
    # What cannot be kept is asked for again next time.
    with suppress(OSError):
        _forget(asking.cache)
        files.write(kept, body.decode())
    return rows


def _forget(cache: Path) -> None:
    """Remove the answers that are no longer of use."""
    for old in cache.glob("*.json"):
        if time.time() - old.stat().st_mtime >= KEPT:
            old.unlink(missing_ok=True)


def _rows(body: bytes, columns: Sequence[str]) -> list[tuple[Any, ...]]:
    if body.lstrip()[:1] == b"<":
        raise CannotRead("The answer is a page of HTML or XML, no SPARQL JSON.", "Is it the address of an endpoint?")
    try:
        found = json.loads(body)["results"]["bindings"]
        return [tuple(_term(row[column]) for column in columns) for row in found]
    except (ValueError, RecursionError) as error:
        raise CannotRead(f"The answer is no SPARQL JSON, or breaks off: {plain(error)}.", "Ask again later.") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise CannotRead("The answer does not have the rows that were asked for.", "Is it an endpoint?") from error


def _term(told: Mapping[str, str]) -> pyoxigraph.NamedNode | pyoxigraph.BlankNode | pyoxigraph.Literal:
    """A term of SPARQL JSON, blank nodes under a label of ours: engines give them labels that are none."""
    if told["type"] == "uri":
        return pyoxigraph.NamedNode(told["value"])
    if told["type"] == "bnode":
        return pyoxigraph.BlankNode(hashlib.sha256(told["value"].encode()).hexdigest())
    return pyoxigraph.Literal(told["value"], language=told.get("xml:lang"))


def _fetched(asking: Asking, query: str) -> bytes:
    """The body of the answer; after 429, 502 and 503 asked again when the server says, or after a while."""
    for turn in range(1, _TRIES + 1):
        try:
            return _answer(asking, query)
        except urllib.error.HTTPError as error:
            with error:
                pause = _pause(error.headers.get("Retry-After"), error.code, turn)
            message = f"The endpoint answered {error.code} {plain(error.reason)}".rstrip() + "."
            if error.code in _SLOW:
                raise _TooMuch(message, "Ask again later.") from error
            if error.code not in {429, 502, 503} or turn == _TRIES:
                raise _NoMore(message, "Check the address, or ask again later.") from error
            if pause > _LONGEST_WAIT:
                raise _NoMore(f"{message} It wants no question for {pause:.0f} s.", "Ask again then.") from error
            asking.wait(pause)
        except TimeoutError as error:
            raise _TooMuch(f"No whole answer came within {asking.limit:g} s.", "Ask again later.") from error
        except http.client.HTTPException as error:
            raise CannotRead(f"The answer breaks off: {plain(error)}.", "Ask again later.") from error
        except OSError as error:
            reason = getattr(error, "reason", None) or error
            if isinstance(reason, TimeoutError):
                raise _TooMuch(f"No whole answer came within {asking.limit:g} s.", "Ask again later.") from error
            told = getattr(reason, "strerror", None) or reason
            message = f"The endpoint cannot be asked: {plain(told) or type(error).__name__}."
            raise _NoMore(message, "Check the address, or ask again later.") from error
    raise AssertionError("the last turn returns or raises")


class _NoWayOn(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: a form sent on as a GET would ask nothing."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _answer(asking: Asking, query: str) -> bytes:
    headers = {"User-Agent": USER_AGENT, "Accept": "application/sparql-results+json"}
    data = urllib.parse.urlencode({"query": query}).encode()
    request = urllib.request.Request(asking.url, data=data, headers=headers)
    until = time.monotonic() + asking.limit
    pieces: list[bytes] = []
    size = 0
    with urllib.request.build_opener(_NoWayOn).open(request, timeout=asking.limit) as answer:
        # Piece by piece, because the timeout is one of silence and begins anew with every byte.
        while piece := answer.read1(_PIECE):
            pieces.append(piece)
            size += len(piece)
            if size > _LARGEST:
                raise _TooMuch(f"The answer is larger than {_LARGEST >> 20} MiB.", "Ask another endpoint.")
            if time.monotonic() > until:
                raise TimeoutError
        if answer.length:
            raise http.client.IncompleteRead(b"", answer.length)
    return b"".join(pieces)


def _pause(told: str | None, status: int, turn: int) -> float:
    """Seconds to wait: those of ``Retry-After``, a number or a date; else a minute after 429, or two, four, eight."""
    if told and told.strip().isdecimal():
        return float(told)
    with suppress(ValueError, OverflowError):
        return max(0.0, email.utils.parsedate_to_datetime(told or "").timestamp() - time.time())
    return _MINUTE if status == 429 else float(2**turn)
