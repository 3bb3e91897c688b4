"""Plan and apply on a machine in memory: what is shown is what is done, twice changes nothing, and a power cut anywhere heals."""

from __future__ import annotations

import dataclasses
import grp
import os
import pwd
from pathlib import Path

import pytest

from appliance import __version__
from appliance.config import NodeSettings, PowerSettings, Settings, parse
from appliance.errors import ApplianceError, ConfigurationError, TryLater
from provision import run
from provision.apt import WITHIN_BUNDLE, Packages
from provision.change import Change, Command, File, Folder, Running, Together, insist, writes
from provision.host import Entry, Host, LocalHost, Outcome
from provision.plan import steps
from provision.step import Site, Step
from provision.steps.care import MODULES_FILE, PRODUCT
from provision.steps.ups import NutFile
from tests.support.pretend_host import PowerCut, PretendHost

SOURCE = Path(__file__).resolve().parents[2]
SETTINGS = Settings(node=NodeSettings(district="51.71"), power=PowerSettings(ups="simulated"))
SITE = Site(SETTINGS, "admin.it", debian=12, source=SOURCE)


def silent(_line: str) -> None:
    pass


def bare() -> PretendHost:
    """A Debian on which install.sh has just put the program."""
    host = PretendHost()
    host.run(["ln", "-sfn", "/opt/slrt/releases/0.1.0+abc", "/opt/slrt/current"])
    host.effects = 0
    return host


def test_an_apply_does_what_the_plan_showed_and_then_nothing() -> None:
    host = bare()
    shown: list[str] = []
    planned = run.plan(steps(SITE), host, shown.append)
    assert host.effects == 0, "a plan changes nothing"
    said: list[str] = []
    performed = run.apply(steps(SITE), host, said.append)
    told = [line.strip().removeprefix("akan: ") for line in shown if "akan: " in line]
    done = [line.strip() for line in said if line.startswith("      ")]
    # a change may be brought along by an earlier one, never the other way round
    assert set(done) <= set(told)
    assert performed <= planned

    effects = host.effects
    assert run.plan(steps(SITE), host, silent) == 0
    said.clear()
    assert run.apply(steps(SITE), host, said.append) == 0
    assert said[-1] == "Tidak ada yang berubah."
    assert host.effects == effects


def test_a_power_cut_before_any_effect_ends_in_the_same_machine() -> None:
    whole = bare()
    run.apply(steps(SITE), whole, silent)
    assert whole.effects > 100
    for effect in range(1, whole.effects + 1):
        host = bare()
        host.cut_before = effect
        with pytest.raises(PowerCut):
            run.apply(steps(SITE), host, silent)
        host.cut_before = 0
        run.apply(steps(SITE), host, silent)
        host.files = {path: kept for path, kept in host.files.items() if not path.endswith(".slrt-new")}
        assert host.state() == whole.state(), f"cut before effect {effect}"


@pytest.mark.parametrize("step", [step.name for step in steps(SITE)])
def test_a_run_stopped_after_a_step_goes_on_from_there(step: str) -> None:
    whole, host = bare(), bare()
    run.apply(steps(SITE), whole, silent)
    with pytest.raises(run.Stopped) as stopped:
        run.apply(steps(SITE), host, silent, stop_after=step)
    assert stopped.value.exit_code == 137
    run.apply(steps(SITE), host, silent)
    assert host.state() == whole.state()


def test_only_what_changed_is_restarted() -> None:
    host = bare()
    run.apply(steps(SITE), host, silent)
    host.restarts.clear()
    node = dataclasses.replace(SETTINGS.node, office="Dinas Sosial Kota Denpasar")
    run.apply(steps(dataclasses.replace(SITE, settings=dataclasses.replace(SETTINGS, node=node))), host, silent)
    assert set(host.restarts) == {"slrt-watcher.service", "slrt-web.service", "slrt-scheduler.service"}


def test_a_new_release_restarts_the_daemons_and_a_new_socket_unit_its_service_first() -> None:
    host = bare()
    run.apply(steps(SITE), host, silent)
    host.restarts.clear()
    host.run(["ln", "-sfn", "/opt/slrt/releases/0.2.0+def", "/opt/slrt/current"])
    host.files["/var/lib/slrt-provision/slrt-web.socket.taken"] = host.files["/etc/hosts"]  # it runs with an older file
    run.apply(steps(SITE), host, silent)
    assert {"slrt-web.service", "slrt-scheduler.service", "slrt-watcher.service"} <= set(host.restarts)
    assert host.restarts.index("slrt-web.socket") < host.restarts.index("slrt-web.service")


