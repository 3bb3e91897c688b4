"""The commands of `slrt backup` that bring something back: all of it, the database, single papers, or a look at what was.

Root stops the services and starts them again; the work is done by the service user in a process of its own. A restore in place is
settled (`appliance.restoration.settling`) before a service runs again; killed before that, the next start of a service does it.
"""

from __future__ import annotations

import getpass
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path

import click

from appliance.commands import restoring
from appliance.commands.backing_up import wait_for_turn
from appliance.commands.backup_plan import OWN, Handed, Source, gate_of, plan_of, translated
from appliance.commands.backup_rekey import carry_out as carry_out_rotation
from appliance.commands.door import Door
from appliance.commands.handing_over import hand_over
from appliance.commands.pacing import steps, stoppable
from appliance.commands.restoring import Errand
from appliance.commands.sources import REASON_GIVEN, as_json, with_reason, with_source
from appliance.config import Settings
from appliance.database import create_service
from appliance.errors import InvalidInput
from appliance.recovery import rotation
from appliance.registry.named_files import named_hashes
from appliance.restoration.epoch import ShutOut, shut_out_of_newest
from appliance.restoration.settling import complete
from appliance.restoration.states import look_at_coming, require_known
from appliance.restore_orders import Progress, Wish, tell
from backups import attachments, exchange, lock
from backups import restore as library
from backups.lock import only_run
from backups.replay import read_moment
from backups.restore import CHECK_STEPS, STEPS, Choice, Part, Restored, quiet
from backups.restore import check as check_backup
from backups.restore import restore as bring_back
from backups.words import megabytes

MOST_NAMED = 20
TURN_SECONDS, POLL_SECONDS = 20.0, 0.2
HAS_TURN = "SLRT_RESTORE_TURN"
AFTERWARDS = "Langkah berikutnya: periksa dengan slrt status, lalu masuk dan lihat satu kasus yang Anda kenal."

STAYS_OFF = "Tetap dinonaktifkan: {names}"
STAYS_REPLACED = "Sandi yang diganti sesudah cadangan tetap berlaku dan harus diperbarui saat masuk: {names}"
STAYS_ENDED = "Penugasan yang diakhiri sesudah cadangan tetap berakhir: {names}"
NO_ADMIN = 'Tidak ada lagi admin yang aktif. Buat satu: sudo slrt user create NAMA --name "Nama Lengkap" --role admin'


