"""Rules run stratum by stratum to a fixpoint, and a rule without an end stops the build by name."""

import pytest
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, Store, Triple

from foedus import files, names
from foedus.build import build, dates, firing, reading, rulebook, rules
from foedus.build.rules import Rule
from foedus.errors import DataHasFindings

HEAD = f"PREFIX foedus: <{names.ONTOLOGY}>\n"
TYPE = NamedNode(names.expand("rdf:type"))


def rule(name: str, text: str, stratum: int = 1) -> Rule:
    return Rule(name, f"ontology/rules/{name}.rq", "A rule.", stratum, HEAD + text)


def triple(subject: str, predicate: str, object_: str) -> Triple:
    return Triple(NamedNode(names.ID + subject), NamedNode(names.ONTOLOGY + predicate), NamedNode(names.ID + object_))


def test_a_rule_runs_until_nothing_new_follows():
    chain = [triple(f"n{n}", "neighbour", f"n{n + 1}") for n in range(20)]
    store = rules.store_of({names.ASSERTED: chain})
    closure = rule("closure", "CONSTRUCT { ?a foedus:neighbour ?c } WHERE { ?a foedus:neighbour/foedus:neighbour ?c }")
    concluded = rules.run([closure], store)
    assert concluded.findings == ()
    assert len(concluded.triples) == 20 * 21 // 2 - 20
    assert [(count.what, count.number) for count in concluded.by_rule] == [("closure", 190)]


def test_what_is_stated_anywhere_is_not_concluded_again():
    store = rules.store_of({names.LINKS: [triple("rome", "signed", "peace")]})
    again = rule("again", "CONSTRUCT { ?a foedus:signed ?b } WHERE { ?a foedus:signed ?b }")
    assert rules.run([again], store).triples == ()


@pytest.mark.parametrize("value", ['two\nlines "and" \\\\ quotes _:b << ', "Łódź\u0085\u2028", "1.50"])
def test_a_literal_is_concluded_once_and_as_it_is(value):
    told = Triple(NamedNode(names.ID + "rome"), NamedNode(names.ONTOLOGY + "value"), Literal(value, language="en"))
    store = rules.store_of({names.ASSERTED: [told, triple("rome", "signed", "peace")]})
    one = rule("one", "CONSTRUCT { ?b foedus:value ?c } WHERE { ?a foedus:signed ?b ; foedus:value ?c }")
    two = rule("two", "CONSTRUCT { ?a foedus:value ?c } WHERE { ?a foedus:value ?c }")
    found = rules.run([one, two], store)
    assert found.triples == (Triple(NamedNode(names.ID + "peace"), told.predicate, told.object),)
    assert {quad.object for quad in store.quads_for_pattern(None, told.predicate, None, None)} == {told.object}


@pytest.mark.parametrize("end", ["subject", "object"])
def test_a_conclusion_about_a_blank_node_stops_the_rules_and_a_stated_one_does_not(end):
    blank, signed = BlankNode(), NamedNode(names.ONTOLOGY + "signed")
    rome = NamedNode(names.ID + "rome")
    stated = Triple(blank, signed, rome) if end == "subject" else Triple(rome, signed, blank)
    store = rules.store_of({names.ASSERTED: [stated]})
    again = rule("again", "CONSTRUCT { ?a foedus:signed ?b } WHERE { ?a foedus:signed ?b }")
    assert rules.run([again], store).findings == ()
    other = rule("other", "CONSTRUCT { ?a foedus:attests ?b } WHERE { ?a foedus:signed ?b }")
    (finding,) = rules.run([other], store).findings
    assert "blank node" in finding.message


def test_a_later_stratum_sees_everything_of_the_earlier_ones():
    """The first file by name is of the second stratum: what is absent there stays absent."""
    store = rules.store_of({names.ASSERTED: [triple("rome", "neighbour", "gaul")]})
    negation = rule(
        "a",
        "CONSTRUCT { ?a foedus:ofState ?b } WHERE { ?a foedus:neighbour ?b FILTER NOT EXISTS { ?a foedus:signed ?b } }",
        stratum=2,
    )
    positive = rule("b", "CONSTRUCT { ?a foedus:signed ?b } WHERE { ?a foedus:neighbour ?b }")
    assert rules.run([negation, positive], store).triples == (triple("rome", "signed", "gaul"),)


