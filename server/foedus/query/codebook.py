"""The columns of the researchers' tables and what they hold: the one place where that is said."""

from dataclasses import dataclass
from typing import Literal

from foedus.query.record import KINDS, READINGS


@dataclass(frozen=True)
class Column:
    """A column and what it holds; a ``date`` is written YYYY-MM-DD."""

    name: str
    type: Literal["integer", "text", "date"]
    meaning: str


RULES = (
    "**Partial years.** A year counts if the thing held on one day of it at least: a pledge in force from 24 "
    "August 1949 counts in 1949, one that ended with 31 December 1979 in 1979 and not in 1980. An end is the "
    "first day on which something no longer holds. The last year runs to the dataset’s day only.",
    "**Three readings.** *Certain*: it held on that day, whatever the uncertainty of its dates. *Presumed*: "
    "it had begun and no end is known, but no source read attests it for so late a day. *Possible*: the dates"
    " known do not exclude it. A tie is as sure as the least sure of its parts: two bonds and one wording, on"
    " the same day. Each reading includes the stricter ones, so that a column is never 1 where its "
    "`_possible` twin is not.",
    "**1, 0 and empty.** 1: by the reading of the column there was such a pledge. 0: there was none, not even"
    " possibly, and of every treaty between the two that is recorded the record says that its pledges are recorded "
    "completely for all days of the year that count; a treaty that is not recorded may hold one. Empty: the "
    "record cannot say; either a treaty’s pledges are not recorded completely, or there was a "
    "pledge by a looser reading only. An empty cell is not a 0.",
    "**No row.** Rows stand for what is recorded. A pair, state or year without a row is not covered, or had "
    "no tie that this record knows; it is not the statement that there was none. `alliance.csv` says for "
    "which days the roll of each alliance is complete.",
    "**Numbers of states** change hands: each row has the number that was the state’s in that year, by the "
    "dated code assignments of the record. Where a state changed its number within the year, the later one "
    "counts. Two states can have one number in a year in which it passed from the one to the other: in 1991 365 is the "
    "Soviet Union and Russia. Only `state` and `year` together, or `state1`, `state2` and `year`, are unique.",
    "**Interruptions** (frozen or suspended participation) do not end a pledge here; `interrupted` marks them. "
    "One that a single party declared, as the United States did towards New Zealand, is one of its own ties alone.",
)
"""What holds of all tables."""

_COW_NUMBER = "number in the Correlates of War list on the last day of the year on which it has one; empty without"
_GW_NUMBER = "its number in the list of Gleditsch and Ward, likewise"
_WHAT = {
    "defense": "to defend",
    "neutrality": "to stay neutral",
    "nonaggression": "not to attack",
    "offense": "to join in an attack",
    "consultation": "to consult",
}
_THREE = "1, 0 or empty as the rule says"


def _strict(who: str) -> tuple[Column, ...]:
    return tuple(
        Column(kind, "integer", f"{who} pledged {_WHAT[kind]}, certainly and on one day of the year at least: {_THREE}")
        for kind in KINDS
    )


def _looser(who: str) -> tuple[Column, ...]:
    meaning = {"presumed": "certainly or presumably", "possible": "certainly, presumably or possibly"}
    return tuple(
        Column(f"{kind}_{reading}", "integer", f"{who} pledged {_WHAT[kind]}, {meaning[reading]}: {_THREE}")
        for reading in READINGS[1:]
        for kind in KINDS
    )


def _three(name: str, meaning: str) -> tuple[Column, ...]:
    return (
        Column(name, "integer", f"{meaning}, certainly on one day of the year at least"),
        Column(f"{name}_presumed", "integer", f"{meaning}, those presumed included"),
        Column(f"{name}_possible", "integer", f"{meaning}, those presumed and possible included"),
    )


def _of_pairs(pledged: str, one: str, other: str) -> tuple[Column, ...]:
    return (
        Column("ccode1", "integer", f"{one}: {_COW_NUMBER}"),
        Column("ccode2", "integer", f"{other}: {_COW_NUMBER}"),
        Column("year", "integer", "the year; the last one runs to the dataset's day only"),
        *_strict(pledged),
        Column("state1", "text", f"{one}: its local name in Foedus"),
        Column("state2", "text", f"{other}: its local name in Foedus"),
        Column("state_name1", "text", f"{one}: its English name"),
        Column("state_name2", "text", f"{other}: its English name"),
        Column("gwcode1", "integer", f"{one}: {_GW_NUMBER}"),
        Column("gwcode2", "integer", f"{other}: {_GW_NUMBER}"),
        Column("certainty", "text", "how sure it is, on the surest day, that one treaty bound both"),
        *_looser(pledged),
        Column(
            "interrupted",
            "integer",
            "1 if the participation of one towards the other was, or may have been, interrupted",
        ),
        Column("treaties", "text", "every treaty that bound both, or may have, by spaces"),
    )


