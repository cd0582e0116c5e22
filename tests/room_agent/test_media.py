"""What the conductor's media commands lead to when things go wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from hardware.drivers.simulated import SimulatedMicrophone, Tone
from room_agent.call import IcePlan, Publishing, TransportFacts
from room_agent.capture import Sight, Voice
from room_agent.conductor import CloseMedia, Connection, Event, MediaLost, OpenMedia, RetryDue, RetryLater
from room_agent.config import VideoSettings
from room_agent.epochs import EpochCounter
from room_agent.media import Media, _Generation
from room_agent.playback import Playback
from signaling.messages import Body, ErrorCode, Refused


class Posted:
    def __init__(self) -> None:
        self.events: asyncio.Queue[Event] = asyncio.Queue()

    async def next(self) -> Event:
        return await asyncio.wait_for(self.events.get(), 10)


@pytest.fixture
async def voice(tmp_path: Path) -> AsyncIterator[Voice]:
    voice = Voice(EpochCounter(tmp_path), 32_000, lambda: None)
    using = asyncio.create_task(voice.use(SimulatedMicrophone(Tone(440))))
    await asyncio.sleep(0)
    yield voice
    using.cancel()
    await asyncio.gather(using, return_exceptions=True)


def media(voice: Voice, posted: Posted, answer: Body | Exception, doubt: Callable[[], object] = lambda: None) -> Media:
    """A board with a microphone; the hub says `answer` to everything."""

    async def request(body: Body) -> Body:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return Media(
        request,
        posted.events.put_nowait,
        voice,
        Sight(VideoSettings(), lambda: None),
        Playback(),
        ice_servers=lambda: (),
        slots=(1, 0),
        doubt=doubt,
    )


@pytest.mark.parametrize("connection", ["publish", "subscribe"])
async def test_what_nobody_foresaw_is_said_and_counts_as_lost(
    connection: Connection, voice: Voice, caplog: pytest.LogCaptureFixture
) -> None:
    posted = Posted()
    shell = media(voice, posted, RuntimeError("surprise"))
    shell.open(OpenMedia(connection, 1))
    assert await posted.next() == MediaLost(connection, 1)
    shell.close(CloseMedia(connection, 1))
    await shell.finish()
    assert "broke" in caplog.text
    assert "surprise" in caplog.text


async def test_the_hub_says_when_to_try_again(voice: Voice) -> None:
    posted = Posted()
    shell = media(voice, posted, Refused(code=ErrorCode.NO_MEDIA, message="None.", retry_after_ms=1))
    shell.open(OpenMedia("subscribe", 1))
    assert await posted.next() == MediaLost("subscribe", 1)
    shell.close(CloseMedia("subscribe", 1))
    shell.retry(RetryLater("subscribe", 5))
    assert await posted.next() == RetryDue("subscribe")
    await shell.finish()


class Fading(Publishing):
    """A connection on which nothing comes any more."""

    async def facts(self) -> TransportFacts:
        return TransportFacts(packets_in=7)

    async def keep_open(self) -> None:
        pass


async def test_silence_casts_doubt_on_what_else_leads_over_the_same_way_once_and_before_it_counts_as_lost(
    voice: Voice,
) -> None:
    posted, doubts = Posted(), list[int]()
    shell = media(voice, posted, Refused(code=ErrorCode.NO_MEDIA, message="None."), lambda: doubts.append(len(lost)))
    lost: list[str] = []
    fading = _Generation(Fading(1, IcePlan(), lost.append, voice.offer(), None), None)
    shell._open["publish", 1] = fading
    watching = asyncio.create_task(shell.watch())
    assert await posted.next() == MediaLost("publish", 1)
    assert doubts == [0]
    watching.cancel()
    shell.close(CloseMedia("publish", 1))
    await shell.finish()


async def test_an_opening_that_is_cut_short_leaves_no_socket_behind(voice: Voice) -> None:
    """Warnings are errors: an unclosed transport fails this test when it is collected."""
    posted = Posted()
    shell = media(voice, posted, Refused(code=ErrorCode.NO_MEDIA, message="None."))
    for generation in range(8):
        shell.open(OpenMedia("publish", generation))
        for _ in range(generation):
            await asyncio.sleep(0)
        shell.close(CloseMedia("publish", generation))
    await shell.finish()


async def test_nothing_to_send_is_a_refusal_like_any_other(tmp_path: Path) -> None:
    posted = Posted()
    mute = Voice(EpochCounter(tmp_path), 32_000, lambda: None)
    shell = media(mute, posted, RuntimeError("not to be asked"))
    shell.open(OpenMedia("publish", 1))
    assert await posted.next() == MediaLost("publish", 1)
    shell.close(CloseMedia("publish", 1))
    await shell.finish()
