"""Make the reference list of states from four published lists and the crosswalk that is written by hand.

Names and ISO codes come from country-codes; the numbers and the days of system membership from the Correlates of War
list, with its abbreviations, and from that of Gleditsch and Ward; independence and mergers from the ICOW colonial
history data.
"""

import datetime
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from foedus.build.importing import crosswalk, tables, turtle
from foedus.build.importing.crosswalk import Crosswalk, Share, State
from foedus.build.importing.turtle import Thing, string

COUNTRY_CODES = "country-codes"
ICOW = "icow-colonial-history-1-1"

_LANGUAGES = {"ar": "Arabic", "es": "Spanish", "fr": "French", "ru": "Russian", "zh": "Chinese"}
_OFFICIAL = {"ar": "official_name_ar", "es": "official_name_es", "fr": "official_name_fr"}
_OFFICIAL |= {"ru": "official_name_ru", "zh": "official_name_cn"}
# The terminology data base of the United Nations puts an article before formal names, which belongs to no name here,
# and an asterisk after those of states that are no members.
_ARTICLE = {
    "en": re.compile(r"the "),
    "es": re.compile(r"(?:la|el|los|las) "),
    "fr": re.compile(r"(?:la |le |les |l['’])"),
}
_LETTERS = {"DS": "DS", "FIFA": "FIFA", "FIPS": "FIPS 10-4", "IOC": "IOC", "ITU": "ITU", "MARC": "MARC", "WMO": "WMO"}
"""Columns of country-codes with letters that stand for states, and what their lists are called here."""
_KINDS = {"1": "stateFormation", "2": "decolonisation", "3": "secession", "4": "partition"}
"""IndType of the ICOW colonial history data."""

_UNKNOWN = "-9"
_SCHEMES = {"cow": "cow", "gw": "gleditsch-ward"}
"""A list's column in the crosswalk, and its part in the names of code assignments."""
_COUNTED = {
    "State": "states",
    "CodeAssignment": "code assignments",
    "Independence": "independences",
    "Extinction": "extinctions",
}


@dataclass(frozen=True)
class Stretch:
    """Days on which a list counts a number as a member of the state system: *line* of the file, first and last day.

    *letters* is the abbreviation beside the number, empty where the list has none.
    """

    line: int
    number: str
    first: str
    last: str
    letters: str


@dataclass(frozen=True)
class Numbers:
    """A list of numbered states: how the crosswalk, people and the record call it, and its stretches."""

    scheme: str
    shown: str
    source: str
    table: str
    stretches: tuple[Stretch, ...]

    @property
    def stops(self) -> str:
        """The day on which the list itself stops, which ends no state."""
        return max(stretch.last for stretch in self.stretches)


@dataclass(frozen=True)
class Colonial:
    """A row of the ICOW colonial history data; dates are YYYY-MM or YYYY, numbers those of the Correlates of War."""

    line: int
    number: str
    independent: str
    independent_from: str
    kind: str
    seceded: str
    seceded_from: str
    into: str
    merged: str


@dataclass(frozen=True)
class Held:
    """A code that a state had: *last* is empty while it has it, *whole* tells a listed end from a divided number."""

    number: str
    letters: str
    first: str
    last: str
    ended: bool
    divided: bool


@dataclass
class Made:
    """The text of the generated file, how many things of each kind it describes, and the rows that found no place."""

    text: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    unmapped: list[str] = field(default_factory=list)


