"""All packets of two hours through the code that holds state, as fast as it goes; memory is read on the way.

Each part is a process of its own, so that nothing hides in memory that another part has left behind. A part says what
it stands for; WebRTC itself, model weights and the store are in the live part of `tools.soak`.
"""

from __future__ import annotations

import asyncio
import json
import math
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import psutil

from hardware.framing import Framer
from hardware.ports import SAMPLE_RATE, AudioBlock
from room_agent.handover import PacketFeed
from room_agent.opus import OpusEncoder
from room_agent.playback import Playback
from room_agent.spool import Run
from room_agent.spool_writer import Spool
from session_manager.demo.dialogue import load_dialogue
from session_manager.recorder import OpenStream, Recorder
from session_manager.records import Stream
from signaling.delivery import Inbox, Outbox, Replies
from signaling.media.aiortc_adapter import EncodedAudio, NumberedPacket
from signaling.messages import CaptionPartial, Done, LineCommitted, SlotInfo
from signaling.ports import LoggedPacket
from tools.clicks import Clicks
from transcription.audio_log import AudioLog
from transcription.ear import Ear
from transcription.listener import Listener
from transcription.recognition import Recognition
from transcription.vad import LevelVoiceActivity

MEGABYTE = 1e6
AIM_MB = 20.0
PACKET = 960
PER_MINUTE = 60 * SAMPLE_RATE // PACKET
WARM_SHARE = 0.25
LOSS = 0.02
Part = Callable[[int, Path], AsyncIterator[None]]
"""(minutes, an empty folder) -> one step a minute."""


def speech() -> list[bytes]:
    """Some seconds of the demo's dialogue in packets, to be said again and again."""
    from hardware.drivers.simulated import load_sound

    sound = np.concatenate([load_sound(one.path) for one in load_dialogue().utterances[:4]])
    encoder = OpusEncoder(24_000)
    starts = range(0, sound.size - PACKET + 1, PACKET)
    return [encoder.encode(AudioBlock(sound[at : at + PACKET], at, 0.0)).payload for at in starts]


def numbered(minute: int) -> Iterator[int]:
    return iter(range(minute * PER_MINUTE, (minute + 1) * PER_MINUTE))


async def playback(minutes: int, folder: Path) -> AsyncIterator[None]:
    """A board hears two others, with loss, late repairs and a stall in each minute."""
    payloads, rng, now = speech(), random.Random(1), 0.0
    hearing = Playback(clock=lambda: now, wall=lambda: now)
    hearing.route(1, [SlotInfo(mid=str(slot), kind="audio", track_id=f"track-{slot}") for slot in range(2)])
    hearing.name_sites({"track-0": "site-0", "track-1": "site-1"})
    for minute in range(minutes):
        for index in numbered(minute):
            now = index * PACKET / SAMPLE_RATE
            for slot in range(2):
                if rng.random() >= LOSS and index % PER_MINUTE > 30:
                    _push(hearing, slot, index, payloads, now)
                if rng.random() < LOSS / 2 and index > 6:
                    _push(hearing, slot, index - 6, payloads, now)
            hearing.render(PACKET)
        hearing.stats()
        yield


def _push(hearing: Playback, slot: int, index: int, payloads: list[bytes], now: float) -> None:
    payload = payloads[index % len(payloads)]
    packet = EncodedAudio(slot, index & 0xFFFF, index * PACKET & 0xFFFFFFFF, False, payload, now)
    hearing.push(1, str(slot), packet)


async def capture(minutes: int, folder: Path) -> AsyncIterator[None]:
    """A board frames, encodes, offers and keeps on disk what its microphone hears; nobody fetches for half the time."""
    sound, framer, encoder, feed = Clicks().render(0, 60 * SAMPLE_RATE), Framer(), OpusEncoder(24_000), PacketFeed()
    spool = Spool(folder)
    spool.session_id = "session"
    for minute in range(minutes):
        for at in range(0, sound.size, 480):
            start = minute * sound.size + at
            for frame in framer.push(AudioBlock(sound[at : at + 480], start, start / SAMPLE_RATE)):
                packet = encoder.encode(frame)
                kept = NumberedPacket(packet.sequence, packet.sample, packet.payload, packet.level_dbov)
                feed.put(kept)
                spool.put(1, kept, frame.captured_at)
                if minute % 2:
                    await feed.next_packet()
            if at % SAMPLE_RATE == 0:
                await asyncio.sleep(0.005)  # the disk's thread has its turn, as it would in 100 times the time
        spool.acknowledge(1, [Run(0, minute * PER_MINUTE)])
        yield
    spool.close()


class _Quiet:
    """The hub's side of a recorder that nobody listens to."""

    def origin_known(self, stream: OpenStream) -> None: ...
    def packets_arrived(self, stream: OpenStream) -> None: ...
    def record_failed(self, stream: OpenStream, started_at: float, cause: str) -> None: ...
    def record_recovered(self, stream: OpenStream, started_at: float, ended_at: float, cause: str) -> None: ...


