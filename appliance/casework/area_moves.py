"""What lives and lies under an old code goes to the code of today, in the background: people, families, cases, assignments.

Two old codes may have one successor. An old one that was split has several: the admin says which hamlet belongs to which. Some
hundred people go in one transaction, each with an event; a killed worker's successor finds who is left. A new foreign key to
`area` belongs into MOVED or STAYS; a test fails until it does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from appliance import audit, background
from appliance.access import Actor, require
from appliance.background import Taken
from appliance.casework.history import Fact, add_fact
from appliance.database import db, settings_in_use, transaction
from appliance.errors import Conflict, InvalidInput, NotFound
from appliance.models.account import Account, Assignment
from appliance.models.area import Area, AreaCount, AreaMove, Hamlet, Level
from appliance.models.case import Case
from appliance.models.duplicate import DuplicateCandidate, DuplicateSearch
from appliance.models.handover import HandoverPlan, PlanState
from appliance.models.imports import Import
from appliance.models.letter import Letter
from appliance.models.person import Family, LifeKind, Person
from appliance.models.proposal import Proposal, ProposalBasis
from appliance.models.roles import Role
from appliance.models.unit import Unit
from appliance.models.visit import Delegation
from appliance.registry import life_events
from appliance.registry.areas import active_villages
from appliance.registry.search_index import Findable, forget_people, index_people

KIND = "ganti_kode"
AT_ONCE = 300
MOST_HAMLETS = 200
MOVED = (
    *("person.village_code", "family.village_code", "case.village_code", "hamlet.village_code", "unit.area_code"),
    *("duplicate_candidate.village_code", "duplicate_candidate.other_village_code", "letter.area_code"),
    *("proposal.village_code", "proposal_basis.village_code"),
)
# What keeps the old code, and why.
STAYS: Mapping[str, str] = {
    "area.parent_code": "areas themselves",
    "area_count.village_code": "counted anew; the figure of the old code is deleted",
    "duplicate_search.village_code": "searched anew; deleted",
    "area_move.old_code": "this record",
    "area_move.rest_code": "this record",
    "handover_village.village_code": "a signed record; found under every code of its village",
}


class Hands(Protocol):
    """The part of the worker's `Work` that moving uses."""

    @property
    def now(self) -> Callable[[], datetime]: ...

    def check(self) -> None: ...


@dataclass(frozen=True)
class Standing:
    """What still has an old code. `hamlets` are the names in the addresses of its families, with how many; "" is not among them."""

    people: int
    families: int
    cases: int
    hamlets: tuple[tuple[str, int], ...]
    running: bool

    @property
    def anything(self) -> bool:
        """Whether there is something to move."""
        return bool(self.people or self.families or self.cases)


def standing_of(code: str, *, by: Actor) -> Standing:
    """What is to be moved from an old code. Raises NotAllowed."""
    require(by, Role.ADMIN)

    def number(table: type[Person] | type[Family] | type[Case]) -> int:
        statement = sa.select(sa.func.count()).select_from(table).where(table.village_code == code)
        return db.session.scalar(statement) or 0

    named = sa.select(Family.hamlet, sa.func.count()).where(Family.village_code == code, Family.hamlet != "")
    hamlets = db.session.execute(named.group_by(Family.hamlet).order_by(Family.hamlet).limit(MOST_HAMLETS))
    running = background.is_asked(KIND, _subject(code))
    return Standing(number(Person), number(Family), number(Case), tuple((name, count) for name, count in hamlets), running)


