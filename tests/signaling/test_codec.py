import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling import messages as m
from signaling.codec import BODIES, MAX_INTEGER, Envelope, Malformed, decode, encode
from signaling.errors import MessageTooLarge
from signaling.messages import MAX_MESSAGE_BYTES, ErrorCode

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
ENVELOPES = st.fixed_dictionaries(
    {"t": st.sampled_from(sorted(BODIES)) | st.text(max_size=10) | JSON},
    optional={key: JSON | st.integers(-1, 9) for key in ("id", "re", "seq", "ack", "ep", "ts")}
    | {"b": st.dictionaries(st.sampled_from(["versions", "token", "tracks", "levels", "peer", "sdp"]), JSON) | JSON},
)


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_no_bytes_and_no_text_make_it_raise(wire: str | bytes) -> None:
    assert isinstance(decode(wire), Envelope | Malformed)


@given(ENVELOPES)
def test_no_json_makes_it_raise(value: object) -> None:
    outcome = decode(json.dumps(value))
    if isinstance(outcome, Envelope):
        assert isinstance(decode(encode(outcome)), Envelope)


@given(
    seq=st.none() | st.integers(1, MAX_INTEGER),
    ack=st.none() | st.integers(0, MAX_INTEGER),
    ts=st.none() | st.integers(0, MAX_INTEGER),
    text=st.text(st.characters(exclude_categories=["Cs"]), max_size=100),
)
def test_what_is_encoded_decodes_to_the_same(seq: int | None, ack: int | None, ts: int | None, text: str) -> None:
    body = m.CaptionPartial(track_id="t", site_id="s", utterance="u", revision=1, text=text)
    envelope = Envelope(body.type, body, seq=seq, ack=ack, ts=ts)
    assert decode(encode(envelope)) == envelope
    assert decode(encode(envelope).encode()) == envelope


@pytest.mark.parametrize(
    "wire",
    [
        pytest.param("", id="nothing"),
        pytest.param("[" * 100_000, id="deep nesting"),
        pytest.param('"\\ud800"', id="half a surrogate pair, escaped"),
        pytest.param("\ud800", id="half a surrogate pair"),
        pytest.param(b"\xff\xfe", id="not UTF-8"),
        pytest.param("[1]", id="not an object"),
        pytest.param("{}", id="no type"),
        pytest.param('{"t":1}', id="type is a number"),
        pytest.param('{"t":"beat","seq":true}', id="seq is a truth value"),
        pytest.param('{"t":"beat","seq":0}', id="seq below one"),
        pytest.param('{"t":"beat","ack":-1}', id="ack below zero"),
        pytest.param('{"t":"beat","ts":' + "9" * 400 + "}", id="ts beyond what browsers count"),
        pytest.param('{"t":"beat","ts":NaN}', id="not a number"),
        pytest.param('{"t":"beat","id":"a b"}', id="id with a space"),
        pytest.param('{"t":"beat","b":[]}', id="body is a list"),
    ],
)
def test_what_is_not_an_envelope_is_said_without_a_type(wire: str | bytes) -> None:
    outcome = decode(wire)
    assert isinstance(outcome, Malformed)
    assert (outcome.code, outcome.t) == (ErrorCode.BAD_MESSAGE, None)


def test_a_bad_body_keeps_the_id_so_that_it_can_be_answered() -> None:
    outcome = decode('{"t":"media.close","id":"c1","b":{"connection":"sideways","generation":1}}')
    assert isinstance(outcome, Malformed)
    assert (outcome.t, outcome.id) == ("media.close", "c1")


def test_an_unknown_type_keeps_the_id_so_that_it_can_be_answered() -> None:
    outcome = decode('{"t":"media.teleport","id":"c1"}')
    assert isinstance(outcome, Malformed)
    assert (outcome.code, outcome.id) == (ErrorCode.BAD_MESSAGE, "c1")


def test_what_is_wrong_is_said_without_the_value_that_is_wrong() -> None:
    wire = json.dumps({"t": "hello", "id": "c1", "b": {"versions": [1], "token": ["s3cret"], "client": {"name": "x"}}})
    outcome = decode(wire)
    assert isinstance(outcome, Malformed)
    assert "token" in outcome.message
    assert "s3cret" not in outcome.message


def test_unknown_fields_are_ignored_everywhere() -> None:
    outcome = decode('{"t":"beat","new":1,"b":{"echo":5,"newer":{}}}')
    assert outcome == Envelope("beat", m.Beat(echo=5))


def test_null_and_absent_mean_the_same() -> None:
    assert decode('{"t":"beat","id":null,"b":null}') == decode('{"t":"beat"}')


def test_the_limit_is_the_same_both_ways() -> None:
    frame = len(encode(Envelope("media.answer", m.MediaAnswer(generation=0, sdp="x")))) - 1
    line = {"line_id": "l", "track_id": "t", "site_id": "s", "site_name": "", "language": "ja"}
    line |= {"started_at": 0.0, "ended_at": 0.0}
    rest = len(encode(Envelope("line.committed", m.LineCommitted.model_validate(line | {"text": ""}))))
    largest = Envelope(
        "line.committed", m.LineCommitted.model_validate(line | {"text": "x" * (MAX_MESSAGE_BYTES - rest)})
    )
    wire = encode(largest)
    assert frame > 0
    assert len(wire) == MAX_MESSAGE_BYTES
    assert decode(wire) == largest
    over = m.LineCommitted.model_validate(line | {"text": "x" * (MAX_MESSAGE_BYTES - rest + 1)})
    with pytest.raises(MessageTooLarge, match=r"line\.committed"):
        encode(Envelope("line.committed", over))
    outcome = decode(wire[:-1] + " }")
    assert isinstance(outcome, Malformed)
    assert outcome.code is ErrorCode.TOO_LARGE


def test_the_limit_counts_bytes_and_not_characters() -> None:
    outcome = decode('{"t":"beat","x":"' + "島" * (MAX_MESSAGE_BYTES // 3) + '"}')
    assert isinstance(outcome, Malformed)
    assert outcome.code is ErrorCode.TOO_LARGE
