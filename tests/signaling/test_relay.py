"""What a relay is told by the hub's secret, and what peers are told of the relay."""

from __future__ import annotations

import base64
import hashlib
import hmac

from signaling.ports import IceServer, Role
from signaling.relay import Relay, ice_servers
from signaling.settings import SignalingSettings
from tests.signaling.hub import QUIET, running

RELAY = Relay(("turn:relay.example:3478",), "north", ttl_s=600)


def test_a_name_says_until_when_it_is_good_and_the_password_is_its_hmac() -> None:
    server = RELAY.server("peer-1", 1_000.5)
    assert server.username == "1600:peer-1"
    assert server.credential == base64.b64encode(hmac.new(b"north", b"1600:peer-1", hashlib.sha1).digest()).decode()


def test_a_secret_and_a_credential_are_not_printed() -> None:
    server = RELAY.server("peer-1", 0.0)
    assert "north" not in repr(RELAY)
    assert server.credential not in repr(server)
    assert server.credential not in repr(ice_servers((), RELAY, "peer-1", 0.0))


def test_without_a_relay_a_peer_is_told_what_is_fixed_and_nothing_else() -> None:
    assert ice_servers((), None, "p", 0.0) == []
    (only,) = ice_servers((IceServer(("stun:x",)),), None, "p", 0.0)
    assert only.urls == ["stun:x"]


async def test_each_peer_is_welcomed_with_credentials_of_its_own() -> None:
    async with running(settings=SignalingSettings(pace=QUIET, relay=RELAY)) as hub:
        told = [(await hub.join(token, role)).welcome["b"] for token, role in (("a", Role.BOARD), ("b", Role.LOBBY))]
    servers = [one["ice_servers"][0] for one in told]
    assert all(server["urls"] == ["turn:relay.example:3478"] for server in servers)
    assert [server["username"].partition(":")[2] for server in servers] == [one["peer_id"] for one in told]
