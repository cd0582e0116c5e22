"""kill -9 of each part in the middle of speech: the session goes on by itself, and nothing is written twice."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from session_manager.demo.dialogue import Dialogue
from session_manager.demo.stage import Stage
from tests.e2e.scene import Audience, audience, excerpt, hub_child, kill, moment, staged
from transcription.score import cer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]

BACK_S = 5.0


def written(at: Audience, dialogue: Dialogue, starts_at: float) -> dict[int, list[str]]:
    """Which lines lie over which utterance (by index), by their times."""
    found: dict[int, list[str]] = {index: [] for index in range(len(dialogue.utterances))}
    for line in at.lines():
        middle = (line["started_at"] + line["ended_at"]) / 2 - starts_at
        nearest = min(
            found,
            key=lambda i: abs((dialogue.utterances[i].speech_from_s + dialogue.utterances[i].speech_to_s) / 2 - middle),
        )
        found[nearest].append(line["text"])
    return found


def right(texts: list[str], expected: str) -> bool:
    return len(texts) == 1 and cer(expected, texts[0]) < 0.2


async def ended(stage: Stage, at: Audience) -> None:
    await stage.hub.post(f"/api/sessions/{stage.session_id}/end")
    await at.until(lambda seen: any(change["state"] == "ended" for change in seen.of("session.changed")))


async def test_the_transcription_worker_dies_while_somebody_speaks(tmp_path: Path) -> None:
    dialogue = excerpt(1, 4, 6, 8)
    async with staged(dialogue, tmp_path) as stage, audience(stage) as at:
        starts_at = time.time() + 0.5
        stage.speak(starts_at)
        second = dialogue.utterances[1]
        await moment(starts_at + (second.speech_from_s + second.speech_to_s) / 2)
        kill(hub_child(stage, "transcription").pid)
        await moment(starts_at + dialogue.seconds)
        await ended(stage, at)
        found = written(at, dialogue, starts_at)
        for index, said in enumerate(dialogue.utterances):
            assert right(found[index], said.text), (index, found)
        coverage = await stage.hub.get(f"/api/sessions/{stage.session_id}/coverage")
        assert coverage["figure"] == 1.0


async def test_the_media_worker_dies_while_somebody_speaks(tmp_path: Path) -> None:
    dialogue = excerpt(1, 4, 6, 8, 16, 15, pause_s=2.0)
    async with staged(dialogue, tmp_path) as stage, audience(stage) as at:
        starts_at = time.time() + 0.5
        stage.speak(starts_at)
        second = dialogue.utterances[1]
        killed_at = starts_at + (second.speech_from_s + second.speech_to_s) / 2
        await moment(killed_at)
        kill(hub_child(stage, "signaling.media.worker").pid)
        await moment(starts_at + dialogue.seconds)
        await ended(stage, at)
        found = written(at, dialogue, starts_at)
        for index, said in enumerate(dialogue.utterances):
            assert len(found[index]) <= 1, (index, found)
            whole = starts_at + said.at_s + said.seconds < killed_at or starts_at + said.at_s > killed_at + BACK_S
            assert not whole or right(found[index], said.text), (index, found)
        assert right(found[5], dialogue.utterances[5].text)


async def test_a_board_dies_while_it_speaks_and_comes_back(tmp_path: Path) -> None:
    dialogue = excerpt(4, 1, 8, 6, 13, pause_s=2.0)
    async with staged(dialogue, tmp_path) as stage, audience(stage) as at:
        starts_at = time.time() + 0.5
        stage.speak(starts_at)
        third = dialogue.utterances[2]
        await moment(starts_at + (third.speech_from_s + third.speech_to_s) / 2)
        kill(stage.boards["iki"].process.pid)
        await stage.boards["iki"].process.wait()
        await asyncio.wait_for(stage.start_board("iki"), 30)
        await stage.everybody_joined()
        await moment(starts_at + dialogue.seconds)
        await ended(stage, at)
        found = written(at, dialogue, starts_at)
        for index in (0, 1, 3, 4):
            assert right(found[index], dialogue.utterances[index].text), (index, found)
        assert len(found[2]) <= 2, found  # what reached the hub before it died, and what the new one still says
        assert len(set(found[2])) == len(found[2]), found


async def test_the_hub_dies_while_somebody_speaks_and_a_new_one_goes_on(tmp_path: Path) -> None:
    dialogue = excerpt(1, 4, 6, 8, 16, 15, pause_s=2.0)
    async with staged(dialogue, tmp_path) as stage:
        starts_at = time.time() + 0.5
        stage.speak(starts_at)
        second = dialogue.utterances[1]
        killed_at = starts_at + (second.speech_from_s + second.speech_to_s) / 2
        await moment(killed_at)
        kill(stage.hub_processes[-1].process.pid)
        await stage.hub_processes[-1].process.wait()
        await stage.restart_hub()
        async with audience(stage) as at:
            await moment(starts_at + dialogue.seconds + 1.0)
            await ended(stage, at)
        lines = await stage.hub.get(f"/api/sessions/{stage.session_id}/lines")
        seen = Audience([(0.0, "line.committed", line) for line in lines])
        found = written(seen, dialogue, starts_at)
        assert right(found[0], dialogue.utterances[0].text), found
        assert right(found[5], dialogue.utterances[5].text), found
        assert all(len(texts) <= 1 for texts in found.values()), found
