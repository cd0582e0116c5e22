"""Whatever is sent to the interface that the hub describes, it answers; it never breaks.

schemathesis makes requests out of the OpenAPI document, well formed and not. So that they reach what lies behind the
forms, identifiers are mostly replaced by things the town really has, and times by some of the days where those are.
`SHIMAWA_FUZZ` is how many requests each operation gets from each caller (`make fuzz`); the cases are the same each time
unless `SHIMAWA_FUZZ_SEED` names others.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.schemas import APIOperation

from tests.session_manager.bodies import thing
from tests.session_manager.hall import NOW, Hall, open_store, open_web
from tests.session_manager.two_towns import Headers, World, actions, bearer_headers

EXAMPLES = int(os.environ.get("SHIMAWA_FUZZ", "4"))
SEED = int(os.environ.get("SHIMAWA_FUZZ_SEED", "1"))
pytestmark = pytest.mark.timeout(120 * EXAMPLES)
APART = {
    "/api/sessions/{session_id}/events": "streams until the session ends; test_web_live.py hears it",
    "/api/logout": "would end the caller",
}
TIMES = [f"2026-06-{day:02}T{hour:02}:{minute}" for day in (1, 2, 8) for hour in (9, 11, 13) for minute in ("00", "30")]
DAYS = ["2026-06-01", "2026-06-08", "2026-07-01"]
CLOCKS = {"starts": TIMES, "ends": TIMES, "first": DAYS, "last": DAYS, "day": DAYS}


@dataclass
class Caller:
    """Somebody with a key, in a world of its own: what one takes away is still there for the next."""

    who: str
    headers: Headers
    world: World
    answers: Counter[int] = field(default_factory=Counter)


@pytest.fixture
def callers(tmp_path: Path) -> Iterator[list[Caller]]:
    with contextlib.ExitStack() as stack:

        def caller(who: str, key: Callable[[World], str]) -> Caller:
            store = stack.enter_context(contextlib.closing(open_store(tmp_path / who)))
            world = World.over(open_web(Hall(store)))
            return Caller(who, bearer_headers(key(world)), world)

        yield [
            caller("the town's administrator", lambda world: _token(world, account_id=world.iki.ids["account_id"])),
            caller("the installation's administrator", _everywhere),
            caller("a member", lambda world: _token(world, person_id=world.iki.ids["person_id"])),
            caller("a board", lambda world: world.iki.keys["board"]),
        ]


def _token(world: World, **whose: str) -> str:
    return world.web.store.add_token("x", actions(), NOW, NOW + 9e6, **whose).secret


def _everywhere(world: World) -> str:
    account = world.web.store.add_account("everywhere", "long enough a word", "administrator")
    return _token(world, account_id=account.account_id)


def operations(app: FastAPI) -> Iterator[APIOperation[Any, Any, Any, Any]]:
    """What takes things away comes last."""
    described = schemathesis.openapi.from_dict(app.openapi())
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


def test_no_request_breaks_the_hub(callers: list[Caller]) -> None:
    """Making the cases costs most by far, so everybody asks with the same ones."""
    with asyncio.Runner() as runner:
        for operation in operations(callers[0].world.web.app):
            _try(operation, callers, runner)
    for caller in callers:
        assert caller.answers.total() > 100 * EXAMPLES
        if caller.who.endswith("administrator"):
            assert sum(n for status, n in caller.answers.items() if status < 300) > 20 * EXAMPLES, caller.answers


def _try(operation: APIOperation[Any, Any, Any, Any], callers: list[Caller], runner: asyncio.Runner) -> None:
    @seed(SEED)
    @settings(max_examples=EXAMPLES, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=cases(operation), data=st.data())
    def ask(case: Case, data: st.DataObject) -> None:
        made = {part: getattr(case, part) for part in ("path_parameters", "query", "body")}
        for caller in callers:
            for part, value in made.items():
                setattr(case, part, grounded(value, caller.world.iki.ids, data))
            answer, sent = runner.run(_ask(case, caller))
            caller.answers[answer.status_code] += 1
            assert answer.status_code < 500, (caller.who, operation.method, operation.path, sent, answer.text)

    ask()


async def _ask(case: Case, caller: Caller) -> tuple[httpx.Response, dict[str, Any]]:
    sent = case.as_transport_kwargs(base_url="http://hub")
    headers = {**sent.pop("headers"), **caller.headers}
    sent.pop("cookies", None)
    if "data" in sent:
        sent["content"] = sent.pop("data")
    return await caller.world.ask(sent.pop("method"), sent.pop("url"), headers, **sent), sent
