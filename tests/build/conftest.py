"""A world of two states and one treaty: the smallest content that every check finds something to look at in."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from foedus import names

PREFIXES = "".join(
    f"@prefix {prefix}: <{names.PREFIXES[prefix]}> .\n"
    for prefix in ("dcat", "dcterms", "foedus", "id", "owl", "rdfs", "sh", "shape", "skos", "xsd")
)

ONTOLOGY = """
<https://w3id.org/foedus/ontology> a owl:Ontology .
foedus:State a owl:Class .
foedus:Treaty a owl:Class .
foedus:Source a owl:Class .
foedus:Signature a owl:Class .
foedus:ValueClaim a owl:Class .
foedus:ofState a owl:ObjectProperty .
foedus:ofTreaty a owl:ObjectProperty .
foedus:source a owl:ObjectProperty .
foedus:signed a owl:ObjectProperty .
foedus:neighbour a owl:ObjectProperty .
foedus:edtfDate a owl:DatatypeProperty .
foedus:occurred a owl:DatatypeProperty ; rdfs:subPropertyOf foedus:edtfDate ;
    foedus:earliestBound foedus:occurredEarliest ; foedus:latestBound foedus:occurredLatest .
foedus:published a owl:DatatypeProperty ; rdfs:subPropertyOf foedus:edtfDate .
foedus:occurredEarliest a owl:DatatypeProperty .
foedus:occurredLatest a owl:DatatypeProperty .
foedus:aspect a owl:AnnotationProperty .
foedus:value a owl:DatatypeProperty .
foedus:asOf a owl:DatatypeProperty .
foedus:count a owl:DatatypeProperty .
foedus:earliestBound a owl:AnnotationProperty .
foedus:latestBound a owl:AnnotationProperty .
"""

SHAPES = """
shape:State a sh:NodeShape ;
    sh:targetClass foedus:State ;
    sh:property shape:State-label .

shape:State-label a sh:PropertyShape ;
    sh:path rdfs:label ;
    sh:minCount 1 ;
    sh:message "A state has a name."@en .
"""

STATES = """
id:carthage a foedus:State ;
    rdfs:label "Carthage"@en .

id:rome a foedus:State ;
    rdfs:label "Rome"@en .
"""

TREATY = """
id:ebro-treaty a foedus:Treaty ;
    rdfs:label "Treaty of the Ebro"@en .

id:ebro-treaty-signature-rome a foedus:Signature ;
    rdfs:label "Rome signs"@en ;
    foedus:ofState id:rome ;
    foedus:ofTreaty id:ebro-treaty ;
    foedus:occurred "1999-04" ;
    foedus:source id:polybius .
"""

SOURCES = """
id:polybius a foedus:Source ;
    rdfs:label "The Histories"@en ;
    foedus:published "1999?" .
"""

DATASET = """
id:foedus-dataset a dcat:Dataset ;
    rdfs:label "A small world"@en ;
    foedus:asOf "2026-11-22"^^xsd:date .
"""

RULE = """#+ rule: Who made a signature signed the treaty.
#+ stratum: 1
PREFIX foedus: <https://w3id.org/foedus/ontology#>
CONSTRUCT { ?state foedus:signed ?treaty }
WHERE { ?act a foedus:Signature ; foedus:ofState ?state ; foedus:ofTreaty ?treaty }
"""

QUESTION = """#+ question: Which states are there?
#+ keywords: state
#+ column: state | The state
PREFIX foedus: <https://w3id.org/foedus/ontology#>
SELECT ?state WHERE { ?state a foedus:State } ORDER BY ?state
"""

LINKS = """\
# mapping_set_id: https://w3id.org/foedus/links/wikidata
# license: https://creativecommons.org/licenses/by/4.0/
# curie_map:
#   id: https://w3id.org/foedus/id/
#   wd: http://www.wikidata.org/entity/
""" + "".join(
    "\t".join(cells) + "\n"
    for cells in (
        (
            "subject_id",
            "predicate_id",
            "object_id",
            "mapping_justification",
            "author_label",
            "mapping_date",
            "confidence",
        ),
        ("id:rome", "skos:exactMatch", "wd:Q220", "semapv:ManualMappingCuration", "Polybius", "2026-11-22", "0.99"),
    )
)

Change = Callable[[str, str], Path]


@pytest.fixture
def world(tmp_path) -> Path:
    """The root of a small sound content."""
    root = tmp_path / "world"
    turtle = {
        "ontology/foedus.ttl": ONTOLOGY,
        "shapes/state.ttl": SHAPES,
        "data/states.ttl": STATES,
        "data/treaties/ebro-treaty.ttl": TREATY,
        "data/sources.ttl": SOURCES,
        "data/dataset.ttl": DATASET,
    }
    texts = {name: PREFIXES + text for name, text in turtle.items()} | {
        "ontology/rules/signed.rq": RULE,
        "data/queries/states.rq": QUESTION,
        "data/links/wikidata.sssom.tsv": LINKS,
    }
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.fixture
def add(world) -> Change:
    """Add text to the end of a file of the world; a new Turtle file gets the prefixes first."""

    def add(name: str, text: str) -> Path:
        path = world / name
        before = path.read_text() if path.exists() else PREFIXES if name.endswith(".ttl") else ""
        path.parent.mkdir(exist_ok=True)
        path.write_text(before + text)
        return path

    return add


@pytest.fixture
def builder(tmp_path) -> list[str]:
    """The command line of a process that builds: give it the root and the folder."""
    script = tmp_path / "builder.py"
    script.write_text(
        "import sys\n"
        "from pathlib import Path\n"
        "from foedus import build\n"
        "from foedus.errors import FoedusError\n"
        "try:\n"
        "    build.build(Path(sys.argv[2]), root=Path(sys.argv[1]))\n"
        "except FoedusError as error:\n"
        "    print(error, file=sys.stderr)\n"
        "    sys.exit(error.exit_code)\n"
    )
    return [sys.executable, str(script)]
