"""Files of ours that somebody edits by hand, and what a plan shows of a file that will change."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from appliance.config import NodeSettings, PowerSettings, Settings, parse
from provision import run
from provision.change import Change, File, Link
from provision.edits import ASIDE, NOTES, Written, diff
from provision.plan import steps
from provision.step import Site, Step
from tests.support.pretend_host import PretendHost

SITE = Site(
    Settings(node=NodeSettings(district="51.71"), power=PowerSettings(ups="simulated")),
    "admin.it",
    debian=12,
    source=Path(__file__).resolve().parents[2],
)
OWN, UNIT, NUT, SETTINGS = "/etc/x.conf", "/etc/systemd/system/slrt-web.service", "/etc/nut/ups.conf", "/etc/slrt/appliance.toml"


def step(*changes: Change) -> tuple[Step, ...]:
    return (Step("berkas", "Berkas", changes),)


def node() -> PretendHost:
    host = PretendHost()
    host.run(["ln", "-sfn", "/opt/slrt/releases/0.1.0+abc", "/opt/slrt/current"])
    run.apply(steps(SITE), host, lambda _line: None)
    return host


def edit(host: PretendHost, path: str, content: bytes) -> None:
    host.files[path] = (host.files[path][0], content)


def aside(host: PretendHost) -> dict[str, bytes]:
    """What was kept, without the time in its name."""
    kept = {path: content for path, (entry, content) in host.files.items() if path.startswith(ASIDE) and entry.kind == "file"}
    return {path.removeprefix(ASIDE).rpartition(".")[0]: content for path, content in kept.items()}


@pytest.mark.parametrize("path", [UNIT, NUT, "/etc/slrt/nginx.conf", "/etc/hostname"])
def test_an_edited_file_is_told_kept_aside_and_written_again(path: str) -> None:
    host = node()
    ours, edited = host.read(path), b"# the operator's own\n"
    edit(host, path, edited)
    shown: list[str] = []
    run.plan(steps(SITE), host, shown.append)
    assert [line for line in shown if "disunting" in line] == [
        f"        disunting sesudah kami menulisnya; isinya akan disimpan di {ASIDE}"
    ]
    assert aside(host) == {}, "a plan keeps nothing"
    said: list[str] = []
    run.apply(steps(SITE), host, said.append)
    assert [line for line in said if f"disunting sesudah kami menulisnya; isinya disimpan di {ASIDE}{path}." in line]
    assert (host.read(path), aside(host)) == (ours, {path: edited})
    kept = next(host.files[name][0] for name in host.files if name.startswith(f"{ASIDE}{path}."))
    assert (kept.mode, kept.owner) == (0o600, "root")


def test_what_a_newer_release_writes_is_no_edit() -> None:
    host = PretendHost()
    run.apply(step(File(OWN, b"one\n")), host, lambda _line: None)
    run.apply(step(File(OWN, b"two\n")), host, lambda _line: None)
    assert aside(host) == {}
    edit(host, OWN, b"three\n")
    run.apply(step(File(OWN, b"two\n")), host, lambda _line: None)
    assert aside(host) == {OWN: b"three\n"}


def test_what_a_run_wrote_that_was_killed_right_after_is_no_edit() -> None:
    host = PretendHost()
    run.apply(step(File(OWN, b"one\n")), host, lambda _line: None)
    edit(host, OWN, b"two\n")  # by that run, which noted nothing any more
    run.apply(step(File(OWN, b"two\n")), host, lambda _line: None)
    run.apply(step(File(OWN, b"three\n")), host, lambda _line: None)
    assert aside(host) == {}


def test_a_file_that_was_there_before_us_is_no_edit() -> None:
    host = PretendHost()
    host.write(OWN, b"of Debian\n", 0o644, "root", "root")
    run.apply(step(File(OWN, b"ours\n")), host, lambda _line: None)
    assert aside(host) == {}


def test_a_file_edited_into_what_it_shall_be_is_right() -> None:
    host = PretendHost()
    run.apply(step(File(OWN, b"one\n")), host, lambda _line: None)
    edit(host, OWN, b"two\n")
    run.apply(step(File(OWN, b"two\n", 0o600)), host, lambda _line: None)
    assert aside(host) == {}


def test_the_operators_remarks_in_the_settings_stay_until_a_setting_changes() -> None:
    host = node()
    own = b"# our own remark\n" + (host.read(SETTINGS) or b"")
    edit(host, SETTINGS, own)
    site = dataclasses.replace(SITE, settings=parse(own.decode()))
    run.apply(steps(site), host, lambda _line: None)
    assert (host.read(SETTINGS), aside(host)) == (own, {})
    other = dataclasses.replace(site.settings, node=dataclasses.replace(site.settings.node, hostname="kantor"))
    run.apply(steps(dataclasses.replace(site, settings=other)), host, lambda _line: None)
    assert aside(host)[SETTINGS] == own


def test_notes_that_a_power_cut_took_are_written_again() -> None:
    host = node()
    notes = host.read(NOTES)
    del host.files[NOTES]
    run.apply(steps(SITE), host, lambda _line: None)
    assert host.read(NOTES) == notes
    edit(host, NOTES, b"{torn")
    run.apply(steps(SITE), host, lambda _line: None)
    assert host.read(NOTES) == notes


def test_nothing_is_known_of_a_file_before_it_is_written() -> None:
    assert not Written(PretendHost()).is_edited(File(OWN, b"x"))


def test_a_plan_shows_a_file_line_by_line() -> None:
    host = PretendHost()
    host.write(OWN, b"a\nb\nc\n", 0o644, "root", "root")
    shown = diff(File(OWN, b"a\nB\nc\n"), host)
    assert shown.splitlines() == [
        f"--- {OWN} (sekarang)",
        f"+++ {OWN} (menjadi)",
        "@@ -1,3 +1,3 @@",
        " a",
        "-b",
        "+B",
        " c",
    ]
    lines: list[str] = []
    run.plan(step(File(OWN, b"a\nB\nc\n")), host, lines.append)
    assert "        -b" in lines


@pytest.mark.parametrize(("there", "wanted"), [(0o600, 0o600), (0o644, 0o600), (0o600, 0o644), (0o640, 0o640)])
def test_what_others_may_not_read_is_not_shown(there: int, wanted: int) -> None:
    host = PretendHost()
    host.write(OWN, b"password = 12345\n", there, "root", "root")
    shown = diff(File(OWN, b"password = 67890\n", wanted), host)
    assert "rahasia" in shown
    assert "12345" not in shown
    assert "67890" not in shown


def test_no_password_of_nut_is_in_a_plan() -> None:
    host = node()
    for path in [path for path in host.files if path.startswith("/etc/nut/")]:
        edit(host, path, b"# edited\n")
    shown: list[str] = []
    run.plan(steps(SITE), host, shown.append)
    secrets = [(host.read(f"/etc/slrt/secrets/upsd-{name}-password") or b"").decode().strip() for name in ("watcher", "upsmon")]
    assert all(secrets)
    assert not [line for line in shown if any(secret in line for secret in secrets)]


@pytest.mark.parametrize(
    "change",
    [File(OWN, b"same\n", 0o600), File("/etc/new.conf", b"new\n"), Link("/etc/link", "/there")],
    ids=["mode", "new", "link"],
)
def test_what_alters_no_line_shows_none(change: Change) -> None:
    host = PretendHost()
    host.write(OWN, b"same\n", 0o644, "root", "root")
    assert diff(change, host) == ""
