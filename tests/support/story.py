"""The story that is played against a booted node: officers sign in over TLS, a case is filed, referred, answered and closed.

Only what a person sees is used (pages, buttons, the sheet with the first password); nothing reaches into the node.
"""

from __future__ import annotations

import re
import ssl
import urllib.request
from dataclasses import dataclass, field

from tests.support.machine import Machine, wait_for
from tests.support.machine_run import FIRST_SIGN_IN
from tests.support.office import SECONDS, Office

OFFICERS = {  # user name → name, role as the page calls it
    "fo.ani": ("Andi Nurhayati", "Front Office"),
    "bo.budi": ("Budi Santoso", "Back Office"),
    "spv.citra": ("Citra Lestari", "Supervisor"),
    "mgr.dewi": ("Dewi Anggraini", "Manajer SLRT"),
    "opd.eko": ("Eko Prasetyo", "Petugas OPD"),
}
RESIDENT = "Siti Rahmatia"
NIK = "7303014107850002"
COMPLAINT = "Kartu JKN tidak aktif sejak Agustus; anak perlu berobat."
ANSWER = "Kepesertaan diaktifkan kembali mulai 1 Desember."


def certificate_authority(machine: Machine) -> str:
    """The node's CA as anybody in the office gets it: over plain HTTP from the hand-out page. PEM text."""
    with urllib.request.urlopen(f"http://{machine.address}/ca.crt", timeout=SECONDS) as answer:
        return ssl.DER_cert_to_PEM_cert(answer.read())


@dataclass
class Node:
    """A booted node as its officers know it: an address, a CA, and who has which password."""

    machine: Machine
    ca: str
    passwords: dict[str, str] = field(default_factory=dict)

    @property
    def base(self) -> str:
        """The address in the browser."""
        return f"https://{self.machine.address}/"

    def sign_in(self, username: str) -> Office:
        """A laptop with this person signed in."""
        office = Office(self.base, self.ca)
        office.visit("/masuk")
        office.press("Masuk", username=username, password=self.passwords[username])
        assert office.page.status == 200, str(office.page)
        return office

    def take_over(self, username: str, once: str) -> Office:
        """Sign in with a one-time password and make an own one, as the page demands."""
        self.passwords[username] = once
        office = self.sign_in(username)
        own = "jerapah kayu hijau sebelas"  # the same for all: this is not a test of passwords
        assert "Buat kata sandi Anda sendiri" in office.page.title, str(office.page)
        office.press("Simpan kata sandi", current=once, new=own, again=own)
        assert office.page.status == 200, str(office.page)
        self.passwords[username] = own
        return office


def meet(machine: Machine, passwords: dict[str, str] | None = None) -> Node:
    """Come to a booted node for the first time from this host, or, with `passwords`, once more."""
    return Node(machine, certificate_authority(machine), dict(passwords or {}))


def first_password(machine: Machine) -> str:
    """The one-time password that install.sh left for the first admin."""
    sheet = machine.read(FIRST_SIGN_IN)
    found = re.search(r"Kata sandi\s*:\s*(\S+)", sheet)
    assert found, sheet
    return found[1]


def furnish(node: Node, *usernames: str) -> None:
    """The first admin takes over, and gives the officers (all, or those that are named) their accounts."""
    admin = node.take_over("admin.it", first_password(node.machine))
    for username, (name, role) in OFFICERS.items():
        if usernames and username not in usernames:
            continue
        admin.visit("/akun")
        admin.follow("Akun baru")
        unit = {"unit_id": "Dinas Kesehatan"} if username.startswith("opd") else {}
        admin.press("Buat akun", name=name, username=username, role=role, **unit)
        once = re.search(r"Nama pengguna\s+(\S+)\s+(\S+)", admin.page.text)
        assert once, str(admin.page)
        assert once[1] == username, str(admin.page)
        node.take_over(username, once[2])


