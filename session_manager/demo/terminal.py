"""What the demo shows while it runs: captions by site, who speaks, the links. Plain lines when it is not a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from session_manager.demo.report import Report

COLOURS = ("#6FB1D6", "#5CC3A6", "#F0B429", "#D99BC8")
SHOWN = 12
SPEAKS_DBOV = 45


class Screen:
    """`with Screen(...) as screen`; every method may be called at any time."""

    def __init__(self, sites: Sequence[str], *, quiet: bool) -> None:
        self._console = Console(stderr=quiet, highlight=False, soft_wrap=False)
        self._moving = self._console.is_terminal and not quiet
        self._colours = {site: COLOURS[index % len(COLOURS)] for index, site in enumerate(sites)}
        self._lines: list[tuple[str, str]] = []
        self._partials: dict[str, str] = {}
        self._speaking: set[str] = set()
        self._notes: list[str] = []
        self._progress = Progress(TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
        self._task = self._progress.add_task("準備 Getting ready", total=None)
        self._live = Live(self._picture(), console=self._console, refresh_per_second=8, transient=False)

    def __enter__(self) -> Screen:
        if self._moving:
            self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._moving:
            self._live.update(self._picture())
            self._live.stop()

    def note(self, text: str) -> None:
        self._notes.append(text)
        self._say(text)

    def step(self, text: str, seconds: float | None = None) -> None:
        self._progress.update(self._task, description=text, total=seconds, completed=0)
        self._say(text)

    def elapsed(self, seconds: float) -> None:
        self._progress.update(self._task, completed=seconds)
        self._draw()

    def line(self, site: str, text: str) -> None:
        self._lines.append((site, text))
        self._partials.pop(site, None)
        self._say(f"{site}: {text}")

    def partial(self, site: str, text: str) -> None:
        self._partials[site] = text
        self._draw()

    def levels(self, levels: dict[str, int]) -> None:
        """Site names with their level in -dBov."""
        self._speaking = {site for site, level in levels.items() if level < SPEAKS_DBOV}
        self._draw()

    def _say(self, text: str) -> None:
        if self._moving:
            self._draw()
        else:
            self._console.print(Text(text))

    def _draw(self) -> None:
        if self._moving:
            self._live.update(self._picture())

    def _picture(self) -> Group:
        column = Table.grid(padding=(0, 2))
        column.add_column(justify="right", no_wrap=True)
        column.add_column()
        for site, text in self._lines[-SHOWN:]:
            column.add_row(Text(site, style=self._colours.get(site, "")), Text(text))
        for site, text in self._partials.items():
            column.add_row(Text(site, style=self._colours.get(site, "")), Text(text, style="dim italic"))
        who = Text("  ").join(
            Text(f"{'●' if site in self._speaking else '○'} {site}", style=colour)
            for site, colour in self._colours.items()
        )
        notes = Text("\n".join(self._notes), style="dim")
        return Group(notes, Panel(Group(who, Text(), column), title="島話", border_style="#2A3B55"), self._progress)

    def report(self, report: Report, files: Sequence[str]) -> None:
        table = Table(title="記録 Record", title_justify="left", border_style="#2A3B55")
        for heading in ("会場 Site", "発言 Said", "字幕 Lines", "CER", "聞こえた会場 Heard"):
            table.add_column(heading)
        for name, site in report.sites.items():
            table.add_row(name, str(site.said), str(site.lines), f"{site.cer:.1%}", "、".join(site.heard))
        self._console.print(table)
        for label, value, unit in (
            ("Accounted for", f"{report.coverage:.1%}", "of every second of every track"),
            ("Joining", report.join_ms_p50, "ms median, until the first sound"),
            ("First words", report.first_partial_ms_p50, "ms median after somebody begins"),
            ("Final line", report.final_after_speech_ms_p50, "ms median after somebody stops"),
            ("Forwarding", report.forward_p99_ms, "ms p99"),
        ):
            self._console.print(Text(f"  {label:<14} {value} {unit}"))
        for file in files:
            self._console.print(Text(f"  {file}"))


def complain(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201
