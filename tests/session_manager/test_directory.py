"""Who may join, and under which number a track is recorded: the directory over a real store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from session_manager import tokens
from session_manager.directory import HubDirectory
from session_manager.errors import NotPossible
from session_manager.records import Seat, Session, Stream
from session_manager.store import NewSite
from signaling.ports import Anchor, Denial, Grant, Placed, TrackOffer, TrackSpec
from tests.session_manager.hall import open_store

NOW = 1_800_000_000.0
SECRET = b"s" * 32


class Recording:
    def __init__(self) -> None:
        self.begun: list[tuple[str, int]] = []
        self.finished: list[tuple[str, int]] = []
        self.placed: list[Placed | None] = []

    async def begin(self, stream: Stream, languages: tuple[str, ...], placed: Placed | None = None) -> None:
        self.begun.append((stream.track_id, stream.epoch))
        self.placed.append(placed)

    async def finish(self, track_id: str, epoch: int) -> None:
        self.finished.append((track_id, epoch))


class Bench:
    def __init__(self, folder: Path) -> None:
        self.store = open_store(folder)
        facility = self.store.add_facility("壱岐", "Asia/Tokyo")
        room = self.store.add_room(facility.facility_id, "ホール")
        self.store.add_board(room.room_id, "ボード", NOW)
        sites = [NewSite("壱岐", room.room_id, ("ja", "en"))]
        self.session: Session = self.store.add_session("会", NOW, NOW + 3_600, "Asia/Tokyo", sites)
        self.seat: Seat = self.store.seats(self.session.session_id)[0]
        self.recording = Recording()
        self.now = NOW
        self.directory = HubDirectory(self.store, self.recording, SECRET, ("ja",), lambda: self.now)

    def token(self, ttl_s: float = 120.0) -> str:
        claims = tokens.Claims(self.session.session_id, self.seat.seat_id, self.seat.role, self.now + ttl_s)
        return tokens.issue(SECRET, claims)

    async def grant(self) -> Grant:
        found = await self.directory.admit(self.token())
        assert isinstance(found, Grant)
        return found


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.store.close()


def mic(epoch: int | None = 1) -> TrackOffer:
    return TrackOffer("mic", "audio", "room_mic", "0", epoch, Anchor(0, 0))


async def test_a_good_token_seats_a_board_at_its_site(bench: Bench) -> None:
    found = await bench.grant()
    assert (found.site_name, found.role.value, found.languages) == ("壱岐", "board", ("ja", "en"))


async def test_an_old_token_and_a_forged_one_are_told_apart(bench: Bench) -> None:
    old = bench.token(ttl_s=60.0)
    bench.now += 61.0
    denied = [await bench.directory.admit(old), await bench.directory.admit(bench.token()[:-4] + "AAAA")]
    assert [one.code for one in denied if isinstance(one, Denial)] == ["expired_token", "bad_token"]


async def test_a_session_that_is_over_lets_nobody_in(bench: Bench) -> None:
    for before, after in (("planned", "live"), ("live", "ending"), ("ending", "ended")):
        bench.store.set_state(bench.session.session_id, before, after, NOW)  # type: ignore[arg-type]
    denied = await bench.directory.admit(bench.token())
    assert isinstance(denied, Denial)
    assert denied.code == "session_ended"


async def test_an_audio_track_is_recorded_and_a_video_track_is_not(bench: Bench) -> None:
    grant = await bench.grant()
    opened = await bench.directory.open_track(grant, mic())
    assert isinstance(opened, TrackSpec)
    await bench.directory.open_track(grant, TrackOffer("cam", "video", "room_cam", "1"))
    assert bench.recording.begun == [(opened.track_id, 1)]


async def test_the_same_epoch_may_be_published_again_and_an_earlier_one_may_not(bench: Bench) -> None:
    grant = await bench.grant()
    first = await bench.directory.open_track(grant, mic(2))
    again = await bench.directory.open_track(grant, mic(2))
    stale = await bench.directory.open_track(grant, mic(1))
    assert isinstance(first, TrackSpec)
    assert isinstance(again, TrackSpec)
    assert first.track_id == again.track_id
    assert isinstance(stale, Denial)
    assert stale.code == "stale_epoch"


async def test_a_stream_ends_with_the_last_of_its_publications(bench: Bench) -> None:
    grant = await bench.grant()
    old = await bench.directory.open_track(grant, mic())
    new = await bench.directory.open_track(grant, mic())
    assert isinstance(old, TrackSpec)
    assert isinstance(new, TrackSpec)
    await bench.directory.close_track(old, "replaced")
    assert bench.recording.finished == []
    await bench.directory.close_track(new, "left")
    assert bench.recording.finished == [(new.track_id, 1)]


async def test_where_a_board_puts_its_sound_on_our_clock_goes_to_who_records_it(bench: Bench) -> None:
    grant = await bench.grant()
    await bench.directory.open_track(grant, replace(mic(), placed=Placed(NOW - 1.5, 0.01)))
    await bench.directory.open_track(grant, mic())
    assert bench.recording.placed == [Placed(NOW - 1.5, 0.01), None]


async def test_what_the_store_refuses_is_a_denial_and_no_exception(bench: Bench) -> None:
    grant = await bench.grant()
    await bench.directory.open_track(grant, mic())
    denied = await bench.directory.open_track(grant, TrackOffer("mic", "video", "room_cam", "1"))
    assert isinstance(denied, Denial)


async def test_the_record_is_switched_where_it_is_kept_and_a_refusal_has_its_sentence(bench: Bench) -> None:
    switched: list[tuple[str, bool]] = []

    async def switch(session_id: str, on: bool) -> None:
        if on:
            raise NotPossible("Only a session that is going on.")
        switched.append((session_id, on))

    seat = await bench.grant()
    assert await bench.directory.set_record(seat, False) == Denial("not_permitted", "This hub records nothing.")
    bench.directory.switch_record = switch
    assert await bench.directory.set_record(seat, False) is None
    assert await bench.directory.set_record(seat, True) == Denial("not_permitted", "Only a session that is going on.")
    assert switched == [(seat.session_id, False)]
