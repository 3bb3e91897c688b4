"""What `slrt backup` does around the library when something is brought back: a restore's care for the machine.

Root stops and starts the services and puts secrets in their place; the restoring itself is done by the service user, in a process
of its own that may read every file (a repository on a foreign disk belongs to a foreign user id) and write only its own.
"""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import click
from cryptography.hazmat.primitives import serialization

from appliance.commands.backup_plan import AUDIT_KEY, Handed, plan_of
from appliance.commands.door import Door
from appliance.commands.handing_over import SLRT, words_of_owner
from appliance.config import Settings
from appliance.custody import holdings, is_apart, settle, settle_restored
from appliance.errors import ApplianceError, Conflict
from appliance.models.columns import new_id
from appliance.restoration.states import note_for
from backups.files import write_whole
from backups.restore import EVERYTHING, SECRETS, Choice, Restored, revert
from backups.restore import in_place as replace_data

SERVICES = ("slrt-web.socket", "slrt-web.service", "slrt-scheduler.service", "slrt-backup.path", "slrt-backup.service")
AFTERWARDS = ("slrt-certificate.service", "slrt.target", "slrt-web.socket", "slrt-backup.path", "slrt-scheduler.service")


def make_target(settings: Settings, to: Path) -> None:
    """As root, make the folder `to` and give it to the service user, who will fill it. Never one with something in it."""
    if os.geteuid() != 0:
        return
    if to.is_symlink() or (to.exists() and (not to.is_dir() or any(to.iterdir()))):
        raise Conflict(f"Folder {to} sudah ada isinya.", "Sebutkan folder baru atau folder kosong.")
    owner = Path(settings.paths.data).stat()
    to.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.chown(to, owner.st_uid, owner.st_gid)


@contextmanager
def services_stopped() -> Iterator[None]:
    """As root on a machine with systemd, the services that use the data are off meanwhile, and on afterwards in any case: also when
    the terminal goes away, or somebody ends us."""
    if os.geteuid() != 0 or not Path("/run/systemd/system").is_dir():
        yield
        return
    click.echo("Menghentikan layanan web dan penjadwal", err=True)
    # what we start is as deaf to a terminal that goes away as we are
    before = {signal.SIGHUP: signal.signal(signal.SIGHUP, signal.SIG_IGN), signal.SIGTERM: signal.signal(signal.SIGTERM, _end)}
    ended = False
    try:
        _systemctl("stop", *SERVICES)
        yield
        ended = True
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        with suppress(OSError):  # nobody may be there to read it
            click.echo("Menjalankan layanan kembali", err=True)
        start_services(wait=ended)
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


def start_services(*, wait: bool) -> None:
    """Everything that uses the data. Where something is left unfinished they wait for it themselves, and for us: then without `wait`."""
    for unit in AFTERWARDS:
        _systemctl("start", *([] if wait else ["--no-block"]), unit)


def start_what_a_killed_one_stopped(settings: Settings) -> None:
    """After root's unit has ended, however it did. An upgrade that has closed the node meanwhile starts them itself."""
    closed = Path(f"{settings.paths.runtime}-upgrade") / "closed"
    on = subprocess.run(["systemctl", "is-active", "--quiet", "slrt-web.socket"], check=False).returncode == 0
    if not on and not closed.exists():
        start_services(wait=False)


def _systemctl(*words: str) -> None:
    ended = subprocess.run(["systemctl", *words], capture_output=True, text=True, check=False)
    if ended.returncode != 0 and words[0] == "stop" and "not loaded" not in ended.stderr:
        raise ApplianceError(f"Layanan tidak dapat dihentikan: {ended.stderr.strip()}", "Periksa: systemctl status slrt.target")


@dataclass(frozen=True)
class Errand:
    """What somebody wants back: a backup by its number, from a folder unless from our own repository, how much of it, who and why."""

    number: str
    folder: Path | None = None
    choice: Choice = EVERYTHING
    by: str = ""
    reason: str = ""


def in_place(
    settings: Settings, handed: Handed, errand: Errand, stop: Callable[[], bool], say: Callable[[str], None]
) -> Restored:
    """Put a backup in the place of the data. Raises BackupError, and Conflict for one that this program is too old for."""

    def prepare(staged: Path) -> dict[str, Any]:
        relock(staged / settings.identity.name, handed.repository, handed.node)
        told = {"id": new_id(), "by": errand.by, "reason": errand.reason, "part": str(errand.choice.part)}
        note = note_for(settings, staged, told)
        settle_restored(settings, staged)
        return note

    return replace_data(plan_of(settings, handed, errand.folder), errand.number, prepare, stop, say, errand.choice)


