"""Calendars out (feeds, free/busy) and in (upload, by address, answers to invitations)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from session_manager import agenda, ical
from session_manager.access import Action
from session_manager.attendance import replies_of
from session_manager.errors import NotFound, NotPermitted
from session_manager.feed_text import feed_text
from session_manager.fetch import fetch
from session_manager.mail import calendar_in
from session_manager.people import Feed, Secret
from session_manager.web.context import Context, ContextDep, permit
from session_manager.web.limits import slowed
from session_manager.web.people_forms import Address
from session_manager.web.ratelimit import Rule
from session_manager.web.routes_sessions import base_url
from session_manager.web.tags import tag_of, tagged, unchanged

HERE = "/api/municipalities/{municipality_id}"
DAY_S = 86_400.0
CALENDAR = "text/calendar; charset=utf-8"
router = APIRouter(tags=["calendars"])
_OWN = [permit(Action.OWN_FEEDS)]
_IMPORT = [slowed(Rule.FETCH_ADDRESS), permit(Action.IMPORT_CALENDAR)]


@dataclass(frozen=True, slots=True)
class NewFeed:
    """`address` is shown this once. Whoever has it can read this calendar; it can be revoked."""

    feed_id: str
    address: str


@dataclass(frozen=True, slots=True)
class Imported:
    entries: int
    skipped: int


@router.get(
    "/calendar/{secret}.ics",
    dependencies=[slowed(Rule.FEED_ADDRESS), permit(Action.SUBSCRIBE)],
    response_class=Response,
    responses={304: {"description": "As it was: the tag in If-None-Match still holds"}},
    summary="A calendar to subscribe to",
)
async def feed(secret: str, request: Request, context: ContextDep) -> Response:
    """Read only. The secret stands in the address because calendar programs know no other way. With ETag: a program
    that asks again hears in a few bytes that nothing is new.
    """
    return await asyncio.to_thread(_feed, context, request, secret)


@router.get(HERE + "/people/{person_id}/feeds", dependencies=_OWN, summary="One's calendar addresses")
async def feeds(municipality_id: str, person_id: str, context: ContextDep) -> list[Feed]:
    return await asyncio.to_thread(context.store.feeds, municipality_id, person_id)


@router.post(HERE + "/people/{person_id}/feeds", dependencies=_OWN, status_code=201, summary="A new address")
async def add_feed(municipality_id: str, person_id: str, request: Request, context: ContextDep) -> NewFeed:
    await asyncio.to_thread(context.store.person, municipality_id, person_id)
    return await _add(context, request, municipality_id, "person", person_id)


@router.delete(
    HERE + "/people/{person_id}/feeds/{feed_id}", dependencies=_OWN, status_code=204, summary="Revoke an address"
)
async def revoke_feed(municipality_id: str, person_id: str, feed_id: str, context: ContextDep) -> None:
    await asyncio.to_thread(context.store.revoke_feed, municipality_id, feed_id, context.clock(), person_id)


@router.post(HERE + "/rooms/{room_id}/feeds", dependencies=_OWN, status_code=201, summary="A room's calendar")
async def add_room_feed(municipality_id: str, room_id: str, request: Request, context: ContextDep) -> NewFeed:
    await asyncio.to_thread(_need_room, context, municipality_id, room_id)
    return await _add(context, request, municipality_id, "room", room_id)


@router.get(HERE + "/feeds", dependencies=_OWN, summary="Addresses of rooms and of the open sessions")
async def house_feeds(municipality_id: str, context: ContextDep) -> list[Feed]:
    """Nobody's own."""
    found = await asyncio.to_thread(context.store.feeds, municipality_id)
    return [one for one in found if one.kind != "person"]


@router.post(HERE + "/feeds", dependencies=_OWN, status_code=201, summary="The calendar of open sessions")
async def add_public_feed(municipality_id: str, request: Request, context: ContextDep) -> NewFeed:
    return await _add(context, request, municipality_id, "public", municipality_id)


@router.delete(HERE + "/feeds/{feed_id}", dependencies=_OWN, status_code=204, summary="Revoke any address")
async def revoke_any_feed(municipality_id: str, feed_id: str, context: ContextDep) -> None:
    await asyncio.to_thread(context.store.revoke_feed, municipality_id, feed_id, context.clock())


