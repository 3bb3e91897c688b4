"""Many nodes: the inventory with all its problems at once, one node's trouble that is nobody else's, the table and its exit code."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from appliance.errors import ApplianceError, ConfigurationError, TryLater
from provision.fleet import Member, Result, Say, act_on_all, chosen, exit_code, read_inventory, table

KNOWN = ("host", "port", "identity", "known_hosts", "district", "hostname")
WAIT_SECONDS = 60.0

GOOD = """
[defaults]
identity = "keys/all"
[nodes.bantaeng]
host = "root@192.168.1.10"
district = "73.03"
[nodes.bulukumba]
host = "root@192.168.7.10"
port = 2222
identity = "/root/own"
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "simpul.toml"
    file.write_text(text)
    return file


def test_defaults_hold_for_all_and_paths_are_beside_the_file(tmp_path: Path) -> None:
    first, second = read_inventory(written(tmp_path, GOOD), KNOWN)
    assert first == Member("bantaeng", {"identity": tmp_path / "keys/all", "host": "root@192.168.1.10", "district": "73.03"})
    assert (second.name, second.address, second.wish["identity"]) == ("bulukumba", "root@192.168.7.10:2222", Path("/root/own"))


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("[defaults]\nups = 3\n", ["belum ada simpul"]),
        ("", ["belum ada simpul"]),
        ("nodes = 3", ["belum ada simpul"]),
        ("[nodes.a]\nhost = 'x'\ncolour = 'red'", ["nodes.a.colour tidak dikenal; yang dikenal: district"]),
        ("[nodes.a]\nhost = 'x'\nport = '22'", ["nodes.a.port = '22': diharapkan angka"]),
        ("[nodes.a]\nhost = 'x'\nport = true", ["nodes.a.port = True: diharapkan angka"]),
        ("[nodes.a]\nhost = 'x'\ndistrict = 73.03", ["nodes.a.district = 73.03: diharapkan teks"]),
        ("[nodes.a]\nhost = 'x'\n[nodes.b]\nhost = 'x'", ["alamat x dipakai dua kali"]),
        ("[nodes.'A b']\nhost = 'x'", ["nama simpul 'A b'"]),
        ("[nodes]\na = 3", ["nodes.a: diharapkan tabel"]),
        ("[nod.a]\nhost = 'x'", ["[nod] tidak dikenal", "belum ada simpul"]),
        (
            "[nodes.a]\nport = 'x'\n[nodes.b]\nhots = 'y'",
            ["nodes.a: host belum", "nodes.b: host belum", "nodes.b.hots", "nodes.a.port"],
        ),
        ("[nodes.a\nhost", ["bukan berkas TOML"]),
    ],
)
def test_every_problem_of_the_file_is_told_at_once(tmp_path: Path, text: str, problems: list[str]) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read_inventory(written(tmp_path, text), KNOWN)
    assert [problem for problem in problems if problem not in refused.value.message] == []


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="tidak ada"):
        read_inventory(tmp_path / "none.toml", KNOWN)


def test_some_of_them_by_name() -> None:
    members = [Member(name, {"host": name}) for name in ("a", "b", "c")]
    assert [member.name for member in chosen(members, " c, a ")] == ["a", "c"]
    assert chosen(members, "") == members
    with pytest.raises(ConfigurationError, match="Tidak ada simpul d"):
        chosen(members, "a,d")


def test_one_nodes_trouble_is_nobody_elses_and_they_go_side_by_side() -> None:
    members = [Member(name, {"host": name}) for name in ("well", "drift", "away", "broken", "strange")]
    together = threading.Barrier(len(members))

    def act(member: Member, say: Say) -> int:
        together.wait(WAIT_SECONDS)  # breaks unless all are at work at once
        say(f"one of {member.name}\ntwo")
        match member.name:
            case "away":
                raise TryLater("away tidak dapat dihubungi", "Periksa jaringan.")
            case "broken":
                raise ApplianceError("disk penuh", "Kosongkan disk.")
            case "strange":
                raise KeyError("odd")
        return 2 if member.name == "drift" else 0

    lines: list[str] = []
    results = act_on_all(members, act, lines.append, parallel=len(members))
    assert [(result.member.name, result.changes, result.exit_code) for result in results] == [
        ("well", 0, 0), ("drift", 2, 0), ("away", None, 75), ("broken", None, 1), ("strange", None, 1),
    ]  # fmt: skip
    assert lines.index("well    | two") == lines.index("well    | one of well") + 1, "the lines of one call stay together"
    assert any("Traceback" in line for line in lines if line.startswith("strange |"))
    shown = table(results, lambda count: f"{count} menyimpang" if count else "sesuai")
    assert [line.split()[:3] for line in shown.splitlines()[:4]] == [
        ["Simpul", "Alamat", "Hasil"], ["well", "well", "sesuai"], ["drift", "drift", "2"], ["away", "away", "tidak"],
    ]  # fmt: skip
    assert "broken: disk penuh\n  → Kosongkan disk." in shown


@pytest.mark.parametrize(
    ("ends", "drift_is_failure", "code"),
    [
        ([(0, 0)], True, 0),
        ([(3, 0)], False, 0),
        ([(3, 0)], True, 1),
        ([(0, 0), (None, 75)], True, 75),
        ([(3, 0), (None, 75)], True, 1),
        ([(None, 78), (None, 75)], False, 1),
    ],
)
def test_the_exit_code_of_all(ends: list[tuple[int | None, int]], drift_is_failure: bool, code: int) -> None:
    results = [Result(Member("a", {"host": "a"}), changes, 1.0, exit_code=own) for changes, own in ends]
    assert exit_code(results, drift_is_failure) == code
