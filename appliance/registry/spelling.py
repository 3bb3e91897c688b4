"""How much two spellings differ: the one adapter to rapidfuzz, and the keys by which words spelled nearly alike meet.

Pure. Two words that differ by one or two letters become equal when as many letters are left out of each: so a small table of
every known word's `variants` answers "which words are near this one" without comparing it with all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from rapidfuzz.distance import OSA

# Shorter words have too many neighbours; longer ones may have two slips.
ONE_SLIP, TWO_SLIPS = 4, 8
# Of long words the beginning is enough to meet by; the whole words are compared afterwards.
COMPARED = 9


def slips(word: str) -> int:
    """How many slips of the pen are forgiven in a word of that length."""
    return 0 if len(word) < ONE_SLIP else 1 if len(word) < TWO_SLIPS else 2


def variants(word: str) -> set[str]:
    """The word itself (its beginning, if long) and what is left of it without one or two letters."""
    begin = word[:COMPARED]
    return {begin} | {"".join(_without(begin, out)) for out in _left_out(begin, slips(word))}


def distance(one: str, other: str, most: int) -> int:
    """How many letters are wrong, missing, too many or swapped; `most` + 1 when it is more than that."""
    return int(OSA.distance(one, other, score_cutoff=most))


def likeness(one: str, other: str) -> float:
    """From 0 to 1: the share of letters that agree."""
    return float(OSA.normalized_similarity(one, other))


def _left_out(word: str, most: int) -> Iterator[tuple[int, ...]]:
    for count in range(1, most + 1):
        yield from combinations(range(len(word)), count)


def _without(word: str, out: Sequence[int]) -> Iterator[str]:
    return (letter for place, letter in enumerate(word) if place not in out)
