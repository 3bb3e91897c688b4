"""`slrt upgrade`, `slrt rollback`, `slrt uninstall`: the name by which an operator knows them. The work is that of `slrt-provision` of the
same release, which this package must not know; the door is opened and that is all."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

ANYTHING = {"ignore_unknown_options": True, "help_option_names": []}


def _hand_over(name: str, words: tuple[str, ...]) -> None:
    program = Path(sys.executable).with_name("slrt-provision")
    sys.stdout.flush()
    os.execv(program, [str(program), name, *words])  # noqa: S606  the program beside us


@click.command(context_settings=ANYTHING)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def command(context: click.Context, words: tuple[str, ...]) -> None:
    """Diteruskan apa adanya kepada slrt-provision."""
    _hand_over(context.info_name or "", words)
