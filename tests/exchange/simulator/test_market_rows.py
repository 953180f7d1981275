"""Market rows have the recorded form, and agree with each other."""

from decimal import Decimal

import pytest

from exchange.simulator.market_data import DAY_MS, HOUR_MS, Prices, UnknownValuation, ValuationNotAvailable

NOW = 1_795_000_123_456
PRICES = Prices(seed=7, origin_ms=NOW)


def test_every_ticker_row_is_plain_text_and_in_order() -> None:
    for symbol in PRICES.symbols:
        row = PRICES.ticker_row(symbol, NOW)
        assert all(
            isinstance(row[name], str) and "E" not in row[name]
            for name in ("h", "l", "a", "b", "k", "c", "v", "vv")
        )
        low, bid, last, ask, high = (Decimal(row[name]) for name in ("l", "b", "a", "k", "h"))
        assert low <= last <= high
        assert bid <= last <= ask
        assert row["t"] == NOW


def test_a_ticker_agrees_with_the_candles_of_its_day() -> None:
    row = PRICES.ticker_row("BTC_USD", NOW)
    assert Decimal(row["a"]) == PRICES.last("BTC_USD", NOW)
    change = PRICES.last("BTC_USD", NOW) / PRICES.last("BTC_USD", NOW - DAY_MS) - 1
    assert Decimal(row["c"]) == change.quantize(Decimal("0.0001"))
    assert Decimal("500") < Decimal(row["v"]) < Decimal("1100")


def test_instrument_rows_are_the_recorded_ones() -> None:
    rows = {row["symbol"]: row for row in PRICES.instruments_rows()}
    assert rows["BTC_USD"]["price_tick_size"] == "0.01"
    assert rows["BTCUSD-PERP"]["underlying_symbol"] == "BTCUSD-INDEX"
    assert rows["SHIB_USD"]["quantity_decimals"] == 0


def test_candle_rows_are_text_with_a_number_for_time() -> None:
    (row,) = PRICES.candle_rows("CRO_BTC", "1h", count=1, start_ms=None, end_ms=None, now_ms=NOW)
    assert list(row) == ["o", "h", "l", "c", "v", "t"]
    assert all("E" not in row[name] for name in ("o", "h", "l", "c", "v"))
    assert row["t"] == NOW // HOUR_MS * HOUR_MS


@pytest.mark.parametrize("symbol", ["BTC_USD", "SHIB_USD", "CRO_BTC"])
def test_a_book_begins_at_bid_and_ask_and_goes_away_from_them(symbol: str) -> None:
    book = PRICES.book(symbol, NOW, 50)
    bids, asks = ([Decimal(level[0]) for level in book[side]] for side in ("bids", "asks"))
    assert (bids[0], asks[0]) == (PRICES.bid(symbol, NOW), PRICES.ask(symbol, NOW))
    assert bids == sorted(set(bids), reverse=True)
    assert asks == sorted(set(asks))
    lot = PRICES.market(symbol).qty_tick
    assert all(
        Decimal(level[1]) > 0 and Decimal(level[1]) % lot == 0 for level in book["bids"] + book["asks"]
    )


def valuations(name: str, kind: str, **changes: int | None) -> list[dict[str, object]]:
    span = {"count": None, "start_ms": None, "end_ms": None, "now_ms": NOW} | changes
    return PRICES.valuation_rows(name, kind, **span)  # type: ignore[arg-type]


def test_mark_price_is_the_newest_valuation() -> None:
    newest = valuations("BTC_USD", "mark_price", count=3)[0]
    minute = NOW // 60_000 * 60_000
    assert newest == {"v": str(PRICES.mark("BTC_USD", minute)), "t": minute}


def test_the_index_of_a_perpetual_is_its_spot_price() -> None:
    (row,) = valuations("BTCUSD-INDEX", "index_price", count=1)
    assert row["v"] == str(PRICES.last("BTC_USD", NOW // 60_000 * 60_000))
    assert valuations("BTCUSD-PERP", "index_price", count=1) == [row]


def test_settled_funding_is_hourly() -> None:
    times = [row["t"] for row in valuations("ETHUSD-PERP", "funding_hist", count=5)]
    assert times == [NOW // HOUR_MS * HOUR_MS - i * HOUR_MS for i in range(5)]


def test_unavailable_and_unknown_valuations_are_different_errors() -> None:
    with pytest.raises(ValuationNotAvailable):
        valuations("BTC_USD", "index_price")
    with pytest.raises(UnknownValuation):
        valuations("BTC_USD", "fair_price")
    with pytest.raises(KeyError):
        valuations("NO_SUCH", "mark_price")
