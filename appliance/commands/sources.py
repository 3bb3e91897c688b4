"""Options that several backup commands have: another repository than this node's own, and an answer for programs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from appliance.commands.backup_plan import Source

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
    """Why, for the journal and for everybody who reads that it was done."""
    return click.option("--reason", default="", help="Alasan; ditampilkan kepada semua petugas dan dicatat dalam jurnal.")(
        function
    )
