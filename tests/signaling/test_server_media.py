"""What peers publish and subscribe to at the hub, with a scripted plane."""

import asyncio

import pytest

from signaling.ports import Denial, LoggedPacket, MediaRefused, Placed, Role, Slot
from signaling.settings import SignalingSettings
from tests.signaling.hub import LINE, QUIET, eventually, running, works


async def test_publishing_opens_the_tracks_first_and_tells_the_others() -> None:
    async with running() as hub:
        watching = await hub.join("w", Role.OBSERVER)
        board = await hub.join("a", Role.BOARD)
        reply = await board.publish(0, "mic", "cam")
        assert reply["b"]["sdp"] == "answer to sdp"
        assert [track["track_id"] for track in reply["b"]["tracks"]] == ["seat-a-mic", "seat-a-cam"]
        assert hub.plane.calls == [("publish", "session-1", board.peer_id, 0, ("seat-a-mic", "seat-a-cam"))]
        told = [await watching.until("track.changed") for _ in range(2)]
        assert [message["b"]["track"]["peer_id"] for message in told] == [board.peer_id] * 2


async def test_where_a_publisher_puts_its_sound_on_the_hubs_clock_reaches_who_records_it() -> None:
    async with running() as hub:
        board = await hub.join("a", Role.BOARD)
        track = {"name": "mic", "kind": "audio", "source": "room_mic", "mid": "0", "epoch": 1}
        known = {**track, "placed_at": 1_780_000_000.5, "within_s": 0.01}
        for generation, one in enumerate((known, track)):
            await board.ask("media.publish", {"generation": generation, "sdp": "sdp", "tracks": [one]})
        assert [offer.placed for offer in hub.directory.offers] == [Placed(1_780_000_000.5, 0.01), None]


async def test_the_older_generation_is_closed_when_the_newer_is_up_and_not_before() -> None:
    async with running() as hub:
        board = await hub.join("a", Role.BOARD)
        await board.publish(0, "mic", epoch=1)
        await board.publish(1, "mic", epoch=2)
        assert hub.directory.closed == []
        assert [call[0] for call in hub.plane.calls] == ["publish", "publish"]
        hub.server.connection_up("session-1", board.peer_id, "publish", 1)
        await eventually(lambda: ("close", "session-1", board.peer_id, "publish", 0) in hub.plane.calls)
        await eventually(lambda: [(s.epoch, cause) for s, cause in hub.directory.closed] == [(1, "replaced")])


async def test_a_track_that_goes_on_under_the_same_epoch_is_never_closed() -> None:
    async with running() as hub:
        board = await hub.join("a", Role.BOARD)
        await board.publish(0, "mic", epoch=1)
        await board.publish(1, "mic", epoch=1)
        hub.server.connection_up("session-1", board.peer_id, "publish", 1)
        await eventually(lambda: ("close", "session-1", board.peer_id, "publish", 0) in hub.plane.calls)
        await board.ask("leave")
        await eventually(lambda: [(s.epoch, cause) for s, cause in hub.directory.closed] == [(1, "left")])


async def test_a_generation_that_is_not_newer_is_stale() -> None:
    async with running() as hub:
        board = await hub.join("a", Role.BOARD)
        await board.publish(5, "mic")
        assert (await board.publish(5, "mic"))["b"]["code"] == "stale_generation"
        assert (await board.publish(4, "mic"))["b"]["code"] == "stale_generation"
        assert (await board.ask("media.answer", {"generation": 0, "sdp": "x"}))["b"]["code"] == "stale_generation"


async def test_a_lost_connection_is_replaced_and_its_tracks_are_suspect() -> None:
    async with running() as hub:
        board, watching = await hub.join("a", Role.BOARD), await hub.join("w", Role.OBSERVER)
        await board.publish(0, "mic")
        await watching.until("track.changed")
        hub.server.connection_lost("session-1", board.peer_id, "publish", 0, "silence")
        assert (await board.until("media.replace"))["b"] == {
            "connection": "publish",
            "generation": 0,
            "cause": "silence",
        }
        assert (await watching.until("track.changed"))["b"]["track"]["suspect"]
        reply = await board.publish(1, "mic")
        assert not reply["b"]["tracks"][0]["suspect"]
        hub.server.connection_up("session-1", board.peer_id, "publish", 1)
        await eventually(lambda: [cause for _, cause in hub.directory.closed] == ["lost"])


async def test_the_loss_of_a_generation_that_was_replaced_already_is_no_news() -> None:
    async with running() as hub:
        board = await hub.join("a", Role.BOARD)
        await board.publish(0, "mic")
        await board.publish(1, "mic")
        hub.server.connection_lost("session-1", board.peer_id, "publish", 0, "silence")
        hub.server.announce("session-1", LINE)
        assert (await board.receive())["t"] == "line.committed"


