"""The bytes of a spool segment, version 1: sealed records, a key per segment, that key sealed by the device key.

    file    = header record*
    header  = magic 8 ("shimaspl")  version u16  reserved u16  segment u32  epoch u64  nonce 12  sealed key 48
    record  = marker 2 (93 87)  length u32  number u32  first u64  count u32  end_sample u64  sealed (`length` bytes)

Network byte order. A record holds `count` packets, numbered from `first` without a hole, packed as for an upload; its
nonce is its number within the segment, which is never used twice, and everything before the sealed bytes is
authenticated with them (AES-256-GCM, NIST SP 800-38D). What was altered is therefore no record: it is stepped over.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from room_agent.spool import Run
from transcription.audio_log import Packet, pack_packets, unpack_packets

VERSION = 1
KEY_BYTES = 32
MARKER = "島".encode("shift_jis")
_MAGIC = b"shimaspl"
_FIELDS = struct.Struct("!8sHHIQ")
_NONCE = 12
_TAG = 16
HEADER_SIZE = _FIELDS.size + _NONCE + KEY_BYTES + _TAG
_HEAD = struct.Struct("!2sIIQIQ")
HEAD_SIZE = _HEAD.size
MAX_SEALED = 1 << 22


@dataclass(frozen=True, slots=True)
class Record:
    """A whole, authentic record of a buffer. `end`: where it ends in it."""

    end: int
    number: int
    run: Run
    end_sample: int
    packed: bytes

    def packets(self) -> list[Packet]:
        return unpack_packets(self.packed)


class SegmentCipher:
    """Seals and opens the records of one segment."""

    def __init__(self, header: bytes, key: bytes) -> None:
        self.header = header
        self._gcm = AESGCM(key)

    @classmethod
    def fresh(cls, device_key: bytes, epoch: int, segment: int) -> SegmentCipher:
        key, nonce = os.urandom(KEY_BYTES), os.urandom(_NONCE)
        fields = _FIELDS.pack(_MAGIC, VERSION, 0, segment, epoch)
        return cls(fields + nonce + AESGCM(device_key).encrypt(nonce, key, fields), key)

    @classmethod
    def of(cls, device_key: bytes, header: bytes, epoch: int, segment: int) -> SegmentCipher | None:
        """None: not the header of that segment, or sealed by another device key."""
        fields, nonce, sealed = header[: _FIELDS.size], header[_FIELDS.size :][:_NONCE], header[_FIELDS.size + _NONCE :]
        if len(header) != HEADER_SIZE or _FIELDS.unpack(fields) != (_MAGIC, VERSION, 0, segment, epoch):
            return None
        try:
            return cls(header, AESGCM(device_key).decrypt(nonce, sealed, fields))
        except InvalidTag:
            return None

    def seal(self, number: int, packets: list[Packet], end_sample: int) -> bytes:
        """One record; the packets' numbers follow each other. A `number` must never be used again."""
        packed = pack_packets(packets)
        head = _HEAD.pack(MARKER, len(packed) + _TAG, number, packets[0].sequence, len(packets), end_sample)
        return head + self._gcm.encrypt(number.to_bytes(_NONCE, "big"), packed, self.header + head)

    def records(self, data: bytes) -> Iterator[Record]:
        """Authentic records of `data` in the order of their place; anything else is a hole."""
        at = data.find(MARKER)
        while 0 <= at <= len(data) - HEAD_SIZE:
            record = self._open(data, at)
            at = data.find(MARKER, at + 1 if record is None else record.end)
            if record is not None:
                yield record

    def _open(self, data: bytes, at: int) -> Record | None:
        head = data[at : at + HEAD_SIZE]
        _, length, number, first, many, end_sample = _HEAD.unpack(head)
        end = at + HEAD_SIZE + length
        if not _TAG < length <= MAX_SEALED or end > len(data):
            return None
        try:
            packed = self._gcm.decrypt(number.to_bytes(_NONCE, "big"), data[at + HEAD_SIZE : end], self.header + head)
        except InvalidTag:
            return None
        return Record(end, number, Run(first, first + many), end_sample, packed)
