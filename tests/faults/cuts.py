"""Cables that die and processes that are killed: what must be in the transcript all the same."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import replace
from itertools import cycle, islice, pairwise
from pathlib import Path

from session_manager.demo.dialogue import Dialogue
from tests.faults.compare import compare
from tests.faults.network import Delay
from tests.faults.plays import Fault, Outcome, Play, Scene
from tests.faults.rows import Row, at_most
from tests.faults.scene import script

IKI = (4, 8, 13, 15, 20, 22)
FUKUOKA = (1, 2, 3, 6, 7, 12)
HERE, THERE = "iki", "fukuoka"
BACK_SOUND_S, BACK_CAPTIONS_S, SHOWN_S = 1.0, 3.0, 2.0
RESTART_S = 6.0
SHORT_TOLERANCE_S = 0.150
"""Two tracks are placed by the arrival of their first packets, and a busy machine makes one of them late."""


def talk(sentences: int, pause_s: float = 0.7) -> Dialogue:
    """Two sites that speak at once, `sentences` each; about 3.4 s a sentence."""
    return script(
        (HERE, tuple(islice(cycle(IKI), sentences)), 0.5, pause_s),
        (THERE, tuple(islice(cycle(FUKUOKA), sentences)), 1.0, pause_s),
    )


def turns(rounds: int, pause_s: float = 1.0) -> Dialogue:
    """Two sites by turns, two sentences each: one of them is silent for about 8 s while the other speaks."""
    said: list[tuple[str, tuple[int, ...], float, float]] = []
    at_s = 0.5
    mine, yours = cycle(IKI), cycle(FUKUOKA)
    for turn in range(rounds):
        site, source = ((HERE, mine), (THERE, yours))[turn % 2]
        numbers = tuple(islice(source, 2))
        said.append((site, numbers, at_s, pause_s))
        at_s += sum(one.seconds + pause_s for one in script((site, numbers, 0.0, 0.0)).utterances)
    return script(*said)


def quiet_between(there: tuple[int, ...], pause_s: float = 1.0) -> Dialogue:
    """Two sentences here, those of the other site, two sentences here: time enough for a busy machine to start a
    board."""
    said: list[tuple[str, tuple[int, ...], float, float]] = []
    at_s = 0.5
    for site, numbers in ((HERE, IKI[:2]), (THERE, there), (HERE, IKI[2:4])):
        said.append((site, numbers, at_s, pause_s))
        at_s += sum(one.seconds + pause_s for one in script((site, numbers, 0.0, 0.0)).utterances)
    return script(*said)


def middle_of(dialogue: Dialogue, site: str, index: int) -> float:
    one = dialogue.of(site)[index]
    return (one.speech_from_s + one.speech_to_s) / 2


def end_of(dialogue: Dialogue, site: str, index: int) -> float:
    return dialogue.of(site)[index].speech_to_s


class Undisturbed:
    """The run to compare with, once for each script."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, Outcome] = {}

    async def of(self, name: str, dialogue: Dialogue, delay: Delay | None = None) -> Outcome:
        if name not in self._known:
            self._known[name] = await Play(dialogue, self._folder / f"undisturbed-{name}", delay=delay).run()
        return self._known[name]


def transcript_row(scenario: str, found: Outcome, undisturbed: Outcome, form: str, unheard_s: float = 0.0) -> Row:
    """`unheard_s`: as long as this nobody listened at a board, because its process was dead; no record can have it."""
    compared = found.against(undisturbed)
    whole = found.account.figure == 1.0 or (unheard_s > 0 and found.account.gap_s <= unheard_s)
    whole = whole and found.account.pending_s == 0.0
    budget = "transcript equal, nothing twice, coverage 1.0" + (" but for the dead board" if unheard_s else "")
    detail = [str(one) for one in compared.differences] + [f"gap: {gap}" for gap in found.account.gaps]
    return Row(scenario, budget, f"{compared}; {found.account}", compared.equal and whole, form, tuple(detail))


