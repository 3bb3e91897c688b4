"""The machine closed where a node needs nothing: the kernel's switches, SSH, dumps of memory, updates that come by themselves."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.errors import ApplianceError
from appliance.logins import has_key, open_logins
from provision.change import Applied, Change, File, Masked, insist
from provision.host import Host
from provision.step import Site, Step

TEMPLATES = "provision/templates/system"
PACKAGES = ("unattended-upgrades",)
SYSCTL = "/etc/sysctl.d/60-slrt-hardening.conf"
SSHD_RULES = "/etc/ssh/sshd_config.d/00-slrt.conf"  # of two words about one thing sshd takes the first
ONLY_KEYS = b"PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n"
APT_RULES = "/etc/apt/apt.conf.d/60slrt-upgrades"
NO_AUTOMOUNT = "/etc/udev/rules.d/91-slrt-no-automount.rules"
_KEYS = ("sh", "-c", "cat /root/.ssh/authorized_keys /home/*/.ssh/authorized_keys 2>/dev/null; true")
# no hash of a password leaves the machine
_PASSWORDS = ("sh", "-c", "cut -d: -f1,2 /etc/shadow | sed 's/:..*/:x/'")
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
        *_updates(site),
    )
    return Step("pengerasan", "Pengerasan sistem", changes)


def _no_dumps() -> tuple[Change, ...]:
    """What a program had in its memory when it fell must not lie on a disk."""
    return (
        File("/etc/security/limits.d/60-slrt.conf", b"# no dumps of memory\n* hard core 0\n"),
        File("/etc/systemd/coredump.conf.d/slrt.conf", b"[Coredump]\nStorage=none\nProcessSizeMax=0\n"),
        File("/etc/systemd/system.conf.d/slrt-core.conf", b"[Manager]\nDefaultLimitCORE=0\n"),
    )


def _updates(site: Site) -> tuple[Change, ...]:
    """Debian's security updates, outside office hours. The service that would hold up a shutdown for them must not run."""
    drop_ins = tuple(
        File(f"/etc/systemd/system/{name}.timer.d/slrt.conf", _timer(times, site.settings.node.timezone))
        for name, times in TIMES.items()
    )
    paths = tuple(file.path for file in drop_ins)
    reload = Applied("apt-timers", "jauhkan pembaruan dari jam kantor", paths, (("systemctl", "daemon-reload"),))
    return (File(APT_RULES, site.text(f"{TEMPLATES}/apt.conf")), Masked("unattended-upgrades.service"), *drop_ins, reload)


def _timer(times: str, zone: str) -> bytes:
    lines = [f"OnCalendar=*-*-* {time} {zone}" for time in times.split(",")]
    head = "# Outside the hours of the office, and not made up for in them.\n[Timer]\nOnCalendar=\n"
    return (head + "\n".join(lines) + "\nRandomizedDelaySec=10min\nPersistent=false\n").encode()


@dataclass(frozen=True)
class SshRules:
    """sshd's rules, where there is one. Passwords are refused only when a key is there, else nobody could come in any more."""

    rules: bytes
    path: str = SSHD_RULES

    def describe(self) -> str:
        return f"tulis {self.path}: SSH hanya dengan kunci (selama belum ada kunci di authorized_keys, kata sandi masih diterima)"

    def is_done(self, host: Host) -> bool:
        return host.look("/etc/ssh/sshd_config") is None or self._file(host).is_done(host)

    def perform(self, host: Host) -> None:
        before = host.read(self.path)
        self._file(host).perform(host)
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

    def _file(self, host: Host) -> File:
        return File(self.path, self.rules + (ONLY_KEYS if has_key(host.run(_KEYS).output) else b""))


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
