"""What is left of an assignment when villages are given away, and when two lists of cases are the same."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from appliance.casework.day_words import day_in_words
from appliance.casework.handover_rules import fingerprint, without
from appliance.registry.area_counts import is_due
from appliance.registry.areas import plain_name

VILLAGES = ("73.03.01.1001", "73.03.01.1002", "73.03.01.2003", "73.03.06.2001")
A, B, C, D = VILLAGES
MAKASSAR = ZoneInfo("Asia/Makassar")


@pytest.mark.parametrize(
    ("areas", "given", "left"),
    [
        ([A], {A}, []),
        ([A, B], {A}, [B]),
        ([A, D], {A, D}, []),
        (["73.03.01"], {A}, [B, C]),
        (["73.03.01", D], {A, B, C}, [D]),
        (["73.03"], {A, D}, [B, C]),
        (["73.03.01", B], {A}, [B, C]),
        ([D], {A}, [D]),
        (["73.03.06"], {A}, ["73.03.06"]),
        ([], {A}, []),
    ],
)
def test_what_is_left_of_the_areas(areas: list[str], given: set[str], left: list[str]) -> None:
    assert without(areas, given, VILLAGES) == left


def test_a_list_has_the_same_mark_in_any_order_and_another_after_any_change() -> None:
    shown = [("1", "BARU"), ("2", "TELAAH")]
    assert fingerprint(shown) == fingerprint(shown[::-1])
    others = [shown[:1], [("1", "BARU"), ("2", "BARU")], [*shown, ("3", "BARU")], []]
    assert len({fingerprint(one) for one in [shown, *others]}) == 5


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2026, 11, 25), "Rabu tanggal dua puluh lima bulan November tahun dua ribu dua puluh enam"),
        (date(2027, 1, 1), "Jumat tanggal satu bulan Januari tahun dua ribu dua puluh tujuh"),
        (date(2026, 8, 31), "Senin tanggal tiga puluh satu bulan Agustus tahun dua ribu dua puluh enam"),
    ],
)
def test_a_day_in_words(day: date, words: str) -> None:
    assert day_in_words(day) == words


@pytest.mark.parametrize(
    ("asked", "due"),
    [
        (None, True),
        (datetime(2026, 11, 19, 17, 29, tzinfo=UTC), True),
        (datetime(2026, 11, 19, 17, 30, tzinfo=UTC), False),  # 01.30 WITA
        (datetime(2026, 11, 20, 1, 0, tzinfo=UTC), False),
    ],
)
def test_the_count_of_the_night_is_due_once(asked: datetime | None, due: bool) -> None:
    assert is_due(asked, datetime(2026, 11, 20, 2, 0, tzinfo=UTC), MAKASSAR) is due


def test_before_the_hour_of_the_count_the_night_before_counts() -> None:
    just_before = datetime(2026, 11, 19, 17, 0, tzinfo=UTC)
    assert not is_due(datetime(2026, 11, 18, 17, 30, tzinfo=UTC), just_before, MAKASSAR)
    assert is_due(datetime(2026, 11, 18, 17, 29, tzinfo=UTC), just_before, MAKASSAR)


@pytest.mark.parametrize(
    "name", ["BONTO BONTOA", "Bonto-Bontoa", "Kel. Bonto Bontoa", "kelurahan bonto  bontoa", "Desa Bonto-bontoa"]
)
def test_names_of_areas_are_compared_without_what_offices_add(name: str) -> None:
    assert plain_name(name) == "bontobontoa"


def test_a_name_that_only_begins_like_a_kind_is_kept_whole() -> None:
    assert plain_name("Kotabaru") == "kotabaru"
    assert plain_name("Dsurian") == "dsurian"