@pytest.mark.parametrize("growth", ["'x'", "STR(?b)"], ids=["one by one", "doubling"])
def test_a_rule_without_an_end_is_stopped_and_named(growth, monkeypatch):
    monkeypatch.setattr(rules, "MOST_NEW", 1000)
    store = rules.store_of({names.ASSERTED: [triple("a", "neighbour", "b")]})
    text = "CONSTRUCT { ?c foedus:neighbour ?b } WHERE { ?a foedus:neighbour ?b BIND(IRI(CONCAT(STR(?a), 'x')) AS ?c) }"
    if growth != "'x'":
        text = (
            "CONSTRUCT { ?c foedus:neighbour ?b . ?b foedus:neighbour ?c } WHERE { ?a foedus:neighbour ?b "
            f"BIND(IRI(CONCAT(STR(?a), '-', STRAFTER({growth}, 'id/'))) AS ?c) }}"
        )
    (finding,) = rules.run([rule("endless", text)], store).findings
    assert finding.file == "ontology/rules/endless.rq"
    assert "rounds" in finding.message or "no end" in finding.message


def test_a_rule_that_makes_new_things_from_its_own_stops_the_build_with_its_name(world, tmp_path):
    """Each thing that it names is a neighbour, of which it names another."""
    (world / "ontology" / "rules" / "endless.rq").write_text(
        "#+ rule: Beyond each neighbour there is another.\n#+ stratum: 1\n"
        + HEAD
        + "CONSTRUCT { ?b foedus:neighbour ?c }"
        " WHERE { ?a foedus:signed|foedus:neighbour ?b BIND(IRI(CONCAT(STR(?b), '-x')) AS ?c) }\n"
    )
    with pytest.raises(DataHasFindings) as stopped:
        build(tmp_path / "out", root=world)
    (finding,) = [each for each in stopped.value.report.findings if "endless" in each.file]
    assert (finding.file, "rounds" in finding.message) == ("ontology/rules/endless.rq", True)
    assert not (tmp_path / "out" / "dataset.nq").exists()


def test_conclusions_lie_in_the_graph_of_inferences(world, tmp_path):
    build(tmp_path / "out", root=world)
    assert (
        f"<{names.ID}rome> <{names.ONTOLOGY}signed> <{names.ID}ebro-treaty> <{names.INFERRED}> ."
        in (tmp_path / "out" / "dataset.nq").read_text().splitlines()
    )


def test_comments_and_strings_are_no_part_of_a_query():
    text = 'SELECT <http://a/#b> "# foedus:No" # foedus:Never\n?x'
    assert rules.without_comments(text).split() == ["SELECT", "<http://a/#b>", "?x"]
    assert rules.without_comments(text).count("\n") == 1


def test_a_rule_that_nothing_new_concerns_is_passed_over():
    """Who is called something else is no state, so that what is called state by the one rule feeds the other only."""
    store = rules.store_of(
        {names.ASSERTED: [triple("rome", "neighbour", "gaul"), triple("gaul", "neighbour", "spain")]}
    )
    one = rule("one", "CONSTRUCT { ?b foedus:signed ?a } WHERE { ?a foedus:neighbour ?b }")
    two = rule("two", "CONSTRUCT { ?a foedus:ofState ?b } WHERE { ?a foedus:signed ?b . ?b foedus:signed ?c }")
    found = rules.run([one, two], store)
    assert set(found.triples) == {
        triple("gaul", "signed", "rome"),
        triple("spain", "signed", "gaul"),
        triple("spain", "ofState", "gaul"),
    }
    assert (found.rounds, found.runs) == (2, 2)


@pytest.mark.parametrize(
    "where",
    [
        "?a foedus:neighbour|foedus:signed ?b",
        "?a ?property ?b VALUES ?property { foedus:signed }",
        "?a ?property ?b FILTER(?property = foedus:signed)",
        "?a foedus:neighbour ?b FILTER EXISTS { ?a foedus:signed ?c }",
        "?a foedus:neighbour ?b FILTER(EXISTS { ?a foedus:signed ?c } || 1 = 2)",
        "?a foedus:neighbour ?b FILTER NOT EXISTS { ?a foedus:neighbour ?c FILTER NOT EXISTS { ?a foedus:signed ?c } }",
        "{ ?a foedus:ofState ?b } UNION { ?a foedus:signed ?b }",
        "{ SELECT ?a (MAX(?c) AS ?b) { ?a foedus:signed ?c } GROUP BY ?a }",
        "?a foedus:neighbour ?b OPTIONAL { ?a foedus:signed ?c } FILTER(BOUND(?c))",
    ],
)
def test_what_a_later_rule_concludes_reaches_an_earlier_one_in_whatever_form_it_asks(where):
    """The first rule runs before the second has concluded anything, matches something all the same, and runs again."""
    facts = [
        triple("rome", "neighbour", "gaul"),
        triple("spain", "signed", "rome"),
        triple("spain", "neighbour", "rome"),
    ]
    store = rules.store_of({names.ASSERTED: facts})
    first = rule("a", f"CONSTRUCT {{ ?a foedus:attests ?b }} WHERE {{ {where} }}")
    second = rule("b", "CONSTRUCT { ?a foedus:signed ?b } WHERE { ?a foedus:neighbour ?b }")
    assert triple("rome", "attests", "gaul") in rules.run([first, second], store).triples


