"""The worker: a client of the hub's feed that hears streams and reports what is said. The shell around the cores.

It holds nothing that cannot be computed again: a lost connection drops every stream, and the next one begins at the
watermarks. Decoding and voice activity run in one thread, the recogniser in another, the loop only passes things on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from transcription import pulse
from transcription.engines import Recogniser
from transcription.errors import FeedClosed
from transcription.feed import MAX_MESSAGE_BYTES, FeedRefused, FeedWelcome, WorkerHello, from_hub
from transcription.feed_session import FeedSession
from transcription.settings import WorkerSettings

log = logging.getLogger(__name__)

FIRST_RETRY_S = 0.25
LONGEST_RETRY_S = 5.0
WELCOME_WITHIN_S = 10.0


def retry_delay(attempt: int, chance: Callable[[], float] = random.random) -> float:
    """Full jitter: anything up to the doubled delay, so that workers of a restarted hub do not come in step."""
    return chance() * min(LONGEST_RETRY_S, FIRST_RETRY_S * 2.0 ** min(attempt, 16))


class Worker:
    def __init__(self, settings: WorkerSettings, recogniser: Recogniser) -> None:
        self._settings = settings
        self._recogniser = recogniser
        self._ears = ThreadPoolExecutor(1, "ears")
        self._engine = ThreadPoolExecutor(1, "engine")
        self._attempt = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. Raises FeedClosed when the hub does not want this worker at all."""
        serving = asyncio.create_task(self._serve_until(stop))
        stopping = asyncio.create_task(stop.wait())
        others: list[asyncio.Task[Any]] = [stopping]
        if self._settings.tied:
            others.append(asyncio.create_task(pulse.beat((self._ears, self._engine), pulse.to_output)))
        try:
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if serving.done():
                serving.result()
        finally:
            for task in (serving, *others):
                task.cancel()
            await asyncio.gather(serving, *others, return_exceptions=True)
            self._ears.shutdown(wait=False, cancel_futures=True)
            self._engine.shutdown(wait=False, cancel_futures=True)

    async def _serve_until(self, stop: asyncio.Event) -> None:
        """Asks `stop` itself: a task group that is failing already swallows a cancellation (Python 3.11, 3.12)."""
        while not stop.is_set():
            try:
                await self._serve_once()
            except* (OSError, ConnectionClosed, InvalidHandshake, TimeoutError) as group:
                _raise_if_final(group)
                log.warning(
                    "feed lost: %s", "; ".join(str(error) or type(error).__name__ for error in group.exceptions)
                )
            delay = retry_delay(self._attempt)
            self._attempt += 1
            await asyncio.sleep(delay)

    async def _serve_once(self) -> None:
        headers = {"Authorization": f"Bearer {self._settings.token}"}
        try:
            connection = await connect(
                self._settings.hub,
                additional_headers=headers,
                max_size=MAX_MESSAGE_BYTES,
                compression=None,
                proxy=None,
                ping_interval=10,
                ping_timeout=30,
            )
        except InvalidURI as error:
            raise FeedClosed(
                f"{self._settings.hub} is not the address of a hub's feed: give one like ws://…/feed"
            ) from error
        async with connection:
            await self._greet(connection)
            self._attempt = 0
            log.info("connected to the feed")
            await FeedSession(connection, self._recogniser, self._settings, self._ears, self._engine).run()

    async def _greet(self, connection: ClientConnection) -> None:
        engine = self._recogniser.engine
        hello = WorkerHello(worker=self._settings.name, engine=engine.name, model=engine.model)
        await connection.send(hello.model_dump_json())
        async with asyncio.timeout(WELCOME_WITHIN_S):
            answer = from_hub.validate_json(await connection.recv())
        if isinstance(answer, FeedRefused):
            raise FeedClosed(f"The hub refused this worker ({answer.code}): {answer.message}")
        if not isinstance(answer, FeedWelcome):
            raise FeedClosed("What answered at the feed's address is not a hub of this version.")


def _raise_if_final(group: BaseExceptionGroup[BaseException]) -> None:
    for error in group.exceptions:
        if isinstance(error, InvalidStatus) and error.response.status_code in (401, 403):
            raise FeedClosed(
                "The hub does not accept this worker's token: set SHIMAWA_WORKER_TOKEN to the hub's worker token."
            ) from error


def stop_when_input_ends(stop: Callable[[], object]) -> None:
    """Calls `stop` from a thread when standard input closes: the hub that started this worker is gone."""

    def wait() -> None:
        with contextlib.suppress(OSError, ValueError):
            while sys.stdin.buffer.read(4096):
                pass
        stop()

    threading.Thread(target=wait, name="tied", daemon=True).start()
