"""The page of the machine: its disks, its room, its heat, and what an admin is to do about each."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from appliance.care import readings, reserve, rules
from appliance.care.readings import Disk, Readings
from appliance.care.space import Level as Fullness
from appliance.models.roles import Role
from webui.backups import size_words
from webui.navigation import Entry
from webui.session import now, settings, signed_in
from webui.words import Word

blueprint = Blueprint("hardware", __name__)
NAVIGATION = (Entry("Mesin", "hardware.show", icon="disk", roles=(Role.ADMIN,), order=88),)
LEVELS = {
    rules.Level.GOOD: Word("baik", "good"),
    rules.Level.ADVICE: Word("saran", "info"),
    rules.Level.UNKNOWN: Word("tidak tahu", "warn"),
    rules.Level.WARN: Word("perhatian", "warn"),
    rules.Level.BAD: Word("rusak", "bad"),
}
ROOM = {
    Fullness.ROOMY: Word("cukup", "good"),
    Fullness.LOW: Word("mulai sempit", "warn"),
    Fullness.TIGHT: Word("hampir penuh", "bad"),
    Fullness.LAST: Word("penuh", "bad"),
}


@blueprint.get("/mesin")
@signed_in(Role.ADMIN)
def show() -> ResponseReturnValue:
    """Everything that is known of the machine, the gravest first."""
    found = readings.read(Path(settings().paths.care))
    findings = rules.judge(found, now())
    order = list(rules.Level)
    return render_template(
        "hardware/show.html",
        readings=found,
        findings=sorted(findings, key=lambda finding: -order.index(finding.level)),
        levels=LEVELS,
        disks=_disks(found),
        places=reserve.seen(settings(), now()).places,
        room=ROOM,
        size=size_words,
    )


def _disks(found: Readings | None) -> list[tuple[Disk, rules.Finding]]:
    """The disks by their port, each with what is said of it."""
    disks = sorted(found.disks, key=lambda disk: (disk.usb, disk.port, disk.name)) if found else []
    return [(disk, rules.of_disk(disk)) for disk in disks]
