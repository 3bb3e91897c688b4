"""The notices as the program that the timer starts, with a receiver that is there, is away, and is back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from appliance.power import journal
from appliance.power.journal import Entry, Event
from tests.support.ports import free_port
from tests.support.watching import Watching

GOT: list[dict[str, str]] = []


class _Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        GOT.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def receiving(port: int) -> Iterator[None]:
    GOT.clear()
    with HTTPServer(("127.0.0.1", port), _Receiver) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield
        server.shutdown()
        thread.join()


class Notices:
    """The program over a node whose address is on `port`."""

    def __init__(self, folder: Path, port: int) -> None:
        self.node = Watching(folder, folder / "run", ("127.0.0.1", 1))
        self.folder, self.queue = folder, folder / "queue"
        for path in (folder / "run", self.queue):
            path.mkdir()
        (folder / "run" / "processes.json").write_text("{}")  # a demonstration: its light never changes
        self.address(port)

    def address(self, port: int) -> None:
        secret = self.folder / "secrets" / "notices-urls"
        secret.touch(mode=0o600)
        secret.write_text(f"# kantor\njson://u:sandi-rahasia@127.0.0.1:{port}/\n")

    def note(self, event: Event) -> None:
        journal.append(self.node.journal, Entry(datetime.now(UTC), event))

    def run(self) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-W", "ignore", "-m", "appliance.notices.run", "--state", str(self.queue)]
        environment = {"PATH": os.environ["PATH"], "SLRT_CONFIG": str(self.node.config)}
        root = Path(__file__).parents[2]
        return subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=False)


def test_news_goes_out_once_and_waits_while_there_is_no_network(tmp_path: Path) -> None:
    port = free_port()
    notices = Notices(tmp_path, port)
    notices.note(Event.MAINS_LOST)
    assert notices.run().returncode == 0, "what was before the first run is no news"
    notices.note(Event.MAINS_BACK)
    away = notices.run()
    assert (away.returncode, away.stdout, away.stderr) == (0, "", ""), "nobody there is no error and nothing to say"
    queue = (notices.queue / "outbox.json").read_text()
    assert "Listrik menyala kembali" in queue
    assert "rahasia" not in queue
    notices.note(Event.REPLACE_BATTERY)
    with receiving(port):
        assert notices.run().returncode == 0
        assert notices.run().returncode == 0
        titles = [one["title"].partition(": ")[2] for one in GOT]
    assert titles == ["Listrik menyala kembali", "Baterai UPS perlu diganti"]
    assert json.loads((notices.queue / "outbox.json").read_text())["waiting"] == []


def test_the_operator_tries_every_address_and_no_password_is_shown(tmp_path: Path) -> None:
    port = free_port()
    notices = Notices(tmp_path, port)
    with receiving(port):
        told = notices.node.slrt("notices", "test")
    assert told.returncode == 0, told.stderr
    assert "1. json: terkirim" in told.stdout
    assert [one["title"].endswith("Percobaan") for one in GOT] == [True]
    secret = tmp_path / "secrets" / "notices-urls"
    secret.write_text(f"json://u:sandi-rahasia@127.0.0.1:{port}/\nkata-rahasia-biasa\n")
    told = notices.node.slrt("notices", "test")
    assert told.returncode == 1
    assert "1. json: TIDAK terkirim" in told.stdout
    assert "2. baris ini: alamat tidak dikenal" in told.stdout
    assert "rahasia" not in told.stdout + told.stderr
    secret.unlink()
    told = notices.node.slrt("notices", "test")
    assert told.returncode == 78
    assert "notices-urls" in told.stderr
