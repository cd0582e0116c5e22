"""The postman is a process of its own: it ends its letter whatever becomes of the hub, and its note of it counts."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from session_manager.mail import Delivered, MailSettings, NotDelivered
from session_manager.notices import Letter
from session_manager.post_room import PostRoom
from session_manager.postman import Outgoing
from session_manager.sender import Sender
from session_manager.store import Store
from tests.session_manager.hall import NOW

LETTER = Outgoing("abc", "<abc@shimawa.invalid>", "a@iki.example", "題", "one\n.two\n..three\n", None, None)


@dataclass
class Office:
    """Waits at a letter's end and at the good-bye until it is let go. `answer`: to the letter's end."""

    answer: str = "250 OK"
    good_bye: str = "221 Bye"
    texts: list[bytes] = field(default_factory=list)
    at_end: asyncio.Event = field(default_factory=asyncio.Event)
    at_good_bye: asyncio.Event = field(default_factory=asyncio.Event)
    let_end: asyncio.Event = field(default_factory=asyncio.Event)
    let_good_bye: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        self.texts.append(envelope.content)
        self.at_end.set()
        await self.let_end.wait()
        return self.answer

    async def handle_QUIT(self, _server: SMTP, _session: Session, _envelope: Envelope) -> str:
        self.at_good_bye.set()
        await self.let_good_bye.wait()
        return self.good_bye


@asynccontextmanager
async def posted(office: Office, folder: Path) -> AsyncIterator[PostRoom]:
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(office), "127.0.0.1", 0)
    settings = MailSettings("127.0.0.1", server.sockets[0].getsockname()[1], "島話 <office@iki.example>", "none")
    room = PostRoom(folder, settings)
    yield room
    await room.close()
    server.close()


def pid_of(room: PostRoom) -> int:
    assert room._postman is not None
    return room._postman.pid


async def settled(folder: Path) -> set[str]:
    """What the next hub learns, as soon as it may."""
    notes: list[frozenset[str]] = []
    room = PostRoom(folder, MailSettings("127.0.0.1", 1, "o@iki.example", "none"))
    async with asyncio.timeout(60):
        while not await room.settle(notes.append):
            await asyncio.sleep(0.01)
        assert await room.settle(notes.append)
    assert notes.pop() == frozenset()
    return set(notes.pop())


async def test_a_letter_goes_whole_and_a_hub_that_heard_of_it_is_told_again_once(tmp_path: Path) -> None:
    office = Office()
    office.let_end.set()
    office.let_good_bye.set()
    async with posted(office, tmp_path) as room:
        assert await room.deliver(LETTER) == Delivered()
        first = pid_of(room)
        office.answer = "554 no"
        assert await room.deliver(LETTER) == NotDelivered("SMTPDataError 554", True)
        assert pid_of(room) == first, "one process for letters that follow each other"
    assert office.texts[0].endswith(b"\r\n\r\none\r\n.two\r\n..three\r\n")
    assert await settled(tmp_path) == {"abc"}


async def test_a_hub_that_goes_leaves_the_letter_in_hand_to_the_postman_and_the_next_waits_for_it(
    tmp_path: Path,
) -> None:
    office = Office()
    office.let_good_bye.set()
    async with posted(office, tmp_path) as room:
        sending = asyncio.create_task(room.deliver(LETTER))
        await office.at_end.wait()
        os.kill(pid_of(room), signal.SIGTERM)  # as a service's end is told to all its processes
        sending.cancel()
        await room.close()
        successor = PostRoom(tmp_path, MailSettings("127.0.0.1", 1, "o@iki.example", "none"))
        assert not await successor.settle(lambda _taken: None)
        office.let_end.set()
        assert await settled(tmp_path) == {"abc"}
    assert len(office.texts) == 1


async def test_a_postman_killed_over_a_letter_leaves_it_in_doubt_and_the_next_takes_it_again(
    tmp_path: Path,
) -> None:
    office = Office()
    office.let_good_bye.set()
    async with posted(office, tmp_path) as room:
        sending = asyncio.create_task(room.deliver(LETTER))
        await office.at_end.wait()
        os.kill(pid_of(room), signal.SIGKILL)
        outcome = await sending
        assert isinstance(outcome, NotDelivered)
        assert not outcome.for_good
        office.let_end.set()
        assert await room.deliver(LETTER) == Delivered()
    assert await settled(tmp_path) == {"abc"}


async def test_a_postman_killed_after_the_answer_has_delivered(tmp_path: Path) -> None:
    office = Office()
    office.let_end.set()
    async with posted(office, tmp_path) as room:
        sending = asyncio.create_task(room.deliver(LETTER))
        await office.at_good_bye.wait()
        os.kill(pid_of(room), signal.SIGKILL)
        assert await sending == Delivered()
        office.let_good_bye.set()


async def test_what_a_server_says_to_the_good_bye_changes_nothing(tmp_path: Path) -> None:
    office = Office(answer="251 will forward", good_bye="421 no")
    office.let_end.set()
    office.let_good_bye.set()
    async with posted(office, tmp_path) as room:
        assert await room.deliver(LETTER) == Delivered()


async def test_a_folder_in_which_nothing_can_be_noted_sends_nothing(tmp_path: Path) -> None:
    (tmp_path / "letters.journal").mkdir()
    office = Office()
    async with posted(office, tmp_path) as room:
        assert isinstance(await room.deliver(LETTER), NotDelivered)
    assert office.texts == []


async def test_a_hub_that_is_stopped_over_a_letter_does_not_send_it_again(tmp_path: Path, store: Store) -> None:
    office = Office()
    office.let_good_bye.set()
    assert store.post(Letter("c", "welcome", (("group", "x"),)).to("a@iki.example", "ja", None), NOW)
    async with posted(office, tmp_path) as room, posted(office, tmp_path) as next_room:
        running = asyncio.create_task(Sender(store, room, lambda: NOW).run())
        await office.at_end.wait()
        running.cancel()
        await asyncio.wait([running])
        assert store.outbox(None)[0].state == "claimed"
        office.let_end.set()
        again = asyncio.create_task(Sender(store, next_room, lambda: NOW + 1).run())
        async with asyncio.timeout(60):
            while store.outbox(None)[0].state != "sent":
                await asyncio.sleep(0.01)
        again.cancel()
        await asyncio.wait([again])
    assert len(office.texts) == 1
