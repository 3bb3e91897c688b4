"""Trying the sheet: a person types its last groups. Right or wrong, the journal says who tried."""

from __future__ import annotations

from datetime import datetime

from appliance import audit
from appliance.access import Actor
from appliance.config import Settings
from appliance.database import transaction
from appliance.errors import Conflict, InvalidInput, NotAllowed
from appliance.models.roles import Role
from appliance.recovery import record


def prove(settings: Settings, typed: str, *, by: Actor, at: datetime) -> None:
    """Note that the sheet is there and right. Raises NotAllowed, Conflict (no passphrase noted), InvalidInput."""
    if not by.has(Role.ADMIN):
        raise NotAllowed("Lembar pemulihan diuji oleh admin.", "Bila Anda memerlukannya, mintalah kepada admin.")
    sheet = record.read(settings)
    if sheet is None:
        raise Conflict("Lembar pemulihan belum dibuat.", "Cetak di server: sudo slrt backup key sheet --to /root/lembar.pdf")
    fits = sheet.fits(typed)
    with transaction():
        audit.record("backup.sheet-proved" if fits else "backup.sheet-wrong", f"sheet:{sheet.fingerprint}", by=by, at=at)
        if fits:
            record.note_proved(settings, at)
    if not fits:
        raise InvalidInput(
            {
                "groups": "Tidak sama dengan kata sandi yang dipakai sekarang. Periksa ketikan, dan apakah sidik pada lembar "
                f"adalah {sheet.fingerprint}; bila bukan, itu lembar kata sandi lama: cetak yang baru."
            }
        )
