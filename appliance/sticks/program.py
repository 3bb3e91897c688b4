"""What a bare machine needs besides the backups: the signed bundle the node came from, and how to begin.

A node that was installed over a network has no bundle; then the stick carries the program's source, which needs a network again.
Written by root and owned by root: what a restore will run as root must not be something that the service could have changed.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import sys
import tarfile
from pathlib import Path

from backups.files import sync_tree, write_whole

FOLDER = "program"
ARRIVING = f".{FOLDER}.new"
NOTE = "BACA-SAYA.txt"
SUMS = "SHA256SUMS"
BUNDLES = Path("/var/lib/slrt-install/bundles")  # RELEASE.slrt, kept there by provision/open_bundle.sh
OPENER = "source/provision/open_bundle.sh"
SPARE = 64 << 20  # bytes that stay free for the backup itself
FULL = "Stik penuh: program untuk pemulihan belum tersalin."
NOTE_TEXT = """STIK CADANGAN SIMPUL SLRT - {office}

Stik ini berisi cadangan TERENKRIPSI. Tanpa kata sandi pada lembar pemulihan, isinya tidak dapat dibaca siapa pun.
Jangan mengubah, memindahkan atau menghapus berkas di sini. Jangan menulis kata sandi pada stik ini.

Memulihkan di mesin lain (Debian 12 atau 13, sebagai root):
 1. Pasang stik, lalu kaitkan hanya-baca:   mount -o ro,nosuid,nodev,noexec /dev/sdX /mnt
 2. Bila mesin itu belum menjadi simpul SLRT:
       bash /mnt/program/install.sh                (tanpa jaringan; semua yang perlu ada di stik ini)
    Bila berkas itu tidak ada, mesin itu memerlukan jaringan:
       mkdir /root/slrt && tar -xzf /mnt/program/slrt-*.tar.gz -C /root/slrt && bash /root/slrt/install.sh
 3. Tulis kata sandi dari lembar pemulihan ke berkas:   nano /root/sandi   (lalu chmod 600 /root/sandi)
 4. slrt backup list --repository /mnt/slrt --passphrase-file /root/sandi
 5. slrt backup restore terakhir --in-place --repository /mnt/slrt --passphrase-file /root/sandi
 6. Periksa dengan slrt status, lalu hapus berkasnya:   shred -u /root/sandi

Tanpa program SLRT, dengan program borg 1.2 atau lebih baru:
    export BORG_RELOCATED_REPO_ACCESS_IS_OK=yes
    borg list /mnt/slrt                      (ok-NOMOR = cadangan yang lengkap)
    borg extract /mnt/slrt::db-NOMOR         (basis data)
    borg extract /mnt/slrt::att-NOMOR        (lampiran dan identitas)

Bila berkas "config" rusak: kuncinya ada di slrt/kunci-terenkripsi.txt
    borg key import /mnt/slrt slrt/kunci-terenkripsi.txt    (pada salinan, bukan pada stik aslinya)
Kata sandi kedua (kepala dinas) membuka slrt/kunci-kedua.txt dengan cara yang sama.
"""


def carry(office: str, stick: Path, release: Path | None = None, bundles: Path = BUNDLES) -> str:
    """Put what the running release came from and the note on the mounted stick unless they are there.

    Returns a sentence when they do not fit. Raises OSError of a stick that fails.
    """
    release = release or release_folder()
    try:
        _write_note(stick, NOTE_TEXT.format(office=office).encode())
        if release is not None:
            _pack(stick / FOLDER, release, bundles / f"{release.name}.slrt")
    except OSError as error:
        shutil.rmtree(stick / ARRIVING, ignore_errors=True)  # half of it would take the room of the backups
        if error.errno == errno.ENOSPC:
            return FULL
        raise
    return ""


def release_folder() -> Path | None:
    """The installed release this process runs from; None in a checkout."""
    folder = Path(sys.prefix).resolve().parent
    return folder if (folder / "source" / "install.sh").is_file() and (folder / ".complete").exists() else None


def _write_note(stick: Path, content: bytes) -> None:
    note = stick / NOTE
    if not note.is_file() or note.read_bytes() != content:
        write_whole(note, content, 0o644)


def _pack(folder: Path, release: Path, bundle: Path) -> None:
    """The folder as it shall be for this release, with the sums of all in it; one that is whole already stays."""
    name = f"slrt-node-{release.name}.slrt" if bundle.is_file() else f"slrt-{release.name}.tar.gz"
    if (folder / name).exists():
        return
    arriving = folder.with_name(ARRIVING)
    shutil.rmtree(arriving, ignore_errors=True)
    arriving.mkdir(mode=0o755)
    if bundle.is_file():
        _copy_bundle(bundle, arriving / name)
        shutil.copyfile(release / OPENER, arriving / "install.sh")
    else:
        _pack_source(release, arriving / name)
    found = sorted(path for path in arriving.rglob("*") if path.is_file())
    lines = [f"{_sum(path)}  {path.relative_to(arriving)}\n" for path in found]
    (arriving / SUMS).write_text("".join(lines))
    sync_tree(arriving)
    shutil.rmtree(folder, ignore_errors=True)
    arriving.rename(folder)


def _copy_bundle(bundle: Path, target: Path) -> None:
    """Not onto a stick that would then have no room for a backup."""
    if shutil.disk_usage(target.parent).free < bundle.stat().st_size + SPARE:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    shutil.copyfile(bundle, target)


def _pack_source(release: Path, target: Path) -> None:
    with tarfile.open(target, "w:gz") as packed:
        packed.add(release / "source", arcname=".")


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
