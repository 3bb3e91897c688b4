"""What the people of an office do all day, each by her role: pages read, forms filled, and a while of thinking between them."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from appliance.models.roles import Role
from tests.bench.load_browser import Browser, Refused
from tests.support.web_client import PASSWORD

ID = r"[0-9a-f-]{36}"
# Of a hundred people: most are in the villages.
SHARES: Mapping[Role, int] = {
    Role.FASILITATOR: 36,
    Role.FO: 18,
    Role.BO: 20,
    Role.OPD: 14,
    Role.SUPERVISOR: 6,
    Role.MANAJER: 3,
    Role.PENANDATANGAN: 3,
}
# The steps of a case in the order in which a page is searched for them, with what is typed.
CASE_STEPS: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("Ambil untuk diverifikasi", {}),
    ("Sahkan", {"duplicates_seen": "ya"}),
    ("Teruskan ke telaah", {}),
    ("Ajukan untuk ditetapkan", {"recommendation": "Rujuk ke Dinas Kesehatan untuk bantuan biaya."}),
    ("Tetapkan: dirujuk", {}),
    ("Kirim rujukan", {}),
    (
        "Catat hasil",
        {
            "outcome": "Terpenuhi",
            "outcome_note": "Biaya ditanggung.",
            "citizen_note": "Sudah dapat berobat.",
            "told_way": "Telepon",
        },
    ),
)
REFERRAL_STEPS: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("Terima rujukan", {}),
    ("Mulai diproses", {}),
    ("Kirim jawaban", {"outcome": "Terpenuhi", "reply": "Biaya perawatan ditanggung mulai bulan ini."}),
)
LETTER_STEPS: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("Terbitkan dan beri nomor", {}),
    ("Setujui untuk diterbitkan", {}),
    ("Bubuhkan paraf", {}),
)


@dataclass(frozen=True)
class Post:
    """Whom somebody signs in as, and the names that she may ask for."""

    username: str
    role: Role
    names: tuple[str, ...]


@dataclass(frozen=True)
class Pace:
    """How long people think between two pages on average, within how long all have arrived (seconds), the sign of the day's end."""

    think: float
    arrival: float
    over: threading.Event


def posts(people: int) -> list[tuple[str, Role]]:
    """User names and roles of so many people; of every role at least one."""
    counts = {role: max(1, round(people * share / 100)) for role, share in SHARES.items()}
    counts[Role.FASILITATOR] = max(1, people - sum(count for role, count in counts.items() if role is not Role.FASILITATOR))
    return [(f"{role.value}.{number}", role) for role, count in counts.items() for number in range(count)]


