"""Who is told what, as tables."""

from dataclasses import replace

import pytest

from signaling import messages as m
from signaling.fakes import grant
from signaling.messages import ErrorCode, Refused
from signaling.permissions import MAY_SEND
from signaling.ports import Role
from signaling.switchboard import Gone, Presence, Switchboard
from tests.signaling.rooms import board_of, effects_of, new_track, told_to

# ---- roles ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("type_", sorted(MAY_SEND))
def test_each_role_may_send_what_its_row_says_and_is_told_the_same(role: Role, type_: str) -> None:
    board, [name] = board_of(role)
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
    board, names = board_of(*Role)
    assert not any(board.may(name, type_) for name in names)


def test_what_the_hub_announces_reaches_everybody_but_the_lobby() -> None:
    board, names = board_of(Role.BOARD, Role.OBSERVER, Role.LOBBY)
    levels = m.Levels(levels={})
    assert board.hearers("session-1", levels) == names[:2]
    assert board.hearers("session-1", m.SessionChanged(state="live")) == names
    assert board.hearers("session-1", m.Done()) == []
    assert board.hearers("elsewhere", levels) == []


# ---- the lobby -----------------------------------------------------------------------------------------------------


def test_a_knock_is_heard_by_facilitators_only() -> None:
    board, [facilitator, participant] = board_of(Role.FACILITATOR, Role.PARTICIPANT)
    effects = board.join(grant("new", Role.LOBBY), "new")
    assert [type(body) for body in told_to(effects, facilitator)] == [m.PeerChanged]
    assert told_to(effects, participant) == []
    assert [p.peer_id for p in board.snapshot(participant).peers] == [facilitator, participant]


def test_in_the_lobby_one_sees_oneself_and_nobody_else() -> None:
    board, [facilitator, waiting] = board_of(Role.FACILITATOR, Role.LOBBY)
    board.publish(facilitator, [new_track("mic", facilitator)])
    snapshot = board.snapshot(waiting)
    assert [p.peer_id for p in snapshot.peers] == [waiting]
    assert snapshot.tracks == []


def test_who_is_admitted_gets_the_whole_picture_and_is_seen_by_all() -> None:
    board, [facilitator, participant, waiting] = board_of(Role.FACILITATOR, Role.PARTICIPANT, Role.LOBBY)
    effects = board.admit(facilitator, waiting)
    assert isinstance(effects, list)
    [said] = told_to(effects, waiting)
    assert isinstance(said, m.Admitted)
    assert "media.publish" in said.permissions
    assert [p.peer_id for p in said.snapshot.peers] == [facilitator, participant, waiting]
    assert told_to(effects, participant) != []
    assert board.may(waiting, "media.publish")


def test_who_was_admitted_need_not_knock_again_after_a_loss() -> None:
    board, [facilitator, waiting] = board_of(Role.FACILITATOR, Role.LOBBY)
    board.admit(facilitator, waiting)
    board.leave(waiting)
    board.join(grant("s1", Role.LOBBY), "again")
    assert board.may("again", "media.publish")


def test_nobody_admits_or_removes_in_a_session_that_is_not_theirs() -> None:
    board, [facilitator] = board_of(Role.FACILITATOR)
    board.join(grant("far", Role.LOBBY, "session-2"), "far")
    for outcome in (board.admit(facilitator, "far"), board.remove(facilitator, "far"), board.admit(facilitator, "?")):
        assert isinstance(outcome, Refused)
        assert outcome.code is ErrorCode.NOT_PERMITTED


# ---- seats ---------------------------------------------------------------------------------------------------------


def test_the_newer_peer_of_a_seat_wins_and_keeps_what_the_seat_was_given() -> None:
    board, [other, old] = board_of(Role.BOARD, Role.PARTICIPANT)
    board.raise_hand(old, True)
    board.publish(old, [new_track("mic", old)])
    effects = board.join(grant("s1", Role.PARTICIPANT), "new")
    assert Gone(old, "replaced") in effects
    assert [body.type for body in told_to(effects, other)] == ["track.ended", "peer.left", "peer.changed"]
    assert not any(isinstance(effect, Presence) for effect in effects)
    [_, new] = board.peers("session-1")
    assert new.hand_raised