def who() -> str:
    """Whoever sits at the terminal, as the machine knows her."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        return "server"


@click.command()
@click.argument("wanted", metavar="NOMOR")
@click.option("--to", type=click.Path(path_type=Path, readable=False), help="Folder baru atau kosong untuk hasilnya.")
@click.option("--in-place", is_flag=True, help="Menggantikan data sistem ini; data lama tetap disimpan di sampingnya.")
@click.option("--only", type=click.Choice(["database"]), help="Hanya basis data; lampiran dan identitas tetap yang sekarang.")
@click.option("--accept-losses", is_flag=True, help="Juga bila ada lampiran dalam cadangan yang tidak terbaca lagi.")
@click.option(
    "--check", is_flag=True, help="Hanya memeriksa apakah cadangan itu dapat dipulihkan di sini; tidak mengubah apa pun."
)
@click.option("--yes", is_flag=True, help="Tanpa bertanya lagi (di terminal).")
@with_reason
@click.option("--by", default="", hidden=True)
@as_json
@with_source
@click.pass_obj
def restore(  # noqa: PLR0913 - one for each option
    door: Door,
    *,
    wanted: str,
    to: Path | None,
    in_place: bool,
    only: str | None,
    accept_losses: bool,
    check: bool,
    yes: bool,
    reason: str,
    by: str,
    as_json: bool,
    source: Source,
) -> None:
    """Memulihkan cadangan NOMOR ke folder lain, atau ke tempatnya.

    NOMOR dapat juga "terakhir"; atau suatu saat di antara dua cadangan, misalnya "28-11-2026 14:05"; atau "sekarang": sejauh
    catatan berkelanjutan di disk cadangan.
    """
    if check:
        return _check(door, wanted, source, as_json)
    if in_place == (to is not None):
        raise InvalidInput(
            {}, "Pilih salah satu: --to FOLDER atau --in-place.", "Contoh: slrt backup restore terakhir --to /tmp/pulih"
        )
    # a script has nobody to ask, and has said what it wants
    if in_place and not yes and sys.stdin.isatty():
        click.confirm("Data sistem ini akan diganti dengan isi cadangan. Lanjutkan?", abort=True)
    choice = Choice(Part(only) if only else Part.ALL, accept_losses)
    errand = Errand(wanted, source.folder, choice, by or who(), reason)
    if to is not None:
        _restore_to(door, errand, to.absolute(), source, as_json)
    else:
        _restore_in_place(door, errand, source, as_json)
    return None


def _words(errand: Errand, as_json: bool) -> list[str]:
    """The options of an errand, for the process of the service user, which is given its reason."""
    return [
        *(["--only", "database"] if errand.choice.part is Part.DATABASE else []),
        *(["--accept-losses"] if errand.choice.accept_losses else []),
        *(["--json"] if as_json else []),
        f"--by={errand.by}",
        REASON_GIVEN,
    ]


def _check(door: Door, wanted: str, source: Source, as_json: bool) -> None:
    if read_moment(wanted, door.settings.zone):
        raise InvalidInput({}, "--check memeriksa satu cadangan, bukan suatu saat.", "Sebutkan nomornya: slrt backup list")
    if hand_over(door, source, ["restore", wanted, "--check", *(["--json"] if as_json else [])]):
        return
    plan = plan_of(door.settings, Handed.read(door, source), source.folder)
    say = telling(door.settings, Wish.CHECK, wanted, CHECK_STEPS, quiet if as_json else steps(CHECK_STEPS))

    def look(folder: Path) -> None:
        require_known(look_at_coming(door.settings, folder))

    with stoppable(door.settings, "cadangan") as stop, translated():
        wait_for_turn(plan, stop)
        manifest = check_backup(plan, wanted, look, stop, say)
    if as_json:
        click.echo(json.dumps({"id": str(manifest.run), "ok": True, "bytes": manifest.bytes, "at": manifest.at.isoformat()}))
    else:
        click.echo(f"Cadangan {manifest.run} utuh dan dapat dipulihkan di sini ({megabytes(manifest.bytes)}).")


def telling(settings: Settings, wish: Wish, wanted: str, total: int, say: Callable[[str], None]) -> Callable[[str], None]:
    """Say each step, and let the pages know."""
    step = 0

    def tell_step(text: str) -> None:
        nonlocal step
        step += 1
        run = int(wanted) if wanted.isdecimal() else 0
        tell(settings, Progress(wish, run, text, datetime.now(UTC), step, total))
        say(text)

    return tell_step


def _restore_to(door: Door, errand: Errand, to: Path, source: Source, as_json: bool) -> None:
    restoring.make_target(door.settings, to)
    if hand_over(door, source, ["restore", errand.number, "--to", str(to), *_words(errand, as_json)], given=errand.reason):
        return
    plan = plan_of(door.settings, Handed.read(door, source), source.folder)
    say = quiet if as_json else steps(STEPS - 1)
    with stoppable(door.settings, "cadangan") as stop, translated():
        wait_for_turn(plan, stop)
        restored = bring_back(plan, errand.number, to, stop, say, errand.choice)
    _tell(door, restored, as_json)
    if not as_json:
        click.echo(f"Cadangan {restored.manifest.run} dipulihkan ke {to}; isinya sudah dibandingkan.")


def _restore_in_place(door: Door, errand: Errand, source: Source, as_json: bool) -> None:
    with _alone(door, source):
        if not hand_over(
            door, source, ["restore", errand.number, "--in-place", "--yes", *_words(errand, as_json)], given=errand.reason
        ):
            handed = Handed.read(door, source)
            wish = Wish.DATABASE if errand.choice.part is Part.DATABASE else Wish.RESTORE
            say = telling(door.settings, wish, errand.number, STEPS, quiet if as_json else steps(STEPS))
            with stoppable(door.settings, "cadangan") as stop, translated(), gate_of(door.settings).work():
                restored = restoring.in_place(door.settings, handed, errand, stop, say)
            _tell(door, restored, as_json)
            if not as_json:
                click.echo(f"Cadangan {restored.manifest.run} sudah di tempatnya. Data lama: {restored.folder}")
        if source.handed is None:
            _fit(door)
    if source.handed is None and not as_json:
        click.echo(AFTERWARDS)


@contextmanager
def _alone(door: Door, source: Source = OWN) -> Iterator[None]:
    """Nobody else restores meanwhile, the services are off, and nobody has the database open. Who was handed the secrets is inside."""
    if source.handed is not None:
        yield
        return
    with translated(), _turn(door), restoring.services_stopped():
        restoring.require_unused(door.settings)
        yield


def _turn(door: Door) -> AbstractContextManager[object]:
    """The turn of one restore; who carries out an order of the pages has it already."""
    return nullcontext() if os.environ.get(HAS_TURN) else only_run(Path(door.settings.paths.runtime))


def _fit(door: Door) -> None:
    """What a restore needs to be complete: the secrets that came with it, tables of this version, the numbers of the office."""
    restoring.fit_machine(door)
    if not hand_over(door, OWN, ["settle"]):
        _settle(door, Handed.read(door))


@click.command(hidden=True)
@click.option("--only-exchange", is_flag=True)
@with_source
@click.pass_obj
def settle(door: Door, only_exchange: bool, source: Source) -> None:
    """Menyelesaikan pemulihan yang sudah ditukar: masa data, nomor, jurnal."""
    handed = Handed.read(door, source)
    if only_exchange:
        _end_exchange(door.settings)
    else:
        _settle(door, handed)


def _end_exchange(settings: Settings) -> None:
    data = Path(settings.paths.data)
    with translated(), only_run(data):
        library.finish(data, settings.server_url)


def _settle(door: Door, handed: Handed) -> None:
    service = create_service(door.settings, audit_key=handed.audit_key)
    with translated():
        done = complete(door.settings, service)
    with service.app_context():
        _name_missing(attachments.find_missing(Path(door.settings.paths.data), named_hashes()))
        if done:
            _name_shut_out(shut_out_of_newest())


def _name_shut_out(kept: ShutOut) -> None:
    """The accounts that stay as they were before the restore."""
    for text, names in ((STAYS_OFF, kept.switched_off), (STAYS_REPLACED, kept.renewed), (STAYS_ENDED, kept.ended)):
        if names:
            click.echo(text.format(names=", ".join(names)), err=True)
    if kept.no_admin:
        click.echo(NO_ADMIN, err=True)


def _name_missing(missing: Sequence[str]) -> None:
    """The files that rows name and nobody has: what came in the last seconds before a disk died."""
    for sha256 in missing[:MOST_NAMED]:
        click.echo(f"Hilang: {attachments.place_of(sha256)}", err=True)
    if missing:
        click.echo(
            f"{len(missing)} lampiran tidak ada pada data yang dipulihkan. Cari di cadangan: sudo slrt backup attachments --put-back",
            err=True,
        )


@click.command()
@click.option("--starting", is_flag=True, hidden=True, help="Dipanggil sebelum layanan mulai.")
@click.pass_obj
def finish(door: Door, starting: bool) -> None:
    """Menyelesaikan pemulihan yang terputus listrik; tanpa itu tidak ada yang berubah. Sebelum layanan mulai itu terjadi sendiri."""
    if is_unfinished(door.settings):
        _end_restore(door, starting=starting)
        click.echo("Pemulihan yang terputus sudah diselesaikan.")
    else:
        click.echo("Tidak ada pemulihan yang belum selesai.")
    # last: the disk with the backups may be gone, and the data do not wait for it
    if starting and (Path(door.settings.paths.secrets) / rotation.NEXT).exists():
        # the backups open with the one passphrase or the other, and only root knows both
        carry_out_rotation(door)
        click.echo("Penggantian kata sandi cadangan yang terputus sudah diselesaikan. Cetak lembar pemulihan yang baru.")


def _end_restore(door: Door, *, starting: bool) -> None:
    with _before_services(door) if starting else _alone(door):
        # first all in its place: the secrets that came along lie with what was replaced
        if not hand_over(door, OWN, ["settle", "--only-exchange"]):
            _end_exchange(door.settings)
        _fit(door)


def is_unfinished(settings: Settings) -> bool:
    """Whether a restore was cut off after it had begun to exchange, or before what came back was settled."""
    data = Path(settings.paths.data)
    return exchange.is_cut_off(data) or (data / exchange.NOTE).exists()


@contextmanager
def _before_services(door: Door) -> Iterator[None]:
    """Alone, as `_alone`, while the services wait for us. Whoever starts them at the end of a restore that failed lets go in a moment."""
    runtime, deadline = Path(door.settings.paths.runtime), time.monotonic() + TURN_SECONDS
    while lock.is_running(runtime) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    with translated(), only_run(runtime):
        restoring.require_unused(door.settings)
        yield


def _tell(door: Door, restored: Restored, as_json: bool) -> None:
    """What came back, as far as it is more than was asked for or less."""
    reached = restored.reached.astimezone(door.settings.zone) if restored.reached else None
    if as_json:
        told = {"id": str(restored.manifest.run), "folder": str(restored.folder), "losses": restored.losses}
        click.echo(json.dumps(told | ({"reached": reached.isoformat()} if reached else {})))
        return
    if reached:
        click.echo(f"Basis data dibawa maju ke keadaan {reached:%d-%m-%Y %H:%M:%S} menurut catatan berkelanjutan.")
    for path in restored.losses:
        click.echo(f"Hilang: {path}", err=True)
    if restored.losses:
        click.echo(
            f"{len(restored.losses)} berkas tidak terbaca lagi dari cadangan itu; cari di cadangan lain: slrt backup attachments",
            err=True,
        )


@click.command()
@click.option("--yes", is_flag=True, help="Tanpa bertanya lagi (di terminal).")
@with_reason
@click.option("--by", default="", hidden=True)
@as_json
@with_source
@click.pass_obj
def revert(door: Door, yes: bool, reason: str, by: str, as_json: bool, source: Source) -> None:
    """Membatalkan pemulihan terakhir: data yang lama kembali, data sekarang disimpan di sampingnya."""
    if not yes and sys.stdin.isatty():
        click.confirm("Data sistem ini akan ditukar dengan yang sebelum pemulihan terakhir. Lanjutkan?", abort=True)
    errand = Errand("", by=by or who(), reason=reason)
    with _alone(door, source):
        if not hand_over(door, source, ["revert", "--yes", *_words(errand, as_json)], given=errand.reason):
            say = telling(door.settings, Wish.REVERT, "", 1, quiet if as_json else steps(1))
            handed = Handed.read(door, source)
            with translated(), gate_of(door.settings).work():
                kept = restoring.put_back(door.settings, handed, errand, say)
            click.echo(json.dumps({"folder": str(kept)}) if as_json else f"Data lama kembali. Yang tadi: {kept}")
        if source.handed is None:
            _fit(door)
    if source.handed is None and not as_json:
        click.echo(AFTERWARDS)
