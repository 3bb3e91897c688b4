"""What must hold for any story that a UPS can tell, with a watcher that may be killed after each word of it."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from datetime import timedelta
from itertools import takewhile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from appliance.power import memory as files
from appliance.power.policy import Around, Asked, Decision, Limits, Memory, Moment, Stage, Step, accepts_jobs, step
from appliance.power.reading import Reading, Silence
from appliance.power.seeing import FLAP_WINDOW, FLAPS
from appliance.power.triggers import SILENCE_ON_BATTERY
from tests.support.outages import LIMITS, LOW, OFF, ON, SILENT, START, held, reading

# the longest way down: ten seconds until a low battery is believed, then draining, saving and the change of mind, each in a hurry
LOW_TO_DOWN = 10 + 1 + 8 + 1 + 4 + 1 + 2 + 1
SETTLED = 75  # seconds of mains after which any outage is over, also one among many
IRREVOCABLE = {Decision.HAND_OVER, Decision.FORCE, Decision.POWER_OFF}

Story = list[tuple[Reading | Silence, int, Around]]
TO_THE_LIMIT: Story = [(ON, 5, Around()), (OFF, 330, Around())]  # on time, which chance hardly ever leaves alone for so long


def told(flags: st.SearchStrategy[set[str]]) -> st.SearchStrategy[Reading]:
    numbers = st.none() | st.integers(0, 100)
    runtimes = st.none() | st.integers(0, 5000).map(lambda seconds: timedelta(seconds=seconds))
    volts = st.none() | st.sampled_from([0.0, 21.0, 24.0, 27.0])
    return st.builds(
        Reading, flags.map(frozenset), numbers, runtimes, volts, volts, st.none() | st.just(24.0), volts, self_test=st.booleans()
    )


words = st.sampled_from(["OL", "OB", "LB", "RB", "CAL", "DISCHRG", "OFF", "WAIT", "FSD"])
mains_words = st.sampled_from(["LB", "RB", "CAL", "DISCHRG", "CHRG", "OFF", "WAIT", "OVER", "TRIM"])
answers = told(st.sets(words, max_size=4)).filter(lambda one: one.mains is not None or one.forced)
answers |= st.sampled_from([ON, OFF, LOW, SILENT])
on_mains = told(st.sets(mains_words, max_size=4).map(lambda found: found | {"OL"})) | st.just(SILENT)
arounds = st.builds(Around, st.booleans(), st.booleans(), st.just(False), st.sampled_from([None, None, None, *Asked]))
lengths = st.integers(1, 40)
stories = st.lists(st.tuples(answers, lengths, arounds), max_size=20)
numbers_aside = st.fixed_dictionaries(
    {
        "odd": st.sampled_from([frozenset(), frozenset({"battery.charge"})]),
        "mains_volts": st.none() | st.floats(0, 300),
        "load": st.none() | st.floats(0, 200),
    }
)
beginnings = st.sampled_from([Memory(), held(), held(0)])


def tell(
    story: Story, memory: Memory | None = None, begin: int = 5000, limits: Limits = LIMITS
) -> list[tuple[Reading | Silence, Step]]:
    memory, ticks, steps = memory or Memory(), begin, []
    for heard, seconds, around in story:
        for _ in range(seconds):
            one = step(memory, heard, Moment(timedelta(seconds=ticks), START), limits, around)
            steps.append((heard, one))
            memory, ticks = one.memory, ticks + 1
    return steps


@settings(max_examples=80)
@given(st.lists(st.tuples(on_mains, st.integers(1, 700), arounds), max_size=8), beginnings)
def test_on_mains_nothing_ever_powers_off(story: Story, begun: Memory) -> None:
    assert not any(one.memory.decided for _heard, one in tell(story, begun))


@settings(max_examples=80)
@given(stories, beginnings, st.booleans())
def test_a_low_battery_on_battery_always_ends_in_a_shutdown(story: Story, begun: Memory, sure: bool) -> None:
    low = LOW if sure else reading("OB LB", 100, 5000)
    assert tell([*story, (low, LOW_TO_DOWN + 1, Around())], begun)[-1][1].memory.stage is Stage.DOWN


@settings(max_examples=80)
@given(stories, beginnings)
def test_silence_after_a_battery_always_ends_in_a_shutdown(story: Story, begun: Memory) -> None:
    longest = int(SILENCE_ON_BATTERY.total_seconds()) + 20 + 20 + 5 + 4
    steps = tell([*story, (OFF, 1, Around()), (SILENT, longest, Around())], begun)
    assert steps[-1][1].memory.stage is Stage.DOWN


@settings(max_examples=60)
@given(stories, st.lists(st.tuples(on_mains, st.integers(1, 300), arounds), max_size=4), beginnings)
def test_an_outage_that_is_over_leaves_nothing_that_powers_off(outage: Story, after: Story, begun: Memory) -> None:
    """Whatever was until the moment before a decision: with the mains back for good it counts no more, in silence neither."""
    undecided = [begun, *takewhile(lambda memory: not memory.decided, (one.memory for _heard, one in tell(outage, begun)))]
    begin = 5000 + len(undecided)
    over = tell([(ON, SETTLED, Around())], undecided[-1], begin)[-1][1].memory
    assert not any(one.memory.decided for _heard, one in tell(after, over, begin + SETTLED))


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(1, 250), st.integers(SETTLED, 300)), max_size=6))
def test_cuts_that_the_battery_carries_never_power_off_and_keep_long_work_away_while_they_come_often(
    cuts: list[tuple[int, int]],
) -> None:
    steps = tell([(ON, 5, Around()), *(part for off, on in cuts for part in ((OFF, off, Around()), (ON, on, Around())))])
    assert not any(one.memory.decided for _heard, one in steps)
    begins: list[int] = []
    for number, (heard, one) in enumerate(steps):
        begins += [number] if heard is OFF and steps[number - 1][0] is ON else []
        if sum(number - begin < FLAP_WINDOW.total_seconds() for begin in begins) >= FLAPS:
            assert not accepts_jobs(one.memory, timedelta(seconds=5000 + number))


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(4, 60), st.integers(1, 29)), min_size=1, max_size=20))
def test_mains_that_only_shows_itself_puts_nothing_off(cuts: list[tuple[int, int]]) -> None:
    """The time of an outage that was told runs through returns that do not hold: an evening of flicker empties no battery."""
    flicker = [part for off, on in cuts for part in ((OFF, off, Around()), (ON, on, Around()))]
    steps = tell([(ON, 5, Around()), *flicker, (OFF, 302, Around())])
    begun = next(number for number, (heard, _one) in enumerate(steps) if heard is OFF)
    due = next(number for number, (heard, _one) in enumerate(steps) if heard is OFF and number - begun >= 300)
    assert [one.memory.decided for _heard, one in steps].index(True) == due


@settings(max_examples=60)
@given(stories, beginnings, st.booleans(), numbers_aside)
def test_what_is_only_told_decides_nothing(story: Story, begun: Memory, judged: bool, aside: dict[str, Any]) -> None:
    """Frozen, odd and unimportant numbers are notices: other ones in their place lead to the same decisions."""
    other = [(dataclasses.replace(heard, **aside) if isinstance(heard, Reading) else heard, *rest) for heard, *rest in story]
    limits = dataclasses.replace(LIMITS, judges_frozen=judged)
    here, there = tell(story, begun), tell(other, begun, limits=limits)  # type: ignore[arg-type]
    assert [(one.decision, one.seconds_left) for _h, one in here] == [(one.decision, one.seconds_left) for _h, one in there]


@settings(max_examples=80)
@given(stories, beginnings)
def test_only_a_battery_or_a_forced_shutdown_decides(story: Story, begun: Memory) -> None:
    seen_battery = was_decided = False
    for heard, one in tell(story, begun):
        seen_battery = seen_battery or (isinstance(heard, Reading) and (heard.mains is False or heard.forced))
        if one.memory.decided and not was_decided:
            assert seen_battery
            assert isinstance(heard, Silence) or heard.mains is False or heard.forced
        was_decided = one.memory.decided


@settings(max_examples=60)
@given(stories | st.just(TO_THE_LIMIT), beginnings, st.integers(-4000, 10**8))
def test_only_differences_of_time_count(story: Story, begun: Memory, shift: int) -> None:
    here, there = tell(story, begun), tell(story, begun, begin=5000 + shift)
    assert [(one.decision, one.seconds_left) for _h, one in here] == [(one.decision, one.seconds_left) for _h, one in there]


class KilledWatcher(RuleBasedStateMachine):
    """Two watchers hear the same; one of them is killed now and then, and its successor knows only what is in the file."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="watcher-"))
        self.whole, self.killed = Memory(), Memory()
        self.last: Step | None = None
        self.ticks, self.handed_over, self.opened = 1000.0, False, False

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    @initialize(begun=beginnings)
    def begin(self, begun: Memory) -> None:
        self.whole = self.killed = begun

    @rule(heard=answers, seconds=lengths, around=arounds, pace=st.sampled_from([0.5, 1.0, 7.0]))
    def hear(self, heard: Reading | Silence, seconds: int, around: Around, pace: float) -> None:
        for _ in range(seconds):
            self.ticks += pace
            at = Moment(timedelta(seconds=self.ticks), START)
            self.last = step(self.whole, heard, at, LIMITS, around)
            other = step(self.killed, heard, at, LIMITS, around)
            assert other == self.last
            self.whole, self.killed = self.last.memory, other.memory
            self._judge(self.last)

    @rule()
    def kill(self) -> None:
        at = Moment(timedelta(seconds=self.ticks), START)
        files.remember(self.folder, "boot", self.killed, at, durable=False)
        self.killed = Memory()
        recalled = files.recall(self.folder, "boot", at.ticks)
        assert recalled.same_boot
        self.killed = recalled.memory

    def _judge(self, one: Step) -> None:
        self.handed_over = self.handed_over or one.decision in IRREVOCABLE
        self.opened = self.opened or one.memory.accepts_work
        assert one.memory.accepts_work == (one.decision is Decision.CARRY_ON)
        assert self.handed_over == (one.memory.stage is Stage.DOWN), "nothing leaves the point of no return"
        assert one.decision in IRREVOCABLE or not self.handed_over

    @invariant()
    def a_countdown_stands_only_in_an_outage(self) -> None:
        left = self.last.seconds_left if self.last else None
        assert left is None or left >= 0
        assert left is None or self.whole.decided or self.whole.battery_since is not None

    @invariant()
    def once_opened_it_holds_no_more(self) -> None:
        assert not (self.opened and self.whole.stage is Stage.HOLD)


KilledWatcher.TestCase.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
test_a_kill_at_any_step_changes_no_decision = KilledWatcher.TestCase


def test_every_field_of_the_memory_is_remembered(tmp_path: Path) -> None:
    """A field that a later version adds is not forgotten between two watchers."""
    some = timedelta(seconds=7)
    values = {"timedelta | None": some, "bool": True, "Reading | None": LOW, "tuple[timedelta, ...]": (some,)}
    changes = {field.name: values[str(field.type)] for field in dataclasses.fields(Memory) if str(field.type) in values}
    full = dataclasses.replace(Memory(), **changes)
    files.remember(tmp_path, "boot", full, Moment(some, START))
    assert files.recall(tmp_path, "boot", some).memory == full
    assert len(changes) == len(dataclasses.fields(Memory)) - len({"stage", "cause", "hold_end"})
