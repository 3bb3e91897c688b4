"""What a bare machine needs besides the backups: the program's own source, beside what it was installed from, and how to begin.

Written by root and owned by root: what a restore will run as root must not be something that the service could have changed.
A later signed bundle takes the place of `pack`; nothing else knows what is in the folder.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import tarfile
from pathlib import Path

from backups.files import sync_tree, write_whole

FOLDER = "program"
NOTE = "BACA-SAYA.txt"
SUMS = "SHA256SUMS"
WHEELS = "wheels"
FULL = "Stik penuh: program untuk pemulihan belum tersalin."
NOTE_TEXT = """STIK CADANGAN SIMPUL SLRT - {office}

Stik ini berisi cadangan TERENKRIPSI. Tanpa kata sandi pada lembar pemulihan, isinya tidak dapat dibaca siapa pun.
Jangan mengubah, memindahkan atau menghapus berkas di sini. Jangan menulis kata sandi pada stik ini.

Memulihkan di mesin lain (Debian 12 atau 13, sebagai root):
 1. Pasang stik, lalu kaitkan hanya-baca:   mount -o ro,nosuid,nodev,noexec /dev/sdX /mnt
 2. Bila mesin itu belum menjadi simpul SLRT:
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


def carry(office: str, stick: Path, release: Path | None = None) -> str:
    """Put the running release and the note on the mounted stick unless they are there. Returns a sentence when they do not fit.

    Raises OSError of a stick that fails.
    """
    try:
        _write_note(stick, NOTE_TEXT.format(office=office).encode())
        _pack(stick / FOLDER, release or release_folder())
    except OSError as error:
        if error.errno == 28:
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


def _pack(folder: Path, release: Path | None) -> None:
    """The source as one file named after the release, the wheels if the node keeps any, and the sums of all."""
    if release is None or (folder / f"slrt-{release.name}.tar.gz").exists():
        return
    arriving = folder.with_name(f".{FOLDER}.new")
    shutil.rmtree(arriving, ignore_errors=True)
    arriving.mkdir(mode=0o755)
    with tarfile.open(arriving / f"slrt-{release.name}.tar.gz", "w:gz") as packed:
        packed.add(release / "source", arcname=".")
    wheels = release.parent.parent / WHEELS
    if wheels.is_dir():
        shutil.copytree(wheels, arriving / WHEELS)
    found = sorted(path for path in arriving.rglob("*") if path.is_file())
    lines = [f"{_sum(path)}  {path.relative_to(arriving)}\n" for path in found]
    (arriving / SUMS).write_text("".join(lines))
    sync_tree(arriving)
    shutil.rmtree(folder, ignore_errors=True)
    arriving.rename(folder)


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
