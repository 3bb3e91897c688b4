"""NUT: the files that tell it of the UPS, and its daemons. Without a UPS it is not there at all."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass

from appliance.config import PowerSettings
from appliance.config_values import driver_options
from appliance.errors import ConfigurationError
from provision.change import Absent, Applied, Change, Command, File, Link, Running, Together
from provision.host import Host
from provision.step import CURRENT, Site, Step

TEMPLATES = "provision/templates/nut"
NUT_FOLDER = "/etc/nut"
SIMULATED_TMPFILES = "/etc/tmpfiles.d/slrt-simulated-ups.conf"
ENUMERATOR = "nut-driver-enumerator.service"
DIVERTED = "/usr/lib/slrt/nutshutdown.debian"
ENDGAME_HOOK = "/usr/lib/systemd/system-shutdown/slrt-ups-endgame"
DAEMONS = ("nut-server.service", "nut-monitor.service")
LAN_SYSCTL = "/etc/sysctl.d/slrt-ups-lan.conf"
SECONDARY_SECRET = "upsd-secondary-password"  # noqa: S105 - the name of the file
# drivers that Debian keeps apart from nut-server
DRIVER_PACKAGES = {"snmp-ups": "nut-snmp", "netxml-ups": "nut-xml", "nut-ipmipsu": "nut-ipmi"}
_CONDITION = re.compile(r"@(\S+)(?: (.*))?")


class InstalledNut:
    """Which NUT a machine has. Asked until it is there: it stays as long as the steps do."""

    def __init__(self) -> None:
        self._known: tuple[int, ...] | None = None

    def version(self, host: Host) -> tuple[int, ...] | None:
        """Its version; None while there is none."""
        self._known = self._known or nut_version(host)
        return self._known


@dataclass(frozen=True)
class NutFile:
    """A file of NUT made from a template; the passwords in it are read on the machine and never leave it otherwise.

    A template's line may begin with a condition: `@2.8.1 ` for this NUT or a newer one, `@serial ` and `@lan ` for a setting that
    is there.
    """

    path: str
    template: str
    power: PowerSettings
    secrets: str
    nut: InstalledNut

    def describe(self) -> str:
        return f"tulis {self.path} (root:nut 0640)"

    def is_done(self, host: Host) -> bool:
        file = self.wanted(host)
        return file is not None and file.is_done(host)

    def perform(self, host: Host) -> None:
        file = self.wanted(host)
        assert file is not None  # noqa: S101 - the steps before made the secrets and brought NUT
        file.perform(host)

    def wanted(self, host: Host) -> File | None:
        """The rendered file; None while the passwords are not made or NUT is not installed."""
        version, words = self.nut.version(host), _words(self.power)
        for secret in ("watcher", "upsmon", *(["secondary"] if self.power.lan_address else [])):
            content = host.read(f"{self.secrets}/upsd-{secret}-password")
            if content is None:
                return None
            words[f"{secret}_password"] = content.decode().strip()
        if version is None:
            return None
        text = chosen(self.template, version, self.power)
        return File(self.path, string.Template(text).substitute(words).encode(), 0o640, "root", "nut")


@dataclass(frozen=True)
class KnownDriver:
    """The driver that the settings name is one that the installed NUT has."""

    power: PowerSettings

    def describe(self) -> str:
        return f"periksa driver NUT {self.power.driver}"

    def is_done(self, host: Host) -> bool:
        return host.run(["test", "-x", f"{self.power.nut_programs}/{self.power.driver}"]).worked

    def perform(self, host: Host) -> None:
        raise ConfigurationError(
            f"NUT di {host.name} tidak mempunyai driver {self.power.driver}.",
            f"Cari namanya di networkupstools.org atau di {self.power.nut_programs}, lalu ulangi dengan --ups-driver NAMA.",
        )


def nut_version(host: Host) -> tuple[int, ...] | None:
    """The version of the installed NUT, such as (2, 8, 1); None when there is none."""
    form = "${Package} ${db:Status-Status} ${Version}\n"
    words = host.run(["dpkg-query", "-W", f"-f={form}", "nut-server"]).output.split()
    return version_of(words[2]) if words[1:2] == ["installed"] else None


def version_of(text: str) -> tuple[int, ...]:
    """The numbers of a version of NUT or of its Debian package: 2.8.1-5+deb13u1 → (2, 8, 1)."""
    found = re.match(r"(?:\d+:)?(\d+(?:\.\d+)*)", text)
    return tuple(int(part) for part in found[1].split(".")) if found else ()


def chosen(template: str, version: tuple[int, ...], power: PowerSettings) -> str:
    """The template without the lines whose condition does not hold."""
    holds = {"serial": bool(power.serial), "lan": bool(power.lan_address)}
    lines = []
    for line in template.splitlines():
        condition = _CONDITION.fullmatch(line)
        if condition is None:
            lines.append(line)
        elif holds.get(condition[1], condition[1][0].isdigit() and version >= version_of(condition[1])):
            lines.append(condition[2] or "")
    return "\n".join(lines) + "\n"


def _words(power: PowerSettings) -> dict[str, str]:
    """What the templates are filled with, without the passwords."""
    options = (
        f'    {name} = "{value}"' if value else f"    {name}" for name, value in driver_options(power.driver_options).items()
    )
    return {
        "ups_name": power.name,
        "simulated_file": simulated_file(power),
        "mode": "netserver" if power.lan_address else "standalone",
        "serial": power.serial,
        "lan_address": power.lan_address,
        "driver": power.driver,
        "device": power.device,
        "driver_options": "\n".join(options),
    }


def simulated_file(power: PowerSettings) -> str:
    """The file that plays the simulated UPS."""
    return f"{power.runtime}/simulated.dev"


def packages(power: PowerSettings) -> tuple[str, ...]:
    """The Debian packages of NUT that this UPS needs."""
    if power.ups == "none":
        return ()
    extra = DRIVER_PACKAGES.get(power.driver) if power.ups == "driver" else None
    return ("nut-server", "nut-client", *([extra] if extra else []))


def ups(site: Site) -> Step:
    """The UPS as the settings name it."""
    power = site.settings.power
    if power.ups == "none":
        return Step("ups", "UPS (tidak dipakai)", _without())
    files = _nut_files(site)
    paths = tuple(file.path for file in files)
    # NUT makes a unit for each UPS named in ups.conf
    drivers = Applied("nut-drivers", "buat unit driver UPS", paths, (("systemctl", "restart", ENUMERATOR),))
    driver = Running(f"nut-driver@{power.name}.service", (*paths, _drop_in("nut-driver@.service")), enabled=False)
    daemons = Together((driver, *(Running(unit, (*paths, _drop_in(unit))) for unit in DAEMONS)))
    own = _simulated(power) if power.ups == "simulated" else _endgame()
    known = (KnownDriver(power),) if power.ups == "driver" else ()
    return Step("ups", "UPS", (*known, *files, *own, *_lan(power), drivers, daemons))


def _without() -> tuple[Change, ...]:
    """No UPS, also on a machine that had one. With MODE=none Debian's upsmon answers "yes, cut the power" to every reboot as long as
    ups.conf names a UPS, so it must name none; what stood there is kept beside it."""
    named, kept = rf"grep -qs '^\[' {NUT_FOLDER}/ups.conf", f"{NUT_FOLDER}/ups.conf.slrt-before"
    stop = f"systemctl disable --now {' '.join(DAEMONS)} && systemctl stop 'nut-driver@*.service'"
    empty = f"cp -p {NUT_FOLDER}/ups.conf {kept} && {stop} && printf '# Tidak ada UPS.\\n' >{NUT_FOLDER}/ups.conf"
    return (
        Absent(ENDGAME_HOOK),
        Command("hapus UPS dari pengaturan NUT yang ada di mesin ini", ("sh", "-c", f"! {named}"), ("sh", "-c", empty)),
    )


def nut_off() -> str:
    """Shell lines after which NUT is Debian's own again and knows no UPS; our passwords in it go. Nothing where NUT is not installed."""
    return rf"""
    [ -d {NUT_FOLDER} ] || exit 0
    systemctl disable --quiet --now {" ".join(DAEMONS)} 2>/dev/null || true
    systemctl stop 'nut-driver@*.service' || true
    printf '# Tidak ada UPS.\n' >{NUT_FOLDER}/ups.conf
    printf 'MODE=none\n' >{NUT_FOLDER}/nut.conf
    rm -f {NUT_FOLDER}/upsd.users {NUT_FOLDER}/upsmon.conf {ENDGAME_HOOK} {LAN_SYSCTL}
    hook=$(dpkg-divert --list '*/nutshutdown' | sed -n 's#^local diversion of \(.*\) to {DIVERTED}$#\1#p')
    [ -z "$hook" ] || dpkg-divert --quiet --local --rename --remove "$hook"
    """