def test_a_new_unit_file_is_read_and_taken_and_the_plan_knew() -> None:
    host = bare()
    older = {"/etc/systemd/system/slrt-web.service", "/etc/slrt/nginx.conf", "/etc/nut/upsd.conf"}
    old = tuple(
        dataclasses.replace(step, changes=tuple(_older(change) if writes(change) & older else change for change in step.changes))
        for step in steps(SITE)
    )
    run.apply(old, host, silent)
    host.restarts.clear()
    shown: list[str] = []
    said: list[str] = []
    run.plan(steps(SITE), host, shown.append)
    run.apply(steps(SITE), host, said.append)
    done = [line.strip() for line in said if line.startswith("      ")]
    assert done == [line.strip().removeprefix("akan: ") for line in shown if "akan: " in line]
    assert "minta systemd membaca unit yang baru" in done
    assert {"slrt-web.service", "slrt-front.service", "nut-server.service"} <= set(host.restarts)
    assert "slrt-scheduler.service" not in host.restarts


def _older(change: Change) -> Change:
    """The same file as an earlier release wrote it."""
    if isinstance(change, NutFile):
        return dataclasses.replace(change, template="# older\n")
    assert isinstance(change, File)
    return dataclasses.replace(change, content=b"# older\n")


def test_what_the_operator_wrote_in_the_settings_file_stays() -> None:
    host = bare()
    run.apply(steps(SITE), host, silent)
    entry, content = host.files["/etc/slrt/appliance.toml"]
    own = b"# our own remark\n" + content
    host.files["/etc/slrt/appliance.toml"] = (entry, own)
    settings = parse(own.decode())
    run.apply(steps(dataclasses.replace(SITE, settings=settings)), host, silent)
    assert host.read("/etc/slrt/appliance.toml") == own


def test_secrets_are_made_once_and_never_on_a_command_line() -> None:
    host = bare()
    run.apply(steps(SITE), host, silent)
    secrets = {path: host.read(path) for path in host.files if path.startswith("/etc/slrt/secrets/")}
    assert len(secrets) == 5
    random = [secret for path, secret in secrets.items() if not path.endswith("/backup-passphrase") and secret]
    assert [len(secret.strip()) for secret in random] == [64] * 4
    run.apply(steps(SITE), host, silent)
    for path, secret in secrets.items():
        assert host.read(path) == secret
        assert secret is not None
        assert not any(secret.decode().strip() in command for command in host.commands)


def test_nut_is_closed_to_others_and_absent_without_a_ups() -> None:
    host = bare()
    run.apply(steps(SITE), host, silent)
    entry = host.look("/etc/nut/upsmon.conf")
    assert entry is not None
    assert (entry.mode, entry.owner, entry.group) == (0o640, "root", "nut")

    without = dataclasses.replace(SETTINGS, power=PowerSettings(ups="none"))
    host = bare()
    run.apply(steps(dataclasses.replace(SITE, settings=without)), host, silent)
    assert not any(path.startswith("/etc/nut") for path in host.files)
    assert "nut-server" not in host.packages
    assert "slrt-watcher.service" in host.active


@pytest.mark.parametrize(("debian", "backports"), [(12, True), (13, False)])
def test_only_debian_12_takes_borg_from_the_backports_of_its_own_mirror(debian: int, backports: bool) -> None:
    host = bare()
    if debian == 13:
        host.packages["borgbackup"] = "1.4.0-5"
    run.apply(steps(dataclasses.replace(SITE, debian=debian)), host, silent)
    source = host.read("/etc/apt/sources.list.d/slrt-bookworm-backports.sources")
    assert (source is not None) is backports
    if source is not None:
        assert b"URIs: http://mirror.example/debian\n" in source
        pins = host.read("/etc/apt/preferences.d/slrt-bookworm-backports") or b""
        assert pins.startswith(b"Package: *\nPin: release n=bookworm-backports\nPin-Priority: 1\n")
        assert host.packages["borgbackup"] == "1.4.0-4~bpo12+1"


