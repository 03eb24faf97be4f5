"""Every conclusion has its proof, each step of a proof is checked again, and what is asked from outside is safe.

The exhaustive test works on single steps: a statement, one use of a rule, its premises. A proof is nothing but such
steps put together, down to what files state; so all proofs of all statements are sound if every step is, and every
statement has one if the steps lead from what files state to all of them. Both are checked for every inferred statement
of the shipped data, in about 30 seconds of one core.
"""

import itertools
import json
import re
from pathlib import Path

import pytest
from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, QueryTriples, RdfFormat, Store, Triple, parse

from foedus import names
from foedus.build import dates, rulebook, rules, writing
from foedus.errors import AnswerTooLarge, DatasetRefused, NoSuchThing, WrongUsage
from foedus.query import proofs, results, why, whynot
from foedus.query.limits import MIB, Limits
from foedus.query.pool import Pool
from foedus.query.results import Term
from foedus.query.why import Statement

FOEDUS, ID = names.ONTOLOGY, names.ID
STATED = set(names.GRAPHS) - {names.INFERRED}


def term(value: NamedNode | Literal) -> Term:
    if isinstance(value, NamedNode):
        return Term("iri", value.value)
    plain = value.language or value.datatype.value == why._XSD_STRING
    return Term("literal", value.value, None if plain else value.datatype.value, value.language)


def node(value: Term) -> NamedNode | Literal:
    if value.kind == "iri":
        return NamedNode(value.value)
    if value.language:
        return Literal(value.value, language=value.language)
    return Literal(value.value, datatype=NamedNode(value.datatype)) if value.datatype else Literal(value.value)


def triple(statement: Statement) -> Triple:
    return Triple(*map(node, statement))


def statement(text: str) -> Statement:
    return why.read_statement(*text.split(maxsplit=2))


def yields(text: str, premises) -> set[Triple]:
    """What the rule *text* concludes from *premises* alone."""
    store = Store()
    store.extend(Quad(*triple(each), DefaultGraph()) for each in premises)
    found = store.query(text)
    assert isinstance(found, QueryTriples)
    return set(found)


@pytest.fixture(scope="module")
def shipped(dataset):
    """The shipped dataset in the engine itself, for checks that do not trust the pool's answers."""
    store = Store()
    store.bulk_load(path=dataset / "dataset.nq", format=RdfFormat.N_QUADS)
    return store


@pytest.fixture(scope="module")
def all_steps(pool, shipped):
    """Every inferred statement of the shipped data, with the steps that conclude it."""
    inferred = [
        Statement(term(quad.subject), term(quad.predicate), term(quad.object))
        for quad in shipped.quads_for_pattern(None, None, None, NamedNode(names.INFERRED))
    ]
    assert len(inferred) > 10_000
    return why.Finder(pool, why.rulebook(pool.dataset)).steps(inferred)


def test_every_inferred_statement_of_the_shipped_data_has_a_proof_down_to_what_files_state(all_steps, shipped):
    """Each has a step, and by steps all are reached from the statements of the other graphs."""
    assert [str(each) for each, steps in all_steps.items() if not steps] == []
    proven = {
        each
        for each in {premise for steps in all_steps.values() for step in steps for premise in step.premises}
        if any(quad.graph_name.value in STATED for quad in shipped.quads_for_pattern(*triple(each)))
    }
    left = dict(all_steps)
    while new := {each for each, steps in left.items() if any(proven.issuperset(s.premises) for s in steps)}:
        proven |= new
        left = {each: steps for each, steps in left.items() if each not in new}
    assert [str(each) for each in left] == []


def test_the_premises_of_every_step_of_the_shipped_data_are_in_the_dataset(all_steps, shipped):
    premises = {premise for steps in all_steps.values() for step in steps for premise in step.premises}
    assert len(premises) > 10_000
    missing = [each for each in premises if next(shipped.quads_for_pattern(*triple(each)), None) is None]
    assert [str(each) for each in missing] == []


