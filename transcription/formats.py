"""A transcript as text, Markdown, WebVTT, SRT and JSON. Pure: the caller writes the string as UTF-8 without a BOM.

Lines and gaps of all sites are in order of their start. A gap says, in the transcript's own language, from when to
when which site's audio is missing and why. `language` ("ja" or "en") is that of the words around the lines; the lines
are as they were spoken.

Sources: WebVTT (W3C), SubRip as read by common players, CommonMark 0.31, RFC 8259.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from transcription.caption_lines import wrap
from transcription.lines import Gap, Transcript, TranscriptLine

__all__ = ["Gap", "Transcript", "TranscriptLine", "to_json", "to_markdown", "to_srt", "to_text", "to_vtt"]

Language = Literal["ja", "en"]

JSON_VERSION = 1

_WORDS: dict[Language, dict[str, str]] = {
    "ja": {
        "untitled": "文字起こし",
        "started": "はじまり",
        "sites": "会場",
        "coverage": "記録できた割合",
        "empty": "発言はありません。",
        "gap": "{site}の音声は{from_}から{to}まで記録がありません（{cause}）",
        "gap_anywhere": "{from_}から{to}まで音声の記録がありません（{cause}）",
        "between": "、",
        "colon": "：",
        "site_of": "{speaker}（{site}）",
        "network": "回線で失われました",
        "reconnect": "つなぎ直している間でした",
        "disk_full": "記録用のディスクがいっぱいでした",
        "disk_slow": "記録用のディスクが追いつきませんでした",
        "io": "記録用のディスクに書けませんでした",
        "worker_lost": "中継が止まっていました",
        "unknown": "理由は分かりません",
    },
    "en": {
        "untitled": "Transcript",
        "started": "Started",
        "sites": "Sites",
        "coverage": "Share on record",
        "empty": "Nobody spoke.",
        "gap": "Audio of {site} is missing from {from_} to {to} ({cause})",
        "gap_anywhere": "Audio is missing from {from_} to {to} ({cause})",
        "between": ", ",
        "colon": ": ",
        "site_of": "{speaker} ({site})",
        "network": "lost on the line",
        "reconnect": "while connecting again",
        "disk_full": "the disk for the record was full",
        "disk_slow": "the disk for the record was too slow",
        "io": "the disk for the record could not be written",
        "worker_lost": "the relay had stopped",
        "unknown": "the reason is not known",
    },
}


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line or a gap, cleaned and timed for a reader. `who` is empty for a gap."""

    start_ms: int
    end_ms: int
    who: str
    text: str


def to_text(transcript: Transcript, language: Language = "ja") -> str:
    """Plain text for people: a head, then one line of text for each line and gap."""
    words = _WORDS[language]
    out = [
        _title(transcript, language),
        *(f"{name}{words['colon']}{value}" for name, value in _facts(transcript, language)),
    ]
    out.append("")
    for entry in _entries(transcript, language):
        clock = _clock(entry.start_ms)
        out.append(
            f"[{clock}] {entry.who}{words['colon']}{entry.text}" if entry.who else f"[{clock}] -- {entry.text} --"
        )
    if not transcript.lines and not transcript.gaps:
        out.append(words["empty"])
    return "\n".join(out) + "\n"


def to_markdown(transcript: Transcript, language: Language = "ja") -> str:
    """CommonMark: a heading, a list of facts, a paragraph for each line, a quotation for each gap."""
    words = _WORDS[language]
    blocks = [f"# {_markdown(_title(transcript, language))}"]
    facts = [f"- {name}{words['colon']}{_markdown(value)}" for name, value in _facts(transcript, language)]
    if facts:
        blocks.append("\n".join(facts))
    for entry in _entries(transcript, language):
        clock = _clock(entry.start_ms)
        if entry.who:
            blocks.append(f"**{_markdown(entry.who)}** {clock}\\\n{_markdown(entry.text)}")
        else:
            blocks.append(f"> {clock} {_markdown(entry.text)}")
    if not transcript.lines and not transcript.gaps:
        blocks.append(words["empty"])
    return "\n\n".join(blocks) + "\n"


def to_vtt(transcript: Transcript, language: Language = "ja") -> str:
    """WebVTT: a voice span for each line; the head is a comment."""
    words = _WORDS[language]
    head = [_title(transcript, language)]
    head += [f"{name}{words['colon']}{value}" for name, value in _facts(transcript, language)]
    blocks = ["WEBVTT", "NOTE\n" + "\n".join(head).replace("-->", "→")]
    for number, entry in enumerate(_entries(transcript, language), 1):
        voice = f"<v {_vtt(entry.who)}>" if entry.who else "<i>"
        text = voice + "\n".join(_vtt(line) for line in wrap(entry.text)) + ("" if entry.who else "</i>")
        times = f"{_stamp(entry.start_ms, '.')} --> {_stamp(entry.end_ms, '.')}"
        blocks.append(f"{number}\n{times}\n{text}")
    return "\n\n".join(blocks) + "\n"


def to_srt(transcript: Transcript, language: Language = "ja") -> str:
    """SubRip: the name stands before the text. An empty transcript is an empty file.

    SubRip has no escapes: characters that readers take for marks (`<`, `>`, backslash, braces) are written in their
    full-width form, which NFKC turns back.
    """
    colon = _WORDS[language]["colon"]
    blocks = []
    for number, entry in enumerate(_entries(transcript, language), 1):
        text = f"{entry.who}{colon}{entry.text}" if entry.who else f"[{entry.text}]"
        times = f"{_stamp(entry.start_ms, ',')} --> {_stamp(entry.end_ms, ',')}"
        blocks.append(f"{number}\n{times}\n" + "\n".join(wrap(_srt(text))) + "\n")
    return "\n".join(blocks)


