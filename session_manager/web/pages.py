"""The pages: Jinja templates in the visitor's language, with exactly the texts and modules that each one needs.

A page carries its facts as JSON (`page-data`); scripts fetch the rest from the API, so what may be seen is judged once.
Invitation codes stand behind `#` and never reach the server in an address.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import cache

from fastapi import APIRouter, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, RedirectResponse

from session_manager.access import STRANGER, Action, Identity, Kind, Resource, may
from session_manager.doors import safe_path
from session_manager.errors import NotFound
from session_manager.records import Session
from session_manager.web import i18n, menu
from session_manager.web.context import (
    CSRF_COOKIE,
    NOTHING,
    Context,
    ContextDep,
    IdentitiesDep,
    IdentityDep,
    permit,
)

LANGUAGE_COOKIE = "shimawa_lang"
YEAR_S = 365 * 24 * 3600
EXPORTS = ("txt", "md", "vtt", "srt", "json")
DEFAULT_TIMEZONE = "Asia/Tokyo"

ERRORS: Mapping[int, tuple[str, str]] = {
    401: ("error.not_permitted", "error.not_permitted_long"),
    403: ("error.not_permitted", "error.not_permitted_long"),
    404: ("error.not_found", "error.not_found_long"),
}
"""Status to the keys of its heading and sentence."""
SIGNED_IN_AS_ANOTHER = "error.not_permitted_in"
FAILED = ("error.failed", "error.failed_long")

router = APIRouter(include_in_schema=False)


@cache
def environment() -> Environment:
    loader = FileSystemLoader(i18n.HERE / "templates")
    made = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.policies["json.dumps_kwargs"] = {"ensure_ascii": False}  # half the bytes for Japanese
    return made


def language_of(connection: HTTPConnection) -> str:
    """`?lang=` wins, then the cookie it left, then what the browser asks for."""
    wish, kept = connection.query_params.get("lang"), connection.cookies.get(LANGUAGE_COOKIE)
    return i18n.choose(
        wish if wish in i18n.LANGUAGES else None,
        kept if kept in i18n.LANGUAGES else None,
        connection.headers.get("accept-language"),
    )


def render(
    connection: HTTPConnection,
    template: str,
    *,
    script: str | None = None,
    page: Mapping[str, object] | None = None,
    status: int = 200,
    home: str | None = None,
    **values: object,
) -> HTMLResponse:
    """`page`: facts for the script; `values`: for the template; `home`: where the wordmark leads, else one's own."""
    language = language_of(connection)
    other = next(code for code in i18n.LANGUAGES if code != language)
    facts = {"language": language, "csrf_cookie": CSRF_COOKIE, **(page or {})}
    known: tuple[Identity, ...] = getattr(connection.state, "known", (STRANGER,))
    html = (
        environment()
        .get_template(template)
        .render(
            t=lambda key, **places: i18n.say(language, key, **places),
            language=language,
            other_language=other,
            other_language_name=i18n.LANGUAGES[other],
            home=home or menu.front_page(known),
            menu=menu.rows_for(known),
            here=connection.url.path,
            signed_in=any(one.kind in menu.SIGNED_IN for one in known),
            modules=i18n.modules(script) if script else (),
            data={"page": facts, "texts": i18n.script_texts(script, language) if script else {}},
            **values,
        )
    )
    answer = HTMLResponse(html, status, {"Content-Language": language, "Vary": "Accept-Language, Cookie"})
    if connection.query_params.get("lang") in i18n.LANGUAGES:
        answer.set_cookie(LANGUAGE_COOKIE, language, max_age=YEAR_S, httponly=True, samesite="lax")
    return answer


