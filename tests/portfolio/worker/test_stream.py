"""What the worker does with what it hears: when it wakes a cycle, when it is live, and when it is deaf."""

from dataclasses import replace
from datetime import timedelta
from queue import SimpleQueue
from types import SimpleNamespace

import pytest
from django.contrib import admin
from django.utils import timezone
from django.utils.translation import override

from exchange.admin.sync import StreamRecordAdmin
from exchange.client.errors import Unreachable
from exchange.core.times import to_ms
from exchange.models import StreamRecord
from exchange.services.lease import STREAM_LEASE, LeaseLost, lease_take
from exchange.services.stream_records import cycle_interval
from exchange.stream.listener import StreamState, StreamStatus, Subscribed
from exchange.stream.messages import Channel, StreamEvent
from portfolio.worker.runner import cycle_is_fresh
from portfolio.worker.stream import StreamConsumer, StreamWatch
from tests.factories import StreamRecordFactory, SyncRunFactory, TradeFactory

pytestmark = pytest.mark.django_db


class Listener:
    def __init__(self):
        self.state = StreamState(status=StreamStatus.CATCHING_UP, since=timezone.now(), session=1)
        self.reconnects = 0

    def confirm_live(self, session):
        self.state = StreamState(status=StreamStatus.LIVE, since=timezone.now(), session=session)

    def reconnect(self):
        self.reconnects += 1


@pytest.fixture
def ears(monkeypatch):
    """A consumer with a listener that is set by hand; `ears.woken` are the tasks it has queued."""
    ears = SimpleNamespace(inbox=SimpleQueue(), listener=Listener(), woken=[], seconds=100.0)
    monkeypatch.setattr("portfolio.worker.stream.STEP_S", 0.01)
    monkeypatch.setattr("portfolio.worker.stream.GATHER_S", 0)
    monkeypatch.setattr(
        "portfolio.worker.stream.async_task", lambda name, *args, **options: ears.woken.append(name)
    )
    ears.lease = lease_take(purpose="stream", name=STREAM_LEASE)
    ears.consumer = StreamConsumer(ears.lease, ears.listener, ears.inbox, monotonic=lambda: ears.seconds)
    return ears


def hear(ears, *events):
    for event in events:
        ears.inbox.put(event)
    ears.consumer.step()


ORDER = StreamEvent(Channel.ORDERS, [{"order_id": "1"}])
TASK = "portfolio.tasks.sync_stream"
FULL = "portfolio.tasks.sync_subscribed"


def test_the_tasks_are_ones_that_may_run():
    from portfolio.worker.task_queue import FUNCTIONS, find_task

    for task in (TASK, FULL):
        assert task in FUNCTIONS
        assert callable(find_task(task))


def test_a_new_session_wakes_a_cycle(ears):
    hear(ears, Subscribed(1))
    assert ears.woken == [FULL]


@pytest.mark.parametrize("channel", [Channel.ORDERS, Channel.ADVANCED_ORDERS, Channel.TRADES])
def test_orders_and_fills_wake_a_cycle(ears, channel):
    hear(ears, StreamEvent(channel, [{"order_id": "1"}]))
    assert ears.woken == [TASK]


@pytest.mark.parametrize("channel", [Channel.RISK, Channel.BALANCE, Channel.POSITIONS, Channel.TRANSACTIONS])
def test_what_comes_by_itself_or_with_a_fill_wakes_none(ears, channel):
    hear(ears, StreamEvent(channel, [{"x": "1"}]))
    assert ears.woken == []


def test_an_empty_snapshot_wakes_none(ears):
    hear(ears, StreamEvent(Channel.ORDERS, []))
    assert ears.woken == []


def test_fifty_messages_at_once_wake_one_cycle(ears):
    hear(ears, *[ORDER] * 50)
    assert ears.woken == [TASK]


def test_messages_that_go_on_wake_one_cycle_in_five_seconds_and_none_is_lost(ears):
    for _ in range(8):
        hear(ears, ORDER)
        ears.seconds += 0.5
    assert ears.woken == [TASK]
    ears.seconds += 1
    hear(ears)
    assert ears.woken == [TASK] * 2
    ears.seconds += 60
    hear(ears)
    assert ears.woken == [TASK] * 2


def test_it_is_live_after_a_complete_cycle_that_began_later(ears):
    since = ears.listener.state.since
    SyncRunFactory(started_at=since - timedelta(seconds=1))
    SyncRunFactory(started_at=since + timedelta(seconds=1), failed=True)
    hear(ears)
    assert ears.listener.state.status is StreamStatus.CATCHING_UP
    SyncRunFactory(started_at=since + timedelta(seconds=1))
    hear(ears)
    assert ears.listener.state.status is StreamStatus.LIVE
    assert StreamRecord.objects.get().status == "live"


def live(ears, *, announced=()):
    hear(ears, Subscribed(1))
    ears.listener.confirm_live(1)
    hear(ears, StreamEvent(Channel.TRADES, [{"trade_id": one} for one in announced]))


def fill(trade_id, *, age_s):
    moment_ns = (to_ms(timezone.now()) - age_s * 1000) * 1_000_000
    return TradeFactory(trade_id=trade_id, create_time_ns=moment_ns)


def later(ears):
    ears.seconds += 5
    hear(ears)


