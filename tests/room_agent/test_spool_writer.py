"""The spool on a real disk: what was flushed is there after anything, sealed; what is damaged is a hole."""

from __future__ import annotations

import asyncio
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from room_agent.errors import CannotStart
from room_agent.hubclock import Exchange, HubClock
from room_agent.spool import Limits, Run, count
from room_agent.spool_writer import PENDING_PACKETS, Spool
from signaling.media.aiortc_adapter import NumberedPacket

NO_RESERVE = Limits(min_free_bytes=0)
PAYLOAD = b"\x78" + b"what was said".ljust(79, b".")


def packet(sequence: int, payload: bytes = PAYLOAD) -> NumberedPacket:
    return NumberedPacket(sequence, sequence * 960, payload)


def say(spool: Spool, epoch: int, first: int, end: int, payload: bytes = PAYLOAD) -> None:
    for sequence in range(first, end):
        spool.put(epoch, packet(sequence, payload), time.monotonic())


def until(so: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def opened(folder: Path, **more: object) -> Spool:
    spool = Spool(folder, NO_RESERVE, flush_s=0.01, **more)  # type: ignore[arg-type]
    spool.session_id = "session"
    assert spool.loaded.wait(20)
    return spool


def kept(spool: Spool, epoch: int) -> int:
    spans = ((each, each.next_sequence - each.first_sequence) for each in spool.holdings() if each.epoch == epoch)
    return sum(span - count(each.missing) for each, span in spans)


def held(spool: Spool, epoch: int, many: int) -> bool:
    return kept(spool, epoch) == many


def written(folder: Path, end: int = 100, epoch: int = 1) -> None:
    """An earlier process said 0 … end - 1."""
    spool = opened(folder)
    for first in range(0, end, 25):
        say(spool, epoch, first, min(end, first + 25))
        until(partial(held, spool, epoch, min(end, first + 25)))
    spool.close()


def only_segment(folder: Path) -> Path:
    (segment,) = folder.glob("spool/*/*.segment")
    return segment


def test_what_was_said_is_read_again_by_the_next_process_and_is_closed_there(tmp_path: Path) -> None:
    written(tmp_path)
    spool = opened(tmp_path)
    (holding,) = spool.holdings()
    assert (holding.session_id, holding.epoch, holding.closed) == ("session", 1, True)
    assert (holding.first_sequence, holding.next_sequence, holding.end_sample) == (0, 100, 96_000)
    assert [each.sequence for each in spool.packets(1, Run(40, 60), 1 << 18)] == list(range(40, 60))
    assert spool.packets(1, Run(40, 60), 1 << 18)[0].payload == PAYLOAD
    assert len(spool.packets(1, Run(0, 100), 1000)) == 10, "no more than there is room for"
    assert spool.highest_epoch == 1
    spool.close()


def test_nothing_that_was_said_can_be_read_without_the_key(tmp_path: Path) -> None:
    written(tmp_path)
    assert b"what was said" not in only_segment(tmp_path).read_bytes()
    assert (tmp_path / "spool.key").stat().st_mode & 0o077 == 0
    (tmp_path / "spool.key").unlink()
    spool = opened(tmp_path)
    assert spool.holdings() == []
    spool.close()


def test_a_damaged_key_costs_the_old_sound_and_not_the_new(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "spool.key").write_bytes(b"short")
    spool = opened(tmp_path)
    say(spool, 2, 0, 10)
    until(lambda: kept(spool, 2) == 10)
    spool.close()
    assert (tmp_path / "spool.damaged").exists()


def test_a_torn_tail_costs_the_last_record_only(tmp_path: Path) -> None:
    written(tmp_path)
    segment = only_segment(tmp_path)
    whole = segment.read_bytes()
    for cut, left in ((1, 75), (500, 75), (len(whole) // 2, 25), (len(whole) - 20, 0), (len(whole), 0)):
        segment.write_bytes(whole[: len(whole) - cut])
        spool = opened(tmp_path)
        assert kept(spool, 1) == left
        spool.close()


@pytest.mark.parametrize("seed", range(6))
def test_what_was_altered_is_a_hole_and_never_an_error(tmp_path: Path, seed: int) -> None:
    written(tmp_path)
    segment, chance = only_segment(tmp_path), random.Random(seed)
    damaged = bytearray(segment.read_bytes())
    for _ in range(2):
        damaged[chance.randrange(96, len(damaged))] ^= 1 << chance.randrange(8)
    segment.write_bytes(damaged)
    spool = opened(tmp_path)
    assert 50 <= kept(spool, 1) <= 75
    assert all(each.payload == PAYLOAD for each in spool.packets(1, Run(0, 100), 1 << 18))
    spool.close()


def test_sound_of_another_stream_is_none_of_this_one(tmp_path: Path) -> None:
    written(tmp_path)
    segment = only_segment(tmp_path)
    shutil.copytree(segment.parent, tmp_path / "spool" / "7")
    spool = opened(tmp_path)
    assert [each.epoch for each in spool.holdings()] == [1]
    spool.close()


def test_what_turns_out_unreadable_later_is_not_offered_again(tmp_path: Path) -> None:
    written(tmp_path)
    spool = opened(tmp_path)
    segment = only_segment(tmp_path)
    segment.write_bytes(segment.read_bytes()[:-100])
    assert len(spool.packets(1, Run(0, 100), 1 << 18)) == 75
    assert spool.packets(1, Run(75, 100), 1 << 18) == []
    assert spool.holdings()[0].next_sequence == 75
    spool.close()


def test_acknowledgements_survive_and_so_does_what_the_hub_does_not_know(tmp_path: Path) -> None:
    written(tmp_path)
    written(tmp_path, epoch=2)
    spool = opened(tmp_path)
    spool.acknowledge(1, [Run(0, 60)])
    spool.forsake(2)
    spool.close()
    spool = opened(tmp_path)
    assert spool.unsent_s() == pytest.approx(0.8)
    assert [each.epoch for each in spool.holdings()] == [1]
    spool.close()


def test_the_origin_is_the_instant_of_sample_zero_and_follows_a_clock_that_is_put_right(tmp_path: Path) -> None:
    wall = 1000.0
    spool = opened(tmp_path, clock=lambda: wall, monotonic=lambda: 50.0)
    spool.put(3, packet(10), 49.5)
    assert spool.holdings() == []
    until(spool.holdings)
    assert spool.holdings()[0].origin_at == pytest.approx(1000.0 - 0.5 - 0.2)
    wall = 9000.0
    spool.put(3, packet(11), 49.52)
    assert spool.holdings()[0].origin_at == pytest.approx(9000.0 - 0.5 - 0.2)
    spool.close()


def test_outside_a_session_nothing_is_kept(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    spool.session_id = None
    say(spool, 1, 0, 10)
    spool.close()
    assert list(tmp_path.glob("spool/*")) == []


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("")
    with pytest.raises(CannotStart, match="spool"):
        Spool(tmp_path)


SPEAKER = """
import sys, time
from pathlib import Path
from room_agent.spool_writer import Spool
from signaling.media.aiortc_adapter import NumberedPacket
spool = Spool(Path(sys.argv[1]))
spool.session_id = "session"
for sequence in range(1_000_000):
    spool.put(1, NumberedPacket(sequence, sequence * 960, b"\\x78" * 80), time.monotonic())
    time.sleep(0.002)
    if sequence % 50 == 0:
        print(spool.holdings()[0].next_sequence if spool.holdings() else 0, flush=True)
"""


async def test_after_kill_9_everything_that_was_flushed_is_there(tmp_path: Path) -> None:
    speaker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SPEAKER, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert speaker.stdout is not None
    safe = 0
    while safe < 200:
        safe = int(await speaker.stdout.readline())
    speaker.send_signal(signal.SIGKILL)
    await speaker.communicate()
    spool = opened(tmp_path)
    assert kept(spool, 1) >= safe
    spool.close()


def test_a_full_disk_costs_nothing_but_memory_and_when_there_is_room_it_goes_on(tiny_disk: Path) -> None:
    ballast = tiny_disk / "ballast"
    ballast.write_bytes(b"x" * 60_000)
    spool = opened(tiny_disk)
    say(spool, 1, 0, 1000)
    until(lambda: spool.state().level == "full")
    state = spool.state()
    assert state.at_risk_s == pytest.approx((1000 - kept(spool, 1)) * 0.02, abs=0.1)
    assert state.lost_s == 0.0
    ballast.unlink()
    spool.acknowledge(1, [Run(0, kept(spool, 1))])
    until(lambda: spool.state().level != "full" or kept(spool, 1) < 1000)
    spool.close()
    again = opened(tiny_disk)
    for each in again.packets(1, Run(0, 1000), 1 << 18):
        assert each.payload == PAYLOAD
    assert kept(again, 1) > 500, "no file is corrupt"
    again.close()


def test_memory_has_a_bound_too_and_what_it_drops_is_said(tiny_disk: Path) -> None:
    (tiny_disk / "ballast").write_bytes(b"x" * 88_000)
    spool = opened(tiny_disk)
    say(spool, 1, 0, PENDING_PACKETS + 400)
    until(lambda: spool.state().level == "full")
    say(spool, 1, PENDING_PACKETS + 400, PENDING_PACKETS + 500)
    assert 0 < spool.state().lost_s <= 500 * 0.02 + 0.1
    spool.close()


def test_sent_sound_makes_room_for_new(tiny_disk: Path) -> None:
    for epoch in (1, 2):
        written(tiny_disk, 300, epoch)
    spool = opened(tiny_disk)
    spool.acknowledge(1, [Run(0, 300)])
    spool.acknowledge(2, [Run(0, 200)])
    say(spool, 3, 0, 500)
    until(lambda: kept(spool, 3) == 500)
    assert kept(spool, 2) == 300
    until(lambda: spool.state().level == "near")  # full for a moment while the oldest goes
    spool.close()
    assert not (tiny_disk / "spool" / "1").exists(), "the oldest that was sent is gone"


def hub_clock(hub_at: float, ours: float, half_s: float = 0.005) -> HubClock:
    """It was heard that the hub's clock reads `hub_at` when ours counts `ours`."""
    clock = HubClock()
    clock.heard(Exchange(ours - half_s, hub_at, hub_at, ours + half_s))
    return clock


def test_where_sound_lies_on_the_hubs_clock_hangs_on_no_clock_of_the_day(tmp_path: Path) -> None:
    spool = opened(tmp_path, clock=lambda: 9_999.0, monotonic=lambda: 50.0, boot="this")
    spool.put(1, packet(10), 49.5)
    until(lambda: held(spool, 1, 1))
    assert (spool.holdings()[0].placed_at, spool.holdings()[0].within_s) == (None, None)
    spool.place(hub_clock(1060.0, 60.0))
    first = spool.holdings()[0]
    assert first.placed_at == pytest.approx(1049.5 - 0.2)
    assert first.within_s == pytest.approx(0.006, abs=0.002)
    spool.place(hub_clock(1060.3, 60.0, half_s=0.5))
    assert spool.holdings()[0].placed_at == first.placed_at, "a worse answer moves nothing"
    spool.place(hub_clock(1960.3, 60.0, half_s=0.5))
    assert spool.holdings()[0].placed_at == pytest.approx(1949.8 - 0.2), "but the hub's clock was set"
    spool.close()


def test_a_new_process_knows_where_the_last_ones_sound_lies_for_as_long_as_the_machine_runs(tmp_path: Path) -> None:
    before = opened(tmp_path, monotonic=lambda: 50.0, boot="this")
    before.put(1, packet(0), 50.0)
    until(lambda: held(before, 1, 1))
    before.close()
    after = opened(tmp_path, boot="this")
    after.place(hub_clock(1070.0, 70.0))
    assert after.holdings()[0].placed_at == pytest.approx(1050.0)
    until(lambda: b'"placed_at": 10' in (tmp_path / "spool" / "1" / "stream.json").read_bytes())
    after.close()
    other = opened(tmp_path, boot="that")
    other.place(hub_clock(5000.0, 1.0))
    assert other.holdings()[0].placed_at == pytest.approx(1050.0), "what was learnt in time holds"
    other.close()


def test_what_another_start_of_the_machine_counted_means_nothing(tmp_path: Path) -> None:
    before = opened(tmp_path, monotonic=lambda: 50.0, boot="this")
    before.put(1, packet(0), 50.0)
    until(lambda: held(before, 1, 1))
    before.close()
    after = opened(tmp_path, boot="that")
    after.place(hub_clock(1070.0, 70.0))
    assert after.holdings()[0].placed_at is None
    after.close()
