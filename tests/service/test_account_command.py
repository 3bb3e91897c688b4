"""`slrt user` as an operator runs it: a process of its own, also as root over a database of another user."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.config import Settings, render
from tests.support.databases import PostgresTemplate, SqliteTemplate
from tests.support.web_client import web_settings

SLRT = Path(sys.executable).with_name("slrt")


class Console:
    """The terminal of a machine with this database."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.folder, self.settings = folder, web_settings(settings)
        self.file = folder / "appliance.toml"
        self.file.write_text(render(self.settings))
        self.sheet = folder / "first.txt"

    def user(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [SLRT, "user", *words],
            env={"SLRT_CONFIG": str(self.file), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )

    def first(self) -> subprocess.CompletedProcess[str]:
        return self.user("first-admin", "admin.it", "--to", str(self.sheet))


@pytest.fixture(params=["sqlite", "postgres"])
def console(request: pytest.FixtureRequest, tmp_path: Path) -> Console:
    template: SqliteTemplate | PostgresTemplate = request.getfixturevalue(request.param)
    return Console(template.fresh(tmp_path), tmp_path)


@pytest.fixture
def small(sqlite: SqliteTemplate, tmp_path: Path) -> Console:
    """For what does not depend on the kind of the database."""
    return Console(sqlite.fresh(tmp_path), tmp_path)


def test_the_first_admin_is_made_once_and_the_password_lies_in_a_private_file(console: Console) -> None:
    done = console.first()
    assert (done.returncode, done.stderr) == (0, "")
    assert console.sheet.stat().st_mode & 0o777 == 0o600
    text = console.sheet.read_text()
    password = text.split("Kata sandi     : ")[1].split("\n")[0]
    assert password not in done.stdout
    again = console.first()
    assert again.returncode == 0
    assert "tidak ada yang berubah" in again.stdout
    assert console.sheet.read_text() == text


def test_a_password_file_without_an_account_is_written_anew(small: Console) -> None:
    """What a kill between the file and the account leaves behind."""
    small.sheet.write_text(
        "Kata sandi     : dari-percobaan-yang-terputus-dan-lebih-panjang-dari-yang-baru-karena-alasan-ini\n" * 9
    )
    small.sheet.chmod(0o644)
    assert small.first().returncode == 0
    assert "terputus" not in small.sheet.read_text()
    assert small.sheet.stat().st_mode & 0o777 == 0o600


def test_no_link_leads_the_secret_elsewhere(small: Console) -> None:
    elsewhere = small.folder / "elsewhere"
    small.sheet.symlink_to(elsewhere)
    refused = small.first()
    assert refused.returncode == 1
    assert "tidak dapat ditulis" in refused.stderr
    assert not elsewhere.exists()


def test_root_keeps_the_file_and_the_service_its_database(sqlite: SqliteTemplate, tmp_path: Path) -> None:
    """The check runs as root on a fresh machine; as anybody else there is no other user to become."""
    if os.geteuid() != 0:
        return
    console = Console(sqlite.fresh(tmp_path), tmp_path)
    nobody = pwd.getpwnam("nobody")
    for folder in tmp_path, *tmp_path.parents[:3]:
        folder.chmod(folder.stat().st_mode | 0o011)
    data = Path(console.settings.paths.data)
    for path in (data, *data.rglob("*")):
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
    done = console.first()
    assert done.returncode == 0, done.stderr
    assert console.sheet.stat().st_uid == 0
    assert {path.stat().st_uid for path in data.rglob("*")} == {nobody.pw_uid}


def test_accounts_are_made_listed_reset_and_switched_off(console: Console) -> None:
    console.first()
    made = console.user("create", "sitti.dinkes", "--name", "Sitti Aisyah", "--role", "opd", "--unit", "dinkes")
    assert made.returncode == 0, made.stderr
    assert "Kata sandi    : " in made.stdout
    rows = json.loads(console.user("list", "--json").stdout)
    assert {row["username"]: row["roles"] for row in rows} == {"admin.it": ["Admin sistem"], "sitti.dinkes": ["Petugas OPD"]}
    assert console.user("reset-password", "sitti.dinkes").stdout != made.stdout
    assert console.user("deactivate", "sitti.dinkes").returncode == 0
    listed = console.user("list").stdout
    assert "sitti.dinkes" in listed
    assert "(nonaktif)" in listed


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("create", "x", "--name", "X", "--role", "fo"), 2, "Nama pengguna 3–32"),
        (("create", "siti", "--name", "Siti", "--role", "raja"), 2, "--role"),
        (("create", "siti", "--name", "Siti", "--role", "opd"), 2, "satu unit"),
        (("create", "siti", "--name", "Siti", "--role", "fasilitator"), 2, "wilayah tugas"),
        (("create", "siti", "--name", "Siti", "--role", "fo", "--area", "51.71"), 2, "Wilayah tidak dikenal"),
        (("create", "siti", "--name", "Siti", "--role", "opd", "--unit", "tidak-ada"), 1, "tidak-ada"),
        (("reset-password", "tidak.ada"), 1, "Tidak ada akun"),
        (("deactivate", "tidak.ada"), 1, "slrt user list"),
    ],
)
def test_what_is_wrong_is_said_with_the_next_step(small: Console, words: tuple[str, ...], code: int, told: str) -> None:
    refused = small.user(*words)
    assert refused.returncode == code, refused.stderr
    assert told in refused.stderr
    assert "Traceback" not in refused.stderr
