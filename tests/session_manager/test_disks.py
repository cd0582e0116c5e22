"""A board's full disk is said for as long as it is so, at the sites that it concerns, and nowhere else."""

from __future__ import annotations

from session_manager.disks import Disks, sentence
from session_manager.records import DiskTold, SiteRisk
from tests.session_manager.hall import NOW, Hall

FULL = DiskTold("full", at_risk_s=3.5, room_s=0.0, lost_s=1.0)


async def test_only_a_change_of_level_is_news(hall: Hall) -> None:
    disks = Disks(hall.store)
    told = [DiskTold("ok"), DiskTold("near"), DiskTold("near", room_s=9.0), FULL, DiskTold("ok"), DiskTold("ok")]
    assert [disks.note("board", one) for one in told] == [False, True, False, True, True, False]


async def test_a_site_is_at_risk_while_its_board_says_so_and_the_session_is_live(hall: Hall) -> None:
    disks = Disks(hall.store)
    board = hall.boards[1].board_id
    disks.note(board, FULL)
    assert await disks.at_risk(hall.store.session(hall.session_id)) == []
    hall.store.set_state(hall.session_id, "planned", "live", NOW)
    session = hall.store.session(hall.session_id)
    assert await disks.at_risk(session) == [SiteRisk(session.sites[1].site_id, "福岡", "full", 3.5, 0.0, 1.0)]
    disks.note(board, DiskTold("ok"))
    assert await disks.at_risk(session) == []


async def test_it_concerns_the_live_sessions_of_the_boards_room(hall: Hall) -> None:
    disks = Disks(hall.store)
    elsewhere = hall.plan([])
    hall.store.set_state(elsewhere.session_id, "planned", "live", NOW)
    board = hall.boards[0].board_id
    assert await disks.live_sessions(board, NOW) == []
    hall.store.set_state(hall.session_id, "planned", "live", NOW)
    assert await disks.live_sessions(board, NOW) == [hall.session_id]


def test_the_sentence_names_the_site_and_the_disk() -> None:
    full, near = (sentence(SiteRisk("s", "壱岐", level, 0.0, None, 0.0)) for level in ("full", "near"))  # type: ignore[arg-type]
    assert "壱岐" in full
    assert "disk" in full
    assert "nearly full" in near
