"""Numbers as Indonesians write them: 1.250.340 and 63,4."""

from __future__ import annotations

SWAPPED = str.maketrans(",.", ".,")


def decimal(number: float, places: int = 1) -> str:
    """With so many places behind the comma, and a point at each thousand."""
    return f"{number:,.{places}f}".translate(SWAPPED)


def whole(number: int) -> str:
    """A number of things."""
    return decimal(number, 0)


def megabytes(size: int) -> str:
    """Bytes in MB."""
    return f"{decimal(size / 1e6)} MB"


def gigabytes(size: int) -> str:
    """Bytes in GB."""
    return f"{decimal(size / 1e9)} GB"