def make(crosswalk_file: Path, codes: Path, cow: Path, gw: Path, icow: Path | None) -> Made:
    """The states of the crosswalk with what the lists say of them.

    CannotRead where a file is missing or malformed. A row that finds no state is written without one, which
    ``foedus check`` finds; the result tells it too, and which former or absorbing states are nobody's.
    """
    cross = crosswalk.read(crosswalk_file)
    official = _official(codes)
    lists = (_cow(cow), _gleditsch_ward(gw))
    colonial = _colonial(icow) if icow else ()
    made = Made()
    made.unmapped += _without_state(cross, codes.name, official, lists)
    ends = _Ends(cross, colonial, icow.name if icow else "", made.unmapped)
    things: list[Thing] = []
    letters = _letters(official[state.iso3] for state in cross.states if state.iso3 in official)
    for state in cross.states:
        row = official.get(state.iso3)
        things.append(_state(state, row))
        things += _iso_codes(state, row)
        things += _other_codes(state, letters)
        for each in lists:
            held = tuple(_held(state, each))
            things += _codes(state, each, held)
            ends.listed(state, each, held)
        things += ends.independence(state)
        things += ends.extinction(state)
    things += _nobodys_iso_codes(cross, official)
    for each in lists:
        things += _nobodys_numbers(cross, each)
    things += ends.nobodys()
    used = [path.name for path in (codes, cow, gw, *((icow,) if icow else ()))]
    made.text = turtle.document(_head(used), things)
    made.counts = {words: sum(thing.type == type_ for thing in things) for type_, words in _COUNTED.items()}
    return made


def _head(used: list[str]) -> str:
    return (
        "Made by the command foedus import states; do not edit. To change a name or whose a number is, edit\n"
        "data/crosswalk.csv and run the command again.\n"
        f"From: {', '.join(used)}.\n"
        "A number is valid on the days on which its list counts the state as a member of the state system. The day on\n"
        "which a list itself stops ends nothing. The list of ISO and other codes gives no days; none is made up here."
    )


# The four lists


def _official(path: Path) -> dict[str, tables.Row]:
    """The rows of country-codes by alpha-3 code."""
    columns = ["ISO3166-1-Alpha-3", "ISO3166-1-Alpha-2", "ISO3166-1-numeric", "is_independent", "official_name_en"]
    columns += [f"UNTERM {name} Formal" for name in ("English", *_LANGUAGES.values())]
    table = tables.read(path, *((column,) for column in (*columns, *_OFFICIAL.values())))
    wrong = []
    rows: dict[str, tables.Row] = {}
    for row in table.rows:
        codes = (row["ISO3166-1-Alpha-3"], row["ISO3166-1-Alpha-2"], row["ISO3166-1-numeric"])
        if not re.fullmatch(r"[A-Z]{3} [A-Z]{2} \d{1,3}", " ".join(codes)):
            wrong.append((row.line, f"“{' '.join(codes)}” are no ISO codes"))
        elif codes[0] in rows:
            wrong.append((row.line, f"{codes[0]} stands in line {rows[codes[0]].line} already"))
        rows.setdefault(codes[0], row)
    if wrong:
        raise tables.refused(table.name, wrong)
    return rows


def _letters(rows: Iterable[tables.Row]) -> dict[str, dict[str, str]]:
    """The codes of other lists, by alpha-3 code and column of *rows*.

    A cell with no code, with several or with another thing is left out, and so is a code that two states have: vehicles
    of Djibouti and of France bear an F.
    """
    found: dict[str, dict[str, str]] = {}
    holders: Counter[tuple[str, str]] = Counter()
    for row in rows:
        codes = {column: row.values.get(column, "") for column in _LETTERS}
        codes = {column: code for column, code in codes.items() if re.fullmatch("[A-Za-z]{1,3}", code)}
        found[row["ISO3166-1-Alpha-3"]] = codes
        holders.update(codes.items())
    return {
        iso3: {column: code for column, code in codes.items() if holders[column, code] == 1}
        for iso3, codes in found.items()
    }


def _cow(path: Path) -> Numbers:
    """The Correlates of War list of system membership."""
    parts = ("styear", "stmonth", "stday", "endyear", "endmonth", "endday")
    table = tables.read(path, ("ccode",), ("version",), *((part,) for part in parts), ("stateabb",))

    def days(row: tables.Row) -> tuple[str, str]:
        return _day(*(row[part] for part in parts[:3])), _day(*(row[part] for part in parts[3:]))

    version = {row["version"] for row in table.rows}
    stretches = _stretches(table, "ccode", days, letters="stateabb")
    return Numbers("cow", "COW", f"cow-state-system-{max(version)}", table.name, stretches)


