"""Sticks on real block devices with real filesystems: prepared, written, torn out, full, swapped; each is told by its name."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.errors import Conflict, InvalidInput
from appliance.sticks import book, capacity, order
from appliance.sticks.adopt import Wish, require_ours
from appliance.sticks.adopt import adopt as adopt_stick
from appliance.sticks.book import MARK, REPOSITORY, State, Stick
from appliance.sticks.copying import StickUnfit
from appliance.sticks.devices import DiskError, mount_at
from backups import catalogue, outcome, repository
from backups.errors import (
    BackupError,
    Mismatch,
    NoSpace,
    RepositoryDamaged,
    RepositoryMissing,
    RepositoryOlder,
    WrongPassphrase,
)
from backups.restore import restore
from backups.settings import MEBIBYTE, Plan
from tests.daemons.backups.conftest import copied
from tests.support.borg import Node, add_rows, contents, ledger
from tests.support.sticks import STICK_BYTES, Bench, Slot, cleared, own_mounts, tear_out


@pytest.fixture(scope="module")
def written(template: Plan, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Bench, Stick]]:
    """A node and its stick A with one good backup on it, which lies in the drawer now."""
    own_mounts()
    with cleared(Bench.of(copied(template, tmp_path_factory.mktemp("sticks") / "node"))) as bench:
        slot = bench.blank("a")
        stick = bench.prepare(slot.plug(), "A")
        bench.look()
        bench.copy(stick)
        order.leave(bench.folder / "run", stick.uuid)
        assert bench.look().of(stick).state is State.EJECTED
        slot.pull()
        yield bench, stick


@pytest.fixture
def bench(written: tuple[Bench, Stick], tmp_path: Path) -> Iterator[Bench]:
    """A copy of that node and its stick."""
    subprocess.run(["cp", "--archive", "--sparse=always", str(written[0].folder), str(tmp_path / "node")], check=True)
    plan = written[0].plan
    folder = tmp_path / "node"
    moved = replace(plan, data=folder / "data", repository=folder / "repository", state=folder / "data" / "backup")
    with cleared(Bench.of(moved)) as made:
        yield made


@pytest.fixture
def stick(written: tuple[Bench, Stick]) -> Stick:
    return written[1]


@pytest.fixture
def slot(bench: Bench, stick: Stick) -> Slot:
    """The slot with stick A plugged in and mounted."""
    slot = Slot(bench.folder / "a.img")
    slot.plug()
    assert bench.look().of(stick).state is State.READY
    return slot


def complete(plan: Plan) -> list[int]:
    return [run.number for run in catalogue.list_runs(repository.engine(plan)) if run.complete]


def head_of(slot: Slot) -> bytes:
    """The first blocks of the stick."""
    with slot.image.open("rb") as file:
        return file.read(8 * MEBIBYTE)


def put_away(bench: Bench, stick: Stick, slot: Slot) -> None:
    """Eject and pull."""
    order.leave(bench.folder / "run", stick.uuid)
    assert bench.look().of(stick).state is State.EJECTED
    slot.pull()
    assert bench.look().of(stick).state is State.ABSENT


@contextmanager
def refused(bench: Bench, stick: Stick, kind: type[BackupError], words: str) -> Iterator[None]:
    """The copy is refused so, and the page will say so."""
    yield
    with pytest.raises(kind, match=words) as told:
        bench.copy(stick)
    last = outcome.read(book.state_of(bench.settings, stick)).last
    assert last is not None
    assert (last.ok, last.text, last.next_step) == (False, told.value.message, told.value.hint)
    assert last.next_step


def test_a_stick_has_a_repository_of_its_own_that_can_be_restored(bench: Bench, stick: Stick, slot: Slot, tmp_path: Path) -> None:
    assert stick.repository == repository.identity(bench.place(stick) / REPOSITORY)
    assert stick.repository != repository.identity(bench.plan.repository)
    restore(bench.target(stick), "terakhir", tmp_path / "back")
    assert ledger(tmp_path / "back" / "database" / "slrt.db") == ledger(bench.plan.database_file)
    assert contents(tmp_path / "back" / "attachments") == contents(bench.plan.data / "attachments")
    mounted = subprocess.run(
        ["findmnt", "-no", "OPTIONS", str(bench.place(stick))], capture_output=True, text=True, check=True
    ).stdout
    assert {"nosuid", "nodev", "noexec"} <= set(mounted.strip().split(","))
    assert slot.device


def test_a_disk_with_something_on_it_is_not_touched(bench: Bench) -> None:
    slot = bench.blank("holiday")
    slot.plug()
    subprocess.run(["mkfs.ext4", "-q", "-L", "liburan", slot.device], check=True)
    before = head_of(slot)
    with pytest.raises(Conflict, match="liburan"):
        bench.prepare(slot.device, "B")
    with pytest.raises(Conflict, match="liburan"):
        bench.prepare(slot.device, "B", erase="/dev/null")
    with pytest.raises(InvalidInput):
        bench.prepare("/dev/tidak-ada", "B")
    with pytest.raises(InvalidInput):
        bench.prepare(slot.device, "Z9")
    assert head_of(slot) == before
    made = bench.prepare(slot.device, "B", erase=slot.device)
    known = book.read_known(book.folder_of(bench.settings))
    assert [one.label for one in known] == ["A", "B"]
    assert known[1] == made


def test_a_disk_in_use_is_not_touched(bench: Bench, stick: Stick, slot: Slot) -> None:
    with pytest.raises(Conflict, match="sedang dipakai"):
        bench.prepare(slot.device, "B", erase=slot.device)
    assert complete(bench.target(stick)) == [1]


def test_a_stick_that_wraps_around_is_found_out(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    slot = bench.blank("fake")
    slot.plug()
    capacity.require_capacity(slot.device, STICK_BYTES)
    write, real = os.pwrite, 64 * MEBIBYTE
    monkeypatch.setattr(capacity.os, "pwrite", lambda handle, content, place: write(handle, content, place % real))
    with pytest.raises(DiskError, match="palsu"):
        bench.prepare(slot.device, "B")
    assert [one.label for one in book.read_known(book.folder_of(bench.settings))] == ["A"]


def test_a_stick_that_ends_before_its_end_is_found_out(bench: Bench, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(small)], check=True)
    slot = Slot(small / "fake.img")
    with slot.image.open("wb") as file:
        file.truncate(256 * MEBIBYTE)
    slot.plug()
    try:
        with pytest.raises(DiskError, match=r"tidak dapat ditulis|palsu"):
            bench.prepare(slot.device, "B")
    finally:
        slot.pull()
        subprocess.run(["umount", "--lazy", str(small)], check=True)


def test_a_folder_where_no_stick_is_mounted_is_not_filled(bench: Bench, stick: Stick) -> None:
    place = bench.place(stick)
    shutil.copytree(bench.plan.repository, place / REPOSITORY, dirs_exist_ok=True)
    before = contents(place)
    with refused(bench, stick, StickUnfit, "Stik A tidak terpasang"):
        pass
    assert contents(place) == before


def test_torn_out_in_the_middle_and_back_within_a_minute(bench: Bench, stick: Stick, slot: Slot) -> None:
    add_rows(bench.plan, 500)
    seen: list[str] = []

    def tear(text: str) -> None:
        seen.append(text)
        if text.startswith("Menyimpan lampiran"):
            tear_out(bench.place(stick))

    with pytest.raises(StickUnfit, match="Stik A tercabut"):
        bench.copy(stick, say=tear)
    assert seen[-1].startswith("Menyimpan lampiran")
    subprocess.run(["umount", "--lazy", str(bench.place(stick))], check=True)
    slot.pull()
    assert bench.look().of(stick).state is State.ABSENT
    slot.plug()
    assert bench.look().of(stick).state is State.READY
    bench.copy(stick)
    assert len(complete(bench.target(stick))) == 2
    assert outcome.read(bench.plan.state).last_good is not None, "the node's own backups know nothing of it"


def test_the_disappearing_device_ends_the_run_at_once(bench: Bench, stick: Stick, slot: Slot) -> None:
    """Also while the engine works on what it has in memory and touches the stick with no finger."""

    def drop(text: str) -> None:
        if text.startswith("Membaca kembali"):
            subprocess.run(["umount", "--lazy", str(bench.place(stick))], check=True)

    with pytest.raises(StickUnfit, match="Stik A tercabut") as told:
        bench.copy(stick, say=drop)
    assert isinstance(told.value.__cause__, RepositoryMissing)
    assert slot.device


def test_read_only(bench: Bench, stick: Stick, slot: Slot) -> None:
    with refused(bench, stick, StickUnfit, "Stik A hanya dapat dibaca"):
        subprocess.run(["mount", "-o", "remount,ro", str(bench.place(stick))], check=True)
    assert bench.look().of(stick).state is State.READ_ONLY
    assert slot.device


def test_a_full_stick(bench: Bench, stick: Stick, slot: Slot) -> None:
    with refused(bench, stick, NoSpace, "Stik A penuh"):
        left = shutil.disk_usage(bench.place(stick)).free
        with (bench.place(stick) / "foto.zip").open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, left - 512 * 1024)
        add_rows(bench.plan, 500)
    assert complete(bench.target(stick)) == [1]
    assert slot.device


def test_an_older_copy_of_the_stick(bench: Bench, stick: Stick, slot: Slot, tmp_path: Path) -> None:
    put_away(bench, stick, slot)
    older = slot.image.with_suffix(".older")
    subprocess.run(["cp", "--sparse=always", str(slot.image), str(older)], check=True)
    slot.plug()
    bench.look()
    bench.copy(stick)
    put_away(bench, stick, slot)
    older.replace(slot.image)
    slot.plug()
    with refused(bench, stick, RepositoryOlder, "Isi Stik A lebih lama"):
        assert bench.look().of(stick).state is State.READY
    elsewhere = replace(bench.target(stick), state=tmp_path / "another machine")
    restore(elsewhere, "1", tmp_path / "back")
    assert ledger(tmp_path / "back" / "database" / "slrt.db")


def test_another_passphrase(bench: Bench, stick: Stick, slot: Slot) -> None:
    changed = replace(bench, plan=replace(bench.plan, passphrase="rambutan"))
    with refused(changed, stick, WrongPassphrase, "Stik A masih memakai kata sandi lain"):
        pass
    assert complete(bench.target(stick)) == [1]
    assert slot.device


def test_not_what_was_prepared(bench: Bench, stick: Stick, slot: Slot) -> None:
    with refused(bench, stick, StickUnfit, "bukan seperti saat disiapkan"):
        config = bench.place(stick) / REPOSITORY / "config"
        config.write_text(config.read_text().replace(stick.repository, "0" * 64))
    with refused(bench, stick, StickUnfit, "bukan seperti saat disiapkan"):
        (bench.place(stick) / MARK).unlink()
    assert slot.device


def test_a_stick_that_cannot_be_read_everywhere(bench: Bench, stick: Stick, slot: Slot) -> None:
    with refused(bench, stick, RepositoryDamaged, "Cadangan di Stik A rusak"):
        segment = max((bench.place(stick) / REPOSITORY / "data").glob("*/*"), key=lambda path: path.stat().st_size)
        with segment.open("r+b") as file:
            file.seek(segment.stat().st_size // 2)
            file.write(b"\0" * 4096)
    assert complete(bench.plan) == [1], "the node's own is not touched by it"
    assert slot.device


def test_letting_go(bench: Bench, stick: Stick, slot: Slot) -> None:
    with (bench.place(stick) / MARK).open("rb"):
        order.leave(bench.folder / "run", stick.uuid)
        busy = bench.look().of(stick)
        assert (busy.state, order.is_waiting(bench.folder / "run")) == (State.BUSY, False)
        assert "dipakai" in busy.told
    put_away(bench, stick, slot)
    assert not any(bench.place(stick).iterdir())
    slot.plug()
    back = bench.look().of(stick)
    assert (back.state, back.since) == (State.READY, back.seen_at), "it came back, and may be written again"


def test_an_ejected_stick_stays_ejected_until_it_was_pulled(bench: Bench, stick: Stick, slot: Slot) -> None:
    order.leave(bench.folder / "run", stick.uuid)
    bench.look()
    assert bench.look().of(stick).state is State.EJECTED
    slot.pull()  # and back before anybody looked
    slot.plug()
    assert bench.look().of(stick).state is State.READY


def test_an_order_is_believed_no_further_than_a_known_stick(bench: Bench, stick: Stick, slot: Slot) -> None:
    place = bench.folder / "run" / order.ORDER
    for content in (b"/etc", b"", b"\xff" * 4096, stick.uuid[:-1].encode()):
        place.write_bytes(content)
        assert bench.look().of(stick).state is State.READY
        assert not place.exists()
    place.symlink_to(bench.place(stick) / MARK)
    assert bench.look().of(stick).state is State.READY
    os.mkfifo(place)
    assert bench.look().of(stick).state is State.READY
    assert slot.device


def test_a_stick_that_root_did_not_prepare_is_not_mounted(bench: Bench, stick: Stick) -> None:
    book.write_known(book.folder_of(bench.settings), [])
    Slot(bench.folder / "a.img").plug()
    assert dict(bench.look().sticks) == {}
    assert not os.path.ismount(bench.place(stick))


def test_by_hand_as_root_over_the_data_of_a_service_user(node: Node) -> None:
    own_mounts()
    settings = node.folder / "appliance.toml"
    text = settings.read_text().replace('"/srv/backup/sticks"', f'"{node.folder}/sticks"')
    settings.write_text(text.replace('"/var/lib/slrt-sticks"', f'"{node.folder}/stick-state"'))
    image = node.folder / "b.img"
    with image.open("wb") as file:
        file.truncate(3 << 30)
    slot = Slot(image)
    slot.plug()
    try:
        made = node.slrt("backup", "disk", "prepare", slot.device, "--label", "b")
        assert made.returncode == 0, made.stderr
        assert "Stik B siap" in made.stdout
        assert "segera ditulisi" in node.slrt("backup", "disk", "list").stdout
        copy = node.slrt("backup", "disk", "copy", "B")
        assert copy.returncode == 0, copy.stderr
        (place,) = (node.folder / "sticks").iterdir()
        owner = node.plan.data.stat().st_uid
        assert {path.stat().st_uid for path in (place / REPOSITORY).rglob("*")} == {owner}
        assert {path.stat().st_uid for path in place.iterdir() if path.name != REPOSITORY} == {0}
        gone = node.slrt("backup", "disk", "eject", "B")
        assert "boleh dicabut" in gone.stdout, gone.stderr
        slot.pull()
    finally:
        subprocess.run(["umount", "--lazy", *(node.folder / "sticks").glob("*")], capture_output=True, check=False)
        slot.pull()


def forget(bench: Bench) -> None:
    """As after a new installation."""
    book.write_known(book.folder_of(bench.settings), [])
    shutil.rmtree(bench.plan.state / "sticks")


def adopt(bench: Bench, slot: Slot, label: str = "", old: str = "") -> Stick:
    """As `slrt backup disk adopt` does, with the passphrase `old` from the sheet."""

    def plan(stick: Stick) -> Plan:
        return bench.target(stick)

    def examine(stick: Stick) -> None:
        require_ours(replace(plan(stick), passphrase=old or bench.plan.passphrase))

    def take(stick: Stick) -> None:
        repository.change_passphrase(plan(stick), old)

    wish = Wish(Path(slot.plug()), label)
    return adopt_stick(bench.settings, wish, datetime.now(UTC), examine, take)


def test_a_stick_of_the_node_before_is_taken_over_with_all_that_is_on_it(bench: Bench, stick: Stick) -> None:
    forget(bench)
    slot = Slot(bench.folder / "a.img")
    back = adopt(bench, slot)
    assert replace(back, prepared_at=stick.prepared_at) == stick
    assert bench.look().of(back).state is State.READY
    assert bench.copy(back).archive == "2"
    assert complete(bench.target(back)) == [1, 2]
    with pytest.raises(Conflict, match="sudah dikenal"):
        adopt(bench, slot)


def test_a_node_with_another_passphrase_takes_it_over_by_the_sheet(bench: Bench) -> None:
    forget(bench)
    old, slot = bench.plan.passphrase, Slot(bench.folder / "a.img")
    new = Bench(bench.folder, bench.settings, replace(bench.plan, passphrase="kata sandi baru"))
    with pytest.raises(WrongPassphrase):
        adopt(new, slot)
    slot.pull()
    back = adopt(new, slot, old=old)
    assert complete(new.target(back)) == [1]
    with pytest.raises(WrongPassphrase):
        complete(bench.target(back))


def test_what_is_not_ours_is_refused_and_left(bench: Bench, stick: Stick, tmp_path: Path) -> None:
    forget(bench)
    slot = Slot(bench.folder / "a.img")
    elsewhere = Bench(bench.folder, bench.settings, replace(bench.plan, node="kantor-lain"))
    with pytest.raises(Mismatch, match="simpul lain"):
        adopt(elsewhere, slot)
    assert mount_at(bench.place(stick)) is None, "let go again"
    # a copy has another filesystem or another repository than its mark says
    place = tmp_path / "look"
    place.mkdir()
    subprocess.run(["mount", slot.device, str(place)], check=True)
    mark = (place / MARK).read_text()
    (place / MARK).write_text(mark.replace(stick.repository, "ab" * 32))
    subprocess.run(["umount", str(place)], check=True)
    slot.pull()
    with pytest.raises(DiskError, match="salinan"):
        adopt(bench, slot)
    slot.pull()
    empty = bench.blank("empty")
    with pytest.raises(DiskError, match="bukan stik cadangan"):
        adopt(bench, empty)
    assert book.read_known(book.folder_of(bench.settings)) == ()


def test_a_letter_that_another_stick_has_is_not_given_twice(bench: Bench, stick: Stick) -> None:
    book.write_known(book.folder_of(bench.settings), [replace(stick, uuid="another")])
    slot = Slot(bench.folder / "a.img")
    with pytest.raises(Conflict, match="Huruf A"):
        adopt(bench, slot)
    slot.pull()
    assert adopt(bench, slot, "C").label == "C"
    assert [one.label for one in book.read_known(book.folder_of(bench.settings))] == ["A", "C"]
