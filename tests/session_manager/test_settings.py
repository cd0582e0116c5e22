"""Settings of the hub: default, file, environment, command line; every mistake is a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from session_manager.errors import StartFailed
from session_manager.settings import HubSettings, load_settings, relay_of
from signaling.relay import Relay


def test_without_anything_a_hub_serves_this_machine_only() -> None:
    settings = load_settings(None, {})
    assert (settings.host, settings.url) == ("127.0.0.1", "http://127.0.0.1:8420")


def test_the_later_source_wins(tmp_path: Path) -> None:
    file = tmp_path / "hub.toml"
    file.write_text('port = 1\nhost = "::1"\nmodel = "tiny"')
    settings = load_settings(file, {"SHIMAWA_PORT": "2", "SHIMAWA_MODEL": "base"}, port=3, model=None)
    assert (settings.host, settings.port, settings.model) == ("::1", 3, "base")
    assert settings.url == "http://[::1]:3"


def test_lists_in_the_environment_are_separated_by_commas() -> None:
    settings = load_settings(None, {"SHIMAWA_MEDIA_ADDRESSES": "192.0.2.1,2001:db8::1"})
    assert settings.media_addresses == ("192.0.2.1", "2001:db8::1")


def test_a_relay_needs_an_address_and_a_secret(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("north\n", encoding="utf-8")
    assert relay_of(HubSettings()) is None
    settings = load_settings(None, {"SHIMAWA_TURN_URLS": "turn:a:1,turns:b:2", "SHIMAWA_TURN_SECRET_FILE": str(secret)})
    assert relay_of(settings) == Relay(("turn:a:1", "turns:b:2"), "north")


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (HubSettings(turn_urls=("turn:a",)), "turn-secret-file"),
        (HubSettings(turn_secret_file=Path("/nowhere")), "turn-url"),
        (HubSettings(turn_urls=("http://a",), turn_secret_file=Path("/nowhere")), "looks like"),
        (HubSettings(turn_urls=("turn:a",), turn_secret_file=Path("/nowhere")), "cannot be read"),
        (HubSettings(turn_urls=("turn:a",), turn_secret_file=Path("/dev/null")), "empty"),
    ],
)
def test_half_a_relay_is_a_sentence(settings: HubSettings, named: str) -> None:
    with pytest.raises(StartFailed, match=named):
        relay_of(settings)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("prot = 1", "prot"),
        ("port = 99999", "port"),
        ("port = [", "hub.toml"),
        ('media_workers = "many"', "media_workers"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, text: str, named: str) -> None:
    file = tmp_path / "hub.toml"
    file.write_text(text)
    with pytest.raises(StartFailed, match=named):
        load_settings(file, {})


def test_a_file_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StartFailed, match="cannot be read"):
        load_settings(tmp_path / "none.toml", {})


def test_secrets_do_not_show_in_a_printed_setting() -> None:
    assert "hush" not in repr(load_settings(None, {"SHIMAWA_WORKER_TOKEN": "hush"}))


def test_cables_are_named_by_site_in_the_file_and_in_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "hub.toml"
    file.write_text("uplink_kbps = 5000\n[site_kbps]\nisland = 800\n", encoding="utf-8")
    settings = load_settings(file, {})
    assert (settings.uplink_kbps, settings.site_kbps) == (5000, {"island": 800})
    assert load_settings(None, {"SHIMAWA_SITE_KBPS": "island=800,hall=64"}).site_kbps == {"island": 800, "hall": 64}
