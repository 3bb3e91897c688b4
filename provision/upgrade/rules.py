"""When an upgrade must not begin. Pure: facts in, all refusals at once out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from provision.upgrade.journal import number_of, version_of

SILENCE = timedelta(seconds=60)
SETTLED_MAINS = timedelta(minutes=10)
LEAST_CHARGE = 30
SPARE_BYTES = 300_000_000
KEPT_FOR = timedelta(days=14)


@dataclass(frozen=True)
class Power:
    """What the watcher says: `at` when, `mains` None when unknown, `charge` in percent, `back` the end of the last outage."""

    at: datetime | None = None
    mains: bool | None = None
    charge: int | None = None
    back: datetime | None = None


@dataclass(frozen=True)
class Data:
    """The database: whether it opens, its revision, whether the new program knows that, and its bytes."""

    opens: bool
    revision: str
    known: bool
    size: int


@dataclass(frozen=True)
class Facts:
    """What is looked at before anything changes. `power` is None on a node without a UPS; `starts` are the versions that the new
    release may be put over (None: any older one); `busy` names what else is under way; sizes and room in bytes."""

    old: str
    new: str
    at: datetime
    power: Power | None
    data: Data
    starts: tuple[str, ...] | None = None
    busy: str = ""
    release_bytes: int = 0
    free_program: int = 0
    free_copy: int = 0
    cold: bool = False


@dataclass(frozen=True)
class Refusal:
    """Why not, and what to do. `later`: it goes away by itself."""

    text: str
    hint: str
    later: bool = False


def refusals(facts: Facts) -> list[Refusal]:
    """Everything that speaks against beginning now."""
    rules: tuple[Callable[[Facts], Refusal | None], ...] = (_busy, _older, _jump, _power, _newer_data, _broken_data, _cold, _room)
    return [found for rule in rules if (found := rule(facts))]


def _busy(facts: Facts) -> Refusal | None:
    if not facts.busy:
        return None
    return Refusal(f"Sedang berjalan: {facts.busy}.", "Tunggu sampai selesai, lalu ulangi.", later=True)


def _older(facts: Facts) -> Refusal | None:
    old, new = version_of(facts.old), version_of(facts.new)
    if number_of(new) >= number_of(old):
        return None
    return Refusal(
        f"Versi {new} lebih lama daripada yang terpasang ({old}).",
        "Untuk kembali ke versi sebelumnya: sudo slrt rollback",
    )


def _jump(facts: Facts) -> Refusal | None:
    old, new = version_of(facts.old), version_of(facts.new)
    if facts.starts is None or old in facts.starts or old == new:
        return None
    listed = ", ".join(facts.starts) or "tidak ada"
    return Refusal(
        f"Versi {new} tidak dapat dipasang langsung di atas versi {old}; boleh dari: {listed}.",
        "Pasang dahulu versi di antaranya.",
    )


def _power(facts: Facts) -> Refusal | None:
    power = facts.power
    if power is None:
        return None
    if power.at is None or facts.at - power.at > SILENCE:
        return Refusal(
            "Pengawas listrik tidak melapor.", "Jalankan: sudo systemctl restart slrt-watcher, lalu ulangi.", later=True
        )
    if power.mains is False:
        return Refusal("Listrik padam; simpul memakai baterai.", "Tunggu sampai listrik menyala, lalu ulangi.", later=True)
    if power.charge is not None and power.charge < LEAST_CHARGE:
        return Refusal(
            f"Baterai UPS baru terisi {power.charge} %.", f"Tunggu sampai sedikitnya {LEAST_CHARGE} %, lalu ulangi.", later=True
        )
    if power.back is not None and timedelta(0) <= facts.at - power.back < SETTLED_MAINS:
        return Refusal("Listrik baru menyala kembali.", "Tunggu 10 menit sejak listrik menyala, lalu ulangi.", later=True)
    return None


def _newer_data(facts: Facts) -> Refusal | None:
    if not facts.data.opens or facts.data.known:
        return None
    return Refusal(
        f"Basis data memakai susunan {facts.data.revision}, lebih baru daripada yang dikenal versi {version_of(facts.new)}.",
        "Pasang versi program yang sama atau lebih baru daripada yang terakhir dipakai.",
    )


def _broken_data(facts: Facts) -> Refusal | None:
    if facts.data.opens or facts.cold:
        return None
    return Refusal(
        "Basis data tidak dapat dibuka, jadi tidak dapat dicadangkan lebih dahulu.",
        "Periksa: sudo slrt database check. Bila pembaruan memang obatnya: sudo slrt upgrade --cold (disalin apa adanya).",
    )


def _cold(facts: Facts) -> Refusal | None:
    if not facts.cold or not facts.data.opens:
        return None
    return Refusal("Basis data dapat dibuka, jadi --cold tidak diperlukan.", "Ulangi tanpa --cold.")


def _room(facts: Facts) -> Refusal | None:
    copy = 2 * facts.data.size + SPARE_BYTES
    short = [
        f"{folder} perlu {needed / 1e6:.0f} MB, ada {free / 1e6:.0f} MB"
        for folder, needed, free in (
            ("/opt/slrt", facts.release_bytes, facts.free_program),
            ("/var/lib", copy, facts.free_copy),
        )
        if free < needed
    ]
    if not short:
        return None
    return Refusal(f"Ruang disk kurang: {'; '.join(short)}.", "Kosongkan disk itu, lalu ulangi.")


def needs_backup(last_good: datetime | None, at: datetime) -> bool:
    """Whether a backup has to be made first: there is none of today, by the clock of `at`'s zone."""
    return last_good is None or last_good.astimezone(at.tzinfo).date() != at.date()


def is_over(kept_since: datetime, at: datetime) -> bool:
    """Whether the release before this one and its copy of the database have been kept long enough."""
    return at - kept_since > KEPT_FOR
