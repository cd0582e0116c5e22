"""Laws and cases of the conductor: one stop for every start, make before break, devices outlive the link."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from room_agent.conductor import (
    CONNECTIONS,
    CloseMedia,
    Command,
    Conduct,
    DevicesChanged,
    Event,
    MediaConnected,
    MediaHeard,
    MediaLost,
    OpenMedia,
    Phase,
    RetryDue,
    RetryLater,
    SessionFound,
    SessionOver,
    SignalingLost,
    StartDevices,
    StopDevices,
    StopRequested,
    Welcomed,
    conduct,
)

connections = st.sampled_from(CONNECTIONS)
generations = st.integers(0, 12)
events: st.SearchStrategy[Event] = st.one_of(
    st.just(SessionFound()),
    st.builds(Welcomed, st.booleans()),
    st.just(SignalingLost()),
    st.builds(DevicesChanged, st.booleans()),
    st.builds(MediaConnected, connections, generations),
    st.builds(MediaLost, connections, generations),
    st.builds(MediaHeard, connections, generations),
    st.builds(RetryDue, connections),
    st.just(SessionOver()),
)


def run(sequence: Iterable[Event], state: Conduct | None = None) -> tuple[Conduct, list[Command]]:
    state = state or Conduct()
    commands: list[Command] = []
    for event in sequence:
        state, more = conduct(state, event)
        commands.extend(more)
    return state, commands


def live(*more: Event) -> tuple[Conduct, list[Command]]:
    """A session whose two connections carry, and what the given events then make of it."""
    state, _ = run(
        [
            SessionFound(),
            DevicesChanged(True),
            Welcomed(False),
            MediaConnected("publish", 1),
            MediaConnected("subscribe", 1),
        ]
    )
    return run(more, state)


@given(st.lists(events, max_size=60))
def test_every_start_has_one_stop(sequence: list[Event]) -> None:
    _, commands = run([*sequence, StopRequested()])
    opened = [(each.connection, each.generation) for each in commands if isinstance(each, OpenMedia)]
    closed = [(each.connection, each.generation) for each in commands if isinstance(each, CloseMedia)]
    assert sorted(opened) == sorted(closed)
    assert len(set(opened)) == len(opened)
    devices = [type(each) for each in commands if isinstance(each, StartDevices | StopDevices)]
    assert devices == [StartDevices, StopDevices] * (len(devices) // 2)


@given(st.lists(events, max_size=60))
def test_generations_rise_and_at_most_two_are_open(sequence: list[Event]) -> None:
    state = Conduct()
    open_now: dict[str, list[int]] = {each: [] for each in CONNECTIONS}
    highest = dict.fromkeys(CONNECTIONS, 0)
    for event in sequence:
        state, commands = conduct(state, event)
        for command in commands:
            if isinstance(command, OpenMedia):
                assert command.generation > highest[command.connection]
                highest[command.connection] = command.generation
                open_now[command.connection].append(command.generation)
            elif isinstance(command, CloseMedia):
                open_now[command.connection].remove(command.generation)
            assert all(len(each) <= 2 for each in open_now.values())


@given(st.lists(events, max_size=60))
def test_only_the_end_of_the_session_stops_the_devices(sequence: list[Event]) -> None:
    state = Conduct()
    for event in sequence:
        state, commands = conduct(state, event)
        if StopDevices() in commands:
            assert isinstance(event, SessionOver)


@given(st.lists(events, max_size=60))
def test_in_a_live_session_a_wanted_connection_is_never_forgotten(sequence: list[Event]) -> None:
    state = Conduct()
    retries = dict.fromkeys(CONNECTIONS, 0)
    for event in sequence:
        state, commands = conduct(state, event)
        for command in commands:
            if isinstance(command, RetryLater):
                retries[command.connection] += 1
        for connection, link in state.links.items():
            if state.phase is Phase.LIVE and link.wanted:
                assert link.healthy or link.opening is not None or link.waiting
            if link.waiting:
                assert retries[connection] > 0


@given(st.lists(events, max_size=40))
def test_nothing_begins_after_the_stop(sequence: list[Event]) -> None:
    state, _ = run([StopRequested()])
    assert run(sequence, state) == (state, [])


def test_a_lost_connection_is_replaced_before_the_old_one_is_closed() -> None:
    state, commands = live(MediaLost("publish", 1))
    assert commands == [OpenMedia("publish", 2)]
    _, commands = run([MediaConnected("publish", 2)], state)
    assert commands == [CloseMedia("publish", 1)]


def test_a_resumed_link_keeps_its_media() -> None:
    assert live(SignalingLost(), Welcomed(True))[1] == []


def test_a_hub_that_knows_nothing_gets_everything_anew() -> None:
    _, commands = live(SignalingLost(), Welcomed(False))
    assert commands == [OpenMedia("publish", 2), OpenMedia("subscribe", 2)]


def test_media_lost_while_signaling_is_away_is_made_anew_after_the_resume() -> None:
    _, commands = live(SignalingLost(), MediaLost("subscribe", 1), Welcomed(True))
    assert commands == [OpenMedia("subscribe", 2)]


def test_a_refused_offer_is_tried_again_with_growing_patience() -> None:
    state, commands = live(MediaLost("publish", 1), MediaLost("publish", 2))
    assert commands[1:] == [CloseMedia("publish", 2), RetryLater("publish", 1)]
    state, commands = run([RetryDue("publish"), MediaLost("publish", 3)], state)
    assert commands == [OpenMedia("publish", 3), CloseMedia("publish", 3), RetryLater("publish", 2)]


def test_a_new_device_means_a_new_generation_and_the_last_device_gone_means_none() -> None:
    state, commands = live(DevicesChanged(True))
    assert commands == [OpenMedia("publish", 2)]
    _, commands = run([MediaConnected("publish", 2), DevicesChanged(False)], state)
    assert commands == [CloseMedia("publish", 1), CloseMedia("publish", 2)]


def test_a_path_that_is_heard_again_while_signaling_is_away_is_kept() -> None:
    _, commands = live(SignalingLost(), MediaLost("subscribe", 1), MediaHeard("subscribe", 1), Welcomed(True))
    assert commands == []


def test_a_path_that_is_heard_again_ends_the_waiting_but_not_an_opening_under_way() -> None:
    state, _ = live(MediaLost("subscribe", 1), MediaHeard("subscribe", 1))
    assert state.links["subscribe"].healthy
    _, commands = run([MediaConnected("subscribe", 2)], state)
    assert commands == [CloseMedia("subscribe", 1)]
    state, _ = live(MediaLost("subscribe", 1), MediaLost("subscribe", 2), MediaHeard("subscribe", 1))
    _, commands = run([RetryDue("subscribe")], state)
    assert commands == []


def test_a_path_that_is_heard_again_with_yesterdays_devices_is_still_replaced() -> None:
    _, commands = live(DevicesChanged(True), MediaHeard("publish", 1), MediaLost("publish", 2))
    assert commands == [OpenMedia("publish", 2), CloseMedia("publish", 2), RetryLater("publish", 1)]


def test_a_request_to_replace_a_generation_that_is_gone_does_nothing() -> None:
    assert live(MediaLost("subscribe", 0), MediaLost("subscribe", 7))[1] == []
