"""Cables that carry too little or lose some: loss, caps, and sound at the other end."""

from __future__ import annotations

import asyncio
import json
import sys
import wave
from pathlib import Path

from session_manager.demo.dialogue import Dialogue
from tests.faults.cuts import FUKUOKA, HERE, IKI, THERE, Undisturbed, talk, transcript_row
from tests.faults.network import Delay, run
from tests.faults.plays import Outcome, Play, Scene
from tests.faults.rows import Row, at_most
from tests.faults.scene import ends_s, script
from transcription.score import cer

FAR = Delay(40.0, 5.0)
MISSING = {5: 1.5, 10: 3.0, 20: 6.0}
SETTLE_S = 3.0
HEARD_CER = 0.15
SOME_VIDEO_KBPS = 60.0


async def loss(folder: Path, undisturbed: Undisturbed, full: bool, *, percent: int) -> list[Row]:
    """Random loss at both ends of one board's cable, once everybody has joined."""
    dialogue = talk(7)
    plain = await undisturbed.of("talk-7-far", dialogue, FAR)

    async def fault(scene: Scene) -> None:
        scene.network.lose(HERE, percent)
        scene.mark("begin")
        await scene.at(ends_s(dialogue))
        scene.mark("end")
        await scene.at(ends_s(dialogue) + 1.0)
        scene.network.lose(HERE, 0)

    found = await Play(dialogue, folder, fault, delay=FAR).run()
    begin, end = found.scene.marks["begin"] + 1.0, found.scene.marks["end"]
    watch = found.scene.watch
    here = watch.missing_share(HERE, found.sites[THERE], begin, end)
    there = watch.missing_share(THERE, found.sites[HERE], begin, end)
    form = f"{percent} % of all packets each way, 40 +- 5 ms each way, {end - begin:.0f} s"
    row = at_most(f"loss_{percent}: live sound", "missing", MISSING[percent], 100 * max(here, there), "%", form)
    measured = f"{row.measured} (down {100 * here:.2f}, up {100 * there:.2f})"
    return [
        Row(row.scenario, row.budget, measured, row.ok, form),
        transcript_row(f"loss_{percent}", found, plain, form),
    ]


async def loss_5(folder: Path, undisturbed: Undisturbed, full: bool) -> list[Row]:
    return await loss(folder, undisturbed, full, percent=5)


async def loss_10(folder: Path, undisturbed: Undisturbed, full: bool) -> list[Row]:
    return await loss(folder, undisturbed, full, percent=10)


async def loss_20(folder: Path, undisturbed: Undisturbed, full: bool) -> list[Row]:
    return await loss(folder, undisturbed, full, percent=20)


def received_bytes(scene: Scene, board: str) -> int:
    """What came down that board's cable, all kinds of packets."""
    cable = scene.network.cables[board]
    said = json.loads(run("ip", "-n", cable.namespace, "-s", "-j", "link", "show", cable.at_board))
    return int(said[0]["stats64"]["rx"]["bytes"])


