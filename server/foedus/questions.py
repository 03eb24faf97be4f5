"""The stored questions: what each asks, which parameters it takes, and the SPARQL text that answers it."""

import datetime
import difflib
import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from foedus import files, names
from foedus.errors import CannotRead, NoSuchThing, WrongUsage

RESERVED = ("format", "reasoning", "lang", "for", "wikidata")
"""Names that an address uses for itself, so that no parameter may bear them."""

DATE = names.PREFIXES["xsd"] + "date"


class Resolve(Protocol):
    """Finds the IRI that a value means.

    Called with the value, the IRI of the class it must belong to and the day that is asked about, if one is.
    """

    def __call__(self, value: str, type_iri: str, day: str | None = None, /) -> str: ...


@dataclass(frozen=True)
class Parameter:
    """A value that the asker gives: *type* is ``xsd:date`` or a class of our ontology, as an IRI."""

    name: str
    type: str
    required: bool
    description: str


@dataclass(frozen=True)
class Column:
    """A column of the answer."""

    name: str
    description: str


@dataclass(frozen=True)
class Question:
    """A stored question; *text* is valid SPARQL as it stands, holding *example* in its ``VALUES`` line."""

    slug: str
    question: str
    notes: tuple[str, ...]
    keywords: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    columns: tuple[Column, ...]
    text: str
    file: Path
    example: tuple[tuple[str, str], ...]

    @functools.cached_property
    def bare(self) -> str:
        """The text without its head."""
        return without_head(self.text)

    @functools.cached_property
    def around(self) -> tuple[str, str]:
        """The text before the terms of its worked example, and after them; all of it where it has no parameters."""
        return _around(self.text)

    @functools.cached_property
    def bare_around(self) -> tuple[str, str]:
        """The same of the text without its head."""
        return _around(self.bare)


@dataclass(frozen=True)
class HeadLine:
    """One ``#+ key: value`` line; *line* counts from 1."""

    key: str
    value: str
    line: int


def catalogue(folder: Path = files.QUERIES) -> dict[str, Question]:
    """Every stored question of *folder* by its slug, in alphabetical order."""
    return {path.stem: _current(path) for path in _files(folder)}


def get(slug: str, folder: Path = files.QUERIES) -> Question:
    """The question stored as *slug*; NoSuchThing, with near matches, where there is none."""
    path = folder / f"{slug}.rq"
    # Of a slug, no character leads out of the folder.
    if not (_SLUG.fullmatch(slug) and path.is_file()):
        stored = {path.stem: path for path in _files(folder)}
        if slug not in stored:
            raise NoSuchThing(f"There is no question “{slug}”.", _offer(slug, stored, "The questions are"))
        path = stored[slug]
    return _current(path)


def read(path: Path) -> Question:
    """The question in the file *path*; CannotRead, with file, line and remedy, for its first fault."""
    question, wrong = _examine(path)
    if question is None:
        raise wrong[0]
    return question


def faults(path: Path) -> tuple[CannotRead, ...]:
    """Everything that is wrong with the question file *path*, in the order of its lines; empty for a good file."""
    return tuple(sorted(_examine(path)[1], key=lambda fault: fault.line or 0))


def head(text: str) -> tuple[tuple[HeadLine, ...], tuple[int, ...]]:
    """The ``#+ key: value`` lines of a rule's or question's *text*, and the numbers of ``#+`` lines that are not so."""
    good, bad = [], []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.startswith("#+"):
            continue
        match = _HEAD_LINE.fullmatch(line.rstrip())
        if match:
            good.append(HeadLine(match["key"], match["value"], number))
        else:
            bad.append(number)
    return tuple(good), tuple(bad)


