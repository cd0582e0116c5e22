"""What peers live through at the hub, over real sockets with a scripted directory and plane."""

import asyncio
from dataclasses import replace

import pytest
from websockets.exceptions import ConnectionClosed

from signaling import messages as m
from signaling.ports import Denial, Role
from signaling.protocol import Pace
from signaling.settings import SignalingSettings
from signaling.switchboard import Grace
from tests.signaling.hub import LINE, QUIET, eventually, running


def _line(number: int) -> m.LineCommitted:
    return LINE.model_copy(update={"line_id": f"l{number}"})


# ---- joining and resuming ------------------------------------------------------------------------------------------


async def test_a_peer_joins_with_the_whole_picture_and_the_others_hear_of_it() -> None:
    async with running() as hub:
        hub.server.open_session("session-1", title="島の会", state="live")
        first = await hub.join("a", Role.BOARD)
        second = await hub.join("b")
        told = await first.receive()
        assert (told["t"], told["seq"]) == ("peer.changed", 1)
        body = second.welcome["b"]
        assert [p["peer_id"] for p in body["snapshot"]["peers"]] == [first.peer_id, second.peer_id]
        assert (body["snapshot"]["title"], body["snapshot"]["state"]) == ("島の会", "live")
        assert (body["role"], body["resumed"], body["next_seq"]) == ("participant", False, 1)
        assert second.welcome["ep"] > first.welcome["ep"]
        assert first.welcome["b"]["grace_s"] == 900.0


async def test_a_resumed_peer_gets_exactly_the_events_it_missed() -> None:
    async with running() as hub:
        wire = await hub.join("a")
        hub.server.announce("session-1", _line(1))
        assert (await wire.receive())["seq"] == 1
        await wire.cut()
        hub.server.announce("session-1", _line(2))
        hub.server.announce("session-1", m.Levels(levels={"t": 1}))
        hub.server.announce("session-1", _line(3))
        again = await hub.connect()
        welcome = await again.hello("", await wire.resume_token(recv_seq=1))
        assert welcome["b"]["resumed"]
        assert "snapshot" not in welcome["b"]
        assert welcome["b"]["peer_id"] == wire.peer_id
        assert [(await again.receive())["b"]["line_id"] for _ in range(2)] == ["l2", "l3"]


async def test_a_peer_that_missed_too_much_is_told_so_and_given_the_picture() -> None:
    settings = SignalingSettings(pace=QUIET)
    settings = replace(settings, bounds=replace(settings.bounds, events=2))
    async with running(settings) as hub:
        wire = await hub.join("a")
        await wire.cut()
        for number in range(5):
            hub.server.announce("session-1", _line(number))
        again = await hub.connect()
        welcome = await again.hello("", await wire.resume_token())
        assert welcome["b"]["resumed"]
        assert welcome["b"]["resync"] == "history gone"
        assert welcome["b"]["next_seq"] == 6
        assert welcome["b"]["snapshot"]["peers"] != []
        hub.server.announce("session-1", _line(9))
        assert (await again.receive())["seq"] == 6


async def test_a_resume_token_works_once_the_welcome_after_it_has_arrived_and_not_twice() -> None:
    async with running() as hub:
        wire = await hub.join("a")
        old = await wire.resume_token()
        await wire.cut()
        lost = await hub.connect()
        assert (await lost.hello("", old))["b"]["resumed"]
        await lost.cut()
        again = await hub.connect()
        assert (await again.hello("", old))["b"]["resumed"], "the welcome might have been lost"
        await again.ask("hand.raise", {"raised": True})
        thief = await hub.connect()
        assert (await thief.hello("", old))["b"]["code"] == "bad_token"


async def test_a_command_sent_again_after_a_resume_is_done_once_and_answered_the_same() -> None:
    async with running() as hub:
        wire = await hub.join("a", Role.BOARD)
        first = await wire.publish(0, "mic")
        await wire.cut()
        again = await hub.connect()
        await again.hello("", await wire.resume_token())
        second = await again.publish(0, "mic")
        assert second["b"] == first["b"]
        assert [call[0] for call in hub.plane.calls] == ["publish"]