def _gleditsch_ward(path: Path) -> Numbers:
    """The list of Gleditsch and Ward, as peacesciencer (ISO days) or as manystates (31.12.2017) has it."""
    table = tables.read(path, ("gwcode", "Cow Nr."), ("startdate", "Start"), ("enddate", "End"))
    number = "gwcode" if "gwcode" in table.columns else "Cow Nr."
    ends = ("startdate", "enddate") if "startdate" in table.columns else ("Start", "End")

    def days(row: tables.Row) -> tuple[str, str]:
        first, last = (_written(row[column]) for column in ends)
        return first, last

    stretches = _stretches(table, number, days)
    year = max(stretch.last for stretch in stretches)[:4]
    return Numbers("gw", "Gleditsch–Ward", f"gleditsch-ward-{year}", table.name, stretches)


def _stretches(
    table: tables.Table, number: str, days: Callable[[tables.Row], tuple[str, str]], letters: str = ""
) -> tuple[Stretch, ...]:
    found, wrong = [], []
    for row in table.rows:
        try:
            first, last = days(row)
            if last < first:
                raise tables.BadRow(f"it ends on {last}, before it begins on {first}")
            abbreviation = _abbreviation(row[letters]) if letters else ""
            found.append(Stretch(row.line, _whole(row[number]), first, last, abbreviation))
        except tables.BadRow as error:
            wrong.append((row.line, str(error)))
    if wrong:
        raise tables.refused(table.name, wrong)
    return tuple(sorted(found, key=lambda stretch: (int(stretch.number), stretch.first)))


def _colonial(path: Path) -> tuple[Colonial, ...]:
    """The ICOW colonial history data."""
    wanted = ("State", "IndFrom", "IndDate", "IndType", "SecFrom", "SecDate", "Into", "IntoDate")
    table = tables.read(path, *((column,) for column in wanted))
    found, wrong = [], []
    for row in table.rows:
        try:
            if row["IndType"] not in (*_KINDS, _UNKNOWN):
                raise tables.BadRow(f"{row['IndType']} is no type of independence, 1 to 4")
            found.append(
                Colonial(
                    line=row.line,
                    number=_whole(row["State"]),
                    independent=_month(row["IndDate"]),
                    independent_from=_number_or_none(row["IndFrom"]),
                    kind=_KINDS.get(row["IndType"], ""),
                    seceded=_month(row["SecDate"]),
                    seceded_from=_number_or_none(row["SecFrom"]),
                    into=_number_or_none(row["Into"]),
                    merged=_month(row["IntoDate"]),
                )
            )
        except tables.BadRow as error:
            wrong.append((row.line, str(error)))
    if wrong:
        raise tables.refused(table.name, wrong)
    return tuple(found)


def _whole(text: str) -> str:
    """A number as the lists write it, 365 or 365.0."""
    match = re.fullmatch(r"(\d{1,3})(?:\.0)?", text)
    if not match:
        raise tables.BadRow(f"“{text}” is no number of a state")
    return str(int(match[1]))


def _abbreviation(text: str) -> str:
    if not re.fullmatch("[A-Z]{3}", text):
        raise tables.BadRow(f"“{text}” is no abbreviation such as AUS")
    return text


def _number_or_none(text: str) -> str:
    return "" if text == _UNKNOWN else _whole(text)


def _day(year: str, month: str, day: str) -> str:
    try:
        return datetime.date(int(year), int(month), int(day)).isoformat()
    except ValueError as error:
        raise tables.BadRow(f"{year}-{month}-{day} is not in the calendar") from error


def _written(text: str) -> str:
    """A day as 2017-12-31 or as 31.12.2017."""
    match = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)|(\d\d)\.(\d\d)\.(\d{4})", text)
    if not match:
        raise tables.BadRow(f"“{text}” is no day")
    year, month, day = (match[1], match[2], match[3]) if match[1] else (match[6], match[5], match[4])
    return _day(year, month, day)


def _month(text: str) -> str:
    """A month written as 199112, or a year where the month is 00; empty where unknown."""
    if text == _UNKNOWN:
        return ""
    match = re.fullmatch(r"(\d{1,4})(\d\d)", text)
    if not match or int(match[2]) > 12:
        raise tables.BadRow(f"“{text}” is no month such as 199112")
    year = f"{int(match[1]):04}"
    return year if match[2] == "00" else f"{year}-{match[2]}"


