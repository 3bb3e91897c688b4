"""What a NIK and a KK number may look like, and what is doubted but not refused."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.registry.nik import check_kk, check_nik, clean, mask, spaced

BANTAENG = {"73", "73.03", "73.03.01"}
GOOD_WOMAN = "7303014101800001"  # 1 January, +40
GOOD_MAN = "7303010101800001"


def test_a_right_number_has_neither_problems_nor_doubts() -> None:
    check = check_nik(GOOD_WOMAN, sex="P", birth_date=date(1980, 1, 1), knows_area=BANTAENG.__contains__)
    assert (check.digits, check.wrong, check.doubts) == (GOOD_WOMAN, (), ())


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("", "16 angka"),
        ("730301410180000", "yang diketik 15"),
        ("73030141018000011", "yang diketik 17"),
        ("73030141018OOOO1", "hanya boleh berisi angka"),
        ("٧٣٠٣٠١٤١٠١٨٠٠٠٠١", "hanya boleh berisi angka"),
        ("7.303014E+15", "Excel"),
        ("7,30301E+15", "(7,30301E+15)"),
        (" 7.303E+15 ", "(7.303E+15)"),
        ("1111111111111111", "sama semua"),
        ("0000000000000000", "sama semua"),
    ],
)
def test_what_cannot_be_a_nik(typed: str, word: str) -> None:
    check = check_nik(typed)
    assert not check.ok
    assert word in " ".join(check.wrong)


@pytest.mark.parametrize(
    ("digits", "sex", "birth_date", "word"),
    [
        (GOOD_WOMAN, "L", None, "Jenis kelamin"),
        (GOOD_MAN, "P", None, "Jenis kelamin"),
        (GOOD_MAN, "L", date(1980, 1, 2), "Tanggal lahir berbeda"),
        ("7303013202800001", "", None, "bukan tanggal"),  # 32 February
        ("7303017202800001", "", None, "bukan tanggal"),  # day 72
        ("7303010113800001", "", None, "bukan tanggal"),  # month 13
        ("7303010001800001", "", None, "bukan tanggal"),  # day 0
        ("7303014001800001", "", None, "bukan tanggal"),  # day 0 of a woman
        ("7303010101800000", "", None, "0000"),
        ("7303010101800100", "", None, "Excel"),
        ("9903010101800001", "", None, "provinsi 99"),
        ("7399010101800001", "", None, "kabupaten/kota 73.99"),
        ("7303990101800001", "", None, "kecamatan 73.03.99"),
    ],
)
def test_what_is_doubted(digits: str, sex: str, birth_date: date | None, word: str) -> None:
    check = check_nik(digits, sex=sex, birth_date=birth_date, knows_area=BANTAENG.__contains__)
    assert check.ok, "doubts do not refuse"
    assert len(check.doubts) == 1
    assert word in check.doubts[0]


def test_a_number_cell_has_lost_its_last_digit() -> None:
    typed, from_cell = check_nik("7303014101800010"), check_nik("7303014101800010.0", was_number=True)
    assert typed.doubts == ()
    assert from_cell.digits == "7303014101800010"
    assert "angka ke-16 hilang" in from_cell.doubts[0]
    assert "Nomor KK" in check_kk("7303010101100000.00", was_number=True).doubts[0]
    assert check_nik("7303014101800011", was_number=True).doubts == ()


def test_the_century_is_that_of_the_birth_date_on_the_form() -> None:
    for year in (1925, 2025):
        assert check_nik("7303010101250001", sex="L", birth_date=date(year, 1, 1)).doubts == ()


def test_all_doubts_are_told_at_once() -> None:
    check = check_nik("9903010101800000", sex="P", birth_date=date(1999, 5, 5), knows_area=BANTAENG.__contains__)
    assert len(check.doubts) == 4


def test_a_leap_day_of_either_century_is_a_day() -> None:
    assert check_nik("7303012902000001").doubts == ()
    assert check_nik("7303012902010001").doubts != ()


def test_separators_and_invisible_characters_do_not_matter() -> None:
    assert clean(" 7303.0141-0180\u200b 0001\ufeff'") == GOOD_WOMAN


@given(st.text())
def test_any_text_gets_an_answer_and_cleaning_twice_is_cleaning_once(text: str) -> None:
    check = check_nik(text)
    assert clean(check.digits) == check.digits
    assert not check.ok or (len(check.digits) == 16 and check.digits.isascii() and check.digits.isdigit())


@given(st.dates(date(1930, 1, 1), date(2026, 1, 1)), st.sampled_from("LP"), st.integers(1, 9998))
def test_a_number_made_by_the_rules_is_never_doubted(born: date, sex: str, serial: int) -> None:
    digits = f"730301{born.day + (40 if sex == 'P' else 0):02d}{born:%m%y}{serial:04d}"
    check = check_nik(digits, sex=sex, birth_date=born, knows_area=BANTAENG.__contains__)
    assert check.ok
    assert check.doubts == () or digits.endswith("00")


def test_kk_is_judged_by_its_shape_only() -> None:
    assert check_kk("7303 0101 0110 0001").digits == "7303010101100001"
    assert "Nomor KK" in check_kk("12").wrong[0]


def test_masking_hides_birth_date_and_serial() -> None:
    assert mask(GOOD_MAN) == "730301" + "•" * 10
    assert mask(None) == ""
    assert spaced(GOOD_MAN) == "7303 0101 0180 0001"
