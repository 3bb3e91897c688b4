"""Who may see what: the person who acts, and the one scope function that every list, search, count and fetch goes through.

What is outside the scope does not exist for the reader: services answer NotFound, as for a thing that never was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVarTuple

import sqlalchemy as sa

from appliance.database import begins_with
from appliance.errors import NotAllowed
from appliance.models.case import Case, Referral
from appliance.models.duplicate import DuplicateCandidate
from appliance.models.person import Family, Person, PersonWord
from appliance.models.roles import Role

Columns = TypeVarTuple("Columns")

# Roles that read the cases and people of their areas.
AREA_ROLES = frozenset(Role) - {Role.OPD, Role.ADMIN, Role.PELATIH}
# Of these, the roles that also read what is confidential; anybody else only what she wrote herself.
CONFIDENTIAL_ROLES = frozenset({Role.MANAJER, Role.SUPERVISOR, Role.BO})
# Roles that register people and open cases.
REGISTRAR_ROLES = frozenset({Role.FASILITATOR, Role.FO, Role.FO_PUSKESOS})
# Roles that read disability and illness.
HEALTH_ROLES = frozenset({Role.FASILITATOR, Role.SUPERVISOR, Role.MANAJER, Role.BO})


@dataclass(frozen=True)
class Actor:
    """The person who acts, built from the assignments valid today.

    `areas` are Kemendagri codes, each standing for itself and everything below it; `unit_id` is the organisation of an
    assignment; `device` names the browser or tablet ("" for a command).
    """

    account_id: str
    name: str
    username: str
    roles: frozenset[Role]
    areas: tuple[str, ...] = ()
    unit_id: str | None = None
    device: str = ""

    def has(self, *roles: Role) -> bool:
        """Whether she holds one of `roles`."""
        return not self.roles.isdisjoint(roles)

    def covers(self, village_code: str) -> bool:
        """Whether the village lies in one of her areas."""
        return any(village_code == area or village_code.startswith(f"{area}.") for area in self.areas)


def scope(statement: sa.Select[*Columns], table: type[Any], by: Actor) -> sa.Select[*Columns]:
    """`statement` narrowed to the rows of `table` (of people, cases, referrals or pairs of people) that `by` may see.

    Raises TypeError for any other table: what has no rule is not readable through here.
    """
    if table in (Person, PersonWord, Family):
        return statement.where(_in_areas(table.village_code, by))
    if table is Case:
        return statement.where(_in_areas(Case.village_code, by), _not_too_confidential(by))
    if table is Referral:
        return statement.where(sa.or_(_addressed_to(by), Referral.case_id.in_(scope(sa.select(Case.id), Case, by))))
    if table is DuplicateCandidate:
        return statement.where(_in_areas(table.village_code, by), _in_areas(table.other_village_code, by))
    raise TypeError(f"no scope rule for {table.__name__}")


def require(by: Actor, *roles: Role) -> None:
    """Raises NotAllowed unless `by` holds one of `roles`."""
    if not by.has(*roles):
        raise NotAllowed("Peran Anda tidak boleh melakukan ini.", "Minta petugas yang berwenang, atau hubungi admin.")


def require_area(by: Actor, village_code: str) -> None:
    """Raises NotAllowed unless the village lies in one of her areas."""
    if not by.covers(village_code):
        raise NotAllowed("Desa/kelurahan itu di luar wilayah tugas Anda.", "Pilih desa/kelurahan di wilayah Anda.")


def _in_areas(column: Any, by: Actor) -> sa.ColumnElement[bool]:
    if by.roles.isdisjoint(AREA_ROLES) or not by.areas:
        return sa.false()
    return sa.or_(*(sa.or_(column == area, begins_with(column, f"{area}.")) for area in by.areas))


def _not_too_confidential(by: Actor) -> sa.ColumnElement[bool]:
    if by.has(*CONFIDENTIAL_ROLES):
        return sa.true()
    return sa.or_(Case.confidential.is_(False), Case.created_by == by.account_id)


def _addressed_to(by: Actor) -> sa.ColumnElement[bool]:
    if not by.has(Role.OPD) or by.unit_id is None:
        return sa.false()
    # A draft is still the back office's own paper.
    return sa.and_(Referral.unit_id == by.unit_id, Referral.sent_at.is_not(None))
