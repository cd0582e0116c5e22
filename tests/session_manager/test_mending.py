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
import pytest_asyncio

from session_manager.coverage import figure
from session_manager.hub import Hub, HubRunning
from session_manager.records import Line, Stream
from session_manager.settings import HubSettings
from session_manager.store import NewSite
from signaling.ports import LoggedPacket
from tests.transcription.sounds import at_48k, dialogue, noise, silence
from transcription.audio_log import Packet, pack_packets
from transcription.fakes import opus_packets

pytestmark = pytest.mark.asyncio(loop_scope="module")

LANGUAGES = ("ja",)
PATIENCE_S = 60.0
NEAR = 2_400  # 50 ms

Keep = Callable[[Packet], bool]


@cache
def spoken() -> tuple[Packet, ...]:
    """Four Japanese sentences with pauses from short to long, sixteen seconds."""
    parts = [silence(1.0)]
    japanese = [one for one in dialogue() if one.language == "ja"][:4]
    for sentence, pause_s in zip(japanese, (0.5, 1.2, 2.4, 1.6), strict=True):
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

    async def have(
        self, *, closed: bool = True, first: int = 0, missing: Sequence[tuple[int, int]] = (), **other: float
    ) -> list[tuple[int, int]]:
        keeps = {
            "session_id": self.session_id,
            "name": "mic",
            "epoch": self.epoch,
            "first_sequence": first,
            "next_sequence": len(self.packets),
            "end_sample": len(self.packets) * 960,
            "origin_at": self.origin_at,
            "closed": closed,
            "missing": list(missing),
            **other,
        }
        async with self._browser() as browser:
            answer = await browser.post("/api/board/spool/have", json={"streams": [keeps]})
        assert answer.status_code == 200, answer.text
        told = answer.json()
        if told["unknown"]:
            return []
        (stream,) = told["streams"]
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

    async def disk(self, level: str) -> dict[str, object]:
        """Say so; what the board's `have` is answered does not change."""
        async with self._browser() as browser:
            answer = await browser.post("/api/board/spool/have", json={"streams": [], "disk": {"level": level}})
        said = answer.json()
        assert (said["streams"], said["unknown"]) == ([], [])
        events = self.hub.store.events(self.session_id, 0, 1_000)
        return [event.data for event in events if event.kind == "session.changed"][-1]

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


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hub]:
    async with running_hub(tmp_path_factory.mktemp("hub")) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def wanted(hub: Hub) -> list[Line]:
    """The lines of the undisturbed run."""
    board = await board_of(hub, spoken())
    await board.live()
    await board.have()
    lines = await board.mended()
    assert len(lines) == 4
    return lines


async def assert_complete(board: Board, wanted: Sequence[Line]) -> None:
    lines = await board.mended()
    assert_same(lines, wanted)
    assert len({one.line_id for one in lines}) == len(lines)
    await board.hub.live.end_session(board.session_id)
    assert figure(board.hub.store.coverage(board.session_id)) == 1.0
    assert board.hub.store.session(board.session_id).completed_at is not None


async def test_holes_in_sentences_and_at_their_edges_are_mended(hub: Hub, wanted: list[Line]) -> None:
    first, second, third, _ = [(one.start_sample / 48_000, one.end_sample / 48_000) for one in wanted]
    within = (first[0] + 0.6, first[0] + 1.4)
    board = await board_of(hub, spoken())
    await board.live(without(within, (second[0] - 0.2, second[1] + 0.2), (third[1] - 0.4, third[1] + 0.1)))
    assert said(board.lines()) != said(wanted)
    await board.bring_all()
    await assert_complete(board, wanted)


async def test_random_loss_and_a_missing_beginning_and_end_are_mended(hub: Hub, wanted: list[Line]) -> None:
    edges = without((0.0, wanted[0].start_sample / 48_000 + 0.8), (wanted[-1].end_sample / 48_000 - 0.8, 1e9))
    loss = lossy(0.3, 1)
    board = await board_of(hub, spoken())
    await board.live(lambda one: edges(one) and loss(one))
    assert said(board.lines()) != said(wanted)
    await board.bring_all()
    await assert_complete(board, wanted)


async def test_sound_that_came_but_was_not_heard_yet_is_not_counted_as_silence(hub: Hub, wanted: list[Line]) -> None:
    board = await board_of(hub, spoken())
    await board.live(without((wanted[1].start_sample / 48_000 - 0.5, 1e9)))
    await board.hub.live.end_session(board.session_id)
    await board.bring_all()
    await board.until(lambda: figure(hub.store.coverage(board.session_id)) == 1.0)
    assert_same(board.lines(), wanted)


async def test_a_session_that_a_board_held_alone_is_written_down_afterwards(hub: Hub, wanted: list[Line]) -> None:
    board = await board_of(hub, spoken(), live=False)
    assert hub.store.session(board.session_id).state == "planned"
    await board.bring_all()
    assert hub.store.session(board.session_id).state == "live"
    await assert_complete(board, wanted)
    started = hub.store.session(board.session_id).started_at
    assert started is not None
    assert abs(started - board.origin_at) < 0.1


