"""A machine that exists only in memory: the edge of `provision`, with as much of Debian as the steps touch.

It keeps files, packages, users and units, counts every effect, and can lose its power before any of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from provision.apt import WITHIN_BUNDLE
from provision.host import Entry, Outcome

MIRROR = "http://mirror.example/debian"
SOURCES = f"bookworm main {MIRROR}\nbookworm-updates main {MIRROR}\nbookworm-security main http://security.example/\n"
BORG_OF_DEBIAN, BORG_OF_BACKPORTS = "1.2.4-1", "1.4.0-4~bpo12+1"
SLRT = "/opt/slrt/current/venv/bin/"


class PowerCut(BaseException):
    """The machine has no power any more; nothing in the program may catch this."""


@dataclass
class PretendHost:
    """`cut_before` is the number of the effect before which the power goes; 0 never."""

    name: str = "pretend"
    cut_before: int = 0
    effects: int = 0
    files: dict[str, tuple[Entry, bytes]] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)
    users: set[str] = field(default_factory=set)
    enabled: set[str] = field(default_factory=set)
    active: set[str] = field(default_factory=set)
    restarts: list[str] = field(default_factory=list)
    hostname: str = "debian"
    node: dict[str, bool] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    serials: list[str] = field(default_factory=list)
    diverted: bool = False
    ssh_peers: str = ""
    ssh_keys: str = ""
    ssh_trouble: str = ""
    root_by_password: bool = False
    open_logins: set[str] = field(default_factory=set)
    routes: str = '[{"dst": "default", "gateway": "192.168.1.1", "dev": "eno1"}]'
    links: str = "[]"
    container: bool = False
    other_dhcp: bool = False
    nut: str = "2.8.0-7"
    journal: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    half: bool = False

    def look(self, path: str) -> Entry | None:
        return self.files[path][0] if path in self.files else None

    def read(self, path: str) -> bytes | None:
        if path == "/var/lib/slrt-install/journal":
            return "".join(f"{line}\n" for line in self.journal).encode()
        found = self.files.get(path)
        return found[1] if found and found[0].kind == "file" else None

    def write(self, path: str, content: bytes, mode: int, owner: str, group: str) -> None:
        self._effect()
        assert {owner, group} <= {"root", "nut", "www-data", *self.users}, f"{path}: no {owner}:{group} yet"
        assert self.look(str(PurePosixPath(path).parent)) or path.startswith(("/etc/", "/root/")), f"no folder for {path}"
        self.files[path] = (Entry("file", mode, owner, group), content)

    def run(self, command: Sequence[str], given: bytes = b"") -> Outcome:
        self.commands.append(" ".join(command))
        if given:
            assert command[-1] == "/var/log/slrt-install.log"
            self.log.append(given.decode())
            return Outcome(0, "", "")
        words = list(command)
        while words[0] == "env" or "=" in words[0]:
            words.pop(0)
        program = PurePosixPath(words[0]).name.replace("-", "_")
        answer: Callable[[list[str]], Outcome | str | bool | None] = getattr(self, f"_run_{program}")
        said = answer(words[1:])
        if isinstance(said, Outcome):
            return said
        if isinstance(said, bool):
            return Outcome(0 if said else 1, "", "")
        return Outcome(0, said or "", "")

    def state(self) -> object:
        """Everything that lasts, for comparing two machines. Random secrets count by their length."""
        files = {path: (entry, len(content) if "/secrets/" in path else content) for path, (entry, content) in self.files.items()}
        # what has those random passwords in it, and digests of that
        nut = dict.fromkeys(path for path in files if path.startswith(("/etc/nut/", "/var/lib/slrt-provision/")))
        return {**files, **nut}, self.packages, self.users, self.enabled, self.active, self.hostname, self.node

    def _effect(self) -> None:
        self.effects += 1
        if self.effects == self.cut_before:
            raise PowerCut

    # the programs, each with its words

    def _run_install(self, words: list[str]) -> None:
        self._effect()
        _d, _m, mode, path = words
        there = self.files[path][0] if path in self.files else Entry("folder", 0, "root", "root")
        self.files[path] = (replace(there, mode=int(mode, 8)), b"")

    def _run_chown(self, words: list[str]) -> None:
        self._effect()
        _h, owned, path = words
        owner, group = owned.split(":")
        assert {owner, group} <= {"root", "nut", "www-data", *self.users}, f"{path}: no {owned} yet"
        entry, content = self.files[path]
        self.files[path] = (replace(entry, owner=owner, group=group), content)

    def _run_mkdir(self, words: list[str]) -> None:
        self._effect()
        self.files[words[-1]] = (Entry("folder", 0o755, "root", "root"), b"")

    def _run_ln(self, words: list[str]) -> None:
        self._effect()
        self.files[words[-1]] = (Entry("link", 0o777, "root", "root", words[-2]), b"")

    def _run_mv(self, words: list[str]) -> None:
        self._effect()
        self.files[words[-1]] = self.files.pop(words[-2])

    def _run_rm(self, words: list[str]) -> None:
        self._effect()
        self.files.pop(words[-1], None)

    def _run_hostname(self, words: list[str]) -> None:
        self._effect()
        (self.hostname,) = words

    def _run_sh(self, words: list[str]) -> bool | Outcome:
        scripts: dict[str, Callable[[list[str]], bool | Outcome]] = {
            "hostname": lambda words: self.hostname == words[-1],
            "mkdir -m 0700": self._write_journal,
            "half-configured": lambda _words: not self.half,
            "ups.conf": lambda words: self._empty_ups_conf(words[1]),
            "dpkg-divert": lambda words: self._divert(words[1]),
            "udevadm": self._be_done,
            "watchdog": self._be_done,
            "PermitRootLogin": lambda _words: self.root_by_password,
            "id -u slrt": lambda _words: "slrt" in self.users,
        }
        if (told := self._told(words[1])) is not None:
            return Outcome(0, told, "")
        return next(run for mark, run in scripts.items() if mark in words[1])(words)

    def _write_journal(self, words: list[str]) -> bool:
        """Not an effect: what was written down changes nothing on the machine."""
        assert words[-2] == "/var/lib/slrt-install/journal"
        self.journal.append(words[-1])
        return True

    def _be_done(self, _words: list[str]) -> bool:
        self._effect()
        return True

    def _told(self, line: str) -> str | None:
        """What a question in the shell prints."""
        if "idVendor" in line:
            return "".join(f"{serial}\n" for serial in self.serials)
        if "/etc/shadow" in line:
            return "".join(f"{name}:{'' if name in self.open_logins else 'x'}\n" for name in ("root", "petugas"))
        return self.ssh_keys if "authorized_keys" in line else None

    def _empty_ups_conf(self, line: str) -> bool:
        path = "/etc/nut/ups.conf"
        if line.startswith("! grep"):
            return b"\n[" not in b"\n" + (self.read(path) or b"")
        self._effect()
        entry, content = self.files[path]
        self.files |= {path: (entry, b"# Tidak ada UPS.\n"), f"{path}.slrt-before": (entry, content)}
        self.enabled -= {"nut-server.service", "nut-monitor.service"}
        self.active = {unit for unit in self.active if not unit.startswith("nut-")}
        return True

    def _divert(self, line: str) -> bool:
        if line.startswith("dpkg-divert --list"):
            return self.diverted
        self._effect()
        self.diverted = True
        return True

    def _run_ip(self, words: list[str]) -> str:
        assert words[0] == "-j"
        return self.routes if words[1] == "route" else self.links

    def _run_systemd_detect_virt(self, words: list[str]) -> bool:
        assert words == ["--container", "--quiet"]
        return self.container

    def _run_sshd(self, words: list[str]) -> Outcome:
        assert words == ["-t"]
        return Outcome(1 if self.ssh_trouble else 0, "", self.ssh_trouble)

    def _run_passwd(self, words: list[str]) -> None:
        self._effect()
        self.open_logins.remove(words[-1])

    def _run_systemd_sysctl(self, words: list[str]) -> None:
        self._effect()
        assert words[-1] in self.files

    def _run_ss(self, words: list[str]) -> str:
        assert words == ["-Htn", "state", "established", "sport = :22"]
        return self.ssh_peers

    def _run_sysctl(self, words: list[str]) -> None:
        self._effect()
        assert words[-1] in self.files

    def _run_test(self, words: list[str]) -> bool:
        return words[-1] in self.files

    def _run_systemd_sysusers(self, words: list[str]) -> None:
        self._effect()
        assert words[0] in self.files
        self.users |= {"slrt", "slrt-power", "slrt-backup", "slrt-data"}

    def _run_systemd_tmpfiles(self, words: list[str]) -> None:
        self._effect()
        assert words[-1] in self.files

    def _run_dpkg_query(self, words: list[str]) -> str:
        return "".join(f"{name} installed {self.packages[name]}\n" for name in words[2:] if name in self.packages)

    def _run_dpkg(self, words: list[str]) -> bool:
        if words[0] == "--configure":
            self.half = False
            return True
        _compare, have, operator, least = words
        assert operator == "ge"
        return [int(part) for part in have.split("-")[0].split("~")[0].split(".")[:2]] >= [int(part) for part in least.split(".")]

    def _run_apt_get(self, words: list[str]) -> str | None:
        if "indextargets" in words:
            return SOURCES
        self._effect()
        if "install" in words:
            backports = WITHIN_BUNDLE in words or any(path.startswith("/etc/apt/sources.list.d/slrt-") for path in self.files)
            for name in words[words.index("install") + 1 :]:
                if not name.startswith("-") and not name.startswith("Dpkg::"):
                    borg = BORG_OF_BACKPORTS if backports else BORG_OF_DEBIAN
                    versions = {"borgbackup": borg, "nut-server": self.nut}
                    self.packages[name] = versions.get(name, "1.0-1")
                    self._effect()
        return None

    def _run_systemctl(self, words: list[str]) -> Outcome | bool:
        verb, units = words[0], [word for word in words[1:] if not word.startswith("--")]
        if verb == "is-active":
            return bool(self.active & set(units))
        if verb == "show":
            return Outcome(0, "\n".join(map(self._shown, units)), "")
        if verb == "is-enabled":
            told = ["enabled" if one in self.enabled else "disabled" for one in units]
            return Outcome(0 if "enabled" in told else 1, "" if "--quiet" in words else "\n".join(told), "")
        self._effect()
        match verb:
            case "mask":
                for one in units:
                    self.files[f"/etc/systemd/system/{one}"] = (Entry("link", 0o777, "root", "root", "/dev/null"), b"")
            case "enable":
                self.enabled |= set(units)
            case "start" | "restart":
                for one in units:
                    self._begin(one, verb)
            case "stop":
                self.active -= set(units)
        return True

    def _shown(self, unit: str) -> str:
        now, at_boot = "active" if unit in self.active else "inactive", "enabled" if unit in self.enabled else "disabled"
        return f"ActiveState={now}\nUnitFileState={at_boot}\n"

    def _begin(self, unit: str, verb: str) -> None:
        self._socket_rule(unit, verb)
        if unit == "slrt-care.service":
            self.files["/var/lib/slrt-care/readings.json"] = (Entry("file", 0o644, "root", "root"), b"{}")
        if verb == "restart" or unit not in self.active:
            self.restarts.append(unit)
        self.active.add(unit)

    def _socket_rule(self, unit: str, verb: str) -> None:
        service = unit.removesuffix(".socket") + ".service"
        assert not (unit.endswith(".socket") and verb == "restart" and service in self.active), f"{unit}: its service runs"

    def _asked_of_slrt(self, words: list[str]) -> str | bool | None:
        """What changes nothing."""
        match words:
            case ["user", "list", "--json"]:
                return json.dumps([{"active": True, "roles": ["Admin sistem"]}] if self.node.get("admin") else [])
            case ["database", "describe"]:
                return json.dumps({"opens": True, "known": True, "foreign": False})
            case ["backup", "custody", "--check"]:
                return not self._not_settled()
        return None

    def _run_slrt(self, words: list[str]) -> Outcome | str | bool | None:
        if (said := self._asked_of_slrt(words)) is not None:
            return said
        self._effect()
        match words:
            case ["database", "upgrade"]:
                self.files["/var/lib/slrt/database/slrt.db"] = (Entry("file", 0o600, "slrt", "slrt"), b"")
            case ["backup", "custody"]:
                for path in self._not_settled():
                    entry, content = self.files[path]
                    self.files[path] = (replace(entry, owner="slrt-backup", group="slrt-backup"), content)
                    self._effect()
            case ["backup", "key", "create"]:
                made = (Entry("file", 0o600, "root", "root"), b"7KQ2M-0000V-00001\n")
                self.files.setdefault("/etc/slrt/secrets/backup-passphrase", made)
            case ["backup", "init"]:
                self.files["/srv/backup/slrt/config"] = (Entry("file", 0o600, "slrt-backup", "slrt-backup"), b"")
            case ["backup", "run"]:
                outcome = json.dumps({"ok": True, "last_good": "2026-11-22T01:00:00+00:00"}).encode()
                self.files["/var/lib/slrt/backup/outcome.json"] = (Entry("file", 0o640, "slrt-backup", "slrt-data"), outcome)
            case ["user", "first-admin", _name, "--to", target]:
                self.files[target] = (Entry("file", 0o600, "root", "root"), b"")
                self._effect()
                self.node["admin"] = True
            case _:
                raise AssertionError(words)
        return None

    def _not_settled(self) -> list[str]:
        """Files of the backups that another user than theirs owns."""
        places = ("/srv/backup/slrt/", "/var/lib/slrt/backup/")
        return [path for path, (entry, _) in self.files.items() if path.startswith(places) and entry.owner != "slrt-backup"]

    def _run_slrt_provision(self, words: list[str]) -> bool:
        if words == ["renew-certificate", "--check"]:
            return self.node.get("certificate", False)
        if words == ["renew-certificate"]:
            self._effect()
            self.node["certificate"] = True
        if words[0] == "other-dhcp":
            return not self.other_dhcp
        if words[0] == "answers":
            return {"slrt-web.service", "slrt-front.service"} <= self.active
        return True
