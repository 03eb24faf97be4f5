"""Every sort of fault in the content is one finding: where, what, and what to do."""

import json

import pytest

from foedus.build import build, check
from foedus.build.findings import Count, Finding, Report
from foedus.errors import CannotRead, DataHasFindings


def found(root, **kwargs) -> list[str]:
    """What the check of *root* finds, a line each; the layout of the small world is no matter here."""
    report = check(root=root, **kwargs)
    return [
        f"{each.file}:{each.line} {each.node} {each.message} {each.remedy}"
        for each in report.findings
        if each.message != "Not laid out."
    ]


def only(root) -> str:
    """The one finding in *root*."""
    every = found(root)
    assert len(every) == 1, every
    return every[0]


def test_a_sound_world_has_no_findings_and_everything_was_looked_at(world):
    report = check(root=world)
    assert found(world) == []
    assert report.counts
    assert all(count.number for count in report.counts)


@pytest.mark.parametrize(
    ("content", "words", "line"),
    [
        ("@prefix a: <http://a/> .\n".encode("utf-16"), "UTF-16", 1),
        ("@prefix a: <http://a/> .\n".encode("utf-8-sig"), "byte order mark", 1),
        ("@prefix id: <http://a/> .\n# São\n".encode("latin-1"), "Latin-1", 2),
        (b"# one\n# two\x00\n", "NUL", 2),
        (b"# one\nid:rome a\n", "prefix id: has not been declared", 2),
        (b"@prefix id: <http://a/> .\nid:rome id:is 'Rome\n", "cannot be read as RDF", 2),
        (b"<a> <b> <c> .\n", "No scheme", 1),
    ],
    ids=["utf-16", "bom", "latin-1", "nul", "prefix", "string", "relative"],
)
def test_a_malformed_file_is_told_with_its_line(world, content, words, line):
    (world / "data" / "broken.ttl").write_bytes(content)
    told = only(world)
    assert told.startswith(f"data/broken.ttl:{line} ")
    assert words in told


def test_every_malformed_file_is_told_at_once(world):
    for number in range(3):
        (world / "data" / f"broken-{number}.ttl").write_text("nonsense")
    (world / "ontology" / "rules" / "broken.rq").write_text("nonsense")
    assert len({told.partition(":")[0] for told in found(world)}) == 4


def test_a_build_with_findings_raises_them_as_a_report(world, add, tmp_path):
    add("data/states.ttl", "\nid:gaul a foedus:State .\n")
    with pytest.raises(DataHasFindings) as raised:
        build(tmp_path / "out", root=world)
    assert raised.value.exit_code == 1
    assert raised.value.report.findings[0].node == "id:gaul"
    assert not (tmp_path / "out" / "dataset.nq").exists()


def test_a_missing_folder_is_named(world):
    (world / "shapes" / "state.ttl").unlink()
    (world / "shapes").rmdir()
    with pytest.raises(CannotRead, match="shapes"):
        check(root=world)


def test_an_empty_folder_is_a_finding(world):
    (world / "shapes" / "state.ttl").unlink()
    assert any("looked at no shape files" in told for told in found(world))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("\nid:gaul a foedus:State ; rdfs:label 'Gaul'@en ; foedus:neighbour id:rom .\n", "Did you mean id:rome?"),
        ("\nid:gaul a foedus:State ; rdfs:label 'Gaul'@en ; foedus:source id:rome .\n", "no foedus:Source"),
        ("\nid:livy a foedus:Source ; rdfs:label 'Livy'@en .\n", "Nothing in the data cites"),
        ("\nid:gaul a foedus:State ; rdfs:label 'Gaul'@en ; foedus:cuont 1 .\n", "Did you mean foedus:count?"),
        ("\nid:gaul a foedus:State ; foedus:count 1 .\n", "A state has a name."),
        ("\nid:gaul a foedus:State ; rdfs:label 'Gaul'@en ; foedus:count 01 .\n", 'Write "1"^^xsd:integer'),
        ("\nid:gaul a foedus:State ; rdfs:label 'Gaul'@en ; foedus:count 1.0 .\n", 'come back as "1"^^xsd:decimal'),
        ("\nid:gaul a foedus:State ; rdfs:label 'Gaul'@en ; foedus:count '1'^^xsd:int .\n", '"1"^^xsd:integer'),
        ("\nid:gaul a foedus:State ; rdfs:label 'Gaul'@en ; foedus:count 'x'^^xsd:integer .\n", "not well formed"),
        ("\nid:gaul a foedus:State ; rdfs:label 'Gaul'@en ; foedus:count '1999'^^xsd:gYear .\n", "not used here"),
        ("\nid:gaul a foedus:State ; rdfs:label 'Gaul'@en ; foedus:asOf '1999-02-30'^^xsd:date .\n", "not well formed"),
        (
            "\nid:gaul a foedus:State ; rdfs:label 'Gaul'@en ; foedus:asOf '1999-02-03Z'^^xsd:date .\n",
            "not well formed",
        ),
        ("\nid:gaul a foedus:State ; rdfs:label 'Gaul'@EN .\n", "Write @en."),
    ],
)
def test_a_fault_in_the_data_is_told_with_its_line(world, add, text, words):
    add("data/zama.ttl", text)
    told = only(world)
    assert told.startswith("data/zama.ttl:12 ")
    assert words in told


