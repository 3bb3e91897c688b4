"""The Python libraries for a bundle: exactly those of the lock files, as wheels that each Debian's Python can take.

A library that was never published as a wheel is built here with the locked setuptools, and so is the program: a node only installs.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from packaging.markers import Marker
from packaging.utils import parse_sdist_filename, parse_wheel_filename

from appliance.errors import ApplianceError, TryLater

PYTHONS = {12: "3.11", 13: "3.13"}
GLIBC = 36  # of Debian 12; wheels for older ones run there too
LOCKS = ("provision/build.lock", "requirements.lock")
BUILDS = "setuptools"  # where there are only wheels nothing is built


def fetch_wheels(debian: int, source: Path, folder: Path) -> None:
    """Put the wheels that the lock files in `source` name for the Python of Debian `debian` into `folder`, each compared with its hash.

    Raises ApplianceError when a library is not to be had so or has another hash, TryLater without a network.
    """
    python = PYTHONS[debian]
    listed = (line for lock in LOCKS for line in chosen(_text(source / lock), python))
    lines = [line for line in listed if not line.startswith(f"{BUILDS}==")]
    wanted = folder / "wanted.txt"
    wanted.write_text("".join(f"{line}\n" for line in lines))
    options = ["--quiet", "--require-hashes", "--no-deps", "--no-build-isolation", "--dest", str(folder), "-r", str(wanted)]
    done = _pip("download", *_target(python), *options)
    wanted.unlink()
    if done.returncode != 0:
        last = "\n".join(done.stderr.strip().splitlines()[-8:])
        kind = TryLater if "Connection" in done.stderr or "resolve" in done.stderr else ApplianceError
        raise kind(
            f"Pustaka Python untuk Debian {debian} tidak terambil:\n{last}", "Periksa jaringan dan berkas lock, lalu ulangi."
        )


def build_wheel(source: Path, folder: Path, built: str) -> None:
    """Make a wheel of `source`, a folder or the file of a published source, in `folder`; `built` is the day that its files shall bear.

    The same sources give the same bytes. Raises ApplianceError.
    """
    day = datetime.fromisoformat(built).replace(tzinfo=UTC)
    options = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--use-pep517", "--no-cache-dir"]
    done = _pip("wheel", *options, "--wheel-dir", str(folder), str(source), built=str(int(day.timestamp())))
    if done.returncode != 0:
        last = "\n".join(done.stderr.strip().splitlines()[-8:])
        raise ApplianceError(f"{source.name} tidak dapat dibangun:\n{last}", "Perbaiki yang disebut di atas, lalu ulangi.")


def _pip(*words: str, built: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *words]
    known = {**os.environ, **({"SOURCE_DATE_EPOCH": built} if built else {})}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=known)


def chosen(lock: str, python: str) -> list[str]:
    """The requirements of a lock file, each on one line with its hashes, that hold for `python` ("3.11") on a node.

    pip judges markers by the Python it runs in, not by the one it downloads for.
    """
    here = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux", "platform_system": "Linux"}
    here |= {"platform_machine": "x86_64", "os_name": "posix", "implementation_name": "cpython"}
    here |= {"platform_python_implementation": "CPython", "extra": ""}
    lines = []
    for entry in re.sub(r"\\\n\s*", "", lock).splitlines():
        requirement, *hashes = re.split(r"\s+(?=--hash=)", entry.strip())
        name, _, marker = requirement.partition(";")
        if name and not name.startswith("#") and (not marker.strip() or Marker(marker.strip()).evaluate(dict(here))):
            lines.append(" ".join([name.strip(), *hashes]))
    return lines


def name_and_version(file: str) -> tuple[str, str]:
    """The library's name and version from the name of its file, a wheel or a source."""
    if not file.endswith(".whl"):
        name, version = parse_sdist_filename(file)
        return name, str(version)
    name, version, _, _ = parse_wheel_filename(file)
    return name, str(version)


def _target(python: str) -> list[str]:
    tag = "cp" + python.replace(".", "")
    platforms = [f"manylinux_2_{minor}_x86_64" for minor in range(GLIBC, 4, -1)]
    platforms += ["manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64"]
    options = [
        "--python-version",
        python,
        "--implementation",
        "cp",
        *(part for abi in (tag, "abi3", "none") for part in ("--abi", abi)),
    ]
    return options + [part for platform in platforms for part in ("--platform", platform)]


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
