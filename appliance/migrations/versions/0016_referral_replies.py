"""How a referral came back: why, what is missing, the paper with the answer, and who was reminded; the facts of a case's special flow."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("referral", sa.Column("return_code", sa.String(20), nullable=False, server_default=""))
    op.add_column("referral", sa.Column("missing", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("referral", sa.Column("replied_on", sa.Date(), nullable=True))
    op.add_column("referral", sa.Column("reply_paper_id", sa.String(36), nullable=True))
    op.add_column("referral", sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("referral", sa.Column("escalated_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_referral_state_reply_due", "referral", ["state", "reply_due"])
    op.add_column("case", sa.Column("flow_facts", sa.JSON(), nullable=False, server_default="{}"))