@pytest.mark.parametrize(
    ("name", "date", "words"),
    [
        ("sack-of-rome", "2202-05-14", "after 2026-11-22"),
        ("sack-of-rome-1999-04-02", "1999-04-03", "ends in 1999-04-02"),
        ("sack-of-rome-1999-04-02", "1999-04", ""),
        ("sack-of-rome-1999-04-02", "1999-04-02?", ""),
        ("sack-of-rome", "2026-11-22", ""),
    ],
)
def test_a_date_lies_before_the_day_of_the_dataset_and_fits_the_name(world, add, name, date, words):
    add("data/more.ttl", f"\nid:{name} a foedus:Signature ;\n    foedus:occurred '{date}' .\n")
    if words:
        told = only(world)
        assert told.startswith(f"data/more.ttl:13 id:{name} foedus:occurred ")
        assert words in told
    else:
        assert found(world) == []


def test_a_blank_node_in_the_data_is_told(world, add):
    add("data/more.ttl", "\nid:gaul a foedus:State ; rdfs:label 'Gaul'@en ; foedus:neighbour [ a foedus:State ] .\n")
    assert any("blank node" in told for told in found(world))


def test_a_blank_node_is_not_shared_between_files(world, add, tmp_path):
    """The same label in two files of the ontology means two nodes."""
    add("ontology/a.ttl", '\n_:x rdfs:comment "one"@en .\n')
    add("ontology/b.ttl", '\n_:x rdfs:comment "two"@en .\n')
    build(tmp_path / "out", root=world)
    lines = (tmp_path / "out" / "dataset.nq").read_text().splitlines()
    assert len({line.split()[0] for line in lines if '"one"@en' in line or '"two"@en' in line}) == 2


def test_a_prefix_is_bound_as_everywhere_else(world):
    (world / "data" / "more.ttl").write_text("@prefix id: <https://example.org/> .\n")
    assert "data/more.ttl:1  The prefix id: is bound to <https://example.org/>." in only(world)


def test_the_dataset_has_one_as_of_date(world):
    path = world / "data" / "dataset.ttl"
    path.write_text(
        path.read_text().replace("foedus:asOf", "# foedus:asOf").replace('"A small world"@en ;', '"A"@en .')
    )
    assert "0 as-of dates" in only(world)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("#+ rule: Who made a signature signed the treaty.\n", "", "0 lines “#+ rule:”"),
        ("#+ stratum: 1", "#+ stratum: first", "“first” is no stratum"),
        ("#+ stratum: 1", "#+ stratum: 1\n#+ strtaum: 1", "no head key “strtaum”"),
        ("WHERE {", "WHERE (", "cannot be read"),
        ("CONSTRUCT { ?state foedus:signed ?treaty }", "SELECT *", "of the form SELECT"),
        ("foedus:signed", "foedus:sigend", "Did you mean foedus:signed?"),
        ("a foedus:Signature", "a foedus:Signatrue", "Did you mean foedus:Signature?"),
        ("?state foedus:signed ?treaty", "[] foedus:signed ?treaty", "blank node"),
        ("?state foedus:signed ?treaty", "?state foedus:signed ?treeaty", "Did you mean ?treaty?"),
        ("WHERE {", "WHERE { SERVICE <http://localhost:1/> { ?s ?p ?o }", "SERVICE is not allowed"),
        ("ontology#>", "ontology/>", "The prefix foedus: is bound to"),
    ],
)
def test_a_typo_in_a_rule_is_told(world, old, new, words):
    path = world / "ontology" / "rules" / "signed.rq"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    every = [told for told in found(world) if words in told]
    assert len(every) == 1, found(world)
    assert every[0].startswith("ontology/rules/signed.rq:")


def test_a_rule_without_an_end_stops_the_build_with_its_name(world, tmp_path):
    rule = world / "ontology" / "rules" / "signed.rq"
    endless = "?more a foedus:Signature ; foedus:ofState ?state ; foedus:ofTreaty ?treaty }"
    text = rule.read_text().replace("?state foedus:signed ?treaty }", endless)
    rule.write_text(text.rstrip().removesuffix("}") + '  BIND(IRI(CONCAT(STR(?act), "x")) AS ?more)\n}\n')
    with pytest.raises(DataHasFindings) as stopped:
        build(tmp_path / "out", root=world)
    told = [each for each in stopped.value.report.findings if each.file == "ontology/rules/signed.rq"]
    assert [each.message for each in told] == ["After 100 rounds the rule still concludes something new."]
    assert not (tmp_path / "out" / "dataset.nq").exists()


