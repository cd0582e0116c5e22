"""Small rooms to try the switchboard with."""

from signaling import messages as m
from signaling.fakes import grant
from signaling.messages import Body, Refused
from signaling.ports import Role
from signaling.switchboard import Effect, Say, Switchboard


def new_track(name: str, peer_id: str) -> m.TrackInfo:
    return m.TrackInfo(
        track_id=f"{peer_id}-{name}", peer_id=peer_id, site_id="x", name=name, kind="audio", source="room_mic", epoch=0
    )


def told_to(effects: list[Effect], peer_id: str) -> list[Body]:
    return [effect.body for effect in effects if isinstance(effect, Say) and effect.peer_id == peer_id]


def board_of(*roles: Role) -> tuple[Switchboard, list[str]]:
    """A session with one peer of each role given, named by its role and place."""
    board = Switchboard()
    names = [f"{role.value}-{place}" for place, role in enumerate(roles)]
    for place, (role, name) in enumerate(zip(roles, names, strict=True)):
        board.join(grant(f"s{place}", role), name)
    return board, names


def effects_of(outcome: list[Effect] | Refused) -> list[Effect]:
    return [] if isinstance(outcome, Refused) else outcome
