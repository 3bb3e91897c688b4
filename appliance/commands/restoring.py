"""What `slrt backup` does around the library: plans from settings, errors to kinds, and a restore's care for the machine.

Root stops and starts the services and puts secrets in their place; the restoring itself is done by the service user, in a process
of its own that may read every file (a repository on a foreign disk belongs to a foreign user id) and write only its own.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pwd
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import time
from pathlib import Path
from typing import Any

import click
from cryptography.hazmat.primitives import serialization

from appliance.commands.door import Door
from appliance.config import Settings
from appliance.custody import holdings, is_apart, keepers_folder, settle, settle_restored, working_state
from appliance.errors import ApplianceError, ConfigurationError, Conflict, NotFound, TryLater
from appliance.gate import Gate
from appliance.models.columns import new_id
from appliance.restoration.states import note_for
from backups import errors
from backups.exchange import replaced
from backups.files import write_whole
from backups.passphrase import read_typed
from backups.restore import EVERYTHING, SECRETS, Choice, Restored, revert
from backups.restore import in_place as replace_data
from backups.settings import Plan, Retention

GUARDED = ("person", "family", "case")
PASSPHRASE, SECOND, AUDIT_KEY = "backup-passphrase", "backup-second-passphrase", "audit-key"
# What is done as the user that makes the backups; all else that is handed over brings data back, as their owner.
KEEPERS = (["list"], ["disk"], ["key", "seconds"], ["key", "rekey"])
SERVICES = ("slrt-web.socket", "slrt-web.service", "slrt-scheduler.service", "slrt-backup.path", "slrt-backup.service")
AFTERWARDS = ("slrt-certificate.service", "slrt.target", "slrt-web.socket", "slrt-backup.path", "slrt-scheduler.service")
SLRT = [sys.executable, "-c", "from appliance.cli import main; main()"]
KINDS: dict[type[errors.BackupError], type[ApplianceError]] = {
    errors.Busy: TryLater,
    errors.Stopped: TryLater,
    errors.EngineMissing: ConfigurationError,
    errors.RepositoryMissing: ConfigurationError,
    errors.WrongPassphrase: ConfigurationError,
    errors.NoSuchArchive: NotFound,
}


@dataclass(frozen=True)
class Source:
    """Where a backup comes from when not from this node's own repository. `handed` is a descriptor with the secrets."""

    folder: Path | None = None
    passphrase_file: Path | None = None
    handed: int | None = None


OWN = Source()


@dataclass(frozen=True)
class Handed:
    """The secrets a backup command works with: of the repository, and of this node. `former` is the audit key that what the last
    restore replaced was sealed with, where it brought another one."""

    repository: str = field(repr=False)
    node: str = field(repr=False)
    audit_key: str = field(repr=False)
    second: str = field(default="", repr=False)
    former: str = field(default="", repr=False)

    @classmethod
    def read(cls, door: Door, source: Source = OWN) -> Handed:
        """From the descriptor a root process handed over, else from the node's secrets and the file that was named."""
        if source.handed is not None:
            with os.fdopen(source.handed, "rb") as pipe:
                return cls(**json.load(pipe))
        node = door.secret(PASSPHRASE)
        used = _passphrase(source.passphrase_file) if source.passphrase_file else node
        second = Path(door.settings.paths.secrets) / SECOND
        second_passphrase = door.secret(SECOND) if os.access(second, os.R_OK) else ""
        return cls(used, node, door.secret(AUDIT_KEY), second_passphrase, _former_key(door.settings))

    def as_bytes(self) -> bytes:
        """For the descriptor."""
        return json.dumps(dataclasses.asdict(self)).encode()


def _former_key(settings: Settings) -> str:
    """What `adopt_audit_key` set aside at the last restore; empty when it changed nothing, or may not be read."""
    kept = replaced(Path(settings.paths.data))
    try:
        return (Path(settings.paths.secrets) / f"{AUDIT_KEY}.{kept[-1].name}").read_text(encoding="ascii").strip() if kept else ""
    except OSError:
        return ""


def _passphrase(file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"Berkas kata sandi {file} tidak dapat dibaca.", "Periksa nama dan hak aksesnya.") from error
    if not text:
        raise ConfigurationError(f"Berkas kata sandi {file} kosong.", "Isi dengan kata sandi dari lembar pemulihan.")
    with translated():
        return read_typed(text)


