"""The settings file: what is written can be read, and what is wrong is told all at once, by key, value and expectation."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path

import pytest

from appliance.config import NodeSettings, PowerSettings, Settings, config_path, load, parse, read_secret, render
from appliance.errors import EXIT_CONFIGURATION, ConfigurationError


def test_what_is_written_is_what_is_read() -> None:
    settings = Settings(node=NodeSettings(district="11.01", office='Dinas "Sosial" \\ Aceh'), power=PowerSettings(ups="none"))
    assert parse(render(settings)) == settings


def test_an_empty_file_means_the_defaults() -> None:
    assert parse("") == Settings()


def test_the_written_file_explains_every_key() -> None:
    lines = render(Settings()).splitlines()
    for section in dataclasses.fields(Settings):
        for key in dataclasses.fields(getattr(Settings(), section.name)):
            [at] = [
                i for i, line in enumerate(lines) if line.startswith(f"{key.name} = ") and key.metadata["meaning"] in lines[i - 1]
            ]
            assert "default" in lines[at - 1]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[node]\ndistrict = "7303"', ["node.district", "'7303'", 'a code such as "73.03"']),
        ("[node]\ndistrict = 73", ["node.district", "73"]),
        ("[node]\ncolour = 1", ["node.colour", "tidak dikenal"]),
        ("[nodes]", ["[nodes]", "tidak dikenal"]),
        ("node = 3", ["node = 3"]),
        ("[web]\nhttps = 1", ["web.https", "true or false"]),
        ("[web]\nidle_minutes = true", ["web.idle_minutes", "5 to 480"]),
        ("[web]\nidle_minutes = 4", ["web.idle_minutes = 4", "5 to 480"]),
        ('[node]\ntimezone = "Mars/Base"', ["node.timezone", "Mars/Base"]),
        ('[database]\nurl = "mysql://x"', ["database.url"]),
        ('[paths]\ndata = "relative"', ["paths.data", "an absolute path"]),
        ("[node", ["TOML"]),
        ('[backup]\ntime = "25:00"\n[power]\ncharge_floor = 5', ["backup.time", "power.charge_floor"]),
    ],
)
def test_what_is_wrong_is_named(text: str, told: list[str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse(text)
    assert all(word in caught.value.message for word in told), caught.value.message
    assert "slrt config check" in caught.value.hint


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"[node]\nbad = 1\n"])
def test_an_unreadable_file_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "appliance.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        load(file)
    assert str(file) in caught.value.message
    assert caught.value.hint
    assert caught.value.exit_code == EXIT_CONFIGURATION


def test_the_environment_may_name_the_file() -> None:
    assert config_path({"SLRT_CONFIG": "/x/y.toml"}) == Path("/x/y.toml")
    assert config_path({}) == Path("/etc/slrt/appliance.toml")


def test_the_rendered_file_is_plain_toml() -> None:
    assert tomllib.loads(render(Settings()))["power"]["port"] == 3493


class TestSecrets:
    """A secret comes from systemd's credentials, else from a file that only its owner reads."""

    def settings(self, tmp_path: Path) -> Settings:
        return Settings(paths=dataclasses.replace(Settings().paths, secrets=str(tmp_path)))

    def write(self, file: Path, text: str, mode: int = 0o600) -> None:
        file.write_text(text)
        file.chmod(mode)

    def test_from_the_folder(self, tmp_path: Path) -> None:
        self.write(tmp_path / "audit-key", "abc\n")
        assert read_secret(self.settings(tmp_path), "audit-key", {}) == "abc"

    def test_credentials_come_first(self, tmp_path: Path) -> None:
        handed = tmp_path / "handed"
        handed.mkdir()
        self.write(tmp_path / "audit-key", "from the folder")
        self.write(handed / "audit-key", "from systemd", 0o440)
        assert read_secret(self.settings(tmp_path), "audit-key", {"CREDENTIALS_DIRECTORY": str(handed)}) == "from systemd"

    def test_not_when_others_can_read_it(self, tmp_path: Path) -> None:
        self.write(tmp_path / "audit-key", "abc", 0o640)
        with pytest.raises(ConfigurationError, match="dapat dibaca orang lain"):
            read_secret(self.settings(tmp_path), "audit-key", {})

    @pytest.mark.parametrize("text", [None, "", " \n"])
    def test_missing_or_empty(self, tmp_path: Path, text: str | None) -> None:
        if text is not None:
            self.write(tmp_path / "audit-key", text)
        with pytest.raises(ConfigurationError) as caught:
            read_secret(self.settings(tmp_path), "audit-key", {})
        assert "audit-key" in caught.value.message
