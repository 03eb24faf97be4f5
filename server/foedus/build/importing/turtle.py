"""Generated Turtle: subjects in a given order, laid out as hand-written files are."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from foedus import names
from foedus.build import layout

_USED = ("foedus", "id", "rdfs", "skos", "xsd")


@dataclass
class Thing:
    """One subject: its local name, and its statements as Turtle, a type first."""

    name: str
    type: str
    statements: list[str] = field(default_factory=list)

    def add(self, predicate: str, *values: str) -> "Thing":
        """Say *values*, each a term in Turtle; nothing where there is none."""
        if values:
            self.statements.append(f"{predicate} {' , '.join(values)}")
        return self

    def text(self) -> str:
        return " ;\n    ".join([f"id:{self.name} a foedus:{self.type}", *self.statements]) + " ."


def string(value: str, language: str = "") -> str:
    """*value* as a Turtle literal, with a language tag if one is given."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"' + (f"@{language}" if language else "")


def document(comment: str, things: Iterable[Thing]) -> str:
    """A whole file: prefixes, *comment* (lines without ``#``), and *things*."""
    prefixes = "".join(f"@prefix {prefix}: <{names.PREFIXES[prefix]}> .\n" for prefix in _USED)
    remark = "".join(f"# {line}".rstrip() + "\n" for line in comment.splitlines())
    return layout.laid_out("\n".join([prefixes, remark, *(thing.text() + "\n" for thing in things)]))
