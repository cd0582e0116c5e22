"""ICE-lite over real sockets on both address families."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from struct import pack

import pytest
from aioice import stun
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signaling.media.ice_lite import (
    DTLS_QUEUE,
    MAX_ADDRESSES,
    MAX_CREDENTIALS,
    MOVE_AFTER_S,
    STRANGER_CHECKS_PER_S,
    IceLite,
    Link,
)
from signaling.media.udp import open_ports


class Client:
    """One socket of a client, speaking to the port of the same family."""

    def __init__(self, ice: IceLite, host: str = "127.0.0.1") -> None:
        self.ice = ice
        self.port = next(port for port in ice.ports if port.host == host)
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, 0))
        self.socket.settimeout(5)

    def send(self, data: bytes, now: float = 0.0) -> None:
        self.socket.sendto(data, (self.port.host, self.port.number))
        while not self.ice.receive(self.port, now):
            pass

    def receive(self) -> bytes:
        return self.socket.recv(2048)

    @property
    def name(self) -> tuple[str, int]:
        host, number = self.socket.getsockname()[:2]
        return host, number

    def silent(self) -> bool:
        self.socket.setblocking(False)
        try:
            self.socket.recv(2048)
        except BlockingIOError:
            return True
        return False


Connect = Callable[..., Client]


@pytest.fixture
def connect(ice: IceLite) -> Iterator[Connect]:
    made: list[Client] = []

    def new(host: str = "127.0.0.1") -> Client:
        made.append(Client(ice, host))
        return made[-1]

    yield new
    for client in made:
        client.socket.close()


@pytest.fixture(params=[True, False], ids=["batched", "plain"])
def ice(request: pytest.FixtureRequest) -> Iterator[IceLite]:
    ports = open_ports(["127.0.0.1", "::1"], 0, batched=request.param)
    yield IceLite(ports)
    for port in ports:
        port.close()


def check(link: Link, *, nominate: bool = True, pair: int = -1, **attributes: object) -> stun.Message:
    credentials = link.credentials[pair]
    message = stun.Message(
        stun.Method.BINDING,
        stun.Class.REQUEST,
        attributes={"USERNAME": f"{credentials.ufrag}:them", "PRIORITY": 1, **attributes},
    )
    if nominate:
        message.attributes["USE-CANDIDATE"] = None
    message.add_message_integrity(credentials.password.encode())
    return message


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_good_check_is_answered_and_teaches_the_address(ice: IceLite, connect: Connect, host: str) -> None:
    link, client = ice.link(0.0), connect(host)
    request = check(link)
    client.send(bytes(request))
    reply = stun.parse_message(client.receive())
    assert reply.transaction_id == request.transaction_id
    assert reply.attributes["XOR-MAPPED-ADDRESS"] == client.name
    assert reply.check_message_integrity(link.credentials[0].password.encode())
    assert link.send(b"hello")
    assert client.receive() == b"hello"


@pytest.mark.parametrize("fault", ["password", "user", "fingerprint", "integrity"])
def test_a_check_that_is_not_authentic_gets_no_answer_and_teaches_nothing(
    ice: IceLite, connect: Connect, fault: str
) -> None:
    link, client = ice.link(0.0), connect()
    message = check(link)
    if fault == "password":
        message.add_message_integrity(b"wrong")
    elif fault == "user":
        message.attributes["USERNAME"] = "nobody:them"
        message.add_message_integrity(link.credentials[0].password.encode())
    elif fault == "fingerprint":
        del message.attributes["FINGERPRINT"]
    else:
        del message.attributes["MESSAGE-INTEGRITY"]
    client.send(bytes(message))
    assert client.silent()
    assert link.address is None
    assert sum(ice.counters.values()) == 1


def test_a_client_that_thinks_it_is_controlled_is_told_to_switch(ice: IceLite, connect: Connect) -> None:
    link, client = ice.link(0.0), connect()
    client.send(bytes(check(link, **{"ICE-CONTROLLED": 5})))
    reply = stun.parse_message(client.receive())
    assert (reply.message_class, reply.error_code) == (stun.Class.ERROR, 487)


def test_an_ice_restart_is_a_second_pair_on_the_same_link(ice: IceLite, connect: Connect) -> None:
    link, before, after = ice.link(0.0), connect(), connect()
    before.send(bytes(check(link)))
    link.restart()
    after.send(bytes(check(link)))
    assert link.send(b"moved")
    assert stun.parse_message(after.receive())
    assert after.receive() == b"moved"
    before.send(bytes(check(link, pair=0)), 1.0)
    assert len(link.credentials) == 2
    for _ in range(10):
        link.restart()
    assert len(link.credentials) == MAX_CREDENTIALS
    assert ice.sizes()[1] == MAX_CREDENTIALS


def test_without_nomination_the_address_moves_only_when_the_old_one_is_silent(ice: IceLite, connect: Connect) -> None:
    link, first, second = ice.link(0.0), connect(), connect()
    first.send(bytes(check(link)), 10.0)
    home = link.address
    second.send(bytes(check(link, nominate=False)), 10.5)
    assert link.address == home
    moves: list[int] = []
    link.on_moved = lambda: moves.append(1)
    second.send(bytes(check(link, nominate=False)), 10.5 + MOVE_AFTER_S + 0.1)
    assert link.address != home
    assert moves == [1]


def test_media_of_a_known_address_reaches_its_link_in_place(ice: IceLite, connect: Connect) -> None:
    link, client = ice.link(0.0), connect()
    client.send(bytes(check(link)))
    heard: list[tuple[bytes, bool]] = []
    client.send(b"\x80\x6f" + bytes(20))
    assert ice.counters["media_before_keys"] == 1
    link.on_media = lambda cell, size, is_rtcp, now: heard.append((cell.view[0:size], is_rtcp))
    client.send(b"\x80\xef" + bytes(20), 7.0)
    client.send(b"\x80\xc8" + bytes(20), 8.0)
    assert heard == [(b"\x80\xef" + bytes(20), False), (b"\x80\xc8" + bytes(20), True)]
    assert link.heard_at == 8.0


async def test_a_handshake_is_queued_with_a_bound_and_ends_with_the_link(ice: IceLite, connect: Connect) -> None:
    link, client = ice.link(0.0), connect()
    client.send(bytes(check(link)))
    for number in range(DTLS_QUEUE + 3):
        client.send(b"\x16" + bytes([number]))
    assert ice.counters["dtls_overflow"] == 3
    assert await link.receive_dtls() == b"\x16\0"
    link.close()
    for _ in range(DTLS_QUEUE - 1):
        await link.receive_dtls()
    with pytest.raises(ConnectionError):
        await link.receive_dtls()


def test_strangers_are_counted_and_a_flood_of_checks_is_not_worth_a_hash(ice: IceLite, connect: Connect) -> None:
    client = connect()
    client.send(b"\x80" + bytes(40))
    client.send(b"\x16" + bytes(40))
    assert ice.counters["from_strangers"] == 2
    for _ in range(STRANGER_CHECKS_PER_S + 10):
        client.send(b"\0\x01" + bytes(18), 5.0)
    assert ice.counters["checks_refused"] == 10
    link = ice.link(0.0)
    client.send(bytes(check(link)), 5.5)
    assert link.address is not None


def test_addresses_of_a_link_are_bounded_and_all_go_with_it(ice: IceLite, connect: Connect) -> None:
    link = ice.link(0.0)
    for number in range(MAX_ADDRESSES + 4):
        connect().send(bytes(check(link, nominate=False)), float(number) / 10)
    assert ice.sizes() == (1, 1, MAX_ADDRESSES)
    link.close()
    assert ice.sizes() == (0, 0, 0)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(data=st.one_of(st.binary(max_size=200), st.builds(lambda k, b: bytes([k]) + b, st.integers(0, 63), st.binary())))
def test_no_datagram_raises(ice: IceLite, data: bytes) -> None:
    client = Client(ice)
    client.send(data[:1500])
    client.socket.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(kind=st.sampled_from(sorted(stun.ATTRIBUTES_BY_TYPE)), value=st.binary(max_size=24))
def test_no_broken_attribute_raises(ice: IceLite, kind: int, value: bytes) -> None:
    body = pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)
    client = Client(ice)
    client.send(pack("!HHI12s", 1, len(body), stun.COOKIE, bytes(12)) + body, 100.0)
    client.socket.close()
