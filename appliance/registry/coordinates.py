"""Latitude and longitude, in degrees. Pure."""

from __future__ import annotations


def place_problems(latitude: float | None, longitude: float | None) -> dict[str, str]:
    """What is wrong with a place, by the name of the field; nothing for no place at all."""
    problems = {}
    if (latitude is None) != (longitude is None):
        problems["latitude"] = "Isi lintang dan bujur, atau kosongkan keduanya."
    # The islands of Indonesia lie within these.
    if latitude is not None and not -11.5 <= latitude <= 6.5:
        problems["latitude"] = "Lintang di luar Indonesia (antara -11,5 dan 6,5)."
    if longitude is not None and not 94.5 <= longitude <= 141.5:
        problems["longitude"] = "Bujur di luar Indonesia (antara 94,5 dan 141,5)."
    return problems
