"""Items of Wikidata and what is stated of them, as every way of reading them gives it: ids, times, statements, labels.

The forms are those of the Wikibase data model. Only the properties that the record can be held against are read:
membership with its begin and end, class, inception and dissolution, and what an item replaces or follows.
"""

import datetime
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from foedus.errors import CannotRead

MEMBER_OF, START, END = "P463", "P580", "P582"
INSTANCE_OF, INCEPTION, DISSOLVED = "P31", "P571", "P576"
REPLACES, REPLACED_BY, FOLLOWS, FOLLOWED_BY = "P1365", "P1366", "P155", "P156"

TIMES = (INCEPTION, DISSOLVED)
"""The properties whose values are times; those of all others are items."""

IDENTIFIERS = ("P297", "P298", "P1566")
"""ISO 3166-1 alpha-2 and alpha-3 codes, and GeoNames: properties by which an item may be found."""

PROPERTIES = (MEMBER_OF, INSTANCE_OF, *TIMES, REPLACES, REPLACED_BY, FOLLOWS, FOLLOWED_BY)
"""The properties that are read."""

LABELS = "labels"
"""Stands among the properties of which an item is whole: all of its labels and aliases are there."""

ALL_LANGUAGES = "mul"
"""The language of a label that holds in every language that has no label of its own."""

DAY, MONTH, YEAR = 11, 10, 9
"""Precisions of a time; each lower one is ten times as coarse as a year."""

ENTITY = "http://www.wikidata.org/entity/"

_ITEM = re.compile(r"[Qq]([1-9]\d{0,9})\Z")
_TIME = re.compile(r"([+-]?)(\d{1,16})-(\d\d)-(\d\d)T\d\d:\d\d:\d\d(?:\.0+)?(?:Z|[+-]00:00)?\Z")
_DATE_IN_NAME = re.compile(r"(?<!\d)(\d{4}-\d\d-\d\d)(?!\d)")


@dataclass(frozen=True)
class Time:
    """A time as far as it is known: its first and last day, as ordinals of the Gregorian calendar, and in writing."""

    first: int
    last: int
    text: str
    precision: int


UNKNOWN = Time(1, datetime.date.max.toordinal(), "unknown", 0)
"""The value of a time that is there and not known."""


@dataclass(frozen=True)
class Statement:
    """What *item* has as its *property*: *target*, another item, or *time*; neither where it is said to have none.

    *begin* and *end* are its qualifiers, *references* how many it has (None where its source does not tell), *place*
    says where in its file it stands. A *truthy* one is without rank, qualifiers and references: it says nothing about
    when.
    """

    item: str
    property: str
    target: str
    place: str
    time: Time | None = None
    rank: str = "normal"
    begin: Time | None = None
    end: Time | None = None
    references: int | None = None
    truthy: bool = False


@dataclass(frozen=True)
class Item:
    """An item: its labels and aliases by language, its codes by property, and its statements.

    *whole* names the properties of which every statement is there. *redirect* names its heir; one that is *gone* is
    deleted or never was; one that is *unread* is in Wikidata for all we know.
    """

    qid: str
    statements: tuple[Statement, ...] = ()
    whole: frozenset[str] = frozenset()
    labels: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    codes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    redirect: str = ""
    gone: bool = False
    unread: bool = False

    @property
    def label(self) -> str:
        """Its English label, or nothing."""
        return self.labels.get("en") or self.labels.get(ALL_LANGUAGES, "")


@dataclass(frozen=True)
class Trouble:
    """What of a file could not be read, where, and what to do; the rest of the file was read."""

    file: str
    place: str
    message: str
    remedy: str


@dataclass(frozen=True)
class Reading:
    """What was read from a file or an endpoint; *day* is that whose state it shows, None where it does not say.

    An *answer* is a list of statements that some query chose; what is not in it may still be in Wikidata.
    """

    file: str
    items: tuple[Item, ...]
    troubles: tuple[Trouble, ...]
    day: int | None
    answer: bool


def named_day(path: Path) -> int | None:
    """The day that the name of a file gives, as of ``…_2020-10-28.csv``."""
    found = _DATE_IN_NAME.search(path.name)
    return day_of(found[1]) if found else None


def day_of(text: str) -> int | None:
    """The day that *text* begins with, as an ordinal; None where it does not."""
    try:
        return datetime.date.fromisoformat(text[:10]).toordinal()
    except ValueError:
        return None


def qid_of(text: object) -> str:
    """The QID in *text*, an id or the IRI of an entity, with a capital Q; nothing where it is neither."""
    found = _ITEM.match(str(text).removeprefix(ENTITY).removeprefix("https://www.wikidata.org/entity/"))
    return f"Q{found[1]}" if found else ""


def time_of(text: str, precision: int, julian: bool = False) -> Time:
    """A time of Wikidata, its year of any length; CannotRead where it is no time of our calendar."""
    found = _TIME.match(text)
    if not found or found[1] == "-" or not 0 <= precision <= 14:
        raise CannotRead(f"“{plain(text)}” is no time of the common era.", "Compare it by hand.")
    year, month, day = (int(part) for part in found.groups()[1:])
    try:
        if precision >= DAY:
            exact = datetime.date(year, month, day).toordinal()
            # Between the calendars lie ten days in 1582, and one more from March of 1700, 1800 and 1900 on.
            century = (year - (month < 3)) // 100
            exact += century - century // 4 - 2 if julian else 0
            return Time(exact, exact, datetime.date.fromordinal(exact).isoformat(), DAY)
        if precision == MONTH:
            first = datetime.date(year, month, 1)
            after = datetime.date(year + month // 12, month % 12 + 1, 1)
            return Time(first.toordinal(), after.toordinal() - 1, first.isoformat()[:7], precision)
        years = 10 ** (YEAR - precision)
        # A decade begins with its round year; a century and all that is longer ends with it.
        begin = year // years * years if years <= 10 else (year - 1) // years * years + 1
        first, after = datetime.date(max(begin, 1), 1, 1), datetime.date(begin + years, 1, 1)
    except (ValueError, OverflowError) as error:
        raise CannotRead(f"“{text}” is no date to the precision {precision}.", "Compare it by hand.") from error
    shown = f"{year:04}" if years == 1 else f"[{begin:04}..{begin + years - 1:04}]"
    return Time(first.toordinal(), after.toordinal() - 1, shown, precision)


def spanned(times: Iterable[Time]) -> Time | None:
    """The time that all of *times* span; None where there is none."""
    found = sorted(set(times), key=lambda each: (each.first, each.last))
    if len(found) < 2:
        return found[0] if found else None
    text = f"{{{', '.join(each.text for each in found)}}}"
    return Time(found[0].first, max(each.last for each in found), text, min(each.precision for each in found))


def statement_id(text: str) -> str:
    """The id of a statement as Wikibase writes it today: ``q183-C88D…`` and ``q183$C88D…`` are ``Q183$C88D…``."""
    found = re.match(r"[Qq]([1-9]\d*)[$-](.+)\Z", text)
    return f"Q{found[1]}${plain(found[2])}" if found else plain(text)


def plain(text: object) -> str:
    """*text* of a stranger's as one short line that no terminal obeys and that every encoding of Unicode can write."""
    return "".join(each if each.isprintable() else "�" for each in str(text))[:200]
