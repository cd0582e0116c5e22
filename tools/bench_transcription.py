"""What live captions cost and how soon they come: `python -m tools.bench_transcription [--json FILE] [--seconds 30]`.

A real worker process with the fixture model serves a scripted hub over loopback: four tracks talk at once in real time,
then eight are silent. The baseline is faster-whisper's own `transcribe()` on the same utterances, padded to 30 s each;
for a time to the line it is given the same voice activity for nothing (its decoding plus the silence that ends an
utterance). Figures are of this machine and of the fixture model, 1.9 million parameters.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import soundfile
import soxr
from faster_whisper import WhisperModel
from numpy.typing import NDArray

from transcription.endpointer import EndpointRules
from transcription.fakes import ScriptedHub, ScriptedTrack, opus_packets
from transcription.grid import RATE
from transcription.recognition import RecognitionRequest
from transcription.score import character_edits
from transcription.settings import TOKEN_VARIABLE
from transcription.whisper import FIXTURE, WhisperEngine, WhisperSettings

DIALOGUE = Path(__file__).parents[1] / "session_manager" / "demo" / "dialogue"
LEAD_S, TAIL_S = 0.3, 0.6
"""Silence in the dialogue's files before and after the speech."""
TALKING, SILENT = 4, 8
TOKEN = "bench"


@dataclass(frozen=True)
class Said:
    text: str
    language: str
    sound: NDArray[np.float32]
    """16 kHz."""


@dataclass(frozen=True)
class Spoken:
    """Samples at 48 kHz on its track."""

    text: str
    started: int
    ended: int


def dialogue() -> list[Said]:
    whole = json.loads((DIALOGUE / "dialogue.json").read_text(encoding="utf-8"))["utterances"]
    return [
        Said(one["text"], one["language"], soundfile.read(str(DIALOGUE / one["file"]), dtype="float32")[0])
        for one in whole
    ]


def row(name: str, value: float, unit: str, aim: float | None, baseline: float | None = None) -> dict[str, object]:
    rounded = [None if figure is None else round(figure, 4) for figure in (value, aim, baseline)]
    return {"name": name, "value": rounded[0], "unit": unit, "aim": rounded[1], "baseline": rounded[2]}


