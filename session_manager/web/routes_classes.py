"""The school's side: the timetable once a term, today's lessons, and what a teacher does in one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field

from session_manager import ical
from session_manager.access import Action, Identity, Kind
from session_manager.booking_records import NewBooking, NewSeries, Wanted
from session_manager.errors import NotFound, NotPossible
from session_manager.opening import public_holidays
from session_manager.panel import Check, DayLesson, SoonCheck
from session_manager.pricing import Holder
from session_manager.schedule import Wall, instant, local_time
from session_manager.series import SeriesDate
from session_manager.sheets import read_sheet
from session_manager.store import Store
from session_manager.timetable import COLUMNS, LessonRow, Term, dated, days_off, weekly
from session_manager.web.booking_forms import check_places
from session_manager.web.context import Context, ContextDep, IdentitiesDep, permit
from session_manager.web.forms import Form, Identifier
from session_manager.web.panel_forms import PupilForm
from session_manager.web.people_forms import Mail
from session_manager.web.routes_panel_class import Missing, end_class

HERE = "/api/municipalities/{municipality_id}"
router = APIRouter(tags=["classes"])
_RUN = [permit(Action.RUN_CLASSES)]
_TEACH = [permit(Action.RUN_SESSION)]
Bell = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
PeriodName = Annotated[str, Field(max_length=20)]
MAX_TEXT = 500_000


class BellsForm(Form):
    starts: Bell
    ends: Bell


class SpanForm(Form):
    first: date
    last: date


class TimetableForm(Form):
    """`text`: CSV with the columns subject, day, period, starts, ends, far; or an .ics. `far` there: a room's name.

    `off`: holidays of the school, both days included; public holidays are left out by themselves.
    """

    group_id: Identifier
    place_id: Identifier
    far_place_id: Identifier | None = None
    first: date
    last: date
    off: Annotated[tuple[SpanForm, ...], Field(max_length=40)] = ()
    public_holidays: bool = True
    periods: Annotated[dict[PeriodName, BellsForm], Field(max_length=60)] = Field(default_factory=dict)
    school_mail: Mail | None = None
    format: Literal["csv", "ics"] = "csv"
    text: Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]


@dataclass(frozen=True, slots=True)
class RowAnswer:
    """One row: `dates` that can be had, `left_out` days without school, `taken` days when a room is not free.

    `series_id` None: only looked at, or not taken over because of its problems.
    """

    row: int
    subject: str
    period: str
    day: str
    starts: str
    ends: str
    dates: int
    left_out: tuple[date, ...]
    taken: tuple[date, ...]
    problems: tuple[str, ...]
    series_id: str | None = None


@router.post(HERE + "/timetables/look", dependencies=_RUN, summary="What a timetable would become; nothing is saved")
async def look(municipality_id: str, form: TimetableForm, context: ContextDep) -> list[RowAnswer]:
    return await asyncio.to_thread(_read, context, municipality_id, form, False)


@router.post(HERE + "/timetables", dependencies=_RUN, status_code=201, summary="Make a timetable's lessons")
async def take(municipality_id: str, form: TimetableForm, context: ContextDep) -> list[RowAnswer]:
    """Rows with problems are left out and say why; days when a room is taken are kept as wanted."""
    return await asyncio.to_thread(_read, context, municipality_id, form, True)


@router.get(HERE + "/classes", dependencies=[permit(Action.SEE_CLASSES)], summary="Today's lessons: all, or one's own")
async def classes(municipality_id: str, context: ContextDep, known: IdentitiesDep) -> list[DayLesson]:
    mine = _groups(known)

    def work() -> list[DayLesson]:
        zone = context.store.home(municipality_id).timezone
        return context.store.lessons_of_day(municipality_id, zone, context.clock(), mine)

    return await asyncio.to_thread(work)


@router.get(HERE + "/prechecks", dependencies=[permit(Action.SEE_REPORTS)], summary="Boards of what begins soon")
async def prechecks(municipality_id: str, context: ContextDep) -> list[SoonCheck]:
    """Sessions that have not begun, by start, with the last look at their boards; confidential without a title."""
    return await asyncio.to_thread(context.store.prechecks, municipality_id, context.clock())


@router.get("/api/sessions/{session_id}/check", dependencies=_TEACH, summary="Whether its boards are ready")
async def check(session_id: Identifier, context: ContextDep) -> Check | None:
    return await asyncio.to_thread(context.store.precheck, session_id)


@router.post("/api/sessions/{session_id}/class/start", dependencies=_TEACH, status_code=204, summary="Begin the class")
async def start(session_id: Identifier, context: ContextDep, known: IdentitiesDep) -> None:
    booking = await asyncio.to_thread(context.store.lesson, session_id)
    await context.runtime.start_session(session_id)
    await asyncio.to_thread(context.store.check_in, booking.booking_id, _by(known), context.clock())


@router.post("/api/sessions/{session_id}/class/came", dependencies=_TEACH, status_code=204, summary="A pupil has come")
async def came(session_id: Identifier, form: PupilForm, context: ContextDep) -> None:
    await asyncio.to_thread(context.store.came, session_id, form.person_id, form.came, context.clock())


@router.post("/api/sessions/{session_id}/class/absent", dependencies=_TEACH, summary="Tell the school who is missing")
async def absent(session_id: Identifier, context: ContextDep) -> Missing:
    return Missing(await asyncio.to_thread(context.store.tell_absent, session_id, context.clock()))


@router.post("/api/sessions/{session_id}/class/finish", dependencies=_TEACH, summary="End the class")
async def finish(session_id: Identifier, context: ContextDep, known: IdentitiesDep) -> Missing:
    booking = await asyncio.to_thread(context.store.lesson, session_id)
    return Missing(await end_class(context, session_id, booking.booking_id, _by(known)))


def _groups(known: tuple[Identity, ...]) -> frozenset[str] | None:
    """None: all, for the office."""
    if any(one.kind in {Kind.ADMINISTRATOR, Kind.STAFF} for one in known):
        return None
    return frozenset[str]().union(*(one.group_ids for one in known if one.kind is Kind.TEACHER))


def _by(known: tuple[Identity, ...]) -> str:
    return next((one.person_id or one.subject or "" for one in known), "")


def _read(context: Context, municipality_id: str, form: TimetableForm, save: bool) -> list[RowAnswer]:
    store = context.store
    store.group(municipality_id, form.group_id)
    check_places(store, municipality_id, [one for one in (form.place_id, form.far_place_id) if one is not None])
    if not 0 <= (form.last - form.first).days <= 400:
        raise NotPossible("A term has its first day before its last, and 400 days at most.")
    zone = store.home(municipality_id).timezone
    rows = _rows(form, _term(store, municipality_id, form), zone)
    far_rooms = {one.name: one.place_id for one in store.places(municipality_id) if one.kind == "room"}
    return [_row(context, municipality_id, form, one, zone, far_rooms, save) for one in rows]


def _term(store: Store, municipality_id: str, form: TimetableForm) -> Term:
    off = days_off([(one.first, one.last) for one in form.off])
    if form.public_holidays:
        off |= frozenset(public_holidays(store.rules(municipality_id).country, form.first, form.last))
    bells = {
        name: (datetime.strptime(one.starts, "%H:%M").time(), datetime.strptime(one.ends, "%H:%M").time())
        for name, one in form.periods.items()
    }
    return Term(form.first, form.last, off, bells)


def _rows(form: TimetableForm, term: Term, zone: str) -> list[LessonRow]:
    if form.format == "csv":
        return weekly(read_sheet(form.text, COLUMNS, ("subject", "day"))[:200], term)
    first = instant(datetime.combine(form.first, datetime.min.time()), zone)
    last = instant(datetime.combine(form.last, datetime.max.time()).replace(microsecond=0), zone)
    found = ical.occurrences(ical.parse(form.text, zone).entries, first, last)
    lessons = [(one.title, local_time(int(one.starts_at), zone), local_time(int(one.ends_at), zone)) for one in found]
    return dated(lessons, term)[:200]


def _row(
    context: Context,
    municipality_id: str,
    form: TimetableForm,
    row: LessonRow,
    zone: str,
    far_rooms: dict[str, str],
    save: bool,
) -> RowAnswer:
    problems = list(row.problems)
    far = form.far_place_id
    if row.far:
        far = far_rooms.get(row.far)
        if far is None:
            problems.append("There is no room of that name on the far side.")
    dates = [one for one in row.dates if instant(one[0], zone) > context.clock()]
    if not problems and not dates:
        problems.append("Every day of this lesson is past.")
    taken: tuple[date, ...] = ()
    series_id = None
    if not problems:
        new = _series(municipality_id, form, row, dates, far, zone)
        try:
            quotes = context.store.quote_series(new, context.clock())
            taken = tuple(one.quote.time.starts.date() for one in quotes if not one.quote.possible)
            if len(taken) == len(quotes):
                problems.append(" ".join(quotes[0].quote.problems))
            elif save:
                values = (form.group_id, form.school_mail or "", row.subject, row.period, context.clock())
                series_id, _ = context.store.add_lesson(new, *values)
        except (NotPossible, NotFound) as refusal:
            problems.append(str(refusal))
    first = dates[0] if dates else (row.dates[0] if row.dates else None)
    return RowAnswer(
        row.row,
        row.subject,
        row.period,
        f"{first[0]:%Y-%m-%d}" if first else "",
        f"{first[0]:%H:%M}" if first else "",
        f"{first[1]:%H:%M}" if first else "",
        0 if problems else len(dates) - len(taken),
        row.left_out,
        taken,
        tuple(problems),
        series_id,
    )


def _series(
    municipality_id: str,
    form: TimetableForm,
    row: LessonRow,
    dates: list[tuple[datetime, datetime]],
    far: str | None,
    zone: str,
) -> NewSeries:
    places = [form.place_id, *([far] if far is not None and far != form.place_id else [])]
    pattern = NewBooking(
        title=row.subject,
        kind="remote_class",
        time=Wall(dates[0][0], dates[0][1], zone),
        places=tuple(Wanted(one) for one in places),
        holder=Holder(f"class:{form.group_id}", "office"),
        made_by="timetable",
        mode="hybrid",
        municipality_id=municipality_id,
    )
    return NewSeries(pattern, dates=tuple(SeriesDate(Wall(starts, ends, zone)) for starts, ends in dates))
