from __future__ import annotations

import dataclasses
import html
import io
import json
import re
import unicodedata

import pysubs2
import pytest
import webvtt
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from transcription.caption_lines import width as columns_of
from transcription.caption_lines import wrap
from transcription.formats import Gap, Transcript, TranscriptLine, to_json, to_markdown, to_srt, to_text, to_vtt

LAWS = settings(max_examples=150, deadline=None)

NASTY = [
    "-->",
    "&",
    "&lt;",
    "<",
    ">",
    "</v>",
    "<b>",
    "{\\i1}",
    "\\N",
    "\n",
    "\r\n\r\n",
    "\u2028",
    "\ufeff",
    "12",
    "\x00",
]
NASTY += [
    "NOTE",
    "#",
    "*",
    "1. ",
    "`",
    "__",
    "[a](b)",
    "|",
    "\ud800",
    "っ",
    "ー",
    "。",
    "「",
    "　",
    "👨‍👩‍👧",
    "が",
    "ヶ",
]
words = st.lists(st.sampled_from(NASTY) | st.text(max_size=12) | st.sampled_from("島の会議を始めます。"), max_size=12)
texts = words.map("".join)
names = texts
times = st.floats(0, 350_000, allow_nan=False)


@st.composite
def transcripts(draw: st.DrawFn) -> Transcript:
    def span() -> tuple[float, float]:
        start = draw(times)
        return start, start + draw(st.floats(0, 30))

    lines = [
        TranscriptLine(*span(), draw(names), draw(names), draw(texts), draw(st.sampled_from(["ja", "en"])), 0.5, 1)
        for _ in range(draw(st.integers(0, 5)))
    ]
    causes = st.sampled_from(["network", "disk_full", "?"]) | texts
    gaps = [Gap(*span(), draw(names), draw(causes)) for _ in range(draw(st.integers(0, 3)))]
    started_at = draw(st.none() | st.floats(0, 4e9))
    coverage = draw(st.none() | st.floats(0, 1))
    sites = tuple(draw(st.lists(names, max_size=3)))
    zone = draw(st.sampled_from(["Asia/Tokyo", "UTC", "No/Where", ""]))
    return Transcript(draw(texts), started_at, zone, sites, tuple(lines), tuple(gaps), coverage)


def bare(text: str) -> str:
    """What must survive: characters, not blanks or what cannot be shown."""
    text = re.sub("[\ud800-\udfff]", "\ufffd", text)
    return "".join(c for c in text if not c.isspace() and unicodedata.category(c) != "Cc" and c != "\ufeff")


def in_order(transcript: Transcript) -> list[TranscriptLine | Gap]:
    items = [*transcript.lines, *transcript.gaps]
    return sorted(items, key=lambda item: (item.started_s, item.ended_s, item.site))


def near(one_s: float, other_ms: float) -> bool:
    return abs(one_s * 1000 - other_ms) <= 1


ISLAND = Transcript(
    "島の対話",
    1_775_988_000.0,
    "Asia/Tokyo",
    ("壱岐テレワークセンター", "福岡本土オフィス"),
    (
        TranscriptLine(3.2, 6.1, "壱岐テレワークセンター", "田中", "聞こえますか。", "ja", 0.9, 2),
        TranscriptLine(2.0, 4.0, "福岡本土オフィス", "", "Can you hear me?", "en", 0.8),
    ),
    (Gap(10, 72.5, "福岡本土オフィス", "network"), Gap(80, 81, "", "meteor")),
    0.99999,
)


# ---- round trips through other people's readers ----------------------------------------------------------------------


@LAWS
@given(transcripts(), st.sampled_from(["ja", "en"]))
def test_a_vtt_reader_finds_text_times_speakers_and_gaps(transcript: Transcript, language: str) -> None:
    cues = webvtt.from_string(to_vtt(transcript, language), strict=True).captions
    items = in_order(transcript)
    assert [cue.identifier for cue in cues] == [str(n + 1) for n in range(len(items))]
    for cue, item in zip(cues, items, strict=True):
        assert near(item.started_s, cue.start_time.in_milliseconds())
        assert near(max(item.ended_s, item.started_s + 0.001), cue.end_time.in_milliseconds())
        assert cue.end_time > cue.start_time
        inside = html.unescape(re.sub("^<(v [^>]*|i)>|</i>$", "", cue.raw_text))
        if isinstance(item, Gap):
            assert cue.voice is None
            assert bare(item.site) in bare(inside)
        else:
            assert bare(inside) == bare(item.text)
            voice = bare(html.unescape(cue.voice or ""))
            assert bare(item.speaker) in voice
            assert bare(item.site) in voice


