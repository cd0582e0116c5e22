"""Laws over whatever peers do: nobody hears what they may not, and every picture is the same picture."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from signaling import messages as m
from signaling.fakes import grant
from signaling.messages import Body
from signaling.permissions import HEARS, HEARS_OF_LOBBY
from signaling.ports import Grant, Role
from signaling.switchboard import Effect, Gone, Grace, Presence, Say, Switchboard
from tests.signaling.rooms import board_of, effects_of, new_track

SESSIONS = ("north", "south")
SEATS = ("s1", "s2", "s3")

ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(
            ["join", "leave", "lose", "regain", "expire", "publish", "mute", "suspect", "hand", "admit", "remove",
             "change", "end", "open"]
        ),
        st.sampled_from(SESSIONS),
        st.sampled_from(SEATS),
        st.sampled_from(list(Role)),
        st.integers(0, 5),
    ),
    max_size=60,
)  # fmt: skip


class World:
    """Does what it is told with a switchboard and keeps its own simple account of who is where with which role."""

    def __init__(self) -> None:
        self.board = Switchboard(Grace(board_s=20.0, other_s=5.0))
        self.now = 0.0
        self.count = 0
        self.where: dict[str, str] = {}
        self.roles: dict[str, Role] = {}
        self.presence: dict[tuple[str, str], list[str]] = {}

    def act(self, action: str, session: str, seat: str, role: Role, number: int) -> list[Effect]:
        mine = [p.peer_id for p in self.board.peers(session)]
        one = mine[number % len(mine)] if mine else "nobody"
        everybody = list(self.where)
        other = everybody[number % len(everybody)] if everybody else "nobody"
        match action:
            case "join":
                return self._join(replace(grant(seat, role, session), site_id=f"{session}-{seat}"))
            case "leave":
                return self.board.leave(one)
            case "lose":
                return self.board.lose(one, self.now)
            case "regain":
                return self.board.regain(one)
            case "expire":
                self.now += number * 2
                return self.board.expire(self.now)
            case "publish":
                return self.board.publish(one, [new_track(str(n), one) for n in range(number % 3)])
            case "mute":
                return effects_of(self.board.mute(one, f"{one}-0", bool(number % 2)))
            case "suspect":
                return self.board.suspect(session, f"{one}-0", bool(number % 2))
            case "hand":
                return self.board.raise_hand(one, bool(number % 2))
            case "admit":
                return effects_of(self.board.admit(one, other))
            case "remove":
                return effects_of(self.board.remove(one, other))
            case "change":
                return self.board.change(session, state="live", record="gap" if number % 2 else "on")
            case "open":
                return self.board.open(session, "title", "live", "on", "on")
            case _:
                return self.board.end(session)

    def _join(self, grant_: Grant) -> list[Effect]:
        if self.board.objection(grant_) is not None:
            return []
        self.count += 1
        name = f"p{self.count}"
        effects = self.board.join(grant_, name)
        self.where[name] = grant_.session_id
        return effects


def _subject(world: World, body: Body) -> Role | None:
    """The role of the peer that a body is about, as far as it says."""
    if isinstance(body, m.PeerChanged):
        return Role(body.peer.role)
    return None


@given(ACTIONS)
@settings(max_examples=200, deadline=None)
def test_nobody_hears_what_they_may_not_and_two_sessions_never_mix(
    actions: list[tuple[str, str, str, Role, int]],
) -> None:
    world = World()
    for action in actions:
        effects = world.act(*action)
        gone: set[str] = set()
        for effect in effects:
            if isinstance(effect, Gone):
                assert effect.peer_id not in gone
                gone.add(effect.peer_id)
            if isinstance(effect, Say):
                _may_hear(world, effect, gone)
        for peer_id in gone:
            world.where.pop(peer_id)


def _may_hear(world: World, effect: Say, gone: set[str]) -> None:
    assert effect.peer_id not in gone
    hearer = world.board.grant(effect.peer_id)
    assert hearer is not None
    session = world.where[effect.peer_id]
    body = effect.body
    if isinstance(body, m.Admitted):
        assert hearer.role is not Role.LOBBY
        assert body.snapshot.session_id == session
        return
    roles = HEARS_OF_LOBBY if _subject(world, body) is Role.LOBBY else HEARS[body.type]
    assert hearer.role in roles
    if isinstance(body, m.PeerChanged):
        assert body.peer.site_id.startswith(session)
    if isinstance(body, m.TrackChanged):
        assert world.where[body.track.peer_id] == session


@given(ACTIONS)
@settings(max_examples=200, deadline=None)
def test_every_peers_picture_from_events_is_the_snapshot_that_it_would_get(
    actions: list[tuple[str, str, str, Role, int]],
) -> None:
    from signaling.view import View

    world = World()
    views: dict[str, View] = {}
    for action in actions:
        for effect in world.act(*action):
            match effect:
                case Say(peer_id, body) if peer_id in views:
                    views[peer_id] = views[peer_id].apply(body)
                case Gone(peer_id):
                    views.pop(peer_id, None)
                    world.where.pop(peer_id)
        for session in SESSIONS:
            for peer in world.board.peers(session):
                views.setdefault(peer.peer_id, View.of(world.board.snapshot(peer.peer_id)))
    for peer_id, view in views.items():
        truth = View.of(world.board.snapshot(peer_id))
        others = {k: p for k, p in truth.peers.items() if k != peer_id}
        assert {k: p for k, p in view.peers.items() if k != peer_id} == others
        theirs = {k: t for k, t in truth.tracks.items() if t.peer_id != peer_id}
        assert {k: t for k, t in view.tracks.items() if t.peer_id != peer_id} == theirs
        assert (view.state, view.record, view.captions) == (truth.state, truth.record, truth.captions)


@given(ACTIONS)
@settings(max_examples=200, deadline=None)
def test_a_seat_has_at_most_one_peer_and_its_presence_ends_where_the_seat_does(
    actions: list[tuple[str, str, str, Role, int]],
) -> None:
    world = World()
    presence: dict[tuple[str, str], str] = {}
    for action in actions:
        for effect in world.act(*action):
            if isinstance(effect, Presence):
                presence[effect.grant.session_id, effect.grant.seat_id] = effect.state
            if isinstance(effect, Gone):
                world.where.pop(effect.peer_id)
    for session in SESSIONS:
        peers = world.board.peers(session)
        assert len({p.site_id for p in peers}) == len(peers)
        for peer in peers:
            state = presence[session, peer.site_id.removeprefix(f"{session}-")]
            assert state == ("joined" if peer.state == "present" else "reconnecting")
        taken = {p.site_id.removeprefix(f"{session}-") for p in peers}
        for seat in SEATS:
            assert seat in taken or presence.get((session, seat), "left") == "left"


@given(st.sampled_from(list(Role)), st.lists(st.sampled_from(list(Role)), max_size=4))
def test_leaving_undoes_joining(role: Role, others: list[Role]) -> None:
    board, names = board_of(*others)
    before = {name: board.snapshot(name) for name in names}
    effects = board.join(grant("new", role), "new")
    board.publish("new", [new_track("mic", "new")])
    effects += board.leave("new")
    assert {name: board.snapshot(name) for name in names} == before
    assert [effect.state for effect in effects if isinstance(effect, Presence)] == ["joined", "left"]
    assert not board.may("new", "leave")
