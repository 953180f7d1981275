"""Market data by GET: bounds, defaults, and the codes of what is wrong."""

import pytest

from tests.exchange.simulator import raw
from tests.exchange.simulator.world import World


def test_all_tickers_or_one():
    world = World()
    everything = raw.get(world, "public/get-tickers")[1]["result"]["data"]
    one = raw.get(world, "public/get-tickers", instrument_name="CRO_USD")[1]["result"]["data"]
    assert len(everything) == len(world.exchange.instruments)
    assert one == [row for row in everything if row["i"] == "CRO_USD"]


def test_instrument_numbers_are_numbers_or_text_by_option():
    world = World()
    row = raw.get(world, "public/get-instruments", inst_type="ignored")[1]["result"]["data"][0]
    assert isinstance(row["quote_decimals"], int)
    world.set_behaviour(instrument_numbers="string")
    row = raw.get(world, "public/get-instruments")[1]["result"]["data"][0]
    assert isinstance(row["quote_decimals"], str)
    assert row["tradable"] is True


@pytest.mark.parametrize(
    ("method", "query", "code"),
    [
        ("get-tickers", {"instrument_name": "NO_USD"}, 40004),
        ("get-candlestick", {}, 40004),
        ("get-candlestick", {"instrument_name": "CRO_USD", "timeframe": "3m"}, 40003),
        ("get-candlestick", {"instrument_name": "CRO_USD", "count": 0}, 40004),
        ("get-candlestick", {"instrument_name": "CRO_USD", "end_ts": "soon"}, 40003),
        ("get-book", {"instrument_name": "CRO_USD", "depth": "x"}, 40003),
        ("get-valuations", {"instrument_name": "BTC_USD"}, 40003),
        ("get-valuations", {"instrument_name": "BTC_USD", "valuation_type": "index_price"}, 40004),
        ("get-valuations", {"instrument_name": "NO_USD", "valuation_type": "mark_price"}, 40004),
        ("get-trades", {"instrument_name": "NO_USD"}, 40004),
    ],
)
def test_what_is_refused(method, query, code):
    assert raw.code(raw.get(World(), f"public/{method}", **query)) == code


def test_candles_are_25_by_default_and_300_at_most_and_echo_the_style():
    world = World()
    result = raw.get(world, "public/get-candlestick", instrument_name="CRO_USD", timeframe="M5")[1]["result"]
    assert (result["interval"], len(result["data"])) == ("M5", 25)
    query = {"instrument_name": "CRO_USD", "timeframe": "1h", "count": 999}
    assert len(raw.get(world, "public/get-candlestick", **query)[1]["result"]["data"]) == 300


def test_the_book_has_the_requested_depth():
    result = raw.get(World(), "public/get-book", instrument_name="CRO_USD", depth=5)[1]["result"]
    assert (result["depth"], len(result["data"][0]["bids"])) == (5, 5)


def test_valuations_of_an_index():
    query = {"instrument_name": "BTCUSD-INDEX", "valuation_type": "index_price", "count": 3}
    assert len(raw.get(World(), "public/get-valuations", **query)[1]["result"]["data"]) == 3


def test_public_trades_are_newest_first_and_end_before_the_end():
    world = World()
    end = world.now_ms() // 10_000 * 10_000
    rows = raw.get(world, "public/get-trades", instrument_name="CRO_USD", count=4, end_ts=end)[1]["result"][
        "data"
    ]
    assert [row["t"] for row in rows] == [end - back * 10_000 for back in (1, 2, 3, 4)]
