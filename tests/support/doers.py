"""A doer of long work for tests: stores one part after the other, and does what the test told it to."""

from __future__ import annotations

from appliance import background
from appliance.background import Taken
from appliance.database import transaction
from appliance.errors import ApplianceError
from appliance.work import Work

PARTS = 3
FAULTS: dict[str, BaseException] = {}
STORED: list[tuple[str, int]] = []


def run(task: Taken, work: Work) -> str:
    """Store the parts that are missing; a fault planted for the subject comes after the first of them."""
    for part in range(task.done + 1, PARTS + 1):
        work.check()
        with transaction():
            STORED.append((task.subject, part))
            background.move(task.id, part, PARTS, at=work.now())
        if task.subject in FAULTS:
            raise FAULTS.pop(task.subject)
    if task.subject == "salah":
        raise ApplianceError("Berkasnya salah.", "Unggah lagi.")
    return f"{PARTS} bagian tersimpan."
