"""Invented people and cases of Kabupaten Bantaeng, for demonstrations and trainings on a node of its own.

Everything goes through the real services, so that histories, numbers and journal are real ones. A filling that was cut off
goes on where it stopped when it is asked for again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa

from appliance import accounts
from appliance.access import Actor
from appliance.accounts import NewAccount, NewAssignment
from appliance.casework import cases, catalogue, referral_replies, referrals
from appliance.casework.referral_replies import Answer, Return
from appliance.casework.referral_steps import NOT_OURS
from appliance.database import db, settings_in_use
from appliance.errors import Conflict, NotFound
from appliance.letters import office
from appliance.models.account import Account
from appliance.models.case import Case, CaseEvent, Referral
from appliance.models.person import Person
from appliance.models.roles import Role
from appliance.sample.aid import help_families
from appliance.sample.residents import FIELD_VILLAGES, MARK, live_on, register_everybody
from appliance.sample.steps import take_step
from appliance.sample.stories import STORIES, Step, Story

DISTRICT = "73.03"
STAFF: tuple[tuple[str, str, Role, tuple[str, ...], str], ...] = (
    ("fo.sari", "Sari Wahyuni", Role.FO, (), "sekretariat"),
    ("bo.andi", "Andi Firmansyah", Role.BO, (), "sekretariat"),
    ("supervisor.rahma", "Rahmawati", Role.SUPERVISOR, (), "sekretariat"),
    ("manajer.hasan", "Hasanuddin", Role.MANAJER, (), "sekretariat"),
    ("penandatangan.kadis", "Dra. Hj. Nurhayati, M.Si.", Role.PENANDATANGAN, (), "sekretariat"),
    ("opd.dinkes", "Nurlina (Dinas Kesehatan)", Role.OPD, (), "dinkes"),
    ("fasilitator.nur", "Nur Hikmah", Role.FASILITATOR, FIELD_VILLAGES, "sekretariat"),
    ("admin.it", "Admin IT", Role.ADMIN, (), ""),
)


@dataclass(frozen=True)
class SampleAccount:
    """An account to try the node with; no password when the account has been used already."""

    username: str
    role: Role
    one_time_password: str | None


def fill(*, at: datetime, tell: Callable[[str], None] = lambda line: None) -> tuple[SampleAccount, ...]:
    """Fill the node with the sample. Raises Conflict when there are people or another district already.

    `tell` gets a line of progress now and then. Returns the accounts with their one-time passwords.
    """
    _refuse_real_data()
    made = tuple(_account(*row, at=at) for row in STAFF)
    actors = {username: _actor(username, at) for username, *_ in STAFF}
    _name_signatory(actors["admin.it"], at)
    tell("Mendaftarkan warga contoh …")
    residents = list(register_everybody(actors, at))
    live_on(actors["fo.sari"], at)
    tell(f"{len(residents)} warga terdaftar. Mencatat bantuan keluarga …")
    help_families(residents, actors, at)
    tell("Membuka dan menjalankan kasus contoh …")
    for _, job in sorted(_jobs(actors, residents, at), key=lambda job: job[0]):
        job()
    tell(f"{len(STORIES)} kasus siap.")
    return made


def _refuse_real_data() -> None:
    if settings_in_use().node.district != DISTRICT:
        raise Conflict(
            f"Data contoh dibuat untuk kabupaten {DISTRICT}; simpul ini {settings_in_use().node.district}.",
            "Pasang simpul percobaan dengan --district 73.03.",
        )
    real = sa.or_(Person.request_id.is_(None), sa.not_(Person.request_id.startswith(MARK)))
    if db.session.scalar(sa.select(Person.id).where(real).limit(1)):
        raise Conflict("Basis data ini sudah berisi data warga; data contoh tidak dicampur.", "Gunakan simpul yang masih kosong.")


def _account(username: str, name: str, role: Role, areas: tuple[str, ...], unit: str, *, at: datetime) -> SampleAccount:
    """A new account, or a new password for one that nobody has used yet. An admin who is there stays untouched."""
    found = db.session.scalar(sa.select(Account).where(Account.username == username))
    if found is None:
        starts = (at - timedelta(days=90)).date()
        first = NewAssignment(role, starts, areas, catalogue.unit_id(unit) if unit else "")
        made = accounts.create_account(NewAccount(username, name), first, district=DISTRICT, by=None, at=at)
        return SampleAccount(username, role, made.one_time_password)
    if not found.must_change_password or role is Role.ADMIN:
        return SampleAccount(username, role, None)
    return SampleAccount(username, role, accounts.reset_password(found.id, by=None, at=at))


def _name_signatory(admin: Actor, at: datetime) -> None:
    """Who stands below the letters, so that one can be tried from its draft to its paper."""
    if not office.signatories():
        fields = office.SignatoryFields("Dra. Hj. Nurhayati, M.Si.", "Kepala Dinas Sosial", "Pembina", "197001011995032001")
        office.save_signatory(None, fields, by=admin, at=at)


def _actor(username: str, at: datetime) -> Actor:
    account = db.session.scalar(sa.select(Account).where(Account.username == username))
    if account is None:
        raise NotFound(f"Akun {username} tidak ada.", "Ulangi pengisian data contoh.")
    return accounts.actor_of(account, at, "data contoh", settings_in_use().zone)


def _jobs(
    actors: Mapping[str, Actor], residents: list[tuple[str, str]], at: datetime
) -> Iterator[tuple[datetime, Callable[[], None]]]:
    """Everything that happens in the stories, each with its moment, so that it can be done in the order of time."""
    in_field = [person for person, village in residents if village in FIELD_VILLAGES]
    elsewhere = [person for person, village in residents if village not in FIELD_VILLAGES]
    for number, story in enumerate(STORIES):
        applicant = in_field[number % len(in_field)] if story.field_case else elsewhere[(number * 3) % len(elsewhere)]
        moment = min(_office_hours(at - timedelta(days=story.opened_days), number), at - timedelta(hours=2))
        yield moment, partial(_open, number, story, applicant, actors, moment)
        for order, step in enumerate(story.steps, start=1):
            # A step follows each half day, but never before the one before it, and the last ones just now.
            planned = _office_hours(moment + timedelta(hours=12), number)
            moment = min(max(planned, moment + timedelta(minutes=30)), at - timedelta(minutes=60 - order))
            yield moment, partial(_do, number, step, actors[step.who], moment)


def _office_hours(moment: datetime, number: int) -> datetime:
    """The same day between nine and three o'clock, never on a Saturday or Sunday."""
    local = moment.astimezone(settings_in_use().zone)
    local -= timedelta(days=max(0, local.weekday() - 4))
    return local.replace(hour=9 + (local.hour + number) % 6, minute=(number * 7 + local.day * 11) % 60, second=0, microsecond=0)


