"""The head of the office's letters, and the officials who sign them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from urllib.parse import urlsplit

import sqlalchemy as sa

from appliance import audit
from appliance.access import Actor, require
from appliance.database import Duplicate, changed_meanwhile, db, settings_in_use, transaction
from appliance.errors import InvalidInput, NotFound
from appliance.letters.life import KEEPERS
from appliance.models.area import Area
from appliance.models.letter import Letterhead, Signatory
from appliance.registry.file_store import store

_NEEDED = {
    "government": "Nama pemerintah daerah wajib ditulis.",
    "office": "Nama kantor wajib ditulis.",
    "place": "Tempat wajib ditulis.",
}
_LONGEST = 160


@dataclass(frozen=True)
class Head:
    """What stands above each letter, and the address at which a letter can be checked. Logos are hashes of contents."""

    government: str
    office: str
    place: str
    address: str = ""
    phone: str = ""
    contact: str = ""
    check_address: str = ""
    logo_left: str = ""
    logo_right: str = ""
    version: int = 0


@dataclass(frozen=True)
class SignatoryFields:
    """What is typed about an official. `on_behalf`: "a.n." whom; `by_order`: whose "u.b." stands below that."""

    name: str
    position: str
    rank: str = ""
    nip: str = ""
    on_behalf: str = ""
    by_order: str = ""
    active: bool = True


def letterhead() -> Head:
    """The newest head; before the office has made its own, one from the settings of the node."""
    row = db.session.scalar(sa.select(Letterhead).order_by(Letterhead.version.desc()).limit(1))
    return Head(**row.content, version=row.version) if row else _usual_head()


def save_letterhead(new: Head, logos: Mapping[str, bytes], *, by: Actor, at: datetime) -> None:
    """Store a new version on top of `new.version`. `logos` brings new pictures ("logo_left", "logo_right"); b"" keeps the old.

    Raises InvalidInput, Conflict, NotAllowed.
    """
    require(by, *sorted(KEEPERS))
    _refuse(_head_problems(new))
    fields = {name: value for name, value in asdict(new).items() if name != "version"}
    for name, content in logos.items():
        if content:
            fields[name] = store(content, pdf=False).sha256
    try:
        with transaction() as session:
            latest = session.scalar(sa.select(sa.func.max(Letterhead.version))) or 0
            if latest != new.version:
                raise changed_meanwhile()
            session.add(Letterhead(version=latest + 1, content=fields, stored_at=at, stored_by=by.account_id))
            audit.record("kop_surat", "letterhead:1", by=by, at=at, detail={"versi": latest + 1})
    except Duplicate as error:
        raise changed_meanwhile() from error


def signatories(*, all_of_them: bool = False) -> tuple[Signatory, ...]:
    """Who may sign, by position; also those who do not any more when `all_of_them`."""
    statement = sa.select(Signatory).order_by(Signatory.active.desc(), Signatory.position, Signatory.name)
    return tuple(db.session.scalars(statement if all_of_them else statement.where(Signatory.active)))


def signatory(signatory_id: str) -> Signatory:
    """One official. Raises NotFound."""
    found = db.session.get(Signatory, signatory_id)
    if found is None:
        raise NotFound("Penanda tangan itu tidak ada.", "Pilih dari daftar penanda tangan.")
    return found


def save_signatory(signatory_id: str | None, new: SignatoryFields, *, row_version: int = 0, by: Actor, at: datetime) -> str:
    """Add an official, or change one as it stood at `row_version`; the identifier. Raises InvalidInput, Conflict, NotFound."""
    require(by, *sorted(KEEPERS))
    _refuse(_signatory_problems(new))
    with transaction() as session:
        row = signatory(signatory_id) if signatory_id else Signatory()
        if signatory_id and row.row_version != row_version:
            raise changed_meanwhile()
        for name, value in asdict(new).items():
            setattr(row, name, value)
        row.stamp(by.account_id, at)
        session.add(row)
        session.flush()
        audit.record("penanda_tangan", f"signatory:{row.id}", by=by, at=at, detail={"aktif": row.active})
        return row.id


def _usual_head() -> Head:
    node = settings_in_use().node
    district = db.session.get(Area, node.district)
    name = district.name if district else node.district
    kind = (district.kind if district else "kabupaten").capitalize()
    full = name if name.lower().startswith((kind.lower(), "kab")) else f"{kind} {name}"
    return Head(
        government=f"Pemerintah {full}",
        office=node.office,
        place=name.removeprefix("Kabupaten ").removeprefix("Kota "),
        check_address=f"https://{node.hostname}.local",
    )


def _head_problems(new: Head) -> dict[str, str]:
    problems = {name: sentence for name, sentence in _NEEDED.items() if not getattr(new, name).strip()}
    problems |= {
        name: f"Terlalu panjang; paling banyak {_LONGEST} huruf."
        for name in ("government", "office", "place", "address", "phone", "contact")
        if len(getattr(new, name)) > _LONGEST
    }
    address = urlsplit(new.check_address)
    if address.scheme not in ("http", "https") or not address.netloc or len(new.check_address) > 80:
        problems["check_address"] = "Tulis alamat server di jaringan kantor, contoh https://slrt.local."
    return problems


def _signatory_problems(new: SignatoryFields) -> dict[str, str]:
    problems = {
        name: f"Terlalu panjang; paling banyak {_LONGEST} huruf."
        for name in ("name", "position", "rank", "on_behalf", "by_order")
        if len(getattr(new, name)) > _LONGEST
    }
    if not new.name.strip():
        problems["name"] = "Nama dengan gelar wajib ditulis."
    if not new.position.strip():
        problems["position"] = "Jabatan wajib ditulis."
    if new.nip and not (new.nip.isdecimal() and len(new.nip) == 18):
        problems["nip"] = "NIP terdiri atas 18 angka; kosongkan bila tidak ada."
    if new.by_order and not new.on_behalf:
        problems["by_order"] = "“u.b.” hanya bersama “a.n.”; isi dahulu atas nama siapa."
    return problems


def _refuse(problems: dict[str, str]) -> None:
    if problems:
        raise InvalidInput(problems)
