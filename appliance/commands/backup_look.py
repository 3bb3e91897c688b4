"""Looking at what was, and bringing single papers back: `slrt backup show-case` and `slrt backup attachments`.

Both go well beside running services and change no row.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo

import click

from appliance.access import Actor
from appliance.accounts.roll import find_account
from appliance.accounts.sessions import acting_for
from appliance.commands.backing_up import wait_for_turn
from appliance.commands.backup_plan import Handed, Source, gate_of, plan_of, translated
from appliance.commands.door import Door
from appliance.commands.handing_over import hand_over
from appliance.commands.pacing import stoppable
from appliance.commands.sources import REASON_GIVEN, as_json, with_reason, with_source
from appliance.config import Settings
from appliance.database import create_service, quick_check
from appliance.errors import EXIT_FAILED, ConfigurationError, NotAllowed
from appliance.registry.named_files import hashes_of_case, named_hashes
from appliance.restoration.looking import Seen, as_words, look_at_case_then
from backups import attachments
from backups.attachments import Kept

DEVICE = "server"


def _require_tables(settings: Settings) -> None:
    """Raises ConfigurationError while the database is not as this program needs it, for instance before an upgrade is done."""
    health = quick_check(settings)
    if not health.ok:
        raise ConfigurationError(health.text, health.hint)


@click.command(name="attachments")
@click.option("--put-back", is_flag=True, help="Kembalikan yang hilang atau berubah dari cadangan; layanan boleh tetap berjalan.")
@click.option(
    "--from", "number", default="", metavar="NOMOR", help="Hanya dari cadangan ini; biasanya dari yang terbaru yang utuh."
)
@click.option("--hash", "hashes", multiple=True, metavar="SHA256", help="Hanya berkas ini; boleh berulang.")
@click.option("--case", "case_number", default="", metavar="NOMOR-KASUS", help="Hanya berkas persyaratan kasus ini.")
@click.option("--where", is_flag=True, help="Sebut juga cadangan terbaru yang masih memuatnya.")
@as_json
@with_source
@click.pass_obj
def look_at_attachments(  # noqa: PLR0913 - one for each option
    door: Door,
    *,
    put_back: bool,
    number: str,
    hashes: tuple[str, ...],
    case_number: str,
    where: bool,
    as_json: bool,
    source: Source,
) -> None:
    """Mencari lampiran yang hilang atau berubah isinya menurut sidiknya, dan mengembalikannya."""
    flags = {"--put-back": put_back, "--where": where, "--json": as_json}
    words = [*(f"--hash={sha256}" for sha256 in hashes), *(name for name, wanted in flags.items() if wanted)]
    if hand_over(door, source, ["attachments", f"--from={number}", f"--case={case_number}", *words]):
        return
    if not hashes:
        _require_tables(door.settings)
    handed = Handed.read(door, source)
    plan = plan_of(door.settings, handed, source.folder)
    with stoppable(door.settings, "pemeriksaan lampiran") as stop, translated():
        with create_service(door.settings, audit_key=handed.audit_key).app_context():
            named = list(hashes) or (hashes_of_case(case_number) if case_number else list(named_hashes()))
        faults = attachments.look_for_faults(plan.data, named, stop)
        back, kept = None, None
        if faults.wanted and (put_back or where):
            wait_for_turn(plan, stop)
        if put_back and faults.wanted:
            with gate_of(door.settings).work():
                back = attachments.put_back(plan, faults.wanted, number, stop)
        elif where and faults.wanted:
            kept = attachments.find_kept(plan, faults, stop)
    found = back.found if back else {}
    left = [sha256 for sha256 in faults.wanted if sha256 not in found]
    if as_json:
        there = {sha256: {"id": one.number, "at": one.at.isoformat()} for sha256, one in (kept or {}).items()}
        told = {"checked": faults.seen, "missing": faults.missing, "altered": faults.altered, "put_back": found, "left": left}
        click.echo(json.dumps(told | ({"kept": there} if where else {})))
    else:
        _tell_faults(faults, back, kept)
    sys.exit(EXIT_FAILED if left else 0)


def _tell_faults(faults: attachments.Faults, back: attachments.PutBack | None, kept: Mapping[str, Kept] | None) -> None:
    for what, hashes in (("hilang", faults.missing), ("berubah", faults.altered)):
        for sha256 in hashes:
            became = ""
            if back and sha256 in back.found:
                became = f"dikembalikan dari {_source(back.found[sha256])}"
            elif kept and sha256 in kept:
                became = f"ada dalam {_source(kept[sha256].number)}"
            elif back or kept is not None:
                became = "tidak ada di cadangan"
            click.echo(f"{sha256}  {what}  {became}".rstrip())
    click.echo(f"{faults.seen} berkas diperiksa: {len(faults.missing)} hilang, {len(faults.altered)} berubah.")
    if faults.wanted and back is None:
        click.echo("Langkah berikutnya: sudo slrt backup attachments --put-back")


def _source(number: int) -> str:
    return "salinan yang dibawa sesudah cadangan terakhir" if number == attachments.CARRIED else f"cadangan {number}"


@click.command(name="show-case")
@click.argument("number", metavar="NOMOR-KASUS")
@click.option("--from", "run", default="terakhir", metavar="NOMOR", help="Cadangan yang dilihat, atau suatu saat.")
@click.option("--as", "username", required=True, metavar="PENGGUNA", help="Akun yang melihat; haknya hari ini yang berlaku.")
@with_reason
@as_json
@with_source
@click.pass_obj
def show_case(  # noqa: PLR0913 - one for each option
    door: Door, *, number: str, run: str, username: str, reason: str, as_json: bool, source: Source
) -> None:
    """Menampilkan satu kasus seperti pada suatu cadangan. Dicatat dalam jurnal; salinannya dihapus sesudahnya."""
    words = [f"--from={run}", f"--as={username}", REASON_GIVEN, *(["--json"] if as_json else [])]
    if hand_over(door, source, ["show-case", *words, number], given=reason):
        return
    _require_tables(door.settings)
    handed = Handed.read(door, source)
    plan = plan_of(door.settings, handed, source.folder)
    service, at = create_service(door.settings, audit_key=handed.audit_key), datetime.now(UTC)

    def by() -> Actor:
        actor = acting_for(find_account(username), at, DEVICE, door.settings.zone)
        if actor is None:
            raise NotAllowed("Akun itu tidak aktif.", "Sebutkan akun yang aktif: slrt user list")
        return actor

    with stoppable(door.settings, "melihat cadangan") as stop, translated(), gate_of(door.settings).work():
        wait_for_turn(plan, stop)
        seen = look_at_case_then(service, plan, run, number, reason=reason, by=by, at=at, stop=stop)
    _show(seen, door.settings.zone, as_json)


def _show(seen: Seen, zone: tzinfo, as_json: bool) -> None:
    if as_json:
        told = {"run": seen.run, "taken_at": seen.taken_at.isoformat(), "case": as_words(seen.case)}
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    case, line = seen.case, seen.case.line
    click.echo(f"Kasus {line.number} seperti pada {seen.taken_at.astimezone(zone):%d-%m-%Y %H.%M} (cadangan {seen.run})")
    for label, value in (
        ("Pemohon", line.applicant_name),
        ("Layanan", line.service),
        ("Desa/kelurahan", line.village),
        ("Keadaan", line.state.label),
        ("Uraian", case.description),
        ("Hasil", case.outcome_note),
    ):
        if value:
            click.echo(f"{label:<16}{value}")
    for event in case.events:
        when = event.at.astimezone(zone)
        click.echo(f"  {when:%d-%m-%Y %H.%M}  {event.action_label} ({event.by_name})" + (f": {event.note}" if event.note else ""))