def _drop_in(unit: str) -> str:
    return f"/etc/systemd/system/{unit}.d/slrt.conf"


def _nut_files(site: Site) -> tuple[NutFile, ...]:
    power, secrets, nut = site.settings.power, site.settings.paths.secrets, InstalledNut()
    templates = {"nut.conf": "nut.conf", "ups.conf": f"ups-{power.ups}.conf"}
    templates |= {name: name for name in ("upsd.conf", "upsd.users", "upsmon.conf")}
    return tuple(
        NutFile(f"{NUT_FOLDER}/{name}", site.text(f"{TEMPLATES}/{source}").decode(), power, secrets, nut)
        for name, source in templates.items()
    )


def _simulated(power: PowerSettings) -> tuple[Change, ...]:
    """The file that plays the UPS, back "on mains" after every boot."""
    line = f"C {simulated_file(power)} 0664 slrt-power nut - {CURRENT}/source/{TEMPLATES}/simulated.dev\n"
    file = File(SIMULATED_TMPFILES, b"# The simulated UPS: after every boot the mains is back.\n" + line.encode())
    made = ("systemd-tmpfiles", "--create", SIMULATED_TMPFILES)
    return (Absent(ENDGAME_HOOK), file, Applied("simulated-ups", "siapkan UPS simulasi", (SIMULATED_TMPFILES,), (made,)))


