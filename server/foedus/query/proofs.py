"""Proofs as text for readers, and in RDF with the terms of PROV-O."""

from collections.abc import Iterator

from foedus import __version__, names
from foedus.query.results import Term
from foedus.query.why import DATES, Explanation, Proof, Statement, written

PREFIXES = ("foedus", "id", "prov", "rdf", "rdfs", "xsd")


def as_text(explanation: Explanation) -> str:
    """Each proof as an indented tree, its number and size above it; what was shown before in it is not shown again."""
    total = len(explanation.proofs)
    lines = [str(explanation.statement)]
    for number, proof in enumerate(explanation.proofs, 1):
        size = "one statement" if proof.size == 1 else f"{proof.size} statements"
        lines += ["", f"Proof {number} of {total}{' or more' if explanation.more else ''} ({size})"]
        lines += _branch(proof, "", {})
    return "\n".join(lines)


def _branch(proof: Proof, indent: str, seen: dict[object, str]) -> Iterator[str]:
    """*proof* as lines. *seen* has the statements that were shown, and the uses of rules with what they were shown for:
    one use of a rule concludes several statements."""
    step = (proof.rule, tuple(each.conclusion for each in proof.premises), proof.conditions) if proof.rule else None
    if proof.conclusion in seen:
        yield f"{indent}{proof.conclusion}   (shown above)"
        return
    seen[proof.conclusion] = ""
    if step in seen:
        yield f"{indent}{proof.conclusion}   (by the step above that concludes {seen[step]})"
        return
    yield f"{indent}{proof.conclusion}"
    inner = indent + "    "
    if step is None:
        yield f"{inner}{_stated(proof)}"
        return
    if proof.rule != DATES:
        seen[step] = str(proof.conclusion)
    name = "" if proof.rule == DATES else f" [{proof.rule}]"
    yield f"{inner}because: {proof.sentence}{name}"
    for condition in proof.conditions:
        yield f"{inner}and: {condition}"
    for each in proof.premises:
        yield from _branch(each, inner, seen)


def _stated(proof: Proof) -> str:
    where = ", ".join(proof.files) or names.curie(proof.graph)
    sources = f"; source: {', '.join(names.curie(each) for each in proof.sources)}" if proof.sources else ""
    return f"stated in {where}{sources}"


def as_turtle(explanation: Explanation) -> str:
    """The proofs in Turtle: each statement a ``prov:Entity``, each use of a rule a ``prov:Activity`` that used others.

    Each proof is a bundle of its own, so that a statement with two proofs has two nodes, one in each.
    """
    lines = [f"@prefix {prefix}: <{names.PREFIXES[prefix]}> ." for prefix in PREFIXES]
    lines += ["", f'_:foedus a prov:SoftwareAgent ; rdfs:label "Foedus {__version__}" .']
    told: set[tuple[str, str]] = set()
    for number, proof in enumerate(explanation.proofs, 1):
        labels: dict[int, str] = {}
        rules: set[tuple[str, str]] = set()
        for each in list(_all(proof, labels, f"_:p{number}s")):
            lines += ["", *_entity(each, labels)]
            if each.rule:
                rules.add((each.rule, each.sentence if each.rule != DATES else "Dates are read as EDTF says."))
        lines += ["", f"_:proof{number} a prov:Bundle , prov:Entity ; prov:hadMember"]
        lines += [f"    {' , '.join(labels.values())} ."]
        for rule, sentence in sorted(rules - told):
            lines.append(
                f"_:rule-{rule} a prov:Plan ; rdfs:label {_text(rule)} ; rdfs:comment {_text(sentence, 'en')} ."
            )
        told |= rules
    return "\n".join(lines) + "\n"


def _all(proof: Proof, labels: dict[int, str], stem: str) -> Iterator[Proof]:
    """Each different part of *proof* once, *labels* told for each."""
    if id(proof) in labels:
        return
    labels[id(proof)] = f"{stem}{len(labels) + 1}"
    yield proof
    for each in proof.premises:
        yield from _all(each, labels, stem)


def _entity(proof: Proof, labels: dict[int, str]) -> Iterator[str]:
    label = labels[id(proof)]
    yield f"{label} a prov:Entity , rdf:Statement ;"
    yield _reified(proof.conclusion) + (" ;" if proof.rule or proof.graph else " .")
    if not proof.rule:
        more = [f"foedus:statedIn {_text(each)}" for each in proof.files]
        more += [f"prov:hadPrimarySource {written(Term('iri', each))}" for each in proof.sources]
        yield "    " + " ;\n    ".join([*more, f"prov:atLocation <{proof.graph}>"]) + " ."
        return
    used = " , ".join(dict.fromkeys(labels[id(each)] for each in proof.premises))
    if used:
        yield f"    prov:wasDerivedFrom {used} ;"
    yield "    prov:wasGeneratedBy ["
    yield "        a prov:Activity ;"
    if used:
        yield f"        prov:used {used} ;"
    conditions = (proof.sentence, *proof.conditions) if proof.rule == DATES else proof.conditions
    for condition in conditions:
        yield f"        rdfs:comment {_text(condition)} ;"
    plan = f"prov:agent _:foedus ; prov:hadPlan _:rule-{proof.rule}"
    yield f"        prov:qualifiedAssociation [ a prov:Association ; {plan} ]"
    yield "    ] ."


def _reified(statement: Statement) -> str:
    subject, property_, value = map(written, statement)
    return f"    rdf:subject {subject} ; rdf:predicate {property_} ; rdf:object {value}"


def _text(value: str, language: str | None = None) -> str:
    return written(Term("literal", value, None, language))
