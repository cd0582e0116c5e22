"""The hub's end of the feed, against a scripted worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from session_manager.feed import FeedServer
from session_manager.recorder import OpenStream, Recorder
from tests.session_manager.test_recorder import NOW, Heard, packet, stream
from tests.session_manager.wire import End, pair
from transcription import feed
from transcription.audio_log import AudioLog

LANGUAGES = ("ja", "en")


@dataclass
class Stored:
    finals: list[feed.Final] = field(default_factory=list)
    watermarks: list[int] = field(default_factory=list)
    partials: list[feed.Partial] = field(default_factory=list)
    done: asyncio.Event = field(default_factory=asyncio.Event)
    workers: int = 0

    async def final(self, stream: OpenStream, fact: feed.Final, watermark_from: int) -> bool:
        new = fact.start_sample not in {one.start_sample for one in self.finals}
        self.finals.append(fact)
        return new

    async def progress(self, stream: OpenStream, watermark: int) -> None:
        self.watermarks.append(watermark)

    def partial(self, stream: OpenStream, view: feed.Partial) -> None:
        self.partials.append(view)

    def decided(self, stream: OpenStream) -> None:
        self.done.set()

    def workers_changed(self, count: int) -> None:
        self.workers = count

    def worker_status(self, status: feed.WorkerStatus) -> None: ...


class Worker:
    """The other end: says hello, then what the test scripts."""

    def __init__(self, end: End) -> None:
        self.end = end

    async def say(self, message: feed.Message) -> None:
        await self.end.send(message.model_dump_json())

    async def next(self) -> feed.FromHub | feed.FeedPacket:
        raw = await asyncio.wait_for(self.end.receive(), 10)
        return feed.unpack(raw) if isinstance(raw, bytes) else feed.from_hub.validate_json(raw)

    async def hear(self, count: int) -> list[int]:
        heard = []
        while len(heard) < count:
            message = await self.next()
            assert isinstance(message, feed.FeedPacket)
            heard.append(message.sequence)
        return heard

    async def opened(self) -> feed.StreamOpen:
        message = await self.next()
        assert isinstance(message, feed.StreamOpen)
        return message

    def nothing_more(self) -> bool:
        return self.end.inbox.empty()


@dataclass
class Bench:
    recorder: Recorder
    server: FeedServer
    stored: Stored
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def worker(self) -> Worker:
        hub_end, worker_end = pair()
        self.tasks.append(asyncio.create_task(self.server.serve(hub_end)))
        worker = Worker(worker_end)
        await worker.say(feed.WorkerHello(worker="w", engine="scripted", model="none"))
        assert isinstance(await worker.next(), feed.FeedWelcome)
        return worker

    async def speak(self, first: int, last: int) -> OpenStream:
        opened = await self.recorder.open(stream())
        self.recorder.receive([packet(number) for number in range(first, last)])
        self.server.want(opened, LANGUAGES)
        return opened


@asynccontextmanager
async def bench(folder: Path) -> AsyncIterator[Bench]:
    recorder = Recorder(AudioLog(folder), Heard(), clock=lambda: NOW)
    recorder.start()
    stored = Stored()
    made = Bench(recorder, FeedServer(recorder, stored), stored)
    try:
        yield made
    finally:
        for task in made.tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await recorder.close()


def final(handle: int, start: int, end: int, number: int = 1) -> feed.Final:
    return feed.Final(
        id=number,
        handle=handle,
        start_sample=start,
        end_sample=end,
        text="はい",
        language="ja",
        confidence=0.9,
        watermark_sample=end,
    )


async def test_a_worker_hears_a_stream_from_its_beginning_and_then_live(tmp_path: Path) -> None:
    async with bench(tmp_path) as at:
        worker = await at.worker()
        await at.speak(0, 20)
        opened = await worker.opened()
        assert (opened.track_id, opened.epoch, opened.from_sample, opened.languages) == ("t1", 1, 0, ["ja", "en"])
        assert await worker.hear(20) == list(range(20))
        await at.speak(20, 30)
        assert await worker.hear(10) == list(range(20, 30))


async def test_the_end_of_a_run_names_the_last_sample_and_done_says_that_all_is_decided(tmp_path: Path) -> None:
    async with bench(tmp_path) as at:
        worker = await at.worker()
        opened = await at.speak(0, 3)
        handle = (await worker.opened()).handle
        await worker.hear(3)
        at.server.end(opened.key)
        end = await worker.next()
        assert end == feed.StreamEnd(handle=handle, end_sample=2_880)
        assert not at.stored.done.is_set()
        await worker.say(feed.StreamDone(id=9, handle=handle))
        assert await worker.next() == feed.Ack(id=9)
        assert at.stored.done.is_set()


async def test_a_fact_is_acknowledged_after_it_was_stored(tmp_path: Path) -> None:
    async with bench(tmp_path) as at:
        worker = await at.worker()
        await at.speak(0, 1)
        handle = (await worker.opened()).handle
        await worker.hear(1)
        await worker.say(final(handle, 0, 960))
        assert await worker.next() == feed.Ack(id=1, accepted=True)
        assert [one.text for one in at.stored.finals] == ["はい"]


async def test_audio_stays_within_its_credit_until_the_watermark_moves(tmp_path: Path) -> None:
    ahead = int(feed.MAX_AHEAD_S * 50)
    async with bench(tmp_path) as at:
        worker = await at.worker()
        await at.speak(0, ahead + 500)
        handle = (await worker.opened()).handle
        assert await worker.hear(ahead + 1) == list(range(ahead + 1))
        await asyncio.sleep(0)
        assert worker.nothing_more()
        await worker.say(feed.Progress(id=1, handle=handle, watermark_sample=100 * 960))
        assert await worker.next() == feed.Ack(id=1)
        assert await worker.hear(100) == list(range(ahead + 1, ahead + 101))


async def test_a_long_hole_inside_undecided_audio_does_not_hold_the_stream(tmp_path: Path) -> None:
    behind = int(feed.MAX_AHEAD_S * 50) * 5
    async with bench(tmp_path) as at:
        worker = await at.worker()
        await at.speak(0, 10)
        await worker.opened()
        await worker.hear(10)
        opened = await at.speak(behind, behind + 1)
        assert await worker.hear(1) == [behind]
        at.server.end(opened.key)
        assert isinstance(await worker.next(), feed.StreamEnd)


async def test_when_a_worker_dies_the_next_one_begins_at_the_watermark(tmp_path: Path) -> None:
    async with bench(tmp_path) as at:
        worker = await at.worker()
        await at.speak(0, 100)
        handle = (await worker.opened()).handle
        await worker.hear(100)
        await worker.say(final(handle, 0, 40 * 960))
        await worker.next()
        await worker.end.close(1006, "")
        second = await at.worker()
        opened = await second.opened()
        assert opened.from_sample == 40 * 960
        heard: list[int] = []
        while not heard or heard[-1] != 99:
            heard += await second.hear(1)
        assert set(range(40, 100)) <= set(heard)


async def test_a_stream_that_began_without_a_worker_is_heard_when_one_comes(tmp_path: Path) -> None:
    async with bench(tmp_path) as at:
        await at.speak(0, 10)
        worker = await at.worker()
        await worker.opened()
        assert await worker.hear(10) == list(range(10))


async def test_more_speech_after_an_ended_run_opens_a_new_one_at_the_watermark(tmp_path: Path) -> None:
    async with bench(tmp_path) as at:
        worker = await at.worker()
        opened = await at.speak(0, 10)
        handle = (await worker.opened()).handle
        await worker.hear(10)
        at.server.end(opened.key)
        await worker.next()
        await at.speak(10, 20)
        await worker.say(feed.Progress(id=1, handle=handle, watermark_sample=9_600))
        await worker.next()
        await worker.say(feed.StreamDone(id=2, handle=handle))
        await worker.next()
        again = await worker.opened()
        assert again.from_sample == 9_600
        assert again.handle != handle


async def test_a_forgotten_stream_leaves_no_watermark_behind_unless_a_run_of_it_goes_on(tmp_path: Path) -> None:
    async with bench(tmp_path) as at:
        worker = await at.worker()
        opened = await at.speak(0, 10)
        at.server.skip_to(opened.key, 4_800)
        at.server.forget(opened.key)
        assert at.server.watermark(opened.key) == 4_800
        at.server.end(opened.key)
        await worker.opened()
        await worker.say(feed.StreamDone(id=1, handle=1))
        await at.stored.done.wait()
        at.server.forget(opened.key)
        assert at.server.watermark(opened.key) == 0


async def test_what_is_no_message_of_the_feed_is_refused_and_closes(tmp_path: Path) -> None:
    async with bench(tmp_path) as at:
        worker = await at.worker()
        await worker.end.send("{nonsense")
        refused = await worker.next()
        assert isinstance(refused, feed.FeedRefused)
        assert refused.code == "bad_message"
        await asyncio.wait_for(asyncio.gather(*at.tasks), 10)
        assert at.server.workers == 0


async def test_a_worker_of_another_version_is_told_so(tmp_path: Path) -> None:
    async with bench(tmp_path) as at:
        hub_end, worker_end = pair()
        at.tasks.append(asyncio.create_task(at.server.serve(hub_end)))
        worker = Worker(worker_end)
        await worker.say(feed.WorkerHello(version=99, worker="w", engine="e", model="m"))
        refused = await worker.next()
        assert isinstance(refused, feed.FeedRefused)
        assert refused.code == "unsupported_version"


async def test_a_repair_is_a_run_of_its_own_with_a_second_of_context(tmp_path: Path) -> None:
    async with bench(tmp_path) as at:
        worker = await at.worker()
        opened = await at.speak(0, 300)
        await worker.opened()
        await worker.hear(300)
        await at.recorder.settle()
        heard: list[int] = []

        async def hear(fact: feed.Final | feed.Progress) -> None:
            heard.append(fact.watermark_sample)

        repairing = asyncio.create_task(at.server.repair(opened, LANGUAGES, 100 * 960, 150 * 960, hear))
        again = await worker.opened()
        assert (again.repair, again.from_sample) == (True, 100 * 960)
        assert await worker.hear(100) == list(range(50, 150))
        assert await worker.next() == feed.StreamEnd(handle=again.handle, end_sample=150 * 960)
        assert not at.server.spare
        assert not await at.server.repair(opened, LANGUAGES, 0, 960, hear)
        await worker.say(final(again.handle, 110 * 960, 120 * 960))
        await worker.say(feed.StreamDone(id=2, handle=again.handle))
        assert await asyncio.wait_for(repairing, 10)
        assert heard == [120 * 960]
        assert at.stored.finals == []
        assert at.server.watermark(opened.key) == 0
        assert at.server.spare


async def test_a_repair_whose_worker_dies_is_not_done(tmp_path: Path) -> None:
    async with bench(tmp_path) as at:
        worker = await at.worker()
        opened = await at.speak(0, 10)
        await worker.opened()

        async def hear(fact: feed.Final | feed.Progress) -> None: ...

        repairing = asyncio.create_task(at.server.repair(opened, LANGUAGES, 0, 9_600, hear))
        await worker.hear(10)
        await worker.end.close(1006, "")
        assert not await asyncio.wait_for(repairing, 10)


async def test_no_repair_begins_while_a_final_waits(tmp_path: Path) -> None:
    async with bench(tmp_path) as at:
        worker = await at.worker()
        await worker.say(feed.WorkerStatus(lag_s=4.0, load=1.0))
        await worker.say(feed.Progress(id=1, handle=99, watermark_sample=0))
        while at.server.spare:
            await asyncio.sleep(0.01)
        await worker.say(feed.WorkerStatus(lag_s=0.0, load=0.2))
        while not at.server.spare:
            await asyncio.sleep(0.01)
