"""The panel on a real loopback socket."""

from __future__ import annotations

import httpx
import pytest

from room_agent.errors import CannotStart
from room_agent.panel.app import bind, serve_panel
from room_agent.status import State, Status


async def test_the_status_is_what_the_facts_say_at_that_moment() -> None:
    states: list[State] = ["idle"]
    async with (
        serve_panel(bind(0), lambda: Status(states[-1])) as url,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        assert url.startswith("http://127.0.0.1:")
        assert (await client.get(url)).json()["state"] == "idle"
        states.append("live")
        assert (await client.get(url)).json()["state"] == "live"
        assert (await client.get(url, headers={"Host": "evil.example"})).status_code == 400
        assert (await client.post(url)).status_code == 405


def test_a_port_in_use_is_a_sentence() -> None:
    taken = bind(0)
    try:
        with pytest.raises(CannotStart, match="in use"):
            bind(taken.getsockname()[1])
    finally:
        taken.close()
