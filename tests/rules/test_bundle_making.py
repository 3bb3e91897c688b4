"""What goes into a bundle: what the steps ask for, from the builder's own mirrors, as both Pythons need it, named for the world."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from appliance.config import PowerSettings, Settings
from appliance.errors import ApplianceError
from provision import sbom
from provision.apt import Packages
from provision.bundle_debs import _debs, mirror_of
from provision.bundle_wheels import build_wheel, chosen, name_and_version
from provision.bundling import bundle
from provision.packages import needed
from provision.plan import steps
from provision.step import Site
from provision.steps.ups import DRIVER_PACKAGES

ROOT = Path(__file__).resolve().parents[2]
POWERS = [
    *(PowerSettings(ups=kind) for kind in ("none", "simulated", "usb")),
    *(PowerSettings(ups="driver", driver=driver) for driver in ("nutdrv_qx", "usbhid-ups", *DRIVER_PACKAGES)),
]


@pytest.mark.parametrize("debian", [12, 13])
def test_a_bundle_holds_whatever_a_step_may_ask_for(debian: int) -> None:
    held = set(needed(debian).names)
    for power in POWERS:
        site = Site(replace(Settings(), power=power), "admin.it", debian)
        changes = itertools.chain.from_iterable(step.changes for step in steps(site))
        asked = {name for change in changes if isinstance(change, Packages) for name in change.names}
        assert asked
        assert asked <= held, power
    assert [change.codename for change in needed(debian).backports] == (["bookworm"] if debian == 12 else [])


def test_the_shell_asks_for_nothing_that_the_steps_do_not() -> None:
    text = (ROOT / "install.sh").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("readonly RUNTIME_PACKAGES="))
    names = line.partition("(")[2].rstrip(")").split()
    assert names
    assert set(names) <= set(needed(12).names) & set(needed(13).names)


LOCK = """\
# a comment
alpha==1.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
beta==1.3.1 ; python_full_version < '3.12' \\
    --hash=sha256:cc
beta==3.0.1 ; python_full_version >= '3.12' \\
    --hash=sha256:dd
gamma==1.0 ; sys_platform == 'win32' \\
    --hash=sha256:ee
"""


@pytest.mark.parametrize(
    ("python", "lines"),
    [
        ("3.11", ["alpha==1.0 --hash=sha256:aa --hash=sha256:bb", "beta==1.3.1 --hash=sha256:cc"]),
        ("3.13", ["alpha==1.0 --hash=sha256:aa --hash=sha256:bb", "beta==3.0.1 --hash=sha256:dd"]),
    ],
)
def test_each_python_gets_its_own_libraries(python: str, lines: list[str]) -> None:
    assert chosen(LOCK, python) == lines


def test_every_library_of_our_lock_is_for_one_python_or_both_but_that_of_another_interpreter() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    both = {name.split("==")[0] for python in ("3.11", "3.13") for name in chosen(lock, python)}
    locked = {line.split("==")[0] for line in lock.splitlines() if "==" in line and not line.startswith((" ", "#"))}
    assert locked - both == {"brotlicffi"}
    assert all("--hash=sha256:" in line for line in chosen(lock, "3.13"))


def test_the_same_source_is_built_into_the_same_wheel(tmp_path: Path) -> None:
    """Whoever unpacked it, and when."""
    made = []
    for number in (1, 2):
        source, folder = tmp_path / f"source-{number}", tmp_path / f"wheels-{number}"
        (source / "beta").mkdir(parents=True)
        (source / "beta" / "__init__.py").write_text("VALUE = 7303\n")
        (source / "pyproject.toml").write_text('[project]\nname = "beta"\nversion = "1.0"\n')
        os.utime(source / "beta" / "__init__.py", (number * 10**9, number * 10**9))
        folder.mkdir()
        build_wheel(source, folder, "2026-11-01")
        made.append((folder / "beta-1.0-py3-none-any.whl").read_bytes())
    assert made[0] == made[1]


def test_a_source_that_cannot_be_built_is_no_bundle(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[build-system]\nrequires = []\nbuild-backend = "nothing"\n')
    with pytest.raises(ApplianceError, match="tidak dapat dibangun"):
        build_wheel(tmp_path, tmp_path, "2026-11-01")


@pytest.mark.parametrize(
    ("file", "named"),
    [
        ("Flask_SQLAlchemy-3.1.1-py3-none-any.whl", ("flask-sqlalchemy", "3.1.1")),
        ("cryptography-46.0.1-cp311-abi3-manylinux_2_28_x86_64.whl", ("cryptography", "46.0.1")),
        ("pynut2-2.1.2.tar.gz", ("pynut2", "2.1.2")),
    ],
)
def test_a_library_is_named_by_its_file(file: str, named: tuple[str, str]) -> None:
    assert name_and_version(file) == named


TARGETS = """\
cloud-sdk-bookworm main https://packages.example/apt/
bookworm contrib http://contrib.example/debian/
bookworm main http://mirror.example/debian/
bookworm-updates main http://mirror.example/debian/
bookworm-security main http://security.example/debian-security/
nodistro main https://node.example/
"""


@pytest.mark.parametrize(
    ("listed", "codename", "kind", "address"),
    [
        (TARGETS, "bookworm", "", "http://mirror.example/debian/"),
        (TARGETS, "bookworm", "-updates", "http://mirror.example/debian/"),
        (TARGETS, "bookworm", "-security", "http://security.example/debian-security/"),
        (TARGETS, "trixie", "", ""),
        (
            "stable main http://one.example/\nstable-security main http://two.example/\n",
            "trixie",
            "-security",
            "http://two.example/",
        ),
        ("", "trixie", "", ""),
    ],
)
def test_the_builders_own_mirror_serves_both_releases(listed: str, codename: str, kind: str, address: str) -> None:
    assert mirror_of(listed, codename, kind) == address


SHOWN = """\
Package: libzwei
Version: 2:1.0+dfsg-3~deb12u1
Architecture: amd64
Depends: libc6 (>= 2.36)
Filename: pool/main/libz/libzwei_1.0+dfsg-3~deb12u1_amd64.deb
Size: 1234
SHA256: ab12

