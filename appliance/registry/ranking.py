"""How well a name answers what was typed, and why: pure, over normalised words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from appliance.registry.spelling import likeness

# A typed beginning ("zul") is nearly as good as the whole word.
BEGINNING = 0.96
# A word of the name that was not typed costs a little, so that whole names come before longer ones.
EXTRA = 0.01
# Words less alike than this have nothing to do with each other.
RELATED = 0.6
# Below this a name is not shown; and, when there is a good one, what is so much worse is not either.
LEAST = 0.72
DROP = 0.2


# How alike, the word of the name, and whether it is one of the nickname.
_Best: TypeAlias = tuple[float, str, bool]


@dataclass(frozen=True)
class Match:
    """`score` is 0 to 1; `why` is for the officer: "nama", "nama mirip: nurhayati", "nama, tanpa bau"."""

    score: float
    why: str


def match(typed: Sequence[str], name: Sequence[str], nickname: Sequence[str] = ()) -> Match:
    """The typed words against those of a name and a nickname, in any order."""
    best = [_best(word, name, nickname) for word in typed]
    letters = sum(map(len, typed)) or 1
    score = sum(score * len(word) for (score, _, _), word in zip(best, typed, strict=True)) / letters
    return Match(score - EXTRA * max(0, len(name) - len(typed)), _why(typed, best))


def _why(typed: Sequence[str], best: Sequence[_Best]) -> str:
    unlike = dict.fromkeys(word for score, word, _ in best if 0 < score < BEGINNING)
    missing = dict.fromkeys(word for word, (score, _, _) in zip(typed, best, strict=True) if not score)
    why = f"nama mirip: {' '.join(unlike)}" if unlike else "nama panggilan" if any(of_nick for _, _, of_nick in best) else "nama"
    return f"{why}, tanpa {' '.join(missing)}" if missing else why


def kept(scores: Sequence[float]) -> float:
    """The score below which hits are left out, given those of all."""
    return max(LEAST, max(scores, default=0) - DROP)


def _best(word: str, name: Sequence[str], nickname: Sequence[str]) -> _Best:
    """The word of the name that is most like the typed one; of equals the first, a nickname's last."""
    best: _Best = (0.0, "", False)
    for words, of_nick in ((name, False), (nickname, True)):
        for other in words:
            score = _alike(word, other)
            if score > best[0]:
                best = (score, other, of_nick)
    return best


def _alike(word: str, other: str) -> float:
    if word == other:
        return 1.0
    if other.startswith(word):
        return BEGINNING
    score = likeness(word, other)
    return min(score, BEGINNING - 0.01) if score >= RELATED else 0.0
