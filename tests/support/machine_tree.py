"""Bare Debian trees made by mmdebstrap, kept outside the repository and used as the lowest layer of every test machine.

A tree holds nothing of ours: a small Debian, and what the test bed of this host needs to reach its package mirrors (certificates,
apt and pip settings). The key of a tree is everything that went into it, so a change of the recipe makes a new one.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

RELEASES = ("bookworm", "trixie")
# minbase and what every netinst of Debian has besides; openssh-server stays off until a test starts it
PACKAGES = ("systemd", "systemd-sysv", "dbus", "iproute2", "ca-certificates", "openssh-server", "procps", "tzdata")
OPTIONS = ("--variant=minbase", '--aptopt=Apt::Install-Recommends "false"', "--dpkgopt=force-unsafe-io")
MAX_AGE = timedelta(days=5)  # older trees would spend the tests' time on security updates
RECIPE = 5  # raise when prepare() changes


def cache_folder() -> Path:
    """Where trees and downloads are kept between runs; safe to delete at any time."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "slrt-tests"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on `path`; a killed holder lets go by itself."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def bare_tree(release: str) -> Path:
    """The cached tree of `release`, made first if there is none, an old one or one of another recipe."""
    need_programs("mmdebstrap", "systemd-nspawn", "nsenter", "ip", "iptables", "mount")
    with locked(cache_folder() / f"tree-{release}.lock"):
        made = sorted(cache_folder().glob(f"tree-{release}-{_key(release)}-*"))
        if made and _age(made[-1]) < MAX_AGE:
            return made[-1]
        return _make(release)


def need_programs(*names: str) -> None:
    """Fail with what to install, never skip: a machine test that does not run proves nothing."""
    if os.geteuid() != 0:
        raise RuntimeError("machine tests boot a Debian and need root")
    missing = [name for name in names if shutil.which(name) is None]
    if missing:
        raise RuntimeError(f"missing {', '.join(missing)}: apt-get install $(cat tests/packages.txt)")


def seed_layer(release: str) -> Path:
    """Packages and wheels that earlier installations downloaded, as one more layer below a machine: speed, not content."""
    seed = cache_folder() / f"seed-{release}"
    for folder in ("var/cache/apt/archives/partial", "var/cache/slrt-tests-pip"):
        (seed / folder).mkdir(parents=True, exist_ok=True)
    return seed


def keep_downloads(release: str, upper: Path) -> None:
    """Add what a machine downloaded (found in its own layer) to the seed. Files appear whole: copy, then rename."""
    seed = seed_layer(release)
    for folder in ("var/cache/apt/archives", "var/cache/slrt-tests-pip"):
        source = upper / folder
        for found in source.rglob("*") if source.is_dir() else ():
            target = seed / folder / found.relative_to(source)
            if (
                found.is_file()
                and found.stat().st_size
                and "partial" not in found.parts
                and found.name != "lock"
                and not target.exists()
            ):
                target.parent.mkdir(parents=True, exist_ok=True)
                part = target.with_name(f".{target.name}.{os.getpid()}")
                shutil.copyfile(found, part)
                part.rename(target)


def _key(release: str) -> str:
    text = "\n".join((release, *PACKAGES, *OPTIONS, str(RECIPE), *(f"{path}:{_digest(path)}" for path in _host_files())))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _age(tree: Path) -> timedelta:
    return timedelta(seconds=time.time() - tree.stat().st_mtime)


def _make(release: str) -> Path:
    for old in cache_folder().glob(f"tree-{release}-*"):
        if _age(old) > 2 * MAX_AGE:  # until then a running machine may stand on it
            shutil.rmtree(old, ignore_errors=True)
    part = cache_folder() / f"part-{release}"
    shutil.rmtree(part, ignore_errors=True)
    include = f"--include={','.join(PACKAGES)}"
    made = subprocess.run(["mmdebstrap", *OPTIONS, include, release, str(part)], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise RuntimeError(f"mmdebstrap {release} failed:\n{made.stderr[-3000:]}")
    _prepare(part)
    os.utime(part)
    return part.rename(cache_folder() / f"tree-{release}-{_key(release)}-{datetime.now(UTC):%Y%m%d%H%M%S}")


def _host_files() -> list[Path]:
    """What this host needs to reach its mirrors, and so do the machines behind it."""
    apt = [path for path in sorted(Path("/etc/apt/apt.conf.d").glob("*")) if path.is_file() and "Acquire::" in path.read_text()]
    # Dir::Cache and Post-Invoke lines of container images would throw the downloads away
    apt = [path for path in apt if "Dir::" not in path.read_text() and "Invoke" not in path.read_text()]
    certificates = sorted(Path("/usr/local/share/ca-certificates").rglob("*.crt"))
    return [path for path in (*apt, *certificates, Path("/etc/pip.conf"), Path("/etc/resolv.conf")) if path.is_file()]


def _prepare(tree: Path) -> None:
    for path in _host_files():
        target = tree / path.relative_to("/")
        target.unlink(missing_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        target.chmod(0o644)
    _run_in(tree, "update-ca-certificates")
    (tree / "etc/apt/apt.conf.d/99slrt-tests").write_text('Binary::apt::APT::Keep-Downloaded-Packages "true";\n')
    pip = tree / "etc/pip.conf"
    lines = pip.read_text() if pip.exists() else "[global]\n"
    pip.write_text(lines.replace("[global]", "[global]\ncache-dir = /var/cache/slrt-tests-pip\ntimeout = 120", 1))
    (tree / "var/cache/slrt-tests-pip").mkdir(mode=0o777, exist_ok=True)
    (tree / "etc/hostname").write_text("debian\n")
    (tree / "etc/hosts").write_text("127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n")
    (tree / "etc/machine-id").write_text("")  # each machine makes its own at its first boot
    # The bed gives the machine its address; nothing inside may wait for a network card or a boot console.
    off = ("ssh.service", "systemd-networkd-wait-online.service", "console-getty.service", "getty@tty1.service")
    for unit in off:
        _run_in(tree, "systemctl", "disable", unit)


def _run_in(tree: Path, *command: str) -> None:
    done = subprocess.run(["chroot", str(tree), *command], capture_output=True, text=True, check=False)
    if done.returncode != 0 and command[0] != "systemctl":
        raise RuntimeError(f"{' '.join(command)} failed in {tree}:\n{done.stderr}")
