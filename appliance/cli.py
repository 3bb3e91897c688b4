"""`slrt`: the operator's command. A front door: it reads the settings once, calls one thing below, prints what it said.

Each subject is a module of `appliance.commands` with a click group or command named `command`, imported only when it is
asked for, so that `slrt config check` still answers when the database or a library is broken.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NoReturn

import click

from appliance import __version__, usage
from appliance.commands.door import Door
from appliance.commands.elsewhere import load
from appliance.config import config_path
from appliance.errors import EXIT_DONE, ON_A_FORM, ApplianceError, InvalidInput

# subject → the line in the list of commands; the module of the same name holds the command
SUBJECTS = {
    "status": "Apakah sistem ini sehat?",
    "doctor": "Memeriksa lebih dalam, dan memperbaiki yang aman.",
    "support": "Berkas dukungan untuk yang membantu dari jauh.",
    "config": "Memeriksa dan menampilkan pengaturan.",
    "backup": "Mencadangkan, memeriksa dan memulihkan data.",
    "power": "Keadaan listrik dan UPS.",
    "clock": "Jam simpul ini.",
    "network": "Alamat di jaringan kantor.",
    "notices": "Pemberitahuan listrik lewat surel dan lain-lain.",
    "commissioning": "Serah terima: apa yang sudah dicoba.",
    "user": "Akun petugas.",
    "database": "Menyiapkan dan memeriksa basis data.",
    "work": "Mengerjakan impor, ekspor dan pekerjaan panjang lain.",
    "upgrade": "Memperbarui program dari bundel.",
    "rollback": "Kembali ke rilis sebelumnya.",
    "uninstall": "Melepas program; data tetap.",
}
# the others have the name of their subject
MODULES = dict.fromkeys(("upgrade", "rollback", "uninstall"), "program")


class Subjects(click.Group):
    """A group whose commands are the modules named in SUBJECTS."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(SUBJECTS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in SUBJECTS:
            return None
        return load(MODULES.get(cmd_name, cmd_name), "command")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Perintah"):
            formatter.write_dl(list(SUBJECTS.items()))


@click.group(cls=Subjects, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--config", type=click.Path(path_type=Path), help="Berkas pengaturan (biasanya /etc/slrt/appliance.toml).")
@click.version_option(__version__, prog_name="slrt")
@click.pass_context
def slrt(context: click.Context, config: Path | None) -> None:
    """Perintah untuk mengelola simpul SLRT."""
    context.obj = Door(config or config_path())


def _fail(error: ApplianceError) -> NoReturn:
    click.echo(f"Gagal: {error.message}", err=True)
    if error.hint:
        click.echo(f"Langkah berikutnya: {error.hint}", err=True)
    sys.exit(error.exit_code)


def main() -> None:
    """Run the command; an error of ours becomes two lines and its exit code."""
    try:
        # what a command leaves with context.exit() comes back as a number
        ended = slrt.main(prog_name="slrt", standalone_mode=False)
        sys.exit(ended if isinstance(ended, int) else EXIT_DONE)
    except InvalidInput as error:
        if error.problems:  # a terminal has no fields to put them beside
            then = error.hint if error.hint != ON_A_FORM else "Perbaiki, lalu jalankan lagi."
            error = InvalidInput({}, " ".join(error.problems.values()), then)
        _fail(error)
    except ApplianceError as error:
        _fail(error)
    except click.ClickException as error:
        usage.show(error)
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("Dibatalkan.", err=True)
        sys.exit(130)