def plan_of(settings: Settings, handed: Handed, repository: Path | None = None) -> Plan:
    """The library's plan for this node, or for another's repository."""
    kept = settings.backup
    data = Path(settings.paths.data)
    return Plan(
        data=data,
        repository=repository.absolute() if repository else Path(kept.repository),
        state=working_state(settings),
        passphrase=handed.repository,
        second_passphrase=handed.second if repository is None else "",
        database=str(settings.database_file.relative_to(data)),
        database_url=settings.database.url.replace("postgresql+psycopg://", "postgresql://", 1),
        # Not the exports: a list of people that is to be gone in a day must not live on for years in the repository.
        folders=(settings.attachments.name, settings.identity.name),
        secrets={AUDIT_KEY: handed.audit_key},
        retention=Retention(kept.keep_daily, kept.keep_weekly, kept.keep_monthly, kept.keep_yearly),
        zone=settings.zone,
        node=settings.node.hostname,
        guarded=tuple(f"public.{name}" if settings.database.url else name for name in GUARDED),
    )


def gate_of(settings: Settings) -> Gate:
    """The gate between work and a shutdown."""
    return Gate(Path(settings.paths.runtime) / "gate.lock", Path(settings.power.runtime) / "state.json")


def time_of(settings: Settings) -> time:
    """The local time of the nightly backup."""
    return time.fromisoformat(settings.backup.time)


@contextmanager
def translated() -> Iterator[None]:
    """An error of the library becomes one of ours, of the kind that has the right exit code."""
    try:
        yield
    except errors.BackupError as error:
        raise KINDS.get(type(error), ApplianceError)(error.message, error.hint) from error


def make_target(settings: Settings, to: Path) -> None:
    """As root, make the folder `to` and give it to the service user, who will fill it. Never one with something in it."""
    if os.geteuid() != 0:
        return
    if to.is_symlink() or (to.exists() and (not to.is_dir() or any(to.iterdir()))):
        raise Conflict(f"Folder {to} sudah ada isinya.", "Sebutkan folder baru atau folder kosong.")
    owner = Path(settings.paths.data).stat()
    to.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.chown(to, owner.st_uid, owner.st_gid)


def hand_over(door: Door, source: Source, command: Sequence[str], handed: Handed | None = None) -> bool:
    """As root, run `slrt backup <command>` as the user that makes the backups, or where it writes the data (a restore) as their
    owner, and return True; as anybody else return False. It gets the secrets of the source, or those in `handed`.

    Exits with the exit code of that process when it failed: it has said what was wrong.
    """
    keepers = any(list(command[: len(words)]) == words for words in KEEPERS)
    service = words_of_owner(keepers_folder(door.settings) if keepers else Path(door.settings.paths.data))
    if not service:
        return False
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as pipe:
        pipe.write((handed or Handed.read(door, source)).as_bytes())
    foreign = ["--repository", str(source.folder.absolute())] if source.folder else []
    ended = subprocess.run(
        [
            *service,
            *SLRT,
            "--config",
            str(door.config_file.absolute()),
            "backup",
            *command,
            *foreign,
            f"--handed={reading}",
        ],
        pass_fds=[reading],
        cwd="/",
        check=False,
        umask=0o027,
    )
    os.close(reading)
    if ended.returncode != 0:
        sys.exit(ended.returncode if ended.returncode > 0 else 1)
    return True


def words_of_owner(folder: Path) -> list[str]:
    """As root, the words before a command that make it that of the folder's owner, with one right of root's left: to read what
    others own. Nothing for anybody else, nor where root owns it himself."""
    owner, right = folder.stat(), "dac_read_search"
    if os.geteuid() != 0 or owner.st_uid == 0:
        return []
    words = ["setpriv", f"--reuid={owner.st_uid}", f"--regid={_own_group(owner)}", "--init-groups"]
    if _may_read_everything():
        words += [f"--inh-caps=-all,+{right}", f"--ambient-caps=-all,+{right}", f"--bounding-set=-all,+{right}"]
    return words


def _own_group(owner: os.stat_result) -> int:
    """The group of the user himself, not of the folder, which may be for others to read."""
    try:
        return pwd.getpwuid(owner.st_uid).pw_gid
    except KeyError:
        return owner.st_gid


def _may_read_everything() -> bool:
    """Whether this process has CAP_DAC_READ_SEARCH (bit 2); a container may take it away even from root."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return any(int(line.split()[1], 16) & 1 << 2 for line in lines if line.startswith("CapBnd:"))


@contextmanager
def services_stopped() -> Iterator[None]:
    """As root on a machine with systemd, the services that use the data are off meanwhile, and on afterwards in any case."""
    if os.geteuid() != 0 or not Path("/run/systemd/system").is_dir():
        yield
        return
    click.echo("Menghentikan layanan web dan penjadwal", err=True)
    _systemctl("stop", *SERVICES)
    try:
        yield
    finally:
        click.echo("Menjalankan layanan kembali", err=True)
        for unit in AFTERWARDS:
            _systemctl("start", unit)


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
