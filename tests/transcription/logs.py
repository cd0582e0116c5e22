"""Streams of packets as senders make them and nets lose them, and what a log says of them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st

from tests.transcription.opus_packets import bare
from transcription.audio_log import Packet, StreamLog
from transcription.opus import packet_duration

LAWS = settings(max_examples=120, deadline=None)
SILK_60_MS, CELT_20_MS, CELT_2_5_MS = 0x18, 0x78 | 0x80, 0x80


def twenty_ms(count: int, first: int = 0) -> list[Packet]:
    return [Packet(number, number * 960, bare(number)) for number in range(first, first + count)]


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@st.composite
def streams(draw: st.DrawFn, least: int = 0) -> list[Packet]:
    """What a sender's packets may look like when some are lost: losses, pauses without packets, several durations."""
    step = st.tuples(
        st.sampled_from([0, 0, 0, 0, 1, 3, 500]),
        st.sampled_from([0, 0, 0, 0, 960, 48_000]),
        st.sampled_from([0x78, SILK_60_MS, CELT_20_MS, CELT_2_5_MS]),
        st.integers(9, 300),
    )
    sequence, sample, packets = 0, 0, []
    for lost, pause, toc, size in draw(st.lists(step, min_size=least, max_size=40)):
        sequence, sample = sequence + lost, sample + lost * 960 + pause
        packets.append(Packet(sequence, sample, bare(sequence, toc, size)))
        sequence, sample = sequence + 1, sample + packet_duration(packets[-1].payload)
    return packets


def spans_of(packets: Sequence[Packet]) -> list[tuple[int, int, bool]]:
    """The definition, packet by packet: a hole is where numbers are missing."""
    edges: list[tuple[int, int, bool]] = []
    number, sample = 0, 0
    for packet in sorted(packets, key=lambda packet: packet.sequence):
        edges.append((sample, packet.sample, packet.sequence == number))
        number, sample = packet.sequence + 1, packet.sample + packet_duration(packet.payload)
        edges.append((packet.sample, sample, True))
    merged: list[tuple[int, int, bool]] = []
    for start, end, present in edges:
        if start == end:
            continue
        if merged and merged[-1][2] == present:
            merged[-1] = (merged[-1][0], end, present)
        else:
            merged.append((start, end, present))
    return merged


def seen(log: StreamLog) -> list[tuple[int, int, bool]]:
    return [(span.start_sample, span.end_sample, span.present) for span in log.spans()]