def _lan(power: PowerSettings) -> tuple[Change, ...]:
    """upsd listens on an address that may not be there yet at boot: without this NUT 2.8.0 would not start at all."""
    if not power.lan_address:
        return (Absent(LAN_SYSCTL),)
    file = File(
        LAN_SYSCTL,
        b"# upsd listens for other machines before DHCP has given this one its address.\nnet.ipv4.ip_nonlocal_bind = 1\n",
    )
    return (
        file,
        Applied("ups-lan", "izinkan upsd mendengarkan sebelum alamat ada", (LAN_SYSCTL,), (("sysctl", "-q", "-p", LAN_SYSCTL),)),
    )


def _endgame() -> tuple[Change, ...]:
    """Our last act of a shutdown in the place of NUT's, which cannot make this family of UPS cut its output.

    Both would run at the same time and fight for the USB device, so the other is diverted, as Debian's way is. A mark of an older
    NUT in /etc would survive a crash and a boot.
    """
    asked = f"dpkg-divert --list '*/nutshutdown' | grep -q {DIVERTED}"
    moved = f'hook=$(dpkg -L nut-client nut-server | grep -m 1 /nutshutdown$) && dpkg-divert --local --rename --divert {DIVERTED} --add "$hook"'
    return (
        Absent("/etc/killpower"),
        Command("singkirkan langkah mati bawaan NUT", ("sh", "-c", asked), ("sh", "-c", moved)),
        Link(ENDGAME_HOOK, "/usr/lib/slrt/ups-endgame"),
    )
