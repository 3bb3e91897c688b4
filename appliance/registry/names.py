"""Names as they are searched: one spelling for the many ways in which the same name is written.

Pure. "Moh. Yusuf", "Muhammad Yusuf" and "H. MUHAMAD JUSUF" must be found by each other.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

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


def veiled(name: str) -> str:
    """For somebody who may not know who it is: "A•••• B••••". The dots do not tell how long a word is."""
    return " ".join(f"{word[0].upper()}••••" for word in name.split())


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
