"""The laws of delivery, over a wire that loses, repeats, reorders and breaks."""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from signaling import messages as m
from signaling.codec import Envelope
from signaling.delivery import Backlog, Bounds, Inbox, Outbox, Replies, Standing, Unanswered

SMALL = Bounds(events=8, bytes=2_000, age_s=30.0, waiting_replies=4, views=3)


def _event(number: int) -> m.TrackEnded:
    return m.TrackEnded(track_id=f"t{number}")


def _view(number: int) -> m.Levels:
    return m.Levels(levels={"t": number})


class LossyLink(RuleBasedStateMachine):
    """A hub's outbox and a client's inbox with everything between them that a network can do.

    The client takes what it accepts into `had`; a resync moves it to the hub's picture at once, as a snapshot does.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.said = 0
        self.had = 0
        self.acknowledged = 0
        self.outbox = Outbox(SMALL)
        self.inbox: Inbox[int] = Inbox(hold=6)
        self.wire: list[Envelope] = []
        self.outbox.attach()
        self.connected = True

    @rule()
    def say(self) -> None:
        self.said += 1
        self.outbox.event(_event(self.said), self.now)

    @rule(seconds=st.floats(0, 40))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.outbox.expire(self.now)

    @precondition(lambda self: self.connected and not self.outbox.overflowed)
    @rule()
    def write(self) -> None:
        envelope = self.outbox.take()
        if envelope is not None:
            assert envelope.seq is not None
            assert envelope.seq > self.acknowledged
            self.wire.append(envelope)

    @precondition(lambda self: self.wire)
    @rule(data=st.data(), keep=st.booleans(), lose=st.booleans())
    def arrive(self, data: st.DataObject, keep: bool, lose: bool) -> None:
        index = data.draw(st.integers(0, len(self.wire) - 1))
        envelope = self.wire[index] if keep else self.wire.pop(index)
        if not lose or keep:
            self._receive(envelope)

    @precondition(lambda self: self.connected)
    @rule()
    def acknowledge(self) -> None:
        self.acknowledged = self.inbox.received
        self.outbox.acknowledge(self.acknowledged)

    @rule()
    def reconnect(self) -> None:
        self.outbox.detach()
        self.wire.clear()
        recv_seq = self.inbox.received
        reason = self.outbox.resume(recv_seq, self.now)
        self.inbox.restart(self.outbox.next_seq if reason else recv_seq + 1)
        if reason is not None:
            self.had = self.said
            self.acknowledged = max(self.acknowledged, self.said)
        self.connected = True

    @rule()
    def break_down(self) -> None:
        self.outbox.detach()
        self.wire.clear()
        self.connected = False

    @invariant()
    def bounds_hold(self) -> None:
        assert len(self.outbox._kept) <= SMALL.events

    def teardown(self) -> None:
        """Whatever happened: one quiet reconnection brings everything, once and in order, or says that it cannot."""
        self.reconnect()
        while (envelope := self.outbox.take()) is not None:
            self._receive(envelope)
        assert self.had == self.said
        assert not self.outbox.overflowed

    def _receive(self, envelope: Envelope) -> None:
        assert envelope.seq is not None
        body = envelope.body
        assert isinstance(body, m.TrackEnded)
        for number in self.inbox.accept(envelope.seq, int(body.track_id[1:])):
            assert number == self.had + 1
            self.had = number


LossyLink.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
test_any_mix_of_loss_repeat_reorder_and_reconnection_ends_exactly_once_in_order = LossyLink.TestCase


@given(st.lists(st.integers(1, 30), max_size=80))
def test_the_inbox_gives_each_number_once_and_in_order(arrivals: list[int]) -> None:
    inbox: Inbox[int] = Inbox(hold=100)
    given_out = [item for seq in arrivals for item in inbox.accept(seq, seq)]
    assert inbox.repeats == len(arrivals) - len(set(arrivals))
    assert given_out == list(range(1, len(given_out) + 1))
    assert set(range(1, inbox.received + 1)) <= set(arrivals)


def test_an_inbox_that_would_have_to_hold_too_much_is_broken_until_it_restarts() -> None:
    inbox: Inbox[str] = Inbox(hold=3)
    assert inbox.accept(5, "far") == ()
    assert inbox.broken
    inbox.restart(5)
    assert not inbox.broken
    assert inbox.accept(5, "far") == ("far",)


def test_replies_and_events_are_written_as_said_and_views_after_them() -> None:
    outbox = Outbox()
    outbox.attach()
    outbox.view(_view(1), "levels")
    outbox.event(_event(1), 0.0)
    outbox.reply(Envelope("done", m.Done(), re="c1"))
    outbox.event(_event(2), 0.0)
    assert _taken(outbox) == ["track.ended", "done", "track.ended", "levels"]


def test_of_views_with_one_key_the_latest_is_written() -> None:
    outbox = Outbox()
    outbox.attach()
    outbox.view(_view(1), "levels")
    outbox.view(_view(2), "levels")
    taken = outbox.take()
    assert taken is not None
    assert taken.body == _view(2)
    assert outbox.take() is None
    assert outbox.views_dropped == 1


def test_with_too_many_keys_the_longest_waiting_view_goes_first() -> None:
    outbox = Outbox(SMALL)
    outbox.attach()
    for number in range(5):
        outbox.view(_view(number), number)
    assert [outbox.take().body for _ in range(3)] == [_view(2), _view(3), _view(4)]  # type: ignore[union-attr]
    assert outbox.views_dropped == 2


def test_a_slow_peer_overflows_and_its_resume_asks_for_a_resync() -> None:
    outbox = Outbox(SMALL)
    outbox.attach()
    for number in range(SMALL.events):
        outbox.event(_event(number), 0.0)
    assert not outbox.overflowed
    outbox.event(_event(99), 0.0)
    assert outbox.overflowed
    outbox.detach()
    assert outbox.resume(0, 0.0) == "history gone"
    assert outbox.next_seq == SMALL.events + 2
    assert outbox.take() is None


def test_events_beyond_the_bytes_are_forgotten() -> None:
    outbox = Outbox(Bounds(bytes=1_000))
    for _ in range(20):
        outbox.event(m.MediaReplace(connection="publish", generation=0, cause="x" * 200), 0.0)
    assert outbox.resume(0, 0.0) == "history gone"


def test_events_beyond_the_age_are_forgotten() -> None:
    outbox = Outbox(SMALL)
    outbox.event(_event(1), 0.0)
    assert outbox.resume(0, 31.0) == "history gone"


def test_a_client_that_claims_more_than_was_said_is_given_a_resync() -> None:
    outbox = Outbox()
    outbox.event(_event(1), 0.0)
    assert outbox.resume(7, 0.0) == "position unknown"


def test_an_acknowledgement_of_what_was_never_said_is_not_believed() -> None:
    outbox = Outbox()
    outbox.event(_event(1), 0.0)
    outbox.acknowledge(7)
    assert outbox.resume(0, 0.0) is None
    assert _taken(outbox) == ["track.ended"]


def test_a_peer_that_never_acknowledges_is_not_slow() -> None:
    outbox = Outbox(SMALL)
    outbox.attach()
    for number in range(100):
        outbox.event(_event(number), 0.0)
        assert outbox.take() is not None
    assert not outbox.overflowed


def test_too_many_replies_to_a_peer_that_does_not_read_overflow() -> None:
    outbox = Outbox(SMALL)
    outbox.attach()
    for _ in range(SMALL.waiting_replies + 1):
        outbox.reply(Envelope("done", m.Done()))
    assert outbox.overflowed


def test_without_a_connection_only_events_are_kept() -> None:
    outbox = Outbox()
    outbox.reply(Envelope("done", m.Done()))
    outbox.view(_view(1), "levels")
    outbox.event(_event(1), 0.0)
    assert outbox.resume(0, 0.0) is None
    assert _taken(outbox) == ["track.ended"]


def test_a_command_is_new_once_and_its_reply_is_the_same_for_ever() -> None:
    replies = Replies()
    assert replies.begin("c1") is Standing.NEW
    assert replies.begin("c1") is Standing.RUNNING
    replies.finish("c1", m.Done())
    assert replies.begin("c1") == m.Done()


def test_a_command_that_was_refused_for_its_pace_may_come_again() -> None:
    replies = Replies()
    replies.begin("c1")
    replies.abandon("c1")
    assert replies.begin("c1") is Standing.NEW


@given(st.lists(st.integers(0, 600), max_size=60))
def test_remembered_replies_stay_within_their_bounds_and_the_latest_is_always_there(sizes: list[int]) -> None:
    replies = Replies(count=10, size=1_000)
    for number, size in enumerate(sizes):
        replies.begin(f"c{number}")
        replies.finish(f"c{number}", m.Done(), size)
        assert replies.begin(f"c{number}") == m.Done()
    assert len(replies._finished) <= 10
    assert replies._bytes <= 1_000 or len(replies._finished) == 1


def test_unanswered_commands_are_written_once_per_connection_in_the_order_asked() -> None:
    unanswered = Unanswered()
    for command_id in ("c1", "c2", "c3"):
        assert unanswered.ask(command_id, m.Done())
    assert unanswered.take() is None
    unanswered.attach()
    assert [unanswered.take().id for _ in range(3)] == ["c1", "c2", "c3"]  # type: ignore[union-attr]
    assert unanswered.take() is None
    unanswered.answered("c2")
    unanswered.detach()
    unanswered.attach()
    assert [unanswered.take().id for _ in range(2)] == ["c1", "c3"]  # type: ignore[union-attr]


def test_a_hub_that_forgot_us_voids_what_was_written_to_it_and_nothing_else() -> None:
    unanswered = Unanswered()
    unanswered.attach()
    unanswered.ask("c1", m.Done())
    unanswered.take()
    unanswered.detach()
    unanswered.ask("c2", m.Done())
    assert unanswered.void() == ("c1",)
    unanswered.attach()
    taken = unanswered.take()
    assert taken is not None
    assert taken.id == "c2"


def test_only_so_many_commands_wait() -> None:
    unanswered = Unanswered(most=2)
    assert [unanswered.ask(f"c{n}", m.Done()) for n in range(3)] == [True, True, False]
    unanswered.answered("c0")
    assert unanswered.ask("c3", m.Done())


def test_a_backlog_gives_facts_in_order_before_views() -> None:
    backlog: Backlog[str] = Backlog()
    backlog.view("old level", "level")
    backlog.fact("one")
    backlog.view("level", "level")
    backlog.fact("two")
    assert [backlog.take() for _ in range(4)] == ["one", "two", "level", None]


def test_a_backlog_that_overflows_counts_all_it_threw_away() -> None:
    backlog: Backlog[int] = Backlog(facts=3)
    for number in range(5):
        backlog.fact(number)
    assert backlog.lost == 4
    assert [backlog.take(), backlog.take()] == [4, None]


def _taken(outbox: Outbox) -> list[str]:
    taken = []
    while (envelope := outbox.take()) is not None:
        taken.append(envelope.t)
    return taken
