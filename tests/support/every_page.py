"""Every page there is, each as somebody sees it who may: for whoever looks at all of them, by eye or by program.

The addresses are those of the access matrix, so that a page that is new there is looked at without a word here. The node is filled
with the sample of the demonstration, the identifiers in the addresses lead to rows that are made with the services.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from flask import Flask

from appliance import custody, database, sample
from appliance.accounts import passwords
from appliance.accounts.own import set_password
from appliance.casework import casebook
from appliance.casework.handover import NewHandover, hand_over, preview
from appliance.casework.handover_plans import plan_handover
from appliance.commands.backup_plan import gate_of
from appliance.config import Settings
from appliance.drills import records
from appliance.exchange.exports import NewExport, ask_export
from appliance.models.account import Account
from appliance.models.roles import Role
from appliance.models.states import CaseState
from appliance.power import journal, samples, state
from appliance.power.journal import Entry, Event
from appliance.power.reading import Reading
from appliance.registry.named_files import named_hashes
from appliance.restoration import looks, lost_papers
from appliance.restoration.looking import as_words
from appliance.work import Work, do_everything
from tests.service import test_pages_access as matrix
from tests.support.browser import PASSWORD, Node, Officer
from tests.support.nights import some_weeks
from tests.support.staff import AT, HOME, NEIGHBOUR, Staff
from webui import create_app

# What is opened by a page and is none itself: a file, a picture, or figures for a script.
NO_PAGES: Mapping[str, str] = {
    "areas.suggest": "suggestions for a script",
    "cases.onlookers": "figures for a script",
    "exports.download": "a file",
    "exports.progress": "figures for a script",
    "health.show": "figures for a program",
    "imports.report": "a file",
    "letters.edit": "open only while the letter is a draft",
    "letters.form": "a PDF",
    "letters.paper": "a PDF",
    "letters.preview": "a PDF",
    "letters.scan": "an attached file",
    "letters.workbook": "a file",
    "network.address_card": "a PDF",
    "network.ask_to_confirm": "open only for the minute of a trial",
    "papers.show": "an attached file",
    "papers.thumbnail": "a picture",
    "person_files.show": "an attached file",
    "person_files.thumbnail": "a picture",
    "power.sheet": "a file",
    "power_banner.state": "figures for a script",
    "proposal_bases.paper": "a PDF",
    "proposal_bases.scan": "an attached file",
    "proposals.edit": "open only while the proposal is a draft",
}
# Seen by whoever has not signed in.
FOR_STRANGERS = ("sign_in.enter", "citizen.ask", "citizen.notice", "queue.screen", "letter_check.ask", "letter_check.show")
# What a page needs after its address.
ASKED = {"slips.card": "?nomor=A1"}
# Who looks, the first who may.
LOOKERS = ("manajer", "bo", "supervisor", "fo", "admin", "fasilitator", "opd.kesehatan")
SAMPLE_NAMES = {
    "manajer": "manajer.hasan", "bo": "bo.andi", "supervisor": "supervisor.rahma", "fo": "fo.sari", "admin": "admin.it",
    "fasilitator": "fasilitator.nur", "opd.kesehatan": "opd.dinkes",
}  # fmt: skip


@dataclass(frozen=True)
class Page:
    """A page, and the officer who opens it; None for whoever is not signed in."""

    endpoint: str
    path: str
    officer: Officer | None


def endpoints() -> tuple[str, ...]:
    """All that can be opened, in the order of the access matrix, but for what is no page."""
    return tuple(line.endpoint for line in matrix.lines() if line.method == "GET" and line.endpoint not in NO_PAGES)


def fill(node: Node) -> dict[str, str]:
    """Fill an empty node; what stands in the addresses, by the names that routes have for it; after the name of an endpoint, for that one
    only."""
    values: dict[str, str] = node.run(lambda: _fill(node))
    return values


def pages(node: Node, values: Mapping[str, str]) -> Iterator[Page]:
    """Each page once."""
    rules = _rules(create_app(node.settings))
    lookers = {name: Officer(SAMPLE_NAMES[name], name) for name in LOOKERS}
    answers = {line.endpoint: line for line in matrix.lines() if line.method == "GET"}
    for endpoint in endpoints():
        path = _address(endpoint, rules[endpoint], values) + ASKED.get(endpoint, "")
        yield Page(endpoint, path, None if endpoint in FOR_STRANGERS else _looker(answers[endpoint], lookers))


def _address(endpoint: str, rule: str, values: Mapping[str, str]) -> str:
    return re.sub(r"<(\w+)>", lambda found: values.get(f"{endpoint} {found[1]}", values[found[1]]), rule)


def _looker(line: matrix.Line, lookers: Mapping[str, Officer]) -> Officer:
    for name, officer in lookers.items():
        column = next(column for column, names in matrix.COLUMNS.items() if name in names)
        # 404: the matrix has no such row, but here is one
        if matrix.right(line, column, name) in (200, 404, 409):
            return officer
    raise LookupError(f"nobody of {', '.join(lookers)} may open {line.endpoint}")


def _rules(app: Flask) -> dict[str, str]:
    return {rule.endpoint: rule.rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}


def _fill(node: Node) -> dict[str, str]:
    now = datetime.now(UTC)
    for account in sample.fill(at=now):
        _let_in(account.username, now)
    staff = _staff(node)
    node.officer("petugas.bo", Role.BO, "Irwan Saputra Daeng Manrapi", area_codes=(HOME,))  # by this name the matrix knows him
    _live_through(Path(node.settings.power.runtime), now)
    case = matrix.case_with_referral(staff)
    return {
        **case,
        **_handed_over(staff),
        "look_id": _looked_back(node.settings, staff, case["case_id"], now),
        "account_id": staff.facilitator.account_id,
        "export_id": _exported(node.settings, staff, now),
        "drill_id": _drilled(node.settings, now),
    }


def _let_in(username: str, at: datetime) -> None:
    with database.transaction() as session:
        account = session.scalars(sa.select(Account).where(Account.username == username)).one()
        set_password(account, passwords.hash_password(PASSWORD), at)


def _staff(node: Node) -> Staff:
    """The people of the sample as the short ways of the tests call them, with those the sample does without."""
    others = {
        "facilitator": node.officer("hasnah.fasilitator", Role.FASILITATOR, "Hasnah Daeng Ngalle", area_codes=(HOME,)),
        "neighbour": node.officer("rahmat.fasilitator", Role.FASILITATOR, "Muh. Rahmat Daeng Nyonri", area_codes=(NEIGHBOUR,)),
        "disdik": node.officer("opd.disdik", Role.OPD, "Baso Amir (Dinas Pendidikan)", unit="disdik"),
        "leader": node.officer("kadis.pimpinan", Role.PIMPINAN, "Drs. H. Andi Mappanyukki, M.Si."),
    }
    roles = {
        "fo": "fo",
        "bo": "bo",
        "supervisor": "supervisor",
        "manager": "manajer",
        "dinkes": "opd.kesehatan",
        "admin": "admin",
    }
    known = {role: node.actor(Officer(SAMPLE_NAMES[name], "")) for role, name in roles.items()}
    return Staff(**known, **{role: node.actor(officer) for role, officer in others.items()}, stranger=known["fo"])


def _handed_over(staff: Staff) -> dict[str, str]:
    """A village that went to the neighbour, and a plan to give it back."""
    by = staff.manager
    new = NewHandover(
        staff.facilitator.account_id, staff.neighbour.account_id, (HOME,), AT.date(), "SK 12/2026", "Cuti melahirkan"
    )
    done = hand_over(new, seen=preview(new, by=by, at=AT).seen, request_id="handover", by=by, at=AT)
    back = replace(
        new, from_account_id=new.to_account_id, to_account_id=new.from_account_id, starts=AT.date() + timedelta(days=90)
    )
    return {"handover_id": done, "plan_id": plan_handover(back, request_id="plan", by=by, at=AT)}


def _looked_back(settings: Settings, staff: Staff, case_id: str, at: datetime) -> str:
    """What the pages about restores tell: nights, papers that are gone, a state that was put aside, and a case as it was."""
    state, data = custody.state_of(settings), Path(settings.paths.data)
    state.mkdir(exist_ok=True)
    some_weeks(state, at - timedelta(hours=5))
    (data / "before-restore-1").mkdir()
    gone = sorted(hashes)[:4] if (hashes := set(named_hashes())) else ["0" * 64]
    kept = {sha256: {"id": 39, "at": (at - timedelta(days=1)).isoformat()} for sha256 in gone}
    lost_papers.keep(settings, {"checked": len(hashes), "missing": gone[:-1], "altered": gone[-1:], "kept": kept}, at)
    case = as_words(casebook.look_at_case(case_id, by=staff.manager, at=at))
    before = {**case, "description": "Kartu tidak aktif, anak sakit", "events": case["events"][:2], "referrals": []}
    before["line"] = {**case["line"], "state": CaseState.VERIFYING, "owner_name": "Andi Irwan"}
    return looks.keep(settings, {"run": 39, "taken_at": AT.isoformat(), "case": before}, staff.manager.username)


def _exported(settings: Settings, staff: Staff, at: datetime) -> str:
    new = NewExport("warga", "xlsx", "verifikasi", "Pencocokan data tahunan dengan desa", "Operator Desa Bonto Jai")
    export_id = ask_export(new, request_id="export", by=staff.manager, at=at)
    do_everything(Work(settings, lambda: at, lambda: False), gate_of(settings))
    return export_id


def _drilled(settings: Settings, at: datetime) -> str:
    begun = at - timedelta(days=3)
    steps = tuple(
        records.Step(begun + timedelta(seconds=second), text)
        for second, text in ((0, "Latihan dimulai."), (4, "Pekerjaan baru ditolak; menunggu yang berjalan."), (19, "Selesai."))
    )
    checks = (
        records.Check("Permintaan baru ditolak dengan halaman yang menjelaskan", True, "0,4 detik"),
        records.Check("Semua pekerjaan yang berjalan selesai dan tersimpan", True, "11 detik"),
        records.Check("Salinan ke stik USB selesai sebelum batas", None),
    )
    record = records.Record(
        f"{begun:%Y%m%d-%H%M%S}-L1", records.Level.DRAIN, settings.node.office, "Admin IT", begun, begun + timedelta(seconds=19),
        records.Result.PASSED, "Semua yang diperiksa terjadi.", steps, checks,
    )  # fmt: skip
    return records.close(records.folder_of(Path(settings.paths.data)), record).id


def _live_through(folder: Path, now: datetime) -> None:
    """A day of the UPS with one cut of 25 minutes, and a few older cuts for the book."""
    for minute in range(24 * 60, 0, -1):
        dark = 300 > minute > 275
        charge = 100 if minute >= 300 else min(100, 60 + (300 - minute if not dark else 0) // 3 + (minute - 275 if dark else 0))
        load = 14 + 6 * math.sin(minute / 130) + (4 if minute % 17 == 0 else 0)
        volts = None if dark else 221 + 9 * math.sin(minute / 90) - (18 if 320 > minute >= 300 else 0)
        reading = Reading(
            frozenset({"OB"} if dark else {"OL"}), charge, mains_volts=volts and round(volts, 1), load=round(load, 1)
        )
        samples.append(folder, now - timedelta(minutes=minute), reading)
    for days, minutes, left in ((20, 3, 97), (11, 48, 55), (0, 25, 60)):
        lost = now - timedelta(days=days, minutes=300)
        journal.append(folder / journal.JOURNAL_FILE, Entry(lost, Event.MAINS_LOST, {"charge": 100, "volts": 198.5}))
        back = {"charge": left, "volts": 221.0}
        journal.append(folder / journal.JOURNAL_FILE, Entry(lost + timedelta(minutes=minutes), Event.MAINS_BACK, back))
    calm = state.State(now, "online", True, True, 100, 2760, sentence="Listrik menyala.", mains_volts=221.5, load=14.0)
    state.publish(folder, calm)
