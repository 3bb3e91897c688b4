"""The layouts that are known, as data. The last one fits any sheet: the officer says which column is what."""

from __future__ import annotations

from appliance.exchange.formats.fields import Field, Kind, Layout, plain
from appliance.exchange.formats.lists import NATIONAL_LIST, RESIDENTS
from appliance.exchange.formats.opensid import OPENSID
from appliance.exchange.formats.programmes import PARTICIPANTS
from appliance.exchange.formats.surveys import BDT, BDT_HOMES, REGSOSEK, REGSOSEK_HOMES

# Recognised in this order.
LAYOUTS: dict[str, Layout] = {
    layout.key: layout for layout in (OPENSID, PARTICIPANTS, BDT, REGSOSEK, BDT_HOMES, REGSOSEK_HOMES, NATIONAL_LIST, RESIDENTS)
}

__all__ = ["LAYOUTS", "Field", "Kind", "Layout", "plain"]
