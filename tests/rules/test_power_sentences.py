"""The sentence of each stage, as an officer reads it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from appliance.power.journal import End
from appliance.power.policy import Cause, Memory, Moment, Stage
from appliance.power.reading import Reading, Silence, SilenceKind
from appliance.power.sentences import CAUSES, duration, sentence

AT = Moment(timedelta(seconds=100), datetime(2026, 3, 1, tzinfo=UTC))
ON, OFF = Reading(frozenset({"OL"}), 100), Reading(frozenset({"OB"}), 90)
OUT = Memory(stage=Stage.ON_BATTERY, battery_since=timedelta(seconds=35))


@pytest.mark.parametrize(
    ("memory", "heard", "left", "said"),
    [
        (Memory(stage=Stage.ONLINE), ON, None, "Listrik menyala, baterai UPS 100 %."),
        (
            Memory(stage=Stage.ONLINE),
            Reading(frozenset({"OL", "RB"})),
            None,
            "Listrik menyala. UPS meminta baterainya diganti.",
        ),
        (OUT, OFF, 235, "Listrik padam sudah 1 menit 5 detik, baterai UPS 90 %. Sistem mati dalam 3 menit 55 detik."),
        (
            OUT,
            Silence(SilenceKind.DRIVER),
            20,
            "Listrik padam sudah 1 menit 5 detik. UPS tidak terbaca (UPS tidak terhubung; periksa kabel USB)."
            " Sistem mati dalam 20 detik.",
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


def test_every_cause_and_end_has_words() -> None:
    assert {*Cause, *End} == set(CAUSES)


@pytest.mark.parametrize("kind", SilenceKind)
def test_every_silence_has_words(kind: SilenceKind) -> None:
    assert sentence(Memory(), Silence(kind), AT, None).startswith("Keadaan listrik tidak diketahui: ")


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 detik"), (-3, "0 detik"), (60, "1 menit"), (3661, "1 jam 1 menit 1 detik"), (59.9, "59 detik")]
)
def test_duration(seconds: float, words: str) -> None:
    assert duration(timedelta(seconds=seconds)) == words
