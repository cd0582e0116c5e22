"""The language of the control pipe."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.media import control
from signaling.media.errors import ControlError
from signaling.ports import Anchor, LoggedPacket, Slot, Want
from tests.signaling_media.clients import spec

packets = st.lists(
    st.builds(
        LoggedPacket,
        track_id=st.text(st.characters(codec="ascii", exclude_characters="\0"), min_size=1, max_size=64),
        epoch=st.integers(0, 2**32 - 1),
        sequence=st.integers(0, 2**63),
        sample=st.integers(0, 2**63),
        arrived_at=st.floats(0, 1e11),
        payload=st.binary(max_size=300),
    ),
    max_size=8,
)


@given(packets)
def test_a_batch_of_packets_arrives_as_it_was(batch: list[LoggedPacket]) -> None:
    (body,) = control.FrameReader().feed(control.packet_frame(batch))
    assert control.read_told(body) == tuple(batch)


@given(packets, st.integers(1, 2000), st.integers(1, 9))
def test_frames_are_found_for_any_cut_of_the_stream(batch: list[LoggedPacket], seed: int, pieces: int) -> None:
    stream = control.packet_frame(batch) + control.frame(control.Ready(port=5)) + control.packet_frame(batch)
    reader, bodies = control.FrameReader(), []
    step = max(1, seed % (len(stream) // pieces + 1))
    for at in range(0, len(stream), step):
        bodies += reader.feed(stream[at : at + step])
    assert [control.read_told(body) for body in bodies] == [tuple(batch), control.Ready(port=5), tuple(batch)]


@pytest.mark.parametrize(
    "command",
    [
        control.Publish(
            session_id="s",
            peer_id="p",
            generation=1,
            offer_sdp="v=0",
            tracks=(spec("t", anchor=Anchor(70_000, 67_200_000)), spec("u", "1", kind="video")),
        ),
        control.Subscribe(session_id="s", peer_id="p", generation=0, audio=3, video=1),
        control.Answer(session_id="s", peer_id="p", generation=0, sdp="v=0"),
        control.SetWants(session_id="s", peer_id="p", wants=(Want("t", 0, 3),), budget_kbps=500),
        control.Close(session_id="s", peer_id="p", connection=None, generation=None),
        control.EndSession(session_id="s"),
        control.Stats(),
    ],
    ids=lambda command: command.do,
)
def test_every_command_arrives_as_it_was(command: control.Command) -> None:
    call = control.Call(id=3, command=command)
    (body,) = control.FrameReader().feed(control.frame(call))
    assert control.read_call(body) == call


@pytest.mark.parametrize(
    "told",
    [
        control.Failed(reason="port_in_use", message="m", address="::1", port=4),
        control.Reply(id=1, slots=(Slot("0", "audio", None), Slot("1", "video", "t")), stats={"a": [1, {"b": 2}]}),
        control.SlotsChanged(session_id="s", peer_id="p", generation=0, slots=(Slot("0", "audio", "t"),)),
        control.ConnectionUp(session_id="s", peer_id="p", connection="publish", generation=2),
        control.ConnectionLost(session_id="s", peer_id="p", connection="subscribe", generation=2, cause="silent"),
        control.TrackSuspect(session_id="s", track_id="t", silent_ms=1000),
        control.TrackLive(session_id="s", track_id="t"),
        control.Levels(session_id="s", levels={"t": 30}),
    ],
    ids=lambda told: told.what,
)
def test_everything_a_worker_tells_arrives_as_it_was(told: control.Told) -> None:
    (body,) = control.FrameReader().feed(control.frame(told))
    assert control.read_told(body) == told


@given(st.binary(max_size=400))
def test_rubbish_is_a_control_error_and_nothing_else(data: bytes) -> None:
    for read in (control.read_told, control.read_call):
        try:
            read(data)
        except ControlError:
            continue
    try:
        for body in control.FrameReader().feed(data):
            control.read_call(body)
    except ControlError:
        return


@given(packets.filter(bool), st.integers(1, 200))
def test_a_batch_that_breaks_off_is_refused(batch: list[LoggedPacket], missing: int) -> None:
    body = control.packet_frame(batch)[4:]
    cut = body[: -min(missing, len(batch[-1].payload) + 30)]
    whole = len(control.packet_frame(batch[:-1])[4:])
    if len(cut) <= whole:
        return
    with pytest.raises(ControlError):
        control.read_told(cut)