@router.get(
    HERE + "/rooms/{room_id}/busy.ics",
    dependencies=[permit(Action.READ_PLACES)],
    response_class=Response,
    summary="When a room is taken, not by what",
)
async def room_busy(
    municipality_id: str, room_id: str, context: ContextDep, days: Annotated[int, Query(ge=1, le=400)] = 30
) -> Response:
    def text() -> str:
        _need_room(context, municipality_id, room_id)
        now = context.clock()
        until = now + days * DAY_S
        found = context.store.busy_spans(room_id, agenda.FeedRange(now, until))
        spans: dict[ical.FreeBusyType, Sequence[tuple[float, float]]] = {
            "BUSY": found.busy,
            "BUSY-TENTATIVE": found.tentative,
            "BUSY-UNAVAILABLE": found.unavailable,
        }
        return ical.busy(spans, now, until, now, f"busy-{room_id}@shimawa.invalid")

    return calendar(await asyncio.to_thread(text))


@router.post(HERE + "/calendars/{source}", dependencies=_IMPORT, summary="Read an .ics file that is sent along")
async def upload(municipality_id: str, source: str, request: Request, context: ContextDep) -> Imported:
    """Replaces what this source held before."""
    return await asyncio.to_thread(_take_in, context, municipality_id, source[:200], await request.body())


@router.post(HERE + "/calendars/{source}/fetch", dependencies=_IMPORT, summary="Read an .ics file by its address")
async def fetch_calendar(municipality_id: str, source: str, form: Address, context: ContextDep) -> Imported:
    """From allowed hosts only; no redirects, no private addresses."""
    found = await fetch(form.url, context.settings.calendar_hosts)
    return await asyncio.to_thread(_take_in, context, municipality_id, source[:200], found)


@router.get(HERE + "/calendars", dependencies=_IMPORT[1:], summary="What was read from other calendars")
async def imported(municipality_id: str, context: ContextDep) -> list[dict[str, Any]]:
    return await asyncio.to_thread(context.store.imported, municipality_id)


@router.post(HERE + "/answers", dependencies=_IMPORT[1:], summary="Read the answer to an invitation out of a letter")
async def answer(municipality_id: str, request: Request, context: ContextDep) -> dict[str, str]:
    """The whole letter as it came (RFC 822). Only the sender's own answer counts."""
    sender, text = await asyncio.to_thread(calendar_in, await request.body())
    parsed = await asyncio.to_thread(ical.parse, text)
    return await asyncio.to_thread(_take_answers, context, municipality_id, sender, parsed)


def calendar(text: str) -> Response:
    return Response(text, media_type=CALENDAR, headers={"Cache-Control": "private, max-age=300"})


async def _add(context: Context, request: Request, municipality_id: str, kind: str, subject_id: str) -> NewFeed:
    made: Secret = await asyncio.to_thread(context.store.add_feed, municipality_id, kind, subject_id, context.clock())
    return NewFeed(made.identifier, f"{base_url(context, request)}/calendar/{made.secret}.ics")


def _feed(context: Context, request: Request, secret: str) -> Response:
    found = context.store.feed(secret)
    if found is None:
        raise NotFound("There is no calendar at this address.")
    span = agenda.around(context.clock())
    tag = tag_of(context.store.calendar_mark(), found, span)
    return unchanged(tag, request) or tagged(_feed_text(context, found, span).encode(), tag, CALENDAR)


def _feed_text(context: Context, found: Feed, span: agenda.FeedRange) -> str:
    name = context.store.home(found.municipality_id).name
    return feed_text(agenda.entries_of(context.store.agenda(found, span)), f"島話 {name}")


def _need_room(context: Context, municipality_id: str, room_id: str) -> None:
    homes = {one.facility_id: one.municipality_id for one in context.store.facilities()}
    if all(room.room_id != room_id or homes[room.facility_id] != municipality_id for room in context.store.rooms()):
        raise NotFound("There is no room with that identifier.")


def _take_in(context: Context, municipality_id: str, source: str, text: bytes) -> Imported:
    zone = context.store.home(municipality_id).timezone
    parsed = ical.parse(text, zone)
    count = context.store.put_imported(
        municipality_id, source, [_plain(one) for one in parsed.entries], context.clock()
    )
    return Imported(count, parsed.skipped)


def _plain(entry: ical.CalendarEntry) -> dict[str, Any]:
    plain = asdict(entry)
    for name in ("start", "end"):
        plain[name] = plain[name].isoformat()
    instead = plain.pop("instead_of")
    left_out = [moment.isoformat() for moment in plain["left_out"]]
    return {**plain, "left_out": left_out, "recurrence": instead.isoformat() if instead is not None else ""}


def _take_answers(context: Context, municipality_id: str, sender: str, parsed: ical.Parsed) -> dict[str, str]:
    if parsed.method != "REPLY":
        raise NotPermitted("This letter is no answer to an invitation.")
    found = replies_of(parsed, sender)
    return {one.attendee: one.status for one in found if context.store.take_reply(one, municipality_id)}
