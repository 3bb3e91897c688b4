"""The rules of handing villages over. Pure: they know values only.

An assignment for a subdistrict of which one village is given away becomes one for its other villages.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence


def covered(area_codes: Iterable[str], village_code: str) -> bool:
    """Whether one of the areas is the village or lies above it."""
    return any(village_code == area or village_code.startswith(f"{area}.") for area in area_codes)


def without(area_codes: Sequence[str], given: Collection[str], villages: Iterable[str]) -> list[str]:
    """The areas that are left when the villages `given` are taken away; `villages` are all of the district.

    An area above one of them is written out as its other villages; what has nothing to do with them stays as it is.
    """
    known = list(villages)
    kept: list[str] = []
    for area in area_codes:
        if not any(covered([area], village) for village in given):
            kept.append(area)
        elif area not in given:
            kept += [village for village in known if covered([area], village) and village not in given]
    return list(dict.fromkeys(kept))


def fingerprint(cases: Iterable[tuple[str, str]]) -> str:
    """A short mark of (identifier, state) pairs: two lists have the same one only when they are the same, in any order."""
    text = "\n".join(f"{case} {state}" for case, state in sorted(cases))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
