"""The answer file: strict, all its faults at once, found on a stick; a flag beats it, and one set of rules judges both."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.bare_machine import ROOT, check, in_a_machine, program

RUN = "--unattended --hardware-root /run/hardware"
GOOD = 'district = "73.03"\nups = "none"\naccept = "P35"\n'


def validate(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["./install.sh", "validate", str(path)], capture_output=True, text=True, check=False, cwd=ROOT)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    tmp_path.chmod(0o755)
    return tmp_path / "node-answer.toml"


def test_the_sample_is_right_and_so_is_all_that_it_offers(file: Path) -> None:
    sample = (ROOT / "provision/node-answer.toml").read_text()
    offered = re.sub(r'(?m)^#(?=[a-z-]+ = ")', "", sample)
    assert offered != sample
    for text in (sample, offered):
        file.write_text(text)
        done = validate(file)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
    keys = set(re.findall(r'(?m)^([a-z-]+) = "', offered))
    wishes = re.search(r"(?m)^readonly WISHES=\((.*)\)$", (ROOT / "provision/shell/options.sh").read_text())
    assert wishes
    assert keys == {*wishes[1].split(), "accept", "lang"}


def test_every_fault_is_told_with_its_line(file: Path) -> None:
    file.write_text(
        "\ufeff# with what an editor of Windows adds\r\n"
        'district = "7303"\r\n'
        "hostname = slrt\r\n"
        'admin = "A"\r\n'
        'admin = "admin.it"\r\n'
        'colour = "red"\r\n'
        "[node]\r\n"
        'ups = "driver"   # without saying which\r\n'
        'ups-lan = "192.168.1.300"\r\n'
        'dns = ""\r\n'
        "gateway = 'x'\r\n"
        'address = "192.168.1.10/24"\r\n'
        'dhcp = "192.168.2.100-192.168.2.200"\r\n'
    )
    done = validate(file)
    assert done.returncode == 78
    lines = {int(number) for number in re.findall(r"baris (\d+):", done.stderr)}
    assert lines == {2, 3, 4, 5, 6, 7, 9, 10, 11}, done.stderr
    for words in (
        "diharapkan kode seperti 73.03",
        "sudah ada di baris 4",
        "colour tidak dikenal",
        "memerlukan ups-driver",
        "dhcp 192.168.2.100-192.168.2.200: tidak berada",
    ):
        assert words in done.stderr
    assert 'baris 3: diharapkan kunci = "nilai", bukan: hostname = slrt\n' in done.stderr


@pytest.mark.parametrize(("text", "told"), [("# nothing\n", "district belum ada"), ('district = "73.99"', "tidak ada kabupaten")])
def test_a_file_alone_must_make_a_node(file: Path, text: str, told: str) -> None:
    file.write_text(text)
    done = validate(file)
    assert (done.returncode, told in done.stderr) == (78, True), done.stderr


def test_a_file_that_is_not_there(file: Path) -> None:
    assert validate(file).returncode == 78
    assert "tidak dapat dibaca" in validate(file).stderr


def test_it_answers_the_questions_and_a_flag_beats_it(file: Path) -> None:
    file.write_text(GOOD)
    done = check(options=f"{RUN} --answers {file}")
    assert done.returncode == 0, done.stderr
    beaten = check(options=f"{RUN} --answers {file} --accept P21")
    assert beaten.returncode == 78
    assert "--accept P35" in beaten.stderr


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("district", "7303"),
        ("hostname", "Slrt_1"),
        ("admin", "A"),
        ("ups", "apc"),
        ("ups-driver", "../x"),
        ("ups-lan", "kantor"),
        ("address", "192.168.1.10"),
        ("upstream-dns", "dns.example"),
        ("accept", "P99"),
        ("lang", "jv"),
    ],
)
def test_flag_and_file_are_judged_alike(file: Path, key: str, value: str) -> None:
    file.write_text(f'{key} = "{value}"\n')
    by_file = re.search(rf'baris 1: {key} = "{re.escape(value)}": (.*)', validate(file).stderr)
    flag = subprocess.run(["./install.sh", "check", f"--{key}", value], capture_output=True, text=True, check=False, cwd=ROOT)
    assert flag.returncode == 2
    assert by_file
    assert f"--{key} {value}: {by_file[1]}" in flag.stderr


def test_a_wrong_answer_is_asked_again() -> None:
    answers = r"printf '7303\n51.71\nKantor\nslrt\n\nnone\n'"
    command = "./install.sh check --hardware-root /run/hardware"
    done = in_a_machine("", f"{answers} | script --quiet --return --command '{command}' /dev/null")
    assert "7303: diharapkan kode seperti 73.03" in done.stdout
    assert "Kantor: diharapkan huruf kecil" in done.stdout
    assert done.returncode == 0, done.stdout


def on_stick(text: str) -> str:
    """Shell lines: a stick of that label with the file; blkid and mount stand for the kernel's side of it."""
    stick = "mkdir /run/stick"
    if text:
        stick += f" && printf '{text}' >/run/stick/node-answer.toml"
    find = program("blkid", '[ "$2" = NODE-CFG ] && echo /dev/stick')
    mount = program("mount", 'echo "$@" >>/run/mounts; /bin/mount --bind -o ro /run/stick "$4"')
    return f"{stick}\n{find}{mount}"


def test_the_file_on_a_stick_is_read_without_writing_to_it() -> None:
    after = "echo MOUNTED $(cat /run/mounts); findmnt -rn -o TARGET | grep -c /tmp/tmp || true"
    done = in_a_machine(on_stick(GOOD.replace("\n", "\\n")), f"./install.sh check {RUN} --answers auto && {after}")
    assert done.returncode == 0, done.stderr
    assert "MOUNTED -o ro,nosuid,nodev,noexec /dev/stick /tmp/" in done.stdout
    assert done.stdout.endswith("\n0\n"), "and it is unmounted again"


@pytest.mark.parametrize(
    ("difference", "told"),
    [(program("blkid", "exit 2"), "NODE-CFG"), (on_stick(""), "tidak memuat berkas"), (on_stick('ups = "apc"'), "baris 1")],
    ids=["no stick", "no file", "a wrong file"],
)
def test_a_stick_that_has_no_answers(difference: str, told: str) -> None:
    done = check(difference, f"{RUN} --answers auto")
    assert (done.returncode, told in done.stderr) == (78, True), done.stderr
    assert "Langkah berikutnya" in done.stderr
