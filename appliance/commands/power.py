"""`slrt power`: how the power is, what it did, and, where the UPS is a simulation, what it does next."""

from __future__ import annotations

import contextlib
import dataclasses
import getpass
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from appliance import custody
from appliance.commands import power_watch
from appliance.commands.door import Door
from appliance.errors import ApplianceError, ConfigurationError, InvalidInput
from appliance.power import book, journal, simulate, state, stops
from appliance.power.chain import Color
from appliance.power.chain_check import read_light
from appliance.power.handover import ask
from appliance.power.policy import Asked, Stage
from appliance.power.sentences import CAUSES, HOLD_ENDS, NOTICES, duration, untold, what_happened, what_users_saw
from appliance.power.simulate import Scene

LINES = 40
# the facts of a line that a reader asks for next
_NUMBERS = {
    "on_battery": "padam sudah {} detik",
    "silent": "UPS diam {} detik",
    "charge": "baterai {} %",
    "runtime": "sisa waktu {} detik",
    "volts": "tegangan {:g} V",
    "battery_volts": "tegangan baterai {:g} V",
    "seconds": "{} detik",
    "count": "{} kali dalam 10 menit",
}
_ANSWERS = {"idle": ("semua selesai", "belum semua selesai"), "saved": ("data rapi di disk", "data belum sempat dirapikan")}
_WORDS: dict[str, dict[str, str]] = {
    "why": HOLD_ENDS,
    "what": {Asked.START: "membuka sistem", Asked.STOP: "mematikan sistem"},
    "stage": {
        Stage.DRAINING: "selagi menunggu pekerjaan",
        Stage.SAVING: "selagi merapikan data",
        Stage.READY: "sesaat sebelum mati",
    },
}
_ON = {True: "menyala", False: "padam", None: "tidak diketahui"}
_COLORS = {Color.ARMED: "green", Color.CHECKING: "yellow", Color.NOT_ARMED: "red"}
_SCENES = {
    Scene.ON_MAINS: "Listrik simulasi menyala.",
    Scene.ON_BATTERY: "Listrik simulasi padam.",
    Scene.BATTERY_LOW: "Listrik simulasi padam dan baterai simulasi hampir habis.",
}
_EVENTS = {
    journal.Event.STARTED: "pengawas listrik mulai",
    journal.Event.MAINS_LOST: "listrik padam",
    journal.Event.MAINS_BACK: "listrik menyala kembali",
    journal.Event.UPS_SILENT: "UPS tidak terbaca",
    journal.Event.STILL_SILENT: "UPS masih belum terbaca",
    journal.Event.UPS_BACK: "UPS terbaca kembali",
    journal.Event.REPLACE_BATTERY: "UPS meminta baterainya diganti",
    journal.Event.HELD: "sistem hanya dapat dibaca sampai listrik stabil",
    journal.Event.OPENED: "sistem dibuka untuk pekerjaan",
    journal.Event.FLAPPING: "listrik padam berulang kali; pencadangan, impor dan ekspor menunggu",
    journal.Event.FROZEN: "angka dari UPS tidak berubah selama 10 menit",
    journal.Event.ODD_NUMBERS: "UPS mengirim angka yang tidak masuk akal; tidak dipakai",
    journal.Event.OTHER_UNIT: "UPS yang terhubung bukan UPS yang dipasang; tidak dipercaya",
    journal.Event.ASKED: "petugas meminta",
    journal.Event.UNPROTECTED: "perlindungan TIDAK aktif",
    journal.Event.PROTECTED: "perlindungan aktif kembali",
    journal.Event.DECIDED: "diputuskan mati",
    journal.Event.CANCELLED: "pematian dibatalkan karena listrik menyala kembali",
    journal.Event.DRAINED: "pekerjaan yang berjalan ditunggu, lalu data dirapikan di disk",
    journal.Event.READY: "siap mati; menunggu sebentar kalau-kalau listrik menyala",
    journal.Event.HANDED_OVER: "mesin diminta mati",
    journal.Event.FORCED_SEEN: "pematian paksa tercatat di NUT",
    journal.Event.FORCED_AGAIN: "pematian paksa diminta lagi lewat NUT",
    journal.Event.POWER_OFF: "upsmon tidak bertindak; systemd diminta mematikan mesin",
    journal.Event.STOPPED: "pengawas listrik berhenti",
    journal.Event.BACK: "sistem hidup kembali",
}


