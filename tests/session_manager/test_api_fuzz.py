"""Whatever is sent to the interface that the hub describes, it answers; it never breaks.

schemathesis makes requests out of the OpenAPI document, well formed and not. So that they reach what lies behind the
forms, identifiers are mostly replaced by things the town really has, and times by some of the days where those are.
`SHIMAWA_FUZZ` is how many requests each operation gets from each caller (`make fuzz`); the cases are the same each time
unless `SHIMAWA_FUZZ_SEED` names others.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.schemas import APIOperation

from tests.session_manager.bodies import thing
from tests.session_manager.hall import NOW, Web
from tests.session_manager.two_towns import World, actions, bearer_headers

EXAMPLES = int(os.environ.get("SHIMAWA_FUZZ", "4"))
SEED = int(os.environ.get("SHIMAWA_FUZZ_SEED", "1"))
APART = {
    "/api/sessions/{session_id}/events": "streams until the session ends; test_web_live.py hears it",
    "/api/logout": "would end the caller",
}
TIMES = [f"2026-06-{day:02}T{hour:02}:{minute}" for day in (1, 2, 8) for hour in (9, 11, 13) for minute in ("00", "30")]
DAYS = ["2026-06-01", "2026-06-08", "2026-07-01"]
CLOCKS = {"starts": TIMES, "ends": TIMES, "first": DAYS, "last": DAYS, "day": DAYS}


@pytest.fixture
def world(web: Web) -> World:
    return World.over(web)


def callers(world: World) -> dict[str, dict[str, str]]:
    store, town = world.web.store, world.iki
    office = store.add_token("x", actions(), NOW, NOW + 9e6, account_id=town.ids["account_id"]).secret
    member = store.add_token("x", actions(), NOW, NOW + 9e6, person_id=town.ids["person_id"]).secret
    everybody = store.add_account("everywhere", "long enough a word", "administrator").account_id
    all_towns = store.add_token("x", actions(), NOW, NOW + 9e6, account_id=everybody).secret
    return {
        "the town's administrator": dict(bearer_headers(office)),
        "the installation's administrator": dict(bearer_headers(all_towns)),
        "a member": dict(bearer_headers(member)),
        "a board": dict(bearer_headers(town.keys["board"])),
    }


def operations(world: World) -> Iterator[APIOperation[Any, Any, Any, Any]]:
    """What takes things away comes last."""
    described = schemathesis.openapi.from_dict(world.web.app.openapi())
    found = [one.ok() for one in described.get_all_operations()]
    assert len(found) > 100
    yield from sorted((one for one in found if one.path not in APART), key=lambda one: one.method == "delete")


def cases(operation: APIOperation[Any, Any, Any, Any]) -> st.SearchStrategy[Case]:
    """Half of them well formed, where anything can be malformed at all."""
    kinds = [operation.as_strategy(generation_mode=GenerationMode.POSITIVE)]
    if operation.body or operation.query:
        kinds.append(operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    return st.one_of(kinds)


def grounded(value: Any, ids: dict[str, str], data: st.DataObject) -> Any:
    """With real things and possible times at nearly every place that names one."""
    if isinstance(value, list):
        return [grounded(one, ids, data) for one in value]
    if not isinstance(value, dict):
        return value
    return {name: _ground(name, inner, ids, data) for name, inner in value.items()}


def _ground(name: Any, value: Any, ids: dict[str, str], data: st.DataObject) -> Any:
    real = ids.get(thing(str(name)) or str(name))
    if real is not None and data.draw(st.integers(0, 9), label="real") > 0:
        return [real] if isinstance(value, list) else real
    if name in CLOCKS and data.draw(st.integers(0, 9), label="possible") > 0:
        return data.draw(st.sampled_from(CLOCKS[name]), label=name)
    return grounded(value, ids, data)


@pytest.mark.parametrize("number", range(4))
def test_no_request_breaks_the_hub(world: World, number: int) -> None:
    who, headers = list(callers(world).items())[number]
    asked: dict[int, int] = {}
    with asyncio.Runner() as runner:
        for operation in operations(world):
            _try(operation, who, headers, world, runner, asked)
    assert sum(asked.values()) > 100 * EXAMPLES
    if who.endswith("administrator"):
        assert sum(count for status, count in asked.items() if status < 300) > 20 * EXAMPLES, asked


def _try(
    operation: APIOperation[Any, Any, Any, Any],
    who: str,
    headers: dict[str, str],
    world: World,
    runner: asyncio.Runner,
    asked: dict[int, int],
) -> None:
    @seed(SEED)
    @settings(max_examples=EXAMPLES, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=cases(operation), data=st.data())
    def ask(case: Case, data: st.DataObject) -> None:
        for part in ("path_parameters", "query", "body"):
            setattr(case, part, grounded(getattr(case, part), world.iki.ids, data))
        sent = case.as_transport_kwargs(base_url="http://hub")
        sent["headers"] = {**sent["headers"], **headers}
        sent.pop("cookies", None)
        if "data" in sent:
            sent["content"] = sent.pop("data")
        answer = runner.run(world.ask(sent.pop("method"), sent.pop("url"), sent.pop("headers"), **sent))
        asked[answer.status_code] = asked.get(answer.status_code, 0) + 1
        assert answer.status_code < 500, (who, operation.method, operation.path, sent, answer.text)

    ask()
