"""What the doctor says of the facts: a number, a cause, a remedy for each, and only repairs that touch no data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from appliance.commands.status import NAMES
from appliance.doctor import examining, findings
from appliance.doctor.findings import PARTS, Answer, Facts, Gravity, judge, repairs

GOOD = {name: {"state": "ok", "text": "Baik.", "next_step": ""} for name in NAMES}
WELL = Facts(status=GOOD, drift=(), integrity=Answer(True), repository=Answer(True), answers=Answer(True), name=Answer(True))
ROOT = Path(__file__).parents[2]


def part(name: str, state: str) -> Mapping[str, Mapping[str, str]]:
    return {**GOOD, name: {"state": state, "text": "Rusak.", "next_step": "Betulkan."}}


def test_a_node_that_is_well_has_no_findings() -> None:
    assert judge(WELL, "/p", "/t") == []


@pytest.mark.parametrize(
    ("change", "number", "mended"),
    [
        ({"settings": Answer(False, "kunci web.x tidak dikenal.", "Perbaiki.")}, "D20", ""),
        ({"status": None}, "D21", ""),
        ({"status": part("web", "fail")}, "D01", ""),
        ({"status": part("hardware", "unknown")}, "D08", ""),
        ({"status": part("sesuatu", "warn")}, "D19", ""),
        ({"failed_units": ("slrt-care.service",)}, "D22", "systemctl restart slrt-care.service"),
        ({"runtime_missing": ("/run/slrt/gate.lock",)}, "D23", "systemd-tmpfiles --create /t"),
        ({"drift": ("tulis /etc/slrt/nginx.conf",)}, "D24", "/p/slrt-provision apply --local"),
        ({"drift": None}, "D24", ""),
        ({"integrity": Answer(False, "Berkas basis data rusak.")}, "D25", ""),
        ({"repository": Answer(False)}, "D26", ""),
        ({"answers": Answer(False, "Halaman web tidak menjawab.")}, "D27", ""),
        ({"status": part("clock", "fail")}, "D11", ""),
        ({"name": Answer(False, "Nama tidak dikenal.")}, "D29", ""),
        ({"gate": "Gerbang ditahan."}, "D30", ""),
    ],
)
def test_each_fact_has_its_number_and_a_remedy(change: dict[str, object], number: str, mended: str) -> None:
    (finding,) = judge(Facts(**{**WELL.__dict__, **change}), "/p", "/t")  # type: ignore[arg-type]
    assert finding.number == number
    assert finding.cause
    assert finding.remedy
    assert " ".join(finding.repair.command if finding.repair else ()) == mended


def test_every_part_of_the_status_has_a_number_of_its_own() -> None:
    assert PARTS.keys() == NAMES.keys()
    assert len(set(PARTS.values())) == len(PARTS)


def test_every_number_is_explained_and_no_other() -> None:
    explained = re.findall(r"(?m)^\| (D\d\d) \|", (ROOT / "docs/care.md").read_text())
    single = {value for value in vars(findings).values() if isinstance(value, str) and re.fullmatch(r"D\d\d", value)}
    assert explained == sorted({*PARTS.values(), *single})


def test_a_repair_that_many_findings_need_is_done_once() -> None:
    found = judge(Facts(**{**WELL.__dict__, "drift": ("a", "b", "c"), "failed_units": ("x.service",)}), "/p", "/t")
    assert [finding.gravity for finding in found] == [Gravity.WARN] * 3 + [Gravity.FAIL]
    assert [repair.command[-1] for repair in repairs(found)] == ["--local", "x.service"]


def test_what_a_program_of_ours_says_is_taken_apart() -> None:
    ended = examining.Ended(78, "", "Gagal: Gudang tidak ada.\nLangkah berikutnya: Pasang disk.\n")
    assert examining._answer(ended) == Answer(False, "Gudang tidak ada.", "Pasang disk.")
    assert examining._answer(examining.Ended(0, "Basis data menjawab.\n", "")).worked
    plan = "[1/3] Folder\n      akan: siapkan folder /etc/slrt (root:root 0755)\n[2/3] Unit: sudah sesuai\n1 perubahan akan dilakukan.\n"
    assert examining._drift(examining.Ended(0, plan, "")) == ("siapkan folder /etc/slrt (root:root 0755)",)
    assert examining._drift(examining.Ended(78, plan, "")) is None


def test_what_belongs_into_run_is_compared_with_its_table(tmp_path: Path) -> None:
    table, there = tmp_path / "table", tmp_path / "there"
    there.mkdir(mode=0o755)
    there.chmod(0o755)
    table.write_text(f"# a remark\nd {there} 0755 root root -\nf {tmp_path}/gone 0660 root root -\n")
    assert examining._runtime_missing(table) == (f"{tmp_path}/gone",)
    there.chmod(0o700)
    assert examining._runtime_missing(table) == (str(there), f"{tmp_path}/gone")
