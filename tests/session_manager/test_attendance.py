"""Answers as the programs of others write them, out of whole letters."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest

from session_manager.attendance import newest, replies_of
from session_manager.ical import parse
from session_manager.mail import calendar_in

UID = "abcdefgh23456789@shimawa.invalid"

GOOGLE = """BEGIN:VCALENDAR
PRODID:-//Google Inc//Google Calendar 70.9054//EN
VERSION:2.0
CALSCALE:GREGORIAN
METHOD:REPLY
BEGIN:VEVENT
DTSTART:20261014T093000Z
DTEND:20261014T113000Z
DTSTAMP:20261001T000000Z
ORGANIZER;CN=島話:mailto:reply@iki.example
UID:{uid}
ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;CN=a@iki.
 example;X-NUM-GUESTS=0:mailto:a@iki.example
RECURRENCE-ID;TZID=Asia/Tokyo:20261014T183000
CREATED:20260901T000000Z
SEQUENCE:3
STATUS:CONFIRMED
SUMMARY:対話の夕べ
TRANSP:OPAQUE
END:VEVENT
END:VCALENDAR
"""
OUTLOOK = """BEGIN:VCALENDAR
METHOD:REPLY
PRODID:Microsoft Exchange Server 2010
VERSION:2.0
BEGIN:VTIMEZONE
TZID:Tokyo Standard Time
BEGIN:STANDARD
DTSTART:16010101T000000
TZOFFSETFROM:+0900
TZOFFSETTO:+0900
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
ATTENDEE;PARTSTAT=TENTATIVE;CN=Sensei:MAILTO:A@iki.example
COMMENT;LANGUAGE=ja-JP:\\n
UID:{uid}
SUMMARY;LANGUAGE=ja-JP:仮の予定: 対話の夕べ
DTSTART;TZID=Tokyo Standard Time:20261014T183000
DTEND;TZID=Tokyo Standard Time:20261014T203000
RECURRENCE-ID;TZID=Tokyo Standard Time:20261014T183000
CLASS:PUBLIC
PRIORITY:5
DTSTAMP:20261001T000000Z
TRANSP:OPAQUE
STATUS:CONFIRMED
SEQUENCE:3
X-MICROSOFT-CDO-BUSYSTATUS:BUSY
END:VEVENT
END:VCALENDAR
"""
APPLE = """BEGIN:VCALENDAR
CALSCALE:GREGORIAN
METHOD:REPLY
PRODID:-//Apple Inc.//macOS 14.5//EN
VERSION:2.0
BEGIN:VEVENT
ATTENDEE;CN="先生, 壱岐";CUTYPE=INDIVIDUAL;EMAIL="a@iki.example";PARTSTAT=DECLINED:mailto:a@iki.example
DTEND;TZID=Asia/Tokyo:20261014T203000
DTSTAMP:20261001T000000Z
DTSTART;TZID=Asia/Tokyo:20261014T183000
RECURRENCE-ID:20261014T093000Z
REQUEST-STATUS:2.0;Success
SEQUENCE:3
SUMMARY:対話の夕べ
UID:{uid}
END:VEVENT
END:VCALENDAR
"""


def alternative(text: str, charset: str) -> bytes:
    """As Google and Outlook send it: the calendar is one way among several to read the letter."""
    coded = base64.encodebytes(text.encode()).decode()
    return (
        "From: =?UTF-8?B?5YWI55Sf?= <a@iki.example>\nTo: reply@iki.example\nMIME-Version: 1.0\n"
        'Content-Type: multipart/alternative; boundary="b"\n\n'
        "--b\nContent-Type: text/plain; charset=utf-8\n\nyes\n"
        f"--b\nContent-Type: text/calendar; charset={charset}; method=REPLY\nContent-Transfer-Encoding: base64\n\n"
        f"{coded}\n--b--\n"
    ).encode()


def attached(text: str, _charset: str) -> bytes:
    """As Apple's Mail sends it."""
    return (
        'From: "a" <a@iki.example>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nno\n"
        f"--b\nContent-Type: text/calendar; method=REPLY; name=iCal.ics; charset=utf-8\n\n{text}\n--b--\n"
    ).encode()


@pytest.mark.parametrize(
    ("text", "wrapped", "status"),
    [(GOOGLE, alternative, "ACCEPTED"), (OUTLOOK, alternative, "TENTATIVE"), (APPLE, attached, "DECLINED")],
)
@pytest.mark.parametrize("charset", ["utf-8", '"UTF-8"'])
def test_an_answer_is_read_as_their_programs_send_it(text: str, wrapped, status: str, charset: str) -> None:  # type: ignore[no-untyped-def]
    sender, content = calendar_in(wrapped(text.format(uid=UID).replace("\n", "\r\n"), charset))
    (reply,) = replies_of(parse(content), sender)
    assert (reply.uid, reply.attendee, reply.status, reply.sequence) == (UID, "a@iki.example", status, 3)
    assert reply.recurs_at == int(datetime(2026, 10, 14, 9, 30, tzinfo=UTC).timestamp())


def test_only_the_senders_own_word_in_a_reply_counts() -> None:
    text = GOOGLE.format(uid=UID)
    assert replies_of(parse(text), "b@iki.example") == []
    assert replies_of(parse(text.replace("METHOD:REPLY", "METHOD:REQUEST")), "a@iki.example") == []
    assert replies_of(parse(text.replace("ACCEPTED", "DELEGATED")), "a@iki.example") == []


def test_the_later_word_about_one_date_or_all_stands() -> None:
    assert newest([]) == ("NEEDS-ACTION", None)
    assert newest([("ACCEPTED", 2.0), ("DECLINED", 1.0)]) == ("ACCEPTED", 2.0)