def bind(question: Question, values: Mapping[str, str], resolve: Resolve, bare: bool = False) -> str:
    """The SPARQL text of *question*, *bare* of its head if so, with *values* in place of its worked example.

    Only two kinds of term are ever written into the text: a day that the calendar knows, and an IRI that *resolve*
    returned and that holds no character that could end it. An empty value counts as not given.
    """
    known = {parameter.name: parameter for parameter in question.parameters}
    for name, value in values.items():
        if name not in known:
            raise WrongUsage(
                f"The question “{question.slug}” has no parameter “{name}” (given: “{value}”).",
                _offer(name, known, "Its parameters are") if known else "It takes none.",
            )
    day = day_of(question, values)
    terms = [_term(question, each, values.get(each.name, ""), resolve, day) for each in question.parameters]
    before, after = question.bare_around if bare else question.around
    return f"{before}{' '.join(terms)}{after}"


_HEAD_LINE = re.compile(r"#\+ (?P<key>[a-z]+): (?P<value>\S.*)")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_CLASS = re.compile(re.escape(names.ONTOLOGY) + r"[A-Z][A-Za-z0-9]*")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_VALUES = re.compile(r"\s*VALUES\s*\(")
_ROW = re.compile(
    r"(?P<before>\s*VALUES \((?P<variables>\?\w+(?: \?\w+)*)\) \{ \()"
    r"(?P<terms>[^\s()]+(?: [^\s()]+)*)"
    r"(?P<after>\) \})"
)
_DATE_TERM = re.compile(r'"([^"]*)"\^\^xsd:date')

_KEYS = ("question", "note", "keywords", "parameter", "column")


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise CannotRead(
            f"There is no folder {files.shown(folder)}.", "The stored questions belong there, as .rq files."
        )
    return sorted(folder.glob("*.rq"))


def _current(path: Path) -> Question:
    """As ``read``; examined anew only where the file's time of change or its size is another than before."""
    try:
        state = path.stat()
    except OSError:
        return read(path)
    return _read_once(path, state.st_mtime_ns, state.st_size)


@functools.lru_cache(maxsize=256)
def _read_once(path: Path, _changed: int, _size: int) -> Question:
    """As ``read``, remembered for the file's state; a fault is not remembered. Any thread may call it."""
    return read(path)


def _examine(path: Path) -> tuple[Question | None, list[CannotRead]]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        return None, [CannotRead(f"{files.shown(path)} cannot be read: {error.strerror}.", "Give a readable .rq file.")]
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        message = f"{files.shown(path)}:{line}: this is not UTF-8."
        return None, [CannotRead(message, "Save the file as UTF-8.", line=line)]
    return _Examination(path, text).result()


