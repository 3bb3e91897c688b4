"""SQLite's write-ahead log as it lies in its file: the header, the frames, and the checksum that runs through them. Pure.

A generation of the log is named by its two salts. When everything in it was moved into the database file, the next writer begins
a new generation at the file's start; its first salt is one higher. The checksum of a frame covers the header and all frames before
it, so that the checksum of one frame stands for everything up to it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

HEADER_BYTES, FRAME_BYTES = 32, 24
MAGIC = 0x377F0682  # of a machine whose numbers begin with the small end, as all of ours
WORD = 0xFFFFFFFF

Sums = tuple[int, int]


class LogDamaged(Exception):
    """The log's file does not hold what SQLite wrote."""


@dataclass(frozen=True)
class Position:
    """A place in the log: the generation (both salts in one number), the number of the last frame (0: before the first), the
    running checksum there."""

    salts: int
    frame: int
    sums: Sums

    def as_text(self) -> str:
        """For records of ours."""
        return f"{self.salts:016x}-{self.frame}-{self.sums[0]:08x}{self.sums[1]:08x}"

    @staticmethod
    def from_text(text: str) -> Position:
        """Raises ValueError for what is no position."""
        salts, frame, sums = text.split("-")
        return Position(int(salts, 16), int(frame), (int(sums[:8], 16), int(sums[8:], 16)))

    def is_followed_by(self, salts: int) -> bool:
        """Whether the generation `salts` is the next one after this."""
        return salts >> 32 == (self.salts >> 32) + 1 & WORD


@dataclass(frozen=True)
class Header:
    """The first 32 bytes of the log."""

    raw: bytes
    page: int
    start: Position

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame with its page."""
        return FRAME_BYTES + self.page

    def offset(self, frame: int) -> int:
        """Where a frame begins; frames are counted from 1."""
        return HEADER_BYTES + (frame - 1) * self.frame_bytes

    def follow(self, position: Position, frames: bytes) -> Position:
        """The position after whole frames that follow `position`, each of them checked. Raises LogDamaged."""
        if position.salts != self.start.salts or len(frames) % self.frame_bytes:
            raise LogDamaged(f"frames after {position.frame} are cut or of another generation")
        sums = position.sums
        for begin in range(0, len(frames), self.frame_bytes):
            frame = frames[begin : begin + self.frame_bytes]
            salts, *told = struct.unpack(">QII", frame[8:FRAME_BYTES])
            sums = _added(_added(sums, frame[:8]), frame[FRAME_BYTES:])
            if salts != position.salts or sums != tuple(told):
                raise LogDamaged(f"frame {position.frame + begin // self.frame_bytes + 1} is not what was written")
        return Position(position.salts, position.frame + len(frames) // self.frame_bytes, sums)

    def is_commit(self, frame: bytes) -> bool:
        """Whether a frame ends a transaction."""
        return frame[4:8] != b"\0\0\0\0"


def read_header(raw: bytes) -> Header | None:
    """The header in the first 32 bytes of the file; None when there is none, or it is only being written."""
    if len(raw) != HEADER_BYTES:
        return None
    magic, _, page, _, salts, *told = struct.unpack(">IIIIQII", raw)
    if magic != MAGIC or _added((0, 0), raw[:24]) != tuple(told):
        return None
    return Header(raw, 65536 if page == 1 else page, Position(salts, 0, (told[0], told[1])))


def told_sums(frame: bytes) -> Sums:
    """The checksum that the first 24 bytes of a frame tell."""
    first, second = struct.unpack(">II", frame[16:FRAME_BYTES])
    return first, second


def _added(sums: Sums, content: bytes) -> Sums:
    """The running checksum over further words."""
    first, second = sums
    words = iter(struct.unpack(f"<{len(content) // 4}I", content))
    for one, other in zip(words, words, strict=True):
        first = first + one + second & WORD
        second = second + other + first & WORD
    return first, second
