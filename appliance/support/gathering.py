"""What goes into a support file: each section is a question to a program or a file, bounded in time and length. Runs as root."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from appliance import __version__, custody
from appliance.care import readings
from appliance.config import Settings
from appliance.database import newest_revision
from appliance.doctor.examining import LONG_SECONDS, PROGRAMS, run
from appliance.power import journal as power_journal
from backups import book

LONGEST = 1_500_000  # characters of a section; of a longer one the end counts
LINES = 400
UNITS = ("slrt-*", "nut-*", "chrony*", "dnsmasq*", "nftables*")
INSTALL = Path("/var/lib/slrt-install")
INSTALL_LOG = Path("/var/log/slrt-install.log")


@dataclass(frozen=True)
class Section:
    """A file of the support file: its name, what it holds in a sentence, and how it is found out."""

    name: str
    title: str
    read: Callable[[], str]


def sections(settings: Settings, config_file: Path, days: int) -> list[Section]:
    """Everything that goes in; nothing is asked before `read` is called."""
    slrt = [f"{PROGRAMS}/slrt", "--config", str(config_file)]
    state = custody.state_of(settings)
    return [
        Section("versi.txt", "versi program, Debian, kernel dan tabel", versions),
        Section("status.json", "keadaan menurut slrt status", lambda: said(*slrt, "status", "--json")),
        Section("doctor.json", "temuan slrt doctor", lambda: said(*slrt, "doctor", "--json", seconds=LONG_SECONDS)),
        Section("layanan.txt", "layanan dan pewaktu", services),
        Section("jurnal.txt", f"catatan layanan {days} hari terakhir", lambda: "\n".join(service_lines(days))),
        Section("kernel.txt", "peringatan kernel sejak mesin menyala", kernel),
        Section("pengaturan.toml", "pengaturan tanpa rahasia", lambda: text_of(config_file)),
        Section("perangkat.json", "hasil baca perangkat keras", lambda: text_of(Path(settings.paths.care) / readings.FILE)),
        Section("ruang.txt", "ruang disk", lambda: said("df", "-P", "-BM", "-x", "tmpfs", "-x", "devtmpfs")),
        Section("cadangan.txt", "buku cadangan", lambda: last_lines(state / book.NAME)),
        Section("listrik.txt", "jurnal listrik", lambda: last_lines(Path(settings.power.state) / power_journal.JOURNAL_FILE)),
        Section("pemasangan.txt", "langkah dan catatan pemasangan", installation),
    ]


def said(*command: str, seconds: int = 120) -> str:
    """What a program printed; when it failed, with its code and its complaint."""
    ended = run(command, seconds)
    return ended.out if ended.code == 0 else f"{ended.out}\n(kode {ended.code}) {ended.err}".strip()


def text_of(file: Path) -> str:
    """The text of a file; why not, when it cannot be read.

    Follows no link: some of the files are in folders of services, which must not choose what root reads for them.
    """
    try:
        handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, encoding="utf-8", errors="replace") as stream:
            return end_of(stream.read())
    except OSError as error:
        return f"(tidak terbaca: {error.strerror})"


def end_of(text: str) -> str:
    """The end of a text of whole lines: half a number or name at a cut would be known to no mask."""
    return text if len(text) <= LONGEST else text[-LONGEST:].partition("\n")[2]


def last_lines(file: Path) -> str:
    """The end of a file of lines."""
    return "\n".join(text_of(file).splitlines()[-LINES:])


def versions() -> str:
    """The versions of everything that matters."""
    release = text_of(Path("/usr/lib/os-release")).partition("PRETTY_NAME=")[2].partition("\n")[0]
    return "\n".join(
        (
            f"slrt {__version__}, Python {sys.version.split()[0]}, dibuat {datetime.now(UTC):%Y-%m-%dT%H:%M}Z",
            f"sistem {release}, kernel {platform.release()} {platform.machine()}",
            f"rilis {Path('/opt/slrt/current').resolve().name}",
            f"tabel {newest_revision()} menurut program",
        )
    )


def services() -> str:
    """Our units and timers, and what they say of themselves."""
    listed = said("systemctl", "list-units", "--all", "--full", "--plain", "--no-pager", "--no-legend", *UNITS)
    timers = said("systemctl", "list-timers", "--all", "--no-pager", "slrt-*")
    failed = said("systemctl", "--failed", "--full", "--plain", "--no-pager", "--no-legend")
    return f"{listed}\n\n{timers}\n\ngagal:\n{failed}"


def service_lines(days: int) -> Iterator[str]:
    """The journal of our units. The moment is written in a form that no mask takes for a number."""
    wanted = [f"--unit={unit}" for unit in UNITS]
    told = run(["journalctl", "--output=json", "--no-pager", "--quiet", f"--since=-{days}d", "--lines=20000", *wanted])
    for line in told.out.splitlines():
        with suppress(ValueError, KeyError, TypeError):
            entry = json.loads(line)
            at = datetime.fromtimestamp(int(entry["__REALTIME_TIMESTAMP"]) / 1e6, UTC)
            yield f"{at:%dd%mm%Yy %Hh%Mm%Ss} {entry.get('_SYSTEMD_UNIT', '')}: {entry['MESSAGE']}"


def kernel() -> str:
    """What the kernel warned of."""
    return said("journalctl", "--dmesg", "--boot", "--priority=warning", "--output=cat", "--no-pager", "--quiet")


def installation() -> str:
    """The journals of steps, and the end of the installation's log."""
    found = [f"== {file.name}\n{last_lines(file)}" for file in sorted(INSTALL.glob("*.json*")) if file.is_file()]
    return "\n".join([*found, f"== {INSTALL_LOG.name}", last_lines(INSTALL_LOG)])