def put_back(settings: Settings, handed: Handed, errand: Errand, say: Callable[[str], None]) -> Path:
    """Take the last restore back; the folder with what was there until now."""

    def prepare(kept: Path) -> dict[str, Any]:
        if handed.former:
            # for `adopt_audit_key`, as if it came with a backup
            (kept / SECRETS).mkdir(mode=0o700, exist_ok=True)
            write_whole(kept / SECRETS / AUDIT_KEY, f"{handed.former}\n".encode())
        told = {"id": new_id(), "by": errand.by, "reason": errand.reason, "part": "revert"}
        return note_for(settings, kept, told, replaced=True)

    return revert(plan_of(settings, handed), prepare, say)


def require_unused(settings: Settings) -> None:
    """Raises Conflict while any process has the database open, as far as we may see: root sees all."""
    users = users_of(settings.database_file)
    if users:
        raise Conflict(
            f"Basis data sedang dipakai program lain ({', '.join(users)}).",
            "Hentikan layanan dahulu, atau jalankan sebagai root.",
        )


def users_of(file: Path) -> list[str]:
    """Names of the processes that have the file open, as far as we may see."""
    if not file.exists():
        return []
    wanted, users = file.stat(), []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if process.name != str(os.getpid()) and any(_is(handle, wanted) for handle in (process / "fd").iterdir()):
                users.append(f"{(process / 'comm').read_text().strip()} {process.name}")
    return users


def _is(handle: Path, wanted: os.stat_result) -> bool:
    try:
        return os.path.samestat(handle.stat(), wanted)
    except OSError:
        return False


def relock(identity: Path, old: str, new: str) -> None:
    """Encrypt the private keys of a restored identity with this node's passphrase in place of the other's."""
    if old == new or not identity.is_dir():
        return
    for file in identity.glob("*.key"):
        try:
            key = serialization.load_pem_private_key(file.read_bytes(), old.encode())
        except (ValueError, TypeError):
            continue  # not encrypted, or not with this passphrase: whoever needs it says so
        locked = serialization.BestAvailableEncryption(new.encode())
        content = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
        # with the rights it had: who makes the backups may go on reading it
        write_whole(file, content, stat.S_IMODE(file.stat().st_mode))


def fit_machine(door: Door) -> None:
    """After a restore: the secrets that came with it, and tables of this program's version."""
    secrets = Path(door.settings.paths.secrets)
    if not os.access(secrets, os.W_OK):
        return
    adopt_audit_key(Path(door.settings.paths.data), secrets)
    if is_apart(door.settings):
        settle(holdings(door.settings))
    click.echo("Menyesuaikan tabel dengan versi program ini", err=True)
    upgrade = [
        *words_of_owner(Path(door.settings.paths.data)),
        *SLRT,
        "--config",
        str(door.config_file.absolute()),
        "database",
        "upgrade",
        "--without-backup",
    ]
    # what it says goes to standard error: an answer for a program must stand alone
    if subprocess.run(upgrade, check=False, cwd="/", umask=0o027, stdout=sys.stderr).returncode != 0:
        raise ApplianceError(
            "Data sudah dipulihkan, tetapi tabelnya belum cocok dengan program ini.", "Jalankan: sudo slrt database upgrade"
        )


def adopt_audit_key(data: Path, secrets: Path) -> None:
    """The audit chain of the restored data was made with the other machine's key: take it over, keep the old one beside."""
    copies = sorted(data.glob(f"before-restore-*/{SECRETS}"), key=lambda path: int(path.parent.name.rpartition("-")[2]))
    if not copies or not (copies[-1] / AUDIT_KEY).is_file():
        return
    # Opened without following links: the folder belongs to the service user, and we may be root.
    handle = os.open(copies[-1] / AUDIT_KEY, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(handle, encoding="ascii") as file:
        brought = file.read(1000).strip()
    present = secrets / AUDIT_KEY
    if brought and brought.isalnum() and brought != present.read_text(encoding="ascii").strip():
        shutil.copy2(present, secrets / f"{AUDIT_KEY}.{copies[-1].parent.name}")
        write_whole(present, f"{brought}\n".encode())
        click.echo("Kunci jejak audit diambil dari cadangan; kunci lama disimpan di sampingnya.", err=True)
    shutil.rmtree(copies[-1])
