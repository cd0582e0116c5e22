"""The worker against a scripted hub, over real sockets: loss, order, load, poison, reconnection, the last word."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transcription.sounds import silence
from transcription.engines import Recogniser, load_recogniser
from transcription.errors import FeedClosed, RecognitionError
from transcription.fakes import ScriptedEngine, ScriptedHub, ScriptedTrack, opus_packets
from transcription.feed import MAX_AHEAD_S
from transcription.log_format import Packet
from transcription.recognition import Engine, RecognitionRequest
from transcription.settings import WorkerSettings
from transcription.tones import ToneEngine, read_tones, tones
from transcription.vad import LevelVoiceActivity
from transcription.worker import LONGEST_RETRY_S, Worker, retry_delay

TOKEN = "worker-token"
WORDS = ["あいうえお", "かきくけこ", "さしすせそ", "たいさく", "おかし"]


def sound(words: Sequence[str] = WORDS, pause_s: float = 1.0) -> np.ndarray:
    pieces = [piece for word in words for piece in (tones(word), silence(pause_s))]
    return np.concatenate([silence(0.5), *pieces])


def track(name: str = "t", words: Sequence[str] = WORDS, **fields: object) -> ScriptedTrack:
    packets = opus_packets(sound(words))
    return replace(ScriptedTrack(name, packets, ["ja"], end_sample=len(packets) * 960), **fields)  # type: ignore[arg-type]


def texts(one: ScriptedTrack) -> list[str]:
    return [line.text for line in one.lines]


@asynccontextmanager
async def working(
    served: ScriptedHub | str, engine: Engine | None = None, **settings: object
) -> AsyncIterator[asyncio.Task[None]]:
    url = served if isinstance(served, str) else served.url
    chosen = WorkerSettings(hub=url, token=TOKEN, name="test", engine="tone")
    worker = Worker(replace(chosen, **settings), Recogniser(engine or ToneEngine(), LevelVoiceActivity))  # type: ignore[arg-type]
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    try:
        yield running
    finally:
        stop.set()
        await running


async def test_several_streams_are_written_down_at_once_and_every_sample_is_accounted_for() -> None:
    tracks = [track("a"), track("b", WORDS[::-1]), track("c", WORDS[1:3])]
    async with ScriptedHub(tracks, TOKEN) as hub, working(hub):
        await hub.until_done()
    assert [texts(one) for one in tracks] == [WORDS, WORDS[::-1], WORDS[1:3]]
    assert [one.watermark for one in tracks] == [one.end_sample for one in tracks]
    assert [one.repeated for one in tracks] == [0, 0, 0]


async def test_the_last_word_is_written_even_when_the_stream_ends_with_it() -> None:
    packets = opus_packets(np.concatenate([silence(0.5), tones("あいう")]))
    one = ScriptedTrack("t", packets, ["ja"], end_sample=len(packets) * 960)
    async with ScriptedHub([one], TOKEN) as hub, working(hub):
        await hub.until_done()
    assert texts(one) == ["あいう"]


async def test_disorder_and_repeats_change_nothing() -> None:
    packets = list(track().packets)
    for at in range(10, len(packets) - 10, 25):
        packets[at], packets[at + 3] = packets[at + 3], packets[at]
        packets.insert(at + 8, packets[at + 2])
    one = track(packets=packets)
    async with ScriptedHub([one], TOKEN) as hub, working(hub):
        await hub.until_done()
    assert texts(one) == WORDS


async def test_lost_packets_cost_their_own_sound_and_nothing_else() -> None:
    whole = track()
    second = 0.5 + 0.5 + 1.0
    lost = range(int(second * 50) + 5, int(second * 50) + 10)
    one = track(packets=[packet for packet in whole.packets if packet.sequence not in lost])
    async with ScriptedHub([whole, one], TOKEN) as hub, working(hub):
        await hub.until_done()
    starts = [line.start_sample for line in whole.lines]
    assert [line.start_sample for line in one.lines] == starts
    assert texts(one)[0] == WORDS[0]
    assert texts(one)[1] != WORDS[1]
    assert texts(one)[2:] == WORDS[2:]


async def test_an_hour_of_nothing_in_between_is_silence_and_not_work() -> None:
    first, later = track(words=WORDS[:2]).packets, 3_600 * 50
    second = [
        Packet(packet.sequence + later, packet.sample + later * 960, packet.payload)
        for packet in opus_packets(sound(WORDS[2:]))
    ]
    one = track(packets=[*first, *second], end_sample=second[-1].sample + 960)
    engine = ScriptedEngine(lambda request: read_tones(request.audio))
    async with ScriptedHub([one], TOKEN) as hub, working(hub, engine):
        await hub.until_done()
    assert texts(one) == WORDS
    assert one.lines[2].start_sample > 3_600 * 48_000


async def test_a_broken_connection_is_resumed_at_the_watermarks_with_nothing_lost_or_twice() -> None:
    one, clean = track(words=WORDS * 4), track(words=WORDS * 4)
    async with ScriptedHub([clean], TOKEN) as hub, working(hub):
        await hub.until_done()
    async with ScriptedHub([replace(one, speed=20.0)], TOKEN) as hub, working(hub):
        [one] = hub.tracks
        for lives, lines in enumerate((2, 5, 9, 14), 1):
            await hub.until(lambda lives=lives, lines=lines: len(hub.hellos) == lives and len(one.finals) >= lines)
            await hub.drop()
        await hub.until_done()
        assert len(hub.hellos) == 5
    assert [(line.start_sample, line.end_sample, line.text) for line in one.lines] == [
        (line.start_sample, line.end_sample, line.text) for line in clean.lines
    ]
    assert texts(one) == WORDS * 4


async def test_a_poisoned_utterance_is_reported_and_takes_no_other_along() -> None:
    def script(request: RecognitionRequest) -> str:
        text = read_tones(request.audio)
        if text == "さしすせそ":
            raise RecognitionError("poisoned")
        return text

    tracks = [track("a"), track("b")]
    async with ScriptedHub(tracks, TOKEN) as hub, working(hub, ScriptedEngine(script)):
        await hub.until_done()
    for one in tracks:
        assert texts(one) == [word for word in WORDS if word != "さしすせそ"]
        [failed] = [final for final in one.finals.values() if final.suppressed]
        assert failed.suppressed == "failed"
        assert failed.end_sample > failed.start_sample


async def test_a_recogniser_that_loops_is_never_believed() -> None:
    one = track()
    async with ScriptedHub([one], TOKEN) as hub, working(hub, ScriptedEngine(lambda _: "ありがとう" * 12)):
        await hub.until_done()
    assert one.lines == []
    assert one.partials == []
    assert {final.suppressed for final in one.finals.values()} == {"loop"}
    assert len(one.finals) == len(WORDS)


async def test_a_recogniser_at_half_speed_drops_partials_and_no_final() -> None:
    words = WORDS + WORDS[:2]
    tracks = [replace(track(name, words), speed=4.0) for name in "abc"]
    engine = ScriptedEngine(lambda request: read_tones(request.audio), seconds=0.25)
    async with ScriptedHub(tracks, TOKEN) as hub, working(hub, engine, partial_interval_s=0.1):
        await hub.until_done()
        modes = {status.partials for status in hub.statuses}
        loads = [status.load for status in hub.statuses]
        ahead = hub.most_ahead_s
    assert [texts(one) for one in tracks] == [words] * 3
    assert modes - {"on"}, loads
    assert ahead <= MAX_AHEAD_S + 0.1


async def test_partials_come_while_somebody_speaks_and_grow() -> None:
    words = ["あいうえおかきくけこさしすせそたあいうえおかきくけこ"]
    one = replace(track(words=words), speed=1.0)
    async with ScriptedHub([one], TOKEN) as hub, working(hub, partial_interval_s=0.3):
        await hub.until_done()
    revisions = [partial.revision for partial in one.partials]
    assert len(revisions) >= 3
    assert revisions == sorted(set(revisions))
    assert all(words[0].startswith(partial.text[:-2]) for partial in one.partials)
    assert {partial.start_sample for partial in one.partials} == {one.lines[0].start_sample}


async def test_a_sender_that_stops_in_mid_word_does_not_keep_the_word() -> None:
    packets = opus_packets(np.concatenate([silence(0.5), tones("あいうえ")]))
    one = ScriptedTrack("t", packets, ["ja"])
    async with ScriptedHub([one], TOKEN) as hub, working(hub):
        await hub.until(lambda: len(one.finals) == 1)
    assert texts(one) == ["あいうえ"]


async def test_one_packet_behind_a_long_hole_moves_the_watermark_so_that_the_hub_may_go_on() -> None:
    first, later = track(words=WORDS[:1]).packets, 3_600 * 50
    alone = Packet(len(first) + 7, (len(first) + later) * 960, first[0].payload)
    one = track(packets=[*first, alone], end_sample=None)
    async with ScriptedHub([one], TOKEN) as hub, working(hub):
        await hub.until(lambda: one.watermark > alone.sample - 48_000)
    assert texts(one) == WORDS[:1]


async def test_the_hub_is_told_what_came_and_how_it_is_doing() -> None:
    one = track(end_sample=None)
    async with ScriptedHub([one], TOKEN) as hub, working(hub):
        await hub.until(lambda: len(hub.statuses) >= 1)
    assert (hub.hellos[0].engine, hub.hellos[0].model) == ("tone", "tones")
    assert hub.statuses[0].partials == "on"


async def test_a_wrong_token_ends_the_worker_with_a_sentence() -> None:
    async with ScriptedHub([], "another") as hub:
        with pytest.raises(FeedClosed, match="refused this worker"):
            async with working(hub) as running:
                await asyncio.wait({running}, timeout=20)


async def test_what_is_no_address_ends_the_worker_with_a_sentence() -> None:
    with pytest.raises(FeedClosed, match="not the address"):
        async with working("http://nowhere") as running:
            await asyncio.wait({running}, timeout=20)


async def test_a_worker_waits_for_a_hub_that_is_not_there_yet() -> None:
    async with ScriptedHub([], TOKEN) as gone:
        url = gone.url
    one = track(words=WORDS[:1])
    async with working(url) as running:
        async with ScriptedHub([one], TOKEN, port=int(url.split(":")[2].split("/")[0])) as hub:
            await hub.until_done()
        assert not running.done()
    assert texts(one) == WORDS[:1]


async def test_a_worker_told_to_stop_in_the_moment_its_hub_dies_stops() -> None:
    """A killed hub is both at once: the end of standard input and a broken feed."""
    recogniser = Recogniser(ToneEngine(), LevelVoiceActivity)
    for steps_between in range(12):
        async with ScriptedHub([track()], TOKEN) as hub:
            stop = asyncio.Event()
            settings = WorkerSettings(hub=hub.url, token=TOKEN, name="test", engine="tone")
            running = asyncio.create_task(Worker(settings, recogniser).run(stop))
            await hub.until(lambda: bool(hub.hellos))
            await hub.drop()
            for _ in range(steps_between):
                await asyncio.sleep(0)
            stop.set()
            async with asyncio.timeout(10):
                await asyncio.shield(running)


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_retries_are_spread_and_never_far_apart(attempt: int, chance: float) -> None:
    delay = retry_delay(attempt, lambda: chance)
    assert 0 <= delay <= LONGEST_RETRY_S
    assert retry_delay(attempt, lambda: 0.0) == 0


def test_the_tone_engine_needs_no_weights() -> None:
    recogniser = load_recogniser("tone", "nowhere")
    assert recogniser.engine.name == "tone"
