"""The bundle of the program under test, made once by `install.sh bundle` and kept between runs, and sticks with it for machines."""

from __future__ import annotations

import functools
import shutil
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

from tests.support.machine import PROJECT, Machine
from tests.support.machine_bed import host_run
from tests.support.machine_tree import MAX_AGE, cache_folder, locked

STICK = "/media/stik"
KEY = "signing.key"  # beside the bundles; the tests' own


@functools.cache
def bundle_stick() -> Path:
    """A folder as an officer's stick is: the bundle of this program and its install.sh, nothing else. One for the whole run."""
    release = host_run("bash", str(PROJECT / "install.sh"), "release").strip()
    with locked(cache_folder() / "bundle.lock"):
        folder = cache_folder() / f"bundle-{release}"
        if not folder.is_dir() or time.time() - folder.stat().st_mtime > MAX_AGE.total_seconds():
            _make(folder)
        return folder


def signing_key() -> Path:
    """The key that signs the tests' bundles."""
    path = cache_folder() / KEY
    if not path.exists():
        host_run("bash", str(PROJECT / "install.sh"), "bundle", "--new-key", str(path))
    return path


def plug_stick(machine: Machine, files: Iterable[Path], place: str = STICK) -> None:
    """Lay copies of `files` where the machine has its stick mounted."""
    there = machine.bed.root / place.lstrip("/")
    there.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copyfile(file, there / file.name)


def _make(folder: Path) -> None:
    for old in cache_folder().glob("bundle-*"):
        if old.is_dir() and time.time() - old.stat().st_mtime > MAX_AGE.total_seconds():
            shutil.rmtree(old, ignore_errors=True)
    part = cache_folder() / ".bundle.part"
    shutil.rmtree(part, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
    command = ["bash", str(PROJECT / "install.sh"), "bundle", "--key", str(signing_key()), "--out", str(part)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise RuntimeError(f"install.sh bundle failed:\n{made.stdout}{made.stderr}")
    part.rename(folder)
