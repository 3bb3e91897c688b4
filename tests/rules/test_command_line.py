"""`slrt` itself: what it says and how it ends when the operator types something wrong."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import click
import pytest

from appliance.cli import SUBJECTS
from appliance.commands import backup, backup_key, database
from appliance.config import PathSettings, Settings, render

SLRT = Path(sys.executable).parent / "slrt"


def slrt(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(SLRT), *words], capture_output=True, text=True, check=False)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "appliance.toml"
    file.write_text(render(Settings()))
    return file


@pytest.mark.parametrize("subject", SUBJECTS)
def test_each_subject_has_help(subject: str) -> None:
    run = slrt(subject, "--help")
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("Usage: slrt")


@pytest.mark.parametrize(
    ("group", "name"), [(group, name) for group in (backup, backup_key, database) for name in group.ELSEWHERE]
)
def test_what_is_loaded_only_when_asked_for_is_there(group: ModuleType, name: str) -> None:
    found = group.command.get_command(click.Context(group.command), name)
    assert found is not None
    assert found.help


@pytest.mark.parametrize(
    ("words", "told", "next_step"),
    [
        (["backup", "restore"], "Belum disebutkan: NOMOR.", "slrt backup restore --help"),
        (["backup", "restore", "28-11-2026", "14:05"], "Kata yang berlebih: 14:05. Tulis isian yang berspasi", "--help"),
        (["backup", "restore", "1", "--only", "foto"], "--only: foto tidak dikenal; yang dapat dipakai: database.", "--help"),
        (["backup", "restore", "1", "--inplace"], "Pilihan --inplace tidak dikenal.", "slrt backup restore --help"),
        (["backup", "restore", "1", "--to"], "Pilihan --to belum diisi.", "--help"),
        (["backup", "list", "--repository", "/mnt/tidakada"], "--repository: /mnt/tidakada tidak ada; periksa", "--help"),
        (["backup", "list", "--passphrase-file", "/"], "--passphrase-file: / adalah folder; sebutkan sebuah berkas.", "--help"),
        (["backup", "key", "check", "rumah"], "rumah tidak dikenal; pilih salah satu: kantor, ti, kedua.", "--help"),
        (["backup", "disk", "prepare", "/dev/sdx"], "Belum disebutkan: --label.", "slrt backup disk prepare --help"),
        (["backup", "pulihkan"], "Perintah pulihkan tidak dikenal.", "slrt backup --help"),
        (["cadangan"], "Perintah cadangan tidak dikenal.", "slrt --help"),
        (["upgrade", "/media/tidakada.slrt"], "/media/tidakada.slrt tidak ada; periksa", "slrt-provision upgrade --help"),
    ],
)
def test_whatever_is_typed_wrong_is_told_in_the_operators_language(words: list[str], told: str, next_step: str) -> None:
    run = slrt(*words)
    assert run.returncode == 2, run.stderr
    assert told in run.stderr.splitlines()[0]
    assert run.stderr.splitlines()[1].startswith("Langkah berikutnya: ")
    assert next_step in run.stderr.splitlines()[1]
    assert not re.search(r"Usage|Error|Invalid|Missing|does not", run.stderr)


def test_a_wrong_disk_is_answered_with_where_the_right_ones_stand(config: Path) -> None:
    run = slrt("--config", str(config), "backup", "disk", "adopt", "/dev/tidakada")
    assert run.stderr.splitlines() == [
        "Gagal: Tidak ada disk /dev/tidakada.",
        "Langkah berikutnya: Lihat daftarnya: sudo slrt backup disk list",
    ]


LETTERS = ("weasyprint", "PIL", "segno")
TABLES = ("sqlalchemy", "flask")
SERVER = ("psycopg", "cryptography")


@pytest.mark.parametrize(
    ("module", "needless"),
    [
        ("backup", (*TABLES, *LETTERS, *SERVER, "backups.take")),
        ("backup_key", (*TABLES, *LETTERS, *SERVER, "backups.take")),
        ("backup_places", (*TABLES, *LETTERS, *SERVER, "backups.take")),
        ("backup_run", (*TABLES, *LETTERS, "psycopg")),
        ("database", (*LETTERS, "psycopg", "argon2", "backups.take", "appliance.letters")),
        ("status", (*LETTERS, "psycopg", "argon2", "appliance.accounts", "appliance.letters")),
        ("user", (*LETTERS, "psycopg", "backups.take", "appliance.letters")),
    ],
)
def test_a_command_loads_nothing_that_only_others_need(module: str, needless: tuple[str, ...]) -> None:
    asked = f"import sys, appliance.commands.{module}; print(*(set({needless!r}) & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout == "\n"


def test_a_right_file_is_called_right(config: Path) -> None:
    run = slrt("--config", str(config), "config", "check")
    assert (run.returncode, run.stdout) == (0, f"{config}: pengaturan benar (kabupaten/kota 73.03).\n")


def test_a_wrong_file_is_an_error_of_its_own_kind(config: Path) -> None:
    config.write_text('[node]\ndistrict = "x"\n')
    run = slrt("--config", str(config), "config", "check")
    assert run.returncode == 78
    assert run.stderr.startswith(f"Gagal: {config}: node.district = 'x': diharapkan")
    assert "Langkah berikutnya:" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("words", [("nonsense",), ("config", "nonsense"), ("status", "--nonsense"), ("--nonsense",)])
def test_a_wrong_word_is_a_usage_error(words: tuple[str, ...]) -> None:
    run = slrt(*words)
    assert run.returncode == 2
    assert "nonsense" in run.stderr
    assert "Traceback" not in run.stderr


def test_the_code_of_a_command_is_the_code_of_the_program(config: Path, tmp_path: Path) -> None:
    settings = Settings(paths=PathSettings(data=str(tmp_path), secrets=str(tmp_path)))
    (tmp_path / "audit-key").touch(mode=0o600)
    (tmp_path / "audit-key").write_text("0" * 64)
    config.write_text(render(settings))
    run = slrt("--config", str(config), "database", "check")
    assert run.returncode == 1, run.stdout + run.stderr
    assert "belum disiapkan" in run.stdout
