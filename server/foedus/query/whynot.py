"""Say why something that one might expect is not so: the nearest condition that fails, and what is recorded."""

import datetime
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from foedus import dates, names
from foedus.errors import WrongUsage
from foedus.query import results
from foedus.query.pool import Asker
from foedus.query.resolve import resolver
from foedus.query.results import Term
from foedus.query.why import Statement, shown, written

_FOEDUS = names.ONTOLOGY
_XSD_DATE = names.PREFIXES["xsd"] + "date"


@dataclass(frozen=True)
class Refusal:
    """Why something is not so, or that it is: *holds* is ``no``, ``possible``, ``presumed`` or ``certain``.

    *reason* is the nearest condition that fails; *recorded* what the record has on the matter, one sentence each with
    the statements that it rests on, each of which can itself be explained.
    """

    question: str
    holds: str
    reason: str
    recorded: tuple[tuple[str, tuple[Statement, ...]], ...]

    def text(self) -> str:
        lines = [self.question, f"  {self.reason}"]
        if self.recorded:
            lines.append("  Recorded:")
        for sentence, statements in self.recorded:
            lines.append(f"    {sentence}")
            lines += [f"        {each}" for each in statements]
        return "\n".join(lines)

    def json(self) -> str:
        content = {
            "question": self.question,
            "holds": self.holds,
            "reason": self.reason,
            "recorded": [
                {"sentence": sentence, "statements": [[shown(term) for term in each] for each in statements]}
                for sentence, statements in self.recorded
            ],
        }
        return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def why_not(asker: Asker, question: str, values: Mapping[str, str]) -> Refusal:
    """The answer to one of the questions below; WrongUsage for another one, or for values that do not fit it."""
    if question not in QUESTIONS:
        raise WrongUsage(f"“{question[:60]}” is no question of this kind.", f"Choose from: {', '.join(QUESTIONS)}.")
    parameters, answered = QUESTIONS[question]
    if set(values) != set(parameters):
        example = " ".join(f"{name}=…" for name in parameters)
        raise WrongUsage(f"The question “{question}” takes: {', '.join(parameters)}.", f"Write: {question} {example}")
    resolve = resolver(asker)
    day = _day(values["date"]) if "date" in parameters else None
    given = {
        name: day if day and kind == _XSD_DATE else resolve(values[name], kind, day)
        for name, kind in parameters.items()
    }
    return answered(asker, given)


def _membership(asker: Asker, given: Mapping[str, str]) -> Refusal:
    """Why a state was not, or not for certain, a member of an alliance on a day."""
    state, alliance, day = given["state"], given["alliance"], given["date"]
    label = _labels(asker, (state, alliance))
    who, what = _quoted(label[state]), _quoted(label[alliance])
    question = f"Why was {who} not a member of {what} on {_said(day)}?"
    spells = _rows(
        asker,
        f"""?m <{_FOEDUS}ofAlliance> <{alliance}> ; <{_FOEDUS}ofState> <{state}> ; <{_FOEDUS}beginEarliest> ?a ;
            <{_FOEDUS}beginLatest> ?b ; <{_FOEDUS}endEarliest> ?c ; <{_FOEDUS}begunBy> ?begin .
        OPTIONAL {{ ?m <{_FOEDUS}endLatest> ?d }} OPTIONAL {{ ?m <{_FOEDUS}endedBy> ?end }}""",
        "ORDER BY ?a ?m",
    )
    acts = _rows(
        asker,
        f"""<{alliance}> (<{_FOEDUS}constitutedBy>|<{_FOEDUS}basedOn>)/^<{_FOEDUS}ofTreaty> ?act .
        ?act <{_FOEDUS}ofState> <{state}> ; <{names.PREFIXES["rdfs"]}label> ?label ; <{_FOEDUS}occurred> ?day .
        FILTER(LANG(?label) = "en")""",
        "ORDER BY ?day ?act",
    )
    acts = sorted(acts, key=lambda row: row["day"].value.lstrip("["))
    treaties = _rows(asker, f"<{alliance}> <{_FOEDUS}constitutedBy> ?treaty", "ORDER BY ?treaty")
    told = [row[key].value for row in spells for key in ("begin", "end") if key in row]
    label |= _labels(asker, [*told, *(row["treaty"].value for row in treaties)])
    recorded = [_spell_recorded(row) for row in spells]
    recorded += [
        (
            f"{row['label'].value} ({_said(row['day'].value)})",
            (Statement(row["act"], Term("iri", _FOEDUS + "occurred"), row["day"]),),
        )
        for row in acts
    ]
    if not spells:
        bound = " and ".join(_quoted(label[row["treaty"].value]) for row in treaties) or "a treaty"
        reason = (
            f"No membership of {who} in {what} is recorded: no act on record begins a binding of {who} by {bound}, "
            "which constitutes the alliance."
        )
        return Refusal(question, "no", reason, tuple(recorded))
    states_ = [(_certainty(row, day), row) for row in spells]
    for holds in ("certain", "presumed", "possible"):
        for certainty, row in states_:
            if certainty == holds:
                return Refusal(question, holds, _but(holds, row, who, day), tuple(recorded))
    row = min((row for _, row in states_), key=lambda each: _distance(each, day))
    if day < row["a"].value:
        reason = f"It had not begun: the membership nearest to that day begins on {_between(row['a'], row['b'])}"
        reason += f", with {_quoted(label[row['begin'].value])}."
    else:
        reason = "It had ended: the membership nearest to that day had its first day without effect on "
        reason += f"{_between(row['c'], row['d'])}, by {_quoted(label[row['end'].value])}."
    return Refusal(question, "no", reason, tuple(recorded))


