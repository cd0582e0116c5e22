"""`shimawa doctor board`: devices, disk and the way to a real hub; nothing is changed."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from room_agent.config import BoardSettings, DeviceSettings, SpoolSettings
from room_agent.doctor import examinations, main
from room_agent.doctor_hub import judge_clock, judge_round_trip, look_at_clock, look_at_media, look_at_way
from room_agent.doctor_room import judge_device, judge_spool
from room_agent.doctor_token import NOBODY, look_at_token, settings_of
from room_agent.errors import CannotStart
from room_agent.fakes import scripted_hub
from room_agent.hubclock import Instant
from signaling.examining.findings import Finding
from tests.session_manager.hall import Hall, open_store, open_web
from tests.session_manager.test_feed_clients import served

LEVELS = {"well": 0, "attention": 1, "wrong": 2}
SIMULATED = DeviceSettings(microphone="sim:silence", speaker="sim:meter", camera="none")


def found(findings: Iterable[Finding]) -> dict[str, str]:
    return {one.code: one.level for one in findings}


async def looked(settings: BoardSettings, media_port: int) -> list[Finding]:
    rows = examinations(settings, None, media_port)
    return await asyncio.to_thread(lambda: [one for row in rows for one in row.look()])


async def test_a_board_that_its_hub_knows_is_well_throughout_and_stays_as_it_was(tmp_path: Path) -> None:
    """A real hub's pages and signaling; its media port is one that hears and says nothing, as a real one does."""
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    store = open_store(tmp_path)
    hall = Hall(store)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as media:
        media.bind(("127.0.0.1", 0))
        async with served(open_web(hall)) as url:
            settings = BoardSettings(hub=url, token=hall.device_tokens[0], state=state, devices=SIMULATED)
            list_ = await looked(settings, media.getsockname()[1])
            stranger = await asyncio.to_thread(
                lambda: list(look_at_clock(settings.model_copy(update={"token": "stranger"})))
            )
    store.close()
    levels = found(list_)
    judged = {code: levels.pop(code) for code in ("media", "clock", "spool", "writes")}
    assert set(levels.values()) == {"well"}
    assert {"packages", "token", "token_known", "microphone", "speaker", "camera", "state", "hub", "signaling"} <= set(
        levels
    )
    assert judged["media"] == "attention"
    assert "cannot be told from outside" in next(one.sentence for one in list_ if one.code == "media")
    assert not any(state.iterdir())
    assert found(stranger) == {"token_known": "wrong"}


async def test_a_hub_that_tells_no_clock_and_something_that_is_none_are_named() -> None:
    async with scripted_hub() as hub:
        settings = BoardSettings(hub=hub.url, token="device")
        told = found(await asyncio.to_thread(lambda: list(look_at_clock(settings))))
        assert told == {"token_known": "well", "clock": "attention"}
        hub.raw = b"SSH-2.0-something\r\n"
        assert found(await asyncio.to_thread(lambda: list(look_at_way(settings)))) == {"hub": "wrong"}
        assert found(await asyncio.to_thread(lambda: list(look_at_clock(settings)))) == {"token_known": "wrong"}


