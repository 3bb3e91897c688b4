"""A date in words, as minutes of an office write it. The one adapter of lokal's spelling of numbers."""

from __future__ import annotations

from datetime import date

_DAYS = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")
_MONTHS = (
    "Januari", "Februari", "Maret", "April", "Mei", "Juni",
    "Juli", "Agustus", "September", "Oktober", "November", "Desember",
)  # fmt: skip


def day_in_words(day: date) -> str:
    """ "Rabu tanggal dua puluh lima bulan November tahun dua ribu dua puluh enam"."""
    written, year = number_in_words(day.day), number_in_words(day.year)
    return f"{_DAYS[day.weekday()]} tanggal {written} bulan {_MONTHS[day.month - 1]} tahun {year}"


def long_day(day: date) -> str:
    """ "21 November 2026"."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def number_in_words(number: int) -> str:
    """12 is "dua belas"."""
    # Not at the top: its other parts take a tenth of a second of every command and daemon to load.
    from lokal import terbilang

    return str(terbilang(number)).strip()