def _spell_recorded(row: Mapping[str, Term]) -> tuple[str, tuple[Statement, ...]]:
    begins = f"Member from {_between(row['a'], row['b'])}"
    if "d" in row:
        ends = f", no longer from {_between(row['c'], row['d'])}"
    else:
        ends = f", no end recorded, attested until the day before {_said(row['c'].value)}"
    bounds = {"a": "beginEarliest", "b": "beginLatest", "c": "endEarliest", "d": "endLatest", "begin": "begunBy"}
    bounds["end"] = "endedBy"
    return (
        begins + ends,
        tuple(
            Statement(row["m"], Term("iri", _FOEDUS + local), row[key]) for key, local in bounds.items() if key in row
        ),
    )


def _certainty(row: Mapping[str, Term], day: str) -> str:
    """How well the record knows that the spell holds on *day*, as the stored questions say it."""
    ended = row["d"].value if "d" in row else None
    if day < row["a"].value or (ended is not None and day >= ended):
        return "no"
    if row["b"].value <= day < row["c"].value:
        return "certain"
    return "presumed" if row["b"].value <= day and ended is None else "possible"


def _but(holds: str, row: Mapping[str, Term], who: str, day: str) -> str:
    if holds == "certain":
        return f"It was: {who} was a member on {_said(day)} for certain."
    if holds == "presumed":
        return (
            f"It presumably was: the membership had begun and no end is recorded, but no source read attests it for "
            f"so late a day; the last that is attested is the day before {_said(row['c'].value)}."
        )
    if day < row["b"].value:
        happened = f"began on {_between(row['a'], row['b'])}"
    else:
        happened = f"ended on {_between(row['c'], row['d'])}"
    return f"It may have been: the membership {happened}, and the record knows no closer day."


def _distance(row: Mapping[str, Term], day: str) -> int:
    """Days between *day* and the spell, which does not hold on it."""
    here = datetime.date.fromisoformat(day)
    ends = [row[key].value for key in ("a", "d") if key in row]
    return min(abs((datetime.date.fromisoformat(each) - here).days) for each in ends)


