"""Old history is read in slices under the lease; stopped anywhere it goes on where it was."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from exchange.client.errors import AuthError, Unreachable
from exchange.models import ExchangeOrder, HistoryRange, Lease, Trade
from exchange.services.lease import Lease as LeaseHandle
from exchange.services.lease import LeaseLost, lease_holder, lease_is_wanted, lease_take, lease_take_soon
from exchange.services.lease import _want as want
from exchange.services.runs import WrongAccount
from exchange.sync.backfill import backfill_is_due, extend_history, history_slice
from tests.support import price_at_ratio

DAY = 24 * 3600


LATER_CALL = 5  # in the second transaction or after it


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def old(desk, world):
    """Twenty days of trading before the first cycle."""
    for _ in range(20):
        world.buy("BTC_USD", "0.0001")
        world.cancel(world.buy("ETH_USD", "0.01", price_at_ratio(world, "ETH_USD")))
        world.tick(DAY)
    desk.sync_ok()
    return desk


def complete(world):
    trades = {trade.trade_id for trade in world.exchange.trades.between(0, 2**63)}
    orders = {order.order_id for order in world.exchange.all_orders()}
    return (
        set(Trade.objects.values_list("trade_id", flat=True)) == trades
        and set(ExchangeOrder.objects.values_list("order_id", flat=True)) == orders
    )


def left():
    return sum(each.next_ns - each.start_ns for each in HistoryRange.objects.filter(done_at=None))


def test_read_to_the_end(old, world):
    assert backfill_is_due()
    assert history_slice(seconds=3600) is True
    assert not backfill_is_due()
    assert complete(world)
    old.requested.clear()
    assert history_slice(seconds=3600) is True
    assert old.requested == []


def test_a_slice_ends_in_time_for_a_cycle_although_its_last_request_hangs(old, world):
    world.faults.add("delay", "private/*", seconds=8.5)
    started = world.now_ms()
    with pytest.raises(Unreachable):
        history_slice(seconds=4)
    assert world.now_ms() - started <= 8_500
    assert lease_holder() == ""


def test_a_slice_gives_the_lease_up_after_a_page_when_somebody_waits_for_it(old, world, monkeypatch):
    """It asks while the slice reads its first page."""
    renew, waited = LeaseHandle.renew, []

    def ask(lease):
        renew(lease)
        if not waited:
            waited.append(lease_take_soon(purpose="fill", seconds=0.3, step_s=0))

    monkeypatch.setattr(LeaseHandle, "renew", ask)
    monkeypatch.setattr(
        "exchange.services.lease._want", lambda duration: want(duration) if duration else None
    )
    old.requested.clear()
    assert history_slice(seconds=3600) is False
    assert waited == [None]
    assert len(old.requested) == 1
    assert left()


def test_a_request_for_the_lease_ends_when_it_was_taken(old):
    history = lease_take(purpose="history")
    want(timedelta(seconds=5))
    assert lease_is_wanted()
    history.release()
    lease_take_soon(purpose="cycle", seconds=0).release()
    Lease.objects.filter(name="wanted").update(expires_at=Now())
    assert not lease_is_wanted()
    assert history_slice(seconds=3600) is True


def test_the_streams_take_turns_newest_first(old):
    old.requested.clear()
    history_slice(seconds=3600)
    assert (
        old.requested[:6]
        == [
            "private/get-order-history",
            "private/advanced/get-order-history",
            "private/get-trades",
        ]
        * 2
    )


@pytest.mark.parametrize(
    "step",
    [
        "exchange.sync.backfill.order_record_all",
        "exchange.sync.backfill.trade_record_all",
        "exchange.sync.backfill.gap_record_all",
        "exchange.sync.backfill.range_progress",
    ],
)
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_in_the_middle_it_goes_on_where_it_was(old, world, monkeypatch, step, when):
    module, name = step.rsplit(".", 1)
    real = getattr(__import__(module, fromlist=[name]), name)
    calls = []

    def killed(*args, **kwargs):
        calls.append(1)
        if len(calls) == LATER_CALL and when == "before":
            raise Killed
        real(*args, **kwargs)
        if len(calls) == LATER_CALL:
            raise Killed

    whole = left()
    with monkeypatch.context() as patch:
        patch.setattr(step, killed)
        with pytest.raises(Killed):
            history_slice(seconds=3600)
    rest = left()
    assert rest < whole
    assert lease_holder() == ""
    assert history_slice(seconds=3600) is True
    assert complete(world)
    read = HistoryRange.objects.filter(stream="TRADES").values_list("rows", flat=True)
    assert sum(read) == Trade.objects.count()


def test_nobody_reads_while_somebody_else_holds_the_lease(old):
    lease = lease_take(purpose="cycle")
    old.requested.clear()
    assert history_slice(seconds=10) is None
    assert old.requested == []
    lease.renew()


def test_a_slice_whose_lease_went_to_another_stores_nothing_more(old, world, monkeypatch):
    """Suspended while it waited for an answer: the page that comes is not stored any more."""
    before = left(), Trade.objects.count(), ExchangeOrder.objects.count()
    real = world.app.handle_api_call

    def stolen(request):
        if request.method == "private/get-order-history":
            Lease.objects.update(token=99, holder="another")
        return real(request)

    monkeypatch.setattr(world.app, "handle_api_call", stolen)
    with pytest.raises(LeaseLost):
        history_slice(seconds=3600)
    assert (left(), Trade.objects.count(), ExchangeOrder.objects.count()) == before
    assert Lease.objects.get().holder == "another"


def test_an_error_ends_the_slice_and_keeps_what_was_read(old, world):
    world.faults.add("refuse", "private/get-trades", nth=2, code=40101)
    before = left()
    with pytest.raises(AuthError):
        history_slice(seconds=3600)
    assert 0 < left() < before
    assert lease_holder() == ""
    assert history_slice(seconds=3600) is True
    assert complete(world)


def test_the_history_of_another_account_is_not_mixed_in(old, world):
    world.exchange.account_uuid = "00000000-aaaa-4000-8000-000000000000"
    old.tick(2 * DAY)
    before = left()
    with pytest.raises(WrongAccount):
        history_slice(seconds=3600)
    assert left() == before


def test_orders_found_in_old_history_move_nothing_back(old, world):
    order = world.buy("BTC_USD", "0.01", price_at_ratio(world))
    old.sync_ok()
    world.fill(order)
    old.sync_ok()
    history_slice(seconds=3600)
    assert ExchangeOrder.objects.get(order_id=order.order_id).status == "FILLED"


def test_reaching_further_back_opens_only_what_is_new(old, world):
    history_slice(seconds=3600)
    since = old.now - timedelta(days=400)
    opened = extend_history(since=since, now=old.now)
    assert [each.why for each in opened] == ["asked for"] * 3
    assert {each.end_ns for each in opened} == set(
        HistoryRange.objects.filter(why="first run").values_list("start_ns", flat=True)
    )
    assert extend_history(since=since, now=old.now) == []
    assert extend_history(since=old.now - timedelta(days=1), now=old.now) == []
    assert history_slice(seconds=36000) is True


def test_before_the_first_cycle_everything_up_to_now_is_asked_for(desk, world):
    world.buy("BTC_USD", "0.0001")
    desk.tick(DAY)
    opened = extend_history(since=desk.now - timedelta(days=3), now=desk.now)
    assert len(opened) == 3
    assert history_slice(seconds=3600) is True
    assert complete(world)
    assert desk.sync_ok().trades == 0


@pytest.mark.parametrize("widest", ["any", "seven_days", "refused"])
def test_no_window_is_wider_than_the_exchange_takes(old, world, widest):
    world.set_behaviour(history_widest=widest, trades_widest=widest)
    assert history_slice(seconds=3600) is True
    assert complete(world)
