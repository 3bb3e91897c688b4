"""The whole node in the foreground for somebody who wants to see it: no systemd, no root, invented people, a simulated UPS.

The same programs with the same settings file as on the box; only who starts them differs. Everything lives in one folder that
may be deleted afterwards. When the simulated battery runs out the demonstration "powers off" and waits for the mains.
"""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import json
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from appliance import usage
from appliance.config import (
    BackupSettings,
    NodeSettings,
    PathSettings,
    PowerSettings,
    Settings,
    SpaceSettings,
    WebSettings,
    render,
)
from appliance.errors import ApplianceError, TryLater

DEFAULT_PORT = 8073
SECRETS = ("web-session-key", "audit-key", "backup-passphrase", "upsd-watcher-password", "upsd-upsmon-password")
DRILL_REQUEST = "drill-request"
SHUTDOWN_FLAGS = ("force-shutdown", "poweroff-now")
START_SECONDS = 60.0
STOP_SECONDS = 30.0
POLL_SECONDS = 0.3
STEPS = 5


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=DEFAULT_PORT, show_default=True, help="Porta di 127.0.0.1.")
@click.option("--folder", type=click.Path(path_type=Path), default=Path("demo"), help="Folder untuk semua berkas peragaan.")
def command(port: int, folder: Path) -> None:
    """Peragaan simpul SLRT di komputer ini, tanpa root dan tanpa systemd."""
    with _alone(folder.resolve()), _short_folder() as runtime:
        Demonstration(folder.resolve(), runtime, port).run()


