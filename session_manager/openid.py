"""Signing in at another house: OpenID Connect, authorization code with PKCE (RFC 7636).

The provider's own pages see the password; we see a signed statement (ID token) that names issuer and subject. What the
statement must fulfil is OpenID Connect Core 1.0, section 3.1.3.7; signatures are checked by joserfc.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from session_manager.errors import NotPossible

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
LEEWAY_S = 60.0
TIMEOUT_S = 8.0
MAX_BYTES = 262_144
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class SignInFailed(NotPossible):
    """The other house did not say who this is, or what it said does not hold."""

    code = "sign_in_failed"


@dataclass(frozen=True, slots=True)
class OpenIdProvider:
    """`name` stands in our address; people who come this way are people of `municipality_id`."""

    name: str
    issuer: str
    client_id: str
    municipality_id: str
    client_secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Out:
    """What is kept until the browser comes back, and where it goes now."""

    state: str
    nonce: str
    verifier: str
    url: str


@dataclass(frozen=True, slots=True)
class Statement:
    """`mail`: only when the provider says that it has checked it."""

    issuer: str
    subject: str
    mail: str | None


class OpenId:
    """One provider's two conversations. Endpoints come from its discovery document, anew each time."""

    def __init__(self, provider: OpenIdProvider, client: httpx.AsyncClient | None = None) -> None:
        self._provider = provider
        self._client = client

    async def begin(self, back: str) -> Out:
        """`back`: our address that the provider leads to. Raises SignInFailed."""
        found = await self._discover()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": self._provider.client_id,
            "redirect_uri": back,
            "scope": "openid email",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        endpoint = _ours(str(found["authorization_endpoint"]))
        return Out(state, nonce, verifier, f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}")

    async def finish(self, code: str, back: str, verifier: str, nonce: str, now: float) -> Statement:
        """Raises SignInFailed."""
        found = await self._discover()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "client_id": self._provider.client_id,
            "code_verifier": verifier,
        }
        if self._provider.client_secret:
            form["client_secret"] = self._provider.client_secret
        answer = await self._ask("POST", _ours(str(found["token_endpoint"])), form)
        keys = await self._ask("GET", _ours(str(found["jwks_uri"])))
        return self._read(answer, keys, nonce, now)

    async def _discover(self) -> dict[str, Any]:
        issuer = self._provider.issuer
        found = await self._ask("GET", _ours(issuer.rstrip("/") + "/.well-known/openid-configuration"))
        wanted = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        if found.get("issuer") != issuer or not all(isinstance(found.get(name), str) for name in wanted):
            raise SignInFailed("The sign-in service describes itself wrongly. Tell the administrator.")
        return found

    async def _ask(self, method: str, url: str, form: dict[str, str] | None = None) -> dict[str, Any]:
        try:
            if self._client is not None:
                answer = await self._client.request(method, url, data=form)
            else:
                async with httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False) as client:
                    answer = await client.request(method, url, data=form)
            answer.raise_for_status()
            if len(answer.content) > MAX_BYTES:
                raise SignInFailed("The sign-in service answers too much. Tell the administrator.")
            found = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise SignInFailed("The sign-in service does not answer as it should. Try again later.") from error
        if not isinstance(found, dict):
            raise SignInFailed("The sign-in service does not answer as it should. Try again later.")
        return found

    def _read(self, answer: dict[str, Any], keys: dict[str, Any], nonce: str, now: float) -> Statement:
        try:
            token = jwt.decode(str(answer["id_token"]), KeySet.import_key_set(keys), algorithms=list(ALGORITHMS))  # type: ignore[arg-type]
            claims = dict(token.claims)
        except (JoseError, KeyError, ValueError, TypeError) as error:
            raise SignInFailed("The sign-in service's statement is not signed as it should be.") from error
        if not self._holds(claims, nonce, now):
            raise SignInFailed("The sign-in service's statement does not hold. Begin again.")
        mail = claims.get("email") if claims.get("email_verified") is True else None
        return Statement(self._provider.issuer, claims["sub"], mail if isinstance(mail, str) else None)

    def _holds(self, claims: dict[str, Any], nonce: str, now: float) -> bool:
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        ours = self._provider.client_id
        party = claims.get("azp", ours if len(audiences) == 1 else None)
        expires, begins = claims.get("exp"), claims.get("iat", now)
        return (
            claims.get("iss") == self._provider.issuer
            and ours in audiences
            and party == ours
            and isinstance(expires, int | float)
            and isinstance(begins, int | float)
            and now < expires + LEEWAY_S
            and begins < now + LEEWAY_S
            and hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode())
            and isinstance(claims.get("sub"), str)
            and 0 < len(claims["sub"]) <= 255
        )


def _ours(url: str) -> str:
    """https, or a service on this machine. Raises SignInFailed."""
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return url
    raise SignInFailed("The sign-in service is not reached by https. Tell the administrator.")
