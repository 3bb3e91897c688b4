"""Who may see what: the person who acts, and the one scope function that every list, search, count and fetch goes through.

A right holds where the assignment that gives it holds: two roles in two places are not both roles in both places.
What is outside the scope does not exist for the reader: services answer NotFound, as for a thing that never was.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVarTuple

import sqlalchemy as sa

from appliance.database import HIGHEST, one_of
from appliance.errors import NotAllowed
from appliance.models.area import CODE_LENGTH
from appliance.models.case import Case, Referral
from appliance.models.duplicate import DuplicateCandidate
from appliance.models.imports import Import
from appliance.models.letter import Letter, LetterCase
from appliance.models.person import Family, Person, PersonWord
from appliance.models.proposal import Proposal, ProposalBasis
from appliance.models.roles import Role
from appliance.models.states import SHOWN_TO_RECEIVER, VisitState
from appliance.models.visit import Visit

Columns = TypeVarTuple("Columns")

# Roles that read the cases and people of their areas.
AREA_ROLES = frozenset(Role) - {Role.OPD, Role.ADMIN, Role.PELATIH}
# Of these, the roles that also read what is confidential; anybody else only what she wrote herself, was handed, or is to visit.
CONFIDENTIAL_ROLES = frozenset({Role.MANAJER, Role.SUPERVISOR, Role.BO})
# Roles that register people and open cases.
REGISTRAR_ROLES = frozenset({Role.FASILITATOR, Role.FO, Role.FO_PUSKESOS})
# Roles that bring whole lists into the registry.
IMPORT_ROLES = frozenset({Role.BO, Role.SUPERVISOR, Role.MANAJER, Role.KOORDINATOR_PUSKESOS})
SUPERVISORS = frozenset({Role.SUPERVISOR, Role.MANAJER, Role.KOORDINATOR_PUSKESOS})
# Roles that correct people and families, and note what happened to them.
EDITOR_ROLES = REGISTRAR_ROLES | {Role.SUPERVISOR, Role.BO}
# Roles that may see a whole NIK or card number, with a reason: whoever handles papers, not who only signs or watches.
REVEAL_ROLES = AREA_ROLES - {Role.PIMPINAN, Role.PENANDATANGAN}
# Roles that decide who is registered twice, and merge.
DECIDER_ROLES = frozenset({Role.SUPERVISOR, Role.MANAJER})
# Roles that read disability and illness.
HEALTH_ROLES = frozenset({Role.FASILITATOR, Role.SUPERVISOR, Role.MANAJER, Role.BO})
# Roles that take lists of people out of the system, and of these the roles whose lists may hold whole NIK and KK numbers.
EXPORT_ROLES = frozenset({Role.MANAJER, Role.SUPERVISOR, Role.BO, Role.KOORDINATOR_PUSKESOS, Role.PIMPINAN})
EXPORT_WHOLE_ROLES = frozenset({Role.MANAJER, Role.SUPERVISOR, Role.BO})
# Of so many villages what happened there is gathered and sorted; of more, everything is walked from the newest.
FEW_VILLAGES = 4
# Roles that choose the columns of those lists for the whole office.
LAYOUT_ROLES = frozenset({Role.MANAJER})
_VISITING = (VisitState.PLANNED, VisitState.REPORTED, VisitState.RETURNED)


@dataclass(frozen=True)
class Grant:
    """What one assignment gives: a role, where it holds, and for which organisation.

    `areas` are Kemendagri codes, each standing for itself and everything below it.
    """

    role: Role
    areas: tuple[str, ...] = ()
    unit_id: str | None = None

    def covers(self, code: str) -> bool:
        """Whether the area lies in one of these."""
        return any(code == area or code.startswith(f"{area}.") for area in self.areas)


@dataclass(frozen=True)
class Actor:
    """The person who acts, built from the assignments valid today; `device` names the browser or tablet ("" for a command).

    Her rights are the `grants`. Without any, she has each of `roles` in all `areas` for `unit_id`; with them, these three
    sum the grants up (`Actor.holding`) and say nothing about which role holds where.
    """

    account_id: str
    name: str
    username: str
    roles: frozenset[Role]
    areas: tuple[str, ...] = ()
    unit_id: str | None = None
    device: str = ""
    grants: tuple[Grant, ...] = ()

    def __post_init__(self) -> None:
        if not self.grants:
            grants = tuple(Grant(role, tuple(self.areas), self.unit_id) for role in sorted(self.roles))
            object.__setattr__(self, "grants", grants)
        if self.roles != {grant.role for grant in self.grants} or (self.roles and set(self.areas) != self._all_areas()):
            raise ValueError("roles and areas are not those of the grants; make a new Actor instead of changing a part of one")

    @classmethod
    def holding(cls, account_id: str, name: str, username: str, grants: Iterable[Grant], device: str = "") -> Actor:
        """Somebody with exactly these grants."""
        grants = tuple(grants)
        # The organisation she speaks for: that of an OPD officer first.
        units = sorted((grant.role != Role.OPD, grant.unit_id) for grant in grants if grant.unit_id)
        return cls(
            account_id,
            name,
            username,
            roles=frozenset(grant.role for grant in grants),
            areas=tuple(sorted({area for grant in grants for area in grant.areas})),
            unit_id=units[0][1] if units else None,
            device=device,
            grants=grants,
        )

    def has(self, *roles: Role) -> bool:
        """Whether she holds one of `roles` anywhere."""
        return not self.roles.isdisjoint(roles)

    def roles_in(self, code: str) -> frozenset[Role]:
        """The roles she holds in a village or another area."""
        return frozenset(grant.role for grant in self.grants if grant.covers(code))

    def has_in(self, code: str, *roles: Role) -> bool:
        """Whether she holds one of `roles` in a village or another area."""
        return any(grant.role in roles and grant.covers(code) for grant in self.grants)

    def covers(self, code: str) -> bool:
        """Whether the area lies in one of hers, whatever her role is there."""
        return any(grant.covers(code) for grant in self.grants)

    def areas_of(self, roles: Iterable[Role]) -> tuple[str, ...]:
        """The areas in which she holds one of `roles`, without those that lie in another of them."""
        held = {area for grant in self.grants if grant.role in roles for area in grant.areas}
        return tuple(sorted(area for area in held if not any(area.startswith(f"{other}.") for other in held)))

    def speaks_for(self, unit_id: str) -> bool:
        """Whether she answers referrals for this organisation."""
        return any(grant.role is Role.OPD and grant.unit_id == unit_id for grant in self.grants)

    def _all_areas(self) -> set[str]:
        return {area for grant in self.grants for area in grant.areas}


def scope(statement: sa.Select[*Columns], table: type[Any], by: Actor) -> sa.Select[*Columns]:
    """`statement` narrowed to the rows of `table` (people, pairs of them, cases, referrals, letters, imports, proposals) that `by` may see.

    Raises TypeError for any other table: what has no rule is not readable through here.
    """
    if table in (Person, PersonWord, Family, Proposal, ProposalBasis):
        return statement.where(in_areas(table.village_code, by.areas_of(AREA_ROLES)))
    if table is Case:
        return statement.where(in_areas(Case.village_code, by.areas_of(AREA_ROLES)), _not_too_confidential(by))
    if table is Referral:
        return statement.where(sa.or_(_addressed_to(by), _of_seen_case(Referral.case_id, by)))
    if table is Letter:
        # A letter that names people of several villages is for those who work in all of them.
        here = in_areas(Letter.area_code, by.areas_of(AREA_ROLES))
        cases = sa.and_(here, _of_seen_case(Letter.case_id, by), _names_nobody_hidden(by))
        return statement.where(sa.or_(cases, _laid_before(by), _sent_with_referral(by)))
    if table is Import:
        # Her own, and those into villages that she supervises: somebody must go on when she is ill.
        return statement.where(
            sa.or_(Import.created_by == by.account_id, in_areas(Import.village_code, by.areas_of(SUPERVISORS)))
        )
    if table is DuplicateCandidate:
        areas = by.areas_of(DECIDER_ROLES)
        return statement.where(in_areas(table.village_code, areas), in_areas(table.other_village_code, areas))
    raise TypeError(f"no scope rule for {table.__name__}")


def scope_of_one_side(statement: sa.Select[*Columns], by: Actor) -> sa.Select[*Columns]:
    """`statement` narrowed to the pairs of people of whom `by` decides about exactly one: the other is shown veiled."""
    first, second = (
        in_areas(column, by.areas_of(DECIDER_ROLES))
        for column in (DuplicateCandidate.village_code, DuplicateCandidate.other_village_code)
    )
    return statement.where(sa.or_(sa.and_(first, sa.not_(second)), sa.and_(second, sa.not_(first))))


def require(by: Actor, *roles: Role) -> None:
    """Raises NotAllowed unless `by` holds one of `roles`."""
    if not by.has(*roles):
        raise NotAllowed("Peran Anda tidak boleh melakukan ini.", "Minta petugas yang berwenang, atau hubungi admin.")


def require_area(by: Actor, village_code: str, *roles: Role) -> None:
    """Raises NotAllowed unless the village lies in an area where she holds one of `roles`, or any role when none is named."""
    if not (by.has_in(village_code, *roles) if roles else by.covers(village_code)):
        raise NotAllowed("Desa/kelurahan itu di luar wilayah tugas Anda.", "Pilih desa/kelurahan di wilayah Anda.")


def in_areas(column: Any, areas: Iterable[str]) -> sa.ColumnElement[bool]:
    """Whether the code in `column` is one of `areas` or lies below one, in the form that an index answers at once.

    A list of villages is one look-up each, an area above them one range; only of several ranges a query must make a union.
    """
    areas = sorted(areas)
    villages = [area for area in areas if len(area) == CODE_LENGTH]
    # What lies below an area goes on with a dot: no other code stands between the area and the last of these.
    ranges = [sa.and_(column >= area, column < f"{area}.{HIGHEST}") for area in areas if len(area) < CODE_LENGTH]
    return sa.or_(sa.false(), *([one_of(column, villages)] if villages else []), *ranges)


def _not_too_confidential(by: Actor) -> sa.ColumnElement[bool]:
    trusted = by.areas_of(CONFIDENTIAL_ROLES)
    if trusted == by.areas_of(AREA_ROLES):
        return sa.true()
    return sa.or_(
        Case.confidential.is_(False),
        Case.created_by == by.account_id,
        Case.owner_id == by.account_id,
        in_areas(Case.village_code, trusted),
        Case.id.in_(sa.select(Visit.case_id).where(Visit.visitor_id == by.account_id, Visit.state.in_(_VISITING))),
    )


def few_villages(by: Actor) -> tuple[str, ...]:
    """The villages whose cases she reads, when she reads those of a few villages and no more; else nothing."""
    areas = by.areas_of(AREA_ROLES)
    return areas if len(areas) <= FEW_VILLAGES and all(len(area) == CODE_LENGTH for area in areas) else ()


def _of_seen_case(case_id: Any, by: Actor) -> sa.ColumnElement[bool]:
    """Whether she sees the case with this identifier; asked of row after row, for a list of all her cases may be a million."""
    if not by.areas_of(AREA_ROLES):
        return sa.false()
    return scope(sa.select(Case.id).where(Case.id == case_id), Case, by).exists()


def knows_reporter(case: Case, by: Actor) -> bool:
    """Whether she may read who reported: of a confidential case not whoever only visits, for some reporters fear being named."""
    if not case.confidential or by.account_id in (case.created_by, case.owner_id):
        return True
    return by.has_in(case.village_code, *CONFIDENTIAL_ROLES)


def _addressed_to(by: Actor) -> sa.ColumnElement[bool]:
    units = {grant.unit_id for grant in by.grants if grant.role is Role.OPD and grant.unit_id}
    # A draft is still the back office's own paper.
    return sa.and_(Referral.unit_id.in_(sorted(units)), Referral.sent_at.is_not(None)) if units else sa.false()


def _names_nobody_hidden(by: Actor) -> sa.ColumnElement[bool]:
    """A collective letter is not for whoever may not see one of the cases that it names, also one that became confidential later."""
    # Asked of one letter after the other: as a list of them all, a database that knows few rows would read every case for it.
    named = sa.select(LetterCase.letter_id).join(Case, Case.id == LetterCase.case_id).where(LetterCase.letter_id == Letter.id)
    # Not "not": without an owner the question is neither true nor false.
    hidden = named.where(Case.confidential, _not_too_confidential(by).is_not(sa.true()))
    return sa.not_(hidden.correlate(Letter).exists())


def _laid_before(by: Actor) -> sa.ColumnElement[bool]:
    """Who signs sees what she signs, also of a case that she may not see; not the drafts."""
    return sa.and_(Letter.initialled_by.is_not(None), in_areas(Letter.area_code, by.areas_of({Role.PENANDATANGAN})))


def _sent_with_referral(by: Actor) -> sa.ColumnElement[bool]:
    """The letters that went out to her organisation with a referral that still is, or was, its work; none without a number."""
    if not by.has(Role.OPD):
        return sa.false()
    sent = sa.select(Referral.id).where(Referral.id == Letter.referral_id, _addressed_to(by))
    return sa.and_(Letter.number.is_not(None), sent.where(Referral.state.in_(sorted(SHOWN_TO_RECEIVER))).exists())