def talking(said: list[Said], seconds: float, shift: int) -> tuple[ScriptedTrack, list[Spoken]]:
    pieces, spoken, at = [np.zeros(RATE // 2 * (shift + 1), np.float32)], [], RATE // 2 * (shift + 1)
    for one in (said[shift * 5 :] + said) * 4:
        if at > seconds * RATE:
            break
        sound = soxr.resample(one.sound, 16_000, RATE)
        spoken.append(Spoken(one.text, at + round(LEAD_S * RATE), at + len(sound) - round(TAIL_S * RATE)))
        pieces.append(sound)
        at += len(sound)
    chance = np.random.default_rng(shift)
    whole = np.concatenate([*pieces, np.zeros(RATE, np.float32)])
    packets = opus_packets(whole + (chance.standard_normal(len(whole)) * 0.0005).astype(np.float32))
    track = ScriptedTrack(f"talk{shift}", packets, ["ja", "en"], speed=1.0, end_sample=len(packets) * 960)
    return track, spoken


def silent(seconds: float, number: int) -> ScriptedTrack:
    chance = np.random.default_rng(number)
    packets = opus_packets((chance.standard_normal(round(seconds * RATE)) * 0.0005).astype(np.float32))
    return ScriptedTrack(f"silent{number}", packets, ["ja"], speed=1.0, end_sample=len(packets) * 960)


@asynccontextmanager
async def worker(url: str) -> AsyncIterator[psutil.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "transcription", "worker", "--hub", url, "--model", "fixture", "--log-level", "WARNING",
        env={**os.environ, TOKEN_VARIABLE: TOKEN},
    )  # fmt: skip
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        await process.wait()


def cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def serve(tracks: list[ScriptedTrack]) -> tuple[float, float, float]:
    """(CPU seconds while streaming, wall seconds, resident megabytes at the end)."""
    async with ScriptedHub(tracks, TOKEN) as hub, worker(hub.url) as process:
        await hub.until(lambda: bool(hub.hellos))
        before, began = cpu_s(process), time.monotonic()
        await hub.until_done(600)
        return cpu_s(process) - before, time.monotonic() - began, process.memory_info().rss / 1e6


def waits(track: ScriptedTrack, spoken: list[Spoken]) -> tuple[list[float], list[float]]:
    """Seconds from the end of speech to its line, and from its beginning to the first partial."""
    finals, partials = [], []
    ends = sorted(track.sent_at)
    for one in spoken:
        starts = [line.start_sample for line in track.lines if one.started - RATE < line.start_sample < one.ended]
        if not starts:
            continue
        sent = {at: track.sent_at[next(end for end in ends if end >= at)] for at in (one.started, one.ended)}
        finals.append(track.final_at[starts[-1]] - sent[one.ended])
        first = [at for start, at in track.partial_at if start == starts[0]]
        partials += [first[0] - sent[one.started]] if first else []
    return finals, partials


def decoding(said: list[Said]) -> list[dict[str, object]]:
    """The engine alone against faster-whisper's `transcribe()`, one utterance at a time."""
    engine = WhisperEngine(WhisperSettings("fixture", device="cpu", threads=1))
    padded = WhisperModel(str(FIXTURE), device="cpu", compute_type="int8", cpu_threads=1)
    ours, theirs, ours_text, theirs_text = [], [], "", ""
    for one in said:
        began = time.perf_counter()
        request = RecognitionRequest(1, "final", 0, 1, one.sound, (one.language,), voiced_s=1.5)
        ours_text += engine.recognise([request])[0].text
        between = time.perf_counter()
        theirs_text += "".join(s.text for s in padded.transcribe(one.sound, language=one.language)[0])
        ours.append(between - began)
        theirs.append(time.perf_counter() - between)
    reference = "".join(one.text for one in said)
    cer, their_cer = (character_edits(reference, text).rate for text in (ours_text, theirs_text))
    decode, their_decode = statistics.median(ours) * 1e3, statistics.median(theirs) * 1e3
    return [
        row("utterance decode, p50", decode, "ms", 40, their_decode),
        row("character error rate, 23 utterances", cer * 100, "%", 0, their_cer * 100),
    ]


async def live(said: list[Said], seconds: float, padded_ms: float) -> list[dict[str, object]]:
    pairs = [talking(said, seconds, shift) for shift in range(TALKING)]
    busy_s, wall_s, rss = await serve([track for track, _ in pairs])
    finals = [wait for pair in pairs for wait in waits(*pair)[0]]
    partials = [wait for pair in pairs for wait in waits(*pair)[1]]
    wrong = sum(
        character_edits("".join(one.text for one in spoken), "".join(line.text for line in track.lines)).errors
        for track, spoken in pairs
    )
    idle_s, idle_wall_s, idle_rss = await serve([silent(seconds / 2, number) for number in range(SILENT)])
    tail = EndpointRules().end_silence_s
    p95 = statistics.quantiles(finals, n=20)[-1]
    return [
        row("end of speech to final line, p50", statistics.median(finals), "s", 0.8, tail + padded_ms / 1e3),
        row("end of speech to final line, p95", p95, "s", 1.0),
        row("start of speech to first partial, p50", statistics.median(partials), "s", 0.8),
        row("utterances measured", len(finals), "", None),
        row("wrong characters in them", wrong, "", 0),
        row("CPU of a core a talking track", busy_s / wall_s / TALKING * 100, "%", 10),
        row("CPU of a core a silent track", idle_s / idle_wall_s / SILENT * 100, "%", 1.5),
        row(f"worker memory after {TALKING} talking tracks", rss, "MB", 300),
        row(f"worker memory after {SILENT} silent tracks", idle_rss, "MB", 300),
    ]


def measure(seconds: float = 30.0) -> list[dict[str, object]]:
    said = dialogue()
    engine = decoding(said)
    padded_ms = engine[0]["baseline"]
    assert isinstance(padded_ms, float)
    return [*engine, *asyncio.run(live(said, seconds, padded_ms))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=30.0, help="of talk on each track")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    rows = measure(chosen.seconds)
    for one in rows:
        print(
            f"{one['name']:<44} {one['value']!s:>9} {one['unit']:<3} aim {one['aim']!s:>6}  baseline {one['baseline']}"
        )
    if chosen.json:
        chosen.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
