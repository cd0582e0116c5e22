"""Which recognised text is believed. Pure rows, in order; the first that speaks is the reason.

What is not believed is reported with its reason and kept, never deleted: a filter can be wrong. A list of phrases that
recognisers invent (after videos) is consulted only when the sound itself is weak: people do say "thank you".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from transcription.recognition import Recognition, RecognitionRequest
from transcription.text_keys import comparison_key, spoken_weight

Reason = Literal[
    "empty",
    "loop",
    "compression",
    "too_fast",
    "no_speech",
    "low_confidence",
    "invented_phrase",
    "glossary_leak",
    "failed",
]

MAX_WEIGHT_PER_VOICED_S = 16.0
SLACK_S = 0.25
"""Voice activity ends a little before the sound does."""

_INVENTED = frozenset(
    comparison_key(phrase)
    for phrase in (
        "ご視聴ありがとうございました", "最後までご視聴いただきありがとうございました", "ご清聴ありがとうございました",
        "チャンネル登録お願いします", "チャンネル登録よろしくお願いします", "チャンネル登録と高評価をお願いします",
        "高評価お願いします", "字幕作成者", "字幕視聴ありがとうございました", "次回の動画でお会いしましょう",
        "Thanks for watching", "Thank you for watching",
        "Please subscribe to my channel", "Subtitles by the Amara.org community",
    )
)  # fmt: skip
_POLITE = frozenset(
    comparison_key(phrase)
    for phrase in (
        "ありがとうございました",
        "ありがとうございます",
        "おやすみなさい",
        "お疲れ様でした",
        "Thank you",
        "Bye",
        "You",
    )
)


@dataclass(frozen=True, slots=True)
class Heard:
    request: RecognitionRequest
    answer: Recognition
    key: str


def judge(request: RecognitionRequest, answer: Recognition) -> Reason | None:
    """None: believed."""
    heard = Heard(request, answer, comparison_key(answer.text))
    return next((reason for reason, holds in _ROWS if holds(heard)), None)


def repeats(key: str, longest_period: int = 20) -> tuple[int, int]:
    """(period, count) of the suffix that repeats most often; (0, 1) when none repeats."""
    best = (0, 1)
    for period in range(1, min(longest_period, len(key) // 2) + 1):
        unit, count = key[-period:], 1
        while key[: len(key) - count * period].endswith(unit):
            count += 1
        if count > best[1]:
            best = (period, count)
    return best


def _is_loop(heard: Heard) -> bool:
    """はいはいはい is speech and so is 10000: short units count only when too many, or faster than anybody speaks."""
    period, count = repeats(heard.key)
    if count < 4:
        return False
    if period >= 3:
        return True
    return count >= 10 or _rate(heard) > 10.0


def _rate(heard: Heard) -> float:
    return spoken_weight(heard.key) / (heard.request.voiced_s + SLACK_S)


def _is_unsure_of_speech(heard: Heard) -> bool:
    return heard.answer.no_speech > 0.6 and heard.answer.avg_logprob < -1.0


def _is_invented(heard: Heard) -> bool:
    request, answer = heard.request, heard.answer
    faint = request.snr_db < 6.0 or answer.no_speech > 0.5
    weak = faint or request.voiced_s < 1.2 or request.snr_db < 10.0 or answer.avg_logprob < -0.7
    return (heard.key in _INVENTED and weak) or (heard.key in _POLITE and faint)


def _is_glossary(heard: Heard) -> bool:
    glossary = comparison_key(heard.request.glossary)
    return len(heard.key) >= 8 and heard.key in glossary and (heard.request.snr_db < 10.0 or _rate(heard) > 10.0)


_ROWS: tuple[tuple[Reason, Callable[[Heard], bool]], ...] = (
    ("empty", lambda heard: not heard.key),
    ("loop", _is_loop),
    ("compression", lambda heard: heard.answer.compression > 2.4 and len(heard.key) >= 20),
    ("too_fast", lambda heard: _rate(heard) > MAX_WEIGHT_PER_VOICED_S),
    ("no_speech", _is_unsure_of_speech),
    ("low_confidence", lambda heard: heard.answer.avg_logprob < -1.5),
    ("invented_phrase", _is_invented),
    ("glossary_leak", _is_glossary),
)

_WORTH_ANOTHER_TRY = frozenset({"empty", "loop", "compression", "too_fast", "no_speech", "low_confidence"})


def is_suspicious(request: RecognitionRequest, answer: Recognition) -> bool:
    """Whether decoding again, at the full window, is worth its cost."""
    return answer.truncated or answer.avg_logprob < -1.0 or judge(request, answer) in _WORTH_ANOTHER_TRY
