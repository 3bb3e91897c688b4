"""Save a picture of each page, at the size of a tablet and of a laptop, to look at: python -m tests.browser.screenshots FOLDER."""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from appliance.casework import cases, catalogue
from appliance.commands.backup_plan import gate_of
from appliance.registry import duplicate_night, people
from appliance.work import Work, do_everything
from tests.support import desk, every_page, journey
from tests.support.browser import Desks, Node, Officer, launch

SIZES = ((1024, 600), (1366, 768))


class Album:
    """The pictures of one run, numbered in the order of the story."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.number = folder, 0

    def take(self, page: Page, name: str) -> None:
        """The page as it is now: what each screen shows first, and the whole length on the laptop."""
        self.number += 1
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            page.evaluate("window.scrollTo(0, 0)")
            page.screenshot(path=self.folder / f"{self.number:03d}-{name}-{width}.png")
        page.screenshot(path=self.folder / f"{self.number:03d}-{name}-whole.png", full_page=True)


def counter(page: Page, album: Album) -> str:
    """The front office: an empty desk, finding nobody, registering with and without mistakes, opening a case."""
    album.take(page, "fo-home-empty")
    journey.find(page, "Nurhayati")
    album.take(page, "fo-nobody-found")
    page.goto("/warga/baru")
    page.get_by_label("NIK (boleh kosong)").fill("73030152")
    page.get_by_label("Tanggal lahir (boleh kosong)").fill("31-02-1985")
    page.get_by_role("button", name="Daftarkan warga").click()
    album.take(page, "fo-register-problems")
    for number, name in enumerate(("Nurhayati", "Nurhayati Daeng Bau", "Muhammad Yusuf", "Sitti Rabiah"), start=1):
        journey.register(page, f"730301520585{number:04d}", name)
    album.take(page, "fo-person")
    page.get_by_text("Tampilkan NIK dan KK lengkap").click()
    album.take(page, "fo-person-reveal")
    page.get_by_label("Alasan", exact=True).select_option(index=1)
    page.get_by_role("button", name="Tampilkan", exact=True).click()
    album.take(page, "fo-person-revealed")
    page.get_by_role("link", name="Buka kasus baru").first.click()
    page.get_by_role("button", name="Buka kasus").click()
    album.take(page, "fo-open-problems")
    journey.fill_case(page)
    album.take(page, "fo-open")
    page.get_by_role("button", name="Buka kasus").click()
    album.take(page, "fo-case")
    number = page.get_by_role("heading", level=1).inner_text().split()[0]
    journey.find(page, "Nurhayati")
    album.take(page, "fo-found")
    page.get_by_role("link", name="Nurhayati", exact=True).click()
    journey.open_case(page)
    page.goto("/")
    album.take(page, "fo-home")
    return number


def back_office(page: Page, album: Album, number: str) -> None:
    """The back office: its queue, a step, a referral, the recommendation."""
    album.take(page, "bo-home")
    page.get_by_role("link", name=number).click()
    album.take(page, "bo-case-new")
    journey.take_step(page, "Ambil untuk diverifikasi")
    album.take(page, "bo-case-verifying")
    page.get_by_role("link", name="Kembalikan untuk diperbaiki").click()
    album.take(page, "bo-case-return")
    page.go_back()
    journey.confirm(page)
    journey.take_step(page, "Teruskan ke telaah")
    page.get_by_role("link", name="Siapkan rujukan").click()
    album.take(page, "bo-referral-new")
    page.go_back()
    journey.prepare_referral(page)
    page.get_by_role("button", name="Ajukan untuk ditetapkan").click()
    album.take(page, "bo-step-problem")
    journey.take_step(page, "Ajukan untuk ditetapkan", recommendation="Reaktivasi PBI-JK lewat Dinas Kesehatan.")


def manager(page: Page, album: Album, number: str) -> None:
    """The manager decides."""
    album.take(page, "manajer-home")
    page.get_by_role("link", name=number).click()
    album.take(page, "manajer-case")
    journey.take_step(page, "Tetapkan: dirujuk", note="Setuju, segera dikirim.")


def organisation(page: Page, album: Album) -> None:
    """The organisation: its inbox, the referral, the answer."""
    album.take(page, "opd-home")
    page.get_by_role("link", name="RJK-").first.click()
    album.take(page, "opd-referral")
    page.get_by_role("button", name="Terima rujukan").click()
    page.get_by_role("link", name="Jawab").click()
    album.take(page, "opd-answer")
    page.get_by_label("Terpenuhi", exact=True).check()
    page.get_by_label("Jawaban untuk Dinas Sosial").fill("Kepesertaan aktif kembali mulai hari ini.")
    page.get_by_role("button", name="Kirim jawaban").click()
    album.take(page, "opd-answered")
    page.goto("/rujukan")
    album.take(page, "opd-list")


def ending(page: Page, album: Album, number: str) -> None:
    """The back office notes the result; the lists."""
    journey.go_to_case(page, number)
    album.take(page, "bo-case-answered")
    journey.take_step(
        page,
        "Catat hasil",
        outcome="terpenuhi",
        outcome_note="PBI-JK aktif kembali.",
        citizen_note="Kartu dapat dipakai lagi.",
        told_way="telepon",
    )
    album.take(page, "bo-case-done")
    page.goto("/kasus?tampil=semua")
    album.take(page, "bo-list")


NAMES = ("Hj. St. Aminah", "Muh. Yusuf Daeng Tompo", "Baso Amir", "Andi Mappanyukki", "Hasnah", "Daeng Ngalle", "Rosdiana")
TOLD = (
    "Bantuan PKH belum cair sejak Agustus.",
    "Rumah bocor, lantai tanah, dua anak balita.",
    "KKS hilang sewaktu pindah rumah.",
)


def fill_queue(node: Node, staff: journey.Staff) -> None:
    """Cases of the last weeks, some of them late, so that lists look as they do on an ordinary morning."""
    at, by = datetime.now(UTC), node.actor(staff.fo)
    known = catalogue.service_types()
    for number, name in enumerate(NAMES):
        person = people.NewPerson(name, "P" if number % 2 else "L", f"73.03.01.100{number % 4 + 1}", nik_reason="KTP hilang")
        resident = people.register_person(person, request_id=f"queue {number}", by=by, at=at)
        new = cases.NewCase(
            resident, known[number * 2].id, "pengaduan", TOLD[number % 3], informed=True,
            priority=("biasa", "darurat", "cepat")[number % 3], priority_reason="Segera", confidential=number == 4,
            vulnerable_groups=("lansia",) if number % 2 else (), received_at=at - timedelta(days=4 * number),
        )  # fmt: skip
        cases.open_case(new, request_id=f"queue {number}", by=by, at=at)


FAMILY = (("Abd. Rahman", "L", "1", 1960), ("Sitti Hajrah", "P", "3", 1964), ("Nurul Hidayah", "P", "4", 1999))


def fill_family(node: Node, staff: journey.Staff) -> str:
    """Three people on one family card; the identifier of the mother."""
    at, by = datetime.now(UTC), node.actor(staff.fo)
    ids = []
    for name, sex, relation, year in FAMILY:
        person = people.NewPerson(
            name, sex, journey.VILLAGE, nik_reason="Belum membawa KTP", kk="7303010101100001", relation=relation,
            birth_date=date(year, 3, 9), birth_place="Bantaeng", address="Jl. Bakri 3", rt="1", rw="2", phone="081234567890",
        )  # fmt: skip
        ids.append(people.register_person(person, request_id=name, by=by, at=at))
    new = cases.NewCase(ids[1], catalogue.service_types()[3].id, "permohonan", TOLD[0], informed=True, reporter_name="Nurul")
    cases.open_case(new, request_id="family", by=by, at=at)
    return ids[1]


def lives(page: Page, album: Album, person: str, photo: Path) -> None:
    """Correcting somebody, noting what happened to her and her family, and a photo of her house."""
    page.goto(f"/warga/{person}/ubah")
    page.get_by_label("Nama panggilan").fill("Hajrah")
    page.get_by_label("Pekerjaan").select_option("2")
    album.take(page, "person-correct")
    page.get_by_role("button", name="Simpan perbaikan").click()
    album.take(page, "person-correct-problem")
    page.get_by_label("Alasan", exact=True).select_option(index=2)
    page.get_by_role("button", name="Simpan perbaikan").click()
    for kind in ("foto", "rumah"):
        page.get_by_role("link", name="Tambah foto atau berkas").click()
        page.get_by_label("Jenis").select_option(kind)
        page.get_by_label("Berkas").set_input_files(photo)
        page.get_by_role("button", name="Simpan berkas").click()
    page.goto(f"/warga/{person}/peristiwa/pindah")
    album.take(page, "person-move")
    page.goto(f"/warga/{person}")
    page.get_by_role("link", name="Catat kawin").click()
    page.get_by_label("Pasangan").fill("Baso Amir")
    page.get_by_role("button", name="Simpan perkawinan").click()
    album.take(page, "person-lived")
    page.get_by_role("link", name="Buka halaman keluarga").click()
    page.get_by_role("link", name="Catat kelahiran").click()
    album.take(page, "family-birth")
    page.get_by_label("Nama lengkap anak").fill("Muh. Fadli")
    page.get_by_label("Laki-laki").check()
    page.get_by_label("Tanggal lahir").fill("02-11-2026")
    page.get_by_role("button", name="Simpan kelahiran").click()
    page.get_by_role("link", name="Pecah KK").click()
    album.take(page, "family-split")
    page.get_by_role("link", name="Keluarga", exact=True).click()
    page.get_by_role("link", name="Ganti nomor KK").click()
    page.get_by_label("Nomor KK baru").fill("7303010211260004")
    page.get_by_label("Alasan", exact=True).select_option(index=3)
    page.get_by_role("button", name="Simpan nomor KK").click()
    album.take(page, "family-page")


def namesake(page: Page, album: Album) -> None:
    """Somebody of the same name is known already."""
    page.goto("/warga/baru")
    page.get_by_label("Nama lengkap").fill("St. Hajrah")
    page.get_by_label("Perempuan").check()
    page.get_by_label("Alasan tanpa NIK").fill("KTP hilang, NIK tidak diingat")
    page.get_by_label("Desa atau kelurahan").select_option(journey.VILLAGE)
    page.get_by_role("button", name="Daftarkan warga").click()
    album.take(page, "fo-namesake")


def fill_twice(node: Node, staff: journey.Staff) -> None:
    """One woman who is registered twice, as the night finds her."""
    at, by = datetime.now(UTC), node.actor(staff.fo)
    rest = {"village_code": journey.VILLAGE, "birth_date": date(1964, 3, 9)}
    one = people.NewPerson("Hj. Sitti Hajrah", "P", nik="7303014903640001", mother_name="Saleha", address="Jl. Bakri 3", **rest)
    other = people.NewPerson("St. Hajrah", "P", nik="7303014903640010", phone="081234567890", address="Jl. Bakri", **rest)
    for number, person in enumerate((one, other)):
        people.register_person(person, request_id=f"twice {number}", by=by, at=at)
    night = duplicate_night.ask_if_due(at, time(22), node.settings.zone)
    assert night
    do_everything(Work(node.settings, lambda: at, lambda: False), gate_of(node.settings))


def decide(page: Page, album: Album) -> None:
    """The supervisor: the list, both side by side, merged, undone."""
    page.goto("/data-ganda")
    album.take(page, "supervisor-pairs")
    page.get_by_role("link", name="Bandingkan").first.click()
    album.take(page, "supervisor-pair")
    page.get_by_label("Alasan digabungkan").fill("KTP yang sama sudah diperlihatkan")
    page.get_by_role("button", name="Gabungkan").click()
    album.take(page, "supervisor-merged")
    page.get_by_role("link", name="Buka data warga").first.click()
    album.take(page, "supervisor-survivor")
    page.get_by_role("link", name="Lihat penggabungan").click()
    page.get_by_label("Alasan membatalkan").fill("Ternyata dua orang")
    page.get_by_role("button", name="Batalkan penggabungan").click()
    album.take(page, "supervisor-undone")


def slower(fast: Page, slow: Page, album: Album) -> None:
    """Two people take the same case."""
    number = slow.get_by_role("link", name="SLRT-").last.inner_text()
    journey.go_to_case(slow, number)
    slow.get_by_label("Catatan internal").fill("Sudah saya telepon, keluarga ada di rumah.")
    journey.go_to_case(fast, number)
    journey.take_step(fast, "Ambil untuk diverifikasi", note="Saya tangani hari ini.")
    slow.get_by_role("button", name="Ambil untuk diverifikasi").click()
    album.take(slow, "conflict")


def fill_field_case(node: Node, staff: journey.Staff) -> str:
    """A house that fell, recorded by the facilitator and taken by the supervisor; the identifier of the case."""
    at, fo, supervisor = datetime.now(UTC), node.actor(staff.fo), node.actor(staff.supervisor)
    person = people.NewPerson(
        "Hj. Rabiah", "P", journey.ELSEWHERE, nik_reason="KTP hilang", address="Jl. Bakri 3", rt="1", rw="2"
    )
    resident = people.register_person(person, request_id="field", by=fo, at=at)
    service = next(kind.id for kind in catalogue.service_types() if kind.code == "rumah")
    new = cases.NewCase(resident, service, "permohonan", TOLD[1], channel="lapangan", informed=True)
    case = cases.open_case(new, request_id="field", by=node.actor(staff.fasilitator), at=at).id
    desk.move(case, supervisor, "ambil", at)
    return case


def visiting(supervisor: Page, facilitator: Page, album: Album, case: str, photo: Path) -> None:
    """A visit: planned, on the facilitator's list, its sheet, reported with a photo, judged."""
    today = datetime.now(ZoneInfo("Asia/Makassar")).strftime("%d-%m-%Y")
    supervisor.goto(f"/kasus/{case}?langkah=jadwalkan_kunjungan")
    visitor = supervisor.locator("#visitor option").nth(1).get_attribute("value") or ""
    journey.take_step(supervisor, "Jadwalkan kunjungan", visitor=visitor, planned_date=today, note="Lihat atap dan dapur.")
    facilitator.goto("/kunjungan")
    album.take(facilitator, "visits")
    facilitator.get_by_role("link", name="Lembar").first.click()
    album.take(facilitator, "visit-sheet")
    facilitator.goto(f"/kasus/{case}")
    facilitator.locator("#photos").set_input_files(photo)
    album.take(facilitator, "visit-report")
    journey.take_step(
        facilitator, "Isi hasil kunjungan", visit_result="sesuai", visit_date=today, note="Atap roboh.", witness="H. Baso"
    )
    supervisor.goto(f"/kasus/{case}")
    album.take(supervisor, "visit-judge")
    supervisor.get_by_role("link", name="Lembar kunjungan").click()
    album.take(supervisor, "visit-sheet-filled")


