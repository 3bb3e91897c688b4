"""The cases that a collective letter names, for who may read it depends on them; every report of a visit that was returned;
what the calendar needs to count replies again; and what the papers of the first services are."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from appliance.migrations.building import refuse_changes

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

# What the services of a fresh node say of their papers.
PAPERS = {
    "KTP": ("identitas", "KTP-el asli, atau surat keterangan perekaman dari Disdukcapil"),
    "Kartu Keluarga": ("identitas", "Yang terbaru, dengan kode QR Disdukcapil"),
    "Surat fasilitas kesehatan": ("surat", "Dari puskesmas atau rumah sakit, bahwa warga perlu berobat"),
    "SKTM": ("surat", "Surat keterangan tidak mampu dari desa/kelurahan, dari tahun ini"),
    "Surat rawat inap kelas III": ("surat", "Surat keterangan dirawat dari rumah sakit, dengan kelasnya"),
    "Keterangan sekolah": ("surat", "Surat keterangan aktif dari sekolah atau kampus"),
    "Foto rumah": ("foto", "Tampak depan, atap, dinding, dan lantai"),
    "Bukti hak tanah": ("surat", "Sertifikat, akta jual beli, atau keterangan tanah dari desa/kelurahan"),
    "Akta kematian": ("identitas", "Akta, atau surat keterangan kematian dari desa/kelurahan"),
}


def upgrade() -> None:
    _create_letter_cases()
    _create_visit_reports()
    op.add_column("letter", sa.Column("checked_on", sa.Date(), nullable=True))
    op.add_column("letter", sa.Column("checked_count", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("referral", sa.Column("reply_days", sa.Integer(), nullable=True))
    _explain_papers()


def _explain_papers() -> None:
    """Only where the office has said nothing of a service's papers itself."""
    services = sa.table(
        "service_type", sa.column("id", sa.String), sa.column("requirements", sa.JSON), sa.column("requirement_notes", sa.JSON)
    )
    connection = op.get_bind()
    for row in connection.execute(sa.select(services)).all():
        known = {name: dict(zip(("kind", "example"), PAPERS[name], strict=True)) for name in row.requirements if name in PAPERS}
        if known and not row.requirement_notes:
            connection.execute(services.update().where(services.c.id == row.id).values(requirement_notes=known))


def _create_letter_cases() -> None:
    named = op.create_table(
        "letter_case",
        sa.Column("letter_id", sa.String(36), nullable=False),
        sa.Column("case_id", sa.String(36), nullable=False),
        sa.ForeignKeyConstraint(["letter_id"], ["letter.id"], name="fk_letter_case_letter_id"),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name="fk_letter_case_case_id"),
        sa.PrimaryKeyConstraint("letter_id", "case_id", name="pk_letter_case"),
    )
    op.create_index("ix_letter_case_case_id", "letter_case", ["case_id"])
    letters = sa.table("letter", sa.column("id", sa.String), sa.column("typed", sa.JSON))
    connection = op.get_bind()
    for letter in connection.execute(sa.select(letters.c.id, letters.c.typed)).all():
        rows = [{"letter_id": letter.id, "case_id": case} for case in _cases_named(connection, letter.typed)]
        if rows:
            connection.execute(named.insert(), rows)


def _cases_named(connection: sa.Connection, typed: dict[str, Any]) -> list[str]:
    """The cases whose numbers were typed, one a line."""
    numbers = {line.strip().upper() for line in typed.get("daftar_kasus", "").splitlines() if line.strip()}
    cases = sa.table("case", sa.column("id", sa.String), sa.column("number", sa.String))
    if not numbers:
        return []
    return list(connection.scalars(sa.select(cases.c.id).where(cases.c.number.in_(sorted(numbers)))))


def _create_visit_reports() -> None:
    reports = op.create_table(
        "visit_report",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("visit_id", sa.String(36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("visitor_id", sa.String(36), nullable=False),
        sa.Column("visited_on", sa.Date(), nullable=True),
        sa.Column("result", sa.String(16), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("witness", sa.String(120), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("judged_by", sa.String(36), nullable=False),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("judgement", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name="fk_visit_report_visit_id"),
        sa.ForeignKeyConstraint(["visitor_id"], ["account.id"], name="fk_visit_report_visitor_id"),
        sa.PrimaryKeyConstraint("id", name="pk_visit_report"),
        sa.UniqueConstraint("visit_id", "position", name="uq_visit_report_visit_id_position"),
    )
    _keep_returned_reports(reports)
    refuse_changes("visit_report")


def _keep_returned_reports(reports: sa.Table) -> None:
    """What stands returned now would be written over by the next report; the visit's own identifier serves as that of the first."""
    kept = ("visitor_id", "visited_on", "result", "report", "witness", "latitude", "longitude", "judgement")
    visits = sa.table("visit", *(sa.column(name) for name in ("id", "state", "judged_by", "updated_at", *kept)))
    standing = sa.select(
        visits.c.id, visits.c.id, sa.literal(1), sa.func.coalesce(visits.c.judged_by, "system"), visits.c.updated_at,
        *(visits.c[name] for name in kept),
    ).where(visits.c.state == "DIKEMBALIKAN")  # fmt: skip
    op.execute(reports.insert().from_select(["id", "visit_id", "position", "judged_by", "judged_at", *kept], standing))