@pytest.mark.parametrize("debian", [12, 13])
def test_out_of_a_bundle_apt_asks_nothing_else_and_no_source_of_ours_comes(debian: int) -> None:
    host = bare()
    host.files[WITHIN_BUNDLE] = (Entry("file", 0o600, "root", "root"), b"")
    run.apply(steps(dataclasses.replace(SITE, debian=debian)), host, silent)
    assert host.packages["borgbackup"] == "1.4.0-4~bpo12+1"
    asked = [command for command in host.commands if " apt-get " in command]
    assert asked
    assert all(f"-c {WITHIN_BUNDLE}" in command for command in asked)
    # the bundle is put away when its installation ends; a repair finds nothing to do then
    del host.files[WITHIN_BUNDLE]
    assert run.apply(steps(dataclasses.replace(SITE, debian=debian)), host, silent) == 0
    assert not any(path.startswith(("/etc/apt/sources.list.d/slrt-", "/etc/apt/preferences.d/slrt-")) for path in host.files)


def test_a_package_that_cannot_be_fetched_is_asked_for_by_the_name_of_the_bundle() -> None:
    class Offline(PretendHost):
        def _run_apt_get(self, words: list[str]) -> Outcome:
            return Outcome(
                100, "", "Err:1 http://mirror.example/debian bookworm InRelease\n  Temporary failure resolving 'mirror.example'"
            )

    with pytest.raises(TryLater) as refused:
        Packages(("nginx-light",)).perform(Offline())
    assert f"install.sh --bundle slrt-node-{__version__}.slrt" in refused.value.hint


def test_units_that_are_started_together_are_told_one_by_one_and_only_where_they_are_not_as_they_should() -> None:
    host = bare()
    units = Together((Running("slrt-lan.path"), Running("slrt-web.socket"), Running("slrt.target")))
    step = Step("units", "Units", (units,))
    host.run(["systemctl", "enable", "slrt-web.socket"])
    assert run.apply([step], host, silent) == 3
    assert {"slrt-lan.path", "slrt-web.socket", "slrt.target"} <= host.enabled & host.active
    host.active.remove("slrt-lan.path")
    host.enabled.remove("slrt-web.socket")
    drift: list[str] = []
    assert run.check([step], host, drift.append) == 2
    assert [line.split()[3] for line in drift[:2]] == ["slrt-lan.path", "slrt-web.socket"]
    host.restarts.clear()
    assert run.apply([step], host, silent) == 2
    assert host.restarts == ["slrt-lan.path"], "what runs with its files goes on"
    assert run.apply([step], host, silent) == 0


def test_the_pages_do_not_wait_for_the_others_and_a_socket_has_its_service_stopped_first() -> None:
    host = bare()
    service = Running("slrt-web.service", ahead=True)
    units = Together((Running("slrt-scheduler.service"), Running("slrt-web.socket", before=(service.unit,), ahead=True), service))
    units.perform(host)
    assert host.restarts == ["slrt-web.socket", "slrt-web.service", "slrt-scheduler.service"]
    host.files["/etc/systemd/system/slrt-web.socket"] = (Entry("file", 0o644, "root", "root"), b"# newer")
    host.restarts.clear()
    host.commands.clear()
    units.perform(host)
    assert host.restarts == ["slrt-web.socket", "slrt-web.service"]
    assert "systemctl stop slrt-web.service" in host.commands
    assert units.is_done(host)


class Told(PretendHost):
    """One unit, of which systemd says `states`."""

    states = ("inactive", "disabled")

    def _run_systemctl(self, words: list[str]) -> Outcome | bool:
        if words[0] == "show":
            return Outcome(0, "ActiveState={}\nUnitFileState={}\n".format(*self.states), "")
        return super()._run_systemctl(words)


@pytest.mark.parametrize(
    ("states", "enabled", "holds", "forgiven"),
    [
        (("active", "enabled"), True, True, False),
        (("reloading", "static"), True, True, False),
        (("active", "disabled"), True, False, True),
        (("active", "disabled"), False, True, False),
        (("failed", "enabled"), True, False, True),
        (("inactive", "enabled"), True, False, False),
        (("", ""), True, False, True),
    ],
)
def test_a_unit_is_due_unless_it_runs_and_starts_at_boot(
    states: tuple[str, str], enabled: bool, holds: bool, forgiven: bool
) -> None:
    host, unit = Told(files=bare().files), Running("slrt-dns.service", enabled=enabled)
    unit.perform(host)
    host.states = states
    assert unit.is_done(host) == holds
    host.commands.clear()
    if not holds:
        unit.perform(host)
    assert ("systemctl reset-failed slrt-dns.service" in host.commands) == forgiven
    assert ("systemctl enable --quiet slrt-dns.service" in host.commands) == (
        not holds and states[1] not in ("enabled", "static")
    )


def test_a_change_that_does_not_take_is_an_error() -> None:
    never = Step("never", "Never", (Command("nothing", ("test", "-f", "/never"), ("slrt", "backup", "run")),))
    with pytest.raises(ApplianceError, match="belum berlaku"):
        run.apply([never], bare(), silent)


