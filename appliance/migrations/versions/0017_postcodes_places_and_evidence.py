"""Postcodes of areas, the place of a filled profile, and files of profiles and of looks into national lists."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

HOLDERS = {"profile_id": "profile", "list_status_id": "list_status"}


def upgrade() -> None:
    op.add_column("area", sa.Column("postcode", sa.String(5), nullable=False, server_default=""))
    for column in ("latitude", "longitude"):
        op.add_column("profile", sa.Column(column, sa.Float(), nullable=True))
    _keep_places()
    for column, table in HOLDERS.items():
        key = sa.ForeignKey(f"{table}.id", name=f"fk_person_file_{column}")
        op.add_column("person_file", sa.Column(column, sa.String(36), key, nullable=True), inline_references=True)
        op.create_index(f"ix_person_file_{column}", "person_file", [column])


def _keep_places() -> None:
    """The place of a profile is written once, as the rest of it."""
    changed = "BEFORE UPDATE OF latitude, longitude ON profile"
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"CREATE TRIGGER profile_keeps_place {changed} FOR EACH ROW EXECUTE FUNCTION profile_is_append_only()")
    else:
        op.execute(f"CREATE TRIGGER profile_keeps_place {changed} BEGIN SELECT RAISE(ABORT, 'profile is append-only'); END")