def every_page_there_is(album: Album) -> None:
    """Each page once, of an office at work."""
    with ExitStack() as stack:
        node = Node(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        values = every_page.fill(node)
        node.start()
        stack.callback(node.stop)
        desks = Desks(node, launch(stack.enter_context(sync_playwright())))
        windows: dict[Officer | None, Page] = {}
        for shown in every_page.pages(node, values):
            if shown.officer not in windows:
                window = desks.window(shown.officer) if shown.officer else desks.strange_window()
                windows[shown.officer] = stack.enter_context(window)
            page = windows[shown.officer]
            page.goto(shown.path)
            album.take(page, shown.endpoint)


def story(album: Album) -> None:
    """A story with its mistakes: what forms say, and pages before anything is there."""
    with ExitStack() as stack:
        node = Node(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        staff = journey.hire(node)
        node.start()
        stack.callback(node.stop)
        desks = Desks(node, launch(stack.enter_context(sync_playwright())))

        def window(officer: Officer) -> Page:
            return stack.enter_context(desks.window(officer))

        number = counter(window(staff.fo), album)
        node.run(lambda: fill_queue(node, staff))
        page = window(staff.fo)
        album.take(page, "fo-home-busy")
        mother = node.run(lambda: fill_family(node, staff))
        page.goto(f"/warga/{mother}")
        album.take(page, "fo-person-with-family")
        photo = node.folder / "rumah.jpg"
        Image.new("RGB", (1200, 900), "peru").save(photo)
        lives(page, album, mother, photo)
        namesake(page, album)
        node.run(lambda: fill_twice(node, staff))
        decide(window(staff.supervisor), album)
        back_office(window(staff.bo), album, number)
        manager(window(staff.manajer), album, number)
        page = window(staff.bo)
        journey.go_to_case(page, number)
        page.get_by_role("button", name="Kirim rujukan").click()
        album.take(page, "bo-case-referred")
        organisation(window(staff.opd), album)
        ending(page, album, number)
        slower(window(staff.bo), window(staff.supervisor), album)
        case = node.run(lambda: fill_field_case(node, staff))
        visiting(window(staff.supervisor), window(staff.fasilitator), album, case, photo)
        album.take(window(staff.admin), "admin-home")
        album.take(window(staff.pimpinan), "pimpinan-home")


def main(folder: Path) -> None:
    """Take all pictures."""
    album = Album(folder)
    every_page_there_is(album)
    story(album)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
