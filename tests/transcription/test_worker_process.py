"""The worker as a process: killed in mid-speech and started again; tied to its hub; clear last words."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest

from tests.transcription.sounds import at_48k, dialogue, noise, silence
from transcription.fakes import ScriptedHub, ScriptedTrack, opus_packets
from transcription.settings import TOKEN_VARIABLE

pytestmark = pytest.mark.e2e

TOKEN = "worker-token"


@asynccontextmanager
async def worker(url: str, *options: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "transcription", "worker", "--hub", url, *options,
        stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env={**os.environ, TOKEN_VARIABLE: TOKEN},
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def evening(sites: tuple[str, ...]) -> list[ScriptedTrack]:
    """The dialogue's utterances of some sites, two at once, so that speech is open whenever a worker dies."""
    tracks = []
    for number, site in enumerate(sites):
        mine = [said for said in dialogue() if said.site == site][:5]
        pieces = [piece for said in mine for piece in (silence(0.3), at_48k(said.file))]
        sound = np.concatenate([silence(0.7 * number), *pieces, silence(0.5)])
        packets = opus_packets(sound + noise(len(sound) / 48_000, 0.0005, number)[: len(sound)])
        languages = sorted({said.language for said in mine}, reverse=True)
        tracks.append(ScriptedTrack(site, packets, languages, speed=4.0, end_sample=len(packets) * 960))
    return tracks


def all_said(tracks: list[ScriptedTrack]) -> bool:
    return all(track.watermark == track.end_sample for track in tracks)


@pytest.mark.timeout(120)
async def test_every_utterance_is_written_exactly_once_through_kill_9_in_mid_speech() -> None:
    clean, killed = evening(("iki", "katsumoto")), evening(("iki", "katsumoto"))
    async with ScriptedHub(clean, TOKEN) as hub, worker(hub.url, "--model", "fixture"):
        await hub.until_done(60)
    async with ScriptedHub(killed, TOKEN) as hub:
        for lines in (1, 4, 7):
            async with worker(hub.url, "--model", "fixture", "--partial-interval", "0.1") as process:
                seen = sum(len(track.partials) for track in killed)
                await hub.until(
                    lambda lines=lines, seen=seen: (
                        sum(len(track.finals) for track in killed) >= lines
                        and (sum(len(track.partials) for track in killed) > seen or all_said(killed))
                    ),
                    60,
                )
                process.send_signal(signal.SIGKILL)
                await process.wait()
        async with worker(hub.url, "--model", "fixture"):
            await hub.until_done(60)
    for one, other in zip(killed, clean, strict=True):
        assert [line.text for line in one.lines] == [line.text for line in other.lines]
        assert [line.text for line in one.lines] == [said.text for said in dialogue() if said.site == one.track_id][:5]
        for line, reference in zip(one.lines, other.lines, strict=True):
            assert abs(line.start_sample - reference.start_sample) <= 2_400
            assert abs(line.end_sample - reference.end_sample) <= 2_400
        assert one.repeated == 0
        assert one.watermark == one.end_sample


async def test_a_tied_worker_ends_with_its_hub() -> None:
    async with ScriptedHub([], TOKEN) as hub, worker(hub.url, "--tied", "--engine", "tone") as process:
        await hub.until(lambda: len(hub.hellos) == 1)
        assert process.stdin is not None
        process.stdin.close()
        assert await asyncio.wait_for(process.wait(), 30) == 0


async def test_a_missing_model_is_one_sentence_and_exit_code_2() -> None:
    async with worker("ws://127.0.0.1:9/feed", "--model", "/nowhere/model") as process:
        _, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 2
    assert errors.decode().strip() == (
        "There is no model at /nowhere/model. Give the directory of a Whisper model with --model."
    )


async def test_a_refused_worker_says_why_and_exits_with_3() -> None:
    async with (
        ScriptedHub([], "another") as hub,
        worker(hub.url, "--engine", "tone", "--log-level", "ERROR") as process,
    ):
        _, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 3
    assert "refused this worker" in errors.decode()


async def test_a_tied_worker_says_that_it_turns() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "transcription", "worker", "--hub", "ws://127.0.0.1:9/feed", "--engine", "tone", "--tied",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env={**os.environ, TOKEN_VARIABLE: TOKEN},
    )  # fmt: skip
    assert process.stdout is not None
    async with asyncio.timeout(30):
        assert await process.stdout.readexactly(2) == b".."
        await process.communicate(b"")
