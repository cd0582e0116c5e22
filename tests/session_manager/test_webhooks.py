"""What programs are told: signed, nothing confidential, at least once, never into our own network."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from session_manager.courier import Courier
from session_manager.pricing import Holder
from session_manager.store.hooks import CLAIM_S
from session_manager.web.settings import WebSettings
from session_manager.webhooks import GIVE_UP_S, MAX_ATTEMPTS, retry_at, secret_of, signature, wanted
from tests.session_manager.hall import NOW, SECRET, WORKER, Hall, Web, open_web
from tests.session_manager.house import at
from tests.session_manager.test_web_calendar import build_in
from tests.session_manager.test_web_people import Towns


@dataclass
class Other:
    """The program at the other end. `answers`: statuses, one per message; then 200."""

    answers: list[int] = field(default_factory=list)
    heads: list[dict[str, str]] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        head = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        self.bodies.append((await reader.readexactly(int(head["content-length"]))).decode())
        self.heads.append(head)
        status = self.answers.pop(0) if self.answers else 200
        place = "Location: http://127.0.0.1:1/\r\n" if status == 302 else ""
        writer.write(f"HTTP/1.1 {status} X\r\n{place}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
        writer.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def allowed(self) -> tuple[str, ...]:
        return (f"private:127.0.0.1:{self.port}",)


@pytest.fixture
async def other() -> AsyncIterator[Other]:
    other = Other()
    server = await asyncio.start_server(other.serve, "127.0.0.1", 0)
    other.port = server.sockets[0].getsockname()[1]
    yield other
    server.close()
    await server.wait_closed()


@pytest.fixture
def web(hall: Hall, other: Other) -> Web:
    return open_web(hall, WebSettings(SECRET, WORKER, webhook_hosts=other.allowed))


def courier(web: Web, other: Other) -> Courier:
    return Courier(web.store, SECRET, other.allowed, lambda: web.at[0])


def verified(secret: str, head: dict[str, str], body: str) -> bool:
    """As a receiver does it, without our code."""
    key = base64.b64decode(secret.split("_", 1)[1])
    text = f"{head['webhook-id']}.{head['webhook-timestamp']}.{body}".encode()
    made = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
    return head["webhook-signature"] == f"v1,{made}"


def test_the_signature_is_the_standards_own_example() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = '{"test": 2432232314}'
    made = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_each_webhook_has_a_secret_of_its_own_that_is_not_stored() -> None:
    assert secret_of(SECRET, "a") == secret_of(SECRET, "a") != secret_of(SECRET, "b")
    assert len(base64.b64decode(secret_of(SECRET, "a").removeprefix("whsec_"))) == 32


def test_names_stand_for_one_a_family_or_all() -> None:
    assert wanted("booking.made", ["booking.*"])
    assert wanted("session.live", ["*"])
    assert wanted("booking.made", ["booking.made"])
    assert not wanted("booking.made", ["booking.cancel", "session.*"])


def test_waiting_grows_and_ends() -> None:
    waits = [retry_at(number, 0.0) for number in range(1, MAX_ATTEMPTS + 1)]
    assert waits[:2] == [5.0, 300.0]
    assert waits[-1] is None
    assert waits[:-1] == sorted(one for one in waits if one is not None)


async def test_what_happens_is_told_signed_and_without_anything_confidential(web: Web, other: Other) -> None:
    towns = Towns(web)
    house = build_in(web, towns.iki)
    async with towns.office() as office:
        made = await office.post(
            f"{towns.here}/webhooks", json={"url": other.url, "events": ["booking.*", "session.*"]}
        )
        assert made.status_code == 201
        secret = made.json()["secret"]
        assert secret not in (await office.get(f"{towns.here}/webhooks")).text
        hook = made.json()["webhook"]["webhook_id"]
        booking = house.book(
            at(1), title="秘密の打合せ", kind="dialogue", confidential=True, holder=Holder(towns.person.person_id)
        )
        session_id = booking.session_id or ""
        web.store.set_state(session_id, "planned", "live", NOW)
        assert (await office.post(f"{towns.here}/webhooks/{hook}/test")).status_code == 202
        assert await courier(web, other).deliver_due() == 3
        assert await courier(web, other).deliver_due() == 0
        log = (await office.get(f"{towns.here}/webhooks/{hook}/deliveries")).json()
        assert {(row["event"], row["state"]) for row in log} == {
            ("booking.made", "sent"),
            ("session.live", "sent"),
            ("webhook.test", "sent"),
        }
    assert all(verified(secret, head, body) for head, body in zip(other.heads, other.bodies, strict=True))
    told = {json.loads(body)["type"]: json.loads(body)["data"] for body in other.bodies}
    assert told["booking.made"]["booking_id"] == booking.booking_id
    assert told["booking.made"]["starts_at"] == "2026-06-01T01:00:00Z"
    assert told["booking.made"]["session_id"] is None
    assert told["session.live"] == {"session_id": session_id, "confidential": True}
    text = "".join(other.bodies)
    assert "秘密" not in text
    assert towns.person.person_id not in text


async def test_another_municipality_hears_nothing_and_cannot_look(web: Web, other: Other) -> None:
    towns = Towns(web)
    hook = web.store.add_webhook(towns.fukuoka.municipality_id, other.url, ["*"], NOW)
    build_in(web, towns.iki).book(at(1))
    assert web.store.claim_deliveries(NOW + 1, 10) == []
    async with towns.office() as office:
        for method, path in (("GET", "/deliveries"), ("POST", "/test"), ("POST", "/enable"), ("DELETE", "")):
            answer = await office.request(method, f"{towns.here}/webhooks/{hook.webhook_id}{path}")
            assert answer.status_code == 404
        away = towns.here.replace(towns.iki.municipality_id, towns.fukuoka.municipality_id)
        assert (await office.get(f"{away}/webhooks")).status_code == 404


async def test_a_failure_waits_longer_each_time_and_the_message_keeps_its_name(web: Web, other: Other) -> None:
    towns = Towns(web)
    web.store.add_webhook(towns.iki.municipality_id, other.url, ["*"], NOW)
    build_in(web, towns.iki).book(at(1))
    other.answers = [500, 302]
    for wait in (0.0, 5.0, 300.0):
        web.at[0] += wait
        assert await courier(web, other).deliver_due() == 1
        assert await courier(web, other).deliver_due() == 0
    assert len({head["webhook-id"] for head in other.heads}) == 1
    assert len(other.bodies) == 3
    (hook,) = web.store.webhooks(towns.iki.municipality_id)
    assert (hook.failing_since, hook.failure) == (None, None)


async def test_a_killed_hub_leaves_its_message_to_the_next(web: Web, other: Other) -> None:
    towns = Towns(web)
    web.store.add_webhook(towns.iki.municipality_id, other.url, ["*"], NOW)
    build_in(web, towns.iki).book(at(1))
    (claimed,) = web.store.claim_deliveries(NOW, 10)
    assert await courier(web, other).deliver_due() == 0
    web.at[0] += CLAIM_S
    assert await courier(web, other).deliver_due() == 1
    assert other.heads[0]["webhook-id"] == claimed.delivery_id


@pytest.mark.parametrize("last", [503, 410])
async def test_one_that_takes_nothing_for_long_or_wants_no_more_is_switched_off_and_the_office_told(
    web: Web, other: Other, last: int
) -> None:
    towns = Towns(web)
    home = towns.iki.municipality_id
    web.store.set_office_mail(home, "office@iki.example", "ja")
    hook = web.store.add_webhook(home, other.url, ["*"], NOW)
    build_in(web, towns.iki).book(at(1))
    other.answers = [503, last]
    loop = courier(web, other)
    await loop.deliver_due()
    web.at[0] += GIVE_UP_S if last == 503 else 5.0
    await loop.deliver_due()
    assert loop.stats.switched_off == 1
    (off,) = web.store.webhooks(home)
    assert off.disabled_at == web.at[0]
    assert [row.cause.split(":")[0] for row in web.store.outbox(home)] == ["webhook_off"]
    web.at[0] += 10 * 86_400
    assert await loop.deliver_due() == 0
    web.store.enable_webhook(home, hook.webhook_id, web.at[0])
    assert await loop.deliver_due() == 1
    assert len(other.bodies) == 3


async def test_addresses_that_are_none_of_the_worlds_are_refused(web: Web) -> None:
    towns = Towns(web)
    async with towns.office() as office:
        for url in (
            "http://127.0.0.1:1/",
            "https://user:pw@hooks.example/",
            "https://hooks.example:8443/",
            "http://hooks.example/",
            "ftp://hooks.example/",
            "https://hooks.example\\@127.0.0.1/",
        ):
            answer = await office.post(f"{towns.here}/webhooks", json={"url": url, "events": ["*"]})
            assert answer.status_code == 403, url


@pytest.mark.parametrize(
    "url", ["https://localhost/", "https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/"]
)
async def test_a_name_that_leads_into_the_house_is_not_reached_at_delivery(web: Web, other: Other, url: str) -> None:
    towns = Towns(web)
    hook = web.store.add_webhook(towns.iki.municipality_id, url, ["*"], NOW)
    web.store.try_webhook(towns.iki.municipality_id, hook.webhook_id, NOW)
    await courier(web, other).deliver_due()
    (row,) = web.store.deliveries(towns.iki.municipality_id, hook.webhook_id)
    assert (row.state, row.failure) == ("waiting", "address not allowed")


async def test_the_hubs_loop_delivers_by_itself(web: Web, other: Other) -> None:
    towns = Towns(web)
    web.store.add_webhook(towns.iki.municipality_id, other.url, ["*"], NOW)
    build_in(web, towns.iki).book(at(1))
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        task = group.create_task(courier(web, other).run())
        while not other.bodies:
            await asyncio.sleep(0.01)
        task.cancel()
