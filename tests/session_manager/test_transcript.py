"""From packets to stored lines: what a slow disk may hold up, and what not."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

from session_manager.announcer import Announcer
from session_manager.listeners import Listeners
from session_manager.transcript import Transcript
from signaling.ports import LoggedPacket
from tests.session_manager.hall import NOW, Hall
from transcription.audio_log import AudioLog

PACKET = bytes([0b11111_0_00]) + b"\x00" * 10
TICKS = 64
"""More than there are threads for whatever waits."""


async def test_a_disk_slower_than_the_clock_holds_up_one_note_and_nobody_else(hall: Hall, tmp_path: Path) -> None:
    told: list[object] = []
    transcript = Transcript(
        hall.store,
        AudioLog(tmp_path / "audio"),
        Announcer(Listeners()),
        lambda: NOW,
        on_record=lambda *fact: told.append(fact),
        on_captions=lambda: None,
    )
    stream = hall.stream()
    key = (stream.track_id, stream.epoch)
    writing, enough = threading.Event(), threading.Event()

    def write_slowly() -> None:
        with hall.store._database.write():
            writing.set()
            enough.wait(60)

    async with asyncio.TaskGroup() as group:
        running = group.create_task(transcript.run())
        await transcript.begin(stream, ("ja",))
        slow = threading.Thread(target=write_slowly)
        slow.start()
        assert writing.wait(20)
        try:
            for number in range(TICKS):
                transcript.audio([LoggedPacket(*key, number, number * 960, NOW + number * 0.02, PACKET)])
                transcript.tick()
                await asyncio.sleep(0)
            async with asyncio.timeout(20):
                assert (await asyncio.to_thread(hall.store.session, hall.session_id)).state == "planned"
        finally:
            enough.set()
            await asyncio.to_thread(slow.join)
        async with asyncio.timeout(20):
            while hall.store.stream(*key).end_sample < TICKS * 960:
                transcript.tick()
                await asyncio.sleep(0.02)
        running.cancel()
    assert told == []


async def test_a_clock_that_was_put_back_keeps_no_last_word_open(hall: Hall, tmp_path: Path) -> None:
    now = NOW
    transcript = Transcript(
        hall.store,
        AudioLog(tmp_path / "audio"),
        Announcer(Listeners()),
        lambda: now,
        on_record=lambda *_: None,
        on_captions=lambda: None,
    )
    stream = hall.stream()
    key = (stream.track_id, stream.epoch)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(transcript.run())
        await transcript.begin(stream, ("ja",))
        transcript.audio([LoggedPacket(*key, 0, 0, NOW, PACKET)])
        opened = transcript.recorder.get(key)
        assert opened is not None
        now = NOW - 90.0
        transcript.tick()
        assert opened.last_packet_at == now
        running.cancel()
