"""What Alembic runs: the migrations on the connection that `appliance.database` hands over, in its one transaction."""

from __future__ import annotations

from alembic import context

import appliance.models  # noqa: F401  makes all tables known
from appliance.database import Model


def run() -> None:
    """Run the wanted migrations; a kill in the middle leaves the former state, for tables change within the transaction too."""
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=Model.metadata,
        render_as_batch=True,
        compare_type=True,
        transactional_ddl=True,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
