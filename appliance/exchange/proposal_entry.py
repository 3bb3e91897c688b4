"""Proposals that are ready, laid out for keying in by hand: the fields in the order of SIKS-NG, with whole numbers, a few at a time.

Opening them is a look at whole numbers: the journal names each resident and why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import Actor, require_area
from appliance.database import db, settings_in_use, transaction
from appliance.errors import InvalidInput
from appliance.exchange.export_filter import ListFilter
from appliance.exchange.export_layouts import ENTRY_LAYOUT, LAYOUTS, Subject, chosen_layout
from appliance.exchange.export_rows import Rows
from appliance.exchange.export_run import around_of, whole_number
from appliance.models.proposal import Proposal
from appliance.models.proposal_words import ProposalState
from appliance.proposals.steps import ENTERERS
from appliance.registry.holders import office_day

AT_ONCE = 10
REASON = "Mengisi aplikasi lain (SIKS-NG, BPJS)"


@dataclass(frozen=True)
class EntryRow:
    """One proposal to key in: label and value of each field in order, and all values in one line for a sheet."""

    id: str
    number: str
    name: str
    row_version: int
    fields: tuple[tuple[str, str], ...]

    @property
    def line(self) -> str:
        """The values with a tab between two."""
        return "\t".join(" ".join(value.split()) for _, value in self.fields)


def rows_to_key_in(village_code: str, *, by: Actor, at: datetime, chosen: Sequence[str] = ()) -> tuple[EntryRow, ...]:
    """The first AT_ONCE ready proposals of a village in the order of its addresses, or those of `chosen` among them.

    Raises NotAllowed, InvalidInput when nothing is ready.
    """
    if not village_code:
        raise InvalidInput({"village_code": "Pilih desa/kelurahan dahulu."})
    require_area(by, village_code, *sorted(ENTERERS))
    layout = LAYOUTS[ENTRY_LAYOUT]
    columns = [(layout.fields[key], heading) for key, heading in chosen_layout(ENTRY_LAYOUT).columns]
    with transaction():
        rows = Rows(Subject.PROPOSALS, ListFilter(proposals=ProposalState.READY), (village_code,), by, office_day(at))
        found = [row for page in rows.pages(village_code) for row in page if not chosen or row.id in chosen][:AT_ONCE]
        if not found:
            raise InvalidInput({"village_code": "Tidak ada usulan yang siap dientri di desa/kelurahan ini."})
        (village,) = rows.villages()
        around = around_of(village, rows, whole_number, settings_in_use().zone)
        versions = _versions([row.id for row in found])
        for row in found:
            detail = {"alasan": REASON, "usulan": row.id}
            audit.record("ungkap", f"person:{row.person_id}", by=by, at=at, detail=detail)
    return tuple(
        EntryRow(
            row.id,
            row.number,
            row.name,
            versions[row.id],
            tuple((heading, field.value(row, around)) for field, heading in columns),
        )
        for row in found
    )


def _versions(ids: Sequence[str]) -> dict[str, int]:
    found = db.session.execute(sa.select(Proposal.id, Proposal.row_version).where(Proposal.id.in_(ids)))
    return {row.id: row.row_version for row in found}
