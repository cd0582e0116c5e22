"""A scripted media client without a peer connection: raw STUN, DTLS and SRTP on its own UDP port.

It makes load for the forwarding bench at a cost that leaves the machine to what is measured.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Sequence

from aioice import stun

from signaling.media.aiortc_adapter import Certificate, FwdDtls, SrtpKeys
from signaling.media.fanout import Fanout, Leg
from signaling.media.udp import BATCHED, Address, Port, open_ports
from signaling.ports import MediaPlane, TrackSpec

AUDIO_PT, VIDEO_PT = 111, 96


def address_of(host: str, number: int) -> Address:
    """What a `Port` calls this IPv4 address."""
    if not BATCHED:
        return (host, number)
    return struct.pack("=H", socket.AF_INET) + number.to_bytes(2, "big") + socket.inet_aton(host) + bytes(8)


class RawConnection:
    """One client connection; after `connect` its `keys` are there and its port is the caller's to read."""

    def __init__(self, certificate: Certificate) -> None:
        self.certificate = certificate
        self.port: Port = open_ports(["127.0.0.1"], 0)[0]
        self.keys: SrtpKeys | None = None
        self.server: Address = b""
        self._dtls: asyncio.Queue[bytes] = asyncio.Queue()
        self._checked = asyncio.Event()

    # signaling.media.aiortc_adapter.DtlsPath
    def send(self, data: bytes) -> bool:
        return self.port.send(data, self.server)

    async def receive_dtls(self) -> bytes:
        return await self._dtls.get()

    def _readable(self) -> None:
        for i in range(self.port.receive()):
            data = self.port.cells[i].view[0 : self.port.sizes[i]]
            if data[0] < 4:
                self._checked.set()
            elif 20 <= data[0] <= 63:
                self._dtls.put_nowait(data)

    async def connect(self, sdp: str) -> None:
        """ICE check and DTLS handshake with the server that wrote `sdp`."""
        lines = dict(line[2:].split(":", 1) for line in sdp.splitlines() if line.startswith("a=") and ":" in line)
        host, number = next(
            line.split()[4:6] for line in sdp.splitlines() if line.startswith("a=candidate:") and "." in line.split()[4]
        )
        self.server = address_of(host, int(number))
        loop = asyncio.get_running_loop()
        loop.add_reader(self.port.fileno(), self._readable)
        check = stun.Message(
            stun.Method.BINDING,
            stun.Class.REQUEST,
            attributes={
                "USERNAME": f"{lines['ice-ufrag']}:load",
                "PRIORITY": 1,
                "ICE-CONTROLLING": 1,
                "USE-CANDIDATE": None,
            },
        )
        check.add_message_integrity(lines["ice-pwd"].encode())
        self.send(bytes(check))
        await self._checked.wait()
        dtls = FwdDtls(self, self.certificate, "client")
        self.keys = await dtls.handshake([("sha-256", lines["fingerprint"].split()[1])])
        assert self.keys is not None
        loop.remove_reader(self.port.fileno())

    def sender(self, payload_type: int, ssrc: int) -> Fanout:
        """Sends packets of one SSRC to the server; `Fanout.send` with unwrapped numbers."""
        assert self.keys is not None
        return Fanout([Leg(self.port, self.server, self.keys, payload_type, ssrc, 0, 0)])


def head(certificate: Certificate, mids: Sequence[str]) -> list[str]:
    return ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", f"a=group:BUNDLE {' '.join(mids)}"]


def section(kind: str, mid: str, direction: str, certificate: Certificate, ssrc: int | None) -> list[str]:
    number, encoding = (AUDIO_PT, "opus/48000/2") if kind == "audio" else (VIDEO_PT, "VP8/90000")
    lines = [f"m={kind} 9 UDP/TLS/RTP/SAVPF {number}", "c=IN IP4 0.0.0.0", f"a=mid:{mid}", f"a={direction}"]
    lines += ["a=rtcp-mux", "a=ice-ufrag:load", "a=ice-pwd:loadloadloadloadloadload", "a=setup:active"]
    lines += [f"a=fingerprint:sha-256 {certificate.sha256}", f"a=rtpmap:{number} {encoding}"]
    if ssrc is not None:
        lines.append(f"a=ssrc:{ssrc} cname:load")
    return lines


async def publish(
    plane: MediaPlane, certificate: Certificate, session: str, peer: str, kinds: Sequence[str]
) -> tuple[RawConnection, list[Fanout]]:
    """A publishing client with one track of each kind; returns its connection and a sender for each track."""
    connection = RawConnection(certificate)
    ssrcs = [int.from_bytes(os.urandom(4), "big") | 1 for _ in kinds]
    mids = [str(place) for place in range(len(kinds))]
    lines = head(certificate, mids)
    for kind, mid, ssrc in zip(kinds, mids, ssrcs, strict=True):
        lines += section(kind, mid, "sendonly", certificate, ssrc)
    specs = [
        TrackSpec(f"{peer}-{kind}", session, peer, peer, kind, kind, "room_mic", mid, 1)  # type: ignore[arg-type]
        for kind, mid in zip(kinds, mids, strict=True)
    ]
    answer = await plane.publish(session, peer, 0, "\r\n".join(lines) + "\r\n", specs)
    await connection.connect(answer)
    numbers = [AUDIO_PT if kind == "audio" else VIDEO_PT for kind in kinds]
    return connection, [connection.sender(number, ssrc) for number, ssrc in zip(numbers, ssrcs, strict=True)]


async def subscribe(
    plane: MediaPlane, certificate: Certificate, session: str, peer: str, audio: int, video: int
) -> RawConnection:
    connection = RawConnection(certificate)
    offer = await plane.subscribe(session, peer, 0, audio, video)
    lines = head(certificate, [slot.mid for slot in offer.slots])
    for slot in offer.slots:
        lines += section(slot.kind, slot.mid, "recvonly", certificate, None)
    await plane.answer(session, peer, 0, "\r\n".join(lines) + "\r\n")
    await connection.connect(offer.sdp)
    return connection
