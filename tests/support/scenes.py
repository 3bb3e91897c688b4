"""What the officers of the scenarios do in the browser, each by the pages of her role. Beside `journey`, which has the plain case."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from playwright.sync_api import Locator, Page

from tests.support import journey
from tests.support.browser import PATIENCE, Desks, Node, Officer, go
from tests.support.journey import Staff, go_to_case
from tests.support.printed import Paper, open_paper, print_page

LETTER_NUMBER = re.compile(r"400\.9[.\d]*/\d{3}/SLRT/[IVX]+/\d{4}")


class Stage:
    """Where scenarios are played: the node, its officers, and one window of each that stays open as on a working day."""

    def __init__(self, node: Node, staff: Staff, desks: Desks, windows: ExitStack) -> None:
        self.node, self.staff, self.desks, self._windows = node, staff, desks, windows
        self._pages: dict[str, Page] = {}

    @contextmanager
    def at(self, officer: Officer) -> Iterator[Page]:
        """The window of this officer, where she left it. Without JavaScript: the pages alone must do."""
        page = self._pages.get(officer.username)
        if page is None:
            page = self._windows.enter_context(self.desks.window(officer, javascript=False))
            self._pages[officer.username] = page
        try:
            yield page
        except BaseException as error:
            self.desks.tell(error, officer, page)
            raise


@dataclass(frozen=True)
class Resident:
    """What is typed of a resident at the counter. Without a NIK a reason is."""

    name: str
    sex: str = "Perempuan"
    nik: str = ""
    nik_reason: str = ""
    village: str = journey.VILLAGE
    more: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Complaint:
    """What is typed of a case; the fields by their names in the form, `ticks` are the labels of boxes and choices."""

    service: str
    description: str
    ticks: tuple[str, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)


def register(page: Page, who: Resident) -> None:
    """Fill the form of a new resident; she is somebody else than those the page asks about."""
    page.goto("/warga/baru")
    fields = {"name": who.name, "nik": who.nik, "nik_reason": who.nik_reason, **who.more}
    for name, text in fields.items():
        page.locator(f"main [name={name}]").fill(text)
    page.get_by_label(who.sex).check()
    page.get_by_label("Desa atau kelurahan").select_option(who.village)
    go(page, page.get_by_role("button", name="Daftarkan warga"))
    asked = page.get_by_role("heading", name="Mungkin warga ini sudah terdaftar")
    page.get_by_role("heading", name=who.name, level=1).or_(asked).wait_for()
    if asked.is_visible():
        page.get_by_label("Bila orang lain").fill("KTP-nya berbeda")
        go(page, page.get_by_role("button", name="Tetap buat baru"))
    page.get_by_role("heading", name=who.name, level=1).wait_for()


def open_case(page: Page, told: Complaint) -> str:
    """Open a case on the page of a resident; its number."""
    go(page, page.get_by_role("link", name="Buka kasus baru").first)
    return fill_case(page, told)


def fill_case(page: Page, told: Complaint) -> str:
    """Fill the form of a new case and send it; its number."""
    page.get_by_role("heading", name="Buka kasus baru").wait_for()
    page.wait_for_load_state()
    for fold in page.locator("main details.fold:not(#papers-to-bring)").all():
        if fold.get_attribute("open") is None:
            fold.locator("summary").click()
    page.get_by_label("Layanan yang diperlukan").select_option(label=told.service)
    page.get_by_label("Uraian", exact=True).fill(told.description)
    for name, text in told.texts.items():
        control = page.locator(f"main [name={name}]")
        if control.evaluate("element => element.tagName") == "SELECT":
            control.select_option(text)
        else:
            control.fill(text)
    for label in (*told.ticks, "Pemberitahuan sudah dibacakan"):
        page.get_by_label(label).check()
    go(page, page.get_by_role("button", name="Buka kasus"))
    page.get_by_text("Sampaikan nomor ini kepada warga").wait_for()
    return page.get_by_role("heading", level=1).inner_text().split()[0]


def take_slip(page: Page, heading: str = "Tanda Terima") -> Paper:
    """Print the slip of the case whose page is open, on the roll of 80 mm, and come back."""
    go(page, page.get_by_role("link", name="Cetak slip"))
    page.get_by_role("heading", name=heading).wait_for()
    paper = print_page(page)
    assert (paper.size, paper.pages) == ((80, 160), 1)
    go(page, page.get_by_role("link", name="Kembali"))
    return paper


def day(later: timedelta = timedelta()) -> str:
    """Today in the office, or so much later, as it is typed."""
    return (datetime.now(UTC) + later).astimezone(ZoneInfo("Asia/Makassar")).strftime("%d-%m-%Y")


def bring_paper(page: Page, requirement: str, file: Path) -> None:
    """Keep a paper for a requirement of the case whose page is open."""
    go(page, page.get_by_role("link", name="Tambah berkas"))
    page.get_by_label("Untuk persyaratan").select_option(requirement)
    page.get_by_label("Berkas", exact=True).set_input_files(file)
    go(page, page.get_by_role("button", name="Simpan berkas"))
    page.get_by_text("Berkas tersimpan").wait_for()


def judge_papers(page: Page, told: Mapping[str, str], reason: str = "") -> Locator:
    """Say of some papers how they stand (sah, perlu_ganti, menyusul); the reason is for what is not right. What the page then says."""
    for name, state in told.items():
        row = page.locator("#berkas li", has=page.locator(f"input[value='{name}']"))
        row.get_by_role("combobox").select_option(state)
        if state != "sah":
            row.get_by_role("textbox").fill(reason)
    go(page, page.get_by_role("button", name="Simpan pemeriksaan"))
    return page.get_by_role("alert").or_(page.get_by_text("Pemeriksaan berkas tersimpan")).first


def state_of(page: Page) -> str:
    """The state of the case whose page is open, as it stands beside its number."""
    return page.locator("h1 .badge").first.inner_text()


def case_list(page: Page, view: str) -> list[str]:
    """The numbers of the cases in one of the lists."""
    page.goto(f"/kasus?tampil={view}")
    return page.get_by_role("main").get_by_role("link", name="SLRT-").all_inner_texts()


def verify(page: Page, number: str) -> None:
    """The back office takes a case from the counter, finds it right and passes it on to be reviewed."""
    go_to_case(page, number)
    journey.take_step(page, "Ambil untuk diverifikasi")
    journey.confirm(page)
    journey.take_step(page, "Teruskan ke telaah")


def prepare_referral(page: Page, unit: str, asked: str, *share: str) -> str:
    """Write a referral on the page of the case; with `share`, exactly this of the resident goes with it. Its number."""
    go(page, page.get_by_role("link", name="Siapkan rujukan"))
    target = page.get_by_label("OPD atau lembaga tujuan")
    target.select_option(target.locator("option", has_text=unit).first.get_attribute("value"))
    page.get_by_label("Yang diminta dari OPD").fill(asked)
    if share:
        page.wait_for_load_state()
        for box in page.locator("#share label").all():
            box.locator("input").set_checked(box.inner_text().strip() in share)
    go(page, page.get_by_role("button", name="Simpan rujukan"))
    page.get_by_text("Rujukan tersimpan sebagai draf").wait_for()
    return page.get_by_role("link", name="RJK-").last.inner_text()


def send_referrals(page: Page, number: str) -> None:
    """Send every referral of the case that waits for it; the page is the case's again then."""
    go_to_case(page, number)
    while page.get_by_role("button", name="Kirim rujukan").count():
        go(page, page.get_by_role("button", name="Kirim rujukan").first)
        page.get_by_text("Rujukan terkirim.").wait_for()
        go_to_case(page, number)


