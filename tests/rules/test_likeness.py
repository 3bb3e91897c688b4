"""Whether two people are asked about, and why."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Any

import pytest

from appliance.registry.likeness import Identity, Likeness, Reason, compare, identity, name_likeness, near_numbers, swapped
from appliance.registry.names import searchable

HOME, NEXT, FAR = "73.03.01.1001", "73.03.01.1002", "73.03.06.2001"
BORN = date(1980, 3, 5)
NIK = "7303014503800001"


def one(name: str = "Sitti Aminah", **rest: Any) -> Identity:
    return identity(name, **{"sex": "P", "village_code": HOME, "birth_date": BORN, **rest})


def reasons(found: Likeness | None) -> set[str]:
    return {str(reason) for reason in found.reasons} if found else set()


ALIKE = [
    ("other spelling", one("Muh. Yusuf", sex="L"), one("Moh. Yusup", sex="L"), {"nama_sama", "lahir_sama", "desa_sama"}),
    ("a letter less", one("Siti Rahmawati"), one("St. Rahmahwati"), {"nama_sama", "lahir_sama", "desa_sama"}),
    ("another first letter", one("Fatimah"), one("Patimah"), {"nama_mirip", "lahir_sama", "desa_sama"}),
    ("a word less", one("Aminah"), one("Sitti Aminah"), {"nama_mirip", "lahir_sama", "desa_sama"}),
    ("words turned round", one("Aminah Sitti"), one("Sitti Aminah"), {"nama_sama", "lahir_sama", "desa_sama"}),
    ("blank or none", one("Nur Hayati"), one("Nurhayati"), {"nama_sama", "lahir_sama", "desa_sama"}),
    ("day and month swapped", one(), one(birth_date=date(1980, 5, 3)), {"nama_sama", "lahir_tertukar", "desa_sama"}),
    ("only the year known", one(), one(birth_date=date(1980, 1, 1)), {"nama_sama", "tahun_sama", "desa_sama"}),
    ("an estimated date", one(), one(birth_date=date(1980, 7, 1), estimated=True), {"nama_sama", "tahun_sama", "desa_sama"}),
    ("no date of birth", one(), one(birth_date=None), {"nama_sama", "desa_sama"}),
    ("moved next door", one(), one(village_code=NEXT), {"nama_sama", "lahir_sama", "kecamatan_sama"}),
    ("moved far, same mother", one(mother="Hj. Saleha"), one(village_code=FAR, mother="Salehah"), {"nama_sama", "lahir_sama", "ibu_sama"}),
    ("one digit wrong", one(nik=NIK, birth_date=None), one(nik=NIK[:-1] + "2", birth_date=None), {"nama_sama", "nik_satu_angka", "desa_sama"}),
    ("two digits swapped", one(nik=NIK), one(nik="7303014503080001"), {"nama_sama", "nik_tertukar", "lahir_sama", "desa_sama"}),
    ("one card", one(card="1"), one("Aminah", card="1", birth_date=None), {"nama_mirip", "kk_sama", "desa_sama"}),
    ("another NIK, one card", one(nik=NIK, card="1"), one(nik=NIK[::-1], card="1"), {"nama_sama", "nik_beda", "kk_sama", "lahir_sama", "desa_sama"}),
    ("the same NIK", one(nik=NIK), one("Baharuddin", nik=NIK, sex="L", village_code=FAR), {"nik_sama"}),
]  # fmt: skip

NOT_ALIKE = [
    ("another year", one(), one(birth_date=date(1981, 3, 5))),
    ("another day of the same year", one(), one(birth_date=date(1980, 9, 20))),
    ("another name", one("Hasnah"), one("Rosmini")),
    ("a man and a woman", one("Nur"), one("Nur", sex="L")),
    ("a single common name without date", one("Nurhayati", birth_date=None), one("Nurhayati", birth_date=None)),
    ("similar names without date", one("Siti Hasanah", birth_date=None), one("Siti Husnah", birth_date=None)),
    ("brothers on one card", one("Muh. Rizal", sex="L", card="1"), one("Muh. Rizki", sex="L", card="1", birth_date=date(1983, 8, 9))),
    ("another NIK", one(nik=NIK), one(nik="7371011203810009")),
    ("the same day far away", one(), one(village_code=FAR)),
    ("swapped, next door", one(), one(village_code=NEXT, birth_date=date(1980, 5, 3))),
    ("similar name, year only", one("Siti Maimunah"), one("Siti Aminah", birth_date=date(1980, 1, 1))),
    ("same day, other mother, similar name", one("Kasmawati", mother="Hasnah"), one("Rasmawati", mother="Daeng Bollo")),
]  # fmt: skip


@pytest.mark.parametrize(("first", "second", "why"), [line[1:] for line in ALIKE], ids=[line[0] for line in ALIKE])
def test_they_are_asked_about_whoever_comes_first(first: Identity, second: Identity, why: set[str]) -> None:
    found = compare(first, second)
    assert reasons(found) == why
    assert compare(second, first) == found


@pytest.mark.parametrize(("first", "second"), [line[1:] for line in NOT_ALIKE], ids=[line[0] for line in NOT_ALIKE])
def test_nobody_is_asked_about_these(first: Identity, second: Identity) -> None:
    assert compare(first, second) is None
    assert compare(second, first) is None


def test_what_agrees_more_counts_more() -> None:
    score = [found.score for found in (compare(first, second) for _, first, second, _ in ALIKE) if found]
    assert len(score) == len(ALIKE)
    assert max(score) == 100
    sure = compare(one(mother="Saleha"), one(mother="Saleha"))
    known = compare(one(), one())
    doubtful = compare(one(), one(birth_date=None))
    assert sure
    assert known
    assert doubtful
    assert sure.score > known.score > doubtful.score


def test_reasons_are_words() -> None:
    assert all(reason.label for reason in Reason)
    assert {reason for reason in Reason if reason.against} == {Reason.OTHER_NIK, Reason.OTHER_MOTHER}


def test_numbers_near_another() -> None:
    near = near_numbers(NIK)
    assert NIK not in near
    assert {NIK[:-1] + "9", "3703014503800001"} <= near
    assert len(near) == 144 + sum(first != second for first, second in pairwise(NIK))


@pytest.mark.parametrize(
    ("day", "turned"),
    [(date(1980, 3, 5), date(1980, 5, 3)), (date(1980, 3, 13), None), (date(1980, 3, 3), None)],
)
def test_day_and_month_exchanged(day: date, turned: date | None) -> None:
    assert swapped(day) == turned


@pytest.mark.parametrize(
    ("first", "second", "least", "most"),
    [("", "aminah", 0, 0), ("aminah", "aminah", 100, 100), ("siti aminah", "siti maimunah", 80, 85), ("baso", "andi", 0, 50)],
)
def test_names(first: str, second: str, least: int, most: int) -> None:
    assert least <= name_likeness(searchable(first), searchable(second)) <= most