def file_case(node: Node, description: str = COMPLAINT) -> str:
    """The front office finds or registers the resident and opens a case for her. Gives the number of the case."""
    desk = node.sign_in("fo.ani")
    desk.visit("/warga")
    desk.press("Cari", q=NIK)
    if RESIDENT not in desk.page.title:  # a NIK that is known leads straight to its owner
        desk.follow("Daftarkan warga baru")
        village = _first(desk, "Daftarkan warga", "village_code")
        desk.press("Daftarkan warga", name=RESIDENT, nik=NIK, sex="Perempuan", birth_date="01-07-1985", village_code=village)
    desk.follow("Buka kasus baru")
    return open_case(desk, description)


def open_case(desk: Office, description: str) -> str:
    """Open a case from the page of a resident, where `desk` is. Gives its number."""
    answers = {"kind": "Pengaduan", "description": description, "priority": "Biasa", "informed": "ya"}
    desk.press("Buka kasus", service_type_id=_first(desk, "Buka kasus", "service_type_id"), **answers)
    number = re.match(r"SLRT-\S+", desk.page.title)
    assert number, str(desk.page)
    return number[0]


def settle_case(node: Node, number: str) -> None:
    """From the desk of the back office over the manager and the OPD back to the citizen."""
    back, manager, agency = (node.sign_in(name) for name in ("bo.budi", "mgr.dewi", "opd.eko"))
    take_step(back, number, "Ambil untuk diverifikasi")
    back.press("Simpan pemeriksaan", **{"state-0": "Sah"})
    take_step(back, number, "Sahkan", duplicates_seen="ya")
    take_step(back, number, "Teruskan ke telaah")
    back.follow("Siapkan rujukan")
    health = _first(back, "Simpan rujukan", "unit_id", "Dinas Kesehatan")
    back.press("Simpan rujukan", unit_id=health, summary="Mohon reaktivasi PBI-JK.")
    take_step(back, number, "Ajukan untuk ditetapkan", recommendation="Rujuk ke Dinas Kesehatan.")
    take_step(manager, number, "Tetapkan: dirujuk")
    find_case(back, number)
    back.press("Kirim rujukan")
    agency.visit("/rujukan")
    agency.follow("RJK-")
    agency.press("Terima rujukan")
    agency.press("Mulai diproses")
    agency.follow("Jawab")
    agency.press("Kirim jawaban", outcome="Terpenuhi", reply=ANSWER)
    result = {"outcome": "Terpenuhi", "outcome_note": ANSWER, "citizen_note": "Kartu dapat dipakai lagi.", "told_way": "Telepon"}
    take_step(back, number, "Catat hasil", **result)
    take_step(node.sign_in("fo.ani"), number, "Tutup: warga sudah diberi tahu")


def find_case(office: Office, number: str) -> str:
    """Look a case up by its number and read its page."""
    office.visit("/kasus")
    office.press("Saring", text=number)  # a whole number leads straight to its case
    assert number in office.page.title, str(office.page)
    return office.page.text


def take_step(office: Office, number: str, label: str, **answers: str) -> None:
    """Find the case and take one step of its life."""
    find_case(office, number)
    if not any(button.text.startswith(label) for form in office.page.forms for button in form.buttons):
        office.follow(label)
    office.press(label, **answers)
    assert office.page.status == 200, str(office.page)


def _first(office: Office, button: str, name: str, words: str = "") -> str:
    """The value of the first real choice of a field, or of the one that begins with `words`."""
    form, _ = office.page.form_with(button)
    found = form.field_for(name)
    assert found is not None, str(office.page)
    return next(value for value, text in found.options if value and text.startswith(words))


def take_list(node: Node) -> str:
    """The manager asks for the residents as CSV; the node's worker makes it beside the pages. What is in the file."""
    manager = node.sign_in("mgr.dewi")
    manager.visit("/ekspor")
    manager.follow("Minta ekspor")
    why = {"reason": "Laporan kepada pimpinan", "reason_note": "Uji penerimaan.", "recipient": "Kepala Dinas"}
    manager.press("Minta ekspor", layout="warga", format="csv-titik-koma", masked="Disamarkan", **why)
    address = manager.page.address
    wait_for("the list is made", lambda: "Siap diunduh" in manager.visit(address).text, 90, pause=1.0)
    return manager.follow("Unduh").text