class Power(click.Group):
    """The drills need the database; how the power is must be told without it, so they are imported only when asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), "drill"])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name != "drill":
            return super().get_command(ctx, cmd_name)
        from appliance.commands import power_drill

        return power_drill.command


@click.group(cls=Power)
def command() -> None:
    """Keadaan listrik dan UPS."""


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Keluaran untuk program.")
@click.pass_obj
def status(door: Door, as_json: bool) -> None:
    """Menampilkan keadaan listrik sekarang."""
    found = state.read(Path(door.settings.power.runtime) / state.STATE_FILE)
    if found is None:
        raise ApplianceError("Pengawas listrik belum melaporkan apa pun.", "Jalankan: sudo systemctl restart slrt-watcher")
    light = read_light(door.settings, datetime.now(UTC))
    if as_json:
        told = {**dataclasses.asdict(found), "at": found.at.isoformat(), "protection": dataclasses.asdict(light)}
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    click.echo(found.sentence)
    for notice in untold(found.notices, light.findings, found.sentence):
        click.echo(f"Perhatian: {NOTICES.get(notice, notice)}")
    click.echo(f"Listrik: {_ON[found.mains]}{_numbers(found)}; dilaporkan {_local(door, found.at)}.")
    click.echo(click.style(light.sentence, fg=_COLORS.get(light.color), bold=light.color is Color.NOT_ARMED))
    for finding in light.findings:
        click.echo(f"  {finding.cause[0].upper()}{finding.cause[1:]}.\n    → {finding.remedy}")


@command.command()
@click.pass_obj
def watch(door: Door) -> None:
    """Mengikuti keadaan listrik: satu baris setiap ada perubahan, dan hitung mundur selama padam. Berhenti: Ctrl+C."""
    with contextlib.suppress(KeyboardInterrupt):
        power_watch.follow(door.settings, power_watch.Screen(sys.stdout))


@command.command(name="journal")
@click.option("--json", "as_json", is_flag=True, help="Keluaran untuk program: satu baris JSON tiap kejadian.")
@click.pass_obj
def show_journal(door: Door, as_json: bool) -> None:
    """Menampilkan catatan kejadian listrik, yang terbaru di bawah."""
    entries = _entries(door)
    if as_json:
        for entry in entries:
            click.echo(json.dumps({"at": entry.at.isoformat(), "event": entry.event, **entry.facts}, ensure_ascii=False))
        return
    if not entries:
        click.echo("Jurnal listrik masih kosong.")
    for entry in entries[-LINES:]:
        click.echo(f"{_local(door, entry.at)}  {_EVENTS[entry.event]}{_details(door, entry)}")


@command.command(name="book")
@click.option("--month", default="", metavar="TTTT-BB", help="Hanya satu bulan, misalnya 2026-11.")
@click.pass_obj
def show_book(door: Door, month: str) -> None:
    """Menampilkan buku pemadaman: setiap kali listrik padam, berapa lama, akibatnya, apa yang dihentikan, apa yang terlihat."""
    zone = door.settings.zone
    stopped = stops.stops(Path(door.settings.paths.data), custody.state_of(door.settings))
    found = book.cuts(_entries(door))
    if month:
        sheet = book.month_of(found, *_month(month), zone)
        found = list(sheet.cuts)
    for cut in found[-LINES:]:
        lasted = "lama tidak diketahui" if cut.lasted is None else duration(cut.lasted)
        click.echo(f"{_local(door, cut.lost_at)}  {lasted}; {what_happened(cut)}")
        if ended := stops.stopped_between(stopped, cut.lost_at, cut.back_at or datetime.now(UTC)):
            click.echo(f"    Dihentikan: {', '.join(ended)}")
        click.echo(f"    Yang terlihat: {what_users_saw(cut)}")
    if month:
        total, off = duration(sheet.known), sheet.shutdowns + sheet.crashes
        click.echo(f"{len(found)} kali padam, seluruhnya {total}, terlama {duration(sheet.longest)}; sistem mati {off} kali.")
    elif not found:
        click.echo("Belum pernah tercatat listrik padam.")


@command.command()
@click.pass_obj
def explain(door: Door) -> None:
    """Menceritakan pemadaman terakhir langkah demi langkah: apa yang diputuskan, kapan, dan mengapa."""
    told = book.last_cut_entries(_entries(door))
    if not told:
        click.echo("Belum pernah tercatat listrik padam.")
        return
    power, begin = door.settings.power, told[0].at
    for entry in told:
        click.echo(f"{_local(door, entry.at)}  +{duration(entry.at - begin)}  {_EVENTS[entry.event]}{_details(door, entry)}")
    click.echo(
        f"Batas yang berlaku sekarang: {duration(timedelta(seconds=power.on_battery_seconds))} tanpa listrik (lebih singkat bila baterai "
        f"belum penuh), baterai {power.charge_floor} %, sisa waktu {duration(timedelta(seconds=power.runtime_floor_seconds))}."
    )


@command.command(name="start-now")
@click.pass_obj
def start_now(door: Door) -> None:
    """Membuka sistem yang baru menyala tanpa menunggu listrik stabil dan baterai cukup."""
    _ask(door, Asked.START, Stage.HOLD, "Sistem tidak sedang menunggu; pekerjaan sudah dapat disimpan.")
    click.echo("Sistem dibuka sebentar lagi.")


@command.command(name="shut-down")
@click.pass_obj
def shut_down(door: Door) -> None:
    """Mematikan sistem dengan tertib sekarang juga, selagi listrik padam, tanpa menunggu batas waktunya."""
    _ask(door, Asked.STOP, Stage.ON_BATTERY, "Listrik tidak sedang padam; mematikan mesin biasa: sudo systemctl poweroff")
    click.echo("Sistem bersiap mati. Bila listrik menyala sebelum selesai, pematian dibatalkan.")


@command.command(name="simulate")
@click.argument("scene", type=click.Choice([scene.value for scene in Scene]))
@click.pass_obj
def play(door: Door, scene: str) -> None:
    """Memainkan UPS simulasi: ol = listrik menyala, ob = padam, ob-lb = padam dan baterai hampir habis."""
    power = door.settings.power
    if power.ups != "simulated":
        raise InvalidInput(
            {}, "UPS pada sistem ini bukan simulasi, jadi listriknya tidak dapat dimainkan.", "Cabut steker UPS yang sebenarnya."
        )
    chosen = Scene(scene)
    try:
        simulate.play(Path(power.runtime), chosen)
    except OSError as error:
        raise ConfigurationError(
            f"Berkas UPS simulasi tidak dapat ditulis ({error.strerror}).", "Jalankan sebagai root: sudo slrt power simulate …"
        ) from error
    click.echo(_SCENES[chosen])


def _ask(door: Door, asked: Asked, stage: Stage, else_told: str) -> None:
    """Ask the watcher in the name of whoever types, if the node is at the stage for it."""
    power = door.settings.power
    found = state.read(Path(power.runtime) / state.STATE_FILE)
    if found is None or found.stage != stage:
        raise InvalidInput({}, else_told, "Lihat keadaannya: sudo slrt power status")
    try:
        ask(Path(door.settings.paths.runtime), asked, f"terminal:{getpass.getuser()}")
    except OSError as error:
        raise ConfigurationError(
            f"Permintaan tidak dapat dicatat ({error.strerror}).", f"Jalankan sebagai root: sudo slrt power {asked}"
        ) from error


def _numbers(found: state.State) -> str:
    """What the UPS measured, as far as it told."""
    told = [(found.mains_volts, "tegangan listrik", "V"), (found.load, "beban UPS", "%"), (found.battery_volts, "baterai", "V")]
    words = [f"{label} {value:g} {unit}".replace(".", ",") for value, label, unit in told if value is not None]
    if found.runtime_seconds is not None:
        words.append(f"sisa waktu baterai {duration(timedelta(seconds=found.runtime_seconds))}")
    return "".join(f", {word}" for word in words)


def _entries(door: Door) -> list[journal.Entry]:
    return journal.entries(Path(door.settings.power.state) / journal.JOURNAL_FILE)


def _month(text: str) -> tuple[int, int]:
    try:
        first = datetime.strptime(text, "%Y-%m")  # noqa: DTZ007 - a month has no zone
    except ValueError as error:
        raise InvalidInput({}, f"Bulan “{text}” tidak terbaca.", "Tulis tahun-bulan, misalnya 2026-11.") from error
    return first.year, first.month


def _local(door: Door, at: datetime) -> str:
    return at.astimezone(door.settings.zone).strftime("%d-%m-%Y %H:%M:%S %Z")


def _details(door: Door, entry: journal.Entry) -> str:
    """The facts of one line that a reader asks for next, in brackets."""
    facts: dict[str, Any] = entry.facts
    told = [CAUSES[facts["cause"]]] if facts.get("cause") in CAUSES else []
    told += [told_as.format(facts[name]) for name, told_as in _NUMBERS.items() if isinstance(facts.get(name), int | float)]
    told += [yes if facts[name] else no for name, (yes, no) in _ANSWERS.items() if name in facts]
    told += [words[facts[name]] for name, words in _WORDS.items() if facts.get(name) in words]
    if facts.get("variables"):
        told.append(str(facts["variables"]))
    if facts.get("by"):
        told.append(f"oleh {facts['by']}")
    if entry.event is journal.Event.BACK:
        told += _absence(door, entry)
    return f" ({'; '.join(told)})" if told else ""


def _absence(door: Door, entry: journal.Entry) -> list[str]:
    try:
        down_at = datetime.fromisoformat(entry.facts["down_at"])
    except (KeyError, TypeError, ValueError):
        return []
    clean = "mati dengan tertib" if entry.facts.get("clean") is True else "tidak mati dengan tertib"
    return [f"mati sejak {_local(door, down_at)}, selama {duration(entry.at - down_at)}", clean]
