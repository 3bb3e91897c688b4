"""Telephone numbers: typed as 08…, stored as +62…, shown as 0812-3456-7890.

Pure, and the one place that knows the library for it. A number of no known prefix is stored all the same: they change often.
"""

from __future__ import annotations

import re

# What comes with numbers that were copied from a message or a sheet.
_AROUND = re.compile(r"^\s*(?:(?:wa|hp|telp|tlp|no)\b[\s.:]*)*|[\u200b-\u200f\u2060\ufeff\u00ad\u202a-\u202e']", re.IGNORECASE)

_WRITTEN = re.compile(r"\+?[\d\s().\-/]+")
# Of digits: half a number is worth looking for, and none is longer than the world's numbers are.
SHORTEST, LONGEST = 7, 15


def to_stored(text: str) -> str | None:
    """The number as it is stored and compared ("+6281234567890"); None when it cannot be a number of Indonesia. Idempotent."""
    if not text.strip():
        return None
    # Not at the top: its other parts take a tenth of a second of every command and daemon to load.
    from lokal import normalize_phone

    return normalize_phone(_AROUND.sub("", text).strip())


def search_key(text: str) -> str:
    """What a number is found by: its digits with the national 0 in front, however it is written or stored.

    "" for what cannot be a telephone number; half a number is the beginning of the key of the whole one. Idempotent.
    """
    if not _WRITTEN.fullmatch(_AROUND.sub("", text).strip()):
        return ""
    digits = re.sub(r"\D", "", text).removeprefix("00")
    if digits.startswith(("62", "8")):
        digits = f"0{digits.removeprefix('62').removeprefix('0')}"
    return digits if SHORTEST <= len(digits) <= LONGEST and digits.startswith("0") else ""


def stored_key(key: str) -> str:
    """How numbers that have this `search_key` begin as they are stored."""
    return f"+62{key.removeprefix('0')}"


def problem_of(text: str) -> str | None:
    """Why `text` cannot be stored as a telephone number, as a sentence; None when it can, or when it is empty."""
    if not text.strip() or to_stored(text):
        return None
    return "Nomor telepon tidak terbaca. Tulis satu nomor, contoh 0812-3456-7890 atau 0413-21000."


def shown(number: str) -> str:
    """A stored number as people read it. What was stored before numbers were checked is shown as it is."""
    if not number:
        return ""
    from lokal import parse_phone

    found = parse_phone(number)
    national = found.national or number
    # The library names big cities' area codes only; all others have four digits.
    return f"{national[:4]}-{national[4:]}" if found.type == "landline" and national.isdigit() else national


def phone_key(text: str) -> str:
    """The number as it is searched: digits with the national 0 in front; "" for what cannot be a telephone number. Idempotent."""
    stored = to_stored(text)
    return f"0{stored.removeprefix('+62')}" if stored else ""
