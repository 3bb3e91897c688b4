"""Data that are there before the program is: of this node, from before it was taken off or its Debian was made anew.

They are taken over under the names of their owners, for the numbers of a new Debian may be others; what cannot be taken over is refused
before anything is written into it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from appliance.errors import ConfigurationError
from provision.change import STAMPS, Change, insist
from provision.host import Host
from provision.step import SLRT, Site, Step
from provision.steps.files import KEEPER, PASSPHRASE

SERVICE, GUARD = "slrt", "slrt-power"
# Far above every number that Debian gives: the numbers of two users may have changed places.
BETWEEN = 4_200_000
# `OLD:BETWEEN:USER` …, then `--`, then the folders: first to numbers that nobody has, then to those of today, each folder after what is in it.
RENUMBER = """
pairs=; while [ "$1" != -- ]; do pairs="$pairs $1"; shift; done; shift
for pair in $pairs; do IFS=: read -r old between user <<END
$pair
END
find "$@" -depth -uid "$old" -exec chown -h "$between" {} +; done
for pair in $pairs; do IFS=: read -r old between user <<END
$pair
END
find "$@" -depth -uid "$between" -exec chown -h "$user" {} +; done
"""


@dataclass(frozen=True)
class Owned:
    """What is in the folders belongs to the users of today. `of` says by which folder each user is recognised."""

    of: tuple[tuple[str, str], ...]
    others: tuple[str, ...] = ()

    def describe(self) -> str:
        return "serahkan data lama kepada pengguna yang sekarang"

    def is_done(self, host: Host) -> bool:
        return not self._foreign(host)

    def perform(self, host: Host) -> None:
        pairs = []
        for number, (folder, user) in enumerate(self._foreign(host)):
            old = insist(host, ["stat", "-c", "%u", folder]).strip()
            pairs.append(f"{old}:{BETWEEN + number}:{user}")
        there = [folder for folder in (*dict(self.of), *self.others) if host.look(folder)]
        insist(host, ["sh", "-euc", RENUMBER, "sh", *pairs, "--", *there])

    def _foreign(self, host: Host) -> list[tuple[str, str]]:
        entries = [(folder, user, entry) for folder, user in self.of if (entry := host.look(folder)) is not None]
        # whoever owns his own folder has his number of today; what he has besides was given to him by an older release
        known = {"root", *(user for _folder, user, entry in entries if entry.owner == user)}
        return [(folder, user) for folder, user, entry in entries if entry.owner not in (user, *known)]


@dataclass(frozen=True)
class Keys:
    """Data that are there come with their keys: new ones would open neither the backups nor the journal."""

    database: str
    secrets: str

    def describe(self) -> str:
        return "periksa kunci data lama"

    def is_done(self, host: Host) -> bool:
        return host.look(self.database) is None or not self._missing(host)

    def perform(self, host: Host) -> None:
        raise ConfigurationError(
            f"Ada data lama ({self.database}), tetapi kuncinya tidak ada: {', '.join(self._missing(host))}.",
            "Kembalikan /etc/slrt/secrets dari mesin lama; bila hilang, pindahkan folder data itu, pasang, lalu pulihkan dari cadangan"
            " dengan lembar pemulihan: docs/restore.md",
        )

    def _missing(self, host: Host) -> list[str]:
        return [name for name in ("audit-key", PASSPHRASE) if not (host.read(f"{self.secrets}/{name}") or b"").strip()]


@dataclass(frozen=True)
class Known:
    """Tables that this program knows, sealed with this node's key. Asked once an installation: `mark` is there after the first."""

    database: str
    mark: str = f"{STAMPS}/database"

    def describe(self) -> str:
        return "periksa basis data lama"

    def is_done(self, host: Host) -> bool:
        return host.look(self.database) is None or host.look(self.mark) is not None or not self._wrong(host)

    def perform(self, host: Host) -> None:
        if wrong := self._wrong(host):
            raise ConfigurationError(*wrong)

    def _wrong(self, host: Host) -> tuple[str, str] | None:
        outcome = host.run([SLRT, "database", "describe"])
        try:
            told = json.loads(outcome.output)
        except ValueError:
            return None  # without settings there is nothing to ask yet: the step of the database judges
        if told["opens"] and not told["known"]:
            return (
                f"Basis data lama memakai susunan {told['revision']}, lebih baru daripada yang dikenal program ini.",
                "Pasang versi program yang sama atau lebih baru daripada yang terakhir dipakai. Data tidak diubah.",
            )
        if told["opens"] and told["foreign"]:
            return (
                "Basis data lama bukan milik simpul ini: jurnalnya disegel dengan kunci lain. Data tidak diubah.",
                "Kembalikan /etc/slrt/secrets yang sesuai, atau pulihkan dari cadangan: docs/restore.md",
            )
        return None


def adopt(site: Site) -> Step:
    """Before any folder is made: whatever is there already."""
    data, power = site.settings.paths.data, site.settings.power.state
    database, secrets = str(site.settings.database_file), site.settings.paths.secrets
    # the innermost first: it tells its owner by itself until it is done
    owned = Owned(((f"{data}/backup", KEEPER), (power, GUARD), (data, SERVICE)), (site.settings.backup.repository,))
    kept: tuple[Change, ...] = () if site.settings.database.url else (Keys(database, secrets), Known(database))
    return Step("data-lama", "Data lama", (owned, *kept))
