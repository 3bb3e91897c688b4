"""What a layout is made of: fields with the names their columns go by, and how their cells are read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """How the cells of a field are read."""

    NAME = "nama"
    TEXT = "teks"
    NIK = "nik"
    KK = "kk"
    HOME = "kk_keluarga"  # a card without which nobody knows whom the row means
    DATE = "tanggal"
    SEX = "jenis_kelamin"
    CODE = "kode"
    UNIT = "rt_rw"
    NUMBER = "angka"
    VILLAGE = "desa"
    AGE = "umur"
    DECILE = "desil"
    PHONE = "telepon"
    ANSWER = "jawaban"


@dataclass(frozen=True)
class Field:
    """One field. `key` is where it is stored, `names` are the headings it goes by, plain (see `plain`).

    For a code, `choices` maps what stands in a cell, plain, to what is stored.
    """

    key: str
    label: str
    kind: Kind = Kind.TEXT
    names: tuple[str, ...] = ()
    longest: int = 0
    choices: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Layout:
    """A kind of sheet. It is recognised when all of `marks` are there: headings, or "=key" for a field under any of its names.

    `ends_at` is what stands in the second column of the row behind the last one. `asks_list`: its rows tell who stands in a
    national list, so the officer says which list and of which day.
    """

    key: str
    name: str
    fields: tuple[Field, ...]
    marks: tuple[str, ...] = ()
    ends_at: str = ""
    asks_list: bool = False
    # Only people who are registered get what the rows say; nobody new is made.
    only_known: bool = False
    # A row for each family, known by her card, without people; nobody new is made.
    households: bool = False
    # The blanks of surveys that its rows answer, with their versions; whoever answered when is asked.
    blanks: tuple[tuple[str, int], ...] = ()

    def field(self, key: str) -> Field:
        """The field with that key."""
        return next(one for one in self.fields if one.key == key)

    @property
    def questions(self) -> frozenset[str]:
        """The keys of the fields that are answers to a survey."""
        return frozenset(one.key for one in self.fields if one.kind is Kind.ANSWER)


def plain(text: object) -> str:
    """Letters and digits only, small: how headings and coded words are compared."""
    return re.sub(r"[^a-z0-9]", "", str(text).lower())