def cut(board: str, begin_s: float, length_s: float, *, silent: bool = False) -> Fault:
    """`silent`: the packets vanish at sea; else the plug is pulled."""

    async def fault(scene: Scene) -> None:
        await scene.at(begin_s)
        scene.mark("cut")
        (scene.network.silence if silent else scene.network.cut)(board)
        await scene.at(begin_s + length_s)
        scene.mark("mended")
        if silent:
            scene.network.lose(board, 0)
        else:
            scene.network.mend(board)

    return fault


def return_rows(scenario: str, found: Outcome, form: str) -> list[Row]:
    """The link came back while both sites spoke."""
    scene, mended = found.scene, found.scene.marks["mended"]
    to_here = scene.watch.sound_again_s(HERE, found.sites[THERE], mended)
    from_here = scene.watch.sound_again_s(THERE, found.sites[HERE], mended)
    both = None if to_here is None or from_here is None else max(to_here, from_here)
    captions = scene.told.first_after(mended, ("caption.partial", "line.committed"), found.sites[HERE])
    sound = at_most(f"{scenario}: sound back", "both ways within", BACK_SOUND_S, both, "s", form)
    ways = f"towards the board {_s(to_here)}, from the board {_s(from_here)}"
    shown, told = (look(HERE, scene.marks["cut"]) for look in (scene.watch.noticed_s, scene.watch.sentence_s))
    seen = at_most(f"{scenario}: shown on the board", "within", SHOWN_S, shown, "s", form)
    return [
        Row(sound.scenario, sound.budget, f"{sound.measured} ({ways})", sound.ok, form),
        at_most(
            f"{scenario}: captions back",
            "within",
            BACK_CAPTIONS_S,
            None if captions is None else captions - mended,
            "s",
            form,
        ),
        Row(seen.scenario, seen.budget, f"{seen.measured} (the sentence {_s(told)})", seen.ok, form),
    ]


def _s(value: float | None) -> str:
    return "never" if value is None else f"{value:.2f} s"


async def cut_10s(folder: Path, undisturbed: Undisturbed, full: bool, *, silent: bool = False) -> list[Row]:
    name = "silent_10s" if silent else "cut_10s"
    dialogue = talk(7)
    plain = await undisturbed.of("talk-7", dialogue)
    fault = cut(HERE, middle_of(dialogue, HERE, 1), 10.0, silent=silent)
    found = await Play(dialogue, folder, fault).run()
    form = "packets vanish for 10 s" if silent else "plug out for 10 s"
    return [transcript_row(name, found, plain, form), *return_rows(name, found, form)]


async def silent_10s(folder: Path, undisturbed: Undisturbed, full: bool) -> list[Row]:
    return await cut_10s(folder, undisturbed, full, silent=True)


async def short_cut(folder: Path, undisturbed: Undisturbed, full: bool) -> list[Row]:
    """Both sites say the same at the same time and only one cable is cut: the other's lines are what it should have."""
    numbers = (4, 13)
    dialogue = script((HERE, numbers, 0.3, 0.7), (THERE, numbers, 0.3, 0.7))
    found = await Play(dialogue, folder, cut(HERE, middle_of(dialogue, HERE, 0), 3.0)).run()
    mine = [one for one in found.lines if one.site == HERE]
    expected = [replace(one, site=HERE) for one in found.lines if one.site == THERE]
    compared = compare(expected, mine, SHORT_TOLERANCE_S)
    texts = [one.text for one in dialogue.of(THERE)]
    whole = [one.text for one in expected] == texts and found.account.figure == 1.0
    detail = tuple(str(one) for one in compared.differences)
    budget = f"transcript equal (times within {1000 * SHORT_TOLERANCE_S:.0f} ms), nothing twice, coverage 1.0"
    return [
        Row("short_cut", budget, f"{compared}; {found.account}", compared.equal and whole, "plug out for 3 s", detail)
    ]


