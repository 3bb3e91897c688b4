"""The running numbers of the office's series: how far each is this year, and going on from what was given out on paper."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import Actor, require
from appliance.database import Duplicate, changed_meanwhile, db, transaction
from appliance.errors import InvalidInput
from appliance.letters.letters import series_key
from appliance.letters.life import KEEPERS
from appliance.letters.wordings import list_wordings
from appliance.models.case import Sequence
from appliance.registry.holders import office_day

HIGHEST = 999_999


def series_this_year(*, at: datetime) -> tuple[tuple[str, int], ...]:
    """Each series that a wording uses, with the last number given this year."""
    names = sorted({wording.series for wording in list_wordings() if wording.numbered})
    year = office_day(at).year
    keys = {series_key(name, year): name for name in names}
    found = {row.series: row.value for row in db.session.scalars(sa.select(Sequence).where(Sequence.series.in_(keys)))}
    return tuple((name, found.get(key, 0)) for key, name in keys.items())


def go_on_from(name: str, last: int, *, by: Actor, at: datetime) -> None:
    """Let the series go on after `last`, the number that was given out on paper. Only upwards: no number is given twice.

    Raises InvalidInput, NotAllowed.
    """
    require(by, *sorted(KEEPERS))
    known = dict(series_this_year(at=at))
    if name not in known:
        raise InvalidInput({"series": "Seri itu tidak dipakai."})
    if not known[name] < last <= HIGHEST:
        raise InvalidInput(
            {"last": f"Nomor terakhir seri ini {known[name]}; isi angka yang lebih besar, paling banyak {HIGHEST}."}
        )
    key = series_key(name, office_day(at).year)
    try:
        with transaction() as session:
            row = session.get(Sequence, key, with_for_update=True)
            if row is not None and row.value >= last:
                raise changed_meanwhile()
            if row is None:
                session.add(Sequence(series=key, value=last))
            else:
                row.value = last
            audit.record("nomor_surat", f"series:{key}", by=by, at=at, detail={"dari": known[name], "ke": last})
    except Duplicate as error:
        raise changed_meanwhile() from error
