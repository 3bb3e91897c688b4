"""The day of the cut-off: forty proposals of one village, six of them without a signed paper, one NIK with a wrong digit, one dead."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect
from python_calamine import CalamineWorkbook

from appliance.commands.backup_plan import gate_of
from appliance.database import db
from appliance.models.proposal import Proposal
from appliance.proposals import book, proposals
from appliance.registry import people
from appliance.work import Work, do_everything
from tests.support import journey
from tests.support.browser import Desks, Node, go
from tests.support.journey import ELSEWHERE, Staff
from tests.support.pictures import photo

MANY, UNSIGNED = 40, 6
WRONG, DEAD = "Warga 07", "Warga 08"
RIGHT_NIK, WRONG_NIK = "7303025205858007", "7303025305858007"
ZONE = ZoneInfo("Asia/Makassar")


def write_all(node: Node, staff: Staff) -> None:
    """Forty residents of one village, each proposed by its facilitator; the pages of one proposal are played in the village below."""
    at, fo, writer = datetime.now(UTC), node.actor(staff.fo), node.actor(staff.fasilitator)
    for number in range(1, MANY + 1):
        name = f"Warga {number:02d}"
        nik = WRONG_NIK if name == WRONG else f"730302520585{8000 + number}"
        new = people.NewPerson(
            name, "P", ELSEWHERE, nik=nik, birth_date=date(1985, 5, 12), kk=f"73030201011{number:05d}", address="Jl. Bakri 3"
        )
        person = people.register_person(new, request_id=f"scenario-10 {number}", by=fo, at=at)
        wish = proposals.Wish("usul_baru", "Keluarga tidak mampu dan belum terdaftar.")
        proposals.propose(person, wish, request_id=f"scenario-10 {number}", by=writer, at=at)


def today() -> str:
    """The office's day as it is typed."""
    return datetime.now(ZONE).strftime("%d-%m-%Y")


def hold_meeting(page: Page, count: int, scan: Path | None) -> None:
    """The facilitator's page: a meeting with the first `count` proposals that wait, all agreed to; signed when there is a `scan`."""
    page.goto("/usulan/musyawarah/baru")
    page.get_by_label("Tanggal", exact=True).fill(today())
    page.get_by_label("Pimpinan musyawarah").fill("H. Baso Amir")
    page.get_by_label("Tempat").fill("Kantor Kelurahan")
    page.get_by_label("Daftar hadir").fill("H. Baso Amir, lurah\nHasnah, kader posyandu")
    go(page, page.get_by_role("button", name="Simpan"))
    for box in page.locator("input[name=chosen]").all()[count:]:
        box.uncheck()
    go(page, page.get_by_role("button", name="Masukkan yang dicentang"))
    go(page, page.get_by_role("button", name="Setujui semua yang belum diputuskan"))
    page.get_by_text("Keputusan musyawarah tersimpan.").wait_for()
    if scan:
        page.get_by_label("Pindaian").set_input_files(scan)
        page.get_by_label("Nomor surat desa").fill("140/10/KB")
        go(page, page.get_by_role("button", name="Simpan pindaian"))
        page.get_by_text("usulan yang disepakati diteruskan ke Dinas").wait_for()


def proposal_of(page: Page, name: str) -> None:
    """Open the proposal of a resident from her own page."""
    journey.find(page, name)
    go(page, page.get_by_role("link", name=name, exact=True))
    go(page, page.get_by_role("region", name="Usulan DTSEN").get_by_role("link", name="USL-"))


def mend_number(page: Page) -> None:
    """The digit is corrected after the card; the page of the proposal warned of it."""
    proposal_of(page, WRONG)
    expect(page.get_by_text("Cocokkan dengan berkas")).to_be_visible()
    go(page, page.get_by_role("complementary").get_by_role("link", name=WRONG))
    go(page, page.get_by_role("link", name="Ubah data"))
    page.get_by_label("NIK baru").fill(RIGHT_NIK)
    page.get_by_label("Alasan", exact=True).select_option(index=1)
    go(page, page.get_by_role("button", name="Simpan perbaikan"))
    page.get_by_role("heading", name=WRONG, level=1).wait_for()
    proposal_of(page, WRONG)
    expect(page.get_by_text("Cocokkan dengan berkas")).to_have_count(0)


def note_death(page: Page) -> None:
    """The life event of the one who died."""
    journey.find(page, DEAD)
    go(page, page.get_by_role("link", name=DEAD, exact=True))
    go(page, page.get_by_role("link", name="Catat meninggal"))
    page.get_by_label("Tanggal meninggal").fill(today())
    go(page, page.get_by_role("button", name="Simpan"))
    page.get_by_text("Status warga ini: Meninggal").wait_for()


def check_the_rest(node: Node, staff: Staff) -> int:
    """The back office checks what is signed and not held; how many. One of them was checked on the page."""
    at, by = datetime.now(UTC), node.actor(staff.bo)
    found = book.list_proposals(book.ProposalFilter(queue="periksa", village_code=ELSEWHERE), by=by, at=at).proposals
    acts = {line.id: proposals.Act("periksa", {}, line.row_version) for line in found if not line.held}
    return proposals.take_steps(acts, by=by, at=at)