_TABLES: dict[str, tuple[str, tuple[Column, ...]]] = {
    "alliance": (
        "One row for each alliance",
        (
            Column("alliance", "text", "local name of the alliance"),
            Column("alliance_name", "text", "its English name"),
            *(
                Column(kind, "integer", f"a treaty of it has, or had, a pledge {_WHAT[kind]}: {_THREE}")
                for kind in KINDS
            ),
            Column("treaty", "text", "the treaty that constitutes it"),
            Column("earlier_treaties", "text", "treaties that it grew out of, by spaces"),
            Column("signed", "date", "first day on which that treaty may have been signed"),
            Column("begin_earliest", "date", "first day on which it may have had a member"),
            Column("begin_latest", "date", "day by which it had one"),
            Column(
                "end_earliest",
                "date",
                "first day on which it may have had none left; if open, after the last attested",
            ),
            Column("end_latest", "date", "day by which it had none left; empty while no end is known"),
            Column("states", "integer", "states that are, were or may have been members"),
            Column("members", "integer", "members on the dataset's day, certainly"),
            Column("members_presumed", "integer", "… those presumed included"),
            Column("members_possible", "integer", "… those presumed and possible included"),
            Column("covered_from", "date", "first day for which the record of its members speaks; empty: not stated"),
            Column("covered_until", "date", "last such day"),
            Column(
                "completeness", "text", "how complete the roll of its members is: complete, incompleteRoll, sampled"
            ),
            Column("iri", "text", "the alliance's IRI"),
        ),
    ),
    "alliance-member": (
        "One row for each time as a member, party or signatory, and for each time of interruption",
        (
            Column("alliance", "text", "local name of the alliance or treaty"),
            Column("alliance_name", "text", "its English name"),
            Column("ccode", "integer", "Correlates of War number of the state in the year in which it had begun"),
            Column("state", "text", "local name of the state"),
            Column("state_name", "text", "its English name"),
            Column("mem_st_year", "integer", "year of the first day; empty where it is not known to the year"),
            Column("mem_st_month", "integer", "month of the first day; empty where it is not known to the month"),
            Column("mem_st_day", "integer", "the first day; empty where it is not known to the day"),
            Column("mem_end_year", "integer", "year of the last day; empty where it is open or not known to the year"),
            Column("mem_end_month", "integer", "month of the last day, likewise"),
            Column("mem_end_day", "integer", "the last day, likewise"),
            Column("level", "text", "alliance or treaty: whether one is a member of it or bound by it"),
            Column("kind", "text", "member, party, signatory, frozen or suspended"),
            Column("number", "integer", "the how-manieth such spell of the state it is"),
            Column("begin_earliest", "date", "first day on which it may have begun"),
            Column("begin_latest", "date", "day by which it had begun"),
            Column(
                "end_earliest",
                "date",
                "first day on which it may have ended; if open, the day after the last attested",
            ),
            Column(
                "end_latest",
                "date",
                "day by which it had ended, the first without it; empty while no end is known",
            ),
            Column("from", "text", "first day, in EDTF: a range where it is not known to the day"),
            Column("until", "text", "last day, in EDTF; empty while no end is known"),
            Column("standing", "text", "on the dataset's day: not yet, certain, presumed, possible or ended"),
            Column("ccodes", "text", "every Correlates of War number that the state had during the spell, by spaces"),
            Column("gwcode", "integer", "number in the list of Gleditsch and Ward in the year in which it had begun"),
            Column("iri", "text", "the spell's IRI: its page names the acts behind it and their sources"),
        ),
    ),
    "state-year": (
        "One row for each state and year in which it was, or may have been, a member or party of something recorded",
        (
            Column("ccode", "integer", _COW_NUMBER),
            Column("year", "integer", "the year; the last one runs to the dataset's day only"),
            *_strict("the state is"),
            Column("state", "text", "local name of the state"),
            Column("state_name", "text", "its English name"),
            Column("gwcode", "integer", _GW_NUMBER),
            *_three("alliances", "recorded alliances of which it was a member"),
            *_three("treaties", "recorded treaties by which it was bound"),
            *_three("allies", "states to which it was pledged to defend them, or which were to defend it"),
            *_looser("the state is"),
            Column("interrupted", "integer", "1 if its participation in one was, or may have been, interrupted"),
            Column("alliance_list", "text", "the alliances, those possible included, by spaces"),
            Column("treaty_list", "text", "the treaties, those possible included, by spaces"),
        ),
    ),
    "dyad-year": (
        "One row for each pair of states and year in which one treaty bound both, or may have",
        _of_pairs("one of the two is", "the state with the lower number", "the other state"),
    ),
    "directed-dyad-year": (
        "Two rows for each such pair and year: what the first state pledges to the second",
        _of_pairs("the first state is, to the second,", "the first state", "the second state"),
    ),
}

TITLES = {name: title for name, (title, _) in _TABLES.items()}
COLUMNS = {name: columns for name, (_, columns) in _TABLES.items()}


def codebook(as_of: str) -> bytes:
    """The rules and every column of every table, as Markdown; *as_of* is the day that the dataset speaks of."""
    head = f"Foedus, as of {as_of}. CC BY 4.0. Days are YYYY-MM-DD, text is UTF-8."
    lines = ["# Codebook of the tables", "", head, ""]
    for rule in RULES:
        lines += [rule, ""]
    for name, (title, columns) in _TABLES.items():
        lines += [f"## {name}", "", f"{title}.", "", "| column | type | holds |", "|---|---|---|"]
        lines += [f"| `{column.name}` | {column.type} | {column.meaning} |" for column in columns]
        lines.append("")
    return "\n".join(lines).encode()
