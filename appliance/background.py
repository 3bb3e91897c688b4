"""The queue of long work: a service asks inside its own transaction, one worker process does it, pages show how far it is.

The queue knows nothing of what is done. A worker that was killed leaves its task as running; the next worker takes it up again,
from what was stored, but gives up a task that keeps killing its worker.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from appliance.database import db, transaction
from appliance.errors import NotFound
from appliance.models.task import Task, TaskState

MOST_ATTEMPTS = 5
GIVEN_UP = "Pekerjaan ini berulang kali terputus dan dihentikan. Beri tahu admin."


@dataclass(frozen=True)
class Progress:
    """What a page shows of a task: `percent` is None while nobody knows how much there is to do."""

    id: str
    kind: str
    subject: str
    state: TaskState
    done: int
    total: int | None
    text: str
    asked_at: datetime

    @property
    def percent(self) -> int | None:
        """How much is done, 0 to 100."""
        return None if not self.total else min(100, 100 * self.done // self.total)


@dataclass(frozen=True)
class Taken:
    """A task in a worker's hands. `done` is what an earlier attempt stored already."""

    id: str
    kind: str
    subject: str
    asked_by: str
    done: int


def ask(kind: str, subject: str, *, by: str, at: datetime) -> str:
    """Put one piece of work into the queue, inside the running transaction; the task's identifier."""
    task = Task(kind=kind, subject=subject, state=TaskState.WAITING, asked_by=by, asked_at=at)
    db.session.add(task)
    db.session.flush()
    return task.id


def is_asked(kind: str, subject: str) -> bool:
    """Whether such work waits or runs already."""
    open_ones = sa.select(Task.id).where(Task.kind == kind, Task.subject == subject, Task.state.in_(_OPEN))
    return db.session.scalar(open_ones.limit(1)) is not None


def is_waiting(kind: str, subject: str) -> bool:
    """Whether such work waits and has not begun: it will see what is stored now."""
    waiting = sa.select(Task.id).where(Task.kind == kind, Task.subject == subject, Task.state == TaskState.WAITING)
    return db.session.scalar(waiting.limit(1)) is not None


def is_anything_to_do() -> bool:
    """Whether a worker is needed: something waits, or was left by a worker that is gone."""
    return db.session.scalar(sa.select(Task.id).where(Task.state.in_(_OPEN)).limit(1)) is not None


def progress_of(subject: str) -> Progress | None:
    """The newest task about a row, for whoever may see that row."""
    newest = sa.select(Task).where(Task.subject == subject).order_by(Task.asked_at.desc(), Task.id.desc()).limit(1)
    task = db.session.scalar(newest)
    if task is None:
        return None
    state = TaskState(task.state)
    return Progress(task.id, task.kind, task.subject, state, task.done, task.total, task.text, task.asked_at)


def begin_next(at: datetime) -> Taken | None:
    """Take the oldest open task. Only the one worker calls it: what is still running then was left by a dead one."""
    with transaction():
        while True:
            task = db.session.scalar(sa.select(Task).where(Task.state.in_(_OPEN)).order_by(Task.asked_at, Task.id).limit(1))
            if task is None:
                return None
            task.attempts += 1
            if task.attempts <= MOST_ATTEMPTS:
                task.state, task.begun_at, task.moved_at = TaskState.RUNNING, task.begun_at or at, at
                return Taken(task.id, task.kind, task.subject, task.asked_by, task.done)
            task.state, task.text, task.ended_at = TaskState.FAILED, GIVEN_UP, at
            db.session.flush()


def move(task_id: str, done: int, total: int | None, *, at: datetime) -> None:
    """Note how far the work is, inside the transaction that stores this part of it. Raises NotFound.

    A part that was stored shows that the work does not kill its worker: the attempts count anew.
    """
    task = db.session.get(Task, task_id)
    if task is None:
        raise NotFound("Pekerjaan itu tidak ada.", "Muat ulang halaman.")
    task.done, task.total, task.moved_at, task.attempts = done, total, at, 1


def end(task_id: str, state: TaskState, text: str, *, at: datetime) -> None:
    """Store how a task ended, with a sentence for the person who asked."""
    with transaction():
        task = db.session.get_one(Task, task_id)
        task.state, task.text, task.ended_at = state, text, at


def put_back(task_id: str) -> None:
    """Let a task wait again: the node is about to power off. That is no failed attempt."""
    with transaction():
        task = db.session.get_one(Task, task_id)
        task.state, task.attempts = TaskState.WAITING, task.attempts - 1


_OPEN = (TaskState.WAITING, TaskState.RUNNING)
