"""Names, their words and what these are found by, as they were when the vocabulary was made (0005).

A copy on purpose: a migration must do in years what it does today, however names are normalised by then.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import combinations, islice

_TITLES = frozenset(
    [
        *(
            "h",
            "hj",
            "haji",
            "hajah",
            "kh",
            "ust",
            "ustadz",
            "ustadzah",
            "dr",
            "drs",
            "dra",
            "ir",
            "prof",
        ),  # "st" is Siti, not S.T.
        *("dg", "daeng", "krg", "karaeng", "puang", "bapak", "ibu", "pak", "bu", "sdr", "sdri", "alm", "almh"),
        *("sh", "se", "ssos", "spd", "skm", "mm", "msi", "mpd", "skep", "amd"),
    ]
)
_SPELLINGS = {
    **dict.fromkeys(
        ("m", "muh", "moh", "mohd", "muhd", "mohamad", "mohammad", "muhamad", "muhammad", "mochamad", "moch", "mhd"), "muhamad"
    ),
    **dict.fromkeys(("abd", "abdul", "abdoel", "abdull"), "abdul"),
    **dict.fromkeys(("siti", "sitti", "sti", "st"), "siti"),
    **dict.fromkeys(("a", "andi"), "andi"),
    **dict.fromkeys(("nur", "noer", "nor"), "nur"),
    **dict.fromkeys(("jusuf", "yusup", "jusup"), "yusuf"),
}
# After these, letters that offices write differently from card to card become one.
_OLD_LETTERS = (
    ("oe", "u"),
    ("tj", "c"),
    ("dj", "j"),
    ("sj", "s"),
    ("sy", "s"),
    ("ch", "h"),
    ("kh", "h"),
    ("dh", "d"),
    ("th", "t"),
)
# "S.Pd", "M. Si": a degree in its dotted form, before the dots fall and leave two words that look like names.
_DEGREE = re.compile(r"\b[sma]\.\s?(?:pd|si|ag|kom|hum|kes|kep|keb|sos|ip|ap|farm|psi|th|md)\b")
_DOUBLED = re.compile(r"([a-z])\1+")
_WORD = re.compile(r"[a-z0-9]+")


def searchable(name: str) -> str:
    """The normalised name, words separated by one blank. Idempotent; "" only for a name without letters."""
    return " ".join(words(name))


def words(name: str) -> list[str]:
    """The normalised words of a name in their order; titles are left out unless nothing else remains."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower().replace("'", "")
    found = _WORD.findall(_DEGREE.sub(" ", plain)) or _WORD.findall(plain)
    bare = [word for word in found if word not in _TITLES]
    normal = [_normal(word) for word in bare or found]
    # a doubled letter may have hidden a title
    return [word for word in normal if word not in _TITLES] or normal


@lru_cache(maxsize=20_000)
def _normal(word: str) -> str:
    word = _SPELLINGS.get(word, word)
    before = ""
    while before != word:  # until nothing changes, so that normalising twice is normalising once
        before = word
        for old, new in _OLD_LETTERS:
            word = word.replace(old, new)
        word = _DOUBLED.sub(r"\1", word)
        if len(word) > 3 and word.endswith("h"):
            word = word[:-1]
        word = _SPELLINGS.get(word, word)
    return word


ONE_SLIP, TWO_SLIPS = 4, 8
COMPARED = 9


def variants(word: str) -> set[str]:
    """The word itself (its beginning, if long) and what is left of it without one or two letters."""
    begin = word[:COMPARED]
    return {begin} | {"".join(_without(begin, out)) for out in _left_out(begin, _slips(word))}


def _slips(word: str) -> int:
    return 0 if len(word) < ONE_SLIP else 1 if len(word) < TWO_SLIPS else 2


def _left_out(word: str, most: int) -> Iterator[tuple[int, ...]]:
    for count in range(1, most + 1):
        yield from combinations(range(len(word)), count)


def _without(word: str, out: Sequence[int]) -> Iterator[str]:
    return (letter for place, letter in enumerate(word) if place not in out)


# What comes with numbers that were copied from a message or a sheet.
_AROUND = re.compile(r"^\s*(?:(?:wa|hp|telp|tlp|no)\b[\s.:]*)*|[\u200b-\u200f\u2060\ufeff\u00ad\u202a-\u202e']", re.IGNORECASE)

_WRITTEN = re.compile(r"\+?[\d\s().\-/]+")
SHORTEST, LONGEST = 7, 15
MOST_WORDS = 6


def search_key(text: str) -> str:
    """What a number is found by: its digits with the national 0 in front, however it is written or stored.

    "" for what cannot be a telephone number; half a number is the beginning of the key of the whole one. Idempotent.
    """
    if not _WRITTEN.fullmatch(_AROUND.sub("", text).strip()):
        return ""
    digits = re.sub(r"\D", "", text).removeprefix("00")
    if digits.startswith(("62", "8")):
        digits = f"0{digits.removeprefix('62').removeprefix('0')}"
    return digits if SHORTEST <= len(digits) <= LONGEST and digits.startswith("0") else ""


def keys_of(name_search: str, nickname: str, phone: str) -> tuple[list[str], list[str]]:
    """The single words of a person, and all that she is found by: these, their pairs and the telephone number."""
    names = sorted(set(islice((*name_search.split(), *words(nickname)), MOST_WORDS)))
    keys = [*names, *map(" ".join, combinations(names, 2))]
    number = search_key(phone)
    return names, [*keys, number] if number else keys
