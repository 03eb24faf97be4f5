"""/reconcile: match the names in somebody's table to the record, as OpenRefine asks it.

This is the Reconciliation Service API 0.2. `refine.py` reads and writes its JSON; what is meant by a name is decided in
`foedus.query.matching`.
"""

import json
import re
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from flask import Blueprint, Response, current_app, render_template, request

from foedus.errors import Busy, NoSuchThing, NotAcceptable, QueryTooSlow, TooLarge, WrongBodyType, WrongUsage
from foedus.query import formats, matching, waiting
from foedus.query.extending import Property, Settings
from foedus.query.likeness import folded
from foedus.query.matching import ON, Matcher, Query
from foedus.query.pool import Asker
from foedus.query.things import Kind, Thing
from foedus.web import headers, refine
from foedus.web.shelf import shelf
from foedus.web.turns import Rules, Turns, asker

bp = Blueprint("reconcile", __name__, url_prefix="/reconcile")

LARGEST_BODY = 256 << 10
"""Bytes of a form, at most."""

LONGEST_PREFIX = 200
"""Characters of what somebody is typing, at most."""

SUGGESTIONS = 20
"""Suggestions in one answer; ``cursor`` leads to the next."""

PATIENCE = 20.0
"""Seconds that a request waits while another one has the names fetched."""

RULES = Rules("batches", at_once=1, waiting=16, share=4, patience=10.0)
"""How many batches are matched at once, and who waits: to match takes this process up to a second."""

FORM = "application/x-www-form-urlencoded"
_NUMBER = re.compile("[0-9]{1,9}")
_CALLBACK = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]{0,63}(?:\.[A-Za-z_$][A-Za-z0-9_$]{0,63}){0,3}")
_OFFERS = (("application/json", False), *((media_type, True) for media_type in headers.PAGE))
_PREVIEW_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors *"
_SHOWN_CODES = ("ISO 3166-1", "COW", "Gleditsch–Ward")


_Named = TypeVar("_Named", Kind, Property)


class Matchers:
    """The matcher of one app, for the version of the data that is served, and whose turn it is to use it."""

    def __init__(self) -> None:
        self.turns = Turns(RULES)
        self._making = threading.Lock()
        self._kept: tuple[str, Matcher] | None = None

    def of(self, asker: Asker) -> Matcher:
        """The matcher over what *asker* answers from; Busy where another request takes long to make it."""
        version = asker.dataset.sha256
        kept = self._kept
        if kept and kept[0] == version:
            return kept[1]
        if not waiting.acquired(self._making, PATIENCE):
            raise Busy("The names are being fetched for somebody else.", "Try again in a minute.")
        try:
            if not self._kept or self._kept[0] != version:
                self._kept = version, matching.matcher(asker)
            return self._kept[1]
        finally:
            self._making.release()


@bp.route("", methods=["GET", "POST"])
def service() -> Response:
    """The service itself: manifest, queries, extension; for people who come with a browser, how to use it."""
    if request.method == "POST":
        request.max_content_length = LARGEST_BODY
        if (request.content_length or 0) > LARGEST_BODY:
            raise TooLarge("The form is too large.", f"Send at most {LARGEST_BODY >> 10} KiB.")
        if request.mimetype not in (FORM, ""):
            raise WrongBodyType(f"“{request.mimetype[:80]}” is not read here.", f"Send queries as {FORM}.")
    given = request.values
    asked = [each for each in ("queries", "query", "extend") if each in given]
    if len(asked) > 1:
        raise WrongUsage(f"“{asked[0]}” and “{asked[1]}” are asked at once.", "Send one of them.")
    if asked == ["extend"]:
        return _json(_extended(given["extend"]))
    if asked == ["queries"]:
        return _json(_answered(refine.batch(given["queries"])))
    if asked == ["query"]:
        return _json(_answered({"q": _single(given)})["q"])
    if request.method == "POST":
        raise WrongUsage("The form has neither “queries” nor “extend”.", "Send queries={…} as JSON.")
    return _manifest_or_page()


