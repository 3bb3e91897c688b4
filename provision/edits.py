"""Files of ours that somebody edited by hand: noticed by the digest of what we wrote, kept aside before we write again.

And the difference between what is there and what shall be, for a plan. What others may not read is never shown.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime

from provision.change import STAMPS, Change, File, file_of
from provision.host import Host
from provision.journal import FOLDER

NOTES = f"{STAMPS}/written.json"
ASIDE = f"{FOLDER}/edited"
OTHERS_READ = 0o004


def diff(change: Change, host: Host) -> str:
    """What performing the change would alter in a file that is there, as a unified diff; empty when it alters none.

    Of a file that not everybody may read it only says that it differs.
    """
    file = file_of(change, host)
    old = host.read(file.path) if file is not None else None
    if file is None or old is None or old == file.content:
        return ""
    entry = host.look(file.path)
    if not (file.mode & OTHERS_READ and entry is not None and entry.mode & OTHERS_READ):
        return f"{file.path}: isinya berbeda (rahasia, tidak ditampilkan)\n"
    texts = (_lines(old), _lines(file.content))
    return "".join(difflib.unified_diff(*texts, fromfile=f"{file.path} (sekarang)", tofile=f"{file.path} (menjadi)"))


class Written:
    """What we wrote on one machine: path → digest, kept there."""

    def __init__(self, host: Host) -> None:
        self._host = host
        try:
            self._notes: dict[str, str] = json.loads(host.read(NOTES) or b"{}")
        except ValueError:
            self._notes = {}

    def is_edited(self, change: Change) -> bool:
        """Whether the file that the change writes is neither what it shall be nor what we wrote."""
        file = file_of(change, self._host)
        known = self._notes.get(file.path) if file is not None else None
        content = self._host.read(file.path) if file is not None and known else None
        return file is not None and content not in (None, file.content) and _digest(content or b"") != known

    def keep_aside(self, change: Change) -> str:
        """Keep an edited file, readable by root alone. Gives where; empty when it was not edited."""
        file = file_of(change, self._host)
        if file is None or not self.is_edited(change):
            return ""
        kept = f"{ASIDE}{file.path}.{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        File(kept, self._host.read(file.path) or b"", 0o600).perform(self._host)
        return kept

    def note(self, changes: Iterable[Change]) -> None:
        """Remember the digests of these files, which hold now: also of one that a run wrote which was killed before it came here."""
        files = [file for file in (file_of(change, self._host) for change in changes) if file is not None]
        new = {file.path: _digest(file.content) for file in files}
        if new.items() <= self._notes.items():
            return
        self._notes |= new
        File(NOTES, json.dumps(self._notes, indent=0, sort_keys=True).encode() + b"\n", 0o600).perform(self._host)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _lines(content: bytes) -> list[str]:
    return [f"{line}\n" for line in content.decode(errors="replace").splitlines()]
