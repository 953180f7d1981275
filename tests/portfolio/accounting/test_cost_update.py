"""The kept costs are those of all stored trades in the exchange's order, whenever each of them came to light."""

from decimal import Decimal as D
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange.models import Trade
from exchange.services.lease import lease_take
from portfolio.accounting import services
from portfolio.accounting.cost_basis import EMPTY, Fill, apply_change, compute_changes
from portfolio.accounting.cost_entries import FILL_COLUMNS
from portfolio.accounting.services import cost_update
from portfolio.models import CostCursor, CostEntry, PositionCost
from tests.factories import TradeFactory
from tests.support import queries, write_statements

pytestmark = pytest.mark.django_db
NAMES = ["SOL_USD", "SOL_EUR", "CRO_USD", "SOL_CRO", "USDT_USD", "BTCUSD-PERP"]


@pytest.fixture(autouse=True)
def lease():
    return lease_take(purpose="cycle")


def trade(ns, side="BUY", name="SOL_USD", **changes):
    told = {"fee": D(0), "quantity": D(1), "price": D(100), "create_time_ns": ns}
    return TradeFactory(side=side, instrument_name=name, **(told | changes))


def slowly():
    """By coin the stock, and by trade and coin what its sale gained: every trade again, in order."""
    stocks, gains = {}, {}
    for row in Trade.objects.order_by("create_time_ns", "trade_id"):
        told = {name: getattr(row, name) for name in FILL_COLUMNS}
        for change in compute_changes(Fill(**told), cash=("USD", "USDT", "EUR")):
            coin = change.currency
            stocks[coin], gain = apply_change(stocks.get(coin, EMPTY), change)
            if change.is_sale:
                gains[row.trade_id, coin] = gain
    return {coin: (stock.quantity, stock.cost) for coin, stock in stocks.items()}, gains


def kept():
    sold = CostEntry.objects.filter(is_sale=True)
    rows = PositionCost.objects.all()
    assert not rows.filter(behind_ns__isnull=False).exists()
    return (
        {row.currency: (row.quantity, row.cost_usd) for row in rows},
        {(row.trade_id, row.currency): row.realised_usd for row in sold},
    )


def test_new_trades_are_taken_in(lease):
    trade(1)
    trade(2, "SELL", quantity=D("0.5"), price=D(120))
    cost_update(lease=lease)
    row = PositionCost.objects.get()
    assert (row.currency, row.quantity, row.cost_usd, row.behind_ns) == ("SOL", D("0.5"), 50, None)
    assert CostEntry.objects.get(is_sale=True).realised_usd == 10


def test_a_purchase_that_comes_to_light_later_explains_the_sale(lease):
    sale = trade(5, "SELL", price=D(120))
    cost_update(lease=lease)
    assert CostEntry.objects.get(trade_id=sale.trade_id).realised_usd is None
    trade(2)
    cost_update(lease=lease)
    assert CostEntry.objects.get(trade_id=sale.trade_id).realised_usd == 20


def test_taking_in_twice_changes_nothing(lease):
    trade(1)
    cost_update(lease=lease)
    before = kept()
    CostCursor.objects.update(trade_pk=0)
    cost_update(lease=lease)
    assert kept() == before
    assert CostEntry.objects.count() == 1


def test_nothing_new_costs_two_statements_and_writes_nothing(lease):
    for ns in range(20):
        trade(ns)
    cost_update(lease=lease)
    with queries() as statements:
        cost_update(lease=lease)
    assert len(statements) == 2
    assert write_statements(statements) == []


def test_one_more_trade_costs_the_same_on_an_old_account(lease):
    counts = []
    for more in (5, 200):
        for ns in range(more):
            trade(ns + 1000 * more)
        cost_update(lease=lease)
        trade(10**9 + more)
        with queries() as statements:
            cost_update(lease=lease)
        counts.append(len(statements))
    assert counts[0] == counts[1]


def test_a_cycle_does_a_bounded_part_and_the_next_goes_on(lease, monkeypatch):
    monkeypatch.setattr(services, "BATCH_SIZE", 2)
    monkeypatch.setattr(services, "MAX_BATCHES", 2)
    for ns in range(10):
        trade(ns)
    cost_update(lease=lease)
    assert CostEntry.objects.count() == 4
    assert PositionCost.objects.get().quantity == 4
    for _ in range(6):
        cost_update(lease=lease)
    assert kept() == slowly()
    assert not CostCursor.objects.get().is_behind


def test_a_part_that_fails_is_done_again(lease, monkeypatch):
    trade(2)
    cost_update(lease=lease)
    trade(1)
    with mock.patch.object(services, "_recalculate", side_effect=RuntimeError), pytest.raises(RuntimeError):
        cost_update(lease=lease)
    cost_update(lease=lease)
    assert kept() == slowly()


fills = st.builds(
    dict,
    side=st.sampled_from(["BUY", "SELL"]),
    name=st.sampled_from(NAMES),
    ns=st.integers(1, 12),
    quantity=st.decimals("0.01", "3", places=2),
    price=st.decimals("0.5", "9", places=1),
    fee=st.decimals("-0.005", "0.001", places=3),
    fee_currency=st.sampled_from(["", "USD", "SOL", "CRO", "EUR"]),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(told=st.lists(st.tuples(fills, st.booleans()), max_size=25), size=st.integers(1, 4))
def test_it_converges_in_whatever_order_the_trades_come(lease, told, size):
    """Some come alone and some together, many at the same instant, in parts as small as one."""
    for model in (Trade, CostEntry, PositionCost, CostCursor):
        model.objects.all().delete()
    with mock.patch.object(services, "BATCH_SIZE", size), mock.patch.object(services, "MAX_BATCHES", 3):
        for one, is_cycle in told:
            trade(**one)
            if is_cycle:
                cost_update(lease=lease)
        for _ in range(2 * len(told) + 2):
            cost_update(lease=lease)
        assert kept() == slowly()
        assert not CostCursor.objects.filter(is_behind=True).exists()