async def test_a_command_that_was_running_when_the_link_broke_is_answered_after_the_resume() -> None:
    async with running() as hub:
        wire = await hub.join("a", Role.BOARD)
        hub.directory.hold = asyncio.Event()
        track = {"name": "mic", "kind": "audio", "source": "room_mic", "mid": "0"}
        command = {"t": "media.publish", "id": "c1", "b": {"generation": 0, "sdp": "x", "tracks": [track]}}
        await wire.send(command)
        await wire.send({"t": "beat", "ts": 1})
        await wire.cut()
        again = await hub.connect()
        await again.hello("", await wire.resume_token())
        await again.send(command)
        hub.directory.hold.set()
        assert (await again.until("media.published"))["re"] == "c1"
        assert len(hub.directory.opened) == 1


async def test_a_second_connection_with_the_same_seat_wins() -> None:
    async with running() as hub:
        old = await hub.join("a", Role.BOARD)
        await old.publish(0, "mic")
        watching = await hub.join("b")
        new = await hub.join("a", Role.BOARD)
        dismissed = await old.until("dismissed")
        assert (dismissed["b"]["action"], dismissed["b"]["code"]) == ("stop", "replaced")
        assert await old.closed() == 4409
        assert [(await watching.receive())["t"] for _ in range(3)] == ["track.ended", "peer.left", "peer.changed"]
        assert new.peer_id != old.peer_id
        await eventually(lambda: [cause for _, cause in hub.directory.closed] == ["replaced"])


async def test_a_peer_that_resumes_while_its_old_socket_seems_alive_moves_over_quietly() -> None:
    async with running() as hub:
        wire = await hub.join("a")
        again = await hub.connect()
        assert (await again.hello("", await wire.resume_token()))["b"]["resumed"]
        assert await wire.closed() == 4409
        await eventually(lambda: hub.server.stats()["connections"] == 1)
        hub.server.announce("session-1", LINE)
        assert (await again.receive())["t"] == "line.committed"
        assert ("seat-a", "reconnecting") not in hub.directory.seats


async def test_a_board_that_was_restarted_takes_its_seat_back_before_its_grace_is_over() -> None:
    async with running() as hub:
        old = await hub.join("a", Role.BOARD)
        await old.publish(0, "mic", epoch=1)
        await old.cut()
        await eventually(lambda: ("seat-a", "reconnecting") in hub.directory.seats)
        new = await hub.join("a", Role.BOARD)
        await new.publish(0, "mic", epoch=2)
        assert [p.peer_id for p in hub.server.peers("session-1")] == [new.peer_id]
        assert [(spec.epoch, cause) for spec, cause in hub.directory.closed] == [(1, "replaced")]
        await eventually(lambda: hub.directory.seats[-1] == ("seat-a", "joined"))


async def test_the_new_peer_of_a_seat_publishes_only_when_the_old_one_has_let_go() -> None:
    """The same run of the same encoder may go on in the new peer: the old close must not come after the new open."""
    async with running() as hub:
        old = await hub.join("a", Role.BOARD)
        await old.publish(0, "mic", epoch=7)
        hub.plane.calls.clear()
        hub.plane.hold = asyncio.Event()
        new = await hub.join("a", Role.BOARD)
        publishing = asyncio.create_task(new.publish(0, "mic", epoch=7))
        other = await hub.join("b", Role.BOARD)
        await other.publish(0, "mic")
        assert len(hub.directory.opened) == 2
        hub.plane.hold.set()
        assert (await publishing)["t"] == "media.published"
        assert [call[0] for call in hub.plane.calls] == ["publish", "close", "publish"]


async def test_a_seat_whose_grace_is_over_has_left() -> None:
    async with running(SignalingSettings(pace=QUIET, grace=Grace(board_s=0.05, other_s=0.05))) as hub:
        watching = await hub.join("b", Role.BOARD)
        wire = await hub.join("a")
        await wire.publish(0, "mic")
        await wire.cut()
        assert (await watching.until("peer.left"))["b"]["peer_id"] == wire.peer_id
        await eventually(lambda: hub.directory.seats[-1] == ("seat-a", "left"))
        await eventually(lambda: [cause for _, cause in hub.directory.closed] == ["lost"])


