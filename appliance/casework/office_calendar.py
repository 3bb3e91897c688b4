"""When the office works and how long a step may take: read by every due time, kept by the admin and the manager.

A change is journalled, and the due times of all open cases are computed again in the background.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

import sqlalchemy as sa

from appliance import audit, background
from appliance.access import Actor, require
from appliance.audit import SYSTEM
from appliance.casework.deadlines import USUAL_WEEK, Calendar, Limit, Opening, Period, Unit, Week, close_of
from appliance.casework.decreed_holidays import decreed_holidays
from appliance.database import Duplicate, db, settings_in_use, transaction
from appliance.errors import InvalidInput, NotFound
from appliance.models.case import ServiceType
from appliance.models.deadline import Holiday, OfficeHours, StageLimit, StoredDay
from appliance.models.roles import Role
from appliance.models.states import CLOCK_STOPPED, OPEN, CaseState

EDITORS = (Role.ADMIN, Role.MANAJER)
HOLIDAY_KINDS = {"libur_nasional": "Libur nasional", "cuti_bersama": "Cuti bersama", "libur_daerah": "Libur daerah"}
UNITS = {Unit.DAYS.value: "hari kerja", Unit.MINUTES.value: "menit kerja"}
STAGES = tuple(state for state in CaseState if state in OPEN - CLOCK_STOPPED - {CaseState.DRAFT})
RECOUNT = "hitung_batas"
SUBJECT = "kalender"
USUAL = "Jam kerja biasa"
MOST_LINES = 200
_SEEDED_LIMITS = {
    CaseState.NEW: 1,
    CaseState.VERIFYING: 5,
    CaseState.VERIFIED: 1,
    CaseState.REVIEW: 2,
    CaseState.AWAITING_DECISION: 1,
    CaseState.FOLLOW_UP: 2,
}


@dataclass(frozen=True)
class HolidayLine:
    """One free day in the list."""

    id: str
    day: date
    name: str
    kind: str


@dataclass(frozen=True)
class HoursLine:
    """The hours of a week; without dates the usual ones."""

    id: str
    name: str
    starts: date | None
    ends: date | None
    week: Week


@dataclass(frozen=True)
class LimitLine:
    """How long a case may stay in a state; `service` is "" for all services without a line of their own."""

    service_code: str
    service: str
    state: CaseState
    limit: Limit


@dataclass(frozen=True)
class CalendarYear:
    """What the page shows of one year. `missing`: no holiday of it is known."""

    year: int
    holidays: tuple[HolidayLine, ...]
    hours: tuple[HoursLine, ...]
    limits: tuple[LimitLine, ...]
    missing: bool
    recount: background.Progress | None


@dataclass(frozen=True)
class NewHoliday:
    """A day to be free; `day` is None when what was typed is no date."""

    day: date | None
    name: str
    kind: str


@dataclass(frozen=True)
class NewHours:
    """Hours of a week as typed: seven pairs "08:00", "16:00", both "" for a free day. The usual week has no dates."""

    week: tuple[tuple[str, str], ...]
    name: str = USUAL
    starts: date | None = None
    ends: date | None = None
    usual: bool = False


def calendar_in_use() -> Calendar:
    """The calendar as it stands now; an office that wrote down no hours works from 8 to 16 on five days."""
    usual, periods = USUAL_WEEK, []
    for row in db.session.execute(sa.select(OfficeHours.starts, OfficeHours.ends, OfficeHours.week)):
        if row.starts is None or row.ends is None:
            usual = week_of(row.week)
        else:
            periods.append(Period(row.starts, row.ends, week_of(row.week)))
    return Calendar(settings_in_use().zone, usual, tuple(periods), frozenset(db.session.scalars(sa.select(Holiday.day))))


def close_after(at: datetime, days: int) -> datetime:
    """The close of the office `days` working days after `at`."""
    return close_of(calendar_in_use(), at, days)


def stage_limits() -> dict[tuple[str, str], Limit]:
    """The limit of each service type's code and state."""
    rows = db.session.execute(sa.select(StageLimit.service_code, StageLimit.state, StageLimit.amount, StageLimit.unit))
    return {(row.service_code, row.state): Limit(row.amount, Unit(row.unit)) for row in rows}


def week_of(stored: Sequence[StoredDay]) -> Week:
    """The hours of a week as they are kept, ready to count with."""
    return tuple(Opening(time.fromisoformat(day[0]), time.fromisoformat(day[1])) if day else None for day in stored)


def seed_calendar(*, at: datetime) -> int:
    """Add the usual hours, the decreed holidays of years without any, and limits when there are none. How many rows were added."""
    with transaction() as session:
        new = list(_missing_rows())
        for row in new:
            row.stamp(SYSTEM, at)
        session.add_all(new)
        return len(new)


