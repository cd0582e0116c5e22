"""A hub that can be killed with or without its postman, and a mail server that knows what it took."""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.policy
import json
import os
import random
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from session_manager.sent_journal import hold


class PostOffice:
    """Takes every letter and remembers which. Now and then it is slow to say so, or keeps silent at a letter's `end` or
    at the `good-bye` until it may speak. `next`, `good_bye`: a letter was taken; its answer was read."""

    def __init__(self, chance: random.Random) -> None:
        self.taken: list[str] = []
        self.next, self.good_bye = asyncio.Event(), asyncio.Event()
        self._silent = ""
        self._speaks = asyncio.Event()
        self._chance = chance

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        await asyncio.sleep(self._chance.choice([0, 0, 0.01, 0.05]))
        content = envelope.content
        assert isinstance(content, bytes)
        self.taken.append(str(email.message_from_bytes(content, policy=email.policy.default)["Message-ID"]))
        self.next.set()
        if self._silent == "end":
            await self._speaks.wait()
        return "250 OK"

    async def handle_QUIT(self, _server: SMTP, _session: Session, _envelope: Envelope) -> str:
        self.good_bye.set()
        if self._silent == "good-bye":
            await self._speaks.wait()
        return "221 Bye"

    def keep_silent(self, at: str) -> None:
        self._silent = at
        self._speaks.clear()

    def speak(self) -> None:
        self._silent = ""
        self._speaks.set()


@dataclass
class HubProcess:
    folder: Path
    mail_port: int
    port: int = 0
    process: asyncio.subprocess.Process | None = None
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    answered: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    @property
    def database(self) -> Path:
        return self.folder / "shimawa.db"

    async def start(self) -> None:
        environment = {
            "SHIMAWA_SMTP_HOST": "127.0.0.1",
            "SHIMAWA_SMTP_PORT": str(self.mail_port),
            "SHIMAWA_SMTP_TLS": "none",
            "SHIMAWA_TRANSCRIPTION_WORKERS": "0",
        }
        arguments = ["serve", "--data", str(self.folder), "--model", "none", "--media-port", "0", "--json"]
        with (self.folder / "hub.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "session_manager", *arguments, "--port", str(self.port), "--log-level", "WARNING",
                stdout=asyncio.subprocess.PIPE, stderr=log, env={**os.environ, **environment},
            )  # fmt: skip
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), 300)
        assert line, (self.folder / "hub.log").read_text(encoding="utf-8")[-3000:]
        self.port = json.loads(line)["port"]
        self.ready.set()

    async def kill(self, *, with_postman: bool = False) -> None:
        """`with_postman`: as when the machine goes."""
        self.ready.clear()
        assert self.process is not None
        for pid in [*(self.postmen() if with_postman else ()), self.process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await self.process.wait()

    def postmen(self) -> list[int]:
        assert self.process is not None
        tasks = Path(f"/proc/{self.process.pid}/task")
        with contextlib.suppress(OSError):
            children = [pid for task in tasks.iterdir() for pid in (task / "children").read_text().split()]
            return [int(pid) for pid in children if _is_postman(pid)]
        return []

    def doubtful(self) -> frozenset[str]:
        """Once nobody writes the journal any more."""
        with hold(self.folder, 60) as journal:
            assert journal is not None
            return journal.found().doubtful


def _is_postman(pid: str) -> bool:
    return b"session_manager.postman" in Path(f"/proc/{pid}/cmdline").read_bytes()
