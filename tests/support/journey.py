"""The people of the story, and what each does in the browser: written once, played by the tests and by the screenshots."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from playwright.sync_api import Page

from appliance.casework import casebook, cases, catalogue, referrals
from appliance.letters import office
from appliance.models.roles import Role
from appliance.registry import people
from tests.support import desk
from tests.support.browser import Node, Officer, go

# Two villages of Kabupaten Bantaeng, in different subdistricts.
VILLAGE = "73.03.01.1001"
ELSEWHERE = "73.03.02.1001"


SIGNATORY = office.SignatoryFields("Dra. Hj. Nurhayati, M.Si.", "Kepala Dinas Sosial", "Pembina", "197001011995032001")


@dataclass(frozen=True)
class Staff:
    """Everybody who takes part."""

    fo: Officer
    bo: Officer
    supervisor: Officer
    manajer: Officer
    opd: Officer
    other_opd: Officer
    fasilitator: Officer
    pimpinan: Officer
    admin: Officer
    kadis: Officer
    rsud: Officer


def hire(node: Node) -> Staff:
    """Make the accounts, and note who signs the letters."""
    staff = Staff(
        fo=node.officer("rahma.fo", Role.FO, "Rahmawati"),
        bo=node.officer("irwan.bo", Role.BO, "Irwan Saputra"),
        supervisor=node.officer("nur.supervisor", Role.SUPERVISOR, "Nur Hidayah"),
        manajer=node.officer("andi.manajer", Role.MANAJER, "Andi Tenri"),
        opd=node.officer("sitti.dinkes", Role.OPD, "Sitti Aisyah", unit="dinkes"),
        other_opd=node.officer("baso.disdik", Role.OPD, "Baso Amir", unit="disdik"),
        fasilitator=node.officer("daeng.fasilitator", Role.FASILITATOR, "Daeng Rani", area_codes=(ELSEWHERE,)),
        pimpinan=node.officer("haji.pimpinan", Role.PIMPINAN, "Haji Syamsuddin"),
        admin=node.officer("budi.admin", Role.ADMIN, "Budi Santoso"),
        kadis=node.officer("nurhayati.kadis", Role.PENANDATANGAN, "Nurhayati"),
        rsud=node.officer("hasnah.rsud", Role.OPD, "Hasnah", unit="rsud"),
    )
    node.run(lambda: office.save_signatory(None, SIGNATORY, by=node.actor(staff.admin), at=datetime.now(UTC)))
    return staff


def find(page: Page, text: str) -> None:
    """Search in the box of the residents' page."""
    page.goto("/warga")
    page.get_by_label("NIK, nomor KK, atau nama").fill(text)
    go(page, page.get_by_role("main").get_by_role("button", name="Cari"))


def register(page: Page, nik: str, name: str = "Nurhayati") -> None:
    """Look for her, and register her because she is not there. What was searched for is in the form already."""
    find(page, nik)
    go(page, page.get_by_role("main").get_by_role("link", name="Daftarkan warga baru").last)
    assert page.get_by_label("NIK (boleh kosong)").input_value() == nik
    page.get_by_label("Nama lengkap").fill(name)
    page.get_by_label("Perempuan").check()
    page.get_by_label("Tanggal lahir (boleh kosong)").fill("12-05-1985")
    page.get_by_label("Desa atau kelurahan").select_option(VILLAGE)
    page.get_by_label("Jalan, nomor, atau patokan").fill("Jl. Kartini 12, dekat masjid")
    go(page, page.get_by_role("button", name="Daftarkan warga"))
    asked = page.get_by_role("heading", name="Mungkin warga ini sudah terdaftar")
    page.get_by_role("heading", name=name, level=1).or_(asked).wait_for()
    if asked.is_visible():  # the numbers of a test differ by a digit
        page.get_by_label("Bila orang lain").fill("KTP-nya berbeda")
        go(page, page.get_by_role("button", name="Tetap buat baru"))
    page.get_by_role("heading", name=name, level=1).wait_for()


DESCRIPTION = "Kartu KIS tidak aktif sejak bulan lalu. Ibu perlu kontrol hipertensi setiap bulan di puskesmas."


def fill_case(page: Page, description: str = DESCRIPTION) -> None:
    """Fill the form of a new case."""
    page.get_by_role("heading", name="Buka kasus baru").wait_for()
    page.wait_for_load_state()
    if not page.get_by_label("Pengaduan").is_visible():
        page.get_by_text("Jenis, prioritas, dan rincian lain").click()
    page.get_by_label("Pengaduan").check()
    page.get_by_label("Layanan yang diperlukan").select_option(index=1)
    page.get_by_label("Uraian", exact=True).fill(description)
    page.get_by_label("Cepat").check()
    page.get_by_label("Alasan prioritas").fill("Obat habis minggu depan")
    page.get_by_label("Lanjut usia").check()
    page.get_by_label("Pemberitahuan sudah dibacakan").check()


