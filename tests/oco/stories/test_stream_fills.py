"""A fill that the user stream announces is protected before the account is read, or left to a cycle untouched."""

import json
import logging
from collections import deque
from datetime import timedelta
from decimal import Decimal
from queue import Empty

import pytest

from exchange.client.auth import Credentials
from exchange.models import ExchangeOrder, SyncRun, Trade
from exchange.services.lease import STREAM_LEASE, lease_take
from exchange.simulator.stream_session import StreamSession
from exchange.stream.listener import StreamState, StreamStatus
from exchange.stream.messages import AUTH, SUBSCRIBE, Channel, StreamEvent, parse_message
from oco.engine.states import State
from oco.models import Lot, OcoEvent, OcoGroup, OcoLeg, ProtectionPolicy
from oco.policies import policy_for
from oco.services.kill_switch import stop_trading
from portfolio.worker import stream as worker_stream
from portfolio.worker.runner import narrow_run
from portfolio.worker.stream import StreamConsumer
from tests.exchange.simulator.world import KEY, SECRET
from tests.oco.support import check, check_converged, ours, resting, stop_of, target_of

D = Decimal
PAIR = "private/advanced/create-oco"
READS = "private/get-"


class Inbox:
    """The simulator's user stream without a wire; waiting for a message lets time pass."""

    def __init__(self, world):
        self.world, self.texts, self.events = world, deque(), deque()
        self.lost = set()  # channels of which nothing arrives
        with world.exchange.lock:
            self.session = StreamSession(world.exchange, "user", self._put, world.seconds())
            world.exchange.account_feed.sessions.append(self.session)
            world.tick(1)
            body = Credentials(KEY, SECRET).stream_body(AUTH, id=1, nonce=world.now_ms())
            self.session.receive(body, world.seconds())
            names = {"channels": [str(channel) for channel in Channel]}
            self.session.receive(json.dumps({"id": 2, "method": SUBSCRIBE, "params": names}), world.seconds())
        self.texts.clear()

    def _put(self, each):
        self.texts.append(each.text)

    def _parse(self):
        while self.texts:
            for message in parse_message(self.texts.popleft(), str):
                if isinstance(message, StreamEvent) and message.channel not in self.lost:
                    self.events.append(message)

    def put(self, event):
        self.events.append(event)

    def empty(self):
        self._parse()
        return not self.events

    def get(self, timeout=None):
        if self.empty() and timeout:
            self.world.tick(timeout)
        if self.empty():
            raise Empty
        return self.events.popleft()


class Ears:
    """The worker's consumer of the stream, and the listener's state."""

    def __init__(self, desk, inbox):
        self.state = StreamState(status=StreamStatus.LIVE, since=desk.now, session=1)
        lease = lease_take(purpose="stream", name=STREAM_LEASE)
        self.inbox, self.queued = inbox, []
        self.consumer = StreamConsumer(lease, self, inbox, monotonic=desk.world.seconds)

    def reconnect(self):
        self.state = StreamState(status=StreamStatus.DOWN, since=self.state.since, session=1)

    def confirm_live(self, session):
        raise AssertionError("it was live")


@pytest.fixture
def ears(desk, world, monkeypatch):
    """The account is known, and the stream has been live since before the last complete cycle."""
    world.set_price("BTC_USD", "60000")
    desk.sync_ok()
    ears = Ears(desk, Inbox(world))
    monkeypatch.setattr("portfolio.worker.fills.client_from_settings", desk.client)
    monkeypatch.setattr("time.sleep", world.tick)
    monkeypatch.setattr(
        worker_stream, "async_task", lambda name, *args, **_: ears.queued.append((name.split(".")[-1], *args))
    )
    desk.sync_ok()
    desk.requested.clear()
    return ears


def hear(desk, ears):
    """The next steps of the consumer, until nothing is left."""
    ears.consumer.step()
    while not ears.inbox.empty():
        ears.consumer.step()
    check(desk.world)


def codes():
    return [event.reason_code for event in OcoEvent.objects.order_by("id")]


def test_a_purchase_is_protected_without_reading_the_account(desk, world, ears):
    order = world.buy("BTC_USD", "0.01")
    hear(desk, ears)
    group = OcoGroup.objects.get()
    assert (group.state, group.is_unaudited) == (State.ACTIVE, True)
    assert desk.requested == ["public/get-tickers", PAIR]
    assert (stop_of(world).quantity, target_of(world).quantity) == (group.quantity, group.quantity)
    assert Lot.objects.get().bought == order.cumulative_quantity + sum(
        trade.fee for trade in Trade.objects.filter(order_id=order.order_id)
    )
    assert codes() == ["ENTRY_FILLED", "FROM_STREAM", "PLACING_PAIR", "CONFIRMED_OPEN"]
    check_converged(world)


