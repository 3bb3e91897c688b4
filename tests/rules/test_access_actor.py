"""What a person may do, and where: a right holds in the areas of the assignment that gives it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.access import AREA_ROLES, CONFIDENTIAL_ROLES, HEALTH_ROLES, REGISTRAR_ROLES, Actor, Grant, require, require_area
from appliance.errors import NotAllowed
from appliance.models.roles import Role

HERE, THERE, ELSEWHERE = "73.03.01.1001", "73.03.06.2001", "51.71.01.1001"


def actor(*areas: str) -> Actor:
    return Actor("a", "Sari", "fo.sari", frozenset({Role.FO}), areas)


def holding(*grants: Grant) -> Actor:
    return Actor.holding("a", "Nur", "nur", grants)


BOTH = holding(Grant(Role.FASILITATOR, (HERE,)), Grant(Role.SUPERVISOR, ("73.03.06",)))


@pytest.mark.parametrize(
    ("areas", "village", "covered"),
    [
        (("73.03",), "73.03.01.1001", True),
        (("73.03.01",), "73.03.01.1001", True),
        (("73.03.01.1001",), "73.03.01.1001", True),
        (("73.03.01.1001", "73.03.06"), "73.03.06.2001", True),
        (("73.03.01",), "73.03.06.2001", False),
        (("73.03.0",), "73.03.01.1001", False),
        (("73.03.01.1001",), "73.03.01", False),
        ((), "73.03.01.1001", False),
    ],
)
def test_an_area_stands_for_what_lies_below_it(areas: tuple[str, ...], village: str, covered: bool) -> None:
    assert actor(*areas).covers(village) is covered
    if not covered:
        with pytest.raises(NotAllowed):
            require_area(actor(*areas), village)


def test_one_of_the_roles_is_enough() -> None:
    require(actor(), Role.BO, Role.FO)
    with pytest.raises(NotAllowed):
        require(actor(), Role.BO)


@pytest.mark.parametrize(
    ("village", "roles", "registers", "confidential", "health"),
    [
        (HERE, {Role.FASILITATOR}, True, False, True),
        (THERE, {Role.SUPERVISOR}, False, True, True),
        (ELSEWHERE, set(), False, False, False),
    ],
)
def test_two_roles_in_two_places_are_not_both_roles_in_both_places(
    village: str, roles: set[Role], registers: bool, confidential: bool, health: bool
) -> None:
    assert BOTH.roles_in(village) == roles
    assert BOTH.has_in(village, *REGISTRAR_ROLES) is registers
    assert BOTH.has_in(village, *CONFIDENTIAL_ROLES) is confidential
    assert BOTH.has_in(village, *HEALTH_ROLES) is health
    if registers:
        require_area(BOTH, village, *REGISTRAR_ROLES)
    else:
        with pytest.raises(NotAllowed):
            require_area(BOTH, village, *REGISTRAR_ROLES)


def test_the_grants_are_summed_up() -> None:
    assert (BOTH.roles, BOTH.areas) == ({Role.FASILITATOR, Role.SUPERVISOR}, (HERE, "73.03.06"))
    assert BOTH.has(Role.SUPERVISOR)
    assert BOTH.covers(HERE)
    assert BOTH.covers(THERE)


@pytest.mark.parametrize(
    ("grants", "areas"),
    [
        ((Grant(Role.BO, (HERE,)), Grant(Role.FO, ("73.03",))), ("73.03",)),
        ((Grant(Role.BO, (HERE, "73.03.01")),), ("73.03.01",)),
        ((Grant(Role.ADMIN, ("73.03",)), Grant(Role.FASILITATOR, (HERE,))), (HERE,)),
        ((Grant(Role.OPD, ("73.03",), "dinkes"),), ()),
    ],
)
def test_areas_of_roles_leave_out_what_lies_in_another(grants: tuple[Grant, ...], areas: tuple[str, ...]) -> None:
    assert holding(*grants).areas_of(AREA_ROLES) == areas


def test_she_speaks_for_the_organisations_of_her_opd_assignments_alone() -> None:
    her = holding(Grant(Role.OPD, (), "dinkes"), Grant(Role.KOORDINATOR_PUSKESOS, (HERE,), "puskesos"))
    assert her.speaks_for("dinkes")
    assert not her.speaks_for("puskesos")
    assert her.unit_id == "dinkes"


def test_without_grants_every_role_holds_in_every_area() -> None:
    her = Actor("a", "Sari", "sari", frozenset({Role.FO, Role.BO}), (HERE, THERE), "unit")
    assert her.grants == (Grant(Role.BO, (HERE, THERE), "unit"), Grant(Role.FO, (HERE, THERE), "unit"))


def test_a_part_of_an_actor_is_not_changed_behind_the_grants() -> None:
    with pytest.raises(ValueError, match="grants"):
        replace(BOTH, areas=("73.03",))
    with pytest.raises(ValueError, match="grants"):
        replace(BOTH, roles=frozenset({Role.ADMIN}))
