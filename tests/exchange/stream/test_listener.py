"""The listener connects again, waits longer each time, and stops where only a person can help."""

import random
import time
from collections import deque
from datetime import UTC, datetime
from queue import SimpleQueue

import pytest

from exchange.client.errors import AuthError, ClockError, Unreachable
from exchange.stream.listener import (
    MAX_DELAY_S,
    StreamListener,
    StreamStatus,
    Subscribed,
    reconnect_delay,
)
from exchange.stream.messages import Channel, StreamEvent
from exchange.stream.session import SessionReport

EVENT = StreamEvent(Channel.TRADES, [{"trade_id": "1"}])
LOST = Unreachable(method="subscribe", message="the connection broke")
REFUSED = AuthError(method="public/auth", message="no", code=40101, remedy="check the key")


class Session:
    """Yields these events, then raises the error, or waits for ever."""

    def __init__(self, *events, error=None, refused=None):
        self.events, self.error, self.refused = deque(events), error, refused
        self.report = SessionReport()
        self.is_open = False

    def __enter__(self):
        if self.refused:
            raise self.refused
        self.is_open = True
        return self

    def __exit__(self, *_):
        self.is_open = False

    def receive(self):
        if self.events:
            return self.events.popleft()
        if self.error:
            raise self.error
        time.sleep(0.005)
        return None


@pytest.fixture
def listen(monkeypatch):
    """`listen(session, …)` starts a listener that gets these sessions one after the other, the last one again."""
    started = []
    monkeypatch.setattr("exchange.stream.listener.FIRST_DELAY_S", 0.01)

    def listen(*sessions):
        left = deque(sessions)
        listener = StreamListener(
            lambda: left.popleft() if len(left) > 1 else left[0],
            SimpleQueue(),
            clock=lambda: datetime.now(tz=UTC),
        )
        listener.start()
        started.append(listener)
        return listener

    yield listen
    for listener in started:
        listener.stop()
        assert listener.state.status is StreamStatus.OFF


def until(condition, seconds=5):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def heard(listener, count):
    return [listener._inbox.get(timeout=5) for _ in range(count)]


def test_a_session_is_announced_before_its_events_and_is_live_when_confirmed(listen):
    listener = listen(Session(EVENT))
    assert heard(listener, 2) == [Subscribed(1), EVENT]
    assert listener.state.status is StreamStatus.CATCHING_UP
    assert listener.state.last_message_at is not None
    assert not listener.confirm_live(2)
    assert listener.confirm_live(1)
    assert listener.state.status is StreamStatus.LIVE
    assert not listener.confirm_live(1)


def test_after_a_lost_connection_it_connects_again_and_is_not_live(listen):
    listener = listen(Session(EVENT, error=LOST), Session(EVENT))
    assert heard(listener, 4) == [Subscribed(1), EVENT, Subscribed(2), EVENT]
    assert not listener.confirm_live(1)
    assert listener.state.status is StreamStatus.CATCHING_UP


def test_while_nothing_answers_it_is_down_since_the_first_failure(listen):
    listener = listen(Session(refused=LOST))
    until(lambda: listener.state.error is LOST)
    since = listener.state.since
    time.sleep(0.1)
    assert (listener.state.status, listener.state.since) == (StreamStatus.DOWN, since)


@pytest.mark.parametrize(
    "refused", [REFUSED, ClockError(method="public/auth", message="no", code=40102, remedy="set the clock")]
)
def test_a_refused_key_is_not_tried_again_before_it_is_told_to(listen, refused):
    listener = listen(Session(refused=refused), Session(EVENT))
    until(lambda: listener.state.needs_person)
    time.sleep(0.1)
    assert (listener.state.status, listener.state.error) == (StreamStatus.DOWN, refused)
    assert listener._inbox.empty()
    listener.reconnect()
    assert heard(listener, 2) == [Subscribed(1), EVENT]
    assert (listener.state.error, listener.state.needs_person) == (None, False)


def test_a_mute_session_is_ended_and_made_again(listen):
    first = Session()
    listener = listen(first, Session(EVENT))
    assert heard(listener, 1) == [Subscribed(1)]
    listener.confirm_live(1)
    listener.reconnect()
    assert heard(listener, 2) == [Subscribed(2), EVENT]
    assert not first.is_open


def test_a_bug_in_a_session_is_logged_and_the_next_one_tried(listen, caplog):
    listener = listen(Session(error=KeyError("oops")), Session(EVENT))
    assert heard(listener, 3) == [Subscribed(1), Subscribed(2), EVENT]
    assert "an unexpected error ended the session" in caplog.text


def test_stopping_closes_the_connection(listen):
    session = Session()
    listener = listen(session)
    assert heard(listener, 1) == [Subscribed(1)]
    listener.stop()
    assert not session.is_open


def test_each_failure_doubles_the_wait_up_to_a_minute():
    rng = random.Random(1)
    waits = [reconnect_delay(failures, rng) for failures in range(1, 12)]
    for failures, wait in enumerate(waits, start=1):
        usual = min(2 ** (failures - 1), MAX_DELAY_S)
        assert 0.75 * usual <= wait <= 1.25 * usual
    assert reconnect_delay(10_000, rng) <= 1.25 * MAX_DELAY_S


def test_what_a_session_cannot_give_or_read_is_shown_and_logged_once(listen, caplog):
    session = Session(EVENT, EVENT)
    session.report.refused[Channel.TRANSACTIONS] = Unreachable(method="subscribe", message="Unknown channel")
    session.report.unreadable = 2
    with caplog.at_level("WARNING", logger="exchange.stream.listener"):
        listener = listen(session)
        until(lambda: listener.state.unreadable == 2 and not session.events)
    assert list(listener.state.refused) == [Channel.TRANSACTIONS]
    assert listener.state.status is StreamStatus.CATCHING_UP
    assert caplog.text.count("does not give user.transactions") == 1
    assert caplog.text.count("cannot be read") == 1


def test_the_next_session_begins_without_what_the_last_one_lacked(listen):
    first, second = Session(EVENT, error=LOST), Session()
    first.report.unreadable = 1
    listener = listen(first, second)
    until(lambda: listener.state.session == 2)
    assert (listener.state.unreadable, dict(listener.state.refused)) == (0, {})
