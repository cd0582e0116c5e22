"""Whether something answers over the network, how quickly, and how long its certificate is good. Blocking.

STUN binding requests are RFC 8489, 5 and 6; over TCP they go as they are (6.2.2).
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

TIMEOUT_S = 5.0
STUN_TRIES_S = (0.5, 1.0, 2.0)
_STUN = struct.Struct("!HHI12s")
_COOKIE = 0x2112A442
_BINDING, _BINDING_SUCCESS = 0x0001, 0x0101
Cause = Literal["name", "refused", "silent", "expired", "not_yet", "other_name", "not_vouched", "tls", "network"]
CAUSES: dict[Cause, str] = {
    "name": "nobody knows that name",
    "refused": "that machine is there, but nothing listens",
    "silent": "there is no answer",
    "expired": "its certificate has run out",
    "not_yet": "its certificate is not good yet",
    "other_name": "its certificate is of another name",
    "not_vouched": "nobody whom this machine trusts vouches for its certificate",
    "tls": "what answers does not speak TLS",
    "network": "the network does not get there",
}
_TRUST: dict[int, Cause] = {10: "expired", 9: "not_yet", 62: "other_name", 64: "other_name"}
"""By OpenSSL's X509_V_ERR_CERT_HAS_EXPIRED, _CERT_NOT_YET_VALID, _HOSTNAME_MISMATCH, _IP_ADDRESS_MISMATCH."""


@dataclass(frozen=True, slots=True)
class Reached:
    """`took_s`: until the connection stood. `certificate_s`: so long its certificate is good; None: no TLS."""

    took_s: float
    certificate_s: float | None = None


@dataclass(frozen=True, slots=True)
class Unreached:
    cause: Cause

    @property
    def words(self) -> str:
        return CAUSES[self.cause]


@dataclass(frozen=True, slots=True)
class Fetched:
    status: int
    body: bytes
    took_s: float


def cause_of(error: OSError) -> Cause:
    match error:
        case ssl.SSLCertVerificationError(verify_code=code):
            return _TRUST.get(code, "not_vouched")
        case ssl.SSLError():
            return "tls"
        case socket.gaierror():
            return "name"
        case ConnectionRefusedError():
            return "refused"
        case TimeoutError() | ConnectionError():
            return "silent"
    return "network"


@contextmanager
def _connected(host: str, port: int, tls: bool, timeout_s: float) -> Iterator[socket.socket]:
    """Raises OSError."""
    with socket.create_connection((host, port), timeout_s) as plain:
        if not tls:
            yield plain
            return
        with ssl.create_default_context().wrap_socket(plain, server_hostname=host) as secure:
            yield secure


def connect(host: str, port: int, *, tls: bool = False, timeout_s: float = TIMEOUT_S) -> Reached | Unreached:
    began = time.perf_counter()
    try:
        with _connected(host, port, tls, timeout_s) as sock:
            took = time.perf_counter() - began
            left = _left(sock) if isinstance(sock, ssl.SSLSocket) else None
    except OSError as error:
        return Unreached(cause_of(error))
    return Reached(took, left)


def _left(sock: ssl.SSLSocket) -> float | None:
    until = (sock.getpeercert() or {}).get("notAfter")
    return ssl.cert_time_to_seconds(until) - time.time() if isinstance(until, str) else None


def fetch(url: str, timeout_s: float = TIMEOUT_S) -> Fetched | Unreached:
    """One GET, without following anything."""
    split = urlsplit(url)
    kind = http.client.HTTPSConnection if split.scheme == "https" else http.client.HTTPConnection
    began = time.perf_counter()
    connection = kind(split.hostname or "", split.port, timeout=timeout_s)
    try:
        connection.request("GET", split.path or "/", headers={"Connection": "close"})
        answer = connection.getresponse()
        return Fetched(answer.status, answer.read(65_536), time.perf_counter() - began)
    except OSError as error:
        return Unreached(cause_of(error))
    except http.client.HTTPException:
        return Unreached("silent")
    finally:
        connection.close()


def binding_request(transaction: bytes) -> bytes:
    """`transaction`: 12 bytes by chance."""
    return _STUN.pack(_BINDING, 0, _COOKIE, transaction)


def is_answer(data: bytes, transaction: bytes) -> bool:
    """A success to that very request."""
    if len(data) < _STUN.size:
        return False
    kind, length, cookie, given = _STUN.unpack_from(data)
    return (kind, cookie, given) == (_BINDING_SUCCESS, _COOKIE, transaction) and length + _STUN.size <= len(data)


def ask_stun(host: str, port: int, *, tries_s: tuple[float, ...] = STUN_TRIES_S) -> Reached | Unreached:
    """Over UDP; sent again while nothing comes."""
    transaction = os.urandom(12)
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as sock:
            sock.connect(address)
            for wait_s in tries_s:
                began = time.perf_counter()
                sock.send(binding_request(transaction))
                if _hears(sock, transaction, wait_s):
                    return Reached(time.perf_counter() - began)
    except OSError as error:
        return Unreached(cause_of(error))
    return Unreached("silent")


def _hears(sock: socket.socket, transaction: bytes, wait_s: float) -> bool:
    """Raises OSError when the other machine says that nobody is there."""
    until = time.monotonic() + wait_s
    while (left := until - time.monotonic()) > 0:
        sock.settimeout(left)
        try:
            data = sock.recv(2048)
        except TimeoutError:
            return False
        if is_answer(data, transaction):
            return True
    return False


def ask_stun_stream(host: str, port: int, *, tls: bool, timeout_s: float = TIMEOUT_S) -> Reached | Unreached:
    transaction = os.urandom(12)
    try:
        with _connected(host, port, tls, timeout_s) as sock:
            began = time.perf_counter()
            sock.sendall(binding_request(transaction))
            if is_answer(sock.recv(2048), transaction):
                return Reached(time.perf_counter() - began)
    except OSError as error:
        return Unreached(cause_of(error))
    return Unreached("silent")
