"""`slrt-provision`: puts a machine into shape, this one or one over SSH. A front door: it only translates.

install.sh hands over to it once the program is on the machine; run by hand it repairs, or shows what a repair would do.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from appliance import __version__, usage
from appliance.config import NetworkSettings, Settings, config_path, load, parse, read_secret, render
from appliance.config_values import split_list
from appliance.errors import EXIT_DONE, EXIT_FAILED, ApplianceError, ConfigurationError
from appliance.lan.rules import Typed, Wanted, read_wanted
from provision import fleet as fleet_of
from provision import life, preflight, probe, run
from provision import plan as plan_of
from provision.dhcp import other_servers
from provision.host import Host, LocalHost
from provision.identity import Places, own_addresses, renew, what_is_due
from provision.interface import office_card
from provision.step import DEFAULT_ADMIN, SIGN_IN_FILE, SLRT, Site, Step, debian_of, source_tree
from provision.steps.files import SETTINGS_FILE
from provision.steps.network import keep_connected
from provision.steps.ups import SECONDARY_SECRET
from provision.unit import power_of, secondary_sheet
from provision.upgrade.settling import tell_steps_done

# provinces by the first two digits of the district: the rest of Indonesia keeps the time of the capital
CENTRAL = {"51", "52", "53", "63", "64", "65", "71", "72", "73", "74", "75", "76"}
EASTERN = {"81", "82", "91", "92", "93", "94", "95", "96", "97"}


NETWORK_WISHES = ("ssh_from", "dhcp", "upstream_dns")
# whoever works over SSH would cut himself off in the middle, and no two nodes have the same address
ADDRESS_WISHES = ("address", "gateway", "dns")
CONNECTION = ("host", "port", "identity", "known_hosts")


@dataclass(frozen=True)
class Wish:
    """What was asked for on the command line; an empty text leaves what the machine has."""

    host: str = ""
    port: int = 22
    identity: Path | None = None
    known_hosts: Path | None = None
    district: str = ""
    hostname: str = ""
    admin: str = ""
    ups: str = ""
    ups_driver: str = ""
    ups_device: str = ""
    ups_options: str = ""
    ups_lan: str = ""
    accept: str = ""
    lang: str = ""
    ssh_from: str = ""
    dhcp: str = ""
    upstream_dns: str = ""
    address: str = ""
    gateway: str = ""
    dns: str = ""

    @property
    def options(self) -> list[str]:
        """The same wish as options of install.sh."""
        names = [field.name for field in dataclasses.fields(self) if field.name not in CONNECTION]
        said = {f"--{name.replace('_', '-')}": str(getattr(self, name)) for name in names}
        return ["--unattended", *(part for option, value in said.items() if value for part in (option, value))]


def wishes(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that plan and apply share."""
    for option in (
        click.option("--host", default="", help="Mesin lain lewat SSH, misalnya root@slrt.local; tanpa ini: mesin ini."),
        click.option("--local", is_flag=True, help="Mesin ini (bawaan)."),
        click.option("--port", default=22, show_default=True, help="Porta SSH mesin itu."),
        click.option("--identity", type=click.Path(exists=True, path_type=Path), help="Berkas kunci SSH."),
        click.option("--known-hosts", type=click.Path(exists=True, path_type=Path), help="Daftar kunci host selain milik Anda."),
        click.option("--district", default="", help="Kode kabupaten/kota Kemendagri, misalnya 73.03."),
        click.option("--hostname", default="", help="Nama mesin di jaringan kantor."),
        click.option("--admin", default="", help="Nama pengguna administrator pertama."),
        click.option("--ups", type=click.Choice(["usb", "driver", "simulated", "none"]), help="Jenis UPS; driver: merek lain."),
        click.option("--ups-driver", default="", help="Nama driver NUT untuk UPS merek lain, misalnya nutdrv_qx."),
        click.option("--ups-device", default="", help="Tempat UPS itu: auto, /dev/ttyS0 atau alamat jaringan."),
        click.option("--ups-options", default="", help="Pilihan lain driver itu: 'vendorid = 0665; productid = 5161'."),
        click.option("--accept", default="", help="Peringatan pemeriksaan yang disetujui: P21,P22 atau all."),
        click.option("--lang", type=click.Choice(["id", "en"]), help="Bahasa hasil pemeriksaan."),
        click.option("--ups-lan", default="", help="Alamat simpul ini bagi komputer lain pada UPS yang sama; none: tidak ada."),
        click.option(
            "--ssh-from", default="", help="Dari mana SSH diterima, misalnya 192.168.1.20; none: seluruh jaringan kantor."
        ),
        click.option(
            "--dhcp", default="", help="Alamat yang dibagikan lewat DHCP: 192.168.1.100-192.168.1.200; none: tidak ada."
        ),
        click.option("--upstream-dns", default="", help="Server nama untuk nama lain, misalnya 192.168.1.1; none: tidak ada."),
        click.option("--address", default="", help="Alamat tetap mesin ini, dengan panjang jaringannya: 192.168.1.10/24."),
        click.option("--gateway", default="", help="Router kantor bagi alamat itu, misalnya 192.168.1.1."),
        click.option("--dns", default="", help="Server nama bagi mesin ini, dipisahkan koma."),
    ):
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="slrt-provision")
def provision() -> None:
    """Menyiapkan mesin menjadi simpul SLRT."""


