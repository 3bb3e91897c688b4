"""The bed of a test machine on this host: a number, a network of its own, and a stack of file system layers.

Everything a bed makes (folder, mount, network namespace, cable) carries its number, and names the process that owns it; whatever a
killed run left behind is taken away by the next one. The bed knows nothing of what runs in the machine.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.support.machine_groups import remove_groups
from tests.support.machine_tree import locked

STATE = Path(tempfile.gettempdir()) / "slrt-tests"
NETWORK = "10.213.0.0/16"
INOTIFY_INSTANCES = 4096
COUNT = 250
END_SECONDS = 60.0


def started_at(pid: int) -> str:
    """When process `pid` started, in clock ticks since boot, or "" when it has ended: tells it from a later one of its number."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]


def identity(pid: int) -> str:
    """Text that names one process for ever."""
    return f"{pid} {started_at(pid)}"


def is_alive(name: str) -> bool:
    """Whether the process that `identity` named still runs."""
    pid, _, start = name.partition(" ")
    return bool(start) and started_at(int(pid)) == start


def host_run(*command: str, check: bool = True) -> str:
    """Run a command on this host and give its output; a failure says the command and its last words."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}: {done.stderr.strip()}")
    return done.stdout


@dataclass(frozen=True)
class Bed:
    """Bed number `number` (1 to 250)."""

    number: int

    @property
    def folder(self) -> Path:
        """Everything of this bed on disk."""
        return STATE / f"bed-{self.number}"

    @property
    def root(self) -> Path:
        """Where the layers are mounted as one tree."""
        return self.folder / "root"

    @property
    def upper(self) -> Path:
        """What the machine wrote: the uppermost layer."""
        return self.folder / "upper"

    @property
    def name(self) -> str:
        """Name of the machine, its network namespace and its cable."""
        return f"slrt-t{self.number}"

    @property
    def address(self) -> str:
        """Address of the machine, reached from this host."""
        return f"10.213.{self.number}.2"

    @property
    def gateway(self) -> str:
        """Address of this host as the machine sees it."""
        return f"10.213.{self.number}.1"

    def lay(self, layers: list[Path]) -> None:
        """Mount `layers` (uppermost first) below an empty writable one."""
        for folder in (self.root, self.upper, self.folder / "work"):
            folder.mkdir(parents=True)
        lower = ":".join(map(str, layers))
        # redirect_dir: a folder of a lower layer can be renamed, as on the plain disk that this stands for
        options = f"redirect_dir=on,lowerdir={lower},upperdir={self.upper},workdir={self.folder / 'work'}"
        host_run("mount", "-t", "overlay", self.name, "-o", options, str(self.root))

    def wire(self) -> None:
        """A network namespace with a cable to this host, and a way out to the package mirrors."""
        ip = ("ip", "-n", self.name)
        host_run("ip", "netns", "add", self.name)
        mtu = _uplink_mtu()
        host_run(
            "ip", "link", "add", self.name, "mtu", mtu, "type", "veth", "peer", "name", "host0", "mtu", mtu, "netns", self.name
        )
        host_run("ip", "address", "add", f"{self.gateway}/24", "dev", self.name)
        host_run("ip", "link", "set", self.name, "up")
        host_run(*ip, "address", "add", f"{self.address}/24", "dev", "host0")
        host_run(*ip, "link", "set", "lo", "up")
        self.plug()
        _make_room_for_watches()
        _open_way_out()

    def plug(self, way_out: bool = True) -> None:
        """Put the network cable in. Without a way out there is this host, as a laptop on the same switch, and no internet."""
        host_run("ip", "-n", self.name, "link", "set", "host0", "up")
        if way_out:
            host_run("ip", "-n", self.name, "route", "replace", "default", "via", self.gateway)

    def unplug(self) -> None:
        """Pull the network cable out."""
        host_run("ip", "-n", self.name, "link", "set", "host0", "down")

    def clear(self) -> None:
        """Take everything of this bed away, whatever state it is in. May be repeated."""
        # Killing nspawn alone would orphan the machine's systemd; killing that one ends everything in the machine.
        for pid in host_run("ip", "netns", "pids", self.name, check=False).split():
            end_process(identity(int(pid)))
        note = self.folder / "nspawn"
        if note.exists():
            end_process(note.read_text())
        for mounted in sorted(_mounts_below(self.folder), reverse=True):
            host_run("umount", "--lazy", mounted, check=False)
        remove_groups(self.name)
        host_run("ip", "link", "delete", self.name, check=False)
        host_run("ip", "netns", "delete", self.name, check=False)
        if not _mounts_below(self.folder):
            shutil.rmtree(self.folder, ignore_errors=True)


def claim_bed(wanted: int = 1) -> Bed:
    """A free bed, number `wanted` or one of the next, owned by this process. Beds of ended processes are cleared on the way."""
    with locked(STATE / "lock"):
        clear_stale_beds()
        bed = next(Bed(number) for number in (*range(wanted, COUNT), *range(1, wanted)) if not Bed(number).folder.exists())
        bed.folder.mkdir(parents=True)
        (bed.folder / "owner").write_text(identity(os.getpid()))
    return bed


def clear_stale_beds() -> None:
    """Clear the beds whose owner has ended. Call it with the lock held."""
    for folder in STATE.glob("bed-[0-9]*"):
        owner = folder / "owner"
        if not owner.exists() or not is_alive(owner.read_text()):
            Bed(int(folder.name.removeprefix("bed-"))).clear()


def end_process(name: str) -> None:
    """Kill the process that `identity` named and wait until it is gone (or only waits for its parent's notice)."""
    deadline = time.monotonic() + END_SECONDS
    while is_alive(name):
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(name.split(maxsplit=1)[0]), signal.SIGKILL)
        if time.monotonic() > deadline:
            raise RuntimeError(f"process {name} does not end")
        time.sleep(0.02)


def _mounts_below(folder: Path) -> list[str]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [point for point in (line.split()[4] for line in lines) if point.startswith(f"{folder}/")]


def _uplink_mtu() -> str:
    """The packet size of this host's way out; a larger one on the cable would make downloads hang."""
    words = host_run("ip", "route", "show", "default").split()
    device = words[words.index("dev") + 1] if "dev" in words else "lo"
    return Path(f"/sys/class/net/{device}/mtu").read_text().strip() if device != "lo" else "1500"


def _make_room_for_watches() -> None:
    """All machines, browsers and this host share root's inotify instances; without one, a systemd misses that a service ended."""
    limit = Path("/proc/sys/fs/inotify/max_user_instances")
    if int(limit.read_text()) < INOTIFY_INSTANCES:
        limit.write_text(str(INOTIFY_INSTANCES))


def _open_way_out() -> None:
    """Forward and translate what the machines send; the same rules serve all beds and say nothing about other networks."""
    with locked(STATE / "network.lock"):
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        rules = (
            ("nat", "POSTROUTING", "-s", NETWORK, "!", "-d", NETWORK, "-j", "MASQUERADE"),
            ("filter", "FORWARD", "-s", NETWORK, "-j", "ACCEPT"),
            ("filter", "FORWARD", "-d", NETWORK, "-j", "ACCEPT"),
        )
        for table, chain, *rule in rules:
            known = subprocess.run(["iptables", "-t", table, "-C", chain, *rule], capture_output=True, check=False)
            if known.returncode != 0:
                host_run("iptables", "-t", table, "-I", chain, *rule)
