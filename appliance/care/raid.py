"""The one reader of md arrays: what the kernel tells of them below /sys/block."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from appliance.care.disks import disk_of
from appliance.care.readings import Array, Disk, Member

GONE = "missing"


def read_arrays(disks: Mapping[str, Disk], seen: Mapping[str, str], sys: Path = Path("/sys")) -> tuple[Array, ...]:
    """All arrays; `disks` by their names, `seen` names who filled a place before ("md0/1" → title), for the disk that is gone."""
    return tuple(
        _array(place, disks, seen, sys) for place in sorted((sys / "block").glob("md*")) if (place / "md/level").exists()
    )


def _array(place: Path, disks: Mapping[str, Disk], seen: Mapping[str, str], sys: Path) -> Array:
    folder, name = place / "md", place.name
    wanted = _number(folder / "raid_disks")
    members = [_member(one, disks, sys) for one in sorted(folder.glob("dev-*"))]
    # a spare that waits, or a faulty disk that was thrown out of its place, has none
    placed = {member.slot for member in members if member.slot >= 0}
    lost = [Member(slot, "", GONE, seen.get(f"{name}/{slot}", "")) for slot in range(wanted) if slot not in placed]
    return Array(
        name,
        _text(folder / "level"),
        wanted,
        _number(folder / "degraded"),
        _text(folder / "sync_action") or "idle",
        _percent(_text(folder / "sync_completed")),
        _number(folder / "mismatch_cnt"),
        tuple(sorted([*members, *lost], key=lambda member: (member.slot < 0, member.slot))),
    )


def _member(folder: Path, disks: Mapping[str, Disk], sys: Path) -> Member:
    partition = folder.name.removeprefix("dev-")
    name = disk_of(partition, sys)
    slot = _text(folder / "slot")
    title = disks[name].title if name in disks else f"Disk {name}"
    return Member(int(slot) if slot.isdigit() else -1, name, _text(folder / "state"), title)


def members_seen(arrays: tuple[Array, ...], before: Mapping[str, str]) -> dict[str, str]:
    """Who fills which place now, and of an empty place who did last."""
    now = {f"{array.name}/{member.slot}": member.title for array in arrays for member in array.members if member.works}
    names = {array.name for array in arrays}
    return {key: title for key, title in {**before, **now}.items() if key.partition("/")[0] in names}


def _percent(completed: str) -> float | None:
    """`sync_completed` is "123 / 456" in sectors, or a word while nothing is synchronised."""
    done, _, total = completed.partition(" / ")
    return round(100 * int(done) / int(total), 1) if done.isdigit() and total.isdigit() and int(total) else None


def _number(path: Path) -> int:
    text = _text(path)
    return int(text) if text.isdigit() else 0


def _text(path: Path) -> str:
    with suppress(OSError):
        return path.read_text().strip()
    return ""
