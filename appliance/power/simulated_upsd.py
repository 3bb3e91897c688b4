"""A small upsd for the demonstration on machines without NUT: it answers for one UPS from the simulated data file.

Only what a reading client needs of the protocol, only on loopback. It knows no driver and never goes stale; what it cannot do
is answered as the real upsd would answer it.
"""

from __future__ import annotations

import argparse
import ipaddress
import shlex
import socketserver
import sys
from collections.abc import Sequence
from pathlib import Path

from appliance.config import Settings, config_path, load, read_secret
from appliance.errors import ApplianceError, ConfigurationError
from appliance.power.simulate import SIMULATED_FILE

IDLE_SECONDS = 60  # the real one, too, sends silent clients away after that


class SimulatedUpsd(socketserver.ThreadingTCPServer):
    """One UPS named `ups`, its variables in `file`, and one user."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, address: tuple[str, int], ups: str, file: Path, login: tuple[str, str]) -> None:
        if not ipaddress.ip_address(address[0]).is_loopback:
            raise ConfigurationError("UPS simulasi hanya boleh melayani 127.0.0.1.", 'Tulis power.host = "127.0.0.1".')
        self.ups, self.file, self.login = ups, file, login
        super().__init__(address, _Client)

    def variables(self) -> dict[str, str]:
        """The variables as they are now; empty when there is no file."""
        try:
            lines = self.file.read_text(encoding="utf-8").splitlines()
        except OSError:
            return {}
        pairs = (line.split(":", 1) for line in lines if ":" in line and not line.startswith("#"))
        return {name.strip(): value.strip() for name, value in pairs}


class _Client(socketserver.StreamRequestHandler):
    """One connection: its user and password are checked at LOGIN only, as upsd does."""

    timeout = IDLE_SECONDS
    server: SimulatedUpsd

    def handle(self) -> None:
        self._user = self._password = ""
        try:
            while line := self.rfile.readline(1024).decode("utf-8", "replace").strip():
                answer = self._answer(line)
                self.wfile.write(answer.encode())
                if answer.startswith("OK Goodbye"):
                    return
        except OSError:
            return  # gone, or silent for too long

    def _answer(self, line: str) -> str:
        try:
            words = shlex.split(line)
        except ValueError:
            return "ERR INVALID-ARGUMENT\n"
        match words:
            case ["USERNAME", user]:
                self._user = user
            case ["PASSWORD", password]:
                self._password = password
            case ["LOGOUT"]:
                return "OK Goodbye\n"
            case _:
                return self._answer_about_ups(words)
        return "OK\n"

    def _answer_about_ups(self, words: list[str]) -> str:
        match words:
            case ["LIST", "UPS"]:
                return f'BEGIN LIST UPS\nUPS {self.server.ups} "simulated"\nEND LIST UPS\n'
            case ["LOGIN", ups] | ["LIST", "VAR", ups] | ["GET", "VAR", ups, _] if ups != self.server.ups:
                return "ERR UNKNOWN-UPS\n"
            case ["LOGIN", _]:
                return "OK\n" if (self._user, self._password) == self.server.login else "ERR ACCESS-DENIED\n"
            case ["LIST", "VAR", _] | ["GET", "VAR", _, _]:
                return self._tell(*words[3:])
        return "ERR UNKNOWN-COMMAND\n"

    def _tell(self, *wanted: str) -> str:
        """The variable asked for, or the list of all of them."""
        ups, variables = self.server.ups, self.server.variables()
        if not variables:
            return "ERR DRIVER-NOT-CONNECTED\n"
        lines = {name: f'VAR {ups} {name} "{value}"\n' for name, value in sorted(variables.items())}
        if wanted:
            return lines.get(wanted[0], "ERR VAR-NOT-SUPPORTED\n")
        return f"BEGIN LIST VAR {ups}\n{''.join(lines.values())}END LIST VAR {ups}\n"


def server_of(settings: Settings) -> SimulatedUpsd:
    """The server that the settings ask for. Raises ConfigurationError when the UPS is not simulated or the port is taken."""
    power = settings.power
    if power.ups != "simulated":
        raise ConfigurationError("UPS pada pengaturan ini bukan simulasi.", 'Tulis power.ups = "simulated".')
    login = ("watcher", read_secret(settings, "upsd-watcher-password"))
    try:
        return SimulatedUpsd((power.host, power.port), power.name, Path(power.runtime) / SIMULATED_FILE, login)
    except OSError as error:
        raise ConfigurationError(
            f"UPS simulasi tidak dapat memakai {power.host}:{power.port} ({error.strerror}).", "Pilih power.port yang lain."
        ) from error


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until ended by a signal."""
    parser = argparse.ArgumentParser(prog="simulated_upsd", description="UPS simulasi untuk peragaan.")
    parser.add_argument("--config", type=Path, default=None, help="berkas pengaturan")
    chosen = parser.parse_args(arguments)
    try:
        with server_of(load(chosen.config or config_path())) as server:
            server.serve_forever()
    except ApplianceError as error:
        print(f"Gagal: {error.message}\nLangkah berikutnya: {error.hint}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