def to_json(transcript: Transcript) -> str:
    """Everything, for programs. Times in seconds to the millisecond, the start in ISO 8601 (UTC).

    Raises ValueError for a number that JSON cannot carry (NaN, infinity).
    """
    lines = sorted(transcript.lines, key=_order)
    gaps = sorted(transcript.gaps, key=_order)
    whole = {
        "version": JSON_VERSION,
        "title": _sound(transcript.title),
        "started_at": _instant(transcript.started_at),
        "timezone": _sound(transcript.timezone),
        "sites": [_sound(site) for site in transcript.sites],
        "coverage": transcript.coverage,
        "lines": [
            {
                "started_s": round(line.started_s, 3),
                "ended_s": round(line.ended_s, 3),
                "site": _sound(line.site),
                "speaker": _sound(line.speaker),
                "text": _sound(line.text),
                "language": _sound(line.language),
                "confidence": round(line.confidence, 4),
                "revision": line.revision,
            }
            for line in lines
        ],
        "gaps": [
            {
                "started_s": round(gap.started_s, 3),
                "ended_s": round(gap.ended_s, 3),
                "site": _sound(gap.site),
                "cause": _sound(gap.cause),
            }
            for gap in gaps
        ],
    }
    return json.dumps(whole, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


# ---- order, words and times ------------------------------------------------------------------------------------------


def _order(item: TranscriptLine | Gap) -> tuple[float, float, str]:
    return item.started_s, item.ended_s, item.site


def _entries(transcript: Transcript, language: Language) -> Iterator[_Entry]:
    """Lines and gaps by start, each at least a millisecond long."""
    items: list[TranscriptLine | Gap] = [*transcript.lines, *transcript.gaps]
    for item in sorted(items, key=_order):
        start_ms = max(0, round(item.started_s * 1000))
        end_ms = max(start_ms + 1, round(item.ended_s * 1000))
        if isinstance(item, Gap):
            yield _Entry(start_ms, end_ms, "", _gap_sentence(item, start_ms, end_ms, language))
        else:
            yield _Entry(start_ms, end_ms, _who(item, language), _one_line(item.text))


def _who(line: TranscriptLine, language: Language) -> str:
    speaker, site = _one_line(line.speaker), _one_line(line.site)
    if speaker and site and speaker != site:
        return _WORDS[language]["site_of"].format(speaker=speaker, site=site)
    return speaker or site or "?"


def _gap_sentence(gap: Gap, start_ms: int, end_ms: int, language: Language) -> str:
    words, site = _WORDS[language], _one_line(gap.site)
    cause = words.get(gap.cause) or _one_line(gap.cause) or words["unknown"]
    sentence = words["gap" if site else "gap_anywhere"]
    return sentence.format(site=site, from_=_clock(start_ms), to=_clock(end_ms), cause=cause)


def _title(transcript: Transcript, language: Language) -> str:
    return _one_line(transcript.title) or _WORDS[language]["untitled"]


def _facts(transcript: Transcript, language: Language) -> Iterator[tuple[str, str]]:
    words = _WORDS[language]
    if transcript.started_at is not None:
        yield words["started"], _local(transcript.started_at, _one_line(transcript.timezone))
    sites = [name for name in map(_one_line, transcript.sites) if name]
    if sites:
        yield words["sites"], words["between"].join(sites)
    if transcript.coverage is not None:
        share = int(min(1.0, max(0.0, transcript.coverage)) * 1000) / 10  # 99.99 % is not 100 %
        yield words["coverage"], f"{share:.1f} %"


def _local(instant: float, zone: str) -> str:
    try:
        place = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return f"{datetime.fromtimestamp(instant, UTC):%Y-%m-%d %H:%M} (UTC)"
    return f"{datetime.fromtimestamp(instant, place):%Y-%m-%d %H:%M} ({zone})"


def _instant(instant: float | None) -> str | None:
    if instant is None:
        return None
    return datetime.fromtimestamp(instant, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _stamp(milliseconds: int, point: str) -> str:
    """HH:MM:SS and milliseconds; more than 99 hours take more digits."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{_clock(seconds * 1000)}{point}{rest:03d}"


def _clock(milliseconds: int) -> str:
    minutes, seconds = divmod(milliseconds // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}"


# ---- characters ------------------------------------------------------------------------------------------------------

_BLANKS = re.compile(r"[^\S\u3000]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~&!]|^[-+=])")
_MARKDOWN_NUMBER = re.compile(r"^(\d+)([.)])")
_SRT = str.maketrans("<>\\{}", "＜＞＼｛｝")


def _sound(text: str) -> str:
    """Text that UTF-8 can carry: a lone surrogate becomes U+FFFD."""
    return _SURROGATE.sub("\ufffd", text)


def _one_line(text: str) -> str:
    """No line ends, no control characters, no byte order mark; runs of blanks are one."""
    text = _BLANKS.sub(" ", _sound(text))
    return "".join(c for c in text if unicodedata.category(c) != "Cc" and c != "\ufeff").strip()


def _vtt(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _srt(text: str) -> str:
    return text.translate(_SRT)


def _markdown(text: str) -> str:
    """Also what would begin a list or underline a heading at the start of a line."""
    return _MARKDOWN_NUMBER.sub(r"\1\\\2", _MARKDOWN.sub(r"\\\1", text))