async def cut_long(folder: Path, undisturbed: Undisturbed, full: bool, *, restart: bool = False) -> list[Row]:
    """Ten minutes; 45 s in the short form. With `restart` the hub is killed and started again meanwhile."""
    length_s = 600.0 if full else 45.0
    sentences = int((length_s + 16) / 3.3)
    dialogue = talk(sentences)
    plain = await undisturbed.of(f"talk-{sentences}", dialogue)
    begin_s = middle_of(dialogue, HERE, 1)
    cable = cut(HERE, begin_s, length_s)

    async def fault(scene: Scene) -> None:
        async def hub() -> None:
            await scene.at(begin_s + length_s / 3)
            await scene.stage.kill_hub()
            await scene.stage.restart_hub()

        await asyncio.gather(cable(scene), *([hub()] if restart else []))

    name = "cut_10min_hub_restart" if restart else "cut_10min"
    found = await Play(dialogue, folder, fault, patience_s=max(60.0, length_s / 4)).run()
    form = (
        f"{length_s:.0f} s" + ("" if full else " for 10 min") + (", hub killed and restarted in it" if restart else "")
    )
    return [transcript_row(name, found, plain, form), *return_rows(name, found, form)]


async def cut_long_with_hub(folder: Path, undisturbed: Undisturbed, full: bool) -> list[Row]:
    return await cut_long(folder, undisturbed, full, restart=True)


async def kill_worker(folder: Path, undisturbed: Undisturbed, full: bool, *, module: str) -> list[Row]:
    dialogue = talk(5)
    plain = await undisturbed.of("talk-5", dialogue)

    async def fault(scene: Scene) -> None:
        await scene.at(middle_of(dialogue, HERE, 1))
        scene.stage.worker(module).kill()

    found = await Play(dialogue, folder, fault).run()
    name = "kill_media_worker" if "media" in module else "kill_transcription_worker"
    return [transcript_row(name, found, plain, "kill -9 in mid-sentence")]


async def kill_media_worker(folder: Path, undisturbed: Undisturbed, full: bool) -> list[Row]:
    return await kill_worker(folder, undisturbed, full, module="signaling.media.worker")


async def kill_transcription_worker(folder: Path, undisturbed: Undisturbed, full: bool) -> list[Row]:
    return await kill_worker(folder, undisturbed, full, module="transcription")


async def hang_worker(folder: Path, undisturbed: Undisturbed, full: bool, *, module: str) -> list[Row]:
    """It stands still (SIGSTOP) and says nothing any more; the hub has to find that out and start another."""
    dialogue = talk(7)
    plain = await undisturbed.of("talk-7", dialogue)

    async def fault(scene: Scene) -> None:
        await scene.at(middle_of(dialogue, HERE, 1))
        scene.stage.worker(module).suspend()

    found = await Play(dialogue, folder, fault, patience_s=90.0).run()
    name = "hang_media_worker" if "media" in module else "hang_transcription_worker"
    return [transcript_row(name, found, plain, "SIGSTOP in mid-sentence, for good")]


async def hang_media_worker(folder: Path, undisturbed: Undisturbed, full: bool) -> list[Row]:
    return await hang_worker(folder, undisturbed, full, module="signaling.media.worker")


async def hang_transcription_worker(folder: Path, undisturbed: Undisturbed, full: bool) -> list[Row]:
    return await hang_worker(folder, undisturbed, full, module="transcription")


async def kill_hub(folder: Path, undisturbed: Undisturbed, full: bool) -> list[Row]:
    dialogue = talk(7)
    plain = await undisturbed.of("talk-7", dialogue)

    async def fault(scene: Scene) -> None:
        await scene.at(middle_of(dialogue, HERE, 1))
        await scene.stage.kill_hub()
        await scene.stage.restart_hub()

    found = await Play(dialogue, folder, fault).run()
    return [transcript_row("kill_hub", found, plain, "kill -9 in mid-sentence, started again at once")]


