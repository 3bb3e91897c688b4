"""Restores on a machine as the pages order them: an order left for root's unit, and until when a moment can be reached."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from tests.support.machine import Machine, wait_for

REST = "systemctl stop slrt-scheduler.service slrt-backup.path slrt-backup.service"
"""From then on nothing reads or writes the repository, so that it can be copied as it lies there."""
REST_ENDS = "systemctl start slrt-backup.path slrt-scheduler.service"


def reaches(node: Machine) -> datetime:
    """Until when every moment can be brought back, as the pages show it."""
    told = json.loads(node.read("/run/slrt/backup.json"))
    return datetime.fromisoformat(told["reaches"] if told["reaches_back"] and told["reaches"] else "2000-01-01T00:00:00+00:00")


def carried_out(node: Machine, **order: object) -> dict[str, Any]:
    """An order as the pages leave it, and how root's unit ended it."""
    node.run("rm -f /var/lib/slrt/restore/restore.json")
    node.run(f"echo '{json.dumps(order)}' > /run/slrt/restore-order", user="slrt")

    def told() -> dict[str, Any]:
        found = node.run("cat /var/lib/slrt/restore/restore.json", check=False).out
        return json.loads(found) if found else {}

    wait_for("the order has ended", lambda: told().get("ok") is not None, 300, pause=1.0)
    return told()