def test_every_step_of_the_shipped_data_is_yielded_by_its_rule_from_its_premises_alone(all_steps, pool):
    """The rule's own text, run over a store that holds the premises and nothing else, concludes the statement.

    What must not be there cannot be there in such a store; that it is not in the dataset is the next test. For the
    step that reads dates, the build's own reader says the same of the one date.
    """
    texts = {rule.name: rule.text for rule in why.rulebook(pool.dataset).rules}
    wrong, checked = [], 0
    for step in itertools.chain(*all_steps.values()):
        checked += 1
        if step.rule == why.DATES:
            date, bound = step.premises
            read = dates.bounds(date.value.value)
            day = read.earliest if bound.property.value == FOEDUS + "earliestBound" else read.latest
            right = step.conclusion == Statement(date.subject, bound.value, Term("literal", str(day), DAY))
        else:
            right = triple(step.conclusion) in yields(texts[step.rule], step.premises)
        if not right:
            wrong.append(f"{step.rule}: {step.conclusion}")
    assert checked > 10_000
    assert wrong == []


DAY = names.PREFIXES["xsd"] + "date"


def test_every_step_of_the_shipped_data_is_yielded_by_its_rule_from_the_whole_dataset(all_steps, shipped, pool):
    """With all that the dataset holds, what must not be there included, each rule concludes what is ascribed to it."""
    ascribed: dict[str, set[Triple]] = {}
    for step in itertools.chain(*all_steps.values()):
        ascribed.setdefault(step.rule, set()).add(triple(step.conclusion))
    for rule in why.rulebook(pool.dataset).rules:
        found = shipped.query(rule.text, use_default_graph_as_union=True)
        assert isinstance(found, QueryTriples)
        assert ascribed.get(rule.name, set()) - set(found) == set(), rule.name


def leaves(proof):
    return [leaf for each in proof.premises for leaf in leaves(each)] if proof.premises else [proof]


def parts(proof):
    return [proof, *itertools.chain(*map(parts, proof.premises))]


def test_a_proof_goes_down_to_files_and_sources(pool):
    """Uzbekistan was a member: because of its readmission, which data/alliances/csto.ttl states after three sources."""
    found = why.explain(pool, statement("id:uzbekistan a foedus:FormerMemberState"))
    proof = found.proofs[0]
    assert (proof.rule, proof.file) == ("former-member-state", "ontology/rules/former-member-state.rq")
    assert [str(each.conclusion) for each in proof.premises] == [
        "id:membership-csto-uzbekistan-1 a foedus:Membership",
        "id:membership-csto-uzbekistan-1 foedus:endedBy id:csto-suspension-uzbekistan-2012-12-19",
        "id:membership-csto-uzbekistan-1 foedus:ofState id:uzbekistan",
    ]
    assert all(leaf.files and leaf.graph in STATED for leaf in leaves(proof))
    act = next(leaf for leaf in leaves(proof) if str(leaf.conclusion).startswith("id:csto-readmission-uzbekistan a "))
    assert act.files == ("data/alliances/csto.ttl",)
    assert len(act.sources) >= 2
    assert not {str(each.conclusion) for each in parts(proof.premises[0])} & {str(found.statement)}


def test_a_date_is_explained_by_how_it_was_read(pool):
    found = why.explain(
        pool,
        statement('id:csto-readmission-uzbekistan foedus:takesEffectLatest "2008-03-28"^^xsd:date'),
    )
    proof = found.proofs[0]
    assert proof.rule == why.DATES
    assert "“[2006-06-23..2008-03-28]” was read as 2006-06-23 to 2008-03-28" in proof.sentence
    assert proof.premises[0].files == ("data/alliances/csto.ttl",)


def test_conditions_say_what_is_not_in_the_record(pool):
    """The first act that binds is the first because nothing comes before it."""
    found = why.explain(pool, statement("id:binding-csto-charter-armenia-1 a foedus:TreatyBinding"))
    conditions = [condition for each in parts(found.proofs[0]) for condition in each.conditions]
    assert (
        "no other act that begins a binding of id:armenia by id:csto-charter takes effect before "
        "id:csto-charter-entry-into-force-armenia"
    ) in conditions


def test_conditions_are_sentences_and_name_what_they_speak_of(all_steps):
    """What must not be there is never shown as a pattern, and no variable is left without its value."""
    conditions = {condition for steps in all_steps.values() for step in steps for condition in step.conditions}
    said = {each for each in conditions if re.search(r"\b(?:no|not|nothing|none|every)\b", each)}
    assert len(said) > 100
    assert [each for each in conditions if "EXISTS" in each or "nothing fits" in each] == []
    assert [each for each in said if re.search(r"\?\w", each)] == []


