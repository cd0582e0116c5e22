import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling import messages as m
from signaling.codec import Envelope, encode
from signaling.messages import ErrorCode
from signaling.protocol import Acked, ClientLine, CloseCode, Fact, Hangup, Heard, HubLine, Pace, Unread, Write

HELLO = '{"t":"hello","id":"c1","ts":77,"b":{"versions":[1],"token":"x","client":{"name":"test"}}}'
BEAT = '{"t":"beat","ack":3,"ts":500}'
HAND = '{"t":"hand.raise","id":"c2","b":{"raised":true}}'
WELCOME = encode(
    Envelope(
        "welcome",
        m.Welcome(version=1, peer_id="p", role="board", resume_token="r", server_time=0.0, grace_s=60.0),
        re="c1",
        ep=4,
    )
)
PACE = Pace()

WIRES = st.sampled_from([HELLO, BEAT, HAND, WELCOME, "{", "[]", '{"t":"nonsense"}', '{"t":"nonsense","id":"c9"}']) | (
    st.text(max_size=30) | st.binary(max_size=30)
)
STEPS = st.lists(st.tuples(st.floats(0, 5), WIRES | st.none()), max_size=60)


def _open_hub(now: float = 0.0, epoch: int = 4) -> HubLine:
    line = HubLine(now)
    line.receive(HELLO, now)
    line.welcomed(epoch, now)
    return line


@given(STEPS, st.booleans())
def test_garbage_never_raises_and_after_the_end_nothing_comes_out(
    steps: list[tuple[float, str | bytes | None]], hub: bool
) -> None:
    line: HubLine | ClientLine = HubLine(0.0) if hub else ClientLine(0.0)
    now = 0.0
    for wait, wire in steps:
        now += wait
        was_closed = line.closed
        facts = line.tick(now) if wire is None else line.receive(wire, now)
        if was_closed:
            assert facts == []
        assert line.closed is (was_closed or any(isinstance(fact, Hangup) for fact in facts))
        if isinstance(line, HubLine) and any(isinstance(f, Heard) and f.envelope.t == "hello" for f in facts):
            line.welcomed(4, now)


def test_a_beat_that_asks_is_answered_at_once_with_one_that_does_not() -> None:
    ask = '{"t":"beat","ts":500,"b":{"ask":true}}'
    client = ClientLine(0.0)
    client.receive(WELCOME, 0.0)
    for line in (_open_hub(), client):
        (answer,) = line.receive(ask, 0.1)
        assert isinstance(answer, Write)
        assert answer.envelope.body == m.Beat(echo=500)
        assert line.receive('{"t":"beat","ts":501}', 0.2) == []


@given(st.lists(st.floats(0, 3), max_size=20), st.booleans())
def test_a_silent_peer_is_closed_by_the_deadline(ticks: list[float], hub: bool) -> None:
    line: HubLine | ClientLine = _open_hub() if hub else ClientLine(0.0)
    if isinstance(line, ClientLine):
        line.receive(WELCOME, 0.0)
    now = 0.0
    while not line.closed:
        assert line.deadline() <= now + PACE.beat_s
        now = max(now, line.deadline())
        line.tick(now)
    assert now == pytest.approx(PACE.silence_s)
    assert line.deadline() == float("inf")


def test_whoever_does_not_say_hello_in_time_is_told_and_closed() -> None:
    line = HubLine(0.0)
    assert line.tick(PACE.hello_s - 0.01) == []
    [end] = line.tick(line.deadline())
    assert isinstance(end, Hangup)
    assert end.code is CloseCode.NO_HELLO
    assert _refused(end) is ErrorCode.TIMED_OUT


@pytest.mark.parametrize(
    ("wire", "close", "code"),
    [
        (HAND, CloseCode.BAD_MESSAGE, ErrorCode.BAD_MESSAGE),
        (BEAT, CloseCode.BAD_MESSAGE, ErrorCode.BAD_MESSAGE),
        (HELLO.replace('"id":"c1",', ""), CloseCode.BAD_MESSAGE, ErrorCode.BAD_MESSAGE),
        ('{"t":"hello","id":"c1","b":{}}', CloseCode.BAD_MESSAGE, ErrorCode.BAD_MESSAGE),
        ("{", CloseCode.BAD_MESSAGE, ErrorCode.BAD_MESSAGE),
        (f'"{"x" * m.MAX_MESSAGE_BYTES}"', CloseCode.TOO_LARGE, ErrorCode.TOO_LARGE),
    ],
)
def test_before_hello_anything_else_is_refused_and_ends_it(wire: str, close: CloseCode, code: ErrorCode) -> None:
    [end] = HubLine(0.0).receive(wire, 0.0)
    assert isinstance(end, Hangup)
    assert end.code is close
    assert _refused(end) is code


def test_a_command_comes_out_and_what_rides_on_it_too() -> None:
    facts = _open_hub().receive(HAND[:-1] + ',"ack":9}', 0.1)
    assert facts[0] == Acked(9)
    assert isinstance(facts[1], Heard)
    assert facts[1].envelope.body == m.HandRaise(raised=True)


