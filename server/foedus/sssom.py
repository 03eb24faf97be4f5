"""Tables of mappings: reading them, what is wrong with them, and writing them.

The form is SSSOM/TSV, of the Simple Standard for Sharing Ontological Mappings (https://mapping-commons.github.io/sssom/):
lines of metadata that begin with ``#``, a header, and one mapping a row. Beyond what the standard requires, a row here
says who made it, on which day and how sure it is; one that a program made says who reviewed it, and one that holds two
things to be the same thing in the same sense says why.
"""

import datetime
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from foedus import names

REQUIRED = ("subject_id", "predicate_id", "object_id", "mapping_justification", "mapping_date", "confidence")
AUTHORS = ("author_id", "author_label")
REVIEWERS = ("reviewer_id", "reviewer_label")

SAME_AS = "owl:sameAs"
IDENTITY = ("skos:exactMatch", SAME_AS)
"""The predicates that say that the two mean the same; each thing has one such partner in each vocabulary."""
PREDICATES = frozenset({*IDENTITY, *(f"skos:{kind}Match" for kind in ("close", "broad", "narrow", "related"))})

BY_HAND = ("semapv:ManualMappingCuration", "semapv:MappingReview")
JUSTIFICATIONS = frozenset(
    {
        *BY_HAND,
        *(
            f"semapv:{kind}"
            for kind in (
                "BackgroundKnowledgeBasedMatching",
                "CompositeMatching",
                "InstanceBasedMatching",
                "LexicalMatching",
                "LexicalSimilarityThresholdMatching",
                "LogicalReasoning",
                "MappingChaining",
                "MappingInversion",
                "SemanticSimilarityThresholdMatching",
                "StructuralMatching",
                "UnspecifiedMatching",
            )
        ),
    }
)
"""The closed list of the standard."""

_PROPAGATED = (
    *("subject_type", "subject_source", "subject_source_version", "object_type", "object_source"),
    *("object_source_version", "predicate_type", "mapping_provider", "mapping_tool", "mapping_tool_id"),
    *("mapping_tool_version", "mapping_date", "subject_match_field", "object_match_field", "subject_preprocessing"),
    *("object_preprocessing", "curation_rule", "curation_rule_text", "similarity_measure", "cardinality_scope"),
)
"""What a table may say once for all its rows."""
COLUMNS = frozenset(
    {
        *REQUIRED,
        *AUTHORS,
        *REVIEWERS,
        *_PROPAGATED,
        *("record_id", "subject_label", "subject_category", "predicate_label", "predicate_modifier", "object_label"),
        *("object_category", "creator_id", "creator_label", "license", "mapping_source", "mapping_cardinality"),
        *("publication_date", "review_date", "match_string", "similarity_score", "issue_tracker_item", "see_also"),
        *("other", "comment"),
    }
)
"""Every column that the standard knows."""