def _without_state(
    cross: Crosswalk, name: str, official: Mapping[str, tables.Row], lists: tuple[Numbers, ...]
) -> Iterator[str]:
    """What the lists hold and the crosswalk does not: rows and days; and ISO codes that only the crosswalk knows."""
    known = {state.iso3 for state in cross.states}
    for iso3, row in official.items():
        if row["is_independent"] == "Yes" and iso3 not in known:
            yield f"{name}, line {row.line}: no state of the crosswalk has the code {iso3}"
    for state in cross.states:
        if state.iso3 and state.iso3 not in official:
            yield f"{name}: the code {state.iso3}, of {state.name}, is not there"
    for each in lists:
        for stretch in each.stretches:
            for day in _days_without_state(cross, each, stretch):
                where = f"{each.table}, line {stretch.line}"
                yield f"{where}: no state of the crosswalk has the number {stretch.number} on {day}"


def _days_without_state(cross: Crosswalk, numbers: Numbers, stretch: Stretch) -> tuple[str, ...]:
    """Those of the first and the last day of *stretch* on which the crosswalk gives its number to nobody."""
    days = (stretch.first, stretch.last)
    return tuple(day for day in days if cross.holder(numbers.scheme, stretch.number, day) is None)


def _nobodys_iso_codes(cross: Crosswalk, official: Mapping[str, tables.Row]) -> Iterator[Thing]:
    """The codes of independent states that the crosswalk does not know."""
    known = {state.iso3 for state in cross.states}
    for iso3, row in official.items():
        if row["is_independent"] == "Yes" and iso3 not in known:
            thing = Thing(f"code-iso-3166-1-alpha-3-of-nobody-{iso3.lower()}", "CodeAssignment")
            thing.add("rdfs:label", string(f"ISO 3166-1 alpha-3 code of no state of the crosswalk: {iso3}", "en"))
            thing.add("foedus:codeScheme", string("ISO 3166-1 alpha-3"))
            thing.add("foedus:code", string(iso3))
            yield thing.add("foedus:source", f"id:{COUNTRY_CODES}")


def _nobodys_numbers(cross: Crosswalk, numbers: Numbers) -> Iterator[Thing]:
    """The stretches of *numbers* that begin or end on a day on which the crosswalk gives the number to nobody."""
    for stretch in numbers.stretches:
        if _days_without_state(cross, numbers, stretch):
            year = stretch.first[:4]
            thing = Thing(f"code-{_SCHEMES[numbers.scheme]}-of-nobody-{stretch.number}-{year}", "CodeAssignment")
            words = f"{numbers.shown} number of no state of the crosswalk: {stretch.number}, since {year}"
            thing.add("rdfs:label", string(words, "en"))
            thing.add("foedus:codeScheme", string(numbers.shown))
            thing.add("foedus:code", string(stretch.number))
            thing.add("foedus:validFrom", string(stretch.first))
            if stretch.last != numbers.stops:
                thing.add("foedus:validUntil", string(stretch.last))
            yield thing.add("foedus:source", f"id:{numbers.source}")


# What is said of a state


def _state(state: State, row: tables.Row | None) -> Thing:
    labels = {"en": state.label}
    others: dict[str, list[str]] = {"en": []}
    if row:
        labels |= {language: row[column] for language, column in _OFFICIAL.items() if row[column]}
        others["en"].append(row["official_name_en"])
        for language, name in {"en": "English", **_LANGUAGES}.items():
            formal = row[f"UNTERM {name} Formal"].rstrip(" *")
            others.setdefault(language, []).append(_ARTICLE.get(language, re.compile("")).sub("", formal, count=1))
    others["en"] += state.other_names
    told = [
        string(name, language)
        for language, known in others.items()
        for name in dict.fromkeys(known)
        if name and name != labels.get(language)
    ]
    thing = Thing(state.name, "State")
    thing.add(
        "rdfs:label", *(string(labels[language], language) for language in ("en", *_LANGUAGES) if language in labels)
    )
    thing.add("skos:altLabel", *told)
    usual = row.values.get("CLDR display name", "") if row else ""
    spellings = dict.fromkeys((*state.spellings, *([usual] if usual not in ("", labels["en"], *others["en"]) else ())))
    thing.add("skos:hiddenLabel", *(string(name, "en") for name in spellings))
    if state.comment:
        thing.add("rdfs:comment", string(state.comment, "en"))
    if state.iso3:
        thing.add("foedus:iso3", string(state.iso3))
    return thing


