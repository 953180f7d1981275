"""From a parsed request to an answer: verbs, envelope, access, rate, method, code and HTTP status (dossier 1).

public/*: market data by GET (dossier 5.1 to 5.5), rows made by the market feed.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from exchange.simulator import api_private, requests
from exchange.simulator.api_private import Method
from exchange.simulator.config import CODES, Refusal
from exchange.simulator.instruments import decimal_text
from exchange.simulator.models import NS_PER_MS, Row
from exchange.simulator.requests import Call

if TYPE_CHECKING:
    from exchange.simulator.exchange import Exchange


TIMEFRAMES = ("1m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "1D", "7D", "14D", "1M")
LEGACY_TIMEFRAMES = ("M1", "M5", "M15", "M30", "H1", "H2", "H4", "H12", "D1", "D7", "D14")
VALUATIONS = ("index_price", "mark_price", "funding_hist", "funding_rate", "estimated_funding_rate")
MAX_CANDLES, MAX_TRADES, TRADE_INTERVAL_MS = 300, 150, 10_000


def get_instruments(exchange: Exchange, call: Call) -> Row:
    rows = exchange.prices.instruments_rows()
    if exchange.behaviour.instrument_numbers == "string":
        rows = [{key: int_as_text(value) for key, value in row.items()} for row in rows]
    return {"data": rows}


def int_as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def get_tickers(exchange: Exchange, call: Call) -> Row:
    """One row, or all of them without a name."""
    requested = call.params.get("instrument_name")
    names = [symbol_param(exchange, call)] if requested else list(exchange.prices.symbols)
    return {"data": [exchange.prices.ticker_row(name, exchange.at_ms) for name in names]}


def symbol_param(exchange: Exchange, call: Call) -> str:
    name = requests.required_text(call.params, "instrument_name")
    if name not in exchange.instruments:
        raise Refusal(40004, "Invalid instrument_name")
    return name


def get_candlestick(exchange: Exchange, call: Call) -> Row:
    name = symbol_param(exchange, call)
    frame = requests.choice_param(call.params, "timeframe", TIMEFRAMES + LEGACY_TIMEFRAMES, 40003, "1m")
    count = count_param(call, "count", 25)
    data = exchange.prices.candle_rows(
        name,
        frame,
        count=min(count, MAX_CANDLES),
        start_ms=time_param_ms(call, "start_ts"),
        end_ms=time_param_ms(call, "end_ts"),
        now_ms=exchange.at_ms,
    )
    return {"interval": frame, "data": data, "instrument_name": name}


def count_param(call: Call, name: str, default: int) -> int:
    """A positive count, as number or text; 0 is 40004."""
    value = requests.text_param(call.params, name) or str(default)
    if not value.isdigit():
        raise Refusal(40003)
    if int(value) == 0:
        raise Refusal(40004, f"Invalid {name}")
    return int(value)


def time_param_ms(call: Call, name: str) -> int | None:
    """Milliseconds, or nanoseconds cut to milliseconds."""
    value = requests.text_param(call.params, name)
    if value is None:
        return None
    if not value.isdigit():
        raise Refusal(40003)
    return int(value) if int(value) < 10**15 else int(value) // NS_PER_MS


def get_book(exchange: Exchange, call: Call) -> Row:
    name, depth = symbol_param(exchange, call), count_param(call, "depth", 10)
    return {
        "depth": depth,
        "data": [exchange.prices.book(name, exchange.at_ms, depth)],
        "instrument_name": name,
    }


def get_valuations(exchange: Exchange, call: Call) -> Row:
    """Perpetuals and indexes serve all five kinds, spot pairs only the mark price."""
    kind = requests.text_param(call.params, "valuation_type")
    if kind not in VALUATIONS:
        raise Refusal(40003)
    name = requests.required_text(call.params, "instrument_name")
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


PUBLIC_METHODS: dict[str, Method] = {
    "public/get-instruments": get_instruments,
    "public/get-tickers": get_tickers,
    "public/get-candlestick": get_candlestick,
    "public/get-book": get_book,
    "public/get-valuations": get_valuations,
    "public/get-trades": get_trades,
}


METHODS = {**PUBLIC_METHODS, **api_private.PRIVATE_METHODS, **api_private.ADVANCED_METHODS}
TIME_IN_FORCE_CODES = (43003, 43004, 43005)
WALLET_METHODS = ("private/get-currency-networks",)
CANCEL_METHODS = ("private/cancel-order", "private/advanced/cancel-order")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`body` is the parsed JSON of a POST (None when it was no object), `query` the parameters of a GET."""

    verb: str
    method: str
    query: dict[str, str]
    body: dict[str, Any] | None = None
    is_json: bool = True


