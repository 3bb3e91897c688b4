"""The simulated UPS's file, and that the installer's template is the same as the scene with the mains on."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.power.simulate import SIMULATED_FILE, Scene, play, render

TEMPLATE = Path(__file__).parents[2] / "provision" / "templates" / "nut" / "simulated.dev"


def test_the_template_of_the_installer_is_the_scene_with_the_mains_on() -> None:
    assert TEMPLATE.read_text() == render(Scene.ON_MAINS)


def test_two_scenes_within_a_second_differ_in_their_second(tmp_path: Path) -> None:
    seconds = []
    for scene in (Scene.ON_MAINS, Scene.ON_BATTERY, Scene.BATTERY_LOW):
        play(tmp_path, scene)
        seconds.append(int((tmp_path / SIMULATED_FILE).stat().st_mtime))
    assert len(set(seconds)) == 3


@pytest.mark.parametrize("scene", Scene)
def test_a_scene_can_be_read_by_the_driver_whoever_wrote_it(tmp_path: Path, scene: Scene) -> None:
    play(tmp_path, scene)
    assert (tmp_path / SIMULATED_FILE).stat().st_mode & 0o777 == 0o644
    assert (tmp_path / SIMULATED_FILE).read_text() == render(scene)
