"""The words and colours of programmes, participation, needs and national lists on a page."""

from __future__ import annotations

from collections.abc import Mapping

from appliance.models.programme import Level, RuleKind, Target, Within
from appliance.registry import list_status, needs, participation, profile, programmes
from webui.words import NOTHING, Word, number_words

LEVELS: Mapping[str, str] = {
    Level.NATIONAL: "Pusat",
    Level.PROVINCE: "Provinsi",
    Level.DISTRICT: "Kabupaten/kota",
    Level.VILLAGE: "Desa",
    Level.PRIVATE: "Swasta atau lembaga",
}
TARGETS: Mapping[str, str] = {Target.PERSON: "Penduduk", Target.FAMILY: "Keluarga", Target.GROUP: "Kelompok"}
RULE_KINDS: Mapping[str, str] = {
    RuleKind.TOGETHER: "Dua program bersamaan",
    RuleKind.TWICE: "Program yang sama tercatat dua kali",
    RuleKind.TOO_MANY: "Terlalu banyak program",
    RuleKind.DECILE: "Desil di atas batas program",
    RuleKind.GONE: "Meninggal atau pindah, tetapi masih aktif",
}
WITHIN: Mapping[str, str] = {Within.FAMILY: "Dalam satu keluarga", Within.PERSON: "Pada satu orang"}

SECTORS: Mapping[str, str] = programmes.SECTORS
SOURCES: Mapping[str, str] = participation.SOURCES
FORMS: Mapping[str, str] = participation.FORMS
OPINIONS: Mapping[str, str] = profile.OPINIONS
OUTCOMES: Mapping[str, str] = needs.OUTCOMES

_STATUS_TONES = {"aktif": "good", "diusulkan": "info", "ditolak": "bad"}
STATUSES: Mapping[str, Word] = {
    code: Word(text, _STATUS_TONES.get(code, "plain")) for code, text in participation.STATUSES.items()
}
_PRIORITY_TONES = {"mendesak": "bad", "tinggi": "warn"}
PRIORITIES: Mapping[str, Word] = {code: Word(text, _PRIORITY_TONES.get(code, "plain")) for code, text in needs.PRIORITIES.items()}
_LISTED_TONES = {"ya": "good", "tidak": "warn"}
LISTED: Mapping[str, Word] = {code: Word(text, _LISTED_TONES.get(code, "plain")) for code, text in list_status.LISTED.items()}


def rupiah(amount: int | None) -> str:
    """Rp1.250.000."""
    return NOTHING if amount is None else f"Rp{number_words(amount)}"