@provision.command()
@wishes
def plan(local: bool, **asked: Any) -> None:
    """Menampilkan apa yang akan diubah, tanpa mengubah apa pun."""
    del local
    with _opened(_wish(asked)) as (host, steps):
        run.plan(steps, host, click.echo)


@provision.command()
@wishes
@click.option("--stop-after", default="", hidden=True, help="For tests: end after this step as if the power had failed.")
def apply(local: bool, stop_after: str, **asked: Any) -> None:
    """Menyiapkan mesin; yang sudah sesuai tidak disentuh."""
    del local
    with _opened(_wish(asked)) as (host, steps):
        if stop_after and stop_after not in {step.name for step in steps}:
            raise click.BadParameter(f"tidak ada langkah {stop_after}", param_hint="--stop-after")
        apply_all(steps, host, click.echo, stop_after)
        if asked["host"]:
            _farewell(host)


@provision.command()
@wishes
def check(local: bool, **asked: Any) -> None:
    """Apakah mesin masih seperti seharusnya? Kode keluar 1 bila ada yang menyimpang; tidak mengubah apa pun."""
    del local
    with _opened(_wish(asked)) as (host, steps):
        due = run.check(steps, host, click.echo)
    sys.exit(EXIT_FAILED if due else EXIT_DONE)


@provision.group()
def fleet() -> None:
    """Banyak simpul sekaligus, menurut daftar simpul (lihat docs/fleet.md)."""


