"""Many nodes at once: the inventory that names them, the same act on each side by side, and a table of how each ended.

One machine that fails, hangs or is away stops nobody else. What the act is (plan, apply, check) is handed in; nothing here knows SSH.
"""

from __future__ import annotations

import re
import threading
import time
import tomllib
import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import EXIT_DONE, EXIT_FAILED, EXIT_TRY_LATER, ApplianceError, ConfigurationError

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")
PATHS = ("identity", "known_hosts")  # relative ones are beside the inventory
HINT = "Contoh isinya ada di docs/fleet.md."

Say = Callable[[str], None]
Act = Callable[["Member", Say], int]  # gives the number of changes that are due, or were made


@dataclass(frozen=True)
class Member:
    """One node of the inventory: its short name and what is wished of it, by the names of the command's options."""

    name: str
    wish: Mapping[str, str | int | Path]

    @property
    def address(self) -> str:
        """Where it is reached, as written."""
        port = self.wish.get("port", 22)
        return f"{self.wish['host']}" + ("" if port == 22 else f":{port}")


@dataclass(frozen=True)
class Result:
    """How one node ended. `changes` is how many were due or done, None when it did not get to its end; `said` is the error, if any."""

    member: Member
    changes: int | None
    seconds: float
    said: str = ""
    next_step: str = ""
    exit_code: int = EXIT_DONE


def read_inventory(file: Path, known: Collection[str]) -> list[Member]:
    """The nodes of a TOML file: `[defaults]` for all, and a table `[nodes.NAME]` each with at least `host`.

    `known` are the keys that a node may have. Raises ConfigurationError with every problem of the file at once.
    """
    try:
        told = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(f"Berkas {file} tidak ada.", HINT) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} bukan berkas TOML yang benar: {error}.", HINT) from error
    defaults, nodes = told.pop("defaults", {}), told.pop("nodes", {})
    problems = [f"[{key}] tidak dikenal; yang dikenal: defaults dan nodes" for key in told]
    if not isinstance(defaults, dict) or not isinstance(nodes, dict) or not nodes:
        problems.append("belum ada simpul; tulis [nodes.NAMA] beserta host")
    else:
        problems += _wrong_keys("defaults", defaults, known)
        for name, node in nodes.items():
            problems += _wrong_node(name, node, defaults, known)
    if not problems:
        members = [Member(name, _wish({**defaults, **node}, file.parent)) for name, node in nodes.items()]
        problems = [f"alamat {address} dipakai dua kali" for address in _doubled(members)]
    if problems:
        raise ConfigurationError(f"{file}: " + "; ".join(problems) + ".", HINT)
    return members


def chosen(members: Sequence[Member], names: str) -> list[Member]:
    """Those with one of the names, separated by commas; all for an empty text. Raises ConfigurationError for a name that is not there."""
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    strangers = sorted(set(wanted) - {member.name for member in members})
    if strangers:
        raise ConfigurationError(
            f"Tidak ada simpul {', '.join(strangers)} dalam daftar.", f"Yang ada: {', '.join(member.name for member in members)}."
        )
    return [member for member in members if not wanted or member.name in wanted]


def act_on_all(members: Sequence[Member], act: Act, say: Say, parallel: int) -> list[Result]:
    """Do `act` on each, at most `parallel` at a time. The results, in the order of the members.

    Lines are handed to `say` one at a time, each with the name of its node before it.
    """
    width = max(len(member.name) for member in members)
    speaking = threading.Lock()

    def turn(member: Member) -> Result:
        def say_of(text: str) -> None:
            with speaking:
                for line in text.splitlines():
                    say(f"{member.name:<{width}} | {line}")

        return _take_turn(member, act, say_of)

    with ThreadPoolExecutor(parallel) as workers:
        return list(workers.map(turn, members))


def table(results: Sequence[Result], told: Callable[[int], str]) -> str:
    """A line a node: name, address, how it ended (`told` puts a number of changes in words), seconds; below, what to do next."""
    rows = [("Simpul", "Alamat", "Hasil", "Detik")]
    for result in results:
        outcome = "gagal" if result.changes is None else told(result.changes)
        if result.exit_code == EXIT_TRY_LATER:
            outcome = "tidak terhubung"
        rows.append((result.member.name, result.member.address, outcome, f"{result.seconds:.0f}"))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    for result in results:
        if result.said:
            lines.append(f"\n{result.member.name}: {result.said}")
            lines += [f"  → {result.next_step}"] if result.next_step else []
    return "\n".join(lines)


def exit_code(results: Sequence[Result], drift_is_failure: bool) -> int:
    """0 when all went well; 75 when nothing but unreachable nodes is wrong; else 1. With `drift_is_failure` a due change counts."""
    codes = {result.exit_code for result in results} - {EXIT_DONE}
    if drift_is_failure and any(result.changes for result in results):
        codes.add(EXIT_FAILED)
    if not codes:
        return EXIT_DONE
    return EXIT_TRY_LATER if codes == {EXIT_TRY_LATER} else EXIT_FAILED


def _take_turn(member: Member, act: Act, say: Say) -> Result:
    began = time.monotonic()
    try:
        changes = act(member, say)
    except ApplianceError as error:
        return Result(member, None, time.monotonic() - began, error.message, error.hint, error.exit_code)
    except Exception as error:  # noqa: BLE001 - one node's trouble, of whatever kind, is nobody else's
        say(traceback.format_exc())
        said = f"kesalahan dalam program: {error!r}"
        return Result(member, None, time.monotonic() - began, said, "Laporkan baris-baris di atas.", EXIT_FAILED)
    return Result(member, changes, time.monotonic() - began)


def _wrong_node(name: str, node: object, defaults: Mapping[str, object], known: Collection[str]) -> list[str]:
    problems = [] if NAME.fullmatch(name) else [f"nama simpul {name!r}: diharapkan huruf kecil, angka dan tanda hubung"]
    if not isinstance(node, dict):
        return [*problems, f"nodes.{name}: diharapkan tabel [nodes.{name}]"]
    problems += _wrong_keys(f"nodes.{name}", node, known)
    return problems if {**defaults, **node}.get("host") else [*problems, f"nodes.{name}: host belum ditulis"]


def _wrong_keys(where: str, told: Mapping[str, object], known: Collection[str]) -> list[str]:
    allowed = sorted(known)
    problems = [f"{where}.{key} tidak dikenal; yang dikenal: {', '.join(allowed)}" for key in told if key not in allowed]
    for key, value in told.items():
        expected = int if key == "port" else str
        if key in allowed and (not isinstance(value, expected) or isinstance(value, bool)):
            problems.append(f"{where}.{key} = {value!r}: diharapkan " + ("angka" if expected is int else "teks"))
    return problems


def _wish(told: Mapping[str, str | int], folder: Path) -> dict[str, str | int | Path]:
    return {key: folder / Path(str(value)).expanduser() if key in PATHS else value for key, value in told.items()}


def _doubled(members: Sequence[Member]) -> list[str]:
    addresses = [member.address for member in members]
    return sorted({address for address in addresses if addresses.count(address) > 1})