@bp.get("/suggest/<what>")
def suggest(what: str) -> Response:
    """What somebody may be typing, by ``prefix``: things, types or properties; ``cursor`` skips so many."""
    _require_known(what)
    prefix, skipped = request.args.get("prefix", ""), _cursor()
    if len(prefix) > LONGEST_PREFIX:
        raise TooLarge("The prefix is too long.", f"Send at most {LONGEST_PREFIX} characters.")
    matcher, found = _matcher(), []
    if what == "entity" and prefix.strip():
        of = [each for each in request.args.getlist("type") if each]
        found = [refine.entity(each, matcher.things) for each in matcher.beginning(prefix, of)[skipped:][:SUGGESTIONS]]
    elif what == "type":
        kinds = [matcher.things.kinds[each] for each in matcher.things.kinds_in_use if each in matcher.things.kinds]
        found = [refine.kind(each, matcher.things) for each in _beginning(prefix, kinds)[skipped:][:SUGGESTIONS]]
    elif what == "property":
        properties = [ON, *matcher.extension.properties.values()]
        found = [refine.property(each) for each in _beginning(prefix, properties)[skipped:][:SUGGESTIONS]]
    return _json({"result": found})


@bp.get("/flyout/<what>")
def flyout(what: str) -> Response:
    """A small piece of HTML on the thing, type or property ``id``."""
    _require_known(what)
    wanted, matcher = request.args.get("id", ""), _matcher()
    about: Thing | Kind | Property
    if what == "entity":
        about = _thing(wanted)
        said = refine.description(about, matcher.things)
    else:
        try:
            about = matcher.things.kind(wanted) if what == "type" else matcher.property(wanted)
        except WrongUsage as error:
            raise NoSuchThing(error.message, error.remedy) from error
        said = about.description
    return _json({"id": wanted, "html": render_template("reconcile-flyout.html", name=about.label, said=said)})


