"""A machine over SSH, by Fabric: the only place that knows Fabric and Paramiko, and the translator of their errors.

Strangers are refused: the host key must be known from an earlier ssh. File contents travel over SFTP, never on a command line.
"""

from __future__ import annotations

import shlex
import socket
import stat
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

import paramiko
from fabric import Config, Connection
from paramiko.ssh_exception import NoValidConnectionsError

from appliance.errors import ApplianceError, ConfigurationError, TryLater
from provision.host import Entry, Outcome

CONNECT_SECONDS = 15
KEEPALIVE_SECONDS = 15  # a machine that vanished is noticed, however long a command takes
PIECE = 32768


class SshHost:
    """The machine `target` ("root@box"). Open it with `connect`; close it when done."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.name = f"{connection.user}@{connection.host}"
        self._names: dict[str, dict[int | None, str]] = {"passwd": {}, "group": {}}

    @classmethod
    def connect(cls, target: str, port: int = 22, identity: Path | None = None, known_hosts: Path | None = None) -> SshHost:
        """Log in. `known_hosts` replaces the user's own list of host keys.

        Raises TryLater when the machine cannot be reached, ConfigurationError for an unknown host key or a refused login.
        """
        keys: dict[str, object] = {"key_filename": str(identity)} if identity else {}
        config = Config() if known_hosts is None else Config(lazy=True)
        connection = Connection(target, port=port, config=config, connect_timeout=CONNECT_SECONDS, connect_kwargs=keys)
        if known_hosts is None:
            connection.client.load_system_host_keys()
        else:
            connection.client.load_host_keys(str(known_hosts))
        # Fabric would take any machine that answers.
        connection.client.set_missing_host_key_policy(paramiko.RejectPolicy())
        _open(connection, target)
        connection.transport.set_keepalive(KEEPALIVE_SECONDS)
        return cls(connection)

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def look(self, path: str) -> Entry | None:
        try:
            found = self._connection.sftp().lstat(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _refused(self.name, path, error) from error
        mode = found.st_mode or 0
        kind = "file" if stat.S_ISREG(mode) else "folder" if stat.S_ISDIR(mode) else "link" if stat.S_ISLNK(mode) else "other"
        target = self._connection.sftp().readlink(path) or "" if kind == "link" else ""
        owner, group = self._name("passwd", found.st_uid), self._name("group", found.st_gid)
        return Entry(kind, stat.S_IMODE(mode), owner, group, target)

    def read(self, path: str) -> bytes | None:
        try:
            with self._connection.sftp().open(path, "rb") as file:
                file.prefetch()
                content: bytes = file.read()
                return content
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _refused(self.name, path, error) from error

    def write(self, path: str, content: bytes, mode: int, owner: str, group: str) -> None:
        temporary = str(PurePosixPath(path).with_name(f".{PurePosixPath(path).name}.slrt-new"))
        # Made closed and empty by the shell first, so that a secret is never readable, not even for a moment.
        self._insist(["sh", "-c", 'rm -f "$1" && umask 077 && set -C && : >"$1"', "sh", temporary])
        try:
            with self._connection.sftp().open(temporary, "r+b") as file:
                file.set_pipelined(True)
                file.write(content)
        except OSError as error:
            raise _refused(self.name, path, error) from error
        put = 'chown "$3" "$1" && chmod "$4" "$1" && sync "$1" && mv -fT "$1" "$2" && sync "$(dirname "$2")"'
        self._insist(["sh", "-c", put, "sh", temporary, path, f"{owner}:{group}", f"{mode:04o}"])

    def run(self, command: Sequence[str], given: bytes = b"") -> Outcome:
        try:
            channel = self._connection.transport.open_session()
            channel.exec_command(shlex.join(command))
            return _converse(channel, given)
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise TryLater(f"Sambungan ke {self.name} putus: {error}.", "Periksa jaringan, lalu ulangi perintah ini.") from error

    def _insist(self, command: Sequence[str]) -> None:
        outcome = self.run(command)
        if not outcome.worked:
            raise ApplianceError(f"{self.name}: {outcome.errors.strip()}", "Periksa ruang disk dan hak akses di mesin itu.")

    def _name(self, database: str, number: int | None) -> str:
        """The name of a user or group there. The whole list is asked once, and again for a number that was not in it."""
        if number not in self._names[database]:
            lines = [line.split(":") for line in self.run(["getent", database]).output.splitlines()]
            self._names[database] = {int(words[2]): words[0] for words in lines if len(words) > 2}
        return self._names[database].get(number, str(number))


def _open(connection: Connection, target: str) -> None:
    """Log in, with every way to fail told apart."""
    try:
        connection.open()
    except paramiko.BadHostKeyException as error:
        raise ConfigurationError(
            f"Kunci host {target} berbeda dari yang dikenal.",
            "Bila mesinnya memang baru: ssh-keygen -R NAMA, lalu hubungkan sekali dengan ssh dan cocokkan sidik jarinya.",
        ) from error
    except paramiko.AuthenticationException as error:
        raise ConfigurationError(f"{target} menolak masuk.", f"Pasang kunci Anda lebih dahulu: ssh-copy-id {target}") from error
    except (NoValidConnectionsError, TimeoutError, socket.gaierror, OSError) as error:
        raise TryLater(
            f"{target} tidak dapat dihubungi: {error}.", "Periksa nama, jaringan dan layanan ssh di mesin itu."
        ) from error
    except paramiko.SSHException as error:
        if "known_hosts" not in str(error):
            raise TryLater(f"Sambungan ke {target} gagal: {error}.", "Ulangi perintah ini.") from error
        raise ConfigurationError(
            f"Kunci host {target} belum dikenal.", f"Hubungkan sekali dan cocokkan sidik jarinya: ssh {target}"
        ) from error


def _converse(channel: paramiko.Channel, given: bytes) -> Outcome:
    """Send the input, collect both outputs as they come, and wait for the end.

    All three at once: the window of a channel is finite, and a program that may not speak on does not listen either.
    """
    with ThreadPoolExecutor(2) as readers:
        said = [readers.submit(_drain, receive) for receive in (channel.recv, channel.recv_stderr)]
        sent = 0
        while sent < len(given):
            sent += channel.send(given[sent : sent + PIECE])
        channel.shutdown_write()
        output, errors = (reader.result().decode(errors="replace") for reader in said)
    code = channel.recv_exit_status()
    channel.close()
    return Outcome(code, output, errors)


def _drain(receive: Callable[[int], bytes]) -> bytes:
    whole = bytearray()
    while piece := receive(PIECE):
        whole += piece
    return bytes(whole)


def _refused(name: str, path: str, error: OSError) -> ApplianceError:
    return ApplianceError(
        f"{name}: {path}: {error.strerror or error}.", "Masuklah sebagai root dan periksa ruang disk di mesin itu."
    )