def test_what_a_command_has_proven_is_not_asked_once_more() -> None:
    for proves, questions in ((True, 1), (False, 2)):
        host, ask = bare(), ("slrt-provision", "renew-certificate", "--check")
        again = Command("renew", ask, ask[:2], proves=proves)
        run.apply([Step("once", "Once", (again,))], host, silent)
        assert host.commands.count(" ".join(ask)) == questions


def test_a_failed_step_says_which_command_and_what_next() -> None:
    class Full(PretendHost):
        def write(self, path: str, content: bytes, mode: int, owner: str, group: str) -> None:
            raise ApplianceError(f"{path} tidak dapat ditulis: No space left on device.", "Periksa ruang disk: df -h")

    with pytest.raises(ApplianceError) as error:
        run.apply([Step("file", "File", (File("/etc/x", b"x"),))], Full(), silent)
    assert "df -h" in error.value.hint


class Talking(PretendHost):
    """Counts aloud; `seq` works, `count` does not."""

    def _run_seq(self, words: list[str]) -> Outcome:
        return Outcome(0, "".join(f"seq {number}\n" for number in range(int(words[0]))), "")

    def _run_count(self, words: list[str]) -> Outcome:
        return Outcome(3, "".join(f"count {number}\n" for number in range(int(words[0]))), "count: enough\n")


@dataclasses.dataclass(frozen=True)
class Counted:
    """Performed by programs that print, the first of them a secret."""

    path: str
    program: str

    def describe(self) -> str:
        return "count"

    def is_done(self, host: Host) -> bool:
        return host.look(self.path) is not None

    def perform(self, host: Host) -> None:
        insist(host, ["seq", "7"], secret=True)
        insist(host, [self.program, "30"])
        host.write(self.path, b"", 0o644, "root", "root")


def test_what_commands_print_is_hidden_and_all_of_it_in_the_log_once_one_fails() -> None:
    host, said = Talking(), list[str]()
    steps_of = [Step("one", "One", (Counted("/etc/one", "seq"),)), Step("two", "Two", (Counted("/etc/two", "count"),))]
    with pytest.raises(ApplianceError) as error:
        run.apply(steps_of, host, said.append)
    shown = error.value.message + "\n".join(said)
    assert ("count 29" in shown, "count: enough" in shown) == (True, True)
    assert "count 10" not in shown, "only the last lines"
    assert "seq 1" not in shown
    (log,) = host.log
    assert log == "+ seq 7\n+ count 30\n" + "".join(f"count {number}\n" for number in range(30)) + "count: enough\n"
    assert "/var/log/slrt-install.log" in said[-1]
    assert run.apply(steps_of[:1], host, silent) == 0
    assert host.log == [log], "nothing is written down of what works"


@pytest.mark.parametrize(
    ("product", "driver"),
    [("ProLiant ML10", b"hpwdt\n"), ("ProLiant ML10 v2", b"hpwdt\n"), ("ML10Gen9", b"iTCO_wdt\n"), ("Lain", b"#"), ("", b"#")],
)
def test_the_watchdogs_driver_is_that_of_the_machine(product: str, driver: bytes) -> None:
    host = bare()
    if product:
        host.files[PRODUCT] = (Entry("file", 0o444, "root", "root"), f"{product}\n".encode())
    run.apply(steps(SITE), host, silent)
    assert (host.read(MODULES_FILE) or b"").startswith(driver)
    host.files[MODULES_FILE] = (Entry("file", 0o644, "root", "root"), b"softdog\n")
    run.apply(steps(SITE), host, silent)
    assert (host.read(MODULES_FILE) or b"").startswith(driver)


def test_a_link_where_a_folder_shall_be_gives_nobody_what_is_behind_it(tmp_path: Path) -> None:
    """The folders of the data lie in one that a service owns: a link in their place must not hand over /etc."""
    behind = tmp_path / "etc"
    behind.mkdir(mode=0o700)
    (tmp_path / "database").symlink_to(behind)
    me, mine = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name
    with pytest.raises(ConfigurationError, match="seharusnya folder"):
        Folder(str(tmp_path / "database"), 0o2770, me, mine).perform(LocalHost())
    assert behind.stat().st_mode & 0o7777 == 0o700

    for _ in range(2):
        made = Folder(str(tmp_path / "made"), 0o2770, me, mine)
        made.perform(LocalHost())
        assert made.is_done(LocalHost())
