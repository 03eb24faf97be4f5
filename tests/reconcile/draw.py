"""Draw the names, codes and variants on which reconciliation is measured: ``python draw.py country-codes.csv``.

The list was drawn, and committed, before there was a matcher. Its texts are of these kinds:

- names of the file country-codes (datasets/country-codes, dedicated to the public by ODC-PDDL): official, formal and
  short names in six languages and scripts, the usual English ones and those that the list of currencies has;
- other names and former ones, and names of states that are no more, of ``data/crosswalk.csv``;
- codes of the eleven lists of that file that tell states apart, and of the two of the crosswalk: alone where no list
  means another state by them, and behind the name of their list; and Wikidata items;
- misspellings: two neighbouring letters swapped, one left out, doubled or taken for another, by rules without chance;
- other ways of writing: without accents, in capitals, with other punctuation, “X, Republic of”.

What is drawn is decided by hashes, and so is the third of the list that is held out: it is measured apart, and nothing
may be tuned on it. A text that could mean two states is left out. Telephone prefixes, domains, numbers of
administrative units and of filers are no codes of states.
"""

import csv
import hashlib
import re
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

HERE = Path(__file__).parent
NAMES = HERE / "names.csv"
CROSSWALK = HERE.parents[1] / "data" / "crosswalk.csv"

TUNED, HELD_OUT = "tuned", "held out"
LANGUAGES = {"en": "English", "fr": "French", "es": "Spanish", "ar": "Arabic", "ru": "Russian", "zh": "Chinese"}
OFFICIAL = {language: f"official_name_{'cn' if language == 'zh' else language}" for language in LANGUAGES}
LISTS = {
    "ISO alpha-2": "ISO3166-1-Alpha-2",
    "ISO alpha-3": "ISO3166-1-Alpha-3",
    "ISO numeric": "ISO3166-1-numeric",
    "M49": "M49",
    "FIFA": "FIFA",
    "IOC": "IOC",
    "FIPS": "FIPS",
    "ITU": "ITU",
    "MARC": "MARC",
    "WMO": "WMO",
    "DS": "DS",
}
NUMBERED = {"COW": "cow", "GW": "gw"}

_INVERTED = (
    re.compile(
        r"(?:the )?(?P<kind>[A-Z][\w' ]*?(?:Republic|Kingdom|State|Principality|Union|Commonwealth) of) (?P<name>.+)"
    ),
    re.compile(
        r"(?:la |le |l')?(?P<kind>(?:République|Royaume|État|Principauté)[^,]*? (?:de|d'|du|des)) ?(?P<name>[A-Z].+)"
    ),
    re.compile(r"(?:la |el )?(?P<kind>(?:República|Reino|Estado|Principado)[^,]*? (?:de|del)) (?P<name>[A-Z].+)"),
)

Row = dict[str, str]
Drawn = tuple[str, str, str]
"""A text, the local name of the state that it means, its kind."""


def draw(country_codes: Path) -> list[Row]:
    """The list, in an order that no rule of matching can use: by text."""
    with CROSSWALK.open(encoding="utf-8", newline="") as file:
        crosswalk = list(csv.DictReader(file))
    with country_codes.open(encoding="utf-8-sig", newline="") as file:
        rows = [{name: _bare(value) for name, value in row.items()} for row in csv.DictReader(file)]
    states = {row["iso3"]: row["state"] for row in crosswalk if row["iso3"]}
    named = [(states[row["ISO3166-1-Alpha-3"]], row) for row in rows if row["ISO3166-1-Alpha-3"] in states]
    drawn = [each for state, row in named for each in _names(state, row)]
    drawn += _codes(named)
    drawn += _of_crosswalk(crosswalk)
    known = _meanings(named, rows, crosswalk)
    meant: dict[str, set[str]] = defaultdict(set)
    for text, state, _ in drawn:
        meant[_folded(text)].add(state)
    return [
        {"text": text, "state": state, "kind": kind, "part": HELD_OUT if _lot(state, text) % 3 == 0 else TUNED}
        for text, (state, kind) in sorted({text: (state, kind) for text, state, kind in reversed(drawn)}.items())
        if len(meant[_folded(text)] | known.get(_folded(text), set())) == 1
    ]


def _names(state: str, row: Row) -> Iterator[Drawn]:
    """Names of one state as the file has them, misspelt, and written in other ways."""
    official = {row[column] for column in OFFICIAL.values()} - {""}
    formal = {row[f"UNTERM {name} Formal"] for name in LANGUAGES.values()} - {""}
    short = {row[f"UNTERM {name} Short"] for name in LANGUAGES.values()} - {""} - official
    usual = {row["CLDR display name"], row["ISO4217-currency_country_name"]} - {""} - official
    for kind, names, count in (
        ("official", official, 2),
        ("formal", formal, 1),
        ("short", short, 1),
        ("usual", usual, 1),
    ):
        for name in _lots(state, kind, names, count):
            yield name, state, f"{kind} name"
    yield from _misspelt(state, official | {row["CLDR display name"]}, 2)
    yield from _rewritten(state, official | formal | short)


def _of_crosswalk(crosswalk: Iterable[Row]) -> Iterator[Drawn]:
    """Other names, former names, and those of states that no list of today has."""
    for row in crosswalk:
        others = [name for column in ("other_names", "spellings") for name in row[column].split("|") if name]
        for name in others:
            yield name, row["state"], "other name"
        numbers = [
            f"{name} {number}"
            for name, column in NUMBERED.items()
            for number in row[column].split()
            if number.isdigit()
        ]
        for number in _lots(row["state"], "numbered", numbers, 1):
            yield number, row["state"], "code of a list"
        yield from _misspelt(row["state"], [name for name in others if len(name) > 6], 1)
        if not row["iso3"]:
            yield row["label"], row["state"], "vanished state"
            yield from _misspelt(row["state"], [row["label"]], 1)


