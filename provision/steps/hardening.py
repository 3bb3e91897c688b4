"""The machine closed where a node needs nothing: the kernel's switches, SSH, dumps of memory, updates that come by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from appliance.errors import ApplianceError
from appliance.logins import by_password, open_logins, with_key
from provision.change import Applied, Change, File, insist
from provision.host import Host
from provision.step import Site, Step

TEMPLATES = "provision/templates/system"
PACKAGES = ("unattended-upgrades",)
SYSCTL = "/etc/sysctl.d/60-slrt-hardening.conf"
SSHD_RULES = "/etc/ssh/sshd_config.d/00-slrt.conf"  # of two words about one thing sshd takes the first
SSHD_CONFIG = "/etc/ssh/sshd_config"
ONLY_KEYS = "PasswordAuthentication no\nKbdInteractiveAuthentication no\n"
ROOT_BY_KEY = "PermitRootLogin prohibit-password\n"
APT_RULES = "/etc/apt/apt.conf.d/60slrt-upgrades"
NO_AUTOMOUNT = "/etc/udev/rules.d/91-slrt-no-automount.rules"
# each line after the name of its account
_KEYS = """while IFS=: read -r name _ _ _ _ home _; do
sed "s/^/$name /" "$home/.ssh/authorized_keys" 2>/dev/null
done </etc/passwd; true"""
# no hash of a password leaves the machine
_PASSWORDS = ("sh", "-c", "cut -d: -f1,2 /etc/shadow | sed 's/:[!*].*/:!/; s/:[^!].*/:x/'")
_ROOT_LET_IN = "grep -qsiE '^[[:space:]]*PermitRootLogin[[:space:]]+yes' /etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf"
# each outside the hours of an office, in its own zone
TIMES = {"apt-daily": "05:10,17:40", "apt-daily-upgrade": "05:40,18:10"}


def hardening(site: Site) -> Step:
    """Nothing open that nobody uses."""
    sysctl = File(SYSCTL, site.text(f"{TEMPLATES}/sysctl.conf"))
    changes: tuple[Change, ...] = (
        sysctl,
        Applied(
            "sysctl-hardening",
            "pakai pengaturan inti yang lebih tertutup",
            (SYSCTL,),
            (("/usr/lib/systemd/systemd-sysctl", SYSCTL),),
        ),
        *_no_dumps(),
        SshRules(site.text(f"{TEMPLATES}/sshd.conf")),
        NoOpenLogins(),
        File(NO_AUTOMOUNT, site.text("systemd/udev/91-slrt-no-automount.rules")),
        File(APT_RULES, site.text(f"{TEMPLATES}/apt.conf")),
    )
    return Step("pengerasan", "Pengerasan sistem", changes)


def _no_dumps() -> tuple[Change, ...]:
    """What a program had in its memory when it fell must not lie on a disk."""
    return (
        File("/etc/security/limits.d/60-slrt.conf", b"# no dumps of memory\n* hard core 0\n"),
        File("/etc/systemd/coredump.conf.d/slrt.conf", b"[Coredump]\nStorage=none\nProcessSizeMax=0\n"),
        File("/etc/systemd/system.conf.d/slrt-core.conf", b"[Manager]\nDefaultLimitCORE=0\n"),
    )


def drop_ins(site: Site) -> tuple[File, ...]:
    """What is added to Debian's units: its security updates come outside office hours."""
    return tuple(
        File(f"/etc/systemd/system/{name}.timer.d/slrt.conf", _timer(times, site.settings.node.timezone))
        for name, times in TIMES.items()
    )


def _timer(times: str, zone: str) -> bytes:
    lines = [f"OnCalendar=*-*-* {time} {zone}" for time in times.split(",")]
    head = "# Outside the hours of the office, and not made up for in them.\n[Timer]\nOnCalendar=\n"
    return (head + "\n".join(lines) + "\nRandomizedDelaySec=10min\nPersistent=false\n").encode()


@dataclass(frozen=True)
class SshRules:
    """sshd's rules, where there is one. Passwords end with the first key, but not for who looks after the machine and has none."""

    rules: bytes
    path: str = SSHD_RULES

    def describe(self) -> str:
        return (
            f"tulis {self.path}: SSH hanya dengan kunci; pengurus mesin yang belum punya kunci masih diterima dengan kata sandi"
        )

    def is_done(self, host: Host) -> bool:
        file = self.wanted(host)
        return file is None or file.is_done(host)

    def perform(self, host: Host) -> None:
        file, before = self.wanted(host), host.read(self.path)
        if file is None:
            return
        file.perform(host)
        checked = host.run(["sshd", "-t"])
        if not checked.worked and "privilege separation" not in checked.errors:
            self._put_back(host, before)
            raise ApplianceError(
                f"sshd menolak aturan baru: {checked.errors.strip()}", "Perbaiki /etc/ssh/sshd_config, lalu ulangi ./install.sh."
            )
        host.run(["systemctl", "try-reload-or-restart", "ssh.service"])

    def _put_back(self, host: Host, before: bytes | None) -> None:
        if before is None:
            insist(host, ["rm", "-f", self.path])
        else:
            host.write(self.path, before, 0o644, "root", "root")

    def wanted(self, host: Host) -> File | None:
        if host.look(SSHD_CONFIG) is None:
            return None
        keyed = with_key(host.run(["sh", "-c", _KEYS]).output)
        left = [name for name in _by_password(host) if name not in keyed]
        return File(self.path, self.rules + (about_passwords(left).encode() if keyed else b""))


def about_passwords(left: Sequence[str]) -> str:
    """What sshd is told when there are keys: nobody comes in by password but those who are `left` without one. Pure."""
    if not left:
        return ONLY_KEYS + ROOT_BY_KEY
    names = ",".join(left)
    still = f"# they look after this machine and have no key yet: {names}\nMatch User {names}\n    PasswordAuthentication yes\n"
    return ONLY_KEYS + ("" if "root" in left else ROOT_BY_KEY) + still


def _by_password(host: Host) -> list[str]:
    """Who looks after the machine and comes in by password now: root only where somebody has said so, which is not Debian's way."""
    passwd, group = ((host.read(path) or b"").decode(errors="replace") for path in ("/etc/passwd", "/etc/group"))
    found = by_password(passwd, host.run(_PASSWORDS).output, group)
    return [name for name in found if name != "root" or host.run(["sh", "-c", _ROOT_LET_IN]).worked]


@dataclass(frozen=True)
class NoOpenLogins:
    """No account that can log in has an empty password; one that had is locked, its keys stay good."""

    def describe(self) -> str:
        return "kunci akun yang kata sandinya kosong"

    def is_done(self, host: Host) -> bool:
        return not self._open(host)

    def perform(self, host: Host) -> None:
        for name in self._open(host):
            insist(host, ["passwd", "--quiet", "--lock", name])

    def _open(self, host: Host) -> tuple[str, ...]:
        return open_logins((host.read("/etc/passwd") or b"").decode(errors="replace"), host.run(_PASSWORDS).output)
