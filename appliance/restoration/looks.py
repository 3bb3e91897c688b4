"""Cases as they were, laid out for whoever asked on the pages: each in a file that only the service reads, gone after half an hour.

The file is made by root's order as the service user. Its age is that of the file itself, so that nothing has to have run for it to
end: what is too old, or younger than now, is not read any more, and the scheduler erases it, also after a cut.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from appliance import audit
from appliance.access import Actor, scope
from appliance.casework.case_detail import CaseDetail, case_detail
from appliance.casework.moving import case_not_found
from appliance.config import Settings
from appliance.custody import restores_of
from appliance.database import db, transaction
from appliance.errors import NotFound
from appliance.models.case import Case
from backups.files import write_whole

FOLDER = "looks"
LIFE = timedelta(minutes=30)
# A clock that was put right by less than this is no reason to lose a look.
SLACK = timedelta(minutes=1)
_NAME = re.compile(r"[\w-]{20,40}")


@dataclass(frozen=True)
class KeptLook:
    """What `slrt backup show-case --json` said: a case as it was at `taken_at` by backup `run`, for the account `username`."""

    name: str
    username: str
    run: int
    taken_at: datetime
    ends_at: datetime
    case: Mapping[str, Any]


def keep(settings: Settings, answer: Mapping[str, Any], username: str) -> str:
    """Lay a look out; its name. What the same person looked at before goes. Only as the service user: the folder is hers."""
    folder = _folder(settings)
    folder.parent.mkdir(mode=0o750, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    for file in folder.iterdir():
        if _username_in(file) == username:
            file.unlink(missing_ok=True)
    name = secrets.token_urlsafe(18)
    content = {"username": username, "run": answer["run"], "taken_at": answer["taken_at"], "case": answer["case"]}
    write_whole(folder / name, json.dumps(content, ensure_ascii=False).encode())
    return name


def read(settings: Settings, name: str, *, by: Actor, at: datetime) -> KeptLook:
    """A look of her own that has not ended. Raises NotFound for any other."""
    file = _folder(settings) / name
    if _NAME.fullmatch(name) and (made := _made_at(file)) and not _is_over(made, at):
        with suppress(OSError, ValueError, KeyError):
            found = json.loads(file.read_bytes())
            if found["username"] == by.username:
                taken_at = datetime.fromisoformat(found["taken_at"])
                return KeptLook(name, by.username, int(found["run"]), taken_at, made + LIFE, found["case"])
    raise NotFound("Keadaan lama ini sudah ditutup atau lewat 30 menit.", "Mintalah lagi di halaman Keadaan dahulu.")


def is_there(settings: Settings, name: str, *, by: Actor, at: datetime) -> bool:
    """Whether a look of hers can still be read."""
    try:
        return read(settings, name, by=by, at=at).username == by.username
    except NotFound:
        return False


def open_look(settings: Settings, name: str, *, what: str, by: Actor, at: datetime) -> tuple[KeptLook, CaseDetail | None]:
    """A look of her own, and the case as it is today: None for one that is gone. `what` is done with it stands in the journal.

    Raises NotFound for a case that is not hers any more.
    """
    look = read(settings, name, by=by, at=at)
    case_id = look.case["line"]["id"]
    case = db.session.scalar(scope(sa.select(Case).where(Case.id == case_id), Case, by))
    if case is None and db.session.scalar(sa.select(Case.id).where(Case.id == case_id)):
        raise case_not_found()
    today = case_detail(case, by, at) if case else None
    with transaction():
        audit.record("lihat-cadangan", f"case:{case_id}", by=by, at=at, detail={"cadangan": look.run, "tindakan": what})
    return look, today


def close(settings: Settings, name: str, *, by: Actor, at: datetime) -> None:
    """Erase a look of her own. Raises NotFound when it has gone already."""
    read(settings, name, by=by, at=at)
    (_folder(settings) / name).unlink(missing_ok=True)


def remove_ended(settings: Settings, at: datetime) -> int:
    """Erase what is over, and what a killed process left half written; how many files went."""
    ended = [file for file, made in _files(settings) if _is_over(made, at)]
    for file in ended:
        file.unlink(missing_ok=True)
    return len(ended)


def _folder(settings: Settings) -> Path:
    return restores_of(settings) / FOLDER


def _files(settings: Settings) -> Iterator[tuple[Path, datetime]]:
    with suppress(OSError):
        for file in list(_folder(settings).iterdir()):
            if made := _made_at(file):
                yield file, made


def _made_at(file: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(file.stat().st_mtime, UTC)
    except OSError:
        return None


def _is_over(made: datetime, at: datetime) -> bool:
    return not -SLACK <= at - made < LIFE


def _username_in(file: Path) -> str:
    with suppress(OSError, ValueError, KeyError):
        return str(json.loads(file.read_bytes())["username"])
    return ""