def fleet_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that the commands for many nodes share."""
    for option in (
        click.option(
            "--inventory", type=click.Path(path_type=Path), default="simpul.toml", show_default=True, help="Daftar simpul."
        ),
        click.option("--only", default="", help="Hanya simpul ini, dipisah koma."),
        click.option("--parallel", type=click.IntRange(1, 32), default=4, show_default=True, help="Berapa simpul sekaligus."),
    ):
        command = option(command)
    return command


@fleet.command("plan")
@fleet_options
def plan_fleet(**asked: Any) -> None:
    """Menampilkan apa yang akan diubah di setiap simpul, tanpa mengubah apa pun."""
    _fleet(run.plan, lambda count: f"{count} akan diubah" if count else "sesuai", drift_is_failure=False, **asked)


@fleet.command("check")
@fleet_options
def check_fleet(**asked: Any) -> None:
    """Apakah semua simpul masih seperti seharusnya? Kode keluar 1 bila ada yang menyimpang."""
    _fleet(run.check, lambda count: f"{count} menyimpang" if count else "sesuai", drift_is_failure=True, **asked)


@fleet.command("apply")
@fleet_options
def apply_fleet(**asked: Any) -> None:
    """Menyiapkan semua simpul; yang sudah sesuai tidak disentuh."""
    _fleet(apply_all, lambda count: f"{count} diubah" if count else "sesuai", drift_is_failure=False, **asked)


@provision.command("steps")
def list_steps() -> None:
    """Nama semua langkah, berurutan."""
    for step in plan_of.steps(Site(Settings(), DEFAULT_ADMIN, debian=12)):
        click.echo(f"{step.name:<18}{step.title}")


@provision.command("renew-certificate")
@click.option("--check", is_flag=True, help="Hanya memeriksa; kode keluar 1 bila ada yang perlu diperbarui.")
def renew_certificate(check: bool) -> None:
    """Memperbarui sertifikat web bila hampir berakhir atau alamat mesin berubah."""
    settings = load(config_path())
    places, at = Places.of(settings), datetime.now(UTC)
    if check:
        due = what_is_due(settings, places, own_addresses(), at)
        click.echo(f"Perlu diperbarui: {due}." if due else "Sertifikat sesuai.")
        sys.exit(EXIT_FAILED if due else EXIT_DONE)
    _be_root()
    due = renew(settings, read_secret(settings, "backup-passphrase"), places, own_addresses(), at)
    if not due:
        click.echo(run.NOTHING_CHANGED)
        return
    # nginx reads the files when it is told to; while it is not running there is nobody to tell
    LocalHost().run(["systemctl", "try-reload-or-restart", "slrt-front.service"])
    click.echo(f"Sertifikat diperbarui: {due}.")


@provision.command("other-dhcp")
def other_dhcp() -> None:
    """Apakah ada perangkat lain di jaringan yang membagikan alamat (DHCP)?"""
    _be_root()
    settings = load(config_path())
    card = office_card(LocalHost(), settings.network.interface)
    if found := other_servers(card.name, [str(address) for address in own_addresses()]):
        raise ConfigurationError(
            f"Perangkat lain sudah membagikan alamat di jaringan ini: {', '.join(found)}.",
            "Matikan DHCP di perangkat itu dahulu, atau jalankan: slrt-provision apply --dhcp none",
        )
    click.echo("Tidak ada perangkat lain yang membagikan alamat.")


@provision.command("ups-clients")
def ups_clients() -> None:
    """Petunjuk, beserta kata sandi, untuk komputer lain pada UPS yang sama."""
    _be_root()
    settings = load(config_path())
    if not settings.power.lan_address:
        raise ConfigurationError(
            "UPS ini belum dibagikan kepada komputer lain.", "Jalankan: ./install.sh --ups-lan ALAMAT-SIMPUL-INI"
        )
    click.echo(secondary_sheet(settings.power, read_secret(settings, SECONDARY_SECRET)), nl=False)


@provision.command()
@click.option("--wait", "seconds", type=float, default=0.0, help="Menunggu paling lama sekian detik.")
def answers(seconds: float) -> None:
    """Apakah halaman web menjawab lewat https dengan sertifikat simpul ini?"""
    wrong = probe.wait(load(config_path()), seconds)
    if wrong:
        raise ApplianceError(f"Halaman web {wrong}.", "Lihat: journalctl -u slrt-web -u slrt-front")
    click.echo("Halaman web menjawab.")


for command in life.COMMANDS:
    provision.add_command(command)


def main() -> None:
    """Run the command; an error of ours becomes two lines and its exit code."""
    try:
        provision.main(prog_name="slrt-provision", standalone_mode=False)
    except ApplianceError as error:
        click.echo(f"Gagal: {error.message}", err=True)
        if error.hint:
            click.echo(f"Langkah berikutnya: {error.hint}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        usage.show(error)
        sys.exit(error.exit_code)
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
    except click.Abort:
        click.echo("Dibatalkan.", err=True)
        sys.exit(130)


def _fleet(
    act: Callable[[Sequence[Step], Host, run.Say], int],
    told: Callable[[int], str],
    drift_is_failure: bool,
    inventory: Path,
    only: str,
    parallel: int,
) -> None:
    """Do `act` on the chosen nodes side by side, show the table, and end with the code for all of them."""
    known = [field.name for field in dataclasses.fields(Wish) if field.name not in ADDRESS_WISHES]
    members = fleet_of.read_inventory(inventory, known)

    def on_one(member: fleet_of.Member, say: run.Say) -> int:
        with _opened(_wish(dict(member.wish)), say) as (host, steps):
            return act(steps, host, say)

    results = fleet_of.act_on_all(fleet_of.chosen(members, only), on_one, click.echo, parallel)
    click.echo("\n" + fleet_of.table(results, told))
    sys.exit(fleet_of.exit_code(results, drift_is_failure))


def _farewell(host: Host) -> None:
    """What the operator needs next of a machine that he does not sit at; install.sh says it on the machine itself."""
    click.echo(f"\nSandi masuk pertama ada di mesin itu: {SIGN_IN_FILE}\n")
    click.echo(host.run([SLRT, "status"]).output, nl=False)


def _wish(asked: dict[str, Any]) -> Wish:
    return Wish(**{name: value for name, value in asked.items() if value is not None})


def apply_all(steps: Sequence[Step], host: Host, say: run.Say, stop_after: str = "") -> int:
    """Apply them; then nothing is left of what an upgrade that was cut off asked for. Gives the number of changes. Raises ApplianceError."""
    count = run.apply(steps, host, say, stop_after)
    tell_steps_done(host)
    return count


@contextlib.contextmanager
def _opened(wish: Wish, say: run.Say = click.echo) -> Iterator[tuple[Host, tuple[Step, ...]]]:
    """The machine and the steps for it; a machine over SSH is checked first and gets the program as its first step."""
    if not wish.host:
        _be_root()
        local = LocalHost()
        yield local, plan_of.steps(_site(local, wish))
        return
    from provision.ssh import SshHost

    if any(getattr(wish, name) for name in ADDRESS_WISHES):
        raise ConfigurationError(
            "Alamat tetap tidak dipasang lewat SSH: sambungannya akan terputus.",
            "Pasang di simpulnya sendiri (./install.sh --address …) atau di halaman Jaringan.",
        )
    source = source_tree()
    remote = SshHost.connect(wish.host, wish.port, wish.identity, wish.known_hosts)
    try:
        say(preflight.check(remote, source, wish.options).rstrip())
        yield remote, (preflight.program(source), *plan_of.steps(_site(remote, wish)))
    finally:
        remote.close()


def _site(host: Host, wish: Wish) -> Site:
    """The node as wished, on top of what the machine has. Raises ConfigurationError."""
    content = host.read(SETTINGS_FILE)
    if content is None and not wish.district:
        raise ConfigurationError("Kode kabupaten/kota belum ditentukan.", "Tambahkan misalnya: --district 73.03")
    name = _name_of_district(wish.district) if wish.district else ""
    settings = parse(content.decode()) if content is not None else _fresh(wish.district, name)
    wished = {"district": wish.district, "hostname": wish.hostname}
    node = dataclasses.replace(settings.node, **{key: value for key, value in wished.items() if value})
    settings = dataclasses.replace(settings, node=node, network=_network(settings.network, wish, host))
    settings = dataclasses.replace(settings, power=power_of(settings.power, wish.ups, _ups_wishes(wish), host))
    parse(render(settings))  # what was wished is judged as what somebody writes into the file
    return Site(settings, wish.admin or DEFAULT_ADMIN, debian_of(host), address=_address(wish))


def _address(wish: Wish) -> Wanted | None:
    """The fixed address that was wished. Raises ConfigurationError with all that is wrong with it."""
    if not any(getattr(wish, name) for name in ADDRESS_WISHES):
        return None
    wanted, problems = read_wanted(Typed(wish.address, wish.gateway, wish.dns))
    if wanted is None:
        raise ConfigurationError(" ".join(problems.values()), "Perbaiki --address, --gateway dan --dns, lalu ulangi.")
    return wanted


def _network(known: NetworkSettings, wish: Wish, host: Host) -> NetworkSettings:
    """What was wished of the office network. Whoever works on the machine over SSH now stays let in, and that is told."""
    said = {name: getattr(wish, name) for name in NETWORK_WISHES if getattr(wish, name)}
    known = dataclasses.replace(known, **{name: "" if value == "none" else value for name, value in said.items()})
    parse(render(dataclasses.replace(Settings(), network=known)))
    kept = keep_connected(known, host)
    if kept:
        click.echo(f"Sedang tersambung lewat SSH, jadi tetap diterima: {', '.join(kept)}.")
    return dataclasses.replace(known, ssh_from=", ".join([*split_list(known.ssh_from), *kept]))


def _ups_wishes(wish: Wish) -> dict[str, str]:
    """What was wished about the UPS, by the names of the settings."""
    lan = {"lan_address": "" if wish.ups_lan == "none" else wish.ups_lan} if wish.ups_lan else {}
    asked = {"driver": wish.ups_driver, "device": wish.ups_device, "driver_options": wish.ups_options}
    return {**{key: value for key, value in asked.items() if value}, **lan}


def _name_of_district(code: str) -> str:
    """The name that belongs to a district's code. Raises a usage error for a code that no district has."""
    lines = (source_tree() / "provision" / "districts.txt").read_text(encoding="utf-8").splitlines()
    names = dict(line.split(" ", 1) for line in lines if not line.startswith("#"))
    if code not in names:
        raise click.BadParameter(f"tidak ada kabupaten/kota dengan kode {code}", param_hint="--district")
    return names[code]


def _fresh(district: str, name: str) -> Settings:
    """The defaults, under the district's name and in the time zone of its province."""
    province = district[:2]
    zone = "Asia/Makassar" if province in CENTRAL else "Asia/Jayapura" if province in EASTERN else "Asia/Jakarta"
    node = dataclasses.replace(Settings().node, timezone=zone, office=f"Dinas Sosial {name}")
    return dataclasses.replace(Settings(), node=node)


def _be_root() -> None:
    if os.geteuid() != 0:
        raise ConfigurationError("Perintah ini memerlukan hak root.", "Ulangi dengan sudo.")