def test_no_rule_is_blamed_for_what_a_file_leaves_out(world):
    """A rule concludes something else of the same state: what it signed."""
    states = world / "data" / "states.ttl"
    states.write_text(states.read_text().replace('rdfs:label "Rome"@en', 'rdfs:comment "Rome"@en'))
    told = [each for each in check(root=world).findings if "is missing" in each.message]
    assert told
    assert not any("Concluded by" in each.remedy for each in told)


def test_a_rule_that_contradicts_a_shape_stops_the_build_with_its_name(world, tmp_path):
    shapes_file = world / "shapes" / "state.ttl"
    shapes_file.write_text(
        shapes_file.read_text().replace("sh:property shape:State-label .", "sh:property shape:State-label , shape:n .")
        + """
shape:n a sh:PropertyShape ; sh:path foedus:neighbour ; sh:class foedus:State ;
    sh:message "A neighbour is a state."@en .
"""
    )
    rule = world / "ontology" / "rules" / "signed.rq"
    rule.write_text(rule.read_text().replace("?state foedus:signed ?treaty }", "?state foedus:neighbour ?treaty }"))
    with pytest.raises(DataHasFindings) as stopped:
        build(tmp_path / "out", root=world)
    (finding,) = [each for each in stopped.value.report.findings if each.node == "id:rome"]
    assert finding.message.startswith("A neighbour is a state")
    assert finding.remedy.endswith("Concluded by ontology/rules/signed.rq.")
    assert not (tmp_path / "out" / "dataset.nq").exists()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("#+ column", "#+ colum", "no head key"),
        ("SELECT ?state", "SELECT ?stat", "columns"),
        ("?state a", "?state b:a", "cannot be read"),
        ("WHERE {", "WHERE {{", "cannot be read"),
        ("foedus:State }", "foedus:Sate }", "Did you mean foedus:State?"),
    ],
)
def test_a_typo_in_a_question_is_told(world, old, new, words):
    path = world / "data" / "queries" / "states.rq"
    path.write_text(path.read_text().replace(old, new))
    every = [told for told in found(world) if words in told]
    assert every, found(world)
    assert every[0].startswith("data/queries/states.rq:")


def test_the_type_of_a_parameter_is_a_class_of_the_ontology(world):
    path = world / "data" / "queries" / "states.rq"
    head = "#+ parameter: of | foedus:Trety | optional | A treaty\n"
    text = (
        path.read_text()
        .replace("#+ column", head + "#+ column")
        .replace("WHERE {", "WHERE {\n  VALUES (?of) { (UNDEF) }\n")
    )
    path.write_text(text)
    assert only(world).startswith("data/queries/states.rq:3 foedus:Trety ")
    assert "Did you mean foedus:Treaty?" in only(world)
    path.write_text(text.replace("Trety", "Treaty"))
    assert found(world) == []


def test_a_misspelt_term_in_a_shape_is_told(world):
    path = world / "shapes" / "state.ttl"
    path.write_text(path.read_text().replace("sh:minCount", "sh:minCuont"))
    told = [each for each in found(world) if "Did you mean sh:minCount?" in each]
    assert told
    assert told[0].startswith("shapes/state.ttl:")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("sh:minCount 1", 'sh:minCount "one"', "The shape is malformed"),
        ("sh:path rdfs:label", "sh:path foedus:neighbuor", "Did you mean foedus:neighbour?"),
        ("foedus:State ;", "foedus:Sate ;", "Did you mean foedus:State?"),
        (
            "sh:property shape:State-label .",
            """sh:property shape:State-label ;
    sh:sparql [ sh:message "A state has a name."@en ;
        sh:select "SELECT $this WHERE { $this a ?x FLTER(?x = 1) }" ] .""",
            "The query of the shape cannot be read",
        ),
        (
            "sh:property shape:State-label .",
            """sh:property shape:State-label ;
    sh:sparql [ sh:message "A state has a name."@en ; sh:ask "ASK {" ] .""",
            "Correct the SPARQL of sh:ask.",
        ),
    ],
    ids=["count", "path", "class", "select", "ask"],
)
def test_a_faulty_shape_is_told_in_place_of_what_it_would_find_in_the_data(world, add, capfd, old, new, words):
    path = world / "shapes" / "state.ttl"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    add("data/more.ttl", "\nid:gaul a foedus:State ; foedus:neighbour id:rom .\n")
    broken, shape = found(world)
    assert "refers to id:rom" in broken
    assert shape.startswith("shapes/state.ttl:")
    assert words in shape
    assert "Until then the data are not held against the shapes." in shape
    assert "focus nodes" not in {count.what for count in check(root=world).counts}
    assert capfd.readouterr() == ("", "")


