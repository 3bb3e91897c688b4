"""The log that is carried over to the second disk, and what can be restored from it: to the byte, or a plain refusal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.carried_log import Carried, Kept


@pytest.fixture
def carried(tmp_path: Path) -> Iterator[Carried]:
    made = Carried(tmp_path)
    yield made
    made.close()


def test_every_shipped_commit_is_restored_to_the_byte(carried: Carried) -> None:
    carried.add(20)
    assert carried.shipper.ship()
    kept = carried.back_up()
    seen: list[tuple[datetime, bytes]] = []
    for _ in range(3):
        carried.add(10)
        assert carried.shipper.ship()
        seen.append((carried.clock(), carried.content()))
        assert carried.shipper.empty_log()
        carried.add(5)
        assert carried.shipper.ship()
        seen.append((carried.clock(), carried.content()))
    for at, content in seen:
        assert carried.restored(kept, at) == content


ACTIONS = st.one_of(
    st.tuples(st.just("add"), st.integers(1, 30)),
    st.tuples(st.just("remove"), st.integers(1, 30)),
    st.sampled_from([(name, 0) for name in ("large", "vacuum", "look", "look away", "give up half-way")]),
    st.sampled_from([(name, 0) for name in ("ship", "ship", "empty", "empty", "back up", "passive", "truncate", "restart")]),
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(ACTIONS, min_size=5, max_size=30))
def test_whatever_happens_while_it_is_carried_over_nothing_is_lost(actions: list[tuple[str, int]]) -> None:
    """Readers, strangers' checkpoints, rollbacks, VACUUM, new daemons: the chain holds, and each moment is restored to the byte."""
    with TemporaryDirectory() as folder:
        carried = Carried(Path(folder))
        with closing(carried.connect()) as reader, closing(carried.connect()) as stranger:
            stranger.execute("PRAGMA busy_timeout = 0")
            carried.add(3)
            assert carried.shipper.ship()
            kept = [carried.back_up()]
            seen: list[tuple[datetime, bytes]] = []
            for action, number in actions:
                play(carried, action, number, (reader, stranger), kept)
                if action in {"ship", "empty"}:
                    assert carried.shipper.ship()
                    seen.append((carried.clock(), carried.content()))
            for at, content in seen:
                base = [one for one in kept if one.at <= at][-1]
                assert carried.restored(base, at) == content
        carried.close()


def play(carried: Carried, action: str, number: int, others: tuple, kept: list[Kept]) -> None:  # type: ignore[type-arg]
    """One thing that happens to a database."""
    reader, stranger = others
    if action == "add":
        carried.add(number)
    elif action == "remove":
        carried.writer.execute("DELETE FROM ledger WHERE id % 31 < ?", (number,))
    elif action == "large":
        carried.writer.execute("INSERT INTO ledger (entry) VALUES (?)", ("besar " * 20_000,))
    elif action == "vacuum":
        if not reader.in_transaction:
            carried.writer.execute("VACUUM")
    elif action == "look" and not reader.in_transaction:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM ledger").fetchone()
    elif action == "look away" and reader.in_transaction:
        reader.execute("ROLLBACK")
    elif action == "give up half-way":
        carried.writer.execute("PRAGMA cache_size = 1")
        carried.writer.execute("BEGIN IMMEDIATE")
        carried.add(200)
        carried.writer.execute("ROLLBACK")
    elif action == "empty":
        carried.shipper.empty_log()
    elif action == "back up":
        carried.shipper.ship()
        if not reader.in_transaction:
            kept.append(carried.back_up())
    elif action in {"passive", "truncate"}:
        stranger.execute(f"PRAGMA wal_checkpoint({action})").fetchone()
    elif action == "restart":
        carried.shipper = carried.new_shipper()
        carried.shipper.ship()
