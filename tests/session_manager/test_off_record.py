"""When a session is off the record, and who switches it by HTTP."""

from __future__ import annotations

import pytest

from session_manager.errors import NotFound
from session_manager.repair import off_at
from tests.session_manager.hall import NOW, Hall, Web


def test_off_and_on_are_kept_once_each(hall: Hall) -> None:
    store, session_id = hall.store, hall.session_id
    assert store.off_spans(session_id) == []
    assert not store.go_on(session_id, NOW)
    assert [store.go_off(session_id, NOW), store.go_off(session_id, NOW + 1)] == [True, False]
    assert store.off_spans(session_id) == [(NOW, None)]
    assert [store.go_on(session_id, NOW + 2), store.go_on(session_id, NOW + 3)] == [True, False]
    store.go_off(session_id, NOW + 4)
    assert store.off_spans(session_id) == [(NOW, NOW + 2), (NOW + 4, None)]
    with pytest.raises(NotFound):
        store.go_off("nowhere", NOW)


def test_the_first_instant_is_off_and_the_last_is_on() -> None:
    spans = [(1.0, 2.0), (3.0, None)]
    assert [off_at(instant, spans) for instant in (0.9, 1.0, 1.9, 2.0, 3.0, 99.0)] == [
        False, True, True, False, True, True,
    ]  # fmt: skip


async def test_the_office_switches_a_session_that_is_going_on_and_nobody_else_may(web: Web) -> None:
    here = f"/api/sessions/{web.hall.session_id}/record"
    async with web.signed_in() as office, web.browser() as stranger:
        assert (await office.post(here, json={"on": False})).status_code == 409
        web.store.set_state(web.hall.session_id, "planned", "live", NOW)
        assert (await office.post(here, json={"on": False})).json()["record"] == "off"
        assert (await office.get(f"/api/sessions/{web.hall.session_id}")).json()["record"] == "off"
        assert (await office.post(here, json={"on": True})).json()["record"] == "on"
        assert (await stranger.post(here, json={"on": False})).status_code == 401
    async with web.viewing(web.hall.session_id) as viewer:
        assert (await viewer.post(here, json={"on": False})).status_code in (403, 404)
