"""What systemd is told of the node: the units, the scripts they call, and that they run."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from provision.change import Applied, Command, File, Link, Running, Together, writes
from provision.step import CURRENT, PROVISION, SLRT, Site, Step
from provision.steps import hardening, network
from provision.steps.files import SECRETS, SETTINGS_FILE

UNIT_FOLDER = "/etc/systemd/system"
SCRIPT_FOLDER = "/usr/lib/slrt"
NGINX_CONF = "/etc/slrt/nginx.conf"
UDEV_RULES = "/etc/udev/rules.d/90-slrt-sticks.rules"
UNIT_KINDS = {".service", ".socket", ".timer", ".path", ".target", ".conf"}


def _systemd_files(source: Path) -> list[Path]:
    """The units, drop-ins and scripts of the source tree, relative to systemd/."""
    folder = source / "systemd"
    found = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return [path for path in found if path.parts[0] not in ("sysusers.d", "tmpfiles.d", "udev")]


def _unit_files(site: Site) -> list[File]:
    files = []
    for path in _systemd_files(site.source):
        content = site.text(f"systemd/{path}")
        if path.suffix in UNIT_KINDS:
            files.append(File(f"{UNIT_FOLDER}/{path}", content))
        else:
            files.append(File(f"{SCRIPT_FOLDER}/{path}", content, 0o755 if content.startswith(b"#!") else 0o644))
    return files


def programs(site: Site) -> Step:
    """The commands of the operator."""
    return Step(
        "perintah", "Perintah slrt", (Link("/usr/local/bin/slrt", SLRT), Link("/usr/local/bin/slrt-provision", PROVISION))
    )


def units(site: Site) -> Step:
    """The units as files, and systemd having read them."""
    # what the steps of other subjects add to units too: systemd reads all of its units at each reload
    files = (*_unit_files(site), *hardening.drop_ins(site), *network.drop_ins(site))
    of_systemd = sorted(path for change in files for path in writes(change) if PurePosixPath(path).is_relative_to(UNIT_FOLDER))
    do = (("systemctl", "daemon-reload"),)
    read = Applied("daemon-reload", "minta systemd membaca unit yang baru", tuple(of_systemd), do)
    rules = File(UDEV_RULES, site.text("systemd/udev/90-slrt-sticks.rules"))
    # a machine without udev, such as a container, has no disks that come and go either
    known = Applied(
        "udev", "minta udev membaca aturan yang baru", (UDEV_RULES,), (("sh", "-c", "udevadm control --reload || true"),)
    )
    return Step("unit", "Unit systemd", (*files, read, rules, known))


def certificates(site: Site) -> Step:
    """The node's authority, its web certificate and the page that hands it out."""
    renew = (PROVISION, "renew-certificate")
    return Step(
        "sertifikat",
        "Sertifikat",
        (Command("buat atau perbarui sertifikat web dan halaman CA", (*renew, "--check"), renew, proves=True),),
    )


def front(site: Site) -> Step:
    """The settings of nginx."""
    return Step("gerbang-web", "Gerbang web (nginx)", (File(NGINX_CONF, site.text("provision/templates/web/nginx.conf")),))


def services(site: Site) -> Step:
    """Everything runs, with the files as they are now, and starts with the machine."""
    secrets = tuple(f"{site.settings.paths.secrets}/{name}" for name in SECRETS)
    program = (CURRENT, SETTINGS_FILE)
    running = (
        Running("slrt-watcher.service", (*program, f"{site.settings.paths.secrets}/upsd-watcher-password")),
        Running("slrt-poweroff.path"),
        Running("slrt-force-shutdown.path"),
        Running("slrt-rtc-alarm.path"),
        Running("slrt-upsmon-refresh.path"),
        # the scheduler stops after the pages, so systemd would start it before them; neither needs the other
        Running("slrt-web.socket", before=("slrt-web.service",), ahead=True),
        Running("slrt-web.service", (*program, *secrets), ahead=True),
        Running("slrt-backup.path"),
        Running("slrt-scheduler.service", (*program, *secrets)),
        Running("slrt-front.socket", before=("slrt-front.service",)),
        Running("slrt-front.service", (NGINX_CONF,)),
        *(() if site.settings.power.ups == "none" else (Running("slrt-power-check.timer"),)),
        Running("slrt-drill.path"),
        Running("slrt-restore.path"),
        Running("slrt-clock.path"),
        Running("slrt-lan.path"),
        Running("slrt-lan.timer"),
        Running("slrt-sticks.path"),
        Running("slrt-sticks.timer"),
        Running("slrt-certificate.timer"),
        Running("slrt-certificate.path"),
        Running("slrt-upgrade-tidy.timer"),
        Running("slrt-upgrade.path"),
        Running("slrt.target"),
    )
    return Step("layanan", "Layanan", (Together(running),))


def answers(site: Site) -> Step:
    """The proof: the pages answer over TLS, with the node's own certificate."""
    del site
    asked = (PROVISION, "answers")
    wait = Command("tunggu sampai halaman web menjawab lewat https", asked, (*asked, "--wait", "60"), proves=True)
    return Step("jawaban", "Jawaban layanan", (wait,))
