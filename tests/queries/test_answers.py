"""The stored questions give the answers that were typed by hand, from the dataset as built and the pool as served."""

import csv
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from foedus import names, questions
from foedus.query import answering, results

HERE = Path(__file__).parent

# Slug, parameters and first columns as they were promised to those who build on the questions.
PROMISED = {
    "members-on": (("alliance", "date"), ("state", "label", "iso3", "certainty", "status")),
    "bound-on": (("treaty", "date"), ("state", "label", "iso3", "certainty", "status")),
    "history-of": (("state", "date"), ("body", "kind", "label", "from", "until", "status")),
    "invocations": (
        ("treaty",),
        ("invocation", "label", "article", "requester", "requested", "decided", "outcome"),
    ),
    "obliged-by": (("invocation",), ("state", "label", "iso3", "certainty")),
    "allies-in-conflict": ((), ("incident", "alliance", "stateA", "stateB", "date")),
    "ceasefires-of": (("incident",), ("ceasefire", "announcedBy", "effective", "heldUntil", "verdictBy", "asOf")),
    "casualties-of": (("incident",), ("claimant", "victims", "min", "max", "asOf", "source")),
    "claims-of": (("source",), ("claim", "claimant", "statement", "assessment")),
    "disagreements": ((), ("subject", "aspect", "valueA", "sourceA", "valueB", "sourceB", "days")),
    "left-and-returned": (("date",), ("state", "body", "left", "returned")),
    "unanswered": (("asOf",), ("invocation", "label", "asked", "outcome")),
}


@dataclass(frozen=True)
class Expected:
    """A hand-typed answer: the question, its parameters, and the rows by the columns that are compared."""

    slug: str
    values: dict[str, str]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    contains: bool
    ordered: bool


def read(path: Path) -> Expected:
    """The answer in *path*; README.md says how such a file is laid out."""
    lines = path.read_text(encoding="utf-8").splitlines()
    heads = [line.removeprefix("# ") for line in lines if line.startswith("# ")]
    slug, *values = heads[0].split()
    columns, *rows = csv.reader(lines[len(heads) :])
    return Expected(
        slug,
        dict(value.split("=", 1) for value in values),
        tuple(columns),
        tuple(tuple(row) for row in rows),
        "rows: contains" in heads,
        "order: as written" in heads,
    )


EXPECTED = {path.stem: read(path) for path in sorted(HERE.glob("*.csv"))}


@pytest.fixture(scope="session")
def ask(pool):
    """Answer a stored question: its rows, each a mapping from column to the term as these files write it."""

    def answer(slug: str, **values: str) -> list[dict[str, str]]:
        table = results.table(answering.answer(pool, slug, values, form="json"))
        return [{name: written(term) for name, term in zip(table.columns, row, strict=True)} for row in table.rows]

    return answer


def written(term: results.Term | None) -> str:
    """A term as the expected answers write it."""
    if term is None:
        return ""
    if term.kind != "iri":
        return term.value
    for namespace in (names.ID, names.ONTOLOGY):
        if term.value.startswith(namespace):
            return term.value.removeprefix(namespace)
    return names.curie(term.value)


@pytest.mark.parametrize("name", EXPECTED)
def test_the_answer_is_the_one_typed_by_hand(ask, name):
    expected = EXPECTED[name]
    found = [tuple(row[column] for column in expected.columns) for row in ask(expected.slug, **expected.values)]
    found = list(dict.fromkeys(found))
    if expected.contains:
        assert [row for row in expected.rows if row not in found] == []
    elif expected.ordered:
        assert found == list(expected.rows)
    else:
        assert sorted(found) == sorted(expected.rows)


def test_every_expected_answer_names_its_question_and_its_facts():
    assert {expected.slug for expected in EXPECTED.values()} == set(questions.catalogue())
    for path in HERE.glob("*.csv"):
        first, second, *_ = path.read_text(encoding="utf-8").splitlines()
        assert first.startswith(f"# {path.stem.partition('--')[0]}"), path.name
        assert second.startswith("# from: "), path.name


def test_the_promised_questions_are_there():
    assert set(PROMISED) <= set(questions.catalogue())