def test_a_statement_of_a_file_is_its_own_proof(pool):
    found = why.explain(pool, statement("id:csto a foedus:Alliance"))
    assert [(each.rule, each.size, each.files) for each in found.proofs] == [("", 1, ("data/alliances/csto.ttl",))]


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("id:uzbekstan a foedus:State", "id:uzbekistan"),
        ("id:uzbekistan a foedus:Alliance", "foedus:FormerMemberState"),
        ('id:uzbekistan foedus:iso3 "UZ"', '"UZB"'),
        ("id:uzbekistan foedus:endedBy id:csto", "foedus:iso3"),
    ],
)
def test_what_does_not_hold_is_answered_with_what_does(pool, text, near):
    with pytest.raises(NoSuchThing) as error:
        why.explain(pool, statement(text))
    assert near in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "id:csto } DROP ALL #",
        "<http://example.org/> . ?s ?p ?o . <x>",
        "_:blank",
        "?variable",
        '"unclosed',
        '"x"@en }',
        '"x"^^<javascript:alert(1)>',
        '"\\ud800"',
        "javascript:alert(1)",
        "x" * 3000,
        "<http://example.org/\n>",
    ],
)
def test_what_is_no_term_is_refused(text):
    with pytest.raises(WrongUsage):
        why.read_term(text)


@pytest.mark.parametrize(
    "value",
    ['"', "\\", '" } UNION { ?s ?p ?o } #', "a\nb\tc\r", "\\u0022", "\u202e", "'; DROP", "{}", "\x01"],
)
def test_a_literal_comes_through_as_it_is(pool, value):
    """Whatever a text holds, the query holds it as a text: what is asked comes back the same."""
    written = why.written(Term("literal", value))
    assert why.read_term(written) == Term("literal", value)
    rows = list(results.select(pool, f"SELECT ?x {{ VALUES ?x {{ {written} }} }}"))
    assert [row["x"] for row in rows] == [Term("literal", value)]


def test_a_literal_is_no_subject_and_no_property():
    for text in ('"x" a foedus:State', 'id:csto "x" foedus:State'):
        with pytest.raises(WrongUsage):
            statement(text)


def test_the_rdf_of_a_proof_has_provs_terms(pool):
    """Every concluded statement was generated by an activity that used its premises, every other one has its file."""
    found = why.explain(pool, statement("id:uzbekistan a foedus:FormerMemberState"))
    triples = [each.triple for each in parse(proofs.as_turtle(found), format=RdfFormat.TURTLE)]
    prov = names.PREFIXES["prov"]

    def having(local: str) -> set:
        return {each.subject for each in triples if each.predicate.value == prov + local}

    entities = {each.subject for each in triples if each.predicate.value == names.PREFIXES["rdf"] + "subject"}
    different = {id(each): each for each in parts(found.proofs[0])}.values()
    assert len(entities) == len(different)
    assert len(having("wasGeneratedBy")) == sum(bool(each.rule) for each in different)
    assert having("wasGeneratedBy") == having("wasDerivedFrom")
    assert having("atLocation") == entities - having("wasGeneratedBy")
    assert having("used") and having("qualifiedAssociation") and having("hadPlan") and having("hadPrimarySource")


def test_the_json_of_a_proof_has_the_tree(pool):
    content = json.loads(why.explain(pool, statement("id:uzbekistan a foedus:FormerMemberState")).json())
    proof = content["proofs"][0]
    assert proof["rule"] == "former-member-state"
    assert proof["premises"][0]["triple"][0] == {"type": "uri", "value": ID + "membership-csto-uzbekistan-1"}
    assert content["more"] is False


# Worlds of our own, with rules of our own, for the forms of SPARQL that a rule may have.

HEAD = f"PREFIX foedus: <{FOEDUS}>\nPREFIX id: <{ID}>\n"


