"""Another house's sign-in on a real socket, scripted: what it says about whom is the test's choice."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

KEY = RSAKey.generate_key(2048, {"kid": "1", "use": "sig", "alg": "RS256"})


class Provider:
    """Remembers each question; `claims` and `header` override what it says; `signs` False: with a stranger's key."""

    def __init__(self) -> None:
        self.key = KEY
        self.url = ""
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {"alg": "RS256", "kid": "1"}
        self.signing = self.key
        self.issuer_said: str | None = None
        self.now = 0.0
        self._codes: dict[str, dict[str, str]] = {}

    def authorize(self, url: str) -> str:
        """What the browser is led back to, after the person agreed."""
        asked = {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()}
        assert asked["code_challenge_method"] == "S256"
        assert asked["response_type"] == "code"
        code = f"code-{len(self._codes)}"
        self._codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'state': asked['state'], 'code': code})}"

    def _token(self, form: dict[str, str]) -> dict[str, Any] | None:
        asked = self._codes.pop(form["code"], None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        if (
            asked is None
            or asked["code_challenge"] != challenge.decode()
            or asked["redirect_uri"] != form["redirect_uri"]
        ):
            return None
        said = {
            "iss": self.url,
            "sub": "sub-1",
            "aud": "shimawa",
            "exp": int(self.now) + 300,
            "iat": int(self.now),
            "nonce": asked["nonce"],
            "email": "a@iki.example",
            "email_verified": True,
            **self.claims,
        }
        said = {key: value for key, value in said.items() if value is not None}
        return {"access_token": "x", "token_type": "Bearer", "id_token": jwt.encode(self.header, said, self.signing)}

    def answer(self, path: str, body: str) -> tuple[int, dict[str, Any]]:
        if path == "/.well-known/openid-configuration":
            return 200, {
                "issuer": self.issuer_said or self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
            }
        if path == "/keys":
            return 200, {"keys": [self.key.as_dict(private=False)]}
        token = self._token({key: values[0] for key, values in parse_qs(body).items()})
        return (400, {"error": "invalid_grant"}) if token is None else (200, token)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next((int(line[15:]) for line in head.split("\r\n") if line.lower().startswith("content-length:")), 0)
        body = (await reader.readexactly(length)).decode()
        status, said = self.answer(head.split(" ")[1], body)
        text = json.dumps(said).encode()
        writer.write(b"HTTP/1.1 %d OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (status, len(text), text))
        await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def running_provider(now: float) -> AsyncIterator[Provider]:
    provider = Provider()
    provider.now = now
    server = await asyncio.start_server(provider.serve, "127.0.0.1", 0)
    provider.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield provider
    server.close()
    await server.wait_closed()
