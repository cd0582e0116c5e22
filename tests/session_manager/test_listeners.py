"""Followers of a session: facts are never skipped silently, views give way."""

from __future__ import annotations

from session_manager.listeners import DEPTH, Listener, Listeners
from session_manager.records import LiveEvent


def fact(number: int) -> LiveEvent:
    return LiveEvent(number, "line.committed", {})


VIEW = LiveEvent(None, "levels", {})


async def given_by(listener: Listener) -> list[int | None]:
    return [event.number async for event in listener]


async def test_events_come_in_order_until_the_end() -> None:
    listener = Listener()
    for number in (1, 2, 3):
        listener.offer(fact(number))
    listener.end()
    assert await given_by(listener) == [1, 2, 3]


async def test_a_full_queue_drops_views_and_keeps_facts() -> None:
    listener = Listener()
    for number in range(DEPTH):
        listener.offer(fact(number))
    listener.offer(VIEW)
    assert listener.dropped_views == 1
    listener.end()
    assert await given_by(listener) == list(range(DEPTH))


async def test_a_listener_that_misses_a_fact_is_cut_off_before_it() -> None:
    listener = Listener()
    for number in range(DEPTH + 5):
        listener.offer(fact(number))
    assert await given_by(listener) == list(range(DEPTH))


async def test_only_the_followers_of_that_session_are_told() -> None:
    listeners = Listeners()
    here, elsewhere = listeners.add("a"), listeners.add("b")
    listeners.tell("a", fact(1))
    listeners.end("a")
    listeners.end("b")
    assert await given_by(here) == [1]
    assert await given_by(elsewhere) == []


def test_a_session_without_followers_is_forgotten() -> None:
    listeners = Listeners()
    listener = listeners.add("a")
    listeners.remove("a", listener)
    assert listeners.count("a") == 0
