"""How long a newcomer waits for the first sound: `python -m tools.bench_join [joins]`.

Time from the client's first line of code (peer connection made) to the first decoded audio of somebody who speaks
already, over loopback through a worker process: offer, answer, ICE, DTLS, first packet, Opus. Baseline, in the same
run: the same join with aiortc's own jitter buffer and decoder. Also from a publisher's start to its first packet at
the hub.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable

import av
from aiortc import RTCRtpReceiver, RTCSessionDescription

from signaling.media.aiortc_adapter import EncodedAudio, encoded_audio_sink
from signaling.media.plane import WorkerPlane
from tests.signaling_media.clients import Publisher, Recorder, new_connection

AIM_MS = 130.0

Listen = Callable[[RTCRtpReceiver, asyncio.Event], None]


def listen_ours(receiver: RTCRtpReceiver, heard: asyncio.Event) -> None:
    """First packet to the decoder at once, as the board's own play-out does."""
    decoder = av.CodecContext.create("libopus", "r")

    def take(packet: EncodedAudio) -> None:
        if decoder.decode(av.Packet(packet.payload)):
            heard.set()

    encoded_audio_sink(receiver, take)


def listen_stock(receiver: RTCRtpReceiver, heard: asyncio.Event) -> None:
    async def read() -> None:
        await receiver.track.recv()
        heard.set()

    heard.reader = asyncio.get_running_loop().create_task(read())  # type: ignore[attr-defined]


async def join(plane: WorkerPlane, generation: int, listen: Listen) -> float:
    """Milliseconds to the first decoded audio."""
    heard = asyncio.Event()
    began = time.perf_counter()
    client = new_connection()
    offered = await plane.subscribe("join", "newcomer", generation, 2, 0)
    await client.setRemoteDescription(RTCSessionDescription(offered.sdp, "offer"))
    slots = {slot.mid for slot in offered.slots if slot.track_id is not None}
    for transceiver in client.getTransceivers():
        if transceiver.mid in slots:
            listen(transceiver.receiver, heard)
    await client.setLocalDescription(await client.createAnswer())
    await plane.answer("join", "newcomer", generation, client.localDescription.sdp)
    await heard.wait()
    elapsed = (time.perf_counter() - began) * 1000
    await plane.close("join", "newcomer", "subscribe", generation)
    await client.close()
    return elapsed


async def publish(plane: WorkerPlane, events: Recorder, number: int) -> float:
    """Milliseconds from a publisher's start to its first packet at the hub."""
    began = time.perf_counter()
    client = Publisher(plane, f"speaker{number}", session="join")
    await client.publish()
    await events.until(lambda: events.count("live", "join", f"speaker{number}-a") == 1)
    elapsed = (time.perf_counter() - began) * 1000
    await plane.close("join", f"speaker{number}", None, None)
    await client.close()
    return elapsed


async def repeat(joins: int, once: Callable[[int], Awaitable[float]]) -> list[float]:
    return [await once(number) for number in range(joins)]


async def measure(joins: int) -> list[tuple[str, list[float], float | None]]:
    events = Recorder()
    plane = WorkerPlane(events, workers=1, addresses=["127.0.0.1"])
    await plane.start()
    speaker = Publisher(plane, "speaker", session="join")
    await speaker.publish()
    await events.until(lambda: events.count("live") == 1)
    await join(plane, 0, listen_ours)  # the first one loads code
    ours = await repeat(joins, lambda number: join(plane, 1 + number, listen_ours))
    stock = await repeat(joins, lambda number: join(plane, 1 + joins + number, listen_stock))
    sent = await repeat(joins, lambda number: publish(plane, events, number))
    await speaker.close()
    await plane.stop()
    return [
        ("join_to_first_decoded_audio", ours, statistics.median(stock)),
        ("publish_to_first_packet_at_hub", sent, None),
    ]


def run(joins: int = 12) -> list[dict[str, object]]:
    """Prints a table and returns {name, value, unit, aim, baseline}: medians and maxima in ms."""
    rows: list[dict[str, object]] = []
    print(f"{'':<34}{'median ms':>10}{'max ms':>9}{'aiortc ms':>11}")
    for name, found, baseline in asyncio.run(measure(joins)):
        middle, worst = statistics.median(found), max(found)
        print(f"{name:<34}{middle:>10.1f}{worst:>9.1f}{'' if baseline is None else f'{baseline:.1f}':>11}")
        for what, value in (("p50", middle), ("max", worst)):
            rows.append(
                {
                    "name": f"{name}_{what}",
                    "value": round(value, 1),
                    "unit": "ms",
                    "aim": AIM_MS if what == "p50" and baseline is not None else None,
                    "baseline": None if baseline is None or what == "max" else round(baseline, 1),
                }
            )
    return rows


if __name__ == "__main__":
    run(int(sys.argv[1]) if len(sys.argv) > 1 else 12)