@dataclass(slots=True, kw_only=True)
class ApiResponse:
    status: int
    body: dict[str, Any]


def response(exchange: Exchange, request: Request) -> ApiResponse:
    """Never raises for what a caller did; every refusal becomes a code with its HTTP status."""
    try:
        result = dispatch(exchange, request)
    except Refusal as refusal:
        return error_response(exchange, request, refusal)
    return success_response(request, result)


def dispatch(exchange: Exchange, request: Request) -> Any:
    method = METHODS.get(request.method)
    if method is None:
        raise Refusal(40002)
    if request.method.startswith("public/"):
        if request.verb != "GET":
            raise Refusal(50001)
        requests.check_rate(exchange, request.method)
        return method(exchange, Call(method=request.method, params=dict(request.query)))
    return method(exchange, private_call(exchange, request))


def private_call(exchange: Exchange, request: Request) -> Call:
    """The checked call of a signed POST."""
    if request.verb != "POST":
        raise Refusal(40003)
    if request.body is None or not request.is_json:
        raise Refusal(40001)
    body = request.body
    requests.check_envelope(exchange, body, request.method)
    requests.check_access(exchange, body)
    requests.check_rate(exchange, request.method)
    default_client_oid = body.get("nonce" if exchange.behaviour.client_oid_default == "nonce" else "id", 0)
    return Call(method=request.method, params=body["params"], default_client_oid=str(default_client_oid))


def success_response(request: Request, result: Any) -> ApiResponse:
    body: dict[str, Any] = {"id": request_id(request), "method": request.method, "code": 0}
    if request.method in WALLET_METHODS:
        body |= {"id": str(body["id"]), "code": "0"}
    if request.method in CANCEL_METHODS:
        body["message"] = "NO_ERROR"
    if result is not None:
        body["result"] = result
    return ApiResponse(status=200, body=body)


def error_response(exchange: Exchange, request: Request, refusal: Refusal) -> ApiResponse:
    body = {
        "id": request_id(request),
        "method": request.method,
        "code": refusal.code,
        "message": refusal.message,
    }
    if refusal.result is not None:
        body["result"] = refusal.result
    return ApiResponse(
        status=http_status(exchange, refusal.code, with_ids=refusal.result is not None), body=body
    )


def request_id(request: Request) -> int:
    """The request's id as a number; -1 when there is none, as for every GET."""
    given = (request.body or {}).get("id")
    text_param = str(given)
    return int(text_param) if text_param.isdigit() else -1


def http_status(exchange: Exchange, code: int, *, with_ids: bool = False) -> int:
    """By the table, where no quirk says otherwise (D5, D6, D7, 11.14)."""
    if with_ids and exchange.behaviour.http_with_ids == "200":
        return 200
    if code == 40401:
        return exchange.behaviour.http_40401
    if code in TIME_IN_FORCE_CODES:
        return exchange.behaviour.http_4300x
    if code == 50001:
        return exchange.behaviour.http_50001
    return CODES[code][1] if code in CODES else exchange.behaviour.http_unlisted
