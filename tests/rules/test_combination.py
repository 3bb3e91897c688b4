"""Aids that should not come together: what each kind of rule says about a family, and about what it stays silent."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.models.programme import RuleKind
from appliance.registry.combination import Aid, Rule, cautions

PKH, FOOD, BLT, PBI = "pkh", "sembako", "blt-desa", "pbi-jk"
SECTORS = {PKH: "sosial_ekonomi", FOOD: "pangan", BLT: "sosial_ekonomi", PBI: "kesehatan"}
NOT_BOTH = Rule("bersamaan", "keluarga", PKH, BLT)


def aid(programme: str, person: str = "", **rest: Any) -> Aid:
    """An active aid; without a person it is the family's."""
    known = {
        "id": f"{programme}/{person}",
        "sector": SECTORS[programme],
        "target": "penduduk" if programme == PBI else "keluarga",
        "status": "aktif",
        "holder": person or "keluarga",
    }
    return Aid(programme_id=programme, programme=programme.upper(), person_id=person, **{**known, **rest})


CASES: dict[str, tuple[Rule, list[Aid], list[str]]] = {
    "two that exclude each other": (
        NOT_BOTH,
        [aid(PKH), aid(BLT, "ani")],
        ["PKH dan BLT-DESA bersamaan dalam satu keluarga: keluarga, ani."],
    ),
    "the other one alone": (NOT_BOTH, [aid(BLT)], []),
    "the former one ended": (NOT_BOTH, [aid(PKH, status="graduasi"), aid(BLT)], []),
    "one is proposed": (
        NOT_BOTH,
        [aid(PKH, status="diusulkan"), aid(BLT)],
        ["PKH dan BLT-DESA bersamaan dalam satu keluarga."],
    ),
    "one was refused": (NOT_BOTH, [aid(PKH, status="ditolak"), aid(BLT)], []),
    "within a person, two people": (Rule("bersamaan", "orang", PKH, PBI), [aid(PKH, "ani"), aid(PBI, "budi")], []),
    "within a person, the same": (
        Rule("bersamaan", "orang", PKH, PBI),
        [aid(PKH, "ani"), aid(PBI, "ani")],
        ["PKH dan PBI-JK bersamaan pada ani: ani."],
    ),
    "a rule of one programme with itself says nothing": (
        Rule("bersamaan", "keluarga", PKH, PKH),
        [aid(PKH), aid(PKH, "ani")],
        [],
    ),
    "family aid twice on one card": (
        Rule("ganda"),
        [aid(PKH, "ani"), aid(PKH, "budi")],
        ["PKH tercatat 2 kali: ani, budi."],
    ),
    "family aid twice for the family": (Rule("ganda"), [aid(PKH), aid(PKH, id="2")], ["PKH tercatat 2 kali."]),
    "personal aid of two people": (Rule("ganda"), [aid(PBI, "ani"), aid(PBI, "budi")], []),
    "personal aid twice": (Rule("ganda"), [aid(PBI, "ani"), aid(PBI, "ani", id="2")], ["PBI-JK tercatat 2 kali: ani."]),
    "twice, but only of another programme": (Rule("ganda", first_id=BLT), [aid(PKH, "ani"), aid(PKH, "budi")], []),
    "as many as the limit": (Rule("terlalu_banyak", most=2), [aid(PKH), aid(FOOD)], []),
    "one more than the limit": (
        Rule("terlalu_banyak", most=2),
        [aid(PKH), aid(FOOD), aid(BLT)],
        ["3 program dalam satu keluarga (batas 2): BLT-DESA, PKH, SEMBAKO."],
    ),
    "the same programme for each member is one": (Rule("terlalu_banyak", most=1), [aid(PBI, "ani"), aid(PBI, "budi")], []),
    "too many of a sector": (
        Rule("terlalu_banyak", sector="sosial_ekonomi", most=1),
        [aid(PKH), aid(FOOD), aid(BLT)],
        ["2 program sektor sosial_ekonomi dalam satu keluarga (batas 1): BLT-DESA, PKH."],
    ),
    "another sector": (Rule("terlalu_banyak", sector="energi", most=1), [aid(PKH), aid(FOOD), aid(BLT)], []),
    "too many for one person": (
        Rule("terlalu_banyak", "orang", most=1),
        [aid(PKH, "ani"), aid(PBI, "ani"), aid(FOOD)],
        ["2 program pada ani (batas 1): PBI-JK, PKH."],
    ),
    "desil above the limit": (
        Rule("desil"),
        [aid(PKH, "ani", max_decile=4, decile=5)],
        ["Desil 5 di atas batas PKH (paling tinggi 4): ani."],
    ),
    "desil at the limit": (Rule("desil"), [aid(PKH, max_decile=4, decile=4)], []),
    "no desil known": (Rule("desil"), [aid(PKH, max_decile=4)], []),
    "no limit": (Rule("desil"), [aid(PKH, decile=10)], []),
    "somebody died": (
        Rule("tidak_ada"),
        [aid(PKH, "ani", gone="sudah meninggal")],
        ["ani sudah meninggal, tetapi PKH masih tercatat aktif."],
    ),
    "it was stopped when she died": (Rule("tidak_ada"), [aid(PKH, "ani", gone="sudah meninggal", status="nonaktif")], []),
    "no aid at all": (Rule("ganda"), [], []),
}


@pytest.mark.parametrize("name", CASES)
def test_each_rule(name: str) -> None:
    rule, aids, texts = CASES[name]
    assert [caution.text for caution in cautions(aids, [rule])] == texts


def test_a_warning_names_its_aids_and_the_advice() -> None:
    (found,) = cautions(
        [aid(PKH), aid(BLT, "ani"), aid(FOOD)], [Rule("bersamaan", "keluarga", PKH, BLT, advice="Pilih salah satu.")]
    )
    assert (found.aids, found.advice) == (("pkh/", "blt-desa/ani"), "Pilih salah satu.")


def test_two_rules_that_say_the_same_warn_once() -> None:
    assert len(cautions([aid(PKH), aid(BLT)], [NOT_BOTH, Rule("bersamaan", "keluarga", BLT, PKH)])) == 1


@given(
    st.lists(
        st.tuples(st.sampled_from(list(SECTORS)), st.sampled_from(["", "ani", "budi"]), st.sampled_from(["aktif", "nonaktif"]))
    ),
    st.sampled_from(list(RuleKind)),
)
def test_nothing_is_said_of_aids_that_ended(rows: list[tuple[str, str, str]], kind: RuleKind) -> None:
    aids = [aid(programme, who, id=str(n), status=status, gone="pindah") for n, (programme, who, status) in enumerate(rows)]
    ended = {one.id for one in aids if one.status == "nonaktif"}
    found = cautions(aids, [Rule(kind, "keluarga", PKH if kind is RuleKind.TOGETHER else "", BLT)])
    assert not ended & {name for caution in found for name in caution.aids}
