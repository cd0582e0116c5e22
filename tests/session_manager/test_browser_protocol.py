"""`protocol.js` in a real Chromium against a hub that a test speaks: resume, order, resending, back-off, the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from tests.session_manager.site import Wire, opened, running_site

pytestmark = [pytest.mark.chromium, pytest.mark.asyncio(loop_scope="session")]

START = """
async ({ tokens }) => {
  const { Signaling } = await import("/static/protocol.js");
  window.told = [];
  const url = location.origin.replace("http", "ws") + "/signal";
  window.signaling = new Signaling({ url, token: async () => {
    const token = tokens.length > 1 ? tokens.shift() : tokens[0];
    if (token === "none") throw Object.assign(new Error("no seat"), { final: true, code: "bad_token" });
    return token;
  }, info: { name: "test", version: "1" }, random: () => 0 });
  const types = ["link", "joined", "line.committed", "levels"];
  for (const type of types) signaling.on(type, (body) => told.push([type, body]));
  signaling.start();
}
"""
NUMBERS = "() => told.filter(([type]) => type === 'line.committed').map(([, body]) => body.n)"
STATES = "() => told.filter(([type]) => type === 'link').map(([, body]) => [body.state, body.code ?? null])"


@asynccontextmanager
async def client(
    browser: Browser,
    tmp_path: Path,
    script: Callable[[Wire], Awaitable[object]],
    tokens: tuple[str, ...] = ("token",),
) -> AsyncIterator[Page]:
    async with running_site(tmp_path, script) as site, opened(browser) as (_, page):
        await page.goto(f"{site.url}/login")
        await page.evaluate(START, {"tokens": list(tokens)})
        yield page


async def test_any_loss_ends_in_each_event_once_and_in_order(browser: Browser, tmp_path: Path) -> None:
    connections = 0
    resumes: list[object] = []

    async def hub(wire: Wire) -> None:
        nonlocal connections
        connections += 1
        if connections == 1:
            await wire.welcome(resume_token="first")
            for number in (1, 2, 3):
                await wire.event("line.committed", {"n": number})
            await wire.say("line.committed", {"n": 2}, seq=2)
            await wire.say("levels", {"levels": {"t": 20}})
            while (await wire.hear(beats=True)).get("ack") != 3:
                pass
            await wire.close()
        else:
            hello = await wire.hear()
            resumes.append(hello["b"]["resume"])  # type: ignore[index]
            welcome = {"peer_id": "me", "role": "participant", "resume_token": "second", "resumed": True}
            await wire.say("welcome", {"version": 1, "server_time": 0, "grace_s": 60, **welcome}, re=hello["id"])
            for number in (3, 4, 5):
                await wire.say("line.committed", {"n": number}, seq=number)
            await wire.hear_type("leave")

    async with client(browser, tmp_path, hub) as page:
        await page.wait_for_function(f"() => ({NUMBERS})().length === 5")
        assert await page.evaluate(NUMBERS) == [1, 2, 3, 4, 5]
        assert resumes == [{"token": "first", "recv_seq": 3}]
        await page.evaluate("() => void signaling.leave()")
        await page.wait_for_function(f"() => ({STATES})().at(-1)[0] === 'over'")


async def test_a_command_without_its_reply_is_sent_again_with_the_same_id(browser: Browser, tmp_path: Path) -> None:
    seen: list[object] = []

    async def hub(wire: Wire) -> None:
        if not seen:
            await wire.welcome()
            seen.append((await wire.hear())["id"])
            await wire.close()
            return
        await wire.welcome(resumed=True, snapshot=None)
        again = await wire.hear()
        seen.append(again["id"])
        await wire.say("done", {}, re=again["id"])
        await wire.hear_type("leave")

    async with client(browser, tmp_path, hub) as page:
        await page.wait_for_function("() => signaling.isOpen")
        assert await page.evaluate("() => signaling.request('hand.raise', { raised: true })") == {}
        assert len(seen) == 2
        assert seen[0] == seen[1]


async def test_a_new_peer_begins_anew_and_voids_old_commands(browser: Browser, tmp_path: Path) -> None:
    """`resumed` false: numbering begins again, and whoever waits for the old peer's replies is told."""
    count = 0

    async def hub(wire: Wire) -> None:
        nonlocal count
        count += 1
        await wire.welcome(peer_id=f"peer-{count}")
        if count == 1:
            for number in (1, 2):
                await wire.event("line.committed", {"n": number})
            await wire.hear_type("hand.raise")
            await wire.close()
            return
        await wire.event("line.committed", {"n": 10})
        await wire.hear_type("leave")

    async with client(browser, tmp_path, hub) as page:
        await page.wait_for_function("() => signaling.isOpen")
        code = await page.evaluate("() => signaling.request('hand.raise', { raised: true }).catch((e) => e.code)")
        assert code == "lost"
        await page.wait_for_function(f"() => ({NUMBERS})().length === 3")
        assert await page.evaluate(NUMBERS) == [1, 2, 10]