async def test_an_utterance_that_was_only_held_up_is_not_cut(hub: Hub, wanted: list[Line]) -> None:
    middle = (wanted[1].start_sample + wanted[1].end_sample) // 2
    board = await board_of(hub, spoken())
    stream = await board.live(lambda one: one.sample < middle, finish=False)
    key = (stream.track_id, stream.epoch)
    await board.until(lambda: hub.transcript.heard_to(key) is None)
    await board.live(lambda one: one.sample >= middle)
    await board.have()
    await assert_complete(board, wanted)


async def test_a_hub_that_dies_while_sound_is_coming_goes_on_after_its_restart(
    hub: Hub, wanted: list[Line], tmp_path: Path
) -> None:
    board = await board_of(hub, spoken())
    await board.live(without((2.0, 4.0), (9.0, 12.0)))
    await board.bring((await board.have())[:1])
    shutil.copytree(hub.settings.data, tmp_path / "copy")  # what is on a disk when its hub is killed
    async with running_hub(tmp_path / "copy") as other:
        again = Board(other, board.session_id, board.token, spoken(), origin_at=board.origin_at)
        await again.bring_all()
        await assert_complete(again, wanted)


async def test_what_a_board_has_lost_is_a_gap_and_the_session_is_complete(hub: Hub, wanted: list[Line]) -> None:
    board = await board_of(hub, spoken())
    await board.live(without((0.0, 3.0)))
    assert await board.have(first=100) == [(100, 150)]
    await board.bring([(100, 150)])
    assert await board.have(first=100) == []
    await board.mended()
    await hub.live.end_session(board.session_id)
    (track,) = hub.store.coverage(board.session_id)
    gaps = [span for span in track.spans if span.kind == "gap"]
    assert [(span.cause, round(span.ended_at - span.started_at, 2)) for span in gaps] == [("network", 2.0)]
    assert hub.store.session(board.session_id).completed_at is not None


async def test_what_a_board_lost_in_mid_stream_is_a_gap_with_its_cause_and_is_not_waited_for(
    hub: Hub, wanted: list[Line]
) -> None:
    board = await board_of(hub, spoken())
    await board.live(without((4.0, 7.0), (9.0, 9.5)))
    lost = [(225, 325), (400, 410)]  # the second was heard live
    assert await board.have(missing=lost) == [(450, 475), (325, 350), (200, 225)]
    await board.bring([(450, 475), (325, 350), (200, 225)])
    assert await board.have(missing=lost) == []
    await board.mended()
    await hub.live.end_session(board.session_id)
    (track,) = hub.store.coverage(board.session_id)
    gaps = [(span.cause, round(span.ended_at - span.started_at, 2)) for span in track.spans if span.kind == "gap"]
    assert gaps == [("board_lost", 2.0)]
    assert hub.store.coming(board.session_id) == []
    assert hub.store.session(board.session_id).completed_at is not None


async def test_a_boards_full_disk_is_said_in_its_session_until_it_is_well(hub: Hub) -> None:
    board, other = await board_of(hub, spoken()), await board_of(hub, spoken())
    site = hub.store.session(board.session_id).sites[0]
    changed = await board.disk("full")
    assert changed["at_risk"] == [{"site_id": site.site_id, "site_name": "壱岐", "disk": "full"}]
    assert "disk" in str(changed["message"])
    assert [one.disk for one in await hub.live.at_risk(hub.store.session(board.session_id))] == ["full"]
    assert (await other.disk("ok"))["at_risk"] == []
    assert (await board.disk("ok"))["at_risk"] == []
    assert await hub.live.at_risk(hub.store.session(board.session_id)) == []


async def test_another_boards_stream_is_not_there(hub: Hub, wanted: list[Line]) -> None:
    board, other = await board_of(hub, spoken()), await board_of(hub, spoken())
    await board.have()
    stranger = Board(hub, board.session_id, other.token, spoken())
    assert await stranger.have() == []
    with pytest.raises(AssertionError, match="not_found"):
        await stranger.bring([(0, 5)])


async def test_a_board_whose_clock_is_wrong_has_its_sound_where_it_says_on_the_hubs_clock(hub: Hub) -> None:
    board = await board_of(hub, spoken())
    true_at = time.time() - 60.0
    board.origin_at = true_at + 3600.0
    await board.have(placed_at=true_at, within_s=0.01)
    (stream,) = hub.store.streams(board.session_id)
    assert stream.origin_at == pytest.approx(true_at, abs=1e-3)
    length_s = len(board.packets) * 0.02
    board.epoch += 1
    await board.have(placed_at=true_at + 1.0, within_s=0.01)
    (_, later) = hub.store.streams(board.session_id)
    assert later.origin_at == true_at + 1.0, "nothing of the first is here yet"
    board.epoch -= 1
    await board.bring_all()
    board.epoch += 2
    await board.have(placed_at=true_at + 2.0, within_s=0.01)
    last = hub.store.streams(board.session_id)[-1]
    assert last.origin_at == pytest.approx(true_at + length_s, rel=0, abs=0.001), "not into the sound before it"