def test_only_what_lies_in_the_given_paths_is_reported(world, add):
    more = add("data/more.ttl", "\nid:gaul a foedus:State .\n")
    add("data/other.ttl", "\nid:iberia a foedus:State .\n")
    assert len(found(world)) == 2
    assert [told.partition(":")[0] for told in found(world, paths=(more,))] == ["data/more.ttl"]
    assert len(found(world, paths=(world / "data",))) == 2


def test_a_file_beside_the_content_is_checked_in_its_context(world, tmp_path):
    mine = tmp_path / "mine.ttl"
    mine.write_text((world / "data" / "states.ttl").read_text().replace("id:rome", "id:gaul").replace("carthage", "x"))
    assert found(world, paths=(mine,)) == []
    mine.write_text(mine.read_text() + "id:y a foedus:State .\n")
    assert "id:y A state has a name." in found(world, paths=(mine,))[0]


def test_a_path_that_is_not_there_or_not_checked_is_told(world, tmp_path):
    with pytest.raises(CannotRead, match="There is no"):
        check((tmp_path / "nowhere.ttl",), root=world)
    (world / "README.md").write_text("Hello")
    with pytest.raises(CannotRead, match="no part of what is checked"):
        check((world / "README.md",), root=world)


def test_a_file_of_another_kind_is_refused_rather_than_read_as_rdf(world, tmp_path):
    for name in ("some.py", "links.tsv"):
        path = tmp_path / name
        path.write_text("import os\n")
        with pytest.raises(CannotRead, match=f"{name} is no part of what is checked") as raised:
            check((path,), root=world)
        assert raised.value.exit_code == 3
    assert found(world, paths=(world / "data" / "links" / "wikidata.sssom.tsv",)) == []


@pytest.mark.parametrize(
    "name",
    [
        "data/alliances/nato.TTL",
        "data/nato.xml",
        "data/queries/x.rql",
        "data/x.rq",
        "shapes/more/x.ttl",
        "ontology/x.owl",
        "data/links/x.tsv",
    ],
)
def test_a_file_that_nothing_reads_is_told(world, name):
    path = world / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    assert only(world).startswith(f"{name}:None  Nothing reads this file.")


def test_a_readme_a_hidden_file_or_a_backup_in_the_content_is_no_fault(world):
    (world / "data" / "README.md").write_text("Hello")
    (world / "data" / ".states.ttl.swp").write_text("")
    (world / "data" / "states.ttl~").write_text("")
    assert found(world) == []


def test_what_an_unreadable_file_would_have_said_is_not_missed_elsewhere(world, add):
    """The link table refers to Rome, and the rule and the question to terms of the ontology."""
    (world / "data" / "states.ttl").write_text("nonsense")
    assert only(world).startswith("data/states.ttl:1 ")
    (world / "ontology" / "foedus.ttl").write_text("nonsense")
    assert [told.partition(":")[0] for told in found(world)] == ["data/states.ttl", "ontology/foedus.ttl"]


def test_with_paths_an_unreadable_file_elsewhere_is_told_only_where_nothing_else_is(world, add, tmp_path):
    (world / "data" / "broken.ttl").write_text("nonsense")
    (world / "data" / "other.ttl").write_text("nonsense")
    mine = tmp_path / "mine.ttl"
    mine.write_text("nonsense")
    for path in (world / "data" / "broken.ttl", mine):
        (told,) = found(world, paths=(path,))
        assert told.startswith(f"{'data/' if path != mine else ''}{path.name}:1 ")
    assert len(found(world, paths=(world / "shapes",))) == 2


def test_a_report_is_ordered_and_says_what_was_looked_at():
    report = Report.of(
        [Finding("b.ttl", 1, "", "B", "b"), Finding("a.ttl", 10, "", "Y", "y"), Finding("a.ttl", 9, "id:x", "X", "x")],
        [Count("things", 3)],
    )
    assert report.text().splitlines() == [
        "a.ttl:9: id:x: X",
        "    x",
        "a.ttl:10: Y",
        "    y",
        "b.ttl:1: B",
        "    b",
        "3 findings. Looked at: 3 things.",
    ]


def test_a_report_as_json_says_the_same():
    content = json.loads(Report.of([Finding("ä.ttl", None, "", "M", "R")], [Count("things", 0)]).json())
    assert content["counts"] == {"things": 0}
    assert content["findings"][1] == {"file": "ä.ttl", "line": None, "node": "", "message": "M", "remedy": "R"}
    assert content["findings"][0]["message"] == "A check looked at no things."
