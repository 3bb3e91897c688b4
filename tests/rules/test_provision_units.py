"""The unit files and the front's settings, judged by systemd and nginx themselves; the exposure of each unit is printed and gated."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UNITS = ROOT / "systemd"
# unit → highest exposure, which is what it has reached; systemd's own scale from 0 (locked) to 10. The table of docs/network.md says why
EXPOSURE = {
    "slrt-web.service": 0.4,  # 0.1 of it is that its workers may tell systemd that they answer
    "slrt-front.service": 0.3,
    "slrt-scheduler.service": 0.2,
    "slrt-backup.service": 0.2,
    "slrt-watcher.service": 1.0,
    "slrt-power-check.service": 1.0,
    "slrt-drill.service": 0.6,
    "slrt-care.service": 1.1,  # root, to ask the disks
    "slrt-support.service": 2.7,  # it reads the whole machine
    "slrt-notices.service": 1.1,
    "slrt-firewall.service": 1.4,
    "slrt-clock.service": 1.7,
    "slrt-lan.service": 2.6,  # it changes the machine's address
    "slrt-dns.service": 1.5,
    "slrt-certificate.service": 2.1,
    "slrt-force-shutdown.service": 1.7,
    "slrt-upsmon-refresh.service": 1.3,
    "slrt-poweroff.service": 3.0,
    "slrt-rtc-alarm.service": 1.6,
    "slrt-restore.service": 2.9,  # it stops and starts services, and becomes the service user
    "slrt-restore-settle.service": 2.9,  # it becomes the service user, and puts secrets in their place
    "slrt-upgrade-settle.service": 3.6,  # it puts programs, units and data of the whole node back
    "slrt-upgrade-watch.service": 3.6,
    "slrt-upgrade-tidy.service": 1.2,
    "slrt-upgrade.service": 6.1,  # it installs programs and packages of Debian
    "slrt-sticks.service": 3.8,  # it mounts for all to see, so it cannot have a view of the files of its own
}


def need(*programs: str) -> None:
    missing = [program for program in programs if shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin") is None]
    assert not missing, f"missing {missing}: install the packages of tests/packages.txt"


def test_every_service_has_a_limit_on_its_exposure() -> None:
    assert {path.name for path in UNITS.glob("*.service")} == set(EXPOSURE)


@pytest.mark.parametrize(("unit", "limit"), EXPOSURE.items())
def test_a_unit_is_no_more_exposed_than_agreed(unit: str, limit: float, capsys: pytest.CaptureFixture[str]) -> None:
    need("systemd-analyze")
    command = [
        "systemd-analyze",
        "security",
        "--offline=true",
        "--no-pager",
        f"--threshold={round(limit * 10)}",
        str(UNITS / unit),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    told = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert told, done.stdout + done.stderr
    with capsys.disabled():
        print(f"\n    exposure {told.group(1):>4} (limit {limit}) {unit}", end="")
    assert done.returncode == 0, done.stdout


def test_the_figures_of_the_document_are_those_of_the_units() -> None:
    rows = re.findall(r"^\| `(slrt-\S+\.service)` \| ([\d.]+) \|", (ROOT / "docs/network.md").read_text(), flags=re.MULTILINE)
    assert {unit: float(figure) for unit, figure in rows} == EXPOSURE


def test_systemd_understands_every_unit(tmp_path: Path) -> None:
    need("systemd-analyze")
    # the programs are not on this machine: /bin/true stands where each is named
    for unit in UNITS.glob("slrt*"):
        text = re.sub(r"^(ExecStart|ExecReload|ExecStopPost)=(-?)\S+", r"\1=\2/bin/true", unit.read_text(), flags=re.MULTILINE)
        (tmp_path / unit.name).write_text(text)
    units = sorted(str(path) for path in tmp_path.iterdir())
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if str(tmp_path) in line]
    assert not ours, "\n".join(ours)
    assert done.returncode == 0, done.stderr


def test_a_unit_that_keeps_running_is_never_given_up() -> None:
    for unit in UNITS.glob("*.service"):
        text = unit.read_text()
        if "Type=oneshot" not in text:
            assert "Restart=always" in text, unit.name
            assert "StartLimitIntervalSec=0" in text, unit.name


def test_what_a_closed_unit_must_run_it_may_run() -> None:
    for unit in UNITS.glob("*.service"):
        text = unit.read_text()
        allowed = [
            path.lstrip("-") for line in re.findall(r"^ExecPaths=(.*)$", text, flags=re.MULTILINE) for path in line.split()
        ]
        for program in re.findall(r"^Exec\w+=[-+]?(/\S+)", text, flags=re.MULTILINE):
            # Debian's /bin and /sbin are links into /usr
            real = program if program.startswith(("/usr/", "/opt/")) else f"/usr{program}"
            assert not allowed or any(real == path or real.startswith(f"{path}/") for path in allowed), f"{unit.name}: {program}"


def paths(unit: str, key: str) -> set[str]:
    """What a unit names there."""
    lines = (UNITS / unit).read_text().splitlines()
    return {word for line in lines if line.startswith(f"{key}=") for word in line.partition("=")[2].split()}


@pytest.mark.parametrize("unit", ["slrt-web.service", "slrt-scheduler.service"])
def test_what_reads_strangers_files_cannot_reach_secrets_backups_or_a_network(unit: str) -> None:
    text = (UNITS / unit).read_text()
    for line in ("PrivateNetwork=yes", "RestrictAddressFamilies=AF_UNIX", "ProtectSystem=strict", "MemoryDenyWriteExecute=yes"):
        assert f"{line}\n" in text
    hidden = paths(unit, "InaccessiblePaths")
    assert "-/etc/slrt/secrets" in hidden
    assert "-/srv/backup" in hidden or {"-/srv/backup/slrt", "-/srv/backup/sticks"} <= hidden
    assert "-/var/lib/slrt/backup" in paths(unit, "ReadOnlyPaths")
    # the scheduler's folder for the carried log lies in one of root's, beside what is hidden
    assert "-/srv/backup" not in paths(unit, "ReadWritePaths") or {"-/srv/backup/slrt", "-/srv/backup/sticks"} <= hidden
    assert "backup-passphrase" not in text


def test_the_backups_write_nothing_of_the_data_but_the_database() -> None:
    of_data = {path for path in paths("slrt-backup.service", "ReadWritePaths") if path.startswith("/var/lib/slrt")}
    assert of_data == {"/var/lib/slrt/database", "/var/lib/slrt/backup"}


def test_nginx_accepts_the_settings_of_the_front(tmp_path: Path) -> None:
    need("nginx", "openssl")
    text = (ROOT / "provision/templates/web/nginx.conf").read_text()
    for place in ("/tmp", "/etc/slrt/tls", "/run/slrt-front", "/var/lib/slrt-front"):
        folder = tmp_path / place.strip("/").replace("/", "-")
        folder.mkdir()
        text = re.sub(rf"(?<=\s){re.escape(place)}/", f"{folder}/", text)
    folder = tmp_path / "etc-slrt-tls"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=test"]
    subprocess.run([*made, "-keyout", f"{folder}/web.key", "-out", f"{folder}/web.crt"], capture_output=True, check=True)
    # a check opens what it listens on: sockets of our own instead of ports 80 and 443
    (tmp_path / "nginx.conf").write_text(re.sub(r"0\.0\.0\.0:(\d+)", rf"unix:{tmp_path}/\1.sock", text))
    command = ["/usr/sbin/nginx", "-t", "-e", "stderr", "-c", str(tmp_path / "nginx.conf")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_front_listens_where_systemd_gives_it_sockets() -> None:
    sockets = re.findall(r"^ListenStream=(\S+)$", (UNITS / "slrt-front.socket").read_text(), flags=re.MULTILINE)
    listens = re.findall(r"^\s*listen (\S+)", (ROOT / "provision/templates/web/nginx.conf").read_text(), flags=re.MULTILINE)
    assert [text.rstrip(";") for text in listens] == sockets
    handed = re.search(r'NGINX=([\d:]+);"', (UNITS / "slrt-front.service").read_text())
    assert handed
    assert handed.group(1).split(":") == [str(3 + number) for number in range(len(sockets))]


def test_the_pages_of_the_front_load_nothing_from_elsewhere() -> None:
    for page in (ROOT / "provision/templates/web").glob("*.html"):
        text = page.read_text()
        assert not re.search(r"""(src|href)=["'](https?:)?//""", text), page.name
        assert "<script" not in text
        assert 'lang="id"' in text