async def kill_board(folder: Path, undisturbed: Undisturbed, full: bool) -> list[Row]:
    """The cable dies in mid-sentence, then the board; it starts again with the hub away and says more; the cable heals.

    What is said while no process listens cannot be in any record, so the board dies while its room is silent: all
    that it heard before is on its disk alone.
    """
    dialogue = turns(5)
    plain = await undisturbed.of("turns-5", dialogue)

    async def fault(scene: Scene) -> None:
        await scene.at(middle_of(dialogue, HERE, 1))
        scene.network.cut(HERE)
        await scene.at(end_of(dialogue, HERE, 1) + 1.0)
        await scene.stage.kill_board(HERE)
        await scene.stage.start_board(HERE)
        await scene.at(middle_of(dialogue, HERE, 2))
        scene.network.mend(HERE)

    found = await Play(dialogue, folder, fault).run()
    return [transcript_row("kill_board", found, plain, "kill -9 behind a dead cable", RESTART_S)]


async def kill_board_mid(folder: Path, undisturbed: Undisturbed, full: bool) -> list[Row]:
    """In mid-sentence, connected: no more may be lost than the time without a process and one flush of 0.5 s."""
    dialogue = turns(5)

    async def fault(scene: Scene) -> None:
        await scene.at(middle_of(dialogue, HERE, 1))
        scene.mark("killed")
        await scene.stage.kill_board(HERE)
        await scene.stage.start_board(HERE)
        scene.mark("started")

    found = await Play(dialogue, folder, fault).run()
    dead_s = found.scene.marks["started"] - found.scene.marks["killed"]
    here_s = sum(end - begin for site, begin, end, _ in found.account.gaps if site == HERE)
    form = f"kill -9 in mid-sentence, dead for {dead_s:.1f} s"
    row = at_most("kill_board_mid", "missing beyond the dead time", 1.0, max(0.0, here_s - dead_s), "s", form)
    detail = tuple(f"gap: {gap}" for gap in found.account.gaps)
    return [Row(row.scenario, row.budget, f"{row.measured}; {found.account}", row.ok, form, detail)]


async def kills_at_random(folder: Path, undisturbed: Undisturbed, full: bool, *, seed: int = 3) -> list[Row]:
    """Board, hub and workers die at random times; a board only where its room is silent long enough to start again."""
    length_s = 900.0 if full else 75.0
    rounds = int(length_s / 7.5)
    dialogue = turns(rounds)
    plain = await undisturbed.of(f"turns-{rounds}", dialogue)
    chance = random.Random(seed)
    done: list[str] = []

    async def fault(scene: Scene) -> None:
        at_s = 4.0
        while (at_s := at_s + chance.uniform(6.0, 16.0)) < length_s - 12.0:
            await scene.at(at_s)
            victim = chance.choice(("hub", "media", "recogniser", HERE, THERE))
            done.append(f"{victim} at {at_s:.1f} s")
            await _kill(scene, dialogue, victim)

    found = await Play(dialogue, folder, fault, patience_s=90.0).run()
    boards = sum(HERE in one or THERE in one for one in done)
    form = f"{length_s:.0f} s" + ("" if full else " for 15 min") + f", seed {seed}, {len(done)} kills"
    row = transcript_row("kills_at_random", found, plain, form, RESTART_S * boards)
    return [Row(row.scenario, row.budget, row.measured, row.ok, form, (*done, *row.detail))]


async def _kill(scene: Scene, dialogue: Dialogue, victim: str) -> None:
    stage = scene.stage
    match victim:
        case "hub":
            await stage.kill_hub()
            await stage.restart_hub()
        case "media":
            stage.worker("signaling.media.worker").kill()
        case "recogniser":
            stage.worker("transcription").kill()
        case board:
            await scene.at(_quiet_from(dialogue, board, scene))
            await stage.kill_board(board)
            await stage.start_board(board)


def _quiet_from(dialogue: Dialogue, board: str, scene: Scene) -> float:
    """The next second of the script from which that board's room is silent for as long as a restart takes."""
    now_s = time.time() - scene.starts_at
    said = dialogue.of(board)
    for before, after in pairwise(said):
        begin, end = before.speech_to_s + 1.0, after.speech_from_s - RESTART_S
        if end >= now_s and begin <= end:
            return max(now_s, begin)
    return said[-1].speech_to_s + 1.0
