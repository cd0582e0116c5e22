"""UDP sockets as a forwarder wants them: many datagrams per system call, in memory that libsrtp works on in place.

On 64 bit Linux a `BatchPort` uses recvmmsg and sendmmsg; elsewhere `PlainPort` has the same shape with one call per
datagram. A full socket buffer drops what does not fit: live media is repaired by NACK, never queued here.
"""

from __future__ import annotations

import errno
import ipaddress
import logging
import socket
import sys
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from cffi import FFI  # type: ignore[import-untyped]

from signaling.media.errors import MediaError, PortInUse

log = logging.getLogger(__name__)

Address = bytes | tuple[Any, ...]
"""Where a datagram came from; opaque and hashable. `Port.name_of` makes it readable."""

CELL_BYTES = 1664
"""One datagram in memory: 1500 of RTP, libsrtp's trailer, rounded up so that every cell is aligned."""

RECEIVE_CELLS = 64
SOCKET_BUFFER_BYTES = 4 << 20
EPHEMERAL_TRIES = 20

ffi = FFI()
ffi.cdef("""
struct iovec { void *iov_base; size_t iov_len; };
struct msghdr { void *msg_name; unsigned int msg_namelen; struct iovec *msg_iov; size_t msg_iovlen;
                void *msg_control; size_t msg_controllen; int msg_flags; };
struct mmsghdr { struct msghdr msg_hdr; unsigned int msg_len; };
int sendmmsg(int, struct mmsghdr *, unsigned int, int);
int recvmmsg(int, struct mmsghdr *, unsigned int, int, void *);
""")

memmove: Callable[[Any, bytes, int], None] = ffi.memmove
BATCHED = sys.platform == "linux" and sys.maxsize > 1 << 32 and sys.byteorder == "little"
_DONTWAIT = 0x40


class Cell:
    """Memory of one datagram: `buffer` and `body` (past the RTP header) are C pointers, `length` an int*."""

    __slots__ = ("body", "buffer", "length", "view")

    def __init__(self, buffer: Any, length: Any) -> None:
        self.buffer = buffer
        self.body = buffer + 12
        self.length = length
        self.view = ffi.buffer(buffer, CELL_BYTES)


class Batch(Protocol):
    """One datagram for each of a fixed list of destinations; fill `cells`, set their lengths, `send`."""

    cells: list[Cell]

    def send(self) -> int:
        """How many went out; the rest was dropped."""


class Port(Protocol):
    """One bound UDP socket. After `receive` the first n of `cells`, `sizes` and `sources` hold what came."""

    host: str
    number: int
    cells: list[Cell]
    sizes: list[int]
    sources: list[Address]

    def fileno(self) -> int: ...
    def receive(self) -> int: ...
    def send(self, data: bytes, to: Address) -> bool: ...
    def name_of(self, address: Address) -> tuple[str, int]: ...
    def batch(self, destinations: Sequence[Address]) -> Batch: ...
    def close(self) -> None: ...


