"""What a model costs here: the live path, by the clock of samples."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from transcription.engines import Recogniser
from transcription.fakes import ScriptedEngine
from transcription.recognition import Recognition, RecognitionRequest
from transcription.trial import Track, main, try_out
from transcription.vad import LevelVoiceActivity


class Clock:
    """Counts on only while the engine works: `seconds` a request, by its kind."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self.now, self._seconds = 0.0, seconds

    def script(self, request: RecognitionRequest) -> Recognition:
        self.now += self._seconds[request.kind]
        return Recognition("これで授業を終わります。", "ja", avg_logprob=-0.1, no_speech=0.01)


def tried(seconds: dict[str, float], enough_s: float = 60.0) -> tuple[Track, list[RecognitionRequest]]:
    clock = Clock(seconds)
    engine = ScriptedEngine(clock.script)
    talk, _ = try_out(Recogniser(engine, LevelVoiceActivity), lambda: clock.now, enough_s)
    return talk, list(itertools.chain(*engine.calls))


def test_what_a_talking_track_asks_for_is_counted_by_what_it_is_for() -> None:
    talk, asked = tried({"final": 0.5, "early": 0.25, "partial": 0.125})
    assert {one.kind for one in asked} >= {"early", "partial"}
    assert talk.lines >= 4
    assert talk.lines_s >= talk.lines * 0.25
    assert talk.partials_s > 0.125 * 8
    assert 17 < talk.talk_s < 21
    assert talk.hearing_s == 0.0


def test_a_model_that_is_far_too_slow_is_not_heard_to_the_end() -> None:
    talk, asked = tried({"final": 40.0, "early": 40.0, "partial": 40.0}, enough_s=60.0)
    assert 0 < talk.talk_s < 10
    assert len(asked) < 12


def test_a_folder_without_a_model_is_refused_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--model", str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert (said.out, "is not a speech model" in said.err) == ("", True)