Package: aeins
Version: 1-1
Architecture: all
Filename: pool/updates/main/a/aeins_1-1_all.deb
Size: 5
SHA256: cd34

Package: aeins
Version: 1-1
Architecture: all
Filename: pool/main/a/aeins_1-1_all.deb
Size: 5
SHA256: cd34
"""


def test_a_package_lies_in_the_flat_repository_once_and_without_its_epoch() -> None:
    first, second = _debs(SHOWN)
    assert (first.file, second.file) == ("aeins_1-1_all.deb", "libzwei_1.0+dfsg-3~deb12u1_amd64.deb")
    assert "\nFilename: ./libzwei_1.0+dfsg-3~deb12u1_amd64.deb\n" in second.paragraph
    assert "\nDepends: libc6 (>= 2.36)\n" in second.paragraph
    assert (second.sha256, second.size) == ("ab12", 1234)


def test_the_list_of_parts_is_one_that_other_tools_read() -> None:
    components = [
        sbom.wheel_component("flask", "3.1.0", "flask-3.1.0-py3-none-any.whl", "ee"),
        sbom.deb_component("libzwei", "2:1.0+dfsg-3", "amd64", 12, "ab"),
    ]
    made = sbom.render("1.0.0", "1.0.0+abcdef01", "2026-11-01", components)
    assert made == sbom.render("1.0.0", "1.0.0+abcdef01", "2026-11-01", reversed(components))
    document = json.loads(made)
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.5")
    listed = {one["bom-ref"]: one for one in document["components"]}
    deb = listed["pkg:deb/debian/libzwei@2%3A1.0%2Bdfsg-3?arch=amd64&distro=debian-12"]
    assert deb["hashes"] == [{"alg": "SHA-256", "content": "ab"}]
    assert set(document["dependencies"][0]["dependsOn"]) == listed.keys()
    assert document["metadata"]["component"]["version"] == "1.0.0"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--key"),
        (["--key", "k", "--debian", "11"], "12,13"),
        (["--key", "k", "--debian", ""], "12,13"),
        (["--lain"], "--lain"),
    ],
)
def test_no_bundle_without_a_key_or_for_an_unknown_debian(arguments: list[str], words: str) -> None:
    said = CliRunner().invoke(bundle, arguments)
    assert said.exit_code == 2
    assert words in said.output


def test_a_key_is_made_for_one_person_and_never_over_another(tmp_path: Path) -> None:
    key = tmp_path / "kunci"
    command = ["bash", str(ROOT / "install.sh"), "bundle", "--new-key", str(key)]
    made = subprocess.run(command, capture_output=True, text=True, check=True)
    assert key.stat().st_mode & 0o777 == 0o600
    assert len(made.stdout.split()[-16:]) == 16
    before = key.read_bytes()
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (again.returncode, key.read_bytes()) == (2, before)


def test_the_same_sources_are_packed_into_the_same_bytes(tmp_path: Path) -> None:
    """Whoever unpacked them, and when."""
    wanted = subprocess.run(["bash", str(ROOT / "install.sh"), "pack"], capture_output=True, check=True).stdout
    subprocess.run(["tar", "-C", str(tmp_path), "-xf", "-"], input=wanted, check=True)
    for number, path in enumerate(sorted(tmp_path.rglob("*"))):
        path.chmod(path.stat().st_mode & 0o700)
        os.utime(path, (number, number))
    (tmp_path / "appliance" / "__pycache__").mkdir(exist_ok=True)
    shutil.copy(ROOT / "README.md", tmp_path / "appliance" / "__pycache__" / "x.pyc")
    packed = subprocess.run(["bash", str(tmp_path / "install.sh"), "pack"], capture_output=True, check=True).stdout
    assert packed == wanted