def test_without_a_hub_every_way_says_so_and_nothing_fails_itself(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    settings = BoardSettings(hub=f"http://127.0.0.1:{port}", token=NOBODY, state=tmp_path, devices=SIMULATED)
    list_ = [one for row in examinations(settings, None, port) for one in row.look()]
    levels = found(list_)
    assert (levels["hub"], levels["signaling"], levels["media"]) == ("wrong", "attention", "attention")
    assert (levels["token"], levels["clock"]) == ("wrong", "attention")
    (known,) = look_at_clock(settings.model_copy(update={"token": "device"}))
    assert (known.level, "could not be tried" in known.sentence) == ("attention", True)
    assert "is refused" in next(one.sentence for one in list_ if one.code == "media")


def test_something_that_answers_strangers_on_the_media_port_is_no_hub() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        other.settimeout(30)

        async def both() -> list[Finding]:
            settings = BoardSettings(hub="http://127.0.0.1:1")
            looking = asyncio.create_task(
                asyncio.to_thread(lambda: list(look_at_media(settings, other.getsockname()[1])))
            )
            data, who = await asyncio.to_thread(other.recvfrom, 2048)
            other.sendto(b"\x01\x01\x00\x00" + data[4:20], who)
            return await looking

        assert found(asyncio.run(both())) == {"media": "wrong"}


# ---- settings and token


def test_only_a_lacking_token_leaves_the_rest_to_be_looked_at(tmp_path: Path) -> None:
    settings = settings_of(None, {}, {("state",): tmp_path})
    assert settings.token == NOBODY
    assert found(look_at_token(settings)) == {"token": "wrong"}
    with pytest.raises(CannotStart, match="hub"):
        settings_of(None, {"SHIMAWA_HUB": "hub.example"}, {})


@pytest.mark.parametrize(("mode", "levels"), [(0o600, {}), (0o640, {"token_private": "attention"})])
def test_a_token_that_others_may_read_is_told(tmp_path: Path, mode: int, levels: dict[str, str]) -> None:
    file = tmp_path / "device.token"
    file.write_text("secret\n")
    file.chmod(mode)
    findings = list(look_at_token(settings_of(None, {}, {("state",): tmp_path})))
    assert found(findings) == {"token": "well", **levels}
    assert "secret" not in str(findings)


def test_settings_that_are_not_right_end_it_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--hub", "hub.example", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)[0]["code"] == "settings"


# ---- what is said of what was found


@pytest.mark.parametrize(
    ("kind", "spec", "there", "level"),
    [
        ("microphone", "default", True, "well"),
        ("microphone", "none", None, "well"),
        ("microphone", "default", None, "attention"),
        ("microphone", "default", False, "wrong"),
        ("speaker", "default", False, "wrong"),
        ("camera", "default", False, "attention"),
    ],
)
def test_a_device_is_judged_by_what_its_lack_means(kind: str, spec: str, there: bool | None, level: str) -> None:
    finding = judge_device(kind, spec, there, ["portaudio:Array"])  # type: ignore[arg-type]
    assert finding.level == level
    assert there is not False or "portaudio:Array" in finding.next


@given(st.integers(-(1 << 40), 1 << 44), st.integers(0, 1 << 40), st.floats(1, 1000))
def test_more_room_for_sound_is_never_worse(room: int, more: int, hours: float) -> None:
    assert LEVELS[judge_spool(room, hours).level] >= LEVELS[judge_spool(room + more, hours).level]


def test_room_for_sound_is_measured_against_what_is_set() -> None:
    hour = 4_600 * 3600
    assert [judge_spool(count * hour, SpoolSettings().hours).level for count in (0, 1, 10, 49)] == [
        "wrong",
        "attention",
        "attention",
        "well",
    ]


@given(st.floats(-1e4, 1e4), st.floats(0, 5))
def test_a_clock_is_only_blamed_for_what_is_sure(off_s: float, within_s: float) -> None:
    finding = judge_clock(Instant(1_780_000_000.0, within_s), 1_780_000_000.0 + off_s)
    assert (finding.level == "attention") == (abs(1_780_000_000.0 + off_s - 1_780_000_000.0) - within_s >= 1.0)
    assert ("agrees" in finding.sentence) == (abs(1_780_000_000.0 + off_s - 1_780_000_000.0) <= within_s)


def test_a_clock_that_is_off_is_said_to_be_ahead_or_behind() -> None:
    hub = Instant(1_780_000_000.0, 0.004)
    said = [judge_clock(hub, hub.at + off).sentence for off in (-0.5, 2.5, 600.0)]
    assert "500 ms behind the hub's: nobody will notice" in said[0]
    assert "2.5 s ahead of the hub's. Lines have their right time all the same." in said[1]
    assert "10 min ahead of the hub's: certificates may be refused" in said[2]


@pytest.mark.parametrize(("hub", "levels"), [("http://127.0.0.1:8420", 1), ("http://hub.example:8420", 2)])
def test_a_way_that_is_not_encrypted_is_told_unless_it_leads_nowhere(tmp_path: Path, hub: str, levels: int) -> None:
    (row,) = [one for one in examinations(BoardSettings(hub=hub, token="t", state=tmp_path)) if one.code == "settings"]
    assert len(list(row.look())) == levels


@given(st.floats(0, 10))
def test_a_way_that_is_too_long_for_talk_is_told(took_s: float) -> None:
    assert (judge_round_trip(took_s).level == "well") == (took_s < 0.3)
