"""Wikidata's items, in and out: as values of every question's parameters, and beside the things in its answers."""

import csv
import io
import json

import pytest

from foedus import files, names, questions
from foedus.errors import WrongUsage
from foedus.query import answering, items, results
from foedus.query.resolve import resolver

QUESTIONS = questions.catalogue()
WITH_THINGS = [
    (slug, parameter.name)
    for slug, each in QUESTIONS.items()
    for parameter in each.parameters
    if parameter.type != questions.DATE
]


@pytest.fixture(scope="module")
def linked():
    """The item of each linked thing, by local name, as the reviewed table has it."""
    lines = (files.LINKS / "wikidata.sssom.tsv").read_text().splitlines()
    rows = csv.DictReader((line for line in lines if not line.startswith("#")), delimiter="\t")
    return {
        row["subject_id"].removeprefix("id:"): row["object_id"].removeprefix("wd:")
        for row in rows
        if row["predicate_id"] in ("skos:exactMatch", "owl:sameAs")
    }


@pytest.fixture(scope="module")
def instances(pool):
    """The local names of a class's instances."""

    def of(class_iri):
        text = f"SELECT DISTINCT ?thing {{ ?thing a/rdfs:subClassOf* <{class_iri}> }} ORDER BY ?thing"
        return [row["thing"].value.removeprefix(names.ID) for row in results.select(pool, text)]

    return of


def rows(answer):
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


@pytest.mark.parametrize(("slug", "name"), WITH_THINGS)
def test_every_parameter_takes_an_item(client, instances, linked, slug, name):
    """Wherever its class has linked things at all: the answer is the same as by the thing's own name."""
    question = QUESTIONS[slug]
    parameter = next(each for each in question.parameters if each.name == name)
    some = [each for each in instances(parameter.type) if each in linked]
    if not some:
        assert parameter.type not in {names.ONTOLOGY + each for each in ("State", "Alliance")}
        return
    example = dict(question.example)
    thing = example[name] if example.get(name) in linked else some[0]
    given = [
        client.get(f"/queries/{slug}.csv", query_string={**example, name: value})
        for value in (thing, f"wd:{linked[thing]}", linked[thing], names.PREFIXES["wd"] + linked[thing])
    ]
    assert [answer.status_code for answer in given] == [200] * 4
    assert len({answer.data for answer in given}) == 1


def test_every_linked_state_and_alliance_is_found_by_its_item(pool, instances, linked):
    resolve = resolver(pool)
    for kind in ("State", "Alliance"):
        some = [each for each in instances(names.ONTOLOGY + kind) if each in linked]
        assert len(some) > 5
        assert [resolve(f"wd:{linked[each]}", names.ONTOLOGY + kind) for each in some] == [names.ID + e for e in some]


def test_a_column_of_things_has_their_items_beside_it(client, linked):
    found = rows(client.get("/queries/members-on.csv?alliance=wd:Q318693&date=2022-09-13&wikidata"))
    assert list(found[0]) == [
        *(column.name for column in QUESTIONS["members-on"].columns),
        "state_wikidata",
        "membership_wikidata",
    ]
    assert found[0]["state_wikidata"] == "http://www.wikidata.org/entity/Q399"
    for row in found:
        local = row["state"].removeprefix(names.ID)
        assert row["state_wikidata"] == names.PREFIXES["wd"] + linked[local]
        assert row["membership_wikidata"] == ""


def test_items_can_be_had_as_numbers(client):
    found = rows(client.get("/queries/members-on.csv?alliance=csto&date=2022-09-13&wikidata=qid"))
    assert (found[0]["label"], found[0]["state_wikidata"]) == ("Armenia", "Q399")


@pytest.mark.parametrize("slug", QUESTIONS)
def test_the_columns_of_the_question_stay_as_they_are(client, slug):
    """To the byte, in each format: the items only come behind them."""
    given = {**dict(QUESTIONS[slug].example), "wikidata": "iri"}
    plain = {name: value for name, value in given.items() if name != "wikidata"}
    for ending, cut in (("csv", "csv"), ("tsv", "tsv")):
        bare, wide = (client.get(f"/queries/{slug}.{ending}", query_string=each) for each in (plain, given))
        assert bare.content_type == wide.content_type
        number = len(QUESTIONS[slug].columns)
        if cut == "tsv":
            narrow = ["\t".join(line.split("\t")[:number]) for line in wide.text.split("\n")]
            assert "\n".join(narrow) == bare.text
        else:
            text = io.StringIO(newline="")
            lines = csv.reader(io.StringIO(wide.text, newline=""))
            csv.writer(text).writerows(line[:number] for line in lines)
            assert text.getvalue() == bare.text
    bare, wide = (json.loads(client.get(f"/queries/{slug}.json", query_string=each).data) for each in (plain, given))
    assert wide["head"]["vars"][:number] == bare["head"]["vars"]
    narrow = [{key: row[key] for key in row if key in bare["head"]["vars"]} for row in wide["results"]["bindings"]]
    assert narrow == bare["results"]["bindings"]


