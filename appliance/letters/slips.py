"""The slip that a citizen takes home when her case is opened: the number, what happens next, whom to ask."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import Actor, scope
from appliance.casework.citizen_status import last_told
from appliance.casework.day_words import long_day
from appliance.database import db, transaction
from appliance.errors import NotFound
from appliance.letters.facts import local_moment
from appliance.letters.office import letterhead
from appliance.letters.sheet import qr_uri
from appliance.models.case import Case
from appliance.models.states import OPEN, CaseState
from appliance.registry.holders import office_day

# What the citizen may expect, by where her case stands; it says nothing of what it is about.
_NEXT = {
    CaseState.NEEDS_REPAIR: "Berkas belum lengkap. Lengkapi, lalu kembali dengan slip ini.",
    CaseState.WAITING_OUTSIDE: "Menunggu keputusan instansi lain. Kami kabari bila sudah ada.",
    CaseState.REFERRED: "Sudah dirujuk ke instansi yang berwenang. Kami kabari jawabannya.",
    CaseState.DONE: "Sudah selesai ditangani.",
    CaseState.CLOSED: "Sudah selesai ditangani.",
    CaseState.REFUSED: "Permohonan belum dapat dipenuhi. Anda dapat mengajukan lagi bila keadaannya berubah.",
}
_USUAL = "Berkas kami periksa. Petugas dapat menelepon atau datang ke rumah."


@dataclass(frozen=True)
class Slip:
    """What stands on the slip; neither NIK nor complaint. `told` is what was written for her when she was refused.

    `service` is "" for a confidential case: others find the slip at home.
    """

    office: str
    address: str
    phone: str
    number: str
    name: str
    received: str
    service: str
    next_step: str
    told: str
    due: str
    qr: str
    printed: str


def print_slip(case_id: str, *, by: Actor, at: datetime) -> Slip:
    """The slip of a case. Written to the journal. Raises NotFound."""
    with transaction():
        case = db.session.scalar(scope(sa.select(Case).where(Case.id == case_id), Case, by))
        if case is None:
            raise NotFound("Kasus tidak ditemukan.", "Cari lagi dengan nomor kasus atau nama pemohon.")
        head = letterhead()
        audit.record("cetak_slip", f"case:{case_id}", by=by, at=at, detail={"warga": case.applicant_id})
        return Slip(
            office=head.office,
            address=head.address,
            phone=head.phone,
            number=case.number,
            name=case.applicant.name,
            received=local_moment(case.received_at),
            service="" if case.confidential else case.service_type.name,
            told=last_told(case.id) if case.state == CaseState.REFUSED and not case.confidential else "",
            next_step=_NEXT.get(CaseState(case.state), _USUAL),
            due=long_day(office_day(case.deadline)) if case.deadline and case.state in OPEN else "",
            qr=qr_uri(case.number),
            printed=local_moment(at),
        )