class _Examination:
    """One pass over one file, gathering every fault on the way."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.text = text
        self.wrong: list[CannotRead] = []

    def result(self) -> tuple[Question | None, list[CannotRead]]:
        heads = self.heads()
        parameters = [self.parameter(line) for line in heads["parameter"]]
        columns = [self.column(line) for line in heads["column"]]
        declared = [parameter for parameter in parameters if parameter]
        shown = [column for column in columns if column]
        self.no_name_twice(heads["parameter"], [parameter.name for parameter in declared])
        self.no_name_twice(heads["column"], [column.name for column in shown])
        example = self.example(declared) if all(parameters) else ()
        if shown and all(columns):
            self.selection(shown, heads["column"][0].line)
        if self.wrong:
            return None, self.wrong
        keywords = heads["keywords"][0].value if heads["keywords"] else ""
        question = Question(
            slug=self.path.stem,
            question=heads["question"][0].value,
            notes=tuple(line.value for line in heads["note"]),
            keywords=tuple(word.strip() for word in keywords.split(",") if word.strip()),
            parameters=tuple(declared),
            columns=tuple(shown),
            text=self.text,
            file=self.path,
            example=example,
        )
        return question, []

    def fault(self, line: int, message: str, remedy: str) -> None:
        self.wrong.append(CannotRead(f"{files.shown(self.path)}:{line}: {message}.", remedy, line=line))

    def heads(self) -> dict[str, list[HeadLine]]:
        """The head lines by key, every known key present."""
        if not _SLUG.fullmatch(self.path.stem):
            self.fault(1, f"“{self.path.stem}” is no slug", "Name the file in lower case, words joined by hyphens.")
        lines, malformed = head(self.text)
        for number in malformed:
            self.fault(number, "this head line is not of the form “#+ key: value”", "Write “#+ question: Who …?”.")
        for line in lines:
            if line.key not in _KEYS:
                self.fault(line.line, f"there is no head key “{line.key}”", _offer(line.key, _KEYS, "The keys are"))
        by_key = {key: [line for line in lines if line.key == key] for key in _KEYS}
        for key in ("question", "keywords"):
            for line in by_key[key][1:]:
                self.fault(line.line, f"“{key}” is given twice", "Keep one.")
        for key in ("question", "column"):
            if not by_key[key]:
                self.fault(1, f"there is no “#+ {key}:” line", "Add one to the head of the file.")
        return by_key

    def parameter(self, line: HeadLine) -> Parameter | None:
        """``name | type | required or optional | description``."""
        parts = [part.strip() for part in line.value.split("|")]
        if len(parts) != 4 or not all(parts):
            self.fault(line.line, "a parameter needs four parts", "Write “name | type | required | what it is”.")
            return None
        name, type_, need, description = parts
        before = len(self.wrong)
        if not _NAME.fullmatch(name):
            self.fault(line.line, f"“{name}” is no parameter name", "Use letters and digits, beginning with a letter.")
        if name in RESERVED:
            self.fault(line.line, f"“{name}” is reserved for addresses", f"Avoid {', '.join(RESERVED)}.")
        iri = names.expand(type_)
        if iri is None or not (iri == DATE or _CLASS.fullmatch(iri)):
            self.fault(line.line, f"“{type_}” is no parameter type", "Use xsd:date or a class such as foedus:Alliance.")
        if need not in ("required", "optional"):
            self.fault(line.line, f"“{need}” is neither “required” nor “optional”", "Write one of the two.")
        return Parameter(name, iri, need == "required", description) if iri and len(self.wrong) == before else None

    def column(self, line: HeadLine) -> Column | None:
        """``name | description``."""
        name, _, description = (part.strip() for part in line.value.partition("|"))
        if not description or not _NAME.fullmatch(name):
            self.fault(line.line, "a column needs a name and a description", "Write “name | what it is”.")
            return None
        return Column(name, description)

    def no_name_twice(self, lines: list[HeadLine], given: list[str]) -> None:
        for name in sorted({name for name in given if given.count(name) > 1}):
            self.fault(lines[-1].line, f"“{name}” is declared twice", "Keep one.")

    def example(self, parameters: list[Parameter]) -> tuple[tuple[str, str], ...]:
        """The worked example in the ``VALUES`` line, as a caller would give it; an absent optional one is left out."""
        rows = [(n, line) for n, line in enumerate(self.text.splitlines(), start=1) if _VALUES.match(line)]
        if not parameters:
            for number, _ in rows:
                self.fault(
                    number, "“VALUES (” is kept for parameters, and none is declared", "Write “VALUES ?x { … }”."
                )
            return ()
        variables = " ".join(f"?{parameter.name}" for parameter in parameters)
        remedy = f"Write one line “VALUES ({variables}) {{ (…) }}” holding a worked example."
        if len(rows) != 1:
            here = rows[-1][0] if rows else len(self.text.splitlines())
            self.fault(here, f"{len(rows)} lines begin with “VALUES (”; one must give the parameters", remedy)
            return ()
        number, line = rows[0]
        match = _ROW.fullmatch(line.rstrip())
        terms = match["terms"].split(" ") if match else []
        if match is None or match["variables"] != variables or len(terms) != len(parameters):
            self.fault(number, "this line does not hold the parameters in order, one example each", remedy)
            return ()
        values = {p.name: _example_value(p, term) for p, term in zip(parameters, terms, strict=True)}
        for name, value in values.items():
            if value is None:
                self.fault(number, f"“{name}” has no fitting example", 'Use id:…, "YYYY-MM-DD"^^xsd:date or UNDEF.')
        return tuple((name, value) for name, value in values.items() if value)

    def selection(self, columns: list[Column], line: int) -> None:
        """The declared columns are the variables of the outermost SELECT, in order."""
        selected = _selected(self.text)
        declared = [column.name for column in columns]
        if selected != declared:
            self.fault(
                line,
                f"the columns declared ({', '.join(declared)}) are not those selected ({', '.join(selected)})",
                "Declare one “#+ column:” per variable after SELECT, in the same order.",
            )


def _example_value(parameter: Parameter, term: str) -> str | None:
    """What a caller would write for *term*: empty for ``UNDEF``, None for a term that does not fit."""
    if term == "UNDEF":
        return None if parameter.required else ""
    if parameter.type == DATE:
        match = _DATE_TERM.fullmatch(term)
        return match[1] if match and _is_date(match[1]) else None
    iri = names.expand(term)
    return iri.removeprefix(names.ID) if iri else None


def _selected(text: str) -> list[str]:
    """The variables of the first SELECT clause of *text*: each ``?x``, and the last one of each ``(… AS ?x)``."""
    body = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    match = re.search(r"\bSELECT\b", body)
    selected: list[str] = []
    depth, latest = 0, ""
    for token in re.findall(r"[({})]|\?\w+|\bWHERE\b|\bFROM\b", body[match.end() :] if match else ""):
        if token == "(":
            depth += 1
        elif token == ")":
            depth -= 1
            if depth == 0:
                selected.append(latest)
        elif depth:
            latest = token[1:]
        elif token.startswith("?"):
            selected.append(token[1:])
        else:
            break
    return selected


def day_of(question: Question, values: Mapping[str, str]) -> str | None:
    """The day that *question* is asked about: its only date, or the one called so; None where *values* give none."""
    dates = [each.name for each in question.parameters if each.type == DATE]
    name = dates[0] if len(dates) == 1 else "date"
    return (values.get(name, "").strip() or None) if name in dates else None


def _term(question: Question, parameter: Parameter, value: str, resolve: Resolve, day: str | None) -> str:
    """*value* as a SPARQL term that cannot break out of its place; ``UNDEF`` for an optional one not given."""
    if not value.strip():
        if parameter.required:
            raise WrongUsage(
                f"The question “{question.slug}” needs the parameter “{parameter.name}” ({parameter.description}).",
                f"Give {parameter.name}={dict(question.example).get(parameter.name, '…')}, for example.",
            )
        return "UNDEF"
    if parameter.type == DATE:
        if not _is_date(value.strip()):
            raise WrongUsage(
                f"{parameter.name}: “{value}” is no date.",
                "Write a real day as YYYY-MM-DD.",
            )
        return f'"{value.strip()}"^^xsd:date'
    iri = resolve(value.strip(), parameter.type, day)
    if not names.is_iri(iri):
        raise WrongUsage(
            f"{parameter.name}: “{value}” names nothing here.",
            f"Give the local name, CURIE or IRI of a {parameter.type.removeprefix(names.ONTOLOGY)}.",
        )
    return f"<{iri}>"


def without_head(text: str) -> str:
    """The query file's *text* without its ``#+`` lines and the empty lines after them."""
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#+")).lstrip("\n")


def _around(text: str) -> tuple[str, str]:
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        if match := _ROW.fullmatch(line.rstrip()):
            before, after = "".join(lines[:number]), "".join(lines[number + 1 :])
            return before + match["before"], f"{match['after']}\n{after}"
    return text, ""


def _is_date(text: str) -> bool:
    """Whether *text* is a day of the Gregorian calendar in the one form YYYY-MM-DD."""
    if not _DATE.fullmatch(text):
        return False
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _offer(wanted: str, known: Iterable[str], otherwise: str) -> str:
    """The names in *known* that look like *wanted*, or else all of them."""
    every = list(known)
    near = difflib.get_close_matches(wanted, every, n=3, cutoff=0.6)
    return f"Did you mean {' or '.join(near)}?" if near else f"{otherwise} {', '.join(every) or 'none'}."
