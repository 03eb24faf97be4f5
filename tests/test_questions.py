"""Stored questions are read strictly, and no value can become anything else than a term."""

from pathlib import Path

import pyoxigraph
import pytest

from foedus import names, questions
from foedus.errors import CannotRead, NoSuchThing, WrongUsage

GOOD = """\
#+ question: Who was a member of an alliance on a day?
#+ note: The day is a whole day.
#+ note: A second note.
#+ keywords: membership, date
#+ parameter: alliance | foedus:Alliance | required | The alliance
#+ parameter: date | xsd:date | optional | The day
#+ column: state | The state
#+ column: label | Its name

PREFIX foedus: <https://w3id.org/foedus/ontology#>
PREFIX id: <https://w3id.org/foedus/id/>
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>

SELECT ?state (STR(?name) AS ?label) WHERE {
  VALUES (?alliance ?date) { (id:csto "2022-09-13"^^xsd:date) }
  ?state foedus:everMemberOf ?alliance ; foedus:name ?name .
}
ORDER BY ?state
"""


@pytest.fixture
def stored(tmp_path):
    """Write a question file and give its path."""

    def store(text: str = GOOD, name: str = "who-was.rq") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return store


def by_local_name(value: str, *_: str | None) -> str:
    """Resolve as the pool does for a local name that exists."""
    return names.ID + value


def test_a_question_is_its_head_and_its_text(stored):
    question = questions.read(stored())
    assert (question.slug, question.keywords, len(question.notes)) == ("who-was", ("membership", "date"), 2)
    assert question.parameters[0] == questions.Parameter("alliance", names.ONTOLOGY + "Alliance", True, "The alliance")
    assert [column.name for column in question.columns] == ["state", "label"]
    assert question.text == GOOD


def test_the_worked_example_is_what_an_asker_would_write(stored):
    assert questions.read(stored()).example == (("alliance", "csto"), ("date", "2022-09-13"))


def test_binding_the_worked_example_changes_nothing_but_spelling(stored):
    question = questions.read(stored())
    text = questions.bind(question, dict(question.example), by_local_name)
    assert text == GOOD.replace("id:csto ", f"<{names.ID}csto> ")


def test_an_optional_value_not_given_is_undefined(stored):
    text = questions.bind(questions.read(stored()), {"alliance": "csto", "date": ""}, by_local_name)
    assert f"{{ (<{names.ID}csto> UNDEF) }}" in text


@pytest.mark.parametrize(("given", "day"), [("", None), (" 1970-01-01 ", "1970-01-01")])
def test_resolve_is_told_the_class_that_the_value_must_belong_to_and_the_day(stored, given, day):
    asked = []
    values = {"alliance": " nato ", "date": given}
    questions.bind(questions.read(stored()), values, lambda *told: asked.append(told) or names.ID)
    assert asked == [("nato", names.ONTOLOGY + "Alliance", day)]


def test_a_required_value_not_given_is_wrong_usage_with_an_example(stored):
    with pytest.raises(WrongUsage, match=r"needs the parameter “alliance”(.|\n)*alliance=csto"):
        questions.bind(questions.read(stored()), {"date": "2022-09-13"}, by_local_name)


def test_an_unknown_parameter_is_refused_with_the_near_match(stored):
    with pytest.raises(WrongUsage, match=r"no parameter “aliance” \(given: “csto”\)(.|\n)*Did you mean alliance\?"):
        questions.bind(questions.read(stored()), {"aliance": "csto"}, by_local_name)


@pytest.mark.parametrize(
    "date",
    [
        "13.09.2022",
        "2022-9-13",
        "20220913",
        "2022-W37-2",
        "2022-02-30",
        "2022-13-01",
        "0000-01-01",
        "2022-09-13T00:00:00",
        "2022-09-13Z",
        "２０２２-09-13",
        '2022-09-13"^^xsd:date) } SERVICE <http://example.org/> { ?s ?p ?o } #',
        "2022-09-13\n} #",
    ],
)
def test_only_a_day_of_the_calendar_is_a_date(stored, date):
    with pytest.raises(WrongUsage, match="date: "):
        questions.bind(questions.read(stored()), {"alliance": "csto", "date": date}, by_local_name)


@pytest.mark.parametrize(
    "iri",
    [
        "csto",
        "",
        "http://example.org/a> <http://example.org/b",
        "http://example.org/a b",
        "http://example.org/a\n",
        'http://example.org/"',
        "http://example.org/{a}",
        "http://example.org/a\\u003e",
        "javascript:alert(1)",
    ],
)
def test_only_a_whole_iri_is_written_even_if_resolve_is_careless(stored, iri):
    with pytest.raises(WrongUsage, match="alliance: “csto” names nothing here"):
        questions.bind(questions.read(stored()), {"alliance": "csto"}, lambda *_: iri)


def test_a_replacement_escape_in_an_iri_stays_as_it_is(stored):
    text = questions.bind(questions.read(stored()), {"alliance": "x"}, lambda *_: "https://example.org/$1&(a)?b=%5C1")
    assert "{ (<https://example.org/$1&(a)?b=%5C1> UNDEF) }" in text
    pyoxigraph.Store().query(text)


