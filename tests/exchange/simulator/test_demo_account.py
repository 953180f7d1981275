"""A dry-run account begins with a past one can believe, and with books that add up."""

from collections import Counter
from decimal import Decimal
from functools import cache

import pytest

from exchange.simulator.demo_account import account_uuid, new_account
from exchange.simulator.exchange import Exchange
from exchange.simulator.market_data import DAY_MS
from exchange.simulator.models import NS_PER_MS, Order

NOW = 1_795_000_000_000


def account(seed: int = 1, now_ms: int = NOW) -> Exchange:
    return new_account(key="k", secret="s", now_ms=lambda: now_ms, seed=seed)[0]


@cache
def read_only(seed: int) -> Exchange:
    """The account of this seed for all tests that only look at it: each takes a second to make."""
    return account(seed)


@pytest.fixture
def exchange() -> Exchange:
    return read_only(1)


def ended(exchange: Exchange) -> list[Order]:
    return [order for order in exchange.all_orders() if not order.is_open]


@pytest.mark.parametrize("seed", [1, 2, 3, 77, -5])
def test_the_books_add_up_whatever_the_seed(seed: int) -> None:
    exchange = read_only(seed)
    assert exchange.audit() == []
    assert min(exchange.ledger.balances.values()) > 0


def test_it_owns_dollars_and_five_coins_of_some_worth(exchange: Exchange) -> None:
    assert set(exchange.ledger.balances) == {"USD", "BTC", "ETH", "SOL", "XRP", "CRO"}
    assert all(held * exchange.usd(name) > 1_000 for name, held in exchange.ledger.balances.items())


def test_five_months_of_orders_lie_behind_it(exchange: Exchange) -> None:
    times = [order.update_time_ns // NS_PER_MS for order in ended(exchange)]
    assert 150 <= len(times) <= 300
    assert 140 < (NOW - min(times)) / DAY_MS < 160
    assert 0 < NOW - max(times) < DAY_MS


def test_not_every_order_went_well(exchange: Exchange) -> None:
    orders = ended(exchange)
    seen = Counter((order.status, order.cumulative_quantity > 0) for order in orders)
    assert seen["CANCELED", False] > 5
    assert seen["CANCELED", True] > 5
    assert any(
        order.notional and order.status == "CANCELED" and order.cumulative_quantity for order in orders
    )
    assert any(order.fills > 1 for order in orders)


def test_fees_of_bought_coins_were_paid_in_coins(exchange: Exchange) -> None:
    bought = [trade for trade in exchange.trades.rows if trade.side == "BUY"]
    paid_in = Counter(trade.fee_instrument_name == "USD" for trade in bought)
    assert paid_in[False] > paid_in[True] > 0
    assert all(trade.fee < 0 for trade in bought)


def test_trades_were_made_at_the_prices_of_their_time(exchange: Exchange) -> None:
    """A resting order keeps its price while the market moves on before its second part fills."""
    for trade in exchange.trades.rows:
        last = exchange.prices.last(trade.instrument_name, trade.create_time_ns // NS_PER_MS)
        assert abs(trade.price / last - 1) < Decimal("0.03")


def test_an_old_pair_ended_with_one_leg_filled(exchange: Exchange) -> None:
    oldest = next(iter(exchange.lists.values()))
    legs = [exchange.stores["advanced"].by_id[each] for each in oldest.order_ids]
    assert [(leg.order_type, leg.status) for leg in legs] == [("LIMIT", "FILLED"), ("STOP_LOSS", "CANCELED")]


def test_orders_are_open_in_both_name_spaces(exchange: Exchange) -> None:
    kinds = Counter((order.name_space, order.order_type, order.side) for order in exchange.open_orders())
    assert kinds["plain", "LIMIT", "BUY"] >= 2
    assert kinds["plain", "LIMIT", "SELL"] >= 2
    assert kinds["advanced", "STOP_LOSS", "SELL"] == 3
    assert kinds["advanced", "LIMIT", "SELL"] == 2


@pytest.mark.parametrize("seed", [1, 2, 77])
def test_one_coin_has_a_stop_for_all_of_it_two_for_a_part_and_two_for_none(seed: int) -> None:
    exchange = read_only(seed)
    stops = {
        order.instrument_name.removesuffix("_USD"): order.quantity
        for order in exchange.open_orders()
        if order.order_type == "STOP_LOSS"
    }
    covered = {
        coin: stops.get(coin, 0) / held for coin, held in exchange.ledger.balances.items() if coin != "USD"
    }
    assert {coin for coin, share in covered.items() if share > Decimal("0.999")} == {"ETH"}
    assert {coin for coin, share in covered.items() if 0 < share < Decimal("0.8")} == {"BTC", "SOL"}
    assert {coin for coin, share in covered.items() if not share} == {"XRP", "CRO"}


@pytest.mark.parametrize("seed", [1, 2, 3, 77, -5])
def test_all_coins_were_bought_within_the_months_that_the_exchange_tells(seed: int) -> None:
    exchange = read_only(seed)
    traded: Counter[str] = Counter()
    for trade in exchange.trades.rows:
        sign = 1 if trade.side == "BUY" else -1
        traded[trade.instrument_name.removesuffix("_USD")] += sign * trade.quantity
        traded[trade.fee_instrument_name] += trade.fee
    del traded["USD"]
    assert traded == {coin: held for coin, held in exchange.ledger.balances.items() if coin != "USD"}


def test_no_money_came_or_went_within_the_last_hundred_days(exchange: Exchange) -> None:
    moments = [transfer.time_ns // NS_PER_MS for transfer in exchange.ledger.transfers]
    assert len(moments) == 3
    assert NOW - max(moments) > 100 * DAY_MS


@pytest.mark.parametrize("seed", [1, 2, 3, 77, -5])
def test_a_purchase_fills_soon_after_the_desk_has_read_the_account_once(seed: int) -> None:
    fresh = account(seed)
    fresh.advance(NOW + 30_000)
    before = len(fresh.trades.rows)
    fresh.advance(NOW + 10 * 60_000)
    assert [trade for trade in list(fresh.trades.rows)[before:] if trade.side == "BUY"]


def test_something_happens_within_minutes(exchange: Exchange) -> None:
    fresh = account()
    before = len(fresh.trades.rows)
    fresh.advance(NOW + 15 * 60_000)
    assert len(fresh.trades.rows) > before
    assert fresh.audit() == []


def test_the_same_seed_gives_the_same_history(exchange: Exchange) -> None:
    assert account().to_state() == exchange.to_state()
    assert account(seed=2).ledger.balances != exchange.ledger.balances


def test_the_account_is_known_by_seed_and_key() -> None:
    assert account_uuid(1, "k") == account().account_uuid
    assert len({account_uuid(1, "k"), account_uuid(2, "k"), account_uuid(1, "other")}) == 3
