"""From one signed file to a node without a network: installed, repaired, carried by a stick into another machine; and what is refused."""

from __future__ import annotations

import re
import subprocess
import tarfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from provision.bundle import read_bundle
from provision.bundle_writing import read_signing_key
from tests.support.bundles import Part, packed, parts, program_bundle, public_pem
from tests.support.machine import PROJECT, Machine, differences, manifest, wait_for
from tests.support.machine_bundle import STICK, bundle_stick, plug_stick, signing_key
from tests.support.machine_restore import REST
from tests.support.machine_room import Room
from tests.support.machine_run import INSTALL, INSTALL_SECONDS, until_well
from tests.support.story import COMPLAINT, file_case, find_case, furnish, meet

OPTIONS = INSTALL.partition(" ")[2]
EVERYTHING = "/etc /opt /srv /usr /var /root /media"
VOLATILE = r"^/var/(log|tmp|lib/systemd|lib/private|cache/private|lib/apt/daily_lock)|^/var/lib/dpkg/lock|^/usr/lib/slrt-test"
# a mirror that takes every call and never answers; whoever asks it is seen by its program
DEAF = "http://127.0.0.1:8099/debian"
DEAF_MIRROR = f"""
systemctl mask --now apt-daily.timer apt-daily-upgrade.timer
systemd-run --quiet --unit=tuli systemd-socket-activate --listen=127.0.0.1:8099 /bin/sleep 5555
until ss -Hltn | grep -q :8099; do :; done
echo "deb {DEAF} $(. /etc/os-release; echo $VERSION_CODENAME) main" > /etc/apt/sources.list.d/kantor.list
"""
SOURCES = "/etc/apt/sources.list /etc/apt/sources.list.d /etc/apt/preferences.d"
# what a bare Debian from a minimal medium does not have either
MORE_BARE = "dpkg --purge ca-certificates openssl && rm -rf /etc/ssl/certs"


def bare_without_network(room: Room, release: str) -> Machine:
    """A bare machine whose cable was never plugged in, with nothing of ours on its disk."""
    machine = room.bare(release, network=False)
    machine.run("rm -rf /root/slrt-node")
    return machine


def barest_without_network(room: Room, release: str) -> Machine:
    """The same as from a minimal medium, with the office's source of packages, which never answers."""
    machine = bare_without_network(room, release)
    machine.run(f"{DEAF_MIRROR}\n{MORE_BARE}\n{remember('before')}")
    return machine


def offline(room: Room) -> Machine:
    """A node that was installed from the stick alone, with what was said in /root/said; the tests of this file share it."""

    def install() -> Machine:
        machine = barest_without_network(room, "trixie")
        plug_stick(machine, bundle_stick().iterdir())
        machine.run(
            f"bash {STICK}/install.sh {OPTIONS} >/root/said 2>&1 || {{ tail -n 40 /root/said; exit 1; }}", seconds=INSTALL_SECONDS
        )
        return machine

    return room.keep("offline", install)


def remember(name: str) -> str:
    return f"find {SOURCES} -type f -exec sha256sum {{}} + | sort >/root/sources-{name}"


def asked_nobody(machine: Machine) -> None:
    """The office's sources stay as they are and none of ours came, and the bundle's key is the one for later bundles."""
    machine.run(f"{remember('now')} && diff /root/sources-before /root/sources-now")
    assert machine.run("pgrep -xa sleep | grep 5555", check=False).out == "", "nobody asked the mirror that never answers"
    assert machine.read("/etc/slrt/release-key.pem").encode() == public_pem(read_signing_key(signing_key()))


@pytest.mark.parametrize("release", ["trixie"])
def test_a_node_is_installed_and_repaired_without_a_network(room: Room, release: str) -> None:
    machine = offline(room)
    said = machine.read("/root/said")
    assert "Semua baik." in said
    assert the_fingerprint() in re.sub(r"\s+", " ", said)
    asked_nobody(machine)
    repaired_without_network(machine, STICK)


@pytest.mark.parametrize("release", ["trixie"])
def test_a_bare_machine_a_stick_and_the_paper_are_the_node_again(room: Room, release: str) -> None:
    lost = offline(room)
    join_the_office(lost)
    carried_into_another(room, lost)


def join_the_office(machine: Machine) -> None:
    """A cable to the office's switch, from which no way leads on."""
    machine.bed.plug(way_out=False)
    machine.run("slrt-provision renew-certificate")
    shown = "openssl s_client -connect localhost:443 </dev/null 2>/dev/null | openssl x509 -noout -ext subjectAltName"
    wait_for("the front has taken the certificate in", lambda: machine.address in machine.run(shown, check=False).out)


def the_fingerprint() -> str:
    (bundle,) = bundle_stick().glob("*.slrt")
    return read_bundle(bundle, None).fingerprint


