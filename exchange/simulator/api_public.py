"""public/*: market data by GET (dossier 5.1 to 5.5), with rows made by the price feed."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from exchange.simulator import parameters
from exchange.simulator.config import Refusal
from exchange.simulator.instruments import decimal_text
from exchange.simulator.market_data import LEGACY_NAMES, TIMEFRAMES, VALUATION_PERIODS
from exchange.simulator.models import NS_PER_MS, Row
from exchange.simulator.parameters import Call, Method

if TYPE_CHECKING:
    from exchange.simulator.exchange import Exchange

MAX_TRADES, TRADE_INTERVAL_MS = 150, 10_000
RISK_DEFAULTS = {
    "default_max_product_leverage_for_spot": "1.0",
    "default_max_product_leverage_for_perps": "20.0",
    "default_max_product_leverage_for_futures": "20.0",
    "default_umr_multiplier_for_spot": "1.0",
    "default_umr_multiplier_for_perps": "1.0",
    "default_umr_multiplier_for_futures": "2.0",
    "default_long_pos_limit_perps": "-1.0",
    "default_short_pos_limit_perps": "-1.0",
    "default_long_pos_limit_futures": "-1.0",
    "default_short_pos_limit_futures": "-1.0",
    "default_unit_margin_rate": "0.05",
    "default_collateral_cap": "0.0",
}
RISK_OF_COIN = {
    "minimum_haircut": "0",
    "unit_margin_rate": "0.05",
    "order_limit": "10000000.0",
    "max_order_notional_usd": "10000000.0",
    "min_order_notional_usd": "1.0",
}


def get_instruments(exchange: Exchange, call: Call) -> Row:
    rows = exchange.prices.instruments_rows()
    if exchange.behaviour.instrument_numbers == "string":
        rows = [{key: int_as_text(value) for key, value in row.items()} for row in rows]
    return {"data": rows}


def get_tickers(exchange: Exchange, call: Call) -> Row:
    """One row, or all of them without instrument_name."""
    requested = call.params.get("instrument_name")
    names = [symbol_param(exchange, call)] if requested else list(exchange.prices.symbols)
    return {"data": [exchange.prices.ticker_row(name, exchange.at_ms) for name in names]}


def get_candlestick(exchange: Exchange, call: Call) -> Row:
    name = symbol_param(exchange, call)
    frame = parameters.choice_param(call.params, "timeframe", (*TIMEFRAMES, *LEGACY_NAMES), 40003, "1m")
    data = exchange.prices.candle_rows(
        name,
        frame,
        count=count_param(call, "count", 25),
        start_ms=time_param_ms(call, "start_ts"),
        end_ms=time_param_ms(call, "end_ts"),
        now_ms=exchange.at_ms,
    )
    return {"interval": frame, "data": data, "instrument_name": name}


def get_book(exchange: Exchange, call: Call) -> Row:
    name, depth = symbol_param(exchange, call), count_param(call, "depth", 10)
    return {
        "depth": depth,
        "data": [exchange.prices.book(name, exchange.at_ms, depth)],
        "instrument_name": name,
    }


def get_valuations(exchange: Exchange, call: Call) -> Row:
    """Perpetuals and indexes serve all five kinds, spot pairs only the mark price."""
    kind = parameters.text_param(call.params, "valuation_type")
    if kind not in VALUATION_PERIODS:
        raise Refusal(40003)
    name = parameters.required_text(call.params, "instrument_name")
    count, start, end = (
        count_param(call, "count", 25),
        time_param_ms(call, "start_ts"),
        time_param_ms(call, "end_ts"),
    )
    try:
        data = exchange.prices.valuation_rows(
            name, kind, count=count, start_ms=start, end_ms=end, now_ms=exchange.at_ms
        )
    except (KeyError, ValueError) as error:
        raise Refusal(40004, "Invalid instrument_name") from error
    return {"data": data, "instrument_name": name}


def get_trades(exchange: Exchange, call: Call) -> Row:
    """Invented: one trade every ten seconds at the last price, newest first."""
    name = symbol_param(exchange, call)
    count = min(count_param(call, "count", 25), MAX_TRADES)
    end = time_param_ms(call, "end_ts")
    newest = (exchange.at_ms if end is None else min(end - 1, exchange.at_ms)) // TRADE_INTERVAL_MS
    oldest = time_param_ms(call, "start_ts") or 0
    trade_numbers = (
        trade_number
        for trade_number in range(newest, newest - count, -1)
        if trade_number * TRADE_INTERVAL_MS >= oldest
    )
    return {"data": [trade_row(exchange, name, trade_number) for trade_number in trade_numbers]}


def trade_row(exchange: Exchange, name: str, trade_number: int) -> Row:
    ms = trade_number * TRADE_INTERVAL_MS
    return {
        "d": str(ms * NS_PER_MS),
        "t": ms,
        "tn": ms * NS_PER_MS,
        "q": decimal_text(exchange.instruments[name].lot * Decimal(1 + trade_number % 17)),
        "p": decimal_text(exchange.prices.last(name, ms)),
        "s": "buy" if trade_number % 2 else "sell",
        "i": name,
        "m": str(4611686018000000000 + trade_number),
    }


def get_risk_parameters(exchange: Exchange, call: Call) -> Row:
    """The published defaults; of each base currency only the limits on orders (additions K1)."""
    bases = sorted({row.base for row in exchange.instruments.values() if row.is_spot})
    return RISK_DEFAULTS | {
        "update_timestamp_ms": str(exchange.at_ms),
        "base_currency_config": [{"instrument_name": base, **RISK_OF_COIN} for base in bases],
    }


# Parameters


def symbol_param(exchange: Exchange, call: Call) -> str:
    name = parameters.required_text(call.params, "instrument_name")
    if name not in exchange.instruments:
        raise Refusal(40004, "Invalid instrument_name")
    return name


def count_param(call: Call, name: str, default: int) -> int:
    value = parameters.text_param(call.params, name) or str(default)
    if not value.isdigit():
        raise Refusal(40003)
    if int(value) == 0:
        raise Refusal(40004, f"Invalid {name}")
    return int(value)


def time_param_ms(call: Call, name: str) -> int | None:
    ns = parameters.time_param_ns(call.params, name, code=40003)
    return None if ns is None else ns // NS_PER_MS


def int_as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


PUBLIC_METHODS: dict[str, Method] = {
    "public/get-instruments": get_instruments,
    "public/get-tickers": get_tickers,
    "public/get-candlestick": get_candlestick,
    "public/get-book": get_book,
    "public/get-valuations": get_valuations,
    "public/get-trades": get_trades,
    "public/get-risk-parameters": get_risk_parameters,
}
