"""Trying a sheet: a person types its last groups. Right or wrong, the journal says who tried which paper."""

from __future__ import annotations

from datetime import datetime

from appliance import audit
from appliance.access import Actor
from appliance.config import Settings
from appliance.database import transaction
from appliance.errors import Conflict, InvalidInput, NotAllowed
from appliance.models.roles import Role
from appliance.recovery import record
from appliance.recovery.record import Check, Paper


def prove(settings: Settings, paper: str, typed: str, *, by: Actor, at: datetime) -> None:
    """Note that the paper is there and right. Raises NotAllowed, Conflict (no passphrase noted), InvalidInput."""
    if not by.has(Role.ADMIN):
        raise NotAllowed("Lembar pemulihan diuji oleh admin.", "Bila Anda memerlukannya, mintalah kepada admin.")
    sheet = record.read(settings)
    if sheet is None:
        raise Conflict("Lembar pemulihan belum dibuat.", "Cetak di server: sudo slrt backup key sheet --to /root/lembar.pdf")
    if paper not in sheet.papers:
        raise InvalidInput({"paper": "Pilih lembar mana yang diuji."})
    which = Paper(paper)
    check = sheet.check_of(which)
    assert check is not None  # noqa: S101  a paper of this sheet
    _try(settings, which, check, typed, by, at)


def prove_at_terminal(settings: Settings, which: Paper, typed: str, *, at: datetime) -> None:
    """The same by root at the machine's own terminal. Raises Conflict, InvalidInput."""
    sheet = record.read(settings)
    check = sheet.check_of(which) if sheet else None
    if check is None:
        raise Conflict("Lembar itu belum dicetak.", "Cetak: sudo slrt backup key sheet --to /root/lembar.pdf")
    _try(settings, which, check, typed, None, at)


def _try(settings: Settings, which: Paper, check: Check, typed: str, by: Actor | None, at: datetime) -> None:
    fits = check.fits(typed)
    with transaction():
        action = "backup.sheet-proved" if fits else "backup.sheet-wrong"
        audit.record(action, f"sheet:{check.fingerprint}", by=by, at=at, detail={"paper": which.value})
        if fits:
            record.note_proved(settings, which, by.username if by else "root", at)
    if not fits:
        raise InvalidInput({"groups": not_the_same(check)}, not_the_same(check))


def not_the_same(check: Check) -> str:
    """What to tell who typed something else."""
    return (
        "Tidak sama dengan kata sandi yang dipakai sekarang. Periksa ketikan, dan apakah sidik pada lembar "
        f"adalah {check.fingerprint}; bila bukan, itu lembar kata sandi lama: cetak yang baru."
    )