async def test_after_a_resync_events_go_on_where_the_hub_says(browser: Browser, tmp_path: Path) -> None:
    count = 0

    async def hub(wire: Wire) -> None:
        nonlocal count
        count += 1
        if count == 1:
            await wire.welcome()
            await wire.event("line.committed", {"n": 1})
            await wire.close()
            return
        await wire.welcome(resumed=True, resync="history gone", next_seq=40)
        await wire.say("line.committed", {"n": 39}, seq=39)
        await wire.say("line.committed", {"n": 40}, seq=40)
        await wire.hear_type("leave")

    async with client(browser, tmp_path, hub) as page:
        await page.wait_for_function(f"() => ({NUMBERS})().length === 2")
        assert await page.evaluate(NUMBERS) == [1, 40]


@pytest.mark.parametrize(
    ("code", "over"), [("session_ended", True), ("bad_token", True), ("seat_taken", True), ("expired_token", False)]
)
async def test_a_refused_hello_is_for_good_or_brings_a_fresh_token(
    code: str, over: bool, browser: Browser, tmp_path: Path
) -> None:
    heard: list[object] = []

    async def hub(wire: Wire) -> None:
        hello = await wire.hear()
        heard.append(hello["b"]["token"])  # type: ignore[index]
        if len(heard) == 1:
            await wire.say("refused", {"code": code, "message": "no"}, re=hello["id"])
            await wire.close(4401)
            return
        await wire.say(
            "welcome",
            {"version": 1, "peer_id": "me", "role": "participant", "resume_token": "r", "server_time": 0, "grace_s": 1},
            re=hello["id"],
        )
        await wire.hear_type("leave")

    async with client(browser, tmp_path, hub, ("old", "fresh")) as page:
        wanted = "over" if over else "open"
        await page.wait_for_function(f"() => ({STATES})().at(-1)[0] === '{wanted}'")
        assert heard == (["old"] if over else ["old", "fresh"])


@pytest.mark.parametrize(("action", "resumes"), [("resume", True), ("rejoin", False)])
async def test_a_dismissal_says_how_to_come_back(action: str, resumes: bool, browser: Browser, tmp_path: Path) -> None:
    hellos: list[dict[str, object]] = []

    async def hub(wire: Wire) -> None:
        hellos.append((await wire.welcome())["b"])  # type: ignore[arg-type]
        if len(hellos) == 1:
            await wire.say("dismissed", {"action": action, "code": "going_away", "message": ""})
        await wire.hear_type("leave")

    async with client(browser, tmp_path, hub) as page:
        await page.wait_for_function("() => told.filter(([type]) => type === 'joined').length === 2")
        assert ("resume" in hellos[1]) is resumes


async def test_stop_means_stop(browser: Browser, tmp_path: Path) -> None:
    connections = 0

    async def hub(wire: Wire) -> None:
        nonlocal connections
        connections += 1
        await wire.welcome()
        await wire.say("dismissed", {"action": "stop", "code": "session_over", "message": ""})
        await wire.close()

    async with client(browser, tmp_path, hub) as page:
        await page.wait_for_function(f"() => ({STATES})().at(-1)[0] === 'over'")
        assert (await page.evaluate(STATES))[-1] == ["over", "session_over"]
        assert await page.evaluate("() => signaling.request('beat', {}).catch((e) => e.code)") == "lost"
        assert connections == 1


async def test_a_silent_hub_is_noticed_and_garbage_is_passed_over(browser: Browser, tmp_path: Path) -> None:
    count = 0

    async def hub(wire: Wire) -> None:
        nonlocal count
        count += 1
        await wire.welcome(heartbeat_ms=100)
        if count == 1:
            await wire.shout("not json")
            await wire.shout('{"t": 7}')
            await wire.say("something.new", {"x": 1}, seq=1)
            await asyncio.Event().wait()
        await wire.hear_type("leave")

    async with client(browser, tmp_path, hub) as page:
        await page.wait_for_function("() => told.filter(([type]) => type === 'joined').length === 2")
        assert ["waiting", "silent"] in await page.evaluate(STATES)


async def test_waiting_times_are_those_of_the_protocol(browser: Browser, tmp_path: Path) -> None:
    async with client(browser, tmp_path, Wire.hear, ("none",)) as page:
        waits = await page.evaluate(
            """async () => {
              const { backOff } = await import("/static/protocol.js");
              return [0, 1].map((chance) => [0, 1, 2, 3, 4, 5, 99].map((n) => backOff(n, null, () => chance)));
            }"""
        )
        assert waits == [[0, 300, 500, 1000, 1000, 1000, 1000], [0, 1000, 2000, 3000, 3000, 3000, 3000]]
        assert (
            await page.evaluate("async () => (await import('/static/protocol.js')).backOff(1, 4000, () => 1)") == 6000
        )
        assert (await page.evaluate(STATES))[-1] == ["over", "bad_token"]