def test_the_next_complete_cycle_says_that_it_found_what_was_placed(desk, world, ears):
    world.buy("BTC_USD", "0.01")
    hear(desk, ears)
    desk.sync_ok()
    assert codes()[-1] == "STREAM_CONFIRMED"
    assert not OcoGroup.objects.get().is_unaudited
    assert PAIR not in desk.requested
    desk.sync_ok()
    assert codes().count("STREAM_CONFIRMED") == 1


def test_the_next_complete_cycle_says_that_it_did_not_find_what_was_placed(desk, world, ears):
    world.buy("BTC_USD", "0.01")
    hear(desk, ears)
    world.cancel(stop_of(world))
    world.faults.add("refuse", "private/advanced/create-*", code=306)
    desk.sync()
    assert codes()[-1] == "STREAM_NOT_CONFIRMED"


def test_a_second_purchase_of_the_coin_has_a_lot_of_its_own(desk, world, ears):
    for quantity in ("0.01", "0.02"):
        world.buy("BTC_USD", quantity)
        hear(desk, ears)
    assert sorted(group.quantity for group in OcoGroup.objects.all()) == sorted(
        order.quantity for order in resting(world) if order.order_type == "STOP_LOSS"
    )
    assert {group.state for group in OcoGroup.objects.all()} == {State.ACTIVE}
    desk.sync_ok()
    check_converged(world)


def test_the_fills_of_a_limit_order_are_protected_one_after_the_other(desk, world, ears):
    order = world.buy("BTC_USD", "0.03", price="59000")
    hear(desk, ears)
    for _ in range(3):
        world.fill(order, "0.01", "59000")
        hear(desk, ears)
    assert Lot.objects.filter(entry_order_id=order.order_id).count() == 3
    desk.sync_ok()
    check_converged(world)


def test_a_fill_announced_twice_is_one_lot(desk, world, ears):
    world.buy("BTC_USD", "0.01")
    ears.inbox._parse()
    ears.inbox.events += [event for event in ears.inbox.events if event.channel is Channel.TRADES]
    hear(desk, ears)
    desk.sync_ok()
    assert Lot.objects.count() == Trade.objects.count() == 1
    assert len(ours(world)) == 2


def test_an_order_never_moves_back_by_a_late_message(desk, world, ears):
    order = world.buy("BTC_USD", "0.03", price="59000")
    ears.inbox._parse()
    early = [event for event in ears.inbox.events if event.channel is Channel.ORDERS]
    world.fill(order, None, "59000")
    ears.inbox._parse()
    ears.inbox.events += early
    hear(desk, ears)
    desk.sync_ok()
    assert ExchangeOrder.objects.get(order_id=order.order_id).status == "FILLED"
    check_converged(world)


def test_orders_that_the_stream_does_not_name_are_read_back(desk, world, ears):
    ears.inbox.lost = {Channel.ADVANCED_ORDERS}
    world.buy("BTC_USD", "0.01")
    began = desk.now
    hear(desk, ears)
    assert desk.requested == ["public/get-tickers", PAIR, "private/advanced/get-open-orders"]
    assert desk.now - began >= timedelta(seconds=2)
    assert OcoGroup.objects.get().state == State.ACTIVE


def test_the_cycle_after_it_begins_after_two_seconds_and_places_nothing(desk, world, ears):
    world.buy("BTC_USD", "0.01")
    hear(desk, ears)
    assert ears.queued == []
    world.tick(3)
    hear(desk, ears)
    ((name, ended),) = ears.queued
    assert name == "sync_stream"
    assert [space for space, _ in ended] == ["PLAIN"]
    desk.requested.clear()
    assert narrow_run(ended=ended)
    assert PAIR not in desk.requested
    assert len(desk.requested) <= 6
    check_converged(world)


# What is left to a cycle


def left_to_cycle(desk, world, ears, caplog):
    """Nothing was stored or sent, a cycle is due at once, and it brings the account to where it should be."""
    before = [model.objects.count() for model in (Trade, Lot, OcoGroup, OcoLeg, OcoEvent)]
    with caplog.at_level(logging.INFO, logger="exchange_sync"):
        hear(desk, ears)
    assert [model.objects.count() for model in (Trade, Lot, OcoGroup, OcoLeg, OcoEvent)] == before
    assert not [method for method in desk.requested if "create" in method]
    assert ears.queued
    desk.sync()
    return ears.queued


def purchase(world):
    world.buy("BTC_USD", "0.01")


@pytest.mark.parametrize("status", [StreamStatus.CATCHING_UP, StreamStatus.DOWN])
def test_while_the_stream_is_not_live(desk, world, ears, caplog, status):
    ears.state = StreamState(status=status, since=desk.now, session=1)
    purchase(world)
    left_to_cycle(desk, world, ears, caplog)
    check_converged(world)


