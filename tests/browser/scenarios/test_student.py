"""Anak kuliah minta SK DTSEN untuk KIP Kuliah, desil 6: refused with a reason and a way on, and no letter number used."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.support.browser import go
from tests.support.journey import go_to_case, take_step
from tests.support.scenes import (
    Complaint,
    Resident,
    Stage,
    citizen_reads,
    fill_case,
    note_list_check,
    open_case,
    register,
    state_of,
    take_slip,
    verify,
)

STUDENT = "Nurul Mutmainnah"
CERTIFICATE = Complaint("Surat keterangan DTSEN", "Untuk pendaftaran KIP Kuliah.")
PROPOSAL = Complaint("Usulan masuk atau perbaikan DTSEN", "Desil 6; keadaan keluarga sudah berubah, ayah sakit.")
WAY_ON = "Desil 6, batas surat ini desil 5. Ajukan pemutakhiran data di desa, lalu datang lagi."


def test_desil_six_gets_a_reason_and_a_way_on_but_no_letter(stage: Stage, nik: str) -> None:
    numbers_before = register_of_letters(stage)
    number = asked_for(stage, nik)
    looked_up_and_advised(stage, number)
    refused(stage, number)
    told_and_begun_anew(stage, number)
    assert "Pesan petugas: " + WAY_ON in citizen_reads(stage, number, nik[-4:])
    assert register_of_letters(stage) == numbers_before, "a refusal on a slip uses no number"


def register_of_letters(stage: Stage) -> list[str]:
    """The numbers in the register."""
    with stage.at(stage.staff.bo) as page:
        page.goto("/surat?tampil=register")
        return page.get_by_role("main").get_by_role("link", name="/SLRT/").all_inner_texts()


def asked_for(stage: Stage, nik: str) -> str:
    with stage.at(stage.staff.fo) as page:
        register(page, Resident(STUDENT, nik=nik))
        return open_case(page, CERTIFICATE)


def looked_up_and_advised(stage: Stage, number: str) -> None:
    """Without a look into the list nothing is advised; with desil 6 no certificate can be."""
    with stage.at(stage.staff.bo) as page:
        verify(page, number)
        expect(page.get_by_label("Langkah yang belum dapat dilakukan")).to_contain_text("Hasil cek SIKS-NG/DTSEN belum dicatat")
        note_list_check(page, STUDENT, "6")
        go_to_case(page, number)
        advise(page, "layak")
        expect(page.get_by_role("alert")).to_contain_text("Desil 6 di atas batas 5")
        take_step(page, "Ajukan untuk ditetapkan", advice="tidak_layak", purpose="kuliah", recommendation="Tolak, desil 6")


def advise(page: Page, advice: str) -> None:
    page.get_by_label("Usulan surat keterangan").select_option(advice)
    page.get_by_label("Keperluan surat").select_option("kuliah")
    page.get_by_label("Rekomendasi").fill("Terbitkan")
    go(page, page.get_by_role("button", name="Ajukan untuk ditetapkan"))


def refused(stage: Stage, number: str) -> None:
    with stage.at(stage.staff.manajer) as page:
        go_to_case(page, number)
        take_step(page, "Tolak", note="Desil di atas batas", citizen_note=WAY_ON)
        assert state_of(page) == "Ditolak"


def told_and_begun_anew(stage: Stage, number: str) -> None:
    """The slip of the refusal, and the proposal that goes on from it."""
    with stage.at(stage.staff.fo) as page:
        go_to_case(page, number)
        slip = take_slip(page, "Pemberitahuan")
        assert slip.misses(number, STUDENT, "Permohonan belum dapat dipenuhi", WAY_ON) == []
        assert "Desil di atas batas" not in slip.text, "the manager's own note is not for the citizen"
        go(page, page.get_by_role("link", name="Buka kasus baru yang terkait"))
        proposal = fill_case(page, PROPOSAL)
        expect(page.locator("dt", has_text="Lanjutan dari").locator("..")).to_contain_text(number)
        assert take_slip(page).misses(proposal, "Usulan masuk atau perbaikan DTSEN") == []
