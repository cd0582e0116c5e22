"""Ports, addresses, certificate, mail and relay: real sockets on loopback."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult
from hypothesis import given
from hypothesis import strategies as st

from session_manager.doctor_network import (
    judge_certificate,
    look_at_address,
    look_at_mail,
    look_at_media,
    look_at_pages,
    look_at_relay,
    relay_address,
)
from session_manager.settings import HubSettings
from signaling.examining.findings import Finding
from tests.certificates import certificate
from tests.session_manager.hall import Web
from tests.session_manager.test_feed_clients import served
from tests.session_manager.test_mail_troubles import Breaking, serving
from tests.session_manager.test_sender import Box

Look = Callable[[HubSettings], object]


async def looked(look: Look, **known: object) -> dict[str, Finding]:
    settings = HubSettings.model_validate(known)
    found = await asyncio.to_thread(lambda: list(look(settings)))  # type: ignore[call-overload]
    return {one.code: one for one in found}


def levels(found: dict[str, Finding]) -> dict[str, str]:
    return {code: one.level for code, one in found.items()}


def taken(kind: socket.SocketKind) -> socket.socket:
    sock = socket.socket(socket.AF_INET, kind)
    sock.bind(("127.0.0.1", 0))
    if kind is socket.SOCK_STREAM:
        sock.listen()
    return sock


def free_port(kind: socket.SocketKind) -> int:
    with taken(kind) as sock:
        return int(sock.getsockname()[1])


# ---- ports


async def test_free_ports_are_well_and_free_afterwards() -> None:
    tcp, udp = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_DGRAM)
    for _ in range(2):
        assert levels(await looked(look_at_pages, port=tcp)) == {"pages": "well"}
        assert levels(await looked(look_at_media, media_port=udp)) == {"media": "well"}


async def test_a_port_that_a_hub_of_ours_holds_is_well(web: Web) -> None:
    with taken(socket.SOCK_DGRAM) as media:
        async with served(web) as url:
            known = {"port": int(url.rsplit(":", 1)[1]), "media_port": media.getsockname()[1]}
            pages, sound = await looked(look_at_pages, **known), await looked(look_at_media, **known)
    assert (pages["pages"].level, "A hub is running" in pages["pages"].sentence) == ("well", True)
    assert (sound["media"].level, "while a hub runs here" in sound["media"].sentence) == ("well", True)


async def test_a_port_that_something_else_holds_is_wrong() -> None:
    async with serving(lambda: Breaking("greeting")) as port:
        with taken(socket.SOCK_DGRAM) as media:
            known = {"port": port, "media_port": media.getsockname()[1]}
            assert levels(await looked(look_at_pages, **known)) == {"pages": "wrong"}
            assert levels(await looked(look_at_media, **known)) == {"media": "wrong"}


async def test_an_address_of_another_machine_is_wrong() -> None:
    assert levels(await looked(look_at_pages, host="192.0.2.77", port=8420)) == {"pages": "wrong"}
    found = await looked(look_at_media, host="0.0.0.0", media_addresses=("192.0.2.77",), media_port=0)
    assert found["media"].level == "wrong"


async def test_ports_by_chance_are_worth_attention() -> None:
    assert levels(await looked(look_at_pages, port=0)) == {"pages": "attention"}


async def test_media_on_loopback_is_wrong_as_soon_as_others_shall_come() -> None:
    udp = free_port(socket.SOCK_DGRAM)
    assert "media_address" not in await looked(look_at_media, media_port=udp)
    for known in ({"host": "0.0.0.0"}, {"public_url": "https://hub.example.jp"}):
        found = await looked(look_at_media, media_port=udp, **known)
        assert found["media_address"].level == "wrong"
        assert "--media-address" in found["media_address"].next


# ---- the way of browsers


@pytest.mark.parametrize(
    "known", [{}, {"host": "0.0.0.0"}, {"public_url": "http://hub.example.jp"}], ids=["alone", "open", "plain"]
)
async def test_without_https_it_is_said_what_browsers_will_not_do(known: dict[str, object]) -> None:
    assert levels(await looked(look_at_address, **known)) == {"address": "attention"}


def secure(file: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


async def proxied(file: Path, known: dict[str, object], answer: bytes) -> dict[str, Finding]:
    """What is found behind a TLS proxy that says this to everybody."""

    async def answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answered, "127.0.0.1", 0, ssl=secure(file))
    async with server:
        port = server.sockets[0].getsockname()[1]
        return await looked(look_at_address, public_url=f"https://localhost:{port}", **known)


HUB = b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\nConnection: close\r\n\r\n{"status":"ok"}'
NO_HUB = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


async def test_a_good_certificate_that_leads_to_the_hub_is_well(
    tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = certificate(tmp_path, days=60)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    async with served(web) as url:
        known: dict[str, object] = {"port": int(url.rsplit(":", 1)[1])}
        assert levels(await proxied(file, known, HUB)) == {"certificate": "well", "address": "well"}
        assert levels(await proxied(file, known, NO_HUB)) == {"certificate": "well", "address": "wrong"}
    assert levels(await proxied(file, {"port": 0}, NO_HUB)) == {"certificate": "well", "address": "well"}


async def test_a_certificate_that_nobody_vouches_for_is_wrong(tmp_path: Path) -> None:
    found = await proxied(certificate(tmp_path, days=60), {}, HUB)
    assert levels(found) == {"certificate": "wrong"}
    assert "vouches" in found["certificate"].sentence


async def test_a_proxy_that_is_not_there_is_worth_attention() -> None:
    port = free_port(socket.SOCK_STREAM)
    assert levels(await looked(look_at_address, public_url=f"https://localhost:{port}")) == {"address": "attention"}


@given(st.floats(-1e7, 1e9))
def test_a_certificate_that_soon_ends_is_told_before(left_s: float) -> None:
    finding = judge_certificate("certificate", "It", left_s)
    assert (finding.level == "well") == (left_s >= 14 * 86_400)


# ---- mail


async def test_a_mail_server_that_greets_as_set_is_well_and_gets_no_letter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    box = Box()
    known = {"smtp_host": "localhost", "mail_from": "office@iki.example"}
    async with serving(lambda: SMTP(box, tls_context=secure(file), require_starttls=True)) as port:
        assert levels(await looked(look_at_mail, smtp_port=port, **known)) == {"mail": "well"}
    async with serving(lambda: SMTP(box)) as port:
        found = await looked(look_at_mail, smtp_port=port, smtp_tls="none", **known)
        assert (found["mail"].level, "not encrypted" in found["mail"].sentence) == ("well", True)
        found = await looked(look_at_mail, smtp_port=port, **known)
        assert (found["mail"].level, "offers no STARTTLS" in found["mail"].sentence) == ("wrong", True)
    assert box.letters == []


async def test_a_wrong_password_is_told_and_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))

    def server() -> SMTP:
        refuse = AuthResult(success=False, handled=False)
        return SMTP(Box(), tls_context=secure(file), authenticator=lambda *_: refuse)

    async with serving(server) as port:
        known = {"smtp_host": "localhost", "smtp_user": "hub", "smtp_password": "open sesame"}
        found = await looked(look_at_mail, smtp_port=port, **known)
    assert levels(found) == {"mail_from": "attention", "mail": "wrong"}
    assert "refuses the log-in (535)" in found["mail"].sentence
    assert "sesame" not in str(found)


@pytest.mark.parametrize(
    ("until", "tls", "words"),
    [("greeting", "none", "does not greet"), ("end", "tls", "does not speak TLS")],
)
async def test_what_is_no_mail_server_as_set_is_wrong(until: str, tls: str, words: str) -> None:
    async with serving(lambda: Breaking(until)) as port:
        found = await looked(look_at_mail, smtp_host="localhost", smtp_port=port, smtp_tls=tls, mail_from="a@b.example")
    assert levels(found) == {"mail": "wrong"}
    assert words in found["mail"].sentence


async def test_a_mail_server_that_is_not_there_is_wrong_and_none_is_worth_attention() -> None:
    found = await looked(
        look_at_mail, smtp_host="localhost", smtp_port=free_port(socket.SOCK_STREAM), mail_from="a@b.example"
    )
    assert (found["mail"].level, "nothing listens" in found["mail"].sentence) == ("wrong", True)
    assert levels(await looked(look_at_mail)) == {"mail": "attention"}


async def test_letters_in_clear_over_a_network_are_worth_attention() -> None:
    found = await looked(look_at_mail, smtp_host="nothing.invalid", smtp_tls="none", mail_from="a@b.example")
    assert levels(found) == {"mail_tls": "attention", "mail": "wrong"}


# ---- relay


class Relay(asyncio.DatagramProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._to: Any = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._to.sendto(b"\x01\x01\x00\x00" + data[4:20], addr)


async def test_a_relay_that_answers_is_well_and_its_secret_is_its_owners_alone(tmp_path: Path) -> None:
    secret = tmp_path / "turn.secret"
    secret.write_text("north")
    secret.chmod(0o640)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Relay, ("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    try:
        known = {"turn_urls": (f"turn:127.0.0.1:{port}",), "turn_secret_file": secret}
        assert levels(await looked(look_at_relay, **known)) == {"relay_secret": "attention", "relay": "well"}
    finally:
        transport.close()
    secret.chmod(0o600)
    assert levels(await looked(look_at_relay, **known)) == {"relay": "wrong"}


async def test_half_a_relay_is_wrong_and_none_is_well(tmp_path: Path) -> None:
    assert levels(await looked(look_at_relay)) == {"relay": "well"}
    assert levels(await looked(look_at_relay, turn_urls=("turn:relay.example.jp",))) == {"relay": "wrong"}


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("turn:relay.example.jp", ("relay.example.jp", 3478, False, True)),
        ("turn:relay.example.jp:3479?transport=udp", ("relay.example.jp", 3479, False, True)),
        ("turn:relay.example.jp?transport=tcp", ("relay.example.jp", 3478, False, False)),
        ("turns:relay.example.jp", ("relay.example.jp", 5349, True, False)),
        ("turn:[2001:db8::1]:3478", ("2001:db8::1", 3478, False, True)),
    ],
)
def test_a_relays_address_is_read_as_browsers_read_it(url: str, address: tuple[str, int, bool, bool]) -> None:
    assert relay_address(url) == address