class Counting:
    """A store that counts how often it is looked into."""

    def __init__(self, store: Store) -> None:
        self.store, self.looks = store, 0

    def quads_for_pattern(self, *pattern):
        self.looks += 1
        return self.store.quads_for_pattern(*pattern)

    def __getattr__(self, name):
        return getattr(self.store, name)


def test_whether_news_concern_a_rule_takes_one_look_at_each_thing_however_much_is_new_about_it():
    facts = [triple(f"n{n}", "neighbour", f"m{n}{each}") for n in range(10) for each in range(100)]
    store, news = Counting(rules.store_of({names.ASSERTED: facts})), firing.News()
    news.add(f"{each} .".encode() for each in facts)
    need = rulebook.needs(
        rule("a", "CONSTRUCT { ?a foedus:signed ?b } WHERE { ?a a foedus:State ; foedus:neighbour ?b }")
    )
    assert not need.touched(news, {}, store)
    assert store.looks == 10


def test_a_class_that_is_news_of_other_things_takes_no_look_at_all():
    facts = [Triple(NamedNode(f"{names.ID}n{n}"), TYPE, NamedNode(names.ONTOLOGY + "Treaty")) for n in range(10)]
    store, news = Counting(rules.store_of({names.ASSERTED: facts})), firing.News()
    news.add(f"{each} .".encode() for each in facts)
    need = rulebook.needs(rule("a", "CONSTRUCT { ?a foedus:signed ?a } WHERE { ?a a foedus:State }"))
    assert not need.touched(news, {}, store)
    assert store.looks == 0


@pytest.mark.parametrize(
    "where",
    [
        "VALUES ?kind { foedus:State foedus:Person } ?a a ?kind ; foedus:neighbour ?b",
        "?a foedus:neighbour ?b FILTER EXISTS { VALUES ?kind { foedus:State foedus:Person } ?a a ?kind }",
        "?a foedus:neighbour ?b FILTER EXISTS { ?a a foedus:State }",
    ],
)
def test_news_of_things_of_another_class_do_not_concern_a_rule(where):
    facts = [Triple(NamedNode(names.ID + "rome"), TYPE, NamedNode(names.ONTOLOGY + "Treaty"))]
    facts.append(triple("rome", "neighbour", "gaul"))
    store, news = rules.store_of({names.ASSERTED: facts}), firing.News()
    news.add(f"{each} .".encode() for each in facts)
    need = rulebook.needs(rule("a", f"CONSTRUCT {{ ?a foedus:signed ?b }} WHERE {{ {where} }}"))
    assert not need.touched(news, {}, store)
    late = Triple(facts[0].subject, TYPE, NamedNode(names.ONTOLOGY + "State"))
    store.extend([Quad(late.subject, late.predicate, late.object, NamedNode(names.INFERRED))])
    mark = news.mark()
    news.add([f"{late} .".encode()])
    assert need.touched(news, mark, store)


def test_each_conclusion_is_held_against_each_rule_once_however_many_rounds_follow():
    """What does not concern a rule in the round in which it came does not do so later, unless something else comes."""
    path = [triple(f"n{n}", "neighbour", f"n{n + 1}") for n in range(40)]
    store = Counting(rules.store_of({names.ASSERTED: [triple("rome", "signed", "n0"), *path]}))
    on = rule("on", "CONSTRUCT { ?b foedus:signed ?c } WHERE { ?a foedus:signed ?b . ?b foedus:neighbour ?c }")
    other = rule("other", "CONSTRUCT { ?a foedus:attests ?b } WHERE { ?a a foedus:State ; foedus:signed ?b }")
    found = rules.run([on, other], store)
    assert (len(found.statements), found.rounds) == (40, 41)
    assert store.looks < 4 * 40


def test_of_the_shipped_record_no_rule_concludes_anything_more():
    content = reading.read(files.ROOT)
    book, _ = rules.read(content)
    told = {names.ASSERTED: content.data, names.ONTOLOGY_GRAPH: content.ontology}
    graphs = {graph: [each for document in documents for each in document.triples] for graph, documents in told.items()}
    store = rules.store_of({**graphs, names.INFERRED: dates.derive(content).triples})
    assert rules.run(book, store).runs > len(book)
    known = {quad.triple for quad in store}
    for each in book:
        assert set(store.query(each.text, use_default_graph_as_union=True)) <= known, each.name