def _answered(asker: Asker, given: Mapping[str, str]) -> Refusal:
    """Why a request is not counted as answered by the day that the record is kept up to."""
    request = given["invocation"]
    label = _labels(asker, (request,))[request]
    until = _said(asker.dataset.as_of or "")
    question = f"Why is this not counted as answered: {label}?"
    wanted = _rows(asker, f"<{request}> <{_FOEDUS}asksFor> ?kind", "ORDER BY ?kind")
    given_rows = _rows(
        asker,
        f"""VALUES ?how {{ <{_FOEDUS}decisionOn> <{_FOEDUS}outcomeOf> }} ?event ?how <{request}> .
        OPTIONAL {{ ?event <{_FOEDUS}provides> ?kind }} OPTIONAL {{ ?event <{_FOEDUS}occurred> ?day }}
        OPTIONAL {{ ?event <{names.PREFIXES["rdfs"]}label> ?label FILTER(LANG(?label) = "en") }}""",
        "ORDER BY ?day ?event ?kind",
    )
    asked = {row["kind"].value for row in wanted}
    asks = [Statement(Term("iri", request), Term("iri", _FOEDUS + "asksFor"), row["kind"]) for row in wanted]
    names_ = ", ".join(shown(row["kind"]).removeprefix("foedus:") for row in wanted) or "nothing that is recorded"
    recorded: list[tuple[str, tuple[Statement, ...]]] = [(f"It asks for: {names_}", tuple(asks))]
    for row in given_rows:
        provided = shown(row["kind"]).removeprefix("foedus:") if "kind" in row else "nothing of any kind asked for"
        title = row["label"].value if "label" in row else shown(row["event"])
        day = f" ({_said(row['day'].value)})" if "day" in row else ""
        said = [Statement(row["event"], row["how"], Term("iri", request))]
        if "kind" in row:
            said.append(Statement(row["event"], Term("iri", _FOEDUS + "provides"), row["kind"]))
        recorded.append((f"{title}{day} provides: {provided}", tuple(said)))
    fitting = [row for row in given_rows if "kind" in row and row["kind"].value in asked]
    if fitting:
        reason = f"It is: {shown(fitting[0]['event'])} provides what was asked for."
        return Refusal(question, "certain", reason, tuple(recorded))
    if not asked:
        reason = "It asks for no assistance of a kind that is recorded, so that nothing can answer it."
    elif any("kind" in row for row in given_rows):
        others = sorted({shown(row["kind"]).removeprefix("foedus:") for row in given_rows if "kind" in row})
        reason = f"What was decided or delivered by {until} is of another kind than was asked for: {', '.join(others)}."
    elif given_rows:
        reason = f"What was decided on it by {until} provides no assistance."
    else:
        reason = f"No decision on it and no outcome of it is recorded up to {until}; what is not on record is not done."
    return Refusal(question, "no", reason, tuple(recorded))


_Answered = Callable[[Asker, Mapping[str, str]], Refusal]
QUESTIONS: Mapping[str, tuple[Mapping[str, str], _Answered]] = {
    "membership": ({"state": _FOEDUS + "State", "alliance": _FOEDUS + "Alliance", "date": _XSD_DATE}, _membership),
    "answered": ({"invocation": _FOEDUS + "Request"}, _answered),
}
"""The negative questions, each with its parameters (name and type) and what answers it."""


def _rows(asker: Asker, pattern: str, order: str) -> Sequence[Mapping[str, Term]]:
    text = f"SELECT DISTINCT * WHERE {{ {pattern} }} {order} LIMIT 500"
    return list(results.select(asker, text, reserved=True))


def _labels(asker: Asker, iris: Sequence[str]) -> dict[str, str]:
    """The English name of each of *iris*, or else its short one."""
    values = " ".join(written(Term("iri", each)) for each in iris)
    label = f"<{names.PREFIXES['rdfs']}label>"
    rows = _rows(asker, f'VALUES ?s {{ {values} }} ?s {label} ?l FILTER(LANG(?l) = "en")', "ORDER BY DESC(?l)")
    return {each: names.curie(each) for each in iris} | {row["s"].value: row["l"].value for row in rows}


def _quoted(name: str) -> str:
    """*name* as it can stand in a sentence: one of several words may want an article, which nothing here tells."""
    return name if name.isalpha() else f"“{name}”"


def _said(day: str) -> str:
    """A day or a date in words, which may break between lines as a terminal likes it."""
    return dates.in_words(day).replace("\N{NO-BREAK SPACE}", " ")


def _between(first: Term, last: Term) -> str:
    return _said(first.value) if first == last else f"a day from {_said(first.value)} to {_said(last.value)}"


def _day(text: str) -> str:
    try:
        found = datetime.date.fromisoformat(text.strip())
    except ValueError:
        raise WrongUsage(f"date: “{text[:40]}” is no date.", "Write a real day as YYYY-MM-DD.") from None
    return found.isoformat()
