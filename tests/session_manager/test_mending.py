"""Repair, whole: a real hub with a real recogniser; sound that comes later gives the transcript of sound that came."""

from __future__ import annotations

import asyncio
import random
import shutil
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import httpx
import numpy as np
import pytest

from session_manager.coverage import figure
from session_manager.hub import Hub, HubRunning
from session_manager.records import Line, Stream
from session_manager.settings import HubSettings
from session_manager.store import NewSite
from signaling.ports import LoggedPacket
from tests.transcription.sounds import at_48k, dialogue, noise, silence
from transcription.audio_log import Packet, pack_packets
from transcription.fakes import opus_packets

LANGUAGES = ("ja",)
PATIENCE_S = 60.0
NEAR = 2_400  # 50 ms

Keep = Callable[[Packet], bool]


@cache
def spoken() -> tuple[Packet, ...]:
    """Six Japanese sentences with pauses from short to long, about half a minute."""
    parts = [silence(1.0)]
    japanese = [one for one in dialogue() if one.language == "ja"][:6]
    for sentence, pause_s in zip(japanese, (0.5, 1.2, 2.4, 0.9, 2.2, 1.5), strict=True):
        parts += [at_48k(sentence.file), silence(pause_s)]
    sound = np.concatenate(parts)
    return tuple(opus_packets(sound + noise(len(sound) / 48_000, 1e-4)[: len(sound)]))


@dataclass
class Board:
    """One session with one board, which keeps all of `packets`."""

    hub: Hub
    session_id: str
    token: str
    packets: Sequence[Packet]
    epoch: int = 1
    origin_at: float = field(default_factory=time.time)

    def stream(self) -> Stream:
        seat = self.hub.store.seats(self.session_id)[0]
        opened = self.hub.store.open_stream(
            self.session_id, seat, "mic", "audio", "room_mic", self.epoch, self.origin_at
        )
        assert isinstance(opened, Stream)
        return opened

    async def live(self, keep: Keep = lambda _: True, *, finish: bool = True) -> Stream:
        """What of it reaches the hub at once."""
        stream = self.stream()
        await self.hub.transcript.begin(stream, LANGUAGES)
        logged = [
            LoggedPacket(
                stream.track_id, self.epoch, one.sequence, one.sample, self.origin_at + one.sample / 48_000, one.payload
            )
            for one in self.packets
            if keep(one)
        ]
        self.hub.transcript.audio(logged)
        if finish:
            await self.hub.transcript.finish(stream.track_id, self.epoch)
            await self.until(lambda: self.hub.transcript.heard_to((stream.track_id, self.epoch)) is None)
        return stream

    async def have(self, *, closed: bool = True, first: int = 0) -> list[tuple[int, int]]:
        told = {
            "session_id": self.session_id,
            "name": "mic",
            "epoch": self.epoch,
            "first_sequence": first,
            "next_sequence": len(self.packets),
            "end_sample": len(self.packets) * 960,
            "origin_at": self.origin_at,
            "closed": closed,
        }
        async with self._browser() as browser:
            answer = await browser.post("/api/board/spool/have", json={"streams": [told]})
        assert answer.status_code == 200, answer.text
        (stream,) = answer.json()["streams"]
        return [(start, end) for start, end in stream["wanted"]]

    async def bring(self, ranges: Sequence[tuple[int, int]]) -> int:
        wanted = [packet for start, end in ranges for packet in self.packets[start:end]]
        stored = 0
        async with self._browser() as browser:
            for at in range(0, len(wanted), 500):
                query = {"session_id": self.session_id, "name": "mic", "epoch": str(self.epoch)}
                body = pack_packets(wanted[at : at + 500])
                answer = await browser.post("/api/board/spool/packets", params=query, content=body)
                assert answer.status_code == 200, answer.text
                stored += answer.json()["stored"]
        return stored

    async def bring_all(self) -> None:
        while wanted := await self.have():
            await self.bring(wanted)

    async def mended(self) -> list[Line]:
        """The lines when nothing is marked any more and the stream is decided."""
        track = next(one for one in self.hub.store.streams(self.session_id) if one.epoch == self.epoch)

        def done() -> bool:
            stream = self.hub.store.stream(track.track_id, self.epoch)
            return not self.hub.store.touched(track.track_id, self.epoch) and stream.decided

        await self.until(done)
        return self.lines()

    def lines(self) -> list[Line]:
        return [one for one in self.hub.store.lines(self.session_id) if one.epoch == self.epoch]

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                await asyncio.sleep(0.05)

    def _browser(self) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.AsyncClient(base_url=self.hub.settings.url, headers=headers, timeout=60)


