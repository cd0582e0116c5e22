"""A panel at its door: sees one room, does five things there, and nothing anywhere else."""

from __future__ import annotations

import pytest
from httpx import AsyncClient

from session_manager.panel import door_code
from session_manager.pricing import PriceRule
from session_manager.schedule import Interval, wall
from tests.session_manager.door import ZONE, Door, hang, standing_at
from tests.session_manager.hall import NOW, SECRET, Web


@pytest.fixture
def door(web: Web) -> Door:
    return hang(web.store)


async def day(browser: AsyncClient) -> dict[str, object]:
    found: dict[str, object] = (await browser.get("/api/panel/day")).json()
    return found


async def test_a_panel_is_made_by_an_administrator_and_opened_once(web: Web, door: Door) -> None:
    async with web.signed_in() as office:
        form = {"room_id": door.room_id, "name": "裏口"}
        made = (await office.post("/api/municipalities/default/panels", json=form)).json()
        key = made["link"].removeprefix("http://hub/panel#")
        listed = (await office.get("/api/municipalities/default/panels")).json()
        assert {one["name"] for one in listed} == {"入口", "裏口"}
        assert key not in str(listed)
        async with standing_at(web, key) as tablet:
            assert (await day(tablet))["room"] == "小会議室"
            await office.delete(f"/api/municipalities/default/panels/{made['panel']['panel_id']}")
            assert (await tablet.get("/api/panel/day")).status_code == 401
    async with web.signed_in("staff") as staff:
        assert (await staff.post("/api/municipalities/default/panels", json=form)).status_code == 403
    async with web.browser() as stranger:
        refused = await stranger.post("/api/panel/open", json={"key": key})
        assert (refused.status_code, refused.json()["code"]) == (401, "not_signed_in")


async def test_its_cookie_is_sent_to_its_own_addresses_only_and_no_script_reads_it(web: Web, door: Door) -> None:
    async with web.browser() as tablet:
        answer = await tablet.post("/api/panel/open", json={"key": door.key})
        [cookie, proof] = answer.headers.get_list("set-cookie")
    assert cookie.startswith("shimawa_panel=")
    assert {"HttpOnly", "Path=/api/panel", "SameSite=strict", "Max-Age=34560000"} <= set(cookie.split("; "))
    assert "HttpOnly" not in proof
    assert "Path=/panel" in proof


async def test_of_a_confidential_booking_a_door_says_only_that_it_is_taken(web: Web, door: Door) -> None:
    person = web.store.register_person("default", "参加者 一郎", NOW).person_id
    door.book(5, 30, "極秘の相談", person, confidential=True)
    door.book(60, 30, "祭りの準備", person)
    async with standing_at(web, door.key) as tablet:
        answer = await tablet.get("/api/panel/day")
        secret, plain = answer.json()["bookings"]
    assert (secret["title"], secret["expected"], secret["lesson"]) == (None, [], None)
    assert plain["title"] == "祭りの準備"
    assert "極秘" not in answer.text
    assert "参加者" not in answer.text
    assert not {"holder", "made_by", "link", "yen"} & set(plain)


async def test_the_expected_glow_from_a_quarter_of_an_hour_before_until_somebody_came(web: Web, door: Door) -> None:
    person = web.store.register_person("default", "参加者 一郎", NOW).person_id
    other = web.store.register_person("default", "参加者 二郎", NOW).person_id
    booking = door.book(16, 60, holder=person)
    async with standing_at(web, door.key) as tablet:
        assert (await day(tablet))["bookings"][0]["expected"] == []  # type: ignore[index]
        touch = f"/api/panel/bookings/{booking.booking_id}/check-in"
        assert (await tablet.post(touch, json={"person_id": person})).status_code == 404
        web.at[0] += 120
        glowing = (await day(tablet))["bookings"][0]["expected"]  # type: ignore[index]
        assert glowing == [{"person_id": person, "initials": "参一"}]
        assert (await tablet.post(touch, json={"person_id": other})).status_code == 404
        assert web.store.booking(booking.booking_id).state == "confirmed"
        for _ in range(2):
            came = await tablet.post(touch, json={"person_id": person})
            assert (came.status_code, came.json()["state"]) == (200, "in_use")
        assert (await day(tablet))["bookings"][0]["expected"] == []  # type: ignore[index]
    touched = [one for one in web.store.booking_events(0) if one.what == "check_in"]
    assert [one.by for one in touched] == [person]


