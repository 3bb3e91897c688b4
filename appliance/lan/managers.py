"""The edge to the machine's network: what is set up now, by whom, and the programs that take a change in."""

from __future__ import annotations

import glob
import subprocess
import time
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path

from appliance.errors import ApplianceError, ConfigurationError, TryLater
from appliance.lan import files
from appliance.lan.cards import ADDRESSES, ROUTES, choose_card, read_json
from appliance.lan.rules import Present, Wanted
from backups.files import sync_folder, write_whole

RESOLV_CONF = "/etc/resolv.conf"
WAIT_SECONDS = 30.0
POLL_SECONDS = 0.2
COMMAND_SECONDS = 60
# what it does to the network is the machine's own business, not that of the closed unit that asks for it
OUTSIDE = ("systemd-run", "--quiet", "--collect", "--pipe", "--wait")

FileTexts = dict[str, str | None]


def look(wished: str = "") -> Present:
    """How the node is on the office network. Raises ConfigurationError without a card."""
    addresses, routes = _said(ADDRESSES), _said(ROUTES)
    card = choose_card(routes, addresses, wished)
    if card is None:
        raise ConfigurationError("Mesin ini tidak mempunyai kartu jaringan.", "Periksa kartu dan kabelnya.")
    manager = _manager_of(card.name)
    found, changing = _addresses_of(addresses, card.name)
    return Present(card.name, found, card.gateway, _name_servers(), manager, _is_fixed(manager, card.name, changing))


def _addresses_of(text: str, card: str) -> tuple[tuple[str, ...], bool]:
    """The IPv4 addresses of a card with their lengths, and whether one of them is borrowed by DHCP."""
    link = next((one for one in read_json(text) if one.get("ifname") == card), {})
    found = [one for one in link.get("addr_info", ()) if one.get("family") == "inet" and one.get("scope") == "global"]
    return tuple(f"{one['local']}/{one['prefixlen']}" for one in found), any(one.get("dynamic") for one in found)


def _name_servers() -> tuple[str, ...]:
    lines = _text(RESOLV_CONF).splitlines()
    return tuple(line.split()[1] for line in lines if line.startswith("nameserver ") and len(line.split()) > 1)


def _manager_of(card: str) -> str:
    """Who sets up the card: the first of those that say they do."""
    states = [line.split(":") for line in _said(("nmcli", "-t", "-f", "DEVICE,STATE", "device")).splitlines()]
    if any(words[0] == card and words[1] != "unmanaged" for words in states if len(words) > 1):
        return files.NETWORK_MANAGER
    setup = [line.split() for line in _said(("networkctl", "list", "--no-legend", "--no-pager", card)).splitlines()]
    if any(words[1] == card and words[-1] in {"configured", "configuring", "failed"} for words in setup if len(words) > 4):
        return files.NETWORKD
    if Path("/sbin/ifup").exists() and any(files.has_stanza(_text(path), card) for path in _interface_files()):
        return files.IFUPDOWN
    return ""


def _is_fixed(manager: str, card: str, changing: bool) -> bool:
    """Whether the address is one that the manager gives for good."""
    if manager == files.IFUPDOWN:
        return any(files.is_fixed_stanza(_text(path), card) for path in _interface_files())
    own = {files.NETWORKD: files.OWN_NETWORK, files.NETWORK_MANAGER: files.OWN_CONNECTION}.get(manager, "")
    return bool(own) and Path(own).exists() and not changing


def _interface_files() -> list[str]:
    return [files.INTERFACES, *sorted(glob.glob(f"{files.INTERFACES}.d/*"))]  # noqa: PTH207 - sorted texts are what is wanted


def is_used_by_another(card: str, address: IPv4Address) -> bool:
    """Whether somebody answers at this address already. Raises TryLater without a cable."""
    asked = ("arping", "-D", "-q", "-c", "2", "-w", "3", "-I", card, str(address))
    done = _run(asked)
    if done.returncode not in (0, 1):
        raise TryLater(
            f"Alamat {address} tidak dapat diperiksa ({done.stderr.strip() or done.stdout.strip()}).",
            "Periksa kabel jaringan, lalu ulangi.",
        )
    return done.returncode == 1


