"""The recorder: every packet to the disk and to the feed, and honesty when the disk refuses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from session_manager.recorder import OpenStream, Recorder
from session_manager.records import Stream
from signaling.ports import LoggedPacket, Placed
from transcription.audio_log import AudioLog, Packet
from transcription.errors import LogWriteFailed

OPUS_20_MS = bytes([0b11111_0_00]) + b"\x00" * 10
NOW = 1_700_000_000.0


def stream(track_id: str = "t1", epoch: int = 1) -> Stream:
    return Stream(
        track_id=track_id,
        epoch=epoch,
        session_id="s1",
        site_id="iki",
        seat_id="seat",
        name="mic",
        kind="audio",
        source="room_mic",
        opened_at=NOW,
        origin_at=None,
        end_sample=0,
        watermark_sample=0,
        closed_at=None,
        close_cause=None,
        decided=False,
    )


def packet(number: int, track_id: str = "t1", epoch: int = 1) -> LoggedPacket:
    return LoggedPacket(track_id, epoch, number, number * 960, NOW + number * 0.02, OPUS_20_MS)


@dataclass
class Heard:
    origins: list[float] = field(default_factory=list)
    arrivals: int = 0
    failed: list[str] = field(default_factory=list)
    recovered: list[tuple[float, float, str]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def origin_known(self, stream: OpenStream) -> None:
        assert stream.origin_at is not None
        self.origins.append(stream.origin_at)

    def packets_arrived(self, stream: OpenStream) -> None:
        self.arrivals += 1

    def record_failed(self, stream: OpenStream, started_at: float, cause: str) -> None:
        self.failed.append(cause)
        self.changed.set()

    def record_recovered(self, stream: OpenStream, started_at: float, ended_at: float, cause: str) -> None:
        self.recovered.append((started_at, ended_at, cause))
        self.changed.set()


@asynccontextmanager
async def recorder_in(folder: Path) -> AsyncIterator[tuple[Recorder, Heard]]:
    heard = Heard()
    recorder = Recorder(AudioLog(folder), heard, clock=lambda: NOW)
    recorder.start()
    try:
        yield recorder, heard
    finally:
        await recorder.close()


async def test_what_was_received_is_in_the_log_when_it_has_settled(tmp_path: Path) -> None:
    async with recorder_in(tmp_path) as (recorder, heard):
        opened = await recorder.open(stream())
        recorder.receive([packet(number) for number in range(100)])
        await recorder.settle()
        read = await recorder.read(opened, 0, 1_000)
        assert [one.sequence for one in read] == list(range(100))
        assert opened.end_sample == 96_000
        assert heard.arrivals == 1


async def test_the_least_delayed_packet_of_the_first_second_fixes_the_instant_of_sample_zero(tmp_path: Path) -> None:
    async with recorder_in(tmp_path) as (recorder, heard):
        await recorder.open(stream())
        late = [replace(packet(number), arrived_at=packet(number).arrived_at + 0.1) for number in range(10)]
        recorder.receive([*late, *(packet(number) for number in range(10, 50))])
        assert heard.origins == []
        recorder.receive([packet(50)])
        early = replace(packet(51), arrived_at=packet(51).arrived_at - 0.1)
        recorder.receive([early])
        assert heard.origins == [NOW]


async def test_a_line_that_comes_before_the_first_second_is_over_fixes_it_too(tmp_path: Path) -> None:
    async with recorder_in(tmp_path) as (recorder, heard):
        opened = await recorder.open(stream())
        recorder.receive([packet(5)])
        recorder.fix_origin(opened)
        recorder.fix_origin(opened)
        assert heard.origins == [NOW]


@pytest.mark.parametrize(
    ("at", "within_s", "not_before", "origin"),
    [
        (NOW - 2.8, 0.01, None, NOW - 2.8),  # a busy machine sent its first second late
        (NOW - 2.8, 0.5, None, NOW - 2.33),  # and the board is not so sure
        (NOW - 2.8, 0.08, None, NOW - 2.75),  # less so: not much earlier than it may have been
        (NOW - 0.3, 0.5, None, NOW),  # as good as it can be known: the packets say it better
        (NOW + 1.0, 0.01, None, NOW),  # nothing is heard after it came
        (NOW - 2.8, 2.5, None, NOW),  # so unsure is no word at all
        (NOW - 3600.0, 0.01, None, NOW),  # nor is what cannot be
        (NOW - 2.8, 0.01, NOW - 1.0, NOW - 1.0),  # never into the sound before it
    ],
)
async def test_a_board_knows_better_than_its_late_packets_when_it_heard_them(
    tmp_path: Path, at: float, within_s: float, not_before: float | None, origin: float
) -> None:
    async with recorder_in(tmp_path) as (recorder, heard):
        opened = await recorder.open(stream())
        recorder.place(opened, Placed(at, within_s), not_before)
        recorder.place(opened, Placed(at - 0.5, within_s + 0.1), None)
        recorder.receive([packet(number) for number in range(51)])
        recorder.fix_origin(opened)
        recorder.place(opened, Placed(at - 5.0, 0.0), not_before)
        assert heard.origins == [pytest.approx(origin, rel=0, abs=0.001)]
        assert opened.origin_at == heard.origins[0], "lines are placed by it: it stays"


async def test_a_surer_word_of_where_a_stream_lies_takes_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    async with recorder_in(tmp_path) as (recorder, heard):
        opened = await recorder.open(stream())
        recorder.place(opened, Placed(NOW - 2.8, 0.02), None)
        recorder.place(opened, Placed(NOW - 2.785, 0.002), None)
        recorder.receive([packet(number) for number in range(51)])
        assert heard.origins == [pytest.approx(NOW - 2.785, rel=0, abs=0.001)]


async def test_a_word_that_comes_after_the_first_second_holds_until_a_line_lies_by_the_one_before(
    tmp_path: Path,
) -> None:
    """A board that starts on a busy machine asks what the hub's clock reads while its sound is on its way."""
    async with recorder_in(tmp_path) as (recorder, heard):
        opened = await recorder.open(stream())
        recorder.receive([packet(number) for number in range(60)])
        recorder.place(opened, Placed(NOW - 1.25, 0.02), None)
        recorder.place(opened, Placed(NOW - 1.5, 0.5), None)
        recorder.place(opened, Placed(NOW - 1.24, 0.001), None)
        recorder.fix_origin(opened)
        recorder.place(opened, Placed(NOW - 1.3, 0.0001), None)
        assert heard.origins == [NOW, NOW - 1.25, NOW - 1.24]
        assert opened.origin_at == NOW - 1.24, "the surest word of those in time, not the earliest"


