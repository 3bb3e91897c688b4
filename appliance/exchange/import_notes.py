"""Sentences about a file as a whole that follow from how it is to be read: what of it is not kept, and what becomes a profile. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from appliance.exchange.checking import masked
from appliance.exchange.formats import Layout
from appliance.exchange.mapping import Heading
from appliance.registry.instruments import instrument

UNKEPT, SURVEYED = "Kolom yang tidak disimpan: ", "Jawaban atas "


def unkept(headings: Sequence[Heading], mapping: Mapping[str, int]) -> tuple[str, ...]:
    """The headings of the columns that nothing is read from."""
    read = set(mapping.values())
    return tuple(masked(heading.text)[:40] for heading in headings if heading.text and heading.index not in read)


def answered(layout: Layout, mapping: Mapping[str, int]) -> int:
    """How many questions of a survey have a column."""
    return sum(key in layout.questions for key in mapping)


def with_notes(
    remarks: Sequence[str], layout: Layout, mapping: Mapping[str, int], headings: Sequence[Heading], day: str
) -> list[str]:
    """The remarks on a file with those on how it is read now, in place of earlier ones. `day` is that of the survey, ISO."""
    notes = [one for one in remarks if not one.startswith((UNKEPT, SURVEYED))]
    if left := unkept(headings, mapping):
        notes.append(f"{UNKEPT}{', '.join(left)}.")
    if questions := answered(layout, mapping):
        names = "; ".join(instrument(code, version).name for code, version in layout.blanks)
        when = date.fromisoformat(day)
        notes.append(f"{SURVEYED}{questions} pertanyaan disimpan sebagai profil menurut pendataan {when:%d-%m-%Y} ({names}).")
    return notes