class Person:
    """One of them, at her browser."""

    def __init__(self, post: Post, browser: Browser, pace: Pace, service: str) -> None:
        self.post, self.browser, self.pace, self.service = post, browser, pace, service
        self.dice = random.Random(post.username)  # noqa: S311  the same day in every run

    def work(self) -> None:
        """Sign in and do one thing after the other until the day is over. A mishap ends the thing, not the day."""
        self.pace.over.wait(self.dice.uniform(0, self.pace.arrival))
        things = DAYS[self.post.role]
        signed_in = self._do(Person.sign_in)
        while not self.pace.over.is_set():
            (thing,) = self.dice.choices([thing for thing, _ in things], [weight for _, weight in things])
            if signed_in:
                self._do(thing)
            else:
                signed_in = self._do(Person.sign_in)
            self._pause()
        self.browser.close()

    def _do(self, thing: Callable[[Person], None]) -> bool:
        try:
            thing(self)
        except Refused:
            return False
        except AssertionError as error:  # a page without what is always on it
            self.browser.tally.note_error(f"page of {thing.__name__}", " ".join(str(error).split())[:300])
            return False
        return True

    def _pause(self, share: float = 1.0) -> None:
        self.pace.over.wait(self.pace.think * share * self.dice.uniform(0.5, 1.5))

    def sign_in(self) -> None:
        self.browser.visit("/masuk")
        self.browser.press("Masuk", username=self.post.username, password=PASSWORD)

    def look_at_desk(self) -> None:
        self.browser.visit("/")

    def find_person(self) -> bool:
        """Search for a name and open one of those found; whether there was one."""
        self.browser.visit("/warga")
        self._pause()
        if not self.browser.press("Cari", q=self.dice.choice(self.post.names)):
            return False
        found = self.browser.links(f"/warga/{ID}")
        if found:
            self._pause()
            self.browser.visit(self.dice.choice(found))
        return bool(found)

    def look_at_person(self) -> None:
        self.find_person()

    def open_case(self) -> None:
        """Find somebody and open a case for her; one finger in ten presses twice."""
        if not self.find_person() or not self.browser.links(f"/warga/{ID}/kasus-baru"):
            return  # nobody of that name, or she has died
        self.browser.follow("Buka kasus baru")
        self._pause()
        answers = {"kind": "Pengaduan", "description": "Butuh biaya berobat sejak bulan lalu.", "priority": "Biasa"}
        twice = self.dice.random() < 0.1
        self.browser.press("Buka kasus", twice=twice, service_type_id=self.service, informed="ya", **answers)

    def register_person(self) -> None:
        """Somebody whom nobody knew; when the name looks known, say that she is another."""
        self.browser.visit("/warga/baru")
        self._pause()
        name = " ".join("".join(self.dice.choices("aeioudklmnrst", k=7)).title() for _ in range(2))
        born = f"{self.dice.randint(1, 28):02d}-{self.dice.randint(1, 12):02d}-{self.dice.randint(1950, 2010)}"
        form, _ = self.browser.page.form_with("Daftarkan warga")
        village = form.field_for("village_code")
        assert village is not None, "no village to choose"
        answers = {"name": name, "sex": "Perempuan", "birth_date": born}
        answers["village_code"] = self.dice.choice([value for value, _ in village.options if value])
        answers["nik_reason"] = "Belum"
        if not self.browser.press("Daftarkan warga", refusable=True, **answers):
            self.browser.press("Tetap buat baru", despite="KTP-nya berbeda")

    def look_at_cases(self) -> None:
        """A list, then a case of it."""
        self._choose_case(self.dice.choice(("saya", "terbuka", "semua")))

    def take_step(self) -> None:
        """Of the queue a case, and what is to be done with it."""
        if not self._choose_case("antrean"):
            return
        self._pause()
        if "Simpan pemeriksaan" in self.browser.buttons():
            self._judge_papers()
        elif self._link("Siapkan rujukan") and not re.search(r"RJK-\d", self.browser.html):
            self._refer()
        else:
            self._next(CASE_STEPS)

    def answer_referral(self) -> None:
        """Of the inbox a referral, and the step that comes next."""
        self.browser.visit("/rujukan?status=" + self.dice.choice(("DIKIRIM", "DITERIMA", "DIPROSES", "")))
        found = self.browser.links(f"/rujukan/{ID}")
        if not found:
            return
        self._pause()
        self.browser.visit(self.dice.choice(found))
        self._pause()
        if not self._next(REFERRAL_STEPS) and self._link("Jawab"):
            self.browser.follow("Jawab")
            self._next(REFERRAL_STEPS)

    def draft_letter(self) -> None:
        """A certificate for one of the open cases."""
        if not (case := self._choose_case("terbuka")):
            return
        self.browser.visit(f"{case}/surat-baru?naskah=sktm")
        self._pause()
        form, _ = self.browser.page.form_with("Simpan konsep")
        signatory = form.field_for("signatory_id")
        assert signatory is not None, "no signatory to choose"
        answers = {"purpose": "Biaya berobat", "signatory_id": next(value for value, _ in signatory.options if value)}
        if not self.browser.press("Simpan konsep", refusable=True, **answers) and "again" in self.browser.html:
            self.browser.press("Simpan konsep", refusable=True, again="ya", **answers)

    def move_letter(self) -> None:
        """Of the letters that wait for her one: read it as it would be printed, take its step; the issued one is printed."""
        self.browser.visit("/surat")
        found = self.browser.links(f"/surat/{ID}")
        if not found:
            return
        letter = self.dice.choice(found)
        self.browser.visit(letter)
        if self.browser.links(f"{letter}/pratinjau.pdf"):
            self.browser.visit(f"{letter}/pratinjau.pdf")
            self._pause()
            self.browser.visit(letter)
        if self._next(LETTER_STEPS) and self.browser.links(f"{letter}/surat.pdf"):
            self.browser.visit(f"{letter}/surat.pdf")

    def _choose_case(self, view: str) -> str:
        self.browser.visit(f"/kasus?tampil={view}")
        found = self.browser.links(f"/kasus/{ID}")
        if not found:
            return ""
        self._pause()
        chosen = self.dice.choice(found)
        self.browser.visit(chosen)
        return chosen

    def _link(self, words: str) -> bool:
        return any(words in text for text, _ in self.browser.page.links)

    def _next(self, steps: tuple[tuple[str, Mapping[str, str]], ...]) -> bool:
        """Take the first of the steps that the page offers; whether one was taken."""
        offered = list(self.browser.buttons())
        for label, answers in steps:
            if label in offered:
                # some services ask for the kind of person, too
                asked = self.browser.page.form_with(label)[0].field_for("ppks")
                kinds = {"ppks": self.dice.choice([value for value, _ in asked.options if value])} if asked else {}
                return self.browser.press(label, **answers, **kinds)
        return False

    def _judge_papers(self) -> None:
        form, _ = self.browser.page.form_with("Simpan pemeriksaan")
        answers = {known.name: "sah" for known in form.fields if known.name.startswith("state-")}
        if self.browser.press("Simpan pemeriksaan", **answers):
            self._pause()
            self._next(CASE_STEPS)

    def _refer(self) -> None:
        self.browser.follow("Siapkan rujukan")
        self._pause()
        form, _ = self.browser.page.form_with("Simpan rujukan")
        target = form.field_for("unit_id")
        assert target is not None, "no organisation to choose"
        unit = next(value for value, words in target.options if "Kesehatan" in words)
        if self.browser.press("Simpan rujukan", unit_id=unit, summary="Mohon bantuan biaya perawatan."):
            self._pause()
            self._next(CASE_STEPS)


Day = tuple[tuple[Callable[[Person], None], int], ...]
_READING: Day = ((Person.look_at_desk, 2), (Person.look_at_cases, 3), (Person.look_at_person, 3))
DAYS: Mapping[Role, Day] = {
    Role.FO: (*_READING, (Person.open_case, 4), (Person.register_person, 2)),
    Role.FASILITATOR: (*_READING, (Person.open_case, 3), (Person.register_person, 1)),
    Role.BO: (*_READING, (Person.take_step, 10), (Person.draft_letter, 2), (Person.move_letter, 3)),
    Role.SUPERVISOR: (*_READING, (Person.take_step, 6), (Person.move_letter, 2)),
    Role.MANAJER: (*_READING, (Person.take_step, 6), (Person.move_letter, 3)),
    Role.PENANDATANGAN: ((Person.move_letter, 1),),
    Role.OPD: ((Person.look_at_desk, 2), (Person.answer_referral, 6)),
}
