"""When a night's search begins, and which people of a village are compared."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from appliance.registry.duplicate_night import last_due, likest
from appliance.registry.likeness import Identity, compare, identity

ZONE = ZoneInfo("Asia/Makassar")
HOME = "73.03.01.1001"


@pytest.mark.parametrize(
    ("backup", "local", "due"),
    [
        ("22:00", "2026-11-20 23:00", "2026-11-20 23:00"),
        ("22:00", "2026-11-20 22:59", "2026-11-19 23:00"),
        ("22:00", "2026-11-21 09:00", "2026-11-20 23:00"),
        ("23:30", "2026-11-21 00:29", "2026-11-20 00:30"),
        ("23:30", "2026-11-21 00:30", "2026-11-21 00:30"),
        ("00:00", "2026-11-21 00:30", "2026-11-20 01:00"),
    ],
)
def test_the_night_begins_an_hour_after_the_backup(backup: str, local: str, due: str) -> None:
    def moment(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=ZONE)

    assert last_due(moment(local).astimezone(UTC), time.fromisoformat(backup), ZONE) == moment(due)


def someone(name: str, born: date | None = date(1980, 3, 5), **rest: str) -> Identity:
    return identity(name, sex="P", village_code=HOME, birth_date=born, **rest)


def test_what_the_rules_find_alike_is_compared() -> None:
    """The keys must not part what `compare` would bring together."""
    nik = "7303014503800001"
    pairs = [
        (someone("Siti Rahmawati"), someone("St. Rahmahwati")),
        (someone("Fatimah"), someone("Patimah")),
        (someone("Hasnah Daeng Bau"), someone("Hasna Bau", date(1980, 5, 3))),
        (someone("Rosmini Lallo"), someone("Rosmini Lallo", None)),
        (someone("Kasmawati Lestari"), someone("Kasmawati Lestari", date(1980, 1, 1))),
        (someone("Jumriah", None, nik=nik), someone("Jumriah", None, nik="7308014503800001")),
        (someone("Suriani", None, nik="7303015011700009"), someone("Suryani", None, nik="7303015011700006")),
        (someone("Nuraeni", None, card="7303010101100001"), someone("Nur Aeni", None, card="7303010101100001")),
    ]
    known = {f"{number}{side}": one for number, pair in enumerate(pairs) for side, one in zip("ab", pair, strict=True)}
    found = {(first, second) for first, second, _ in likest(known)}
    assert {(f"{number}a", f"{number}b") for number in range(len(pairs))} <= found
    assert all(compare(known[first], known[second]) for first, second in found)


def test_a_default_date_of_birth_makes_no_crowd_of_pairs() -> None:
    """A thousand people who were born on the first of July, as far as the papers know: two of them are one."""
    names = [f"{first}{last}" for first in ("Bado", "Calla", "Desi", "Gau", "Kanang") for last in range(1000, 1200)]
    known = {name: someone(name, date(1970, 7, 1)) for name in names}
    known |= {"x": someone("Zubaidah Lallo", date(1970, 7, 1)), "y": someone("Subaidah Lallo", date(1970, 7, 1))}
    found = likest(known)
    assert ("x", "y") in {(first, second) for first, second, _ in found}