@pytest.mark.parametrize("slug", PROMISED)
def test_parameters_and_first_columns_are_the_promised_ones(slug):
    question = questions.get(slug)
    parameters, columns = PROMISED[slug]
    assert tuple(parameter.name for parameter in question.parameters) == parameters
    assert tuple(column.name for column in question.columns)[: len(columns)] == columns


@pytest.mark.parametrize("slug", questions.catalogue())
def test_the_worked_example_has_an_answer(ask, slug):
    assert ask(slug, **dict(questions.get(slug).example))


@pytest.mark.parametrize("slug", questions.catalogue())
def test_the_answer_has_one_order_only(ask, slug):
    """Rows that tie in ORDER BY could come in any order."""
    question = questions.get(slug)
    order = re.findall(r"\?(\w+)", question.text[question.text.rindex("ORDER BY") :])
    rows = ask(slug, **dict(question.example))
    keys = {tuple(row[name] for name in order if name in row) for row in rows}
    assert len(keys) == len(rows)


@pytest.mark.parametrize("slug", questions.catalogue())
def test_a_question_uses_defined_terms_only(ask_ontology, slug):
    used = set(re.findall(r"foedus:([A-Za-z]\w*)", questions.get(slug).text))
    assert used - ask_ontology == set()


@pytest.fixture(scope="session")
def ask_ontology(pool):
    """The local names that the ontology describes."""
    text = f"SELECT DISTINCT ?term FROM <{names.ONTOLOGY_GRAPH}> WHERE {{ ?term a ?type FILTER(isIRI(?term)) }}"
    return {row["term"].value.removeprefix(names.ONTOLOGY) for row in results.select(pool, text)}


@pytest.mark.parametrize("day", ["1992-05-15", "1994-04-20", "1999-04-20", "2007-01-01", "2012-12-18", "2026-11-22"])
def test_certainty_and_status_are_of_the_closed_lists(ask, day):
    members = ask("members-on", alliance="csto", date=day)
    bound = ask("bound-on", treaty="collective-security-treaty", date=day)
    assert {row["certainty"] for row in members + bound} <= {"certain", "possible", "presumed"}
    assert {row["status"] for row in members} <= {"member", "frozen", "suspended"}
    assert {row["status"] for row in bound} <= {"party", "frozen", "suspended"}


def test_kazakhstans_request_was_answered_a_day_later(ask):
    asked = {row["invocation"] for row in ask("unanswered", asOf="2022-01-06")}
    assert "collective-security-treaty-article-4-kazakhstan-2022-01-05" not in asked


def test_armenia_and_azerbaijan_were_never_allies_in_conflict(ask):
    assert "azerbaijan" not in {row[side] for row in ask("allies-in-conflict") for side in ("stateA", "stateB")}


def test_without_a_treaty_every_request_is_listed(ask):
    every = {row["invocation"] for row in ask("invocations")}
    assert every >= {row["invocation"] for row in ask("invocations", treaty="collective-security-treaty")}


def test_the_article_makes_sixty_numbered_claims(ask):
    claims = {row["claim"] for row in ask("claims-of", source="merkur-2022-09-16")}
    numbered = {claim for claim in claims if re.fullmatch(r"merkur-2022-09-16-c[0-9]{2}", claim)}
    assert len(numbered) == 60


def test_a_disagreement_counts_days_only_between_two_days(ask):
    day = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
    for row in ask("disagreements"):
        assert bool(row["days"]) == bool(day.fullmatch(row["valueA"]) and day.fullmatch(row["valueB"])), row


def test_every_question_about_membership_takes_a_date():
    """Fighting between allies alone has days of its own: those of the fighting, one in each row."""
    about = {slug: each for slug, each in questions.catalogue().items() if "membership" in each.keywords}
    dated = {slug for slug, each in about.items() if any(one.type.endswith("#date") for one in each.parameters)}
    assert len(about) > 10
    assert about.keys() - dated == {"allies-in-conflict"}
    assert "date" in {column.name for column in about["allies-in-conflict"].columns}


def test_a_state_is_found_by_code_name_and_link(ask):
    by_name = ask("history-of", state="armenia")
    assert ask("history-of", state="ARM") == by_name
    assert ask("history-of", state="Армения") == by_name
    assert ask("history-of", state="wd:Q399") == by_name