async def test_where_a_stream_lies_that_was_stored_before_a_restart_stays(tmp_path: Path) -> None:
    async with recorder_in(tmp_path) as (recorder, heard):
        opened = await recorder.open(replace(stream(), origin_at=NOW - 7.0))
        recorder.place(opened, Placed(NOW - 8.0, 0.001), None)
        recorder.receive([packet(number) for number in range(60)])
        assert (opened.origin_at, heard.origins) == (NOW - 7.0, [])


async def test_packets_of_a_stream_that_nobody_opened_are_counted_and_dropped(tmp_path: Path) -> None:
    async with recorder_in(tmp_path) as (recorder, heard):
        recorder.receive([packet(0, "stranger")])
        assert recorder.unknown == 1
        assert heard.arrivals == 0


async def test_packets_after_the_stream_was_closed_are_not_recorded(tmp_path: Path) -> None:
    async with recorder_in(tmp_path) as (recorder, _):
        opened = await recorder.open(stream())
        opened.closed = True
        recorder.receive([packet(0)])
        await recorder.settle()
        assert await recorder.read(opened, 0, 10) == []


async def test_a_stream_opened_again_goes_on_where_its_log_ends(tmp_path: Path) -> None:
    async with recorder_in(tmp_path) as (recorder, _):
        await recorder.open(stream())
        recorder.receive([packet(number) for number in range(10)])
    async with recorder_in(tmp_path) as (recorder, _):
        again = await recorder.open(stream())
        assert again.end_sample == 9_600
        recorder.receive([packet(9), packet(10)])
        await recorder.settle()
        assert [one.sequence for one in await recorder.read(again, 0, 100)] == list(range(11))


async def test_a_disk_that_refuses_is_said_once_and_captions_still_hear_everything(tmp_path: Path) -> None:
    blocked = tmp_path / "t1"
    blocked.write_text("a file where the log wants a folder")
    async with recorder_in(tmp_path) as (recorder, heard):
        opened = await recorder.open(stream())
        recorder.receive([packet(number) for number in range(5)])
        await asyncio.wait_for(heard.changed.wait(), 10)
        await recorder.settle()
        heard.changed.clear()
        assert heard.failed == ["io"]
        assert len(opened.tail.read(0) or []) == 5
        assert opened.refused == [(0, 5 * 960)]

        blocked.unlink()
        recorder.receive([packet(number) for number in range(5, 8)])
        await asyncio.wait_for(heard.changed.wait(), 10)
        await recorder.settle()
        (gap,) = heard.recovered
        assert gap[0] == NOW
        assert round(gap[1] - gap[0], 3) == 0.1
        assert [one.sequence for one in await recorder.read(opened, 0, 100)] == [5, 6, 7]


async def test_packets_that_come_another_way_are_on_the_disk_once(tmp_path: Path) -> None:
    async with recorder_in(tmp_path) as (recorder, heard):
        opened = await recorder.open(stream())
        recorder.receive([packet(0), packet(3)])
        brought = [Packet(number, number * 960, OPUS_20_MS) for number in range(4)]
        assert await recorder.store(opened, brought) == 2
        assert await recorder.store(opened, brought) == 0
        assert opened.log.numbers() == (range(4),)
        assert heard.arrivals == 1


async def test_a_disk_that_refuses_what_was_brought_says_so(tmp_path: Path) -> None:
    (tmp_path / "t1").write_text("a file where the log wants a folder")
    async with recorder_in(tmp_path) as (recorder, _):
        opened = await recorder.open(stream())
        with pytest.raises(LogWriteFailed):
            await recorder.store(opened, [Packet(0, 0, OPUS_20_MS)])


async def test_a_packet_far_behind_the_newest_is_noted_as_late(tmp_path: Path) -> None:
    async with recorder_in(tmp_path) as (recorder, _):
        opened = await recorder.open(stream())
        recorder.receive([packet(number) for number in (0, 1, 3, 2, 40, 5)])
        assert opened.late == [(5 * 960, 6 * 960)]
