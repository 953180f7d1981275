"""Prices are a function of seed, symbol and time: the same always, on the tick, and true to each other."""

import json
from decimal import Decimal
from itertools import pairwise
from statistics import pstdev

import pytest

from exchange.simulator.market_data import DAY_MS, HOUR_MS, MINUTE_MS, Prices

NOW = 1_795_000_000_000


def prices(**changes: object) -> Prices:
    return Prices(**{"seed": 7, "origin_ms": NOW} | changes)  # type: ignore[arg-type]


def test_the_same_seed_gives_the_same_prices_and_another_seed_others() -> None:
    moment = NOW + 12_345_678
    assert prices().last("BTC_USD", moment) == prices().last("BTC_USD", moment)
    assert prices().last("BTC_USD", moment) != prices(seed=8).last("BTC_USD", moment)


def test_at_its_origin_every_market_costs_what_was_recorded() -> None:
    market = prices()
    assert all(market.last(name, NOW) == market.market(name).price for name in market.symbols)


@pytest.mark.parametrize("symbol", prices().symbols)
def test_prices_stay_on_the_tick_between_bid_and_ask(symbol: str) -> None:
    market = prices()
    tick = market.market(symbol).price_tick
    for days in (-3_000, -200, -1, 1, 200, 3_000):
        moment = NOW + days * DAY_MS + 4_321
        bid, last, ask = (side(symbol, moment) for side in (market.bid, market.last, market.ask))
        assert 0 < bid <= last <= ask
        assert ask - bid >= tick
        assert bid % tick == last % tick == ask % tick == 0


@pytest.mark.parametrize(("symbol", "least", "most"), [("BTC_USD", 0.015, 0.035), ("PEPE_USD", 0.04, 0.09)])
def test_daily_moves_are_as_large_as_recorded_ones(symbol: str, least: float, most: float) -> None:
    market = prices()
    closes = [float(market.last(symbol, NOW - day * DAY_MS)) for day in range(300)]
    assert least < pstdev(now / before - 1 for now, before in pairwise(closes)) < most


def test_a_stablecoin_stays_at_a_dollar() -> None:
    market = prices()
    seen = [market.last("USDT_USD", NOW + day * 10 * DAY_MS) for day in range(-300, 300)]
    assert Decimal("0.997") < min(seen) < max(seen) < Decimal("1.003")


@pytest.mark.parametrize("days", [-100, -1, 2, 90])
def test_a_cross_rate_follows_from_its_currencies(days: int) -> None:
    market, moment = prices(), NOW + days * DAY_MS + 777
    said = market.last("ETH_USD", moment) / market.last("BTC_USD", moment)
    assert abs(market.last("ETH_BTC", moment) / said - 1) < Decimal("0.001")
    assert abs(market.last("SOL_USDT", moment) / market.last("SOL_USD", moment) - 1) < Decimal("0.003")


def test_speed_makes_the_future_come_sooner_and_leaves_the_past() -> None:
    slow, fast = prices(), prices(speed=60)
    assert fast.last("ETH_USD", NOW + MINUTE_MS) == slow.last("ETH_USD", NOW + HOUR_MS)
    assert fast.last("ETH_USD", NOW - MINUTE_MS) == slow.last("ETH_USD", NOW - MINUTE_MS)


def test_mark_is_apart_from_last_but_near() -> None:
    market = prices()
    gaps = [
        market.mark("BTC_USD", NOW + h * HOUR_MS) / market.last("BTC_USD", NOW + h * HOUR_MS) - 1
        for h in range(50)
    ]
    assert max(map(abs, gaps)) <= Decimal("0.001")
    assert len({gap.quantize(Decimal("0.00001")) for gap in gaps}) > 10


def test_a_set_price_holds_exactly_and_moves_its_pairs_along() -> None:
    market = prices(volatility=0)
    before = market.last("ETH_BTC", NOW)
    market.set_price("BTC_USD", NOW + 5, Decimal("31420.96"))
    assert market.last("BTC_USD", NOW + 4) == Decimal("62841.92")
    assert market.last("BTC_USD", NOW + 5) == market.mark("BTC_USD", NOW + DAY_MS) == Decimal("31420.96")
    assert market.last("ETH_BTC", NOW + 5) == before * 2


def test_a_set_mark_gap_holds_until_it_is_removed() -> None:
    market = prices(volatility=0)
    market.set_mark_gap("BTC_USD", Decimal("-0.01"))
    assert market.mark("BTC_USD", NOW) == Decimal("62213.5008")
    market.set_mark_gap("BTC_USD", None)
    assert market.mark("BTC_USD", NOW) == market.last("BTC_USD", NOW)


def test_a_path_visits_every_hand_move_and_its_end() -> None:
    market = prices(volatility=0)
    market.move("BTC_USD", NOW + 10, -50)
    market.move("BTC_USD", NOW + 20, 100)
    steps = list(market.path("BTC_USD", NOW, NOW + 1_000))
    assert [ms for ms, _, _ in steps] == [NOW + 10, NOW + 20, NOW + 1_000]
    assert [last for _, last, _ in steps] == [Decimal("31420.96"), Decimal("62841.92"), Decimal("62841.92")]


def test_a_path_touches_the_high_and_the_low_of_its_time() -> None:
    market = prices()
    seen = [last for _, last, _ in market.path("ETH_USD", NOW, NOW + 20 * MINUTE_MS)]
    high, low = market.high_low("ETH_USD", NOW + 1, NOW + 20 * MINUTE_MS)
    assert max(seen) == market.round_to_tick("ETH_USD", high)
    assert min(seen) == market.round_to_tick("ETH_USD", low)


def test_a_long_path_has_a_bounded_number_of_steps() -> None:
    steps = list(prices().path("ETH_USD", NOW, NOW + 30 * DAY_MS, max_steps=50))
    assert len(steps) <= 51
    assert steps[-1][0] == NOW + 30 * DAY_MS


def test_no_time_is_no_path() -> None:
    assert list(prices().path("ETH_USD", NOW, NOW)) == []


def test_prices_come_back_from_their_state() -> None:
    market = prices(speed=3)
    market.set_price("SHIB_USD", NOW + 1, Decimal("0.000009999"))
    market.set_mark_gap("BTC_USD", 0.01)
    back = Prices.from_state(json.loads(json.dumps(market.to_state())))
    for symbol in ("SHIB_USD", "BTC_USD", "ETH_USD"):
        assert back.mark(symbol, NOW + DAY_MS) == market.mark(symbol, NOW + DAY_MS)
