"""Is this paper real? Asked by anybody in the office's network, with the code from the paper; no sign-in.

The answer names number, day, kind, the person half hidden, and whether the letter is good: never a NIK, never the purpose.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import cast

import sqlalchemy as sa

from appliance import audit
from appliance.accounts import throttle
from appliance.accounts.sign_in import TooManyAttempts
from appliance.database import Duplicate, db, transaction
from appliance.errors import NotFound
from appliance.letters.letters import CHECK_ALPHABET, CHECK_LETTERS
from appliance.letters.life import LetterState
from appliance.letters.lookup import current_state
from appliance.models.account import SignInAttempt
from appliance.models.letter import Letter
from appliance.registry.holders import office_day

SUBJECT = "letter-check"
# Addresses share this many counters: whoever invents addresses cannot fill the disk.
COUNTERS = 1024
# After this long without a miss the count begins anew.
FORGIVEN = timedelta(minutes=10)
_CODE = re.compile(f"[{CHECK_ALPHABET}]{{{CHECK_LETTERS}}}")


@dataclass(frozen=True)
class Checked:
    """What may be told of a letter."""

    number: str
    day: date | None
    kind: str
    person: str
    state: LetterState
    valid_until: date | None
    code: str


def check_letter(typed: str, *, asker: str, at: datetime) -> Checked:
    """The letter with this code. `asker` is the address of who asks: her misses are counted, and slow her down.

    Raises NotFound for a code that no letter has, TooManyAttempts after several of those.
    """
    counter = hashlib.sha256(asker.encode()).digest()
    bucket = str(int.from_bytes(counter[:8], "big") % COUNTERS)
    _require_patience(bucket, at)
    code = re.sub(r"[\s-]", "", typed).upper()
    found = _look(code, at) if _CODE.fullmatch(code) else None
    if found is None:
        _count_miss(bucket, at)
        raise NotFound(
            "Tidak ada surat dengan kode itu.",
            "Periksa lagi kode di dekat tanda tangan. Bila tetap tidak ada, hubungi kantor kami.",
        )
    return found


def half_hidden(name: str) -> str:
    """ "Sitti Aminah" is "Si*** Am****": enough for who holds her card beside it. Of a short word less than half is shown."""
    return " ".join(word[: min(2, len(word) // 2)] + "*" * max(3, len(word) - 2) for word in name.split())


def _look(code: str, at: datetime) -> Checked | None:
    with transaction():
        letter = db.session.scalar(sa.select(Letter).where(Letter.check_code == code))
        if letter is None:
            return None
        _note_check(letter.id, at)
        return Checked(
            number=letter.number or "",
            day=letter.day,
            kind=letter.title,
            person=half_hidden(letter.case.applicant.name),
            state=current_state(letter, at),
            valid_until=letter.valid_until,
            code=code,
        )


def _note_check(letter_id: str, at: datetime) -> None:
    """Count the check. The journal tells of the first on a day, the second, fourth, eighth …, and on the next day how many there were:
    whoever presses reload fills no disk, and no check is forgotten."""
    rows = cast("sa.Table", Letter.__table__)
    same = rows.c.id == letter_id
    before = db.session.execute(sa.select(rows.c.checked_on, rows.c.checked_count).where(same).with_for_update()).one()
    today = office_day(at)
    count = before.checked_count + 1 if before.checked_on == today else 1
    # Past the row's version: a check is no change that a form must know of.
    db.session.execute(sa.update(rows).where(same).values(checked_on=today, checked_count=count))
    if count & (count - 1):
        return
    detail: dict[str, object] = {"kali": count}
    if count == 1 and before.checked_on is not None:
        detail["sebelumnya"] = {"hari": before.checked_on, "kali": before.checked_count}
    audit.record("periksa_surat", f"letter:{letter_id}", by=None, account_id="nobody", at=at, detail=detail)


def _require_patience(bucket: str, at: datetime) -> None:
    row = db.session.get(SignInAttempt, (SUBJECT, bucket))
    if row is None or _forgiven(row, at):
        return
    verdict = throttle.judge(row.misses, row.last_at, at, known_device=True)
    if not verdict.may_try:
        raise TooManyAttempts(verdict.wait, "Terlalu banyak kode yang tidak ada.")


def _forgiven(row: SignInAttempt, at: datetime) -> bool:
    return at - row.last_at >= FORGIVEN


def _count_miss(bucket: str, at: datetime) -> None:
    try:
        _add_miss(bucket, at)
    except Duplicate:
        _add_miss(bucket, at)  # two first misses at the same moment


def _add_miss(bucket: str, at: datetime) -> None:
    with transaction() as session:
        row = session.get(SignInAttempt, (SUBJECT, bucket), with_for_update=True)
        if row is None:
            session.add(SignInAttempt(subject=SUBJECT, device_id=bucket, misses=1, last_at=at))
        else:
            row.misses, row.last_at = (1 if _forgiven(row, at) else row.misses + 1), at
