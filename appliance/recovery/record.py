"""What is known of the recovery sheet without knowing what stands on it: since when the passphrase is in use, which paper was tried.

The last groups are kept as a slow hash with a salt, so that a page can check what a person types from the paper. Whoever breaks
the hash has 40 of 140 bits. Who makes the backups writes down the passphrases, whoever serves the pages what was tried: two files.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from appliance.config import Settings
from appliance.custody import state_of
from backups.files import write_whole
from backups.passphrase import LOOKALIKES, last_groups

NAME, PROOFS, PROOFS_FOLDER = "sheet.json", "proofs.json", "recovery"
SCRYPT = {"n": 2**14, "r": 8, "p": 1}


class Paper(StrEnum):
    """The sheets that are printed; the value is in files and forms."""

    OFFICE = "kantor"
    DISTRICT = "ti"
    SECOND = "kedua"


@dataclass(frozen=True)
class Check:
    """One passphrase: `fingerprint` tells sheets apart (also printed), the others recognise its last groups."""

    fingerprint: str
    salt: str
    hash: str

    def fits(self, typed: str) -> bool:
        """Whether these are the last groups."""
        plain = typed.upper().translate(LOOKALIKES)
        return hmac.compare_digest(_hash(plain, self.salt), self.hash)


@dataclass(frozen=True)
class Sheet:
    """`since` is when the first passphrase came; `second` None where there is none; `proved` when each paper was last tried."""

    first: Check
    since: datetime
    second: Check | None = None
    printed_at: datetime | None = None
    proved: Mapping[Paper, datetime] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """Of the first passphrase."""
        return self.first.fingerprint

    @property
    def papers(self) -> tuple[Paper, ...]:
        """The papers there should be."""
        return (Paper.OFFICE, Paper.DISTRICT, Paper.SECOND) if self.second else (Paper.OFFICE, Paper.DISTRICT)

    def check_of(self, paper: Paper) -> Check | None:
        """What stands on that paper."""
        return self.second if paper is Paper.SECOND else self.first


def file_of(settings: Settings) -> Path:
    """Where the passphrases are written down, by who makes the backups."""
    return state_of(settings) / NAME


def proofs_of(settings: Settings) -> Path:
    """Where is written down what was tried, by the service user."""
    return Path(settings.paths.data) / PROOFS_FOLDER / PROOFS


def fingerprint_of(passphrase: str) -> str:
    """Eight hexadecimal digits that tell which passphrase a sheet belongs to."""
    return hashlib.sha256(passphrase.encode()).hexdigest()[:8]


def read(settings: Settings) -> Sheet | None:
    """The record; None while there is none or it is unreadable."""
    try:
        found = json.loads(file_of(settings).read_bytes())
        first = Check(str(found["fingerprint"]), str(found["salt"]), str(found["check"]))
        second = Check(**found["second"]) if found.get("second") else None
        printed = datetime.fromisoformat(found["printed_at"]) if found["printed_at"] else None
        sheet = Sheet(first, datetime.fromisoformat(found["since"]), second, printed)
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return replace(sheet, proved=_proved(sheet, _proofs(settings)))


def note_passphrase(settings: Settings, passphrase: str, at: datetime) -> Sheet:
    """The record of this passphrase, begun anew when it is another than before. Raises OSError."""
    known = read(settings)
    if known and known.fingerprint == fingerprint_of(passphrase):
        return known
    sheet = Sheet(_check(passphrase), at, known.second if known else None)
    _write(settings, sheet)
    return sheet


def note_printed(settings: Settings, second: str, at: datetime) -> None:
    """The sheets were printed, also that of the second passphrase unless it is empty. Raises OSError."""
    sheet = read(settings)
    if sheet is None:
        return
    known = sheet.second
    if not second:
        known = None
    elif known is None or known.fingerprint != fingerprint_of(second):
        known = _check(second)
    _write(settings, replace(sheet, second=known, printed_at=at))


def note_proved(settings: Settings, paper: Paper, by: str, at: datetime) -> None:
    """Somebody (`by` names the account) typed the last groups from this paper. Raises OSError."""
    sheet = read(settings)
    check = sheet.check_of(paper) if sheet else None
    if check is None:
        return
    proofs = {**_proofs(settings), paper.value: {"fingerprint": check.fingerprint, "at": at.isoformat(), "by": by}}
    file = proofs_of(settings)
    file.parent.mkdir(mode=0o750, exist_ok=True)
    write_whole(file, json.dumps(proofs, indent=1).encode(), 0o640)


def _proofs(settings: Settings) -> dict[str, Any]:
    try:
        found = json.loads(proofs_of(settings).read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _proved(sheet: Sheet, proofs: Mapping[str, Any]) -> dict[Paper, datetime]:
    """When each paper was tried that carries a passphrase of today."""
    proved = {}
    for paper in sheet.papers:
        check, found = sheet.check_of(paper), proofs.get(paper.value)
        try:
            if check and found and found["fingerprint"] == check.fingerprint:
                proved[paper] = datetime.fromisoformat(found["at"])
        except (ValueError, TypeError, KeyError):
            continue
    return proved


def _check(passphrase: str) -> Check:
    salt = secrets.token_hex(16)
    return Check(fingerprint_of(passphrase), salt, _hash(last_groups(passphrase), salt))


def _write(settings: Settings, sheet: Sheet) -> None:
    content = {
        "fingerprint": sheet.first.fingerprint,
        "salt": sheet.first.salt,
        "check": sheet.first.hash,
        "since": sheet.since.isoformat(),
        "second": asdict(sheet.second) if sheet.second else None,
        "printed_at": sheet.printed_at.isoformat() if sheet.printed_at else None,
    }
    file_of(settings).parent.mkdir(mode=0o750, exist_ok=True)
    write_whole(file_of(settings), json.dumps(content, indent=1).encode(), 0o640)


def _hash(plain: str, salt: str) -> str:
    return hashlib.scrypt(plain.encode(), salt=bytes.fromhex(salt), dklen=32, **SCRYPT).hex()
