"""A mail server that refuses, breaks off or proves nothing: the letter waits or is dead, and is never in clear."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, AuthResult

from session_manager.mail import Delivered, MailSettings, NotDelivered
from session_manager.sender import Sender
from session_manager.sent_journal import hold
from session_manager.store import Store
from tests import certificates
from tests.session_manager.hall import NOW
from tests.session_manager.test_post_room import LETTER as OUTGOING
from tests.session_manager.test_post_room import Office
from tests.session_manager.test_sender import LETTER, Box
from tests.session_manager.window import Window


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Of `localhost`, signed by itself; key and certificate in one file."""
    return certificates.certificate(tmp_path)


@asynccontextmanager
async def serving(factory: Callable[[], asyncio.BaseProtocol]) -> AsyncIterator[int]:
    server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


def secure(box: Box, certificate: Path, **more: object) -> Callable[[], SMTP]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return lambda: SMTP(box, tls_context=context, **more)  # type: ignore[arg-type]


async def tried(folder: Path, store: Store, port: int, tls: str, **more: str) -> tuple[str, str | None]:
    """State and failure after one try."""
    store.post(LETTER, NOW)
    settings = MailSettings("localhost", port, "島話 <office@iki.example>", tls, **more)  # type: ignore[arg-type]
    assert await Sender(store, Window(settings, lambda: NOW, folder), lambda: NOW).send_due() == 1
    (row,) = store.outbox(None)
    return row.state, row.failure


async def test_over_starttls_it_goes_when_the_server_proves_its_name(
    tmp_path: Path, store: Store, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    box = Box()
    async with serving(secure(box, certificate, require_starttls=True)) as port:
        assert await tried(tmp_path, store, port, "starttls") == ("sent", None)
    assert len(box.letters) == 1


async def test_a_server_that_nobody_vouches_for_gets_nothing(tmp_path: Path, store: Store, certificate: Path) -> None:
    box = Box()
    async with serving(secure(box, certificate)) as port:
        state, failure = await tried(tmp_path, store, port, "starttls")
    assert (state, failure) == ("waiting", "SSLCertVerificationError")
    assert box.letters == []


async def test_a_wrong_password_is_the_operators_to_mend_and_the_letter_waits(
    tmp_path: Path, store: Store, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    box = Box()
    server = secure(box, certificate, authenticator=lambda *_: AuthResult(success=False, handled=False))
    async with serving(server) as port:
        state, failure = await tried(tmp_path, store, port, "starttls", user="hub", password="no")
    assert (state, failure) == ("waiting", "SMTPAuthenticationError 535")
    assert box.letters == []


@pytest.mark.parametrize(
    ("answer", "state"),
    [("550 no", "dead"), ("554 spam", "dead"), ("452 full", "waiting"), ("421 closing", "waiting")],
)
async def test_what_the_server_says_to_the_text_decides_whether_it_waits(
    tmp_path: Path, store: Store, answer: str, state: str
) -> None:
    box = Box()
    box.answers = [answer]
    async with serving(lambda: SMTP(box)) as port:
        assert (await tried(tmp_path, store, port, "none"))[0] == state
    assert box.letters == []


class Breaking(asyncio.Protocol):
    """Speaks as far as it is told to, then hangs up without a word."""

    def __init__(self, until: str) -> None:
        self._until, self._in_text, self._text = until, False, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._to = transport
        if self._until == "greeting":
            transport.abort()
        else:
            transport.write(b"220 hello\r\n")

    def data_received(self, data: bytes) -> None:
        if self._in_text:
            self._text += data
            if self._until == "middle" or self._text.endswith(b"\r\n.\r\n"):
                self._to.abort()
            return
        word = data[:4].upper()
        if word == b"MAIL" and self._until == "sender":
            self._to.abort()
        elif word == b"DATA":
            self._in_text = True
            self._to.write(b"354 go on\r\n")
        else:
            self._to.write(b"250 OK\r\n")


@pytest.mark.parametrize("until", ["greeting", "sender", "middle", "end"])
async def test_a_server_that_hangs_up_is_asked_again_later(tmp_path: Path, store: Store, until: str) -> None:
    async with serving(lambda: Breaking(until)) as port:
        state, failure = await tried(tmp_path, store, port, "none")
    assert state == "waiting"
    assert failure in {"SMTPServerDisconnected", "ConnectionResetError", "BrokenPipeError"}


async def test_the_answer_to_a_letters_end_is_waited_for_longer_than_any_other(tmp_path: Path) -> None:
    """Until another server that never says a word has been given up, which began later."""
    office = Office()
    office.let_good_bye.set()
    async with serving(lambda: SMTP(office)) as port, serving(asyncio.Protocol) as mute:
        settings = MailSettings("127.0.0.1", port, "o@iki.example", "none", timeout_s=2.0)
        sending = asyncio.create_task(Window(settings, lambda: NOW, tmp_path).deliver(OUTGOING))
        await office.at_end.wait()
        (tmp_path / "mute").mkdir()
        other = Window(replace(settings, port=mute), lambda: NOW, tmp_path / "mute")
        assert await other.deliver(OUTGOING) == NotDelivered("SMTPServerDisconnected", False)
        office.let_end.set()
        assert await sending == Delivered()


async def test_rubbish_after_the_text_is_no_answer_and_leaves_the_letter_in_doubt(store: Store, tmp_path: Path) -> None:
    box = Box()
    box.answers = ["what?"]
    async with serving(lambda: SMTP(box)) as port:
        assert (await tried(tmp_path, store, port, "none"))[0] == "waiting"
    with hold(tmp_path, 1) as journal:
        assert journal is not None
        assert len(journal.found().doubtful) == 1