async def test_use_now_holds_the_room_at_once_and_a_lost_answer_does_not_book_twice(web: Web, door: Door) -> None:
    door.book(40, 30)
    async with standing_at(web, door.key) as tablet:
        wish = {"minutes": 30, "request_key": "k1"}
        first = await tablet.post("/api/panel/use", json=wish)
        assert (first.status_code, first.json()["state"]) == (201, "in_use")
        again = await tablet.post("/api/panel/use", json=wish)
        assert again.json()["booking_id"] == first.json()["booking_id"]
        refused = await tablet.post("/api/panel/use", json={"minutes": 15, "request_key": "k2"})
        assert refused.status_code == 409
        held = web.store.bookings(int(NOW), int(NOW) + 7200, place_ids=[door.room_id])
        assert len(held) == 2
        longer = f"/api/panel/bookings/{first.json()['booking_id']}/extend"
        assert (await tablet.post(longer, json={"minutes": 30, "request_key": "k3"})).status_code == 409
        web.at[0] += 60
        done = await tablet.post(f"/api/panel/bookings/{first.json()['booking_id']}/end", json={})
        assert done.json()["state"] == "done"
        taken = await tablet.post("/api/panel/use", json={"minutes": 30, "request_key": "k5"})
        assert taken.status_code == 201
        web.at[0] -= 30
        given_back = await tablet.post(f"/api/panel/bookings/{taken.json()['booking_id']}/end", json={})
        assert given_back.json()["state"] == "cancelled"  # before its first full minute


async def test_staying_longer_is_counted_once_however_often_it_is_sent(web: Web, door: Door) -> None:
    booking = door.book(0, 30)
    async with standing_at(web, door.key) as tablet:
        here = f"/api/panel/bookings/{booking.booking_id}"
        await tablet.post(f"{here}/check-in", json={})
        for _ in range(3):
            answer = await tablet.post(f"{here}/extend", json={"minutes": 15, "request_key": "same"})
            assert answer.json()["ends_at"] == booking.ends_at + 900
        assert (await tablet.post(f"{here}/extend", json={"minutes": 20, "request_key": "x"})).status_code == 422


async def test_a_fee_is_shown_before_it_is_agreed_to(web: Web, door: Door) -> None:
    from dataclasses import replace

    rules = web.store.rules("default")
    web.store.set_rules("default", replace(rules, prices=(PriceRule(user_class="walk_in", yen_per_hour=600),)))
    async with standing_at(web, door.key) as tablet:
        first = await tablet.post("/api/panel/use", json={"minutes": 30, "request_key": "k"})
        assert (first.status_code, first.json()["quote"]["yen"], first.json()["quote"]["taken"]) == (409, 300, [])
        agreed = await tablet.post("/api/panel/use", json={"minutes": 30, "request_key": "k", "accepted_yen": 300})
        assert (agreed.status_code, agreed.json()["yen"]) == (201, 300)


async def test_a_room_that_the_office_gives_is_not_taken_at_its_door(web: Web, door: Door) -> None:
    from dataclasses import replace

    place = next(one for one in web.store.places("default") if one.place_id == door.room_id)
    web.store.change_place(replace(place, needs_approval=True))
    async with standing_at(web, door.key) as tablet:
        assert (await day(tablet))["needs_approval"] is True
        refused = await tablet.post("/api/panel/use", json={"minutes": 30, "request_key": "k"})
        assert (refused.status_code, refused.json()["code"]) == (409, "not_possible")