PREFIXES = MappingProxyType({**names.PREFIXES, "semapv": "https://w3id.org/semapv/vocab/"})
_BUILT_IN = ("owl", "rdf", "rdfs", "semapv", "skos", "xsd")
_LOCAL = {"wd": re.compile(r"Q[1-9]\d*"), "geonames": re.compile(r"[1-9]\d*/"), "ucdp": re.compile(r"[1-9]\d*")}
"""What identifiers of the vocabularies that are linked to look like."""
_EXAMPLES = {"wd": "wd:Q318693", "geonames": "geonames:174982/", "ucdp": "ucdp:13324"}


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a table, the line where it is, if it is in one, and what to do about it."""

    line: int | None
    subject: str
    message: str
    remedy: str


@dataclass(frozen=True)
class Row:
    """A mapping: its line, its cells by column, those that the table gives for all rows included, and its faults."""

    line: int
    cells: Mapping[str, str]
    faults: tuple[Fault, ...]

    def get(self, column: str) -> str:
        """The cell in *column*, empty where there is none."""
        return self.cells.get(column, "")

    @property
    def is_identity(self) -> bool:
        return self.get("predicate_id") in IDENTITY


@dataclass(frozen=True)
class Table:
    """A table as read; *faults* are those of its metadata and its header, and of rows that have too many cells."""

    metadata: Mapping[str, str]
    prefixes: Mapping[str, str]
    rows: tuple[Row, ...]
    faults: tuple[Fault, ...]


def expand(name: str, prefixes: Mapping[str, str] = PREFIXES) -> str | None:
    """The IRI that the CURIE *name* stands for; None where its prefix is unknown or its local part is none."""
    prefix, colon, local = name.partition(":")
    form = _LOCAL.get(prefix)
    iri = prefixes.get(prefix, "") + local
    is_well_formed = bool(form.fullmatch(local)) if form else bool(local) and names.is_iri(iri)
    return iri if colon and prefix in prefixes and is_well_formed else None


def read(text: str) -> Table:
    """The table in *text*, with all that is wrong in it alone; what its subjects are is not looked at."""
    lines = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    written, declared = _metadata(line[1:] for _, line in lines if line.startswith("#"))
    metadata = {key: _unquoted(value) for key, value in written.items()}
    prefixes = {prefix: PREFIXES[prefix] for prefix in _BUILT_IN} | declared
    table = [(number, line.split("\t")) for number, line in lines if not line.startswith("#")]
    faults = [
        Fault(None, "", f"The table does not say its {key}.", f"Begin it with a line such as “# {key}: {example}”.")
        for key, example in (("mapping_set_id", names.BASE + "links/wikidata"), ("license", "https://…"))
        if key not in metadata
    ]
    faults += [
        Fault(None, "", f"What the table says of its {key} is no YAML.", "Put it in double quotes.")
        for key, value in written.items()
        if value == metadata[key] != _plain(value)
    ]
    faults += [
        Fault(None, "", f"The prefix {prefix} is {iri} in this table.", f"It is {PREFIXES[prefix]} everywhere here.")
        for prefix, iri in declared.items()
        if PREFIXES.get(prefix, iri) != iri
    ]
    if not table:
        faults.append(Fault(None, "", "The table has no header.", f"Begin it with {', '.join(REQUIRED)}."))
        return Table(metadata, prefixes, (), tuple(faults))
    at, header = table[0]
    general = {column: metadata[column] for column in _PROPAGATED if column in metadata and column not in header}
    wrong = [Fault(at, "", *told) for told in _header_faults(header, general)]
    if wrong:
        return Table(metadata, prefixes, (), (*faults, *wrong))
    rows = []
    for number, cells in table[1:]:
        if len(cells) == len(header):
            given = general | dict(zip(header, (cell.strip() for cell in cells), strict=True))
            told = [Fault(number, given["subject_id"], *each) for each in _row_faults(given, prefixes)]
            rows.append(Row(number, given, tuple(told)))
        else:
            message = f"The row has {len(cells)} cells, the header {len(header)}."
            faults.append(Fault(number, cells[0].strip(), message, "Separate the cells by single tabs."))
    return Table(metadata, prefixes, tuple(rows), tuple(faults))


def write(metadata: Mapping[str, str], prefixes: Iterable[str], columns: Sequence[str], rows: Iterable[Row]) -> str:
    """A table with the rows' cells in *columns*; tabs and line ends in them become spaces."""
    lines = [f"# {key}: {_plain(value)}" for key, value in metadata.items()]
    lines += ["# curie_map:", *(f"#   {prefix}: {PREFIXES[prefix]}" for prefix in sorted(prefixes))]
    lines.append("\t".join(columns))
    lines += ["\t".join(" ".join(row.get(column).split()) for column in columns) for row in rows]
    return "\n".join(lines) + "\n"


