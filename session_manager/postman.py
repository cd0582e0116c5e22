"""The process that speaks to the mail server: `python -m session_manager.postman FOLDER`, started by the hub.

It is none of the hub's threads, so that a hub that is killed in the middle of a letter does not take the answer with
it: this process hears it, notes it (`sent_journal`) and ends. Standard input is lines of JSON: the mail settings, then
a letter at a time; standard output `ready` once the journal is its own, then an outcome for each letter. Exit codes:
0 standard input ended, 3 another process has the journal.
"""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from session_manager.mail import MailSettings, NotDelivered, Postman
from session_manager.sent_journal import SentJournal, hold

READY = b"ready\n"
WAIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What is needed of a letter to send it."""

    notice_id: str
    message_id: str
    recipient: str
    subject: str
    body: str
    calendar: str | None
    method: str | None


def line_of(values: Outgoing | MailSettings | NotDelivered | None) -> bytes:
    """`null` is a letter that was delivered."""
    return json.dumps(None if values is None else asdict(values)).encode() + b"\n"


def outcome_of(line: bytes) -> NotDelivered | None:
    """Raises ValueError."""
    values = json.loads(line)
    return None if values is None else NotDelivered(**values)


def main() -> int:
    for number in (signal.SIGINT, signal.SIGTERM):  # for the hub: it goes, and this one after its letter
        signal.signal(number, signal.SIG_IGN)
    with hold(Path(sys.argv[1]), WAIT_S) as journal:
        if journal is None:
            return 3
        with contextlib.suppress(BrokenPipeError):
            _work(journal)
    return 0


def _work(journal: SentJournal) -> None:
    lines = _whole(sys.stdin.buffer)
    settings = next(lines, None)
    if settings is None:
        return
    postman = Postman(MailSettings(**json.loads(settings)), time.time, journal)
    _say(READY)
    for line in lines:
        outcome = postman.deliver(Outgoing(**json.loads(line)))
        _say(line_of(outcome if isinstance(outcome, NotDelivered) else None))


def _whole(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Half a letter is what a hub wrote that died over it."""
    return (line for line in lines if line.endswith(b"\n"))


def _say(line: bytes) -> None:
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main())
