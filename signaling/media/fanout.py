"""One packet to all its receivers: the hot path. Everything constant is prepared when the set of receivers changes.

Per copy: write 12 header bytes, copy the body, encrypt in place. Then one system call for all copies of a port.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from signaling.media.aiortc_adapter import SrtpKeys, srtp_protect
from signaling.media.rtp import HEADER, HEADER_BYTES, MAX_PACKET_BYTES
from signaling.media.udp import Address, Batch, Port, memmove

_EXTENDED = 0x90
"""Version 2 with a header extension: `rtp.build_body` always begins with one."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One receiver of a track and how its copy differs."""

    port: Port
    address: Address
    keys: SrtpKeys
    payload_type: int
    ssrc: int
    sequence_offset: int
    timestamp_offset: int


class Fanout:
    """A fixed set of legs; make a new one when anything about them changes."""

    def __init__(self, legs: Sequence[Leg]) -> None:
        self.legs = len(legs)
        self._groups = [self._group(port, [leg for leg in legs if leg.port is port]) for port in _ports(legs)]

    @staticmethod
    def _group(port: Port, legs: Sequence[Leg]) -> tuple[Batch, list[tuple[Any, ...]]]:
        batch = port.batch([leg.address for leg in legs])
        rows = [
            (
                cell.view,
                cell.buffer,
                cell.body,
                cell.length,
                leg.keys.tx,
                leg.payload_type,
                leg.sequence_offset,
                leg.timestamp_offset,
                leg.ssrc,
            )
            for cell, leg in zip(batch.cells, legs, strict=True)
        ]
        return batch, rows

    def send(self, marker: int, sequence: int, timestamp: int, body: bytes) -> int:
        """How many copies went out. `sequence` and `timestamp` are the source's, unwrapped; `marker` 0 or 0x80."""
        size = len(body)
        if size > MAX_PACKET_BYTES:
            return 0
        total, sent = size + HEADER_BYTES, 0
        write, copy, protect = HEADER.pack_into, memmove, srtp_protect
        for batch, rows in self._groups:
            for view, buffer, rest, length, keys, kind, sequence_offset, timestamp_offset, ssrc in rows:
                write(
                    view,
                    0,
                    _EXTENDED,
                    marker | kind,
                    (sequence + sequence_offset) & 0xFFFF,
                    (timestamp + timestamp_offset) & 0xFFFFFFFF,
                    ssrc,
                )
                copy(rest, body, size)
                length[0] = total
                if protect(keys, buffer, length):
                    length[0] = 0  # key worn out after 2**48 packets; an empty datagram is harmless
            sent += batch.send()
        return sent


def _ports(legs: Sequence[Leg]) -> list[Port]:
    ports: list[Port] = []
    for leg in legs:
        if leg.port not in ports:
            ports.append(leg.port)
    return ports
