"""Letters to people: which are due when, and their words in Japanese and English.

Pure. A letter has a `cause`, the one key under which it is ever written: the same thing happening twice, or a loop
that looks twice, makes one letter.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from session_manager.evening_texts import EVENING_TEXTS
from session_manager.facts import Facts, lines, title
from session_manager.house_texts import HOUSE_TEXTS
from session_manager.letter_texts import BOOKING_TEXTS
from session_manager.schedule import instant, local_time

DAY_S = 86_400.0
REMINDERS: tuple[tuple[str, int], ...] = (("7d", 7), ("1d", 1))
"""By days of the calendar there: an evening at 18:30 is reminded of at 18:30, whatever the clocks did in between."""
EVENINGS = frozenset({"dialogue", "seminar", "ceremony", "remote_class"})
"""Kinds that people keep a week free for; of the others they are reminded the day before."""
LATE_S = 6 * 3600.0
"""A reminder that could not be written in this time after its hour is not written any more."""

Method = Literal["PUBLISH", "REQUEST", "CANCEL", "REPLY"]

TEMPLATES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "vouch": {
        "ja": (
            "「{group}」への紹介の確認",
            "「{group}」への参加希望に、紹介者としてあなたの名前があります。\n島話で確認してください。",
        ),
        "en": (
            "Confirm a referral to {group}",
            "Somebody asks to join {group} and names you as the one who knows them.\nPlease answer in Shimawa.",
        ),
    },
    "welcome": {
        "ja": ("「{group}」へようこそ", "「{group}」への参加が認められました。"),
        "en": ("Welcome to {group}", "You are now a member of {group}."),
    },
    "login": {
        "ja": (
            "ログイン用リンク",
            "次のリンクを開くと島話に入れます。一度だけ、15分間使えます。\n{link}\n"
            "心当たりがなければ、このメールは無視してください。",
        ),
        "en": (
            "Your link to sign in",
            "Open this link to sign in to Shimawa. It works once, for 15 minutes.\n{link}\n"
            "If you did not ask for it, ignore this letter.",
        ),
    },
    "address": {
        "ja": (
            "メールアドレスの確認",
            "次のリンクを開くと、このアドレスに予約のお知らせが届くようになります。一度だけ、1時間使えます。\n{link}\n"
            "心当たりがなければ、このメールは無視してください。",
        ),
        "en": (
            "Confirm your mail address",
            "Open this link to have letters about your bookings sent here. It works once, for an hour.\n{link}\n"
            "If you did not ask for it, ignore this letter.",
        ),
    },
    **BOOKING_TEXTS,
    **EVENING_TEXTS,
    **HOUSE_TEXTS,
}


@dataclass(frozen=True, slots=True)
class Letter:
    """One notice to one address. `calendar`: an iCalendar text that goes with it, with its iTIP `method`."""

    cause: str
    template: str
    words: tuple[tuple[str, str], ...]
    recipient: str = ""
    language: str = "ja"
    municipality_id: str | None = None
    calendar: str | None = None
    method: Method | None = None

    @classmethod
    def vouch(cls, request_id: str, group: str) -> Letter:
        return cls(f"vouch:{request_id}", "vouch", (("group", group),))

    @classmethod
    def welcome(cls, request_id: str, group: str) -> Letter:
        return cls(f"welcome:{request_id}", "welcome", (("group", group),))

    @classmethod
    def login(cls, code_hash: str, link: str) -> Letter:
        return cls(f"login:{code_hash}", "login", (("link", link),))

    @classmethod
    def address(cls, code_hash: str, link: str) -> Letter:
        return cls(f"address:{code_hash}", "address", (("link", link),))

    @classmethod
    def about(cls, template: str, number: int, facts: Facts, language: str) -> Letter:
        """About one or several dates. `number`: of the event that owes it, so that it is written once."""
        name = title(facts.title, len(facts.dates), language)
        return cls(f"booking:{template}:{number}", template, (("title", name), ("facts", lines(facts, language))))

    def to(self, recipient: str, language: str, municipality_id: str | None) -> Letter:
        return replace(
            self,
            cause=f"{self.cause}:{recipient.casefold()}",
            recipient=recipient,
            language=language,
            municipality_id=municipality_id,
        )

    def text(self) -> tuple[str, str]:
        """Subject (one line, whatever the words hold) and body."""
        subject, body = TEMPLATES[self.template][self.language if self.language in {"ja", "en"} else "en"]
        words = dict(self.words)
        return one_line(subject.format_map(words)), body.format_map(words) + "\n"


@dataclass(frozen=True, slots=True)
class Expected:
    """Somebody is expected somewhere: what reminders are made from. `key`: of this date, unchanged when it moves.

    `since_at`: when they came to know of it; whoever booked after the hour of a reminder needs none.
    """

    key: str
    title: str
    starts_at: float
    facts: str
    recipient: str
    language: str = "ja"
    municipality_id: str | None = None
    zone: str = "UTC"
    days: frozenset[int] = frozenset({7, 1})
    since_at: float = 0.0


def due_reminders(expected: Iterable[Expected], now: float) -> list[Letter]:
    """Those whose hour has come and is not long past. A moved date is reminded of anew."""
    letters = []
    for one in expected:
        for name, days in REMINDERS:
            hour = instant(local_time(int(one.starts_at), one.zone) - timedelta(days=days), one.zone)
            due = days in one.days and one.since_at <= hour
            if due and hour <= now < min(hour + LATE_S, one.starts_at):
                words = (("title", one.title), ("facts", one.facts))
                cause = f"reminder:{name}:{one.key}:{one.starts_at:.0f}"
                letters.append(Letter(cause, "reminder", words).to(one.recipient, one.language, one.municipality_id))
    return letters


def one_line(text: str) -> str:
    """For a header: nothing that could begin another one."""
    return " ".join(
        "".join(" " if unicodedata.category(letter) in {"Cc", "Zl", "Zp"} else letter for letter in text).split()
    )


def retry_at(attempts: int, now: float) -> float | None:
    """When to try again after the n-th failure: 1, 2, 4 ... minutes, at most 6 hours; None after two days of them."""
    if attempts >= MAX_ATTEMPTS:
        return None
    return now + min(60.0 * 2.0 ** (attempts - 1), 6 * 3600.0)


MAX_ATTEMPTS = 16
