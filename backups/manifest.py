"""What one complete backup holds, written as its last archive: its presence says that the run ended and was verified.

A short summary travels in the archive's comment, so that a list of backups needs one question to the repository.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from backups.errors import RepositoryDamaged

FORMAT = 3
NAME = "manifest.json"


@dataclass(frozen=True)
class Summary:
    """The line of a list: `at` aware UTC, `bytes` the size of what can be restored, `added` what the repository grew,
    `folders` the names of those that are in it, `guarded` the rows of the tables that must not become empty, `piece` the bytes of the
    blocks that a database file was cut into (0: it was none)."""

    at: datetime
    bytes: int
    added: int
    folders: tuple[str, ...] = ()
    guarded: Mapping[str, int] = field(default_factory=dict)
    piece: int = 0

    def comment(self) -> str:
        """As an archive's comment. Without braces, which borg would take for placeholders."""
        rows = [[name, number] for name, number in self.guarded.items()]
        flat = {"at": self.at.isoformat(), "bytes": self.bytes, "added": self.added, "folders": self.folders, "rows": rows}
        return json.dumps({**flat, "piece": self.piece})[1:-1]

    @staticmethod
    def from_comment(comment: str) -> Summary | None:
        """None when the comment is not one of ours."""
        try:
            found = json.loads(f"{{{comment}}}")
            at = datetime.fromisoformat(found["at"])
            rows = {str(name): int(number) for name, number in found.get("rows", [])}
            folders, piece = tuple(found["folders"]), int(found.get("piece", 8192))
            return Summary(at, int(found["bytes"]), int(found["added"]), folders, rows, piece)
        except (ValueError, KeyError, TypeError):
            return None


@dataclass(frozen=True)
class Manifest:
    """`database` is the stored file's name, `sha256` its hash, `counts` rows of each table; `folders` → (files, bytes).

    `tables` is a hash of each table's rows, empty where it was not taken that night. `kind` is "sqlite" or "postgresql"; `method` how the snapshot was had: freeze, copy or dump.
    `position` is its place in SQLite's log, empty where that is not known.
    """

    run: int
    at: datetime
    node: str
    kind: str
    method: str
    database: str
    sha256: str
    database_bytes: int
    counts: Mapping[str, int]
    folders: Mapping[str, tuple[int, int]]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    tables: Mapping[str, str] = field(default_factory=dict)
    position: str = ""
    format: int = FORMAT

    def to_bytes(self) -> bytes:
        """As stored."""
        return json.dumps({**dataclasses.asdict(self), "at": self.at.isoformat()}, indent=1).encode()

    @staticmethod
    def from_bytes(content: bytes) -> Manifest:
        """Raises RepositoryDamaged when this program cannot understand it."""
        try:
            found: dict[str, Any] = json.loads(content)
            if found["format"] > FORMAT:
                raise RepositoryDamaged(
                    "Cadangan ini dibuat oleh versi program yang lebih baru.",
                    "Pasang versi program yang sama atau lebih baru, lalu ulangi.",
                )
            folders = {name: (int(files), int(size)) for name, (files, size) in found.pop("folders").items()}
            return Manifest(at=datetime.fromisoformat(found.pop("at")), folders=folders, **found)
        except (ValueError, KeyError, TypeError) as error:
            raise RepositoryDamaged(
                "Catatan isi cadangan tidak dapat dibaca.", "Pakai cadangan sebelumnya: slrt backup list"
            ) from error

    @property
    def bytes(self) -> int:
        """Size of everything that a restore writes."""
        return self.database_bytes + sum(size for _, size in self.folders.values())
