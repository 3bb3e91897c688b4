"""NUT: the files that tell it of the UPS, and its daemons. Without a UPS it is not there at all."""

from __future__ import annotations

import string
from dataclasses import dataclass

from appliance.config import PowerSettings
from provision.change import Applied, Change, Command, File, Link, Running
from provision.host import Host
from provision.step import CURRENT, Site, Step

TEMPLATES = "provision/templates/nut"
NUT_FOLDER = "/etc/nut"
SIMULATED_TMPFILES = "/etc/tmpfiles.d/slrt-simulated-ups.conf"
ENUMERATOR = "nut-driver-enumerator.service"
DIVERTED = "/usr/lib/slrt/nutshutdown.debian"
ENDGAME_HOOK = "/usr/lib/systemd/system-shutdown/slrt-ups-endgame"
DAEMONS = ("nut-server.service", "nut-monitor.service")


@dataclass(frozen=True)
class NutFile:
    """A file of NUT made from a template; the passwords in it are read on the machine and never leave it otherwise."""

    path: str
    template: str
    power: PowerSettings
    secrets: str

    def describe(self) -> str:
        return f"tulis {self.path} (root:nut 0640)"

    def is_done(self, host: Host) -> bool:
        file = self._file(host)
        return file is not None and file.is_done(host)

    def perform(self, host: Host) -> None:
        file = self._file(host)
        assert file is not None  # noqa: S101 - the step before made the secrets
        file.perform(host)

    def _file(self, host: Host) -> File | None:
        """The rendered file; None while the passwords are not made."""
        words = {"ups_name": self.power.name, "simulated_file": simulated_file(self.power)}
        for secret in ("watcher", "upsmon"):
            content = host.read(f"{self.secrets}/upsd-{secret}-password")
            if content is None:
                return None
            words[f"{secret}_password"] = content.decode().strip()
        return File(self.path, string.Template(self.template).substitute(words).encode(), 0o640, "root", "nut")


def simulated_file(power: PowerSettings) -> str:
    """The file that plays the simulated UPS."""
    return f"{power.runtime}/simulated.dev"


def ups(site: Site) -> Step:
    """The UPS as the settings name it."""
    power = site.settings.power
    if power.ups == "none":
        return Step("ups", "UPS (tidak dipakai)", ())
    files = _nut_files(site)
    paths = tuple(file.path for file in files)
    # NUT makes a unit for each UPS named in ups.conf
    drivers = Applied("nut-drivers", "buat unit driver UPS", paths, (("systemctl", "restart", ENUMERATOR),))
    driver = Running(f"nut-driver@{power.name}.service", (*paths, _drop_in("nut-driver@.service")), enabled=False)
    daemons = (driver, *(Running(unit, (*paths, _drop_in(unit))) for unit in DAEMONS))
    own = _simulated(power) if power.ups == "simulated" else _endgame()
    return Step("ups", "UPS", (*files, *own, drivers, *daemons))


def _drop_in(unit: str) -> str:
    return f"/etc/systemd/system/{unit}.d/slrt.conf"


def _nut_files(site: Site) -> tuple[NutFile, ...]:
    power, secrets = site.settings.power, site.settings.paths.secrets
    templates = {"nut.conf": "nut.conf", "ups.conf": f"ups-{power.ups}.conf"}
    templates |= {name: name for name in ("upsd.conf", "upsd.users", "upsmon.conf")}
    return tuple(
        NutFile(f"{NUT_FOLDER}/{name}", site.text(f"{TEMPLATES}/{source}").decode(), power, secrets)
        for name, source in templates.items()
    )


def _simulated(power: PowerSettings) -> tuple[Change, ...]:
    """The file that plays the UPS, back "on mains" after every boot."""
    line = f"C {simulated_file(power)} 0664 slrt-power nut - {CURRENT}/source/{TEMPLATES}/simulated.dev\n"
    file = File(SIMULATED_TMPFILES, b"# The simulated UPS: after every boot the mains is back.\n" + line.encode())
    made = ("systemd-tmpfiles", "--create", SIMULATED_TMPFILES)
    return (file, Applied("simulated-ups", "siapkan UPS simulasi", (SIMULATED_TMPFILES,), (made,)))


def _endgame() -> tuple[Change, ...]:
    """Our last act of a shutdown in the place of NUT's, which cannot make this family of UPS cut its output.

    Both would run at the same time and fight for the USB device, so the other is diverted, as Debian's way is.
    """
    asked = f"dpkg-divert --list '*/nutshutdown' | grep -q {DIVERTED}"
    moved = f'hook=$(dpkg -L nut-client nut-server | grep -m 1 /nutshutdown$) && dpkg-divert --local --rename --divert {DIVERTED} --add "$hook"'
    return (
        Command("singkirkan langkah mati bawaan NUT", ("sh", "-c", asked), ("sh", "-c", moved)),
        Link(ENDGAME_HOOK, "/usr/lib/slrt/ups-endgame"),
    )