@pytest.fixture
def world(tmp_path):
    """Make a dataset of Turtle and rules, each rule's CONSTRUCT by its name, and answer from it."""
    running = []

    def made(turtle: str, **texts: str) -> Pool:
        prefixes = f"@prefix foedus: <{FOEDUS}> . @prefix id: <{ID}> . @prefix xsd: <{names.PREFIXES['xsd']}> .\n"
        stated = [quad.triple for quad in parse(prefixes + turtle, format=RdfFormat.TURTLE)]
        said = {name: tuple(re.findall(r"^#\+ condition: (.*)$", text, re.MULTILINE)) for name, text in texts.items()}
        ruled = [rules.Rule(name, f"{name}.rq", "So.", 1, HEAD + text, said[name]) for name, text in texts.items()]
        text, findings = rulebook.write(ruled, stated, ())
        assert findings == []
        store = rules.store_of({names.ASSERTED: stated})
        concluded = rules.run(ruled, store)
        graphs = {names.ASSERTED: stated, names.INFERRED: concluded.triples}
        writing.write(graphs, text, "2026-11-22", {}, tmp_path / "ds")
        pool = Pool(tmp_path / "ds", Limits(workers=1, memory=192 * MIB))
        running.append(pool)
        return pool.__enter__()

    yield made
    for pool in running:
        pool.__exit__(None, None, None)


def premises_of(pool: Pool, text: str) -> list[list[str]]:
    """The premises of the last step of each proof, which its rule yields from them alone."""
    found = why.explain(pool, statement(text))
    texts = {rule.name: rule.text for rule in why.rulebook(pool.dataset).rules}
    for proof in found.proofs:
        if proof.rule:
            assert triple(found.statement) in yields(texts[proof.rule], [each.conclusion for each in proof.premises])
    return [[str(each.conclusion) for each in proof.premises] for proof in found.proofs]


def test_alternatives_of_a_path_and_of_a_union_are_each_a_proof(world):
    pool = world(
        "id:a foedus:p id:x ; foedus:q id:x ; foedus:r id:x .",
        path="CONSTRUCT { ?s foedus:one ?o } WHERE { ?s foedus:p|foedus:q ?o }",
        union="CONSTRUCT { ?s foedus:two ?o } WHERE { { ?s foedus:p ?o } UNION { ?s foedus:r ?o } }",
    )
    assert sorted(premises_of(pool, "id:a foedus:one id:x")) == [["id:a foedus:p id:x"], ["id:a foedus:q id:x"]]
    assert sorted(premises_of(pool, "id:a foedus:two id:x")) == [["id:a foedus:p id:x"], ["id:a foedus:r id:x"]]


def test_steps_of_a_path_backwards_and_on_are_premises(world):
    pool = world(
        "id:a foedus:p id:b . id:c foedus:q id:b .",
        path="CONSTRUCT { ?s foedus:one ?o } WHERE { ?s foedus:p/^foedus:q ?o }",
    )
    assert premises_of(pool, "id:a foedus:one id:c") == [["id:a foedus:p id:b", "id:c foedus:q id:b"]]


def test_what_an_exists_finds_is_a_premise_and_what_a_not_exists_misses_a_condition(world):
    pool = world(
        "id:a foedus:p id:b ; foedus:q id:one , id:two .",
        one=(
            "#+ condition: ?o has no q\n"
            "CONSTRUCT { ?s foedus:one ?o } WHERE { ?s foedus:p ?o FILTER EXISTS { ?s foedus:q ?x } "
            "FILTER EXISTS { ?s foedus:q ?x FILTER(?x != id:one) } FILTER NOT EXISTS { ?o foedus:q ?x } }"
        ),
    )
    assert sorted(premises_of(pool, "id:a foedus:one id:b")) == [
        ["id:a foedus:p id:b", "id:a foedus:q id:one", "id:a foedus:q id:two"],
        ["id:a foedus:p id:b", "id:a foedus:q id:two"],
    ]
    conditions = why.explain(pool, statement("id:a foedus:one id:b")).proofs[0].conditions
    assert "id:b has no q" in conditions


def test_an_optional_part_is_a_premise_where_it_is_there(world):
    pool = world(
        "id:a foedus:p id:b ; foedus:q id:c . id:d foedus:p id:e .",
        one=(
            "#+ condition: ?s has no q\n"
            "CONSTRUCT { ?s foedus:one ?x } WHERE { ?s foedus:p ?o OPTIONAL { ?s foedus:q ?q } "
            "BIND(COALESCE(?q, ?o) AS ?x) }"
        ),
    )
    assert premises_of(pool, "id:a foedus:one id:c") == [["id:a foedus:p id:b", "id:a foedus:q id:c"]]
    assert premises_of(pool, "id:d foedus:one id:e") == [["id:d foedus:p id:e"]]
    assert why.explain(pool, statement("id:d foedus:one id:e")).proofs[0].conditions == ("id:d has no q",)


