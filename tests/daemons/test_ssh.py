"""SshHost against a real sshd: it does on another machine what LocalHost does here, and tells its refusals apart."""

from __future__ import annotations

import grp
import os
import pwd
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from fabric import Connection

from appliance.errors import ApplianceError, ConfigurationError, TryLater
from provision.change import Absent, Change, Command, File, Folder, Link, SecretFile
from provision.host import Host, LocalHost, Outcome
from provision.ssh import SshHost
from tests.support.sshd import Sshd, running_sshd

ME = pwd.getpwuid(os.getuid()).pw_name
MINE = grp.getgrgid(os.getgid()).gr_name


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with running_sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture(params=["here", "over ssh"])
def host(request: pytest.FixtureRequest, sshd: Sshd) -> Iterator[Host]:
    """The same questions for both kinds of machine."""
    if request.param == "here":
        yield LocalHost()
        return
    remote = SshHost.connect(sshd.target, sshd.port, sshd.identity, sshd.known_hosts)
    yield remote
    remote.close()


def test_a_file_arrives_whole_with_its_owner_and_mode(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "a file with spaces; $(and) 'quotes'"
    content = os.urandom(300_000)
    host.write(str(path), content, 0o640, ME, MINE)
    assert path.read_bytes() == content
    assert host.read(str(path)) == content
    entry = host.look(str(path))
    assert entry is not None
    assert (entry.kind, entry.mode, entry.owner, entry.group) == ("file", 0o640, ME, MINE)
    assert [found.name for found in tmp_path.iterdir()] == [path.name], "nothing temporary is left"


def test_what_a_killed_run_left_is_no_obstacle(host: Host, tmp_path: Path) -> None:
    (tmp_path / ".file.slrt-new").write_text("torn")
    (tmp_path / ".file.slrt-new").chmod(0o666)
    (tmp_path / "file").symlink_to("/nowhere/else")
    host.write(str(tmp_path / "file"), b"whole", 0o600, ME, MINE)
    assert (tmp_path / "file").read_text() == "whole"
    assert not (tmp_path / "file").is_symlink()


def test_looking_does_not_follow_links_and_knows_absence(host: Host, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("target")
    entry = host.look(str(tmp_path / "link"))
    assert entry is not None
    assert (entry.kind, entry.target) == ("link", "target")
    assert host.look(str(tmp_path / "none")) is None
    assert host.look(str(tmp_path / "none" / "deeper")) is None
    assert host.read(str(tmp_path / "none")) is None
    found = host.look(str(tmp_path))
    assert found is not None
    assert found.kind == "folder"


def test_a_program_gets_its_words_and_input_unchanged(host: Host) -> None:
    words = ["two words", "$HOME", "a'b\"c", "*", "", "\\n"]
    assert host.run(["printf", "%s|", *words]) == Outcome(0, "|".join([*words, ""]), "")
    given = os.urandom(200_000).hex().encode()
    assert host.run(["cat"], given).output == given.decode()


def test_the_end_of_a_program_is_told(host: Host) -> None:
    assert host.run(["sh", "-c", "echo out; echo err >&2; exit 7"]) == Outcome(7, "out\n", "err\n")
    assert host.run(["no-such-program-here"]).code == 127
    loud = host.run(["sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x; head -c 3000000 /dev/zero | tr '\\0' y >&2"])
    assert (len(loud.output), len(loud.errors)) == (3_000_000, 3_000_000)


def test_a_write_that_the_machine_refuses_is_an_error(host: Host, tmp_path: Path) -> None:
    with pytest.raises(ApplianceError):
        host.write(str(tmp_path / "no-folder" / "file"), b"", 0o600, ME, MINE)
    with pytest.raises(ApplianceError):
        host.write(str(tmp_path / "file"), b"", 0o600, "no-such-user", MINE)
    assert not (tmp_path / "file").exists()


def test_the_same_changes_hold_here_and_there(host: Host, tmp_path: Path) -> None:
    changes: tuple[Change, ...] = (
        Folder(str(tmp_path / "etc"), 0o750, ME, MINE),
        File(str(tmp_path / "etc" / "file"), b"text\n", 0o644, ME, MINE),
        Link(str(tmp_path / "link"), str(tmp_path / "etc")),
        Absent(str(tmp_path / "old")),
        Command("touch", ("test", "-e", str(tmp_path / "done")), ("touch", str(tmp_path / "done"))),
    )
    (tmp_path / "old").touch()
    assert settle(changes, host) == 5
    assert settle(changes, host) == 0
    if os.geteuid() == 0:  # secrets are root's
        secret = SecretFile(str(tmp_path / "etc" / "secret"))
        settle((secret,), host)
        first = (tmp_path / "etc" / "secret").read_text()
        assert len(first.strip()) == 64
        (tmp_path / "etc" / "secret").chmod(0o644)
        settle((secret,), host)
        assert (tmp_path / "etc" / "secret").read_text() == first
        assert (tmp_path / "etc" / "secret").stat().st_mode & 0o777 == 0o600
        assert first.strip() not in secret.describe()


def settle(changes: tuple[Change, ...], host: Host) -> int:
    """Perform what does not hold; each must hold then. Gives how many."""
    due = [change for change in changes if not change.is_done(host)]
    for change in due:
        change.perform(host)
        assert change.is_done(host), change.describe()
    return len(due)


class Listening(SshHost):
    """Remembers the programs that were run."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.programs: list[str] = []

    def run(self, command: Sequence[str], given: bytes = b"") -> Outcome:
        self.programs.append(command[0])
        return super().run(command, given)


def test_the_names_of_owners_are_asked_once_and_again_for_a_new_number(sshd: Sshd, tmp_path: Path) -> None:
    remote = Listening.connect(sshd.target, sshd.port, sshd.identity, sshd.known_hosts)
    assert isinstance(remote, Listening)
    for name in ("one", "two", "three"):
        (tmp_path / name).touch()
        assert owners(remote, tmp_path / name) == (ME, MINE)
    assert remote.programs == ["getent", "getent"]
    if os.geteuid() == 0:
        os.chown(tmp_path / "one", 54321, 54322)
        assert owners(remote, tmp_path / "one") == owners(LocalHost(), tmp_path / "one") == ("54321", "54322")
        assert remote.programs == ["getent"] * 4
    remote.close()


def owners(host: Host, path: Path) -> tuple[str, str]:
    found = host.look(str(path))
    assert found is not None
    return found.owner, found.group


def test_an_unknown_machine_is_refused_with_the_way_out(sshd: Sshd, tmp_path: Path) -> None:
    (tmp_path / "known").touch()
    with pytest.raises(ConfigurationError, match="belum dikenal") as refused:
        SshHost.connect(sshd.target, sshd.port, sshd.identity, tmp_path / "known")
    assert "ssh " in refused.value.hint


def test_another_machine_under_a_known_name_is_refused(sshd: Sshd, tmp_path: Path) -> None:
    known = sshd.known_hosts.read_text().split()
    other = (sshd.identity.with_suffix(".pub")).read_text().split()[1]
    (tmp_path / "known").write_text(f"{known[0]} {known[1]} {other}\n")
    with pytest.raises(ConfigurationError, match="berbeda"):
        SshHost.connect(sshd.target, sshd.port, sshd.identity, tmp_path / "known")


def test_a_stranger_is_told_how_to_get_in(sshd: Sshd) -> None:
    host_key = sshd.identity.with_name("host")  # a key, but not one that may log in
    with pytest.raises(ConfigurationError, match="menolak") as refused:
        SshHost.connect(sshd.target, sshd.port, host_key, sshd.known_hosts)
    assert "ssh-copy-id" in refused.value.hint


def test_a_machine_that_is_off_is_a_matter_of_time(sshd: Sshd) -> None:
    with socket.socket() as bound:  # bound, but nobody listens
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(TryLater, match="tidak dapat dihubungi"):
            SshHost.connect(sshd.target, bound.getsockname()[1], sshd.identity, sshd.known_hosts)
