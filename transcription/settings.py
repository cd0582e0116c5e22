"""Settings of a worker process: the command line, and the token from the environment (never from the command line)."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from typing import Literal

TOKEN_VARIABLE = "SHIMAWA_WORKER_TOKEN"

EngineName = Literal["whisper", "tone"]


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """`hub`: the feed's address (ws or wss). `tied`: end when standard input closes, so no orphan outlives its hub."""

    hub: str
    token: str
    name: str
    engine: EngineName = "whisper"
    model: str = "fixture"
    device: str = "auto"
    compute: str = "auto"
    threads: int = 0
    full_windows: bool = False
    tied: bool = False
    partial_interval_s: float = 1.0


def token_from_environment() -> str:
    return os.environ.get(TOKEN_VARIABLE, "")


def worker_name() -> str:
    return f"{socket.gethostname()}-{os.getpid()}"