def ask_move(code: str, rest_code: str, hamlets: Mapping[str, str], *, by: Actor, at: datetime) -> None:
    """Move everything to the codes of today, as `AreaMove` says. Raises InvalidInput, NotFound, NotAllowed, Conflict."""
    require(by, Role.ADMIN)
    with transaction() as session:
        area = session.get(Area, code)
        if area is None or area.active or area.level != Level.VILLAGE:
            raise NotFound("Kode desa lama itu tidak ada.", "Pilih dari daftar kode lama di halaman Wilayah.")
        if background.is_asked(KIND, _subject(code)):
            raise Conflict("Pemindahan dari kode ini sedang berjalan.", "Tunggu sampai selesai, lalu muat ulang halaman.")
        known = {village.code for village in active_villages()}
        problems = {} if rest_code in known else {"rest_code": "Pilih desa/kelurahan yang berlaku sekarang."}
        if not set(hamlets.values()) <= known:
            problems["hamlets"] = "Pilih desa/kelurahan yang berlaku sekarang untuk tiap dusun."
        if problems:
            raise InvalidInput(problems)
        move = AreaMove(old_code=code, hamlets=dict(hamlets), rest_code=rest_code, asked_by=by.account_id, asked_at=at)
        session.add(move)
        if len(move.targets) == 1:
            area.successor_code = rest_code
        background.ask(KIND, _subject(code), by=by.account_id, at=at)
        detail = {"ke": move.targets, "dusun": len(hamlets)}
        audit.record("wilayah-pindahkan", f"area:{code}", by=by, at=at, detail=detail)


def run(task: Taken, work: Hands) -> str:
    """Move what is left, portion after portion."""
    code = task.subject.partition(":")[2]
    newest = sa.select(AreaMove.id).where(AreaMove.old_code == code).order_by(AreaMove.asked_at.desc()).limit(1)
    move_id = db.session.scalars(newest).one()
    total = _left(code) + task.done
    db.session.rollback()
    for portion in (_move_people, _move_families, _move_cases):
        while True:
            work.check()
            with transaction() as session:
                move = session.get_one(AreaMove, move_id)
                moved = portion(move, work.now())
                move.people += moved if portion is _move_people else 0
                move.cases += moved if portion is _move_cases else 0
                background.move(task.id, move.people + move.cases, total, at=work.now())
            if not moved:
                break
    return _finish(move_id, work.now())


def _finish(move_id: str, at: datetime) -> str:
    with transaction() as session:
        move = session.get_one(AreaMove, move_id)
        if move.finished_at is None:  # else it was killed before the worker could note that all is done
            _move_the_rest(move, at)
            move.finished_at = at
            detail = {"warga": move.people, "kasus": move.cases, "ke": move.targets}
            audit.record("wilayah-dipindahkan", f"area:{move.old_code}", by=None, at=at, detail=detail)
        return f"{move.people} warga dan {move.cases} kasus dipindahkan ke kode baru."


def _left(code: str) -> int:
    counts = (sa.select(sa.func.count()).select_from(table).where(table.village_code == code) for table in (Person, Case))
    return sum(db.session.scalar(count) or 0 for count in counts)


def _some(table: Any, move: AreaMove) -> Sequence[Any]:
    statement = sa.select(table).where(table.village_code == move.old_code).order_by(table.id).limit(AT_ONCE)
    if table is Person:
        statement = statement.options(joinedload(Person.family))
    return db.session.scalars(statement.with_for_update(of=table)).all()


def _target(move: AreaMove, family: Family | None) -> str:
    return move.hamlets.get(family.hamlet, move.rest_code) if family else move.rest_code


def _move_people(move: AreaMove, at: datetime) -> int:
    """Who lives with a family of the old code goes with it, wherever the family was moved to by an earlier portion."""
    people: Sequence[Person] = _some(Person, move)
    forget_people([Findable.of(person) for person in people])
    for person in people:
        person.village_code = _target(move, person.family)
        person.stamp(move.asked_by, at)
        told = _told(move, person.village_code)
        life_events.note(LifeKind.RECODED, person_id=person.id, detail=told, by=move.asked_by, at=at)
    index_people([Findable.of(person) for person in people])
    return len(people)


def _move_families(move: AreaMove, at: datetime) -> int:
    families: Sequence[Family] = _some(Family, move)
    for family in families:
        family.village_code = _target(move, family)
        family.stamp(move.asked_by, at)
        told = _told(move, family.village_code)
        life_events.note(LifeKind.RECODED, family_id=family.id, detail=told, by=move.asked_by, at=at)
    return len(families)


def _move_cases(move: AreaMove, at: datetime) -> int:
    """A case goes where its applicant went."""
    account = db.session.get_one(Account, move.asked_by)
    by = Actor(account.id, account.name, account.username, frozenset())
    cases: Sequence[Case] = _some(Case, move)
    for case in cases:
        lives = db.session.get_one(Person, case.applicant_id).village_code
        case.village_code = lives if lives in move.targets else move.rest_code
        details = {"dari": move.old_code, "ke": case.village_code}
        add_fact(case, Fact(KIND, details=details), state_from=case.state, by=by, at=at)
    return len(cases)


