"""How a database file is cut for the repository, and the room that a night needs when that changes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from backups.borg import MOST_PIECES, pages, piece_bytes
from backups.catalogue import Run
from backups.manifest import Summary
from backups.settings import Plan
from backups.take import room_needed

NIGHT = datetime(2026, 11, 22, 22, 0, tzinfo=UTC)
SMALL = 8192 * MOST_PIECES  # bytes, the largest file in the smallest pieces
RESERVE = 1_000


@pytest.mark.parametrize(
    ("size", "piece"),
    [(0, 8192), (297_000_000, 8192), (SMALL, 8192), (SMALL + 1, 16384), (1_708_000_000, 16384), (8_000_000_000, 131072)],
)
def test_a_large_file_is_cut_into_larger_pieces(size: int, piece: int) -> None:
    assert piece_bytes(size) == piece
    assert f"--chunker-params=fixed,{piece}" in pages(size)
    assert size / piece <= MOST_PIECES


def ended(added: int, piece: int) -> Run:
    return Run(1, ("db-1", "ok-1"), Summary(NIGHT, SMALL, added, piece=piece))


@pytest.mark.parametrize(
    ("before", "database", "needed"),
    [
        ([], 500, 500 + RESERVE),
        ([ended(70, 8192)], 500, 210),
        ([ended(70, 8192), ended(20, 8192)], SMALL, 210),
        ([ended(70, 8192)], SMALL + 1, SMALL + 1 + RESERVE),
        ([ended(70, 8192), ended(90, 16384)], SMALL + 1, 270),
    ],
    ids=["first", "grew little", "the most of the last ones", "cut anew", "cut anew before"],
)
def test_a_night_that_stores_all_anew_asks_for_the_room(tmp_path: Path, before: list[Run], database: int, needed: int) -> None:
    plan = Plan(tmp_path, tmp_path / "repository", tmp_path / "state", "", reserve_bytes=RESERVE)
    assert room_needed(plan, before, database) == needed


def test_the_pieces_travel_in_the_comment_and_older_ones_were_small() -> None:
    summary = Summary(NIGHT, 500, 70, ("attachments",), {"person": 3}, piece=16384)
    assert Summary.from_comment(summary.comment()) == summary
    older = Summary.from_comment(summary.comment().replace(', "piece": 16384', ""))
    assert older is not None
    assert older.piece == 8192
