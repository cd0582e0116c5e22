"""Bad input over a real WebSocket: a clear word to who sent it, nothing lost for anybody else, nothing in the log."""

import json
import logging
from collections.abc import AsyncIterator

import pytest

from signaling.messages import MAX_MESSAGE_BYTES
from signaling.ports import Denial, Role
from signaling.protocol import Pace
from signaling.settings import SignalingSettings
from tests.signaling.hub import QUIET, Hub, running


@pytest.fixture
async def hub(caplog: pytest.LogCaptureFixture) -> AsyncIterator[Hub]:
    """After whatever the test did, a bystander who was there before is still served and nothing was logged."""
    with caplog.at_level(logging.WARNING, logger="signaling"):
        async with running() as hub:
            bystander = await hub.join("bystander", Role.OBSERVER)
            yield hub
            assert (await bystander.ask("media.want"))["t"] == "done"
    assert caplog.records == []


@pytest.mark.parametrize(
    "wire",
    ["{", "[]", "null", '"hello"', "", "{}", "\x00", b"\xff\xfe\x00", "[" * 50_000, '{"t":"hello"}', '{"t":"beat"}'],
)
async def test_whatever_is_not_a_hello_is_refused_and_closed(hub: Hub, wire: str | bytes) -> None:
    peer = await hub.connect()
    await peer.send(wire)
    refused = await peer.receive()
    assert (refused["t"], refused["b"]["code"]) == ("refused", "bad_message")
    assert await peer.closed() == 4400


async def test_a_command_before_hello_is_refused_under_its_id_and_closed(hub: Hub) -> None:
    peer = await hub.connect()
    refused = await peer.ask("media.publish", {"generation": 0, "sdp": "x", "tracks": []})
    assert refused["b"]["code"] == "bad_message"
    assert await peer.closed() == 4400
    assert hub.plane.calls == []


@pytest.mark.parametrize("wire", ["{", "[]", '{"t":7}', b"\xff"])
async def test_garbage_on_an_open_connection_is_dismissed_and_the_seat_can_come_back(
    hub: Hub, wire: str | bytes
) -> None:
    peer = await hub.join("a")
    await peer.send(wire)
    dismissed = await peer.until("dismissed")
    assert (dismissed["b"]["action"], dismissed["b"]["code"]) == ("rejoin", "bad_message")
    assert await peer.closed() == 4400
    again = await hub.connect()
    assert (await again.hello("a"))["t"] == "welcome"


async def test_a_message_over_the_limit_closes_the_connection_that_sent_it(hub: Hub) -> None:
    for peer in (await hub.connect(), await hub.join("a")):
        await peer.send(json.dumps({"t": "beat", "x": "x" * MAX_MESSAGE_BYTES}))
        assert await peer.closed() == 1009


@pytest.mark.parametrize(
    ("denial", "close"),
    [
        (None, 4401),
        (Denial("expired_token", "This invitation has expired; ask for a new link."), 4401),
        (Denial("unknown_session", "There is no such session."), 4404),
        (Denial("session_ended", "This session is over."), 4410),
        (Denial("seat_taken", "Somebody else has this seat."), 4403),
        (Denial("too_fast", "Too many at once.", 500), 4429),
        (Denial("a_word_of_its_own", "Something else."), 4503),
    ],
)
async def test_a_token_that_is_not_good_is_refused_with_its_reason(hub: Hub, denial: Denial | None, close: int) -> None:
    if denial is not None:
        hub.directory.tokens["bad"] = denial
    peer = await hub.connect()
    refused = (await peer.hello("bad"))["b"]
    known = {"bad_token", "expired_token", "unknown_session", "session_ended", "seat_taken", "too_fast"}
    expected = denial.code if denial else "bad_token"
    assert refused["code"] == (expected if expected in known else "internal")
    assert refused["message"]
    assert refused.get("retry_after_ms") == (denial.retry_after_ms if denial else None)
    assert await peer.closed() == close


async def test_a_resume_token_that_is_not_good_falls_back_to_the_join_token(hub: Hub) -> None:
    peer = await hub.connect()
    welcome = await peer.hello(hub.seat("a"), {"token": "made up", "recv_seq": 5})
    assert welcome["t"] == "welcome"
    assert not welcome["b"]["resumed"]
    other = await hub.connect()
    assert (await other.hello("wrong", {"token": "made up", "recv_seq": 5}))["b"]["code"] == "bad_token"


async def test_a_client_from_another_time_is_told_to_update(hub: Hub) -> None:
    peer = await hub.connect()
    body = {"versions": [2, 3], "token": hub.seat("a"), "client": {"name": "x"}}
    refused = await peer.ask("hello", body)
    assert refused["b"]["code"] == "unsupported_version"
    assert await peer.closed() == 4426


