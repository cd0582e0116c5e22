"""Panels: one tablet each, for one room, taken back at once; and what is reported there."""

from __future__ import annotations

import pytest

from session_manager.errors import NotFound
from session_manager.store import Store
from session_manager.store.panels import AGAIN_S, ANSWER_S, KEY_TTL_S
from tests.session_manager.door import hang
from tests.session_manager.hall import NOW
from tests.session_manager.kinds import everything


def test_a_link_opens_one_tablet_and_the_next_one_takes_its_place(store: Store) -> None:
    door = hang(store)
    first = store.open_panel(door.key, NOW)
    assert first is not None
    found = store.panel_by_cookie(first, NOW)
    assert found is not None
    assert (found.panel_id, found.room_id, found.room) == (door.panel.panel_id, door.room_id, "小会議室")
    again = store.open_panel(door.key, NOW + AGAIN_S - 1)
    assert again is not None
    assert store.panel_by_cookie(first, NOW) is None
    assert store.open_panel(door.key, NOW + AGAIN_S) is None
    renewed = store.renew_panel("default", door.panel.panel_id, NOW)
    assert store.panel_by_cookie(again, NOW) is not None
    assert store.open_panel(renewed.key, NOW + KEY_TTL_S) is None
    assert store.open_panel(renewed.key, NOW + KEY_TTL_S - 1) is not None


def test_no_secret_of_a_panel_stands_in_the_database(store: Store) -> None:
    door = hang(store)
    cookie = store.open_panel(door.key, NOW)
    assert cookie is not None
    whole = everything(store)
    assert door.panel.panel_id in whole
    assert door.key not in whole
    assert cookie not in whole


def test_a_panel_that_is_taken_back_is_nobody_at_once(store: Store) -> None:
    door = hang(store)
    cookie = store.open_panel(door.key, NOW)
    assert cookie is not None
    other = store.add_home("福岡", "Asia/Tokyo", NOW).municipality_id
    for foreign in (store.revoke_panel, store.renew_panel):
        with pytest.raises(NotFound):
            foreign(other, door.panel.panel_id, NOW)
    store.revoke_panel("default", door.panel.panel_id, NOW)
    assert store.panel_by_cookie(cookie, NOW) is None
    assert store.open_panel(door.key, NOW) is None
    assert store.panels("default") == []
    with pytest.raises(NotFound):
        store.panel(door.panel.panel_id)
    with pytest.raises(NotFound):
        store.revoke_panel("default", door.panel.panel_id, NOW)


def test_a_panel_belongs_to_a_room_of_ones_own_town(store: Store) -> None:
    door = hang(store)
    other = store.add_home("福岡", "Asia/Tokyo", NOW).municipality_id
    with pytest.raises(NotFound):
        store.add_panel(other, door.room_id, "入口", NOW)
    assert store.panels(other) == []


def test_looking_often_is_noted_twice_a_minute_at_most(store: Store) -> None:
    door = hang(store)
    cookie = store.open_panel(door.key, NOW)
    assert cookie is not None
    for later in (1, 29, 31):
        store.panel_by_cookie(cookie, NOW + later)
    [panel] = store.panels("default")
    assert panel.last_seen_at == NOW + 31


def test_an_answer_is_kept_for_a_day_for_whoever_asks_the_same_again(store: Store) -> None:
    door = hang(store)
    panel_id = door.panel.panel_id
    assert store.panel_answer(panel_id, "k1") is None
    store.keep_panel_answer(panel_id, "k1", {"a": 1}, NOW)
    assert store.panel_answer(panel_id, "k1") == {"a": 1}
    store.keep_panel_answer(panel_id, "k2", {}, NOW + ANSWER_S + 1)
    assert store.panel_answer(panel_id, "k1") is None


def test_a_fault_touched_ten_times_is_one_report_and_one_letter(store: Store) -> None:
    door = hang(store)
    person = store.register_person("default", "職員", NOW, mail="office@iki.example").person_id
    store.grant("default", person, "staff", NOW)
    for _ in range(10):
        store.report_fault(door.panel, "sound", "panel", NOW)
    store.report_fault(door.panel, "camera", "panel", NOW)
    [camera, sound] = sorted(store.faults("default"), key=lambda one: one.kind)
    assert (camera.kind, sound.kind, sound.room, sound.resolved_at) == ("camera", "sound", "小会議室", None)
    assert [one.recipient for one in store.outbox("default")] == ["office@iki.example"] * 2
    other = store.add_home("福岡", "Asia/Tokyo", NOW).municipality_id
    with pytest.raises(NotFound):
        store.resolve_fault(other, sound.report_id, "x", NOW)
    assert store.faults(other) == []
    done = store.resolve_fault("default", sound.report_id, "x", NOW + 60)
    assert done == store.resolve_fault("default", sound.report_id, "y", NOW + 90)
    assert [one.kind for one in store.faults("default")] == ["camera"]
    assert len(store.faults("default", open_only=False)) == 2
    store.report_fault(door.panel, "sound", "panel", NOW + 120)
    assert len(store.outbox("default")) == 3