def error_page(connection: HTTPConnection, status: int) -> HTMLResponse:
    """For a person who opened an address that cannot be shown."""
    heading, sentence = ERRORS.get(status, FAILED)
    known: tuple[Identity, ...] = getattr(connection.state, "known", (STRANGER,))
    if status == 403 and any(one.kind in menu.SIGNED_IN for one in known):
        sentence = SIGNED_IN_AS_ANOTHER
    return render(connection, "error.html", status=status, code=status, heading=heading, sentence=sentence)


@router.get("/join", dependencies=[permit(Action.SEE_PUBLIC)])
async def join(request: Request) -> HTMLResponse:
    return render(request, "join.html", script="join.js")


@router.get("/login", dependencies=[permit(Action.SEE_PUBLIC)])
async def login(request: Request, context: ContextDep) -> HTMLResponse:
    onward = safe_path(request.query_params.get("next", "/"))
    houses = context.settings.openid
    return render(request, "login.html", script="login.js", home="/login", houses=houses, next=onward)


@router.get("/live", dependencies=[permit(Action.SEE_PUBLIC)])
async def live_entrance(request: Request) -> HTMLResponse:
    return render(request, "live.html", script="live.js", home="/live", session=None)


@router.get("/live/{session_id}", dependencies=[permit(Action.READ_SESSION)])
async def live(request: Request, session_id: str, context: ContextDep) -> HTMLResponse:
    session = await asyncio.to_thread(context.store.session, session_id)
    return render(request, "live.html", script="live.js", page=_session_facts(session), session=session)


@router.get("/sessions/{session_id}/transcript", dependencies=[permit(Action.READ_SESSION)])
async def transcript(request: Request, session_id: str, context: ContextDep, identity: IdentityDep) -> HTMLResponse:
    session = await asyncio.to_thread(context.store.session, session_id)
    language = language_of(request)
    exports = [
        (kind, i18n.say(language, f"export.{kind}"), i18n.say(language, f"export.{kind}_use")) for kind in EXPORTS
    ]
    return render(
        request,
        "transcript.html",
        script="transcript.js",
        page=_session_facts(session),
        session=session,
        exports=exports,
        may_export=may(identity, Action.EXPORT, Resource(session_id, session.confidential)),
    )


@router.get("/", dependencies=[permit(Action.SEE_FRONT)])
async def front(known: IdentitiesDep) -> RedirectResponse:
    """Everybody's own first page."""
    return RedirectResponse(menu.front_page(known), 303)


@router.get("/sessions", dependencies=[permit(Action.LIST_SESSIONS, within=True)])
async def sessions(request: Request, context: ContextDep, identity: IdentityDep) -> HTMLResponse:
    facts = await _facility_facts(context)
    administrator = identity.kind is Kind.ADMINISTRATOR
    return render(request, "sessions.html", script="sessions.js", page=facts, administrator=administrator)


async def facts_for(context: Context, identity: Identity) -> dict[str, object]:
    """For pages of the facility's day: whose they are. Who runs the whole installation gets its first municipality.

    Raises NotFound when there is none yet.
    """
    homes = await asyncio.to_thread(context.store.homes)
    mine = [one for one in homes if identity.municipality_id in (None, one.municipality_id)]
    if not mine:
        raise NotFound(NOTHING)
    home = mine[0]
    return {
        "municipality_id": home.municipality_id,
        "municipality": home.name,
        "timezone": home.timezone,
        "kind": identity.kind.value,
        "person_id": identity.person_id,
    }


def _session_facts(session: Session) -> dict[str, object]:
    return {
        "session_id": session.session_id,
        "state": session.state,
        "events": f"/api/sessions/{session.session_id}/events?after=0",
        "timezone": session.timezone,
        "sites": [{"site_id": site.site_id, "name": site.name} for site in session.sites],
    }


async def _facility_facts(context: Context) -> dict[str, object]:
    facilities = await asyncio.to_thread(context.store.facilities)
    if not facilities:
        return {"timezone": DEFAULT_TIMEZONE, "facility_id": None}
    return {"timezone": facilities[0].timezone, "facility_id": facilities[0].facility_id}
