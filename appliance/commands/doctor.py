"""`slrt doctor`: look deeper, number what is not well, and mend what can be mended without touching data."""

from __future__ import annotations

import dataclasses
import json
import os
import shlex
import sys
from collections.abc import Sequence

import click

from appliance.commands.door import Door
from appliance.doctor.examining import LONG_SECONDS, PROGRAMS, TMPFILES, examine, run
from appliance.doctor.findings import Finding, Gravity, Repair, judge, repairs
from appliance.errors import EXIT_DONE, EXIT_FAILED, ConfigurationError

WORDS = {
    Gravity.WARN: click.style("perhatian", fg="yellow"),
    Gravity.FAIL: click.style("RUSAK    ", fg="red", bold=True),
}
WELL = "Tidak ada yang perlu diperbaiki."


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Keluaran JSON untuk program lain.")
@click.option("--repair", "mends", is_flag=True, help="Perbaiki yang aman, setelah ditanyakan; data tidak disentuh.")
@click.option("--yes", is_flag=True, help="Perbaiki tanpa bertanya.")
@click.pass_obj
def command(door: Door, as_json: bool, mends: bool, yes: bool) -> None:
    """Memeriksa simpul ini sedalam mungkin. Kode keluar 0 bila semua baik, selain itu 1."""
    if os.geteuid() != 0:
        raise ConfigurationError("Hanya root yang dapat memeriksa seluruh mesin.", "Ulangi dengan sudo: sudo slrt doctor")
    findings = _examine(door)
    if mends and (wanted := repairs(findings)):
        if not as_json:  # for a program one answer, and that of afterwards
            _tell(findings, as_json)
        _mend(wanted, yes)
        findings = _examine(door)
    _tell(findings, as_json)
    sys.exit(EXIT_FAILED if findings else EXIT_DONE)


def _examine(door: Door) -> list[Finding]:
    return judge(examine(door.config_file), PROGRAMS, TMPFILES)


def _tell(findings: Sequence[Finding], as_json: bool) -> None:
    if as_json:
        told = [dataclasses.asdict(finding) for finding in findings]
        click.echo(json.dumps({"ok": not findings, "findings": told}, ensure_ascii=False, indent=2))
        return
    for finding in findings:
        click.echo(f"{finding.number}  {WORDS[finding.gravity]}  {finding.cause}")
        click.echo(f"{'':>16}→ {finding.remedy}")
    click.echo(f"{len(findings)} hal perlu diperhatikan; nomornya dijelaskan di docs/care.md." if findings else WELL)


def _mend(wanted: Sequence[Repair], yes: bool) -> None:
    """Name what would be done, ask, and do it one after the other. What fails is told and stops nothing else."""
    click.echo("\nYang dapat diperbaiki sendiri, tanpa menyentuh data:", err=True)
    for number, repair in enumerate(wanted, 1):
        click.echo(f"  {number}. {repair.title}: {shlex.join(repair.command)}", err=True)
    if not yes:
        click.confirm("Kerjakan sekarang?", abort=True, err=True)
    for repair in wanted:
        ended = run(repair.command, LONG_SECONDS)
        said = [line for line in (ended.out + ended.err).splitlines() if line.strip()][-1:]
        done = "selesai" if ended.code == 0 else f"GAGAL (kode {ended.code}): {' '.join(said)}"
        click.echo(f"  {repair.title}: {done}", err=True)
