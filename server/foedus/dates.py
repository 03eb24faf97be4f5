"""Dates of the record in words: EDTF strings of the closed list, days and moments."""

import datetime
import re

_DAY = r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?"
_SINGLE = re.compile(rf"({_DAY})([?~]?)")
_ONE_OF = re.compile(rf"\[({_DAY})\.\.({_DAY})\]")
_SPAN = re.compile(rf"({_DAY})/({_DAY}|\.\.)")
_MOMENT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}:[0-9]{2})(?::[0-9.]+)?(Z|[+-][0-9]{2}:[0-9]{2})?")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def is_date(text: str) -> bool:
    """Whether *text* is written like a date; a bare year is not, since it reads the same as a number."""
    return bool("-" in text or "/" in text or text[-1:] in "?~") and any(
        form.fullmatch(text) for form in (_SINGLE, _ONE_OF, _SPAN, _MOMENT)
    )


def is_day(text: str) -> bool:
    """Whether *text* is a day of the calendar, written YYYY-MM-DD."""
    try:
        return datetime.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def in_words(text: str, brief: bool = False) -> str:
    """*text* as a reader says it: ``[2006-06-23..2008-03-28]`` is “between 23 June 2006 and 28 March 2008”.

    *brief* cuts months to three letters. No line breaks within a day.
    """
    if match := _SINGLE.fullmatch(text):
        said = _day(match[1], brief)
        return f"{said} (uncertain)" if match[2] == "?" else f"about {said}" if match[2] else said
    if match := _ONE_OF.fullmatch(text):
        return f"between {_day(match[1], brief)} and {_day(match[2], brief)}"
    if match := _SPAN.fullmatch(text):
        return (
            f"from {_day(match[1], brief)} on"
            if match[2] == ".."
            else f"{_day(match[1], brief)} to {_day(match[2], brief)}"
        )
    if match := _MOMENT.fullmatch(text):
        zone = "" if match[3] is None else " UTC" if match[3] in ("Z", "+00:00") else f" (UTC{match[3]})"
        return f"{_day(match[1], brief)}, {match[2]}{zone}"
    return text


def in_title(text: str) -> str:
    """*text* with ranges in brackets, as in the name of a spell whose first or last day is unsure, said in words."""
    return _ONE_OF.sub(lambda match: in_words(match[0]), text)


def machine(text: str) -> str:
    """The value of a ``datetime`` attribute, or nothing where HTML has no way to write *text*."""
    return text if re.fullmatch(_DAY, text) or _MOMENT.fullmatch(text) else ""


def _day(text: str, brief: bool) -> str:
    year, *rest = text.split("-")
    if rest and not 1 <= int(rest[0]) <= 12:
        return text
    if not rest:
        return year
    month = _MONTHS[int(rest[0]) - 1][: 3 if brief else None]
    return "\N{NO-BREAK SPACE}".join([str(int(day)) for day in rest[1:]] + [month, year])
