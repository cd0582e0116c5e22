"""What the machine under a process does to it: a clock that jumps, a disk that takes its time."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from session_manager.demo.dialogue import microphone_script
from session_manager.demo.stage import write_script
from tests.faults.cuts import FUKUOKA, HERE, THERE, Undisturbed, end_of, middle_of, quiet_between, talk, transcript_row
from tests.faults.plays import Play, Scene
from tests.faults.rows import Row, at_most
from tests.faults.scene import HUB, ends_s

WRONG_BY_S = 3600
CORRECTED_BY_S = -90
START_S = 16.0
"""For as long as its room is silent a board may take to start: the clock is looked at here, and not the start."""
DISK_DELAY_MS = 400
MISSING_PERCENT = 1.0
LIBRARIES = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/lib/faketime/libfaketimeMT.so.1")


class WallClock:
    """A process's own clock of the day, by Debian's libfaketime; what counts durations in it is left alone."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "clock"
        self.step(0)

    def step(self, seconds: int) -> None:
        """From now on it is off by that much."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{seconds:+d}\n", encoding="ascii")
        fresh.replace(self._file)

    def wrapper(self) -> tuple[str, ...]:
        """What a command begins with to live by this clock."""
        return (
            "env",
            f"LD_PRELOAD={_first(LIBRARIES)}",
            f"FAKETIME_TIMESTAMP_FILE={self._file}",
            "FAKETIME_NO_CACHE=1",
            "FAKETIME_DONT_FAKE_MONOTONIC=1",
            "NO_FAKE_STAT=1",
        )


def slow_disk(delay_ms: int) -> tuple[str, ...]:
    """What a command begins with whose disk takes that long for each promise that something is on the medium."""
    late = f"inject=fsync,fdatasync:delay_enter={1000 * delay_ms}"
    return ("strace", "-D", "-f", "--seccomp-bpf", "-qqq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e", late)


def _first(patterns: Iterable[str]) -> Path:
    found = [path for pattern in patterns for path in Path("/").glob(pattern.lstrip("/"))]
    if not found:
        raise FileNotFoundError("libfaketime is not here. Install Debian's package faketime.")
    return found[0]


async def clock_step_board(folder: Path, undisturbed: Undisturbed, full: bool) -> list[Row]:
    """The board's clock jumps an hour; then its cable dies, then the board; what it says next only its disk has."""
    dialogue = quiet_between(FUKUOKA)
    plain = await undisturbed.of("quiet-between", dialogue)
    clock = WallClock(folder / "clock-board")

    async def fault(scene: Scene) -> None:
        await scene.at(middle_of(dialogue, HERE, 0))
        clock.step(WRONG_BY_S)
        await scene.at(middle_of(dialogue, HERE, 1))
        scene.network.cut(HERE)
        await scene.at(end_of(dialogue, HERE, 1) + 1.0)
        await scene.stage.kill_board(HERE)
        spoken_at = scene.starts_at + WRONG_BY_S  # the simulated room begins by the clock of its own machine
        write_script(scene.stage.folder / f"{HERE}.json", microphone_script(dialogue, HERE, spoken_at))
        await scene.stage.start_board(HERE)
        await scene.at(middle_of(dialogue, HERE, 2))
        scene.network.mend(HERE)

    found = await Play(dialogue, folder, fault, wrappers={HERE: clock.wrapper()}).run()
    form = f"the board's clock jumps {WRONG_BY_S} s, then kill -9 behind a dead cable"
    return [transcript_row("clock_step_board", found, plain, form, START_S)]


async def clock_step_hub(folder: Path, undisturbed: Undisturbed, full: bool) -> list[Row]:
    """The hub's clock is put right in mid-sentence, and a cable is dead for a while after that."""
    dialogue = talk(7)
    plain = await undisturbed.of("talk-7", dialogue)
    clock = WallClock(folder / "clock-hub")

    async def fault(scene: Scene) -> None:
        await scene.at(middle_of(dialogue, HERE, 1))
        clock.step(CORRECTED_BY_S)
        await scene.at(middle_of(dialogue, HERE, 3))
        scene.network.cut(HERE)
        await scene.at(middle_of(dialogue, HERE, 4))
        scene.network.mend(HERE)

    found = await Play(dialogue, folder, fault, wrappers={HUB: clock.wrapper()}).run()
    form = f"the hub's clock jumps {CORRECTED_BY_S} s in mid-sentence, a cable is dead for 3 s after it"
    return [transcript_row("clock_step_hub", found, plain, form)]


async def slow_disks(folder: Path, undisturbed: Undisturbed, full: bool) -> list[Row]:
    """Hub and one board, each on a disk that takes almost half a second for every flush; a cable is dead for 4 s."""
    dialogue = talk(7)
    plain = await undisturbed.of("talk-7", dialogue)
    slow = slow_disk(DISK_DELAY_MS)

    async def fault(scene: Scene) -> None:
        scene.mark("begin")
        await scene.at(middle_of(dialogue, HERE, 4))
        scene.mark("end")
        scene.network.cut(HERE)
        await scene.at(middle_of(dialogue, HERE, 4) + 4.0)
        scene.network.mend(HERE)
        await scene.at(ends_s(dialogue))

    found = await Play(dialogue, folder, fault, wrappers={HUB: slow, HERE: slow}, patience_s=90.0).run()
    begin, end = found.scene.marks["begin"], found.scene.marks["end"]
    watch = found.scene.watch
    missing = max(
        watch.missing_share(HERE, found.sites[THERE], begin, end),
        watch.missing_share(THERE, found.sites[HERE], begin, end),
    )
    form = f"{DISK_DELAY_MS} ms for every flush at hub and board, a cable dead for 4 s"
    return [
        at_most("slow_disk: live sound", "missing", MISSING_PERCENT, 100 * missing, "%", form),
        transcript_row("slow_disk", found, plain, form),
    ]