def _told(move: AreaMove, new_code: str) -> dict[str, str]:
    return {"dari_desa": move.old_code, "ke_desa": new_code}


def _move_the_rest(move: AreaMove, at: datetime) -> None:
    """What is little: the list of hamlets, pairs of people, letters, who serves there or will, offices, imports, figures."""
    old, session = move.old_code, db.session
    for hamlet in session.scalars(sa.select(Hamlet).where(Hamlet.village_code == old)):
        _move_hamlet(hamlet, move, at)
    sides = (
        (DuplicateCandidate.village_code, DuplicateCandidate.first_id),
        (DuplicateCandidate.other_village_code, DuplicateCandidate.second_id),
    )
    for column, person_id in sides:
        lives = sa.select(Person.village_code).where(Person.id == person_id).scalar_subquery()
        session.execute(sa.update(DuplicateCandidate).where(column == old).values({column: lives}))
    # A letter is read where its case is.
    letters_case = sa.select(Case.village_code).where(Case.id == Letter.case_id).scalar_subquery()
    session.execute(sa.update(Letter).where(Letter.area_code == old).values(area_code=letters_case))
    # A proposal goes with its resident; the meeting it rests on stays readable to those who serve what the village became.
    lives = sa.select(Person.village_code).where(Person.id == Proposal.person_id).scalar_subquery()
    session.execute(sa.update(Proposal).where(Proposal.village_code == old).values(village_code=lives))
    session.execute(sa.update(ProposalBasis).where(ProposalBasis.village_code == old).values(village_code=move.rest_code))
    for table in (DuplicateSearch, AreaCount):
        session.execute(sa.delete(table).where(table.village_code == old))
    session.execute(sa.update(Import).where(Import.village_code == old).values(village_code=move.rest_code))
    session.execute(sa.update(Unit).where(Unit.area_code == old).values(area_code=move.rest_code))
    _move_duties(move, at)


def _move_hamlet(hamlet: Hamlet, move: AreaMove, at: datetime) -> None:
    target = move.hamlets.get(hamlet.name, move.rest_code)
    same = (Hamlet.village_code == target, Hamlet.name == hamlet.name, Hamlet.rw == hamlet.rw, Hamlet.rt == hamlet.rt)
    if db.session.scalar(sa.select(Hamlet.id).where(*same)):
        db.session.delete(hamlet)
    else:
        hamlet.village_code = target
        hamlet.stamp(move.asked_by, at)
    db.session.flush()


def _move_duties(move: AreaMove, at: datetime) -> None:
    """Who serves, decides for or takes over the old code, now or later, does so in all that became of it.

    What is over keeps the code of its day.
    """
    today = at.astimezone(settings_in_use().zone).date()
    lasting = sa.or_(Assignment.ends.is_(None), Assignment.ends >= today)
    for held in db.session.scalars(sa.select(Assignment).where(lasting).with_for_update()):
        if move.old_code in held.area_codes:
            held.area_codes = _succeeded(held.area_codes, move)
            held.stamp(move.asked_by, at)
    handed = sa.select(Delegation).where(Delegation.ended_at.is_(None), Delegation.ends >= today)
    for delegation in db.session.scalars(handed.with_for_update()):
        if move.old_code in delegation.area_codes:
            delegation.area_codes = _succeeded(delegation.area_codes, move)
            delegation.stamp(move.asked_by, at)
    waiting = sa.select(HandoverPlan).where(HandoverPlan.state == PlanState.WAITING)
    for plan in db.session.scalars(waiting.with_for_update()):
        if move.old_code in plan.village_codes:
            plan.village_codes = _succeeded(plan.village_codes, move)
            plan.stamp(move.asked_by, at)


def _succeeded(codes: Sequence[str], move: AreaMove) -> list[str]:
    kept = [code for code in codes if code != move.old_code]
    return [*kept, *(code for code in move.targets if code not in kept)]


def _subject(code: str) -> str:
    return f"wilayah:{code}"
