"""Cookies, cross-site checks, headers and sizes: what every answer and every request has to pass.

A login is a cookie (HttpOnly, SameSite=Lax). A page of ours proves that a change was meant by sending the value of the
readable cookie `shimawa_csrf` in the header `X-CSRF-Token`; it is an HMAC of the login, so a planted one is worth
nothing. Requests that another site starts are refused before that (Sec-Fetch-Site, Origin).
"""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from session_manager.errors import NotPermitted

LOGIN_COOKIE = "shimawa_login"
VIEW_COOKIE = "shimawa_view"
"""With `_` and the session's identifier behind it."""
CSRF_COOKIE = "shimawa_csrf"
PANEL_COOKIE = "shimawa_panel"
PANEL_PROOF = "shimawa_panel_csrf"
CSRF_HEADER = "X-CSRF-Token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "font-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(self), display-capture=(self), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def bearer(connection: HTTPConnection) -> str | None:
    """RFC 6750, header only: a token never stands in an address."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def csrf_token(secret: bytes, login: str) -> str:
    return hmac.new(secret, b"csrf:" + login.encode(), hashlib.sha256).hexdigest()


def check_csrf(connection: HTTPConnection, secret: bytes, cookie: str = LOGIN_COOKIE) -> None:
    """Raises NotPermitted unless the header belongs to this login, or this panel."""
    wanted = csrf_token(secret, connection.cookies.get(cookie, ""))
    if not hmac.compare_digest(connection.headers.get(CSRF_HEADER, "").encode(), wanted.encode()):
        raise NotPermitted("This page is too old to make changes. Load it again, then try once more.")


def set_cookie(
    response: Response, name: str, value: str, max_age_s: float, *, secure: bool, script: bool = False
) -> None:
    """`script`: pages may read it."""
    response.set_cookie(
        name, value, max_age=int(max_age_s), path="/", secure=secure, httponly=not script, samesite="lax"
    )


def from_elsewhere(scope: Scope, ours: str = "") -> bool:
    """Whether another site's page started this request. Programs send neither header and pass.

    `ours`: the host (and port) of the hub's public address, which a proxy may have replaced in `Host`.
    """
    headers = Headers(scope=scope)
    if headers.get("sec-fetch-site", "same-origin") == "cross-site":
        return True
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc.lower() not in {headers.get("host", "").lower(), ours} - {""}


class Guard:
    """ASGI: refuses cross-site changes and oversized bodies, and puts the headers on every answer."""

    def __init__(self, app: ASGIApp, *, max_bytes: int, secure: bool, public_url: str | None = None) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._ours = urlsplit(public_url or "").netloc.lower()
        self._headers = dict(HEADERS)
        if secure:
            self._headers["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, send_guarded)
            return
        await self._app(scope, self._limited(receive), send_guarded)

    def _refusal(self, scope: Scope) -> Response | None:
        if scope["method"] not in SAFE_METHODS and from_elsewhere(scope, self._ours):
            return refused(403, "not_permitted", "Another site asked for this. Use the hub's own pages.")
        length = Headers(scope=scope).get("content-length", "0")
        if not length.isdecimal() or int(length) > self._max_bytes:
            return refused(413, "too_large", "That is more than the hub takes at once.")
        return None

    def _limited(self, receive: Receive) -> Receive:
        """Bodies without a length are counted as they come."""
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._max_bytes:
                raise HTTPException(413, "That is more than the hub takes at once.")
            return message

        return counted


def refused(
    status: int, code: str, message: str, headers: dict[str, str] | None = None, said: str | None = None
) -> JSONResponse:
    """`said`: the same for a person, in the person's language."""
    words = {} if said is None else {"said": said}
    return JSONResponse({"code": code, "message": message, **words}, status, headers)
