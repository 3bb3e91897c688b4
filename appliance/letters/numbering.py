"""How a letter's number is written: the office's own pattern, checked before it is used. Pure."""

from __future__ import annotations

import re
from datetime import date

USUAL = "{kode}/{n:3}/SLRT/{bulan}/{tahun}"
MOST_DIGITS = 6
_MONTHS = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")
_FIELD = re.compile(r"\{([^{}]*)\}")
_COUNT = re.compile(rf"n(?::([1-{MOST_DIGITS}]))?")
_WORDS = ("kode", "bulan", "tahun")


def problem_of(pattern: str) -> str | None:
    """What is wrong with a pattern such as "400.9/{n:3}/409.XX/{tahun}", or None."""
    if not pattern.strip() or len(pattern) > 60:
        return "Tulis pola nomor, paling banyak 60 huruf, contoh 400.9/{n:3}/409.XX/{tahun}."
    fields = _FIELD.findall(pattern)
    unknown = [field for field in fields if field not in _WORDS and not _COUNT.fullmatch(field)]
    if unknown or "{" in _FIELD.sub("", pattern) or "}" in _FIELD.sub("", pattern):
        found = unknown[0] if unknown else "kurung kurawal"
        return f"“{found}” tidak dikenal; yang boleh: {{n}}, {{n:3}}, {{kode}}, {{bulan}}, {{tahun}}."
    if sum(bool(_COUNT.fullmatch(field)) for field in fields) != 1:
        return "Pola harus memuat nomor urut {n} tepat satu kali."
    if "tahun" not in fields:
        return "Pola harus memuat {tahun}, karena nomor urut mulai lagi dari 1 setiap tahun."
    return None


def written(pattern: str, count: int, classification: str, day: date) -> str:
    """The number: `count` filled with zeros as the pattern asks, the month in Roman figures."""

    def value(found: re.Match[str]) -> str:
        word = found[1]
        digits = _COUNT.fullmatch(word)
        if digits:
            return str(count).zfill(int(digits[1] or 1))
        return {"kode": classification, "bulan": _MONTHS[day.month - 1], "tahun": str(day.year)}[word]

    return _FIELD.sub(value, pattern)