async def test_who_leaves_is_answered_then_dismissed_and_everything_of_it_is_closed() -> None:
    async with running() as hub:
        wire = await hub.join("a")
        await wire.publish(0, "mic")
        assert (await wire.ask("leave", {"reason": "done"}))["t"] == "done"
        assert (await wire.receive())["b"]["code"] == "left"
        assert await wire.closed() == 1000
        await eventually(lambda: [cause for _, cause in hub.directory.closed] == ["left"])
        assert ("close", "session-1", wire.peer_id, None, None) in hub.plane.calls
        await eventually(lambda: hub.directory.seats == [("seat-a", "joined"), ("seat-a", "left")])


async def test_ending_a_session_dismisses_everybody_and_closes_what_they_published() -> None:
    async with running() as hub:
        one = await hub.join("a", Role.BOARD)
        await one.publish(0, "mic")
        elsewhere = await hub.join("z", session="session-2")
        await hub.server.end_session("session-1")
        assert (await one.until("session.changed"))["b"]["state"] == "ended"
        assert (await one.receive())["b"]["code"] == "session_over"
        assert await one.closed() == 4410
        assert [cause for _, cause in hub.directory.closed] == ["ended"]
        assert hub.plane.calls[-1] == ("end_session", "session-1")
        late = await hub.connect()
        assert (await late.hello("a"))["b"]["code"] == "session_ended"
        assert (await elsewhere.ask("hand.raise", {"raised": True}))["t"] == "done"


async def test_a_hub_that_closes_sends_everybody_away_to_come_back() -> None:
    async with running() as hub:
        wire = await hub.join("a", Role.BOARD)
        await wire.publish(0, "mic")
        closing = asyncio.create_task(hub.server.close())
        said = await wire.until("dismissed")
        assert (said["b"]["action"], said["b"]["code"]) == ("resume", "going_away")
        assert await wire.closed() == 1001
        await closing
        assert [cause for _, cause in hub.directory.closed] == ["lost"]


# ---- the room ------------------------------------------------------------------------------------------------------


async def test_a_lobby_peer_is_admitted_by_a_facilitator() -> None:
    async with running() as hub:
        facilitator = await hub.join("f", Role.FACILITATOR)
        waiting = await hub.join("w", Role.LOBBY)
        knock = await facilitator.until("peer.changed")
        assert knock["b"]["peer"]["role"] == "lobby"
        assert (await facilitator.ask("peer.admit", {"peer_id": waiting.peer_id}))["t"] == "done"
        admitted = await waiting.until("admitted")
        assert "media.publish" in admitted["b"]["permissions"]
        assert (await waiting.publish(0, "mic"))["t"] == "media.published"


async def test_a_removed_peer_is_told_and_may_not_come_back() -> None:
    async with running() as hub:
        facilitator = await hub.join("f", Role.FACILITATOR)
        rude = await hub.join("r")
        await facilitator.ask("peer.remove", {"peer_id": rude.peer_id})
        assert (await rude.until("dismissed"))["b"]["code"] == "removed"
        assert await rude.closed() == 4403
        again = await hub.connect()
        assert (await again.hello("r", await rude.resume_token()))["b"]["code"] == "not_permitted"


async def test_what_the_hub_announces_reaches_its_session_and_no_other() -> None:
    async with running() as hub:
        here, there = await hub.join("a"), await hub.join("b", session="session-2")
        lobby = await hub.join("l", Role.LOBBY)
        hub.server.announce("session-1", LINE)
        hub.server.set_state("session-1", record="gap", message="Disk full.")
        hub.server.set_state("session-2", record="off")
        assert (await here.receive())["b"]["line_id"] == "l1"
        assert (await here.receive())["b"]["record"] == "gap"
        assert (await lobby.receive())["t"] == "session.changed"
        assert (await there.receive())["b"]["record"] == "off"


async def test_a_reader_that_is_too_slow_is_dropped_and_comes_back_with_a_resync() -> None:
    settings = SignalingSettings(pace=QUIET)
    settings = replace(settings, bounds=replace(settings.bounds, events=20))
    async with running(settings) as hub:
        wire = await hub.join("a")
        wire.connection.transport.pause_reading()
        big = LINE.model_copy(update={"text": "x" * 200_000})
        for _ in range(200):
            hub.server.announce("session-1", big)
            await asyncio.sleep(0)
        await eventually(lambda: hub.server.stats()["too_slow"] == 1)
        again = await hub.connect()
        assert (await again.hello("", await wire.resume_token()))["b"]["resync"] == "history gone"
        wire.connection.transport.abort()


