"""From the outbox to a real mail server: once, in order to be answered, and never lost by a failure or a kill."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from session_manager.ical import parse, write
from session_manager.mail import MailSettings, NotDelivered, calendar_in
from session_manager.notices import MAX_ATTEMPTS, Letter
from session_manager.sender import Sender
from session_manager.sent_journal import hold
from session_manager.store import Store
from session_manager.store.outbox import CLAIM_S
from tests.session_manager.hall import NOW
from tests.session_manager.test_ical import EVENING
from tests.session_manager.window import Window

LETTER = Letter("c", "invited", (("title", "対話の夕べ"), ("facts", "日時: 18:30"))).to("a@iki.example", "ja", None)


class Box:
    """A mail server's other end. `answers`: said instead of taking, one per letter."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.answers: list[str] = []

    async def handle_RCPT(self, _server: SMTP, _session: Session, envelope: Envelope, to: str, _o: list[str]) -> str:
        if to.startswith("gone@"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(to)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        if self.answers:
            return self.answers.pop(0)
        content = envelope.content
        assert isinstance(content, bytes)
        self.letters.append(email.message_from_bytes(content, policy=email.policy.default))  # type: ignore[arg-type]
        return "250 OK"


@pytest.fixture
async def box() -> AsyncIterator[tuple[Box, int]]:
    box = Box()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(box), "127.0.0.1", 0)
    yield box, server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


def sender(folder: Path, store: Store, port: int, at: list[float], tls: str = "none") -> Sender:
    settings = MailSettings("127.0.0.1", port, "島話 <office@iki.example>", tls)  # type: ignore[arg-type]
    return Sender(store, Window(settings, lambda: at[0], folder), lambda: at[0])


async def test_a_letter_is_sent_once_with_a_calendar_that_can_be_answered(
    tmp_path: Path, store: Store, box: tuple[Box, int]
) -> None:
    at = [NOW]
    letter = Letter("c2", "invited", LETTER.words, calendar=write([EVENING], "REQUEST"), method="REQUEST").to(
        "a@iki.example", "ja", None
    )
    assert store.post(letter, NOW)
    assert not store.post(letter, NOW)
    loop = sender(tmp_path, store, box[1], at)
    assert await loop.send_due() == 1
    assert await loop.send_due() == 0
    (got,) = box[0].letters
    assert got["subject"] == "ご案内: 対話の夕べ"
    assert got["from"] == "島話 <office@iki.example>"
    assert got["auto-submitted"] == "auto-generated"
    part = next(one for one in got.walk() if one.get_content_type() == "text/calendar")
    assert part.get_param("method") == "REQUEST"
    _, text = calendar_in(got.as_bytes())
    assert {one.kind for one in parse(text).entries[0].attendees} == {"ROOM", "INDIVIDUAL"}
    assert store.outbox(None)[0].state == "sent"


async def test_a_server_that_is_busy_gets_the_same_letter_later(
    tmp_path: Path, store: Store, box: tuple[Box, int]
) -> None:
    at = [NOW]
    store.post(LETTER, NOW)
    box[0].answers = ["451 later", "421 later"]
    loop = sender(tmp_path, store, box[1], at)
    for wait in (0.0, 60.0, 120.0):
        at[0] += wait
        assert await loop.send_due() == 1
        assert await loop.send_due() == 0
    assert len(box[0].letters) == 1
    assert store.outbox(None)[0].attempts == 3


async def test_nobody_there_is_tried_again_until_it_is_given_up_and_can_be_revived(
    tmp_path: Path, store: Store
) -> None:
    at = [NOW]
    store.post(LETTER, NOW)
    loop = sender(tmp_path, store, 1, at)
    for _ in range(MAX_ATTEMPTS):
        assert await loop.send_due() == 1
        at[0] += 7 * 3600
    assert await loop.send_due() == 0
    row = store.outbox(None)[0]
    assert (row.state, row.failure) == ("dead", "ConnectionRefusedError")
    assert store.retry_notice(None, row.notice_id, at[0])
    assert await loop.send_due() == 1


async def test_an_address_that_is_gone_is_not_tried_again(tmp_path: Path, store: Store, box: tuple[Box, int]) -> None:
    store.post(Letter("c", "welcome", (("group", "x"),)).to("gone@iki.example", "en", None), NOW)
    loop = sender(tmp_path, store, box[1], [NOW])
    await loop.send_due()
    row = store.outbox(None)[0]
    assert (row.state, row.failure) == ("dead", "recipient refused 550")
    assert loop.stats.given_up == 1


