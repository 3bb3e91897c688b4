"""`python -m appliance.clock_keeper`: root's unit that sets the clock as an administrator ordered it on the pages."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime

from appliance import clock_orders
from appliance.clock import Reading, judge, mark_file, read_mark
from appliance.clock_watch import ticks
from appliance.config import Settings, config_path, load
from appliance.errors import EXIT_FAILED, ApplianceError

SetClock = Callable[[datetime], None]


def set_machine_clock(at: datetime) -> None:
    """Set the clock of the system and the one that runs without power. Raises OSError."""
    time.clock_settime(time.CLOCK_REALTIME, at.timestamp())
    # a machine without such a clock forgets at the next power cut, which the pages then tell again
    subprocess.run(["hwclock", "--systohc", "--utc"], capture_output=True, check=False)


def attend(settings: Settings, set_clock: SetClock = set_machine_clock) -> bool:
    """Carry out the order that waits. Whether the clock was set: never to before the last record, whatever the order says."""
    order = clock_orders.take(settings)
    if order is None:
        return False
    try:
        target = order.target(ticks())
    except ValueError:
        return False
    if judge(target, read_mark(mark_file(settings))) is Reading.BEHIND:
        return False
    set_clock(target)
    return True


def main() -> None:
    """Attend once."""
    try:
        done = attend(load(config_path()))
    except (ApplianceError, OSError) as error:
        print(f"Jam tidak dapat diatur: {error}", file=sys.stderr)
        sys.exit(EXIT_FAILED)
    print("Jam sudah diatur." if done else "Tidak ada perintah jam yang dapat dijalankan.", file=sys.stderr)


if __name__ == "__main__":
    main()
