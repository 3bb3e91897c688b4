"""Which villages lie in somebody's areas."""

from __future__ import annotations

import pytest

from appliance.access import Actor, require, require_area
from appliance.errors import NotAllowed
from appliance.models.roles import Role


def actor(*areas: str) -> Actor:
    return Actor("a", "Sari", "fo.sari", frozenset({Role.FO}), areas)


@pytest.mark.parametrize(
    ("areas", "village", "covered"),
    [
        (("73.03",), "73.03.01.1001", True),
        (("73.03.01.1001",), "73.03.01.1001", True),
        (("73.03.01.1001", "73.03.02.1001"), "73.03.02.1001", True),
        (("73.03.01.1001",), "73.03.01.1002", False),
        (("73.03.01.100",), "73.03.01.1001", False),  # a code is no prefix of letters
        (("73.0",), "73.03.01.1001", False),
        ((), "73.03.01.1001", False),
    ],
)
def test_an_area_stands_for_itself_and_what_is_below(areas: tuple[str, ...], village: str, covered: bool) -> None:
    assert actor(*areas).covers(village) is covered
    if not covered:
        with pytest.raises(NotAllowed):
            require_area(actor(*areas), village)


def test_a_role_is_required() -> None:
    require(actor(), Role.BO, Role.FO)
    with pytest.raises(NotAllowed):
        require(actor(), Role.BO)