async def test_another_room_and_another_hour_are_not_there_for_a_panel(web: Web, door: Door) -> None:
    neighbour = hang(web.store, facility="福岡オフィス")
    theirs, later = neighbour.book(0, 60), door.book(120, 60)
    async with standing_at(web, door.key) as tablet:
        for booking in (theirs, later):
            for tail, body in (
                ("check-in", {}),
                ("end", {}),
                ("extend", {"minutes": 15, "request_key": "k"}),
            ):
                answer = await tablet.post(f"/api/panel/bookings/{booking.booking_id}/{tail}", json=body)
                assert answer.status_code == 404, tail
        assert theirs.booking_id not in (await tablet.get("/api/panel/day")).text


async def test_a_panel_does_nothing_that_a_page_of_ours_did_not_mean(web: Web, door: Door) -> None:
    async with standing_at(web, door.key) as tablet:
        proof = tablet.headers.pop("X-CSRF-Token")
        wish = {"minutes": 15, "request_key": "k"}
        assert (await tablet.post("/api/panel/use", json=wish)).status_code == 403
        tablet.headers["X-CSRF-Token"] = proof[:-1] + "x"
        assert (await tablet.post("/api/panel/use", json=wish)).status_code == 403
        tablet.headers["X-CSRF-Token"] = proof
        elsewhere = await tablet.post("/api/panel/use", json=wish, headers={"Origin": "https://evil.example"})
        assert elsewhere.status_code == 403
        assert (await tablet.post("/api/panel/use", json=wish)).status_code == 201


async def test_whoever_is_signed_in_beside_the_panel_stays_who_they_are(web: Web, door: Door) -> None:
    """An administrator who opens the link in the office's own browser."""
    async with web.signed_in() as office:
        await office.post("/api/panel/open", json={"key": door.key})
        assert (await office.get("/api/panel/day")).status_code == 200
        assert (await office.get("/api/municipalities/default/panels")).status_code == 200
        form = {"minutes": 15, "request_key": "k"}
        assert (await office.post("/api/panel/use", json=form)).status_code == 403
        proof = next(one.value or "" for one in office.cookies.jar if one.path == "/panel")
        assert (await office.post("/api/panel/use", json=form, headers={"X-CSRF-Token": proof})).status_code == 201


async def test_nothing_new_costs_a_line_of_answer(web: Web, door: Door) -> None:
    door.book(30, 30)
    async with standing_at(web, door.key) as tablet:
        first = await tablet.get("/api/panel/day")
        web.at[0] += 20
        again = await tablet.get("/api/panel/day", headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content, again.headers["x-now"]) == (304, b"", f"{NOW + 20:.3f}")
        door.book(120, 30)
        changed = await tablet.get("/api/panel/day", headers={"If-None-Match": first.headers["etag"]})
        assert (changed.status_code, len(changed.json()["bookings"])) == (200, 2)
        assert first.headers["x-version"] == changed.headers["x-version"]


async def test_a_phone_that_sees_the_code_checks_in_for_two_minutes(web: Web, door: Door) -> None:
    person = web.store.register_person("default", "参加者 一郎", NOW).person_id
    booking = door.book(5, 30, holder=person)
    async with standing_at(web, door.key) as tablet:
        shown = (await tablet.get("/api/panel/code")).json()
    code = shown["address"].removeprefix("http://hub/check-in#")
    assert code == door_code(SECRET, door.panel.panel_id, NOW)
    async with web.browser() as phone:
        seen = (await phone.post("/api/check-in/look", json={"code": code})).json()
        assert [one["expected"] for one in seen["bookings"]] == [[{"person_id": person, "initials": "参一"}]]
        assert (seen["room"], seen["mine"], seen["signed_in"]) == ("小会議室", [], False)
        assert (await phone.post("/api/check-in", json={"code": code})).status_code == 409
        wrong = {"code": code, "booking_id": booking.booking_id, "person_id": "nobody"}
        assert (await phone.post("/api/check-in", json=wrong)).status_code == 404
        web.at[0] += 200
        assert (await phone.post("/api/check-in/look", json={"code": code})).status_code == 404
        web.at[0] = NOW
        touch = {"code": code, "booking_id": booking.booking_id, "person_id": person}
        assert (await phone.post("/api/check-in", json=touch)).json()["room"] == "小会議室"
    assert web.store.booking(booking.booking_id).state == "in_use"


