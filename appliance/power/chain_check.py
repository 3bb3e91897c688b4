"""The minute's check of the chain as a program, its report in a file, and the light for whoever shows it.

`python -m appliance.power.chain_check` is started by a systemd timer, gathers, judges, replaces the report and ends.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from appliance.config import Settings, config_path, load
from appliance.errors import ApplianceError
from appliance.power import state
from appliance.power.chain import Color, Finding, Light, Report, light_of, report_of
from appliance.power.chain_facts import Machine, gather
from appliance.power.handover import SHUTDOWN_BEGUN
from appliance.power.memory import BOOT_FILE
from appliance.power.sentences import NO_UPS

REPORT_FILE = "chain.json"
DEMONSTRATION = "Peragaan: mesin ini tidak dimatikan sungguhan, jadi rantai perlindungan tidak diperiksa."


def check(settings: Settings, machine: Machine, at: datetime) -> Report:
    """Gather, judge and publish. Raises ConfigurationError or OSError."""
    runtime = Path(settings.power.runtime)
    report = report_of(gather(settings, machine, at), read_report(runtime))
    told = {"at": report.at.isoformat(), "since": report.since.isoformat()}
    findings = [dataclasses.asdict(finding) for finding in report.findings]
    state.replace_file(runtime / REPORT_FILE, json.dumps({**told, "findings": findings}, ensure_ascii=False))
    return report


def read_report(runtime: Path) -> Report | None:
    """The last report in the folder `runtime`; None when there is none that can be read."""
    try:
        found = json.loads((runtime / REPORT_FILE).read_bytes())
        at, since = datetime.fromisoformat(found["at"]), datetime.fromisoformat(found["since"])
        findings = tuple(Finding(**finding) for finding in found["findings"])
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return Report(at, since, findings) if at.tzinfo and since.tzinfo else None


def read_light(settings: Settings, at: datetime) -> Light:
    """The light of the moment `at` (aware), from what the check and the watcher have published."""
    if settings.power.ups == "none":
        return Light(Color.NONE, NO_UPS)
    if (Path(settings.paths.runtime) / "processes.json").exists():
        return Light(Color.NONE, DEMONSTRATION)
    runtime = Path(settings.power.runtime)
    published = state.read(runtime / state.STATE_FILE)
    return light_of(read_report(runtime), published.at if published else None, _booted_at(runtime), at)


def _booted_at(runtime: Path) -> datetime | None:
    """When the first watcher of this boot named it."""
    try:
        return datetime.fromtimestamp((runtime / BOOT_FILE).stat().st_mtime, UTC)
    except OSError:
        return None


def main(arguments: Sequence[str] | None = None) -> None:
    """Check once. Exits with the code of the error when the configuration is wrong."""
    parser = argparse.ArgumentParser(prog="slrt-power-check", description="Memeriksa rantai perlindungan listrik sekali.")
    parser.add_argument("--config", type=Path, default=None, help="berkas pengaturan (biasanya /etc/slrt/appliance.toml)")
    chosen = parser.parse_args(arguments)
    try:
        settings = load(chosen.config or config_path())
        # A machine that is going down is not judged: its parts end one after the other.
        if settings.power.ups == "none" or (Path(settings.power.runtime) / SHUTDOWN_BEGUN).exists():
            return
        report = check(settings, Machine(), datetime.now(UTC))
    except ApplianceError as error:
        print(f"Gagal: {error.message} {error.hint}", file=sys.stderr)
        sys.exit(error.exit_code)
    for finding in report.findings:
        print(f"{finding.cause}. {finding.remedy}")


if __name__ == "__main__":
    main()
