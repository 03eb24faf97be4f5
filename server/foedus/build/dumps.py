"""The whole dataset in the other syntaxes that it is handed out in; equal datasets are equal bytes."""

from collections.abc import Iterable

from pyoxigraph import NamedNode, Quad, RdfFormat, parse, serialize

from foedus import __version__, names

_SYNTAXES = {".trig": RdfFormat.TRIG, ".ttl": RdfFormat.TURTLE, ".jsonld": RdfFormat.JSON_LD}
_DATASET = NamedNode(names.ID + "foedus-dataset")
_LICENCE = names.PREFIXES["dcterms"] + "license"


def dumps(content: bytes, sha256: str, as_of: str) -> dict[str, bytes]:
    """Each file of ``names.DUMPS`` but the first, whose *content* is given, with its *sha256* and the day it speaks of.

    Comments say version, day, checksum and licence where the syntax has comments.
    """
    quads = sorted(parse(content, RdfFormat.N_QUADS), key=lambda quad: (str(quad.graph_name), str(quad.triple)))
    triples = sorted({quad.triple for quad in quads}, key=str)
    said = [f"Foedus {__version__}, as of {as_of}.", f"Dataset: SHA-256 {sha256}, of {names.DUMPS[0]}."]
    said += [f"Licence: {each}" for each in _licences(quads)]
    head = "".join(f"# {line}\n" for line in said).encode()
    made = {}
    for name in names.DUMPS[1:]:
        ending = name[name.rindex(".") :]
        written = serialize(triples if ending == ".ttl" else quads, format=_SYNTAXES[ending], prefixes=names.PREFIXES)
        made[name] = (b"" if ending == ".jsonld" else head) + (written or b"")
    return made


def _licences(quads: Iterable[Quad]) -> list[str]:
    """What the dataset says it is licensed under, on one line each."""
    said = {
        quad.object.value
        for quad in quads
        if quad.subject == _DATASET and quad.predicate.value == _LICENCE and isinstance(quad.object, NamedNode)
    }
    return sorted(" ".join(each.split()) for each in said)