async def test_whoever_is_signed_in_checks_in_with_one_touch(web: Web, door: Door) -> None:
    person = web.store.register_person("default", "参加者 一郎", NOW).person_id
    door.book(5, 30, "極秘", holder=person, confidential=True)
    code = door_code(SECRET, door.panel.panel_id, NOW)
    async with web.browser() as phone:
        phone.cookies.set("shimawa_login", web.store.open_person_login(person, NOW, 3600))
        look = (await phone.post("/api/check-in/look", json={"code": code})).json()
        assert (len(look["mine"]), look["bookings"][0]["title"]) == (1, None)
        assert (await phone.post("/api/check-in", json={"code": code})).status_code == 200
    async with web.browser() as stranger:
        stranger.cookies.set("shimawa_login", web.store.open_person_login(person, NOW, -1))
        assert (await stranger.post("/api/check-in", json={"code": code})).status_code == 409


async def test_guessing_links_and_codes_is_slowed(web: Web) -> None:
    async with web.browser() as somebody:
        answers = [(await somebody.post("/api/panel/open", json={"key": f"x{n}"})).status_code for n in range(40)]
        assert answers.count(401) == 20
        assert answers[-1] == 429
        tries = [(await somebody.post("/api/check-in/look", json={"code": f"a.{n}.x"})).status_code for n in range(80)]
        assert tries.count(404) == 60
        assert tries[-1] == 429


async def test_what_is_reported_at_the_door_stands_in_the_office_until_it_works(web: Web, door: Door) -> None:
    async with standing_at(web, door.key) as tablet:
        assert (await tablet.post("/api/panel/reports", json={"kind": "sound"})).status_code == 201
        assert (await tablet.post("/api/panel/reports", json={"kind": "<b>"})).status_code == 422
        assert (await tablet.get("/api/municipalities/default/reports")).status_code in {401, 403}
    async with web.signed_in("staff") as staff:
        [told] = (await staff.get("/api/municipalities/default/reports")).json()
        assert (told["kind"], told["room"], told["resolved_at"]) == ("sound", "小会議室", None)
        await staff.post(f"/api/municipalities/default/reports/{told['report_id']}/resolve")
        assert (await staff.get("/api/municipalities/default/reports")).json() == []
        assert len((await staff.get("/api/municipalities/default/reports?all=true")).json()) == 1


async def test_whoever_has_the_whole_area_has_the_room(web: Web, door: Door) -> None:
    from session_manager.booking_records import Booking, NewBooking, NewPlace, Wanted

    area = web.store.add_place(NewPlace(door.facility_id, "area", "二階", capacity=50), NOW)
    inner = web.store.add_place(NewPlace(door.facility_id, "room", "奥の間", capacity=8, part_of=area.place_id), NOW)
    made = web.store.add_panel("default", inner.place_id, "奥", NOW)
    span = wall(Interval(door.start + 600, door.start + 4200), ZONE)
    taken = web.store.book(NewBooking("二階全部", "plain", span, (Wanted(area.place_id),)), NOW)
    assert isinstance(taken, Booking)
    async with standing_at(web, made.key) as tablet:
        assert [one["title"] for one in (await day(tablet))["bookings"]] == ["二階全部"]  # type: ignore[attr-defined]
