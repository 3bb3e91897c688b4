"""The number by which a survey knows a household, kept with its profile, and found by it as by the number in a national list;
and what the lists of a single village ask, in their indexes.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


_NEWEST = ("village_code", "received_at", "id", "service_type_id", "priority", "confidential", "number")
_OF_CASE = ("case_id", "finished_at", "id", "state", "unit_id", "sent_at")


def upgrade() -> None:
    op.add_column("profile", sa.Column("outside_id", sa.String(40), nullable=False, server_default=""))
    given = sa.text("outside_id != ''")
    for table in ("profile", "list_status"):
        op.create_index(f"ix_{table}_outside_id", table, ["outside_id"], sqlite_where=given, postgresql_where=given)
    op.drop_index("ix_case_newest_of_village", "case")
    op.create_index("ix_case_newest_of_village", "case", list(_NEWEST))
    ended = sa.text("finished_at IS NOT NULL")
    op.create_index("ix_referral_finished_of_case", "referral", list(_OF_CASE), sqlite_where=ended, postgresql_where=ended)