def repaired_without_network(machine: Machine, stick: str) -> None:
    """From what lies on its own disk; when a package is gone it says what it needs, and takes that."""
    machine.run("systemctl stop tuli")  # what asks it from here on need not wait for its patience to end
    again = machine.run("bash /opt/slrt/current/source/install.sh --unattended", seconds=300)
    assert "Tidak ada yang berubah." in again.out
    machine.run("dpkg --purge --force-depends avahi-daemon && rm /etc/slrt/nginx.conf")
    refused = machine.run("bash /opt/slrt/current/source/install.sh --unattended", check=False, seconds=300)
    assert refused.code != 0
    assert re.search(r"install\.sh --bundle slrt-node-\S+\.slrt", refused.out + refused.err), str(refused)
    machine.run(f"bash {stick}/install.sh --unattended", seconds=300)
    until_well(machine)
    machine.run("systemctl is-active avahi-daemon && test -s /etc/slrt/nginx.conf && ! ls -d /var/lib/slrt-install/bundle")


CARRY = """
import pathlib
from appliance.sticks import program
assert program.carry("Dinas Sosial", pathlib.Path("/media/cadangan"), pathlib.Path("/opt/slrt/current").resolve()) == ""
"""


def carried_into_another(room: Room, lost: Machine) -> None:
    """The whole day after the fire: a bare machine of another Debian, the stick, the paper, no network. On the way it is repaired."""
    node = meet(lost)
    furnish(node, "fo.ani", "spv.citra")
    number = file_case(node)
    lost.run("slrt backup run", seconds=300)
    lost.run(f"{REST} && mkdir -p /media/cadangan && cp -a /srv/backup/slrt /media/cadangan/")
    lost.run("/opt/slrt/current/venv/bin/python -", stdin=CARRY.encode())
    paper = lost.read("/etc/slrt/secrets/backup-passphrase")
    fresh = barest_without_network(room, "bookworm")
    subprocess.run(["cp", "-a", f"{lost.bed.root}/media/cadangan", f"{fresh.bed.root}/media/"], check=True)
    lost.power_off()
    done = fresh.run(f"bash /media/cadangan/program/install.sh {OPTIONS}", seconds=INSTALL_SECONDS)
    assert "Semua baik." in done.out
    asked_nobody(fresh)
    repaired_without_network(fresh, "/media/cadangan/program")
    fresh.put("/root/sandi", paper, "0600")
    fresh.run(
        "slrt backup restore terakhir --in-place --yes --repository /media/cadangan/slrt --passphrase-file /root/sandi",
        seconds=600,
    )
    until_well(fresh)
    join_the_office(fresh)
    there = meet(fresh, node.passwords)
    assert there.ca == node.ca
    assert COMPLAINT in find_case(there.sign_in("spv.citra"), number)


THEIRS = Ed25519PrivateKey.from_private_bytes(b"\7" * 32)


def flipped(known: list[Part], name: str) -> list[Part]:
    return [Part(one.name, one.content[:-1] + bytes([one.content[-1] ^ 1])) if one.name == name else one for one in known]