def test_an_item_is_an_iri_where_there_are_terms(client):
    asked = "?alliance=csto&date=2022-09-13&wikidata"
    found = json.loads(client.get(f"/queries/members-on.json{asked}").data)
    item = {"type": "uri", "value": "http://www.wikidata.org/entity/Q399"}
    assert found["results"]["bindings"][0]["state_wikidata"] == item
    assert "<http://www.wikidata.org/entity/Q399>" in client.get(f"/queries/members-on.tsv{asked}").text
    turtle = client.get(f"/queries/members-on.ttl{asked}").text
    assert '[ rs:variable "state_wikidata" ; rs:value <http://www.wikidata.org/entity/Q399> ]' in turtle


def test_an_answer_without_rows_has_the_same_columns(client):
    """So that a program that asks year after year can join each year alike."""
    some, none = (
        client.get(f"/queries/members-on.csv?alliance=csto&date={day}&wikidata").text.splitlines()
        for day in ("2022-09-13", "1950-01-01")
    )
    assert none == some[:1]


def test_several_things_in_one_value_have_their_items_in_one_value(pool):
    """And what is no thing, or has no item, has none; a truth value has no columns at all."""
    spell = "membership-csto-armenia-1"
    both = " ".join(names.ID + each for each in ("armenia", spell, "russia"))
    text = f'SELECT ("{both}" AS ?all) (id:{spell} AS ?none) ("id:armenia" AS ?text) {{}}'
    found = answering.answer(pool, text, {}, "csv", wikidata="qid").body.decode().splitlines()
    assert found == ["all,none,text,all_wikidata,none_wikidata", f"{both},{names.ID}{spell},id:armenia,Q399 Q159,"]
    with pytest.raises(WrongUsage, match="rows of a SELECT"):
        answering.answer(pool, "ASK {}", {}, wikidata="iri")


def test_items_are_told_without_conclusions_too(client):
    """The links are reviewed, and no conclusion; what is left out are the rows that need one."""
    asked = "/queries/sources.csv?of=dataset&wikidata"
    assert client.get(f"{asked}&reasoning=off").text.splitlines()[0] == client.get(asked).text.splitlines()[0]


@pytest.mark.parametrize("query", ["wikidata=yes", "wikidata=iri&wikidata=qid", "wikidata=%3Cscript%3E"])
@pytest.mark.parametrize("ending", ["", ".csv"])
def test_another_value_is_refused(client, query, ending):
    asked = f"/queries/members-on{ending}?alliance=csto&date=2022-09-13&{query}"
    answer = client.get(asked, headers={"Accept": "text/html" if not ending else "*/*"})
    assert answer.status_code == 400
    assert ending or "<script>" not in answer.text


def test_a_page_shows_the_items_and_says_what_they_are(client):
    asked = "/queries/members-on?alliance=csto&date=2022-09-13"
    plain, wide = client.get(asked).text, client.get(f"{asked}&wikidata=iri").text
    assert (
        'href="/queries/members-on?wikidata=iri&amp;alliance=csto&amp;date=2022-09-13">With Wikidata’s items' in plain
    )
    assert "Q399" not in plain
    assert 'href="http://www.wikidata.org/entity/Q399"' in wide
    assert '/queries/members-on.csv?alliance=csto&amp;date=2022-09-13&amp;wikidata=iri"' in wide
    assert "<code>state_wikidata</code></dt>" in wide


def test_an_answer_with_items_is_cited_as_the_answer(client):
    """By the link that says what to cite; the files that belong to the page have the items, as it has."""
    links = client.get("/queries/members-on?alliance=csto&date=2022-09-13&wikidata=iri").headers.getlist("Link")
    named = f'<{names.BASE}queries/members-on?alliance=csto&date=2022-09-13>; rel="cite-as"'
    assert any(named in each for each in links)
    assert any("members-on.csv?alliance=csto&date=2022-09-13&wikidata=iri>" in each for each in links)


@pytest.mark.parametrize("name", questions.RESERVED)
def test_no_question_may_call_a_parameter_as_an_address_does(tmp_path, name):
    file = tmp_path / "some.rq"
    file.write_text(
        f"#+ question: Which?\n#+ parameter: {name} | foedus:State | required | It\n#+ column: x | It\n"
        f"SELECT ?x WHERE {{\n  VALUES (?{name}) {{ (id:armenia) }}\n  BIND(?{name} AS ?x)\n}}\n"
    )
    assert any("is reserved" in str(fault) for fault in questions.faults(file))


@pytest.mark.parametrize(
    ("value", "wanted"),
    [(None, None), ("", "iri"), ("iri", "iri"), ("qid", "qid")],
    ids=["absent", "bare", "iri", "qid"],
)
def test_the_ways_to_ask_for_items(value, wanted):
    assert items.way(value) == wanted
