"""What is known of the recovery sheet without knowing what stands on it: since when the passphrase is in use, when it was tried.

The last groups are kept as a slow hash with a salt, so that a page can check what a person types from the paper. Whoever breaks
the hash has 40 of 140 bits.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from appliance.config import Settings
from backups.files import write_whole
from backups.passphrase import LOOKALIKES, last_groups

NAME = "sheet.json"
SCRYPT = {"n": 2**14, "r": 8, "p": 1}


@dataclass(frozen=True)
class Sheet:
    """`fingerprint` tells sheets apart (also printed), `since` when this passphrase came, the others when last, if ever."""

    fingerprint: str
    since: datetime
    salt: str
    check: str
    printed_at: datetime | None = None
    proved_at: datetime | None = None

    def fits(self, typed: str) -> bool:
        """Whether these are the last groups."""
        plain = typed.upper().translate(LOOKALIKES)
        return hmac.compare_digest(_hash(plain, self.salt), self.check)


def file_of(settings: Settings) -> Path:
    """Where the record is kept, by the service user."""
    return Path(settings.paths.data) / "backup" / NAME


def fingerprint_of(passphrase: str) -> str:
    """Eight hexadecimal digits that tell which passphrase a sheet belongs to."""
    return hashlib.sha256(passphrase.encode()).hexdigest()[:8]


def read(settings: Settings) -> Sheet | None:
    """The record; None while there is none or it is unreadable."""
    try:
        found = json.loads(file_of(settings).read_bytes())
        for name in ("since", "printed_at", "proved_at"):
            found[name] = datetime.fromisoformat(found[name]) if found[name] else None
        return Sheet(**found)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def note_passphrase(settings: Settings, passphrase: str, at: datetime) -> Sheet:
    """The record of this passphrase, begun anew when it is another than before. Raises OSError."""
    known = read(settings)
    if known and known.fingerprint == fingerprint_of(passphrase):
        return known
    salt = secrets.token_hex(16)
    sheet = Sheet(fingerprint_of(passphrase), at, salt, _hash(last_groups(passphrase), salt))
    _write(settings, sheet)
    return sheet


def note_printed(settings: Settings, at: datetime) -> None:
    """The sheet was printed."""
    if (sheet := read(settings)) is not None:
        _write(settings, replace(sheet, printed_at=at))


def note_proved(settings: Settings, at: datetime) -> None:
    """Somebody typed the last groups from the paper."""
    if (sheet := read(settings)) is not None:
        _write(settings, replace(sheet, proved_at=at))


def _write(settings: Settings, sheet: Sheet) -> None:
    content = {key: value.isoformat() if isinstance(value, datetime) else value for key, value in asdict(sheet).items()}
    file_of(settings).parent.mkdir(mode=0o700, exist_ok=True)
    write_whole(file_of(settings), json.dumps(content, indent=1).encode())


def _hash(plain: str, salt: str) -> str:
    return hashlib.scrypt(plain.encode(), salt=bytes.fromhex(salt), dklen=32, **SCRYPT).hex()
