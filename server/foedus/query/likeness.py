"""How alike names are that were written differently: other words beside them, another order, misspelt.

Of a name count its words, folded, without articles and prepositions, as they stand and in the order of the alphabet: so
“Korea, Republic of (the)” is “Republic of Korea”. Words are compared by the letters to add, leave out, take for another
or swap with the next (optimal string alignment), as a share of the longer of the two.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from rapidfuzz import process
from rapidfuzz.distance import OSA

from foedus.query.lazily import kept

LEAST = 0.6
"""Names less alike than that are not near."""

# Apostrophes, hyphens and dashes that people type one for the other; letters that are taken for two, or have no accent
# of their own to be without.
_ALIKE = str.maketrans(
    dict.fromkeys("\u2019\u2018\u02bc`\u00b4", "'")
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014", "-")
    | {"ı": "i", "ø": "o", "Ø": "o", "ł": "l", "Ł": "l", "đ": "d", "Đ": "d", "æ": "ae", "Æ": "ae", "œ": "oe", "Œ": "oe"}
)
_WORD = re.compile(r"[^\W_]+")
_SMALL = frozenset(
    (
        "the",
        "of",
        "and",
        "la",
        "le",
        "les",
        "l",
        "d",
        "de",
        "du",
        "des",
        "et",
        "el",
        "los",
        "las",
        "del",
        "y",
        "e",
        "und",
    )
)
_COMPASS = {"n": "north", "s": "south", "e": "east", "w": "west"}
"""What a letter stands for before or after a name: “S. Korea”, “Germany, E.”."""
_SHORT = {"st": "saint", "ste": "sainte", "rep": "republic", "dem": "democratic", "fed": "federal", "isl": "islands"}
_TURNED = 0.98
"""What another order of the words leaves of a likeness."""
_LONGEST = 200
"""Letters of a name that are compared."""


def folded(name: str) -> str:
    """*name* without regard to case, accents, kinds of apostrophe and dash, and repeated spaces."""
    letters = unicodedata.normalize("NFKD", name.translate(_ALIKE).casefold())
    return " ".join("".join(each for each in letters if not unicodedata.combining(each)).split())


def words(name: str) -> tuple[str, ...]:
    """The words of *name* that tell it from others, folded and with usual abbreviations written out."""
    every = [_SHORT.get(word, word) for word in _WORD.findall(folded(name))]
    if sum(len(word) > 1 for word in every) == len(every) - 1:
        every[0], every[-1] = (_COMPASS.get(word, word) for word in (every[0], every[-1]))
    return tuple(word for word in every if word not in _SMALL) or tuple(every)


class Likeness:
    """Names, folded, and the IRIs of the things that have them."""

    def __init__(self, names: Mapping[str, Iterable[str]]) -> None:
        self._of: dict[str, set[str]] = defaultdict(set)
        self._turned: dict[str, set[str]] = defaultdict(set)
        for name, iris in names.items():
            parts = words(name)
            if parts:
                self._of[" ".join(parts)].update(iris)
                self._turned[" ".join(sorted(parts))].update(iris)

    def same(self, text: str) -> set[str]:
        """The things with a name of the same words as *text*, in whatever order."""
        return self._turned.get(" ".join(sorted(words(text[:_LONGEST]))), set())

    def near(self, text: str, least: float = LEAST, most: int = 50) -> dict[str, float]:
        """The things with a name like *text*, at least *least* of 1, by the *most* names that are most like it."""
        parts = words(text[:_LONGEST])
        found: dict[str, float] = {}

        def learn(iris: Iterable[str], alike: float) -> None:
            for iri in iris:
                found[iri] = max(found.get(iri, 0.0), alike)

        if not parts:
            return found
        for name, alike, _ in _closest(" ".join(parts), self._names, least, most):
            learn(self._of[name], alike)
        for name, alike, _ in _closest(" ".join(sorted(parts)), self._turned_names, least, most):
            learn(self._turned[name], _TURNED * alike)
        for name, share in self._holding(parts):
            learn(self._of[name], LEAST + (1 - LEAST) * share)
        return {iri: alike for iri, alike in found.items() if alike >= least}

    def _holding(self, parts: tuple[str, ...]) -> Iterable[tuple[str, float]]:
        """The names whose words are all in *parts*, or hold all of them, and what share of the longer is common."""
        wanted = frozenset(parts)
        common = Counter(name for word in wanted for name in self._by_word.get(word, ()))
        size = sum(map(len, wanted))
        for name, count in common.items():
            others = name.split()
            if count in (len(wanted), len(others)):
                theirs = sum(map(len, others))
                yield name, min(size, theirs) / max(size, theirs)

    @kept
    def _names(self) -> list[str]:
        return list(self._of)

    @kept
    def _turned_names(self) -> list[str]:
        return list(self._turned)

    @kept
    def _by_word(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for name in self._of:
            for word in name.split():
                found[word].add(name)
        return found


def _closest(text: str, among: list[str], least: float, most: int) -> list[tuple[str, float, int]]:
    return process.extract(text, among, scorer=OSA.normalized_similarity, score_cutoff=least, limit=most)
