"""What the steps of a proposal need and mean besides the state: dates, numbers, and what the registry learns of a result. For services."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime

import sqlalchemy as sa

from appliance.access import Actor
from appliance.casework.office_calendar import calendar_in_use, close_after
from appliance.database import db
from appliance.errors import InvalidInput
from appliance.models.person import NikStatus
from appliance.models.profile import Listed, NationalList
from appliance.models.programme import CODE_WORD, ParticipationStatus, Programme, Source, Target
from appliance.models.proposal import Proposal
from appliance.models.proposal_words import BasisState, ProposalKind
from appliance.proposals.kinds import KINDS
from appliance.proposals.steps import Line, ProposalStep
from appliance.proposals.window_rules import stored_rules, window_now
from appliance.proposals.windows import rule_for, window_on
from appliance.registry import nik
from appliance.registry.areas import knows_area
from appliance.registry.holders import Holder, office_day
from appliance.registry.list_status import NewStatus, add_status
from appliance.registry.participation import NewParticipation, let_take_part
from appliance.registry.programmes import HIGHEST_DECILE

NATIONAL_LIST = "dtsen"


def cautions_of(proposal: Proposal) -> tuple[str, ...]:
    """What a checker should see of the resident before she says yes; nothing of it forbids."""
    person = proposal.person
    told: list[str] = []
    if person.nik and KINDS[ProposalKind(proposal.kind)].enters:
        told += nik.check_nik(person.nik, sex=person.sex, birth_date=person.birth_date, knows_area=knows_area).doubts
    if person.nik_status == NikStatus.TEMPORARY:
        told.append("NIK warga ini bersifat sementara; cocokkan dengan Dukcapil.")
    if person.family is None or not person.family.kk:
        told.append("Nomor KK belum tercatat; DTSEN didata menurut keluarga.")
    return tuple(told)


def problems_before(proposal: Proposal, line: Line, values: Mapping[str, str], at: datetime) -> dict[str, str]:
    """What is wrong with checked values of a step, by field. `seen` says that the cautions were looked at."""
    today = office_day(at)
    match line.step:
        case ProposalStep.CHECK if cautions_of(proposal) and not values.get("seen"):
            return {"seen": "Ada peringatan tentang data warga; cocokkan dengan berkasnya, lalu centang."}
        case ProposalStep.ENTER:
            return _day_problem("entered_on", values, _basis_day(proposal), today) | _long("outside_number", values)
        case ProposalStep.FIELD_CHECK:
            return _day_problem("field_on", values, proposal.entered_on, today)
        case ProposalStep.ACCEPT | ProposalStep.REJECT | ProposalStep.HOLD:
            return _day_problem("result_on", values, proposal.entered_on, today) | _long("list_period", values) | _decile(values)
    return {}


def _day_problem(name: str, values: Mapping[str, str], earliest: date | None, today: date) -> dict[str, str]:
    day = date.fromisoformat(values[name])
    if day > today:
        return {name: "Paling lambat hari ini."}
    if earliest and day < earliest:
        return {name: f"Tidak sebelum {earliest:%d-%m-%Y}."}
    return {}


def _basis_day(proposal: Proposal) -> date | None:
    return proposal.basis.signed_on if proposal.basis else None


def _long(name: str, values: Mapping[str, str]) -> dict[str, str]:
    return {name: f"Terlalu panjang; paling banyak {CODE_WORD} huruf."} if len(values.get(name, "")) > CODE_WORD else {}


def _decile(values: Mapping[str, str]) -> dict[str, str]:
    typed = values.get("decile", "")
    if typed and not (typed.isdecimal() and 1 <= int(typed) <= HIGHEST_DECILE):
        return {"decile": f"Desil antara 1 dan {HIGHEST_DECILE}, seperti yang tampil di SIKS-NG."}
    return {}


def _checked(proposal: Proposal, values: Mapping[str, str], by: Actor, at: datetime) -> dict[str, str]:
    proposal.checked_by = by.account_id
    told = cautions_of(proposal)
    return {"Peringatan yang dilihat": " ".join(told)} if told else {}


def _returned(proposal: Proposal, values: Mapping[str, str], by: Actor, at: datetime) -> dict[str, str]:
    proposal.checked_by = None
    return {}


def _entered(proposal: Proposal, values: Mapping[str, str], by: Actor, at: datetime) -> dict[str, str]:
    """An entry after the cut-off counts for the month after."""
    proposal.entered_on, proposal.outside_number = date.fromisoformat(values["entered_on"]), values["outside_number"]
    rules = stored_rules()
    period = window_on(rules, proposal.entered_on, calendar_in_use()).period
    proposal.result_due = close_after(at, rule_for(rules, period).result_days)
    told = {"Periode": period} if period != proposal.period else {}
    proposal.period = period
    return told


def _not_entered(proposal: Proposal, values: Mapping[str, str], by: Actor, at: datetime) -> dict[str, str]:
    proposal.entered_on, proposal.outside_number, proposal.result_due = None, "", None
    return {}


def _carried(proposal: Proposal, values: Mapping[str, str], by: Actor, at: datetime) -> dict[str, str]:
    before, proposal.period = proposal.period, window_now(at).window.period
    return {"Periode": f"{before} → {proposal.period}"}


def _withdrawn(proposal: Proposal, values: Mapping[str, str], by: Actor, at: datetime) -> dict[str, str]:
    """It leaves the agenda of a meeting that is not signed yet; on a signed paper it stays."""
    if proposal.basis and proposal.basis.state != BasisState.SIGNED:
        proposal.basis, proposal.basis_id, proposal.decision = None, None, ""
    return {}


def _answered(proposal: Proposal, values: Mapping[str, str], by: Actor, at: datetime) -> dict[str, str]:
    proposal.result_on, proposal.result_note = date.fromisoformat(values["result_on"]), values.get("note", "")
    return {}


def _accepted(proposal: Proposal, values: Mapping[str, str], by: Actor, at: datetime) -> dict[str, str]:
    """What was accepted is a look into the national list, as any other; aid that was accepted is taken part in."""
    _answered(proposal, values, by, at)
    if proposal.programme_id:
        return _taken_part(proposal, by, at)
    listed = KINDS[ProposalKind(proposal.kind)].listed
    source = db.session.scalar(sa.select(NationalList).where(NationalList.code == NATIONAL_LIST, NationalList.active))
    if not listed or source is None:
        return {}
    decile = int(values["decile"]) if values.get("decile") and listed == Listed.YES else None
    seen = NewStatus(
        list_id=source.id,
        listed=listed,
        checked_on=proposal.result_on,
        family=proposal.family_id is not None,
        outside_id=proposal.outside_number,
        decile=decile,
        period=values.get("list_period", ""),
        evidence=f"Hasil usulan {proposal.number}",
    )
    try:
        add_status(_holder(proposal), seen, request_id=f"usulan-{proposal.id}", by=by, at=at)
    except InvalidInput as error:
        raise InvalidInput({"result_on": " ".join(error.problems.values())}) from error
    return {"Dicatat di daftar nasional": source.name}


def _taken_part(proposal: Proposal, by: Actor, at: datetime) -> dict[str, str]:
    programme = db.session.get_one(Programme, proposal.programme_id)
    new = NewParticipation(
        programme_id=programme.id,
        status=ParticipationStatus.ACTIVE,
        source=Source.SIKS_NG,
        known_on=proposal.result_on,
        note=f"Hasil usulan {proposal.number}.",
    )
    try:
        let_take_part(_taker(proposal, programme), programme, new, request_id=f"usulan-{proposal.id}", by=by, at=at)
    except InvalidInput as error:
        raise InvalidInput({"result_on": " ".join(error.problems.values())}) from error
    return {"Kepesertaan": f"{programme.name}, aktif"}


def _holder(proposal: Proposal) -> Holder:
    """Whom it was about. A family of one who moved meanwhile is hers no more: what was accepted was about the family of then."""
    return Holder(None if proposal.family_id else proposal.person_id, proposal.family_id, proposal.village_code)


def _taker(proposal: Proposal, programme: Programme) -> Holder:
    """Who takes part: as the programme is meant, whatever was ticked, so that nobody holds it twice, as a person and with her family."""
    family_id = proposal.family_id or proposal.person.family_id
    if programme.target == Target.PERSON:
        return Holder(proposal.person_id, None, proposal.village_code)
    if programme.target == Target.FAMILY and family_id:
        return Holder(None, family_id, proposal.village_code)
    return _holder(proposal)


AFTER: Mapping[ProposalStep, Callable[[Proposal, Mapping[str, str], Actor, datetime], Mapping[str, str]]] = {
    ProposalStep.CHECK: _checked,
    ProposalStep.RETURN: _returned,
    ProposalStep.RESUBMIT: _returned,
    ProposalStep.ENTER: _entered,
    ProposalStep.UNDO_ENTRY: _not_entered,
    ProposalStep.CARRY: _carried,
    ProposalStep.WITHDRAW: _withdrawn,
    ProposalStep.ACCEPT: _accepted,
    ProposalStep.REJECT: _answered,
    ProposalStep.HOLD: _answered,
}
