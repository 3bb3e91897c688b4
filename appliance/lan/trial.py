"""A new address on trial: it is added beside the old one, and goes away by itself unless somebody says at it that it works.

While it is on trial nothing is written that the next start would read: a machine that is switched off, or whose programs are killed,
is back at the old address. Only what was confirmed is written for good; that is carried through to its end, also by the next start.
"""

from __future__ import annotations

import fcntl
import hmac
import json
import os
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Interface
from pathlib import Path
from typing import Any

from appliance.config import Settings
from appliance.errors import ApplianceError, Conflict
from appliance.lan import managers
from appliance.lan.rules import Present, Wanted, why_pointless
from backups.files import sync_folder, write_whole

SECONDS = 60
READY_SECONDS = 120  # until the certificate of the new address is made; then the time to confirm begins
TRIAL, BEFORE, TOLD, SEEN = "trial.json", "before.json", "told.json", "seen.json"
UNDO_TIMER = "slrt-lan-undo.timer"
AGAIN = "Bila perlu, mulai lagi dari halaman Jaringan atau dengan: sudo slrt network set"


@dataclass(frozen=True)
class Trial:
    """An address on trial. `token` opens the page that confirms; `boot` and `until` (seconds since boot) say when it ends.

    `keeping`: it was confirmed and is being written for good.
    """

    wanted: Wanted
    card: str
    manager: str
    added: bool
    by: str
    token: str
    boot: str
    until: float
    ends_at: datetime
    keeping: bool = False

    def is_over(self) -> bool:
        """Whether the time to confirm has passed, or the machine was switched off meanwhile."""
        return self.boot != _boot() or self.is_late()

    def is_late(self) -> bool:
        """Whether the time to confirm has passed. All that the pages can tell: which boot it is, they do not see."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) >= self.until

    def fits(self, token: str) -> bool:
        """Whether this is the word that confirms it."""
        return hmac.compare_digest(self.token.encode(), token.encode())


@dataclass(frozen=True)
class Told:
    """How the last change went."""

    at: datetime
    ok: bool
    text: str
    next_step: str = ""


def folder_of(settings: Settings) -> Path:
    """Where root keeps what it knows of the network."""
    return Path(settings.network.state)


@contextmanager
def only_one(settings: Settings) -> Iterator[None]:
    """One at a time changes the network."""
    folder = folder_of(settings)
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def begin(settings: Settings, wanted: Wanted, by: str) -> Trial:
    """Put an address on trial. As root, with `only_one`. Raises Conflict, TryLater, ApplianceError; then nothing has changed."""
    if read_trial(settings) is not None:
        raise Conflict("Perubahan alamat lain sedang menunggu konfirmasi.", "Tunggu satu menit, lalu ulangi.")
    present = managers.look(settings.network.interface)
    _refuse(wanted, present)
    added = wanted.host not in {one.split("/")[0] for one in present.addresses}
    if added and managers.is_used_by_another(present.card, wanted.address.ip):
        raise Conflict(f"Alamat {wanted.host} sudah dipakai perangkat lain di jaringan ini.", "Pilih alamat lain yang bebas.")
    token = secrets.token_urlsafe(16)
    trial = _timed(Trial(wanted, present.card, present.manager, added, by, token, "", 0, datetime.now(UTC)), READY_SECONDS)
    _arm()  # first of all: whatever ends this program from here on, the timer comes
    _write(settings, trial)
    try:
        if added:
            managers.add_address(trial.card, wanted.address)
    except ApplianceError as error:
        undo(settings, trial, error.message)
        raise
    _renew_certificate()
    trial = _timed(trial, SECONDS)
    _write(settings, trial)
    _arm()
    return trial


def _refuse(wanted: Wanted, present: Present) -> None:
    if not present.manager:
        raise Conflict(
            f"Kartu {present.card} tidak diatur oleh ifupdown, systemd-networkd atau NetworkManager.",
            "Atur alamatnya di tempat yang mengaturnya sekarang, atau di router kantor.",
        )
    if pointless := why_pointless(wanted, present):
        raise Conflict(pointless, "Tidak ada yang perlu diubah.")


def is_kept(settings: Settings, wanted: Wanted) -> bool:
    """Whether the machine has this address for good. As root."""
    present = managers.look(settings.network.interface)
    if why_pointless(wanted, present):
        return True
    if not present.manager or present.addresses != (str(wanted.address),):
        return False
    # a name server that the manager was told but does not use yet is no reason to set the address up again
    written = managers.texts_for(present.manager, present.card, wanted)
    return managers.read_texts(written) == written


def confirm(settings: Settings, trial: Trial) -> Told:
    """Keep the address for good, unless its time is over. As root, with `only_one`. Raises ApplianceError."""
    if trial.is_over():
        return undo(settings, trial, "Waktu untuk memastikan sudah lewat.")
    before = managers.read_texts(managers.texts_for(trial.manager, trial.card, trial.wanted))
    write_whole(folder_of(settings) / BEFORE, json.dumps(before).encode())
    trial = replace(trial, keeping=True)
    _write(settings, trial)
    return _keep(settings, trial)


def _keep(settings: Settings, trial: Trial) -> Told:
    """Write it for good and see that the machine takes it in; else put back what was there. May be repeated."""
    address = str(trial.wanted.address)
    try:
        managers.put_in_force(trial.manager, trial.card, managers.texts_for(trial.manager, trial.card, trial.wanted))
        there = managers.wait_for_address(trial.card, address)
        trouble = "" if there else f"Kartu {trial.card} tidak memakai alamat itu."
    except ApplianceError as error:
        trouble = error.message
    if trouble:
        before: managers.FileTexts = json.loads((folder_of(settings) / BEFORE).read_bytes())
        managers.put_in_force(trial.manager, trial.card, before)
        told = Told(
            datetime.now(UTC), False, f"Alamat {trial.wanted.host} tidak jadi dipakai; yang lama kembali. {trouble}", AGAIN
        )
    else:
        told = Told(datetime.now(UTC), True, f"Simpul ini sekarang memakai alamat tetap {address}.", _afterwards(settings, trial))
    return _ended(settings, told)


def _afterwards(settings: Settings, trial: Trial) -> str:
    shared = settings.power.lan_address
    if shared and shared != trial.wanted.host:
        return f"UPS masih dibagikan di {shared}: jalankan ./install.sh --ups-lan {trial.wanted.host} dan ubah di komputer lain."
    return "Cetak kartu alamat yang baru dan ganti yang lama di ruang pelayanan."


def undo(settings: Settings, trial: Trial, why: str) -> Told:
    """Back to the old address. As root, with `only_one`."""
    if trial.added:
        managers.remove_address(trial.card, trial.wanted.address)
    return _ended(settings, Told(datetime.now(UTC), False, f"Alamat {trial.wanted.host} tidak jadi dipakai. {why}", AGAIN))


def settle(settings: Settings) -> Told | None:
    """Carry through what was confirmed, take back what was not in time. As root, with `only_one`, at every start and by the timer."""
    trial = read_trial(settings)
    if trial is None:
        return None
    if trial.keeping:
        return _keep(settings, trial)
    if trial.boot != _boot():
        return undo(settings, trial, "Mesin mati sebelum alamat itu dipastikan.")
    return undo(settings, trial, "Tidak dipastikan dalam satu menit.") if trial.is_over() else None


def tell(settings: Settings, told: Told) -> None:
    """Write down how a change went, for the page."""
    write_whole(folder_of(settings) / TOLD, json.dumps({**asdict(told), "at": told.at.isoformat()}).encode(), 0o644)


def _ended(settings: Settings, told: Told) -> Told:
    folder = folder_of(settings)
    tell(settings, told)
    (folder / TRIAL).unlink(missing_ok=True)
    sync_folder(folder)
    subprocess.run(["systemctl", "stop", UNDO_TIMER], capture_output=True, check=False)
    _renew_certificate()
    write_seen(settings)
    return told


def write_seen(settings: Settings) -> Present:
    """Write down how the node is on the network now: the pages cannot look themselves."""
    present = managers.look(settings.network.interface)
    write_whole(folder_of(settings) / SEEN, json.dumps(asdict(present)).encode(), 0o644)
    return present


def read_seen(settings: Settings) -> Present | None:
    """How the node was on the network when root looked last; None before that."""
    found = _read(folder_of(settings) / SEEN)
    try:
        return Present(**{**found, "addresses": tuple(found["addresses"]), "dns": tuple(found["dns"])})
    except (TypeError, KeyError):
        return None


def read_told(settings: Settings) -> Told | None:
    """How the last change ended; None when there was none."""
    found = _read(folder_of(settings) / TOLD)
    try:
        return Told(datetime.fromisoformat(found["at"]), bool(found["ok"]), found["text"], found["next_step"])
    except (TypeError, KeyError, ValueError):
        return None


def read_trial(settings: Settings) -> Trial | None:
    """The address on trial; None when there is none."""
    found = _read(folder_of(settings) / TRIAL)
    try:
        wanted = found.pop("wanted")
        address = Wanted(IPv4Interface(wanted["address"]), wanted["gateway"], tuple(wanted["dns"]))
        return Trial(**{**found, "wanted": address, "ends_at": datetime.fromisoformat(found["ends_at"])})
    except (TypeError, KeyError, ValueError):
        return None


def _write(settings: Settings, trial: Trial) -> None:
    """The trial on the disk, for root and the pages only: it holds the word that confirms."""
    told = {**asdict(trial), "ends_at": trial.ends_at.isoformat()}
    told["wanted"] = {"address": str(trial.wanted.address), "gateway": trial.wanted.gateway, "dns": trial.wanted.dns}
    path = folder_of(settings) / TRIAL
    write_whole(path, json.dumps(told).encode(), 0o600)
    os.chown(path, -1, Path(settings.paths.runtime).stat().st_gid)
    path.chmod(0o640)


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _timed(trial: Trial, seconds: float) -> Trial:
    until, ends_at = time.clock_gettime(time.CLOCK_BOOTTIME) + seconds, datetime.now(UTC) + timedelta(seconds=seconds)
    return replace(trial, boot=_boot(), until=until, ends_at=ends_at)


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _arm() -> None:
    """Have the keeper come when the time is over, whatever becomes of this process. Raises ApplianceError."""
    done = subprocess.run(["systemctl", "restart", UNDO_TIMER], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ApplianceError(
            f"Pengatur waktu pembatalan tidak dapat dinyalakan: {done.stderr.strip()}", "Ulangi ./install.sh, lalu coba lagi."
        )


def _renew_certificate() -> None:
    """A certificate that names the addresses of now. Should it fail, its own timer tells and tries again."""
    subprocess.run(["systemctl", "start", "slrt-certificate.service"], capture_output=True, check=False)
