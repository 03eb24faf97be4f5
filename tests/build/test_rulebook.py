"""Rules are taken apart when the dataset is built, and what cannot be is a finding."""

import hashlib
import json

import pytest

from foedus import files, names
from foedus.build import build, reading, rulebook, rules
from foedus.build.rules import Rule

HEAD = f"PREFIX foedus: <{names.ONTOLOGY}>\nPREFIX id: <{names.ID}>\n"

FROM_EVENTS = ("participant", "attackedState", "requestedBy", "fellWithin", "mayHaveFallenWithin", "sideA", "sideB")
"""Properties by which rules go from an event to states or to spells."""


def rule(text: str, *conditions: str) -> Rule:
    return Rule("one", "ontology/rules/one.rq", "So it is.", 1, HEAD + text, conditions)


def test_every_shipped_rule_can_be_taken_apart():
    ruled, _ = rules.read(reading.read(files.ROOT))
    assert len(ruled) > 40
    text, findings = rulebook.write(ruled, (), ())
    assert findings == []
    assert [each["name"] for each in json.loads(text)["rules"]] == [each.name for each in ruled]


def test_no_rule_asks_for_the_class_of_spells_where_it_goes_to_them_from_an_event():
    """The engine would begin with every spell of the class, and hold each against events of its state."""
    ruled, _ = rules.read(reading.read(files.ROOT))
    follow = {f"<{names.ONTOLOGY}{each}>" for each in FROM_EVENTS}
    classes = {f"<{names.ONTOLOGY}{each}>" for each in ("TreatyBinding", "Membership")}
    seen = 0
    for each in ruled:
        for group in groups(rulebook.taken_apart(each)["where"]):
            patterns = [triple for element in group for triple in element.get("triples", ())]
            properties = {property_ for _, property_, _ in patterns}
            properties |= {iri for element in group for iri in element.get("values", "").split()}
            if properties & follow:
                seen += 1
                assert not classes & {value for _, _, value in patterns}, each.name
    assert seen > 10


def groups(elements):
    """The elements of a WHERE, and of each group within."""
    yield elements
    for element in elements:
        inner = [element[key] for key in ("exists", "group", "optional", "select") if key in element]
        for group in (*inner, *element.get("union", ())):
            yield from groups(group)


def test_the_rulebook_lies_beside_the_dataset_and_the_manifest_has_its_checksum(world, tmp_path):
    manifest = build(tmp_path / "out", root=world)
    content = (tmp_path / "out" / "rules.json").read_bytes()
    assert hashlib.sha256(content).hexdigest() == manifest.rules_sha256
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["rulesSha256"] == manifest.rules_sha256
    read = json.loads(content)["dates"]
    assert read["properties"][names.ONTOLOGY + "occurred"] == [
        names.ONTOLOGY + "occurredEarliest",
        names.ONTOLOGY + "occurredLatest",
    ]


def test_statements_are_written_out():
    made = rulebook.taken_apart(rule('CONSTRUCT { ?a a foedus:B } WHERE { ?a foedus:p id:c , "x"@en ; foedus:q 1 . }'))
    foedus = names.ONTOLOGY
    assert made["where"] == [
        {
            "triples": [
                ["?a", f"<{foedus}p>", f"<{names.ID}c>"],
                ["?a", f"<{foedus}p>", '"x"@en'],
                ["?a", f"<{foedus}q>", f'"1"^^<{names.PREFIXES["xsd"]}integer>'],
            ]
        }
    ]
    assert made["template"] == [["?a", f"<{names.PREFIXES['rdf']}type>", f"<{foedus}B>"]]


def test_what_only_an_exists_knows_gets_a_name_of_its_own():
    """Two of them may use the same name for different things, and their statements will stand side by side."""
    made = rulebook.taken_apart(
        rule(
            "CONSTRUCT { ?a foedus:p ?b } WHERE { ?a foedus:q ?b "
            "FILTER EXISTS { ?b foedus:r ?x } FILTER EXISTS { ?a foedus:r ?x } FILTER NOT EXISTS { ?a foedus:s ?x } }",
            "?a has no s",
        )
    )
    first, second = (each["exists"][0]["triples"][0] for each in made["where"] if "exists" in each)
    assert first[0] == "?b" and second[0] == "?a"
    assert len({first[2], second[2], "?x"}) == 3


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ("?a foedus:q+ ?b", "a path of any length"),
        ("?a foedus:q/foedus:r* ?b", "a path of any length"),
        ("?a foedus:q|^foedus:r ?b", "a path with ^ among alternatives"),
        ("?a foedus:q ?b . GRAPH id:g { ?a foedus:r ?b }", "GRAPH"),
        ("?a foedus:q [ foedus:r ?b ]", "“[” as part of a statement"),
        ("{ SELECT ?a (COUNT(?c) AS ?b) { ?a foedus:q ?c } GROUP BY ?a HAVING (?b > 1) }", "HAVING in a subquery"),
        ("{ SELECT ?a (SUM(?c + 1) AS ?b) { ?a foedus:q ?c } GROUP BY ?a }", "“+” where ) is expected"),
    ],
)
def test_a_rule_that_cannot_be_explained_is_a_finding(where, reason):
    _, findings = rulebook.write([rule(f"CONSTRUCT {{ ?a foedus:p ?b }} WHERE {{ {where} }}")], (), ())
    assert [each.file for each in findings] == ["ontology/rules/one.rq"]
    assert reason in findings[0].message


TWO = (
    "CONSTRUCT { ?a foedus:p ?b } WHERE "
    "{ ?a foedus:q ?b OPTIONAL { ?b foedus:r ?c } FILTER NOT EXISTS { ?a foedus:s ?d } }"
)


@pytest.mark.parametrize(
    ("conditions", "reason"),
    [
        ((), "it has 2 NOT EXISTS, MINUS and OPTIONAL, and 0 lines “#+ condition:”"),
        (("?b has no r",), "and 1 lines"),
        (("?b has no r", "?a has no s but ?d"), "the condition “?a has no s but ?d” speaks of ?d"),
    ],
)
def test_a_rule_that_does_not_say_in_words_what_is_missing_is_a_finding(conditions, reason):
    _, findings = rulebook.write([rule(TWO, *conditions)], (), ())
    assert [each.file for each in findings] == ["ontology/rules/one.rq"]
    assert reason in findings[0].message


def test_each_part_that_is_true_of_what_is_missing_has_its_sentence():
    """Also within what must be there, an alternative or a subquery, and once for what stands in another one."""
    where = (
        "?a foedus:q ?b OPTIONAL { ?b foedus:r ?c FILTER NOT EXISTS { ?c foedus:r ?e } } "
        "FILTER EXISTS { ?a foedus:q ?f FILTER NOT EXISTS { ?f foedus:s ?g FILTER NOT EXISTS { ?g foedus:s ?a } } } "
        "{ ?a foedus:t ?b MINUS { ?a foedus:u ?b } } UNION { SELECT ?a { ?a foedus:q ?h OPTIONAL { ?h foedus:v ?i } } }"
    )
    words = ("1", "2", "3", "4", "5")
    _, findings = rulebook.write([rule(f"CONSTRUCT {{ ?a foedus:p ?b }} WHERE {{ {where} }}", *words)], (), ())
    assert findings == []
