"""The status says what is so and what to do, and nothing secret."""

from __future__ import annotations

import json

import pytest

from room_agent.status import DeviceFacts, HeardFacts, LinkFacts, SpoolFacts, State, Status, sentence

UP = LinkFacts(signaling="connected", publish="up", subscribe="up")


@pytest.mark.parametrize(
    ("state", "english", "japanese"),
    [
        ("idle", "No session is due", "予定"),
        ("joining", "Joining", "接続"),
        ("live", "Connected.", "つながっています"),
        ("reconnecting", "reconnecting by itself", "自動で"),
        ("unreachable", "network cable", "ケーブル"),
        ("refused", "administrator", "管理者"),
        ("stopped", "Stopped", "終了"),
    ],
)
def test_every_state_has_a_sentence_in_both_languages(state: State, english: str, japanese: str) -> None:
    said = sentence(Status(state, link=UP))
    assert english in said.en
    assert japanese in said.ja


def test_a_missing_microphone_is_said_with_its_consequence() -> None:
    microphone = DeviceFacts("microphone", "desk", error="Another program holds the microphone.")
    said = sentence(Status("live", link=UP, devices=(microphone,)))
    assert "the others cannot hear this room. Another program holds the microphone." in said.en
    assert "マイクが使えません" in said.ja


def test_a_muted_microphone_is_said() -> None:
    said = sentence(Status("live", link=UP, devices=(DeviceFacts("microphone", "desk", name="Desk", muted=True),)))
    assert "muted" in said.en
    assert "消音" in said.ja


def test_live_without_media_is_not_called_connected() -> None:
    assert "sound is on its way" in sentence(Status("live", link=LinkFacts(signaling="connected"))).en


def test_a_path_that_fell_silent_is_said_while_everything_still_counts_as_up() -> None:
    said = sentence(Status("live", link=LinkFacts(publish="up", subscribe="up", suspect=True)))
    assert "Nothing comes from the hub" in said.en
    assert "途切れ" in said.ja


def test_the_facts_are_plain_json() -> None:
    status = Status("live", link=UP, heard={"s1": HeardFacts("壱岐", 12.5)}, playout={"s1": {"latency_ms": 40.0}})
    read = json.loads(json.dumps(status.as_json(), allow_nan=False))
    assert read["heard"]["s1"] == {"site_name": "壱岐", "first_heard_at": 12.5}
    assert set(read["sentence"]) == {"ja", "en"}


@pytest.mark.parametrize(
    ("spool", "english", "japanese"),
    [
        (SpoolFacts(recording_alone=True), "recording here", "ここで録音しています。つながると自動で送ります。"),
        (SpoolFacts(level="near", room_s=600), "10 more minutes", "あと約10分"),
        (SpoolFacts(level="full", at_risk_s=12, recording_alone=True), "12 s are not safe", "12秒分はまだ保存"),
        (SpoolFacts(unsent_s=200), "Still to be sent: 3 min", "まだ送っていない録音：3分"),
        (SpoolFacts(lost_s=30), "30 s of sound were lost", "30秒が失われました"),
    ],
)
def test_what_is_at_risk_on_this_board_is_said(spool: SpoolFacts, english: str, japanese: str) -> None:
    said = sentence(Status("reconnecting", spool=spool))
    assert english in said.en
    assert japanese in said.ja


def test_a_board_that_cannot_write_does_not_say_that_it_records() -> None:
    assert "recording here" not in sentence(Status("reconnecting", spool=SpoolFacts("full", recording_alone=True))).en


def test_a_few_seconds_on_their_way_are_not_worth_a_word() -> None:
    assert sentence(Status("live", link=UP, spool=SpoolFacts(unsent_s=5.0))).en == "Connected."
