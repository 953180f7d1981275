"""A client we did not write reads the market of the simulator."""

from decimal import Decimal
from itertools import pairwise

import ccxt
import pytest


def test_markets_carry_the_grid_of_the_catalogue(ccxt_exchange, world):
    markets = ccxt_exchange.load_markets()
    assert {market["id"] for market in markets.values()} == set(world.exchange.instruments)
    bitcoin = markets["BTC/USD"]
    grid = world.exchange.instruments["BTC_USD"]
    assert (bitcoin["spot"], bitcoin["active"]) == (True, True)
    assert Decimal(str(bitcoin["precision"]["price"])) == grid.price_tick
    assert Decimal(str(bitcoin["precision"]["amount"])) == grid.lot


def test_perpetuals_are_swaps(ccxt_exchange):
    perpetual = ccxt_exchange.load_markets()["BTC/USD:USD"]
    assert (perpetual["id"], perpetual["type"], perpetual["linear"]) == ("BTCUSD-PERP", "swap", True)


def test_currencies_are_read_with_the_key(ccxt_exchange):
    ccxt_exchange.load_markets()
    assert {"BTC", "CRO", "USDT"} <= set(ccxt_exchange.currencies)
    assert ccxt_exchange.currencies["CRO"]["networks"]


def test_a_ticker(ccxt_exchange, world):
    world.set_price("BTC_USD", "63000.00")
    ticker = ccxt_exchange.fetch_ticker("BTC/USD")
    assert (ticker["symbol"], ticker["last"], ticker["timestamp"]) == ("BTC/USD", 63000.0, world.clock_ms)
    assert ticker["bid"] <= ticker["last"] <= ticker["ask"]
    assert ticker["low"] <= ticker["last"] <= ticker["high"]


def test_all_tickers(ccxt_exchange, world):
    assert {row["info"]["i"] for row in ccxt_exchange.fetch_tickers().values()} == set(world.prices.symbols)


@pytest.mark.parametrize(("timeframe", "step"), [("1m", 60_000), ("1h", 3_600_000), ("1d", 86_400_000)])
def test_candles(ccxt_exchange, world, timeframe, step):
    bars = ccxt_exchange.fetch_ohlcv("BTC/USD", timeframe, limit=10)
    assert len(bars) == 10
    assert {later[0] - earlier[0] for earlier, later in pairwise(bars)} == {step}
    assert 0 <= world.clock_ms - bars[-1][0] < step
    for _, first, high, low, close, _ in bars:
        assert low <= min(first, close) <= max(first, close) <= high


def test_candles_since_a_moment(ccxt_exchange, world):
    since = world.clock_ms - 3 * 3_600_000
    bars = ccxt_exchange.fetch_ohlcv("BTC/USD", "1h", since=since, limit=3)
    assert len(bars) == 3
    assert bars[0][0] >= since


def test_the_order_book_is_sorted_and_not_crossed(ccxt_exchange):
    book = ccxt_exchange.fetch_order_book("BTC/USD", limit=5)
    bids, asks = ([level[0] for level in book[side]] for side in ("bids", "asks"))
    assert (len(bids), len(asks)) == (5, 5)
    assert bids == sorted(bids, reverse=True)
    assert asks == sorted(asks)
    assert bids[0] < asks[0]


def test_public_trades(ccxt_exchange):
    trades = ccxt_exchange.fetch_trades("BTC/USD", limit=5)
    assert len(trades) == 5
    assert {trade["side"] for trade in trades} <= {"buy", "sell"}


def test_an_unknown_instrument_is_refused(ccxt_exchange):
    ccxt_exchange.load_markets()
    with pytest.raises(ccxt.BadSymbol):
        ccxt_exchange.fetch_ticker("NO/SUCH")
    with pytest.raises(ccxt.BadRequest, match="40004"):
        ccxt_exchange.v1PublicGetPublicGetCandlestick({"instrument_name": "NO_SUCH"})
