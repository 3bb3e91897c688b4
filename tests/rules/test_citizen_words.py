"""What the citizen is told about each state, and the message that is copied to her."""

from __future__ import annotations

import pytest

from appliance.casework.citizen_words import STAGES, Message, whatsapp_text
from appliance.models.states import CaseState


def test_every_state_is_told_in_two_sentences() -> None:
    assert set(STAGES) == set(CaseState)
    assert all(stage.now.endswith(".") and stage.following.endswith(".") for stage in STAGES.values())


@pytest.mark.parametrize("state", CaseState)
def test_no_office_word_reaches_the_citizen(state: CaseState) -> None:
    text = whatsapp_text(Message("Aminah", "SLRT-7303-202611-00001", state))
    assert not any(
        word in text for word in ("TELAAH", "telaah", "verifikasi", "Back Office", "manajer", "supervisor", state.value)
    )


def test_the_message() -> None:
    text = whatsapp_text(Message("Aminah", "SLRT-1", CaseState.REFERRED, "Pangan", " Mohon bawa KK. ", "Dinas Sosial"))
    assert text.split("\n\n") == [
        "Yth. Bapak/Ibu Aminah,",
        "Laporan Anda nomor SLRT-1 (Pangan): laporan Anda sedang ditangani instansi lain yang berwenang.",
        "Mohon bawa KK.",
        "Kami menunggu jawaban instansi itu, lalu memberi tahu Anda.",
        "Layanan ini gratis. Mohon tidak mengirim foto KTP atau KK lewat pesan ini.\nTerima kasih.\nDinas Sosial",
    ]


def test_what_is_missing_leaves_no_gap() -> None:
    assert "\n\n\n" not in whatsapp_text(Message("Aminah", "SLRT-1", CaseState.NEW))
