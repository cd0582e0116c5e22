"""A sea of network namespaces: the hub in one, each board in its own, a cable between; and what can happen to a cable.

    10.213.0.1 on the hub's own loopback  <-- h1 10.213.1.1/30 ---- 10.213.1.2/30 b1 -->  board 1

The hub's address hangs on no cable, so it lives on when one is cut. Nothing reaches the machine's other networks: the
namespaces have no way out, and their addresses exist in them alone. Needs root.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

HUB_ADDRESS = "10.213.0.1"
PREFIX = "shimafault"
FOLDER = Path("/run/netns")
CLONE_NEWNET = 0x40000000
COMMAND_S = 20.0
LINK_S = 10.0

_libc = ctypes.CDLL(None, use_errno=True)


def run(*command: str) -> str:
    """Raises CalledProcessError with what the command said."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_S, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip() or done.returncode}")
    return done.stdout


def enter(path: str) -> None:
    """This thread's sockets belong to that namespace from now on; sockets that are open stay where they are."""
    with open(path, "rb") as there:
        if _libc.setns(there.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"cannot enter {path}")


@contextlib.contextmanager
def inside(namespace: str) -> Iterator[None]:
    """No await within: the loop would run on in there."""
    with open(f"/proc/self/task/{_thread()}/ns/net", "rb") as home:
        enter(str(FOLDER / namespace))
        try:
            yield
        finally:
            _libc.setns(home.fileno(), CLONE_NEWNET)


def _thread() -> int:
    import threading

    return threading.get_native_id()


def connected(namespace: str, address: str, port: int) -> socket.socket:
    """A TCP socket from within a namespace, connected to an address there. Blocks for a moment: loopback only."""
    with inside(namespace):
        made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.settimeout(2.0)
    made.connect((address, port))
    made.setblocking(False)
    return made


@dataclass(frozen=True, slots=True)
class Cable:
    """One board's way to the hub: interface names at both ends, addresses, and whether it is a re-timed one."""

    number: int
    namespace: str
    delayed: bool = False

    @property
    def at_hub(self) -> str:
        return f"h{self.number}"

    @property
    def at_board(self) -> str:
        return f"b{self.number}"

    @property
    def hub_address(self) -> str:
        return f"10.213.{self.number}.1"

    @property
    def board_address(self) -> str:
        return f"10.213.{self.number}.2"


@dataclass(frozen=True, slots=True)
class Delay:
    """One-way time of a cable in milliseconds, evenly spread in `ms` +- `jitter_ms`; order is kept, as in a queue."""

    ms: float = 0.0
    jitter_ms: float = 0.0