def add_address(card: str, address: IPv4Interface) -> None:
    """Give the card one more address, until the machine is switched off. Raises ApplianceError."""
    _insist(("ip", "address", "replace", str(address), "dev", card))


def remove_address(card: str, address: IPv4Interface) -> None:
    """Take it away again; one that is not there any more is as good."""
    _run(("ip", "address", "delete", str(address), "dev", card))


def texts_for(manager: str, card: str, wanted: Wanted) -> FileTexts:
    """The files that make `wanted` the machine's address for good: path → text."""
    if manager == files.NETWORKD:
        return {files.OWN_NETWORK: files.networkd_file(card, wanted)}
    if manager == files.NETWORK_MANAGER:
        return {files.OWN_CONNECTION: files.network_manager_file(card, wanted)}
    found: FileTexts = {path: files.set_aside(_text(path), card) for path in _interface_files() if path != files.OWN_STANZA}
    found[files.INTERFACES] = files.with_source(found[files.INTERFACES] or "")
    changed: FileTexts = {path: text for path, text in found.items() if text != _text(path)}
    if wanted.dns and not Path(RESOLV_CONF).is_symlink():
        changed[RESOLV_CONF] = files.resolv_conf(wanted)
    return {**changed, files.OWN_STANZA: files.ifupdown_stanza(card, wanted)}


def read_texts(paths: Iterable[str]) -> FileTexts:
    """The files as they are; None for one that is not there."""
    return {path: _text(path) if Path(path).exists() else None for path in paths}


def put_in_force(manager: str, card: str, texts: FileTexts) -> None:
    """Write the files (None: take away) and have the manager set the card up by them. May be repeated. Raises ApplianceError."""
    if manager == files.IFUPDOWN:  # with the old files, which know what has to be ended
        _run((*OUTSIDE, "ifdown", "--force", card))
    for path, text in texts.items():
        place = Path(path)
        if text is None:
            place.unlink(missing_ok=True)
            sync_folder(place.parent)
            continue
        if path == RESOLV_CONF:  # in place: the unit may write this file, not the folder around it
            place.write_text(text, encoding="utf-8")
            continue
        place.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        write_whole(place, text.encode(), 0o600 if path == files.OWN_CONNECTION else 0o644)
    for command in _taking_in(manager, card, texts):
        _insist(command)


def _taking_in(manager: str, card: str, texts: FileTexts) -> list[tuple[str, ...]]:
    if manager == files.NETWORKD:
        return [("networkctl", "reload"), ("networkctl", "reconfigure", card)]
    if manager == files.NETWORK_MANAGER:
        up = ("connection", "up", files.CONNECTION) if texts.get(files.OWN_CONNECTION) else ("device", "connect", card)
        return [("nmcli", "connection", "reload"), ("nmcli", *up)]
    return [("ip", "address", "flush", "dev", card, "scope", "global"), (*OUTSIDE, "ifup", card)]


def wait_for_address(card: str, address: str, seconds: float = WAIT_SECONDS) -> bool:
    """Whether the card gets exactly this address within that time."""
    until = time.monotonic() + seconds
    while _addresses_of(_said(ADDRESSES), card)[0] != (address,):
        if time.monotonic() > until:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False, timeout=COMMAND_SECONDS
        )
    except FileNotFoundError:
        return subprocess.CompletedProcess(command, 127, "", f"{command[0]}: tidak ditemukan")
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 124, "", f"{command[0]}: tidak selesai dalam {COMMAND_SECONDS} detik")


def _said(command: Sequence[str]) -> str:
    return _run(command).stdout


def _insist(command: Sequence[str]) -> None:
    done = _run(command)
    if done.returncode != 0:
        raise ApplianceError(
            f"Perintah {' '.join(command)} gagal: {done.stderr.strip() or done.stdout.strip()}",
            "Lihat: sudo journalctl -b -p warning",
        )
