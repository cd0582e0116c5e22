"""Who is told what, as tables and as laws over whatever peers do."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signaling import messages as m
from signaling.fakes import grant
from signaling.messages import Body, ErrorCode, Refused
from signaling.permissions import HEARS, HEARS_OF_LOBBY, MAY_SEND
from signaling.ports import Grant, Role
from signaling.switchboard import Effect, Gone, Grace, Presence, Say, Switchboard

SESSIONS = ("north", "south")
SEATS = ("s1", "s2", "s3")


def _track(name: str, peer_id: str) -> m.TrackInfo:
    return m.TrackInfo(
        track_id=f"{peer_id}-{name}", peer_id=peer_id, site_id="x", name=name, kind="audio", source="room_mic", epoch=0
    )


def _told(effects: list[Effect], peer_id: str) -> list[Body]:
    return [effect.body for effect in effects if isinstance(effect, Say) and effect.peer_id == peer_id]


def _board(*roles: Role) -> tuple[Switchboard, list[str]]:
    """A session with one peer of each role given, named by its role and place."""
    board = Switchboard()
    names = [f"{role.value}-{place}" for place, role in enumerate(roles)]
    for place, (role, name) in enumerate(zip(roles, names, strict=True)):
        board.join(grant(f"s{place}", role), name)
    return board, names


# ---- laws ----------------------------------------------------------------------------------------------------------

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
                return self.board.publish(one, [_track(str(n), one) for n in range(number % 3)])
            case "mute":
                return _effects(self.board.mute(one, f"{one}-0", bool(number % 2)))
            case "suspect":
                return self.board.suspect(session, f"{one}-0", bool(number % 2))
            case "hand":
                return self.board.raise_hand(one, bool(number % 2))
            case "admit":
                return _effects(self.board.admit(one, other))
            case "remove":
                return _effects(self.board.remove(one, other))
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


def _effects(outcome: list[Effect] | Refused) -> list[Effect]:
    return [] if isinstance(outcome, Refused) else outcome


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
    board, names = _board(*others)
    before = {name: board.snapshot(name) for name in names}
    effects = board.join(grant("new", role), "new")
    board.publish("new", [_track("mic", "new")])
    effects += board.leave("new")
    assert {name: board.snapshot(name) for name in names} == before
    assert [effect.state for effect in effects if isinstance(effect, Presence)] == ["joined", "left"]
    assert not board.may("new", "leave")


# ---- roles ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("type_", sorted(MAY_SEND))
def test_each_role_may_send_what_its_row_says_and_is_told_the_same(role: Role, type_: str) -> None:
    board, [name] = _board(role)
    allowed = role in MAY_SEND[type_] and type_ != "test.inject"
    assert board.may(name, type_) is allowed
    assert (type_ in board.permissions(name)) is allowed


def test_the_test_door_exists_only_where_it_was_asked_for() -> None:
    board = Switchboard(test_door=True)
    board.join(grant("s", Role.BOARD), "p")
    board.join(grant("l", Role.LOBBY), "knocking")
    assert board.may("p", "test.inject")
    assert not board.may("knocking", "test.inject")


@pytest.mark.parametrize("type_", ["welcome", "peer.left", "beat", "no.such.type"])
def test_what_has_no_row_nobody_may_send(type_: str) -> None:
    board, names = _board(*Role)
    assert not any(board.may(name, type_) for name in names)


def test_what_the_hub_announces_reaches_everybody_but_the_lobby() -> None:
    board, names = _board(Role.BOARD, Role.OBSERVER, Role.LOBBY)
    levels = m.Levels(levels={})
    assert board.hearers("session-1", levels) == names[:2]
    assert board.hearers("session-1", m.SessionChanged(state="live")) == names
    assert board.hearers("session-1", m.Done()) == []
    assert board.hearers("elsewhere", levels) == []


# ---- the lobby -----------------------------------------------------------------------------------------------------


def test_a_knock_is_heard_by_facilitators_only() -> None:
    board, [facilitator, participant] = _board(Role.FACILITATOR, Role.PARTICIPANT)
    effects = board.join(grant("new", Role.LOBBY), "new")
    assert [type(body) for body in _told(effects, facilitator)] == [m.PeerChanged]
    assert _told(effects, participant) == []
    assert [p.peer_id for p in board.snapshot(participant).peers] == [facilitator, participant]


def test_in_the_lobby_one_sees_oneself_and_nobody_else() -> None:
    board, [facilitator, waiting] = _board(Role.FACILITATOR, Role.LOBBY)
    board.publish(facilitator, [_track("mic", facilitator)])
    snapshot = board.snapshot(waiting)
    assert [p.peer_id for p in snapshot.peers] == [waiting]
    assert snapshot.tracks == []


def test_who_is_admitted_gets_the_whole_picture_and_is_seen_by_all() -> None:
    board, [facilitator, participant, waiting] = _board(Role.FACILITATOR, Role.PARTICIPANT, Role.LOBBY)
    effects = board.admit(facilitator, waiting)
    assert isinstance(effects, list)
    [said] = _told(effects, waiting)
    assert isinstance(said, m.Admitted)
    assert "media.publish" in said.permissions
    assert [p.peer_id for p in said.snapshot.peers] == [facilitator, participant, waiting]
    assert _told(effects, participant) != []
    assert board.may(waiting, "media.publish")


def test_who_was_admitted_need_not_knock_again_after_a_loss() -> None:
    board, [facilitator, waiting] = _board(Role.FACILITATOR, Role.LOBBY)
    board.admit(facilitator, waiting)
    board.leave(waiting)
    board.join(grant("s1", Role.LOBBY), "again")
    assert board.may("again", "media.publish")


def test_nobody_admits_or_removes_in_a_session_that_is_not_theirs() -> None:
    board, [facilitator] = _board(Role.FACILITATOR)
    board.join(grant("far", Role.LOBBY, "session-2"), "far")
    for outcome in (board.admit(facilitator, "far"), board.remove(facilitator, "far"), board.admit(facilitator, "?")):
        assert isinstance(outcome, Refused)
        assert outcome.code is ErrorCode.NOT_PERMITTED


# ---- seats ---------------------------------------------------------------------------------------------------------


def test_the_newer_peer_of_a_seat_wins_and_keeps_what_the_seat_was_given() -> None:
    board, [other, old] = _board(Role.BOARD, Role.PARTICIPANT)
    board.raise_hand(old, True)
    board.publish(old, [_track("mic", old)])
    effects = board.join(grant("s1", Role.PARTICIPANT), "new")
    assert Gone(old, "replaced") in effects
    assert [body.type for body in _told(effects, other)] == ["track.ended", "peer.left", "peer.changed"]
    assert not any(isinstance(effect, Presence) for effect in effects)
    [_, new] = board.peers("session-1")
    assert new.hand_raised


@pytest.mark.parametrize(("role", "grace_s"), [(Role.BOARD, 900.0), (Role.PARTICIPANT, 60.0), (Role.LOBBY, 60.0)])
def test_a_lost_seat_is_kept_for_its_grace_and_then_given_up(role: Role, grace_s: float) -> None:
    board, [watching, away] = _board(Role.FACILITATOR, role)
    board.publish(away, [_track("mic", away)])
    told = _told(board.lose(away, 100.0), watching)
    assert isinstance(told[0], m.PeerChanged)
    assert told[0].peer.state == "reconnecting"
    assert board.deadline() == 100.0 + grace_s
    assert board.expire(99.9 + grace_s) == []
    effects = board.expire(board.deadline())
    assert Gone(away, "expired") in effects
    assert [body.type for body in _told(effects, watching)] == ["track.ended", "peer.left"]
    assert board.deadline() == float("inf")


def test_a_seat_that_comes_back_in_time_is_present_again() -> None:
    board, [watching, away] = _board(Role.FACILITATOR, Role.BOARD)
    board.lose(away, 0.0)
    effects = board.regain(away)
    told = _told(effects, watching)
    assert isinstance(told[0], m.PeerChanged)
    assert told[0].peer.state == "present"
    assert board.deadline() == float("inf")


def test_a_site_at_risk_is_told_once_stays_in_the_picture_and_goes() -> None:
    board, (peer,) = _board(Role.PARTICIPANT)
    site = m.SiteAtRisk(site_id="iki", site_name="壱岐", disk="full")
    (said,) = _told(board.change("session-1", at_risk=[site]), peer)
    assert isinstance(said, m.SessionChanged)
    assert said.at_risk == [site]
    assert board.change("session-1", at_risk=[site]) == []
    assert board.change("session-1", state="live") != []
    assert board.snapshot(peer).at_risk == [site]
    (said,) = _told(board.change("session-1", at_risk=[]), peer)
    assert isinstance(said, m.SessionChanged)
    assert said.at_risk == []


def test_who_was_removed_may_not_come_back_to_that_session() -> None:
    board, [facilitator, rude] = _board(Role.FACILITATOR, Role.PARTICIPANT)
    effects = board.remove(facilitator, rude)
    assert isinstance(effects, list)
    assert Gone(rude, "removed") in effects
    assert board.objection(grant("s1")) is not None
    assert board.objection(grant("s1", session="session-2")) is None


def test_an_ended_session_takes_nobody_until_it_is_opened_again() -> None:
    board, [one] = _board(Role.BOARD)
    assert Gone(one, "ended") in board.end("session-1")
    said = board.objection(grant("s0", Role.BOARD))
    assert said is not None
    assert said.code is ErrorCode.SESSION_ENDED
    board.open("session-1", "", "live", "on", "on")
    assert board.objection(grant("s0", Role.BOARD)) is None


# ---- tracks --------------------------------------------------------------------------------------------------------


def test_a_new_list_of_tracks_ends_those_that_are_not_in_it_and_keeps_muted_ones_muted() -> None:
    board, [watching, peer] = _board(Role.OBSERVER, Role.PARTICIPANT)
    mic, cam = _track("mic", peer), _track("cam", peer)
    board.publish(peer, [mic, cam])
    board.mute(peer, mic.track_id, True)
    told = _told(board.publish(peer, [mic]), watching)
    assert told == [m.TrackEnded(track_id=cam.track_id), m.TrackChanged(track=mic.model_copy(update={"muted": True}))]


def test_only_own_tracks_can_be_muted() -> None:
    board, [one, two] = _board(Role.PARTICIPANT, Role.FACILITATOR)
    board.publish(one, [_track("mic", one)])
    outcome = board.mute(two, f"{one}-mic", True)
    assert isinstance(outcome, Refused)
    assert outcome.code is ErrorCode.UNKNOWN_TRACK


def test_a_silent_track_is_told_once_and_a_muted_one_is_not_suspect() -> None:
    board, [watching, peer] = _board(Role.OBSERVER, Role.BOARD)
    track = _track("mic", peer)
    board.publish(peer, [track])
    suspect = track.model_copy(update={"suspect": True})
    assert _told(board.suspect("session-1", track.track_id, True), watching) == [m.TrackChanged(track=suspect)]
    assert board.suspect("session-1", track.track_id, True) == []
    muted = track.model_copy(update={"muted": True})
    assert _told(_effects(board.mute(peer, track.track_id, True)), watching) == [m.TrackChanged(track=muted)]
    assert _told(board.suspect("session-1", track.track_id, False), watching) == []


def test_a_name_that_is_too_long_for_the_wire_is_cut_and_not_fatal() -> None:
    board = Switchboard()
    board.join(replace(grant("s", Role.BOARD), display_name="長" * 500, site_name="長" * 500, title="長" * 500), "p")
    assert len(board.snapshot("p").peers[0].display_name) == 200