def test_a_fill_that_was_not_announced_shows_that_it_is_mute(ears, time_machine):
    live(ears, announced=["7"])
    time_machine.move_to(timezone.now() + timedelta(seconds=30))
    fill("7", age_s=20)
    later(ears)
    assert ears.listener.reconnects == 0
    fill("8", age_s=5)  # its message may still be on its way
    later(ears)
    assert ears.listener.reconnects == 0
    fill("9", age_s=20)
    later(ears)
    assert ears.listener.reconnects == 1


def test_a_fill_from_before_it_listened_shows_nothing(ears, time_machine):
    fill("6", age_s=20)
    live(ears)
    later(ears)
    assert ears.listener.reconnects == 0


def test_regular_messages_that_stop_show_that_it_is_mute(ears):
    live(ears)
    for _ in range(6):
        ears.seconds += 5
        hear(ears, StreamEvent(Channel.RISK, [{}]))
    for _ in range(11):
        later(ears)
    assert ears.listener.reconnects == 0
    for _ in range(3):
        later(ears)
    assert ears.listener.reconnects >= 1


def test_without_regular_messages_their_silence_shows_nothing(ears):
    live(ears)
    for _ in range(100):
        later(ears)
    assert ears.listener.reconnects == 0


def test_a_refused_key_is_tried_again_after_ten_minutes_when_cycles_are_complete(ears):
    ears.listener.state = StreamState(status=StreamStatus.DOWN, since=timezone.now(), needs_person=True)
    later(ears)
    ears.seconds += 601
    later(ears)
    assert ears.listener.reconnects == 0
    SyncRunFactory(started_at=timezone.now())
    later(ears)
    assert ears.listener.reconnects == 1
    later(ears)
    assert ears.listener.reconnects == 1


def test_another_worker_has_taken_over(ears):
    ears.lease.release()
    assert lease_take(purpose="stream", name=STREAM_LEASE)
    with pytest.raises(LeaseLost):
        later(ears)


def test_its_lease_is_not_the_one_of_the_cycle(ears):
    assert lease_take(purpose="cycle") is not None
    assert lease_take(purpose="stream", name=STREAM_LEASE) is None


class TestInterval:
    @pytest.mark.parametrize(
        ("status", "age", "seconds"),
        [("live", 600, 60), ("catching_up", 600, 60), ("down", 5, 60), ("down", 11, 15)],
    )
    def test_while_it_is_down_cycles_come_every_fifteen_seconds(self, settings, status, age, seconds):
        settings.STREAM_ENABLED = True
        StreamRecordFactory(status=status, age=age)
        assert cycle_interval(now=timezone.now()) == timedelta(seconds=seconds)

    def test_switched_off_or_never_listened_to_the_interval_is_the_usual(self, settings):
        assert cycle_interval(now=timezone.now()) == timedelta(seconds=60)
        settings.STREAM_ENABLED = True
        assert cycle_interval(now=timezone.now()) == timedelta(seconds=60)

    def test_a_cycle_of_fifteen_seconds_ago_is_no_redelivered_one(self, settings):
        settings.STREAM_ENABLED = True
        SyncRunFactory(age=15, trigger="schedule")
        assert cycle_is_fresh(timezone.now())
        StreamRecordFactory(status="down", age=60)
        assert not cycle_is_fresh(timezone.now())


class Worker:
    """A StreamWatch in this thread, whose sessions are these."""

    def __init__(self, monkeypatch, step):
        self.watch = StreamWatch()
        monkeypatch.setattr("portfolio.worker.stream.StreamListener.start", lambda listener: None)
        monkeypatch.setattr("portfolio.worker.stream.StreamListener.stop", lambda listener: None)
        monkeypatch.setattr("portfolio.worker.stream.StreamConsumer.step", lambda consumer: step(self.watch))

    def listen(self):
        self.watch._listen()


def test_a_worker_that_stops_gives_the_lease_back(monkeypatch):
    Worker(monkeypatch, lambda watch: watch._stop.set()).listen()
    assert lease_take(purpose="stream", name=STREAM_LEASE) is not None


def test_whoever_lost_the_lease_does_not_overwrite_what_the_next_one_wrote(monkeypatch):
    def taken(watch):
        StreamRecordFactory()
        raise LeaseLost

    with pytest.raises(LeaseLost):
        Worker(monkeypatch, taken).listen()
    assert StreamRecord.objects.get().status == "live"


def test_while_another_worker_listens_this_one_does_not(monkeypatch):
    assert lease_take(purpose="stream", name=STREAM_LEASE)
    Worker(monkeypatch, lambda watch: pytest.fail("it listened")).listen()


def test_what_the_stream_lacks_is_recorded_and_shown_in_the_readers_language(ears):
    error = Unreachable(method="subscribe", message="Unknown channel")
    ears.listener.state = replace(
        ears.listener.state,
        refused={Channel.TRANSACTIONS: error},
        unreadable=3,
        last_message_at=timezone.now(),
    )
    later(ears)
    record = StreamRecord.objects.get()
    assert [row["channel"] for row in record.refused] == ["user.transactions"]
    assert record.unreadable == 3
    shown = StreamRecordAdmin(StreamRecord, admin.site)
    in_english = shown.not_given(record)
    assert in_english.startswith("user.transactions: The exchange did not answer")
    assert "Unknown channel" in in_english
    assert shown.not_readable(record) == 3
    with override("es"):
        assert shown.not_given(record).startswith("user.transactions: El exchange")