def open_case(page: Page) -> str:
    """Open a case on the page of a resident; its number."""
    go(page, page.get_by_role("link", name="Buka kasus baru").first)
    fill_case(page)
    go(page, page.get_by_role("button", name="Buka kasus"))
    page.get_by_text("Sampaikan nomor ini kepada warga").wait_for()
    return page.get_by_role("heading", level=1).inner_text().split()[0]


def go_to_case(page: Page, number: str) -> None:
    """Type the number into the search box at the top, as read from the slip."""
    page.get_by_label("Cari warga atau nomor kasus").fill(number)
    go(page, page.get_by_role("banner").get_by_role("button", name="Cari"))
    page.get_by_role("heading", name=number).wait_for()


def open_step(page: Page, label: str) -> None:
    """Have the form of a step open, whether the page suggests it or offers it among the others."""
    button = page.get_by_role("button", name=label, exact=True)
    link = page.get_by_role("link", name=label, exact=True)
    page.wait_for_load_state()  # the offer stands below the form: half a page would show neither, or the wrong one
    button.or_(link).first.wait_for()
    if link.is_visible():
        go(page, link)
    button.wait_for()


def take_step(page: Page, label: str, **texts: str) -> None:
    """Take a step of a case: choose it when its form is not open, fill it, press its button."""
    open_step(page, label)
    for field, text in texts.items():
        control = page.locator(f"#langkah [name={field}]")
        if control.evaluate("element => element.tagName") == "SELECT":
            control.select_option(text)
        else:
            control.fill(text)
    go(page, page.get_by_role("button", name=label, exact=True))
    page.get_by_text("Langkah tersimpan").wait_for()


def show_papers(page: Page) -> None:
    """Say of every paper on the page of a case that it was shown and is right; not every service asks for one."""
    choices = page.locator("#berkas select").all()
    if not choices:
        return
    for choice in choices:
        choice.select_option("sah")
    go(page, page.get_by_role("button", name="Simpan pemeriksaan"))
    page.get_by_text("Pemeriksaan berkas tersimpan").wait_for()


def confirm(page: Page) -> None:
    """Confirm a case: its papers were shown, and what is similar was looked at."""
    show_papers(page)
    page.get_by_label("Sudah saya periksa").check()
    take_step(page, "Sahkan")


def prepare_referral(page: Page, unit: str = "Dinas Kesehatan") -> str:
    """Write a referral as the back office, on the page of the case; its number."""
    go(page, page.get_by_role("link", name="Siapkan rujukan"))
    option = page.get_by_label("OPD atau lembaga tujuan").locator("option", has_text=unit).first.get_attribute("value")
    page.get_by_label("OPD atau lembaga tujuan").select_option(option)
    page.get_by_label("Yang diminta dari OPD").fill("Mohon reaktivasi kepesertaan PBI-JK dan jadwal kontrol di puskesmas.")
    go(page, page.get_by_role("button", name="Simpan rujukan"))
    page.get_by_text("Rujukan tersimpan sebagai draf").wait_for()
    return page.get_by_role("link", name="RJK-").last.inner_text()


@dataclass(frozen=True)
class Story:
    """A resident, her case that is referred, and the referral, by identifier."""

    resident: str
    case: str
    number: str
    referral: str


def tell(node: Node, staff: Staff, nik: str, at: datetime | None = None) -> Story:
    """The same journey up to the referral, without a browser, for tests that only need it to have happened (now, or at `at`)."""
    story: Story = node.run(lambda: _tell(node, staff, nik, at or datetime.now(UTC)))
    return story


def _tell(node: Node, staff: Staff, nik: str, at: datetime) -> Story:
    fo, bo, manajer = node.actor(staff.fo), node.actor(staff.bo), node.actor(staff.manajer)
    person = people.NewPerson("Nurhayati", "P", VILLAGE, nik=nik, birth_date=date(1985, 5, 12), address="Jl. Kartini 12")
    resident = people.register_person(person, request_id=f"resident {nik}", by=fo, at=at)
    new = cases.NewCase(resident, catalogue.service_types()[0].id, "pengaduan", DESCRIPTION, informed=True)
    opened = cases.open_case(new, request_id=f"case {nik}", by=fo, at=at)

    def move(action: str, **fields: str) -> None:
        by = manajer if action.startswith("tetapkan") else bo
        version = casebook.look_at_case(opened.id, by=by, at=at).row_version
        cases.move_case(opened.id, action, fields, row_version=version, by=by, at=at)

    desk.verify(opened.id, bo, at)
    asked = referrals.NewReferral(catalogue.unit_id("dinkes"), "Mohon reaktivasi PBI-JK", ("nama", "desa"))
    referral = referrals.refer_case(opened.id, asked, request_id=f"referral {nik}", by=bo, at=at)
    move("ajukan", recommendation="Reaktivasi PBI-JK")
    move("tetapkan_dirujuk")
    version = casebook.look_at_referral(referral, by=bo, at=at).line.row_version
    referrals.send_referral(referral, row_version=version, by=bo, at=at)
    return Story(resident, opened.id, opened.number, referral)
