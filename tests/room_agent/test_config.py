"""Settings: the later source wins, and a wrong one is a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from room_agent.config import load
from room_agent.errors import CannotStart


def test_a_flag_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "board.toml"
    file.write_text('hub = "http://a:1"\ntoken = "t"\n[devices]\nmicrophone = "m1"\ncamera = "c1"\nspeaker = "s1"\n')
    environment = {"SHIMAWA_HUB": "http://b:2", "SHIMAWA_CAMERA": "c2", "SHIMAWA_SPEAKER": "s2", "SHIMAWA_STATE": ""}
    settings = load(file, environment, {("devices", "speaker"): "s3", ("hub",): None})
    assert (settings.hub, settings.token) == ("http://b:2", "t")
    devices = settings.devices
    assert (devices.microphone, devices.camera, devices.speaker) == ("m1", "c2", "s3")


def test_the_token_file_lies_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "device.token").write_text("secret\n")
    file = tmp_path / "board.toml"
    file.write_text('token_file = "device.token"\n')
    settings = load(file, {}, {})
    assert settings.token == "secret"
    assert "secret" not in repr(settings)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("hub = 'ftp://x'\ntoken = 't'\n", "hub"),
        ("token = 't'\nstatus_port = 70000\n", "status_port"),
        ("token = 't'\n[video]\nkbps = 9000\n", "video.kbps"),
        ("token = 't'\nmicrofone = 'x'\n", "microfone"),
        ("token = ", "TOML"),
        ("hub = 'http://x'\n", "device token"),
        ("token_file = 'nowhere'\n", "nowhere"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, named: str) -> None:
    file = tmp_path / "board.toml"
    file.write_text(text)
    with pytest.raises(CannotStart, match=named):
        load(file, {}, {})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match=r"nowhere\.toml"):
        load(tmp_path / "nowhere.toml", {}, {})
