"""Options that several backup commands have: another repository than this node's own, and an answer for programs."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from appliance.commands.backup_plan import Source

GIVEN = "-"
REASON_GIVEN = f"--reason={GIVEN}"

as_json = click.option("--json", "as_json", is_flag=True, help="Keluaran untuk program.")


def with_source(function: Callable[..., None]) -> Callable[..., None]:
    """The options that name another repository than this node's own, as one argument `source`."""

    @click.option(
        "--repository",
        type=click.Path(path_type=Path, exists=True, file_okay=False, readable=False),
        help="Repositori lain, misalnya di disk USB.",
    )
    @click.option(
        "--passphrase-file",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="Berkas kata sandi repositori itu.",
    )
    @click.option("--handed", type=int, hidden=True)
    @functools.wraps(function)
    def bundled(*words: Any, repository: Path | None, passphrase_file: Path | None, handed: int | None, **options: Any) -> None:
        function(*words, source=Source(repository, passphrase_file, handed), **options)

    return bundled


def with_reason(function: Callable[..., None]) -> Callable[..., None]:
    """Why, for the journal and for everybody who reads that it was done. It may name somebody: no program of ours hands it on
    among its words, which everybody on the machine can read."""
    return click.option(
        "--reason",
        default="",
        callback=_reason,
        help="Alasan; ditampilkan kepada semua petugas dan dicatat dalam jurnal. Tanda - membacanya dari masukan baku.",
    )(function)


def _reason(_context: click.Context, _option: click.Parameter, typed: str) -> str:
    if typed != GIVEN:
        return typed
    return str(click.prompt("Alasan")) if sys.stdin.isatty() else sys.stdin.read().strip()
