"""A bundle is taken as a whole or refused with a reason: each row is one thing that happens to files on sticks, or that somebody does."""

from __future__ import annotations

import base64
import io
import re
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.errors import ApplianceError
from provision.bundle import Manifest, fingerprint, read_bundle
from provision.bundle_writing import members, write_bundle
from tests.support.bundles import Part, packed, parts, public_pem, small_bundle

OURS, THEIRS = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2))


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A small whole bundle, signed by OURS."""
    return small_bundle(tmp_path, OURS)


def test_a_whole_bundle_tells_what_it_is(bundle: Path) -> None:
    read = read_bundle(bundle, public_pem(OURS))
    assert (read.version, read.release, read.upgrades_from) == ("0.2.0", "0.2.0+abcdef01", ("0.1.0",))
    assert [len(group) for group in read.fingerprint.split()] == [4] * 16
    assert read_bundle(bundle, None).fingerprint == read.fingerprint == fingerprint(public_pem(OURS))


def test_the_same_files_and_key_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        small_bundle(folder, OURS)
    assert (first / "b.slrt").read_bytes() == (second / "b.slrt").read_bytes()


Change = Callable[[list[Part]], list[Part]]


def flipped(name: str) -> Change:
    def change(known: list[Part]) -> list[Part]:
        return [Part(one.name, one.content[:-1] + bytes([one.content[-1] ^ 1])) if one.name == name else one for one in known]

    return change


def without(name: str) -> Change:
    return lambda known: [one for one in known if one.name != name]


def with_another(part: Part) -> Change:
    return lambda known: [*known, part]


def swapped(known: list[Part]) -> list[Part]:
    """Two members with each other's content."""
    content = {one.name: one.content for one in known}
    content["source.tar"], content["install.sh"] = content["install.sh"], content["source.tar"]
    return [Part(one.name, content[one.name]) for one in known]


def signed_by_another(known: list[Part]) -> list[Part]:
    """Rightly signed, by a key that is not in the bundle."""
    text = next(one.content for one in known if one.name == "manifest.json")
    return [Part(one.name, base64.b64encode(THEIRS.sign(text))) if one.name == "manifest.sig" else one for one in known]


def without_the_signature_of(known: list[Part]) -> list[Part]:
    return [Part(one.name, b"\n") if one.name == "manifest.sig" else one for one in known]


def with_a_key_behind_the_key(known: list[Part]) -> list[Part]:
    """Signed by another, whose key stands in the frame; ours, which a careless reader would see, stands behind it."""
    text = next(one.content for one in known if one.name == "manifest.json")
    theirs, ours = (public_pem(key).split(b"\n")[1] for key in (THEIRS, OURS))
    both = b"-----BEGIN PUBLIC KEY-----\n" + theirs + b"-----\n-----END PUBLIC KEY-----\n" + ours + b"\n"
    changed = {"manifest.sig": base64.b64encode(THEIRS.sign(text)), "key.pem": both}
    return [Part(one.name, changed.get(one.name, one.content)) for one in known]


BROKEN: dict[str, tuple[Change, str]] = {
    "a bit of a member": (flipped("source.tar"), "source.tar berubah"),
    "a bit of the manifest": (flipped("manifest.json"), "tanda tangannya"),
    "a member is gone": (without("debs/12/a_1_all.deb"), "a_1_all.deb hilang"),
    "a member more": (with_another(Part("wheels/evil-1-py3-none-any.whl", b"x")), "tidak ada dalam daftarnya"),
    "a member twice": (with_another(Part("install.sh", b"echo lain\n")), "dua kali"),
    "two members swapped": (swapped, "berubah"),
    "a way out of the folder": (with_another(Part("../etc/passwd", b"x")), "nama atau jenis"),
    "a way out within": (with_another(Part("debs/../../etc/passwd", b"x")), "nama atau jenis"),
    "a hidden file": (with_another(Part("wheels/.pip.conf", b"x")), "nama atau jenis"),
    "an absolute path": (with_another(Part("/etc/passwd", b"x")), "nama atau jenis"),
    "a link": (with_another(Part("wheels/link", b"", tarfile.SYMTYPE)), "nama atau jenis"),
    "a device": (with_another(Part("wheels/null", b"", tarfile.CHRTYPE)), "nama atau jenis"),
    "another signature": (signed_by_another, "tanda tangannya"),
    "an empty signature": (without_the_signature_of, "tanda tangannya"),
    "a key behind the key": (with_a_key_behind_the_key, "Kunci rilis|kunci lain"),
    "no signature": (without("manifest.sig"), "manifest.sig tidak ada"),
    "no manifest": (without("manifest.json"), "manifest.json tidak ada"),
    "nothing": (lambda _known: [], "terpotong"),
}


@pytest.mark.parametrize(("change", "said"), BROKEN.values(), ids=BROKEN.keys())
def test_a_bundle_that_is_not_as_it_was_signed_is_refused(bundle: Path, change: Change, said: str) -> None:
    bundle.write_bytes(packed(change(parts(bundle))))
    with pytest.raises(ApplianceError) as refused:
        read_bundle(bundle, public_pem(OURS))
    assert re.search(said, refused.value.message)
    assert refused.value.hint


def test_a_bundle_cut_anywhere_is_refused(bundle: Path) -> None:
    whole = bundle.read_bytes()
    end = whole.rstrip(b"\0")  # behind it stand only the zeros that fill a tape's block
    for length in range(0, len(end), 100):
        bundle.write_bytes(whole[:length])
        with pytest.raises(ApplianceError):
            read_bundle(bundle, public_pem(OURS))


def test_another_key_is_named_and_refused_even_though_the_bundle_is_whole(bundle: Path) -> None:
    with pytest.raises(ApplianceError) as refused:
        read_bundle(bundle, public_pem(THEIRS))
    assert fingerprint(public_pem(OURS)) in refused.value.message
    assert fingerprint(public_pem(THEIRS)) in refused.value.message
    assert "kertas" in refused.value.hint


def test_a_format_of_later_years_is_told_apart_from_damage(tmp_path: Path) -> None:
    files = {"install.sh": tmp_path / "install.sh"}
    files["install.sh"].write_bytes(b"")
    manifest = Manifest("9.0.0", "9.0.0+abcdef01", "2030-01-01", (), members(files))

    class Later(Manifest):
        def render(self) -> bytes:
            return super().render().replace(b'"format": 1', b'"format": 2')

    later = Later(**manifest.__dict__)
    write_bundle(tmp_path / "b.slrt", later, files, OURS)
    with pytest.raises(ApplianceError, match="format 2"):
        read_bundle(tmp_path / "b.slrt", None)


def test_what_is_no_file_says_so(tmp_path: Path) -> None:
    for path in (tmp_path / "none.slrt", tmp_path):
        with pytest.raises(ApplianceError, match="tidak dapat dibaca"):
            read_bundle(path, None)
    text = tmp_path / "text.slrt"
    text.write_bytes(io.BytesIO(b"not a bundle" * 1000).getvalue())
    with pytest.raises(ApplianceError, match="bukan bundel"):
        read_bundle(text, None)
