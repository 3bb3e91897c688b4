"""What a NIK (and a KK number) says about itself: 6 digits of area, date of birth with +40 for women, serial.

Pure. Real numbers disagree with people's papers often (they keep the area and date of their first issue), so everything
but the shape is a doubt to be shown, never a reason to refuse.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

LENGTH = 16
DIGITS_OF_AREA = 6
# Spaces, dots and the invisible characters that come with copied numbers.
_NOT_DIGITS = re.compile(r"[\s.\-'\u200b-\u200f\u2060\ufeff\u00ad]")
_BY_EXCEL = re.compile(r"\d[\d,]*[eE]\+?\d+")


@dataclass(frozen=True)
class NikCheck:
    """`digits` is the cleaned number; `wrong` cannot be stored as a NIK at all; `doubts` can, with a remark."""

    digits: str
    wrong: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether it can be stored."""
        return not self.wrong


def clean(text: str) -> str:
    """Without separators and invisible characters. Idempotent."""
    return _NOT_DIGITS.sub("", text)


def check_nik(
    text: str,
    *,
    sex: str = "",
    birth_date: date | None = None,
    knows_area: Callable[[str], bool] | None = None,
) -> NikCheck:
    """Everything that is wrong or doubtful about `text` as a NIK, in plain sentences.

    `sex` is "L" or "P"; `knows_area` answers for dotted codes of provinces, districts and subdistricts.
    """
    digits = clean(text)
    wrong = _wrong_shape(digits, "NIK")
    if wrong:
        return NikCheck(digits, wrong)
    doubts = [*_area_doubts(digits, knows_area), *_date_doubts(digits, birth_date), *_sex_doubts(digits, sex)]
    if digits.endswith("0000"):
        doubts.append("Nomor urut NIK 0000 tidak lazim; mungkin angka terakhir hilang.")
    elif digits.endswith("0"):
        # A spreadsheet keeps 15 digits and makes the last one 0; one real number in ten ends so as well.
        doubts += ["Angka terakhir NIK 0; bila disalin dari Excel, cocokkan dengan KTP."] if digits.endswith("00") else []
    return NikCheck(digits, (), tuple(doubts))


def check_kk(text: str) -> NikCheck:
    """The same for the number of a family card, of which only the shape is sure."""
    digits = clean(text)
    return NikCheck(digits, _wrong_shape(digits, "Nomor KK"))


def mask(number: str | None) -> str:
    """For lists: the area, and dots for what tells the birth date and the person."""
    return "" if not number else number[:DIGITS_OF_AREA] + "•" * (len(number) - DIGITS_OF_AREA)


def spaced(number: str | None) -> str:
    """For reading aloud: groups of four."""
    return " ".join(re.findall(".{1,4}", number or ""))


def _wrong_shape(digits: str, what: str) -> tuple[str, ...]:
    if _BY_EXCEL.fullmatch(digits):
        return (f"{what} rusak oleh Excel ({digits}); ketik ulang dari kartunya.",)
    if digits and not (digits.isascii() and digits.isdigit()):
        return (f"{what} hanya boleh berisi angka.",)
    if len(digits) != LENGTH:
        return (f"{what} harus {LENGTH} angka; yang diketik {len(digits)} angka.",)
    if len(set(digits)) == 1:
        return (f"{what} tidak mungkin berisi angka yang sama semua.",)
    return ()


def _area_doubts(digits: str, knows_area: Callable[[str], bool] | None) -> list[str]:
    if knows_area is None:
        return []
    province, district, subdistrict = digits[:2], f"{digits[:2]}.{digits[2:4]}", f"{digits[:2]}.{digits[2:4]}.{digits[4:6]}"
    for code, name in ((province, "provinsi"), (district, "kabupaten/kota"), (subdistrict, "kecamatan")):
        if not knows_area(code):
            return [f"Kode {name} {code} pada NIK tidak dikenal; mungkin kode lama sebelum pemekaran."]
    return []


def _date_doubts(digits: str, birth_date: date | None) -> list[str]:
    day, month, year = int(digits[6:8]) % 40, int(digits[8:10]), int(digits[10:12])
    if int(digits[6:8]) > 71 or not _is_date(day, month, year):
        return ["Tanggal lahir di dalam NIK bukan tanggal yang mungkin."]
    if birth_date is not None and (day, month, year) != (birth_date.day, birth_date.month, birth_date.year % 100):
        return ["Tanggal lahir berbeda dengan yang tersirat di NIK."]
    return []


def _is_date(day: int, month: int, year: int) -> bool:
    """Whether it is a day of some century; of 1900 and 2000 only the second was a leap year."""
    try:
        date(2000 + year, month, day)
    except ValueError:
        return False
    return True


def _sex_doubts(digits: str, sex: str) -> list[str]:
    of_woman = int(digits[6:8]) > 40
    if sex and of_woman != (sex == "P"):
        return ["Jenis kelamin berbeda dengan yang tersirat di NIK."]
    return []
