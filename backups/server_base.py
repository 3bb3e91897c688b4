"""A physical base of a PostgreSQL server, and a spare server that is brought forward from it to a moment.

The base lies in the repository beside the nightly dump, which stays what a restore of a night uses. The spare server listens on a socket
in a folder of its own, is asked for a dump, and is thrown away: so what comes back is brought in the way every dump is.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode, urlsplit, urlunsplit

from backups import postgresql
from backups.errors import BackupError, EngineMissing, Mismatch
from backups.postgresql import PROGRAMS, Server
from backups.process import Stop, check, end, run
from backups.server_carrier import system_of
from backups.server_segments import Place

TAR = "base.tar"
LABEL, VERSION = "backup_label", "PG_VERSION"
BEGIN = re.compile(r"^START WAL LOCATION: \S+ \(file ([0-9A-F]{24})\)$", re.MULTILINE)
TOO_EARLY_TO_STOP = "recovery ended before configured recovery target was reached"
OWN_SETTINGS = {
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_permissions": "0700",
    "hot_standby": "off",
    "recovery_target_action": "promote",
    "recovery_target_timeline": "latest",
    "archive_mode": "off",
    "jit": "off",
    "dynamic_shared_memory_type": "mmap",
    "logging_collector": "off",
    "log_destination": "stderr",
    "lc_messages": "C",
}
# Thrown away when it was asked.
OWN_SETTINGS |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
OWN_FILES = ("postgresql.auto.conf", "pg_ident.conf", "standby.signal", "postmaster.pid", "postmaster.opts")
POLL_SECONDS = 0.2


def take_base(server: Server, folder: Path, stop: Stop) -> Place:
    """Write the base of a running server to `folder`/base.tar. Its place in the log. Raises BackupError."""
    with server.connect() as connection:
        program = postgresql.program("pg_basebackup", connection.info.server_version // 10000)
        system = system_of(connection)
    words = ["--pgdata", str(folder), "--format=tar", "--wal-method=none", "--checkpoint=fast", "--no-password", "--no-manifest"]
    ended = run([program, *words, "--dbname", server.bare_url], environment=server.environment, stop=stop)
    if ended.code != 0:
        raise BackupError(f"Pangkal fisik PostgreSQL tidak dapat dibuat ({postgresql.last_words(ended)}).")
    if [file.name for file in folder.glob("*.tar*")] != [TAR]:
        raise BackupError("Basis data PostgreSQL memakai tablespace sendiri, yang tidak didukung catatan berkelanjutan.")
    with tarfile.open(folder / TAR) as tar:
        label = tar.extractfile(LABEL)
        begun = BEGIN.search((label or io.BytesIO()).read().decode())
    if begun is None:
        raise Mismatch("Pangkal fisik PostgreSQL tidak menyebut tempatnya dalam log.")
    return Place(system, begun[1], datetime.now(UTC))


@dataclass(frozen=True)
class Spare:
    """A spare server in its folder: the unpacked base in `data`, the segments in `segments`; `url` is that of the real one."""

    folder: Path
    url: str

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def segments(self) -> Path:
        return self.folder / "segments"


def prepare(spare: Spare, tar: Path, moment: datetime | None) -> None:
    """Unpack the base, and let it be brought forward to a moment, or to the end of the segments. Raises OSError."""
    spare.segments.mkdir(mode=0o700, exist_ok=True)
    with tarfile.open(tar) as content:
        # of Python's releases the older ones know no filters, the newer ones want one; it is our own, out of the sealed repository
        content.extractall(spare.data, **({"filter": "tar"} if hasattr(tarfile, "tar_filter") else {}))  # type: ignore[arg-type]  # noqa: S202
    spare.data.chmod(0o700)
    for name in OWN_FILES:
        (spare.data / name).unlink(missing_ok=True)
    (spare.data / "pg_hba.conf").write_text("local all all trust\n")
    (spare.data / "recovery.signal").touch()
    _configure(spare, moment)


def _configure(spare: Spare, moment: datetime | None) -> None:
    target = {"recovery_target_time": moment.astimezone(UTC).isoformat()} if moment else {}
    restore = {"restore_command": f'cp "{spare.segments}/%f" "%p"'}
    lines = [
        f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n" for name, value in {**OWN_SETTINGS, **restore, **target}.items()
    ]
    (spare.data / "postgresql.conf").write_text("".join(lines))


@contextmanager
def brought_forward(spare: Spare, stop: Stop) -> Iterator[Server]:
    """The spare server, running, when it has come as far as it shall. Raises Mismatch with what it said, EngineMissing, Stopped."""
    # a socket's path must be short
    sockets = Path(tempfile.mkdtemp(prefix="slrt-pg-"))
    try:
        process = _start(spare, sockets)
        try:
            if not _has_arrived(process, spare, sockets, stop) and TOO_EARLY_TO_STOP in _said(spare):
                # nothing was committed after that moment: everything there is belongs to it
                _configure(spare, None)
                process = _start(spare, sockets)
                _has_arrived(process, spare, sockets, stop)
            if process.poll() is not None:
                raise Mismatch(f"PostgreSQL tidak dapat dibawa maju ({_last_said(spare)}).")
            yield _at(spare, sockets)
        finally:
            end(process)
    finally:
        shutil.rmtree(sockets, ignore_errors=True)


def _start(spare: Spare, sockets: Path) -> subprocess.Popen[bytes]:
    major = (spare.data / VERSION).read_text().strip()
    program = PROGRAMS / major / "bin" / "postgres"
    if not program.exists():
        raise EngineMissing(
            f"Server PostgreSQL {major} tidak ada di mesin ini.", f"Pasang paketnya: apt install postgresql-{major}"
        )
    if os.geteuid() == 0:
        raise BackupError("PostgreSQL menolak berjalan sebagai root.", "Jalankan sebagai pengguna layanan: setpriv atau sudo -u.")
    with (spare.folder / "server.log").open("wb") as said:
        return subprocess.Popen(
            [str(program), "-D", str(spare.data), "-k", str(sockets)],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            cwd=spare.data,
            start_new_session=True,
        )


def _has_arrived(process: subprocess.Popen[bytes], spare: Spare, sockets: Path, stop: Stop) -> bool:
    """Wait until it takes questions, which it does at the end; False when it ended."""
    import psycopg

    while process.poll() is None:
        check(stop)
        try:
            with psycopg.connect(_at(spare, sockets).url, connect_timeout=5) as connection:
                if connection.execute("SELECT pg_is_in_recovery()").fetchone() == (False,):
                    return True
        except psycopg.OperationalError:
            pass
        time.sleep(POLL_SECONDS)
    return False


def _at(spare: Spare, sockets: Path) -> Server:
    """The same database and user at the spare server's socket."""
    parts = urlsplit(spare.url)
    user = parts.username or ""
    return Server(urlunsplit(parts._replace(netloc=f"{user}@" if user else "", query=urlencode({"host": str(sockets)}))))


def _said(spare: Spare) -> str:
    return (spare.folder / "server.log").read_text(errors="replace")


def _last_said(spare: Spare) -> str:
    lines = [line for line in _said(spare).splitlines() if "FATAL" in line or "PANIC" in line]
    return (lines or _said(spare).splitlines() or ["berakhir"])[-1][-200:]
