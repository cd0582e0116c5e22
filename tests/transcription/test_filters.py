"""Filters: what is not believed, and what must be."""

from __future__ import annotations

import numpy as np
import pytest

from transcription.filters import is_suspicious, judge, repeats
from transcription.recognition import Recognition, RecognitionRequest


def request(voiced_s: float = 2.0, snr_db: float = 30.0, glossary: str = "") -> RecognitionRequest:
    return RecognitionRequest(
        1,
        "final",
        0,
        96_000,
        np.zeros(32_000, np.float32),
        ("ja",),
        glossary=glossary,
        voiced_s=voiced_s,
        snr_db=snr_db,
    )


def answer(text: str, logprob: float = -0.3, no_speech: float = 0.0, compression: float = 1.0) -> Recognition:
    return Recognition(text, "ja", logprob, no_speech, compression)


BELIEVED = [
    ("今日の議題は島の未来です。", 2.0, 30.0),
    ("はい", 0.2, 30.0),
    ("はいはいはいはい", 1.4, 30.0),
    ("一〇〇〇〇円", 1.5, 30.0),
    ("10000", 1.5, 30.0),
    ("そうですねそうですね", 2.0, 30.0),
    ("ありがとうございました。", 0.9, 12.0),
    ("ありがとうございます。", 1.2, 30.0),
    ("ご視聴ありがとうございました", 2.0, 30.0),
    ("Thank you very much.", 1.2, 30.0),
    ("Can you see my screen, please?", 1.4, 30.0),
    ("トトトトと歩く", 2.0, 30.0),
]


@pytest.mark.parametrize("text, voiced_s, snr_db", BELIEVED)
def test_what_people_say_is_believed(text: str, voiced_s: float, snr_db: float) -> None:
    assert judge(request(voiced_s, snr_db), answer(text)) is None


DISBELIEVED = [
    ("empty", request(), answer("")),
    ("empty", request(), answer("。。。")),
    ("loop", request(10.0), answer("はい" * 30)),
    ("loop", request(8.0), answer("ありがとうございました" * 5)),
    ("loop", request(8.0), answer("それで、えーとえーとえーとえーと")),
    ("loop", request(0.5), answer("は" * 9)),
    ("compression", request(20.0), answer("壱岐の皆さん聞こえますかこちらは福岡の会場です", compression=3.0)),
    ("too_fast", request(0.3), answer("次は壱岐の会場からお話を伺います")),
    ("no_speech", request(), answer("はい、そうです", logprob=-1.2, no_speech=0.9)),
    ("low_confidence", request(), answer("はい、そうです", logprob=-1.8)),
    ("invented_phrase", request(1.0), answer("ご視聴ありがとうございました")),
    ("invented_phrase", request(1.5, 4.0), answer("ご視聴、ありがとうございました！")),
    ("invented_phrase", request(1.5, 3.0), answer("ありがとうございました")),
    ("glossary_leak", request(2.0, 5.0, "壱岐、郷ノ浦、芦辺、勝本、石田"), answer("壱岐、郷ノ浦、芦辺、勝本")),
]


@pytest.mark.parametrize("reason, asked, answered", DISBELIEVED)
def test_what_is_not_believed_has_its_reason(reason: str, asked: RecognitionRequest, answered: Recognition) -> None:
    assert judge(asked, answered) == reason


def test_glossary_words_that_were_clearly_said_are_believed() -> None:
    assert judge(request(2.5, 30.0, "壱岐、郷ノ浦、芦辺、勝本"), answer("壱岐、郷ノ浦、芦辺、勝本")) is None


@pytest.mark.parametrize(
    "key, expected",
    [("", (0, 1)), ("あいう", (0, 1)), ("ああ", (1, 2)), ("xはいはいはい", (2, 3)), ("abcabcab", (3, 2))],
)
def test_repeats_are_counted_at_the_end(key: str, expected: tuple[int, int]) -> None:
    assert repeats(key) == expected


def test_an_answer_that_was_cut_off_is_worth_another_try() -> None:
    assert is_suspicious(request(), Recognition("長い話", "ja", -0.3, truncated=True))
    assert is_suspicious(request(), answer("はい" * 30))
    assert not is_suspicious(request(), answer("壱岐の皆さん、聞こえますか。"))
