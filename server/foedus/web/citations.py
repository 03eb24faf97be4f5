"""Entries of a bibliography, written as text, BibTeX, RIS and CSL-JSON.

Whatever a title holds, it stays inside its field: an entry takes one line of text, and in BibTeX and RIS no value can
end its field or its entry, or begin another one.

- BibTeX: braces in a value are counted by BibTeX even behind a backslash, so that they are written as commands.
- RIS: https://en.wikipedia.org/wiki/RIS_(file_format): a tag, two spaces, a hyphen and a space; lines end in CR LF.
- CSL-JSON: https://github.com/citation-style-language/schema, csl-data.json of version 1.0.
"""

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote


@dataclass(frozen=True)
class Entry:
    """One work: *date* is an EDTF string, *container* the work that it is a part of, *kind* a key of `KINDS`."""

    key: str
    kind: str
    title: str
    authors: tuple[str, ...] = ()
    publisher: str = ""
    date: str = ""
    url: str = ""
    language: str = ""
    version: str = ""
    container: str = ""
    note: str = ""

    @property
    def year(self) -> str:
        """The year, or the first of several, that the date gives."""
        found = _DAY.search(self.date)
        return found[1] if found else ""

    @property
    def appeared_in(self) -> str:
        """The work that it is a part of; of a news report the outlet, which styles do not look for as a publisher."""
        return self.container or (self.publisher if self.kind == "newsReport" else "")


@dataclass(frozen=True)
class Form:
    """A format of citations: how files end, and the media types that clients call it by, the registered one first."""

    name: str
    title: str
    ending: str
    media_types: tuple[str, ...]
    others: tuple[str, ...] = ()


FORMS = (
    Form("txt", "Text", "txt", ("text/plain", "text/x-bibliography"), ("text",)),
    Form("bib", "BibTeX", "bib", ("application/x-bibtex", "text/x-bibtex"), ("bibtex",)),
    Form("ris", "RIS", "ris", ("application/x-research-info-systems",)),
    Form(
        "csl", "CSL-JSON", "json", ("application/vnd.citationstyles.csl+json", "application/json"), ("json", "csl-json")
    ),
)

KINDS = {
    "whole": ("DATA", "dataset"),
    "part": ("DATA", "entry"),
    "treatyText": ("ELEC", "treaty"),
    "newsReport": ("NEWS", "article-newspaper"),
    "dataset": ("DATA", "dataset"),
    "": ("ELEC", "webpage"),
}
"""The types that RIS and CSL have for each kind; of kinds that are not here, those of the last one."""

_DAY = re.compile(r"(?<![0-9])([0-9]{4})(?:-([0-9]{2}))?(?:-([0-9]{2}))?")
_PLAIN_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2}))?(?:-([0-9]{2}))?([?~]?)")
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\textbraceleft{}",
    "}": r"\textbraceright{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    **{each: "\\" + each for each in "$&#_%"},
    **{"ß": r"{\ss}", "æ": r"{\ae}", "Æ": r"{\AE}", "œ": r"{\oe}", "Œ": r"{\OE}", "ø": r"{\o}", "Ø": r"{\O}"},
    **{"ł": r"{\l}", "Ł": r"{\L}", "ı": r"{\i}"},
}
_MARKS = dict(
    zip("\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u030a\u030b\u030c\u0327\u0328", "`'^~=u.\"rHvck", strict=True)
)
"""The combining marks that LaTeX has a command for, with it."""


def write(entries: Sequence[Entry], form: str) -> str:
    """*entries* in the format called *form*."""
    return {"txt": _as_text, "bib": _as_bibtex, "ris": _as_ris, "csl": _as_csl}[form](entries)


def text(entry: Entry) -> str:
    """*entry* as a sentence: who, when, what, in what, where."""
    who = ", ".join(entry.authors) or entry.publisher
    parts = [f"{who} ({entry.date or 'n.d.'})" if who else f"({entry.date or 'n.d.'})"]
    title = f"“{entry.title}”" if entry.container else entry.title
    parts.append(title + (f" [{entry.language}]" if entry.language not in ("", "en") else ""))
    if entry.container:
        parts.append(f"In: {entry.container}")
    if entry.authors and entry.publisher and entry.publisher not in entry.authors:
        parts.append(entry.publisher)
    parts += [each for each in (f"Version {entry.version}" if entry.version else "", entry.note) if each]
    said = " ".join(part if part.endswith((".", "?", "!")) else f"{part}." for part in map(_line, parts))
    return f"{said} {_address(entry.url)}" if entry.url else said