def accept(page: Page, referral: str) -> None:
    """The organisation takes it from its first page."""
    page.goto("/")
    go(page, page.get_by_role("link", name=referral))
    go(page, page.get_by_role("button", name="Terima rujukan"))


def answer(page: Page, outcome: str, reply: str, **on_paper: str) -> None:
    """Fill the answer on the page of a referral; what came on paper has its day and its scan (`dated`, `scan`)."""
    go(page, page.get_by_role("link", name="Jawab", exact=True))
    page.get_by_label(outcome, exact=True).check()
    page.get_by_label("Jawaban untuk Dinas Sosial").fill(reply)
    if on_paper:
        page.locator("#dated").fill(on_paper["dated"])
        page.locator("#scan").set_input_files(on_paper["scan"])
    go(page, page.get_by_role("button", name="Kirim jawaban"))
    page.get_by_text("Jawaban tersimpan").wait_for()


@dataclass(frozen=True)
class Draft:
    """What is typed of a letter: the name and purpose of the document, its answers by their code, the referral it goes with."""

    name: str
    purpose: str
    answers: Mapping[str, str] = field(default_factory=dict)
    referral: str = ""


def issue_letter(stage: Stage, number: str, draft: Draft) -> tuple[str, Paper]:
    """A letter about a case through all hands: drafted, initialled, approved, issued. Its number, and its paper."""
    staff = stage.staff
    with stage.at(staff.bo) as page:
        go_to_case(page, number)
        write_letter(page, draft)
        address = page.url
    _hand_on(stage, staff.supervisor, address, "Bubuhkan paraf")
    _hand_on(stage, staff.kadis, address, "Setujui untuk diterbitkan")
    with stage.at(staff.bo) as page:
        page.goto(address)
        go(page, page.get_by_role("button", name="Terbitkan dan beri nomor"))
        page.get_by_text("Langkah tersimpan").wait_for()
        heading = page.get_by_role("heading", level=1).inner_text()
        found = LETTER_NUMBER.search(heading)
        assert found, heading
        return found[0], open_paper(page, "Buka untuk dicetak")


