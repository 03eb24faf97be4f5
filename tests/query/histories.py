"""Records of invented states and treaties, built by hand for the tests of tables and comparisons."""

from datetime import date

from foedus.query.record import COW, FAR, GLEDITSCH_WARD, Body, Code, Covered, Record, Span, Spell, Wording

HORIZON = date(2000, 7, 1).toordinal()


def day(text: str) -> int:
    return date.fromisoformat(text).toordinal()


def span(begin: str, end: str = "", *, begun: str = "", ended: str = "", attested: str = "") -> Span:
    """From *begin* (at the latest *begun*) to before *end* (at the latest *ended*), or open, attested up to a day."""
    last = ended or end
    return Span.of(day(begin), day(begun or begin), day(end or attested), day(last) if last else None)


def party(state: str, treaty: str, held: Span, kind: str = "party", number: int = 1) -> Spell:
    return Spell(f"{kind}-{treaty}-{state}-{number}", kind, state, treaty, number, held, "", "")


def record(
    *spells: Spell,
    wordings: tuple[Wording, ...] = (),
    covered: dict[str, Covered] | None = None,
    bodies: tuple[Body, ...] = (),
) -> Record:
    """A record of *spells* of Alba (901), Borea (902, since 3 October 1990 903), Cimmeria (904), Doria (no number)."""
    codes = {
        (COW, "alba"): [Code(day("1900-01-01"), FAR, "901")],
        (COW, "borea"): [
            Code(day("1900-01-01"), day("1990-10-03"), "902"),
            Code(day("1990-10-03"), FAR, "903"),
        ],
        (COW, "cimmeria"): [Code(day("1900-01-01"), FAR, "904")],
        (GLEDITSCH_WARD, "alba"): [Code(day("1900-01-01"), FAR, "911")],
    }
    named = {spell.body for spell in spells} - {body.name for body in bodies}
    return Record(
        horizon=HORIZON,
        spells=spells,
        wordings=wordings,
        bodies={body.name: body for body in (*bodies, *(Body(name, name.title(), "", (), None) for name in named))},
        memberships_covered={},
        pledges_covered=covered or {},
        labels={name: name.title() for name in ("alba", "borea", "cimmeria", "doria")},
        codes=codes,
    )


def wording(kind: str, held: Span, *obliged: str, treaty: str = "pact") -> Wording:
    return Wording(treaty, kind, held, frozenset(obliged) or None)
