"""A table of examinations, looked at one after the other. One that fails itself is a finding and stops nobody."""

from __future__ import annotations

import json
import shutil
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

from signaling.examining.findings import WIDTH, Finding, as_rows, exit_code, lines, summary, wrong

PATIENCE_S = 1.0
"""Whatever takes longer says on a terminal what it is."""


@dataclass(frozen=True, slots=True)
class Examination:
    """`title`: what is looked at, as in “looking at the mail server”. `look` may block; it changes nothing."""

    code: str
    title: str
    look: Callable[[], Iterable[Finding]]


def examine(rows: Iterable[Examination], terminal: TextIO, patience_s: float = PATIENCE_S) -> Iterator[Finding]:
    for row in rows:
        with _progress(row.title, terminal, patience_s):
            found = _look(row)
        yield from found


def _look(row: Examination) -> list[Finding]:
    try:
        return list(row.look())
    except Exception as error:  # noqa: BLE001 - a doctor is asked when things are broken: whatever it is, it is told
        return [
            wrong(
                row.code,
                f"Looking at {row.title} failed itself ({type(error).__name__}: {error}).",
                "This is a mistake of the doctor: tell it to who looks after Shimawa. The rest of the list holds.",
            )
        ]


def report(rows: Iterable[Examination], *, as_json: bool, out: TextIO, terminal: TextIO) -> int:
    """Prints while it looks, or one JSON list at the end. The exit code."""
    found: list[Finding] = []
    width = min(WIDTH, shutil.get_terminal_size().columns) if out.isatty() else WIDTH
    for one in examine(rows, terminal):
        found.append(one)
        if not as_json:
            print("\n".join(lines(one, width)), file=out, flush=True)
    print(_end(found, as_json), file=out)
    return exit_code(found)


def _end(found: Sequence[Finding], as_json: bool) -> str:
    return json.dumps(as_rows(found), ensure_ascii=False, indent=1) if as_json else f"\n{summary(found)}"


def refused(code: str, error: Exception, *, as_json: bool) -> int:
    """The settings themselves cannot be read: nothing else can be looked at."""
    finding = wrong(code, str(error), "Mend this, then ask again: nothing else can be looked at before.")
    text = _end([finding], True) if as_json else "\n".join(lines(finding))
    print(text, file=sys.stdout if as_json else sys.stderr)
    return 2


@contextmanager
def _progress(title: str, terminal: TextIO, patience_s: float) -> Iterator[None]:
    if not terminal.isatty():
        yield
        return
    said = threading.Event()

    def say() -> None:
        said.set()
        print(f"  ... looking at {title}", end="", file=terminal, flush=True)

    timer = threading.Timer(patience_s, say)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        if said.is_set():
            print("\r\033[K", end="", file=terminal, flush=True)