def _open(number: int, story: Story, applicant: str, actors: Mapping[str, Actor], at: datetime) -> None:
    service = next(choice for choice in catalogue.service_types() if choice.code == story.service)
    new = cases.NewCase(
        applicant_id=applicant,
        service_type_id=service.id,
        kind=story.kind,
        description=story.description,
        channel="lapangan" if story.field_case else "kantor",
        priority=story.priority,
        priority_reason="Perlu segera ditangani" if story.priority == "darurat" else "",
        vulnerable_groups=story.vulnerable,
        confidential=story.confidential,
        informed=True,
        received_at=at,
    )
    by = actors["fasilitator.nur" if story.field_case else "fo.sari"]
    cases.open_case(new, request_id=f"{MARK}kasus-{number:02d}", by=by, at=at)


def _do(number: int, step: Step, by: Actor, at: datetime) -> None:
    """One step, unless the history shows that it was done before the filling was cut off."""
    case = db.session.scalars(sa.select(Case).where(Case.request_id == f"{MARK}kasus-{number:02d}")).one()
    done = db.session.scalars(sa.select(CaseEvent.action).where(CaseEvent.case_id == case.id)).all()
    if step.action in done:
        return
    if step.action == "buat_rujukan":
        unit = catalogue.unit_id(step.fields["unit"])
        new = referrals.NewReferral(unit, step.fields["summary"], ("nama", "nik", "desa", "uraian"))
        referrals.refer_case(case.id, new, request_id=f"{MARK}rujukan-{number:02d}", by=by, at=at)
    elif step.action.endswith("_rujukan"):
        _do_with_referral(case.id, step, by, at)
    else:
        take_step(case.id, step, by, at)


def _do_with_referral(case_id: str, step: Step, by: Actor, at: datetime) -> None:
    referral = db.session.scalars(sa.select(Referral).where(Referral.case_id == case_id)).one()
    known: dict[str, Any] = {"row_version": referral.row_version, "by": by, "at": at}
    match step.action:
        case "kirim_rujukan":
            referrals.send_referral(referral.id, **known)
        case "terima_rujukan":
            referral_replies.receive_referral(referral.id, **known)
        case "proses_rujukan":
            referral_replies.process_referral(referral.id, **known)
        case "jawab_rujukan":
            referral_replies.answer_referral(referral.id, Answer(step.fields["reply"], "terpenuhi"), **known)
        case "kembalikan_rujukan":
            referral_replies.return_referral(referral.id, Return(NOT_OURS, step.fields["reason"]), **known)