@asynccontextmanager
async def running_hub(folder: Path) -> AsyncIterator[Hub]:
    hub = Hub(HubSettings(data=folder, port=0, media_port=0, model="fixture", device="cpu"))
    ready = asyncio.Event()

    def tell(_: HubRunning) -> None:
        ready.set()

    running = asyncio.create_task(hub.run(tell))
    try:
        await asyncio.wait_for(ready.wait(), 30)
        yield hub
    finally:
        hub.stopped.set()
        await running


async def board_of(hub: Hub, packets: Sequence[Packet], *, live: bool = True) -> Board:
    number = len(hub.store.sessions())
    facility = hub.store.add_facility(f"島{number}", "Asia/Tokyo")
    room = hub.store.add_room(facility.facility_id, "会議室")
    made = hub.store.add_board(room.room_id, "ボード", time.time())
    now = time.time()
    session = hub.store.add_session("対話", now, now + 3600, "Asia/Tokyo", [NewSite("壱岐", room.room_id, LANGUAGES)])
    if live:
        await hub.live.start_session(session.session_id)
    return Board(hub, session.session_id, made.device_token, packets)


def said(lines: Sequence[Line]) -> list[tuple[int, int, str]]:
    return [(one.start_sample, one.end_sample, one.text) for one in lines]


def assert_same(lines: Sequence[Line], wanted: Sequence[Line]) -> None:
    assert [one.text for one in lines] == [one.text for one in wanted], (said(lines), said(wanted))
    for line, other in zip(lines, wanted, strict=True):
        assert abs(line.start_sample - other.start_sample) <= NEAR, (said(lines), said(wanted))
        assert abs(line.end_sample - other.end_sample) <= NEAR, (said(lines), said(wanted))


def without(*spans_s: tuple[float, float]) -> Keep:
    return lambda packet: not any(start <= packet.sample / 48_000 < end for start, end in spans_s)


def lossy(share: float, seed: int) -> Keep:
    chance = random.Random(seed)
    lost = {number for number in range(len(spoken())) if chance.random() < share}
    return lambda packet: packet.sequence not in lost


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hub")


async def test_sound_that_comes_later_gives_the_transcript_of_sound_that_came(tmp_path: Path) -> None:
    async with running_hub(tmp_path / "hub") as hub:
        clean = await board_of(hub, spoken())
        await clean.live()
        await clean.have()
        wanted = await clean.mended()
        assert len(wanted) >= 5
        edges = [one.end_sample / 48_000 for one in wanted]
        starts = [one.start_sample / 48_000 for one in wanted]
        cases: dict[str, Keep] = {
            "in mid-sentence": without((starts[1] + 0.5, starts[1] + 1.5)),
            "a whole sentence": without((starts[2] - 0.2, edges[2] + 0.2)),
            "where one ends and one begins": without(
                (edges[0] - 0.3, starts[1] + 0.3), (edges[3] - 0.1, edges[3] + 0.2)
            ),
            "the beginning and the end": without((0.0, starts[0] + 1.0), (edges[-1] - 1.0, 1e9)),
            "random loss": lossy(0.1, 1),
            "long random loss": lossy(0.4, 2),
            "nothing came": lambda _: False,
        }
        boards = {}
        for name, keep in cases.items():
            boards[name] = await board_of(hub, spoken())
            if name != "nothing came":
                await boards[name].live(keep)
        for name, board in boards.items():
            await board.bring_all()
            lines = await board.mended()
            assert_same(lines, wanted)
            assert len({one.line_id for one in lines}) == len(lines), name
            ended = await hub.live.end_session(board.session_id)
            assert ended.state == "ended"
            assert figure(hub.store.coverage(board.session_id)) == 1.0, name
            assert hub.store.session(board.session_id).completed_at is not None, name


async def test_a_hub_that_dies_in_the_middle_of_a_repair_does_it_after_its_restart(tmp_path: Path) -> None:
    copies = []
    async with running_hub(tmp_path / "hub") as hub:
        board = await board_of(hub, spoken())
        stream = await board.live(without((5.0, 9.0), (20.0, 22.0)))
        key = (stream.track_id, stream.epoch)
        for moment in range(3):
            wanted = await board.have(closed=False)
            if moment < 2:
                await board.bring(wanted[moment : moment + 1])
            copies.append(tmp_path / f"copy{moment}")
            shutil.copytree(tmp_path / "hub", copies[-1])  # what a disk holds when the power of the process is cut
        await board.bring_all()
        wanted_lines = await board.mended()
        assert hub.store.touched(*key) == []
    for copy in copies[:2]:
        async with running_hub(copy) as hub:
            again = Board(hub, board.session_id, board.token, spoken(), origin_at=board.origin_at)
            await again.bring_all()
            assert_same(await again.mended(), wanted_lines)
