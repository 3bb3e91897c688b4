"""The vocabulary of the registry: every word that occurs in a name, and the keys by which misspelled ones find it."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from appliance.database import Model
from appliance.models.columns import Code
from appliance.models.person import NAME_LENGTH


class NameWord(Model):
    """A normalised word that some name has or had. Grows with the language, not with the people."""

    __tablename__ = "name_word"
    __table_args__ = ({"sqlite_with_rowid": False},)

    word: Mapped[str] = mapped_column(Code(NAME_LENGTH), primary_key=True)


class NameVariant(Model):
    """A word with up to two letters left out: words spelled nearly alike share a variant."""

    __tablename__ = "name_variant"
    __table_args__ = ({"sqlite_with_rowid": False},)

    variant: Mapped[str] = mapped_column(Code(NAME_LENGTH), primary_key=True)
    word: Mapped[str] = mapped_column(Code(NAME_LENGTH), sa.ForeignKey("name_word.word"), primary_key=True)