def _codes(named: Sequence[tuple[str, Row]]) -> Iterator[Drawn]:
    holders: dict[str, set[str]] = defaultdict(set)
    for state, row in named:
        for column in LISTS.values():
            holders[row[column].casefold()].add(state)
    for state, row in named:
        codes = {name: row[column] for name, column in LISTS.items() if re.fullmatch(r"[A-Za-z]+|\d+", row[column])}
        codes = {name: code for name, code in codes.items() if code.isdigit() == (name in ("ISO numeric", "M49"))}
        alone = {
            code for code in codes.values() if code.isalpha() and len(code) > 1 and len(holders[code.casefold()]) == 1
        }
        for code in _lots(state, "alone", alone, 1):
            yield code, state, "code"
        for name in _lots(state, "listed", codes, 2):
            short = "ISO" if name.startswith("ISO") else name
            yield f"{short} {codes[name].zfill(3) if codes[name].isdigit() else codes[name]}", state, "code of a list"
        item = row["wikidata_id"].rpartition("/")[2]
        if item and _lot(state, item) % 4 == 0:
            forms = (
                item,
                f"wd:{item}",
                f"http://www.wikidata.org/entity/{item}",
                f"https://www.wikidata.org/wiki/{item}",
            )
            yield forms[_lot(item, state) % len(forms)], state, "Wikidata item"


def _misspelt(state: str, names: Iterable[str], count: int) -> Iterator[Drawn]:
    """One name for each of *count* kinds of slips; names written without letters that stand for sounds have none."""
    able = [name for name in names if len(name) > 4 and not re.search(r"[\u3400-\u9fff]", name)]
    for slip in _lots(state, "slip", ("swapped", "left out", "doubled", "mistaken"), count):
        for name in _lots(state, slip, able, 1):
            wrong = _slipped(name, slip, _lot(state, slip, name))
            if wrong != name:
                yield wrong, state, f"letter {slip}" if slip != "swapped" else "letters swapped"


def _slipped(name: str, slip: str, lot: int) -> str:
    """*name* with one slip, never in the first letter of a word."""
    places = [i for i in range(1, len(name) - 1) if all(each.isalpha() for each in name[i - 1 : i + 2])]
    if not places:
        return name
    i = places[lot % len(places)]
    if slip == "swapped":
        return name[:i] + name[i + 1] + name[i] + name[i + 2 :]
    if slip == "left out":
        return name[:i] + name[i + 1 :]
    if slip == "doubled":
        return name[:i] + name[i] + name[i:]
    letters = sorted({each for each in name[1:].lower() if each.isalpha()} - {name[i].lower()})
    return name[:i] + letters[lot // len(places) % len(letters)] + name[i + 1 :] if letters else name


def _rewritten(state: str, names: set[str]) -> Iterator[Drawn]:
    """One name without its accents, in capitals, with other punctuation, or turned round, if any can be."""
    ways: set[tuple[str, str]] = set()
    for name in names:
        plain = "".join(each for each in unicodedata.normalize("NFD", name) if not unicodedata.combining(each))
        if re.match(r"[A-Za-z]", plain):
            ways.add(("without accents", plain))
            ways.add(("other punctuation", " ".join(re.sub(r"[-’'.,()]", " ", name).split())))
            for pattern in _INVERTED:
                if found := pattern.fullmatch(name):
                    ways.add(("turned round", f"{found['name']}, {found['kind']}"))
        if name.upper() != name and re.match(r"[^\W\d_]", name):
            ways.add(("capitals", name.upper()))
    ways = {(kind, text) for kind, text in ways if text not in names}
    kinds = sorted({kind for kind, _ in ways})
    for kind in _lots(state, "way", kinds, 2):
        for text in _lots(state, kind, [text for each, text in ways if each == kind], 1):
            yield text, state, kind


def _meanings(named: Sequence[tuple[str, Row]], rows: Iterable[Row], crosswalk: Iterable[Row]) -> dict[str, set[str]]:
    """Which states, or territories by their code, all names of the sources mean."""
    of = {row["ISO3166-1-Alpha-3"]: state for state, row in named}
    columns = [*OFFICIAL.values(), "CLDR display name", "ISO4217-currency_country_name"]
    columns += [f"UNTERM {name} {form}" for name in LANGUAGES.values() for form in ("Formal", "Short")]
    known: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        iso3 = row["ISO3166-1-Alpha-3"]
        for column in columns:
            known[_folded(row[column])].add(of.get(iso3, iso3))
    for row in crosswalk:
        for name in (row["label"], *row["other_names"].split("|"), *row["spellings"].split("|")):
            known[_folded(name)].add(row["state"])
        for name, column in NUMBERED.items():
            for number in row[column].split():
                known[_folded(f"{name} {number.partition(':')[0]}")].add(row["state"])
    return known


def _bare(value: str) -> str:
    """A cell without the spaces, and the asterisk for states that are no members, around it."""
    return " ".join(value.replace("\xa0", " ").rstrip(" *").split())


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold())
    return " ".join(re.findall(r"\w+", "".join(each for each in plain if not unicodedata.combining(each))))


def _lots(state: str, what: str, among: Iterable[str], count: int) -> list[str]:
    """*count* of *among*, drawn by hash."""
    return sorted(sorted(among), key=lambda each: _lot(state, what, each))[:count]


def _lot(*parts: str) -> int:
    return int.from_bytes(hashlib.sha256("\n".join(parts).encode()).digest()[:8])


def write(rows: Iterable[Row], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["text", "state", "kind", "part"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    write(draw(Path(sys.argv[1])), NAMES)
