"""The first half of a connection: one `hello`, judged. What comes out is a seat taken, or nothing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from signaling.codec import Envelope, encode
from signaling.connection import hang_up
from signaling.messages import VERSION, Dismissed, ErrorCode, Hello, Refused
from signaling.ports import Denial, Directory, Grant, Socket, SocketClosed
from signaling.protocol import CloseCode, Hangup, Heard, HubLine
from signaling.rates import FAILED_HELLOS, Rates
from signaling.sentences import error_code, refusal
from signaling.settings import SignalingSettings

_log = logging.getLogger(__name__)

_CLOSE: Mapping[ErrorCode, CloseCode] = {
    ErrorCode.BAD_MESSAGE: CloseCode.BAD_MESSAGE,
    ErrorCode.TOO_LARGE: CloseCode.TOO_LARGE,
    ErrorCode.TOO_FAST: CloseCode.FLOOD,
    ErrorCode.UNSUPPORTED_VERSION: CloseCode.VERSION,
    ErrorCode.BAD_TOKEN: CloseCode.BAD_TOKEN,
    ErrorCode.EXPIRED_TOKEN: CloseCode.BAD_TOKEN,
    ErrorCode.UNKNOWN_SESSION: CloseCode.UNKNOWN_SESSION,
    ErrorCode.SESSION_ENDED: CloseCode.SESSION_OVER,
    ErrorCode.NOT_PERMITTED: CloseCode.REMOVED,
    ErrorCode.SEAT_TAKEN: CloseCode.REMOVED,
}


@dataclass(frozen=True, slots=True)
class Greeting:
    """A `hello` as it came, with the line it came on."""

    line: HubLine
    hello: Hello
    command_id: str


class Reception:
    def __init__(self, directory: Directory, settings: SignalingSettings) -> None:
        self._directory = directory
        self._settings = settings
        self._failures = Rates({}, FAILED_HELLOS, keys=1024)
        self.refused: dict[str, int] = {}

    async def greet(self, socket: Socket) -> Greeting | None:
        """Wait for the first message. None: there was none that is worth a seat, and the socket is closed."""
        line = HubLine(_now(), self._settings.pace)
        try:
            async with asyncio.timeout(line.deadline() - _now()):
                facts = line.receive(await socket.receive(), _now())
        except TimeoutError:
            facts = line.tick(line.deadline())
        except SocketClosed:
            return None
        for fact in facts:
            match fact:
                case Heard(Envelope(body=Hello() as hello, id=str() as command_id)):
                    return Greeting(line, hello, command_id)
                case Hangup(code, last):
                    self._count(last)
                    await say_and_close(socket, last, code, self._settings.last_words_s)
        return None

    async def admit(self, hello: Hello, address: str) -> Grant | Refused:
        """Judge version and join token; from an address that failed too often not even that."""
        if VERSION not in hello.versions:
            return refusal(ErrorCode.UNSUPPORTED_VERSION)
        wait_ms = self._failures.exhausted(address, _now())
        if wait_ms:
            return refusal(ErrorCode.TOO_FAST, retry_after_ms=wait_ms)
        asked = asyncio.wait_for(self._directory.admit(hello.token), self._settings.directory_s)
        [outcome] = await asyncio.gather(asked, return_exceptions=True)
        match outcome:
            case Grant():
                return outcome
            case Denial(code, message, retry_after_ms):
                return refusal(error_code(code), message, retry_after_ms)
            case TimeoutError():
                _log.warning("the directory did not judge a token in time")
                return refusal(ErrorCode.TIMED_OUT)
            case _:
                _log.error("the directory failed to judge a token", exc_info=outcome)
                return refusal(ErrorCode.INTERNAL)

    async def refuse(self, socket: Socket, command_id: str | None, said: Refused, address: str) -> None:
        """Say it and close; a bad token counts as a failure of its address."""
        if said.code is ErrorCode.BAD_TOKEN:
            self._failures.take(address, _now())
        last = Envelope(Refused.type, said, re=command_id)
        self._count(last)
        code = _CLOSE.get(said.code, CloseCode.FAILED)
        await say_and_close(socket, last, code, self._settings.last_words_s)

    def _count(self, last: Envelope | None) -> None:
        if last is not None and isinstance(last.body, Refused | Dismissed):
            self.refused[last.body.code] = self.refused.get(last.body.code, 0) + 1


async def say_and_close(socket: Socket, last: Envelope | None, code: CloseCode, patience_s: float) -> None:
    try:
        async with asyncio.timeout(patience_s):
            if last is not None:
                await socket.send(encode(last))
    except (SocketClosed, TimeoutError):
        pass
    await hang_up(socket, code, patience_s)


def _now() -> float:
    return asyncio.get_running_loop().time()