def states(node: Node) -> dict[str, int]:
    """How many proposals of the village stand where."""

    def count() -> dict[str, int]:
        statement = sa.select(Proposal.state, sa.func.count()).where(Proposal.village_code == ELSEWHERE).group_by(Proposal.state)
        return dict(db.session.execute(statement).all())  # type: ignore[arg-type]

    found: dict[str, int] = node.run(count)
    return found


def ask_for_list(page: Page) -> None:
    """The list in the order of SIKS-NG, with its reason."""
    page.goto(f"/usulan/entri?desa={ELSEWHERE}")
    go(page, page.get_by_role("link", name="Ekspor Excel"))
    expect(page.get_by_label("Usulan DTSEN, urutan SIKS-NG")).to_be_checked()
    page.get_by_label("Alasan").select_option("siksng")
    page.get_by_label("Penerima daftar").fill("Operator SIKS-NG kabupaten")
    page.get_by_label("Penjelasan").fill("Entri usulan sebelum batas akhir bulan ini.")
    go(page, page.get_by_role("button", name="Minta ekspor"))


@pytest.fixture
def scan(node: Node) -> Path:
    file = node.folder / "berita-acara.jpg"
    file.write_bytes(photo())
    return file


def held_for_its_paper(desks: Desks, staff: Staff, scan: Path) -> None:
    """The village: one meeting whose minutes are signed, one whose are not."""
    with desks.window(staff.fasilitator, javascript=False) as page:
        hold_meeting(page, MANY - UNSIGNED, scan)
        hold_meeting(page, UNSIGNED, None)
        expect(page.get_by_text(f"{UNSIGNED} usulan ditahan")).to_be_visible()


def checked(desks: Desks, staff: Staff) -> None:
    """The back office: who died is taken back, who has a right number now goes on."""
    with desks.window(staff.bo, javascript=False) as page:
        proposal_of(page, DEAD)
        expect(page.get_by_text("Ditahan.")).to_be_visible()
        go(page, page.get_by_role("link", name="Tarik usulan"))
        page.get_by_label("Alasan").fill("Warga sudah meninggal.")
        go(page, page.get_by_role("button", name="Tarik usulan"))
        proposal_of(page, WRONG)
        go(page, page.get_by_role("button", name="Sahkan hasil pemeriksaan"))
        page.get_by_text("Langkah tersimpan").wait_for()


def released(desks: Desks, staff: Staff) -> None:
    """The manager: what lacks its signature is told, all others in one go."""
    with desks.window(staff.manajer, javascript=False) as page:
        page.goto("/usulan?antrean=tanda-tangan")
        expect(page.get_by_text("Berita acara belum bertanda tangan").first).to_be_visible()
        page.goto("/usulan?antrean=tetapkan")
        go(page, page.get_by_role("button", name="Tetapkan siap entri yang dicentang"))
        expect(page.get_by_text(f"{MANY - UNSIGNED - 1} usulan tersimpan.")).to_be_visible()


def exported(page: Page, node: Node) -> list[str]:
    """The list in the order of SIKS-NG; the numbers in it."""
    ask_for_list(page)
    node.run(lambda: do_everything(Work(node.settings, lambda: datetime.now(UTC), lambda: False), gate_of(node.settings)))
    page.reload()
    with page.expect_download() as download:
        page.get_by_role("link", name="Unduh Excel").click()
    heading, *rows = CalamineWorkbook.from_path(str(download.value.path())).get_sheet_by_index(0).to_python()
    assert heading[:3] == ["NIK", "No KK", "Nama"]
    return [str(row[0]) for row in rows]


def copied_and_ticked(page: Page, numbers: list[str]) -> None:
    """By hand: a row is copied, and what was entered is ticked."""
    page.goto(f"/usulan/entri?desa={ELSEWHERE}")
    go(page, page.get_by_role("button", name="Buka untuk disalin"))  # whole: its script copies the rows
    row = page.get_by_label("Satu baris, dipisah tab").first
    assert row.input_value().split("\t")[0] in numbers
    page.get_by_role("button", name="Salin baris").first.click()
    expect(page.get_by_text("Tersalin.")).to_be_attached()
    for box in page.get_by_label("Sudah dientri di SIKS-NG").all()[:2]:
        box.check()
    go(page, page.get_by_role("button", name="Simpan tanda entri"))
    expect(page.get_by_text("2 usulan ditandai sudah dientri")).to_be_visible()


def test_the_day_of_the_cut_off(desks: Desks, node: Node, staff: Staff, scan: Path) -> None:
    node.run(lambda: write_all(node, staff))
    held_for_its_paper(desks, staff, scan)
    assert states(node) == {"BERTANDA_TANGAN": MANY - UNSIGNED, "DISEPAKATI": UNSIGNED}
    with desks.window(staff.fo, javascript=False) as page:
        mend_number(page)
        note_death(page)
    checked(desks, staff)
    assert node.run(lambda: check_the_rest(node, staff)) == MANY - UNSIGNED - 2
    released(desks, staff)
    assert states(node) == {"SIAP_ENTRI": MANY - UNSIGNED - 1, "DISEPAKATI": UNSIGNED, "DITARIK": 1}
    with desks.window(staff.bo, accept_downloads=True) as page:
        numbers = exported(page, node)
        assert (len(numbers), RIGHT_NIK in numbers, WRONG_NIK in numbers) == (MANY - UNSIGNED - 1, True, False)
        copied_and_ticked(page, numbers)
    assert states(node)["DIENTRI"] == 2
