"""The way back to the release before this one, as long as it is kept: with today's data where its tables are the same, else only with the
data of then. It is an upgrade in the other direction: closed, proven, undone when it fails, and can be taken back in the same way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from appliance.errors import ApplianceError, Conflict, InvalidInput
from provision.change import insist
from provision.steps.files import SETTINGS_FILE
from provision.upgrade import engine, journal, keeping
from provision.upgrade.engine import STEPS, Upgrade
from provision.upgrade.journal import Note
from provision.upgrade.node import RELEASES, Node, program

REASON = "kembali ke rilis {release}, keadaan sebelum pembaruan"


@dataclass(frozen=True)
class Way:
    """What going back means: to the release that `kept` names; `same` whether it knows the tables of today; `lost` entries of the journal
    and `cases` are what came since."""

    kept: Note
    same: bool
    lost: int
    cases: int

    @property
    def words(self) -> str:
        """What would be gone with the data of then, for whoever decides."""
        return f"{self.lost} catatan jurnal, di antaranya {self.cases} kasus baru"


def look(node: Node) -> Way:
    """What going back would mean now. Raises Conflict when nothing is kept."""
    kept = journal.read_note(node.place.kept)
    if kept is None or not (RELEASES / kept.old / ".complete").exists() or node.release != kept.new:
        raise Conflict(
            "Tidak ada rilis sebelumnya yang disimpan.", "Pasang versi yang diinginkan dari bundelnya, atau pulihkan cadangan."
        )
    now: dict[str, Any] = node.ask(kept.old, "database", "describe")
    lost, cases = (max(int(now.get(name, 0)) - int(kept.database.get(name, 0)), 0) for name in ("position", "cases"))
    return Way(kept, bool(now["opens"]) and now["revision"] == now["newest"], lost, cases)


def require(way: Way, *, with_database: bool, typed: str) -> None:
    """Raises Conflict where the data of today do not fit, InvalidInput unless the number of what is lost was typed."""
    if not with_database and not way.same:
        raise Conflict(
            f"Rilis {way.kept.old} tidak mengenal susunan tabel sekarang, jadi program saja tidak dapat dikembalikan.",
            f"Ulangi dengan --database: data kembali ke saat pembaruan; {way.words} sejak itu disisihkan.",
        )
    if with_database and typed != str(way.lost):
        raise InvalidInput(
            {},
            f"Yang diketik bukan {way.lost}: tidak ada yang diubah. Sejak pembaruan ada {way.words}.",
            f"Di terminal ketik bilangan itu bila ditanya, atau ulangi dengan: --lose {way.lost}",
        )


def go_back(wanted: Upgrade, way: Way, *, with_database: bool) -> None:
    """Do it, after a backup of what is now. Raises ApplianceError when it failed and was undone."""
    wanted.say(f"[1/{STEPS}] Mencadangkan keadaan sekarang")
    engine.back_up(wanted.node)
    wanted.say(f"[2/{STEPS}] Kembali ke rilis {way.kept.old}")
    copy = Path(way.kept.copy)

    def change(wanted: Upgrade, note: Note) -> Note:
        return _change(wanted, note, copy, way.kept.began if with_database else "")

    engine.carry_out(replace(wanted, new=way.kept.old, kept=copy), change)


def _change(wanted: Upgrade, note: Note, copy: Path, taken_at: str) -> Note:
    """The files of the old release, and with `taken_at` its data."""
    node = wanted.node
    now = node.ask(note.old, "database", "describe")
    valid = node.host.run([program(note.new), "config", "check"]).worked
    keeping.put_files_back(node.host, copy, but=(SETTINGS_FILE,) if valid else ())
    node.switch_to(note.new)
    node.reload()
    wanted.reached("switched")
    if taken_at:
        reason = REASON.format(release=note.new)
        words = ["put-back", str(copy), f"--taken-at={taken_at}", f"--by={note.by}", f"--reason={reason}"]
        insist(node.host, [program(note.new), "database", *words])
    wanted.reached("migrated")
    node.start(note.units)
    if not node.host.run(["systemctl", "is-active", "--quiet", "slrt-web.service"]).worked:
        raise ApplianceError("Halaman web rilis sebelumnya tidak berjalan.", "Lihat: journalctl -u slrt-web")
    return replace(note, database=now)
