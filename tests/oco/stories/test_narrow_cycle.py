"""A narrow cycle reads what a message of the user stream concerns, and leaves to a full one what it cannot settle."""

import pytest

from exchange.models import ExchangeOrder, Quote, SyncCursor, SyncRun
from oco.engine.states import State
from oco.models import OcoGroup, Watermark
from portfolio.models import Balance
from portfolio.tasks import sync_stream
from portfolio.worker.runner import narrow_run
from tests.oco.support import check, check_converged, group, resting, stop_of, target_of


def wake(desk, *orders):
    """What the stream's message about these orders brings; whether it settled it."""
    desk.requested.clear()
    done = narrow_run(ended=[(order.name_space.upper(), order.order_id) for order in orders])
    check(desk.world)
    return done


def reads(desk):
    return [method for method in desk.requested if "/get-" in method or "balance" in method]


def test_a_message_without_news_costs_four_reads(desk, held):
    assert wake(desk)
    assert sorted(desk.requested) == [
        "private/advanced/get-open-orders",
        "private/get-open-orders",
        "private/get-trades",
        "private/user-balance",
    ]


@pytest.mark.parametrize("leg", [stop_of, target_of])
def test_an_executed_leg_closes_the_group(desk, world, held, leg):
    legs = resting(world)
    world.fill(leg(world))
    world.tick(1)
    assert wake(desk, *legs)
    assert OcoGroup.objects.get().state in (State.CLOSED_BY_STOP, State.CLOSED_BY_TARGET)
    assert len(reads(desk)) <= 4 + 2  # an end may need two answers; that about a pair answers for both legs
    assert resting(world) == []


def test_a_purchase_is_protected(desk, world, held):
    order = world.buy("BTC_USD", "0.02")
    assert wake(desk, order)
    assert {one.state for one in OcoGroup.objects.all()} == {State.ACTIVE}
    assert len(reads(desk)) <= 4 + 4  # its order, two prices for what is placed, and that is read back
    check_converged(world)


def test_it_keeps_what_the_coins_are_worth(desk, world, held):
    before = dict(Balance.objects.values_list("currency", "price_usd"))
    assert before["BTC"] is not None
    assert wake(desk)
    assert dict(Balance.objects.values_list("currency", "price_usd")) == before


def test_it_is_no_complete_cycle(desk, world, held):
    runs, cursors = SyncRun.objects.count(), list(SyncCursor.objects.order_by("stream").values())
    world.tick(30)
    assert wake(desk)
    assert SyncRun.objects.count() == runs
    assert list(SyncCursor.objects.order_by("stream").values()) == cursors


def test_before_the_first_complete_cycle_a_full_one_is_needed(desk, world):
    assert not wake(desk)
    assert not Watermark.objects.exists()


@pytest.mark.parametrize(
    "method",
    [
        "private/get-open-orders",
        "private/advanced/get-open-orders",
        "private/get-trades",
        "private/user-balance",
    ],
)
def test_a_read_that_fails_needs_a_full_cycle_and_changes_nothing(desk, world, held, method):
    world.faults.add("refuse", method, code=50001)
    before = list(ExchangeOrder.objects.order_by("pk").values())
    assert not wake(desk)
    assert list(ExchangeOrder.objects.order_by("pk").values()) == before
    assert group().state == State.ACTIVE


def test_more_ended_orders_than_a_pair_need_a_full_cycle(desk, world, held):
    orders = [world.buy("BTC_USD", "0.01", price="50000") for _ in range(3)]
    assert not wake(desk, *orders)
    assert desk.requested == []


def test_an_unreadable_row_needs_a_full_cycle(desk, world, held):
    world.faults.add("lie", "private/get-trades", values={"traded_price": "-1"}, where={"side": "BUY"})
    assert not wake(desk)


def test_what_a_narrow_cycle_cannot_settle_a_full_one_does_at_once(desk, world, held):
    world.faults.add("refuse", "private/get-trades", code=50001, times=3)
    runs = SyncRun.objects.count()
    sync_stream([])
    assert SyncRun.objects.count() == runs + 1


def test_without_the_value_of_a_quote_currency_a_full_cycle_is_needed(desk, world, held):
    """What is too small in dollars would be tried, and refused, for ever."""
    world.deposit("BTC", "0.01")
    world.buy("ETH_BTC", "0.01")
    Quote.objects.all().delete()
    assert not wake(desk)
    assert OcoGroup.objects.count() == 1
    desk.sync_ok()
    assert OcoGroup.objects.count() == 2


def test_while_a_full_cycle_runs_it_waits_for_it(desk, world, held, monkeypatch):
    from exchange.services.lease import lease_take

    running, waited = lease_take(purpose="cycle"), []

    def sleep(seconds):
        waited.append(seconds)
        running.release()

    monkeypatch.setattr("time.sleep", sleep)
    assert wake(desk)
    assert waited
