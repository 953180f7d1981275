"""Only what certainly others sold, lately and while the policy was on, is bought back (rule 4)."""

from datetime import timedelta
from decimal import Decimal
from itertools import product

import pytest

from exchange.models import ExchangeOrder, Trade
from exchange.sync.backfill import history_slice
from oco.models import Lot, LotTrade, OcoEvent, OcoGroup, OcoLeg
from tests.oco.stories.test_buy_back import allow
from tests.oco.support import stop_of, target_of
from tests.share import pairwise

D = Decimal
HISTORY = "private/get-order-history"


@pytest.fixture
def own(desk, world):
    """The desk knows the account; then it holds bitcoin that it has no business with."""
    world.deposit("BTC", "0.1")
    desk.sync_ok()
    world.tick(60)


def bought_back():
    return Lot.objects.filter(side="SELL").exists()


class Asked(list):
    """The requests of a desk, of which one is preceded by something."""

    def __init__(self, method, act):
        super().__init__()
        self.method, self.act = method, act

    def append(self, method):
        super().append(method)
        if method == self.method and self.act is not None:
            act, self.act = self.act, None
            act()


def test_not_what_was_sold_while_the_worker_was_down_and_the_policy_off(desk, world, own):
    world.sell("BTC_USD", "0.1")
    world.tick(3 * 3600)
    allow()
    desk.sync_ok()
    assert not bought_back()


def test_nor_what_history_tells_of_later(desk, world, own):
    world.sell("BTC_USD", "0.1")
    world.tick(3 * 86_400)
    desk.sync_ok()
    allow()
    history_slice(seconds=30)
    desk.sync_ok()
    assert not bought_back()
    assert not Trade.objects.filter(is_new=True, side="SELL").exists()


def test_switched_off_and_on_again_it_counts_from_then_on(desk, world, own):
    allow()
    allow(enabled=False)
    world.sell("BTC_USD", "0.1")
    world.tick(5)
    allow()
    desk.sync_ok()
    assert not bought_back()


def test_sales_that_are_too_small_for_a_day_are_left(desk, world, own):
    allow(minimum_value_usd=D(10_000))
    world.sell("BTC_USD", "0.1")
    desk.sync_ok()
    assert Trade.objects.filter(is_new=True, side="SELL").exists()
    desk.sync(86_400)
    allow(minimum_value_usd=D(0))
    desk.sync_ok()
    assert not bought_back()


@pytest.mark.parametrize("method", [HISTORY, "private/advanced/get-order-history"])
def test_one_failed_read_after_a_downtime_forgets_no_sale(desk, world, own, method):
    allow()
    world.sell("BTC_USD", "0.1", fee_instrument_name="USD")
    world.tick(20 * 60)
    world.faults.add("http", method, status=503)
    desk.sync()
    assert not bought_back()
    world.faults.clear()
    desk.sync()
    assert bought_back()


def test_a_sale_of_nobody_is_given_up_and_told(desk, world, own):
    allow()
    world.faults.add("empty", HISTORY)
    world.sell("BTC_USD", "0.1")
    for _ in range(20):
        run = desk.sync()
        if not Trade.objects.filter(is_new=True).exists():
            break
    assert "a sale is not bought back" in " ".join(run.errors)
    assert not bought_back()


TRADES, BALANCE = "private/get-trades", "private/user-balance"
ASKED = (
    [TRADES, HISTORY, BALANCE],
    ["stop", "target"],
    ["client_oid", "exchange_order_id"],
    ["never", "when_live"],
)
SHARE = [  # each two values together
    (TRADES, "stop", "client_oid", "never"),
    (TRADES, "target", "exchange_order_id", "when_live"),
    (HISTORY, "stop", "exchange_order_id", "when_live"),
    (HISTORY, "target", "client_oid", "never"),
    (BALANCE, "stop", "client_oid", "when_live"),
    (BALANCE, "target", "exchange_order_id", "never"),
]


@pytest.mark.parametrize(("before", "role", "name", "second_id"), pairwise([*product(*ASKED)], SHARE))
def test_never_what_our_own_order_sells_between_two_reads(desk, world, before, name, second_id, role):
    world.set_behaviour(triggered_in_plain="shown", exchange_order_id=second_id, fills_client_oid=name)
    allow()
    desk.sync_ok()
    world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    desk.sync_ok()
    desk.sync_ok()
    trigger = stop_of(world).ref_price * D("0.999")
    acts = {
        "stop": lambda: world.set_price("BTC_USD", trigger),
        "target": lambda: world.fill(target_of(world), "0.004"),
    }
    desk.requested = Asked(before, acts[role])
    desk.unchecked(60)
    assert desk.requested.act is None
    for _ in range(3):
        desk.unchecked(60)
    assert not bought_back()


def test_nor_what_carries_our_mark_and_is_not_in_our_books(desk, world):
    """A second desk, or a database that was restored from before this lot."""
    world.set_behaviour(fills_client_oid="exchange_order_id")
    desk.sync_ok()
    world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    desk.sync_ok()
    for model in (OcoEvent, OcoLeg, OcoGroup):
        model.objects.all()._raw_delete(using="default")
    LotTrade.objects.update(lot=None)
    Lot.objects.all().delete()
    ExchangeOrder.objects.update(origin="FOREIGN")
    allow()
    desk.unchecked(60)
    world.set_price("BTC_USD", stop_of(world).ref_price * D("0.999"))
    for _ in range(3):
        desk.unchecked(60)
    assert not bought_back()


def test_what_the_desk_buys_back_and_then_sells_by_its_stop_is_not_bought_again(desk, world, own):
    allow()
    world.sell("BTC_USD", "0.1", fee_instrument_name="USD")
    desk.sync_ok()
    world.set_price("BTC_USD", stop_of(world).ref_price * D("1.001"))
    for _ in range(3):
        desk.sync_ok()
    world.set_price("BTC_USD", stop_of(world).ref_price * D("0.999"))
    for _ in range(20):
        desk.sync_ok()
    ends = sorted((group.lot.side, group.state) for group in OcoGroup.objects.all())
    assert ends == [("BUY", "CLOSED_BY_STOP"), ("SELL", "CLOSED_BY_STOP")]


def test_the_policy_remembers_since_when_it_is_on(desk, db):
    policy = allow()
    since = policy.enabled_since
    assert abs(since - desk.now) < timedelta(seconds=1)
    assert allow(stop_pct=D(3)).enabled_since == since
    assert allow(enabled=False).enabled_since is None
