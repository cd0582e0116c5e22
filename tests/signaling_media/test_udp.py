from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from signaling.media.errors import MediaError, PortInUse
from signaling.media.udp import CELL_BYTES, Address, Port, open_ports

Pair = tuple[Port, Port]


@pytest.fixture(params=[("127.0.0.1", True), ("::1", True), ("127.0.0.1", False), ("::1", False)], ids=str)
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    host, batched = request.param
    made = open_ports([host], 0, batched=batched)[0], open_ports([host], 0, batched=batched)[0]
    yield made
    for port in made:
        port.close()


def take(port: Port) -> list[bytes]:
    """Everything that comes until there has been something and nothing is left."""
    found: list[bytes] = []
    while True:
        got = port.receive()
        found += [port.cells[i].view[0 : port.sizes[i]] for i in range(got)]
        if found and not got:
            return found


def address_seen_by(port: Port, other: Port) -> Address:
    with socket.socket(socket.AF_INET6 if ":" in port.host else socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((port.host, 0))
        sock.sendto(b"?", (port.host, port.number))
        assert take(port) == [b"?"]
        known = port.sources[0]
        name = sock.getsockname()[:2]
    assert port.name_of(known) == name
    sample = bytes(known) if isinstance(known, bytes) else None
    if sample is None:
        return (other.host, other.number)
    return sample[:2] + other.number.to_bytes(2, "big") + sample[4:]


def test_a_burst_arrives_whole_and_in_order(pair: Pair) -> None:
    here, there = pair
    to = address_seen_by(here, there)
    sent = [bytes([number]) * (number + 1) for number in range(100)]
    for data in sent:
        assert here.send(data, to)
    assert take(there) == sent
    assert there.name_of(there.sources[0]) == (here.host, here.number)


def test_a_batch_sends_each_cell_to_its_own_destination(pair: Pair) -> None:
    here, there = pair
    to = address_seen_by(here, there)
    batch = here.batch([to, to, to])
    for number, cell in enumerate(batch.cells):
        cell.view[0:4] = bytes([number]) * 4
        cell.length[0] = number + 1
    assert batch.send() == 3
    assert take(there) == [b"\0", b"\1\1", b"\2\2\2"]


@pytest.mark.parametrize("batched", [True, False])
def test_a_destination_without_a_way_does_not_starve_the_others(batched: bool) -> None:
    here, there = (open_ports(["127.0.0.1"], 0, batched=batched)[0] for _ in range(2))
    good = address_seen_by(here, there)
    nowhere: Address = ("255.255.255.255", 9)  # broadcasting is not permitted to this socket
    if isinstance(good, bytes):
        nowhere = good[:2] + b"\0\x09" + bytes([255] * 4) + good[8:]
    assert not here.send(b"x", nowhere)
    batch = here.batch([nowhere, good, nowhere, good])
    for cell in batch.cells:
        cell.view[0:2] = b"hi"
        cell.length[0] = 2
    assert batch.send() == 2
    assert take(there) == [b"hi", b"hi"]
    here.close()
    there.close()


def test_an_oversized_datagram_is_cut_to_the_cell_and_harms_nothing(pair: Pair) -> None:
    here, there = pair
    to = address_seen_by(here, there)
    here.send(bytes(4000), to)
    here.send(b"after", to)
    assert [len(data) for data in take(there)] == [CELL_BYTES, 5]


def test_all_addresses_share_one_port_number() -> None:
    ports = open_ports(["127.0.0.1", "::1"], 0)
    assert ports[0].number == ports[1].number
    with pytest.raises(PortInUse):
        open_ports(["::1"], ports[0].number)
    for port in ports:
        port.close()


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "localhost", "203.0.113.9", ""])
def test_an_address_that_clients_cannot_be_told_is_a_sentence(address: str) -> None:
    with pytest.raises(MediaError) as error:
        open_ports(["127.0.0.1", address], 0)
    assert str(error.value).endswith(".") or ":" in str(error.value)
