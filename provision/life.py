"""The commands of `slrt-provision` for the life of a node after its installation: upgrade, roll back, settle, uninstall."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from appliance.config import config_path, load
from appliance.errors import ApplianceError, ConfigurationError, InvalidInput
from provision import plan as plan_of
from provision.apt import WITHIN_BUNDLE
from provision.bundle import PINNED_KEY, Bundle, read_bundle
from provision.step import CURRENT, DEFAULT_ADMIN, Site, debian_of
from provision.upgrade import back, engine, releases, removal, settling
from provision.upgrade import ordered as orders
from provision.upgrade.engine import Upgrade, alone, refuse
from provision.upgrade.facts import gather
from provision.upgrade.node import RELEASES, Node

BY, ORDERED_BY = "server", "SLRT_ORDERED_BY"


def say(line: str) -> None:
    """Tell the terminal, if there still is one: an upgrade does not stop because nobody looks on."""
    try:
        click.echo(line)
    except OSError:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  for the rest of this process


@click.command()
@click.argument("file", metavar="[BERKAS]", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--release", default="", hidden=True, help="A release instead of a file, by its name.")
@click.option("--check", "only_check", is_flag=True, help="Hanya memeriksa apakah pembaruan boleh dimulai.")
@click.option("--starts", default="", hidden=True, help="Versions from which the release may be reached.")
@click.option("--cold", is_flag=True, help="Juga bila basis data tidak dapat dibuka: disalin apa adanya, tanpa cadangan.")
@click.option("--stop-after", default="", hidden=True, help="For tests: end at this point as if the power had failed.")
def upgrade(file: Path | None, release: str, starts: str, stop_after: str, *, only_check: bool, cold: bool) -> None:
    """Memperbarui simpul dari bundel BERKAS; gagal berarti kembali seperti semula beserta datanya."""
    node = own_node()
    if file is not None:
        return _from_bundle(node, file, only_check=only_check, cold=cold)
    if not release:
        raise InvalidInput({}, "Sebutkan berkas bundelnya.", "Contoh: sudo slrt upgrade /media/usb/slrt-node-0.2.0.slrt")
    wanted = Wanted(tuple(starts.split(",")) if starts else None, cold, stop_after)
    if only_check:
        return refuse(gather(node, release, starts=wanted.starts, cold=cold, prepared=False))
    return _to_prepared(node, release, wanted)


@dataclass(frozen=True)
class Wanted:
    """What was asked for besides the release."""

    starts: tuple[str, ...] | None
    cold: bool
    stop_after: str = ""


def _to_prepared(node: Node, release: str, wanted: Wanted) -> None:
    with alone(node):
        settling.settle(node, say)
        if node.release == release:
            say(f"Simpul sudah memakai rilis {release}.")
            return
        facts = gather(node, release, starts=wanted.starts, cold=wanted.cold)
        steps = plan_of.steps(own_site(node))
        engine.upgrade(Upgrade(node, release, steps, who(), say, wanted.stop_after), facts)


def _from_bundle(node: Node, file: Path, *, only_check: bool, cold: bool) -> None:
    bundle = trusted_bundle(file)
    say(f"Bundel {bundle.version} utuh dan ditandatangani kunci yang dikenal.")
    refuse(gather(node, bundle.release, starts=bundle.upgrades_from, cold=cold, prepared=False))
    if only_check:
        return
    prepare = ["bash", f"{CURRENT}/source/install.sh", "prepare", "--bundle", str(file.absolute())]
    if (code := subprocess.run(prepare, check=False).returncode) != 0:
        raise ended("Rilis dari bundel itu tidak dapat disiapkan; simpul tidak diubah.", code)
    program = RELEASES / bundle.release / "venv" / "bin" / "slrt-provision"
    words = ["--release", bundle.release, f"--starts={','.join(bundle.upgrades_from) or '-'}", *(["--cold"] if cold else [])]
    code = subprocess.run([str(program), "upgrade", *words], check=False).returncode
    # its packages are installed; the bundle itself is kept by its release
    shutil.rmtree(Path(WITHIN_BUNDLE).parent, ignore_errors=True)
    if code != 0:
        sys.exit(code)


def trusted_bundle(file: Path) -> Bundle:
    """A bundle that was signed with the key of this node's first installation. Raises ApplianceError."""
    try:
        trusted = Path(PINNED_KEY).read_bytes()
    except OSError as error:
        raise ConfigurationError(
            "Simpul ini belum mengenal kunci rilis.", "Perbarui sekali dari sumber program: sudo ./install.sh upgrade"
        ) from error
    return read_bundle(file, trusted)