async def recorder(minutes: int, folder: Path) -> AsyncIterator[None]:
    """The hub writes the audio log of three boards; one packet in fifty never comes."""
    payloads, rng = speech(), random.Random(1)
    writing = Recorder(AudioLog(folder), _Quiet())
    writing.start()
    names = [f"track-{number}" for number in range(3)]
    for name in names:
        stream = Stream(
            name, 1, "session", name, name, "mic", "audio", "microphone", 0.0, None, 0, 0, None, None, decided=False
        )
        await writing.open(stream)
    for minute in range(minutes):
        batch: list[LoggedPacket] = []
        for index in numbered(minute):
            at = index * PACKET / SAMPLE_RATE
            payload = payloads[index % len(payloads)]
            batch += [
                LoggedPacket(name, 1, index, index * PACKET, at, payload) for name in names if rng.random() >= LOSS
            ]
        writing.receive(batch)
        await writing.settle()
        yield
    await writing.close()


async def listener(minutes: int, folder: Path) -> AsyncIterator[None]:
    """A transcription worker hears one stream; the model's answers are made up."""
    payloads = speech()
    ear, listening = Ear(0, LevelVoiceActivity()), Listener(1, 0, ("ja",))
    for minute in range(minutes):
        packets = [(index, index * PACKET, payloads[index % len(payloads)]) for index in numbered(minute)]
        for at in range(0, len(packets), 10):
            for request in listening.hear(ear.hear(packets[at : at + 10])):
                listening.answer(request, Recognition("対話の会を始めます。", "ja", -0.1))
            partial = listening.partial()
            if partial is not None:
                listening.heard_partial(partial, Recognition("対話の", "ja", -0.1))
            listening.facts()
        yield


async def signaling(minutes: int, folder: Path) -> AsyncIterator[None]:
    """What the hub keeps for one peer that hears everything, and what the peer keeps."""
    out, replies, inbox = Outbox(), Replies(), Inbox[object]()
    out.attach()
    for minute in range(minutes):
        for second in range(60):
            now = 60.0 * minute + second
            line = LineCommitted.model_construct(line_id=f"line-{now}", text="対話の会を始めます。" * 3)
            out.event(line, now)
            for number in range(4):
                out.view(CaptionPartial.model_construct(track_id=f"track-{number}", text="対話の"), number)
            command = f"command-{now}"
            replies.begin(command)
            replies.finish(command, Done(), 100)
            while (envelope := out.take()) is not None:
                if envelope.seq is not None:
                    inbox.accept(envelope.seq, envelope)
            if second % 2:
                out.acknowledge(out.next_seq - 1)
        yield


PARTS: dict[str, Part] = {
    "board_playback": playback,
    "board_capture": capture,
    "hub_recorder": recorder,
    "worker_listener": listener,
    "hub_signaling": signaling,
}


# ---- one part, a process of its own --------------------------------------------------------------------------------


async def sampled(part: Part, minutes: int) -> list[float]:
    """MB resident after each minute of the session."""
    process, found = psutil.Process(), list[float]()
    with TemporaryDirectory(prefix="shimawa-soak-") as folder:
        async for _ in part(minutes, Path(folder)):
            found.append(process.memory_info().rss / MEGABYTE)
    return found


def growth_mb(resident: list[float]) -> float:
    """From the end of the first quarter (libraries loaded, bounded queues full) to the end, carried on to the whole."""
    warm = resident[math.ceil(len(resident) * WARM_SHARE) :]
    if len(warm) < 4:
        return 0.0
    tenth = max(1, len(warm) // 10)
    gained = float(np.median(warm[-tenth:]) - np.median(warm[:tenth]))
    return gained * len(resident) / max(1, len(warm) - tenth)


def run(hours: float = 2.0) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for name in PARTS:
        command = [sys.executable, "-m", "tools.soak_quick", name, str(round(60 * hours))]
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        resident: list[float] = json.loads(out.splitlines()[-1])
        shown = "  ".join(f"{mb:.1f}" for mb in resident[:: max(1, len(resident) // 12)])
        print(f"{name}: {shown} MB", file=sys.stderr)
        value = round(growth_mb(resident), 1)
        rows.append({"name": f"quick_{name}", "value": value, "unit": "MB", "aim": AIM_MB, "baseline": None})
    return rows


def main() -> None:
    if len(sys.argv) == 3:
        print(json.dumps(asyncio.run(sampled(PARTS[sys.argv[1]], int(sys.argv[2])))))
    else:
        for row in run():
            print(f"{row['name']:<34} {row['value']:>8} MB  aim {row['aim']}")


if __name__ == "__main__":
    main()