@LAWS
@given(transcripts(), st.sampled_from(["ja", "en"]))
def test_an_srt_reader_finds_text_times_speakers_and_gaps(transcript: Transcript, language: str) -> None:
    subtitles = pysubs2.SSAFile.from_string(to_srt(transcript, language), format_="srt")
    items = in_order(transcript)
    for cue, item in zip(subtitles, items, strict=True):
        assert near(item.started_s, cue.start)
        assert near(max(item.ended_s, item.started_s + 0.001), cue.end)
        inside = unicodedata.normalize("NFKC", bare(cue.plaintext))
        assert unicodedata.normalize("NFKC", bare(item.site)) in inside
        if isinstance(item, TranscriptLine):
            assert inside.endswith(unicodedata.normalize("NFKC", bare(item.text)))
            assert unicodedata.normalize("NFKC", bare(item.speaker)) in inside


@LAWS
@given(transcripts())
def test_json_brings_everything_back(transcript: Transcript) -> None:
    whole = json.loads(to_json(transcript))
    for kind in ("lines", "gaps"):
        wanted = sorted(getattr(transcript, kind), key=lambda item: (item.started_s, item.ended_s, item.site))
        for found, item in zip(whole[kind], wanted, strict=True):
            expected = dataclasses.asdict(item)
            assert found.keys() == expected.keys()
            for key, value in expected.items():
                if isinstance(value, float):
                    assert abs(found[key] - value) <= 0.001
                elif isinstance(value, str):
                    assert found[key] == re.sub("[\ud800-\udfff]", "\ufffd", value)
                else:
                    assert found[key] == value
    assert whole["coverage"] == transcript.coverage
    assert whole["timezone"] == transcript.timezone


@LAWS
@given(transcripts())
def test_a_markdown_reader_sees_the_characters_and_no_marks(transcript: Transcript) -> None:
    tokens = MarkdownIt("commonmark").parse(to_markdown(transcript))
    inline = [token for token in tokens if token.type == "inline"]
    shown = ["".join(part.content for part in token.children or ()) for token in inline]
    kinds = {part.type for token in inline for part in token.children or ()}
    assert kinds <= {"text", "text_special", "strong_open", "strong_close", "hardbreak"}
    paragraphs = shown[-len(in_order(transcript)) :] if in_order(transcript) else []
    for paragraph, item in zip(paragraphs, in_order(transcript), strict=True):
        if isinstance(item, TranscriptLine):
            assert bare(paragraph).endswith(bare(item.text))
            assert bare(item.speaker) in bare(paragraph)
        assert bare(item.site) in bare(paragraph)


@LAWS
@given(transcripts(), st.sampled_from(["ja", "en"]))
def test_text_has_a_line_for_every_line_and_gap(transcript: Transcript, language: str) -> None:
    body = to_text(transcript, language).split("\n\n", 1)[1].splitlines()
    items = in_order(transcript)
    assert len(body) == max(1, len(items))
    for row, item in zip(body, items, strict=False):
        assert bare(item.site) in bare(row)
        if isinstance(item, TranscriptLine):
            assert bare(row).endswith(bare(item.text))


@LAWS
@given(transcripts())
def test_every_format_is_utf_8_without_a_byte_order_mark(transcript: Transcript) -> None:
    for text in (
        to_text(transcript),
        to_markdown(transcript),
        to_vtt(transcript),
        to_srt(transcript),
        to_json(transcript),
    ):
        assert not text.encode("utf-8").startswith(b"\xef\xbb\xbf")
        assert text == "" or text.endswith("\n")


# ---- examples --------------------------------------------------------------------------------------------------------


def test_vtt_is_what_the_standard_shows() -> None:
    assert to_vtt(ISLAND) == (
        "WEBVTT\n\n"
        "NOTE\n島の対話\nはじまり：2026-04-12 19:00 (Asia/Tokyo)\n会場：壱岐テレワークセンター、福岡本土オフィス\n"
        "記録できた割合：99.9 %\n\n"
        "1\n00:00:02.000 --> 00:00:04.000\n<v 福岡本土オフィス>Can you hear me?\n\n"
        "2\n00:00:03.200 --> 00:00:06.100\n<v 田中（壱岐テレワークセンター）>聞こえますか。\n\n"
        "3\n00:00:10.000 --> 00:01:12.500\n<i>福岡本土オフィスの音声は\n00:00:10から00:01:12まで\n"
        "記録がありません（回線で\n失われました）</i>\n\n"
        "4\n00:01:20.000 --> 00:01:21.000\n<i>00:01:20から00:01:21まで音声の\n記録がありません（meteor）</i>\n"
    )


