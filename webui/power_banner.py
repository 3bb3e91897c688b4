"""What the watcher says about the mains, as a sentence at the top of every page, and after an outage what happened.

The files may be missing, cut or old: then there is simply nothing to say. A page never fails because of them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, jsonify

from appliance import clock
from appliance.access import Actor
from appliance.gate import DRILL
from appliance.power import drain_drill
from appliance.power import state as published
from appliance.power.journal import JOURNAL_FILE, Outage, last_outage
from appliance.power.notices import Notice
from appliance.power.policy import Stage
from appliance.power.sentences import CAUSES, NOTICES
from appliance.power.stages import PREPARING
from webui.session import now, public, settings
from webui.words import moment_words

blueprint = Blueprint("power_banner", __name__)

# A watcher that has said nothing for this long is not believed any more; its cycle takes seconds.
BELIEVED = timedelta(minutes=2)
OUTAGE_SHOWN = timedelta(days=1)


@dataclass(frozen=True)
class Banner:
    """What the page shows: a `tone` of the style sheet, and a sentence or nothing. `seconds` are counted down by the script."""

    tone: str = "good"
    sentence: str = ""
    seconds: int | None = None


@dataclass(frozen=True)
class OutageNote:
    """What happened to the node, for the page people see first when it is back."""

    tone: str
    title: str
    text: str


@dataclass(frozen=True)
class NamePlate:
    """Who is signed in, for the top bar."""

    name: str
    role: str


def name_plate(actor: Actor) -> NamePlate:
    """The name with all roles of today."""
    return NamePlate(actor.name, ", ".join(sorted(role.label for role in actor.roles)) or "Belum ada penugasan")


def banner_of(state: published.State | None, at: datetime) -> Banner:
    """The banner for what the watcher published, at `at`."""
    if state is None or abs(at - state.at) > BELIEVED:
        return Banner()
    if state.accepts_work is False and state.stage != Stage.HOLD:
        return Banner("bad", _on_the_way_down(state))
    if state.stage == Stage.ON_BATTERY:
        return Banner("warn", _on_battery(state))
    if state.stage in {Stage.HOLD, Stage.UNKNOWN} and isinstance(state.sentence, str):
        return Banner("bad" if Notice.BLIND_START in state.notices else "warn", state.sentence)
    return Banner("warn", NOTICES[Notice.FLAPPING]) if Notice.FLAPPING in state.notices else Banner()


def _on_battery(state: published.State) -> str:
    if state.mains is True:
        return "Listrik menyala lagi; sistem memastikan listrik tidak padam kembali."
    return f"Listrik padam. Simpan pekerjaan Anda; {_shutdown_in(state.seconds_left)}."


def _on_the_way_down(state: published.State) -> str:
    if state.stage in PREPARING and state.mains is True:
        return "Listrik menyala lagi. Bila tetap menyala, sistem tidak jadi mati; tunggu sebentar sebelum menyimpan."
    if state.stage in {Stage.SAVING, Stage.READY}:
        return "Listrik padam. Semua yang sudah tersimpan aman; sistem mati dalam beberapa detik."
    return "Listrik padam. Sistem sedang dimatikan dan tidak menerima simpanan baru."


def _shutdown_in(seconds: object) -> str:
    if not isinstance(seconds, int | float):
        return "sistem dapat mati sewaktu-waktu"
    minutes = int(seconds) // 60
    return f"sistem mati dalam {minutes} menit" if minutes >= 1 else "sistem mati dalam kurang dari 1 menit"


def current_banner() -> Banner:
    """The banner of this moment."""
    banner = counting_banner(published.read(Path(settings().power.runtime) / published.STATE_FILE), now())
    return banner if banner.sentence else _clock_banner()


def _clock_banner() -> Banner:
    """What is wrong with the clock, where the mains has nothing to say."""
    mark = clock.read_mark(clock.mark_file(settings()))
    wrong = clock.sentence(clock.judge(now(), mark), now(), mark, settings().zone)
    return Banner("bad", f"{wrong} {clock.SET_IT}") if wrong else Banner()


def counting_banner(state: published.State | None, at: datetime) -> Banner:
    """The banner with its countdown; a drill is told as one."""
    banner = banner_of(state, at)
    if state is None or not banner.sentence:
        return banner
    if state.cause == DRILL:
        return Banner("warn", drain_drill.SENTENCE)
    left = state.seconds_left
    if state.stage != "on-battery" or state.mains is not False or not isinstance(left, int | float):
        return banner
    return replace(banner, seconds=max(0, int(left - (at - state.at).total_seconds())))


def outage_of(outage: Outage | None, at: datetime, zone: ZoneInfo) -> OutageNote | None:
    """The note about the last time the node was down; None when that is longer ago than a day."""
    if outage is None or outage.down_at.tzinfo is None or not timedelta() <= at - outage.back_at < OUTAGE_SHOWN:
        return None
    down, back = moment_words(outage.down_at, zone), moment_words(outage.back_at, zone)
    cause = CAUSES.get(outage.cause, outage.cause or "alasan tidak tercatat")
    if outage.clean:
        text = f"Mati pada {down}, menyala lagi pada {back}. Sebabnya: {cause}. Semua yang sudah tersimpan tetap ada."
        return OutageNote("info", "Sistem sempat mati dengan tertib", text)
    text = f"Berhenti sekitar {down}, menyala lagi pada {back}. Sebabnya: {cause}. Periksa pekerjaan terakhir Anda sebelum melanjutkan."
    return OutageNote("warn", "Sistem sempat mati mendadak", text)


def current_outage() -> OutageNote | None:
    """The note of this moment."""
    journal = Path(settings().power.state) / JOURNAL_FILE
    try:
        found = journal.stat()
        return outage_of(_last_outage(journal, found.st_mtime_ns, found.st_size), now(), settings().zone)
    except OSError:
        return None


@lru_cache(maxsize=2)
def _last_outage(journal: Path, changed: int, size: int) -> Outage | None:
    """Read once for each state of the file: it can hold thousands of lines, and the home page is opened often."""
    return last_outage(journal)


@blueprint.get("/power.json")
@public
def state() -> Response:
    """The banner for a page that stays open."""
    return jsonify(asdict(current_banner()))
