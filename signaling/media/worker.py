"""The media worker process: `python -m signaling.media.worker`. One loop, one forwarder, nothing else.

Commands come as frames on stdin, events and audio go as frames to stdout, logs to stderr. It ends when stdin closes,
so a hub that was killed leaves no worker behind. Exit codes: 0 asked to end, 2 could not start, 3 control pipe broken.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from pydantic import BaseModel

from signaling.media import control
from signaling.media.aiortc_adapter import assert_pinned
from signaling.media.errors import ControlError, MediaError, PortInUse, VersionMismatch
from signaling.media.forwarder import PACE_S, SILENCE_S, TICK_S, Forwarder
from signaling.media.udp import open_ports
from signaling.ports import Connection, LoggedPacket, MediaRefused, Slot

log = logging.getLogger(__name__)

MAX_UNREAD_BYTES = 32 << 20
"""What the hub has not read yet. At 50 packets/s a track this is minutes of a stalled hub; beyond it audio is dropped
and counted, and the coverage of the session shows the gap."""


class HubPipe:
    """Frames to the hub. Facts always go (as few as connections change); beyond `MAX_UNREAD_BYTES` audio and views are
    dropped."""

    def __init__(self, transport: asyncio.WriteTransport) -> None:
        self._transport = transport
        self.dropped_packets = 0

    @property
    def _full(self) -> bool:
        return self._transport.get_write_buffer_size() > MAX_UNREAD_BYTES

    def tell(self, fact: BaseModel) -> None:
        self._transport.write(control.frame(fact))

    def show(self, view: BaseModel) -> None:
        if not self._full:
            self._transport.write(control.frame(view))

    def audio(self, packets: Sequence[LoggedPacket]) -> None:
        if self._full:
            if not self.dropped_packets:
                log.error("hub does not read; audio for the log is being dropped")
            self.dropped_packets += len(packets)
            return
        self._transport.write(control.packet_frame(packets))


class _Teller:
    """`MediaEvents` as frames."""

    def __init__(self, pipe: HubPipe) -> None:
        self._pipe = pipe
        self.audio = pipe.audio

    def slots_changed(self, session_id: str, peer_id: str, generation: int, slots: Sequence[Slot]) -> None:
        self._pipe.tell(
            control.SlotsChanged(session_id=session_id, peer_id=peer_id, generation=generation, slots=tuple(slots))
        )

    def connection_up(self, session_id: str, peer_id: str, connection: Connection, generation: int) -> None:
        self._pipe.tell(
            control.ConnectionUp(session_id=session_id, peer_id=peer_id, connection=connection, generation=generation)
        )

    def connection_lost(
        self, session_id: str, peer_id: str, connection: Connection, generation: int, cause: str
    ) -> None:
        self._pipe.tell(
            control.ConnectionLost(
                session_id=session_id, peer_id=peer_id, connection=connection, generation=generation, cause=cause
            )
        )

    def track_suspect(self, session_id: str, track_id: str, silent_ms: int) -> None:
        self._pipe.tell(control.TrackSuspect(session_id=session_id, track_id=track_id, silent_ms=silent_ms))

    def track_live(self, session_id: str, track_id: str) -> None:
        self._pipe.tell(control.TrackLive(session_id=session_id, track_id=track_id))

    def levels(self, session_id: str, levels: Mapping[str, int]) -> None:
        self._pipe.show(control.Levels(session_id=session_id, levels=dict(levels)))


CALLS_WAITING = 1000
"""Commands that may wait to be done. One more and the pipe is given up, so that the hub starts a fresh worker: a
command left out would leave the hub with connections that do not exist."""


class CallPipe(asyncio.Protocol):
    """Bytes of stdin to calls, in order. Bounded by `CALLS_WAITING`; ends when the pipe ends, breaks or overflows."""

    def __init__(self) -> None:
        self._calls: asyncio.Queue[control.Call | None] = asyncio.Queue(CALLS_WAITING + 1)  # one place for the end
        self._reader = control.FrameReader()
        self._ended = False
        self.broken = False

    def data_received(self, data: bytes) -> None:
        if self._ended:
            return
        try:
            for body in self._reader.feed(data):
                call = control.read_call(body)
                if self._calls.qsize() >= CALLS_WAITING:
                    raise ControlError("The hub sends commands faster than they can be done.")
                self._calls.put_nowait(call)
        except ControlError as fault:
            log.error("control pipe given up: %s", fault)
            self.broken = True
            self._end()

    def eof_received(self) -> None:
        self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()

    def _end(self) -> None:
        """What waits is still done; nothing follows."""
        if not self._ended:
            self._ended = True
            self._calls.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[control.Call]:
        while (call := await self._calls.get()) is not None:
            yield call


async def _perform(forwarder: Forwarder, command: control.Command) -> dict[str, object]:
    """Do it; returns the fields of the reply."""
    match command:
        case control.Publish():
            answer = await forwarder.publish(
                command.session_id, command.peer_id, command.generation, command.offer_sdp, command.tracks
            )
            return {"sdp": answer}
        case control.Subscribe():
            offer = await forwarder.subscribe(
                command.session_id, command.peer_id, command.generation, command.audio, command.video
            )
            return {"sdp": offer.sdp, "slots": offer.slots}
        case control.Answer():
            await forwarder.answer(command.session_id, command.peer_id, command.generation, command.sdp)
        case control.SetWants():
            await forwarder.want(command.session_id, command.peer_id, command.wants, command.budget_kbps)
        case control.SetCap():
            await forwarder.cap(command.session_id, command.peer_id, command.group, command.kbps)
        case control.Close():
            await forwarder.close(command.session_id, command.peer_id, command.connection, command.generation)
        case control.EndSession():
            await forwarder.end_session(command.session_id)
            gc.collect()
        case control.Stats():
            return {"stats": dict(await forwarder.stats())}
        case control.Pulse():
            pass
    return {}


async def _serve(arguments: argparse.Namespace) -> int:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(os.dup(1), "wb", buffering=0))
    pipe = HubPipe(transport)
    try:
        assert_pinned()
        ports = open_ports(arguments.address, arguments.port)
    except MediaError as fault:
        pipe.tell(_failure(fault))
        transport.close()
        return 2
    uplink_kbps = arguments.uplink_kbps or None
    forwarder = Forwarder(ports, _Teller(pipe), silence_s=arguments.silence_s, uplink_kbps=uplink_kbps)
    for port in ports:
        loop.add_reader(port.fileno(), forwarder.receive, port)
    calls = CallPipe()
    await loop.connect_read_pipe(lambda: calls, os.fdopen(os.dup(0), "rb", buffering=0))
    _quiet_collector()
    pipe.tell(control.Ready(port=ports[0].number))
    ticking = [loop.create_task(_every(TICK_S, forwarder.tick)), loop.create_task(_every(PACE_S, forwarder.pace))]
    async for call in calls:
        try:
            reply = control.Reply(id=call.id, **await _perform(forwarder, call.command))  # type: ignore[arg-type]
        except MediaRefused as refusal:
            reply = control.Reply(id=call.id, code=refusal.code, message=str(refusal))
        pipe.tell(reply)
    for task in ticking:
        task.cancel()
    for port in ports:
        loop.remove_reader(port.fileno())
    await forwarder.shut_down()
    transport.close()
    return 3 if calls.broken else 0


async def _every(period_s: float, do: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        due = max(due + period_s, loop.time())
        await asyncio.sleep(due - loop.time())
        do()


def _quiet_collector() -> None:
    """A full collection walks every packet kept for repair: some ms in the middle of forwarding. Cycles come from
    connections only, so they are collected when a session ends and the automatic full one is put off."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 1_000)


def _failure(fault: MediaError) -> control.Failed:
    if isinstance(fault, PortInUse):
        return control.Failed(reason="port_in_use", message=str(fault), address=fault.address, port=fault.port)
    if isinstance(fault, VersionMismatch):
        return control.Failed(reason="version_mismatch", message=str(fault), missing=fault.missing)
    return control.Failed(reason="address", message=str(fault))


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m signaling.media.worker", description=__doc__)
    parser.add_argument("--address", action="append", required=True, help="IPv4 or IPv6 address to bind; repeatable")
    parser.add_argument("--port", type=int, default=0, help="UDP port on every address; 0: a free one")
    parser.add_argument("--silence-s", type=float, default=SILENCE_S, help="end a connection from which nothing comes")
    parser.add_argument("--uplink-kbps", type=float, default=0.0, help="most that may be sent in all; 0: no such limit")
    return parser.parse_args(argv)


def main(argv: Sequence[str]) -> int:
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s media %(levelname)s %(message)s")
    arguments = _arguments(argv)
    # Ctrl-C in a terminal reaches the whole group; the hub decides when we end, by closing stdin
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        import uvloop
    except ImportError:  # not on every platform; asyncio's own loop is slower, not different
        return asyncio.run(_serve(arguments))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(arguments))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