@pytest.mark.parametrize(("role", "grace_s"), [(Role.BOARD, 900.0), (Role.PARTICIPANT, 60.0), (Role.LOBBY, 60.0)])
def test_a_lost_seat_is_kept_for_its_grace_and_then_given_up(role: Role, grace_s: float) -> None:
    board, [watching, away] = board_of(Role.FACILITATOR, role)
    board.publish(away, [new_track("mic", away)])
    told = told_to(board.lose(away, 100.0), watching)
    assert isinstance(told[0], m.PeerChanged)
    assert told[0].peer.state == "reconnecting"
    assert board.deadline() == 100.0 + grace_s
    assert board.expire(99.9 + grace_s) == []
    effects = board.expire(board.deadline())
    assert Gone(away, "expired") in effects
    assert [body.type for body in told_to(effects, watching)] == ["track.ended", "peer.left"]
    assert board.deadline() == float("inf")


def test_a_seat_that_comes_back_in_time_is_present_again() -> None:
    board, [watching, away] = board_of(Role.FACILITATOR, Role.BOARD)
    board.lose(away, 0.0)
    effects = board.regain(away)
    told = told_to(effects, watching)
    assert isinstance(told[0], m.PeerChanged)
    assert told[0].peer.state == "present"
    assert board.deadline() == float("inf")


def test_a_site_at_risk_is_told_once_stays_in_the_picture_and_goes() -> None:
    board, (peer,) = board_of(Role.PARTICIPANT)
    site = m.SiteAtRisk(site_id="iki", site_name="壱岐", disk="full")
    (said,) = told_to(board.change("session-1", at_risk=[site]), peer)
    assert isinstance(said, m.SessionChanged)
    assert said.at_risk == [site]
    assert board.change("session-1", at_risk=[site]) == []
    assert board.change("session-1", state="live") != []
    assert board.snapshot(peer).at_risk == [site]
    (said,) = told_to(board.change("session-1", at_risk=[]), peer)
    assert isinstance(said, m.SessionChanged)
    assert said.at_risk == []


def test_who_was_removed_may_not_come_back_to_that_session() -> None:
    board, [facilitator, rude] = board_of(Role.FACILITATOR, Role.PARTICIPANT)
    effects = board.remove(facilitator, rude)
    assert isinstance(effects, list)
    assert Gone(rude, "removed") in effects
    assert board.objection(grant("s1")) is not None
    assert board.objection(grant("s1", session="session-2")) is None


def test_an_ended_session_takes_nobody_until_it_is_opened_again() -> None:
    board, [one] = board_of(Role.BOARD)
    assert Gone(one, "ended") in board.end("session-1")
    said = board.objection(grant("s0", Role.BOARD))
    assert said is not None
    assert said.code is ErrorCode.SESSION_ENDED
    board.open("session-1", "", "live", "on", "on")
    assert board.objection(grant("s0", Role.BOARD)) is None


# ---- tracks --------------------------------------------------------------------------------------------------------


def test_a_new_list_of_tracks_ends_those_that_are_not_in_it_and_keeps_muted_ones_muted() -> None:
    board, [watching, peer] = board_of(Role.OBSERVER, Role.PARTICIPANT)
    mic, cam = new_track("mic", peer), new_track("cam", peer)
    board.publish(peer, [mic, cam])
    board.mute(peer, mic.track_id, True)
    told = told_to(board.publish(peer, [mic]), watching)
    assert told == [m.TrackEnded(track_id=cam.track_id), m.TrackChanged(track=mic.model_copy(update={"muted": True}))]


def test_only_own_tracks_can_be_muted() -> None:
    board, [one, two] = board_of(Role.PARTICIPANT, Role.FACILITATOR)
    board.publish(one, [new_track("mic", one)])
    outcome = board.mute(two, f"{one}-mic", True)
    assert isinstance(outcome, Refused)
    assert outcome.code is ErrorCode.UNKNOWN_TRACK


def test_a_silent_track_is_told_once_and_a_muted_one_is_not_suspect() -> None:
    board, [watching, peer] = board_of(Role.OBSERVER, Role.BOARD)
    track = new_track("mic", peer)
    board.publish(peer, [track])
    suspect = track.model_copy(update={"suspect": True})
    assert told_to(board.suspect("session-1", track.track_id, True), watching) == [m.TrackChanged(track=suspect)]
    assert board.suspect("session-1", track.track_id, True) == []
    muted = track.model_copy(update={"muted": True})
    assert told_to(effects_of(board.mute(peer, track.track_id, True)), watching) == [m.TrackChanged(track=muted)]
    assert told_to(board.suspect("session-1", track.track_id, False), watching) == []


def test_a_name_that_is_too_long_for_the_wire_is_cut_and_not_fatal() -> None:
    board = Switchboard()
    board.join(replace(grant("s", Role.BOARD), display_name="長" * 500, site_name="長" * 500, title="長" * 500), "p")
    assert len(board.snapshot("p").peers[0].display_name) == 200
