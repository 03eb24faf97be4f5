"""Small items of the shape that Wikidata gives, and what an audit told of them."""

from foedus.link import findings

GERMANY, NATO, CSTO, UZBEKISTAN = "Q183", "Q7184", "Q318693", "Q265"

OF_MEMBERSHIP = ("membership", "begin", "end", "item")


def time(text, precision=11, old=False, calendar="Q1985727"):
    """A time snak's value, with a year of eleven digits in the *old* serialisation."""
    value = {
        "time": f"+{'0000000' if old else ''}{text}T00:00:00Z",
        "timezone": 0,
        "before": 0,
        "after": 0,
        "precision": precision,
        "calendarmodel": f"http://www.wikidata.org/entity/{calendar}",
    }
    return {"snaktype": "value", "datavalue": {"type": "time", "value": value}}


def claim(target, begin=None, end=None, old=False, rank="normal", guid="Q183$C88D81D7-2AE4-4091-81B5-8FFA4903F733"):
    """A statement of membership; *begin* and *end* are snaks."""
    value = {"entity-type": "item", "numeric-id": int(target[1:])} | ({} if old else {"id": target})
    qualifiers = {name: [snak] for name, snak in (("P580", begin), ("P582", end)) if snak}
    return {
        "id": guid,
        "rank": rank,
        "mainsnak": {"snaktype": "value", "datavalue": {"type": "wikibase-entityid", "value": value}},
        "qualifiers": qualifiers,
    }


def entity(qid, *claims, **more):
    return {"id": qid, "type": "item", "labels": {}, "claims": {"P463": list(claims)}, **more}


def dated(name, time, rank="normal", references=0):
    """A statement whose value is a time, or, given a snak without value, none."""
    return {
        "id": f"Q1${name}",
        "rank": rank,
        "mainsnak": time,
        "references": [{"hash": "", "snaks": {}}] * references,
    }


def told(audit, *columns, what=OF_MEMBERSHIP):
    """The findings in scope on *what*, each as the values of *columns*."""
    found = [each for each in audit.findings if each.verdict != findings.OUT_OF_SCOPE and each.what in what]
    return [tuple(getattr(each, column) for column in columns) for each in found]