class PlainPort:
    """Portable: one system call per datagram."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self.host, self.number = sock.getsockname()[:2]
        self._memory = ffi.new("char[]", CELL_BYTES)
        self.cells: list[Cell] = [Cell(self._memory, ffi.new("int *"))]
        self.sizes = [0]
        self.sources: list[Address] = [()]

    def fileno(self) -> int:
        return self._socket.fileno()

    def receive(self) -> int:
        try:
            self.sizes[0], self.sources[0] = self._socket.recvfrom_into(self.cells[0].view)
        except OSError:
            return 0  # nothing there, or an ICMP error of an earlier datagram: neither is about this one
        return 1

    def send(self, data: bytes, to: Address) -> bool:
        try:
            self._socket.sendto(data, to)
        except OSError:
            return False  # full buffer or no way to that host: dropped, as the module says
        return True

    def name_of(self, address: Address) -> tuple[str, int]:
        return str(address[0]), int(address[1])

    def batch(self, destinations: Sequence[Address]) -> Batch:
        return _PlainBatch(self, destinations)

    def close(self) -> None:
        self._socket.close()


class _PlainBatch:
    def __init__(self, port: PlainPort, destinations: Sequence[Address]) -> None:
        self._port = port
        self._destinations = destinations
        self._memory = ffi.new("char[]", CELL_BYTES * len(destinations))
        self.cells = [Cell(self._memory + CELL_BYTES * i, ffi.new("int *")) for i in range(len(destinations))]

    def send(self) -> int:
        sent = 0
        for cell, destination in zip(self.cells, self._destinations, strict=True):
            sent += self._port.send(cell.view[0 : cell.length[0]], destination)
        return sent


class _Messages:
    """An array of mmsghdr, each with one cell and one address."""

    def __init__(self, libc: Any, fd: int, count: int, name_bytes: int) -> None:
        self.libc, self.fd, self.count = libc, fd, count
        self._memory = ffi.new("char[]", CELL_BYTES * count)
        self.names = ffi.new("char[]", 32 * count)
        self.vectors = ffi.new("struct iovec[]", count)
        self.headers = ffi.new("struct mmsghdr[]", count)
        self.cells: list[Cell] = []
        for i in range(count):
            # libsrtp counts in an int, the kernel in a size_t: the same memory on a little-endian machine
            length = ffi.cast("int *", ffi.addressof(self.vectors[i], "iov_len"))
            cell = Cell(self._memory + CELL_BYTES * i, length)
            self.vectors[i].iov_base = cell.buffer
            self.vectors[i].iov_len = CELL_BYTES
            header = self.headers[i].msg_hdr
            header.msg_name, header.msg_namelen = self.names + 32 * i, name_bytes
            header.msg_iov, header.msg_iovlen = self.vectors + i, 1
            self.cells.append(cell)


class BatchPort:
    """Linux: up to 64 datagrams per receive, all copies of a packet in one send. Addresses are raw sockaddr bytes."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self.host, self.number = sock.getsockname()[:2]
        self._libc = ffi.dlopen(None)
        self._name_bytes = 16 if sock.family == socket.AF_INET else 28
        self._in = _Messages(self._libc, sock.fileno(), RECEIVE_CELLS, self._name_bytes)
        self._names = [ffi.buffer(self._in.names + 32 * i, self._name_bytes) for i in range(RECEIVE_CELLS)]
        self.cells: list[Cell] = self._in.cells
        self.sizes = [0] * RECEIVE_CELLS
        self.sources: list[Address] = [b""] * RECEIVE_CELLS

    def fileno(self) -> int:
        return self._socket.fileno()

    def receive(self) -> int:
        headers = self._in.headers
        count: int = self._libc.recvmmsg(self._in.fd, headers, RECEIVE_CELLS, _DONTWAIT, ffi.NULL)
        for i in range(count):
            self.sizes[i] = headers[i].msg_len
            self.sources[i] = self._names[i][:]
        return max(count, 0)

    def send(self, data: bytes, to: Address) -> bool:
        try:
            self._socket.sendto(data, self.name_of(to))
        except OSError:
            return False  # full buffer or no way to that host: dropped, as the module says
        return True

    def name_of(self, address: Address) -> tuple[str, int]:
        raw = bytes(address)
        number = int.from_bytes(raw[2:4], "big")
        if self._name_bytes == 16:
            return socket.inet_ntop(socket.AF_INET, raw[4:8]), number
        return socket.inet_ntop(socket.AF_INET6, raw[8:24]), number

    def batch(self, destinations: Sequence[Address]) -> Batch:
        return _SendBatch(self._libc, self._socket.fileno(), destinations)

    def close(self) -> None:
        self._socket.close()


class _SendBatch(_Messages):
    def __init__(self, libc: Any, fd: int, destinations: Sequence[Address]) -> None:
        raw = [bytes(destination) for destination in destinations]
        super().__init__(libc, fd, len(raw), len(raw[0]) if raw else 0)
        for i, name in enumerate(raw):
            ffi.memmove(self.names + 32 * i, name, len(name))

    def send(self) -> int:
        at = sent = 0
        count = self.count
        while at < count:
            done: int = self.libc.sendmmsg(self.fd, self.headers + at, count - at, _DONTWAIT)
            if done > 0:
                at += done
                sent += done
            elif ffi.errno == errno.EAGAIN:
                break
            else:
                at += 1  # no way to that one host; the others shall not suffer
        return sent


def open_ports(addresses: Sequence[str], number: int, *, batched: bool = BATCHED) -> list[Port]:
    """Bind the same UDP port number on every address; 0 lets the system choose one that is free on all.

    Raises `PortInUse`, or `MediaError` when an address is none that clients can be told, or not of this machine.
    """
    for _ in range(EPHEMERAL_TRIES):
        try:
            return _open(addresses, number, batched)
        except PortInUse:
            if number:
                raise
    raise PortInUse(addresses[-1], number)


def _open(addresses: Sequence[str], number: int, batched: bool) -> list[Port]:
    sockets: list[socket.socket] = []
    try:
        for address in addresses:
            sockets.append(_bind(address, number))
            number = sockets[-1].getsockname()[1]
    except MediaError:
        for sock in sockets:
            sock.close()
        raise
    return [BatchPort(sock) if batched else PlainPort(sock) for sock in sockets]


def _bind(address: str, number: int) -> socket.socket:
    try:
        meant = ipaddress.ip_address(address)
    except ValueError as fault:
        raise MediaError(f"{address} is not an IP address. Name the one that clients reach.") from fault
    if meant.is_unspecified:
        raise MediaError(f"{address} stands for every address. Name the one that clients reach: they are told it.")
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            sock.setsockopt(socket.SOL_SOCKET, option, SOCKET_BUFFER_BYTES)
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((address, number))
    except OSError as fault:
        sock.close()
        if fault.errno == errno.EADDRINUSE:
            raise PortInUse(address, number) from fault
        sentence = f"Media cannot use the address {address}: {fault.strerror}. Set an address of this machine."
        raise MediaError(sentence) from fault
    return sock
