"""The list of backups. It is read from the repository each time: there is no second record that could disagree.

A run with the number N leaves the archives db-N and att-N (of a server also base-N), and ok-N as the last: only then it counts. Numbers rise and are never
taken from a clock, so that a clock set wrong cannot reorder anything.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from backups.borg import Engine, Stored
from backups.errors import NoSuchArchive
from backups.manifest import NAME, Manifest, Summary

LATEST = {"terakhir", "latest"}
ARCHIVE = re.compile(r"(db|base|att|ok)-(\d+)")


@dataclass(frozen=True)
class Run:
    """One run in the repository. `summary` is None for one that never became complete."""

    number: int
    archives: tuple[str, ...]
    summary: Summary | None

    @property
    def complete(self) -> bool:
        """Whether it can be restored."""
        return self.summary is not None


def runs(stored: Sequence[Stored]) -> list[Run]:
    """The runs behind a list of archives, by rising number. Checkpoints of killed runs belong to their run."""
    archives: dict[int, list[str]] = {}
    summaries: dict[int, Summary | None] = {}
    for archive in stored:
        if found := ARCHIVE.match(archive.name):
            number = int(found[2])
            archives.setdefault(number, []).append(archive.name)
            if archive.name == f"ok-{number}":
                summaries[number] = Summary.from_comment(archive.comment)
    return [Run(number, tuple(archives[number]), summaries.get(number)) for number in sorted(archives)]


def list_runs(engine: Engine) -> list[Run]:
    """All runs in the repository, the newest last."""
    return runs(engine.archives())


def find(known: Sequence[Run], wanted: str) -> Run:
    """The complete run that a person names by its number or as the latest. Raises NoSuchArchive."""
    complete = [run for run in known if run.complete]
    if wanted in LATEST and complete:
        return complete[-1]
    for run in complete:
        if wanted == str(run.number):
            return run
    if not complete:
        raise NoSuchArchive("Belum ada cadangan yang lengkap di repositori ini.", "Buat sekarang: slrt backup run")
    raise NoSuchArchive(f"Tidak ada cadangan lengkap dengan nomor {wanted}.", "Lihat daftarnya: slrt backup list")


def read_manifest(engine: Engine, run: Run) -> Manifest:
    """What a complete run holds."""
    return Manifest.from_bytes(engine.read_bytes(f"ok-{run.number}", NAME))
