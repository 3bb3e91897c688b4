"""A note that the UPS has tested its battery: after that upsmon of NUT before 2.8.2 may never again believe a low one.

The note is an empty file, touched as long as the test runs; `refresh-upsmon` (root, started by the note) restarts upsmon when the test is
over and the mains is there, and takes the note away.
"""

from __future__ import annotations

import logging
from pathlib import Path

from appliance.power.reading import Reading, Silence

SELF_TEST_SEEN = "self-test-seen"

_log = logging.getLogger(__name__)


def note_self_test(runtime: Path, heard: Reading | Silence) -> None:
    """Touch the note in `runtime` when the UPS says that it tests its battery (CAL). Never raises: a full disk stops no cycle."""
    if not isinstance(heard, Reading) or "CAL" not in heard.flags:
        return
    try:
        (runtime / SELF_TEST_SEEN).touch()
    except OSError as error:
        _log.warning("Uji baterai UPS tidak dapat dicatat: %s", error)
