"""From our errors to answers: one table; every refusal is `{code, message}` with a sentence."""

from __future__ import annotations

import logging
from urllib.parse import quote

from fastapi import FastAPI, WebSocket
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response

from session_manager.errors import (
    NoRoom,
    NotFound,
    NotPermitted,
    NotPossible,
    NotSignedIn,
    SessionManagerError,
    StoreFailed,
    TooFast,
)
from session_manager.web import i18n, sentences
from session_manager.web.pages import error_page as _page
from session_manager.web.security import VIEW_COOKIE, refused

STATUS: dict[type[SessionManagerError], int] = {
    NotSignedIn: 401,
    NotPermitted: 403,
    NotFound: 404,
    NotPossible: 409,
    TooFast: 429,
    StoreFailed: 503,
    NoRoom: 507,
}
CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "too_large"}
SENTENCES = {404: "There is nothing at this address.", 405: "That cannot be done at this address."}
POLICY_VIOLATION = 1008

log = logging.getLogger(__name__)


def add_handlers(app: FastAPI) -> None:
    app.add_exception_handler(SessionManagerError, _ours)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(WebSocketRequestValidationError, _invalid)
    app.add_exception_handler(Exception, _unforeseen)


async def _ours(connection: HTTPConnection, error: Exception) -> Response:
    assert isinstance(error, SessionManagerError)
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)
    if status >= 500:
        log.error("request refused with %s", error.code)
    if isinstance(connection, WebSocket):
        return await _close(connection)
    if _is_page(connection):
        return RedirectResponse(_door(connection), 303) if status == 401 else _page(connection, status)
    headers = {"Retry-After": str(error.retry_after_s)} if isinstance(error, TooFast) else None
    return _told(connection, status, error.code, str(error), headers)


async def _http(connection: HTTPConnection, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if isinstance(connection, WebSocket):
        return await _close(connection)
    if _is_page(connection):
        return _page(connection, error.status_code)
    code = CODES.get(error.status_code, "error")
    headers = dict(error.headers) if error.headers else None
    return _told(connection, error.status_code, code, SENTENCES.get(error.status_code, error.detail), headers)


async def _invalid(connection: HTTPConnection, error: Exception) -> Response:
    """Names the fields and what is wrong, never what was sent."""
    assert isinstance(error, RequestValidationError | WebSocketRequestValidationError)
    if isinstance(connection, WebSocket):
        return await _close(connection)
    wrong = [f"{'.'.join(str(part) for part in one['loc'][1:]) or 'body'}: {one['msg']}" for one in error.errors()]
    return _told(connection, 422, "bad_request", "; ".join(wrong[:5]))


async def _unforeseen(connection: HTTPConnection, _error: Exception) -> Response:
    if _is_page(connection):
        return _page(connection, 500)
    return _told(connection, 500, "internal", "Something went wrong in the hub; its log says what. Please try again.")


def _told(
    connection: HTTPConnection, status: int, code: str, message: str, headers: dict[str, str] | None = None
) -> Response:
    """Who names no language is a program, and gets no more than `code` and `message`; a page also what to show."""
    reader = connection.headers.get("accept-language")
    if reader is None:
        return refused(status, code, message, headers)
    return refused(status, code, message, headers, sentences.told(i18n.choose(reader), code, message))


async def _close(socket: WebSocket) -> Response:
    """Before it was accepted: the client sees 403."""
    await socket.close(POLICY_VIOLATION)
    return Response()


def _door(connection: HTTPConnection) -> str:
    """Where somebody nobody knows is led; a reader whose cookie has expired needs a link, not a password."""
    if any(name.startswith(f"{VIEW_COOKIE}_") for name in connection.cookies):
        return "/live"
    return f"/login?next={quote(connection.url.path)}"


def _is_page(connection: HTTPConnection) -> bool:
    path = connection.url.path
    return not path.startswith("/api/") and "text/html" in connection.headers.get("accept", "")