def main() -> None:
    """Run until interrupted; an error of ours becomes two lines and its exit code."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        command.main(standalone_mode=False)
    except ApplianceError as error:
        click.echo(f"Gagal: {error.message}\nLangkah berikutnya: {error.hint}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        usage.show(error)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("\nPeragaan dihentikan.")


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two demonstrations in one folder would be two checkpointing processes on one database."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise TryLater(
                f"Peragaan lain sedang berjalan di {folder}.", "Hentikan dahulu (Ctrl+C), atau pakai --folder yang lain."
            ) from error
        yield


@contextlib.contextmanager
def _short_folder() -> Iterator[Path]:
    """A folder for sockets: their path may have 107 characters, a checkout's may have more."""
    folder = Path(tempfile.mkdtemp(prefix="slrt-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Demonstration:
    """The processes of one demonstration, below `folder`; `runtime` is a short path for sockets and state."""

    def __init__(self, folder: Path, runtime: Path, port: int) -> None:
        self.folder, self.runtime, self.port = folder, runtime, port
        self.settings = _settings(folder, runtime)
        self.config = folder / "appliance.toml"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._drill: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        """Prepare, start, and keep playing until interrupted."""
        self._refuse_taken_port()
        self._say(1, "Menyiapkan pengaturan dan rahasia")
        self._prepare()
        self._say(2, "Menyiapkan basis data dan wilayah")
        self._slrt("database", "upgrade")
        self._say(3, "Mengisi data contoh Kabupaten Bantaeng")
        accounts = self._fill()
        self._say(4, "Menyiapkan tempat cadangan")
        self._prepare_backups()
        try:
            self._say(5, "Menjalankan UPS tiruan, pengawas listrik, penjadwal dan halaman web")
            self._start("ups", "-m", "appliance.power.simulated_upsd")
            self._power_on()
            self._invite(accounts)
            self._play()
        finally:
            if self._drill is not None:
                self.processes["drill"] = self._drill
            self._stop(*reversed(list(self.processes)))

    def _say(self, step: int, text: str) -> None:
        click.echo(f"[{step}/{STEPS}] {text}")

    def _refuse_taken_port(self) -> None:
        with socket.socket() as probe:
            # as gunicorn does: a port that merely lingers after the last run is not taken
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", self.port))
            except OSError as error:
                raise TryLater(
                    f"Porta {self.port} sedang dipakai program lain ({error.strerror}).",
                    f"Pilih porta lain, misalnya: ./install.sh demo --port {self.port + 1}",
                ) from error

    def _prepare(self) -> None:
        for name in ("database", "attachments", "identity", "backup"):
            (self.folder / "data" / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in ("secrets", "power"):
            (self.folder / name).mkdir(exist_ok=True, mode=0o700)
        for name in SECRETS:
            file = self.folder / "secrets" / name
            if not file.exists():
                _write_secret(file, secrets.token_hex(32))
        self.config.write_text(render(self.settings))
        command_file = self.folder / "slrt"
        command_file.write_text(f'#!/bin/sh\nSLRT_CONFIG="{self.config}" exec "{_program("slrt")}" "$@"\n')
        command_file.chmod(0o700)

    def _fill(self) -> str:
        """The sample accounts as the command printed them; kept, because they are told only when they are made."""
        told = self.folder / "accounts.txt"
        if not told.exists():
            text = self._slrt("database", "sample")
            told.write_text(text)
        return told.read_text()

    def _prepare_backups(self) -> None:
        if shutil.which("borg"):
            self._slrt("backup", "init")
        else:
            click.echo("      Program borg tidak ada: peragaan ini tanpa cadangan. Memasangnya: apt install borgbackup")

    def _power_on(self) -> None:
        self._slrt("power", "simulate", "ol")
        for flag in SHUTDOWN_FLAGS:
            (self.runtime / flag).unlink(missing_ok=True)
        self._start("slrt-watcher", str(_program("slrt-watcher")))
        self._start("slrt-scheduler", str(_program("slrt-scheduler")))
        # one socket for `slrt status`, one for the browser
        binds = ["--bind", f"unix:{self.runtime / 'web.sock'}", "--bind", f"127.0.0.1:{self.port}"]
        self._start("slrt-web", "-m", "gunicorn", "--config", "python:webui.gunicorn_conf", *binds, "webui:create_app()")
        self._wait_for_page()
        numbers = {name: process.pid for name, process in self.processes.items()}
        (self.runtime / "processes.json").write_text(json.dumps(numbers))

    def _invite(self, accounts: str) -> None:
        click.echo(
            f"\nHalaman web:  http://127.0.0.1:{self.port}/\n\n{accounts.strip()}\n\n"
            f"Mencabut listrik:       {self.folder}/slrt power simulate ob\n"
            f"Baterai hampir habis:   {self.folder}/slrt power simulate ob-lb\n"
            f"Listrik menyala lagi:   {self.folder}/slrt power simulate ol\n"
            f"Apakah sistem sehat?    {self.folder}/slrt status\n"
            f"Catatan (log):          {self.folder}/log/\n\n"
            f"Berhenti: tekan Ctrl+C. Menghapus semuanya: hapus folder {self.folder}\n"
        )

    def _play(self) -> None:
        """Watch the processes; play the power-off when the watcher hands over, and the start when the mains is back."""
        while True:
            for name, process in self.processes.items():
                if process.poll() is not None:
                    raise ApplianceError(f"Proses {name} berhenti sendiri.", f"Lihat sebabnya: {self.folder}/log/{name}.log")
            if (self.runtime / DRILL_REQUEST).exists() and not self._is_drilling():
                self._drill = self._begin("drill", str(_program("slrt")), "power", "drill", "requested")
            if any((self.runtime / flag).exists() for flag in SHUTDOWN_FLAGS):
                self._power_off_and_wait()
            time.sleep(POLL_SECONDS)

    def _power_off_and_wait(self) -> None:
        click.echo("Listrik habis: simpul menyimpan semuanya dan mati sekarang.")
        self._stop("slrt-web", "slrt-scheduler", "slrt-watcher")
        click.echo(f"Simpul mati. Menyalakan listrik lagi: {self.folder}/slrt power simulate ol")
        mains = self.runtime / "simulated.dev"
        while "OB" in mains.read_text():
            time.sleep(POLL_SECONDS)
        click.echo("Listrik menyala: simpul hidup kembali.")
        self._power_on()
        click.echo(f"Halaman web:  http://127.0.0.1:{self.port}/")

    def _is_drilling(self) -> bool:
        return self._drill is not None and self._drill.poll() is None

    def _start(self, name: str, *words: str) -> None:
        """Start a program that shall not end by itself."""
        self.processes[name] = self._begin(name, *words)

    def _begin(self, name: str, *words: str) -> subprocess.Popen[bytes]:
        """Start a program, or `python -m …`, with its output in a log of its own."""
        log = self.folder / "log"
        log.mkdir(exist_ok=True)
        start = [sys.executable, *words] if words[0] == "-m" else list(words)
        with (log / f"{name}.log").open("ab") as output:
            return subprocess.Popen(
                start,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=self._environment(),
                start_new_session=True,  # Ctrl+C stops them in our order, not all at once
            )

    def _stop(self, *names: str) -> None:
        stopping = [(name, self.processes.pop(name)) for name in names if name in self.processes]
        for _name, process in stopping:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _slrt(self, *words: str) -> str:
        run = subprocess.run(
            [str(_program("slrt")), *words], capture_output=True, text=True, env=self._environment(), check=False
        )
        if run.returncode:
            raise ApplianceError(f"slrt {' '.join(words)}: {run.stderr.strip() or run.stdout.strip()}", "Perbaiki, lalu ulangi.")
        return run.stdout

    def _environment(self) -> dict[str, str]:
        return {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "SLRT_CONFIG": str(self.config), "LANG": "C.UTF-8"}

    def _wait_for_page(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._page_answers():
            if time.monotonic() > deadline or self.processes["slrt-web"].poll() is not None:
                raise ApplianceError("Halaman web tidak mau hidup.", f"Lihat sebabnya: {self.folder}/log/slrt-web.log")
            time.sleep(POLL_SECONDS)

    def _page_answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == http.client.OK
        except OSError:
            return False
        finally:
            connection.close()


def _settings(folder: Path, runtime: Path) -> Settings:
    """The settings of the box with every path below the demonstration's folder, and limits short enough to watch."""
    return Settings(
        node=NodeSettings(district="73.03", hostname="slrt-demo", office="Dinas Sosial Kabupaten Bantaeng (peragaan)"),
        paths=PathSettings(
            data=str(folder / "data"),
            runtime=str(runtime),
            secrets=str(folder / "secrets"),
            certificates=str(folder / "tls"),
        ),
        web=WebSettings(https=False),
        backup=BackupSettings(repository=str(folder / "repository"), boot_delay_seconds=0),
        space=SpaceSettings(reserve_megabytes=0),
        power=PowerSettings(
            ups="simulated", port=_free_port(), runtime=str(runtime), state=str(folder / "power"), boot_hold_seconds=5
        ),
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _program(name: str) -> Path:
    """A console script of the environment that runs this file."""
    return Path(sys.executable).parent / name


def _write_secret(file: Path, secret: str) -> None:
    file.touch(mode=0o600)
    file.write_text(secret + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
