"""Which village a row means: by a Kemendagri or BPS code, or by its name within the district, with its subdistrict if need be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from appliance.registry.area_codes import VILLAGE_DIGITS, area_of_bps, current_code
from appliance.registry.areas import active_villages, plain_name

BPS_WIDTHS = (("bps_province", 2), ("bps_district", 2), ("bps_subdistrict", 3), ("village", 3))


class Villages:
    """The villages of the node's district, read once. `chosen` is where rows belong that name none."""

    def __init__(self, chosen: str) -> None:
        known = active_villages()
        self._chosen = chosen
        self._codes = {village.code.replace(".", ""): village.code for village in known}
        self._named: dict[str, list[tuple[str, str]]] = {}
        for village in known:
            self._named.setdefault(plain_name(village.name), []).append((plain_name(village.subdistrict), village.code))
        self._seen: dict[tuple[str, str], str | None] = {}

    def village_of(self, values: Mapping[str, Any]) -> str | None:
        """The code of the village; None when it cannot be told."""
        text, subdistrict = str(values.get("village") or ""), str(values.get("subdistrict") or "")
        if text and "bps_province" in values:
            parts = [(str(values.get(key) or ""), width) for key, width in BPS_WIDTHS]
            if all(part.isdigit() for part, _ in parts):
                text = "".join(part.zfill(width) for part, width in parts)
        if not text:
            return self._chosen or None
        if (text, subdistrict) not in self._seen:
            self._seen[text, subdistrict] = self._find(text, subdistrict)
        return self._seen[text, subdistrict]

    def _find(self, text: str, subdistrict: str) -> str | None:
        digits = re.sub(r"[\s.\-]", "", text)
        if digits.isdigit():
            return self._codes.get(digits) or area_of_bps(digits) or self._formerly(digits)
        within = plain_name(re.sub(r"^(kec\.|kecamatan)\s+", "", subdistrict, flags=re.IGNORECASE))
        bare = plain_name(re.sub(r"^(ds\.?|desa|kel\.?|kelurahan)\s+", "", text, flags=re.IGNORECASE))
        named = self._named.get(bare, [])
        if within and len(named) > 1:
            named = [one for one in named if one[0] == within]
        if any(code == self._chosen for _, code in named):
            return self._chosen
        return named[0][1] if len(named) == 1 else None

    def _formerly(self, digits: str) -> str | None:
        """The village of today for a Kemendagri code that holds no longer; None where the old one was split, or still waits."""
        now = (
            current_code(".".join((digits[:2], digits[2:4], digits[4:6], digits[6:]))) if len(digits) == VILLAGE_DIGITS else None
        )
        return now if now in self._codes.values() else None
