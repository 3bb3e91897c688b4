"""Passphrases that a person can copy from paper: groups of Crockford's base 32, each with a character that finds a slip.

28 characters carry 140 bits. The check of a group depends on its place, so that swapped groups are found too. What is not written
in this form (an older passphrase) is taken as it stands.
"""

from __future__ import annotations

import secrets

from backups.errors import WrongPassphrase

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
GROUPS, DATA = 7, 4
LOOKALIKES = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None, "\t": None, "\n": None})
LAST_GROUPS = 2


def generate() -> str:
    """A new passphrase in groups, such as `7KQ2M-…`."""
    return "-".join(_group("".join(secrets.choice(ALPHABET) for _ in range(DATA)), place) for place in range(GROUPS))


def read_typed(text: str) -> str:
    """The passphrase that somebody typed. Raises WrongPassphrase that names the group with a slip."""
    plain = text.strip().upper().translate(LOOKALIKES)
    if len(plain) != GROUPS * (DATA + 1) or not set(plain) <= set(ALPHABET):
        return text.strip()
    groups = [plain[start : start + DATA + 1] for start in range(0, len(plain), DATA + 1)]
    wrong = [str(place + 1) for place, group in enumerate(groups) if _group(group[:DATA], place) != group]
    if wrong:
        raise WrongPassphrase(
            f"Kata sandi salah ketik pada kelompok ke-{', '.join(wrong)}.", "Bandingkan kelompok itu dengan lembar pemulihan."
        )
    return "-".join(groups)


def groups_of(passphrase: str) -> list[str]:
    """The groups in which a passphrase is printed, also an older one."""
    if "-" in passphrase:
        return passphrase.split("-")
    return [passphrase[start : start + DATA] for start in range(0, len(passphrase), DATA)]


def last_groups(passphrase: str) -> str:
    """What a person types back to show that the paper is at hand, without what does not matter."""
    return "".join(groups_of(passphrase)[-LAST_GROUPS:]).upper().translate(LOOKALIKES)


def _group(data: str, place: int) -> str:
    """The characters with their check: a polynomial over GF(32), which any one changed or two swapped characters change."""
    total = place + 1
    for character in data:
        total = _times_two(total) ^ ALPHABET.index(character)
    return data + ALPHABET[_times_two(total)]


def _times_two(value: int) -> int:
    """Times the generator of GF(32), modulo x^5 + x^2 + 1."""
    doubled = value << 1
    return doubled ^ 0b100101 if doubled & 0b100000 else doubled
