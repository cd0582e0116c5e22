"""Transcripts as files, read back by somebody else's readers."""

from __future__ import annotations

import io
import json

import pysubs2
import pytest
import webvtt

from session_manager.exports import FORMATS, Whole
from session_manager.records import CoverageSpan, SpanKind, TrackCoverage
from tests.session_manager.test_coverage import NOW, SESSION, line

COVERAGE = [
    TrackCoverage(
        "track",
        "site0",
        "壱岐",
        (CoverageSpan(SpanKind.LINE, NOW + 1, NOW + 3), CoverageSpan(SpanKind.GAP, NOW + 3, NOW + 4, "network")),
    )
]
WHOLE = Whole(SESSION, [line(1, 3)], COVERAGE)


def render(extension: str, whole: Whole = WHOLE) -> str:
    return FORMATS[extension].render(whole, "ja")


def test_there_are_five_formats() -> None:
    assert list(FORMATS) == ["txt", "md", "vtt", "srt", "json"]


def test_webvtt_times_count_from_the_start_and_name_the_voice() -> None:
    cues = list(webvtt.from_buffer(io.StringIO(render("vtt"))))
    assert (cues[0].start_in_seconds, cues[0].end_in_seconds, cues[0].voice) == (1, 3, "壱岐")
    assert "こんにちは" in cues[0].text


def test_srt_is_read_by_pysubs2() -> None:
    events = list(pysubs2.SSAFile.from_string(render("srt"), format_="srt"))
    assert (events[0].start, events[0].end) == (1000, 3000)
    assert "こんにちは" in events[0].text


def test_json_holds_lines_and_coverage_as_the_hub_keeps_them() -> None:
    document = json.loads(render("json"))
    assert document["lines"][0] | {"text": "こんにちは", "started_at": NOW + 1} == document["lines"][0]
    assert document["coverage"][0]["spans"][1]["cause"] == "network"
    assert document["coverage_figure"] == pytest.approx(2 / 3)
    assert "suppressed" not in document["lines"][0]


@pytest.mark.parametrize("extension", ["txt", "md", "vtt", "srt"])
def test_a_gap_is_named_in_every_format_for_people(extension: str) -> None:
    assert "記録がありません" in render(extension)


@pytest.mark.parametrize("extension", FORMATS)
def test_a_session_without_a_word_is_a_file_too(extension: str) -> None:
    assert isinstance(render(extension, Whole(SESSION, [])), str)
