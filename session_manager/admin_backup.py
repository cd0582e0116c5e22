"""`shimawa admin backup` and `restore`: one file, with a bar on a terminal."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from session_manager.backup import Contents, Progress, back_up, restore
from session_manager.backup_stamp import note_backup
from session_manager.errors import NotPossible
from session_manager.settings import load_settings

_POSTGRES = (
    "Records in PostgreSQL are backed up by PostgreSQL itself, while the hub runs: pg_dump --format=custom "
    "--file {file} shimawa. Then copy the folder {folder}: it holds the installation's secret and the sound. "
    "To put it back: createdb --template template0 --encoding UTF8 --locale C shimawa, then pg_restore "
    "--dbname shimawa {file}."
)


def add_arguments(parts: Any) -> None:
    taking = parts.add_parser("backup", help="write the hub's data into one file, while it runs")
    taking.add_argument("file", type=Path)
    taking.add_argument("--audio", action="store_true", help="with the sound of every session (large)")
    taking.add_argument("--config", type=Path, help="with this settings file (it may hold passwords)")
    taking.add_argument("--database", help="where the records are, when not in the folder")
    taking.set_defaults(alone=_back_up)
    putting = parts.add_parser("restore", help="put such a file back into an empty folder")
    putting.add_argument("file", type=Path)
    putting.set_defaults(alone=_restore)


def _back_up(arguments: argparse.Namespace) -> None:
    settings = load_settings(arguments.config, data=arguments.data, database=arguments.database)
    if settings.database:
        raise NotPossible(_POSTGRES.format(file=arguments.file.with_suffix(".dump"), folder=settings.data))
    audio = (settings.log_folder or settings.data / "audio") if arguments.audio else None
    with _bar("Backing up") as progress:
        made = back_up(settings.data, arguments.file, time.time(), progress, audio=audio, settings=arguments.config)
    _say(f"{arguments.file}: {_words(made)}. Keep it as safe as the hub itself: it holds what people said.")


def _restore(arguments: argparse.Namespace) -> None:
    data = load_settings(None, data=arguments.data).data
    with _bar("Putting back") as progress:
        found = restore(arguments.file, data, progress)
    note_backup(data, found.made_at)
    when = time.strftime("%F %T", time.localtime(found.made_at))
    _say(f"{data} holds the hub of {when}: {_words(found)}. Start it with: shimawa hub --data {data}")
    if found.held:
        _say(f"{found.held} letters waited in it. They may have been sent since; the office finds them under /setup.")


def _words(found: Contents) -> str:
    return f"{len(found.parts)} files, {found.size / 1e6:.1f} MB, revision {found.revision}"


@contextmanager
def _bar(what: str) -> Iterator[Progress]:
    if not sys.stderr.isatty():
        yield lambda _name, _done, _whole: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    with Bar(
        TextColumn(what),
        BarColumn(),
        TextColumn("{task.description}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    ) as bar:
        task = bar.add_task("")

        def show(name: str, done: int, whole: int) -> None:
            bar.update(task, description=name, completed=done, total=whole)

        yield show


def _say(text: str) -> None:
    print(text)  # noqa: T201