def _metadata(lines: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """What a table says of itself, and its prefixes: the block of YAML, one key a line, that the standard asks for."""
    metadata: dict[str, str] = {}
    prefixes: dict[str, str] = {}
    is_map = False
    for line in lines:
        key, _, value = (part.strip() for part in line.partition(": " if ": " in line else ":"))
        if is_map and line.startswith("  "):
            prefixes[key] = _unquoted(value)
        elif key:
            is_map = key == "curie_map"
            metadata[key] = value
    return metadata, prefixes


def _unquoted(value: str) -> str:
    """The text that YAML reads in *value*; itself where it is in no quotes, or its quotes do not end."""
    if len(value) > 1 and value[0] == value[-1] == "'":
        return value[1:-1].replace("''", "'")
    try:
        return str(json.loads(value)) if value.startswith('"') else value
    except ValueError:
        return value


def _plain(value: str) -> str:
    """*value* as YAML has it: in quotes where a bare one would mean something else."""
    is_bare = ": " not in value and " #" not in value and value[:1].isalnum() and not value.endswith(":")
    return value if is_bare or not value else json.dumps(value, ensure_ascii=False)


def _header_faults(header: Sequence[str], general: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    missing = [column for column in REQUIRED if column not in header and column not in general]
    if missing:
        yield f"The header lacks {', '.join(missing)}.", "Name the columns as SSSOM does, separated by tabs."
    if not set(AUTHORS) & set(header):
        yield "The header has no column for who made the mappings.", f"Add {' or '.join(AUTHORS)}."
    strange = [column for column in header if column not in COLUMNS]
    if strange:
        yield f"SSSOM has no column {', '.join(strange)}.", "Put what it holds into comment or other."
    if len(set(header)) < len(header):
        yield "A column is there twice.", "Keep one."


def _row_faults(row: Mapping[str, str], prefixes: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    if row["predicate_id"] not in PREDICATES:
        yield f"“{row['predicate_id']}” is no kind of link.", f"Use one of {', '.join(sorted(PREDICATES))}."
    for column in ("subject_id", "object_id", "mapping_source"):
        name = row.get(column, "")
        prefix = name.partition(":")[0]
        if column == "mapping_source" and not name:
            continue
        if ":" in name and prefix not in prefixes:
            yield f"The prefix of “{name}” is not in the table's curie_map.", "Declare it there, or correct it."
        elif expand(name, prefixes) is None:
            yield f"“{name}” names nothing.", f"Give a CURIE such as {_EXAMPLES.get(prefix, 'wd:Q318693')}."
    by_program = row["mapping_justification"] in JUSTIFICATIONS - set(BY_HAND)
    if row["mapping_justification"] not in JUSTIFICATIONS:
        yield "The row does not say how the link was justified.", f"Give a term of SSSOM's list, such as {BY_HAND[0]}."
    if not _is_day(row["mapping_date"]):
        yield f"“{row['mapping_date']}” is no day.", "Give the day on which the link was made, such as 2026-11-22."
    if not _is_share(row["confidence"]):
        yield f"“{row['confidence']}” is no confidence.", "Give a number from 0 to 1."
    if not any(row.get(column) for column in AUTHORS):
        yield "The row does not say who made the link.", f"Fill {' or '.join(AUTHORS)}."
    elif by_program and not any(row.get(column) for column in REVIEWERS):
        remedy = f"Look at it, and fill {' or '.join(REVIEWERS)}, or take it out."
        yield "The row does not say who reviewed what was not made by hand.", remedy
    if row["predicate_id"] == SAME_AS and not row.get("comment"):
        remedy = "Say so in comment, or use skos:exactMatch."
        yield "The row does not say why the two are the same thing in the same sense.", remedy


def _is_day(text: str) -> bool:
    try:
        return len(text) == 10 and bool(datetime.date.fromisoformat(text))
    except ValueError:
        return False


def _is_share(text: str) -> bool:
    return bool(re.fullmatch(r"0(\.\d+)?|1(\.0+)?", text))
