"""The real loading code and the real (small) weights: cut windows, batches, languages, and what is not a model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.transcription.sounds import DIALOGUE, Said, at_48k, dialogue, noise, silence
from transcription.ear import Ear
from transcription.errors import ModelMissing, RecognitionError
from transcription.fakes import opus_packets
from transcription.filters import judge
from transcription.grid import RATE
from transcription.listener import Fact, Listener, Silent, Spoken
from transcription.recognition import RecognitionRequest, recognise_each
from transcription.score import cer
from transcription.vad import SileroModel, SileroVoiceActivity
from transcription.whisper import FIXTURE, WhisperEngine, WhisperSettings, choose_language


@pytest.fixture(scope="module")
def engine() -> WhisperEngine:
    return WhisperEngine(WhisperSettings("fixture", device="cpu", threads=1))


@pytest.fixture(scope="module")
def silero() -> SileroModel:
    return SileroModel()


def request(
    said: Said, languages: tuple[str, ...] = ("ja", "en"), kind: str = "final", glossary: str = ""
) -> RecognitionRequest:
    sound, _ = soundfile.read(str(DIALOGUE / said.file), dtype="float32")
    return RecognitionRequest(1, kind, 0, len(sound) * 3, sound, languages, glossary=glossary, voiced_s=1.5)  # type: ignore[arg-type]


def live(sound: np.ndarray, engine: WhisperEngine, silero: SileroModel, languages: tuple[str, ...]) -> list[Fact]:
    """As a worker hears it: Opus packets, a few at a time."""
    packets = [(p.sequence, p.sample, p.payload) for p in opus_packets(sound)]
    ear, listener, facts = Ear(0, SileroVoiceActivity(silero)), Listener(1, 0, languages), list[Fact]()
    for at in range(0, len(packets), 3):
        for asked in listener.hear(ear.hear(packets[at : at + 3])):
            facts += listener.answer(asked, *recognise_each(engine, [asked]))
    end = len(packets) * 960
    for asked in listener.hear(ear.finish(end)) + listener.finish(end):
        facts += listener.answer(asked, *recognise_each(engine, [asked]))
    return facts + listener.facts()


def test_every_sentence_of_the_dialogue_is_right_through_opus_voice_activity_and_cut_windows(
    engine: WhisperEngine, silero: SileroModel
) -> None:
    wrong = []
    for said in dialogue():
        sound = np.concatenate([silence(1.0), at_48k(said.file), silence(0.5)])
        sound = sound + noise(len(sound) / RATE, 0.0005)[: len(sound)]
        facts = live(sound, engine, silero, ("ja", "en"))
        text = "".join(fact.text for fact in facts if isinstance(fact, Spoken) and fact.suppressed is None)
        if cer(said.text, text) > 0:
            wrong.append((said.file, text))
        starts = [fact.start_sample for fact in facts if isinstance(fact, Spoken)]
        assert 0.8 <= starts[0] / RATE <= 1.3
    assert wrong == []


@pytest.mark.parametrize("offset", range(0, 512, 32))
def test_a_short_sentence_is_found_at_every_offset_of_the_window(
    engine: WhisperEngine, silero: SileroModel, offset: int
) -> None:
    sound = np.concatenate([silence(1.0 + offset / 16_000), at_48k("18_iki.flac"), silence(0.5)])
    [line] = [fact for fact in live(sound, engine, silero, ("ja",)) if isinstance(fact, Spoken)]
    assert (line.text, line.suppressed) == ("賛成です。", None)


@pytest.mark.parametrize("kind", ["final", "partial"])
def test_a_batch_answers_as_each_alone(engine: WhisperEngine, kind: str) -> None:
    requests = [request(said, kind=kind) for said in dialogue()[:6]]
    together = [answer.text for answer in engine.recognise(requests)]
    assert together == [engine.recognise([one])[0].text for one in requests]
    assert together == [said.text for said in dialogue()[:6]]


def test_rooms_with_different_glossaries_and_lengths_share_a_call_without_leaks(engine: WhisperEngine) -> None:
    said = dialogue()
    requests = [
        request(said[0], glossary="壱岐、郷ノ浦、芦辺、勝本"),
        request(said[3]),
        request(said[7], glossary="東京"),
    ]
    answers = engine.recognise(requests)
    for one, answer in zip((said[0], said[3], said[7]), answers, strict=True):
        assert cer(one.text, answer.text) < 0.5
    assert answers[1].text == said[3].text


def test_the_window_is_cut_to_the_utterance(engine: WhisperEngine) -> None:
    [answer] = engine.recognise([request(dialogue()[0])])
    assert answer.window_s == 5.0


def test_the_language_is_detected_per_utterance(engine: WhisperEngine) -> None:
    said = dialogue()
    answers = engine.recognise([request(one) for one in said])
    assert [answer.language for answer in answers] == [one.language for one in said]


def test_a_doubtful_language_stays_what_the_stream_spoke_last() -> None:
    assert choose_language(("ja", "en"), "ja", {"<|ja|>": 0.3, "<|en|>": 0.7}) == "ja"
    assert choose_language(("ja", "en"), "ja", {"<|ja|>": 0.1, "<|en|>": 0.9}) == "en"
    assert choose_language(("ja", "en"), "ja", {"<|ja|>": 0.05, "<|en|>": 0.15, "<|fr|>": 0.8}) == "ja"
    assert choose_language(("ja", "en"), "", {"<|ja|>": 0.4, "<|en|>": 0.6}) == "en"


@pytest.mark.parametrize("languages", [(), ("xx",), ("xx", "ja")])
def test_a_language_that_the_model_does_not_know_does_not_cost_the_line(
    engine: WhisperEngine, languages: tuple[str, ...]
) -> None:
    assert engine.recognise([request(dialogue()[0], languages)])[0].text == dialogue()[0].text


def test_ten_minutes_of_noise_give_no_character(engine: WhisperEngine, silero: SileroModel) -> None:
    chance = np.random.default_rng(5)
    white = chance.standard_normal(16_000 * 120).astype(np.float32)
    brown = np.cumsum(white - white.mean()).astype(np.float32)
    hum = np.sin(2 * np.pi * 50 * np.arange(16_000 * 120) / 16_000).astype(np.float32)
    kinds = [white * 0.01, white * 0.1, brown / np.abs(brown).max() * 0.5, hum * 0.1 + white * 0.005, white * 0.0003]
    ear, listener, facts = Ear(0, SileroVoiceActivity(silero), 16_000), Listener(1, 0, ("ja", "en")), list[Fact]()
    for block in np.array_split(np.concatenate(kinds), 300):
        for asked in listener.hear(ear.sound(block)):
            facts += listener.answer(asked, *recognise_each(engine, [asked]))
        facts += listener.facts()
    assert "".join(fact.text for fact in facts if isinstance(fact, Spoken) and fact.suppressed is None) == ""
    assert [fact for fact in facts if isinstance(fact, Silent)][-1].watermark_sample > 595 * RATE


def test_silence_given_as_speech_is_not_believed(engine: WhisperEngine) -> None:
    asked = RecognitionRequest(1, "final", 0, 96_000, np.zeros(32_000, np.float32), ("ja",), voiced_s=0.5)
    answer = engine.recognise([asked])[0]
    assert judge(asked, answer) is not None


def test_a_doubtful_final_is_decoded_again_at_the_full_window_and_a_partial_is_not(engine: WhisperEngine) -> None:
    chance = np.random.default_rng(3)
    sound = (chance.standard_normal(32_000) * 0.2).astype(np.float32)
    answers = [
        engine.recognise([RecognitionRequest(1, kind, 0, 96_000, sound, ("ja",), voiced_s=0.1)])[0]
        for kind in ("final", "partial")
    ]
    assert [answer.window_s for answer in answers] == [30.0, 5.0]


def test_a_broken_request_is_an_error_of_ours(engine: WhisperEngine) -> None:
    broken = RecognitionRequest(1, "final", 0, 1, np.zeros((4, 4), np.float32), ("ja",))
    with pytest.raises(RecognitionError):
        engine.recognise([broken])


@pytest.mark.parametrize(
    "model, words",
    [
        ("/nowhere/model", "no model at /nowhere/model"),
        ("./nowhere", "no model at ./nowhere"),
        ("no-such-name", 'no model "no-such-name" on this machine'),
        ("owner/no-such-repository", 'no model "owner/no-such-repository" on this machine'),
    ],
)
def test_a_model_that_is_not_there_is_one_sentence_and_no_download(model: str, words: str) -> None:
    with pytest.raises(ModelMissing, match=words):
        WhisperEngine(WhisperSettings(model))


def test_a_directory_that_is_no_model_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match=r"tokenizer\.json missing"):
        WhisperEngine(WhisperSettings(str(tmp_path)))


def test_a_damaged_model_is_one_sentence(tmp_path: Path) -> None:
    for name in ("config.json", "tokenizer.json", "vocabulary.json", "preprocessor_config.json"):
        (tmp_path / name).write_bytes((FIXTURE / name).read_bytes())
    (tmp_path / "model.bin").write_bytes((FIXTURE / "model.bin").read_bytes()[:1_000])
    with pytest.raises(ModelMissing, match="cannot be used"):
        WhisperEngine(WhisperSettings(str(tmp_path), device="cpu"))
