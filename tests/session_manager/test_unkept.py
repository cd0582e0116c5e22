"""Off the record: from that moment nothing is kept or written down, wherever it comes from, and the account says so."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from session_manager.booking_records import Series
from session_manager.consent import Level
from session_manager.coverage import figure
from session_manager.errors import NotPossible
from session_manager.hub import Hub
from session_manager.schedule import Interval, wall
from tests.session_manager.lab import ZONE, Lab
from tests.session_manager.test_mending import board_of, running_hub, spoken

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hub]:
    async with running_hub(tmp_path_factory.mktemp("hub")) as made:
        yield made


async def test_what_is_said_off_the_record_is_not_kept_live_nor_later_and_is_no_gap(hub: Hub) -> None:
    board = await board_of(hub, spoken())
    stream = board.stream()
    board.origin_at = time.time()
    hub.store.set_origin(stream.track_id, stream.epoch, board.origin_at)
    hub.store.go_off(board.session_id, board.origin_at + 4.0)
    hub.store.go_on(board.session_id, board.origin_at + 9.0)
    while wanted := await board.have():
        await board.bring(wanted)
    log = (await hub.transcript.recorder.open(hub.store.stream(stream.track_id, stream.epoch))).log
    assert [(run.start, run.stop) for run in log.numbers()] == [(0, 200), (450, len(spoken()))]
    await board.mended()
    await hub.live.end_session(board.session_id)
    (track,) = hub.store.coverage(board.session_id)
    off = [span for span in track.spans if span.kind == "off_record"]
    assert [(round(one.started_at - board.origin_at, 1), round(one.ended_at - board.origin_at, 1)) for one in off] == [
        (4.0, 9.0)
    ]
    assert figure([track]) == 1.0
    assert hub.store.session(board.session_id).completed_at is not None


async def test_live_sound_is_dropped_from_the_switch_on_and_taken_again_after_it(hub: Hub) -> None:
    board = await board_of(hub, spoken())
    third = len(spoken()) // 3
    stream = await board.live(lambda one: one.sequence < third, finish=False)
    await hub.live.set_record(board.session_id, on=False)
    await hub.live.set_record(board.session_id, on=False)
    assert hub.live.record_of(hub.store.session(board.session_id)) == "off"
    kept = hub.transcript.recorder.packets
    await board.live(lambda one: third <= one.sequence < 2 * third, finish=False)
    assert hub.transcript.recorder.packets == kept
    assert hub.transcript.recorder.unkept == third
    await hub.live.set_record(board.session_id, on=True)
    assert [on_at is not None for _, on_at in hub.store.off_spans(board.session_id)] == [True]
    states = [event.data["record"] for event in hub.store.events(board.session_id, 0, 99) if "record" in event.data]
    assert states[-2:] == ["off", "on"]
    assert stream.session_id == board.session_id


async def test_an_end_ends_it_and_after_that_there_is_nothing_to_switch(hub: Hub) -> None:
    board = await board_of(hub, spoken())
    await hub.live.set_record(board.session_id, on=False)
    ended = await hub.live.end_session(board.session_id)
    assert [on_at for _, on_at in hub.store.off_spans(board.session_id)] == [ended.ended_at]
    with pytest.raises(NotPossible):
        await hub.live.set_record(board.session_id, on=False)


async def test_a_hub_that_starts_again_is_still_off_the_record(hub: Hub) -> None:
    board = await board_of(hub, spoken())
    hub.store.go_off(board.session_id, time.time())
    await hub.live.restore()
    assert hub.live.record_of(hub.store.session(board.session_id)) == "off"


async def test_what_people_said_at_the_door_is_kept_from_the_first_word_on_and_through_a_restart(hub: Hub) -> None:
    store, now = hub.store, time.time()
    lab = Lab(store, guests=2)
    one_day = lab.wish(rule="FREQ=DAILY;COUNT=1")
    starts = int(now) // 60 * 60 + 600
    time_there = wall(Interval(starts, starts + 3600), ZONE)
    made = store.book_series(replace(one_day, pattern=replace(one_day.pattern, time=time_there)), now)
    assert isinstance(made, Series), made
    booking_id, session_id = made.dates[0].booking_id, str(made.dates[0].session_id)
    store.set_level(booking_id, Level.TRANSCRIPT, Level.TURNS)

    def come(level: Level) -> None:
        store.come_in(booking_id, lab.people[1], "in_person", level, False, "t", now)

    come(Level.PRESENCE)
    session = await hub.live.start_session(session_id)
    assert hub.live.record_of(session) == "off"
    with pytest.raises(NotPossible, match="no word is kept"):
        await hub.live.set_record(session_id, on=True)
    come(Level.TRANSCRIPT)
    assert hub.live.record_of(session) == "off"
    await hub.live.set_record(session_id, on=True)
    assert hub.live.record_of(session) == "on"
    come(Level.TURNS)
    await hub.live.restore()
    assert hub.live.record_of(session) == "off"
    assert len(await asyncio.to_thread(store.off_spans, session_id)) == 2
    await hub.live.end_session(session_id)
