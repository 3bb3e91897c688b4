"""How the backups are, in a small file for whoever may see nothing else: the notices run where data and repository are hidden.

It holds moments only; how old is too old is decided by the reader, so that a scheduler that stands still is noticed as well.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from appliance.config import Settings
from appliance.power.state import replace_file
from appliance.recovery import record, rules
from backups import book
from backups.book import Line
from backups.schedule import Depth

FILE = "backup.json"
# Longer than a broken chain needs for the backup that it goes on from.
CARRIED_WITHIN = timedelta(minutes=90)


@dataclass(frozen=True)
class News:
    """When the newest good backup was made, when one was last restored to prove it, since when the book is kept, until when a restore
    would bring the data back (None: the log is not carried over), from when on a recovery sheet has to be tried, and since when every
    moment until `reaches` can be brought back (None: only what each backup holds)."""

    good: datetime | None
    restored: datetime | None
    since: datetime | None
    reaches: datetime | None = None
    sheet_due: datetime | None = None
    reaches_back: datetime | None = None


def of(settings: Settings, lines: Sequence[Line], reaches: datetime | None, reaches_back: datetime | None = None) -> News:
    """From the book of the backups, the log that is carried over, and the record of the sheets."""
    good, restored, sheet = book.last_good(lines, book.BACKUP), book.last_good(lines, *Depth), record.read(settings)
    return News(
        good.moment.at if good else None,
        restored.moment.at if restored else None,
        lines[0].moment.at if lines else None,
        reaches,
        rules.due_at(sheet) if sheet else None,
        reaches_back,
    )


def publish(settings: Settings, news: News) -> None:
    """Put it where everybody on the machine may read it. Raises OSError."""
    told = {name: at.isoformat() if at else None for name, at in vars(news).items()}
    replace_file(Path(settings.paths.runtime) / FILE, json.dumps(told))


def read(settings: Settings) -> News | None:
    """What was published; None when nothing was, or it cannot be understood."""
    try:
        found = json.loads((Path(settings.paths.runtime) / FILE).read_bytes())
        moments = {name: datetime.fromisoformat(at) if (at := found.get(name)) else None for name in News.__dataclass_fields__}
    except (OSError, ValueError, AttributeError, TypeError):
        return None
    return News(**moments)
