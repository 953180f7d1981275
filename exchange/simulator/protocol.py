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
from exchange.simulator.instruments import plain
from exchange.simulator.models import NS, Row
from exchange.simulator.requests import Call

if TYPE_CHECKING:
    from exchange.simulator.exchange import Exchange


FRAMES = ("1m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "1D", "7D", "14D", "1M")
OLD_FRAMES = ("M1", "M5", "M15", "M30", "H1", "H2", "H4", "H12", "D1", "D7", "D14")
VALUATIONS = ("index_price", "mark_price", "funding_hist", "funding_rate", "estimated_funding_rate")
MOST_CANDLES, MOST_TRADES, TRADE_EVERY_MS = 300, 150, 10_000


def get_instruments(x: Exchange, call: Call) -> Row:
    rows = x.prices.instruments_rows()
    if x.quirks.instrument_numbers == "string":
        rows = [{key: text_of(value) for key, value in row.items()} for row in rows]
    return {"data": rows}


def text_of(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def get_tickers(x: Exchange, call: Call) -> Row:
    """One row, or all of them without a name."""
    wanted = call.params.get("instrument_name")
    names = [symbol_of(x, call)] if wanted else list(x.prices.symbols)
    return {"data": [x.prices.ticker_row(name, x.at_ms) for name in names]}


def symbol_of(x: Exchange, call: Call) -> str:
    name = requests.required(call.params, "instrument_name")
    if name not in x.instruments:
        raise Refusal(40004, "Invalid instrument_name")
    return name


def get_candlestick(x: Exchange, call: Call) -> Row:
    name = symbol_of(x, call)
    frame = requests.one_of(call.params, "timeframe", FRAMES + OLD_FRAMES, 40003, "1m")
    count = number(call, "count", 25)
    data = x.prices.candle_rows(
        name,
        frame,
        count=min(count, MOST_CANDLES),
        start_ms=moment(call, "start_ts"),
        end_ms=moment(call, "end_ts"),
        now_ms=x.at_ms,
    )
    return {"interval": frame, "data": data, "instrument_name": name}


def number(call: Call, name: str, default: int) -> int:
    """A positive count, as number or text; 0 is 40004."""
    value = requests.text(call.params, name) or str(default)
    if not value.isdigit():
        raise Refusal(40003)
    if int(value) == 0:
        raise Refusal(40004, f"Invalid {name}")
    return int(value)


def moment(call: Call, name: str) -> int | None:
    """Milliseconds, or nanoseconds cut to milliseconds."""
    value = requests.text(call.params, name)
    if value is None:
        return None
    if not value.isdigit():
        raise Refusal(40003)
    return int(value) if int(value) < 10**15 else int(value) // NS


def get_book(x: Exchange, call: Call) -> Row:
    name, depth = symbol_of(x, call), number(call, "depth", 10)
    return {"depth": depth, "data": [x.prices.book(name, x.at_ms, depth)], "instrument_name": name}


def get_valuations(x: Exchange, call: Call) -> Row:
    """Perpetuals and indexes serve all five kinds, spot pairs only the mark price."""
    kind = requests.text(call.params, "valuation_type")
    if kind not in VALUATIONS:
        raise Refusal(40003)
    name = requests.required(call.params, "instrument_name")
    count, start, end = number(call, "count", 25), moment(call, "start_ts"), moment(call, "end_ts")
    try:
        data = x.prices.valuation_rows(name, kind, count=count, start_ms=start, end_ms=end, now_ms=x.at_ms)
    except (KeyError, ValueError) as error:
        raise Refusal(40004, "Invalid instrument_name") from error
    return {"data": data, "instrument_name": name}


def get_trades(x: Exchange, call: Call) -> Row:
    """Invented: one trade every ten seconds at the last price, newest first."""
    name = symbol_of(x, call)
    count = min(number(call, "count", 25), MOST_TRADES)
    end = moment(call, "end_ts")
    newest = (x.at_ms if end is None else min(end - 1, x.at_ms)) // TRADE_EVERY_MS
    oldest = moment(call, "start_ts") or 0
    turns = (turn for turn in range(newest, newest - count, -1) if turn * TRADE_EVERY_MS >= oldest)
    return {"data": [trade_row(x, name, turn) for turn in turns]}


def trade_row(x: Exchange, name: str, turn: int) -> Row:
    ms = turn * TRADE_EVERY_MS
    return {
        "d": str(ms * NS),
        "t": ms,
        "tn": ms * NS,
        "q": plain(x.instruments[name].lot * Decimal(1 + turn % 17)),
        "p": plain(x.prices.last(name, ms)),
        "s": "buy" if turn % 2 else "sell",
        "i": name,
        "m": str(4611686018000000000 + turn),
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
POST_ONLY_ENDS = (43003, 43004, 43005)
WALLET = ("private/get-currency-networks",)
CANCELS = ("private/cancel-order", "private/advanced/cancel-order")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`body` is the parsed JSON of a POST (None when it was no object), `query` the parameters of a GET."""

    verb: str
    method: str
    query: dict[str, str]
    body: dict[str, Any] | None = None
    is_json: bool = True


@dataclass(slots=True, kw_only=True)
class Answer:
    status: int
    body: dict[str, Any]


def answer(x: Exchange, request: Request) -> Answer:
    """Never raises for what a caller did; every refusal becomes a code with its HTTP status."""
    try:
        result = run(x, request)
    except Refusal as refusal:
        return refused(x, request, refusal)
    return accepted(request, result)


def run(x: Exchange, request: Request) -> Any:
    method = METHODS.get(request.method)
    if method is None:
        raise Refusal(40002)
    if request.method.startswith("public/"):
        if request.verb != "GET":
            raise Refusal(50001)
        requests.check_rate(x, request.method)
        return method(x, Call(method=request.method, params=dict(request.query)))
    return method(x, private_call(x, request))


def private_call(x: Exchange, request: Request) -> Call:
    """The checked call of a signed POST."""
    if request.verb != "POST":
        raise Refusal(40003)
    if request.body is None or not request.is_json:
        raise Refusal(40001)
    body = request.body
    requests.check_envelope(x, body, request.method)
    requests.check_access(x, body)
    requests.check_rate(x, request.method)
    reference = body.get("nonce" if x.quirks.client_oid_default == "nonce" else "id", 0)
    return Call(method=request.method, params=body["params"], reference=str(reference))


def accepted(request: Request, result: Any) -> Answer:
    body: dict[str, Any] = {"id": identity(request), "method": request.method, "code": 0}
    if request.method in WALLET:
        body |= {"id": str(body["id"]), "code": "0"}
    if request.method in CANCELS:
        body["message"] = "NO_ERROR"
    if result is not None:
        body["result"] = result
    return Answer(status=200, body=body)


def refused(x: Exchange, request: Request, refusal: Refusal) -> Answer:
    body = {
        "id": identity(request),
        "method": request.method,
        "code": refusal.code,
        "message": refusal.message,
    }
    if refusal.result is not None:
        body["result"] = refusal.result
    return Answer(status=status_of(x, refusal.code, with_ids=refusal.result is not None), body=body)


def identity(request: Request) -> int:
    """The request's id as a number; -1 when there is none, as for every GET."""
    given = (request.body or {}).get("id")
    text = str(given)
    return int(text) if text.isdigit() else -1


def status_of(x: Exchange, code: int, *, with_ids: bool = False) -> int:
    """By the table, where no quirk says otherwise (D5, D6, D7, 11.14)."""
    if with_ids and x.quirks.http_with_ids == "200":
        return 200
    if code == 40401:
        return x.quirks.http_40401
    if code in POST_ONLY_ENDS:
        return x.quirks.http_4300x
    if code == 50001:
        return x.quirks.http_50001
    return CODES[code][1] if code in CODES else x.quirks.http_unlisted