async def test_subscribing_gives_the_hubs_offer_and_later_tables_of_slots() -> None:
    async with running() as hub:
        wire = await hub.join("a", Role.OBSERVER)
        offer = await wire.ask("media.subscribe", {"generation": 0, "audio": 1, "video": 1})
        assert [slot["mid"] for slot in offer["b"]["slots"]] == ["a0", "v0"]
        assert (await wire.ask("media.answer", {"generation": 0, "sdp": "mine"}))["t"] == "done"
        hub.server.slots_changed("session-1", wire.peer_id, 0, [Slot("a0", "audio", "t1")])
        hub.server.slots_changed("session-1", wire.peer_id, 7, [Slot("a0", "audio", "t2")])
        assert (await wire.receive())["b"]["slots"] == [{"mid": "a0", "kind": "audio", "track_id": "t1"}]


async def test_a_plane_without_workers_says_no_media_and_when_to_ask_again() -> None:
    async with running() as hub:
        hub.plane.refusing = MediaRefused("no_media", "The media worker is starting again.")
        board = await hub.join("a", Role.BOARD)
        refused = await board.publish(0, "mic")
        assert (refused["b"]["code"], refused["b"]["retry_after_ms"]) == ("no_media", 1_000)
        assert (await board.ask("media.subscribe", {"generation": 0}))["b"]["code"] == "no_media"
        assert [cause for _, cause in hub.directory.closed] == ["lost"]
        hub.plane.refusing = None
        assert (await board.publish(1, "mic"))["t"] == "media.published"


async def test_a_track_that_the_directory_denies_refuses_the_whole_offer_and_leaves_nothing_open() -> None:
    async with running() as hub:
        hub.directory.denials["cam"] = Denial("stale_epoch", "A newer run of this track is already recorded.")
        board = await hub.join("a", Role.BOARD)
        assert (await board.publish(0, "mic", "cam"))["b"]["code"] == "stale_epoch"
        assert [cause for _, cause in hub.directory.closed] == ["lost"]
        assert hub.plane.calls == []


async def test_wants_reach_the_plane_without_tracks_of_other_sessions() -> None:
    async with running() as hub:
        board, far = await hub.join("a", Role.BOARD), await hub.join("z", Role.BOARD, session="session-2")
        await board.publish(0, "mic")
        await far.publish(0, "mic")
        wants = [{"track_id": "seat-a-mic", "priority": 3}, {"track_id": "seat-z-mic"}]
        await board.ask("media.want", {"wants": wants, "budget_kbps": 300})
        [_, _, _, wished, budget] = hub.plane.calls[-1]
        assert [want.track_id for want in wished] == ["seat-a-mic"]  # type: ignore[attr-defined]
        assert budget == 300


async def test_closing_the_publish_connection_ends_its_tracks() -> None:
    async with running() as hub:
        board, watching = await hub.join("a", Role.BOARD), await hub.join("w", Role.OBSERVER)
        await board.publish(0, "mic")
        await board.ask("media.close", {"connection": "publish", "generation": 0})
        assert (await watching.until("track.ended"))["b"]["track_id"] == "seat-a-mic"
        assert [cause for _, cause in hub.directory.closed] == ["left"]


async def test_silence_levels_and_audio_of_the_plane_are_passed_on() -> None:
    async with running() as hub:
        board = await hub.join("a", Role.BOARD)
        await board.publish(0, "mic")
        hub.server.track_suspect("session-1", "seat-a-mic", 1_000)
        assert (await board.until("track.changed"))["b"]["track"]["suspect"]
        hub.server.track_live("session-1", "seat-a-mic")
        assert not (await board.until("track.changed"))["b"]["track"]["suspect"]
        hub.server.levels("session-1", {"seat-a-mic": 30})
        assert (await board.receive())["b"] == {"levels": {"seat-a-mic": 30}}
        packet = LoggedPacket("seat-a-mic", 0, 1, 960, 0.0, b"opus")
        hub.server.audio([packet])
        assert hub.audio == [packet]


async def test_news_of_peers_that_are_gone_harms_nobody() -> None:
    async with running() as hub:
        hub.server.connection_up("session-1", "gone", "publish", 0)
        hub.server.connection_lost("session-1", "gone", "subscribe", 0, "silence")
        hub.server.slots_changed("session-1", "gone", 0, [])
        hub.server.track_suspect("session-1", "gone", 1_000)
        hub.server.levels("session-1", {})
        assert await works(hub)


async def test_a_directory_that_fails_costs_one_answer_and_no_peer(caplog: pytest.LogCaptureFixture) -> None:
    async with running() as hub:
        board = await hub.join("a", Role.BOARD)
        hub.directory.denials = None  # type: ignore[assignment]
        assert (await board.publish(0, "mic"))["b"]["code"] == "internal"
        assert "failed inside" in caplog.text
        hub.directory.denials = {}
        assert (await board.publish(1, "mic"))["t"] == "media.published"


async def test_a_directory_that_hangs_times_out_and_the_peer_stays() -> None:
    async with running(SignalingSettings(pace=QUIET, directory_s=0.05)) as hub:
        board = await hub.join("a", Role.BOARD)
        hub.directory.hold = asyncio.Event()
        assert (await board.publish(0, "mic"))["b"]["code"] == "timed_out"
        late = await hub.connect()
        assert (await late.hello("a"))["b"]["code"] == "timed_out"
        hub.directory.hold.set()
        assert (await board.ask("hand.raise", {"raised": True}))["t"] == "done"