@pytest.mark.parametrize(
    ("type_", "body"),
    [
        ("media.publish", {"generation": 0, "sdp": "x", "tracks": [
            {"name": "mic", "kind": "audio", "source": "person_mic", "mid": "0"}]}),
        ("media.subscribe", {"generation": 0}),
        ("media.answer", {"generation": 0, "sdp": "x"}),
        ("media.want", {}),
        ("media.mute", {"track_id": "t", "muted": True}),
        ("media.close", {"connection": "publish", "generation": 0}),
        ("hand.raise", {"raised": True}),
        ("record.set", {"on": False}),
        ("peer.admit", {"peer_id": "p"}),
        ("peer.remove", {"peer_id": "p"}),
        ("test.inject", {"scenario": "drop_socket"}),
    ],
)  # fmt: skip
async def test_from_the_lobby_nothing_gets_through(hub: Hub, type_: str, body: dict[str, object]) -> None:
    waiting = await hub.join("w", Role.LOBBY)
    assert (await waiting.ask(type_, body))["b"]["code"] == "not_permitted"
    assert hub.plane.calls == []
    assert hub.directory.opened == []


async def test_nobody_admits_themselves(hub: Hub) -> None:
    waiting = await hub.join("w", Role.LOBBY)
    refused = await waiting.ask("peer.admit", {"peer_id": waiting.peer_id})
    assert refused["b"]["code"] == "not_permitted"


@pytest.mark.parametrize(
    ("type_", "body"),
    [
        ("media.publish", {"generation": -1, "sdp": "x", "tracks": []}),
        ("media.publish", {"generation": 0, "sdp": "", "tracks": []}),
        ("media.publish", {"generation": 0, "sdp": "x", "tracks": [{"name": "../x", "kind": "audio"}]}),
        ("media.publish", {"generation": 0, "sdp": "x" * 100_001, "tracks": []}),
        ("media.subscribe", {"generation": 0, "audio": 1_000}),
        ("media.want", {"wants": "all"}),
        ("peer.remove", {"peer_id": "<script>"}),
        ("no.such.type", {}),
        ("hello", {"versions": [1], "token": "x", "client": {"name": "x"}}),
    ],
)
async def test_a_bad_body_is_refused_and_the_connection_goes_on(hub: Hub, type_: str, body: dict[str, object]) -> None:
    peer = await hub.join("a", Role.FACILITATOR)
    assert (await peer.ask(type_, body))["b"]["code"] == "bad_message"
    assert (await peer.ask("hand.raise", {"raised": True}))["t"] == "done"


async def test_two_tracks_of_one_name_are_refused(hub: Hub) -> None:
    peer = await hub.join("a", Role.BOARD)
    assert (await peer.publish(0, "mic", "mic"))["b"]["code"] == "bad_message"
    assert hub.directory.opened == []


async def test_commands_too_fast_are_refused_with_the_time_to_wait(hub: Hub) -> None:
    peer = await hub.join("a")
    replies = [await peer.ask("hand.raise", {"raised": bool(number % 2)}) for number in range(8)]
    codes = [reply["b"].get("code") if "b" in reply else None for reply in replies]
    assert codes[:5] == [None] * 5
    assert "too_fast" in codes
    [refused, *_] = [reply for reply in replies if reply["t"] == "refused"]
    assert 0 < refused["b"]["retry_after_ms"] <= 1_000


async def test_a_flood_is_cut_off_and_the_seat_can_come_back(hub: Hub) -> None:
    peer = await hub.join("a")
    for _ in range(QUIET.burst + 50):
        await peer.send({"t": "beat"})
    assert (await peer.until("dismissed"))["b"]["code"] == "too_fast"
    assert await peer.closed() == 4429
    again = await hub.connect()
    assert (await again.hello("a"))["t"] == "welcome"


async def test_guessing_tokens_is_slowed_down(hub: Hub) -> None:
    codes = []
    for _ in range(30):
        peer = await hub.connect()
        codes.append((await peer.hello("guess"))["b"]["code"])
        await peer.closed()
    assert codes[0] == "bad_token"
    assert codes[-1] == "too_fast"


async def test_who_connects_and_says_nothing_is_told_and_closed() -> None:
    async with running(SignalingSettings(pace=Pace(hello_s=0.05))) as hub:
        peer = await hub.connect()
        assert (await peer.receive())["b"]["code"] == "timed_out"
        assert await peer.closed() == 4408


async def test_connections_beyond_the_limit_are_told_to_come_later() -> None:
    async with running(SignalingSettings(pace=QUIET, max_connections=1)) as hub:
        first = await hub.join("a")
        second = await hub.connect()
        assert await second.closed() == 1013
        assert (await first.ask("hand.raise", {"raised": True}))["t"] == "done"


async def test_a_peer_that_vanishes_in_the_middle_of_anything_leaves_no_trace_in_the_log(hub: Hub) -> None:
    silent = await hub.connect()
    await silent.cut()
    greeted = await hub.connect()
    await greeted.send({"t": "hello", "id": "h", "b": {"versions": [1], "token": "x", "client": {"name": "x"}}})
    await greeted.cut()
    joined = await hub.join("a")
    await joined.send({"t": "leave", "id": "c1"})
    await joined.cut()