def test_after_an_incomplete_cycle(desk, world, ears, caplog):
    newest = SyncRun.objects.order_by("-started_at").first()
    newest.status = SyncRun.Status.PARTIAL
    newest.save()
    purchase(world)
    left_to_cycle(desk, world, ears, caplog)
    check_converged(world)


def test_when_the_last_complete_cycle_is_older_than_90_seconds(desk, world, ears, caplog):
    world.tick(91)
    purchase(world)
    left_to_cycle(desk, world, ears, caplog)
    check_converged(world)


def test_while_trading_is_stopped(desk, world, ears, caplog):
    stop_trading(changed_by="me", reason="", now=desk.now)
    purchase(world)
    left_to_cycle(desk, world, ears, caplog)
    assert resting(world) == []


def test_under_a_policy_that_is_off(desk, world, ears, caplog):
    policy_for("BTC_USD", "BUY")
    ProtectionPolicy.objects.update(enabled=False)
    purchase(world)
    left_to_cycle(desk, world, ears, caplog)
    assert resting(world) == []


def test_without_the_balance(desk, world, ears, caplog):
    ears.inbox.lost = {Channel.BALANCE}
    purchase(world)
    left_to_cycle(desk, world, ears, caplog)
    check_converged(world)


def test_after_a_row_that_cannot_be_read(desk, world, ears, caplog):
    ears.inbox.put(StreamEvent(Channel.ORDERS, [{"order_id": "7", "status": "ACTIVE"}]))
    purchase(world)
    left_to_cycle(desk, world, ears, caplog)
    check_converged(world)


def test_a_purchase_that_is_too_small(desk, world, ears, caplog):
    world.buy("BTC_USD", "0.00002")
    left_to_cycle(desk, world, ears, caplog)
    assert resting(world) == []


def test_a_stop_within_the_spread(desk, world, ears, caplog):
    world.set_spread("BTC_USD", "0.2")
    purchase(world)
    left_to_cycle(desk, world, ears, caplog)
    assert resting(world) == []


def test_a_price_that_fell_past_the_stop(desk, world, ears, caplog):
    purchase(world)
    ears.inbox._parse()
    world.set_price("BTC_USD", "40000")
    left_to_cycle(desk, world, ears, caplog)


def test_coins_that_an_external_order_reserves(desk, world, ears, caplog):
    purchase(world)
    world.sell("BTC_USD", "0.009", price="90000")
    left_to_cycle(desk, world, ears, caplog)


def test_sales_are_left_to_a_cycle(desk, world, ears, caplog):
    world.deposit("BTC", "1")
    world.sell("BTC_USD", "0.01")
    left_to_cycle(desk, world, ears, caplog)


def test_a_fill_that_disputes_what_is_stored(desk, world, ears, caplog):
    purchase(world)
    desk.sync_ok()
    (trade,) = Trade.objects.all()
    Trade.objects.filter(pk=trade.pk).update(price=trade.price + 1)
    hear(desk, ears)
    desk.requested.clear()
    purchase(world)
    left_to_cycle(desk, world, ears, caplog)


def test_a_running_cycle_is_waited_for(desk, world, ears):
    running = lease_take(purpose="cycle")
    tick, waited = world.tick, []

    def free_after_a_second(seconds):
        tick(seconds)
        waited.append(seconds)
        if sum(waited) > 1:
            running.release()

    purchase(world)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.sleep", free_after_a_second)
        hear(desk, ears)
    assert OcoGroup.objects.get().state == State.ACTIVE


def test_a_cycle_that_takes_long_is_not_waited_for(desk, world, ears, caplog):
    running = lease_take(purpose="cycle")
    purchase(world)
    hear(desk, ears)
    assert OcoGroup.objects.count() == 0
    running.release()
    desk.sync_ok()
    check_converged(world)


def test_an_unexpected_error_is_logged_and_leaves_the_fill_to_a_cycle(desk, world, ears, caplog, monkeypatch):
    def fail(**_):
        raise ZeroDivisionError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("portfolio.worker.fills.fills_protect", fail)
        purchase(world)
        hear(desk, ears)
    assert "after an unexpected error" in caplog.text
    assert ears.queued
    desk.sync_ok()
    check_converged(world)


# What the exchange answers


@pytest.mark.parametrize("code", [213, 306, 50002, 40101])
def test_a_refused_pair_is_left_to_a_cycle(desk, world, ears, code):
    world.faults.add("refuse", PAIR, code=code, times=1)
    purchase(world)
    hear(desk, ears)
    assert OcoGroup.objects.get().state != State.ACTIVE
    assert ears.queued
    desk.sync(3)
    desk.sync(100)
    check_converged(world)


def test_a_lost_answer_is_looked_up_and_never_placed_twice(desk, world, ears):
    world.faults.add("process_then_drop", PAIR, times=1)
    purchase(world)
    hear(desk, ears)
    desk.sync()
    desk.sync()
    assert len([order for order in ours(world) if order.order_type == "STOP_LOSS"]) == 1
    check_converged(world)
