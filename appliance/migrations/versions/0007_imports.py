"""Imported files and their rows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "import_file",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(36), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.String(36), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("file_name", sa.String(160), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("layout", sa.String(24), nullable=False),
        sa.Column("sheet", sa.String(120), nullable=False),
        sa.Column("header_row", sa.Integer(), nullable=False),
        sa.Column("signature", sa.String(64), nullable=False),
        sa.Column("mapping", sa.JSON(), nullable=False),
        sa.Column("existing", sa.String(10), nullable=False),
        sa.Column("village_code", sa.String(13), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=True),
        sa.Column("remarks", sa.JSON(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_import_file"),
        sa.UniqueConstraint("request_id", name="uq_import_file_request_id"),
    )
    op.create_index("ix_import_file_created_by_created_at", "import_file", ["created_by", "created_at"])
    op.create_index("ix_import_file_sha256", "import_file", ["sha256"])
    op.create_index("ix_import_file_signature", "import_file", ["signature"])
    _create_rows()


def _create_rows() -> None:
    op.create_table(
        "import_row",
        sa.Column("import_id", sa.String(36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(10), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=True),
        sa.Column("stored", sa.Boolean(), nullable=False),
        sa.Column("person_id", sa.String(36), nullable=True),
        sa.Column("family_id", sa.String(36), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("undo", sa.JSON(), nullable=True),
        sa.Column("taken_back", sa.String(120), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["import_file.id"], name="fk_import_row_import_id"),
        sa.PrimaryKeyConstraint("import_id", "number", name="pk_import_row"),
    )
    op.create_index("ix_import_row_import_id_verdict", "import_row", ["import_id", "verdict", "number"])
