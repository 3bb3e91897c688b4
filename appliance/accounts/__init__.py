"""Accounts: signing in, sessions, passwords, and who is assigned to what.

Front doors import from here; each module below holds one subject. Every change is one transaction and one audit entry.
"""

from appliance.accounts.assignments import NewAssignment, assign_role, end_assignment
from appliance.accounts.devices import DeviceLine, cut_device, list_devices
from appliance.accounts.own import change_password
from appliance.accounts.passwords import one_time_password
from appliance.accounts.register import (
    CreatedAccount,
    NewAccount,
    activate,
    create_account,
    create_first_admin,
    deactivate,
    has_admin,
    reset_password,
)
from appliance.accounts.roll import (
    AccountDetail,
    AccountLine,
    AccountsFound,
    AssignmentLine,
    find_account,
    list_accounts,
    look_at_account,
)
from appliance.accounts.sessions import (
    SessionLimits,
    SessionLine,
    SignedIn,
    actor_of,
    end_other_sessions,
    end_session,
    find_session,
    list_sessions,
    touch_session,
)
from appliance.accounts.sign_in import Entered, TooManyAttempts, prove_again, sign_in

__all__ = [
    "AccountDetail",
    "AccountLine",
    "AccountsFound",
    "AssignmentLine",
    "CreatedAccount",
    "DeviceLine",
    "Entered",
    "NewAccount",
    "NewAssignment",
    "SessionLimits",
    "SessionLine",
    "SignedIn",
    "TooManyAttempts",
    "activate",
    "actor_of",
    "assign_role",
    "change_password",
    "create_account",
    "create_first_admin",
    "cut_device",
    "deactivate",
    "end_assignment",
    "end_other_sessions",
    "end_session",
    "find_account",
    "find_session",
    "has_admin",
    "list_accounts",
    "list_devices",
    "list_sessions",
    "look_at_account",
    "one_time_password",
    "prove_again",
    "reset_password",
    "sign_in",
    "touch_session",
]
