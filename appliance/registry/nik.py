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
_BY_EXCEL = re.compile(r"\d[\d.,]*[eE]\+?\d+")
# A number cell written out by a program: sixteen digits and nothing behind the point.
_WHOLE_NUMBER = re.compile(r"\s*(\d{16})[.,]0+\s*")
_LONG_NUMBER = re.compile(r"\d(?:[ .\-]?\d){15}")
_LAST_DIGIT_LOST = "{} disimpan Excel sebagai angka, sehingga angka ke-16 hilang dan menjadi 0; cocokkan dengan kartunya."


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
    whole = _WHOLE_NUMBER.fullmatch(text)
    return whole[1] if whole else _NOT_DIGITS.sub("", text)


def check_nik(
    text: str,
    *,
    sex: str = "",
    birth_date: date | None = None,
    knows_area: Callable[[str], bool] | None = None,
    was_number: bool = False,
) -> NikCheck:
    """Everything that is wrong or doubtful about `text` as a NIK, in plain sentences.

    `sex` is "L" or "P"; `knows_area` answers for dotted codes of provinces, districts and subdistricts. The century is that of
    `birth_date`: the number has none. `was_number`: it comes from a sheet's cell that held a number and not text.
    """
    digits = clean(text)
    wrong = _wrong_shape(text, "NIK")
    if wrong:
        return NikCheck(digits, wrong)
    doubts = [*_area_doubts(digits, knows_area), *_date_doubts(digits, birth_date), *_sex_doubts(digits, sex)]
    doubts += _ending_doubts(digits, was_number)
    return NikCheck(digits, (), tuple(doubts))


def check_kk(text: str, *, was_number: bool = False) -> NikCheck:
    """The same for the number of a family card, of which only the shape is sure."""
    digits = clean(text)
    wrong = _wrong_shape(text, "Nomor KK")
    lost = was_number and not wrong and digits.endswith("0")
    return NikCheck(digits, wrong, (_LAST_DIGIT_LOST.format("Nomor KK"),) if lost else ())


def mask(number: str | None) -> str:
    """For lists: the area, and dots for what tells the birth date and the person."""
    return "" if not number else number[:DIGITS_OF_AREA] + "•" * (len(number) - DIGITS_OF_AREA)


def mask_within(text: str) -> str:
    """A sentence with every number in it that is as long as a NIK masked, for what is kept outside of the registry."""
    return _LONG_NUMBER.sub(lambda found: mask(clean(found[0])), text)


def spaced(number: str | None) -> str:
    """For reading aloud: groups of four."""
    return " ".join(re.findall(".{1,4}", number or ""))


def _wrong_shape(text: str, what: str) -> tuple[str, ...]:
    digits = clean(text)
    if _BY_EXCEL.fullmatch(text.strip()):
        return (f"{what} rusak oleh Excel ({text.strip()}); ketik ulang dari kartunya.",)
    if digits and not (digits.isascii() and digits.isdigit()):
        return (f"{what} hanya boleh berisi angka.",)
    if len(digits) != LENGTH:
        return (f"{what} harus {LENGTH} angka; yang diketik {len(digits)} angka.",)
    if len(set(digits)) == 1:
        return (f"{what} tidak mungkin berisi angka yang sama semua.",)
    return ()


def _ending_doubts(digits: str, was_number: bool) -> list[str]:
    """A sheet keeps 15 digits of a number and makes the sixteenth 0. One typed number in ten ends in 0 as well."""
    if was_number and digits.endswith("0"):
        return [_LAST_DIGIT_LOST.format("NIK")]
    if digits.endswith("0000"):
        return ["Nomor urut NIK 0000 tidak lazim; mungkin angka terakhir hilang."]
    return ["Angka terakhir NIK 0; bila disalin dari Excel, cocokkan dengan KTP."] if digits.endswith("00") else []


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
