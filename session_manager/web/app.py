"""The web part put together: API, pages, sockets, guards."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from fastapi import APIRouter, FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from session_manager.access import Action
from session_manager.ports import Runtime
from session_manager.store import Store
from session_manager.web import (
    failures,
    pages,
    pages_evenings,
    pages_office,
    pages_panel,
    pages_self,
    pages_week,
    routes_account,
    routes_board,
    routes_bookings,
    routes_calendar,
    routes_circles,
    routes_classes,
    routes_courses,
    routes_directory,
    routes_doors,
    routes_enrol,
    routes_evenings,
    routes_groups,
    routes_join,
    routes_levels,
    routes_month,
    routes_notices,
    routes_openid,
    routes_organisations,
    routes_own,
    routes_panel,
    routes_panel_class,
    routes_people,
    routes_places,
    routes_profile,
    routes_record,
    routes_sailing,
    routes_self,
    routes_series,
    routes_sessions,
    routes_setup,
    routes_sheets,
    routes_today,
    routes_venues,
    routes_webhooks,
    routes_week,
    sockets,
)
from session_manager.web.context import Context, permit
from session_manager.web.security import Guard
from session_manager.web.settings import WebSettings

STATIC = Path(__file__).parent / "static"

ROUTERS: tuple[APIRouter, ...] = (
    routes_account.router,
    routes_places.router,
    routes_sessions.router,
    routes_venues.router,
    routes_bookings.router,
    routes_week.router,
    routes_series.router,
    routes_series.for_groups,
    routes_circles.router,
    routes_courses.router,
    routes_evenings.router,
    routes_sailing.router,
    routes_self.router,
    routes_levels.router,
    routes_own.router,
    routes_today.router,
    routes_month.router,
    routes_setup.router,
    pages_office.router,
    routes_join.router,
    routes_board.router,
    routes_enrol.router,
    routes_record.router,
    routes_people.router,
    routes_directory.router,
    routes_groups.router,
    routes_openid.router,
    routes_calendar.router,
    routes_profile.router,
    routes_organisations.router,
    routes_notices.router,
    routes_webhooks.router,
    routes_sheets.router,
    routes_panel.router,
    routes_panel_class.router,
    routes_classes.router,
    routes_doors.router,
    sockets.router,
    pages_panel.router,
    pages_week.router,
    pages_self.router,
    pages.router,
    pages_evenings.router,
)


def create_app(
    store: Store, runtime: Runtime, settings: WebSettings, clock: Callable[[], float] = time.time
) -> FastAPI:
    """One application per hub; nothing is made at import."""
    app = FastAPI(
        title="Shimawa hub",
        summary="Dialogue between an island and the mainland: places, sessions, live captions, transcripts",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.context = Context(store, runtime, settings, clock)
    failures.add_handlers(app)
    for router in ROUTERS:
        app.router.routes.extend(router.routes)  # as they are: including would build every form's checks once more
    app.add_api_route(
        "/api/openapi.json",
        app.openapi,
        dependencies=[permit(Action.SEE_PUBLIC)],
        include_in_schema=False,
        response_model=None,
    )
    if STATIC.is_dir():
        app.mount("/static", Static(directory=STATIC), name="static")
    app.add_middleware(GZipMiddleware, minimum_size=1024)
    app.add_middleware(
        Guard,
        max_bytes=settings.max_request_bytes,
        secure=settings.secure_cookies,
        public_url=settings.public_url,
    )
    if settings.allowed_hosts:
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(settings.allowed_hosts), www_redirect=False)
    return app


class Static(StaticFiles):
    """Files of ours that everybody may have. A browser asks again each time and mostly hears 304."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = "public, no-cache"
        return response
