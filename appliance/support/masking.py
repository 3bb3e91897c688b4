"""Taking people and secrets out of a text. Pure.

In this order, each over the whole text: secrets as they are, what follows a word such as "password", numbers as long as a NIK or KK in any
writing, addresses of mail, telephone and account numbers, names. Rather too much than too little: a masked date is a nuisance.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Set
from dataclasses import dataclass, field

SECRET, NUMBER, MAIL, NAME, PLACE = "[rahasia]", "[nomor]", "[surel]", "[nama]", "[alamat]"
NIK_DIGITS, PHONE_DIGITS = 16, 9
# between two digits of one number may stand what is no letter and no digit, also a line's end
_LONG = re.compile(rf"\d(?:[\W_]{{0,4}}\d){{{NIK_DIGITS - 1},}}")
_SHORT = re.compile(rf"\+?\d(?:[ .\-()/\u00a0]{{0,2}}\d){{{PHONE_DIGITS - 1},}}")
_MAIL = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
_PEM = re.compile(r"-----BEGIN [^-]+-----.*?(?:-----END [^-]+-----|\Z)", re.DOTALL)
_LOGIN = re.compile(r"(?<=://)[^\s/@]+(?=@)")
_TOLD = re.compile(
    r"""(?i)\b((?:kata[ _-]?sandi|sandi|password|passwd|passphrase|secret|rahasia|token|api[_-]?key|authorization|cookie)["']?\s*[:=]\s*)(?:"[^"]*"|'[^']*'|\S+)"""
)
# Jl. Poros No. 3, RT 01 RW 02: the street and what follows it up to the end of the clause
_STREET = re.compile(r"(?i)\b(?:jl|jln|jalan|lorong|gg|gang|dusun|rt)\b\.?\s+[^,;\n]{2,60}")
_AREA = re.compile(r"\d\d(?:\.\d\d){1,2}(?:\.\d{4})?")
_DATE = re.compile(r"\d{2,4}-\d\d-\d{2,4}(?: \d\d)?(?:\.\d\d)?")
_WORD = re.compile(r"[^\W\d_]{2,}")
_BETWEEN = re.compile(r"[ .,']{1,2}")


@dataclass(frozen=True)
class Mask:
    """What is taken out: `secrets` as whole texts, `names` as words in small letters; `plain` are words that the program says itself."""

    secrets: tuple[str, ...] = ()
    names: Set[str] = field(default_factory=frozenset)
    plain: Set[str] = field(default_factory=frozenset)

    def apply(self, text: str) -> str:
        """The text without people and secrets."""
        for secret in self.secrets:
            text = text.replace(secret, SECRET)
        text = _LOGIN.sub(SECRET, _PEM.sub(SECRET, text))
        text = _TOLD.sub(lambda found: found[1] + SECRET, text)
        text = _LONG.sub(NUMBER, text)
        text = _STREET.sub(PLACE, _MAIL.sub(MAIL, text))
        text = _SHORT.sub(_short, text)
        return self._without_names(text)

    def _without_names(self, text: str) -> str:
        """Names beside each other count as one; a word that the program says as well is one only beside another."""
        parts, place = list[str](), 0
        for run in self._runs(text):
            if all(word.casefold() in self.plain for word in _WORD.findall(text[run.start : run.stop])):
                continue
            parts += [text[place : run.start], NAME]
            place = run.stop
        return "".join([*parts, text[place:]])

    def _runs(self, text: str) -> Iterable[slice]:
        """Where words of names stand, those beside each other together."""
        begin = end = -1
        for found in _WORD.finditer(text):
            if found[0].casefold() not in self.names:
                continue
            if begin >= 0 and _BETWEEN.fullmatch(text, end, found.start()):
                end = found.end()
                continue
            if begin >= 0:
                yield slice(begin, end)
            begin, end = found.span()
        if begin >= 0:
            yield slice(begin, end)


def words_of(names: Iterable[str]) -> set[str]:
    """The words that names are made of, in small letters."""
    return {word.casefold() for name in names for word in _WORD.findall(name)}


def _short(found: re.Match[str]) -> str:
    """A shorter number: addresses of the network, codes of areas and dates say nothing about a person."""
    text = found[0]
    if _AREA.fullmatch(text) or _DATE.fullmatch(text):
        return text
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return NUMBER
    return text


def secrets_in(contents: Iterable[str]) -> tuple[str, ...]:
    """The texts to look for: each secret whole and by its lines, long enough not to be a word; the longest first."""
    found = {part.strip() for content in contents for part in (content, *content.splitlines())}
    written = {other for part in found for other in (part, part.replace("-", ""), part.replace("-", " "))}
    return tuple(sorted((part for part in written if len(part) >= 8), key=lambda part: (-len(part), part)))
