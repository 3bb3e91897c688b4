"""`python -m appliance.notices.run`: look for news once, send what waits, and end. A systemd timer starts it every minute.

A process of its own with a network, so that neither the watcher nor the pages need one, and nobody waits for a mail server.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from appliance import backup_news
from appliance.care import readings, reserve, rules
from appliance.config import Settings, config_path, load, read_secret
from appliance.errors import ApplianceError, ConfigurationError
from appliance.notices import outbox
from appliance.notices.backup import message_of_backup, why_late
from appliance.notices.care import Trouble, messages_of_care, troubles_of
from appliance.notices.messages import Message, message_of, messages_of, messages_of_sticks
from appliance.notices.outbox import Outbox
from appliance.power import journal
from appliance.power.chain import Color
from appliance.power.chain_check import read_light
from appliance.sticks import book
from appliance.sticks.rules import Verdict, judge
from backups.outcome import Record

SECRET = "notices-urls"  # noqa: S105 - the name of the file
Send = Callable[[str, Message], bool]


def addresses(settings: Settings) -> list[str]:
    """The addresses, a line each; lines that begin with # are none. Raises ConfigurationError when there is no such file."""
    lines = read_secret(settings, SECRET).splitlines()
    found = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not found:
        raise ConfigurationError(f"Berkas rahasia {SECRET} tidak memuat alamat.", "Tulis satu alamat Apprise pada setiap baris.")
    return found


def collect(settings: Settings, folder: Path, marks: Sequence[str], at: datetime) -> Outbox:
    """Read the journal and the light from where the last run stopped, and keep what is to be sent. Raises OSError."""
    before = outbox.load(folder)
    entries = journal.entries(Path(settings.power.state) / journal.JOURNAL_FILE)
    light = read_light(settings, at)
    known = before or Outbox()
    news = messages_of(outbox.unread(entries, known.read_until), settings.zone)
    if (changed := message_of(light, known.armed, at)) is not None:
        news.append(changed)
    late, about_backups = _about_backups(settings, known.backup_late, at)
    of_sticks, troubled = messages_of_sticks(_verdicts(settings, at), known.sticks, at)
    of_care, care = messages_of_care(_troubles(settings, entries[-1].at if entries else None, at), known.care, at)
    news += [*about_backups, *of_sticks, *of_care]
    armed = light.color is Color.ARMED if light.color in {Color.ARMED, Color.NOT_ARMED} else known.armed
    read_until = outbox.name_of(entries[-1]) if entries else known.read_until
    told = replace(known, read_until=read_until, armed=armed, backup_late=late, sticks=troubled, care=care)
    found = outbox.with_messages(told, news, marks, at)
    if found != before:
        outbox.save(folder, found)
    return found


def _about_backups(settings: Settings, told: str, at: datetime) -> tuple[str, list[Message]]:
    """What of the backups is too old, and the notice of it. Without a word of the scheduler since the start nothing is known."""
    news = backup_news.read(settings)
    if news is None:
        return told, []
    late = why_late(news, at, timedelta(days=settings.backup.notice_days))
    message = message_of_backup(news, told, late, at, settings.zone)
    return late, [message] if message else []


def _troubles(settings: Settings, last: datetime | None, at: datetime) -> dict[str, Trouble]:
    """What needs somebody of the machine itself, by what was read and published of it."""
    return troubles_of(rules.judge(readings.read(Path(settings.paths.care)), at), reserve.published(settings), last, at)


def _verdicts(settings: Settings, at: datetime) -> dict[str, Verdict]:
    """What is to be said of each stick, from what the keeper saw. What was written to it lies where this process cannot look."""
    folder = book.folder_of(settings)
    sight = book.read_sight(folder)
    return {stick.label: judge(stick, sight.of(stick), Record(), at) for stick in book.read_known(folder)}


def send_waiting(folder: Path, waiting: Outbox, known: Sequence[str], send: Send) -> Outbox:
    """Try each notice at each address that does not have it; what went out is forgotten at once. Raises OSError.

    An address that fails is not tried again in this run: the others must not wait for it notice after notice.
    """
    failed: set[str] = set()
    for one in waiting.waiting:
        for address in known:
            mark = outbox.mark_of(address)
            if mark not in one.left or mark in failed:
                continue
            if send(address, one.message):
                waiting = outbox.delivered(waiting, one.message, mark)
                outbox.save(folder, waiting)
            else:
                failed.add(mark)
    return waiting


def main(arguments: Sequence[str] | None = None) -> None:
    """Run once. Exits with the code of the error when the configuration is wrong; a missing network is no error."""
    parser = argparse.ArgumentParser(prog="slrt-notices", description="Mengirim pemberitahuan listrik yang menunggu.")
    parser.add_argument("--config", type=Path, default=None, help="berkas pengaturan (biasanya /etc/slrt/appliance.toml)")
    parser.add_argument("--state", type=Path, required=True, help="folder antrean")
    chosen = parser.parse_args(arguments)
    try:
        settings = load(chosen.config or config_path())
        known = addresses(settings)
        waiting = collect(settings, chosen.state, [outbox.mark_of(address) for address in known], datetime.now(UTC))
    except ApplianceError as error:
        print(f"Gagal: {error.message} {error.hint}", file=sys.stderr)
        sys.exit(error.exit_code)
    if waiting.waiting:
        # Only now: the library is large, and most minutes have no news.
        from appliance.notices.sending import send

        send_waiting(chosen.state, waiting, known, lambda address, message: send(address, message, settings.node.office))


if __name__ == "__main__":
    main()
