"""Which aids should not come together: warnings over plain values. Pure: no clock, no database.

A rule never refuses: the officer reads the warning and decides. Aids that ended, were refused or struck out do not count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from appliance.models.programme import ParticipationStatus, RuleKind, Target, Within

# An aid that is only proposed counts too: the warning is wanted before it is granted.
COUNTED = frozenset({ParticipationStatus.ACTIVE, ParticipationStatus.PROPOSED})


@dataclass(frozen=True)
class Aid:
    """One aid of a family: who holds it ("" as `person_id` for the family as a whole) and what is known of the holder.

    `decile` is her newest desil or None; `gone` says why she should receive nothing any more ("meninggal", "pindah"), or "".
    """

    id: str
    programme_id: str
    programme: str
    sector: str
    target: str
    status: str
    person_id: str
    holder: str
    max_decile: int | None = None
    decile: int | None = None
    gone: str = ""


@dataclass(frozen=True)
class Rule:
    """One configured rule. Ids of programmes and the sector are "" where they do not narrow it."""

    kind: str
    within: str = Within.FAMILY
    first_id: str = ""
    second_id: str = ""
    sector: str = ""
    most: int = 1
    advice: str = ""


@dataclass(frozen=True)
class Caution:
    """What an officer reads: one sentence, what the office advises, and the aids it is about."""

    kind: str
    text: str
    advice: str
    aids: tuple[str, ...]


def cautions(aids: Iterable[Aid], rules: Iterable[Rule], *, sector_names: Callable[[str], str] = str) -> tuple[Caution, ...]:
    """What the rules say about the aids of one family, each thing once, in the order of the rules."""
    counted = [aid for aid in aids if aid.status in COUNTED]
    found: dict[tuple[str, ...], Caution] = {}
    for rule in rules:
        for caution in _CHECKS[RuleKind(rule.kind)](rule, counted, sector_names):
            found.setdefault((caution.kind, *sorted(caution.aids)), caution)
    return tuple(found.values())


def _together(rule: Rule, aids: Sequence[Aid], names: Callable[[str], str]) -> Iterable[Caution]:
    for group in _groups(rule.within, aids):
        first = [aid for aid in group if aid.programme_id == rule.first_id]
        second = [aid for aid in group if aid.programme_id == rule.second_id]
        if first and second and rule.first_id != rule.second_id:
            text = f"{first[0].programme} dan {second[0].programme} bersamaan {_where(rule.within, group)}{_holders(first + second)}."
            yield _caution(rule, text, first + second)


def _twice(rule: Rule, aids: Sequence[Aid], names: Callable[[str], str]) -> Iterable[Caution]:
    """A programme for families is doubled within the family, any other within one person."""
    wanted = [aid for aid in aids if not rule.first_id or aid.programme_id == rule.first_id]
    heaps: dict[tuple[str, str], list[Aid]] = {}
    for aid in wanted:
        heaps.setdefault((aid.programme_id, "" if aid.target == Target.FAMILY else aid.person_id), []).append(aid)
    for heap in heaps.values():
        if len(heap) > 1:
            yield _caution(rule, f"{heap[0].programme} tercatat {len(heap)} kali{_holders(heap)}.", heap)


def _too_many(rule: Rule, aids: Sequence[Aid], names: Callable[[str], str]) -> Iterable[Caution]:
    for group in _groups(rule.within, aids):
        heap = [aid for aid in group if not rule.sector or aid.sector == rule.sector]
        programmes = sorted({aid.programme for aid in heap})
        if len(programmes) > rule.most:
            what = f"program sektor {names(rule.sector)}" if rule.sector else "program"
            text = f"{len(programmes)} {what} {_where(rule.within, group)} (batas {rule.most}): {', '.join(programmes)}."
            yield _caution(rule, text, heap)


def _decile(rule: Rule, aids: Sequence[Aid], names: Callable[[str], str]) -> Iterable[Caution]:
    for aid in aids:
        if rule.first_id in ("", aid.programme_id) and aid.decile and aid.max_decile and aid.decile > aid.max_decile:
            yield _caution(
                rule, f"Desil {aid.decile} di atas batas {aid.programme} (paling tinggi {aid.max_decile}): {aid.holder}.", [aid]
            )


def _gone(rule: Rule, aids: Sequence[Aid], names: Callable[[str], str]) -> Iterable[Caution]:
    for aid in aids:
        if aid.gone and rule.first_id in ("", aid.programme_id):
            yield _caution(rule, f"{aid.holder} {aid.gone}, tetapi {aid.programme} masih tercatat {aid.status}.", [aid])


_CHECKS: dict[RuleKind, Callable[[Rule, Sequence[Aid], Callable[[str], str]], Iterable[Caution]]] = {
    RuleKind.TOGETHER: _together,
    RuleKind.TWICE: _twice,
    RuleKind.TOO_MANY: _too_many,
    RuleKind.DECILE: _decile,
    RuleKind.GONE: _gone,
}


def _groups(within: str, aids: Sequence[Aid]) -> list[list[Aid]]:
    """The aids to be looked at together: all of the family, or those of each person apart."""
    if within == Within.FAMILY:
        return [list(aids)]
    people = dict.fromkeys(aid.person_id for aid in aids if aid.person_id)
    return [[aid for aid in aids if aid.person_id == person] for person in people]


def _where(within: str, group: Sequence[Aid]) -> str:
    return "dalam satu keluarga" if within == Within.FAMILY else f"pada {group[0].holder}"


def _holders(aids: Sequence[Aid]) -> str:
    """Who holds them, after a colon; nothing when it is the family as a whole."""
    if not any(aid.person_id for aid in aids):
        return ""
    return ": " + ", ".join(dict.fromkeys(aid.holder for aid in aids))


def _caution(rule: Rule, text: str, aids: Sequence[Aid]) -> Caution:
    return Caution(rule.kind, text, rule.advice, tuple(aid.id for aid in aids))