def look_at_year(year: int, *, by: Actor) -> CalendarYear:
    """The holidays of a year, all hours, all limits. Raises NotAllowed."""
    require(by, *EDITORS)
    days = sa.select(Holiday).where(Holiday.day.between(date(year, 1, 1), date(year, 12, 31))).order_by(Holiday.day)
    holidays = tuple(HolidayLine(row.id, row.day, row.name, row.kind) for row in db.session.scalars(days))
    hours = db.session.scalars(sa.select(OfficeHours).order_by(OfficeHours.starts.is_not(None), OfficeHours.starts))
    return CalendarYear(
        year=year,
        holidays=holidays,
        hours=tuple(HoursLine(row.id, row.name, row.starts, row.ends, week_of(row.week)) for row in hours),
        limits=tuple(_limit_lines()),
        missing=not holidays,
        recount=background.progress_of(SUBJECT),
    )


def add_holiday(new: NewHoliday, *, by: Actor, at: datetime) -> None:
    """Make a day free. Raises InvalidInput with all problems, NotAllowed."""
    require(by, *EDITORS)
    try:
        with transaction():
            problems = _holiday_problems(new)
            if new.day and db.session.scalar(sa.select(Holiday.id).where(Holiday.day == new.day)):
                problems["day"] = "Tanggal itu sudah tercatat sebagai hari libur."
            if problems or new.day is None:
                raise InvalidInput(problems)
            _store_holiday(new, new.day, by, at)
            _note_change("libur_ditambah", {"tanggal": new.day, "jenis": new.kind}, by, at)
    except Duplicate as error:
        raise InvalidInput({"day": "Tanggal itu sudah tercatat sebagai hari libur."}) from error


def import_holidays(days: Sequence[NewHoliday], *, by: Actor, at: datetime) -> int:
    """Store a list of free days, all or none; a day that is there gets the new name and kind. How many lines.

    Raises InvalidInput with the problems of each line, by "line-<number>".
    """
    require(by, *EDITORS)
    problems = {
        f"line-{number}": f"Baris {number}: {' '.join(found.values())}"
        for number, line in enumerate(days, start=1)
        if (found := _holiday_problems(line))
    }
    if not 0 < len(days) <= MOST_LINES:
        problems["file"] = f"Berkas harus berisi 1 sampai {MOST_LINES} hari libur."
    if problems:
        raise InvalidInput(problems)
    with transaction():
        for line in days:
            if line.day:
                _store_holiday(line, line.day, by, at)
        _note_change("libur_diimpor", {"jumlah": len(days)}, by, at)
    return len(days)


def remove_holiday(holiday_id: str, *, by: Actor, at: datetime) -> None:
    """Make a day a working day again. Raises NotFound, NotAllowed."""
    require(by, *EDITORS)
    with transaction() as session:
        row = session.get(Holiday, holiday_id)
        if row is None:
            raise NotFound("Hari libur itu sudah tidak ada.", "Muat ulang halaman kalender.")
        _note_change("libur_dihapus", {"tanggal": row.day}, by, at)
        session.delete(row)


def save_hours(new: NewHours, *, by: Actor, at: datetime) -> None:
    """Set the usual hours, or those of a period; a period that begins on the same day is replaced. Raises InvalidInput."""
    require(by, *EDITORS)
    week, problems = _typed_week(new)
    if problems:
        raise InvalidInput(problems)
    with transaction() as session:
        same = OfficeHours.starts.is_(None) if new.usual else OfficeHours.starts == new.starts
        row = session.scalar(sa.select(OfficeHours).where(same).limit(1)) or OfficeHours()
        row.name, row.week = USUAL if new.usual else new.name.strip(), week
        row.starts, row.ends = (None, None) if new.usual else (new.starts, new.ends)
        row.stamp(by.account_id, at)
        session.add(row)
        _note_change("jam_kerja", {"nama": row.name, "mulai": row.starts, "selesai": row.ends}, by, at)


def remove_period(hours_id: str, *, by: Actor, at: datetime) -> None:
    """Drop the hours of a period; the usual ones hold again. Raises NotFound, NotAllowed."""
    require(by, *EDITORS)
    with transaction() as session:
        row = session.scalar(sa.select(OfficeHours).where(OfficeHours.id == hours_id, OfficeHours.starts.is_not(None)))
        if row is None:
            raise NotFound("Jam kerja khusus itu sudah tidak ada.", "Muat ulang halaman kalender.")
        _note_change("jam_kerja_dihapus", {"nama": row.name, "mulai": row.starts}, by, at)
        session.delete(row)


def save_limit(service_code: str, state: str, amount: int | None, unit: str, *, by: Actor, at: datetime) -> None:
    """Set how long a step may take for a service type ("" for all); 0 takes the limit away. Raises InvalidInput."""
    require(by, *EDITORS)
    with transaction() as session:
        problems = _limit_problems(service_code, state, amount, unit)
        if problems or amount is None:
            raise InvalidInput(problems)
        wanted = sa.select(StageLimit).where(StageLimit.service_code == service_code, StageLimit.state == state)
        row = session.scalar(wanted)
        if amount == 0 and row:
            session.delete(row)
        elif amount:
            row = row or StageLimit(service_code=service_code, state=state)
            row.amount, row.unit = amount, unit
            row.stamp(by.account_id, at)
            session.add(row)
        detail = {"layanan": service_code, "tahap": state, "jumlah": amount, "satuan": unit}
        _note_change("batas_tahap", detail, by, at)