def _iso_codes(state: State, row: tables.Row | None) -> Iterator[Thing]:
    if row is None:
        return
    for form, code in (
        ("alpha-2", row["ISO3166-1-Alpha-2"]),
        ("alpha-3", row["ISO3166-1-Alpha-3"]),
        ("numeric", row["ISO3166-1-numeric"].zfill(3)),
    ):
        thing = Thing(f"code-iso-3166-1-{form}-{state.name}", "CodeAssignment")
        thing.add("rdfs:label", string(f"ISO 3166-1 {form} code of {state.called}: {code}", "en"))
        thing.add("foedus:ofState", f"id:{state.name}")
        thing.add("foedus:codeScheme", string(f"ISO 3166-1 {form}"))
        thing.add("foedus:code", string(code))
        yield thing.add("foedus:source", f"id:{COUNTRY_CODES}")


def _other_codes(state: State, letters: Mapping[str, Mapping[str, str]]) -> Iterator[Thing]:
    for column, code in letters.get(state.iso3, {}).items():
        thing = Thing(f"code-{column.lower()}-{state.name}", "CodeAssignment")
        thing.add("rdfs:label", string(f"{_LETTERS[column]} code of {state.called}: {code}", "en"))
        thing.add("foedus:ofState", f"id:{state.name}")
        thing.add("foedus:codeScheme", string(_LETTERS[column]))
        thing.add("foedus:code", string(code))
        yield thing.add("foedus:source", f"id:{COUNTRY_CODES}")


def _held(state: State, numbers: Numbers) -> Iterator[Held]:
    """The codes that *numbers* gave to *state*, in the order of time."""
    shares: tuple[Share, ...] = getattr(state, numbers.scheme)
    found = []
    for share in shares:
        for stretch in numbers.stretches:
            first, last = max(share.first, stretch.first), min(share.last, stretch.last)
            if stretch.number == share.number and first <= last:
                ended = last == stretch.last != numbers.stops
                until = "" if last == numbers.stops else last
                found.append(Held(share.number, stretch.letters, first, until, ended, not share.whole))
    return iter(sorted(found, key=lambda held: held.first))


def _codes(state: State, numbers: Numbers, held: tuple[Held, ...]) -> Iterator[Thing]:
    """One assignment for each time that the state had a number, and one for the abbreviation beside it.

    The first has the plain name, for lists grow at the end.
    """
    for place, each in enumerate(held):
        year = each.first[:4]
        suffix, words = (f"-{year}", f", since {year}") if place else ("", "")
        cited = dict.fromkeys((numbers.source, *(state.divided_by if each.divided else ())))
        name, shown = _SCHEMES[numbers.scheme], numbers.shown
        codes = [(name, shown, f"{shown} number", each.number)]
        if each.letters:
            codes.append((f"{name}-abbreviation", f"{shown} abbreviation", f"{shown} abbreviation", each.letters))
        for list_name, scheme, called, code in codes:
            thing = Thing(f"code-{list_name}-{state.name}{suffix}", "CodeAssignment")
            thing.add("rdfs:label", string(f"{called} of {state.called}: {code}{words}", "en"))
            thing.add("foedus:ofState", f"id:{state.name}")
            thing.add("foedus:codeScheme", string(scheme))
            thing.add("foedus:code", string(code))
            thing.add("foedus:validFrom", string(each.first))
            if each.last:
                thing.add("foedus:validUntil", string(each.last))
            yield thing.add("foedus:source", *(f"id:{source}" for source in cited))