def test_all_that_is_counted_is_a_premise_and_of_a_least_value_one(world):
    pool = world(
        "id:a foedus:p 3 , 1 , 2 .",
        count="CONSTRUCT { ?s foedus:one ?n } WHERE { { SELECT ?s (COUNT(?o) AS ?n) { ?s foedus:p ?o } GROUP BY ?s } }",
        least="CONSTRUCT { ?s foedus:two ?n } WHERE { { SELECT ?s (MIN(?o) AS ?n) { ?s foedus:p ?o } GROUP BY ?s } }",
    )
    one = 'id:a foedus:p "{}"^^xsd:integer'
    counted = premises_of(pool, 'id:a foedus:one "3"^^xsd:integer')
    assert [sorted(each) for each in counted] == [[one.format(n) for n in (1, 2, 3)]]
    assert premises_of(pool, 'id:a foedus:two "1"^^xsd:integer') == [[one.format(1)]]
    conditions = why.explain(pool, statement('id:a foedus:two "1"^^xsd:integer')).proofs[0].conditions
    assert conditions == ('"1" is the least of all ?o with: id:a foedus:p ?o',)


def test_a_subquery_may_compute_what_it_gives_out(world):
    pool = world(
        "id:a foedus:p 1 , 5 ; foedus:q 4 .",
        more=(
            "CONSTRUCT { ?s foedus:one ?n } WHERE { { SELECT ?s ?n { ?s foedus:p ?o BIND(?o + 1 AS ?n) } } "
            "?s foedus:q ?q FILTER(?n > ?q) }"
        ),
    )
    one = 'id:a foedus:{} "{}"^^xsd:integer'
    assert premises_of(pool, one.format("one", 6)) == [[one.format("p", 5), one.format("q", 4)]]


BOTH = "CONSTRUCT { ?b foedus:like ?a } WHERE { ?a foedus:like ?b }"
OVER = "CONSTRUCT { ?a foedus:under ?c } WHERE { ?a foedus:under ?b . ?b foedus:under ?c }"


def test_no_proof_goes_in_a_circle(world):
    """a is like b since b is like a, and that is stated: the way back to where it began is no proof."""
    pool = world("id:b foedus:like id:a .", both=BOTH)
    found = why.explain(pool, statement("id:a foedus:like id:b"))
    assert [each.size for each in found.proofs] == [2]
    stated = why.explain(pool, statement("id:b foedus:like id:a"))
    assert [(each.rule, each.size) for each in stated.proofs] == [("", 1)]


def test_a_statement_both_stated_and_concluded_has_both_proofs_the_shorter_first(world):
    pool = world("id:a foedus:like id:b . id:b foedus:like id:a .", both=BOTH)
    found = why.explain(pool, statement("id:a foedus:like id:b"))
    assert [(each.rule, each.size) for each in found.proofs] == [("", 1), ("both", 2)]


def test_proofs_come_shortest_first_and_no_more_than_asked_for(world):
    """From the first to the last there is a longer and a shorter way, each put together in several orders."""
    chain = " ".join(f"id:n{n} foedus:under id:n{n + 1} ." for n in range(6)) + " id:n0 foedus:under id:n3 ."
    pool = world(chain, over=OVER)
    found = why.explain(pool, statement("id:n0 foedus:under id:n6"))
    sizes = [each.size for each in found.proofs]
    assert (len(sizes), found.more) == (5, True)
    assert sizes == sorted(sizes)
    assert sizes[0] == 7  # four stated, three concluded
    assert len({json.dumps(each.as_json(), sort_keys=True) for each in found.proofs}) == 5
    every = why.explain(pool, statement("id:n0 foedus:under id:n2"), proofs=50)
    assert [each.size for each in every.proofs] == [3]
    assert not every.more


