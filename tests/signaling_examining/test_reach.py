"""What answers over real sockets, and what is said of what does not."""

from __future__ import annotations

import http.server
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.examining.reach import (
    CAUSES,
    Fetched,
    Reached,
    Unreached,
    ask_stun,
    ask_stun_stream,
    binding_request,
    connect,
    fetch,
    is_answer,
)
from tests.certificates import certificate


def answer_to(request: bytes) -> bytes:
    return b"\x01\x01\x00\x00" + request[4:20]


@contextmanager
def serving(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """Each connection in turn, until the context ends."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            try:
                while True:
                    sock, _ = listening.accept()
                    with sock:
                        answer(sock)
            except OSError:
                return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(30)


def secure(file: Path) -> Callable[[socket.socket], None]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)

    def answer(sock: socket.socket) -> None:
        try:
            with context.wrap_socket(sock, server_side=True) as inner:
                inner.recv(1024)
        except OSError:
            return

    return answer


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


def test_a_good_certificate_says_how_long_it_is_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = certificate(tmp_path, days=30)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with serving(secure(file)) as port:
        found = connect("localhost", port, tls=True)
        other = connect("127.0.0.1", port, tls=True)
    assert isinstance(found, Reached)
    assert found.certificate_s is not None
    assert 29 < found.certificate_s / 86_400 <= 30
    assert other == Unreached("other_name")


@pytest.mark.parametrize(("days", "vouched", "cause"), [(-1, True, "expired"), (30, False, "not_vouched")])
def test_a_bad_certificate_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, vouched: bool, cause: str
) -> None:
    file = certificate(tmp_path, days=days)
    if vouched:
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with serving(secure(file)) as port:
        found = connect("localhost", port, tls=True)
    assert found == Unreached(cause)  # type: ignore[arg-type]
    assert CAUSES[found.cause] in found.words


def test_what_is_not_there_or_not_tls_is_told_apart() -> None:
    assert connect("127.0.0.1", free_port()) == Unreached("refused")
    assert connect("nothing.invalid", 443) == Unreached("name")
    with serving(lambda sock: sock.sendall(b"HTTP/1.1 400 what?\r\n\r\n")) as port:
        assert connect("127.0.0.1", port, tls=True) == Unreached("tls")
        assert isinstance(connect("127.0.0.1", port), Reached)


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = self.path.encode()
        self.send_response(200 if self.path == "/healthz" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


def test_one_page_is_fetched_and_rubbish_is_no_page() -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        found = fetch(f"http://127.0.0.1:{server.server_port}/healthz")
        server.shutdown()
    assert isinstance(found, Fetched)
    assert (found.status, found.body) == (200, b"/healthz")
    with serving(lambda sock: sock.sendall(b"what?\r\n\r\n")) as port:
        assert fetch(f"http://127.0.0.1:{port}/") == Unreached("silent")
    assert fetch(f"http://127.0.0.1:{free_port()}/") == Unreached("refused")


@given(st.binary(max_size=64), st.binary(min_size=12, max_size=12))
def test_only_a_success_to_that_very_request_is_an_answer(data: bytes, transaction: bytes) -> None:
    request = binding_request(transaction)
    assert is_answer(answer_to(request), transaction)
    assert not is_answer(request, transaction)
    assert not is_answer(answer_to(binding_request(bytes(12))), b"x" * 12)
    assert not is_answer(data, transaction) or data[8:20] == transaction


def test_a_relay_is_asked_again_when_the_first_question_is_lost() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as relay:
        relay.bind(("127.0.0.1", 0))
        relay.settimeout(30)

        def serve() -> None:
            relay.recvfrom(2048)
            request, who = relay.recvfrom(2048)
            relay.sendto(b"rubbish", who)
            relay.sendto(answer_to(request), who)

        thread = threading.Thread(target=serve)
        thread.start()
        found = ask_stun("127.0.0.1", relay.getsockname()[1], tries_s=(0.05, 30.0))
        thread.join(30)
    assert isinstance(found, Reached)


def test_a_port_where_nobody_is_refuses_and_a_mute_one_is_silent() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.bind(("127.0.0.1", 0))
        port = mute.getsockname()[1]
        assert ask_stun("127.0.0.1", port, tries_s=(0.05,)) == Unreached("silent")
    assert ask_stun("127.0.0.1", port, tries_s=(5.0, 5.0)) == Unreached("refused")


def test_a_relay_answers_over_tcp_too() -> None:
    with serving(lambda sock: sock.sendall(answer_to(sock.recv(2048)))) as port:
        assert isinstance(ask_stun_stream("127.0.0.1", port, tls=False), Reached)
    with serving(lambda sock: sock.sendall(b"220 mail.example ESMTP\r\n" * 2)) as port:
        assert ask_stun_stream("127.0.0.1", port, tls=False) == Unreached("silent")
