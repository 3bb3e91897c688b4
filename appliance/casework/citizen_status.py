"""How far a case is, for the citizen herself: by the number on her slip and the last four digits of a NIK or telephone.

Nobody is signed in. Who guesses is stopped twice: at the number, whoever asks, and at the device, whatever she asks for.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from appliance import audit
from appliance.casework.citizen_words import STAGES, Stage
from appliance.casework.numbers import numbers_of
from appliance.database import Duplicate, db, transaction
from appliance.errors import InvalidInput, TryLater
from appliance.models.case import Case, CaseEvent
from appliance.models.counter import StatusMiss
from appliance.models.person import Person, PersonPhone
from appliance.models.states import CaseState

CITIZEN = "warga"
# Misses allowed before a pause that begins with the first of them. Four digits are ten thousand guesses.
NUMBER_MISSES, NUMBER_PAUSE = 5, timedelta(days=1)
DEVICE_MISSES, DEVICE_PAUSE = 20, timedelta(hours=1)
NOT_FOUND = "Nomor slip dan empat angka itu tidak cocok. Periksa lagi, atau tanyakan ke loket."


@dataclass(frozen=True)
class CitizenStatus:
    """What the citizen reads: her number, the stage since when, and what was last written for her."""

    number: str
    stage: Stage
    since: datetime
    told: str


def ask_status(number: str, digits: str, *, device: str, at: datetime) -> CitizenStatus:
    """The state of the case, if both fit. `device` is whatever tells one asker's machine from another.

    Raises InvalidInput when they do not fit (also for what is confidential), TryLater after too many misses.
    """
    known = next(iter(numbers_of(number, "SLRT")), "")
    digits = re.sub(r"\D", "", digits)
    if not known or len(digits) != 4:
        raise InvalidInput({"number": NOT_FOUND})
    buckets = {
        f"number:{_digest(known)}": (NUMBER_MISSES, NUMBER_PAUSE),
        f"device:{_digest(device)}": (DEVICE_MISSES, DEVICE_PAUSE),
    }
    try:
        found = _look(known, digits, buckets, device, at)
    except Duplicate:  # two first misses at the same moment both made the counter; now it is there
        found = _look(known, digits, buckets, device, at)
    if found is None:
        raise InvalidInput({"number": NOT_FOUND})
    return found


def last_told(case_id: str) -> str:
    """What was last written for the citizen of this case."""
    newest = sa.select(CaseEvent.citizen_note).where(CaseEvent.case_id == case_id, CaseEvent.citizen_note != "")
    return db.session.scalar(newest.order_by(CaseEvent.position.desc()).limit(1)) or ""


def _look(number: str, digits: str, buckets: dict[str, tuple[int, timedelta]], device: str, at: datetime) -> CitizenStatus | None:
    with transaction():
        misses = {bucket: _misses(bucket, pause, at) for bucket, (_, pause) in buckets.items()}
        if any(misses[bucket].misses >= most for bucket, (most, _) in buckets.items()):
            raise TryLater("Terlalu banyak percobaan.", "Tanyakan ke loket dengan membawa slip Anda.")
        case = db.session.scalar(sa.select(Case).where(Case.number == number, Case.confidential.is_(False)))
        if case is None or not _fits(case, digits):
            _miss(misses, at)
            audit.record("cek_status_gagal", "case:unknown", by=None, account_id=CITIZEN, device=device, at=at)
            return None
        audit.record("cek_status", f"case:{case.id}", by=None, account_id=CITIZEN, device=device, at=at)
        return CitizenStatus(case.number, STAGES[CaseState(case.state)], case.state_since, last_told(case.id))


def _misses(bucket: str, pause: timedelta, at: datetime) -> StatusMiss:
    row = db.session.get(StatusMiss, bucket, with_for_update=True)
    if row is None:
        return StatusMiss(bucket=bucket, misses=0, since=at)
    if at - row.since >= pause:
        row.misses, row.since = 0, at
    return row


def _miss(misses: dict[str, StatusMiss], at: datetime) -> None:
    db.session.execute(sa.delete(StatusMiss).where(StatusMiss.since < at - NUMBER_PAUSE))
    for row in misses.values():
        row.misses += 1
        db.session.add(row)
    db.session.flush()


def _fits(case: Case, digits: str) -> bool:
    phones = sa.select(PersonPhone.number).where(PersonPhone.person_id == case.applicant_id)
    person = db.session.get_one(Person, case.applicant_id)
    known = [person.nik or "", person.phone, case.reporter_phone, *db.session.scalars(phones)]
    return any(hmac.compare_digest(number[-4:].encode(), digits.encode()) for number in known if len(number) >= 4)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:40]
