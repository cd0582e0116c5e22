"""The client against a real server: it keeps its seat through everything and says how it is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from signaling import messages as m
from signaling.client import Joined, LinkState, Overflowed, SignalingClient, Told
from signaling.errors import Unreachable
from signaling.messages import Body, ClientInfo, Dismissed, Refused
from signaling.ports import Denial, Role, Socket
from signaling.protocol import Pace
from signaling.settings import SignalingSettings
from signaling.sockets import connect
from tests.signaling.hub import LINE, PATIENCE_S, QUIET, Hub, eventually, running

TESTING = SignalingSettings(pace=QUIET, test_door=True)


@dataclass
class Seat:
    """A client at work, with everything it was told. Its back-off takes no time, but its order is kept."""

    client: SignalingClient
    run: asyncio.Task[Dismissed | Refused]
    states: list[LinkState] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    sockets: list[Socket] = field(default_factory=list)

    async def read(self) -> None:
        async for item in self.client.events():
            self.told.append(item)

    @property
    def lines(self) -> list[str]:
        return [item.line_id for item in self.told if isinstance(item, m.LineCommitted)]

    @property
    def joins(self) -> list[Joined]:
        return [item for item in self.told if isinstance(item, Joined)]

    async def finished(self) -> Dismissed | Refused:
        async with asyncio.timeout(PATIENCE_S):
            return await self.run


@asynccontextmanager
async def seated(
    hub: Hub, token: str = "a", role: Role = Role.FACILITATOR, *, pace: Pace = QUIET, reading: bool = True
) -> AsyncIterator[Seat]:
    if token not in hub.directory.tokens:
        hub.seat(token, role)

    async def source() -> str:
        return token

    async def connecting(url: str) -> Socket:
        socket = await connect(url)
        seat.sockets.append(socket)
        return socket

    states: list[LinkState] = []
    client = SignalingClient(
        hub.url,
        source,
        ClientInfo(name="test"),
        on_state=states.append,
        connect=connecting,
        pace=pace,
        chance=lambda: 0.0,
    )
    seat = Seat(client, asyncio.create_task(client.run()), states)
    reader = asyncio.create_task(seat.read()) if reading else None
    try:
        yield seat
    finally:
        tasks = [seat.run, *([reader] if reader else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _joined(seat: Seat, times: int = 1) -> None:
    await eventually(lambda: len(seat.joins) == times)


async def test_a_client_joins_sees_who_is_there_and_is_answered() -> None:
    async with running() as hub, seated(hub) as seat:
        await _joined(seat)
        other = await hub.join("b", Role.BOARD)
        await other.publish(0, "mic")
        await eventually(lambda: "seat-b-mic" in seat.client.view.tracks)
        assert list(seat.client.view.peers) == [seat.joins[0].welcome.peer_id, other.peer_id]
        assert await seat.client.request(m.HandRaise(raised=True)) == m.Done()
        refused = await seat.client.request(m.MediaMute(track_id="seat-b-mic", muted=True))
        assert isinstance(refused, Refused)
        assert [state.state for state in seat.states] == ["connecting", "connected"]


async def test_what_is_asked_before_the_link_stands_is_answered_when_it_does() -> None:
    async with running() as hub, seated(hub) as seat:
        assert await seat.client.request(m.HandRaise(raised=True)) == m.Done()


async def test_a_dropped_socket_is_resumed_with_every_event_once_and_in_order() -> None:
    async with running(TESTING) as hub, seated(hub) as seat:
        await _joined(seat)
        for round_ in range(3):
            hub.server.announce("session-1", LINE.model_copy(update={"line_id": f"a{round_}"}))
            await seat.client.request(m.Inject(scenario="drop_socket"))
            hub.server.announce("session-1", LINE.model_copy(update={"line_id": f"b{round_}"}))
            await _joined(seat, round_ + 2)
        await eventually(lambda: len(seat.lines) == 6)
        assert seat.lines == ["a0", "b0", "a1", "b1", "a2", "b2"]
        assert all(join.resumed and join.resync is None for join in seat.joins[1:])
        assert {join.welcome.peer_id for join in seat.joins} == {seat.joins[0].welcome.peer_id}
        assert "reconnecting" in [state.state for state in seat.states]


async def test_a_command_without_an_answer_is_sent_again_under_the_same_id_after_the_resume() -> None:
    async with running() as hub, seated(hub) as seat:
        await _joined(seat)
        hub.directory.hold = asyncio.Event()
        track = m.PublishTrack(name="mic", kind="audio", source="person_mic", mid="0")
        asking = asyncio.create_task(seat.client.request(m.MediaPublish(generation=0, sdp="x", tracks=[track])))
        await eventually(lambda: hub.server.stats()["peers"] == 1)
        await asyncio.sleep(0)
        await seat.sockets[0].close(1001, "")
        await _joined(seat, 2)
        hub.directory.hold.set()
        assert isinstance(await asking, m.MediaPublished)
        assert len(hub.directory.opened) == 1


async def test_a_history_that_is_gone_is_said_and_the_picture_is_new() -> None:
    settings = replace(TESTING, bounds=replace(TESTING.bounds, events=2))
    async with running(settings) as hub, seated(hub) as seat:
        await _joined(seat)
        for number in range(5):
            hub.server.announce("session-1", LINE.model_copy(update={"line_id": f"l{number}"}))
        hub.server.set_state("session-1", record="gap")
        await _joined(seat, 2)
        assert (seat.joins[1].resumed, seat.joins[1].resync) == (True, "history gone")
        assert seat.client.view.record == "gap"
        hub.server.announce("session-1", LINE)
        await eventually(lambda: seat.lines == ["l1"])


async def test_a_client_whose_resume_token_is_worth_nothing_joins_anew() -> None:
    async with running(TESTING) as hub, seated(hub) as seat:
        await _joined(seat)
        await seat.client.request(m.Inject(scenario="refuse_resume"))
        await seat.client.request(m.Inject(scenario="drop_socket"))
        await _joined(seat, 2)
        assert not seat.joins[1].resumed
        assert seat.joins[1].welcome.peer_id != seat.joins[0].welcome.peer_id
        assert await seat.client.request(m.HandRaise(raised=True)) == m.Done()


async def test_commands_lost_with_the_old_peer_are_given_up_and_not_done_twice() -> None:
    async with running(TESTING) as hub, seated(hub) as seat:
        await _joined(seat)
        await seat.client.request(m.Inject(scenario="refuse_resume"))
        hub.directory.hold = asyncio.Event()
        track = m.PublishTrack(name="mic", kind="audio", source="person_mic", mid="0")
        asking = asyncio.create_task(seat.client.request(m.MediaPublish(generation=0, sdp="x", tracks=[track])))
        await seat.client.request(m.Beat(), 0.01)
        await seat.sockets[0].close(1001, "")
        hub.directory.hold.set()
        outcome = await asking
        assert isinstance(outcome, Refused)
        assert outcome.code == "timed_out"


async def test_a_silent_hub_is_noticed_and_the_seat_resumed() -> None:
    pace = Pace(beat_s=0.1, missed=3)
    async with running(SignalingSettings(pace=pace, test_door=True)) as hub, seated(hub, pace=pace) as seat:
        await _joined(seat)
        await seat.client.request(m.Inject(scenario="stop_beating"))
        await _joined(seat, 2)
        assert seat.joins[1].resumed


async def test_a_client_is_told_when_it_is_over_and_run_returns_the_reason() -> None:
    async with running() as hub, seated(hub) as seat:
        await _joined(seat)
        await hub.server.end_session("session-1", message="お疲れさまでした。")
        last = await seat.finished()
        assert isinstance(last, Dismissed)
        assert (last.action, last.message) == ("stop", "お疲れさまでした。")
        assert seat.states[-1] == LinkState("dismissed", "session_over", "お疲れさまでした。")
        outcome = await seat.client.request(m.HandRaise(raised=True))
        assert isinstance(outcome, Refused)


@pytest.mark.parametrize("code", ["bad_token", "unknown_session", "session_ended"])
async def test_a_refusal_that_time_does_not_heal_ends_the_client(code: str) -> None:
    async with running() as hub:
        hub.directory.tokens["a"] = Denial(code, "No.")
        async with seated(hub) as seat:
            last = await seat.finished()
            assert isinstance(last, Refused)
            assert last.code == code
            assert seat.states[-1].state == "refused"


async def test_a_refusal_that_time_heals_is_tried_again_no_sooner_than_asked() -> None:
    async with running() as hub:
        hub.directory.tokens["a"] = Denial("expired_token", "Expired.", retry_after_ms=20)
        async with seated(hub) as seat:
            await eventually(lambda: any(state.state == "reconnecting" for state in seat.states))
            [waiting] = [state for state in seat.states if state.state == "reconnecting"][:1]
            assert (waiting.code, waiting.retry_in_s) == ("expired_token", 0.02)
            hub.seat("a")
            await _joined(seat)


async def test_a_hub_that_restarts_is_found_again_and_the_seat_taken_anew() -> None:
    async with running() as first:
        async with seated(first) as seat:
            await _joined(seat)
            async with running() as second:
                second.seat("a", Role.FACILITATOR)
                seat.client._url = second.url
                await first.server.close()
                await _joined(seat, 2)
                assert not seat.joins[1].resumed
                away = [state for state in seat.states if state.state == "reconnecting"]
                assert away[0].code == "going_away"


async def test_who_leaves_frees_the_seat_at_once() -> None:
    async with running() as hub, seated(hub) as seat:
        await _joined(seat)
        await seat.client.leave("done")
        last = await seat.finished()
        assert isinstance(last, Dismissed)
        assert last.code == "left"
        assert hub.server.peers("session-1") == []


async def test_who_leaves_while_there_is_no_hub_is_done_too() -> None:
    states: list[LinkState] = []

    async def nowhere(url: str) -> Socket:
        raise Unreachable("ConnectionRefusedError")

    async def source() -> str:
        return "a"

    client = SignalingClient("ws://x", source, ClientInfo(name="x"), on_state=states.append, connect=nowhere)
    run = asyncio.create_task(client.run())
    await eventually(lambda: any(state.state == "reconnecting" for state in states))
    assert "cannot be reached" in states[-1].message
    await client.leave()
    async with asyncio.timeout(PATIENCE_S):
        assert isinstance(await run, Dismissed)


async def test_the_machines_word_that_the_network_is_back_ends_the_wait() -> None:
    tries = 0

    async def nowhere(url: str) -> Socket:
        nonlocal tries
        tries += 1
        raise Unreachable("ConnectionRefusedError")

    async def source() -> str:
        return "a"

    waits: list[float] = []
    client = SignalingClient(
        "ws://x",
        source,
        ClientInfo(name="x"),
        on_state=lambda state: waits.append(state.retry_in_s) if state.retry_in_s is not None else None,
        connect=nowhere,
        chance=lambda: 0.999,
    )
    run = asyncio.create_task(client.run())
    await eventually(lambda: len(waits) == 2)
    assert tries == 2
    client.network_is_back()
    await eventually(lambda: len(waits) == 4)
    assert waits == pytest.approx([0.0, 1.0, 0.0, 1.0], abs=0.01)
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)


async def test_a_request_without_an_answer_in_time_is_a_refusal_and_not_an_error() -> None:
    async with running() as hub, seated(hub) as seat:
        await _joined(seat)
        hub.directory.hold = asyncio.Event()
        track = m.PublishTrack(name="mic", kind="audio", source="person_mic", mid="0")
        outcome = await seat.client.request(m.MediaPublish(generation=0, sdp="x", tracks=[track]), timeout_s=0.05)
        assert isinstance(outcome, Refused)
        assert outcome.code == "timed_out"


async def test_more_than_sixty_four_requests_at_once_are_too_fast() -> None:
    async with running() as hub, seated(hub) as seat:
        await _joined(seat)
        hub.directory.hold = asyncio.Event()
        track = m.PublishTrack(name="mic", kind="audio", source="person_mic", mid="0")
        publish = m.MediaPublish(generation=0, sdp="x", tracks=[track])
        asking = [asyncio.create_task(seat.client.request(publish, 0.2)) for _ in range(65)]
        outcomes = await asyncio.gather(*asking)
        assert isinstance(outcomes[-1], Refused)
        assert outcomes[-1].code == "too_fast"


async def test_a_reader_that_sleeps_is_told_how_much_it_missed_and_the_picture_is_right() -> None:
    async with running() as hub, seated(hub, reading=False) as seat:
        await eventually(lambda: seat.client.welcome is not None)
        for number in range(1100):
            hub.server.announce("session-1", LINE.model_copy(update={"line_id": f"l{number}"}))
            if number % 50 == 0:
                await asyncio.sleep(0.01)
        hub.server.set_state("session-1", record="gap")
        await eventually(lambda: seat.client.view.record == "gap")
        first = await anext(seat.client.events())
        assert isinstance(first, Overflowed)
        assert first.lost > 1024


async def test_of_ephemerals_a_sleeping_reader_finds_the_latest() -> None:
    async with running() as hub, seated(hub, reading=False) as seat:
        await eventually(lambda: seat.client.welcome is not None)
        for level in range(20):
            hub.server.levels("session-1", {"t": level})
            await asyncio.sleep(0)
        hub.server.set_state("session-1", record="gap")
        hub.server.levels("session-1", {"t": 99})
        await eventually(lambda: seat.client.view.record == "gap")
        await eventually(lambda: seat.client._backlog._views.get(("levels", None)) == m.Levels(levels={"t": 99}))
        told: list[Told] = [item async for item in _first(seat, 3)]
        assert isinstance(told[0], Joined)
        assert told[1:] == [m.SessionChanged(state="planned", record="gap"), m.Levels(levels={"t": 99})]


async def _first(seat: Seat, count: int) -> AsyncIterator[Body | Joined | Overflowed]:
    events = seat.client.events()
    for _ in range(count):
        yield await anext(events)


async def test_many_events_are_acknowledged_out_of_turn_so_that_the_hub_can_forget_them() -> None:
    async with running() as hub, seated(hub) as seat:
        await _joined(seat)
        peer = hub.server._peers[seat.joins[0].welcome.peer_id]
        for number in range(200):
            hub.server.announce("session-1", LINE.model_copy(update={"line_id": f"l{number}"}))
        await eventually(lambda: len(seat.lines) == 200)
        await eventually(lambda: len(peer.outbox._kept) < 32)


async def test_a_client_with_nothing_to_say_keeps_its_seat_by_its_beats() -> None:
    """The first beat is due long before the limit of the greeting that the pulse waited for at first."""
    pace = Pace(beat_s=0.05, missed=20, hello_s=3600.0)
    async with running(SignalingSettings(pace=pace)) as hub, seated(hub, pace=pace) as seat:
        began = asyncio.get_running_loop().time()
        await eventually(lambda: asyncio.get_running_loop().time() - began > 2 * pace.silence_s)
        assert [state.state for state in seat.states] == ["connecting", "connected"]