async def test_a_server_without_encryption_gets_nothing_when_encryption_is_asked(
    tmp_path: Path, store: Store, box: tuple[Box, int]
) -> None:
    store.post(LETTER, NOW)
    await sender(tmp_path, store, box[1], [NOW], "starttls").send_due()
    assert box[0].letters == []
    assert store.outbox(None)[0].state == "waiting"


async def test_a_killed_sender_leaves_its_letter_to_the_next_with_the_same_name(
    tmp_path: Path, store: Store, box: tuple[Box, int]
) -> None:
    at = [NOW]
    store.post(LETTER, NOW)
    (claimed,) = store.claim_notices(NOW, 10)
    loop = sender(tmp_path, store, box[1], at)
    assert await loop.send_due() == 0
    at[0] += CLAIM_S
    assert await loop.send_due() == 1
    assert box[0].letters[0]["message-id"] == claimed.message_id


async def test_a_letter_that_cannot_be_one_is_given_up(tmp_path: Path, store: Store, box: tuple[Box, int]) -> None:
    store.post(Letter("c", "welcome", (("group", "x"),)).to("a@b\r\nBcc: c@d", "en", None), NOW)
    (notice,) = store.claim_notices(NOW, 1)
    settings = MailSettings("127.0.0.1", box[1], "o@iki.example", "none")
    outcome = await Window(settings, lambda: NOW, tmp_path).deliver(notice)
    assert isinstance(outcome, NotDelivered)
    assert outcome.for_good
    assert box[0].letters == []


def test_the_cause_and_its_letter_are_one_transaction(store: Store) -> None:
    home = store.add_home("壱岐市", "Asia/Tokyo", NOW).municipality_id
    group = store.add_group(home, "研究会", NOW, referral_only=True).group_id
    people = [store.register_person(home, name, NOW, mail=f"{name}@iki.example") for name in ("a", "b")]
    store.put_in_group(home, group, people[0].person_id, "member", NOW)
    asked = store.ask_to_join(home, group, people[1].person_id, people[0].person_id, "", NOW)
    store.vouch(home, group, asked.request_id, people[0].person_id, NOW)
    assert {row.cause.split(":")[0] for row in store.outbox(home)} == {"vouch", "welcome"}
    assert store.outbox("other") == []


async def test_what_a_killed_hub_had_taken_goes_as_soon_as_one_starts(
    tmp_path: Path, store: Store, box: tuple[Box, int]
) -> None:
    assert store.post(LETTER, NOW)
    assert len(store.claim_notices(NOW, 10)) == 1
    running = asyncio.create_task(sender(tmp_path, store, box[1], [NOW + 1]).run())
    while store.outbox(None)[0].state != "sent":
        await asyncio.sleep(0.01)
    running.cancel()
    assert len(box[0].letters) == 1


async def test_what_the_journal_says_was_taken_is_sent_for_the_store_before_anything_goes(
    tmp_path: Path, store: Store, box: tuple[Box, int]
) -> None:
    other = Letter("other", "invited", LETTER.words).to("b@iki.example", "ja", None)
    assert store.post(LETTER, NOW)
    (taken,) = store.claim_notices(NOW, 10)
    assert store.post(other, NOW)
    with hold(tmp_path, 1) as journal:
        assert journal is not None
        journal.begin(taken.notice_id).taken()
    running = asyncio.create_task(sender(tmp_path, store, box[1], [NOW + 1]).run())
    while {row.state for row in store.outbox(None)} != {"sent"}:
        await asyncio.sleep(0.01)
    running.cancel()
    assert [str(one["to"]) for one in box[0].letters] == ["b@iki.example"]


async def test_nothing_goes_while_a_former_postman_is_at_its_letter(
    tmp_path: Path, store: Store, box: tuple[Box, int]
) -> None:
    assert store.post(LETTER, NOW)
    loop = sender(tmp_path, store, box[1], [NOW + 1])
    with hold(tmp_path, 1):
        await loop._round()
        assert store.outbox(None)[0].state == "waiting"
    await loop._round()
    assert store.outbox(None)[0].state == "sent"
    assert len(box[0].letters) == 1