def _as_text(entries: Sequence[Entry]) -> str:
    return "".join(f"{text(entry)}\n" for entry in entries)


def _as_bibtex(entries: Sequence[Entry]) -> str:
    return "\n".join(_bibtex(entry) for entry in entries)


def _bibtex(entry: Entry) -> str:
    exact = _PLAIN_DATE.fullmatch(entry.date)
    fields = {
        # In braces of their own, names are not taken apart, and titles keep their capitals.
        "author": " and ".join(f"{{{_latex(each)}}}" for each in entry.authors),
        "title": f"{{{_latex(entry.title)}}}",
        "howpublished": _latex(f"In: {entry.container}" if entry.container else entry.publisher),
        "year": entry.year,
        "month": _MONTHS[int(exact[2]) - 1] if exact and exact[2] and 1 <= int(exact[2]) <= 12 else "",
        "version": _latex(entry.version),
        "language": _latex(entry.language),
        "url": _address(entry.url),
        "note": _latex(
            ". ".join(each for each in (f"Dated {entry.date}" if not exact and entry.date else "", entry.note) if each)
        ),
    }
    lines = [
        # The names of months are macros, and stand without braces.
        f"  {name} = {value},\n" if name == "month" else f"  {name} = {{{value}}},\n"
        for name, value in fields.items()
        if value
    ]
    return f"@misc{{{entry.key},\n{''.join(lines)}}}\n"


def _as_ris(entries: Sequence[Entry]) -> str:
    lines = []
    for entry in entries:
        exact = _PLAIN_DATE.fullmatch(entry.date)
        said = [("TY", KINDS.get(entry.kind, KINDS[""])[0]), ("ID", entry.key)]
        said += [("AU", each) for each in entry.authors]
        said += [("TI", entry.title), ("T2", entry.appeared_in)]
        said += [("PB", entry.publisher if entry.publisher != entry.appeared_in else ""), ("PY", entry.year)]
        if exact:
            said.append(("DA", "/".join(part or "" for part in (*exact.groups()[:3], ""))))
        elif entry.date:
            said.append(("N1", f"Dated {entry.date}"))
        said += [("ET", entry.version), ("LA", entry.language), ("N1", entry.note)]
        lines += [f"{tag}  - {_line(value)}" for tag, value in said if value]
        lines += [f"UR  - {_address(entry.url)}"] if entry.url else []
        lines += ["ER  - ", ""]
    return "".join(f"{line}\r\n" for line in lines)


def _as_csl(entries: Sequence[Entry]) -> str:
    return json.dumps([_csl(entry) for entry in entries], ensure_ascii=False, indent=2) + "\n"


def _csl(entry: Entry) -> dict[str, Any]:
    said: dict[str, Any] = {
        "id": entry.key,
        "type": KINDS.get(entry.kind, KINDS[""])[1],
        "title": _line(entry.title),
        "author": [{"literal": _line(each)} for each in entry.authors],
        "container-title": _line(entry.appeared_in),
        "publisher": _line(entry.publisher if entry.publisher != entry.appeared_in else ""),
        "issued": _csl_date(entry.date),
        "version": _line(entry.version),
        "language": _line(entry.language),
        "URL": _address(entry.url),
        "note": _line(entry.note),
    }
    return {name: value for name, value in said.items() if value}


def _csl_date(date: str) -> dict[str, Any]:
    exact = _PLAIN_DATE.fullmatch(date)
    if not exact:
        return {"literal": date} if date else {}
    parts = [int(part) for part in exact.groups()[:3] if part]
    return {"date-parts": [parts], **({"circa": True} if exact[4] else {})}


def _line(value: str) -> str:
    """*value* on one line, without characters that nobody sees."""
    return " ".join("".join(each if each.isprintable() else " " for each in value).split())


def _address(url: str) -> str:
    """*url* with what could end a field, or a line, percent-encoded."""
    return quote(url, safe="!#$%&'()*+,/:;=?@[]~-._")


def _latex(value: str) -> str:
    return "".join(_LATEX.get(each) or _accented(each) for each in unicodedata.normalize("NFC", _line(value)))


def _accented(character: str) -> str:
    """*character* as the command for its accent, where it is a Latin letter with one that LaTeX knows."""
    parts = unicodedata.normalize("NFD", character)
    if len(parts) != 2 or parts[1] not in _MARKS or not (parts[0].isascii() and parts[0].isalpha()):
        return character
    return f"{{\\{_MARKS[parts[1]]}{{{parts[0]}}}}}"