@pytest.mark.parametrize(
    "wire",
    [
        pytest.param('{"t":"done","re":"c1"}', id="a reply"),
        pytest.param('{"t":"peer.left","seq":1,"b":{"peer_id":"p"}}', id="an event"),
        pytest.param('{"t":"hand.raise","b":{"raised":true}}', id="a command without id"),
        pytest.param('{"t":"from.the.future"}', id="an unknown type without id"),
        pytest.param('{"t":"hand.raise","id":"c2","ep":3,"b":{"raised":true}}', id="another epoch"),
    ],
)
def test_what_is_out_of_place_is_ignored_and_counted(wire: str) -> None:
    line = _open_hub()
    assert line.receive(wire, 0.0) == []
    assert line.ignored == 1
    assert not line.closed


@pytest.mark.parametrize(
    "wire",
    [
        pytest.param('{"t":"from.the.future","id":"c2"}', id="an unknown type"),
        pytest.param('{"t":"hand.raise","id":"c2","b":{}}', id="a bad body"),
        pytest.param(HELLO.replace("c1", "c2"), id="a second hello"),
    ],
)
def test_a_command_that_cannot_be_read_is_refused_and_the_connection_goes_on(wire: str) -> None:
    line = _open_hub()
    [said] = line.receive(wire, 0.0)
    assert isinstance(said, Write)
    assert said.envelope.re == "c2"
    assert isinstance(said.envelope.body, m.Refused)
    assert said.envelope.body.code is ErrorCode.BAD_MESSAGE
    assert not line.closed


def test_what_is_no_envelope_ends_an_open_connection_with_a_word() -> None:
    [end] = _open_hub().receive("{", 0.0)
    assert isinstance(end, Hangup)
    assert end.last is not None
    assert isinstance(end.last.body, m.Dismissed)
    assert (end.last.body.action, end.last.body.code) == ("rejoin", ErrorCode.BAD_MESSAGE)


def test_a_flood_is_dismissed_and_an_honest_pace_never_is() -> None:
    line = _open_hub()
    now = 0.0
    for _ in range(1_000):
        now += 1 / PACE.per_s
        line.receive(BEAT, now)
    assert not line.closed
    facts: list[Fact] = []
    for _ in range(PACE.burst + 1):
        facts += line.receive(BEAT, now)
    assert line.closed
    end = facts[-1]
    assert isinstance(end, Hangup)
    assert end.code is CloseCode.FLOOD


def test_a_beat_is_written_each_interval_and_echoes_the_last_time_heard() -> None:
    line = _open_hub()
    line.receive(BEAT, 1.0)
    [beat] = line.tick(line.deadline())
    assert beat == Write(Envelope("beat", m.Beat(echo=500)))
    assert line.deadline() == PACE.beat_s * 2


def test_anything_at_all_keeps_a_connection_alive() -> None:
    line = _open_hub()
    for second in range(1, 60):
        line.receive('{"t":"from.the.future"}', float(second))
        line.tick(float(second))
    assert not line.closed


def test_a_client_waits_for_its_welcome_before_anything_else() -> None:
    line = ClientLine(0.0)
    assert line.receive('{"t":"peer.left","seq":1,"b":{"peer_id":"p"}}', 0.0) == []
    [heard] = line.receive(WELCOME, 0.0)
    assert isinstance(heard, Heard)
    assert not line.closed


def test_a_client_that_is_refused_or_dismissed_is_at_its_end() -> None:
    for word in (
        {"t": "refused", "re": "c1", "b": {"code": "bad_token", "message": "no"}},
        {"t": "dismissed", "b": {"action": "stop", "code": "removed", "message": "out"}},
    ):
        line = ClientLine(0.0)
        heard, end = line.receive(json.dumps(word), 0.0)
        assert isinstance(heard, Heard)
        assert isinstance(end, Hangup)


def test_a_client_throws_away_what_carries_another_epoch() -> None:
    line = ClientLine(0.0)
    line.receive(WELCOME, 0.0)
    assert line.receive('{"t":"peer.left","seq":1,"ep":3,"b":{"peer_id":"p"}}', 0.0) == []
    assert line.ignored == 1
    assert line.receive('{"t":"peer.left","seq":1,"ep":4,"b":{"peer_id":"p"}}', 0.0) != []


def test_a_client_survives_messages_of_a_newer_hub() -> None:
    line = ClientLine(0.0)
    line.receive(WELCOME, 0.0)
    assert line.receive('{"t":"hologram.level","ep":4}', 0.0) == []
    assert line.receive('{"t":"hologram.started","seq":1,"ep":4}', 0.0) == [Unread(1)]
    assert not line.closed


def _refused(end: Hangup) -> ErrorCode:
    assert end.last is not None
    assert isinstance(end.last.body, m.Refused)
    return end.last.body.code
