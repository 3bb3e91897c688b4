"""The last search for papers that are gone or were altered: what it found, kept for the page that offers to bring them back.

The search is done as the service user by order of the pages and leaves hashes; what a content is, the tables tell when the page is shown.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from appliance.config import Settings
from appliance.custody import restores_of
from appliance.registry.named_files import Named, names_of
from backups.files import write_whole

FILE = "papers.json"


@dataclass(frozen=True)
class Fault:
    """A content that is gone, or `altered`; `run` is the newest backup that can give it back, made at `kept_at`; None for no backup,
    0 for a copy that was carried over after the newest one."""

    sha256: str
    altered: bool
    run: int | None = None
    kept_at: datetime | None = None


@dataclass(frozen=True)
class Search:
    """When all `seen` contents that the tables name were read, and what was wrong."""

    at: datetime
    seen: int
    faults: tuple[Fault, ...]


def keep(settings: Settings, answer: Mapping[str, Any], at: datetime) -> Search:
    """Put down what `slrt backup attachments --where --json` said. Only as the service user: the folder is hers."""
    there = {sha256: (one["id"], datetime.fromisoformat(one["at"])) for sha256, one in answer["kept"].items()}
    faults = tuple(
        Fault(sha256, name == "altered", *there.get(sha256, ())) for name in ("missing", "altered") for sha256 in answer[name]
    )
    return _write(settings, Search(at, int(answer["checked"]), faults))


def take_off(settings: Settings, brought: Collection[str]) -> None:
    """Forget the faults of what has come back since."""
    found = read(settings)
    if found is not None:
        _write(settings, replace(found, faults=tuple(fault for fault in found.faults if fault.sha256 not in brought)))


def read(settings: Settings) -> Search | None:
    """The last search; None when there was none."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        found: dict[str, Any] = json.loads((restores_of(settings) / FILE).read_bytes())
        faults = tuple(Fault(**{**one, "kept_at": _moment(one["kept_at"])}) for one in found["faults"])
        return Search(datetime.fromisoformat(found["at"]), int(found["seen"]), faults)
    return None


def named_faults(search: Search, most: int) -> list[tuple[Fault, Named | None]]:
    """At most so many faults with what each content is; None for what no row names any more. Needs an app context."""
    shown = search.faults[:most]
    names = names_of([fault.sha256 for fault in shown])
    return [(fault, names.get(fault.sha256)) for fault in shown]


def _write(settings: Settings, search: Search) -> Search:
    folder = restores_of(settings)
    folder.mkdir(mode=0o750, exist_ok=True)
    write_whole(folder / FILE, json.dumps(asdict(search), default=datetime.isoformat).encode())
    return search


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
