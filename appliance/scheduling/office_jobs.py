"""The jobs for the office: what its cases, its people and its lists want done by the clock."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from appliance import custody
from appliance.accounts.sessions import acting_for
from appliance.background import is_anything_to_do
from appliance.care import reserve
from appliance.casework.closing import close_settled
from appliance.casework.escalation import escalate_late
from appliance.casework.handover_plans import do_due
from appliance.casework.referral_reminders import end_left_over, remind_late
from appliance.config import Settings
from appliance.errors import TryLater
from appliance.exchange.exports import remove_expired
from appliance.exchange.imports import remove_unneeded
from appliance.registry import area_counts, duplicate_night
from appliance.registry.file_store import sweep_arriving
from appliance.restoration import looks, replaced
from appliance.scheduling.rhythm import rhythm_of
from appliance.scheduling.workplace import Job, Workplace

LOOK_FOR_WORK = timedelta(seconds=3)
CLEAR_LOOKS = timedelta(minutes=1)
DEVICE = "penjadwal"

log = logging.getLogger("slrt-scheduler")


def jobs(workplace: Workplace) -> tuple[Job, ...]:
    """What is done, and how often."""
    return (
        Job("work", LOOK_FOR_WORK, partial(do_waiting_work, workplace)),
        Job("looks", CLEAR_LOOKS, partial(clear_looks, workplace)),
        *(Job(name, every, partial(do, workplace, task)) for name, every, task in WITH_TABLES),
    )


def do_waiting_work(workplace: Workplace) -> None:
    """Start a worker when somebody asked for an import, an export or other long work."""
    gate = workplace.gate
    free = gate.accepts_jobs() and gate.accepts_work() and not reserve.holds_jobs(workplace.settings)
    if not free or not workplace.has_tables():
        return
    with workplace.service.app_context():
        waits = is_anything_to_do()
    if waits and (code := workplace.run("work")) not in {0, TryLater.exit_code}:
        log.error("Pekerjaan latar belakang gagal (kode %d).", code)


def clear_looks(workplace: Workplace) -> None:
    """Erase what was laid out of a case as it was and nobody closed; first thing after a cut."""
    if removed := looks.remove_ended(workplace.settings, datetime.now(UTC)):
        log.info("%d salinan keadaan dahulu yang lewat waktunya dihapus.", removed)


# Of the settings and the moment: what to tell, empty for nothing.
Task = Callable[[Settings, datetime], str]


def do(workplace: Workplace, task: Task) -> None:
    """Do it when work is accepted and the tables are there, in the service's context."""
    if not workplace.gate.accepts_work() or not workplace.has_tables():
        return
    with workplace.gate.work(), workplace.service.app_context():
        if told := task(workplace.settings, datetime.now(UTC)):
            log.info("%s", told)


def ask_for_the_night(settings: Settings, at: datetime) -> str:
    """Put what is done once a night into the queue; it is late by itself when the node was off."""
    rhythm = rhythm_of(settings)
    area_counts.ask_nightly(at, settings.zone)
    return "Pencarian data ganda malam ini masuk antrean." if duplicate_night.ask_if_due(at, rhythm.time, rhythm.zone) else ""


def hand_over_if_due(settings: Settings, at: datetime) -> str:
    """Do the handovers that were planned for today, or for a day on which the node was off."""
    done = do_due(at, lambda account_id: acting_for(account_id, at, DEVICE, settings.zone))
    return f"{done} serah terima yang direncanakan sudah dilakukan." if done else ""


def clear_exports(settings: Settings, at: datetime) -> str:
    """Delete exported lists whose time is over, and what a killed run left of one."""
    removed = remove_expired(settings, at=at)
    return f"{removed} berkas ekspor yang kedaluwarsa dihapus." if removed else ""


def clear_uploads(settings: Settings, at: datetime) -> str:
    """Delete what killed processes left of files on their way in: papers of people, and lists for imports."""
    removed = sweep_arriving(settings, at=at) + remove_unneeded(settings, at=at)
    return f"{removed} berkas unggahan yang terputus atau tidak diperlukan lagi dihapus." if removed else ""


def clear_replaced(settings: Settings, at: datetime) -> str:
    """Delete what restores have left: their answers for the pages, and the data from before them that nobody needs any more."""
    custody.clear_restores(settings)
    gone = replaced.remove_due(settings, at)
    return f"{gone} keadaan sebelum pemulihan yang tidak diperlukan lagi dihapus." if gone else ""


def close_settled_cases(settings: Settings, at: datetime) -> str:
    """Close the cases whose result was told long enough ago."""
    closed = close_settled(settings, at=at)
    return f"{closed} kasus yang selesai ditutup." if closed else ""


def escalate_late_cases(settings: Settings, at: datetime) -> str:
    """Tell the lateness of cases further, from the moment when the office opens."""
    escalated = escalate_late(settings, at=at)
    return f"Keterlambatan {escalated} kasus disampaikan lebih lanjut." if escalated else ""


def remind_of_referrals(_settings: Settings, at: datetime) -> str:
    """Remind the organisations whose reply is late, and tell the manager of those who stay silent."""
    reminded = remind_late(at=at)
    return f"{reminded} rujukan yang terlambat dijawab diingatkan." if reminded else ""


def end_left_over_referrals(_settings: Settings, at: datetime) -> str:
    """Take back the referrals of cases that ended before a case took its referrals along."""
    ended = end_left_over(at=at)
    return f"Rujukan dari {ended} kasus yang sudah berakhir ditarik kembali." if ended else ""


WITH_TABLES: tuple[tuple[str, timedelta, Task], ...] = (
    ("night", timedelta(seconds=30), ask_for_the_night),
    ("handovers", timedelta(seconds=30), hand_over_if_due),
    ("exports", timedelta(minutes=2), clear_exports),
    ("uploads", timedelta(hours=1), clear_uploads),
    ("replaced", timedelta(hours=1), clear_replaced),
    ("closing", timedelta(minutes=10), close_settled_cases),
    ("escalation", timedelta(minutes=1), escalate_late_cases),
    ("left over", timedelta(minutes=5), end_left_over_referrals),
    ("reminders", timedelta(minutes=5), remind_of_referrals),
)
