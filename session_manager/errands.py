"""What the hub sends out by itself: letters, reminders, messages to other programs. One loop each."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from session_manager.caretaker import REMINDER_PERIOD_S, Caretaker, Reminder
from session_manager.courier import Courier
from session_manager.mail import MailSettings
from session_manager.post_room import PostRoom
from session_manager.sender import Sender
from session_manager.settings import HubSettings
from session_manager.store import Store
from session_manager.store.letter_facts import House


class Errands:
    """`settings.url` is known: the hub listens. Without a mail server letters wait, and nobody is reminded late."""

    def __init__(self, store: Store, settings: HubSettings, secret: bytes, clock: Callable[[], float]) -> None:
        mail = mail_settings(settings)
        store.teller.house = House(mail.sender, settings.url)
        self._by_mail = bool(settings.smtp_host)
        self.reminders = Caretaker(Reminder(store), clock, REMINDER_PERIOD_S)
        self.sender = Sender(store, PostRoom(settings.data, mail), clock)
        self.courier = Courier(store, secret, settings.webhook_hosts, clock)

    def loops(self) -> dict[str, Coroutine[Any, Any, None]]:
        """By the name of the task; each runs until it is cancelled."""
        found = {"webhooks": self.courier.run()}
        if self._by_mail:
            found |= {"outbox": self.sender.run(), "reminders": self.reminders.run()}
        return found


def mail_settings(settings: HubSettings) -> MailSettings:
    sender = settings.mail_from or f"shimawa@{settings.smtp_host or 'localhost'}"
    return MailSettings(
        settings.smtp_host,
        settings.smtp_port,
        sender,
        settings.smtp_tls,
        settings.smtp_user,
        settings.smtp_password,
    )