@bp.get("/preview")
def preview() -> Response:
    """A small page on the thing ``id``, for a frame in somebody's application."""
    thing, matcher = _thing(request.args.get("id", "")), _matcher()
    extension, things = matcher.extension, matcher.things
    found = {name: _values(extension.property(name), thing) for name in ("otherName", "code", "memberOf", "wikidata")}
    page = render_template(
        "reconcile-preview.html",
        thing=thing,
        said=refine.cut(thing.description),
        kinds=refine.types(thing, things),
        others=found["otherName"][:12],
        codes=[each for each in found["code"] if each.startswith(_SHOWN_CODES)],
        bodies=found["memberOf"],
        items=found["wikidata"],
    )
    response = Response(page, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = _PREVIEW_POLICY
    return response


@bp.get("/properties")
def properties() -> Response:
    """The properties that things of the type ``type`` have, for columns beside theirs; ``limit`` of them."""
    matcher = _matcher()
    kind = matcher.things.kind(request.args.get("type") or refine.DEFAULT_KINDS[0])
    found = [refine.property(each) for each in matcher.extension.of_kind(kind.name)]
    answer: dict[str, Any] = {"type": kind.name, "properties": found}
    limit = request.args.get("limit")
    if limit is not None:
        if not re.fullmatch("[1-9][0-9]{0,5}", limit):
            raise WrongUsage(f"“{limit[:20]}” is no limit.", "Write it as 10.")
        answer |= {"limit": int(limit), "properties": found[: int(limit)]}
    return _json(answer)


def _manifest_or_page() -> Response:
    chosen = formats.negotiate(request.headers.get("Accept"), _OFFERS)
    if chosen is None:
        offered = "application/json, text/html"
        raise NotAcceptable("None of the formats that you accept fits.", f"Accept one of: {offered}.")
    matcher = _matcher()
    lists = sorted({each.scheme for given in matcher.things.index.codes.values() for each in given if each.scheme})
    if chosen[1]:
        made = [ON, *(each for each in matcher.extension.of_kind("State") if each.name in _EXPLAINED)]
        page = render_template(
            "reconcile.html", address=f"{shelf().home()}/reconcile", properties=made, lists=lists, limits=refine
        )
        response = Response(page, content_type="text/html; charset=utf-8")
    else:
        kinds = [matcher.things.kinds[each] for each in refine.DEFAULT_KINDS if each in matcher.things.kinds]
        told = refine.manifest(shelf().home(), lists)
        response = _json(told | {"defaultTypes": [{"id": each.name, "name": each.label} for each in kinds]})
    response.vary.add("Accept")
    return response


_EXPLAINED = frozenset(("memberOf", "partyTo", "code", "wikidata", "name", "otherName", "iso3"))


def _answered(queries: Mapping[str, Query]) -> dict[str, Any]:
    """The answers, by key; QueryTooSlow where all together take longer than a query may."""
    matcher, limit = _matcher(), shelf().library.pool.limits.time_limit
    answers = {}
    with _matchers().turns.turn(asker(), request.environ.get("waitress.client_disconnected")):
        until = time.monotonic() + limit
        for key, each in queries.items():
            if time.monotonic() > until:
                raise QueryTooSlow(f"The batch took longer than {limit:g} s.", "Send fewer queries at once.")
            answers[key] = refine.result(matcher.match(each), matcher.things)
    return answers


def _single(given: Mapping[str, str]) -> Query:
    """The query of a request that has one only; beside a bare name, ``type`` and ``limit`` may stand."""
    text = given["query"]
    if text.lstrip().startswith("{"):
        return refine.single(text)
    limit = given.get("limit", "")
    content: dict[str, object] = {"query": text, "type": [given["type"]] if given.get("type") else []}
    return refine.query(
        content | ({"limit": int(limit) if _NUMBER.fullmatch(limit) else limit} if limit else {}), "The query"
    )


def _extended(text: str) -> dict[str, Any]:
    matcher = _matcher()
    ids, wanted = refine.extension(text)
    known = (matcher.things.thing(each) for each in ids)
    of = list({each.name: each for each in known if each}.values())
    named = [(matcher.extension.property(name), settings) for name, settings in wanted]
    values = [matcher.extension.values(of, each, settings) for each, settings in named]
    return refine.extended(ids, [each for each, _ in named], values, matcher.things)


def _values(property: Property, thing: Thing) -> list[str]:
    """The values of *property* as texts."""
    found = _matcher().extension.values([thing], property, Settings())
    return list(dict.fromkeys(each.label or each.text for each in found.get(thing.name, ())))


def _thing(name: str) -> Thing:
    found = _matcher().things.thing(name)
    if found is None:
        raise NoSuchThing(f"There is nothing “{name[:80]}” to reconcile with.", "Ids are those of /reconcile itself.")
    return found


def _beginning(prefix: str, among: Iterable[_Named]) -> list[_Named]:
    """Those of *among* with a name, or a word of it, that begins with *prefix*: names first."""
    wanted = folded(prefix)
    ranked = []
    for each in among:
        texts = (folded(each.label), folded(each.name))
        if any(text.startswith(wanted) for text in texts):
            ranked.append((0, each))
        elif any(word.startswith(wanted) for text in texts for word in text.split()):
            ranked.append((1, each))
    return [each for _, each in sorted(ranked, key=lambda found: found[0])]


def _require_known(what: str) -> None:
    if what not in refine.SUGGESTED:
        raise NoSuchThing(f"There are no suggestions of “{what[:40]}”.", f"Choose from: {', '.join(refine.SUGGESTED)}.")


def _cursor() -> int:
    text = request.args.get("cursor") or "0"
    if not re.fullmatch("[0-9]{1,6}", text):
        raise WrongUsage(f"“{text[:20]}” is no cursor.", "Write it as 20: so many suggestions are skipped.")
    return int(text)


def _matcher() -> Matcher:
    return _matchers().of(shelf().library.pool)


def _matchers() -> Matchers:
    matchers: Matchers = current_app.extensions.setdefault("foedus-matchers", Matchers())
    return matchers


def _json(content: object) -> Response:
    """*content* as JSON, or as a call of the function ``callback`` with it (JSONP); every character is plain ASCII."""
    text = json.dumps(content, separators=(",", ":"))
    callback = request.args.get("callback")
    if callback is None:
        return Response(text, content_type="application/json")
    if not _CALLBACK.fullmatch(callback):
        raise WrongUsage("“callback” is no name of a function.", "Use letters, digits, _ and $, or leave it out.")
    # The comment keeps what follows from being taken for the beginning of another kind of file.
    return Response(f"/**/{callback}({text});", content_type="application/javascript; charset=utf-8")