async def test_an_announcement_too_large_for_the_wire_harms_nobody() -> None:
    async with running() as hub:
        wire = await hub.join("a")
        hub.server.announce("session-1", LINE.model_copy(update={"text": "x" * m.MAX_MESSAGE_BYTES}))
        hub.server.announce("session-1", LINE)
        assert (await wire.receive())["seq"] == 1
        assert hub.server.stats()["not_sent"] == 1


# ---- the pulse and the test door -----------------------------------------------------------------------------------


async def test_the_hub_beats_and_gives_up_a_peer_that_does_not() -> None:
    async with running(SignalingSettings(pace=Pace(beat_s=0.05))) as hub:
        wire = await hub.join("a")
        await wire.send({"t": "beat", "ts": 1234})
        beat = await wire.until("beat")
        assert beat["b"]["echo"] == 1234
        assert await wire.closed() == 4000
        await eventually(lambda: hub.directory.seats[-1] == ("seat-a", "reconnecting"))


async def test_the_test_door_is_shut_unless_it_was_opened() -> None:
    async with running() as hub:
        wire = await hub.join("a", Role.FACILITATOR)
        assert (await wire.ask("test.inject", {"scenario": "drop_socket"}))["b"]["code"] == "not_permitted"


@pytest.mark.parametrize("scenario", ["drop_socket", "refuse_resume", "forget_history"])
async def test_behind_the_test_door_each_scenario_happens(scenario: str) -> None:
    async with running(SignalingSettings(pace=QUIET, test_door=True)) as hub:
        wire = await hub.join("a")
        hub.server.announce("session-1", LINE)
        assert (await wire.ask("test.inject", {"scenario": scenario, "after_ms": 0}))["t"] == "done"
        if scenario == "drop_socket":
            assert await wire.closed() == 4503
        else:
            await wire.ask("hand.raise", {"raised": True})
        again = await hub.connect()
        outcome = (await again.hello("", await wire.resume_token()))["b"]
        expected = {"drop_socket": None, "refuse_resume": "bad_token", "forget_history": "history gone"}
        assert outcome.get("code", outcome.get("resync")) == expected[scenario]


async def test_a_hub_told_to_stop_beating_falls_silent() -> None:
    async with running(SignalingSettings(pace=Pace(beat_s=0.05, missed=10), test_door=True)) as hub:
        wire = await hub.join("a")
        assert (await wire.ask("test.inject", {"scenario": "stop_beating"}))["t"] == "done"
        await wire.send({"t": "beat"})
        hub.server.announce("session-1", LINE)
        with pytest.raises(ConnectionClosed) as closed:
            await wire.until("line.committed")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4000


@pytest.mark.parametrize(
    ("role", "off", "on"),
    [
        (Role.BOARD, "done", "done"),
        (Role.PARTICIPANT, "done", "refused"),
        (Role.FACILITATOR, "done", "done"),
        (Role.OBSERVER, "refused", "refused"),
    ],
)
async def test_who_may_speak_may_stop_the_record_and_not_everybody_lets_it_go_on(role: Role, off: str, on: str) -> None:
    async with running() as hub:
        wire = await hub.join("a", role)
        assert (await wire.ask("record.set", {"on": False}))["t"] == off
        assert (await wire.ask("record.set", {"on": True}))["t"] == on
        asked = [(False, off), (True, on)]
        assert hub.directory.record == [("seat-a", wish) for wish, reply in asked if reply == "done"]


async def test_a_switch_that_the_hub_cannot_make_is_refused_with_its_sentence() -> None:
    async with running() as hub:
        hub.directory.denials["record.set"] = Denial("not_permitted", "Only a session that is going on.")
        wire = await hub.join("a", Role.BOARD)
        said = await wire.ask("record.set", {"on": False})
    assert (said["t"], said["b"]["message"]) == ("refused", "Only a session that is going on.")
