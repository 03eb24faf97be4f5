"""A small dataset on disk, built by hand with its manifest, and pools that answer from it."""

import hashlib
import json
from pathlib import Path

import pytest

from foedus.query.limits import MIB, Limits
from foedus.query.pool import Pool

ONTOLOGY = "https://w3id.org/foedus/ontology#"
ID = "https://w3id.org/foedus/id/"
GRAPH = "https://w3id.org/foedus/graph/"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
TYPE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"

SMALL = Limits(workers=2, time_limit=1.0, memory=192 * MIB, answer=MIB, queue_wait=5.0)


CODES = (
    ("soviet-union", "COW", "365", "1922-12-30", "1991-12-25"),
    ("soviet-union", "Gleditsch–Ward", "365", "", "1991-12-25"),
    ("russia", "COW", "365", "1991-12-26", ""),
    ("russia", "COW", "364", "", "1922-12-29"),
    ("russia", "Gleditsch–Ward", "365", "1991-12-26", ""),
    ("russia", "ISO 3166-1 numeric", "643", "", ""),
    ("soviet-union", "Gleditsch–Ward", "643", "", "1991-12-25"),
    ("armenia", "ISO 3166-1 numeric", "051", "", ""),
    ("armenia", "ISO 3166-1 alpha-2", "AM", "", ""),
    ("georgia", "COW", "51", "1991-04-09", ""),
    ("georgia", "ISO 3166-1 alpha-2", "GW", "", ""),
    ("armenia", "COW", "99", "", "1920-01-01"),
    ("georgia", "COW", "99", "", "1921-01-01"),
    ("armenia", "Gleditsch–Ward", "98", "", "1920-01-01"),
    ("georgia", "COW", "98", "", "1921-01-01"),
    ("russia", "FIPS 10-4", "AM", "", ""),
    ("georgia", "FIPS 10-4", "GG", "", ""),
)
"""Whose which code is, from when and until when: one that changed hands, one of two lists, ones that nobody has any
more, one of a list that researchers seldom use."""


def names_of(local: str, label: str, type_: str, *more: str) -> str:
    lines = [f"<{ID}{local}> {TYPE} <{ONTOLOGY}{type_}>", f'<{ID}{local}> <{RDFS}label> "{label}"@en']
    lines += [f"<{ID}{local}> {each}" for each in more]
    return "".join(f"{line} <{GRAPH}asserted> .\n" for line in lines)


def quads() -> str:
    """Three alliances, five states with codes, and 20,000 numbers; one triple is in two graphs."""
    iso3, alt = f"<{ONTOLOGY}iso3>", "<http://www.w3.org/2004/02/skos/core#altLabel>"
    same = "<http://www.w3.org/2004/02/skos/core#exactMatch>"
    wikidata = "http://www.wikidata.org/entity/"
    text = names_of("csto", "Collective Security Treaty Organization", "Alliance", f"{same} <{wikidata}Q318693>")
    text += names_of("red-league", "Red League", "Alliance", f'{alt} "The League"@en')
    text += names_of("blue-league", "Blue League", "Alliance", f'{alt} "The League"@en')
    text += names_of("armenia", "Armenia", "State", f'{iso3} "ARM"', f'{alt} "Հայաստան"@hy')
    text += names_of("russia", "Russia", "State", f'{iso3} "RUS"', f'{alt} "Russian Federation"@en')
    text += names_of("georgia", "Georgia", "MemberState", f'{iso3} "GEO"')
    text += names_of("soviet-union", "Soviet Union", "State", f'{alt} "USSR"@en')
    text += names_of("ivory-coast", "Ivory Coast", "State", f'{alt} "Côte d’Ivoire"@fr')
    for number, (state, scheme, code, first, last) in enumerate(CODES):
        assigned = {"ofState": f"<{ID}{state}>", "codeScheme": f'"{scheme}"', "code": f'"{code}"'}
        assigned |= {"validFrom": f'"{first}"'} if first else {}
        assigned |= {"validUntil": f'"{last}"'} if last else {}
        text += "".join(
            f"<{ID}code-{number}> <{ONTOLOGY}{name}> {value} <{GRAPH}asserted> .\n" for name, value in assigned.items()
        )
    text += f"<{ONTOLOGY}MemberState> <{RDFS}subClassOf> <{ONTOLOGY}State> <{GRAPH}ontology> .\n"
    text += f'<{ID}armenia> {iso3} "ARM" <{GRAPH}inferred> .\n'
    integer = "http://www.w3.org/2001/XMLSchema#integer"
    text += "".join(f'<{ID}n{n}> <{ONTOLOGY}number> "{n}"^^<{integer}> <{GRAPH}asserted> .\n' for n in range(20_000))
    return text


def write(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    content = text.encode()
    (folder / "dataset.nq").write_bytes(content)
    manifest = {
        "foedus": "0.1.0",
        "asOf": "2026-11-22",
        "dataset": {
            "sha256": hashlib.sha256(content).hexdigest(),
            "quads": text.count("\n"),
            "bytes": len(content),
        },
        "graphs": {},
        "inputs": {},
        "inputsSha256": "",
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture(scope="session")
def small_dataset(tmp_path_factory) -> Path:
    return write(tmp_path_factory.mktemp("dataset"), quads())


@pytest.fixture(scope="session")
def small_pool(small_dataset):
    with Pool(small_dataset, SMALL) as running:
        yield running