@dataclass(slots=True)
class Network:
    """`with Network(("iki", "fukuoka")) as sea`: everything is gone again afterwards, processes in it as well."""

    boards: Sequence[str]
    delay: Delay | None = None
    cables: dict[str, Cable] = field(default_factory=dict)
    _made: list[str] = field(default_factory=list)
    _link: subprocess.Popen[bytes] | None = None

    @property
    def hub(self) -> str:
        return f"{PREFIX}{os.getpid()}hub"

    def command(self, place: str | None = None) -> tuple[str, ...]:
        """What to put before a command so that it runs at that board; None: at the hub."""
        return "ip", "netns", "exec", self.hub if place is None else self.cables[place].namespace

    def __enter__(self) -> Network:
        sweep()
        try:
            self._add(self.hub)
            run("ip", "-n", self.hub, "address", "add", f"{HUB_ADDRESS}/32", "dev", "lo")
            for number, board in enumerate(self.boards, 1):
                cable = Cable(number, f"{PREFIX}{os.getpid()}{board}", self.delay is not None)
                self.cables[board] = cable
                self._add(cable.namespace)
                if self.delay is None:
                    self._lay(cable)
            if self.delay is not None:
                self._lay_delayed(self.delay)
            for board in self.boards:
                self._address(self.cables[board])
                self.mend(board)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._link is not None:
            self._link.communicate(timeout=COMMAND_S)
            self._link = None
        while self._made:
            _remove(self._made.pop())

    def _add(self, namespace: str) -> None:
        run("ip", "netns", "add", namespace)
        self._made.append(namespace)
        run("ip", "-n", namespace, "link", "set", "lo", "up")

    def _lay(self, cable: Cable) -> None:
        ends = ("name", cable.at_hub, "netns", self.hub, "type", "veth")
        run("ip", "link", "add", *ends, "peer", "name", cable.at_board, "netns", cable.namespace)

    def _lay_delayed(self, delay: Delay) -> None:
        """Tunnels whose packets a process of ours carries over; see `link.py`."""
        ends = [f"{self.hub}/{c.at_hub}:{c.namespace}/{c.at_board}" for c in self.cables.values()]
        command = [sys.executable, "-m", "tests.faults.link", str(delay.ms), str(delay.jitter_ms), *ends]
        self._link = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        assert self._link.stdout is not None
        if not self._link.stdout.readline():
            raise RuntimeError("the delayed link did not start")

    def _address(self, cable: Cable) -> None:
        run("ip", "-n", self.hub, "address", "add", f"{cable.hub_address}/30", "dev", cable.at_hub)
        run("ip", "-n", cable.namespace, "address", "add", f"{cable.board_address}/30", "dev", cable.at_board)
        run("ip", "-n", self.hub, "link", "set", cable.at_hub, "up")

    # ---- what happens to a cable

    def cut(self, board: str) -> None:
        """The plug is pulled at the board: its interface goes down and its routes are gone."""
        cable = self.cables[board]
        run("ip", "-n", cable.namespace, "link", "set", cable.at_board, "down")

    def mend(self, board: str) -> None:
        """The plug is in again and the board's system has its route back."""
        cable = self.cables[board]
        run("ip", "-n", cable.namespace, "link", "set", cable.at_board, "up")
        run("ip", "-n", cable.namespace, "route", "replace", "default", "via", cable.hub_address)
        self._until_up(cable)

    def silence(self, board: str) -> None:
        """The cable dies at sea: both ends stay up and packets vanish."""
        self.lose(board, 100)

    def lose(self, board: str, percent: int) -> None:
        """Random loss of every kind of packet, at both ends on arrival; 0 ends it."""
        cable = self.cables[board]
        for namespace, interface in ((self.hub, cable.at_hub), (cable.namespace, cable.at_board)):
            table = ("inet", f"loss{cable.number}")
            run("ip", "netns", "exec", namespace, "nft", "add", "table", *table)
            run("ip", "netns", "exec", namespace, "nft", "delete", "table", *table)
            if not percent:
                continue
            nft = ("ip", "netns", "exec", namespace, "nft")
            run(*nft, "add", "table", *table)
            run(*nft, "add", "chain", *table, "in", "{ type filter hook input priority 0; }")
            chance = f"numgen random mod 100 < {percent}" if percent < 100 else ""
            run(*nft, "add", "rule", *table, "in", f'iifname "{interface}" {chance} counter drop')

    def cap(self, board: str, kbit: int | None) -> None:
        """The most that the cable carries each way; a queue of 200 ms before it drops. None: no cap."""
        cable = self.cables[board]
        for namespace, interface in ((self.hub, cable.at_hub), (cable.namespace, cable.at_board)):
            tc = ("tc", "-n", namespace, "qdisc")
            if kbit is None:
                run(*tc, "del", "dev", interface, "root")
            else:
                shape = ("tbf", "rate", f"{kbit}kbit", "burst", "8kb", "latency", "200ms")
                run(*tc, "replace", "dev", interface, "root", *shape)

    def _until_up(self, cable: Cable) -> None:
        until = time.monotonic() + LINK_S
        here = Path("/sys/class/net")
        while time.monotonic() < until:
            said = run("ip", "-n", cable.namespace, "-o", "link", "show", cable.at_board)
            if "LOWER_UP" in said:
                return
        raise RuntimeError(f"{here / cable.at_board} did not come up")


def _remove(namespace: str) -> None:
    with contextlib.suppress(RuntimeError):
        for pid in run("ip", "netns", "pids", namespace).split():
            if int(pid) != os.getpid():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
    with contextlib.suppress(RuntimeError):
        run("ip", "netns", "del", namespace)


def sweep() -> None:
    """What a run that was killed left behind: namespaces whose maker is gone."""
    for path in FOLDER.glob(f"{PREFIX}*") if FOLDER.is_dir() else ():
        digits = "".join(letter for letter in path.name.removeprefix(PREFIX) if letter.isdigit())
        if digits and not Path(f"/proc/{digits}").exists():
            _remove(path.name)
