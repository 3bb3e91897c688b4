"""A case from the counter to its end, each step by the person whose step it is, without JavaScript: the pages alone must do."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.support import journey
from tests.support.browser import Desks, go
from tests.support.journey import Staff

RESIDENT = "Nurhayati Daeng Bau"
REPLY = "Kepesertaan aktif kembali mulai hari ini."


def test_a_case_goes_from_the_counter_to_its_end(desks: Desks, staff: Staff, nik: str) -> None:
    with desks.window(staff.fo, javascript=False) as page:
        journey.register(page, nik, RESIDENT)
        number = journey.open_case(page)
    referral = _verified_and_recommended(desks, staff, number)
    _decided(desks, staff, number)
    _sent(desks, staff, number)
    _answered(desks, staff, referral, nik)
    _settled(desks, staff, number)
    told = _closed(desks, staff, number)
    assert [line for line in zip(told[::-1], WANTED, strict=True) if line[1][0] not in line[0] or line[1][1] not in line[0]] == []
    assert all("WITA" in line for line in told)


def _verified_and_recommended(desks: Desks, staff: Staff, number: str) -> str:
    """The back office; the number of the referral it prepares."""
    with desks.window(staff.bo, javascript=False) as page:
        journey.go_to_case(page, number)
        journey.take_step(page, "Ambil untuk diverifikasi")
        journey.confirm(page)
        journey.take_step(page, "Teruskan ke telaah")
        referral = journey.prepare_referral(page)
        journey.take_step(page, "Ajukan untuk ditetapkan", recommendation="Reaktivasi PBI-JK lewat Dinas Kesehatan.")
    return referral


def _decided(desks: Desks, staff: Staff, number: str) -> None:
    with desks.window(staff.manajer, javascript=False) as page:
        # it waits for her on her first page
        go(page, page.get_by_role("link", name=number))
        journey.take_step(page, "Tetapkan: dirujuk", note="Setuju, segera dikirim.")


def _sent(desks: Desks, staff: Staff, number: str) -> None:
    with desks.window(staff.bo, javascript=False) as page:
        journey.go_to_case(page, number)
        go(page, page.get_by_role("button", name="Kirim rujukan"))
        expect(page.get_by_text("Rujukan terkirim.")).to_be_visible()


def _answered(desks: Desks, staff: Staff, referral: str, nik: str) -> None:
    """The organisation reads what was shared, and answers."""
    with desks.window(staff.opd, javascript=False) as page:
        go(page, page.get_by_role("link", name=referral))
        expect(page.get_by_text(RESIDENT)).to_be_visible()
        expect(page.get_by_text(nik)).to_have_count(0)
        go(page, page.get_by_role("button", name="Terima rujukan"))
        go(page, page.get_by_role("button", name="Mulai diproses"))
        go(page, page.get_by_role("link", name="Jawab"))
        page.get_by_label("Terpenuhi", exact=True).check()
        page.get_by_label("Jawaban untuk Dinas Sosial").fill(REPLY)
        go(page, page.get_by_role("button", name="Kirim jawaban"))
        expect(page.get_by_text("Jawaban tersimpan")).to_be_visible()


def _settled(desks: Desks, staff: Staff, number: str) -> None:
    with desks.window(staff.bo, javascript=False) as page:
        journey.go_to_case(page, number)
        expect(page.get_by_text(REPLY).first).to_be_visible()
        journey.take_step(
            page,
            "Catat hasil",
            outcome="terpenuhi",
            outcome_note="PBI-JK aktif kembali.",
            citizen_note="Kartu dapat dipakai lagi; bawa KTP saat kontrol.",
            told_way="telepon",
        )


def _closed(desks: Desks, staff: Staff, number: str) -> list[str]:
    """The front office; the lines of the history then, the newest first."""
    with desks.window(staff.fo, javascript=False) as page:
        journey.go_to_case(page, number)
        journey.take_step(page, "Tutup: warga sudah diberi tahu", satisfaction="4")
        expect(page.get_by_role("heading", level=1)).to_contain_text("Ditutup")
        return page.get_by_role("region", name="Riwayat").get_by_role("listitem").all_inner_texts()


WANTED = [
    ("Kasus dicatat", "Rahmawati"),
    ("Ambil untuk diverifikasi", "Irwan Saputra"),
    ("Berkas diperiksa", "Irwan Saputra"),
    ("Sahkan", "Irwan Saputra"),
    ("Teruskan ke telaah", "Irwan Saputra"),
    ("Rujukan disiapkan", "Irwan Saputra"),
    ("Ajukan untuk ditetapkan", "Irwan Saputra"),
    ("Tetapkan: dirujuk", "Andi Tenri"),
    ("Rujukan dikirim", "Irwan Saputra"),
    ("Rujukan diterima", "Sitti Aisyah"),
    ("Rujukan diproses", "Sitti Aisyah"),
    ("Rujukan dijawab OPD", "Sitti Aisyah"),
    ("Semua rujukan sudah dijawab", "Sitti Aisyah"),
    ("Catat hasil", "Irwan Saputra"),
    ("Tutup: warga sudah diberi tahu", "Rahmawati"),
]
