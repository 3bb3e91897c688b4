"""What is closed on a machine besides the node's own units: who may log in, how, and when the machine changes itself."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from appliance.errors import ApplianceError
from appliance.logins import by_password, open_logins, with_key
from provision.edits import diff
from provision.host import Entry
from provision.steps.hardening import SSHD_RULES, TIMES, NoOpenLogins, SshRules, _timer, about_passwords
from tests.support.pretend_host import PretendHost

ROOT = Path(__file__).resolve().parents[2]
SYSTEM = ROOT / "provision/templates/system"
RULES = (SYSTEM / "sshd.conf").read_bytes()
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGfake0 teknisi@dinsos\n"
PASSWD = "root:x:0:0:root:/root:/bin/bash\npetugas:x:1000:1000::/home/petugas:/bin/sh\ndaemon:x:1:1::/:/usr/sbin/nologin\nsync:x:4:65534::/bin:/bin/sync\n"


@pytest.mark.parametrize(
    ("passwd", "shadow", "found"),
    [
        (PASSWD, "root:!:1:\npetugas:$y$j9T$x:1:\ndaemon:*:1:\n", ()),
        (PASSWD, "root::1:\npetugas:!:1:\n", ("root",)),
        (PASSWD, "root:\npetugas:x\ndaemon:\nsync:\n", ("root",)),
        ("tamu::1001:1001::/home/tamu:/bin/bash\n", "", ("tamu",)),
        ("tamu:x:1001:1001::/home/tamu:\n", "tamu::1:\n", ("tamu",)),
        ("", "root::", ()),
        ("broken\n", "broken\n", ()),
    ],
)
def test_who_could_log_in_with_an_empty_password(passwd: str, shadow: str, found: tuple[str, ...]) -> None:
    assert open_logins(passwd, shadow) == found


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ("", False),
        (KEY, True),
        (f"# {KEY}", False),
        (f'from="192.168.1.0/24",no-pty {KEY}', True),
        ("sk-ssh-ed25519@openssh.com AAAAGnNr a@b\n", True),
        ("ssh-ed25519\n", False),
        ("kunci akan ditambahkan\n", False),
    ],
)
def test_a_key_is_told_from_words(text: str, there: bool) -> None:
    listed = "".join(f"petugas {line}\n" for line in text.splitlines())
    assert with_key(listed) == ({"petugas"} if there else set())


LOCKED_ROOT, BOTH_ABLE = "root:!:1:\npetugas:x:1:\n", "root:x:1:\npetugas:x:1:\n"
TWO = PASSWD + "teknisi:x:1001:1001::/home/teknisi:/bin/bash\n"


@pytest.mark.parametrize(
    ("passwd", "shadow", "group", "found"),
    [
        (PASSWD, LOCKED_ROOT, "sudo:x:27:petugas\n", ("petugas",)),
        (PASSWD, BOTH_ABLE, "", ("root", "petugas")),
        (PASSWD, "root:*\npetugas:\ndaemon:x\n", "", ()),
        (TWO, "petugas:x\nteknisi:x\n", "sudo:x:27:teknisi,gone\n", ("teknisi",)),
        (TWO, "petugas:x\nteknisi:!x\n", "sudo:x:27:teknisi\n", ()),
        (TWO, "petugas:x\nteknisi:x\n", "sudo:x:27:\n", ("petugas", "teknisi")),
    ],
)
def test_who_looks_after_the_machine_with_a_password(passwd: str, shadow: str, group: str, found: tuple[str, ...]) -> None:
    assert by_password(passwd, shadow, group) == found


def machine(**more: object) -> PretendHost:
    host = PretendHost(**more)  # type: ignore[arg-type]
    for path in ("/etc/ssh/sshd_config", "/etc/passwd"):
        host.files[path] = (Entry("file", 0o644, "root", "root"), PASSWD.encode())
    return host


@pytest.mark.parametrize(
    ("keys", "root_by_password", "refused", "still"),
    [
        ("", False, False, ""),
        (f"petugas {KEY}", False, True, ""),
        (f"root {KEY}", False, True, "petugas"),
        (f"petugas {KEY}", True, True, "root"),
        (f"petugas {KEY}root {KEY}", True, True, ""),
    ],
)
def test_the_first_key_ends_passwords_but_for_who_would_be_locked_out(
    keys: str, root_by_password: bool, refused: bool, still: str
) -> None:
    host, change = machine(ssh_keys=keys, root_by_password=root_by_password), SshRules(RULES)
    change.perform(host)
    written = (host.read(SSHD_RULES) or b"").decode()
    assert ("PasswordAuthentication no" in written) is refused
    assert (f"Match User {still}\n" in written) is bool(still)
    assert ("PermitRootLogin prohibit-password" in written) is (refused and still != "root")
    assert change.is_done(host)
    host.ssh_keys = "" if keys else f"petugas {KEY}"
    assert not change.is_done(host), "the next run follows the keys"
    assert f"-{written.splitlines()[-1]}\n" in diff(change, host) or not keys, "and the plan shows it"


def test_rules_that_sshd_does_not_take_are_put_back() -> None:
    host, change = machine(), SshRules(RULES)
    change.perform(host)
    before = host.files[SSHD_RULES]
    host.ssh_keys, host.ssh_trouble = f"petugas {KEY}", "line 3: Bad configuration option"
    with pytest.raises(ApplianceError, match="Bad configuration option"):
        change.perform(host)
    assert host.files[SSHD_RULES] == before
    fresh = machine(ssh_trouble="line 3: Bad configuration option")
    with pytest.raises(ApplianceError):
        change.perform(fresh)
    assert fresh.look(SSHD_RULES) is None


def test_without_sshd_there_is_nothing_to_do() -> None:
    assert SshRules(RULES).is_done(PretendHost())


@pytest.mark.parametrize(
    ("user", "left", "password"), [("root", [], "no"), ("petugas", ["petugas"], "yes"), ("tamu", ["petugas"], "no")]
)
def test_real_sshd_understands_the_rules(tmp_path: Path, user: str, left: list[str], password: str) -> None:
    key = tmp_path / "host"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True, stdin=subprocess.DEVNULL)
    Path("/run/sshd").mkdir(exist_ok=True)
    included, config = tmp_path / "00-slrt.conf", tmp_path / "sshd_config"
    included.write_bytes(RULES + about_passwords(left).encode())
    config.write_text(f"Include {included}\nHostKey {key}\nPasswordAuthentication yes\nAllowTcpForwarding yes\nPrintMotd no\n")
    command = ["/usr/sbin/sshd", "-T", "-f", str(config), "-C", f"user={user},host=laptop,addr=192.168.1.20"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = set(done.stdout.splitlines())
    assert {f"passwordauthentication {password}", "permitrootlogin without-password", "allowtcpforwarding no"} <= said
    assert {"x11forwarding no", "printmotd no"} <= said, "what follows in other files is not for one account alone"


def test_an_open_account_is_locked() -> None:
    host = machine(open_logins={"petugas"})
    assert not NoOpenLogins().is_done(host)
    NoOpenLogins().perform(host)
    assert NoOpenLogins().is_done(host)


@pytest.mark.parametrize(
    ("published", "holds"),
    [
        (None, True),
        ({"mains": True, "accepts_work": True, "accepts_jobs": True}, True),
        ({"mains": None, "accepts_work": True, "accepts_jobs": True}, True),
        ({"mains": False, "accepts_work": True, "accepts_jobs": True}, False),
        ({"mains": True, "accepts_work": True, "accepts_jobs": False}, False),
        ({"mains": True, "accepts_work": False}, False),
    ],
)
def test_packages_change_only_on_the_mains(tmp_path: Path, published: dict[str, object] | None, holds: bool) -> None:
    state = tmp_path / "state.json"
    if published is not None:
        state.write_text(json.dumps(published))
    done = subprocess.run([str(ROOT / "systemd/mains-holds"), str(state)], capture_output=True, check=False)
    assert (done.returncode == 0) is holds


@pytest.mark.parametrize(("name", "times"), TIMES.items())
def test_they_change_outside_office_hours(name: str, times: str) -> None:
    text = _timer(times, "Asia/Makassar").decode()
    moments = [line.partition("=")[2] for line in text.splitlines() if line.startswith("OnCalendar=") and line != "OnCalendar="]
    assert len(moments) == 2, name
    for moment in moments:
        subprocess.run(["systemd-analyze", "calendar", moment], capture_output=True, check=True)
        hour, minute = map(int, moment.split()[1].split(":"))
        assert not 7 * 60 - 10 < hour * 60 + minute < 17 * 60, "with the ten minutes of chance"


def test_only_security_updates_come_by_themselves(tmp_path: Path) -> None:
    assert shutil.which("apt-config")
    folder = tmp_path / "apt.conf.d"
    folder.mkdir()
    (folder / "50unattended-upgrades").write_text('Unattended-Upgrade::Origins-Pattern { "origin=Debian,label=Debian"; };\n')
    shutil.copy(SYSTEM / "apt.conf", folder / "60slrt-upgrades")
    command = ["apt-config", "-o", f"Dir::Etc::Parts={folder}", "-o", "Dir::Etc::Main=/dev/null", "dump"]
    main = tmp_path / "apt.conf"
    main.write_text(f'Dir::Etc::Parts "{folder}";\nDir::Etc::Main "/dev/null";\n')
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={"APT_CONFIG": str(main), "PATH": "/usr/bin:/bin"}
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith(("Unattended-Upgrade", "APT::Periodic"))]
    origins = [line for line in lines if "Origins-Pattern::" in line]
    assert origins == [
        'Unattended-Upgrade::Origins-Pattern:: "origin=Debian,codename=${distro_codename}-security,label=Debian-Security";'
    ]
    assert 'Unattended-Upgrade::Automatic-Reboot "false";' in lines
    assert 'Unattended-Upgrade::OnlyOnACPower "true";' in lines
