"""Plays the dialogue on the stage and takes down what was seen, as an audience of the live page sees it."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from session_manager.demo.report import BoardFacts, Report, SeenLine, SeenPartial, build_report
from session_manager.demo.stage import Stage
from session_manager.demo.terminal import Screen

AFTER_S = 1.5
"""The last line may come this long after the last word before the session is ended; ending writes down the rest."""
EXPORTS = ("txt", "md", "vtt", "srt", "json")


class Performance:
    def __init__(self, stage: Stage, screen: Screen) -> None:
        self._stage = stage
        self._screen = screen
        self._sites: dict[str, str] = {}
        self._lines: dict[str, SeenLine] = {}
        self._partials: list[SeenPartial] = []

    async def play(self) -> Report:
        """Everybody joins, the dialogue is spoken, the session ended; what came of it."""
        stage = self._stage
        session = await stage.hub.get(f"/api/sessions/{stage.session_id}")
        self._sites = {site["site_id"]: site["name"] for site in session["sites"]}
        following = asyncio.create_task(self._follow())
        try:
            self._screen.step("会場をつないでいます The boards are joining")
            await stage.everybody_joined()
            starts_at = time.time() + 1.0
            stage.speak(starts_at)
            await self._listen(starts_at)
            boards = [await self._facts(site.key, site.name) for site in stage.dialogue.sites]
            forward = await self._forward_p99_ms()
            self._screen.step("最後の言葉を書いています Writing down the last words")
            await stage.hub.post(f"/api/sessions/{stage.session_id}/end")
            await asyncio.wait_for(following, 10)
        finally:
            following.cancel()
        coverage = await stage.hub.get(f"/api/sessions/{stage.session_id}/coverage")
        lines = [line for line in self._lines.values() if line.text]  # an empty text takes a line back
        return build_report(stage.dialogue, starts_at, lines, self._partials, boards, coverage["figure"], forward)

    async def _listen(self, starts_at: float) -> None:
        seconds = self._stage.dialogue.seconds
        self._screen.step("対話 Dialogue", seconds)
        while (elapsed := time.time() - starts_at) < seconds + AFTER_S:
            self._screen.elapsed(min(elapsed, seconds))
            await asyncio.sleep(0.25)

    async def _follow(self) -> None:
        async for kind, data in self._stage.hub.follow(self._stage.session_id):
            self._take(kind, data, time.time())

    def _take(self, kind: str, data: dict[str, Any], now: float) -> None:
        site = self._sites.get(data.get("site_id", ""), "")
        if kind == "line.committed":
            line = SeenLine(site, data["text"], data["started_at"], data["ended_at"], now)
            if data["line_id"] not in self._lines and data["text"]:
                self._screen.line(site, data["text"])
            self._lines[data["line_id"]] = line
        elif kind == "caption.partial":
            self._partials.append(SeenPartial(site, data["text"], now))
            self._screen.partial(site, data["text"])
        elif kind == "levels":
            self._screen.levels({self._sites.get(key, key): level for key, level in data.get("sites", {}).items()})

    async def _facts(self, key: str, name: str) -> BoardFacts:
        status = await self._stage.board_status(key)
        heard = tuple(sorted(one["site_name"] for one in status["heard"].values()))
        return BoardFacts(name, heard, status["join"]["join_ms"])

    async def _forward_p99_ms(self) -> float | None:
        figure: float | None = (await self._stage.hub.get("/api/status"))["forward_p99_ms"]
        return figure

    async def export(self, folder: Path) -> list[str]:
        """The transcript in every format; the files' paths."""
        files = []
        for suffix in EXPORTS:
            path = folder / f"transcript.{suffix}"
            text = await self._stage.hub.download(f"/api/sessions/{self._stage.session_id}/transcript.{suffix}")
            path.write_bytes(text)
            files.append(str(path))
        return files
