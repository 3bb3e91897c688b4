"""`slrt support`: one file with what somebody elsewhere needs in order to help, without people and secrets."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from appliance.commands.door import Door
from appliance.errors import ConfigurationError, InvalidInput
from appliance.support import order, packing


@click.command()
@click.option("--to", "folder", type=click.Path(path_type=Path), help="Folder tujuan, misalnya stik: /media/stik.")
@click.option("--preview", is_flag=True, help="Hanya tampilkan isinya; tidak ada yang ditulis.")
@click.option("--days", default=7, show_default=True, type=click.IntRange(1, 60), help="Catatan berapa hari terakhir.")
@click.option("--ordered", is_flag=True, hidden=True, help="As a page has asked for it.")
@click.pass_obj
def command(door: Door, folder: Path | None, preview: bool, days: int, ordered: bool) -> None:
    """Membuat berkas dukungan: keadaan mesin tanpa data warga dan tanpa rahasia."""
    if os.geteuid() != 0:
        raise ConfigurationError("Hanya root yang dapat mengumpulkan catatan mesin.", "Ulangi dengan sudo: sudo slrt support")
    if folder is not None and not folder.is_dir():
        raise InvalidInput({"to": f"Folder {folder} tidak ada. Pasang stiknya dahulu, lalu sebutkan foldernya."})
    if not ordered:
        _make(door, folder, preview, days)
        return
    with order.carried_out(door.settings) as wanted:
        if wanted:
            _make(door, None, False, days)


def _make(door: Door, folder: Path | None, preview: bool, days: int) -> None:
    texts = packing.gather(door.settings, door.config_file, days)
    if preview:
        click.echo_via_pager("\n\n".join(f"===== {name}\n{text}" for name, text in texts.items()))
        return
    file = _save(door, texts, folder)
    click.echo(f"Berkas dukungan: {file} ({file.stat().st_size / 1000:.0f} kB).")
    click.echo("Periksa isinya sebelum diserahkan: tar -xzf … lalu baca BACA.txt")


def _save(door: Door, texts: dict[str, str], folder: Path | None) -> Path:
    """In the folder that was named, or where the pages find it."""
    name = packing.name_at(datetime.now(UTC).astimezone(door.settings.zone))
    if folder is not None:
        return packing.save(packing.pack(texts, name), folder, name)
    shelf = packing.shelf_of(door.settings)
    shelf.mkdir(mode=0o755, exist_ok=True)
    file = packing.save(packing.pack(texts, name), shelf, name)
    packing.hand_to_pages(file, door.settings)
    packing.forget_old(shelf)
    return file
