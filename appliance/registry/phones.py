"""Telephone numbers as they are compared: "+62 812-3456-789", "62812…" and "0812 3456 789" are one number. Pure."""

from __future__ import annotations

import re

SHORTEST, LONGEST = 7, 15
_WRITTEN = re.compile(r"\+?[\d\s().\-/]+")


def phone_key(text: str) -> str:
    """The digits with the national 0 in front; "" for what cannot be a telephone number. Idempotent."""
    if not _WRITTEN.fullmatch(text.strip()):
        return ""
    digits = re.sub(r"\D", "", text)
    if digits.startswith("0062"):
        digits = digits[2:]
    if digits.startswith("62"):
        digits = digits[2:]
        digits = digits if digits.startswith("0") else f"0{digits}"
    elif digits.startswith("8"):
        digits = f"0{digits}"
    return digits if SHORTEST <= len(digits) <= LONGEST and digits.startswith("0") else ""
