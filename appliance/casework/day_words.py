"""A date in words, as minutes of an office write it. The one adapter of lokal's spelling of numbers."""

from __future__ import annotations

from datetime import date

from lokal import terbilang

_DAYS = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")
_MONTHS = (
    "Januari", "Februari", "Maret", "April", "Mei", "Juni",
    "Juli", "Agustus", "September", "Oktober", "November", "Desember",
)  # fmt: skip


def day_in_words(day: date) -> str:
    """ "Rabu tanggal dua puluh lima bulan November tahun dua ribu dua puluh enam"."""
    return (
        f"{_DAYS[day.weekday()]} tanggal {terbilang(day.day)} bulan {_MONTHS[day.month - 1]} tahun {terbilang(day.year)}".strip()
    )
