"""The support file itself: gathered, masked, and packed whole or not at all."""

from __future__ import annotations

import io
import os
import re
import tarfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from appliance.config import Settings
from appliance.doctor.examining import PROGRAMS, run
from appliance.errors import ApplianceError
from appliance.support.gathering import Section, end_of, sections
from appliance.support.masking import Mask, secrets_in
from backups.files import write_whole

PATTERN = "slrt-dukungan-*.tar.gz"
README = "BACA.txt"
KEPT = 3
# where the program speaks for itself: words that stand here are no names by themselves
SPEAKING = (
    "commands",
    "doctor",
    "care",
    "power",
    "drills",
    "recovery",
    "sticks",
    "support",
    "status.py",
    "scheduler.py",
    "scheduling",
    "gate.py",
)
FREE_TEXT = frozenset({"jurnal.txt", "kernel.txt", "pemasangan.txt"})
WITHOUT_NAMES = "(tidak disertakan: nama warga tidak dapat dibaca dari basis data, jadi tidak dapat disamarkan)"
INTRODUCTION = """Berkas dukungan simpul SLRT.

Isinya keadaan mesin dan programnya, tanpa data warga: NIK, nomor KK, nomor telepon, nama, alamat, surel, kata sandi dan kunci
diganti dengan [nomor], [nama], [alamat], [surel] dan [rahasia]. Periksa dahulu sebelum diserahkan kepada siapa pun.

"""


def gather(settings: Settings, config_file: Path, days: int) -> dict[str, str]:
    """Every section, masked: name → text. Without the names of the database what holds free text is left out."""
    mask, knows_names = _mask(settings, config_file)
    found = sections(settings, config_file, days)
    texts = {section.name: _masked(section, mask, knows_names) for section in found}
    told = "".join(f"{section.name:<18} {section.title}\n" for section in found)
    return {README: INTRODUCTION + told, **texts}


def _masked(section: Section, mask: Mask, knows_names: bool) -> str:
    if section.name in FREE_TEXT and not knows_names:
        return WITHOUT_NAMES
    return mask.apply(end_of(section.read()))


def _mask(settings: Settings, config_file: Path) -> tuple[Mask, bool]:
    """What is to be taken out, and whether the names are known."""
    asked = run([f"{PROGRAMS}/slrt", "--config", str(config_file), "database", "names"])
    folder = Path(settings.paths.secrets)
    contents = [file.read_text(errors="replace") for file in sorted(folder.glob("*")) if file.is_file()]
    return Mask(secrets_in(contents), frozenset(asked.out.split()), plain_words()), asked.code == 0


def plain_words() -> frozenset[str]:
    """The words that the program itself says."""
    root = Path(__file__).parents[1]
    files = [
        file for name in SPEAKING for file in ([root / name] if name.endswith(".py") else sorted((root / name).rglob("*.py")))
    ]
    files += sorted((root.parent / "backups").glob("*.py"))
    return frozenset(word for file in files for word in re.findall(r"[^\W\d_]{2,}", file.read_text(encoding="utf-8").casefold()))


def pack(texts: Mapping[str, str], name: str) -> bytes:
    """One tar.gz with a folder of that name."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for file, text in texts.items():
            content = text.encode()
            entry = tarfile.TarInfo(f"{name}/{file}")
            entry.size, entry.mode = len(content), 0o600
            archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def unpack(file: Path) -> dict[str, str]:
    """The sections of a support file of ours. Raises OSError."""
    with tarfile.open(file, "r:gz") as archive:
        members = [(entry.name.rpartition("/")[2], archive.extractfile(entry)) for entry in archive if entry.isfile()]
        return {name: stream.read().decode(errors="replace") for name, stream in members if stream is not None}


def name_at(at: datetime) -> str:
    """What a support file made at `at` is called, without what its kind adds."""
    return f"slrt-dukungan-{at:%Y%m%d-%H%M%S}"


def save(content: bytes, folder: Path, name: str) -> Path:
    """Put it on the disk, whole. Raises ApplianceError."""
    place = folder / f"{name}.tar.gz"
    try:
        write_whole(place, content)
    except OSError as error:
        raise ApplianceError(
            f"Berkas dukungan tidak dapat ditulis ke {folder} ({error.strerror}).",
            "Periksa apakah stik terpasang, tidak terkunci dan tidak penuh, lalu ulangi.",
        ) from error
    os.sync()
    return place


def hand_to_pages(file: Path, settings: Settings) -> None:
    """Let the service user read it, who shows it on a page."""
    owner = Path(settings.paths.data).stat()
    os.chown(file, 0, owner.st_gid)
    file.chmod(0o640)


def shelf_of(settings: Settings) -> Path:
    """The folder of the files that the pages show."""
    return Path(settings.paths.care)


def newest(folder: Path) -> Path | None:
    """The support file that was made last for the pages."""
    return max(folder.glob(PATTERN), default=None)


def forget_old(folder: Path) -> None:
    """Keep the last few only."""
    files: Sequence[Path] = sorted(folder.glob(PATTERN))
    for file in files[:-KEPT]:
        file.unlink(missing_ok=True)