@pytest.mark.parametrize(
    ("right", "wrong", "line", "message"),
    [
        ("#+ keywords:", "#+ keywrods:", 4, "no head key “keywrods”"),
        ("#+ keywords: m", "#+keywords: m", 4, "not of the form"),
        ("#+ question: Who", "#+ note: Who", 1, "no “#\\+ question:” line"),
        ("#+ note: A second", "#+ question: A second", 3, "“question” is given twice"),
        ("| foedus:Alliance |", "| foedus:alliance |", 5, "“foedus:alliance” is no parameter type"),
        ("| foedus:Alliance |", "| foedsu:Alliance |", 5, "“foedsu:Alliance” is no parameter type"),
        ("| required |", "| requierd |", 5, "neither “required” nor “optional”"),
        (" | The day\n", "\n", 6, "needs four parts"),
        ("parameter: date", "parameter: format", 6, "“format” is reserved"),
        ("parameter: date", "parameter: the date", 6, "no parameter name"),
        ("parameter: date", "parameter: alliance", 6, "“alliance” is declared twice"),
        ("column: label | Its name", "column: label", 8, "needs a name and a description"),
        ("column: label", "column: name", 7, r"declared \(state, name\) are not those selected \(state, label\)"),
        ("column: label", "column: state", 8, "“state” is declared twice"),
        ("  VALUES (", "  VALUES  (", 15, "does not hold the parameters"),
        ("VALUES (?alliance ?date)", "VALUES (?date ?alliance)", 15, "does not hold the parameters"),
        (' "2022-09-13"^^xsd:date) }', ") }", 15, "does not hold the parameters"),
        ("2022-09-13", "2022-09-31", 15, "“date” has no fitting example"),
        ("(id:csto ", "(UNDEF ", 15, "“alliance” has no fitting example"),
        ("  VALUES (", "  BIND (", 18, "0 lines begin with"),
        ("  ?state foedus", "  VALUES (?x) { (1) }\n  ?state foedus", 16, "2 lines begin with"),
    ],
)
def test_a_typo_in_the_file_is_told_with_file_and_line(stored, right, wrong, line, message):
    assert right in GOOD
    with pytest.raises(CannotRead, match=message) as caught:
        questions.read(stored(GOOD.replace(right, wrong, 1)))
    told = next(fault for fault in questions.faults(stored(GOOD.replace(right, wrong, 1))) if fault.line == line)
    assert f"who-was.rq:{line}: " in told.message
    assert told.remedy and caught.value.remedy


def test_all_faults_are_told_at_once(stored):
    text = (
        GOOD.replace("keywords", "keywrods")
        .replace("required", "requierd")
        .replace("#+ column: label", "#+ column: labl")
    )
    assert [fault.line for fault in questions.faults(stored(text))] == [4, 5, 7]


def test_a_good_file_has_no_faults(stored):
    assert questions.faults(stored()) == ()


def test_a_question_without_parameters_may_not_open_a_values_line_of_theirs(stored):
    text = "\n".join(line for line in GOOD.splitlines() if "parameter" not in line)
    with pytest.raises(CannotRead, match="none is declared"):
        questions.read(stored(text))


def test_a_file_name_that_is_no_slug_is_refused(stored):
    with pytest.raises(CannotRead, match="“Who_was” is no slug"):
        questions.read(stored(name="Who_was.rq"))


def test_a_file_in_another_encoding_is_refused_with_its_line(stored):
    path = stored()
    path.write_bytes(GOOD.replace("second", "zwölfte").encode("latin-1"))
    with pytest.raises(CannotRead, match=r"who-was\.rq:3: this is not UTF-8"):
        questions.read(path)


def test_a_missing_file_or_folder_is_told(tmp_path):
    with pytest.raises(CannotRead, match="cannot be read"):
        questions.read(tmp_path / "none.rq")
    with pytest.raises(CannotRead, match="no folder"):
        questions.catalogue(tmp_path / "none")


def test_an_unknown_slug_is_answered_with_near_matches(stored):
    folder = stored().parent
    with pytest.raises(NoSuchThing, match=r"no question “who-wass”(.|\n)*Did you mean who-was\?"):
        questions.get("who-wass", folder)


def test_a_file_is_examined_once_until_it_changes(stored):
    """What is edited, spoilt or removed shows at once."""
    folder = stored().parent
    first = questions.get("who-was", folder)
    assert questions.get("who-was", folder) is first
    assert questions.catalogue(folder)["who-was"] is first
    stored(GOOD + "# More\n")
    assert questions.get("who-was", folder).text.endswith("# More\n")
    path = stored("SELECT")
    for _ in range(2):
        with pytest.raises(CannotRead):
            questions.get("who-was", folder)
    path.unlink()
    with pytest.raises(NoSuchThing):
        questions.get("who-was", folder)


def test_a_slug_cannot_leave_the_folder(stored):
    folder = stored().parent
    with pytest.raises(NoSuchThing):
        questions.get(f"../{folder.name}/who-was", folder)


def test_head_lines_of_a_rule_are_read_by_the_same_parser():
    lines, bad = questions.head("#+ rule: One sentence: with a colon.\n#+ stratum: 2\n#+oops\nSELECT * {}\n")
    assert [(line.key, line.value, line.line) for line in lines] == [
        ("rule", "One sentence: with a colon.", 1),
        ("stratum", "2", 2),
    ]
    assert bad == (3,)
