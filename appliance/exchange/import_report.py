"""The report of an import as a workbook: a line for each remark with its cell, masked value, reason and advice."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from appliance import audit
from appliance.access import Actor
from appliance.database import db, transaction
from appliance.exchange.imports import import_in_scope
from appliance.exchange.workbooks import Column, XlsxTable
from appliance.models.imports import ImportRow

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
COLUMNS = (
    Column("Baris", width=8),
    Column("Nama", width=28),
    Column("Hasil", width=11),
    Column("Sel", width=9),
    Column("Isi sel", width=22),
    Column("Alasan", width=60),
    Column("Yang perlu dilakukan", width=50),
    Column("Pembatalan", width=24),
)
ROWS_AT_ONCE = 2000


def write(import_id: str, folder: Path, *, by: Actor, at: datetime) -> Path:
    """The report of an import in `folder`; that it was taken is recorded. Raises NotFound."""
    with transaction():
        row = import_in_scope(import_id, by)
        audit.record("impor-laporan", f"import:{row.id}", by=by, at=at)
    path = folder / "laporan.xlsx"
    table = XlsxTable(path, COLUMNS, "Laporan", "Catatan")
    statement = sa.select(ImportRow).where(ImportRow.import_id == row.id).order_by(ImportRow.number)
    for one in db.session.scalars(statement.execution_options(yield_per=ROWS_AT_ONCE)):
        taken_back = {"": "", "ya": "dibatalkan"}.get(one.taken_back, f"bertahan: {one.taken_back}")
        for cell, value, reason, advice in one.findings or [["", "", "", ""]]:
            table.write((str(one.number), one.name, one.verdict, cell, value, reason, advice, taken_back))
    notes = [
        ("Berkas", row.file_name),
        ("Keadaan", row.state),
        *(("Hasil", f"{verdict}: {n} baris") for verdict, n in row.counts.items()),
    ]
    table.close([*notes, *(("Catatan", remark) for remark in row.remarks)])
    return path
