"""Every scenario by its name, in the order in which they run."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path

from tests.faults import browser, close, cuts, lines, machine, relay, wear
from tests.faults.cuts import Undisturbed
from tests.faults.rows import Row

Scenario = Callable[[Path, Undisturbed, bool], Coroutine[object, object, list[Row]]]

SCENARIOS: dict[str, Scenario] = {
    "short_cut": cuts.short_cut,
    "cut_10s": cuts.cut_10s,
    "silent_10s": cuts.silent_10s,
    "kill_transcription_worker": cuts.kill_transcription_worker,
    "kill_media_worker": cuts.kill_media_worker,
    "hang_media_worker": cuts.hang_media_worker,
    "hang_transcription_worker": cuts.hang_transcription_worker,
    "kill_hub": cuts.kill_hub,
    "kill_board": cuts.kill_board,
    "kill_board_mid": cuts.kill_board_mid,
    "loss_5": lines.loss_5,
    "loss_10": lines.loss_10,
    "loss_20": lines.loss_20,
    "cap_800": lines.cap_800,
    "cap_800_browser": browser.cap_800_browser,
    "cap_64": lines.cap_64,
    "relay_only": relay.relay_only,
    "mouth_to_ear": close.mouth_to_ear,
    "drift": wear.drift,
    "disk_full": wear.disk_full,
    "slow_disk": machine.slow_disks,
    "clock_step_board": machine.clock_step_board,
    "clock_step_hub": machine.clock_step_hub,
    "cut_10min": cuts.cut_long,
    "cut_10min_hub_restart": cuts.cut_long_with_hub,
    "kills_at_random": cuts.kills_at_random,
    "memory": wear.memory,
}