class _Ends:
    """Gathers how each state began and ended, as the lists and the colonial history data have it."""

    def __init__(self, cross: Crosswalk, colonial: tuple[Colonial, ...], file: str, unmapped: list[str]) -> None:
        self.cross = cross
        self.file = file
        self.unmapped = unmapped
        self.ended: dict[str, list[tuple[str, str]]] = {}
        self.of: dict[str, list[Colonial]] = {}
        self.of_nobody: list[Colonial] = []
        for row in colonial:
            state = self._state(row, row.number, row.independent)
            if state:
                self.of.setdefault(state.name, []).append(row)
            else:
                self.of_nobody.append(row)

    def _state(self, row: Colonial, number: str, date: str) -> State | None:
        """The state that *row* means by *number* in the month *date*."""
        day = f"{date}-01-01"[:10] if len(date) == 4 else f"{date}-01"
        found = self.cross.holder("cow", number, day) or self.cross.holder("gw", number, day)
        if found is None:
            where = f"{self.file}, line {row.line}"
            self.unmapped.append(f"{where}: no state of the crosswalk has the number {number} in {date}")
        return found

    def listed(self, state: State, numbers: Numbers, held: tuple[Held, ...]) -> None:
        """Take note that *numbers* ends *state*, if it does."""
        if held and held[-1].ended:
            self.ended.setdefault(state.name, []).append((held[-1].last, numbers.source))

    def independence(self, state: State) -> Iterator[Thing]:
        """One event for each time that the colonial history data make *state* independent."""
        known: set[str] = set()
        for row in self.of.get(state.name, ()):
            for date, number, kind in (
                (row.independent, row.independent_from, row.kind),
                (row.seceded, row.seceded_from, "secession"),
            ):
                if not date or not kind or date in known:
                    continue
                former = self._state(row, number, date) if number else None
                year = f"-{date[:4]}" if known else ""
                since = f" in {int(date[:4])}" if known else ""
                known.add(date)
                thing = Thing(f"independence-{state.name}{year}", "Independence")
                thing.add("rdfs:label", string(f"Independence of {state.called}{since}", "en"))
                thing.add("foedus:ofState", f"id:{state.name}")
                thing.add("foedus:occurred", string(date))
                thing.add("foedus:independenceKind", f"foedus:{kind}")
                if former and former is not state:
                    thing.add("foedus:independentFrom", f"id:{former.name}")
                yield thing.add("foedus:source", f"id:{ICOW}")

    def nobodys(self) -> Iterator[Thing]:
        """The independences of rows whose number is no state's."""
        for row in self.of_nobody:
            thing = Thing(f"independence-of-nobody-{row.number}", "Independence")
            words = f"Independence of no state of the crosswalk: COW number {row.number}"
            thing.add("rdfs:label", string(words, "en"))
            if row.independent:
                thing.add("foedus:occurred", string(row.independent))
            if row.kind:
                thing.add("foedus:independenceKind", f"foedus:{row.kind}")
            yield thing.add("foedus:source", f"id:{ICOW}")

    def extinction(self, state: State) -> Iterator[Thing]:
        """The end of *state*; sources that agree, as far as each is precise, share one event."""
        absorbed: list[tuple[str, str]] = []
        for row in self.of.get(state.name, ()):
            into = self._state(row, row.into, row.merged) if row.into and row.merged else None
            if into and into is not state:
                absorbed.append((row.merged, into.name))
        dated = list(self.ended.get(state.name, ()))
        if not dated and state.ended:
            dated.append(state.ended)
        events: dict[str, tuple[list[str], list[str]]] = {}
        for date, source in dated:
            events.setdefault(date, ([], []))[0].append(source)
        for date, absorber in absorbed:
            agreeing = next((day for day in events if day.startswith(date)), date)
            sources, states = events.setdefault(agreeing, ([], []))
            sources.append(ICOW)
            states.append(absorber)
        for place, (date, (sources, states)) in enumerate(events.items()):
            suffix, words = (f"-{date}", f", {date}") if place else ("", "")
            thing = Thing(f"extinction-{state.name}{suffix}", "Extinction")
            thing.add("rdfs:label", string(f"End of {state.called}{words}", "en"))
            thing.add("foedus:ofState", f"id:{state.name}")
            thing.add("foedus:occurred", string(date))
            thing.add("foedus:absorbedBy", *(f"id:{each}" for each in states))
            yield thing.add("foedus:source", *(f"id:{source}" for source in sources))