def test_more_than_can_be_told_is_said_to_be_too_much(world):
    """Each pair of eighty in a row follows in very many ways: an error, not an hour."""
    pool = world(" ".join(f"id:n{n} foedus:under id:n{n + 1} ." for n in range(80)), over=OVER)
    with pytest.raises(AnswerTooLarge):
        why.explain(pool, statement("id:n0 foedus:under id:n80"))


@pytest.mark.parametrize("number", [0, -1, 51])
def test_the_number_of_proofs_is_bounded(pool, number):
    with pytest.raises(WrongUsage):
        why.explain(pool, statement("id:csto a foedus:Alliance"), proofs=number)


def test_data_without_our_rules_are_said_to_have_none(small_pool):
    with pytest.raises(NoSuchThing, match="came without rules"):
        why.explain(small_pool, statement("id:csto a foedus:Alliance"))


def test_a_rulebook_that_is_not_the_manifests_is_refused(world, tmp_path):
    pool = world("id:a foedus:like id:b .", both=BOTH)
    with Path(pool.dataset.rules).open("a") as file:
        file.write(" ")
    with pytest.raises(DatasetRefused):
        why.explain(pool, statement("id:b foedus:like id:a"))


@pytest.mark.parametrize(
    ("state", "alliance", "day", "holds", "reason"),
    [
        ("uzbekistan", "csto", "2013-01-01", "no", "It had ended"),
        ("uzbekistan", "csto", "2005-01-01", "no", "It had not begun"),
        ("uzbekistan", "csto", "2007-01-01", "possible", "began on a day from 23 June 2006 to 28 March 2008"),
        ("uzbekistan", "csto", "2012-07-01", "possible", "ended on a day from 28 June 2012 to 19 December 2012"),
        ("azerbaijan", "csto", "2005-01-01", "no", "no act on record begins a binding"),
        ("russia", "csto", "2010-01-01", "certain", "It was"),
        ("russia", "csto", "2026-11-22", "presumed", "no source read attests it for so late a day"),
    ],
)
def test_why_a_state_was_not_a_member_on_a_day(pool, state, alliance, day, holds, reason):
    found = whynot.why_not(pool, "membership", {"state": state, "alliance": alliance, "date": day})
    assert found.holds == holds
    assert reason in found.reason
    said = " ".join((found.question, found.reason, *(sentence for sentence, _ in found.recorded)))
    assert not re.search(r"\bid:|[0-9]{4}-[0-9]{2}", said), said
    for _, statements in found.recorded:
        for each in statements:
            assert why.explain(pool, each, proofs=1).proofs


def test_acts_behind_a_refusal_stand_once_each_in_the_order_of_their_days(pool):
    """Acts under the Treaty and the Charter are one; the day of the return to both is a range."""
    values = {"state": "uzbekistan", "alliance": "csto", "date": "2013-01-01"}
    told = [sentence for sentence, _ in whynot.why_not(pool, "membership", values).recorded]
    assert len(told) == len(set(told)) > 8
    years = [int(re.search(r"[0-9]{4}", each.rpartition("(")[2])[0]) for each in told if each.endswith(")")]
    assert years == sorted(years)


def test_why_requests_do_not_count_as_answered(pool):
    """Armenia asked for troops and got observers; Kazakhstan got what it asked for."""
    request = "collective-security-treaty-article-4-{}"
    armenia = whynot.why_not(pool, "answered", {"invocation": request.format("armenia-2022-09-13")})
    assert armenia.holds == "no"
    assert "of another kind than was asked for: observerMission" in armenia.reason
    kazakhstan = whynot.why_not(pool, "answered", {"invocation": request.format("kazakhstan-2022-01-05")})
    assert kazakhstan.holds == "certain"


@pytest.mark.parametrize(
    ("question", "values"),
    [
        ("unknown", {}),
        ("membership", {"state": "russia"}),
        ("membership", {"state": "russia", "alliance": "csto", "date": "2022-02-30"}),
        ("membership", {"state": "russia", "alliance": "csto", "date": '2022-01-01" }'}),
        ("membership", {"state": "rusia", "alliance": "csto", "date": "2022-01-01"}),
        ("answered", {"invocation": "x", "more": "y"}),
    ],
)
def test_negative_questions_take_only_what_fits(pool, question, values):
    with pytest.raises(WrongUsage):
        whynot.why_not(pool, question, values)