async def cap_800(folder: Path, undisturbed: Undisturbed, full: bool) -> list[Row]:
    """One board's cable carries 800 kb/s; each of three sites sends sound and 500 kb/s of video to both others."""
    length = 14 if full else 7
    third = "katsumoto"
    dialogue = script(
        (HERE, (IKI * 3)[:length], 0.5, 0.7),
        (THERE, (FUKUOKA * 3)[:length], 1.0, 0.7),
        (third, ((5, 17, 23) * 5)[:length], 1.5, 0.7),
    )
    rates: dict[str, float] = {}

    async def fault(scene: Scene) -> None:
        scene.network.cap(HERE, 800)
        scene.mark("capped")
        await asyncio.sleep(SETTLE_S)
        begin, before = scene.mark("begin"), received_bytes(scene, HERE)
        await scene.at(ends_s(dialogue))
        end = scene.mark("end")
        rates["down"] = (received_bytes(scene, HERE) - before) * 8 / 1000 / (end - begin)

    found = await Play(dialogue, folder, fault, board_arguments=("--video-slots", "2")).run()
    begin, end = found.scene.marks["begin"], found.scene.marks["end"]
    form = f"one board's cable capped for {end - begin:.0f} s"
    watch = found.scene.watch
    ways = [
        (f"{other} at {HERE}", watch.grown(HERE, found.sites[other], "lost", begin, end)) for other in (THERE, third)
    ] + [(f"{HERE} at {other}", watch.grown(other, found.sites[HERE], "lost", begin, end)) for other in (THERE, third)]
    lost = at_most("cap_800: sound", "packets lost after 3 s", 0, sum(count for _, count in ways), "packets", form)
    flowing = rates["down"] - 2 * 50.0
    return [
        Row(lost.scenario, lost.budget, lost.measured, lost.ok, form, tuple(f"{way}: {n:.0f}" for way, n in ways)),
        Row(
            "cap_800: video",
            "some video flows",
            f"{rates['down']:.0f} kb/s come down, of which sound about 100",
            flowing >= SOME_VIDEO_KBPS,
            form,
        ),
    ]


async def cap_64(folder: Path, undisturbed: Undisturbed, full: bool) -> list[Row]:
    """Two sites talk over 64 kb/s each way; what each loudspeaker played is given to the recogniser."""
    dialogue = talk(12 if full else 7)

    async def fault(scene: Scene) -> None:
        scene.network.cap(HERE, 64)

    found = await Play(dialogue, folder, fault).run()
    form = f"64 kb/s each way for {ends_s(dialogue):.0f} s"
    rows = []
    for board, speaker in ((HERE, THERE), (THERE, HERE)):
        heard = await _recognised(folder, board)
        said = "".join(one.text for one in dialogue.of(speaker))
        row = at_most(
            f"cap_64: {speaker} as heard at {board}", "CER", 100 * HEARD_CER, 100 * cer(said, heard), "%", form
        )
        rows.append(Row(row.scenario, row.budget, row.measured, row.ok, form, (f"heard: {heard}",)))
    rows.append(_captions_row("cap_64: captions", found, dialogue, form))
    return rows


def _captions_row(scenario: str, found: Outcome, dialogue: Dialogue, form: str) -> Row:
    """The live lines, as the event stream told them, against what was said."""
    worst = 0.0
    for site in (HERE, THERE):
        lines = [data for _, kind, data in found.scene.told.heard if kind == "line.committed"]
        mine = sorted((one for one in lines if one["site_id"] == found.sites[site]), key=lambda one: one["started_at"])
        newest = {one["line_id"]: one["text"] for one in mine}
        worst = max(worst, cer("".join(one.text for one in dialogue.of(site)), "".join(newest.values())))
    return at_most(scenario, "CER", 100 * HEARD_CER, 100 * worst, "%", form)


async def _recognised(folder: Path, board: str) -> str:
    """The text of all that this board's loudspeaker played, written down by `python -m transcription`."""
    recordings = sorted(folder.glob(f"heard-{board}-*.wav"))
    text = ""
    for path in recordings:
        with wave.open(str(path), "rb") as sound:
            if sound.getnframes() < sound.getframerate():
                continue
        command = [sys.executable, "-m", "transcription", str(path), "--model", "fixture", "--device", "cpu"]
        command += ["--language", "ja", "--format", "json"]
        child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        out, _ = await asyncio.wait_for(child.communicate(), 300)
        text += _text(json.loads(out))
    return text


def _text(found: object) -> str:
    """Every `text` of a line in it, in order."""
    if isinstance(found, list):
        return "".join(_text(one) for one in found)
    if isinstance(found, dict):
        if isinstance(found.get("text"), str):
            return str(found["text"])
        return "".join(_text(one) for one in found.values())
    return ""