def write_letter(page: Page, draft: Draft) -> None:
    """Draft a letter on the page of the case."""
    go(page, page.get_by_role("link", name="Buat surat"))
    go(page, page.get_by_role("link", name=draft.name))
    page.get_by_label("Keperluan").select_option(draft.purpose)
    if draft.referral:
        known = page.get_by_label("Menyertai rujukan")
        known.select_option(known.locator("option", has_text=draft.referral).get_attribute("value"))
    for code, text in draft.answers.items():
        page.locator(f"[name=typed-{code}]").fill(text)
    go(page, page.get_by_role("button", name="Simpan konsep"))
    page.get_by_text("Konsep tersimpan").wait_for()


def _hand_on(stage: Stage, officer: Officer, address: str, button: str) -> None:
    with stage.at(officer) as page:
        page.goto(address)
        go(page, page.get_by_role("button", name=button))
        page.get_by_text("Langkah tersimpan").wait_for()


def citizen_reads(stage: Stage, number: str, digits: str) -> str:
    """What the kiosk answers to the number of a slip and the last four digits; nobody is signed in."""
    context = stage.desks.browser.new_context(base_url=stage.node.url, locale="id-ID", java_script_enabled=False)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto("/cek-status")
    page.get_by_label("Nomor di slip Anda").fill(number)
    page.get_by_label("Empat angka terakhir").fill(digits)
    go(page, page.get_by_role("button", name="Lihat status"))
    said = page.get_by_role("main").or_(page.locator("body")).first.inner_text()
    context.close()
    return said


def note_list_check(page: Page, person: str, decile: str = "", listed: str = "Terdaftar") -> None:
    """Copy what stands in DTSEN onto the page of the resident, whose name is a link where the page is now."""
    go(page, page.get_by_role("main").get_by_role("link", name=person).first)
    page.get_by_role("heading", name=person, level=1).wait_for()
    page.goto(f"{page.url.split('?')[0]}/status-data-baru")
    known = page.get_by_label("Daftar", exact=True)
    known.select_option(known.locator("option", has_text="DTSEN").get_attribute("value"))
    page.get_by_label(listed, exact=True).check()
    if decile:
        page.get_by_label("Desil").select_option(decile)
    go(page, page.get_by_role("button", name="Simpan hasil cek"))
    page.get_by_text("Hasil cek tercatat").wait_for()


@dataclass(frozen=True)
class Visit:
    """A visit: what is to be looked at, what was found, and the photo that was taken."""

    instruction: str
    found: str
    photo: Path


def visit_house(stage: Stage, number: str, visit: Visit) -> Paper:
    """Planned by the supervisor, made by the facilitator, confirmed by the supervisor. The sheet that she took along.

    Planned for tomorrow: a plan for today is refused when midnight passes before it is sent.
    """
    with stage.at(stage.staff.supervisor) as page:
        go_to_case(page, number)
        journey.open_step(page, "Jadwalkan kunjungan")
        visitor = page.get_by_label("Petugas yang berkunjung")
        choice = visitor.locator("option", has_text=stage.staff.fasilitator.name).get_attribute("value") or ""
        journey.take_step(
            page, "Jadwalkan kunjungan", visitor=choice, planned_date=day(timedelta(days=1)), note=visit.instruction
        )
    with stage.at(stage.staff.fasilitator) as page:
        page.goto("/kunjungan")
        go(page, page.get_by_role("link", name=f"Lembar kunjungan {number}"))
        sheet = print_page(page)
        go(page, page.get_by_role("link", name="Kembali"))
        page.locator("#photos").set_input_files(visit.photo)
        told = {"visit_result": "sesuai", "visit_date": day(), "note": visit.found, "witness": "Ketua RT 2"}
        journey.take_step(page, "Isi hasil kunjungan", **told)
    with stage.at(stage.staff.supervisor) as page:
        go_to_case(page, number)
        journey.take_step(page, "Sahkan hasil kunjungan")
    return sheet


def decide_to_refer(stage: Stage, number: str, **recommended: str) -> None:
    """The back office recommends what the case waits for in TELAAH, the manager decides, and the referrals are sent."""
    with stage.at(stage.staff.bo) as page:
        go_to_case(page, number)
        journey.take_step(page, "Ajukan untuk ditetapkan", **recommended)
    with stage.at(stage.staff.manajer) as page:
        go_to_case(page, number)
        journey.take_step(page, "Tetapkan: dirujuk")
    with stage.at(stage.staff.bo) as page:
        send_referrals(page, number)
