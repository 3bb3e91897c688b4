"""The sentence of each stage, as an officer reads it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from appliance.power.chain import Finding
from appliance.power.journal import End
from appliance.power.notices import Notice
from appliance.power.policy import Cause, HoldEnd, Memory, Moment, Stage
from appliance.power.reading import Reading, Silence, SilenceKind
from appliance.power.sentences import CAUSES, HOLD_ENDS, NOTICES, duration, sentence, untold

AT = Moment(timedelta(seconds=100), datetime(2026, 3, 1, tzinfo=UTC))
ON, OFF = Reading(frozenset({"OL"}), 100), Reading(frozenset({"OB"}), 90)
HELD = Memory(stage=Stage.HOLD, hold=timedelta(seconds=60))
OUT = Memory(stage=Stage.ON_BATTERY, battery_since=timedelta(seconds=35))


@pytest.mark.parametrize(
    ("memory", "heard", "left", "said"),
    [
        (Memory(stage=Stage.ONLINE), ON, None, "Listrik menyala, baterai UPS 100 %."),
        (
            Memory(stage=Stage.ONLINE, flapping=True),
            Reading(frozenset({"OL"})),
            None,
            "Listrik menyala. Listrik sering padam; pencadangan, impor dan ekspor menunggu.",
        ),
        (
            Memory(stage=Stage.ONLINE),
            Silence(SilenceKind.STALE),
            None,
            "UPS sedang diperiksa: UPS tidak mengirim keadaan baru.",
        ),
        (
            HELD,
            ON,
            None,
            "Sistem baru menyala dan untuk sementara hanya dapat dibaca: memastikan listrik stabil dan baterai cukup,"
            " baterai UPS 100 %.",
        ),
        (
            HELD,
            OFF,
            50,
            "Sistem baru menyala dan untuk sementara hanya dapat dibaca: listrik masih padam. Bila tetap padam, sistem mati"
            " lagi dalam 50 detik.",
        ),
        (
            HELD,
            Silence(SilenceKind.CONNECT),
            None,
            "Sistem baru menyala dan untuk sementara hanya dapat dibaca: menunggu kabar dari UPS (layanan NUT (upsd) tidak"
            " berjalan).",
        ),
        (
            Memory(stage=Stage.SAVING, cause=Cause.TIME),
            OFF,
            0,
            "Sistem bersiap mati (listrik padam terlalu lama); data sedang dirapikan di disk.",
        ),
        (
            Memory(stage=Stage.READY, cause=Cause.TIME),
            OFF,
            0,
            "Semua data tersimpan; sistem mati dalam beberapa detik (listrik padam terlalu lama).",
        ),
        (
            Memory(stage=Stage.READY, cause=Cause.TIME, mains_since=timedelta(seconds=98)),
            ON,
            0,
            "Listrik menyala lagi; bila tetap menyala, sistem tidak jadi mati.",
        ),
        (
            OUT,
            OFF,
            235,
            "Listrik padam sudah 1 menit 5 detik, baterai UPS 90 %. Data Anda disimpan; sistem mati dalam 3 menit 55 detik.",
        ),
        (
            OUT,
            Silence(SilenceKind.DRIVER),
            20,
            "Listrik padam sudah 1 menit 5 detik. UPS tidak terbaca (UPS tidak terhubung; periksa kabel USB)."
            " Data Anda disimpan; sistem mati dalam 20 detik.",
        ),
        (
            Memory(stage=Stage.ON_BATTERY, battery_since=timedelta(), mains_since=timedelta(seconds=90)),
            ON,
            None,
            "Listrik menyala lagi; sistem memastikan listrik tidak padam kembali.",
        ),
        (
            Memory(stage=Stage.DRAINING, cause=Cause.LOW),
            OFF,
            0,
            "Sistem bersiap mati (baterai UPS hampir habis); pekerjaan yang berjalan sedang diselesaikan.",
        ),
        (Memory(stage=Stage.DOWN, cause=Cause.TIME), OFF, 0, "Sistem sedang mati: listrik padam terlalu lama."),
        (
            Memory(stage=Stage.UNKNOWN),
            Silence(SilenceKind.CONNECT),
            None,
            "Keadaan listrik tidak diketahui: layanan NUT (upsd) tidak berjalan.",
        ),
    ],
)
def test_sentence(memory: Memory, heard: Reading | Silence, left: int | None, said: str) -> None:
    assert sentence(memory, heard, AT, left) == said


def test_every_word_of_the_policy_has_words() -> None:
    assert {*Cause, *End} == set(CAUSES)
    assert set(Notice) == set(NOTICES)
    assert set(HoldEnd) == set(HOLD_ENDS)


@pytest.mark.parametrize("kind", SilenceKind)
def test_every_silence_has_words(kind: SilenceKind) -> None:
    assert sentence(Memory(), Silence(kind), AT, None).startswith("Keadaan listrik tidak diketahui: ")


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 detik"), (-3, "0 detik"), (60, "1 menit"), (3661, "1 jam 1 menit 1 detik"), (59.9, "59 detik")]
)
def test_duration(seconds: float, words: str) -> None:
    assert duration(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("notices", "links", "said", "left"),
    [
        (["frozen", "no-alarm"], [], "", ["frozen", "no-alarm"]),
        (["frozen", "no-alarm"], ["frozen"], "", ["no-alarm"]),
        (["other-unit"], ["upsmon", "unit"], "", []),
        (["blind-long"], ["services"], "", []),
        (["blind-long"], ["hook"], "", ["blind-long"]),
        (["replace-battery"], [], f"Listrik menyala. {NOTICES[Notice.REPLACE_BATTERY]}", []),
        (["from-a-later-version"], [], "", ["from-a-later-version"]),
    ],
)
def test_what_the_light_or_the_sentence_tells_is_not_told_again(
    notices: list[str], links: list[str], said: str, left: list[str]
) -> None:
    assert untold(notices, [Finding(link, "sebab", "obat") for link in links], said) == left
