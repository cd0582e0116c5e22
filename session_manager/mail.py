"""Letters by SMTP, and calendars out of letters that came back."""

from __future__ import annotations

import email
import email.policy
import re
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.errors import MessageError
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Any, Literal, Protocol

from session_manager.errors import NotPossible

MAX_BYTES = 2_097_152


@dataclass(frozen=True, slots=True)
class MailSettings:
    """`tls`: from the start, after the greeting (never without, then), or none at all (on one's own machine).

    `timeout_s`: for each answer but that to a letter's end, which has `end_timeout_s`: who gives up earlier than ten
    minutes sends letters twice (RFC 5321 section 4.5.3.2.6).
    """

    host: str
    port: int
    sender: str
    tls: Literal["tls", "starttls", "none"] = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)
    timeout_s: float = 30.0
    end_timeout_s: float = 600.0


class Sendable(Protocol):
    @property
    def notice_id(self) -> str: ...
    @property
    def message_id(self) -> str: ...
    @property
    def recipient(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def body(self) -> str: ...
    @property
    def calendar(self) -> str | None: ...
    @property
    def method(self) -> str | None: ...


class Entry(Protocol):
    def taken(self) -> None: ...
    def refused(self) -> None: ...


class Journal(Protocol):
    """`session_manager.sent_journal`: a letter is noted before its end leaves, and when that was answered."""

    def begin(self, notice_id: str) -> Entry: ...


@dataclass(frozen=True, slots=True)
class Delivered:
    """The mail system took it: it will arrive or bounce."""


@dataclass(frozen=True, slots=True)
class NotDelivered:
    """`cause`: a code, without address or text. `for_good`: it will never be taken as it is (RFC 5321, 5yz)."""

    cause: str
    for_good: bool


def message(notice: Sendable, sender: str, at: float) -> EmailMessage:
    """The Message-ID is the notice's own, the same in every try. A calendar goes twice: inline for mail programs
    that answer (RFC 6047), attached for those that only save."""
    letter = EmailMessage(policy=email.policy.SMTP)
    letter["From"] = sender
    letter["To"] = notice.recipient
    letter["Subject"] = notice.subject
    letter["Date"] = format_datetime(datetime.fromtimestamp(at, UTC))
    letter["Message-ID"] = notice.message_id
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(notice.body)
    if notice.calendar is not None:
        method = notice.method or "PUBLISH"
        letter.add_alternative(notice.calendar, subtype="calendar", params={"method": method})
        letter.add_attachment(notice.calendar.encode(), maintype="application", subtype="ics", filename="invite.ics")
    return letter


class _InTwo(smtplib.SMTP):
    """Sends a letter up to its last line, notes that, and only then the line that hands it over. From there to the
    note of the answer nothing else happens."""

    begin: Callable[[], Entry]
    end_timeout_s: float

    def data(self, msg: Any) -> tuple[int, bytes]:
        code, words = self.docmd("data")
        if code != 354:
            raise smtplib.SMTPDataError(code, words)
        text = re.sub(rb"(?m)^\.", b"..", bytes(msg))
        self.send(text if text.endswith(b"\r\n") else text + b"\r\n")
        try:
            entry = self.begin()
        except OSError:
            self.close()  # without its last line it is no letter
            raise
        return self._hand_over(entry)

    def _hand_over(self, entry: Entry) -> tuple[int, bytes]:
        if self.sock is not None:
            self.sock.settimeout(self.end_timeout_s)
        self.send(b".\r\n")
        code, words = self.getreply()
        if not 200 <= code < 300:
            if code >= 400:  # anything else is no answer
                entry.refused()
            return code, words
        with suppress(OSError):  # a disk that fails now cannot make the server give it back
            entry.taken()
        if self.sock is not None:
            self.sock.settimeout(self.timeout)
        return 250, words


class _InTwoTls(_InTwo, smtplib.SMTP_SSL):
    pass


class Postman:
    """One connection per letter: letters are few, and a dead connection then spoils only one. Blocking."""

    def __init__(self, settings: MailSettings, clock: Callable[[], float], journal: Journal) -> None:
        self._settings = settings
        self._clock = clock
        self._journal = journal

    def deliver(self, notice: Sendable) -> Delivered | NotDelivered:
        try:
            server = self._connection()
            try:
                server.begin = lambda: self._journal.begin(notice.notice_id)
                server.end_timeout_s = self._settings.end_timeout_s
                server.send_message(message(notice, self._settings.sender, self._clock()))
            finally:
                _leave(server)
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            return NotDelivered(f"recipient refused {codes[0]}", all(code >= 500 for code in codes))
        except smtplib.SMTPResponseException as error:
            return NotDelivered(f"{type(error).__name__} {error.smtp_code}", _for_good(error))
        except smtplib.SMTPNotSupportedError:
            return NotDelivered("the mail server offers no STARTTLS or log-in", False)
        except (smtplib.SMTPException, OSError) as error:
            return NotDelivered(type(error).__name__, False)
        except (ValueError, MessageError):
            return NotDelivered("the address or text cannot be a letter", True)
        return Delivered()

    def _connection(self) -> _InTwo:
        known = self._settings
        if known.tls == "tls":
            server: _InTwo = _InTwoTls(
                known.host, known.port, timeout=known.timeout_s, context=ssl.create_default_context()
            )
        else:
            server = _InTwo(known.host, known.port, timeout=known.timeout_s)
        try:
            if known.tls == "starttls":
                server.starttls(context=ssl.create_default_context())
            if known.user:
                server.login(known.user, known.password)
        except (smtplib.SMTPException, OSError):
            server.close()
            raise
        return server


def _leave(server: smtplib.SMTP) -> None:
    """What a server says to a good-bye changes nothing about the letter."""
    with suppress(smtplib.SMTPException, OSError):
        server.quit()
    server.close()


def calendar_in(letter: bytes) -> tuple[str, bytes]:
    """Sender's address and the first calendar of a letter (RFC 6047). Raises NotPossible when it holds none."""
    if len(letter) > MAX_BYTES:
        raise NotPossible("This letter is larger than 2 MiB.")
    read = email.message_from_bytes(letter, policy=email.policy.default)
    for part in read.walk():
        if part.get_content_type() in {"text/calendar", "application/ics"}:
            content = part.get_payload(decode=True)
            if isinstance(content, bytes):
                return parseaddr(str(read.get("from", "")))[1], content
    raise NotPossible("There is no calendar in this letter.")


def _for_good(error: smtplib.SMTPResponseException) -> bool:
    """A wrong password is the operator's to mend, not the letter's end."""
    return error.smtp_code >= 500 and not isinstance(
        error, smtplib.SMTPAuthenticationError | smtplib.SMTPHeloError | smtplib.SMTPConnectError
    )
