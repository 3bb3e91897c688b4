"""What becomes of an upgrade that nobody carries on: after a power cut before anything starts, after a kill at once.

Either everything is as it was, or the new release, once proven, is the node; never a mixture. It may itself be killed and repeated.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

from appliance.errors import ApplianceError, ConfigurationError
from provision.host import Host
from provision.upgrade import engine, journal
from provision.upgrade.journal import WAYS_OUT, Exit, Note, Place, Told
from provision.upgrade.node import Node

TEXTS = {
    Exit.LEAVE: "Pergantian ke {new} terputus sebelum ada yang diubah; simpul tetap memakai rilis {old}.",
    Exit.UNDO: "Pergantian ke {new} terputus; simpul dan datanya dikembalikan ke rilis {old}. Tidak ada data yang hilang.",
    Exit.FINISH: "Pergantian ke {new} terputus setelah terbukti baik; simpul memakai rilis {new}. " + engine.STEPS_LEFT,
}


def settle(node: Node, say: engine.Say) -> bool:
    """Carry out what a note asks for. Whether there was one. The caller is `alone`.

    The services are started when whoever called us has ended: at boot they wait for that.
    """
    note = _read(node)
    if note is None:
        node.open()
        return False
    way = WAYS_OUT[note.stage]
    # the door is still closed: nobody may store anything in data that are about to be put back
    _stop_unless(way is Exit.FINISH, node, note)
    # with the note there and the door open, neither pages nor scheduler start
    node.open()
    # also what was about to be started meanwhile
    _stop_unless(way is Exit.FINISH, node, note)
    if way is Exit.UNDO:
        engine.put_back(node, note)
    text = TEXTS[way].format(old=note.old, new=note.new)
    at = datetime.now(UTC).isoformat()
    journal.write(node.place.last, Told(way is Exit.FINISH, note.old, note.new, at, note.by, text))
    say(text)
    if way is Exit.FINISH:
        engine.keep_record(node, note)
        return True
    engine.end(node, note)
    node.start_later(note.units)
    return True


def tell_steps_done(host: Host) -> None:
    """Every step of that machine holds: what the end of a cut-off upgrade asked for is asked for no more."""
    place, left = str(Place().last), f" {engine.STEPS_LEFT}".encode()
    told = host.read(place)
    if told is not None and left in told:
        host.write(place, told.replace(left, b""), 0o644, "root", "root")


def _stop_unless(done: bool, node: Node, note: Note) -> None:
    if not done:
        with suppress(ApplianceError):
            node.stop({*note.units, *node.running()})


def _read(node: Node) -> Note | None:
    try:
        return journal.read_note(node.place.note)
    except ValueError as error:
        raise ConfigurationError(
            f"Catatan pembaruan {node.place.note} tidak terbaca.", "Pulihkan simpul dari cadangan: lihat docs/restore.md"
        ) from error