def ended(text: str, code: int) -> ApplianceError:
    """What another program of ours has told already, with its exit code."""
    error = ApplianceError(text, "Lihat pesan di atas.")
    error.exit_code = code
    return error


@click.command()
@click.option("--database", "with_database", is_flag=True, help="Beserta data saat itu; yang dikerjakan sesudahnya disisihkan.")
@click.option(
    "--lose", default="", metavar="BILANGAN", help="Banyaknya catatan yang disisihkan, untuk --database tanpa terminal."
)
@click.option("--stop-after", default="", hidden=True, help="For tests: end at this point as if the power had failed.")
def rollback(lose: str, stop_after: str, *, with_database: bool) -> None:
    """Kembali ke rilis sebelumnya, selama masih disimpan."""
    node = own_node()
    with alone(node):
        settling.settle(node, say)
        way = back.look(node)
        if with_database and not lose and sys.stdin.isatty():
            say(f"Sejak pembaruan ada {way.words}. Semua itu disisihkan dan tidak tampak lagi.")
            lose = click.prompt(f"Ketik banyaknya catatan ({way.lost}) untuk melanjutkan")
        back.require(way, with_database=with_database, typed=lose)
        refuse(gather(node, node.release))
        wanted = Upgrade(node, way.kept.old, plan_of.steps(own_site(node)), who(), say, stop_after)
        back.go_back(wanted, way, with_database=with_database)


@click.command()
@click.option("--without-backup", is_flag=True, help="Tanpa cadangan terakhir; hanya bila cadangan tidak mungkin dibuat.")
@click.option("--yes-keep-data", "sure", is_flag=True, help="Tanpa bertanya lagi; data tetap disimpan.")
def uninstall(*, without_backup: bool, sure: bool) -> None:
    """Melepas program dari mesin ini. Data, cadangan, kunci dan pengaturan tetap di tempatnya."""
    node = own_node()
    with alone(node):
        settling.settle(node, say)
        if not sure:
            if not sys.stdin.isatty():
                raise InvalidInput({}, "Tidak ada yang dapat ditanya.", "Di terminal, atau ulangi dengan --yes-keep-data.")
            said = click.prompt(f"Program SLRT akan dilepas; data tetap disimpan. Ketik {removal.WORD} untuk melanjutkan")
            if said.strip().upper() != removal.WORD:
                raise InvalidInput({}, "Tidak ada yang diubah.", f"Ketik {removal.WORD} untuk melanjutkan.")
        removal.remove(node, plan_of.steps(own_site(node)), say, backup=not without_backup)


@click.command()
@click.option("--wait", is_flag=True, help="Menunggu pembaruan yang sedang berjalan.")
def settle(wait: bool) -> None:
    """Menyelesaikan pembaruan yang terputus; tanpa itu tidak ada yang berubah."""
    node = own_node()
    with alone(node, patience=wait):
        if not settling.settle(node, say):
            say("Tidak ada pembaruan yang belum selesai.")


@click.command(hidden=True)
@click.option("--end", is_flag=True, help="Only: nothing is under way any more.")
def ordered(*, end: bool) -> None:
    """Mengerjakan yang diminta dari halaman (dipanggil oleh slrt-upgrade.service)."""
    node = own_node()
    if end:
        orders.end_cut_off(node)
        return
    sys.exit(orders.carry_out(node, trusted_bundle, ORDERED_BY))


@click.command()
def tidy() -> None:
    """Melepas rilis sebelumnya beserta salinan datanya setelah 14 hari (dijalankan sendiri setiap hari)."""
    node = own_node()
    with alone(node):
        say(releases.forget_old(node, datetime.now(UTC)) or "Tidak ada yang perlu dilepas.")


def own_node() -> Node:
    """The node we stand at. Raises ConfigurationError for anybody but root."""
    if os.geteuid() != 0:
        raise ConfigurationError("Perintah ini memerlukan hak root.", "Ulangi dengan sudo.")
    return Node(load(config_path()))


def own_site(node: Node) -> Site:
    """What the steps are made from: the settings as they are."""
    return Site(node.settings, DEFAULT_ADMIN, debian_of(node.host))


def who() -> str:
    """Whoever sits at the terminal, as the machine knows her."""
    return os.environ.get(ORDERED_BY) or os.environ.get("SUDO_USER") or BY


COMMANDS = (upgrade, rollback, uninstall, settle, tidy, ordered)
