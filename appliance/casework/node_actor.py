"""The node itself as who acts on cases. For services, inside their transaction."""

from __future__ import annotations

from datetime import datetime

from appliance.access import Actor
from appliance.audit import SYSTEM
from appliance.database import db
from appliance.models.account import Account

NODE_NAME = "Simpul SLRT"
# No officer can have this user name.
_USERNAME = "(simpul)"
_UNUSABLE = "!"


def node_actor(at: datetime) -> Actor:
    """A row for the histories to name, with which nobody can sign in; stored when it is first needed."""
    if db.session.get(Account, SYSTEM) is None:
        account = Account(
            id=SYSTEM, username=_USERNAME, name=NODE_NAME, password_hash=_UNUSABLE, password_changed_at=at, active=False
        )
        account.stamp(SYSTEM, at)
        db.session.add(account)
        db.session.flush()
    return Actor(SYSTEM, NODE_NAME, _USERNAME, frozenset(), device="penjadwal")