def test_a_gap_says_from_when_to_when_and_why_in_both_languages() -> None:
    assert "福岡本土オフィスの音声は00:00:10から00:01:12まで記録がありません（回線で失われました）" in to_text(
        ISLAND, "ja"
    )
    english = "Audio of 福岡本土オフィス is missing from 00:00:10 to 00:01:12 (lost on the line)"
    assert english in to_text(ISLAND, "en")
    assert "[00:01:20] -- Audio is missing from 00:01:20 to 00:01:21 (meteor) --" in to_text(ISLAND, "en")


def test_a_share_that_is_not_everything_is_never_shown_as_100_percent() -> None:
    assert "99.9 %" in to_text(ISLAND)
    assert "100.0 %" in to_text(dataclasses.replace(ISLAND, coverage=1.0))


def test_srt_names_the_speaker_before_the_text() -> None:
    second = to_srt(ISLAND, "en").split("\n\n")[1]
    assert second == "2\n00:00:03,200 --> 00:00:06,100\n田中 (壱岐テレワークセンター): \n聞こえますか。".replace(
        ": \n", ":\n"
    )


def test_more_than_99_hours_take_another_digit() -> None:
    late = Transcript(lines=(TranscriptLine(400_000.5, 400_001.25, "島", "", "はい。"),))
    assert "111:06:40.500 --> 111:06:41.250" in to_vtt(late)
    assert webvtt.from_string(to_vtt(late)).captions[0].start_in_seconds == 400_000
    assert "111:06:40,500 --> 111:06:41,250" in to_srt(late)


def test_an_empty_transcript_is_a_valid_file_in_every_format() -> None:
    nothing = Transcript()
    assert to_srt(nothing) == ""
    assert webvtt.from_buffer(io.StringIO(to_vtt(nothing))).captions == []
    assert json.loads(to_json(nothing))["lines"] == []
    assert "発言はありません。" in to_text(nothing)
    assert "Nobody spoke." in to_markdown(nothing, "en")


def test_a_line_without_length_or_before_the_start_still_is_a_cue() -> None:
    odd = Transcript(lines=(TranscriptLine(-1.0, -2.0, "島", "", "はい"), TranscriptLine(5, 5, "島", "", "はい")))
    assert "00:00:00.000 --> 00:00:00.001" in to_vtt(odd)
    assert "00:00:05.000 --> 00:00:05.001" in to_vtt(odd)


def test_a_number_that_json_cannot_carry_is_an_error_not_a_broken_file() -> None:
    with pytest.raises(ValueError, match="JSON"):
        to_json(Transcript(coverage=float("nan")))


# ---- caption lines ---------------------------------------------------------------------------------------------------

FORBIDDEN_FIRST = "ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶー、。，．・！？」』）】々"


@pytest.mark.parametrize(
    "text, lines",
    [
        ("はい。", ["はい。"]),
        (
            "それでは、来月の予定について皆さんの意見を聞かせてください。勝本小学校からお願いします。",
            ["それでは、来月の予定について", "皆さんの意見を聞かせてください。", "勝本小学校からお願いします。"],
        ),
        ("壱岐テレワークセンターのインターネットが", ["壱岐テレワークセンターの", "インターネットが"]),
        (
            "Next slide please, let us hear from the island site about the plans",
            ["Next slide please, let us hear from the", "island site about the plans"],
        ),
        ("全部で１２人、番号は", ["全部で１２人、番号は"]),
    ],
)
def test_captions_break_at_sensible_places(text: str, lines: list[str]) -> None:
    assert wrap(text) == lines


@settings(max_examples=400, deadline=None)
@given(st.text(st.sampled_from("あいうっゃー、。「」（）漢字会議カタッァabc12 　.,々👨\u200d👧がﾞ"), max_size=120))
@example("あ" * 15 + "っ" * 3 + "。")
@example("12345 " * 10)
@example("あ" * 16 + "12")
def test_breaks_lose_nothing_obey_the_rules_and_keep_to_16_characters(text: str) -> None:
    lines = wrap(text)
    assert "".join("".join(lines).split()) == "".join(text.split())
    limit = 32 if any(columns_of(c) == 2 for c in text) else 42
    for line in lines[1:]:
        assert line[0] not in FORBIDDEN_FIRST
        assert not unicodedata.combining(line[0])
    for line in lines[:-1]:
        assert line[-1] not in "「（"
    assert not (len(lines) > 1 and lines[-1].isdigit()), "an SRT reader takes it for the number of the next cue"
    for line in lines:
        if columns_of(line) > limit:
            assert wrap(line) == [line], "only what nowhere may be broken is longer"


def test_kana_without_marks_is_kept_to_16_characters() -> None:
    assert {columns_of(line) <= 32 for line in wrap("あいうえおかきくけこさしすせそたちつてと" * 5)} == {True}
    assert {columns_of(line) <= 32 for line in wrap("漢字会議壱岐郷浦芦辺勝本石田福岡東京" * 5)} == {True}