def broken_bundles(folder: Path, whole: Path) -> dict[str, tuple[Path, str]]:
    """Bundles that must be refused, each with a word of the reason."""
    known, content = parts(whole), whole.read_bytes()
    other = folder / "other"
    other.mkdir()
    made = {
        "cut within a member": (content[: len(content) // 2], "rusak"),
        "cut within the list": (content[:700], "rusak"),
        "empty": (b"", "rusak"),
        "no tar": (b"SLRT" * 5000, "bukan bundel"),
        "a bit of a member": (packed(flipped(known, "source.tar")), "source.tar berubah"),
        "a bit of the list": (packed(flipped(known, "manifest.json")), "rusak"),
        "a bit of the signature": (packed(flipped(known, "manifest.sig")), "tanda tangannya"),
        "a member more": (packed([*known, Part("wheels/x.whl", b"x")]), "daftarnya"),
        "a member gone": (packed([one for one in known if one.name != "install.sh"]), "daftarnya"),
        "a member twice": (packed([*known, Part("source.tar", b"x")]), "dua kali"),
        "a way out": (packed([*known, Part("../../../../root/keluar", b"x")]), "nama berkas"),
        "a link": (packed([*known, Part("wheels/link", b"", tarfile.SYMTYPE)]), "jenis berkas"),
        "the list of another, the key of ours": (packed(mixed(known, parts(program_bundle(other, THEIRS)))), "tanda tangannya"),
        "another key that hides behind ours": (
            packed(hidden(parts(other / "b.slrt"), known)),
            "tidak cocok|kunci lain|tidak terbaca",
        ),
        "another key, all else right": ((other / "b.slrt").read_bytes(), "kunci lain"),
    }
    found = {}
    for number, (name, (data, words)) in enumerate(made.items()):
        path = folder / f"broken-{number}.slrt"
        path.write_bytes(data)
        found[name] = (path, words)
    return found


def mixed(ours: list[Part], theirs: list[Part]) -> list[Part]:
    keys = {one.name: one for one in ours}
    return [keys["key.pem"] if one.name == "key.pem" else one for one in theirs]


def hidden(theirs: list[Part], ours: list[Part]) -> list[Part]:
    """Their bundle with a key file that two careless readers read differently: theirs within the frame, ours behind it."""
    body = {
        whose: next(one.content for one in known if one.name == "key.pem").split(b"\n")[1]
        for whose, known in (("t", theirs), ("o", ours))
    }
    both = b"-----BEGIN PUBLIC KEY-----\n" + body["t"] + b"-----\n-----END PUBLIC KEY-----\n" + body["o"] + b"\n"
    return [Part("key.pem", both) if one.name == "key.pem" else one for one in theirs]


def test_a_broken_bundle_is_refused_and_changes_nothing(room: Room, release: str, tmp_path: Path) -> None:
    machine = bare_without_network(room, release)
    ours = read_signing_key(signing_key())
    whole = program_bundle(tmp_path, ours)
    broken = broken_bundles(tmp_path, whole)
    machine.put("/etc/slrt/release-key.pem", public_pem(ours))
    machine.put("/usr/lib/slrt-test/pasang.sh", (PROJECT / "provision/open_bundle.sh").read_bytes())
    plug_stick(machine, [whole, *(path for path, _ in broken.values())])
    before = manifest(machine, EVERYTHING, VOLATILE)
    for name, (path, words) in broken.items():
        refused = machine.run(f"bash /usr/lib/slrt-test/pasang.sh --bundle {STICK}/{path.name}", check=False)
        assert refused.code == 1, f"{name}: {refused}"
        assert re.search(words, refused.err), f"{name}: {refused}"
        assert "Belum ada yang diubah" in refused.err, f"{name}: {refused}"
        assert "dijalankan" not in refused.out, name
    without_room = "mount -t tmpfs -o size=20m tmpfs /var/lib"
    refused = machine.run(
        f"unshare --mount bash -c '{without_room}; bash /usr/lib/slrt-test/pasang.sh --bundle {STICK}/b.slrt'", check=False
    )
    assert (refused.code, "Ruang kosong" in refused.err) == (78, True), str(refused)
    assert differences(before, manifest(machine, EVERYTHING, VOLATILE)) == []
    killed_and_whole(machine)
    compared_with_paper(machine)


def killed_and_whole(machine: Machine) -> None:
    """The whole one runs what is in it, also after one that was killed while it was unpacking, and leaves nothing unpacked."""
    opening = f"bash /usr/lib/slrt-test/pasang.sh --bundle {STICK}/b.slrt"
    machine.run(f"systemd-run --quiet --unit=terputus -p KillMode=control-group {opening} tunggu")
    wait_for("it runs", lambda: machine.run("ls /root/dijalankan-tunggu", check=False).code == 0)
    second = machine.run(opening, check=False)
    assert (second.code, "sedang berjalan" in second.err) == (75, True), str(second)
    machine.run("systemctl kill --signal=KILL terputus; until ! systemctl is-active -q terputus; do :; done")
    assert machine.run("ls /var/lib/slrt-install/bundle").out
    assert "dijalankan: --unattended" in machine.run(f"{opening} --unattended").out
    assert machine.run("ls /var/lib/slrt-install/bundle", check=False).code != 0


def compared_with_paper(machine: Machine) -> None:
    """A machine that knows no key yet asks whoever sits there; only the one word counts."""
    machine.run("rm /etc/slrt/release-key.pem /root/dijalankan-*")
    for typed, code in (("tidak", 1), ("", 1), ("sama", 0)):
        opening = f"bash /usr/lib/slrt-test/pasang.sh --bundle {STICK}/b.slrt"
        asked = machine.run(f"echo '{typed}' | script -qec '{opening}' /dev/null", check=False)
        assert asked.code == code, str(asked)
        assert len(re.findall(r"\b[0-9a-f]{4}\b", asked.out)) >= 16, str(asked)
        assert ("dijalankan" in asked.out) is (code == 0), str(asked)
    assert machine.run("ls /etc/slrt/release-key.pem", check=False).code != 0, "pinned by the installation, when it begins"


@pytest.mark.parametrize("release", ["bookworm"])
def test_without_a_bundle_beside_it_it_says_what_is_missing(room: Room, release: str, tmp_path: Path) -> None:
    machine = bare_without_network(room, release)
    machine.put(f"{STICK}/install.sh", (PROJECT / "provision/open_bundle.sh").read_bytes())
    for files, words in (([], "Tidak ada bundel"), (["a.slrt", "b.slrt"], "a.slrt b.slrt")):
        for name in files:
            (tmp_path / name).write_bytes(b"")
        plug_stick(machine, [tmp_path / name for name in files])
        refused = machine.run(f"bash {STICK}/install.sh --unattended", check=False)
        assert refused.code == 2, str(refused)
        assert words in refused.err
        assert "--bundle" in refused.err