def _missing_rows() -> Iterator[Holiday | OfficeHours | StageLimit]:
    usual: list[StoredDay] = [[f"{day.opens:%H:%M}", f"{day.closes:%H:%M}"] if day else None for day in USUAL_WEEK]
    if db.session.scalar(sa.select(OfficeHours.id).limit(1)) is None:
        yield OfficeHours(name=USUAL, starts=None, ends=None, week=usual)
    known = {day.year for day in db.session.scalars(sa.select(Holiday.day))}
    for year, days in decreed_holidays().items():
        if year not in known:
            yield from (Holiday(day=day, name=name, kind=kind) for day, name, kind in days)
    if db.session.scalar(sa.select(StageLimit.id).limit(1)) is None:
        for state, amount in _SEEDED_LIMITS.items():
            yield StageLimit(service_code="", state=state, amount=amount, unit=Unit.DAYS)


def _limit_lines() -> Iterator[LimitLine]:
    names = {row.code: row.name for row in db.session.execute(sa.select(ServiceType.code, ServiceType.name))}
    order = {state.value: place for place, state in enumerate(STAGES)}
    for (code, state), limit in sorted(stage_limits().items(), key=lambda item: (item[0][0], order.get(item[0][1], 0))):
        yield LimitLine(code, names.get(code, code), CaseState(state), limit)


def _holiday_problems(new: NewHoliday) -> dict[str, str]:
    problems = {}
    if new.day is None or not 2000 <= new.day.year <= 2100:
        problems["day"] = "Isi tanggal, contoh 17-08-2027."
    if not new.name.strip() or len(new.name.strip()) > 120:
        problems["name"] = "Isi nama hari libur, paling banyak 120 huruf."
    if new.kind not in HOLIDAY_KINDS:
        problems["kind"] = "Pilih libur nasional, cuti bersama, atau libur daerah."
    return problems


def _store_holiday(new: NewHoliday, day: date, by: Actor, at: datetime) -> None:
    row = db.session.scalar(sa.select(Holiday).where(Holiday.day == day)) or Holiday(day=day)
    row.name, row.kind = new.name.strip(), new.kind
    row.stamp(by.account_id, at)
    db.session.add(row)
    db.session.flush()


def _typed_week(new: NewHours) -> tuple[list[StoredDay], dict[str, str]]:
    problems: dict[str, str] = {}
    week: list[StoredDay] = []
    for place, (opens, closes) in enumerate(new.week):
        try:
            day = Opening(time.fromisoformat(opens), time.fromisoformat(closes)) if opens or closes else None
        except ValueError:
            problems[f"day-{place}"] = "Isi jam buka dan jam tutup, contoh 08:00 dan 16:00, atau kosongkan keduanya."
            continue
        week.append([f"{day.opens:%H:%M}", f"{day.closes:%H:%M}"] if day else None)
    if new.usual and not problems and not any(week):
        problems["day-0"] = "Kantor harus bekerja paling sedikit satu hari seminggu."
    return week, problems | ({} if new.usual else _period_problems(new))


def _period_problems(new: NewHours) -> dict[str, str]:
    problems = {}
    if not new.name.strip() or len(new.name.strip()) > 60:
        problems["name"] = "Isi nama masa itu, contoh Ramadan 1448 H; paling banyak 60 huruf."
    if new.starts is None:
        problems["starts"] = "Isi hari pertama, contoh 08-02-2027."
    if new.ends is None or (new.starts and new.ends < new.starts):
        problems["ends"] = "Isi hari terakhir, tidak sebelum hari pertama."
    elif new.starts and (new.ends - new.starts).days > 366:
        problems["ends"] = "Jam kerja khusus paling lama satu tahun."
    return problems


def _limit_problems(service_code: str, state: str, amount: int | None, unit: str) -> dict[str, str]:
    problems = {}
    if service_code and db.session.scalar(sa.select(ServiceType.id).where(ServiceType.code == service_code).limit(1)) is None:
        problems["service_code"] = "Pilih jenis layanan dari daftar."
    if state not in {stage.value for stage in STAGES}:
        problems["state"] = "Pilih tahap dari daftar."
    if amount is None or not 0 <= amount <= 9999:
        problems["amount"] = "Isi angka 0 sampai 9999; 0 menghapus batas tahap itu."
    if unit not in UNITS:
        problems["unit"] = "Pilih hari kerja atau menit kerja."
    return problems


def _note_change(action: str, detail: dict[str, object], by: Actor, at: datetime) -> None:
    """Journal it, and have the due times computed again; a count that waits already will see this change too."""
    if not background.is_waiting(RECOUNT, SUBJECT):
        background.ask(RECOUNT, SUBJECT, by=by.account_id, at=at)
    audit.record("kalender", "calendar:kantor", by=by, at=at, detail={"aksi": action, **detail})
